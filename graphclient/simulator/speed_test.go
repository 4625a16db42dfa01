package simulator

import (
	"fmt"
	"net/http"
	"testing"
	"time"
)

// A tenant of 100,000 starts within seconds and is read quickly.
func TestLargeTenant_StartsAndListsFast(t *testing.T) {
	if testing.Short() {
		t.Skip("large")
	}
	start := time.Now()
	s, err := New(Options{Users: 100_000, Seed: 1, Key: testKey()})
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{TB: t, s: s, client: &http.Client{Transport: s.RoundTripper()}}
	b.as(b.s.tokens.signedInUPN(), allScopes...)
	made := time.Since(start)
	start = time.Now()
	n, pages := 0, 0
	next := "/users?$top=999&$select=id,userPrincipalName,mail,proxyAddresses,accountEnabled,displayName,surname,givenName,mailNickname,onPremisesImmutableId,userType,assignedPlans&$count=true"
	for next != "" {
		r := b.get(next, "ConsistencyLevel", "eventual").want(t, 200)
		n += len(r.values())
		pages++
		next = r.text("@odata.nextLink")
	}
	read := time.Since(start)
	t.Logf("made in %v, %d users in %d pages in %v (decoding included)", made, n, pages, read)
	if n != 100_000 {
		t.Errorf("%d users", n)
	}
	if made > 20*time.Second || read > 40*time.Second {
		t.Errorf("too slow: made in %v, read in %v", made, read)
	}
	start = time.Now()
	r := b.get("/users/$count?$filter=endsWith(userPrincipalName,'@sakura.example')", "ConsistencyLevel", "eventual").want(t, 200)
	t.Logf("count by endsWith %s in %v", r.raw, time.Since(start))
	start = time.Now()
	for i := range 100 {
		var reqs []map[string]any
		for j := range 20 {
			reqs = append(reqs, map[string]any{"id": fmt.Sprint(j), "method": "GET", "url": fmt.Sprintf("/users?$filter=proxyAddresses/any(p:p eq 'smtp:x%d@sakura.example')", i)})
		}
		b.do("POST", "/$batch", map[string]any{"requests": reqs}).want(t, 200)
	}
	if d := time.Since(start); d > 5*time.Second {
		t.Errorf("100 batches of 20 took %v", d)
	} else {
		t.Logf("100 batches of 20 in %v", d)
	}
}
