package state

import (
	"encoding/json"

	"github.com/hacsync/hacsync/sync/directory"
)

// Kind is what an action does to one account, as the journal writes it.
type Kind string

// The kinds.
const (
	KindAdd     Kind = "add"
	KindUpdate  Kind = "update"
	KindRename  Kind = "rename"
	KindRestore Kind = "restore"
	KindDelete  Kind = "delete"
)

// Verb is what one request does, as the journal writes it.
type Verb string

// The verbs.
const (
	VerbCreate   Verb = "create"
	VerbPatch    Verb = "patch"
	VerbPatchUPN Verb = "patch-upn"
	VerbRestore  Verb = "restore"
	VerbDelete   Verb = "delete"
)

func (v Verb) known() bool {
	switch v {
	case VerbCreate, VerbPatch, VerbPatchUPN, VerbRestore, VerbDelete:
		return true
	}
	return false
}

// Image is a set of values of one account, as the journal keeps it. A nil text is
// no value. It never holds a password.
type Image map[directory.Attribute]*string

// Get is the value of an attribute, and whether the image has it.
func (m Image) Get(a directory.Attribute) (directory.Value, bool) {
	t, ok := m[a]
	if !ok || t == nil {
		return directory.Value{}, ok
	}
	return directory.Value{Text: *t, Set: true}, true
}

// Put gives an attribute a value, or none.
func (m Image) Put(a directory.Attribute, v directory.Value) {
	if !v.Set {
		m[a] = nil
		return
	}
	m[a] = &v.Text
}

// text is the image as it is stored; nil is nothing.
func (m Image) text() string {
	if m == nil {
		return ""
	}
	b, _ := json.Marshal(m) // texts always encode
	return string(b)
}

// imageOf reads what text wrote.
func imageOf(text string) (m Image, ok bool) {
	if text == "" {
		return nil, true
	}
	if json.Unmarshal([]byte(text), &m) != nil {
		return nil, false
	}
	return m, true
}
