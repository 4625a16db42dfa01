package main

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

// Who acts for a connection: what --as takes.
const (
	asApplication = "application"
	asPerson      = "person"
)

// acts reports whether the dedicated application acts for a connection: once it
// is verified, or as --as says.
func (a *app) acts(c consent.Connection) (bool, error) {
	switch a.flags.as {
	case "":
		if !c.Acts() && c.Account == "" { // nobody ever signed in
			return false, problem.New(problem.NoApplication, problem.Args{"connection": c.Name})
		}
		return c.Acts(), nil
	case asApplication:
		if !c.Acts() {
			return false, problem.New(problem.NoApplication, problem.Args{"connection": c.Name})
		}
		return true, nil
	case asPerson:
		if c.Account == "" {
			return false, problem.New(problem.NoPerson, problem.Args{"connection": c.Name})
		}
		return false, nil
	}
	return false, wrongUsage("hacsync", a.text("usage.choice", problem.Args{
		"flag": "as", "takes": asApplication + ", " + asPerson, "value": a.flags.as,
	}))
}

// keys is the sealed row with the key of a connection's application.
func (v *vault) keys(connection string) consent.Cache { return v.row(connection, secret.Certificate) }

// act makes the connection's application act in place of a person.
func (w *way) act(ctx context.Context, v *vault) error {
	load := func(ctx context.Context) (*certificate.Pair, error) {
		return grants.LoadKey(ctx, v.keys(w.connection.Name))
	}
	key, err := load(ctx)
	if err != nil {
		return err
	}
	in, err := w.asApplication(w.connection.Application.ID, key)
	if err != nil {
		return err
	}
	w.acting = &acting{
		in: in, thumbprint: key.Thumbprint(), load: load,
		with: func(key *certificate.Pair) (*signin.Application, error) {
			return w.asApplication(w.connection.Application.ID, key)
		},
	}
	return nil
}

// acting signs in as the application for as long as the program runs. Another
// process may have renewed the certificate meanwhile: where the one in hand is
// not taken any more, the saved one is looked at again.
type acting struct {
	load func(context.Context) (*certificate.Pair, error)
	with func(*certificate.Pair) (*signin.Application, error)

	mu         sync.Mutex
	in         *signin.Application
	thumbprint string
}

// Token is an access token of the application.
func (a *acting) Token(ctx context.Context, scopes ...string) (string, error) {
	return anew(ctx, a, func(in *signin.Application) (string, error) { return in.Token(ctx, scopes...) })
}

// Renew replaces a token that was refused.
func (a *acting) Renew(ctx context.Context, claims string, scopes ...string) (string, error) {
	return anew(ctx, a, func(in *signin.Application) (string, error) { return in.Renew(ctx, claims, scopes...) })
}

// Silent signs in and says who that is.
func (a *acting) Silent(ctx context.Context, scopes []string) (consent.Account, error) {
	return anew(ctx, a, func(in *signin.Application) (consent.Account, error) { return in.Silent(ctx, scopes) })
}

// anew tries with the certificate in hand, and once more with the saved one where
// that is another by now.
func anew[T any](ctx context.Context, a *acting, try func(*signin.Application) (T, error)) (T, error) {
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

// asApplication signs in as an application, with nothing remembered.
func (w *way) asApplication(id string, key *certificate.Pair) (*signin.Application, error) {
	o := w.signInOptions()
	o.ClientID, o.Account = id, ""
	return signin.NewApplication(o, key)
}

// dedicating are the choices about a dedicated application.
type dedicating struct {
	life              time.Duration
	provider          string // appId of another organisation's application
	userAdministrator bool
	others            []*x509.Certificate
}

// dedicated is the dedicated application of the session's connection. What is
// learned of it is kept with the connection.
func (s *session) dedicated(d dedicating) *grants.Dedicated {
	o := s.way.dedicatedOptions(s.vault, d)
	o.Save = s.learned
	return grants.NewDedicated(o)
}

func (w *way) dedicatedOptions(v *vault, d dedicating) grants.DedicatedOptions {
	c := w.connection
	return grants.DedicatedOptions{
		Connection: c, HTTP: w.http, Keys: v.keys(c.Name),
		AsApplication: func(id string, key *certificate.Pair) (grants.Tokens, error) { return w.asApplication(id, key) },
		AsPerson:      tokensOf,
		Life:          d.life, Provider: d.provider, UserAdministrator: d.userAdministrator, Others: d.others,
		Clock: w.clock, Log: w.app.log,
	}
}

// learned keeps what is known of the application with the connection, which it
// saves where it was not: without the sign-in of a person, who was not asked.
func (s *session) learned(ctx context.Context, app consent.Application) error {
	err := s.store.ChangeConnection(ctx, s.connection.Name, func(stored *consent.Connection) error {
		switch {
		case stored.Tenant == "":
			*stored = s.connection
			if !s.saved {
				stored.Account, stored.Scopes = "", nil
			}
		case stored.Tenant != s.connection.Tenant:
			return problem.New(problem.NameTaken, problem.Args{"connection": stored.Name, "tenant": stored.TenantName})
		}
		stored.Application = &app
		return nil
	})
	if err == nil {
		s.connection.Application, s.way.connection.Application = &app, &app
	}
	return err
}

// tokensOf are the tokens of a sign-in.
func tokensOf(in consent.SignIn) (grants.Tokens, error) {
	switch in := in.(type) {
	case *way:
		return in.signIn, nil
	case grants.Tokens:
		return in, nil
	}
	return nil, problem.New(problem.Internal, problem.Args{"what": fmt.Sprintf("sign-in of %T", in)})
}

// dedicatedOf is the dedicated application as the wizard's steps see it: once it
// is verified, the session acts as it.
type dedicatedOf struct {
	*grants.Dedicated
	s *session
}

func newDedicating(s *session) *dedicatedOf { return &dedicatedOf{s.dedicated(dedicating{}), s} }

// Give does in place what the script does. Who grants is never touched by a sync
// either.
func (d *dedicatedOf) Give(ctx context.Context, granting consent.SignIn, tell func(consent.Given)) error {
	if who, err := granting.Silent(ctx, d.Scopes()); err == nil {
		if err := d.s.alsoSignedIn(ctx, who); err != nil {
			return err
		}
	}
	return d.Dedicated.Give(ctx, granting, tell)
}

// Verify signs in as the application; with all that is needed it acts from now
// on.
func (d *dedicatedOf) Verify(ctx context.Context) ([]consent.Grant, error) {
	found, err := d.Dedicated.Verify(ctx)
	if err != nil {
		return found, err
	}
	return found, d.s.takeOver(ctx)
}

// Renew makes a new key and certificate, which the session uses from now on.
func (d *dedicatedOf) Renew(ctx context.Context) (consent.Application, error) {
	app, err := d.Dedicated.Renew(ctx)
	if err != nil {
		return app, err
	}
	return app, d.s.takeOver(ctx)
}

// takeOver lets the application act from now on, once it is verified.
func (s *session) takeOver(ctx context.Context) error {
	if !s.connection.Acts() || s.app.flags.as == asPerson {
		return nil
	}
	if err := s.way.act(ctx, s.vault); err != nil {
		return err
	}
	s.judge()
	return nil
}

// saveApplication keeps a connection that an application acts for, with its key.
// A person's sign-in of the same tenant under the same name stays.
func (v *vault) saveApplication(ctx context.Context, w *way, key *certificate.Pair) error {
	c := &w.connection
	if c.Name == "" {
		c.Name = connectionName(c.Initial)
	}
	saved, err := v.store.Connection(ctx, c.Name)
	switch {
	case err == nil && saved.Tenant != c.Tenant:
		return problem.New(problem.NameTaken, problem.Args{"connection": c.Name, "tenant": saved.TenantName})
	case err != nil && !problem.Has(err, problem.NoSavedData):
		return err
	}
	if c.Application.Tag, err = grants.TakeKey(ctx, v.keys(c.Name), key); err != nil {
		return err
	}
	return v.store.ChangeConnection(ctx, c.Name, func(stored *consent.Connection) error {
		if stored.Tenant == "" {
			*stored = *c
			return nil
		}
		stored.Application, stored.LastUsed = c.Application, c.LastUsed
		stored.Graph, stored.Authority, stored.CA, stored.Speed, stored.HAC = c.Graph, c.Authority, c.CA, c.Speed, c.HAC
		*c = *stored
		return nil
	})
}
