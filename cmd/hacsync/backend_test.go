package main

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hacsync/hacsync/cmd/hacsync/session"
	"github.com/hacsync/hacsync/graphclient/simulator"
	"github.com/hacsync/hacsync/sync/consent"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/run"
	"github.com/hacsync/hacsync/sync/secret"
	"github.com/hacsync/hacsync/sync/state"
	"github.com/hacsync/hacsync/tui/flow"
)

// testBackend is the wizard's backend on a simulated tenant, with the demo's
// people at its pages.
func testBackend(t *testing.T) (*backend, *demoPeople) {
	t.Helper()
	return backendOf(t, simulator.Options{Users: 60, Seed: 5})
}

func backendOf(t *testing.T, o simulator.Options) (*backend, *demoPeople) {
	t.Helper()
	dir := t.TempDir()
	o.Approve, o.Dir = "page", dir
	sim, err := simulator.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sim.Close() })
	people, err := newDemoPeople(sim, dir)
	if err != nil {
		t.Fatal(err)
	}
	a, err := newApp(nil, nil, io.Discard, io.Discard, func(string) string { return "" })
	if err != nil {
		t.Fatal(err)
	}
	a.quiet = true
	a.flags.Identity = filepath.Join(dir, "identity")
	a.flags.State = state.FileURL(filepath.Join(dir, "state.db"))
	a.flags.Simulator = filepath.Join(dir, "ready.json")
	if err := errors.Join(secret.GenerateIdentity(a.flags.Identity), sim.WriteReady(a.flags.Simulator)); err != nil {
		t.Fatal(err)
	}
	s, err := a.env().Open(t.Context(), session.Want{Key: true, Simulator: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	base, err := a.target("", "public")
	if err != nil {
		t.Fatal(err)
	}
	return &backend{app: a, state: s, base: base, demo: people}, people
}

func byPart(t *testing.T, b *backend, people *demoPeople, p flow.Part, browser bool) (flow.Session, error) {
	t.Helper()
	in, err := b.SignIn(t.Context(), flow.Target{})
	if err != nil {
		t.Fatal(err)
	}
	var wait func(context.Context) (consent.Account, error)
	if browser {
		var page consent.Page
		if page, wait, err = in.Browser(t.Context(), consent.ReadScopes()); err == nil {
			err = people.PlayPage(t.Context(), page.URL, p)
		}
	} else {
		var code consent.Code
		if code, wait, err = in.DeviceCode(t.Context(), consent.ReadScopes()); err == nil {
			err = people.Play(t.Context(), code.UserCode, p)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	who, err := wait(t.Context())
	if err != nil {
		return nil, err
	}
	return b.Open(t.Context(), in, who)
}

func TestDemoPeople_PlayEveryPartByCodeAndByBrowser(t *testing.T) {
	b, people := testBackend(t)
	for _, c := range []struct {
		part    flow.Part
		browser bool
		want    problem.Code // empty: signed in
	}{
		{flow.Block, false, problem.BlockedByPolicy},
		{flow.Approve, true, ""}, // the browser passes a policy that refuses codes
		{flow.Approve, false, ""},
		{flow.Decline, false, problem.CodeDeclined},
		{flow.Expire, false, problem.CodeExpired},
		{flow.WrongTenant, false, problem.OtherTenant},
		{flow.WrongTenant, true, problem.OtherTenant},
		{flow.Block, true, problem.BlockedByPolicy},
		{flow.Decline, true, problem.ConsentDeclined},
	} {
		session, err := byPart(t, b, people, c.part, c.browser)
		switch p := problem.Of(err); {
		case c.want == "" && (err != nil || session.Connection().TenantName == ""):
			t.Errorf("%s (browser: %v): %v", c.part, c.browser, err)
		case c.want != "" && (p == nil || p.Code != c.want):
			t.Errorf("%s (browser: %v): %v, want %s", c.part, c.browser, err, c.want)
		}
	}
	for _, p := range people.Parts() {
		if _, _, err := answerOf(p); err != nil && p != flow.Expire {
			t.Errorf("%s is offered and cannot be played: %v", p, err)
		}
	}
}

// In the wizard the application is made in place, verified, renewed, and acts from
// then on, without a user, in this session and in the next.
func TestWizard_ActsAsTheApplicationOnceItIsVerified(t *testing.T) {
	b, people := testBackend(t)
	session, err := byPart(t, b, people, flow.Approve, false)
	if err != nil {
		t.Fatal(err)
	}
	d := session.Dedicated()
	if _, err := d.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	granting, err := session.ForGranting(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	code, wait, err := granting.DeviceCode(t.Context(), consent.GrantScopes())
	if err != nil {
		t.Fatal(err)
	}
	if err := people.Play(t.Context(), code.UserCode, flow.Approve); err != nil {
		t.Fatal(err)
	}
	if _, err := wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := d.Give(t.Context(), granting, nil); err != nil {
		t.Fatal(err)
	}
	if session.Connection().Acts() {
		t.Error("it acts before it was verified")
	}
	if _, err := d.Verify(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !session.Connection().Acts() {
		t.Error("it is verified and does not act")
	}
	people.sim.Revoke() // no user's sign-in is valid from here on
	domains := func(s flow.Session) {
		t.Helper()
		if found, err := s.Engine(flow.Hooks{}).Domains(t.Context()); err != nil || len(found) == 0 {
			t.Errorf("domains: %v, %v", found, err)
		}
	}
	domains(session)
	r := session.Engine(flow.Hooks{}).(engine).Runner
	if err := r.MayWrite(t.Context()); err != nil {
		t.Errorf("may write: %v", err)
	}
	if _, err := d.Renew(t.Context()); err != nil {
		t.Fatal(err)
	}
	domains(session)

	// The user was never saved; the application is.
	next, err := b.Reopen(t.Context(), session.Connection().Name)
	if err != nil {
		t.Fatal(err)
	}
	domains(next)
	if c := next.Connection(); c.Account != "" || len(c.SignedIn) == 0 {
		t.Errorf("saved: account %q, signed in %v", c.Account, c.SignedIn)
	}
	// Renewed by another process: the open session follows.
	if _, err := next.Dedicated().Renew(t.Context()); err != nil {
		t.Fatal(err)
	}
	people.sim.Revoke()
	domains(session)
	if err := b.Forget(t.Context(), session.Connection().Name); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Reopen(t.Context(), session.Connection().Name); !problem.Has(err, problem.NoSavedData) {
		t.Errorf("after forgetting: %v", err)
	}
}

// No user signs in at all: script, its last line, and a session.
func TestWizard_OpensATenantThatOnlyAnApplicationSignsInTo(t *testing.T) {
	b, people := testBackend(t)
	d, err := b.Dedicate(t.Context(), flow.Target{Tenant: people.sim.Ready().Tenant})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.OpenDedicated(t.Context(), d); !problem.Has(err, problem.NoApplication) {
		t.Errorf("opened before it was verified: %v", err)
	}
	if _, err := d.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	var script strings.Builder
	if err := d.Script(t.Context(), &script); err != nil || !strings.Contains(script.String(), "Connect-MgGraph") {
		t.Fatalf("%v\n%s", err, script.String())
	}
	last, err := people.RunApplicationScript(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Adopt(t.Context(), last); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Verify(t.Context()); err != nil {
		t.Fatal(err)
	}
	session, err := b.OpenDedicated(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	c := session.Connection()
	if c.Initial == "" || c.Tenant != people.sim.Ready().Tenant || c.Account != "" {
		t.Errorf("connection %+v", c)
	}
	export, count := people.Export()
	if export == "" || count == 0 {
		t.Errorf("export %q of %d", export, count)
	}
	found, err := session.Engine(flow.Hooks{}).Domains(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var ready string
	for _, f := range found {
		if f.Verified && !f.Initial {
			ready = f.Name
		}
	}
	p, err := session.Engine(flow.Hooks{}).DryRun(t.Context(), ready, run.Overrides{Source: "hac"})
	if err != nil || p.Plan == nil {
		t.Errorf("dry run of %s: %v", ready, err)
	}
	if err := session.Save(t.Context()); err != nil {
		t.Errorf("save: %v", err)
	}
	raw, err := os.ReadFile(filepath.Join(filepath.Dir(b.app.flags.Identity), "state.db"))
	if err != nil || strings.Contains(string(raw), "PRIVATE KEY") {
		t.Errorf("the state holds a private key in clear, or is not there: %v", err)
	}
}

// An effect changes the connection while the screens read it ten times a second.
// Only with the race detector does this test show more than that it works.
func TestWizard_SavesWhileTheScreensReadTheConnection(t *testing.T) {
	b, people := testBackend(t)
	s, err := byPart(t, b, people, flow.Approve, false)
	if err != nil {
		t.Fatal(err)
	}
	for name, effect := range map[string]func() error{
		"save":    func() error { return s.Save(t.Context()) },
		"prepare": func() error { _, err := s.Dedicated().Prepare(t.Context()); return err },
	} {
		done := make(chan error)
		go func() { done <- effect() }()
		for ended := false; !ended; {
			select {
			case err := <-done:
				if err != nil {
					t.Errorf("%s: %v", name, err)
				}
				ended = true
			default:
				if c := s.Connection(); c.Tenant == "" {
					t.Errorf("%s: a connection without its tenant", name)
				}
			}
		}
	}
	if c, err := b.state.Store.Connection(t.Context(), s.Connection().Name); err != nil || c.Application == nil {
		t.Errorf("saved %+v, %v", c, err)
	}
}
