package run_test

import (
	"context"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/hacsync/hacsync/sync/destination"
	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/problem"
)

// account is the live account with a UPN, or nil.
func (w *world) account(upn string) *directory.Record {
	for _, u := range w.tenant.users {
		if u.UPN == upn {
			return u
		}
	}
	return nil
}

// A raise that stands in the plan itself, as the wizard makes it, is spent like
// one that is asked for beside it.
func TestRule2_ARaiseInThePlanIsSpentToo(t *testing.T) {
	w := mixed(t)
	w.source.rows = w.source.rows[6:]
	p := w.dry(t)
	review := p.Plan.Review()
	review.RaiseOnce()
	p.Plan = review.Approve()
	a := approval(p)
	if _, err := w.Sync(t.Context(), p, a); !problem.Has(err, problem.GuardCancels) {
		t.Fatalf("without the approval of a raise: err = %v, want %s", err, problem.GuardCancels)
	}
	a.RaiseOnce = true
	if _, err := w.Sync(t.Context(), p, a); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Sync(t.Context(), p, a); !problem.Has(err, problem.RaiseSpent) {
		t.Errorf("second sync: err = %v, want %s", err, problem.RaiseSpent)
	}
}

// A row that was intended, refused for now and never sent again has done
// nothing: after an interruption it is compared with both sides like any other.
func TestRule3_ARowThatHadNoEffectYetMayDriftBeforeTheResume(t *testing.T) {
	w := mixed(t)
	p := w.dry(t)
	ctx, stop := context.WithCancel(t.Context())
	w.tenant.before = func(s plan.Step) *destination.Outcome {
		if s.Verb != plan.DeleteUser {
			return nil
		}
		stop()
		return &destination.Outcome{Did: destination.NotDone, Why: problem.New("HS-4100", nil).WithClass(problem.Retry).
			WithUpstream(problem.Upstream{Status: http.StatusTooManyRequests, RetryAfter: time.Hour})}
	}
	rep, err := w.Sync(ctx, p, approval(p))
	if !problem.Has(err, problem.Interrupted) {
		t.Fatalf("err = %v, want %s", err, problem.Interrupted)
	}
	w.tenant.before = nil
	w.source.rows = append(w.source.rows, user("gone@"+domain, "immGone==", "Gone Person"))
	if _, err = w.Resume(t.Context(), rep.Run); !problem.Has(err, problem.PlanDrifted) {
		t.Errorf("err = %v, want %s", err, problem.PlanDrifted)
	}
	if w.account("gone@"+domain) == nil {
		t.Error("the account of a person who is in the source again was deleted")
	}
}

// Somebody left: the usual thing is to make the mailbox a shared one.
func TestRule6_AMailboxThatBecameASharedOneSinceIsNotDeleted(t *testing.T) {
	share := func(w *world) { w.tenant.purpose[w.account("gone@"+domain).ID] = directory.PurposeShared }
	t.Run("before the sync", func(t *testing.T) {
		w := mixed(t)
		p := w.dry(t)
		share(w)
		if _, err := w.Sync(t.Context(), p, approval(p)); !problem.Has(err, problem.PlanDrifted) {
			t.Errorf("err = %v, want %s", err, problem.PlanDrifted)
		}
		if len(w.tenant.writes) > 0 {
			t.Errorf("wrote %q", w.tenant.writes)
		}
	})
	t.Run("while it ran", func(t *testing.T) {
		w := mixed(t)
		p := w.dry(t)
		w.MayWrite = func(context.Context) error { share(w); return nil }
		rep, err := w.Sync(t.Context(), p, approval(p))
		if err != nil || rep.Failed != 1 || w.account("gone@"+domain) == nil {
			t.Errorf("report = %+v, %v; want the deletion alone to fail", rep, err)
		}
	})
}

// Whom a person put out of reach after the dry run, the sync leaves alone too.
func TestRule6_AnAccountThatWasSparedSinceIsNotDeleted(t *testing.T) {
	for name, spare := range map[string]func(*testing.T, *world){
		"on the list of protected accounts": func(t *testing.T, w *world) {
			if err := w.SetSettings(t.Context(), domain, map[string]string{"protected": "GONE@" + domain}); err != nil {
				t.Fatal(err)
			}
		},
		"left out always": func(t *testing.T, w *world) {
			d := plan.Decision{Kind: plan.LeaveOutAlways, ID: w.account("gone@" + domain).ID, By: "s.ito"}
			if err := w.Decide(t.Context(), domain, []plan.Decision{d}); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := mixed(t)
			p := w.dry(t)
			spare(t, w)
			if _, err := w.Sync(t.Context(), p, approval(p)); !problem.Has(err, problem.PlanDrifted) {
				t.Errorf("err = %v, want %s", err, problem.PlanDrifted)
			}
			if w.account("gone@"+domain) == nil {
				t.Error("deleted")
			}
		})
	}
}

// New rows that do not say well whom they mean count as rows of whom they may
// mean, also where drifted rows are left out and the rest is applied.
func TestRule3_ANewRowThatNamesSomebodyBadlySparesThatAccount(t *testing.T) {
	for name, row := range map[string]directory.Record{
		"full width":       user("ｇｏｎｅ@"+domain, "", "Somebody"),
		"no UPN, an alias": func() directory.Record { r := user("gone@"+domain, "", "x"); r.UPN = ""; return r }(),
		"the ID in spaces": user("elsewhere@two.example", "imm Gone==", "Somebody"),
	} {
		t.Run(name, func(t *testing.T) {
			w := mixed(t)
			p := w.dry(t)
			w.source.rows = append(slices.Clone(w.source.rows), row)
			if _, err := w.Sync(t.Context(), p, approval(p)); !problem.Has(err, problem.PlanDrifted) {
				t.Errorf("err = %v, want %s", err, problem.PlanDrifted)
			}
			a := approval(p)
			a.SkipDrifted = true
			if _, err := w.Sync(t.Context(), p, a); err != nil {
				t.Fatal(err)
			}
			if w.account("gone@"+domain) == nil {
				t.Error("deleted")
			}
		})
	}
}

// A deletion is done when the account is gone from the users and there among the
// deleted, whatever the answer to the request was.
func TestRule5_ADeletionThatIsNotSeenIsNotCalledDone(t *testing.T) {
	w := mixed(t)
	p := w.dry(t)
	w.tenant.before = func(s plan.Step) *destination.Outcome {
		if s.Verb != plan.DeleteUser {
			return nil
		}
		return &destination.Outcome{Did: destination.Applied, ID: s.Object.ID}
	}
	rep, err := w.Sync(t.Context(), p, approval(p))
	if err != nil || rep.NotYetSeen != 1 || rep.Seen != 3 {
		t.Errorf("report = %+v, %v; want the deletion not yet seen", rep, err)
	}
}
