package secret

import (
	"bytes"
	"context"
	"encoding/json"
	"testing"

	"github.com/hacsync/hacsync/sync/problem"
)

// TestRow_EveryFlippedByteIsDamageOrChangesNothing flips each byte of each row of
// a state that is sealed under each kind of key.
func TestRow_EveryFlippedByteIsDamageOrChangesNothing(t *testing.T) {
	ctx := t.Context()
	_, identity := identityFile(t)
	ring := &fakeRing{entries: map[string]string{}}
	for kind, sealerOn := range map[Kind]func(Rows) Sealer{
		Identity:   func(Rows) Sealer { return identity },
		Passphrase: func(r Rows) Sealer { return fromPassphrase(r, NewText("p"), quick) },
		Keyring:    func(r Rows) Sealer { return fromRing(r, ring) },
	} {
		rows := newMemory()
		if err := NewRow(rows, sealerOn(rows), "c", Tokens).Store(ctx, []byte("the tokens")); err != nil {
			t.Fatal(err)
		}
		for name, good := range rows.rows {
			for i := range good {
				for _, bit := range []byte{1, 2, 32} {
					bad := bytes.Clone(good)
					bad[i] ^= bit
					rows.rows[name] = bad
					plain, err := NewRow(rows, sealerOn(rows), "c", Tokens).Load(ctx)
					switch {
					case err == nil && string(plain) == "the tokens": // what is not looked at, such as the name of the sum
					case problem.Has(err, problem.SealedDamaged):
					default:
						t.Errorf("%s, row %q, byte %d (%q) ^ %d: %q, %v", kind, name, i, good[i], bit, plain, err)
					}
				}
			}
			rows.rows[name] = good
		}
	}
}

func TestRow_CutOrEmptiedIsDamage(t *testing.T) {
	ctx := t.Context()
	rows := newMemory()
	_, s := identityFile(t)
	if err := NewRow(rows, s, "c", Tokens).Store(ctx, []byte("the tokens")); err != nil {
		t.Fatal(err)
	}
	for name, good := range rows.rows {
		for n := range good {
			rows.rows[name] = good[:n]
			if _, err := NewRow(rows, s, "c", Tokens).Load(ctx); !problem.Has(err, problem.SealedDamaged) {
				t.Errorf("row %q cut to %d bytes: %v", name, n, err)
			}
		}
		rows.rows[name] = good
	}
}

func TestRow_ThatWasSealedAgainBetweenTwoReadsIsNoDamage(t *testing.T) {
	ctx := t.Context()
	rows := newMemory()
	_, one := identityFile(t)
	path, two := identityFile(t)
	if err := NewRow(rows, one, "c", Tokens).Store(ctx, []byte("x")); err != nil {
		t.Fatal(err)
	}
	// The row is read first; its mark is read after it was sealed with the other
	// key.
	late := &resealing{memory: rows, between: func() {
		for k := range rows.rows { // what Reseal does, all at once
			delete(rows.rows, k)
			rows.vers[k] = 0
		}
		if err := NewRow(rows, two, "c", Tokens).Store(ctx, []byte("x")); err != nil {
			t.Error(err)
		}
	}}
	both, err := FromIdentityFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := NewRow(late, both, "c", Tokens).Load(ctx); err != nil || string(plain) != "x" {
		t.Errorf("%q, %v", plain, err)
	}
}

// resealing runs something once, after a row and before its mark is read.
type resealing struct {
	*memory
	between func()
}

func (r *resealing) Sealed(ctx context.Context, connection, name string) ([]byte, int64, error) {
	data, version, err := r.memory.Sealed(ctx, connection, name)
	if do := r.between; do != nil && name == Tokens {
		r.between = nil
		do()
	}
	return data, version, err
}

func TestRow_OfAnOlderProgramHasNoSumAndOpens(t *testing.T) {
	ctx := t.Context()
	rows := newMemory()
	s := fromPassphrase(rows, NewText("p"), quick)
	if err := NewRow(rows, s, "c", Tokens).Store(ctx, []byte("x")); err != nil {
		t.Fatal(err)
	}
	for name, data := range rows.rows {
		var fields map[string]json.RawMessage
		if json.Unmarshal(data, &fields) != nil {
			continue
		}
		if _, ok := fields[sumField]; !ok {
			t.Errorf("row %q has no sum", name)
		}
		delete(fields, sumField)
		rows.rows[name], _ = json.Marshal(fields)
	}
	if plain, err := NewRow(rows, fromPassphrase(rows, NewText("p"), quick), "c", Tokens).Load(ctx); err != nil || string(plain) != "x" {
		t.Errorf("%q, %v", plain, err)
	}
	if _, err := NewRow(rows, fromPassphrase(rows, NewText("q"), quick), "c", Tokens).Load(ctx); !problem.Has(err, problem.PassphraseWrong) {
		t.Errorf("another passphrase: %v", err)
	}
}

func TestRow_OfANewerProgramWithItsSumIsNewer(t *testing.T) {
	data, err := encodeRow(map[string]any{"version": 2, "more": map[string]any{"b": 1, "a": "<&>"}})
	if err != nil {
		t.Fatal(err)
	}
	var row keyRow
	if err := decodeRow(data, keyRowVersion, &row, "c", ""); !problem.Has(err, problem.SealedNewer) {
		t.Error(err)
	}
}

func TestRelease_GoesOnDespiteDamage(t *testing.T) {
	ctx := t.Context()
	rows, ring := newMemory(), &fakeRing{entries: map[string]string{}}
	s := fromRing(rows, ring)
	for _, name := range []string{"one", "two"} {
		if err := NewRow(rows, s, name, Tokens).Store(ctx, []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	mark, _, err := ReadMark(ctx, rows, "one")
	if err != nil {
		t.Fatal(err)
	}
	rows.rows["two\n"+markRow] = []byte("{")
	if fate, err := release(ctx, rows, ring, mark); err != nil || fate != KeyShared {
		t.Errorf("beside a damaged mark: %v, %v", fate, err)
	}
	for k := range rows.rows {
		if k != "\n"+keyringRow {
			delete(rows.rows, k)
		}
	}
	rows.rows["\n"+keyringRow] = []byte("{")
	if fate, err := release(ctx, rows, ring, mark); err != nil || fate != KeyRemoved || len(rows.rows) != 0 {
		t.Errorf("with a damaged row of keys: %v, %v, %v", fate, err, rows.rows)
	}
}
