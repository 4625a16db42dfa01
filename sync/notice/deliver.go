package notice

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/hacsync/hacsync/sync/clock"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/state"
)

// The times of delivering.
const (
	poll      = 15 * time.Second // how often the state is looked at for others' notices
	shortest  = 30 * time.Second // pause after the first failed attempt; doubled each time
	longest   = time.Hour        // never longer than this
	attempts  = 12               // then a delivery is given up, after five to six hours
	keep      = 90 * 24 * time.Hour
	atOnce    = 4   // notices in delivery at once
	batch     = 500 // notices looked at in one round
	pruneEach = 6 * time.Hour
)

// pause returns how long to wait after so many failed attempts.
func pause(failed int, why error) time.Duration {
	d := longest
	if shift := failed - 1; shift < 8 {
		d = min(shortest<<shift, longest)
	}
	if p := problem.Of(why); p != nil && p.Upstream != nil {
		d = max(d, min(p.Upstream.RetryAfter, longest))
	}
	return d
}

// Run delivers until ctx ends. Deliveries under way are then put back. It returns
// nil: errors are logged, and tried again.
func (t *Teller) Run(ctx context.Context) error {
	var pruned time.Time
	for ctx.Err() == nil {
		if err := t.round(ctx); err != nil && ctx.Err() == nil {
			t.complain(ctx, err)
		}
		if now := t.clock.Now(); now.Sub(pruned) >= pruneEach {
			pruned = now
			t.prune(ctx, now)
		}
		t.rest(ctx)
	}
	return nil
}

// rest waits until this process has a new notice, or for poll.
func (t *Teller) rest(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-t.wake:
			cancel()
		case <-ctx.Done():
		}
	}()
	_ = t.clock.Sleep(ctx, poll)
}

// Flush tries once to deliver everything that is due: for a process that does not
// Run, or that ends.
func (t *Teller) Flush(ctx context.Context) error { return t.round(ctx) }

// complain logs an error that prevents all delivery, once for each kind of error.
func (t *Teller) complain(ctx context.Context, err error) {
	text := err.Error()
	if p := problem.Of(err); p != nil {
		text = string(p.Code)
	}
	t.mu.Lock()
	again := t.trouble == text
	t.trouble = text
	t.mu.Unlock()
	if !again {
		t.log.ErrorContext(ctx, "notices cannot be delivered", "error", err)
	}
}

// prune removes notices that are old and belong to no episode.
func (t *Teller) prune(ctx context.Context, now time.Time) {
	for _, k := range []Kind{Recovered, Held, Certificate} {
		if err := t.store.PruneNotices(ctx, string(k)+"/", now.Add(-keep)); err != nil && ctx.Err() == nil {
			t.log.WarnContext(ctx, "forget old notices", "error", err)
		}
	}
}

// round delivers what is due now.
func (t *Teller) round(ctx context.Context) error {
	open, err := t.store.OpenNotices(ctx, batch)
	if err != nil {
		return err
	}
	t.watchOnly(open)
	if len(open) == 0 {
		return nil
	}
	targets, err := t.book.Targets(ctx)
	if err != nil {
		return err
	}
	t.mu.Lock()
	t.trouble = ""
	t.mu.Unlock()
	var (
		every  sync.WaitGroup
		places = make(chan struct{}, atOnce)
		errs   = make([]error, len(open))
	)
	for i := range open {
		if ctx.Err() != nil {
			break
		}
		places <- struct{}{}
		every.Go(func() {
			defer func() { <-places }()
			errs[i] = t.deliver(ctx, &open[i], targets)
		})
	}
	every.Wait()
	return errors.Join(errs...)
}

// watchOnly forgets the watched notices that are not open any more.
func (t *Teller) watchOnly(open []state.Notice) {
	there := make(map[string]bool, len(open))
	for _, n := range open {
		there[n.Key] = true
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for key := range t.watched {
		if !there[key] {
			delete(t.watched, key)
		}
	}
}

// mine reports whether this process may take a notice: no process has it, or the
// one that has it was silent for too long. Clocks of two processes are not
// compared: this process must have seen the notice unchanged for the whole time.
func (t *Teller) mine(n state.Notice, holder string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if holder == "" {
		delete(t.watched, n.Key)
		return true
	}
	now := t.clock.Now()
	w, ok := t.watched[n.Key]
	if !ok || w.version != n.Version {
		t.watched[n.Key] = watch{n.Version, now}
		return false
	}
	return now.Sub(w.since) >= t.took
}

// deliver takes one notice and sends it to every target for which it is due. The
// outcome of each is stored before anything else, so that a process that dies
// leaves at most one delivery in doubt: the one under way.
func (t *Teller) deliver(ctx context.Context, n *state.Notice, targets []Target) error {
	r, err := read(*n)
	if err != nil {
		// No process will ever be able to read it.
		n.Due = time.Time{}
		_, _ = t.store.SaveNotice(ctx, n)
		return err
	}
	now := t.clock.Now()
	// Due is compared before taking: the clocks of two machines may differ, which
	// only makes a repetition early or late.
	if r.Holder == "" && n.Due.After(now) || !t.mine(*n, r.Holder) {
		return nil
	}
	r.plan(targets)
	r.Holder = t.holder
	if saved, err := t.save(ctx, n, r); err != nil || !saved {
		return err
	}
	type result struct {
		i   int
		err error
	}
	results := make(chan result)
	key, event := n.Key, r.Event // n and r are written while deliveries are under way
	under := 0
	for i, d := range r.Deliveries {
		at := slices.IndexFunc(targets, func(x Target) bool { return x.Name == d.Target })
		if d.State != waiting || at < 0 || d.Due.After(now) {
			continue
		}
		under++
		go func() { results <- result{i, t.inTurn(ctx, targets[at], key, event)} }()
	}
	lost := false
	for ; under > 0; under-- {
		got := <-results
		d := &r.Deliveries[got.i]
		if got.err != nil && ctx.Err() != nil {
			continue // stopped by this process: not an attempt
		}
		t.settle(ctx, r.Event, d, got.err)
		if under > 1 && !lost {
			saved, err := t.save(ctx, n, r)
			lost = err == nil && !saved
		}
	}
	if lost {
		return nil // closed, or taken over, meanwhile
	}
	r.Holder = ""
	// Also when ctx has ended: otherwise others would wait for this process.
	after, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	for tries := 0; ; tries++ {
		_, err = t.save(after, n, r)
		if err == nil || tries == 3 || clock.Real().Sleep(after, time.Second) != nil {
			return err
		}
	}
}

// inTurn sends to a target after all earlier deliveries of this process to it.
func (t *Teller) inTurn(ctx context.Context, target Target, key string, e Event) error {
	t.mu.Lock()
	line := t.lines[target.Name]
	if line == nil {
		line = make(chan struct{}, 1)
		t.lines[target.Name] = line
	}
	t.mu.Unlock()
	select {
	case line <- struct{}{}:
		defer func() { <-line }()
	case <-ctx.Done():
		return ctx.Err()
	}
	return t.sendTo(ctx, target, key, e)
}

// plan adds the targets of the notice, once; one that was removed since is dropped.
func (r *record) plan(targets []Target) {
	if !r.Planned {
		r.Planned = true
		for _, t := range targets {
			if t.wants(r.Event) {
				r.Deliveries = append(r.Deliveries, delivery{Target: t.Name, State: waiting})
			}
		}
		return
	}
	r.Deliveries = slices.DeleteFunc(r.Deliveries, func(d delivery) bool {
		return !slices.ContainsFunc(targets, func(t Target) bool { return t.Name == d.Target })
	})
}

// settle stores the outcome of an attempt in a delivery.
func (t *Teller) settle(ctx context.Context, e Event, d *delivery, err error) {
	now := t.clock.Now()
	d.Attempts++
	d.Last = now
	t.count(e.Kind, err == nil)
	if err == nil {
		d.State, d.Due, d.Why = sent, time.Time{}, nil
		return
	}
	d.Why = stored(err)
	if d.Attempts >= attempts {
		d.State, d.Due = givenUp, time.Time{}
		t.log.ErrorContext(ctx, "notice given up", "target", d.Target, "kind", e.Kind, "tenant", e.Tenant, "domain", e.Domain, "attempts", d.Attempts, "error", err)
		return
	}
	d.Due = now.Add(pause(d.Attempts, err))
	t.log.WarnContext(ctx, "notice not delivered, to be tried again", "target", d.Target, "kind", e.Kind, "domain", e.Domain, "attempts", d.Attempts, "next", d.Due, "error", err)
}

// stored returns a problem without its cause: only our own words are kept.
func stored(err error) *problem.Stored {
	p := problem.Of(err)
	if p == nil {
		p = problem.New(problem.Internal, problem.Args{"what": "notice"})
	}
	return discreet(p, true, "").Store()
}

// save writes the record with the moment at which it is next due.
func (t *Teller) save(ctx context.Context, n *state.Notice, r record) (bool, error) {
	data, err := json.Marshal(r)
	if err != nil {
		return false, err
	}
	var due time.Time
	for _, d := range r.Deliveries {
		if d.State == waiting && (due.IsZero() || d.Due.Before(due)) {
			due = d.Due
			if due.IsZero() {
				due = r.Event.At
				break
			}
		}
	}
	if r.Holder != "" && due.IsZero() {
		due = r.Event.At
	}
	next := *n
	next.Data, next.Due = data, due
	saved, err := t.store.SaveNotice(ctx, &next)
	if saved {
		*n = next
	}
	return saved, err
}

// Story is one notice, as it is listed to users.
type Story struct {
	Event      Event
	Deliveries []Delivery
}

// Delivery is what became of a notice at one target.
type Delivery struct {
	Target   string
	Sent     bool
	Attempts int
	Last     time.Time
}

// Told returns the notices that are remembered, newest first, up to limit.
func (t *Teller) Told(ctx context.Context, limit int) ([]Story, error) {
	all, err := t.store.NoticesOf(ctx, "", "")
	if err != nil {
		return nil, err
	}
	stories := make([]Story, 0, len(all))
	for _, n := range all {
		r, err := read(n)
		if err != nil {
			continue
		}
		s := Story{Event: r.Event}
		for _, d := range r.Deliveries {
			s.Deliveries = append(s.Deliveries, Delivery{d.Target, d.State == sent, d.Attempts, d.Last})
		}
		stories = append(stories, s)
	}
	slices.SortStableFunc(stories, func(a, b Story) int { return cmp.Compare(b.Event.At.UnixNano(), a.Event.At.UnixNano()) })
	return stories[:min(limit, len(stories))], nil
}
