package run

import (
	"time"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/problem"
)

// The directory answers from replicas, and a new or restored account is not known
// to all of them at once: an account that was just seen may be missing in the next
// answer, and present in the one after it. Within the lag window a missing account
// proves nothing: it is read again, and the step is tried again.

// absence is the time since which a step finds no account, and how often it looked.
type absence struct {
	since time.Time
	looks int
}

// notice remembers which accounts were seen, and the destination's clock.
func (s *syncing) notice(all []directory.Sighting) {
	for i := range all {
		s.tell(all[i].ServerTime)
		if all[i].Presence == directory.Live {
			s.saw(all[i].Record.ID)
		}
	}
}

// saw remembers when an account was last read where it is expected.
func (s *syncing) saw(id directory.ID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.met[id] = s.r.Clock.Now()
}

// late reports whether a step may have met a replica that lags, and how long to wait
// before the next look: this run has just seen, made or restored the account. An
// account in the recycle bin is gone, unless this run restored it.
func (s *syncing) late(step plan.Step, binned bool) (wait time.Duration, ok bool) {
	id, key := s.objectID(step), stepKey{step.Action, step.Step}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.r.Clock.Now()
	if binned && now.Sub(s.back[id]) >= lagWindow {
		return 0, false
	}
	a, before := s.absent[key]
	switch {
	case before && now.Sub(a.since) >= lagWindow, !before && now.Sub(s.met[id]) >= lagWindow:
		return 0, false
	case !before:
		a.since = now
	}
	a.looks++
	s.absent[key] = a
	return min(defaultPause<<min(a.looks-1, 5), time.Minute), true
}

// unheardOf reports whether a step was refused because its account was not found,
// although this run knows that it exists: the outcome is then settled by reading.
func (s *syncing) unheardOf(step plan.Step, why *problem.Problem) bool {
	if step.Verb == plan.Create || !isMissing(why) {
		return false
	}
	if _, ok := s.late(step, false); !ok {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unheard[stepKey{step.Action, step.Step}]++
	return true
}
