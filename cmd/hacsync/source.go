package main

import (
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/run"
	"github.com/hacsync/hacsync/sync/source/haccsv"
)

// sourceKinds are the kinds of source there are, as --source and settings
// source=… name them.
const sourceKinds = "csv:PATH, hac"

// sourceFlags are those of commands that read the source.
type sourceFlags struct {
	source string
	count  int
}

func (a *app) sourceFlags(c *cobra.Command) *sourceFlags {
	f := &sourceFlags{}
	c.Flags().StringVar(&f.source, "source", "", a.text("flag.source", nil))
	a.wholeFlag(c, &f.count, "source-count", 1, 0)
	return f
}

// overrides are what the flags say for this one run.
func (f *sourceFlags) overrides() (run.Overrides, error) {
	spec, err := absoluteSource(f.source)
	return run.Overrides{Source: spec, Count: f.count}, err
}

// absoluteSource checks the kind of a source and makes the path of a file hold
// from any folder: a stored one is read again by whoever runs next.
func absoluteSource(spec string) (string, error) {
	if spec == "" || spec == "hac" {
		return spec, nil
	}
	path, isCSV := strings.CutPrefix(spec, "csv:")
	if !isCSV || strings.TrimSpace(path) == "" {
		return "", problem.New(problem.SourceUnknown, problem.Args{"source": spec, "kinds": sourceKinds})
	}
	absolute, err := filepath.Abs(haccsv.CleanPath(path))
	if err != nil {
		return "", notRead(path, err)
	}
	return "csv:" + absolute, nil
}
