package state

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/problem"
)

// Settings returns a domain's settings by key.
func (s *Store) Settings(ctx context.Context, tenant, domain string) (map[string]string, error) {
	all := map[string]string{}
	err := s.read(ctx, "read settings", func(tx *sql.Tx) error {
		pairs, err := rows(ctx, tx, func(scan func(...any) error) (p [2]string, err error) {
			err = scan(&p[0], &p[1])
			return p, err
		}, `SELECT key, value FROM setting WHERE tenant = $1 AND domain = $2`, clean(tenant), fold(domain))
		for _, p := range pairs {
			all[p[0]] = p[1]
		}
		return err
	})
	return all, err
}

// SetSettings stores the given settings; an empty value removes the key. It stores
// all or none.
func (s *Store) SetSettings(ctx context.Context, tenant, domain string, kv map[string]string) error {
	return s.write(ctx, "store settings", func(tx *sql.Tx) error {
		for k, v := range kv {
			var err error
			if v == "" {
				_, err = tx.ExecContext(ctx, `DELETE FROM setting WHERE tenant = $1 AND domain = $2 AND key = $3`,
					clean(tenant), fold(domain), clean(k))
			} else {
				_, err = tx.ExecContext(ctx, `INSERT INTO setting (tenant, domain, key, value) VALUES ($1, $2, $3, $4)
					ON CONFLICT (tenant, domain, key) DO UPDATE SET value = excluded.value`,
					clean(tenant), fold(domain), clean(k), clean(v))
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// Domains returns the domains of a tenant that have settings or a run, in order of
// their names.
func (s *Store) Domains(ctx context.Context, tenant string) ([]string, error) {
	var all []string
	err := s.read(ctx, "list domains", func(tx *sql.Tx) error {
		var err error
		all, err = column[string](ctx, tx, `SELECT domain FROM setting WHERE tenant = $1
			UNION SELECT domain FROM run WHERE tenant = $1`, clean(tenant))
		return err
	})
	slices.Sort(all)
	return all, err
}

// Decision is a decision of a reviewer; Data belongs to the planner.
type Decision struct {
	ID   int64
	Key  string // object ID or what else identifies it; unique in a domain
	Data json.RawMessage
}

// Decisions returns those of a domain, oldest first.
func (s *Store) Decisions(ctx context.Context, tenant, domain string) ([]Decision, error) {
	var all []Decision
	err := s.read(ctx, "list decisions", func(tx *sql.Tx) error {
		var err error
		all, err = rows(ctx, tx, func(scan func(...any) error) (d Decision, err error) {
			var data string
			err = scan(&d.ID, &d.Key, &data)
			d.Data = raw(data)
			return d, err
		}, `SELECT id, key, data FROM decision WHERE tenant = $1 AND domain = $2 ORDER BY id`, clean(tenant), fold(domain))
		return err
	})
	return all, err
}

// ChangeDecisions stores decisions and deletes those of some keys, all or none. One
// that is stored replaces that of the same key, which keeps its ID.
func (s *Store) ChangeDecisions(ctx context.Context, tenant, domain string, save []Decision, remove []string) error {
	if len(save)+len(remove) == 0 {
		return nil
	}
	return s.write(ctx, "store decisions", func(tx *sql.Tx) error {
		for _, key := range remove {
			if _, err := tx.ExecContext(ctx, `DELETE FROM decision WHERE tenant = $1 AND domain = $2 AND key = $3`,
				clean(tenant), fold(domain), clean(key)); err != nil {
				return err
			}
		}
		for _, d := range save {
			is, err := one(tx.ExecContext(ctx, `UPDATE decision SET data = $1 WHERE tenant = $2 AND domain = $3 AND key = $4`,
				string(d.Data), clean(tenant), fold(domain), clean(d.Key)))
			if err != nil {
				return err
			}
			if is {
				continue
			}
			id, err := count(ctx, tx, "decision")
			if err != nil {
				return err
			}
			// Another process may have stored the key between the two statements.
			if _, err := tx.ExecContext(ctx, `INSERT INTO decision (id, tenant, domain, key, data) VALUES ($1, $2, $3, $4, $5)
				ON CONFLICT (tenant, domain, key) DO UPDATE SET data = excluded.data`,
				id, clean(tenant), fold(domain), clean(d.Key), string(d.Data)); err != nil {
				return err
			}
		}
		return nil
	})
}

// Known returns, for on_empty = clear-known, which attributes had a value for each
// source key. Remember adds to it.
func (s *Store) Known(ctx context.Context, tenant, domain string) (map[string][]string, error) {
	all := map[string][]string{}
	err := s.read(ctx, "read what the source held", func(tx *sql.Tx) error {
		return s.known(ctx, tx, tenant, domain, all)
	})
	return all, err
}

func (s *Store) known(ctx context.Context, tx *sql.Tx, tenant, domain string, into map[string][]string) error {
	pairs, err := rows(ctx, tx, func(scan func(...any) error) (p [2]string, err error) {
		err = scan(&p[0], &p[1])
		return p, err
	}, `SELECT key, attributes FROM known WHERE tenant = $1 AND domain = $2`, clean(tenant), fold(domain))
	if err != nil {
		return err
	}
	for _, p := range pairs {
		var names []string
		if err := json.Unmarshal([]byte(p[1]), &names); err != nil {
			return problem.Wrap(fmt.Errorf("attributes of a known key: %w", err), problem.StateDamaged,
				problem.Args{"state": s.URL()})
		}
		into[p[0]] = names
	}
	return nil
}

// Remember adds to Known.
func (s *Store) Remember(ctx context.Context, tenant, domain string, known map[string][]string) error {
	// Mostly nothing is new: this is found out without a lock that keeps others
	// from writing.
	have, err := s.Known(ctx, tenant, domain)
	if err != nil || len(added(have, known)) == 0 {
		return err
	}
	return s.write(ctx, "remember what the source held", func(tx *sql.Tx) error {
		have := map[string][]string{}
		if err := s.known(ctx, tx, tenant, domain, have); err != nil {
			return err
		}
		var values [][]any
		for key, names := range added(have, known) {
			text, err := json.Marshal(names)
			if err != nil {
				return err
			}
			values = append(values, []any{clean(tenant), fold(domain), key, string(text)})
		}
		_, err := s.insert(ctx, tx, `INSERT INTO known (tenant, domain, key, attributes) VALUES `, values,
			` ON CONFLICT (tenant, domain, key) DO UPDATE SET attributes = excluded.attributes`)
		return err
	})
}

// added returns the keys of which more is known than is stored, with all that is
// known.
func added(have, known map[string][]string) map[string][]string {
	more := map[string][]string{}
	for key, names := range known {
		key = clean(key)
		merged := slices.Compact(slices.Sorted(slices.Values(slices.Concat(have[key], more[key], names))))
		if len(merged) > len(have[key]) {
			more[key] = merged
		}
	}
	return more
}

// insert writes many rows with few statements and returns the number of rows it
// changed. SQLite has no round trips, and it looks up each parameter among all of
// its statement: so parameters are named by number, and few at a time. PostgreSQL
// takes up to 65,535.
func (s *Store) insert(ctx context.Context, tx *sql.Tx, head string, values [][]any, tail string) (int64, error) {
	if len(values) == 0 {
		return 0, nil
	}
	parameters := 10_000
	if s.dialect.sqlite {
		parameters = 100
	}
	columns := len(values[0])
	full := max(1, parameters/columns)
	var prepared *sql.Stmt // of a full statement
	if len(values) > full {
		var err error
		if prepared, err = tx.PrepareContext(ctx, s.inserting(head, full, columns, tail)); err != nil {
			return 0, err
		}
		defer func() { _ = prepared.Close() }()
	}
	var touched int64
	for chunk := range slices.Chunk(values, full) {
		args := make([]any, 0, len(chunk)*columns)
		for _, row := range chunk {
			args = append(args, row...)
		}
		var r sql.Result
		var err error
		if prepared != nil && len(chunk) == full {
			r, err = prepared.ExecContext(ctx, args...)
		} else {
			r, err = tx.ExecContext(ctx, s.inserting(head, len(chunk), columns, tail), args...)
		}
		if err != nil {
			return touched, err
		}
		n, err := r.RowsAffected()
		if err != nil {
			return touched, err
		}
		touched += n
	}
	return touched, nil
}

// inserting returns the statement for a number of rows.
func (s *Store) inserting(head string, rows, columns int, tail string) string {
	var b strings.Builder
	b.WriteString(head)
	for i := range rows * columns {
		switch {
		case i == 0:
			b.WriteByte('(')
		case i%columns == 0:
			b.WriteString("),(")
		default:
			b.WriteByte(',')
		}
		if s.dialect.sqlite {
			b.WriteByte('?')
		} else {
			fmt.Fprintf(&b, "$%d", i+1)
		}
	}
	b.WriteByte(')')
	b.WriteString(tail)
	return b.String()
}

// fold returns a domain as it is stored: Entra ID ignores case.
func fold(domain string) string { return directory.FoldUPN(clean(domain)) }

// raw returns a stored JSON text, nil for an empty one.
func raw(text string) json.RawMessage {
	if text == "" {
		return nil
	}
	return json.RawMessage(text)
}
