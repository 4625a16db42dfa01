package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"

	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/tui/widget"
)

// The width of lines: that of the terminal, up to widest; usual where there is none.
const (
	usual  = 80
	widest = 100
)

// lineWidth is the width of what w shows, and whether it is a terminal.
func lineWidth(w io.Writer) (int, bool) {
	if o, ok := w.(*output); ok {
		w = o.to
	}
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return usual, false
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil || width <= 0 {
		return usual, true
	}
	return min(width, widest), true
}

// flowed breaks a line for a terminal at words; elsewhere it stays whole, and so does
// a command, which is to be copied. What follows stands under the line's own indent.
func flowed(w io.Writer, line string) string {
	width, terminal := lineWidth(w)
	if !terminal || widget.Width(line) <= width {
		return line
	}
	var out []string
	for _, part := range strings.Split(line, "\n") {
		text := strings.TrimLeft(part, " ")
		if strings.HasPrefix(text, "hacsync ") {
			out = append(out, part)
			continue
		}
		indent := strings.Repeat(" ", len(part)-len(text))
		for _, l := range widget.Wrap(text, width-len(indent)) {
			out = append(out, indent+l)
		}
	}
	return strings.Join(out, "\n")
}

// helps gives the commands their help, in the words of the catalogue: cobra has its
// own for completion and help only in English.
func (a *app) helps(root *cobra.Command) {
	root.PersistentFlags().BoolP("help", "h", false, a.text("flag.help", nil))
	root.SetHelpFunc(func(c *cobra.Command, _ []string) { _, _ = io.WriteString(a.out, a.help(c)) })
	root.SetHelpCommand(a.helpCommand(root))
	root.AddCommand(a.completionCommand(root))
}

func (a *app) helpCommand(root *cobra.Command) *cobra.Command {
	c := a.command("help", "help [COMMAND…]", nil)
	c.Run, c.RunE = nil, func(_ *cobra.Command, args []string) error {
		named, rest, err := root.Find(args)
		if err != nil || named == nil || named == root && len(rest) > 0 {
			return wrongUsage("hacsync", a.text("usage.no_command", problem.Args{"name": strings.Join(args, " ")}))
		}
		return named.Help()
	}
	c.ValidArgsFunction = func(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		named, _, err := root.Find(args)
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		var names []cobra.Completion
		for _, sub := range named.Commands() {
			if sub.IsAvailableCommand() {
				names = append(names, cobra.CompletionWithDesc(sub.Name(), sub.Short))
			}
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	}
	return c
}

// shells write the completion of each shell.
var shells = map[string]func(*cobra.Command, io.Writer) error{
	"bash":       func(c *cobra.Command, w io.Writer) error { return c.GenBashCompletionV2(w, true) },
	"zsh":        func(c *cobra.Command, w io.Writer) error { return c.GenZshCompletion(w) },
	"fish":       func(c *cobra.Command, w io.Writer) error { return c.GenFishCompletion(w, true) },
	"powershell": func(c *cobra.Command, w io.Writer) error { return c.GenPowerShellCompletionWithDesc(w) },
}

func (a *app) completionCommand(root *cobra.Command) *cobra.Command {
	names := []string{"bash", "zsh", "fish", "powershell"}
	c := a.command("completion", "completion SHELL", func(_ context.Context, args []string) error {
		write, ok := shells[args[0]]
		if !ok {
			return wrongUsage("hacsync completion", a.text("usage.argument", problem.Args{"takes": strings.Join(names, ", "), "value": args[0]}))
		}
		return write(root, a.out)
	})
	c.Args = a.takes("SHELL")
	c.ValidArgs, c.ValidArgsFunction = names, nil
	return c
}

// help is the help of a command, in lines of the width of the terminal.
func (a *app) help(c *cobra.Command) string {
	width, _ := lineWidth(a.out)
	h := helpText{width: width}
	for _, par := range strings.Split(cmp.Or(c.Long, c.Short), "\n\n") {
		for _, l := range strings.Split(par, "\n") {
			h.text("", l)
		}
		h.blank()
	}
	h.head(a.text("help.usage", nil))
	h.text("  ", usageLine(c, a.text("help.command", nil), a.text("help.flags_word", nil)))
	h.blank()
	if c.Example != "" {
		h.head(a.text("help.examples", nil))
		for _, l := range strings.Split(strings.TrimSpace(c.Example), "\n") {
			h.line("  " + strings.TrimSpace(l)) // to be copied: never broken
		}
		h.blank()
	}
	commands := map[string][][2]string{}
	for _, sub := range c.Commands() {
		if sub.IsAvailableCommand() || sub.Name() == "help" {
			commands[sub.GroupID] = append(commands[sub.GroupID], [2]string{sub.Use, sub.Short})
		}
	}
	for _, g := range c.Groups() {
		h.list(g.Title, commands[g.ID])
	}
	h.list(a.text("help.commands", nil), commands[""])
	own, all := flagsOf(c, a.text("help.preset", nil))
	h.list(a.text("help.flags", nil), own)
	h.list(a.text("help.all_flags", nil), all)
	return h.b.String()
}

// usageLine is how a command is written: its path, arguments, commands and flags.
func usageLine(c *cobra.Command, command, flags string) string {
	line := c.Use
	if c.HasParent() {
		line = c.Parent().CommandPath() + " " + c.Use
	}
	if c.HasAvailableSubCommands() {
		line += " [" + command + "]"
	}
	return line + " [" + flags + "]"
}

// flagsOf are the flags of a command, and those that every command takes.
func flagsOf(c *cobra.Command, preset string) (own, all [][2]string) {
	c.InheritedFlags()
	rows := func(set *pflag.FlagSet) (out [][2]string) {
		set.VisitAll(func(f *pflag.Flag) {
			if f.Hidden {
				return
			}
			name := "    --" + f.Name
			if f.Shorthand != "" {
				name = "-" + f.Shorthand + ", --" + f.Name
			}
			text := f.Usage
			if !slices.Contains([]string{"", "false", "0", "0s", "[]"}, f.DefValue) {
				text += fmt.Sprintf(" (%s %s)", preset, f.DefValue)
			}
			out = append(out, [2]string{name, text})
		})
		return out
	}
	if !c.HasParent() {
		return rows(c.LocalFlags()), nil
	}
	return rows(c.LocalNonPersistentFlags()), rows(c.InheritedFlags())
}

// helpText are the lines of a help.
type helpText struct {
	b     strings.Builder
	width int
}

func (h *helpText) line(s string) { h.b.WriteString(strings.TrimRight(s, " ") + "\n") }
func (h *helpText) blank()        { h.line("") }
func (h *helpText) head(s string) { h.line(s) }

// text writes a text that is broken at words.
func (h *helpText) text(indent, s string) {
	for _, l := range widget.Wrap(s, h.width-len(indent)) {
		h.line(indent + l)
	}
}

// list writes names with their texts beside them, or below where a name is long.
func (h *helpText) list(head string, rows [][2]string) {
	if len(rows) == 0 {
		return
	}
	h.head(head)
	left := 0
	for _, r := range rows {
		if n := widget.Width(r[0]); n <= h.width/3 {
			left = max(left, n)
		}
	}
	left = max(left, 8) + 4 // two before, two after
	for _, r := range rows {
		name := "  " + r[0]
		if widget.Width(name)+2 > left {
			h.line(name)
			name = ""
		}
		for _, l := range widget.Wrap(r[1], h.width-left) {
			h.line(widget.Fit(name, left) + l)
			name = ""
		}
	}
	h.blank()
}

var unknownCommand = regexp.MustCompile(`^unknown command "([^"]*)" for "([^"]*)"`)

// misuse puts an error of the arguments into words; an unknown kind stays as the
// library says it.
func (a *app) misuse(root *cobra.Command, err error) string {
	var (
		none   *pflag.NotExistError
		empty  *pflag.ValueRequiredError
		wrong  *pflag.InvalidValueError
		syntax *pflag.InvalidSyntaxError
	)
	switch {
	case errors.As(err, &none):
		name := "--" + none.GetSpecifiedName()
		if s := none.GetSpecifiedShortnames(); s != "" {
			name = "-" + none.GetSpecifiedName()
		}
		return a.text("usage.no_flag", problem.Args{"flag": name})
	case errors.As(err, &empty):
		return a.text("usage.no_value", problem.Args{"flag": "--" + empty.GetFlag().Name})
	case errors.As(err, &wrong):
		return a.text("usage.bad_value", problem.Args{"flag": "--" + wrong.GetFlag().Name, "value": wrong.GetValue()})
	case errors.As(err, &syntax):
		return a.text("usage.bad_flag", problem.Args{"flag": syntax.GetSpecifiedFlag()})
	}
	if m := unknownCommand.FindStringSubmatch(err.Error()); m != nil {
		near := ""
		if c, _, e := root.Find(strings.Fields(m[2])[1:]); e == nil {
			near = strings.Join(c.SuggestionsFor(m[1]), ", ")
		}
		return a.text("usage.no_command", problem.Args{"name": m[1], "near": near})
	}
	return strings.Join(strings.Fields(err.Error()), " ")
}
