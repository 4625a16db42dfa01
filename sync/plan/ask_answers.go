package plan

import (
	"cmp"
	"maps"
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/problem"
)

// Answer returns the plan with answers to its questions. An answer counts if it fits an
// account, a row and their basis, and is the last of several; others are ignored.
// Answers that the plan had before no longer count.
func (p *Plan) Answer(answers []Answer) *Plan {
	if p.open == nil { // it asks nothing, or was approved with its answers
		return p
	}
	return p.open.with(answers)
}

// Answers are those that the plan was made with.
func (p *Plan) Answers() []Answer { return p.answers }

// with returns a plan with every question open with answers to them.
func (p *Plan) with(answers []Answer) *Plan {
	if p.QuestionLen() == 0 || p.final {
		return p
	}
	q := &Plan{head: p.head}
	q.open, q.answers = p, answers
	b := resolve(p, answers)
	q.book = b
	q.counts, q.guard = b.sums(p.counts, p.guard)
	q.verdict = judge(q.policy, q.counts, q.guard)
	q.lazy = sync.OnceValue(q.fingerprint)
	return q
}

// answered is the book of a plan in which questions are answered: the book below, the
// actions that the answers make, and the skips.
type answered struct {
	book
	qs    []*Question
	acts  []Action // in order
	at    []int    // the index of each of them in this book
	byNo  map[int]int
	more  []Skipped
	where []int // the index of each skip in this book
	tied  map[int][]int
	// freed are rows of the domain that no longer wait, settled those whose account is as
	// it should be.
	freed, settled, held int
	domain               string
	// stopped are the moves that follow from answers and that, unattended, the guard of the
	// domain they leave would cancel.
	stopped map[int]*problem.Problem
}

// resolve decides what the answers make of the questions.
func resolve(p *Plan, answers []Answer) *answered {
	b := &answered{book: p.book, byNo: map[int]int{}, domain: p.domain, tied: map[int][]int{}}
	for _, q := range p.book.asked() {
		c := *q
		c.Rows = slices.Clone(q.Rows)
		c.Answer = given(q, answers)
		if c.Answer.Kind == Open {
			c.Before = before(q, answers)
		}
		b.qs = append(b.qs, &c)
	}
	taken := b.take()
	b.stopMoves(p)
	free := b.free(taken)
	var acts []Action
	for _, q := range b.qs {
		switch q.Answer.Kind {
		case SamePerson:
			for i := range q.Rows {
				if c := &q.Rows[i]; c.RowKey() == q.Answer.Row && c.TakenBy == 0 {
					acts = b.same(acts, c)
				}
			}
		case DifferentPeople:
			if a, ok := b.different(q, free); ok {
				acts = append(acts, a)
			}
		case Open, NotNow:
		}
	}
	done := map[string]bool{}
	for _, q := range b.qs {
		for i := range q.Rows {
			c := &q.Rows[i]
			key := c.RowKey()
			if !free[key] || done[key] {
				continue
			}
			done[key] = true
			acts = b.add(acts, c)
		}
	}
	b.wait(acts)
	b.merge(acts)
	return b
}

// wait keeps a deletion waiting for additions.
func (b *answered) wait(acts []Action) {
	done := map[int]bool{}
	for i := range acts {
		done[acts[i].No] = true
	}
	for i := range acts {
		if a := &acts[i]; a.Kind == Delete {
			a.After = slices.DeleteFunc(a.After, func(no int) bool { return !done[no] })
			if !done[a.how.with] {
				a.how.with = 0
			}
		}
	}
}

func holds(acts []Action, no int) bool {
	return slices.ContainsFunc(acts, func(a Action) bool { return a.No == no })
}

// given is the answer to a question: the last one about one of its rows that rests on
// the same basis. Different people must be answered for every row.
func given(q *Question, answers []Answer) Answer {
	said, last := map[string]bool{}, Answer{}
	for _, a := range answers {
		if a.Account != q.Account.ID || a.Basis != q.Basis || q.row(a.Row) == nil {
			continue
		}
		if a.Kind != last.Kind {
			clear(said)
		}
		said[a.Row] = true
		last = a
	}
	if last.Kind == DifferentPeople {
		for i := range q.Rows {
			if !said[q.Rows[i].RowKey()] {
				return Answer{}
			}
		}
	}
	return last
}

// before is the last answer to the question if it rested on another basis.
func before(q *Question, answers []Answer) Answer {
	last := Answer{}
	for _, a := range answers {
		if a.Account == q.Account.ID && a.Basis != q.Basis && a.Kind != NotNow {
			last = a
		}
	}
	return last
}

func (q *Question) row(key string) *Candidate {
	for i := range q.Rows {
		if q.Rows[i].RowKey() == key {
			return &q.Rows[i]
		}
	}
	return nil
}

// take notes which rows an answer same person takes; if two questions want one row, the
// first gets it.
func (b *answered) take() map[string]int {
	taken := map[string]int{}
	for _, q := range b.qs {
		if q.Answer.Kind != SamePerson {
			continue
		}
		if _, twice := taken[q.Answer.Row]; twice {
			q.Answer = Answer{}
			continue
		}
		taken[q.Answer.Row] = q.No
	}
	for _, q := range b.qs {
		for i := range q.Rows {
			if by := taken[q.Rows[i].RowKey()]; by != q.No {
				q.Rows[i].TakenBy = by
			}
		}
	}
	return taken
}

// stopMoves holds, unattended, the moves that follow from answers if they would reach
// the limit of the domain that they leave; the rest goes on. A reviewer sees a verdict
// instead.
func (b *answered) stopMoves(p *Plan) {
	if !p.guard.unattended {
		return
	}
	type move struct {
		no int
		c  *Candidate
		a  Action
	}
	moves := map[string][]move{}
	for _, q := range b.qs {
		for i := range q.Rows {
			c := &q.Rows[i]
			if q.Answer.Kind != SamePerson || c.RowKey() != q.Answer.Row || c.TakenBy != 0 {
				continue
			}
			if a, ok := b.book.option(c.Same); ok && a.movesIn(b.domain) {
				_, from := directory.SplitUPN(a.User.UPN)
				from = directory.FoldUPN(from)
				moves[from] = append(moves[from], move{c.Same, c, a})
			}
		}
	}
	for _, o := range p.guard.origins {
		o.Moves += len(moves[o.Domain])
		if !o.cancels() {
			continue
		}
		for _, m := range moves[o.Domain] {
			if b.stopped == nil {
				b.stopped = map[int]*problem.Problem{}
			}
			args := o.heldArgs(m.a.User.UPN)
			args["upn"], args["name"], args["line"], args["domain"] = m.c.Row.UPN, m.c.Name, lineOf(m.c), b.domain
			b.stopped[m.no] = problem.New(problem.MoveHeldByGuard, args)
		}
	}
}

func lineOf(c *Candidate) string {
	if c.Line > 0 {
		return strconv.Itoa(c.Line)
	}
	return ""
}

// free are the rows that are people of their own: every question that names the row has
// an answer, and none takes it.
func (b *answered) free(taken map[string]int) map[string]bool {
	free, waits := map[string]bool{}, map[string]int{}
	for _, q := range b.qs {
		for i := range q.Rows {
			key := q.Rows[i].RowKey()
			free[key] = true
			if (q.Answer.Kind == Open || q.Answer.Kind == NotNow) && waits[key] == 0 {
				waits[key] = q.No
			}
		}
	}
	for key := range free {
		free[key] = taken[key] == 0 && waits[key] == 0
	}
	for _, q := range b.qs {
		for i := range q.Rows {
			if by := waits[q.Rows[i].RowKey()]; by != q.No && q.Rows[i].TakenBy == 0 {
				q.Rows[i].WaitsFor = by
			}
		}
	}
	return free
}

// same decides about an account and a row by the answer same person.
func (b *answered) same(acts []Action, c *Candidate) []Action {
	switch a, ok := b.book.option(c.Same); {
	case b.stopped[c.Same] != nil:
		b.freed++
		b.held++
		b.more = append(b.more, c.skipped(b.stopped[c.Same]))
	case ok:
		b.freed++
		return append(acts, a)
	case c.SameWhy == nil:
		b.freed++
		b.settled++
	case c.waits:
		b.freed++
		b.held++
		b.more = append(b.more, c.skipped(b.waitsFor(c.SameWhy)))
	}
	return acts
}

// waitsFor is why a row waits. The account that has its UPN is deleted only if an
// answer says that its person is in none of the rows; as the person of another row it
// keeps the UPN, or releases it in this plan.
func (b *answered) waitsFor(why *problem.Problem) *problem.Problem {
	if why.Code != problem.UPNWaits {
		return why
	}
	for _, q := range b.qs {
		holder := why.Args["holder"]
		if q.Account.UPN != holder || q.Answer.Kind == DifferentPeople {
			continue
		}
		args := maps.Clone(why.Args)
		delete(args, "due")
		if q.Answer.Kind != SamePerson {
			args["upn"] = holder
			return problem.New(problem.QuestionOpen, args)
		}
		taken := q.row(q.Answer.Row)
		if a, ok := b.book.option(taken.Same); ok && a.Kind == Rename && !a.Marks.Has(directory.Addressed) {
			args["to"] = a.UPN
			return problem.New(problem.UPNGivenUp, args)
		}
		return problem.New(problem.UPNTaken, args)
	}
	return why
}

// add decides about a row that is a person of its own. It has to wait for another plan
// if the account that has its UPN is not deleted in this one.
func (b *answered) add(acts []Action, c *Candidate) []Action {
	a, ok := b.book.option(c.Add)
	if ok && b.behind(c.Add) {
		a = b.afterRename(acts, a)
	}
	switch {
	case ok && len(a.After) > 0 && b.isOption(a.After[0]) && !holds(acts, a.After[0]):
		b.freed++
		b.held++
		b.more = append(b.more, c.skipped(problem.New(problem.UPNTaken, problem.Args{
			"upn": c.Row.UPN, "name": c.Name, "line": lineOf(c), "domain": b.domain, "holder": c.Row.UPN,
		})))
	case ok:
		b.freed++
		return append(acts, a)
	case c.waits:
		b.freed++
		b.held++
		b.more = append(b.more, c.skipped(b.waitsFor(c.AddWhy)))
	}
	return acts
}

// afterRename lets an addition that would wait for a deletion wait for the rename of
// the same account, if an answer makes one. A mailbox keeps its UPN as an address.
func (b *answered) afterRename(acts []Action, a Action) Action {
	gone, _ := b.book.option(a.After[0])
	for i := range acts {
		if r := &acts[i]; r.Kind == Rename && r.User.ID == gone.User.ID && !r.Marks.Has(directory.Addressed) {
			a.After = []int{r.No}
			a.Warnings = slices.DeleteFunc(slices.Clone(a.Warnings), func(w *problem.Problem) bool { return w.Code == problem.UPNUsedAgain })
		}
	}
	return a
}

func (b *answered) isOption(no int) bool {
	_, ok := b.book.option(no)
	return ok
}

// different is the departure that the answer different people makes. It waits for the
// additions of its rows; if an open question holds one of them, it holds the departure
// too.
func (b *answered) different(q *Question, free map[string]bool) (Action, bool) {
	a, ok := b.book.option(q.Delete)
	if !ok {
		if q.DeleteWhy != nil {
			b.more = append(b.more, Skipped{
				Ref: q.Account, Name: q.Name, Group: q.DeleteWhy.Code.Group(), Why: q.DeleteWhy,
			})
		}
		return a, false
	}
	a.After = nil
	for i := range q.Rows {
		c := &q.Rows[i]
		switch {
		case c.WaitsFor != 0:
			q.Waits = append(q.Waits, c.WaitsFor)
		case a.Kind != Delete || !b.adds(c.Add) || !free[c.RowKey()] || c.Add == a.how.with:
		case a.how.with != 0 && b.behind(c.Add): // each would wait for the other
		default:
			a.After = append(a.After, c.Add)
		}
	}
	if len(q.Waits) > 0 {
		return a, false
	}
	slices.Sort(a.After)
	a.After = slices.Compact(a.After)
	if ex := a.Explanation; ex != nil {
		with := *ex
		with.Question, with.By, with.At = q.No, q.Answer.By, q.Answer.At
		a.Explanation = &with
	}
	return a, true
}

// adds reports whether an action makes an account, so that a deletion waits for it.
func (b *answered) adds(no int) bool {
	a, ok := b.book.option(no)
	return ok && (a.Kind == Add || a.Kind == Restore)
}

// behind reports whether an action waits for the deletion of the account that has
// its UPN.
func (b *answered) behind(no int) bool {
	a, ok := b.book.option(no)
	if !ok || len(a.After) == 0 {
		return false
	}
	before, ok := b.book.option(a.After[0])
	return ok && before.Kind == Delete
}

func (c *Candidate) skipped(why *problem.Problem) Skipped {
	return Skipped{
		Ref: c.Row, Name: c.Name, Line: c.Line, Group: why.Code.Group(), Why: why,
	}
}

// merge puts the actions among those of the book, in their order.
func (b *answered) merge(acts []Action) {
	slices.SortFunc(acts, func(x, y Action) int {
		return cmp.Or(cmp.Compare(x.Kind, y.Kind), strings.Compare(directory.FoldUPN(x.UPN), directory.FoldUPN(y.UPN)), cmp.Compare(x.No, y.No))
	})
	b.acts = acts
	for no, on := range b.book.ties() {
		b.tied[no] = on
	}
	n := b.book.len()
	for k, a := range acts {
		before := sort.Search(n, func(i int) bool {
			kind := b.book.kind(i)
			if kind != a.Kind {
				return kind > a.Kind
			}
			c := b.book.core(i)
			return directory.FoldUPN(c.UPN) > directory.FoldUPN(a.UPN)
		})
		b.at = append(b.at, before+k)
		b.byNo[a.No] = before + k
		if t := a.waits(); len(t) > 0 {
			b.tied[a.No] = t
		}
	}
	slices.SortStableFunc(b.more, func(x, y Skipped) int { return cmp.Compare(x.Group, y.Group) })
	no := b.lastNo()
	for k, s := range b.more {
		before := sort.Search(b.book.skips(), func(i int) bool { return b.book.skip(i).Group > s.Group })
		b.where = append(b.where, before+k)
		b.more[k].No = no + k + 1
	}
}

// lastNo is the largest number of the book below and of its options.
func (b *answered) lastNo() int {
	no := b.book.len() + b.book.skips()
	for _, q := range b.qs {
		no = max(no, q.Delete)
		for i := range q.Rows {
			no = max(no, q.Rows[i].Same, q.Rows[i].Add)
		}
	}
	return no
}

// among gives the index in the book below, or the index among what was put in.
func among(at []int, i int) (below int, own int) {
	k := sort.SearchInts(at, i)
	if k < len(at) && at[k] == i {
		return -1, k
	}
	return i - k, -1
}

// above is the reverse for an index of the book below.
func above(at []int, below int) int {
	return below + sort.Search(len(at), func(k int) bool { return at[k]-k > below })
}

func (b *answered) len() int            { return b.book.len() + len(b.acts) }
func (b *answered) skips() int          { return b.book.skips() + len(b.more) }
func (b *answered) asked() []*Question  { return b.qs }
func (b *answered) ties() map[int][]int { return b.tied }

func (b *answered) no(i int) int {
	below, own := among(b.at, i)
	if own >= 0 {
		return b.acts[own].No
	}
	return b.book.no(below)
}

func (b *answered) kind(i int) Kind {
	below, own := among(b.at, i)
	if own >= 0 {
		return b.acts[own].Kind
	}
	return b.book.kind(below)
}

func (b *answered) action(i int) Action {
	below, own := among(b.at, i)
	if own >= 0 {
		return b.acts[own]
	}
	return b.book.action(below)
}

func (b *answered) core(i int) Action {
	below, own := among(b.at, i)
	if own >= 0 {
		return b.acts[own]
	}
	return b.book.core(below)
}

func (b *answered) skip(i int) Skipped {
	below, own := among(b.where, i)
	if own >= 0 {
		return b.more[own]
	}
	return b.book.skip(below)
}

func (b *answered) find(no int) (int, bool) {
	if i, ok := b.byNo[no]; ok {
		return i, true
	}
	below, ok := b.book.find(no)
	return above(b.at, below), ok
}

// sums adds what the answers make to the sums of the plan below.
func (b *answered) sums(c Counts, g guard) (Counts, guard) {
	for i := range b.acts {
		a := &b.acts[i]
		g.take(&c, a, b.domain, 1)
		if a.Kind != Add && a.Kind != Restore && !a.movesIn(b.domain) {
			c.DestinationHeld--
		}
	}
	c.OpenQuestions = 0
	for _, q := range b.qs {
		if q.Answer.Kind == Open {
			c.OpenQuestions++
		}
		if q.Answer.Kind == Open || q.Answer.Kind == NotNow {
			continue
		}
		if _, gone := b.byNo[q.Delete]; q.Lost && (gone || q.Answer.Kind == SamePerson) {
			g.lostHeld--
		}
		if q.Answer.Kind == SamePerson && q.Claim == "" && directory.InDomain(q.Account.UPN, b.domain) {
			c.Known++ // the account has a row now
		}
	}
	c.Asked -= b.freed
	c.Unchanged += b.settled
	c.DestinationHeld -= b.settled
	for i := range b.more {
		c.left(b.more[i].Why.Code)
	}
	c.SourceHeld += b.held
	return c, g
}
