// Package plan turns two snapshots, a policy and the reviewer's decisions into
// what a sync would do, and why it would leave the rest alone. It is pure: no
// clock, no I/O; the same input gives the same plan, whatever its order.
//
// Start here. build.go has Build, whose calls are the steps of planning, in order:
//
//	build_*   who is who (match), what becomes of each row and account (decide), whose
//	          absence is explained (departures), what waits for what (chains), sums
//	ask*      questions about absences that are not explained, and their answers
//	protect   which accounts are never touched; guard: whether a plan may be applied
//	review    what a reviewer leaves out; fingerprint: what they approve
//	apply_*   a plan in steps and waves, and compared with a later look at both sides
//	undo*     Invert: a plan that takes a run back
//	file*     the plan file, which plan_check checks; lesson: what a plan teaches
//
// The rule above all others: a deletion needs an explanation. What is not
// explained is a question, and an open question changes nothing on either side.
// Skips carry codes of sync/problem, never sentences.
package plan

import (
	"encoding/hex"
	"time"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/problem"
)

// Kind is what an action does to one account.
type Kind uint8

// The kinds, in order of risk, which is the order of rows.
const (
	Delete Kind = iota + 1
	Rename
	Restore
	Add
	Update
)

// String is the kind's word in JSON and logs.
func (k Kind) String() string {
	switch k {
	case Delete:
		return "delete"
	case Rename:
		return "rename"
	case Restore:
		return "restore"
	case Add:
		return "add"
	case Update:
		return "update"
	}
	return "unknown"
}

// Sign is the kind's sign on every screen: + ~ > ^ -.
func (k Kind) Sign() string {
	switch k {
	case Delete:
		return "-"
	case Rename:
		return ">"
	case Restore:
		return "^"
	case Add:
		return "+"
	case Update:
		return "~"
	}
	return "?"
}

// Change is one attribute of an account, before and after.
type Change struct {
	Attribute directory.Attribute
	Old, New  directory.Value
}

// Clears reports whether a value would be taken away.
func (c Change) Clears() bool { return c.Old.Set && !c.New.Set }

// Evidence is what is for or against a deletion. Zero fields are unknown, and are not
// shown.
type Evidence struct {
	Licensed   bool            `json:"licensed"`
	Enabled    bool            `json:"enabled"`
	Created    time.Time       `json:"created,omitzero"`
	LastSignIn time.Time       `json:"last_sign_in,omitzero"`
	Purpose    directory.Marks `json:"purpose,omitempty"`
}

// Action is what a sync would do to one account.
type Action struct {
	// No is the row number, fixed for the plan, from 1. Skips have numbers
	// after the actions.
	No   int
	Kind Kind
	// User names the account as it is now; an add has no ID.
	User directory.Ref
	// UPN is the UPN after the action (delete: the account's own; restore:
	// without the ID prefix).
	UPN string
	// Name is the display name after the action, for users.
	Name string
	// Line is the source row, 0 for a deletion.
	Line    int
	Changes []Change
	// Warnings are worth a look; they stop nothing.
	Warnings []*problem.Problem
	// SignIn: the user's sign-in changes (rename, immutable ID filled or changed, sign-in
	// blocked).
	SignIn bool
	// Blocks: the action blocks sign-in, and so counts with the deletions.
	Blocks bool
	// Evidence is set for deletions, and for blocks of an account whose person is absent;
	// Explanation too, except for an undo.
	Evidence    *Evidence
	Explanation *Explanation
	// Link is the link that the action rests on: zero Username for none.
	Link Link
	// Marks are those of the account that the decision rested on, the kind of
	// its mailbox among them; 0 for an add.
	Marks directory.Marks
	// Steps are the requests that carry it out, in order.
	Steps []Step
	// After are the numbers of actions whose effect must be seen before the
	// first step is sent.
	After []int

	// how is what the steps are made from, in addition to the changes.
	how how
}

// Verb is what one request does.
type Verb uint8

// The verbs.
const (
	Create      Verb = iota + 1 // POST /users
	Patch                       // PATCH /users/{id}
	PatchUPN                    // PATCH of the UPN alone (with the immutable ID when entering a federated domain)
	RestoreUser                 // POST /directory/deletedItems/{id}/restore
	DeleteUser                  // DELETE /users/{id}
)

// Step is one request to the destination.
type Step struct {
	Action int // row number
	Step   int // from 0, within the action
	Verb   Verb
	Object directory.Ref
	Set    []Change
	// Password asks the destination to set a random password that is never shown;
	// ForceChange makes the user choose one at the first sign-in.
	Password, ForceChange bool
	// After are numbers of actions that this step waits for in addition to those of its
	// action: only the last step of a cycle of UPNs has any.
	After []int
	// Still are values that the account must have right before a DeleteUser of an undo:
	// those that hacsync wrote. Unlicensed: it must have no licence either. Neither is
	// sent.
	Still      []Change
	Unlicensed bool
	// Counted: a deletion that counted with the guard when the account was blocked.
	Counted bool
	// Unless is the number of an addition: the step takes the deletion of its action back,
	// and is sent only if that addition failed. 0 for any other step.
	Unless int
}

// Wave is a set of steps that may be sent in any order and together. If Barrier is set,
// the steps of the next wave are sent only after those of this one were seen.
type Wave struct {
	Steps   []Step
	Barrier bool
}

// Skipped is a row that is left as it is, and why.
type Skipped struct {
	No    int
	Ref   directory.Ref
	Name  string
	Line  int
	Group problem.Group
	Why   *problem.Problem
}

// Held reports whether a row waits for a reviewer: if they allow it, a later plan acts
// on it. Unattended runs report such rows.
func (s *Skipped) Held() bool {
	switch s.Why.Code {
	case problem.ImmutableIDHeld, problem.RestoreHeld, problem.MoveHeld, problem.MoveHeldByGuard,
		problem.NeverSeen, problem.NoUsernames, problem.NotYetMissing, problem.QuestionOpen:
		return true
	}
	return false
}

// Waits reports whether the account is blocked and deleted on a later day.
func (s *Skipped) Waits() bool { return s.Why.Code == problem.WaitsToDelete }

// left adds a row that is left as it is to the sums.
func (c *Counts) left(code problem.Code) {
	if code == problem.WaitsToDelete {
		c.Waiting++
		return
	}
	c.Skipped++
	if code.Group() == problem.LeftOut {
		c.LeftOut++
	}
}

// Verdict is the guard's judgement.
type Verdict struct {
	Cancelled bool
	// Deletions count sign-in blocks too; Blocks are those among them.
	Deletions, Blocks int
	// Users are the destination users of the domain that a sync may touch.
	Users int
	// MaxAllowedDeletions is the limit in percent; MaxDeletions the absolute
	// one, -1 for none.
	MaxAllowedDeletions, MaxDeletions int
	// Today are deletions of the previous 24 hours and UsersThen the users at their start,
	// both unattended only; else 0.
	Today, UsersThen int
	// Claimed: the numbers are those of the second judgement, in which accounts that never
	// were in the source count in neither.
	Claimed bool
	// Lost are, unattended, accounts that lost their row in this read and are not deleted:
	// a question, or held. They count with the deletions.
	Lost int
	// Changed are the accounts changed at all; MaxChanges limits them, in percent,
	// unattended; -1 attended.
	Changed, MaxChanges int
	// SignInChanges are the actions that rename, fill or change an immutable ID, or clear a
	// value. MaxSignInChanges limits them, in percent of Users, unattended; -1 attended.
	SignInChanges, MaxSignInChanges int
	// StopsAt is the smallest number of deletions that would cancel.
	StopsAt int
	// Raised: a reviewer let this plan pass once.
	Raised bool
	// Why is the problem that cancels, nil otherwise.
	Why *problem.Problem

	// all are the deletions of the first judgement and touchable its users; lostKnown
	// those of the second with the lost, and known its users.
	all, touchable, lostKnown, known int
	origins                          []origin
}

// Percent is the share of deletions, in percent; 0 without users.
func (v Verdict) Percent() float64 {
	if v.Users == 0 {
		return 0
	}
	return float64(v.Deletions) * 100 / float64(v.Users)
}

// Fingerprint identifies what a plan does and what it rests on.
type Fingerprint [32]byte

// String is all of it in hex.
func (f Fingerprint) String() string { return hex.EncodeToString(f[:]) }

// Code is the plan code that screens show, such as 7F3A-92C1.
func (f Fingerprint) Code() string {
	const digits = "0123456789ABCDEF"
	b := make([]byte, 0, 9)
	for i := range 4 {
		if i == 2 {
			b = append(b, '-')
		}
		b = append(b, digits[f[i]>>4], digits[f[i]&15])
	}
	return string(b)
}

// Counts are the sums of a plan; they agree with its rows.
type Counts struct {
	SourceUsers      int // rows of the source in the domain
	DestinationUsers int // accounts whose UPN is in the domain
	Touchable        int // of those, the ones a sync may touch: the guard's denominator
	Add, Update, Rename, Restore, Delete,
	Unchanged, Skipped int
	Blocks, SignIn int // sign-in blocks; actions that affect sign-in
	// Waiting are accounts that are blocked and deleted on a later day: nothing changes, so
	// they are not skips either.
	Waiting       int
	LeftOut       int // rows a reviewer left out
	MovedIn       int // renames of accounts that come from another domain
	Questions     int // questions, and those of them without any answer, not even not now
	OpenQuestions int
	Unclaimed     int // deletions of accounts that never were in the source
	// Known are the touchable accounts that are or were in the source, or that a
	// reviewer let go: the denominator of the guard's second judgement.
	Known int
	// Usable are the source rows of the domain that are neither repeated nor
	// unreadable: the size of the source.
	Usable int
	// Asked are rows of the domain that wait for an answer.
	Asked int
	// SourceHeld are source rows of the domain that a skip is about;
	// DestinationHeld accounts of the domain, among the touchable, that are
	// neither unchanged nor in an action. With them the sums agree:
	//
	//	SourceUsers = Unchanged + Add + Update - Missing + Rename + Restore + SourceHeld + Asked
	//	Touchable   = Unchanged + Update + Rename - MovedIn + Delete + DestinationHeld
	//
	// Missing are updates that block an account whose person is absent.
	Missing                     int
	SourceHeld, DestinationHeld int
}

// Changes is the number of actions.
func (c Counts) Changes() int { return c.Add + c.Update + c.Rename + c.Restore + c.Delete }

// OnEmpty says what an empty value in the source means.
type OnEmpty string

// The values of on_empty.
const (
	Keep       OnEmpty = "keep"
	ClearKnown OnEmpty = "clear-known"
	Clear      OnEmpty = "clear"
)

// Policy are the settings of a domain that a plan rests on. The zero value is
// not the preset; DefaultPolicy is.
type Policy struct {
	MaxAllowedDeletions int `json:"max_allowed_deletions"` // percent, 0 to 100
	// MaxDeletions is the absolute limit in one sync, -1 for none. It is read
	// like the percentage: reaching it cancels.
	MaxDeletions int     `json:"max_deletions"`
	OnEmpty      OnEmpty `json:"on_empty"`
	// BlockDisabled: on_disabled = block-sign-in.
	BlockDisabled bool `json:"block_disabled"`
	// AskImmutableID: immutable_id_change = ask; then Decisions may allow a row.
	AskImmutableID bool `json:"ask_immutable_id"`
	// ChangeAlias: mailNickname of accounts that have a mailbox follows too.
	ChangeAlias bool `json:"change_alias"`
	// ResetPasswords: federated to managed moves may set a new password.
	ResetPasswords bool `json:"reset_passwords"`
	// Protected are accounts never touched, by UPN or object ID.
	Protected []string `json:"protected,omitempty"`
	// Attributes are those a sync writes, in order; UPN and immutable ID first.
	Attributes []directory.Attribute `json:"attributes"`
	// MaxSignInChanges limits renames, ID fills and clears together, in percent
	// of users, unattended. MaxChanges limits accounts changed at all.
	MaxSignInChanges int `json:"max_sign_in_changes"`
	MaxChanges       int `json:"max_changes,omitempty"`
	// OnMissing is what becomes of an account whose person is absent. DeleteAfter is after
	// how many days of absence it is deleted: unattended, or, with block, by any run.
	OnMissing   OnMissing `json:"on_missing,omitempty"`
	DeleteAfter int       `json:"delete_after,omitempty"`
}

// OnMissing is what becomes of an account whose person is absent from the source.
type OnMissing string

// The values of on_missing.
const (
	DeleteMissing OnMissing = "delete"
	BlockMissing  OnMissing = "block"
	KeepMissing   OnMissing = "keep"
)

// DefaultPolicy is the policy of a domain without settings.
func DefaultPolicy() Policy {
	return Policy{
		MaxAllowedDeletions: 10,
		MaxDeletions:        -1,
		OnEmpty:             Keep,
		Attributes:          directory.Standard(),
		MaxSignInChanges:    30,
		MaxChanges:          50,
		OnMissing:           DeleteMissing,
	}
}

// DecisionKind is the kind of a reviewer's decision about a row.
type DecisionKind string

// The decisions.
const (
	// LeaveOutAlways: the account (by ID) is a skip in every later plan.
	LeaveOutAlways DecisionKind = "leave-out"
	// LeaveOutOnce: until a reviewed plan of the domain was synchronised.
	LeaveOutOnce DecisionKind = "leave-out-once"
	// Allow: a row held for the reviewer is approved (UPN deleted and added in one plan,
	// immutable ID changed, UPN-only restore).
	Allow DecisionKind = "allow"
	// LeaveOutAttribute: the attribute is not written, as long as LeaveOutOnce holds.
	LeaveOutAttribute DecisionKind = "leave-out-attribute"
	// RaiseOnce: the one plan with this fingerprint may pass the guard once.
	RaiseOnce DecisionKind = "raise-once"
)

// Decision is one thing a reviewer decided. ID is the object ID of the account;
// without one, UPN is compared.
//
// Allow by itself restores the deleted account of a held row, or, if
// immutable_id_change is ask, changes the immutable ID. Because a deletion is never
// implied, two things need Attribute = userPrincipalName as well: to delete an account
// and add another with its UPN, and to add an account although a deleted one had its
// UPN. In an unattended run Allow has no effect.
type Decision struct {
	Kind DecisionKind `json:"kind"`
	ID   directory.ID `json:"id,omitempty"`
	UPN  string       `json:"upn,omitempty"`
	// Attribute is set for LeaveOutAttribute, and for some Allow.
	Attribute directory.Attribute `json:"attribute,omitempty"`
	// Row is the kind of the row that a LeaveOutOnce is about, such as delete. Undo is
	// the run whose undo it is about, 0 for a plan of the domain.
	Row  string `json:"row,omitempty"`
	Undo int64  `json:"undo,omitempty"`
	// Plan is the fingerprint of a RaiseOnce.
	Plan string    `json:"plan,omitempty"`
	By   string    `json:"by,omitempty"`
	Why  string    `json:"why,omitempty"`
	At   time.Time `json:"at,omitzero"`
}

// Facts are what earlier runs of this state know.
type Facts struct {
	// Blocked are accounts whose sign-in hacsync blocked and no one unblocked, including
	// those that it added disabled.
	Blocked map[directory.ID]bool
	// Added are accounts that hacsync made.
	Added map[directory.ID]bool
	// Restored are accounts that hacsync restored.
	Restored map[directory.ID]bool
	// Deleted are accounts that hacsync deleted.
	Deleted map[directory.ID]bool
	// Known are the values that an earlier snapshot of this source held, by
	// immutable ID or, without one, by UPN (on_empty = clear-known): a set of
	// attributes a key.
	Known map[string]map[directory.Attribute]bool
	// Recent replaces listed values by what was written less than 15 minutes ago. A
	// record's Columns are only those that were written; all other values are as listed. A
	// record with an ID and no UPN is a deleted account; one that the list lacks was added
	// or restored by hacsync.
	Recent []directory.Record
	// DeletionsToday are deletions and sign-in blocks of the previous 24 hours, and
	// UsersThen the users at their start, 0 if unknown; they count unattended.
	DeletionsToday, UsersThen int
	// Undone are accounts that an undo put back, by ID: later plans mark them.
	Undone map[directory.ID]bool
}

// Input is all that a plan rests on.
type Input struct {
	Tenant directory.Tenant
	Domain string
	// SetUp are the domains of this connection that are set up; a move needs
	// both.
	SetUp   []string
	Source  *directory.Snapshot
	Users   *directory.Snapshot
	Deleted *directory.Snapshot
	// Purposes are the mailbox kinds read so far; Plan.Need says which are
	// missing.
	Purposes  map[directory.ID]directory.Marks
	Policy    Policy
	Decisions []Decision
	Facts     Facts
	Past      Past
	// Answers are those that reviewers gave to questions, including questions that are no
	// longer asked.
	Answers []Answer
	// Others are the settings of the other domains that are set up here, by folded
	// name: accounts that leave one of them count in its guard.
	Others map[string]Policy
	// Siblings are those of them that the same source feeds, by folded name: an account of
	// theirs without a row may be the person of a row of this domain.
	Siblings map[string]bool
	// Notes are warnings of the plan that came with what was read.
	Notes []*problem.Problem
	// At is the destination's clock when it was read; it is not part of the
	// fingerprint.
	At time.Time
	// Unattended: no one reviews the plan, and so it does less.
	Unattended bool
}
