package review

import (
	"slices"
	"time"

	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/tui/words"
)

// answerSign is the sign of a question by its answer.
func answerSign(k plan.AnswerKind) string {
	switch k {
	case plan.SamePerson:
		return "="
	case plan.DifferentPeople:
		return "#"
	case plan.NotNow:
		return ".."
	case plan.Open:
	}
	return questionSign
}

// AnswerWord is the word for an answer.
func AnswerWord(k plan.AnswerKind) words.Text {
	if k == plan.Open {
		return words.T("question.answer.open")
	}
	return words.T("question.answer." + string(k))
}

// Said are the answers that are kept when a question is answered: with same person
// of one row, else of each. Answers to other questions stay.
func (r *Review) Said(q *plan.Question, kind plan.AnswerKind, row, by string, at time.Time) []plan.Answer {
	said := slices.DeleteFunc(slices.Clone(r.plan.Answers()), func(a plan.Answer) bool { return a.Account == q.Account.ID })
	if kind == plan.Open {
		return said
	}
	for i := range q.Rows {
		if key := q.Rows[i].RowKey(); kind != plan.SamePerson || key == row {
			said = append(said, plan.Answer{Kind: kind, Account: q.Account.ID, Row: key, Basis: q.Basis, By: by, At: at})
		}
	}
	return said
}

// would is the plan with one more answer, and the guard's verdict on what remains of it
// then; a caller that asks edit what p has uses edit up.
func (r *Review) would(q *plan.Question, kind plan.AnswerKind, row string) (*plan.Plan, *plan.Review, plan.Verdict) {
	p := r.plan.Answer(r.Said(q, kind, row, "", time.Time{}))
	edit := p.Review()
	for no := range r.left {
		edit.LeaveOut(no)
	}
	v := edit.Verdict()
	return p, edit, v
}

// The answers to a question: the word for each, and its key on a screen.
const (
	WordSame      = "same"
	WordDifferent = "different"
	WordNotNow    = "not-now"
	KeySame       = "="
	KeyDifferent  = "D"
	KeyNotNow     = "space"
)

// ways are the three answers with their effects.
func (r *Review) ways(q *plan.Question, chosen int) words.Ways {
	same := words.Way{Key: KeySame, Word: WordSame, Name: words.T("question.answer.same"), Chosen: q.Answer.Kind == plan.SamePerson}
	switch {
	case same.Chosen:
		c := rowOf(q, q.Answer.Row)
		r.doesSame(&same, q, c)
	case chosen < 0:
		same.Does = words.T("preview.q.choose")
	case q.Rows[chosen].TakenBy > 0:
		same.Does = words.T("question.taken", "no", q.Rows[chosen].TakenBy)
	default:
		r.doesSame(&same, q, &q.Rows[chosen])
	}
	if len(q.Rows) > 1 && (chosen >= 0 || same.Chosen) {
		key := ""
		if c := rowOf(q, q.Answer.Row); same.Chosen && c != nil {
			key = c.Key
		} else if chosen >= 0 {
			key = q.Rows[chosen].Key
		}
		same.Name = words.T("preview.q.same_as", "key", key)
	}
	other := words.Way{Key: KeyDifferent, Word: WordDifferent, Name: words.T("question.answer.different"), Chosen: q.Answer.Kind == plan.DifferentPeople}
	if len(q.Rows) > 1 {
		other.Name = words.T("preview.q.none_of")
	}
	r.doesDifferent(&other, q)
	later := words.Way{
		Key: KeyNotNow, Word: WordNotNow, Name: words.T("question.answer.not-now"), Does: words.T("preview.q.does_nothing"),
		Chosen: q.Answer.Kind == plan.NotNow || q.Answer.Kind == plan.Open,
	}
	return words.Ways{same, other, later}
}

// doesSame is the effect of the answer same person.
func (r *Review) doesSame(w *words.Way, q *plan.Question, c *plan.Candidate) {
	if c == nil {
		return
	}
	p, edit, v := r.would(q, plan.SamePerson, c.RowKey())
	var does words.Text
	a, ok := p.Option(c.Same)
	switch {
	case ok && a.Kind == plan.Rename:
		does = words.T("preview.q.does_rename", "upn", words.Local(a.UPN, p.Domain()))
	case ok && a.Kind == plan.Update:
		does = words.T("preview.q.does_update")
	case ok:
		does = words.T("preview.q.does_kind", "sign", a.Kind.Sign(), "kind", words.T("kind."+a.Kind.String()))
	case c.SameWhy != nil:
		does = words.T("preview.q.does_skip", "why", words.Short{Err: c.SameWhy})
	default:
		does = words.T("preview.q.does_stay")
	}
	var added words.Names
	for i := range q.Rows {
		x := &q.Rows[i]
		if x.RowKey() == c.RowKey() || x.Add == 0 {
			continue
		}
		if _, ok := made(p, edit, x.Add); ok {
			added = append(added, x.Key)
		}
	}
	if len(added) > 0 {
		does = words.T("preview.q.and_added", "does", does, "rows", added, "n", len(added))
	}
	w.Does, w.Cancels = does, v.Cancelled
}

// made is an action that answers make, if p has it.
func made(p *plan.Plan, edit *plan.Review, no int) (plan.Action, bool) {
	a, ok := p.Option(no)
	return a, ok && (edit.IsOut(no) || edit.LeaveOut(no) != nil)
}

// rowOf is the row of a question that an answer names.
func rowOf(q *plan.Question, key string) *plan.Candidate {
	for i := range q.Rows {
		if q.Rows[i].RowKey() == key {
			return &q.Rows[i]
		}
	}
	return nil
}

// doesDifferent is the effect of the answer different people.
func (r *Review) doesDifferent(w *words.Way, q *plan.Question) {
	p, edit, v := r.would(q, plan.DifferentPeople, "")
	now := p.Question(q.No - 1)
	guard := words.T("preview.q.guard", "deletions", v.Deletions, "users", v.Users)
	if v.Cancelled {
		w.Cancels = true
		guard = words.T("preview.q.guard_cancels", "deletions", v.Deletions, "users", v.Users, "percent", words.Percent(v.Percent()))
	}
	a, acts := made(p, edit, q.Delete)
	var rows words.Texts
	for i := range q.Rows {
		if b, ok := made(p, edit, q.Rows[i].Add); ok {
			rows = append(rows, words.T("preview.q.does_kind", "sign", b.Kind.Sign(), "kind", words.Local(b.UPN, p.Domain())))
			if acts && slices.Contains(b.After, a.No) {
				w.Deletes = true
				w.Does = words.T("preview.q.does_replace", "guard", guard, "upn", words.Local(b.UPN, p.Domain()))
			}
		}
	}
	switch {
	case !w.Does.IsZero():
	case len(now.Waits) > 0:
		w.Does = words.T("preview.q.does_wait", "no", now.Waits[0])
	case !acts && q.DeleteWhy != nil:
		w.Does = words.T("preview.q.does_keep", "why", words.Short{Err: q.DeleteWhy})
	case !acts:
		w.Does = words.T("preview.q.does_leave")
	default:
		w.Deletes = true
		id := "preview.q.does_delete"
		if a.Kind != plan.Delete {
			id = "preview.q.does_block"
		}
		if len(rows) > 0 {
			id += "_after"
		}
		w.Does = words.T(id, "guard", guard, "rows", rows)
	}
}
