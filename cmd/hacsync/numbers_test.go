package main

import (
	"io"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// quietly is an app without output.
func quietly(t *testing.T) *app {
	t.Helper()
	a, err := newApp(nil, nil, io.Discard, io.Discard, func(string) string { return "" })
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestConfirms_TakesTheNumberInEitherWidthAndNoOther(t *testing.T) {
	for _, c := range []struct {
		answer    string
		deletions int
		want      bool
	}{
		{"2", 2, true},
		{"２", 2, true},
		{"1,234", 1234, true},
		{"１，２３４", 1234, true},
		{"　２　", 2, true},
		{"1", 2, false},
		{"１", 2, false},
		{"", 2, false},
		{"yes", 2, false},
		{"はい", 2, false},
		{"22", 2, false},
		{"-2", 2, false},
		{"yes", 0, true},
		{"ｙｅｓ", 0, true},
		{"はい", 0, true},
		{"0", 0, false},
		{"", 0, false},
		{"いいえ", 0, false},
	} {
		if got := confirms(c.answer, c.deletions); got != c.want {
			t.Errorf("%q for %d deletions: %v", c.answer, c.deletions, got)
		}
	}
}

func TestFlags_ReadEveryNumberAsPeopleTypeIt(t *testing.T) {
	wide := map[string]string{"int": "１２", "int64": "１２", "float64": "１．５", "duration": "２ｈ"}
	var look func(*cobra.Command)
	seen := 0
	look = func(c *cobra.Command) {
		for _, below := range c.Commands() {
			look(below)
		}
		for _, name := range []string{
			"source-count", "limit", "max-allowed-deletions", "max-deletions", "life", "concurrency", "per-tenant", "kept",
			"every", "jitter", "users", "seed", "speed", "latency",
		} {
			f := c.Flags().Lookup(name)
			if f == nil {
				continue
			}
			seen++
			if typed, ok := wide[f.Value.Type()]; !ok {
				t.Errorf("%s --%s is a %s", c.CommandPath(), name, f.Value.Type())
			} else if err := f.Value.Set(typed); err != nil {
				t.Errorf("%s --%s %s: %v", c.CommandPath(), name, typed, err)
			}
		}
	}
	look(quietly(t).root())
	if seen < 14 {
		t.Errorf("only %d flags were found", seen)
	}
}

// A domain is typed in whatever width and case; every command that takes one reads it
// as all others do.
func TestArguments_ADomainIsFoldedForEveryCommand(t *testing.T) {
	var found []string
	var look func(c *cobra.Command)
	look = func(c *cobra.Command) {
		for _, below := range c.Commands() {
			look(below)
		}
		if !strings.Contains(c.Use, "DOMAIN") {
			return
		}
		found = append(found, c.Name())
		for _, typed := range []string{"ＭＩＤＯＲＩ．Ｅｘａｍｐｌｅ", " Midori.EXAMPLE　"} {
			args := []string{typed}
			if err := c.Args(c, args); err != nil || args[0] != "midori.example" {
				t.Errorf("%s %q: %q, %v", c.Name(), typed, args, err)
			}
		}
		for _, nothing := range []string{"", "　"} {
			if err := c.Args(c, []string{nothing}); err == nil {
				t.Errorf("%s takes %q for a domain", c.Name(), nothing)
			}
		}
	}
	look(quietly(t).root())
	if len(found) < 12 {
		t.Errorf("only %v", found)
	}
}
