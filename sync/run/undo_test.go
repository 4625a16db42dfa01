package run_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/hacsync/hacsync/sync/destination"
	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/run"
	"github.com/hacsync/hacsync/sync/state"
)

// picture is what there is of the live accounts, by ID.
func (t *tenant) picture() map[directory.ID]string {
	all := map[directory.ID]string{}
	for id, u := range t.users {
		all[id] = fmt.Sprintf("%s %q %v enabled=%v", strings.ToLower(u.UPN), u.ImmutableID, u.Values, u.Marks.Has(directory.Enabled))
	}
	return all
}

// wantPicture compares the live accounts with an earlier picture.
func (a *arena) wantPicture(t fataler, want map[directory.ID]string) {
	t.Helper()
	got := a.tenant.picture()
	for _, id := range slices.Sorted(maps.Keys(want)) {
		if got[id] != want[id] {
			t.Errorf("account %s is %s, want %s", id, or(got[id]), want[id])
		}
	}
	for id, is := range got {
		if _, ok := want[id]; !ok {
			t.Errorf("account %s is there: %s", id, is)
		}
	}
}

func or(s string) string {
	if s == "" {
		return "not there"
	}
	return s
}

// undoAll undoes a run as a person does who wants exactly that.
func (p *process) undoAll(ctx context.Context, no int64) (*run.Report, error) {
	planned, err := p.Undo(ctx, no)
	if err != nil {
		return nil, err
	}
	a := approval(planned)
	a.RaiseOnce = planned.Plan.Verdict().Cancelled
	return p.Sync(ctx, planned, a)
}

func TestRule8_UndoGivesTheTenantAsBeforeAndCanBeUndone(t *testing.T) {
	a := everything(t, quickDir(t))
	p := a.start(t, &gate{})
	defer p.store.Close()
	before := a.tenant.picture()
	did, err := p.approveAll(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	after := a.tenant.picture()

	planned, err := p.Undo(t.Context(), did.Run)
	if err != nil {
		t.Fatal(err)
	}
	if n := planned.Plan.SkipLen(); n != 0 {
		t.Errorf("%d skips, first %v", n, planned.Plan.Skip(0).Why)
	}
	if planned.Plan.Undoes() != did.Run || planned.Run != did.Run {
		t.Errorf("undoes run %d, want %d", planned.Plan.Undoes(), did.Run)
	}
	c := planned.Plan.Counts()
	want := did.Plan.Counts()
	if c.Delete != want.Add+want.Restore || c.Restore != want.Delete || c.Rename != want.Rename || c.Update != want.Update || c.Add != 0 {
		t.Errorf("counts = %+v, the inverse of %+v", c, want)
	}
	if c.Touchable != c.Unchanged+c.Update+c.Rename-c.MovedIn+c.Delete+c.DestinationHeld {
		t.Errorf("the sums do not agree: %+v", c)
	}
	// The guard stands before an undo as before any sync.
	if !planned.Plan.Verdict().Cancelled {
		t.Fatalf("verdict = %+v, want cancelled: %d of %d", planned.Plan.Verdict(), c.Delete, c.Touchable)
	}
	writes := len(a.tenant.writes)
	if _, err := p.Sync(t.Context(), planned, approval(planned)); !problem.Has(err, problem.GuardCancels) {
		t.Fatalf("error = %v, want the guard's", err)
	}
	if len(a.tenant.writes) != writes {
		t.Fatal("the guard let something be written")
	}
	// Planned again, it is the same plan.
	again, err := p.Undo(t.Context(), did.Run)
	if err != nil || again.Plan.Fingerprint() != planned.Plan.Fingerprint() {
		t.Errorf("planned twice: %v, %v", again, err)
	}

	undone, err := p.undoAll(t.Context(), did.Run)
	if err != nil {
		t.Fatal(err)
	}
	if undone.State != state.Done || undone.Seen != undone.Planned {
		t.Errorf("report = %+v", undone)
	}
	a.wantPicture(t, before)
	if r, err := p.store.Run(t.Context(), undone.Run); err != nil || r.Kind != state.Undo || r.PlanOf != did.Run {
		t.Errorf("entered as %+v, %v", r, err)
	}

	// Later plans say which rows were put back.
	next, err := p.DryRun(t.Context(), domain, run.Overrides{Source: "hac"})
	if err != nil {
		t.Fatal(err)
	}
	marked := 0
	for x := range next.Plan.Actions() {
		for _, w := range x.Warnings {
			if w.Code == problem.UndoneBefore {
				marked++
			}
		}
	}
	if marked != next.Plan.Len() || marked == 0 {
		t.Errorf("%d of %d rows are marked as undone before", marked, next.Plan.Len())
	}

	redone, err := p.undoAll(t.Context(), undone.Run)
	if err != nil {
		t.Fatal(err)
	}
	if redone.Plan.SkipLen() != 0 {
		t.Errorf("skipped %v", redone.Plan.Skip(0).Why)
	}
	a.wantPicture(t, after)
	a.check(t, p.store)
	if again, err := p.Undo(t.Context(), undone.Run); err != nil || again.Plan.Len() != 0 {
		t.Errorf("undone twice: %v, %v; want nothing left to do", again, err)
	}
}

// TestRule8_KilledAtEveryCallAnUndoResumes kills an undo at each of its calls,
// before and after their effect.
func TestRule8_KilledAtEveryCallAnUndoResumes(t *testing.T) {
	setUp := func(t *testing.T) (*arena, map[directory.ID]string, int64) {
		a := everything(t, quickDir(t))
		before := a.tenant.picture()
		p := a.start(t, &gate{})
		defer p.store.Close()
		did, err := p.approveAll(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return a, before, did.Run
	}
	count := &gate{}
	a, before, no := setUp(t)
	p := a.start(t, count)
	if _, err := p.undoAll(t.Context(), no); err != nil {
		t.Fatal(err)
	}
	a.wantPicture(t, before)
	_ = p.store.Close()
	t.Logf("an undo crosses %d times", count.crossed)
	for at := 1; at <= count.crossed; at++ {
		for _, behind := range []bool{false, true} {
			t.Run(fmt.Sprintf("%d %s behind=%v", at, count.names[at-1], behind), func(t *testing.T) {
				a, before, no := setUp(t)
				dies := a.start(t, &gate{at: at, behind: behind})
				if _, err := dies.undoAll(t.Context(), no); err == nil && at < count.crossed-1 {
					t.Fatal("the process was not killed")
				}
				_ = dies.store.Close()
				next := a.start(t, &gate{})
				defer next.store.Close()
				if err := next.recoverUndo(t.Context(), no); err != nil {
					t.Fatal(err)
				}
				a.wantPicture(t, before)
				a.onceEach(t)
			})
		}
	}
}

// recoverUndo resumes an interrupted undo, or starts it if it was never entered
// or its plan never stored, or if something was refused.
func (p *process) recoverUndo(ctx context.Context, no int64) error {
	runs, err := p.store.Runs(ctx, state.RunFilter{Kind: state.Undo, Limit: 1})
	if err != nil {
		return err
	}
	if len(runs) == 1 && (runs[0].State == state.Running || runs[0].State == state.Stopped) {
		rep, err := p.Resume(ctx, runs[0].No)
		if err == nil && rep.State == state.Done {
			return nil // else what was refused is undone by another undo
		}
		if err != nil && !benign(err) {
			return err
		}
	}
	_, err = p.undoAll(ctx, no)
	return err
}

// onceEach checks that no request had its effect twice.
func (a *arena) onceEach(t fataler) {
	t.Helper()
	seen := map[string]int{}
	for _, w := range a.tenant.writes {
		if strings.HasPrefix(w, fmt.Sprint(int(plan.Create))) || strings.HasPrefix(w, fmt.Sprint(int(plan.DeleteUser))) ||
			strings.HasPrefix(w, fmt.Sprint(int(plan.RestoreUser))) {
			seen[w]++
		}
	}
	for w, n := range seen {
		if n > 1 {
			t.Errorf("%q had its effect %d times", w, n)
		}
	}
}

// TestRule8_RandomSyncsAreUndoneAndRedone draws tenants, sources, faults, deaths,
// and changes that somebody makes between a sync and its undo.
func TestRule8_RandomSyncsAreUndoneAndRedone(t *testing.T) {
	base := quickDir(t)
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		a := randomArena(rt, filepath.Join(base, fmt.Sprintf("u%d.db", n)))
		before := a.tenant.picture()
		ctx := context.Background()
		p := a.start(rt, &gate{})
		did, err := p.approveAll(ctx)
		if err != nil {
			rt.Fatalf("sync: %v", err)
		}
		after := a.tenant.picture()

		// Somebody changes some of the accounts that are there now.
		touched := map[directory.ID]string{}
		for _, id := range slices.Sorted(maps.Keys(a.tenant.users)) {
			if rapid.IntRange(0, 9).Draw(rt, "touched") > 0 || a.tenant.users[id].Marks.Any(untouchable) {
				continue
			}
			next := *a.tenant.users[id]
			next.Values = slices.Clone(next.Values)
			next.Values[0] = directory.Text("手で " + string(id[len(id)-3:]))
			a.tenant.users[id] = &next
			touched[id] = next.Values[0].Text
		}
		_ = p.store.Close()

		seed := rapid.Uint64().Draw(rt, "faults")
		a.tenant.before, a.tenant.after = faults(seed, rapid.IntRange(0, 30).Draw(rt, "fault percent"))
		var undone int64
		for life := 0; ; life++ {
			if life > 40 {
				rt.Fatalf("not done after %d lives", life)
			}
			g := &gate{}
			if life < 3 {
				g.at, g.behind = rapid.IntRange(0, 40).Draw(rt, "dies at"), rapid.Bool().Draw(rt, "behind")
			} else {
				a.tenant.before, a.tenant.after = nil, nil
			}
			p := a.start(rt, g)
			err := p.recoverUndo(ctx, did.Run)
			if life >= 3 && problem.Has(err, problem.RaiseSpent) {
				_ = p.store.Close()
				return // the same plan again: its raise was used by the one that was refused
			}
			if life >= 3 && err != nil && !problem.Has(err, problem.UndoNothing) && !errors.Is(err, errKilled) {
				rt.Fatalf("life %d: %v", life, err)
			}
			if runs, e := p.store.Runs(ctx, state.RunFilter{Kind: state.Undo}); e == nil && len(runs) == 1 {
				undone = runs[0].No
			} else {
				undone = 0
			}
			_ = p.store.Close()
			if life >= 3 && (err == nil || problem.Has(err, problem.UndoNothing)) {
				break
			}
		}
		now := a.tenant.picture()
		for id, text := range touched {
			u := a.tenant.users[id]
			if u == nil || u.Values[0].Text != text {
				rt.Errorf("what somebody wrote to %s was overwritten or deleted", id)
			}
		}
		for id, was := range before {
			if _, ok := touched[id]; !ok && now[id] != was {
				rt.Errorf("account %s is %s, was %s", id, or(now[id]), was)
			}
		}
		for id := range now {
			_, was := before[id]
			if _, ok := touched[id]; !was && !ok {
				rt.Errorf("account %s, which the sync added, is still there", id)
			}
		}
		if undone == 0 {
			return // nothing was to do, or it took several undos
		}
		p = a.start(rt, &gate{})
		defer p.store.Close()
		rep, err := p.undoAll(ctx, undone)
		if err != nil && !problem.Has(err, problem.UndoNothing) {
			rt.Fatalf("undo of the undo: %v, drifted %+v", err, drifts(rep))
		}
		now = a.tenant.picture()
		for id, was := range after {
			if _, ok := touched[id]; !ok && now[id] != was {
				rt.Errorf("redone, account %s is %s, want %s", id, or(now[id]), was)
			}
		}
	})
}

func TestUndo_ConflictsAreLeftAloneAndListed(t *testing.T) {
	w := mixed(t)
	first := w.dry(t)
	rep, err := w.Sync(t.Context(), first, approval(first))
	if err != nil {
		t.Fatal(err)
	}
	for id, u := range w.tenant.users {
		switch u.UPN {
		case "user003@" + domain: // updated; its new name is changed once more
			u.Values[0] = directory.Text("別の名")
		case "new@" + domain: // added, and licensed since
			w.tenant.users[id].Marks |= directory.Licensed | directory.ExchangePlan
		}
	}
	for id, u := range w.tenant.bin {
		if u.UPN == "gone@"+domain { // purged by hand
			delete(w.tenant.bin, id)
		}
	}
	time.Sleep(30 * time.Millisecond) // half an hour of the tenant's time
	p, err := w.Undo(t.Context(), rep.Run)
	if err != nil {
		t.Fatal(err)
	}
	wantCounts(t, p.Plan, 0, 0, 1, 0, 0)
	got := map[problem.Code]problem.Args{}
	for s := range p.Plan.Skips() {
		got[s.Why.Code] = s.Why.Args
	}
	for _, code := range []problem.Code{problem.UndoChanged, problem.UndoLicensed, problem.UndoGone} {
		if got[code] == nil {
			t.Errorf("no %s among %v", code, got)
		}
	}
	if c := got[problem.UndoChanged]; c["before"] != "山田 003" || c["wrote"] != "山田 改" || c["now"] != "別の名" {
		t.Errorf("the conflict has %v", c)
	}
	if _, err := w.Sync(t.Context(), p, approval(p)); err != nil {
		t.Fatal(err)
	}
	for _, u := range w.tenant.users {
		if u.ImmutableID == "imm003==" && u.Values[0].Text != "別の名" {
			t.Errorf("overwritten with %q", u.Values[0].Text)
		}
	}
}

func TestUndo_WhatChangesBetweenReviewAndUndoIsDrift(t *testing.T) {
	w := mixed(t)
	first := w.dry(t)
	rep, err := w.Sync(t.Context(), first, approval(first))
	if err != nil {
		t.Fatal(err)
	}
	p, err := w.Undo(t.Context(), rep.Run)
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range w.tenant.users {
		if u.UPN == "new@"+domain {
			u.Values[1] = directory.Text("使用中")
		}
	}
	writes := len(w.tenant.writes)
	refused, err := w.Sync(t.Context(), p, approval(p))
	if !problem.Has(err, problem.PlanDrifted) || len(w.tenant.writes) != writes || len(refused.Drifted) != 1 {
		t.Fatalf("error = %v, drifted = %v", err, refused)
	}
	a := approval(p)
	a.SkipDrifted = true
	if _, err := w.Sync(t.Context(), p, a); err != nil {
		t.Fatal(err)
	}
	for _, u := range w.tenant.bin {
		if u.UPN == "new@"+domain {
			t.Error("an account in use was deleted")
		}
	}
	// The source was not read for any of it.
	w.source.err = errors.New("must not be read")
	if p, err = w.Undo(t.Context(), rep.Run); err != nil {
		t.Fatal(err)
	}
	if _, err = w.Sync(t.Context(), p, approval(p)); err != nil {
		t.Fatal(err)
	}
}

func TestUndo_AStoppedSyncIsUndoneAndThenGivenUp(t *testing.T) {
	a := everything(t, quickDir(t))
	before := a.tenant.picture()
	dies := a.start(t, &gate{at: 24, behind: true})
	if _, err := dies.approveAll(t.Context()); !errors.Is(err, errKilled) {
		t.Fatalf("error = %v", err)
	}
	_ = dies.store.Close()
	p := a.start(t, &gate{})
	defer p.store.Close()
	open, err := p.Interrupted(t.Context())
	if err != nil || len(open) != 1 {
		t.Fatalf("interrupted: %v, %v", open, err)
	}
	if len(a.tenant.writes) == 0 {
		t.Fatal("killed before anything was written")
	}
	if _, err := p.Undo(t.Context(), open[0].No); err != nil {
		t.Fatal(err)
	}
	if still, err := p.Interrupted(t.Context()); err != nil || len(still) != 1 {
		t.Fatalf("planning an undo gave the sync up: %v, %v", still, err)
	}
	if _, err := p.undoAll(t.Context(), open[0].No); err != nil {
		t.Fatal(err)
	}
	a.wantPicture(t, before)
	if r, err := p.store.Run(t.Context(), open[0].No); err != nil || r.State != state.Abandoned {
		t.Errorf("run is %s, want abandoned", r.State)
	}
}

func TestUndo_RunsThatCannotBeUndone(t *testing.T) {
	w := mixed(t)
	p := w.dry(t)
	if _, err := w.Undo(t.Context(), p.Run); !problem.Has(err, problem.UndoDryRun) {
		t.Errorf("a dry run: %v", err)
	}
	if _, err := w.Undo(t.Context(), 99); !problem.Has(err, problem.RunUnknown) {
		t.Errorf("no run: %v", err)
	}
	// A sync that was refused wrote nothing.
	for _, u := range w.tenant.users {
		if u.UPN == "user003@"+domain {
			u.Values[0] = directory.Text("drifted")
		}
	}
	rep, err := w.Sync(t.Context(), p, approval(p))
	if err == nil || rep == nil {
		t.Fatalf("not refused: %v", rep)
	}
	if _, err := w.Undo(t.Context(), rep.Run); !problem.Has(err, problem.UndoNothing) {
		t.Errorf("a refused sync: %v", err)
	}
	no, err := w.store.BeginRun(t.Context(), state.Run{Kind: state.Sync, Tenant: "t-1", Domain: domain})
	if err != nil {
		t.Fatal(err)
	}
	claim, err := w.store.Take(t.Context(), "t-1", domain, "someone", false)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Undo(t.Context(), no); !problem.Has(err, problem.UndoRunning) {
		t.Errorf("a run under way: %v", err)
	}
	_ = claim.Release(t.Context())
	foreign, err := w.store.BeginRun(t.Context(), state.Run{Kind: state.Sync, Tenant: "t-2", Domain: domain})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Undo(t.Context(), foreign); !problem.Has(err, problem.WrongTenant) {
		t.Errorf("another tenant's run: %v", err)
	}
}

func drifts(r *run.Report) []string {
	if r == nil {
		return nil
	}
	var all []string
	for _, d := range r.Drifted {
		all = append(all, fmt.Sprintf("%d %s %s %s: %v", d.No, d.Kind, d.UPN, d.Attribute, d.Why))
	}
	return all
}

func TestUndo_AnAccountThatIsTakenIntoUseAtTheLastMomentIsNotDeleted(t *testing.T) {
	for name, use := range map[string]func(*directory.Record){
		"a value":   func(u *directory.Record) { u.Values[1] = directory.Text("使用中") },
		"a licence": func(u *directory.Record) { u.Marks |= directory.Licensed },
		"blocked":   func(u *directory.Record) { u.Marks &^= directory.Enabled },
	} {
		t.Run(name, func(t *testing.T) {
			w := mixed(t)
			first := w.dry(t)
			rep, err := w.Sync(t.Context(), first, approval(first))
			if err != nil {
				t.Fatal(err)
			}
			p, err := w.Undo(t.Context(), rep.Run)
			if err != nil {
				t.Fatal(err)
			}
			looks := 0
			w.tenant.onLook = func() error {
				if looks++; looks != 2 { // the first look is for drift
					return nil
				}
				for _, u := range w.tenant.users {
					if u.UPN == "new@"+domain {
						use(u)
					}
				}
				return nil
			}
			undone, err := w.Sync(t.Context(), p, approval(p))
			if err != nil || undone.Failed != 1 || undone.State != state.Partial {
				t.Fatalf("report = %+v, %v; want one row failed", undone, err)
			}
			for _, u := range w.tenant.bin {
				if u.UPN == "new@"+domain {
					t.Error("the account was deleted")
				}
			}
		})
	}
}

func TestUndo_ARowThatReadBackDifferentIsAConflict(t *testing.T) {
	w := mixed(t)
	p := w.dry(t)
	w.tenant.after = func(step plan.Step) *destination.Outcome {
		for _, u := range w.tenant.users {
			if u.ID == step.Object.ID && u.ImmutableID == "imm003==" { // a rule of the tenant writes what it wants
				u.Values[0] = directory.Text("規則の名")
			}
		}
		return nil
	}
	rep, err := w.Sync(t.Context(), p, approval(p))
	if err != nil || rep.State != state.Partial {
		t.Fatalf("report = %+v, %v", rep, err)
	}
	w.tenant.after = nil
	undo, err := w.Undo(t.Context(), rep.Run)
	if err != nil {
		t.Fatal(err)
	}
	wantCounts(t, undo.Plan, 0, 0, 1, 1, 1)
	if undo.Plan.SkipLen() != 1 || undo.Plan.Skip(0).Why.Code != problem.UndoChanged {
		t.Errorf("%d skips", undo.Plan.SkipLen())
	}
}
