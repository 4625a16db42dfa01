package run_test

import (
	"context"
	"testing"
	"time"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/run"
	"github.com/hacsync/hacsync/sync/state"
)

// home is what Home says of one domain.
func home(t *testing.T, w *world, domain string) run.HomeDomain {
	t.Helper()
	h, err := w.Home(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range h.Domains {
		if d.Name == domain {
			return d
		}
	}
	return run.HomeDomain{}
}

func TestHome_SaysWhatADomainWaitsFor(t *testing.T) {
	w := mixed(t)
	ctx := context.Background()
	p := w.dry(t)
	d := home(t, w, "midori.example")
	if d.Next != run.NextReview || d.DryRun == nil || d.Planned.Counts.Changes() != p.Plan.Counts().Changes() {
		t.Fatalf("after a dry run with changes: %+v", d)
	}
	if d.Sync != nil || !d.Undoable.IsZero() {
		t.Errorf("there was no sync yet: %+v", d)
	}
	if _, err := w.Sync(ctx, p, approval(p)); err != nil {
		t.Fatal(err)
	}
	d = home(t, w, "midori.example")
	if d.Next != run.NextNothing || d.Sync == nil || d.Interrupted {
		t.Errorf("after a sync that did it all: %+v", d)
	}
	if want := d.Sync.Started.AddDate(0, 0, 30); !d.Undoable.Equal(want) {
		t.Errorf("can be undone until %v, want %v", d.Undoable, want)
	}
}

func TestHome_CountsWhatAKilledSyncDid(t *testing.T) {
	a := busy(t, "", 0, nil)
	p := a.with(t, state.Options{TTL: 500 * time.Millisecond})
	planned, err := p.DryRun(t.Context(), domain, run.Overrides{Source: "hac", Unattended: true})
	if err != nil {
		t.Fatal(err)
	}
	g := &gate{at: 12, behind: true}
	p.Store, p.Destination = gatedStore{p.Store, g}, gatedTenant{a.tenant, g}
	if _, err := p.Sync(t.Context(), planned, run.Approval{Fingerprint: planned.Plan.Fingerprint(), Unattended: true}); err == nil {
		t.Fatal("not killed")
	}
	_ = p.store.Close()
	next := a.with(t, state.Options{TTL: 500 * time.Millisecond, Fresh: 5 * time.Second})
	open := awaitOpen(t, next)
	h, err := next.Home(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	d := h.Domains[0]
	rows, seen, err := next.Rows(t.Context(), open.No)
	if err != nil {
		t.Fatal(err)
	}
	if !d.Interrupted || d.Synced.Planned != planned.Plan.Counts().Changes() || d.Synced.Seen != seen {
		t.Errorf("%+v; the journal has %d seen done", d.Synced, seen)
	}
	if began := seen + len(rows); began == 0 || d.Synced.Seen+d.Synced.Failed+d.Synced.NotYetSeen == 0 {
		t.Errorf("nothing counted of %d rows begun: %+v", began, d.Synced)
	}
	if d.Undoable.IsZero() {
		t.Error("what was written cannot be undone")
	}
	logs, err := next.Logs(t.Context(), domain, 1)
	if err != nil || logs[0].State != run.Interrupted || h.Latest[0].State != run.Interrupted {
		t.Errorf("the sync log says %q, home %q, %v; want %q", logs[0].State, h.Latest[0].State, err, run.Interrupted)
	}
}

func TestHome_NamesDomainsThatAreNotSetUpLast(t *testing.T) {
	w := mixed(t)
	w.dry(t)
	h, err := w.Home(context.Background(), w.tenant.info.Domains...)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, d := range h.Domains {
		names = append(names, d.Name)
	}
	if len(names) != 2 || names[0] != "midori.example" || names[1] != "fed.example" || h.Domains[1].Next != run.NextSetUp {
		t.Errorf("domains %v", names)
	}
	if len(h.Latest) != 1 {
		t.Errorf("latest runs %v", h.Latest)
	}
}

func TestHome_CountsWhatIsLeftOutAlways(t *testing.T) {
	w := mixed(t)
	w.dry(t)
	err := w.Decide(context.Background(), "midori.example", []plan.Decision{
		{Kind: plan.LeaveOutAlways, ID: directory.ID("00000000-0000-4000-8000-000000000001"), By: "t.mori"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if d := home(t, w, "midori.example"); d.LeftOut != 1 {
		t.Errorf("left out %d", d.LeftOut)
	}
}

func TestSince_NamesDeletionsThatAreNewAndGone(t *testing.T) {
	w := mixed(t)
	ctx := context.Background()
	if s, err := w.Since(ctx, "midori.example"); err != nil || !s.Before.IsZero() {
		t.Fatalf("without a dry run: %+v, %v", s, err)
	}
	w.dry(t)
	for range 2 { // two more accounts that the source lacks
		w.tenant.person("late"+string(rune('a'+len(w.tenant.users)%20))+"@midori.example", "", "Late")
	}
	w.dry(t)
	s, err := w.Since(ctx, "midori.example")
	if err != nil || s.New != 2 || s.Gone != 0 || s.Before.IsZero() {
		t.Errorf("since: %+v, %v", s, err)
	}
}

// A run that found all done wrote nothing: it is not the last sync, and takes no undo
// away. What was applied is not offered again.
func TestHome_ASyncThatWroteNothingIsNotTheLastOne(t *testing.T) {
	w := mixed(t)
	p := w.dry(t)
	first := w.synced(t, p)
	second := w.synced(t, p)
	if second.Sent != 0 || second.Run == first.Run {
		t.Fatalf("%+v", second)
	}
	d := home(t, w, domain)
	if d.Sync == nil || d.Sync.No != first.Run || d.Undoable.IsZero() || d.Applied == nil || d.Applied.No != first.Run {
		t.Errorf("%+v", d)
	}
	if d.Next != run.NextNothing {
		t.Errorf("next %q", d.Next)
	}
}

// The accounts are those of the tenant, after a sync and after its undo.
func TestHome_CountsTheAccountsAfterASync(t *testing.T) {
	w := mixed(t)
	w.tenant.person("left@"+domain, "immLeft==", "Left Person")
	p := w.dry(t)
	before := p.Plan.Counts().DestinationUsers
	if d := home(t, w, domain); d.Users != before {
		t.Errorf("%d users after the dry run, want %d", d.Users, before)
	}
	rep := w.synced(t, p)
	if d := home(t, w, domain); d.Users != before-1 { // one came, two left
		t.Errorf("%d users after the sync, want %d", d.Users, before-1)
	}
	undo, err := w.Undo(t.Context(), rep.Run)
	if err != nil {
		t.Fatal(err)
	}
	undid := w.synced(t, undo)
	d := home(t, w, domain)
	if d.Users != before || d.Sync.No != undid.Run || d.Sync.PlanOf != rep.Run {
		t.Errorf("%d users after the undo, want %d; %+v", d.Users, before, d.Sync)
	}
	if now := w.dry(t).Plan.Counts().DestinationUsers; now != before {
		t.Errorf("the tenant has %d, want %d", now, before)
	}
}

func TestHome_CountsWhatIsLeftOutThisTime(t *testing.T) {
	w := mixed(t)
	w.leaves(t, w.dry(t), "gone", false)
	if d := home(t, w, domain); d.Once != 1 || d.LeftOut != 0 {
		t.Errorf("%d this time, %d always", d.Once, d.LeftOut)
	}
}
