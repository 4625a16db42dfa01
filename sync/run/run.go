// Package run holds the operations that everything else calls: DryRun, Sync,
// Check. The wizard, the command line and the periodic workers hold no rule of
// their own; they call these.
package run

import (
	"context"
	"log/slog"
	"time"

	"github.com/hacsync/hacsync/sync/clock"
	"github.com/hacsync/hacsync/sync/consent"
	"github.com/hacsync/hacsync/sync/destination"
	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/progress"
	"github.com/hacsync/hacsync/sync/source"
	"github.com/hacsync/hacsync/sync/state"
)

// Runner carries out the operations for one connection.
type Runner struct {
	Connection  consent.Connection
	Store       *state.Store
	Destination destination.Destination
	// OpenSource makes the source that a setting such as csv:/path, hac or
	// scim:URL names.
	OpenSource func(ctx context.Context, spec string, s Settings) (source.Source, error)
	// MayWrite obtains the permission to write (User.ReadWrite.All), silently
	// or by asking a person. It is called after guard and drift have passed.
	MayWrite func(ctx context.Context) error
	Clock    clock.Clock
	Progress progress.Sink
	Log      *slog.Logger
	// Holder names this process and person in claims and logs.
	Holder string
}

// Settings are a domain's settings as stored, typed. Keys and words are those
// of hacsync settings.
type Settings struct {
	Source string
	// Count is what HAC says it has (--source-count), -1 unanswered. It is
	// never stored: it belongs to one download.
	Count    int
	Policy   plan.Policy
	Mappings []source.Mapping
	// ShrinkShare: a side smaller than this share (percent) of its last good
	// run is refused; default 50.
	ShrinkShare int
}

// Overrides hold for one run and are not stored.
type Overrides struct {
	Source     string // empty: the stored one
	Count      int    // -1: unanswered
	Unattended bool
}

// DomainInfo is a domain of the tenant with its sync state.
type DomainInfo struct {
	directory.Domain
	SetUp      bool
	Source     string
	LastDryRun *state.Run
	LastSync   *state.Run
	Running    string // holder of the live claim, empty for none
}

// Domains lists the domains of the tenant with their state.
func (r *Runner) Domains(ctx context.Context) ([]DomainInfo, error) { panic("stub") }

// Precheck looks for what stands in the way of a domain.
func (r *Runner) Precheck(ctx context.Context, domain string) (*destination.Precheck, error) {
	panic("stub")
}

// Settings reads a domain's settings; the domain must be a verified one of the
// tenant.
func (r *Runner) Settings(ctx context.Context, domain string) (Settings, error) { panic("stub") }

// SetSettings checks and stores key=value pairs; a key or value that is not
// known is a problem that names it, and nothing is stored.
func (r *Runner) SetSettings(ctx context.Context, domain string, kv map[string]string) error {
	panic("stub")
}

// LookAtSource describes the source of a domain before a dry run.
func (r *Runner) LookAtSource(ctx context.Context, domain, spec string) (*source.Overview, error) {
	panic("stub")
}

// Planned is a plan with the run that computed it.
type Planned struct {
	Run  int64
	Plan *plan.Plan
	// At is when it was computed.
	At time.Time
}

// DryRun reads both sides at once, computes the plan and stores it. It writes
// nothing to the tenant and is never cancelled by the guard: the plan has the
// verdict.
func (r *Runner) DryRun(ctx context.Context, domain string, o Overrides) (*Planned, error) {
	panic("stub")
}

// Latest is the latest stored dry run of a domain; a problem says that there is
// none.
func (r *Runner) Latest(ctx context.Context, domain string) (*Planned, error) { panic("stub") }

// Approval is what a person approved.
type Approval struct {
	Fingerprint plan.Fingerprint // of the approved plan
	By, Note    string
	// RaiseOnce lets this very plan pass the guard once.
	RaiseOnce bool
	// SkipDrifted leaves drifted rows out instead of refusing the sync.
	SkipDrifted bool
	// Review are decisions to keep: rows left out always, same person.
	Lasting []plan.Decision
}

// Report is what a sync did. It says done only of what was seen.
type Report struct {
	Run                                               int64
	State                                             state.RunState
	Plan                                              *plan.Plan
	Planned, Sent, Seen, Failed, NotTried, NotYetSeen int
	ByKind                                            map[plan.Kind]Tally
	Rows                                              []RowResult // failures, rows not yet seen and rows not tried
	Outcome                                           map[int]string
	Drifted                                           []plan.Drifted // why it was refused, or what was left out
	Started, Ended                                    time.Time
	Paused                                            time.Duration // waited because the destination asked
}

// Tally are the sums of one kind.
type Tally struct{ Planned, Sent, Seen, Failed int }

// RowResult is a row that was not seen done.
type RowResult struct {
	No      int
	Kind    plan.Kind
	UPN     string
	Outcome string // failed, not yet seen, different, not tried
	Why     *problem.Problem
}

// Outcomes of rows, in Report.Outcome and in --json.
const (
	OutcomeSeen       = "seen"
	OutcomeFailed     = "failed"
	OutcomeDifferent  = "different"
	OutcomeNotYetSeen = "not_yet_seen"
	OutcomeNotTried   = "not_tried"
)

// Sync applies p exactly. It takes the claim, judges the guard, compares with
// both sides again, obtains the permission to write, writes each intent to the
// journal before its request and the outcome after it, and reads back what it
// wrote. Guard, drift and a claim held elsewhere are problems with nothing
// written; the Report then says so. ctx cancelled stops it safely between
// requests.
func (r *Runner) Sync(ctx context.Context, p *Planned, a Approval) (*Report, error) { panic("stub") }

// Knows reports whether this state computed or approved the fingerprint.
func (r *Runner) Knows(ctx context.Context, f plan.Fingerprint) (bool, error) { panic("stub") }

// Logs lists runs, the newest first; an empty domain lists all of the tenant.
func (r *Runner) Logs(ctx context.Context, domain string, limit int) ([]state.Run, error) {
	panic("stub")
}
