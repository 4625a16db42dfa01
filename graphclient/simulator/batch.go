package simulator

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/hacsync/hacsync/sync/loopback"
)

// maxBatch is the number of requests that a batch may have.
const maxBatch = 20

type batchItem struct {
	ID        string            `json:"id"`
	Method    string            `json:"method"`
	URL       string            `json:"url"`
	Headers   map[string]string `json:"headers"`
	Body      json.RawMessage   `json:"body"`
	DependsOn []string          `json:"dependsOn"`
}

type batchAnswer struct {
	ID      string            `json:"id"`
	Status  int               `json:"status"`
	Headers map[string]string `json:"headers,omitempty"`
	Body    json.RawMessage   `json:"body,omitempty"`
}

// batch answers POST /$batch. Each item goes the way of a request of its own;
// the outer status says nothing of them. Answers come in another order than the
// requests: no client may rely on it.
func (s *Server) batch(ctx context.Context, outer *call) *answer {
	var in struct {
		Requests []batchItem `json:"requests"`
	}
	refuse := func(message string) *answer { return outer.errorAnswer(fail(400, "BadRequest", message)) }
	if err := json.Unmarshal(outer.body, &in); err != nil {
		return refuse("Invalid batch payload format.")
	}
	if len(in.Requests) == 0 {
		return refuse("Invalid batch payload format.")
	}
	if len(in.Requests) > maxBatch {
		return refuse("Number of batch request steps exceeds the maximum value of 20.")
	}
	seen := map[string]bool{}
	for _, it := range in.Requests {
		id := strings.ToLower(it.ID)
		if id == "" || it.Method == "" || it.URL == "" {
			return refuse("Invalid batch request: id, method and url are required.")
		}
		if seen[id] {
			return refuse("Request Id '" + it.ID + "' is duplicated. Request ids must be unique.")
		}
		seen[id] = true
		if hasBody(it.Body) && headerOf(it.Headers, "Content-Type") == "" {
			return refuse("Write request id : " + it.ID + " does not contain Content-Type header or body.")
		}
	}
	for _, it := range in.Requests {
		for _, d := range it.DependsOn {
			if !seen[strings.ToLower(d)] {
				return refuse("Request Id '" + it.ID + "' depends on the unknown request '" + d + "'.")
			}
		}
	}
	status := map[string]int{}
	var out []batchAnswer
	for range in.Requests { // as many rounds as a chain can be long
		progress := false
		for _, it := range in.Requests {
			id := strings.ToLower(it.ID)
			if _, done := status[id]; done {
				continue
			}
			ready, failed := true, false
			for _, d := range it.DependsOn {
				st, done := status[strings.ToLower(d)]
				ready = ready && done
				failed = failed || done && st >= 400
			}
			if !ready {
				continue
			}
			progress = true
			var a *loopback.Answer
			if failed {
				e := outer.errorAnswer(fail(http.StatusFailedDependency, "FailedDependency", "A dependency of this request has failed."))
				a = &loopback.Answer{Status: e.status, Header: e.header, Body: e.body}
			} else {
				a = s.batchItem(ctx, outer, it)
			}
			status[id] = a.Status
			if !a.Cut {
				out = append(out, a1(it.ID, a))
			}
		}
		if !progress {
			break
		}
	}
	if len(status) < len(in.Requests) {
		return refuse("The dependencies of the requests form a circle.")
	}
	// Another order, the same each time: the halves change places.
	half := len(out) / 2
	out = append(append([]batchAnswer(nil), out[half:]...), out[:half]...)
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(map[string]any{"responses": out}); err != nil {
		return refuse("An answer could not be encoded.")
	}
	return (&answer{status: 200, body: buf.Bytes()}).set("Content-Type", "application/json")
}

func hasBody(raw json.RawMessage) bool { return len(raw) > 0 && string(raw) != null }

func headerOf(h map[string]string, name string) string {
	for k, v := range h {
		if strings.EqualFold(k, name) {
			return v
		}
	}
	return ""
}

// batchItem carries out one item, between the halves of a fault.
func (s *Server) batchItem(ctx context.Context, outer *call, it batchItem) *loopback.Answer {
	h := http.Header{}
	for k, v := range it.Headers {
		h.Set(k, v)
	}
	u := it.URL
	if !strings.HasPrefix(u, "/") {
		u = "/" + u
	}
	path, raw, _ := strings.Cut(u, "?")
	c := &call{
		method: strings.ToUpper(it.Method), path: path, raw: raw, header: h, body: it.Body, host: outer.host,
		version: outer.version, who: outer.who, now: s.clock.Now(), reqID: newGUID(), cliID: outer.cliID,
	}
	e := loopback.Exchange{Service: "graph", Method: c.method, Path: "/" + c.version + u, Item: it.ID, Header: h}
	return loopback.Through(ctx, s.fault, e, func() *loopback.Answer {
		a := s.serve(c)
		return &loopback.Answer{Status: a.status, Header: a.header, Body: a.body}
	})
}

func a1(id string, a *loopback.Answer) batchAnswer {
	out := batchAnswer{ID: id, Status: a.Status, Headers: map[string]string{}}
	for k, v := range a.Header {
		if len(v) > 0 {
			out.Headers[k] = v[0]
		}
	}
	switch {
	case len(a.Body) == 0:
	case json.Valid(a.Body) && strings.Contains(out.Headers["Content-Type"], "json"):
		out.Body = a.Body
	case strings.HasPrefix(out.Headers["Content-Type"], "text/plain"):
		// Graph writes what is no JSON as text; a number stays one.
		if json.Valid(a.Body) {
			out.Body = a.Body
		} else {
			out.Body = json.RawMessage(quote(string(a.Body)))
		}
	default:
		out.Body = json.RawMessage(quote(base64.StdEncoding.EncodeToString(a.Body)))
	}
	return out
}
