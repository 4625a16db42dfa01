package state

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hacsync/hacsync/sync/problem"
)

// Link pairs an account with a user of the source, with the values that the row had
// when it was learnt.
type Link struct {
	Source      string    `json:"source,omitempty"`
	Username    string    `json:"username,omitempty"`
	Given       string    `json:"given,omitempty"`
	Family      string    `json:"family,omitempty"`
	Display     string    `json:"display,omitempty"`
	UPN         string    `json:"upn,omitempty"`
	ImmutableID string    `json:"immutable_id,omitempty"`
	Since       time.Time `json:"since,omitzero"` // first learnt
	Run         int64     `json:"run,omitempty"`  // the run that learnt the present values
}

// Absence counts the reads in which a linked account had no row.
type Absence struct {
	First time.Time `json:"first,omitzero"`
	Last  time.Time `json:"last,omitzero"`
	Days  int       `json:"days,omitempty"` // distinct days, in UTC
	Reads int       `json:"reads,omitempty"`
}

// Account is what the state knows of one account of a tenant.
type Account struct {
	ID     string
	Domain string // the domain whose run learnt it
	Link   Link   // zero: none
	// Claimed means that the account may be deleted although it has no link: a
	// reviewer said so, or the last plan from before there were links matched it.
	Claimed bool
	Absent  Absence // zero: it has a row
	// Added and Blocked are the run that added it and the run that blocked its sign-in,
	// as the run saw them done; 0 for none. Users see them; plans rest on Touched, which
	// also has what was written and not yet seen.
	Added, Blocked int64
	Enabled        time.Time
}

// accountColumns are few, because each of them costs time for each of a million
// accounts: values that most accounts lack are together in one text.
const accountColumns = `id, domain, source, username, words, since, taught,
	CASE WHEN claimed <> 0 OR absent_reads <> 0 OR added <> 0 OR blocked <> 0 OR enabled <> 0 THEN
		claimed || ' ' || absent_first || ' ' || absent_last || ' ' || absent_days || ' ' || absent_reads
		|| ' ' || added || ' ' || blocked || ' ' || enabled END`

// accountScan reads rows of the table. It keeps one copy of the texts that all rows
// share.
type accountScan struct{ domain, source string }

func (k *accountScan) row(scan func(...any) error) (Account, error) {
	var (
		a                            Account
		domain, source, words, marks sql.RawBytes
		since                        int64
	)
	if err := scan(&a.ID, &domain, &source, &a.Link.Username, &words, &since, &a.Link.Run, &marks); err != nil {
		return a, err
	}
	a.Domain = same(&k.domain, domain)
	if a.Link.Username == "" {
		a.Link = Link{}
	} else {
		a.Link.Source, a.Link.Since = same(&k.source, source), moment(since)
		if !a.Link.unpack(words) {
			return a, fmt.Errorf("the link of account %s is damaged", a.ID)
		}
	}
	err := a.mark(marks)
	return a, err
}

// mark reads what else is known of an account, numbers between spaces.
func (a *Account) mark(text []byte) error {
	if len(text) == 0 {
		return nil
	}
	var claimed, first, last, days, reads, enabled int64
	numbers := []*int64{&claimed, &first, &last, &days, &reads, &a.Added, &a.Blocked, &enabled}
	for i, word := range bytes.Split(text, []byte(" ")) {
		n, err := strconv.ParseInt(string(word), 10, 64)
		if err != nil {
			return err
		}
		*numbers[i] = n
	}
	a.Claimed, a.Enabled = claimed != 0, moment(enabled)
	a.Absent = Absence{First: moment(first), Last: moment(last), Days: int(days), Reads: int(reads)}
	return nil
}

// same returns text as a string, reusing *last, which mostly is equal.
func same(last *string, text []byte) string {
	if *last != string(text) {
		*last = string(text)
	}
	return *last
}

func (a *Account) known() bool {
	return a.Link.Username != "" || a.Claimed || a.Absent.Reads > 0 || a.Added > 0 || a.Blocked > 0 || !a.Enabled.IsZero()
}

// words packs a link's names and keys, each after its length. It is one value
// instead of five columns, because a million of them are read for every plan.
func (l *Link) words() []byte {
	b := make([]byte, 0, 64)
	for _, s := range []string{l.Given, l.Family, l.Display, l.UPN, l.ImmutableID} {
		b = binary.AppendUvarint(b, uint64(len(s)))
		b = append(b, s...)
	}
	return b
}

func (l *Link) unpack(words []byte) bool {
	text := string(words)
	for _, into := range []*string{&l.Given, &l.Family, &l.Display, &l.UPN, &l.ImmutableID} {
		n, size := binary.Uvarint(words)
		if size <= 0 || n > uint64(len(words)-size) {
			return false
		}
		*into = text[size : size+int(n)]
		words, text = words[size+int(n):], text[size+int(n):]
	}
	return len(words) == 0
}

// EachAccount calls f with each account of a domain, in no order, until f returns
// an error. It stores nothing in memory. f may read the state but not write it.
func (s *Store) EachAccount(ctx context.Context, tenant, domain string, f func(Account) error) error {
	return s.eachAccount(ctx, `tenant = $1 AND domain = $2`, []any{clean(tenant), fold(domain)}, f)
}

func (s *Store) eachAccount(ctx context.Context, which string, args []any, f func(Account) error) error {
	var stopped error
	err := s.read(ctx, "read accounts", func(tx *sql.Tx) error {
		r, err := tx.QueryContext(ctx, `SELECT `+accountColumns+` FROM account WHERE `+which, args...)
		if err != nil {
			return err
		}
		defer r.Close()
		var k accountScan
		given := false
		for r.Next() && stopped == nil {
			a, err := k.row(r.Scan)
			if err != nil {
				return problem.Wrap(err, problem.StateDamaged, problem.Args{"state": s.URL()})
			}
			if a.known() {
				given, stopped = true, f(a)
			}
		}
		// Reading again from the beginning would pass some accounts to f twice.
		if err := r.Err(); err != nil && given && busy(err) {
			stopped = s.explain(ctx, "read accounts", err)
			return nil
		}
		return r.Err()
	})
	return errors.Join(stopped, err)
}

// Accounts returns all that EachAccount passes to its function.
func (s *Store) Accounts(ctx context.Context, tenant, domain string) ([]Account, error) {
	var all []Account
	err := s.EachAccount(ctx, tenant, domain, func(a Account) error {
		all = append(all, a)
		return nil
	})
	return all, err
}

// AccountsOf returns what is known of the accounts with the given IDs, of any
// domain.
func (s *Store) AccountsOf(ctx context.Context, tenant string, ids []string) (map[string]Account, error) {
	all := map[string]Account{}
	for some := range slices.Chunk(unique(ids), s.idsAtOnce()) {
		marks, args := listed(some, clean(tenant))
		err := s.eachAccount(ctx, `tenant = $1 AND id IN `+marks, args, func(a Account) error {
			all[a.ID] = a
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

// SeenEnabled notes that accounts were enabled at a time: they are no longer
// blocked by hacsync. A time earlier than the known one changes nothing.
func (s *Store) SeenEnabled(ctx context.Context, tenant string, ids []string, at time.Time) error {
	return s.learning(ctx, "note enabled accounts", func(tx *sql.Tx) error {
		return s.upsert(ctx, tx, "enabled", nanos(at), tenant, "", ids,
			`blocked = CASE WHEN excluded.enabled > account.enabled THEN 0 ELSE account.blocked END,
			enabled = CASE WHEN excluded.enabled > account.enabled THEN excluded.enabled ELSE account.enabled END`)
	})
}

// Vouch notes that accounts may be deleted although they have no link.
func (s *Store) Vouch(ctx context.Context, tenant, domain string, ids []string) error {
	return s.learning(ctx, "vouch for accounts", func(tx *sql.Tx) error {
		return s.upsert(ctx, tx, "claimed", 1, tenant, domain, ids, `claimed = 1`)
	})
}

// Vouched reports whether SetVouched was called for the domain.
func (s *Store) Vouched(ctx context.Context, tenant, domain string) (bool, error) {
	var n int
	err := s.read(ctx, "read what is vouched for", func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM vouched WHERE tenant = $1 AND domain = $2`,
			clean(tenant), fold(domain)).Scan(&n)
	})
	return n > 0, err
}

// SetVouched notes that Vouch was called for the accounts that the domain's plans
// matched before there were links. This is done once.
func (s *Store) SetVouched(ctx context.Context, tenant, domain string) error {
	return s.write(ctx, "note what is vouched for", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO vouched (tenant, domain, at) VALUES ($1, $2, $3)
			ON CONFLICT (tenant, domain) DO NOTHING`, clean(tenant), fold(domain), nanos(s.clock.Now()))
		return err
	})
}

// DropLinks forgets accounts that were permanently deleted, with all that was
// learnt of them: an object ID is never used again.
func (s *Store) DropLinks(ctx context.Context, tenant string, ids []string) error {
	return s.learning(ctx, "forget accounts that are gone", func(tx *sql.Tx) error {
		for _, table := range []string{"account", "learnt", "touched"} {
			if err := s.among(ctx, tx, `DELETE FROM `+table+` WHERE tenant = $1 AND id IN `, ids, clean(tenant)); err != nil {
				return err
			}
		}
		return nil
	})
}

// learning runs a write to accounts. Such writes take turns: two that wrote the
// same rows in different order would block each other.
func (s *Store) learning(ctx context.Context, doing string, f func(*sql.Tx) error) error {
	return s.write(ctx, doing, func(tx *sql.Tx) error {
		if _, err := count(ctx, tx, "account"); err != nil {
			return err
		}
		return f(tx)
	})
}

// upsert sets one column of accounts to value, or runs else_ for rows that exist.
func (s *Store) upsert(ctx context.Context, tx *sql.Tx, column string, value int64, tenant, domain string, ids []string, else_ string) error {
	ids = unique(ids)
	values := make([][]any, len(ids))
	tenant, domain = clean(tenant), fold(domain)
	for i, id := range ids {
		values[i] = []any{tenant, id, domain, value}
	}
	_, err := s.insert(ctx, tx, `INSERT INTO account (tenant, id, domain, `+column+`) VALUES `, values,
		` ON CONFLICT (tenant, id) DO UPDATE SET `+else_)
	return err
}

// unique returns IDs in the form in which they are stored, sorted, without
// duplicates.
func unique(ids []string) []string {
	all := make([]string, len(ids))
	for i, id := range ids {
		all[i] = clean(id)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// idsAtOnce is how many IDs one statement names; see insert.
func (s *Store) idsAtOnce() int {
	if s.dialect.sqlite {
		return 200
	}
	return 10_000
}

// listed returns the placeholders for a list of IDs, after other arguments.
func listed(ids []string, args ...any) (string, []any) {
	var b strings.Builder
	b.WriteByte('(')
	for i, id := range ids {
		if i > 0 {
			b.WriteByte(',')
		}
		args = append(args, id)
		fmt.Fprintf(&b, "$%d", len(args))
	}
	b.WriteByte(')')
	return b.String(), args
}

// among runs a statement that ends in a list of IDs, for a part of the IDs at a
// time.
func (s *Store) among(ctx context.Context, tx *sql.Tx, statement string, ids []string, args ...any) error {
	for some := range slices.Chunk(unique(ids), s.idsAtOnce()) {
		marks, args := listed(some, args...)
		if _, err := tx.ExecContext(ctx, statement+marks, args...); err != nil {
			return err
		}
	}
	return nil
}
