package run_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hacsync/hacsync/sync/consent"
	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/run"
	"github.com/hacsync/hacsync/sync/source"
	"github.com/hacsync/hacsync/sync/state"
	"github.com/hacsync/hacsync/sync/state/statetest"
)

// A state of every released version of the schema is kept as text in
// testdata/released, made by the program of that version: two syncs, of which the
// second was killed while 18 updates were under way, with the tenant and the
// source as they were then. This program has to open it and go on.

// releasedStates are the versions that people have.
const releasedStates = 1

func TestUpgrade_EveryReleasedStateIsOpenedWholeAndGoesOn(t *testing.T) {
	for version := 1; version <= releasedStates; version++ {
		for _, kind := range []string{"sqlite", "postgres"} {
			t.Run(fmt.Sprintf("%d %s", version, kind), func(t *testing.T) {
				t.Run("resumed", func(t *testing.T) { goesOn(t, released(t, version, kind)) })
				t.Run("undone", func(t *testing.T) { isUndone(t, released(t, version, kind)) })
				t.Run("vouched for", func(t *testing.T) { isVouchedFor(t, released(t, version, kind)) })
				t.Run("unattended", func(t *testing.T) { goesOnAlone(t, released(t, version, kind)) })
				t.Run("backed up", func(t *testing.T) {
					a := released(t, version, kind)
					p := opened(t, a)
					file := filepath.Join(t.TempDir(), "backup.db")
					if err := p.store.Backup(t.Context(), file); err != nil {
						t.Fatal(err)
					}
					_ = p.store.Close()
					a.url = state.FileURL(file)
					goesOn(t, a)
				})
			})
		}
	}
}

// released makes the state of a version, and the world that it is about.
func released(t *testing.T, version int, kind string) *arena {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("testdata/released/state-%d.%s.sql", version, kind))
	if err != nil {
		t.Fatal(err)
	}
	a := &arena{url: state.FileURL(filepath.Join(t.TempDir(), "state.db"))}
	driver, dsn := "sqlite", strings.TrimPrefix(a.url, "sqlite://")
	if kind == "postgres" {
		a.url = statetest.NewDatabase(t)
		driver, dsn = "pgx", a.url
	}
	db, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for statement := range strings.SplitSeq(string(text), ";\n") {
		if strings.TrimSpace(statement) == "" {
			continue
		}
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%.100s: %v", statement, err)
		}
	}
	var w struct {
		Now        time.Time
		Users, Bin map[directory.ID]*directory.Record
		Source     []directory.Record
		Next       int
	}
	raw, err := os.ReadFile(fmt.Sprintf("testdata/released/world-%d.json", version))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &w); err != nil {
		t.Fatal(err)
	}
	a.clock = &still{now: w.Now}
	a.tenant, a.source = newTenant(a.clock.Now), &list{rows: w.Source}
	a.tenant.users, a.tenant.bin, a.tenant.next = w.Users, w.Bin, w.Next
	for id := range w.Users {
		a.tenant.purpose[id] = directory.PurposeNone
	}
	a.seal()
	return a
}

// opened is this program on an arena. Its holder of then is on another machine
// and silent: it is waited for, in short.
func opened(t *testing.T, a *arena) *process {
	t.Helper()
	store, err := state.OpenWith(t.Context(), a.url, state.Options{
		TTL: 600 * time.Millisecond, Fresh: 10 * time.Second, LockDir: filepath.Join(t.TempDir(), "locks"),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	return &process{gate: &gate{}, store: store, Runner: &run.Runner{
		Connection:  consent.Connection{Name: "midori", Tenant: "t-1"},
		Store:       run.OnStore(store),
		Destination: a.tenant,
		OpenSource:  func(context.Context, string, run.Settings) (source.Source, error) { return a.source, nil },
		Clock:       a.clock,
		Holder:      "today",
	}}
}

// isWhole looks for everything that the old program wrote.
func isWhole(t *testing.T, s *state.Store) {
	t.Helper()
	ctx := t.Context()
	c, err := s.Connection(ctx, "midori")
	if err != nil || c.TenantName != "みどり" || len(c.SignedIn) != 1 {
		t.Errorf("connection %+v, %v", c, err)
	}
	if sealed, _, err := s.Sealed(ctx, "midori", "tokens"); err != nil || string(sealed) != "\x00\x01\x02\xfe\xff" {
		t.Errorf("sealed %x, %v", sealed, err)
	}
	if kv, err := s.Settings(ctx, "t-1", domain); err != nil || kv["max_allowed_deletions"] != "12" {
		t.Errorf("settings %v, %v", kv, err)
	}
	if ds, err := s.Decisions(ctx, "t-1", domain); err != nil || len(ds) != 1 || !strings.Contains(string(ds[0].Data), "退職予定") {
		t.Errorf("decisions %v, %v", ds, err)
	}
	if known, err := s.Known(ctx, "t-1", domain); err != nil || len(known) != 1 {
		t.Errorf("known %v, %v", known, err)
	}
	if fresh, err := s.UseRaise(ctx, "t-1", strings.Repeat("ab", 32)); err != nil || fresh {
		t.Errorf("a raise can be used again: %v", err)
	}
	runs, err := s.Runs(ctx, state.RunFilter{Tenant: "t-1"})
	if err != nil || len(runs) != 4 {
		t.Fatalf("runs %+v, %v", runs, err)
	}
	for _, r := range runs {
		file, err := s.Plan(ctx, r.No)
		if err != nil {
			t.Errorf("plan of run %d: %v", r.No, err)
		}
		if _, err := plan.Decode(strings.NewReader(string(file))); err != nil {
			t.Errorf("plan of run %d: %v", r.No, err)
		}
		rows, err := s.Journal(ctx, r.No)
		if want := r.Kind == state.Sync; err != nil || want != (len(rows) > 0) {
			t.Errorf("journal of run %d: %d rows, %v", r.No, len(rows), err)
		}
		if sum := run.SummaryOf(r); r.No < 4 && (sum.Counts == nil || sum.Verdict == nil) {
			t.Errorf("summary of run %d: %+v", r.No, sum)
		}
	}
}

// awaitOpen waits until the holder of then was seen silent for a whole TTL.
func awaitOpen(t *testing.T, p *process) *state.Run {
	t.Helper()
	for range 50 {
		open, err := p.OpenRun(t.Context(), domain)
		if err != nil {
			t.Fatal(err)
		}
		if open != nil {
			return open
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatal("the holder that is gone counts as alive")
	return nil
}

func goesOn(t *testing.T, a *arena) {
	p := opened(t, a)
	isWhole(t, p.store)
	rep, err := p.Resume(t.Context(), 4)
	if err != nil || rep.State != state.Done || rep.Seen != 18 {
		t.Fatalf("%+v, %v", rep, err)
	}
	next, err := p.DryRun(t.Context(), domain, run.Overrides{})
	if err != nil || next.Plan.Len() != 0 {
		t.Fatalf("the next plan has %d rows, %v", next.Plan.Len(), err)
	}
}

func isUndone(t *testing.T, a *arena) {
	p := opened(t, a)
	awaitOpen(t, p)
	planned, err := p.Undo(t.Context(), 2)
	if err != nil || planned.Plan.Len() == 0 {
		t.Fatalf("%+v, %v", planned, err)
	}
	b := approval(planned)
	b.RaiseOnce = planned.Plan.Verdict().Cancelled
	rep, err := p.Sync(t.Context(), planned, b)
	if err != nil || rep.State != state.Done || rep.Seen != rep.Planned {
		t.Fatalf("%+v, %v", rep, err)
	}
	if r, err := p.store.Run(t.Context(), 4); err != nil || r.State != state.Abandoned {
		t.Errorf("the interrupted sync is %s, %v", r.State, err)
	}
}

// isVouchedFor: those whom the last plan of before there were links matched are known
// to have been in the source, once, and under no Username.
func isVouchedFor(t *testing.T, a *arena) {
	p := opened(t, a)
	awaitOpen(t, p)
	if rep, err := p.Resume(t.Context(), 4); err != nil || rep.State != state.Done {
		t.Fatalf("%+v, %v", rep, err)
	}
	last, err := p.Latest(t.Context(), domain)
	if err != nil {
		t.Fatal(err)
	}
	// A person who left since, and a stranger whom no plan has matched.
	stranger := a.tenant.person("stranger@"+domain, "", "他人")
	out, err := p.Decisions(t.Context(), domain)
	if err != nil {
		t.Fatal(err)
	}
	a.source.rows = slices.Clone(a.source.rows)
	for i := range a.source.rows { // the program of then did not read them
		local, _ := directory.SplitUPN(a.source.rows[i].UPN)
		a.source.rows[i].ID = directory.ID(local)
	}
	var leaver string
	for i, r := range a.source.rows {
		if u := a.account(r.UPN); u != nil && !u.Marks.Any(untouchable) && a.before[u.ID].UPN == r.UPN &&
			!slices.ContainsFunc(out, func(d plan.Decision) bool { return d.ID == u.ID }) {
			leaver = string(u.ID)
			a.source.rows = slices.Delete(a.source.rows, i, i+1)
			break
		}
	}
	a.later(time.Hour)
	planned, err := p.DryRun(t.Context(), domain, run.Overrides{Unattended: true})
	if err != nil {
		t.Fatal(err)
	}
	known := p.known(t)
	if len(known) == 0 || !known[leaver].Claimed || known[string(stranger.ID)].Claimed {
		t.Fatalf("%d accounts are known; the leaver: %+v, the stranger: %+v; last plan %+v",
			len(known), known[leaver], known[string(stranger.ID)], last.Plan.Counts())
	}
	for id, l := range known {
		if l.Link.Username != "" {
			t.Errorf("the Username of %s was guessed: %+v", id, l.Link)
		}
	}
	deleted := false
	for x := range planned.Plan.Actions() {
		deleted = deleted || x.Kind == plan.Delete && string(x.User.ID) == leaver && x.Explanation.Claim == plan.ClaimVouched
		if x.User.ID == stranger.ID {
			t.Error("a stranger is deleted unattended")
		}
	}
	if !deleted {
		t.Errorf("the leaver stays: %+v", planned.Plan.Counts())
	}
	// Once: what a later plan of the old kind matched vouches for nobody.
	if done, err := p.store.Vouched(t.Context(), "t-1", domain); err != nil || !done {
		t.Errorf("it would be done again: %v", err)
	}
	a.later(time.Hour)
	if _, err := p.DryRun(t.Context(), domain, run.Overrides{}); err != nil {
		t.Fatal(err)
	}
	if n := len(p.known(t)); n != len(known) {
		t.Errorf("%d accounts are known, were %d", n, len(known))
	}
}

// goesOnAlone is a worker of today that finds the domain: what a person approved
// long ago is given up, settled, and the rest is planned anew.
func goesOnAlone(t *testing.T, a *arena) {
	_ = a.clock.Sleep(t.Context(), 30*time.Hour)
	p := opened(t, a)
	open := awaitOpen(t, p)
	if open.No != 4 {
		t.Fatalf("%+v", open)
	}
	if _, err := p.ResumeUnattended(t.Context(), open.No); !problem.Has(err, problem.PlanOld) {
		t.Fatalf("%v", err)
	}
	if _, _, err := p.hour(t.Context()); err != nil {
		t.Fatal(err)
	}
	next, err := p.DryRun(t.Context(), domain, run.Overrides{})
	if err != nil || next.Plan.Len() != 0 {
		t.Fatalf("the next plan has %d rows, %v", next.Plan.Len(), err)
	}
}
