package periodic

import (
	"strconv"
	"time"

	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/state"
)

// How many failures in a row stop a domain until a user releases it.
const (
	// cancelsStop: either the guard is right, or an administrator has to raise the
	// limit; a fourth cancel would report nothing new.
	cancelsStop = 3
	// signInStop: revoked consent or an expired certificate is not repaired by
	// waiting.
	signInStop = 2
	// mendStop: for what a user has to change, such as a source that was empty
	// tonight. With the pauses between, it has more than a day to come back.
	mendStop = 5
	// unknownStop is for problems that are not known to be harmless.
	unknownStop = 5
)

// slowest is the longest pause between two tries of a domain that fails.
const slowest = 8 * time.Hour

// gravity is what a problem means for an unattended domain.
type gravity uint8

const (
	harmless gravity = iota // not the domain's fault: it is tried again in its interval
	passing                 // may pass by itself: slows down only
	toMend                  // a user has to change something
	signIn                  // no access until an administrator restores it
	unknown
)

// weigh finds the gravity of a problem.
func weigh(p *problem.Problem) gravity {
	if p == nil {
		return unknown
	}
	switch p.Code {
	case problem.StateUnreachable, problem.StateBusy, problem.StateFull, problem.StateWentAway, problem.StateRanFull,
		problem.ClaimLost, problem.DomainBusy:
		return harmless
	case problem.ScopesShort, problem.PermissionMissing, problem.TokenRefused, problem.ClaimsWanted, problem.WriteNotAllowed:
		return signIn
	}
	switch p.Class() {
	case problem.Retry:
		return passing
	case problem.Mend:
		if p.Code >= "HS-1000" && p.Code < "HS-2000" {
			return signIn
		}
		return toMend
	case problem.Fatal, problem.Skip:
	}
	return unknown
}

// conclude ends the interval of p with i: it counts failures in a row, and sets
// when the next interval is, or that the domain stops. now is when it ended.
func conclude(p *state.Periodic, i state.Interval, now time.Time) {
	ph := phase(p.Tenant, p.Domain, p.Jitter)
	p.Skipped += missed(p.Due, now, p.Every, ph)
	if p.Due.After(now) { // another worker's clock is ahead of this one's
		now = p.Due
	}
	p.Slot++
	p.Turn, p.Anew = nil, false
	p.Last = &i
	at := next(now, p.Every, ph)
	switch i.Outcome {
	case PassedOver:
		p.Passed++
	case Interrupted:
	case Cancelled:
		p.Cancels++
		at = next(now.Add(slower(p.Every, p.Cancels)), p.Every, ph)
		if p.Cancels >= cancelsStop {
			stop(p, now, problem.New(problem.PeriodicStoppedByGuard, problem.Args{
				"domain": p.Domain, "times": strconv.Itoa(p.Cancels),
			}))
		}
	case Failed, Drifted, Partly:
		if i.Outcome == Partly && !shut(i) { // some of it was done
			p.Failures, p.Cancels, p.LastGood = 0, 0, &i
			break
		}
		p.Failures++
		at = next(now.Add(slower(p.Every, p.Failures)), p.Every, ph)
		if most := failuresStop(i.Why.Problem()); most > 0 && p.Failures >= most {
			stop(p, now, problem.New(problem.PeriodicStoppedByFailures, problem.Args{
				"domain": p.Domain, "times": strconv.Itoa(p.Failures),
			}))
		}
	default: // all of it was done
		p.Failures, p.Cancels = 0, 0
		p.LastGood = &i
	}
	p.Due = at
}

// shut reports whether an interval wrote nothing because the permission to write is
// gone: that is not a failure of single rows.
func shut(i state.Interval) bool { return i.Seen == 0 && weigh(i.Why.Problem()) == signIn }

// failuresStop returns how many failures in a row stop a domain whose latest was p;
// 0 means never.
func failuresStop(p *problem.Problem) int {
	switch weigh(p) {
	case harmless, passing:
		return 0
	case toMend:
		return mendStop
	case signIn:
		return signInStop
	case unknown:
	}
	return unknownStop
}

// slower returns the pause before the next interval of a domain that failed n times
// in a row, beyond the usual one: it is tried after 2, 4, 8 … intervals.
func slower(every time.Duration, n int) time.Duration {
	pause := every
	for range n {
		pause *= 2
		if pause >= max(slowest, every) {
			pause = max(slowest, every)
			break
		}
	}
	return pause - every
}

// stop puts a domain into quarantine.
func stop(p *state.Periodic, now time.Time, why *problem.Problem) {
	if p.State != state.Enabled { // a user was quicker
		return
	}
	p.State, p.Since, p.By, p.Reason, p.Until, p.Why = state.Held, now, "", "", time.Time{}, why.Store()
}
