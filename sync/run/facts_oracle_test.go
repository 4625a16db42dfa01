package run_test

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/state"
	"github.com/hacsync/hacsync/sync/state/statetest"
)

// fromJournal is what every plan once did: it reads the journal of a tenant since its
// beginning. Of the facts it has all but those about recent writes.
func fromJournal(ctx context.Context, s *state.Store, begun time.Time, marked map[string]state.Account) (plan.Facts, error) {
	f := plan.Facts{
		Blocked: map[directory.ID]bool{}, Added: map[directory.ID]bool{}, Restored: map[directory.ID]bool{},
		Deleted: map[directory.ID]bool{}, Undone: map[directory.ID]bool{},
	}
	entries, err := s.JournalSince(ctx, "t-1", "", time.Time{})
	if err != nil {
		return f, err
	}
	runs, err := s.Runs(ctx, state.RunFilter{Tenant: "t-1", Kind: state.Undo})
	if err != nil {
		return f, err
	}
	slices.SortFunc(runs, func(x, y state.Run) int { return int(x.No - y.No) })
	undo := map[int64]bool{}
	for _, r := range runs {
		undo[r.No] = !undo[r.PlanOf]
	}
	slices.SortFunc(entries, func(x, y state.Entry) int {
		return cmp.Or(cmp.Compare(x.Run, y.Run), cmp.Compare(x.Action, y.Action), cmp.Compare(x.Step, y.Step))
	})
	made := map[directory.ID]bool{}
	for i := range entries {
		e := &entries[i]
		if e.State != state.Written && e.State != state.Seen {
			continue
		}
		id := e.Object.ID
		if undo[e.Run] {
			f.Undone[id] = true
		} else {
			delete(f.Undone, id)
		}
		if e.Unread {
			delete(made, id)
			delete(f.Added, id)
			delete(f.Restored, id)
			f.Blocked[id] = false
			continue
		}
		switch e.Verb {
		case state.VerbCreate:
			f.Added[id], made[id] = true, true
		case state.VerbDelete:
			if begun.Sub(e.When()) < 30*day {
				f.Deleted[id] = true
			}
			delete(f.Added, id)
			delete(f.Restored, id)
		case state.VerbRestore:
			delete(f.Deleted, id)
			f.Restored[id] = true
			if made[id] {
				f.Added[id] = true
			}
		case state.VerbPatch, state.VerbPatchUPN:
		}
		if v, ok := e.After.Get(directory.AccountEnabled); ok {
			f.Blocked[id] = v.Text == "false" && !marked[string(id)].Enabled.After(e.When())
		}
	}
	return f, nil
}

// sameFacts compares what the state says now with what its whole journal says.
func (p *process) sameFacts(t fataler, a *arena) {
	t.Helper()
	ctx := context.Background()
	b := directory.NewBuilder(directory.Destination, nil)
	users, err := b.Seal(directory.Proof{Ended: true}, directory.About{})
	if err != nil {
		t.Fatalf("%v", err)
	}
	marked := map[string]state.Account{}
	err = p.store.EachAccount(ctx, "t-1", domain, func(acc state.Account) error {
		marked[acc.ID] = acc
		return nil
	})
	if err != nil {
		t.Fatalf("%v", err)
	}
	got, err := p.Facts(ctx, users, a.clock.Now(), marked)
	if err != nil {
		t.Fatalf("%v", err)
	}
	want, err := fromJournal(ctx, p.store, a.clock.Now(), marked)
	if err != nil {
		t.Fatalf("%v", err)
	}
	got.Recent = nil
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("what is known of accounts:\ngot  %+v\nwant %+v", got, want)
	}
}

// Accounts are added, blocked, let in, deleted and restored; syncs are stopped and
// killed, resumed, undone, and undone again. At each moment a plan rests on the same
// facts as if it had read the journal from its beginning.
func TestFacts_AreWhatTheWholeJournalSays(t *testing.T) {
	base, n := quickDir(t), 0
	var marks [5]int // of those worlds: how often something was added, blocked, and so on
	rapid.Check(t, func(rt *rapid.T) {
		n++
		a := randomArena(rt, filepath.Join(base, fmt.Sprintf("f%d.db", n)))
		a.tenant.before, a.tenant.after = faults(rapid.Uint64().Draw(rt, "faults"), rapid.IntRange(0, 20).Draw(rt, "fault percent"))
		ctx := context.Background()
		for range rapid.IntRange(2, 6).Draw(rt, "lives") {
			g := &gate{}
			if rapid.Bool().Draw(rt, "dies") {
				g.at, g.behind = rapid.IntRange(1, 60).Draw(rt, "dies at"), rapid.Bool().Draw(rt, "behind")
			}
			p := a.start(rt, g)
			if err := p.SetSettings(ctx, domain, map[string]string{"source": "hac", "on_disabled": "block-sign-in"}); err != nil {
				rt.Fatalf("%v", err)
			}
			for range rapid.IntRange(0, 4).Draw(rt, "changes") {
				i := rapid.IntRange(0, len(a.source.rows)-1).Draw(rt, "row")
				switch rapid.IntRange(0, 2).Draw(rt, "change") {
				case 0:
					a.source.rows[i].Marks ^= directory.Enabled
				case 1:
					a.source.rows = append(a.source.rows, user(fmt.Sprintf("n%02d@%s", len(a.source.rows), domain), "", "新"))
				case 2:
					if len(a.source.rows) > 3 {
						a.source.rows = slices.Delete(slices.Clone(a.source.rows), i, i+1)
					}
				}
			}
			a.meddle(rt)
			if rapid.IntRange(0, 2).Draw(rt, "undo") == 0 {
				if runs, err := p.store.Runs(ctx, state.RunFilter{Kinds: []state.RunKind{state.Sync, state.Undo}}); err == nil && len(runs) > 0 {
					_, _ = p.undoAll(ctx, rapid.SampledFrom(runs).Draw(rt, "of").No)
				}
			} else {
				_ = p.recover(ctx)
			}
			p.sameFacts(rt, a)
			all, err := p.store.Touched(ctx, "t-1")
			if err != nil {
				rt.Fatalf("%v", err)
			}
			for _, x := range all {
				for i, is := range []bool{x.Added, x.Restored, x.Undone, !x.Blocked.IsZero(), !x.Deleted.IsZero()} {
					if is {
						marks[i]++
					}
				}
			}
			_ = p.store.Close()
			_ = a.clock.Sleep(ctx, time.Hour)
		}
	})
	t.Logf("added, restored, undone, blocked, deleted: %v", marks)
	if slices.Min(marks[:]) == 0 {
		t.Errorf("some of this never happened: %v", marks)
	}
}

// A first sync added 200,000 accounts. What every dry run after it reads of that:
// before, the journal whole; now, the table and the last quarter of an hour.
func BenchmarkFacts_After200000Additions(b *testing.B) {
	const added = 200_000
	ctx := b.Context()
	users, err := directory.NewBuilder(directory.Destination, nil).Seal(directory.Proof{Ended: true}, directory.About{})
	if err != nil {
		b.Fatal(err)
	}
	for name, place := range map[string]func(testing.TB) string{"sqlite": statetest.NewFile, "postgres": statetest.NewDatabase} {
		b.Run(name, func(b *testing.B) {
			a := &arena{tenant: newTenant(time.Now), source: &list{}, clock: &still{now: time.Unix(1.8e9, 0)}, url: place(b)}
			p := a.start(b, &gate{})
			defer p.store.Close()
			no, err := p.store.BeginRun(ctx, state.Run{Kind: state.Sync, Tenant: "t-1", Domain: domain})
			if err != nil {
				b.Fatal(err)
			}
			claim, err := p.store.Take(ctx, "t-1", domain, "test", false)
			if err != nil {
				b.Fatal(err)
			}
			name, on := "山田 太郎", "true"
			rows := make([]state.Entry, added)
			for i := range rows {
				upn := fmt.Sprintf("user%06d@%s", i, domain)
				at := a.clock.now.Add(-24 * time.Hour).Add(time.Duration(i) * time.Millisecond)
				rows[i] = state.Entry{
					Run: no, Action: i + 1, State: state.Seen, Kind: state.KindAdd, Verb: state.VerbCreate, Attempt: 1,
					Object: directory.Ref{ID: directory.ID(fmt.Sprintf("%08x-0000-4000-8000-%012x", i, i)), UPN: upn},
					Before: state.Image{}, Answered: at, Server: at,
					After: state.Image{
						directory.UserPrincipalName: &upn, directory.DisplayName: &name, directory.Surname: &name,
						directory.GivenName: &name, directory.AccountEnabled: &on,
					},
				}
			}
			for some := range slices.Chunk(rows, 5000) {
				if err := claim.Settle(ctx, some); err != nil {
					b.Fatal(err)
				}
			}
			b.Run("journal", func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if f, err := fromJournal(ctx, p.store, a.clock.Now(), nil); err != nil || len(f.Added) != added {
						b.Fatal(len(f.Added), err)
					}
				}
			})
			b.Run("table", func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if f, err := p.Facts(ctx, users, a.clock.Now(), nil); err != nil || len(f.Added) != added {
						b.Fatal(len(f.Added), err)
					}
				}
			})
		})
	}
}
