package signin_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hacsync/hacsync/graphclient/signin"
	"github.com/hacsync/hacsync/graphclient/simulator"
	"github.com/hacsync/hacsync/graphclient/transport"
	"github.com/hacsync/hacsync/sync/loopback"
	"github.com/hacsync/hacsync/sync/problem"
)

// childVariable makes TestProxyChild sign in, in a process of its own: Go reads
// proxy and trusted certificates once a process.
const childVariable = "HACSYNC_TEST_BEHIND_PROXY"

// proxy opens every connection and shows certificates of its own authority, like those
// that inspect the traffic of an organisation. Behind it is a simulated tenant in place
// of Microsoft's hosts.
type proxy struct {
	listener net.Listener
	config   *tls.Config
	tenant   http.Handler
	user     string // user:password that it wants, empty for none

	mu   sync.Mutex
	seen []string // hosts that were asked for
}

func newProxy(t *testing.T, user string) (p *proxy, ca string) {
	t.Helper()
	authority, err := loopback.NewCA("Inspecting Proxy")
	if err != nil {
		t.Fatal(err)
	}
	config, err := authority.TLS("login.microsoftonline.com", "graph.microsoft.com")
	if err != nil {
		t.Fatal(err)
	}
	config.NextProtos = []string{"http/1.1"}
	tenant, err := simulator.New(simulator.Options{Key: tokenKey()})
	if err != nil {
		t.Fatal(err)
	}
	p = &proxy{config: config, tenant: tenant.Handler(), user: user}
	if p.listener, err = net.Listen("tcp4", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.listener.Close() })
	go func() {
		for {
			c, err := p.listener.Accept()
			if err != nil {
				return
			}
			go p.serve(c)
		}
	}()
	ca = filepath.Join(t.TempDir(), "proxy.pem")
	if err := os.WriteFile(ca, authority.PEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	return p, ca
}

func (p *proxy) serve(c net.Conn) {
	defer c.Close()
	r, err := http.ReadRequest(bufio.NewReader(c))
	if err != nil || r.Method != http.MethodConnect {
		return
	}
	p.mu.Lock()
	p.seen = append(p.seen, r.Host)
	p.mu.Unlock()
	if p.user != "" && r.Header.Get("Proxy-Authorization") != "Basic "+base64.StdEncoding.EncodeToString([]byte(p.user)) {
		fmt.Fprint(c, "HTTP/1.1 407 authenticationrequired\r\nProxy-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n")
		return
	}
	fmt.Fprint(c, "HTTP/1.1 200 Connection established\r\n\r\n")
	opened := tls.Server(c, p.config)
	if opened.Handshake() != nil {
		return // the other side does not trust us
	}
	one := &oneConn{conn: opened, done: make(chan struct{})}
	s := &http.Server{Handler: p.tenant, ConnState: func(_ net.Conn, s http.ConnState) {
		if s == http.StateClosed {
			one.once.Do(func() { close(one.done) })
		}
	}}
	_ = s.Serve(one)
}

// oneConn is a listener that has one connection to give.
type oneConn struct {
	conn net.Conn
	done chan struct{}
	once sync.Once
}

func (o *oneConn) Accept() (net.Conn, error) {
	if c := o.conn; c != nil {
		o.conn = nil
		return c, nil
	}
	<-o.done
	return nil, net.ErrClosed
}
func (o *oneConn) Close() error   { return nil }
func (o *oneConn) Addr() net.Addr { return &net.TCPAddr{} }

// outcome is what a child says.
type outcome struct {
	UPN, Organization string
	Code              problem.Code
	Args              problem.Args
	Text              string
}

// behind runs TestProxyChild with an environment.
func runBehind(t *testing.T, env ...string) outcome {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	child := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestProxyChild$", "-test.v")
	for _, v := range os.Environ() {
		name, _, _ := strings.Cut(v, "=")
		switch strings.ToUpper(name) {
		case "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "ALL_PROXY", "SSL_CERT_FILE", "REQUEST_METHOD":
		default:
			child.Env = append(child.Env, v)
		}
	}
	child.Env = append(child.Env, childVariable+"=1")
	child.Env = append(child.Env, env...)
	out, err := child.CombinedOutput()
	if err != nil {
		t.Fatalf("child: %v\n%s", err, out)
	}
	for line := range strings.Lines(string(out)) {
		if text, found := strings.CutPrefix(strings.TrimSpace(line), "outcome "); found {
			var o outcome
			if err := json.Unmarshal([]byte(text), &o); err != nil {
				t.Fatal(err)
			}
			return o
		}
	}
	t.Fatalf("the child said nothing: %s", out)
	return outcome{}
}

// TestProxyChild is the program behind the proxy: it signs in to the public
// cloud and reads from Graph.
func TestProxyChild(t *testing.T) {
	if os.Getenv(childVariable) == "" {
		t.Skip("runs as a child of TestProxy")
	}
	upn, organization, err := signInAndRead(t)
	o := outcome{UPN: upn, Organization: organization}
	if err != nil {
		o.Text = err.Error()
		if p := problem.Of(err); p != nil {
			o.Code, o.Args = p.Code, p.Args
		}
	}
	b, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Printf("\noutcome %s\n", b)
}

func signInAndRead(t *testing.T) (upn, organization string, err error) {
	web, err := transport.Client("")
	if err != nil {
		return "", "", err
	}
	cloud, _ := signin.CloudNamed("public")
	c, err := signin.New(signin.Options{Authority: cloud.Authority, Graph: cloud.Graph, HTTP: web})
	if err != nil {
		return "", "", err
	}
	scopes := []string{"Organization.Read.All"}
	_, wait, err := c.DeviceCode(t.Context(), scopes)
	if err != nil {
		return "", "", err
	}
	who, err := wait(t.Context())
	if err != nil {
		return "", "", err
	}
	token, err := c.Token(t.Context(), scopes...)
	if err != nil {
		return "", "", err
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, cloud.Graph+"/v1.0/organization", http.NoBody)
	if err != nil {
		return "", "", err
	}
	r.Header.Set("Authorization", "Bearer "+token)
	res, err := web.Do(r)
	if err != nil {
		return "", "", transport.Trouble(err, r.URL.Host)
	}
	defer res.Body.Close()
	var list struct {
		Value []struct {
			Name string `json:"displayName"`
		} `json:"value"`
	}
	if err := json.NewDecoder(res.Body).Decode(&list); err != nil || len(list.Value) != 1 {
		return "", "", fmt.Errorf("answer of Graph: %w", err)
	}
	return who.UPN, list.Value[0].Name, nil
}

func TestProxy_WithACAOfItsOwn(t *testing.T) {
	p, ca := newProxy(t, "")
	at := "http://" + p.listener.Addr().String()
	t.Run("trusted by SSL_CERT_FILE", func(t *testing.T) {
		o := runBehind(t, "HTTPS_PROXY="+at, "SSL_CERT_FILE="+ca)
		if o.UPN == "" || o.Organization == "" || o.Text != "" {
			t.Errorf("outcome %+v", o)
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		if hosts := strings.Join(p.seen, " "); !strings.Contains(hosts, "login.microsoftonline.com:443") || !strings.Contains(hosts, "graph.microsoft.com:443") {
			t.Errorf("the proxy saw %s", hosts)
		}
	})
	t.Run("not trusted", func(t *testing.T) {
		o := runBehind(t, "HTTPS_PROXY="+at)
		if o.Code != problem.ProxyCA || o.Args["proxy"] != p.listener.Addr().String() || o.Args["host"] != "login.microsoftonline.com" || !strings.Contains(o.Args["issuer"], "Inspecting Proxy") {
			t.Errorf("outcome %+v", o)
		}
	})
	t.Run("file not there", func(t *testing.T) {
		o := runBehind(t, "HTTPS_PROXY="+at, "SSL_CERT_FILE="+ca+".gone")
		if o.Code != problem.TrustFileWrong || o.Args["file"] != ca+".gone" {
			t.Errorf("outcome %+v", o)
		}
	})
}

func TestProxy_ThatWantsAPassword(t *testing.T) {
	p, ca := newProxy(t, "mori:hunter2")
	at := p.listener.Addr().String()
	if o := runBehind(t, "HTTPS_PROXY=http://mori:hunter2@"+at, "SSL_CERT_FILE="+ca); o.UPN == "" || o.Text != "" {
		t.Errorf("with it: %+v", o)
	}
	for name, user := range map[string]string{"none": "", "wrong": "mori:wrong@"} {
		o := runBehind(t, "HTTPS_PROXY=http://"+user+at, "SSL_CERT_FILE="+ca)
		if o.Code != problem.ProxyAuth || o.Args["proxy"] != at || strings.Contains(o.Text, "wrong") {
			t.Errorf("%s: %+v", name, o)
		}
	}
}
