package secret

import (
	"context"
	"errors"
	"fmt"

	"github.com/hacsync/hacsync/sync/problem"
)

// Change is new content for a sealed row that is still at Version; 0 makes a new
// row.
type Change struct {
	Name    string
	Sealed  []byte
	Version int64
}

// Changer replaces several rows of a connection at once, or none.
type Changer interface {
	Rows
	// ChangeSealed returns ErrStale if a row is not at its version any more, or if
	// the connection has a row that no change names.
	ChangeSealed(ctx context.Context, connection string, changes []Change) error
}

// Reseal seals all rows of a connection under another key, all at once: neither at
// any moment nor after any failure are they under two keys. It returns the mark of
// the key that they had, so that it can be released. from opens them, to seals
// them.
func Reseal(ctx context.Context, rows Changer, from, to Sealer, connection string) (Mark, error) {
	for range storeTries {
		was, err := reseal(ctx, rows, from, to, connection)
		if !errors.Is(err, ErrStale) {
			return was, err
		}
	}
	return Mark{}, problem.New(problem.SealedContended, problem.Args{"what": connection})
}

func reseal(ctx context.Context, rows Changer, from, to Sealer, connection string) (Mark, error) {
	was, version, err := ReadMark(ctx, rows, connection)
	if err != nil {
		return was, err
	}
	mark, err := to.Mark(ctx)
	if err != nil {
		return was, err
	}
	data, err := encodeRow(markData{Version: markVersion, Mark: mark})
	if err != nil {
		return was, fmt.Errorf("encode mark: %w", err)
	}
	changes := []Change{{Name: markRow, Sealed: data, Version: version}}
	for _, name := range sealedNames() {
		r := NewRow(rows, from, connection, name)
		plain, version, err := r.load(ctx)
		if err != nil {
			return was, err
		}
		if version == 0 {
			continue
		}
		sealed, err := to.Seal(ctx, plain)
		if err != nil {
			return was, err
		}
		changes = append(changes, Change{Name: name, Sealed: sealed, Version: version})
	}
	if len(changes) == 1 {
		return was, problem.New(problem.NoSavedData, problem.Args{"connection": connection})
	}
	return was, rows.ChangeSealed(ctx, connection, changes)
}
