package main

import (
	"io"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/hacsync/hacsync/tui/widget"
)

// everyCommand calls f for a command and all below it.
func everyCommand(c *cobra.Command, f func(*cobra.Command)) {
	f(c)
	for _, sub := range c.Commands() {
		everyCommand(sub, f)
	}
}

func TestHelp_FitsEightyColumnsAndPartsNoFlag(t *testing.T) {
	for _, lang := range []string{"en", "ja"} {
		a, err := newApp([]string{"--lang", lang}, nil, io.Discard, io.Discard, func(string) string { return "" })
		if err != nil {
			t.Fatal(err)
		}
		everyCommand(a.root(), func(c *cobra.Command) {
			help := a.help(c)
			examples := map[string]bool{}
			for _, l := range strings.Split(c.Example, "\n") {
				examples["  "+strings.TrimSpace(l)] = true
			}
			var flat strings.Builder
			for _, l := range strings.Split(help, "\n") {
				if widget.Width(l) > usual && !examples[l] {
					t.Errorf("%s, %s: %d columns: %q", lang, c.CommandPath(), widget.Width(l), l)
				}
				flat.WriteString(strings.ReplaceAll(l, " ", ""))
			}
			c.Flags().VisitAll(func(f *pflag.Flag) {
				if f.Hidden {
					return
				}
				if !strings.Contains(help, "--"+f.Name) {
					t.Errorf("%s, %s: --%s is parted or missing", lang, c.CommandPath(), f.Name)
				}
				if !strings.Contains(flat.String(), strings.ReplaceAll(f.Usage, " ", "")) {
					t.Errorf("%s, %s: --%s is not explained as %q", lang, c.CommandPath(), f.Name, f.Usage)
				}
			})
			for _, word := range strings.Fields(c.Short + " " + c.Long) {
				if strings.HasPrefix(word, "--") && !strings.Contains(help, word) {
					t.Errorf("%s, %s: %q is parted", lang, c.CommandPath(), word)
				}
			}
			if lang == "ja" && strings.TrimFunc(c.Short, func(r rune) bool { return r < 0x3000 }) == "" {
				t.Errorf("%s has no Japanese words: %q", c.CommandPath(), c.Short)
			}
		})
	}
}
