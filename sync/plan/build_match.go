package plan

import (
	"iter"
	"strconv"
	"strings"
	"time"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/names"
	"github.com/hacsync/hacsync/sync/problem"
)

// fate is what match found of a source row.
type fate uint8

const (
	alone      fate = iota // no account matches it
	firm                   // matched, the immutable ID or the link among the witnesses
	byUPN                  // matched by the UPN and a name
	otherID                // the account that was found has another immutable ID
	asked                  // one witness, and no name agrees: a question
	bad                    // skipped whole, and reported if it is in the domain
	foreignBad             // the same in another domain
)

// witnesses are the accounts that a source row is matched with, -1 for none: by
// immutable ID, by link, by UPN.
type witnesses struct{ id, link, upn rowID }

// match finds the account of each source row. There are three witnesses: the immutable
// ID, the link and the UPN. Two that agree suffice, except for a link and a UPN that
// may both have been given to another person. One alone needs a name that agrees, or
// names that cannot be compared. Witnesses that contradict each other are a conflict,
// and every account that they name is spared.
func (b *builder) match() error {
	m := &matcher{builder: b, dirty: newBits(b.users.Len()), clash: map[rowID][]rowID{}, failed: map[problem.Code]int{}}
	m.repeated = newBits(b.src.Len())
	for _, same := range []iter.Seq[int]{b.src.SameUPN(), b.src.SameImmutableID(), b.src.SameUsername()} {
		for i := range same {
			m.repeated.set(rowAt(i))
		}
	}
	for i := range b.src.Len() {
		m.witness(rowAt(i))
	}
	m.refuseClashes()
	m.refuseContested()
	m.refuseDirty()
	for i := range b.fate {
		if b.fate[i] == alone {
			m.byUPN(rowAt(i))
		}
	}
	return m.doubtful()
}

// matcher holds what is needed only during matching.
type matcher struct {
	*builder
	repeated  bits              // rows with a key that another row has too
	dirty     bits              // named by a row that is skipped
	clash     map[rowID][]rowID // account → its rows, if there are several
	contested []contest
	// failed counts the rows whose link fails, by how.
	failed map[problem.Code]int
}

// contest is a row that is matched with one account by immutable ID or link while its
// UPN is another account's. If that other account moves on, the UPNs follow one another
// in a chain. One witness alone makes a chain only if a name agrees, and agrees no
// better with the account of the UPN.
type contest struct {
	row   rowID
	w     witnesses
	chain bool // the witnesses are enough for a chain
}

func (m *matcher) witness(i rowID) {
	b, s := m.builder, m.src.At(int(i))
	upn, id := s.UPN(), s.ImmutableID()
	here := b.here(upn) || b.here(names.LooseUPN(upn))
	if here {
		b.sourceUsers++
		b.ours.set(i)
	}
	w := witnesses{-1, -1, -1}
	byID, found, more := b.users.FirstByImmutableID(id)
	var shared []directory.User
	if more {
		shared = b.users.ByImmutableID(id)
	} else if found {
		w.id = rowOf(byID)
		if b.here(byID.UPN()) {
			b.rests.set(i)
		}
	}
	for _, u := range shared {
		if b.here(u.UPN()) {
			b.rests.set(i)
		}
	}
	// A tenant has no two accounts with one UPN, so most are found already.
	if w.id >= 0 && directory.FoldUPN(byID.UPN()) == directory.FoldUPN(upn) {
		w.upn = w.id
	} else if same, ok, _ := b.users.FirstByUPN(upn); ok {
		w.upn = rowOf(same)
	}
	w.link = m.linked(s, max(w.id, w.upn))
	if w.link >= 0 && b.here(b.users.At(int(w.link)).UPN()) {
		b.rests.set(i)
	}
	if code, args := m.unclear(s, shared); code != "" {
		if _, domain := directory.SplitUPN(upn); domain == "" {
			b.rests.set(i) // it may be about any account of the domain
		}
		m.refuse(i, here || code == problem.NoUPN || code == problem.NotUPN, code, w, shared, args)
		return
	}
	m.judge(i, s, w)
}

func rowOf(u directory.User) rowID { return rowAt(u.Row()) }

// unclear returns why a row cannot be matched at all.
func (m *matcher) unclear(s directory.User, shared []directory.User) (problem.Code, problem.Args) {
	args := func(twins []directory.User) problem.Args {
		return problem.Args{"immutable_id": s.ImmutableID(), "username": s.Username(), "lines": lines(twins)}
	}
	if m.repeated.hasRow(s.Row()) {
		if twins := m.src.ByUPN(s.UPN()); len(twins) > 1 {
			return problem.DuplicateUPN, args(twins)
		}
		if twins := m.src.ByImmutableID(s.ImmutableID()); len(twins) > 1 {
			return problem.DuplicateImmutableID, args(twins)
		}
		if twins := m.src.ByUsername(s.Username()); len(twins) > 1 {
			return problem.DuplicateUsername, args(twins)
		}
	}
	if len(shared) > 1 {
		return problem.SharedImmutableID, args(nil)
	}
	switch local, domain := directory.SplitUPN(s.UPN()); {
	case domain != "":
		return "", nil
	case local == "":
		return problem.NoUPN, nil
	}
	return problem.NotUPN, nil
}

// linked is the account that the link of a row's Username names, -1 for none. After a
// break the Username may have been given to another person: then the names must
// certainly agree.
//
// Nearly always it is the account that the other witnesses name: likely, if not
// negative.
func (m *matcher) linked(s directory.User, likely rowID) rowID {
	past := &m.in.Past
	p, ok := past.user(s.Username())
	if !ok {
		return -1
	}
	var u directory.User
	account := directory.ID(p.ImmutableID())
	if ok = likely >= 0; ok {
		u = m.users.At(int(likely))
		ok = u.ID() == account
	}
	if !ok {
		if u, ok = m.users.ByID(account); !ok {
			return -1
		}
	}
	if past.broken(seenOf(p), s.LastSignIn()) {
		if !m.sure(s, rowOf(u)) {
			m.failed[problem.WitnessesDiffer]++
			return -1
		}
	}
	return rowOf(u)
}

// broken reports whether a Username may have changed hands since it was seen: it
// was missing from a complete read, its Last Login went back or was emptied, or
// the state was restored from a backup.
func (p *Past) broken(s Seen, login time.Time) bool {
	return p.Restored || p.missed(s) || login.Before(s.Login)
}

// judge weighs the witnesses of a row.
func (m *matcher) judge(i rowID, s directory.User, w witnesses) {
	acct := w.id
	if acct < 0 {
		acct = w.link
	}
	switch {
	case acct < 0: // the UPN alone, or nothing
		return
	case w.link >= 0 && w.link != acct:
		m.failed[problem.FitsTwoAccounts]++
		m.refuse(i, m.ours.has(i), problem.WitnessesDiffer, w, nil, m.witnessArgs(s, w))
		return
	case w.id < 0 && m.otherID(s, acct):
		m.fate[i] = otherID
		m.tie(i, acct)
		return
	case w.upn >= 0 && w.upn != acct:
		m.contested = append(m.contested, contest{i, w, w.id >= 0 && w.link >= 0 ||
			m.like(s, m.users.At(int(acct))) == alike && (m.wholly(s, acct) || !m.wholly(s, w.upn))})
	case w.id < 0 && w.link >= 0 && w.upn >= 0 && m.handedOn(s, acct):
		m.failed[problem.QuestionOpen]++
		m.ask(i, acct)
		return
	case w.id >= 0 && w.link >= 0, w.upn >= 0: // two agree
	default:
		switch m.like(s, m.users.At(int(acct))) {
		case unlike:
			if w.link >= 0 {
				m.failed[problem.QuestionOpen]++
			}
			m.ask(i, acct)
			return
		case incomparable:
			m.unsure[i] = true
		case alike:
		}
	}
	m.fate[i] = firm
	m.tie(i, acct)
}

// otherID reports whether row and account both have an immutable ID, and they
// differ.
func (b *builder) otherID(s directory.User, acct rowID) bool {
	have, want := b.users.At(int(acct)).ImmutableID(), s.ImmutableID()
	return have != "" && want != "" && have != want
}

// like compares the names of a row with those of an account, also with those that
// its link remembers.
func (b *builder) like(s, u directory.User) likeness {
	row := calledBy(s)
	best := row.like(calledBy(u))
	if best != alike {
		if l, ok := b.in.Past.link(u.ID()); ok {
			best = max(best, row.like(l.called()))
		}
	}
	return best
}

// handedOn reports whether the Username and the UPN of an account may both have been
// given to another person between two reads: no name is as it was.
func (b *builder) handedOn(s directory.User, acct rowID) bool {
	u := b.users.At(int(acct))
	if b.like(s, u) != unlike {
		return false
	}
	row := calledBy(s)
	if row.shares(calledBy(u)) {
		return false
	}
	l, ok := b.in.Past.link(u.ID())
	return !ok || !row.shares(l.called())
}

// sure reports whether the given name and the family or the whole name of a row
// agree with those of an account, or with those that its link remembers.
func (b *builder) sure(s directory.User, acct rowID) bool {
	u, row := b.users.At(int(acct)), calledBy(s)
	if row.surely(calledBy(u)) {
		return true
	}
	l, ok := b.in.Past.link(u.ID())
	return ok && row.surely(l.called())
}

// wholly reports whether the whole name of a row is that of an account.
func (b *builder) wholly(s directory.User, acct rowID) bool {
	u, row := b.users.At(int(acct)), calledBy(s).whole()
	if meet(row, calledBy(u).whole()) {
		return true
	}
	l, ok := b.in.Past.link(u.ID())
	return ok && meet(row, l.called().whole())
}

// ask makes a question whether a row is the person of an account. An account that is
// never touched, or that a reviewer left out, needs no question.
func (m *matcher) ask(i, acct rowID) {
	u := m.users.At(int(acct))
	_, out := m.decided.find(m.decided.out, u.ID(), u.UPN())
	if m.protected(u) != "" || out {
		m.fate[i], m.unsure[i] = firm, true // the row may still be another account's person
		m.tie(i, acct)
		return
	}
	m.fate[i] = asked
	m.asks[acct] = append(m.asks[acct], i)
}

// tie matches a row with an account. Two rows of one account are refused later.
func (m *matcher) tie(i, acct rowID) {
	if o := m.owner[acct]; o >= 0 {
		if len(m.clash[acct]) == 0 {
			m.clash[acct] = []rowID{o}
		}
		m.clash[acct] = append(m.clash[acct], i)
		return
	}
	m.matched[i], m.owner[acct] = acct, i
}

func (m *matcher) untie(i rowID) {
	if acct := m.matched[i]; acct >= 0 {
		m.matched[i], m.owner[acct] = -1, -1
	}
}

// refuseClashes skips all rows that are matched with one account, if there are several.
func (m *matcher) refuseClashes() {
	for acct, rows := range m.asks {
		if o := m.owner[acct]; o < 0 {
			continue
		} else if len(m.clash[acct]) == 0 {
			m.clash[acct] = []rowID{o}
		}
		m.clash[acct] = append(m.clash[acct], rows...)
		delete(m.asks, acct)
	}
	for acct, rows := range m.clash {
		m.owner[acct] = -1
		for _, i := range rows {
			m.matched[i] = -1
			m.failed[problem.FitsTwoAccounts]++
			m.refuse(i, m.ours.has(i), problem.FitsTwoRows, witnesses{acct, -1, -1}, nil,
				problem.Args{"immutable_id": m.src.At(int(i)).ImmutableID()})
		}
	}
}

// refuseContested skips the rows whose UPN belongs to another account that does not
// move on. All of them are found before one is refused: a refusal releases an account,
// and the result must not depend on the order of rows.
func (m *matcher) refuseContested() {
	var lost []contest
	for _, c := range m.contested {
		if m.fate[c.row] == firm && (!c.chain || m.owner[c.w.upn] < 0) {
			lost = append(lost, c)
		}
	}
	for _, c := range lost {
		s := m.src.At(int(c.row))
		if c.w.link >= 0 {
			m.failed[problem.FitsTwoAccounts]++
		}
		m.untie(c.row)
		code := problem.FitsTwoAccounts
		if c.w.id < 0 {
			code = problem.WitnessesDiffer
		}
		m.refuse(c.row, m.ours.has(c.row), code, c.w, nil, m.witnessArgs(s, c.w))
	}
}

// refuseDirty skips the rows whose account has another immutable ID, which is that of a
// skipped row.
func (m *matcher) refuseDirty() {
	var lost []rowID
	for i, f := range m.fate {
		if f == otherID && m.dirty.has(m.matched[i]) {
			lost = append(lost, rowAt(i))
		}
	}
	for _, i := range lost {
		acct := m.matched[i]
		m.untie(i)
		m.refuse(i, m.ours.has(i), problem.FitsTwoRows, witnesses{-1, acct, -1}, nil,
			problem.Args{"immutable_id": m.users.At(int(acct)).ImmutableID()})
	}
}

func (m *matcher) witnessArgs(s directory.User, w witnesses) problem.Args {
	name := func(acct rowID) string {
		if acct < 0 {
			return ""
		}
		return m.users.At(int(acct)).UPN()
	}
	return problem.Args{
		"by_id": name(w.id), "by_upn": name(w.upn), "by_link": name(w.link),
		"immutable_id": s.ImmutableID(), "username": s.Username(),
	}
}

// byUPN matches a row that has its UPN as the only witness.
func (m *matcher) byUPN(i rowID) {
	s := m.src.At(int(i))
	u, ok, _ := m.users.FirstByUPN(s.UPN())
	if !ok {
		return
	}
	acct := rowOf(u)
	w := witnesses{-1, -1, acct}
	switch {
	case m.owner[acct] >= 0:
		// The account is another row's, and moves on from this UPN.
	case m.dirty.has(acct):
		m.refuse(i, m.ours.has(i), problem.FitsTwoRows, w, nil, problem.Args{"immutable_id": u.ImmutableID()})
	case len(m.asks[acct]) > 0:
		m.ask(i, acct)
	case m.otherID(s, acct):
		m.fate[i] = otherID
		m.tie(i, acct)
	case !m.named(s, u):
		m.ask(i, acct)
	default:
		m.fate[i] = byUPN
		m.tie(i, acct)
	}
}

// named reports whether the names of a row agree with its UPN. An account that is
// linked to a Username that is gone, or may have been given to another person, needs
// more: its person may have been recreated in HAC, or the UPN was given to another
// person.
func (m *matcher) named(s, u directory.User) bool {
	if _, linked := m.in.Past.link(u.ID()); linked {
		return m.sure(s, rowOf(u))
	}
	return calledBy(s).like(calledBy(u)) != unlike
}

// refuse skips a row whole. The skip names the account that it would have been matched
// with.
func (m *matcher) refuse(i rowID, here bool, code problem.Code, w witnesses, shared []directory.User, extra problem.Args) {
	b := m.builder
	b.fate[i] = foreignBad
	if here {
		b.fate[i] = bad
	}
	acct, id := rowID(-1), directory.ID("") // the one with the smallest ID, whatever their order
	name := func(row rowID) {
		if row < 0 {
			return
		}
		u := b.users.At(int(row))
		m.dirty.set(row)
		if b.protected(u) != "" {
			return // it has a skip of its own
		}
		if b.here(u.UPN()) {
			b.told.set(row)
			if !here { // the row is not reported, so the account is
				b.sparedBy[row] = i
			}
		}
		if acct < 0 || u.ID() < id {
			acct, id = row, u.ID()
		}
	}
	for _, row := range []rowID{w.upn, w.id, w.link} {
		name(row)
	}
	for _, u := range shared {
		name(rowOf(u))
	}
	if !here {
		return
	}
	b.skip(skipRow{code: code, src: i, acct: acct, extra: extra})
	if b.ours.has(i) {
		b.sourceHeld++
	}
}

// doubtShare is the share of the links, in percent, that may fail in one way
// before the file itself is doubted, and doubtLeast the number.
const (
	doubtShare = 5
	doubtLeast = 5
)

// doubtful refuses a source if most of its rows contradict what was learnt: a column is
// shifted, or it is the file of another customer.
func (m *matcher) doubtful() error {
	most := 0
	for _, n := range m.failed {
		most = max(most, n)
	}
	if m.in.Past.users == nil || most < doubtLeast {
		return nil
	}
	links := 0
	for u := range m.in.Past.users.All() {
		if u.ImmutableID() != "" {
			links++
		}
	}
	if most*100 <= links*doubtShare {
		return nil
	}
	return problem.New(problem.SourceDoubtful, problem.Args{
		"source": m.src.About().Name, "rows": strconv.Itoa(most), "links": strconv.Itoa(links), "domain": m.domain.Name,
	})
}

// lines lists the line numbers of rows, for users.
func lines(rows []directory.User) string {
	var all []string
	for _, r := range rows[:min(len(rows), 10)] {
		if r.Line() > 0 {
			all = append(all, strconv.Itoa(r.Line()))
		}
	}
	return strings.Join(all, ", ")
}
