package session

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/hacsync/hacsync/graphclient"
	"github.com/hacsync/hacsync/graphclient/certificate"
	"github.com/hacsync/hacsync/graphclient/claims"
	"github.com/hacsync/hacsync/graphclient/grants"
	"github.com/hacsync/hacsync/graphclient/signin"
	"github.com/hacsync/hacsync/sync/clock"
	"github.com/hacsync/hacsync/sync/consent"
	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/problem"
)

// Access is what calls to one tenant need: its clock, its hosts, and the sign-in of
// a user.
type Access struct {
	*signin.Client
	env       *Env
	connected *connection
	clock     clock.Clock
	http      *http.Client
	// acting is the application that acts in place of a user; nil without one.
	acting atomic.Pointer[acting]
}

// Access prepares access to a connection's tenant. Nothing is sent yet, and a
// sign-in stays in memory, until the program ends or it is saved.
func (e *Env) Access(c consent.Connection) (*Access, error) {
	return e.access(&connection{c: c}, nil)
}

func (e *Env) access(connected *connection, cache consent.Cache) (*Access, error) {
	c := connected.get()
	client, err := graphclient.HTTPClient(c.CA)
	if err != nil {
		return nil, err
	}
	if e.Transport != nil {
		client.Transport = e.Transport(client.Transport)
	}
	a := &Access{env: e, connected: connected, clock: e.Clock(c.Speed), http: client}
	o := a.signInOptions()
	o.Cache = cache
	if a.Client, err = signin.New(o); err != nil {
		return nil, err
	}
	_, err = graphclient.New(a.graphOptions(nil)) // from here on the host is known to be valid
	return a, err
}

func (a *Access) signInOptions() signin.Options {
	c := a.Connection()
	return signin.Options{
		Authority: c.Authority, Tenant: c.Tenant, ClientID: c.Client, Graph: c.Graph,
		HTTP: a.http, Account: c.Account, Clock: a.clock, Log: a.env.Log,
	}
}

// Connection returns that of the tenant, as it is now.
func (a *Access) Connection() consent.Connection { return a.connected.get() }

// tokens returns those of the application that acts, or else of the user. ask lets
// the user sign in again if Microsoft requires it; nil: no user is asked.
func (a *Access) tokens(ask func(context.Context, []string) error) renewing {
	if app := a.acting.Load(); app != nil {
		return app
	}
	return &answering{renewing: a.Client, ask: ask, patient: a.env.Attended}
}

// graph returns the client of the tenant for the application or user that acts.
func (a *Access) graph(ask func(context.Context, []string) error) *graphclient.Client {
	g, err := graphclient.New(a.graphOptions(ask))
	if err != nil {
		panic(fmt.Sprintf("a host that was checked: %v", err))
	}
	return g
}

// graphOptions returns with which sign-in the client reads and writes. An
// application's token has what was granted: no scopes are requested.
func (a *Access) graphOptions(ask func(context.Context, []string) error) graphclient.Options {
	c := a.Connection()
	o := graphclient.Options{
		Graph: c.Graph, HTTP: a.http, Tokens: a.tokens(ask), SignedIn: c.SignedIn, Clock: a.clock, Log: a.env.Log,
		Tenant: directory.Tenant{ID: c.Tenant, Name: c.TenantName, OnPremisesSync: c.OnPremisesSync},
	}
	if a.acting.Load() == nil {
		o.ReadScopes, o.WriteScopes = consent.ReadScopes(), []string{consent.WriteScope}
	}
	return o
}

// SignedIn completes the connection after a sign-in: the tenant's name is read with
// it.
func (a *Access) SignedIn(ctx context.Context, who consent.Account) error {
	a.connected.change(func(c *consent.Connection) { c.Tenant, c.Account, c.Scopes = who.Tenant, who.UPN, who.Scopes })
	if who.ID != "" {
		a.connected.signedIn(who.ID)
	}
	tenant, err := a.graph(nil).Tenant(ctx)
	if err != nil {
		return err
	}
	a.connected.change(func(c *consent.Connection) {
		c.TenantName, c.Initial, c.OnPremisesSync = tenant.Name, tenant.Initial, tenant.OnPremisesSync
		if c.TenantName == "" { // an application may not read it
			c.TenantName = c.Initial
		}
		c.Saved = time.Now()
		c.LastUsed = c.Saved
	})
	return nil
}

// AccessAs signs in as an application, with a certificate that was made elsewhere:
// access without a user, for unattended runs.
func (e *Env) AccessAs(ctx context.Context, target consent.Connection, id string, key *certificate.Pair) (*Access, error) {
	a, err := e.Access(target)
	if err != nil {
		return nil, err
	}
	in, err := a.asApplication(id, key)
	if err != nil {
		return nil, err
	}
	a.acting.Store(&acting{in: in, thumbprint: key.Thumbprint()})
	account, err := in.Silent(ctx, nil)
	if err != nil {
		return nil, err
	}
	var short []string
	for _, g := range grants.New(grants.Options{Application: account.Client}).List() {
		if g.Kind == consent.AppRole && !g.Optional && !claims.Covers(account.Scopes, g.Name) {
			short = append(short, g.Name)
		}
	}
	if len(short) > 0 {
		return nil, problem.New(problem.GrantMissing, problem.Args{"grant": strings.Join(short, ", ")})
	}
	if err := a.SignedIn(ctx, account); err != nil {
		return nil, err
	}
	a.connected.change(func(c *consent.Connection) {
		c.Account, c.Scopes = "", target.Scopes // these belong to a user's sign-in
		c.Application = &consent.Application{
			ID: id, Principal: string(account.ID), Name: account.App, Thumbprint: key.Thumbprint(),
			Ends: key.Ends(), Verified: a.clock.Now(),
		}
	})
	return a, nil
}

// Known adds what is already saved of the connection: its application, and the
// accounts that signed in before. A connection without a name gets one.
func (s *Session) Known(ctx context.Context) error {
	s.connected.name()
	saved, err := s.Store.Connection(ctx, s.Connection().Name)
	if problem.Has(err, problem.NoSavedData) {
		return nil
	}
	if err != nil || saved.Tenant != s.Connection().Tenant {
		return err
	}
	s.connected.change(func(c *consent.Connection) {
		c.Application = saved.Application
		for _, id := range saved.SignedIn {
			if !slices.Contains(c.SignedIn, id) {
				c.SignedIn = append(slices.Clone(c.SignedIn), id)
			}
		}
	})
	return nil
}

// ForGranting returns the sign-in of an administrator who grants: in memory, apart
// from the session's own, and only until the program ends.
func (s *Session) ForGranting(context.Context) (consent.SignIn, error) {
	c := s.Connection()
	c.Account = ""
	return s.env.Access(c)
}
