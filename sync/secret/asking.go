package secret

import (
	"context"
	"strconv"
	"sync"
	"time"

	"github.com/hacsync/hacsync/sync/problem"
)

const (
	// slow is the time after which the user is informed that the program waits for
	// the keyring.
	slow = 2 * time.Second
	// enough is the time after which a keyring counts as not answering: a stale
	// session bus, or a question in a window that the user does not see.
	enough = 30 * time.Second
)

type waitKey struct{}

// OnWait makes said be called when the keyring is waited for: with true when it has
// not answered at once, with false when that is over. It may be called from any
// goroutine.
func OnWait(ctx context.Context, said func(waits bool)) context.Context {
	return context.WithValue(ctx, waitKey{}, said)
}

// asked is a keyring that may show a question, takes no context, and may never
// answer.
type asked struct {
	ring ring

	mu     sync.Mutex
	silent bool // a call has had no answer yet
}

// answer is the result of a call to the keyring.
type answer struct {
	text string
	err  error
}

// ask calls the keyring. One that does not answer is a problem, and later calls
// fail at once until it has answered: otherwise every call would wait as long.
func (a *asked) ask(ctx context.Context, call func(ring) (string, error)) (string, error) {
	unanswered := problem.New(problem.KeyringSilent, problem.Args{"seconds": strconv.Itoa(int(enough.Seconds()))})
	a.mu.Lock()
	silent := a.silent
	a.mu.Unlock()
	if silent {
		return "", unanswered
	}
	done := make(chan answer, 1)
	go func() {
		text, err := call(a.ring)
		a.mu.Lock()
		defer a.mu.Unlock()
		done <- answer{text, err}
		a.silent = false
	}()
	said := func(bool) {}
	defer func() { said(false) }()
	told, end := time.NewTimer(slow), time.NewTimer(enough)
	defer told.Stop()
	defer end.Stop()
	for {
		select {
		case got := <-done:
			return got.text, got.err
		case <-ctx.Done():
			return "", context.Cause(ctx)
		case <-told.C:
			if f, ok := ctx.Value(waitKey{}).(func(bool)); ok {
				said = f
				said(true)
			}
		case <-end.C:
			if got, ok := a.giveUp(done); ok {
				return got.text, got.err
			}
			return "", unanswered
		}
	}
}

// giveUp marks the keyring as not answering, unless it just answered.
func (a *asked) giveUp(done <-chan answer) (got answer, answered bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	select {
	case got = <-done:
		return got, true
	default:
		a.silent = true
		return got, false
	}
}
