package notice

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/state"
	"github.com/hacsync/hacsync/sync/state/statetest"
)

func TestTell_OnceAnEpisodeNotEveryHour(t *testing.T) {
	statetest.Places(t, func(t *testing.T, place string) {
		b := newBench(t, place)
		for range 2 { // two episodes
			for range 24 {
				b.tell(t, failure("midori.example"))
				b.flush(t)
				b.clock.move(time.Hour)
			}
			guard := failure("midori.example")
			guard.Kind = Guard
			b.tell(t, guard)
			b.tell(t, guard)
			b.flush(t)
			for range 3 { // every success calls it
				if err := b.teller.Recovered(t.Context(), failure("MIDORI.example")); err != nil {
					t.Fatal(err)
				}
				b.flush(t)
				b.clock.move(time.Hour)
			}
		}
		if got, want := kindsOf(b.end.notes(t)), "failed guard recovered failed guard recovered"; got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		last := b.end.notes(t)[5]
		if !strings.Contains(last.Text, "first failure, cancelled by the guard") || last.Since.IsZero() || last.Code != "" {
			t.Errorf("%+v", last)
		}
	})
}

func TestTell_OtherDomainsHaveTheirOwnEpisodes(t *testing.T) {
	b := newBench(t, statetest.NewFile(t))
	b.tell(t, failure("a.example"))
	b.tell(t, failure("b.example"))
	other := failure("a.example")
	other.Tenant = "another"
	b.tell(t, other)
	if err := b.teller.Recovered(t.Context(), failure("a.example")); err != nil {
		t.Fatal(err)
	}
	b.tell(t, failure("b.example"))
	b.tell(t, other)
	b.flush(t)
	var got []string
	for _, n := range b.end.notes(t) {
		got = append(got, string(n.Kind)+" "+n.Tenant[:3]+" "+n.Domain)
	}
	if s := fmt.Sprint(got); len(got) != 3 || !strings.Contains(s, "recovered 111 a.example") ||
		!strings.Contains(s, "failed 111 b.example") || !strings.Contains(s, "failed ano a.example") {
		t.Errorf("%v", got)
	}
}

// Forgotten episodes can begin again, and no recovery is reported.
func TestForget_SendsNothing(t *testing.T) {
	b := newBench(t, statetest.NewFile(t))
	b.tell(t, failure("a.example"))
	b.flush(t)
	if err := b.teller.Forget(t.Context(), failure("").Tenant, "a.example"); err != nil {
		t.Fatal(err)
	}
	if err := b.teller.Recovered(t.Context(), failure("a.example")); err != nil {
		t.Fatal(err)
	}
	b.tell(t, failure("a.example"))
	b.flush(t)
	if got := kindsOf(b.end.notes(t)); got != "failed failed" {
		t.Error(got)
	}
}

func TestTell_CertificateAtEachThresholdOnce(t *testing.T) {
	b := newBench(t, statetest.NewFile(t))
	ends := b.clock.Now().Add(40 * 24 * time.Hour)
	for range 41*24 + 2 {
		b.tell(t, Event{Kind: Certificate, Tenant: "t", Connection: "midori", Ends: ends})
		b.clock.move(time.Hour)
	}
	b.flush(t)
	// A renewed certificate ends later, and is not near its end.
	b.tell(t, Event{Kind: Certificate, Tenant: "t", Connection: "midori", Ends: ends.AddDate(1, 0, 0)})
	b.flush(t)
	got := map[int]int{}
	for _, n := range b.end.notes(t) {
		got[n.Numbers.Days]++
	}
	for _, days := range []int{30, 14, 7, 1, 0} {
		if got[days] != 1 {
			t.Errorf("%d days: told %d times", days, got[days])
		}
	}
	if len(got) != 5 {
		t.Errorf("%v", got)
	}
}

// A late check reports once, the nearest threshold.
func TestTell_CertificateSeenLate(t *testing.T) {
	b := newBench(t, statetest.NewFile(t))
	b.tell(t, Event{Kind: Certificate, Tenant: "t", Connection: "midori", Ends: b.clock.Now().Add(5*24*time.Hour - time.Minute)})
	b.flush(t)
	if n := b.end.notes(t); len(n) != 1 || n[0].Numbers.Days != 5 {
		t.Errorf("%+v", n)
	}
}

func TestTell_HeldRowsOncePerSet(t *testing.T) {
	b := newBench(t, statetest.NewFile(t))
	for _, set := range []string{"x", "x", "y", "x", ""} {
		e := failure("a.example")
		e.Kind, e.Why, e.Set, e.Numbers = Held, nil, set, Numbers{Held: len(set)}
		b.tell(t, e)
	}
	b.flush(t)
	if got := kindsOf(b.end.notes(t)); got != "held held" {
		t.Error(got)
	}
}

func TestTell_QuestionsWhenTheyAreOthersAndWhenNoneIsLeft(t *testing.T) {
	statetest.Places(t, func(t *testing.T, place string) {
		b := newBench(t, place)
		for _, set := range []string{"", "x", "x", "y", "x", "", "", "x"} {
			e := failure("a.example")
			e.Kind, e.Why, e.Set, e.Numbers = Questions, nil, set, Numbers{Questions: len(set), Accounts: len(set), Rows: 1}
			b.tell(t, e)
			if err := b.teller.Recovered(t.Context(), e); err != nil { // of failures: it ends no question
				t.Fatal(err)
			}
			b.flush(t)
			b.clock.move(time.Hour)
		}
		if got, want := kindsOf(b.end.notes(t)), "questions questions questions recovered questions"; got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		if n := b.end.notes(t)[3]; n.Title != "a.example: no question waits any more" || n.Since.IsZero() {
			t.Errorf("%+v", n)
		}
	})
}

// Eight goroutines on two stores of one state, all of which deliver too.
func TestTell_WorkersOfOneStateTellOnce(t *testing.T) {
	statetest.Places(t, func(t *testing.T, place string) {
		b := newBench(t, place)
		second := *b
		second.store = openStore(t, place)
		tellers := []*Teller{b.teller, b.again("two"), second.again("three"), second.again("four")}
		const domains = 10
		for range 3 {
			var all sync.WaitGroup
			for _, teller := range append(tellers, tellers...) {
				all.Go(func() {
					for d := range domains {
						if err := teller.Tell(t.Context(), failure(fmt.Sprintf("d%d.example", d))); err != nil {
							t.Error(err)
						}
						if err := teller.Flush(t.Context()); err != nil {
							t.Error(err)
						}
					}
				})
			}
			all.Wait()
		}
		seen := map[string]int{}
		for _, n := range b.end.notes(t) {
			seen[n.Domain]++
		}
		for d, n := range seen {
			if n != 1 {
				t.Errorf("%s: %d notices", d, n)
			}
		}
		if len(seen) != domains {
			t.Errorf("%d domains", len(seen))
		}
		var all sync.WaitGroup
		for _, teller := range append(tellers, tellers...) {
			all.Go(func() {
				if err := teller.Recovered(t.Context(), failure("d3.example")); err != nil {
					t.Error(err)
				}
				if err := teller.Flush(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if n := len(b.end.got()); n != domains+1 {
			t.Errorf("%d notices after the recovery", n)
		}
	})
}

// worker is a process that reports and delivers.
type worker struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

func startWorker(t *testing.T, name, place, identity string) *worker {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), taskVariable+"="+name, urlVariable+"="+place, identityVariable+"="+identity)
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
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	w := &worker{cmd, in, bufio.NewReader(out)}
	if got := w.line(t); got != "ready" {
		t.Fatal(got)
	}
	return w
}

func (w *worker) line(t *testing.T) string {
	t.Helper()
	s, err := w.out.ReadString('\n')
	if err != nil {
		t.Fatalf("%v after %q", err, s)
	}
	return strings.TrimSpace(s)
}

func TestTell_TwoProcessesTellOnce(t *testing.T) {
	statetest.Places(t, func(t *testing.T, place string) {
		end := newEndpoint(t)
		key := identity(t)
		store := openStore(t, place)
		b := &bench{store: store, book: bookOf(t, store, key), end: end}
		b.add(t, Target{Name: "ops"})
		workers := []*worker{startWorker(t, "one", place, key), startWorker(t, "two", place, key)}
		const domains = 15
		for _, w := range workers {
			for d := range domains {
				_, _ = fmt.Fprintf(w.in, "d%d.example\n", d)
			}
		}
		for _, w := range workers {
			for range domains {
				if got := w.line(t); !strings.HasPrefix(got, "told") {
					t.Fatal(got)
				}
			}
		}
		eventually(t, "every domain is told", func() bool { return len(end.got()) >= domains })
		for _, w := range workers { // they finish what is under way, and deliver nothing twice
			_ = w.in.Close()
			_ = w.cmd.Wait()
		}
		seen := map[string]bool{}
		for _, n := range end.notes(t) {
			seen[n.Domain] = true
		}
		if len(end.got()) != domains || len(seen) != domains {
			t.Errorf("%d notices of %d domains", len(end.got()), len(seen))
		}
	})
}

// A process is killed while a target takes its time: another delivers.
func TestDeliver_TakesOverFromAKilledProcess(t *testing.T) {
	statetest.Places(t, func(t *testing.T, place string) {
		end := newEndpoint(t)
		release := make(chan struct{})
		end.answer = func(n int, w http.ResponseWriter, _ *http.Request) {
			if n == 0 {
				<-release
			}
			w.WriteHeader(http.StatusOK)
		}
		t.Cleanup(func() { close(release) })
		key := identity(t)
		store := openStore(t, place)
		b := &bench{store: store, book: bookOf(t, store, key), end: end}
		b.add(t, Target{Name: "ops"})
		first := startWorker(t, "one", place, key)
		_, _ = fmt.Fprintln(first.in, "a.example")
		eventually(t, "the first delivery is under way", func() bool { return len(end.got()) == 1 })
		if err := first.cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = first.cmd.Wait()
		// Run looks every 15 s; here the rounds are made by hand.
		second := New(Options{
			Store: store, Book: b.book, Holder: "two", Transport: end.Client().Transport, Took: 300 * time.Millisecond,
		})
		if err := second.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := len(end.got()); n != 1 {
			t.Fatalf("taken over at once: %d", n)
		}
		eventually(t, "the second process delivers", func() bool {
			if err := second.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
			return len(end.got()) == 2
		})
		if open, err := store.OpenNotices(t.Context(), 10); err != nil || len(open) != 0 {
			t.Errorf("%v %v", open, err)
		}
	})
}

func TestRun_DeliversAtOnceAndWhatOthersReported(t *testing.T) {
	b := newBench(t, statetest.NewFile(t))
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	all.Go(func() { _ = b.teller.Run(ctx) })
	b.tell(t, failure("a.example"))
	eventually(t, "its own notice", func() bool { return len(b.end.got()) == 1 })
	if err := b.again("two").Tell(t.Context(), failure("b.example")); err != nil {
		t.Fatal(err)
	}
	eventually(t, "another's", func() bool {
		b.clock.move(time.Second)
		return len(b.end.got()) == 2
	})
	cancel()
	all.Wait()
}

// Tell writes to the state and nothing else: a target that never answers costs
// a sync no time.
func TestTell_NeverWaitsForATarget(t *testing.T) {
	b := newBench(t, statetest.NewFile(t))
	release := make(chan struct{})
	b.end.answer = func(int, http.ResponseWriter, *http.Request) { <-release }
	t.Cleanup(func() { close(release) })
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	all.Go(func() { _ = b.teller.Run(ctx) })
	start := time.Now()
	for i := range 20 {
		b.tell(t, failure(fmt.Sprintf("d%d.example", i)))
	}
	if took := time.Since(start); took > 10*time.Second { // 20 waits would be 40 s
		t.Errorf("telling took %v", took)
	}
	eventually(t, "a delivery", func() bool { return len(b.end.got()) > 0 })
	cancel()
	done := make(chan struct{})
	go func() { all.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(5 * time.Second):
		t.Error("Run did not end with its context")
	}
	// What was stopped is held by no process, and was no attempt.
	open, err := b.store.OpenNotices(t.Context(), 100)
	if err != nil || len(open) != 20 {
		t.Fatalf("%d %v", len(open), err)
	}
	for _, n := range open {
		var r record
		if err := json.Unmarshal(n.Data, &r); err != nil || r.Holder != "" || len(r.Deliveries) > 0 && r.Deliveries[0].Attempts > 0 {
			t.Errorf("%s %v", n.Data, err)
		}
	}
}

// The state away, or the key of the targets: nothing is lost.
func TestTell_SurvivesTroubleWithTheState(t *testing.T) {
	b := newBench(t, statetest.NewFile(t))
	b.tell(t, failure("a.example"))
	foreign := New(Options{
		Store: b.store, Book: bookOf(t, b.store, identity(t)), Clock: b.clock, Transport: b.end.Client().Transport, Holder: "foreign",
	})
	if err := foreign.Flush(t.Context()); !problem.Has(err, problem.TargetsSealed) {
		t.Errorf("%v", err)
	}
	if len(b.end.got()) != 0 {
		t.Error("sent without the key")
	}
	b.flush(t)
	if n := len(b.end.got()); n != 1 {
		t.Errorf("%d notices", n)
	}
	gone, err := state.Open(t.Context(), statetest.NewFile(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = gone.Close()
	broken := New(Options{Store: gone, Book: b.book, Clock: b.clock})
	if err := broken.Tell(t.Context(), failure("a.example")); err == nil {
		t.Error("a state that is closed took a notice")
	}
}

func TestTold_ListsNewestFirst(t *testing.T) {
	b := newBench(t, statetest.NewFile(t))
	b.tell(t, failure("a.example"))
	b.clock.move(time.Minute)
	b.tell(t, failure("b.example"))
	b.flush(t)
	all, err := b.teller.Told(t.Context(), 10)
	if err != nil || len(all) != 2 || all[0].Event.Domain != "b.example" || len(all[0].Deliveries) != 1 || !all[0].Deliveries[0].Sent {
		t.Errorf("%+v %v", all, err)
	}
}
