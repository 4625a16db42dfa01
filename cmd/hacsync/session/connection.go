package session

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/hacsync/hacsync/sync/consent"
	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/problem"
)

// connection is the open connection: one goroutine may save or sign in while others
// read it. Slices and pointers in it are replaced, never changed in place.
type connection struct {
	mu    sync.Mutex
	c     consent.Connection
	saved atomic.Bool // it is saved for the next start
}

func (c *connection) get() consent.Connection {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.c
}

func (c *connection) change(f func(*consent.Connection)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f(&c.c)
}

// name names a connection that has no name: by the first label of the tenant's
// initial domain.
func (c *connection) name() {
	c.change(func(c *consent.Connection) {
		if c.Name == "" {
			c.Name = firstLabel(c.Initial)
		}
	})
}

func firstLabel(domain string) string {
	label, _, _ := strings.Cut(domain, ".")
	return label
}

// signedIn adds an account that signed in; it reports whether the account was new.
func (c *connection) signedIn(id directory.ID) (fresh bool) {
	c.change(func(c *consent.Connection) {
		if fresh = !slices.Contains(c.SignedIn, id); fresh {
			c.SignedIn = append(slices.Clone(c.SignedIn), id)
		}
	})
	return fresh
}

// errForgotten: the saved data was removed while it was in use; it is not saved
// again.
var errForgotten = errors.New("forgotten meanwhile")

// stored changes the saved data of the connection, if it still exists.
func (s *Session) stored(ctx context.Context, change func(*consent.Connection)) error {
	is := s.Connection()
	return s.Store.ChangeConnection(ctx, is.Name, func(c *consent.Connection) error {
		if c.Tenant != is.Tenant {
			return errForgotten
		}
		change(c)
		return nil
	})
}

// SignedIn adds an account that signed in for the connection in addition to the
// connection's user: such accounts are never changed.
func (s *Session) SignedIn(ctx context.Context, who consent.Account) error {
	if who.ID == "" || !s.connected.signedIn(who.ID) {
		return nil
	}
	// A connection that is not saved yet is saved with its list later. If no user
	// had signed in to the tenant, the application is saved already.
	err := s.stored(ctx, func(c *consent.Connection) { c.SignedIn = append(c.SignedIn, who.ID) })
	if errors.Is(err, errForgotten) {
		return nil
	}
	return err
}

// own refuses a name that saved data of another tenant has.
func (s *Session) own(ctx context.Context, c consent.Connection) error {
	saved, err := s.Store.Connection(ctx, c.Name)
	switch {
	case err == nil && saved.Tenant != c.Tenant:
		return problem.New(problem.NameTaken, problem.Args{"connection": c.Name, "tenant": saved.TenantName})
	case problem.Has(err, problem.NoSavedData):
		return nil
	}
	return err
}
