package state

import (
	"context"
	"errors"
	"io/fs"
	"net/url"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hacsync/hacsync/sync/problem"
)

func openFile(t *testing.T) *Store {
	t.Helper()
	s, err := Open(t.Context(), FileURL(filepath.Join(t.TempDir(), "state.db")), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestWrite_AFullDiskIsSaidAndNothingIsHalf(t *testing.T) {
	s := openFile(t)
	no, err := s.BeginRun(t.Context(), Run{Kind: DryRun, Tenant: "t", Domain: "a.example"})
	if err != nil {
		t.Fatal(err)
	}
	s.db.SetMaxOpenConns(1) // the limit is the connection's
	if _, err := s.db.Exec(`PRAGMA max_page_count = 60`); err != nil {
		t.Fatal(err)
	}
	text := make([]byte, 4<<20)
	for i := range text {
		text[i] = byte(i * i >> 3 * 7919 >> (i % 5))
	}
	if err := s.SaveSealed(t.Context(), "c", "n", text, 0); !problem.Has(err, problem.StateFull) {
		t.Errorf("%v", err)
	}
	if err := s.SavePlan(t.Context(), no, "ff", text[:1000]); err != nil {
		t.Errorf("what fits: %v", err)
	}
}

func TestWrite_ALockedStateIsSaidAfterALittlePatience(t *testing.T) {
	s := openFile(t)
	s.pace.patience = 100 * time.Millisecond
	other, err := openSQLite(s.where.path)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	tx, err := other.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.BeginRun(t.Context(), Run{}); !problem.Has(err, problem.StateBusy) {
		t.Errorf("%v", err)
	}
	// Reading goes on.
	if _, err := s.Runs(t.Context(), RunFilter{}); err != nil {
		t.Errorf("reading: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.BeginRun(ctx, Run{}); !errors.Is(err, context.Canceled) || problem.Of(err) != nil {
		t.Errorf("cancelled: %v", err)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if no, err := s.BeginRun(t.Context(), Run{}); err != nil || no != 1 {
		t.Errorf("afterwards: run %d, %v", no, err)
	}
}

func TestWrite_IsDurable(t *testing.T) {
	s := openFile(t)
	var mode string
	var sync int
	if err := s.db.QueryRow(`PRAGMA journal_mode`).Scan(&mode); err != nil || mode != "wal" {
		t.Errorf("journal_mode %s %v", mode, err)
	}
	const full = 2
	if err := s.db.QueryRow(`PRAGMA synchronous`).Scan(&sync); err != nil || sync != full {
		t.Errorf("synchronous %d %v", sync, err)
	}
}

func TestPlan_ThatDoesNotComeOutWholeIsSaid(t *testing.T) {
	s := openFile(t)
	for name, harm := range map[string]string{
		"a byte":  `UPDATE plan_piece SET data = x'1f8b08000000000000ff' WHERE run = $1`,
		"a piece": `DELETE FROM plan_piece WHERE run = $1`,
		"a size":  `UPDATE plan SET size = 1 WHERE run = $1`,
	} {
		no, err := s.BeginRun(t.Context(), Run{Tenant: "t"})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.SavePlan(t.Context(), no, "ff", []byte("a plan")); err != nil {
			t.Fatal(err)
		}
		if _, err := s.db.Exec(harm, no); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Plan(t.Context(), no); !problem.Has(err, problem.StateDamaged) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTake_ProofIsOnlyTheSameMachineAndTheSameFile(t *testing.T) {
	for name, change := range map[string]func(*holder){
		"another machine": func(h *holder) { h.Machine = "another" },
		"another file":    func(h *holder) { h.Proof = "another" },
		"no proof":        func(h *holder) { h.Proof, h.Machine = "", "" },
	} {
		t.Run(name, func(t *testing.T) {
			s := openFile(t)
			l, err := s.lock(leaseName("t", "a.example"))
			if err != nil || l == nil {
				t.Fatal(err)
			}
			h := holder{Who: "w", Machine: s.machine, Proof: l.proof}
			l.unlock()
			change(&h)
			text := `{"who":"w","machine":"` + h.Machine + `","proof":"` + h.Proof + `"}`
			if _, err := s.db.Exec(`INSERT INTO lease (name, token, beat, holder) VALUES ($1, 7, 1, $2)`, leaseName("t", "a.example"), text); err != nil {
				t.Fatal(err)
			}
			if _, err := s.Take(t.Context(), "t", "a.example", "heir", false); !problem.Has(err, problem.DomainBusy) {
				t.Errorf("taken without proof: %v", err)
			}
			if _, alive, err := s.Alive(t.Context(), "t", "a.example"); err != nil || !alive {
				t.Errorf("alive %v %v", alive, err)
			}
		})
	}
}

// handClock does not run until the test moves it. Short pauses pass at once; longer
// ones, such as between beats, do not end.
type handClock struct{ now time.Time }

func (c *handClock) Now() time.Time { return c.now }
func (c *handClock) Sleep(ctx context.Context, d time.Duration) error {
	if d <= lockPause {
		return ctx.Err()
	}
	<-ctx.Done()
	return ctx.Err()
}

func TestTake_ComingBackAfterATTLTakesASilentHoldersClaim(t *testing.T) {
	hand := &handClock{now: time.Unix(1e9, 0)}
	place := FileURL(filepath.Join(t.TempDir(), "state.db"))
	var stores []*Store
	for range 2 {
		s, err := OpenWith(t.Context(), place, Options{Clock: hand})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		stores = append(stores, s)
	}
	old, err := stores[0].Take(t.Context(), "t", "a.example", "silent", false)
	if err != nil {
		t.Fatal(err)
	}
	busy := func(after time.Duration) {
		t.Helper()
		hand.now = hand.now.Add(after)
		if _, err := stores[1].Take(t.Context(), "t", "a.example", "worker", false); !problem.Has(err, problem.DomainBusy) {
			t.Fatalf("%v", err)
		}
	}
	if !old.Held() {
		t.Error("not held at once")
	}
	hand.now = hand.now.Add(15*time.Second - 1)
	if !old.Held() {
		t.Error("not held just before 15 s")
	}
	hand.now = hand.now.Add(1)
	if old.Held() {
		t.Error("held after 15 s without a beat")
	}
	busy(time.Hour) // seen for the first time: nothing is known of its silence
	busy(60*time.Second - 1)
	if err := old.beat(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !old.Held() {
		t.Error("not held after a beat")
	}
	busy(1) // it beat
	busy(60*time.Second - 1)
	hand.now = hand.now.Add(1)
	c, err := stores[1].Take(t.Context(), "t", "a.example", "worker", false)
	if err != nil {
		t.Fatal(err)
	}
	if err := old.beat(t.Context()); !problem.Has(err, problem.ClaimLost) || problem.Of(err).Args["holder"] != "worker" {
		t.Errorf("the old holder: %v", err)
	}
	select {
	case <-old.Lost():
	default:
		t.Error("Lost is open")
	}
	// What the loser releases is not the winner's claim.
	if err := old.Release(t.Context()); err != nil {
		t.Error(err)
	}
	if err := c.beat(t.Context()); err != nil {
		t.Errorf("the new holder: %v", err)
	}
	_ = c.Release(t.Context())
}

func TestExplain_NeverShowsAPassword(t *testing.T) {
	for _, raw := range []string{
		"postgres://u:hunter2@h/d", "postgres://u:hunter2@h/d?password=hunter2", "postgres://:hunter2@h",
		"postgres://u:hunter2@h:port/d", "postgres://u:hun%zzter2@h/hunter2@x",
	} {
		if u, err := url.Parse(raw); err == nil && strings.Contains(shown(u), "hunter2") {
			t.Errorf("shown: %s", shown(u))
		}
		if strings.Contains(strings.TrimSuffix(redact(raw), "hunter2@x"), "hunter2") {
			t.Errorf("redacted: %s", redact(raw))
		}
	}
}

func TestTake_ABeatBetweenLookingAndTakingKeepsTheHolder(t *testing.T) {
	s := openFile(t)
	old, err := s.Take(t.Context(), "t", "a.example", "holder", false)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = old.Release(t.Context()) }()
	seen, err := s.lease(t.Context(), old.name)
	if err != nil {
		t.Fatal(err)
	}
	if err := old.beat(t.Context()); err != nil {
		t.Fatal(err)
	}
	heir := &taker{store: s, name: old.name, who: "heir"}
	if c, err := heir.take(t.Context(), nil, seen); err != nil || c != nil {
		t.Errorf("taken from a holder that beat: %v %v", c, err)
	}
	if seen, err = s.lease(t.Context(), old.name); err != nil {
		t.Fatal(err)
	}
	seen.token--
	if c, err := heir.take(t.Context(), nil, seen); err != nil || c != nil {
		t.Errorf("taken from another holder than the one seen: %v %v", c, err)
	}
}

func TestExplain_NoRoomIsReportedWhicheverDatabaseRefusesIt(t *testing.T) {
	for _, err := range []error{syscall.ENOSPC, syscall.EDQUOT, syscall.EFBIG} {
		if runtime.GOOS == "windows" {
			break
		}
		if code := codeOf(&fs.PathError{Op: "write", Path: "x", Err: err}); code != problem.StateFull {
			t.Errorf("%v: %s", err, code)
		}
	}
	for name, code := range map[string]int{
		"full": 13, "write": 778, "index of the log": 4874, "sync": 1034, "cut": 1546,
	} {
		if got := sqliteCode(code); got != problem.StateFull {
			t.Errorf("%s (%d): %s", name, code, got)
		}
	}
	for name, code := range map[string]int{"read": 266, "lock": 3850} {
		if got := sqliteCode(code); got != problem.StateFailed {
			t.Errorf("%s (%d): %s", name, code, got)
		}
	}
}
