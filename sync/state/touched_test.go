package state_test

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/state"
	"github.com/hacsync/hacsync/sync/state/statetest"
)

// touchedBy is the oracle: what the whole journal says of accounts, read row by row
// in order of run, action and step, as every plan once did.
func touchedBy(rows []state.Entry, back map[int64]bool) map[directory.ID]state.Touched {
	all := map[directory.ID]state.Touched{}
	for _, e := range rows {
		if e.State != state.Written && e.State != state.Seen || e.Object.ID == "" {
			continue
		}
		t := all[e.Object.ID]
		t.Undone = back[e.Run]
		switch {
		case e.Unread:
			t = state.Touched{Undone: t.Undone, Deleted: t.Deleted, SignIn: true}
		case e.Verb == state.VerbCreate:
			t.Made, t.Added = true, true
		case e.Verb == state.VerbDelete:
			t.Deleted, t.Added, t.Restored = e.Server, false, false
		case e.Verb == state.VerbRestore:
			t.Deleted, t.Restored = time.Time{}, true
			t.Added = t.Added || t.Made
		}
		if v := e.After[directory.AccountEnabled]; v != nil && !e.Unread {
			t.SignIn, t.Blocked = true, time.Time{}
			if *v == "false" {
				t.Blocked = e.Server
			}
		}
		all[e.Object.ID] = t
	}
	return all
}

// same compares what is known of accounts; one that nothing is known of is like one
// that is not there.
func same(a, b map[directory.ID]state.Touched) bool {
	known := func(m map[directory.ID]state.Touched) map[directory.ID]state.Touched {
		m = maps.Clone(m)
		maps.DeleteFunc(m, func(_ directory.ID, t state.Touched) bool { return t == state.Touched{} })
		return m
	}
	return reflect.DeepEqual(known(a), known(b))
}

// whole is the journal of runs, from its beginning.
func whole(t interface{ Fatal(...any) }, s *state.Store, runs []int64) []state.Entry {
	var all []state.Entry
	for _, no := range runs {
		rows, err := s.Journal(context.Background(), no)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, rows...)
	}
	return all
}

// older takes a state back to what it was before there was a table of touched
// accounts.
func older(t testing.TB, place string, change ...string) {
	t.Helper()
	db := sqlOn(t, place)
	for _, text := range append([]string{
		`DROP TABLE touched`, `DROP INDEX journal_by_server`, `DELETE FROM hacsync_schema WHERE version >= 4`,
	}, change...) {
		if _, err := db.ExecContext(t.Context(), text); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
	_ = db.Close()
}

// Runs write, are stopped, taken up by others and undone; rows are found to have had
// no effect after all, and some cannot be read. What the table says is what the whole
// journal says, at each moment, and so it is where an older state is opened.
func TestTouched_IsWhatTheWholeJournalSays(t *testing.T) {
	statetest.Places(t, func(t *testing.T, place string) {
		n, most := 0, 60
		if strings.HasPrefix(place, "postgres") {
			most = 15 // enough: slower, and the same statements
		}
		rapid.Check(t, func(rt *rapid.T) {
			if n++; n > most {
				return
			}
			here := place
			if n > 1 {
				if here = statetest.NewFile(t); strings.HasPrefix(place, "postgres") {
					here = statetest.NewDatabase(t)
				}
			}
			randomJournal(t, rt, here)
		})
	})
}

func randomJournal(t *testing.T, rt *rapid.T, place string) {
	ctx := context.Background()
	s := open(t, place, state.Options{})
	defer s.Close()
	claim, err := s.Take(ctx, "t", "a.example", "test", false)
	if err != nil {
		rt.Fatal(err)
	}
	at := time.Unix(1.8e9, 0).UTC()
	back, runs := map[int64]bool{}, []int64{}
	check := func(s *state.Store, when string) map[directory.ID]state.Touched {
		got, err := s.Touched(ctx, "t")
		if err != nil {
			rt.Fatal(err)
		}
		rows := whole(rt, s, runs)
		if want := touchedBy(rows, back); !same(got, want) {
			for _, e := range rows {
				rt.Logf("%d.%d.%d %s %s %s %v", e.Run, e.Action, e.Step, e.Verb, e.State, e.Object.ID, e.Unread)
			}
			rt.Fatalf("%s:\ngot  %v\nwant %v", when, got, want)
		}
		return got
	}
	accounts := []string{"a", "b", "c", "d", "e", "f"}
	for range rapid.IntRange(1, 6).Draw(rt, "runs") {
		r := state.Run{Kind: state.Sync, Tenant: "t", Domain: "a.example"}
		if len(runs) > 0 && rapid.Bool().Draw(rt, "undo") {
			r.Kind, r.PlanOf = state.Undo, rapid.SampledFrom(runs).Draw(rt, "of")
		}
		no, err := s.BeginRun(ctx, r)
		if err != nil {
			rt.Fatal(err)
		}
		runs, back[no] = append(runs, no), r.Kind == state.Undo && !back[r.PlanOf]
		// Each account has at most one action in a run, each action up to three steps.
		perm := rapid.Permutation(accounts).Draw(rt, "accounts")
		perm = perm[:rapid.IntRange(1, len(perm)).Draw(rt, "how many")]
		var rows []state.Entry
		for i, id := range perm {
			for step := range rapid.IntRange(1, 3).Draw(rt, "steps") {
				at = at.Add(time.Minute)
				e := state.Entry{Run: no, Action: i + 1, Step: step, Server: at, Object: directory.Ref{ID: directory.ID(id)}}
				e.Verb = rapid.SampledFrom([]state.Verb{
					state.VerbCreate, state.VerbPatch, state.VerbPatch, state.VerbPatchUPN, state.VerbDelete, state.VerbRestore, "future",
				}).Draw(rt, "verb")
				if on := rapid.SampledFrom([]string{"", "true", "false"}).Draw(rt, "enabled"); on != "" {
					e.After = state.Image{directory.AccountEnabled: &on}
				}
				rows = append(rows, e)
			}
		}
		if err := claim.Intend(ctx, rows); err != nil {
			rt.Fatal(err)
		}
		for range rapid.IntRange(0, 6).Draw(rt, "settlements") {
			var some []state.Entry
			for _, e := range rows {
				if rapid.Bool().Draw(rt, "this") {
					e.State = rapid.SampledFrom([]state.EntryState{
						state.None, state.Sent, state.Written, state.Written, state.Seen, state.Differs, state.Rejected, state.Conflict,
					}).Draw(rt, "state")
					some = append(some, e)
				}
			}
			if err := claim.Settle(ctx, some); err != nil {
				rt.Fatal(err)
			}
			check(s, fmt.Sprint("run ", no))
		}
		if rapid.IntRange(0, 3).Draw(rt, "another process") == 0 {
			_ = s.Close()
			s = open(t, place, state.Options{})
			if claim, err = s.Take(ctx, "t", "a.example", "test", true); err != nil {
				rt.Fatal(err)
			}
		}
	}
	had := check(s, "at last")
	_ = s.Close()
	older(t, place)
	s = open(t, place, state.Options{})
	defer s.Close()
	if got := check(s, "migrated"); !same(got, had) {
		rt.Fatalf("migrated:\ngot  %v\nwant %v", got, had)
	}
}

// Of an older state some rows cannot be read, and some belong to runs that are pruned.
func TestMigrate_WhatCannotBeReadOfTheJournalProtects(t *testing.T) {
	statetest.Places(t, func(t *testing.T, place string) {
		s := open(t, place, state.Options{})
		no, claim := beginSync(t, s), take(t, s)
		off := "false"
		var rows []state.Entry
		for i, id := range []directory.ID{"whole", "image", "verb", "object", "pruned", "first"} {
			rows = append(rows,
				state.Entry{Run: no, Action: i, State: state.Seen, Verb: state.VerbCreate, Object: directory.Ref{ID: id}},
				state.Entry{
					Run: no, Action: i, Step: 1, State: state.Written, Verb: state.VerbPatch, Object: directory.Ref{ID: id},
					After: state.Image{directory.AccountEnabled: &off}, Server: time.Unix(1.8e9, 0),
				})
		}
		if err := claim.Settle(t.Context(), rows); err != nil {
			t.Fatal(err)
		}
		ours, err := s.Touched(t.Context(), "t")
		if err != nil || len(ours) != 6 || !ours["whole"].Added || ours["whole"].Blocked.IsZero() {
			t.Fatalf("%v, %v", ours, err)
		}
		_ = s.Close()
		older(t, place,
			`UPDATE journal SET after_image = '{"accountEnabled"' WHERE action = 1 AND step = 1`,
			`UPDATE journal SET verb = 'future' WHERE action = 2 AND step = 1`,
			`UPDATE journal SET object = '{"id":' WHERE action = 3 AND step = 1`,
			`UPDATE journal SET run = 4711 WHERE action = 4`,
			`UPDATE journal SET object = '{"id":' WHERE action = 5 AND step = 0`)
		s = open(t, place, state.Options{})
		got, err := s.Touched(t.Context(), "t")
		if err != nil {
			t.Fatal(err)
		}
		protected := state.Touched{SignIn: true}
		want := map[directory.ID]state.Touched{
			"whole": ours["whole"], "image": protected, "verb": protected, "object": protected, "first": protected, "pruned": ours["pruned"],
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got  %v\nwant %v", got, want)
		}
		if left, err := s.Journal(t.Context(), 4711); err != nil || len(left) != 0 {
			t.Errorf("rows that only the old plans needed are kept: %v, %v", left, err)
		}
		// It is done once, and the rows that follow stand on it.
		_ = s.Close()
		s = open(t, place, state.Options{})
		if again, err := s.Touched(t.Context(), "t"); err != nil || !reflect.DeepEqual(again, got) {
			t.Errorf("opened again: %v, %v", again, err)
		}
		next := beginSync(t, s)
		claim, err = s.Take(t.Context(), "t", "a.example", "test", true)
		if err != nil {
			t.Fatal(err)
		}
		err = claim.Settle(t.Context(), []state.Entry{{Run: next, State: state.Seen, Verb: state.VerbDelete, Object: directory.Ref{ID: "whole"}, Server: time.Unix(1.9e9, 0)}})
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := s.Touched(t.Context(), "t"); got["whole"].Added || got["whole"].Deleted.IsZero() || got["whole"].Blocked.IsZero() {
			t.Errorf("after a deletion: %+v", got["whole"])
		}
	})
}

// A step of an older run that turns out to have had no effect, after a newer run wrote
// to the account, leaves nothing to be sure of.
func TestTouched_WhatAnOlderRunDidNotDoIsNotGuessed(t *testing.T) {
	s := open(t, statetest.NewFile(t), state.Options{})
	claim := take(t, s)
	old, next := beginSync(t, s), beginSync(t, s)
	off := "false"
	row := func(run int64, how state.EntryState, after state.Image) state.Entry {
		return state.Entry{Run: run, Action: 1, State: how, Verb: state.VerbPatch, Object: directory.Ref{ID: "a"}, After: after}
	}
	for _, e := range []state.Entry{
		row(old, state.Written, state.Image{directory.AccountEnabled: &off}),
		row(next, state.Seen, state.Image{}),
		row(old, state.Differs, nil),
	} {
		if err := claim.Settle(t.Context(), []state.Entry{e}); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := s.Touched(t.Context(), "t"); err != nil || got["a"] != (state.Touched{SignIn: true}) {
		t.Errorf("%+v, %v", got["a"], err)
	}
}

func TestRecent_AndDeletions(t *testing.T) {
	statetest.Places(t, func(t *testing.T, place string) {
		s := open(t, place, state.Options{})
		no, claim := beginSync(t, s), take(t, s)
		at := time.Unix(1.8e9, 0)
		rows := []state.Entry{
			{Run: no, Action: 2, State: state.Written, Verb: state.VerbDelete, Server: at.Add(2), Answered: at},
			{Run: no, Action: 1, State: state.Seen, Verb: state.VerbDelete, Server: at.Add(9), Answered: at.Add(5)},
			{Run: no, Action: 3, State: state.Seen, Verb: state.VerbPatch, Answered: at.Add(3)},
			{Run: no, Action: 4, State: state.Seen, Verb: state.VerbPatch, Server: at.Add(1), Answered: at.Add(7)},
			{Run: no, Action: 5, State: state.Rejected, Verb: state.VerbDelete, Server: at.Add(9), Answered: at.Add(9)},
		}
		if err := claim.Settle(t.Context(), rows); err != nil {
			t.Fatal(err)
		}
		got, err := s.Recent(t.Context(), "t", at.Add(1))
		var nos []int
		for _, e := range got {
			nos = append(nos, e.Action)
		}
		if err != nil || !slices.Equal(nos, []int{1, 2, 3}) {
			t.Errorf("recent: %v, %v", nos, err)
		}
		if n, err := s.Deletions(t.Context(), "t", at.Add(1)); err != nil || n != 1 {
			t.Errorf("deletions: %d, %v", n, err)
		}
		if n, err := s.Deletions(t.Context(), "t", time.Time{}); err != nil || n != 2 {
			t.Errorf("deletions of all time: %d, %v", n, err)
		}
	})
}
