package run_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/hacsync/hacsync/sync/consent"
	"github.com/hacsync/hacsync/sync/destination"
	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/run"
	"github.com/hacsync/hacsync/sync/source"
	"github.com/hacsync/hacsync/sync/state"
)

// arena is a tenant, a source and a state file that outlive the processes
// which work on them.
type arena struct {
	tenant *tenant
	source *list
	clock  *still
	url    string
	before map[directory.ID]directory.Record // the tenant as it was
	byHand map[directory.ID]bool             // changed by somebody else since
	all    []directory.Record                // whom the source had at first
}

// fataler is what testing.T and rapid.T share here.
type fataler interface {
	Helper()
	Fatalf(string, ...any)
	Errorf(string, ...any)
}

// process is one life of the program on the arena.
type process struct {
	*run.Runner
	gate  *gate
	store *state.Store
}

func (a *arena) start(t fataler, g *gate) *process {
	t.Helper()
	store, err := state.Open(context.Background(), a.url, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	return a.process(store, g)
}

// process is one on a state that is open.
func (a *arena) process(store *state.Store, g *gate) *process {
	return &process{gate: g, store: store, Runner: &run.Runner{
		Connection:  consent.Connection{Name: "midori", Tenant: "t-1"},
		Store:       gatedStore{run.OnStore(store), g},
		Destination: gatedTenant{a.tenant, g},
		OpenSource:  func(context.Context, string, run.Settings) (source.Source, error) { return a.source, nil },
		Clock:       a.clock,
		Holder:      "process",
	}}
}

func (a *arena) seal() {
	a.before, a.byHand = map[directory.ID]directory.Record{}, map[directory.ID]bool{}
	for id, u := range a.tenant.users {
		a.before[id] = *u
	}
}

// approveAll makes a dry run and synchronises it, raising the guard: what a
// person does who wants exactly this.
func (p *process) approveAll(ctx context.Context) (*run.Report, error) {
	planned, err := p.DryRun(ctx, domain, run.Overrides{Source: "hac"})
	if err != nil {
		return nil, err
	}
	if planned, err = p.answerAll(ctx, planned); err != nil {
		return nil, err
	}
	a := approval(planned)
	a.RaiseOnce = planned.Plan.Verdict().Cancelled
	return p.Sync(ctx, planned, a)
}

// answerAll answers every question as a person does who knows everybody: in these
// worlds each has an immutable ID.
func (p *process) answerAll(ctx context.Context, planned *run.Planned) (*run.Planned, error) {
	var err error
	for _, q := range planned.Plan.Questions() {
		kind, row := plan.DifferentPeople, ""
		for i := range q.Rows {
			if q.Rows[i].Row.ImmutableID == q.Account.ImmutableID {
				kind, row = plan.SamePerson, q.Rows[i].RowKey()
			}
		}
		if planned, err = p.Answer(ctx, planned, q.Account.ID, kind, row, "t.mori"); err != nil {
			return nil, err
		}
	}
	return planned, nil
}

// recover does what the next process does: it resumes the interrupted sync if
// there is one, and then synchronises what is left.
func (p *process) recover(ctx context.Context) error {
	runs, err := p.store.Runs(ctx, state.RunFilter{Kind: state.Sync, Limit: 1})
	if err != nil {
		return err
	}
	if len(runs) == 1 && (runs[0].State == state.Running || runs[0].State == state.Stopped) {
		if _, err := p.Resume(ctx, runs[0].No); err != nil && !benign(err) {
			return err
		}
	}
	_, err = p.approveAll(ctx)
	return err
}

// benign are the ends of a resumption after which a person starts anew: its
// plan was never stored, or the world has moved on.
func benign(err error) bool {
	return problem.Has(err, problem.PlanMissing, problem.PlanDrifted)
}

// check is the oracle. It knows nothing of plans: after all is done, the
// accounts that may be touched equal the source, nothing is there twice,
// nothing protected changed, and the journal explains every change.
func (a *arena) check(t fataler, store *state.Store) {
	t.Helper()
	live := map[string]*directory.Record{}
	for _, u := range a.tenant.users {
		key := strings.ToLower(u.UPN)
		if live[key] != nil {
			t.Errorf("%s is there twice", u.UPN)
		}
		live[key] = u
	}
	wanted := map[string]bool{}
	for _, row := range a.source.rows {
		if !directory.InDomain(row.UPN, domain) {
			continue
		}
		key := strings.ToLower(row.UPN)
		wanted[key] = true
		u := live[key]
		if u == nil {
			t.Errorf("%s is missing", row.UPN)
			continue
		}
		if row.ImmutableID != "" && u.ImmutableID != row.ImmutableID {
			t.Errorf("%s has immutable ID %q, want %q", row.UPN, u.ImmutableID, row.ImmutableID)
		}
		for i, v := range row.Values {
			if v.Set && u.Values[i] != v {
				t.Errorf("%s has %s %q, want %q", row.UPN, a.tenant.columns[i], u.Values[i].Text, v.Text)
			}
		}
	}
	for key, u := range live {
		if !wanted[key] && directory.InDomain(u.UPN, domain) && !u.Marks.Any(untouchable) {
			t.Errorf("%s was left over", u.UPN)
		}
	}
	changed := map[directory.ID]bool{}
	for id, was := range a.before {
		now, ok := a.tenant.users[id]
		if was.Marks.Any(untouchable) || !directory.InDomain(was.UPN, domain) {
			if !ok || now.UPN != was.UPN || !slices.Equal(now.Values, was.Values) {
				t.Errorf("TestRule6: %s must not be touched and was", was.UPN)
			}
			continue
		}
		if !ok || now.UPN != was.UPN || now.ImmutableID != was.ImmutableID || !slices.Equal(now.Values, was.Values) {
			changed[id] = true
		}
	}
	for id := range a.tenant.users {
		if _, ok := a.before[id]; !ok {
			changed[id] = true
		}
	}
	entries, err := store.JournalSince(context.Background(), "t-1", "", time.Time{})
	if err != nil {
		t.Fatalf("journal: %v", err)
	}
	for _, e := range entries {
		delete(changed, e.Object.ID)
	}
	for id := range a.byHand {
		delete(changed, id)
	}
	for id := range changed {
		t.Errorf("the journal does not explain the change of %s", id)
	}
}

const untouchable = directory.RoleHolder | directory.Synced | directory.Guest

// everything is an arena whose plan has all kinds of rows, a swap and a chain.
func everything(t fataler, dir string) *arena {
	c := &still{now: time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC)}
	a := &arena{tenant: newTenant(c.Now), source: &list{}, clock: c, url: "sqlite://" + filepath.ToSlash(filepath.Join(dir, "s.db"))}
	for i := range 26 {
		upn, id, name := fmt.Sprintf("user%03d@%s", i, domain), fmt.Sprintf("imm%03d==", i), fmt.Sprintf("山田 %03d", i)
		a.tenant.person(upn, id, name)
		a.source.rows = append(a.source.rows, user(upn, id, name))
	}
	r := a.source.rows
	r[1].UPN, r[2].UPN = r[2].UPN, r[1].UPN
	r[3].UPN, r[4].UPN = r[4].UPN, "end@"+domain
	r[5].Values[0] = directory.Text("新 名")
	r[6].UPN = "moved@" + domain
	r[6].Values[1] = directory.Text("新姓")
	a.tenant.person("gone@"+domain, "immGone", "Gone")
	a.tenant.person("boss@"+domain, "", "Boss").Marks |= directory.RoleHolder
	a.tenant.person("other@fed.example", "immOther", "Other")
	back := a.tenant.person("back@"+domain, "immBack", "Back")
	back.Deleted = c.Now().Add(-48 * time.Hour)
	a.tenant.bin[back.ID] = back
	delete(a.tenant.users, back.ID)
	a.source.rows = append(a.source.rows, user("back@"+domain, "immBack", "Back Again"))
	for i := range 22 {
		a.source.rows = append(a.source.rows, user(fmt.Sprintf("add%02d@%s", i, domain), fmt.Sprintf("add%02d", i), "追加"))
	}
	a.seal()
	return a
}

// TestRule4_KilledAtEveryCallASyncResumesWithNothingLostAndNothingTwice counts
// the calls of a whole sync, and then kills one process at each of them, before
// and after its effect.
func TestRule4_KilledAtEveryCallASyncResumesWithNothingLostAndNothingTwice(t *testing.T) {
	count := &gate{}
	a := everything(t, t.TempDir())
	p := a.start(t, count)
	if _, err := p.approveAll(t.Context()); err != nil {
		t.Fatal(err)
	}
	a.check(t, p.store)
	_ = p.store.Close()
	t.Logf("a sync crosses %d times: %v", count.crossed, count.names)
	for at := 1; at <= count.crossed; at++ {
		for _, behind := range []bool{false, true} {
			t.Run(fmt.Sprintf("%d %s behind=%v", at, count.names[at-1], behind), func(t *testing.T) {
				a := everything(t, quickDir(t))
				dies := a.start(t, &gate{at: at, behind: behind})
				if _, err := dies.approveAll(t.Context()); err == nil && at < count.crossed-1 {
					t.Fatal("the process was not killed")
				}
				_ = dies.store.Close()
				next := a.start(t, &gate{})
				defer next.store.Close()
				begun := a.clock.Now()
				if err := next.recover(t.Context()); err != nil {
					t.Fatal(err)
				}
				// Nothing lags here: there is nothing to wait for.
				if waited := a.clock.Now().Sub(begun); waited > 30*time.Second {
					t.Errorf("resuming took %v", waited)
				}
				a.check(t, next.store)
			})
		}
	}
}

// quickDir is a folder in memory where the system has one: thousands of states
// are made, and none has to outlive the machine.
func quickDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "hacsync-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// TestRule4_RandomWorldsFaultsAndKillsEndEqualToTheSource draws tenants,
// sources, faults and moments of death, and lives until all is done.
func TestRule4_RandomWorldsFaultsAndKillsEndEqualToTheSource(t *testing.T) {
	base := quickDir(t)
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		a := randomArena(rt, filepath.Join(base, fmt.Sprintf("s%d.db", n)))
		seed := rapid.Uint64().Draw(rt, "faults")
		a.tenant.before, a.tenant.after = faults(seed, rapid.IntRange(0, 30).Draw(rt, "fault percent"))
		for life := 0; ; life++ {
			if life > 40 {
				rt.Fatalf("not done after %d lives", life)
			}
			g := &gate{}
			if life < 4 {
				g.at, g.behind = rapid.IntRange(0, 60).Draw(rt, "dies at"), rapid.Bool().Draw(rt, "behind")
			} else {
				// The weather clears in the end, and lists show what was written:
				// until then a value by hand passes for one that lags.
				a.tenant.before, a.tenant.after = nil, nil
				_ = a.clock.Sleep(context.Background(), 20*time.Minute)
			}
			if life > 0 && life < 4 {
				a.meddle(rt)
			}
			p := a.start(rt, g)
			err := p.recover(context.Background())
			if err == nil && life >= 4 {
				// Who waits for an answer holds those up who want their UPN.
				for range 30 {
					rep, err := p.approveAll(context.Background())
					if err != nil {
						rt.Fatalf("life %d: %v", life, err)
					}
					if rep.Planned == 0 {
						break
					}
				}
				a.check(rt, p.store)
				_ = p.store.Close()
				return
			}
			_ = p.store.Close()
			if err != nil && life >= 4 && !errors.Is(err, errKilled) {
				rt.Fatalf("life %d: %v", life, err)
			}
		}
	})
}

func randomArena(t *rapid.T, path string) *arena {
	c := &still{now: time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC)}
	a := &arena{tenant: newTenant(c.Now), source: &list{}, clock: c, url: "sqlite://" + filepath.ToSlash(path)}
	n := rapid.IntRange(1, 30).Draw(t, "people")
	for i := range n {
		upn, id, name := fmt.Sprintf("u%02d@%s", i, domain), fmt.Sprintf("i%02d", i), fmt.Sprintf("名 %02d", i)
		where := rapid.SampledFrom([]string{"both", "both", "both", "source", "tenant", "bin", "admin", "synced"}).Draw(t, "where")
		row := user(upn, id, name)
		if where != "source" {
			rec := a.tenant.person(upn, id, name)
			switch where {
			case "admin":
				rec.Marks |= directory.RoleHolder
			case "synced":
				rec.Marks |= directory.Synced
			case "bin":
				rec.Deleted = c.Now().Add(-time.Hour)
				a.tenant.bin[rec.ID] = rec
				delete(a.tenant.users, rec.ID)
			}
		}
		if where == "tenant" || where == "admin" || where == "synced" {
			continue
		}
		if rapid.IntRange(0, 3).Draw(t, "changed") == 0 {
			row.Values[0] = directory.Text("改 " + name)
		}
		if rapid.IntRange(0, 5).Draw(t, "emptied") == 0 {
			row.Values[1] = directory.Value{} // no value: what stands there stays
		}
		a.source.rows = append(a.source.rows, row)
	}
	// One row that both sides have, so that the domain is not another customer's.
	a.tenant.person("zz@"+domain, "zz", "ZZ")
	a.source.rows = append(a.source.rows, user("zz@"+domain, "zz", "ZZ"))
	// Some people take the UPNs of others.
	var both []int
	for i, r := range a.source.rows {
		for _, u := range a.tenant.users {
			if u.ImmutableID == r.ImmutableID {
				both = append(both, i)
			}
		}
	}
	perm := rapid.Permutation(both).Draw(t, "renames")
	k := rapid.IntRange(0, len(perm)).Draw(t, "how many")
	if k > 1 {
		first := a.source.rows[perm[0]].UPN
		for i := range k - 1 {
			a.source.rows[perm[i]].UPN = a.source.rows[perm[i+1]].UPN
		}
		a.source.rows[perm[k-1]].UPN = first
		if rapid.Bool().Draw(t, "open chain") {
			a.source.rows[perm[k-1]].UPN = "fresh@" + domain
		}
	}
	a.seal()
	return a
}

// meddle is somebody who edits accounts by hand between two lives of the
// program. The source has the last word in the end; but for the given name, without
// which an immutable ID against a UPN is a conflict that only people resolve.
func (a *arena) meddle(t *rapid.T) {
	ids := slices.Sorted(maps.Keys(a.tenant.users))
	for range rapid.IntRange(0, 2).Draw(t, "edits by hand") {
		id := rapid.SampledFrom(ids).Draw(t, "account")
		u := a.tenant.users[id]
		if u == nil || u.Marks.Any(untouchable) || !directory.InDomain(u.UPN, domain) {
			continue
		}
		next := *u
		next.Values = slices.Clone(u.Values)
		next.Values[rapid.IntRange(0, 1).Draw(t, "attribute")] = directory.Text(rapid.SampledFrom([]string{"手", "S", "x y"}).Draw(t, "by hand"))
		a.tenant.users[id] = &next
		a.byHand[id] = true
	}
}

// faults makes a tenant that loses answers before and after the effect, asks
// for pauses, and fails.
func faults(seed uint64, percent int) (before, after func(plan.Step) *destination.Outcome) {
	next := func() int {
		seed ^= seed << 13
		seed ^= seed >> 7
		seed ^= seed << 17
		return int(seed % 100)
	}
	if seed == 0 {
		seed = 1
	}
	mu := make(chan struct{}, 1)
	draw := func() int { mu <- struct{}{}; defer func() { <-mu }(); return next() }
	lost := &destination.Outcome{Did: destination.Unknown}
	before = func(plan.Step) *destination.Outcome {
		if draw() >= percent {
			return nil
		}
		switch kind := draw(); {
		case kind < 40:
			return lost
		case kind < 50: // this row alone
			out := refused(http.StatusForbidden, "Authorization_RequestDenied")
			return &out
		case kind < 65:
			why := problem.New(problem.Throttled, nil).WithClass(problem.Retry).WithUpstream(problem.Upstream{Status: http.StatusServiceUnavailable})
			return &destination.Outcome{Did: destination.Unknown, Why: why}
		}
		why := problem.New(problem.Throttled, problem.Args{"seconds": "7"}).WithUpstream(
			problem.Upstream{Status: 429, Code: "TooManyRequests", RetryAfter: 7 * time.Second})
		return &destination.Outcome{Did: destination.NotDone, Why: why}
	}
	after = func(plan.Step) *destination.Outcome {
		if draw() < percent {
			return lost
		}
		return nil
	}
	return before, after
}
