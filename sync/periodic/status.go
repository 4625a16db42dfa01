package periodic

import (
	"context"
	"time"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/state"
)

// Status describes the periodic sync of a domain.
type Status struct {
	state.Periodic
	// Worker reports whether a worker carries it out, and which was seen last.
	Worker Finding
	// Running is the worker that carries the interval out, empty for none.
	Running string
	// Next is when the next interval begins, or when a pause ends; zero if neither
	// will happen.
	Next time.Time
	// Late is how long the interval has been due without a worker.
	Late time.Duration
}

// Status reports on one domain. One that was never enabled is a problem.
func (c *Control) Status(ctx context.Context, domain string) (Status, error) {
	p, is, err := c.Store.Periodic(ctx, c.tenant(), domain)
	if err != nil {
		return Status{}, err
	}
	if !is {
		return Status{}, problem.New(problem.PeriodicNone, problem.Args{"domain": directory.FoldUPN(domain)})
	}
	all, err := c.statuses(ctx, []state.Periodic{p})
	if err != nil {
		return Status{}, err
	}
	return all[0], nil
}

// Statuses reports on every domain of the tenant that was ever enabled, by name.
func (c *Control) Statuses(ctx context.Context) (map[string]Status, error) {
	rows, err := c.Store.Periodics(ctx, state.PeriodicFilter{Tenant: c.tenant()})
	if err != nil {
		return nil, err
	}
	all, err := c.statuses(ctx, rows)
	if err != nil {
		return nil, err
	}
	byName := make(map[string]Status, len(all))
	for _, s := range all {
		byName[s.Domain] = s
	}
	return byName, nil
}

func (c *Control) statuses(ctx context.Context, rows []state.Periodic) ([]Status, error) {
	worker, err := c.worker(ctx)
	if err != nil {
		return nil, err
	}
	held, err := c.Store.Slots(ctx)
	if err != nil {
		return nil, err
	}
	running := map[string]string{}
	for _, h := range held {
		if h.Holder != "" && h.Alive {
			running[key(h.Tenant, h.Domain)] = h.Holder
		}
	}
	now := c.now()
	all := make([]Status, len(rows))
	for i, p := range rows {
		s := Status{Periodic: p, Worker: worker, Running: running[key(p.Tenant, p.Domain)]}
		switch p.State {
		case state.Enabled:
			s.Next = p.Due
			if s.Running == "" {
				s.Late = max(0, now.Sub(p.Due))
			}
		case state.Paused:
			s.Next = p.Until
		case state.Held, state.Disabled:
		}
		all[i] = s
	}
	return all, nil
}

// Workers returns the workers of the state, the latest seen first.
func (c *Control) Workers(ctx context.Context) ([]state.Worker, error) { return c.Store.Workers(ctx) }
