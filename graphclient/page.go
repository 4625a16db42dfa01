package graphclient

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"hash/maphash"
	"strings"
	"time"

	"github.com/hacsync/hacsync/graphclient/adapter"
	"github.com/hacsync/hacsync/sync/problem"
)

// page is one page of a list.
type page[T any] struct {
	Value *[]T   `json:"value"`
	Next  string `json:"@odata.nextLink"`
	Delta string `json:"@odata.deltaLink"`
}

// walk is what reading a list to its end found.
type walk struct {
	pages, items int
	delta        string    // deltaLink of the last page
	date         time.Time // the server's, of the last page
}

// readPages reads a list to its last page and calls each with every page. A link
// is used as it came, on Graph's own host only, and never twice. An answer without
// a value, an empty body and malformed JSON are asked for again, and are errors if
// they remain. So a list is read to its end, or fails.
func readPages[T any](ctx context.Context, c *Client, k call, first request, each func([]T) error) (walk, error) {
	var (
		w    walk
		seed = maphash.MakeSeed()
		seen = map[uint64]bool{}
		r    = first
	)
	r.what = describe(first)
	for {
		h := maphash.String(seed, r.url)
		if seen[h] {
			return w, problem.New(problem.PagesRepeat, problem.Args{"what": r.what})
		}
		seen[h] = true
		var p page[T]
		r.accept = func(a answer) (err error) {
			if p, err = decode[page[T]](a, r); err == nil && p.Value == nil {
				err = broken(a, r, "no value")
			}
			return err
		}
		a, err := c.read(ctx, k, r)
		if err != nil {
			return w, err
		}
		w.pages++
		w.items += len(*p.Value)
		if !a.date.IsZero() {
			w.date = a.date
		}
		if err := each(*p.Value); err != nil {
			return w, err
		}
		if p.Next == "" {
			w.delta = p.Delta
			return w, nil
		}
		r.url = p.Next
	}
}

// eachPage reads a list of SDK models to its last page, by the rules of
// readPages. what names the list.
func eachPage[B adapter.Lists[B, Q, P], Q any, P adapter.Page[T], T any](ctx context.Context, what string, b B, q *Q, each func(T) error) error {
	err := adapter.Each(ctx, b, q, each)
	switch {
	case errors.Is(err, adapter.ErrRepeats):
		return problem.New(problem.PagesRepeat, problem.Args{"what": what})
	case errors.Is(err, adapter.ErrNull):
		return broken(answer{}, request{what: what}, err.Error())
	case err != nil && problem.Of(err) == nil && ctx.Err() == nil:
		return problem.Wrap(err, problem.Internal, problem.Args{"what": what})
	}
	return err
}

// decode reads a JSON answer. A body that is empty, HTML, or has more after the
// object is broken.
func decode[T any](a answer, r request) (T, error) {
	var v T
	if len(bytes.TrimSpace(a.body)) == 0 {
		return v, unreadable(a, r, adapter.ErrEmpty)
	}
	if err := json.Unmarshal(a.body, &v); err != nil {
		return v, unreadable(a, r, err)
	}
	return v, nil
}

// unreadable is a success whose body is not what was asked for.
func unreadable(a answer, r request, err error) *problem.Problem {
	detail := "not JSON"
	switch {
	case errors.Is(err, adapter.ErrEmpty), errors.Is(err, adapter.ErrNoValue):
		return broken(a, r, err.Error())
	case bytes.HasPrefix(bytes.TrimSpace(a.body), []byte("<")):
		detail = "HTML"
	}
	p := broken(a, r, detail)
	p.Cause = err
	return p
}

func broken(a answer, r request, detail string) *problem.Problem {
	return problem.New(problem.BrokenAnswer, problem.Args{"what": describe(r), "detail": detail}).
		WithUpstream(problem.Upstream{Status: a.status, RequestID: a.header.Get("request-id")})
}

// lower is the form in which object IDs are compared.
func lower(id string) string { return strings.ToLower(id) }
