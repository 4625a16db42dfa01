package secret

import (
	"fmt"
	"testing"

	"github.com/hacsync/hacsync/sync/problem"
)

func TestTokenCache_KeepsWhatWasStored(t *testing.T) {
	_, s := identityFile(t)
	rows := newMemory()
	one, two, other := NewTokenCache(rows, s, "c"), NewTokenCache(rows, s, "c"), NewTokenCache(rows, s, "d")
	ctx := t.Context()
	if plain, err := one.Load(ctx); err != nil || plain != nil {
		t.Fatalf("%q %v", plain, err)
	}
	// Each stores without knowing of the other's writes.
	for i := range 3 {
		for _, c := range []*TokenCache{one, two, two} {
			text := fmt.Sprint("tokens", i, c == one)
			if err := c.Store(ctx, []byte(text)); err != nil {
				t.Fatal(err)
			}
			for _, reader := range []*TokenCache{one, two, NewTokenCache(rows, s, "c")} {
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

func TestTokenCache_NeverOverwritesWhatItCannotOpen(t *testing.T) {
	_, s := identityFile(t)
	_, foreign := identityFile(t)
	rows := newMemory()
	ctx := t.Context()
	owner := NewTokenCache(rows, foreign, "c")
	if err := owner.Store(ctx, []byte("theirs")); err != nil {
		t.Fatal(err)
	}
	c := NewTokenCache(rows, s, "c")
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
	owner, c = NewTokenCache(rows, foreign, "c"), NewTokenCache(rows, s, "c")
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

func TestTokenCache_GivesUpOnARowThatNeverRests(t *testing.T) {
	_, s := identityFile(t)
	rows := newMemory()
	busy := NewTokenCache(rows, s, "c")
	c := NewTokenCache(rows, s, "c")
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
