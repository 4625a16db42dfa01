package graphclient_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hacsync/hacsync/graphclient"
	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/problem"
)

// graph is a scripted Microsoft Graph: what is not scripted answers like a small
// healthy tenant.
type graph struct {
	*httptest.Server
	t *testing.T

	mu    sync.Mutex
	on    map[string]func(w http.ResponseWriter, r *http.Request, n int) // "GET /users", n counts from 1
	calls map[string]int
	log   []string // METHOD path?query
	date  time.Time
}

func newGraph(t *testing.T) *graph {
	g := &graph{
		t: t, on: map[string]func(http.ResponseWriter, *http.Request, int){}, calls: map[string]int{},
		date: time.Date(2026, 11, 25, 0, 30, 0, 0, time.UTC),
	}
	g.Server = httptest.NewUnstartedServer(http.HandlerFunc(g.serve))
	g.Config.ErrorLog = log.New(io.Discard, "", 0) // connections end on purpose
	g.StartTLS()
	t.Cleanup(g.Close)

	g.json("GET /organization", `{"value":[{"id":"`+tenantID+`","displayName":"Midori Sample K.K.","onPremisesSyncEnabled":null}]}`)
	g.json("GET /domains", `{"value":[{"id":"Midori.example","authenticationType":"Federated","isVerified":true,"isDefault":true},`+
		`{"id":"midorisample.onmicrosoft.com","authenticationType":"Managed","isVerified":true,"isInitial":true}]}`)
	g.json("GET /roleManagement/directory/roleAssignments", `{"value":[]}`)
	g.json("GET /roleManagement/directory/roleEligibilitySchedules", `{"value":[]}`)
	g.json("GET /groups", `{"value":[]}`)
	g.json("GET /directory/deletedItems/microsoft.graph.user", `{"value":[]}`)
	g.users(person(1), person(2))
	g.on["GET /users/delta"] = func(w http.ResponseWriter, r *http.Request, _ int) {
		fmt.Fprintf(w, `{"value":[],"@odata.deltaLink":"%s/v1.0/users/delta?$deltatoken=now"}`, g.URL)
	}
	g.on["POST /$batch"] = func(w http.ResponseWriter, r *http.Request, _ int) { g.batch(w, r, nil) }
	return g
}

const tenantID = "5f0c2a8e-1b7d-4e0f-9c55-2d6a8b1f7e10"

func id(n int) string { return fmt.Sprintf("00000000-0000-4000-8000-%012d", n) }

// person is the JSON of an ordinary account.
func person(n int, more ...string) string {
	fields := append([]string{
		fmt.Sprintf(`"id":%q,"userPrincipalName":"user%d@midori.example","displayName":"User %d","accountEnabled":true,"userType":"Member"`, id(n), n, n),
	}, more...)
	return "{" + strings.Join(fields, ",") + "}"
}

// users is what the list, the count and the single reads of users show.
func (g *graph) users(all ...string) {
	g.json("GET /users", `{"value":[`+strings.Join(all, ",")+`]}`)
	g.on["GET /users/$count"] = func(w http.ResponseWriter, r *http.Request, _ int) {
		if r.Header.Get("ConsistencyLevel") != "eventual" {
			http.Error(w, `{"error":{"code":"Request_BadRequest","message":"header"}}`, http.StatusBadRequest)
			return
		}
		if accept := r.Header.Get("Accept"); !strings.HasPrefix(accept, "text/plain") {
			http.Error(w, `{"error":{"code":"NotAcceptable","message":"`+accept+`"}}`, http.StatusNotAcceptable)
			return
		}
		fmt.Fprintf(w, "\ufeff%d", len(all))
	}
	for _, u := range all {
		var v struct{ ID, UserPrincipalName string }
		if err := json.Unmarshal([]byte(u), &v); err != nil {
			g.t.Fatal(err)
		}
		g.json("GET /users/"+v.ID, u)
		g.json("GET /users/"+v.UserPrincipalName, u)
	}
}

// handle sets an answer, also while an earlier read is still asking.
func (g *graph) handle(at string, f func(http.ResponseWriter, *http.Request, int)) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.on[at] = f
}

func (g *graph) json(at, body string) {
	g.handle(at, func(w http.ResponseWriter, _ *http.Request, _ int) { fmt.Fprint(w, body) })
}

// answers gives one answer after the other; the last repeats.
func (g *graph) answers(at string, all ...func(w http.ResponseWriter)) {
	g.handle(at, func(w http.ResponseWriter, _ *http.Request, n int) { all[min(n, len(all))-1](w) })
}

func status(code int, body string, header ...string) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(code)
		fmt.Fprint(w, body)
	}
}

// cut ends the connection in the middle of an answer.
func cut(w http.ResponseWriter) {
	w.Header().Set("Content-Length", "1000")
	fmt.Fprint(w, `{"value":[`)
	if f, ok := w.(http.Flusher); ok {
		f.Flush()
	}
	panic(http.ErrAbortHandler)
}

func (g *graph) serve(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimPrefix(r.URL.Path, "/v1.0")
	at := r.Method + " " + path
	g.mu.Lock()
	g.calls[at]++
	n := g.calls[at]
	g.log = append(g.log, r.Method+" "+r.URL.RequestURI())
	handle := g.on[at]
	date := g.date
	g.mu.Unlock()
	if r.Header.Get("Authorization") == "" || r.Header.Get("Content-Encoding") != "" {
		g.t.Errorf("%s without token, or compressed", at)
	}
	w.Header().Set("Date", date.Format(http.TimeFormat))
	w.Header().Set("request-id", "req-1")
	w.Header().Set("Content-Type", "application/json")
	if handle == nil {
		status(http.StatusNotFound, `{"error":{"code":"Request_ResourceNotFound","message":"Resource does not exist."}}`)(w)
		return
	}
	handle(w, r, n)
}

// part is one request of a $batch as the client sent it.
type part struct {
	ID, Method, URL string
	Headers         map[string]string
	Body            json.RawMessage
}

// batch answers a $batch by calling itself; each overrides an item where it
// returns true.
func (g *graph) batch(w http.ResponseWriter, r *http.Request, each func(p part) (string, bool)) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		g.t.Error(err)
	}
	var in struct{ Requests []part }
	if err := json.Unmarshal(body, &in); err != nil {
		g.t.Errorf("batch is not JSON: %v: %s", err, body)
	}
	if len(in.Requests) == 0 || len(in.Requests) > 20 {
		g.t.Errorf("a batch of %d", len(in.Requests))
	}
	var out []string
	for _, p := range in.Requests {
		if each != nil {
			if answer, ok := each(p); ok {
				if answer != "" {
					out = append(out, answer)
				}
				continue
			}
		}
		inner := httptest.NewRequest(p.Method, "https://graph"+"/v1.0"+p.URL, strings.NewReader(string(p.Body)))
		inner.Header.Set("Authorization", "x")
		for k, v := range p.Headers {
			inner.Header.Set(k, v)
		}
		rec := httptest.NewRecorder()
		g.serve(rec, inner)
		text := strings.TrimSpace(rec.Body.String())
		if text == "" {
			text = "null"
		}
		out = append([]string{fmt.Sprintf(`{"id":%q,"status":%d,"headers":{"Retry-After":%q},"body":%s}`, p.ID, rec.Code, rec.Header().Get("Retry-After"), text)}, out...)
	}
	fmt.Fprintf(w, `{"responses":[%s]}`, strings.Join(out, ","))
}

func reply(p part, code int, body string) string {
	return fmt.Sprintf(`{"id":%q,"status":%d,"headers":{"Content-Type":"application/json"},"body":%s}`, p.ID, code, body)
}

// count is how often something was called.
func (g *graph) count(at string) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.calls[at]
}

// waits is a clock whose sleeps take no time.
type waits struct {
	mu    sync.Mutex
	slept []time.Duration
	now   time.Time
	stop  context.CancelFunc // called at the first sleep, if set
}

func (c *waits) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *waits) Sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	c.slept = append(c.slept, d)
	c.now = c.now.Add(d)
	stop := c.stop
	c.mu.Unlock()
	if stop != nil {
		stop()
	}
	return ctx.Err()
}

func (c *waits) total() (sum time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, d := range c.slept {
		sum += d
	}
	return sum
}

// tokens gives tokens that say who they belong to.
type tokens struct {
	mu     sync.Mutex
	asked  []string
	err    error
	scp    string
	renews []string
}

func (k *tokens) Token(_ context.Context, scopes ...string) (string, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.asked = append(k.asked, strings.Join(scopes, " "))
	scp := k.scp
	if scp == "" {
		scp = strings.Join(scopes, " ")
	}
	body := fmt.Sprintf(`{"oid":%q,"tid":%q,"upn":"admin@midori.example","scp":%q}`, id(900), tenantID, scp)
	return "e30." + base64.RawURLEncoding.EncodeToString([]byte(body)) + ".s", k.err
}

func (k *tokens) Renew(ctx context.Context, claims string, scopes ...string) (string, error) {
	k.mu.Lock()
	k.renews = append(k.renews, claims)
	k.mu.Unlock()
	return k.Token(ctx, scopes...)
}

type fixture struct {
	*graph
	client *graphclient.Client
	clock  *waits
	tokens *tokens
}

func newFixture(t *testing.T, signedIn ...directory.ID) *fixture {
	t.Helper()
	f := &fixture{graph: newGraph(t), clock: &waits{now: time.Date(2026, 11, 25, 0, 30, 0, 0, time.UTC)}, tokens: &tokens{}}
	var err error
	f.client, err = graphclient.New(graphclient.Options{
		Graph: f.URL, HTTP: f.Client(), Tokens: f.tokens, ReadScopes: []string{"User.Read.All"}, WriteScopes: []string{"User.ReadWrite.All"},
		SignedIn: signedIn, Clock: f.clock,
	})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func wantCode(t *testing.T, err error, code problem.Code) *problem.Problem {
	t.Helper()
	p := problem.Of(err)
	if p == nil || p.Code != code {
		t.Fatalf("error = %v, want %s", err, code)
	}
	return p
}
