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
		state.Running, interrupted, state.Done, state.Partial, state.Refused, state.Stopped, state.Abandoned, state.Failed,
	}
	switch s := state.RunState(f.state); {
	case f.state != "" && !slices.Contains(states, s):
		return nil, filter, a.wrongChoice("outcome", joined(states), f.state)
	case s == interrupted:
		filter.State = state.Running // interrupted runs are recognised among these later
	default:
		filter.State = s
	}
	if f.since != "" {
		since, ok := sinceWhen(f.since, time.Now())
		if !ok {
			return nil, filter, a.wrongChoice("since", "2h, 3d, 2026-11-25, 2026-11-25T09:00", f.since)
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

// sinceWhen reads an age, or a date and time of this machine's zone. It reports
// false for anything else.
func sinceWhen(text string, now time.Time) (time.Time, bool) {
	text = input.Fold(text)
	if d, err := run.ParseAge(text); err == nil {
		return now.Add(-d), true
	}
	if d, err := time.ParseDuration(text); err == nil && d > 0 {
		return now.Add(-d), true
	}
	for _, layout := range []string{time.DateOnly, "2006-01-02T15:04", "2006-01-02 15:04", time.RFC3339} {
		if t, err := time.ParseInLocation(layout, text, now.Location()); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// logs lists runs.
func (a *app) logs(ctx context.Context, store *state.Store, filter state.RunFilter, f logsFlags) error {
	if f.state == string(interrupted) || f.state == string(state.Running) {
		filter.Limit = 0 // running and interrupted runs must be distinguished first
	}
	runs, err := store.Runs(ctx, filter)
	if err != nil {
		return err
	}
	for i := range runs {
		if err := judgeRun(ctx, store, &runs[i]); err != nil {
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
		rows = append(rows, a.logRow(r))
	}
	a.show(a.out).table(rows, 0)
	return nil
}

// logRow returns a run as one line.
func (a *app) logRow(r state.Run) []string {
	sum := run.SummaryOf(r)
	by := r.By
	if r.Unattended {
		by = a.text("logs.nobody", nil)
	}
	return []string{
		a.words.Int(int(r.No)), a.words.Text("run.kind."+string(r.Kind), nil), message.Clean(r.Domain),
		a.words.Text("run.state."+string(r.State), nil), a.words.Time(r.Started),
		a.tally(r, sum), a.cause(sum), message.Clean(by), message.Clean(r.Note),
	}
}

// tally returns the counts of a run in few characters: what it planned by the signs
// of the screens, and of a sync how much was seen done.
func (a *app) tally(r state.Run, sum run.Summary) string {
	if sum.Counts == nil {
		return "-"
	}
	c := sum.Counts
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
	if r.Kind != state.DryRun && sum.Planned > 0 {
		parts = append(parts, a.text("logs.seen_of", problem.Args{"seen": a.words.Int(sum.Seen), "planned": a.words.Int(sum.Planned)}))
	}
	if sum.Held > 0 {
		parts = append(parts, a.text("logs.held", problem.Args{"n": a.words.Int(sum.Held)}))
	}
	return strings.Join(parts, " ")
}

// cause returns why a run ended as it did, else why most of its rows were not seen
// done.
func (a *app) cause(sum run.Summary) string {
	if sum.Problem != nil {
		w := a.words.Problem(sum.Problem.Problem())
		return fmt.Sprintf("%s %s", w.Code, w.Short)
	}
	var most problem.Code
	for code, n := range sum.Causes {
		if n > sum.Causes[most] || n == sum.Causes[most] && code < most {
			most = code
		}
	}
	if most == "" {
		return ""
	}
	w := a.words.Problem(problem.New(most, nil))
	return fmt.Sprintf("%s %s (%s)", most, w.Short, a.words.Int(sum.Causes[most]))
}

// interrupted is the state of a sync that is running without a process: no live
// process holds its claim.
const interrupted state.RunState = "interrupted"

// staleDryRun is the age after which the process of a dry run, which takes no
// claim, counts as gone.
const staleDryRun = 12 * time.Hour

// judgeRun distinguishes a run that is under way from one that was interrupted.
func judgeRun(ctx context.Context, store *state.Store, r *state.Run) error {
	if r.State != state.Running {
		return nil
	}
	if r.Kind == state.DryRun {
		if time.Since(r.Started) > staleDryRun {
			r.State = interrupted
		}
		return nil
	}
	_, alive, err := store.Alive(ctx, r.Tenant, r.Domain)
	if err == nil && !alive {
		r.State = interrupted
	}
	return err
}
