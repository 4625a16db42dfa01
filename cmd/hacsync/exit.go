package main

import (
	"context"
	"errors"

	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/run"
	"github.com/hacsync/hacsync/sync/state"
)

// The exit codes.
const (
	exitDone        = 0   // nothing to do, or all done
	exitError       = 1   // an error; either nothing was written, or the output shows what was
	exitPending     = 2   // dry run: changes are pending
	exitGuard       = 3   // the guard cancels, in a dry run: would cancel
	exitDrift       = 4   // refused: the plan has drifted
	exitPartial     = 5   // finished, some rows failed
	exitInterrupted = 130 // stopped by a user
)

// outcome is an exit code without an error: everything was printed already.
type outcome int

// Error is for logs only.
func (o outcome) Error() string { return "exit code only" }

// said is an error that has been printed already; it still has its exit code.
type said struct{ err error }

func (s said) Error() string { return s.err.Error() }
func (s said) Unwrap() error { return s.err }

// exitCode is the one place where an error or an outcome becomes an exit code.
func exitCode(err error) int {
	var o outcome
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &o):
		return int(o)
	case problem.Guarded(err):
		return exitGuard
	case problem.Has(err, problem.PlanDrifted):
		return exitDrift
	case problem.Has(err, problem.Interrupted, problem.Cancelled), errors.Is(err, context.Canceled):
		return exitInterrupted
	}
	return exitError
}

// dryRunOutcome returns the exit code of a dry run that came to its end.
func dryRunOutcome(p *plan.Plan) outcome {
	switch {
	case problem.Guarded(p.Applyable()):
		return exitGuard
	case p.Counts().Changes() > 0:
		return exitPending
	}
	return exitDone
}

// syncOutcome returns the exit code of a sync that was begun and returned no error.
func syncOutcome(r *run.Report) outcome {
	switch {
	case r.State == state.Stopped:
		return exitInterrupted
	case r.State == state.Partial, r.Failed > 0, r.NotTried > 0, r.NotYetSeen > 0:
		return exitPartial
	}
	return exitDone
}
