package graphclient

import (
	"bytes"
	"context"
	"encoding/json"
	"hash/maphash"
	"strings"
	"time"

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

// readPages reads a list to its last page and hands each page over. A link is
// taken as it is: opaque, on Graph's own host only, and never twice. An answer
// without a value, an empty body, malformed JSON are asked for again, and errors
// where they stay; so a list either ends or fails.
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

// decode reads a JSON answer whole: anything behind the object, and a body that
// is empty or HTML, is broken.
func decode[T any](a answer, r request) (T, error) {
	var v T
	if len(bytes.TrimSpace(a.body)) == 0 {
		return v, broken(a, r, "empty")
	}
	if err := json.Unmarshal(a.body, &v); err != nil {
		detail := "not JSON"
		if bytes.HasPrefix(bytes.TrimSpace(a.body), []byte("<")) {
			detail = "HTML"
		}
		p := broken(a, r, detail)
		p.Cause = err
		return v, p
	}
	return v, nil
}

func broken(a answer, r request, detail string) *problem.Problem {
	return problem.New(problem.BrokenAnswer, problem.Args{"what": describe(r), "detail": detail}).
		WithUpstream(problem.Upstream{Status: a.status, RequestID: a.header.Get("request-id")})
}

// lower is the form in which object IDs are compared.
func lower(id string) string { return strings.ToLower(id) }
