package periodic

import (
	"context"
	"strconv"
	"time"

	"github.com/hacsync/hacsync/sync/clock"
	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/run"
	"github.com/hacsync/hacsync/sync/state"
)

// Control is what users can do with periodic sync, for the domains of one
// connection. Its fields are set before its first use.
type Control struct {
	Store Store
	// Runner is the connection's. Only Check and Enable use more of it than the
	// connection itself.
	Runner *run.Runner
	// Clock is that of the workers; nil is the real one.
	Clock clock.Clock
}

func (c *Control) now() time.Time {
	if c.Clock == nil {
		return time.Now()
	}
	return c.Clock.Now()
}

func (c *Control) tenant() string { return c.Runner.Connection.Tenant }

// Request is what a user who enables a domain wants.
type Request struct {
	Domain string
	// Every is the interval, Jitter the time over which domains are spread. 0 keeps
	// the previous value, or takes the default; a Jitter below 0 means none.
	Every, Jitter time.Duration
	By            string
	// Reason, if it is given, allows enabling in spite of findings that are
	// Reasonable.
	Reason string
	// Always are rows left out for one time only that are always left out from now
	// on; CarryOut means that all others are to be carried out.
	Always   []plan.Decision
	CarryOut bool
}

// Enable turns periodic sync on, sets another interval, or releases a domain that
// was paused or stopped. What prevents it is in the checklist; then the error is
// problem.PeriodicNotReady, and nothing was changed.
func (c *Control) Enable(ctx context.Context, q Request) (state.Periodic, Checklist, error) {
	var none state.Periodic
	domain := directory.FoldUPN(q.Domain)
	old, _, err := c.Store.Periodic(ctx, c.tenant(), domain)
	if err != nil {
		return none, nil, err
	}
	every, jitter, err := intervals(q, old)
	if err != nil {
		return none, nil, err
	}
	list, err := c.Check(ctx, domain)
	if err != nil {
		return none, nil, err
	}
	list = list.answered(q)
	if missing := list.Missing(q.Reason); len(missing) > 0 {
		return none, list, problem.New(problem.PeriodicNotReady, problem.Args{
			"domain": domain, "n": strconv.Itoa(len(missing)), "first": string(missing[0].Why.Code),
		})
	}
	if err := c.Runner.Decide(ctx, domain, q.Always); err != nil {
		return none, list, err
	}
	if q.CarryOut {
		all, err := c.Runner.Decisions(ctx, domain)
		if err == nil {
			err = c.Runner.TakeBack(ctx, domain, thisTime(all)...)
		}
		if err != nil {
			return none, list, err
		}
	}
	now := c.now()
	p, err := c.Store.ChangePeriodic(ctx, c.tenant(), domain, func(p *state.Periodic) error {
		p.Connection, p.Every, p.Jitter = c.Runner.Connection.Name, every, jitter
		enable(p, now, q.By, q.Reason)
		return nil
	})
	return p, list, err
}

// enable sets p to the state Enabled: earlier failures are forgotten. An interval
// that is under way goes on.
func enable(p *state.Periodic, now time.Time, by, reason string) {
	if p.State != state.Enabled {
		p.Skipped, p.Passed = 0, 0
	}
	p.State, p.Since, p.By, p.Reason, p.Until, p.Why = state.Enabled, now, by, reason, time.Time{}, nil
	p.Failures, p.Cancels, p.Anew = 0, 0, true
	if p.Turn == nil {
		p.Due = next(now, p.Every, phase(p.Tenant, p.Domain, p.Jitter))
	}
}

// intervals checks the requested interval and jitter.
func intervals(q Request, old state.Periodic) (every, jitter time.Duration, err error) {
	every, jitter = q.Every, q.Jitter
	switch {
	case every == 0 && old.Every > 0:
		every = old.Every
	case every == 0:
		every = DefaultEvery
	}
	if every < LeastEvery || every > MostEvery {
		return 0, 0, problem.New(problem.PeriodicEvery, problem.Args{
			"every": short(every), "least": short(LeastEvery), "most": short(MostEvery),
		})
	}
	switch {
	case jitter == 0 && old.Version > 0 && old.Jitter <= every:
		jitter = old.Jitter
	case jitter == 0:
		jitter = DefaultJitter(every)
	case jitter < 0:
		jitter = 0
	}
	if jitter > every {
		return 0, 0, problem.New(problem.PeriodicJitter, problem.Args{"jitter": short(jitter), "every": short(every)})
	}
	return every, jitter, nil
}

// Pause stops a domain for a while and keeps every setting. A zero until is a pause
// without an end. An interval under way writes nothing more once its present batch
// is done, or ends if it is past its last check.
func (c *Control) Pause(ctx context.Context, domain string, until time.Time, by, reason string) (state.Periodic, error) {
	now := c.now()
	if !until.IsZero() && !until.After(now) {
		return state.Periodic{}, problem.New(problem.PeriodicUntil, problem.Args{"until": problem.Moment(until)})
	}
	return c.change(ctx, domain, func(p *state.Periodic) error {
		if p.State != state.Enabled && p.State != state.Paused {
			return problem.New(problem.PeriodicNotOn, problem.Args{"domain": p.Domain, "state": string(p.State)})
		}
		p.State, p.Since, p.Until, p.By, p.Reason, p.Why = state.Paused, now, until, by, reason, nil
		return nil
	})
}

// Resume ends a pause, or releases a stopped domain, without the checks of Enable.
// An enabled domain stays as it is; a disabled one is a problem.
func (c *Control) Resume(ctx context.Context, domain, by string) (state.Periodic, error) {
	now := c.now()
	return c.change(ctx, domain, func(p *state.Periodic) error {
		switch p.State {
		case state.Enabled:
			return nil
		case state.Paused, state.Held:
			enable(p, now, by, "")
			return nil
		case state.Disabled:
		}
		return problem.New(problem.PeriodicNotOn, problem.Args{"domain": p.Domain, "state": string(p.State)})
	})
}

// Disable turns periodic sync off. Interval, history and lasting decisions are kept
// for the next time.
func (c *Control) Disable(ctx context.Context, domain, by, reason string) (state.Periodic, error) {
	now := c.now()
	return c.change(ctx, domain, func(p *state.Periodic) error {
		p.State, p.Since, p.Until, p.By, p.Reason, p.Why = state.Disabled, now, time.Time{}, by, reason, nil
		p.Turn = nil
		return nil
	})
}

// change changes a domain that was enabled before; one that never was is a problem.
func (c *Control) change(ctx context.Context, domain string, f func(*state.Periodic) error) (state.Periodic, error) {
	return c.Store.ChangePeriodic(ctx, c.tenant(), domain, func(p *state.Periodic) error {
		if p.Version == 0 {
			return problem.New(problem.PeriodicNone, problem.Args{"domain": p.Domain})
		}
		return f(p)
	})
}

// short is a duration as people write it: 1h, 90m, 15m30s.
func short(d time.Duration) string {
	text := d.Round(time.Second).String()
	for _, tail := range []string{"m0s", "h0m"} {
		if len(text) > len(tail) && text[len(text)-len(tail):] == tail {
			text = text[:len(text)-2]
		}
	}
	return text
}
