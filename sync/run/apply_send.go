package run

import (
	"context"
	"strconv"
	"time"

	"github.com/hacsync/hacsync/sync/destination"
	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/progress"
	"github.com/hacsync/hacsync/sync/state"
)

const (
	// maxAttempts is how often one step is sent before it is given up.
	maxAttempts = 8
	// settleTime is how long after a request to stop the batch under way may still
	// be finished and settled, by the machine's clock: a person waits for it. What
	// is unknown then stays sent in the journal, for a resumption to settle.
	settleTime = 20 * time.Second
	// releaseLag is how long a UPN that was just let go of may still be refused.
	releaseLag = 5 * time.Minute
	// releasePause is the wait before such a UPN is tried again.
	releasePause = 10 * time.Second
	// throttledGap parts the batches of a sync that was throttled once: 20 writes
	// a second are what Microsoft Graph lets through for ever, and what it
	// refuses counts against the sender too.
	throttledGap = 1050 * time.Millisecond
	// maxThrottled is how often one step is put off by throttling alone.
	maxThrottled = 60
	// defaultPause is the first wait where the destination names none.
	defaultPause = 2 * time.Second
)

// send carries out at most 20 independent steps: confirm, intend, write,
// settle, until each is written, failed or given up. It returns an error only
// where the whole sync has to stop.
func (s *syncing) send(ctx context.Context, todo []plan.Step) error {
	attempts := map[stepKey]int{}
	for pause := time.Duration(0); len(todo) > 0; {
		if err := s.pause(ctx, pause); err != nil {
			return err
		}
		steps, late, wait, err := s.confirm(ctx, todo, attempts)
		if err != nil {
			return err
		}
		if len(steps) == 0 {
			todo, pause = late, wait
			continue
		}
		if s.claimGone() {
			return problem.New(problem.ClaimLost, problem.Args{"domain": s.run.Domain})
		}
		// This commits a beat, after as long as the state was away.
		if err := s.intend(ctx, steps, attempts); err != nil {
			return err
		}
		if !s.claim.Held() { // asleep since: what was intended is settled by whoever goes on
			return problem.New(problem.ClaimLost, problem.Args{"domain": s.run.Domain})
		}
		// From here the batch is finished even if somebody asks to stop: what is
		// sent is settled, if that takes no longer than settleTime.
		last, done := outlast(ctx, settleTime)
		wctx, cancel := context.WithTimeout(last, destination.WriteTime)
		outcomes := s.r.Destination.Write(whileHeld{wctx, s.claim, s.run.Domain}, steps)
		cancel()
		if why := outcomes[0].Why; why != nil && why.Code == problem.ClaimLost {
			done()
			return why // nothing was sent, and what was intended is settled by whoever goes on
		}
		todo, pause, err = s.settle(last, steps, outcomes, attempts)
		done()
		if err != nil {
			return err
		}
		todo, pause = append(todo, late...), max(pause, wait)
	}
	return nil
}

// outlast is a context that ends d after ctx, or when done is called.
func outlast(ctx context.Context, d time.Duration) (last context.Context, done context.CancelFunc) {
	last, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		select {
		case <-time.After(d):
			cancel()
		case <-last.Done():
		}
	})
	return last, func() { stop(); cancel() }
}

// whileHeld ends with the right to write: a token, or a turn among other senders,
// may take longer than the claim stays fresh.
type whileHeld struct {
	context.Context
	claim  Claim
	domain string
}

func (c whileHeld) Err() error {
	if err := c.Context.Err(); err != nil || c.claim.Held() {
		return err
	}
	return problem.New(problem.ClaimLost, problem.Args{"domain": c.domain})
}

// claimGone reports whether another holder was seen. A claim without a fresh beat
// is not gone: the next write to the journal proves it, or waits for the state.
func (s *syncing) claimGone() bool {
	select {
	case <-s.claim.Lost():
		return true
	default:
		return false
	}
}

// pause waits d, and as long as the destination asked all of us to wait.
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

// intend writes the rows of the journal that the next request stands on.
func (s *syncing) intend(ctx context.Context, steps []plan.Step, attempts map[stepKey]int) error {
	s.mu.Lock()
	rows := make([]state.Entry, len(steps))
	now := s.r.Clock.Now()
	for i, step := range steps {
		key := stepKey{step.Action, step.Step}
		attempts[key]++
		before, after := images(step)
		a := s.actions[step.Action]
		if step.Verb == plan.RestoreUser {
			for k, v := range a.was {
				if _, ok := before[k]; !ok {
					before[k] = v
				}
			}
		}
		ref := step.Object
		if ref.ID == "" {
			ref.ID = a.id
		}
		if step.Verb == plan.Create {
			ref.UPN = a.upn
		}
		if step.Counted {
			before.Put(directory.AccountEnabled, directory.Text("false"))
		}
		e := state.Entry{
			Run: s.run.No, Action: step.Action, Step: step.Step, Attempt: attempts[key], State: state.Sent,
			Kind: state.Kind(a.kind.String()), Verb: verbOf(step.Verb), Object: ref,
			Before: before, After: after, Intended: now, Server: s.server,
		}
		if old, ok := s.entries[key]; ok {
			e.Intended, e.Server = old.Intended, old.Server
			e.Attempt = max(e.Attempt, old.Attempt+1)
			attempts[key] = e.Attempt
		}
		rows[i] = e
	}
	s.mu.Unlock()
	if err := s.claim.Intend(ctx, rows); err != nil {
		if ctx.Err() != nil {
			return errStop
		}
		return err
	}
	s.mu.Lock()
	for _, e := range rows {
		s.entries[stepKey{e.Action, e.Step}] = e
		s.actions[e.Action].sent = true
	}
	s.mu.Unlock()
	return nil
}

// settle writes the outcomes of a request to the journal, and says which steps
// are to be sent again, and after how long.
func (s *syncing) settle(
	ctx context.Context, steps []plan.Step, outcomes []destination.Outcome, attempts map[stepKey]int,
) (again []plan.Step, pause time.Duration, err error) {
	var unknown []plan.Step
	rows := make([]state.Entry, 0, len(steps))
	var after []func()
	for i, step := range steps {
		out := outcomes[i]
		key := stepKey{step.Action, step.Step}
		s.tell(out.ServerTime)
		e := s.entry(key)
		e.Answered = s.r.Clock.Now()
		e.Problem = problemJSON(out.Why)
		switch out.Did {
		case destination.Applied:
			e.State = state.Written
			if out.ID != "" {
				e.Object.ID = out.ID
			}
			if !out.ServerTime.IsZero() {
				e.Server = out.ServerTime
			}
			id := e.Object.ID
			after = append(after, func() { s.took(step, id) })
		case destination.NotDone:
			switch wait, retry := s.sendAgain(step, out.Why, attempts[key]); {
			case retry:
				e.State = state.None
				pause = max(pause, wait)
				again = append(again, step)
				after = append(after, func() { s.unsent(step) })
			case s.unheardOf(step, out.Why), attempts[key] > 1 && settledByReading(out.Why):
				e.State = state.Sent
				unknown = append(unknown, step)
			default:
				e.State = state.Rejected
				why := out.Why
				if why.Class() == problem.Retry {
					why = problem.Wrap(why, problem.RetriesSpent, problem.Args{
						"upn": s.actions[step.Action].upn, "attempts": strconv.Itoa(attempts[key]),
					}).WithUpstream(upstreamOf(why))
				}
				after = append(after, func() { s.fail(step, why) })
			}
		case destination.Unknown:
			e.State = state.Sent
			unknown = append(unknown, step)
		}
		rows = append(rows, e)
	}
	if err := s.note(ctx, rows); err != nil {
		return nil, 0, err
	}
	for _, f := range after {
		f()
	}
	if len(unknown) > 0 {
		retry, err := s.settleByReading(ctx, unknown, attempts)
		if err != nil {
			return nil, 0, err
		}
		for _, step := range retry {
			// Reads may lag: the longer nothing shows, the longer the wait.
			pause = max(pause, defaultPause<<min(attempts[stepKey{step.Action, step.Step}]-1, 6))
		}
		again = append(again, retry...)
	}
	return again, pause, nil
}

func upstreamOf(p *problem.Problem) problem.Upstream {
	if p.Upstream == nil {
		return problem.Upstream{}
	}
	return *p.Upstream
}

// entry is the journal row of a step as we hold it.
func (s *syncing) entry(key stepKey) state.Entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.entries[key]
}

// note writes outcomes to the journal and keeps them.
func (s *syncing) note(ctx context.Context, rows []state.Entry) error {
	if len(rows) == 0 {
		return nil
	}
	if err := s.claim.Settle(ctx, rows); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range rows {
		s.entries[stepKey{e.Action, e.Step}] = e
	}
	return nil
}

// sendAgain says whether a refused step is sent again, and after what pause: a
// pause that the destination asked for holds for every sender of this sync; a
// UPN that we let go of a moment ago may still count as taken.
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

// mayRetry reports whether a step has attempts left. Being throttled says
// nothing of the step, so it has a count of its own; and once it happened,
// batches keep apart.
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

// took remembers that the destination took a step.
func (s *syncing) took(step plan.Step, id directory.ID) {
	s.mu.Lock()
	a := s.actions[step.Action]
	if id != "" {
		a.id = id
	}
	now := s.r.Clock.Now()
	s.met[a.id] = now
	switch step.Verb {
	case plan.DeleteUser:
		if a.unless == 0 { // else it may come back
			delete(s.met, a.id)
		}
		s.released[directory.FoldUPN(step.Object.UPN)] = now
	case plan.PatchUPN:
		for _, c := range step.Set {
			if c.Attribute == directory.UserPrincipalName && c.Old.Set {
				s.released[directory.FoldUPN(c.Old.Text)] = now
			}
		}
	case plan.RestoreUser:
		s.back[a.id] = now
	case plan.Create, plan.Patch:
	}
	s.mu.Unlock()
	s.wrote(step, true)
}

// wrote counts a step as done; ours says that this sync sent it.
func (s *syncing) wrote(step plan.Step, ours bool) {
	s.mu.Lock()
	a := s.actions[step.Action]
	if step.Unless != 0 {
		a.back = true
		s.mu.Unlock()
		return
	}
	a.written++
	a.sent = a.sent || ours
	complete := a.written == a.steps
	if complete && a.sent {
		s.sent++
	}
	e := progress.Event{Phase: progress.Write, Done: s.sent, Total: len(s.actions)}
	if complete {
		e.Row = &progress.Row{No: step.Action, Kind: a.kind.String(), UPN: a.upn, Outcome: "sent"}
	}
	s.mu.Unlock()
	s.r.report(e)
}

// fail gives up an action.
func (s *syncing) fail(step plan.Step, why *problem.Problem) {
	s.mu.Lock()
	a := s.actions[step.Action]
	if step.Unless != 0 {
		why = a.notPutBack(why)
	}
	a.outcome, a.why = OutcomeFailed, why
	e := progress.Event{Phase: progress.Write, Done: s.sent, Total: len(s.actions), Row: &progress.Row{
		No: step.Action, Kind: a.kind.String(), UPN: a.upn, Outcome: OutcomeFailed, Err: why,
	}}
	s.mu.Unlock()
	s.log("row failed", "no", step.Action, "upn", e.Row.UPN, told(why))
	s.r.report(e)
}

// notPutBack says of an account that it is gone although its deletion was to be
// taken back.
func (a *acting) notPutBack(why *problem.Problem) *problem.Problem {
	args := problem.Args{"upn": a.upn, "no": strconv.Itoa(a.unless)}
	if why == nil {
		return problem.New(problem.RowNotPutBack, args)
	}
	return problem.Wrap(why, problem.RowNotPutBack, args).WithUpstream(upstreamOf(why))
}

func (s *syncing) log(msg string, args ...any) { s.r.logOf(s.run).Info(msg, args...) }
