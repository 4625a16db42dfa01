package secret

import (
	"fmt"
	"testing"

	"github.com/hacsync/hacsync/sync/problem"
)

func TestRow_KeepsWhatWasStored(t *testing.T) {
	_, s := identityFile(t)
	rows := newMemory()
	one, two, other := NewRow(rows, s, "c", Tokens), NewRow(rows, s, "c", Tokens), NewRow(rows, s, "d", Tokens)
	ctx := t.Context()
	if plain, err := one.Load(ctx); err != nil || plain != nil {
		t.Fatalf("%q %v", plain, err)
	}
	// Each stores without knowing of the other's writes.
	for i := range 3 {
		for _, c := range []*Row{one, two, two} {
			text := fmt.Sprint("tokens", i, c == one)
			if err := c.Store(ctx, []byte(text)); err != nil {
				t.Fatal(err)
			}
			for _, reader := range []*Row{one, two, NewRow(rows, s, "c", Tokens)} {
				if plain, err := reader.Load(ctx); err != nil || string(plain) != text {
					t.Fatalf("%q instead of %q, %v", plain, text, err)
				}
			}
		}
	}
	if plain, err := other.Load(ctx); err != nil || plain != nil {
		t.Errorf("another connection: %q %v", plain, err)
	}
}

func TestRow_NeverOverwritesWhatItCannotOpen(t *testing.T) {
	_, s := identityFile(t)
	_, foreign := identityFile(t)
	rows := newMemory()
	ctx := t.Context()
	owner := NewRow(rows, foreign, "c", Tokens)
	if err := owner.Store(ctx, []byte("theirs")); err != nil {
		t.Fatal(err)
	}
	c := NewRow(rows, s, "c", Tokens)
	for range 2 {
		if err := c.Store(ctx, []byte("ours")); !problem.Has(err, problem.SealedElsewhere) {
			t.Errorf("store: %v", err)
		}
		if _, err := c.Load(ctx); !problem.Has(err, problem.SealedElsewhere) {
			t.Errorf("load: %v", err)
		}
	}
	// Nor when the row became another key's after it was loaded.
	rows = newMemory()
	owner, c = NewRow(rows, foreign, "c", Tokens), NewRow(rows, s, "c", Tokens)
	if _, err := c.Load(ctx); err != nil {
		t.Fatal(err)
	}
	rows.before = func() {
		if err := owner.Store(ctx, []byte("theirs")); err != nil {
			t.Error(err)
		}
	}
	if err := c.Store(ctx, []byte("ours")); !problem.Has(err, problem.SealedElsewhere) {
		t.Errorf("store: %v", err)
	}
	if plain, err := owner.Load(ctx); err != nil || string(plain) != "theirs" {
		t.Errorf("%q %v", plain, err)
	}
}

func TestRow_GivesUpOnARowThatNeverRests(t *testing.T) {
	_, s := identityFile(t)
	rows := newMemory()
	busy := NewRow(rows, s, "c", Tokens)
	c := NewRow(rows, s, "c", Tokens)
	var again func()
	again = func() {
		if err := busy.Store(t.Context(), []byte("busy")); err != nil {
			t.Error(err)
		}
		rows.mu.Lock()
		rows.before = again
		rows.mu.Unlock()
	}
	rows.before = again
	if err := c.Store(t.Context(), []byte("ours")); !problem.Has(err, problem.SealedContended) {
		t.Errorf("%v", err)
	}
}
