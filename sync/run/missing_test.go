package run_test

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/run"
)

const day = 24 * time.Hour

// enabled reports whether an account may sign in.
func (a *arena) enabled(id directory.ID) bool { return a.tenant.users[id].Marks.Has(directory.Enabled) }

// byHandEnabled is somebody who lets an account in, or blocks it.
func (a *arena) setByHand(id directory.ID, enabled bool) {
	next := *a.tenant.users[id]
	next.Marks &^= directory.Enabled
	if enabled {
		next.Marks |= directory.Enabled
	}
	a.tenant.users[id] = &next
}

// alone is a dry run and its sync, unattended.
func (p *process) alone(t *testing.T) (*run.Planned, *run.Report) {
	t.Helper()
	planned, rep, err := p.hour(t.Context())
	if err != nil {
		t.Fatalf("%v, drifted %q", err, drifts(rep))
	}
	return planned, rep
}

// Whom hacsync blocked and an administrator let in again, another administrator's
// block is not hacsync's to lift.
func TestBlocked_ByOthersSinceStaysBlocked(t *testing.T) {
	for _, seen := range []bool{false, true} {
		t.Run(fmt.Sprintf("seen enabled=%v", seen), func(t *testing.T) {
			a, p := village(t, 30)
			p.set(t, map[string]string{"on_disabled": "block-sign-in"})
			p.dry(t)
			id := a.account(at("user001")).ID
			a.row(at("user001")).Marks &^= directory.Enabled
			a.later(time.Hour)
			blocked := p.apply(t, p.dry(t))
			if a.enabled(id) {
				t.Fatal("not blocked")
			}
			a.row(at("user001")).Marks |= directory.Enabled
			a.later(time.Hour)
			if seen {
				a.setByHand(id, true)
				if n := p.dry(t).Plan.Len(); n != 0 {
					t.Fatalf("%d actions", n)
				}
				a.later(time.Hour)
				a.setByHand(id, false)
			}
			planned := p.dry(t)
			undo, err := p.Undo(t.Context(), blocked.Run)
			if err != nil {
				t.Fatal(err)
			}
			if n := undo.Plan.Len(); (n == 0) != seen {
				t.Errorf("undoing the block would do %d things", n)
			}
			if !seen {
				p.apply(t, planned)
				if !a.enabled(id) {
					t.Error("who came back is still blocked")
				}
				return
			}
			if planned.Plan.Len() != 0 {
				t.Errorf("%+v", planned.Plan.Counts())
			}
			if undo.Plan.SkipLen() != 1 || undo.Plan.Skip(0).Why.Code != problem.BlockedByOthers {
				t.Errorf("the undo skips %d", undo.Plan.SkipLen())
			}
		})
	}
}

// What was written a moment ago may still be listed as it was before: that is nobody's
// unblocking.
func TestBlocked_AListThatLagsIsNoUnblocking(t *testing.T) {
	a, p := village(t, 30)
	p.set(t, map[string]string{"on_disabled": "block-sign-in"})
	p.dry(t)
	id := a.account(at("user001")).ID
	a.row(at("user001")).Marks &^= directory.Enabled
	p.apply(t, p.dry(t))
	a.setByHand(id, true) // the list, as it was
	a.later(time.Minute)
	p.dry(t)
	a.setByHand(id, false)
	a.row(at("user001")).Marks |= directory.Enabled
	a.later(time.Hour)
	wantCounts(t, p.dry(t).Plan, 0, 1, 0, 0, 0)
}

func TestOnMissing_BlockBlocksCountsOnceAndDeletesWhenDue(t *testing.T) {
	a, p := village(t, 50)
	p.set(t, map[string]string{"on_missing": "block", "delete_after": "3", "max_allowed_deletions": "5"})
	p.alone(t)
	ids := []directory.ID{a.account(at("user001")).ID, a.account(at("user002")).ID}
	a.leave(at("user001"), at("user002"))
	a.later(time.Hour)
	planned, rep := p.alone(t)
	if v := planned.Plan.Verdict(); v.Deletions != 2 || v.Blocks != 2 || rep.Seen != 2 {
		t.Fatalf("%+v, %+v", v, rep)
	}
	for _, id := range ids {
		if a.tenant.users[id] == nil || a.enabled(id) {
			t.Fatalf("%s is not blocked", id)
		}
	}
	for x := range planned.Plan.Actions() {
		if x.Explanation == nil || x.Explanation.Due.IsZero() || x.Explanation.Of != 3 || x.Explanation.Username == "" {
			t.Errorf("%+v", x.Explanation)
		}
	}
	for d := 1; d <= 2; d++ {
		a.later(day)
		if planned, rep = p.alone(t); planned.Plan.Len() != 0 {
			t.Fatalf("day %d: %+v", d, planned.Plan.Counts())
		}
		if n := rep; n != nil {
			t.Fatalf("day %d: %+v", d, n)
		}
	}
	a.later(day)
	planned, rep = p.alone(t)
	if v := planned.Plan.Verdict(); planned.Plan.Counts().Delete != 2 || v.Deletions != 0 || rep.Seen != 2 {
		t.Fatalf("%+v, %+v", v, planned.Plan.Counts())
	}
	if len(a.tenant.users) != 48 {
		t.Errorf("%d accounts", len(a.tenant.users))
	}
	// They counted when they were blocked: not within the day again.
	a.leave(at("user003"), at("user004"))
	a.later(time.Hour)
	planned, _ = p.alone(t)
	if v := planned.Plan.Verdict(); v.Today != 0 || v.Deletions != 2 || v.Cancelled {
		t.Errorf("%+v", v)
	}
}

func TestOnMissing_BlockCountsWithinTheDay(t *testing.T) {
	a, p := village(t, 50)
	p.set(t, map[string]string{"on_missing": "block", "max_allowed_deletions": "5"})
	p.alone(t)
	a.leave(at("user001"), at("user002"))
	a.later(time.Hour)
	p.alone(t)
	a.leave(at("user003"))
	a.later(time.Hour)
	if planned, _, err := p.hour(t.Context()); !problem.Has(err, problem.GuardCancelsDay) || planned.Plan.Verdict().Today != 2 {
		t.Errorf("%v, %+v", err, planned.Plan.Verdict())
	}
}

func TestOnMissing_WhoComesBackIsUnblockedUnlessOthersBlockedThem(t *testing.T) {
	for _, others := range []bool{false, true} {
		t.Run(fmt.Sprintf("by others=%v", others), func(t *testing.T) {
			a, p := village(t, 50)
			p.set(t, map[string]string{"on_missing": "block"})
			p.alone(t)
			rows, id := a.source.rows, a.account(at("user001")).ID
			if others {
				a.setByHand(id, false)
			}
			a.leave(at("user001"))
			a.later(time.Hour)
			if planned, _ := p.alone(t); (planned.Plan.Counts().Blocks == 0) != others {
				t.Fatalf("%+v", planned.Plan.Counts())
			}
			a.source.rows = rows
			a.later(time.Hour)
			planned, _ := p.alone(t)
			if a.enabled(id) == others {
				t.Errorf("enabled=%v; %+v", a.enabled(id), planned.Plan.Counts())
			}
			a.later(time.Hour)
			if planned, _ = p.alone(t); planned.Plan.Len() != 0 {
				t.Errorf("the next plan: %+v", planned.Plan.Counts())
			}
			if abs := p.known(t)[string(id)].Absent; abs.Reads != 0 {
				t.Errorf("still absent: %+v", abs)
			}
		})
	}
}

// A second absence of somebody who came back counts from its own beginning.
func TestOnMissing_AReturnBeginsTheCountAnew(t *testing.T) {
	a, p := village(t, 50)
	p.set(t, map[string]string{"on_missing": "block", "delete_after": "3"})
	p.alone(t)
	rows := a.source.rows
	for range 2 {
		a.leave(at("user001"))
		for range 3 {
			a.later(day)
			p.alone(t)
		}
		if a.account(at("user001")) == nil {
			t.Fatal("deleted after less than three days")
		}
		a.source.rows = rows
		a.later(day)
		p.alone(t)
	}
}

func TestDeleteAfter_HoldsUnattendedAndNotAReviewer(t *testing.T) {
	a, p := village(t, 50)
	p.set(t, map[string]string{"delete_after": "2"})
	p.alone(t)
	a.leave(at("user001"))
	a.later(time.Hour)
	planned, _ := p.alone(t)
	if planned.Plan.Len() != 0 || planned.Plan.Skip(0).Why.Code != problem.NotYetMissing {
		t.Fatalf("%+v", planned.Plan.Counts())
	}
	if n := p.dry(t).Plan.Counts().Delete; n != 1 {
		t.Errorf("a reviewer sees %d deletions, want one", n)
	}
	// Reads of one day are one day, however many.
	for range 5 {
		a.later(time.Hour)
		p.alone(t)
	}
	a.later(day)
	p.alone(t)
	if a.account(at("user001")) == nil {
		t.Fatal("deleted too early")
	}
	a.later(day)
	if _, rep := p.alone(t); rep == nil || rep.Seen != 1 || a.account(at("user001")) != nil {
		t.Errorf("not deleted after two days: %+v", rep)
	}
}

// taken is a store that notes the order of claims.
type taken struct {
	run.Store
	names *[]string
}

func (s taken) Take(ctx context.Context, tenant, domain, holder string, wait bool) (run.Claim, error) {
	c, err := s.Store.Take(ctx, tenant, domain, holder, wait)
	if err == nil {
		*s.names = append(*s.names, domain)
	}
	return c, err
}

// town is a village beside another domain of the tenant, from which people move here.
func town(t *testing.T, other string, settings map[string]string, movers int) (*arena, *process) {
	t.Helper()
	a, p := village(t, 50)
	a.tenant.info.Domains = append(a.tenant.info.Domains, directory.Domain{Name: other, Verified: true})
	for i := range 50 {
		local := fmt.Sprintf("kai%03d", i)
		name := fmt.Sprintf("甲斐 %03d", i)
		a.tenant.person(local+"@"+other, "", name)
		a.source.rows = append(a.source.rows, user(local+"@"+other, "", name))
	}
	a.seal()
	settings["source"] = "hac"
	if err := p.SetSettings(t.Context(), other, settings); err != nil {
		t.Fatal(err)
	}
	p.dry(t)
	if _, err := p.DryRun(t.Context(), other, run.Overrides{}); err != nil {
		t.Fatal(err)
	}
	a.source.rows = slices.Clone(a.source.rows)
	for i := range movers {
		r := &a.source.rows[50+i]
		r.UPN = string(r.ID) + "@" + domain
	}
	a.later(time.Hour)
	return a, p
}

// A link is read from the domain that its account leaves: who has no immutable ID is
// known by nothing else there.
func TestMoves_AreKnownByTheirLinksAndHoldBothClaims(t *testing.T) {
	for _, other := range []string{"akagi.example", "sakura.example"} {
		a, p := town(t, other, map[string]string{}, 1)
		var names []string
		p.Store = taken{p.Store, &names}
		planned := p.dry(t)
		wantCounts(t, planned.Plan, 0, 0, 1, 0, 0)
		if got := planned.Plan.Leaves(); !slices.Equal(got, []string{other}) {
			t.Errorf("leaves %q", got)
		}
		p.apply(t, planned)
		want := []string{domain, other}
		slices.Sort(want)
		if !slices.Equal(names, want) {
			t.Errorf("claims %q, want %q in order of name", names, want)
		}
		moved := a.account(at("kai000"))
		if moved == nil {
			t.Fatal("not moved")
		}
		l := p.known(t)[string(moved.ID)]
		if l.Link.Username != "kai000" || l.Domain != domain {
			t.Errorf("the link is %+v", l)
		}
		for _, d := range []string{domain, other} {
			p, err := p.DryRun(t.Context(), d, run.Overrides{Unattended: true})
			if err != nil || p.Plan.Len() != 0 || p.Plan.QuestionLen() != 0 {
				t.Errorf("%s afterwards: %+v, %v", d, p.Plan.Counts(), err)
			}
		}
	}
}

func TestMoves_AClaimThatIsHeldElsewhereStopsTheSyncAndGivesTheOtherBack(t *testing.T) {
	a, p := town(t, "akagi.example", map[string]string{}, 1)
	planned, err := p.DryRun(t.Context(), domain, run.Overrides{Unattended: true}) // which waits for nobody
	if err != nil {
		t.Fatal(err)
	}
	b := approval(planned)
	b.Unattended = true
	for _, busy := range []string{domain, "akagi.example"} {
		c, err := p.store.Take(t.Context(), "t-1", busy, "somebody else", false)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Sync(t.Context(), planned, b); !problem.Has(err, problem.DomainBusy) {
			t.Errorf("%s held: %v", busy, err)
		}
		for _, d := range []string{domain, "akagi.example"} {
			if _, alive, err := p.store.Alive(t.Context(), "t-1", d); err != nil || alive != (d == busy) {
				t.Errorf("%s held: the claim on %s is alive=%v, %v", busy, d, alive, err)
			}
		}
		if err := c.Release(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := p.Sync(t.Context(), planned, b); err != nil || a.account(at("kai000")) == nil {
		t.Errorf("not moved: %v", err)
	}
}

func TestMoves_AreHeldToTheGuardOfTheDomainThatTheyLeave(t *testing.T) {
	a, p := town(t, "akagi.example", map[string]string{"max_allowed_deletions": "5"}, 3)
	a.row(at("user001")).Values[0] = directory.Text("人 001 改")
	planned := p.dry(t)
	rep, err := p.Sync(t.Context(), planned, approval(planned))
	if !problem.Has(err, problem.MovesCancel) || len(a.tenant.writes) != 0 {
		t.Errorf("%v, %+v", err, rep)
	}
	alone, rep := p.alone(t)
	if c := alone.Plan.Counts(); c.Rename != 0 || rep.Seen != 1 || rep.Skips[problem.MoveHeldByGuard] != 3 || rep.Held != 3 {
		t.Errorf("unattended: %+v, %+v", c, rep)
	}
	a, p = town(t, "akagi.example", map[string]string{"max_allowed_deletions": "5"}, 2)
	if _, rep := p.alone(t); rep == nil || rep.Seen != 2 || a.account(at("kai001")) == nil {
		t.Errorf("two of fifty: %+v", rep)
	}
}

func TestShrink_IsMeasuredByUsableRowsAndAnotherSizeIsAcceptedOnce(t *testing.T) {
	a, p := village(t, 60)
	p.dry(t)
	rows := a.source.rows
	refused := func(what string) {
		t.Helper()
		a.later(time.Hour)
		if _, err := p.DryRun(t.Context(), domain, run.Overrides{}); !problem.Has(err, problem.Shrunk) {
			t.Errorf("%s: %v, want %s", what, err, problem.Shrunk)
		}
	}
	// Every row thrice: 180 are no yardstick.
	a.source.rows = slices.Concat(rows, rows, rows)
	a.later(time.Hour)
	if c := p.dry(t).Plan.Counts(); c.SourceUsers != 180 || c.Usable != 60 || c.Changes() != 0 {
		t.Errorf("repeated rows: %+v", c)
	}
	a.source.rows = rows[1:]
	a.later(time.Hour)
	p.dry(t)

	a.source.rows = rows[:20]
	refused("a third of the people")
	if err := p.AcceptSize(t.Context(), domain, 21, "t.mori"); err != nil {
		t.Fatal(err)
	}
	refused("another size than was accepted")
	if err := p.AcceptSize(t.Context(), domain, 20, "t.mori"); err != nil {
		t.Fatal(err)
	}
	a.later(time.Hour)
	p.dry(t)
	if n, err := p.store.Accepted(t.Context(), "t-1", domain); err != nil || len(n) != 0 {
		t.Errorf("still accepted: %v, %v", n, err)
	}
	a.source.rows = rows
	a.later(time.Hour)
	p.dry(t)
	a.source.rows = rows[:20]
	refused("the accepted size, a second time")

	// One that is accepted holds through a dry run that fails for another reason, and no
	// longer than the next one that is done, which is measured by later ones.
	if err := p.AcceptSize(t.Context(), domain, 20, "t.mori"); err != nil {
		t.Fatal(err)
	}
	a.source.rows = nil
	if _, err := p.DryRun(t.Context(), domain, run.Overrides{}); err == nil {
		t.Error("a dry run of nobody")
	}
	a.source.rows = rows[:20]
	a.later(time.Hour)
	p.dry(t)
	a.source.rows = rows
	p.dry(t)
	if err := p.AcceptSize(t.Context(), domain, 20, "t.mori"); err != nil {
		t.Fatal(err)
	}
	a.later(time.Hour)
	p.dry(t) // which does not need it
	a.source.rows = rows[:20]
	refused("a size that was accepted before a read of all")
}

// The journal is kept for some months, and an account may stay blocked for longer.
func TestOnMissing_ABlockIsRememberedLongerThanItsJournal(t *testing.T) {
	for _, back := range []bool{false, true} {
		t.Run(fmt.Sprintf("back=%v", back), func(t *testing.T) {
			a, p := village(t, 50)
			p.set(t, map[string]string{"on_missing": "block", "delete_after": "100"})
			p.alone(t)
			rows, id := a.source.rows, a.account(at("user001")).ID
			a.leave(at("user001"))
			for range 99 {
				a.later(day)
				if planned, _ := p.alone(t); planned.Plan.Counts().Delete > 0 {
					t.Fatal("deleted too early")
				}
				if back && a.clock.Now().After(time.Date(2027, 2, 20, 0, 0, 0, 0, time.UTC)) {
					break
				}
			}
			db, err := sql.Open("sqlite", strings.TrimPrefix(a.url, "sqlite://"))
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			if _, err := db.ExecContext(t.Context(), `DELETE FROM journal`); err != nil {
				t.Fatal(err)
			}
			if back {
				a.source.rows = rows
			}
			a.later(2 * day)
			planned, _ := p.alone(t)
			if !back && planned.Plan.Len() == 0 { // the hundredth day that counts
				a.later(day)
				planned, _ = p.alone(t)
			}
			switch u := a.tenant.users[id]; {
			case back && (u == nil || !a.enabled(id)):
				t.Errorf("who came back is still blocked: %+v", planned.Plan.Counts())
			case !back && (u != nil || planned.Plan.Verdict().Deletions != 0):
				t.Errorf("the deletion counts again, or was not made: %+v", planned.Plan.Verdict())
			}
		})
	}
	// And one that was taken back, or overtaken by an administrator, is remembered by
	// neither.
	a, p := village(t, 50)
	p.set(t, map[string]string{"on_disabled": "block-sign-in"})
	p.dry(t)
	a.row(at("user001")).Marks &^= directory.Enabled
	a.row(at("user002")).Marks &^= directory.Enabled
	a.later(time.Hour)
	rep := p.apply(t, p.dry(t))
	a.later(time.Hour)
	if _, err := p.undoAll(t.Context(), rep.Run); err != nil {
		t.Fatal(err)
	}
	for id, l := range p.known(t) {
		if l.Blocked != 0 {
			t.Errorf("%s is remembered as blocked by run %d, which was undone", id, l.Blocked)
		}
	}
}
