package main

import (
	"bytes"
	"context"
	"io"

	"github.com/spf13/cobra"

	"github.com/hacsync/hacsync/sync/problem"
)

func (a *app) grantCommand() *cobra.Command {
	var (
		script bool
		out    string
	)
	c := a.command("grant", "grant --script", func(ctx context.Context, _ []string) error {
		if !script {
			return wrongUsage("hacsync grant", a.text("usage.grant", nil))
		}
		s, err := a.open(ctx)
		if err != nil {
			return err
		}
		defer s.close()
		var text bytes.Buffer
		if err := s.grants.Script(&text); err != nil {
			return err
		}
		if out != "" {
			if err := writeFile(out, func(w io.Writer) error { _, err := w.Write(text.Bytes()); return err }); err != nil {
				return err
			}
		}
		switch {
		case a.flags.json:
			a.answer(struct {
				Schema int    `json:"schema"`
				Script string `json:"script"`
				File   string `json:"file"`
			}{schema, text.String(), out})
		case out != "":
			a.say(a.text("grant.saved", problem.Args{"file": out}))
		default:
			_, err = a.out.Write(text.Bytes())
		}
		return err
	})
	c.Args = a.takes()
	c.Flags().BoolVar(&script, "script", false, a.text("flag.script", nil))
	c.Flags().StringVar(&out, "out", "", a.text("flag.script-out", nil))
	return c
}
