package loopback_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/hacsync/hacsync/sync/clock"
	"github.com/hacsync/hacsync/sync/loopback"
)

func serve(t *testing.T, h http.Handler, names ...string) (*loopback.Server, *loopback.CA) {
	t.Helper()
	ca, err := loopback.NewCA("test")
	if err != nil {
		t.Fatal(err)
	}
	config, err := ca.TLS(names...)
	if err != nil {
		t.Fatal(err)
	}
	s, err := loopback.Serve(t.Context(), "127.0.0.1:0", config, h, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s, ca
}

func trusting(ca *loopback.CA, name string) *http.Client {
	return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: ca.Pool(), ServerName: name}}}
}

func get(t *testing.T, c *http.Client, url string) (*http.Response, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := c.Do(r)
	if err == nil {
		t.Cleanup(func() { _ = res.Body.Close() })
	}
	return res, err
}

var hello = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("hello")) })

func TestServe_IsTrustedByWhoTrustsItsCAOnly(t *testing.T) {
	s, ca := serve(t, hello, "graph.microsoft.com", "192.0.2.7")
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(ca.PEM()) {
		t.Fatal("the PEM holds no certificate")
	}
	for _, name := range []string{"", "localhost", "graph.microsoft.com"} {
		res, err := get(t, trusting(ca, name), s.URL())
		if err != nil {
			t.Errorf("as %q: %v", name, err)
			continue
		}
		if b, _ := io.ReadAll(res.Body); string(b) != "hello" {
			t.Errorf("as %q: %s", name, b)
		}
	}
	if _, err := get(t, trusting(ca, "login.example"), s.URL()); err == nil {
		t.Error("a name that is not in the certificate was trusted")
	}
	other, err := loopback.NewCA("other")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := get(t, trusting(other, ""), s.URL()); err == nil {
		t.Error("another authority was trusted")
	}
}

func TestServe_RefusesAddressesThatOthersCanReach(t *testing.T) {
	ca, err := loopback.NewCA("test")
	if err != nil {
		t.Fatal(err)
	}
	config, err := ca.TLS()
	if err != nil {
		t.Fatal(err)
	}
	for _, address := range []string{"0.0.0.0:0", ":0", "192.0.2.7:443", "example.com:443", "nothing"} {
		if s, err := loopback.Serve(t.Context(), address, config, hello, nil); err == nil {
			_ = s.Close()
			t.Errorf("%s was taken", address)
		}
	}
	for _, address := range []string{"localhost:0", "127.0.0.1:0"} {
		s, err := loopback.Serve(t.Context(), address, config, hello, nil)
		if err != nil {
			t.Errorf("%s: %v", address, err)
			continue
		}
		_ = s.Close()
	}
}

func TestServe_StopsAtClose(t *testing.T) {
	s, ca := serve(t, hello)
	c := trusting(ca, "")
	if _, err := get(t, c, s.URL()); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := get(t, c, s.URL()); err == nil {
		t.Error("it still answers")
	}
}

// fault is a Fault made of two functions.
type fault struct {
	before func(loopback.Exchange) *loopback.Answer
	after  func(loopback.Exchange, *loopback.Answer) *loopback.Answer
}

func (f fault) Before(_ context.Context, e loopback.Exchange) *loopback.Answer {
	if f.before == nil {
		return nil
	}
	return f.before(e)
}

func (f fault) After(_ context.Context, e loopback.Exchange, a *loopback.Answer) *loopback.Answer {
	if f.after == nil {
		return nil
	}
	return f.after(e, a)
}

func TestHandler_PutsAFaultBeforeOrAfterTheEffect(t *testing.T) {
	effects := 0
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		effects++
		b, _ := io.ReadAll(r.Body)
		w.Header().Set("X-Real", "yes")
		w.WriteHeader(http.StatusCreated)
		_, _ = w.Write(b)
	})
	do := func(f loopback.Fault) (res *httptest.ResponseRecorder, cut bool) {
		t.Helper()
		defer func() { cut = recover() != nil }()
		res = httptest.NewRecorder()
		loopback.Handler(h, "graph", f, 0, clock.Real()).ServeHTTP(res, httptest.NewRequest(http.MethodPost, "/v1.0/users?a=b", strings.NewReader("body")))
		return res, false
	}
	var seen loopback.Exchange
	res, _ := do(fault{before: func(e loopback.Exchange) *loopback.Answer { seen = e; return nil }})
	if res.Code != http.StatusCreated || res.Body.String() != "body" || res.Header().Get("X-Real") != "yes" || effects != 1 {
		t.Errorf("untouched: %d %s, %d effects", res.Code, res.Body, effects)
	}
	if seen.Service != "graph" || seen.Method != http.MethodPost || seen.Path != "/v1.0/users?a=b" || seen.Item != "" {
		t.Errorf("exchange %+v", seen)
	}
	res, _ = do(fault{before: func(loopback.Exchange) *loopback.Answer { return &loopback.Answer{Status: http.StatusBadGateway} }})
	if res.Code != http.StatusBadGateway || effects != 1 {
		t.Errorf("before: %d, %d effects", res.Code, effects)
	}
	res, _ = do(fault{after: func(_ loopback.Exchange, a *loopback.Answer) *loopback.Answer {
		return &loopback.Answer{Status: http.StatusGatewayTimeout, Body: append([]byte("instead of "), a.Body...)}
	}})
	if res.Code != http.StatusGatewayTimeout || res.Body.String() != "instead of body" || effects != 2 {
		t.Errorf("after: %d %s, %d effects", res.Code, res.Body, effects)
	}
	if _, cut := do(fault{after: func(loopback.Exchange, *loopback.Answer) *loopback.Answer { return &loopback.Answer{Cut: true} }}); !cut || effects != 3 {
		t.Errorf("cut %v, %d effects", cut, effects)
	}
}

func TestHandler_CutsTheConnectionOverTLS(t *testing.T) {
	h := loopback.Handler(hello, "graph", fault{before: func(loopback.Exchange) *loopback.Answer { return &loopback.Answer{Cut: true} }}, 0, clock.Real())
	s, ca := serve(t, h)
	if res, err := get(t, trusting(ca, ""), s.URL()); err == nil {
		t.Errorf("status %d", res.StatusCode)
	}
}

// slept is a clock that only notes how long it was to sleep.
type slept struct {
	clock.Clock
	total time.Duration
}

func (s *slept) Sleep(ctx context.Context, d time.Duration) error {
	s.total += d
	return ctx.Err()
}

func TestHandler_WaitsTheLatencyOnTheClock(t *testing.T) {
	c := &slept{Clock: clock.Real()}
	h := loopback.Handler(hello, "graph", nil, 250*time.Millisecond, c)
	for range 2 {
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil))
	}
	if c.total != 500*time.Millisecond {
		t.Errorf("slept %v", c.total)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, httptest.NewRequestWithContext(ctx, http.MethodGet, "/", nil))
	if rec.Body.Len() != 0 {
		t.Error("a client that has gone was answered")
	}
}
