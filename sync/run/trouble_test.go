package run_test

import (
	"context"
	"database/sql"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hacsync/hacsync/sync/consent"
	"github.com/hacsync/hacsync/sync/destination"
	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/run"
	"github.com/hacsync/hacsync/sync/source"
	"github.com/hacsync/hacsync/sync/state"
	"github.com/hacsync/hacsync/sync/state/statetest"
)

// proxy stands between a program and its PostgreSQL server.
type proxy struct {
	listener net.Listener
	to       string
	mu       sync.Mutex
	open     []net.Conn
	state    atomic.Int32 // isOpen, isCut, swallows
	dialled  atomic.Int32 // while it was cut
}

const (
	isOpen = iota
	isCut
	swallows
)

// proxied is the URL of a database behind a new proxy.
func proxied(t *testing.T, database string) (string, *proxy) {
	t.Helper()
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{listener: l, to: u.Host}
	t.Cleanup(func() { _ = l.Close(); p.set(isCut) })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go p.serve(c)
		}
	}()
	u.Host = l.Addr().String()
	return u.String(), p
}

func (p *proxy) serve(c net.Conn) {
	if p.state.Load() == isCut {
		p.dialled.Add(1)
		_ = c.Close()
		return
	}
	s, err := net.Dial("tcp", p.to)
	if err != nil {
		_ = c.Close()
		return
	}
	p.mu.Lock()
	p.open = append(p.open, c, s)
	p.mu.Unlock()
	pass := func(to, from net.Conn) {
		buf := make([]byte, 32<<10)
		for {
			n, err := from.Read(buf)
			if p.state.Load() == swallows {
				continue
			}
			if n > 0 {
				if _, err := to.Write(buf[:n]); err != nil {
					break
				}
			}
			if err != nil {
				break
			}
		}
		_ = to.Close()
		_ = from.Close()
	}
	go pass(s, c)
	pass(c, s)
}

// set changes what the proxy does; being cut closes what is open.
func (p *proxy) set(state int32) {
	p.state.Store(state)
	if state == swallows {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.open {
		_ = c.Close()
	}
	p.open = nil
}

// busy is an arena with 45 updates to do, and a hook at the nth write.
func busy(t *testing.T, url string, n int, hook func()) *arena {
	t.Helper()
	a := newcomer(t, filepath.Join(t.TempDir(), "s.db"), 100)
	if url != "" {
		a.url = url
	}
	a.learn(t)
	for i := range 45 {
		a.source.rows[i].Values[0] = directory.Text("改")
	}
	var writes atomic.Int32
	a.tenant.after = func(plan.Step) *destination.Outcome {
		if int(writes.Add(1)) == n {
			hook()
		}
		return nil
	}
	return a
}

// with is a process on the arena with other than the preset options.
func (a *arena) with(t *testing.T, o state.Options) *process {
	t.Helper()
	if o.LockDir == "" {
		o.LockDir = filepath.Join(t.TempDir(), "locks")
	}
	store, err := state.OpenWith(t.Context(), a.url, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	return &process{gate: &gate{}, store: store, Runner: &run.Runner{
		Connection:  consent.Connection{Name: "midori", Tenant: "t-1"},
		Store:       run.OnStore(store),
		Destination: a.tenant,
		OpenSource:  func(context.Context, string, run.Settings) (source.Source, error) { return a.source, nil },
		Clock:       a.clock,
		Holder:      "process",
	}}
}

// once checks that every account was written exactly once.
func (a *arena) once(t *testing.T) {
	t.Helper()
	writes := slices.Sorted(slices.Values(a.tenant.writes))
	if len(writes) != 45 || len(slices.Compact(writes)) != 45 {
		t.Errorf("%d writes, of which %d are different; want 45: %q", len(a.tenant.writes), len(slices.Compact(writes)), a.tenant.writes)
	}
}

func TestTrouble_ADatabaseThatIsAwayForAWhileDoesNotEndASync(t *testing.T) {
	for name, state1 := range map[string]int32{"cut": isCut, "swallowing": swallows} {
		t.Run(name, func(t *testing.T) {
			url, p := proxied(t, statetest.NewDatabase(t))
			a := busy(t, url, 25, func() {
				p.set(state1)
				time.AfterFunc(4*time.Second, func() { p.set(isOpen) })
			})
			rep, err := a.with(t, state.Options{TTL: 8 * time.Second}).approveAll(t.Context())
			if err != nil || rep.State != state.Done || rep.Seen != 45 {
				t.Fatalf("%+v, %v", rep, err)
			}
			a.once(t)
			if n := p.dialled.Load(); n > 120 {
				t.Errorf("the server was dialled %d times in 4 s", n)
			} else {
				t.Logf("dialled %d times in 4 s", n)
			}
		})
	}
}

func TestTrouble_SessionsThatAreEndedByTheServerDoNotEndASync(t *testing.T) {
	place := statetest.NewDatabase(t)
	db, err := sql.Open("pgx", place)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	stop := make(chan struct{})
	a := busy(t, place, 1, func() {
		go func() {
			for {
				select {
				case <-stop:
					return
				case <-time.After(20 * time.Millisecond):
					_, _ = db.Exec(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
						WHERE datname = current_database() AND pid <> pg_backend_pid()`)
				}
			}
		}()
		time.AfterFunc(2*time.Second, func() { close(stop) })
	})
	rep, err := a.with(t, state.Options{}).approveAll(t.Context())
	if err != nil || rep.State != state.Done || rep.Seen != 45 {
		t.Fatalf("%+v, %v", rep, err)
	}
	a.once(t)
}

func TestTrouble_ADatabaseThatStaysAwayStopsTheSyncAndItIsResumed(t *testing.T) {
	url, p := proxied(t, statetest.NewDatabase(t))
	a := busy(t, url, 25, func() { p.set(isCut) })
	begun := time.Now()
	rep, err := a.with(t, state.Options{Absence: time.Second}).approveAll(t.Context())
	if !problem.Has(err, problem.StateWentAway) || rep.State != state.Stopped {
		t.Fatalf("%+v, %v", rep, err)
	}
	if took := time.Since(begun); took > 15*time.Second {
		t.Errorf("it took %v", took)
	}
	p.set(isOpen)
	next := a.with(t, state.Options{TTL: 500 * time.Millisecond, Fresh: 5 * time.Second})
	open := awaitOpen(t, next)
	if rep, err = next.Resume(t.Context(), open.No); err != nil || rep.Seen != 45 {
		t.Fatalf("resumed: %+v, %v", rep, err)
	}
	a.once(t)
	a.check(t, next.store)
}

func TestTrouble_AStateThatAnotherProgramLocksIsWaitedFor(t *testing.T) {
	var a *arena
	a = busy(t, "", 25, func() {
		db, err := sql.Open("sqlite", strings.TrimPrefix(a.url, "sqlite://"))
		if err != nil {
			t.Error(err)
			return
		}
		conn, err := db.Conn(context.Background())
		for err == nil { // others write too
			if _, berr := conn.ExecContext(context.Background(), `BEGIN IMMEDIATE`); berr == nil {
				break
			}
		}
		if err != nil {
			t.Error(err)
		}
		time.AfterFunc(3*time.Second, func() {
			_ = conn.Close()
			_ = db.Close()
		})
	})
	rep, err := a.with(t, state.Options{}).approveAll(t.Context())
	if err != nil || rep.Seen != 45 {
		t.Fatalf("%+v, %v", rep, err)
	}
	a.once(t)
}

func TestTrouble_AFullDiskStopsTheSyncAndItIsResumed(t *testing.T) {
	dir := smallDisk(t)
	filler := filepath.Join(dir, "filler")
	a := busy(t, state.FileURL(filepath.Join(dir, "s.db")), 25, func() {
		f, err := os.Create(filler)
		if err != nil {
			t.Error(err)
			return
		}
		for block := make([]byte, 4096); err == nil; {
			_, err = f.Write(block)
		}
		_ = f.Close()
	})
	p := a.with(t, state.Options{})
	rep, err := p.approveAll(t.Context())
	if !problem.Has(err, problem.StateRanFull) || rep.State != state.Stopped {
		t.Fatalf("%+v, %v", rep, err)
	}
	_ = p.store.Close()
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	next := a.with(t, state.Options{TTL: 500 * time.Millisecond, Fresh: 5 * time.Second})
	open := awaitOpen(t, next)
	if rep, err = next.Resume(t.Context(), open.No); err != nil || rep.Seen != 45 {
		t.Fatalf("resumed: %+v, %v", rep, err)
	}
	a.once(t)
	a.check(t, next.store)
}

// TestTrouble_AFrozenProcessLosesItsDomainAndHarmsNothing freezes one in the
// middle of a request: it does not beat, and its answer comes after another has
// carried the sync out.
func TestTrouble_AFrozenProcessLosesItsDomainAndHarmsNothing(t *testing.T) {
	for _, kind := range []string{"sqlite", "postgres"} {
		t.Run(kind, func(t *testing.T) {
			place := ""
			if kind == "postgres" {
				place = statetest.NewDatabase(t)
			}
			frozen, thaw := make(chan struct{}), make(chan struct{})
			a := busy(t, place, 25, func() {})
			var writes atomic.Int32
			freezer := &freezing{Destination: a.tenant, at: 2, calls: &writes, frozen: frozen, thaw: thaw}
			p := a.with(t, state.Options{TTL: 500 * time.Millisecond, Beat: time.Hour, Fresh: time.Hour})
			p.Destination = freezer
			p.Holder = "frozen"
			ended := make(chan error, 1)
			go func() {
				_, err := p.approveAll(t.Context())
				ended <- err
			}()
			<-frozen
			other := a.with(t, state.Options{TTL: 500 * time.Millisecond, Fresh: 5 * time.Second})
			open := awaitOpen(t, other)
			rep, err := other.ResumeUnattended(t.Context(), open.No)
			for problem.Has(err, problem.DomainBusy) {
				time.Sleep(100 * time.Millisecond)
				rep, err = other.ResumeUnattended(t.Context(), open.No)
			}
			if err != nil || rep.State != state.Done || rep.Seen != 45 {
				t.Fatalf("%+v, %v", rep, err)
			}
			before, err := other.store.Journal(t.Context(), open.No)
			if err != nil {
				t.Fatal(err)
			}
			close(thaw)
			if err := <-ended; !problem.Has(err, problem.ClaimLost) {
				t.Errorf("the frozen one: %v", err)
			}
			after, err := other.store.Journal(t.Context(), open.No)
			if err != nil || len(before) != len(after) {
				t.Fatal(err)
			}
			for i := range after {
				if before[i].State != after[i].State || before[i].Token != after[i].Token {
					t.Errorf("row %d of the journal is %s, was %s", i, after[i].State, before[i].State)
				}
			}
			if r, err := other.store.Run(t.Context(), open.No); err != nil || r.State != state.Done {
				t.Errorf("the run is %s, %v", r.State, err)
			}
			a.check(t, other.store)
		})
	}
}

// freezing answers one write only when it is thawed; its effect comes then.
type freezing struct {
	destination.Destination
	at           int32
	calls        *atomic.Int32
	frozen, thaw chan struct{}
}

func (f *freezing) Write(ctx context.Context, steps []plan.Step) []destination.Outcome {
	if f.calls.Add(1) == f.at {
		close(f.frozen)
	}
	if f.calls.Load() >= f.at {
		<-f.thaw
	}
	return f.Destination.Write(ctx, steps)
}

// TestTrouble_ClocksAnHourApart lets a machine whose clock is an hour ahead die,
// and one whose clock is an hour behind go on.
func TestTrouble_ClocksAnHourApart(t *testing.T) {
	for _, kind := range []string{"sqlite", "postgres"} {
		t.Run(kind, func(t *testing.T) {
			place := ""
			if kind == "postgres" {
				place = statetest.NewDatabase(t)
			}
			a := busy(t, place, 0, nil)
			a.source.rows = slices.Delete(a.source.rows, 50, 52)
			p := a.with(t, state.Options{TTL: 500 * time.Millisecond, Clock: offset(time.Hour)})
			p.Clock = &apart{a.clock, time.Hour}
			planned, err := p.DryRun(t.Context(), domain, run.Overrides{Source: "hac", Unattended: true})
			if err != nil {
				t.Fatal(err)
			}
			g := &gate{at: 8, behind: true}
			p.Store, p.Destination = gatedStore{p.Store, g}, gatedTenant{a.tenant, g}
			b := run.Approval{Fingerprint: planned.Plan.Fingerprint(), Unattended: true}
			if _, err := p.Sync(t.Context(), planned, b); err == nil {
				t.Fatal("not killed")
			}
			_ = p.store.Close()
			next := a.with(t, state.Options{TTL: 500 * time.Millisecond, Fresh: 5 * time.Second, Clock: offset(-time.Hour)})
			next.Clock = &apart{a.clock, -time.Hour}
			open := awaitOpen(t, next)
			rep, err := next.ResumeUnattended(t.Context(), open.No)
			if err != nil || rep.Seen != 47 {
				t.Fatalf("%+v, %v", rep, err)
			}
			again, err := next.DryRun(t.Context(), domain, run.Overrides{Source: "hac", Unattended: true})
			if err != nil || again.Plan.Len() != 0 || again.Plan.Verdict().Today != 2 {
				t.Fatalf("the next plan has %d rows, verdict %+v, %v", again.Plan.Len(), again.Plan.Verdict(), err)
			}
			a.check(t, next.store)
		})
	}
}

// offset is the real clock of a machine that is wrong.
type offset time.Duration

func (o offset) Now() time.Time { return time.Now().Add(time.Duration(o)) }
func (o offset) Sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
