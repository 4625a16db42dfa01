package signin_test

import (
	"bytes"
	"crypto/rsa"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/hacsync/hacsync/graphclient/signin"
	"github.com/hacsync/hacsync/graphclient/simulator"
	"github.com/hacsync/hacsync/sync/consent"
	"github.com/hacsync/hacsync/sync/problem"
)

// An answer that breaks off holds half a token; neither the problem nor its cause
// may quote it.
func TestRule9_ABrokenAnswerIsNotQuoted(t *testing.T) {
	const half = "eyJ-half-of-a-token"
	for _, body := range []string{
		`{"access_token":"` + half + `","refresh_token":"` + half, `{"access_token":"` + half + `"}trailing`, `["` + half + `"]`, half,
		`{"access_token":{"x":"` + half + `"},"expires_in":"` + half + `"}`, `{"access_token":"a","expires_in":3600,"id_token":"a.` + half + `.c"}`,
		`{"access_token":"a","expires_in":3600,"client_info":"` + half + `"}`,
	} {
		a := newAuthority(t)
		c := a.client(signin.Options{})
		if _, err := signIn(t, c, "User.Read.All"); err != nil {
			t.Fatal(err)
		}
		a.answers = []reply{{200, body, false}}
		_, silent := c.Silent(t.Context(), []string{consent.WriteScope})
		a.answers = []reply{{200, body, false}}
		_, fresh := signIn(t, a.client(signin.Options{}), "User.Read.All")
		a.answers = []reply{{200, body, false}}
		app, err := signin.NewApplication(signin.Options{
			Authority: a.URL, HTTP: a.Client(), Graph: graph, Tenant: tenantID, ClientID: appID,
		}, pair())
		if err != nil {
			t.Fatal(err)
		}
		_, byApp := app.Token(t.Context())
		for way, err := range map[string]error{"silent": silent, "code": fresh, "application": byApp} {
			if err == nil {
				continue // what an application does not need to read
			}
			text := fmt.Sprintf("%v %+v", err, err)
			if p := problem.Of(err); p == nil {
				t.Errorf("%s: no problem: %v", way, err)
			} else {
				text += fmt.Sprintf("%+v", *p.Store())
			}
			if strings.Contains(text, half) || strings.Contains(text, half[5:]) {
				t.Errorf("%s: quoted: %s", way, text)
			}
		}
	}
}

// Whatever is logged, it is no token, no code and no key.
func TestRule9_NothingSecretIsLogged(t *testing.T) {
	s := world(t, simulator.Options{Approve: "page"}, pair())
	var out safeBuffer
	logging := func(o *signin.Options) {
		o.Log = slog.New(slog.NewJSONHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	var secrets []string
	keep := func(text string, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		secrets = append(secrets, text)
	}
	cache := &kept{}
	c := client(t, s, logging, func(o *signin.Options) { o.Cache = cache })
	page, wait, err := c.Browser(t.Context(), []string{"User.Read.All"})
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(page.URL)
	if err != nil {
		t.Fatal(err)
	}
	secrets = append(secrets, u.Query().Get("state"))
	if err := s.AnswerPage(t.Context(), page.URL, simulator.Answer{}); err != nil {
		t.Fatal(err)
	}
	if _, err := wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := byCode(t, s, c, simulator.Answer{}, "User.Read.All"); err != nil {
		t.Fatal(err)
	}
	keep(c.Token(t.Context(), "User.Read.All"))
	keep(c.Renew(t.Context(), "", "User.Read.All"))
	a := application(t, s, pair(), logging)
	keep(a.Token(t.Context()))
	s.RefuseSignIns(53003)
	_, _ = c.Renew(t.Context(), "", "User.Read.All")
	_, _ = a.Renew(t.Context(), "")
	_ = s.Close()
	_, _ = c.Renew(t.Context(), "", "User.Read.All")
	_, _ = a.Renew(t.Context(), "")
	for _, row := range strings.Split(string(cache.plain), `"secret":"`)[1:] {
		secret, _, _ := strings.Cut(row, `"`)
		secrets = append(secrets, secret)
	}
	secrets = append(secrets, pair().Key.(*rsa.PrivateKey).D.String())
	if len(secrets) < 6 || out.Len() == 0 {
		t.Fatalf("%d secrets, %d bytes of log: nothing is tried", len(secrets), out.Len())
	}
	for _, secret := range secrets {
		if len(secret) < 20 || strings.Contains(out.String(), secret) {
			t.Errorf("%.12s.. stands in the log", secret)
		}
	}
}

type safeBuffer struct {
	mu sync.Mutex
	bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.Write(p)
}
