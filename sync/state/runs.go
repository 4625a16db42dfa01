package state

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/hacsync/hacsync/sync/problem"
)

// RunKind is the kind of a run: dry run, sync or undo.
type RunKind string

// The kinds of run.
const (
	DryRun RunKind = "dry-run"
	Sync   RunKind = "sync"
	Undo   RunKind = "undo"
)

// RunState is how far a run came. Interrupted is Running without a live claim.
type RunState string

// The states of a run.
const (
	Running   RunState = "running"
	Done      RunState = "done"
	Partial   RunState = "partial"   // finished, some rows failed
	Refused   RunState = "refused"   // guard, drift, or an incomplete read
	Stopped   RunState = "stopped"   // by a user; can be resumed
	Abandoned RunState = "abandoned" // settled and given up
	Failed    RunState = "failed"    // an error before anything was written
)

// Run is one execution: a line of the sync log.
type Run struct {
	No          int64           `json:"run"`
	Kind        RunKind         `json:"kind"`
	Tenant      string          `json:"tenant"`
	Connection  string          `json:"connection"`
	Domain      string          `json:"domain"`
	State       RunState        `json:"state"`
	Started     time.Time       `json:"started"`
	Ended       time.Time       `json:"ended,omitzero"`
	Fingerprint string          `json:"fingerprint,omitempty"` // of its plan, in hex
	PlanOf      int64           `json:"plan_of,omitempty"`     // sync: the dry run whose plan it applies
	By          string          `json:"by,omitempty"`          // who approved it
	Note        string          `json:"note,omitempty"`
	Unattended  bool            `json:"unattended,omitempty"`
	Source      string          `json:"source,omitempty"`
	Summary     json.RawMessage `json:"summary,omitempty"` // counts, verdict, problem: JSON that sync/run makes
	// Sizes are the accepted sizes that the run knew of, by side; EndRun uses them up.
	Sizes map[string]int `json:"-"`
}

const runColumns = `no, kind, tenant, connection, domain, state, started, ended, fingerprint, plan_of,
	approved_by, note, unattended, source, summary`

func scanRun(scan func(...any) error) (Run, error) {
	var (
		r              Run
		started, ended int64
		unattended     int64
		summary        string
	)
	err := scan(&r.No, &r.Kind, &r.Tenant, &r.Connection, &r.Domain, &r.State, &started, &ended, &r.Fingerprint,
		&r.PlanOf, &r.By, &r.Note, &unattended, &r.Source, &summary)
	r.Started, r.Ended, r.Unattended, r.Summary = moment(started), moment(ended), unattended != 0, raw(summary)
	return r, err
}

// BeginRun inserts a run and returns its number. Numbers begin at 1 for this state,
// without gaps. A zero Started becomes now, an empty State becomes Running.
func (s *Store) BeginRun(ctx context.Context, r Run) (int64, error) {
	if r.Started.IsZero() {
		r.Started = s.clock.Now()
	}
	if r.State == "" {
		r.State = Running
	}
	unattended := 0
	if r.Unattended {
		unattended = 1
	}
	err := s.write(ctx, "enter a run", func(tx *sql.Tx) error {
		no, err := count(ctx, tx, "run")
		if err != nil {
			return err
		}
		r.No = no
		_, err = tx.ExecContext(ctx, `INSERT INTO run (`+runColumns+`)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`,
			r.No, string(r.Kind), clean(r.Tenant), clean(r.Connection), fold(r.Domain), string(r.State),
			nanos(r.Started), nanos(r.Ended), r.Fingerprint, r.PlanOf, clean(r.By), clean(r.Note), unattended,
			clean(r.Source), string(r.Summary))
		return err
	})
	if err != nil {
		return 0, err
	}
	return r.No, nil
}

// UpdateRun replaces what changes of a run: state, ended, fingerprint, plan of, by,
// note, summary. An empty fingerprint keeps the one that SavePlan set. A process
// that may have lost its claim uses Claim.UpdateRun.
func (s *Store) UpdateRun(ctx context.Context, r Run) error {
	return s.write(ctx, "update a run", func(tx *sql.Tx) error { return updateRun(ctx, tx, r) })
}

func updateRun(ctx context.Context, tx *sql.Tx, r Run) error {
	is, err := one(tx.ExecContext(ctx, `UPDATE run SET state = $1, ended = $2,
		fingerprint = COALESCE(NULLIF($3, ''), fingerprint), plan_of = $4, approved_by = $5, note = $6, summary = $7
		WHERE no = $8`,
		string(r.State), nanos(r.Ended), r.Fingerprint, r.PlanOf, clean(r.By), clean(r.Note), string(r.Summary), r.No))
	if err == nil && !is {
		return runUnknown(r.No)
	}
	return err
}

func runUnknown(no int64) error {
	return problem.New(problem.RunUnknown, problem.Args{"run": strconv.FormatInt(no, 10)})
}

// Run returns the run of a number; if there is none, a problem.
func (s *Store) Run(ctx context.Context, no int64) (Run, error) {
	var r Run
	err := s.read(ctx, "read a run", func(tx *sql.Tx) error {
		var err error
		r, err = scanRun(tx.QueryRowContext(ctx, `SELECT `+runColumns+` FROM run WHERE no = $1`, no).Scan)
		if none(err) {
			return runUnknown(no)
		}
		return err
	})
	return r, err
}

// RunFilter selects runs; zero fields select all.
type RunFilter struct {
	Tenant, Domain string
	Kind           RunKind
	State          RunState
	Kinds          []RunKind  // any of them
	States         []RunState // any of them
	Since          time.Time  // started then or later
	After          int64      // numbers above it
	WithPlan       bool
	Limit          int
}

// Runs returns the runs that the filter selects, newest first.
func (s *Store) Runs(ctx context.Context, f RunFilter) ([]Run, error) {
	var where []string
	var args []any
	add := func(column, value string) {
		if value != "" {
			args = append(args, value)
			where = append(where, fmt.Sprintf("%s = $%d", column, len(args)))
		}
	}
	add("tenant", clean(f.Tenant))
	add("domain", fold(f.Domain))
	add("kind", string(f.Kind))
	add("state", string(f.State))
	among := func(column string, values []string) {
		if len(values) == 0 {
			return
		}
		marks := make([]string, len(values))
		for i, v := range values {
			args = append(args, v)
			marks[i] = fmt.Sprintf("$%d", len(args))
		}
		where = append(where, column+` IN (`+strings.Join(marks, ", ")+`)`)
	}
	among("kind", words(f.Kinds))
	among("state", words(f.States))
	if !f.Since.IsZero() {
		args = append(args, nanos(f.Since))
		where = append(where, fmt.Sprintf("started >= $%d", len(args)))
	}
	if f.After > 0 {
		args = append(args, f.After)
		where = append(where, fmt.Sprintf("no > $%d", len(args)))
	}
	if f.WithPlan {
		where = append(where, `EXISTS (SELECT 1 FROM plan WHERE plan.run = run.no)`)
	}
	query := `SELECT ` + runColumns + ` FROM run`
	if len(where) > 0 {
		query += ` WHERE ` + strings.Join(where, ` AND `)
	}
	query += ` ORDER BY no DESC`
	if f.Limit > 0 {
		query += fmt.Sprintf(` LIMIT %d`, f.Limit)
	}
	var all []Run
	err := s.read(ctx, "list runs", func(tx *sql.Tx) error {
		var err error
		all, err = rows(ctx, tx, scanRun, query, args...)
		return err
	})
	return all, err
}

func words[T ~string](values []T) []string {
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = string(v)
	}
	return texts
}
