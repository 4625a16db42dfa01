package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// pane is a terminal of tmux in which the real program runs.
type pane struct {
	t      *testing.T
	socket string
}

// openPane starts hacsync in a terminal of a size; its exit code is shown in the
// pane as "exit=N".
func openPane(t *testing.T, width, height int, env, args string) pane {
	t.Helper()
	if _, err := exec.LookPath("tmux"); err != nil {
		t.Skip("tmux is not installed")
	}
	dir := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(self, filepath.Join(dir, "hacsync")); err != nil {
		t.Fatal(err)
	}
	// The path of a socket must be short.
	sockets, err := os.MkdirTemp("", "hs")
	if err != nil {
		t.Fatal(err)
	}
	p := pane{t, filepath.Join(sockets, "s")}
	t.Cleanup(func() {
		_ = exec.Command("tmux", "-S", p.socket, "kill-server").Run()
		_ = os.RemoveAll(sockets)
	})
	line := fmt.Sprintf("cd %q; HOME=%q XDG_DATA_HOME=%q TMPDIR=%q TZ=UTC LC_ALL=C.UTF-8 TERM=tmux-256color %s ./hacsync %s; echo exit=$?; sleep 600", dir, dir, dir, dir, env, args)
	p.tmux("-f", "/dev/null", "new-session", "-d", "-x", fmt.Sprint(width), "-y", fmt.Sprint(height), "-s", "walk", "sh", "-c", line)
	return p
}

func (p pane) tmux(args ...string) string {
	p.t.Helper()
	out, err := exec.CommandContext(p.t.Context(), "tmux", append([]string{"-u", "-S", p.socket}, args...)...).CombinedOutput()
	if err != nil {
		p.t.Fatalf("tmux %q: %v\n%s", args, err, out)
	}
	return string(out)
}

func (p pane) screen() string { return p.tmux("capture-pane", "-p", "-t", "walk") }

// shows waits until the pane shows a text.
func (p pane) shows(text string) {
	p.t.Helper()
	for late := time.Now().Add(60 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		s := p.screen()
		if strings.Contains(strings.Join(strings.Fields(s), " "), text) {
			break
		}
		if time.Now().After(late) {
			p.t.Fatalf("the screen does not say %q:\n%s", text, s)
		}
	}
	// Keys are ignored until a user can have seen the screen.
	time.Sleep(500 * time.Millisecond)
}

func (p pane) keys(keys ...string) {
	p.t.Helper()
	p.tmux(append([]string{"send-keys", "-t", "walk"}, keys...)...)
}

// frame fails if the frame is broken: rules of the whole width, nothing beyond.
func (p pane) frame(width, height int) {
	p.t.Helper()
	lines := strings.Split(strings.TrimRight(p.screen(), "\n"), "\n")
	rules := 0
	for _, l := range lines {
		if strings.Count(l, "─")+strings.Count(l, "┬")+strings.Count(l, "┴") == width {
			rules++
		}
	}
	if len(lines) != height || rules < 2 || !strings.HasPrefix(lines[0], " hacsync ") || !strings.Contains(lines[0], "[") {
		p.t.Errorf("the frame is broken at %d by %d:\n%s", width, height, strings.Join(lines, "\n"))
	}
}

// The demo in a real terminal, from the first screen to a finished sync: small
// and in English, large and in Japanese without colours.
func TestScreens_WalkTheDemoInATerminal(t *testing.T) {
	for _, x := range []struct {
		width, height int
		env, args     string
		confirm       string
		done          string
	}{
		{80, 24, "", "demo", "type the number of deletions", "Sync finished: 365 of 365 seen done, 0 failed, 0 not tried."},
		{140, 40, "NO_COLOR=1", "demo --lang ja", "@midorisample.onmicrosoft.com", "365 365 365 0"},
	} {
		t.Run(fmt.Sprintf("%dx%d", x.width, x.height), func(t *testing.T) {
			t.Parallel()
			p := openPane(t, x.width, x.height, x.env, x.args)
			step := func(shows string, keys ...string) {
				t.Helper()
				p.shows(shows)
				p.frame(x.width, x.height)
				p.keys(keys...)
			}
			step("Entra ID", "1")
			step("devicelogin", "Enter")
			step("midorisample │ Midori", "2")
			step("midori-logi.example", "4")
			step("4,012", "1")
			step("User.ReadWrite.All", "Enter")
			step("CSV", "1")
			step("users.csv", "Enter")
			step("4,541", "４５４１", "Enter")
			// A question is answered; nothing else changes by it.
			step("hara.yoko", "Down", "=")
			step("= Q2", "3")
			step("copier-3f", "Space")
			// A deletion is left out: for always or this time, and why.
			p.shows("copier-3f")
			p.tmux("resize-window", "-t", "walk", "-x", "39", "-y", "10")
			p.shows("40")
			p.tmux("resize-window", "-t", "walk", "-x", fmt.Sprint(x.width), "-y", fmt.Sprint(x.height))
			step("copier-3f", "2")
			time.Sleep(time.Second)
			p.keys("Enter")
			time.Sleep(time.Second)
			step("(-)", "s")
			step("t.mori", "Enter")
			time.Sleep(time.Second)
			p.keys("Enter")
			step(x.confirm, "８", "Enter")
			step("devicelogin", "1")
			step(x.done, "q")
			// The result came by itself: a key that was pressed while it was drawn is ignored.
			for range 20 {
				if time.Sleep(time.Second); strings.Contains(p.screen(), "exit=") {
					break
				}
				p.keys("q")
			}
			p.shows("exit=0")
			if on := strings.TrimSpace(p.tmux("display-message", "-p", "-t", "walk", "#{alternate_on}")); on != "0" {
				t.Error("the alternate screen was not left")
			}
			if s := p.screen(); strings.Contains(s, "─") {
				t.Errorf("something of the screens is left:\n%s", s)
			}
		})
	}
}
