package grants_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hacsync/hacsync/graphclient/certificate"
	"github.com/hacsync/hacsync/graphclient/grants"
	"github.com/hacsync/hacsync/graphclient/signin"
	"github.com/hacsync/hacsync/graphclient/simulator"
	"github.com/hacsync/hacsync/sync/consent"
	"github.com/hacsync/hacsync/sync/problem"
)

const (
	globalAdministrator = "62e90394-69f5-4237-9190-012177145e10"
	appAdministrator    = "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3"
	roleAdministrator   = "e8611ab8-c189-46e8-94e1-60213ab1f814"
)

// tokenKey signs the tokens of all simulated tenants: making one takes long.
var tokenKey = sync.OnceValue(func() *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return k
})

// hands is a clock that moves when a caller waits.
type hands struct {
	mu  sync.Mutex
	now time.Time
}

func (h *hands) Now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

func (h *hands) Sleep(ctx context.Context, d time.Duration) error {
	h.forward(d)
	return ctx.Err()
}

func (h *hands) forward(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(max(d, 0))
}

// memory is a sealed row without a seal.
type memory struct{ text []byte }

func (m *memory) Load(context.Context) ([]byte, error) { return slices.Clone(m.text), nil }

func (m *memory) Store(_ context.Context, text []byte) error {
	m.text = slices.Clone(text)
	return nil
}

// world is a tenant, and what hacsync keeps of a connection to it.
type world struct {
	t     *testing.T
	s     *simulator.Server
	clock *hands
	keys  *memory
	c     consent.Connection
	admin string
}

const roomyTenant = `{
 "organization": {"id": "5f0c2a8e-1b7d-4e0f-9c55-2d6a8b1f7e10", "displayName": "Midori"},
 "domains": [{"id": "midorisample.onmicrosoft.com", "isInitial": true, "isVerified": true, "isDefault": true, "authenticationType": "Managed"},
             {"id": "midori.example", "isVerified": true, "authenticationType": "Managed"}],
 "users": [{"userPrincipalName": "admin@midorisample.onmicrosoft.com", "displayName": "Admin"},
           {"userPrincipalName": "half@midorisample.onmicrosoft.com", "displayName": "Half an admin"},
           {"userPrincipalName": "info@midori.example", "displayName": "Info", "accountEnabled": false, "mail": "info@midori.example",
            "proxyAddresses": ["SMTP:info@midori.example", "smtp:contact@midori.example"]},
           {"userPrincipalName": "room1@midori.example", "displayName": "Room", "accountEnabled": false},
           {"userPrincipalName": "synced@midori.example", "displayName": "Synced", "onPremisesSyncEnabled": true}],
 "applications": [{"appId": "aaaaaaaa-0000-4000-8000-000000000001", "displayName": "hacsync midori"}],
 "servicePrincipals": [],
 "roleAssignments": [],
 "simulator": SETTINGS,
 "signedIn": "admin@midorisample.onmicrosoft.com"}`

func newWorld(t *testing.T, settings string, o simulator.Options) *world {
	t.Helper()
	if settings == "" {
		settings = "{}"
	}
	clock := &hands{now: time.Now()}
	o.Tenant, o.Key, o.Clock = []byte(strings.ReplaceAll(roomyTenant, "SETTINGS", settings)), tokenKey(), clock
	s, err := simulator.New(o)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, s: s, clock: clock, keys: &memory{}, admin: "admin@midorisample.onmicrosoft.com"}
	if err := s.GiveRole(w.admin, globalAdministrator); err != nil {
		t.Fatal(err)
	}
	r := s.Ready()
	w.c = consent.Connection{
		Name: "midori", Tenant: r.Tenant, Initial: "midorisample.onmicrosoft.com", Account: w.admin, Client: r.Client,
		Cloud: "simulated", Graph: r.Graph, Authority: r.Authority,
	}
	return w
}

// person is a sign-in that only says who.
type person struct {
	consent.SignIn
	upn string
}

// minted are the tokens of a sign-in.
type minted struct {
	s   *simulator.Server
	upn string
}

func (m minted) Token(_ context.Context, scopes ...string) (string, error) {
	return m.s.Mint(m.upn, "", scopes...)
}

// hacsync is one start of the program: it knows what was kept, and no more.
func (w *world) hacsync(road http.RoundTripper, change ...func(*grants.DedicatedOptions)) *grants.Dedicated {
	if road == nil {
		road = w.s.RoundTripper()
	}
	o := grants.DedicatedOptions{
		Connection: w.c, HTTP: &http.Client{Transport: road}, Keys: w.keys, Clock: w.clock,
		AsApplication: func(app string, key *certificate.Pair) (grants.Tokens, error) {
			return signin.NewApplication(signin.Options{
				Authority: w.c.Authority, Tenant: w.c.Tenant, ClientID: app, Graph: w.c.Graph,
				HTTP: &http.Client{Transport: road}, Clock: w.clock,
			}, key)
		},
		AsPerson: func(in consent.SignIn) (grants.Tokens, error) {
			p, ok := in.(person)
			if !ok {
				return nil, errors.New("nobody signed in")
			}
			return minted{w.s, p.upn}, nil
		},
		Save: func(_ context.Context, a consent.Application) error {
			// As the state does it: through JSON.
			raw, err := json.Marshal(a)
			if err != nil {
				return err
			}
			var kept consent.Application
			if err := json.Unmarshal(raw, &kept); err != nil {
				return err
			}
			w.c.Application = &kept
			return nil
		},
	}
	for _, c := range change {
		c(&o)
	}
	return grants.NewDedicated(o)
}

func (w *world) give(d *grants.Dedicated) []consent.Given {
	w.t.Helper()
	var told []consent.Given
	if err := d.Give(w.t.Context(), person{upn: w.admin}, func(g consent.Given) { told = append(told, g) }); err != nil {
		w.t.Fatal(err)
	}
	return told
}

// ready is a tenant with an application that acts.
func ready(t *testing.T, settings string, o simulator.Options) *world {
	t.Helper()
	w := newWorld(t, settings, o)
	d := w.hacsync(nil)
	w.give(d)
	if _, err := d.Verify(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !w.c.Acts() {
		t.Fatal("the application does not act")
	}
	return w
}

// got is what the tenant itself has.
type got struct {
	Applications []struct {
		ID, AppID, DisplayName, UniqueName string
		KeyCredentials                     []struct{ KeyID, Key, CustomKeyIdentifier string }
	}
	ServicePrincipals  []struct{ ID, AppID string }
	AppRoleAssignments []struct{ PrincipalID, AppRoleID string }
	RoleAssignments    []struct{ PrincipalID, RoleDefinitionID string }
	Users              []struct{ ID, UserPrincipalName string }
}

func (w *world) tenant() got {
	w.t.Helper()
	var g got
	if err := json.Unmarshal(w.s.Snapshot(), &g); err != nil {
		w.t.Fatal(err)
	}
	return g
}

// whole requires exactly one application of hacsync with everything, and the other one
// of the same name unchanged.
func (w *world) whole() {
	w.t.Helper()
	g := w.tenant()
	app := w.c.Application
	if app == nil || len(g.Applications) != 2 || g.Applications[0].KeyCredentials != nil || g.Applications[0].UniqueName != "" {
		w.t.Fatalf("applications = %+v", g.Applications)
	}
	ours := g.Applications[1]
	if ours.AppID != app.ID || ours.ID != app.Object || ours.UniqueName != app.Tag || len(ours.KeyCredentials) != 1 {
		w.t.Fatalf("application = %+v, known as %+v", ours, app)
	}
	if ours.KeyCredentials[0].CustomKeyIdentifier != app.Thumbprint {
		w.t.Fatalf("certificate %s, known as %s", ours.KeyCredentials[0].CustomKeyIdentifier, app.Thumbprint)
	}
	if len(g.ServicePrincipals) != 1 || g.ServicePrincipals[0].AppID != app.ID || len(g.AppRoleAssignments) != 5 {
		w.t.Fatalf("service principals %+v, app roles %+v", g.ServicePrincipals, g.AppRoleAssignments)
	}
}

// deadly is a network on which the program dies at a request: before it is sent, or
// when its answer is on the way.
type deadly struct {
	to     http.RoundTripper
	left   int
	after  bool // the request arrives, its answer does not
	cancel context.CancelFunc
	sent   []string
}

var errKilled = errors.New("killed")

func (d *deadly) RoundTrip(r *http.Request) (*http.Response, error) {
	if d.left == 0 {
		if d.after {
			if res, err := d.to.RoundTrip(r); err == nil {
				_, _ = io.Copy(io.Discard, res.Body)
				_ = res.Body.Close()
			}
		}
		d.cancel()
	}
	if d.left <= 0 {
		d.left--
		return nil, errKilled
	}
	d.left--
	d.sent = append(d.sent, r.Method+" "+r.URL.Path)
	return d.to.RoundTrip(r)
}

// killedAt runs what in a program that dies at the n-th request; false if it
// came to its end before.
func (w *world) killedAt(n int, after bool, what func(context.Context, *grants.Dedicated) error) bool {
	w.t.Helper()
	ctx, cancel := context.WithCancel(w.t.Context())
	defer cancel()
	road := &deadly{to: w.s.RoundTripper(), left: n, after: after, cancel: cancel}
	err := what(ctx, w.hacsync(road))
	if err == nil && road.left < 0 {
		w.t.Fatal("killed and done")
	}
	if err != nil && road.left >= 0 {
		w.t.Fatalf("failed before it was killed: %v", err)
	}
	return err != nil
}

func has(t *testing.T, err error, code problem.Code) *problem.Problem {
	t.Helper()
	if !problem.Has(err, code) {
		t.Fatalf("error = %v, want %s", err, code)
	}
	return problem.Of(err)
}
