package periodic

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/run"
	"github.com/hacsync/hacsync/sync/state"
)

// Mark says what a finding means.
type Mark string

// The marks.
const (
	Good    Mark = "ok"
	Note    Mark = "note"    // shown, and no obstacle
	Missing Mark = "missing" // enabling is refused
)

// Finding is one line of the checklist; its text is that of Why.
type Finding struct {
	Mark Mark
	Why  *problem.Problem
	// Reasonable: a given reason allows enabling in spite of this finding.
	Reasonable bool
	// Rows are the rows that were left out for one time only.
	Rows []plan.Decision
}

// Checklist is what allows or prevents periodic sync of a domain, always in the
// same order: sync, application, rows left out, source, worker.
type Checklist []Finding

// Missing returns the findings for which enabling is refused. If a reason is given,
// it omits the findings that a reason allows.
func (l Checklist) Missing(reason string) []Finding {
	var all []Finding
	for _, f := range l {
		if f.Mark == Missing && !(f.Reasonable && strings.TrimSpace(reason) != "") {
			all = append(all, f)
		}
	}
	return all
}

// answered removes from the checklist what the request answers: the rows that were
// left out for one time only.
func (l Checklist) answered(q Request) Checklist {
	l = slices.Clone(l)
	for i, f := range l {
		if f.Mark != Missing || len(f.Rows) == 0 {
			continue
		}
		f.Rows = slices.DeleteFunc(slices.Clone(f.Rows), func(row plan.Decision) bool {
			return q.CarryOut || slices.ContainsFunc(q.Always, func(d plan.Decision) bool { return sameRow(row, d) })
		})
		if len(f.Rows) == 0 {
			f.Mark = Note
		}
		l[i] = f
	}
	return l
}

func sameRow(x, y plan.Decision) bool {
	if x.ID != "" || y.ID != "" {
		return x.ID == y.ID
	}
	return directory.FoldUPN(x.UPN) == directory.FoldUPN(y.UPN)
}

// Check examines everything that periodic sync of a domain depends on. The only
// request to the tenant is for its list of domains.
func (c *Control) Check(ctx context.Context, domain string) (Checklist, error) {
	domain = directory.FoldUPN(domain)
	settings, err := c.Runner.Settings(ctx, domain)
	if err != nil {
		return nil, err
	}
	last, converged, err := c.converged(ctx, domain, settings.Source)
	if err != nil {
		return nil, err
	}
	left, err := c.leftOut(ctx, domain, last)
	if err != nil {
		return nil, err
	}
	src, err := c.source(ctx, domain, settings)
	if err != nil {
		return nil, err
	}
	worker, err := c.worker(ctx)
	if err != nil {
		return nil, err
	}
	return Checklist{converged, c.application(), left, src, worker}, nil
}

// converged looks at the last sync and the dry run after it. A sync that was
// seen done for every row has converged; so has one of which only those rows are
// left that failed, and a domain whose first sync had nothing to apply: its dry run
// is all there is.
func (c *Control) converged(ctx context.Context, domain, source string) (*state.Run, Finding, error) {
	of := state.RunFilter{Tenant: c.tenant(), Domain: domain, Kinds: []state.RunKind{state.Sync, state.Undo}, Limit: 1}
	runs, err := c.Store.Runs(ctx, of)
	if err != nil {
		return nil, Finding{}, err
	}
	if len(runs) == 0 {
		of.Kinds, of.State = []state.RunKind{state.DryRun}, state.Done
		if runs, err = c.Store.Runs(ctx, of); err != nil {
			return nil, Finding{}, err
		}
		if len(runs) > 0 && runs[0].Source == source && unchanged(run.SummaryOf(runs[0])) {
			return &runs[0], Finding{Mark: Good, Why: problem.New(problem.PeriodicConverged, problem.Args{
				"domain": domain, "run": strconv.FormatInt(runs[0].No, 10), "planned": "0", "seen": "0", "changes": "",
			})}, nil
		}
		return nil, Finding{
			Mark: Missing, Reasonable: true, Why: problem.New(problem.PeriodicNeverSynced, problem.Args{"domain": domain}),
		}, nil
	}
	r := runs[0]
	of.Kinds, of.State, of.After = []state.RunKind{state.DryRun}, state.Done, r.No
	after, err := c.Store.Runs(ctx, of)
	if err != nil {
		return nil, Finding{}, err
	}
	sum, changes := run.SummaryOf(r), -1
	if len(after) > 0 {
		if counts := run.SummaryOf(after[0]).Counts; counts != nil {
			changes = counts.Changes()
		}
	}
	failed := sum.Planned - sum.Seen
	ok := r.Kind == state.Sync && r.State == state.Done ||
		r.Kind == state.Sync && r.State == state.Partial && changes >= 0 && changes <= failed ||
		len(after) > 0 && after[0].Source == source && unchanged(run.SummaryOf(after[0])) // in step, however it came to be
	args := problem.Args{"domain": domain, "run": strconv.FormatInt(r.No, 10)}
	if ok {
		args["planned"], args["seen"], args["changes"] = strconv.Itoa(sum.Planned), strconv.Itoa(sum.Seen), ""
		if changes >= 0 {
			args["changes"] = strconv.Itoa(changes)
		}
		return &r, Finding{Mark: Good, Why: problem.New(problem.PeriodicConverged, args)}, nil
	}
	args["state"], args["left"], args["undo"] = string(r.State), "", ""
	if r.Kind == state.Undo {
		args["undo"] = strconv.FormatInt(r.PlanOf, 10)
	}
	if changes >= 0 {
		args["left"] = strconv.Itoa(changes)
	}
	return &r, Finding{Mark: Missing, Reasonable: true, Why: problem.New(problem.PeriodicNotConverged, args)}, nil
}

// unchanged reports whether a dry run found nothing to apply.
func unchanged(s run.Summary) bool {
	return s.Counts != nil && s.Counts.Changes() == 0 && s.Verdict != nil && !s.Verdict.Cancelled
}

// EndsSoon is when a certificate's end is worth a word.
const EndsSoon = 30 * 24 * time.Hour

// application examines the application that workers sign in with.
func (c *Control) application() Finding {
	a := c.Runner.Connection.Application
	if a == nil {
		return Finding{Mark: Missing, Why: problem.New(problem.PeriodicNoApplication, problem.Args{
			"connection": c.Runner.Connection.Name,
		})}
	}
	args := problem.Args{"application": a.Name, "ends": a.Ends.Format(time.DateOnly)}
	left := a.Ends.Sub(c.now())
	switch {
	case a.Verified.IsZero():
		return Finding{Mark: Missing, Why: problem.New(problem.PeriodicUnverified, problem.Args{"application": a.Name})}
	case left <= 0:
		return Finding{Mark: Missing, Why: problem.New(problem.PeriodicEnded, args)}
	case left < EndsSoon:
		return Finding{Mark: Note, Why: problem.New(problem.PeriodicEndsSoon, args)}
	}
	return Finding{Mark: Good, Why: problem.New(problem.PeriodicActs, args)}
}

// shownRows is how many rows a text names.
const shownRows = 5

// thisTime are the decisions that leave rows out of the plan that is still to be
// synchronised; those about an undo are not among them.
func thisTime(ds []plan.Decision) []plan.Decision {
	return slices.DeleteFunc(slices.Clone(ds), func(d plan.Decision) bool { return d.Kind != plan.LeaveOutOnce || d.Undo != 0 })
}

// leftOut lists the rows that were left out for one time only, of the plan that is
// still to be synchronised or by the last sync, and that are not always left out since.
func (c *Control) leftOut(ctx context.Context, domain string, last *state.Run) (Finding, error) {
	all, err := c.Runner.Decisions(ctx, domain)
	if err != nil {
		return Finding{}, err
	}
	once := thisTime(all)
	always := slices.DeleteFunc(all, func(d plan.Decision) bool { return d.Kind != plan.LeaveOutAlways })
	f := Finding{Mark: Good, Why: problem.New(problem.PeriodicLeftOut, problem.Args{"always": strconv.Itoa(len(always))})}
	var names []string
	add := func(id directory.ID, upn string) {
		d := plan.Decision{Kind: plan.LeaveOutAlways, ID: id, UPN: upn}
		is := func(one plan.Decision) bool { return sameRow(one, d) }
		if !slices.ContainsFunc(always, is) && !slices.ContainsFunc(f.Rows, is) {
			f.Rows = append(f.Rows, d)
			names = append(names, upn)
		}
	}
	for _, d := range once {
		add(d.ID, d.UPN)
	}
	if last != nil {
		stored, err := c.Runner.Stored(ctx, last.No)
		if err != nil && !problem.Has(err, problem.PlanMissing) {
			return Finding{}, err
		}
		if err == nil {
			for s := range stored.Plan.Skips() {
				if s.Why.Code == problem.LeftOutOnce {
					add(s.Ref.ID, s.Ref.UPN)
				}
			}
		}
	}
	if len(f.Rows) == 0 {
		return f, nil
	}
	shown := strings.Join(names[:min(len(names), shownRows)], ", ")
	if len(names) > shownRows {
		shown += ", …"
	}
	f.Mark = Missing
	f.Why = problem.New(problem.PeriodicLeftOutOnce, problem.Args{
		"domain": domain, "n": strconv.Itoa(len(f.Rows)), "accounts": shown,
	})
	return f, nil
}

// source examines whether the source is renewed without a user.
func (c *Control) source(ctx context.Context, domain string, s run.Settings) (Finding, error) {
	if s.Source == "" {
		return Finding{Mark: Missing, Why: problem.New(problem.PeriodicNoSource, problem.Args{"domain": domain})}, nil
	}
	src, err := c.Runner.OpenSource(ctx, s.Source, s)
	if err != nil {
		p := problem.Of(err)
		if p == nil {
			return Finding{}, err
		}
		return Finding{Mark: Missing, Why: p}, nil // a line of the checklist too
	}
	args := problem.Args{"source": src.Name()}
	if src.Renews() {
		return Finding{Mark: Good, Why: problem.New(problem.PeriodicRenews, args)}, nil
	}
	return Finding{Mark: Missing, Reasonable: true, Why: problem.New(problem.PeriodicByHand, args)}, nil
}

// Silence is the time without a report after which a worker counts as gone.
const Silence = 3 * time.Minute

// worker reports whether a worker is running. That none runs is no obstacle:
// periodic sync may be enabled first.
func (c *Control) worker(ctx context.Context) (Finding, error) {
	workers, err := c.Store.Workers(ctx)
	if err != nil {
		return Finding{}, err
	}
	return workerFinding(workers, c.now()), nil
}

// Alive returns the worker that was seen last and counts as running: it reported
// within Silence, and did not report that it stops. It returns false if there is
// none.
func Alive(workers []state.Worker, now time.Time) (state.Worker, bool) {
	for _, w := range workers {
		if w.Stopped.IsZero() && now.Sub(w.Seen) <= Silence {
			return w, true
		}
	}
	return state.Worker{}, false
}

func workerFinding(workers []state.Worker, now time.Time) Finding {
	if len(workers) == 0 {
		return Finding{Mark: Note, Why: problem.New(problem.PeriodicNoWorker, nil)}
	}
	mark, code := Good, problem.PeriodicWorkerSeen
	w, alive := Alive(workers, now)
	if !alive {
		mark, code, w = Note, problem.PeriodicWorkerSilent, workers[0]
		for _, one := range workers {
			if one.Stopped.IsZero() {
				w = one // better one that fell silent than one that was stopped
				break
			}
		}
	}
	return Finding{Mark: mark, Why: problem.New(code, problem.Args{
		"worker": w.Name, "seen": short(max(0, now.Sub(w.Seen))),
	})}
}
