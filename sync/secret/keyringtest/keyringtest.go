// Package keyringtest gives tests a Secret Service of their own: gnome-keyring on a
// D-Bus session that ends with the test. It never uses a keyring of the machine.
// Start with Start.
//
// Tests that need it are skipped if the programs are missing, unless
// HACSYNC_TEST_KEYRING is set: then they fail.
package keyringtest

import (
	"bufio"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// Condition is the state of the keyring at its start.
type Condition string

// The conditions.
const (
	Unlocked Condition = "unlocked"
	// Locked: a user has to unlock it at a screen, and there is none: the question
	// counts as cancelled.
	Locked Condition = "locked"
	// NoService: a D-Bus session without a secret service.
	NoService Condition = "no-service"
	// Full: it is unlocked, and cannot write.
	Full Condition = "full"
)

// prepare is the shell that puts the keyring into its condition. A keyring whose
// folder is no folder cannot be written even by root, who may write everywhere.
const prepare = `
send() { dbus-send --session --print-reply --dest=org.freedesktop.secrets "$@" >/dev/null 2>&1; }
service=/org/freedesktop/secrets
if [ "$CONDITION" != no-service ]; then
  printf password >"$HOME/password"
  gnome-keyring-daemon --foreground --unlock --components=secrets <"$HOME/password" >/dev/null 2>&1 &
  daemon=$!
  trap 'kill $daemon' EXIT
  for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    [ -s "$XDG_DATA_HOME/keyrings/login.keyring" ] &&
      send $service/collection/login org.freedesktop.DBus.Properties.Get \
        string:org.freedesktop.Secret.Collection string:Label && break
    sleep 0.1
  done
fi
case "$CONDITION" in
locked) send $service org.freedesktop.Secret.Service.Lock array:objpath:$service/collection/login ;;
full)
  mv "$XDG_DATA_HOME/keyrings" "$XDG_DATA_HOME/away"
  : >"$XDG_DATA_HOME/keyrings"
  ;;
esac
echo "bus $DBUS_SESSION_BUS_ADDRESS"
cat
`

// noServices is a D-Bus session that starts no program by itself, neither a keyring
// nor a program that would ask for its password.
const noServices = `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:tmpdir=/tmp</listen>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
`

// Home is where a keyring keeps its files. Keyrings that are started one after
// the other with the same Home are the same keyring.
type Home string

// NewHome makes an empty one.
func NewHome(t testing.TB) Home {
	t.Helper()
	// The paths of sockets must be short: not the test's own folder.
	dir, err := os.MkdirTemp("", "hacsync-keyring")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	for _, d := range []string{"run", "data"} {
		if err := os.Mkdir(filepath.Join(dir, d), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return Home(dir)
}

// Session is a running keyring.
type Session struct {
	address string
	stop    func()
}

// Start starts a keyring. It stops with the test, or before by Stop.
func Start(t testing.TB, home Home, condition Condition) *Session {
	t.Helper()
	for _, program := range []string{"dbus-run-session", "dbus-send", "gnome-keyring-daemon"} {
		if _, err := exec.LookPath(program); err == nil {
			continue
		}
		if os.Getenv("HACSYNC_TEST_KEYRING") != "" {
			t.Fatalf("there is no %s", program)
		}
		t.Skipf("there is no %s", program)
	}
	config := filepath.Join(string(home), "bus.conf")
	if err := os.WriteFile(config, []byte(noServices), 0o600); err != nil {
		t.Fatal(err)
	}
	// It ends by the end of its input, so that it can clear up.
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), "dbus-run-session", "--config-file="+config, "--", "sh", "-c", prepare)
	cmd.Env = append(without(os.Environ(), "DISPLAY", "WAYLAND_DISPLAY", "DBUS_SESSION_BUS_ADDRESS"),
		"CONDITION="+string(condition), "HOME="+string(home),
		"XDG_RUNTIME_DIR="+filepath.Join(string(home), "run"), "XDG_DATA_HOME="+filepath.Join(string(home), "data"))
	input, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	output, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s := &Session{}
	s.stop = func() {
		_ = input.Close()
		timer := time.AfterFunc(10*time.Second, func() { _ = cmd.Process.Kill() })
		_, _ = io.Copy(io.Discard, output)
		_ = cmd.Wait()
		timer.Stop()
		s.stop = func() {}
	}
	t.Cleanup(s.Stop)
	line, err := bufio.NewReader(output).ReadString('\n')
	address, ok := strings.CutPrefix(strings.TrimSpace(line), "bus ")
	if err != nil || !ok {
		t.Fatalf("no keyring: %q %v", line, err)
	}
	s.address = address
	return s
}

// Stop ends the keyring.
func (s *Session) Stop() { s.stop() }

// Address returns the value of DBUS_SESSION_BUS_ADDRESS for programs that use it.
func (s *Session) Address() string { return s.address }

// without returns an environment without some variables.
func without(env []string, names ...string) []string {
	return slices.DeleteFunc(env, func(kv string) bool {
		name, _, _ := strings.Cut(kv, "=")
		return slices.Contains(names, name)
	})
}
