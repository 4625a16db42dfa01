package run_test

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/hacsync/hacsync/sync/destination"
	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/progress"
	"github.com/hacsync/hacsync/sync/run"
	"github.com/hacsync/hacsync/sync/state"
)

// gate stands around everything a runner calls. At one crossing it shuts: that
// call and every later one, on every goroutine, fails, so that no deferred
// clean-up can cheat. What went through before has happened; the process is
// dead as far as the world can tell.
type gate struct {
	mu      sync.Mutex
	crossed int
	at      int  // crossing at which it shuts, from 1; 0 never
	behind  bool // after the call's effect rather than before
	shut    bool
	names   []string
}

var errKilled = errors.New("killed")

func (g *gate) enter(name string) (mine, open bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.shut {
		return false, false
	}
	g.crossed++
	g.names = append(g.names, name)
	mine = g.crossed == g.at
	if mine && !g.behind {
		g.shut = true
		return true, false
	}
	return mine, true
}

func (g *gate) leave(mine bool) (open bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if mine {
		g.shut = true
	}
	return !g.shut
}

func through[T any](g *gate, name string, f func() (T, error)) (T, error) {
	var none T
	mine, open := g.enter(name)
	if !open {
		return none, errKilled
	}
	v, err := f()
	if !g.leave(mine) {
		return none, errKilled
	}
	return v, err
}

func pass(g *gate, name string, f func() error) error {
	_, err := through(g, name, func() (struct{}, error) { return struct{}{}, f() })
	return err
}

// gatedStore guards the calls of a sync; those of a dry run go through the
// destination's gate.
type gatedStore struct {
	run.Store
	g *gate
}

func (s gatedStore) BeginRun(ctx context.Context, r state.Run) (int64, error) {
	return through(s.g, "begin run", func() (int64, error) { return s.Store.BeginRun(ctx, r) })
}

func (s gatedStore) UpdateRun(ctx context.Context, r state.Run) error {
	return pass(s.g, "update run", func() error { return s.Store.UpdateRun(ctx, r) })
}

func (s gatedStore) EndRun(ctx context.Context, r state.Run, l *state.Lesson) error {
	return pass(s.g, "end run", func() error { return s.Store.EndRun(ctx, r, l) })
}

func (s gatedStore) SaveLesson(ctx context.Context, no int64, l state.Lesson) error {
	return pass(s.g, "save lesson", func() error { return s.Store.SaveLesson(ctx, no, l) })
}

func (s gatedStore) SavePlan(ctx context.Context, no int64, f string, file []byte) error {
	return pass(s.g, "save plan", func() error { return s.Store.SavePlan(ctx, no, f, file) })
}

func (s gatedStore) UseRaise(ctx context.Context, tenant, f string) (bool, error) {
	return through(s.g, "use raise", func() (bool, error) { return s.Store.UseRaise(ctx, tenant, f) })
}

func (s gatedStore) Take(ctx context.Context, tenant, domain, holder string, wait bool) (run.Claim, error) {
	return through(s.g, "take claim", func() (run.Claim, error) {
		c, err := s.Store.Take(ctx, tenant, domain, holder, wait)
		if err != nil {
			return nil, err
		}
		return gatedClaim{c, s.g}, nil
	})
}

type gatedClaim struct {
	run.Claim
	g *gate
}

func (c gatedClaim) Held() bool {
	c.g.mu.Lock()
	defer c.g.mu.Unlock()
	return !c.g.shut && c.Claim.Held()
}

func (c gatedClaim) Release(ctx context.Context) error {
	return pass(c.g, "release claim", func() error { return c.Claim.Release(ctx) })
}

func (c gatedClaim) UpdateRun(ctx context.Context, r state.Run) error {
	return pass(c.g, "update run", func() error { return c.Claim.UpdateRun(ctx, r) })
}

func (c gatedClaim) EndRun(ctx context.Context, r state.Run, l *state.Lesson) error {
	return pass(c.g, "end run", func() error { return c.Claim.EndRun(ctx, r, l) })
}

func (c gatedClaim) Intend(ctx context.Context, rows []state.Entry) error {
	return pass(c.g, "intend", func() error { return c.Claim.Intend(ctx, rows) })
}

func (c gatedClaim) Settle(ctx context.Context, rows []state.Entry) error {
	return pass(c.g, "settle", func() error { return c.Claim.Settle(ctx, rows) })
}

type gatedTenant struct {
	destination.Destination
	g *gate
}

func (d gatedTenant) Read(ctx context.Context, want []directory.Attribute, sink progress.Sink) (*destination.Reading, error) {
	return through(d.g, "read", func() (*destination.Reading, error) { return d.Destination.Read(ctx, want, sink) })
}

func (d gatedTenant) Look(ctx context.Context, refs []directory.Ref, want []directory.Attribute, roles destination.Roles) ([]directory.Sighting, error) {
	return through(d.g, "look", func() ([]directory.Sighting, error) { return d.Destination.Look(ctx, refs, want, roles) })
}

func (d gatedTenant) Write(ctx context.Context, steps []plan.Step) []destination.Outcome {
	outs, err := through(d.g, "write", func() ([]destination.Outcome, error) { return d.Destination.Write(ctx, steps), nil })
	if err != nil {
		return make([]destination.Outcome, len(steps)) // all unknown
	}
	return outs
}

// still is a clock on which nothing takes time: a wait is over at once, and the
// time has moved on by it.
type still struct {
	mu  sync.Mutex
	now time.Time
}

func (c *still) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *still) Sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if d > 0 {
		c.now = c.now.Add(d)
	}
	return ctx.Err()
}
