package run

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/state"
)

// This file says what a row of the journal means: for the overlay of list reads, the
// guard of the day, an undo and the sync log. state.Touched says it for the accounts
// that hacsync added, blocked, deleted and restored. A row that cannot be read
// protects: the request counts as a deletion, the account as neither made nor blocked
// by hacsync, and an undo leaves it alone.

// verbOf is a verb as the journal writes it.
func verbOf(v plan.Verb) state.Verb {
	switch v {
	case plan.Create:
		return state.VerbCreate
	case plan.Patch:
		return state.VerbPatch
	case plan.PatchUPN:
		return state.VerbPatchUPN
	case plan.RestoreUser:
		return state.VerbRestore
	case plan.DeleteUser:
		return state.VerbDelete
	}
	return ""
}

// kindOfRow is the kind of action that a row is of.
func kindOfRow(k state.Kind) plan.Kind {
	switch k {
	case state.KindAdd:
		return plan.Add
	case state.KindDelete:
		return plan.Delete
	case state.KindRename:
		return plan.Rename
	case state.KindRestore:
		return plan.Restore
	case state.KindUpdate:
	}
	return plan.Update
}

// images are the before- and after-values of a step.
func images(s plan.Step) (before, after state.Image) {
	before, after = state.Image{}, state.Image{}
	for _, c := range s.Set {
		before.Put(c.Attribute, c.Old)
		after.Put(c.Attribute, c.New)
	}
	return before, after
}

// TakenBack reports whether a row took the deletion of its action back, because the
// addition that was to have the account's UPN had failed.
func TakenBack(e *state.Entry) bool {
	return e.Verb == state.VerbRestore && e.Kind == state.KindDelete && e.Took()
}

// outcomeOf is what a row says of its action.
func outcomeOf(s state.EntryState) string {
	switch s {
	case state.Seen:
		return OutcomeSeen
	case state.Rejected, state.Conflict:
		return OutcomeFailed
	case state.Differs:
		return OutcomeDifferent
	case state.Sent, state.Written:
		return OutcomeNotYetSeen
	case state.None:
	}
	return OutcomeNotTried
}

// deletes reports whether a row counts as a deletion: it is one, and may have had its
// effect.
func deletes(e *state.Entry) bool {
	switch e.State {
	case state.Sent, state.Written, state.Seen, state.Differs:
	case state.None, state.Rejected, state.Conflict:
		return false
	}
	if e.Unread {
		return true
	}
	switch e.Verb {
	case state.VerbDelete:
		// An account that was blocked before was counted then; its before-image says so.
		blocked, ok := e.Before.Get(directory.AccountEnabled)
		return !ok || blocked.Text != "false"
	case state.VerbPatch:
		to, ok := e.After.Get(directory.AccountEnabled)
		return ok && to.Text == "false"
	case state.VerbCreate, state.VerbPatchUPN, state.VerbRestore:
	}
	return false
}

// overlay is what rows, taken in their order, wrote to accounts so lately that lists
// may not show it. users are the accounts as they are listed.
func overlay(rows []state.Entry, users *directory.Snapshot) []directory.Record {
	late := map[directory.ID]*written{}
	for i := range rows {
		if e := &rows[i]; e.Took() && !e.Unread {
			overlayWith(late, e)
		}
	}
	var all []directory.Record
	for _, w := range late {
		if w.over(users) {
			all = append(all, w.Record)
		}
	}
	return all
}

// written is what was written to an account so lately that lists may not show it.
// Its record lists only the attributes written; one without UPN is gone.
type written struct {
	directory.Record
	made    bool // or brought back
	upn, id bool // are among what was written
}

// over makes what was written fit the accounts as they are listed, and reports
// whether it counts. A key that was not written stays as listed: the journal names
// an account by those that the plan knew. And only what was made or brought back may
// be there without being listed.
func (w *written) over(users *directory.Snapshot) bool {
	u, listed := users.ByID(w.ID)
	if w.UPN == "" || !listed {
		return w.UPN == "" || w.made
	}
	if !w.upn {
		w.UPN = u.UPN()
	}
	if !w.id {
		w.ImmutableID = u.ImmutableID()
	}
	return true
}

// overlayWith adds what a row wrote to the overlay of list reads.
func overlayWith(overlay map[directory.ID]*written, e *state.Entry) {
	id := e.Object.ID
	rec := overlay[id]
	if rec == nil || e.Verb == state.VerbDelete {
		rec = &written{Record: directory.Record{
			ID: id, UPN: e.Object.UPN, ImmutableID: e.Object.ImmutableID, Marks: directory.Enabled,
		}}
		overlay[id] = rec
	}
	switch e.Verb {
	case state.VerbDelete:
		rec.UPN, rec.Columns, rec.Values = "", nil, nil
		return
	case state.VerbCreate:
		rec.made, rec.Created = true, e.Server
	case state.VerbRestore:
		rec.made = true
	case state.VerbPatch, state.VerbPatchUPN:
	}
	if rec.UPN == "" {
		rec.UPN = e.Object.UPN
	}
	for a := range e.After {
		v, _ := e.After.Get(a)
		switch a {
		case directory.UserPrincipalName:
			rec.UPN, rec.upn = v.Text, true
		case directory.ImmutableID:
			rec.ImmutableID, rec.id = v.Text, true
		case directory.AccountEnabled:
			rec.Marks &^= directory.Enabled
			if v.Text == "true" {
				rec.Marks |= directory.Enabled
			}
			setColumn(&rec.Record, a, v)
		default:
			setColumn(&rec.Record, a, v)
		}
	}
}

func setColumn(rec *directory.Record, a directory.Attribute, v directory.Value) {
	for i, c := range rec.Columns {
		if c == a {
			rec.Values[i] = v
			return
		}
	}
	rec.Columns = append(rec.Columns, a)
	rec.Values = append(rec.Values, v)
}

// applied returns what a run did, one entry for each action: the steps that the
// destination accepted. A step that was read back different counts too: what differs
// is shown as changed since.
func applied(entries []state.Entry) []plan.Applied {
	var all []plan.Applied
	last := -1
	for i := range entries { // in order of action and step
		e := &entries[i]
		if !e.Took() && e.State != state.Differs || e.Object.ID == "" {
			continue
		}
		if e.Action != last {
			all = append(all, plan.Applied{Kind: plan.Update, User: e.Object})
			last = e.Action
		}
		d := &all[len(all)-1]
		d.User.ID = e.Object.ID
		d.Unread = d.Unread || e.Unread
		switch e.Verb {
		case state.VerbCreate:
			d.Kind = plan.Add
		case state.VerbDelete:
			d.Kind = plan.Delete
		case state.VerbRestore:
			if d.Kind == plan.Delete { // taken back: nothing was done
				all = all[:len(all)-1]
				continue
			}
			d.Kind = plan.Restore
		case state.VerbPatchUPN:
			if d.Kind == plan.Update {
				d.Kind = plan.Rename
			}
		case state.VerbPatch:
			d.Reset = d.Reset || len(e.After) == 0 && !e.Unread
		}
		addChanges(d, e.Before, e.After)
		if at := e.When(); at.After(d.At) {
			d.At = at
		}
	}
	return all
}

// addChanges adds the values that a step wrote to those of the steps before it. The
// values with which an account was restored count as written.
func addChanges(d *plan.Applied, before, after state.Image) {
	if d.Kind == plan.Restore && len(d.Changes) == 0 {
		came := state.Image{}
		maps.Copy(came, before)
		maps.Copy(came, after)
		after = came
	}
	names := slices.SortedFunc(maps.Keys(after), func(x, y directory.Attribute) int {
		return cmp.Or(rank(x)-rank(y), cmp.Compare(x, y))
	})
	for _, a := range names {
		was, _ := before.Get(a)
		now, _ := after.Get(a)
		i := slices.IndexFunc(d.Changes, func(c plan.Change) bool { return c.Attribute == a })
		if i >= 0 {
			d.Changes[i].New = now
			continue
		}
		d.Changes = append(d.Changes, plan.Change{Attribute: a, Old: was, New: now})
	}
}

// rank puts attributes in the order in which people see them.
func rank(a directory.Attribute) int {
	order := append(directory.Standard(), directory.AccountEnabled)
	if i := slices.Index(order, a); i >= 0 {
		return i
	}
	return len(order)
}

// problemJSON is a problem as the journal keeps it.
func problemJSON(p *problem.Problem) json.RawMessage {
	if p == nil {
		return nil
	}
	return encoded(p.Store())
}

// encoded is v as JSON; what the journal keeps always encodes.
func encoded(v any) json.RawMessage {
	b, _ := json.Marshal(v)
	return b
}

func decodeProblem(b json.RawMessage) *problem.Problem {
	var s *problem.Stored
	if len(b) > 0 {
		_ = json.Unmarshal(b, &s) // it is only shown; the state of its row is another column
	}
	return s.Problem()
}
