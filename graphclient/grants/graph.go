package grants

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	kiota "github.com/microsoft/kiota-abstractions-go"

	"github.com/hacsync/hacsync/graphclient/adapter"
	"github.com/hacsync/hacsync/graphclient/claims"
	"github.com/hacsync/hacsync/graphclient/transport"
	"github.com/hacsync/hacsync/sync/clock"
	"github.com/hacsync/hacsync/sync/problem"
)

const (
	// requestTimeout bounds one request.
	requestTimeout = 60 * time.Second
	// maxAnswer is more than any answer to what is asked here: the service
	// principal of Microsoft Graph with all its permissions has a megabyte.
	maxAnswer = 16 << 20
	// longestPause: a longer Retry-After is not waited for.
	longestPause = 5 * time.Minute
	// tries of one request whose answer was a passing fault.
	tries = 6
)

// graph sends requests to Microsoft Graph as one principal. A request may be sent
// twice: a look changes nothing, and Graph says so if what is given is there
// already. A request for which this does not hold has once set.
type graph struct {
	host, root string
	http       *http.Client
	tokens     Tokens
	scopes     []string
	clock      clock.Clock
	log        *slog.Logger
}

func newGraph(address string, client *http.Client, tokens Tokens, scopes []string, c clock.Clock, log *slog.Logger) (*graph, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" || u.Host == "" || client == nil || tokens == nil {
		return nil, problem.New(problem.Internal, problem.Args{"what": fmt.Sprintf("grants need an address of Graph, an HTTP client and tokens (%q)", address)})
	}
	host := "https://" + strings.ToLower(u.Host)
	return &graph{host: host, root: host + "/v1.0", http: transport.Strict(client), tokens: tokens, scopes: scopes, clock: c, log: log}, nil
}

// request is one call.
type request struct {
	method, url string // the address is absolute
	header      http.Header
	body        []byte // nil for none
	// accept takes the answer to a request that succeeded, nil to take any.
	accept func(status int, body []byte) error
	// once: if no answer comes, the request must not be sent again.
	once bool
}

// sdk makes the arguments of a request builder of the SDK.
func (g *graph) sdk() (map[string]string, kiota.RequestAdapter) {
	return adapter.New(g.root, func(ctx context.Context, r adapter.Request) error {
		return g.do(ctx, request{method: r.Method, url: r.URL, header: r.Header, body: r.Body, accept: r.Accept})
	})
}

// bytes is the request of a builder whose answer is read into out with
// encoding/json. The SDK's models are stricter with certificates than Graph: one
// identifier that is not base64 would fail the read of the whole application.
func (g *graph) bytes(out any, info *kiota.RequestInformation, err error) (request, error) {
	at, err := adapter.Address(info, err)
	if err != nil {
		return request{}, problem.Wrap(err, problem.Internal, problem.Args{"what": "request of granting"})
	}
	return request{method: info.Method.String(), url: at, body: info.Content, accept: func(_ int, body []byte) error {
		return json.Unmarshal(body, out)
	}}, nil
}

// what names a request for logs and people, without its query.
func (g *graph) what(r request) string {
	path, _, _ := strings.Cut(strings.TrimPrefix(r.url, g.root), "?")
	return r.method + " " + path
}

// refusal is an answer of Graph that is not a success.
type refusal struct {
	problem.Upstream
	details []string
	claims  string // of a claims challenge
	what    string
}

func (r *refusal) Error() string {
	return fmt.Sprintf("%s: %d %s: %s (request-id %s)", r.what, r.Status, r.Code, r.Message, r.RequestID)
}

// has reports whether the refusal carries a code, as its own or in its details.
func (r *refusal) has(codes ...string) bool {
	for _, want := range codes {
		if strings.EqualFold(r.Code, want) {
			return true
		}
		for _, d := range r.details {
			if strings.EqualFold(d, want) {
				return true
			}
		}
	}
	return false
}

// refusalOf is the refusal in an error, nil without one.
func refusalOf(err error) *refusal {
	var r *refusal
	if errors.As(err, &r) {
		return r
	}
	return nil
}

func (g *graph) hostname() string { return strings.TrimPrefix(g.host, "https://") }

// do sends r until it is answered. Its errors are a *refusal, a problem, or
// ctx's own.
func (g *graph) do(ctx context.Context, r request) error {
	token, err := g.tokens.Token(ctx, g.scopes...)
	if err != nil {
		return err
	}
	renewed := false
	for try := 1; ; try++ {
		err := g.send(ctx, r, token)
		if err == nil || ctx.Err() != nil {
			return err
		}
		no := refusalOf(err)
		if no != nil && !renewed && (no.Status == http.StatusUnauthorized || no.claims != "" || no.Status == http.StatusForbidden) {
			// A role that was activated a moment ago shows only in a new token.
			if next, ok := g.renew(ctx, no.claims, token); ok {
				token, renewed = next, true
				continue
			}
		}
		pause, again := g.pause(err, try)
		g.log.LogAttrs(ctx, slog.LevelInfo, "request of granting failed", slog.String("request", g.what(r)),
			slog.Int("try", try), slog.Bool("again", again), slog.String("error", err.Error()))
		if !again || r.once && !transport.NeverSent(err) && (no == nil || no.Status != http.StatusTooManyRequests) {
			return err
		}
		if err := g.clock.Sleep(ctx, pause); err != nil {
			return err
		}
	}
}

// renew replaces a token; false if there is no other.
func (g *graph) renew(ctx context.Context, challenge, old string) (string, bool) {
	r, can := g.tokens.(Renewer)
	if !can {
		return "", false
	}
	next, err := r.Renew(ctx, challenge, g.scopes...)
	if err != nil {
		g.log.InfoContext(ctx, "token not replaced", "error", err.Error())
		return "", false
	}
	return next, next != old
}

// pause says whether a request is sent again, and after how long.
func (g *graph) pause(err error, try int) (time.Duration, bool) {
	wait := min(time.Second<<min(try-1, 5), 30*time.Second)
	if no := refusalOf(err); no != nil {
		switch {
		case no.RetryAfter > longestPause:
			return 0, false
		case no.RetryAfter > 0:
			wait = no.RetryAfter
		}
		passing := no.Status == http.StatusTooManyRequests || no.Status == http.StatusRequestTimeout ||
			no.Status >= 500 && no.Status != http.StatusNotImplemented ||
			no.has("Directory_ConcurrencyViolation")
		return wait, passing && try < tries
	}
	p := problem.Of(err)
	return wait, p != nil && p.Class() == problem.Retry && try < tries
}

// send is one attempt.
func (g *graph) send(ctx context.Context, r request, token string) error {
	bounded, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	what := g.what(r)
	at, err := url.Parse(r.url)
	if err != nil || at.Scheme+"://"+strings.ToLower(at.Host) != g.host || at.User != nil {
		return problem.New(problem.ForeignHost, problem.Args{"host": "another host", "expected": g.hostname()})
	}
	var body io.Reader
	if r.body != nil {
		body = bytes.NewReader(r.body)
	}
	req, err := http.NewRequestWithContext(bounded, r.method, at.String(), body)
	if err != nil {
		return problem.Wrap(err, problem.Internal, problem.Args{"what": "request " + what})
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	for k, v := range r.header {
		req.Header[k] = v
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("User-Agent", "hacsync")
	res, err := g.http.Do(req)
	if err != nil {
		return g.trouble(ctx, err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return g.trouble(ctx, err)
	}
	if res.StatusCode < 200 || res.StatusCode > 299 {
		return refused(res, raw, what, g.clock.Now())
	}
	if r.accept == nil || res.StatusCode == http.StatusNoContent {
		return nil
	}
	if err := r.accept(res.StatusCode, raw); err != nil {
		return problem.Wrap(err, problem.BrokenAnswer, problem.Args{"what": what, "detail": "no JSON"})
	}
	return nil
}

func (g *graph) trouble(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return transport.Trouble(err, g.hostname())
}

// refused reads Graph's error answer, from any body.
func refused(res *http.Response, raw []byte, what string, now time.Time) *refusal {
	if d, err := http.ParseTime(res.Header.Get("Date")); err == nil {
		now = d
	}
	r := &refusal{what: what, claims: claims.Challenge(res.Header.Values("WWW-Authenticate"))}
	r.Upstream, r.details = transport.Refusal(res.StatusCode, res.Header, raw, now)
	return r
}

// who reads the principal of the token in hand.
func (g *graph) who(ctx context.Context) (claims.Claims, error) {
	token, err := g.tokens.Token(ctx, g.scopes...)
	if err != nil {
		return claims.Claims{}, err
	}
	c, _ := claims.Read(token)
	return c, nil
}

// doubled is a value for between the quotes of a key or a filter.
func doubled(s string) string { return strings.ReplaceAll(s, "'", "''") }
