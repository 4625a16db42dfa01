package state_test

import (
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/state"
	"github.com/hacsync/hacsync/sync/state/statetest"
)

func take(t testing.TB, s *state.Store) *state.Claim {
	t.Helper()
	c, err := s.Take(context.WithoutCancel(t.Context()), "t", "a.example", "the test", false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Release(context.Background()) })
	return c
}

func row(t testing.TB, s *state.Store, run int64, action int) state.Entry {
	t.Helper()
	rows, err := s.Journal(t.Context(), run)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range rows {
		if e.Action == action {
			return e
		}
	}
	t.Fatalf("no row %d", action)
	return state.Entry{}
}

// image has one value.
func image(text string) state.Image { return state.Image{"a": &text} }

func TestJournal_ARowThroughItsLife(t *testing.T) {
	statetest.Places(t, func(t *testing.T, url string) {
		ctx, s := t.Context(), open(t, url, state.Options{})
		run, c := beginSync(t, s), take(t, s)
		at := time.Date(2026, 11, 25, 1, 0, 0, 5, time.UTC)
		want := state.Entry{
			Run: run, Action: 3, Step: 1, Attempt: 1, State: state.Sent, Kind: "rename", Verb: "patch", Token: 1,
			Object: directory.Ref{ID: "id", UPN: "u\x00@a.example"}, Before: image("1"),
			After: image("\x00"), Intended: at,
		}
		given := want
		given.State = state.Seen // whatever state the caller gives, an intent is Sent
		given.Answered, given.Problem = at, json.RawMessage(`{}`)
		step := func(name string) {
			t.Helper()
			if got := row(t, s, run, 3); !reflect.DeepEqual(got, want) {
				t.Errorf("%s:\ngot  %+v\nwant %+v", name, got, want)
			}
		}
		settle := func(e state.Entry) {
			t.Helper()
			e.Run, e.Action, e.Step = run, 3, 1
			if err := c.Settle(ctx, []state.Entry{e}); err != nil {
				t.Fatal(err)
			}
		}
		if err := c.Intend(ctx, []state.Entry{given}); err != nil {
			t.Fatal(err)
		}
		step("intended")

		settle(state.Entry{State: state.None, Answered: at.Add(1), Problem: json.RawMessage(`{"code":"HS-4001"}`)})
		want.State, want.Answered, want.Problem = state.None, at.Add(1), json.RawMessage(`{"code":"HS-4001"}`)
		step("put off")

		given.Attempt, given.Intended = 2, at.Add(2)
		if err := c.Intend(ctx, []state.Entry{given}); err != nil {
			t.Fatal(err)
		}
		want.Attempt, want.State, want.Intended, want.Answered, want.Problem = 2, state.Sent, at.Add(2), time.Time{}, nil
		step("sent again")

		settle(state.Entry{State: state.Sent, Problem: json.RawMessage(`{"code":"HS-4002"}`)})
		want.Problem = json.RawMessage(`{"code":"HS-4002"}`)
		step("no answer")

		settle(state.Entry{State: state.Written, Answered: at.Add(3), Server: at.Add(4), Object: directory.Ref{ID: "new"}})
		want.State, want.Answered, want.Server, want.Object, want.Problem = state.Written, at.Add(3), at.Add(4), directory.Ref{ID: "new"}, nil
		step("written")

		settle(state.Entry{State: state.Seen, SeenAt: at.Add(5), Seen: image("2")})
		want.State, want.SeenAt, want.Seen = state.Seen, at.Add(5), image("2")
		step("seen")
	})
}

func TestJournal_TimesLeftOutAreTheStores(t *testing.T) {
	ctx, s := t.Context(), open(t, statetest.NewFile(t), state.Options{})
	run, c := beginSync(t, s), take(t, s)
	before := time.Now()
	if err := c.Intend(ctx, []state.Entry{{Run: run, Action: 1}}); err != nil {
		t.Fatal(err)
	}
	if e := row(t, s, run, 1); e.Intended.Before(before) || !e.Answered.IsZero() {
		t.Errorf("intended %v answered %v", e.Intended, e.Answered)
	}
	if err := c.Settle(ctx, []state.Entry{{Run: run, Action: 1, State: state.Written}}); err != nil {
		t.Fatal(err)
	}
	written := row(t, s, run, 1)
	if written.Answered.Before(written.Intended) || !written.SeenAt.IsZero() {
		t.Errorf("answered %v seen %v", written.Answered, written.SeenAt)
	}
	if err := c.Settle(ctx, []state.Entry{{Run: run, Action: 1, State: state.Seen}, {Run: run, Action: 2, State: state.Seen}}); err != nil {
		t.Fatal(err)
	}
	if e := row(t, s, run, 1); !e.Answered.Equal(written.Answered) || e.SeenAt.Before(written.Answered) {
		t.Errorf("answered %v, before %v; seen %v", e.Answered, written.Answered, e.SeenAt)
	}
	if e := row(t, s, run, 2); !e.Intended.IsZero() || e.Answered.IsZero() || e.Attempt != 0 {
		t.Errorf("what was never sent looks sent: %v", e)
	}
}

func TestJournalSince_IsTheTenantsByTime(t *testing.T) {
	statetest.Places(t, func(t *testing.T, url string) {
		ctx, s := t.Context(), open(t, url, state.Options{})
		at := time.Date(2026, 11, 25, 1, 0, 0, 0, time.UTC)
		for i, d := range []string{"a.example", "b.example"} {
			no, err := s.BeginRun(ctx, state.Run{Kind: state.Sync, Tenant: "t", Domain: d})
			if err != nil {
				t.Fatal(err)
			}
			c, err := s.Take(ctx, "t", d, "x", false)
			if err != nil {
				t.Fatal(err)
			}
			var rows []state.Entry
			for j := range 5 {
				rows = append(rows, state.Entry{Run: no, Action: j, State: state.Written, Answered: at.Add(time.Duration(5-j+i) * time.Minute)})
			}
			if err := c.Settle(ctx, rows); err != nil {
				t.Fatal(err)
			}
			if err := c.Intend(ctx, []state.Entry{{Run: no, Action: 99}}); err != nil {
				t.Fatal(err)
			}
			if err := c.Release(ctx); err != nil {
				t.Fatal(err)
			}
		}
		for _, c := range []struct {
			tenant, domain string
			since          time.Time
			want           int
		}{
			{"t", "", time.Time{}, 10},
			{"t", "", at.Add(5 * time.Minute), 3},
			{"t", "B.example", at.Add(5 * time.Minute), 2},
			{"u", "", time.Time{}, 0},
		} {
			rows, err := s.JournalSince(ctx, c.tenant, c.domain, c.since)
			if err != nil || len(rows) != c.want {
				t.Errorf("%+v: %d rows, %v", c, len(rows), err)
			}
			for i := 1; i < len(rows); i++ {
				if rows[i].Answered.Before(rows[i-1].Answered) {
					t.Errorf("%+v: not in order of time", c)
				}
			}
		}
	})
}

func TestJournal_IsWrittenOnlyUnderItsOwnLiveClaim(t *testing.T) {
	statetest.Places(t, func(t *testing.T, url string) {
		ctx, s := t.Context(), open(t, url, state.Options{})
		run := beginSync(t, s)
		other, err := s.BeginRun(ctx, state.Run{Kind: state.Sync, Tenant: "t", Domain: "b.example"})
		if err != nil {
			t.Fatal(err)
		}
		c := take(t, s)
		for name, rows := range map[string][]state.Entry{
			"another domain's run": {{Run: run, Action: 1}, {Run: other, Action: 1}},
			"no run":               {{Run: 99, Action: 1}},
			"a row twice":          {{Run: run, Action: 1}, {Run: run, Action: 1}},
		} {
			if err := c.Intend(ctx, rows); !problem.Has(err, problem.Internal) {
				t.Errorf("%s: %v", name, err)
			}
		}
		cancelled, cancel := context.WithCancel(ctx)
		cancel()
		if err := c.Intend(cancelled, []state.Entry{{Run: run, Action: 1}}); !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled: %v", err)
		}
		if err := c.Release(ctx); err != nil {
			t.Fatal(err)
		}
		if err := c.Intend(ctx, []state.Entry{{Run: run, Action: 1}}); !problem.Has(err, problem.ClaimLost) {
			t.Errorf("after the release: %v", err)
		}
		if err := c.UpdateRun(ctx, state.Run{No: run, State: state.Done}); !problem.Has(err, problem.ClaimLost) {
			t.Errorf("update after the release: %v", err)
		}
		if rows, err := s.Journal(ctx, run); err != nil || len(rows) != 0 {
			t.Errorf("%d rows, %v", len(rows), err)
		}
	})
}

// BenchmarkJournal writes a batch of 20 as a sync does: its intent and its
// outcome, each a transaction that survives a power cut.
func BenchmarkJournal(b *testing.B) {
	for name, place := range map[string]func(testing.TB) string{"sqlite": statetest.NewFile, "postgres": statetest.NewDatabase} {
		b.Run(name, func(b *testing.B) {
			s := open(b, place(b), state.Options{})
			run, c := beginSync(b, s), take(b, s)
			values := state.Image{}
			for a, v := range map[directory.Attribute]string{"displayName": "Yamada Taro", "surname": "Yamada", "givenName": "Taro"} {
				values.Put(a, directory.Text(v))
			}
			action := 0
			for b.Loop() {
				rows := make([]state.Entry, 20)
				for i := range rows {
					rows[i] = state.Entry{
						Run: run, Action: action, Attempt: 1, Kind: "update", Verb: "patch", Before: values, After: values,
						Object: directory.Ref{ID: "1b2c3d4e-0000-4000-8000-000000000000", UPN: "taro.yamada@a.example"},
					}
					action++
				}
				if err := c.Intend(b.Context(), rows); err != nil {
					b.Fatal(err)
				}
				for i := range rows {
					rows[i].State = state.Written
				}
				if err := c.Settle(b.Context(), rows); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "batches/s")
		})
	}
}

func TestJournal_ReportsARowThatItCannotRead(t *testing.T) {
	ctx, s := t.Context(), open(t, statetest.NewFile(t), state.Options{})
	run, c := beginSync(t, s), take(t, s)
	if err := c.Intend(ctx, []state.Entry{
		{Run: run, Action: 1, Verb: state.VerbPatch, After: image("x")}, {Run: run, Action: 2, Verb: "of a later program"},
	}); err != nil {
		t.Fatal(err)
	}
	if row(t, s, run, 1).Unread || !row(t, s, run, 2).Unread {
		t.Errorf("%+v and %+v", row(t, s, run, 1), row(t, s, run, 2))
	}
}
