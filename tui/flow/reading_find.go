package flow

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/names"
	"github.com/hacsync/hacsync/sync/plan"
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
func (q Query) Whole() bool {
	return (q.Tab == TabAll || q.Tab == TabSummary) && q.Filter == NoFilter && strings.TrimSpace(q.Search) == "" &&
		q.Order == ByRisk && q.Attribute == "" && q.Reason == 0
}

// Finder answers a query. It holds all that it needs: Find may run in another
// goroutine while the review goes on.
type Finder struct {
	q       Query
	plan    *plan.Plan
	marks   []uint32
	bit     uint32 // of the filter
	attr    uint32 // of the attribute
	shared  bool   // several attributes share that bit
	reasons []Reason
	out     []int32 // rows left out, where the filter asks for them
}

// Finder prepares a query.
func (g *Reading) Finder(q Query) Finder {
	f := Finder{q: q, plan: g.r.plan, marks: g.marks, reasons: g.reasons}
	if i := slices.Index(Filters(), q.Filter); i >= 0 {
		f.bit = 1 << i
	}
	if q.Filter == OutOnly {
		f.out = []int32{}
		for _, no := range g.r.leftOut() {
			if i, ok := slices.BinarySearch(g.r.nos, int32(no)); ok { //nolint:gosec // a row number
				f.out = append(f.out, int32(i)) //nolint:gosec // an index of rows
			}
		}
	}
	if q.Attribute != "" {
		i := slices.Index(g.attributes, q.Attribute)
		f.attr, f.shared = attributeBit(max(i, 0)), attributeShift+i >= 31
	}
	return f
}

// Cheap reports whether Find only looks at what is in memory already: no name
// is made or compared.
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
	from, to := f.span(find.empty())
	look := func(i int32) {
		if f.has(i) && (find.empty() || f.matches(find, i)) {
			found = append(found, i)
		}
	}
	switch {
	case f.q.Within != nil:
		for n, i := range f.q.Within {
			if n%every == 0 && ctx.Err() != nil {
				return nil, ctx.Err()
			}
			look(i)
		}
	case f.out != nil:
		for _, i := range f.out {
			look(i)
		}
	default:
		for i := from; i < to; i++ {
			if i%every == 0 && ctx.Err() != nil {
				return nil, ctx.Err()
			}
			look(i)
		}
	}
	return f.ordered(ctx, found)
}

// span are the rows that the tab may have.
func (f Finder) span(noSearch bool) (from, to int32) {
	actions, all := int32(len(f.marks)), int32(len(f.marks)+f.plan.SkipLen()) //nolint:gosec // rows of a plan
	switch {
	case f.q.Tab == TabSkip && f.q.Reason > 0 && f.q.Reason <= len(f.reasons):
		from = actions
		for _, e := range f.reasons[:f.q.Reason-1] {
			from += int32(e.Rows) //nolint:gosec // rows of a plan
		}
		return from, from + int32(f.reasons[f.q.Reason-1].Rows) //nolint:gosec // rows of a plan
	case f.q.Tab == TabSkip:
		return actions, all
	case f.q.Tab == TabAll && !noSearch && f.q.Filter == NoFilter && f.q.Attribute == "":
		return 0, all // a search finds those that are skipped too
	case f.q.Tab == TabAll || f.q.Tab == TabSummary:
		return 0, actions
	}
	c := f.plan.Counts()
	n := [...]int32{int32(c.Delete), int32(c.Rename), int32(c.Restore), int32(c.Add), int32(c.Update)} //nolint:gosec // rows of a plan
	for i, t := range []Tab{TabDelete, TabRename, TabRestore, TabAdd, TabUpdate} {
		if t == f.q.Tab {
			return from, from + n[i]
		}
		from += n[i]
	}
	return 0, 0
}

func (f Finder) has(i int32) bool {
	if int(i) >= len(f.marks) {
		return f.q.Filter == NoFilter && f.q.Attribute == ""
	}
	if f.q.Tab != TabAll && f.q.Tab != TabSummary && (f.out != nil || f.q.Within != nil) {
		if from, to := f.span(true); i < from || i >= to {
			return false
		}
	}
	m := f.marks[i]
	if f.bit != 0 && f.q.Filter != OutOnly && m&f.bit == 0 || f.attr != 0 && m&f.attr == 0 {
		return false
	}
	return !f.shared || f.changes(i)
}

// changes looks whether a row changes the attribute, where its bit is shared.
func (f Finder) changes(i int32) bool {
	a := f.plan.Action(int(i))
	return a.Kind != plan.Add && slices.ContainsFunc(a.Changes, func(c plan.Change) bool { return c.Attribute == f.q.Attribute })
}

func (f Finder) matches(find searcher, i int32) bool {
	if n := int(i) - len(f.marks); n >= 0 {
		s := f.plan.Skip(n)
		return find.matches(s.Ref.UPN, s.Name)
	}
	return find.matches(searched(f.plan.Action(int(i)))...)
}

// ordered sorts by what was asked for; rows that are equal stay by risk.
func (f Finder) ordered(ctx context.Context, rows []int32) ([]int32, error) {
	if f.q.Order == ByRisk {
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
		var upn, name string
		if s := int(i) - len(f.marks); s >= 0 {
			k := f.plan.Skip(s)
			upn, name = k.Ref.UPN, k.Name
		} else {
			a := f.plan.Action(int(i))
			upn, name = a.UPN, a.Name
		}
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

// Narrows reports whether whatever a finds, b finds too: a search that goes on
// being typed looks only at what it found so far.
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

// Find gives the place of the match, nil if there is none. It is what a Column
// of a table asks for.
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
