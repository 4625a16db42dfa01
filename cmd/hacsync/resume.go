package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/hacsync/hacsync/cmd/hacsync/session"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/run"
	"github.com/hacsync/hacsync/sync/state"
)

// resumeFlags are those of hacsync resume.
type resumeFlags struct {
	last, yes, summary bool
}

func (a *app) resumeCommand() *cobra.Command {
	var f resumeFlags
	c := a.command("resume", "resume RUN", func(ctx context.Context, args []string) error {
		if (len(args) == 1) == f.last {
			return wrongUsage("hacsync resume", a.text("resume.which", nil))
		}
		s, err := a.open(ctx)
		if err != nil {
			return err
		}
		defer s.Close()
		no := int64(0)
		if !f.last {
			if no, err = a.runNumber("hacsync resume", args[0]); err != nil {
				return err
			}
		}
		return a.resume(ctx, s, no, f)
	})
	c.Args = cobra.MaximumNArgs(1)
	c.Flags().BoolVar(&f.last, "last", false, a.text("flag.last", nil))
	c.Flags().BoolVar(&f.yes, "yes", false, a.text("flag.yes", nil))
	c.Flags().BoolVar(&f.summary, "summary", false, a.text("flag.summary", nil))
	return c
}

// resume shows what an interrupted sync was to do, asks, and finishes it; 0 means
// the latest one.
func (a *app) resume(ctx context.Context, s *session.Session, no int64, f resumeFlags) error {
	if no == 0 {
		open, err := s.Runner.Interrupted(ctx)
		if err != nil {
			return err
		}
		if len(open) == 0 {
			return a.nothingToResume()
		}
		no = open[0].No
	}
	log, err := s.Store.Run(ctx, no)
	if err != nil {
		return err
	}
	p, err := s.Runner.Stored(ctx, no)
	if problem.Has(err, problem.PlanMissing) && log.Kind == state.Sync {
		// It ended before its plan was stored, so nothing was written: it starts
		// from the beginning, and needs a new approval.
		return a.sync(ctx, log.Domain, syncFlags{
			from: &sourceFlags{source: log.Source, count: run.SummaryOf(log).Count}, yes: f.yes, summary: f.summary,
			approvedBy: log.By, note: log.Note, maxAllowedDeletions: -1, maxDeletions: -1,
		})
	}
	if problem.Has(err, problem.PlanMissing) && log.Kind == state.Undo {
		return a.undo(ctx, s, log.PlanOf, syncFlags{
			from: &sourceFlags{}, yes: f.yes, summary: f.summary, approvedBy: log.By, note: log.Note,
			maxAllowedDeletions: -1, maxDeletions: -1,
		})
	}
	if err != nil {
		return err
	}
	a.show(a.err).plan(p, p.At, true)
	if !f.yes {
		if err := a.confirm(ctx, p.Plan); err != nil {
			return err
		}
	}
	flags := syncFlags{summary: f.summary}
	report, err := s.Runner.Resume(ctx, no)
	if err != nil {
		return a.refused(&run.Planned{Run: no, Plan: p.Plan, At: p.At}, report, err, flags)
	}
	return a.done(ctx, s, p, report, flags)
}

// nothingToResume is a success: a script may call it at every start.
func (a *app) nothingToResume() error {
	if a.flags.json {
		a.answer(struct {
			Schema int  `json:"schema"`
			Run    *int `json:"run"`
		}{Schema: schema})
		return nil
	}
	a.say(a.text("resume.none", nil))
	return nil
}
