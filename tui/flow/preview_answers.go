package flow

import (
	"context"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/run"
	"github.com/hacsync/hacsync/tui/review"
	"github.com/hacsync/hacsync/tui/words"
)

type (
	// reply is an answer to a question, for the account that it is about.
	reply struct {
		account directory.ID
		kind    plan.AnswerKind
		row     string
	}
	// replied is the plan with an answer that was stored.
	replied struct {
		to      reply
		planned *run.Planned
		err     error
	}
)

// reply answers a question: the one that is shown, or that of the row given.
func (s *previewing) reply(d *data, a Answer) turn {
	r := d.review
	if !s.listed(d).asks() && a.Rows == nil {
		return stayed(words.T("preview.q.no_answer_here"))
	}
	at := s.at
	if len(a.Rows) == 1 {
		at = -a.Rows[0] - 1
	}
	if at < 0 || at >= r.Plan().QuestionLen() {
		return stayed(words.T("preview.q.no_answer_here"))
	}
	q := r.Plan().Question(at)
	kind, ok := map[string]plan.AnswerKind{
		review.CmdSame: plan.SamePerson, review.CmdDifferent: plan.DifferentPeople, review.CmdNotNow: plan.NotNow,
	}[a.Command]
	if !ok {
		return s.takeBack(d, q)
	}
	row := ""
	if kind == plan.SamePerson {
		c, why := chosen(q, a.Text)
		if c == nil {
			return stayed(why)
		}
		row = c.RowKey()
	}
	if q.Answer.Kind == kind && (kind != plan.SamePerson || q.Answer.Row == row) {
		return stayed(words.T("preview.q.said_already"))
	}
	return s.give(d, reply{q.Account.ID, kind, row})
}

// chosen is the row that same person means, or why none is.
func chosen(q *plan.Question, text string) (c *plan.Candidate, why words.Text) {
	text = words.Fold(text)
	for i := range q.Rows {
		x := &q.Rows[i]
		if len(q.Rows) == 1 && text == "" || text != "" && (text == x.Key || text == words.Fold(x.RowKey())) {
			c = x
		}
	}
	switch {
	case c == nil:
		return nil, words.T("preview.q.which_row")
	case c.TakenBy > 0:
		return nil, words.T("question.taken", "no", c.TakenBy)
	}
	return c, words.Text{}
}

// takeBack opens the question answered last again, else q.
func (s *previewing) takeBack(d *data, q *plan.Question) turn {
	for n := len(s.said); n > 0; n = len(s.said) {
		last := s.said[n-1]
		s.said = s.said[:n-1]
		for _, x := range d.review.Plan().Questions() {
			if x.Account.ID == last && x.Answer.Kind != plan.Open {
				return s.give(d, reply{account: last})
			}
		}
	}
	if q.Answer.Kind != plan.Open {
		return s.give(d, reply{account: q.Account.ID})
	}
	return stayed(words.T("preview.q.nothing_back"))
}

// give stores an answer at once; a plan without a tenant has it in memory alone.
func (s *previewing) give(d *data, to reply) turn {
	if d.session == nil {
		r := d.review
		for _, q := range r.Plan().Questions() {
			if q.Account.ID == to.account {
				planned := *d.planned
				planned.Plan = r.Plan().Answer(r.Said(q, to.kind, to.row, d.approver(), d.now()))
				return s.replied(d, replied{to: to, planned: &planned})
			}
		}
		return turn{}
	}
	s.replies = append(s.replies, to)
	return s.store(d)
}

// store stores the next answer that waits: one after the other, so that the plan of
// the last one has them all.
func (s *previewing) store(d *data) turn {
	if s.storing || len(s.replies) == 0 {
		return turn{}
	}
	to := s.replies[0]
	s.replies, s.storing, s.working = s.replies[1:], true, words.T("preview.q.storing")
	engine, planned, by := d.engine(), d.planned, d.approver()
	return does(effect(func(ctx context.Context, r Reporter) any {
		// An answer that was given is kept, also when the person has gone on.
		p, err := engine(r).Answer(context.WithoutCancel(ctx), planned, to.account, to.kind, to.row, by)
		return replied{to, p, err}
	}))
}

// replied takes the plan with an answer.
func (s *previewing) replied(d *data, got replied) turn {
	s.storing = false
	if got.err != nil {
		s.err, s.replies = got.err, nil
		return turn{}
	}
	r := d.review
	d.planned = got.planned
	r.Answered(got.planned.Plan)
	if got.to.kind != plan.Open {
		s.said = append(s.said, got.to.account)
	}
	t := s.store(d)
	for _, q := range r.Plan().Questions() {
		switch {
		case q.Account.ID != got.to.account:
		case q.Answer.Kind != got.to.kind:
			t.say = []words.Text{words.T("preview.q.final")}
		case got.to.kind == plan.Open:
			t.say = []words.Text{words.T("preview.q.taken_back", "no", q.No)}
		}
	}
	return t
}

// turnTo shows the next question, or the one before; after the last one all changes.
func (s *previewing) turnTo(d *data, by int) turn {
	n := d.review.Plan().QuestionLen()
	switch {
	case s.many:
		s.many = false
	case by > 0 && s.at+1 >= n:
		s.show(d, review.TabAll, review.NoFilter, "")
		s.at = 0
		return stayed(words.T("preview.q.last"))
	case by < 0 && s.at == 0:
		return stayed(words.T("preview.first_page"))
	default:
		s.at += by
	}
	return turn{}
}
