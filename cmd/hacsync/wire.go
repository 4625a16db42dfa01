package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/adrg/xdg"

	"github.com/hacsync/hacsync/graphclient"
	"github.com/hacsync/hacsync/graphclient/grants"
	"github.com/hacsync/hacsync/graphclient/signin"
	"github.com/hacsync/hacsync/sync/clock"
	"github.com/hacsync/hacsync/sync/consent"
	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/progress"
	"github.com/hacsync/hacsync/sync/run"
	"github.com/hacsync/hacsync/sync/secret"
	"github.com/hacsync/hacsync/sync/source"
	"github.com/hacsync/hacsync/sync/source/hacapi"
	"github.com/hacsync/hacsync/sync/source/haccsv"
	"github.com/hacsync/hacsync/sync/state"
)

// openState opens the state of --state, or the file that is used without it.
func (a *app) openState(ctx context.Context) (*state.Store, error) {
	url := a.flags.state
	if url == "" {
		path, err := xdg.DataFile(filepath.Join("hacsync", "state.db"))
		if err != nil {
			return nil, notWritten(filepath.Join(xdg.DataHome, "hacsync"), err)
		}
		url = state.FileURL(path)
	}
	return state.Open(ctx, url, a.log)
}

// ready is what a simulator writes once it listens.
type ready struct {
	Graph     string  `json:"graph"`
	Authority string  `json:"authority"`
	Tenant    string  `json:"tenant"`
	Client    string  `json:"client"`
	CA        string  `json:"ca"` // path of a PEM file
	HAC       string  `json:"hac"`
	HACClient string  `json:"hac_client"`
	HACSecret string  `json:"hac_secret"`
	Speed     float64 `json:"speed"`

	pem string
}

// readySimulator reads the file of --simulator; nil without one.
func (a *app) readySimulator() (*ready, error) {
	path := a.flags.simulator
	if path == "" {
		return nil, nil
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, notRead(path, err)
	}
	var r ready
	if err := json.Unmarshal(raw, &r); err != nil {
		return nil, problem.New(problem.ReadyFileWrong, problem.Args{"file": path, "why": err.Error()})
	}
	if r.Graph == "" || r.Authority == "" || r.Tenant == "" || r.CA == "" {
		return nil, problem.New(problem.ReadyFileWrong, problem.Args{"file": path, "why": "graph, authority, tenant, ca"})
	}
	pem, err := os.ReadFile(r.CA)
	if err != nil {
		return nil, notRead(r.CA, err)
	}
	r.pem = string(pem)
	return &r, nil
}

// saved opens the state and finds the connection that the flags name: by
// --connection, by the tenant of --simulator, or the only one there is.
func (a *app) saved(ctx context.Context) (*state.Store, consent.Connection, error) {
	sim, err := a.readySimulator()
	if err != nil {
		return nil, consent.Connection{}, err
	}
	store, err := a.openState(ctx)
	if err != nil {
		return nil, consent.Connection{}, err
	}
	c, err := a.find(ctx, store, sim)
	if err != nil {
		_ = store.Close()
		return nil, c, err
	}
	return store, c, nil
}

func (a *app) find(ctx context.Context, store *state.Store, sim *ready) (consent.Connection, error) {
	if sim == nil || a.flags.connection != "" {
		c, err := store.Connection(ctx, a.flags.connection)
		if err == nil && sim != nil {
			if c.Tenant != sim.Tenant {
				return c, problem.New(problem.NoSavedData, problem.Args{"connection": a.flags.connection})
			}
			sim.reach(&c)
		}
		return c, err
	}
	all, err := store.Connections(ctx)
	if err != nil {
		return consent.Connection{}, err
	}
	for _, c := range all {
		if c.Tenant == sim.Tenant && c.Simulated() {
			sim.reach(&c)
			return c, nil
		}
	}
	return consent.Connection{}, problem.New(problem.NoSavedData, problem.Args{"connection": sim.Tenant})
}

// reach makes a connection reach this simulator: its ports and certificate
// change with every start.
func (r *ready) reach(c *consent.Connection) {
	c.Cloud, c.Graph, c.Authority, c.CA, c.Speed, c.HAC = "simulated", r.Graph, r.Authority, r.pem, r.Speed, r.HAC
}

// way is the road to one tenant: its clock, its hosts, who is signed in.
type way struct {
	connection consent.Connection
	clock      clock.Clock
	http       *http.Client
	signIn     *signin.Client
	graph      *graphclient.Client
}

// DeviceCode asks for a code; see consent.SignIn.
func (w *way) DeviceCode(ctx context.Context, scopes []string) (consent.Code, func(context.Context) (consent.Account, error), error) {
	return w.signIn.DeviceCode(ctx, scopes)
}

// Browser gives the page where somebody signs in; see consent.SignIn.
func (w *way) Browser(ctx context.Context, scopes []string) (consent.Page, func(context.Context) (consent.Account, error), error) {
	return w.signIn.Browser(ctx, scopes)
}

// Silent obtains a token from what is saved; see consent.SignIn.
func (w *way) Silent(ctx context.Context, scopes []string) (consent.Account, error) {
	return w.signIn.Silent(ctx, scopes)
}

// clockAt is the clock that runs so fast, one for the whole program: a second
// one would start anew at the machine's time.
func (a *app) clockAt(speed float64) clock.Clock {
	a.clockMu.Lock()
	defer a.clockMu.Unlock()
	if a.clocks == nil {
		a.clocks = map[float64]clock.Clock{}
	}
	if a.clocks[speed] == nil {
		a.clocks[speed] = clock.Scaled(speed)
	}
	return a.clocks[speed]
}

// wayTo builds the road to a connection's tenant. Nothing is sent yet. Without a
// cache the sign-in stays in memory, until the program ends or it is saved.
func (a *app) wayTo(c consent.Connection, cache consent.Cache) (*way, error) {
	client, err := graphclient.HTTPClient(c.CA)
	if err != nil {
		return nil, err
	}
	w := &way{connection: c, clock: a.clockAt(c.Speed), http: client}
	w.signIn, err = signin.New(signin.Options{
		Authority: c.Authority, Tenant: c.Tenant, ClientID: c.Client, Graph: c.Graph,
		HTTP: client, Cache: cache, Account: c.Account, Clock: w.clock, Log: a.log,
	})
	if err != nil {
		return nil, err
	}
	w.graph, err = graphclient.New(graphclient.Options{
		Graph: c.Graph, HTTP: client, Tokens: w.signIn,
		ReadScopes: consent.ReadScopes(), WriteScopes: []string{consent.WriteScope},
		SignedIn: c.SignedIn, Clock: w.clock, Log: a.log,
	})
	return w, err
}

// clouds are the hosts of Microsoft's clouds, as its documentation of national
// deployments has them.
func clouds() map[string]consent.Connection {
	return map[string]consent.Connection{
		"public":   {Graph: "https://graph.microsoft.com", Authority: "https://login.microsoftonline.com"},
		"usgov":    {Graph: "https://graph.microsoft.us", Authority: "https://login.microsoftonline.us"},
		"usgovdod": {Graph: "https://dod-graph.microsoft.us", Authority: "https://login.microsoftonline.us"},
		"china":    {Graph: "https://microsoftgraph.chinacloudapi.cn", Authority: "https://login.chinacloudapi.cn"},
	}
}

// target is where connect signs in: a simulator, or a cloud of Microsoft's.
func (a *app) target(tenant, cloud string) (consent.Connection, error) {
	c := consent.Connection{Cloud: cloud, Tenant: tenant, Client: a.flags.clientID}
	sim, err := a.readySimulator()
	if err != nil {
		return c, err
	}
	if sim != nil {
		sim.reach(&c)
		if c.Tenant == "" {
			c.Tenant = sim.Tenant
		}
		if c.Client == "" {
			c.Client = sim.Client
		}
	} else {
		hosts, ok := clouds()[cloud]
		if !ok {
			return c, wrongUsage("hacsync connect", a.text("usage.choice", problem.Args{
				"flag": "cloud", "takes": strings.Join(slices.Sorted(maps.Keys(clouds())), ", "), "value": cloud,
			}))
		}
		if cloud == "china" && c.Client == "" { // it does not share the global registrations
			return c, wrongUsage("hacsync connect", a.text("usage.needs", problem.Args{"flag": "client-id", "value": "--cloud china"}))
		}
		c.Graph, c.Authority = hosts.Graph, hosts.Authority
	}
	if c.Tenant == "" {
		c.Tenant = signin.AnyOrganization
	}
	if c.Client == "" {
		c.Client = consent.GraphCommandLineTools
	}
	return c, nil
}

// signedIn makes the connection that a sign-in gave: the tenant's name is read
// with it.
func (w *way) signedIn(ctx context.Context, who consent.Account) error {
	c := &w.connection
	c.Tenant, c.Account, c.Scopes = who.Tenant, who.UPN, who.Scopes
	if !slices.Contains(c.SignedIn, who.ID) {
		c.SignedIn = append(slices.Clone(c.SignedIn), who.ID)
	}
	tenant, err := w.graph.Tenant(ctx)
	if err != nil {
		return err
	}
	c.TenantName, c.Initial = tenant.Name, tenant.Initial
	c.Saved = time.Now()
	c.LastUsed = c.Saved
	return nil
}

// rows are the sealed rows of a state, as package secret asks for them.
type rows struct{ *state.Store }

// SaveSealed tells of a row that somebody else replaced in secret's own word.
func (r rows) SaveSealed(ctx context.Context, connection, name string, sealed []byte, version int64) error {
	err := r.Store.SaveSealed(ctx, connection, name, sealed, version)
	if errors.Is(err, state.ErrStale) {
		return secret.ErrStale
	}
	return err
}

// vault is a state with the key of its sealed rows.
type vault struct {
	store  *state.Store
	sealer secret.Sealer
}

// openVault opens the state, and chooses the key.
func (a *app) openVault(ctx context.Context) (*vault, error) {
	store, err := a.openState(ctx)
	if err != nil {
		return nil, err
	}
	v, err := a.vaultOf(ctx, store)
	if err != nil {
		_ = store.Close()
	}
	return v, err
}

func (a *app) vaultOf(ctx context.Context, store *state.Store) (*vault, error) {
	sealer, err := secret.Choose(ctx, secret.Options{
		Identity: a.flags.identity, Passphrase: secret.NewText(a.getenv(secret.PassphraseVariable)), Rows: rows{store},
	})
	return &vault{store: store, sealer: sealer}, err
}

func (v *vault) close() { _ = v.store.Close() }

// tokens is the sealed token cache of a connection.
func (v *vault) tokens(connection string) consent.Cache {
	return secret.NewTokenCache(rows{v.store}, v.sealer, connection)
}

// sealing says in words what a sign-in is sealed under.
func (a *app) sealing(s secret.Sealer) string {
	return a.text("sealing."+string(s.Kind()), problem.Args{"where": s.Name()})
}

// session is an open connection with everything that commands call.
type session struct {
	app        *app
	store      *state.Store
	vault      *vault
	saved      bool // the sign-in is kept for next time
	connection consent.Connection
	way        *way
	runner     *run.Runner
	grants     consent.Grants
	sealing    string
	simulator  *ready
	// applying is the plan of the sync under way.
	applying atomic.Pointer[plan.Plan]
}

// open opens the saved connection that the flags name.
func (a *app) open(ctx context.Context) (*session, error) {
	sim, err := a.readySimulator()
	if err != nil {
		return nil, err
	}
	store, c, err := a.saved(ctx)
	if err != nil {
		return nil, err
	}
	s, err := a.sessionOf(ctx, store, c, sim)
	if err != nil {
		_ = store.Close()
	}
	return s, err
}

func (a *app) sessionOf(ctx context.Context, store *state.Store, c consent.Connection, sim *ready) (*session, error) {
	v, err := a.vaultOf(ctx, store)
	if err != nil {
		return nil, err
	}
	w, err := a.wayTo(c, v.tokens(c.Name))
	if err != nil {
		return nil, err
	}
	s := newSession(a, v, w, sim)
	s.saved = true
	s.runner = s.newRunner(newLines(a.err, a.words), a.showWriteCode(c))
	// For the list of saved data alone: that it cannot be written stops nothing.
	c.LastUsed = time.Now()
	if err := store.SaveConnection(ctx, c); err != nil {
		a.log.Warn("remember when the connection was used", "error", err)
	}
	return s, nil
}

// newSession puts a session together. It is saved only once somebody says so.
func newSession(a *app, v *vault, w *way, sim *ready) *session {
	return &session{
		app: a, store: v.store, vault: v, connection: w.connection, way: w, simulator: sim,
		grants: grants.New(grants.Options{Tokens: w.signIn, Connection: w.connection}), sealing: a.sealing(v.sealer),
	}
}

func (s *session) close() { _ = s.store.Close() }

// newRunner makes the operations, reporting to sink and showing a code by show.
func (s *session) newRunner(sink progress.Sink, show func(consent.Code)) *run.Runner {
	return &run.Runner{
		Connection: s.connection, Store: run.OnStore(s.store), Destination: s.way.graph,
		OpenSource: s.openSource,
		MayWrite:   func(ctx context.Context) error { return s.mayWrite(ctx, show) },
		Clock:      s.way.clock, Progress: sink, Log: s.app.log, Holder: holder(),
	}
}

// holder names this process and person in claims.
func holder() string {
	host, err := os.Hostname()
	if err != nil {
		host = "?"
	}
	return fmt.Sprintf("%s@%s, process %d", approver(""), host, os.Getpid())
}

// showWriteCode shows the code that the permission to write needs.
func (a *app) showWriteCode(c consent.Connection) func(consent.Code) {
	return func(code consent.Code) {
		args := codeArgs(a.words, code)
		args["account"] = c.Account
		a.tell(a.text("write.code", args))
	}
}

// mayWrite obtains the permission to write: silently where it was consented to,
// else by a code.
func (s *session) mayWrite(ctx context.Context, show func(consent.Code)) error {
	scopes := []string{consent.WriteScope}
	_, err := s.way.signIn.Silent(ctx, scopes)
	if p := problem.Of(err); err == nil || p == nil || p.Class() != problem.Mend {
		return err
	}
	s.app.log.Info("permission to write is not there silently", "error", err)
	code, wait, err := s.way.signIn.DeviceCode(ctx, scopes)
	if err != nil {
		return err
	}
	show(code)
	who, err := wait(ctx)
	if err != nil {
		return err
	}
	if who.Tenant != s.connection.Tenant {
		return problem.New(problem.OtherTenant, problem.Args{
			"upn": who.UPN, "tenant": who.Tenant, "expected": s.connection.Tenant,
		})
	}
	return s.otherAccount(ctx, who)
}

// otherAccount remembers a second person who signed in for the connection: such
// accounts are never touched. The plan was made before that was known, so one
// that names the account is refused.
func (s *session) otherAccount(ctx context.Context, who consent.Account) error {
	if slices.Contains(s.connection.SignedIn, who.ID) {
		return nil
	}
	s.connection.SignedIn = append(slices.Clone(s.connection.SignedIn), who.ID)
	if s.saved {
		if err := s.store.SaveConnection(ctx, s.connection); err != nil {
			return err
		}
	}
	p := s.applying.Load()
	if p == nil || slices.ContainsFunc(p.Touches(), func(r directory.Ref) bool { return r.ID == who.ID }) {
		return problem.New(problem.WriterInPlan, problem.Args{"upn": who.UPN})
	}
	return nil
}

// openSource makes the source that a setting names.
func (s *session) openSource(ctx context.Context, spec string, settings run.Settings) (source.Source, error) {
	count := max(settings.Count, 0)
	if path, ok := strings.CutPrefix(spec, "csv:"); ok {
		return haccsv.New(haccsv.CleanPath(path), haccsv.Options{Count: count, Mappings: settings.Mappings, Clock: s.way.clock}), nil
	}
	if spec != "hac" {
		return nil, problem.New(problem.SourceUnknown, problem.Args{"source": spec, "kinds": sourceKinds})
	}
	access, err := s.hacAccess(ctx)
	if err != nil {
		return nil, err
	}
	o := hacapi.Options{
		Client: access.Client, Secret: secret.NewText(access.Secret),
		Count: count, Mappings: settings.Mappings, Clock: s.way.clock, Log: s.app.log,
	}
	if s.connection.Simulated() {
		// The certificate of a simulator is trusted for its own hosts alone.
		o.Base, o.HTTP = s.connection.HAC, s.way.http
	}
	return hacapi.New(o), nil
}
