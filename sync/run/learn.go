package run

import (
	"context"
	"slices"
	"time"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/state"
)

// What a dry run could teach is learnt in the transaction that ends a run: the
// dry run itself where there is nothing to apply, else the sync that applies its
// plan. Only a read of the domain's stored source teaches, that passed the shrink
// check and is not older than the last one learnt from.

// lesson is what a dry run teaches; nil for a read that teaches nothing.
func (r *Runner) lesson(in *plan.Input, p *plan.Plan, stored bool) *state.Lesson {
	newest := in.Source.About().Newest
	if !stored || newest.Before(in.Past.Newest) {
		return nil
	}
	taught := p.Lesson()
	if taught == nil {
		return nil
	}
	l := &state.Lesson{
		Source: in.Past.Source, At: in.At, Newest: newest, New: taught.New, Gone: taught.Gone,
		Absent: texts(taught.Absent), Back: texts(taught.Back), Different: texts(taught.Different),
	}
	for _, x := range taught.Logins {
		l.Logins = append(l.Logins, state.SeenLogin{Username: x.Username, At: x.At})
	}
	for _, x := range taught.Links {
		l.Links = append(l.Links, state.Taught{
			Account: string(x.Account), No: x.No, Same: x.Same, From: string(x.From), Asked: x.Asked, Login: x.Login,
			Link: state.Link{
				Source: in.Past.Source, Username: x.Username, Given: x.Given, Family: x.Family, Display: x.Display,
				UPN: x.UPN, ImmutableID: x.ImmutableID,
			},
		})
	}
	return l
}

func texts(ids []directory.ID) []string {
	var all []string
	for _, id := range ids {
		all = append(all, string(id))
	}
	return all
}

// learnt is the part of a lesson that turned out to be true: seen reports whether a
// row of the plan was seen done, and which account an addition made.
func learnt(l *state.Lesson, p *plan.Plan, seen func(no int) (account string, done bool)) *state.Lesson {
	out := *l
	out.Links, out.Unlink, out.Different = nil, nil, nil
	out.Absent = slices.Clone(l.Absent)
	same := map[plan.AnswerKey]bool{}
	for _, q := range p.Questions() {
		switch id := string(q.Account.ID); {
		case q.Answer.Kind == plan.SamePerson:
			same[plan.AnswerKey{Account: q.Account.ID, Row: q.Answer.Row}] = true
		case q.Answer.Kind == plan.DifferentPeople && slices.Contains(l.Different, id):
			out.Absent = append(out.Absent, id)
		}
	}
	for _, t := range l.Links {
		if t.No != 0 {
			account, done := seen(t.No)
			if !done {
				continue
			}
			if t.Account == "" {
				t.Account = account
			}
		}
		if t.Account == "" || t.Same && !same[plan.AnswerKey{Account: directory.ID(t.Account), Row: t.Username}] {
			continue
		}
		if t.From != "" && t.From != t.Account {
			out.Unlink = append(out.Unlink, t.From)
		}
		out.Links = append(out.Links, t)
		if t.Asked {
			sawAsked(&out, t)
		}
	}
	return &out
}

// sawAsked counts a Username as seen whose row was in question.
func sawAsked(l *state.Lesson, t state.Taught) {
	gone := slices.DeleteFunc(slices.Clone(l.Gone), func(name string) bool { return name == t.Username })
	if len(gone) == len(l.Gone) && !slices.Contains(l.New, t.Username) {
		l.New = append(slices.Clone(l.New), t.Username)
	}
	l.Gone = gone
	l.Logins = append(slices.Clone(l.Logins), state.SeenLogin{Username: t.Username, At: t.Login})
}

// endDryRun ends a dry run: where there is nothing to apply, it learns at once; else
// it stores the lesson for the sync.
func (r *Runner) endDryRun(ctx context.Context, run state.Run, p *plan.Plan, l *state.Lesson) error {
	if l == nil || p == nil {
		return r.Store.EndRun(ctx, run, nil)
	}
	if p.Len() > 0 || p.Verdict().Cancelled {
		if err := r.Store.SaveLesson(ctx, run.No, *l); err != nil {
			return err
		}
		return r.Store.EndRun(ctx, run, nil)
	}
	none := func(int) (string, bool) { return "", false }
	return r.Store.EndRun(ctx, run, learnt(l, p, none))
}

// lessonOf is what the sync under way taught, by the outcomes of its rows. An undo
// removes what the undone run taught.
func (s *syncing) lessonOf(ctx context.Context, rep *Report) (*state.Lesson, error) {
	if rep.State != state.Done && rep.State != state.Partial {
		return nil, nil //nolint:nilnil // nothing to learn is no error
	}
	l := &state.Lesson{}
	if s.run.Kind == state.Undo {
		if rep.Seen > 0 {
			l.TakesBack = s.run.PlanOf
		}
		s.marks(l, rep)
		return l, nil
	}
	kept, err := s.claim.Lesson(ctx, s.run.PlanOf)
	if err != nil {
		return nil, err
	}
	if kept != nil && s.run.PlanOf != 0 {
		l = learnt(kept, s.plan, func(no int) (string, bool) {
			return rep.NewIDs[no], rep.Outcome[no] == OutcomeSeen
		})
		l.Links = slices.DeleteFunc(l.Links, s.driftedSince)
	}
	for _, q := range s.plan.Questions() {
		whole, part := s.actedBy(q, rep)
		for i := range q.Rows {
			key := state.AnswerKey{Account: string(q.Account.ID), Row: q.Rows[i].RowKey()}
			switch {
			case q.Answer.Kind == plan.SamePerson && key.Row != q.Answer.Row:
			case whole:
				l.Answers = append(l.Answers, key)
			case part:
				l.Begun = append(l.Begun, key)
			}
		}
	}
	s.marks(l, rep)
	return l, nil
}

// marks are the accounts that the sync added, blocked and unblocked.
func (s *syncing) marks(l *state.Lesson, rep *Report) {
	for a := range s.plan.Actions() {
		id := string(a.User.ID)
		if id == "" {
			id = rep.NewIDs[a.No]
		}
		if id == "" || rep.Outcome[a.No] != OutcomeSeen {
			continue
		}
		if a.Kind == plan.Add {
			l.Added = append(l.Added, id)
		}
		for _, c := range a.Changes {
			switch {
			case c.Attribute != directory.AccountEnabled:
			case c.New.Text == "false":
				if s.blocked(a.No) {
					l.Blocked = append(l.Blocked, id)
				}
				if ex := a.Explanation; ex != nil && (ex.Claim == "" || ex.Question != 0 || slices.Contains(l.Unlink, id)) {
					// Only a reviewer's answer allows it, and the answer holds for the deletion as well.
					l.Vouched, l.Absent = append(l.Vouched, id), append(l.Absent, id)
				}
			default:
				l.Unblocked = append(l.Unblocked, id)
			}
		}
	}
}

// blocked reports whether this run blocked the sign-in of a row's account. Blocked by
// another hand before, the row counts as seen, and the block is not hacsync's to lift.
func (s *syncing) blocked(no int) bool {
	for step := range s.actions[no].steps {
		e := s.entries[stepKey{no, step}]
		if v, ok := e.After.Get(directory.AccountEnabled); ok && v.Text == "false" && e.Took() {
			return true
		}
	}
	return false
}

// actedBy reports whether a sync did all that the answer to a question asks for, or
// a part of it. The answer is used up only when all is done: a block, for example, is
// followed by a deletion.
func (s *syncing) actedBy(q *plan.Question, rep *Report) (whole, part bool) {
	seen := func(no int) bool { return no != 0 && rep.Outcome[no] == OutcomeSeen }
	switch q.Answer.Kind {
	case plan.SamePerson:
		for i := range q.Rows {
			c := &q.Rows[i]
			whole = whole || c.RowKey() == q.Answer.Row && (c.Same == 0 && c.SameWhy == nil || seen(c.Same))
		}
	case plan.DifferentPeople:
		all := true
		for i := range q.Rows {
			if no := q.Rows[i].Add; no != 0 {
				all, part = all && seen(no), part || seen(no)
			}
		}
		// A deletion that was taken back is asked about again, so that the next run
		// does not try it without an answer.
		switch a := s.actions[q.Delete]; {
		case a != nil && a.kind == plan.Delete:
			whole = seen(q.Delete) || a.back
		case q.Owes():
			part = part || seen(q.Delete)
		default:
			whole = part && all
		}
	case plan.Open, plan.NotNow:
	}
	return whole, part
}

// driftedSince reports whether a link is about an account or a row that was no longer
// as in the plan, and was left as it is.
func (s *syncing) driftedSince(t state.Taught) bool {
	return slices.ContainsFunc(s.drifted, func(d plan.Drifted) bool {
		return d.No == 0 && directory.FoldUPN(d.UPN) == directory.FoldUPN(t.UPN)
	})
}

// pastDrift reads again, under the claim, the links and answers that the plan was
// made from.
func (s *syncing) pastDrift(ctx context.Context) ([]plan.Drifted, error) {
	if s.run.Kind != state.Sync {
		return nil, nil
	}
	var ids []string
	leaving := map[string]time.Time{} // Usernames of accounts that depart, and when they were last seen
	for a := range s.plan.Actions() {
		if a.User.ID != "" {
			ids = append(ids, string(a.User.ID))
		}
		if a.Explanation != nil && a.Link.Username != "" {
			leaving[a.Link.Username] = time.Time{}
		}
	}
	if len(leaving) > 0 {
		seen, err := s.r.Store.Seen(ctx, s.run.Tenant, s.run.Domain)
		if err != nil {
			return nil, err
		}
		for _, u := range seen.Users {
			if _, ok := leaving[u.Username]; ok && seen.Source == s.source {
				leaving[u.Username] = u.Last
			}
		}
	}
	accounts, err := s.r.Store.AccountsOf(ctx, s.run.Tenant, ids)
	if err != nil {
		return nil, err
	}
	drifted := s.plan.PastDrift(func(id directory.ID) plan.Known {
		a := accounts[string(id)]
		known := plan.Known{Claimed: a.Claimed, Absent: plan.Absence(a.Absent)}
		if a.Link.Source == s.source {
			known.Username, known.Seen = a.Link.Username, leaving[a.Link.Username]
		}
		return known
	})
	if s.run.PlanOf == 0 { // answers to a plan of another state count with this review
		return drifted, nil
	}
	answers, err := s.r.answers(ctx, s.run.Domain)
	if err != nil {
		return nil, err
	}
	return append(drifted, s.plan.AnswerDrift(answers)...), nil
}
