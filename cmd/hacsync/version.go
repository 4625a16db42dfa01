package main

import (
	"context"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/hacsync/hacsync/sync/problem"
)

// version returns that of the build: the tag it was installed by or built at, or
// "development" with the revision.
func version() string {
	v := "development"
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	if tag := info.Main.Version; tag != "" && tag != "(devel)" {
		v = tag
	}
	return v
}

// revision returns the commit it was built from, empty if that is not known.
func revision() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return s.Value
		}
	}
	return ""
}

func (a *app) versionCommand() *cobra.Command {
	c := a.command("version", "version", func(context.Context, []string) error {
		a.sayVersion()
		return nil
	})
	c.Args = a.takes()
	return c
}

// sayVersion is what version and --version print.
func (a *app) sayVersion() {
	platform := runtime.GOOS + "/" + runtime.GOARCH
	if a.flags.json {
		a.answer(struct {
			Schema   int    `json:"schema"`
			Version  string `json:"version"`
			Revision string `json:"revision"`
			Go       string `json:"go"`
			Platform string `json:"platform"`
		}{schema, version(), revision(), runtime.Version(), platform})
		return
	}
	a.say(a.text("version.line", problem.Args{
		"version": version(), "go": runtime.Version(), "platform": platform,
	}))
}
