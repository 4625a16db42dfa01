package simulator

import (
	"strings"
	"sync/atomic"
	"time"
)

// fresh is what there is to know of a user that was made or restored through
// Graph, while one of the directory's replicas has not heard of it: writes that
// meet that replica are answered 404, and so is every other read by ID, so that
// a user that was seen is gone a moment later.
type fresh struct {
	since time.Time    // zero for a user of the tenant file
	was   *object      // the deleted user that was restored
	asked atomic.Int32 // reads by ID meanwhile
}

// stale reports whether the latest read by ID met the replica.
func (f *fresh) stale() bool { return f.asked.Load()%2 == 0 && f.asked.Load() > 0 }

// unheard reports whether a replica has not heard of a user yet.
func (t *tenant) unheard(r *record, now time.Time) bool {
	return t.replica > 0 && !r.fresh.since.IsZero() && now.Before(r.fresh.since.Add(t.replica))
}

// flaps counts a read by ID and reports whether it meets the replica.
func (t *tenant) flaps(id string, now time.Time) bool {
	r := t.users.byID[strings.ToLower(id)]
	return r != nil && t.unheard(r, now) && r.fresh.asked.Add(1)%2 == 0
}
