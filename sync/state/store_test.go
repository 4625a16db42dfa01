package state_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/hacsync/hacsync/sync/consent"
	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/secret"
	"github.com/hacsync/hacsync/sync/state"
	"github.com/hacsync/hacsync/sync/state/statetest"
)

func TestConnections_AreFoundByNameOrAlone(t *testing.T) {
	statetest.Places(t, func(t *testing.T, url string) {
		ctx, s := t.Context(), open(t, url, state.Options{})
		if _, err := s.Connection(ctx, ""); !problem.Has(err, problem.NoSavedData) {
			t.Errorf("none: %v", err)
		}
		one := consent.Connection{Name: "one", Tenant: "t1", LastUsed: time.Unix(100, 0), SignedIn: []directory.ID{"a"}}
		two := consent.Connection{Name: "two", Tenant: "t2", LastUsed: time.Unix(200, 0), TenantName: "会社 \x00"}
		if err := s.SaveConnection(ctx, one); err != nil {
			t.Fatal(err)
		}
		if c, err := s.Connection(ctx, ""); err != nil || c.Name != "one" || !c.LastUsed.Equal(one.LastUsed) {
			t.Errorf("alone: %v %v", c, err)
		}
		if err := s.SaveConnection(ctx, two); err != nil {
			t.Fatal(err)
		}
		_, err := s.Connection(ctx, "")
		if p := problem.Of(err); p == nil || p.Code != problem.WhichConnection || p.Args["connections"] != "two, one" {
			t.Errorf("several: %v", err)
		}
		if c, err := s.Connection(ctx, "two"); err != nil || c.TenantName != two.TenantName {
			t.Errorf("named: %v %v", c, err)
		}
		if _, err := s.Connection(ctx, "three"); !problem.Has(err, problem.NoSavedData) {
			t.Errorf("unknown: %v", err)
		}
		if err := s.SaveConnection(ctx, consent.Connection{}); err == nil {
			t.Error("a connection without a name was saved")
		}
	})
}

// Two processes change one connection: neither loses what the other wrote, and a
// change that fails leaves all as it was.
func TestChangeConnection_LosesNothingOfAnother(t *testing.T) {
	statetest.Places(t, func(t *testing.T, url string) {
		ctx, s := t.Context(), open(t, url, state.Options{})
		if err := s.SaveConnection(ctx, consent.Connection{Name: "n", Tenant: "t", Account: "a"}); err != nil {
			t.Fatal(err)
		}
		var both sync.WaitGroup
		for i := range 8 {
			both.Go(func() {
				err := s.ChangeConnection(ctx, "n", func(c *consent.Connection) error {
					c.Scopes = append(c.Scopes, strconv.Itoa(i))
					return nil
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		both.Wait()
		refused := errors.New("no")
		if err := s.ChangeConnection(ctx, "n", func(c *consent.Connection) error { c.Account = "b"; return refused }); !errors.Is(err, refused) {
			t.Errorf("error %v", err)
		}
		c, err := s.Connection(ctx, "n")
		if err != nil || len(c.Scopes) != 8 || c.Account != "a" || c.Tenant != "t" {
			t.Errorf("%+v, %v", c, err)
		}
	})
}

func TestSaveConnection_KeepsTheEarlierSignIns(t *testing.T) {
	statetest.Places(t, func(t *testing.T, url string) {
		ctx, s := t.Context(), open(t, url, state.Options{})
		for _, c := range []struct {
			tenant string
			id     directory.ID
			want   []directory.ID
		}{
			{"t1", "a", []directory.ID{"a"}},
			{"t1", "b", []directory.ID{"b", "a"}},
			{"t1", "a", []directory.ID{"a", "b"}},
			{"t2", "c", []directory.ID{"c"}},
		} {
			if err := s.SaveConnection(ctx, consent.Connection{Name: "n", Tenant: c.tenant, SignedIn: []directory.ID{c.id}}); err != nil {
				t.Fatal(err)
			}
			if got, err := s.Connection(ctx, "n"); err != nil || !slices.Equal(got.SignedIn, c.want) {
				t.Errorf("%s in %s: %v %v", c.id, c.tenant, got.SignedIn, err)
			}
		}
	})
}

func TestForgetConnection_TakesItsSealedRowsAndLeavesTheRest(t *testing.T) {
	statetest.Places(t, func(t *testing.T, url string) {
		ctx, s := t.Context(), open(t, url, state.Options{})
		for _, name := range []string{"one", "two"} {
			if err := s.SaveConnection(ctx, consent.Connection{Name: name}); err != nil {
				t.Fatal(err)
			}
			if err := s.SaveSealed(ctx, name, "tokens", []byte(name), 0); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.SaveSealed(ctx, "", "key", []byte("key"), 0); err != nil {
			t.Fatal(err)
		}
		if err := s.ForgetConnection(ctx, "one"); err != nil {
			t.Fatal(err)
		}
		for name, want := range map[string]string{"one": "", "two": "two"} {
			if got, _, err := s.Sealed(ctx, name, "tokens"); err != nil || string(got) != want {
				t.Errorf("%s: %q %v", name, got, err)
			}
		}
		for _, name := range []string{"one", ""} {
			if err := s.ForgetConnection(ctx, name); !problem.Has(err, problem.NoSavedData) {
				t.Errorf("forget %q: %v", name, err)
			}
		}
		if got, _, err := s.Sealed(ctx, "", "key"); err != nil || string(got) != "key" {
			t.Errorf("the state's own row: %q %v", got, err)
		}
	})
}

func TestSealed_SeveralRowsChangeAtOnceOrNone(t *testing.T) {
	statetest.Places(t, func(t *testing.T, url string) {
		s, ctx := open(t, url, state.Options{}), t.Context()
		version := func(name string) int64 {
			_, v, err := s.Sealed(ctx, "c", name)
			if err != nil {
				t.Fatal(err)
			}
			return v
		}
		for _, n := range []string{"a", "b"} {
			if err := s.SaveSealed(ctx, "c", n, []byte("old"), 0); err != nil {
				t.Fatal(err)
			}
		}
		a, b := version("a"), version("b")
		for name, changes := range map[string][]secret.Change{
			"a stale one":     {{Name: "a", Sealed: []byte("new"), Version: a}, {Name: "b", Sealed: []byte("new"), Version: a}},
			"one is left out": {{Name: "a", Sealed: []byte("new"), Version: a}},
			"one is there":    {{Name: "a", Sealed: []byte("new"), Version: a}, {Name: "b", Sealed: []byte("new")}},
		} {
			if err := s.ChangeSealed(ctx, "c", changes); !errors.Is(err, state.ErrStale) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if version("a") != a || version("b") != b {
			t.Error("half a change")
		}
		if err := s.ChangeSealed(ctx, "c", []secret.Change{
			{Name: "a", Sealed: []byte("new"), Version: a}, {Name: "b", Sealed: []byte("new"), Version: b}, {Name: "c", Sealed: []byte("new")},
		}); err != nil {
			t.Fatal(err)
		}
		names, err := s.SealedNames(ctx)
		if want := []secret.RowName{{Connection: "c", Name: "a"}, {Connection: "c", Name: "b"}, {Connection: "c", Name: "c"}}; err != nil || !slices.Equal(names, want) {
			t.Errorf("%v %v", names, err)
		}
		if err := s.RemoveSealed(ctx, "c", "a", a); !errors.Is(err, state.ErrStale) {
			t.Errorf("removed another version: %v", err)
		}
		if err := s.RemoveSealed(ctx, "c", "a", version("a")); err != nil || version("a") != 0 {
			t.Errorf("%v", err)
		}
	})
}

func TestSealed_ComparesAndSwaps(t *testing.T) {
	statetest.Places(t, func(t *testing.T, url string) {
		ctx, s := t.Context(), open(t, url, state.Options{})
		if data, v, err := s.Sealed(ctx, "c", "n"); err != nil || v != 0 || data != nil {
			t.Fatalf("%q %d %v", data, v, err)
		}
		if err := s.SaveSealed(ctx, "c", "n", []byte{0, 255}, 0); err != nil {
			t.Fatal(err)
		}
		data, first, err := s.Sealed(ctx, "c", "n")
		if err != nil || first == 0 || !bytes.Equal(data, []byte{0, 255}) {
			t.Fatalf("%q %d %v", data, first, err)
		}
		if err := s.SaveSealed(ctx, "c", "n", []byte("x"), 0); !errors.Is(err, state.ErrStale) {
			t.Errorf("as new: %v", err)
		}
		if err := s.SaveSealed(ctx, "c", "n", []byte("x"), first); err != nil {
			t.Fatal(err)
		}
		if err := s.SaveSealed(ctx, "c", "n", []byte("y"), first); !errors.Is(err, state.ErrStale) {
			t.Errorf("the old version: %v", err)
		}
		// Forgotten and made again, it is another row: a process that still has
		// the first version must not replace it.
		if err := s.ForgetConnection(ctx, "c"); err != nil {
			t.Fatal(err)
		}
		if err := s.SaveSealed(ctx, "c", "n", []byte("z"), 0); err != nil {
			t.Fatal(err)
		}
		if err := s.SaveSealed(ctx, "c", "n", []byte("y"), first); !errors.Is(err, state.ErrStale) {
			t.Errorf("of a row made again: %v", err)
		}
	})
}

func TestSettings_StoreAndRemove(t *testing.T) {
	statetest.Places(t, func(t *testing.T, url string) {
		ctx, s := t.Context(), open(t, url, state.Options{})
		if err := s.SetSettings(ctx, "t", "A.example", map[string]string{"source": "csv:/x", "on_empty": "keep"}); err != nil {
			t.Fatal(err)
		}
		if err := s.SetSettings(ctx, "t", "a.EXAMPLE", map[string]string{"source": "hac", "on_empty": ""}); err != nil {
			t.Fatal(err)
		}
		got, err := s.Settings(ctx, "t", "a.example")
		if err != nil || len(got) != 1 || got["source"] != "hac" {
			t.Errorf("%v %v", got, err)
		}
		if got, err := s.Settings(ctx, "other", "a.example"); err != nil || got == nil || len(got) != 0 {
			t.Errorf("another tenant: %v %v", got, err)
		}
		if _, err := s.BeginRun(ctx, state.Run{Tenant: "t", Domain: "b.example"}); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Domains(ctx, "t"); err != nil || !slices.Equal(got, []string{"a.example", "b.example"}) {
			t.Errorf("%v %v", got, err)
		}
	})
}

func TestDecisions_AreOnePerKey(t *testing.T) {
	statetest.Places(t, func(t *testing.T, url string) {
		ctx, s := t.Context(), open(t, url, state.Options{})
		for _, d := range []state.Decision{{Key: "b", Data: json.RawMessage(`1`)}, {Key: "a", Data: json.RawMessage(`2`)}, {Key: "b", Data: json.RawMessage(`3`)}} {
			if err := s.ChangeDecisions(ctx, "t", "a.example", []state.Decision{d}, nil); err != nil {
				t.Fatal(err)
			}
		}
		got, err := s.Decisions(ctx, "t", "A.example")
		if err != nil || len(got) != 2 || got[0].Key != "b" || string(got[0].Data) != "3" || got[0].ID >= got[1].ID {
			t.Errorf("%v %v", got, err)
		}
		if err := s.ChangeDecisions(ctx, "t", "a.example", nil, []string{"b"}); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Decisions(ctx, "t", "a.example"); err != nil || len(got) != 1 || got[0].Key != "a" {
			t.Errorf("%v %v", got, err)
		}
	})
}

func TestRuns_AreNumberedWithoutGapsFromManySides(t *testing.T) {
	statetest.Places(t, func(t *testing.T, url string) {
		stores := []*state.Store{open(t, url, state.Options{}), open(t, url, state.Options{})}
		var wg sync.WaitGroup
		numbers := make(chan int64, 40)
		for i := range 40 {
			wg.Go(func() {
				no, err := stores[i%2].BeginRun(t.Context(), state.Run{Kind: state.DryRun, Tenant: "t", Domain: "a.example"})
				if err != nil {
					t.Error(err)
				}
				numbers <- no
			})
		}
		wg.Wait()
		close(numbers)
		var all []int64
		for no := range numbers {
			all = append(all, no)
		}
		slices.Sort(all)
		for i, no := range all {
			if no != int64(i+1) {
				t.Fatalf("%v", all)
			}
		}
	})
}

func TestRuns_KeepAndFilter(t *testing.T) {
	statetest.Places(t, func(t *testing.T, url string) {
		ctx, s := t.Context(), open(t, url, state.Options{})
		r := state.Run{
			Kind: state.Sync, Tenant: "t", Connection: "c", Domain: "a.example", State: state.Running,
			Started: time.Date(2026, 11, 25, 1, 2, 3, 456789123, time.UTC), Fingerprint: "ff", PlanOf: 7, By: "山田",
			Note: "T-1", Unattended: true, Source: "csv:/x", Summary: json.RawMessage(`{"add":1}`),
		}
		no, err := s.BeginRun(ctx, r)
		if err != nil {
			t.Fatal(err)
		}
		r.No = no
		if got, err := s.Run(ctx, no); err != nil || fmt.Sprint(got) != fmt.Sprint(r) {
			t.Errorf("got  %v\nwant %v\n%v", got, r, err)
		}
		r.State, r.Ended, r.By, r.Summary, r.Fingerprint = state.Partial, r.Started.Add(time.Hour), "b", json.RawMessage(`{}`), ""
		if err := s.UpdateRun(ctx, r); err != nil {
			t.Fatal(err)
		}
		r.Fingerprint = "ff"
		if got, err := s.Run(ctx, no); err != nil || fmt.Sprint(got) != fmt.Sprint(r) {
			t.Errorf("got  %v\nwant %v\n%v", got, r, err)
		}
		for _, other := range []state.Run{
			{Kind: state.DryRun, Tenant: "t", Domain: "a.example"},
			{Kind: state.Sync, Tenant: "t", Domain: "b.example"},
			{Kind: state.Sync, Tenant: "u", Domain: "a.example"},
		} {
			if _, err := s.BeginRun(ctx, other); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.SavePlan(ctx, 2, "aa", []byte("plan")); err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			filter state.RunFilter
			want   []int64
		}{
			{state.RunFilter{}, []int64{4, 3, 2, 1}},
			{state.RunFilter{Limit: 2}, []int64{4, 3}},
			{state.RunFilter{Tenant: "t"}, []int64{3, 2, 1}},
			{state.RunFilter{Tenant: "t", Domain: "A.EXAMPLE", Kind: state.Sync}, []int64{1}},
			{state.RunFilter{State: state.Running}, []int64{4, 3, 2}},
			{state.RunFilter{WithPlan: true}, []int64{2}},
			{state.RunFilter{Tenant: "none"}, nil},
		} {
			runs, err := s.Runs(ctx, c.filter)
			var got []int64
			for _, r := range runs {
				got = append(got, r.No)
			}
			if err != nil || !slices.Equal(got, c.want) {
				t.Errorf("%+v: %v %v", c.filter, got, err)
			}
		}
		if _, err := s.Run(ctx, 99); !problem.Has(err, problem.RunUnknown) {
			t.Errorf("run 99: %v", err)
		}
		if err := s.UpdateRun(ctx, state.Run{No: 99}); !problem.Has(err, problem.RunUnknown) {
			t.Errorf("update 99: %v", err)
		}
	})
}

func TestPlans_ComeOutAsTheyWentIn(t *testing.T) {
	// Random bytes do not shrink: several pieces.
	big := make([]byte, 3<<20+17)
	rng := rand.NewChaCha8([32]byte{1})
	_, _ = rng.Read(big)
	statetest.Places(t, func(t *testing.T, url string) {
		ctx, s := t.Context(), open(t, url, state.Options{})
		for i, file := range [][]byte{{}, []byte("small"), big, []byte("small again")} {
			no, err := s.BeginRun(ctx, state.Run{Kind: state.DryRun, Tenant: "t", Domain: "a.example"})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := s.Plan(ctx, no); !problem.Has(err, problem.PlanMissing) {
				t.Errorf("before: %v", err)
			}
			if err := s.SavePlan(ctx, no, fmt.Sprint("f", i%2), big); err != nil {
				t.Fatal(err)
			}
			if err := s.SavePlan(ctx, no, fmt.Sprint("f", i%2), file); err != nil {
				t.Fatal(err)
			}
			if got, err := s.Plan(ctx, no); err != nil || !bytes.Equal(got, file) {
				t.Errorf("plan %d: %d bytes of %d, %v", i, len(got), len(file), err)
			}
			if r, err := s.Run(ctx, no); err != nil || r.Fingerprint != fmt.Sprint("f", i%2) {
				t.Errorf("plan %d: fingerprint %q %v", i, r.Fingerprint, err)
			}
		}
		for f, want := range map[string]int64{"f0": 3, "f1": 4, "f2": 0} {
			if got, err := s.PlanKnown(ctx, "t", f); err != nil || got != want {
				t.Errorf("%s: run %d %v", f, got, err)
			}
		}
		if got, err := s.PlanKnown(ctx, "another tenant", "f0"); err != nil || got != 0 {
			t.Errorf("another tenant knows the plan: %d %v", got, err)
		}
		if err := s.SavePlan(ctx, 99, "f", nil); !problem.Has(err, problem.RunUnknown) {
			t.Errorf("run 99: %v", err)
		}
	})
}

func TestUseRaise_IsSpentOnce(t *testing.T) {
	statetest.Places(t, func(t *testing.T, url string) {
		s := open(t, url, state.Options{})
		var wg sync.WaitGroup
		var mu sync.Mutex
		spent := 0
		for range 8 {
			wg.Go(func() {
				first, err := s.UseRaise(t.Context(), "t", "ff")
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				if first {
					spent++
				}
			})
		}
		wg.Wait()
		if spent != 1 {
			t.Errorf("spent %d times", spent)
		}
		if first, err := s.UseRaise(t.Context(), "other", "ff"); err != nil || !first {
			t.Errorf("another tenant: %v %v", first, err)
		}
	})
}

func TestRemember_Adds(t *testing.T) {
	statetest.Places(t, func(t *testing.T, url string) {
		ctx, s := t.Context(), open(t, url, state.Options{})
		many := map[string][]string{}
		for i := range 1200 {
			many[fmt.Sprintf("user%d", i)] = []string{"surname"}
		}
		for _, known := range []map[string][]string{many, {"user7": {"department", "surname"}, "new": {"b", "a", "b"}}, {"user7": {"surname"}}, nil} {
			if err := s.Remember(ctx, "t", "a.example", known); err != nil {
				t.Fatal(err)
			}
		}
		got, err := s.Known(ctx, "t", "A.example")
		if err != nil || len(got) != 1201 {
			t.Fatalf("%d keys, %v", len(got), err)
		}
		if !slices.Equal(got["user7"], []string{"department", "surname"}) || !slices.Equal(got["new"], []string{"a", "b"}) {
			t.Errorf("%v %v", got["user7"], got["new"])
		}
		if other, err := s.Known(ctx, "t", "b.example"); err != nil || len(other) != 0 {
			t.Errorf("another domain: %v %v", other, err)
		}
	})
}
