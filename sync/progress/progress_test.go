package progress_test

import (
	"context"
	"testing"
	"time"

	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/progress"
)

// Throttling is only what the other side asked for; everything else has a reason of
// its own.
func TestReason_IsThrottlingOnlyWhereItWasAskedFor(t *testing.T) {
	for _, x := range []struct {
		code problem.Code
		from problem.Upstream
		want progress.Why
	}{
		{problem.Throttled, problem.Upstream{Status: 429}, progress.Asked},
		{problem.Throttled, problem.Upstream{Status: 429, RetryAfter: time.Second}, progress.Asked},
		{problem.HACThrottled, problem.Upstream{Status: 429}, progress.Asked},
		{problem.ServerTrouble, problem.Upstream{Status: 503, RetryAfter: time.Second}, progress.Asked},
		{problem.Throttled, problem.Upstream{RetryAfter: time.Second}, progress.Paced},
		{problem.ServerTrouble, problem.Upstream{Status: 503}, progress.Server},
		{problem.ServerTrouble, problem.Upstream{Status: 500}, progress.Server},
		{problem.HACUnavailable, problem.Upstream{Status: 502}, progress.Server},
		{problem.NoConnection, problem.Upstream{}, progress.Unreachable},
		{problem.NameNotFound, problem.Upstream{}, progress.Unreachable},
		{problem.HACUnreachable, problem.Upstream{}, progress.Unreachable},
		{problem.NoAnswerInTime, problem.Upstream{}, progress.Silent},
		{problem.ConnectionCut, problem.Upstream{}, progress.Cut},
		{problem.BrokenAnswer, problem.Upstream{Status: 200}, progress.Cut},
	} {
		if got := progress.Reason(problem.New(x.code, nil).WithUpstream(x.from)); got != x.want {
			t.Errorf("%s %+v: %q, want %q", x.code, x.from, got, x.want)
		}
	}
	late := problem.Wrap(context.DeadlineExceeded, problem.HACUnreachable, nil)
	if got := progress.Reason(late); got != progress.Silent {
		t.Errorf("no answer of the HAC API: %q", got)
	}
}
