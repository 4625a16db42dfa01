package periodic

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/hacsync/hacsync/sync/clock"
	"github.com/hacsync/hacsync/sync/notice"
	"github.com/hacsync/hacsync/sync/run"
	"github.com/hacsync/hacsync/sync/state"
)

// Worker carries out the intervals that are due, of every connection of a state.
// Its fields are set before Run or Once and not changed afterwards.
type Worker struct {
	Store Store
	// Queue wakes workers; Once needs none.
	Queue Queue
	// Open makes the Runner of a connection, signed in as its dedicated
	// application. It is called for every interval; the worker changes a copy of
	// the result.
	Open func(ctx context.Context, connection string) (*run.Runner, error)
	// Clock is the clock by which intervals are due; nil is the real one.
	Clock clock.Clock
	// Name is unique among the workers that share the state, such as host and
	// process; it is shown in claims and in status.
	Name    string
	Version string
	Limits  Limits
	Log     *slog.Logger
	// Notices gets what may be reported to administrators; nil reports nothing.
	Notices notice.Notifier
	Metrics Metrics

	once   sync.Once
	limits Limits
	reads  tenants

	mu     sync.Mutex
	doing  map[string]time.Time // domains under way, since when
	done   int64
	failed int64
	rung   map[ring]*rung
	free   chan struct{} // an interval has ended
}

// ring is one request to have an interval carried out.
type ring = Ring

// rung remembers a ring of this process.
type rung struct {
	try   int
	asked time.Time
	// stuck is since when the queue reports that a worker carries it out, while the
	// interval's claim is not held.
	stuck time.Time
}

func (w *Worker) prepare() {
	w.once.Do(func() {
		w.limits = w.Limits.withDefaults()
		w.doing, w.rung = map[string]time.Time{}, map[ring]*rung{}
		w.free = make(chan struct{}, 1)
		if w.Clock == nil {
			w.Clock = clock.Real()
		}
		if w.Log == nil {
			w.Log = slog.New(slog.DiscardHandler)
		}
		if w.Notices == nil {
			w.Notices = notice.Nobody{}
		}
	})
}

func (w *Worker) metrics() Metrics {
	if w.Metrics == nil {
		return noMetrics{}
	}
	return w.Metrics
}

// Run works until ctx ends. Then it finishes the batches under way, releases its
// intervals for others to take up at once, and reports that it stopped. A state or
// queue that is away for a while does not end it: it waits.
func (w *Worker) Run(ctx context.Context) error {
	w.prepare()
	began := w.Clock.Now()
	if err := w.report(ctx, began, false); err != nil {
		return err
	}
	if err := w.bringBack(ctx); err != nil {
		return err
	}
	work := func(_ context.Context, r Ring) bool { return w.turn(ctx, r) }
	if err := w.Queue.Start(context.WithoutCancel(ctx), w.limits.Domains, work); err != nil {
		return err
	}
	g := errgroup.Group{}
	g.Go(func() error {
		for w.Clock.Sleep(ctx, w.limits.Report) == nil {
			if err := w.report(ctx, began, false); err != nil && ctx.Err() == nil {
				w.Log.WarnContext(ctx, "worker not reported", "err", err)
			}
		}
		return nil
	})
	g.Go(func() error {
		for {
			if err := w.ringDue(ctx); err != nil && ctx.Err() == nil {
				w.Log.WarnContext(ctx, "due domains not found", "err", err)
			}
			if !w.rest(ctx) {
				return nil
			}
		}
	})
	_ = g.Wait()
	last := context.WithoutCancel(ctx)
	err := w.Queue.Stop(last)
	last, cancel := context.WithTimeout(last, 15*time.Second)
	defer cancel()
	return errors.Join(err, w.report(last, began, true))
}

// rest waits until it is time to look for due domains again: for the usual time, or
// less if an interval has ended, because its tenant then has a free seat. It
// reports whether the worker goes on.
func (w *Worker) rest(ctx context.Context) bool {
	short, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-w.free:
			cancel()
		case <-short.Done():
		}
	}()
	// Not more often than that, however many intervals end.
	if w.Clock.Sleep(ctx, w.limits.Look/10) != nil {
		return false
	}
	_ = w.Clock.Sleep(short, w.limits.Look*9/10)
	return ctx.Err() == nil
}

// Once carries out what is due now and returns: for callers with a scheduler of
// their own.
func (w *Worker) Once(ctx context.Context) error {
	w.prepare()
	began := w.Clock.Now()
	if err := w.report(ctx, began, false); err != nil {
		return err
	}
	if err := w.bringBack(ctx); err != nil {
		return err
	}
	tried := map[ring]bool{}
	for ctx.Err() == nil {
		rings, err := w.due(ctx)
		if err != nil {
			return err
		}
		rings = slices.DeleteFunc(rings, func(r ring) bool { return tried[r] })
		if len(rings) == 0 {
			break
		}
		g := errgroup.Group{}
		g.SetLimit(w.limits.Domains)
		for _, r := range rings {
			tried[r] = true
			g.Go(func() error {
				w.turn(ctx, r)
				return nil
			})
		}
		_ = g.Wait()
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 15*time.Second)
	defer cancel()
	return errors.Join(ctx.Err(), w.report(last, began, true))
}

// report stores this worker's report in the state.
func (w *Worker) report(ctx context.Context, began time.Time, gone bool) error {
	now := w.Clock.Now()
	me := state.Worker{
		Name: w.Name, Seen: now, PID: os.Getpid(), Version: w.Version, Since: began, Slots: w.limits.Domains,
	}
	me.Host, _ = os.Hostname()
	if gone {
		me.Stopped = now
	}
	w.mu.Lock()
	for d := range w.doing {
		me.Doing = append(me.Doing, d)
	}
	me.Done, me.Failed = w.done, w.failed
	w.mu.Unlock()
	slices.Sort(me.Doing)
	w.reads.drop(now, w.limits.Reading)
	if err := w.Store.SaveWorker(ctx, me); err != nil {
		return err
	}
	// Workers in containers have a new name with every start.
	return w.Store.ForgetWorkers(ctx, now.Add(-forgetWorkers))
}

// forgetWorkers is how long a worker that is gone is remembered.
const forgetWorkers = 7 * 24 * time.Hour
