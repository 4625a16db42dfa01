package state

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/hacsync/hacsync/sync/problem"
)

// The model of claim and journal: which claim may write, and what is written. It
// knows nothing of SQL, beats as numbers, or lock files.
type model struct {
	now     time.Time
	holder  int // index of the claim that holds, -1 for none
	changed int // counts every change of the lease
	seen    [2]struct {
		changed int
		since   time.Time
	}
	claims []*modelClaim
	rows   map[[2]int]modelRow
}

type modelClaim struct {
	real     *Claim
	store    int
	locked   bool // it got the lock file when it took the claim
	holds    bool // the process still has the lock file
	released bool
}

type modelRow struct {
	state   EntryState
	attempt int
	token   int64
}

// canTake reports whether a store gets the claim now.
func (m *model) canTake(store int) bool {
	if m.holder < 0 {
		return true
	}
	c := m.claims[m.holder]
	if c.locked && !c.holds {
		return true // dead, and proven so
	}
	w := &m.seen[store]
	if w.changed != m.changed {
		w.changed, w.since = m.changed, m.now
		return false
	}
	return m.now.Sub(w.since) >= 60*time.Second
}

// mayWrite reports whether a claim still writes.
func (m *model) mayWrite(i int) bool { return m.holder == i && !m.claims[i].released }

func TestClaim_AgainstANaiveModel(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		place, err := os.MkdirTemp(dir, "")
		if err != nil {
			t.Fatal(err)
		}
		ctx := context.Background()
		hand := &handClock{now: time.Unix(1e9, 0)}
		var stores [2]*Store
		for i := range stores {
			s, err := OpenWith(ctx, FileURL(filepath.Join(place, "state.db")), Options{Clock: hand})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			s.db.SetMaxOpenConns(1)
			if _, err := s.db.Exec(`PRAGMA synchronous = OFF`); err != nil {
				t.Fatal(err)
			}
			stores[i] = s
		}
		if _, err := stores[0].BeginRun(ctx, Run{Kind: Sync, Tenant: "t", Domain: "a.example"}); err != nil {
			t.Fatal(err)
		}
		m := &model{now: hand.now, holder: -1, changed: 1, rows: map[[2]int]modelRow{}}
		defer func() {
			for _, c := range m.claims {
				_ = c.real.Release(ctx)
			}
		}()
		pick := func(t *rapid.T) int {
			if len(m.claims) == 0 {
				t.Skip("nobody ever held it")
			}
			return rapid.IntRange(max(0, len(m.claims)-3), len(m.claims)-1).Draw(t, "claim")
		}
		batch := func(t *rapid.T, state EntryState) []Entry {
			keys := rapid.SliceOfNDistinct(rapid.IntRange(0, 5), 1, 4, rapid.ID[int]).Draw(t, "rows")
			rows := make([]Entry, 0, len(keys))
			for _, k := range keys {
				rows = append(rows, Entry{Run: 1, Action: k / 2, Step: k % 2, Attempt: rapid.IntRange(1, 3).Draw(t, "attempt"), State: state})
			}
			return rows
		}
		record := func(t *rapid.T, i int, rows []Entry, err error, allowed func(modelRow, bool) bool) {
			switch {
			case !m.mayWrite(i):
				if !problem.Has(err, problem.ClaimLost) {
					t.Fatalf("claim %d wrote without the right: %v", i, err)
				}
				return
			case slices.ContainsFunc(rows, func(e Entry) bool {
				r, is := m.rows[[2]int{e.Action, e.Step}]
				return !allowed(r, is)
			}):
				if !problem.Has(err, problem.Internal) {
					t.Fatalf("a row was sent twice: %v", err)
				}
				return // rolled back, with its beat
			case err != nil:
				t.Fatal(err)
			}
			m.changed++
			for _, e := range rows {
				m.rows[[2]int{e.Action, e.Step}] = modelRow{e.State, e.Attempt, m.claims[i].real.token}
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"take": func(t *rapid.T) {
				s := rapid.IntRange(0, 1).Draw(t, "store")
				can := m.canTake(s)
				free := !slices.ContainsFunc(m.claims, func(c *modelClaim) bool { return c.holds })
				c, err := stores[s].Take(ctx, "t", "a.example", fmt.Sprint(len(m.claims)), false)
				if can != (err == nil) || (err != nil && !problem.Has(err, problem.DomainBusy)) {
					t.Fatalf("store %d can take: %v, but %v", s, can, err)
				}
				if err == nil {
					m.claims = append(m.claims, &modelClaim{real: c, store: s, locked: free, holds: free})
					m.holder = len(m.claims) - 1
					m.changed++
				}
			},
			"die": func(t *rapid.T) {
				c := m.claims[pick(t)]
				c.real.lock.unlock()
				c.holds = false
			},
			"release": func(t *rapid.T) {
				i := pick(t)
				if err := m.claims[i].real.Release(ctx); err != nil {
					t.Fatal(err)
				}
				if m.mayWrite(i) {
					m.holder = -1
					m.changed++
				}
				m.claims[i].released, m.claims[i].holds = true, false
			},
			"beat": func(t *rapid.T) {
				i := pick(t)
				if err := m.claims[i].real.beat(ctx); m.mayWrite(i) != (err == nil) {
					t.Fatalf("claim %d beats: %v", i, err)
				}
				if m.mayWrite(i) {
					m.changed++
				}
			},
			"pass time": func(t *rapid.T) {
				m.now = m.now.Add(time.Duration(rapid.IntRange(1, 60).Draw(t, "seconds")) * time.Second)
				hand.now = m.now
			},
			"intend": func(t *rapid.T) {
				i, rows := pick(t), batch(t, Sent)
				record(t, i, rows, m.claims[i].real.Intend(ctx, rows), func(r modelRow, is bool) bool {
					return !is || (r.state != Written && r.state != Seen)
				})
			},
			"settle": func(t *rapid.T) {
				state := rapid.SampledFrom([]EntryState{None, Sent, Written, Seen, Differs, Rejected, Conflict}).Draw(t, "state")
				i, rows := pick(t), batch(t, state)
				record(t, i, rows, m.claims[i].real.Settle(ctx, rows), func(modelRow, bool) bool { return true })
			},
			"": func(t *rapid.T) {
				got := map[[2]int]modelRow{}
				rows, err := stores[0].Journal(ctx, 1)
				if err != nil {
					t.Fatal(err)
				}
				for _, e := range rows {
					got[[2]int{e.Action, e.Step}] = modelRow{e.State, e.Attempt, e.Token}
				}
				if !maps.Equal(got, m.rows) {
					t.Fatalf("journal %v, want %v", got, m.rows)
				}
			},
		})
	})
}
