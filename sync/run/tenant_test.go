package run_test

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hacsync/hacsync/sync/destination"
	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/progress"
	"github.com/hacsync/hacsync/sync/source"
)

// tenant is a destination in memory: as much of Microsoft 365 as a run can tell
// apart, with a hook at every call. It is a model of its own and shares nothing
// with the planner.
type tenant struct {
	mu      sync.Mutex
	info    directory.Tenant
	users   map[directory.ID]*directory.Record
	bin     map[directory.ID]*directory.Record
	purpose map[directory.ID]directory.Marks
	columns []directory.Attribute
	next    int
	now     func() time.Time
	// writes counts requests that had an effect, by verb and UPN.
	writes []string
	// before is called with each write before its effect, after behind it. What
	// they return replaces the outcome; nil lets it be.
	before, after func(plan.Step) *destination.Outcome
	// onLook and onRead may fail a read.
	onLook, onRead, onTenant func() error
	// lag is how long a new account does not show to Look.
	lag    time.Duration
	lookup int
	// holders counts the looks that read the role holders too; without that a
	// look shows no mark of a role.
	holders int
	sends   int // requests of writes
	// hide is asked before Look shows an account, for a replica that lags.
	hide func(directory.ID, directory.Presence) bool
}

func newTenant(now func() time.Time) *tenant {
	return &tenant{
		info: directory.Tenant{ID: "t-1", Name: "Midori", Initial: "midori.onmicrosoft.com", Domains: []directory.Domain{
			{Name: "midori.onmicrosoft.com", Verified: true, Initial: true, Default: true},
			{Name: "midori.example", Verified: true},
			{Name: "fed.example", Verified: true, Federated: true},
			{Name: "new.example"},
		}},
		users: map[directory.ID]*directory.Record{}, bin: map[directory.ID]*directory.Record{},
		purpose: map[directory.ID]directory.Marks{},
		columns: []directory.Attribute{directory.DisplayName, directory.Surname, directory.GivenName, directory.MailNickname},
		now:     now,
	}
}

// person puts an account into the tenant.
func (t *tenant) person(upn, immutable, name string) *directory.Record {
	t.next++
	id := directory.ID(fmt.Sprintf("00000000-0000-4000-8000-%012d", t.next))
	local, _ := directory.SplitUPN(upn)
	rec := &directory.Record{
		ID: id, UPN: upn, ImmutableID: immutable, Marks: directory.Enabled, Columns: t.columns,
		Values: []directory.Value{
			directory.Text(name), directory.Text("S " + name), directory.Text("G " + name), directory.Text(local),
		},
		Created: t.now().Add(-1000 * time.Hour),
	}
	t.users[id] = rec
	t.purpose[id] = directory.PurposeNone
	return rec
}

func (t *tenant) Tenant(context.Context) (directory.Tenant, error) {
	if t.onTenant != nil {
		return directory.Tenant{}, t.onTenant()
	}
	return t.info, nil
}

func (t *tenant) Read(ctx context.Context, _ []directory.Attribute, sink progress.Sink) (*destination.Reading, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.onRead != nil {
		if err := t.onRead(); err != nil {
			return nil, err
		}
	}
	seal := func(side directory.Side, m map[directory.ID]*directory.Record) (*directory.Snapshot, error) {
		b := directory.NewBuilder(side, t.columns)
		for _, id := range slices.Sorted(maps.Keys(m)) {
			if err := b.Add(*m[id]); err != nil {
				return nil, err
			}
		}
		return b.Seal(directory.Proof{Ended: true, Pages: 1, Items: len(m), Count: int64(len(m))}, directory.About{Name: "tenant", Read: t.now()})
	}
	users, err := seal(directory.Destination, t.users)
	if err != nil {
		return nil, err
	}
	deleted, err := seal(directory.RecycleBin, t.bin)
	if err != nil {
		return nil, err
	}
	sink.Report(progress.Event{Phase: progress.Users, Done: len(t.users), Total: len(t.users), Ended: true})
	return &destination.Reading{Tenant: t.info, Users: users, Deleted: deleted, ServerTime: t.now()}, ctx.Err()
}

func (t *tenant) Purposes(_ context.Context, ids []directory.ID, _ progress.Sink) (map[directory.ID]directory.Marks, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	m := map[directory.ID]directory.Marks{}
	for _, id := range ids {
		m[id] = t.purpose[id]
	}
	return m, nil
}

func (t *tenant) Look(ctx context.Context, refs []directory.Ref, _ []directory.Attribute, roles destination.Roles) ([]directory.Sighting, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.lookup++
	if roles {
		t.holders++
	}
	if t.onLook != nil {
		if err := t.onLook(); err != nil {
			return nil, err
		}
	}
	var found []directory.Sighting
	for _, ref := range refs {
		n := len(found)
		for _, side := range []struct {
			m map[directory.ID]*directory.Record
			p directory.Presence
		}{{t.users, directory.Live}, {t.bin, directory.InRecycleBin}} {
			for _, rec := range side.m {
				if t.lag > 0 && t.now().Sub(rec.Created) < t.lag || t.hide != nil && t.hide(rec.ID, side.p) {
					continue
				}
				if ref.ID != "" && rec.ID == ref.ID ||
					ref.UPN != "" && strings.EqualFold(rec.UPN, ref.UPN) ||
					ref.ImmutableID != "" && rec.ImmutableID == ref.ImmutableID {
					cp := *rec
					cp.Values = slices.Clone(rec.Values)
					if !roles {
						cp.Marks &^= directory.RoleHolder | directory.RoleGroup
					}
					found = append(found, directory.Sighting{Ref: ref, Presence: side.p, Record: cp, ServerTime: t.now()})
				}
			}
		}
		if len(found) == n {
			found = append(found, directory.Sighting{Ref: ref, ServerTime: t.now()})
		}
	}
	return found, ctx.Err()
}

func (t *tenant) Precheck(_ context.Context, domain string) (*destination.Precheck, error) {
	return &destination.Precheck{Domain: directory.Domain{Name: domain}}, nil
}

func (t *tenant) Write(_ context.Context, steps []plan.Step) []destination.Outcome {
	t.mu.Lock()
	t.sends++
	t.mu.Unlock()
	outs := make([]destination.Outcome, len(steps))
	for i, step := range steps {
		outs[i] = t.write(step)
	}
	return outs
}

func (t *tenant) write(step plan.Step) destination.Outcome {
	if t.before != nil {
		if o := t.before(step); o != nil {
			return *o
		}
	}
	t.mu.Lock()
	out := t.effect(step)
	t.mu.Unlock()
	if t.after != nil {
		if o := t.after(step); o != nil {
			return *o
		}
	}
	return out
}

func refused(status int, code string) destination.Outcome {
	p := problem.New("HS-4100", nil).WithClass(problem.Skip).WithUpstream(problem.Upstream{Status: status, Code: code})
	return destination.Outcome{Did: destination.NotDone, Why: p}
}

// conflicting is what graphclient makes of a key that another object holds:
// ObjectConflict is a detail of Graph's answer, and its code a general one.
func conflicting() destination.Outcome {
	p := problem.New(problem.ConflictUPN, nil).WithUpstream(problem.Upstream{
		Status: http.StatusBadRequest, Code: "Request_BadRequest", Target: "userPrincipalName",
	})
	return destination.Outcome{Did: destination.NotDone, Why: p}
}

func (t *tenant) taken(upn, immutable string, but directory.ID) bool {
	for id, u := range t.users {
		if id != but && (strings.EqualFold(u.UPN, upn) || immutable != "" && u.ImmutableID == immutable) {
			return true
		}
	}
	return false
}

// effect does what Microsoft 365 would do.
func (t *tenant) effect(step plan.Step) destination.Outcome {
	id := step.Object.ID
	done := destination.Outcome{Did: destination.Applied, ID: id, ServerTime: t.now()}
	var rec *directory.Record
	switch step.Verb {
	case plan.Create:
		t.next++
		id = directory.ID(fmt.Sprintf("00000000-0000-4000-8000-%012d", t.next))
		rec = &directory.Record{ID: id, Columns: t.columns, Values: make([]directory.Value, len(t.columns)), Created: t.now().Truncate(time.Second)}
		setAll(rec, step.Set)
		if t.taken(rec.UPN, rec.ImmutableID, "") {
			return conflicting()
		}
		t.users[id], t.purpose[id] = rec, directory.PurposeNone
		done.ID = id
	case plan.Patch, plan.PatchUPN:
		if rec = t.users[id]; rec == nil {
			return refused(http.StatusNotFound, "Request_ResourceNotFound")
		}
		next := *rec
		next.Values = slices.Clone(rec.Values)
		setAll(&next, step.Set)
		if t.taken(next.UPN, next.ImmutableID, id) {
			return conflicting()
		}
		t.users[id] = &next
	case plan.DeleteUser:
		if rec = t.users[id]; rec == nil {
			return refused(http.StatusNotFound, "Request_ResourceNotFound")
		}
		rec.Deleted = t.now()
		t.bin[id] = rec
		delete(t.users, id)
	case plan.RestoreUser:
		if rec = t.bin[id]; rec == nil {
			return refused(http.StatusNotFound, "Request_ResourceNotFound")
		}
		next := *rec
		next.Deleted = time.Time{}
		setAll(&next, step.Set)
		if t.taken(next.UPN, next.ImmutableID, id) {
			return conflicting()
		}
		t.users[id] = &next
		delete(t.bin, id)
	}
	upn := step.Object.UPN
	if rec != nil && upn == "" {
		upn = rec.UPN
	}
	t.writes = append(t.writes, fmt.Sprintf("%d %s", step.Verb, strings.ToLower(upn)))
	return done
}

func setAll(rec *directory.Record, set []plan.Change) {
	for _, c := range set {
		switch c.Attribute {
		case directory.UserPrincipalName:
			rec.UPN = c.New.Text
		case directory.ImmutableID:
			rec.ImmutableID = c.New.Text
		case directory.AccountEnabled:
			rec.Marks &^= directory.Enabled
			if c.New.Text == "true" {
				rec.Marks |= directory.Enabled
			}
		default:
			for i, col := range rec.Columns {
				if col == c.Attribute {
					rec.Values[i] = c.New
				}
			}
		}
	}
}

// list is a source in memory.
type list struct {
	rows   []directory.Record
	err    error
	newest time.Time             // Last Login
	more   []directory.Attribute // columns behind those of the tenant
}

func (l *list) Name() string { return "list" }
func (l *list) Renews() bool { return true }

func (l *list) Read(_ context.Context, _ []directory.Attribute, sink progress.Sink) (*directory.Snapshot, error) {
	if l.err != nil {
		return nil, l.err
	}
	columns := []directory.Attribute{directory.DisplayName, directory.Surname, directory.GivenName, directory.MailNickname}
	b := directory.NewBuilder(directory.Source, append(columns, l.more...))
	for i, r := range l.rows {
		r.Line = i + 2
		if r.Values = slices.Clone(r.Values); len(r.Values) < len(columns)+len(l.more) {
			r.Values = append(r.Values, make([]directory.Value, len(columns)+len(l.more)-len(r.Values))...)
		}
		if err := b.Add(r); err != nil {
			return nil, err
		}
	}
	sink.Report(progress.Event{Phase: progress.Source, Done: len(l.rows), Total: len(l.rows), Ended: true})
	return b.Seal(directory.Proof{Ended: true, Pages: 1, Items: len(l.rows), Count: int64(len(l.rows))}, directory.About{Name: "list", Newest: l.newest})
}

// user makes a source row like the account that person makes.
func user(upn, immutable, name string) directory.Record {
	local, _ := directory.SplitUPN(upn)
	return directory.Record{
		ID: directory.ID(local), UPN: upn, ImmutableID: immutable, Marks: directory.Enabled,
		Values: []directory.Value{
			directory.Text(name), directory.Text("S " + name), directory.Text("G " + name), directory.Text(local),
		},
	}
}

var _ source.Source = (*list)(nil)
