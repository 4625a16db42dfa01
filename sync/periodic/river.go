package periodic

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"
	"github.com/riverqueue/river/rivertype"

	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/state"
)

// Kept is the default for how long the queue remembers finished jobs: 24 hours, as
// River's guides advise.
const Kept = 24 * time.Hour

// QueueOptions are what OpenQueue sets to defaults.
type QueueOptions struct {
	// Kept is how long finished jobs stay in the queue; 0 is 24 h.
	Kept time.Duration
	// Poll is how often it is polled for jobs; 0 is 1 s. It is real time.
	Poll time.Duration
	Log  *slog.Logger
}

// schemaName is River's schema in the state's PostgreSQL database; a state that
// is in another schema than public has one of its own.
const schemaName = "hacsync_river"

// OpenQueue opens River's tables for the state: in a SQLite file of their own, or
// in a schema of their own in the state's PostgreSQL database. It makes and
// migrates them, one process at a time. The tables could be deleted without harm:
// workers ring again for what is due.
func OpenQueue(ctx context.Context, s *state.Store, o QueueOptions) (*River, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	o.Kept, o.Poll = cmp.Or(o.Kept, Kept), cmp.Or(o.Poll, time.Second)
	place, err := s.Place(ctx)
	if err != nil {
		return nil, err
	}
	q := &River{}
	if place.File != "" {
		q.name = place.File + ".queue"
		err = q.openFile(ctx, s, o)
	} else {
		q.name = s.URL() + ", " + schemaName
		err = q.openServer(ctx, s, place, o)
	}
	if err != nil {
		_ = q.Close()
		if problem.Of(err) != nil || ctx.Err() != nil {
			return nil, err
		}
		return nil, problem.Wrap(err, problem.QueueFailed, problem.Args{"queue": q.name})
	}
	return q, nil
}

// River is a Queue on River's tables.
type River struct {
	name   string
	client riverClient
	close  func() error
}

// riverClient is River's client without the type of its transactions.
type riverClient interface {
	insert(ctx context.Context, rings []Ring) ([]*rivertype.JobInsertResult, error)
	start(ctx context.Context, n int, work func(context.Context, Ring) bool) error
	stop(ctx context.Context) error
}

// openFile opens a SQLite file, with one connection, as River's driver needs it:
// with several, SQLite answers that the database is locked.
func (q *River) openFile(ctx context.Context, s *state.Store, o QueueOptions) error {
	f, err := os.OpenFile(q.name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	path := filepath.ToSlash(q.name)
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	v := url.Values{"_txlock": {"immediate"}, "_pragma": {"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(NORMAL)"}}
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Path: path, RawQuery: v.Encode()}).String())
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(1)
	q.close = db.Close
	driver := riversqlite.New(db)
	if err := s.Once(ctx, "queue", func(ctx context.Context) error { return migrate(ctx, driver, "", o.Log) }); err != nil {
		return err
	}
	q.client = &clientOf[*sql.Tx]{driver: driver, o: o}
	return nil
}

func (q *River) openServer(ctx context.Context, s *state.Store, place state.Place, o QueueOptions) error {
	schema := schemaName
	if place.Schema != "public" {
		schema += "_" + place.Schema
	}
	cfg, err := pgxpool.ParseConfig(place.Postgres)
	if err != nil {
		return errors.New("malformed connection string") // pgx's own error may quote it
	}
	cfg.MaxConns = max(4, min(cfg.MaxConns, 8))
	cfg.ConnConfig.RuntimeParams["application_name"] = "hacsync worker"
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return err
	}
	q.close = func() error { pool.Close(); return nil }
	driver := riverpgxv5.New(pool)
	err = s.Once(ctx, "queue", func(ctx context.Context) error {
		quoted := `"` + strings.ReplaceAll(schema, `"`, `""`) + `"`
		var there bool
		// Checked first: a role that may use the schema may still not be allowed to
		// create one.
		err := pool.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = $1)`, schema).Scan(&there)
		if err != nil {
			return err
		}
		if !there {
			if _, err := pool.Exec(ctx, `CREATE SCHEMA IF NOT EXISTS `+quoted); err != nil {
				return err
			}
		}
		return migrate(ctx, driver, schema, o.Log)
	})
	if err != nil {
		return err
	}
	q.client = &clientOf[pgx.Tx]{driver: driver, schema: schema, o: o}
	return nil
}

func migrate[TTx any](ctx context.Context, driver riverdriver.Driver[TTx], schema string, log *slog.Logger) error {
	m, err := rivermigrate.New(driver, &rivermigrate.Config{Logger: quiet(log), Schema: schema})
	if err != nil {
		return err
	}
	_, err = m.Migrate(ctx, rivermigrate.DirectionUp, nil)
	return err
}

// Close closes the database. It is called after Stop.
func (q *River) Close() error {
	if q.close == nil {
		return nil
	}
	return q.close()
}

// Ring adds wishes; see Queue.
func (q *River) Ring(ctx context.Context, rings []Ring) ([]Rung, error) {
	results, err := q.client.insert(ctx, rings)
	if err != nil {
		return nil, fmt.Errorf("ring: %w", err)
	}
	answers := make([]Rung, len(rings))
	for i, r := range results {
		answers[i].Taken = r.UniqueSkippedAsDuplicate && r.Job != nil &&
			(r.Job.State == rivertype.JobStateRunning || r.Job.State == rivertype.JobStateCompleted)
	}
	return answers, nil
}

// Start begins to wake the worker; see Queue.
func (q *River) Start(ctx context.Context, n int, work func(context.Context, Ring) bool) error {
	if err := q.client.start(ctx, n, work); err != nil {
		return problem.Wrap(err, problem.QueueFailed, problem.Args{"queue": q.name})
	}
	return nil
}

// Stop waits for work to return; see Queue.
func (q *River) Stop(ctx context.Context) error { return q.client.stop(ctx) }

// Kind names the jobs in River's tables.
func (Ring) Kind() string { return "interval" }

// InsertOpts lets a job be worked once: the state decides what is done, and workers
// ring again.
func (Ring) InsertOpts() river.InsertOpts {
	return river.InsertOpts{MaxAttempts: 1, UniqueOpts: river.UniqueOpts{ByArgs: true}}
}

// errNoUse ends a job that was of no use. River forgets that it was unique, so
// that the same may be rung for again.
var errNoUse = errors.New("of no use")

// bell is River's worker.
type bell struct {
	river.WorkerDefaults[Ring]
	work func(context.Context, Ring) bool
}

// Work carries out a job.
func (b *bell) Work(ctx context.Context, job *river.Job[Ring]) error {
	if !b.work(ctx, job.Args) {
		return river.JobCancel(errNoUse)
	}
	return nil
}

// Timeout is none: River would cancel a sync after a minute.
func (b *bell) Timeout(*river.Job[Ring]) time.Duration { return -1 }

// clientOf is a client for one kind of database.
type clientOf[TTx any] struct {
	driver riverdriver.Driver[TTx]
	schema string
	o      QueueOptions
	client *river.Client[TTx]
}

// rescue is the time after which River gives up a job of a dead process. It only
// cleans up: other workers ring for the interval of a dead one.
const rescue = 6 * time.Hour

func (c *clientOf[TTx]) start(ctx context.Context, n int, work func(context.Context, Ring) bool) error {
	workers := river.NewWorkers()
	if err := river.AddWorkerSafely(workers, &bell{work: work}); err != nil {
		return err
	}
	client, err := river.NewClient(c.driver, &river.Config{
		Queues:     map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: n}},
		Workers:    workers,
		JobTimeout: -1, RescueStuckJobsAfter: rescue, MaxAttempts: 1,
		CompletedJobRetentionPeriod: c.o.Kept, CancelledJobRetentionPeriod: min(c.o.Kept, time.Hour),
		DiscardedJobRetentionPeriod: c.o.Kept,
		// Polling works through every connection pooler, and on both databases.
		PollOnly: true, FetchPollInterval: c.o.Poll, FetchCooldown: min(c.o.Poll, 100*time.Millisecond),
		Schema: c.schema, Logger: quiet(c.o.Log),
	})
	if err != nil {
		return err
	}
	if err := client.Start(ctx); err != nil {
		return err
	}
	c.client = client
	return nil
}

var errNotStarted = errors.New("the queue was not started")

func (c *clientOf[TTx]) insert(ctx context.Context, rings []Ring) ([]*rivertype.JobInsertResult, error) {
	if c.client == nil {
		return nil, errNotStarted
	}
	params := make([]river.InsertManyParams, len(rings))
	for i, r := range rings {
		params[i].Args = r
	}
	return c.client.InsertMany(ctx, params)
}

func (c *clientOf[TTx]) stop(ctx context.Context) error {
	if c.client == nil {
		return nil
	}
	return c.client.Stop(ctx)
}

// quiet limits River's log to warnings and errors: it logs each job.
func quiet(log *slog.Logger) *slog.Logger { return slog.New(warnings{log.Handler()}) }

type warnings struct{ slog.Handler }

// Enabled lets warnings and errors through.
func (w warnings) Enabled(ctx context.Context, l slog.Level) bool {
	return l >= slog.LevelWarn && w.Handler.Enabled(ctx, l)
}
