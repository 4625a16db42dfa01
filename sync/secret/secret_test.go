package secret

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"filippo.io/age"
	"github.com/zalando/go-keyring"

	"github.com/hacsync/hacsync/sync/problem"
)

func TestText_NeverPrints(t *testing.T) {
	type inside struct {
		Open   Text
		closed Text
		Deep   map[string][]*Text
	}
	text := NewText("hunter2")
	all := map[string]any{
		"itself": text, "pointer": &text,
		"struct": inside{text, text, map[string][]*Text{"a": {&text}}},
		"slice":  []Text{text}, "error": fmt.Errorf("wrapped %v %w", text, errors.New("x")),
	}
	var log bytes.Buffer
	loggers := []*slog.Logger{
		slog.New(slog.NewJSONHandler(&log, nil)), slog.New(slog.NewTextHandler(&log, nil)),
	}
	for name, v := range all {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%p", "%T", "%10.3s", "%t"} {
			if got := fmt.Sprintf(verb, v); strings.Contains(got, "hunter2") || strings.Contains(strings.ToLower(got), "68756e74657232") {
				t.Errorf("%s as %s: %s", name, verb, got)
			}
		}
		if got, err := json.Marshal(v); err != nil || strings.Contains(string(got), "hunter2") {
			t.Errorf("%s as JSON: %s %v", name, got, err)
		}
		for _, l := range loggers {
			l.Info("text", "v", v)
		}
	}
	if got, err := xml.Marshal(text); err != nil || strings.Contains(string(got), "hunter2") {
		t.Errorf("as XML: %s %v", got, err)
	}
	if strings.Contains(log.String(), "hunter2") {
		t.Errorf("in the log: %s", log.String())
	}
	if text.Reveal() != "hunter2" || text.Empty() || !(Text{}).Empty() || (Text{}).Reveal() != "" || !NewText("").Empty() {
		t.Error("the text itself is wrong")
	}
}

// memory is Rows without a database.
type memory struct {
	mu   sync.Mutex
	rows map[string][]byte
	vers map[string]int64
	last int64
	// before runs ahead of a save, to let another process be quicker.
	before func()
}

func newMemory() *memory { return &memory{rows: map[string][]byte{}, vers: map[string]int64{}} }

func (m *memory) Sealed(_ context.Context, connection, name string) ([]byte, int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	k := connection + "\n" + name
	return m.rows[k], m.vers[k], nil
}

func (m *memory) SaveSealed(_ context.Context, connection, name string, sealed []byte, version int64) error {
	m.mu.Lock()
	before := m.before
	m.before = nil
	m.mu.Unlock()
	if before != nil {
		before()
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	k := connection + "\n" + name
	if m.vers[k] != version {
		return ErrStale
	}
	m.last++
	m.rows[k], m.vers[k] = sealed, m.last
	return nil
}

func (m *memory) RemoveSealed(_ context.Context, connection, name string, version int64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	k := connection + "\n" + name
	if version == 0 || m.vers[k] != version {
		return ErrStale
	}
	delete(m.rows, k)
	delete(m.vers, k)
	return nil
}

func (m *memory) SealedNames(context.Context) ([]RowName, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []RowName
	for k := range m.rows {
		connection, name, _ := strings.Cut(k, "\n")
		all = append(all, RowName{connection, name})
	}
	return all, nil
}

// forget removes a connection as the state does.
func (m *memory) forget(connection string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for k := range m.rows {
		if strings.HasPrefix(k, connection+"\n") {
			delete(m.rows, k)
			delete(m.vers, k)
		}
	}
}

// quick is a work factor for tests: the real one takes most of a second.
const quick = 2

func roundTrip(t *testing.T, s, same, other Sealer) {
	t.Helper()
	ctx := t.Context()
	sealed, err := s.Seal(ctx, []byte("tokens"))
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(sealed, []byte("tokens")) {
		t.Error("sealed in clear")
	}
	if plain, err := same.Open(ctx, sealed); err != nil || string(plain) != "tokens" {
		t.Errorf("the same key: %q %v", plain, err)
	}
	if _, err := other.Open(ctx, sealed); !errors.Is(err, ErrOtherKey) {
		t.Errorf("another key: %v", err)
	}
	for _, i := range []int{0, len(sealed) / 2, len(sealed) - 1} {
		changed := bytes.Clone(sealed)
		changed[i] ^= 1
		if _, err := s.Open(ctx, changed); !errors.Is(err, ErrOtherKey) && !problem.Has(err, problem.SealedDamaged) {
			t.Errorf("changed at %d: %v", i, err)
		}
	}
	if _, err := s.Open(ctx, nil); !problem.Has(err, problem.SealedDamaged) {
		t.Errorf("nothing: %v", err)
	}
}

func identityFile(t *testing.T) (string, Sealer) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "new", "identity")
	if err := GenerateIdentity(path); err != nil {
		t.Fatal(err)
	}
	s, err := FromIdentityFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return path, s
}

func TestIdentity_SealsForTheSameFileAlone(t *testing.T) {
	path, s := identityFile(t)
	same, err := FromIdentityFile(path)
	if err != nil {
		t.Fatal(err)
	}
	_, other := identityFile(t)
	roundTrip(t, s, same, other)
	if s.Kind() != Identity || s.Name() != path {
		t.Errorf("%s %s", s.Kind(), s.Name())
	}
}

func TestIdentity_SeveralInOneFileAllOpen(t *testing.T) {
	one, two := must(t, age.GenerateX25519Identity), must(t, age.GenerateX25519Identity)
	dir := t.TempDir()
	file := func(name string, ids ...*age.X25519Identity) Sealer {
		var b strings.Builder
		for _, id := range ids {
			fmt.Fprintf(&b, "# a comment\n\n%s\r\n", id)
		}
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := FromIdentityFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	old, both := file("old", one), file("both", two, one)
	sealed, err := old.Seal(t.Context(), []byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := both.Open(t.Context(), sealed); err != nil {
		t.Error(err)
	}
	roundTrip(t, both, file("new", two), old)
}

func must[T any](t *testing.T, f func() (T, error)) T {
	t.Helper()
	v, err := f()
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestIdentity_ProblemsOfTheFile(t *testing.T) {
	dir := t.TempDir()
	id := must(t, age.GenerateX25519Identity).String()
	write := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	cases := map[string]struct {
		path string
		want problem.Code
	}{
		"missing":      {filepath.Join(dir, "none"), problem.IdentityMissing},
		"a folder":     {dir, problem.IdentityInvalid},
		"empty":        {write("empty", "", 0o600), problem.IdentityInvalid},
		"a public key": {write("public", "age1abc\n", 0o600), problem.IdentityInvalid},
		"cut":          {write("cut", id[:40], 0o600), problem.IdentityInvalid},
	}
	for why, text := range map[string]string{
		"empty": " \n", "public": "# mine\nage1abc\n", "encrypted": "age-encryption.org/v1\n-> scrypt x 18\n", "plugin": "AGE-PLUGIN-YUBIKEY-1X\n",
		"other": "-----BEGIN OPENSSH PRIVATE KEY-----\n", "encoding": "\x8c\xae\n", "": id[:40],
	} {
		_, err := FromIdentityFile(write("why", text, 0o600))
		if p := problem.Of(err); !problem.Has(err, problem.IdentityInvalid) || p.Args["why"] != why {
			t.Errorf("%q: %v, want %q", text[:3], err, why)
		}
	}
	if runtime.GOOS != "windows" {
		for _, mode := range []os.FileMode{0o604, 0o640, 0o660, 0o601} {
			name := fmt.Sprintf("%o", mode)
			cases[name] = struct {
				path string
				want problem.Code
			}{write(name, id, mode), problem.IdentityExposed}
		}
	}
	for name, c := range cases {
		_, err := FromIdentityFile(c.path)
		if p := problem.Of(err); p == nil || p.Code != c.want || p.Args["file"] != c.path {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil && strings.Contains(strings.ToUpper(err.Error()), strings.ToUpper(id[20:40])) {
			t.Errorf("%s: the error shows the key: %v", name, err)
		}
	}
}

func TestIdentity_IsReadAsEditorsAndShellsSaveIt(t *testing.T) {
	path, _ := identityFile(t)
	raw := must(t, func() ([]byte, error) { return os.ReadFile(path) })
	crlf := bytes.ReplaceAll(raw, []byte("\n"), []byte("\r\n"))
	wide := []byte{0xff, 0xfe}
	for _, b := range crlf {
		wide = append(wide, b, 0)
	}
	comment := append([]byte("# \x8c\xae\n"), raw...) // Shift_JIS
	for name, saved := range map[string][]byte{
		"CRLF": crlf, "with a mark": append([]byte("\xef\xbb\xbf"), crlf...), "PowerShell": wide, "with a comment": comment,
	} {
		if err := os.WriteFile(path, saved, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := FromIdentityFile(path); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestGenerateIdentity_ReplacesNothing(t *testing.T) {
	path, _ := identityFile(t)
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := GenerateIdentity(path); !problem.Has(err, problem.IdentityExists) {
		t.Errorf("%v", err)
	}
	if after, err := os.ReadFile(path); err != nil || !bytes.Equal(before, after) {
		t.Errorf("the file was changed: %v", err)
	}
	if info, err := os.Stat(path); runtime.GOOS != "windows" && (err != nil || info.Mode().Perm() != 0o600) {
		t.Errorf("%v %v", info.Mode(), err)
	}
}

func TestPassphrase_SealsForTheSameStateAndPassphrase(t *testing.T) {
	rows := newMemory()
	p := func(rows Rows, text string) Sealer { return fromPassphrase(rows, NewText(text), quick) }
	roundTrip(t, p(rows, "right"), p(rows, "right"), p(newMemory(), "right"))
	before, _, _ := rows.Sealed(t.Context(), "", passphraseRow)
	for _, s := range []Sealer{p(rows, "wrong"), p(rows, "Right")} {
		if _, err := s.Seal(t.Context(), []byte("x")); !problem.Has(err, problem.PassphraseWrong) {
			t.Errorf("seal: %v", err)
		}
		if _, err := s.Open(t.Context(), []byte("x")); !problem.Has(err, problem.PassphraseWrong) {
			t.Errorf("open: %v", err)
		}
	}
	if after, _, _ := rows.Sealed(t.Context(), "", passphraseRow); !bytes.Equal(before, after) {
		t.Error("a wrong passphrase changed the row")
	}
	if bytes.Contains(before, []byte("right")) || bytes.Contains(before, []byte("AGE-SECRET-KEY")) {
		t.Errorf("in clear: %s", before)
	}
}

func TestPassphrase_OfTwoProcessesOneMakesTheKey(t *testing.T) {
	rows := newMemory()
	one, two := fromPassphrase(rows, NewText("p"), quick), fromPassphrase(rows, NewText("p"), quick)
	var sealed []byte
	rows.before = func() {
		var err error
		if sealed, err = two.Seal(t.Context(), []byte("x")); err != nil {
			t.Error(err)
		}
	}
	if plain, err := one.Seal(t.Context(), []byte("x")); err != nil || plain == nil {
		t.Fatal(err)
	}
	if plain, err := one.Open(t.Context(), sealed); err != nil || string(plain) != "x" {
		t.Errorf("%q %v", plain, err)
	}
}

// counting counts how often the row of the passphrase is read: once for each
// derivation.
type counting struct {
	*memory
	reads int
}

func (c *counting) Sealed(ctx context.Context, connection, name string) ([]byte, int64, error) {
	c.reads++
	return c.memory.Sealed(ctx, connection, name)
}

func TestPassphrase_IsDerivedOnceAProcess(t *testing.T) {
	rows := &counting{memory: newMemory()}
	s := fromPassphrase(rows, NewText("p"), quick)
	if rows.reads != 0 {
		t.Error("derived before it was needed")
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			sealed, err := s.Seal(t.Context(), []byte("x"))
			if err == nil {
				_, err = s.Open(t.Context(), sealed)
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if rows.reads != 1 {
		t.Errorf("derived %d times", rows.reads)
	}
}

func TestPassphrase_ARowOfANewerProgramIsLeftAlone(t *testing.T) {
	rows := newMemory()
	if err := rows.SaveSealed(t.Context(), "", passphraseRow, []byte(`{"version":2}`), 0); err != nil {
		t.Fatal(err)
	}
	if _, err := fromPassphrase(rows, NewText("p"), quick).Seal(t.Context(), nil); !problem.Has(err, problem.SealedNewer) {
		t.Errorf("%v", err)
	}
}

func TestKeyring_KeepsOneKeyAState(t *testing.T) {
	keyring.MockInit()
	rows, elsewhere := newMemory(), newMemory()
	roundTrip(t, FromKeyring(rows), FromKeyring(rows), FromKeyring(elsewhere))
	sealed, err := FromKeyring(rows).Seal(t.Context(), []byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	keyring.MockInit() // another machine: the state came, the keyring did not
	if _, err := FromKeyring(rows).Open(t.Context(), sealed); !problem.Has(err, problem.KeyringEmpty) {
		t.Errorf("%v", err)
	}
	// What is new there gets a key of that keyring; the other stays named.
	roundTrip(t, FromKeyring(rows), FromKeyring(rows), FromKeyring(newMemory()))
	row, _, err := (&keyringKey{rows: rows}).row(t.Context())
	if err != nil || len(row.publics()) != 2 {
		t.Errorf("%v %v", row.publics(), err)
	}
}

func TestKeyring_OfTwoProcessesOneMakesTheKey(t *testing.T) {
	keyring.MockInit()
	rows := newMemory()
	one, two := FromKeyring(rows), FromKeyring(rows)
	var sealed []byte
	rows.before = func() {
		var err error
		if sealed, err = two.Seal(t.Context(), []byte("x")); err != nil {
			t.Error(err)
		}
	}
	if _, err := one.Seal(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if plain, err := one.Open(t.Context(), sealed); err != nil || string(plain) != "x" {
		t.Errorf("%q %v", plain, err)
	}
}

func TestKeyring_ThatDoesNotAnswerNamesTheOtherWays(t *testing.T) {
	for text, want := range map[string]problem.Code{
		"The name org.freedesktop.secrets was not provided by any .service files": problem.KeyringAbsent,
		"dial unix /run/user/0/bus: connect: no such file or directory":           problem.KeyringAbsent,
		"exec: \"dbus-launch\": executable file not found in $PATH":               problem.KeyringAbsent,
		"failed to unlock correct collection '/org/freedesktop/secrets/aliases'":  problem.KeyringRefused,
		"prompt dismissed": problem.KeyringRefused,
		"exit status 128":  problem.KeyringRefused,
	} {
		keyring.MockInitWithError(errors.New(text))
		if _, err := FromKeyring(newMemory()).Seal(t.Context(), nil); !problem.Has(err, want) {
			t.Errorf("%s: %v", text, err)
		}
	}
	keyring.MockInit()
}

// stuck is a keyring that waits for a user.
type stuck struct{ osKeyring }

func (stuck) Set(string, string, string) error { select {} }

func TestKeyring_ThatAsksDoesNotHoldAnInterruptedProgram(t *testing.T) {
	k := &keyringKey{rows: newMemory(), ring: &asked{ring: stuck{}}}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := k.make(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func TestChoose_FileThenPassphraseThenKeyring(t *testing.T) {
	path, _ := identityFile(t)
	for _, c := range []struct {
		o    Options
		want Kind
	}{
		{Options{Identity: path, Passphrase: NewText("p")}, Identity},
		{Options{Passphrase: NewText("p")}, Passphrase},
		{Options{}, Keyring},
	} {
		c.o.Rows = newMemory()
		s, err := Choose(t.Context(), c.o)
		if err != nil || s.Kind() != c.want {
			t.Errorf("%v: %v", c.want, err)
		}
	}
	if _, err := Choose(t.Context(), Options{Identity: path + "x", Passphrase: NewText("p")}); !problem.Has(err, problem.IdentityMissing) {
		t.Errorf("a missing file falls through to the passphrase: %v", err)
	}
}

// fromPassphrase is FromPassphrase for tests: it takes any passphrase, and is quick.
func fromPassphrase(rows Rows, passphrase Text, work int) Sealer {
	return passphraseSealer(&passphraseKey{rows: rows, passphrase: passphrase, work: work})
}
