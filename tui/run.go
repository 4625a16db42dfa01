// Package tui is the wizard on screen: a root model that drives the steps of
// tui/flow, a frame that is the same around every step, and the keys that mean
// the same everywhere. What a step looks like is in tui/step.
//
// The rules of the shell: Update does no I/O; an effect runs as a command under a
// context that Update made; what effects report is collected and drawn on a
// tick; an effect that writes is waited for before Run returns, whatever ended
// the program.
package tui

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/hacsync/hacsync/sync/message"
	"github.com/hacsync/hacsync/tui/flow"
	"github.com/hacsync/hacsync/tui/widget"
	"github.com/hacsync/hacsync/tui/words"
)

// Options say where the screens are drawn and how.
type Options struct {
	// Printers are the languages, the first at the start; L goes through them.
	Printers []*message.Printer
	Input    io.Reader
	Output   io.Writer
	// Environ is the environment that the terminal is known by; nil is the
	// process's own.
	Environ []string
	// ASCII: rules and bars of characters that every terminal draws one column
	// wide. Probe asks the terminal whether it needs that.
	ASCII, Probe bool
	// Light is the background until the terminal has said what it is.
	Light bool
	// Width and Height are the window's until the terminal has said so.
	Width, Height int
	// Grace is how long keys are ignored after a screen came by itself; negative
	// for not at all, 0 for 400 ms.
	Grace time.Duration
	// Browse opens a page in the browser of this machine; nil where that cannot be.
	Browse func(ctx context.Context, url string) error
}

// grace is how long keys typed for the screen before are ignored.
const grace = 400 * time.Millisecond

// Run walks f on screen until somebody quits or ctx ends. It waits for what
// writes to come to a safe end, closes what was opened, and says on Output what
// was done when the screen is gone. Its error is one of the terminal, or a flow.Crash.
func Run(ctx context.Context, f *flow.Flow, o Options) (flow.Outcome, error) {
	switch {
	case o.Grace == 0:
		o.Grace = grace
	case o.Grace < 0:
		o.Grace = 0
	}
	s := newShell(ctx, f, o)
	return s.run(ctx, s)
}

// run is Run with the model that the program gets, which is the shell itself.
func (s *shell) run(ctx context.Context, model tea.Model) (flow.Outcome, error) {
	f, o := s.f, s.o
	p := tea.NewProgram(model, programOptions(o)...)
	// The program is asked to end, not killed: it restores the terminal first.
	done := make(chan struct{})
	go func() {
		select {
		case <-ctx.Done():
			p.Send(interruptedMsg{})
		case <-done:
		}
	}()
	_, err := p.Run()
	close(done)
	if ctx.Err() != nil {
		s.kind = flow.Interrupted
	}
	if errors.Is(err, tea.ErrInterrupted) {
		s.kind, err = flow.Interrupted, nil
	}
	out := &writer{w: o.Output}
	s.settle(out)
	outcome := flow.Outcome{Kind: s.kind, End: *f.Stopped()}
	if e := f.Ended(); e != nil {
		outcome.End = *e
	}
	_ = f.Close()
	for _, l := range widget.Wrap(words.Say(s.printer(), outcome.Closing()), min(max(s.width, 40), 100)) {
		out.line(l)
	}
	switch {
	case s.crash != nil:
		return outcome, s.crash
	case err != nil:
		return outcome, fmt.Errorf("run the screens: %w", err)
	}
	return outcome, out.err
}

func programOptions(o Options) []tea.ProgramOption {
	list := []tea.ProgramOption{
		tea.WithInput(o.Input), tea.WithOutput(o.Output),
		// The command line has one place for signals: it ends ctx.
		tea.WithoutSignalHandler(),
		tea.WithFilter(countPlainly),
	}
	if o.Environ != nil {
		list = append(list, tea.WithEnvironment(o.Environ))
	}
	if o.Width > 0 {
		list = append(list, tea.WithWindowSize(o.Width, o.Height))
	}
	return list
}

// countPlainly drops the terminal's offer to count graphemes instead of
// characters: everything here is laid out in columns as wcwidth counts them, and
// ﾀﾞ is two.
func countPlainly(_ tea.Model, msg tea.Msg) tea.Msg {
	if m, ok := msg.(tea.ModeReportMsg); ok && m.Mode == ansi.ModeUnicodeCore {
		return nil
	}
	return msg
}

// settle waits for what still runs when the screen is gone.
func (s *shell) settle(out *writer) {
	if s.x.Writes() {
		out.line(words.Say(s.printer(), words.T("flow.plain.stopping")))
	}
	if crash := s.x.Settle(); s.crash == nil {
		s.crash = crash
	}
}

// writer keeps the first error of writing.
type writer struct {
	w   io.Writer
	err error
}

func (w *writer) line(s string) {
	if w.err == nil {
		_, w.err = io.WriteString(w.w, s+"\n")
	}
}
