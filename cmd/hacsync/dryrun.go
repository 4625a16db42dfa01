package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/hacsync/hacsync/sync/problem"
)

func (a *app) dryRunCommand() *cobra.Command {
	var (
		from    *sourceFlags
		out     string
		summary bool
	)
	c := a.command("dry-run", "dry-run DOMAIN", func(ctx context.Context, args []string) error {
		o, err := from.overrides()
		if err != nil {
			return err
		}
		s, err := a.open(ctx)
		if err != nil {
			return err
		}
		defer s.Close()
		p, err := from.dryRun(ctx, s, args[0], approver(""), o)
		if err != nil {
			return err
		}
		if out != "" {
			if err := a.writeFile(ctx, out, p.Plan.Encode); err != nil {
				return err
			}
		}
		if a.flags.json {
			for _, w := range p.Plan.Warnings() {
				a.tell("! " + a.words.Problem(w).What)
			}
			a.answered = true
			if err := (planObject{run: p.Run, at: p.At, plan: p.Plan, summary: summary, words: a.words}).write(a.out); err != nil {
				return err
			}
			return dryRunOutcome(p.Plan)
		}
		a.show(a.out).plan(p, p.At, summary)
		if out != "" {
			a.say(a.text("plan.saved", problem.Args{"file": out}))
		}
		return dryRunOutcome(p.Plan)
	})
	c.Args = a.takes("DOMAIN")
	from = a.sourceFlags(c)
	c.Flags().StringVar(&out, "out", "", a.text("flag.plan-out", nil))
	c.Flags().BoolVar(&summary, "summary", false, a.text("flag.summary", nil))
	return c
}
