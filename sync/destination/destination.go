// Package destination defines where users go: what a sync needs of a tenant. Start
// with Destination; graphclient implements it.
package destination

import (
	"context"
	"time"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/progress"
)

// Reading is one complete read of a tenant. It belongs to the tenant, not to a
// domain.
type Reading struct {
	Tenant  directory.Tenant
	Users   *directory.Snapshot // every account, of every domain
	Deleted *directory.Snapshot // the recycle bin, UPNs without their ID prefix
	// Notes are what could not be read and prevents nothing: warnings of a plan.
	Notes []*problem.Problem
	// ServerTime is the destination's clock when the read ended.
	ServerTime time.Time
}

// Destination is a tenant whose accounts can be read and written.
type Destination interface {
	// Tenant reads name and domains.
	Tenant(ctx context.Context) (directory.Tenant, error)
	// Read reads all accounts, the recycle bin and all that marks protected ones,
	// and proves it complete, or returns an error. want are the attributes in
	// addition to UPN, immutable ID and what the rules need.
	Read(ctx context.Context, want []directory.Attribute, sink progress.Sink) (*Reading, error)
	// Purposes reads the kind of mailbox of each account: exactly one of
	// directory.Purposes a key. A refused read is PurposeUnknown, not an error.
	Purposes(ctx context.Context, ids []directory.ID, sink progress.Sink) (map[directory.ID]directory.Marks, error)
	// Look reads accounts one by one, now, live and in the recycle bin, by every
	// key a Ref has. An absent one gives a Sighting whose Presence is Absent. Only
	// WithRoles sets the marks of role holders, from a fresh read of them.
	Look(ctx context.Context, refs []directory.Ref, want []directory.Attribute, roles Roles) ([]directory.Sighting, error)
	// Write sends at most 20 steps in one request and one attempt, within
	// WriteTime. The last thing before the request leaves is to ask the Err of
	// ctx: while it has one nothing is sent, and the Outcomes carry it. It returns
	// one Outcome a step, in their order, whatever happens.
	Write(ctx context.Context, steps []plan.Step) []Outcome
	// Precheck reads what a domain contains other than people.
	Precheck(ctx context.Context, domain string) (*Precheck, error)
}

// Roles is whether a Look also reads the role holders of the tenant. That is a read
// of whole lists, and only accounts that may still become protected need it.
type Roles bool

// Whether a Look reads the role holders.
const (
	WithRoles    Roles = true
	WithoutRoles Roles = false
)

// WriteTime bounds the request of a Write. The claim on a domain relies on it: no
// request of hacsync arrives later than this after it was sent.
const WriteTime = 20 * time.Second

// Did says what became of a step.
type Did uint8

// The outcomes of a step.
const (
	Unknown Did = iota // no answer, or an unclear one: settled by Look
	Applied            // the destination accepted it
	NotDone            // the destination refused it, or it was never sent
)

// Outcome is the answer to one step.
type Outcome struct {
	Did        Did
	ID         directory.ID // of the account written; the new one for an add
	ServerTime time.Time    // the destination's clock at the answer, zero without one
	Why        *problem.Problem
}

// Precheck is what a domain contains other than people.
type Precheck struct {
	Domain  directory.Domain
	Users   int // accounts whose UPN is in the domain
	Shared  []string
	Rooms   []string
	Things  []string // equipment
	Synced  []string // from on-premises
	Admins  []string // role holders and members of role-assignable groups
	Groups  []string // groups with an address in the domain
	Apps    []string // applications with an identifier in the domain
	Guessed bool     // mailbox kinds are guessed from other properties, not read

	Answering []string // resource accounts of Teams auto attendants and call queues
	Notes     []*problem.Problem
}
