package secret

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"

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

func TestRow_SaysWhatItWasSealedWith(t *testing.T) {
	path, s := identityFile(t)
	_, other := identityFile(t)
	rows := newMemory()
	ctx := t.Context()
	if err := NewRow(rows, s, "c", Tokens).Store(ctx, []byte("x")); err != nil {
		t.Fatal(err)
	}
	mark, version, err := ReadMark(ctx, rows, "c")
	if err != nil || version == 0 || mark.Kind != Identity || mark.Where != path || !strings.HasPrefix(mark.Key, "age1") {
		t.Fatalf("%+v %d %v", mark, version, err)
	}
	for _, sealer := range []Sealer{other, fromPassphrase(rows, NewText("p"), quick), FromKeyring(rows)} {
		for _, err := range []error{
			second(NewRow(rows, sealer, "c", Tokens).Load(ctx)),
			NewRow(rows, sealer, "c", Tokens).Store(ctx, nil),
			Ready(ctx, rows, sealer, "c"),
		} {
			p := problem.Of(err)
			if p == nil || p.Code != problem.SealedElsewhere || p.Args["kind"] != "identity" || p.Args["where"] != path || p.Args["public"] != mark.Key {
				t.Errorf("%s: %v", sealer.Kind(), err)
			}
		}
	}
	if _, version, _ := rows.Sealed(ctx, "", passphraseRow); version != 0 {
		t.Error("a key was made for what it does not open")
	}
}

func second[T any](_ T, err error) error { return err }

func TestRow_NothingIsSealedWithASecondKey(t *testing.T) {
	_, old := identityFile(t)
	_, s := identityFile(t)
	rows := newMemory()
	ctx := t.Context()
	if err := NewRow(rows, old, "c", Certificate).Store(ctx, []byte("key")); err != nil {
		t.Fatal(err)
	}
	if err := NewRow(rows, s, "c", Tokens).Store(ctx, []byte("tokens")); !problem.Has(err, problem.SealedElsewhere) {
		t.Errorf("%v", err)
	}
	if data, _, _ := rows.Sealed(ctx, "c", Tokens); data != nil {
		t.Error("mixed rows")
	}
	// Nor where both begin at once.
	rows = newMemory()
	rows.before = func() {
		if err := NewRow(rows, old, "c", Certificate).Store(ctx, []byte("key")); err != nil {
			t.Error(err)
		}
	}
	if err := NewRow(rows, s, "c", Tokens).Store(ctx, []byte("tokens")); !problem.Has(err, problem.SealedElsewhere) {
		t.Errorf("%v", err)
	}
	// Nor together with rows that were sealed before there were marks.
	rows = newMemory()
	sealed, err := old.Seal(ctx, []byte("key"))
	if err != nil {
		t.Fatal(err)
	}
	if err := rows.SaveSealed(ctx, "c", HAC, sealed, 0); err != nil {
		t.Fatal(err)
	}
	if err := NewRow(rows, s, "c", Tokens).Store(ctx, []byte("tokens")); !problem.Has(err, problem.SealedElsewhere) {
		t.Errorf("%v", err)
	}
	if err := NewRow(rows, old, "c", Tokens).Store(ctx, []byte("tokens")); err != nil {
		t.Errorf("%v", err)
	}
}

func TestRow_StaysUnderItsKeyWhenAFileGetsANewOne(t *testing.T) {
	one, two := must(t, age.GenerateX25519Identity), must(t, age.GenerateX25519Identity)
	path := filepath.Join(t.TempDir(), "identity")
	sealer := func(text string) Sealer {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := FromIdentityFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	rows := newMemory()
	ctx := t.Context()
	old := sealer(one.String())
	if err := NewRow(rows, old, "c", Tokens).Store(ctx, []byte("tokens")); err != nil {
		t.Fatal(err)
	}
	both := sealer(two.String() + "\n" + one.String())
	if err := NewRow(rows, both, "c", Certificate).Store(ctx, []byte("key")); err != nil {
		t.Fatal(err)
	}
	// A process that still has only the first key opens both rows.
	for name, want := range map[string]string{Tokens: "tokens", Certificate: "key"} {
		if plain, err := NewRow(rows, old, "c", name).Load(ctx); err != nil || string(plain) != want {
			t.Errorf("%s: %q %v", name, plain, err)
		}
	}
}

func TestRow_IsNotBroughtBackOnceItIsForgotten(t *testing.T) {
	_, s := identityFile(t)
	ctx := t.Context()
	for _, when := range []string{"before", "while", "anew"} {
		rows := newMemory()
		r := NewRow(rows, s, "c", Tokens)
		if err := r.Store(ctx, []byte("one")); err != nil {
			t.Fatal(err)
		}
		switch when {
		case "before":
			rows.forget("c")
		case "while":
			rows.before = func() { rows.forget("c") }
		case "anew":
			rows.forget("c")
			if err := NewRow(rows, s, "c", Tokens).Store(ctx, []byte("new")); err != nil {
				t.Fatal(err)
			}
		}
		if err := r.Store(ctx, []byte("two")); !problem.Has(err, problem.ConnectionForgotten) {
			t.Errorf("%s: %v", when, err)
		}
		data, version, _ := rows.Sealed(ctx, "c", Tokens)
		if when == "anew" {
			if plain, err := NewRow(rows, s, "c", Tokens).Load(ctx); err != nil || string(plain) != "new" {
				t.Errorf("%q %v", plain, err)
			}
		} else if version != 0 {
			t.Errorf("%s: %q is back", when, data)
		}
	}
}

func TestRow_OfANewerProgramIsLeftAlone(t *testing.T) {
	_, s := identityFile(t)
	rows := newMemory()
	if err := rows.SaveSealed(t.Context(), "c", markRow, []byte(`{"version":2}`), 0); err != nil {
		t.Fatal(err)
	}
	if err := NewRow(rows, s, "c", Tokens).Store(t.Context(), nil); !problem.Has(err, problem.SealedNewer) {
		t.Errorf("%v", err)
	}
}

func TestRelease_KeepsAKeyThatSomethingWithoutAMarkMayNeed(t *testing.T) {
	rows, ring := newMemory(), &fakeRing{entries: map[string]string{}}
	ctx := t.Context()
	s := fromRing(rows, ring)
	if err := NewRow(rows, s, "c", Tokens).Store(ctx, nil); err != nil {
		t.Fatal(err)
	}
	sealed, err := s.Seal(ctx, []byte("targets"))
	if err != nil {
		t.Fatal(err)
	}
	if err := rows.SaveSealed(ctx, "", "notice-targets", sealed, 0); err != nil {
		t.Fatal(err)
	}
	mark, _, err := ReadMark(ctx, rows, "c")
	if err != nil {
		t.Fatal(err)
	}
	rows.forget("c")
	if fate, err := release(ctx, rows, ring, mark); err != nil || fate != KeyShared || len(ring.entries) != 1 {
		t.Errorf("%s %v", fate, err)
	}
}

func TestRelease_TakesAwayThePassphraseWithTheLastRow(t *testing.T) {
	rows := newMemory()
	ctx := t.Context()
	p := fromPassphrase(rows, NewText("first"), quick)
	for _, c := range []string{"c", "d"} {
		if err := NewRow(rows, p, c, Tokens).Store(ctx, []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	for _, step := range []struct {
		connection string
		want       Fate
		next       problem.Code
	}{{"c", KeyShared, problem.PassphraseWrong}, {"d", KeyRemoved, ""}} {
		mark, _, err := ReadMark(ctx, rows, step.connection)
		if err != nil {
			t.Fatal(err)
		}
		rows.forget(step.connection)
		if fate, err := Release(ctx, rows, mark); err != nil || fate != step.want {
			t.Errorf("%s: %s %v", step.connection, fate, err)
		}
		err = NewRow(rows, fromPassphrase(rows, NewText("second"), quick), "e"+step.connection, Tokens).Store(ctx, nil)
		if p := problem.Of(err); (p == nil) != (step.next == "") || p != nil && p.Code != step.next {
			t.Errorf("%s: %v", step.connection, err)
		}
	}
}
