package state

import (
	"context"
	"database/sql"
)

// Place is where a state is, for files and tables that are kept near it and not in
// it.
type Place struct {
	// File is the path of a SQLite state; empty on PostgreSQL.
	File string
	// Postgres is the connection string, with its password: never show it.
	Postgres string
	// Schema is the PostgreSQL schema of the state's tables.
	Schema string
}

// Place returns where the state is.
func (s *Store) Place(ctx context.Context) (Place, error) {
	p := Place{File: s.where.path, Postgres: s.where.postgres}
	if s.dialect.sqlite {
		return p, nil
	}
	err := s.read(ctx, "find the state's schema", func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, `SELECT current_schema()`).Scan(&p.Schema)
	})
	return p, err
}
