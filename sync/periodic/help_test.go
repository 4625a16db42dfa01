package periodic_test

import (
	"context"

	"github.com/hacsync/hacsync/sync/notice"
	"github.com/hacsync/hacsync/sync/run"
)

func runOverrides() run.Overrides { return run.Overrides{} }

func approve(p *run.Planned) run.Approval {
	return run.Approval{Fingerprint: p.Plan.Fingerprint(), By: "t.mori"}
}

// deathBell calls ring when it gets a notice.
type deathBell struct {
	*ears
	ring func()
}

func (d *deathBell) Recovered(ctx context.Context, n notice.Event) error {
	err := d.ears.Recovered(ctx, n)
	d.ring()
	return err
}
