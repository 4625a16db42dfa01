package run

import (
	"testing"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/state"
)

// nobody is an empty list of accounts.
func nobody(t *testing.T) *directory.Snapshot {
	t.Helper()
	s, err := directory.NewBuilder(directory.Destination, nil).Seal(directory.Proof{Ended: true}, directory.About{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// What cannot be read of the journal protects; state.Touched has its own test.
func TestRule6_ARowThatCannotBeReadProtects(t *testing.T) {
	no := "false"
	row := func(verb state.Verb, unread bool) state.Entry {
		return state.Entry{
			Run: 1, Action: 1, State: state.Seen, Kind: state.KindUpdate, Verb: verb, Unread: unread, Object: directory.Ref{ID: "a"},
			After: state.Image{directory.AccountEnabled: &no},
		}
	}
	made := row(state.VerbCreate, false)
	for _, verb := range []state.Verb{state.VerbCreate, state.VerbPatch, "future"} {
		e := row(verb, true)
		e.After = nil
		if !deletes(&e) {
			t.Errorf("%s: it counts with no deletions", verb)
		}
		if late := overlay([]state.Entry{e}, nobody(t)); len(late) != 0 {
			t.Errorf("%s: it is laid over the list: %+v", verb, late)
		}
		if all := applied([]state.Entry{made, e}); len(all) != 1 || !all[0].Unread {
			t.Errorf("%s: an undo would touch it: %+v", verb, all)
		}
	}
}
