package run_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hacsync/hacsync/sync/destination"
	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/state"
)

// silent is a tenant that stops answering reads.
type silent struct {
	*tenant
	since context.Context // when it is done
}

func (s silent) Look(ctx context.Context, refs []directory.Ref, want []directory.Attribute, roles destination.Roles) ([]directory.Sighting, error) {
	if s.since.Err() != nil {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(15 * time.Minute): // as long as graphclient tries
			return nil, problem.New(problem.NoAnswerInTime, nil)
		}
	}
	return s.tenant.Look(ctx, refs, want, roles)
}

// A tenant that takes writes and then does not say what became of them holds up a
// person who stops the sync for seconds, and the journal keeps what is unknown.
func TestSync_StopsInTimeWhereTheTenantFallsSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := mixed(t)
		p := w.dry(t)
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		w.Destination = silent{w.tenant, ctx}
		w.tenant.after = func(plan.Step) *destination.Outcome {
			stop()
			return &destination.Outcome{Did: destination.Unknown}
		}
		began := time.Now()
		rep, err := w.Sync(ctx, p, approval(p))
		if !problem.Has(err, problem.Interrupted) || rep.State != state.Stopped {
			t.Fatalf("report %+v, %v", rep, err)
		}
		if took := time.Since(began); took < 19*time.Second || took > 21*time.Second {
			t.Errorf("it took %s to stop", took)
		}
		rows, err := w.store.Journal(t.Context(), rep.Run)
		if err != nil || len(rows) == 0 {
			t.Fatalf("journal %v, %v", rows, err)
		}
		for _, r := range rows {
			if r.State != state.Sent {
				t.Errorf("row %d is %s", r.Action, r.State)
			}
		}

		w.Destination, w.tenant.after = w.tenant, nil
		if rep, err = w.Resume(t.Context(), rep.Run); err != nil || rep.State != state.Done || rep.Seen != rep.Planned {
			t.Errorf("resumed: %+v, %v", rep, err)
		}
		twice := map[string]bool{}
		for _, write := range w.tenant.writes {
			if twice[write] {
				t.Errorf("written twice: %s", write)
			}
			twice[write] = true
		}
	})
}
