package main

import (
	"context"
	"errors"
	"io"
	"strings"

	"github.com/hacsync/hacsync/sync/problem"
)

// ask writes a question on stderr and reads one line from the terminal. It ends
// when ctx does, so that ctrl+c stops it too.
func (a *app) ask(ctx context.Context, question string) (string, error) {
	_, _ = io.WriteString(a.err, flowed(a.err, question)+" ")
	type read struct {
		line string
		err  error
	}
	got := make(chan read, 1)
	// The goroutine may outlive the question: nothing can interrupt a read from
	// a terminal. The program ends then.
	go func() {
		line, err := a.answers.ReadString('\n')
		got <- read{line, err}
	}()
	select {
	case <-ctx.Done():
		a.tell("")
		return "", ctx.Err()
	case r := <-got:
		if r.err != nil && (r.line == "" || !errors.Is(r.err, io.EOF)) {
			a.tell("")
			return "", problem.Wrap(r.err, problem.LeftUnanswered, nil)
		}
		return strings.TrimSpace(r.line), nil
	}
}
