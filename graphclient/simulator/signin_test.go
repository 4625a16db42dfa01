package simulator

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/confidential"
)

const tenantID = "11111111-1111-4111-8111-111111111111"

// aadsts are the numbers of an error of the authority, in brackets.
func (r result) aadsts() string {
	list, _ := r.json["error_codes"].([]any)
	var out []int
	for _, v := range list {
		f, _ := v.(float64)
		out = append(out, int(f))
	}
	return fmt.Sprint(out)
}

// post sends a form to the authority.
func (b *bench) post(path string, pairs ...string) result {
	b.Helper()
	form := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	r, err := http.NewRequestWithContext(b.Context(), http.MethodPost, inProcessAuthority+path, strings.NewReader(form.Encode()))
	if err != nil {
		b.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := b.client.Do(r)
	if err != nil {
		b.Fatal(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		b.Fatal(err)
	}
	out := result{status: res.StatusCode, header: res.Header, raw: raw}
	_ = json.Unmarshal(raw, &out.json)
	return out
}

const tokenPath = "/" + tenantID + "/oauth2/v2.0/token"

func (b *bench) deviceCode(scope string) (userCode, deviceCode string) {
	b.Helper()
	r := b.post("/"+tenantID+"/oauth2/v2.0/devicecode", "client_id", cliToolsAppID, "scope", scope).want(b, 200)
	return r.text("user_code"), r.text("device_code")
}

func (b *bench) poll(deviceCode string) result {
	b.Helper()
	return b.post(tokenPath, "grant_type", "urn:ietf:params:oauth:grant-type:device_code", "client_id", cliToolsAppID, "device_code", deviceCode)
}

func claimsOf(t *testing.T, token string) map[string]any {
	t.Helper()
	_, claims, err := readJWT(token)
	if err != nil {
		t.Fatalf("token: %v", err)
	}
	return claims
}

func paged(o *Options) { o.Approve = "page" }

func TestDeviceCode_IsTypedOnThePage(t *testing.T) {
	b := newBench(t, smallTenant, paged)
	user, dev := b.deviceCode("https://graph.microsoft.com/User.Read.All offline_access openid profile")
	r := b.poll(dev).want(t, 400)
	if r.json["error"] != "authorization_pending" || r.aadsts() != "[70016]" {
		t.Errorf("%s", r.raw)
	}
	for _, k := range []string{"error_description", "timestamp", "trace_id", "correlation_id"} {
		if r.text(k) == "" {
			t.Errorf("no %s in %s", k, r.raw)
		}
	}
	if r := b.poll(dev).want(t, 400); r.json["error"] != "slow_down" {
		t.Errorf("polled again at once: %s", r.raw)
	}
	if p := b.do("GET", inProcessAuthority+"/devicelogin", nil).want(t, 200); !strings.Contains(string(p.raw), `name="code"`) {
		t.Errorf("%s", p.raw)
	}
	if p := b.post("/devicelogin", "code", "WRONG").want(t, 400); !strings.Contains(string(p.raw), "did not work") {
		t.Errorf("%s", p.raw)
	}
	p := b.post("/devicelogin", "code", strings.ToLower(user)).want(t, 200)
	for _, word := range []string{"Microsoft Graph Command Line Tools", "User.Read.All", adminUPN, "Contoso K.K."} {
		if !strings.Contains(string(p.raw), word) {
			t.Errorf("the page does not name %s: %s", word, p.raw)
		}
	}
	b.post("/devicelogin", "code", user, "action", "approve", "account", "nobody.here@contoso.example").want(t, 400)
	b.post("/devicelogin", "code", user, "action", "approve", "account", "useradmin@contoso.example").want(t, 200)
	ok := b.poll(dev).want(t, 200)
	c := claimsOf(t, ok.text("access_token"))
	for k, want := range map[string]any{
		"tid": tenantID, "oid": "aaaaaaaa-0000-4000-8000-000000000009", "upn": "useradmin@contoso.example",
		"unique_name": "useradmin@contoso.example", "name": "User admin", "appid": cliToolsAppID,
		"app_displayname": "Microsoft Graph Command Line Tools", "scp": "User.Read User.Read.All",
		"aud": graphAppID, "iss": "https://sts.windows.net/" + tenantID + "/",
	} {
		if c[k] != want {
			t.Errorf("claim %s is %v, want %v", k, c[k], want)
		}
	}
	wids, _ := c["wids"].([]any)
	if !slices.Contains(wids, any(roleUserAdmin)) {
		t.Errorf("wids %v", wids)
	}
	for _, k := range []string{"iat", "nbf", "exp"} {
		if _, is := c[k].(float64); !is {
			t.Errorf("no %s", k)
		}
	}
	id := claimsOf(t, ok.text("id_token"))
	if id["preferred_username"] != "useradmin@contoso.example" || id["iss"] != inProcessAuthority+"/"+tenantID+"/v2.0" {
		t.Errorf("id_token %v", id)
	}
	info, _ := base64.RawURLEncoding.DecodeString(ok.text("client_info"))
	if string(info) != `{"uid":"aaaaaaaa-0000-4000-8000-000000000009","utid":"`+tenantID+`"}` {
		t.Errorf("client_info %s", info)
	}
	if r := b.poll(dev).want(t, 400); r.json["error"] != "invalid_grant" {
		t.Errorf("the code worked twice: %s", r.raw)
	}
}

func TestDeviceCode_EndsInEachOtherWay(t *testing.T) {
	b := newBench(t, smallTenant, paged)
	user, dev := b.deviceCode("User.Read.All")
	b.post("/devicelogin", "code", user, "action", "decline").want(t, 200)
	if r := b.poll(dev).want(t, 400); r.json["error"] != "authorization_declined" {
		t.Errorf("%s", r.raw)
	}
	if r := b.poll("nothing").want(t, 400); r.json["error"] != "bad_verification_code" {
		t.Errorf("%s", r.raw)
	}
	b.s.opts.CodeLife = time.Nanosecond
	_, dev = b.deviceCode("User.Read.All")
	if r := b.poll(dev).want(t, 400); r.json["error"] != "expired_token" {
		t.Errorf("%s", r.raw)
	}
	b.s.opts.CodeLife = 0
	for _, number := range []int{50076, 53003, 530036, 65004, 90094, 99999} {
		b.s.RefuseSignIns(0)
		user, dev = b.deviceCode("User.Read.All")
		b.s.RefuseSignIns(number)
		b.post("/devicelogin", "code", user, "action", "approve").want(t, 403)
		r := b.poll(dev).want(t, 400)
		if r.aadsts() != fmt.Sprintf("[%d]", number) || !strings.HasPrefix(r.text("error_description"), fmt.Sprintf("AADSTS%d: ", number)) {
			t.Errorf("%d: %s", number, r.raw)
		}
	}
	b.s.RefuseSignIns(0)
	if err := b.s.Edit("nobody@contoso.example", map[string]any{"accountEnabled": false}); err != nil {
		t.Fatal(err)
	}
	user, dev = b.deviceCode("User.Read.All")
	if err := b.s.Approve(user, "nobody@contoso.example"); err != nil {
		t.Fatal(err)
	}
	if r := b.poll(dev); r.aadsts() != "[50057]" {
		t.Errorf("a blocked account signed in: %s", r.raw)
	}
	for path, code := range map[string]string{
		"/" + tenantID + "/oauth2/v2.0/devicecode":                     "[700016]",
		"/22222222-2222-4222-8222-222222222222/oauth2/v2.0/devicecode": "[90002]",
	} {
		if r := b.post(path, "client_id", newGUID(), "scope", "User.Read"); r.aadsts() != code {
			t.Errorf("%s: %s", path, r.raw)
		}
	}
	if r := b.post("/common/oauth2/v2.0/devicecode", "client_id", cliToolsAppID, "scope", "No.Such.Scope"); r.aadsts() != "[70011]" {
		t.Errorf("%s", r.raw)
	}
}

func TestRefresh_RotatesAndKeepsToWhatWasAgreed(t *testing.T) {
	b := newBench(t, smallTenant)
	_, dev := b.deviceCode("User.Read.All offline_access")
	first := b.poll(dev).want(t, 200)
	renew := func(token, scope string) result {
		return b.post(tokenPath, "grant_type", "refresh_token", "client_id", cliToolsAppID, "refresh_token", token, "scope", scope)
	}
	second := renew(first.text("refresh_token"), "User.Read.All").want(t, 200)
	if second.text("refresh_token") == first.text("refresh_token") || second.text("refresh_token") == "" {
		t.Error("the refresh token was not rotated")
	}
	if r := renew(second.text("refresh_token"), "User.ReadWrite.All").want(t, 400); r.aadsts() != "[65001]" {
		t.Errorf("%s", r.raw)
	}
	// Once agreed to, a scope is in every later token of the application.
	_, dev = b.deviceCode("User.ReadWrite.All")
	if r := b.poll(dev).want(t, 200); r.text("refresh_token") != "" {
		t.Error("a refresh token without offline_access")
	}
	third := renew(second.text("refresh_token"), "User.ReadWrite.All").want(t, 200)
	if c := claimsOf(t, third.text("access_token")); c["scp"] != "User.Read User.Read.All User.ReadWrite.All" {
		t.Errorf("scp %v", c["scp"])
	}
	b.as(adminUPN, allScopes...)
	if g := b.get("/oauth2PermissionGrants").want(t, 200).values(); len(g) != 1 || g[0]["scope"] != "User.Read User.Read.All User.ReadWrite.All" {
		t.Errorf("grants %v", g)
	}
	b.s.Revoke()
	if r := renew(third.text("refresh_token"), "User.Read.All").want(t, 400); r.json["error"] != "invalid_grant" {
		t.Errorf("%s", r.raw)
	}
}

func TestAuthorize_ByBrowserWithPKCE(t *testing.T) {
	verifier := strings.Repeat("v", 43)
	sum := sha256.Sum256([]byte(verifier))
	open := func(b *bench, change ...string) (*http.Response, url.Values) {
		t.Helper()
		q := url.Values{
			"client_id": {cliToolsAppID}, "redirect_uri": {"http://localhost:4711"}, "response_type": {"code"}, "state": {"st"},
			"scope": {"User.Read.All openid offline_access"}, "code_challenge": {b64(sum[:])}, "code_challenge_method": {"S256"},
		}
		for i := 0; i+1 < len(change); i += 2 {
			q.Set(change[i], change[i+1])
		}
		r, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, inProcessAuthority+"/"+tenantID+"/oauth2/v2.0/authorize?"+q.Encode(), nil)
		res, err := b.client.Transport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = res.Body.Close() })
		at, _ := url.Parse(res.Header.Get("Location"))
		return res, at.Query()
	}
	b := newBench(t, smallTenant)
	redeem := func(code, verifier string) result {
		return b.post(tokenPath, "grant_type", "authorization_code", "client_id", cliToolsAppID, "code", code,
			"redirect_uri", "http://localhost:4711", "code_verifier", verifier)
	}
	_, q := open(b)
	if q.Get("state") != "st" || q.Get("code") == "" {
		t.Fatalf("redirected with %v", q)
	}
	if r := redeem(q.Get("code"), "wrong").want(t, 400); r.aadsts() != "[501481]" {
		t.Errorf("%s", r.raw)
	}
	if r := redeem(q.Get("code"), verifier).want(t, 400); r.json["error"] != "invalid_grant" {
		t.Errorf("a code worked after a failed try: %s", r.raw)
	}
	_, q = open(b)
	if r := redeem(q.Get("code"), verifier).want(t, 200); r.text("refresh_token") == "" || r.text("id_token") == "" {
		t.Errorf("%s", r.raw)
	}
	if res, q := open(b, "redirect_uri", "https://elsewhere.example/"); res.StatusCode != http.StatusBadRequest || len(q) != 0 {
		t.Errorf("sent to an unknown address: %d %v", res.StatusCode, q)
	}
	b.s.RefuseSignIns(53003)
	if _, q := open(b); q.Get("error") != "access_denied" || !strings.HasPrefix(q.Get("error_description"), "AADSTS53003") {
		t.Errorf("%v", q)
	}
	p := newBench(t, smallTenant, paged)
	res, _ := open(p)
	page, _ := io.ReadAll(res.Body)
	if res.StatusCode != http.StatusOK || !strings.Contains(string(page), `value="decline"`) || !strings.Contains(string(page), b64(sum[:])) {
		t.Errorf("%d %s", res.StatusCode, page)
	}
}

// certificate makes a self-signed certificate as applications register them.
func certificate(t *testing.T, key *rsa.PrivateKey) *x509.Certificate {
	t.Helper()
	tpl := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: "hacsync test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, tpl, tpl, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

func TestCertificate_SignsAnApplicationInByMSAL(t *testing.T) {
	key := testKey()
	cert := certificate(t, key)
	app := `"applications":[{"appId":"` + testApp + `","displayName":"hacsync test","keyCredentials":[{"key":"` +
		base64.StdEncoding.EncodeToString(cert.Raw) + `","type":"AsymmetricX509Cert","usage":"Verify"}]}],"signedIn"`
	b := newBench(t, strings.Replace(smallTenant, `"signedIn"`, app, 1))
	cred, err := confidential.NewCredFromCert([]*x509.Certificate{cert}, key)
	if err != nil {
		t.Fatal(err)
	}
	client, err := confidential.New(inProcessAuthority+"/"+tenantID, testApp, cred, confidential.WithHTTPClient(b.client), confidential.WithInstanceDiscovery(false))
	if err != nil {
		t.Fatal(err)
	}
	res, err := client.AcquireTokenByCredential(t.Context(), []string{"https://graph.microsoft.com/.default"})
	if err != nil {
		t.Fatalf("AcquireTokenByCredential: %v", err)
	}
	c := claimsOf(t, res.AccessToken)
	if fmt.Sprint(c["roles"]) != "[User.Read.All User.ReadWrite.All MailboxSettings.Read]" || c["idtyp"] != "app" || c["scp"] != nil {
		t.Errorf("claims %v", c)
	}
	b.token = res.AccessToken
	b.get("/users").want(t, 200)
	b.get("/domains").want(t, 403)

	// A certificate that is not registered, another audience, an old assertion.
	other := certificate(t, key)
	sign := func(cert *x509.Certificate, change map[string]any) string {
		sum := sha256.Sum256(cert.Raw)
		claims := map[string]any{
			"aud": inProcessAuthority + tokenPath, "iss": testApp, "sub": testApp, "exp": time.Now().Add(time.Minute).Unix(),
		}
		for k, v := range change {
			claims[k] = v
		}
		head, _ := json.Marshal(map[string]string{"alg": "RS256", "typ": "JWT", "x5t#S256": b64(sum[:])})
		token, err := signJWT(key, "", claims)
		if err != nil {
			t.Fatal(err)
		}
		parts := strings.Split(token, ".")
		parts[0] = b64(head)
		unsigned := parts[0] + "." + parts[1]
		return unsigned + "." + b64(signRS256(t, key, unsigned))
	}
	for name, a := range map[string]struct {
		assertion string
		code      string
	}{
		"unknown certificate": {sign(other, nil), "[700027]"},
		"other audience":      {sign(cert, map[string]any{"aud": "https://elsewhere.example"}), "[700023]"},
		"old":                 {sign(cert, map[string]any{"exp": time.Now().Add(-time.Hour).Unix()}), "[700024]"},
		"other application":   {sign(cert, map[string]any{"sub": newGUID()}), "[700021]"},
		"no token":            {"x", "[50027]"},
	} {
		r := b.post(tokenPath, "grant_type", "client_credentials", "client_id", testApp, "scope", "https://graph.microsoft.com/.default",
			"client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer", "client_assertion", a.assertion)
		if r.status < 400 || r.aadsts() != a.code {
			t.Errorf("%s: %d %s", name, r.status, r.raw)
		}
	}
	r := b.post(tokenPath, "grant_type", "client_credentials", "client_id", testApp, "scope", "https://graph.microsoft.com/.default",
		"client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer", "client_assertion", sign(cert, nil)).want(t, 200)
	if r.text("access_token") == "" {
		t.Error("no token for a good assertion")
	}
	for name, secret := range map[string]string{"[7000215]": "guess", "[7000218]": ""} {
		r := b.post(tokenPath, "grant_type", "client_credentials", "client_id", testApp, "scope", "x/.default", "client_secret", secret)
		if r.aadsts() != name {
			t.Errorf("%s: %s", name, r.raw)
		}
	}
}

func TestDiscovery_NamesTheAddresses(t *testing.T) {
	b := newBench(t, smallTenant)
	for realm, names := range map[string][2]string{ // in the issuer, in endpoints
		tenantID: {tenantID, tenantID}, "organizations": {"{tenantid}", "organizations"}, "contoso.example": {tenantID, tenantID},
	} {
		issuer := inProcessAuthority + "/" + names[0] + "/v2.0"
		r := b.do("GET", inProcessAuthority+"/"+realm+"/v2.0/.well-known/openid-configuration", nil).want(t, 200)
		if r.text("issuer") != issuer || r.text("token_endpoint") != inProcessAuthority+"/"+names[1]+"/oauth2/v2.0/token" {
			t.Errorf("%s: %s", realm, r.raw)
		}
	}
	b.do("GET", inProcessAuthority+"/common/discovery/instance?api-version=1.1", nil).want(t, 200)
	r := b.do("GET", inProcessAuthority+"/common/discovery/v2.0/keys", nil).want(t, 200)
	keys, _ := r.json["keys"].([]any)
	if k, _ := keys[0].(map[string]any); k["kty"] != "RSA" || k["kid"] != keyID {
		t.Errorf("%s", r.raw)
	}
	b.do("GET", inProcessAuthority+"/"+tenantID+"/nothing", nil).want(t, 404)
}
