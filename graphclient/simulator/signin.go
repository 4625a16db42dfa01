package simulator

import (
	"crypto/rand"
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
	50011:   {status: 400, code: "invalid_request", aadsts: 50011, text: "The redirect URI specified in the request does not match the redirect URIs configured for the application."},
	50020:   {status: 400, code: "invalid_grant", aadsts: 50020, text: "User account from identity provider does not exist in tenant and cannot access the application in that tenant."},
	50034:   {status: 400, code: "invalid_grant", aadsts: 50034, text: "The user account does not exist in the directory. To sign into this application, the account must be added to the directory."},
	50057:   {status: 400, code: "invalid_grant", aadsts: 50057, text: "The user account is disabled."},
	50076:   {status: 400, code: "interaction_required", aadsts: 50076, text: "Due to a configuration change made by your administrator, or because you moved to a new location, you must use multi-factor authentication to access '00000003-0000-0000-c000-000000000000'."},
	50079:   {status: 400, code: "interaction_required", aadsts: 50079, text: "Due to a configuration change made by your administrator, or because you moved to a new location, you must enroll in multi-factor authentication to access '00000003-0000-0000-c000-000000000000'."},
	50105:   {status: 400, code: "invalid_grant", aadsts: 50105, text: "Your administrator has configured the application to block users unless they are specifically granted access to the application."},
	50126:   {status: 400, code: "invalid_grant", aadsts: 50126, text: "Error validating credentials due to invalid username or password."},
	50158:   {status: 400, code: "interaction_required", aadsts: 50158, text: "External security challenge was not satisfied."},
	50173:   {status: 400, code: "invalid_grant", aadsts: 50173, text: "The provided grant has expired due to it being revoked, a fresh auth token is needed."},
	53000:   {status: 400, code: "interaction_required", aadsts: 53000, text: "Device is not in required device state: compliant. Conditional Access policy requires a compliant device, and the device is not compliant."},
	53001:   {status: 400, code: "interaction_required", aadsts: 53001, text: "Device is not in required device state: domain_joined."},
	53003:   {status: 400, code: "access_denied", aadsts: 53003, text: "Access has been blocked by Conditional Access policies. The access policy does not allow token issuance."},
	530036:  {status: 400, code: "invalid_grant", aadsts: 530036, text: "The session is no longer valid: its authentication flow is blocked by Conditional Access policies."},
	65001:   {status: 400, code: "invalid_grant", aadsts: 65001, text: "The user or administrator has not consented to use the application. Send an interactive authorization request for this user and resource."},
	65004:   {status: 400, code: "access_denied", aadsts: 65004, text: "User declined to consent to access the app."},
	70043:   {status: 400, code: "invalid_grant", aadsts: 70043, text: "The refresh token has expired or is invalid due to sign-in frequency checks by Conditional Access."},
	700016:  {status: 400, code: "unauthorized_client", aadsts: 700016, text: "Application was not found in the directory."},
	700024:  {status: 401, code: "invalid_client", aadsts: 700024, text: "Client assertion is not within its valid time range."},
	700027:  {status: 401, code: "invalid_client", aadsts: 700027, text: "The certificate with identifier used to sign the client assertion is not registered on application. [Reason - The key was not found.]"},
	700082:  {status: 400, code: "invalid_grant", aadsts: 700082, text: "The refresh token has expired due to inactivity."},
	7000215: {status: 401, code: "invalid_client", aadsts: 7000215, text: "Invalid client secret provided."},
	7000218: {status: 401, code: "invalid_client", aadsts: 7000218, text: "The request body must contain the following parameter: 'client_assertion' or 'client_secret'."},
	50053:   {status: 400, code: "invalid_grant", aadsts: 50053, text: "The account is locked, you've tried to sign in too many times with an incorrect user ID or password."},
	90002:   {status: 400, code: "invalid_request", aadsts: 90002, text: "Tenant not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud."},
	90072:   {status: 400, code: "invalid_grant", aadsts: 90072, text: "User account from identity provider does not exist in tenant and cannot access the application in that tenant. The account needs to be added as an external user in the tenant first."},
	90038:   {status: 400, code: "invalid_request", aadsts: 90038, text: "The specified tenant belongs to the National Cloud. Current cloud instance does not federate with it."},
	900439:  {status: 400, code: "invalid_request", aadsts: 900439, text: "USGClientNotSupportedOnPublicEndpoint."},
	500021:  {status: 400, code: "access_denied", aadsts: 500021, text: "Access to the tenant is denied."},
	1000502: {status: 400, code: "invalid_client", aadsts: 1000502, text: "The provided certificate is not within its specified validity window."},
	7000112: {status: 400, code: "unauthorized_client", aadsts: 7000112, text: "Application is disabled."},
	90094:   {status: 400, code: "access_denied", aadsts: 90094, text: "Admin consent is required for the permissions requested by this application."},
	90099:   {status: 400, code: "invalid_grant", aadsts: 90099, text: "The application has not been authorized in the tenant. Applications must be authorized to access the customer tenant before partner delegated administrators can use them."},
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
	refuse       int    // AADSTS number that it ends with, 0 for none
	claims       string // that were asked for with it
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
		userCode: drawCode(), expires: time.Now().Add(life), claims: form.Get("claims"),
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
	d.done = true
	if i.publicFlowOff(d.client) {
		return nil, refusal(7000218)
	}
	if d.refuse != 0 {
		return nil, refusal(d.refuse)
	}
	if err := i.mayConnect(d.oid); err != nil {
		return nil, err
	}
	if err := i.adminConsent(d.client, d.oid, d.request); err != nil {
		return nil, err
	}
	scopes := i.consent(d.client, d.oid, d.request)
	return i.grant(host, i.session(d.client, d.oid, scopes, d.claims, form.Get("claims")), d.request)
}

// publicFlowOff reports whether an application of the tenant's own says that it
// is no public client: [Allow public client flows] is No.
func (i *issuer) publicFlowOff(client string) bool {
	i.s.t.mu.RLock()
	defer i.s.t.mu.RUnlock()
	app := i.s.t.appByClient(client)
	return app != nil && app.raw("isFallbackPublicClient") == "false"
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
	if err := i.unmet(old); err != nil {
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
	next := i.session(old.client, old.oid, slices.Clone(have), form.Get("claims"))
	next.met = old.met
	return i.grant(host, next, q)
}

// redirectAllowed takes loopback addresses, as public clients use them, and
// what the application registered.
func (i *issuer) redirectAllowed(client, redirect string) bool {
	u, err := url.Parse(redirect)
	if err != nil || redirect == "" {
		return false
	}
	host := u.Hostname()
	if loopback := u.Scheme == "http" && (host == "localhost" || host == "127.0.0.1"); loopback && !i.publicFlowOff(client) {
		return true
	} else if loopback {
		redirect = "http://" + host // the port does not count
	}
	i.s.t.mu.RLock()
	defer i.s.t.mu.RUnlock()
	app := i.s.t.appByClient(client)
	return app != nil && (strings.Contains(app.raw("publicClient"), quote(redirect)) || strings.Contains(app.raw("web"), quote(redirect)))
}
