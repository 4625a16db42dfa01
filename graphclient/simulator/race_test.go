package simulator

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
)

// Readers, writers, sign-ins and snapshots at once: the race detector and the
// counts at the end say whether they got into each other's way.
func TestConcurrency_NothingIsLostOrSeenTwice(t *testing.T) {
	b := newBench(t, manyUsers(400))
	send := func(method, path, body string) int {
		r, err := http.NewRequestWithContext(t.Context(), method, inProcessGraph+"/v1.0"+path, strings.NewReader(body))
		if err != nil {
			t.Error(err)
			return 0
		}
		r.Header.Set("Authorization", "Bearer "+b.token)
		res, err := b.client.Do(r)
		if err != nil {
			t.Error(err)
			return 0
		}
		defer res.Body.Close()
		_, _ = io.Copy(io.Discard, res.Body)
		return res.StatusCode
	}
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := range 25 {
				upn := fmt.Sprintf("w%d-%d@many.example", w, i)
				body := `{"accountEnabled":true,"displayName":"x","mailNickname":"x","userPrincipalName":"` + upn + `","passwordProfile":{"password":"Long-enough-1"}}`
				if s := send("POST", "/users", body); s != 201 {
					t.Errorf("POST %s: %d", upn, s)
				}
				send("PATCH", "/users/"+upn, `{"jobTitle":"y"}`)
				send("DELETE", fmt.Sprintf("/users/u%04d@many.example", w*25+i), "")
				// Everybody wants this one: one gets it.
				send("PATCH", "/users/"+upn, `{"onPremisesImmutableId":"the-one"}`)
			}
		})
	}
	wg.Go(func() {
		for range 20 {
			send("GET", "/users?$top=999", "")
			send("GET", "/users/delta?$select=displayName", "")
			_ = b.s.Snapshot()
			form := url.Values{"client_id": {cliToolsAppID}, "scope": {"User.Read.All"}}
			res, err := b.client.Post(inProcessAuthority+"/common/oauth2/v2.0/devicecode", "application/x-www-form-urlencoded", strings.NewReader(form.Encode()))
			if err != nil {
				t.Error(err)
				return
			}
			_ = res.Body.Close()
		}
	})
	wg.Wait()
	if live, bin := b.s.t.users.live, b.s.t.users.bin; live != 401 || bin != 100 {
		t.Errorf("%d live, %d deleted", live, bin)
	}
	values, _ := b.all("/users?$top=50&$select=id,onPremisesImmutableId")
	holders := 0
	for _, v := range values {
		if v["onPremisesImmutableId"] == "the-one" {
			holders++
		}
	}
	if len(values) != 401 || holders != 1 {
		t.Errorf("%d users, %d hold the one ID", len(values), holders)
	}
}
