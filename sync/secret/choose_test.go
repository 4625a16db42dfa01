package secret

import (
	"context"
	"errors"
	"testing"

	"github.com/zalando/go-keyring"

	"github.com/hacsync/hacsync/sync/problem"
)

// fakeRing is a keyring in memory, or one that only fails.
type fakeRing struct {
	entries map[string]string
	fail    error
}

func (f *fakeRing) Get(_, user string) (string, error) {
	if f.fail != nil {
		return "", f.fail
	}
	text, ok := f.entries[user]
	if !ok {
		return "", keyring.ErrNotFound
	}
	return text, nil
}

func (f *fakeRing) Set(_, user, pw string) error {
	if f.fail == nil {
		f.entries[user] = pw
	}
	return f.fail
}

func (f *fakeRing) Delete(_, user string) error {
	delete(f.entries, user)
	return f.fail
}

var errNoBus = errors.New("dbus: no session bus")

// person answers the questions of Choose.
type person struct {
	answers []string
	asked   []Question
}

func (p *person) ask(_ context.Context, q Question) (Text, error) {
	p.asked = append(p.asked, q)
	if len(p.answers) == 0 {
		return Text{}, errors.New("asked too often")
	}
	a := p.answers[0]
	p.answers = p.answers[1:]
	return NewText(a), nil
}

func chosen(t *testing.T, rows Rows, r ring, who *person) *preset {
	t.Helper()
	o := Options{Rows: rows}
	if who != nil {
		o.Ask = who.ask
	}
	s, err := choose(t.Context(), o, fromRing(rows, r), quick)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestChoose_AsksForAPassphraseOnlyWithoutAKeyring(t *testing.T) {
	ctx := t.Context()
	rows, working := newMemory(), &fakeRing{entries: map[string]string{}}
	nobody := &person{}
	s := chosen(t, rows, working, nobody)
	if err := NewRow(rows, s, "c", Tokens).Store(ctx, []byte("x")); err != nil || s.Kind() != Keyring || len(nobody.asked) != 0 {
		t.Fatalf("%v %s %v", err, s.Kind(), nobody.asked)
	}

	rows = newMemory()
	broken := &fakeRing{fail: errNoBus}
	who := &person{answers: []string{"horse"}}
	s = chosen(t, rows, broken, who)
	for _, name := range []string{Tokens, HAC} {
		if err := NewRow(rows, s, "c", name).Store(ctx, []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	if len(who.asked) != 1 || !who.asked[0].First || s.Kind() != Passphrase {
		t.Errorf("%+v %s", who.asked, s.Kind())
	}
	// The next process asks again, for the same one, also with a keyring; a typing
	// error may be corrected.
	who = &person{answers: []string{"hose", "horse"}}
	s = chosen(t, rows, working, who)
	if plain, err := NewRow(rows, s, "c", Tokens).Load(ctx); err != nil || string(plain) != "x" {
		t.Errorf("%q %v", plain, err)
	}
	if len(who.asked) != 2 || who.asked[0] != (Question{}) || who.asked[1] != (Question{Wrong: true}) {
		t.Errorf("%+v", who.asked)
	}
	who = &person{answers: []string{"a", "b", "c", "horse"}}
	if _, err := NewRow(rows, chosen(t, rows, broken, who), "c", Tokens).Load(ctx); !problem.Has(err, problem.PassphraseWrong) || len(who.asked) != askTries {
		t.Errorf("%v %d", err, len(who.asked))
	}
	// The same passphrase in the variable opens the same.
	if plain, err := NewRow(rows, fromPassphrase(rows, NewText("horse"), quick), "c", Tokens).Load(ctx); err != nil || string(plain) != "x" {
		t.Errorf("%q %v", plain, err)
	}
	if err := Ready(ctx, rows, chosen(t, newMemory(), broken, &person{answers: []string{""}}), ""); !problem.Has(err, problem.PassphraseEmpty) {
		t.Errorf("%v", err)
	}
}

func TestChoose_WithNoUserToAskSaysWhyThereIsNoKeyring(t *testing.T) {
	ctx := t.Context()
	rows := newMemory()
	s := chosen(t, rows, &fakeRing{fail: errNoBus}, nil)
	if err := Ready(ctx, rows, s, ""); !problem.Has(err, problem.KeyringAbsent) {
		t.Errorf("%v", err)
	}
	if err := NewRow(rows, fromPassphrase(rows, NewText("p"), quick), "c", Tokens).Store(ctx, nil); err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{
		second(NewRow(rows, s, "c", Tokens).Load(ctx)), NewRow(rows, s, "c", Tokens).Store(ctx, nil), Ready(ctx, rows, s, "c"),
	} {
		if !problem.Has(err, problem.PassphraseNeeded) {
			t.Errorf("%v", err)
		}
	}
}

func TestChoose_OpensWhatTheKeyringAndWhatAPassphraseSealed(t *testing.T) {
	ctx := t.Context()
	rows, ring := newMemory(), &fakeRing{entries: map[string]string{}}
	if err := NewRow(rows, fromRing(rows, ring), "ring", Tokens).Store(ctx, []byte("r")); err != nil {
		t.Fatal(err)
	}
	if err := NewRow(rows, fromPassphrase(rows, NewText("p"), quick), "pass", Tokens).Store(ctx, []byte("p")); err != nil {
		t.Fatal(err)
	}
	s := chosen(t, rows, ring, nil)
	if need, first := NeedsPassphrase(ctx, s); !need || first {
		t.Errorf("%v %v", need, first)
	}
	if err := Unlock(ctx, s, NewText("q")); !problem.Has(err, problem.PassphraseWrong) {
		t.Errorf("%v", err)
	}
	if err := Unlock(ctx, s, Text{}); !problem.Has(err, problem.PassphraseEmpty) {
		t.Errorf("%v", err)
	}
	if plain, err := NewRow(rows, s, "ring", Tokens).Load(ctx); err != nil || string(plain) != "r" {
		t.Errorf("%q %v", plain, err)
	}
	if err := Unlock(ctx, s, NewText("p")); err != nil {
		t.Fatal(err)
	}
	if need, _ := NeedsPassphrase(ctx, s); need {
		t.Error("still needed")
	}
	if plain, err := NewRow(rows, s, "pass", Tokens).Load(ctx); err != nil || string(plain) != "p" {
		t.Errorf("%q %v", plain, err)
	}
	// What is new goes into the keyring, as it would without the other.
	if err := NewRow(rows, s, "new", Tokens).Store(ctx, nil); err != nil {
		t.Fatal(err)
	}
	if mark, _, err := ReadMark(ctx, rows, "new"); err != nil || mark.Kind != Keyring {
		t.Errorf("%+v %v", mark, err)
	}
}

func TestUnlock_TheFirstPassphraseIsKeptOnlyOnceSomethingIsSealed(t *testing.T) {
	ctx := t.Context()
	rows := newMemory()
	s := chosen(t, rows, &fakeRing{fail: errNoBus}, nil)
	if need, first := NeedsPassphrase(ctx, s); !need || !first {
		t.Errorf("%v %v", need, first)
	}
	if err := WhyNoKeyring(ctx, s); !problem.Has(err, problem.KeyringAbsent) {
		t.Errorf("%v", err)
	}
	if err := Unlock(ctx, s, NewText("typed")); err != nil {
		t.Fatal(err)
	}
	if err := Ready(ctx, rows, s, ""); err != nil {
		t.Fatal(err)
	}
	if _, version, _ := rows.Sealed(ctx, "", passphraseRow); version != 0 {
		t.Error("a passphrase nothing is sealed with is the only one for ever")
	}
	if err := NewRow(rows, s, "c", Tokens).Store(ctx, []byte("x")); err != nil {
		t.Fatal(err)
	}
	if plain, err := NewRow(rows, fromPassphrase(rows, NewText("typed"), quick), "c", Tokens).Load(ctx); err != nil || string(plain) != "x" {
		t.Errorf("%q %v", plain, err)
	}
	if need, _ := NeedsPassphrase(ctx, chosen(t, newMemory(), &fakeRing{entries: map[string]string{}}, nil)); need {
		t.Error("a keyring is there")
	}
}

// deaf is a keyring whose question a user dismissed: it reports that it stored the
// key, and did not.
type deaf struct{ *fakeRing }

func (deaf) Set(string, string, string) error { return nil }

func TestKeyring_ThatSaysItStoredAndDidNot(t *testing.T) {
	rows := newMemory()
	_, err := fromRing(rows, deaf{&fakeRing{entries: map[string]string{}}}).Seal(t.Context(), nil)
	if !problem.Has(err, problem.KeyringKeepsNothing) {
		t.Errorf("%v", err)
	}
	if _, version, _ := rows.Sealed(t.Context(), "", keyringRow); version != 0 {
		t.Error("the state names a key that does not exist")
	}
}

// interrupted rows let another process work after a number of readings.
type interrupted struct {
	*memory
	reads int
	other func()
}

func (i *interrupted) Sealed(ctx context.Context, connection, name string) ([]byte, int64, error) {
	data, version, err := i.memory.Sealed(ctx, connection, name)
	if i.reads--; i.reads == 0 {
		i.other()
	}
	return data, version, err
}

func TestKeyring_ReadingsAreNotMixed(t *testing.T) {
	for n := range 5 {
		rows, ring := newMemory(), &fakeRing{entries: map[string]string{}}
		done := n == 0
		one := fromRing(&interrupted{memory: rows, reads: n, other: func() {
			done = true
			if _, err := fromRing(rows, ring).Seal(t.Context(), nil); err != nil {
				t.Error(err)
			}
		}}, ring)
		if _, err := one.Seal(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		if done && len(ring.entries) != 1 {
			t.Errorf("after %d readings: %d keys", n, len(ring.entries))
		}
	}
}
