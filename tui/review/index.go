package review

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/names"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/tui/words"
)

// Tab is a part of the plan.
type Tab string

// The tabs, in their order.
const (
	// TabQuestions is first, if there are any.
	TabQuestions Tab = "question"

	TabAll    Tab = "all"
	TabDelete Tab = "delete"
	// TabBlock has the updates that block a sign-in or allow it again, and the accounts
	// that are blocked and wait for their deletion; the tab is there if it has any row.
	TabBlock   Tab = "block"
	TabRename  Tab = "rename"
	TabRestore Tab = "restore"
	TabAdd     Tab = "add"
	TabUpdate  Tab = "update"
	TabSkip    Tab = "skip"
	TabSummary Tab = "summary"
)

// Part is a tab with its rows.
type Part struct {
	Tab  Tab
	Sign string // empty for those without
	// Count is the number on the tab, -1 for none: those of the kinds add up to
	// that of all.
	Count int

	from, to int32 // its rows, by index
}

// Filter is a part of a tab: a word that can be typed for rows worth a look.
type Filter string

// The filters.
const (
	NoFilter Filter = ""
	SignIns  Filter = "sign-in"
	Lately   Filter = "used-lately" // to be deleted, and used in the week before the plan was made
	Same     Filter = "same"
	Cleared  Filter = "cleared"
	Unseen   Filter = "never-seen" // to be deleted, and in no read of the source so far
	Waiting  Filter = "waiting"    // blocked, and deleted on a later day: no change now
	Warned   Filter = "warned"
	OutOnly  Filter = "left-out"
)

// filter says which actions a filter has; has is nil if the filter has other rows, or
// the review decides.
type filter struct {
	name Filter
	has  func(*Review, plan.Action) bool
}

func filters() []filter {
	return []filter{
		{SignIns, func(_ *Review, a plan.Action) bool { return a.SignIn }},
		{Lately, (*Review).usedLately},
		{Same, func(_ *Review, a plan.Action) bool { return slices.ContainsFunc(a.Changes, looksSame) }},
		{Cleared, func(_ *Review, a plan.Action) bool { return slices.ContainsFunc(a.Changes, plan.Change.Clears) }},
		{Unseen, func(_ *Review, a plan.Action) bool {
			return a.Kind == plan.Delete && a.Explanation != nil && a.Explanation.Claim == ""
		}},
		{Waiting, nil},
		{Warned, func(_ *Review, a plan.Action) bool { return len(a.Warnings) > 0 }},
		{OutOnly, nil},
	}
}

// The filters of questions, by answer: their words mean something else for rows.
const (
	AskedOpen      Filter = "open"
	AskedSame      Filter = "same"
	AskedDifferent Filter = "different"
	AskedNotNow    Filter = "not-now"
)

// Filters are all that a tab has, in the order shown.
func Filters(t Tab) []Filter {
	if t == TabQuestions {
		return []Filter{AskedOpen, AskedSame, AskedDifferent, AskedNotNow}
	}
	var out []Filter
	for _, f := range filters() {
		out = append(out, f.name)
	}
	return out
}

// FilterWord is the text for a filter of a tab.
func FilterWord(t Tab, f Filter) words.Text {
	if t == TabQuestions {
		return words.T("preview.q.filter." + string(f))
	}
	return words.T("preview.filter." + string(f))
}

// week is how long a use counts as recent.
const week = 7 * 24 * time.Hour

func (r *Review) usedLately(a plan.Action) bool {
	return a.Evidence != nil && !r.lately.IsZero() && a.Evidence.LastSignIn.After(r.lately)
}

func looksSame(c plan.Change) bool {
	return c.Old.Set && c.New.Set && names.LooksSame(c.Old.Text, c.New.Text)
}

// list is one of the lists that rows are in, one after the other.
type list interface {
	len() int
	no(i int) int
	find(no int) (i int, ok bool)
	row(i int) Row
	detail(i int) []words.Piece
	// who and texts are what a row is ordered by and searched in. They may be called from
	// any goroutine.
	who(i int) (upn, name string)
	texts(i int) []string
}

// actions and skips are the lists of a plan.
type (
	actions struct{ *Review }
	skips   struct{ *Review }
)

func (l actions) len() int     { return len(l.marks) }
func (l actions) no(i int) int { return int(l.nos[i]) }

func (l actions) find(no int) (int, bool) {
	if l.byNo == nil {
		return slices.BinarySearch(l.nos, int32(no)) //nolint:gosec // a row number
	}
	i, ok := slices.BinarySearchFunc(l.byNo, no, func(i int32, no int) int { return cmp.Compare(int(l.nos[i]), no) })
	if !ok {
		return 0, false
	}
	return int(l.byNo[i]), true
}

func (l actions) who(i int) (upn, name string) {
	a := l.plan.Action(i)
	return a.UPN, a.Name
}

func (l actions) texts(i int) []string {
	a := l.plan.Action(i)
	texts := make([]string, 0, 3+2*len(a.Changes))
	add := func(t string) {
		if t != "" && !slices.Contains(texts, t) {
			texts = append(texts, t)
		}
	}
	add(a.UPN)
	add(a.User.UPN)
	add(a.Name)
	for _, c := range a.Changes {
		add(c.Old.Text)
		add(c.New.Text)
	}
	return texts
}

func (l skips) len() int { return l.plan.SkipLen() }

// no is 0 if the skip follows from an answer: it has no number of its own.
func (l skips) no(i int) int {
	no := l.plan.Skip(i).No
	if at, ok := l.skipNo[no]; !ok || at != i {
		return 0
	}
	return no
}

func (l skips) find(no int) (int, bool) {
	i, ok := l.skipNo[no]
	return i, ok
}

func (l skips) who(i int) (upn, name string) {
	s := l.plan.Skip(i)
	return s.Ref.UPN, s.Name
}

func (l skips) texts(i int) []string {
	upn, name := l.who(i)
	return []string{upn, name}
}

// lists are those of a review, in the order of the rows.
type lists []list

func (ls lists) len() int {
	n := 0
	for _, l := range ls {
		n += l.len()
	}
	return n
}

// at is the list that has the row with an index, and its place in it.
func (ls lists) at(i int) (list, int) {
	for _, l := range ls {
		if n := l.len(); i >= n {
			i -= n
		} else if i >= 0 {
			return l, i
		}
	}
	return nil, 0
}

// index is what is found once for a plan.
type index struct {
	lists lists
	parts []Part

	nos     []int32     // row numbers of the actions
	byNo    []int32     // their indexes in order of the numbers, nil if both orders are the same
	skipNo  map[int]int // index of a skip by row number
	highest int
	// marks say of each action which filters have it, a bit a filter, and above
	// them which attributes it changes.
	marks      []uint32
	notable    map[Filter]int // how many rows each filter has
	switched   []int32        // updates that block or unblock
	waiting    []int32        // accounts that are blocked until they are deleted; in order
	attributes []directory.Attribute
	sums       []AttributeSum
	reasons    []Reason
	lately     time.Time // from when on a last use counts as lately
}

// switchBit marks rows that block or unblock, after the bits of the filters.
// attributeShift is the first bit for attributes; those after the twenty-third share
// the last bit.
const (
	switchBit      = 1 << 8
	attributeShift = 9
)

func attributeBit(i int) uint32 { return 1 << min(attributeShift+i, 31) }

func (x *index) read(r *Review) {
	p := r.plan
	x.lists = lists{actions{r}, skips{r}, questions{r}}
	x.nos, x.skipNo = make([]int32, 0, p.Len()), make(map[int]int, p.SkipLen())
	x.marks, x.notable = make([]uint32, 0, p.Len()), map[Filter]int{}
	if at := p.Source().Read; !at.IsZero() {
		x.lately = at.Add(-week)
	}
	marking := filters()
	for a := range p.Actions() {
		x.nos = append(x.nos, int32(a.No)) //nolint:gosec // a row number
		x.highest = max(x.highest, a.No)
		var m uint32
		for i, f := range marking {
			if f.has != nil && f.has(r, a) {
				m |= 1 << i
				x.notable[f.name]++
			}
		}
		if switches(a) {
			m |= switchBit
			x.switched = append(x.switched, int32(len(x.marks))) //nolint:gosec // rows of a plan
		}
		x.marks = append(x.marks, m|x.changes(a))
	}
	if !slices.IsSorted(x.nos) { // actions that answers made are between the others
		for i := range x.nos {
			x.byNo = append(x.byNo, int32(i)) //nolint:gosec // rows of a plan
		}
		slices.SortFunc(x.byNo, func(a, b int32) int { return cmp.Compare(x.nos[a], x.nos[b]) })
	}
	i := 0
	for s := range p.Skips() {
		if _, action := (actions{r}).find(s.No); s.No > 0 && !action {
			x.skipNo[s.No] = i
		}
		x.highest = max(x.highest, s.No)
		if at := int32(p.Len() + i); s.Waits() { //nolint:gosec // rows of a plan
			x.waiting = append(x.waiting, at)
			x.notable[Waiting]++
		} else {
			x.skip(s, at, p.Domain())
		}
		i++
	}
	slices.SortStableFunc(x.switched, func(a, b int32) int { // blocks come before unblocks
		return cmp.Compare(blocksFirst(p.Action(int(a))), blocksFirst(p.Action(int(b))))
	})
	x.parts = x.partsOf(p)
}

// switches reports whether an update blocks a sign-in or allows it again: such updates
// have a tab of their own.
func switches(a plan.Action) bool {
	return a.Kind == plan.Update && slices.ContainsFunc(a.Changes, func(c plan.Change) bool { return c.Attribute == directory.AccountEnabled })
}

func blocksFirst(a plan.Action) int {
	if a.Blocks {
		return 0
	}
	return 1
}

// partsOf are the tabs of a plan.
func (x *index) partsOf(p *plan.Plan) []Part {
	c := p.Counts()
	all := int32(p.Len()) //nolint:gosec // rows of a plan
	var out []Part
	if n := int32(p.QuestionLen()); n > 0 { //nolint:gosec // questions of a plan
		from := all + int32(p.SkipLen()) //nolint:gosec // rows of a plan
		out = append(out, Part{Tab: TabQuestions, Sign: questionSign, Count: int(n), from: from, to: from + n})
	}
	out = append(out, Part{Tab: TabAll, Count: c.Changes(), to: all})
	from := int32(0)
	for _, k := range []struct {
		kind plan.Kind
		n    int
	}{{plan.Delete, c.Delete}, {plan.Rename, c.Rename}, {plan.Restore, c.Restore}, {plan.Add, c.Add}, {plan.Update, c.Update}} {
		to := from + int32(k.n) //nolint:gosec // rows of a plan
		t := Part{Tab: Tab(k.kind.String()), Sign: k.kind.Sign(), Count: k.n, from: from, to: to}
		if k.kind == plan.Update {
			t.Count -= len(x.switched)
		}
		out = append(out, t)
		if k.kind == plan.Delete && len(x.switched)+len(x.waiting) > 0 {
			out = append(out, Part{Tab: TabBlock, Sign: blockSign, Count: len(x.switched), to: all + int32(p.SkipLen())}) //nolint:gosec // rows of a plan
		}
		from = to
	}
	return append(
		out,
		Part{Tab: TabSkip, Sign: skipSign, Count: p.SkipLen() - len(x.waiting), from: all, to: all + int32(p.SkipLen())}, //nolint:gosec // rows of a plan
		Part{Tab: TabSummary, Count: -1, to: all},
	)
}

// changes adds the changes of an action to the sums; it returns their bits.
func (x *index) changes(a plan.Action) uint32 {
	var m uint32
	if a.Kind == plan.Add {
		return 0 // a new account changes nothing
	}
	for _, c := range a.Changes {
		i := slices.Index(x.attributes, c.Attribute)
		if i < 0 {
			i = len(x.attributes)
			x.attributes = append(x.attributes, c.Attribute)
			x.sums = append(x.sums, AttributeSum{Attribute: c.Attribute, example: c})
		}
		m |= attributeBit(i)
		x.sums[i].count(c, 1)
	}
	return m
}

// skip adds one skip, the row at an index, to the reasons; skips come by group and
// code.
func (x *index) skip(s plan.Skipped, at int32, domain string) {
	n := len(x.reasons) - 1
	if n < 0 || x.reasons[n].Group != s.Group || x.reasons[n].Why.Code != s.Why.Code || x.reasons[n].end() != at {
		x.reasons = append(x.reasons, Reason{Group: s.Group, Why: s.Why, from: at})
		n++
	}
	x.reasons[n].add(words.Local(s.Ref.UPN, domain), s.Name)
}

// Tabs are the parts of the plan, in their order.
func (r *Review) Tabs() []Part { return r.parts }

// Part is the part of a tab.
func (r *Review) Part(t Tab) Part {
	i := slices.IndexFunc(r.parts, func(p Part) bool { return p.Tab == t })
	if i < 0 {
		return Part{Tab: t}
	}
	return r.parts[i]
}

// Actions is the number of actions, left out or not.
func (r *Review) Actions() int { return len(r.marks) }

// Len is the number of rows.
func (r *Review) Len() int { return r.lists.len() }

// Highest is the highest row number.
func (r *Review) Highest() int { return r.highest }

// No is the row number of an index.
func (r *Review) No(i int) int {
	l, i := r.lists.at(i)
	return l.no(i)
}

// Index is the index of a row number, -1 if there is none.
func (r *Review) Index(no int) int {
	from := 0
	for _, l := range r.lists {
		if i, ok := l.find(no); ok {
			return from + i
		}
		from += l.len()
	}
	return -1
}

// Notable is how many rows a filter has.
func (r *Review) Notable(f Filter) int {
	if f == OutOnly {
		return len(r.left)
	}
	return r.notable[f]
}

// Has is how many rows a filter of a tab has.
func (r *Review) Has(t Tab, f Filter) int {
	if t != TabQuestions {
		return r.Notable(f)
	}
	n := 0
	for _, q := range r.plan.Questions() {
		if answeredAs(q, f) {
			n++
		}
	}
	return n
}

// someNames is how many names of a reason are kept.
const someNames = 12

// Reason is a group of skips with one code.
type Reason struct {
	Group problem.Group
	// Why is the problem of the first of them; nil for rows left out in this review.
	Why  *problem.Problem
	Rows int
	// Some are the first of them.
	Some []Name
	// Always: left out in this review, for good.
	Always bool

	from int32 // the index of the first row
}

func (e *Reason) end() int32 { return e.from + int32(e.Rows) } //nolint:gosec // rows of a plan

// Name is one of a reason's rows.
type Name struct{ UPN, Name string }

// Short is the reason in a few words.
func (e Reason) Short() words.Text {
	switch {
	case e.Why != nil:
		return words.T("flow.what", "x", words.Short{Err: e.Why})
	case e.Always:
		return words.T("preview.always")
	}
	return words.T("preview.left_out_once")
}

func (e *Reason) add(upn, name string) {
	e.Rows++
	if len(e.Some) < someNames {
		e.Some = append(e.Some, Name{upn, name})
	}
}

// Reasons are the skips by reason, in order, and then what was left out in this
// review; the sum of all but the latter is the number on the tab. The first
// ones, those of the plan, have the numbers that Query.Reason takes.
func (r *Review) Reasons() []Reason {
	once := Reason{Group: problem.LeftOut}
	always := Reason{Group: problem.LeftOut, Always: true}
	for _, no := range r.LeftOut() {
		e := &once
		if r.said[no].Kind == plan.LeaveOutAlways {
			e = &always
		}
		a, _ := r.Action(no)
		e.add(words.Local(a.UPN, r.plan.Domain()), a.Name)
	}
	out := slices.Clone(r.reasons)
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
func (s AttributeSum) Example() words.Text {
	old, now := values(s.example)
	return words.T("preview.change", "old", old, "new", now)
}

// Changes reports whether any row of the plan changes an attribute.
func (r *Review) Changes(a directory.Attribute) bool { return slices.Contains(r.attributes, a) }

// Attributes are the sums by attribute, most first.
func (r *Review) Attributes() []AttributeSum {
	out := slices.Clone(r.sums)
	for no := range r.left {
		a, ok := r.Action(no)
		if !ok || a.Kind == plan.Add {
			continue
		}
		for _, c := range a.Changes {
			if i := slices.Index(r.attributes, c.Attribute); i >= 0 {
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

// Cleared is how many values would be taken away.
func (r *Review) Cleared() int {
	n := 0
	for _, s := range r.Attributes() {
		n += s.Cleared
	}
	return n
}

// Sums show how the numbers of the tabs come together: a label and a sentence
// each; a sentence without a label goes on with the one before.
func (r *Review) Sums() words.Facts {
	c, left := r.plan.Counts(), r.Remaining()
	out := words.Facts{
		{Label: words.T("preview.sum.destination"), Value: words.T("preview.sum.destination_of", "all", c.DestinationUsers, "alone", c.DestinationUsers-c.Touchable, "touch", c.Touchable)},
		{Value: words.T("preview.sum.destination_is", "touch", c.Touchable, "unchanged", c.Unchanged, "update", c.Update, "rename", c.Rename-c.MovedIn, "delete", c.Delete, "held", c.DestinationHeld)},
		{Label: words.T("preview.sum.source"), Value: words.T("preview.sum.source_of", "all", c.SourceUsers)},
		{Value: words.T("preview.sum.source_is", "all", c.SourceUsers, "unchanged", c.Unchanged, "update", c.Update, "rename", c.Rename, "add", c.Add, "restore", c.Restore, "held", c.SourceHeld)},
	}
	if c.Questions > 0 {
		out = append(out, words.Fact{Label: words.T("preview.sum.questions"), Value: words.T("preview.sum.questions_is", "n", c.Questions, "open", c.OpenQuestions, "rows", c.Asked)})
	}
	if n := len(r.switched); n > 0 {
		out = append(out, words.Fact{Value: words.T("preview.sum.switched", "n", n)})
	}
	if c.MovedIn > 0 {
		out = append(out, words.Fact{Value: words.T("preview.sum.moved", "n", c.MovedIn)})
	}
	return append(out, words.Fact{Label: words.T("preview.sum.remaining"), Value: words.T("preview.sum.remaining_is", "n", left.Changes(), "out", left.LeftOut)})
}
