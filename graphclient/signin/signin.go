// Package signin signs in to Entra ID with MSAL: by device code, and silently
// from what was saved. It implements consent.SignIn, and gives graphclient its
// access tokens.
//
// MSAL is used directly because its device code result has the expiry and its
// cache can be kept sealed. Three things about it shape this package. It always
// asks for offline_access, so a refresh token always comes: without a Cache it
// stays in memory and goes with the program. It loses the authority's error
// while it polls, so msalClient (msalclient.go) keeps every answer of the token
// endpoint. And it compares granted with requested scopes by spelling, but Entra ID
// may answer with bare names, so msalClient spells them as they were asked for.
package signin

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"

	"github.com/hacsync/hacsync/graphclient/claims"
	"github.com/hacsync/hacsync/sync/clock"
	"github.com/hacsync/hacsync/sync/consent"
	"github.com/hacsync/hacsync/sync/problem"
)

// AnyOrganization is the tenant to sign in to if none is named: the home tenant of
// the account that signs in.
const AnyOrganization = "organizations"

// Options are what a Client is made of.
type Options struct {
	// Authority is such as https://login.microsoftonline.com.
	Authority string
	// Tenant is a tenant ID or a domain of it; empty is AnyOrganization. With a
	// tenant ID, an account of another tenant is refused.
	Tenant string
	// ClientID is the application; empty is consent.GraphCommandLineTools.
	ClientID string
	// Graph is the resource, such as https://graph.microsoft.com.
	Graph string
	HTTP  *http.Client
	// Cache keeps the sign-in; nil keeps it in memory until the program ends.
	// Two processes may store at once: the Cache has to refuse the later one if
	// what it replaces has changed, or live with one of the two.
	Cache consent.Cache
	// Account is the UPN to prefer if the cache holds several.
	Account string
	// Settle is how long a certificate that Entra ID does not know yet, or an
	// application that it does not find, is tried again: both are seen some time
	// after they are made. Only an Application waits for it. 0 asks once.
	Settle time.Duration
	Clock  clock.Clock  // nil: the machine's
	Log    *slog.Logger // nil: nothing is logged
}

// desk is where sign-ins of one application at one tenant are handed in.
type desk struct {
	o    Options
	http *msalClient
	at   string // the authority's address with the tenant
}

// newDesk checks the options and fills in what they leave out.
func newDesk(o Options) (desk, error) {
	if o.Tenant == "" {
		o.Tenant = AnyOrganization
	}
	if o.ClientID == "" {
		o.ClientID = consent.GraphCommandLineTools
	}
	if o.Clock == nil {
		o.Clock = clock.Real()
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.HTTP == nil {
		return desk{}, errors.New("signin needs an HTTP client")
	}
	u, err := url.Parse(o.Authority)
	if err != nil || u.Scheme != "https" || u.Host == "" {
		return desk{}, fmt.Errorf("authority must be https://host, it is %q", o.Authority)
	}
	o.Graph = strings.TrimRight(o.Graph, "/")
	return desk{
		o: o, http: newMSALClient(o.HTTP, u.Host, o.Clock, o.Log), at: "https://" + u.Host + "/" + url.PathEscape(o.Tenant),
	}, nil
}

// capabilities announce to Entra ID that claims challenges are understood here. Graph
// then asks for more claims if a policy needs them, instead of refusing, and ends
// tokens at once when a session is revoked.
func capabilities() []string { return []string{"cp1"} }

// Client signs in to one tenant with one application. It is safe for
// concurrent use.
type Client struct {
	desk
	vault  *vault
	msal   public.Client
	demand demand

	began, made time.Time // when New was called, by the clock and by the machine

	mu     sync.Mutex // held while a token is obtained: one request at a time
	tokens map[string]held
}

// held is an access token in memory.
type held struct {
	token   string
	account consent.Account
	until   time.Time // of the machine, as MSAL counts
	// answered is the claims challenge that it was obtained with.
	answered string
}

var _ consent.SignIn = (*Client)(nil)

// early is how long before its end a token is no longer used.
const early = 5 * time.Minute

// New makes a Client. It sends nothing yet.
func New(o Options) (*Client, error) {
	d, err := newDesk(o)
	if err != nil {
		return nil, err
	}
	c := &Client{desk: d, vault: &vault{cache: o.Cache}, tokens: map[string]held{}, began: d.o.Clock.Now(), made: time.Now()}
	// Instance discovery would ask a Microsoft host whether the authority is one
	// of Microsoft's. The caller has chosen the authority.
	c.msal, err = public.New(d.o.ClientID,
		public.WithAuthority(d.at),
		public.WithHTTPClient(c.http),
		public.WithInstanceDiscovery(false),
		public.WithClientCapabilities(capabilities()),
		public.WithCache(c.vault))
	if err != nil {
		return nil, fmt.Errorf("sign-in: %w", err)
	}
	return c, nil
}

// DeviceCode asks for a code; see consent.SignIn. The scopes are bare names.
func (c *Client) DeviceCode(ctx context.Context, scopes []string) (consent.Code, func(context.Context) (consent.Account, error), error) {
	asking := &watch{asked: c.full(scopes)}
	challenge := c.demand.now()
	var options []public.AcquireByDeviceCodeOption
	if challenge != "" {
		options = append(options, public.WithClaims(challenge))
	}
	dc, err := c.msal.AcquireTokenByDeviceCode(watching(ctx, asking), asking.asked, options...)
	if err != nil {
		return consent.Code{}, nil, c.failed(ctx, err, asking)
	}
	// Entra ID and MSAL count the machine's seconds; people read the clock's.
	life := time.Duration(float64(time.Until(dc.Result.ExpiresOn)) * c.pace())
	code := consent.Code{
		UserCode: dc.Result.UserCode,
		URL:      dc.Result.VerificationURL,
		Message:  dc.Result.Message,
		Expires:  c.o.Clock.Now().Add(life.Round(time.Second)),
	}
	wait := func(ctx context.Context) (consent.Account, error) {
		w := &watch{asked: asking.asked, polling: true, signing: true}
		res, err := dc.AuthenticationResult(watching(ctx, w))
		if err != nil {
			return consent.Account{}, c.failed(ctx, err, w)
		}
		return c.signedIn(res, scopes, w, challenge)
	}
	return code, wait, nil
}

// signedIn accepts the account that has just signed in. The claims challenge that the
// sign-in carried is met.
func (c *Client) signedIn(res public.AuthResult, scopes []string, w *watch, challenge string) (consent.Account, error) {
	a, err := c.accept(res, scopes, w)
	if err == nil || problem.Has(err, problem.SignInNotKept) {
		c.demand.met(challenge)
	}
	return a, err
}

// pace is how fast the clock has run since New, 1 for the machine's own.
func (c *Client) pace() float64 {
	mine, machine := c.o.Clock.Now().Sub(c.began), time.Since(c.made)
	if c.o.Clock == clock.Real() || mine <= 0 || machine <= 0 {
		return 1
	}
	return float64(mine) / float64(machine)
}

// Silent obtains a token from what is saved; see consent.SignIn.
func (c *Client) Silent(ctx context.Context, scopes []string) (consent.Account, error) {
	h, err := c.obtain(ctx, scopes, "", false)
	return h.account, err
}

// Token is an access token with at least the scopes, from memory while it is
// fresh, else as Silent obtains it. A token that was obtained for other scopes
// is not used, even if it has more: a dry run reads with a token for reading.
func (c *Client) Token(ctx context.Context, scopes ...string) (string, error) {
	h, err := c.obtain(ctx, scopes, "", false)
	return h.token, err
}

// Renew replaces a token that was refused before its end. claims is the decoded
// challenge of the refusal, empty without one.
func (c *Client) Renew(ctx context.Context, claims string, scopes ...string) (string, error) {
	h, err := c.obtain(ctx, scopes, claims, true)
	return h.token, err
}

// Skew is how far this machine's clock is ahead of the authority's, by its
// latest answer; 0 before any, and on a clock that is not the machine's.
func (c *Client) Skew() time.Duration { return c.http.skew() }

// SaveTo stores the sign-in in cache, and every later change of it too. It
// keeps a sign-in that was held in memory, once the user has agreed.
func (c *Client) SaveTo(ctx context.Context, cache consent.Cache) error {
	if err := c.vault.moveTo(ctx, cache); err != nil {
		return problem.Wrap(err, problem.SignInNotKept, problem.Args{"why": err.Error()})
	}
	return nil
}

func (c *Client) obtain(ctx context.Context, scopes []string, challenge string, renew bool) (held, error) {
	key := strings.Join(slices.Sorted(slices.Values(scopes)), " ")
	c.mu.Lock()
	defer c.mu.Unlock()
	challenge = claims.Request(challenge)
	h, ok := c.tokens[key]
	if ok && !renew && time.Now().Add(early).Before(h.until) {
		return h, nil
	}
	if renew && challenge != "" && h.answered == challenge {
		// A token that was obtained for this very challenge was refused with it
		// once more: refreshing does not answer it.
		c.demand.remember(challenge)
		delete(c.tokens, key)
		return held{}, signInAgain(scopes)
	}
	account, err := c.saved(ctx)
	if err != nil {
		return held{}, err
	}
	if account.IsZero() {
		return held{}, signInAgain(scopes)
	}
	if h, err = c.silently(ctx, account, scopes, challenge, renew); err != nil {
		return held{}, err
	}
	c.tokens[key] = h
	return h, nil
}

// silently asks MSAL for a token. renew makes it go to the authority whatever
// its cache holds; MSAL knows no other way to say that than a claim.
func (c *Client) silently(ctx context.Context, account public.Account, scopes []string, challenge string, renew bool) (held, error) {
	w := &watch{asked: c.full(scopes)}
	options := []public.AcquireSilentOption{public.WithSilentAccount(account)}
	if t := homeTenant(account); t != "" && c.o.Tenant == AnyOrganization {
		options = append(options, public.WithTenantID(t))
	}
	if renew {
		claim := challenge
		if claim == "" {
			claim = "{}"
		}
		options = append(options, public.WithClaims(claim))
	}
	res, err := c.msal.AcquireTokenSilent(watching(ctx, w), w.asked, options...)
	if err != nil {
		if !w.answered() && !w.troubled() && ctx.Err() == nil && !errors.Is(err, errVault) {
			c.demand.remember(challenge)
			return held{}, signInAgain(scopes) // nothing to refresh with
		}
		return held{}, c.notRefreshed(c.failed(ctx, err, w), w.last, scopes, challenge)
	}
	a, err := c.accept(res, scopes, w)
	if err != nil {
		return held{}, err
	}
	return held{token: res.AccessToken, account: a, until: res.ExpiresOn, answered: challenge}, nil
}

// notRefreshed remembers the challenge that a refresh did not answer, and asks for a
// new sign-in if the refusal has no words of its own.
func (c *Client) notRefreshed(err error, last *refusal, scopes []string, challenge string) error {
	p := problem.Of(err)
	if p == nil || last == nil || p.Class() != problem.Mend {
		return err
	}
	c.demand.remember(last.Claims, challenge)
	switch last.Error {
	case "interaction_required", "login_required", "consent_required", "invalid_grant":
		if p.Code == problem.SignInOther || p.Code == problem.SignInRefused {
			again := problem.Wrap(p, problem.SignInAgain, problem.Args{"permissions": strings.Join(scopes, ", ")})
			return again.WithUpstream(*p.Upstream)
		}
	}
	return err
}

// accept checks who signed in, and remembers the token of a fresh sign-in.
func (c *Client) accept(res public.AuthResult, scopes []string, w *watch) (consent.Account, error) {
	a, who := c.account(res)
	args := problem.Args{"upn": a.UPN, "tenant": a.Tenant, "expected": c.o.Tenant}
	switch {
	case who.IsPersonal():
		return a, problem.New(problem.PersonalAccount, args)
	case isTenantID(c.o.Tenant) && a.Tenant != "" && !strings.EqualFold(a.Tenant, c.o.Tenant):
		return a, problem.New(problem.OtherTenant, args)
	case who.IsGuest():
		return a, problem.New(problem.GuestSignedIn, args)
	}
	var short []string
	for _, s := range scopes {
		if !claims.Covers(a.Scopes, s) {
			short = append(short, s)
		}
	}
	if len(short) > 0 {
		return a, problem.New(problem.ScopesShort, problem.Args{"permissions": strings.Join(short, ", ")})
	}
	if w.signing {
		c.mu.Lock()
		clear(c.tokens) // another person may have signed in
		c.tokens[strings.Join(slices.Sorted(slices.Values(scopes)), " ")] = held{token: res.AccessToken, account: a, until: res.ExpiresOn}
		c.mu.Unlock()
	}
	if err := c.vault.failure(); err != nil {
		return a, problem.Wrap(err, problem.SignInNotKept, problem.Args{"why": err.Error()})
	}
	return a, nil
}

// account is who signed in, by the access token, else the id token.
func (c *Client) account(res public.AuthResult) (consent.Account, claims.Claims) {
	who, _ := claims.Read(res.AccessToken)
	id, _ := claims.Read(res.IDToken.RawToken)
	pick := func(all ...string) string {
		for _, s := range all {
			if s != "" {
				return s
			}
		}
		return ""
	}
	if who.Guest == nil {
		who.Guest = id.Guest
	}
	who.IDP = pick(who.IDP, id.IDP)
	who.Tenant = strings.ToLower(pick(who.Tenant, id.Tenant, res.IDToken.TenantID, homeTenant(res.Account)))
	who.Object = strings.ToLower(pick(who.Object, id.Object, res.IDToken.Oid, res.Account.LocalAccountID))
	a := consent.Account{
		Tenant: who.Tenant,
		ID:     who.Person(),
		UPN:    pick(who.Username(), id.Username(), res.IDToken.PreferredUsername, res.Account.PreferredUsername),
		Name:   pick(who.Name, id.Name, res.IDToken.Name),
		Client: pick(who.Client, c.o.ClientID),
		App:    who.App,
		Scopes: who.Permissions(),
		Roles:  who.Roles,
	}
	if len(a.Scopes) == 0 { // a token that cannot be read: what the authority said of it
		for _, s := range res.GrantedScopes {
			a.Scopes = append(a.Scopes, strings.TrimPrefix(s, c.o.Graph+"/"))
		}
	}
	return a, who
}

// saved is the account that the cache holds: the preferred one, else the only
// or first one. Zero if there is none.
func (c *Client) saved(ctx context.Context) (public.Account, error) {
	all, err := c.msal.Accounts(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return public.Account{}, context.Cause(ctx)
		}
		if p := problem.Of(err); p != nil {
			return public.Account{}, p // such as: sealed with another key
		}
		return public.Account{}, problem.Wrap(err, problem.SavedDataUnreadable, problem.Args{"why": err.Error()})
	}
	var first public.Account
	for _, a := range all {
		if isTenantID(c.o.Tenant) && !strings.EqualFold(homeTenant(a), c.o.Tenant) {
			continue
		}
		if c.o.Account != "" && strings.EqualFold(a.PreferredUsername, c.o.Account) {
			return a, nil
		}
		if first.IsZero() {
			first = a
		}
	}
	return first, nil
}

// full spells scopes as the authority wants them: with the resource.
func (c *Client) full(scopes []string) []string {
	out := make([]string, len(scopes))
	for i, s := range scopes {
		out[i] = c.o.Graph + "/" + s
	}
	return out
}

// homeTenant is the tenant part of an account's home ID, uid.utid.
func homeTenant(a public.Account) string {
	_, t, _ := strings.Cut(a.HomeAccountID, ".")
	return t
}

// isTenantID distinguishes a tenant's GUID from a domain or organizations.
func isTenantID(t string) bool {
	return len(t) == 36 && strings.Count(t, "-") == 4 && !strings.Contains(t, ".")
}

func signInAgain(scopes []string) *problem.Problem {
	return problem.New(problem.SignInAgain, problem.Args{"permissions": strings.Join(scopes, ", ")})
}
