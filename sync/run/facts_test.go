package run_test

import (
	"context"
	"testing"
	"time"

	"github.com/hacsync/hacsync/sync/destination"
	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/progress"
)

// fast is a clock that is an hour ahead of the tenant's.
type fast struct{ *still }

func (c fast) Now() time.Time { return c.still.Now().Add(time.Hour) }

// A rename has two steps. The process that began it had a clock ahead of the one
// that finished it, and by the next dry run only the second step is so young that
// lists may lag behind it.
func TestRule5_ASyncConvergesWhateverClockItsResumptionHas(t *testing.T) {
	a, p := village(t, 30)
	p.dry(t) // learns who is who
	a.later(time.Hour)
	a.row(at("user001")).Values[0] = directory.Text("山田 改")
	a.row(at("user001")).UPN = at("renamed")
	planned := p.dry(t)
	wantCounts(t, planned.Plan, 0, 0, 1, 0, 0)
	ctx, stop := context.WithCancel(t.Context())
	a.tenant.after = func(s plan.Step) *destination.Outcome {
		if s.Verb == plan.PatchUPN {
			stop()
		}
		return nil
	}
	first := a.process(p.store, &gate{})
	first.Clock = fast{a.clock}
	rep, err := first.Sync(ctx, planned, approval(planned))
	if !problem.Has(err, problem.Interrupted) || len(a.tenant.writes) != 1 {
		t.Fatalf("%v, wrote %q", err, a.tenant.writes)
	}
	a.later(14 * time.Minute)
	if rep, err = p.Resume(t.Context(), rep.Run); err != nil || rep.Seen != 1 {
		t.Fatalf("%+v, %v", rep, err)
	}
	a.later(2 * time.Minute)
	if next := p.dry(t); next.Plan.Len() != 0 {
		t.Errorf("after all is seen done the next plan has %+v", next.Plan.Counts())
	}
}

// What another hand had done already of a row has no step in the journal, and the
// steps after it name the account as the plan knew it.
func TestRule5_ASyncConvergesThoughAnotherHandDidTheRenameFirst(t *testing.T) {
	a, p := village(t, 30)
	p.dry(t) // learns who is who
	a.later(time.Hour)
	id := a.account(at("user001")).ID
	a.row(at("user001")).Values[0] = directory.Text("山田 改")
	a.row(at("user001")).UPN = at("renamed")
	planned := p.dry(t)
	next := *a.tenant.users[id]
	next.UPN = at("renamed")
	a.tenant.users[id] = &next
	if rep := p.apply(t, planned); rep.Seen != 1 || len(a.tenant.writes) != 1 {
		t.Fatalf("%+v, wrote %q", rep, a.tenant.writes)
	}
	a.later(time.Minute)
	if next := p.dry(t); next.Plan.Len() != 0 {
		t.Errorf("after all is seen done the next plan has %+v", next.Plan.Counts())
	}
}

// long is a tenant whose list takes twenty minutes to read; its first page showed
// what was before the last write.
type long struct {
	*arena
	*tenant
	was directory.Record
}

func (d long) Read(ctx context.Context, want []directory.Attribute, sink progress.Sink) (*destination.Reading, error) {
	now := d.tenant.users[d.was.ID]
	d.tenant.users[d.was.ID] = &d.was
	r, err := d.tenant.Read(ctx, want, sink)
	d.tenant.users[d.was.ID] = now
	d.later(20 * time.Minute)
	if err == nil {
		r.ServerTime = d.clock.Now()
	}
	return r, err
}

// How young a write is counts from when the reading of the list began.
func TestRule5_ASyncConvergesThoughTheNextReadIsLong(t *testing.T) {
	a, p := village(t, 30)
	p.dry(t)
	a.later(time.Hour)
	was := *a.account(at("user001"))
	a.row(at("user001")).UPN = at("renamed")
	if rep := p.apply(t, p.dry(t)); rep.Seen != 1 {
		t.Fatalf("%+v", rep)
	}
	p.Destination = long{a, a.tenant, was}
	if next := p.dry(t); next.Plan.Len() != 0 {
		t.Errorf("after all is seen done the next plan has %+v", next.Plan.Counts())
	}
}

// What another hand deleted after a write is not there, whatever was written to it.
func TestDryRun_WhatWasDeletedByHandAfterAWriteIsNotThere(t *testing.T) {
	a, p := village(t, 30)
	p.dry(t)
	a.later(time.Hour)
	a.row(at("user001")).Values[0] = directory.Text("山田 改")
	p.apply(t, p.dry(t))
	u := a.account(at("user001"))
	u.Deleted = a.clock.Now()
	a.tenant.bin[u.ID] = u
	delete(a.tenant.users, u.ID)
	a.later(time.Minute)
	if c := p.dry(t).Plan.Counts(); c.Unchanged == 30 || c.DestinationUsers != 29 {
		t.Errorf("an account that is gone counts: %+v", c)
	}
}

// A block that another hand set before hacsync came to it is not hacsync's to lift.
func TestBlocked_ByOthersBeforeTheSyncStaysBlocked(t *testing.T) {
	a, p := village(t, 30)
	id := p.disable(t, a)
	a.later(time.Hour)
	planned := p.dry(t)
	a.setByHand(id, false)
	if rep := p.apply(t, planned); rep.Seen != 1 || len(a.tenant.writes) != 0 {
		t.Fatalf("%+v, wrote %q", rep, a.tenant.writes)
	}
	a.row(at("user001")).Marks |= directory.Enabled
	a.later(time.Hour)
	if n := p.dry(t).Plan.Len(); n != 0 {
		t.Errorf("%d actions", n)
	}
	if l := p.known(t)[string(id)]; l.Blocked != 0 {
		t.Errorf("run %d is said to have blocked it", l.Blocked)
	}
}
