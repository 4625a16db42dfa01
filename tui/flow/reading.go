package flow

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/run"
	"github.com/hacsync/hacsync/tui/words"
)

// Reading is the plan under review for a screen that shows its rows itself:
// rows are made on demand, and what is asked for on every frame is kept. Rows
// have indexes: first the actions in the plan's order, then the skips. Its
// methods belong to the driver's goroutine; only a Finder may leave it.
//
// A Reading stays the same as long as the plan does; Version tells that
// something was left out, taken in or raised since.
type Reading struct {
	r *reviewed
	// marks say of each action what a filter asks for: a bit a filter, and above
	// them a bit an attribute that changes.
	marks      []uint32
	attributes []directory.Attribute
	sums       []AttributeSum
	reasons    []Reason
	// without are the attributes that a reviewer left out of the plan.
	without []directory.Attribute
	// lately is when a last use counts as lately.
	lately time.Time
}

// Undoes reports whether the plan is the undo of a run.
func (g *Reading) Undoes() bool { return g.r.plan.Undoes() > 0 }

// Lately is a filter that only a screen has: accounts to be deleted that were
// used in the week before the plan was made.
const Lately Filter = "used-lately"

// NewPreview is a walk that stands at the preview of a plan without a tenant: a
// person reads it, searches it and leaves rows out, and nothing can be applied.
func NewPreview(b Backend, o Options, p *run.Planned) *Flow {
	f := New(b, o)
	f.d.file, f.d.planned, f.d.domain = p.Plan, p, p.Plan.Domain()
	f.d.review = newReviewed(p.Plan)
	f.at = Preview
	return f
}

// week is what counts as lately.
const week = 7 * 24 * time.Hour

// Filters are those that a screen offers, in the order shown.
func Filters() []Filter { return []Filter{SignIns, Lately, Same, Cleared, Pairs, Warned, OutOnly} }

// Tabs are the parts of the preview, in their order.
func Tabs() []Tab { return tabs() }

// attributeShift is the first bit for attributes; the last bit is shared by
// those that come after the twenty-fourth.
const attributeShift = 8

func newReading(r *reviewed) *Reading {
	g := &Reading{r: r, marks: make([]uint32, 0, r.plan.Len())}
	if at := r.plan.Source().Read; !at.IsZero() {
		g.lately = at.Add(-week)
	}
	return g
}

// attribute is the place of an attribute in marks and sums.
func (g *Reading) attribute(c plan.Change) int {
	i := slices.Index(g.attributes, c.Attribute)
	if i < 0 {
		i = len(g.attributes)
		g.attributes = append(g.attributes, c.Attribute)
		g.sums = append(g.sums, AttributeSum{Attribute: c.Attribute, example: c})
	}
	return i
}

func attributeBit(i int) uint32 { return 1 << min(attributeShift+i, 31) }

// action takes one action into the index.
func (g *Reading) action(a plan.Action) {
	var m uint32
	for i, f := range Filters() {
		if f != OutOnly && g.passes(f, a) {
			m |= 1 << i
			g.r.notable[f]++
		}
	}
	for _, c := range a.Changes {
		if a.Kind == plan.Add {
			break // a new account changes nothing
		}
		i := g.attribute(c)
		m |= attributeBit(i)
		g.sums[i].count(c, 1)
	}
	g.marks = append(g.marks, m)
}

func (g *Reading) passes(f Filter, a plan.Action) bool {
	if f == Lately {
		return a.Evidence != nil && !g.lately.IsZero() && a.Evidence.LastSignIn.After(g.lately)
	}
	return g.r.passes(f, a)
}

// skip takes one skip into the index; they come by group and code.
func (g *Reading) skip(s plan.Skipped) {
	n := len(g.reasons) - 1
	if n < 0 || g.reasons[n].Group != s.Group || g.reasons[n].code != s.Why.Code {
		g.reasons = append(g.reasons, Reason{Group: s.Group, Why: s.Why, code: s.Why.Code})
		n++
	}
	e := &g.reasons[n]
	e.Rows++
	if len(e.Some) < someNames {
		e.Some = append(e.Some, SkipName{UPN: inDomain(s.Ref.UPN, g.r.plan.Domain()), Name: s.Name})
	}
}

// Version changes whenever the review does.
func (g *Reading) Version() int { return g.r.version }

// Domain is the plan's.
func (g *Reading) Domain() string { return g.r.plan.Domain() }

// Actions is the number of actions, left out or not.
func (g *Reading) Actions() int { return len(g.marks) }

// Len is the number of rows: actions and skips.
func (g *Reading) Len() int { return len(g.marks) + g.r.plan.SkipLen() }

// Highest is the highest row number.
func (g *Reading) Highest() int { return g.r.highest }

// Counts are the sums of the whole plan, which the tabs show; Remaining those
// of what is not left out.
func (g *Reading) Counts() plan.Counts { return g.r.plan.Counts() }

// Remaining are the sums of what is not left out.
func (g *Reading) Remaining() plan.Counts { return g.r.counts() }

// Verdict is the guard's on what is not left out.
func (g *Reading) Verdict() plan.Verdict { return g.r.verdict() }

// Warnings are those of the plan as a whole.
func (g *Reading) Warnings() []*problem.Problem { return g.r.plan.Warnings() }

// Notable is how many rows a filter has.
func (g *Reading) Notable(f Filter) int {
	if f == OutOnly {
		return len(g.r.left)
	}
	return g.r.notable[f]
}

// TabCount is the number on a tab: those of the kinds add up to that of all.
func (g *Reading) TabCount(t Tab) int {
	c := g.Counts()
	switch t {
	case TabAll:
		return c.Changes()
	case TabDelete:
		return c.Delete
	case TabRename:
		return c.Rename
	case TabRestore:
		return c.Restore
	case TabAdd:
		return c.Add
	case TabUpdate:
		return c.Update
	case TabSkip:
		return g.r.plan.SkipLen()
	case TabSummary:
	}
	return 0
}

// TabSign is the sign on a tab, empty for those without.
func TabSign(t Tab) string {
	switch t {
	case TabAll, TabSummary:
		return ""
	case TabSkip:
		return "!"
	default:
		return kindOf(t).Sign()
	}
}

// Wanted is what the flow itself searches for when a plan comes: the row that
// two were joined into.
func (g *Reading) Wanted() string { return g.r.query }

// RowLine is a row as a table shows it.
type RowLine struct {
	No   int
	Kind plan.Kind // 0 for a skip
	Out  bool      // left out by the reviewer
	Pair int       // the number of the row that may be the same person, 0 for none
	UPN  string    // without the plan's domain
	Name string
	What words.Text
}

// Sign is the row's sign, in parentheses when it is left out.
func (l RowLine) Sign() string {
	switch {
	case l.Kind == 0:
		return "!"
	case l.Out:
		return "(" + l.Kind.Sign() + ")"
	}
	return l.Kind.Sign()
}

// Row is the row with an index.
func (g *Reading) Row(i int) RowLine {
	r := g.r
	if i >= len(g.marks) {
		s := r.plan.Skip(i - len(g.marks))
		return RowLine{No: s.No, UPN: inDomain(s.Ref.UPN, r.plan.Domain()), Name: s.Name, What: words.T("flow.what", "x", words.Short{Err: s.Why})}
	}
	a := r.plan.Action(i)
	return RowLine{No: a.No, Kind: a.Kind, Out: r.review.IsOut(a.No), Pair: a.Pair, UPN: inDomain(a.UPN, r.plan.Domain()), Name: a.Name, What: g.what(a)}
}

// IsOut reports whether the action with an index is left out.
func (g *Reading) IsOut(i int) bool { return g.r.review.IsOut(g.No(i)) }

// No is the row number of an index.
func (g *Reading) No(i int) int {
	if i < len(g.r.nos) {
		return int(g.r.nos[i])
	}
	return g.r.plan.Skip(i - len(g.marks)).No
}

// Index is the index of a row number, -1 if there is none.
func (g *Reading) Index(no int) int {
	if i, ok := slices.BinarySearch(g.r.nos, int32(no)); ok { //nolint:gosec // a row number
		return i
	}
	if i, ok := g.r.skipNo[no]; ok {
		return len(g.marks) + i
	}
	return -1
}

// what is what a row says beside its name: the most telling first.
func (g *Reading) what(a plan.Action) words.Text {
	if g.r.review.IsOut(a.No) {
		return g.r.what(a)
	}
	var t words.Text
	switch e := a.Evidence; {
	case a.Kind == plan.Delete && e != nil:
		t = g.lastUse(e)
		if a.Pair > 0 {
			return words.T("preview.two", "a", words.T("preview.see", "no", a.Pair), "b", t)
		}
	case a.Kind == plan.Rename:
		t = words.T("preview.was", "upn", inDomain(a.User.UPN, g.Domain()))
	case a.Kind == plan.Add:
		t = words.T("preview.new")
	default:
		t = g.r.what(a)
		if a.Pair > 0 {
			return t // it names the pair already
		}
	}
	if a.Pair > 0 {
		t = words.T("preview.two", "a", t, "b", words.T("preview.see", "no", a.Pair))
	}
	return t
}

// lastUse is what speaks against a deletion, in the room of a table: a licence is
// the usual case.
func (g *Reading) lastUse(e *plan.Evidence) words.Text {
	switch {
	case !e.LastSignIn.IsZero():
		seen := words.T("preview.seen", "date", words.Brief(e.LastSignIn))
		if !e.Licensed {
			return words.T("preview.two", "a", words.T("preview.no_licence"), "b", seen)
		}
		return seen
	case !e.Licensed:
		return words.T("preview.no_licence")
	case !e.Created.IsZero():
		return words.T("preview.made", "date", words.Day(e.Created))
	}
	return words.T("preview.licence")
}

// someNames is how many names of a reason are kept.
const someNames = 12

// SkipName is one of a reason's rows.
type SkipName struct{ UPN, Name string }

// Reason is a group of skips with one code.
type Reason struct {
	Group plan.Group
	// Why is the problem of the first of them; nil for what was left out in this
	// review.
	Why  *problem.Problem
	Rows int
	// Some are the first of them.
	Some []SkipName
	// Always: left out in this review, for good.
	Always bool
	code   problem.Code
}

// GroupWord is the catalogue's word of a group of skips, under "group.".
func GroupWord(g plan.Group) string { return groupWord(g) }

// Reasons are the skips by reason, in order, and then what was left out in this
// review; the sum of all but the latter is the number on the tab. The first
// ones, those of the plan, have the numbers that Query.Reason takes.
func (g *Reading) Reasons() []Reason {
	out := slices.Clone(g.reasons)
	var once, always Reason
	once.Group, always.Group, always.Always = plan.LeftOut, plan.LeftOut, true
	for _, no := range g.r.leftOut() {
		e := &once
		if _, ok := g.r.lasting[no]; ok {
			e = &always
		}
		e.Rows++
		if len(e.Some) < someNames {
			if a, ok := g.r.action(no); ok {
				e.Some = append(e.Some, SkipName{UPN: inDomain(a.UPN, g.Domain()), Name: a.Name})
			}
		}
	}
	for _, e := range []Reason{always, once} {
		if e.Rows > 0 {
			out = append(out, e)
		}
	}
	return out
}

// AttributeSum is one line of the summary by attribute: rows that change it,
// and of those how many get a value, change one, lose one, and look the same
// before and after. Additions are not counted, nor what is left out.
type AttributeSum struct {
	Attribute                         directory.Attribute
	Rows, Set, Changed, Cleared, Like int

	example plan.Change
}

func (s *AttributeSum) count(c plan.Change, n int) {
	s.Rows += n
	switch {
	case c.Clears():
		s.Cleared += n
	case !c.Old.Set:
		s.Set += n
	default:
		s.Changed += n
	}
	if looksSame(c) {
		s.Like += n
	}
}

// Example is a change, old and new, marked.
func (s AttributeSum) Example() (old, now words.Text) {
	was, is := marked(s.example)
	return value(s.example.Old, was), value(s.example.New, is)
}

// Without are the attributes that are left out of this plan.
func (g *Reading) Without() []directory.Attribute { return g.without }

// without are the attributes that a reviewer left out.
func (d *data) without() []directory.Attribute {
	var out []directory.Attribute
	for _, x := range d.decisions {
		if x.Kind == plan.LeaveOutAttribute {
			out = append(out, x.Attribute)
		}
	}
	return out
}

// Attributes are the sums by attribute, most first.
func (g *Reading) Attributes() []AttributeSum {
	out := slices.Clone(g.sums)
	for no := range g.r.left {
		a, ok := g.r.action(no)
		if !ok || a.Kind == plan.Add {
			continue
		}
		for _, c := range a.Changes {
			if i := slices.Index(g.attributes, c.Attribute); i >= 0 {
				out[i].count(c, -1)
			}
		}
	}
	out = slices.DeleteFunc(out, func(s AttributeSum) bool { return s.Rows <= 0 })
	slices.SortStableFunc(out, func(a, b AttributeSum) int {
		return cmp.Or(cmp.Compare(b.Rows, a.Rows), strings.Compare(string(a.Attribute), string(b.Attribute)))
	})
	return out
}
