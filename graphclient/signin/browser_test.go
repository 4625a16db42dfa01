package signin_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/hacsync/hacsync/graphclient/signin"
	"github.com/hacsync/hacsync/graphclient/simulator"
	"github.com/hacsync/hacsync/sync/clock"
	"github.com/hacsync/hacsync/sync/consent"
	"github.com/hacsync/hacsync/sync/problem"
)

func client(t *testing.T, s *simulator.Server, change ...func(*signin.Options)) *signin.Client {
	t.Helper()
	o := options(t, s)
	for _, f := range change {
		f(&o)
	}
	c, err := signin.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// open asks for a page and takes its address apart.
func open(t *testing.T, c *signin.Client, scopes ...string) (consent.Page, url.Values, func(context.Context) (consent.Account, error)) {
	t.Helper()
	page, wait, err := c.Browser(t.Context(), scopes)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(page.URL)
	if err != nil {
		t.Fatal(err)
	}
	return page, u.Query(), wait
}

// visit is a browser of its own: it follows redirects, and trusts the tenant.
func visit(t *testing.T, s *simulator.Server, address string) (status int, at, body string) {
	t.Helper()
	b := reach(t, s)
	b.CheckRedirect = nil
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	res, err := b.Do(req)
	if err != nil {
		t.Fatalf("visit: %v", err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, res.Request.URL.String(), string(text)
}

// isClosed reports whether the address of the redirect is no longer listened on.
func isClosed(t *testing.T, redirect string) bool {
	t.Helper()
	u, err := url.Parse(redirect)
	if err != nil {
		t.Fatal(err)
	}
	for range 100 {
		c, err := net.DialTimeout("tcp4", net.JoinHostPort("127.0.0.1", u.Port()), time.Second)
		if err != nil {
			return true
		}
		_ = c.Close()
		time.Sleep(10 * time.Millisecond)
	}
	return false
}

func TestBrowser_SignsInWithPKCEOverLoopback(t *testing.T) {
	s := world(t, simulator.Options{})
	c := client(t, s)
	page, q, wait := open(t, c, consent.ReadScopes()...)
	if left := time.Until(page.Expires); left < 9*time.Minute || left > 10*time.Minute {
		t.Errorf("the page has %v", left)
	}
	if q.Get("code_challenge_method") != "S256" || len(q.Get("code_challenge")) != 43 || len(q.Get("state")) < 40 ||
		!strings.HasPrefix(q.Get("redirect_uri"), "http://localhost:") || q.Get("prompt") != "select_account" || q.Get("response_mode") != "query" {
		t.Errorf("asked with %v", q)
	}
	result := make(chan error, 1)
	var who consent.Account
	go func() {
		var err error
		who, err = wait(t.Context())
		result <- err
	}()
	status, at, body := visit(t, s, page.URL)
	if status != http.StatusOK || !strings.HasSuffix(at, "/done") || !strings.Contains(body, "You can close this window") || !strings.Contains(body, "閉じて") {
		t.Errorf("landed at %s: %d %s", at, status, body)
	}
	if err := <-result; err != nil {
		t.Fatal(err)
	}
	if who.UPN != "admin@contoso.example" || who.Tenant != tenant || len(who.Scopes) < 5 {
		t.Errorf("account %+v", who)
	}
	if !isClosed(t, q.Get("redirect_uri")) {
		t.Error("somebody still listens")
	}
	if token, err := c.Token(t.Context(), consent.ReadScopes()...); err != nil || token == "" {
		t.Errorf("no token for reading: %v", err)
	}
	if _, err := wait(t.Context()); !problem.Has(err, problem.PageExpired) {
		t.Errorf("waited for twice: %v", err)
	}
}

// Whoever else knocks at the port changes nothing.
func TestBrowser_TakesOneAnswerWithItsOwnState(t *testing.T) {
	s := world(t, simulator.Options{})
	c := client(t, s)
	page, q, wait := open(t, c, "User.Read.All")
	back := q.Get("redirect_uri")
	knock := func(method, address, host string) int {
		req, err := http.NewRequestWithContext(t.Context(), method, address, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		if host != "" {
			req.Host = host
		}
		res, err := (&http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}).Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		return res.StatusCode
	}
	good := "&state=" + q.Get("state")
	for name, tc := range map[string]struct {
		method, address, host string
		want                  int
	}{
		"no query":       {http.MethodGet, back + "/", "", 404},
		"other path":     {http.MethodGet, back + "/favicon.ico?code=x" + good, "", 404},
		"no state":       {http.MethodGet, back + "/?code=x", "", 400},
		"wrong state":    {http.MethodGet, back + "/?code=x&state=guess", "", 400},
		"two states":     {http.MethodGet, back + "/?code=x&state=guess" + good, "", 400},
		"wrong error":    {http.MethodGet, back + "/?error=access_denied&state=", "", 400},
		"neither":        {http.MethodGet, back + "/?x=y" + good, "", 400},
		"posted":         {http.MethodPost, back + "/?code=x" + good, "", 404},
		"foreign name":   {http.MethodGet, back + "/?code=x" + good, "evil.example", 404},
		"end before end": {http.MethodGet, back + "/done", "", 200},
		"very long":      {http.MethodGet, back + "/?code=" + strings.Repeat("x", 33<<10) + good, "", 400},
	} {
		if got := knock(tc.method, tc.address, tc.host); got != tc.want {
			t.Errorf("%s: %d, want %d", name, got, tc.want)
		}
	}
	if status, _, _ := visit(t, s, page.URL); status != http.StatusOK {
		t.Errorf("the real one: %d", status)
	}
	if status := knock(http.MethodGet, back+"/?code=other"+good, ""); status == http.StatusSeeOther {
		t.Error("a second answer was taken")
	}
	if who, err := wait(t.Context()); err != nil || who.UPN == "" {
		t.Errorf("the sign-in was harmed: %v", err)
	}
}

func TestBrowser_EndsWithItsContextAndItsTime(t *testing.T) {
	s := world(t, simulator.Options{Approve: "page"})
	c := client(t, s)
	_, q, wait := open(t, c, "User.Read.All")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := wait(ctx); !errors.Is(err, context.Canceled) || problem.Of(err) != nil {
		t.Errorf("cancelled: %v", err)
	}
	if !isClosed(t, q.Get("redirect_uri")) {
		t.Error("cancelled, and somebody still listens")
	}
	// Ten minutes of the clock, also if no caller waits.
	fast := client(t, s, func(o *signin.Options) { o.Clock = clock.Scaled(6000) })
	_, q, wait = open(t, fast, "User.Read.All")
	if !isClosed(t, q.Get("redirect_uri")) {
		t.Error("expired, and somebody still listens")
	}
	_, err := wait(t.Context())
	if p := wantCode(t, err, problem.PageExpired); p.Class() != problem.Mend {
		t.Errorf("class %v", p.Class())
	}
	_, _, wait = open(t, fast, "User.Read.All")
	_, err = wait(t.Context())
	wantCode(t, err, problem.PageExpired)
	if _, _, err := c.Browser(ctx, []string{"User.Read.All"}); !errors.Is(err, context.Canceled) {
		t.Errorf("begun cancelled: %v", err)
	}
}

func TestBrowser_RefusedOnThePage(t *testing.T) {
	for name, tc := range map[string]struct {
		query string
		want  problem.Code
	}{
		"cancelled":         {"error=access_denied&error_subcode=cancel&error_description=", problem.PageDeclined},
		"consent declined":  {"error=access_denied&error_description=AADSTS65004%3A+User+declined", problem.ConsentDeclined},
		"blocked":           {"error=access_denied&error_description=AADSTS53003%3a+Access+has+been+blocked.%0d%0aTrace+ID%3a+tr-1%0d%0aCorrelation+ID%3a+co-1%0d%0aTimestamp%3a+2026-11-22+07%3a00%3a00Z", problem.BlockedByPolicy},
		"word only":         {"error=server_error", problem.SignInRefused},
		"number of nobody":  {"error=access_denied&error_description=AADSTS987654%3A+new", problem.SignInOther},
		"nothing but error": {"error=", problem.SignInBroken},
	} {
		s := world(t, simulator.Options{Approve: "page"})
		_, q, wait := open(t, client(t, s), "User.Read.All")
		status, at, body := visit(t, s, q.Get("redirect_uri")+"/?"+tc.query+"&state="+q.Get("state"))
		if status != http.StatusOK || !strings.HasSuffix(at, "/refused") || !strings.Contains(body, "hacsync shows why") {
			t.Errorf("%s: landed at %s", name, at)
		}
		_, err := wait(t.Context())
		p := wantCode(t, err, tc.want)
		if name == "blocked" && (p.Args["correlation"] != "co-1" || p.Args["trace"] != "tr-1" || p.Args["time"] != "2026-11-22 07:00:00Z" ||
			p.Args["answer"] != "AADSTS53003: Access has been blocked.") {
			t.Errorf("the problem lost what support needs: %v", p.Args)
		}
	}
}

// Codes and verifiers that are not the sign-in's own are refused by Entra ID.
func TestBrowser_ACodeOfAnotherSignInGivesNothing(t *testing.T) {
	s := world(t, simulator.Options{})
	_, q, wait := open(t, client(t, s), "User.Read.All")
	// A thief's authorization request, brought back with our state.
	sum := sha256.Sum256([]byte(strings.Repeat("t", 43)))
	theft := url.Values{
		"client_id": {q.Get("client_id")}, "redirect_uri": {q.Get("redirect_uri")}, "response_type": {"code"}, "state": {q.Get("state")},
		"scope": {q.Get("scope")}, "code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"},
	}
	visit(t, s, s.Ready().Authority+"/"+tenant+"/oauth2/v2.0/authorize?"+theft.Encode())
	if _, err := wait(t.Context()); problem.Of(err) == nil {
		t.Errorf("signed in with another's code: %v", err)
	}
}

func TestBrowser_RefusedBeforeThePage(t *testing.T) {
	s := world(t, simulator.Options{})
	c := client(t, s, func(o *signin.Options) { o.Tenant = "22222222-2222-4222-8222-222222222222" })
	_, _, err := c.Browser(t.Context(), []string{"User.Read.All"})
	wantCode(t, err, problem.TenantUnknown)
}

func TestBrowser_HintsAtTheAccountOfTheConnection(t *testing.T) {
	s := world(t, simulator.Options{})
	_, q, wait := open(t, client(t, s, func(o *signin.Options) { o.Account = "admin@contoso.example" }), "User.Read.All")
	if q.Get("login_hint") != "admin@contoso.example" || q.Get("prompt") != "" {
		t.Errorf("asked with %v", q)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, _ = wait(ctx)
}

func TestClouds_AreWhatTheyAreCalled(t *testing.T) {
	names := ""
	for _, c := range signin.Clouds() {
		names += " " + c.Name
		for _, at := range []string{c.Graph, c.Authority, c.DevicePage} {
			if u, err := url.Parse(at); err != nil || u.Scheme != "https" || u.Host == "" {
				t.Errorf("%s: %q", c.Name, at)
			}
		}
		if got, ok := signin.CloudNamed(c.Name); !ok || fmt.Sprint(got) != fmt.Sprint(c) {
			t.Errorf("%s is not found by its name", c.Name)
		}
		if c.OwnClient != (c.Name == "china") {
			t.Errorf("%s: own application %v", c.Name, c.OwnClient)
		}
	}
	if names != " public usgov usgovdod china" {
		t.Errorf("clouds%s", names)
	}
	if _, ok := signin.CloudNamed("moon"); ok {
		t.Error("a cloud that there is not")
	}
}
