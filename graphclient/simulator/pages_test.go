package simulator

import (
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// landed is a program that waits for a browser to come back.
func landed(t *testing.T) (redirect string, back func() url.Values) {
	got := make(chan url.Values, 1)
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got <- r.URL.Query() }))
	t.Cleanup(s.Close)
	return s.URL, func() url.Values {
		select {
		case v := <-got:
			return v
		default:
			t.Fatal("the browser did not come back")
			return nil
		}
	}
}

func pageOf(redirect, scope string, more ...string) string {
	q := url.Values{
		"client_id": {cliToolsAppID}, "redirect_uri": {redirect}, "response_type": {"code"}, "state": {"st"}, "scope": {scope},
	}
	for i := 0; i+1 < len(more); i += 2 {
		q.Set(more[i], more[i+1])
	}
	return inProcessAuthority + "/" + tenantID + "/oauth2/v2.0/authorize?" + q.Encode()
}

func TestAnswerPage_PlaysTheUserAtTheBrowser(t *testing.T) {
	b := newBench(t, smallTenant, paged)
	redirect, back := landed(t)
	page := pageOf(redirect, "User.Read.All openid offline_access")
	for name, tc := range map[string]struct {
		answer Answer
		aadsts string
		sub    string
	}{
		"declined":     {Answer{Decline: true}, "AADSTS65004", "cancel"},
		"blocked":      {Answer{Refuse: 53003}, "AADSTS53003", ""},
		"nobody":       {Answer{Account: "nobody.here@contoso.example"}, "AADSTS50034", ""},
		"without role": {Answer{Account: "nobody@contoso.example"}, "AADSTS90094", ""},
	} {
		if err := b.s.AnswerPage(t.Context(), page, tc.answer); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		q := back()
		text := q.Get("error_description")
		if q.Get("error") == "" || q.Get("state") != "st" || q.Get("code") != "" || !strings.HasPrefix(text, tc.aadsts+": ") ||
			q.Get("error_subcode") != tc.sub || !strings.Contains(text, "Correlation ID: ") || !strings.Contains(text, "Timestamp: ") {
			t.Errorf("%s: came back with %v", name, q)
		}
	}
	for account, want := range map[string]map[string]any{
		"":                         {"tid": tenantID, "upn": adminUPN},
		"helpdesk@contoso.example": {"tid": tenantID, "upn": "helpdesk@contoso.example"},
		ForeignAccount:             {"tid": guid("tenant", "elsewhere.example"), "upn": ForeignAccount},
		PersonalAccount:            {"tid": personalTenant, "idp": "live.com", "upn": nil},
	} {
		if err := b.s.AnswerPage(t.Context(), page, Answer{Account: account}); err != nil {
			t.Fatal(err)
		}
		r := b.post(tokenPath, "grant_type", "authorization_code", "client_id", cliToolsAppID, "code", back().Get("code"), "redirect_uri", redirect).want(t, 200)
		c := claimsOf(t, r.text("access_token"))
		for k, v := range want {
			if c[k] != v {
				t.Errorf("%q: claim %s is %v, want %v", account, k, c[k], v)
			}
		}
		if id := claimsOf(t, r.text("id_token")); id["tid"] != want["tid"] {
			t.Errorf("%q: id token of %v", account, id["tid"])
		}
	}
	for name, address := range map[string]string{
		"another page":   inProcessAuthority + "/devicelogin",
		"other tenant":   strings.Replace(page, tenantID, newGUID(), 1),
		"unknown app":    pageOf(redirect, "User.Read", "client_id", newGUID()),
		"leads away":     pageOf("https://evil.example/", "User.Read"),
		"no address":     ":",
		"nobody listens": pageOf("http://127.0.0.1:1", "User.Read"),
	} {
		if err := b.s.AnswerPage(t.Context(), address, Answer{}); err == nil || strings.Contains(err.Error(), "code=") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAnswerCode_RefusesThatSignInAlone(t *testing.T) {
	b := newBench(t, smallTenant, paged)
	user, dev := b.deviceCode("User.Read.All")
	if err := b.s.AnswerCode(user, Answer{Refuse: 53003}); err != nil {
		t.Fatal(err)
	}
	if r := b.poll(dev).want(t, 400); r.aadsts() != "[53003]" {
		t.Errorf("%s", r.raw)
	}
	user, dev = b.deviceCode("User.Read.All")
	if err := b.s.AnswerCode(user, Answer{}); err != nil {
		t.Fatal(err)
	}
	b.poll(dev).want(t, 200)
	// A guest's token names where the guest is at home.
	user, dev = b.deviceCode("User.Read")
	if err := b.s.AnswerCode(user, Answer{Account: "guest_partner.example#EXT#@contoso.onmicrosoft.com"}); err != nil {
		t.Fatal(err)
	}
	c := claimsOf(t, b.poll(dev).want(t, 200).text("access_token"))
	if c["tid"] != tenantID || c["idp"] != "https://sts.windows.net/"+guid("tenant", "partner.example")+"/" {
		t.Errorf("claims %v", c)
	}
	user, dev = b.deviceCode("User.Read.All")
	if err := b.s.AnswerCode(user, Answer{Account: "nobody@contoso.example"}); err != nil {
		t.Fatal(err)
	}
	if r := b.poll(dev).want(t, 400); r.aadsts() != "[90094]" {
		t.Errorf("%s", r.raw)
	}
	// Once an administrator consented for them, they need no role.
	if err := b.s.Consent("nobody@contoso.example", "", "User.Read.All"); err != nil {
		t.Fatal(err)
	}
	user, dev = b.deviceCode("User.Read.All")
	if err := b.s.AnswerCode(user, Answer{Account: "nobody@contoso.example"}); err != nil {
		t.Fatal(err)
	}
	b.poll(dev).want(t, 200)
	if err := b.s.AnswerCode("NOCODE", Answer{}); err == nil {
		t.Error("a code of nobody was answered")
	}
}

func TestDemand_IsMetByASignInThatCarriesIt(t *testing.T) {
	const claims = `{"access_token":{"acrs":{"essential":true,"value":"c1"}}}`
	const cp1 = `{"access_token":{"xms_cc":{"values":["cp1"]}}}`
	const both = `{"access_token":{"acrs":{"essential":true,"value":"c1"},"xms_cc":{"values":["cp1"]}}}`
	b := newBench(t, smallTenant)
	sign := func(claims string) result {
		d := b.post("/"+tenantID+"/oauth2/v2.0/devicecode", "client_id", cliToolsAppID, "scope", "User.Read.All offline_access", "claims", claims).want(t, 200)
		return b.post(tokenPath, "grant_type", "device_code", "client_id", cliToolsAppID, "device_code", d.text("device_code"), "claims", claims).want(t, 200)
	}
	renew := func(r result) result {
		return b.post(tokenPath, "grant_type", "refresh_token", "client_id", cliToolsAppID, "refresh_token", r.text("refresh_token"), "scope", "User.Read.All", "claims", both)
	}
	read := func(r result) result {
		b.token = r.text("access_token")
		return b.get("/users?$top=1")
	}
	simple, able := sign(""), sign(cp1)
	read(able).want(t, 200)
	// Over the wire, as a script of a demo does it.
	if r := b.do("POST", inProcessAuthority+"/simulator/claims?user="+adminUPN, claims); r.status != http.StatusNoContent {
		t.Fatalf("%d %s", r.status, r.raw)
	}
	read(simple).want(t, 200) // it does not understand a challenge: good until its end
	r := read(able).want(t, 401)
	want := `error="insufficient_claims", claims="` + base64.StdEncoding.EncodeToString([]byte(claims)) + `"`
	if h := r.header.Get("WWW-Authenticate"); !strings.HasPrefix(h, "Bearer ") || !strings.Contains(h, want) {
		t.Errorf("challenge %s", h)
	}
	no := renew(able).want(t, 400)
	if no.text("error") != "interaction_required" || no.text("claims") != claims || no.text("suberror") != "basic_action" || no.aadsts() != "[50076]" {
		t.Errorf("%s", no.raw)
	}
	read(sign(cp1)).want(t, 401) // a sign-in that does not carry it
	good := sign(both)
	read(good).want(t, 200)
	read(renew(good).want(t, 200)).want(t, 200)
	if err := b.s.Demand(adminUPN, ""); err != nil {
		t.Fatal(err)
	}
	read(able).want(t, 200)
	for _, bad := range []string{"nobody.here@contoso.example", ""} {
		if b.s.Demand(bad, claims) == nil {
			t.Errorf("claims were demanded of %q", bad)
		}
	}
	if r := b.do("POST", inProcessAuthority+"/simulator/claims?user="+adminUPN, "nonsense"); r.status != http.StatusBadRequest {
		t.Errorf("nonsense: %d", r.status)
	}
	if r := b.do("GET", inProcessAuthority+"/simulator/claims?user="+adminUPN, nil); r.status != http.StatusMethodNotAllowed {
		t.Errorf("GET: %d", r.status)
	}
}
