package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/hacsync/hacsync/cmd/hacsync/session"
	"github.com/hacsync/hacsync/graphclient/simulator"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/run"
	"github.com/hacsync/hacsync/sync/secret"
	"github.com/hacsync/hacsync/sync/state"
	"github.com/hacsync/hacsync/tui/flow"
	"github.com/hacsync/hacsync/tui/plain"
)

func (a *app) demoCommand() *cobra.Command {
	c := a.command("demo", "demo", func(ctx context.Context, _ []string) error {
		if a.flags.json {
			return wrongUsage("hacsync demo", a.text("usage.demo_json", nil))
		}
		return a.demo(ctx)
	})
	c.Args = a.takes()
	return c
}

// demo walks through everything on a tenant that this program serves to itself.
// State, key and sample export are in a folder that is removed at the end.
func (a *app) demo(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "hacsync-demo-")
	if err != nil {
		return notWritten(os.TempDir(), err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	sim, err := startSimulator(ctx, simulator.Options{Approve: "page", Dir: dir, Log: a.log})
	if err != nil {
		return err
	}
	defer func() { _ = sim.Close() }()
	people, err := newDemoPeople(sim, dir)
	if err != nil {
		return err
	}
	a.flags.Identity = filepath.Join(dir, "identity")
	if err := secret.GenerateIdentity(a.flags.Identity); err != nil {
		return err
	}
	a.flags.State = state.FileURL(filepath.Join(dir, "state.db"))
	a.flags.Simulator = filepath.Join(dir, "ready.json")
	if err := sim.WriteReady(a.flags.Simulator); err != nil {
		return notWritten(a.flags.Simulator, err)
	}
	if err := a.remember(ctx, time.Now()); err != nil {
		return err
	}
	return a.walk(ctx, people)
}

// remember writes into the demo's state what two earlier dry runs learnt, one six
// weeks ago and one yesterday: without them, no account would be known to have been
// in the source.
func (a *app) remember(ctx context.Context, now time.Time) error {
	past, err := simulator.DemoPast(now)
	if err != nil {
		return err
	}
	const day = 24 * time.Hour
	first := &state.Lesson{Source: run.DefaultSourceName, At: now.Add(-44 * day)}
	for _, p := range past {
		first.New = append(first.New, p.Username)
		if p.Account == "" {
			continue
		}
		first.Links = append(first.Links, state.Taught{Account: p.Account, Link: state.Link{
			Source: first.Source, Username: p.Username, Given: p.Given, Family: p.Family, Display: p.Display,
			UPN: p.UPN, ImmutableID: p.ImmutableID,
		}})
	}
	store, err := state.Open(ctx, a.flags.State, a.log)
	if err != nil {
		return err
	}
	defer func() { _ = store.Close() }()
	for _, l := range []*state.Lesson{first, {Source: first.Source, At: now.Add(-15 * time.Hour)}} {
		r := state.Run{
			Kind: state.DryRun, Tenant: simulator.DemoTenant, Domain: simulator.DemoDomain, Started: l.At, Ended: l.At,
		}
		if r.No, err = store.BeginRun(ctx, r); err != nil {
			return err
		}
		r.State = state.Done
		if err := store.EndRun(ctx, r, l); err != nil {
			return err
		}
	}
	return nil
}

// wizard is hacsync without a command.
func (a *app) wizard(ctx context.Context) error {
	if a.flags.json {
		return wrongUsage("hacsync", a.text("usage.demo_json", nil))
	}
	return a.walk(ctx, nil)
}

// walk leads from sign-in to a finished sync: on screen, or line by line if that is
// requested or there is no terminal.
func (a *app) walk(ctx context.Context, people flow.Demo) error {
	a.quiet = true
	s, err := a.env().Open(ctx, session.Want{Key: true, Simulator: true})
	if err != nil {
		return err
	}
	defer s.Close()
	base, err := a.target("", "public")
	if err != nil {
		return err
	}
	b := &backend{app: a, state: s, base: base, demo: people}
	f := flow.New(b, flow.Options{
		Version: version(), Person: approver(""), Count: -1, Windows: runtime.GOOS == "windows",
		Target: flow.Target{Client: a.flags.ClientID}, Home: true, Newest: newestExport,
	})
	var ended flow.Outcome
	if a.screens() {
		ended, err = a.onScreen(ctx, f)
	} else {
		ended, err = plain.Run(ctx, f, a.answers, a.out, plain.Options{
			Printer: a.words, Interactive: a.terminal, Width: a.width(), Secret: a.hiddenLine(ctx),
		})
	}
	var crash *flow.Crash
	if errors.As(err, &crash) {
		return a.panicked(crash.What, crash.Stack)
	}
	if err != nil {
		return notWritten("stdout", err)
	}
	switch ended.Kind {
	case flow.Interrupted:
		return said{context.Canceled}
	case flow.InputEnded:
		return said{problem.New(problem.LeftUnanswered, nil)} // plain has reported it
	case flow.Quit:
	}
	switch {
	case ended.End.Err != nil:
		return said{ended.End.Err}
	case ended.End.Report != nil:
		return syncOutcome(ended.End.Report)
	}
	return nil
}

// width returns that of the terminal, at most 100 columns for reading; 80 without a
// terminal.
func (a *app) width() int {
	if a.stdout != nil {
		if w, _, err := term.GetSize(int(a.stdout.Fd())); err == nil && w > 20 {
			return min(w, 100)
		}
	}
	return 80
}
