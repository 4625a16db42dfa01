package loopback

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/hacsync/hacsync/sync/clock"
)

// Faults are several faults together. Of those that match a call, the first that
// fires decides it.
type Faults struct {
	clock clock.Clock
	rules []*rule
}

// NewFaults puts faults into force. Pauses and dates are by the clock c.
func NewFaults(c clock.Clock, specs ...Spec) *Faults {
	f := &Faults{clock: c}
	for _, s := range specs {
		if !s.modelled() {
			f.rules = append(f.rules, &rule{Spec: s, calls: map[string]uint64{}, pages: map[string][]byte{}})
		}
	}
	return f
}

// Fired returns how often each fault fired, by its text.
func (f *Faults) Fired() map[string]int {
	out := map[string]int{}
	for _, r := range f.rules {
		r.mu.Lock()
		out[r.text] += r.fired
		r.mu.Unlock()
	}
	return out
}

// rule is a fault in force.
type rule struct {
	Spec
	mu      sync.Mutex
	matches int
	fired   int
	calls   map[string]uint64 // how often each address was called
	pages   map[string][]byte // last page of each list, for repeat-page
}

// fires decides one call that the fault matches. Chance depends on the seed, the
// address and how often it was called, not on the order in which parallel calls
// arrive: the same calls get the same faults.
func (r *rule) fires(e Exchange) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	path, _, _ := strings.Cut(e.Path, "?")
	key := e.Method + " " + path
	n := r.calls[key]
	r.calls[key]++
	r.matches++
	if r.matches <= r.after || r.count > 0 && r.fired >= r.count {
		return false
	}
	if r.p < 1 && draw(r.seed, r.kind, key, n) >= r.p {
		return false
	}
	r.fired++
	return true
}

// draw returns a number from 0 to below 1 that follows from its arguments.
func draw(seed int64, kind, key string, n uint64) float64 {
	h := fnv.New64a()
	var b [16]byte
	binary.LittleEndian.PutUint64(b[:8], uint64(seed)) //nolint:gosec // bits, not a number
	binary.LittleEndian.PutUint64(b[8:], n)
	_, _ = h.Write(b[:])
	_, _ = h.Write([]byte(kind + "\x00" + key))
	x := h.Sum64()
	// FNV leaves its high bits poorly mixed for short keys.
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	x ^= x >> 31
	return float64(x>>11) / (1 << 53)
}

// Before answers in place of the simulator.
func (f *Faults) Before(ctx context.Context, e Exchange) *Answer {
	for _, r := range f.rules {
		if _, early := earlyKinds[r.kind]; !early || !r.meets(e) || !r.fires(e) {
			continue
		}
		if r.kind == kindSlow {
			if f.clock.Sleep(ctx, r.value) != nil {
				return &Answer{Cut: true} // the client has gone
			}
			continue
		}
		return f.refusal(r)
	}
	return nil
}

// After changes what the simulator answered.
func (f *Faults) After(_ context.Context, e Exchange, a *Answer) *Answer {
	if a.Cut {
		return nil
	}
	for _, r := range f.rules {
		if _, early := earlyKinds[r.kind]; early || !r.meets(e) {
			continue
		}
		if strings.HasSuffix(r.kind, "-after") {
			if r.fires(e) {
				return f.refusal(r)
			}
			continue
		}
		// A call whose answer cannot be spoilt in this way does not count.
		if spoilt := r.spoil(e, unpacked(a)); spoilt != nil && r.fires(e) {
			return spoilt
		}
	}
	return nil
}

// earlyKinds answer before the request has an effect: status, code and message.
var earlyKinds = map[string]struct {
	status        int
	code, message string
}{
	"401": {401, "InvalidAuthenticationToken", "Lifetime validation failed, the token is expired."},
	"403": {403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation."},
	"404": {404, "Request_ResourceNotFound", "Resource does not exist or one of its queried reference-property objects are not present."},
	"412": {412, "Request_PreconditionFailed", "One or more conditions specified in the request did not match."},
	"429": {429, "TooManyRequests", "Please retry again later."},
	"500": {500, "Service_InternalServerError", "Encountered an internal server error."},
	"503": {503, "ServiceUnavailable", "The service is temporarily unavailable."},
	"504": {504, "GatewayTimeout", "The gateway did not receive an answer in time."},

	"conflict":   {400, "Request_BadRequest", "Another object with the same value for property userPrincipalName already exists."},
	"no-error":   {},
	"html-500":   {status: 500},
	"html-502":   {status: 502},
	"cut-before": {},
	kindSlow:     {},
}

// refusal returns an error answer.
func (f *Faults) refusal(r *rule) *Answer {
	kind := strings.TrimSuffix(r.kind, "-after")
	now := f.clock.Now().UTC()
	a := &Answer{Header: http.Header{
		"Date": {now.Format(http.TimeFormat)}, "Content-Type": {"application/json"},
		"Request-Id": {"00000000-0000-4000-8000-00000000fa17"},
	}}
	switch kind {
	case "cut", "cut-before":
		return &Answer{Cut: true}
	case "html-500", "html-502":
		a.Status = earlyKinds[kind].status
		a.Header.Set("Content-Type", "text/html")
		a.Body = fmt.Appendf(nil, "<html><head><title>%d %s</title></head><body><center><h1>%[1]d %[2]s</h1></center></body></html>\r\n",
			a.Status, http.StatusText(a.Status))
		return a
	case "no-error":
		a.Status, a.Body = r.status, []byte(`{"message":"An error has occurred."}`)
		return a
	}
	e := earlyKinds[kind]
	a.Status = e.status
	inner := map[string]string{"date": now.Format("2006-01-02T15:04:05"), "request-id": a.Header.Get("request-id")}
	body := map[string]any{"code": e.code, "message": e.message, "innerError": inner}
	switch kind {
	case "401":
		a.Header.Set("WWW-Authenticate", `Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", error="invalid_token"`)
	case "429":
		inner["code"], inner["status"] = "429", "429"
	case "conflict":
		body["details"] = []map[string]string{{"code": "ObjectConflict", "message": e.message, "target": "userPrincipalName"}}
	}
	if r.retryAfter >= 0 {
		a.Header.Set("Retry-After", strconv.Itoa(r.retryAfter))
		if r.retryDate {
			a.Header.Set("Retry-After", now.Add(time.Duration(r.retryAfter)*time.Second).Format(http.TimeFormat))
		}
	}
	a.Body, _ = json.Marshal(map[string]any{"error": body}) // strings can always be encoded
	return a
}

// spoil returns the answer as the fault changes it, nil if the answer has nothing
// that this fault could change.
func (r *rule) spoil(e Exchange, a *Answer) *Answer {
	switch r.kind {
	case "truncate", "cut-middle":
		if len(a.Body) < 2 {
			return nil
		}
		a.Body = a.Body[:len(a.Body)/2]
		a.Cut = r.kind == "cut-middle"
		return a
	case "empty":
		if len(a.Body) == 0 {
			return nil
		}
		a.Body = nil
		return a
	case "malformed":
		if len(a.Body) == 0 {
			return nil
		}
		a.Body = append([]byte(`{"value":[{"id":,}],`), a.Body...)
		return a
	}
	if a.Status != http.StatusOK {
		return nil
	}
	if r.kind == "wrong-count" {
		return wrongCount(a)
	}
	var body map[string]json.RawMessage
	if json.Unmarshal(a.Body, &body) != nil {
		return nil
	}
	list := "value"
	if r.kind == kindReorder {
		list = "responses"
	}
	var rows []json.RawMessage
	if json.Unmarshal(body[list], &rows) != nil || rows == nil {
		return nil
	}
	switch r.kind {
	case kindReorder:
		if len(rows) < 2 {
			return nil
		}
		// Neither the order of the requests nor its reverse.
		slices.Reverse(rows)
		rows = append(rows[1:], rows[0])
	case "empty-page":
		if len(rows) == 0 {
			return nil
		}
		rows = []json.RawMessage{}
	case "drop-row":
		if len(rows) == 0 {
			return nil
		}
		rows = slices.Delete(rows, len(rows)/2, len(rows)/2+1)
	case "repeat-page":
		return r.repeat(e, a, body)
	}
	body[list], _ = json.Marshal(rows) // raw messages that were just decoded
	a.Body, _ = json.Marshal(body)
	return a
}

// repeat answers with the rows of the page before; a list's first page links to
// itself.
func (r *rule) repeat(e Exchange, a *Answer, body map[string]json.RawMessage) *Answer {
	path, _, _ := strings.Cut(e.Path, "?")
	r.mu.Lock()
	before, has := r.pages[path]
	r.pages[path] = body["value"]
	r.mu.Unlock()
	if has && strings.Contains(strings.ToLower(e.Path), "skiptoken") {
		body["value"] = before
	} else {
		var context string
		_ = json.Unmarshal(body["@odata.context"], &context) // without one the link is relative
		host, _, _ := strings.Cut(context, "/v1.0/")
		body["@odata.nextLink"], _ = json.Marshal(host + e.Path)
	}
	a.Body, _ = json.Marshal(body) // raw messages that were just decoded
	return a
}

// wrongCount adds one to a count.
func wrongCount(a *Answer) *Answer {
	text := bytes.TrimPrefix(a.Body, []byte("\xef\xbb\xbf"))
	if n, err := strconv.Atoi(string(text)); err == nil {
		a.Body = []byte(strconv.Itoa(n + 1))
		return a
	}
	var body map[string]json.RawMessage
	if json.Unmarshal(a.Body, &body) != nil {
		return nil
	}
	n, err := strconv.Atoi(string(body["@odata.count"]))
	if err != nil {
		return nil
	}
	body["@odata.count"] = json.RawMessage(strconv.Itoa(n + 1))
	a.Body, _ = json.Marshal(body) // raw messages that were just decoded
	return a
}

// unpacked returns a copy of an answer that can be changed, not compressed.
func unpacked(a *Answer) *Answer {
	b := &Answer{Status: a.Status, Header: a.Header.Clone(), Body: slices.Clone(a.Body), Cut: a.Cut}
	if b.Header == nil {
		b.Header = http.Header{}
	}
	if b.Header.Get("Content-Encoding") != "gzip" {
		return b
	}
	z, err := gzip.NewReader(bytes.NewReader(a.Body))
	if err != nil {
		return b
	}
	plain, err := io.ReadAll(z)
	if err != nil {
		return b
	}
	b.Header.Del("Content-Encoding")
	b.Body = plain
	return b
}

// Chain combines faults: the first that answers decides the call.
func Chain(faults ...Fault) Fault {
	all := slices.DeleteFunc(faults, func(f Fault) bool { return f == nil })
	switch len(all) {
	case 0:
		return nil
	case 1:
		return all[0]
	}
	return chain(all)
}

type chain []Fault

func (c chain) Before(ctx context.Context, e Exchange) *Answer {
	for _, f := range c {
		if a := f.Before(ctx, e); a != nil {
			return a
		}
	}
	return nil
}

func (c chain) After(ctx context.Context, e Exchange, a *Answer) *Answer {
	for _, f := range c {
		if other := f.After(ctx, e, a); other != nil {
			return other
		}
	}
	return nil
}
