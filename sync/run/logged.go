package run

import (
	"context"
	"time"

	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/state"
)

// Logged has the fields of a run for every layout of the sync log: the list, the
// page of one run, --json and the wizard.
type Logged struct {
	state.Run
	Sum Summary
	// Took is how long the run took, by one clock; of a resumed run its last part; 0
	// while it is under way.
	Took time.Duration
	// Writes: a sync or an undo, whose rows have outcomes.
	Writes bool
	// Cause is the code of the problem that ended the run, else the most frequent
	// one of its rows that were not seen done; CauseRows is how many rows have it, 0
	// for the run's own.
	Cause     problem.Code
	CauseRows int
}

// LogOf returns the fields of a run.
func LogOf(r state.Run) Logged {
	l := Logged{Run: r, Sum: summaryOf(r), Writes: r.Kind != state.DryRun}
	l.Took = l.Sum.Took
	if l.Took <= 0 && !r.Ended.IsZero() {
		l.Took = r.Ended.Sub(r.Started) // a hacsync that did not store it
	}
	if p := l.Sum.Problem; p != nil {
		l.Cause = p.Code
		return l
	}
	for code, n := range l.Sum.Causes {
		if n > l.CauseRows || n == l.CauseRows && code < l.Cause {
			l.Cause, l.CauseRows = code, n
		}
	}
	return l
}

// Interrupted is the state, never stored, of a run that is stored as running while
// no live process carries it out.
const Interrupted state.RunState = "interrupted"

// staleDryRun is the age after which the process of a dry run, which takes no
// claim, counts as gone.
const staleDryRun = 12 * time.Hour

// Judged returns a run with the state Interrupted if it is stored as running and
// its process is gone.
func Judged(ctx context.Context, s interface {
	Alive(ctx context.Context, tenant, domain string) (holder string, alive bool, err error)
}, now time.Time, r state.Run,
) (state.Run, error) {
	if r.State != state.Running {
		return r, nil
	}
	if r.Kind == state.DryRun {
		if now.Sub(r.Started) > staleDryRun {
			r.State = Interrupted
		}
		return r, nil
	}
	_, alive, err := s.Alive(ctx, r.Tenant, r.Domain)
	if err == nil && !alive {
		r.State = Interrupted
	}
	return r, err
}
