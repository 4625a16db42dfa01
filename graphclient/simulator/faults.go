package simulator

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/hacsync/hacsync/sync/loopback"
)

// setFaults puts the faults of the options into force. Lags are part of the
// tenant itself, all others change its answers.
func (s *Server) setFaults() error {
	specs := make([]loopback.Spec, 0, len(s.opts.Faults))
	for _, text := range s.opts.Faults {
		spec, err := loopback.ParseSpec(text)
		if err != nil {
			return fmt.Errorf("options: %w", err)
		}
		if d := spec.Lag(); d > 0 {
			s.opts.Lag, s.opts.ReadLag = d, d
		}
		if d := spec.Replica(); d > 0 {
			s.opts.Replica = d
		}
		specs = append(specs, spec)
	}
	s.fault = s.opts.Fault
	if len(specs) > 0 {
		s.fault = loopback.Chain(s.opts.Fault, loopback.NewFaults(s.clock, specs...))
	}
	return nil
}

// front serves Graph and Entra ID with latency and faults, each under its own
// name, and the simulator's own pages without: those always show the true state.
func (s *Server) front() http.Handler {
	plain := s.Handler()
	around := func(service string) http.Handler {
		return loopback.Handler(plain, service, s.fault, s.opts.Latency, s.clock)
	}
	graph, authority := around("graph"), around("authority")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasPrefix(r.URL.Path, "/simulator/"):
			plain.ServeHTTP(w, r)
		case strings.HasPrefix(r.URL.Path, "/v1.0/"), r.URL.Path == "/v1.0", strings.HasPrefix(r.URL.Path, "/beta/"):
			graph.ServeHTTP(w, r)
		default:
			authority.ServeHTTP(w, r)
		}
	})
}
