package simulator

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/hacsync/hacsync/sync/loopback"
)

func (r result) responses() map[string]map[string]any {
	list, _ := r.json["responses"].([]any)
	out := map[string]map[string]any{}
	for _, v := range list {
		m, _ := v.(map[string]any)
		out[fmt.Sprint(m["id"])] = m
	}
	return out
}

func step(id, method, url string, more ...any) map[string]any {
	m := map[string]any{"id": id, "method": method, "url": url}
	for i := 0; i+1 < len(more); i += 2 {
		m[more[i].(string)] = more[i+1]
	}
	return m
}

var jsonHeader = map[string]string{"Content-Type": "application/json"}

func TestBatch_AnswersEachItemForItself(t *testing.T) {
	b := newBench(t, smallTenant)
	r := b.do("POST", "/$batch", map[string]any{"requests": []any{
		step("1", "GET", "/users/"+yamadaID+"?$select=id"),
		step("2", "PATCH", "/users/"+yamadaID, "headers", jsonHeader, "body", map[string]any{"jobTitle": "課長"}),
		step("3", "POST", "users", "headers", jsonHeader, "body", newUser("x@contoso.example")),
		step("4", "DELETE", "/users/nothing@contoso.example"),
		step("5", "GET", "/users/$count", "headers", map[string]string{"consistencylevel": "eventual"}),
		step("6", "GET", "/users/$count"),
		step("7", "POST", "/users", "headers", jsonHeader, "body", newUser("YAMADA.taro@contoso.example")),
	}}).want(t, 200)
	want := map[string]int{"1": 200, "2": 204, "3": 201, "4": 404, "5": 200, "6": 400, "7": 400}
	got := r.responses()
	for id, status := range want {
		if fmt.Sprint(got[id]["status"]) != fmt.Sprint(status) {
			t.Errorf("item %s: %v, want %d", id, got[id], status)
		}
	}
	list, _ := r.json["responses"].([]any)
	if first, _ := list[0].(map[string]any); first["id"] == "1" {
		t.Error("the answers came in the order of the requests: no client would notice that it relies on it")
	}
	if body, _ := got["4"]["body"].(map[string]any); body["error"] == nil {
		t.Errorf("no error body in %v", got["4"])
	}
	if got["2"]["body"] != nil {
		t.Errorf("a body with 204: %v", got["2"])
	}
}

func TestBatch_RefusesWhatCannotBeCarriedOut(t *testing.T) {
	b := newBench(t, smallTenant)
	var many []any
	for i := range 21 {
		many = append(many, step(fmt.Sprint(i), "GET", "/me"))
	}
	for name, reqs := range map[string][]any{
		"none":               {},
		"21":                 many,
		"id twice":           {step("a", "GET", "/me"), step("A", "GET", "/me")},
		"no id":              {step("", "GET", "/me")},
		"no content type":    {step("1", "PATCH", "/users/x", "body", map[string]any{"a": 1})},
		"unknown dependency": {step("1", "GET", "/me", "dependsOn", []string{"2"})},
		"circle":             {step("1", "GET", "/me", "dependsOn", []string{"2"}), step("2", "GET", "/me", "dependsOn", []string{"1"})},
	} {
		if r := b.do("POST", "/$batch", map[string]any{"requests": reqs}); r.status != 400 {
			t.Errorf("%s: %d %s", name, r.status, r.raw)
		}
	}
	if r := b.do("POST", "/$batch", map[string]any{"requests": many[:20]}).want(t, 200); len(r.responses()) != 20 {
		t.Errorf("%d answers", len(r.responses()))
	}
	b.token = ""
	b.do("POST", "/$batch", map[string]any{"requests": many[:1]}).want(t, 401)
}

func TestBatch_DoesNotTryWhatDependsOnAFailure(t *testing.T) {
	b := newBench(t, smallTenant)
	got := b.do("POST", "/$batch", map[string]any{"requests": []any{
		step("3", "PATCH", "/users/"+yamadaID, "headers", jsonHeader, "body", map[string]any{"jobTitle": "never"}, "dependsOn", []string{"2"}),
		step("2", "PATCH", "/users/"+yamadaID, "headers", jsonHeader, "body", map[string]any{"jobTitle": ""}, "dependsOn", []string{"1"}),
		step("1", "PATCH", "/users/"+yamadaID, "headers", jsonHeader, "body", map[string]any{"jobTitle": "first"}),
	}}).want(t, 200).responses()
	for id, status := range map[string]string{"1": "204", "2": "400", "3": "424"} {
		if fmt.Sprint(got[id]["status"]) != status {
			t.Errorf("item %s: %v", id, got[id])
		}
	}
	if b.s.User(yamadaID)["jobTitle"] != "first" {
		t.Errorf("job title %v", b.s.User(yamadaID)["jobTitle"])
	}
}

func TestGzip_IsTakenAndGiven(t *testing.T) {
	b := newBench(t, smallTenant)
	var buf bytes.Buffer
	z := gzip.NewWriter(&buf)
	_, _ = z.Write([]byte(`{"jobTitle":"packed"}`))
	_ = z.Close()
	b.do("PATCH", "/users/"+yamadaID, buf.String(), "Content-Encoding", "gzip").want(t, 204)
	if b.s.User(yamadaID)["jobTitle"] != "packed" {
		t.Error("the packed body had no effect")
	}
	b.do("PATCH", "/users/"+yamadaID, `{"jobTitle":"x"}`, "Content-Encoding", "gzip").want(t, 400)
	r := b.get("/users", "Accept-Encoding", "gzip").want(t, 200)
	if r.header.Get("Content-Encoding") != "gzip" {
		t.Fatal("the answer is not packed")
	}
	in, err := gzip.NewReader(bytes.NewReader(r.raw))
	if err != nil {
		t.Fatal(err)
	}
	if raw, err := io.ReadAll(in); err != nil || !strings.Contains(string(raw), yamadaID) {
		t.Errorf("unpacked: %v", err)
	}
}

// recording is a fault that refuses what its function says.
type recording struct {
	mu     sync.Mutex
	seen   []string
	before func(loopback.Exchange) *loopback.Answer
	after  func(loopback.Exchange, *loopback.Answer) *loopback.Answer
}

func (f *recording) Before(_ context.Context, e loopback.Exchange) *loopback.Answer {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.seen = append(f.seen, e.Method+" "+e.Path+" "+e.Item)
	if f.before == nil {
		return nil
	}
	return f.before(e)
}

func (f *recording) After(_ context.Context, e loopback.Exchange, a *loopback.Answer) *loopback.Answer {
	if f.after == nil {
		return nil
	}
	return f.after(e, a)
}

func TestFault_CanReplaceOneItemBeforeOrAfterItsEffect(t *testing.T) {
	f := &recording{}
	b := newBench(t, smallTenant, func(o *Options) { o.Fault = f })
	throttled := &loopback.Answer{Status: http.StatusTooManyRequests, Header: http.Header{"Retry-After": {"3"}}}
	f.before = func(e loopback.Exchange) *loopback.Answer {
		if e.Item == "1" {
			return throttled
		}
		return nil
	}
	f.after = func(e loopback.Exchange, a *loopback.Answer) *loopback.Answer {
		if e.Item == "2" {
			return &loopback.Answer{Status: http.StatusGatewayTimeout, Header: http.Header{}}
		}
		if e.Item == "3" {
			return &loopback.Answer{Cut: true}
		}
		return nil
	}
	r := b.do("POST", "/$batch", map[string]any{"requests": []any{
		step("1", "PATCH", "/users/"+yamadaID, "headers", jsonHeader, "body", map[string]any{"city": "1"}),
		step("2", "PATCH", "/users/"+yamadaID, "headers", jsonHeader, "body", map[string]any{"state": "2"}),
		step("3", "PATCH", "/users/"+yamadaID, "headers", jsonHeader, "body", map[string]any{"country": "3"}),
	}}).want(t, 200).responses()
	if fmt.Sprint(r["1"]["status"]) != "429" || fmt.Sprint(r["2"]["status"]) != "504" || r["3"] != nil {
		t.Errorf("%v", r)
	}
	if h, _ := r["1"]["headers"].(map[string]any); h["Retry-After"] != "3" {
		t.Errorf("%v", r["1"])
	}
	u := b.s.User(yamadaID)
	if u["city"] != nil || u["state"] != "2" || u["country"] != "3" {
		t.Errorf("effects: %v %v %v", u["city"], u["state"], u["country"])
	}
	if len(f.seen) != 4 || !strings.HasPrefix(f.seen[0], "POST /v1.0/$batch") {
		t.Errorf("the fault saw %q", f.seen)
	}
	f.before = func(loopback.Exchange) *loopback.Answer { return &loopback.Answer{Cut: true} }
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, inProcessGraph+"/v1.0/me", nil)
	if res, err := b.client.Do(req); err == nil {
		res.Body.Close()
		t.Errorf("a cut connection answered %d", res.StatusCode)
	}
}
