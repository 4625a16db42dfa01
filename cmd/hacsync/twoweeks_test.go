package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hacsync/hacsync/graphclient/simulator"
	"github.com/hacsync/hacsync/sync/clock"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/secret"
	"github.com/hacsync/hacsync/sync/state"
	"github.com/hacsync/hacsync/sync/state/statetest"
)

// TestProof_TwoWeeksOfAWorker is hacsync worker over two simulated weeks of a company,
// with a new export every day and a person who answers on the command line. It runs on
// SQLite and, where one is named, PostgreSQL; absent people are deleted at once, or
// blocked first. -v prints what happened on each day.
func TestProof_TwoWeeksOfAWorker(t *testing.T) {
	if testing.Short() {
		t.Skip("a worker lives for two weeks")
	}
	for name, patience := range map[string]int{"delete": 0, "block": 3} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			statetest.Places(t, func(t *testing.T, place string) {
				t.Parallel()
				newWeeks(t, place, patience).pass()
			})
		})
	}
}

// weeks are a company, its tenant, and the worker.
type weeks struct {
	t        *testing.T
	clock    *leap
	sim      *simulator.Server
	store    *state.Store
	dir      string
	flags    []string // that every command takes
	patience int      // days for which an account is blocked; 0 deletes at once
	day      int
	people   []*colleague
	owner    map[string]*colleague // whose an account is, by object ID
	table    [][]string
}

// leap is a clock that runs faster than the machine's and is set forward. Who sleeps
// wakes when the time has come, by either.
type leap struct {
	mu      sync.Mutex
	start   time.Time
	skipped time.Duration
	ahead   chan struct{} // closed when the clock is set
}

// leapPace is how fast it runs between two leaps: a worker looks for what is due
// every five seconds.
const leapPace = 60

func newLeap() *leap { return &leap{start: time.Now(), ahead: make(chan struct{})} }

func (l *leap) Now() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.start.Add(time.Since(l.start)*leapPace + l.skipped)
}

func (l *leap) Sleep(ctx context.Context, d time.Duration) error {
	for until := l.Now().Add(d); ; {
		if err := ctx.Err(); err != nil {
			return err
		}
		l.mu.Lock()
		ahead := l.ahead
		l.mu.Unlock()
		left := until.Sub(l.Now())
		if left <= 0 {
			return nil
		}
		timer := time.NewTimer(left/leapPace + time.Microsecond)
		select {
		case <-ctx.Done():
		case <-ahead:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// to sets the clock forward.
func (l *leap) to(t time.Time) {
	now := l.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	if t.After(now) {
		l.skipped += t.Sub(now)
		close(l.ahead)
		l.ahead = make(chan struct{})
	}
}

func newWeeks(t *testing.T, place string, patience int) *weeks {
	t.Helper()
	w := &weeks{t: t, clock: newLeap(), dir: quickDir(t), patience: patience, people: newColleagues(), owner: map[string]*colleague{}}
	var err error
	w.sim, err = simulator.Start(t.Context(), simulator.Options{Tenant: w.tenantFile(), Dir: w.dir, Clock: w.clock, Speed: leapPace})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.sim.Close() })
	ready, identity := filepath.Join(w.dir, "ready.json"), filepath.Join(w.dir, "identity")
	if err := secret.GenerateIdentity(identity); err != nil {
		t.Fatal(err)
	}
	if err := w.sim.WriteReady(ready); err != nil {
		t.Fatal(err)
	}
	w.flags = []string{"--state", place, "--identity", identity}
	w.must(0, "connect", "--simulator", ready)
	if w.store, err = state.Open(t.Context(), place, nil); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.store.Close() })
	w.must(0, "grant", "--application", "--yes")
	w.write(w.export())
	settings := []string{"settings", proofDomain, "source=csv:" + w.file()}
	if patience > 0 {
		settings = append(settings, "on_missing=block", "delete_after="+strconv.Itoa(patience))
	}
	w.must(0, settings...)
	for id := range w.accounts() {
		no, err := strconv.Atoi(strings.TrimLeft(id[len(id)-6:], "0"))
		if err != nil {
			t.Fatal(err)
		}
		w.owner[id] = w.who(no - 100)
	}
	w.must(0, "sync", proofDomain, "--yes")
	w.must(0, "periodic", "enable", proofDomain, "--every", "24h", "--by", "t.mori", "--reason", "the file is replaced every night")
	return w
}

func (w *weeks) file() string { return filepath.Join(w.dir, "users.csv") }

// write puts an export where the worker finds it, as a download does: whole, at once.
func (w *weeks) write(file []byte) {
	w.t.Helper()
	part := w.file() + ".part"
	if err := os.WriteFile(part, file, 0o600); err != nil {
		w.t.Fatal(err)
	}
	if err := os.Rename(part, w.file()); err != nil {
		w.t.Fatal(err)
	}
}

// hacsync is one start of the program, on the clock of these weeks.
func (w *weeks) hacsync(ctx context.Context, args ...string) (code int, out, complaints string) {
	w.t.Helper()
	var stdout, stderr bytes.Buffer
	code = w.program(ctx, &stdout, &stderr, append(args, w.flags...))
	return code, stdout.String(), stderr.String()
}

func (w *weeks) program(ctx context.Context, out, complaints io.Writer, args []string) int {
	a, err := newApp(args, nil, out, complaints, func(string) string { return "" })
	if err != nil {
		w.t.Error(err)
		return exitError
	}
	a.clocks = map[float64]clock.Clock{leapPace: w.clock}
	defer a.closeLog()
	root := a.root()
	root.SetArgs(args)
	if err := root.ExecuteContext(ctx); err != nil {
		return a.finish(err)
	}
	return a.finish(a.result)
}

// must is hacsync with the exit code that is expected.
func (w *weeks) must(want int, args ...string) string {
	w.t.Helper()
	code, out, complaints := w.hacsync(w.t.Context(), args...)
	if code != want {
		w.t.Fatalf("day %d: hacsync %s: exit code %d, want %d\n%s%s", w.day, strings.Join(args, " "), code, want, out, complaints)
	}
	return out
}

// asks gives what a command prints with --json.
func (w *weeks) asks(v any, args ...string) {
	w.t.Helper()
	if err := json.Unmarshal([]byte(w.must(0, append(args, "--json")...)), v); err != nil {
		w.t.Fatal(err)
	}
}

// pass lets two weeks pass, one export and one interval a day.
func (w *weeks) pass() {
	t := w.t
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	var words bytes.Buffer
	go func() {
		defer close(ended)
		args := append([]string{"worker", "--metrics", "", "--name", "two-weeks"}, w.flags...)
		if code := w.program(ctx, &words, &words, args); code != exitDone {
			t.Errorf("the worker ended with %d", code)
		}
	}()
	t.Cleanup(func() {
		stop()
		<-ended
		t.Logf("%d people, %s\n%s", len(w.people), w.policy(), columns(w.table))
		if t.Failed() {
			t.Log(words.String())
		}
	})
	w.table = [][]string{{"day", "in the company", "outcome", "code", "in the tenant", "asked", "left alone", "answered"}}
	for i, d := range companyDays() {
		w.day = i + 1
		if d.live != nil {
			d.live(w)
		}
		w.passDay(&d)
	}
	for range 2 * w.patience { // who was blocked last falls due
		w.day++
		w.passDay(&companyDay{what: "quiet"})
	}
	w.atTheEnd()
	var last dryRunWords
	w.asks(&last, "dry-run", proofDomain)
	if len(last.Questions) > 0 {
		t.Errorf("questions at the end: %+v", last.Questions)
	}
}

func (w *weeks) policy() string {
	if w.patience == 0 {
		return "on_missing=delete, delete_after=0"
	}
	return "on_missing=block, delete_after=" + strconv.Itoa(w.patience)
}

// dryRunWords are what the test reads of a dry run, or of its questions.
type dryRunWords struct {
	Questions []struct {
		Account struct {
			UPN string `json:"upn"`
		} `json:"account"`
		Answer *string `json:"answer"`
		Rows   []struct {
			Username string `json:"username"`
		} `json:"rows"`
	} `json:"questions"`
}

// passDay is one day: the export comes, the worker's interval is due, a person looks at
// it in the evening.
func (w *weeks) passDay(d *companyDay) {
	t := w.t
	t.Helper()
	file := w.export()
	if d.spoil != nil {
		file = d.spoil(file)
	}
	w.write(file)
	was := w.accounts()
	last := w.interval()
	now := w.accounts()
	happened := w.judged(was, now)
	row := []string{strconv.Itoa(w.day), d.what, last.Outcome, "", "", "", "", ""}
	if last.Why != nil {
		row[3] = string(last.Why.Code)
	}
	if code := problem.Code(row[3]); code != d.refuse || code != "" && len(happened) > 0 {
		t.Errorf("day %d: %v, %s %q, want code %q", w.day, happened, last.Outcome, code, d.refuse)
	}
	var words []string
	for _, what := range []string{"deleted", "blocked", "unblocked", "renamed", "added", "restored", "updated"} {
		if who := happened[what]; len(who) > 0 {
			words = append(words, what+" "+strings.Join(who, ", "))
		}
	}
	row[4] = strings.Join(words, "; ")
	if last.DryRun != 0 && d.refuse == "" {
		row[5], row[6] = w.asked(), w.leftAlone(last.DryRun)
	}
	for _, a := range d.answer {
		answer := a.answer(w)
		account := w.accountOf(w.who(a.no))
		w.must(0, "answer", proofDomain, account, answer, "--by", "t.mori")
		row[7] = strings.TrimPrefix(row[7]+"; "+strings.TrimSuffix(account, "@"+proofDomain)+" "+answer, "; ")
	}
	w.table = append(w.table, row)
}

// interval lets the next interval of the domain come and go.
func (w *weeks) interval() *state.Interval {
	w.t.Helper()
	tenant := w.sim.Ready().Tenant
	read := func() state.Periodic {
		p, is, err := w.store.Periodic(w.t.Context(), tenant, proofDomain)
		if err != nil || !is || p.State != state.Enabled {
			w.t.Fatalf("day %d: periodic sync is %q, %v", w.day, p.State, err)
		}
		return p
	}
	before := read()
	w.clock.to(before.Due.Add(time.Second))
	for range 1200 {
		if p := read(); p.Slot != before.Slot && p.Last != nil {
			return p.Last
		}
		time.Sleep(25 * time.Millisecond)
	}
	w.t.Fatalf("day %d: the worker did not carry its interval out", w.day)
	return nil
}

// asked are the questions that the worker's run left, by account.
func (w *weeks) asked() string {
	w.t.Helper()
	var now dryRunWords
	w.asks(&now, "answer", proofDomain)
	var all []string
	for _, q := range now.Questions {
		text := strings.TrimSuffix(q.Account.UPN, "@"+proofDomain) + " or"
		for _, r := range q.Rows {
			text += " " + r.Username
		}
		if q.Answer != nil {
			text += " (" + *q.Answer + ")"
		}
		all = append(all, text)
	}
	return strings.Join(all, "; ")
}

// leftAlone are the reasons for which rows were skipped, with their number.
func (w *weeks) leftAlone(no int64) string {
	w.t.Helper()
	var run struct {
		Run struct {
			Skips map[string]int `json:"skips"`
		} `json:"run"`
	}
	w.asks(&run, "logs", strconv.FormatInt(no, 10))
	var all []string
	for code, n := range run.Run.Skips {
		all = append(all, code+" "+strconv.Itoa(n))
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

// accountOf is the UPN of a person's account.
func (w *weeks) accountOf(p *colleague) string {
	w.t.Helper()
	for id, u := range w.accounts() {
		if w.owner[id] == p {
			return u.UPN
		}
	}
	w.t.Fatalf("day %d: %s has no account", w.day, p)
	return ""
}
