package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/hacsync/hacsync/cmd/hacsync/session"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/run"
	"github.com/hacsync/hacsync/sync/state"
)

// pruneCommand removes old runs from the sync log, or shows how long they are kept.
func (a *app) pruneCommand() *cobra.Command {
	var (
		older, plans string
		keep         bool
	)
	c := a.command("logs-prune", "prune", func(ctx context.Context, _ []string) error {
		s, err := a.env().Open(ctx, session.Want{})
		if err != nil {
			return err
		}
		defer s.Close()
		r, err := run.StoredRetention(ctx, s.Store)
		if err != nil {
			return err
		}
		if older != "" {
			if r.Runs, err = run.ParseAge(older); err != nil {
				return a.wrongAge("older", older)
			}
		}
		if plans != "" {
			if r.Plans, err = run.ParseAge(plans); err != nil {
				return a.wrongAge("plans", plans)
			}
		}
		if keep {
			if err := run.SetRetention(ctx, s.Store, r); err != nil {
				return err
			}
		}
		gone, err := run.Prune(ctx, s.Store, r)
		if err != nil {
			return err
		}
		if a.flags.json {
			a.answer(struct {
				Schema  int          `json:"schema"`
				Removed state.Pruned `json:"removed"`
				Runs    string       `json:"keep_runs"`
				Plans   string       `json:"keep_plans"`
			}{schema, gone, run.Age(r.Runs), run.Age(r.Plans)})
			return nil
		}
		a.say(a.text("logs-prune.done", problem.Args{
			"runs": a.words.Int(gone.Runs), "rows": a.words.Int(gone.Rows), "plans": a.words.Int(gone.Plans),
		}))
		a.say(a.text("logs-prune.kept", problem.Args{"runs": run.Age(r.Runs), "plans": run.Age(r.Plans)}))
		return nil
	})
	c.Args = a.takes()
	c.Flags().StringVar(&older, "older", "", a.text("flag.older", nil))
	c.Flags().StringVar(&plans, "plans", "", a.text("flag.plans", nil))
	c.Flags().BoolVar(&keep, "keep", false, a.text("flag.keep", nil))
	return c
}

func (a *app) wrongAge(flag, value string) error {
	return wrongUsage("hacsync logs prune", a.text("usage.choice", problem.Args{"flag": flag, "takes": "90d, 12w, 36h", "value": value}))
}
