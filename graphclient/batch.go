package graphclient

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/progress"
)

// batchSize is the most that one $batch takes.
const batchSize = 20

// batchesAtOnce is how many $batch of reads are under way together.
const batchesAtOnce = 4

// item is one request of a $batch.
type item struct {
	method string
	url    string // absolute
	header map[string]string
	body   []byte // JSON
	needs  string // permission that a read rests on
	object bool   // an answer of 200 without a JSON object is asked for again
}

// reply is the answer to one item.
type reply struct {
	status int
	header http.Header
	body   []byte
	date   time.Time
}

// encodeBatch writes the body of a $batch. It is put together by hand: a body
// may hold a password, and encoding/json would leave a copy of it in its pool of
// buffers. IDs are the items' numbers from 1.
func encodeBatch(root string, items []item) ([]byte, error) {
	var b bytes.Buffer
	size := 32
	for _, it := range items {
		size += 160 + len(it.url) + len(it.body)
	}
	b.Grow(size) // so that growing leaves no copies behind
	b.WriteString(`{"requests":[`)
	for i, it := range items {
		if i > 0 {
			b.WriteByte(',')
		}
		header := map[string]string{}
		for k, v := range it.header {
			header[k] = v
		}
		if it.body != nil {
			header["Content-Type"] = "application/json"
		}
		head, err := json.Marshal(struct {
			ID      string            `json:"id"`
			Method  string            `json:"method"`
			URL     string            `json:"url"`
			Headers map[string]string `json:"headers,omitempty"`
		}{strconv.Itoa(i + 1), it.method, strings.TrimPrefix(it.url, root), header})
		if err != nil {
			return nil, err
		}
		b.Write(head[:len(head)-1])
		if it.body != nil {
			b.WriteString(`,"body":`)
			b.Write(it.body)
		}
		b.WriteByte('}')
	}
	b.WriteString(`]}`)
	return b.Bytes(), nil
}

// decodeBatch sorts the answers by item. An item that is missing, answered
// twice or not understood has a nil reply: what became of it is not known.
func decodeBatch(a answer, n int) ([]*reply, error) {
	var outer struct {
		Responses *[]struct {
			ID      string                     `json:"id"`
			Status  int                        `json:"status"`
			Headers map[string]json.RawMessage `json:"headers"`
			Body    json.RawMessage            `json:"body"`
		} `json:"responses"`
	}
	r := request{what: "POST /$batch"}
	if err := json.Unmarshal(a.body, &outer); err != nil {
		p := broken(a, r, "not JSON")
		p.Cause = err
		return nil, p
	}
	if outer.Responses == nil {
		return nil, broken(a, r, "no responses")
	}
	replies, twice := make([]*reply, n), make([]bool, n)
	for _, res := range *outer.Responses {
		i, err := strconv.Atoi(res.ID)
		if err != nil || i < 1 || i > n {
			continue // no item of this batch
		}
		if replies[i-1] != nil {
			twice[i-1] = true
			continue
		}
		rep := &reply{status: res.Status, header: http.Header{}, body: res.Body, date: a.date}
		for k, raw := range res.Headers {
			var s string
			if json.Unmarshal(raw, &s) != nil {
				s = string(bytes.Trim(raw, `"`)) // some gateways write numbers
			}
			rep.header.Set(k, s)
		}
		if rep.header.Get("request-id") == "" {
			rep.header.Set("request-id", a.header.Get("request-id"))
		}
		replies[i-1] = rep
	}
	for i := range twice {
		if twice[i] {
			replies[i] = nil
		}
	}
	return replies, nil
}

// readBatch reads many small things, 20 to a request. Each item that is
// throttled, failing or unanswered is asked for again in a later batch, up to
// the same limits as any read. The replies have any status below 500 but 429;
// what an item's 403 or 404 means is for the caller.
func (c *Client) readBatch(ctx context.Context, k call, items []item, done func(n int)) ([]*reply, error) {
	replies := make([]*reply, len(items))
	open := make([]int, len(items))
	for i := range open {
		open[i] = i
	}
	var waited time.Duration
	for try := 1; len(open) > 0; try++ {
		g, inner := errgroup.WithContext(ctx)
		g.SetLimit(batchesAtOnce)
		for chunk := range slices.Chunk(open, batchSize) {
			g.Go(func() error {
				part := make([]item, len(chunk))
				for i, n := range chunk {
					part[i] = items[n]
				}
				got, err := c.readOneBatch(inner, k, part)
				for i, n := range chunk {
					if err == nil {
						replies[n] = got[i]
					}
				}
				if err == nil && done != nil {
					done(len(chunk))
				}
				return err
			})
		}
		if err := g.Wait(); err != nil {
			return nil, err
		}
		var again []int
		var worst *problem.Problem
		for _, n := range open {
			p := c.itemTrouble(items[n], replies[n])
			if p == nil {
				continue
			}
			again = append(again, n)
			if worst == nil || pauseOf(p) > pauseOf(worst) {
				worst = p
			}
		}
		if len(again) == 0 {
			return replies, nil
		}
		pause, ok := backOff(worst, try, waited)
		c.log.InfoContext(ctx, "items of a batch failed", "items", len(again), "try", try, "again", ok,
			"pause", pause, "problem", worst.Error())
		if !ok {
			return nil, worst
		}
		if pause >= time.Second {
			k.pause(pause, progress.Reason(worst))
		}
		if err := c.clock.Sleep(ctx, pause); err != nil {
			return nil, err
		}
		waited += pause
		if done != nil {
			done(-len(again))
		}
		open = again
	}
	return replies, nil
}

func pauseOf(p *problem.Problem) time.Duration {
	if p.Upstream == nil {
		return 0
	}
	return p.Upstream.RetryAfter
}

// itemTrouble is why an item has to be asked for again, nil if it is settled.
func (c *Client) itemTrouble(it item, r *reply) *problem.Problem {
	what := request{method: it.method, url: it.url, needs: it.needs}
	switch {
	case r == nil:
		return problem.New(problem.ServerTrouble, problem.Args{"status": "0", "what": describe(what)})
	case r.status == http.StatusTooManyRequests, r.status >= 500 && r.status != http.StatusNotImplemented,
		r.status == http.StatusRequestTimeout, r.status == http.StatusFailedDependency:
		p := c.readProblem(what, r.answer())
		if p.Code == problem.ReadRefused { // 424
			p = problem.New(problem.ServerTrouble, problem.Args{"status": "424", "what": describe(what)})
		}
		return p
	case it.object && r.status == http.StatusOK && !bytes.HasPrefix(bytes.TrimSpace(r.body), []byte("{")):
		// The batch is valid JSON, so what begins as an object is one.
		return broken(r.answer(), what, "no object")
	case r.status == http.StatusUnauthorized:
		// The batch was accepted with this token: the service behind it may lag.
		return problem.New(problem.ServerTrouble, problem.Args{"status": "401", "what": describe(what)})
	}
	return nil
}

func (r *reply) answer() answer {
	return answer{status: r.status, header: r.header, body: r.body, date: r.date}
}

// readOneBatch sends one $batch of reads; the request as a whole is a read.
func (c *Client) readOneBatch(ctx context.Context, k call, items []item) ([]*reply, error) {
	body, err := encodeBatch(c.root, items)
	if err != nil {
		return nil, problem.Wrap(err, problem.Internal, problem.Args{"what": "body of a batch"})
	}
	var replies []*reply
	_, err = c.read(ctx, k, request{
		method: http.MethodPost, url: "/$batch", body: body, scopes: c.readScopes,
		needs: items[0].needs, what: "POST /$batch",
		accept: func(a answer) (err error) {
			replies, err = decodeBatch(a, len(items))
			return err
		},
	})
	return replies, err
}
