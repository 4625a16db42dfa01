package plan

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/problem"
)

// Review is a plan that a reviewer changes. It is not safe for concurrent use.
type Review struct {
	p *Plan
	// out has the rows left out: 0 for those a person left out, else the number
	// of the row that took them along.
	out    map[int]int
	needs  map[int][]int // row → rows it needs
	needed map[int][]int // the reverse
	raised bool
}

// Review starts one.
func (p *Plan) Review() *Review {
	r := &Review{out: map[int]int{}}
	r.use(p)
	return r
}

// Plan is the plan under review, with the answers given so far.
func (r *Review) Plan() *Plan { return r.p }

// Answer answers questions: all that count are given each time. Rows left out
// stay left out where they still are.
func (r *Review) Answer(answers []Answer) {
	r.use(r.p.Answer(answers))
	for no := range r.out {
		if _, ok := r.p.find(no); !ok {
			delete(r.out, no)
		}
	}
	r.raised = false
}

func (r *Review) use(p *Plan) {
	r.p, r.needs, r.needed = p, p.book.ties(), map[int][]int{}
	for no, on := range r.needs {
		for _, n := range on {
			r.needed[n] = append(r.needed[n], no)
		}
	}
	for _, nos := range r.needed {
		slices.Sort(nos)
	}
}

// Decided is a row that a reviewer left out, and the decision.
type Decided struct {
	No int
	Decision
}

// Decided finds the rows that decisions leave out, in the order in which they were
// decided. A row is known by its kind and its account: its number may differ.
func (p *Plan) Decided(decisions []Decision) []Decided {
	out := map[string]Decision{}
	for _, d := range decisions {
		switch {
		case d.Kind == LeaveOutAlways:
			out[d.key()] = d
		case d.Kind == LeaveOutOnce && d.Undo == p.undo:
			out[d.Row+" "+d.key()] = d
		}
	}
	if len(out) == 0 {
		return nil
	}
	var rows []Decided
	for i := range p.book.len() {
		a := p.book.core(i)
		one := a.leave()
		for _, key := range []string{one.key(), one.Row + " " + one.key()} {
			if d, ok := out[key]; ok {
				rows = append(rows, Decided{a.No, d})
				break
			}
		}
	}
	slices.SortStableFunc(rows, func(x, y Decided) int { return x.At.Compare(y.At) })
	return rows
}

// leave is the decision to leave the row out this time: by its account, or without one
// by the UPN.
func (a *Action) leave() Decision {
	return Decision{Kind: LeaveOutOnce, ID: a.User.ID, UPN: cmp.Or(a.User.UPN, a.UPN), Row: a.Kind.String()}
}

// Leave is the decision to leave row no out, this time or always.
func (p *Plan) Leave(no int, always bool) (Decision, bool) {
	i, ok := p.find(no)
	if !ok {
		return Decision{}, false
	}
	a := p.book.core(i)
	d := a.leave()
	d.Undo = p.undo
	if always {
		d.Kind, d.Row, d.Undo = LeaveOutAlways, "", 0
	}
	return d, true
}

// Restore applies earlier decisions to the plan: it leaves rows out, and raises the
// guard if the raise was for exactly the rows that remain.
func (r *Review) Restore(decisions []Decision) {
	for _, d := range r.p.Decided(decisions) {
		r.LeaveOut(d.No)
	}
	r.Raise(decisions)
}

// Touched reports whether rows are left out or the guard is raised.
func (r *Review) Touched() bool { return r.raised || len(r.out) > 0 }

// Raise lets what remains pass the guard if a decision allows that for exactly these
// rows, and reports whether one does.
func (r *Review) Raise(decisions []Decision) bool {
	r.raised = false
	is := func(d Decision) bool { return d.Kind == RaiseOnce }
	if !slices.ContainsFunc(decisions, is) || !r.Verdict().Cancelled {
		return false
	}
	r.raised = true
	fingerprint := r.Approve().Fingerprint().String()
	r.raised = slices.ContainsFunc(decisions, func(d Decision) bool { return is(d) && d.Plan == fingerprint })
	return r.raised
}

// LeaveOut takes row no out, with what depends on it: who wants a UPN that the
// row would have released. It returns all row numbers that changed, in order. A
// number that is no action changes nothing.
func (r *Review) LeaveOut(no int) []int {
	if _, ok := r.p.find(no); !ok {
		return nil
	}
	if by, out := r.out[no]; out {
		if by != 0 { // it went out with another row; now it is out by itself
			r.out[no] = 0
		}
		return nil
	}
	var changed []int
	r.out[no] = 0
	for todo := []int{no}; len(todo) > 0; {
		at := todo[0]
		todo = todo[1:]
		changed = append(changed, at)
		for _, n := range r.needed[at] {
			if _, out := r.out[n]; !out {
				r.out[n] = at
				todo = append(todo, n)
			}
		}
	}
	r.raised = false
	slices.Sort(changed)
	return changed
}

// TakeIn puts a row back, with what it depends on, and with the rows that went
// out only because of one of these.
func (r *Review) TakeIn(no int) []int {
	if _, out := r.out[no]; !out {
		return nil
	}
	var changed []int
	for todo := []int{no}; len(todo) > 0; {
		at := todo[0]
		todo = todo[1:]
		if _, out := r.out[at]; !out {
			continue
		}
		delete(r.out, at)
		changed = append(changed, at)
		todo = append(todo, r.needs[at]...)
		for _, n := range r.needed[at] {
			if r.out[n] == at {
				todo = append(todo, n)
			}
		}
	}
	r.raised = false
	slices.Sort(changed)
	return changed
}

// IsOut reports whether row no is left out.
func (r *Review) IsOut(no int) bool {
	_, out := r.out[no]
	return out
}

// RaiseOnce lets the present rows pass the guard once. Any further change cancels it.
func (r *Review) RaiseOnce() { r.raised = true }

// Verdict is the guard's judgement of what remains.
func (r *Review) Verdict() Verdict {
	c, g := r.sums()
	return judge(r.p.policy, c, g)
}

// Counts are the sums of what remains.
func (r *Review) Counts() Counts {
	c, _ := r.sums()
	return c
}

func (r *Review) sums() (Counts, guard) {
	c, g := r.p.counts, r.p.guard
	g.raised = r.raised || g.raised && len(r.out) == 0
	for no := range r.out {
		i, _ := r.p.find(no)
		a := r.p.book.core(i)
		c.Skipped++
		c.LeftOut++
		if a.Kind != Delete && r.p.undo == 0 {
			c.SourceHeld++
		}
		moved := a.movesIn(r.p.domain)
		if a.Kind != Add && a.Kind != Restore && !moved {
			c.DestinationHeld++
		}
		if a.Kind == Update && a.how.missing {
			c.SourceHeld--
		}
		g.take(&c, &a, r.p.domain, -1)
	}
	return c, g
}

// Approve is the plan of what remains, with a fingerprint of its own. Row
// numbers stay; rows left out become skips.
func (r *Review) Approve() *Plan {
	p := &Plan{head: r.p.head}
	p.open, p.lazy, p.final = nil, nil, true
	p.counts, p.guard = r.sums()
	p.verdict = judge(p.policy, p.counts, p.guard)
	p.book = newApproved(r)
	left := map[directory.ID]bool{}
	for no := range r.out {
		i, _ := r.p.find(no)
		left[r.p.book.core(i).User.ID] = true
	}
	p.need = slices.DeleteFunc(slices.Clone(r.p.need), func(id directory.ID) bool { return left[id] })
	p.finger = p.fingerprint()
	return p
}

// approved is the book of what remains of another.
type approved struct {
	book
	rows  []rowID // those that remain
	order []rowID // skips: 0 or more that of book, below 0 the row that was left out
	out   map[int]int
	p     *Plan
	tied  map[int][]int
}

func newApproved(r *Review) *approved {
	b := &approved{book: r.p.book, out: map[int]int{}, p: r.p, tied: map[int][]int{}}
	for no, by := range r.out {
		b.out[no] = by
	}
	for i := range r.p.book.len() {
		row := rowAt(i)
		if _, out := b.out[r.p.book.no(i)]; out {
			b.order = append(b.order, -row-1)
		} else {
			b.rows = append(b.rows, row)
		}
	}
	for i := range r.p.book.skips() {
		b.order = append(b.order, rowAt(i))
	}
	if len(b.out) > 0 {
		b.sort()
	}
	for no, on := range r.p.book.ties() {
		if _, out := b.out[no]; !out {
			b.tied[no] = on
		}
	}
	return b
}

// sort puts the skips in their order; only rows that a reviewer left out can be new.
func (b *approved) sort() {
	type keyed struct {
		at    rowID
		group problem.Group
		code  problem.Code
		upn   string
		id    directory.ID
		old   bool
	}
	ks := make([]keyed, len(b.order))
	for i, at := range b.order {
		s := b.made(at)
		ks[i] = keyed{at, s.Group, s.Why.Code, directory.FoldUPN(s.Ref.UPN), s.Ref.ID, at >= 0}
	}
	slices.SortStableFunc(ks, func(x, y keyed) int {
		if x.group < problem.LeftOut && y.group < problem.LeftOut {
			return cmp.Compare(x.at, y.at) // both are old, and in order
		}
		return cmp.Or(cmp.Compare(x.group, y.group), cmp.Compare(x.code, y.code),
			strings.Compare(x.upn, y.upn), cmp.Compare(x.id, y.id), cmp.Compare(x.at, y.at))
	})
	for i := range ks {
		b.order[i] = ks[i].at
	}
}

func (b *approved) len() int            { return len(b.rows) }
func (b *approved) no(i int) int        { return b.book.no(int(b.rows[i])) }
func (b *approved) kind(i int) Kind     { return b.book.kind(int(b.rows[i])) }
func (b *approved) action(i int) Action { return b.book.action(int(b.rows[i])) }
func (b *approved) core(i int) Action   { return b.book.core(int(b.rows[i])) }
func (b *approved) find(no int) (int, bool) {
	j, ok := b.book.find(no)
	if !ok {
		return 0, false
	}
	return slices.BinarySearch(b.rows, rowAt(j))
}
func (b *approved) skips() int          { return len(b.order) }
func (b *approved) skip(i int) Skipped  { return b.made(b.order[i]) }
func (b *approved) ties() map[int][]int { return b.tied }

func (b *approved) made(at rowID) Skipped {
	if at >= 0 {
		return b.book.skip(int(at))
	}
	a := b.book.core(int(-at - 1))
	s := Skipped{No: a.No, Ref: a.User, Name: a.Name, Line: a.Line, Group: problem.LeftOut}
	if s.Ref.UPN == "" {
		s.Ref = directory.Ref{UPN: a.UPN, ImmutableID: a.id()}
	}
	line := ""
	if a.Line > 0 {
		line = strconv.Itoa(a.Line)
	}
	args := problem.Args{"upn": s.Ref.UPN, "name": a.Name, "line": line, "domain": b.p.domain}
	code := problem.LeftOutOnce
	if by := b.out[a.No]; by != 0 {
		code = problem.LeftOutWith
		args["no"] = strconv.Itoa(by)
	}
	s.Why = problem.New(code, args)
	return s
}
