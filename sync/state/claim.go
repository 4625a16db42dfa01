package state

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"os"
	"sync"
	"time"

	"github.com/hacsync/hacsync/sync/problem"
)

// Claim is the right to write to one tenant's domain. Journal writes need it and
// fail with a problem once another holder has it.
//
// The right is a row (lease) with a token that counts the holders and a beat that
// the holder raises. Clocks of two machines are never compared: a process that
// wants the claim watches token and beat for a whole TTL by its own clock. A lock
// file proves at once that a holder on the same machine is dead. It proves nothing
// else, and without it everything still works by the beats.
type Claim struct {
	store  *Store
	name   string
	tenant string
	domain string
	token  int64
	lock   *lockFile // nil: other processes cannot prove this holder's death
	stop   context.CancelFunc
	ended  chan struct{} // closed when the beats have stopped
	lost   chan struct{}

	mu       sync.Mutex
	last     time.Time // when the last committed beat was begun
	isLost   bool
	released bool
	givenUp  bool // the state was away for longer than the claim waits
}

// holder is the data of a lease: who holds it, to be shown, and on which machine
// under which lock, as proof of death.
type holder struct {
	Who     string `json:"who"`
	Machine string `json:"machine,omitempty"`
	Proof   string `json:"proof,omitempty"` // in the lock file that it holds
	PID     int    `json:"pid,omitempty"`
}

func readHolder(text string) holder {
	var h holder
	if json.Unmarshal([]byte(text), &h) != nil {
		h.Who = text
	}
	return h
}

// lease is a row of the table. A missing row has token 0 and counts as free.
type lease struct {
	token, beat int64
	holder      string
}

func (l lease) free() bool { return l.holder == "" }

// watch is the time since which this process has seen a lease unchanged.
type watch struct {
	lease lease
	since time.Time
}

// The statements that take a claim and keep it. In the one that takes it, $3 and $4
// are token and beat of a lease that is proven dead or was unchanged for a whole
// TTL, else -1.
const (
	readLease = `SELECT token, beat, holder FROM lease WHERE name = $1`
	takeLease = `INSERT INTO lease (name, token, beat, holder) VALUES ($1, 1, 0, $2)
		ON CONFLICT (name) DO UPDATE SET token = lease.token + 1, beat = 0, holder = excluded.holder
		WHERE lease.holder = '' OR (lease.token = $3 AND lease.beat = $4) RETURNING token`
	beatLease = `UPDATE lease SET beat = beat + 1 WHERE name = $1 AND token = $2 AND holder <> ''`
	freeLease = `UPDATE lease SET holder = '' WHERE name = $1 AND token = $2`
)

func leaseName(tenant, domain string) string { return clean(tenant) + "/" + fold(domain) }

// Take takes the claim on a tenant's domain for holder (host, process, and user)
// and keeps it alive with a beat every 5 s until Release or Close. The end of ctx
// ends only the waiting: an interrupted caller has requests under way that the
// claim still guards.
//
// A live holder gives problem.DomainBusy with its name. A dead one on this machine
// is recognised at once by its lock file, another after a TTL of 60 s, for which
// Take waits if wait is true.
//
// Without wait, the watching goes on between calls: a worker that calls again after
// a TTL and finds the lease unchanged takes it.
func (s *Store) Take(ctx context.Context, tenant, domain, holder string, wait bool) (*Claim, error) {
	return s.takeLease(ctx, &taker{
		store: s, name: leaseName(tenant, domain), who: clean(holder), tenant: clean(tenant), domain: fold(domain),
	}, wait)
}

// takeLease takes the claim that t describes.
func (s *Store) takeLease(ctx context.Context, t *taker, wait bool) (*Claim, error) {
	if t.who == "" {
		t.who = "hacsync"
	}
	first := true
	for {
		c, seen, err := t.try(ctx)
		if errors.Is(err, ErrNoSeat) {
			return nil, err
		}
		if err != nil {
			return nil, s.explain(ctx, "take the claim", err)
		}
		if c != nil {
			c.tenant, c.domain = t.tenant, t.domain
			s.forget(t.name)
			c.start(ctx)
			return c, nil
		}
		// Another process holds it. If it beat while we waited, it is alive.
		beats := !first && seen != t.seen && !t.patient
		if beats || !wait {
			return nil, problem.New(problem.DomainBusy, problem.Args{
				"domain": t.domain, "holder": readHolder(seen.holder).Who,
			})
		}
		first, t.seen = false, seen
		if err := s.clock.Sleep(ctx, s.pace.beat/2); err != nil {
			return nil, s.explain(ctx, "wait for the claim", err)
		}
	}
}

// taker is one attempt to take a claim, with the lease it saw last.
type taker struct {
	store          *Store
	name, who      string
	tenant, domain string
	seats          int  // of the tenant, 0 for any number
	patient        bool // also waits for a live holder
	seen           lease
}

// For how long a lock that should be free is tried again: another process may be
// testing it, or may have freed the lease and not yet the lock.
const (
	lockTries = 10
	lockPause = 20 * time.Millisecond
)

// try takes the claim if it is free, or its holder is dead or was silent for a TTL;
// else it returns the lease of the other holder.
func (t *taker) try(ctx context.Context) (*Claim, lease, error) {
	s := t.store
	var lock *lockFile
	defer func() { lock.unlock() }()
	for i := 0; ; i++ {
		l, err := s.lease(ctx, t.name)
		if err != nil {
			return nil, l, err
		}
		expect, expectable := lease{token: -1, beat: -1}, l.free()
		h := readHolder(l.holder)
		here := h.Machine == s.machine && h.Proof != ""
		if lock == nil && (l.free() || here) {
			if lock, err = s.lock(t.name); err != nil {
				return nil, l, err
			}
		}
		switch {
		case l.free():
		case here && lock != nil && lock.proof == h.Proof:
			// We hold the lock that this holder held for its life.
			expect, expectable = l, true
		case s.silent(t.name, l):
			expect, expectable = l, true
		}
		lockless := lock == nil && s.lockDir != ""
		if lockless && (here || l.free()) && i < lockTries && !s.silent(t.name, l) {
			if err := s.clock.Sleep(ctx, lockPause); err != nil {
				return nil, l, err
			}
			continue
		}
		if !expectable {
			return nil, l, nil
		}
		c, err := t.take(ctx, lock, expect)
		if err != nil {
			return nil, l, err
		}
		if c != nil {
			lock = nil // it is the claim's now
			return c, l, nil
		}
		// Another process was quicker: look at its lease.
		if i >= lockTries {
			l, err := s.lease(ctx, t.name)
			return nil, l, err
		}
	}
}

// take runs the one statement that decides. nil without an error means that another
// process was quicker.
func (t *taker) take(ctx context.Context, lock *lockFile, expect lease) (*Claim, error) {
	s := t.store
	h := holder{Who: t.who, PID: os.Getpid()}
	if lock != nil && lock.proof != "" {
		h.Machine, h.Proof = s.machine, lock.proof
	}
	text, err := json.Marshal(h)
	if err != nil {
		return nil, err
	}
	begun := s.clock.Now()
	var token int64
	err = s.write(ctx, "take the claim", func(tx *sql.Tx) error {
		if free, err := t.seated(ctx, tx); err != nil || !free {
			return cmp.Or(err, ErrNoSeat)
		}
		return tx.QueryRowContext(ctx, takeLease, t.name, string(text), expect.token, expect.beat).Scan(&token)
	})
	if none(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &Claim{store: s, name: t.name, token: token, lock: lock, last: begun, lost: make(chan struct{})}, nil
}

// lease reads the row of a claim.
func (s *Store) lease(ctx context.Context, name string) (lease, error) {
	var l lease
	err := s.read(ctx, "read the claim", func(tx *sql.Tx) error {
		err := tx.QueryRowContext(ctx, readLease, name).Scan(&l.token, &l.beat, &l.holder)
		if none(err) {
			l = lease{}
			return nil
		}
		return err
	})
	return l, err
}

// silent notes a lease that another process holds, and reports whether this process
// has seen it unchanged for a whole TTL.
func (s *Store) silent(name string, l lease) bool {
	s.watchedMu.Lock()
	defer s.watchedMu.Unlock()
	now := s.clock.Now()
	if l.free() {
		delete(s.watched, name)
		return false
	}
	w, is := s.watched[name]
	if !is || w.lease != l {
		s.watched[name] = watch{lease: l, since: now}
		return false
	}
	return now.Sub(w.since) >= s.pace.ttl
}

func (s *Store) forget(name string) {
	s.watchedMu.Lock()
	defer s.watchedMu.Unlock()
	delete(s.watched, name)
}

// start begins the beats.
func (c *Claim) start(ctx context.Context) {
	ctx, c.stop = context.WithCancel(context.WithoutCancel(ctx))
	c.ended = make(chan struct{})
	c.store.claims.Store(c, struct{}{})
	go func() {
		defer close(c.ended)
		for c.store.clock.Sleep(ctx, c.store.pace.beat) == nil {
			err := c.beat(ctx)
			if problem.Has(err, problem.ClaimLost) {
				return
			}
			if err != nil && ctx.Err() == nil {
				c.store.log.WarnContext(ctx, "no beat", "claim", c.name, "err", err)
			}
		}
	}()
}

// beat raises the beat once. An attempt that takes longer than the time between
// beats is given up.
func (c *Claim) beat(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, c.store.pace.fresh)
	defer cancel()
	return c.fenced(ctx, "beat", func(*sql.Tx) error { return nil })
}

// fenced runs f in a transaction that begins with a beat and that commits only
// while the claim is held.
func (c *Claim) fenced(ctx context.Context, doing string, f func(*sql.Tx) error) error {
	return c.fencedWithin(ctx, c.store.attemptTime(), doing, f)
}

// fencedWithin is fenced with another limit for one attempt.
func (c *Claim) fencedWithin(ctx context.Context, limit time.Duration, doing string, f func(*sql.Tx) error) error {
	c.mu.Lock()
	over := c.isLost || c.released
	c.mu.Unlock()
	if over {
		return c.lostProblem("")
	}
	var begun time.Time
	gone := errors.New("the lease has another token")
	err := c.throughAbsence(ctx, limit, doing, func(ctx context.Context) error {
		return c.store.write(ctx, doing, func(tx *sql.Tx) error {
			begun = c.store.clock.Now()
			held, err := one(tx.ExecContext(ctx, beatLease, c.name, c.token))
			if err != nil {
				return err
			}
			if !held {
				return problem.Wrap(gone, problem.ClaimLost, nil)
			}
			return f(tx)
		})
	})
	if errors.Is(err, gone) {
		c.lose()
		l, _ := c.store.lease(ctx, c.name)
		return c.lostProblem(readHolder(l.holder).Who)
	}
	if err == nil {
		c.mu.Lock()
		if begun.After(c.last) {
			c.last = begun
		}
		c.mu.Unlock()
	}
	return err
}

func (c *Claim) lostProblem(holder string) error {
	return problem.New(problem.ClaimLost, problem.Args{"domain": c.domain, "holder": holder})
}

func (c *Claim) lose() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.isLost {
		c.isLost = true
		close(c.lost)
	}
}

// Held reports whether the last committed beat is younger than 15 s. Callers send
// nothing otherwise.
func (c *Claim) Held() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.store.clock.Now()
	// The monotonic clock does not run while a machine sleeps, and the wall clock
	// can be set: the longer of the two times counts.
	age := max(now.Sub(c.last), now.Round(0).Sub(c.last.Round(0)))
	return !c.isLost && !c.released && age < c.store.pace.fresh
}

// Lost returns a channel that is closed when another holder was seen.
func (c *Claim) Lost() <-chan struct{} { return c.lost }

// Release gives the claim back. Afterwards the claim writes nothing more. Releasing
// it again, or after it was lost, is no error.
func (c *Claim) Release(ctx context.Context) error {
	c.mu.Lock()
	again := c.released
	c.released = true
	c.mu.Unlock()
	if again {
		return nil
	}
	c.stop()
	<-c.ended
	c.store.claims.Delete(c)
	// Another process may take the lease as soon as it is free; the lock follows at
	// once. If freeing the lease fails, the free lock still proves that this holder
	// is gone.
	defer c.lock.unlock()
	// An interrupted caller releases as well.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	return c.store.write(ctx, "release the claim", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, freeLease, c.name, c.token)
		return err
	})
}

// abandon stops the beats and releases the lock, as the end of the process would; the
// lease is kept as it is.
func (c *Claim) abandon() {
	c.mu.Lock()
	over := c.released
	c.released = true
	c.mu.Unlock()
	if over {
		return
	}
	c.stop()
	<-c.ended
	c.lock.unlock()
}

// Alive reports whether a live claim is held on a tenant's domain, and by which
// holder. A holder whose death is not proven counts as alive until this process has
// seen it silent for a TTL.
func (s *Store) Alive(ctx context.Context, tenant, domain string) (holder string, alive bool, err error) {
	name := leaseName(tenant, domain)
	l, err := s.lease(ctx, name)
	if err != nil || l.free() {
		return "", false, err
	}
	h := readHolder(l.holder)
	if h.Machine == s.machine && h.Proof != "" && s.unlocked(name, h.Proof) {
		return h.Who, false, nil
	}
	return h.Who, !s.silent(name, l), nil
}

// UpdateRun is Store.UpdateRun for the holder of the claim. It fails if the claim
// was lost, so that a process that slept does not end a run that another process
// resumed.
func (c *Claim) UpdateRun(ctx context.Context, r Run) error {
	return c.fenced(ctx, "update a run", func(tx *sql.Tx) error { return updateRun(ctx, tx, r) })
}
