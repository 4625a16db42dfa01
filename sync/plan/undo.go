package plan

import (
	"strings"
	"time"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/problem"
)

// Applied is what a run did to one account, by its journal: the steps of one
// action that the destination took.
type Applied struct {
	// Kind is what was done: an account added, deleted, restored (with what was
	// written to it then), renamed or updated.
	Kind Kind
	// User is the account: its ID, and UPN and immutable ID as they were before,
	// those of an added one as they were made.
	User directory.Ref
	// Changes are the values written: Old before the first step, New after the
	// last.
	Changes []Change
	// Reset: the password was replaced.
	Reset bool
	// Unread: the journal does not have all that was done; the account is left alone.
	Unread bool
	// At is the destination's clock at the last answer, as near as is known.
	At time.Time
}

// Undoing is all that an undo rests on.
type Undoing struct {
	// Run is the number of the run that is undone.
	Run int64
	// Done is what it did.
	Done []Applied
	// Now is a fresh look, by ID, at every account of Done, with every
	// attribute that Done names.
	Now []directory.Sighting
	// Input is as for Build, but Source and Unattended do not count.
	Input
}

// notShown is how long after a write a read may still show what was before.
const notShown = 15 * time.Minute

// Invert plans the inverse of what a run did: what it added or restored is deleted,
// what it deleted is restored with its ID, values and UPNs are put back. That applies
// only to what is still as the run left it; the rest is a skip with its reason. The
// plan is reviewed, judged, approved and applied like any other, and can itself be
// undone.
//
// Its errors are those of Build about tenant and domain.
func Invert(u Undoing) (*Plan, error) {
	b := &builder{in: u.Input}
	b.in.Source, b.in.Unattended = directory.EmptyBin(), false
	if err := b.ground(); err != nil {
		return nil, err
	}
	b.decided = newDecisions(b.in.Decisions, false)
	v := &inverter{builder: b, run: u.Run, live: map[directory.ID]*directory.Record{}, gone: map[directory.ID]*directory.Record{}}
	for i := range u.Now {
		switch g := &u.Now[i]; g.Presence {
		case directory.Live:
			v.live[g.Record.ID] = &g.Record
		case directory.InRecycleBin:
			v.gone[g.Record.ID] = &g.Record
		case directory.Absent:
		}
	}
	for i := range u.Done {
		d := &u.Done[i]
		if d.Unread {
			v.leave(problem.UndoUnread, d, v.live[d.User.ID], nil)
			continue
		}
		switch d.Kind {
		case Delete:
			v.bringBack(d)
		case Add, Restore:
			v.takeAway(d)
		case Rename, Update:
			v.putBack(d)
		}
	}
	v.release()
	return v.plan(), nil
}

// inverter makes the rows of an undo.
type inverter struct {
	*builder
	run        int64
	live, gone map[directory.ID]*directory.Record // as the fresh look found them
	acts       []Action
	left       []Skipped
	// until is the time at which the first account to be restored is purged.
	until time.Time
}

// sameValue reports whether two values are equal to Microsoft 365: UPNs compare
// without regard to case, and no value equals an empty one.
func sameValue(a directory.Attribute, x, y directory.Value) bool {
	if a == directory.UserPrincipalName {
		return directory.FoldUPN(x.Text) == directory.FoldUPN(y.Text)
	}
	return x.Text == y.Text
}

func valueOf(r *directory.Record, a directory.Attribute) directory.Value {
	text, set := r.Get(a)
	return directory.Value{Text: text, Set: set}
}

// leave skips something that the run did.
func (v *inverter) leave(code problem.Code, d *Applied, now *directory.Record, more problem.Args) {
	s := Skipped{Ref: d.User, Group: code.Group()}
	if now != nil {
		s.Ref = directory.Ref{ID: now.ID, UPN: now.UPN, ImmutableID: now.ImmutableID}
		s.Name, _ = now.Get(directory.DisplayName)
	} else if c, ok := d.change(directory.DisplayName); ok {
		s.Name = c.New.Text
	}
	args := problem.Args{
		"upn": s.Ref.UPN, "name": s.Name, "line": "", "domain": v.domain.Name, "initial": v.in.Tenant.Initial,
	}
	for k, t := range more {
		args[k] = t
	}
	s.Why = problem.New(code, args)
	v.left = append(v.left, s)
}

func (d *Applied) change(a directory.Attribute) (Change, bool) {
	for _, c := range d.Changes {
		if c.Attribute == a {
			return c, true
		}
	}
	return Change{}, false
}

// three are the values that a conflict is shown with.
func three(c Change, now directory.Value) problem.Args {
	return problem.Args{"attribute": string(c.Attribute), "before": c.Old.Text, "wrote": c.New.Text, "now": now.Text}
}

// fresh reports whether a read may not yet show what was written.
func (v *inverter) fresh(d *Applied) bool {
	return !v.in.At.IsZero() && v.in.At.Sub(d.At) < notShown
}

// marksNow are the marks of an account by both reads, and the kind of its
// mailbox.
func (v *inverter) marksNow(r *directory.Record) directory.Marks {
	m := r.Marks
	if u, ok := v.users.ByID(r.ID); ok {
		m |= u.Marks() &^ directory.Enabled
	}
	return m | v.in.Purposes[r.ID]&directory.Purposes | v.in.Facts.marks(r.ID)
}

// spared skips an account that must not be touched, or that a reviewer left out.
func (v *inverter) spared(d *Applied, r *directory.Record, m directory.Marks) bool {
	if code := v.protectedAtUndo(d, r, m); code != "" {
		v.leave(code, d, r, nil)
		return true
	}
	return v.leftOut(d, r)
}

func (v *inverter) leftOut(d *Applied, r *directory.Record) bool {
	by, out := v.decided.find(v.decided.out, r.ID, r.UPN, d.User.UPN)
	if !out {
		return false
	}
	code := problem.LeftOutOnce
	if by.Kind == LeaveOutAlways {
		code = problem.LeftOutAlways
	}
	v.leave(code, d, r, leftOutArgs(by))
	return true
}

// act adds an action on an account.
func (v *inverter) act(kind Kind, r *directory.Record, m directory.Marks) *Action {
	a := Action{
		Kind: kind, User: directory.Ref{ID: r.ID, UPN: r.UPN, ImmutableID: r.ImmutableID}, UPN: r.UPN, Marks: m,
	}
	a.Name, _ = r.Get(directory.DisplayName)
	v.acts = append(v.acts, a)
	return &v.acts[len(v.acts)-1]
}

// takeAway deletes an account that the run added or restored, if it is still as
// the run left it.
func (v *inverter) takeAway(d *Applied) {
	r := v.live[d.User.ID]
	if r == nil {
		code := problem.UndoneAlready
		if v.gone[d.User.ID] == nil && v.fresh(d) {
			code = problem.UndoNotYetSeen
		}
		v.leave(code, d, v.gone[d.User.ID], nil)
		return
	}
	m := v.marksNow(r)
	if v.spared(d, r, m) {
		return
	}
	made := d.Changes
	if _, ok := d.change(directory.UserPrincipalName); !ok {
		upn := directory.Text(d.User.UPN)
		made = append([]Change{{directory.UserPrincipalName, upn, upn}}, made...)
	}
	for _, c := range made {
		if now := valueOf(r, c.Attribute); !sameValue(c.Attribute, now, c.New) {
			code := problem.UndoNotAsMade
			if v.fresh(d) && d.Kind == Restore && sameValue(c.Attribute, now, c.Old) {
				code = problem.UndoNotYetSeen
			}
			v.leave(code, d, r, three(c, now))
			return
		}
	}
	switch {
	case d.Kind == Add && m.Has(directory.Licensed):
		v.leave(problem.UndoLicensed, d, r, nil)
		return
	case !v.here(r.UPN):
		v.leave(problem.UndoMoved, d, r, problem.Args{"now": r.UPN})
		return
	}
	a := v.act(Delete, r, m)
	a.Evidence = &Evidence{
		Licensed: m.Has(directory.Licensed), Enabled: m.Has(directory.Enabled),
		Created: r.Created, LastSignIn: r.LastSignIn, Purpose: m & directory.Purposes,
	}
	a.how.made, a.how.unlicensed = made, d.Kind == Add
}

// bringBack restores an account that the run deleted, with its ID.
func (v *inverter) bringBack(d *Applied) {
	r := v.gone[d.User.ID]
	args := problem.Args{"deleted": ""}
	if !d.At.IsZero() {
		args["deleted"] = problem.Moment(d.At)
	}
	switch live := v.live[d.User.ID]; {
	case live != nil && v.fresh(d):
		v.leave(problem.UndoNotYetSeen, d, live, nil)
		return
	case live != nil:
		v.leave(problem.UndoneAlready, d, live, nil)
		return
	case r == nil && v.fresh(d):
		v.leave(problem.UndoNotYetSeen, d, nil, nil)
		return
	case r == nil:
		v.leave(problem.UndoGone, d, nil, args)
		return
	}
	m := r.Marks
	switch {
	case v.protectedInBin(r.ID, r.UPN, m) != "":
		v.leave(problem.UndoNeverTouched, d, r, nil)
		return
	case v.leftOut(d, r):
		return
	case r.Deleted.IsZero() || v.in.At.Sub(r.Deleted) >= restoreUntil:
		v.leave(problem.UndoTooLate, d, r, args)
		return
	case !v.here(r.UPN):
		v.leave(problem.UndoMoved, d, r, problem.Args{"now": r.UPN})
		return
	}
	if v.addressTaken(d, r, r.UPN) || v.idTaken(d, r, r.ImmutableID) {
		return
	}
	if end := r.Deleted.Add(keptDeleted); v.until.IsZero() || end.Before(v.until) {
		v.until = end
	}
	v.act(Restore, r, m)
}

// addressTaken skips a row whose former UPN another account has as a mail address. An
// account that has it as UPN too is judged with the chains.
func (v *inverter) addressTaken(d *Applied, r *directory.Record, upn string) bool {
	for _, u := range v.users.ByAddress(upn) {
		if u.ID() != r.ID && directory.FoldUPN(u.UPN()) != directory.FoldUPN(upn) {
			v.leave(problem.AddressTaken, d, r, problem.Args{"upn": upn, "holder": u.UPN()})
			return true
		}
	}
	return false
}

// idTaken skips a row whose immutable ID another account has.
func (v *inverter) idTaken(d *Applied, r *directory.Record, id string) bool {
	if id == "" {
		return false
	}
	for _, u := range v.users.ByImmutableID(id) {
		if u.ID() != r.ID {
			v.leave(problem.UndoIDTaken, d, r, problem.Args{"immutable_id": id, "holder": u.UPN()})
			return true
		}
	}
	return false
}

// putBack gives an account the values of before, where they are still those that
// the run wrote.
func (v *inverter) putBack(d *Applied) {
	r := v.live[d.User.ID]
	if r == nil {
		code := problem.UndoDeletedSince
		if v.gone[d.User.ID] == nil {
			code = problem.UndoGone
		}
		v.leave(code, d, v.gone[d.User.ID], problem.Args{"deleted": ""})
		return
	}
	m := v.marksNow(r)
	if v.spared(d, r, m) {
		return
	}
	to, _ := d.change(directory.UserPrincipalName)
	if !v.here(r.UPN) && !v.here(to.Old.Text) {
		v.leave(problem.UndoMoved, d, r, problem.Args{"now": r.UPN})
		return
	}
	kind, how := Update, how{}
	var back []Change
	held, lags := false, false
	for _, c := range d.Changes {
		now := valueOf(r, c.Attribute)
		switch {
		case sameValue(c.Attribute, c.Old, c.New):
			continue
		case sameValue(c.Attribute, now, c.Old):
			lags = lags || v.fresh(d)
			continue
		case c.Attribute == directory.UserPrincipalName && v.onItsWay(r):
			// a temporary UPN of hacsync, of a cycle that another run left half-way
		case !sameValue(c.Attribute, now, c.New):
			v.leave(problem.UndoChanged, d, r, three(c, now))
			held = true
			continue
		}
		switch c.Attribute {
		case directory.UserPrincipalName:
			if !v.upnBack(d, r, c, &how) {
				held = true
				continue
			}
			kind = Rename
		case directory.ImmutableID:
			if !v.idBack(d, r, c) {
				held = true
				continue
			}
		case directory.AccountEnabled:
			if ours, known := v.in.Facts.Blocked[r.ID]; c.New.Text == "false" && known && !ours { // seen enabled since
				v.leave(problem.BlockedByOthers, d, r, nil)
				held = true
				continue
			}
		default:
			if !c.Old.Set && neverCleared(c.Attribute) {
				v.leave(problem.UndoNotEmpty, d, r, three(c, now))
				held = true
				continue
			}
		}
		back = append(back, Change{c.Attribute, now, c.Old})
	}
	switch {
	case len(back) == 0 && lags:
		v.leave(problem.UndoNotYetSeen, d, r, nil)
		return
	case len(back) == 0 && held:
		return
	case len(back) == 0:
		v.leave(problem.UndoneAlready, d, r, nil)
		return
	case kind == Update && !v.here(r.UPN):
		v.leave(problem.UndoMoved, d, r, problem.Args{"now": r.UPN})
		return
	}
	a := v.act(kind, r, m)
	a.Changes, a.how = back, how
	if kind == Rename {
		a.UPN = to.Old.Text
	}
	if c, ok := a.change(directory.DisplayName); ok {
		a.Name = c.New.Text
	}
	if d.Reset {
		a.Warnings = append(a.Warnings, problem.New(problem.UndoPasswordStays, nil))
	}
}

// onItsWay reports whether an account has the temporary UPN that hacsync would give it.
func (v *inverter) onItsWay(r *directory.Record) bool {
	local, _ := directory.SplitUPN(r.UPN)
	return v.here(r.UPN) && strings.HasPrefix(directory.FoldUPN(local), v.temporaryName(r.ID))
}

// upnBack reports whether the former UPN can be given back, and how.
func (v *inverter) upnBack(d *Applied, r *directory.Record, c Change, h *how) bool {
	_, from := directory.SplitUPN(r.UPN)
	_, to := directory.SplitUPN(c.Old.Text)
	from, to = directory.FoldUPN(from), directory.FoldUPN(to)
	was, known := v.federated[from]
	becomes, verified := v.federated[to]
	crosses := known && was != becomes
	switch {
	case !verified:
		v.leave(problem.UndoDomainGone, d, r, three(c, directory.Text(r.UPN)))
		return false
	case from != to && !v.setUp[to],
		crosses && becomes && r.ImmutableID == "",
		crosses && !becomes && !v.in.Policy.ResetPasswords:
		v.leave(problem.UndoCrosses, d, r, three(c, directory.Text(r.UPN)))
		return false
	}
	h.enters, h.resets = crosses && becomes, crosses && !becomes
	return !v.addressTaken(d, r, c.Old.Text)
}

// idBack reports whether the former immutable ID can be given back: in a federated
// domain it is kept.
func (v *inverter) idBack(d *Applied, r *directory.Record, c Change) bool {
	upn, _ := d.change(directory.UserPrincipalName)
	for _, in := range []string{r.UPN, upn.Old.Text} {
		_, dom := directory.SplitUPN(in)
		if v.federated[directory.FoldUPN(dom)] {
			v.leave(problem.UndoIDFederated, d, r, three(c, c.New))
			return false
		}
	}
	return !v.idTaken(d, r, c.Old.Text)
}
