// Package session opens what commands and the wizard work with: the state, the key
// of its sealed rows, a saved connection, and access to its tenant as the user or
// application that acts for it. Start with Env.Open. Flags, words and exit codes
// belong to package main; rules belong to sync/run.
package session

import (
	"context"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"github.com/adrg/xdg"

	"github.com/hacsync/hacsync/graphclient/grants"
	"github.com/hacsync/hacsync/sync/clock"
	"github.com/hacsync/hacsync/sync/consent"
	"github.com/hacsync/hacsync/sync/message"
	"github.com/hacsync/hacsync/sync/periodic"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/progress"
	"github.com/hacsync/hacsync/sync/run"
	"github.com/hacsync/hacsync/sync/secret"
	"github.com/hacsync/hacsync/sync/source"
	"github.com/hacsync/hacsync/sync/source/hacapi"
	"github.com/hacsync/hacsync/sync/source/haccsv"
	"github.com/hacsync/hacsync/sync/state"
)

// Flags are the values of the program's flags that sessions depend on.
type Flags struct {
	State, Connection, Simulator, Identity, ClientID, As string
}

// Env is what sessions need of the program.
type Env struct {
	Flags
	Words *message.Printer
	Tell  func(line string) // a line for the user
	Log   *slog.Logger
	// Clock returns the clock of a speed, one for the whole program.
	Clock func(speed float64) clock.Clock
	// ReadSimulator reads the file of --simulator; it returns nil without one.
	ReadSimulator func() (*Simulator, error)
	Passphrase    secret.Text
	// AskPassphrase asks the user for it; nil if no user can be asked.
	AskPassphrase func(context.Context, secret.Question) (secret.Text, error)
	// Attended: a user is there, who can sign in again.
	Attended bool
	// Transport wraps what sends requests to a tenant; if nil, it is not wrapped.
	Transport func(http.RoundTripper) http.RoundTripper
	Holder    string // names this process and its user in claims
}

// Simulator is where a simulator listens.
type Simulator struct {
	Graph     string  `json:"graph"`
	Authority string  `json:"authority"`
	Tenant    string  `json:"tenant"`
	Client    string  `json:"client"`
	CA        string  `json:"ca"` // path of a PEM file
	HAC       string  `json:"hac"`
	HACClient string  `json:"hac_client"`
	HACSecret string  `json:"hac_secret"`
	Speed     float64 `json:"speed"`

	PEM string `json:"-"` // what CA holds
}

// Reach makes a connection reach this simulator: its ports and certificate
// change with every start.
func (s *Simulator) Reach(c *consent.Connection) {
	c.Cloud, c.Graph, c.Authority, c.CA, c.Speed, c.HAC = "simulated", s.Graph, s.Authority, s.PEM, s.Speed, s.HAC
}

// Want selects which parts of a session are needed, in addition to the state.
type Want struct {
	Key        bool // of the sealed rows
	Simulator  bool // of --simulator; with Connection
	Connection bool // the saved one that the flags name
	Tenant     bool // access to its tenant, as the user or application that acts for it; with Key and Connection
	Unready    bool // with Tenant: there may be no one that acts for it yet
	// Store is an open state, in place of that of the flags.
	Store *state.Store
}

// Session is what Open opened. Its methods are safe for concurrent use.
type Session struct {
	Store  *state.Store
	Sealer secret.Sealer // nil without the key
	// Simulator is that of --simulator; nil for real tenants.
	Simulator *Simulator
	// Runner has the operations, with progress as the caller shows it.
	Runner *run.Runner

	env       *Env
	connected *connection
	access    *Access // nil without a tenant
}

// Open opens the state of the flags, and what else is wanted. Without --state it is
// a file of this user.
func (e *Env) Open(ctx context.Context, want Want) (_ *Session, err error) {
	s := &Session{env: e, connected: &connection{}, Store: want.Store}
	want.Connection = want.Connection || want.Tenant
	if want.Connection || want.Simulator {
		if s.Simulator, err = e.ReadSimulator(); err != nil {
			return nil, err
		}
	}
	if s.Store == nil {
		if s.Store, err = e.openState(ctx); err != nil {
			return nil, err
		}
	}
	defer func() {
		if err != nil {
			_ = s.Store.Close()
		}
	}()
	var c consent.Connection
	if want.Connection {
		if c, err = s.find(ctx); err != nil {
			return nil, err
		}
		s.connected.c = c
	}
	if want.Key || want.Tenant {
		if err := s.ChooseKey(ctx); err != nil {
			return nil, err
		}
	}
	if !want.Tenant {
		return s, nil
	}
	acts, err := e.acts(c)
	if err != nil && (!want.Unready || !problem.Has(err, problem.NoApplication)) {
		return nil, err
	}
	return s.saved(ctx, c, acts)
}

// slow is the time after which the user is informed of what the program waits for.
const slow = 2 * time.Second

// openState opens the state, and informs the user if it has to wait: another
// process may keep it locked, and a server may not answer.
func (e *Env) openState(ctx context.Context) (*state.Store, error) {
	url := e.State
	if url == "" {
		path, err := xdg.DataFile(filepath.Join("hacsync", "state.db"))
		if err != nil {
			return nil, problem.Wrap(err, problem.FileNotWritten, problem.Args{
				"file": filepath.Join(xdg.DataHome, "hacsync"), "why": err.Error(),
			})
		}
		url = state.FileURL(path)
	}
	notice := time.AfterFunc(slow, func() { e.Tell(e.Words.Text("cmd.waiting.state", problem.Args{"state": state.Shown(url)})) })
	defer notice.Stop()
	return state.Open(ctx, url, e.Log)
}

// find returns the connection that the flags name: by --connection, by the tenant
// of --simulator, or the only one there is.
func (s *Session) find(ctx context.Context) (consent.Connection, error) {
	name, sim := s.env.Connection, s.Simulator
	if sim == nil || name != "" {
		c, err := s.Store.Connection(ctx, name)
		if err == nil && sim != nil {
			if c.Tenant != sim.Tenant {
				return c, problem.New(problem.NoSavedData, problem.Args{"connection": name})
			}
			sim.Reach(&c)
		}
		return c, err
	}
	all, err := s.Store.Connections(ctx)
	if err != nil {
		return consent.Connection{}, err
	}
	for _, c := range all {
		if c.Tenant == sim.Tenant && c.Simulated() {
			sim.Reach(&c)
			return c, nil
		}
	}
	return consent.Connection{}, problem.New(problem.NoSavedData, problem.Args{"connection": sim.Tenant})
}

// ChooseKey chooses the key of the sealed rows.
func (s *Session) ChooseKey(ctx context.Context) (err error) {
	s.Sealer, err = secret.Choose(ctx, secret.Options{
		Identity: s.env.Identity, Passphrase: s.env.Passphrase, Rows: s.Store, Ask: s.env.AskPassphrase,
	})
	return err
}

// Close closes the state, which all sessions on it share.
func (s *Session) Close() { _ = s.Store.Close() }

// On returns the session, on the same state and key, of a tenant to which a user
// has just signed in. Only Save saves it.
func (s *Session) On(a *Access) *Session {
	return &Session{Store: s.Store, Sealer: s.Sealer, Simulator: s.Simulator, env: s.env, connected: a.connected, access: a}
}

// Reopen returns the session of saved data on the same state and key, without a
// user: as the application if it acts.
func (s *Session) Reopen(ctx context.Context, name string) (*Session, error) {
	c, err := s.Store.Connection(ctx, name)
	if err != nil {
		return nil, err
	}
	if s.Simulator != nil {
		s.Simulator.Reach(&c)
	}
	acts, err := s.env.acts(c)
	if err != nil {
		return nil, err
	}
	opened, err := s.saved(ctx, c, acts)
	if err != nil {
		return nil, err
	}
	if app := opened.access.acting.Load(); app != nil {
		_, err = app.Silent(ctx, nil)
	} else {
		_, err = opened.access.Silent(ctx, consent.ReadScopes())
	}
	return opened, err
}

// Unattended returns the session of saved data on the same state and key, as its
// dedicated application.
func (s *Session) Unattended(ctx context.Context, name string) (*Session, error) {
	c, err := s.Store.Connection(ctx, name)
	if err != nil {
		return nil, err
	}
	if s.Simulator != nil && s.Simulator.Tenant == c.Tenant {
		s.Simulator.Reach(&c)
	}
	if !c.Acts() {
		return nil, problem.New(problem.NoApplication, problem.Args{"connection": c.Name})
	}
	opened, err := s.saved(ctx, c, true)
	if err == nil {
		opened.Simulator = nil // it uses the saved client of the HAC API
	}
	return opened, err
}

// saved returns the session of saved data on the same state and key; it records
// that the data is used. acts: its application acts.
func (s *Session) saved(ctx context.Context, c consent.Connection, acts bool) (*Session, error) {
	a, err := s.env.access(&connection{c: c}, s.row(c.Name, secret.Tokens))
	if err != nil {
		return nil, err
	}
	a.connected.saved.Store(true)
	opened := s.On(a)
	if acts {
		if err := opened.act(ctx); err != nil {
			return nil, err
		}
	}
	// Only for the list of saved data: an error in writing this is no obstacle.
	err = opened.stored(ctx, func(stored *consent.Connection) {
		stored.LastUsed = time.Now()
		// The addresses of a simulator change with every start.
		stored.Graph, stored.Authority, stored.CA, stored.Speed, stored.HAC = c.Graph, c.Authority, c.CA, c.Speed, c.HAC
	})
	if err != nil {
		s.env.Log.Warn("remember when the connection was used", "error", err)
	}
	return opened, nil
}

// Connection returns the open connection, as it is now.
func (s *Session) Connection() consent.Connection { return s.connected.get() }

// Application returns the application that acts for the connection in place of a
// user; nil if a user does.
func (s *Session) Application() *consent.Application {
	if s.access.acting.Load() == nil {
		return nil
	}
	return s.Connection().Application
}

// Grants returns the permissions of the user or application that acts.
func (s *Session) Grants() consent.Grants {
	o := grants.Options{Tokens: s.access.tokens(nil), Connection: s.Connection()}
	if app := s.Application(); app != nil {
		o.Application = app.ID
	}
	return grants.New(o)
}

// NewRunner makes the Runner, with progress sent to sink. write shows how a user
// signs in if the permission to write needs that, claims if Microsoft requires a
// new sign-in during an operation.
func (s *Session) NewRunner(sink progress.Sink, write, claims Showing) *run.Runner {
	return &run.Runner{
		Connection: s.Connection(), Store: run.OnStore(s.Store), Destination: s.access.graph(s.asking(claims)),
		OpenSource:    s.openSource,
		MayWrite:      func(ctx context.Context) error { return s.mayWrite(ctx, write) },
		MayWriteAlone: func(ctx context.Context) error { return s.mayWrite(ctx, Showing{}) },
		Clock:         s.access.clock, Progress: sink, Log: s.env.Log, Holder: s.env.Holder,
	}
}

// Periodic returns periodic sync for this connection. If the tenant is not open, it
// can only report.
func (s *Session) Periodic() *periodic.Control {
	if s.access != nil {
		return &periodic.Control{
			Store: periodic.OnStore(s.Store), Runner: s.NewRunner(nil, Showing{}, Showing{}), Clock: s.access.clock,
		}
	}
	c := s.Connection()
	pace := s.env.Clock(c.Speed)
	return &periodic.Control{
		Store: periodic.OnStore(s.Store), Clock: pace,
		Runner: &run.Runner{Connection: c, Store: run.OnStore(s.Store), Clock: pace, Log: s.env.Log},
	}
}

// SourceKinds are the kinds of source, as --source and settings source=… name them.
const SourceKinds = "csv:PATH, hac"

// openSource makes the source that a setting names.
func (s *Session) openSource(ctx context.Context, spec string, settings run.Settings) (source.Source, error) {
	count := max(settings.Count, 0)
	if path, ok := strings.CutPrefix(spec, "csv:"); ok {
		return haccsv.New(haccsv.CleanPath(path), haccsv.Options{Count: count, Mappings: settings.Mappings, Clock: s.access.clock, Zone: settings.Zone}), nil
	}
	if spec != "hac" {
		return nil, problem.New(problem.SourceUnknown, problem.Args{"source": spec, "kinds": SourceKinds})
	}
	access, err := s.hacAccess(ctx)
	c := s.Connection()
	switch {
	case err != nil:
		return nil, err
	case access.Client == "" || c.Simulated() && c.HAC == "":
		return nil, problem.New(problem.NoHACAccess, problem.Args{"domain": "DOMAIN"})
	}
	o := hacapi.Options{
		Client: access.Client, Secret: secret.NewText(access.Secret),
		Count: count, Mappings: settings.Mappings, Clock: s.access.clock, Log: s.env.Log,
	}
	if c.Simulated() {
		// The certificate of a simulator is trusted only for its own hosts.
		o.Base, o.HTTP = c.HAC, s.access.http
	}
	return hacapi.New(o), nil
}
