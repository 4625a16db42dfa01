package state_test

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/state"
	"github.com/hacsync/hacsync/sync/state/statetest"
)

// setClock is a clock whose time is set by the test.
type setClock struct{ now time.Time }

func (c *setClock) Now() time.Time { return c.now }
func (c *setClock) Sleep(ctx context.Context, _ time.Duration) error {
	<-ctx.Done() // nothing beats
	return ctx.Err()
}

const days = 24 * time.Hour

// TestPrune_RemovesWhatIsOldAndNothingThatIsNeeded draws sync logs. The oracle
// decides for each run separately whether it is still needed.
func TestPrune_RemovesWhatIsOldAndNothingThatIsNeeded(t *testing.T) {
	statetest.Places(t, func(t *testing.T, place string) {
		c := &setClock{now: time.Unix(1.8e9, 0)}
		s := open(t, place, state.Options{Clock: c})
		n := 0
		rapid.Check(t, func(rt *rapid.T) {
			n++
			if n > 25 && strings.HasPrefix(place, "postgres") {
				return // enough: slower, and the same statements
			}
			ctx := context.Background()
			tenant := fmt.Sprint("t", n)
			keep := time.Duration(rapid.SampledFrom([]int{1, 20, 60, 90}).Draw(rt, "keep")) * days
			plans := time.Duration(rapid.SampledFrom([]int{0, 3, 30}).Draw(rt, "plans")) * days
			var runs []state.Run
			planned := map[int64]bool{}
			for range rapid.IntRange(1, 12).Draw(rt, "runs") {
				r := state.Run{
					Tenant: tenant, Domain: rapid.SampledFrom([]string{"a.example", "b.example"}).Draw(rt, "domain"),
					Kind:  rapid.SampledFrom([]state.RunKind{state.DryRun, state.DryRun, state.Sync, state.Undo}).Draw(rt, "kind"),
					State: rapid.SampledFrom([]state.RunState{state.Running, state.Stopped, state.Done, state.Failed, state.Abandoned}).Draw(rt, "state"),
				}
				age := time.Duration(rapid.IntRange(0, 120).Draw(rt, "age")) * days
				r.Started = c.now.Add(-age)
				if r.State != state.Running {
					r.Ended = r.Started
				}
				no, err := s.BeginRun(ctx, r)
				if err != nil {
					rt.Fatal(err)
				}
				r.No = no
				if rapid.Bool().Draw(rt, "plan") {
					now := c.now
					c.now = r.Started
					if err := s.SavePlan(ctx, no, fmt.Sprintf("%x", no), []byte("a plan")); err != nil {
						rt.Fatal(err)
					}
					c.now = now
					planned[no] = true
				}
				runs = append(runs, r)
			}
			slices.SortFunc(runs, func(x, y state.Run) int { return int(y.No - x.No) })
			if _, err := s.Prune(ctx, state.Pruning{Runs: keep, Plans: plans}); err != nil {
				rt.Fatal(err)
			}
			for i, r := range runs {
				newest, newestPlan := true, r.Kind == state.DryRun && r.State == state.Done && planned[r.No]
				for _, o := range runs[:i] {
					if o.Domain == r.Domain && o.Kind == r.Kind {
						newest = false
						newestPlan = newestPlan && !(o.State == state.Done && planned[o.No])
					}
				}
				age := c.now.Sub(r.Started)
				var stays bool
				switch {
				case newest, newestPlan:
					stays = true
				case r.Kind == state.DryRun:
					stays = age <= keep
				case r.State == state.Running || r.State == state.Stopped:
					stays = true // it can be resumed
				default:
					stays = age <= keep || age <= 31*days // it can be undone
				}
				_, err := s.Run(ctx, r.No)
				if stays != (err == nil) || err != nil && !problem.Has(err, problem.RunUnknown) {
					rt.Fatalf("%s %s of %v, kept %v: stays %t, but %v", r.State, r.Kind, age, keep, stays, err)
				}
				planAge := plans
				if planAge == 0 {
					planAge = keep
				}
				planStays := planned[r.No] && stays && (r.Kind != state.DryRun || newest || newestPlan || age <= planAge)
				_, err = s.Plan(ctx, r.No)
				if planStays != (err == nil) || err != nil && !problem.Has(err, problem.PlanMissing) {
					rt.Fatalf("plan of %s %s of %v, kept %v: stays %t, but %v", r.State, r.Kind, age, plans, planStays, err)
				}
			}
		})
	})
}

func TestPrune_JournalsGoWithTheirRunsAndWhatTheyDidToAccountsStays(t *testing.T) {
	statetest.Places(t, func(t *testing.T, place string) {
		c := &setClock{now: time.Unix(1.8e9, 0)}
		s := open(t, place, state.Options{Clock: c})
		claim, err := s.Take(t.Context(), "t", "a.example", "test", false)
		if err != nil {
			t.Fatal(err)
		}
		off := "false"
		blocked := state.Image{directory.AccountEnabled: &off}
		for range 3 {
			no := beginSync(t, s)
			var rows []state.Entry
			for i := range 30 {
				verb := state.VerbPatch
				if i%10 == 0 {
					verb = state.VerbCreate
				}
				rows = append(rows, state.Entry{
					Run: no, Action: i + 1, State: state.Seen, Kind: "x", Verb: verb, Answered: c.now,
					Object: directory.Ref{ID: directory.ID(strconv.Itoa(i + 1))}, After: blocked,
				})
			}
			if err := claim.Settle(t.Context(), rows); err != nil {
				t.Fatal(err)
			}
			if err := claim.UpdateRun(t.Context(), state.Run{No: no, State: state.Done, Ended: c.now}); err != nil {
				t.Fatal(err)
			}
			c.now = c.now.Add(40 * days)
		}
		if err := s.ChangeDecisions(t.Context(), "t", "a.example", []state.Decision{{Key: "k", Data: []byte("{}")}}, nil); err != nil {
			t.Fatal(err)
		}
		if _, err := s.UseRaise(t.Context(), "t", "ff"); err != nil {
			t.Fatal(err)
		}
		before, err := s.Touched(t.Context(), "t")
		if err != nil || len(before) != 30 || !before["9"].Blocked.Equal(time.Unix(1.8e9, 0).Add(80*days)) || !before["1"].Added {
			t.Fatalf("%v, %v", before, err)
		}
		got, err := s.Prune(t.Context(), state.Pruning{Runs: days})
		if err != nil || got != (state.Pruned{Runs: 2, Rows: 60}) {
			t.Errorf("%+v, %v", got, err)
		}
		for no, want := range map[int64]int{1: 0, 2: 0, 3: 30} {
			if rows, err := s.Journal(t.Context(), no); err != nil || len(rows) != want {
				t.Errorf("run %d has %d rows, want %d, %v", no, len(rows), want, err)
			}
		}
		if ds, err := s.Decisions(t.Context(), "t", "a.example"); err != nil || len(ds) != 1 {
			t.Errorf("decisions %v %v", ds, err)
		}
		if fresh, err := s.UseRaise(t.Context(), "t", "ff"); err != nil || fresh {
			t.Errorf("a raise can be used again: %v", err)
		}
		if after, err := s.Touched(t.Context(), "t"); err != nil || !reflect.DeepEqual(after, before) {
			t.Errorf("what was done to accounts went with the journal: %v, %v", after, err)
		}
		if got, err := s.Prune(t.Context(), state.Pruning{Runs: days}); err != nil || got != (state.Pruned{}) {
			t.Errorf("again: %+v, %v", got, err)
		}
	})
}
