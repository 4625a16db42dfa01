package periodic_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hacsync/hacsync/sync/clock"
	"github.com/hacsync/hacsync/sync/periodic"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/state"
	"github.com/hacsync/hacsync/sync/state/statetest"
)

// proxy leads to a PostgreSQL server, which can be cut.
type proxy struct {
	t  *testing.T
	to string
	l  net.Listener

	mu    sync.Mutex
	conns map[net.Conn]bool
	until time.Time // cut until then
}

// cutProxy returns the URL of the same database through a proxy.
func cutProxy(t *testing.T, place string) (string, *proxy) {
	t.Helper()
	u, err := url.Parse(place)
	if err != nil {
		t.Fatal("the URL of the test server cannot be read")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &proxy{t: t, to: u.Host, l: l, conns: map[net.Conn]bool{}}
	t.Cleanup(func() { _ = l.Close(); r.cut(time.Hour) })
	go r.serve()
	u.Host = l.Addr().String()
	return u.String(), r
}

func (r *proxy) serve() {
	for {
		in, err := r.l.Accept()
		if err != nil {
			return
		}
		r.mu.Lock()
		if time.Now().Before(r.until) {
			_ = in.Close()
			r.mu.Unlock()
			continue
		}
		out, err := net.Dial("tcp", r.to)
		if err != nil {
			_ = in.Close()
			r.mu.Unlock()
			continue
		}
		r.conns[in], r.conns[out] = true, true
		r.mu.Unlock()
		go func() { _, _ = io.Copy(in, out); _ = in.Close() }()
		go func() { _, _ = io.Copy(out, in); _ = out.Close() }()
	}
}

// cut ends every connection, and accepts none for a while.
func (r *proxy) cut(d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.until = time.Now().Add(d)
	for c := range r.conns {
		_ = c.Close()
	}
	r.conns = map[net.Conn]bool{}
}

// The database is away for a minute (of the worker's clock) while a write is on its
// way: nothing is lost, nothing is done twice, and it does not count against the
// domain.
func TestWorker_LosesNothingWhileTheDatabaseIsAway(t *testing.T) {
	for _, method := range []string{"read", "look", "write"} {
		t.Run(method, func(t *testing.T) {
			place, proxy := cutProxy(t, statetest.NewDatabase(t))
			c := clock.Scaled(60)
			w := newWorld(t, place, c, state.Options{Clock: c, TTL: 3 * time.Minute})
			w.cloud.add("t1", 50, "a.example")
			w.enable("t1", 24*time.Hour, -1) // minutes pass
			for i := range 40 {
				w.cloud.tenants["t1"].staff["a.example"][i].Name = "Changed"
			}
			w.dueNow("t1", "a.example")
			var once sync.Once
			w.cloud.hook = func(m string, _ request) error {
				if m == method {
					once.Do(func() { proxy.cut(time.Second) })
				}
				return nil
			}
			worker := w.worker("w1", w.store, periodic.Limits{})
			if err := worker.Once(t.Context()); err != nil {
				t.Fatal(err)
			}
			p := w.row("t1", "a.example")
			if p.Slot != 1 || p.Last.Outcome != periodic.Synced || p.Failures != 0 || p.Last.Seen != 40 {
				t.Errorf("%+v %+v", p, p.Last)
			}
			if n := len(w.cloud.lines()); n != 40 {
				t.Errorf("%d writes", n)
			}
		})
	}
}

// halting is a clock that can keep sleepers asleep: a frozen process does not beat.
type halting struct {
	mu sync.Mutex
	on chan struct{} // nil: runs
}

func (c *halting) Now() time.Time { return time.Now() }

func (c *halting) Sleep(ctx context.Context, d time.Duration) error {
	if err := clock.Real().Sleep(ctx, d); err != nil {
		return err
	}
	c.mu.Lock()
	on := c.on
	c.mu.Unlock()
	if on != nil {
		select {
		case <-on:
		case <-ctx.Done():
		}
	}
	return ctx.Err()
}

func (c *halting) halt() (wake func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	on := make(chan struct{})
	c.on = on
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.on = nil
		close(on)
	}
}

// waking is a clock on which sleeping takes real time.
type waking struct{ clock.Clock }

func (c *waking) Sleep(ctx context.Context, d time.Duration) error { return clock.Real().Sleep(ctx, d) }

// A worker freezes in an interval, at one call or another. Another worker takes
// the interval up; the frozen one wakes, and does nothing more.
func TestWorker_FrozenAndWokenWritesNothingMore(t *testing.T) {
	statetest.Places(t, func(t *testing.T, url string) {
		for _, method := range []string{"open", "source", "read", "look", "write"} {
			t.Run(method, func(t *testing.T) {
				url := url
				if strings.HasPrefix(url, "postgres") {
					url = statetest.NewDatabase(t)
				} else {
					url = statetest.NewFile(t)
				}
				const ttl = 500 * time.Millisecond
				w := newWorld(t, url, newBy(), state.Options{TTL: ttl})
				w.cloud.add("t1", 50, "a.example")
				w.enable("t1", time.Hour, -1)
				for i := range 40 {
					w.cloud.tenants["t1"].staff["a.example"][i].Name = "Changed"
				}
				w.clock.(*by).to(w.row("t1", "a.example").Due)
				ice := &halting{}
				frozen := w.worker("w1", w.open(state.Options{TTL: ttl, Clock: ice}), periodic.Limits{})
				asleep, wake := make(chan struct{}), make(chan struct{})
				var once sync.Once
				var thaw func()
				effect := func(m string, q request) error {
					if m == method && q.Worker == "w1" {
						once.Do(func() {
							thaw = ice.halt()
							close(asleep)
							<-wake
						})
					}
					return nil
				}
				if method == "write" { // the request has left: it takes effect
					w.cloud.after = effect
				} else {
					w.cloud.hook = effect
				}
				over := make(chan error)
				go func() { over <- frozen.Once(t.Context()) }()
				<-asleep
				other := w.worker("w2", w.store, periodic.Limits{})
				other.Clock = &waking{w.clock} // claims beat in real time here
				waitFor(t, "the interval is taken up", func() bool {
					if err := other.Once(t.Context()); err != nil {
						t.Fatal(err)
					}
					return w.row("t1", "a.example").Slot == 1
				})
				before := len(w.cloud.lines())
				runs, err := w.store.Runs(t.Context(), state.RunFilter{})
				if err != nil {
					t.Fatal(err)
				}
				thaw()
				close(wake)
				if err := <-over; err != nil {
					t.Fatal(err)
				}
				if n := len(w.cloud.lines()); n != before || n != 40 {
					t.Errorf("%d writes, then %d", before, n)
				}
				after, err := w.store.Runs(t.Context(), state.RunFilter{})
				if err != nil || len(after) != len(runs) {
					t.Errorf("%d runs, then %d, %v", len(runs), len(after), err)
				}
				p := w.row("t1", "a.example")
				if p.Slot != 1 || p.Last.Worker != "w2" || p.Last.Outcome != periodic.Synced || p.Turn != nil {
					t.Errorf("%+v %+v", p, p.Last)
				}
			})
		}
	})
}

// Two clocks five minutes apart: each interval is still carried out once, and none
// begins again because the other clock has not reached it yet.
func TestWorker_ClocksApartCarryOutNoIntervalTwice(t *testing.T) {
	w, _ := oneDomain(t, statetest.NewFile(t))
	w.cloud.tenants["t1"].endless = true
	behind := w.clock.(*by)
	ahead := &offset{by: 5 * time.Minute, of: behind}
	first, second := w.worker("behind", w.store, periodic.Limits{}), w.worker("ahead", w.store, periodic.Limits{})
	second.Clock = ahead
	for range 12 * 4 { // four hours in steps of five minutes
		for _, x := range []*periodic.Worker{second, first} {
			if err := x.Once(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		behind.pass(5 * time.Minute)
	}
	p := w.row("t1", "a.example")
	if n := len(w.cloud.lines()); n != 4 || p.Slot != 4 || p.Skipped != 0 {
		t.Errorf("%d writes in %d intervals, %d skipped", n, p.Slot, p.Skipped)
	}
}

// offset is a clock that differs from another.
type offset struct {
	by time.Duration
	of clock.Clock
}

func (c *offset) Now() time.Time { return c.of.Now().Add(c.by) }

func (c *offset) Sleep(ctx context.Context, d time.Duration) error { return c.of.Sleep(ctx, d) }

// order records in which order domains were begun, and how many at once.
type order struct {
	mu    sync.Mutex
	began []string
	now   map[string]int
	most  int
}

func (o *order) Began(tenant, _ string, _ time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.began = append(o.began, tenant)
	o.now[tenant]++
	o.most = max(o.most, o.now[tenant])
}

func (o *order) Ended(tenant, _ string, _ state.Interval) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.now[tenant]--
}

func (o *order) Waited(string, time.Duration) {}
func (o *order) Queue(int, int)               {}

// A tenant with many domains that are all overdue does not delay those with one.
func TestWorker_ALargeTenantDoesNotStarveSmallOnes(t *testing.T) {
	statetest.Places(t, func(t *testing.T, url string) {
		w := newWorld(t, url, newBy(), state.Options{})
		var many []string
		for i := range 30 {
			many = append(many, fmt.Sprintf("big%02d.example", i))
		}
		w.cloud.add("big", 1, many...)
		for i := range 6 {
			w.cloud.add(fmt.Sprintf("small%d", i), 1, fmt.Sprintf("small%d.example", i))
		}
		for tenant := range w.cloud.tenants {
			w.enable(tenant, time.Hour, -1)
		}
		// The large one's are the most overdue of all.
		for _, d := range many {
			_, err := w.store.ChangePeriodic(t.Context(), "big", d, func(p *state.Periodic) error {
				p.Due = p.Due.Add(-8 * time.Minute)
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		w.clock.(*by).to(w.row("small0", "small0.example").Due)
		o := &order{now: map[string]int{}}
		worker := w.worker("w1", w.store, periodic.Limits{Domains: 3, PerTenant: 2})
		worker.Metrics = o
		if err := worker.Once(t.Context()); err != nil {
			t.Fatal(err)
		}
		if len(o.began) != 36 || o.most > 2 {
			t.Fatalf("%d intervals, up to %d of a tenant at once", len(o.began), o.most)
		}
		big := 0
		for i, tenant := range o.began {
			if tenant == "big" {
				big++
			} else if big > 3 {
				t.Fatalf("%s waited for %d intervals of the large tenant: %v", tenant, big, o.began[:i+1])
			}
		}
	})
}

// A user's sync at the same time is not disturbed: the interval is passed over.
func TestWorker_PassesOverWhatAPersonSynchronisesNow(t *testing.T) {
	w, worker := oneDomain(t, statetest.NewFile(t))
	person := w.open(state.Options{})
	c, err := person.Take(t.Context(), "t1", "a.example", "t.mori", false)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := person.BeginRun(t.Context(), state.Run{Kind: state.Sync, Tenant: "t1", Domain: "a.example", By: "t.mori"}); err != nil {
		t.Fatal(err)
	}
	p := w.once(worker, "t1", "a.example")
	if p.Last.Outcome != periodic.PassedOver || p.Last.Why.Code != problem.DomainBusy || p.Failures != 0 || p.Slot != 1 {
		t.Errorf("%+v", p.Last)
	}
	if err := c.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
}
