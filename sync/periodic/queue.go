package periodic

import "context"

// Ring is one request to have a domain's interval carried out, called a wish here.
// The queue keeps at most one of each.
type Ring struct {
	Tenant string `json:"tenant"`
	Domain string `json:"domain"`
	Slot   int64  `json:"slot"`
	// After is how many holders the interval's claim had when it was rung for: so
	// an interval that is taken up after a holder's death is rung for again.
	After int64 `json:"after"`
	// Try is above 0 if an earlier woken worker did not take the interval.
	Try int `json:"try"`
}

// Rung is what the queue reports of a wish.
type Rung struct {
	// Taken: it woke a worker that has not finished, or that has finished. It no
	// longer waits.
	Taken bool
}

// Queue is an alarm clock that workers share. It may wake no worker, several, or
// the same one twice: the state decides what is done.
type Queue interface {
	// Ring adds wishes that the queue does not have yet, and reports on each.
	Ring(ctx context.Context, rings []Ring) ([]Rung, error)
	// Start calls work for wishes, at most n at once, until Stop. work reports
	// whether the wish was of any use; one that was not may be rung for again.
	Start(ctx context.Context, n int, work func(context.Context, Ring) bool) error
	// Stop wakes no worker any more, and returns when all work has returned.
	Stop(ctx context.Context) error
}
