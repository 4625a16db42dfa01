package run_test

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/hacsync/hacsync/sync/destination"
	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/run"
	"github.com/hacsync/hacsync/sync/source"
	"github.com/hacsync/hacsync/sync/state"
)

// newcomer is an arena of n people on both sides.
func newcomer(t fataler, path string, n int) *arena {
	c := &still{now: time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC)}
	a := &arena{tenant: newTenant(c.Now), source: &list{}, clock: c, url: "sqlite://" + filepath.ToSlash(path)}
	for i := range n {
		upn, id, name := fmt.Sprintf("user%03d@%s", i, domain), fmt.Sprintf("imm%03d==", i), fmt.Sprintf("人 %03d", i)
		a.tenant.person(upn, id, name)
		a.source.rows = append(a.source.rows, user(upn, id, name))
	}
	a.all = a.source.rows
	a.seal()
	return a
}

// learn lets an arena's state meet its source, so that its accounts are known to
// have been there: an unattended run deletes no others.
func (a *arena) learn(t fataler) *arena {
	t.Helper()
	ctx := context.Background()
	p := a.start(t, &gate{})
	defer p.store.Close()
	if err := p.SetSettings(ctx, domain, map[string]string{"source": "hac"}); err != nil {
		t.Fatalf("settings: %v", err)
	}
	if _, err := p.DryRun(ctx, domain, run.Overrides{}); err != nil {
		t.Fatalf("learn: %v", err)
	}
	return a
}

// hour is what a worker does with a domain that is due.
func (p *process) hour(ctx context.Context) (*run.Planned, *run.Report, error) {
	planned, err := p.DryRun(ctx, domain, run.Overrides{Source: "hac", Unattended: true})
	if err != nil || planned.Plan.Len() == 0 {
		return planned, nil, err
	}
	rep, err := p.Sync(ctx, planned, run.Approval{Fingerprint: planned.Plan.Fingerprint(), By: "hacsync", Unattended: true})
	return planned, rep, err
}

func TestGuard_NinePercentEveryHourIsNoWayRound(t *testing.T) {
	a := newcomer(t, filepath.Join(t.TempDir(), "s.db"), 100).learn(t)
	p := a.start(t, &gate{})
	defer p.store.Close()
	leave := func(n int) { a.source.rows = a.source.rows[n:] }

	leave(9)
	if _, _, err := p.hour(t.Context()); err != nil {
		t.Fatalf("the first 9 of 100: %v", err)
	}
	for hour := 1; hour <= 23; hour++ {
		_ = a.clock.Sleep(t.Context(), time.Hour)
		if hour == 1 {
			leave(1)
		}
		planned, rep, err := p.hour(t.Context())
		if !problem.Has(err, problem.GuardCancelsDay) {
			t.Fatalf("hour %d: %v, want %s", hour, err, problem.GuardCancelsDay)
		}
		v := planned.Plan.Verdict()
		if v.Today != 9 || v.UsersThen != 100 || v.Deletions != 1 || v.Users != 91 || rep.State != state.Refused {
			t.Fatalf("hour %d: %+v, %s", hour, v, rep.State)
		}
	}
	if n := len(a.tenant.users); n != 91 {
		t.Fatalf("%d accounts are left, want 91", n)
	}
	_ = a.clock.Sleep(t.Context(), time.Hour+time.Minute) // the first nine are a day old
	if _, _, err := p.hour(t.Context()); err != nil {
		t.Fatalf("a day later: %v", err)
	}
	if n := len(a.tenant.users); n != 90 {
		t.Errorf("%d accounts are left, want 90", n)
	}
}

func TestGuard_UnattendedCountsBlocksAndWhatAPersonDeleted(t *testing.T) {
	a := newcomer(t, filepath.Join(t.TempDir(), "s.db"), 100).learn(t)
	p := a.start(t, &gate{})
	defer p.store.Close()
	if err := p.SetSettings(t.Context(), domain, map[string]string{"source": "hac", "on_disabled": "block-sign-in"}); err != nil {
		t.Fatal(err)
	}
	for i := range 4 {
		a.source.rows[i].Marks &^= directory.Enabled
	}
	a.source.rows = a.source.rows[:96]
	if _, err := p.approveAll(t.Context()); err != nil {
		t.Fatal(err)
	}
	for i := range 2 {
		a.source.rows[10+i].Marks &^= directory.Enabled
	}
	planned, _, err := p.hour(t.Context())
	if !problem.Has(err, problem.GuardCancelsDay) {
		t.Fatalf("%v, want %s", err, problem.GuardCancelsDay)
	}
	if v := planned.Plan.Verdict(); v.Today != 8 || v.UsersThen != 100 || v.Deletions != 2 {
		t.Errorf("verdict %+v", v)
	}
	// A person who looks may.
	if _, err := p.approveAll(t.Context()); err != nil {
		t.Errorf("with a review: %v", err)
	}
}

func TestGuard_ASyncThatCameBetweenPlanAndSyncCounts(t *testing.T) {
	a := newcomer(t, filepath.Join(t.TempDir(), "s.db"), 100).learn(t)
	p := a.start(t, &gate{})
	defer p.store.Close()
	all := a.source.rows
	a.source.rows = all[5:]
	mine, err := p.DryRun(t.Context(), domain, run.Overrides{Source: "hac", Unattended: true})
	if err != nil {
		t.Fatal(err)
	}
	a.source.rows = all[:92]
	if _, err := p.approveAll(t.Context()); err != nil { // 8 others
		t.Fatal(err)
	}
	a.source.rows = all[5:]
	_, err = p.Sync(t.Context(), mine, run.Approval{Fingerprint: mine.Plan.Fingerprint(), Unattended: true})
	if !problem.Has(err, problem.GuardCancelsDay) {
		t.Fatalf("%v, want %s", err, problem.GuardCancelsDay)
	}
	runs, err := p.Logs(t.Context(), domain, 1)
	if err != nil {
		t.Fatal(err)
	}
	if sum := run.SummaryOf(runs[0]); sum.Verdict == nil || sum.Verdict.Today != 8 || sum.Problem.Code != problem.GuardCancelsDay {
		t.Errorf("the sync log has %+v", sum.Verdict)
	}
}

func TestGuard_WhatWasSentAndNeverAnsweredCounts(t *testing.T) {
	a := newcomer(t, filepath.Join(t.TempDir(), "s.db"), 100).learn(t)
	count := &gate{}
	p := a.start(t, count)
	a.source.rows = a.source.rows[5:]
	if _, _, err := p.hour(t.Context()); err != nil {
		t.Fatal(err)
	}
	_ = p.store.Close()
	at := 1 + indexOf(count.names, "write")

	a = newcomer(t, filepath.Join(t.TempDir(), "s.db"), 100).learn(t)
	a.source.rows = a.source.rows[5:]
	dies := a.start(t, &gate{at: at, behind: true})
	if _, _, err := dies.hour(t.Context()); err == nil {
		t.Fatal("not killed")
	}
	_ = dies.store.Close()
	next := a.start(t, &gate{})
	defer next.store.Close()
	a.source.rows = a.source.rows[5:]
	planned, err := next.DryRun(t.Context(), domain, run.Overrides{Source: "hac", Unattended: true})
	if err != nil {
		t.Fatal(err)
	}
	if v := planned.Plan.Verdict(); v.Today != 5 || v.UsersThen != 100 || !v.Cancelled {
		t.Errorf("verdict %+v", v)
	}
}

func indexOf(names []string, name string) int {
	for i, n := range names {
		if n == name {
			return i
		}
	}
	return -1
}

// TestGuard_NoDayEverLosesMoreThanTheLimit lives through random days: leavers
// every hour, runs that are killed, machines whose clocks are apart. The oracle
// knows when each account disappeared and how many there were when that was
// planned, and nothing else.
func TestGuard_NoDayEverLosesMoreThanTheLimit(t *testing.T) {
	base := quickDir(t)
	n, lost := 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		limit := rapid.SampledFrom([]int{5, 10, 30}).Draw(rt, "limit")
		a := newcomer(rt, filepath.Join(base, fmt.Sprintf("g%d.db", n)), rapid.IntRange(20, 60).Draw(rt, "people")).learn(rt)
		ctx := context.Background()
		p := a.start(rt, &gate{})
		if err := p.SetSettings(ctx, domain, map[string]string{
			"source": "hac", "max_allowed_deletions": fmt.Sprint(limit), "shrink_share": "0",
		}); err != nil {
			rt.Fatal(err)
		}
		_ = p.store.Close()
		type loss struct {
			at   time.Time
			then int // users when it was planned
		}
		var losses []loss
		planned, broken := 0, ""
		a.tenant.after = func(s plan.Step) *destination.Outcome {
			if s.Verb != plan.DeleteUser {
				return nil
			}
			now := a.clock.Now()
			losses = append(losses, loss{now, planned})
			sum, then := 0, 0
			for _, l := range losses {
				if now.Sub(l.at) >= 24*time.Hour {
					continue
				}
				if sum++; then == 0 {
					then = l.then
				}
			}
			if sum*100 >= limit*then {
				broken = fmt.Sprintf("%d of %d accounts were lost within a day, limit %d %%: %+v", sum, then, limit, losses)
			}
			return nil
		}
		for hour := range rapid.IntRange(12, 24).Draw(rt, "hours") {
			_ = a.clock.Sleep(ctx, time.Duration(rapid.IntRange(45, 180).Draw(rt, "minutes"))*time.Minute)
			a.stay(rapid.IntRange(0, 3).Draw(rt, "leavers"))
			g := &gate{}
			if rapid.IntRange(0, 4).Draw(rt, "trouble") == 0 {
				g.at, g.behind = rapid.IntRange(1, 25).Draw(rt, "dies at"), rapid.Bool().Draw(rt, "behind")
			}
			p := a.start(rt, g)
			p.Clock = &apart{a.clock, time.Duration(rapid.IntRange(-1, 1).Draw(rt, "apart")) * time.Hour}
			open, err := p.OpenRun(ctx, domain)
			if err == nil && open != nil {
				_, err = p.ResumeUnattended(ctx, open.No)
			}
			if err == nil || benign(err) || problem.Has(err, problem.PlanOld) {
				planned = len(a.tenant.users)
				_, _, err = p.hour(ctx)
			}
			_ = p.store.Close()
			if broken != "" {
				rt.Fatal(broken)
			}
			if err != nil && !strings.Contains(err.Error(), errKilled.Error()) && !benign(err) &&
				!problem.Guarded(err) {
				rt.Fatalf("hour %d: %v", hour, err)
			}
		}
		lost += len(losses)
	})
	if lost == 0 {
		t.Error("nobody who left was ever deleted")
	}
}

// stay makes the source those who are in the tenant, but for a few.
func (a *arena) stay(leavers int) {
	var rows []directory.Record
	for _, row := range a.all {
		for _, u := range a.tenant.users {
			if u.UPN == row.UPN {
				rows = append(rows, row)
			}
		}
	}
	a.source.rows = rows[min(leavers, len(rows)-1):]
}

// apart is a clock that goes before or after another.
type apart struct {
	*still
	by time.Duration
}

func (c *apart) Now() time.Time { return c.still.Now().Add(c.by) }

func TestUnattended_ChoicesAreHeldAndCounted(t *testing.T) {
	w := newWorld(t)
	w.both(40)
	// An account and a new row of one name, an ID to be changed, and a deleted
	// account with the UPN and no ID.
	w.tenant.person("leaver@"+domain, "", "鈴木 一郎")
	joiner := user("joiner@"+domain, "immJoin==", "鈴木 一郎")
	joiner.Values[1], joiner.Values[2] = directory.Text("S 鈴木 一郎"), directory.Text("G 鈴木 一郎")
	w.source.rows = append(w.source.rows, joiner)
	w.source.rows[0].ImmutableID = "another=="
	back := w.tenant.person("back@"+domain, "", "Back")
	back.Deleted = w.Clock.Now().Add(-48 * time.Hour)
	w.tenant.bin[back.ID] = back
	delete(w.tenant.users, back.ID)
	w.source.rows = append(w.source.rows, user("back@"+domain, "immBack==", "Back"))
	w.source.rows[5].Values[0] = directory.Text("山田 改")
	if err := w.SetSettings(t.Context(), domain, map[string]string{"immutable_id_change": "ask"}); err != nil {
		t.Fatal(err)
	}
	p, err := w.DryRun(t.Context(), domain, run.Overrides{Unattended: true})
	if err != nil {
		t.Fatal(err)
	}
	wantCounts(t, p.Plan, 0, 1, 0, 0, 0)
	rep, err := w.Sync(t.Context(), p, run.Approval{Fingerprint: p.Plan.Fingerprint(), Unattended: true})
	if err == nil || !problem.Has(err, problem.WriteNeedsPerson) || w.asked != 0 {
		t.Fatalf("a person was asked (%d), or not missed: %v", w.asked, err)
	}
	if rep.State != state.Failed || problem.Of(err).Class() != problem.Mend {
		t.Errorf("state %s, class %v", rep.State, problem.Of(err).Class())
	}
	w.MayWriteAlone = func(context.Context) error { return nil }
	rep, err = w.Sync(t.Context(), p, run.Approval{Fingerprint: p.Plan.Fingerprint(), Unattended: true})
	if err != nil {
		t.Fatal(err)
	}
	want := map[problem.Code]int{problem.ImmutableIDHeld: 1, problem.RestoreHeld: 1}
	for code, n := range want {
		if rep.Skips[code] != n {
			t.Errorf("%s: %d skips, want %d", code, rep.Skips[code], n)
		}
	}
	if rep.Held != 2 || rep.Seen != 1 {
		t.Errorf("held %d, seen %d", rep.Held, rep.Seen)
	}
	runs, err := w.Logs(t.Context(), domain, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range runs {
		sum := run.SummaryOf(r)
		if sum.Held != 2 || sum.Counts == nil || sum.Counts.SourceUsers != 42 || sum.Counts.OpenQuestions != 1 || sum.Counts.Asked != 1 || !r.Unattended {
			t.Errorf("run %d (%s): %+v", r.No, r.Kind, sum)
		}
	}
	// A person is asked, and who the two are is for them to say.
	q := w.dry(t)
	wantCounts(t, q.Plan, 0, 0, 0, 0, 0)
	if q = w.answer(t, q, "leaver@"+domain, plan.DifferentPeople, ""); q.Plan.Counts().Delete != 1 || q.Plan.Counts().Add != 1 {
		t.Errorf("answered: %+v", q.Plan.Counts())
	}
}

func TestUnattended_APlanForAReviewerIsNotApplied(t *testing.T) {
	w := mixed(t)
	p := w.dry(t)
	a := approval(p)
	a.Unattended = true
	if _, err := w.Sync(t.Context(), p, a); !problem.Has(err, problem.PlanWatched) {
		t.Errorf("%v, want %s", err, problem.PlanWatched)
	}
	if len(w.tenant.writes) != 0 {
		t.Errorf("wrote %q", w.tenant.writes)
	}
}

// interruptedWorld is an arena whose sync was killed with a batch of unknown
// outcome.
func interruptedArena(t *testing.T, alone bool) (*arena, int64) {
	t.Helper()
	start := func(g *gate) (*arena, error) {
		a := newcomer(t, filepath.Join(t.TempDir(), "s.db"), 100)
		for i := range 45 {
			a.source.rows[i].Values[0] = directory.Text("改")
		}
		p := a.start(t, g)
		defer p.store.Close()
		if alone {
			_, _, err := p.hour(t.Context())
			return a, err
		}
		_, err := p.approveAll(t.Context())
		return a, err
	}
	count := &gate{}
	if _, err := start(count); err != nil {
		t.Fatal(err)
	}
	a, err := start(&gate{at: indexOf(count.names, "write") + 1, behind: true})
	if err == nil {
		t.Fatal("not killed")
	}
	return a, 2
}

func TestResumeUnattended_CarriesOutWhatWasApprovedWithinADay(t *testing.T) {
	for _, alone := range []bool{false, true} {
		a, no := interruptedArena(t, alone)
		p := a.start(t, &gate{})
		r, err := p.store.Run(t.Context(), no)
		if err != nil {
			t.Fatal(err)
		}
		_ = a.clock.Sleep(t.Context(), r.Started.Add(24*time.Hour).Sub(a.clock.Now()))
		open, err := p.OpenRun(t.Context(), domain)
		if err != nil || open == nil || open.No != no {
			t.Fatalf("open run %+v, %v", open, err)
		}
		rep, err := p.ResumeUnattended(t.Context(), no)
		if err != nil || rep.State != state.Done || rep.Seen != 45 {
			t.Fatalf("alone=%t: %+v, %v", alone, rep, err)
		}
		if open, err := p.OpenRun(t.Context(), domain); err != nil || open != nil {
			t.Errorf("still open: %+v, %v", open, err)
		}
		a.check(t, p.store)
		_ = p.store.Close()
	}
}

func TestResumeUnattended_GivesUpWhatWasApprovedADayAgoAndSettlesItFirst(t *testing.T) {
	a, no := interruptedArena(t, false)
	_ = a.clock.Sleep(t.Context(), 25*time.Hour)
	p := a.start(t, &gate{})
	defer p.store.Close()
	writes := len(a.tenant.writes)
	rep, err := p.ResumeUnattended(t.Context(), no)
	if !problem.Has(err, problem.PlanOld) || rep.State != state.Abandoned {
		t.Fatalf("%+v, %v", rep, err)
	}
	if len(a.tenant.writes) != writes {
		t.Errorf("wrote %q", a.tenant.writes[writes:])
	}
	if rep.Seen != writes || rep.NotTried != 45-writes {
		t.Errorf("seen %d of %d written, not tried %d", rep.Seen, writes, rep.NotTried)
	}
	entries, err := p.store.Journal(t.Context(), no)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.State == state.Sent {
			t.Errorf("row %d stayed unknown", e.Action)
		}
	}
	r, err := p.store.Run(t.Context(), no)
	if err != nil || r.State != state.Abandoned || run.SummaryOf(r).Problem.Code != problem.PlanOld {
		t.Errorf("sync log: %+v, %v", r, err)
	}
	if _, rep, err := p.hour(t.Context()); err != nil || rep.Seen != 45-writes {
		t.Errorf("the next hour: %+v, %v", rep, err)
	}
	a.check(t, p.store)
}

func TestResumeUnattended_ARunWithoutAPlanIsGivenUp(t *testing.T) {
	a := newcomer(t, filepath.Join(t.TempDir(), "s.db"), 5)
	p := a.start(t, &gate{})
	defer p.store.Close()
	no, err := p.store.BeginRun(t.Context(), state.Run{Kind: state.Sync, Tenant: "t-1", Domain: domain, Started: a.clock.Now()})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.ResumeUnattended(t.Context(), no); !problem.Has(err, problem.PlanMissing) {
		t.Errorf("%v", err)
	}
	if r, err := p.store.Run(t.Context(), no); err != nil || r.State != state.Abandoned {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestUnattended_WhatStopsADryRunStandsInTheSyncLog(t *testing.T) {
	for name, c := range map[string]struct {
		harm func(*world)
		want problem.Code
	}{
		"source empty tonight": {func(w *world) { w.source.rows, w.source.err = nil, source.Sealing(directory.ErrEmpty, "list") }, problem.SourceEmpty},
		"source shrunk":        {func(w *world) { w.source.rows = w.source.rows[:15] }, problem.Shrunk},
		"another's file":       {func(w *world) { w.other() }, problem.NoSourceRows},
		"tenant shrunk":        {func(w *world) { w.halve() }, problem.Shrunk},
		"consent revoked":      {func(w *world) { w.tenant.onRead = refuse(problem.ConsentMissing) }, problem.ConsentMissing},
		"consent gone at once": {func(w *world) { w.tenant.onTenant = refuse(problem.ConsentMissing) }, problem.ConsentMissing},
		"source not there":     {func(w *world) { w.source.err = problem.New(problem.SourceColumnMissing, nil) }, problem.SourceColumnMissing},
		"domain gone":          {func(w *world) { w.tenant.info.Domains = w.tenant.info.Domains[:1] }, problem.DomainUnknown},
		"a setting nobody knows": {func(w *world) {
			_ = w.store.SetSettings(context.Background(), "t-1", domain, map[string]string{"later": "1"})
		}, problem.SettingUnknown},
	} {
		t.Run(name, func(t *testing.T) {
			w := mixed(t)
			w.MayWriteAlone = func(context.Context) error { return nil }
			w.dry(t)
			c.harm(w)
			if _, err := w.DryRun(t.Context(), domain, run.Overrides{Unattended: true}); !problem.Has(err, c.want) {
				t.Fatalf("%v, want %s", err, c.want)
			}
			runs, err := w.Logs(t.Context(), domain, 1)
			if err != nil {
				t.Fatal(err)
			}
			sum := run.SummaryOf(runs[0])
			if runs[0].State != state.Failed || runs[0].Ended.IsZero() || !runs[0].Unattended || sum.Problem == nil || sum.Problem.Code != c.want {
				t.Errorf("sync log: %+v, %+v", runs[0], sum.Problem)
			}
			if len(w.tenant.writes) != 0 {
				t.Errorf("wrote %q", w.tenant.writes)
			}
		})
	}
}

func refuse(code problem.Code) func() error {
	return func() error { return problem.New(code, nil).WithClass(problem.Mend) }
}

func (w *world) other() {
	for i := range w.source.rows {
		w.source.rows[i].UPN = strings.Replace(w.source.rows[i].UPN, domain, "elsewhere.example", 1)
	}
}

func (w *world) halve() {
	i := 0
	for id := range w.tenant.users {
		if i++; i <= 30 {
			delete(w.tenant.users, id)
		}
	}
}

func TestUnattended_ARevokedConsentInTheMiddleStopsTheSyncAndItGoesOn(t *testing.T) {
	a := newcomer(t, filepath.Join(t.TempDir(), "s.db"), 100)
	for i := range 45 {
		a.source.rows[i].Values[0] = directory.Text("改")
	}
	p := a.start(t, &gate{})
	defer p.store.Close()
	looks := 0
	a.tenant.onLook = func() error {
		if looks++; looks > 4 {
			return problem.New(problem.ConsentMissing, nil)
		}
		return nil
	}
	_, rep, err := p.hour(t.Context())
	if !problem.Has(err, problem.ConsentMissing) || rep.State != state.Stopped {
		t.Fatalf("%+v, %v", rep, err)
	}
	r, err := p.store.Run(t.Context(), rep.Run)
	if err != nil || run.SummaryOf(r).Problem.Code != problem.ConsentMissing {
		t.Errorf("sync log: %+v, %v", r, err)
	}
	a.tenant.onLook = nil
	if rep, err = p.ResumeUnattended(t.Context(), rep.Run); err != nil || rep.Seen != 45 {
		t.Errorf("resumed: %+v, %v", rep, err)
	}
	a.check(t, p.store)
}

func TestReport_CountsTheCausesOfRowsThatFailed(t *testing.T) {
	w := mixed(t)
	w.tenant.before = func(s plan.Step) *destination.Outcome {
		if s.Verb != plan.Create {
			return nil
		}
		return &destination.Outcome{Did: destination.NotDone, Why: problem.New(problem.ConflictUPN, problem.Args{"upn": "new"})}
	}
	p := w.dry(t)
	rep, err := w.Sync(t.Context(), p, approval(p))
	if err != nil || rep.State != state.Partial {
		t.Fatalf("%+v, %v", rep, err)
	}
	if len(rep.Causes) != 1 || rep.Causes[problem.ConflictUPN] != 1 {
		t.Errorf("causes %v", rep.Causes)
	}
	r, err := w.store.Run(t.Context(), rep.Run)
	if err != nil {
		t.Fatal(err)
	}
	sum := run.SummaryOf(r)
	if sum.Causes[problem.ConflictUPN] != 1 || sum.Sent != 4 || sum.Seen != 3 || sum.Took <= 0 || sum.Counts.DestinationUsers != 41 {
		t.Errorf("sync log: %+v", sum)
	}
}
