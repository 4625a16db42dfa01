package run

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/progress"
	"github.com/hacsync/hacsync/sync/state"
)

// Sync applies p exactly. It takes the claim, judges the guard, compares with
// both sides again, obtains the permission to write, writes each intent to the
// journal before its request and the outcome after it, and reads back what it
// wrote. Guard, drift and a claim held elsewhere are problems with nothing
// written; the Report then says so. ctx cancelled stops it safely between
// requests: the batch under way is finished and settled.
func (r *Runner) Sync(ctx context.Context, p *Planned, a Approval) (*Report, error) {
	if err := r.approved(p.Plan, a); err != nil {
		return nil, err
	}
	ctx = applying(ctx, p.Plan)
	claim, others, err := r.claims(ctx, p.Plan.Domain(), p.Plan.Leaves(), !a.Unattended)
	if err != nil {
		return nil, err
	}
	defer release(ctx, append(others, claim)...)
	if err := r.abandonOlder(ctx, claim, p.Plan.Domain()); err != nil {
		return nil, err
	}
	if err := r.Decide(ctx, p.Plan.Domain(), a.Lasting); err != nil {
		return nil, err
	}
	s := newSync(r, claim, p, a)
	if err := s.begin(ctx); err != nil {
		return nil, err
	}
	if err := r.save(ctx, s.run.No, s.plan); err != nil {
		return s.end(ctx, err)
	}
	return s.end(ctx, s.carryOut(ctx))
}

// newSync is the sync of an approved plan.
func newSync(r *Runner, c Claim, p *Planned, a Approval) *syncing {
	s := newSyncing(r, c, p.Plan, state.Run{
		Kind: kindOf(p.Plan), Tenant: r.Connection.Tenant, Connection: r.Connection.Name, Domain: p.Plan.Domain(),
		State: state.Running, Started: r.Clock.Now(), PlanOf: planOf(p), Fingerprint: p.Plan.Fingerprint().String(),
		By: a.By, Note: a.Note, Unattended: a.Unattended, Source: p.Source,
	}, Summary{RaiseOnce: a.RaiseOnce, SkipDrifted: a.SkipDrifted, Count: p.Count, Confirmed: p.Plan.Confirmed()})
	s.alone, s.ahead = a.Unattended, p.ahead
	s.sum.planned(p.Plan)
	s.run.Summary = s.sum.json()
	return s
}

// begin stores the run. From then on it is in the sync log; once its plan is stored
// too, it can be resumed.
func (s *syncing) begin(ctx context.Context) (err error) {
	if s.run.No, err = s.r.Store.BeginRun(ctx, s.run); err != nil {
		return err
	}
	s.log("run began", "unattended", s.run.Unattended, "plan", s.plan.Fingerprint().Code(), "plan_of", s.run.PlanOf, "by", s.run.By)
	return nil
}

// approved checks that p is what the approval means and may be applied here.
func (r *Runner) approved(p *plan.Plan, a Approval) error {
	if why := p.Applyable(); why != nil && !why.Code.Guard() { // the guard judges under the claim
		return why
	}
	if a.Unattended && !p.Unattended() {
		return problem.New(problem.PlanWatched, problem.Args{"plan": p.Fingerprint().Code(), "domain": p.Domain()})
	}
	if p.Tenant() != r.Connection.Tenant {
		return problem.New(problem.WrongTenant, problem.Args{
			"plan": p.Tenant(), "connection": r.Connection.Tenant,
		})
	}
	if a.Fingerprint != p.Fingerprint() {
		return problem.New(problem.NotApproved, problem.Args{
			"approved": a.Fingerprint.Code(), "plan": p.Fingerprint().Code(),
		})
	}
	return nil
}

func release(ctx context.Context, claims ...Claim) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	for _, c := range claims {
		_ = c.Release(ctx) // the next holder recognises it as dead
	}
}

// claims takes the claim of the plan's domain, and of those that accounts leave by
// it. They are taken in order of name, so that two runs never wait for each other.
func (r *Runner) claims(ctx context.Context, domain string, leaves []string, wait bool) (own Claim, others []Claim, err error) {
	names := append([]string{domain}, leaves...)
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		c, err := r.Store.Take(ctx, r.Connection.Tenant, name, r.Holder, wait)
		if err != nil {
			if own != nil {
				others = append(others, own)
			}
			release(ctx, others...)
			return nil, nil, err
		}
		if name == domain {
			own = c
		} else {
			others = append(others, c)
		}
	}
	return own, others, nil
}

// syncing is one sync under way.
type syncing struct {
	r     *Runner
	claim Claim
	run   state.Run
	sum   Summary
	plan  *plan.Plan

	mu      sync.Mutex
	actions map[int]*acting
	entries map[stepKey]state.Entry
	// released is when a rename or a deletion of this run released a UPN.
	released map[string]time.Time
	// met is when this run last saw an account, made it or restored it; back is when
	// it restored it. absent are steps that found no account although it was met, and
	// unheard is how often the destination answered one of them so.
	met, back map[directory.ID]time.Time
	absent    map[stepKey]absence
	unheard   map[stepKey]int
	// server is the newest time of the destination's clock.
	server time.Time
	resume time.Time // nothing is sent before this: the destination asked for a pause
	paused time.Duration
	// gap is the time between batches once the destination throttled, slot is when the
	// next may leave, and throttled counts how often each step was put off by
	// throttling.
	gap       time.Duration
	slot      time.Time
	throttled map[stepKey]int
	sent      int
	seen      int
	drifted   []plan.Drifted
	resumed   bool
	// alone: unattended, so that no user can be asked. ahead is how far the
	// destination's clock is ahead of this machine's. verdict is that of the guard
	// where it is not the plan's.
	alone   bool
	source  string // its name in links, once it was read again
	begun   time.Time
	ahead   time.Duration
	verdict *plan.Verdict
}

type stepKey struct{ action, step int }

// acting is one action under way.
type acting struct {
	after   []int
	steps   int // but the one that takes a deletion back
	written int // steps the destination took, or that were already so
	sent    bool
	outcome string // empty until it is known
	why     *problem.Problem
	id      directory.ID
	before  state.Image // values of before, of all steps
	final   state.Image // values wanted, of all steps
	was     state.Image // what a deleted account was like before it is restored
	// unless is the addition without which a deletion is taken back, 0 for none;
	// back: it was.
	unless int
	back   bool
	kind   plan.Kind
	upn    string
}

func newSyncing(r *Runner, c Claim, p *plan.Plan, run state.Run, sum Summary) *syncing {
	s := &syncing{
		r: r, claim: c, run: run, sum: sum, begun: r.Clock.Now(),
		entries: map[stepKey]state.Entry{}, released: map[string]time.Time{}, throttled: map[stepKey]int{},
		met: map[directory.ID]time.Time{}, back: map[directory.ID]time.Time{},
		absent: map[stepKey]absence{}, unheard: map[stepKey]int{},
	}
	s.use(p)
	return s
}

// use makes p the plan to carry out.
func (s *syncing) use(p *plan.Plan) {
	s.plan, s.sent, s.seen = p, 0, 0
	s.actions = make(map[int]*acting, p.Len())
	for a := range p.Actions() {
		st := &acting{
			after: a.After, kind: a.Kind, upn: a.UPN, id: a.User.ID,
			before: state.Image{}, final: state.Image{},
		}
		for _, step := range a.Steps {
			if step.Unless != 0 {
				st.unless = step.Unless
				continue
			}
			st.steps++
			before, after := images(step)
			for k, v := range before {
				if _, ok := st.before[k]; !ok {
					st.before[k] = v
				}
			}
			for k, v := range after {
				st.final[k] = v
			}
		}
		s.actions[a.No] = st
	}
}

// errStop ends a sync early without a problem of its own: ctx says why.
var errStop = errors.New("stopped")

// carryOut does everything from the guard to the last read-back.
func (s *syncing) carryOut(ctx context.Context) error {
	if err := s.guard(ctx); err != nil {
		return err
	}
	if len(s.actions) == 0 {
		return nil
	}
	if err := s.settleUnknown(ctx); err != nil {
		return err
	}
	if err := s.checkDrift(ctx); err != nil {
		return err
	}
	if s.nothingLeft() {
		return s.verify(ctx, true)
	}
	if err := s.mayWrite(ctx); err != nil {
		return err
	}
	if err := s.pausePeriodic(ctx); err != nil {
		return err
	}
	s.r.report(progress.Event{Phase: progress.Write, Total: len(s.actions)})
	for wave := range s.plan.Waves() {
		if err := s.wave(ctx, wave); err != nil {
			return err
		}
	}
	s.r.report(progress.Event{Phase: progress.Write, Done: s.sent, Total: len(s.actions), Ended: true})
	return s.verify(ctx, true)
}

// guard judges the plan that will be applied, before the first write. A limit that is
// raised once is used up by the first sync of the fingerprint, and holds when that is
// resumed.
func (s *syncing) guard(ctx context.Context) error {
	if s.run.Unattended && len(s.entries) == 0 {
		if err := s.guardToday(ctx); err != nil {
			return err
		}
	}
	why := s.plan.Applyable()
	if why == nil || len(s.entries) > 0 { // begun means it was let pass
		return nil
	}
	if !s.sum.RaiseOnce || !why.Code.Guard() {
		return why
	}
	fresh, err := s.r.Store.UseRaise(ctx, s.run.Tenant, s.plan.Fingerprint().String())
	if err != nil {
		return err
	}
	if !fresh && !s.resumed {
		return problem.New(problem.RaiseSpent, problem.Args{"plan": s.plan.Fingerprint().Code()})
	}
	return nil
}

func (s *syncing) nothingLeft() bool {
	for no, a := range s.actions {
		if a.outcome == "" && a.written < a.steps || s.toTakeBack(no) {
			return false
		}
	}
	return true
}

// toTakeBack reports whether an account that this run deleted is to be restored: the
// addition for which it was deleted failed.
func (s *syncing) toTakeBack(no int) bool {
	a := s.actions[no]
	b := s.actions[a.unless]
	if b == nil || a.back || a.outcome != "" && a.outcome != OutcomeSeen ||
		b.written > 0 || b.outcome != OutcomeFailed && b.outcome != OutcomeNotTried {
		return false
	}
	e := s.entries[stepKey{no, 0}]
	return e.State == state.Written || e.State == state.Seen
}

// batch is how many steps one request carries: Graph's limit.
const batch = 20

// inFlight is how many requests are under way at once within a wave.
const inFlight = 4

// wave sends the steps of one wave; where the next wave depends on them, it waits
// until they are seen.
func (s *syncing) wave(ctx context.Context, w plan.Wave) error {
	var todo []plan.Step
	for _, step := range w.Steps {
		if s.ready(step) {
			todo = append(todo, step)
		}
	}
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(inFlight)
	for len(todo) > 0 {
		n := min(batch, len(todo))
		chunk := todo[:n]
		todo = todo[n:]
		g.Go(func() error { return s.send(gctx, chunk) })
	}
	if err := g.Wait(); err != nil {
		return err
	}
	if w.Barrier {
		if err := s.awaitSteps(ctx, w.Steps); err != nil {
			return err
		}
	}
	return s.verify(ctx, false)
}

// ready reports whether a step is still to be sent. A step whose action, or an
// action before it, did not succeed is not tried.
func (s *syncing) ready(step plan.Step) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.actions[step.Action]
	if a != nil && step.Unless != 0 {
		if !s.toTakeBack(step.Action) {
			return false
		}
		if a.outcome == OutcomeSeen {
			a.outcome = ""
			s.seen--
		}
		return true
	}
	if a == nil || a.outcome != "" {
		return false
	}
	if e, ok := s.entries[stepKey{step.Action, step.Step}]; ok && (e.State == state.Written || e.State == state.Seen) {
		return false
	}
	for _, no := range slices.Concat(a.after, step.After) {
		if b := s.actions[no]; b != nil && b.outcome != "" && b.outcome != OutcomeSeen {
			a.outcome = OutcomeNotTried
			if a.written > 0 { // the last step of a cycle: the account has a temporary UPN
				a.outcome = OutcomeFailed
			}
			a.why = problem.New(problem.RowWaits, problem.Args{"upn": a.upn, "no": strconv.Itoa(no)})
			return false
		}
	}
	return true
}

// end writes the run's end and makes the report. The error is what carryOut
// returned, or that of a claim that another process has.
func (s *syncing) end(ctx context.Context, err error) (*Report, error) {
	end := state.Done
	switch {
	case err == nil:
	case ctx.Err() != nil || errors.Is(err, errStop) || errors.Is(err, context.Canceled):
		end = state.Stopped
		err = problem.Wrap(context.Cause(ctx), problem.Interrupted, problem.Args{
			"run": strconv.FormatInt(s.run.No, 10), "domain": s.run.Domain,
		})
	case problem.Has(err, problem.ClaimLost):
		rep := s.result(state.Running)
		return rep, err // the run belongs to the process that took the claim
	case len(s.entries) > 0:
		end = state.Stopped
		err = s.stateAway(err)
	case refuses(err):
		end = state.Refused
	default:
		end = state.Failed
	}
	return s.endAs(ctx, end, err)
}

// refuses reports whether err is a decision not to write, not a failure.
func refuses(err error) bool {
	return problem.Guarded(err) || problem.Has(err, problem.RaiseSpent, problem.PlanDrifted, problem.SettingsChanged)
}

// stateAway wraps the error of a state that failed in the middle of a sync with what
// became of the sync and how to go on.
func (s *syncing) stateAway(err error) error {
	args := problem.Args{"run": strconv.FormatInt(s.run.No, 10), "domain": s.run.Domain}
	switch {
	case problem.Has(err, problem.StateUnreachable, problem.StateBusy):
		return problem.Wrap(err, problem.StateWentAway, args)
	case problem.Has(err, problem.StateFull):
		return problem.Wrap(err, problem.StateRanFull, args)
	}
	return err
}

// endAs writes the run's end and makes the report.
func (s *syncing) endAs(ctx context.Context, end state.RunState, err error) (*Report, error) {
	rep := s.result(end)
	if err == nil && rep.Failed+rep.NotTried+rep.NotYetSeen > 0 {
		rep.State = state.Partial
	}
	s.run.State, s.run.Ended = rep.State, rep.Ended
	s.sum.became(rep)
	s.sum.planned(s.plan)
	if s.verdict != nil {
		s.sum.Verdict = s.verdict
	}
	s.sum.Problem = nil
	if err != nil {
		s.sum.Problem = storedProblem(err)
	}
	s.run.Summary = s.sum.json()
	s.r.ended(s.run, s.sum, err)
	if uerr := s.endRun(context.WithoutCancel(ctx), rep); err == nil {
		err = uerr
	}
	return rep, err
}

// endRun writes the end of the run together with what it taught, and ends what was
// decided for it alone.
func (s *syncing) endRun(ctx context.Context, rep *Report) error {
	lesson, err := s.lessonOf(ctx, rep)
	if err != nil {
		return err
	}
	if err := s.decidedFor(ctx, rep.State); err != nil {
		return err
	}
	return s.claim.EndRun(ctx, s.run, lesson)
}
