// Package tui is the wizard on a terminal: the program around the screens of
// tui/screen, which walk the steps of tui/flow.
package tui

import (
	"context"
	"errors"
	"fmt"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/hacsync/hacsync/tui/flow"
	"github.com/hacsync/hacsync/tui/screen"
)

// Options say where the screens are drawn and how.
type Options = screen.Options

// Run walks f on screen until the user quits or ctx ends. It waits until effects that
// write have come to a safe end, closes what was opened, and writes to Output what was
// done after the screen is gone. Its error is one of the terminal, or a flow.Crash.
func Run(ctx context.Context, f *flow.Flow, o Options) (flow.Outcome, error) {
	if o.Grace == 0 {
		o.Grace = 400 * time.Millisecond
	}
	s := screen.New(ctx, f, o)
	return run(ctx, s, s, o)
}

// run is Run with the model that the program gets, which is the shell itself.
func run(ctx context.Context, s *screen.Shell, model tea.Model, o Options) (flow.Outcome, error) {
	p := tea.NewProgram(model, programOptions(o)...)
	// The program is asked to end, not killed: it restores the terminal first.
	done := make(chan struct{})
	go func() {
		select {
		case <-ctx.Done():
			p.Send(screen.Interrupt{})
		case <-done:
		}
	}()
	_, err := p.Run()
	close(done)
	interrupted := errors.Is(err, tea.ErrInterrupted)
	outcome, late := s.End(o.Output, interrupted || ctx.Err() != nil)
	var crash *flow.Crash
	if err != nil && !interrupted && !errors.As(late, &crash) {
		late = fmt.Errorf("run the screens: %w", err)
	}
	return outcome, late
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
