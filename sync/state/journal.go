package state

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/problem"
)

// EntryState is how far a journal row came: none, sent, written, seen, differs,
// refused or conflict.
type EntryState string

// The states of a journal row.
const (
	None     EntryState = "none"     // intended, not sent, or proven to have had no effect
	Sent     EntryState = "sent"     // in flight, or its outcome is unknown
	Written  EntryState = "written"  // the destination accepted it
	Seen     EntryState = "seen"     // read back and equal
	Differs  EntryState = "differs"  // read back and different, after the lag window
	Rejected EntryState = "refused"  // the destination refused it
	Conflict EntryState = "conflict" // settled: another writer changed it meanwhile
)

// Entry is one row of the journal: one step of one action of one run.
type Entry struct {
	Run          int64
	Action, Step int
	Attempt      int
	State        EntryState
	Kind         Kind
	Verb         Verb
	Object       directory.Ref
	// Before and After are the values the step changes, Seen what was read back.
	Before, After, Seen Image
	// Unread: an image of the row does not decode, or its verb is unknown, so what it did
	// to the account is unknown. Reading sets it.
	Unread bool
	// Intended, Answered and SeenAt are the store's clock; Server is the
	// destination's: the newest that was known at the intent, then that of the
	// answer.
	Intended, Answered, SeenAt, Server time.Time
	// Problem is the JSON of a problem with its upstream error, if there was one.
	Problem json.RawMessage
	// Token is that of the claim that wrote the row last; reading fills it in.
	Token int64
}

// Took reports whether the destination took the request of a row.
func (e *Entry) Took() bool { return e.State == Written || e.State == Seen }

// When is the time of a row: the destination's, which all machines share, else that
// of the machine that wrote it.
func (e *Entry) When() time.Time {
	switch {
	case !e.Server.IsZero():
		return e.Server
	case !e.Answered.IsZero():
		return e.Answered
	}
	return e.Intended
}

func (e *Entry) key() [3]int64 { return [3]int64{e.Run, int64(e.Action), int64(e.Step)} }

const entryColumns = `run, action, step, tenant, domain, token, attempt, state, kind, verb, object,
	before_image, after_image, seen_image, intended, answered, seen_at, server, problem`

// values returns an entry's columns in the order of entryColumns.
func (c *Claim) values(e Entry) ([]any, error) {
	object := ""
	if e.Object != (directory.Ref{}) {
		text, err := json.Marshal(e.Object)
		if err != nil {
			return nil, err
		}
		object = string(text)
	}
	return []any{
		e.Run, e.Action, e.Step, c.tenant, c.domain, c.token, e.Attempt, string(e.State), clean(string(e.Kind)), clean(string(e.Verb)),
		object, clean(e.Before.text()), clean(e.After.text()), clean(e.Seen.text()),
		nanos(e.Intended), nanos(e.Answered), nanos(e.SeenAt), nanos(e.Server), clean(string(e.Problem)),
	}, nil
}

// Intend writes rows before their request is sent, with state Sent. It is one
// transaction, which fails if the claim was lost. A zero Intended becomes now. A
// row that is Written or Seen already must not be sent again: that is a bug and
// returns an error.
func (c *Claim) Intend(ctx context.Context, rows []Entry) error {
	now := c.store.clock.Now()
	return c.record(ctx, "write intents", rows, func(e *Entry) {
		e.State = Sent
		if e.Intended.IsZero() {
			e.Intended = now
		}
		e.Answered, e.SeenAt, e.Seen, e.Problem = time.Time{}, time.Time{}, nil, nil
	}, intend, false)
}

// For rows of an Intend that exist already: a retry, or a resumed run.
const intend = ` ON CONFLICT (run, action, step) DO UPDATE SET
	token = excluded.token, attempt = excluded.attempt, state = excluded.state,
	kind = excluded.kind, verb = excluded.verb, object = excluded.object,
	before_image = excluded.before_image, after_image = excluded.after_image, seen_image = '',
	intended = excluded.intended, answered = 0, seen_at = 0, server = excluded.server, problem = ''
	WHERE journal.state NOT IN ('written', 'seen')`

// Settle writes the outcomes of rows. It is one transaction, which fails if the
// claim was lost. Fields that are zero keep the stored value, except State and
// Problem, which are always replaced. A zero Answered becomes now with the first
// outcome (any state but Sent), a zero SeenAt becomes now for Seen and Differs. A
// row that was never intended is inserted, without the time of an intent: nothing
// was sent for it. What the rows say of their accounts is kept with them, see
// Touched.
func (c *Claim) Settle(ctx context.Context, rows []Entry) error {
	now := c.store.clock.Now()
	return c.record(ctx, "write outcomes", rows, func(e *Entry) {
		if e.Answered.IsZero() && e.State != Sent {
			e.Answered = now
		}
		if e.SeenAt.IsZero() && (e.State == Seen || e.State == Differs) {
			e.SeenAt = now
		}
	}, fmt.Sprintf(settle, nanos(now)), true)
}

// Numbers and texts that an outcome leaves empty keep the stored value. The one
// formatted value is now: as the time of an answer it is only a guess, so a time
// that the row has is better.
const settle = ` ON CONFLICT (run, action, step) DO UPDATE SET
	token = excluded.token, state = excluded.state, problem = excluded.problem,
	attempt = CASE WHEN excluded.attempt = 0 THEN journal.attempt ELSE excluded.attempt END,
	kind = CASE WHEN excluded.kind = '' THEN journal.kind ELSE excluded.kind END,
	verb = CASE WHEN excluded.verb = '' THEN journal.verb ELSE excluded.verb END,
	object = CASE WHEN excluded.object = '' THEN journal.object ELSE excluded.object END,
	before_image = CASE WHEN excluded.before_image = '' THEN journal.before_image ELSE excluded.before_image END,
	after_image = CASE WHEN excluded.after_image = '' THEN journal.after_image ELSE excluded.after_image END,
	seen_image = CASE WHEN excluded.seen_image = '' THEN journal.seen_image ELSE excluded.seen_image END,
	intended = CASE WHEN journal.intended <> 0 THEN journal.intended ELSE excluded.intended END,
	answered = CASE WHEN excluded.answered = 0 THEN journal.answered
		WHEN excluded.answered = %d AND journal.answered <> 0 THEN journal.answered ELSE excluded.answered END,
	seen_at = CASE WHEN excluded.seen_at = 0 THEN journal.seen_at ELSE excluded.seen_at END,
	server = CASE WHEN excluded.server = 0 THEN journal.server ELSE excluded.server END`

// record upserts rows in one fenced transaction; outcomes are followed by the table
// of touched accounts.
func (c *Claim) record(
	ctx context.Context, doing string, entries []Entry, prepare func(*Entry), conflict string, outcomes bool,
) error {
	if len(entries) == 0 {
		return nil
	}
	runs, keys := map[int64]bool{}, map[[3]int64]bool{}
	values := make([][]any, 0, len(entries))
	for _, e := range entries {
		if keys[e.key()] {
			return ourMistake("journal row %d.%d.%d twice in one batch", e.Run, e.Action, e.Step)
		}
		keys[e.key()] = true
		prepare(&e)
		row, err := c.values(e)
		if err != nil {
			return err
		}
		values = append(values, row)
		runs[e.Run] = true
	}
	return c.fenced(ctx, doing, func(tx *sql.Tx) error {
		for run := range runs {
			var ours int64
			err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM run WHERE no = $1 AND tenant = $2 AND domain = $3`,
				run, c.tenant, c.domain).Scan(&ours)
			if err != nil {
				return err
			}
			if ours == 0 {
				return ourMistake("a journal row of run %d under the claim %s", run, c.name)
			}
		}
		w := touches{c.store, tx, c.tenant}
		var was map[[3]int64]bool
		if outcomes {
			var err error
			if was, err = w.taken(ctx, entries); err != nil {
				return err
			}
		}
		n, err := c.store.insert(ctx, tx, `INSERT INTO journal (`+entryColumns+`) VALUES `, values, conflict)
		if err != nil {
			return err
		}
		if n != int64(len(values)) {
			return ourMistake("%d of %d journal rows of run %d were already written", int64(len(values))-n, len(values), entries[0].Run)
		}
		if outcomes {
			return w.follow(ctx, entries, was)
		}
		return nil
	})
}

func ourMistake(format string, args ...any) error {
	return problem.New(problem.Internal, problem.Args{"what": fmt.Sprintf(format, args...)})
}

var errObject = errors.New("object of a journal row")

func scanEntry(scan func(...any) error) (Entry, error) {
	var (
		e                                  Entry
		tenant, domain                     string
		object, before, after, seen, why   string
		intended, answered, seenAt, server int64
	)
	err := scan(&e.Run, &e.Action, &e.Step, &tenant, &domain, &e.Token, &e.Attempt, &e.State, &e.Kind, &e.Verb,
		&object, &before, &after, &seen, &intended, &answered, &seenAt, &server, &why)
	if err != nil {
		return e, err
	}
	if object != "" {
		if err := json.Unmarshal([]byte(object), &e.Object); err != nil {
			return e, errors.Join(errObject, err)
		}
	}
	e.Problem, e.Unread = raw(why), !e.Verb.known()
	for _, image := range [...]struct {
		text string
		into *Image
	}{{before, &e.Before}, {after, &e.After}, {seen, &e.Seen}} {
		var ok bool
		*image.into, ok = imageOf(image.text)
		e.Unread = e.Unread || !ok
	}
	e.Intended, e.Answered, e.SeenAt, e.Server = moment(intended), moment(answered), moment(seenAt), moment(server)
	return e, nil
}

// Journal returns a run's rows in order of action and step.
func (s *Store) Journal(ctx context.Context, run int64) ([]Entry, error) {
	return s.entries(ctx, `run = $1 ORDER BY action, step`, run)
}

// JournalSince returns the rows of all runs of a tenant (domain may be empty for
// all) that were answered at or after t, oldest first.
func (s *Store) JournalSince(ctx context.Context, tenant, domain string, t time.Time) ([]Entry, error) {
	where := []string{`tenant = $1`, `answered >= $2`, `answered > 0`}
	args := []any{clean(tenant), nanos(t)}
	if domain != "" {
		where = append(where, `domain = $3`)
		args = append(args, fold(domain))
	}
	return s.entries(ctx, strings.Join(where, ` AND `)+` ORDER BY answered, run, action, step`, args...)
}

// Recent returns the rows of a tenant that the destination took after t, by its own
// clock if it told its time, in order of run, action and step.
func (s *Store) Recent(ctx context.Context, tenant string, t time.Time) ([]Entry, error) {
	return s.entries(ctx, `tenant = $1 AND (server > $2 OR server = 0 AND answered > $2) AND state IN ('written', 'seen')
		ORDER BY run, action, step`, clean(tenant), nanos(t))
}

// Deletions returns how many accounts of a tenant hacsync deleted at or after t, by
// the clock of the machine that did.
func (s *Store) Deletions(ctx context.Context, tenant string, t time.Time) (int, error) {
	n := 0
	err := s.read(ctx, "count deletions", func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM journal WHERE tenant = $1 AND answered >= $2 AND answered > 0
			AND verb = $3 AND state IN ('written', 'seen')`, clean(tenant), nanos(t), string(VerbDelete)).Scan(&n)
	})
	return n, err
}

// Unanswered returns the rows of all runs of a tenant's domain that were sent and
// whose outcome is not known, in order of run, action and step.
func (s *Store) Unanswered(ctx context.Context, tenant, domain string) ([]Entry, error) {
	return s.entries(ctx, `tenant = $1 AND domain = $2 AND answered = 0 AND state = 'sent' ORDER BY run, action, step`,
		clean(tenant), fold(domain))
}

func (s *Store) entries(ctx context.Context, which string, args ...any) ([]Entry, error) {
	var all []Entry
	err := s.read(ctx, "read the journal", func(tx *sql.Tx) error {
		var err error
		all, err = rows(ctx, tx, scanEntry, `SELECT `+entryColumns+` FROM journal WHERE `+which, args...)
		return err
	})
	return all, err
}
