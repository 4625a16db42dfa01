package signin

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/confidential"

	"github.com/hacsync/hacsync/graphclient/certificate"
	"github.com/hacsync/hacsync/graphclient/claims"
	"github.com/hacsync/hacsync/sync/consent"
	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/problem"
)

// settlePause is waited between two tries while an application or its
// certificate is not known yet.
const settlePause = 5 * time.Second

// Application signs in as an application, with its certificate and without a
// person. Its tokens hold whatever app roles it was given, and stay in memory.
// It is safe for concurrent use.
type Application struct {
	desk
	pair *certificate.Pair

	mu      sync.Mutex // held while a token is obtained: one request at a time
	msal    confidential.Client
	held    held
	settled bool // it signed in once
}

// NewApplication makes an Application. Nothing is sent yet. Options.Cache and
// Options.Account do not count; Options.Tenant and Options.ClientID are needed.
func NewApplication(o Options, key *certificate.Pair) (*Application, error) {
	if o.Tenant == "" || o.Tenant == AnyOrganization || o.ClientID == "" {
		return nil, errors.New("an application signs in to one tenant, by its ID")
	}
	if key == nil || key.Key == nil || key.Certificate == nil {
		return nil, errors.New("an application needs a certificate with its key")
	}
	d, err := newDesk(o)
	if err != nil {
		return nil, err
	}
	a := &Application{desk: d, pair: key}
	if a.msal, err = a.client(); err != nil {
		return nil, err
	}
	return a, nil
}

// client makes MSAL's client, which remembers nothing yet. It signs its
// assertion with PS256 and names the certificate by x5t#S256. It declares no
// capability: with cp1 a token would hold for a day, and an app role given
// meanwhile would show in it tomorrow.
func (a *Application) client() (confidential.Client, error) {
	cred, err := confidential.NewCredFromCert([]*x509.Certificate{a.pair.Certificate}, a.pair.Key)
	if err != nil {
		return confidential.Client{}, fmt.Errorf("sign-in: %w", err)
	}
	c, err := confidential.New(a.desk.at, a.o.ClientID, cred,
		confidential.WithHTTPClient(a.http),
		confidential.WithInstanceDiscovery(false))
	if err != nil {
		return c, fmt.Errorf("sign-in: %w", err)
	}
	return c, nil
}

// Fresh is the same application with nothing remembered: its next token is one
// that Entra ID issued after this call. App roles given since the last token
// show in no other.
func (a *Application) Fresh() (*Application, error) { return NewApplication(a.o, a.pair) }

// Token is an access token, from memory while it is fresh. An application's
// token holds all that it was given; the scopes are not asked for.
func (a *Application) Token(ctx context.Context, _ ...string) (string, error) {
	h, err := a.obtain(ctx, "", false)
	return h.token, err
}

// Renew replaces a token that was refused before its end; see Client.Renew.
func (a *Application) Renew(ctx context.Context, claims string, _ ...string) (string, error) {
	h, err := a.obtain(ctx, claims, true)
	return h.token, err
}

// Silent signs in and says who that is: Scopes are the app roles of the token,
// Roles its directory roles, ID the object ID of the service principal. A
// permission of scopes that it was not given is a problem; without scopes
// nothing is looked for.
func (a *Application) Silent(ctx context.Context, scopes []string) (consent.Account, error) {
	h, err := a.obtain(ctx, "", false)
	if err != nil {
		return consent.Account{}, err
	}
	var short []string
	for _, s := range scopes {
		if !claims.Covers(h.account.Scopes, s) {
			short = append(short, s)
		}
	}
	if len(short) > 0 {
		return h.account, problem.New(problem.GrantMissing, problem.Args{"grant": strings.Join(short, ", ")})
	}
	return h.account, nil
}

// Skew is how far this machine's clock is ahead of the authority's; see
// Client.Skew.
func (a *Application) Skew() time.Duration { return a.http.skew() }

func (a *Application) obtain(ctx context.Context, challenge string, renew bool) (held, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !renew && a.held.token != "" && time.Now().Add(early).Before(a.held.until) {
		return a.held, nil
	}
	if err := a.inTime(); err != nil {
		return held{}, err
	}
	began, pause := a.o.Clock.Now(), settlePause
	for {
		h, err := a.ask(ctx, challenge, renew)
		if err == nil {
			a.held, a.settled = h, true
			return h, nil
		}
		waited := a.o.Clock.Now().Sub(began)
		if a.settled || waited >= a.o.Settle || !problem.Has(err, problem.ClientUnknown, problem.CertificateUnknown) {
			return held{}, err
		}
		a.o.Log.InfoContext(ctx, "application not known yet", "problem", err.Error(), "pause", pause)
		if err := a.o.Clock.Sleep(ctx, min(pause, a.o.Settle-waited)); err != nil {
			return held{}, context.Cause(ctx)
		}
		pause = min(2*pause, time.Minute)
	}
}

// inTime refuses a certificate outside its validity, because Entra ID's answer would
// hardly say why.
func (a *Application) inTime() error {
	now, c := a.o.Clock.Now(), a.pair.Certificate
	if !now.Before(c.NotBefore) && now.Before(c.NotAfter) {
		return nil
	}
	args := problem.Args{"client": a.o.ClientID, "ended": ""}
	if !now.Before(c.NotAfter) {
		args["ended"] = c.NotAfter.Format(time.DateOnly)
	}
	return problem.New(problem.CertificateExpired, args)
}

// ask has MSAL ask the authority, unless its memory serves.
func (a *Application) ask(ctx context.Context, challenge string, renew bool) (held, error) {
	w := &watch{asked: []string{a.o.Graph + "/.default"}}
	var options []confidential.AcquireByCredentialOption
	if renew { // MSAL asks in any case only for a claim
		if challenge == "" {
			challenge = "{}"
		}
		options = append(options, confidential.WithClaims(challenge))
	}
	res, err := a.msal.AcquireTokenByCredential(watching(ctx, w), w.asked, options...)
	if err != nil {
		return held{}, a.failed(ctx, err, w)
	}
	who, _ := claims.Read(res.AccessToken)
	return held{token: res.AccessToken, until: res.ExpiresOn, account: consent.Account{
		Tenant: strings.ToLower(who.Tenant),
		ID:     directory.ID(strings.ToLower(who.Object)),
		Name:   who.App,
		Client: a.o.ClientID,
		App:    who.App,
		Scopes: who.AppRoles,
		Roles:  who.Roles,
	}}, nil
}
