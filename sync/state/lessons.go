package state

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/hacsync/hacsync/sync/problem"
)

// Lesson is what a read of a source teaches. It is kept with a dry run until the
// run's plan was applied, had nothing to apply, or was kept by a reviewer.
type Lesson struct {
	Domain string    `json:"domain"` // empty: the domain of the run
	Source string    `json:"source"`
	At     time.Time `json:"at,omitzero"`     // of the read; zero teaches nothing about users seen or absent
	Newest time.Time `json:"newest,omitzero"` // Last Login

	New    []string    `json:"new,omitempty"`    // Usernames that the read before lacked
	Gone   []string    `json:"gone,omitempty"`   // Usernames that this one lacks
	Logins []SeenLogin `json:"logins,omitempty"` // that changed, also of New

	Links  []Taught `json:"-"`                // new or changed ones
	Unlink []string `json:"unlink,omitempty"` // accounts whose link moved or was taken back
	Absent []string `json:"absent,omitempty"` // accounts without a row in this read
	Back   []string `json:"back,omitempty"`   // accounts with one again
	// Different are absent too if a reviewer called their people others than the rows
	// that were asked about. It is for the dry run, as Same of Taught is.
	Different []string `json:"different,omitempty"`

	Vouched   []string    `json:"vouched,omitempty"` // accounts that count as claimed from now on
	Added     []string    `json:"added,omitempty"`   // accounts that the ending run added
	Blocked   []string    `json:"blocked,omitempty"`
	Unblocked []string    `json:"unblocked,omitempty"`
	Answers   []AnswerKey `json:"answers,omitempty"` // that the run used up
	Begun     []AnswerKey `json:"begun,omitempty"`   // of which a part is still owed

	// TakesBack is the run that an ending undo undoes, 0 for none: all that it
	// taught is removed, and the answers that it used are asked for again.
	TakesBack int64 `json:"-"`
}

// SeenLogin is a Last Login that changed; zero means that it was emptied.
type SeenLogin struct {
	Username string    `json:"username"`
	At       time.Time `json:"at,omitzero"`
}

// Taught is an account with its link. The link's run is the one that ends. A zero
// Since becomes the time of the read; an account that had the same Source and
// Username before keeps its own.
//
// No, Same and From are for the dry run, which cannot know yet what its sync will
// do: No is the row that must be seen done, and Same means that a reviewer must
// have answered that account and row are one person. The caller that ends the run
// has checked both.
type Taught struct {
	Account string `json:"account"`
	Link
	No   int  `json:"no,omitempty"`
	Same bool `json:"same,omitempty"`
	// Asked: the Username, with its Last Login, counts as seen only together with
	// this link.
	Asked bool      `json:"asked,omitempty"`
	Login time.Time `json:"login,omitzero"`
	// From is the account that the Username was linked to before.
	From string `json:"from,omitempty"`
}

// SaveLesson stores what a dry run would teach; a second one replaces the first. It
// is removed together with the run's plan.
func (s *Store) SaveLesson(ctx context.Context, run int64, l Lesson) error {
	// The links of a first sync are as many as its accounts: they are written one
	// by one.
	packed, err := pack(func(w io.Writer) error {
		e := json.NewEncoder(w)
		if err := e.Encode(&l); err != nil {
			return err
		}
		for i := range l.Links {
			if err := e.Encode(&l.Links[i]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return s.write(ctx, "store what a run would teach", func(tx *sql.Tx) error {
		var is int
		if err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM run WHERE no = $1`, run).Scan(&is); err != nil {
			return err
		}
		if is == 0 {
			return runUnknown(run)
		}
		pieces, err := savePieces(ctx, tx, "lesson_piece", run, packed)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO lesson (run, pieces) VALUES ($1, $2)
			ON CONFLICT (run) DO UPDATE SET pieces = excluded.pieces`, run, pieces)
		return err
	})
}

// Lesson returns what a run would teach; nil if that is not known.
func (s *Store) Lesson(ctx context.Context, run int64) (*Lesson, error) {
	var (
		count  int64
		pieces [][]byte
	)
	err := s.read(ctx, "read what a run would teach", func(tx *sql.Tx) error {
		count, pieces = 0, nil
		err := tx.QueryRowContext(ctx, `SELECT pieces FROM lesson WHERE run = $1`, run).Scan(&count)
		if none(err) {
			return nil
		}
		if err != nil {
			return err
		}
		pieces, err = column[[]byte](ctx, tx, `SELECT data FROM lesson_piece WHERE run = $1 ORDER BY piece`, run)
		return err
	})
	if err != nil || count == 0 {
		return nil, err
	}
	l, err := unpackLesson(pieces, count)
	if err != nil {
		return nil, problem.Wrap(fmt.Errorf("lesson of run %d: %w", run, err), problem.StateDamaged,
			problem.Args{"state": s.URL()})
	}
	return l, nil
}

// Lesson is Store.Lesson for the holder of a claim: it waits for a server that is
// away at the end of a sync, so that what the sync taught is not lost.
func (c *Claim) Lesson(ctx context.Context, run int64) (*Lesson, error) {
	var l *Lesson
	// Reading the lesson of a large tenant takes longer than the time between
	// beats.
	err := c.throughAbsence(ctx, 4*c.store.attemptTime(), "read what a run would teach", func(ctx context.Context) (err error) {
		l, err = c.store.Lesson(ctx, run)
		return err
	})
	return l, err
}

func unpackLesson(pieces [][]byte, count int64) (*Lesson, error) {
	z, err := joined(pieces, count)
	if err != nil {
		return nil, err
	}
	var l Lesson
	d := json.NewDecoder(z)
	if err := d.Decode(&l); err != nil {
		return nil, err
	}
	for {
		var t Taught
		switch err := d.Decode(&t); {
		case errors.Is(err, io.EOF):
			return &l, nil
		case err != nil:
			return nil, err
		}
		l.Links = append(l.Links, t)
	}
}

// EndRun is UpdateRun that also learns, both or neither; l may be nil. A run
// teaches once: a second lesson of it changes nothing. A dry run that is done uses
// up the accepted sizes that it knew of, needed or not: later runs are compared
// with its numbers. A size that is accepted while it runs is left for the next one.
func (s *Store) EndRun(ctx context.Context, r Run, l *Lesson) error {
	return s.write(ctx, "end a run", func(tx *sql.Tx) error { return s.endRun(ctx, tx, r, l) })
}

// EndRun is Store.EndRun for the holder of the claim: it fails if the claim was
// lost.
func (c *Claim) EndRun(ctx context.Context, r Run, l *Lesson) error {
	// The first lesson of a large tenant takes a server longer than the time
	// between beats. No other process takes the claim meanwhile: its row is locked.
	limit := c.store.attemptTime()
	if l != nil {
		limit += time.Duration(len(l.Links)+len(l.New)) * 100 * time.Microsecond
	}
	return c.fencedWithin(ctx, limit, "end a run", func(tx *sql.Tx) error { return c.store.endRun(ctx, tx, r, l) })
}

func (s *Store) endRun(ctx context.Context, tx *sql.Tx, r Run, l *Lesson) error {
	if err := updateRun(ctx, tx, r); err != nil {
		return err
	}
	var tenant, domain string
	var kind RunKind
	if err := tx.QueryRowContext(ctx, `SELECT tenant, domain, kind FROM run WHERE no = $1`, r.No).
		Scan(&tenant, &domain, &kind); err != nil {
		return err
	}
	if kind == DryRun && r.State == Done {
		for side, users := range r.Sizes {
			if _, err := tx.ExecContext(ctx, `DELETE FROM accepted WHERE tenant = $1 AND domain = $2 AND side = $3 AND users = $4`,
				tenant, domain, side, users); err != nil {
				return err
			}
		}
	}
	if l == nil {
		return nil
	}
	if l.Domain != "" {
		domain = fold(l.Domain)
	}
	return s.learn(ctx, tx, learner{s, tx, r.No, tenant, domain}, l)
}

// learner writes what one run teaches.
type learner struct {
	*Store
	tx             *sql.Tx
	run            int64
	tenant, domain string
}

func (s *Store) learn(ctx context.Context, tx *sql.Tx, n learner, l *Lesson) error {
	if _, err := count(ctx, tx, "account"); err != nil { // takes turns, see learning
		return err
	}
	first, err := one(tx.ExecContext(ctx, `INSERT INTO taught (run, tenant, domain) VALUES ($1, $2, $3)
		ON CONFLICT (run) DO NOTHING`, n.run, n.tenant, n.domain))
	if err != nil || !first {
		return err
	}
	if l.TakesBack != 0 {
		if err := takeBack(ctx, tx, n.tenant, n.domain, l.TakesBack); err != nil {
			return err
		}
	}
	seen, err := s.seen(ctx, tx, n.tenant, n.domain)
	if err != nil {
		return err
	}
	if seen.learn(l) {
		if err := s.saveSeen(ctx, tx, n.tenant, n.domain, &seen); err != nil {
			return err
		}
	}
	for _, step := range []func(context.Context, *Lesson) error{n.keep, n.links, n.absences, n.marks} {
		if err := step(ctx, l); err != nil {
			return err
		}
	}
	const use = `UPDATE answer SET used = $5 WHERE tenant = $1 AND domain = $2 AND account = $3 AND candidate = $4 AND used `
	return cmp.Or(
		eachAnswer(ctx, tx, use+`<= 0`, n.tenant, n.domain, l.Answers, n.run),
		eachAnswer(ctx, tx, use+`= 0`, n.tenant, n.domain, l.Begun, -n.run),
	)
}

// keep stores the accounts as they are before the lesson.
func (n learner) keep(ctx context.Context, l *Lesson) error {
	// An account that is not known needs no row to go back to, except if it is
	// changed in place.
	for _, ids := range [][]string{l.Absent, l.Vouched} {
		if err := n.upsert(ctx, n.tx, "claimed", 0, n.tenant, n.domain, ids, `claimed = account.claimed`); err != nil {
			return err
		}
	}
	var any int
	if err := n.tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM (SELECT 1 FROM account WHERE tenant = $1 LIMIT 1) AS a`,
		n.tenant).Scan(&any); err != nil || any == 0 {
		return err
	}
	before := func(claimed string, ids []string) error {
		return n.among(ctx, n.tx, `INSERT INTO learnt (tenant, id, run, domain, source, username, words, since, taught,
			claimed, absent_first, absent_last, absent_days, absent_reads)
			SELECT tenant, id, CAST($1 AS BIGINT), domain, source, username, words, since, taught,
			`+claimed+`, absent_first, absent_last, absent_days, absent_reads
			FROM account WHERE tenant = $2 AND id IN `, ids, n.run, n.tenant)
	}
	vouched := map[string]bool{}
	for _, id := range unique(l.Vouched) {
		vouched[id] = true
	}
	others := slices.Concat(l.Unlink, l.Absent, l.Back)
	for i := range l.Links {
		others = append(others, l.Links[i].Account)
	}
	others = slices.DeleteFunc(unique(others), func(id string) bool { return vouched[id] })
	return cmp.Or(before("claimed", l.Vouched), before("-1", others))
}

func (n learner) links(ctx context.Context, l *Lesson) error {
	err := n.among(ctx, n.tx, `UPDATE account SET source = '', username = '', words = NULL, since = 0, taught = $1
		WHERE tenant = $2 AND username <> '' AND id IN `, l.Unlink, n.run, n.tenant)
	if err != nil {
		return err
	}
	at := l.At
	if at.IsZero() {
		at = n.clock.Now()
	}
	links := make([]*Taught, len(l.Links))
	for i := range links {
		links[i] = &l.Links[i]
	}
	slices.SortStableFunc(links, func(a, b *Taught) int { return cmp.Compare(clean(a.Account), clean(b.Account)) })
	values := make([][]any, 0, min(len(links), linkBatch))
	flush := func() error {
		// An account with a link has a row.
		_, err := n.insert(ctx, n.tx, `INSERT INTO account (tenant, id, domain, source, username, words, since, taught) VALUES `, values,
			` ON CONFLICT (tenant, id) DO UPDATE SET domain = excluded.domain,
			since = CASE WHEN account.source = excluded.source AND account.username = excluded.username
				THEN account.since ELSE excluded.since END,
			source = excluded.source, username = excluded.username, words = excluded.words, taught = excluded.taught,
			absent_first = 0, absent_last = 0, absent_days = 0, absent_reads = 0`)
		values = values[:0]
		return err
	}
	for i, t := range links {
		if t.Username == "" || i+1 < len(links) && clean(links[i+1].Account) == clean(t.Account) {
			continue // no link, or listed twice
		}
		since := t.Since
		if since.IsZero() {
			since = at
		}
		values = append(values, []any{
			n.tenant, clean(t.Account), n.domain, clean(t.Source), clean(t.Username), t.words(), nanos(since), n.run,
		})
		if len(values) == linkBatch {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	return flush()
}

// linkBatch is how many links are kept in memory for writing.
const linkBatch = 10_000

// absences counts each read once, in whatever order lessons come.
func (n learner) absences(ctx context.Context, l *Lesson) error {
	if l.At.IsZero() {
		return nil
	}
	at := nanos(l.At)
	err := n.among(ctx, n.tx, `UPDATE account SET
		absent_first = CASE WHEN absent_reads = 0 THEN $1 ELSE absent_first END,
		absent_days = absent_days + CASE WHEN absent_reads = 0 OR absent_last / 86400000000000 <> $2 THEN 1 ELSE 0 END,
		absent_reads = absent_reads + 1, absent_last = $1
		WHERE absent_last < $1 AND tenant = $3 AND id IN `, l.Absent, at, at/int64(24*time.Hour), n.tenant)
	if err != nil {
		return err
	}
	return n.among(ctx, n.tx, `UPDATE account SET absent_first = 0, absent_last = 0, absent_days = 0, absent_reads = 0
		WHERE absent_last <= $1 AND tenant = $2 AND id IN `, l.Back, at, n.tenant)
}

func (n learner) marks(ctx context.Context, l *Lesson) error {
	return cmp.Or(
		n.upsert(ctx, n.tx, "claimed", 1, n.tenant, n.domain, l.Vouched, `claimed = 1`),
		n.upsert(ctx, n.tx, "added", n.run, n.tenant, n.domain, l.Added, `added = excluded.added, domain = excluded.domain`),
		n.upsert(ctx, n.tx, "blocked", n.run, n.tenant, n.domain, l.Blocked, `blocked = excluded.blocked`),
		n.among(ctx, n.tx, `UPDATE account SET blocked = 0 WHERE tenant = $1 AND id IN `, l.Unblocked, n.tenant),
	)
}

// Forget removes what a run taught about links: each link that is still as the run
// left it gets its value from before, or is removed. It returns their number. If
// the run was pruned, the values from before are not known, so its links are
// removed.
func (s *Store) Forget(ctx context.Context, tenant, domain string, run int64) (int, error) {
	forgotten := 0
	err := s.learning(ctx, "forget links", func(tx *sql.Tx) error {
		var err error
		forgotten, err = forget(ctx, tx, clean(tenant), fold(domain), run)
		return err
	})
	return forgotten, err
}

func forget(ctx context.Context, tx *sql.Tx, tenant, domain string, run int64) (int, error) {
	var others int
	err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM taught WHERE run = $1 AND (tenant <> $2 OR domain <> $3)`,
		run, tenant, domain).Scan(&others)
	if err != nil || others > 0 {
		return 0, err
	}
	const none = `source = '', username = '', words = NULL, since = 0, taught = 0`
	const as = `source = b.source, username = b.username, words = b.words, since = b.since, taught = b.taught`
	forgotten := int64(0)
	for _, statement := range []struct {
		text string
		args []any
	}{
		// An account without a row in learnt was not known before.
		{`UPDATE account SET ` + none + ` WHERE tenant = $1 AND domain = $2 AND taught = $3 AND NOT EXISTS
			(SELECT 1 FROM learnt AS b WHERE b.tenant = account.tenant AND b.id = account.id AND b.run = $3)`, []any{tenant, domain, run}},
		{`UPDATE account SET domain = b.domain, ` + as + ` FROM learnt AS b
			WHERE account.tenant = $1 AND account.taught = $2
			AND b.tenant = account.tenant AND b.id = account.id AND b.run = $2`, []any{tenant, run}},
	} {
		r, err := tx.ExecContext(ctx, statement.text, statement.args...)
		if err != nil {
			return 0, err
		}
		n, err := r.RowsAffected()
		if err != nil {
			return 0, err
		}
		forgotten += n
	}
	// An undo of a later run must not bring it back either.
	for _, text := range []string{
		`UPDATE learnt SET ` + none + ` WHERE tenant = $1 AND taught = $2 AND NOT EXISTS
			(SELECT 1 FROM learnt AS b WHERE b.tenant = learnt.tenant AND b.id = learnt.id AND b.run = $2)`,
		`UPDATE learnt SET domain = b.domain, ` + as + ` FROM learnt AS b
			WHERE learnt.tenant = $1 AND learnt.taught = $2
			AND b.tenant = learnt.tenant AND b.id = learnt.id AND b.run = $2`,
	} {
		if _, err := tx.ExecContext(ctx, text, tenant, run); err != nil {
			return 0, err
		}
	}
	return int(forgotten), nil
}

// takeBack undoes what a run taught: what forget does, and also what the run
// claimed and counted as absent, unless a later run taught something about the
// account. The answers that it used are removed.
func takeBack(ctx context.Context, tx *sql.Tx, tenant, domain string, run int64) error {
	if _, err := forget(ctx, tx, tenant, domain, run); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `UPDATE account SET
		claimed = CASE WHEN b.claimed < 0 THEN account.claimed ELSE b.claimed END, absent_first = b.absent_first,
		absent_last = b.absent_last, absent_days = b.absent_days, absent_reads = b.absent_reads
		FROM learnt AS b WHERE b.run = $1 AND b.tenant = $2 AND account.tenant = b.tenant AND account.id = b.id
		AND NOT EXISTS (SELECT 1 FROM learnt AS later WHERE later.tenant = b.tenant AND later.id = b.id AND later.run > b.run)`,
		run, tenant); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `DELETE FROM answer WHERE tenant = $1 AND domain = $2 AND used IN ($3, $4)`, tenant, domain, run, -run)
	return err
}
