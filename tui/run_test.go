package tui

import (
	"context"
	"errors"
	"io"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/hacsync/hacsync/sync/clock"
	"github.com/hacsync/hacsync/sync/message"
	"github.com/hacsync/hacsync/tui/flow"
	"github.com/hacsync/hacsync/tui/flow/flowtest"
	"github.com/hacsync/hacsync/tui/screen"
)

func printer(t *testing.T, lang string) *message.Printer {
	t.Helper()
	p, err := message.New(lang)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// flat joins what is wrapped.
func flat(s string) string { return strings.Join(strings.Fields(s), " ") }

// spy lets a test see what the program draws.
type spy struct {
	*screen.Shell
	mu     sync.Mutex
	screen string
	views  int
}

func (s *spy) Update(m tea.Msg) (tea.Model, tea.Cmd) {
	_, cmd := s.Shell.Update(m)
	return s, cmd
}

func (s *spy) View() tea.View {
	v := s.Shell.View()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.screen, s.views = flat(ansi.Strip(v.Content)), s.views+1
	return v
}

func (s *spy) seen() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.screen
}

// program is the real one, on a pipe.
type program struct {
	t    *testing.T
	spy  *spy
	in   *io.PipeWriter
	out  *safeBuffer
	done chan struct{}
	got  flow.Outcome
	err  error
}

type safeBuffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func launch(ctx context.Context, t *testing.T, w flow.Backend) *program {
	t.Helper()
	r, in := io.Pipe()
	p := &program{t: t, in: in, out: &safeBuffer{}, done: make(chan struct{})}
	f := flow.New(w, flow.Options{Version: "1.2", Person: "mori", Count: -1, Poll: time.Millisecond})
	o := Options{
		Printers: []*message.Printer{printer(t, "en"), printer(t, "ja")}, Input: r, Output: p.out, Width: 100, Height: 30,
		Environ: []string{"TERM=xterm-256color"},
	}
	s := screen.New(ctx, f, o)
	p.spy = &spy{Shell: s}
	go func() {
		defer close(p.done)
		p.got, p.err = run(ctx, s, p.spy, o)
	}()
	t.Cleanup(func() { _ = in.Close() })
	return p
}

func (p *program) shows(text string) {
	p.t.Helper()
	for range 1000 {
		if strings.Contains(p.spy.seen(), text) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	p.t.Fatalf("the screen does not say %q but\n%s", text, p.spy.seen())
}

func (p *program) types(s string) {
	p.t.Helper()
	if _, err := io.WriteString(p.in, s); err != nil {
		p.t.Fatal(err)
	}
}

func (p *program) ends() {
	p.t.Helper()
	select {
	case <-p.done:
	case <-time.After(20 * time.Second):
		p.t.Fatalf("the program does not end:\n%s", p.spy.seen())
	}
	if out := p.out.String(); !strings.Contains(out, "\x1b[?1049l") {
		p.t.Error("the alternate screen was not left")
	}
}

// toSync walks to the sync by keys.
func (p *program) toSync() {
	p.t.Helper()
	for _, x := range [][2]string{
		{"+ Add Service", "1"},
		{"Type this code", "1"},
		{"Keep this sign-in?", "2"},
		{"Which domain?", ""},
	} {
		p.shows(x[0])
		p.types(x[1])
	}
	p.types("\r")
	p.shows("Pre-check of")
	p.types("1")
	p.shows("As whom?")
	p.types("\r")
	p.shows("Where do the users come from?")
	p.types("1")
	p.shows("Path of the file")
	p.types("\x15\x1b[200~\"users (2).csv\"\x1b[201~\r")
	p.shows("How many users")
	p.types("２２\r")
	p.shows("Deletions 2 of 22")
	p.types("s")
	p.shows("Approved by")
	p.types("\r")
	p.shows("Then the number")
	p.types("CHG-20418\r")
	p.shows("type the number of deletions")
	p.types("２\r")
	p.shows("User.ReadWrite.All")
	p.shows("sign in as the administrator")
	p.types("1")
}

func TestWalk_FromSignInToResultByKeysThroughTheRealProgram(t *testing.T) {
	w := flowtest.New(t)
	p := launch(context.Background(), t, w)
	p.toSync()
	p.shows("Sync finished: 6 of 6 seen done, 0 failed, 0 not tried.")
	p.types("q")
	p.ends()
	if p.err != nil || p.got.Kind != flow.Quit || p.got.End.Report == nil {
		t.Fatalf("%+v %v", p.got, p.err)
	}
	if len(w.Applied) != 1 || w.Approvals[0].Note != "CHG-20418" || w.Approvals[0].By != flowtest.Account {
		t.Errorf("applied %d, approval %+v", len(w.Applied), w.Approvals)
	}
	_, after, _ := strings.Cut(p.out.String(), "\x1b[?1049l")
	if !strings.Contains(flat(after), "Run 100. Sync finished: 6 of 6 seen done, 0 failed, 0 not tried. No sign-in was kept.") {
		t.Errorf("after the screen: %q", after)
	}
	if w.Sessions != 0 {
		t.Error("a session was left open")
	}
}

func TestInterrupt_WaitsForWhatWritesAndReportsIt(t *testing.T) {
	w := flowtest.New(t)
	w.Stall = true
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	p := launch(ctx, t, w)
	p.toSync()
	p.shows("1 of 6")
	cancel() // as SIGTERM does
	p.ends()
	if p.got.Kind != flow.Interrupted || p.got.End.Report == nil || p.got.End.Report.Sent != 1 || p.err != nil {
		t.Fatalf("%+v %v", p.got, p.err)
	}
	_, after, _ := strings.Cut(p.out.String(), "\x1b[?1049l")
	if text := "Stopped. Run 100. Sync stopped: 1 of 6 seen done, 0 failed, 5 not tried."; !strings.Contains(flat(after), text) {
		t.Errorf("after the screen %q is missing: %q", text, after)
	}
}

func TestInterrupt_AtEveryStepLeavesTheTerminalAndWritesNothing(t *testing.T) {
	for _, until := range []string{"+ Add Service", "Type this code", "Keep this sign-in?", "Which domain?"} {
		w := flowtest.New(t)
		ctx, cancel := context.WithCancel(context.Background())
		p := launch(ctx, t, w)
		for _, text := range []string{"+ Add Service", "Type this code", "Keep this sign-in?", "Which domain?"} {
			p.shows(text)
			if text == until {
				break
			}
			p.types("1")
		}
		cancel()
		p.ends()
		if p.got.Kind != flow.Interrupted || p.err != nil || len(w.Applied) != 0 || w.Sessions != 0 {
			t.Errorf("at %q: %+v %v, %d sessions", until, p.got, p.err, w.Sessions)
		}
	}
}

// broken is a backend whose clock panics where a method of the shell asks for it,
// once that method is named.
type broken struct {
	*flowtest.World
	in atomic.Value
}

func (b *broken) Clock() clock.Clock {
	if in, ok := b.in.Load().(string); ok && strings.Contains(string(debug.Stack()), in) {
		panic(errors.New("secret in a panic"))
	}
	return b.World.Clock()
}

func TestPanic_RestoresTheTerminalAndShowsNoStack(t *testing.T) {
	for _, in := range []string{"(*Shell).View(", "(*Shell).Update("} {
		w := &broken{World: flowtest.New(t)}
		p := launch(context.Background(), t, w)
		p.shows("+ Add Service")
		p.types("1")
		p.shows("Type this code")
		w.in.Store(in)
		p.types("c")
		p.ends()
		var crash *flow.Crash
		if !errors.As(p.err, &crash) || !strings.Contains(string(crash.Stack), in) {
			t.Errorf("%s: %v", in, p.err)
		}
		if out := p.out.String(); strings.Contains(out, "secret in a panic") || strings.Contains(out, "goroutine") {
			t.Errorf("%s: the panic is on the terminal", in)
		}
	}
}
