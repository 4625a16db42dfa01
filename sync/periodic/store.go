package periodic

import (
	"context"
	"time"

	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/run"
	"github.com/hacsync/hacsync/sync/state"
)

// Store is what periodic sync needs of the state. OnStore makes one of a
// state.Store; tests put a gate between.
type Store interface {
	Periodic(ctx context.Context, tenant, domain string) (state.Periodic, bool, error)
	Periodics(ctx context.Context, f state.PeriodicFilter) ([]state.Periodic, error)
	ChangePeriodic(ctx context.Context, tenant, domain string, change func(*state.Periodic) error) (state.Periodic, error)
	TakeSlot(ctx context.Context, tenant, domain, holder string, seats int) (Slot, error)
	Slots(ctx context.Context) ([]state.SlotHolder, error)
	SaveWorker(ctx context.Context, w state.Worker) error
	Workers(ctx context.Context) ([]state.Worker, error)
	ForgetWorkers(ctx context.Context, t time.Time) error
	Book(ctx context.Context, quotas []state.Quota, n int64, now time.Time) (time.Time, error)
	Unbook(ctx context.Context, quotas []state.Quota, n int64, at time.Time) error
	Booked(ctx context.Context, name string) (int64, error)
	Runs(ctx context.Context, f state.RunFilter) ([]state.Run, error)
	Run(ctx context.Context, no int64) (state.Run, error)
	Alive(ctx context.Context, tenant, domain string) (holder string, alive bool, err error)
	TTL() time.Duration
	PausePeriodic(ctx context.Context, tenant, domain, by string, why *problem.Problem) error
}

// Slot is the claim on a domain's interval.
type Slot interface {
	Held() bool
	Lost() <-chan struct{}
	Confirm(ctx context.Context) error
	Release(ctx context.Context) error
	ChangePeriodic(ctx context.Context, change func(*state.Periodic) error) (state.Periodic, error)
}

// OnStore makes a Store of a state.Store.
func OnStore(s *state.Store) Store { return onStore{s} }

type onStore struct{ *state.Store }

func (s onStore) TakeSlot(ctx context.Context, tenant, domain, holder string, seats int) (Slot, error) {
	c, err := s.Store.TakeSlot(ctx, tenant, domain, holder, seats)
	if err != nil {
		return nil, err
	}
	return c, nil
}

// fenced is the state for a run that belongs to an interval: every write to the
// sync log needs the interval's claim, and a sync takes the domain's claim only
// while this worker holds the interval and the domain is enabled. A worker that
// slept finds out before it writes.
type fenced struct {
	run.Store
	slot Slot
	// allowed returns an error if the domain may no longer be synchronised. It is
	// called with the domain's claim held, because an undo pauses the domain while
	// it holds that claim.
	allowed func(context.Context) error
	// began is called for each run that is entered.
	began func(kind state.RunKind, no int64)
}

func (f fenced) BeginRun(ctx context.Context, r state.Run) (int64, error) {
	if err := f.slot.Confirm(ctx); err != nil {
		return 0, err
	}
	no, err := f.Store.BeginRun(ctx, r)
	if err == nil {
		f.began(r.Kind, no)
	}
	return no, err
}

func (f fenced) Take(ctx context.Context, tenant, domain, holder string, wait bool) (run.Claim, error) {
	c, err := f.Store.Take(ctx, tenant, domain, holder, wait)
	if err != nil {
		return nil, err
	}
	err = f.slot.Confirm(ctx)
	if err == nil {
		err = f.allowed(ctx)
	}
	if err != nil {
		_ = c.Release(ctx)
		return nil, err
	}
	return both{c, f.slot, f.allowed}, nil
}

// both is a domain's claim that is valid only together with the interval's, and
// while the domain may be synchronised.
type both struct {
	run.Claim
	slot    Slot
	allowed func(context.Context) error
}

// Intend checks before each batch whether a user paused or disabled the domain:
// then nothing more is written.
func (b both) Intend(ctx context.Context, rows []state.Entry) error {
	err := b.allowed(ctx)
	if p := problem.Of(err); p != nil && weigh(p) == harmless {
		// This claim waits for a state that does not answer.
		if err = b.slot.Confirm(ctx); err == nil {
			err = b.allowed(ctx)
		}
	}
	if err != nil {
		return err
	}
	return b.Claim.Intend(ctx, rows)
}

func (b both) Held() bool { return b.Claim.Held() && b.slot.Held() }
