package review

import (
	"slices"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/tui/words"
)

// someShown is how many names one line of the confirmation has.
const someShown = 3

// Switched is how many of the updates that remain block a sign-in, and how many allow
// one again.
func (r *Review) Switched() (blocks, back int) {
	for _, i := range r.switched {
		switch a := r.plan.Action(int(i)); {
		case r.IsOut(a.No):
		case a.Blocks:
			blocks++
		default:
			back++
		}
	}
	return blocks, back
}

// DeletionNotes are what a user must know of the remaining deletions before they are
// made: those of accounts that were never seen in the source, and those that wait for
// an addition.
func (r *Review) DeletionNotes() []words.Text {
	var unseen, waiting, added words.Names
	explained := 0
	for i := range r.Part(TabDelete).Count {
		a := r.plan.Action(i)
		if e := a.Explanation; e == nil || r.IsOut(a.No) {
			continue
		} else if e.Claim == "" {
			unseen = append(unseen, words.Local(a.UPN, r.plan.Domain()))
		} else {
			explained++
		}
		if len(a.After) > 0 && a.Explanation.Question > 0 {
			waiting = append(waiting, words.Local(a.UPN, r.plan.Domain()))
			for _, no := range a.After {
				if b, ok := r.Action(no); ok {
					added = append(added, words.Local(b.UPN, r.plan.Domain()))
				}
			}
		}
	}
	var out []words.Text
	if n := len(unseen); n > 0 {
		out = append(out, words.T("preview.confirm.unseen", "n", n, "explained", explained, "names", some(unseen)))
	}
	if n := len(waiting); n > 0 {
		out = append(out, words.T("preview.confirm.waits", "n", n, "names", some(added)))
	}
	return out
}

// some are the first names, and how many more there are.
func some(names words.Names) words.Texts {
	out := words.Texts{words.Is(names[:min(len(names), someShown)])}
	if n := len(names) - someShown; n > 0 {
		out = append(out, words.T("flow.more_people", "n", n))
	}
	return out
}

// Unanswered lists which questions stay open and what follows, or how they were
// answered.
func (r *Review) Unanswered() []words.Piece {
	all, _ := r.Questions()
	if all == 0 {
		return nil
	}
	var open words.Names
	var rows []string
	given := map[plan.AnswerKind]int{}
	for _, q := range r.plan.Questions() {
		given[q.Answer.Kind]++
		if q.Answer.Kind != plan.Open {
			continue
		}
		open = append(open, words.Local(q.Account.UPN, r.plan.Domain()))
		for i := range q.Rows {
			key := directory.FoldUPN(q.Rows[i].RowKey())
			if !slices.Contains(rows, key) && q.Rows[i].TakenBy == 0 {
				rows = append(rows, key)
			}
		}
	}
	if given[plan.Open] == 0 {
		text := words.T("preview.confirm.answered", "n", all, "same", given[plan.SamePerson], "different", given[plan.DifferentPeople], "notnow", given[plan.NotNow])
		return []words.Piece{words.Checks{{Mark: words.Info, Text: text}}}
	}
	return []words.Piece{words.Checks{{
		Mark: words.Asks, Text: words.T("preview.confirm.open", "n", len(open), "rows", len(rows), "names", some(open)),
		Detail: []words.Text{words.T("preview.confirm.open_means", "n", len(open))},
	}}}
}
