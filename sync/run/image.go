package run

import (
	"encoding/json"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/state"
)

// image is a set of values of one account, as the journal keeps it. A nil text
// is no value. It never holds a password.
type image map[directory.Attribute]*string

func (m image) get(a directory.Attribute) (directory.Value, bool) {
	t, ok := m[a]
	if !ok || t == nil {
		return directory.Value{}, ok
	}
	return directory.Value{Text: *t, Set: true}, true
}

func (m image) put(a directory.Attribute, v directory.Value) {
	if !v.Set {
		m[a] = nil
		return
	}
	m[a] = &v.Text
}

func (m image) json() json.RawMessage { return encoded(m) }

func decodeImage(b json.RawMessage) image {
	m := image{}
	if len(b) > 0 {
		_ = json.Unmarshal(b, &m) // our own writing; one that does not read knows nothing
	}
	return m
}

// images are the before- and after-values of a step.
func images(s plan.Step) (before, after image) {
	before, after = image{}, image{}
	for _, c := range s.Set {
		before.put(c.Attribute, c.Old)
		after.put(c.Attribute, c.New)
	}
	return before, after
}

// verbWords are the verbs as the journal writes them.
func verbWord(v plan.Verb) string {
	switch v {
	case plan.Create:
		return "create"
	case plan.Patch:
		return "patch"
	case plan.PatchUPN:
		return "patch-upn"
	case plan.RestoreUser:
		return "restore"
	case plan.DeleteUser:
		return "delete"
	}
	return "unknown"
}

func verbOf(word string) plan.Verb {
	for v := plan.Create; v <= plan.DeleteUser; v++ {
		if verbWord(v) == word {
			return v
		}
	}
	return 0
}

// overlayWith adds what a journal row wrote to the overlay of list reads. A
// record lists only the attributes written; one without UPN is gone.
func overlayWith(overlay map[directory.ID]*directory.Record, e state.Entry, after image) {
	id := e.Object.ID
	rec := overlay[id]
	if rec == nil || verbOf(e.Verb) == plan.DeleteUser {
		rec = &directory.Record{ID: id, UPN: e.Object.UPN, ImmutableID: e.Object.ImmutableID, Marks: directory.Enabled}
		overlay[id] = rec
	}
	if verbOf(e.Verb) == plan.DeleteUser {
		rec.UPN, rec.Columns, rec.Values = "", nil, nil
		return
	}
	if rec.UPN == "" {
		rec.UPN = e.Object.UPN
	}
	for a, t := range after {
		v := directory.Value{}
		if t != nil {
			v = directory.Value{Text: *t, Set: true}
		}
		switch a {
		case directory.UserPrincipalName:
			rec.UPN = v.Text
		case directory.ImmutableID:
			rec.ImmutableID = v.Text
		case directory.AccountEnabled:
			rec.Marks &^= directory.Enabled
			if v.Text == "true" {
				rec.Marks |= directory.Enabled
			}
			setColumn(rec, a, v)
		default:
			setColumn(rec, a, v)
		}
	}
	if verbOf(e.Verb) == plan.Create {
		rec.Created = e.Server
	}
}

// keysWritten are the UPNs and immutable IDs that the steps of an action wrote, by
// run and action: a later step of the action names its account as it was before
// all of them.
type keysWritten map[[2]int64]directory.Ref

// follow gives a journal row the keys that its account has after the steps
// before it.
func (k keysWritten) follow(e *state.Entry, after image) {
	at := [2]int64{e.Run, int64(e.Action)}
	ref := k[at]
	if v, ok := after.get(directory.UserPrincipalName); ok {
		ref.UPN = v.Text
	} else if ref.UPN != "" {
		e.Object.UPN = ref.UPN
	}
	if v, ok := after.get(directory.ImmutableID); ok {
		ref.ImmutableID = v.Text
	} else if ref.ImmutableID != "" {
		e.Object.ImmutableID = ref.ImmutableID
	}
	if ref != (directory.Ref{}) {
		k[at] = ref
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
		_ = json.Unmarshal(b, &s) // our own writing; one that does not read says nothing
	}
	return s.Problem()
}
