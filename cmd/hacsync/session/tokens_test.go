package session

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/hacsync/hacsync/sync/problem"
)

// fickle are tokens that need a user until one signed in.
type fickle struct {
	mu    sync.Mutex
	fresh bool
	err   error
}

func (f *fickle) Token(context.Context, ...string) (string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fresh {
		return "new", nil
	}
	return "", f.err
}

func (f *fickle) Renew(ctx context.Context, _ string, scopes ...string) (string, error) {
	return f.Token(ctx, scopes...)
}

func TestAnswering_AsksOnceForAllWhoWait(t *testing.T) {
	f := &fickle{err: problem.New(problem.SecondFactor, nil)}
	asked := 0
	tokens := &answering{renewing: f, ask: func(context.Context, []string) error {
		asked++
		f.mu.Lock()
		f.fresh = true
		f.mu.Unlock()
		return nil
	}}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if token, err := tokens.Renew(t.Context(), `{"access_token":{}}`); err != nil || token != "new" {
				t.Errorf("%q, %v", token, err)
			}
		})
	}
	all.Wait()
	if asked != 1 {
		t.Errorf("asked %d times", asked)
	}
}

func TestAnswering_AsksNoUserForWhatASignInDoesNotCure(t *testing.T) {
	for _, c := range []struct {
		err     error
		patient bool
		claims  string
		want    bool
	}{
		{problem.New(problem.NoConnection, nil), true, `{"access_token":{}}`, false},
		{errors.New("a fault of our own"), true, `{"access_token":{}}`, false},
		{problem.New(problem.SessionRevoked, nil), false, "", false}, // no user is there
		{problem.New(problem.SessionRevoked, nil), true, "", true},
		{problem.New(problem.SignInAgain, nil), false, `{"access_token":{}}`, true},
		{problem.New(problem.ConsentMissing, nil), true, "", false},
	} {
		asked := false
		f := &fickle{err: c.err}
		tokens := &answering{renewing: f, patient: c.patient, ask: func(context.Context, []string) error {
			asked, f.fresh = true, true
			return nil
		}}
		_, err := tokens.Renew(t.Context(), c.claims)
		if asked != c.want || (err == nil) != c.want {
			t.Errorf("%v (patient: %v, claims %q): asked %v, %v", c.err, c.patient, c.claims, asked, err)
		}
	}
}

// counted are tokens that count how often they were renewed.
type counted struct {
	mu  sync.Mutex
	now string
	n   int
}

func (c *counted) Token(context.Context, ...string) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now, nil
}

func (c *counted) Renew(context.Context, string, ...string) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n++
	c.now = "renewed"
	return c.now, nil
}

func TestAnswering_ReplacesARefusedTokenOnceForAllWhoHadIt(t *testing.T) {
	c := &counted{now: "stale"}
	tokens := &answering{renewing: c}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if token, err := tokens.Replace(t.Context(), "stale", `{"access_token":{}}`); err != nil || token != "renewed" {
				t.Errorf("%q, %v", token, err)
			}
		})
	}
	all.Wait()
	if c.n != 1 {
		t.Errorf("renewed %d times", c.n)
	}
	if _, err := tokens.Replace(t.Context(), "renewed", `{"access_token":{}}`); err != nil || c.n != 2 {
		t.Errorf("the new one was refused too: renewed %d times, %v", c.n, err)
	}
}
