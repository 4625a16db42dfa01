package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/hacsync/hacsync/cmd/hacsync/session"
	"github.com/hacsync/hacsync/sync/destination"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/run"
	"github.com/hacsync/hacsync/sync/state"
)

// proofVariable holds the order of a process of the proof: the test binary starts
// itself again with it.
const proofVariable = "HACSYNC_PROOF"

// order is what such a process is to do: resume what is interrupted, and then
// synchronise what is left. It reaches tenant and state as every command does.
type order struct {
	State, Identity, Ready, Source string
	// At is the crossing of the gate at which the process reports and waits, from
	// 1, and Behind whether it waits after the effect; 0 waits nowhere.
	At     int
	Behind bool
	// Heir waits until a sync is seen to be interrupted.
	Heir bool
	// TTL is that of claims, 0 the usual one.
	TTL time.Duration
	// Locks is where lock files are; empty: in the folder of the state.
	Locks string
}

// answered is what the process reports at its end.
type answered struct {
	Resumed int64 // the run that it resumed, 0 for none
	Anew    bool  // that run had no plan yet
	Ended   string
	// Left is how many changes the dry run after that found.
	Left  int
	Error string
	Code  string
	// Crossings are the names of those of the gate.
	Crossings []string
}

// proofProcess is the whole process. It writes lines: "at NAME" when it waits, for
// a line of its input, and "end JSON".
func proofProcess(text string) int {
	var o order
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		fmt.Println("end", err)
		return 1
	}
	g := &crossings{at: o.At, behind: o.Behind, in: bufio.NewReader(os.Stdin)}
	var out answered
	if err := o.carryOut(context.Background(), g, &out); err != nil {
		out.Error = err.Error()
		if p := problem.Of(err); p != nil {
			out.Code = string(p.Code)
		}
	}
	g.mu.Lock()
	out.Crossings = g.names
	g.mu.Unlock()
	b, _ := json.Marshal(out)
	fmt.Println("end", string(b))
	return 0
}

// open opens what a command opens, with the gate around state and writes.
func (o order) open(ctx context.Context, g *crossings) (*session.Session, error) {
	a, err := newApp(nil, nil, io.Discard, os.Stderr, func(string) string { return "" })
	if err != nil {
		return nil, err
	}
	a.flags.Identity, a.flags.Simulator = o.Identity, o.Ready
	store, err := state.OpenWith(ctx, o.State, state.Options{TTL: o.TTL, LockDir: o.Locks})
	if err != nil {
		return nil, err
	}
	s, err := a.openTenant(ctx, session.Want{Tenant: true, Store: store})
	if err != nil {
		return nil, err
	}
	s.Runner.Store = proofStore{s.Runner.Store, g}
	s.Runner.Destination = proofTenant{s.Runner.Destination, g}
	s.Runner.Progress = nil
	return s, nil
}

func (o order) carryOut(ctx context.Context, g *crossings, out *answered) error {
	s, err := o.open(ctx, g)
	if err != nil {
		return err
	}
	open, err := s.Runner.Interrupted(ctx)
	for o.Heir && err == nil && len(open) == 0 {
		time.Sleep(o.TTL / 20)
		open, err = s.Runner.Interrupted(ctx)
	}
	if err != nil {
		return err
	}
	if len(open) > 0 {
		out.Resumed = open[0].No
		report, err := s.Runner.Resume(ctx, open[0].No)
		// Killed before its plan was stored, the sync begins again.
		if err != nil && !problem.Has(err, problem.PlanMissing) {
			return err
		}
		out.Anew = err != nil
		if report != nil {
			out.Ended = string(report.State)
		}
	}
	p, err := s.Runner.DryRun(ctx, proofDomain, run.Overrides{Source: o.Source})
	if err != nil {
		return err
	}
	if out.Left = p.Plan.Counts().Changes(); out.Left == 0 {
		return nil
	}
	report, err := s.Runner.Sync(ctx, p, run.Approval{Fingerprint: p.Plan.Fingerprint(), By: "proof"})
	if report != nil {
		out.Ended = string(report.State)
	}
	return err
}

// crossings is the gate of a process: at one crossing it reports on its output and
// waits, to be killed or to be woken.
type crossings struct {
	mu     sync.Mutex
	at     int
	behind bool
	names  []string
	in     *bufio.Reader
}

func crossed[T any](g *crossings, name string, f func() (T, error)) (T, error) {
	g.mu.Lock()
	g.names = append(g.names, name)
	mine := len(g.names) == g.at
	g.mu.Unlock()
	if mine && !g.behind {
		g.wait(name)
	}
	v, err := f()
	if mine && g.behind {
		g.wait(name)
	}
	return v, err
}

func (g *crossings) wait(name string) {
	fmt.Println("at", name)
	_, _ = g.in.ReadString('\n')
}

func crossedOnly(g *crossings, name string, f func() error) error {
	_, err := crossed(g, name, func() (struct{}, error) { return struct{}{}, f() })
	return err
}

// proofStore passes every write of a sync to its state.
type proofStore struct {
	run.Store
	g *crossings
}

func (s proofStore) BeginRun(ctx context.Context, r state.Run) (int64, error) {
	return crossed(s.g, "begin run", func() (int64, error) { return s.Store.BeginRun(ctx, r) })
}

func (s proofStore) UpdateRun(ctx context.Context, r state.Run) error {
	return crossedOnly(s.g, "update run", func() error { return s.Store.UpdateRun(ctx, r) })
}

func (s proofStore) SavePlan(ctx context.Context, no int64, f string, file []byte) error {
	return crossedOnly(s.g, "save plan", func() error { return s.Store.SavePlan(ctx, no, f, file) })
}

func (s proofStore) Remember(ctx context.Context, tenant, domain string, known map[string][]string) error {
	return crossedOnly(s.g, "remember", func() error { return s.Store.Remember(ctx, tenant, domain, known) })
}

func (s proofStore) UseRaise(ctx context.Context, tenant, f string) (bool, error) {
	return crossed(s.g, "use raise", func() (bool, error) { return s.Store.UseRaise(ctx, tenant, f) })
}

func (s proofStore) Take(ctx context.Context, tenant, domain, holder string, wait bool) (run.Claim, error) {
	return crossed(s.g, "take claim", func() (run.Claim, error) {
		c, err := s.Store.Take(ctx, tenant, domain, holder, wait)
		if err != nil {
			return nil, err
		}
		return proofClaim{c, s.g}, nil
	})
}

type proofClaim struct {
	run.Claim
	g *crossings
}

func (c proofClaim) Release(ctx context.Context) error {
	return crossedOnly(c.g, "release claim", func() error { return c.Claim.Release(ctx) })
}

func (c proofClaim) UpdateRun(ctx context.Context, r state.Run) error {
	return crossedOnly(c.g, "end run", func() error { return c.Claim.UpdateRun(ctx, r) })
}

func (c proofClaim) Intend(ctx context.Context, rows []state.Entry) error {
	return crossedOnly(c.g, "intend", func() error { return c.Claim.Intend(ctx, rows) })
}

func (c proofClaim) Settle(ctx context.Context, rows []state.Entry) error {
	return crossedOnly(c.g, "settle", func() error { return c.Claim.Settle(ctx, rows) })
}

// proofTenant passes every write of a sync to the tenant; its requests have a gate
// of their own, in the simulator.
type proofTenant struct {
	destination.Destination
	g *crossings
}

func (d proofTenant) Write(ctx context.Context, steps []plan.Step) []destination.Outcome {
	outs, _ := crossed(d.g, "write", func() ([]destination.Outcome, error) { return d.Destination.Write(ctx, steps), nil })
	return outs
}
