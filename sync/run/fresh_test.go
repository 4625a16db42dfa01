package run_test

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/hacsync/hacsync/sync/destination"
	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/progress"
	"github.com/hacsync/hacsync/sync/run"
	"github.com/hacsync/hacsync/sync/state"
)

// stale is a store whose claims are not fresh any more once it is told.
type stale struct {
	run.Store
	now *atomic.Bool
}

func (s stale) Take(ctx context.Context, tenant, domain, holder string, wait bool) (run.Claim, error) {
	c, err := s.Store.Take(ctx, tenant, domain, holder, wait)
	return staleClaim{c, s.now}, err
}

type staleClaim struct {
	run.Claim
	now *atomic.Bool
}

func (c staleClaim) Held() bool { return !c.now.Load() && c.Claim.Held() }

// slow is a tenant for which a token takes its time; the claim is not fresh when
// it comes.
type slow struct {
	*tenant
	now *atomic.Bool
}

func (d slow) Write(ctx context.Context, steps []plan.Step) []destination.Outcome {
	d.now.Store(true)
	err := ctx.Err()
	if err == nil {
		return d.tenant.Write(ctx, steps)
	}
	outs := make([]destination.Outcome, len(steps))
	for i := range outs {
		outs[i] = destination.Outcome{Did: destination.NotDone, Why: problem.Of(err)}
	}
	return outs
}

func TestRule4_NothingIsSentOnceTheClaimIsNotFresh(t *testing.T) {
	w := mixed(t)
	p := w.dry(t)
	var now atomic.Bool
	w.Store, w.Destination = stale{w.Store, &now}, slow{w.tenant, &now}
	rep, err := w.Sync(t.Context(), p, approval(p))
	if !problem.Has(err, problem.ClaimLost) || len(w.tenant.writes) != 0 {
		t.Fatalf("%v, wrote %q", err, w.tenant.writes)
	}
	rows, err := w.store.Journal(t.Context(), rep.Run)
	if err != nil || len(rows) == 0 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	for _, e := range rows {
		if e.State != state.Sent {
			t.Errorf("row %d is %s: whoever goes on does not look", e.Action, e.State)
		}
	}
	now.Store(false)
	w.Destination = w.tenant
	if rep, err := w.Resume(t.Context(), rep.Run); err != nil || rep.State != state.Done {
		t.Errorf("%+v, %v", rep, err)
	}
}

// lastSeen keeps how many rows were last told to be seen.
type lastSeen struct{ done atomic.Int64 }

func (s *lastSeen) Report(e progress.Event) {
	if e.Phase == progress.Seen {
		s.done.Store(int64(e.Done))
	}
}

func TestSync_CountsARowThatIsDoneAlreadyOnce(t *testing.T) {
	w := mixed(t)
	p := w.dry(t)
	for _, u := range w.tenant.users {
		switch u.UPN {
		case "user003@" + domain:
			u.Values[0] = directory.Text("山田 改") // as wanted
		case "gone@" + domain:
			u.Marks |= directory.RoleHolder // drifted
		}
	}
	var told lastSeen
	w.Progress = &told
	a := approval(p)
	a.SkipDrifted = true
	rep, err := w.Sync(t.Context(), p, a)
	if err != nil || len(rep.Drifted) != 1 {
		t.Fatalf("%+v, %v", rep, err)
	}
	if got := int(told.done.Load()); got != rep.Seen {
		t.Errorf("%d rows told, %d seen", got, rep.Seen)
	}
}
