package signin

import (
	"bytes"
	"context"
	"crypto/subtle"
	_ "embed"
	"errors"
	"fmt"
	"html/template"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	// maxRedirect is more than any redirect of Entra ID: a code has about 2,000
	// characters, an error's text a few hundred.
	maxRedirect = 32 << 10
	// farewell is how long the browser is waited for to fetch the last page.
	farewell = 2 * time.Second
	// ports is how often a pair of free ports is looked for.
	ports = 8
)

// landingHTML are the pages that a browser lands on, with their few words in
// both languages.
//
//go:embed landing.html
var landingHTML string

var landingPage = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("landing").Parse(landingHTML))
})

// landing is where the browser returns to after the sign-in page: a server on
// loopback that takes one answer, the one with its own state. Every other request is
// answered with a page that says that it belongs to no sign-in, and changes nothing.
type landing struct {
	state     string
	port      int
	listeners []net.Listener
	server    *http.Server

	taken  atomic.Bool
	answer chan redirect // the one answer
	said   chan struct{} // closed when the browser has its last page
	closed chan struct{}

	saying, closing sync.Once
}

// redirect is what the sign-in page sent the browser back with.
type redirect struct {
	code    string
	refused *refusal // nil with a code
}

// land listens on a free port of loopback, in both of its families if there are two: a
// browser may use either for localhost.
func land(ctx context.Context, state string) (*landing, error) {
	l := &landing{
		state: state, answer: make(chan redirect, 1), said: make(chan struct{}), closed: make(chan struct{}),
	}
	var err error
	for range ports {
		if l.listeners, l.port, err = listen(ctx); err == nil || !errors.Is(err, syscall.EADDRINUSE) {
			break
		}
	}
	if err != nil {
		return nil, fmt.Errorf("listen on loopback: %w", err)
	}
	l.server = &http.Server{
		Handler: l, ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second, MaxHeaderBytes: 2 * maxRedirect,
		ErrorLog: log.New(io.Discard, "", 0), // it may quote a request
	}
	for _, at := range l.listeners {
		go func() { _ = l.server.Serve(at) }() // ends with close
	}
	return l, nil
}

func listen(ctx context.Context) ([]net.Listener, int, error) {
	var lc net.ListenConfig
	four, err := lc.Listen(ctx, "tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, 0, err
	}
	addr, _ := four.Addr().(*net.TCPAddr) // it is one: tcp4
	six, err := lc.Listen(ctx, "tcp6", net.JoinHostPort("::1", strconv.Itoa(addr.Port)))
	switch {
	case err == nil:
		return []net.Listener{four, six}, addr.Port, nil
	case errors.Is(err, syscall.EADDRINUSE): // another program listens there
		_ = four.Close()
		return nil, 0, err
	}
	return []net.Listener{four}, addr.Port, nil // no IPv6 here
}

// address is the redirect URI. Entra ID leaves the port of localhost out when it
// compares it with what the application registered.
func (l *landing) address() string { return "http://localhost:" + strconv.Itoa(l.port) }

// ServeHTTP takes the answer, and sends the browser on to an address that shows
// nothing of it.
func (l *landing) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Connection", "close")
	switch {
	case r.Method != http.MethodGet || !l.ours(r.Host):
		l.show(w, http.StatusNotFound, "nobody")
	case r.URL.Path == "/done" || r.URL.Path == "/refused":
		l.show(w, http.StatusOK, strings.TrimPrefix(r.URL.Path, "/"))
		if l.taken.Load() { // before that the page says nothing
			l.saying.Do(func() { close(l.said) })
		}
	case r.URL.Path != "/" || r.URL.RawQuery == "":
		l.show(w, http.StatusNotFound, "nobody")
	default:
		l.take(w, r)
	}
}

func (l *landing) take(w http.ResponseWriter, r *http.Request) {
	back, ok := parseRedirect(r.URL.RawQuery, l.state)
	if !ok {
		l.show(w, http.StatusBadRequest, "nobody")
		return
	}
	if l.taken.Swap(true) { // the page was reloaded, or another program read the address
		l.show(w, http.StatusConflict, "nobody")
		return
	}
	l.answer <- back
	to := "/done"
	if back.refused != nil {
		to = "/refused"
	}
	w.Header().Set("Location", to)
	w.WriteHeader(http.StatusSeeOther)
}

func (l *landing) ours(host string) bool {
	name, port, err := net.SplitHostPort(host)
	return err == nil && port == strconv.Itoa(l.port) && (name == "localhost" || name == "127.0.0.1" || name == "::1")
}

func (l *landing) show(w http.ResponseWriter, status int, page string) {
	var b bytes.Buffer
	if err := landingPage().Execute(&b, struct{ Page string }{page}); err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes())
}

// close ends the listening. The browser that brought the answer is given a
// moment for its last page.
func (l *landing) close() {
	l.closing.Do(func() {
		if l.taken.Load() {
			t := time.NewTimer(farewell)
			defer t.Stop()
			select {
			case <-l.said:
				ctx, cancel := context.WithTimeout(context.Background(), farewell)
				_ = l.server.Shutdown(ctx)
				cancel()
			case <-t.C:
			}
		}
		_ = l.server.Close()
		close(l.closed)
	})
}

// parseRedirect reads the query of a redirect; false if it is not the answer to the
// sign-in with this state.
func parseRedirect(query, state string) (redirect, bool) {
	if len(query) > maxRedirect {
		return redirect{}, false
	}
	v, err := url.ParseQuery(query)
	if err != nil {
		return redirect{}, false
	}
	one := func(name string) string {
		if len(v[name]) != 1 {
			return ""
		}
		return v[name][0]
	}
	if state == "" || subtle.ConstantTimeCompare([]byte(one("state")), []byte(state)) != 1 {
		return redirect{}, false
	}
	if _, has := v["error"]; has {
		text := one("error_description")
		return redirect{refused: &refusal{
			Error: one("error"), Description: text, Suberror: one("error_subcode"), Claims: one("claims"),
			Trace: behind(text, "Trace ID:"), Correlation: behind(text, "Correlation ID:"), Time: behind(text, "Timestamp:"),
		}}, true
	}
	code := one("code")
	return redirect{code: code}, code != ""
}

// behind is what follows a label in the text of an error, up to the next label
// or line.
func behind(text, label string) string {
	_, rest, found := strings.Cut(text, label)
	if !found {
		return ""
	}
	for _, end := range []string{"\r", "\n", "Trace ID:", "Correlation ID:", "Timestamp:"} {
		rest, _, _ = strings.Cut(rest, end)
	}
	return strings.TrimSpace(rest)
}
