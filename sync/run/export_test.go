package run

import (
	"context"
	"time"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/state"
)

// Facts are what a plan of the domain would rest on, of what earlier runs did.
func (r *Runner) Facts(
	ctx context.Context, users *directory.Snapshot, begun time.Time, marked map[string]state.Account,
) (plan.Facts, error) {
	return r.facts(ctx, &plan.Input{Users: users}, Settings{}, begun, marked)
}
