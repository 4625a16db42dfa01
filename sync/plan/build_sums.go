package plan

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/problem"
)

// upn is the UPN that a row is in order by: the one after the action.
func (b *builder) upn(r row) string {
	if r.kind == Delete || r.kind == Update {
		return b.users.At(int(r.acct)).UPN()
	}
	return b.src.At(int(r.src)).UPN()
}

func (b *builder) inOrder(x, y row) int {
	if c := cmp.Compare(x.kind, y.kind); c != 0 {
		return c
	}
	if c := strings.Compare(directory.FoldUPN(b.upn(x)), directory.FoldUPN(b.upn(y))); c != 0 {
		return c
	}
	if x.acct < 0 || y.acct < 0 {
		return cmp.Compare(x.acct, y.acct)
	}
	return cmp.Compare(b.account(x).ID(), b.account(y).ID())
}

// finish puts rows and skips in order and adds everything up.
func (b *builder) finish() *Plan {
	b.sortRows()
	b.sortSkips()
	made := &built{builder: b, chain: b.chainUp()}
	made.ask()
	made.shared, made.sharing = b.sharedAliases()
	b.restOn()
	made.restOnStrangers()

	p := &Plan{book: made}
	p.version = FormatVersion
	in := &b.in
	p.tenant, p.domain, p.policy = in.Tenant.ID, b.domain.Name, in.Policy
	p.about, p.digest = b.src.About(), b.src.Digest()
	p.confirmed = b.src.Proof().Count >= 0 || b.src.About().OwnEnd
	p.source = b.src
	p.rests = func(u directory.User) bool {
		return b.ours.hasRow(u.Row()) || b.rests.hasRow(u.Row())
	}
	p.rested = p.restedOn()
	g := guard{unattended: in.Unattended, today: in.Facts.DeletionsToday, usersThen: in.Facts.UsersThen, lostHeld: b.lostHeld}
	p.counts = b.count(made, &g)
	p.guard = g
	p.verdict = judge(p.policy, p.counts, g)
	p.need = b.need()
	p.warnings = b.warnings(made)
	p.finger = p.fingerprint()
	return p
}

// restOn marks the source rows, of whatever domain, that have a key of an account which
// the plan acts on: the plan rests on them.
func (b *builder) restOn() {
	mark := func(rows []directory.User) {
		for _, s := range rows {
			b.rests.set(rowOf(s))
		}
	}
	for _, r := range b.rows {
		if r.acct >= 0 {
			u := b.account(r)
			mark(b.src.ByUPN(u.UPN()))
			if id := u.ImmutableID(); id != "" {
				mark(b.src.ByImmutableID(id))
			}
		}
		if r.src >= 0 {
			if id := b.src.At(int(r.src)).ImmutableID(); id != "" {
				mark(b.src.ByImmutableID(id))
			}
		}
	}
}

// restOnStrangers marks the rows of other domains that matter to a departure if they
// are new in a later read: because they were there when the plan was made, they are not
// taken for new ones.
func (b *built) restOnStrangers() {
	var strangers []rowID
	for i := range b.fate {
		if row := rowAt(i); !b.ours.has(row) && !b.rests.has(row) {
			strangers = append(strangers, row)
		}
	}
	if len(strangers) == 0 {
		return
	}
	var deps []*departure
	leave := func(a *Action) {
		if a.Kind == Delete || a.how.missing {
			deps = append(deps, leaving(a))
		}
	}
	for i, r := range b.rows {
		if r.kind == Delete || r.flags&missing != 0 {
			a := b.core(i)
			leave(&a)
		}
	}
	for _, q := range b.questions {
		if a, ok := b.option(q.Delete); ok {
			leave(&a)
		}
	}
	if len(deps) == 0 {
		return
	}
	s := newSuspects(deps, &Past{}, b.src)
	for _, row := range strangers {
		if len(s.about(b.src.At(int(row)), unowned)) > 0 {
			b.rests.set(row)
		}
	}
}

// sortRows orders by risk, then UPN. It folds each row's UPN once.
func (b *builder) sortRows() {
	type keyed struct {
		row row
		upn string
	}
	ks := make([]keyed, len(b.rows))
	for i, r := range b.rows {
		ks[i] = keyed{r, directory.FoldUPN(b.upn(r))}
	}
	slices.SortFunc(ks, func(x, y keyed) int {
		if c := cmp.Compare(x.row.kind, y.row.kind); c != 0 {
			return c
		}
		if c := strings.Compare(x.upn, y.upn); c != 0 {
			return c
		}
		return b.inOrder(x.row, y.row)
	})
	for i := range ks {
		b.rows[i] = ks[i].row
	}
}

func (b *builder) sortSkips() {
	type keyed struct {
		skip skipRow
		upn  string
		id   directory.ID
	}
	ks := make([]keyed, len(b.skips))
	for i, s := range b.skips {
		ref := b.ref(s)
		ks[i] = keyed{s, directory.FoldUPN(ref.UPN), ref.ID}
	}
	slices.SortFunc(ks, func(x, y keyed) int {
		return cmp.Or(
			cmp.Compare(x.skip.code.Group(), y.skip.code.Group()),
			cmp.Compare(x.skip.code, y.skip.code),
			strings.Compare(x.upn, y.upn),
			cmp.Compare(x.id, y.id),
			b.compareSource(x.skip.src, y.skip.src),
		)
	})
	for i := range ks {
		b.skips[i] = ks[i].skip
	}
}

// compareSource orders source rows by their values, then by line.
func (b *builder) compareSource(x, y rowID) int {
	if x < 0 || y < 0 {
		return cmp.Compare(x, y)
	}
	s, t := b.src.At(int(x)), b.src.At(int(y))
	if c := strings.Compare(s.ImmutableID(), t.ImmutableID()); c != 0 {
		return c
	}
	if c := strings.Compare(s.UPN(), t.UPN()); c != 0 {
		return c
	}
	for _, a := range b.attrs {
		v, _ := s.Get(a)
		w, _ := t.Get(a)
		if c := strings.Compare(v, w); c != 0 {
			return c
		}
	}
	return cmp.Compare(s.Line(), t.Line())
}

// count adds everything up.
func (b *builder) count(made *built, g *guard) Counts {
	c := Counts{
		SourceUsers: b.sourceUsers, Unchanged: b.unchanged,
		SourceHeld: b.sourceHeld, Asked: b.askedRows,
		Questions: len(b.questions), OpenQuestions: len(b.questions), Usable: b.usable(),
	}
	g.origins = b.origins()
	busy := newBits(b.users.Len())
	copy(busy, b.settled)
	for i, r := range b.rows {
		if r.kind == Add || r.kind == Restore {
			g.take(&c, &Action{Kind: r.kind}, b.domain.Name, 1)
			continue
		}
		busy.set(r.acct)
		a := made.core(i)
		g.take(&c, &a, b.domain.Name, 1)
	}
	for _, q := range made.questions {
		if q.Lost {
			g.lostHeld++
		}
	}
	for u := range b.users.All() {
		if !b.here(u.UPN()) {
			continue
		}
		c.DestinationUsers++
		if b.protected(u) != "" {
			continue
		}
		c.Touchable++
		if b.owner[u.Row()] >= 0 || b.known(u) {
			c.Known++
		}
		if !busy.hasRow(u.Row()) {
			c.DestinationHeld++
		}
	}
	for _, s := range b.skips {
		c.left(s.code)
	}
	return c
}

// usable counts the rows of the domain that are neither repeated nor unreadable;
// of several with one UPN the first counts.
func (b *builder) usable() int {
	n := 0
	for i, f := range b.fate {
		if !b.ours.has(rowAt(i)) {
			continue
		}
		if f != bad {
			n++
			continue
		}
		s := b.src.At(i)
		if twins := b.src.ByUPN(s.UPN()); len(twins) > 1 && twins[0].Row() == i {
			n++
		}
	}
	return n
}

// need are the accounts whose kind of mailbox the plan lacks.
func (b *builder) need() []directory.ID {
	var ids []directory.ID
	for _, r := range b.rows {
		if r.kind == Add || r.kind == Restore {
			continue
		}
		u := b.users.At(int(r.acct))
		if !b.marks(u).Any(directory.Purposes) {
			ids = append(ids, u.ID())
		}
	}
	for _, q := range b.questions {
		if u := q.dep.user; !b.marks(u).Any(directory.Purposes) {
			ids = append(ids, u.ID())
		}
		for _, i := range q.rows {
			if f := b.newRows[i]; f.row != nil && f.row.kind == Update {
				if u := b.users.At(int(f.row.acct)); !b.marks(u).Any(directory.Purposes) {
					ids = append(ids, u.ID())
				}
			}
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// clocksDiffer is how far two clocks may be apart before a time counts as still to
// come.
const clocksDiffer = 5 * time.Minute

// warnings are those of the plan as a whole.
func (b *builder) warnings(made *built) []*problem.Problem {
	var ws []*problem.Problem
	warn := func(c problem.Code, args problem.Args) { ws = append(ws, problem.New(c, args)) }
	about := b.src.About()
	if b.src.Proof().Count < 0 && !about.OwnEnd {
		warn(problem.NotConfirmed, problem.Args{"rows": strconv.Itoa(b.src.Len()), "source": about.Name})
	}
	if b.in.Tenant.OnPremisesSync {
		warn(problem.TwoMasters, problem.Args{"tenant": b.in.Tenant.Name})
	}
	if age := b.in.At.Sub(about.Newest); !about.Newest.IsZero() && !b.in.At.IsZero() && age > 24*time.Hour {
		warn(problem.SourceOld, problem.Args{
			"source": about.Name, "newest": problem.Moment(about.Newest),
			"hours": strconv.Itoa(int(age / time.Hour)),
		})
	}
	if ahead := about.Newest.Sub(b.in.At); !b.in.At.IsZero() && ahead > clocksDiffer {
		warn(problem.SourceAhead, problem.Args{"source": about.Name, "newest": problem.Moment(about.Newest)})
	}
	if n := made.sharing; n > 0 {
		warn(problem.AliasesShared, problem.Args{"rows": strconv.Itoa(n)})
	}
	if b.aliasesKept > 0 {
		warn(problem.AliasesKept, problem.Args{"rows": strconv.Itoa(b.aliasesKept)})
	}
	if b.worse > 0 {
		warn(problem.ValuesWorse, problem.Args{"rows": strconv.Itoa(b.worse)})
	}
	for _, a := range b.in.Policy.Attributes {
		if !b.src.HasColumn(a) && a != directory.AccountEnabled {
			warn(problem.ColumnAbsent, problem.Args{"source": about.Name, "attribute": string(a)})
		}
	}
	if !b.usernames {
		if n := b.skipped(problem.NoUsernames); n > 0 {
			warn(problem.DeparturesHeld, problem.Args{"source": about.Name, "accounts": strconv.Itoa(n)})
		}
	}
	for _, entry := range b.in.Policy.Protected {
		if entry = strings.TrimSpace(entry); !b.fitsAny(entry) {
			warn(problem.ProtectedFitsNone, problem.Args{"entry": entry})
		}
	}
	return append(append(ws, b.in.Notes...), b.decided.idle()...)
}

func (b *builder) skipped(code problem.Code) int {
	n := 0
	for _, s := range b.skips {
		if s.code == code {
			n++
		}
	}
	return n
}
