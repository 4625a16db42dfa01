package flow

import (
	"slices"
	"time"

	"github.com/hacsync/hacsync/sync/consent"
	"github.com/hacsync/hacsync/sync/secret"
)

// View is what a step shows now: what is true, one question, the commands that
// work. It is a value; the driver chooses how it looks.
type View struct {
	Step  Step
	Where Where
	Title Text
	// Aside stands at the right end of the title's line.
	Aside  Text
	Blocks []Piece
	Ask    Question
	// After belongs to one of the choices, such as a text for somebody else: it
	// stands below the question where there is room, and c copies it.
	After []Piece
	// Commands work beside the answer; back, help and quit are the driver's.
	Commands []Command
	// Back says whether there is a step before.
	Back bool
	// Working is set while something runs: what it is.
	Working Text
	Work    *Work
	// Status is what is true about storing and writing.
	Status Text
	// Reading is the plan that the preview lists, for a driver that shows the rows
	// itself; nil wherever there is no list.
	Reading *Reading
}

// Where is the header: what a photograph of any screen must show.
type Where struct {
	Version          string
	Connection       string
	Tenant, Initial  string
	Domain           string
	Simulated, Known bool // Known: a tenant is connected
	Plan             string
	Run              int64
}

// Piece is one part of a view: Para, Heading, Facts, Checks, Table, CodeCard,
// PageCard, Script or Trouble.
type Piece interface{ piece() }

type (
	// Para is running text.
	Para struct{ Text Text }
	// Heading begins a part.
	Heading struct{ Text Text }
	// Facts are labelled values.
	Facts []Fact
	// Fact is one of them.
	Fact struct{ Label, Value Text }
	// Checks is a list of findings.
	Checks []Check
	// Check is one finding, with what belongs to it below.
	Check struct {
		Mark   Mark
		Text   Text
		Detail []Text
	}
	// Table has a head and rows; the columns in Right are aligned right. The
	// last column takes what is left: shortened, or with Wrap in full.
	Table struct {
		Head  []Text
		Rows  [][]Text
		Right []int
		Wrap  bool
	}
	// CodeCard is a sign-in code.
	CodeCard struct{ Code consent.Code }
	// PageCard is a page of a sign-in by browser.
	PageCard struct{ Page consent.Page }
	// Script is a file's text, shown as it is.
	Script struct {
		Lines []string
		// First is how many of them are shown where there is no scrolling, 0 for all.
		First int
	}
	// Trouble is an error in the words of its code. Brief: without its remedy,
	// where the choices are it.
	Trouble struct {
		Err   error
		Brief bool
	}
)

func (Para) piece()     {}
func (Heading) piece()  {}
func (Facts) piece()    {}
func (Checks) piece()   {}
func (Table) piece()    {}
func (CodeCard) piece() {}
func (PageCard) piece() {}
func (Script) piece()   {}
func (Trouble) piece()  {}

// Mark is the sign of a finding.
type Mark uint8

// The marks: [  ] [..] [ok] [! ] [x ] [i ].
const (
	ToCome Mark = iota
	UnderWay
	OK
	Warn
	Stops
	Info
)

// String is the mark as every screen draws it.
func (m Mark) String() string { return [...]string{"[  ]", "[..]", "[ok]", "[! ]", "[x ]", "[i ]"}[m] }

// Kind is the kind of a question.
type Kind uint8

// The kinds of question.
const (
	None   Kind = iota // nothing to answer; commands only
	Choice             // one of Options
	Line               // a line of text, may be empty
	Path               // a file
	Number             // a number
	Typed              // a number or a word typed by hand: before what cannot be taken back
	List               // a row number, a command, or nothing for the next page
	Wait               // something is waited for; Options and commands may work meanwhile
	Secret             // a passphrase or a key: shown as dots, kept nowhere, answered as Answer.Secret
)

// Question is what a step asks.
type Question struct {
	Kind    Kind
	Text    Text
	Options []Option
	// Head names the columns of a choice that is drawn as a table; Right are those
	// that are aligned right.
	Head  []Text
	Right []int
	// Enter is what enter does with an option of such a choice; zero is View Details.
	Enter Text
	// Preset is the answer to an empty line: an option's key, or a text.
	Preset string
	// Optional: an empty answer is one. For Wait: nobody has to answer.
	Optional bool
	// Until is when the wait ends by itself, zero if it does not.
	Until time.Time
}

// Option is one choice.
type Option struct {
	Key  string // a short word without spaces; drivers number options as well
	Text Text
	Note Text // beside it: what it means
	// Cells stand in the columns of Question.Head, in place of Text and Note.
	Cells []Text
	// Wide stand there instead in a wide window, nil for none.
	Wide []Text
	// Detail is what a screen shows below while the option is selected.
	Detail []Piece
}

// Command is something a step does beside taking the answer.
type Command struct {
	Name string // what Answer.Command says
	Key  string // the key of the screens
	Word string // the word that may be typed instead
	Arg  Text   // names what follows it; zero if nothing does
	Help Text
	// OfOption: what follows is one of the options, by number or key; a screen
	// gives the selected one.
	OfOption bool
	// Only are the options that it does something for now, nil for all. It may be
	// given for the others, and says why it does nothing.
	Only []string
}

// Works reports whether the command does something for an option now.
func (c Command) Works(option string) bool { return c.Only == nil || slices.Contains(c.Only, option) }

// Answer is what a person said: an answer to the question, or a command.
type Answer struct {
	Command string
	// Text is the answer, an option's key, or the command's argument.
	Text string
	// Secret is the answer to a question of kind Secret; Text is empty then.
	Secret secret.Text
}

// The commands that every step knows.
const (
	CmdBack = "back"
	CmdQuit = "quit"
)
