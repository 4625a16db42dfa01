// Package review is a plan as a person reads it: its rows under tabs, filters and
// a search, what is known of each, and what the person leaves out. The screens
// and the line by line walk show the same rows, words and sums; the flow says
// what is left out.
package review

import (
	"slices"
	"time"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/tui/words"
)

// Review is a plan under a reviewer's hands. Rows are made on demand, and what
// is asked for on every frame is kept. Rows have indexes: first the actions in
// the plan's order, then the skips. Its methods belong to one goroutine; only a
// Finder may leave it.
//
// Version changes whenever something was left out, taken in or raised.
type Review struct {
	// Without are the attributes that are left out of the whole plan.
	Without []directory.Attribute

	plan   *plan.Plan
	edit   *plan.Review
	raised string // the fingerprint that was raised, empty for none
	index

	// steps are what was left out, step by step, to be taken back.
	steps [][]int
	left  map[int]string        // rows left out and why
	said  map[int]plan.Decision // by the number of a row that a person left out

	// What remains; nil: to be made.
	final   *plan.Plan
	counts  *plan.Counts
	verdict *plan.Verdict
	cards   map[cardKey]*Card
	version int
	shape   int
}

// New reads through a plan, which takes a while where it has many rows.
func New(p *plan.Plan) *Review {
	r := &Review{plan: p, edit: p.Review(), left: map[int]string{}, said: map[int]plan.Decision{}}
	r.index.read(r)
	return r
}

// Restore takes up what reviewers decided of the plan before, as the state has it.
func (r *Review) Restore(decided []plan.Decision) {
	r.Without = nil
	for _, d := range decided {
		if d.Kind == plan.LeaveOutAttribute && r.plan.Undoes() == 0 {
			r.Without = append(r.Without, d.Attribute)
		}
	}
	r.LeaveAgain(decided)
	r.raised = ""
	if r.edit.Raise(decided) {
		r.raised = r.edit.Approve().Fingerprint().String()
	}
	r.stale()
}

// LeaveAgain takes rows out that decisions are about.
func (r *Review) LeaveAgain(decided []plan.Decision) {
	for _, d := range r.plan.Decided(decided) {
		if !r.IsOut(d.No) {
			r.leave(d.No, d.Decision)
		}
	}
	r.Lower()
}

// leave takes a row out, and gives all that changed.
func (r *Review) leave(no int, d plan.Decision) []int {
	changed := r.edit.LeaveOut(no)
	for _, n := range changed {
		r.left[n] = d.Why
	}
	r.said[no] = d
	r.steps = append(r.steps, slices.Clone(changed))
	return changed
}

// Plan is the whole plan.
func (r *Review) Plan() *plan.Plan { return r.plan }

// Version changes whenever the review does.
func (r *Review) Version() int { return r.version }

// Shape changes whenever rows come or go, by an answer: indexes of before mean
// nothing then.
func (r *Review) Shape() int { return r.shape }

// Answered takes the plan with other answers to its questions. Rows left out stay
// so where they still are.
func (r *Review) Answered(p *plan.Plan) {
	r.edit.Answer(p.Answers())
	r.plan = r.edit.Plan()
	for no := range r.left {
		if !r.edit.IsOut(no) {
			delete(r.left, no)
			delete(r.said, no)
		}
	}
	r.tidySteps()
	r.raised = ""
	r.index = index{}
	r.index.read(r)
	r.shape++
	r.stale()
}

// Approved is the plan of what remains.
func (r *Review) Approved() *plan.Plan {
	if r.final == nil {
		r.final = r.plan
		if r.edit.Touched() {
			r.final = r.edit.Approve()
		}
	}
	return r.final
}

// Code is the short code of what remains.
func (r *Review) Code() string { return r.Approved().Fingerprint().Code() }

// Verdict is the guard's on what remains.
func (r *Review) Verdict() plan.Verdict {
	if r.verdict == nil {
		v := r.edit.Verdict()
		r.verdict = &v
	}
	return *r.verdict
}

// Remaining are the sums of what remains; the tabs show those of the whole plan.
func (r *Review) Remaining() plan.Counts {
	if r.counts == nil {
		c := r.edit.Counts()
		r.counts = &c
	}
	return *r.counts
}

// Action is the action with a row number.
func (r *Review) Action(no int) (plan.Action, bool) {
	i, ok := actions{r}.find(no)
	if !ok {
		return plan.Action{}, false
	}
	return r.plan.Action(i), true
}

// IsOut reports whether the row with a number is left out.
func (r *Review) IsOut(no int) bool { return r.edit.IsOut(no) }

// LeaveOut takes rows out; it returns all that changed, with what depends on them, and
// the decisions to be kept.
func (r *Review) LeaveOut(nos []int, always bool, by, why string, at time.Time) (changed []int, said []plan.Decision) {
	steps := len(r.steps)
	for _, no := range nos {
		a, ok := r.Action(no)
		if !ok || r.IsOut(no) {
			continue
		}
		d, _ := r.plan.Leave(no, always && a.Kind == plan.Delete)
		d.By, d.Why, d.At = by, why, at
		changed, said = append(changed, r.leave(no, d)...), append(said, d)
	}
	r.steps = r.steps[:steps]
	if len(changed) > 0 {
		r.steps = append(r.steps, slices.Clone(changed))
	}
	r.Lower() // a raise holds for one plan
	return changed, said
}

// TakeIn puts rows back; it returns all that changed, and the decisions that hold no
// more.
func (r *Review) TakeIn(nos []int) (changed []int, back []plan.Decision) {
	for _, no := range nos {
		if r.IsOut(no) {
			changed = append(changed, r.edit.TakeIn(no)...)
		}
	}
	for _, n := range changed {
		if d, ok := r.said[n]; ok {
			back = append(back, d)
		}
		delete(r.left, n)
		delete(r.said, n)
	}
	r.tidySteps()
	r.Lower() // a raise holds for one plan
	return changed, back
}

// tidySteps leaves in a step only what is still out: what came in by itself is not
// taken back.
func (r *Review) tidySteps() {
	for i, step := range r.steps {
		r.steps[i] = slices.DeleteFunc(step, func(n int) bool { return !r.IsOut(n) })
	}
	r.steps = slices.DeleteFunc(r.steps, func(step []int) bool { return len(step) == 0 })
}

// TakeBack undoes the last step of leaving out.
func (r *Review) TakeBack() (changed []int, back []plan.Decision) {
	if len(r.steps) == 0 {
		return nil, nil
	}
	return r.TakeIn(slices.Clone(r.steps[len(r.steps)-1]))
}

// Raise lets what remains pass the guard once; it is bound to exactly that, as the
// decision says.
func (r *Review) Raise(by string, at time.Time) plan.Decision {
	r.edit.RaiseOnce()
	r.stale()
	r.raised = r.Approved().Fingerprint().String()
	return plan.Decision{Kind: plan.RaiseOnce, Plan: r.raised, By: by, At: at}
}

// Lower takes a raise back.
func (r *Review) Lower() {
	r.edit.Raise(nil)
	r.raised = ""
	r.stale()
}

// RaisedBy is the raise that any change takes back, as a decision; empty for none.
func (r *Review) RaisedBy() []plan.Decision {
	if r.raised == "" {
		return nil
	}
	return []plan.Decision{{Kind: plan.RaiseOnce, Plan: r.raised}}
}

// Raised reports whether what remains may pass the guard once.
func (r *Review) Raised() bool { return r.raised != "" }

// stale forgets what was found of the rows that remain.
func (r *Review) stale() {
	r.final, r.counts, r.verdict, r.cards = nil, nil, nil, nil
	r.version++
}

// LeftOut are the numbers of the rows left out, in order.
func (r *Review) LeftOut() []int {
	out := make([]int, 0, len(r.left))
	for n := range r.left {
		out = append(out, n)
	}
	slices.Sort(out)
	return out
}

// Lasting are the decisions that hold for every plan.
func (r *Review) Lasting() []plan.Decision {
	var out []plan.Decision
	for _, n := range r.LeftOut() {
		if d, ok := r.said[n]; ok && d.Kind == plan.LeaveOutAlways {
			out = append(out, d)
		}
	}
	return out
}

// Share says the guard's two numbers and where it stops.
func Share(v plan.Verdict) words.Text { return share(v, "guard.share") }

// Brief is Share for a cell of a table beside the kind of a change.
func Brief(v plan.Verdict) words.Text { return share(v, "guard.share-brief") }

func share(v plan.Verdict, id string) words.Text {
	kv := []any{
		"deletions", v.Deletions, "users", v.Users, "percent", words.Percent(v.Percent()),
		"stops", v.StopsAt, "limit", words.Percent(v.MaxAllowedDeletions),
	}
	if v.MaxDeletions >= 0 {
		id, kv = "guard.share-absolute", append(kv, "absolute", v.MaxDeletions)
	}
	return words.T(id, kv...)
}
