// Package plain walks the steps of tui/flow line by line, on any reader and writer: a
// terminal, a pipe, a screen reader. It moves no cursor, uses no colour, and shows
// progress as lines now and then. Letters are those of the screens; every command has a
// word as well.
//
// Lines are read only when an answer is needed: a wait never consumes piped input, and
// the end of the input ends the walk only if an answer is needed.
package plain

import (
	"bufio"
	"context"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/hacsync/hacsync/sync/message"
	"github.com/hacsync/hacsync/tui/flow"
	"github.com/hacsync/hacsync/tui/words"
)

// Options say how the lines look.
type Options struct {
	Printer *message.Printer
	// Interactive: a person types, so that commands are taken during waits.
	Interactive bool
	// Every is how often progress is written, 0 for every two seconds.
	Every time.Duration
	// Width in columns, 0 for 80.
	Width int
	// Secret reads a line from the terminal without showing it, and ends the line on
	// screen; nil if the input is not a terminal, which shows nothing anyway.
	Secret func() (string, error)
}

// Outcome is how a walk ended, for the exit code.
type Outcome = flow.Outcome

// The ways a walk ends.
const (
	Quit        = flow.Quit
	InputEnded  = flow.InputEnded
	Interrupted = flow.Interrupted
)

// Run walks f until the user quits, the input ends or ctx does. It closes what was
// opened. Its error is one of writing to out, or a flow.Crash.
func Run(ctx context.Context, f *flow.Flow, in io.Reader, out io.Writer, o Options) (Outcome, error) {
	if o.Every <= 0 {
		o.Every = 2 * time.Second
	}
	if o.Width <= 0 {
		o.Width = 80
	}
	w := &walker{
		f: f, o: o, out: out, in: newLines(in, o.Secret), step: -1,
		x: flow.NewDriver(ctx, f),
	}
	defer func() { _ = f.Close() }()
	kind := w.walk(ctx)
	if crash := w.x.Settle(); w.crash == nil {
		w.crash = crash
	}
	outcome := Outcome{Kind: kind, End: *w.end()}
	if w.crash != nil {
		return outcome, w.crash
	}
	return outcome, w.err
}

type walker struct {
	f   *flow.Flow
	o   Options
	out io.Writer
	err error // the first of writing
	in  *lines

	step  int    // the step whose header is shown
	body  string // the part of it that is shown
	asks  string // the question that is shown
	below bool   // something is shown below the header
	// passed: something short was under way since the last view.
	passed bool
	tick   progressLines
	ended  bool // the input

	x     *flow.Driver
	crash *flow.Crash
	asked bool // q was typed while a sync was running
}

func (w *walker) page() *page { return &page{p: w.o.Printer, width: w.o.Width} }

func (w *walker) write(s string) {
	if w.err == nil && s != "" {
		_, w.err = io.WriteString(w.out, s)
	}
}

func (w *walker) say(texts ...words.Text) {
	for _, t := range texts {
		p := w.page()
		p.wrapped("", p.say(t))
		w.write(p.b.String())
	}
}

func (w *walker) end() *flow.End {
	if e := w.f.Ended(); e != nil {
		return e
	}
	return w.f.Stopped()
}

// walk is the loop: show, take a line or the results of effects, go on.
func (w *walker) walk(ctx context.Context) flow.Ending {
	w.take(w.f.Start())
	ticker := time.NewTicker(w.o.Every)
	defer ticker.Stop()
	for w.err == nil && w.crash == nil {
		if w.f.Ended() != nil {
			w.closing(Quit)
			return Quit
		}
		// Before the results that the interrupted effect may have left.
		if ctx.Err() != nil {
			w.interrupt()
			return Interrupted
		}
		v := w.f.View()
		w.show(v)
		wait := v.Ask.Kind == flow.Wait
		var input <-chan string
		if !wait || !v.Ask.Optional || w.o.Interactive && !w.ended && !passing(v) {
			if w.ended {
				w.crash = w.x.Settle()
				w.closing(InputEnded)
				return InputEnded
			}
			input = w.in.want(v.Ask.Kind == flow.Secret)
		}
		select {
		case <-ctx.Done():
			w.interrupt()
			return Interrupted
		case line, ok := <-input:
			w.in.got()
			if !ok {
				w.ended = true
				continue
			}
			w.line(v, line)
		case <-w.x.Ready():
			w.deliver()
		case <-ticker.C:
			w.deliver()
			w.write(w.tick.lines(w.page(), v, w.f.Now(), time.Now()))
		}
	}
	return Interrupted
}

// show writes a view, or the part of it that is not shown already.
func (w *walker) show(v flow.View) {
	p := w.page()
	if w.step != int(v.Step) {
		w.step, w.body, w.asks, w.below = int(v.Step), "", "", false
		w.tick = progressLines{}
		p.line("")
		p.header(v)
	}
	if passing(v) {
		w.passed = true
	} else if w.passed {
		// The same trouble once more is news.
		w.passed = false
		if slices.ContainsFunc(v.Blocks, func(b words.Piece) bool { _, ok := b.(words.Trouble); return ok }) {
			w.body = ""
		}
	}
	body, asks := w.page(), w.page()
	body.body(v)
	asks.question(v)
	if text := body.b.String(); text != w.body && !passing(v) {
		if w.below {
			p.line("")
		}
		w.below = true
		p.b.WriteString(text)
		w.body, w.asks = text, ""
		w.in.prompted = false
	}
	if text := asks.b.String(); text != w.asks {
		if text != "" {
			p.line("")
		}
		p.b.WriteString(text)
		w.asks = text
		w.in.prompted = false
	}
	if v.Working.IsZero() {
		w.tick.working = ""
	} else if working := p.say(v.Working); working != w.tick.working {
		if w.below {
			p.line("")
		}
		w.below = true
		p.wrapped("", working)
		w.tick.working = working
	}
	if !w.in.prompted && (v.Ask.Kind != flow.Wait || !v.Ask.Optional) {
		p.line("")
		p.keysLine(v)
		p.b.WriteString(p.prompt(v))
		w.in.prompted = true
	}
	w.write(p.b.String())
	w.write(w.tick.ended(w.page(), v))
}

// passing are views that are shown only until something short is done: naming it is
// enough.
func passing(v flow.View) bool {
	return v.Ask.Kind == flow.Wait && v.Ask.Optional && v.Ask.Until.IsZero() && v.Work == nil && len(v.Commands) == 0
}

// take carries out a turn.
func (w *walker) take(t flow.Turn) {
	w.say(t.Say...)
	if len(t.Effects) > 0 {
		w.asked = false
	}
	w.x.Take(t)
}

// deliver gives the flow the reports and results of effects.
func (w *walker) deliver() {
	for m, ok := w.x.Next(); ok; m, ok = w.x.Next() {
		if m.Ended && !m.Stopped { // the last report belongs before the end
			w.write(w.tick.ended(w.page(), w.f.View()))
		}
		w.take(w.x.Deliver(m))
		if w.crash = m.Crash; w.crash != nil {
			return
		}
	}
}

func (w *walker) interrupt() {
	w.write("\n")
	w.crash = w.x.Settle()
	w.closing(Interrupted)
}

// closing is the last sentence: what was done and what was not.
func (w *walker) closing(kind flow.Ending) {
	p := w.page()
	p.b.WriteString("\n")
	p.wrapped("", p.say(Outcome{Kind: kind, End: *w.end()}.Closing()))
	w.write(p.b.String())
}

// line handles one line that was typed.
func (w *walker) line(v flow.View, line string) {
	w.in.prompted = false
	switch secret := v.Ask.Kind == flow.Secret; {
	case secret && line != "" && !w.o.Interactive:
		w.write(w.page().say(words.T("flow.plain.hidden")) + "\n")
	case secret:
	case !w.o.Interactive:
		// A terminal shows typed characters; a pipe does not.
		w.write(message.Clean(line) + "\n")
	}
	a, what := understand(w.o.Printer, v, line)
	switch what {
	case isHelp:
		p := w.page()
		p.help(v)
		w.write(p.b.String())
		return
	case isUnknown:
		w.say(words.T("flow.plain.not_understood", "line", strings.TrimSpace(line)))
		return
	case isNothing:
		return
	}
	if a.Command == flow.CmdQuit && w.x.Writes() {
		w.quitWhileWriting()
		return
	}
	a.Say = func(t words.Text) string { return words.Say(w.o.Printer, t) }
	w.take(w.f.Answer(a))
}

// quitWhileWriting asks once, then lets the sync come to a safe end; its result
// is shown.
func (w *walker) quitWhileWriting() {
	if !w.asked {
		w.asked = true
		if w.step == int(flow.Sync) {
			w.say(words.T("flow.plain.quit_running"))
		} else {
			w.say(words.T("flow.plain.quit_giving"))
		}
		return
	}
	w.say(words.T("flow.plain.stopping"))
	w.x.Cancel()
}

// lines reads a line at a time, and only when one is wanted.
type lines struct {
	in       *bufio.Reader
	secret   func() (string, error)
	ask      chan bool // whether it must not be shown
	out      chan string
	pending  bool // a line was asked for and has not come
	prompted bool // its prompt is shown
}

func newLines(in io.Reader, secret func() (string, error)) *lines {
	l := &lines{in: bufio.NewReader(in), secret: secret, ask: make(chan bool, 1), out: make(chan string)}
	go l.read()
	return l
}

// read ends with the input, or stays in its last read until the program ends.
func (l *lines) read() {
	defer close(l.out)
	for hidden := range l.ask {
		s, err := l.line(hidden)
		if err != nil && (s == "" || hidden && l.secret != nil) {
			return
		}
		l.out <- strings.TrimRight(s, "\r\n")
	}
}

// line is the next one. What a terminal has sent already is in the buffer.
func (l *lines) line(hidden bool) (string, error) {
	if hidden && l.secret != nil && l.in.Buffered() == 0 {
		s, err := l.secret()
		return s + "\n", err
	}
	return l.in.ReadString('\n')
}

func (l *lines) want(hidden bool) <-chan string {
	if !l.pending {
		l.pending = true
		l.ask <- hidden
	}
	return l.out
}

func (l *lines) got() { l.pending = false }
