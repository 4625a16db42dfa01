package periodic_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hacsync/hacsync/sync/clock"
	"github.com/hacsync/hacsync/sync/consent"
	"github.com/hacsync/hacsync/sync/destination"
	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/progress"
	"github.com/hacsync/hacsync/sync/run"
	"github.com/hacsync/hacsync/sync/source"
)

// cloud is many small tenants, and the sources of their domains. It keeps a ledger
// of every write that reached it, whatever the product itself reports.
type cloud struct {
	mu      sync.Mutex
	clock   clock.Clock
	tenants map[string]*customer
	ledger  []line
	reads   map[string]int // of whole tenants, by tenant
	next    int
	// hook may fail a call, or take its time; it is called without the lock.
	hook func(method string, q request) error
	// after is called after the effect.
	after func(method string, q request) error
	trap  *trap
	// refuse is the answer to every write; nil takes them.
	refuse *problem.Problem
}

// trap holds the next call of a worker before its effect.
type trap struct {
	worker, method string
	caught, free   chan struct{}
}

// catch holds the next call of a kind of a worker's, until free is called.
func (c *cloud) catch(worker, method string) (caught <-chan struct{}, free func()) {
	tr := &trap{worker: worker, method: method, caught: make(chan struct{}), free: make(chan struct{})}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.trap = tr
	return tr.caught, func() { close(tr.free) }
}

func (c *cloud) held(method, worker string) {
	c.mu.Lock()
	tr := c.trap
	if tr == nil || tr.worker != worker || tr.method != method {
		c.mu.Unlock()
		return
	}
	c.trap = nil
	c.mu.Unlock()
	close(tr.caught)
	<-tr.free
}

type customer struct {
	domains []string
	users   map[directory.ID]*person
	bin     map[directory.ID]*person
	// staff is the content of the source, by domain; nil makes rows from the hour.
	staff map[string][]person
	// endless makes every source want one more change than was ever written.
	endless bool
}

// person is an account, or a row of a source.
type person struct {
	ID               directory.ID
	UPN, Key, Name   string
	Created, Deleted time.Time
}

// line is a write that was sent and took effect.
type line struct {
	Tenant, Domain, Worker string
	Verb                   plan.Verb
	UPN, Name              string
	At                     time.Time
}

func newCloud(c clock.Clock) *cloud {
	return &cloud{clock: c, tenants: map[string]*customer{}, reads: map[string]int{}}
}

// add makes a tenant with people in each of its domains.
func (c *cloud) add(tenant string, people int, domains ...string) *customer {
	k := &customer{
		domains: domains, users: map[directory.ID]*person{}, bin: map[directory.ID]*person{}, staff: map[string][]person{},
	}
	for _, d := range domains {
		for i := range people {
			c.next++
			p := &person{
				ID:  directory.ID(fmt.Sprintf("00000000-0000-4000-8000-%012d", c.next)),
				UPN: fmt.Sprintf("p%d@%s", i, d), Key: fmt.Sprintf("key-%s-%d", d, i), Name: fmt.Sprintf("Person %d", i),
				Created: c.clock.Now().Add(-1000 * time.Hour),
			}
			k.users[p.ID] = p
			k.staff[d] = append(k.staff[d], *p)
		}
	}
	c.tenants[tenant] = k
	return k
}

// hourly gives the first person of a domain another name each hour, so that each
// interval has one row to write.
func (k *customer) hourly(domain string) { k.staff[domain] = nil }

func hourOf(t time.Time) int64 { return t.Unix() / 3600 }

type request struct {
	Tenant, Domain, Worker string
	Refs                   []directory.Ref
	Steps                  []plan.Step
}

type answer struct {
	Domains        []string
	Users, Deleted []person
	Found          []found
	Outcomes       []outcome
	Now            time.Time
	Err            *problem.Stored
}

type found struct {
	Ref      directory.Ref
	Presence directory.Presence
	Person   person
}

type outcome struct {
	Did destination.Did
	ID  directory.ID
	Why *problem.Stored
}

// call answers one call of a destination or a source.
func (c *cloud) call(_ context.Context, method string, q request) (answer, error) {
	a, err := c.answer(method, q)
	if err == nil && c.after != nil {
		err = c.after(method, q)
	}
	return a, err
}

func (c *cloud) answer(method string, q request) (answer, error) {
	if c.hook != nil {
		if err := c.hook(method, q); err != nil {
			return answer{}, err
		}
	}
	c.held(method, q.Worker)
	c.mu.Lock()
	defer c.mu.Unlock()
	k := c.tenants[q.Tenant]
	a := answer{Now: c.clock.Now()}
	if k == nil {
		return a, problem.New(problem.TenantUnknown, nil)
	}
	switch method {
	case "tenant":
		a.Domains = k.domains
	case "read":
		c.reads[q.Tenant]++
		a.Domains, a.Users, a.Deleted = k.domains, sorted(k.users), sorted(k.bin)
	case "source":
		a.Users = slices.Clone(k.staff[q.Domain])
		if k.endless {
			a.Users[0].Name = fmt.Sprintf("Serial %d", c.written(q.Domain)+1)
		}
		if a.Users == nil {
			for _, p := range sorted(k.users) {
				if strings.HasSuffix(p.UPN, "@"+q.Domain) {
					if strings.HasPrefix(p.UPN, "p0@") {
						p.Name = fmt.Sprintf("Hour %d", hourOf(a.Now))
					}
					a.Users = append(a.Users, p)
				}
			}
		}
	case "look":
		for _, ref := range q.Refs {
			a.Found = append(a.Found, k.look(ref)...)
		}
	case "write":
		for _, step := range q.Steps {
			a.Outcomes = append(a.Outcomes, c.write(q, k, step))
		}
	}
	return a, nil
}

func sorted(m map[directory.ID]*person) []person {
	all := make([]person, 0, len(m))
	for _, p := range m {
		all = append(all, *p)
	}
	slices.SortFunc(all, func(x, y person) int { return strings.Compare(string(x.ID), string(y.ID)) })
	return all
}

func (k *customer) look(ref directory.Ref) []found {
	var all []found
	for _, side := range []struct {
		m map[directory.ID]*person
		p directory.Presence
	}{{k.users, directory.Live}, {k.bin, directory.InRecycleBin}} {
		for _, p := range side.m {
			if ref.ID != "" && p.ID == ref.ID || ref.UPN != "" && strings.EqualFold(p.UPN, ref.UPN) ||
				ref.ImmutableID != "" && p.Key == ref.ImmutableID {
				all = append(all, found{Ref: ref, Presence: side.p, Person: *p})
			}
		}
	}
	if len(all) == 0 {
		all = append(all, found{Ref: ref})
	}
	return all
}

func (c *cloud) write(q request, k *customer, step plan.Step) outcome {
	if c.refuse != nil {
		return outcome{Did: destination.NotDone, Why: c.refuse.Store()}
	}
	now := c.clock.Now()
	id := step.Object.ID
	p := k.users[id]
	if step.Verb == plan.Create {
		c.next++
		id = directory.ID(fmt.Sprintf("00000000-0000-4000-8000-%012d", c.next))
		p = &person{ID: id, Created: now.Truncate(time.Second)}
		k.users[id] = p
	}
	if p == nil {
		return outcome{Did: destination.NotDone, Why: problem.New(problem.AccountGone, nil).Store()}
	}
	for _, s := range step.Set {
		switch s.Attribute {
		case directory.DisplayName:
			p.Name = s.New.Text
		case directory.UserPrincipalName:
			p.UPN = s.New.Text
		case directory.ImmutableID:
			p.Key = s.New.Text
		}
	}
	if step.Verb == plan.DeleteUser {
		p.Deleted = now
		k.bin[id] = p
		delete(k.users, id)
	}
	_, domain, _ := strings.Cut(p.UPN, "@")
	c.ledger = append(c.ledger, line{
		Tenant: q.Tenant, Domain: domain, Worker: q.Worker, Verb: step.Verb, UPN: p.UPN, Name: p.Name, At: now,
	})
	return outcome{Did: destination.Applied, ID: id}
}

// written counts the writes to a domain.
func (c *cloud) written(domain string) (n int) {
	for _, l := range c.ledger {
		if l.Domain == domain {
			n++
		}
	}
	return n
}

// lines returns the writes so far.
func (c *cloud) lines() []line {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.ledger)
}

// ServeHTTP answers calls from other processes.
func (c *cloud) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/ledger" {
		_ = json.NewEncoder(w).Encode(c.lines())
		return
	}
	var q request
	if err := json.NewDecoder(r.Body).Decode(&q); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	a, err := c.call(r.Context(), strings.TrimPrefix(r.URL.Path, "/"), q)
	if err != nil {
		a.Err = problem.Of(err).Store()
	}
	_ = json.NewEncoder(w).Encode(a)
}

// caller is a cloud, here or in another process.
type caller interface {
	call(ctx context.Context, method string, q request) (answer, error)
}

// far is the cloud in another process.
type far struct {
	url    string
	client *http.Client
}

func (f far) call(ctx context.Context, method string, q request) (answer, error) {
	var a answer
	body, err := json.Marshal(q)
	if err != nil {
		return a, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, f.url+"/"+method, bytes.NewReader(body))
	if err != nil {
		return a, err
	}
	resp, err := f.client.Do(req)
	if err != nil {
		return a, problem.Wrap(err, problem.NoConnection, problem.Args{"host": f.url})
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(&a); err != nil {
		return a, problem.Wrap(err, problem.ConnectionCut, problem.Args{"host": f.url})
	}
	if a.Err != nil {
		return a, a.Err.Problem()
	}
	return a, nil
}

// member is one tenant of a cloud as a destination.
type member struct {
	cloud          caller
	tenant, worker string
}

var columns = []directory.Attribute{directory.DisplayName}

func (p person) record() directory.Record {
	return directory.Record{
		ID: p.ID, UPN: p.UPN, ImmutableID: p.Key, Marks: directory.Enabled, Columns: columns,
		Values: []directory.Value{directory.Text(p.Name)}, Created: p.Created, Deleted: p.Deleted,
	}
}

func (m *member) ask(ctx context.Context, method string, q request) (answer, error) {
	q.Tenant, q.Worker = m.tenant, m.worker
	return m.cloud.call(ctx, method, q)
}

func (m *member) info(domains []string) directory.Tenant {
	t := directory.Tenant{ID: m.tenant, Name: m.tenant, Initial: "initial." + m.tenant}
	for _, d := range domains {
		t.Domains = append(t.Domains, directory.Domain{Name: d, Verified: true})
	}
	return t
}

func (m *member) Tenant(ctx context.Context) (directory.Tenant, error) {
	a, err := m.ask(ctx, "tenant", request{})
	return m.info(a.Domains), err
}

func seal(side directory.Side, people []person, at time.Time) (*directory.Snapshot, error) {
	b := directory.NewBuilder(side, columns)
	for i, p := range people {
		r := p.record()
		if side == directory.Source {
			r.ID, r.Line = directory.ID("user-"+p.Key), i+2 // the Username
		}
		if err := b.Add(r); err != nil {
			return nil, err
		}
	}
	n := len(people)
	return b.Seal(directory.Proof{Ended: true, Pages: 1, Items: n, Count: int64(n)}, directory.About{Name: "cloud", Read: at})
}

func (m *member) Read(ctx context.Context, _ []directory.Attribute, _ progress.Sink) (*destination.Reading, error) {
	a, err := m.ask(ctx, "read", request{})
	if err != nil {
		return nil, err
	}
	users, err := seal(directory.Destination, a.Users, a.Now)
	if err != nil {
		return nil, err
	}
	deleted, err := seal(directory.RecycleBin, a.Deleted, a.Now)
	if err != nil {
		return nil, err
	}
	return &destination.Reading{Tenant: m.info(a.Domains), Users: users, Deleted: deleted, ServerTime: a.Now}, nil
}

func (m *member) Purposes(_ context.Context, ids []directory.ID, _ progress.Sink) (map[directory.ID]directory.Marks, error) {
	all := map[directory.ID]directory.Marks{}
	for _, id := range ids {
		all[id] = directory.PurposeNone
	}
	return all, nil
}

func (m *member) Look(ctx context.Context, refs []directory.Ref, _ []directory.Attribute, _ destination.Roles) ([]directory.Sighting, error) {
	a, err := m.ask(ctx, "look", request{Refs: refs})
	if err != nil {
		return nil, err
	}
	all := make([]directory.Sighting, len(a.Found))
	for i, f := range a.Found {
		all[i] = directory.Sighting{Ref: f.Ref, Presence: f.Presence, ServerTime: a.Now}
		if f.Presence != directory.Absent {
			all[i].Record = f.Person.record()
		}
	}
	return all, nil
}

func (m *member) Write(ctx context.Context, steps []plan.Step) []destination.Outcome {
	outs := make([]destination.Outcome, len(steps))
	a, err := m.ask(ctx, "write", request{Steps: steps})
	if err != nil || len(a.Outcomes) != len(steps) {
		for i, s := range steps {
			outs[i].Why = problem.New(problem.NotAnswered, problem.Args{"upn": s.Object.UPN})
		}
		return outs
	}
	for i, o := range a.Outcomes {
		outs[i] = destination.Outcome{Did: o.Did, ID: o.ID, ServerTime: a.Now, Why: o.Why.Problem()}
	}
	return outs
}

func (m *member) Precheck(context.Context, string) (*destination.Precheck, error) {
	return &destination.Precheck{}, nil
}

// feed is the source of a domain.
type feed struct {
	m      *member
	domain string
	hand   bool
}

func (f *feed) Name() string { return "feed" }
func (f *feed) Renews() bool { return !f.hand }

func (f *feed) Read(ctx context.Context, _ []directory.Attribute, _ progress.Sink) (*directory.Snapshot, error) {
	a, err := f.m.ask(ctx, "source", request{Domain: f.domain})
	if err != nil {
		return nil, err
	}
	if len(a.Users) == 0 {
		return nil, problem.New(problem.SourceEmpty, problem.Args{"source": "feed"})
	}
	return seal(directory.Source, a.Users, a.Now)
}

// runnerOn makes the operations of a tenant. A domain's source is named
// csv:DOMAIN; with /hand behind it, it does not renew itself.
func runnerOn(c caller, tenant, worker string, store run.Store, ck clock.Clock) *run.Runner {
	m := &member{cloud: c, tenant: tenant, worker: worker}
	return &run.Runner{
		Connection: consent.Connection{
			Name: "to-" + tenant, Tenant: tenant, TenantName: tenant, Client: "app",
			Application: &consent.Application{
				ID: "app", Name: "hacsync " + tenant, Verified: ck.Now().Add(-time.Hour), Ends: ck.Now().Add(9000 * time.Hour),
			},
		},
		Store: store, Destination: m, Clock: ck, Holder: worker,
		OpenSource: func(ctx context.Context, spec string, _ run.Settings) (source.Source, error) {
			domain, hand := strings.CutSuffix(strings.TrimPrefix(spec, "csv:"), "/hand")
			if _, err := m.ask(ctx, "open", request{Domain: domain}); err != nil {
				return nil, err
			}
			return &feed{m: m, domain: domain, hand: hand}, nil
		},
		MayWrite:      func(context.Context) error { return nil },
		MayWriteAlone: func(context.Context) error { return nil },
	}
}
