package state_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hacsync/hacsync/sync/state"
)

func open(t testing.TB, url string, o state.Options) *state.Store {
	t.Helper()
	if o.LockDir == "" && strings.HasPrefix(url, "postgres") {
		// As in a process of one user: the same directory for the same test.
		o.LockDir = filepath.Join(os.TempDir(), "hacsync-test-locks", filepath.Base(url))
		t.Cleanup(func() { _ = os.RemoveAll(o.LockDir) })
	}
	s, err := state.OpenWith(t.Context(), url, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func beginSync(t testing.TB, s *state.Store) int64 {
	t.Helper()
	no, err := s.BeginRun(t.Context(), state.Run{Kind: state.Sync, Tenant: "t", Domain: "a.example"})
	if err != nil {
		t.Fatal(err)
	}
	return no
}

// The tests run hacsync's state in other processes: the test binary starts
// itself again with a task.
const (
	taskVariable = "HACSYNC_STATE_TASK"
	urlVariable  = "HACSYNC_STATE_URL"
	ttlVariable  = "HACSYNC_STATE_TTL"
)

func TestMain(m *testing.M) {
	if task := os.Getenv(taskVariable); task != "" {
		os.Exit(child(task))
	}
	os.Exit(m.Run())
}

// child does a task; lines on stdin and stdout are its protocol.
func child(task string) int {
	ctx := context.Background()
	ttl, _ := time.ParseDuration(os.Getenv(ttlVariable))
	place := os.Getenv(urlVariable)
	o := state.Options{TTL: ttl}
	if strings.HasPrefix(place, "postgres") {
		o.LockDir = filepath.Join(os.TempDir(), "hacsync-test-locks", filepath.Base(place))
	}
	in := bufio.NewScanner(os.Stdin)
	if task == "open" || task == "take" || task == "together" {
		fmt.Println("ready")
		in.Scan() // all start at once
	}
	s, err := state.OpenWith(ctx, place, o)
	if err != nil {
		fmt.Println("error", err)
		return 1
	}
	defer s.Close()
	if task == "open" {
		no, err := s.BeginRun(ctx, state.Run{Kind: state.DryRun, Tenant: "t", Domain: "a.example"})
		fmt.Println("opened", no, err)
		return 0
	}
	if task == "together" {
		return together(ctx, s)
	}
	c, err := s.Take(ctx, "t", "a.example", fmt.Sprintf("child %d", os.Getpid()), false)
	if err != nil {
		fmt.Println("busy", err)
		return 0
	}
	fmt.Println("held")
	batch := 0
	for task == "storm" || in.Scan() {
		var rows []state.Entry
		for i := range 20 {
			rows = append(rows, state.Entry{Run: 1, Action: batch, Step: i, Attempt: 1, Kind: "add", Verb: "create"})
		}
		if err := c.Intend(ctx, rows); err != nil {
			fmt.Println("refused", err)
			continue
		}
		for i := range rows {
			rows[i].State = state.Written
		}
		if err := c.Settle(ctx, rows); err != nil {
			fmt.Println("refused", err)
			continue
		}
		fmt.Println("wrote", batch)
		batch++
	}
	return 0
}

// process is a child that was started.
type process struct {
	t   *testing.T
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

func start(t *testing.T, task, place string, ttl time.Duration) *process {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), taskVariable+"="+task, urlVariable+"="+place, ttlVariable+"="+ttl.String())
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &process{t: t, cmd: cmd, in: in, out: bufio.NewReader(out)}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	return p
}

// line reads the next line of the child.
func (p *process) line() string {
	p.t.Helper()
	s, err := p.out.ReadString('\n')
	if err != nil {
		p.t.Fatalf("child: %v after %q", err, s)
	}
	return strings.TrimSpace(s)
}

func (p *process) say(s string) { _, _ = io.WriteString(p.in, s+"\n") }
