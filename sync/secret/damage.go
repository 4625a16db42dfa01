package secret

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"filippo.io/age"

	"github.com/hacsync/hacsync/sync/problem"
)

// damaged returns the problem of a row that differs from what was saved. what is
// the connection that it belongs to, kind that of a key of the state itself.
func damaged(err error, what string, kind Kind) error {
	err = errors.New(err.Error()) // it must not be ErrOtherKey any more
	return problem.Wrap(err, problem.SealedDamaged, problem.Args{"what": what, "kind": string(kind)})
}

// unopened distinguishes what another key sealed, which is ErrOtherKey, from what
// is damaged: age authenticates the header before it reports that a key fits, and
// then all that follows.
func unopened(err error) error {
	if no := new(age.NoIdentityMatchError); errors.As(err, &no) {
		return fmt.Errorf("%w: %w", ErrOtherKey, err)
	}
	return damaged(err, "", "")
}

// The rows that are not sealed themselves are JSON objects with a checksum of their
// own, so that a changed byte is not mistaken for another version, key or
// passphrase. Rows that older programs saved have none.
const sumField = "sum"

// encodeRow makes a row of v, a JSON object.
func encodeRow(v any) ([]byte, error) {
	fields, err := fieldsOf(v)
	if err != nil {
		return nil, err
	}
	if fields[sumField], err = sumOf(fields); err != nil {
		return nil, err
	}
	return json.Marshal(fields)
}

// decodeRow reads a row into v. A row of a newer version is SealedNewer; one that
// differs from what was saved is SealedDamaged.
func decodeRow(data []byte, version int, v any, what string, kind Kind) error {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(data, &fields); err != nil {
		return damaged(fmt.Errorf("row: %w", err), what, kind)
	}
	if sum, ok := fields[sumField]; ok {
		delete(fields, sumField)
		if want, err := sumOf(fields); err != nil || !bytes.Equal(sum, want) {
			return damaged(errors.Join(errors.New("the sum differs"), err), what, kind)
		}
	}
	var has struct {
		Version int `json:"version"`
	}
	if err := json.Unmarshal(data, &has); err != nil || has.Version < 1 {
		return damaged(errors.Join(errors.New("no version"), err), what, kind)
	}
	if has.Version != version {
		if what == "" {
			what = PassphraseVariable
		}
		return problem.New(problem.SealedNewer, problem.Args{"what": what})
	}
	if err := json.Unmarshal(data, v); err != nil {
		return damaged(fmt.Errorf("row: %w", err), what, kind)
	}
	return nil
}

func fieldsOf(v any) (map[string]json.RawMessage, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	var fields map[string]json.RawMessage
	err = json.Unmarshal(raw, &fields)
	return fields, err
}

// sumOf returns the checksum of an object's fields, including those that a newer
// program added.
func sumOf(fields map[string]json.RawMessage) (json.RawMessage, error) {
	raw, err := json.Marshal(fields) // in the order of their names
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(raw)
	return json.Marshal(hex.EncodeToString(sum[:8]))
}

// isPublic reports whether a text is the public half of a key; that has a checksum
// of its own.
func isPublic(text string) bool {
	if _, err := age.ParseX25519Recipient(text); err == nil {
		return true
	}
	_, err := age.ParseHybridRecipient(text)
	return err == nil
}
