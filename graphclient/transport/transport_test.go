package transport_test

import (
	"encoding/pem"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hacsync/hacsync/graphclient/transport"
	"github.com/hacsync/hacsync/sync/problem"
)

func quiet(t *testing.T, h http.Handler) *httptest.Server {
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // connections end on purpose
	s.EnableHTTP2 = true
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

func pemOf(s *httptest.Server) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}))
}

func get(t *testing.T, c *http.Client, address string) (*http.Response, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := c.Do(req)
	if err == nil {
		t.Cleanup(func() { _ = res.Body.Close() })
	}
	return res, err
}

func TestClient_TrustsItsCAAloneAndFollowsNothing(t *testing.T) {
	s := quiet(t, http.RedirectHandler("https://elsewhere.example/", http.StatusFound))
	c, err := transport.Client(pemOf(s))
	if err != nil {
		t.Fatal(err)
	}
	res, err := get(t, c, s.URL)
	if err != nil || res.StatusCode != http.StatusFound || res.ProtoMajor != 2 {
		t.Fatalf("answer %v, %v", res, err)
	}
	other, err := transport.Client("")
	if err != nil {
		t.Fatal(err)
	}
	_, err = get(t, other, s.URL)
	if err == nil {
		t.Fatal("a certificate of nobody was trusted")
	}
	p := transport.Trouble(err, "graph.example")
	if p.Code != problem.TLSUnknownCA || p.Args["issuer"] == "" || p.Args["host"] != "graph.example" || !transport.NeverSent(err) {
		t.Errorf("problem = %v", p)
	}
	if _, err := transport.Client("not a certificate"); err == nil {
		t.Error("a CA that is none was taken")
	}
}

func TestTrouble_NamesWhatIsWrongWithTheNetwork(t *testing.T) {
	ok := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := "https://" + free.Addr().String()
	_ = free.Close()
	plain := httptest.NewServer(ok)
	defer plain.Close()
	slow := quiet(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	cut := quiet(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusProxyAuthRequired) }))
	defer proxy.Close()
	strict := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }))
	defer strict.Close()
	via := func(address string) func(*http.Transport) {
		return func(tr *http.Transport) {
			u, err := url.Parse(address)
			if err != nil {
				t.Fatal(err)
			}
			tr.Proxy = http.ProxyURL(u)
		}
	}
	for name, tc := range map[string]struct {
		address string
		with    func(*http.Transport)
		want    problem.Code
		unsent  bool
	}{
		"nobody listens":          {nobody, nil, problem.NoConnection, true},
		"no such name":            {"https://no-such-host.invalid", nil, problem.NameNotFound, true},
		"no TLS":                  {strings.Replace(plain.URL, "http:", "https:", 1), nil, problem.TLSFailed, true},
		"certificate of another":  {strings.Replace(slow.URL, "127.0.0.1", "localhost", 1), nil, problem.TLSFailed, true},
		"too slow":                {slow.URL, nil, problem.NoAnswerInTime, false},
		"cut":                     {cut.URL, nil, problem.ConnectionCut, false},
		"proxy wants a password":  {"https://graph.example", via(proxy.URL), problem.ProxyAuth, true},
		"proxy does not let it":   {"https://graph.example", via(strict.URL), problem.ProxyFailed, true},
		"proxy not there":         {"https://graph.example", via(strings.Replace(nobody, "https", "http", 1)), problem.ProxyFailed, true},
		"proxy's name is unknown": {"https://graph.example", via("http://no-such-proxy.invalid:8080"), problem.ProxyFailed, true},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := transport.Client(pemOf(slow))
			if err != nil {
				t.Fatal(err)
			}
			tr, ok := c.Transport.(*http.Transport)
			if !ok {
				t.Fatal("no transport")
			}
			if strings.HasPrefix(tc.address, cut.URL) {
				if c, err = transport.Client(pemOf(cut)); err != nil {
					t.Fatal(err)
				}
			}
			if tc.with != nil {
				tc.with(tr)
			}
			c.Timeout = 300 * time.Millisecond // instead of the request's own context
			_, err = get(t, c, tc.address)
			if err == nil {
				t.Fatal("it worked")
			}
			p := transport.Trouble(err, "graph.example")
			if p.Code != tc.want || p.Args["host"] != "graph.example" {
				t.Errorf("problem = %v, want %s", p, tc.want)
			}
			if transport.NeverSent(err) != tc.unsent {
				t.Errorf("never sent = %v: %v", !tc.unsent, err)
			}
		})
	}
}

func TestTrouble_KeepsAProblem(t *testing.T) {
	p := problem.New(problem.ForeignHost, nil)
	if transport.Trouble(p, "x") != p {
		t.Error("a problem was wrapped")
	}
}

func TestClient_NamesATrustFileThatIsNone(t *testing.T) {
	dir := t.TempDir()
	empty := filepath.Join(dir, "empty.pem")
	if err := os.WriteFile(empty, []byte("nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{filepath.Join(dir, "not-there.pem"), dir, empty} {
		t.Setenv("SSL_CERT_FILE", file)
		_, err := transport.Client("")
		if p := problem.Of(err); p == nil || p.Code != problem.TrustFileWrong || p.Args["file"] != file || p.Args["why"] == "" || strings.Contains(p.Args["why"], dir) {
			t.Errorf("%s: %v", file, err)
		}
	}
	s := quiet(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	if _, err := transport.Client(pemOf(s)); err != nil {
		t.Errorf("a simulated tenant's certificate is not of this file: %v", err)
	}
	good := filepath.Join(dir, "good.pem")
	if err := os.WriteFile(good, []byte(pemOf(s)), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SSL_CERT_FILE", good)
	c, err := transport.Client("")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := get(t, c, s.URL); err != nil {
		t.Errorf("it is not trusted: %v", err)
	}
}
