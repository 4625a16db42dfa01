package plan

import (
	"time"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/problem"
)

// Question is an account without a row that is surely its own, and the rows of
// the source that may be its person. Only a person can know. Until it is answered
// nothing happens to the account nor to the rows.
type Question struct {
	// No is the number of the question in this plan, from 1, in order of UPN.
	No      int
	Account directory.Ref
	Name    string
	// Link is what the account is linked to; zero Username for none.
	Link Link
	// Seen is when its Username was in complete reads.
	Seen     Seen
	Marks    directory.Marks
	Evidence Evidence
	Rows     []Candidate
	// Basis identifies what an answer rests on: keys, names and candidates. An
	// answer to another basis is asked again.
	Basis string
	// Answer is the answer in this plan: Open until there is one.
	Answer Answer
	// Before is the answer to an earlier basis, with Kind Open for none.
	Before Answer
	// Lost: the account was in the last read that was learnt from.
	Lost bool

	// Delete is the action that follows from different people, 0 for none;
	// DeleteWhy says why there is none.
	Delete    int
	DeleteWhy *problem.Problem
	// Waits are the questions that hold the deletion of an account whose answer is
	// different people: each names one of its rows, and is open.
	Waits []int
}

// Candidate is a row that may be the person of a question's account.
type Candidate struct {
	// Key is a letter, or letters, that the row has in its question.
	Key      string
	Username string
	Row      directory.Ref // UPN and immutable ID
	Name     string
	Line     int
	// Seen is when the Username was in complete reads; zero where it is new.
	Seen    Seen
	Compare []Compared
	For     []Sign
	Against []Sign
	// Same is the action that follows from same person, 0 for none; SameWhy says
	// why the row is not written then, nil where the account is as it should be.
	Same    int
	SameWhy *problem.Problem
	// Add is the action that adds or restores the row where it is a person of its
	// own, 0 for none: it is a skip, or another domain's.
	Add    int
	AddWhy *problem.Problem
	// TakenBy is the question whose answer takes the row, WaitsFor an open one that
	// names it too; 0 for none.
	TakenBy, WaitsFor int
}

// RowKey is what an answer calls the row: its Username, else its UPN.
func (c *Candidate) RowKey() string {
	if c.Username != "" {
		return c.Username
	}
	return keyOfUPN(c.Row.UPN)
}

// Compared is one value of the account beside that of the row.
type Compared struct {
	// Attribute is that of the account; the Username stands under mailNickname's
	// place as "username".
	Attribute    directory.Attribute
	Account, Row string
	Likeness     string // equal, looks_same, differs, one_side
}

// Username is what Compared calls the key of a user in HAC.
const Username directory.Attribute = "username"

// The likenesses of Compared.
const (
	Equal     = "equal"
	LooksSame = "looks_same"
	Differs   = "differs"
	OneSide   = "one_side"
)

// Sign is what speaks for or against that a row is the person of an account.
type Sign string

// The signs.
const (
	SignID           Sign = "immutable_id_equal"
	SignUsername     Sign = "username_in_row"
	SignUPN          Sign = "upn_in_row"
	SignAddress      Sign = "address_in_row"
	SignName         Sign = "name_equal"
	SignNameLooks    Sign = "name_looks_same"
	SignAlias        Sign = "alias_equal"
	SignGiven        Sign = "given_name_equal"
	SignFamily       Sign = "family_name_equal"
	SignDepartment   Sign = "department_equal"
	SignNoLink       Sign = "username_differs"
	SignRowNoID      Sign = "row_without_id"
	SignAccountNoID  Sign = "account_without_id"
	SignOtherID      Sign = "immutable_id_differs"
	SignOtherName    Sign = "name_differs"
	SignBroken       Sign = "username_was_away"
	SignOtherDomain  Sign = "row_in_other_domain"
	SignNotWritable  Sign = "row_not_writable"
)

// AnswerKind is what a person answers.
type AnswerKind string

// The answers. Open is none yet.
const (
	Open            AnswerKind = ""
	SamePerson      AnswerKind = "same"
	DifferentPeople AnswerKind = "different"
	NotNow          AnswerKind = "not-now"
)

// Answer is what a person said of an account and one row of the source.
type Answer struct {
	Kind    AnswerKind   `json:"answer"`
	Account directory.ID `json:"account"`
	// Row is the RowKey of the candidate. With different people an answer stands
	// for each candidate.
	Row   string    `json:"row"`
	Basis string    `json:"basis"`
	By    string    `json:"by,omitempty"`
	At    time.Time `json:"at,omitzero"`
}

// Explanation says why an account may be deleted.
type Explanation struct {
	// Claim is why the account is known: "linked", "added", "vouched", "answered",
	// or "" where it was in no complete read.
	Claim       string    `json:"claim"`
	Username    string    `json:"username,omitempty"`
	LinkedSince time.Time `json:"linked_since,omitzero"`
	LastSeen    time.Time `json:"last_seen,omitzero"`
	Absent      Absence   `json:"absent"`
	// OpenRows is the number of rows without an account that were compared.
	OpenRows int `json:"open_rows"`
	// Question is the number of the question whose answer this follows, 0 for none.
	Question int       `json:"question,omitempty"`
	By       string    `json:"by,omitempty"`
	At       time.Time `json:"at,omitzero"`
	// Due is when a block becomes a deletion, or a deletion may be made unattended;
	// zero where that does not wait. Counted are the days so far, of Of.
	Due     time.Time `json:"due,omitzero"`
	Counted int       `json:"counted,omitempty"`
	Of      int       `json:"of,omitempty"`
	// Weak are signs that are no reason to ask.
	Weak []Sign `json:"weak,omitempty"`
}

// The claims of an Explanation.
const (
	ClaimLinked   = "linked"
	ClaimAdded    = "added"
	ClaimVouched  = "vouched"
	ClaimAnswered = "answered"
)
