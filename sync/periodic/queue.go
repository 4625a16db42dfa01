package periodic

import "context"

// Ring is one wish to have a domain's interval carried out. The queue keeps at
// most one of each.
type Ring struct {
	Tenant string `json:"tenant"`
	Domain string `json:"domain"`
	Slot   int64  `json:"slot"`
	// After is how many holders the interval's claim had when it was rung for:
	// who takes an interval up after another's death is rung for anew.
	After int64 `json:"after"`
	// Try is above 0 where whoever was woken did not take the interval.
	Try int `json:"try"`
}

// Rung is what the queue says of a wish.
type Rung struct {
	// Taken: somebody was woken by it and has not finished, or has finished. It
	// does not wait any more.
	Taken bool
}

// Queue is an alarm clock that workers share. It may wake nobody, several, or
// the same worker twice: what is done is decided elsewhere.
type Queue interface {
	// Ring enters wishes that it does not have yet, and tells of each.
	Ring(ctx context.Context, rings []Ring) ([]Rung, error)
	// Start calls work for wishes, at most n at once, until Stop. Work reports
	// whether the wish was of any use; one that was not may be rung for again.
	Start(ctx context.Context, n int, work func(context.Context, Ring) bool) error
	// Stop wakes nobody any more, and returns when all work has.
	Stop(ctx context.Context) error
}
