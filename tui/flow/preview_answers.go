package flow

import (
	"context"
	"slices"
	"sync"

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
	// replied is the plan with answers that were stored.
	replied struct {
		to      []reply
		planned *run.Planned
		err     error
	}
	// answering stores answers one after the other, so that the plan of the last one
	// has them all. It belongs to the step and to the effect that stores: what was
	// given is stored also when the step is left meanwhile.
	answering struct {
		mu      sync.Mutex
		planned *run.Planned
		waiting []reply
		storing bool
	}
)

// add takes an answer; start says that an effect has to store it.
func (a *answering) add(planned *run.Planned, to reply) (start bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.waiting = append(a.waiting, to)
	if start = !a.storing; start {
		a.planned, a.storing = planned, true
	}
	return start
}

// next is the answer to be stored now.
func (a *answering) next() (planned *run.Planned, to reply, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.waiting) == 0 {
		a.storing = false
		return a.planned, to, false
	}
	to, a.waiting = a.waiting[0], a.waiting[1:]
	return a.planned, to, true
}

// stored takes the plan with an answer, or gives up those that wait.
func (a *answering) stored(planned *run.Planned, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err != nil {
		a.waiting, a.storing = nil, false
		return
	}
	a.planned = planned
}

// now says whether answers are being stored, and the plan with those that were.
func (a *answering) now() (planned *run.Planned, storing bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.planned, a.storing
}

// reply answers a question: the one that is shown, or that of the row given.
func (s *previewStep) reply(d *data, a Answer) turn {
	r := d.review
	if (s.many || !s.listed(d).asks()) && a.Rows == nil {
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
		CmdSame: plan.SamePerson, CmdDifferent: plan.DifferentPeople, CmdNotNow: plan.NotNow,
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
	// What is being stored may be another answer than the plan has.
	if !s.storing() && q.Answer.Kind == kind && (kind != plan.SamePerson || q.Answer.Row == row) {
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
func (s *previewStep) takeBack(d *data, q *plan.Question) turn {
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

// give stores an answer at once.
func (s *previewStep) give(d *data, to reply) turn {
	if s.queue == nil {
		s.queue = &answering{}
	}
	if !s.queue.add(d.planned, to) {
		return turn{}
	}
	s.working = words.T("preview.q.storing")
	engine, by, queue, settled := d.engine(), d.approver(), s.queue, d.settled()
	return does(effect(func(ctx context.Context, r Reporter) any {
		settled()
		var out replied
		for {
			planned, to, ok := queue.next()
			if !ok {
				out.planned = planned
				return out
			}
			// An answer that was given is kept, also when the person has gone on.
			planned, out.err = engine(r).Answer(context.WithoutCancel(ctx), planned, to.account, to.kind, to.row, by)
			queue.stored(planned, out.err)
			if out.err != nil {
				return out
			}
			out.to = append(out.to, to)
		}
	}))
}

// storing reports whether answers are being stored.
func (s *previewStep) storing() bool {
	if s.queue == nil {
		return false
	}
	_, storing := s.queue.now()
	return storing
}

// replied takes the plan with answers.
func (s *previewStep) replied(d *data, got replied) turn {
	if s.queue != nil {
		newest, storing := s.queue.now() // another effect may have stored more since
		got.planned = newest
		if storing {
			s.working = words.T("preview.q.storing")
		}
	}
	if got.err != nil {
		s.err = got.err
	}
	if len(got.to) == 0 {
		return turn{}
	}
	r, raised := d.review, d.review.RaisedBy()
	d.planned = got.planned
	r.Answered(got.planned.Plan)
	r.Restore(got.planned.Decided)
	var t turn
	if len(raised) > 0 && !r.Raised() {
		t.run = []Effect{d.decide(nil, raised, nil)}
	}
	for _, to := range got.to {
		if to.kind != plan.Open {
			s.said = append(s.said, to.account)
		}
		for _, q := range r.Plan().Questions() {
			switch {
			case q.Account.ID != to.account:
			case q.Answer.Kind != to.kind && len(got.to) == 1:
				t.say = []words.Text{words.T("preview.q.final")}
			case to.kind == plan.Open:
				t.say = []words.Text{words.T("preview.q.taken_back", "no", q.No)}
			}
		}
	}
	return t
}

// turnTo shows the next question, or the one before; after the last one all changes.
func (s *previewStep) turnTo(d *data, by int) turn {
	list := s.questions(d)
	at := slices.IndexFunc(list, func(i int32) bool { return d.review.Asked(i) == s.at })
	switch {
	case s.many:
		s.many = false
	case by > 0 && at+1 >= len(list):
		s.show(d, review.TabAll, review.NoFilter, "")
		s.at = 0
		return stayed(words.T("preview.q.last"))
	case by < 0 && at <= 0:
		return stayed(words.T("preview.first_page"))
	default:
		s.at = d.review.Asked(list[at+by])
	}
	return turn{}
}
