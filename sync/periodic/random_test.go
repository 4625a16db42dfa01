package periodic_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/hacsync/hacsync/sync/periodic"
	"github.com/hacsync/hacsync/sync/run"
	"github.com/hacsync/hacsync/sync/state"
)

// A random world: workers die, start, freeze, wake and have their clocks put
// forward and back, while an alarm clock wakes any of them, late, twice or never.
// Time is that of a synctest bubble: hours take no time.
//
// The source of a domain always wants one more change, so that every sync that
// is carried out shows in the tenant as one write.

// event is something that happens to a worker, mostly in the minutes after an
// interval of a domain was due.
type event struct {
	hour   int
	domain int
	after  time.Duration
	at     time.Time // in the play
	what   string
	worker int
	by     time.Duration
}

// script is a random world's course.
type script struct {
	events   []event
	seed     uint64
	immortal bool // the first worker always lives and is always awake
	jumps    bool
	hours    int
}

func draw(rt *rapid.T) script {
	s := script{
		seed: rapid.Uint64().Draw(rt, "seed"), immortal: rapid.Bool().Draw(rt, "immortal"),
		jumps: rapid.Bool().Draw(rt, "jumps"), hours: rapid.IntRange(1, 3).Draw(rt, "hours"),
	}
	kinds := []string{"kill", "kill", "start", "start", "freeze", "thaw", "thaw", "stop"}
	if s.jumps {
		kinds = append(kinds, "jump")
	}
	for range rapid.IntRange(0, 40).Draw(rt, "events") {
		e := event{
			hour: rapid.IntRange(0, s.hours-1).Draw(rt, "hour"), domain: rapid.IntRange(0, 3).Draw(rt, "domain"),
			after: time.Duration(rapid.IntRange(0, 120_000).Draw(rt, "after")) * time.Millisecond,
			what:  rapid.SampledFrom(kinds).Draw(rt, "what"), worker: rapid.IntRange(0, 2).Draw(rt, "worker"),
		}
		if rapid.IntRange(0, 3).Draw(rt, "far") == 0 {
			e.after *= 20
		}
		if e.what == "jump" {
			e.by = time.Duration(rapid.IntRange(-300, 300).Draw(rt, "by")) * time.Second
		}
		if s.immortal && e.worker == 0 && e.what != "jump" {
			continue
		}
		s.events = append(s.events, e)
	}
	return s
}

// randomFor is how long random worlds are drawn; each takes a second or so.
var randomFor = flag.Duration("proof.random", 8*time.Second, "how long random worlds of workers are drawn")

func TestRandom_WhateverHappensToWorkersEachIntervalIsCarriedOutOnce(t *testing.T) {
	dir := t.TempDir()
	n := 0
	began := time.Now()
	rapid.Check(t, func(rt *rapid.T) {
		s := draw(rt)
		if time.Since(began) > *randomFor {
			return
		}
		n++
		home := filepath.Join(dir, fmt.Sprint(n))
		var wrong []string
		synctest.Test(t, func(t *testing.T) { wrong = s.play(t, home) })
		_ = os.RemoveAll(home)
		if len(wrong) > 0 {
			rt.Fatalf("%s\n%+v", strings.Join(wrong, "\n"), s)
		}
	})
	t.Logf("%d random worlds", n)
}

// gate is what freezes and kills a worker: all its calls pass here.
type gate struct {
	mu     sync.Mutex
	dead   bool
	frozen chan struct{} // closed by the thaw; nil while awake
	offset time.Duration
	slow   *rand.Rand
}

var errDead = errors.New("dead")

// pass takes a while, so that death and frost come in the middle of things.
func (g *gate) pass() error {
	if g.slow != nil {
		g.mu.Lock()
		d := time.Duration(g.slow.IntN(4000)) * time.Millisecond
		g.mu.Unlock()
		time.Sleep(d)
	}
	return g.awake()
}

// awake returns an error to a dead worker, and holds a frozen one.
func (g *gate) awake() error {
	for {
		g.mu.Lock()
		dead, frozen := g.dead, g.frozen
		g.mu.Unlock()
		if dead {
			return errDead
		}
		if frozen == nil {
			return nil
		}
		<-frozen
	}
}

// Now and Sleep make it a clock, with the error that it has.
func (g *gate) Now() time.Time {
	g.mu.Lock()
	defer g.mu.Unlock()
	return time.Now().Add(g.offset)
}

func (g *gate) Sleep(ctx context.Context, d time.Duration) error {
	if d > 0 {
		t := time.NewTimer(d)
		defer t.Stop()
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-t.C:
		}
	}
	if err := g.awake(); err != nil {
		return err
	}
	return ctx.Err()
}

// gatedStore and gatedSlot let through what a worker asks of the state itself.
type gatedStore struct {
	periodic.Store
	g *gate
}

func (s gatedStore) TakeSlot(ctx context.Context, tenant, domain, holder string, seats int) (periodic.Slot, error) {
	if err := s.g.pass(); err != nil {
		return nil, err
	}
	slot, err := s.Store.TakeSlot(ctx, tenant, domain, holder, seats)
	if err != nil {
		return nil, err
	}
	if err := s.g.pass(); err != nil {
		return nil, err
	}
	return gatedSlot{slot, s.g}, nil
}

func (s gatedStore) Runs(ctx context.Context, f state.RunFilter) ([]state.Run, error) {
	if err := s.g.pass(); err != nil {
		return nil, err
	}
	return s.Store.Runs(ctx, f)
}

type gatedSlot struct {
	periodic.Slot
	g *gate
}

func (s gatedSlot) Confirm(ctx context.Context) error {
	if err := s.g.pass(); err != nil {
		return err
	}
	return s.Slot.Confirm(ctx)
}

func (s gatedSlot) ChangePeriodic(ctx context.Context, f func(*state.Periodic) error) (state.Periodic, error) {
	if err := s.g.pass(); err != nil {
		return state.Periodic{}, err
	}
	p, err := s.Slot.ChangePeriodic(ctx, f)
	if perr := s.g.pass(); perr != nil {
		return p, perr
	}
	return p, err
}

func (s gatedSlot) Release(ctx context.Context) error {
	if err := s.g.pass(); err != nil {
		return err
	}
	return s.Slot.Release(ctx)
}

// gatedCloud freezes before a request of the worker, and after a write: between a
// check and a socket nothing can hold a request back.
type gatedCloud struct {
	*cloud
	g *gate
}

func (c gatedCloud) call(ctx context.Context, method string, q request) (answer, error) {
	if method != "write" {
		if err := c.g.pass(); err != nil {
			return answer{}, err
		}
	}
	c.g.mu.Lock()
	dead := c.g.dead
	c.g.mu.Unlock()
	if dead {
		return answer{}, errDead
	}
	a, err := c.cloud.call(ctx, method, q)
	if perr := c.g.pass(); perr != nil {
		return answer{}, perr
	}
	return a, err
}

// hub is an unreliable alarm clock.
type hub struct {
	mu     sync.Mutex
	rand   *rand.Rand
	asleep map[*chaos]bool
	queue  []periodic.Ring
}

// chaos is one worker's side of it.
type chaos struct {
	h    *hub
	g    *gate
	work func(context.Context, periodic.Ring) bool
	n    chan struct{}
	wg   sync.WaitGroup
}

func (c *chaos) Ring(_ context.Context, rings []periodic.Ring) ([]periodic.Rung, error) {
	if err := c.g.pass(); err != nil {
		return nil, err
	}
	c.h.mu.Lock()
	defer c.h.mu.Unlock()
	for _, r := range rings {
		for range 1 + c.h.rand.IntN(3)/2 { // one in three is delivered twice
			if c.h.rand.IntN(8) > 0 { // and one in eight not at all
				c.h.queue = append(c.h.queue, r)
			}
		}
	}
	c.h.deliver()
	return make([]periodic.Rung, len(rings)), nil
}

// deliver wakes any worker for each ring, after any time.
func (h *hub) deliver() {
	for _, r := range h.queue {
		var all []*chaos
		for c := range h.asleep {
			all = append(all, c)
		}
		if len(all) == 0 {
			return
		}
		c := all[h.rand.IntN(len(all))]
		late := time.Duration(h.rand.IntN(20)) * time.Second
		if h.rand.IntN(4) == 0 {
			late *= 20
		}
		c.wg.Go(func() {
			time.Sleep(late)
			if c.g.pass() != nil {
				return
			}
			c.n <- struct{}{}
			defer func() { <-c.n }()
			c.work(context.Background(), r)
		})
	}
	h.queue = nil
}

func (c *chaos) Start(_ context.Context, n int, work func(context.Context, periodic.Ring) bool) error {
	c.work, c.n = work, make(chan struct{}, n)
	c.h.mu.Lock()
	defer c.h.mu.Unlock()
	c.h.asleep[c] = true
	return nil
}

func (c *chaos) Stop(context.Context) error {
	c.h.mu.Lock()
	delete(c.h.asleep, c)
	c.h.mu.Unlock()
	c.wg.Wait()
	return nil
}

// being is a worker of a random world.
type being struct {
	g     *gate
	store *state.Store
	end   context.CancelFunc
	over  chan struct{}
}

func (b *being) kill() {
	b.g.mu.Lock()
	b.g.dead = true
	b.g.mu.Unlock()
	b.thaw()
	_ = b.store.Close()
	b.end()
}

func (b *being) freeze() {
	b.g.mu.Lock()
	defer b.g.mu.Unlock()
	if b.g.frozen == nil {
		b.g.frozen = make(chan struct{})
	}
}

func (b *being) thaw() {
	b.g.mu.Lock()
	defer b.g.mu.Unlock()
	if b.g.frozen != nil {
		close(b.g.frozen)
		b.g.frozen = nil
	}
}

// play runs the script, and lists what was wrong.
func (s script) play(t *testing.T, home string) (wrong []string) {
	url := state.FileURL(filepath.Join(home, "state.db"))
	w := &world{t: t, url: url, clock: &gate{}, told: &ears{}}
	w.cloud = newCloud(w.clock)
	store, err := state.Open(t.Context(), url, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	w.store = store
	for tenant, domains := range map[string][]string{"t1": {"a.example", "b.example", "c.example"}, "t2": {"d.example"}} {
		w.cloud.add(tenant, 2, domains...).endless = true
		w.enable(tenant, time.Hour, 20*time.Minute)
	}
	first, order := map[string]time.Time{}, []string{}
	for _, d := range [][2]string{{"t1", "a.example"}, {"t1", "b.example"}, {"t1", "c.example"}, {"t2", "d.example"}} {
		first[d[1]] = w.row(d[0], d[1]).Due
		order = append(order, d[1])
	}
	h := &hub{rand: rand.New(rand.NewPCG(s.seed, 1)), asleep: map[*chaos]bool{}}
	beings, names := map[int]*being{}, 0
	begin := func(i int) {
		names++
		b := &being{g: &gate{slow: rand.New(rand.NewPCG(s.seed, uint64(names)))}, over: make(chan struct{})}
		if b.store, err = state.OpenWith(t.Context(), url, state.Options{Clock: b.g}); err != nil {
			t.Fatal(err)
		}
		name := fmt.Sprintf("w%d-%d", i, names)
		ctx, end := context.WithCancel(t.Context())
		b.end = end
		worker := &periodic.Worker{
			Store: gatedStore{periodic.OnStore(b.store), b.g}, Clock: b.g, Name: name, Queue: &chaos{h: h, g: b.g},
			Notices: w.told, Log: logTo(nil), Limits: periodic.Limits{Look: 10 * time.Second, Report: 5 * time.Minute},
			Open: func(_ context.Context, connection string) (*run.Runner, error) {
				return runnerOn(gatedCloud{w.cloud, b.g}, strings.TrimPrefix(connection, "to-"), name, run.OnStore(b.store), b.g), nil
			},
		}
		go func() {
			defer close(b.over)
			_ = worker.Run(ctx)
			_ = b.store.Close()
		}()
		beings[i] = b
	}
	finish := func(i int) {
		if b := beings[i]; b != nil {
			b.thaw()
			b.end()
			<-b.over
			delete(beings, i)
		}
	}
	begin(0)
	begin(1)
	began := time.Now()
	for i, e := range s.events {
		s.events[i].at = first[order[e.domain]].Add(time.Duration(e.hour)*time.Hour + e.after)
	}
	slices.SortStableFunc(s.events, func(x, y event) int { return x.at.Compare(y.at) })
	for _, e := range s.events {
		time.Sleep(time.Until(e.at))
		b := beings[e.worker]
		switch {
		case e.what == "start" && b == nil:
			begin(e.worker)
		case b == nil:
		case e.what == "kill":
			b.kill()
			delete(beings, e.worker)
			defer func() { <-b.over }()
		case e.what == "stop":
			finish(e.worker)
		case e.what == "freeze":
			b.freeze()
		case e.what == "thaw":
			b.thaw()
		case e.what == "jump":
			b.g.mu.Lock()
			b.g.offset += e.by
			b.g.mu.Unlock()
		}
	}
	time.Sleep(time.Until(began.Add(time.Duration(s.hours)*time.Hour + 30*time.Minute)))
	for i := range 3 {
		finish(i)
	}
	// A last worker ends whatever is left open.
	begin(9)
	time.Sleep(2*time.Hour + 30*time.Minute)
	finish(9)
	writes, inInterval := map[string]int64{}, map[string]map[int64]int{}
	for _, l := range w.cloud.lines() {
		writes[l.Domain]++
		if inInterval[l.Domain] == nil {
			inInterval[l.Domain] = map[int64]int{}
		}
		inInterval[l.Domain][int64(l.At.Sub(first[l.Domain])/time.Hour)]++
		if l.At.Before(first[l.Domain]) && !s.jumps {
			wrong = append(wrong, fmt.Sprintf("%s: a write at %v, before it was due", l.Domain, l.At))
		}
	}
	for d, n := range inInterval {
		for i, n := range n {
			if n > 1 && !s.jumps {
				wrong = append(wrong, fmt.Sprintf("%s: %d writes in hour %d", d, n, i))
			}
		}
	}
	for _, tenant := range []string{"t1", "t2"} {
		for _, d := range w.cloud.tenants[tenant].domains {
			p := w.row(tenant, d)
			passed := int64(p.Due.Sub(first[d]) / time.Hour)
			switch {
			case p.State != state.Enabled || p.Failures > 0 || p.Turn != nil:
				wrong = append(wrong, fmt.Sprintf("%s: %+v, last %+v", d, p, p.Last))
			case writes[d] != p.Slot:
				wrong = append(wrong, fmt.Sprintf("%s: %d writes in %d intervals", d, writes[d], p.Slot))
			case p.Slot+p.Skipped != passed:
				wrong = append(wrong, fmt.Sprintf("%s: %d carried out and %d skipped of %d", d, p.Slot, p.Skipped, passed))
			case p.Skipped > 0 && s.immortal && !s.jumps:
				wrong = append(wrong, fmt.Sprintf("%s: %d skipped although somebody was there", d, p.Skipped))
			case p.Due.Before(time.Now()):
				wrong = append(wrong, fmt.Sprintf("%s: due at %v, forgotten", d, p.Due))
			}
		}
	}
	return wrong
}
