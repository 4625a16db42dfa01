package main

import (
	"bytes"
	"context"
	"io"

	"github.com/spf13/cobra"

	"github.com/hacsync/hacsync/sync/auditlog"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/problem"
)

// rowsOfLog returns how many rows the CSV of a plan has.
func rowsOfLog(p *plan.Plan) int {
	n := p.Len() + p.SkipLen()
	for _, q := range p.Questions() {
		n += len(q.Rows)
	}
	return n
}

func (a *app) auditLogCommand() *cobra.Command {
	var (
		html bool
		out  string
	)
	c := a.command("audit-log", "audit-log DOMAIN", func(ctx context.Context, args []string) error {
		s, err := a.open(ctx)
		if err != nil {
			return err
		}
		defer s.Close()
		p, err := s.Runner.Latest(ctx, args[0])
		if err != nil {
			return err
		}
		p = p.Remaining()
		report := auditlog.Report{Plan: p.Plan, Run: p.Run, At: p.At}
		format, render := "csv", auditlog.CSV
		if html {
			format, render = "html", auditlog.HTML
		}
		write := func(w io.Writer) error { return render(w, a.words, report) }
		if out != "" {
			if err := a.writeFile(ctx, out, write); err != nil {
				return err
			}
		}
		if a.flags.json {
			content := ""
			if out == "" {
				var b bytes.Buffer
				if err := write(&b); err != nil {
					return err
				}
				content = b.String()
			}
			a.answer(struct {
				Schema  int    `json:"schema"`
				Run     int64  `json:"run"`
				Domain  string `json:"domain"`
				Format  string `json:"format"`
				Rows    int    `json:"rows"`
				File    string `json:"file"`
				Content string `json:"content"`
			}{schema, p.Run, p.Plan.Domain(), format, rowsOfLog(p.Plan), out, content})
			return nil
		}
		if out == "" {
			return write(a.out)
		}
		a.say(a.text("audit-log.saved", problem.Args{"run": a.words.Int(int(p.Run)), "file": out}))
		return nil
	})
	c.Args = a.takes("DOMAIN")
	c.Flags().BoolVar(&html, "html", false, a.text("flag.html", nil))
	c.Flags().StringVar(&out, "out", "", a.text("flag.out", nil))
	return c
}
