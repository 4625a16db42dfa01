package secret_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/zalando/go-keyring"

	"github.com/hacsync/hacsync/sync/consent"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/secret"
	"github.com/hacsync/hacsync/sync/secret/keyringtest"
	"github.com/hacsync/hacsync/sync/state"
)

// Tests of what several processes do to one state and one keyring: each process is
// this program, started again with its orders in childVariable.
const childVariable = "HACSYNC_TEST_CHILD"

func TestMain(m *testing.M) {
	if order := os.Getenv(childVariable); order != "" {
		var o orders
		if err := json.Unmarshal([]byte(order), &o); err != nil {
			panic(err)
		}
		_ = json.NewEncoder(os.Stdout).Encode(o.obey(context.Background()))
		return
	}
	os.Exit(m.Run())
}

// orders are what one process does.
type orders struct {
	State, Identity  string
	Do               string // load, store, hammer, forget, remove
	Connection, Name string
	Text             string
	Times            int
}

// outcome is the result of one process.
type outcome struct {
	Text, Error string
	Code        problem.Code
	Args        problem.Args
	Mark        secret.Mark
	Fate        secret.Fate
}

func (o orders) obey(ctx context.Context) (out outcome) {
	err := o.try(ctx, &out)
	if err != nil {
		out.Error = err.Error()
		if p := problem.Of(err); p != nil {
			out.Code, out.Args = p.Code, p.Args
		}
	}
	return out
}

func (o orders) try(ctx context.Context, out *outcome) error {
	store, err := state.Open(ctx, o.State, nil)
	if err != nil {
		return err
	}
	defer func() { _ = store.Close() }()
	sealer, err := secret.Choose(ctx, secret.Options{
		Identity: o.Identity, Passphrase: secret.NewText(os.Getenv(secret.PassphraseVariable)), Rows: store,
	})
	if err != nil {
		return err
	}
	if o.Name == "" {
		o.Name = secret.Tokens
	}
	row := secret.NewRow(store, sealer, o.Connection, o.Name)
	switch o.Do {
	case "load":
		plain, err := row.Load(ctx)
		if err != nil {
			return err
		}
		out.Text = string(plain)
	case "store":
		if err := secret.Ready(ctx, store, sealer, o.Connection); err != nil {
			return err
		}
		if err := row.Store(ctx, []byte(o.Text)); err != nil {
			return err
		}
	case "hammer":
		for i := range o.Times {
			if err := row.Store(ctx, fmt.Appendf(nil, "%s %d", o.Text, i)); err != nil {
				return err
			}
			plain, err := row.Load(ctx)
			if err != nil {
				return err
			}
			if who, number, ok := strings.Cut(string(plain), " "); !ok || !strings.HasPrefix(who, "process") || number == "" {
				return fmt.Errorf("half a row: %q", plain)
			}
		}
	case "forget":
		mark, _, err := secret.ReadMark(ctx, store, o.Connection)
		if err != nil {
			return err
		}
		if err := store.ForgetConnection(ctx, o.Connection); err != nil {
			return err
		}
		out.Fate, err = secret.Release(ctx, store, mark)
		return err
	case "remove":
		return keyring.Delete("hacsync", o.Text)
	case "get":
		_, err := keyring.Get("hacsync", o.Text)
		return err
	default:
		return errors.New("what?")
	}
	out.Mark, _, err = secret.ReadMark(ctx, store, o.Connection)
	return err
}

// process starts one; the returned function returns its outcome.
func process(t *testing.T, o orders, env ...string) func() outcome {
	t.Helper()
	order, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), append(env, childVariable+"="+string(order))...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return func() (out outcome) {
		if err := cmd.Wait(); err != nil {
			t.Errorf("%v\n%s", err, stderr.String())
		}
		if err := json.Unmarshal(stdout.Bytes(), &out); err != nil {
			t.Errorf("%v: %s", err, stdout.String())
		}
		return out
	}
}

func newState(t *testing.T) string {
	t.Helper()
	return state.FileURL(filepath.Join(t.TempDir(), "state.db"))
}

func bus(s *keyringtest.Session) string { return "DBUS_SESSION_BUS_ADDRESS=" + s.Address() }

// rowsOf returns all sealed rows of a state, as they are stored.
func rowsOf(t *testing.T, url string) map[secret.RowName]string {
	t.Helper()
	store, err := state.Open(t.Context(), url, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	names, err := store.SealedNames(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	all := map[secret.RowName]string{}
	for _, n := range names {
		data, _, err := store.Sealed(t.Context(), n.Connection, n.Name)
		if err != nil {
			t.Fatal(err)
		}
		all[n] = string(data)
	}
	return all
}

func TestProcesses_WritingOneRowLoseNothing(t *testing.T) {
	url := newState(t)
	identity := filepath.Join(t.TempDir(), "identity")
	if err := secret.GenerateIdentity(identity); err != nil {
		t.Fatal(err)
	}
	var waits []func() outcome
	for i := range 3 {
		waits = append(waits, process(t, orders{
			State: url, Identity: identity, Do: "hammer", Connection: "c", Text: fmt.Sprint("process", i), Times: 25,
		}))
	}
	for _, wait := range waits {
		if out := wait(); out.Error != "" {
			t.Error(out.Error)
		}
	}
	out := process(t, orders{State: url, Identity: identity, Do: "load", Connection: "c"})()
	if !strings.HasSuffix(out.Text, " 24") {
		t.Errorf("the last one is lost: %+v", out)
	}
}

func TestProcesses_UnderTwoPassphrasesOneWins(t *testing.T) {
	url := newState(t)
	var waits []func() outcome
	for _, p := range []string{"the first passphrase", "the second passphrase"} {
		waits = append(waits, process(t, orders{State: url, Do: "store", Connection: "c", Text: p}, secret.PassphraseVariable+"="+p))
	}
	codes := map[problem.Code]int{}
	for _, wait := range waits {
		codes[wait().Code]++
	}
	if codes[""] != 1 || codes[problem.PassphraseWrong] != 1 {
		t.Errorf("%v", codes)
	}
}

func TestKeyring_RealUnlockedIsOpenedByTheNextProcess(t *testing.T) {
	home, url := keyringtest.NewHome(t), newState(t)
	s := keyringtest.Start(t, home, keyringtest.Unlocked)
	if out := process(t, orders{State: url, Do: "store", Connection: "c", Text: "tokens"}, bus(s))(); out.Error != "" || out.Mark.Kind != secret.Keyring {
		t.Fatalf("%+v", out)
	}
	if out := process(t, orders{State: url, Do: "load", Connection: "c"}, bus(s))(); out.Text != "tokens" {
		t.Fatalf("%+v", out)
	}
	// After the next login, too.
	s.Stop()
	s = keyringtest.Start(t, home, keyringtest.Unlocked)
	if out := process(t, orders{State: url, Do: "load", Connection: "c"}, bus(s))(); out.Text != "tokens" {
		t.Fatalf("%+v", out)
	}
	// Locked, it is refused and kept.
	s.Stop()
	before := rowsOf(t, url)
	s = keyringtest.Start(t, home, keyringtest.Locked)
	for _, do := range []string{"load", "store"} {
		if out := process(t, orders{State: url, Do: do, Connection: "c", Text: "x"}, bus(s))(); out.Code != problem.KeyringRefused {
			t.Errorf("%s: %+v", do, out)
		}
	}
	same(t, before, rowsOf(t, url))
	// The entry is small: Windows takes 2,560 bytes.
	s.Stop()
	for n, data := range before {
		if strings.Contains(data, "AGE-SECRET-KEY") {
			t.Errorf("the key is in the state: %v", n)
		}
	}
}

func same(t *testing.T, before, after map[secret.RowName]string) {
	t.Helper()
	for n, data := range before {
		if after[n] != data {
			t.Errorf("%v was changed", n)
		}
	}
	for n := range after {
		if _, ok := before[n]; !ok {
			t.Errorf("%v is new", n)
		}
	}
}

func TestKeyring_RealThatCannotKeepAKeyIsSaidAndLeavesNothing(t *testing.T) {
	for condition, want := range map[keyringtest.Condition]problem.Code{
		keyringtest.Locked:    problem.KeyringRefused,
		keyringtest.NoService: problem.KeyringAbsent,
		keyringtest.Full:      problem.KeyringKeepsNothing,
	} {
		t.Run(string(condition), func(t *testing.T) {
			url := newState(t)
			s := keyringtest.Start(t, keyringtest.NewHome(t), condition)
			out := process(t, orders{State: url, Do: "store", Connection: "c", Text: "x"}, bus(s))()
			if out.Code != want {
				t.Errorf("%+v", out)
			}
			if condition == keyringtest.NoService && out.Args["why"] != "service" {
				t.Errorf("%+v", out)
			}
			same(t, nil, rowsOf(t, url))
		})
	}
	t.Run("no bus", func(t *testing.T) {
		url := newState(t)
		out := process(t, orders{State: url, Do: "store", Connection: "c", Text: "x"}, "DBUS_SESSION_BUS_ADDRESS=unix:path=/nonexistent")()
		if out.Code != problem.KeyringAbsent || out.Args["why"] != "bus" {
			t.Errorf("%+v", out)
		}
		same(t, nil, rowsOf(t, url))
	})
}

func TestKeyring_RealEntryRemovedBetweenTwoProcesses(t *testing.T) {
	url := newState(t)
	s := keyringtest.Start(t, keyringtest.NewHome(t), keyringtest.Unlocked)
	do := func(o orders) outcome {
		o.State = url
		return process(t, o, bus(s))()
	}
	made := do(orders{Do: "store", Connection: "c", Text: "tokens"})
	if made.Error != "" {
		t.Fatal(made.Error)
	}
	if out := do(orders{Do: "remove", Text: made.Mark.Key}); out.Error != "" {
		t.Fatal(out.Error)
	}
	before := rowsOf(t, url)
	for _, o := range []orders{
		{Do: "load"}, {Do: "store", Text: "x"}, {Do: "store", Name: secret.Certificate, Text: "x"},
	} {
		o.Connection = "c"
		if out := do(o); out.Code != problem.KeyringEmpty || out.Args["where"] != made.Mark.Where || out.Args["where"] == "" {
			t.Errorf("%s: %+v", o.Do, out)
		}
	}
	same(t, before, rowsOf(t, url))
	// A new key under another name; and what was kept is removed only by an
	// explicit command.
	if out := do(orders{Do: "store", Connection: "d", Text: "new"}); out.Error != "" || out.Mark.Key == made.Mark.Key {
		t.Errorf("%+v", out)
	}
	if out := do(orders{Do: "load", Connection: "d"}); out.Text != "new" {
		t.Errorf("%+v", out)
	}
	if out := do(orders{Do: "forget", Connection: "c"}); out.Error != "" || out.Fate != secret.KeyLeft {
		t.Errorf("%+v", out)
	}
	if out := do(orders{Do: "load", Connection: "d"}); out.Text != "new" {
		t.Errorf("%+v", out)
	}
}

func TestKeyring_RealIsEmptiedWithTheLastRow(t *testing.T) {
	url := newState(t)
	s := keyringtest.Start(t, keyringtest.NewHome(t), keyringtest.Unlocked)
	do := func(o orders) outcome {
		o.State = url
		return process(t, o, bus(s))()
	}
	one := do(orders{Do: "store", Connection: "c", Text: "x"})
	two := do(orders{Do: "store", Connection: "d", Text: "x"})
	if one.Error != "" || one.Mark != two.Mark {
		t.Fatalf("%+v %+v", one, two)
	}
	if out := do(orders{Do: "forget", Connection: "c"}); out.Fate != secret.KeyShared {
		t.Errorf("%+v", out)
	}
	if out := do(orders{Do: "get", Text: one.Mark.Key}); out.Error != "" {
		t.Errorf("%+v", out)
	}
	if out := do(orders{Do: "forget", Connection: "d"}); out.Fate != secret.KeyRemoved {
		t.Errorf("%+v", out)
	}
	if out := do(orders{Do: "get", Text: one.Mark.Key}); out.Error != keyring.ErrNotFound.Error() {
		t.Errorf("the key is still there: %+v", out)
	}
	same(t, nil, rowsOf(t, url))
}

func TestKeyring_RealOfProcessesAtOnceOneMakesTheKey(t *testing.T) {
	url := newState(t)
	s := keyringtest.Start(t, keyringtest.NewHome(t), keyringtest.Unlocked)
	var waits []func() outcome
	for i := range 5 {
		waits = append(waits, process(t, orders{State: url, Do: "store", Connection: fmt.Sprint("c", i), Text: "x"}, bus(s)))
	}
	keys := map[string]bool{}
	for _, wait := range waits {
		out := wait()
		if out.Error != "" {
			t.Fatalf("%+v", out)
		}
		keys[out.Mark.Key] = true
	}
	if len(keys) != 1 {
		t.Errorf("%d keys", len(keys))
	}
	for i := range 5 {
		if out := process(t, orders{State: url, Do: "load", Connection: fmt.Sprint("c", i)}, bus(s))(); out.Text != "x" {
			t.Errorf("%+v", out)
		}
	}
}

// Rows are a consent.Cache, which secret itself does not know.
var _ consent.Cache = (*secret.Row)(nil)

func TestReseal_MovesAllRowsAtOnceOrNone(t *testing.T) {
	ctx := t.Context()
	store, err := state.Open(ctx, newState(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	sealer := func() secret.Sealer {
		path := filepath.Join(t.TempDir(), "identity")
		if err := secret.GenerateIdentity(path); err != nil {
			t.Fatal(err)
		}
		s, err := secret.FromIdentityFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	old, next := sealer(), sealer()
	running := secret.NewRow(store, old, "c", secret.Tokens)
	for name, r := range map[string]*secret.Row{"tokens": running, "key": secret.NewRow(store, old, "c", secret.Certificate)} {
		if err := r.Store(ctx, []byte(name)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := secret.Reseal(ctx, store, next, old, "c"); !problem.Has(err, problem.SealedElsewhere) {
		t.Errorf("opened with the wrong key: %v", err)
	}
	if _, err := secret.Reseal(ctx, &meddled{store, func() {
		if err := running.Store(ctx, []byte("newer")); err != nil {
			t.Error(err)
		}
	}}, old, next, "c"); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{secret.Tokens: "newer", secret.Certificate: "key"} {
		if plain, err := secret.NewRow(store, next, "c", name).Load(ctx); err != nil || string(plain) != want {
			t.Errorf("%s: %q %v", name, plain, err)
		}
		if _, err := secret.NewRow(store, old, "c", name).Load(ctx); !problem.Has(err, problem.SealedElsewhere) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// A process that still has the old key does not bring it back.
	if err := running.Store(ctx, []byte("old")); err == nil {
		t.Error("sealed under the old key")
	}
	if _, err := secret.Reseal(ctx, store, old, next, "none"); !problem.Has(err, problem.NoSavedData) {
		t.Errorf("%v", err)
	}
}

// meddled lets another process write directly before the first change.
type meddled struct {
	*state.Store
	first func()
}

func (m *meddled) ChangeSealed(ctx context.Context, connection string, changes []secret.Change) error {
	if first := m.first; first != nil {
		m.first = nil
		first()
	}
	return m.Store.ChangeSealed(ctx, connection, changes)
}
