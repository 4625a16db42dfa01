package plan

import (
	"fmt"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/problem"
)

// FormatVersion is that of the plan file. Decode reads 1, which had neither links nor
// questions, and refuses newer ones.
//
// A plan file is JSON, one object a line: a header with the version, the source rows
// that the plan rests on (some hundred a line), a line for each action, each skip, each
// question and each action that an answer may make, in their order, one with the
// answers, and a trailer with the fingerprint and a SHA-256 of all bytes before it.
// What follows from the rest (steps, flags, sums, verdict) is left out if it could be
// made to differ, or else is compared. file_encode.go writes it, file_decode.go reads
// it, plan_check.go checks what was read.
const FormatVersion = 2

const sourceBlock = 200

// maxLine limits a line of a plan file: names have a few thousand bytes at most, so a
// longer line is not of a plan file.
const maxLine = 8 << 20

type fileHeader struct {
	Version   int                   `json:"hacsync_plan"`
	Tenant    string                `json:"tenant"`
	Domain    string                `json:"domain"`
	Undo      int64                 `json:"undo_of,omitempty"`
	Policy    Policy                `json:"policy"`
	Source    directory.About       `json:"source"`
	Confirmed bool                  `json:"confirmed"`
	Digest    string                `json:"source_digest"`
	Columns   []directory.Attribute `json:"source_columns"`
	Without   []directory.Attribute `json:"source_without,omitempty"`
	Rows      int                   `json:"source_rows"`
	Actions   int                   `json:"actions"`
	Skips     int                   `json:"skips"`
	Counts    Counts                `json:"counts"`
	Guard     fileGuard             `json:"guard"`
	Warnings  []fileProblem         `json:"warnings,omitempty"`
	Need      []directory.ID        `json:"need,omitempty"`
	Questions int                   `json:"questions,omitempty"`
	Options   int                   `json:"options,omitempty"`
	// Final: the questions are not answered again.
	Final bool `json:"final,omitempty"`
}

type fileGuard struct {
	Unattended bool     `json:"unattended,omitempty"`
	Today      int      `json:"today,omitempty"`
	UsersThen  int      `json:"users_then,omitempty"`
	Watched    int      `json:"watched,omitempty"`
	Raised     bool     `json:"raised,omitempty"`
	LostHeld   int      `json:"lost_held,omitempty"`
	Paid       int      `json:"paid,omitempty"`
	Known      int      `json:"known,omitempty"`
	Origins    []origin `json:"origins,omitempty"`
}

func (g guard) file() fileGuard {
	return fileGuard{g.unattended, g.today, g.usersThen, g.watched, g.raised, g.lostHeld, g.paid, g.known, g.origins}
}

func (f fileGuard) guard() guard {
	return guard{
		unattended: f.Unattended, today: f.Today, usersThen: f.UsersThen, watched: f.Watched, raised: f.Raised,
		lostHeld: f.LostHeld, paid: f.Paid, known: f.Known, origins: f.Origins,
	}
}

type fileProblem struct {
	Code problem.Code `json:"code"`
	Args problem.Args `json:"args,omitempty"`
}

type fileChange struct {
	Attribute directory.Attribute `json:"attribute"`
	Old       *string             `json:"old"`
	New       *string             `json:"new"`
}

type fileAction struct {
	No        int             `json:"no"`
	Kind      string          `json:"kind"`
	User      directory.Ref   `json:"user,omitzero"`
	UPN       string          `json:"upn"`
	Name      string          `json:"name,omitempty"`
	Line      int             `json:"line,omitempty"`
	Changes   []fileChange    `json:"changes,omitempty"`
	Warnings  []fileProblem   `json:"warnings,omitempty"`
	Pair      int             `json:"pair,omitempty"` // version 1 alone
	Evidence  *Evidence       `json:"evidence,omitempty"`
	Marks     directory.Marks `json:"marks,omitempty"`
	After     []int           `json:"after,omitempty"`
	Last      []int           `json:"last,omitempty"`
	With      int             `json:"with,omitempty"`
	Temporary string          `json:"temporary,omitempty"`
	Enters    bool            `json:"enters,omitempty"`
	Resets    bool            `json:"resets,omitempty"`
	Federated bool            `json:"federated,omitempty"`
	NewUPN    bool            `json:"new_upn,omitempty"`
	Missing   bool            `json:"missing,omitempty"`
	Paid      bool            `json:"paid,omitempty"`

	Link        *Link        `json:"link,omitempty"`
	Explanation *Explanation `json:"explanation,omitempty"`

	Made       []fileChange `json:"made,omitempty"`
	Unlicensed bool         `json:"unlicensed,omitempty"`
}

type fileSkip struct {
	No   int           `json:"no"`
	Ref  directory.Ref `json:"user,omitzero"`
	Name string        `json:"name,omitempty"`
	Line int           `json:"line,omitempty"`
	Why  fileProblem   `json:"why"`
}

type fileTrailer struct {
	Fingerprint string `json:"fingerprint"`
	SHA256      string `json:"sha256"`
}

// fileQuestion is a question with its problems as they are written.
type fileQuestion struct {
	Question
	DeleteWhy *fileProblem    `json:"delete_why,omitempty"`
	Rows      []fileCandidate `json:"rows"`
}

type fileCandidate struct {
	Candidate
	SameWhy *fileProblem `json:"same_why,omitempty"`
	AddWhy  *fileProblem `json:"add_why,omitempty"`
	Waits   bool         `json:"waits,omitempty"`
}

// fileLine is any line except the header.
type fileLine struct {
	Source   [][]*string   `json:"source,omitempty"`
	Action   *fileAction   `json:"action,omitempty"`
	Skip     *fileSkip     `json:"skip,omitempty"`
	Question *fileQuestion `json:"question,omitempty"`
	Option   *fileAction   `json:"option,omitempty"`
	Answers  []Answer      `json:"answers,omitempty"`
	End      *fileTrailer  `json:"end,omitempty"`
}

// order is the place of a line in the file, 0 if it has none.
func (l *fileLine) order() int {
	at, parts := 0, 0
	for i, is := range [...]bool{
		l.Source != nil, l.Action != nil, l.Skip != nil, l.Question != nil, l.Option != nil, l.Answers != nil, l.End != nil,
	} {
		if is {
			at = i + 1
			parts++
		}
	}
	if parts != 1 {
		return 0
	}
	return at
}

func toFile(q *problem.Problem) fileProblem { return fileProblem{q.Code, q.Args} }

func fromFile(q fileProblem) *problem.Problem { return problem.New(q.Code, q.Args) }

func toFileWhy(q *problem.Problem) *fileProblem {
	if q == nil {
		return nil
	}
	f := toFile(q)
	return &f
}

func fromFileWhy(f *fileProblem) *problem.Problem {
	if f == nil {
		return nil
	}
	return fromFile(*f)
}

func toFileQuestion(q *Question) *fileQuestion {
	f := &fileQuestion{Question: *q, DeleteWhy: toFileWhy(q.DeleteWhy)}
	for _, c := range q.Rows {
		f.Rows = append(f.Rows, fileCandidate{c, toFileWhy(c.SameWhy), toFileWhy(c.AddWhy), c.waits})
	}
	return f
}

func fromFileQuestion(f *fileQuestion) *Question {
	q := f.Question
	q.DeleteWhy = fromFileWhy(f.DeleteWhy)
	q.Rows = nil
	for _, c := range f.Rows {
		c.Candidate.SameWhy, c.Candidate.AddWhy = fromFileWhy(c.SameWhy), fromFileWhy(c.AddWhy)
		c.waits = c.Waits
		q.Rows = append(q.Rows, c.Candidate)
	}
	return &q
}

func toFileAction(a *Action) *fileAction {
	f := &fileAction{
		No: a.No, Kind: a.Kind.String(), User: a.User, UPN: a.UPN, Name: a.Name, Line: a.Line,
		Marks: a.Marks, After: a.After, Missing: a.how.missing, Paid: a.how.paid, Explanation: a.Explanation, Evidence: a.Evidence,
		Last: a.how.last, With: a.how.with, Temporary: a.how.temporary, Enters: a.how.enters,
		Resets: a.how.resets, Federated: a.how.federated, NewUPN: a.how.newUPN,
		Changes: toFileChanges(a.Changes), Made: toFileChanges(a.how.made), Unlicensed: a.how.unlicensed,
	}
	for _, q := range a.Warnings {
		f.Warnings = append(f.Warnings, toFile(q))
	}
	if a.Link.Username != "" {
		f.Link = &a.Link
	}
	return f
}

func toFileChanges(cs []Change) []fileChange {
	var fs []fileChange
	for _, c := range cs {
		f := fileChange{Attribute: c.Attribute}
		if c.Old.Set {
			f.Old = &c.Old.Text
		}
		if c.New.Set {
			f.New = &c.New.Text
		}
		fs = append(fs, f)
	}
	return fs
}

func fromFileChanges(fs []fileChange) []Change {
	value := func(s *string) directory.Value {
		if s == nil {
			return directory.Value{}
		}
		return directory.Value{Text: *s, Set: true}
	}
	var cs []Change
	for _, f := range fs {
		cs = append(cs, Change{f.Attribute, value(f.Old), value(f.New)})
	}
	return cs
}

func fromFileAction(f *fileAction) (Action, error) {
	a := Action{
		No: f.No, User: f.User, UPN: f.UPN, Name: f.Name, Line: f.Line,
		Marks: f.Marks, After: f.After, Explanation: f.Explanation, Evidence: f.Evidence,
		how: how{
			missing: f.Missing, paid: f.Paid,
			last: f.Last, with: f.With, temporary: f.Temporary, enters: f.Enters,
			resets: f.Resets, federated: f.Federated, newUPN: f.NewUPN,
			made: fromFileChanges(f.Made), unlicensed: f.Unlicensed,
		},
		Changes: fromFileChanges(f.Changes),
	}
	for k := Delete; k <= Update; k++ {
		if k.String() == f.Kind {
			a.Kind = k
		}
	}
	if a.Kind == 0 {
		return a, fmt.Errorf("kind %q", f.Kind)
	}
	if f.Link != nil {
		a.Link = *f.Link
	}
	for _, q := range f.Warnings {
		a.Warnings = append(a.Warnings, fromFile(q))
	}
	a.finish()
	return a, nil
}
