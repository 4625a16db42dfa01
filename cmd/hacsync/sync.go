package main

import (
	"context"
	"os"
	"os/user"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hacsync/hacsync/cmd/hacsync/session"
	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/input"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/run"
)

// syncFlags are those of hacsync sync.
type syncFlags struct {
	from                *sourceFlags
	plan, approve       string
	yes, skipDrifted    bool
	summary             bool
	approvedBy, note    string
	maxAllowedDeletions int // -1: not raised
	maxDeletions        int // -1: not raised
}

func (a *app) syncCommand() *cobra.Command {
	var f syncFlags
	c := a.command("sync", "sync DOMAIN", func(ctx context.Context, args []string) error {
		return a.sync(ctx, args[0], f)
	})
	c.Args = a.takes("DOMAIN")
	f.from = a.sourceFlags(c)
	c.Flags().StringVar(&f.plan, "plan", "", a.text("flag.plan", nil))
	a.approvalFlags(c, &f)
	return c
}

// approvalFlags adds the flags by which a plan is approved.
func (a *app) approvalFlags(c *cobra.Command, f *syncFlags) {
	flags := c.Flags()
	flags.StringVar(&f.approve, "approve", "", a.text("flag.approve", nil))
	flags.BoolVar(&f.yes, "yes", false, a.text("flag.yes", nil))
	flags.BoolVar(&f.skipDrifted, "skip-drifted", false, a.text("flag.skip-drifted", nil))
	flags.BoolVar(&f.summary, "summary", false, a.text("flag.summary", nil))
	flags.StringVar(&f.approvedBy, "approved-by", "", a.text("flag.approved-by", nil))
	flags.StringVar(&f.note, "note", "", a.text("flag.note", nil))
	f.maxAllowedDeletions, f.maxDeletions = -1, -1
	a.percentFlag(c, &f.maxAllowedDeletions, "max-allowed-deletions")
	a.wholeFlag(c, &f.maxDeletions, "max-deletions", 0, 0)
	for _, name := range []string{"max-allowed-deletions", "max-deletions"} {
		flags.Lookup(name).DefValue = "" // not raised; the help has no word for it
	}
}

// sync shows a plan, asks the user to approve it, and applies it.
func (a *app) sync(ctx context.Context, domain string, f syncFlags) error {
	o, err := f.from.overrides()
	if err != nil {
		return err
	}
	if f.plan == "" && !f.yes && !a.terminal { // before a dry run of minutes, not after it
		return problem.New(problem.NobodyToAsk, problem.Args{"domain": domain, "plan": ""})
	}
	s, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer s.Close()

	p, known, err := a.planOf(ctx, s, domain, f, o)
	if err != nil {
		return err
	}
	return a.apply(ctx, s, p, known, f)
}

// apply shows a plan, asks the user to approve it, and applies it. known: this
// state computed it.
func (a *app) apply(ctx context.Context, s *session.Session, p *run.Planned, known bool, f syncFlags) error {
	a.show(a.err).plan(p, p.At, f.summary)
	fingerprint := p.Plan.Fingerprint()
	if f.approve != "" && !strings.EqualFold(input.Fold(f.approve), fingerprint.String()) {
		return problem.New(problem.NotApproved, problem.Args{"approved": f.approve, "plan": fingerprint.String()})
	}
	raise, err := a.raise(p.Plan.Verdict(), fingerprint, f)
	if err != nil {
		return err
	}
	raise = raise || p.Plan.Verdict().Raised // by a reviewer, for just this plan
	why := p.Plan.Applyable()
	switch {
	case p.Plan.Counts().Changes() == 0:
		return a.nothingToDo(p, f)
	case why != nil && !raise && !f.yes:
		return a.refused(p, nil, why, f)
	case !known && f.approve == "" && (f.yes || !a.terminal):
		return problem.New(problem.ApprovalNeeded, problem.Args{
			"file": f.plan, "plan": fingerprint.Code(), "fingerprint": fingerprint.String(),
		})
	case !f.yes:
		if err := a.confirm(ctx, p.Plan); err != nil {
			return err
		}
	}

	report, err := s.Runner.Sync(ctx, p, run.Approval{
		Fingerprint: fingerprint, By: approver(f.approvedBy), Note: f.note,
		RaiseOnce: raise, SkipDrifted: f.skipDrifted,
	})
	if err != nil {
		return a.refused(p, report, err, f)
	}
	return a.done(ctx, s, p, report, f)
}

// planOf returns the plan of a file, or that of a new dry run. known: this state
// computed it.
func (a *app) planOf(ctx context.Context, s *session.Session, domain string, f syncFlags, o run.Overrides) (*run.Planned, bool, error) {
	if f.plan == "" {
		p, err := f.from.dryRun(ctx, s, domain, approver(f.approvedBy), o)
		return p, true, err
	}
	file, err := os.Open(f.plan)
	if err != nil {
		return nil, false, notRead(f.plan, err)
	}
	defer func() { _ = file.Close() }()
	decoded, err := plan.Decode(input.Reader(file))
	if err != nil {
		return nil, false, err
	}
	if directory.FoldUPN(decoded.Domain()) != directory.FoldUPN(domain) {
		return nil, false, problem.New(problem.PlanOtherDomain, problem.Args{
			"file": f.plan, "plan": decoded.Domain(), "domain": domain,
		})
	}
	if decoded.Tenant() != s.Connection().Tenant {
		return nil, false, problem.New(problem.WrongTenant, problem.Args{
			"plan": decoded.Tenant(), "connection": s.Connection().Tenant,
		})
	}
	p, err := s.Runner.Reviewed(ctx, &run.Planned{Plan: decoded, At: s.Runner.Clock.Now(), Source: o.Source, Count: o.Count})
	if err != nil {
		return nil, false, err
	}
	p = p.Remaining()
	no, err := s.Runner.Computed(ctx, decoded)
	if err != nil {
		return nil, false, err
	}
	if no == 0 {
		return p, false, nil
	}
	stored, err := s.Runner.Stored(ctx, no)
	if err != nil {
		return nil, false, err
	}
	p.Run, p.At = stored.Run, stored.At
	if p.Source == "" {
		p.Source, p.Count = stored.Source, stored.Count
	}
	return p, true, nil
}

// raise reports whether the guard is raised for this plan once. A raise is bound to
// the plan's fingerprint, so one without a fingerprint is refused.
func (a *app) raise(v plan.Verdict, fingerprint plan.Fingerprint, f syncFlags) (bool, error) {
	if f.maxAllowedDeletions < 0 && f.maxDeletions < 0 || !v.Cancelled {
		return false, nil
	}
	if f.approve == "" && (f.yes || !a.terminal) {
		flag := "--max-allowed-deletions"
		if f.maxAllowedDeletions < 0 {
			flag = "--max-deletions"
		}
		return false, problem.New(problem.RaiseUnapproved, problem.Args{
			"flag": flag, "fingerprint": fingerprint.String(),
		})
	}
	percent, absolute := v.MaxAllowedDeletions, v.MaxDeletions
	if f.maxAllowedDeletions >= 0 {
		percent = max(percent, f.maxAllowedDeletions)
	}
	if f.maxDeletions >= 0 && absolute >= 0 {
		absolute = max(absolute, f.maxDeletions)
	}
	return v.Deletions*100 < percent*v.Users && (absolute < 0 || v.Deletions < absolute), nil
}

// confirm asks the user on the terminal: if accounts would be deleted, for their
// number.
func (a *app) confirm(ctx context.Context, p *plan.Plan) error {
	c := p.Counts()
	args := problem.Args{"domain": p.Domain(), "plan": p.Fingerprint().Code()}
	if !a.terminal {
		return problem.New(problem.NobodyToAsk, args)
	}
	a.tell("")
	gone := c.Delete + c.Missing // blocked, and deleted later
	args["n"], args["changes"] = strconv.Itoa(gone), strconv.Itoa(c.Changes())
	if c.Missing > 0 {
		args["blocks"] = "yes"
	}
	what := "sync"
	if no := p.Undoes(); no != 0 {
		what, args["run"] = "undo", strconv.FormatInt(no, 10)
	}
	question := a.text(what+".question", args)
	if gone > 0 {
		question = a.text(what+".question_deletions", args)
	}
	answer, err := a.ask(ctx, question)
	if err != nil {
		return err
	}
	if confirms(answer, gone) {
		return nil
	}
	return problem.New(problem.Declined, args)
}

// confirms reports whether an answer confirms a plan: with the number of its
// deletions, or with yes if there are none.
func confirms(answer string, deletions int) bool {
	if deletions == 0 {
		return input.Yes(answer)
	}
	n, ok := input.Number(answer)
	return ok && n == deletions
}

// approver returns who approved: the given name, else the account of this machine.
func approver(said string) string {
	if said != "" {
		return said
	}
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return ""
}

// nothingToDo ends a sync whose plan is empty: it takes no claim, and does not ask
// for the permission to write.
func (a *app) nothingToDo(p *run.Planned, f syncFlags) error {
	if a.flags.json {
		a.answered = true
		return planObject{run: p.Run, at: p.At, plan: p.Plan, summary: f.summary, words: a.words}.write(a.out)
	}
	if no := p.Plan.Undoes(); no != 0 {
		a.say(a.text("undo.nothing", problem.Args{"run": strconv.FormatInt(no, 10)}))
		return nil
	}
	a.say(a.text("sync.nothing", problem.Args{"domain": p.Plan.Domain()}))
	return nil
}

// refused ends a sync that returned an error: the plan is printed with the error in
// it, so that a script gets the numbers too.
func (a *app) refused(p *run.Planned, r *run.Report, err error, f syncFlags) error {
	if r != nil {
		a.show(a.err).drifted(r.Drifted)
	}
	if a.flags.json {
		why := a.fault(err)
		object := planObject{run: p.Run, at: p.At, plan: p.Plan, report: r, fault: &why, summary: f.summary, words: a.words}
		if r != nil && r.Run > 0 {
			object.run = r.Run
		}
		a.answered = true
		if e := object.write(a.out); e != nil { // the refusal is more serious
			a.log.Error("print the refused plan", "error", e)
		}
	}
	if r != nil && r.Sent > 0 {
		a.show(a.err).report(r)
	}
	return err
}

// done ends a sync that came to its end, or was stopped safely.
func (a *app) done(ctx context.Context, s *session.Session, p *run.Planned, r *run.Report, f syncFlags) error {
	if a.flags.json {
		object := planObject{
			run: r.Run, at: p.At, plan: r.Plan, report: r, summary: f.summary, words: a.words,
			ids: a.added(context.WithoutCancel(ctx), s, r, f.summary),
		}
		if object.plan == nil {
			object.plan = p.Plan
		}
		a.answered = true
		if err := object.write(a.out); err != nil {
			return err
		}
	} else {
		out := a.show(a.out)
		out.drifted(r.Drifted)
		out.report(r)
		if p.Plan.Undoes() != 0 {
			a.say(a.text("undo.after", problem.Args{"domain": p.Plan.Domain(), "run": strconv.FormatInt(r.Run, 10)}))
		}
	}
	return syncOutcome(r)
}

// added returns the object IDs of the accounts that a sync made, by row number.
func (a *app) added(ctx context.Context, s *session.Session, r *run.Report, summary bool) map[int]string {
	if summary || r.Plan == nil || r.Plan.Counts().Add == 0 {
		return nil
	}
	rows, err := s.Store.Journal(ctx, r.Run)
	if err != nil {
		a.log.Warn("read journal for the ids of added accounts", "run", r.Run, "error", err)
		return nil
	}
	ids := map[int]string{}
	for _, row := range rows {
		if row.Object.ID != "" {
			ids[row.Action] = string(row.Object.ID)
		}
	}
	return ids
}
