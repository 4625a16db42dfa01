package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/hacsync/hacsync/graphclient"
	"github.com/hacsync/hacsync/graphclient/signin"
	"github.com/hacsync/hacsync/sync/clock"
	"github.com/hacsync/hacsync/sync/consent"
	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/problem"
)

// way is the road to one tenant: its clock, its hosts, who is signed in.
type way struct {
	app        *app
	connection consent.Connection
	clock      clock.Clock
	http       *http.Client
	signIn     *signin.Client // of a person
	acting     *acting        // the application that acts in place of a person; nil
}

// DeviceCode asks for a code; see consent.SignIn.
func (w *way) DeviceCode(ctx context.Context, scopes []string) (consent.Code, func(context.Context) (consent.Account, error), error) {
	return w.signIn.DeviceCode(ctx, scopes)
}

// Browser gives the page where somebody signs in; see consent.SignIn.
func (w *way) Browser(ctx context.Context, scopes []string) (consent.Page, func(context.Context) (consent.Account, error), error) {
	return w.signIn.Browser(ctx, scopes)
}

// Silent obtains a token from what is saved; see consent.SignIn.
func (w *way) Silent(ctx context.Context, scopes []string) (consent.Account, error) {
	return w.signIn.Silent(ctx, scopes)
}

// clockAt is the clock that runs so fast, one for the whole program: a second
// one would start anew at the machine's time.
func (a *app) clockAt(speed float64) clock.Clock {
	a.clockMu.Lock()
	defer a.clockMu.Unlock()
	if a.clocks == nil {
		a.clocks = map[float64]clock.Clock{}
	}
	if a.clocks[speed] == nil {
		a.clocks[speed] = clock.Scaled(speed)
	}
	return a.clocks[speed]
}

// wayTo builds the road to a connection's tenant. Nothing is sent yet. Without a
// cache the sign-in stays in memory, until the program ends or it is saved.
func (a *app) wayTo(c consent.Connection, cache consent.Cache) (*way, error) {
	client, err := graphclient.HTTPClient(c.CA)
	if err != nil {
		return nil, err
	}
	if a.countRequests != nil {
		client.Transport = a.countRequests(client.Transport)
	}
	w := &way{app: a, connection: c, clock: a.clockAt(c.Speed), http: client}
	o := w.signInOptions()
	o.Cache = cache
	if w.signIn, err = signin.New(o); err != nil {
		return nil, err
	}
	_, err = graphclient.New(w.graphOptions(nil)) // the host is known to be one from here on
	return w, err
}

func (w *way) signInOptions() signin.Options {
	c := w.connection
	return signin.Options{
		Authority: c.Authority, Tenant: c.Tenant, ClientID: c.Client, Graph: c.Graph,
		HTTP: w.http, Account: c.Account, Clock: w.clock, Log: w.app.log,
	}
}

// tokens are those of whoever acts: the application, or else the person. ask
// has a person sign in anew where Microsoft wants that; nil: nobody is asked.
func (w *way) tokens(ask func(context.Context, []string) error) renewing {
	if w.acting != nil {
		return w.acting
	}
	return &answering{renewing: w.signIn, ask: ask, patient: w.app.terminal}
}

// graph is the tenant as whoever acts sees it.
func (w *way) graph(ask func(context.Context, []string) error) *graphclient.Client {
	g, err := graphclient.New(w.graphOptions(ask))
	if err != nil {
		panic(fmt.Sprintf("a host that was checked: %v", err))
	}
	return g
}

// graphOptions say who reads and writes. An application's token has what was
// granted: no scopes are asked for.
func (w *way) graphOptions(ask func(context.Context, []string) error) graphclient.Options {
	c := w.connection
	o := graphclient.Options{
		Graph: c.Graph, HTTP: w.http, Tokens: w.tokens(ask), SignedIn: c.SignedIn, Clock: w.clock, Log: w.app.log,
		Tenant: directory.Tenant{ID: c.Tenant, Name: c.TenantName, OnPremisesSync: c.OnPremisesSync},
	}
	if w.acting == nil {
		o.ReadScopes, o.WriteScopes = consent.ReadScopes(), []string{consent.WriteScope}
	}
	return o
}

// signedIn makes the connection that a sign-in gave: the tenant's name is read
// with it.
func (w *way) signedIn(ctx context.Context, who consent.Account) error {
	c := &w.connection
	c.Tenant, c.Account, c.Scopes = who.Tenant, who.UPN, who.Scopes
	if who.ID != "" && !slices.Contains(c.SignedIn, who.ID) {
		c.SignedIn = append(slices.Clone(c.SignedIn), who.ID)
	}
	tenant, err := w.graph(nil).Tenant(ctx)
	if err != nil {
		return err
	}
	c.TenantName, c.Initial, c.OnPremisesSync = tenant.Name, tenant.Initial, tenant.OnPremisesSync
	if c.TenantName == "" { // an application may not read it
		c.TenantName = c.Initial
	}
	c.Saved = time.Now()
	c.LastUsed = c.Saved
	return nil
}

// target is where connect signs in: a simulator, or a cloud of Microsoft's.
func (a *app) target(tenant, cloud string) (consent.Connection, error) {
	c := consent.Connection{Cloud: cloud, Tenant: tenant, Client: a.flags.clientID}
	sim, err := a.readySimulator()
	if err != nil {
		return c, err
	}
	if sim != nil {
		sim.reach(&c)
		if c.Tenant == "" {
			c.Tenant = sim.Tenant
		}
		if c.Client == "" {
			c.Client = sim.Client
		}
	} else if err := a.inCloud(&c, cloud); err != nil {
		return c, err
	}
	if c.Tenant == "" {
		c.Tenant = signin.AnyOrganization
	}
	if c.Client == "" {
		c.Client = consent.GraphCommandLineTools
	}
	return c, nil
}

// inCloud gives a connection the hosts of a cloud of Microsoft's.
func (a *app) inCloud(c *consent.Connection, name string) error {
	cloud, ok := signin.CloudNamed(name)
	if !ok {
		var names []string
		for _, known := range signin.Clouds() {
			names = append(names, known.Name)
		}
		return wrongUsage("hacsync connect", a.text("usage.choice", problem.Args{
			"flag": "cloud", "takes": strings.Join(names, ", "), "value": name,
		}))
	}
	if cloud.OwnClient && c.Client == "" { // it does not share the global registrations
		return wrongUsage("hacsync connect", a.text("usage.needs", problem.Args{"flag": "client-id", "value": "--cloud " + name}))
	}
	c.Cloud, c.Graph, c.Authority = cloud.Name, cloud.Graph, cloud.Authority
	return nil
}
