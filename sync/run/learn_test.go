package run_test

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hacsync/hacsync/sync/destination"
	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/run"
	"github.com/hacsync/hacsync/sync/state"
)

// village is n people on both sides who have no immutable ID, a source that is set
// up, and a process that works on them. Nothing was learnt yet.
func village(t *testing.T, n int) (*arena, *process) {
	t.Helper()
	a := newcomer(t, filepath.Join(quickDir(t), "s.db"), n)
	for i := range a.source.rows {
		a.source.rows[i].ImmutableID = ""
	}
	for _, u := range a.tenant.users {
		u.ImmutableID = ""
	}
	a.all = slices.Clone(a.source.rows)
	a.seal()
	p := a.start(t, &gate{})
	t.Cleanup(func() { _ = p.store.Close() })
	p.set(t, map[string]string{"source": "hac"})
	return a, p
}

func (p *process) set(t *testing.T, kv map[string]string) {
	t.Helper()
	if err := p.SetSettings(t.Context(), domain, kv); err != nil {
		t.Fatal(err)
	}
}

func (p *process) dry(t *testing.T) *run.Planned {
	t.Helper()
	planned, err := p.DryRun(t.Context(), domain, run.Overrides{})
	if err != nil {
		t.Fatal(err)
	}
	return planned
}

// apply synchronises a plan as it is.
func (p *process) apply(t *testing.T, planned *run.Planned) *run.Report {
	t.Helper()
	rep, err := p.Sync(t.Context(), planned, approval(planned))
	if err != nil {
		t.Fatalf("%v, drifted %q", err, drifts(rep))
	}
	return rep
}

// known is what is remembered of the accounts, by ID.
func (p *process) known(t *testing.T) map[string]run.Linked {
	t.Helper()
	all, err := p.Links(t.Context(), domain)
	if err != nil {
		t.Fatal(err)
	}
	m := map[string]run.Linked{}
	for _, l := range all {
		m[l.ID] = l
	}
	return m
}

// usernames are the links, Username → UPN of the account as it is now.
func (p *process) usernames(t *testing.T, a *arena) map[string]string {
	t.Helper()
	m := map[string]string{}
	for id, l := range p.known(t) {
		if l.Link.Username != "" {
			upn := "gone"
			if u := a.tenant.users[directory.ID(id)]; u != nil {
				upn = u.UPN
			}
			m[l.Link.Username] = upn
		}
	}
	return m
}

func (p *process) wantLinks(t *testing.T, a *arena, names ...string) {
	t.Helper()
	want := map[string]string{}
	for _, n := range names {
		want[n] = n + "@" + domain
	}
	if got := p.usernames(t, a); !maps.Equal(got, want) {
		t.Errorf("links %v, want %v", got, want)
	}
}

// later lets time pass.
func (a *arena) later(d time.Duration) { _ = a.clock.Sleep(context.Background(), d) }

func (a *arena) account(upn string) *directory.Record {
	for _, u := range a.tenant.users {
		if strings.EqualFold(u.UPN, upn) {
			return u
		}
	}
	return nil
}

func (a *arena) row(upn string) *directory.Record {
	for i := range a.source.rows {
		if a.source.rows[i].UPN == upn {
			return &a.source.rows[i]
		}
	}
	return nil
}

// leave takes people out of the source.
func (a *arena) leave(upns ...string) {
	a.source.rows = slices.DeleteFunc(slices.Clone(a.source.rows), func(r directory.Record) bool { return slices.Contains(upns, r.UPN) })
}

func at(local string) string { return local + "@" + domain }

func TestLearnt_ADryRunWithNothingToApplyTeaches(t *testing.T) {
	a, p := village(t, 3)
	planned := p.dry(t)
	if planned.Plan.Len() != 0 {
		t.Fatalf("%d actions", planned.Plan.Len())
	}
	p.wantLinks(t, a, "user000", "user001", "user002")
	for _, l := range p.known(t) {
		if l.Link.Run != planned.Run || l.Link.Source != run.DefaultSourceName || l.Link.UPN == "" || l.Link.Display == "" || l.Seen.Last.IsZero() {
			t.Errorf("%+v", l)
		}
	}
}

func TestLearnt_ChangesTeachOnlyOnceTheirSyncHasSeenThemDone(t *testing.T) {
	a, p := village(t, 30)
	a.row(at("user001")).Values[0] = directory.Text("人 001 改")
	a.row(at("user002")).Values[0] = directory.Text("人 002 改")
	a.source.rows = append(a.source.rows, user(at("new"), "", "新 人"))
	planned := p.dry(t)
	if got := p.usernames(t, a); len(got) != 0 {
		t.Fatalf("a dry run with changes taught %v", got)
	}
	refused := refused(403, "Authorization_RequestDenied")
	a.tenant.before = func(s plan.Step) *destination.Outcome {
		if s.Object.UPN == at("user002") {
			return &refused
		}
		return nil
	}
	rep := p.apply(t, planned)
	if rep.State != state.Partial {
		t.Fatalf("%+v", rep)
	}
	got := p.usernames(t, a)
	if got["user001"] != at("user001") || got["new"] != at("new") || len(got) != 30 {
		t.Errorf("learnt %v", got)
	}
	if _, ok := got["user002"]; ok {
		t.Error("a row that failed taught its link")
	}
	for id, l := range p.known(t) {
		if l.Link.Username != "" && l.Link.Run != rep.Run {
			t.Errorf("%s was learnt by run %d, want the sync %d", id, l.Link.Run, rep.Run)
		}
		if (l.Link.Username == "new") != (l.Added == rep.Run) {
			t.Errorf("%s added by run %d", l.Link.Username, l.Added)
		}
	}
}

func TestLearnt_SkipsConflictsAndOpenQuestionsTeachNothing(t *testing.T) {
	a, p := village(t, 6)
	twin := user(at("user001"), "", "別 人")
	twin.ID = "twin"
	a.source.rows = append(a.source.rows, twin)                           // two rows with one UPN
	a.account(at("user002")).Marks |= directory.RoleHolder                // never touched
	a.row(at("user003")).UPN, a.row(at("user003")).ID = at("x"), "user3x" // a question: the same name
	planned := p.dry(t)
	if planned.Plan.Len() != 0 || planned.Plan.Counts().OpenQuestions != 1 {
		t.Fatalf("%+v", planned.Plan.Counts())
	}
	p.wantLinks(t, a, "user000", "user004", "user005")
}

func TestLearnt_OnlyFromTheStoredSourceAndFromNoOlderRead(t *testing.T) {
	day := time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)
	a, p := village(t, 20)
	a.source.newest = day
	if _, err := p.DryRun(t.Context(), domain, run.Overrides{Source: "csv:/elsewhere.csv"}); err != nil {
		t.Fatal(err)
	}
	p.wantLinks(t, a)
	p.dry(t)
	rows := a.source.rows
	names := slices.Sorted(maps.Keys(p.usernames(t, a)))
	if len(names) != 20 {
		t.Fatalf("%q", names)
	}
	missing := func(id directory.ID) int { return p.known(t)[string(id)].Absent.Reads }
	leaver := a.account(at("user000")).ID
	p.set(t, map[string]string{"on_missing": "keep"}) // so that nothing is to be applied
	a.leave(at("user000"))

	a.later(time.Hour)
	a.source.newest = day.Add(-time.Second)
	p.dry(t)
	if missing(leaver) != 0 {
		t.Error("a read older than the last one taught")
	}
	a.source.newest = day.Add(time.Second)
	if _, err := p.DryRun(t.Context(), domain, run.Overrides{Source: "csv:/elsewhere.csv"}); err != nil {
		t.Fatal(err)
	}
	if missing(leaver) != 0 {
		t.Error("a source that is not the stored one taught")
	}
	a.source.rows = rows[15:]
	if _, err := p.DryRun(t.Context(), domain, run.Overrides{}); !problem.Has(err, problem.Shrunk) {
		t.Fatal(err)
	}
	if missing(leaver) != 0 {
		t.Error("a read that the shrink check refused taught")
	}
	a.source.rows = rows[1:]
	p.dry(t)
	if missing(leaver) != 1 {
		t.Error("a good read taught nothing")
	}
}

func TestLearnt_ACancelledPlanTeachesNothing(t *testing.T) {
	a, p := village(t, 20)
	a.row(at("user019")).Values[0] = directory.Text("人 019 改")
	for i := range 4 {
		a.tenant.person(at(fmt.Sprintf("stranger%d", i)), "", fmt.Sprintf("他 %d", i))
	}
	planned := p.dry(t)
	if _, err := p.Sync(t.Context(), planned, approval(planned)); !problem.Has(err, problem.GuardCancels) {
		t.Fatal(err)
	}
	p.wantLinks(t, a)

	// Unattended, a file without a fifth of the people is cancelled although nothing
	// of it would be done: not even that they are absent is believed.
	a, p = village(t, 20)
	p.dry(t)
	a.later(time.Hour)
	p.set(t, map[string]string{"on_missing": "keep"})
	a.leave(at("user000"), at("user001"), at("user002"), at("user003"))
	planned, err := p.DryRun(t.Context(), domain, run.Overrides{Unattended: true})
	if err != nil {
		t.Fatal(err)
	}
	if v := planned.Plan.Verdict(); planned.Plan.Len() != 0 || v.Why == nil || v.Why.Code != problem.LostCancels {
		t.Fatalf("%d actions, %+v", planned.Plan.Len(), v)
	}
	for id, l := range p.known(t) {
		if l.Absent.Reads != 0 {
			t.Errorf("%s is absent", id)
		}
	}
}

func TestLearnt_KilledAroundTheEndASyncTeachesOnce(t *testing.T) {
	setUp := func(g *gate) (*arena, error) {
		a := newcomer(t, filepath.Join(quickDir(t), "s.db"), 5)
		p := a.start(t, g)
		defer p.store.Close()
		p.set(t, map[string]string{"source": "hac"})
		a.row(at("user001")).Values[0] = directory.Text("人 001 改")
		_, err := p.approveAll(t.Context())
		return a, err
	}
	count := &gate{}
	if _, err := setUp(count); err != nil {
		t.Fatal(err)
	}
	end := lastOf(count.names, "end run")
	for _, behind := range []bool{false, true} {
		a, err := setUp(&gate{at: end, behind: behind})
		if err == nil {
			t.Fatal("not killed")
		}
		p := a.start(t, &gate{})
		if got := p.usernames(t, a); (len(got) == 5) != behind || !behind && len(got) > 0 {
			t.Errorf("behind=%v: learnt %v before it was resumed", behind, got)
		}
		if behind {
			if _, err := p.Resume(t.Context(), 2); !problem.Has(err, problem.RunEnded) {
				t.Errorf("%v", err)
			}
		} else if _, err := p.Resume(t.Context(), 2); err != nil {
			t.Error(err)
		}
		p.wantLinks(t, a, "user000", "user001", "user002", "user003", "user004")
		for _, l := range p.known(t) {
			if l.Link.Run != 2 {
				t.Errorf("learnt by run %d", l.Link.Run)
			}
		}
		_ = p.store.Close()
	}
}

// lastOf is the crossing at which a call was made last.
func lastOf(names []string, name string) int {
	last := 0
	for i, n := range names {
		if n == name {
			last = i + 1
		}
	}
	return last
}

func TestLearnt_LinksOfAnotherSourceNeitherMatchNorClaim(t *testing.T) {
	for name, c := range map[string]struct {
		source                      string
		renames, questions, deletes int
	}{
		"the same": {"hac", 1, 0, 1},
		"another":  {"branch", 0, 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			a, p := village(t, 30)
			p.dry(t)
			p.set(t, map[string]string{"source_name": c.source})
			a.row(at("user001")).UPN = at("married") // by the Username alone she is who she was
			a.leave(at("user002"))
			a.later(time.Hour)
			planned, err := p.DryRun(t.Context(), domain, run.Overrides{Unattended: true})
			if err != nil {
				t.Fatal(err)
			}
			n := planned.Plan.Counts()
			if n.Rename != c.renames || n.OpenQuestions != c.questions || n.Delete != c.deletes || n.Add != 0 {
				t.Errorf("%+v", n)
			}
		})
	}
}

func TestLearnt_AUsernameThatWasGivenToAnotherMovesItsLink(t *testing.T) {
	a, p := village(t, 20)
	other := a.tenant.person(at("newcomer"), "immNewcomer==", "別 の人") // made by hand
	p.set(t, map[string]string{"on_missing": "keep"})
	p.dry(t)
	first := a.account(at("user001")).ID
	rows := a.source.rows
	a.leave(at("user001"))
	a.later(time.Hour)
	p.dry(t)
	a.source.rows = append(slices.DeleteFunc(slices.Clone(rows), func(r directory.Record) bool { return r.UPN == at("user001") }),
		user(other.UPN, other.ImmutableID, "別 の人"))
	a.source.rows[len(rows)-1].ID = "user001" // HAC gave the Username to somebody else
	a.later(time.Hour)
	planned := p.dry(t)
	known := p.known(t)
	if l := known[string(other.ID)].Link; l.Username != "user001" || l.Run != planned.Run {
		t.Errorf("the newcomer is linked as %+v; %+v", l, planned.Plan.Counts())
	}
	if l := known[string(first)]; l.Link.Username != "" {
		t.Errorf("the first holder is still linked: %+v", l)
	}
}

func TestLearnt_AbsenceIsCountedByReadsAndDaysAndEndsWithAReturn(t *testing.T) {
	a, p := village(t, 20)
	p.set(t, map[string]string{"on_missing": "keep"})
	p.dry(t)
	rows, id := a.source.rows, string(a.account(at("user000")).ID)
	a.leave(at("user000"))
	start := a.clock.Now()
	for i, wait := range []time.Duration{time.Hour, time.Hour, 23 * time.Hour, 48 * time.Hour} {
		a.later(wait)
		p.dry(t)
		got := p.known(t)[id].Absent
		if want := []int{1, 1, 2, 3}[i]; got.Days != want || got.Reads != i+1 || !got.First.Equal(start.Add(time.Hour)) || !got.Last.Equal(a.clock.Now()) {
			t.Errorf("read %d: %+v, want %d days", i+1, got, want)
		}
	}
	a.source.rows = rows
	a.later(time.Hour)
	p.dry(t)
	if got := p.known(t)[id]; got.Absent != (state.Absence{}) || got.Link.Username != "user000" || !got.Seen.First.Equal(a.clock.Now()) {
		t.Errorf("back again: %+v", got)
	}
}

func TestForget_TakesBackWhatARunTaught(t *testing.T) {
	a, p := village(t, 5)
	first := p.dry(t)
	a.row(at("user001")).UPN = at("married")
	a.later(time.Hour)
	rep := p.apply(t, p.dry(t))
	id := string(a.account(at("married")).ID)
	if l := p.known(t)[id].Link; l.UPN != at("married") || l.Run != rep.Run {
		t.Fatalf("%+v", l)
	}
	if n, err := p.Forget(t.Context(), domain, rep.Run); err != nil || n != 1 {
		t.Errorf("forgot %d, %v", n, err)
	}
	if l := p.known(t)[id].Link; l.UPN != at("user001") || l.Run != first.Run {
		t.Errorf("the link is not as before: %+v", l)
	}
	if n, err := p.Forget(t.Context(), domain, first.Run); err != nil || n != 5 {
		t.Errorf("forgot %d, %v", n, err)
	}
	if got := p.usernames(t, a); len(got) != 0 {
		t.Errorf("still %v", got)
	}
	if _, err := p.Forget(t.Context(), domain, 99); !problem.Has(err, problem.RunUnknown) {
		t.Errorf("%v", err)
	}
}

func TestUndo_RestoresLinksAndAsksAgain(t *testing.T) {
	a, p := village(t, 30)
	p.dry(t)
	before := p.known(t)
	a.row(at("user001")).UPN = at("married")
	*a.row(at("user002")) = user(at("again"), "", "人 002") // made anew in HAC
	a.later(time.Hour)
	planned := p.dry(t)
	id := a.account(at("user002")).ID
	planned, err := p.Answer(t.Context(), planned, id, plan.SamePerson, "again", "t.mori")
	if err != nil {
		t.Fatal(err)
	}
	wantCounts(t, planned.Plan, 0, 0, 2, 0, 0)
	rep := p.apply(t, planned)
	if got := p.usernames(t, a); got["again"] != at("again") || got["user001"] != at("married") || len(got) != 30 {
		t.Fatalf("learnt %v", got)
	}
	answers, err := p.store.Answers(t.Context(), "t-1", domain)
	if err != nil || len(answers) != 1 || answers[0].Used != rep.Run {
		t.Fatalf("%+v, %v", answers, err)
	}
	a.later(time.Hour)
	if _, err := p.undoAll(t.Context(), rep.Run); err != nil {
		t.Fatal(err)
	}
	for id, was := range before {
		if is := p.known(t)[id]; is.Link != was.Link || is.Absent != was.Absent || is.Claimed != was.Claimed {
			t.Errorf("%s is %+v, was %+v", id, is.Account, was.Account)
		}
	}
	if answers, err = p.store.Answers(t.Context(), "t-1", domain); err != nil || len(answers) != 0 {
		t.Errorf("%+v, %v", answers, err)
	}
	a.later(time.Hour)
	if c := p.dry(t).Plan.Counts(); c.OpenQuestions != 1 || c.Rename != 1 {
		t.Errorf("after the undo: %+v", c)
	}
}

// An undo that is killed around its end has unlearnt when it is over, whoever ended
// it.
func TestUndo_KilledAroundItsEndUnlearnsAllTheSame(t *testing.T) {
	setUp := func(g *gate) (*arena, int64, error) {
		a, p := village(t, 10)
		p.dry(t)
		a.row(at("user001")).UPN = at("married")
		a.later(time.Hour)
		rep := p.apply(t, p.dry(t))
		_ = p.store.Close()
		dies := a.start(t, g)
		defer dies.store.Close()
		_, err := dies.undoAll(t.Context(), rep.Run)
		return a, rep.Run, err
	}
	count := &gate{}
	if _, _, err := setUp(count); err != nil {
		t.Fatal(err)
	}
	end := lastOf(count.names, "end run")
	for _, behind := range []bool{false, true} {
		a, no, err := setUp(&gate{at: end, behind: behind})
		if err == nil {
			t.Fatal("not killed")
		}
		p := a.start(t, &gate{})
		if err := p.recoverUndo(t.Context(), no); err != nil && !problem.Has(err, problem.UndoNothing) {
			t.Fatal(err)
		}
		if l := p.known(t)[string(a.account(at("user001")).ID)].Link; l.UPN != at("user001") {
			t.Errorf("behind=%v: the link is %+v", behind, l)
		}
		_ = p.store.Close()
	}
}

func TestPastDrift_WhatIsForgottenBetweenPlanAndSyncIsDrift(t *testing.T) {
	a, p := village(t, 20)
	first := p.dry(t)
	a.row(at("user001")).UPN = at("married")
	a.later(time.Hour)
	planned := p.dry(t)
	if _, err := p.Forget(t.Context(), domain, first.Run); err != nil {
		t.Fatal(err)
	}
	wantDrift(t, p, planned, problem.DriftLink)

	// The same plan in another state, that has learnt nothing.
	b := *a
	b.url = "sqlite://" + filepath.ToSlash(filepath.Join(quickDir(t), "other.db"))
	other := b.start(t, &gate{})
	defer other.store.Close()
	other.set(t, map[string]string{"source": "hac"})
	elsewhere := *planned
	elsewhere.Run = 0
	wantDrift(t, other, &elsewhere, problem.DriftLink)

	// A state that learnt from another source has no link either; but where the plan
	// rests on none, that is no drift.
	p.set(t, map[string]string{"source_name": "branch"})
	a.row(at("married")).UPN = at("user001")
	p.dry(t) // learnt anew, of another name
	p.set(t, map[string]string{"source_name": "hac"})
	a.row(at("user005")).Values[0] = directory.Text("人 005 改")
	a.later(time.Hour)
	p.apply(t, p.dry(t))
}

// Who came back to the source and went again since the dry run is not deleted by it.
func TestPastDrift_WhoWasSeenAgainSinceIsDrift(t *testing.T) {
	a, p := village(t, 20)
	p.dry(t)
	away := *a.row(at("user001"))
	a.leave(at("user001"))
	a.later(time.Hour)
	planned := p.dry(t)
	if planned.Plan.Counts().Delete != 1 {
		t.Fatal(planned.Plan.Counts())
	}
	a.source.rows = append(a.source.rows, away)
	a.later(time.Hour)
	p.dry(t) // nothing to apply: learnt at once
	a.leave(at("user001"))
	a.later(time.Hour)
	wantDrift(t, p, planned, problem.DriftAbsence)
	p.apply(t, p.dry(t))
}

// wantDrift is a sync that is refused before it writes, for one row and reason.
func wantDrift(t *testing.T, p *process, planned *run.Planned, code problem.Code) {
	t.Helper()
	rep, err := p.Sync(t.Context(), planned, approval(planned))
	if !problem.Has(err, problem.PlanDrifted) || rep.Sent != 0 || len(rep.Drifted) == 0 {
		t.Fatalf("%v, %+v", err, rep)
	}
	for _, d := range rep.Drifted {
		if d.Why.Code != code {
			t.Errorf("drifted: %v, want %s", d.Why, code)
		}
	}
}

func TestLinks_OfAccountsThatAreGoneForSixtyDaysAreDropped(t *testing.T) {
	a, p := village(t, 20)
	p.set(t, map[string]string{"on_missing": "keep"})
	p.dry(t)
	gone, binned := a.account(at("user000")), a.account(at("user001"))
	a.leave(at("user000"), at("user001"))
	a.later(time.Hour)
	delete(a.tenant.users, gone.ID)
	delete(a.tenant.users, binned.ID)
	binned.Deleted = a.clock.Now()
	a.tenant.bin[binned.ID] = binned
	p.dry(t)
	a.later(58 * 24 * time.Hour)
	p.dry(t)
	if n := len(p.known(t)); n != 20 {
		t.Fatalf("after 58 days %d accounts are known", n)
	}
	a.later(3 * 24 * time.Hour)
	p.dry(t)
	known := p.known(t)
	if _, ok := known[string(gone.ID)]; ok || len(known) != 19 {
		t.Errorf("after 61 days %d accounts are known", len(known))
	}
	if _, ok := known[string(binned.ID)]; !ok {
		t.Error("one in the recycle bin is forgotten")
	}
}
