package graphclient

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/hacsync/hacsync/graphclient/claims"
	"github.com/hacsync/hacsync/graphclient/transport"
	"github.com/hacsync/hacsync/sync/problem"
)

const (
	// readTimeout bounds one attempt of a read; a page of 999 users takes a
	// second or two, a struggling service up to half a minute.
	readTimeout = 90 * time.Second
	// writeTimeout bounds a write. The claim on a domain relies on it: a write
	// that was sent arrives within this time, or never.
	writeTimeout = 20 * time.Second
	// maxBody is more than any answer of Graph: a page of 999 users with a
	// thousand addresses each.
	maxBody = 128 << 20
)

// request is one HTTP request to Graph.
type request struct {
	method string
	url    string // absolute, or beginning with / after v1.0
	header http.Header
	body   []byte
	scopes []string
	// needs is the permission that the request needs, for the message of a 403.
	needs string
	// what names the request in messages and logs: method and path, no query.
	what string
	// accept reads the answer to a read; nil accepts any. If it returns an error
	// (the body is cut, empty, not JSON), the read is repeated.
	accept func(answer) error
}

// answer is what came back, read to its end.
type answer struct {
	status int
	header http.Header
	body   []byte
	date   time.Time // of the Date header, zero without
}

// get makes a read of url.
func (c *Client) get(url, needs string) request {
	return request{method: http.MethodGet, url: url, scopes: c.readScopes, needs: needs}
}

// once sends r, one attempt, no retry. An error is a problem, or ctx's own
// error when ctx ended.
func (c *Client) once(ctx context.Context, r request, timeout time.Duration, token string) (answer, error) {
	target, err := c.resolve(r.url)
	if err != nil {
		return answer{}, err
	}
	bounded, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(bounded, r.method, target.String(), bytes.NewReader(r.body))
	if err != nil {
		return answer{}, problem.Wrap(err, problem.Internal, problem.Args{"what": "request " + describe(r)})
	}
	if r.body == nil {
		req.Body, req.GetBody, req.ContentLength = nil, nil, 0
	} else {
		req.Header.Set("Content-Type", "application/json")
	}
	req.Header.Set("Accept", "application/json")
	for k, v := range r.header {
		req.Header[k] = v
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("User-Agent", "hacsync")

	res, err := c.http.Do(req)
	if err != nil {
		return answer{}, c.trouble(ctx, err)
	}
	defer res.Body.Close()
	a := answer{status: res.StatusCode, header: res.Header}
	if d, err := http.ParseTime(res.Header.Get("Date")); err == nil {
		a.date = d
	}
	a.body, err = io.ReadAll(io.LimitReader(res.Body, maxBody))
	if err != nil {
		// The status is known, the answer is not: the caller may need both.
		return a, c.trouble(ctx, err)
	}
	if a.status >= 300 && a.status < 400 {
		return a, c.redirected(r, res)
	}
	return a, nil
}

// trouble returns the cause if the caller's context has ended, else the problem of
// the network.
func (c *Client) trouble(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return transport.Trouble(err, c.hostname())
}

func (c *Client) hostname() string { return strings.TrimPrefix(c.host, "https://") }

// redirected refuses a redirect: Graph does not redirect any request made here.
func (c *Client) redirected(r request, res *http.Response) error {
	to := ""
	if u, err := res.Location(); err == nil {
		to = u.Host
	}
	u := problem.Upstream{Status: res.StatusCode, RequestID: res.Header.Get("request-id")}
	if to != "" && !strings.EqualFold(to, c.hostname()) {
		return problem.New(problem.ForeignHost, problem.Args{"host": to, "expected": c.hostname()}).WithUpstream(u)
	}
	return problem.New(problem.ReadRefused, problem.Args{
		"status": res.Status, "code": "redirect", "what": describe(r),
	}).WithUpstream(u)
}

// resolve makes the absolute address of a request and refuses every host but
// Graph's own: the token must not leave.
func (c *Client) resolve(address string) (*url.URL, error) {
	if strings.HasPrefix(address, "/") {
		address = c.root + address
	}
	u, err := url.Parse(address)
	if err != nil {
		return nil, problem.Wrap(err, problem.BrokenAnswer, problem.Args{"what": "link", "detail": "not an address"})
	}
	if u.Scheme+"://"+strings.ToLower(u.Host) != c.host || u.User != nil {
		return nil, problem.New(problem.ForeignHost, problem.Args{"host": u.Host, "expected": c.hostname()})
	}
	return u, nil
}

// describe names a request without its query, which may hold names of people.
func describe(r request) string {
	if r.what != "" {
		return r.what
	}
	path := r.url
	if u, err := url.Parse(r.url); err == nil {
		path = strings.TrimPrefix(u.Path, "/v1.0")
	}
	return r.method + " " + path
}

// claimsOf takes the claims challenge out of a 401 or 403, decoded; empty
// without one.
func claimsOf(h http.Header) string { return claims.Challenge(h.Values("WWW-Authenticate")) }
