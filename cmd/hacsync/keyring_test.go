package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hacsync/hacsync/graphclient/simulator"
	"github.com/hacsync/hacsync/sync/secret/keyringtest"
	"github.com/hacsync/hacsync/sync/state"
)

// keyringCLI runs the program with a keyring.
type keyringCLI struct {
	t   *testing.T
	dir string
	sim string
}

func newKeyringCLI(t *testing.T) *keyringCLI {
	t.Helper()
	dir := t.TempDir()
	sim, err := simulator.Start(t.Context(), simulator.Options{Users: 60, Seed: 2, Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sim.Close() })
	ready := filepath.Join(dir, "ready.json")
	if err := sim.WriteReady(ready); err != nil {
		t.Fatal(err)
	}
	return &keyringCLI{t: t, dir: dir, sim: ready}
}

// run returns the exit code and all output. bus is where the keyring is.
func (k *keyringCLI) run(bus string, args ...string) (int, string) {
	k.t.Helper()
	cmd := exec.Command("hacsync", append(args, "--simulator", k.sim, "--state", state.FileURL(filepath.Join(k.dir, "state.db")))...)
	cmd.Dir = k.dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + k.dir, "LC_ALL=C", "DBUS_SESSION_BUS_ADDRESS=" + bus}
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		k.t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), said.String()
}

// expect runs a command that must end with a code and print some words.
func (k *keyringCLI) expect(bus string, code int, words []string, args ...string) {
	k.t.Helper()
	got, said := k.run(bus, args...)
	if got != code {
		k.t.Errorf("%v: exit code %d, want %d\n%s", args, got, code, said)
	}
	for _, w := range words {
		if !strings.Contains(said, w) {
			k.t.Errorf("%v: no %q in\n%s", args, w, said)
		}
	}
}

const sakura = "sakurasample"

func TestKeyring_IsUsedByTheNextProcessAndEmptiedByForget(t *testing.T) {
	home := keyringtest.NewHome(t)
	s := keyringtest.Start(t, home, keyringtest.Unlocked)
	k := newKeyringCLI(t)
	k.expect(s.Address(), 0, []string{"sealed under a key in the keyring"}, "connect")
	k.expect(s.Address(), 0, []string{"sakura.example"}, "domains")
	k.expect(s.Address(), 0, []string{"a key in the keyring of"}, "connections")
	k.expect(s.Address(), 0, []string{"The saved data opens"}, "check")

	// Locked: reported, and nothing changed.
	s.Stop()
	s = keyringtest.Start(t, home, keyringtest.Locked)
	k.expect(s.Address(), 1, []string{"HS-5057", "Unlock the keyring"}, "domains")
	k.expect(s.Address(), 1, []string{"HS-5057", "Unlock the keyring"}, "connect")
	k.expect(s.Address(), 1, []string{"[x ]", "Unlock the keyring"}, "check")

	// Over SSH there is none; an identity file does not open the data, and nothing
	// is sealed with it in addition.
	s.Stop()
	const none = "unix:path=/nonexistent"
	k.expect(none, 1, []string{"HS-5056", "over SSH", "--identity FILE"}, "domains")
	k.expect(none, 1, []string{"HS-5059", "a key in the keyring of", "connections forget"}, "connect", "--identity", "id.txt")
	k.expect(none, 1, []string{"HS-5059"}, "domains", "--identity", "id.txt")
	k.expect(none, 0, []string{"Saved as \"other\""}, "connect", "--identity", "id.txt", "--connection", "other")
	k.expect(none, 0, nil, "connections", "forget", "other", "--yes")

	// Unlocked again, it opens as before.
	s = keyringtest.Start(t, home, keyringtest.Unlocked)
	k.expect(s.Address(), 0, []string{"sakura.example"}, "domains")
	k.expect(s.Address(), 0, []string{"Saved as \"second\""}, "connect", "--connection", "second")
	k.expect(s.Address(), 0, []string{"is gone from this machine", "Its key stays in the keyring", "[Revoke sessions]"}, "connections", "forget", "second", "--yes")
	k.expect(s.Address(), 0, []string{"is gone from this machine", "gone from the keyring too"}, "connections", "forget", sakura, "--yes")
	k.expect(s.Address(), 0, []string{"No connection is saved"}, "connections")
}

func TestKeyring_SavedDataOfAnotherMachineIsReportedAndKept(t *testing.T) {
	k := newKeyringCLI(t)
	s := keyringtest.Start(t, keyringtest.NewHome(t), keyringtest.Unlocked)
	k.expect(s.Address(), 0, nil, "connect")
	s.Stop()
	there := keyringtest.Start(t, keyringtest.NewHome(t), keyringtest.Unlocked) // another machine's
	for _, command := range []string{"domains", "connect"} {
		k.expect(there.Address(), 1, []string{"HS-5058", "the keyring of", "connections forget NAME"}, command)
	}
	k.expect(there.Address(), 1, []string{"[x ]", "the keyring of"}, "check")
	k.expect(there.Address(), 0, nil, "connect", "--connection", "anew")
	k.expect(there.Address(), 0, nil, "domains", "--connection", "anew")
	k.expect(there.Address(), 1, []string{"HS-5058"}, "domains", "--connection", sakura)
	k.expect(there.Address(), 0, []string{"could not be taken out of the keyring of"}, "connections", "forget", sakura, "--yes")
	k.expect(there.Address(), 0, nil, "connect")
	k.expect(there.Address(), 0, nil, "domains", "--connection", sakura)
}

func TestKeyring_ThatStoresNothingIsKnownBeforeAnybodySignsIn(t *testing.T) {
	for condition, words := range map[keyringtest.Condition][]string{
		keyringtest.Full:      {"HS-5453", "does not store a key", "HACSYNC_PASSPHRASE"},
		keyringtest.Locked:    {"HS-5057"},
		keyringtest.NoService: {"HS-5056", "No keyring program"},
	} {
		k := newKeyringCLI(t)
		s := keyringtest.Start(t, keyringtest.NewHome(t), condition)
		code, said := k.run(s.Address(), "connect")
		if code != 1 || strings.Contains(said, "type the code") {
			t.Errorf("%s: %d %s", condition, code, said)
		}
		for _, w := range words {
			if !strings.Contains(said, w) {
				t.Errorf("%s: no %q in %s", condition, w, said)
			}
		}
		// Another way of sealing works at the same time.
		k.expect(s.Address(), 0, nil, "connect", "--identity", "id.txt")
	}
}

func TestReseal_TakesSavedDataFromADesktopToAServer(t *testing.T) {
	k := newKeyringCLI(t)
	s := keyringtest.Start(t, keyringtest.NewHome(t), keyringtest.Unlocked)
	k.expect(s.Address(), 0, nil, "connect")
	k.expect(s.Address(), 0, []string{"Made the identity file", "sealed with the identity file", "gone from the keyring too"},
		"connections", "reseal", sakura, "--to-identity", "id.txt")
	s.Stop()
	const none = "unix:path=/nonexistent"
	k.expect(none, 0, []string{"sakura.example"}, "domains", "--identity", "id.txt")
	k.expect(none, 1, []string{"HS-5059", "id.txt"}, "domains")
	k.expect(none, 1, []string{"HS-9101"}, "connections", "reseal", sakura)
	k.expect(none, 1, []string{"HS-5056"}, "connections", "reseal", sakura, "--identity", "id.txt", "--to-keyring")
	k.expect(none, 1, []string{"HS-5458"}, "connections", "reseal", sakura, "--identity", "id.txt", "--to-passphrase")
	k.expect(none, 0, []string{"sakura.example"}, "domains", "--identity", "id.txt")
}
