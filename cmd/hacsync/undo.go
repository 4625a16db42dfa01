package main

import (
	"context"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/hacsync/hacsync/sync/problem"
)

func (a *app) undoCommand() *cobra.Command {
	f := syncFlags{from: &sourceFlags{}}
	c := a.command("undo", "undo RUN", func(ctx context.Context, args []string) error {
		no, err := strconv.ParseInt(args[0], 10, 64)
		if err != nil || no < 1 {
			return wrongUsage("hacsync undo", a.text("usage.run", problem.Args{"argument": args[0]}))
		}
		s, err := a.open(ctx)
		if err != nil {
			return err
		}
		defer s.close()
		return a.undo(ctx, s, no, f)
	})
	c.Args = a.takes("RUN")
	a.approvalFlags(c, &f)
	return c
}

// undo plans the inverse of a run, shows it with what it leaves alone, obtains a
// person's approval, and applies it.
func (a *app) undo(ctx context.Context, s *session, no int64, f syncFlags) error {
	p, err := s.runner.Undo(ctx, no)
	if err != nil {
		return err
	}
	return a.apply(ctx, s, p, true, f)
}
