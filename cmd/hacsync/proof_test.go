package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"database/sql"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hacsync/hacsync/graphclient/simulator"
	"github.com/hacsync/hacsync/sync/consent"
	"github.com/hacsync/hacsync/sync/secret"
	"github.com/hacsync/hacsync/sync/state"
)

// The proof in processes: a process that builds what a command builds, on a
// state file or a database and a tenant over HTTPS, is killed at every write to
// its state and at every request; the next one resumes, and an oracle that
// knows no plans compares the tenant with the source.
var (
	proofLong = flag.Bool("proof.long", false, "a larger sync, and kills during the resumption too: an hour")
	proofFive = flag.Bool("proof.five", false, "a sync of 2,500 users, killed five times in a row")
	proofSeed = flag.Uint64("proof.seed", 0, "seed of what the proof draws; 0 draws one")
)

// proof is what all scenes share: keys that take long to make.
type proof struct {
	key      *rsa.PrivateKey // signs the tenants' tokens
	identity string          // seals the states
	latency  time.Duration   // of the tenants
}

// postgresServer is the variable with the administrator's URL of a server that
// tests may use.
const postgresServer = "HACSYNC_TEST_POSTGRES"

func newProof(t *testing.T) *proof {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p := &proof{key: key, identity: filepath.Join(quickDir(t), "identity")}
	if err := secret.GenerateIdentity(p.identity); err != nil {
		t.Fatal(err)
	}
	return p
}

// connect signs in as hacsync connect does, with the permission to write.
func (s *scene) connect() {
	s.t.Helper()
	ctx := context.Background()
	if err := s.sim.Consent(proofAdmin, "", append(consent.ReadScopes(), consent.WriteScope)...); err != nil {
		s.t.Fatal(err)
	}
	a, err := newApp(nil, nil, io.Discard, io.Discard, func(string) string { return "" })
	if err != nil {
		s.t.Fatal(err)
	}
	a.flags.State, a.flags.Identity, a.flags.Simulator = s.order.State, s.order.Identity, s.order.Ready
	target, err := a.target("", "public")
	if err != nil {
		s.t.Fatal(err)
	}
	if err := a.connect(ctx, target, connectFlags{}); err != nil {
		s.t.Fatal(err)
	}
}

func databaseURL(t testing.TB, name string) string {
	t.Helper()
	u, err := url.Parse(os.Getenv(postgresServer))
	if err != nil {
		t.Fatal("the URL of the test server cannot be read")
	}
	u.Path = "/" + name
	return u.String()
}

// newProofDatabase makes a database for one test.
func newProofDatabase(t testing.TB) string {
	t.Helper()
	db, err := sql.Open("pgx", os.Getenv(postgresServer))
	if err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("hacsync_proof_%d_%d", os.Getpid(), time.Now().UnixNano())
	for try := 0; ; try++ { // the server copies its template for one at a time
		if _, err = db.Exec("CREATE DATABASE " + name); err == nil {
			break
		}
		if try > 200 {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Cleanup(func() {
		_, _ = db.Exec("DROP DATABASE IF EXISTS " + name + " WITH (FORCE)")
		_ = db.Close()
	})
	return name
}

// quickDir returns a folder in memory if the system has one: hundreds of states are
// made, and none has to be kept.
func quickDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "hacsync-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// scene is one tenant with one state, and the processes that work on them.
type scene struct {
	t     testing.TB
	world *proofWorld
	sim   *simulator.Server
	fault *swap
	order order
	was   proofSnapshot
}

func (p *proof) scene(t testing.TB, w *proofWorld, postgres bool) *scene {
	t.Helper()
	dir := quickDir(t)
	s := &scene{t: t, world: w, fault: &swap{now: newRequests(0, false)}}
	var err error
	s.sim, err = simulator.Start(context.Background(), simulator.Options{Tenant: w.tenant, Key: p.key, Dir: dir, Fault: s.fault, Latency: p.latency})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.sim.Close() })
	s.order = order{Identity: p.identity, Ready: filepath.Join(dir, "ready.json"), Source: "csv:" + filepath.Join(dir, "users.csv")}
	if err := s.sim.WriteReady(s.order.Ready); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "users.csv"), w.export, 0o600); err != nil {
		t.Fatal(err)
	}
	if postgres {
		s.order.State, s.order.Locks = databaseURL(t, newProofDatabase(t)), filepath.Join(dir, "locks")
	} else {
		s.order.State = state.FileURL(filepath.Join(dir, "state.db"))
	}
	s.connect()
	s.was = readSnapshot(t, s.sim.Snapshot())
	return s
}

// life is one process of a scene.
type life struct {
	cmd   *exec.Cmd
	in    io.WriteCloser
	lines chan string
	gate  *requests
}

// moment is where a process waits: at a crossing of its own gate or at a point
// of the simulator's; the zero moment is nowhere.
type moment struct {
	request bool
	at      int
	behind  bool
	name    string
}

func (m moment) String() string {
	side, where := "before", "state"
	if m.behind {
		side = "after"
	}
	if m.request {
		where = "request"
	}
	return fmt.Sprintf("%s %s %d %s", side, where, m.at, m.name)
}

func (s *scene) start(m moment, ttl time.Duration) *life {
	s.t.Helper()
	o := s.order
	o.TTL = ttl
	l := &life{gate: newRequests(0, false), lines: make(chan string, 16)}
	if m.request {
		l.gate = newRequests(m.at, m.behind)
	} else {
		o.At, o.Behind = m.at, m.behind
	}
	s.fault.set(l.gate)
	text, err := json.Marshal(o)
	if err != nil {
		s.t.Fatal(err)
	}
	program, err := os.Executable()
	if err != nil {
		s.t.Fatal(err)
	}
	l.cmd = exec.Command(program)
	l.cmd.Env = append(os.Environ(), proofVariable+"="+string(text))
	l.cmd.Stderr = os.Stderr
	out, err := l.cmd.StdoutPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	if l.in, err = l.cmd.StdinPipe(); err != nil {
		s.t.Fatal(err)
	}
	if err := l.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	go func() {
		defer close(l.lines)
		for in := bufio.NewReader(out); ; {
			line, err := in.ReadString('\n')
			if err != nil {
				return
			}
			l.lines <- strings.TrimSuffix(line, "\n")
		}
	}()
	s.t.Cleanup(func() { l.kill() })
	return l
}

// patience is how long a process may take to reach its moment or its end.
const proofPatience = 30 * time.Second

// reach waits until the process is at its moment. It is false if it came to its end
// instead.
func (l *life) reach(t testing.TB) (answered, bool) {
	t.Helper()
	select {
	case <-l.gate.reached:
		return answered{}, true
	case line, ok := <-l.lines:
		if !ok {
			t.Fatal("the process ended without a word")
		}
		if strings.HasPrefix(line, "at ") {
			return answered{}, true
		}
		return parseEnd(t, line), false
	case <-time.After(proofPatience):
		t.Fatal("the process neither reached its moment nor its end")
	}
	return answered{}, false
}

// end waits for the process's end.
func (l *life) end(t testing.TB) answered {
	t.Helper()
	a, waits := l.reach(t)
	if waits {
		t.Fatal("the process waits where none was asked for")
	}
	_ = l.cmd.Wait()
	return a
}

func parseEnd(t testing.TB, line string) answered {
	t.Helper()
	var a answered
	if err := json.Unmarshal([]byte(strings.TrimPrefix(line, "end ")), &a); err != nil {
		t.Fatalf("the process said %q", line)
	}
	return a
}

// kill sends SIGKILL, and lets nothing more of the process through.
func (l *life) kill() {
	l.gate.mu.Lock()
	was := l.gate.cut
	l.gate.cut = true
	l.gate.mu.Unlock()
	_ = l.cmd.Process.Kill()
	_ = l.cmd.Wait()
	if !was {
		close(l.gate.open)
	}
}

// journal reads the journal of all runs.
func (s *scene) journal() []state.Entry {
	s.t.Helper()
	store, err := state.OpenWith(context.Background(), s.order.State, state.Options{LockDir: s.order.Locks})
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	runs, err := store.Runs(context.Background(), state.RunFilter{})
	if err != nil {
		s.t.Fatal(err)
	}
	var entries []state.Entry
	for _, r := range runs {
		rows, err := store.Journal(context.Background(), r.No)
		if err != nil {
			s.t.Fatal(err)
		}
		entries = append(entries, rows...)
	}
	return entries
}

// check compares tenant, source and journal.
func (s *scene) check() {
	s.t.Helper()
	explained := map[string]bool{}
	for _, e := range s.journal() {
		explained[string(e.Object.ID)] = true
		if e.State == state.Sent {
			s.t.Errorf("the outcome of %s was never settled", e.Object.UPN)
		}
	}
	s.world.check(s.t, s.was, readSnapshot(s.t, s.sim.Snapshot()), explained)
}

// survive runs processes that are killed at the moments, one after the other,
// then one that is not, and compares. It reports how many moments were reached.
func (s *scene) survive(moments ...moment) (reached int) {
	s.t.Helper()
	for _, m := range moments {
		l := s.start(m, 0)
		a, waits := l.reach(s.t)
		l.kill()
		if !waits {
			if a.Error != "" {
				s.t.Fatalf("the process ended: %s", a.Error)
			}
			continue
		}
		reached++
	}
	a := s.start(moment{}, 0).end(s.t)
	if a.Error != "" {
		s.t.Fatalf("the last process ended: %s", a.Error)
	}
	// A resumption leaves nothing for another sync to do.
	if a.Resumed > 0 && !a.Anew && a.Left > 0 {
		s.t.Errorf("the resumption of run %d left %d changes", a.Resumed, a.Left)
	}
	if a.Ended != "" && a.Ended != string(state.Done) {
		s.t.Errorf("it ended %s", a.Ended)
	}
	s.check()
	return reached
}

// every lists all moments of an undisturbed sync.
func (p *proof) every(t *testing.T, w *proofWorld) []moment {
	t.Helper()
	s := p.scene(t, w, false)
	l := s.start(moment{}, 0)
	a := l.end(t)
	if a.Error != "" || a.Left != w.changes {
		t.Fatalf("a sync without a kill: %+v, want %d changes", a, w.changes)
	}
	s.check()
	var all []moment
	for i, name := range a.Crossings {
		all = append(all, moment{at: i + 1, name: name}, moment{at: i + 1, name: name, behind: true})
	}
	for i, name := range l.gate.before {
		all = append(all, moment{request: true, at: i + 1, name: name})
	}
	for i, name := range l.gate.after {
		// After a read, or a write inside a batch, is the same as before the next.
		if name == http.MethodPost || *proofLong && name == http.MethodGet {
			all = append(all, moment{request: true, at: i + 1, name: name, behind: true})
		}
	}
	t.Logf("%d changes: %d crossings of the state, %d points of requests, %d moments",
		w.changes, len(a.Crossings), len(l.gate.before), len(all))
	return all
}

func proofDraw(t testing.TB) *mathrand.Rand {
	t.Helper()
	seed := *proofSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano()) % 1_000_000
	}
	t.Logf("-proof.seed %d", seed)
	return mathrand.New(mathrand.NewPCG(seed, seed))
}

// TestRule4_AProcessKilledAnywhereIsResumedWithNothingLostAndNothingTwice sends
// SIGKILL at every write to the state and at every request of a sync.
func TestRule4_AProcessKilledAnywhereIsResumedWithNothingLostAndNothingTwice(t *testing.T) {
	if testing.Short() {
		t.Skip("starts some hundreds of processes")
	}
	size := 1
	if *proofLong {
		size = 5
	}
	w := newProofWorld(30*size, size)
	p := newProof(t)
	draw := proofDraw(t)
	moments := p.every(t, w)
	for _, postgres := range []bool{false, true} {
		if postgres && os.Getenv(postgresServer) == "" {
			continue
		}
		for i, m := range moments {
			// The database behaves in the same way: every third moment is enough.
			if postgres && !*proofLong && i%3 > 0 {
				continue
			}
			kills := [][]moment{{m}}
			if *proofLong {
				for range 3 {
					kills = append(kills, []moment{m, moments[draw.IntN(len(moments))], moments[draw.IntN(len(moments))]})
				}
			}
			for _, k := range kills {
				t.Run(fmt.Sprintf("postgres=%v %v", postgres, k), func(t *testing.T) {
					t.Parallel()
					if p.scene(t, w, postgres).survive(k...) == 0 {
						t.Log("its moment never came")
					}
				})
			}
		}
	}
}
