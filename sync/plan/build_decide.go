package plan

import (
	"time"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/problem"
)

// Deleted accounts are kept for 30 days. None is restored on the last of them, because
// it may be gone before its turn comes.
const (
	keptDeleted  = 30 * 24 * time.Hour
	restoreUntil = keptDeleted - 24*time.Hour
)

// decide decides about each source row of the domain, and about each account of the
// domain that a row of another domain is matched with.
func (b *builder) decide() {
	for n := range b.fate {
		i := rowAt(n)
		f, acct := b.fate[i], b.matched[i]
		if f == bad || f == foreignBad {
			continue
		}
		if !b.ours.has(i) {
			if acct >= 0 && b.here(b.users.At(int(acct)).UPN()) {
				b.movedAway(i, acct)
			}
			continue
		}
		switch f {
		case firm, byUPN:
			b.put(b.pair(i, acct, false))
		case otherID:
			b.decideOtherID(i, acct)
		case alone:
			b.put(b.newRow(i, -1))
		case asked, bad, foreignBad: // a question, or reported already
		}
	}
}

// fateOf is the decision about a source row: an action, a skip, or nothing because the
// account is as it should be.
type fateOf struct {
	row  *row
	skip *skipRow
	same bool // unchanged
	kept bool // unchanged except for an alias that is kept
	acct rowID
}

// put takes over the decision about a source row of the domain.
func (b *builder) put(f fateOf) {
	switch {
	case f.row != nil:
		b.rows = append(b.rows, *f.row)
	case f.skip != nil:
		b.skip(*f.skip)
		b.sourceHeld++
	case f.same:
		b.settled.set(f.acct)
		b.unchanged++
		if f.kept {
			b.aliasesKept++
		}
	}
}

func held(code problem.Code, i, acct rowID, extra problem.Args) fateOf {
	return fateOf{skip: &skipRow{code: code, src: i, acct: acct, extra: extra}}
}

// spared is the skip of a pair that must not be touched, or that a reviewer left
// out of every plan.
func (b *builder) spared(i, acct rowID) (fateOf, bool) {
	s, u := b.src.At(int(i)), b.users.At(int(acct))
	if code := b.protected(u); code != "" {
		return held(code, i, acct, nil), true
	}
	d, out := b.decided.find(b.decided.out, u.ID(), u.UPN(), s.UPN())
	if out && d.Kind == LeaveOutAlways {
		return held(problem.LeftOutAlways, i, acct, leftOutArgs(d)), true
	}
	return fateOf{}, false
}

func leftOutArgs(d Decision) problem.Args {
	args := problem.Args{"by": d.By, "why": d.Why, "at": ""}
	if !d.At.IsZero() {
		args["at"] = problem.Moment(d.At)
	}
	return args
}

// pair decides about an account that a row of the domain is matched with.
func (b *builder) pair(i, acct rowID, changeID bool) fateOf {
	if f, ok := b.spared(i, acct); ok {
		return f
	}
	s, u := b.src.At(int(i)), b.users.At(int(acct))
	r := row{src: i, acct: acct, kind: Update}
	if directory.FoldUPN(s.UPN()) != directory.FoldUPN(u.UPN()) && b.writeUPN {
		r.kind = Rename
	}
	if !b.here(u.UPN()) {
		code, f := b.moveIn(s, u)
		if code != "" {
			return held(code, i, acct, problem.Args{"from": u.UPN(), "upn": s.UPN()})
		}
		r.flags |= f
	}
	if r.kind == Update {
		if same, kept := b.equal(s, u, changeID); same {
			return fateOf{same: true, kept: kept, acct: acct}
		}
	}
	if b.blockedByOthers(s, u) {
		return held(problem.BlockedByOthers, i, acct, nil)
	}
	if d, out := b.decided.find(b.decided.out, u.ID(), u.UPN(), s.UPN()); out {
		return held(problem.LeftOutOnce, i, acct, leftOutArgs(d))
	}
	if w := b.check(r); w != nil {
		return held(w.code, i, acct, w.args)
	}
	act := r // so that those without an action allocate nothing
	return fateOf{row: &act}
}

// moveIn returns why an account of another domain cannot be renamed into this one, or
// how it can.
func (b *builder) moveIn(s, u directory.User) (problem.Code, flags) {
	_, from := directory.SplitUPN(u.UPN())
	from = directory.FoldUPN(from)
	federated, known := b.federated[from]
	switch {
	case !known || !b.setUp[from]:
		return problem.MovedInNotSetUp, 0
	case !b.writeUPN:
		return problem.LeftOutOnce, 0
	case federated == b.domain.Federated:
		return "", 0
	case b.in.Unattended:
		return problem.MoveHeld, 0
	case b.domain.Federated:
		if u.ImmutableID() == "" && (s.ImmutableID() == "" || !b.writeID) {
			return problem.MoveNeedsID, 0
		}
		return "", enters
	case !b.in.Policy.ResetPasswords:
		return problem.MoveNeedsPassword, 0
	}
	return "", resets
}

// movedAway shows an account of the domain whose row is in another one.
func (b *builder) movedAway(i, acct rowID) {
	u, to := b.users.At(int(acct)), b.src.At(int(i)).UPN()
	if b.protected(u) != "" {
		return // shown with the others that are never touched
	}
	_, there := directory.SplitUPN(to)
	code := problem.MovedAway
	if _, known := b.federated[directory.FoldUPN(there)]; !known {
		code = problem.MovedNowhere
	} else if !b.setUp[directory.FoldUPN(there)] {
		code = problem.MovedAwayNotSetUp
	}
	extra := problem.Args{"to": to}
	if code == problem.MovedAway && b.inCircle(acct) {
		code, extra = problem.MovesInCircle, b.movesOn(acct)
	}
	b.skip(skipRow{code: code, src: i, acct: acct, extra: extra})
}

// decideOtherID decides about an account whose immutable ID differs from the row's. It
// is never deleted and added again, unless a reviewer says so for this very row.
func (b *builder) decideOtherID(i, acct rowID) {
	s, u := b.src.At(int(i)), b.users.At(int(acct))
	if f, ok := b.spared(i, acct); ok {
		b.put(f)
		return
	}
	if w := broken(directory.ImmutableID, s.ImmutableID()); w != nil {
		b.put(held(w.code, i, acct, w.args))
		return
	}
	if b.decided.allowsAgain(u.ID(), s.UPN()) && len(b.deleted(b.bin.ByImmutableID(s.ImmutableID()))) == 0 &&
		directory.FoldUPN(s.UPN()) == directory.FoldUPN(u.UPN()) {
		f := b.newRow(i, acct)
		if f.skip != nil { // then nothing happens to the account either
			f.skip.acct, f.skip.bin = acct, false
		}
		b.put(f)
		if f.row != nil {
			b.rows = append(b.rows, row{src: i, acct: acct, kind: Delete, flags: replaces})
		}
		return
	}
	b.put(b.withOtherID(i, acct, b.decided.allows(u.ID(), s.UPN())))
}

// withOtherID pairs a row with an account whose immutable ID differs, where a
// reviewer allows it.
func (b *builder) withOtherID(i, acct rowID, allowed bool) fateOf {
	code := problem.ImmutableIDDiffers
	switch {
	case b.domain.Federated:
		code = problem.ImmutableIDFederated
	case !b.in.Policy.AskImmutableID:
	case !b.writeID:
	case !b.in.Unattended && allowed:
		return b.pair(i, acct, true)
	default:
		code = problem.ImmutableIDHeld
	}
	return held(code, i, acct, problem.Args{
		"source_id": b.src.At(int(i)).ImmutableID(), "account_id": b.users.At(int(acct)).ImmutableID(),
	})
}

// newRow decides about a row that no account is matched with: an addition, or the
// restoration of a deleted account. instead is the account whose UPN is used again, or
// -1.
func (b *builder) newRow(i, instead rowID) fateOf {
	s := b.src.At(int(i))
	r := row{src: i, acct: -1, kind: Add}
	if instead >= 0 {
		r.flags |= replaces
	} else {
		d, code := b.inBin(s)
		if code != "" {
			var extra problem.Args
			if d >= 0 {
				extra = problem.Args{"from": b.bin.At(int(d)).UPN()}
			}
			return inBin(held(code, i, d, extra))
		}
		if d >= 0 {
			r.kind, r.acct = Restore, d
			if directory.FoldUPN(b.bin.At(int(d)).UPN()) != directory.FoldUPN(s.UPN()) {
				r.flags |= newUPN
			}
		}
	}
	id := directory.ID("")
	if r.acct >= 0 {
		id = b.bin.At(int(r.acct)).ID()
	}
	if b.listed.has("", s.UPN()) {
		return inBin(held(problem.ProtectedListed, i, r.acct, nil))
	}
	if d, out := b.decided.find(b.decided.out, id, s.UPN()); out {
		code := problem.LeftOutOnce
		if d.Kind == LeaveOutAlways {
			code = problem.LeftOutAlways
		}
		return inBin(held(code, i, r.acct, leftOutArgs(d)))
	}
	w := b.check(r)
	if w == nil && r.kind == Add {
		w = b.checkNew(s)
	}
	if w == nil {
		w = b.checkAddress(s.UPN(), instead)
	}
	if w == nil {
		w = b.checkID(s)
	}
	if w != nil {
		return inBin(held(w.code, i, r.acct, w.args))
	}
	return fateOf{row: &r}
}

// inBin marks a skip: its account is in the recycle bin.
func inBin(f fateOf) fateOf {
	f.skip.bin = true
	return f
}

// deleted are the rows of the recycle bin whose accounts are not live again.
func (b *builder) deleted(found []directory.User) []directory.User {
	var gone []directory.User
	for _, d := range found {
		if _, live := b.users.ByID(d.ID()); !live {
			gone = append(gone, d)
		}
	}
	return gone
}

// inBin finds the one deleted account that a row is matched with. It returns its row,
// or -1, and why it is neither restored nor another account added.
func (b *builder) inBin(s directory.User) (rowID, problem.Code) {
	id := s.ImmutableID()
	if id != "" {
		found := b.deleted(b.bin.ByImmutableID(id))
		if len(found) > 1 {
			return -1, problem.RestoreAmbiguous
		}
		if len(found) == 1 {
			d := found[0]
			if b.sameDeleted(s, d) || b.decided.allows(d.ID(), s.UPN()) {
				return b.restorable(d)
			}
			return rowOf(d), problem.RestoreHeld
		}
	}
	var unsure []directory.User
	for _, d := range b.deleted(b.bin.ByUPN(s.UPN())) {
		other := d.ImmutableID()
		if other != "" && (id != "" || len(b.src.ByImmutableID(other)) > 0) {
			continue // another person's, or another row's by ID
		}
		unsure = append(unsure, d)
	}
	if len(unsure) == 0 || b.decided.allowsAgain("", s.UPN()) {
		return -1, ""
	}
	for _, d := range unsure {
		if b.decided.allowsAgain(d.ID(), "") {
			return -1, ""
		}
		if b.decided.allows(d.ID(), "") || len(unsure) == 1 && b.decided.allows("", s.UPN()) {
			return b.restorable(d)
		}
	}
	if len(unsure) > 1 {
		return -1, problem.RestoreHeld
	}
	return rowOf(unsure[0]), problem.RestoreHeld
}

// sameDeleted reports whether a row is the person of a deleted account with its
// immutable ID: no name contradicts. A link is not a second witness here: the person
// was absent before the deletion, and a Username can be given to another person
// meanwhile.
func (b *builder) sameDeleted(s, d directory.User) bool {
	return b.like(s, d) != unlike
}

func (b *builder) restorable(d directory.User) (rowID, problem.Code) {
	row := rowOf(d)
	m := d.Marks()
	_, from := directory.SplitUPN(d.UPN())
	from = directory.FoldUPN(from)
	switch {
	case m.Has(directory.Synced):
		return row, problem.RestoreSynced
	case b.protectedInBin(d.ID(), d.UPN(), m) != "":
		return row, problem.RestoreProtected
	case d.Deleted().IsZero() || b.in.At.Sub(d.Deleted()) >= restoreUntil:
		return row, problem.RestoreTooLate
	case from == b.domain.Name:
		return row, ""
	}
	federated, known := b.federated[from]
	switch {
	case !known || !b.setUp[from]:
		return row, problem.MovedInNotSetUp
	case federated != b.domain.Federated:
		return row, problem.RestoreCrosses
	}
	return row, ""
}
