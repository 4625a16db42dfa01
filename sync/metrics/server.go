package metrics

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/hacsync/hacsync/sync/problem"
)

// Address is where a worker serves by default: reachable from this machine only.
const Address = "127.0.0.1:9464"

// Check is a condition for a process to be ready. Fault is empty if it holds, else
// a few words without anything secret.
type Check struct{ Name, Fault string }

// Server answers /metrics, /healthz (the process is alive) and /readyz (it can do
// its work). It has no sign-in: it must be on loopback, or behind a proxy that has
// one. Its fields are set before Start.
type Server struct {
	Metrics *Metrics
	// Ready checks the conditions: the state can be read, the worker reported a
	// short time ago, it is not stopping. It may be nil.
	Ready func(context.Context) []Check
	// Log gets errors of scrapes; nil discards them.
	Log *slog.Logger

	listener net.Listener
	http     *http.Server
	done     chan error
}

// Start listens at an address (host:port; an empty host is loopback, port 0 is a
// free one) and serves until Stop. If it cannot listen, it returns a problem.
func (s *Server) Start(ctx context.Context, address string) error {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return refused(address, err)
	}
	if host == "" {
		// ":9464" means every address of the machine to net/http; that must be
		// requested explicitly.
		host = "127.0.0.1"
	}
	var config net.ListenConfig
	if s.listener, err = config.Listen(ctx, "tcp", net.JoinHostPort(host, port)); err != nil {
		return refused(address, err)
	}
	s.http = &http.Server{
		Handler: s.Handler(), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second,
		WriteTimeout: 30 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10,
		ErrorLog: slog.NewLogLogger(s.logger().Handler(), slog.LevelDebug),
	}
	s.done = make(chan error, 1)
	go func() { s.done <- s.http.Serve(s.listener) }()
	return nil
}

func refused(address string, err error) error {
	var op *net.OpError
	if errors.As(err, &op) {
		err = op.Err
	}
	return problem.Wrap(err, problem.MetricsAddress, problem.Args{"address": address, "why": err.Error()})
}

// Addr returns where it listens, after Start.
func (s *Server) Addr() string { return s.listener.Addr().String() }

// Stop stops listening, and waits for answers under way until ctx ends.
func (s *Server) Stop(ctx context.Context) error {
	if s.http == nil {
		return nil
	}
	err := s.http.Shutdown(ctx)
	if served := <-s.done; err == nil && !errors.Is(served, http.ErrServerClosed) {
		err = served
	}
	return err
}

func (s *Server) logger() *slog.Logger {
	if s.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return s.Log
}

// Handler answers the three paths, to GET and HEAD.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(s.Metrics.registry, promhttp.HandlerOpts{
		// Metrics that can be collected are served, even if others cannot.
		ErrorHandling: promhttp.ContinueOnError, ErrorLog: slog.NewLogLogger(s.logger().Handler(), slog.LevelWarn),
		MaxRequestsInFlight: 8, Timeout: 20 * time.Second,
	}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, true, nil)
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		var checks []Check
		if s.Ready != nil {
			ctx, cancel := context.WithTimeout(r.Context(), patient)
			defer cancel()
			checks = s.Ready(ctx)
		}
		ok := true
		for _, c := range checks {
			ok = ok && c.Fault == ""
		}
		answer(w, ok, checks)
	})
	return mux
}

// answer writes {"status":"ok","checks":{"state":"ok"}}.
func answer(w http.ResponseWriter, ok bool, checks []Check) {
	word := func(ok bool, fault string) string {
		if ok {
			return "ok"
		}
		return fault
	}
	body := struct {
		Status string            `json:"status"`
		Checks map[string]string `json:"checks,omitempty"`
	}{Status: word(ok, "not ready"), Checks: map[string]string{}}
	for _, c := range checks {
		body.Checks[c.Name] = word(c.Fault == "", c.Fault)
	}
	raw, _ := json.Marshal(body) // strings only
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if !ok {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_, _ = io.WriteString(w, string(raw)+"\n")
}
