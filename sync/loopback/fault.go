package loopback

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"time"

	"github.com/hacsync/hacsync/sync/clock"
)

// Exchange is one request to a simulator as a fault sees it: a whole HTTP
// request, or one item of a batch.
type Exchange struct {
	Service string // "graph", "authority", "hac"
	Method  string
	Path    string // with the query, without the host
	Item    string // id of the item inside a $batch, empty for the request itself
	Header  http.Header
}

// Answer is what a simulator answers, or what a fault answers in its place.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
	// Cut drops the connection instead of answering, or, if there is a body, after
	// its last byte: more was announced. Inside a batch the item is left out of the
	// answer.
	Cut bool
}

// Fault changes what a client sees. Before runs before the request has any
// effect: a non-nil Answer is sent and the request is never carried out. After
// runs once it took effect, and may replace its answer. Both are called from
// many goroutines; either may block, and must then watch ctx.
type Fault interface {
	Before(ctx context.Context, e Exchange) *Answer
	After(ctx context.Context, e Exchange, a *Answer) *Answer
}

// Through runs effect between the two halves of a fault. With a nil fault it only
// runs effect.
func Through(ctx context.Context, f Fault, e Exchange, effect func() *Answer) *Answer {
	if f == nil {
		return effect()
	}
	if a := f.Before(ctx, e); a != nil {
		return a
	}
	a := effect()
	if other := f.After(ctx, e, a); other != nil {
		return other
	}
	return a
}

// Handler puts latency and a fault around h. latency is time of the clock c, waited
// before the request is handled. The fault may be nil.
func Handler(h http.Handler, service string, f Fault, latency time.Duration, c clock.Clock) http.Handler {
	if f == nil && latency <= 0 {
		return h
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if latency > 0 {
			if err := c.Sleep(r.Context(), latency); err != nil {
				return // the client has gone
			}
		}
		if f == nil {
			h.ServeHTTP(w, r)
			return
		}
		e := Exchange{Service: service, Method: r.Method, Path: r.URL.RequestURI(), Header: r.Header}
		a := Through(r.Context(), f, e, func() *Answer { return record(h, r) })
		if a.Cut && len(a.Body) == 0 {
			panic(http.ErrAbortHandler) // the documented way to drop a connection
		}
		for k, v := range a.Header {
			w.Header()[k] = v
		}
		w.WriteHeader(a.Status)
		_, _ = w.Write(a.Body)
		if a.Cut {
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}
	})
}

// record runs h and returns its answer instead of sending it.
func record(h http.Handler, r *http.Request) *Answer {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return &Answer{Status: http.StatusBadRequest, Header: http.Header{}}
	}
	// The effect happens although the client may go away meanwhile.
	r = r.WithContext(context.WithoutCancel(r.Context()))
	r.Body = io.NopCloser(bytes.NewReader(body))
	rec := &recorder{header: http.Header{}, status: http.StatusOK}
	h.ServeHTTP(rec, r)
	return &Answer{Status: rec.status, Header: rec.header, Body: rec.body.Bytes()}
}

type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (r *recorder) Header() http.Header         { return r.header }
func (r *recorder) WriteHeader(status int)      { r.status = status }
func (r *recorder) Write(b []byte) (int, error) { return r.body.Write(b) }
