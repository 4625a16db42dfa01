package run_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/hacsync/hacsync/sync/destination"
	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/run"
	"github.com/hacsync/hacsync/sync/state"
)

func yes(int) error { return nil }

// keeps keeps a run, and expects so many links or a reason against it.
func (p *process) keeps(t *testing.T, no int64, want int, code problem.Code, why string) {
	t.Helper()
	n, err := p.Keep(t.Context(), domain, no, yes)
	switch found := problem.Of(err); {
	case code == "" && (err != nil || n != want):
		t.Errorf("kept %d links of run %d, %v; want %d", n, no, err, want)
	case code != "" && (found == nil || found.Code != code || found.Args["why"] != why):
		t.Errorf("keeping run %d: %d links, %v; want %s %q", no, n, err, code, why)
	}
}

func TestKeep_LearnsWhoWasMatchedAndNothingElse(t *testing.T) {
	a, p := village(t, 30)
	a.row(at("user001")).Values[0] = directory.Text("人 001 改")            // an update
	a.row(at("user002")).UPN, a.row(at("user002")).ID = at("x"), "user2x" // a question
	a.account(at("user003")).Marks |= directory.RoleHolder                // a skip
	twin := user(at("user004"), "", "別 人")                                // a conflict with user004
	twin.ID = "twin"
	a.source.rows = append(a.source.rows, user(at("new"), "", "新 人"), twin) // and an addition
	back := a.account(at("user005"))                                        // a restore
	back.ImmutableID, a.row(at("user005")).ImmutableID, back.Deleted = "ID05==", "ID05==", a.clock.Now()
	a.tenant.bin[back.ID] = back
	delete(a.tenant.users, back.ID)
	planned := p.dry(t)
	if c := planned.Plan.Counts(); c.Add != 1 || c.Update != 1 || c.Restore != 1 || c.OpenQuestions != 1 {
		t.Fatalf("%+v", c)
	}
	// An answer is carried out by a sync, and learnt with it.
	answered, err := p.Answer(t.Context(), planned, a.account(at("user002")).ID, plan.SamePerson, "user2x", "t.mori")
	if err != nil || answered.Plan.Counts().Rename != 1 {
		t.Fatalf("%+v, %v", answered.Plan.Counts(), err)
	}
	p.wantLinks(t, a)
	asked := 0
	declined := errors.New("no")
	if _, err := p.Keep(t.Context(), domain, planned.Run, func(links int) error { asked = links; return declined }); !errors.Is(err, declined) || asked != 26 {
		t.Errorf("asked about %d links, %v", asked, err)
	}
	p.wantLinks(t, a)
	p.keeps(t, planned.Run, 26, "", "")
	got := p.usernames(t, a)
	for _, name := range []string{"user002", "user2x", "user003", "user004", "twin", "new", "user005"} {
		if upn, ok := got[name]; ok {
			t.Errorf("learnt %s of %s", name, upn)
		}
	}
	if got["user001"] != at("user001") || len(got) != 26 {
		t.Errorf("learnt %v", got)
	}
	p.keeps(t, planned.Run, 0, problem.LessonTaught, "")

	// What was kept is taken back like what was learnt, and not kept again.
	if n, err := p.Forget(t.Context(), domain, planned.Run); err != nil || n != 26 {
		t.Errorf("forgot %d, %v", n, err)
	}
	p.keeps(t, planned.Run, 0, problem.LessonTaught, "")
	p.wantLinks(t, a)
	a.later(time.Hour)
	p.keeps(t, p.dry(t).Run, 26, "", "")
}

func TestKeep_CountsAnAbsenceAsAnyReadDoes(t *testing.T) {
	a, p := village(t, 20)
	p.dry(t)
	id := string(a.account(at("user000")).ID)
	a.leave(at("user000"))
	a.later(24 * time.Hour)
	p.keeps(t, p.dry(t).Run, 0, "", "")
	if l := p.known(t)[id]; l.Absent.Reads != 1 || l.Link.Username != "user000" {
		t.Errorf("%+v", l)
	}
}

func TestKeep_RefusesWhatTeachesNothing(t *testing.T) {
	a, p := village(t, 20)
	p.set(t, map[string]string{"max_allowed_deletions": "10"})
	inStep := p.dry(t)
	p.keeps(t, inStep.Run, 0, problem.LessonNone, "none")
	change := func(i int, to string) *run.Planned {
		t.Helper()
		a.later(time.Hour)
		rows := slices.Clone(a.source.rows)
		rows[i].Values = slices.Clone(rows[i].Values)
		rows[i].Values[0] = directory.Text(to)
		a.source.rows = rows
		return p.dry(t)
	}
	old := change(1, "人 001 改")
	applied := change(2, "人 002 改")
	a.later(time.Hour)
	later := p.dry(t)
	rep := p.apply(t, applied)
	p.keeps(t, applied.Run, 0, problem.LessonTaught, "")
	p.keeps(t, old.Run, 0, problem.LessonOlder, "")
	p.keeps(t, rep.Run, 0, problem.LessonNone, "sync")
	p.keeps(t, later.Run, 0, problem.LessonOlder, "") // what it compared with is not known any more
	p.apply(t, change(4, "人 004 改"))
	p.keeps(t, applied.Run, 0, problem.LessonTaught, "") // whatever came after it
	if _, err := p.Keep(t.Context(), domain, 9999, yes); !problem.Has(err, problem.RunUnknown) {
		t.Errorf("%v", err)
	}

	a.later(time.Hour)
	other, err := p.DryRun(t.Context(), domain, run.Overrides{Source: "csv:/elsewhere.csv"})
	if err != nil {
		t.Fatal(err)
	}
	p.keeps(t, other.Run, 0, problem.LessonNone, "source")

	newest := p.dry(t)
	if _, err := p.Keep(t.Context(), "else.example", newest.Run, yes); problem.Of(err) == nil || problem.Of(err).Args["why"] != "domain" {
		t.Errorf("of another domain: %v", err)
	}
	a.source.newest = a.source.newest.Add(-time.Hour) // an older list, of a file that was found again
	a.later(time.Hour)
	p.keeps(t, p.dry(t).Run, 0, problem.LessonNone, "none")
	a.source.newest = a.source.newest.Add(time.Hour)

	rows := a.source.rows
	a.leave(at("user010"), at("user011"), at("user012"))
	a.later(time.Hour)
	p.keeps(t, p.dry(t).Run, 0, problem.LessonNone, "guard")
	a.source.rows = rows[:3]
	if _, err := p.DryRun(t.Context(), domain, run.Overrides{}); !problem.Has(err, problem.Shrunk) {
		t.Fatal(err)
	}
	runs, err := p.store.Runs(t.Context(), state.RunFilter{Kind: state.DryRun, Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	p.keeps(t, runs[0].No, 0, problem.LessonNone, "failed")
	if got := slices.Sorted(maps.Keys(p.usernames(t, a))); len(got) != 20 {
		t.Errorf("links of %q", got)
	}
}

func TestKeep_WaitsForTheSyncThatAppliesIt(t *testing.T) {
	a, p := village(t, 20)
	a.row(at("user001")).Values[0] = directory.Text("人 001 改")
	planned := p.dry(t)
	var during error
	a.tenant.before = func(plan.Step) *destination.Outcome {
		_, during = p.Keep(t.Context(), domain, planned.Run, yes)
		return nil
	}
	rep := p.apply(t, planned)
	if !problem.Has(during, problem.DomainBusy) {
		t.Errorf("while its sync runs: %v", during)
	}
	p.keeps(t, planned.Run, 0, problem.LessonTaught, "")
	for id, l := range p.known(t) {
		if l.Link.Run != rep.Run {
			t.Errorf("%s was learnt by run %d", id, l.Link.Run)
		}
	}
}

// A sync that was stopped may still end, and teach.
func TestKeep_NotOfAPlanWhoseSyncWasStopped(t *testing.T) {
	a, p := village(t, 20)
	for i := range 3 {
		a.row(at(fmt.Sprintf("user%03d", i))).Values[0] = directory.Text(fmt.Sprintf("人 %03d 改", i))
	}
	planned := p.dry(t)
	no, err := p.store.BeginRun(t.Context(), state.Run{
		Kind: state.Sync, Tenant: p.Connection.Tenant, Domain: domain, State: state.Stopped, PlanOf: planned.Run, Started: a.clock.Now(),
	})
	if err != nil {
		t.Fatal(err)
	}
	p.keeps(t, planned.Run, 0, problem.LessonNone, "open")
	if err := p.store.UpdateRun(t.Context(), state.Run{No: no, State: state.Abandoned}); err != nil {
		t.Fatal(err)
	}
	p.keeps(t, planned.Run, 20, "", "")
}
