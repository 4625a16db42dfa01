package run_test

import (
	"strings"
	"testing"

	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/run"
	"github.com/hacsync/hacsync/sync/state"
)

// row is the number of the row of a plan about an UPN.
func row(t *testing.T, p *plan.Plan, upn string) int {
	t.Helper()
	for a := range p.Actions() {
		if strings.HasPrefix(a.UPN, upn+"@") || strings.HasPrefix(a.User.UPN, upn+"@") {
			return a.No
		}
	}
	t.Fatalf("no row of %s", upn)
	return 0
}

// leaves decides that the row of a UPN is left out.
func (w *world) leaves(t *testing.T, p *run.Planned, upn string, always bool) plan.Decision {
	t.Helper()
	d, ok := p.Plan.Leave(row(t, p.Plan, upn), always)
	if !ok {
		t.Fatal("no decision")
	}
	d.By, d.Why, d.At = "t.mori", "on leave", w.Clock.Now()
	if err := w.Decide(t.Context(), domain, []plan.Decision{d}); err != nil {
		t.Fatal(err)
	}
	return d
}

// isOut reports whether what remains of a plan lacks the row of a UPN.
func isOut(p *run.Planned, upn string) bool {
	for a := range p.Remaining().Plan.Actions() {
		if strings.HasPrefix(a.UPN, upn+"@") || strings.HasPrefix(a.User.UPN, upn+"@") {
			return false
		}
	}
	return true
}

// What was left out of a stored plan holds wherever that plan, or one made after
// it, is opened, and for this time ends with the sync of what remained.
func TestRule12_ARowLeftOutStaysOutUntilThatPlansSync(t *testing.T) {
	for _, upn := range []string{"gone", "new", "user003", "renamed"} {
		t.Run(upn, func(t *testing.T) {
			w := mixed(t)
			p := w.dry(t)
			w.leaves(t, p, upn, false)
			stored, err := w.Stored(t.Context(), p.Run)
			if err != nil {
				t.Fatal(err)
			}
			again := w.dry(t)
			for door, p := range map[string]*run.Planned{"stored": stored, "a new dry run": again} {
				if !isOut(p, upn) || p.Remaining().Plan.Len() != p.Plan.Len()-1 {
					t.Errorf("%s: %s is not left out of %d rows", door, upn, p.Plan.Len())
				}
			}
			// A worker holds the row, and does not end what was said of it.
			alone, err := w.DryRun(t.Context(), domain, run.Overrides{Unattended: true})
			if err != nil || !isOut(alone, upn) {
				t.Fatalf("unattended: %v", err)
			}
			rest := again.Remaining()
			if rep := w.synced(t, rest); rep.State != state.Done {
				t.Fatalf("%+v", rep)
			}
			after := w.dry(t)
			if isOut(after, upn) || after.Plan.Len() != 1 {
				t.Errorf("after the sync %d rows, %s left out: %v", after.Plan.Len(), upn, isOut(after, upn))
			}
		})
	}
}

func TestRule12_AlwaysIsStoredWhenItIsSaid(t *testing.T) {
	w := mixed(t)
	p := w.dry(t)
	w.leaves(t, p, "gone", false)
	w.leaves(t, p, "gone", true)
	if p, err := w.Stored(t.Context(), p.Run); err != nil || !isOut(p, "gone") || len(p.Decided) != 1 {
		t.Fatalf("%v %+v", err, p.Decided)
	}
	w.synced(t, w.dry(t).Remaining())
	p = w.dry(t)
	if p.Plan.Len() != 0 || len(p.Decided) != 1 {
		t.Errorf("%d rows, %+v", p.Plan.Len(), p.Decided)
	}
	if err := w.TakeBack(t.Context(), domain, p.Decided...); err != nil {
		t.Fatal(err)
	}
	if p := w.dry(t); p.Plan.Len() != 1 {
		t.Errorf("taken back: %d rows", p.Plan.Len())
	}
}

// Two reviewers of one plan: what one of them left out is not written by the other's
// sync, which says so; that was the plan's sync for both.
func TestRule12_WhatAnotherReviewerLeftOutSinceIsNotWritten(t *testing.T) {
	w := mixed(t)
	p := w.dry(t)
	w.leaves(t, p, "gone", false)
	rep, err := w.Sync(t.Context(), p, approval(p))
	if !problem.Has(err, problem.PlanDrifted) || len(rep.Drifted) != 1 || rep.Drifted[0].Why.Code != problem.LeftOutOnce {
		t.Fatalf("%v %+v", err, rep)
	}
	a := approval(p)
	a.SkipDrifted = true
	if _, err = w.Sync(t.Context(), p, a); err != nil || w.account("gone@"+domain) == nil {
		t.Fatalf("deleted, or %v", err)
	}
	if p := w.dry(t); p.Plan.Len() != 1 || isOut(p, "gone") {
		t.Errorf("after the sync %d rows", p.Plan.Len())
	}
}

func TestRule12_AnAttributeLeftOutStaysOutUntilThatPlansSync(t *testing.T) {
	w := mixed(t)
	before := w.dry(t)
	d := plan.Decision{Kind: plan.LeaveOutAttribute, Attribute: "displayName", By: "t.mori"}
	if err := w.Decide(t.Context(), domain, []plan.Decision{d}); err != nil {
		t.Fatal(err)
	}
	rep, err := w.Sync(t.Context(), before, approval(before))
	if !problem.Has(err, problem.PlanDrifted) || len(rep.Drifted) != 1 || rep.Drifted[0].Why.Code != problem.LeftOutAttribute {
		t.Fatalf("a plan of before is applied: %v %+v", err, rep)
	}
	p := w.dry(t)
	if p.Plan.Len() != before.Plan.Len()-1 {
		t.Fatalf("%d of %d rows", p.Plan.Len(), before.Plan.Len())
	}
	w.synced(t, p)
	if p := w.dry(t); p.Plan.Len() != 1 {
		t.Errorf("after the sync %d rows", p.Plan.Len())
	}
}

// A raise holds in every door to just that plan, once.
func TestRule12_ARaiseIsKeptAndBoundToItsPlan(t *testing.T) {
	w := newWorld(t)
	w.both(8)
	for _, name := range []string{"gone", "left"} {
		w.tenant.person(name+"@"+domain, "imm"+name, "Gone Person")
	}
	p := w.dry(t)
	review := p.Plan.Review()
	review.RaiseOnce()
	d := plan.Decision{Kind: plan.RaiseOnce, Plan: review.Approve().Fingerprint().String(), By: "t.mori"}
	if err := w.Decide(t.Context(), domain, []plan.Decision{d}); err != nil {
		t.Fatal(err)
	}
	p = w.dry(t)
	if rest := p.Remaining(); !rest.Plan.Verdict().Raised || rest.Plan.Fingerprint().String() != d.Plan {
		t.Fatalf("not raised: %+v", rest.Plan.Verdict())
	}
	once := w.leaves(t, p, "gone", false)
	if again := w.dry(t).Remaining().Plan.Verdict(); again.Raised {
		t.Error("raised although a row was left out since")
	}
	if err := w.TakeBack(t.Context(), domain, once); err != nil {
		t.Fatal(err)
	}
	rest := w.dry(t).Remaining()
	a := approval(rest)
	a.RaiseOnce = true
	if rep, err := w.Sync(t.Context(), rest, a); err != nil || rep.Seen != 2 {
		t.Fatalf("%v %+v", err, rep)
	}
	if ds, err := w.Decisions(t.Context(), domain); err != nil || len(ds) != 0 {
		t.Errorf("after the sync: %v %+v", err, ds)
	}
}

// What is left out of an undo belongs to the undo of that run.
func TestRule12_ARowLeftOutOfAnUndoStaysOutOfThatUndo(t *testing.T) {
	w := mixed(t)
	rep := w.synced(t, w.dry(t))
	p, err := w.Undo(t.Context(), rep.Run)
	if err != nil {
		t.Fatal(err)
	}
	n := p.Plan.Len()
	d := w.leaves(t, p, "gone", false)
	if d.Undo != rep.Run {
		t.Fatalf("%+v", d)
	}
	if p, err = w.Undo(t.Context(), rep.Run); err != nil || !isOut(p, "gone") {
		t.Fatalf("%v: not left out", err)
	}
	rest := p.Remaining()
	if rep := w.synced(t, rest); rep.Seen != n-1 {
		t.Errorf("%+v", rep)
	}
	if ds, err := w.Decisions(t.Context(), domain); err != nil || len(ds) != 0 {
		t.Errorf("after the undo: %v %+v", err, ds)
	}
}

func TestReviewed_NamesTheSyncThatAppliedThePlan(t *testing.T) {
	w := mixed(t)
	p := w.dry(t)
	first := w.synced(t, p)
	w.synced(t, p) // finds all done
	p, err := w.Stored(t.Context(), p.Run)
	if err != nil || p.Applied != first.Run {
		t.Errorf("%v: applied by %d, want %d", err, p.Applied, first.Run)
	}
}
