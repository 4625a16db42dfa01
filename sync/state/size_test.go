package state_test

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/state"
	"github.com/hacsync/hacsync/sync/state/statetest"
)

// A tenant of 100,000 users, synchronised once: reading its journal must not make a
// user wait long, and a plan of a million rows must fit.

func BenchmarkJournalSince_OfAHundredThousandRows(b *testing.B) {
	for name, place := range map[string]func(testing.TB) string{"sqlite": statetest.NewFile, "postgres": statetest.NewDatabase} {
		b.Run(name, func(b *testing.B) {
			ctx, s := b.Context(), open(b, place(b), state.Options{})
			run, c := beginSync(b, s), take(b, s)
			at := time.Date(2026, 11, 25, 1, 0, 0, 0, time.UTC)
			name, family := "Yamada Taro", "Yamada"
			values := state.Image{"displayName": &name, "surname": &family}
			var rows []state.Entry
			for i := range 100_000 {
				rows = append(rows, state.Entry{
					Run: run, Action: i, State: state.Written, Kind: "update", Before: values, After: values,
					Answered: at.Add(time.Duration(i) * time.Millisecond),
				})
			}
			begun := time.Now()
			if err := c.Settle(ctx, rows); err != nil {
				b.Fatal(err)
			}
			b.Logf("written in %v", time.Since(begun))
			for _, last := range []int{100_000, 1000} {
				b.Run(fmt.Sprint(last), func(b *testing.B) {
					for b.Loop() {
						got, err := s.JournalSince(ctx, "t", "a.example", at.Add(time.Duration(100_000-last)*time.Millisecond))
						if err != nil || len(got) != last {
							b.Fatal(len(got), err)
						}
					}
				})
			}
		})
	}
}

// A batch of twenty additions, from its intent until it is seen.
func BenchmarkSettle_OfABatch(b *testing.B) {
	for name, place := range map[string]func(testing.TB) string{"sqlite": statetest.NewFile, "postgres": statetest.NewDatabase} {
		b.Run(name, func(b *testing.B) {
			s := open(b, place(b), state.Options{})
			run, c := beginSync(b, s), take(b, s)
			text := "Yamada Taro"
			n := 0
			for b.Loop() {
				rows := make([]state.Entry, 20)
				for i := range rows {
					n++
					rows[i] = state.Entry{
						Run: run, Action: n, Kind: state.KindAdd, Verb: state.VerbCreate, Object: directory.Ref{ID: directory.ID(fmt.Sprint(n))},
						Before: state.Image{}, After: state.Image{directory.DisplayName: &text, directory.Surname: &text},
					}
				}
				if err := c.Intend(b.Context(), rows); err != nil {
					b.Fatal(err)
				}
				for _, how := range []state.EntryState{state.Written, state.Seen} {
					for i := range rows {
						rows[i].State = how
					}
					if err := c.Settle(b.Context(), rows); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}

func BenchmarkPlan_OfAMillionRows(b *testing.B) {
	var file bytes.Buffer
	for i := range 1_000_000 {
		fmt.Fprintf(&file, `{"no":%d,"kind":"update","upn":"user%d@a.example","changes":[{"attribute":"displayName","old":"Old %d","new":"New %d"}]}`+"\n", i, i, i*7919%1000003, i*104729%1000003)
	}
	for name, place := range map[string]func(testing.TB) string{"sqlite": statetest.NewFile, "postgres": statetest.NewDatabase} {
		b.Run(name, func(b *testing.B) {
			s := open(b, place(b), state.Options{})
			run := beginSync(b, s)
			b.SetBytes(int64(file.Len()))
			for b.Loop() {
				if err := s.SavePlan(b.Context(), run, "ff", file.Bytes()); err != nil {
					b.Fatal(err)
				}
				if got, err := s.Plan(b.Context(), run); err != nil || len(got) != file.Len() {
					b.Fatal(len(got), err)
				}
			}
		})
	}
}

func BenchmarkRemember_OfAHundredThousandKeys(b *testing.B) {
	known := map[string][]string{}
	for i := range 100_000 {
		known[fmt.Sprintf("user%d@a.example", i)] = []string{"displayName", "givenName", "surname"}
	}
	for name, place := range map[string]func(testing.TB) string{"sqlite": statetest.NewFile, "postgres": statetest.NewDatabase} {
		b.Run(name, func(b *testing.B) {
			s := open(b, place(b), state.Options{})
			begun := time.Now()
			if err := s.Remember(b.Context(), "t", "a.example", known); err != nil {
				b.Fatal(err)
			}
			b.Logf("first in %v", time.Since(begun))
			for b.Loop() {
				if err := s.Remember(b.Context(), "t", "a.example", known); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// A million accounts are linked by a first sync, and read with every plan after it.
func BenchmarkAccounts_OfAMillion(b *testing.B) {
	const users = 1_000_000
	at := time.Date(2026, 11, 25, 1, 0, 0, 0, time.UTC)
	l := state.Lesson{Source: "hac", At: at, Newest: at}
	for i := range users {
		name := fmt.Sprintf("user%07d", i*7919%users)
		l.New = append(l.New, name)
		l.Logins = append(l.Logins, state.SeenLogin{Username: name, At: at.Add(-time.Duration(i) * time.Minute)})
		l.Links = append(l.Links, state.Taught{Account: fmt.Sprintf("%08x-0000-4000-8000-%012x", i, i), Link: state.Link{
			Source: "hac", Username: name, Given: "太郎", Family: "山田", Display: "山田 太郎",
			UPN: name + "@midori.example", ImmutableID: fmt.Sprintf("%022d==", i),
		}})
	}
	for name, place := range map[string]func(testing.TB) string{"sqlite": statetest.NewFile, "postgres": statetest.NewDatabase} {
		b.Run(name, func(b *testing.B) {
			s, ctx := open(b, place(b), state.Options{}), b.Context()
			run, begun := beginSync(b, s), time.Now()
			if err := s.SaveLesson(ctx, run, l); err != nil {
				b.Fatal(err)
			}
			b.Logf("lesson kept in %v", time.Since(begun))
			begun = time.Now()
			if got, err := s.Lesson(ctx, run); err != nil || len(got.Links) != users {
				b.Fatal(err)
			}
			b.Logf("lesson read in %v", time.Since(begun))
			begun = time.Now()
			if err := s.EndRun(ctx, state.Run{No: run, State: state.Done}, &l); err != nil {
				b.Fatal(err)
			}
			b.Logf("learnt in %v", time.Since(begun))
			b.Run("each", func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					n := 0
					if err := s.EachAccount(ctx, "t", "a.example", func(state.Account) error { n++; return nil }); err != nil || n != users {
						b.Fatal(n, err)
					}
				}
			})
			b.Run("seen", func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if got, err := s.Seen(ctx, "t", "a.example"); err != nil || len(got.Users) != users {
						b.Fatal(len(got.Users), err)
					}
				}
			})
			b.Run("learn", func(b *testing.B) { // a month's changes
				b.ReportAllocs()
				for b.Loop() {
					at = at.Add(time.Hour)
					next := state.Lesson{Source: "hac", At: at, Newest: at, Gone: l.New[:1000], Logins: l.Logins[5000:205_000]}
					for i, t := range l.Links[:10_000] {
						next.Absent = append(next.Absent, t.Account)
						next.New = append(next.New, fmt.Sprintf("new%v.%d", at, i))
					}
					next.Links = l.Links[20_000:30_000]
					if err := s.EndRun(ctx, state.Run{No: beginSync(b, s), State: state.Done}, &next); err != nil {
						b.Fatal(err)
					}
				}
			})
		})
	}
}
