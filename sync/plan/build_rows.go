package plan

import (
	"strconv"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/names"
	"github.com/hacsync/hacsync/sync/problem"
)

// built is the book of a plan that was just built: it makes rows on demand.
type built struct {
	*builder
	chain chain
	// questions are those asked; options are the actions that answers make, whose
	// numbers follow those of the skips.
	questions []*Question
	options   []option
	// shared are aliases that several accounts would have: folded alias → UPN of
	// another that has it. sharing counts the rows concerned.
	shared  map[string]string
	sharing int
}

// option is an action that an answer makes.
type option struct {
	row   row
	after []int // numbers of actions
	with  int
}

func (b *built) len() int                { return len(b.rows) }
func (b *built) no(i int) int            { return i + 1 }
func (b *built) kind(i int) Kind         { return b.rows[i].kind }
func (b *built) skips() int              { return len(b.builder.skips) }
func (b *built) asked() []*Question      { return b.questions }
func (b *built) find(no int) (int, bool) { return no - 1, no >= 1 && no <= len(b.rows) }
func (b *built) firstOption() int        { return len(b.rows) + len(b.builder.skips) + 1 }

func (b *built) option(no int) (Action, bool) {
	k := no - b.firstOption()
	if no == 0 || k < 0 || k >= len(b.options) {
		return Action{}, false
	}
	o := b.options[k]
	a := Action{No: no, Kind: o.row.kind, Changes: b.changes(o.row), After: o.after}
	a.how = b.how(o.row)
	a.how.with = o.with
	b.complete(&a, o.row)
	a.Warnings = b.warn(&a, o.row)
	return a, true
}

// numbers turns rows into their numbers.
func numbers(rows []rowID) []int {
	if len(rows) == 0 {
		return nil
	}
	nos := make([]int, len(rows))
	for i, r := range rows {
		nos[i] = int(r) + 1
	}
	return nos
}

func (b *built) core(i int) Action {
	r, at := b.rows[i], rowAt(i)
	a := Action{No: i + 1, Kind: r.kind, Changes: b.changes(r)}
	a.After = numbers(b.chain.after[at])
	a.how = b.how(r)
	a.how.temporary, a.how.last = b.chain.over[at], numbers(b.chain.last[at])
	if w, ok := b.chain.with[at]; ok {
		a.how.with = int(w) + 1
	}
	b.complete(&a, r)
	return a
}

func (b *built) how(r row) how {
	return how{
		enters: r.flags&enters != 0, resets: r.flags&resets != 0, newUPN: r.flags&newUPN != 0,
		federated: r.kind == Add && b.domain.Federated, missing: r.flags&missing != 0, paid: r.flags&paid != 0,
	}
}

// complete adds to an action whose account it is, and the evidence.
func (b *built) complete(a *Action, r row) {
	if r.kind != Add {
		u := b.account(r)
		a.User = directory.Ref{ID: u.ID(), UPN: u.UPN(), ImmutableID: u.ImmutableID()}
		a.UPN = u.UPN()
		a.Name, _ = u.Get(directory.DisplayName)
		a.Marks = b.marks(u)
		a.Link, _ = b.in.Past.link(u.ID())
	}
	if r.src >= 0 && r.kind != Delete {
		s := b.src.At(int(r.src))
		a.Line = s.Line()
		if r.kind != Update {
			a.UPN = s.UPN()
		}
		if c, ok := a.change(directory.DisplayName); ok || r.kind == Add {
			a.Name = c.New.Text
		}
	}
	if r.kind == Delete || r.flags&missing != 0 {
		u := b.account(r)
		a.Explanation = b.explain(r)
		a.Evidence = &Evidence{
			Licensed: u.Marks().Has(directory.Licensed), Enabled: u.Marks().Has(directory.Enabled),
			Created: u.Created(), LastSignIn: u.LastSignIn(), Purpose: a.Marks & directory.Purposes,
		}
	}
	a.finish()
}

// explain returns why an account may be deleted.
func (b *built) explain(r row) *Explanation {
	ex, ok := b.explained[r.acct]
	if !ok { // its UPN goes to another account, as a reviewer allowed
		return &Explanation{Claim: ClaimVouched, OpenRows: b.openRows}
	}
	id := b.account(r).ID()
	link, _ := b.in.Past.link(id)
	seen, _ := b.in.Past.seen(link.Username)
	e := &Explanation{
		Claim: ex.claim, Username: link.Username, LinkedSince: link.Since, LastSeen: seen.Last,
		Absent: b.in.Past.Absent[id], OpenRows: b.openRows, Weak: ex.weak, Counted: ex.days, Of: ex.of,
	}
	if r.kind != Delete {
		e.Due = ex.due
	}
	now := b.in.At
	if e.Absent.First.IsZero() {
		e.Absent.First = now
	}
	if day(e.Absent.Last) != day(now) {
		e.Absent.Days++
	}
	e.Absent.Last, e.Absent.Reads = now, e.Absent.Reads+1 // this read lacks the account too
	return e
}

func (b *built) action(i int) Action {
	a := b.core(i)
	a.Warnings = b.warn(&a, b.rows[i])
	return a
}

// warn lists what is worth a look on a row.
func (b *built) warn(a *Action, r row) []*problem.Problem {
	var ws []*problem.Problem
	warn := func(c problem.Code, args problem.Args) { ws = append(ws, problem.New(c, args)) }
	switch a.Kind {
	case Rename:
		warn(problem.RenameReaches, problem.Args{"old": a.User.UPN, "new": a.UPN})
		if !b.here(a.User.UPN) {
			warn(problem.MovedFrom, problem.Args{"from": a.User.UPN})
		}
		if a.how.temporary != "" {
			warn(problem.MovesAway, problem.Args{"temporary": a.how.temporary})
		}
		if a.how.resets {
			warn(problem.PasswordReset, nil)
		}
	case Restore:
		if !b.in.Facts.Deleted[a.User.ID] {
			warn(problem.DeletedByHand, nil)
		}
	case Add, Delete, Update:
	}
	if r.flags&replaces != 0 {
		warn(problem.UPNUsedAgain, problem.Args{"upn": a.UPN})
	}
	if a.Blocks {
		warn(problem.BlockKeepsSessions, nil)
	}
	if a.Marks.Has(directory.OldMember) {
		warn(problem.UserTypeEmpty, nil)
	}
	if a.User.ID != "" && b.in.Facts.Undone[a.User.ID] {
		warn(problem.UndoneBefore, nil)
	}
	for _, c := range a.Changes {
		ws = b.warnChange(ws, a, c)
	}
	return ws
}

func (b *built) warnChange(ws []*problem.Problem, a *Action, c Change) []*problem.Problem {
	warn := func(code problem.Code, args problem.Args) { ws = append(ws, problem.New(code, args)) }
	at := string(c.Attribute)
	if c.Clears() {
		warn(problem.ValueCleared, problem.Args{"attribute": at, "old": c.Old.Text})
	}
	if c.Old.Set && c.New.Set && names.LooksSame(c.Old.Text, c.New.Text) {
		warn(problem.LooksSame, problem.Args{"attribute": at, "old": c.Old.Text, "new": c.New.Text})
	}
	if r, ok := hidden(c.New.Text); ok {
		warn(problem.ControlCharacter, problem.Args{"attribute": at, "character": visible(r)})
	}
	if code := worse(c); code != "" {
		warn(code, problem.Args{"attribute": at, "old": c.Old.Text, "new": c.New.Text})
	}
	switch c.Attribute {
	case directory.MailNickname:
		if holder, ok := b.shared[directory.FoldUPN(c.New.Text)]; ok {
			warn(problem.AliasShared, problem.Args{"alias": c.New.Text, "holder": holder})
		}
	case directory.ImmutableID:
		if a.Kind != Restore {
			for _, d := range b.deleted(b.bin.ByImmutableID(c.New.Text)) {
				warn(problem.DeletedHasID, problem.Args{"immutable_id": c.New.Text, "holder": d.UPN()})
				break
			}
		}
		if b.domain.Federated && a.Kind != Add {
			warn(problem.ImmutableIDStays, nil)
		}
	}
	return ws
}

// sharedAliases finds aliases to be written that another account of the tenant has or
// gets. Microsoft 365 accepts them, Exchange does not.
func (b *builder) sharedAliases() (shared map[string]string, rows int) {
	wants := map[string]int{} // alias → rows that want it
	mine := newBits(b.users.Len())
	for _, r := range b.rows {
		if alias, ok := b.newAlias(r); ok {
			wants[alias]++
			if r.kind == Rename || r.kind == Update {
				mine.set(r.acct)
			}
		}
	}
	if len(wants) == 0 {
		return nil, 0
	}
	shared = map[string]string{}
	for _, r := range b.rows {
		if alias, ok := b.newAlias(r); ok && wants[alias] > 1 {
			if upn := directory.FoldUPN(b.upn(r)); shared[alias] == "" || upn < shared[alias] {
				shared[alias] = upn
			}
		}
	}
	for u := range b.users.All() {
		have, _ := u.Get(directory.MailNickname)
		if have == "" || mine.hasRow(u.Row()) {
			continue
		}
		alias := directory.FoldUPN(have)
		if wants[alias] > 0 {
			if upn := directory.FoldUPN(u.UPN()); shared[alias] == "" || upn < shared[alias] {
				shared[alias] = upn
			}
		}
	}
	for _, r := range b.rows {
		if alias, ok := b.newAlias(r); ok && shared[alias] != "" {
			rows++
		}
	}
	return shared, rows
}

// newAlias is the alias that a row would write, folded.
func (b *builder) newAlias(r row) (string, bool) {
	if r.src < 0 || r.kind == Delete {
		return "", false
	}
	want, set := b.src.At(int(r.src)).Get(directory.MailNickname)
	if !set || want == "" {
		return "", false
	}
	if r.kind != Add {
		u := b.account(r)
		have, _ := u.Get(directory.MailNickname)
		if have == want || !b.in.Policy.ChangeAlias && hasMailbox(u.Marks()) {
			return "", false
		}
	}
	return directory.FoldUPN(want), true
}

// ref names what a skip is about: the account if there is one, unless the source row is
// the problem.
func (b *builder) ref(s skipRow) directory.Ref {
	var ref directory.Ref
	if s.acct >= 0 {
		u := b.account(row{acct: s.acct, kind: kindOf(s.bin)})
		ref = directory.Ref{ID: u.ID(), UPN: u.UPN(), ImmutableID: u.ImmutableID()}
	}
	if s.src >= 0 {
		if g := s.code.Group(); s.acct < 0 || g == problem.NotWritable || s.bin {
			row := b.src.At(int(s.src))
			ref.UPN = row.UPN()
			if id := row.ImmutableID(); id != "" && ref.ImmutableID == "" {
				ref.ImmutableID = id
			}
		}
	}
	return ref
}

func kindOf(bin bool) Kind {
	if bin {
		return Restore
	}
	return Update
}

func (b *built) skip(i int) Skipped { return b.said(len(b.rows)+i+1, b.builder.skips[i]) }

// said is a skip with the arguments of its words.
func (b *built) said(no int, s skipRow) Skipped {
	k := Skipped{No: no, Ref: b.ref(s), Group: s.code.Group()}
	line := ""
	if s.src >= 0 {
		row := b.src.At(int(s.src))
		k.Name, _ = row.Get(directory.DisplayName)
		k.Line = row.Line()
		if k.Line > 0 {
			line = strconv.Itoa(k.Line)
		}
	}
	if s.acct >= 0 && (k.Name == "" || k.Group == problem.LeftAlone) {
		k.Name, _ = b.account(row{acct: s.acct, kind: kindOf(s.bin)}).Get(directory.DisplayName)
	}
	args := problem.Args{
		"upn": k.Ref.UPN, "name": k.Name, "line": line,
		"domain": b.domain.Name, "initial": b.in.Tenant.Initial,
	}
	for key, v := range s.extra {
		args[key] = v
	}
	k.Why = problem.New(s.code, args)
	return k
}

func (b *built) ties() map[int][]int {
	t := make(map[int][]int, len(b.chain.after)+len(b.chain.last)+len(b.chain.with))
	for i, rows := range b.chain.after {
		t[int(i)+1] = append(t[int(i)+1], numbers(rows)...)
	}
	for i, rows := range b.chain.last {
		t[int(i)+1] = append(t[int(i)+1], numbers(rows)...)
	}
	for i, w := range b.chain.with {
		t[int(i)+1] = append(t[int(i)+1], int(w)+1)
	}
	return t
}
