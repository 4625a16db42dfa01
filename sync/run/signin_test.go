package run_test

import (
	"context"
	"testing"

	"github.com/hacsync/hacsync/sync/consent"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/run"
)

// Who signs in for a connection is never touched, also by a plan that is older
// than the sign-in, and also where they try a second time.
func TestRule6_WhoSignsInIsNotInThePlanUnderWay(t *testing.T) {
	for name, c := range map[string]struct {
		upn     string
		known   bool
		refused bool
	}{
		"an account to be deleted":        {"gone@" + domain, false, true},
		"the same once it is on the list": {"gone@" + domain, true, true},
		"an account that the plan leaves": {"user030@" + domain, false, false},
		"left alone, and on the list":     {"user030@" + domain, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := mixed(t)
			p := w.dry(t)
			who := consent.Account{ID: w.account(c.upn).ID, UPN: c.upn} // of any mixed world
			w.MayWrite = func(ctx context.Context) error { return run.MaySignIn(ctx, who, c.known) }
			_, err := w.Sync(t.Context(), p, approval(p))
			if problem.Has(err, problem.WriterInPlan) != c.refused || len(w.tenant.writes) == 0 != c.refused {
				t.Errorf("err %v, wrote %q", err, w.tenant.writes)
			}

			w = mixed(t)
			p = w.dry(t)
			ctx, cancel := context.WithCancel(t.Context())
			w.MayWrite = func(context.Context) error { cancel(); return nil }
			rep, err := w.Sync(ctx, p, approval(p))
			if !problem.Has(err, problem.Interrupted) {
				t.Fatal(err)
			}
			w.MayWrite = func(ctx context.Context) error { return run.MaySignIn(ctx, who, c.known) }
			_, err = w.Resume(t.Context(), rep.Run)
			if problem.Has(err, problem.WriterInPlan) != c.refused || len(w.tenant.writes) == 0 != c.refused {
				t.Errorf("resumed: err %v, wrote %q", err, w.tenant.writes)
			}
		})
	}
}

// What makes a plan began with the accounts that were known then.
func TestMaySignIn_OutsideOfASyncOnlyWhoWasKnown(t *testing.T) {
	who := consent.Account{ID: "1", UPN: "a@" + domain}
	if err := run.MaySignIn(t.Context(), who, true); err != nil {
		t.Error(err)
	}
	if err := run.MaySignIn(t.Context(), who, false); !problem.Has(err, problem.WriterInPlan) {
		t.Errorf("err = %v", err)
	}
}
