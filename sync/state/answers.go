package state

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"time"
)

// AnswerKey is what was asked: whether an account and a row of the source are one
// person. Row is a Username, or "upn:" and the folded UPN.
type AnswerKey struct {
	Account string `json:"account"`
	Row     string `json:"row"`
}

// Answer is a reviewer's answer.
type Answer struct {
	AnswerKey
	Answer string    // same, different, not-now
	Basis  string    // what the answer rests on: if it changes, the question is asked again
	By     string    // the user who answered
	At     time.Time // zero is now
	Used   int64     // the run that acted by it; 0: it is open; negative: that run did a part
}

// Answers returns all answers of a domain, used ones included, in order of account
// and row.
func (s *Store) Answers(ctx context.Context, tenant, domain string) ([]Answer, error) {
	var all []Answer
	err := s.read(ctx, "read answers", func(tx *sql.Tx) error {
		var err error
		all, err = rows(ctx, tx, func(scan func(...any) error) (a Answer, err error) {
			var at int64
			err = scan(&a.Account, &a.Row, &a.Answer, &a.Basis, &a.By, &at, &a.Used)
			a.At = moment(at)
			return a, err
		}, `SELECT account, candidate, answer, basis, answered_by, answered, used FROM answer
			WHERE tenant = $1 AND domain = $2`, clean(tenant), fold(domain))
		return err
	})
	// A database sorts by the rules of its own language setting.
	slices.SortFunc(all, func(a, b Answer) int {
		return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.Row, b.Row))
	})
	return all, err
}

// SaveAnswers stores answers. Each replaces one of the same key, also a used one.
func (s *Store) SaveAnswers(ctx context.Context, tenant, domain string, as []Answer) error {
	return s.write(ctx, "store answers", func(tx *sql.Tx) error {
		for _, a := range as {
			if a.At.IsZero() {
				a.At = s.clock.Now()
			}
			if _, err := tx.ExecContext(ctx, `INSERT INTO answer
				(tenant, domain, account, candidate, answer, basis, answered_by, answered, used)
				VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
				ON CONFLICT (tenant, domain, account, candidate) DO UPDATE SET answer = excluded.answer,
				basis = excluded.basis, answered_by = excluded.answered_by, answered = excluded.answered, used = excluded.used`,
				clean(tenant), fold(domain), clean(a.Account), clean(a.Row), clean(a.Answer), clean(a.Basis), clean(a.By),
				nanos(a.At), a.Used); err != nil {
				return err
			}
		}
		return nil
	})
}

// RemoveAnswers deletes answers.
func (s *Store) RemoveAnswers(ctx context.Context, tenant, domain string, keys []AnswerKey) error {
	return s.write(ctx, "take answers back", func(tx *sql.Tx) error {
		return eachAnswer(ctx, tx, `DELETE FROM answer WHERE tenant = $1 AND domain = $2 AND account = $3 AND candidate = $4`,
			clean(tenant), fold(domain), keys)
	})
}

func eachAnswer(ctx context.Context, tx *sql.Tx, statement, tenant, domain string, keys []AnswerKey, more ...any) error {
	for _, k := range keys {
		args := append([]any{tenant, domain, clean(k.Account), clean(k.Row)}, more...)
		if _, err := tx.ExecContext(ctx, statement, args...); err != nil {
			return err
		}
	}
	return nil
}

// AcceptSize stores that a reviewer accepts this number of users for a side (source
// or destination). It holds until a dry run of the domain that began after it is
// done.
func (s *Store) AcceptSize(ctx context.Context, tenant, domain, side string, users int, by string) error {
	return s.write(ctx, "accept a size", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO accepted (tenant, domain, side, users, accepted_by, accepted)
			VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (tenant, domain, side) DO UPDATE SET users = excluded.users,
			accepted_by = excluded.accepted_by, accepted = excluded.accepted`,
			clean(tenant), fold(domain), clean(side), users, clean(by), nanos(s.clock.Now()))
		return err
	})
}

// Accepted returns the accepted sizes, by side.
func (s *Store) Accepted(ctx context.Context, tenant, domain string) (map[string]int, error) {
	all := map[string]int{}
	err := s.read(ctx, "read accepted sizes", func(tx *sql.Tx) error {
		type size struct {
			side  string
			users int
		}
		sizes, err := rows(ctx, tx, func(scan func(...any) error) (a size, err error) {
			err = scan(&a.side, &a.users)
			return a, err
		}, `SELECT side, users FROM accepted WHERE tenant = $1 AND domain = $2`, clean(tenant), fold(domain))
		for _, a := range sizes {
			all[a.side] = a.users
		}
		return err
	})
	return all, err
}
