// Package simulator is a Microsoft 365 tenant on loopback: the sign-in of Entra ID and
// the part of Microsoft Graph v1.0 that the synchronisation of users needs.
//
// It is strict where the real service is strict: permissions and roles, validation,
// unique keys, federated domains, the recycle bin, advanced queries, pages, and errors
// in Graph's own words, so that what works against it has a fair chance against a real
// tenant.
//
// Start serves it over TLS with a certificate authority of its own; New makes one
// without a listener, for RoundTripper in tests. Its state comes from a tenant file,
// from the demo company or from a generator, and can be read back whole at GET
// /simulator/tenant.
package simulator

import (
	"context"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/hacsync/hacsync/sync/clock"
	"github.com/hacsync/hacsync/sync/loopback"
	hacapi "github.com/hacsync/hacsync/sync/source/hacapi/simulator"
)

// Options say what to simulate. The zero value is the demo company.
type Options struct {
	// Listen is the loopback address of Graph and Entra ID; empty is
	// 127.0.0.1:0, any free port.
	Listen string
	// Tenant is a tenant file. Without one, and with Users 0, the tenant is
	// the demo company.
	Tenant []byte
	// Users and Seed generate a tenant of that many users; equal seeds give
	// equal tenants.
	Users int
	Seed  int64
	// HAC is a HAC export that the HAC API serves; without it, the demo's or
	// the generated one, and none with a tenant file.
	HAC []byte
	// DemoHAC serves the demo's export with a tenant file.
	DemoHAC bool
	// Approve is auto (every code at once, by who is signed in) or page.
	// Empty is auto.
	Approve string
	// Speed is how much faster than the machine's the tenant's clock runs.
	Speed float64
	// Latency is waited before each answer, in the tenant's time.
	Latency time.Duration
	// TLSNames are further names for the certificate.
	TLSNames []string
	// Limits is off, which empty is too, or published: Graph's own limits of
	// resource units and writes, on the tenant's clock.
	Limits string
	// Dir is where the CA's certificate is written, a new folder in the
	// system's place for temporary files if empty.
	Dir string
	// Log takes one line a request; nil for none.
	Log *slog.Logger

	// CodeLife is how long a device code lives, 15 minutes if 0. It is the
	// machine's time, because the clients that wait for it have no other clock.
	CodeLife time.Duration
	// TokenLife is how long an access token lives, 1 hour if 0, also of the
	// machine's time.
	TokenLife time.Duration
	// RefuseSignIn is an AADSTS number that every sign-in is refused with, 0
	// for none.
	RefuseSignIn int
	// Lag makes lists, filters and counts show what was so long ago; ReadLag
	// does the same to reads by ID. Both are the tenant's time.
	Lag, ReadLag time.Duration
	// Replica is for how long after it was made or restored a user is unknown to
	// one of the replicas: writes meet it, and every other read by ID.
	Replica time.Duration
	// Fault changes answers; nil for none.
	Fault loopback.Fault
	// Faults are faults in their own words, see loopback.Spec; they come behind
	// Fault. lag=D sets Lag and ReadLag, replica=D Replica.
	Faults []string
	// PageSize is the largest page of a list, 999 if 0: Graph may give fewer
	// rows than $top asks for.
	PageSize int
	// Clock replaces the clock that Speed gives, for tests.
	Clock clock.Clock
	// Key signs the tokens. Without it one is made when the first token is.
	Key *rsa.PrivateKey
	// Watch wraps what listeners serve, so that a test sees every secret that
	// crosses; nil for none.
	Watch func(http.Handler) http.Handler
}

// Ready is the content of the ready file: the addresses that a client needs.
type Ready struct {
	Graph     string  `json:"graph"`
	Authority string  `json:"authority"`
	Tenant    string  `json:"tenant"` // tenant ID
	Client    string  `json:"client"` // application that can sign in
	CA        string  `json:"ca"`     // path of a PEM file
	HAC       string  `json:"hac"`
	HACClient string  `json:"hac_client"`
	HACSecret string  `json:"hac_secret"`
	Speed     float64 `json:"speed"`
}

// Server is a simulated tenant.
type Server struct {
	t      *tenant
	clock  clock.Clock
	opts   Options
	log    *slog.Logger
	fault  loopback.Fault
	limits *limits
	routes []route
	tokens *issuer
	hac    *hacapi.Server

	mu      sync.Mutex
	servers []*loopback.Server
	ca      *loopback.CA
	ready   Ready
	tempDir string
}

// New makes a tenant without a listener: use Handler or RoundTripper.
func New(o Options) (*Server, error) {
	switch o.Limits {
	case "", "off", "published":
	default:
		return nil, fmt.Errorf("limits %q: use off or published", o.Limits)
	}
	switch o.Approve {
	case "":
		o.Approve = "auto"
	case "auto", "page":
	default:
		return nil, fmt.Errorf("approve %q: use auto or page", o.Approve)
	}
	if o.Users < 0 || o.Speed < 0 || o.Latency < 0 || o.PageSize < 0 {
		return nil, errors.New("users, speed, latency and page size cannot be negative")
	}
	if o.Users > 0 && o.Tenant != nil {
		return nil, errors.New("a tenant file and a number of users to generate: use one of them")
	}
	s := &Server{opts: o, log: o.Log, clock: o.Clock, routes: routes()}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.clock == nil {
		s.clock = clock.Scaled(o.Speed)
	}
	if o.Limits == "published" {
		s.limits = newLimits()
	}
	if err := s.setFaults(); err != nil {
		return nil, err
	}
	export, err := s.state()
	if err != nil {
		return nil, err
	}
	s.t.lag, s.t.idLag, s.t.replica = s.opts.Lag, s.opts.ReadLag, s.opts.Replica
	if o.RefuseSignIn != 0 {
		s.t.set.RefuseSignIn = o.RefuseSignIn
	}
	if export != nil {
		if s.hac, err = hacapi.New(export, s.clock); err != nil {
			return nil, fmt.Errorf("HAC export: %w", err)
		}
	}
	s.tokens = newIssuer(s)
	s.ready = Ready{
		Graph: inProcessGraph, Authority: inProcessAuthority, Tenant: s.t.org.id(), Client: cliToolsAppID, Speed: 1,
	}
	if o.Speed > 0 {
		s.ready.Speed = o.Speed
	}
	if s.hac != nil {
		s.ready.HAC, s.ready.HACClient, s.ready.HACSecret = inProcessHAC, s.hac.Client(), s.hac.Secret()
	}
	return s, nil
}

// state makes the tenant and finds the HAC export that goes with it.
func (s *Server) state() (export []byte, err error) {
	o := s.opts
	switch {
	case o.Tenant != nil:
		s.t, err = load(o.Tenant, s.clock, s.log)
		export = nil
	case o.Users > 0:
		s.t, export, err = generate(o.Users, o.Seed, s.clock)
	default:
		s.t, export, err = demo(s.clock)
	}
	if err != nil {
		return nil, err
	}
	if o.DemoHAC && o.HAC == nil {
		if export, err = DemoExport(s.clock.Now()); err != nil {
			return nil, err
		}
	}
	if o.HAC != nil {
		export = o.HAC
	}
	return export, nil
}

// Start makes a tenant and serves it over TLS until Close.
func Start(ctx context.Context, o Options) (*Server, error) {
	s, err := New(o)
	if err != nil {
		return nil, err
	}
	if s.ca, err = loopback.NewCA("hacsync simulator"); err != nil {
		return nil, err
	}
	config, err := s.ca.TLS(o.TLSNames...)
	if err != nil {
		return nil, err
	}
	listen := o.Listen
	if listen == "" {
		listen = "127.0.0.1:0"
	}
	watch := o.Watch
	if watch == nil {
		watch = func(h http.Handler) http.Handler { return h }
	}
	front, err := loopback.Serve(ctx, listen, config, watch(s.front()), s.log)
	if err != nil {
		return nil, err
	}
	s.servers = append(s.servers, front)
	s.ready.Graph, s.ready.Authority = front.URL(), front.URL()
	if s.hac != nil {
		back, err := loopback.Serve(ctx, "127.0.0.1:0", config,
			watch(loopback.Handler(s.hac, "hac", s.fault, o.Latency, s.clock)), s.log)
		if err != nil {
			return nil, errors.Join(err, s.Close())
		}
		s.servers = append(s.servers, back)
		s.ready.HAC = back.URL()
	}
	if err := s.writeCA(); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// writeCA writes the authority's certificate where clients can read it.
func (s *Server) writeCA() error {
	dir := s.opts.Dir
	if dir == "" {
		var err error
		if dir, err = os.MkdirTemp("", "hacsync-simulator-"); err != nil {
			return fmt.Errorf("make a folder for the certificate: %w", err)
		}
		s.tempDir = dir
	}
	path := filepath.Join(dir, "ca.pem")
	if err := os.WriteFile(path, s.ca.PEM(), 0o600); err != nil {
		return fmt.Errorf("write the certificate: %w", err)
	}
	s.ready.CA = path
	return nil
}

// Ready returns the addresses, once the server listens.
func (s *Server) Ready() Ready { return s.ready }

// WriteReady writes the ready file whole, by rename: who sees it can read all
// of it.
func (s *Server) WriteReady(path string) error {
	b, err := json.Marshal(s.ready)
	if err != nil {
		return fmt.Errorf("encode the ready file: %w", err)
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".ready-*")
	if err != nil {
		return fmt.Errorf("write the ready file: %w", err)
	}
	_, err = f.Write(append(b, '\n'))
	err = errors.Join(err, f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return fmt.Errorf("write the ready file %s: %w", path, err)
	}
	return nil
}

// CA is the authority that the listeners' certificates are from, nil without
// listeners.
func (s *Server) CA() *loopback.CA { return s.ca }

// HACHandler serves the HAC API, nil if there is no export.
func (s *Server) HACHandler() http.Handler {
	if s.hac == nil {
		return nil
	}
	return s.hac
}

// Close stops serving and removes the files it made.
func (s *Server) Close() error {
	s.mu.Lock()
	servers, dir := s.servers, s.tempDir
	s.servers, s.tempDir = nil, ""
	s.mu.Unlock()
	var errs []error
	for _, l := range servers {
		errs = append(errs, l.Close())
	}
	if dir != "" {
		errs = append(errs, os.RemoveAll(dir))
	}
	return errors.Join(errs...)
}
