package run

import (
	"testing"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/plan"
)

// An account that a cycle renamed twice was renamed once: from what it was to what
// it is. Undone by halves it would keep the temporary UPN.
func TestAddChanges_ATemporaryValueIsNoChangeOfItsOwn(t *testing.T) {
	upn := func(s string) image {
		m := image{}
		m.put(directory.UserPrincipalName, directory.Text(s))
		return m
	}
	d := plan.Applied{Kind: plan.Rename}
	addChanges(&d, upn("a@x"), upn("temporary@x"))
	addChanges(&d, upn("temporary@x"), upn("b@x"))
	want := plan.Change{Attribute: directory.UserPrincipalName, Old: directory.Text("a@x"), New: directory.Text("b@x")}
	if len(d.Changes) != 1 || d.Changes[0] != want {
		t.Errorf("%+v", d.Changes)
	}
}
