package run

import (
	"cmp"
	"context"
	"slices"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/state"
)

// Rows returns the rows of a run that its journal does not show as seen done, in
// order of row number, and the number of those that it does. A row that was never
// begun is in neither.
func (r *Runner) Rows(ctx context.Context, no int64) (open []RowResult, seen int, err error) {
	entries, err := r.Store.Journal(ctx, no)
	if err != nil {
		return nil, 0, err
	}
	rows := map[int]RowResult{}
	done := map[int]bool{}
	for _, e := range entries {
		row, known := rows[e.Action]
		if TakenBack(&e) {
			why := decodeProblem(e.Problem)
			if why == nil { // not read back yet
				why = problem.New(problem.RowPutBack, problem.Args{"upn": e.Object.UPN, "no": additionOf(entries, e.Object.UPN)})
			}
			rows[e.Action] = RowResult{No: e.Action, Kind: plan.Delete, UPN: e.Object.UPN, Outcome: OutcomeFailed, Why: why}
			continue
		}
		if e.State == state.Seen {
			done[e.Action] = true
			continue
		}
		if known && row.Outcome == OutcomeFailed {
			continue // the step that failed says more than the one after it
		}
		rows[e.Action] = RowResult{
			No: e.Action, Kind: kindOfRow(e.Kind), UPN: e.Object.UPN, Outcome: outcomeOf(e.State), Why: decodeProblem(e.Problem),
		}
	}
	for no := range done {
		if _, not := rows[no]; !not {
			seen++
		}
	}
	for _, row := range rows {
		open = append(open, row)
	}
	slices.SortFunc(open, func(a, b RowResult) int { return cmp.Compare(a.No, b.No) })
	return open, seen, nil
}

// additionOf is the number of the row that was to add a user with a UPN, or empty.
func additionOf(entries []state.Entry, upn string) string {
	for _, e := range entries {
		if e.Kind == state.KindAdd && directory.FoldUPN(e.Object.UPN) == directory.FoldUPN(upn) {
			return itoa(e.Action)
		}
	}
	return ""
}
