package run

import (
	"context"
	"slices"
	"time"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/progress"
)

const (
	// maxAttempts is how often one step is sent before it is given up.
	maxAttempts = 8
	// settleTime is how long after a user asks to stop the batch under way may still
	// be finished and settled, by the machine's clock: the user waits for it. An
	// outcome that is unknown then stays sent in the journal, and Resume settles it.
	settleTime = 20 * time.Second
	// releaseLag is how long a UPN that was just released may still be refused.
	releaseLag = 5 * time.Minute
	// releasePause is the wait before such a UPN is tried again.
	releasePause = 10 * time.Second
	// throttledGap is the time between batches of a sync that was throttled once:
	// Microsoft Graph accepts 20 writes a second for any length of time, and refused
	// requests count too.
	throttledGap = 1050 * time.Millisecond
	// maxThrottled is how often one step is put off by throttling alone.
	maxThrottled = 60
	// defaultPause is the first wait where the destination names none.
	defaultPause = 2 * time.Second
)

// send carries out at most 20 independent steps: each is read once more, and sent in
// attempts until it is written, failed or given up. It returns an error only where
// the whole sync has to stop.
func (s *syncing) send(ctx context.Context, todo []plan.Step) error {
	tries := map[stepKey]int{}
	for pause := time.Duration(0); len(todo) > 0; {
		if err := s.pause(ctx, pause); err != nil {
			return err
		}
		ready, late, wait, err := s.confirm(ctx, todo, tries)
		if err != nil {
			return err
		}
		todo, pause = late, wait
		if len(ready) == 0 {
			continue
		}
		a := attempt{s: s, steps: ready, tries: tries}
		if err := a.complete(ctx); err != nil {
			return err
		}
		todo, pause = slices.Concat(a.again, late), max(a.pause, wait)
	}
	return nil
}

// pause waits d, and until the pause is over that the destination asked for.
func (s *syncing) pause(ctx context.Context, d time.Duration) error {
	for {
		if ctx.Err() != nil {
			return errStop
		}
		s.mu.Lock()
		now := s.r.Clock.Now()
		if left := s.resume.Sub(now); left > d {
			d = left
		}
		if d <= 0 && s.gap > 0 {
			if d = s.slot.Sub(now); d <= 0 {
				s.slot = now.Add(s.gap)
			}
		}
		s.mu.Unlock()
		if d <= 0 {
			return nil
		}
		if s.r.Clock.Sleep(ctx, d) != nil {
			return errStop
		}
		d = 0
	}
}

// sendAgain reports whether a refused step is sent again, and after which pause. A
// pause that the destination asked for holds for every sender of this sync. A UPN that
// this sync released a moment ago may still count as taken.
func (s *syncing) sendAgain(step plan.Step, why *problem.Problem, attempt int) (time.Duration, bool) {
	if why == nil || !s.mayRetry(stepKey{step.Action, step.Step}, why, attempt) {
		return 0, false
	}
	if why.Class() == problem.Retry {
		wait := defaultPause << min(attempt-1, 5)
		if u := why.Upstream; u != nil && u.RetryAfter > 0 {
			wait = u.RetryAfter
		}
		reason := progress.Reason(why)
		s.mu.Lock()
		until := s.r.Clock.Now().Add(wait)
		if until.After(s.resume) {
			s.resume = until
			if reason == progress.Asked {
				s.paused += wait
			}
		}
		s.mu.Unlock()
		s.r.report(progress.Event{Phase: progress.Write, Pause: wait, Why: reason})
		s.log("sent again after a pause", "wait", wait, "reason", string(reason), "no", step.Action, told(why))
		return wait, true
	}
	if !isConflict(why) {
		return 0, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range step.Set {
		if c.Attribute != directory.UserPrincipalName {
			continue
		}
		if at, ok := s.released[directory.FoldUPN(c.New.Text)]; ok && s.r.Clock.Now().Sub(at) < releaseLag {
			return releasePause, true
		}
	}
	return 0, false
}

// mayRetry reports whether a step has attempts left. Throttling is not the step's
// fault, so it has a count of its own; once it happened, throttledGap is kept between
// batches.
func (s *syncing) mayRetry(key stepKey, why *problem.Problem, attempt int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if why.Code == problem.Throttled {
		s.gap = throttledGap
		s.throttled[key]++
		return s.throttled[key] < maxThrottled
	}
	return attempt-s.throttled[key]-s.unheard[key] < maxAttempts
}

// spent reports whether a step has no attempts left, or found no account for as
// long as reads may lag.
func (s *syncing) spent(key stepKey, attempt int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, absent := s.absent[key]
	return attempt-s.throttled[key]-s.unheard[key] >= maxAttempts ||
		absent && s.r.Clock.Now().Sub(a.since) >= lagWindow
}

// isConflict reports whether the destination says that another object has the
// value.
func isConflict(p *problem.Problem) bool {
	return p != nil && problem.Has(p, problem.ConflictUPN, problem.ConflictAddress, problem.ConflictImmutableID, problem.ConflictOther)
}

// settledByReading reports whether a refusal of a second attempt may only mean
// that the first one had its effect: a conflict with ourselves, or an object
// that is gone because we deleted it.
func settledByReading(p *problem.Problem) bool {
	return isConflict(p) || isMissing(p)
}

// isMissing reports whether the destination says that there is no such account.
func isMissing(p *problem.Problem) bool {
	return p != nil && p.Upstream != nil && p.Upstream.Status == 404
}

func (s *syncing) log(msg string, args ...any) { s.r.logOf(s.run).Info(msg, args...) }

func upstreamOf(p *problem.Problem) problem.Upstream {
	if p.Upstream == nil {
		return problem.Upstream{}
	}
	return *p.Upstream
}
