package words

import (
	"time"

	"github.com/hacsync/hacsync/sync/consent"
	"github.com/hacsync/hacsync/sync/directory"
)

// Piece is one part of a view: Para, Heading, Facts, Checks, Table, Beside, Ways,
// CodeCard, PageCard, Script or Trouble.
type Piece interface{ piece() }

type (
	// Para is running text.
	Para struct{ Text Text }
	// Heading begins a part; Aside stands at its right end.
	Heading struct{ Text, Aside Text }
	// Facts are labelled values.
	Facts []Fact
	// Fact is one of them.
	Fact struct{ Label, Value Text }
	// Checks is a list of findings.
	Checks []Check
	// Check is one finding, with its details below it.
	Check struct {
		Mark   Mark
		Text   Text
		Detail []Text
	}
	// Table has a head and rows; the columns in Right are aligned right. The last column
	// gets the rest of the width: shortened, or with Wrap in full.
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
		// First is how many of them are shown if the window cannot scroll, 0 for all.
		First int
	}
	// Trouble is an error in the words of its code. Brief: without its remedy, because the
	// choices offer it.
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

type (
	// Beside compares two sides, value by value.
	Beside struct {
		Left, Right Text
		Lines       []BesideLine
	}
	// BesideLine is one value of both. Mark is the sign between them: = =~ # .
	BesideLine struct {
		Label, Left Text
		Mark        string
		Right       Text
	}
	// Ways are the answers to choose from, each with its effect.
	Ways []Way
	// Way is one of them: by a key, or by its word line by line.
	Way struct {
		Key    string
		Word   string
		Name   Text
		Does   Text
		Chosen bool
		// Deletes: an account goes. Cancels: the guard would stop all then.
		Deletes, Cancels bool
	}
)

func (Beside) piece() {}
func (Ways) piece()   {}

// Mark is the sign of a finding.
type Mark uint8

// The marks: [  ] [..] [ok] [! ] [x ] [i ] [? ].
const (
	ToCome Mark = iota
	UnderWay
	OK
	Warn
	Stops
	Info
	Asks
)

// String is the mark as every screen draws it.
func (m Mark) String() string {
	return [...]string{"[  ]", "[..]", "[ok]", "[! ]", "[x ]", "[i ]", "[? ]"}[m]
}

type (
	// Chart is a row of columns over time, the oldest first. A driver shows as many
	// of the latest as there is room for.
	Chart struct {
		Name Text
		Bars []Bar
	}
	// Bar is one column: how much, and how it ended.
	Bar struct {
		At    time.Time
		Value int
		Mark  Mark
	}
)

func (Chart) piece() {}

// Most is the highest value.
func (c Chart) Most() int {
	most := 0
	for _, b := range c.Bars {
		most = max(most, b.Value)
	}
	return most
}

// Changes are the attributes of a row, before and after.
type Changes []ChangeLine

// ChangeLine is one of them.
type ChangeLine struct {
	Attribute directory.Attribute
	Old, New  Text
	// New account: there is nothing before.
	Added bool
	// SignIn: the person's sign-in changes with it.
	SignIn bool
}

func (Changes) piece() {}
