package flow

import (
	"context"
	"errors"

	"github.com/hacsync/hacsync/tui/words"
)

// Ending is how a walk came to its end.
type Ending uint8

// The ways a walk ends. Quit is a person's wish, at any step; the report says
// what was done. InputEnded: the input ended where an answer was needed.
// Interrupted: from outside, by a signal.
const (
	Quit Ending = iota
	InputEnded
	Interrupted
)

// Outcome is how a walk ended, for the exit code.
type Outcome struct {
	Kind Ending
	End  End
}

// Closing is the last sentence of a walk: what was and was not done. Every
// driver ends with it.
func (o Outcome) Closing() words.Text {
	end := o.End
	var done words.Text
	switch {
	case end.Report != nil && end.Report.Sent > 0:
		done = words.T("flow.plain.done", "run", int(end.Report.Run), "line", Done(end.Report))
		if r := end.Report; r.NotTried+r.NotYetSeen > 0 {
			done = words.T("flow.plain.rest", "done", done)
		}
	case end.Err != nil && !errors.Is(end.Err, context.Canceled):
		done = words.T("flow.plain.not_done", "what", words.What{Err: end.Err})
	case end.Given != "":
		done = words.T("flow.plain.only_given", "name", end.Given)
	default:
		done = words.T("flow.plain.nothing")
	}
	kept := words.T("flow.plain.not_kept")
	if end.Saved {
		kept = words.T("flow.plain.kept")
	}
	id := map[Ending]string{
		Quit: "flow.plain.quit", InputEnded: "flow.plain.input_ended", Interrupted: "flow.plain.interrupted",
	}[o.Kind]
	return words.T(id, "done", done, "kept", kept)
}

// TakesCommands reports whether a question takes a step's commands in addition to its
// answer. In a text field letters are letters.
func TakesCommands(k Kind) bool { return k != Line && k != Path && k != Typed && k != Secret }
