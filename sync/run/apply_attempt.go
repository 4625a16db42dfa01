package run

import (
	"context"
	"strconv"
	"time"

	"github.com/hacsync/hacsync/sync/destination"
	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/state"
)

// attempt is one request, of at most 20 steps, from its rows in the journal to their
// outcomes:
//
//	intend           the journal has each step as sent
//	write            the request leaves, once, under a fresh claim
//	settle           the journal has what became of each step, as it was answered
//	settleByReading  or, where the answer never came or says nothing, as it is read
//
// A process that dies in between leaves steps in the state sent. The process that
// resumes the run makes an attempt of them that has only its end: settleUnknown.
type attempt struct {
	s     *syncing
	steps []plan.Step
	tries map[stepKey]int // how often each step was sent, with this attempt
	// again are steps to be sent again after pause: they are known to have had no
	// effect.
	again []plan.Step
	pause time.Duration
	// rows are outcomes that the journal does not have yet, then is what follows once
	// it has them.
	rows []state.Entry
	then []func()
}

// complete makes the attempt. Once its request has left, the attempt is finished also
// where a user asks to stop, if that takes no longer than settleTime.
func (a *attempt) complete(ctx context.Context) error {
	if err := a.intend(ctx); err != nil {
		return err
	}
	last, done := outlast(ctx, settleTime)
	defer done()
	outcomes, err := a.write(last)
	if err != nil {
		return err
	}
	return a.settle(last, outcomes)
}

// intend is the beginning: the journal has each step as sent before the request
// leaves. It commits a beat of the claim, after as long as the state was away.
func (a *attempt) intend(ctx context.Context) error {
	if a.s.claimGone() {
		return a.claimLost()
	}
	rows := make([]state.Entry, len(a.steps))
	for i, step := range a.steps {
		rows[i] = a.intent(step)
	}
	if err := a.s.claim.Intend(ctx, rows); err != nil {
		if ctx.Err() != nil {
			return errStop
		}
		return err
	}
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	for _, e := range rows {
		a.s.entries[stepKey{e.Action, e.Step}] = e
		a.s.actions[e.Action].sent = true
	}
	return nil
}

// intent is the row of a step before its request. A step that is sent again keeps the
// times of the first intent: an account that it made is not older than that.
func (a *attempt) intent(step plan.Step) state.Entry {
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	key, of := stepKey{step.Action, step.Step}, a.s.actions[step.Action]
	a.tries[key]++
	before, after := images(step)
	if step.Verb == plan.RestoreUser {
		for k, v := range of.was {
			if _, ok := before[k]; !ok {
				before[k] = v
			}
		}
	}
	ref := step.Object
	if ref.ID == "" {
		ref.ID = of.id
	}
	if step.Verb == plan.Create {
		ref.UPN = of.upn
	}
	if step.Counted {
		before.Put(directory.AccountEnabled, directory.Text("false"))
	}
	e := state.Entry{
		Run: a.s.run.No, Action: step.Action, Step: step.Step, Attempt: a.tries[key], State: state.Sent,
		Kind: state.Kind(of.kind.String()), Verb: verbOf(step.Verb), Object: ref,
		Before: before, After: after, Intended: a.s.r.Clock.Now(), Server: a.s.server,
	}
	if old, ok := a.s.entries[key]; ok {
		e.Intended, e.Server = old.Intended, old.Server
		e.Attempt = max(e.Attempt, old.Attempt+1)
		a.tries[key] = e.Attempt
	}
	return e
}

// write sends the request. An error means that nothing was sent: what was intended is
// then settled by the process that goes on.
func (a *attempt) write(ctx context.Context) ([]destination.Outcome, error) {
	if !a.s.claim.Held() { // asleep since the intent
		return nil, a.claimLost()
	}
	ctx, cancel := context.WithTimeout(ctx, destination.WriteTime)
	defer cancel()
	outcomes := a.s.r.Destination.Write(whileHeld{ctx, a.s.claim, a.s.run.Domain}, a.steps)
	if why := outcomes[0].Why; why != nil && why.Code == problem.ClaimLost {
		return nil, why
	}
	return outcomes, nil
}

func (a *attempt) claimLost() error {
	return problem.New(problem.ClaimLost, problem.Args{"domain": a.s.run.Domain})
}

// settle is the end: the journal has each outcome, and what is unknown is read.
func (a *attempt) settle(ctx context.Context, outcomes []destination.Outcome) error {
	var unknown []plan.Step
	for i, step := range a.steps {
		if a.answered(step, outcomes[i]) == state.Sent {
			unknown = append(unknown, step)
		}
	}
	if err := a.note(ctx); err != nil {
		return err
	}
	if len(unknown) == 0 {
		return nil
	}
	return a.settleByReading(ctx, unknown)
}

// answered makes the row of a step's outcome, and returns its state: sent is one
// that is not known.
func (a *attempt) answered(step plan.Step, out destination.Outcome) state.EntryState {
	key := stepKey{step.Action, step.Step}
	a.s.tell(out.ServerTime)
	e := a.s.entry(key)
	e.Problem = problemJSON(out.Why)
	switch out.Did {
	case destination.Applied:
		if out.ID != "" {
			e.Object.ID = out.ID
		}
		if !out.ServerTime.IsZero() {
			e.Server = out.ServerTime
		}
		return a.became(e, state.Written, func() { a.s.took(step, e.Object.ID) })
	case destination.NotDone:
		wait, retry := a.s.sendAgain(step, out.Why, a.tries[key])
		switch {
		case retry:
			a.again, a.pause = append(a.again, step), max(a.pause, wait)
			return a.became(e, state.None, func() { a.s.unsent(step) })
		case a.s.unheardOf(step, out.Why), a.tries[key] > 1 && settledByReading(out.Why):
			return a.became(e, state.Sent, nil)
		}
		why := out.Why
		if why.Class() == problem.Retry {
			why = problem.Wrap(why, problem.RetriesSpent, problem.Args{
				"upn": a.s.actions[step.Action].upn, "attempts": strconv.Itoa(a.tries[key]),
			}).WithUpstream(upstreamOf(why))
		}
		return a.became(e, state.Rejected, func() { a.s.fail(step, why) })
	case destination.Unknown:
	}
	return a.became(e, state.Sent, nil)
}

// became adds a row to what note writes, with what follows from it; nil for nothing.
func (a *attempt) became(e state.Entry, s state.EntryState, then func()) state.EntryState {
	e.State, e.Answered = s, a.s.r.Clock.Now()
	a.rows = append(a.rows, e)
	if then != nil {
		a.then = append(a.then, then)
	}
	return s
}

// settleByReading reads the accounts of steps whose answer never came, or does not say
// what happened. A step that had no effect is to be sent again; one whose account is
// neither as before nor as wanted is a conflict.
func (a *attempt) settleByReading(ctx context.Context, steps []plan.Step) error {
	refs := make([]directory.Ref, len(steps))
	for i, step := range steps {
		if step.Verb == plan.Create {
			refs[i] = a.s.wanted(step)
			continue
		}
		refs[i] = directory.Ref{ID: a.s.objectID(step)}
	}
	sightings, err := a.s.r.Destination.Look(ctx, refs, a.s.plan.Policy().Attributes, destination.WithoutRoles)
	if err != nil {
		return err
	}
	a.s.notice(sightings)
	for i, step := range steps {
		a.read(step, matching(sightings, refs[i]))
	}
	return a.note(ctx)
}

// read makes the row of a step from what was read of its account.
func (a *attempt) read(step plan.Step, found []directory.Sighting) {
	key := stepKey{step.Action, step.Step}
	e := a.s.entry(key)
	verdict, id, why := a.s.judge(step, e, found)
	var then func()
	switch {
	case verdict == state.None && a.s.spent(key, a.tries[key]):
		verdict = state.Rejected
		why = problem.New(problem.RetriesSpent, problem.Args{
			"upn": a.s.actions[step.Action].upn, "attempts": itoa(a.tries[key]),
		})
		then = func() { a.s.fail(step, why) }
	case verdict == state.None:
		// Reads may lag: the longer nothing shows, the longer the wait.
		a.again, a.pause = append(a.again, step), max(a.pause, defaultPause<<min(max(a.tries[key]-1, 0), 6))
		then = func() { a.s.unsent(step) }
	case verdict == state.Written:
		e.Object.ID = id
		then = func() { a.s.took(step, id) }
	default:
		then = func() { a.s.fail(step, why) }
	}
	if why != nil {
		e.Problem = problemJSON(why)
	}
	a.s.log("unknown outcome settled by reading", "no", step.Action, "state", verdict)
	a.became(e, verdict, then)
}

// note writes the outcomes to the journal; what follows from them counts from then on.
func (a *attempt) note(ctx context.Context) error {
	if err := a.s.note(ctx, a.rows); err != nil {
		return err
	}
	for _, f := range a.then {
		f()
	}
	a.rows, a.then = nil, nil
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

// whileHeld is a context that ends when the claim is no longer fresh: waiting for a
// token, or for other senders, may take longer than that.
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
// may still be ours: the next write to the journal proves it, or waits for the state.
func (s *syncing) claimGone() bool {
	select {
	case <-s.claim.Lost():
		return true
	default:
		return false
	}
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
