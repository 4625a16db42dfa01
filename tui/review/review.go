// Package review is a plan as a person reads it: its rows under tabs, filters and
// a search, what is known of each, and what the person leaves out. The screens
// and the line by line walk show the same rows, words and sums; the flow says
// what is left out.
package review

import (
	"slices"
	"strings"
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
	raised bool
	index

	// steps are what was left out, step by step, to be taken back.
	steps   [][]int
	left    map[int]string        // rows left out and why
	lasting map[int]plan.Decision // by row number

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
	r := &Review{plan: p, edit: p.Review(), left: map[int]string{}, lasting: map[int]plan.Decision{}}
	r.index.read(r)
	return r
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
			delete(r.lasting, no)
		}
	}
	r.tidySteps()
	r.raised = false
	r.index = index{}
	r.index.read(r)
	r.shape++
	r.stale()
}

// Approved is the plan of what remains.
func (r *Review) Approved() *plan.Plan {
	if r.final == nil {
		r.final = r.plan
		if len(r.left) > 0 || r.raised {
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

// LeaveOut takes rows out; it returns all that changed, with what depends on
// them.
func (r *Review) LeaveOut(nos []int, always bool, by, why string, at time.Time) []int {
	var changed []int
	for _, no := range nos {
		if r.IsOut(no) {
			continue
		}
		for _, n := range r.edit.LeaveOut(no) {
			changed = append(changed, n)
			r.left[n] = why
		}
		a, ok := r.Action(no)
		if always && ok && a.Kind == plan.Delete {
			r.lasting[no] = plan.Decision{Kind: plan.LeaveOutAlways, ID: a.User.ID, UPN: a.User.UPN, By: by, Why: why, At: at}
		}
	}
	if len(changed) > 0 {
		r.steps = append(r.steps, slices.Clone(changed))
	}
	r.changed()
	return changed
}

// TakeIn puts rows back; it returns all that changed.
func (r *Review) TakeIn(nos []int) []int {
	var changed []int
	for _, no := range nos {
		if r.IsOut(no) {
			changed = append(changed, r.edit.TakeIn(no)...)
		}
	}
	for _, n := range changed {
		delete(r.left, n)
		delete(r.lasting, n)
	}
	r.tidySteps()
	r.changed()
	return changed
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
func (r *Review) TakeBack() []int {
	if len(r.steps) == 0 {
		return nil
	}
	return r.TakeIn(slices.Clone(r.steps[len(r.steps)-1]))
}

// Raise lets what remains pass the guard once; it is bound to exactly that.
func (r *Review) Raise() {
	r.edit.RaiseOnce()
	r.raised = true
	r.stale()
}

// Raised reports whether what remains may pass the guard once.
func (r *Review) Raised() bool { return r.raised }

// stale forgets what was found of the rows that remain.
func (r *Review) stale() {
	r.final, r.counts, r.verdict, r.cards = nil, nil, nil, nil
	r.version++
}

func (r *Review) changed() {
	r.stale()
	// A raise holds for one plan: whatever changes it takes it back.
	if r.raised {
		fresh := r.plan.Review()
		for _, no := range r.LeftOut() {
			fresh.LeaveOut(no)
		}
		r.edit, r.raised = fresh, false
	}
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

// Lasting are the decisions to be kept with the approval.
func (r *Review) Lasting() []plan.Decision {
	var out []plan.Decision
	for _, n := range r.LeftOut() {
		if d, ok := r.lasting[n]; ok {
			out = append(out, d)
		}
	}
	return out
}

// Inherit leaves out again what was left out of an earlier plan of the domain;
// it returns how many rows that are. Back keeps every input.
func (r *Review) Inherit(old *Review) int {
	if old == nil || len(old.left) == 0 || !strings.EqualFold(old.plan.Domain(), r.plan.Domain()) {
		return 0
	}
	// A row is known by what it does to whom, whatever its number.
	key := func(a plan.Action) string {
		return a.Kind.String() + " " + string(a.User.ID) + " " + directory.FoldUPN(a.UPN)
	}
	was := map[string]int{}
	for no := range old.left {
		if a, ok := old.Action(no); ok {
			was[key(a)] = no
		}
	}
	n := 0
	for a := range r.plan.Actions() {
		no, ok := was[key(a)]
		if !ok || r.IsOut(a.No) {
			continue
		}
		d, always := old.lasting[no]
		n += len(r.LeaveOut([]int{a.No}, always, d.By, old.left[no], d.At))
	}
	return n
}

// Share says the guard's two numbers and where it stops.
func Share(v plan.Verdict) words.Text {
	id := "guard.share"
	kv := []any{
		"deletions", v.Deletions, "users", v.Users, "percent", words.Percent(v.Percent()),
		"stops", v.StopsAt, "limit", words.Percent(v.MaxAllowedDeletions),
	}
	if v.MaxDeletions >= 0 {
		id, kv = "guard.share-absolute", append(kv, "absolute", v.MaxDeletions)
	}
	return words.T(id, kv...)
}
