package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/hacsync/hacsync/cmd/hacsync/session"
)

func (a *app) undoCommand() *cobra.Command {
	f := syncFlags{from: &sourceFlags{}}
	c := a.command("undo", "undo RUN", func(ctx context.Context, args []string) error {
		no, err := a.runNumber("hacsync undo", args[0])
		if err != nil {
			return err
		}
		s, err := a.open(ctx)
		if err != nil {
			return err
		}
		defer s.Close()
		return a.undo(ctx, s, no, f)
	})
	c.Args = a.takes("RUN")
	a.approvalFlags(c, &f)
	return c
}

// undo plans the inverse of a run, shows it with what it leaves unchanged, asks the
// user to approve it, and applies it.
func (a *app) undo(ctx context.Context, s *session.Session, no int64, f syncFlags) error {
	p, err := s.Runner.Undo(ctx, no)
	if err != nil {
		return err
	}
	return a.apply(ctx, s, p.Remaining(), true, f)
}
