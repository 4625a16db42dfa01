package hacapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/progress"
)

const (
	attempts   = 6
	firstPause = time.Second
	// longestPause also limits what Retry-After asks for: HENNGE names no limit,
	// and an hour's wait would look like a hang.
	longestPause = 5 * time.Minute
	timeout      = time.Minute
	maxAnswer    = 64 << 20
)

// caller makes the requests of one reading. It holds the token, which is valid for
// an hour: long enough for most readings, but not for all.
type caller struct {
	api   *API
	sink  progress.Sink
	token string
	tried bool // the token was accepted once
}

// answer is a whole HTTP answer.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// page reads one page. A 401 to a token that was accepted before renews it; if the
// new one is refused as well, its age was not the reason.
func (c *caller) page(ctx context.Context, address string, number int) (*page, error) {
	for {
		if c.token == "" {
			if err := c.renew(ctx); err != nil {
				return nil, err
			}
		}
		a, err := c.call(ctx, number, func(ctx context.Context) (*http.Request, error) {
			r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
			if err == nil {
				r.Header.Set("Authorization", "Bearer "+c.token)
				r.Header.Set("Accept", "application/json")
			}
			return r, err
		})
		if err != nil {
			return nil, err
		}
		switch {
		case a.status == http.StatusOK:
			p, err := decode(a.body)
			if err != nil {
				return nil, c.problem(problem.HACAnswer, number, a, err)
			}
			// Without a date the caller's clock is used.
			p.date, _ = http.ParseTime(a.header.Get("Date"))
			c.tried = true
			return p, nil
		case a.status == http.StatusUnauthorized && c.tried:
			c.token, c.tried = "", false
		case a.status == http.StatusUnauthorized, a.status == http.StatusForbidden:
			return nil, c.problem(problem.HACForbidden, number, a, nil)
		case a.status == http.StatusNotFound, a.status == http.StatusGone:
			return nil, c.problem(problem.HACNotFound, number, a, nil)
		default:
			return nil, c.problem(problem.HACAnswer, number, a, fmt.Errorf("status %d", a.status))
		}
	}
}

// renew gets a token by client credentials (RFC 6749, 4.4). Both known clients send
// identifier and secret in a Basic header without further encoding.
func (c *caller) renew(ctx context.Context) error {
	o := &c.api.o
	a, err := c.call(ctx, 0, func(ctx context.Context) (*http.Request, error) {
		form := url.Values{"grant_type": {"client_credentials"}}.Encode()
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, o.TokenURL, strings.NewReader(form))
		if err == nil {
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.Header.Set("Accept", "application/json")
			r.SetBasicAuth(o.Client, o.Secret.Reveal())
		}
		return r, err
	})
	if err != nil {
		return err
	}
	switch a.status {
	case http.StatusOK:
	case http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden:
		return c.problem(problem.HACRefused, 0, a, nil)
	case http.StatusNotFound, http.StatusGone:
		return c.problem(problem.HACNotFound, 0, a, nil)
	default:
		return c.problem(problem.HACAnswer, 0, a, fmt.Errorf("status %d", a.status))
	}
	var t struct {
		Token string `json:"access_token"`
	}
	// The answer holds the token: no error may quote it.
	if json.Unmarshal(a.body, &t) != nil || t.Token == "" || strings.ContainsFunc(t.Token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return c.problem(problem.HACAnswer, 0, a, errors.New("no access token in the answer"))
	}
	c.token = t.Token
	return nil
}

// call sends a request until it gets a usable answer: it repeats it after a pause
// on 429, 5xx and a broken connection. Both requests may be repeated: one reads,
// the other only issues one more token.
func (c *caller) call(ctx context.Context, page int, request func(context.Context) (*http.Request, error)) (*answer, error) {
	var last *problem.Problem
	for attempt := range attempts {
		if attempt > 0 {
			pause := backoff(attempt)
			if u := last.Upstream; u != nil && u.RetryAfter > 0 {
				pause = min(u.RetryAfter, longestPause)
			}
			c.api.o.Log.WarnContext(ctx, "asking the HAC API again", "pause", pause, "attempt", attempt+1, "why", last)
			c.sink.Report(progress.Event{Phase: progress.Source, Total: -1, Pause: pause, Why: progress.Reason(last)})
			if err := c.api.o.Clock.Sleep(ctx, pause); err != nil {
				return nil, err
			}
		}
		a, err := c.send(ctx, request)
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case err != nil:
			last = problem.Wrap(err, problem.HACUnreachable, c.api.args(page))
			if errors.Is(err, errLarge) {
				return nil, problem.Wrap(err, problem.HACAnswer, c.api.args(page))
			}
		case a.status == http.StatusTooManyRequests:
			last = c.problem(problem.HACThrottled, page, a, nil)
		case a.status >= 500:
			last = c.problem(problem.HACUnavailable, page, a, nil)
		default:
			return a, nil
		}
	}
	return nil, last
}

var errLarge = errors.New("answer larger than any page")

// send makes one attempt and reads the whole answer.
func (c *caller) send(ctx context.Context, request func(context.Context) (*http.Request, error)) (*answer, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	r, err := request(ctx)
	if err != nil {
		return nil, err
	}
	response, err := c.api.http.Do(r)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	if err != nil {
		return nil, fmt.Errorf("answer cut after %d bytes: %w", len(body), err)
	}
	if len(body) > maxAnswer {
		return nil, errLarge
	}
	return &answer{response.StatusCode, response.Header, body}, nil
}

// problem returns the problem of an answer. Bodies are not kept: they hold users,
// or a token.
func (c *caller) problem(code problem.Code, page int, a *answer, cause error) *problem.Problem {
	args := c.api.args(page)
	args["status"] = strconv.Itoa(a.status)
	p := problem.Wrap(cause, code, args)
	return p.WithUpstream(problem.Upstream{
		Status: a.status, RequestID: a.header.Get("X-Request-Id"),
		RetryAfter: retryAfter(a.header.Get("Retry-After"), c.api.o.Clock.Now()),
	})
}

// retryAfter reads seconds or a date (RFC 9110, 10.2.3); 0 if there is none.
func retryAfter(s string, now time.Time) time.Duration {
	if n, err := strconv.Atoi(s); err == nil {
		return time.Duration(max(min(n, int(longestPause/time.Second)), 0)) * time.Second
	}
	if t, err := http.ParseTime(s); err == nil {
		return min(max(t.Sub(now), 0), longestPause)
	}
	return 0
}

// backoff doubles from a second, with a random quarter added so that two readers do
// not keep the same rhythm.
func backoff(attempt int) time.Duration {
	d := firstPause << (attempt - 1)
	return d + time.Duration(rand.Int64N(int64(d)/4)) //nolint:gosec // not a secret
}

// decode parses a page strictly: an object with a list of objects, and a text or
// nothing as cursor.
func decode(body []byte) (*page, error) {
	var p struct {
		Items  *[]item `json:"items"`
		Cursor *string `json:"cursor"`
	}
	d := json.NewDecoder(bytes.NewReader(body))
	if err := d.Decode(&p); err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("more text behind the page")
	}
	if p.Items == nil {
		return nil, errors.New("no items")
	}
	out := &page{Items: *p.Items}
	for i, it := range out.Items {
		if it == nil {
			return nil, fmt.Errorf("item %d is null", i)
		}
	}
	if p.Cursor != nil {
		out.Cursor = *p.Cursor
	}
	return out, nil
}
