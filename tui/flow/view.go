package flow

import (
	"cmp"
	"slices"
	"time"

	"github.com/hacsync/hacsync/sync/input"
	"github.com/hacsync/hacsync/sync/secret"
	"github.com/hacsync/hacsync/tui/review"
	"github.com/hacsync/hacsync/tui/words"
)

// View is what a step shows now: what is true, one question, the commands that
// work. It is a value; the driver chooses how it looks.
type View struct {
	Step  Step
	Where Where
	Title words.Text
	// Aside stands at the right end of the title's line.
	Aside  words.Text
	Blocks []words.Piece
	Ask    Question
	// Refused says why the last answer was not taken. It stands beside the question,
	// and is always seen.
	Refused []words.Piece
	// After belongs to one of the choices, such as a text for somebody else: it
	// stands below the question where there is room, and c copies it.
	After []words.Piece
	// Commands work beside the answer; back, help and quit are the driver's.
	Commands []Command
	// Shows is what of a plan is shown line by line.
	Shows Shows
	// Meanwhile are taken, and not shown, while something is under way: the next
	// answers while one is stored.
	Meanwhile []string
	// Back says whether there is a step before.
	Back bool
	// Working is set while something runs: what it is.
	Working words.Text
	Work    *Work
	// Status is what is true about storing and writing.
	Status words.Text
	// Review is the plan that the preview lists, for a driver that shows the rows
	// itself; nil wherever there is no list.
	Review *review.Review
	// Look is where the user was in it when it was left.
	Look Look
	// Turned is how often the walk came back to its questions from a later step.
	Turned int
}

// Look is where a user is in a plan that a screen shows: the tab, and how it is
// narrowed.
type Look struct {
	Tab    review.Tab
	Filter review.Filter
	Search string
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
	Text    words.Text
	Options []Option
	// Head names the columns of a choice that is drawn as a table; Right are those
	// that are aligned right.
	Head  []words.Text
	Right []int
	// Enter is what enter does with an option of such a choice; zero is View Details.
	Enter words.Text
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
	Text words.Text
	Note words.Text // beside it: what it means
	// Group is the part of a choice drawn as a table that the option belongs to; it
	// stands above the first of them.
	Group words.Text
	// Cells stand in the columns of Question.Head, in place of Text and Note.
	Cells []words.Text
	// Wide stand there instead in a wide window, nil for none.
	Wide []words.Text
	// Detail is what a screen shows below while the option is selected.
	Detail []words.Piece
}

// Command is something a step does beside taking the answer.
type Command struct {
	Name string     // what Answer.Command says
	Key  string     // the key of the screens
	Word string     // the word that may be typed instead
	Also string     // or this one
	Arg  words.Text // names what follows it; zero if nothing does
	Help words.Text
	// Short is what the footer of a screen calls it.
	Short words.Text
	On    On
	// At is what has to be shown line by line for it; nil: it works always.
	At []Shows
	// OfOption: what follows is one of the options, by number or key; a screen
	// gives the selected one.
	OfOption bool
	// Only are the options that it does something for now, nil for all. It may be
	// given for the others, and says why it does nothing.
	Only []string
}

// command is a command with a key and a word; the footer's word for it is among
// tui.command, by its name.
func command(name, key, word string, help words.Text) Command {
	return Command{Name: name, Key: key, Word: word, Help: help, Short: words.T("tui.command." + name)}
}

// with is the command with the name of what follows it.
func (c Command) with(arg words.Text) Command {
	c.Arg = arg
	return c
}

// ofOption is the command as one about an option.
func (c Command) ofOption(arg words.Text) Command {
	c.Arg, c.OfOption = arg, true
	return c
}

// checkAgain reads what is shown once more.
func checkAgain() Command { return command("again", "r", "again", words.T("flow.check_again")) }

// On is where a command works.
type On uint8

// The places of a command.
const (
	Anywhere On = iota
	InLines     // where rows are listed line by line; a screen has ways of its own
	OnScreen    // on a screen that shows the rows itself
)

// Shows is what of a plan is shown line by line.
type Shows uint8

// What is shown: rows, one question, or all of them.
const (
	ShowsRows Shows = iota
	ShowsQuestion
	ShowsQuestions
)

// Typed are the commands that can be typed now.
func (v View) Typed() []Command {
	var out []Command
	for _, c := range v.Commands {
		if c.On != OnScreen && (c.At == nil || slices.Contains(c.At, v.Shows)) {
			out = append(out, c)
		}
	}
	return out
}

// Works reports whether the command does something for an option now.
func (c Command) Works(option string) bool { return c.Only == nil || slices.Contains(c.Only, option) }

// Answer is what a person said: an answer to the question, or a command.
type Answer struct {
	Command string
	// Text is the answer, an option's key, or the command's argument.
	Text string
	// Rows are the numbers of rows that a command is for, where a screen gives them
	// in place of Text; those of questions are below zero.
	Rows []int
	// Say writes a text in the driver's language, for what a command saves in it.
	Say func(words.Text) string
	// Look is what CmdLook tells.
	Look Look
	// Secret is the answer to a question of kind Secret; Text is empty then.
	Secret secret.Text
}

// The commands that every step knows.
const (
	CmdBack = "back"
	CmdQuit = "quit"

	// CmdLook tells where a person is in the plan, which is kept with it.
	CmdLook = "look"

	// CmdQuestions goes back to the questions of the plan that is confirmed.
	CmdQuestions = "questions"
)

// takes checks an answer against what is asked and offered, so that no step has to.
// The number of an option becomes its key.
func (v View) takes(a Answer) (Answer, bool) {
	if a.Command != "" {
		i := slices.IndexFunc(v.Commands, func(c Command) bool { return c.Name == a.Command })
		if i < 0 {
			return a, slices.Contains(v.Meanwhile, a.Command)
		}
		if v.Commands[i].OfOption {
			return v.Ask.option(a)
		}
		return a, true
	}
	switch v.Ask.Kind {
	case Choice, Wait:
		return v.Ask.option(a)
	case None:
		return a, false
	case Line, Path, Number, Typed, List, Secret:
	}
	return a, true
}

// option is an answer that means one of the options, by key or by number; nothing
// means the preset one.
func (q Question) option(a Answer) (Answer, bool) {
	text := cmp.Or(a.Text, q.Preset)
	i := slices.IndexFunc(q.Options, func(o Option) bool { return o.Key == text })
	if n, ok := input.Number(text); ok && i < 0 {
		i = n - 1
	}
	if i < 0 || i >= len(q.Options) {
		return a, false
	}
	a.Text = q.Options[i].Key
	return a, true
}
