package loopback

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// Server is a running TLS listener.
type Server struct {
	http *http.Server
	addr net.Addr
	done chan struct{}
}

// Serve listens on a loopback address such as 127.0.0.1:0 and serves handler over
// TLS until Close. An address that other machines can reach is refused. out gets
// the errors of the HTTP server and may be nil.
func Serve(ctx context.Context, address string, config *tls.Config, handler http.Handler, out *slog.Logger) (*Server, error) {
	if err := onlyLoopback(address); err != nil {
		return nil, err
	}
	if out == nil {
		out = slog.New(slog.DiscardHandler)
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", address, err)
	}
	s := &Server{
		http: &http.Server{
			Handler:           handler,
			TLSConfig:         config.Clone(), // net/http completes it; two servers may share one
			ReadHeaderTimeout: 30 * time.Second,
			ErrorLog:          slogLogger(out),
		},
		addr: l.Addr(),
		done: make(chan struct{}),
	}
	go func() {
		defer close(s.done)
		if err := s.http.ServeTLS(l, "", ""); err != nil && !errors.Is(err, http.ErrServerClosed) {
			out.Error("simulator stopped serving", "address", s.addr.String(), "error", err)
		}
	}()
	return s, nil
}

// URL returns https:// and the address, without a path.
func (s *Server) URL() string { return "https://" + s.addr.String() }

// Close cuts every connection and waits until all handlers have ended.
func (s *Server) Close() error {
	err := s.http.Close()
	<-s.done
	if err != nil {
		return fmt.Errorf("close %s: %w", s.addr, err)
	}
	return nil
}

// onlyLoopback refuses addresses that are not this machine's own: a simulator gives
// a token to every client.
func onlyLoopback(address string) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("address %q: %w", address, err)
	}
	if host == "localhost" {
		return nil
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsLoopback() {
		return nil
	}
	return fmt.Errorf("address %q: a simulator listens on loopback only, such as 127.0.0.1:0", address)
}

func slogLogger(out *slog.Logger) *log.Logger {
	return slog.NewLogLogger(out.Handler(), slog.LevelDebug)
}
