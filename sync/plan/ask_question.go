package plan

import (
	"time"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/problem"
)

// Question is an account without a row that is certainly its own, and the rows of the
// source that may be its person. Only a user can know. Until it is answered nothing
// happens to the account or the rows.
type Question struct {
	// No is the number of the question in this plan, from 1, in order of UPN.
	No      int           `json:"no"`
	Account directory.Ref `json:"account"`
	Name    string        `json:"name,omitempty"`
	// Claim is why the account is known, "" if it was in no complete read.
	Claim string `json:"claim,omitempty"`
	// Link is what the account is linked to; zero Username for none.
	Link Link `json:"link,omitzero"`
	// Seen is when its Username was in complete reads.
	Seen     Seen            `json:"seen,omitzero"`
	Marks    directory.Marks `json:"marks,omitempty"`
	Evidence Evidence        `json:"evidence"`
	Rows     []Candidate     `json:"-"`
	// Basis identifies what an answer rests on: keys, names and candidates. An
	// answer to another basis is asked again.
	Basis string `json:"basis"`
	// Answer is the answer in this plan: Open until there is one.
	Answer Answer `json:"answer,omitzero"`
	// Before is the answer to an earlier basis, with Kind Open for none.
	Before Answer `json:"before,omitzero"`
	// Lost: the account was in the last read that was learnt from.
	Lost bool `json:"lost,omitempty"`

	// Delete is the action that follows from different people, 0 for none;
	// DeleteWhy says why there is none.
	Delete    int              `json:"delete,omitempty"`
	DeleteWhy *problem.Problem `json:"-"`
	// Waits are the questions that hold the deletion of an account whose answer is
	// different people: each names one of its rows, and is open.
	Waits []int `json:"waits_for,omitempty"`
}

// Owes reports whether the account is still to be deleted, now or on a later day, if
// its person is in none of the rows.
func (q *Question) Owes() bool {
	if why := q.DeleteWhy; why != nil {
		return why.Code == problem.WaitsToDelete || why.Code == problem.NotYetMissing || why.Code == problem.LeftOutOnce
	}
	return q.Delete != 0
}

// Candidate is a row that may be the person of a question's account.
type Candidate struct {
	// Key is a letter, or letters, that the row has in its question.
	Key      string        `json:"key"`
	Username string        `json:"username,omitempty"`
	Row      directory.Ref `json:"row"` // UPN and immutable ID
	Name     string        `json:"name,omitempty"`
	Line     int           `json:"line,omitempty"`
	// Seen is when the Username was in complete reads; zero where it is new. Login
	// is the row's Last Login.
	Seen    Seen       `json:"seen,omitzero"`
	Login   time.Time  `json:"login,omitzero"`
	Compare []Compared `json:"compare,omitempty"`
	For     []Sign     `json:"for,omitempty"`
	Against []Sign     `json:"against,omitempty"`
	// Same is the action that follows from same person, 0 for none; SameWhy says why the
	// row is not written then, nil if the account is as it should be.
	Same    int              `json:"same,omitempty"`
	SameWhy *problem.Problem `json:"-"`
	// Add is the action of the row as a person of its own: an addition, a restoration, or
	// the update of the account that has its UPN; 0 if the row is a skip, or of another
	// domain.
	Add    int              `json:"add,omitempty"`
	AddWhy *problem.Problem `json:"-"`
	// TakenBy is the question whose answer takes the row, WaitsFor an open one that names
	// it too; 0 for none.
	TakenBy  int `json:"taken_by,omitempty"`
	WaitsFor int `json:"waits_for,omitempty"`
	// waits: the row is of the domain, and neither a skip nor certainly another account's.
	waits bool
}

// RowKey is what an answer calls the row: its Username, else its UPN.
func (c *Candidate) RowKey() string {
	if c.Username != "" {
		return c.Username
	}
	return keyOfUPN(c.Row.UPN)
}

// Compared is one value of the account next to that of the row.
type Compared struct {
	// Attribute is that of the account; the Username is compared as "username", in the
	// place of mailNickname.
	Attribute directory.Attribute `json:"attribute"`
	Account   string              `json:"account,omitempty"`
	Row       string              `json:"row,omitempty"`
	Likeness  string              `json:"likeness"` // equal, looks_same, differs, one_side
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

// Sign is something for or against a row being the person of an account.
type Sign string

// The signs.
const (
	SignID          Sign = "immutable_id_equal"
	SignUsername    Sign = "username_in_row"
	SignUPN         Sign = "upn_in_row"
	SignAddress     Sign = "address_in_row"
	SignName        Sign = "name_equal"
	SignNameLooks   Sign = "name_looks_same"
	SignAlias       Sign = "alias_equal"
	SignGiven       Sign = "given_name_equal"
	SignFamily      Sign = "family_name_equal"
	SignDepartment  Sign = "department_equal"
	SignNoLink      Sign = "username_differs"
	SignRowNoID     Sign = "row_without_id"
	SignAccountNoID Sign = "account_without_id"
	SignOtherID     Sign = "immutable_id_differs"
	SignOtherName   Sign = "name_differs"
	SignBroken      Sign = "username_was_away"
	SignOtherDomain Sign = "row_in_other_domain"
	SignNotWritable Sign = "row_not_writable"
)

// AnswerKind is the kind of an answer.
type AnswerKind string

// The answers. Open is none yet.
const (
	Open            AnswerKind = ""
	SamePerson      AnswerKind = "same"
	DifferentPeople AnswerKind = "different"
	NotNow          AnswerKind = "not-now"
)

// AnswerKey is what an answer is about.
type AnswerKey struct {
	Account directory.ID
	Row     string
}

// Answer is a user's answer about an account and one row of the source.
type Answer struct {
	Kind    AnswerKind   `json:"answer"`
	Account directory.ID `json:"account"`
	// Row is the RowKey of the candidate. With different people there is an answer for each
	// candidate.
	Row   string    `json:"row"`
	Basis string    `json:"basis"`
	By    string    `json:"by,omitempty"`
	At    time.Time `json:"at,omitzero"`
}

// Explanation says why an account may be deleted.
type Explanation struct {
	// Claim is why the account is known: "linked", "added", "vouched"; "answered" if it is
	// known by the answer alone, "" if it was in no complete read.
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
	// Due is when a block becomes a deletion, or a deletion may be made unattended; zero if
	// it need not wait. Counted are the days so far, of Of.
	Due     time.Time `json:"due,omitzero"`
	Counted int       `json:"counted,omitempty"`
	Of      int       `json:"of,omitempty"`
	// Weak are signs that alone are no reason to ask.
	Weak []Sign `json:"weak,omitempty"`
}

// The claims of an Explanation.
const (
	ClaimLinked   = "linked"
	ClaimAdded    = "added"
	ClaimVouched  = "vouched"
	ClaimAnswered = "answered"
)
