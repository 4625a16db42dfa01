package main

import (
	"context"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/adrg/xdg"
	"github.com/spf13/cobra"

	"github.com/hacsync/hacsync/cmd/hacsync/session"
	"github.com/hacsync/hacsync/sync/run"
	"github.com/hacsync/hacsync/sync/state"
)

// completes makes the shell complete what the state knows: the arguments of every
// command by the names they have in its Use, and --connection. It asks no tenant,
// and where the state cannot be opened it offers nothing.
func (a *app) completes(root *cobra.Command) {
	_ = root.RegisterFlagCompletionFunc("connection", func(c *cobra.Command, _ []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return a.stored(c.Context(), connectionNames), cobra.ShellCompDirectiveNoFileComp
	})
	var each func(*cobra.Command)
	each = func(c *cobra.Command) {
		names := strings.Fields(strings.NewReplacer("[", "", "]", "").Replace(c.Use))[1:]
		if len(names) > 0 && c.Name() != "help" && c.ValidArgs == nil {
			c.ValidArgsFunction = func(c *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
				return a.complete(c, names, args, typed)
			}
		}
		for _, sub := range c.Commands() {
			each(sub)
		}
	}
	each(root)
}

// complete offers values of the argument after args.
func (a *app) complete(c *cobra.Command, names, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	name := names[min(len(args), len(names)-1)]
	if len(args) >= len(names) && !strings.HasSuffix(name, "…") {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	ctx := c.Context()
	switch {
	case name == "FILE":
		return nil, cobra.ShellCompDirectiveDefault
	case name == "DOMAIN":
		return a.stored(ctx, domainNames), cobra.ShellCompDirectiveNoFileComp
	case name == "RUN":
		return a.stored(ctx, a.runNumbers), cobra.ShellCompDirectiveNoFileComp
	case name == "NAME" && c.Parent().Name() == "connections":
		return a.stored(ctx, connectionNames), cobra.ShellCompDirectiveNoFileComp
	case strings.HasPrefix(name, "KEY=VALUE"):
		return a.completeSetting(typed)
	}
	return nil, cobra.ShellCompDirectiveNoFileComp
}

// completeSetting offers the settings with what each means, and then its words.
func (a *app) completeSetting(typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	var out []cobra.Completion
	if key, _, ok := strings.Cut(typed, "="); ok {
		if key == run.KeySource {
			return []cobra.Completion{"source=hac", "source=csv:"}, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
		}
		for _, w := range run.SettingWords(key) {
			out = append(out, key+"="+w)
		}
		return out, cobra.ShellCompDirectiveNoFileComp
	}
	for _, key := range slices.Sorted(maps.Keys(run.DefaultSettings().Pairs())) {
		out = append(out, cobra.CompletionWithDesc(key+"=", a.words.Text("setting."+key, nil)))
	}
	return out, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
}

// stored asks the state, where there is one.
func (a *app) stored(ctx context.Context, ask func(context.Context, *state.Store) ([]string, error)) []cobra.Completion {
	if ctx == nil {
		ctx = context.Background()
	}
	if a.flags.State == "" {
		path, err := xdg.SearchDataFile("hacsync/state.db")
		if _, missing := os.Stat(path); err != nil || missing != nil {
			return nil // opening it would make one
		}
	}
	s, err := a.env().Open(ctx, session.Want{})
	if err != nil {
		return nil
	}
	defer s.Close()
	found, err := ask(ctx, s.Store)
	if err != nil {
		return nil
	}
	return found
}

// domainNames are the domains of every connection.
func domainNames(ctx context.Context, store *state.Store) ([]string, error) {
	all, err := store.Connections(ctx)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, c := range all {
		domains, err := store.Domains(ctx, c.Tenant)
		if err != nil {
			return nil, err
		}
		names = append(names, domains...)
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// offered is how many runs are offered, the latest first.
const offered = 20

func (a *app) runNumbers(ctx context.Context, store *state.Store) ([]string, error) {
	runs, err := store.Runs(ctx, state.RunFilter{Limit: offered})
	var out []string
	for _, r := range runs {
		what := a.words.Text("run.kind."+string(r.Kind), nil) + " " + r.Domain + ", " + a.words.Time(r.Started)
		out = append(out, cobra.CompletionWithDesc(strconv.FormatInt(r.No, 10), what))
	}
	return out, err
}
