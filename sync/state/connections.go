package state

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/hacsync/hacsync/sync/consent"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/secret"
)

// Connections returns the saved connections, last used first.
func (s *Store) Connections(ctx context.Context) ([]consent.Connection, error) {
	var all []consent.Connection
	err := s.read(ctx, "list connections", func(tx *sql.Tx) error {
		var err error
		all, err = rows(ctx, tx, func(scan func(...any) error) (consent.Connection, error) {
			var data string
			if err := scan(&data); err != nil {
				return consent.Connection{}, err
			}
			return s.connection(data)
		}, `SELECT data FROM connection ORDER BY last_used DESC, name`)
		return err
	})
	return all, err
}

// connection decodes a stored connection.
func (s *Store) connection(data string) (consent.Connection, error) {
	var c consent.Connection
	if err := json.Unmarshal([]byte(data), &c); err != nil {
		return c, problem.Wrap(err, problem.StateDamaged, problem.Args{"state": s.URL()})
	}
	return c, nil
}

// Connection returns the one of a name. An empty name returns the only one there
// is, or a problem that lists them.
func (s *Store) Connection(ctx context.Context, name string) (consent.Connection, error) {
	all, err := s.Connections(ctx)
	if err != nil {
		return consent.Connection{}, err
	}
	if name == "" && len(all) == 1 {
		return all[0], nil
	}
	if name == "" && len(all) > 1 {
		names := make([]string, 0, len(all))
		for _, c := range all {
			names = append(names, c.Name)
		}
		return consent.Connection{}, problem.New(problem.WhichConnection,
			problem.Args{"connections": strings.Join(names, ", ")})
	}
	for _, c := range all {
		if name != "" && c.Name == name {
			return c, nil
		}
	}
	return consent.Connection{}, problem.New(problem.NoSavedData, problem.Args{"connection": name})
}

// SaveConnection stores a connection under its name, replacing it. The accounts
// that signed in for it before, in the same tenant, stay in its list: they are
// never changed, and a caller that forgot them would remove that protection.
func (s *Store) SaveConnection(ctx context.Context, c consent.Connection) error {
	return s.ChangeConnection(ctx, c.Name, func(stored *consent.Connection) error {
		c.Name = stored.Name
		*stored = c
		return nil
	})
}

// ChangeConnection changes a stored connection in one transaction, so that no other
// process writes between its reading and its writing: another process may have
// renewed a certificate meanwhile. change gets the stored one, or one with a name
// alone; if it returns an error, nothing changes. The accounts that signed in
// before stay in the list.
func (s *Store) ChangeConnection(ctx context.Context, name string, change func(*consent.Connection) error) error {
	if name == "" {
		return errors.New("a connection needs a name")
	}
	name = clean(name)
	return s.write(ctx, "save the connection", func(tx *sql.Tx) error {
		// An update that changes nothing locks the row in either database.
		if _, err := tx.ExecContext(ctx, `UPDATE connection SET name = name WHERE name = $1`, name); err != nil {
			return err
		}
		var data string
		err := tx.QueryRowContext(ctx, `SELECT data FROM connection WHERE name = $1`, name).Scan(&data)
		if err != nil && !none(err) {
			return err
		}
		c := consent.Connection{Name: name}
		var old consent.Connection
		if err == nil {
			if old, err = s.connection(data); err != nil {
				return err
			}
			c = old
			c.SignedIn = slices.Clone(old.SignedIn)
		}
		if err := change(&c); err != nil {
			return err
		}
		c.Name = name
		if old.Tenant == c.Tenant {
			for _, id := range old.SignedIn {
				if !slices.Contains(c.SignedIn, id) {
					c.SignedIn = append(slices.Clone(c.SignedIn), id)
				}
			}
		}
		text, err := json.Marshal(c)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO connection (name, tenant, last_used, data) VALUES ($1, $2, $3, $4)
			ON CONFLICT (name) DO UPDATE SET tenant = excluded.tenant, last_used = excluded.last_used, data = excluded.data`,
			c.Name, clean(c.Tenant), nanos(c.LastUsed), string(text))
		return err
	})
}

// ForgetConnection removes a connection and every sealed row of it, and pauses the
// periodic syncs that used it: a worker that has its token already writes no
// further batch. Runs stay. A name that does not exist is a problem.
func (s *Store) ForgetConnection(ctx context.Context, name string) error {
	for {
		err := s.forgetConnection(ctx, name)
		if !stale(err) || ctx.Err() != nil { // else a worker ended an interval meanwhile
			return err
		}
	}
}

func (s *Store) forgetConnection(ctx context.Context, name string) error {
	gone := problem.New(problem.NoSavedData, problem.Args{"connection": name})
	if name == "" {
		return gone
	}
	return s.write(ctx, "forget the connection", func(tx *sql.Tx) error {
		served, err := rows(ctx, tx, s.scanPeriodic, `SELECT `+periodicColumns+` FROM periodic WHERE connection = $1`, clean(name))
		if err != nil {
			return err
		}
		for _, p := range served {
			if p.State != Enabled && !p.comesBack() {
				continue
			}
			p.pause(s.clock.Now(), "", gone)
			if err := savePeriodic(ctx, tx, p); err != nil {
				return err
			}
		}
		was, err := one(tx.ExecContext(ctx, `DELETE FROM connection WHERE name = $1`, clean(name)))
		if err != nil {
			return err
		}
		// Sealed rows come first when a sign-in is saved, so they may be there
		// without their connection.
		rowsToo, err := one(tx.ExecContext(ctx, `DELETE FROM sealed WHERE connection = $1`, clean(name)))
		if err != nil {
			return err
		}
		if !was && !rowsToo {
			return gone
		}
		return nil
	})
}

// Sealed reads a sealed row. version is 0 if there is none. Rows with an empty
// connection belong to the state itself.
func (s *Store) Sealed(ctx context.Context, connection, name string) (sealed []byte, version int64, err error) {
	err = s.read(ctx, "read a sealed row", func(tx *sql.Tx) error {
		err := tx.QueryRowContext(ctx, `SELECT data, version FROM sealed WHERE connection = $1 AND name = $2`,
			clean(connection), clean(name)).Scan(&sealed, &version)
		if none(err) {
			sealed, version = nil, 0
			return nil
		}
		return err
	})
	return sealed, version, err
}

// SaveSealed replaces a sealed row if its version is still the one read (0: it must
// not exist). Otherwise it returns ErrStale.
func (s *Store) SaveSealed(ctx context.Context, connection, name string, sealed []byte, version int64) error {
	return s.write(ctx, "save a sealed row", func(tx *sql.Tx) error {
		next, err := count(ctx, tx, "sealed")
		if err != nil {
			return err
		}
		if sealed == nil {
			sealed = []byte{}
		}
		var saved bool
		if version == 0 {
			saved, err = one(tx.ExecContext(ctx, `INSERT INTO sealed (connection, name, version, data)
				VALUES ($1, $2, $3, $4) ON CONFLICT (connection, name) DO NOTHING`,
				clean(connection), clean(name), next, sealed))
		} else {
			saved, err = one(tx.ExecContext(ctx, `UPDATE sealed SET version = $1, data = $2
				WHERE connection = $3 AND name = $4 AND version = $5`,
				next, sealed, clean(connection), clean(name), version))
		}
		if err != nil {
			return err
		}
		if !saved {
			return ErrStale
		}
		return nil
	})
}

// RemoveSealed removes a sealed row if its version is still the one read. Otherwise
// it returns ErrStale.
func (s *Store) RemoveSealed(ctx context.Context, connection, name string, version int64) error {
	return s.write(ctx, "remove a sealed row", func(tx *sql.Tx) error {
		removed, err := one(tx.ExecContext(ctx, `DELETE FROM sealed WHERE connection = $1 AND name = $2 AND version = $3`,
			clean(connection), clean(name), version))
		if err == nil && !removed {
			return ErrStale
		}
		return err
	})
}

// ChangeSealed replaces rows of a connection, all or none. It returns ErrStale if a
// row has another version than the change names, or if the connection has a row
// that no change names.
func (s *Store) ChangeSealed(ctx context.Context, connection string, changes []secret.Change) error {
	connection = clean(connection)
	return s.write(ctx, "change sealed rows", func(tx *sql.Tx) error {
		for _, c := range changes {
			next, err := count(ctx, tx, "sealed")
			if err != nil {
				return err
			}
			var done bool
			if c.Version == 0 {
				done, err = one(tx.ExecContext(ctx, `INSERT INTO sealed (connection, name, version, data)
					VALUES ($1, $2, $3, $4) ON CONFLICT (connection, name) DO NOTHING`,
					connection, clean(c.Name), next, c.Sealed))
			} else {
				done, err = one(tx.ExecContext(ctx, `UPDATE sealed SET version = $1, data = $2
					WHERE connection = $3 AND name = $4 AND version = $5`,
					next, c.Sealed, connection, clean(c.Name), c.Version))
			}
			if err != nil {
				return err
			}
			if !done {
				return ErrStale
			}
		}
		var all int
		if err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM sealed WHERE connection = $1`, connection).Scan(&all); err != nil {
			return err
		}
		if all != len(changes) {
			return ErrStale
		}
		return nil
	})
}

// SealedNames returns the names of all sealed rows, those of the state itself
// first.
func (s *Store) SealedNames(ctx context.Context) ([]secret.RowName, error) {
	var all []secret.RowName
	err := s.read(ctx, "list sealed rows", func(tx *sql.Tx) error {
		var err error
		all, err = rows(ctx, tx, func(scan func(...any) error) (n secret.RowName, err error) {
			err = scan(&n.Connection, &n.Name)
			return n, err
		}, `SELECT connection, name FROM sealed ORDER BY connection, name`)
		return err
	})
	return all, err
}

// count returns the next number of a kind. It belongs to the transaction: after a
// rollback the number counts as never used.
func count(ctx context.Context, tx *sql.Tx, kind string) (int64, error) {
	var n int64
	err := tx.QueryRowContext(ctx, `UPDATE counter SET value = value + 1 WHERE name = $1 RETURNING value`, kind).Scan(&n)
	return n, err
}
