package main

import (
	"context"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hacsync/hacsync/cmd/hacsync/session"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/run"
	"github.com/hacsync/hacsync/sync/source/haccsv"
)

// sourceFlags are those of commands that read the source.
type sourceFlags struct {
	source string
	count  int
	// accept is the size that the shrink check refused and a reviewer accepts.
	accept int
}

func (a *app) sourceFlags(c *cobra.Command) *sourceFlags {
	f := &sourceFlags{}
	c.Flags().StringVar(&f.source, "source", "", a.text("flag.source", nil))
	a.wholeFlag(c, &f.count, "source-count", 1, 0)
	a.wholeFlag(c, &f.accept, "accept-size", 1, 0)
	for _, name := range []string{"source-count", "accept-size"} {
		c.Flags().Lookup(name).DefValue = "" // none; the help has no word for it
	}
	return f
}

// dryRun makes a dry run, and accepts a new size first if the flag was given. The plan
// lacks what reviewers left out.
func (f *sourceFlags) dryRun(ctx context.Context, s *session.Session, domain, by string, o run.Overrides) (*run.Planned, error) {
	if f.accept > 0 {
		if err := s.Runner.AcceptSize(ctx, domain, f.accept, by); err != nil {
			return nil, err
		}
	}
	p, err := s.Runner.DryRun(ctx, domain, o)
	if err != nil {
		return nil, err
	}
	return p.Remaining(), nil
}

// overrides returns what the flags change for this one run.
func (f *sourceFlags) overrides() (run.Overrides, error) {
	spec, err := absoluteSource(f.source)
	return run.Overrides{Source: spec, Count: f.count}, err
}

// absoluteSource checks the kind of a source and makes the path of a file absolute:
// a stored one is read again from another folder.
func absoluteSource(spec string) (string, error) {
	if spec == "" || spec == "hac" {
		return spec, nil
	}
	path, isCSV := strings.CutPrefix(spec, "csv:")
	if !isCSV || strings.TrimSpace(path) == "" {
		return "", problem.New(problem.SourceUnknown, problem.Args{"source": spec, "kinds": session.SourceKinds})
	}
	absolute, err := filepath.Abs(haccsv.CleanPath(path))
	if err != nil {
		return "", notRead(path, err)
	}
	return "csv:" + absolute, nil
}
