package plan

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/names"
	"github.com/hacsync/hacsync/sync/problem"
)

// asking is a question before it is made.
type asking struct {
	dep  *departure
	rows []rowID          // candidates, in the order of the source
	why  map[rowID]reason // what each has in common with the account
	lost bool
	gone fateOf           // what follows from different people
	same map[rowID]fateOf // what follows from same person, by candidate
}

// explained is why an account departs, for its row.
type explained struct {
	claim string
	weak  []Sign
	due   time.Time
	days  int
	of    int
}

// absences finds the accounts of the domain that no source row is matched with, and
// decides about each. It shows those that are never touched, makes questions of those
// whose absence is not explained, and lets the others depart.
func (b *builder) absences() {
	busy := newBits(b.users.Len())
	for _, r := range b.rows {
		if r.kind != Add && r.kind != Restore {
			busy.set(r.acct)
		}
	}
	added := map[rowID]bool{}
	for _, r := range b.rows {
		if r.kind == Add || r.kind == Restore {
			added[r.src] = true
		}
	}
	var deps []*departure
	// quiet accounts are asked about only if a row would be added for their person, and not
	// for these signs alone.
	quiet := map[rowID]reason{}
	for u := range b.users.All() {
		acct := rowOf(u)
		ask := len(b.asks) > 0 && len(b.asks[acct]) > 0
		switch {
		case busy.has(acct) || b.settled.has(acct):
			continue
		case !ask && !b.here(u.UPN()):
			if len(added) > 0 && b.movable(u) {
				alone := sameGiven | sameFamily
				if b.known(u) { // its person has another account, which explains its absence
					alone = sameFamily
				}
				deps, quiet[acct] = append(deps, b.departureOf(acct)), alone
			}
			continue
		}
		if _, foreign := b.sparedBy[acct]; foreign && !ask && b.owner[acct] < 0 && b.protected(u) == "" {
			b.skip(skipRow{code: problem.Spared, src: -1, acct: acct})
		}
		if b.told.has(acct) && !ask {
			if b.owner[acct] < 0 && b.protected(u) == "" && !b.leftOut(u) {
				deps, quiet[acct] = append(deps, b.departureOf(acct)), sameFamily
			}
			continue
		}
		if code := b.protected(u); code != "" {
			b.skip(skipRow{code: code, src: -1, acct: acct})
			continue
		}
		if d, out := b.decided.find(b.decided.out, u.ID(), u.UPN()); out && !ask {
			code := problem.LeftOutOnce
			if d.Kind == LeaveOutAlways {
				code = problem.LeftOutAlways
			}
			b.skip(skipRow{code: code, src: -1, acct: acct, extra: leftOutArgs(d)})
			continue
		}
		deps = append(deps, b.departureOf(acct))
	}
	if len(deps) == 0 {
		return
	}
	found, weak := b.lookFor(deps)
	for i, d := range deps {
		d.keys = keys{} // they were needed to look, and the plan lives long
		add := func(rows []rowID, why reason) {
			for _, row := range rows {
				if found[i] == nil {
					found[i] = map[rowID]reason{}
				}
				found[i][row] |= why
			}
		}
		add(b.asks[d.acct], oneWitness)
		if quiet[d.acct] == 0 {
			add(b.saidToBe(d), saidBefore)
		}
		switch {
		case quiet[d.acct] != 0:
			for row, why := range found[i] {
				if added[row] && why&^quiet[d.acct] != 0 {
					b.question(d, found[i])
					break
				}
			}
		case len(found[i]) > 0:
			b.question(d, found[i])
		default:
			b.depart(d, weak[i])
		}
	}
	b.withdraw()
}

// saidToBe are the rows that a reviewer last said to be the person of an account, if no
// sync made use of that answer. Such an account is asked about, whatever has changed
// since: the row may be another account's now, and then a user has to look at both. All
// rows with the key of the answer count, because it does not show which one was meant.
func (b *builder) saidToBe(d *departure) []rowID {
	last := Answer{}
	for _, a := range b.in.Answers {
		if a.Account == d.user.ID() && a.Kind == SamePerson {
			last = a
		}
	}
	var rows []rowID
	for _, s := range b.src.ByUsername(last.Row) {
		rows = append(rows, rowOf(s))
	}
	if upn, ok := strings.CutPrefix(last.Row, keyOfUPN("")); ok {
		for _, s := range b.src.ByUPN(upn) {
			if s.Username() == "" {
				rows = append(rows, rowOf(s))
			}
		}
	}
	return rows
}

// movable reports whether an account of another domain that is set up here has no row,
// so that its person may be in a row of this domain: it lost its row, or it is of a
// domain that the same source feeds. Accounts of other domains are another source's.
func (b *builder) movable(u directory.User) bool {
	_, from := directory.SplitUPN(u.UPN())
	from = directory.FoldUPN(from)
	return b.owner[u.Row()] < 0 && b.setUp[from] && (b.in.Siblings[from] || b.known(u)) && b.protected(u) == "" && !b.leftOut(u)
}

func (b *builder) leftOut(u directory.User) bool {
	_, out := b.decided.find(b.decided.out, u.ID(), u.UPN())
	return out
}

// lookFor compares every departure with every row that is not certainly another
// person's.
func (b *builder) lookFor(deps []*departure) (found []map[rowID]reason, weak []reason) {
	found, weak = make([]map[rowID]reason, len(deps)), make([]reason, len(deps))
	s := newSuspects(deps, &b.in.Past, b.src)
	for n, f := range b.fate {
		open := closed
		switch f {
		case firm:
			if !b.unsure[rowAt(n)] {
				continue
			}
			open = unowned
		case alone, asked, otherID, bad, foreignBad:
			open = unowned
			b.openRows++
		case byUPN:
			if b.handed(n) {
				open = handed
			}
		}
		i := rowAt(n)
		row := b.src.At(n)
		for dep, why := range s.about(row, open) {
			if found[dep] == nil {
				found[dep] = map[rowID]reason{}
			}
			found[dep][i] |= why
		}
		if open == unowned {
			s.weakly(row, weak)
		}
	}
	return found, weak
}

// handed reports whether the account of a row that its UPN matches is linked to another
// Username, or to none: the UPN may have been given to a namesake, who had another
// account.
func (b *builder) handed(n int) bool {
	if b.in.Past.users == nil {
		return false // nothing was learnt yet, so no account is known to have had a row
	}
	l, _ := b.in.Past.link(b.users.At(int(b.matched[n])).ID())
	return l.Username != b.src.At(n).Username()
}

// weakly notes signs that alone are no reason to ask: an equal family or given name.
func (s *suspects) weakly(row directory.User, weak []reason) {
	c := calledBy(row)
	for _, x := range s.of[keyCall+names.Fold(c.given)] {
		if c.given != "" {
			weak[x.dep] |= sameGiven
		}
	}
	for _, x := range s.of[keyFamily+names.Fold(c.family)] {
		if c.family != "" {
			weak[x.dep] |= sameFamily
		}
	}
}

// lost reports whether an account of the domain was in the last read that was learnt
// from. An account without a link was in no read that this state knows, so it counts
// only before the first read is learnt: a plan from before links existed matched it. An
// account that a reviewer released later has lost nothing in this read.
func (b *builder) lost(d *departure) bool {
	if !b.here(d.user.UPN()) {
		return false // it counts in the guard of its own domain
	}
	if _, absent := b.in.Past.Absent[d.user.ID()]; absent || b.claimedBy(d) == unclaimed {
		return false
	}
	if d.link.Username == "" {
		return b.in.Past.At.IsZero()
	}
	return !d.last.Before(b.in.Past.At)
}

// depart lets an account go whose absence is explained, as the policy says.
func (b *builder) depart(d *departure, weak reason) {
	claim := b.claimedBy(d)
	if claim == unclaimed && b.in.Unattended {
		b.skip(skipRow{code: problem.NeverSeen, src: -1, acct: d.acct})
		return
	}
	f := b.departing(d, claimWord[claim], signsOf(weak))
	if f.row != nil {
		b.rows = append(b.rows, *f.row)
		return
	}
	b.skip(*f.skip)
	if b.lost(d) {
		b.lostHeld++
	}
}

var claimWord = map[claim]string{ //nolint:gochecknoglobals // a table
	linkedOnce: ClaimLinked, addedByUs: ClaimAdded, vouchedFor: ClaimVouched,
}

// departing is what the policy does with an account whose absence is explained.
func (b *builder) departing(d *departure, claim string, weak []Sign) fateOf {
	id, enabled := d.user.ID(), d.user.Marks().Has(directory.Enabled)
	ex := explained{claim: claim, weak: weak}
	policy := &b.in.Policy
	absent := b.in.Past.Absent[id]
	of := policy.DeleteAfter
	if policy.OnMissing == BlockMissing {
		of = max(of, 1)
	}
	due, ripe := dueAt(absent, of, b.in.At)
	dates := problem.Args{
		"since": day(cmp.Or(absent.First, b.in.At)), "due": day(due),
		"days": strconv.Itoa(absent.Days), "of": strconv.Itoa(of),
	}
	hold := func(code problem.Code) fateOf { return held(code, -1, d.acct, dates) }
	r := &row{src: -1, acct: d.acct, kind: Delete}
	switch {
	case !b.usernames:
		return hold(problem.NoUsernames)
	case policy.OnMissing == KeepMissing:
		return hold(problem.KeptMissing)
	case policy.OnMissing == BlockMissing && !ripe && enabled:
		if !b.mayWriteEnabled() {
			return hold(problem.LeftOutOnce)
		}
		r.kind, r.flags = Update, missing
		ex.due, ex.days, ex.of = due, absent.Days, of
	case policy.OnMissing == BlockMissing && !ripe:
		return hold(problem.WaitsToDelete)
	case policy.OnMissing == BlockMissing:
		if b.in.Facts.Blocked[id] {
			r.flags = paid
		}
		ex.days, ex.of = absent.Days, of
	case b.in.Unattended && of > 0 && !ripe:
		return hold(problem.NotYetMissing)
	}
	b.explained[d.acct] = ex
	return fateOf{row: r}
}

// dueAt is the day on which an absence has lasted for so many days, and whether that
// day has come. Each of the days must have had a read that was learnt from.
func dueAt(a Absence, days int, now time.Time) (time.Time, bool) {
	due := cmp.Or(a.First, now).UTC().AddDate(0, 0, days)
	if left := now.UTC().AddDate(0, 0, days-a.Days); left.After(due) && a.Days < days {
		due = left
	}
	return due, day(now) >= day(due)
}

func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }

// question asks whether a row is the person of an account.
func (b *builder) question(d *departure, found map[rowID]reason) {
	q := &asking{dep: d, why: found, lost: b.lost(d), same: map[rowID]fateOf{}}
	for row := range found {
		q.rows = append(q.rows, row)
		b.inQuestion[row] = true
	}
	slices.SortFunc(q.rows, func(x, y rowID) int {
		return cmp.Or(b.compareSource(x, y), cmp.Compare(x, y))
	})
	b.questions = append(b.questions, q)
	b.questionOf[d.acct] = q
}

// withdraw takes the rows in question out of what the plan does: nothing happens
// to them until there is an answer.
func (b *builder) withdraw() {
	if len(b.questions) == 0 {
		return
	}
	slices.SortFunc(b.questions, func(x, y *asking) int {
		u, v := x.dep.user, y.dep.user
		return cmp.Or(strings.Compare(directory.FoldUPN(u.UPN()), directory.FoldUPN(v.UPN())), cmp.Compare(u.ID(), v.ID()))
	})
	b.holdAllowed()
	b.rows = slices.DeleteFunc(b.rows, func(r row) bool {
		if r.src < 0 || !b.inQuestion[r.src] || b.fate[r.src] != alone && b.fate[r.src] != byUPN {
			return false
		}
		b.newRows[r.src] = fateOf{row: &row{r.src, r.acct, r.kind, r.flags}}
		return true
	})
	for _, s := range b.skips {
		if s.src >= 0 && b.inQuestion[s.src] {
			b.newRows[s.src] = fateOf{skip: &s} // it is among the skips already
		}
	}
	for _, q := range b.questions {
		switch {
		case b.told.has(q.dep.acct): // a conflict spares it
			q.gone = held(problem.Spared, -1, q.dep.acct, nil)
		case b.here(q.dep.user.UPN()):
			q.gone = b.goneAs(q)
		}
	}
	releases := b.releases()
	for _, q := range b.questions {
		b.answersOf(q, releases)
	}
	for i := range b.inQuestion {
		if !b.ours.has(i) {
			b.rests.set(i)
		} else if b.waits(i) {
			b.askedRows++
		}
	}
}

// holdAllowed skips rows whose other immutable ID a reviewer allowed, if an answer may
// make the row another person's.
func (b *builder) holdAllowed() {
	dropped := map[rowID]bool{}
	b.rows = slices.DeleteFunc(b.rows, func(r row) bool {
		drop := r.src >= 0 && b.inQuestion[r.src] && b.fate[r.src] == otherID
		if drop {
			dropped[r.src] = true
		}
		return drop
	})
	if len(dropped) == 0 {
		return
	}
	for i := range dropped {
		b.put(held(problem.QuestionOpen, i, b.matched[i], nil))
	}
	b.releaseAll()
}

// waits reports whether a row of the domain waits for an answer: it is neither a skip
// nor certainly another account's. A row that only its UPN matches waits with what it
// would change.
func (b *builder) waits(i rowID) bool {
	switch b.fate[i] {
	case asked:
		return true
	case alone, byUPN:
		return b.newRows[i].row != nil
	case firm, otherID, bad, foreignBad:
	}
	return false
}

// answersOf decides what each answer does to the rows of a question.
func (b *builder) answersOf(q *asking, releases map[rowID]bool) {
	for _, i := range q.rows {
		if _, ok := b.newRows[i]; !ok && b.ours.has(i) && b.waits(i) {
			own := b.instead(i)
			b.newRows[i] = b.free(b.newRow(i, own), own, releases)
		}
		q.same[i] = b.sameAs(q, i, releases)
	}
}

// goneAs decides about an account whose person is in none of the rows. If a row has its
// immutable ID, the account is kept: after its deletion the row would have it restored.
func (b *builder) goneAs(q *asking) fateOf {
	u := q.dep.user
	for _, i := range q.rows {
		if id := b.src.At(int(i)).ImmutableID(); id != "" && id == u.ImmutableID() {
			return held(problem.IDTaken, -1, q.dep.acct, problem.Args{"immutable_id": id, "holder": u.UPN()})
		}
	}
	claim := ClaimAnswered
	if c := b.claimedBy(q.dep); c != unclaimed {
		claim = claimWord[c]
	}
	return b.departing(q.dep, claim, nil)
}

// instead is the account in question that has the UPN of a row and would be deleted
// before the row is added, -1 for none. A row that may be the person of a deleted
// account is not added.
func (b *builder) instead(i rowID) rowID {
	if d, code := b.inBin(b.src.At(int(i))); d >= 0 || code != "" {
		return -1
	}
	u, ok, _ := b.users.FirstByUPN(b.src.At(int(i)).UPN())
	if !ok {
		return -1
	}
	q := b.questionOf[rowOf(u)]
	if q == nil || q.gone.row == nil || q.gone.row.kind != Delete || q.why[i] == 0 {
		return -1
	}
	return q.dep.acct
}

// sameAs decides about an account whose person is in a row.
func (b *builder) sameAs(q *asking, i rowID, releases map[rowID]bool) fateOf {
	acct := q.dep.acct
	switch {
	case b.fate[i] == bad, b.fate[i] == foreignBad, b.fate[i] == firm, b.fate[i] == byUPN, b.fate[i] == otherID:
		code := problem.Spared // the row is a skip, or another account's
		if f, ok := b.newRows[i]; ok && f.skip != nil {
			code = f.skip.code
		}
		return held(code, i, acct, nil)
	case !b.ours.has(i):
		_, there := directory.SplitUPN(b.src.At(int(i)).UPN())
		code := problem.MovedAway
		if _, known := b.federated[directory.FoldUPN(there)]; !known {
			code = problem.MovedNowhere
		} else if !b.setUp[directory.FoldUPN(there)] {
			code = problem.MovedAwayNotSetUp
		}
		return held(code, i, acct, problem.Args{"to": b.src.At(int(i)).UPN()})
	case b.idIsAnothers(b.src.At(int(i)), acct):
		return held(problem.FitsTwoRows, i, acct, problem.Args{"immutable_id": b.users.At(int(acct)).ImmutableID()})
	case b.otherID(b.src.At(int(i)), acct):
		return b.free(b.withOtherID(i, acct, true), -1, releases)
	}
	return b.free(b.pair(i, acct, false), -1, releases)
}

// idIsAnothers reports whether another row has the immutable ID of an account.
func (b *builder) idIsAnothers(s directory.User, acct rowID) bool {
	id := b.users.At(int(acct)).ImmutableID()
	return id != "" && id != s.ImmutableID() && len(b.src.ByImmutableID(id)) > 0
}

// releases are the accounts whose UPN a rename of this plan releases.
func (b *builder) releases() map[rowID]bool {
	found := map[rowID]bool{}
	for _, r := range b.rows {
		if r.kind == Rename {
			found[r.acct] = true
		}
	}
	return found
}

// free turns a row whose UPN or immutable ID another account keeps into a skip. own is
// the account that would be deleted before it, or -1.
func (b *builder) free(f fateOf, own rowID, releases map[rowID]bool) fateOf {
	if f.row == nil {
		return f
	}
	if id := b.src.At(int(f.row.src)).ImmutableID(); id != "" {
		for _, u := range b.users.ByImmutableID(id) {
			if f.row.kind == Add || f.row.kind == Restore || rowOf(u) != f.row.acct {
				return fateOf{skip: &skipRow{
					code: problem.IDTaken, src: f.row.src, acct: f.row.acct, bin: f.row.kind == Restore,
					extra: problem.Args{"immutable_id": id, "holder": u.UPN()},
				}}
			}
		}
	}
	h := b.holder(*f.row)
	if h < 0 || h == own && f.row.flags&replaces != 0 || releases[h] {
		return f
	}
	code, extra := problem.UPNTaken, problem.Args{"holder": b.users.At(int(h)).UPN()}
	if due := b.dueOf(h); due != "" {
		code, extra["due"] = problem.UPNWaits, due
	}
	return fateOf{skip: &skipRow{
		code: code, src: f.row.src, acct: f.row.acct, bin: f.row.kind != Rename && f.row.kind != Update, extra: extra,
	}}
}

// dueOf is the day on which an account in question is deleted if its person is in none
// of the rows; "" if it never is.
func (b *builder) dueOf(acct rowID) string {
	q := b.questionOf[acct]
	if q == nil {
		return ""
	}
	if r := q.gone.row; r != nil {
		if r.kind == Delete {
			return day(b.in.At)
		}
		return day(b.explained[acct].due)
	}
	if q.gone.waits() {
		return q.gone.skip.extra["due"]
	}
	return ""
}

// waits reports whether an account is deleted on a later day.
func (f fateOf) waits() bool {
	return f.skip != nil && (f.skip.code == problem.WaitsToDelete || f.skip.code == problem.NotYetMissing)
}
