// Package screen shows the steps of tui/flow on a terminal. The shell is the root
// model: it drives the flow, draws the frame that is the same around every step,
// and takes the keys that mean the same everywhere. Most steps have one screen,
// and those that need more than text and a question one of their own. A screen
// holds where the person looks (cursor, scroll, what is typed); what is true is
// in the flow, and only the shell changes that.
//
// The rules of the shell: Update does no I/O; an effect runs as a command under a
// context that Update made; what effects report is collected and drawn on a
// tick; an effect that writes is waited for before the program ends, whatever
// ended it.
package screen

import (
	"context"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/hacsync/hacsync/sync/message"
	"github.com/hacsync/hacsync/tui/flow"
	"github.com/hacsync/hacsync/tui/theme"
	"github.com/hacsync/hacsync/tui/widget"
	"github.com/hacsync/hacsync/tui/words"
)

// env is what all screens draw with. The shell changes it when the language or
// the terminal's background changes, so screens keep the pointer and nothing
// made from it.
type env struct {
	Printer *message.Printer
	Styles  *theme.Styles
	Signs   widget.Signs
	// Now is the time by which waits and codes are shown.
	Now func() time.Time
	// Browse opens a page in the browser of this machine, nil where that cannot be.
	Browse func(ctx context.Context, url string) error
}

// Say writes a text in the language of the screen, clean.
func (e *env) Say(t words.Text) string { return words.Say(e.Printer, t) }

// T is Say of the catalogue's entry id.
func (e *env) T(id string, kv ...any) string { return e.Say(words.T(id, kv...)) }

// screen is a step on screen. Its methods are called from one goroutine, and do
// no I/O.
type screen interface {
	// Sync takes what the flow shows. It is called when the screen comes, and
	// after every change of the flow; v stays as it is until the next call.
	Sync(v flow.View)
	// Update takes a key, a paste or a mouse event; a mouse event's place is
	// counted from the body's upper left corner. answers go to the flow, one
	// after the other. What is not handled is the shell's: esc, ?, L, q, ctrl+c.
	Update(msg tea.Msg) (answers []flow.Answer, cmd tea.Cmd, handled bool)
	// View draws the body, and says what is around it: lines of at most width
	// columns, at most height of them. The shell fills up and cuts.
	View(width, height int) frame
}

// frame is what a screen shows now, for the shell to draw and to name.
type frame struct {
	body string
	// split is the column of a rule that divides the body, noSplit for none. headed:
	// lines of the screen's own are above what it divides, so that it does not reach
	// the upper rule.
	split  int
	headed bool
	// keys are those that work now, the important ones first: as many as there is
	// room for are in the footer, all of them in the help.
	keys []hint
	// status is the left part of the status line, empty for what the flow says;
	// place is the right part before date and time, such as the place in a list.
	status, place string
	// typing: letters go into a field now, so they are no keys.
	typing bool
	// cursor is where the terminal's cursor belongs, nil for nowhere: an input method
	// shows there what it has not given yet.
	cursor *tea.Position
}

const noSplit = -1

// hint is a key with what it does.
type hint struct{ key, what string }
