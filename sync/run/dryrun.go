package run

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/hacsync/hacsync/sync/destination"
	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/progress"
	"github.com/hacsync/hacsync/sync/source"
	"github.com/hacsync/hacsync/sync/state"
)

// DryRun reads both sides at once, computes the plan and stores it. It writes
// nothing to the tenant and is never cancelled by the guard: the plan has the
// verdict. A side that cannot be read to its end gives no plan; the sync log then has
// the run with the cause.
func (r *Runner) DryRun(ctx context.Context, domain string, o Overrides) (*Planned, error) {
	domain = directory.FoldUPN(domain)
	run := state.Run{
		Kind: state.DryRun, Tenant: r.Connection.Tenant, Connection: r.Connection.Name, Domain: domain,
		State: state.Running, Unattended: o.Unattended,
	}
	var (
		settings Settings
		src      source.Source
		planned  *Planned
		lesson   *state.Lesson
		sum      Summary
		err      error
	)
	prepare := func() error {
		if err := r.verified(ctx, domain); err != nil {
			return err
		}
		if settings, err = r.settings(ctx, domain); err != nil {
			return err
		}
		run.Source = specOf(o, settings)
		src, err = r.openSource(ctx, domain, o, settings)
		return err
	}
	// Attended, an unknown domain or a missing source is returned at once, before a
	// run is begun. Unattended, every error is stored in a run, so that the sync log
	// shows it.
	if !o.Unattended {
		if err := prepare(); err != nil {
			return nil, err
		}
	} else if kv, kerr := r.Store.Settings(ctx, r.Connection.Tenant, domain); kerr == nil {
		run.Source = cmp.Or(o.Source, kv[KeySource])
	}
	run.Started = r.Clock.Now()
	if run.No, err = r.Store.BeginRun(ctx, run); err != nil {
		return nil, err
	}
	r.logOf(run).Info("run began", "unattended", o.Unattended)
	if o.Unattended {
		err = prepare()
	}
	if err == nil {
		planned, lesson, sum, err = r.dryRun(ctx, &run, src, settings, o)
	}
	sum.Took = r.Clock.Now().Sub(run.Started)
	run.Ended, run.State = r.Clock.Now(), state.Done
	if err != nil {
		run.State = state.Failed
		if ctx.Err() != nil {
			run.State = state.Stopped
		}
		sum.Problem = storedProblem(err)
	} else {
		run.Fingerprint = planned.Plan.Fingerprint().String()
	}
	run.Summary = sum.json()
	r.ended(run, sum, err)
	var p *plan.Plan
	if err == nil {
		p = planned.Plan
	}
	if uerr := r.endDryRun(context.WithoutCancel(ctx), run, p, lesson); err == nil {
		err = uerr
	}
	if err != nil {
		return nil, err
	}
	return r.Reviewed(ctx, planned)
}

func specOf(o Overrides, s Settings) string {
	if o.Source != "" {
		return o.Source
	}
	return s.Source
}

func storedProblem(err error) *problem.Stored {
	if p := problem.Of(err); p != nil {
		return p.Store()
	}
	return problem.Wrap(err, problem.Internal, problem.Args{"what": "unexpected error"}).Store()
}

// dryRun does the reading and the planning of an entered run.
func (r *Runner) dryRun(
	ctx context.Context, run *state.Run, src source.Source, settings Settings, o Overrides,
) (*Planned, *state.Lesson, Summary, error) {
	sum := Summary{Count: max(o.Count, 0)}
	in, err := r.read(ctx, run.Domain, src, settings, o)
	if err != nil {
		return nil, nil, sum, err
	}
	if err := r.seenEnabled(ctx, &in); err != nil {
		return nil, nil, sum, err
	}
	if err := r.dropLinks(ctx, &in); err != nil {
		return nil, nil, sum, err
	}
	p, err := r.build(ctx, in)
	if err != nil {
		return nil, nil, sum, err
	}
	sum.SourceTotal, sum.UsersTotal, sum.SourceUsable = in.Source.Len(), in.Users.Len(), p.Counts().Usable
	if run.Sizes, err = r.Store.Accepted(ctx, run.Tenant, run.Domain); err != nil {
		return nil, nil, sum, err
	}
	if err := r.shrunk(ctx, run.Domain, settings, sum, run.Sizes); err != nil {
		return nil, nil, sum, err
	}
	sum.planned(p)
	sum.Confirmed = p.Confirmed()
	if err := r.save(ctx, run.No, p); err != nil {
		return nil, nil, sum, err
	}
	if settings.Policy.OnEmpty == plan.ClearKnown {
		if err := r.remember(ctx, run.Domain, in.Source); err != nil {
			return nil, nil, sum, err
		}
	}
	lesson := r.lesson(&in, p, run.Source == settings.Source)
	return &Planned{Run: run.No, Plan: p, At: run.Started, Source: run.Source, Count: max(o.Count, 0), ahead: r.ahead(in.At)}, lesson, sum, nil
}

// save stores a plan under its run.
func (r *Runner) save(ctx context.Context, run int64, p *plan.Plan) error {
	var file bytes.Buffer
	if err := p.Encode(&file); err != nil {
		return fmt.Errorf("encode plan: %w", err)
	}
	return r.Store.SavePlan(ctx, run, p.Fingerprint().String(), file.Bytes())
}

// read reads both sides to their ends, at once. The first that fails stops the
// other: there will be no plan.
func (r *Runner) read(
	ctx context.Context, domain string, src source.Source, settings Settings, o Overrides,
) (plan.Input, error) {
	in := plan.Input{Domain: domain, Policy: settings.Policy, Unattended: o.Unattended}
	want, begun := settings.Policy.Attributes, r.Clock.Now()
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		s, err := src.Read(gctx, want, r.sink())
		in.Source = s
		return err
	})
	var reading *destination.Reading
	g.Go(func() error {
		var err error
		reading, err = r.Destination.Read(gctx, want, r.sink())
		return err
	})
	if err := g.Wait(); err != nil {
		return in, err
	}
	in.Tenant, in.Users, in.Deleted, in.At = reading.Tenant, reading.Users, reading.Deleted, reading.ServerTime
	in.Notes = reading.Notes
	var err error
	if in.SetUp, err = r.Store.Domains(ctx, r.Connection.Tenant); err != nil {
		return in, err
	}
	decided, err := r.decisions(ctx, domain)
	if err != nil {
		return in, err
	}
	in.Decisions = append(planned(decided, o.Unattended), o.Decisions...)
	ahead := r.ahead(in.At)
	if err := r.remembered(ctx, &in, settings, src, begun.Add(ahead)); err != nil {
		return in, err
	}
	now := r.Clock.Now().Add(ahead)
	if o.Unattended {
		in.Facts.DeletionsToday, in.Facts.UsersThen, err = r.today(ctx, domain, now, 0)
	}
	return in, err
}

// remembered adds what this state knows: what earlier runs did, what was learnt,
// what reviewers answered, and the settings of the other domains.
func (r *Runner) remembered(ctx context.Context, in *plan.Input, settings Settings, src source.Source, begun time.Time) error {
	var err error
	if err = r.vouchFor(ctx, in.Domain, in.Users); err != nil {
		return err
	}
	var marked map[string]state.Account
	if in.Past, marked, err = r.past(ctx, in, sourceName(settings, src)); err != nil {
		return err
	}
	if in.Facts, err = r.facts(ctx, in, settings, begun, marked); err != nil {
		return err
	}
	if in.Answers, err = r.answers(ctx, in.Domain); err != nil {
		return err
	}
	in.Others, in.Siblings = map[string]plan.Policy{}, map[string]bool{}
	for _, name := range in.SetUp {
		if name = directory.FoldUPN(name); name == in.Domain {
			continue
		}
		other, err := r.settings(ctx, name)
		if err != nil {
			return err
		}
		in.Others[name] = other.Policy
		_, named := src.(source.Named)
		in.Siblings[name] = other.Source != "" && other.Source == settings.Source ||
			!named && sourceName(other, src) == sourceName(settings, src)
	}
	return nil
}

// sourceName is the name of a source in links: of the HAC, not of the file.
func sourceName(s Settings, src source.Source) string {
	if n, ok := src.(source.Named); ok {
		return n.Identity()
	}
	return s.SourceName
}

// ahead is how far the destination's clock is ahead of this machine's; 0 if the
// destination has not told its time.
func (r *Runner) ahead(told time.Time) time.Duration {
	if told.IsZero() {
		return 0
	}
	return told.Sub(r.Clock.Now())
}

// build makes a plan, reads the kinds of mailboxes that the plan asks for, and makes
// it again until it asks for none.
func (r *Runner) build(ctx context.Context, in plan.Input) (*plan.Plan, error) {
	in.Purposes = map[directory.ID]directory.Marks{}
	return r.complete(ctx, in.Purposes, func() (*plan.Plan, error) { return plan.Build(in) })
}

// complete makes a plan, reads the kinds of mailboxes that the plan needs into
// purposes, and makes it again until it needs none.
func (r *Runner) complete(
	ctx context.Context, purposes map[directory.ID]directory.Marks, build func() (*plan.Plan, error),
) (*plan.Plan, error) {
	r.report(progress.Event{Phase: progress.Compare, Total: -1})
	for {
		p, err := build()
		if err != nil {
			return nil, err
		}
		need := p.Need()
		if len(need) == 0 {
			r.report(progress.Event{Phase: progress.Compare, Ended: true})
			r.report(progress.Event{Phase: progress.Guard, Ended: true})
			return p, nil
		}
		known, err := r.Destination.Purposes(ctx, need, r.sink())
		if err != nil {
			return nil, err
		}
		maps.Copy(purposes, known)
		for _, id := range need {
			if _, ok := known[id]; !ok { // what cannot be read protects
				purposes[id] = directory.PurposeUnknown
			}
		}
	}
}

// The sides of the shrink check.
const (
	sideSource      = "source"
	sideDestination = "destination"
)

// shrunk refuses a side that has lost more than a share of its users since the
// last good dry run of the domain: such a read is often not complete. A size that a
// reviewer accepted passes once.
func (r *Runner) shrunk(ctx context.Context, domain string, settings Settings, now Summary, accepted map[string]int) error {
	runs, err := r.Store.Runs(ctx, state.RunFilter{
		Tenant: r.Connection.Tenant, Domain: domain, Kind: state.DryRun, State: state.Done, Limit: 1,
	})
	if err != nil || len(runs) == 0 {
		return err
	}
	then := summaryOf(runs[0])
	was := then.SourceUsable
	if was == 0 && then.Counts != nil { // of a hacsync that did not count them yet
		was = then.Counts.SourceUsers
	}
	// Accounts that hacsync deleted since then are not missing.
	deleted, err := r.Store.Deletions(ctx, r.Connection.Tenant, runs[0].Started)
	if err != nil {
		return err
	}
	then.UsersTotal -= deleted
	for _, side := range []struct {
		name      string
		now, then int
	}{{sideSource, now.SourceUsable, was}, {sideDestination, now.UsersTotal, then.UsersTotal}} {
		if ok, said := accepted[side.name]; said && ok == side.now {
			continue
		}
		if side.now*100 < settings.ShrinkShare*side.then {
			return problem.New(problem.Shrunk, problem.Args{
				"side": side.name, "now": strconv.Itoa(side.now), "then": strconv.Itoa(side.then),
				"share": strconv.Itoa(settings.ShrinkShare),
			})
		}
	}
	return nil
}

// recent is how long written values count over listed ones: lists lag.
const recent = 15 * time.Minute

// kept is how long the recycle bin keeps an account.
const kept = 30 * 24 * time.Hour

// facts are what earlier runs did in this tenant. begun is when the reading of its
// lists began, by the destination's clock: the rows of the journal have its time too,
// whichever machine wrote them.
func (r *Runner) facts(
	ctx context.Context, in *plan.Input, settings Settings, begun time.Time, marked map[string]state.Account,
) (plan.Facts, error) {
	f := plan.Facts{
		Blocked: map[directory.ID]bool{}, Added: map[directory.ID]bool{}, Restored: map[directory.ID]bool{},
		Deleted: map[directory.ID]bool{}, Undone: map[directory.ID]bool{},
	}
	touched, err := r.Store.Touched(ctx, r.Connection.Tenant)
	if err != nil {
		return f, err
	}
	for id, t := range touched {
		mark(f.Added, id, t.Added)
		mark(f.Restored, id, t.Restored)
		mark(f.Undone, id, t.Undone)
		mark(f.Deleted, id, begun.Sub(t.Deleted) < kept)
		if t.SignIn {
			// Seen enabled since, a block is another administrator's.
			f.Blocked[id] = !t.Blocked.IsZero() && !marked[string(id)].Enabled.After(t.Blocked)
		}
	}
	rows, err := r.Store.Recent(ctx, r.Connection.Tenant, begun.Add(-recent))
	if err != nil {
		return f, err
	}
	f.Recent = overlay(rows, in.Users)
	if settings.Policy.OnEmpty == plan.ClearKnown {
		known, err := r.Store.Known(ctx, r.Connection.Tenant, in.Domain)
		if err != nil {
			return f, err
		}
		f.Known = map[string]map[directory.Attribute]bool{}
		for key, attributes := range known {
			f.Known[key] = map[directory.Attribute]bool{}
			for _, a := range attributes {
				f.Known[key][directory.Attribute(a)] = true
			}
		}
	}
	return f, nil
}

func mark(all map[directory.ID]bool, id directory.ID, is bool) {
	if is {
		all[id] = true
	}
}

// remember keeps which attributes each source row of a domain had a value for.
func (r *Runner) remember(ctx context.Context, domain string, s *directory.Snapshot) error {
	known := map[string][]string{}
	for u := range s.All() {
		if !directory.InDomain(u.UPN(), domain) {
			continue
		}
		var had []string
		for _, a := range s.Columns() {
			if v, set := u.Get(a); set && v != "" && a != directory.OtherKeys {
				had = append(had, string(a))
			}
		}
		if len(had) > 0 {
			known[knownKey(u)] = had
		}
	}
	return r.Store.Remember(ctx, r.Connection.Tenant, domain, known)
}

// knownKey is the key of a source row among the known: its immutable ID, or
// without one its UPN.
func knownKey(u directory.User) string {
	if id := u.ImmutableID(); id != "" {
		return id
	}
	return directory.FoldUPN(u.UPN())
}
