package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/hacsync/hacsync/cmd/hacsync/session"
	"github.com/hacsync/hacsync/sync/clock"
	"github.com/hacsync/hacsync/sync/metrics"
	"github.com/hacsync/hacsync/sync/notice"
	"github.com/hacsync/hacsync/sync/periodic"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/run"
	"github.com/hacsync/hacsync/sync/state"
)

// workerFlags are those of hacsync worker.
type workerFlags struct {
	once        bool
	metrics     string
	name        string
	concurrency int
	perTenant   int
	kept        time.Duration
}

func (a *app) workerCommand() *cobra.Command {
	var f workerFlags
	c := a.command("worker", "worker", func(ctx context.Context, _ []string) error { return a.worker(ctx, f) })
	c.Args = a.takes()
	c.Flags().BoolVar(&f.once, "once", false, a.text("flag.once", nil))
	c.Flags().StringVar(&f.metrics, "metrics", metrics.Address, a.text("flag.metrics", nil))
	c.Flags().StringVar(&f.name, "name", "", a.text("flag.worker-name", nil))
	a.wholeFlag(c, &f.concurrency, "concurrency", 0, 0)
	a.wholeFlag(c, &f.perTenant, "per-tenant", 0, 0)
	c.Flags().DurationVar(&f.kept, "kept", periodic.Kept, a.text("flag.kept", nil))
	return c
}

// worker carries out periodic syncs until it is interrupted. It asks nothing: what
// needs a user becomes a notice and a line in the logs.
func (a *app) worker(ctx context.Context, f workerFlags) error {
	a.terminal = false // no user is asked, even if one started it
	m := metrics.New(metrics.Build{Version: version(), Revision: revision()})
	env := a.env()
	env.Transport = m.Transport
	s, err := env.Open(ctx, session.Want{Key: true, Simulator: true})
	if err != nil {
		return err
	}
	defer s.Close()
	if err := s.Ready(ctx, "", ""); err != nil { // a key that could not be opened later is reported now
		return err
	}
	pace, err := a.workerClock(ctx, s)
	if err != nil {
		return err
	}
	m.Share(s.Store, pace)
	teller := notice.New(notice.Options{
		Store: s.Store, Book: notice.NewBook(s.Store, s.Sealer), Clock: pace, Log: a.log, Holder: f.workerName(),
		Count: func(kind notice.Kind, sent bool) { m.Notice(string(kind), sent) },
	})
	w := &periodic.Worker{
		Store: periodic.OnStore(s.Store), Clock: pace, Name: f.workerName(), Version: version(), Log: a.log,
		Limits:  periodic.Limits{Domains: f.concurrency, PerTenant: f.perTenant},
		Notices: teller, Metrics: m,
		Open: func(ctx context.Context, connection string) (*run.Runner, error) {
			of, err := s.Unattended(ctx, connection)
			if err != nil {
				return nil, err
			}
			return of.NewRunner(m.Sink(nil), session.Showing{}, session.Showing{}), nil
		},
	}
	if f.once {
		err := errors.Join(w.Once(ctx), teller.Flush(ctx))
		if err == nil {
			a.pruned(ctx, s.Store)
		}
		return err
	}
	queue, err := periodic.OpenQueue(ctx, s.Store, periodic.QueueOptions{Kept: f.kept, Log: a.log})
	if err != nil {
		return err
	}
	defer func() { _ = queue.Close() }()
	w.Queue = queue
	served, err := a.serveMetrics(ctx, f, m, w, s.Store)
	if err != nil {
		return err
	}
	defer served()
	a.tell(a.text("worker.works", problem.Args{"name": w.Name, "state": s.Store.URL()}))
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() error { return w.Run(gctx) })
	g.Go(func() error { return ended(gctx, teller.Run(gctx)) })
	g.Go(func() error { return ended(gctx, a.tidy(gctx, s.Store, pace)) })
	err = g.Wait()
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 20*time.Second)
	defer cancel()
	if err == nil {
		err = teller.Flush(last)
	}
	if err == nil || ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		a.tell(a.text("worker.stopped", problem.Args{"name": w.Name}))
		return nil
	}
	return err
}

// ended returns no error if something ended because it was requested to.
func ended(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// workerName returns the name of a worker for others: the host and its process,
// unless a name was given.
func (f workerFlags) workerName() string {
	if f.name != "" {
		return f.name
	}
	host, err := os.Hostname()
	if err != nil {
		host = "worker"
	}
	return fmt.Sprintf("%s-%d", host, os.Getpid())
}

// workerClock returns the clock by which intervals are due: the machine's, or, if
// every connection is a simulator that runs faster, theirs.
func (a *app) workerClock(ctx context.Context, s *session.Session) (clock.Clock, error) {
	if s.Simulator != nil {
		return a.clockAt(s.Simulator.Speed), nil
	}
	all, err := s.Store.Connections(ctx)
	if err != nil || len(all) == 0 {
		return a.clockAt(0), err
	}
	speed := all[0].Speed
	for _, c := range all {
		if !c.Simulated() || c.Speed != speed {
			return a.clockAt(0), nil
		}
	}
	return a.clockAt(speed), nil
}

// serveMetrics serves metrics and health at the address of --metrics; an empty
// address serves nothing.
func (a *app) serveMetrics(ctx context.Context, f workerFlags, m *metrics.Metrics, w *periodic.Worker, store *state.Store) (func(), error) {
	if f.metrics == "" {
		return func() {}, nil
	}
	server := &metrics.Server{Metrics: m, Log: a.log, Ready: func(rctx context.Context) []metrics.Check {
		return readiness(rctx, ctx, store, w.Name, w.Clock)
	}}
	if err := server.Start(ctx, f.metrics); err != nil {
		return nil, err
	}
	a.tell(a.text("worker.metrics", problem.Args{"address": server.Addr()}))
	return func() {
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		_ = server.Stop(last)
	}, nil
}

// readiness returns the conditions for a worker to do its work: the state can be
// read, the worker reported a short time ago, and it is not stopping.
func readiness(ctx, working context.Context, store *state.Store, name string, c clock.Clock) []metrics.Check {
	checks := []metrics.Check{{Name: "state"}, {Name: "heartbeat", Fault: "no report"}, {Name: "running"}}
	workers, err := store.Workers(ctx)
	if err != nil {
		checks[0].Fault = "cannot be read"
		return checks
	}
	for _, w := range workers {
		if w.Name == name {
			checks[1].Fault = ""
			if ago := c.Now().Sub(w.Seen); ago > metrics.Silent {
				checks[1].Fault = "last report " + ago.Round(time.Second).String() + " ago"
			}
		}
	}
	if working.Err() != nil {
		checks[2].Fault = "stopping"
	}
	return checks
}

// tidy removes what is past its retention, once a day.
func (a *app) tidy(ctx context.Context, store *state.Store, c clock.Clock) error {
	for {
		a.pruned(ctx, store)
		if err := c.Sleep(ctx, 24*time.Hour); err != nil {
			return err
		}
	}
}

// pruned prunes, and logs the result.
func (a *app) pruned(ctx context.Context, store *state.Store) {
	removed, err := prune(ctx, store, time.Now())
	switch {
	case err == nil:
		a.log.InfoContext(ctx, "old runs pruned", "removed", removed)
	case ctx.Err() == nil:
		a.log.WarnContext(ctx, "old runs not pruned", "error", err)
	}
}

// quiet is the age of the last good run up to which a worker prunes.
const quiet = 3 * 24 * time.Hour

// prune removes what is past its retention, unless no run has succeeded for days:
// then there is little new, and the clock of this machine may have jumped. With a
// wrong clock no sign-in succeeds, but by it every journal would be old, and guard
// and undo need the journal.
func prune(ctx context.Context, store *state.Store, now time.Time) (state.Pruned, error) {
	keep, err := run.StoredRetention(ctx, store)
	if err != nil {
		return state.Pruned{}, err
	}
	last, err := store.Runs(ctx, state.RunFilter{State: state.Done, Limit: 1})
	if err != nil || len(last) > 0 && now.Sub(last[0].Started) > quiet {
		return state.Pruned{}, err
	}
	return run.Prune(ctx, store, keep)
}
