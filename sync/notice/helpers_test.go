package notice

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/secret"
	"github.com/hacsync/hacsync/sync/state"
)

// identity makes an age identity file.
func identity(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "identity.txt")
	if err := secret.GenerateIdentity(path); err != nil {
		t.Fatal(err)
	}
	return path
}

func openStore(t testing.TB, place string) *state.Store {
	t.Helper()
	o := state.Options{LockDir: t.TempDir()}
	s, err := state.OpenWith(t.Context(), place, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// rows are sealed rows as package secret needs them.
type rows struct{ *state.Store }

func bookOf(t testing.TB, s *state.Store, identity string) *Book {
	t.Helper()
	sealer, err := secret.FromIdentityFile(identity)
	if err != nil {
		t.Fatal(err)
	}
	return NewBook(rows{s}, sealer)
}

// hands is a clock that is moved by hand; sleepers wake when it passes them.
type hands struct {
	mu    sync.Mutex
	now   time.Time
	moved chan struct{}
}

func newHands() *hands {
	return &hands{now: time.Date(2026, 11, 22, 1, 0, 0, 0, time.UTC), moved: make(chan struct{})}
}

func (h *hands) Now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

func (h *hands) move(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(d)
	close(h.moved)
	h.moved = make(chan struct{})
}

func (h *hands) Sleep(ctx context.Context, d time.Duration) error {
	end := h.Now().Add(d)
	for {
		h.mu.Lock()
		now, moved := h.now, h.moved
		h.mu.Unlock()
		if !now.Before(end) {
			return ctx.Err()
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-moved:
		}
	}
}

// endpoint is a webhook on loopback over TLS that remembers what it was sent.
type endpoint struct {
	*httptest.Server
	mu     sync.Mutex
	bodies [][]byte
	heads  []http.Header
	paths  []string
	answer func(n int, w http.ResponseWriter, r *http.Request) // of the nth request, from 0
}

func newEndpoint(t testing.TB) *endpoint {
	e := &endpoint{}
	e.Server = httptest.NewUnstartedServer(http.HandlerFunc(e.serve))
	e.Config.ErrorLog = log.New(io.Discard, "", 0) // clients that go away
	e.StartTLS()
	t.Cleanup(e.Close)
	return e
}

func (e *endpoint) serve(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	e.mu.Lock()
	n := len(e.bodies)
	e.bodies = append(e.bodies, body)
	e.heads = append(e.heads, r.Header.Clone())
	e.paths = append(e.paths, r.Method+" "+r.Host+r.URL.RequestURI())
	answer := e.answer
	e.mu.Unlock()
	if answer != nil {
		answer(n, w, r)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (e *endpoint) got() [][]byte {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([][]byte(nil), e.bodies...)
}

// notes are what it was sent, as JSON of a webhook.
func (e *endpoint) notes(t testing.TB) []note {
	t.Helper()
	var all []note
	for _, b := range e.got() {
		var n note
		if err := json.Unmarshal(b, &n); err != nil {
			t.Fatalf("%v in %s", err, b)
		}
		all = append(all, n)
	}
	return all
}

func kindsOf(notes []note) string {
	var s []string
	for _, n := range notes {
		s = append(s, string(n.Kind))
	}
	return strings.Join(s, " ")
}

// secretPath is part of addresses; it must never be shown.
const secretPath = "T0KENsecretPath123456"

// bench is a teller with one webhook target.
type bench struct {
	store  *state.Store
	book   *Book
	clock  *hands
	teller *Teller
	logs   *safeBuffer
	end    *endpoint
}

func newBench(t testing.TB, place string) *bench {
	t.Helper()
	b := &bench{store: openStore(t, place), clock: newHands(), logs: &safeBuffer{}, end: newEndpoint(t)}
	b.book = bookOf(t, b.store, identity(t))
	b.add(t, Target{Name: "ops"})
	b.teller = b.again("one")
	return b
}

// again is another teller on the same state.
func (b *bench) again(holder string) *Teller {
	return New(Options{
		Store: b.store, Book: b.book, Clock: b.clock, Holder: holder, Transport: b.end.Client().Transport,
		Timeout: 2 * time.Second, Log: slog.New(slog.NewJSONHandler(b.logs, nil)),
	})
}

func (b *bench) add(t testing.TB, target Target) {
	t.Helper()
	if target.Address.Empty() {
		target.Address = secret.NewText(b.end.URL + "/" + secretPath + "?sig=" + secretPath)
	}
	if _, err := b.book.Add(t.Context(), target); err != nil {
		t.Fatal(err)
	}
}

func (b *bench) flush(t testing.TB) {
	t.Helper()
	if err := b.teller.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func (b *bench) tell(t testing.TB, e Event) {
	t.Helper()
	if err := b.teller.Tell(t.Context(), e); err != nil {
		t.Fatal(err)
	}
}

// failure is a first failure of a domain.
func failure(domain string) Event {
	return Event{
		Kind: Failed, Tenant: "11111111-2222-4333-8444-555555555555", TenantName: "Midori Corp.", Connection: "midori",
		Domain: domain, Run: 12, Why: problem.New(problem.StateUnreachable, problem.Args{"state": "postgres://db.example/hacsync"}),
		Numbers: Numbers{Failures: 1},
	}
}

// safeBuffer may be written to by several goroutines.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// eventually waits for something that other goroutines or processes do.
func eventually(t testing.TB, what string, f func() bool) {
	t.Helper()
	end := time.Now().Add(20 * time.Second)
	for !f() {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// The tests run tellers in other processes: the test binary starts itself again
// with a task.
const (
	taskVariable     = "HACSYNC_NOTICE_TASK"
	urlVariable      = "HACSYNC_NOTICE_STATE"
	identityVariable = "HACSYNC_NOTICE_IDENTITY"
)

func TestMain(m *testing.M) {
	if task := os.Getenv(taskVariable); task != "" {
		os.Exit(child(task))
	}
	os.Exit(m.Run())
}

// child reports the domains that stdin names, and delivers until it is killed or
// its stdin ends.
func child(task string) int {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	locks, err := os.MkdirTemp("", "hacsync-notice")
	if err != nil {
		return 1
	}
	defer os.RemoveAll(locks)
	s, err := state.OpenWith(ctx, os.Getenv(urlVariable), state.Options{LockDir: locks})
	if err != nil {
		fmt.Println("error", err)
		return 1
	}
	defer s.Close()
	sealer, err := secret.FromIdentityFile(os.Getenv(identityVariable))
	if err != nil {
		fmt.Println("error", err)
		return 1
	}
	teller := New(Options{
		Store: s, Book: NewBook(rows{s}, sealer), Holder: task, Took: 500 * time.Millisecond,
		Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}, //nolint:gosec // a test server's own certificate
	})
	var every sync.WaitGroup
	every.Go(func() { _ = teller.Run(ctx) })
	fmt.Println("ready")
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		if err := teller.Tell(ctx, failure(in.Text())); err != nil {
			fmt.Println("error", err)
		} else {
			fmt.Println("told", in.Text())
		}
	}
	cancel()
	every.Wait()
	return 0
}
