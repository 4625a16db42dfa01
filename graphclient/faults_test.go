package graphclient_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hacsync/hacsync/graphclient"
	"github.com/hacsync/hacsync/graphclient/simulator"
	"github.com/hacsync/hacsync/sync/clock"
	"github.com/hacsync/hacsync/sync/destination"
	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/loopback"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/problem"
)

// Of a world whose clock runs so fast that pauses of minutes take none.
const worldSpeed = 5000

// world is a simulated tenant over TLS, a client of it, and a fault that can be
// exchanged.
type world struct {
	*graphclient.Client
	sim   *simulator.Server
	clock clock.Clock
	fault atomic.Pointer[loopback.Faults]
	made  int
}

func (w *world) Before(ctx context.Context, e loopback.Exchange) *loopback.Answer {
	if f := w.fault.Load(); f != nil {
		return f.Before(ctx, e)
	}
	return nil
}

func (w *world) After(ctx context.Context, e loopback.Exchange, a *loopback.Answer) *loopback.Answer {
	if f := w.fault.Load(); f != nil {
		return f.After(ctx, e, a)
	}
	return nil
}

var worldKey = sync.OnceValue(func() *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return k
})

// minted are tokens straight from the simulator. Signing one takes longer than
// answering a request, so they are kept.
type minted struct {
	sim  *simulator.Server
	kept *sync.Map
}

func (m minted) Token(ctx context.Context, scopes ...string) (string, error) {
	if t, ok := m.kept.Load(strings.Join(scopes, " ")); ok {
		return fmt.Sprint(t), nil
	}
	return m.Renew(ctx, "", scopes...)
}

func (m minted) Renew(_ context.Context, _ string, scopes ...string) (string, error) {
	t, err := m.sim.Mint("admin@midori.example", "", scopes...)
	m.kept.Store(strings.Join(scopes, " "), t)
	return t, err
}

// newWorld is a tenant whose every list has several pages.
func newWorld(t *testing.T, change ...func(*simulator.Options)) *world {
	t.Helper()
	person := func(n int, more string) string {
		return fmt.Sprintf(`{"id":%q,"userPrincipalName":"user%d@midori.example","displayName":"User %d","surname":"S%d","mailNickname":"user%d","onPremisesImmutableId":"ID%d=="%s}`, id(n), n, n, n, n, n, more)
	}
	var users, deleted, roles, eligible, members, domains []string
	for n := 1; n <= 21; n++ {
		users = append(users, person(n, ""))
	}
	for n := 101; n <= 106; n++ {
		deleted = append(deleted, person(n, ""))
	}
	users = append(users, `{"id":"`+id(900)+`","userPrincipalName":"admin@midori.example","displayName":"Admin"}`)
	for n := range 6 {
		holder := id(1)
		if n == 0 {
			holder = id(900)
		}
		// One holder a page, so that a lost page is a lost holder.
		roles = append(roles, fmt.Sprintf(`{"id":"role-%d","principalId":%q,"roleDefinitionId":"62e90394-69f5-4237-9190-012177145e10","directoryScopeId":"/"}`, n, []string{holder, id(2), id(3)}[n%3]))
		eligible = append(eligible, fmt.Sprintf(`{"id":"eligible-%d","principalId":%q,"roleDefinitionId":"fe930be7-5e62-47db-91af-98c3a49a38b1","directoryScopeId":"/"}`, n, id(4+n)))
		members = append(members, fmt.Sprintf(`"user%d@midori.example"`, 14+n))
	}
	for n := range 3 {
		domains = append(domains, fmt.Sprintf(`{"id":"d%d.example"}`, n))
	}
	var groups []string
	for n := range 6 {
		one := members[n]
		if n == 0 {
			one = strings.Join(members, ",")
		}
		groups = append(groups, fmt.Sprintf(`{"id":"cccccccc-0000-4000-8000-00000000000%d","displayName":"G%d","isAssignableToRole":true,"members":[%s],"owners":["user13@midori.example"]}`, n, n, one))
	}
	tenant := `{"organization":{"id":"` + tenantID + `","displayName":"Midori"},"domains":[{"id":"midori.onmicrosoft.com","isInitial":true},{"id":"midori.example","isDefault":true},` + strings.Join(domains, ",") +
		`],"users":[` + strings.Join(users, ",") + `],"deletedUsers":[` + strings.Join(deleted, ",") + `],"groups":[` + strings.Join(groups, ",") +
		`],"roleAssignments":[` + strings.Join(roles, ",") + `],"roleEligibilitySchedules":[` + strings.Join(eligible, ",") + `],"signedIn":"admin@midori.example"}`

	w := &world{}
	o := simulator.Options{Tenant: []byte(tenant), Key: worldKey(), Speed: worldSpeed, PageSize: 5, Dir: t.TempDir(), Fault: w}
	for _, f := range change {
		f(&o)
	}
	var err error
	if w.sim, err = simulator.Start(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.sim.Close() })
	client, err := graphclient.HTTPClient(string(w.sim.CA().PEM()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.CloseIdleConnections)
	w.clock = clock.Scaled(worldSpeed)
	w.Client, err = graphclient.New(graphclient.Options{
		Graph: w.sim.Ready().Graph, HTTP: client, Tokens: minted{w.sim, &sync.Map{}}, Clock: w.clock,
		ReadScopes:  []string{"User.Read.All", "Domain.Read.All", "Organization.Read.All", "RoleManagement.Read.Directory", "GroupMember.Read.All"},
		WriteScopes: []string{"User.ReadWrite.All"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// with puts faults into force for as long as do runs, and says how often they
// fired.
func (w *world) with(t *testing.T, do func(), specs ...string) (fired int) {
	t.Helper()
	var all []loopback.Spec
	for _, text := range specs {
		s, err := loopback.ParseSpec(text)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, s)
	}
	f := loopback.NewFaults(clock.Scaled(worldSpeed), all...)
	w.fault.Store(f)
	do()
	w.fault.Store(nil)
	for _, n := range f.Fired() {
		fired += n
	}
	return fired
}

// show is a reading as text: what a plan would rest on.
func show(r *destination.Reading) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%+v\n", r.Tenant)
	for _, s := range []*directory.Snapshot{r.Users, r.Deleted} {
		var lines []string
		for u := range s.All() {
			lines = append(lines, showRecord(u.Record()))
		}
		slices.Sort(lines)
		b.WriteString(strings.Join(lines, "\n") + "\n--\n")
	}
	return b.String()
}

func showRecord(r directory.Record) string {
	return fmt.Sprint(r.ID, r.UPN, r.ImmutableID, r.Values, r.Marks, r.Mail, r.Addresses, r.Created.Unix())
}

// site is a place where the client calls Graph.
type site struct {
	name string
	on   string
	item bool
	// do does what calls there; it returns what was learned, as text.
	do func(context.Context, *world) (string, error)
}

func readAll(ctx context.Context, w *world) (string, error) {
	r, err := w.Read(ctx, nil, nil)
	if err != nil {
		if r != nil {
			return "", fmt.Errorf("a reading beside an error: %w", err)
		}
		return "", err
	}
	return show(r), nil
}

func lookAt(ctx context.Context, w *world) (string, error) {
	refs := []directory.Ref{
		{ID: directory.ID(id(1))},
		{UPN: "user2@midori.example"},
		{ImmutableID: "ID3=="},
		{ID: directory.ID(id(101))},
		{UPN: "user102@midori.example"},
		{ID: directory.ID(id(777)), UPN: "nobody@midori.example"},
	}
	found, err := w.Look(ctx, refs, nil, destination.WithRoles)
	if err != nil {
		return "", err
	}
	var lines []string
	for _, s := range found {
		lines = append(lines, fmt.Sprint(s.Ref, s.Presence, showRecord(s.Record)))
	}
	return strings.Join(lines, "\n"), nil
}

func readSites() []site {
	return []site{
		{"organization", "GET /organization", false, readAll},
		{"domains", "GET /domains", false, readAll},
		{"users, first page", "GET /users", false, readAll},
		{"users, next page", "GET /users?skiptoken", false, readAll},
		{"users, count", "GET /users/$count", false, readAll},
		{"delta", "GET /users/delta", false, readAll},
		{"deleted users", "GET /directory/deletedItems/microsoft.graph.user", false, readAll},
		{"roles", "GET /roleManagement/directory/roleAssignments", false, readAll},
		{"eligible roles", "GET /roleManagement/directory/roleEligibilitySchedules", false, readAll},
		{"groups", "GET /groups", false, readAll},
		{"members (item)", "GET /groups/*/transitiveMembers", true, readAll},
		{"members, next page", "GET /groups/*/transitiveMembers?skiptoken", false, readAll},
		{"batch of reads", "POST /$batch", false, lookAt},
		{"account (item)", "GET /users/*", true, lookAt},
		{"by immutable ID (item)", "GET /users", true, lookAt},
		{"deleted (item)", "GET /directory/deletedItems/*/microsoft.graph.user", true, lookAt},
	}
}

// faultsTried are the faults of the matrix.
func faultsTried() []string {
	return append(append([]string{"429:retry-after=7", "429:retry-after-date=7", "slow=2s", "repeat-page:after=1"}, loopback.Kinds()...), "missing", "missing-after")
}

// spec writes a fault for a site. once says that it strikes once only.
func spec(fault string, s site, once bool) (string, bool) {
	kind, options, _ := strings.Cut(fault, ":")
	cut := strings.HasPrefix(kind, "cut-")
	missing := strings.HasPrefix(kind, "missing")
	switch {
	case kind == "reorder" && s.on != "POST /$batch", s.item && cut, !s.item && missing, s.item && strings.HasPrefix(kind, "slow"):
		return "", false
	}
	if s.item {
		kind = "item=" + kind
	}
	all := []string{"on=" + s.on}
	if options != "" {
		all = append(all, options)
	}
	if once {
		all = append(all, "count=1")
	}
	return kind + ":" + strings.Join(all, ","), true
}

// unseen are lists of which Graph returns no count, and in which a missing row looks
// like one that does not exist. No reader can detect such a fault, so it is listed here
// instead of being called right.
var unseen = func() map[string]string {
	all := map[string]string{
		"404 account (item)": "Graph says that there is no such account",
		"404 deleted (item)": "Graph says that there is no such account",
	}
	for _, list := range []string{
		"domains", "deleted users", "roles", "eligible roles", "groups", "members (item)", "members, next page", "by immutable ID (item)",
	} {
		for _, fault := range []string{"empty-page", "drop-row"} {
			all[fault+" "+list] = "a list without a count"
		}
	}
	return all
}()

// table collects the cells of a matrix.
type table struct {
	mu    sync.Mutex
	cells map[string]map[string]string // fault, site
}

func (b *table) put(fault, at, what string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.cells[fault] == nil {
		b.cells[fault] = map[string]string{}
	}
	b.cells[fault][at] = what
}

func (b *table) print(t *testing.T, sites []string) {
	var out strings.Builder
	out.WriteString("| fault | " + strings.Join(sites, " | ") + " |\n|---|" + strings.Repeat("---|", len(sites)) + "\n")
	for _, f := range faultsTried() {
		out.WriteString("| " + f)
		for _, s := range sites {
			out.WriteString(" | " + b.cells[f][s])
		}
		out.WriteString(" |\n")
	}
	t.Log("\n" + out.String())
}

// TestFaults_ReadsAreWholeOrRefused is rule 1 at every call site: under any
// fault, once or always, a read gives what is there or a problem, and never
// less.
func TestFaults_ReadsAreWholeOrRefused(t *testing.T) {
	result := &table{cells: map[string]map[string]string{}}
	var names []string
	t.Run("sites", func(t *testing.T) {
		for _, s := range readSites() {
			names = append(names, s.name)
			t.Run(s.name, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				want, err := s.do(t.Context(), w)
				if err != nil {
					t.Fatal(err)
				}
				for _, fault := range faultsTried() {
					var cell []string
					for _, once := range []bool{true, false} {
						text, fits := spec(fault, s, once)
						if !fits || !once && alike(fault) {
							continue
						}
						var got string
						fired := w.with(t, func() { got, err = s.do(t.Context(), w) }, text)
						how := outcomeOfRead(got, want, err)
						if fired == 0 {
							how = "·"
						}
						if err != nil {
							// What was given up still arrives, and is not to
							// meet the next fault.
							time.Sleep(2 * time.Millisecond)
						}
						if strings.HasPrefix(how, "!") && unseen[strings.SplitN(fault, ":", 2)[0]+" "+s.name] == "" {
							t.Errorf("%s: %s %v\n got %s\nwant %s", text, how, err, got, want)
						}
						if once && passes(fault) && fired > 0 && how != "whole" {
							t.Errorf("%s: %s %v, although it passed", text, how, err)
						}
						cell = append(cell, how)
					}
					result.put(fault, s.name, strings.Join(slices.Compact(cell), " / "))
				}
				if got, err := s.do(t.Context(), w); err != nil || got != want {
					t.Errorf("afterwards %v\n%s", err, got)
				}
			})
		}
	})
	result.print(t, names)
}

// passes reports whether a fault that strikes once is got over by asking again.
func passes(fault string) bool {
	kind, _, _ := strings.Cut(fault, ":")
	return !slices.Contains([]string{"403", "404", "412", "conflict", "no-error", "empty-page", "repeat-page", "drop-row"}, kind)
}

// alike reports whether a fault that stays looks to a read like another one
// that is tried.
func alike(fault string) bool {
	return strings.HasSuffix(fault, "-after") || slices.Contains([]string{"503", "504", "html-500", "cut-middle", "429:retry-after-date=7"}, fault)
}

func outcomeOfRead(got, want string, err error) string {
	switch p := problem.Of(err); {
	case err == nil && got == want:
		return "whole"
	case err == nil:
		return "!short"
	case p == nil:
		return "!no problem"
	default:
		return string(p.Code)
	}
}

// deed is a write of each kind on an account of its own, and whether it had its
// effect.
type deed struct {
	step plan.Step
	done func() bool
}

func (w *world) deeds(t *testing.T) map[string]deed {
	t.Helper()
	w.made++
	add := func(name string) directory.Ref {
		upn := fmt.Sprintf("%s%d@midori.example", name, w.made)
		made, err := w.sim.Add(map[string]any{"userPrincipalName": upn, "displayName": "Before", "accountEnabled": true})
		if err != nil {
			t.Fatal(err)
		}
		return directory.Ref{ID: directory.ID(made), UPN: upn}
	}
	text := func(upn, property string) any {
		u := w.sim.User(upn)
		if u == nil {
			return nil
		}
		return u[property]
	}
	patched, deleted, restored := add("patch"), add("delete"), add("restore")
	if err := w.sim.Delete(restored.UPN); err != nil {
		t.Fatal(err)
	}
	created := fmt.Sprintf("create%d@midori.example", w.made)
	return map[string]deed{
		"create": {
			plan.Step{Verb: plan.Create, Password: true, ForceChange: true, Set: []plan.Change{
				set(directory.UserPrincipalName, created), set(directory.DisplayName, "Made"), set(directory.MailNickname, fmt.Sprint("create", w.made)),
			}},
			func() bool { return w.sim.User(created) != nil },
		},
		"patch": {
			plan.Step{Verb: plan.Patch, Object: patched, Set: []plan.Change{set(directory.DisplayName, "After")}},
			func() bool { return text(patched.UPN, "displayName") == "After" },
		},
		"delete":  {plan.Step{Verb: plan.DeleteUser, Object: deleted}, func() bool { return w.sim.User(deleted.UPN) == nil }},
		"restore": {plan.Step{Verb: plan.RestoreUser, Object: restored}, func() bool { return w.sim.User(restored.UPN) != nil }},
	}
}

// TestFaults_WritesSayTruly: what a write says of itself holds in the tenant.
// Applied has its effect, NotDone has none, and all else is Unknown.
func TestFaults_WritesSayTruly(t *testing.T) {
	kinds := []string{"create", "patch", "delete", "restore"}
	sites := []site{
		{name: "create (item)", on: "POST /users", item: true},
		{name: "patch (item)", on: "PATCH /users/*", item: true},
		{name: "delete (item)", on: "DELETE /users/*", item: true},
		{name: "restore (item)", on: "POST /directory/deletedItems/*/restore", item: true},
		{name: "batch of writes", on: "POST /$batch"},
	}
	result := &table{cells: map[string]map[string]string{}}
	var names []string
	t.Run("sites", func(t *testing.T) {
		for _, s := range sites {
			names = append(names, s.name)
			t.Run(s.name, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				for _, fault := range faultsTried() {
					text, fits := spec(fault, s, true)
					if !fits {
						continue
					}
					deeds := w.deeds(t)
					var steps []plan.Step
					for _, k := range kinds {
						steps = append(steps, deeds[k].step)
					}
					var out []destination.Outcome
					fired := w.with(t, func() { out = w.Write(t.Context(), steps) }, text)
					var cells []string
					for i, k := range kinds {
						done := deeds[k].done()
						cell := fmt.Sprintf("%s %s", map[destination.Did]string{destination.Applied: "applied", destination.NotDone: "not done", destination.Unknown: "unknown"}[out[i].Did], map[bool]string{true: "+", false: "-"}[done])
						if out[i].Why != nil {
							cell += " " + string(out[i].Why.Code)
						}
						if out[i].Did == destination.Applied && (!done || out[i].Why != nil) || out[i].Did == destination.NotDone && (done || out[i].Why == nil) {
							t.Errorf("%s: %s says %s", text, k, cell)
						}
						meant := !s.item || strings.HasPrefix(s.name, k)
						if !meant && (out[i].Did != destination.Applied || !done) {
							t.Errorf("%s: %s beside it says %s", text, k, cell)
						}
						if meant && !slices.Contains(cells, cell) {
							cells = append(cells, cell)
						}
					}
					if fired == 0 {
						cells = []string{"·"}
					}
					result.put(fault, s.name, strings.Join(cells, " / "))
				}
			})
		}
	})
	result.print(t, names)
}

func TestFaults_AClientWaitsAsLongAsItIsAskedTo(t *testing.T) {
	for text, least := range map[string]time.Duration{
		"429:retry-after=70,on=GET /users,count=2":      140 * time.Second,
		"429:retry-after-date=70,on=GET /users,count=2": 138 * time.Second, // dates are whole seconds
		"429:on=GET /users,count=2":                     3 * time.Second,
		"slow=2m:on=GET /users,count=1":                 120 * time.Second,
	} {
		w := newWorld(t)
		began := w.clock.Now()
		var err error
		if fired := w.with(t, func() { _, err = readAll(t.Context(), w) }, text); fired == 0 || err != nil {
			t.Fatalf("%s: fired %d times, %v", text, fired, err)
		}
		if took := w.clock.Now().Sub(began); took < least {
			t.Errorf("%s: %v of the clock", text, took)
		}
	}
}
