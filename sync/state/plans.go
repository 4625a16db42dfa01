package state

import (
	"bytes"
	"compress/gzip"
	"context"
	"database/sql"
	"fmt"
	"io"
	"slices"
	"strconv"

	"github.com/hacsync/hacsync/sync/problem"
)

// pieceSize is how much of a compressed plan one row holds, in bytes: far below the
// limits of both databases, and small enough for one write.
const pieceSize = 1 << 20

// SavePlan stores a run's plan file (compressed, in pieces) and records its
// fingerprint as one that this state computed. A run has one plan: a second one
// replaces the first. The fingerprints of earlier runs are kept.
func (s *Store) SavePlan(ctx context.Context, run int64, fingerprint string, file []byte) error {
	packed, err := pack(func(w io.Writer) error {
		_, err := w.Write(file)
		return err
	})
	if err != nil {
		return err
	}
	return s.write(ctx, "store the plan", func(tx *sql.Tx) error {
		var tenant string
		err := tx.QueryRowContext(ctx, `UPDATE run SET fingerprint = $1 WHERE no = $2 RETURNING tenant`,
			fingerprint, run).Scan(&tenant)
		if none(err) {
			return runUnknown(run)
		}
		if err != nil {
			return err
		}
		pieces, err := savePieces(ctx, tx, "plan_piece", run, packed)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO plan (run, tenant, fingerprint, size, pieces, saved)
			VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (run) DO UPDATE SET fingerprint = excluded.fingerprint, size = excluded.size,
			pieces = excluded.pieces, saved = excluded.saved`,
			run, tenant, fingerprint, len(file), pieces, nanos(s.clock.Now()))
		return err
	})
}

// Plan returns a run's plan file. A run without one is a problem; so is a file that
// differs from what was stored.
func (s *Store) Plan(ctx context.Context, run int64) ([]byte, error) {
	var (
		size, count int64
		pieces      [][]byte
	)
	err := s.read(ctx, "read the plan", func(tx *sql.Tx) error {
		err := tx.QueryRowContext(ctx, `SELECT size, pieces FROM plan WHERE run = $1`, run).Scan(&size, &count)
		if none(err) {
			return problem.New(problem.PlanMissing, problem.Args{"run": strconv.FormatInt(run, 10)})
		}
		if err != nil {
			return err
		}
		pieces, err = column[[]byte](ctx, tx, `SELECT data FROM plan_piece WHERE run = $1 ORDER BY piece`, run)
		return err
	})
	if err != nil {
		return nil, err
	}
	file, err := unpack(pieces, size, count)
	if err != nil {
		return nil, problem.Wrap(fmt.Errorf("plan of run %d: %w", run, err), problem.StateDamaged,
			problem.Args{"state": s.URL()})
	}
	return file, nil
}

func unpack(pieces [][]byte, size, count int64) ([]byte, error) {
	z, err := joined(pieces, count)
	if err != nil {
		return nil, err
	}
	file := bytes.NewBuffer(make([]byte, 0, max(0, min(size, 1<<30))))
	if _, err := io.Copy(file, z); err != nil {
		return nil, err
	}
	if int64(file.Len()) != size {
		return nil, fmt.Errorf("%d of %d bytes", file.Len(), size)
	}
	return file.Bytes(), nil
}

// pack compresses what f writes. Compressing takes longer than writing to the
// state, so it is done before the lock is taken.
func pack(f func(io.Writer) error) ([]byte, error) {
	var packed bytes.Buffer
	z, err := gzip.NewWriterLevel(&packed, gzip.BestSpeed)
	if err != nil {
		return nil, err
	}
	if err := f(z); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return packed.Bytes(), nil
}

// savePieces stores packed data in pieces and returns their number.
func savePieces(ctx context.Context, tx *sql.Tx, table string, run int64, packed []byte) (int, error) {
	if _, err := tx.ExecContext(ctx, `DELETE FROM `+table+` WHERE run = $1`, run); err != nil {
		return 0, err
	}
	pieces := 0
	for piece := range slices.Chunk(packed, pieceSize) {
		if _, err := tx.ExecContext(ctx, `INSERT INTO `+table+` (run, piece, data) VALUES ($1, $2, $3)`,
			run, pieces, piece); err != nil {
			return 0, err
		}
		pieces++
	}
	return pieces, nil
}

// joined returns pieces as one reader of the original data. The checksum at the end
// of the stream is checked when it is read to its end.
func joined(pieces [][]byte, count int64) (io.Reader, error) {
	if int64(len(pieces)) != count {
		return nil, fmt.Errorf("%d of %d pieces", len(pieces), count)
	}
	readers := make([]io.Reader, len(pieces))
	for i, p := range pieces {
		readers[i] = bytes.NewReader(p)
	}
	return gzip.NewReader(io.MultiReader(readers...))
}

// PlanKnown returns the latest run whose stored plan has the fingerprint: it was
// computed or approved here. 0 means none.
func (s *Store) PlanKnown(ctx context.Context, tenant, fingerprint string) (int64, error) {
	var run int64
	err := s.read(ctx, "look up a fingerprint", func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, `SELECT COALESCE(MAX(run), 0) FROM plan WHERE tenant = $1 AND fingerprint = $2`,
			clean(tenant), clean(fingerprint)).Scan(&run)
	})
	return run, err
}

// UseRaise uses up the raise of the guard for a fingerprint; false if it was used
// before.
func (s *Store) UseRaise(ctx context.Context, tenant, fingerprint string) (bool, error) {
	var first bool
	err := s.write(ctx, "spend the raise", func(tx *sql.Tx) error {
		var err error
		first, err = one(tx.ExecContext(ctx, `INSERT INTO raise (tenant, fingerprint, used) VALUES ($1, $2, $3)
			ON CONFLICT (tenant, fingerprint) DO NOTHING`, clean(tenant), clean(fingerprint), nanos(s.clock.Now())))
		return err
	})
	return first && err == nil, err
}
