package main

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/run"
	"github.com/hacsync/hacsync/sync/state"
)

func TestExitCode_OneForEachOutcome(t *testing.T) {
	stopped := problem.Wrap(context.Canceled, problem.Interrupted, nil)
	for name, c := range map[string]struct {
		err  error
		want int
	}{
		"nothing":                      {nil, 0},
		"an outcome":                   {outcome(exitPending), 2},
		"a wrapped outcome":            {fmt.Errorf("x: %w", outcome(exitPartial)), 5},
		"any error":                    {errors.New("x"), 1},
		"any problem":                  {problem.New(problem.NoSavedData, nil), 1},
		"the guard":                    {problem.New(problem.GuardCancels, nil), 3},
		"the guard, by number":         {problem.New(problem.GuardCancelsNumber, nil), 3},
		"the guard, over a day":        {problem.New(problem.GuardCancelsDay, nil), 3},
		"the guard, of sign-ins":       {problem.New(problem.SignInCancels, nil), 3},
		"the guard, wrapped":           {fmt.Errorf("x: %w", problem.New(problem.GuardCancels, nil)), 3},
		"drift":                        {problem.New(problem.PlanDrifted, nil), 4},
		"a stopped run":                {stopped, 130},
		"ctrl+c":                       {fmt.Errorf("ask: %w", context.Canceled), 130},
		"ctrl+c that became a problem": {problem.Wrap(context.Canceled, problem.SignInRefused, nil), 130},
		"drift after ctrl+c":           {problem.Wrap(context.Canceled, problem.PlanDrifted, nil), 4},
		"a deadline is no ctrl+c":      {context.DeadlineExceeded, 1},
	} {
		if got := exitCode(c.err); got != c.want {
			t.Errorf("%s: exit code %d, want %d", name, got, c.want)
		}
	}
}

func TestSyncOutcome_SaysDoneOnlyOfWhatWasSeen(t *testing.T) {
	for name, c := range map[string]struct {
		report run.Report
		want   outcome
	}{
		"all seen":     {run.Report{State: state.Done, Planned: 3, Seen: 3}, exitDone},
		"one failed":   {run.Report{State: state.Partial, Planned: 3, Seen: 2, Failed: 1}, exitPartial},
		"one unseen":   {run.Report{State: state.Done, Planned: 3, Seen: 2, NotYetSeen: 1}, exitPartial},
		"one untried":  {run.Report{State: state.Done, Planned: 3, Seen: 2, NotTried: 1}, exitPartial},
		"stopped":      {run.Report{State: state.Stopped, Planned: 3, Seen: 2, NotTried: 1}, exitInterrupted},
		"nothing done": {run.Report{State: state.Done}, exitDone},
	} {
		if got := syncOutcome(&c.report); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}
