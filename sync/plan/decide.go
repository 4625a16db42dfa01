package plan

import (
	"time"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/problem"
)

// Deleted accounts are kept for 30 days; one is not restored in the last of
// them, in which it may be gone before its turn comes.
const (
	keptDeleted  = 30 * 24 * time.Hour
	restoreUntil = keptDeleted - 24*time.Hour
)

// decide finds what becomes of each source row of the domain, and of each
// account of the domain that a row of another one means.
func (b *builder) decide() {
	for n := range b.fate {
		i := int32(n) //nolint:gosec // as in match
		f, acct := b.fate[i], b.matched[i]
		if f == bad || f == foreignBad {
			continue
		}
		if !b.ours.has(i) {
			if acct >= 0 && f == byID && b.here(b.users.At(int(acct)).UPN()) {
				b.movedAway(i, acct)
			}
			continue
		}
		switch f {
		case byID, byUPN:
			b.decidePair(i, acct, false)
		case otherID, joined:
			b.decideOtherID(i, acct, f == joined)
		case alone:
			b.decideNew(i, -1)
		case bad, foreignBad:
		}
	}
}

// hold skips a source row of the domain.
func (b *builder) hold(code problem.Code, i, acct int32, extra problem.Args) {
	b.skip(skipRow{code: code, src: i, acct: acct, extra: extra})
	b.sourceHeld++
}

// spare skips a pair that must not be touched, or that a reviewer left out of
// every plan.
func (b *builder) spare(i, acct int32) bool {
	s, u := b.src.At(int(i)), b.users.At(int(acct))
	if code := b.protected(u); code != "" {
		b.hold(code, i, acct, nil)
		return true
	}
	d, out := b.decided.find(b.decided.out, u.ID(), u.UPN(), s.UPN())
	if out && d.Kind == LeaveOutAlways {
		b.hold(problem.LeftOutAlways, i, acct, leftOutArgs(d))
		return true
	}
	return false
}

func leftOutArgs(d Decision) problem.Args {
	args := problem.Args{"by": d.By, "why": d.Why, "at": ""}
	if !d.At.IsZero() {
		args["at"] = d.At.UTC().Format("2006-01-02 15:04 UTC")
	}
	return args
}

// decidePair finds what becomes of an account that a row of the domain means.
func (b *builder) decidePair(i, acct int32, changeID bool) {
	if b.spare(i, acct) {
		return
	}
	s, u := b.src.At(int(i)), b.users.At(int(acct))
	r := row{src: i, acct: acct, kind: Update}
	if directory.FoldUPN(s.UPN()) != directory.FoldUPN(u.UPN()) && b.writeUPN {
		r.kind = Rename
	}
	if !b.here(u.UPN()) {
		code, f := b.moveIn(s, u)
		if code != "" {
			b.hold(code, i, acct, problem.Args{"from": u.UPN(), "upn": s.UPN()})
			return
		}
		r.flags |= f
	}
	if r.kind == Update && b.equal(s, u, changeID) {
		b.settled.set(acct)
		b.unchanged++
		return
	}
	if d, out := b.decided.find(b.decided.out, u.ID(), u.UPN(), s.UPN()); out {
		b.hold(problem.LeftOutOnce, i, acct, leftOutArgs(d))
		return
	}
	if w := b.check(r); w != nil {
		b.hold(w.code, i, acct, w.args)
		return
	}
	b.rows = append(b.rows, r)
}

// moveIn says why an account of another domain cannot be renamed into this one,
// or how.
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
func (b *builder) movedAway(i, acct int32) {
	u, to := b.users.At(int(acct)), b.src.At(int(i)).UPN()
	if b.protected(u) != "" {
		return // shown with the others that are never touched
	}
	_, there := directory.SplitUPN(to)
	code := problem.MovedAway
	if _, known := b.federated[directory.FoldUPN(there)]; !known || !b.setUp[directory.FoldUPN(there)] {
		code = problem.MovedAwayNotSetUp
	}
	b.skip(skipRow{code: code, src: i, acct: acct, extra: problem.Args{"to": to}})
}

// decideOtherID finds what becomes of an account whose immutable ID is not the
// row's: found by UPN, or joined to the row by a reviewer. Never is it deleted
// and added again unless a reviewer says so for this very row.
func (b *builder) decideOtherID(i, acct int32, same bool) {
	s, u := b.src.At(int(i)), b.users.At(int(acct))
	have, want := u.ImmutableID(), s.ImmutableID()
	if have == "" || want == "" || have == want {
		b.decidePair(i, acct, false)
		return
	}
	if b.spare(i, acct) {
		return
	}
	if w := broken(directory.ImmutableID, want); w != nil {
		b.hold(w.code, i, acct, w.args)
		return
	}
	if !same && b.decided.allowsAgain(u.ID(), s.UPN()) && len(b.deleted(b.bin.ByImmutableID(want))) == 0 {
		b.decideNew(i, acct)
		return
	}
	code := problem.ImmutableIDDiffers
	switch {
	case b.domain.Federated:
		code = problem.ImmutableIDFederated
	case !b.in.Policy.AskImmutableID:
	case !b.writeID:
	case !b.in.Unattended && (same || b.decided.allows(u.ID(), s.UPN())):
		b.decidePair(i, acct, true)
		return
	default:
		code = problem.ImmutableIDHeld
	}
	b.hold(code, i, acct, problem.Args{"source_id": want, "account_id": have})
}

// decideNew finds what becomes of a row that no account means: an addition, or
// the restoration of a deleted account. instead is the account whose UPN is used
// again, or -1.
func (b *builder) decideNew(i, instead int32) {
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
			b.skip(skipRow{code: code, src: i, acct: d, bin: true, extra: extra})
			b.sourceHeld++
			return
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
	if b.listed[directory.FoldUPN(s.UPN())] {
		b.skip(skipRow{code: problem.ProtectedListed, src: i, acct: r.acct, bin: true})
		b.sourceHeld++
		return
	}
	if d, out := b.decided.find(b.decided.out, id, s.UPN()); out {
		code := problem.LeftOutOnce
		if d.Kind == LeaveOutAlways {
			code = problem.LeftOutAlways
		}
		b.skip(skipRow{code: code, src: i, acct: r.acct, bin: true, extra: leftOutArgs(d)})
		b.sourceHeld++
		return
	}
	w := b.check(r)
	if w == nil && r.kind == Add {
		w = b.checkNew(s)
	}
	if w == nil {
		w = b.checkAddress(s.UPN(), instead)
	}
	if w != nil {
		b.skip(skipRow{code: w.code, src: i, acct: r.acct, bin: true, extra: w.args})
		b.sourceHeld++
		return
	}
	b.rows = append(b.rows, r)
	if instead >= 0 {
		b.rows = append(b.rows, row{src: i, acct: instead, kind: Delete, flags: replaces})
	}
}

// deleted are those of the recycle bin's rows that are not live again.
func (b *builder) deleted(found []directory.User) []directory.User {
	var gone []directory.User
	for _, d := range found {
		if _, live := b.users.ByID(d.ID()); !live {
			gone = append(gone, d)
		}
	}
	return gone
}

// inBin looks for the one deleted account that a row means. It returns its row,
// or -1, and why neither it is restored nor another added.
func (b *builder) inBin(s directory.User) (int32, problem.Code) {
	id := s.ImmutableID()
	if id != "" {
		found := b.deleted(b.bin.ByImmutableID(id))
		if len(found) > 1 {
			return -1, problem.RestoreAmbiguous
		}
		if len(found) == 1 {
			return b.restorable(found[0])
		}
	}
	var unsure []directory.User
	for _, d := range b.deleted(b.bin.ByUPN(s.UPN())) {
		other := d.ImmutableID()
		if other != "" && (id != "" || len(b.src.ByImmutableID(other)) > 0) {
			continue // somebody else, or another row's by ID
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
	return int32(unsure[0].Row()), problem.RestoreHeld //nolint:gosec // as in match
}

func (b *builder) restorable(d directory.User) (int32, problem.Code) {
	row := int32(d.Row()) //nolint:gosec // as in match
	m := d.Marks()
	_, from := directory.SplitUPN(d.UPN())
	from = directory.FoldUPN(from)
	switch {
	case m.Has(directory.Synced):
		return row, problem.RestoreSynced
	case protectedBy(m, true) != "" || b.listed[string(d.ID())] || b.listed[directory.FoldUPN(d.UPN())]:
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
