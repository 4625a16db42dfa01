package main

import (
	"context"
	"strings"
	"time"

	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/run"
	"github.com/hacsync/hacsync/sync/state"
)

const (
	// followEvery is how often the state is read for news, which another machine may
	// write. followAway is the longest pause while the state is out of reach: a
	// minute's delay does no harm then.
	followEvery = time.Second
	followAway  = time.Minute
	// followLast is how many earlier runs are shown first.
	followLast = 10
)

// follow shows the last runs, and then every run that begins or changes, by any
// process and machine, until ctx ends; that is its normal end.
func (a *app) follow(ctx context.Context, store *state.Store, filter state.RunFilter, only string) error {
	filter.State = "" // a run that begins is not done yet
	filter.Limit = followLast
	runs, err := store.Runs(ctx, filter)
	if err != nil {
		return err
	}
	f := &following{app: a, store: store, filter: filter, only: only, shown: map[int64]string{}}
	for i := len(runs) - 1; i >= 0; i-- {
		if err := f.news(ctx, runs[i]); err != nil {
			return err
		}
	}
	away := time.Duration(0)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(max(followEvery, away)):
		}
		err := f.look(ctx)
		switch {
		case over(ctx):
			return nil
		case f.app.out.err != nil:
			return f.app.out.err
		case err == nil:
			away = 0
		case problem.Of(err) != nil && problem.Of(err).Class() == problem.Retry:
			if away == 0 {
				a.complain(err)
			}
			away = min(max(2*away, 2*followEvery), followAway)
		default:
			return err
		}
	}
}

// over reports whether it was requested to end.
func over(ctx context.Context) bool { return ctx.Err() != nil }

// following remembers what was shown of each run that may still change.
type following struct {
	app    *app
	store  *state.Store
	filter state.RunFilter
	only   string
	last   int64
	shown  map[int64]string
}

// look shows what is new since the last look, the oldest first.
func (f *following) look(ctx context.Context) error {
	for no := range f.shown {
		r, err := f.store.Run(ctx, no)
		if problem.Has(err, problem.RunUnknown) { // pruned
			delete(f.shown, no)
			continue
		}
		if err == nil {
			err = f.news(ctx, r)
		}
		if err != nil {
			return err
		}
	}
	fresh := f.filter
	fresh.After, fresh.Limit = f.last, 0
	runs, err := f.store.Runs(ctx, fresh)
	if err != nil {
		return err
	}
	for i := len(runs) - 1; i >= 0; i-- {
		if err := f.news(ctx, runs[i]); err != nil {
			return err
		}
	}
	return nil
}

// news shows a run if it has changed since it was shown.
func (f *following) news(ctx context.Context, r state.Run) error {
	r, err := run.Judged(ctx, f.store, time.Now(), r)
	if err != nil {
		return err
	}
	f.last = max(f.last, r.No)
	looks := string(r.State) + r.Ended.String() + string(r.Summary)
	was, watched := f.shown[r.No]
	switch r.State {
	case state.Running, state.Stopped, run.Interrupted:
		f.shown[r.No] = looks
	default:
		delete(f.shown, r.No)
	}
	if watched && was == looks || f.only != "" && f.only != string(r.State) {
		return nil
	}
	a := f.app
	if a.flags.json {
		a.answer(struct {
			Schema int     `json:"schema"`
			Run    jsonRun `json:"run"`
		}{schema, a.jsonRun(r)})
		return nil
	}
	l := run.LogOf(r)
	a.say(strings.Join(nonEmpty(a.logRow(l)), "  "))
	if l.Sum.Problem != nil {
		a.say("      " + a.words.Problem(l.Sum.Problem.Problem()).What)
	}
	return nil
}

func nonEmpty(cells []string) []string {
	var some []string
	for _, c := range cells {
		if c != "" {
			some = append(some, c)
		}
	}
	return some
}
