package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/hacsync/hacsync/cmd/hacsync/session"
	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/input"
	"github.com/hacsync/hacsync/sync/message"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/run"
	"github.com/hacsync/hacsync/sync/state"
)

// logsFlags are those of hacsync logs.
type logsFlags struct {
	domain, kind, state, since string
	limit                      int
	all, follow                bool
}

func (a *app) logsCommand() *cobra.Command {
	var f logsFlags
	c := a.command("logs", "logs [RUN]", func(ctx context.Context, args []string) error {
		s, filter, err := a.logsOf(ctx, f)
		if err != nil {
			return err
		}
		defer s.Close()
		switch {
		case len(args) == 1 && f.follow:
			return wrongUsage("hacsync logs", a.text("usage.extra", problem.Args{"argument": args[0]}))
		case len(args) == 1:
			no, err := a.runNumber("hacsync logs", args[0])
			if err != nil {
				return err
			}
			return a.log1(ctx, s.Store, no)
		case f.follow:
			return a.follow(ctx, s.Store, filter, f.state)
		}
		return a.logs(ctx, s.Store, filter, f)
	})
	c.Args = a.takes("[RUN]")
	flags := c.Flags()
	flags.StringVar(&f.domain, "domain", "", a.text("flag.logs-domain", nil))
	flags.StringVar(&f.kind, "kind", "", a.text("flag.logs-kind", nil))
	flags.StringVar(&f.state, "outcome", "", a.text("flag.logs-state", nil))
	flags.StringVar(&f.since, "since", "", a.text("flag.logs-since", nil))
	f.limit = 50
	a.wholeFlag(c, &f.limit, "limit", 0, 0)
	flags.BoolVar(&f.all, "all", false, a.text("flag.logs-all", nil))
	flags.BoolVar(&f.follow, "follow", false, a.text("flag.logs-follow", nil))
	c.AddCommand(a.pruneCommand())
	return c
}

// logsOf opens the state, and makes the filter of the flags.
func (a *app) logsOf(ctx context.Context, f logsFlags) (*session.Session, state.RunFilter, error) {
	filter := state.RunFilter{Domain: directory.FoldUPN(input.Fold(f.domain)), Limit: f.limit}
	kinds := []state.RunKind{state.DryRun, state.Sync, state.Undo}
	if f.kind != "" {
		if filter.Kind = state.RunKind(f.kind); !slices.Contains(kinds, filter.Kind) {
			return nil, filter, a.wrongChoice("kind", joined(kinds), f.kind)
		}
	}
	states := []state.RunState{
		state.Running, run.Interrupted, state.Done, state.Partial, state.Refused, state.Stopped, state.Abandoned, state.Failed,
	}
	switch s := state.RunState(f.state); {
	case f.state != "" && !slices.Contains(states, s):
		return nil, filter, a.wrongChoice("outcome", joined(states), f.state)
	case s == run.Interrupted:
		filter.State = state.Running // interrupted runs are recognised among these later
	default:
		filter.State = s
	}
	if f.since != "" {
		since, ok := input.When(f.since, time.Now(), false)
		if !ok {
			return nil, filter, a.wrongChoice("since", a.text("usage.since", nil), f.since)
		}
		filter.Since = since
	}
	s, err := a.env().Open(ctx, session.Want{Connection: !f.all})
	if err == nil {
		filter.Tenant = s.Connection().Tenant
	}
	return s, filter, err
}

func (a *app) wrongChoice(flag, takes, value string) error {
	return wrongUsage("hacsync logs", a.text("usage.choice", problem.Args{"flag": flag, "takes": takes, "value": value}))
}

func joined[T ~string](all []T) string {
	words := make([]string, len(all))
	for i, w := range all {
		words[i] = string(w)
	}
	return strings.Join(words, ", ")
}

// logs lists runs.
func (a *app) logs(ctx context.Context, store *state.Store, filter state.RunFilter, f logsFlags) error {
	if f.state == string(run.Interrupted) || f.state == string(state.Running) {
		filter.Limit = 0 // running and interrupted runs must be distinguished first
	}
	runs, err := store.Runs(ctx, filter)
	if err != nil {
		return err
	}
	for i := range runs {
		if runs[i], err = run.Judged(ctx, store, time.Now(), runs[i]); err != nil {
			return err
		}
	}
	if f.state != "" {
		runs = slices.DeleteFunc(runs, func(r state.Run) bool { return string(r.State) != f.state })
		if f.limit > 0 {
			runs = runs[:min(len(runs), f.limit)]
		}
	}
	if a.flags.json {
		objects := make([]jsonRun, len(runs))
		for i := range runs {
			objects[i] = a.jsonRun(runs[i])
		}
		a.answer(struct {
			Schema int       `json:"schema"`
			Runs   []jsonRun `json:"runs"`
		}{schema, objects})
		return nil
	}
	if len(runs) == 0 {
		a.say(a.text("logs.none", nil))
		return nil
	}
	head := func(id string) string { return a.text("logs."+id, nil) }
	rows := [][]string{{
		head("run"), head("kind"), head("domain"), head("state"), head("started"), head("counts"), head("cause"),
		head("by"), head("note"),
	}}
	for _, r := range runs {
		rows = append(rows, a.logRow(run.LogOf(r)))
	}
	a.show(a.out).table(rows, 0)
	return nil
}

// logRow returns a run as one line.
func (a *app) logRow(l run.Logged) []string {
	by := l.By
	if l.Unattended {
		by = a.text("logs.nobody", nil)
	}
	return []string{
		a.words.Int(int(l.No)), a.words.Text("run.kind."+string(l.Kind), nil), message.Clean(l.Domain),
		a.words.Text("run.state."+string(l.State), nil), a.words.Time(l.Started),
		a.tally(l), a.cause(l), message.Clean(by), message.Clean(l.Note),
	}
}

// tally returns the counts of a run in few characters: what it planned by the signs
// of the screens, and of a sync how much was seen done.
func (a *app) tally(l run.Logged) string {
	c := l.Sum.Counts
	if c == nil {
		return "-"
	}
	var parts []string
	for _, k := range []struct {
		kind plan.Kind
		n    int
	}{{plan.Add, c.Add}, {plan.Update, c.Update}, {plan.Rename, c.Rename}, {plan.Restore, c.Restore}, {plan.Delete, c.Delete}} {
		if k.n > 0 {
			parts = append(parts, k.kind.Sign()+a.words.Int(k.n))
		}
	}
	if len(parts) == 0 {
		parts = append(parts, "=")
	}
	if l.Writes && l.Sum.Planned > 0 {
		parts = append(parts, a.text("logs.seen_of", problem.Args{"seen": a.words.Int(l.Sum.Seen), "planned": a.words.Int(l.Sum.Planned)}))
	}
	if l.Sum.Held > 0 {
		parts = append(parts, a.text("logs.held", problem.Args{"n": a.words.Int(l.Sum.Held)}))
	}
	return strings.Join(parts, " ")
}

// cause returns why a run ended as it did, else why most of its rows were not seen
// done.
func (a *app) cause(l run.Logged) string {
	switch {
	case l.Sum.Problem != nil:
		w := a.words.Problem(l.Sum.Problem.Problem())
		return fmt.Sprintf("%s %s", w.Code, w.Short)
	case l.Cause == "":
		return ""
	}
	w := a.words.Problem(problem.New(l.Cause, nil))
	return fmt.Sprintf("%s %s (%s)", l.Cause, w.Short, a.words.Int(l.CauseRows))
}
