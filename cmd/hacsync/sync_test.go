package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/hacsync/hacsync/sync/message"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/progress"
)

func TestRule2_ALimitIsRaisedForOnePlanOnly(t *testing.T) {
	cancelled := plan.Verdict{
		Cancelled: true, Deletions: 6, Users: 12, MaxAllowedDeletions: 10, MaxDeletions: -1,
	}
	absolute := cancelled
	absolute.MaxDeletions = 3
	for name, c := range map[string]struct {
		verdict plan.Verdict
		flags   syncFlags
		tty     bool
		want    bool
		code    problem.Code
	}{
		"not asked for":            {cancelled, syncFlags{maxAllowedDeletions: -1, maxDeletions: -1}, false, false, ""},
		"not needed":               {plan.Verdict{Deletions: 1, Users: 100, MaxAllowedDeletions: 10}, syncFlags{maxAllowedDeletions: 50, maxDeletions: -1}, false, false, ""},
		"without a fingerprint":    {cancelled, syncFlags{maxAllowedDeletions: 60, maxDeletions: -1, yes: true}, true, false, problem.RaiseUnapproved},
		"nobody reads it":          {cancelled, syncFlags{maxAllowedDeletions: 60, maxDeletions: -1}, false, false, problem.RaiseUnapproved},
		"a person reads it":        {cancelled, syncFlags{maxAllowedDeletions: 60, maxDeletions: -1}, true, true, ""},
		"enough":                   {cancelled, syncFlags{maxAllowedDeletions: 60, maxDeletions: -1, approve: "f"}, false, true, ""},
		"exactly the share":        {cancelled, syncFlags{maxAllowedDeletions: 50, maxDeletions: -1, approve: "f"}, false, false, ""},
		"lower than it was":        {cancelled, syncFlags{maxAllowedDeletions: 5, maxDeletions: -1, approve: "f"}, false, false, ""},
		"the count still cancels":  {absolute, syncFlags{maxAllowedDeletions: 60, maxDeletions: -1, approve: "f"}, false, false, ""},
		"count and share":          {absolute, syncFlags{maxAllowedDeletions: 60, maxDeletions: 10, approve: "f"}, false, true, ""},
		"the count alone is short": {absolute, syncFlags{maxAllowedDeletions: -1, maxDeletions: 10, approve: "f"}, false, false, ""},
	} {
		a := &app{terminal: c.tty}
		got, err := a.raise(c.verdict, plan.Fingerprint{}, c.flags)
		if got != c.want || (c.code == "") != (err == nil) || c.code != "" && !problem.Has(err, c.code) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

func TestLines_SayOncePerPhaseAndEachFailure(t *testing.T) {
	words, err := message.New("en")
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	l := newLines(&out, words)
	now := time.Date(2026, 11, 25, 9, 0, 0, 0, time.UTC)
	l.now = func() time.Time { return now }
	l.Report(progress.Event{Phase: progress.Write, Total: 400})
	now = now.Add(time.Second)
	l.Report(progress.Event{Phase: progress.Write, Done: 50, Total: 400}) // too early to say
	now = now.Add(4 * time.Second)
	l.Report(progress.Event{Phase: progress.Write, Done: 100, Total: 400})
	l.Report(progress.Event{Phase: progress.Write, Pause: 30 * time.Second, Why: progress.Asked})
	l.Report(progress.Event{Row: &progress.Row{No: 7, UPN: "aoi\x1b[2J@midori.example", Err: problem.New(problem.RowGone, problem.Args{"upn": "x"})}})
	l.Report(progress.Event{Phase: progress.Write, Done: 400, Total: 400, Ended: true})
	l.Report(progress.Event{Phase: progress.Write, Done: 400, Total: 400, Ended: true})
	want := []string{"100 of 400", "left", "30 s", "No. 7 aoi", "account is gone", "write: 400"}
	for _, w := range want {
		if strings.Count(out.String(), w) != 1 {
			t.Errorf("%q stands there %d times in:\n%s", w, strings.Count(out.String(), w), out.String())
		}
	}
	if strings.Contains(out.String(), "\x1b") {
		t.Errorf("a control character reached the terminal: %q", out.String())
	}
}

func TestFinish_AnErrorThatWasSaidIsNotSaidAgain(t *testing.T) {
	words, err := message.New("en")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		err   error
		code  int
		words bool
	}{
		"an outcome":   {outcome(exitPending), 2, false},
		"said":         {said{problem.New(problem.PlanDrifted, nil)}, 4, false},
		"not said":     {problem.New(problem.Internal, problem.Args{"what": "x"}), 1, true},
		"without code": {errors.New("x"), 1, true},
	} {
		var out, complaints bytes.Buffer
		a, _ := newApp(nil, nil, &out, &complaints, func(string) string { return "" })
		a.words = words
		if got := a.finish(c.err); got != c.code || (complaints.Len() > 0) != c.words || out.Len() > 0 {
			t.Errorf("%s: exit code %d, said %q and %q", name, got, complaints.String(), out.String())
		}
	}
}

func TestAsk_CtrlCEndsTheQuestion(t *testing.T) {
	silent, _ := io.Pipe()
	a := &app{answers: bufio.NewReader(silent), err: io.Discard}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := a.ask(ctx, "?"); exitCode(err) != exitInterrupted {
		t.Errorf("ask gave %v", err)
	}
}

func TestAsk_TheEndOfTheInputIsNoAnswer(t *testing.T) {
	a := &app{answers: bufio.NewReader(strings.NewReader("yes\nno")), err: io.Discard}
	for _, want := range []string{"yes", "no"} {
		if got, err := a.ask(t.Context(), "?"); got != want || err != nil {
			t.Errorf("ask gave %q, %v", got, err)
		}
	}
	if _, err := a.ask(t.Context(), "?"); !problem.Has(err, problem.LeftUnanswered) {
		t.Errorf("ask gave %v", err)
	}
}
