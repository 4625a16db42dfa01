package state

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"

	"github.com/hacsync/hacsync/sync/problem"
)

// Worker is a process that carries out periodic syncs, as its last report describes
// it.
type Worker struct {
	Name    string    `json:"-"`
	Seen    time.Time `json:"-"` // by the worker's clock
	Host    string    `json:"host"`
	PID     int       `json:"pid"`
	Version string    `json:"version,omitempty"`
	Since   time.Time `json:"since"`
	// Doing lists the domains under way.
	Doing []string `json:"doing,omitempty"`
	// Slots is how many domains it carries out at once.
	Slots int `json:"slots"`
	// Done and Failed count the intervals that it finished since it began.
	Done   int64 `json:"done"`
	Failed int64 `json:"failed"`
	// Stopped is when it ended in the ordinary way; zero while it works, or if it
	// died.
	Stopped time.Time `json:"stopped,omitzero"`
}

// SaveWorker stores the report of a worker, under its name.
func (s *Store) SaveWorker(ctx context.Context, w Worker) error {
	data, err := json.Marshal(w)
	if err != nil {
		return err
	}
	return s.write(ctx, "report a worker", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO worker (name, seen, data) VALUES ($1, $2, $3)
			ON CONFLICT (name) DO UPDATE SET seen = excluded.seen, data = excluded.data`,
			clean(w.Name), nanos(w.Seen), clean(string(data)))
		return err
	})
}

// Workers returns every worker that ever reported and was not forgotten, the latest
// seen first.
func (s *Store) Workers(ctx context.Context) ([]Worker, error) {
	var all []Worker
	err := s.read(ctx, "list workers", func(tx *sql.Tx) error {
		var err error
		all, err = rows(ctx, tx, func(scan func(...any) error) (w Worker, err error) {
			var seen int64
			var name, data string
			if err := scan(&name, &seen, &data); err != nil {
				return w, err
			}
			if err := json.Unmarshal([]byte(data), &w); err != nil {
				return w, problem.Wrap(err, problem.StateDamaged, problem.Args{"state": s.URL()})
			}
			w.Name, w.Seen = name, moment(seen)
			return w, nil
		}, `SELECT name, seen, data FROM worker ORDER BY seen DESC, name`)
		return err
	})
	return all, err
}

// ForgetWorkers removes those not seen since t.
func (s *Store) ForgetWorkers(ctx context.Context, t time.Time) error {
	return s.write(ctx, "forget workers", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM worker WHERE seen < $1`, nanos(t))
		return err
	})
}
