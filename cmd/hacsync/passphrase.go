package main

import (
	"context"
	"io"

	"golang.org/x/term"

	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/secret"
)

// passphraseAsker asks for the passphrase on the terminal; nil if no user can be
// asked.
func (a *app) passphraseAsker() func(context.Context, secret.Question) (secret.Text, error) {
	if !a.terminal || a.quiet {
		return nil
	}
	return a.askPassphrase
}

// askPassphrase asks without echo, twice for the first passphrase of a state: with
// a typing error in that one, no user could open the data again.
func (a *app) askPassphrase(ctx context.Context, q secret.Question) (secret.Text, error) {
	if q.Wrong {
		a.tell(a.text("passphrase.wrong", nil))
	}
	if !q.First {
		return a.readHidden(ctx, a.text("passphrase.question", nil))
	}
	a.tell(a.text("passphrase.first", nil))
	one, err := a.readHidden(ctx, a.text("passphrase.new", nil))
	if err != nil || one.Empty() {
		return one, err
	}
	two, err := a.readHidden(ctx, a.text("passphrase.again", nil))
	if err != nil {
		return two, err
	}
	if one.Reveal() != two.Reveal() {
		return secret.Text{}, problem.New(problem.PassphraseDiffers, nil)
	}
	return one, nil
}

// hiddenLine reads a line that the terminal does not show; nil if there is no
// terminal.
func (a *app) hiddenLine(ctx context.Context) func() (string, error) {
	if !a.terminal {
		return nil
	}
	return func() (string, error) {
		t, err := a.readHidden(ctx, "")
		return t.Reveal(), err
	}
}

// readHidden reads one line from the terminal, which does not show it. It ends
// when ctx does, and leaves the terminal as it was.
func (a *app) readHidden(ctx context.Context, question string) (secret.Text, error) {
	fd := int(a.in.Fd())
	was, err := term.GetState(fd)
	if err != nil {
		return secret.Text{}, problem.Wrap(err, problem.LeftUnanswered, nil)
	}
	if question != "" {
		_, _ = io.WriteString(a.err, flowed(a.err, question)+" ")
	}
	type read struct {
		line []byte
		err  error
	}
	got := make(chan read, 1)
	go func() {
		line, err := term.ReadPassword(fd)
		got <- read{line, err}
	}()
	select {
	case <-ctx.Done():
		_ = term.Restore(fd, was)
		a.tell("")
		return secret.Text{}, context.Cause(ctx)
	case r := <-got:
		a.tell("")
		if r.err != nil {
			return secret.Text{}, problem.Wrap(r.err, problem.LeftUnanswered, nil)
		}
		return secret.NewText(string(r.line)), nil
	}
}
