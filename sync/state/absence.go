package state

import (
	"context"
	"time"

	"github.com/hacsync/hacsync/sync/clock"
	"github.com/hacsync/hacsync/sync/problem"
)

// A database server is restarted, or the network to it fails for a moment, in the
// middle of a sync. The holder of a claim then waits and continues. It may repeat a
// write after a lost answer: every write of a claim is fenced, and gives the same
// result when it is repeated. The times are in real time, because the server runs in
// real time.
const (
	// absence is how long the state may be away before a sync is stopped.
	absence = 2 * time.Minute
	// Between attempts there is a pause that grows, so that many processes do not
	// keep a server from coming up.
	firstPause = 250 * time.Millisecond
	lastPause  = 5 * time.Second
)

// throughAbsence repeats f while the server does not answer. A network that drops
// everything returns no error, so an attempt that takes longer than limit counts as
// no answer. Once the claim has waited the whole time in vain, it does not wait
// again until the server has answered.
func (c *Claim) throughAbsence(ctx context.Context, limit time.Duration, doing string, f func(context.Context) error) error {
	s, start := c.store, time.Now()
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		attempt, cancel := context.WithTimeout(ctx, limit)
		err := f(attempt)
		late := attempt.Err() != nil && ctx.Err() == nil
		cancel()
		if err != nil && late {
			err = problem.Wrap(err, problem.StateUnreachable, problem.Args{"state": s.URL()})
		}
		away := problem.Has(err, problem.StateUnreachable)
		if !away {
			if err == nil {
				c.setGivenUp(false)
			}
			return err
		}
		if c.hasGivenUp() {
			return err
		}
		if time.Since(start)+pause > s.pace.absence {
			c.setGivenUp(true)
			return err
		}
		s.log.WarnContext(ctx, "the state does not answer", "doing", doing, "claim", c.name, "pause", pause, "err", err)
		if clock.Real().Sleep(ctx, pause) != nil {
			return err
		}
	}
}

func (c *Claim) hasGivenUp() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.givenUp
}

func (c *Claim) setGivenUp(is bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.givenUp = is
}

// attemptTime is how long one transaction of a claim may take. A SQLite file has no
// network, and waits for other writers in its own way.
func (s *Store) attemptTime() time.Duration {
	if s.dialect.sqlite {
		return s.pace.absence + s.pace.patience
	}
	return s.pace.fresh
}
