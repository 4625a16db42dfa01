package run

import (
	"context"
	"slices"

	"github.com/hacsync/hacsync/sync/consent"
	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/problem"
)

type applyingKey struct{}

// applying says to what is called with the context which plan is applied.
func applying(ctx context.Context, p *plan.Plan) context.Context {
	return context.WithValue(ctx, applyingKey{}, p)
}

// MaySignIn judges the account that signs in for the connection while ctx runs. Such
// an account is never touched, but a plan may be older than its sign-in: a sync whose
// plan names the account is refused. So is every operation that makes a plan, unless
// the account was known before.
func MaySignIn(ctx context.Context, who consent.Account, known bool) error {
	if p, ok := ctx.Value(applyingKey{}).(*plan.Plan); ok {
		known = !slices.ContainsFunc(p.Touches(), func(r directory.Ref) bool { return r.ID == who.ID })
	}
	if known {
		return nil
	}
	return problem.New(problem.WriterInPlan, problem.Args{"upn": who.UPN})
}
