package run

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"time"

	"github.com/hacsync/hacsync/sync/clock"
	"github.com/hacsync/hacsync/sync/consent"
	"github.com/hacsync/hacsync/sync/destination"
	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/progress"
	"github.com/hacsync/hacsync/sync/source"
	"github.com/hacsync/hacsync/sync/state"
)

// Runner carries out the operations for one connection. It is safe for
// concurrent use once its fields are set.
type Runner struct {
	Connection  consent.Connection
	Store       Store
	Destination destination.Destination
	// OpenSource makes the source that a setting such as csv:/path or hac
	// names.
	OpenSource func(ctx context.Context, spec string, s Settings) (source.Source, error)
	// MayWrite obtains the permission to write (User.ReadWrite.All), silently
	// or by a user's sign-in, which MaySignIn judges. It is called after guard and
	// drift have passed.
	MayWrite func(ctx context.Context) error
	// MayWriteAlone obtains it without a user, for unattended syncs; its problem is
	// of class Mend where a user is needed. Nil with a MayWrite means that only a
	// user can give it.
	MayWriteAlone func(ctx context.Context) error
	Clock         clock.Clock
	Progress      progress.Sink
	Log           *slog.Logger
	// Holder names this process and its user in claims and logs.
	Holder string
}

// Overrides hold for one run and are not stored.
type Overrides struct {
	Source     string // empty: the stored one
	Count      int    // what HAC says it has; 0 or less: unanswered
	Unattended bool
	// Decisions are those of this run alone: left out this time, same person,
	// allowed, an attribute left out.
	Decisions []plan.Decision
}

// DomainInfo is a domain of the tenant with its sync state.
type DomainInfo struct {
	directory.Domain
	SetUp      bool
	Source     string
	LastDryRun *state.Run
	LastSync   *state.Run
	Running    string // holder of the live claim, empty for none
}

// Domains lists the domains of the tenant with their state.
func (r *Runner) Domains(ctx context.Context) ([]DomainInfo, error) {
	tenant, err := r.Destination.Tenant(ctx)
	if err != nil {
		return nil, err
	}
	infos := make([]DomainInfo, 0, len(tenant.Domains))
	for _, d := range tenant.Domains {
		info := DomainInfo{Domain: d}
		name := directory.FoldUPN(d.Name)
		kv, err := r.Store.Settings(ctx, r.Connection.Tenant, name)
		if err != nil {
			return nil, err
		}
		info.Source = kv[KeySource]
		if info.LastDryRun, err = r.last(ctx, name, state.DryRun); err != nil {
			return nil, err
		}
		if info.LastSync, err = r.last(ctx, name, state.Sync); err != nil {
			return nil, err
		}
		info.SetUp = len(kv) > 0 || info.LastDryRun != nil
		holder, alive, err := r.Store.Alive(ctx, r.Connection.Tenant, name)
		if err != nil {
			return nil, err
		}
		if alive {
			info.Running = holder
		}
		infos = append(infos, info)
	}
	return infos, nil
}

// last is the newest run of a kind, or nil.
func (r *Runner) last(ctx context.Context, domain string, kind state.RunKind) (*state.Run, error) {
	runs, err := r.Store.Runs(ctx, state.RunFilter{
		Tenant: r.Connection.Tenant, Domain: domain, Kind: kind, Limit: 1,
	})
	if err != nil || len(runs) == 0 {
		return nil, err
	}
	return &runs[0], nil
}

// Precheck looks for what prevents the sync of a domain.
func (r *Runner) Precheck(ctx context.Context, domain string) (*destination.Precheck, error) {
	if err := r.verified(ctx, domain); err != nil {
		return nil, err
	}
	return r.Destination.Precheck(ctx, directory.FoldUPN(domain))
}

// verified returns nil for a domain that can be synchronised, else the problem that
// says why it cannot.
func (r *Runner) verified(ctx context.Context, domain string) error {
	tenant, err := r.Destination.Tenant(ctx)
	if err != nil {
		return err
	}
	names := make([]string, 0, len(tenant.Domains))
	for _, d := range tenant.Domains {
		if !strings.EqualFold(d.Name, domain) {
			if !d.Initial {
				names = append(names, d.Name)
			}
			continue
		}
		args := problem.Args{"domain": d.Name}
		switch {
		case d.Initial:
			return problem.New(problem.DomainInitial, args)
		case !d.Verified:
			return problem.New(problem.DomainUnverified, args)
		}
		return nil
	}
	return problem.New(problem.DomainUnknown, problem.Args{
		"domain": domain, "domains": strings.Join(names, ", "),
	})
}

// LookAtSource describes the source of a domain before a dry run; an empty spec
// is the stored one. A source that cannot describe itself gives an Overview
// with its name alone.
func (r *Runner) LookAtSource(ctx context.Context, domain, spec string) (*source.Overview, error) {
	settings, err := r.settings(ctx, domain)
	if err != nil {
		return nil, err
	}
	s, err := r.openSource(ctx, domain, Overrides{Source: spec}, settings)
	if err != nil {
		return nil, err
	}
	if l, ok := s.(source.Looker); ok {
		return l.Look(ctx)
	}
	return &source.Overview{Name: s.Name()}, nil
}

// openSource makes the source of a run.
func (r *Runner) openSource(ctx context.Context, domain string, o Overrides, s Settings) (source.Source, error) {
	if o.Source != "" {
		s.Source = o.Source
	}
	if s.Source == "" {
		return nil, problem.New(problem.NoSource, problem.Args{"domain": domain})
	}
	s.Count = -1
	if o.Count > 0 {
		s.Count = o.Count
	}
	return r.OpenSource(ctx, s.Source, s)
}

// Planned is a plan with the run that computed it.
type Planned struct {
	// Run is 0 for a plan file that this state did not compute; for an undo it
	// is the run that is undone.
	Run  int64
	Plan *plan.Plan
	// At is when it was computed.
	At time.Time
	// Source and Count are those of the dry run, for reading the source again;
	// empty and 0 mean the stored ones.
	Source string
	Count  int
	// Decided are the decisions of its domain, and Applied is the sync that carried the
	// plan out, 0 for none.
	Decided []plan.Decision
	Applied int64
	// Look is where a reviewer was in it.
	Look Look
	// ahead is how far the destination's clock was ahead of this machine's when it
	// was read.
	ahead time.Duration
}

// Latest returns the latest stored dry run of a domain, or the problem that there is
// none.
func (r *Runner) Latest(ctx context.Context, domain string) (*Planned, error) {
	runs, err := r.Store.Runs(ctx, state.RunFilter{
		Tenant: r.Connection.Tenant, Domain: directory.FoldUPN(domain),
		Kind: state.DryRun, State: state.Done, WithPlan: true, Limit: 1,
	})
	if err != nil {
		return nil, err
	}
	if len(runs) == 0 {
		return nil, problem.New(problem.NoDryRun, problem.Args{"domain": domain})
	}
	return r.Stored(ctx, runs[0].No)
}

// Stored is the plan of a run: of a dry run with what reviewers have answered and
// decided by now, of any other as it was approved.
func (r *Runner) Stored(ctx context.Context, no int64) (*Planned, error) {
	run, err := r.Store.Run(ctx, no)
	if err != nil {
		return nil, err
	}
	file, err := r.Store.Plan(ctx, no)
	if err != nil {
		return nil, err
	}
	p, err := plan.Decode(bytes.NewReader(file))
	if err != nil {
		return nil, err
	}
	sum := summaryOf(run)
	planned := &Planned{Run: no, Plan: p, At: run.Started, Source: run.Source, Count: sum.Count}
	if run.Kind != state.DryRun {
		if run.State == state.Done || run.State == state.Partial {
			planned.Applied = no
		}
		return planned, nil
	}
	return r.answered(ctx, planned)
}

// Knows reports whether this state computed or approved the fingerprint.
func (r *Runner) Knows(ctx context.Context, f plan.Fingerprint) (bool, error) {
	no, err := r.Store.PlanKnown(ctx, r.Connection.Tenant, f.String())
	return no > 0, err
}

// Logs lists runs, the newest first; an empty domain lists all of the tenant,
// a limit of 0 all there are.
func (r *Runner) Logs(ctx context.Context, domain string, limit int) ([]state.Run, error) {
	return r.judged(ctx, state.RunFilter{
		Tenant: r.Connection.Tenant, Domain: directory.FoldUPN(domain), Limit: limit,
	})
}

// judged lists runs, with the state Interrupted where it applies.
func (r *Runner) judged(ctx context.Context, f state.RunFilter) ([]state.Run, error) {
	runs, err := r.Store.Runs(ctx, f)
	for i := range runs {
		if runs[i], err = Judged(ctx, r.Store, r.Clock.Now(), runs[i]); err != nil {
			return nil, err
		}
	}
	return runs, err
}

// report passes an event to the sink, if there is one.
func (r *Runner) report(e progress.Event) {
	if r.Progress != nil {
		r.Progress.Report(e)
	}
}

// sink is the progress sink, never nil.
func (r *Runner) sink() progress.Sink {
	if r.Progress == nil {
		return progress.Discard
	}
	return r.Progress
}
