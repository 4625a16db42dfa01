package state

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"

	"github.com/hacsync/hacsync/sync/problem"
)

// ErrNoSeat reports that the tenant has as many domains under way as may run at
// once.
var ErrNoSeat = errors.New("as many domains of the tenant as may be are under way")

var errAsItIs = errors.New("nothing to change")

func asItIs(err error) bool { return errors.Is(err, errAsItIs) }

func stale(err error) bool { return errors.Is(err, ErrStale) }

// The leases of intervals are in the same table as those of domains, under names
// that no domain has.
const slotPrefix = "slot:"

// TakeSlot takes the claim on a domain's interval for holder. It is another claim
// than that of a sync (Take). It lives from before the dry run until the interval
// is over, and is fenced in the same way. It never waits: a live holder gives
// problem.DomainBusy. seats is how many domains of the tenant may have one at once,
// over all workers; 0 is any number. If none is free, it returns ErrNoSeat.
func (s *Store) TakeSlot(ctx context.Context, tenant, domain, holder string, seats int) (*Claim, error) {
	return s.takeLease(ctx, &taker{
		store: s, name: slotPrefix + leaseName(tenant, domain), who: clean(holder),
		tenant: clean(tenant), domain: fold(domain), seats: seats,
	}, false)
}

// seated reports whether the tenant has a seat for the taker. Takers of one tenant
// run one after another: on a server they would not see each other.
func (t *taker) seated(ctx context.Context, tx *sql.Tx) (bool, error) {
	if t.seats <= 0 {
		return true, nil
	}
	prefix := slotPrefix + t.tenant + "/"
	_, err := tx.ExecContext(ctx, `INSERT INTO lease (name, token, beat, holder) VALUES ($1, 0, 0, '')
		ON CONFLICT (name) DO UPDATE SET beat = lease.beat + 1`, "seats:"+t.tenant)
	if err != nil {
		return false, err
	}
	var taken int
	err = tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM lease
		WHERE holder <> '' AND name <> $1 AND substr(name, 1, $2) = $3`,
		t.name, len([]rune(prefix)), prefix).Scan(&taken)
	return taken < t.seats, err
}

// SlotHolder is the claim on a domain's intervals, with its holder.
type SlotHolder struct {
	Tenant, Domain string
	Holder         string // empty: no holder
	// Alive is false for a holder that is proven dead, or that this process has
	// seen silent for a TTL.
	Alive bool
	// Token counts the holders that the claim has had.
	Token int64
}

// Slots returns the claims on intervals that were ever held. Calling it repeatedly
// is how silent holders are found, those of syncs as well: a worker that takes an
// interval up then need not wait a second time for the sync in it.
func (s *Store) Slots(ctx context.Context) ([]SlotHolder, error) {
	type row struct {
		name string
		lease
	}
	var all []row
	err := s.read(ctx, "list intervals under way", func(tx *sql.Tx) error {
		var err error
		all, err = rows(ctx, tx, func(scan func(...any) error) (r row, err error) {
			err = scan(&r.name, &r.token, &r.beat, &r.holder)
			return r, err
		}, `SELECT name, token, beat, holder FROM lease`)
		return err
	})
	if err != nil {
		return nil, err
	}
	holders := make([]SlotHolder, 0, len(all))
	for _, r := range all {
		name, is := strings.CutPrefix(r.name, slotPrefix)
		if !is {
			s.silent(r.name, r.lease) // starts or continues watching it
			continue
		}
		tenant, domain, _ := strings.Cut(name, "/")
		if r.free() {
			holders = append(holders, SlotHolder{Tenant: tenant, Domain: domain, Token: r.token})
			continue
		}
		h := readHolder(r.holder)
		dead := h.Machine == s.machine && h.Proof != "" && s.unlocked(r.name, h.Proof)
		holders = append(holders, SlotHolder{
			Tenant: tenant, Domain: domain, Holder: h.Who, Token: r.token,
			Alive: !dead && !s.silent(r.name, r.lease),
		})
	}
	return holders, nil
}

// Confirm proves with a committed beat that the claim is still held.
func (c *Claim) Confirm(ctx context.Context) error {
	return c.fenced(ctx, "confirm the claim", func(*sql.Tx) error { return nil })
}

// TTL is how long a holder may be silent before another takes its claim.
func (s *Store) TTL() time.Duration { return s.pace.ttl }

// Once runs f while no other process that shares the state runs one of the same
// name, and waits until the other has ended: two processes that make the same
// tables at once would collide.
func (s *Store) Once(ctx context.Context, name string, f func(context.Context) error) error {
	c, err := s.takeLease(ctx, &taker{store: s, name: "once:" + clean(name), who: "hacsync", patient: true}, true)
	if err != nil {
		return err
	}
	err = f(ctx)
	if rerr := c.Release(ctx); err == nil && !problem.Has(rerr, problem.ClaimLost) {
		err = rerr
	}
	return err
}
