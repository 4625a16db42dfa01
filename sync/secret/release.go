package secret

import (
	"context"
	"errors"

	"github.com/hacsync/hacsync/sync/problem"
)

// Fate is what happened to a key once the last thing it sealed is gone.
type Fate string

// The fates. A key that other saved data needs, or may need, is kept.
const (
	KeyShared  Fate = "shared"  // other saved data is sealed under it
	KeyRemoved Fate = "removed" // deleted from the keyring, or from the state
	KeyLeft    Fate = "left"    // in a keyring that cannot be reached from here
	KeyYours   Fate = "yours"   // an identity file: never touched
	NoKey      Fate = "none"    // nothing was sealed
)

// Release removes the key of a connection that was just forgotten, if nothing else
// is sealed under it: from the keyring, or, for a passphrase, from the state, so
// that the next passphrase may be another. m is the mark that the connection had.
func Release(ctx context.Context, rows Rows, m Mark) (Fate, error) {
	return release(ctx, rows, osKeyring{}, m)
}

func release(ctx context.Context, rows Rows, r ring, m Mark) (Fate, error) {
	switch m.Kind {
	case Identity:
		return KeyYours, nil
	case Keyring, Passphrase:
	default:
		return NoKey, nil
	}
	if shared, err := inUse(ctx, rows, m); err != nil || shared {
		return KeyShared, err
	}
	if m.Kind == Passphrase {
		_, version, err := rows.Sealed(ctx, "", passphraseRow)
		if err == nil && version != 0 {
			err = rows.RemoveSealed(ctx, "", passphraseRow, version)
		}
		return KeyRemoved, err
	}
	k := &keyringKey{rows: rows, ring: &asked{ring: r}}
	if _, err := k.one(ctx, []string{m.Key}, m.Where); err != nil {
		if problem.Of(err) == nil {
			return KeyLeft, err
		}
		return KeyLeft, nil
	}
	if err := k.remove(ctx, m.Key); err != nil {
		if problem.Of(err) == nil {
			return KeyLeft, err
		}
		return KeyLeft, nil
	}
	return KeyRemoved, k.strike(ctx, m.Key)
}

// inUse reports whether something is sealed under a key, as far as marks show it:
// rows without a mark may be.
func inUse(ctx context.Context, rows Rows, m Mark) (bool, error) {
	names, err := rows.SealedNames(ctx)
	if err != nil {
		return true, err
	}
	for _, n := range names {
		if n.Connection == "" && (n.Name == passphraseRow || n.Name == keyringRow) {
			continue
		}
		other, version, err := ReadMark(ctx, rows, n.Connection)
		if problem.Has(err, problem.SealedDamaged, problem.SealedNewer) {
			return true, nil
		}
		if err != nil {
			return true, err
		}
		if version == 0 || other.Kind == m.Kind && other.Key == m.Key {
			return true, nil
		}
	}
	return false, nil
}

// strike deletes a removed key from the state's row of keys.
func (k *keyringKey) strike(ctx context.Context, public string) error {
	for range storeTries {
		row, version, err := k.row(ctx)
		if problem.Has(err, problem.SealedDamaged) {
			row, err = keyRow{}, nil // marks name the remaining keys
		}
		if err != nil || version == 0 {
			return err
		}
		if row = row.without(public); row.Recipient == "" {
			err = k.rows.RemoveSealed(ctx, "", keyringRow, version)
		} else {
			var data []byte
			if data, err = encodeRow(row); err == nil {
				err = k.rows.SaveSealed(ctx, "", keyringRow, data, version)
			}
		}
		if !errors.Is(err, ErrStale) {
			return err
		}
	}
	return problem.New(problem.SealedContended, problem.Args{"what": keyringService})
}
