package main

import (
	"slices"
	"strconv"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/hacsync/hacsync/sync/input"
	"github.com/hacsync/hacsync/sync/problem"
)

// whole is the value of a flag that takes a whole number, as users type one.
type whole struct {
	to        *int
	low, high int
	read      func(string) (int, bool)
	refuse    func(string) error
}

// wholeFlag adds a flag that takes a whole number from low to high; high 0 is no
// limit. Its default is the value of the variable.
func (a *app) wholeFlag(c *cobra.Command, to *int, name string, low, high int) *whole {
	w := &whole{to: to, low: low, high: high, read: input.Number}
	w.refuse = func(value string) error {
		args := problem.Args{"flag": name, "low": strconv.Itoa(low), "high": "", "value": value}
		if high > 0 {
			args["high"] = strconv.Itoa(high)
		}
		return wrongUsage(c.CommandPath(), a.text("usage.whole", args))
	}
	c.Flags().Var(w, name, a.text("flag."+name, nil))
	return w
}

// percentFlag adds a flag that takes a whole number of percent.
func (a *app) percentFlag(c *cobra.Command, to *int, name string) {
	a.wholeFlag(c, to, name, 0, 100).read = input.Percent
}

// Set parses what was typed.
func (w *whole) Set(typed string) error {
	n, ok := w.read(typed)
	if !ok || n < w.low || w.high > 0 && n > w.high {
		return w.refuse(typed)
	}
	*w.to = n
	return nil
}

func (w *whole) String() string { return strconv.Itoa(*w.to) }

// Type returns the word for the value in the help.
func (w *whole) Type() string { return "int" }

// folded is a flag whose value is folded before it is read.
type folded struct{ pflag.Value }

func (f folded) Set(typed string) error {
	typed = input.Fold(typed)
	if d, ok := input.Length(typed); ok && f.Type() == "duration" {
		typed = d.String()
	}
	return f.Value.Set(typed)
}

// raw are the flags whose text stays as it was typed: names of files, notes and
// names of people, and what has a parser of its own.
var raw = []string{
	"add-certificate", "approved-by", "by", "certificate", "certificate-out", "export", "fault", "hac", "identity", "import", "log", "metrics",
	"move-script", "note", "out", "plan", "ready-file", "reason", "simulator", "source", "state", "to-identity",
}

// foldFlags makes the flags of a command and its subcommands accept what a Japanese
// input method types: ｊａ is ja, ３０分 is 30m.
func foldFlags(c *cobra.Command) {
	fold := func(f *pflag.Flag) {
		switch f.Value.Type() {
		case "duration", "int64", "float64":
			f.Value = folded{f.Value}
		case "string":
			if !slices.Contains(raw, f.Name) {
				f.Value = folded{f.Value}
			}
		}
	}
	c.LocalNonPersistentFlags().VisitAll(fold)
	c.PersistentFlags().VisitAll(fold)
	for _, below := range c.Commands() {
		foldFlags(below)
	}
}

// runNumber reads the number of a run among the arguments.
func (a *app) runNumber(command, typed string) (int64, error) {
	no, ok := input.Number(typed)
	if !ok || no < 1 {
		return 0, wrongUsage(command, a.text("usage.run", problem.Args{"argument": typed}))
	}
	return int64(no), nil
}
