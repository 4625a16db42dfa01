package run_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hacsync/hacsync/sync/clock"
	"github.com/hacsync/hacsync/sync/consent"
	"github.com/hacsync/hacsync/sync/destination"
	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/run"
	"github.com/hacsync/hacsync/sync/source"
	"github.com/hacsync/hacsync/sync/state"
)

const domain = "midori.example"

// world is a runner with a tenant, a source and a state of its own.
type world struct {
	*run.Runner
	tenant *tenant
	source *list
	store  *state.Store
	asked  int // how often the permission to write was asked for
}

func newWorld(t *testing.T) *world {
	t.Helper()
	// A minute of the tenant's time passes in a millisecond, so that the lag
	// window can be waited for.
	c := clock.Scaled(60000)
	store, err := state.Open(t.Context(), "sqlite://"+filepath.ToSlash(filepath.Join(t.TempDir(), "state.db")), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	w := &world{tenant: newTenant(c.Now), source: &list{}, store: store}
	w.Runner = &run.Runner{
		Connection:  consent.Connection{Name: "midori", Tenant: "t-1"},
		Store:       run.OnStore(store),
		Destination: w.tenant,
		OpenSource: func(context.Context, string, run.Settings) (source.Source, error) {
			return w.source, nil
		},
		MayWrite: func(context.Context) error { w.asked++; return nil },
		Clock:    c,
		Log:      slog.New(slog.DiscardHandler),
		Holder:   "test",
	}
	if err := w.SetSettings(t.Context(), domain, map[string]string{"source": "hac"}); err != nil {
		t.Fatal(err)
	}
	return w
}

// both puts n people on both sides, alike.
func (w *world) both(n int) {
	for i := range n {
		upn, id, name := fmt.Sprintf("user%03d@%s", i, domain), fmt.Sprintf("imm%03d==", i), fmt.Sprintf("山田 %03d", i)
		w.tenant.person(upn, id, name)
		w.source.rows = append(w.source.rows, user(upn, id, name))
	}
}

func (w *world) dry(t *testing.T) *run.Planned {
	t.Helper()
	p, err := w.DryRun(t.Context(), domain, run.Overrides{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// answer answers the question about the account with a UPN; row is the RowKey of
// the candidate for same person.
func (w *world) answer(t *testing.T, p *run.Planned, upn string, kind plan.AnswerKind, row string) *run.Planned {
	t.Helper()
	for _, q := range p.Plan.Questions() {
		if q.Account.UPN != upn {
			continue
		}
		with, err := w.Answer(t.Context(), p, q.Account.ID, kind, row, "t.mori")
		if err != nil {
			t.Fatal(err)
		}
		return with
	}
	t.Fatalf("nothing is asked about %s", upn)
	return nil
}

func approval(p *run.Planned) run.Approval {
	return run.Approval{Fingerprint: p.Plan.Fingerprint(), By: "t.mori", Note: "CHG-1"}
}

// mixed makes a world whose plan has one of every kind but restore.
func mixed(t *testing.T) *world {
	w := newWorld(t)
	w.both(40)
	w.tenant.person("gone@"+domain, "immGone==", "Gone Person")
	w.source.rows = append(w.source.rows, user("new@"+domain, "immNew==", "新しい 人"))
	w.source.rows[3].Values[0] = directory.Text("山田 改")
	w.source.rows[4].UPN = "renamed@" + domain
	return w
}

// A read of all role holders is dear in a large tenant: it belongs before a
// write, where an account may be protected since, and not behind it.
func TestSync_ReadsRoleHoldersBeforeWritesOnly(t *testing.T) {
	w := onlyWaiting(mixed(t))
	p := w.dry(t)
	late := map[directory.ID]int{} // what was written shows late
	w.tenant.after = func(s plan.Step) *destination.Outcome {
		late[s.Object.ID] = 6
		return nil
	}
	w.tenant.hide = func(id directory.ID, _ directory.Presence) bool {
		late[id]--
		return late[id] > 0
	}
	rep := w.synced(t, p)
	if rep.State != state.Done || rep.Seen != rep.Planned {
		t.Fatalf("%+v", rep)
	}
	if w.tenant.holders == 0 || w.tenant.holders > 1+w.tenant.sends {
		t.Errorf("role holders were read %d times for %d requests, want once for the drift and once before each", w.tenant.holders, w.tenant.sends)
	}
	if w.tenant.lookup < w.tenant.holders+4 {
		t.Errorf("only %d looks, so that reading back was not tried", w.tenant.lookup)
	}
}

func wantCounts(t *testing.T, p *plan.Plan, add, update, rename, restore, del int) {
	t.Helper()
	c := p.Counts()
	if c.Add != add || c.Update != update || c.Rename != rename || c.Restore != restore || c.Delete != del {
		t.Fatalf("counts = add %d update %d rename %d restore %d delete %d, want %d %d %d %d %d",
			c.Add, c.Update, c.Rename, c.Restore, c.Delete, add, update, rename, restore, del)
	}
}

func TestSync_AppliesThePlanAndTheNextPlanIsEmpty(t *testing.T) {
	w := mixed(t)
	p := w.dry(t)
	wantCounts(t, p.Plan, 1, 1, 1, 0, 1)
	if len(w.tenant.writes) != 0 {
		t.Fatalf("a dry run wrote %q", w.tenant.writes)
	}
	rep, err := w.Sync(t.Context(), p, approval(p))
	if err != nil {
		t.Fatal(err)
	}
	if rep.State != state.Done || rep.Seen != rep.Planned || rep.Failed+rep.NotTried+rep.NotYetSeen != 0 {
		t.Fatalf("report = %+v", rep)
	}
	if w.asked != 1 {
		t.Errorf("the permission to write was asked for %d times, want once", w.asked)
	}
	if next := w.dry(t); next.Plan.Len() != 0 {
		t.Errorf("TestRule5: the plan after a sync has %d actions, want none", next.Plan.Len())
	}
	entries, err := w.store.Journal(t.Context(), rep.Run)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.State != state.Seen {
			t.Errorf("journal row %d/%d is %s, want seen", e.Action, e.Step, e.State)
		}
	}
	r, err := w.store.Run(t.Context(), rep.Run)
	if err != nil {
		t.Fatal(err)
	}
	if r.By != "t.mori" || r.Note != "CHG-1" || r.State != state.Done {
		t.Errorf("sync log has %+v", r)
	}
}

func TestRule1_NoPlanOnAnIncompleteRead(t *testing.T) {
	for _, side := range []string{"source", "destination"} {
		t.Run(side, func(t *testing.T) {
			w := mixed(t)
			cut := problem.New("HS-2999", nil)
			if side == "source" {
				w.source.err = cut
			} else {
				w.tenant.onRead = func() error { return cut }
			}
			if _, err := w.DryRun(t.Context(), domain, run.Overrides{}); !errors.Is(err, cut) {
				t.Fatalf("err = %v, want the reader's", err)
			}
			if _, err := w.Latest(t.Context(), domain); !problem.Has(err, problem.NoDryRun) {
				t.Errorf("a plan was stored: %v", err)
			}
			runs, err := w.Logs(t.Context(), domain, 0)
			if err != nil || len(runs) != 1 || runs[0].State != state.Failed {
				t.Errorf("sync log = %+v, %v; want one failed dry run with its cause", runs, err)
			}
			if s := run.SummaryOf(runs[0]); s.Problem == nil || s.Problem.Code != "HS-2999" {
				t.Errorf("the cause is not in the sync log: %+v", s)
			}
		})
	}
}

func TestRule1_ASideThatShrankByHalfGivesNoPlan(t *testing.T) {
	w := mixed(t)
	w.dry(t)
	w.source.rows = w.source.rows[:15]
	_, err := w.DryRun(t.Context(), domain, run.Overrides{})
	if !problem.Has(err, problem.Shrunk) {
		t.Fatalf("err = %v, want %s", err, problem.Shrunk)
	}
	if err := w.SetSettings(t.Context(), domain, map[string]string{"shrink_share": "10"}); err != nil {
		t.Fatal(err)
	}
	w.dry(t)
}

func TestRule1_WhatWasDeletedOnPurposeIsNotMissing(t *testing.T) {
	w := newWorld(t)
	w.both(10)
	all := w.source.rows
	w.source.rows = all[:6]
	if err := w.SetSettings(t.Context(), domain, map[string]string{"max_allowed_deletions": "100", "shrink_share": "90"}); err != nil {
		t.Fatal(err)
	}
	p := w.dry(t)
	if _, err := w.Sync(t.Context(), p, approval(p)); err != nil {
		t.Fatal(err)
	}
	w.dry(t)
	for id := range w.tenant.users { // and somebody else deletes one
		delete(w.tenant.users, id)
		break
	}
	if _, err := w.DryRun(t.Context(), domain, run.Overrides{}); !problem.Has(err, problem.Shrunk) {
		t.Errorf("err = %v, want %s", err, problem.Shrunk)
	}
}

func TestRule2_TheGuardCancelsTheWholeSyncBeforeTheFirstWrite(t *testing.T) {
	w := mixed(t)
	w.source.rows = w.source.rows[6:]
	p := w.dry(t)
	if !p.Plan.Verdict().Cancelled {
		t.Fatalf("verdict = %+v, want cancelled", p.Plan.Verdict())
	}
	rep, err := w.Sync(t.Context(), p, approval(p))
	if !problem.Has(err, problem.GuardCancels) {
		t.Fatalf("err = %v, want %s", err, problem.GuardCancels)
	}
	if len(w.tenant.writes) != 0 || rep.State != state.Refused || w.asked != 0 {
		t.Errorf("wrote %q, state %s, asked %d", w.tenant.writes, rep.State, w.asked)
	}
}

func TestRule2_RaisingOnceIsBoundToOneFingerprintAndSpent(t *testing.T) {
	w := mixed(t)
	w.source.rows = w.source.rows[6:]
	p := w.dry(t)
	a := approval(p)
	a.RaiseOnce = true
	if _, err := w.Sync(t.Context(), p, a); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Sync(t.Context(), p, a); !problem.Has(err, problem.RaiseSpent) {
		t.Errorf("second sync: err = %v, want %s", err, problem.RaiseSpent)
	}
}

func TestRule3_OnlyTheApprovedFingerprintIsApplied(t *testing.T) {
	w := mixed(t)
	p := w.dry(t)
	a := approval(p)
	a.Fingerprint[0]++
	if _, err := w.Sync(t.Context(), p, a); !problem.Has(err, problem.NotApproved) {
		t.Fatalf("err = %v, want %s", err, problem.NotApproved)
	}
	if len(w.tenant.writes) != 0 {
		t.Errorf("wrote %q", w.tenant.writes)
	}
}

func TestRule3_ADriftedPlanIsRefusedOrItsRowsLeftOut(t *testing.T) {
	changes := map[string]func(*world){
		"source value":   func(w *world) { w.source.rows[3].Values[0] = directory.Text("別 人") },
		"source row new": func(w *world) { w.source.rows = w.source.rows[:len(w.source.rows)-1] },
		"unchanged account gone from the source": func(w *world) {
			w.source.rows = slices.Delete(w.source.rows, 20, 21)
		},
		"destination value": func(w *world) {
			for _, u := range w.tenant.users {
				if u.UPN == "user003@"+domain {
					u.Values[0] = directory.Text("by hand")
				}
			}
		},
		"account to delete became an administrator": func(w *world) {
			for _, u := range w.tenant.users {
				if u.UPN == "gone@"+domain {
					u.Marks |= directory.RoleHolder
				}
			}
		},
		"wanted UPN taken": func(w *world) { w.tenant.person("new@"+domain, "", "Somebody Else") },
	}
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			w := mixed(t)
			p := w.dry(t)
			change(w)
			rep, err := w.Sync(t.Context(), p, approval(p))
			if !problem.Has(err, problem.PlanDrifted) {
				t.Fatalf("err = %v, want %s", err, problem.PlanDrifted)
			}
			if len(w.tenant.writes) != 0 || rep.State != state.Refused || len(rep.Drifted) == 0 {
				t.Fatalf("wrote %q, report %+v", w.tenant.writes, rep)
			}
			a := approval(p)
			a.SkipDrifted = true
			rep, err = w.Sync(t.Context(), p, a)
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range rep.Drifted {
				if o, ok := rep.Outcome[d.No]; ok {
					t.Errorf("drifted row %d was not left out: %s", d.No, o)
				}
			}
		})
	}
}

func TestRule4_AnAnswerThatNeverCameIsSettledByReading(t *testing.T) {
	lost := &destination.Outcome{Did: destination.Unknown}
	for name, arrange := range map[string]func(*tenant, func(plan.Step) bool){
		"cut before the effect": func(w *tenant, once func(plan.Step) bool) {
			w.before = func(s plan.Step) *destination.Outcome {
				if once(s) {
					return lost
				}
				return nil
			}
		},
		"cut after the effect": func(w *tenant, once func(plan.Step) bool) {
			w.after = func(s plan.Step) *destination.Outcome {
				if once(s) {
					return lost
				}
				return nil
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := mixed(t)
			p := w.dry(t)
			cut := map[string]bool{}
			arrange(w.tenant, func(s plan.Step) bool {
				key := fmt.Sprint(s.Action, s.Step)
				defer func() { cut[key] = true }()
				return !cut[key]
			})
			rep, err := w.Sync(t.Context(), p, approval(p))
			if err != nil {
				t.Fatal(err)
			}
			if rep.Seen != rep.Planned {
				t.Fatalf("report = %+v", rep)
			}
			slices.Sort(w.tenant.writes)
			if n := len(slices.Compact(slices.Clone(w.tenant.writes))); n != len(w.tenant.writes) || n != p.Plan.Len() {
				t.Errorf("effects = %q, want each of %d once", w.tenant.writes, p.Plan.Len())
			}
		})
	}
}

// A new account whose answer was lost does not show for a while, and Graph
// refuses to make it again: that conflict is with ourselves.
func TestRule4_ALostAddIsSettledAlthoughReadsLag(t *testing.T) {
	w := mixed(t)
	p := w.dry(t)
	w.tenant.lag = 90 * time.Second
	cut := map[string]bool{}
	w.tenant.after = func(s plan.Step) *destination.Outcome {
		if s.Verb != plan.Create || cut[fmt.Sprint(s.Action)] {
			return nil
		}
		cut[fmt.Sprint(s.Action)] = true
		return &destination.Outcome{Did: destination.Unknown}
	}
	rep, err := w.Sync(t.Context(), p, approval(p))
	if err != nil || len(cut) == 0 || rep.Seen != rep.Planned {
		t.Fatalf("%d answers lost: report = %+v, %v", len(cut), rep, err)
	}
}

// A limit that lasts puts a row off more often than a row may fail.
func TestSync_ARowThatIsOnlyThrottledIsNotGivenUp(t *testing.T) {
	w := mixed(t)
	p := w.dry(t)
	left := 20
	w.tenant.before = func(plan.Step) *destination.Outcome {
		if left--; left < 0 {
			return nil
		}
		why := problem.New(problem.Throttled, nil).WithUpstream(problem.Upstream{Status: http.StatusTooManyRequests, RetryAfter: time.Second})
		return &destination.Outcome{Did: destination.NotDone, Why: why}
	}
	rep, err := w.Sync(t.Context(), p, approval(p))
	if err != nil || rep.Seen != rep.Planned {
		t.Fatalf("report = %+v, %v", rep, err)
	}
}

func TestSync_WaitsWhenTheDestinationAsksAndSendsAgain(t *testing.T) {
	w := mixed(t)
	p := w.dry(t)
	n := 0
	w.tenant.before = func(plan.Step) *destination.Outcome {
		if n++; n > 2 {
			return nil
		}
		why := problem.New(problem.Throttled, problem.Args{"seconds": "30"}).
			WithUpstream(problem.Upstream{Status: 429, Code: "TooManyRequests", RetryAfter: 30 * time.Second})
		return &destination.Outcome{Did: destination.NotDone, Why: why}
	}
	rep, err := w.Sync(t.Context(), p, approval(p))
	if err != nil || rep.Seen != rep.Planned {
		t.Fatalf("report = %+v, %v", rep, err)
	}
	if rep.Paused < 30*time.Second {
		t.Errorf("paused %v, want 30 s or more", rep.Paused)
	}
}

func TestSync_ARefusedRowFailsAloneAndWhatWaitsForItIsNotTried(t *testing.T) {
	w := newWorld(t)
	w.both(30)
	// user001 takes the UPN that user002 lets go of.
	w.source.rows[2].UPN, w.source.rows[1].UPN = "free@"+domain, "user002@"+domain
	p := w.dry(t)
	wantCounts(t, p.Plan, 0, 0, 2, 0, 0)
	w.tenant.before = func(s plan.Step) *destination.Outcome {
		for _, c := range s.Set {
			if strings.HasPrefix(c.New.Text, "free@") {
				o := refused(403, "Authorization_RequestDenied")
				return &o
			}
		}
		return nil
	}
	rep, err := w.Sync(t.Context(), p, approval(p))
	if err != nil {
		t.Fatal(err)
	}
	if rep.State != state.Partial || rep.Failed != 1 || rep.NotTried != 1 {
		t.Fatalf("report = %+v", rep)
	}
	for _, row := range rep.Rows {
		if row.Outcome == run.OutcomeNotTried && row.Why.Code != problem.RowWaits {
			t.Errorf("row %d: %v, want %s", row.No, row.Why, problem.RowWaits)
		}
	}
}

func TestSync_ChainsAndSwapsOfUPNsArriveWholly(t *testing.T) {
	w := newWorld(t)
	w.both(30)
	r := w.source.rows
	r[1].UPN, r[2].UPN = r[2].UPN, r[1].UPN                          // a swap
	r[3].UPN, r[4].UPN, r[5].UPN = r[4].UPN, r[5].UPN, "end@"+domain // a chain
	p := w.dry(t)
	wantCounts(t, p.Plan, 0, 0, 5, 0, 0)
	rep, err := w.Sync(t.Context(), p, approval(p))
	if err != nil || rep.Seen != 5 {
		t.Fatalf("report = %+v, %v", rep, err)
	}
	if next := w.dry(t); next.Plan.Len() != 0 {
		t.Errorf("the plan after has %d actions", next.Plan.Len())
	}
}

func TestSync_WhatIsAlreadyAsWantedIsDoneAndNotWrittenAgain(t *testing.T) {
	w := mixed(t)
	p := w.dry(t)
	// Another state has carried out the same plan meanwhile.
	w.tenant.person("new@"+domain, "immNew==", "新しい 人")
	for id, u := range w.tenant.users {
		switch u.UPN {
		case "gone@" + domain:
			w.tenant.bin[id] = u
			delete(w.tenant.users, id)
		case "user003@" + domain:
			u.Values[0] = directory.Text("山田 改")
		}
	}
	rep, err := w.Sync(t.Context(), p, approval(p))
	if err != nil || rep.Seen != rep.Planned || rep.State != state.Done {
		t.Fatalf("report = %+v, %v; want all seen", rep, err)
	}
	if len(w.tenant.writes) != 1 || rep.Sent != 1 {
		t.Errorf("wrote %q, want the rename alone", w.tenant.writes)
	}
}

func TestSync_ACycleWhoseLinkFailsIsNotPressedOn(t *testing.T) {
	w := newWorld(t)
	w.both(30)
	r := w.source.rows
	r[1].UPN, r[2].UPN = r[2].UPN, r[1].UPN
	p := w.dry(t)
	var tried []string
	w.tenant.before = func(s plan.Step) *destination.Outcome {
		for _, c := range s.Set {
			if c.Attribute == directory.UserPrincipalName {
				tried = append(tried, c.New.Text)
			}
		}
		if len(tried) == 2 { // the one between the temporary UPN and the last step
			o := refused(403, "Authorization_RequestDenied")
			return &o
		}
		return nil
	}
	rep, err := w.Sync(t.Context(), p, approval(p))
	if err != nil {
		t.Fatal(err)
	}
	if len(tried) != 2 || rep.Failed != 2 {
		t.Fatalf("tried %q, report %+v; want the last step left out", tried, rep)
	}
	// The next dry run takes the temporary UPN for what it is: the same person.
	w.tenant.before = nil
	p = w.dry(t)
	if c := p.Plan.Counts(); c.Delete+c.Add > 0 {
		t.Fatalf("counts = %+v, want renames only", c)
	}
	if rep, err = w.Sync(t.Context(), p, approval(p)); err != nil || rep.Failed > 0 {
		t.Fatalf("report = %+v, %v", rep, err)
	}
	if p = w.dry(t); p.Plan.Len() != 0 {
		t.Errorf("%d actions are left", p.Plan.Len())
	}
}

func TestSync_SaysDoneOnlyOfWhatWasSeen(t *testing.T) {
	w := mixed(t)
	p := w.dry(t)
	w.tenant.before = func(s plan.Step) *destination.Outcome {
		if s.Verb == plan.Patch { // answered 204, and nothing happened
			return &destination.Outcome{Did: destination.Applied, ID: s.Object.ID}
		}
		return nil
	}
	rep, err := w.Sync(t.Context(), p, approval(p))
	if err != nil {
		t.Fatal(err)
	}
	if rep.State != state.Partial || rep.Failed != 1 || rep.Seen != rep.Planned-1 {
		t.Fatalf("report = %+v", rep)
	}
	if rep.Rows[0].Outcome != run.OutcomeDifferent || rep.Rows[0].Why.Code != problem.RowDiffers {
		t.Errorf("row = %+v, want different with both values", rep.Rows[0])
	}
}

func TestSync_StoppedBetweenRequestsIsResumedWithNothingDoneTwice(t *testing.T) {
	w := newWorld(t)
	w.both(20)
	for i := range 100 {
		w.source.rows = append(w.source.rows, user(fmt.Sprintf("add%03d@%s", i, domain), fmt.Sprintf("a%03d", i), "追加"))
	}
	p := w.dry(t)
	ctx, stop := context.WithCancel(t.Context())
	w.tenant.after = func(plan.Step) *destination.Outcome { stop(); return nil }
	rep, err := w.Sync(ctx, p, approval(p))
	if !problem.Has(err, problem.Interrupted) || rep.State != state.Stopped {
		t.Fatalf("report = %+v, %v; want stopped", rep, err)
	}
	if rep.Sent == 0 || rep.NotTried == 0 {
		t.Fatalf("sent %d, not tried %d: the test stopped nothing", rep.Sent, rep.NotTried)
	}
	w.tenant.after = nil
	rep, err = w.Resume(t.Context(), rep.Run)
	if err != nil || rep.Seen != 100 {
		t.Fatalf("report = %+v, %v", rep, err)
	}
	if len(w.tenant.writes) != 100 {
		t.Errorf("%d accounts were added, want 100", len(w.tenant.writes))
	}
}

func TestSync_ANewSyncAbandonsAnOpenOneAfterSettlingIt(t *testing.T) {
	w := mixed(t)
	p := w.dry(t)
	ctx, stop := context.WithCancel(t.Context())
	w.tenant.after = func(plan.Step) *destination.Outcome { stop(); return nil }
	first, err := w.Sync(ctx, p, approval(p))
	if !problem.Has(err, problem.Interrupted) {
		t.Fatal(err)
	}
	w.tenant.after = nil
	open, err := w.Interrupted(t.Context())
	if err != nil || len(open) != 1 || open[0].No != first.Run {
		t.Fatalf("interrupted = %+v, %v; want run %d", open, err, first.Run)
	}
	p = w.dry(t)
	if _, err := w.Sync(t.Context(), p, approval(p)); err != nil {
		t.Fatal(err)
	}
	r, err := w.store.Run(t.Context(), first.Run)
	if err != nil || r.State != state.Abandoned {
		t.Errorf("the open run is %s, %v; want abandoned", r.State, err)
	}
	if _, err := w.Resume(t.Context(), first.Run); !problem.Has(err, problem.RunEnded) {
		t.Errorf("resuming it: %v, want %s", err, problem.RunEnded)
	}
	if open, _ := w.Interrupted(t.Context()); len(open) != 0 {
		t.Errorf("still open: %+v", open)
	}
}

func TestSync_OnlyOneAtATimeForADomain(t *testing.T) {
	w := mixed(t)
	p := w.dry(t)
	claim, err := w.store.Take(t.Context(), "t-1", domain, "somebody else", false)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Sync(t.Context(), p, approval(p)); !problem.Has(err, problem.DomainBusy) {
		t.Errorf("err = %v, want %s", err, problem.DomainBusy)
	}
	if err := claim.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Sync(t.Context(), p, approval(p)); err != nil {
		t.Errorf("after the release: %v", err)
	}
}

func TestSync_RefusedPermissionWritesNothing(t *testing.T) {
	w := mixed(t)
	p := w.dry(t)
	no := problem.New("HS-1999", nil)
	w.MayWrite = func(context.Context) error { return no }
	rep, err := w.Sync(t.Context(), p, approval(p))
	if !errors.Is(err, no) || len(w.tenant.writes) != 0 || rep.State != state.Failed {
		t.Errorf("err %v, wrote %q, state %s", err, w.tenant.writes, rep.State)
	}
}

func TestSettings_NothingIsStoredWhenOneIsWrong(t *testing.T) {
	w := newWorld(t)
	for _, kv := range []map[string]string{
		{"max_allowed_deletions": "101", "on_empty": "clear"},
		{"max_allowed_deletions": "-1"},
		{"colour": "red", "on_empty": "clear"},
		{"on_empty": "sometimes"},
		{"source": "ftp:x"},
		{"map.busho": "userPrincipalName"},
		{"on_missing": "forget"},
		{"delete_after": "366"},
		{"on_missing": "block", "delete_after": "0"},
		{"max_changes": "101"},
		{"source_name": "a\nb"},
		{"source_name": strings.Repeat("x", 65)},
	} {
		if err := w.SetSettings(t.Context(), domain, kv); !problem.Has(err, problem.SettingValue, problem.SettingUnknown) {
			t.Errorf("%v: err = %v", kv, err)
		}
		s, err := w.Settings(t.Context(), domain)
		if err != nil || s.Policy.OnEmpty != plan.Keep || s.Policy.MaxAllowedDeletions != 10 {
			t.Errorf("%v: settings = %+v, %v", kv, s, err)
		}
	}
}

func TestSettings_ReadBackAsTheyWereSet(t *testing.T) {
	w := newWorld(t)
	kv := map[string]string{
		"source": "csv:/x y/利用者.csv", "max_allowed_deletions": "25", "max_deletions": "7", "on_empty": "clear-known",
		"on_disabled": "block-sign-in", "immutable_id_change": "ask", "change_alias": "yes",
		"protected": "a@b.example,c@d.example", "map.busho": "department", "shrink_share": "0", "reset_passwords": "no",
		"max_sign_in_changes": "20", "max_changes": "40", "on_missing": "block", "delete_after": "30", "source_name": "本社 HAC", "source_zone": "America/New_York",
	}
	if err := w.SetSettings(t.Context(), domain, kv); err != nil {
		t.Fatal(err)
	}
	s, err := w.Settings(t.Context(), domain)
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range s.Pairs() {
		if kv[k] != v {
			t.Errorf("%s = %q, want %q", k, v, kv[k])
		}
	}
	if !slices.Contains(s.Policy.Attributes, directory.Department) {
		t.Errorf("a mapped attribute is not among those written: %v", s.Policy.Attributes)
	}
}

func TestDryRun_SaysWhichDomainsThereAre(t *testing.T) {
	w := newWorld(t)
	for name, code := range map[string]problem.Code{
		"other.example": problem.DomainUnknown, "new.example": problem.DomainUnverified,
		"midori.onmicrosoft.com": problem.DomainInitial,
	} {
		if _, err := w.DryRun(t.Context(), name, run.Overrides{}); !problem.Has(err, code) {
			t.Errorf("%s: err = %v, want %s", name, err, code)
		}
	}
}
