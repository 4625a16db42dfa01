package review

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/names"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/tui/words"
)

// Order is the order of rows.
type Order uint8

// The orders: ByRisk is the plan's own.
const (
	ByRisk Order = iota
	ByUPN
	ByName
)

// Query asks for rows.
type Query struct {
	Tab    Tab
	Filter Filter
	Search string
	Order  Order
	// Attribute: only rows that change it, no additions. Reason: only skips of this reason,
	// counted from 1; 0 for all.
	Attribute directory.Attribute
	Reason    int
	// Within are the rows of a wider query that was answered before; nil for all.
	Within []int32
}

// Whole reports whether a query has all actions in the plan's order, so that
// nothing has to be looked for.
func (r *Review) Whole(q Query) bool {
	return (q.Tab == TabAll && r.notable[Unseen] == 0 || q.Tab == TabSummary) && q.Filter == NoFilter && strings.TrimSpace(q.Search) == "" &&
		q.Order == ByRisk && q.Attribute == "" && q.Reason == 0
}

// Among is how many rows a query chooses from.
func (r *Review) Among(q Query) int {
	switch q.Tab {
	case TabAll, TabSummary:
		if strings.TrimSpace(q.Search) != "" {
			return r.Len() // a search covers skips too
		}
		return r.Actions()
	case TabBlock:
		return len(r.switched) + len(r.waiting)
	default:
		return max(0, r.Part(q.Tab).Count)
	}
}

// Group is a part of the rows of a query, with the title above it.
type Group struct {
	From  int // place of its first row
	Title words.Text
}

// Groups divide the rows that a query found. Deletions are divided into accounts that
// were never in the source and those whose absence is explained; many questions are
// divided by their reason.
func (r *Review) Groups(q Query, rows []int32) []Group {
	if q.Tab == TabQuestions {
		return r.whys(q, rows)
	}
	if q.Tab != TabDelete || q.Order != ByRisk || r.notable[Unseen] == 0 {
		return nil
	}
	bit := uint32(1) << slices.Index(Filters(TabAll), Unseen)
	n := 0
	for n < len(rows) && int(rows[n]) < len(r.marks) && r.marks[rows[n]]&bit != 0 {
		n++
	}
	var out []Group
	if n > 0 {
		out = append(out, Group{0, words.T("preview.heading.unseen", "n", n)})
	}
	if rest := len(rows) - n; rest > 0 {
		out = append(out, Group{n, words.T("preview.heading.explained", "n", rest)})
	}
	return out
}

// Finder answers a query. It holds all that it needs: Find may run in another
// goroutine while the review goes on.
type Finder struct {
	q        Query
	lists    lists
	marks    []uint32
	bit      uint32 // of the filter
	attr     uint32 // of the attribute
	shared   bool   // several attributes share that bit
	plan     *plan.Plan
	waiting  []int32
	from, to int32 // the rows that the tab may have
	// The first rows are deletions; unseen is the bit of those never in the source.
	deletions int32
	unseen    uint32
	among     []int32 // the rows of tab or filter if they are not consecutive; nil for all of from, to
}

// Finder prepares a query.
func (r *Review) Finder(q Query) Finder {
	// An answer may give r other rows meanwhile; the search goes on in these.
	fixed := *r
	f := Finder{q: q, lists: lists{actions{&fixed}, skips{&fixed}, questions{&fixed}}, plan: r.plan, marks: r.marks, waiting: r.waiting, unseen: 1 << slices.Index(Filters(TabAll), Unseen), deletions: r.Part(TabDelete).to}
	if i := slices.Index(Filters(TabAll), q.Filter); i >= 0 && filters()[i].has != nil {
		f.bit = 1 << i
	}
	switch {
	case q.Tab == TabQuestions:
		f.bit = 0
	case q.Filter == OutOnly:
		f.among = []int32{}
		for _, no := range r.LeftOut() {
			f.among = append(f.among, int32(r.Index(no))) //nolint:gosec // an index of rows
		}
	case q.Filter == Waiting:
		f.among = append([]int32{}, r.waiting...)
	case q.Tab == TabBlock:
		f.among = slices.Concat([]int32{}, r.switched, r.waiting)
	}
	if q.Attribute != "" {
		i := slices.Index(r.attributes, q.Attribute)
		f.attr, f.shared = attributeBit(max(i, 0)), attributeShift+i >= 31
	}
	p := r.Part(q.Tab)
	f.from, f.to = p.from, p.to
	switch {
	case q.Tab == TabSkip && q.Reason > 0 && q.Reason <= len(r.reasons):
		e := &r.reasons[q.Reason-1]
		f.from, f.to = e.from, e.end()
	case q.Tab == TabAll && (q.Filter == Waiting || !newSearcher(q.Search).empty() && q.Filter == NoFilter && q.Attribute == ""):
		f.to = int32(r.Len()) //nolint:gosec // a search finds those that are no action too
	}
	return f
}

// Cheap reports whether Find only reads what is in memory already, without making or
// comparing names.
func (f Finder) Cheap() bool {
	return strings.TrimSpace(f.q.Search) == "" && f.q.Order == ByRisk && !f.shared
}

// every is how many rows are looked at between two looks at the context.
const every = 512

// Find gives the indexes of the rows, in the order asked for. It stops with
// the context's error.
func (f Finder) Find(ctx context.Context) ([]int32, error) {
	find := newSearcher(f.q.Search)
	found := []int32{}
	look := func(i int32) {
		if i >= f.from && i < f.to && f.has(i) && (find.empty() || f.matches(find, i)) {
			found = append(found, i)
		}
	}
	among := f.q.Within
	if among == nil {
		among = f.among
	}
	for n, i := range among {
		if n%every == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		look(i)
	}
	if among == nil {
		for i := f.from; i < f.to; i++ {
			if i%every == 0 && ctx.Err() != nil {
				return nil, ctx.Err()
			}
			look(i)
		}
	}
	return f.ordered(ctx, found)
}

// has looks at filter and attribute, which only actions have.
func (f Finder) has(i int32) bool {
	if f.q.Tab == TabQuestions {
		_, n := f.lists.at(int(i))
		return answeredAs(f.plan.Question(n), f.q.Filter)
	}
	if int(i) >= len(f.marks) {
		if _, waits := slices.BinarySearch(f.waiting, i); waits && f.q.Tab == TabSkip {
			return false // nothing changes, and there is no reason to look at it
		}
		return (f.q.Filter == NoFilter || f.q.Filter == Waiting) && f.q.Attribute == ""
	}
	m := f.marks[i]
	if f.q.Tab == TabBlock && m&switchBit == 0 || f.q.Tab == TabUpdate && m&switchBit != 0 {
		return false
	}
	if f.bit != 0 && m&f.bit == 0 || f.attr != 0 && m&f.attr == 0 {
		return false
	}
	return !f.shared || f.changes(i)
}

// changes reports whether a row changes the attribute; needed if its bit is shared.
func (f Finder) changes(i int32) bool {
	a := f.plan.Action(int(i))
	return a.Kind != plan.Add && slices.ContainsFunc(a.Changes, func(c plan.Change) bool { return c.Attribute == f.q.Attribute })
}

func (f Finder) matches(find searcher, i int32) bool {
	l, n := f.lists.at(int(i))
	return find.matches(l.texts(n)...)
}

// ordered sorts as requested; rows that are equal stay in order of risk.
func (f Finder) ordered(ctx context.Context, rows []int32) ([]int32, error) {
	if f.q.Order == ByRisk && f.q.Tab == TabQuestions {
		if f.plan.QuestionLen() >= grouped {
			why := func(i int32) why {
				_, n := f.lists.at(int(i))
				return whyAsked(f.plan.Question(n))
			}
			slices.SortStableFunc(rows, func(a, b int32) int { return cmp.Compare(why(a), why(b)) })
		}
		return rows, nil
	}
	if f.q.Order == ByRisk {
		// Deletions come first, and of these the accounts that were never in the source.
		n := 0
		for n < len(rows) && rows[n] < f.deletions {
			n++
		}
		slices.SortStableFunc(rows[:n], func(a, b int32) int {
			return cmp.Compare(f.marks[b]&f.unseen, f.marks[a]&f.unseen)
		})
		return rows, nil
	}
	type keyed struct {
		key string
		row int32
	}
	all := make([]keyed, len(rows))
	for n, i := range rows {
		if n%every == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		l, at := f.lists.at(int(i))
		upn, name := l.who(at)
		all[n] = keyed{directory.FoldUPN(upn), i}
		if f.q.Order == ByName {
			all[n].key = names.Fold(name)
		}
	}
	slices.SortFunc(all, func(a, b keyed) int {
		return cmp.Or(strings.Compare(a.key, b.key), cmp.Compare(a.row, b.row))
	})
	for n := range all {
		rows[n] = all[n].row
	}
	return rows, ctx.Err()
}

// searcher finds a typed text in names as the planner compares them: 渡辺, 渡邉 and 渡邊 find
// each other, as do ﾜﾀﾅﾍﾞ and ワタナベ, Ａ and a. In quotes a text finds only itself.
type searcher struct {
	exact  string
	folded string
	// beyond: the search has characters beyond ASCII, which folding never makes of ASCII,
	// so most UPNs can be skipped.
	beyond bool
}

func newSearcher(query string) searcher {
	query = strings.TrimSpace(query)
	for _, q := range [...][2]string{{`"`, `"`}, {"“", "”"}, {"「", "」"}} {
		if in, ok := strings.CutPrefix(query, q[0]); ok {
			if in, ok := strings.CutSuffix(in, q[1]); ok && in != "" {
				return searcher{exact: in}
			}
		}
	}
	folded := names.Fold(query)
	return searcher{folded: folded, beyond: !ascii(folded)}
}

func (s searcher) empty() bool { return s.exact == "" && s.folded == "" }

func (s searcher) matches(texts ...string) bool {
	for _, t := range texts {
		if s.beyond && ascii(t) {
			continue
		}
		if s.exact != "" && strings.Contains(t, s.exact) || s.folded != "" && strings.Contains(names.Fold(t), s.folded) {
			return true
		}
	}
	return false
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// Narrows reports whether b finds all that a finds: while a search is being typed, it
// goes on in what was found so far.
func Narrows(a, b string) bool {
	x, y := newSearcher(a), newSearcher(b)
	if x.exact != "" || y.exact != "" {
		return x.exact != "" && y.exact != "" && strings.Contains(x.exact, y.exact)
	}
	return !x.empty() && !y.empty() && strings.Contains(x.folded, y.folded)
}

// Matcher finds a search in a cell: the first place, by byte offsets.
type Matcher struct{ s searcher }

// NewMatcher is a matcher of a search; one of an empty search finds nothing.
func NewMatcher(search string) Matcher { return Matcher{newSearcher(search)} }

// Find gives the place of the match, nil if there is none. A Column of a table calls
// it.
func (m Matcher) Find(cell string) [][2]int {
	switch {
	case m.s.empty() || cell == "":
		return nil
	case m.s.exact != "":
		i := strings.Index(cell, m.s.exact)
		if i < 0 {
			return nil
		}
		return [][2]int{{i, i + len(m.s.exact)}}
	case !m.s.matches(cell):
		return nil
	}
	// Folding may join characters and leave some out, so the place is looked for
	// from both ends: the shortest beginning that has it, and of that the
	// shortest end.
	var ends []int
	for i := range cell {
		ends = append(ends, i)
	}
	ends = append(ends, len(cell))
	to := len(cell)
	for _, e := range ends[1:] {
		if m.s.matches(cell[:e]) {
			to = e
			break
		}
	}
	from := 0
	for _, b := range ends {
		if b >= to || !m.s.matches(cell[b:to]) {
			break
		}
		from = b
	}
	return [][2]int{{from, to}}
}
