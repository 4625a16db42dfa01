package run

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/state"
)

// Home is what a returning administrator wants to know of a connection before
// anything else. It is read from the state alone: the tenant is not asked.
type Home struct {
	// Domains are those that are set up and those that were given; those that need an
	// administrator come first.
	Domains []HomeDomain
	// Latest are the last runs of all of them, the newest first.
	Latest []state.Run
}

// HomeDomain is what the home screen shows of one domain.
type HomeDomain struct {
	Name  string
	SetUp bool
	// Source is the setting, such as hac or csv:/path; empty for none.
	Source string
	// DryRun is the latest one that made a plan, and Sync the latest sync or undo
	// that wrote something or can go on, else the latest of all; nil for none.
	// Sync.State tells an interrupted one by Interrupted.
	DryRun, Sync *state.Run
	Planned      Summary // of DryRun
	Synced       Summary // of Sync
	// Applied is the sync that carried out the plan of DryRun, nil for none.
	Applied *state.Run
	// Users are the accounts of the domain: those that the dry run counted, with what
	// was seen done since; -1 if they were not counted.
	Users int
	// Interrupted: Sync was stopped or its process is gone; it can be resumed.
	Interrupted bool
	// Running is the holder that is synchronising the domain now, empty for none.
	Running string
	// Undoable is until when Sync can be undone whole; zero if it cannot.
	Undoable time.Time
	// LeftOut is how many rows are left out always, Once how many of the latest plan
	// this time.
	LeftOut, Once int
	Next          Next
}

// Next is what a domain waits for, in one word.
type Next string

// The words.
const (
	NextNothing Next = ""
	NextReview  Next = "review"
	NextResume  Next = "resume"
	NextSetUp   Next = "set-up"
)

// latestRuns is how many runs Home lists.
const latestRuns = 5

// Home reads it. also names domains of the tenant that may not be set up yet; the
// initial domain and those not verified are left out.
func (r *Runner) Home(ctx context.Context, also ...directory.Domain) (*Home, error) {
	tenant := r.Connection.Tenant
	names, err := r.Store.Domains(ctx, tenant)
	if err != nil {
		return nil, err
	}
	for _, d := range also {
		if name := directory.FoldUPN(d.Name); !d.Initial && d.Verified && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	h := &Home{Domains: make([]HomeDomain, 0, len(names))}
	for _, name := range names {
		d, err := r.homeDomain(ctx, name)
		if err != nil {
			return nil, err
		}
		h.Domains = append(h.Domains, d)
	}
	slices.SortStableFunc(h.Domains, func(a, b HomeDomain) int {
		return cmp.Or(cmp.Compare(a.Next.rank(), b.Next.rank()), strings.Compare(a.Name, b.Name))
	})
	h.Latest, err = r.judged(ctx, state.RunFilter{Tenant: tenant, Limit: latestRuns})
	return h, err
}

// rank orders the words: what waits for an administrator comes first, and what was
// never begun last.
func (n Next) rank() int {
	return slices.Index([]Next{NextResume, NextReview, NextNothing, NextSetUp}, n)
}

func (r *Runner) homeDomain(ctx context.Context, name string) (HomeDomain, error) {
	d := HomeDomain{Name: name, Users: -1}
	tenant := r.Connection.Tenant
	kv, err := r.Store.Settings(ctx, tenant, name)
	if err != nil {
		return d, err
	}
	d.Source = kv[KeySource]
	dry, err := r.Store.Runs(ctx, state.RunFilter{Tenant: tenant, Domain: name, Kind: state.DryRun, State: state.Done, Limit: 1})
	if err != nil {
		return d, err
	}
	if len(dry) > 0 {
		d.DryRun, d.Planned = &dry[0], summaryOf(dry[0])
		if d.Applied, err = r.appliedBy(ctx, dry[0]); err != nil {
			return d, err
		}
	}
	d.SetUp = d.Source != "" || d.DryRun != nil
	if err := r.lastWrote(ctx, &d); err != nil {
		return d, err
	}
	holder, alive, err := r.Store.Alive(ctx, tenant, name)
	if err != nil {
		return d, err
	}
	if alive {
		d.Running = holder
	}
	if s := d.Sync; s != nil {
		d.Interrupted = s.State == state.Stopped || s.State == state.Running && !alive
		if s.State == state.Running && !alive {
			if err := r.tally(ctx, s.No, &d.Synced); err != nil {
				return d, err
			}
		}
		if s.State != state.Running || d.Interrupted {
			d.Undoable = Undoable(*s, d.Synced, r.Clock.Now())
		}
	}
	decisions, err := r.decisions(ctx, name)
	if err != nil {
		return d, err
	}
	for _, one := range decisions {
		switch {
		case one.Kind == plan.LeaveOutAlways:
			d.LeftOut++
		case one.Kind == plan.LeaveOutOnce && one.Undo == 0:
			d.Once++
		}
	}
	d.Next = d.next()
	return d, nil
}

// lastWrote finds the latest sync or undo that wrote something or can go on: one that
// was refused, or found all done, takes no undo away. It counts the accounts too.
func (r *Runner) lastWrote(ctx context.Context, d *HomeDomain) error {
	runs, err := r.Store.Runs(ctx, state.RunFilter{
		Tenant: r.Connection.Tenant, Domain: d.Name, Kinds: []state.RunKind{state.Sync, state.Undo},
	})
	if err != nil {
		return err
	}
	if d.Planned.Counts != nil {
		d.Users = d.Planned.Counts.DestinationUsers
	}
	found := false
	for i := range runs {
		sum := summaryOf(runs[i])
		if d.Users >= 0 && runs[i].No > d.DryRun.No {
			d.Users += sum.Gained
		}
		wrote := sum.Sent > 0 || runs[i].State == state.Running || runs[i].State == state.Stopped
		if d.Sync == nil || wrote && !found {
			d.Sync, d.Synced, found = &runs[i], sum, wrote
		}
	}
	return nil
}

// Undoable is until when a run that is over can be undone whole; zero if it cannot:
// it wrote nothing, or the recycle bin no longer keeps what it deleted.
func Undoable(r state.Run, sum Summary, now time.Time) time.Time {
	wrote := sum.Sent > 0
	if r.State == state.Running || r.State == state.Stopped { // counted from its journal
		wrote = wrote || sum.Seen+sum.Failed+sum.NotYetSeen > 0
	}
	if until := r.Started.Add(kept); wrote && r.Kind != state.DryRun && now.Before(until) {
		return until
	}
	return time.Time{}
}

// tally counts what a run did whose process was killed before it could count: from
// its plan and its journal.
func (r *Runner) tally(ctx context.Context, no int64, sum *Summary) error {
	p, err := r.Stored(ctx, no)
	if problem.Has(err, problem.PlanMissing) {
		return nil
	}
	if err != nil {
		return err
	}
	open, seen, err := r.Rows(ctx, no)
	if err != nil {
		return err
	}
	sum.Planned, sum.Seen, sum.Failed, sum.NotYetSeen = p.Plan.Counts().Changes(), seen, 0, 0
	for _, row := range open {
		switch row.Outcome {
		case OutcomeFailed, OutcomeDifferent:
			sum.Failed++
		case OutcomeNotYetSeen:
			sum.NotYetSeen++
		}
	}
	sum.NotTried = max(0, sum.Planned-sum.Seen-sum.Failed-sum.NotYetSeen)
	return nil
}

// next is what the domain waits for: a sync to be resumed, a plan with changes that
// no later sync has applied, or its set-up.
func (d *HomeDomain) next() Next {
	switch {
	case d.Running != "":
		return NextNothing
	case d.Interrupted:
		return NextResume
	case d.DryRun == nil:
		return NextSetUp
	case d.Planned.Counts == nil || d.Planned.Counts.Changes() == 0:
		return NextNothing
	case d.Applied != nil && d.Applied.State == state.Done || d.Sync != nil && d.Sync.No > d.DryRun.No && d.Sync.State == state.Done:
		return NextNothing
	}
	return NextReview
}

// Since is how the deletions of a domain's latest dry run differ from those of
// the one before.
type Since struct {
	Before time.Time // of the dry run before; zero if there was none
	// New are deletions that were not in it, Gone those that no longer are.
	New, Gone int
}

// Since compares the two latest stored plans of a domain.
func (r *Runner) Since(ctx context.Context, domain string) (Since, error) {
	runs, err := r.Store.Runs(ctx, state.RunFilter{
		Tenant: r.Connection.Tenant, Domain: directory.FoldUPN(domain),
		Kind: state.DryRun, State: state.Done, WithPlan: true, Limit: 2,
	})
	if err != nil || len(runs) < 2 {
		return Since{}, err
	}
	var gone [2]map[directory.ID]bool
	for i, one := range runs {
		p, err := r.Stored(ctx, one.No)
		if problem.Has(err, problem.PlanMissing) {
			return Since{}, nil // pruned meanwhile
		}
		if err != nil {
			return Since{}, err
		}
		gone[i] = map[directory.ID]bool{}
		for a := range p.Plan.Actions() {
			if a.Kind == plan.Delete {
				gone[i][a.User.ID] = true
			}
		}
	}
	s := Since{Before: runs[1].Started}
	for id := range gone[0] {
		if !gone[1][id] {
			s.New++
		}
	}
	s.Gone = len(gone[1]) - (len(gone[0]) - s.New)
	return s, nil
}
