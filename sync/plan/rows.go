package plan

import (
	"iter"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/problem"
)

// Plan is what a sync would do: actions, skips with reasons, and the guard's
// verdict. It never changes, and is safe for concurrent use.
//
// A plan just built holds numbers of rows in its snapshots and makes an Action
// when asked; one read from a file holds its actions; one that a reviewer
// approved shows those of the reviewed plan that remain.
type Plan struct {
	head
	book book
}

// head is what a plan has besides its rows.
type head struct {
	tenant    string
	domain    string
	policy    Policy
	about     directory.About
	confirmed bool
	digest    directory.Digest
	counts    Counts
	verdict   Verdict
	warnings  []*problem.Problem
	need      []directory.ID
	finger    Fingerprint
	// source has the rows that the plan rests on, rests marks them.
	source *directory.Snapshot
	rests  func(directory.User) bool
	// rested is the sum of those rows, for the fingerprint.
	rested [4]uint64
	guard  guard
	// undo is the run that the plan undoes, 0 for a plan of a source.
	undo int64
	// version is that of the file that the plan was read from, or FormatVersion.
	version int
	// open is the plan with every question open, nil where it asks none or is
	// final; answers are those that make this one of it.
	open    *Plan
	answers []Answer
	final   bool
	// lazy makes the fingerprint when it is asked for; nil where finger has it.
	lazy func() Fingerprint
}

// book makes the rows of a plan.
type book interface {
	len() int
	no(i int) int
	kind(i int) Kind
	action(i int) Action
	// core is the action without warnings, which cost most to find.
	core(i int) Action
	skips() int
	skip(i int) Skipped
	// find gives the index of an action by its number.
	find(no int) (int, bool)
	// asked are the questions; option is the action that an answer may make, by its
	// number.
	asked() []*Question
	option(no int) (Action, bool)
	// ties are, for the numbers of actions that wait for others, those others; rows that
	// are not in it wait for none.
	ties() map[int][]int
}

// Need are the accounts that actions name and whose mailbox kind was not in the
// input: read them and build again. Until it is empty the plan is not final and
// must not be applied.
func (p *Plan) Need() []directory.ID { return p.need }

// Tenant is the tenant's ID.
func (p *Plan) Tenant() string { return p.tenant }

// Domain is the domain, in lower case.
func (p *Plan) Domain() string { return p.domain }

// Policy is what it was built with.
func (p *Plan) Policy() Policy { return p.policy }

// Undoes is the number of the run that the plan undoes, 0 for one that follows
// a source. An undo has no source: it rests on the journal and the tenant.
func (p *Plan) Undoes() int64 { return p.undo }

// Source describes the source it rests on.
func (p *Plan) Source() directory.About { return p.about }

// Confirmed reports whether the source's completeness was confirmed: by a count, or
// by the source itself where it says where its list ends.
func (p *Plan) Confirmed() bool { return p.confirmed }

// Unattended reports whether the plan was made for an unattended run, and so does less.
func (p *Plan) Unattended() bool { return p.guard.unattended }

// SourceDigest identifies the source snapshot.
func (p *Plan) SourceDigest() directory.Digest { return p.digest }

// Counts are its sums.
func (p *Plan) Counts() Counts { return p.counts }

// Verdict is the guard's judgement.
func (p *Plan) Verdict() Verdict { return p.verdict }

// Fingerprint identifies it.
func (p *Plan) Fingerprint() Fingerprint {
	if p.lazy != nil {
		return p.lazy()
	}
	return p.finger
}

// Warnings are those of the plan as a whole (completeness not confirmed, two
// masters, a source older than a day, duplicates of aliases).
func (p *Plan) Warnings() []*problem.Problem { return p.warnings }

// Len is the number of actions. Action(i) is made on demand; in a plan just
// built its No is i+1, in an approved one rows left out leave gaps.
func (p *Plan) Len() int { return p.book.len() }

// Action is action i, 0 ≤ i < Len, in order of risk, then UPN.
func (p *Plan) Action(i int) Action { return p.book.action(i) }

// Actions are all of them in order.
func (p *Plan) Actions() iter.Seq[Action] {
	return func(yield func(Action) bool) {
		for i := range p.book.len() {
			if !yield(p.book.action(i)) {
				return
			}
		}
	}
}

// SkipLen is the number of skips.
func (p *Plan) SkipLen() int { return p.book.skips() }

// Skip is skip i; its No is Len()+i+1 in a plan just built.
func (p *Plan) Skip(i int) Skipped { return p.book.skip(i) }

// Skips are all of them in order: by group, code, UPN.
func (p *Plan) Skips() iter.Seq[Skipped] {
	return func(yield func(Skipped) bool) {
		for i := range p.book.skips() {
			if !yield(p.book.skip(i)) {
				return
			}
		}
	}
}

// Questions are those that the plan asks, with their answers, in their order.
func (p *Plan) Questions() iter.Seq2[int, *Question] {
	return func(yield func(int, *Question) bool) {
		for i, q := range p.book.asked() {
			if !yield(i, q) {
				return
			}
		}
	}
}

// QuestionLen is the number of questions.
func (p *Plan) QuestionLen() int { return len(p.book.asked()) }

// Question is question i.
func (p *Plan) Question(i int) *Question { return p.book.asked()[i] }

// Option is the action that an answer would make, by its number.
func (p *Plan) Option(no int) (Action, bool) {
	if i, ok := p.book.find(no); ok {
		return p.book.action(i), true
	}
	return p.book.option(no)
}

// find gives the index of action no.
func (p *Plan) find(no int) (int, bool) { return p.book.find(no) }

// stored is the book of a plan file.
type stored struct {
	acts  []Action
	skipd []Skipped
	tied  map[int][]int
	byNo  map[int]int
	ask   []*Question
	opts  map[int]Action
}

func (s *stored) find(no int) (int, bool)      { i, ok := s.byNo[no]; return i, ok }
func (s *stored) asked() []*Question           { return s.ask }
func (s *stored) option(no int) (Action, bool) { a, ok := s.opts[no]; return a, ok }

func (s *stored) len() int            { return len(s.acts) }
func (s *stored) no(i int) int        { return s.acts[i].No }
func (s *stored) kind(i int) Kind     { return s.acts[i].Kind }
func (s *stored) action(i int) Action { return s.acts[i] }
func (s *stored) core(i int) Action   { return s.acts[i] }
func (s *stored) skips() int          { return len(s.skipd) }
func (s *stored) skip(i int) Skipped  { return s.skipd[i] }
func (s *stored) ties() map[int][]int { return s.tied }

// newStored makes a book of rows.
func newStored(acts []Action, skips []Skipped) *stored {
	s := &stored{acts: acts, skipd: skips, tied: map[int][]int{}, byNo: make(map[int]int, len(acts)), opts: map[int]Action{}}
	for i := range acts {
		s.byNo[acts[i].No] = i
		if t := acts[i].waits(); len(t) > 0 {
			s.tied[acts[i].No] = t
		}
	}
	return s
}

// waits are the numbers of all actions that a needs, in case a reviewer leaves one of
// them out.
func (a *Action) waits() []int {
	t := a.After
	if len(a.how.last) > 0 || a.how.with > 0 {
		t = append(append([]int(nil), t...), a.how.last...)
		if a.how.with > 0 {
			t = append(t, a.how.with)
		}
	}
	return t
}
