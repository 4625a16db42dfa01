package periodic

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/run"
	"github.com/hacsync/hacsync/sync/state"
)

// turn is one interval of one domain that this worker carries out.
type turn struct {
	w    *Worker
	slot Slot
	p    state.Periodic // as it was when the interval was taken up
	r    *run.Runner
	made *paced
	i    state.Interval
	// held and users are rows that wait for a reviewer, and UPNs to name.
	held  heldRows
	asked openQuestions
	// fresh: earlier notices were forgotten because a user enabled the domain.
	fresh bool
}

var (
	// errOver: the interval is over, not due, or not to be carried out.
	errOver = errors.New("the interval is not to be carried out")
	// errLeft: the interval is left as it is, for the next worker that takes it up.
	errLeft = errors.New("the interval is left to others")
)

// turn carries out an interval, unless another worker does or did, and reports
// whether it was this worker's.
func (w *Worker) turn(ctx context.Context, r ring) bool {
	log := w.Log.With("tenant", r.Tenant, "domain", r.Domain, "slot", r.Slot)
	slot, err := w.Store.TakeSlot(ctx, r.Tenant, r.Domain, w.Name, w.limits.PerTenant)
	switch {
	case err == nil:
	case errors.Is(err, state.ErrNoSeat), problem.Has(err, problem.DomainBusy), ctx.Err() != nil:
		return false
	default:
		log.WarnContext(ctx, "interval not taken", "err", err)
		return false
	}
	defer func() {
		if err := slot.Release(ctx); err != nil {
			log.WarnContext(ctx, "interval not given back", "err", err)
		}
		select {
		case w.free <- struct{}{}:
		default: // another worker will look at it
		}
	}()
	p, err := w.take(ctx, slot, r)
	if errors.Is(err, errOver) {
		return false
	}
	if err != nil {
		log.WarnContext(ctx, "interval not begun", "err", err)
		return false
	}
	w.begin(p)
	defer w.end(p)
	t := &turn{w: w, slot: slot, p: p, i: state.Interval{Slot: p.Slot, Due: p.Due, Worker: w.Name, Started: p.Turn.Since}}
	err = t.persist(ctx)
	if err == nil {
		err = t.conclude(ctx)
	}
	switch {
	case errors.Is(err, errOver):
	case err != nil:
		log.InfoContext(ctx, "interval left to others", "err", err)
	default:
		log.InfoContext(ctx, "interval over", "outcome", t.i.Outcome, "run", max(t.i.DryRun, t.i.Sync),
			"changes", t.i.Changes(), "seen", t.i.Seen, "failed", t.i.Failed, "late", p.Turn.Since.Sub(p.Due), "why", t.i.Why)
	}
	return err == nil
}

func (w *Worker) begin(p state.Periodic) {
	w.mu.Lock()
	w.doing[p.Domain] = w.Clock.Now()
	w.mu.Unlock()
	w.metrics().Began(p.Tenant, p.Domain, w.Clock.Now().Sub(p.Due))
}

func (w *Worker) end(p state.Periodic) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.doing, p.Domain)
}

// take stores that the interval is under way, with its claim held.
func (w *Worker) take(ctx context.Context, slot Slot, r ring) (state.Periodic, error) {
	newest := int64(0)
	runs, err := w.Store.Runs(ctx, state.RunFilter{Tenant: r.Tenant, Domain: r.Domain, Limit: 1})
	if err != nil {
		return state.Periodic{}, err
	}
	if len(runs) > 0 {
		newest = runs[0].No
	}
	now := w.Clock.Now()
	return slot.ChangePeriodic(ctx, func(p *state.Periodic) error {
		if p.Slot != r.Slot || p.State != state.Enabled || p.Turn == nil && p.Due.After(now) {
			return errOver
		}
		if p.Turn == nil {
			p.Turn = &state.Turn{Since: now, After: newest}
		}
		p.Turn.Worker = w.Name
		p.Turn.Taken++
		return nil
	})
}

const (
	// patience is how often an attempt that failed through no fault of the domain
	// is repeated before the interval is left to other workers.
	patience = 20
	// driftTries is how often a domain that changed during the sync is planned
	// again within an interval.
	driftTries = 3
)

// persist carries the interval out to its outcome, and repeats attempts that failed
// for a passing reason.
func (t *turn) persist(ctx context.Context) error {
	drifts := 0
	for try := 0; ; {
		err := t.safely(ctx)
		p := problem.Of(err)
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return errors.Join(errLeft, err)
		case errors.Is(err, errLeft), errors.Is(err, errOver):
			return err
		case t.isLost():
			return errors.Join(errLeft, err)
		case problem.Has(err, problem.PeriodicChanged):
			t.i.Outcome, t.i.Why = Interrupted, p.Store()
			return nil
		case problem.Has(err, problem.DomainBusy):
			busy, werr := t.waitForPerson(ctx)
			if werr != nil {
				return errors.Join(errLeft, werr)
			}
			if busy {
				t.i.Outcome, t.i.Why = PassedOver, p.Store()
				return nil
			}
			if try++; try > patience {
				return errors.Join(errLeft, err)
			}
		case p != nil && weigh(p) == harmless:
			if try++; try > patience {
				return errors.Join(errLeft, err)
			}
			t.w.Log.WarnContext(ctx, "tried again", "domain", t.p.Domain, "try", try, "err", err)
			if serr := t.w.Clock.Sleep(ctx, min(time.Second<<min(try, 6), 30*time.Second)); serr != nil {
				return errors.Join(errLeft, serr)
			}
		case problem.Has(err, problem.PlanDrifted, problem.SettingsChanged):
			// The tenant is not as it was read, by this worker or for another
			// domain.
			t.w.reads.of(t.p.Tenant).forget()
			if drifts++; drifts >= driftTries {
				t.i.Outcome, t.i.Why = Drifted, p.Store()
				return nil
			}
		case problem.Guarded(err):
			t.i.Outcome, t.i.Why = Cancelled, p.Store()
			return nil
		default:
			if p == nil {
				p = problem.Wrap(err, problem.Internal, problem.Args{"what": "unexpected error"})
			}
			t.i.Outcome, t.i.Why = Failed, p.Store()
			return nil
		}
	}
}

func (t *turn) isLost() bool {
	select {
	case <-t.slot.Lost():
		return true
	default:
		return false
	}
}

// safely is attempt, but a panic ends only this domain's interval and not the whole
// worker.
func (t *turn) safely(ctx context.Context) (err error) {
	defer func() {
		if r := recover(); r != nil {
			t.w.Log.ErrorContext(ctx, "panic in an interval", "domain", t.p.Domain, "panic", r, "stack", string(debug.Stack()))
			err = problem.New(problem.Internal, problem.Args{"what": fmt.Sprint(r)})
		}
	}()
	return t.attempt(ctx)
}

// waitForPerson waits until a sync of the domain that another process began ends,
// for as long as it takes to distinguish a dead holder from a live one. busy
// reports that it is alive.
func (t *turn) waitForPerson(ctx context.Context) (busy bool, err error) {
	ttl := t.w.Store.TTL()
	for waited := time.Duration(0); ; waited += ttl / 12 {
		_, alive, err := t.w.Store.Alive(ctx, t.p.Tenant, t.p.Domain)
		if err != nil || !alive {
			return false, err
		}
		if waited > ttl+ttl/4 {
			return true, nil
		}
		if err := t.w.Clock.Sleep(ctx, ttl/12); err != nil {
			return false, err
		}
	}
}

// attempt finishes what was begun, or makes a dry run and a sync.
func (t *turn) attempt(ctx context.Context) error {
	if t.r == nil {
		if err := t.open(ctx); err != nil {
			return err
		}
	}
	done, err := t.finishBegun(ctx)
	if done || err != nil {
		return err
	}
	return t.syncNow(ctx)
}

// open makes the Runner of the domain's connection, with the restrictions of the
// interval.
func (t *turn) open(ctx context.Context) error {
	opened, err := t.w.Open(ctx, t.p.Connection)
	if err != nil {
		return err
	}
	if opened.Connection.Tenant != t.p.Tenant {
		return problem.New(problem.WrongTenant, problem.Args{"plan": t.p.Tenant, "connection": opened.Connection.Tenant})
	}
	r := *opened
	app := r.Connection.Client
	if a := r.Connection.Application; a != nil && a.ID != "" {
		app = a.ID
	}
	t.made = &paced{
		Destination: r.Destination, w: t.w, clock: r.Clock, tenant: t.p.Tenant, app: app, slot: t.slot, shared: t.w.reads.of(t.p.Tenant),
		view: viewOf(r.Connection, app),
	}
	r.Destination = t.made
	r.Store = fenced{Store: r.Store, slot: t.slot, allowed: t.allowed, began: func(kind state.RunKind, no int64) {
		if kind == state.DryRun {
			t.i.DryRun = no
		} else {
			t.i.Sync = no
		}
	}}
	r.Holder = t.w.Name
	t.r = &r
	return nil
}

// allowed returns a problem if the domain was paused or disabled since.
func (t *turn) allowed(ctx context.Context) error {
	p, _, err := t.w.Store.Periodic(ctx, t.p.Tenant, t.p.Domain)
	if err != nil {
		return err
	}
	if p.Slot != t.p.Slot {
		return errOver
	}
	if p.State != state.Enabled {
		return problem.New(problem.PeriodicChanged, problem.Args{"domain": t.p.Domain, "state": string(p.State)})
	}
	return nil
}

// syncNow makes a dry run, and applies its plan.
func (t *turn) syncNow(ctx context.Context) error {
	planned, err := t.r.DryRun(ctx, t.p.Domain, run.Overrides{Unattended: true})
	if err != nil {
		return err
	}
	c := planned.Plan.Counts()
	t.count(run.Summary{Counts: &c})
	t.held, t.asked = heldIn(planned.Plan), openIn(planned.Plan)
	if planned.Plan.Len() == 0 {
		// A read that lost many people may have left nothing to do but questions.
		if why := planned.Plan.Applyable(); problem.Guarded(why) {
			return why
		}
		t.i.Outcome, t.i.Why = Unchanged, nil
		return t.allowed(ctx)
	}
	rep, err := t.r.Sync(ctx, planned, run.Approval{Fingerprint: planned.Plan.Fingerprint(), Unattended: true})
	if rep != nil {
		t.i.Sync = rep.Run
	}
	return t.reported(rep, err)
}

// reported takes over the report of a sync.
func (t *turn) reported(rep *run.Report, err error) error {
	if rep != nil {
		t.i.Seen, t.i.Failed = rep.Seen, rep.Failed+rep.NotTried+rep.NotYetSeen
	}
	if err != nil {
		return err
	}
	t.i.Outcome, t.i.Why = Synced, nil
	if t.i.Failed > 0 {
		t.i.Outcome = Partly
		if len(rep.Rows) > 0 {
			t.i.Why = rep.Rows[0].Why.Store()
		}
	}
	return nil
}

func (t *turn) count(s run.Summary) {
	if c := s.Counts; c != nil {
		t.i.Add, t.i.Update, t.i.Rename, t.i.Restore, t.i.Delete = c.Add, c.Update, c.Rename, c.Restore, c.Delete
		t.i.Skips = c.Skipped
	}
}

// conclude ends the interval in the state, and sends the notices.
func (t *turn) conclude(ctx context.Context) error {
	ctx = context.WithoutCancel(ctx)
	t.i.Ended = t.w.Clock.Now()
	for try := 0; ; try++ {
		err := t.writeEnd(ctx)
		if err == nil {
			break
		}
		p := problem.Of(err)
		if problem.Has(err, problem.ClaimLost) || p == nil || weigh(p) != harmless || try >= patience {
			return err
		}
		if err := t.w.Clock.Sleep(ctx, min(time.Second<<min(try, 6), 30*time.Second)); err != nil {
			return err
		}
	}
	t.w.mu.Lock()
	t.w.done++
	if t.i.Outcome == Failed || t.i.Outcome == Drifted {
		t.w.failed++
	}
	t.w.mu.Unlock()
	t.w.metrics().Ended(t.p.Tenant, t.p.Domain, t.i)
	return nil
}

// writeEnd sends the notices and then stores the end of the interval. So a notice
// may be sent twice, never lost; package notice drops the duplicate. A worker whose
// interval was taken over while it slept sends none.
func (t *turn) writeEnd(ctx context.Context) error {
	if err := t.slot.Confirm(ctx); err != nil {
		return err
	}
	now, _, err := t.w.Store.Periodic(ctx, t.p.Tenant, t.p.Domain)
	if err != nil {
		return err
	}
	end := func(p *state.Periodic) error {
		if l := p.Last; l != nil && l.Slot == t.i.Slot && l.Worker == t.i.Worker && l.Ended.Equal(t.i.Ended) {
			return errUnchanged // stored before, and the answer was lost
		}
		if p.Slot != t.i.Slot || p.Turn == nil {
			return errOver
		}
		conclude(p, t.i, t.i.Ended)
		return nil
	}
	after := now
	if err := end(&after); errors.Is(err, errUnchanged) {
		return nil
	} else if err != nil {
		return err
	}
	if err := t.tell(ctx, now, after); err != nil {
		return err
	}
	if _, err = t.slot.ChangePeriodic(ctx, end); errors.Is(err, errUnchanged) {
		return nil
	}
	return err
}
