package periodic

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/hacsync/hacsync/sync/clock"
	"github.com/hacsync/hacsync/sync/consent"
	"github.com/hacsync/hacsync/sync/destination"
	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/progress"
	"github.com/hacsync/hacsync/sync/state"
)

// tenants holds the reads of tenants that serve several of their domains.
type tenants struct {
	mu  sync.Mutex
	all map[string]*shared
}

// shared holds one tenant's latest read.
type shared struct {
	turn chan struct{} // held while one reads or uses the read; a context ends the wait

	mu      sync.Mutex
	reading *destination.Reading
	want    string
	at      time.Time // by the tenant's clock
	kept    time.Time // the same by the worker's clock
	// writes counts this process's writes to the tenant, booked those of all
	// processes, both when the read began.
	writes int64
	booked int64
}

func (ts *tenants) of(tenant string) *shared {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	if ts.all == nil {
		ts.all = map[string]*shared{}
	}
	s := ts.all[tenant]
	if s == nil {
		s = &shared{turn: make(chan struct{}, 1)}
		ts.all[tenant] = s
	}
	return s
}

// drop removes reads that are too old to be used, to free memory.
func (ts *tenants) drop(now time.Time, age time.Duration) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	for _, s := range ts.all {
		s.mu.Lock()
		if s.reading != nil && since(now, s.kept) > age {
			s.reading = nil
		}
		s.mu.Unlock()
	}
}

// forget makes the next domain read the tenant again.
func (s *shared) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writes++ // also invalidates a read under way
	s.reading = nil
}

// since returns how long ago a moment was. The monotonic clock does not run while a
// machine sleeps, and the wall clock can be set: the longer of the two times
// counts.
func since(now, then time.Time) time.Duration {
	return max(now.Sub(then), now.Round(0).Sub(then.Round(0)))
}

// paced is a destination that stays within the quotas that all workers share,
// writes only while the interval is held, and reads its tenant once for several
// domains.
type paced struct {
	destination.Destination
	w      *Worker
	clock  clock.Clock // the tenant's: a simulated one may run fast
	tenant string
	app    string
	slot   Slot
	shared *shared
	// view identifies what the read depends on: the rights of one connection, and the
	// accounts that it protects, are not valid for another.
	view string

	mu sync.Mutex
	// booked are the writes that were delayed, by their first step.
	booked map[stepKey]booking
}

type stepKey struct{ action, step int }

// booking is room for writes from a time on.
type booking struct {
	n  int64
	at time.Time
}

// writesName returns the name of the quota of an application's writes to a tenant.
func writesName(app, tenant string) string { return "writes:" + app + "/" + tenant }

func (p *paced) quotas() []state.Quota {
	l := p.w.limits
	return []state.Quota{
		{Name: "writes:" + p.app, Limit: l.AppWrites, Window: l.AppWindow},
		{Name: writesName(p.app, p.tenant), Limit: l.TenantWrites, Window: l.TenantWindow},
	}
}

// Write sends steps once the quotas have room for them. Steps that have to wait are
// not sent and return as throttled, with the time to wait: the sync waits as it
// does when Microsoft 365 throttles it, with its beats going on and its checks
// repeated after the wait, and then uses what was booked.
func (p *paced) Write(ctx context.Context, steps []plan.Step) []destination.Outcome {
	wait, err := p.book(ctx, steps)
	if err != nil {
		return notSent(steps, func(upn string) *problem.Problem {
			return problem.Wrap(err, problem.NeverSentWrite, problem.Args{"upn": upn})
		})
	}
	if wait > 0 {
		p.w.metrics().Waited(p.tenant, wait)
		return notSent(steps, func(string) *problem.Problem {
			return problem.New(problem.Throttled, problem.Args{
				"seconds": strconv.Itoa(int((wait + time.Second - 1) / time.Second)),
			}).WithUpstream(problem.Upstream{RetryAfter: wait})
		})
	}
	if !p.slot.Held() {
		return notSent(steps, func(upn string) *problem.Problem {
			return problem.New(problem.NeverSentWrite, problem.Args{"upn": upn})
		})
	}
	p.shared.forget()
	defer p.shared.forget() // a read that was made while the request was under way is old now too
	return p.Destination.Write(ctx, steps)
}

func notSent(steps []plan.Step, why func(upn string) *problem.Problem) []destination.Outcome {
	outs := make([]destination.Outcome, len(steps))
	for i, step := range steps {
		outs[i] = destination.Outcome{Did: destination.NotDone, ID: step.Object.ID, Why: why(step.Object.UPN)}
	}
	return outs
}

// book returns how long steps have to wait. Steps that return after their wait use
// what was booked for them. A booking that was not used in time is given back: else
// it would count at a time when nothing was sent.
func (p *paced) book(ctx context.Context, steps []plan.Step) (time.Duration, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now, quotas := p.clock.Now(), p.quotas()
	slack := quotas[0].Slack()
	for _, q := range quotas {
		slack = min(slack, q.Slack())
	}
	for k, b := range p.booked {
		if now.Sub(b.at) <= slack {
			continue
		}
		if err := p.w.Store.Unbook(ctx, quotas, b.n, b.at); err != nil {
			return 0, err
		}
		delete(p.booked, k)
	}
	k, n := stepKey{steps[0].Action, steps[0].Step}, int64(len(steps))
	b, is := p.booked[k]
	if !is || b.n < n {
		if is { // more steps than were booked
			if err := p.w.Store.Unbook(ctx, quotas, b.n, b.at); err != nil {
				return 0, err
			}
			delete(p.booked, k)
		}
		at, err := p.w.Store.Book(ctx, quotas, n, now)
		if err != nil {
			return 0, err
		}
		b = booking{n: n, at: at}
	}
	if wait := b.at.Sub(now); wait > 0 {
		if p.booked == nil {
			p.booked = map[stepKey]booking{}
		}
		p.booked[k] = b
		return wait, nil
	}
	delete(p.booked, k)
	return 0, nil
}

// Read returns the tenant's latest read, if it is young and the tenant was not
// written to since; else it reads. Domains of a tenant that want it at once wait
// for one read.
func (p *paced) Read(ctx context.Context, want []directory.Attribute, sink progress.Sink) (*destination.Reading, error) {
	if p.w.limits.Reading < 0 {
		return p.Destination.Read(ctx, want, sink)
	}
	s := p.shared
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	booked, err := p.w.Store.Booked(ctx, writesName(p.app, p.tenant))
	if err != nil {
		return nil, err
	}
	columns := p.view + columnsKey(want)
	now := p.clock.Now()
	s.mu.Lock()
	r, fits := s.reading, s.want == columns && s.booked == booked && since(now, s.at) <= p.w.limits.Reading
	writes := s.writes
	s.mu.Unlock()
	if r != nil && fits {
		sink.Report(progress.Event{Phase: progress.Users, Done: r.Users.Len(), Total: r.Users.Len(), Ended: true})
		return r, nil
	}
	r, err = p.Destination.Read(ctx, want, sink)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.writes == writes { // no write of this process during the read
		s.reading, s.want, s.at, s.kept, s.booked = r, columns, now, p.w.Clock.Now(), booked
	}
	return r, nil
}

// viewOf identifies all that a read depends on apart from the tenant: the
// connection, the application, and the accounts that ever signed in for it.
func viewOf(c consent.Connection, app string) string {
	people := make([]string, len(c.SignedIn))
	for i, id := range c.SignedIn {
		people[i] = string(id)
	}
	slices.Sort(people)
	return fmt.Sprintf("%q %q %q: ", c.Name, app, people)
}

func columnsKey(want []directory.Attribute) string {
	words := make([]string, len(want))
	for i, a := range want {
		words[i] = string(a)
	}
	slices.Sort(words)
	return strings.Join(words, " ")
}
