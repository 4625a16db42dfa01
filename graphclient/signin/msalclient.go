package signin

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/hacsync/hacsync/graphclient/transport"
	"github.com/hacsync/hacsync/sync/clock"
	"github.com/hacsync/hacsync/sync/problem"
)

const (
	// requestTimeout bounds one request to the authority: MSAL would let one
	// wait as long as the code lives.
	requestTimeout = 30 * time.Second
	// blips is how many polls in a row may fail with a network error before the
	// wait for a sign-in ends: a laptop may change networks meanwhile.
	blips = 12
	// maxAnswer is more than any answer of a token endpoint.
	maxAnswer = 1 << 20
)

// msalClient is the HTTP client that MSAL gets. It reaches the authority's host only,
// follows no redirect, and keeps the answers that MSAL drops, so that errors can be
// named.
type msalClient struct {
	http  *http.Client
	host  string
	clock clock.Clock
	log   *slog.Logger
	off   atomic.Int64 // skew in nanoseconds
}

func newMSALClient(h *http.Client, host string, c clock.Clock, log *slog.Logger) *msalClient {
	return &msalClient{http: transport.Strict(h), host: host, clock: c, log: log}
}

// CloseIdleConnections is part of what MSAL wants of a client.
func (r *msalClient) CloseIdleConnections() { r.http.CloseIdleConnections() }

func (r *msalClient) skew() time.Duration { return time.Duration(r.off.Load()) }

// home reports whether a host is the authority, under any of its cloud's names:
// the answers of one may name the other.
func (r *msalClient) home(host string) bool {
	return strings.EqualFold(host, r.host) || sameCloud(host, r.host)
}

// watch follows the requests of one call of MSAL.
type watch struct {
	asked   []string // full scopes
	polling bool     // network errors are waited out
	signing bool     // a person signs in, so what is held may be another account's

	last    *refusal         // latest error answer
	granted []string         // scopes of the latest token
	trouble *problem.Problem // latest network error
	failed  int              // polls that failed in a row
}

func (w *watch) answered() bool { return w.last != nil || w.granted != nil }
func (w *watch) troubled() bool { return w.trouble != nil }

type watchKey struct{}

// watching puts a watch into the context that MSAL hands to its requests.
func watching(ctx context.Context, w *watch) context.Context {
	return context.WithValue(ctx, watchKey{}, w)
}

// refusal is an error answer of the authority.
type refusal struct {
	Status      int    `json:"-"`
	Error       string `json:"error"`
	Description string `json:"error_description"`
	Numbers     []int  `json:"error_codes"`
	Time        string `json:"timestamp"`
	Trace       string `json:"trace_id"`
	Correlation string `json:"correlation_id"`
	Suberror    string `json:"suberror"`
	Claims      string `json:"claims"`
}

// Do sends one request.
func (r *msalClient) Do(req *http.Request) (*http.Response, error) {
	w, _ := req.Context().Value(watchKey{}).(*watch)
	if w == nil {
		w = &watch{}
	}
	if req.URL.Scheme != "https" || !r.home(req.URL.Host) {
		w.trouble = problem.New(problem.ForeignHost, problem.Args{"host": req.URL.Host, "expected": r.host})
		return nil, w.trouble
	}
	ctx, cancel := context.WithTimeout(req.Context(), requestTimeout)
	defer cancel()
	res, body, err := r.send(req.WithContext(ctx))
	token := strings.HasSuffix(req.URL.Path, "/token")
	if err != nil {
		if req.Context().Err() != nil {
			return nil, err
		}
		p := transport.Trouble(err, r.host)
		r.log.InfoContext(ctx, "sign-in request failed", "path", req.URL.Path, "problem", p.Error())
		if w.polling && token && w.wait(p) {
			return pending(req), nil
		}
		w.trouble = p
		return nil, fmt.Errorf("sign-in: %w", p)
	}
	r.note(res)
	if w.polling && token && (res.StatusCode >= 500 || res.StatusCode == http.StatusTooManyRequests) {
		p := problem.New(problem.AuthorityTrouble, problem.Args{"host": r.host, "status": fmt.Sprint(res.StatusCode)})
		if w.wait(p) {
			return pending(req), nil
		}
	}
	w.failed = 0
	if res.StatusCode < 300 && !isObject(body) {
		// Not for MSAL, whose error would quote it: it may hold half a token.
		w.trouble = problem.New(problem.SignInBroken, problem.Args{"host": r.host, "detail": "no JSON object"})
		return nil, w.trouble
	}
	body = w.read(res.StatusCode, body, token)
	res.Body = io.NopCloser(bytes.NewReader(body))
	res.ContentLength = int64(len(body))
	return res, nil
}

// isObject reports whether a body is one JSON object, whole.
func isObject(body []byte) bool {
	var any map[string]json.RawMessage
	return json.Unmarshal(body, &any) == nil && any != nil
}

// wait reports whether a poll that failed is tried again.
func (w *watch) wait(p *problem.Problem) bool {
	w.failed++
	return p.Class() == problem.Retry && w.failed <= blips
}

// pending is the answer of an authority whose person has not come yet.
func pending(req *http.Request) *http.Response {
	const body = `{"error":"authorization_pending"}`
	return &http.Response{
		Status: "400 Bad Request", StatusCode: http.StatusBadRequest, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(body)),
		ContentLength: int64(len(body)), Request: req,
	}
}

// send reads the answer whole, within the time of the request.
func (r *msalClient) send(req *http.Request) (*http.Response, []byte, error) {
	res, err := r.http.Do(req)
	if err != nil {
		return nil, nil, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	return res, body, err
}

// note compares the authority's clock with the machine's. A clock of another
// speed has nothing to be compared with.
func (r *msalClient) note(res *http.Response) {
	date, err := http.ParseTime(res.Header.Get("Date"))
	if err != nil || r.clock != clock.Real() {
		return
	}
	r.off.Store(int64(r.clock.Now().Sub(date).Round(time.Second)))
}

// read keeps what an answer says, and gives the body that MSAL shall see.
func (w *watch) read(status int, body []byte, token bool) []byte {
	if status >= 300 {
		f := refusal{Status: status}
		_ = json.Unmarshal(body, &f) // HTML or nothing: the status is all there is
		f.Status = status
		w.last = &f
		return body
	}
	if !token {
		return body
	}
	w.last = nil
	var answer map[string]json.RawMessage
	if json.Unmarshal(body, &answer) != nil {
		return body
	}
	var scope string
	_ = json.Unmarshal(answer["scope"], &scope) // absent: as asked
	w.granted = strings.Fields(scope)
	if scope == "" {
		w.granted = w.asked
		return body
	}
	// Entra ID may answer User.Read.All if https://graph…/User.Read.All was requested; MSAL
	// takes that for a refusal.
	spelled := slices.Clone(w.granted)
	for _, full := range w.asked {
		bare := full[strings.LastIndexByte(full, '/')+1:]
		for i, g := range spelled {
			if strings.EqualFold(g, bare) || strings.EqualFold(g, full) {
				spelled[i] = full
			}
		}
	}
	raw, err := json.Marshal(strings.Join(spelled, " "))
	if err != nil {
		return body
	}
	answer["scope"] = raw
	out, err := json.Marshal(answer)
	if err != nil {
		return body
	}
	return out
}
