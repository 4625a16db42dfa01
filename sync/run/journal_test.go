package run

import (
	"testing"
	"time"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/state"
)

// What cannot be read of the journal protects.
func TestRule6_ARowThatCannotBeReadProtects(t *testing.T) {
	no := "false"
	row := func(verb state.Verb, unread bool) state.Entry {
		return state.Entry{
			Run: 1, Action: 1, State: state.Seen, Kind: state.KindUpdate, Verb: verb, Unread: unread, Object: directory.Ref{ID: "a"},
			After: state.Image{directory.AccountEnabled: &no},
		}
	}
	facts := func(rows ...state.Entry) plan.Facts {
		l := ledger{
			f: plan.Facts{
				Blocked: map[directory.ID]bool{}, Added: map[directory.ID]bool{}, Restored: map[directory.ID]bool{},
				Deleted: map[directory.ID]bool{}, Undone: map[directory.ID]bool{},
			},
			now: time.Now(), enabled: func(directory.ID) time.Time { return time.Time{} },
			made: map[directory.ID]bool{}, overlay: map[directory.ID]*written{},
		}
		for _, e := range rows {
			l.take(e)
		}
		return l.f
	}
	made, blocked := row(state.VerbCreate, false), row(state.VerbPatch, false)
	if f := facts(made, blocked); !f.Added["a"] || !f.Blocked["a"] {
		t.Errorf("whole rows: %+v", f)
	}
	for _, verb := range []state.Verb{state.VerbCreate, state.VerbPatch, "future"} {
		e := row(verb, true)
		e.After = nil
		if f := facts(made, blocked, e); f.Added["a"] || f.Blocked["a"] {
			t.Errorf("%s: an account that another hand may have made or blocked counts as ours: %+v", verb, f)
		}
		if !deletes(&e) {
			t.Errorf("%s: it counts with no deletions", verb)
		}
		if !lasting(e) {
			t.Errorf("%s: pruning takes it", verb)
		}
		if all := applied([]state.Entry{made, e}); len(all) != 1 || !all[0].Unread {
			t.Errorf("%s: an undo would touch it: %+v", verb, all)
		}
	}
}
