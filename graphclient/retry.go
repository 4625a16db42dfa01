package graphclient

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/progress"
)

// How often and how long reads are repeated. The waits are on the tenant's clock,
// which runs faster in a simulated tenant.
const (
	longestPause  = 5 * time.Minute  // a longer Retry-After is not waited for
	pauseBudget   = 15 * time.Minute // all waits of one read together
	triesNetwork  = 4                // no network, DNS, no answer in time
	triesServer   = 7                // 500, 502, 503, 504, 408; connections and answers cut
	triesThrottle = 30               // 429; the budget ends it sooner
)

// call is where a read reports its progress.
type call struct {
	phase progress.Phase
	sink  progress.Sink
}

func (k call) pause(d time.Duration, why progress.Why) {
	if k.sink != nil {
		k.sink.Report(progress.Event{Phase: k.phase, Total: -1, Pause: d, Why: why})
	}
}

func (k call) report(done, total int, end bool) {
	if k.sink != nil {
		k.sink.Report(progress.Event{Phase: k.phase, Done: done, Total: total, Ended: end})
	}
}

// read sends r until it is answered. It is the only place where requests are
// repeated, and only requests that change nothing are sent here. It returns an answer with a
// status of 2xx, or a problem, or ctx's error.
func (c *Client) read(ctx context.Context, k call, r request) (answer, error) {
	token, err := c.tokens.Token(ctx, r.scopes...)
	if err != nil {
		return answer{}, err
	}
	var waited time.Duration
	renewed := false
	for try := 1; ; try++ {
		a, err := c.once(ctx, r, readTimeout, token)
		if err == nil {
			if (a.status == http.StatusUnauthorized || claimsWanted(a)) && !renewed {
				if next, ok := c.renew(ctx, a, token, r.scopes); ok {
					token, renewed = next, true
					c.log.InfoContext(ctx, "token replaced", "request", describe(r))
					continue
				}
			}
			switch {
			case a.status < 200 || a.status > 299:
				err = c.readProblem(r, a)
			case r.accept != nil:
				err = r.accept(a)
			}
			if err == nil {
				return a, nil
			}
		}
		p := problem.Of(err)
		if p == nil || ctx.Err() != nil {
			return answer{}, err // the caller's context ended
		}
		pause, again := backOff(p, try, waited)
		c.log.LogAttrs(ctx, slog.LevelInfo, "read failed",
			slog.String("request", describe(r)), slog.Int("try", try), slog.Bool("again", again),
			slog.Duration("pause", pause), slog.String("problem", p.Error()))
		if !again {
			return answer{}, err
		}
		if pause >= time.Second {
			k.pause(pause, progress.Reason(p))
		}
		if err := c.clock.Sleep(ctx, pause); err != nil {
			return answer{}, err
		}
		waited += pause
	}
}

// claimsWanted reports whether an answer asks for more than the token proves.
func claimsWanted(a answer) bool {
	return (a.status == http.StatusUnauthorized || a.status == http.StatusForbidden) && claimsOf(a.header) != ""
}

// renew replaces a refused token if the source of tokens can. A person may have to
// sign in for it, which takes its time.
func (c *Client) renew(ctx context.Context, a answer, refused string, scopes []string) (string, bool) {
	var token string
	var err error
	switch r := c.tokens.(type) {
	case Replacer:
		token, err = r.Replace(ctx, refused, claimsOf(a.header), scopes...)
	case Renewer:
		token, err = r.Renew(ctx, claimsOf(a.header), scopes...)
	default:
		return "", false
	}
	if err != nil {
		c.log.InfoContext(ctx, "token not replaced", "problem", err.Error())
		return "", false
	}
	return token, true
}

// backOff decides by class whether a read is sent again, and after how long.
func backOff(p *problem.Problem, try int, waited time.Duration) (time.Duration, bool) {
	var tries int
	switch p.Code {
	case problem.NoConnection, problem.NameNotFound, problem.NoAnswerInTime:
		tries = triesNetwork
	case problem.ServerTrouble, problem.ConnectionCut, problem.BrokenAnswer:
		tries = triesServer
	case problem.Throttled:
		tries = triesThrottle
	default:
		return 0, false
	}
	if try >= tries {
		return 0, false
	}
	pause := min(time.Second<<min(try-1, 6), time.Minute)
	// Up to a quarter more, so that parallel reads do not come back together.
	pause += time.Duration(rand.Int64N(int64(pause)/4 + 1))
	if p.Upstream != nil && p.Upstream.RetryAfter > 0 {
		pause = p.Upstream.RetryAfter
		if pause > longestPause {
			return 0, false
		}
	}
	if waited+pause > pauseBudget {
		return 0, false
	}
	return pause, true
}
