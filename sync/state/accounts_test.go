package state_test

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/state"
	"github.com/hacsync/hacsync/sync/state/statetest"
)

// day is a time of reading, some days after the first.
func day(n int) time.Time { return time.Date(2026, 11, 25, 1, 2, 3, 4, time.UTC).AddDate(0, 0, n) }

// taught begins a dry run, ends it as done, and lets it learn.
func taught(t testing.TB, s *state.Store, domain string, l state.Lesson) int64 {
	t.Helper()
	no, err := s.BeginRun(t.Context(), state.Run{Kind: state.DryRun, Tenant: "t", Domain: domain})
	if err == nil {
		err = s.EndRun(t.Context(), state.Run{No: no, State: state.Done, Ended: day(0)}, &l)
	}
	if err != nil {
		t.Fatal(err)
	}
	return no
}

func accounts(t testing.TB, s *state.Store, domain string) map[string]state.Account {
	t.Helper()
	list, err := s.Accounts(t.Context(), "t", domain)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]state.Account{}
	for _, a := range list {
		all[a.ID] = a
	}
	if len(all) != len(list) {
		t.Errorf("an account is there twice: %v", list)
	}
	of, err := s.AccountsOf(t.Context(), "t", slices.Collect(maps.Keys(all)))
	if err != nil || !reflect.DeepEqual(all, of) {
		t.Errorf("one by one\n%v\nall of the domain\n%v\n%v", of, all, err)
	}
	return all
}

func link(user string, since, run int) state.Link {
	return state.Link{
		Source: "hac", Username: user, Given: "太郎", Family: "", Display: "山田\x1f\x00太郎", UPN: user + "@a.example",
		ImmutableID: "aWQ=", Since: day(since), Run: int64(run),
	}
}

func TestEndRun_LearnsLinksAbsencesAndMarks(t *testing.T) {
	statetest.Places(t, func(t *testing.T, place string) {
		s := open(t, place, state.Options{})
		fresh := link("taro", 0, 0)
		fresh.Since = time.Time{}
		taught(t, s, "A.example", state.Lesson{
			Source: "hac", At: day(0), Links: []state.Taught{{Account: "1", Link: fresh}, {Account: "2", Link: link("jiro", -9, 0)}},
			Added: []string{"3"}, Blocked: []string{"4"}, Vouched: []string{"5"},
		})
		want := map[string]state.Account{
			"1": {ID: "1", Domain: "a.example", Link: link("taro", 0, 1)},
			"2": {ID: "2", Domain: "a.example", Link: link("jiro", -9, 1)},
			"3": {ID: "3", Domain: "a.example", Added: 1},
			"4": {ID: "4", Domain: "a.example", Blocked: 1},
			"5": {ID: "5", Domain: "a.example", Claimed: true},
		}
		check := func(doing string) {
			t.Helper()
			if got := accounts(t, s, "a.example"); !reflect.DeepEqual(got, want) {
				t.Fatalf("%s:\n%+v\nwant\n%+v", doing, got, want)
			}
		}
		check("first")

		renamed := link("taro", 5, 0)
		renamed.UPN = "yamada@a.example"
		taught(t, s, "a.example", state.Lesson{
			Source: "hac", At: day(1), Links: []state.Taught{{Account: "1", Link: renamed}},
			Absent: []string{"2", "5", "6"}, Unblocked: []string{"4"},
		})
		renamed.Since, renamed.Run = day(0), 2 // the same user, since the same time
		absent := state.Absence{First: day(1), Last: day(1), Days: 1, Reads: 1}
		want["1"] = state.Account{ID: "1", Domain: "a.example", Link: renamed}
		want["2"] = state.Account{ID: "2", Domain: "a.example", Link: link("jiro", -9, 1), Absent: absent}
		want["5"] = state.Account{ID: "5", Domain: "a.example", Claimed: true, Absent: absent}
		want["6"] = state.Account{ID: "6", Domain: "a.example", Absent: absent}
		delete(want, "4")
		check("second")

		// A second read of the day, one of the next, and one that is older.
		for _, at := range []time.Time{day(1).Add(time.Hour), day(2), day(1).Add(time.Minute)} {
			taught(t, s, "a.example", state.Lesson{Source: "hac", At: at, Absent: []string{"2"}, Back: []string{"5", "6"}})
		}
		w := want["2"]
		w.Absent = state.Absence{First: day(1), Last: day(2), Days: 2, Reads: 3}
		want["2"], want["5"] = w, state.Account{ID: "5", Domain: "a.example", Claimed: true}
		delete(want, "6")
		check("days")

		if err := s.SeenEnabled(t.Context(), "t", []string{"1", "1", "7"}, day(3)); err != nil {
			t.Fatal(err)
		}
		if err := s.SeenEnabled(t.Context(), "t", []string{"1"}, day(2)); err != nil {
			t.Fatal(err)
		}
		w = want["1"]
		w.Enabled = day(3)
		want["1"] = w
		check("enabled")
		if got, err := s.AccountsOf(t.Context(), "t", []string{"7", "8"}); err != nil || !reflect.DeepEqual(got, map[string]state.Account{
			"7": {ID: "7", Enabled: day(3)},
		}) {
			t.Errorf("%v %v", got, err)
		}

		// Another domain's run moves it there.
		moved := link("taro", 9, 0)
		no := taught(t, s, "b.example", state.Lesson{Source: "hac", At: day(4), Links: []state.Taught{{Account: "1", Link: moved}}, Unlink: []string{"2"}})
		moved.Since, moved.Run = day(0), no
		if got := accounts(t, s, "b.example"); len(got) != 1 || got["1"].Link != moved || got["1"].Domain != "b.example" {
			t.Errorf("%+v", got)
		}
		delete(want, "1")
		w = want["2"]
		w.Link = state.Link{}
		want["2"] = w
		check("moved")

		if err := s.DropLinks(t.Context(), "t", []string{"2", "3"}); err != nil {
			t.Fatal(err)
		}
		delete(want, "2")
		delete(want, "3")
		check("dropped")
	})
}

func TestSeen_FollowsTheReadsOfASource(t *testing.T) {
	statetest.Places(t, func(t *testing.T, place string) {
		s := open(t, place, state.Options{})
		check := func(want state.SeenSource) {
			t.Helper()
			got, err := s.Seen(t.Context(), "t", "a.example")
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Fatalf("%+v %v\nwant\n%+v", got, err, want)
			}
		}
		check(state.SeenSource{})
		taught(t, s, "a.example", state.Lesson{
			Source: "hac", At: day(0), Newest: day(-1), New: []string{"b", "a", "c\x00", "名"},
			Logins: []state.SeenLogin{{Username: "b", At: day(-1)}, {Username: "a", At: day(-2).Truncate(time.Second)}},
		})
		a := state.SeenUser{Username: "a", First: day(0), Last: day(0), Login: day(-2).Truncate(time.Second)}
		b := state.SeenUser{Username: "b", First: day(0), Last: day(0), Login: day(-1)}
		c := state.SeenUser{Username: "c\uFFFD", First: day(0), Last: day(0)}
		d := state.SeenUser{Username: "名", First: day(0), Last: day(0)}
		check(state.SeenSource{Source: "hac", At: day(0), Newest: day(-1), Users: []state.SeenUser{a, b, c, d}})
		// b goes, a's Last Login is emptied, the others stay.
		taught(t, s, "a.example", state.Lesson{
			Source: "hac", At: day(1), Gone: []string{"b"}, Logins: []state.SeenLogin{{Username: "a"}},
		})
		a.Last, c.Last, d.Last, a.Login = day(1), day(1), day(1), time.Time{}
		check(state.SeenSource{Source: "hac", At: day(1), Users: []state.SeenUser{a, b, c, d}})
		// An older read teaches nothing of this; b comes back as a new user.
		taught(t, s, "a.example", state.Lesson{Source: "hac", At: day(0).Add(time.Hour), Gone: []string{"a"}})
		taught(t, s, "a.example", state.Lesson{Source: "hac", At: day(2), Newest: day(2), New: []string{"b"}})
		a.Last, c.Last, d.Last = day(2), day(2), day(2)
		b = state.SeenUser{Username: "b", First: day(2), Last: day(2)}
		check(state.SeenSource{Source: "hac", At: day(2), Newest: day(2), Users: []state.SeenUser{a, b, c, d}})
		// Nothing was read.
		taught(t, s, "a.example", state.Lesson{Unblocked: []string{"1"}})
		check(state.SeenSource{Source: "hac", At: day(2), Newest: day(2), Users: []state.SeenUser{a, b, c, d}})
		// Another source starts from the beginning, also with an older read.
		taught(t, s, "a.example", state.Lesson{Source: "other", At: day(1), New: []string{"a"}})
		check(state.SeenSource{Source: "other", At: day(1), Users: []state.SeenUser{{Username: "a", First: day(1), Last: day(1)}}})
	})
}

func TestForgetAndUndo_GoBackToWhatWasBefore(t *testing.T) {
	statetest.Places(t, func(t *testing.T, place string) {
		s, ctx := open(t, place, state.Options{}), t.Context()
		first := taught(t, s, "a.example", state.Lesson{
			At: day(0), Links: []state.Taught{{Account: "1", Link: link("taro", 0, 0)}, {Account: "2", Link: link("jiro", 0, 0)}},
		})
		one := accounts(t, s, "a.example")
		if err := s.SaveAnswers(ctx, "t", "a.example", []state.Answer{
			{AnswerKey: state.AnswerKey{Account: "1", Row: "taro"}, Answer: "same", Basis: "x", By: "mori", At: day(0)},
			{AnswerKey: state.AnswerKey{Account: "1", Row: "upn:x"}, Answer: "different", At: day(0)},
		}); err != nil {
			t.Fatal(err)
		}
		answers := func() []state.Answer {
			as, err := s.Answers(ctx, "t", "a.example")
			if err != nil {
				t.Fatal(err)
			}
			return as
		}
		second := taught(t, s, "a.example", state.Lesson{
			At: day(1), Links: []state.Taught{{Account: "1", Link: link("hanako", 1, 0)}, {Account: "3", Link: link("taro", 1, 0)}},
			Unlink: []string{"2"}, Absent: []string{"2"}, Vouched: []string{"2", "4"},
			Answers: []state.AnswerKey{{Account: "1", Row: "taro"}, {Account: "9", Row: "nobody"}},
		})
		if as := answers(); as[0].Used != second || as[1].Used != 0 {
			t.Errorf("%+v", as)
		}
		if n, err := s.Forget(ctx, "t", "b.example", second); n != 0 || err != nil {
			t.Errorf("of another domain: %d %v", n, err)
		}
		if n, err := s.Forget(ctx, "t", "a.example", second); n != 3 || err != nil {
			t.Errorf("%d %v", n, err)
		}
		got := accounts(t, s, "a.example")
		if got["1"] != one["1"] || got["2"].Link != one["2"].Link || got["2"].Absent.Reads != 1 || !got["2"].Claimed || got["3"].ID != "" || !got["4"].Claimed {
			t.Errorf("forgotten: %+v", got)
		}
		taught(t, s, "a.example", state.Lesson{TakesBack: second})
		if got := accounts(t, s, "a.example"); !reflect.DeepEqual(got, one) {
			t.Errorf("undone\n%+v\nwant\n%+v", got, one)
		}
		if as := answers(); len(as) != 1 || as[0].Row != "upn:x" || as[0].Used != 0 {
			t.Errorf("answers %+v, want the one that was not used", as)
		}
		// What a later run changed stays, and does not go back to what was forgotten.
		third := taught(t, s, "a.example", state.Lesson{At: day(2), Links: []state.Taught{{Account: "1", Link: link("hanako", 2, 0)}}})
		if n, err := s.Forget(ctx, "t", "a.example", first); n != 1 || err != nil {
			t.Errorf("%d %v", n, err)
		}
		if got := accounts(t, s, "a.example"); len(got) != 1 || got["1"].Link != link("hanako", 2, int(third)) {
			t.Errorf("%+v", got)
		}
		if n, err := s.Forget(ctx, "t", "a.example", third); n != 1 || err != nil {
			t.Errorf("%d %v", n, err)
		}
		if got := accounts(t, s, "a.example"); len(got) != 0 {
			t.Errorf("%+v", got)
		}
	})
}

func TestLesson_IsKeptWithItsDryRunAndTeachesOnce(t *testing.T) {
	statetest.Places(t, func(t *testing.T, place string) {
		c := &setClock{now: time.Unix(1.8e9, 0)}
		s, ctx := open(t, place, state.Options{Clock: c}), t.Context()
		l := state.Lesson{
			Domain: "a.example", Source: "hac", At: day(0), Newest: day(-1), New: []string{"taro"}, Gone: []string{"jiro"},
			Logins: []state.SeenLogin{{Username: "taro", At: day(-1)}, {Username: "x"}},
			Links:  []state.Taught{{Account: "1", Link: link("taro", 0, 0)}, {Account: "2", Link: link("saburo", 0, 0)}},
			Unlink: []string{"3"}, Absent: []string{"4"}, Back: []string{"5"}, Vouched: []string{"6"},
			Added: []string{"7"}, Blocked: []string{"8"}, Unblocked: []string{"9"},
			Answers: []state.AnswerKey{{Account: "1", Row: "taro"}},
		}
		if err := s.SaveLesson(ctx, 1, l); !problem.Has(err, problem.RunUnknown) {
			t.Errorf("%v", err)
		}
		begin := func() int64 {
			no, err := s.BeginRun(ctx, state.Run{Kind: state.DryRun, Tenant: "t", Domain: "a.example", Started: c.now})
			if err != nil {
				t.Fatal(err)
			}
			return no
		}
		no := begin()
		if got, err := s.Lesson(ctx, no); got != nil || err != nil {
			t.Errorf("%+v %v", got, err)
		}
		for _, l := range []state.Lesson{{}, l} {
			if err := s.SaveLesson(ctx, no, l); err != nil {
				t.Fatal(err)
			}
			if got, err := s.Lesson(ctx, no); err != nil || !reflect.DeepEqual(*got, l) {
				t.Errorf("%+v %v", got, err)
			}
		}
		if err := s.SavePlan(ctx, no, "ff", []byte("plan")); err != nil {
			t.Fatal(err)
		}
		for i := range 2 {
			if err := s.EndRun(ctx, state.Run{No: no, State: state.Done, Ended: c.now}, &l); err != nil {
				t.Fatal(err)
			}
			l.At, l.Absent, l.Links = day(1), []string{"1"}, nil // not once more
			if got := accounts(t, s, "a.example"); len(got) != 6 || got["1"].Link.Run != no || got["1"].Absent.Reads > 0 {
				t.Errorf("%d: %+v", i, got)
			}
		}
		c.now = c.now.Add(100 * days)
		last := begin()
		if err := s.SavePlan(ctx, last, "fe", []byte("plan")); err != nil {
			t.Fatal(err)
		}
		if err := s.EndRun(ctx, state.Run{No: last, State: state.Done, Ended: c.now}, nil); err != nil {
			t.Fatal(err)
		}
		if err := s.SaveLesson(ctx, last, l); err != nil {
			t.Fatal(err)
		}
		got, err := s.Prune(ctx, state.Pruning{Runs: 200 * days, Plans: days})
		if err != nil || got.Plans != 1 {
			t.Errorf("%+v %v", got, err)
		}
		if l, err := s.Lesson(ctx, no); l != nil || err != nil {
			t.Errorf("it stayed without its plan: %v", err)
		}
		if l, err := s.Lesson(ctx, last); l == nil || err != nil {
			t.Errorf("it went, its plan did not: %v", err)
		}
	})
}

func TestEndRun_IsAllOrNothingAndNeedsTheClaim(t *testing.T) {
	statetest.Places(t, func(t *testing.T, place string) {
		s, ctx := open(t, place, state.Options{}), t.Context()
		l := state.Lesson{At: day(0), Links: []state.Taught{{Account: "1", Link: link("taro", 0, 0)}}}
		if err := s.EndRun(ctx, state.Run{No: 9, State: state.Done}, &l); !problem.Has(err, problem.RunUnknown) {
			t.Errorf("%v", err)
		}
		no, c := beginSync(t, s), take(t, s)
		if err := c.Release(ctx); err != nil {
			t.Fatal(err)
		}
		if err := c.EndRun(ctx, state.Run{No: no, State: state.Done}, &l); !problem.Has(err, problem.ClaimLost) {
			t.Errorf("%v", err)
		}
		if r, err := s.Run(ctx, no); err != nil || r.State != state.Running {
			t.Errorf("%v %v", r, err)
		}
		if got := accounts(t, s, "a.example"); len(got) != 0 {
			t.Errorf("%v", got)
		}
		c = take(t, s)
		if err := c.EndRun(ctx, state.Run{No: no, State: state.Done}, &l); err != nil {
			t.Fatal(err)
		}
		if got := accounts(t, s, "a.example"); len(got) != 1 {
			t.Errorf("%v", got)
		}
	})
}

func TestAnswers_AreReplacedAndTakenBackByKey(t *testing.T) {
	statetest.Places(t, func(t *testing.T, place string) {
		s, ctx := open(t, place, state.Options{}), t.Context()
		key := state.AnswerKey{Account: "1", Row: "taro"}
		for _, a := range []state.Answer{
			{AnswerKey: key, Answer: "not-now", At: day(0), Used: 7},
			{AnswerKey: key, Answer: "same", Basis: "b", By: "mori", At: day(1)},
		} {
			if err := s.SaveAnswers(ctx, "t", "A.example", []state.Answer{a}); err != nil {
				t.Fatal(err)
			}
			if got, err := s.Answers(ctx, "t", "a.example"); err != nil || !slices.Equal(got, []state.Answer{a}) {
				t.Errorf("%+v %v", got, err)
			}
		}
		if got, err := s.Answers(ctx, "t", "b.example"); err != nil || len(got) > 0 {
			t.Errorf("%+v %v", got, err)
		}
		if err := s.RemoveAnswers(ctx, "t", "a.example", []state.AnswerKey{key, {}}); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Answers(ctx, "t", "a.example"); err != nil || len(got) > 0 {
			t.Errorf("%+v %v", got, err)
		}
	})
}

func TestAcceptSize_HoldsForOneDryRunThatIsDone(t *testing.T) {
	statetest.Places(t, func(t *testing.T, place string) {
		s, ctx := open(t, place, state.Options{}), t.Context()
		knew := 9
		end := func(kind state.RunKind, as state.RunState, domain string) map[string]int {
			t.Helper()
			no, err := s.BeginRun(ctx, state.Run{Kind: kind, Tenant: "t", Domain: domain})
			if err == nil {
				err = s.EndRun(ctx, state.Run{No: no, State: as, Sizes: map[string]int{"source": knew}}, nil)
			}
			got, aerr := s.Accepted(ctx, "t", "a.example")
			if err != nil || aerr != nil {
				t.Fatal(err, aerr)
			}
			return got
		}
		for _, users := range []int{7, 9} {
			if err := s.AcceptSize(ctx, "t", "A.example", "source", users, "mori"); err != nil {
				t.Fatal(err)
			}
		}
		want := map[string]int{"source": 9}
		for _, got := range []map[string]int{
			end(state.DryRun, state.Refused, "a.example"), end(state.Sync, state.Done, "a.example"), end(state.DryRun, state.Done, "b.example"),
		} {
			if !maps.Equal(got, want) {
				t.Errorf("%v", got)
			}
		}
		knew = 7 // and 9 was accepted while it ran
		if got := end(state.DryRun, state.Done, "a.example"); !maps.Equal(got, want) {
			t.Errorf("%v", got)
		}
		knew = 9
		if got := end(state.DryRun, state.Done, "a.example"); len(got) > 0 {
			t.Errorf("%v", got)
		}
	})
}

func TestVouch_ClaimsOnceADomain(t *testing.T) {
	statetest.Places(t, func(t *testing.T, place string) {
		s, ctx := open(t, place, state.Options{}), t.Context()
		for i, want := range []bool{false, true, true} {
			got, err := s.Vouched(ctx, "t", "a.example")
			if err != nil || got != want {
				t.Errorf("%d: %v %v", i, got, err)
			}
			if err := s.SetVouched(ctx, "t", "A.example"); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := s.Vouched(ctx, "t", "b.example"); got || err != nil {
			t.Errorf("%v %v", got, err)
		}
		var ids []string
		for i := range 1000 {
			ids = append(ids, fmt.Sprint(i))
		}
		if err := s.Vouch(ctx, "t", "a.example", append(ids, "0")); err != nil {
			t.Fatal(err)
		}
		if got := accounts(t, s, "a.example"); len(got) != 1000 || !got["999"].Claimed {
			t.Errorf("%d", len(got))
		}
	})
}

func TestEachAccount_EndsWithItsReader(t *testing.T) {
	statetest.Places(t, func(t *testing.T, place string) {
		s, n := open(t, place, state.Options{}), 0
		if err := s.Vouch(t.Context(), "t", "a.example", []string{"1", "2", "3"}); err != nil {
			t.Fatal(err)
		}
		err := s.EachAccount(t.Context(), "t", "a.example", func(state.Account) error {
			n++
			return context.Canceled
		})
		if n != 1 || err == nil || problem.Of(err) != nil {
			t.Errorf("%d, %v", n, err)
		}
	})
}
