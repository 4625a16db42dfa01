package main

import (
	"context"
	"crypto/x509"
	"fmt"
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
	key, err := grants.LoadKey(ctx, v.keys(w.connection.Name))
	if err != nil {
		return err
	}
	w.acting, err = w.asApplication(w.connection.Application.ID, key)
	return err
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
	if err := grants.TakeKey(ctx, v.keys(c.Name), key); err != nil {
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
