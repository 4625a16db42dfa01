package main

import (
	"context"
	"encoding/json"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/message"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/state"
)

func (a *app) logsCommand() *cobra.Command {
	var (
		domain string
		limit  int
	)
	c := a.command("logs", "logs [RUN]", func(ctx context.Context, args []string) error {
		store, connection, err := a.saved(ctx)
		if err != nil {
			return err
		}
		defer func() { _ = store.Close() }()
		if len(args) == 1 {
			no, err := strconv.ParseInt(args[0], 10, 64)
			if err != nil || no < 1 {
				return wrongUsage("hacsync logs", a.text("usage.run", problem.Args{"argument": args[0]}))
			}
			return a.log1(ctx, store, no)
		}
		runs, err := store.Runs(ctx, state.RunFilter{Tenant: connection.Tenant, Domain: directory.FoldUPN(domain), Limit: limit})
		if err != nil {
			return err
		}
		for i := range runs {
			if err := judgeRun(ctx, store, &runs[i]); err != nil {
				return err
			}
		}
		if a.flags.json {
			if runs == nil {
				runs = []state.Run{}
			}
			a.answer(struct {
				Schema int         `json:"schema"`
				Runs   []state.Run `json:"runs"`
			}{schema, runs})
			return nil
		}
		if len(runs) == 0 {
			a.say(a.text("logs.none", nil))
			return nil
		}
		head := func(id string) string { return a.text("logs."+id, nil) }
		rows := [][]string{{head("run"), head("kind"), head("domain"), head("state"), head("started"), head("by"), head("note")}}
		for _, r := range runs {
			rows = append(rows, []string{
				a.words.Int(int(r.No)), a.words.Text("run.kind."+string(r.Kind), nil), message.Clean(r.Domain),
				a.words.Text("run.state."+string(r.State), nil), a.words.Time(r.Started),
				message.Clean(r.By), message.Clean(r.Note),
			})
		}
		a.show(a.out).table(rows, 0)
		return nil
	})
	c.Args = a.takes("[RUN]")
	c.Flags().StringVar(&domain, "domain", "", a.text("flag.logs-domain", nil))
	c.Flags().IntVar(&limit, "limit", 50, a.text("flag.limit", nil))
	return c
}

// interrupted is the state of a sync that is running and that nobody carries
// out: its claim is held by no live process.
const interrupted state.RunState = "interrupted"

// judgeRun tells a sync that is under way from one that was interrupted.
func judgeRun(ctx context.Context, store *state.Store, r *state.Run) error {
	if r.State != state.Running || r.Kind == state.DryRun { // a dry run takes no claim
		return nil
	}
	_, alive, err := store.Alive(ctx, r.Tenant, r.Domain)
	if err == nil && !alive {
		r.State = interrupted
	}
	return err
}

// jsonEntry is a row of the journal, without the images of accounts.
type jsonEntry struct {
	No      int             `json:"no"`
	Step    int             `json:"step"`
	Kind    string          `json:"kind"`
	UPN     string          `json:"upn"`
	ID      string          `json:"id"`
	State   string          `json:"state"`
	Attempt int             `json:"attempt"`
	Problem *problem.Stored `json:"problem"`
}

// log1 shows one run, with the rows of its journal that were not seen done.
func (a *app) log1(ctx context.Context, store *state.Store, no int64) error {
	r, err := store.Run(ctx, no)
	if err != nil {
		return err
	}
	if err := judgeRun(ctx, store, &r); err != nil {
		return err
	}
	journal, err := store.Journal(ctx, no)
	if err != nil {
		return err
	}
	entries := make([]jsonEntry, 0, len(journal))
	for _, e := range journal {
		entries = append(entries, jsonEntry{
			No: e.Action, Step: e.Step, Kind: e.Kind, UPN: e.Object.UPN, ID: string(e.Object.ID),
			State: string(e.State), Attempt: e.Attempt, Problem: storedProblem(e.Problem),
		})
	}
	if a.flags.json {
		a.answer(struct {
			Schema  int         `json:"schema"`
			Run     state.Run   `json:"run"`
			Journal []jsonEntry `json:"journal"`
		}{schema, r, entries})
		return nil
	}
	out := a.show(a.out)
	rows := [][]string{}
	add := func(id, value string) {
		if value != "" {
			rows = append(rows, []string{a.text("logs."+id, nil), message.Clean(value)})
		}
	}
	add("run", a.words.Int(int(r.No)))
	add("kind", a.words.Text("run.kind."+string(r.Kind), nil))
	add("domain", r.Domain)
	add("state", a.words.Text("run.state."+string(r.State), nil))
	add("started", a.words.Time(r.Started))
	add("ended", a.words.Time(r.Ended))
	add("source", r.Source)
	add("fingerprint", r.Fingerprint)
	add("by", r.By)
	add("note", r.Note)
	out.table(rows, -1)
	states := map[string]int{}
	for _, e := range entries {
		states[e.State]++
		if e.State == string(state.Seen) {
			continue
		}
		why := ""
		if e.Problem != nil {
			w := a.words.Problem(e.Problem.Problem())
			why = w.What + " (" + string(w.Code) + ")"
		}
		out.line("  %5d  %s  %s  %s  %s", e.No, e.Kind, message.Clean(e.UPN), a.text("journal."+e.State, nil), why)
	}
	if n := states[string(state.Seen)]; n > 0 {
		out.line("%s", a.text("logs.seen", problem.Args{"n": a.words.Int(n)}))
	}
	return nil
}

// storedProblem reads the problem of a journal row; nil where there is none.
func storedProblem(raw json.RawMessage) *problem.Stored {
	if len(raw) == 0 || string(raw) == "null" {
		return nil
	}
	var s problem.Stored
	if json.Unmarshal(raw, &s) != nil || s.Code == "" {
		return nil
	}
	return &s
}
