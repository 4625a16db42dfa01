package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/adrg/xdg"

	"github.com/hacsync/hacsync/graphclient/grants"
	"github.com/hacsync/hacsync/sync/consent"
	"github.com/hacsync/hacsync/sync/input"
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
	return a.stateAt(ctx, url)
}

// stateAt opens a state, with a word where it is waited for: another process may
// keep it locked, and a server may not answer.
func (a *app) stateAt(ctx context.Context, url string) (*state.Store, error) {
	notice := time.AfterFunc(slow, func() { a.tell(a.text("waiting.state", problem.Args{"state": state.Shown(url)})) })
	defer notice.Stop()
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
	raw, err := input.File(path)
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
		Identity: a.flags.identity, Passphrase: secret.NewText(a.getenv(secret.PassphraseVariable)), Rows: store,
		Ask: a.passphraseAsker(),
	})
	return &vault{store: store, sealer: sealer}, err
}

func (v *vault) close() { _ = v.store.Close() }

// tokens is the sealed token cache of a connection.
func (v *vault) tokens(connection string) consent.Cache {
	return v.row(connection, secret.Tokens)
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
	saved      bool // the connection is kept for next time
	connection consent.Connection
	way        *way
	runner     *run.Runner
	grants     consent.Grants
	sealing    string
	simulator  *ready
}

// open opens the saved connection that the flags name, as whoever acts for it.
func (a *app) open(ctx context.Context) (*session, error) { return a.openSaved(ctx, false) }

// openSaved opens it; unready says that nobody needs to act for it yet.
func (a *app) openSaved(ctx context.Context, unready bool) (*session, error) {
	sim, err := a.readySimulator()
	if err != nil {
		return nil, err
	}
	store, c, err := a.saved(ctx)
	if err != nil {
		return nil, err
	}
	s, err := a.sessionFor(ctx, store, c, sim, unready)
	if err != nil {
		_ = store.Close()
	}
	return s, err
}

// sessionOf is the session of saved data that somebody acts for.
func (a *app) sessionOf(ctx context.Context, store *state.Store, c consent.Connection, sim *ready) (*session, error) {
	return a.sessionFor(ctx, store, c, sim, false)
}

func (a *app) sessionFor(ctx context.Context, store *state.Store, c consent.Connection, sim *ready, unready bool) (*session, error) {
	v, err := a.vaultOf(ctx, store)
	if err != nil {
		return nil, err
	}
	acts, err := a.acts(c)
	if err != nil && !(unready && problem.Has(err, problem.NoApplication)) {
		return nil, err
	}
	s, err := a.sessionOn(ctx, v, c, sim, acts)
	if err != nil {
		return nil, err
	}
	s.runner = s.newRunner(newLines(a.err, a.words), a.showOn("write.code", s.connection), a.showOn("claims.code", s.connection))
	return s, nil
}

// sessionOn puts the session of saved data together, and notes that it is used.
// acts: its application does.
func (a *app) sessionOn(ctx context.Context, v *vault, c consent.Connection, sim *ready, acts bool) (*session, error) {
	w, err := a.wayTo(c, v.tokens(c.Name))
	if err != nil {
		return nil, err
	}
	if acts {
		if err := w.act(ctx, v); err != nil {
			return nil, err
		}
	}
	s := newSession(a, v, w, sim)
	s.saved = true
	// For the list of saved data alone: that it cannot be written stops nothing.
	err = v.store.ChangeConnection(ctx, c.Name, func(stored *consent.Connection) error {
		if stored.Tenant != c.Tenant {
			return errForgotten
		}
		stored.LastUsed = time.Now()
		// Where a simulator is, changes with every start.
		stored.Graph, stored.Authority, stored.CA, stored.Speed, stored.HAC = c.Graph, c.Authority, c.CA, c.Speed, c.HAC
		return nil
	})
	if err != nil {
		a.log.Warn("remember when the connection was used", "error", err)
	}
	return s, nil
}

// newSession puts a session together. It is saved only once somebody says so.
func newSession(a *app, v *vault, w *way, sim *ready) *session {
	s := &session{
		app: a, store: v.store, vault: v, connection: w.connection, way: w, simulator: sim, sealing: a.sealing(v.sealer),
	}
	s.judge()
	return s
}

// judge makes the grants of whoever acts.
func (s *session) judge() {
	o := grants.Options{Tokens: s.way.tokens(nil), Connection: s.connection}
	if s.way.acting != nil {
		o.Application = s.connection.Application.ID
	}
	s.grants = grants.New(o)
}

func (s *session) close() { _ = s.store.Close() }

// newRunner makes the operations, reporting to sink. write shows what a person
// signs in with where the permission to write needs it, claims where Microsoft
// wants a new sign-in in the middle of something.
func (s *session) newRunner(sink progress.Sink, write, claims showing) *run.Runner {
	return &run.Runner{
		Connection: s.connection, Store: run.OnStore(s.store), Destination: s.way.graph(s.asking(claims)),
		OpenSource:    s.openSource,
		MayWrite:      func(ctx context.Context) error { return s.mayWrite(ctx, write) },
		MayWriteAlone: func(ctx context.Context) error { return s.mayWrite(ctx, showing{}) },
		Clock:         s.way.clock, Progress: sink, Log: s.app.log, Holder: holder(),
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
