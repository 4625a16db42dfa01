package simulator

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Answer is a user's answer to a sign-in page. The zero value accepts, as the user who
// is signed in.
type Answer struct {
	// Account is who signs in, by UPN; empty for who is signed in. A guest of the
	// tenant signs in as one. An account of a domain that the tenant does not
	// have is one of another organisation, or a personal one (outlook.com and its
	// like): its token is of another tenant.
	Account string
	// Decline is the button [Cancel].
	Decline bool
	// Refuse is an AADSTS number that this sign-in is refused with, whatever the
	// tenant does with others; 0 for none.
	Refuse int
}

// Accounts that do not belong to any simulated tenant, for tests and the demo.
const (
	ForeignAccount  = "t.mori@elsewhere.example"
	PersonalAccount = "mori.t@outlook.com"
)

// personalTenant is the tenant of personal Microsoft accounts.
const personalTenant = "9188040d-6c67-4c5b-b112-36a304b66dad"

// visitor is an account of another tenant that signs in.
type visitor struct{ oid, tid, upn, name, idp string }

// who finds the account that an answer names.
func (i *issuer) who(account string) (oid string, fault *oauthError) {
	account = strings.TrimSpace(account)
	i.s.t.mu.RLock()
	r := i.s.t.users.find(account)
	signedIn := i.s.t.signedIn
	i.s.t.mu.RUnlock()
	switch {
	case account == "":
		return signedIn, nil
	case r != nil:
		return r.id, nil
	}
	v, ok := i.visitorOf(account)
	if !ok {
		return "", refusal(50034)
	}
	i.visitors.Store(v.oid, v)
	return v.oid, nil
}

// visitor is the account of another tenant that has signed in, nil if there is none
// with this ID.
func (i *issuer) visitor(oid string) *visitor {
	v, _ := i.visitors.Load(oid)
	who, _ := v.(*visitor)
	return who
}

// visitorOf makes an account of another tenant, always the same for one name.
func (i *issuer) visitorOf(account string) (*visitor, bool) {
	local, domain := splitUPN(strings.ToLower(account))
	i.s.t.mu.RLock()
	ours := i.s.t.domain(domain) != nil
	i.s.t.mu.RUnlock()
	if local == "" || domain == "" || ours {
		return nil, false
	}
	v := &visitor{oid: guid("visitor", account), tid: guid("tenant", domain), upn: account, name: local}
	if slices.Contains([]string{"outlook.com", "outlook.jp", "hotmail.com", "hotmail.co.jp", "live.com", "live.jp", "msn.com"}, domain) {
		v.tid, v.idp = personalTenant, "live.com"
	}
	return v, true
}

// authorization is a request to the sign-in page of a browser.
type authorization struct {
	client, name, redirect, state, challenge, claims string
	request                                          scopeRequest
}

// authorization checks a request. A fault with an authorization is returned with the
// browser; a fault without one is shown, because the browser is never sent to an
// unknown address.
func (i *issuer) authorization(q url.Values) (*authorization, *oauthError) {
	client := q.Get("client_id")
	name, fault := i.client(client)
	if fault == nil && !i.redirectAllowed(client, q.Get("redirect_uri")) {
		fault = refusal(50011)
	}
	if fault != nil {
		return nil, fault
	}
	a := &authorization{
		client: client, name: name, redirect: q.Get("redirect_uri"), state: q.Get("state"),
		challenge: q.Get("code_challenge"), claims: q.Get("claims"),
	}
	if a.request, fault = parseScopes(q.Get("scope")); fault != nil {
		return a, fault
	}
	if q.Get("response_type") != "code" || q.Get("code_challenge_method") == "plain" {
		return a, aad("unsupported_response_type", 700054, "Only response_type 'code' with PKCE by S256 is enabled for the application.")
	}
	return a, nil
}

// authorize is the page that a browser is sent to: it approves at once and
// sends the browser back, or asks on a page first.
func (i *issuer) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if r.Method == http.MethodPost {
		_ = r.ParseForm()
		q = r.Form
	}
	a, fault := i.authorization(q)
	switch {
	case a == nil:
		i.s.oauthFail(w, r, fault)
	case fault != nil:
		http.Redirect(w, r, i.refuse(a, fault), http.StatusFound)
	case i.s.opts.Approve != "page":
		http.Redirect(w, r, i.settlePage(a, Answer{}), http.StatusFound)
	case r.Method != http.MethodPost:
		i.askConsent(w, r, a.name, a.client, a.request)
	default:
		to := i.settlePage(a, Answer{
			Account: q.Get("account"), Decline: q.Get("action") != "approve", Refuse: refuseOf(q),
		})
		http.Redirect(w, r, to, http.StatusFound)
	}
}

// settlePage gives the address that the browser is sent back to.
func (i *issuer) settlePage(a *authorization, answer Answer) string {
	switch {
	case answer.Refuse != 0:
		return i.refuse(a, refusal(answer.Refuse))
	case answer.Decline:
		e := refusal(65004)
		e.suberror = "cancel"
		return i.refuse(a, e)
	}
	oid, fault := i.who(answer.Account)
	if fault == nil {
		fault = i.mayConnect(oid)
	}
	if fault == nil {
		fault = i.mayConsent(a.client, oid, a.request)
	}
	if fault != nil {
		return i.refuse(a, fault)
	}
	code := "0.sim." + strings.ReplaceAll(newGUID()+newGUID(), "-", "")
	i.mu.Lock()
	i.codes[code] = &authCode{authorization: *a, oid: oid, expires: time.Now().Add(10 * time.Minute)}
	i.mu.Unlock()
	return a.back(url.Values{"code": {code}, "session_state": {newGUID()}})
}

// refuse is the way back with an error, in the form that Entra ID gives it.
func (i *issuer) refuse(a *authorization, e *oauthError) string {
	v := url.Values{
		"error": {e.code}, "error_description": {i.s.describe(e, newGUID(), newGUID())}, "error_uri": {errorURI(e)},
	}
	if e.suberror != "" {
		v.Set("error_subcode", e.suberror)
	}
	return a.back(v)
}

func (a *authorization) back(v url.Values) string {
	if a.state != "" {
		v.Set("state", a.state)
	}
	sep := "?"
	if strings.Contains(a.redirect, "?") {
		sep = "&"
	}
	return a.redirect + sep + v.Encode()
}

// authCode is an authorization code that waits to be redeemed.
type authCode struct {
	authorization
	oid     string
	expires time.Time
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
	scopes := i.consent(c.client, c.oid, c.request)
	return i.grant(host, i.session(c.client, c.oid, scopes, c.claims, form.Get("claims")), c.request)
}

// AnswerPage plays a user with a browser: it answers the sign-in page at an address,
// and follows the redirect, which must lead to loopback. It works with any
// Options.Approve.
func (s *Server) AnswerPage(ctx context.Context, address string, answer Answer) error {
	u, err := url.Parse(address)
	if err != nil {
		return errors.New("the address of the sign-in page is none")
	}
	realm, rest, _ := strings.Cut(strings.Trim(u.Path, "/"), "/")
	if fault := s.knownTenant(realm); fault != nil || rest != "oauth2/v2.0/authorize" {
		return fmt.Errorf("%s is not a sign-in page of this tenant", u.Path)
	}
	a, fault := s.tokens.authorization(u.Query())
	if a == nil {
		return fault // shown on the page; the program gets no answer
	}
	if fault != nil {
		return follow(ctx, s.tokens.refuse(a, fault))
	}
	return follow(ctx, s.tokens.settlePage(a, answer))
}

// follow sends a browser to an address of loopback.
func follow(ctx context.Context, to string) error {
	u, err := url.Parse(to)
	if err != nil || u.Scheme != "http" || (u.Hostname() != "localhost" && u.Hostname() != "127.0.0.1") {
		return errors.New("the sign-in page leads away from this machine")
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, to, http.NoBody)
	if err != nil {
		return errors.New("the sign-in page leads nowhere")
	}
	res, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(r)
	if err != nil {
		var gone *url.Error
		if errors.As(err, &gone) {
			err = gone.Err // the address has the code
		}
		return fmt.Errorf("go back to the program: %w", err)
	}
	return res.Body.Close()
}

// AnswerCode plays a person who types a device code, by its user code.
func (s *Server) AnswerCode(userCode string, answer Answer) error {
	if answer.Decline {
		return s.Decline(userCode)
	}
	oid, fault := s.tokens.who(answer.Account)
	if fault != nil {
		return fault
	}
	return s.settle(userCode, func(d *device) { d.oid, d.refuse = oid, answer.Refuse })
}
