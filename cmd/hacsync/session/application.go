package session

import (
	"context"
	"crypto/x509"
	"fmt"
	"sync"
	"time"

	"github.com/hacsync/hacsync/graphclient/certificate"
	"github.com/hacsync/hacsync/graphclient/grants"
	"github.com/hacsync/hacsync/graphclient/signin"
	"github.com/hacsync/hacsync/sync/consent"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/secret"
)

// Which of the two acts for a connection: the values of --as.
const (
	AsApplication = "application"
	AsPerson      = "person"
)

// acts reports whether the dedicated application acts for a connection: once it is
// verified, or as --as requests.
func (e *Env) acts(c consent.Connection) (bool, error) {
	args := problem.Args{"connection": c.Name}
	switch {
	case e.As != "" && e.As != AsApplication && e.As != AsPerson:
		return false, problem.New(problem.UsageWrong, problem.Args{"command": "hacsync", "text": e.Words.Text("cmd.usage.choice", problem.Args{
			"flag": "as", "takes": AsApplication + ", " + AsPerson, "value": e.As,
		})})
	case e.As == AsPerson && c.Account == "":
		return false, problem.New(problem.NoPerson, args)
	case e.As == AsPerson:
		return false, nil
	case !c.Acts() && (e.As == AsApplication || c.Account == ""): // or no user ever signed in
		return false, problem.New(problem.NoApplication, args)
	}
	return c.Acts(), nil
}

// Key returns the key of the connection's application.
func (s *Session) Key(ctx context.Context) (*certificate.Pair, error) {
	return grants.LoadKey(ctx, s.Row(secret.Certificate))
}

// act makes the connection's application act in place of a user.
func (s *Session) act(ctx context.Context) error {
	app, err := s.acting(ctx)
	if err == nil {
		s.access.acting.Store(app)
	}
	return err
}

func (s *Session) acting(ctx context.Context) (*acting, error) {
	key, err := s.Key(ctx)
	if err != nil {
		return nil, err
	}
	with := func(key *certificate.Pair) (*signin.Application, error) {
		return s.access.asApplication(s.Connection().Application.ID, key)
	}
	in, err := with(key)
	if err != nil {
		return nil, err
	}
	return &acting{in: in, thumbprint: key.Thumbprint(), load: s.Key, with: with}, nil
}

// acting signs in as the application for as long as the program runs. Another
// process may have renewed the certificate meanwhile: if the present one is no
// longer accepted, the saved one is read again.
type acting struct {
	load func(context.Context) (*certificate.Pair, error)
	with func(*certificate.Pair) (*signin.Application, error)

	mu         sync.Mutex
	in         *signin.Application
	thumbprint string
}

// Token returns an access token of the application.
func (a *acting) Token(ctx context.Context, scopes ...string) (string, error) {
	return withSaved(ctx, a, func(in *signin.Application) (string, error) { return in.Token(ctx, scopes...) })
}

// Renew replaces a token that was refused.
func (a *acting) Renew(ctx context.Context, claims string, scopes ...string) (string, error) {
	return withSaved(ctx, a, func(in *signin.Application) (string, error) { return in.Renew(ctx, claims, scopes...) })
}

// Silent signs in and returns the application's account.
func (a *acting) Silent(ctx context.Context, scopes []string) (consent.Account, error) {
	return withSaved(ctx, a, func(in *signin.Application) (consent.Account, error) { return in.Silent(ctx, scopes) })
}

// withSaved tries with the present certificate, and once more with the saved one if
// that has changed.
func withSaved[T any](ctx context.Context, a *acting, try func(*signin.Application) (T, error)) (T, error) {
	a.mu.Lock()
	in, had := a.in, a.thumbprint
	a.mu.Unlock()
	got, err := try(in)
	if err == nil || a.load == nil || !problem.Has(err, problem.CertificateUnknown, problem.CertificateExpired) {
		return got, err
	}
	key, fault := a.load(ctx)
	if fault != nil || key.Thumbprint() == had {
		return got, err
	}
	next, fault := a.with(key)
	if fault != nil {
		return got, err
	}
	a.mu.Lock()
	a.in, a.thumbprint = next, key.Thumbprint()
	a.mu.Unlock()
	return try(next)
}

// asApplication signs in as an application, without saved tokens.
func (a *Access) asApplication(id string, key *certificate.Pair) (*signin.Application, error) {
	o := a.signInOptions()
	o.ClientID, o.Account = id, ""
	return signin.NewApplication(o, key)
}

// Choices are those about a dedicated application.
type Choices struct {
	Life              time.Duration
	Provider          string // appId of another organisation's application
	UserAdministrator bool
	Others            []*x509.Certificate
}

// Dedicated is the dedicated application of a session's connection: what is learned
// of it is saved with the connection, and once it is verified the session acts as
// it.
type Dedicated struct {
	*grants.Dedicated
	s *Session
}

// Dedicated returns the connection's dedicated application.
func (s *Session) Dedicated(choices Choices) *Dedicated {
	o := s.dedicatedOptions()
	o.Life, o.Provider, o.UserAdministrator, o.Others = choices.Life, choices.Provider, choices.UserAdministrator, choices.Others
	o.Save = s.learned
	return &Dedicated{grants.NewDedicated(o), s}
}

// Elsewhere returns the application for a script, which saves nothing here.
func (d *Dedicated) Elsewhere() *grants.Dedicated { return grants.NewDedicated(d.s.dedicatedOptions()) }

func (s *Session) dedicatedOptions() grants.DedicatedOptions {
	return grants.DedicatedOptions{
		Connection: s.Connection(), HTTP: s.access.http, Keys: s.Row(secret.Certificate),
		AsApplication: func(id string, key *certificate.Pair) (grants.Tokens, error) { return s.access.asApplication(id, key) },
		AsPerson:      tokensOf, Clock: s.access.clock, Log: s.env.Log,
	}
}

// learned saves what is known of the application with the connection. If the
// connection was not saved, it saves it without the sign-in of the user, who was
// not asked about that.
func (s *Session) learned(ctx context.Context, app consent.Application) error {
	c := s.Connection()
	err := s.Store.ChangeConnection(ctx, c.Name, func(stored *consent.Connection) error {
		switch {
		case stored.Tenant == "":
			*stored = c
			if !s.connected.saved.Load() {
				stored.Account, stored.Scopes = "", nil
			}
		case stored.Tenant != c.Tenant:
			return problem.New(problem.NameTaken, problem.Args{"connection": stored.Name, "tenant": stored.TenantName})
		}
		stored.Application = &app
		return nil
	})
	if err == nil {
		s.connected.change(func(c *consent.Connection) { c.Application = &app })
	}
	return err
}

// tokensOf returns the tokens of a sign-in.
func tokensOf(in consent.SignIn) (grants.Tokens, error) {
	if tokens, ok := in.(grants.Tokens); ok {
		return tokens, nil
	}
	return nil, problem.New(problem.Internal, problem.Args{"what": fmt.Sprintf("sign-in of %T", in)})
}

// Give does in place what the script does. The account that grants is never changed
// by a sync either.
func (d *Dedicated) Give(ctx context.Context, granting consent.SignIn, tell func(consent.Given)) error {
	if who, err := granting.Silent(ctx, d.Scopes()); err == nil {
		if err := d.s.SignedIn(ctx, who); err != nil {
			return err
		}
	}
	return d.Dedicated.Give(ctx, granting, tell)
}

// Verify signs in as the application; if it has all grants that are needed, it acts
// from now on.
func (d *Dedicated) Verify(ctx context.Context) ([]consent.Grant, error) {
	found, err := d.Dedicated.Verify(ctx)
	if err != nil {
		return found, err
	}
	return found, d.s.takeOver(ctx)
}

// Renew makes a new key and certificate, which the session uses from now on.
func (d *Dedicated) Renew(ctx context.Context) (consent.Application, error) {
	app, err := d.Dedicated.Renew(ctx)
	if err != nil {
		return app, err
	}
	return app, d.s.takeOver(ctx)
}

// Session returns the session that the application acts for, once it is verified.
func (d *Dedicated) Session(ctx context.Context) (*Session, error) {
	if !d.s.Connection().Acts() {
		return nil, problem.New(problem.NoApplication, problem.Args{"connection": d.s.Connection().Name})
	}
	if err := d.KnownTenant(ctx); err != nil {
		return nil, err
	}
	if err := d.s.takeOver(ctx); err != nil {
		return nil, err
	}
	d.s.connected.saved.Store(true)
	return d.s, nil
}

// takeOver lets the application act from now on, once it is verified.
func (s *Session) takeOver(ctx context.Context) error {
	if !s.Connection().Acts() || s.env.As == AsPerson {
		return nil
	}
	return s.act(ctx)
}

// KnownTenant reads the name of a tenant in which no user had signed in, as its
// application.
func (d *Dedicated) KnownTenant(ctx context.Context) error {
	s := d.s
	if s.Connection().Initial != "" {
		return nil
	}
	app, err := s.acting(ctx)
	if err != nil {
		return err
	}
	who, err := app.Silent(ctx, nil)
	if err != nil {
		return err
	}
	known, err := s.env.Access(s.Connection())
	if err != nil {
		return err
	}
	known.acting.Store(app)
	if err := known.SignedIn(ctx, who); err != nil {
		return err
	}
	c := known.Connection()
	c.Account = ""
	s.connected.change(func(is *consent.Connection) { *is = c })
	s.connected.saved.Store(true)
	return s.Store.ChangeConnection(ctx, c.Name, func(stored *consent.Connection) error {
		app := stored.Application
		*stored = c
		stored.Application = app
		return nil
	})
}
