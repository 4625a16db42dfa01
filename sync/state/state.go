// Package state keeps what outlives a process: connections, settings,
// decisions, runs with their plans, the journal, claims. It is a SQLite file or
// a PostgreSQL database, with one SQL text for both.
package state

import (
	"context"
	"encoding/json"
	"log/slog"
	"time"

	"github.com/hacsync/hacsync/sync/consent"
	"github.com/hacsync/hacsync/sync/directory"
)

// Store is an open state. It is safe for concurrent use.
type Store struct{ stub struct{} }

// Open opens the state at url (sqlite:///absolute/path or postgres://…), makes
// it where there is none, and migrates it under a lock. A newer schema than
// this program's is a problem. Files are made with mode 0600.
func Open(ctx context.Context, url string, log *slog.Logger) (*Store, error) { panic("stub") }

// Close releases the database.
func (s *Store) Close() error { panic("stub") }

// URL is where it is, without a password.
func (s *Store) URL() string { panic("stub") }

// Connections lists the saved connections, last used first.
func (s *Store) Connections(ctx context.Context) ([]consent.Connection, error) { panic("stub") }

// Connection finds one by name; an empty name finds the only one there is, or a
// problem that lists them.
func (s *Store) Connection(ctx context.Context, name string) (consent.Connection, error) {
	panic("stub")
}

// SaveConnection stores a connection under its name, replacing it.
func (s *Store) SaveConnection(ctx context.Context, c consent.Connection) error { panic("stub") }

// ForgetConnection removes a connection and every sealed row of it. Runs stay.
func (s *Store) ForgetConnection(ctx context.Context, name string) error { panic("stub") }

// Sealed reads a sealed row; version is 0 where there is none.
func (s *Store) Sealed(ctx context.Context, connection, name string) (sealed []byte, version int64, err error) {
	panic("stub")
}

// SaveSealed replaces a sealed row if its version is still the one read (0: it
// must not exist); ErrStale otherwise.
func (s *Store) SaveSealed(ctx context.Context, connection, name string, sealed []byte, version int64) error {
	panic("stub")
}

// Settings are a domain's settings by key.
func (s *Store) Settings(ctx context.Context, tenant, domain string) (map[string]string, error) {
	panic("stub")
}

// SetSettings stores some of them; an empty value removes the key.
func (s *Store) SetSettings(ctx context.Context, tenant, domain string, kv map[string]string) error {
	panic("stub")
}

// Domains are the domains of a tenant that are set up: that have settings or a
// run.
func (s *Store) Domains(ctx context.Context, tenant string) ([]string, error) { panic("stub") }

// Decision is a lasting decision of a reviewer; Data is the planner's.
type Decision struct {
	ID   int64
	Key  string // object ID or what else identifies it; unique in a domain
	Data json.RawMessage
}

// Decisions lists those of a domain.
func (s *Store) Decisions(ctx context.Context, tenant, domain string) ([]Decision, error) {
	panic("stub")
}

// SaveDecision stores or replaces one by key; RemoveDecision takes it back.
func (s *Store) SaveDecision(ctx context.Context, tenant, domain string, d Decision) error {
	panic("stub")
}

// RemoveDecision takes a decision back.
func (s *Store) RemoveDecision(ctx context.Context, tenant, domain, key string) error { panic("stub") }

// RunKind is dry run or sync.
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
	Stopped   RunState = "stopped"   // by a person; can be resumed
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
	By          string          `json:"by,omitempty"`          // who approved
	Note        string          `json:"note,omitempty"`
	Unattended  bool            `json:"unattended,omitempty"`
	Source      string          `json:"source,omitempty"`
	Summary     json.RawMessage `json:"summary,omitempty"` // counts, verdict, problem: run's own
}

// BeginRun enters a run and returns its number, from 1 for this state.
func (s *Store) BeginRun(ctx context.Context, r Run) (int64, error) { panic("stub") }

// UpdateRun replaces what changes of a run: state, ended, fingerprint, plan of,
// by, note, summary.
func (s *Store) UpdateRun(ctx context.Context, r Run) error { panic("stub") }

// Run reads one; a problem says that there is none.
func (s *Store) Run(ctx context.Context, no int64) (Run, error) { panic("stub") }

// RunFilter selects runs; zero fields select all.
type RunFilter struct {
	Tenant, Domain string
	Kind           RunKind
	State          RunState
	WithPlan       bool
	Limit          int
}

// Runs lists runs, the newest first.
func (s *Store) Runs(ctx context.Context, f RunFilter) ([]Run, error) { panic("stub") }

// SavePlan stores a run's plan file (compressed, in pieces) and remembers its
// fingerprint as one that this state computed.
func (s *Store) SavePlan(ctx context.Context, run int64, fingerprint string, file []byte) error {
	panic("stub")
}

// Plan reads a run's plan file.
func (s *Store) Plan(ctx context.Context, run int64) ([]byte, error) { panic("stub") }

// PlanKnown finds the latest run that computed or approved a fingerprint; 0 for none.
func (s *Store) PlanKnown(ctx context.Context, tenant, fingerprint string) (int64, error) {
	panic("stub")
}

// UseRaise spends the raise of the guard for a fingerprint; false if it was
// spent before.
func (s *Store) UseRaise(ctx context.Context, tenant, fingerprint string) (bool, error) {
	panic("stub")
}

// Claim is the right to write to one tenant's domain. Journal writes need it
// and fail with a problem once another holder has it.
type Claim struct{ stub struct{} }

// Take takes the claim on a tenant's domain for holder (host, process, and who)
// and keeps it alive with a beat every 5 s until Release or ctx ends. A live
// holder gives problem.DomainBusy with its name; a dead one on this machine is
// recognised at once by its file lock, another after a TTL of 60 s, for which
// Take waits if wait is true.
func (s *Store) Take(ctx context.Context, tenant, domain, holder string, wait bool) (*Claim, error) {
	panic("stub")
}

// Held reports whether the last committed beat is younger than 15 s: nothing is
// sent otherwise.
func (c *Claim) Held() bool { panic("stub") }

// Lost is closed when another holder was seen.
func (c *Claim) Lost() <-chan struct{} { panic("stub") }

// Release gives the claim back.
func (c *Claim) Release(ctx context.Context) error { panic("stub") }

// Alive reports whether a live claim is held on a tenant's domain, and by whom.
func (s *Store) Alive(ctx context.Context, tenant, domain string) (holder string, alive bool, err error) {
	panic("stub")
}

// EntryState is how far a journal row came (ENGINE: none, sent, written, seen,
// differs, refused, conflict).
type EntryState string

// The states of a journal row.
const (
	None     EntryState = "none"     // intended, not sent, or proven to have had no effect
	Sent     EntryState = "sent"     // in flight, or its outcome is unknown
	Written  EntryState = "written"  // the destination took it
	Seen     EntryState = "seen"     // read back and equal
	Differs  EntryState = "differs"  // read back and different, after the lag window
	Rejected EntryState = "refused"  // the destination refused it
	Conflict EntryState = "conflict" // settled: somebody else changed it meanwhile
)

// Entry is one row of the journal: one step of one action of one run.
type Entry struct {
	Run          int64
	Action, Step int
	Attempt      int
	State        EntryState
	Kind, Verb   string
	Object       directory.Ref
	// Before and After are the values the step changes, Seen what was read
	// back: JSON of the run's own making, without secrets.
	Before, After, Seen json.RawMessage
	// Intended, Answered and SeenAt are the store's clock; Server is the
	// destination's at the answer.
	Intended, Answered, SeenAt, Server time.Time
	// Problem is the JSON of a problem with its upstream, where one came.
	Problem json.RawMessage
}

// Intend writes rows before their request leaves, state Sent; one transaction,
// which fails if the claim was lost.
func (c *Claim) Intend(ctx context.Context, rows []Entry) error { panic("stub") }

// Settle writes the outcomes of rows; one transaction, which fails if the claim
// was lost.
func (c *Claim) Settle(ctx context.Context, rows []Entry) error { panic("stub") }

// Journal reads a run's rows in order of action and step.
func (s *Store) Journal(ctx context.Context, run int64) ([]Entry, error) { panic("stub") }

// JournalSince reads the rows of all runs of a tenant (domain may be empty for
// all) that were answered at or after t, oldest first.
func (s *Store) JournalSince(ctx context.Context, tenant, domain string, t time.Time) ([]Entry, error) {
	panic("stub")
}

// Known remembers, for on_empty = clear-known, which attributes a source key
// had a value for; Remember adds to it.
func (s *Store) Known(ctx context.Context, tenant, domain string) (map[string][]string, error) {
	panic("stub")
}

// Remember adds to Known.
func (s *Store) Remember(ctx context.Context, tenant, domain string, known map[string][]string) error {
	panic("stub")
}
