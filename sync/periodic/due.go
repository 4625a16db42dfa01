package periodic

import (
	"context"
	"errors"
	"time"

	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/state"
)

// askAgain is after how many looks a wish is rung for again. The queue keeps a wish,
// but the worker that it woke may have had no free seat.
const askAgain = 3

// key names a domain of a tenant.
func key(tenant, domain string) string { return tenant + "/" + domain }

// due lists the intervals that can be carried out now, those due first first: of
// each tenant as many as it has seats. So a small tenant never waits behind more
// intervals of a large one than that.
func (w *Worker) due(ctx context.Context) ([]ring, error) {
	now := w.Clock.Now()
	if err := w.endPauses(ctx, now); err != nil {
		return nil, err
	}
	rows, err := w.Store.Periodics(ctx, state.PeriodicFilter{State: state.Enabled, DueBy: now})
	if err != nil {
		return nil, err
	}
	held, err := w.Store.Slots(ctx)
	if err != nil {
		return nil, err
	}
	claims := make(map[string]state.SlotHolder, len(held))
	running, total := map[string]int{}, 0
	for _, h := range held {
		claims[key(h.Tenant, h.Domain)] = h
		if h.Holder != "" && h.Alive {
			running[h.Tenant]++
			total++
		}
	}
	var rings []ring
	waiting := 0
	due := make(map[string]bool, len(rows))
	for _, p := range rows {
		k := key(p.Tenant, p.Domain)
		due[k] = true
		c := claims[k]
		if c.Holder != "" && c.Alive {
			continue // under way
		}
		waiting++
		if running[p.Tenant] >= w.limits.PerTenant {
			continue
		}
		running[p.Tenant]++
		rings = append(rings, ring{Tenant: p.Tenant, Domain: p.Domain, Slot: p.Slot, After: c.Token})
	}
	for k, c := range claims {
		if c.Holder != "" && !c.Alive && !due[k] {
			w.sweep(ctx, c)
		}
	}
	w.metrics().Queue(waiting, total)
	return rings, nil
}

// sweep frees the claim of a dead worker on a domain that is not to be carried out
// now, such as one that was paused since: it would occupy a seat for ever.
func (w *Worker) sweep(ctx context.Context, c state.SlotHolder) {
	slot, err := w.Store.TakeSlot(ctx, c.Tenant, c.Domain, w.Name, 0)
	if err == nil {
		err = slot.Release(ctx)
	}
	if err != nil && ctx.Err() == nil && !problem.Has(err, problem.DomainBusy) {
		w.Log.WarnContext(ctx, "a dead worker's claim not freed", "domain", c.Domain, "err", err)
	}
}

// endPauses resumes the domains whose pause is over.
func (w *Worker) endPauses(ctx context.Context, now time.Time) error {
	paused, err := w.Store.Periodics(ctx, state.PeriodicFilter{State: state.Paused})
	if err != nil {
		return err
	}
	for _, p := range paused {
		if p.Until.IsZero() || p.Until.After(now) {
			continue
		}
		_, err := w.Store.ChangePeriodic(ctx, p.Tenant, p.Domain, func(q *state.Periodic) error {
			if q.State != state.Paused || q.Until.IsZero() || q.Until.After(now) {
				return errUnchanged
			}
			enable(q, now, "", "")
			return nil
		})
		if err != nil && !errors.Is(err, errUnchanged) {
			return err
		}
		w.Log.InfoContext(ctx, "pause is over", "tenant", p.Tenant, "domain", p.Domain)
	}
	return nil
}

// farOff reports whether p is due later than any correct clock could have set it: a
// worker whose clock had jumped ended its last interval.
func farOff(p *state.Periodic, now time.Time) bool {
	return p.State == state.Enabled && p.Turn == nil && p.Due.Sub(now) > 2*(max(slowest, p.Every)+p.Every)
}

// bringBack makes domains due again that a wrong clock put into the far future:
// until then no worker would look at them. It is done once, when a worker begins,
// so that a worker whose own clock is behind does not repeat it.
func (w *Worker) bringBack(ctx context.Context) error {
	all, err := w.Store.Periodics(ctx, state.PeriodicFilter{State: state.Enabled})
	if err != nil {
		return err
	}
	now := w.Clock.Now()
	for _, p := range all {
		if !farOff(&p, now) {
			continue
		}
		_, err := w.Store.ChangePeriodic(ctx, p.Tenant, p.Domain, func(q *state.Periodic) error {
			if !farOff(q, now) {
				return errUnchanged
			}
			q.Due = next(now, q.Every, phase(q.Tenant, q.Domain, q.Jitter))
			return nil
		})
		if err != nil && !errors.Is(err, errUnchanged) {
			return err
		}
		w.Log.WarnContext(ctx, "due too far in the future: a clock was wrong", "tenant", p.Tenant, "domain", p.Domain, "due", p.Due)
	}
	return nil
}

var errUnchanged = errors.New("nothing to change")

// ringDue rings for what is due. Every worker does; the queue keeps one ring of
// each.
func (w *Worker) ringDue(ctx context.Context) error {
	rings, err := w.due(ctx)
	if err != nil {
		return err
	}
	now, ttl := w.Clock.Now(), w.Store.TTL()
	again := time.Duration(askAgain) * w.limits.Look
	wanted := make(map[ring]*rung, len(rings))
	var ask []Ring
	w.mu.Lock()
	for _, r := range rings {
		known := w.rung[r]
		if known == nil {
			known = &rung{}
		}
		wanted[r] = known
		// A ring that woke a worker, which then died before it took the interval,
		// would stay in the queue for long: ring with another number.
		if !known.stuck.IsZero() && now.Sub(known.stuck) >= ttl {
			known.try++
			known.stuck, known.asked = time.Time{}, time.Time{}
		}
		if !known.asked.IsZero() && now.Sub(known.asked) < again {
			continue
		}
		known.asked = now
		numbered := r
		numbered.Try = known.try
		ask = append(ask, numbered)
	}
	w.rung = wanted // forgets what is over
	w.mu.Unlock()
	if len(ask) == 0 {
		return nil
	}
	answers, err := w.Queue.Ring(ctx, ask)
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, r := range ask {
		r.Try = 0
		known := w.rung[r]
		switch {
		case known == nil:
		case !answers[i].Taken:
			known.stuck = time.Time{}
		case known.stuck.IsZero():
			known.stuck = now
		}
	}
	return nil
}
