package simulator

import (
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"math/big"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// refusals are the AADSTS errors that have words of their own: the OAuth code
// and the sentence.
var refusals = map[int]oauthError{
	50011:   {400, "invalid_request", 50011, "The redirect URI specified in the request does not match the redirect URIs configured for the application."},
	50020:   {400, "invalid_grant", 50020, "User account from identity provider does not exist in tenant and cannot access the application in that tenant."},
	50034:   {400, "invalid_grant", 50034, "The user account does not exist in the directory. To sign into this application, the account must be added to the directory."},
	50057:   {400, "invalid_grant", 50057, "The user account is disabled."},
	50076:   {400, "interaction_required", 50076, "Due to a configuration change made by your administrator, or because you moved to a new location, you must use multi-factor authentication to access '00000003-0000-0000-c000-000000000000'."},
	50079:   {400, "interaction_required", 50079, "Due to a configuration change made by your administrator, or because you moved to a new location, you must enroll in multi-factor authentication to access '00000003-0000-0000-c000-000000000000'."},
	50105:   {400, "invalid_grant", 50105, "Your administrator has configured the application to block users unless they are specifically granted access to the application."},
	50126:   {400, "invalid_grant", 50126, "Error validating credentials due to invalid username or password."},
	50158:   {400, "interaction_required", 50158, "External security challenge was not satisfied."},
	50173:   {400, "invalid_grant", 50173, "The provided grant has expired due to it being revoked, a fresh auth token is needed."},
	53000:   {400, "interaction_required", 53000, "Device is not in required device state: compliant. Conditional Access policy requires a compliant device, and the device is not compliant."},
	53001:   {400, "interaction_required", 53001, "Device is not in required device state: domain_joined."},
	53003:   {400, "access_denied", 53003, "Access has been blocked by Conditional Access policies. The access policy does not allow token issuance."},
	530036:  {400, "invalid_grant", 530036, "The session is no longer valid: its authentication flow is blocked by Conditional Access policies."},
	65001:   {400, "invalid_grant", 65001, "The user or administrator has not consented to use the application. Send an interactive authorization request for this user and resource."},
	65004:   {400, "access_denied", 65004, "User declined to consent to access the app."},
	70043:   {400, "invalid_grant", 70043, "The refresh token has expired or is invalid due to sign-in frequency checks by Conditional Access."},
	700016:  {400, "unauthorized_client", 700016, "Application was not found in the directory."},
	700024:  {401, "invalid_client", 700024, "Client assertion is not within its valid time range."},
	700027:  {401, "invalid_client", 700027, "The certificate with identifier used to sign the client assertion is not registered on application."},
	700082:  {400, "invalid_grant", 700082, "The refresh token has expired due to inactivity."},
	7000215: {401, "invalid_client", 7000215, "Invalid client secret provided."},
	7000218: {401, "invalid_client", 7000218, "The request body must contain the following parameter: 'client_assertion' or 'client_secret'."},
	90094:   {400, "access_denied", 90094, "Admin consent is required for the permissions requested by this application."},
	90099:   {400, "invalid_grant", 90099, "The application has not been authorized in the tenant. Applications must be authorized to access the customer tenant before partner delegated administrators can use them."},
}

func refusal(number int) *oauthError {
	if e, known := refusals[number]; known {
		return &e
	}
	return aad("access_denied", number, "The sign-in was refused.")
}

// device is a sign-in by device code that is under way.
type device struct {
	client, name string
	userCode     string
	deviceCode   string
	request      scopeRequest
	expires      time.Time
	polled       time.Time
	oid          string // who approved it
	declined     bool
	done         bool
}

// polls faster than this are asked to slow down.
const pollFloor = 500 * time.Millisecond

// codeAlphabet leaves out what is easily mistaken.
const codeAlphabet = "BCDEFGHJKLMNPQRSTUVWXYZ23456789"

func (i *issuer) deviceCode(host string, r *http.Request) (any, *oauthError) {
	form, ferr := formOf(r)
	if ferr != nil {
		return nil, ferr
	}
	client := form.Get("client_id")
	name, ferr := i.client(client)
	if ferr != nil {
		return nil, ferr
	}
	q, ferr := parseScopes(form.Get("scope"))
	if ferr != nil {
		return nil, ferr
	}
	life := i.s.opts.CodeLife
	if life <= 0 {
		life = 15 * time.Minute
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.sweep()
	d := &device{
		client: client, name: name, request: q, deviceCode: strings.ReplaceAll(newGUID()+newGUID(), "-", ""),
		userCode: drawCode(), expires: time.Now().Add(life),
	}
	if i.s.opts.Approve == "auto" {
		d.oid = i.s.t.signedIn
	}
	i.devices[d.deviceCode], i.byCode[d.userCode] = d, d
	at := host + "/devicelogin"
	return map[string]any{
		"user_code": d.userCode, "device_code": d.deviceCode, "verification_uri": at,
		"expires_in": int(life / time.Second), "interval": 5,
		"message": "To sign in, use a web browser to open the page " + at + " and enter the code " + d.userCode + " to authenticate.",
	}, nil
}

// sweep forgets codes that ended an hour ago.
func (i *issuer) sweep() {
	for k, d := range i.devices {
		if time.Since(d.expires) > time.Hour {
			delete(i.devices, k)
			delete(i.byCode, d.userCode)
		}
	}
}

func drawCode() string {
	b := make([]byte, 9)
	for i := range b {
		n, err := rand.Int(rand.Reader, big.NewInt(int64(len(codeAlphabet))))
		if err != nil {
			panic(fmt.Sprintf("simulator: no randomness: %v", err)) // crypto/rand does not fail
		}
		b[i] = codeAlphabet[n.Int64()]
	}
	return string(b)
}

// token is the token endpoint.
func (i *issuer) token(host string, r *http.Request) (any, *oauthError) {
	form, ferr := formOf(r)
	if ferr != nil {
		return nil, ferr
	}
	if id, secret, has := r.BasicAuth(); has {
		form.Set("client_id", id)
		form.Set("client_secret", secret)
	}
	if _, ferr := i.client(form.Get("client_id")); ferr != nil {
		return nil, ferr
	}
	switch form.Get("grant_type") {
	case "device_code", "urn:ietf:params:oauth:grant-type:device_code":
		return i.byDeviceCode(host, form)
	case "refresh_token":
		return i.byRefresh(host, form)
	case "authorization_code":
		return i.byAuthCode(host, form)
	case "client_credentials":
		return i.byCredentials(host, form)
	}
	return nil, aad("unsupported_grant_type", 70003, "The app requested an unsupported grant type '"+form.Get("grant_type")+"'.")
}

func (i *issuer) byDeviceCode(host string, form url.Values) (any, *oauthError) {
	code := form.Get("device_code")
	if code == "" {
		code = form.Get("code") // as older clients send it
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	d := i.devices[code]
	now := time.Now()
	switch {
	case d == nil || !strings.EqualFold(d.client, form.Get("client_id")):
		return nil, aad("bad_verification_code", 70018, "Invalid verification code. User might have typed in wrong user code for device code flow.")
	case d.done:
		return nil, aad("invalid_grant", 70000, "The device code was used already.")
	case d.declined:
		return nil, aad("authorization_declined", 70017, "The user declined the authorization request.")
	case !now.Before(d.expires):
		return nil, aad("expired_token", 70020, "The provided value for the input parameter 'device_code' is not valid. This device code has expired.")
	case d.oid == "":
		fast := now.Sub(d.polled) < pollFloor
		d.polled = now
		if fast {
			return nil, aad("slow_down", 70016, "OAuth 2.0 device flow error. Polling too often. Continue polling more slowly.")
		}
		return nil, aad("authorization_pending", 70016, "OAuth 2.0 device flow error. Authorization is pending. Continue polling.")
	}
	if err := i.mayConnect(d.oid); err != nil {
		d.done = true
		return nil, err
	}
	d.done = true
	return i.grant(host, d.client, d.oid, d.request, i.consent(d.client, d.oid, d.request))
}

func (i *issuer) byRefresh(host string, form url.Values) (any, *oauthError) {
	q, ferr := parseScopes(form.Get("scope"))
	if ferr != nil {
		return nil, ferr
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	old := i.refresh[form.Get("refresh_token")]
	if old == nil || !strings.EqualFold(old.client, form.Get("client_id")) {
		return nil, aad("invalid_grant", 9002313, "Invalid request. Request is malformed or invalid.")
	}
	if err := i.mayConnect(old.oid); err != nil {
		return nil, err
	}
	have := i.consented[strings.ToLower(old.client)+" "+old.oid]
	for _, sc := range q.graph {
		if !slices.Contains(have, sc) {
			name := form.Get("client_id")
			return nil, aad("invalid_grant", 65001, "The user or administrator has not consented to use the application with ID '"+name+"'. Send an interactive authorization request for this user and resource.")
		}
	}
	// The token is rotated; the old one keeps working for a while, as Entra ID
	// lets it, so that a lost answer does not end the session.
	q.offline, q.openid = true, true
	return i.grant(host, old.client, old.oid, q, slices.Clone(have))
}

// authCode is an authorization code that waits to be redeemed.
type authCode struct {
	client, redirect, challenge, oid string
	request                          scopeRequest
	expires                          time.Time
}

// authorize is the page that a browser is sent to: it approves at once and
// sends the browser back, or asks on a page first.
func (i *issuer) authorize(w http.ResponseWriter, r *http.Request) {
	s := i.s
	q := r.URL.Query()
	if r.Method == http.MethodPost {
		_ = r.ParseForm()
		q = r.Form
	}
	client, redirect, state := q.Get("client_id"), q.Get("redirect_uri"), q.Get("state")
	name, ferr := i.client(client)
	if ferr == nil && !i.redirectAllowed(client, redirect) {
		ferr = refusal(50011)
	}
	if ferr != nil {
		s.oauthFail(w, r, ferr) // never sent to an address that is not known
		return
	}
	back := func(v url.Values) {
		if state != "" {
			v.Set("state", state)
		}
		sep := "?"
		if strings.Contains(redirect, "?") {
			sep = "&"
		}
		http.Redirect(w, r, redirect+sep+v.Encode(), http.StatusFound)
	}
	refuse := func(e *oauthError) {
		back(url.Values{"error": {e.code}, "error_description": {fmt.Sprintf("AADSTS%d: %s", e.aadsts, e.text)}})
	}
	scopes, ferr := parseScopes(q.Get("scope"))
	if ferr != nil {
		refuse(ferr)
		return
	}
	if q.Get("response_type") != "code" || q.Get("code_challenge_method") == "plain" {
		refuse(aad("unsupported_response_type", 700054, "Only response_type 'code' with PKCE by S256 is enabled for the application."))
		return
	}
	oid := s.t.signedIn
	if s.opts.Approve == "page" {
		switch {
		case r.Method != http.MethodPost:
			i.askConsent(w, r, name, client, scopes)
			return
		case q.Get("action") != "approve":
			refuse(refusal(65004))
			return
		}
		if account := q.Get("account"); account != "" {
			s.t.mu.RLock()
			rec := s.t.users.find(account)
			s.t.mu.RUnlock()
			if rec == nil {
				refuse(refusal(50034))
				return
			}
			oid = rec.id
		}
	}
	if e := i.mayConnect(oid); e != nil {
		refuse(e)
		return
	}
	code := "0.sim." + strings.ReplaceAll(newGUID()+newGUID(), "-", "")
	i.mu.Lock()
	i.codes[code] = &authCode{
		client: client, redirect: redirect, challenge: q.Get("code_challenge"), oid: oid, request: scopes,
		expires: time.Now().Add(10 * time.Minute),
	}
	i.mu.Unlock()
	back(url.Values{"code": {code}, "session_state": {newGUID()}})
}

// redirectAllowed takes loopback addresses, as public clients use them, and
// what the application registered.
func (i *issuer) redirectAllowed(client, redirect string) bool {
	u, err := url.Parse(redirect)
	if err != nil || redirect == "" {
		return false
	}
	if host := u.Hostname(); u.Scheme == "http" && (host == "localhost" || host == "127.0.0.1") {
		return true
	}
	i.s.t.mu.RLock()
	defer i.s.t.mu.RUnlock()
	app := i.s.t.appByClient(client)
	return app != nil && (strings.Contains(app.raw("publicClient"), quote(redirect)) || strings.Contains(app.raw("web"), quote(redirect)))
}

func (i *issuer) byAuthCode(host string, form url.Values) (any, *oauthError) {
	i.mu.Lock()
	defer i.mu.Unlock()
	c := i.codes[form.Get("code")]
	delete(i.codes, form.Get("code")) // good for one try
	if c == nil || !time.Now().Before(c.expires) || !strings.EqualFold(c.client, form.Get("client_id")) ||
		c.redirect != form.Get("redirect_uri") {
		return nil, aad("invalid_grant", 70008, "The provided authorization code or refresh token has expired due to inactivity. Send a new interactive authorization request for this user and resource.")
	}
	if c.challenge != "" {
		sum := sha256.Sum256([]byte(form.Get("code_verifier")))
		if b64(sum[:]) != c.challenge {
			return nil, aad("invalid_grant", 501481, "The Code_Verifier does not match the code_challenge supplied in the authorization request.")
		}
	}
	if err := i.mayConnect(c.oid); err != nil {
		return nil, err
	}
	return i.grant(host, c.client, c.oid, c.request, i.consent(c.client, c.oid, c.request))
}
