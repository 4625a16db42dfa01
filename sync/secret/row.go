package secret

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/hacsync/hacsync/sync/problem"
)

// The names of a connection's rows.
const (
	Tokens      = "tokens"      // of the user who signed in
	Certificate = "certificate" // key and certificate of the dedicated application
	HAC         = "hac"         // client of the HAC API
)

// sealedNames returns all of them.
func sealedNames() []string { return []string{Tokens, Certificate, HAC} }

// markRow is the row that names the key under which a connection's rows are sealed.
// It is not secret. All rows of a connection have one key: a row under another
// would be lost without a warning if only one of the two keys is available.
const markRow = "mark"

// Row keeps one secret of a connection in a sealed row. It is a consent.Cache, safe
// for concurrent use, also by several processes. A row that cannot be opened is a
// problem, and is kept.
type Row struct {
	rows             Rows
	sealer           Sealer
	connection, name string

	mu      sync.Mutex
	version int64 // of the row that was last read or could be opened
	marked  int64 // version of the mark that was first seen
	with    Sealer
}

// NewRow makes a row of a connection: Tokens, Certificate or HAC.
func NewRow(rows Rows, sealer Sealer, connection, name string) *Row {
	return &Row{rows: rows, sealer: sealer, connection: connection, name: name}
}

// Load returns what was last stored, or nil.
func (r *Row) Load(ctx context.Context) ([]byte, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	plain, version, err := r.load(ctx)
	if err != nil {
		return nil, err
	}
	r.version = version
	return plain, nil
}

func (r *Row) load(ctx context.Context) ([]byte, int64, error) {
	for range storeTries {
		sealed, version, err := r.rows.Sealed(ctx, r.connection, r.name)
		if err != nil || version == 0 {
			return nil, 0, err
		}
		mark, marked, err := ReadMark(ctx, r.rows, r.connection)
		if err != nil {
			return nil, 0, err
		}
		if r.marked == 0 {
			r.marked = marked
		}
		with, err := r.sealerOf(ctx, mark)
		if err != nil {
			return nil, 0, r.explain(err, mark)
		}
		plain, err := with.Open(ctx, sealed)
		if err == nil {
			return plain, version, nil
		}
		if !problem.Has(err, problem.SealedDamaged) && (marked == 0 || !errors.Is(err, ErrOtherKey)) {
			return nil, 0, r.explain(err, mark)
		}
		// The key is the one that the mark names, so the row is damaged, unless
		// another process sealed it with another key between the two reads.
		_, later, err2 := r.rows.Sealed(ctx, r.connection, r.name)
		_, remarked, err3 := ReadMark(ctx, r.rows, r.connection)
		if later == version && remarked == marked || err2 != nil || err3 != nil {
			return nil, 0, damaged(err, r.connection, "")
		}
	}
	return nil, 0, problem.New(problem.SealedContended, problem.Args{"what": r.connection})
}

// sealerOf returns the sealer for a mark.
func (r *Row) sealerOf(ctx context.Context, m Mark) (Sealer, error) {
	if m == (Mark{}) {
		return r.sealer, nil
	}
	if r.with != nil {
		if known, err := r.with.Mark(ctx); err == nil && known.Key == m.Key {
			return r.with, nil
		}
	}
	with, err := r.sealer.With(ctx, m)
	if err != nil {
		return nil, err
	}
	r.with = with
	return with, nil
}

// explain returns a problem with what could not be opened, and what it was sealed
// under.
func (r *Row) explain(err error, m Mark) error {
	args := problem.Args{
		"what": r.connection, "key": r.sealer.Name(),
		"kind": string(m.Kind), "where": m.Where, "public": m.Key,
	}
	switch {
	case errors.Is(err, ErrOtherKey):
		return problem.Wrap(err, problem.SealedElsewhere, args)
	case problem.Has(err, problem.KeyringEmpty):
		return problem.Wrap(err, problem.KeyringEmpty, problem.Args{"where": m.Where})
	case problem.Has(err, problem.PassphraseNeeded):
		return problem.Wrap(err, problem.PassphraseNeeded, nil)
	}
	return err
}

// storeTries is how often a store is tried when other processes change the row too.
const storeTries = 50

// Store replaces the content. A row that another process replaced meanwhile is
// replaced as well, once it is seen to open with the same key: one that does not
// open belongs to another key, and is never overwritten. Entra ID keeps older
// refresh tokens valid, so the last writer loses nothing. A row that was forgotten
// since it was read is not made again.
func (r *Row) Store(ctx context.Context, plain []byte) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	with, mark, err := r.claim(ctx)
	if err != nil {
		return r.explain(err, mark)
	}
	sealed, err := with.Seal(ctx, plain)
	if err != nil {
		return r.explain(err, mark)
	}
	for range storeTries {
		seen := r.version
		err := r.rows.SaveSealed(ctx, r.connection, r.name, sealed, seen)
		if err == nil {
			// The new version is not returned; the next Store reads it.
			r.version = 0
			return r.stillWanted(ctx, sealed)
		}
		if !errors.Is(err, ErrStale) {
			return err
		}
		if _, r.version, err = r.load(ctx); err != nil {
			return err
		}
		if _, _, err := r.claim(ctx); err != nil {
			return r.explain(err, mark)
		}
	}
	return problem.New(problem.SealedContended, problem.Args{"what": r.connection})
}

// stillWanted removes a row that was written just after the connection was
// forgotten, or sealed with another key: these change mark and rows at once, so a
// later writer finds another mark than before.
func (r *Row) stillWanted(ctx context.Context, wrote []byte) error {
	_, marked, err := ReadMark(ctx, r.rows, r.connection)
	if err != nil || marked == r.marked {
		return err
	}
	data, version, err := r.rows.Sealed(ctx, r.connection, r.name)
	if err == nil && version != 0 && bytes.Equal(data, wrote) {
		_ = r.rows.RemoveSealed(ctx, r.connection, r.name, version)
	}
	return r.forgotten()
}

func (r *Row) forgotten() error {
	return problem.New(problem.ConnectionForgotten, problem.Args{"connection": r.connection})
}

// claim returns the sealer of the connection's mark, and makes the mark if there is
// none.
func (r *Row) claim(ctx context.Context) (Sealer, Mark, error) {
	for range storeTries {
		mark, version, err := ReadMark(ctx, r.rows, r.connection)
		if err != nil {
			return nil, mark, err
		}
		if r.marked != 0 && version != r.marked {
			return nil, mark, r.forgotten()
		}
		if version != 0 {
			with, err := r.sealerOf(ctx, mark)
			if err == nil {
				r.marked = version
			}
			return with, mark, err
		}
		if mark, err = r.sealer.Mark(ctx); err != nil {
			return nil, mark, err
		}
		if err := r.openAll(ctx); err != nil {
			return nil, Mark{}, err
		}
		data, err := encodeRow(markData{Version: markVersion, Mark: mark})
		if err != nil {
			return nil, mark, err
		}
		if err := r.rows.SaveSealed(ctx, r.connection, markRow, data, 0); err != nil && !errors.Is(err, ErrStale) {
			return nil, mark, err
		}
	}
	return nil, Mark{}, problem.New(problem.SealedContended, problem.Args{"what": r.connection})
}

// openAll checks whether rows without a mark open with this key.
func (r *Row) openAll(ctx context.Context) error {
	for _, name := range sealedNames() {
		sealed, version, err := r.rows.Sealed(ctx, r.connection, name)
		if err != nil {
			return err
		}
		if version == 0 {
			continue
		}
		if _, err := r.sealer.Open(ctx, sealed); err != nil {
			return err
		}
	}
	return nil
}

// markData is how a mark is stored.
type markData struct {
	Version int `json:"version"`
	Mark
}

const markVersion = 1

// ReadMark returns the key under which a connection's rows are sealed, and the
// version of the mark's row: 0 if nothing is sealed.
func ReadMark(ctx context.Context, rows Rows, connection string) (Mark, int64, error) {
	data, version, err := rows.Sealed(ctx, connection, markRow)
	if err != nil || version == 0 {
		return Mark{}, 0, err
	}
	var m markData
	if err := decodeRow(data, markVersion, &m, connection, ""); err != nil {
		return Mark{}, 0, err
	}
	if !slices.Contains([]Kind{Identity, Passphrase, Keyring}, m.Kind) || !isPublic(m.Key) {
		return Mark{}, 0, damaged(errors.New("the mark names no key"), connection, "")
	}
	return m.Mark, version, nil
}

// Ready checks whether a connection's rows can be sealed, before a user signs in:
// under the key that they have, or else under a new one. An empty connection means
// a new one.
func Ready(ctx context.Context, rows Rows, sealer Sealer, connection string) error {
	if connection != "" {
		r := NewRow(rows, sealer, connection, Tokens)
		mark, version, err := ReadMark(ctx, rows, connection)
		if err != nil {
			return err
		}
		if version != 0 {
			with, err := r.sealerOf(ctx, mark)
			if err == nil {
				err = with.Ready(ctx)
			}
			return r.explain(err, mark)
		}
	}
	return sealer.Ready(ctx)
}
