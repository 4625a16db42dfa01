package simulator

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/hacsync/hacsync/sync/loopback"
)

// maxBody is the largest request body taken; Graph itself stops at 4 MB.
const maxBody = 4 << 20

// Hosts of a tenant without listeners.
const (
	inProcessGraph     = "https://graph.simulator.invalid"
	inProcessAuthority = "https://login.simulator.invalid"
	inProcessHAC       = "https://hac.simulator.invalid"
)

// Handler serves Graph and Entra ID; their paths do not collide.
func (s *Server) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path := r.URL.Path
		switch {
		case path == "/simulator/tenant":
			s.serveTenant(w, r)
		case path == "/simulator/claims":
			s.serveDemand(w, r)
		case path == "/simulator/export" && s.hac != nil:
			s.serveExport(w, r)
		case strings.HasPrefix(path, "/v1.0/") || path == "/v1.0":
			s.serveGraph(w, r)
		case strings.HasPrefix(path, "/beta/"):
			s.reply(w, r, (&call{now: s.clock.Now(), reqID: newGUID()}).errorAnswer(
				fail(400, "BadRequest", "Invalid version: beta. The simulator serves v1.0.")), "", "")
		default:
			s.serveAuthority(w, r)
		}
	})
}

// RoundTripper reaches the tenant without a network, for tests; hosts are those
// of Ready. Latency and faults apply as over TLS.
func (s *Server) RoundTripper() http.RoundTripper {
	front := s.front()
	var back http.Handler = http.NotFoundHandler()
	if s.hac != nil {
		back = loopback.Handler(s.hac, "hac", s.fault, s.opts.Latency, s.clock)
	}
	return inProcess{front: front, back: back}
}

type inProcess struct{ front, back http.Handler }

func (t inProcess) RoundTrip(r *http.Request) (res *http.Response, err error) {
	h := t.front
	if "https://"+r.URL.Host == inProcessHAC {
		h = t.back
	}
	in := r.Clone(r.Context())
	in.Host = r.URL.Host
	in.RequestURI = r.URL.RequestURI()
	if in.Body == nil {
		in.Body = http.NoBody
	}
	defer func() {
		if p := recover(); p != nil {
			if e, is := p.(error); is && errors.Is(e, http.ErrAbortHandler) {
				res, err = nil, io.ErrUnexpectedEOF
				return
			}
			panic(p)
		}
	}()
	rec := &recorder{header: http.Header{}, status: http.StatusOK}
	h.ServeHTTP(rec, in)
	if err := r.Context().Err(); err != nil {
		return nil, fmt.Errorf("simulated request: %w", err)
	}
	return &http.Response{
		Status: strconv.Itoa(rec.status) + " " + http.StatusText(rec.status), StatusCode: rec.status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: rec.header,
		Body: io.NopCloser(bytes.NewReader(rec.body.Bytes())), ContentLength: int64(rec.body.Len()), Request: r,
	}, nil
}

type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (r *recorder) Header() http.Header         { return r.header }
func (r *recorder) WriteHeader(status int)      { r.status = status }
func (r *recorder) Write(b []byte) (int, error) { return r.body.Write(b) }

func (s *Server) serveTenant(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet {
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	s.writeBody(w, r, http.StatusOK, s.Snapshot())
}

// serveExport hands out the HAC export as a file, as an administrator would
// download it.
func (s *Server) serveExport(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="users.csv"`)
	s.writeBody(w, r, http.StatusOK, s.hac.Export())
}

// Snapshot is the true present state as a tenant file; the same bytes while
// nothing is written.
func (s *Server) Snapshot() []byte {
	s.t.mu.Lock()
	s.t.expire(s.clock.Now())
	s.t.mu.Unlock()
	s.t.mu.RLock()
	defer s.t.mu.RUnlock()
	return s.t.snapshot()
}

// purgeDue empties the recycle bin of what is too old, before a request looks.
func (s *Server) purgeDue() {
	now := s.clock.Now()
	s.t.mu.RLock()
	due := !s.t.users.due.IsZero() && !now.Before(s.t.users.due)
	s.t.mu.RUnlock()
	if due {
		s.t.mu.Lock()
		s.t.expire(now)
		s.t.mu.Unlock()
	}
}

func (s *Server) serveGraph(w http.ResponseWriter, r *http.Request) {
	s.purgeDue()
	c := &call{
		method: r.Method, path: strings.TrimPrefix(r.URL.EscapedPath(), "/v1.0"), raw: r.URL.RawQuery,
		header: r.Header, host: "https://" + r.Host, version: "v1.0", now: s.clock.Now(), reqID: newGUID(),
		cliID: r.Header.Get("client-request-id"),
	}
	if c.cliID == "" {
		c.cliID = c.reqID
	}
	a := s.answerGraph(c, r)
	s.log.Debug("graph", "as", c.who.kind(), "method", r.Method, "path", r.URL.Path, "query", r.URL.RawQuery, "status", a.status, "request-id", c.reqID)
	s.reply(w, r, a, c.reqID, c.cliID)
}

func (s *Server) answerGraph(c *call, r *http.Request) *answer {
	body, err := readBody(r)
	if err != nil {
		return c.errorAnswer(fail(400, "BadRequest", err.Error()))
	}
	c.body = body
	who, gerr := s.tokens.verify(r.Header.Get("Authorization"))
	if gerr != nil {
		return c.errorAnswer(gerr)
	}
	c.who = who
	if strings.EqualFold(c.path, "/$batch") {
		if r.Method != http.MethodPost {
			return c.errorAnswer(fail(http.StatusMethodNotAllowed, "Request_BadRequest", "Specified HTTP method is not allowed for the request target."))
		}
		return s.batch(r.Context(), c)
	}
	return s.serve(c)
}

// readBody reads a request body, unpacking gzip.
func readBody(r *http.Request) ([]byte, error) {
	var in io.Reader = io.LimitReader(r.Body, maxBody+1)
	if strings.EqualFold(r.Header.Get("Content-Encoding"), "gzip") {
		z, err := gzip.NewReader(in)
		if err != nil {
			return nil, errors.New("the request body is not gzip although Content-Encoding says so")
		}
		in = io.LimitReader(z, maxBody+1)
	}
	b, err := io.ReadAll(in)
	if err != nil {
		return nil, errors.New("the request body could not be read")
	}
	if len(b) > maxBody {
		return nil, errors.New("the request body is too large")
	}
	return b, nil
}

func (s *Server) reply(w http.ResponseWriter, r *http.Request, a *answer, reqID, cliID string) {
	h := w.Header()
	for k, v := range a.header {
		h[k] = v
	}
	h.Set("Date", s.clock.Now().UTC().Format(http.TimeFormat))
	h.Set("Cache-Control", "no-cache")
	h.Set("OData-Version", "4.0")
	if reqID != "" {
		h.Set("request-id", reqID)
		h.Set("client-request-id", cliID)
		h.Set("x-ms-ags-diagnostic", `{"ServerInfo":{"DataCenter":"Simulator","Slice":"E","Ring":"0","ScaleUnit":"000","RoleInstance":"SIM00000000"}}`)
	}
	s.writeBody(w, r, a.status, a.body)
}

// writeBody sends a body, packed if the client takes gzip.
func (s *Server) writeBody(w http.ResponseWriter, r *http.Request, status int, body []byte) {
	if len(body) > 1024 && strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		w.Header().Set("Content-Encoding", "gzip")
		w.Header().Set("Vary", "Accept-Encoding")
		w.WriteHeader(status)
		z, _ := gzip.NewWriterLevel(w, gzip.BestSpeed) // the level is valid
		_, _ = z.Write(body)
		_ = z.Close()
		return
	}
	w.WriteHeader(status)
	_, _ = w.Write(body)
}
