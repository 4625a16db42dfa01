package plan

import (
	"slices"
	"time"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/problem"
)

// Lesson is what the reads of a plan teach, once the plan was applied, had nothing to
// apply, or was kept by a reviewer. It does not repeat what is known already.
type Lesson struct {
	// New are Usernames that the last read lacked, Gone those that this one lacks.
	New, Gone []string
	// Logins are Last Logins that changed, also of New.
	Logins []Login
	Links  []Taught
	// Absent are known accounts without a row, Back those with one again. Different are
	// those in question, which are absent if a reviewer says that their person is in none
	// of the rows.
	Absent, Back, Different []directory.ID
}

// Login is the Last Login of a Username; zero where it was emptied.
type Login struct {
	Username string
	At       time.Time
}

// Taught is a link that is new or changed.
type Taught struct {
	Link // Account is empty for an account that is to be added
	// From is the account that the Username was linked to, empty for none.
	From directory.ID
	// No is the row that must be seen done first, 0 for none. Same: in addition a reviewer
	// must have said that Account and the row are one person.
	No   int
	Same bool
	// Asked: the row was in question, so its Username, and its Last Login, Login, count as
	// seen only with this link.
	Asked bool
	Login time.Time
}

// Lesson is what the plan teaches; nil for one that was read from a file.
func (p *Plan) Lesson() *Lesson {
	if p.open != nil {
		p = p.open
	}
	b, ok := p.book.(*built)
	if !ok { // from a file, or an undo
		return nil
	}
	l := &Lesson{}
	b.teachSeen(l)
	b.teachLinks(l)
	b.teachAbsence(l)
	return l
}

// teachSeen lists who came, who left, and who was active. A linked Username counts as
// missing if its row is skipped, in question or of another domain: otherwise a break
// would be forgotten after one read.
func (b *built) teachSeen(l *Lesson) {
	past := &b.in.Past
	sure := b.sureRows()
	for s := range b.src.All() {
		name := s.Username()
		if name == "" {
			continue
		}
		seen, known := past.seen(name)
		if b.linkedElsewhere(name, sure.hasRow(s.Row())) {
			if !seen.Last.IsZero() && !past.missed(seen) {
				l.Gone = append(l.Gone, name)
			}
			continue
		}
		if !known || seen.Last.IsZero() || past.missed(seen) {
			l.New = append(l.New, name)
		}
		if login := s.LastSignIn(); !login.Truncate(time.Second).Equal(seen.Login.Truncate(time.Second)) {
			l.Logins = append(l.Logins, Login{name, login})
		}
	}
	if past.users == nil {
		return
	}
	for u := range past.users.All() {
		if s := seenOf(u); !s.Last.IsZero() && !past.missed(s) && len(b.src.ByUsername(u.Username())) == 0 {
			l.Gone = append(l.Gone, u.Username())
		}
	}
}

// sureRows are the source rows that are certainly their account's: it is unchanged, or
// the plan acts on it.
func (b *built) sureRows() bits {
	sure := newBits(b.src.Len())
	for i, acct := range b.matched {
		if row := rowAt(i); acct >= 0 && b.settled.has(acct) && !b.inQuestion[row] {
			sure.set(row)
		}
	}
	for _, r := range b.rows {
		if r.src >= 0 && r.kind != Delete {
			sure.set(r.src)
		}
	}
	return sure
}

// linkedElsewhere reports whether a Username is linked to a live account that is not
// certainly matched with its row.
func (b *built) linkedElsewhere(name string, sure bool) bool {
	if sure {
		return false
	}
	u, ok := b.in.Past.user(name)
	if !ok || u.ImmutableID() == "" {
		return false
	}
	_, live := b.users.ByID(directory.ID(u.ImmutableID()))
	return live
}

// teachLinks pairs accounts with the rows that are certainly theirs. A skipped row and
// one in question teach nothing.
func (b *built) teachLinks(l *Lesson) {
	teach := func(src rowID, account directory.ID, no int, same, asked bool) {
		b.teach(l, b.src.At(int(src)), Taught{Link: Link{Account: account}, No: no, Same: same, Asked: asked})
	}
	for i, acct := range b.matched {
		if row := rowAt(i); acct >= 0 && b.settled.has(acct) && b.ours.has(row) && !b.inQuestion[row] {
			teach(row, b.users.At(int(acct)).ID(), 0, false, false)
		}
	}
	id := func(r row) directory.ID {
		if r.kind == Add {
			return ""
		}
		return b.account(r).ID()
	}
	for i, r := range b.rows {
		if r.src >= 0 && r.kind != Delete {
			teach(r.src, id(r), i+1, false, false)
		}
	}
	for k, o := range b.options {
		if o.row.src >= 0 && o.row.kind != Delete {
			teach(o.row.src, id(o.row), b.firstOption()+k, false, true)
		}
	}
	for _, q := range b.builder.questions {
		for src, f := range q.same {
			if f.row == nil && f.skip == nil {
				teach(src, q.dep.user.ID(), 0, true, true)
			}
		}
	}
}

func (b *built) teach(l *Lesson, s directory.User, t Taught) {
	t.Username = s.Username()
	if t.Username == "" || len(b.src.ByUsername(t.Username)) > 1 {
		return
	}
	if t.Asked {
		t.Login = s.LastSignIn()
	}
	c := calledBy(s)
	t.Given, t.Family, t.Display = c.given, c.family, c.display
	t.UPN, t.ImmutableID = s.UPN(), s.ImmutableID()
	if had, ok := b.in.Past.link(t.Account); ok && had.Username == t.Username &&
		had.called() == c && had.UPN == t.UPN && had.ImmutableID == t.ImmutableID {
		return
	}
	if u, ok := b.in.Past.user(t.Username); ok && u.ImmutableID() != string(t.Account) {
		t.From = directory.ID(u.ImmutableID())
	}
	l.Links = append(l.Links, t)
}

// teachAbsence lists whose person is absent, and whose is back.
func (b *built) teachAbsence(l *Lesson) {
	absent := func(acct rowID) {
		if u := b.users.At(int(acct)); b.known(u) {
			l.Absent = append(l.Absent, u.ID())
		}
	}
	for _, r := range b.rows {
		if _, ok := b.explained[r.acct]; ok && r.src < 0 {
			absent(r.acct)
		}
	}
	for _, s := range b.builder.skips {
		switch s.code {
		case problem.KeptMissing, problem.WaitsToDelete, problem.NotYetMissing, problem.WaitsForShare:
			absent(s.acct)
		}
	}
	for _, q := range b.builder.questions {
		if q.gone.row != nil || q.gone.waits() || q.gone.skip != nil && q.gone.skip.code == problem.KeptMissing {
			l.Different = append(l.Different, q.dep.user.ID())
		}
	}
	for id := range b.in.Past.Absent {
		if u, ok := b.users.ByID(id); ok && b.owner[u.Row()] >= 0 {
			l.Back = append(l.Back, id)
		}
	}
}

// Matched are, of a plan from before links existed, the accounts that its source rows
// were matched with: those of its actions, and the unchanged ones, which are found by
// immutable ID or UPN.
func (p *Plan) Matched(users *directory.Snapshot) []string {
	if p.version > 1 || p.undo != 0 {
		return nil
	}
	found := map[directory.ID]bool{}
	for a := range p.Actions() {
		if a.User.ID != "" && a.Kind != Delete {
			found[a.User.ID] = true
		}
	}
	held := map[directory.ID]bool{}
	for s := range p.Skips() {
		held[s.Ref.ID] = true
	}
	for s := range p.source.All() {
		for _, u := range slices.Concat(users.ByUPN(s.UPN()), users.ByImmutableID(s.ImmutableID())) {
			if !held[u.ID()] && directory.InDomain(u.UPN(), p.domain) {
				found[u.ID()] = true
			}
		}
	}
	ids := make([]string, 0, len(found))
	for id := range found {
		ids = append(ids, string(id))
	}
	slices.Sort(ids)
	return ids
}
