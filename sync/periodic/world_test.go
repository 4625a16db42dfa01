package periodic_test

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hacsync/hacsync/sync/clock"
	"github.com/hacsync/hacsync/sync/notice"
	"github.com/hacsync/hacsync/sync/periodic"
	"github.com/hacsync/hacsync/sync/run"
	"github.com/hacsync/hacsync/sync/state"
)

// by is a clock that a test moves; sleeping on it takes no time and moves it.
type by struct {
	mu  sync.Mutex
	now time.Time
}

func newBy() *by { return &by{now: time.Date(2026, 11, 25, 9, 52, 0, 0, time.UTC)} }

func (c *by) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *by) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func (c *by) to(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if t.After(c.now) {
		c.now = t
	}
}

func (c *by) Sleep(ctx context.Context, d time.Duration) error {
	if d > 0 {
		c.pass(d)
	}
	return ctx.Err()
}

// world is a state, a cloud, and workers on it.
type world struct {
	t     *testing.T
	url   string
	clock clock.Clock
	cloud *cloud
	store *state.Store
	told  *ears
}

// newWorld makes a world on a clock. Claims beat in real time unless the clock is
// given to them too.
func newWorld(t *testing.T, url string, c clock.Clock, o state.Options) *world {
	t.Helper()
	w := &world{t: t, url: url, clock: c, cloud: newCloud(c), told: &ears{}}
	w.store = w.open(o)
	return w
}

func (w *world) open(o state.Options) *state.Store {
	w.t.Helper()
	s, err := state.OpenWith(w.t.Context(), w.url, withLocks(w.t, w.url, o))
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = s.Close() })
	return s
}

func withLocks(t testing.TB, url string, o state.Options) state.Options {
	if o.LockDir == "" && strings.HasPrefix(url, "postgres") {
		o.LockDir = filepath.Join(os.TempDir(), "hacsync-test-locks", filepath.Base(url))
		t.Cleanup(func() { _ = os.RemoveAll(o.LockDir) })
	}
	return o
}

// worker makes one on a store of the world.
func (w *world) worker(name string, s *state.Store, limits periodic.Limits) *periodic.Worker {
	return &periodic.Worker{
		Store: periodic.OnStore(s), Clock: w.clock, Name: name, Limits: limits, Notices: w.told, Log: logTo(w.t),
		Open: func(_ context.Context, connection string) (*run.Runner, error) {
			return runnerOn(w.cloud, strings.TrimPrefix(connection, "to-"), name, run.OnStore(s), w.clock), nil
		},
	}
}

// control is what a user uses in a tenant.
func (w *world) control(tenant string) *periodic.Control {
	return &periodic.Control{
		Store: periodic.OnStore(w.store), Clock: w.clock,
		Runner: runnerOn(w.cloud, tenant, "person", run.OnStore(w.store), w.clock),
	}
}

// enable sets every domain of a tenant up and enables it.
func (w *world) enable(tenant string, every, jitter time.Duration) {
	w.t.Helper()
	for _, d := range w.cloud.tenants[tenant].domains {
		w.setUp(tenant, d)
		if _, _, err := w.control(tenant).Enable(w.t.Context(), periodic.Request{
			Domain: d, Every: every, Jitter: jitter, By: "t.mori", Reason: "a test",
		}); err != nil {
			w.t.Fatal(err)
		}
	}
}

// setUp gives a domain its source and no limit of changes, and claims all its
// accounts: they may be deleted.
func (w *world) setUp(tenant, domain string) {
	w.t.Helper()
	err := w.control(tenant).Runner.SetSettings(w.t.Context(), domain, map[string]string{"source": "csv:" + domain, "max_changes": "0"})
	if err != nil {
		w.t.Fatal(err)
	}
	var ids []string
	for id := range w.cloud.tenants[tenant].users {
		ids = append(ids, string(id))
	}
	if err := w.store.Vouch(w.t.Context(), tenant, domain, ids); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) row(tenant, domain string) state.Periodic {
	w.t.Helper()
	p, is, err := w.store.Periodic(w.t.Context(), tenant, domain)
	if err != nil || !is {
		w.t.Fatalf("no periodic sync of %s: %v", domain, err)
	}
	return p
}

// underWay counts the intervals that a worker carries out.
func (w *world) underWay(name string) int {
	w.t.Helper()
	rows, err := w.store.Periodics(w.t.Context(), state.PeriodicFilter{})
	if err != nil {
		w.t.Fatal(err)
	}
	n := 0
	for _, p := range rows {
		if p.Turn != nil && p.Turn.Worker == name {
			n++
		}
	}
	return n
}

// ears are notices that were sent.
type ears struct {
	mu     sync.Mutex
	events []notice.Event
}

func (e *ears) Tell(_ context.Context, n notice.Event) error {
	if n.Kind == notice.Questions && n.Numbers.Questions == 0 {
		return nil // ends what was reported of questions, if there was any
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.events = append(e.events, n)
	return nil
}

func (e *ears) Forget(context.Context, string, string) error { return nil }

func (e *ears) Recovered(ctx context.Context, n notice.Event) error { return e.Tell(ctx, n) }

// kinds returns those received since the last call, except those of certificates.
func (e *ears) kinds() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	var all []string
	for _, n := range e.events {
		if n.Kind != notice.Certificate {
			all = append(all, string(n.Kind))
		}
	}
	e.events = nil
	return strings.Join(all, " ")
}

// logTo writes a log to a test's, and nothing after it.
func logTo(t testing.TB) *slog.Logger {
	name := "worker"
	if t != nil {
		name = t.Name()
	}
	if os.Getenv("HACSYNC_TEST_LOG") == "" {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(slog.NewTextHandler(os.Stderr, nil)).With("test", name)
}
