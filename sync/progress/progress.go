// Package progress is how long-running work reports its progress. Terminal, text
// and JSON output implement Sink; the work itself knows none of them. Start with
// Event and Sink.
package progress

import (
	"errors"
	"time"

	"github.com/hacsync/hacsync/sync/problem"
)

// Phase is one part of a run. Its name for users is in the catalogues
// (progress.<phase>).
type Phase string

// The phases, in the order in which they usually begin.
const (
	Source   Phase = "source"   // users of the source, read
	Users    Phase = "users"    // users of the destination, read
	Deleted  Phase = "deleted"  // recycle bin, read
	Roles    Phase = "roles"    // role holders and role-assignable groups, read
	Recount  Phase = "recount"  // destination counted again and reconciled
	Compare  Phase = "compare"  // plan built
	Purposes Phase = "purposes" // kind of mailbox of the accounts an action names
	Guard    Phase = "guard"    // Max Allowed Deletions judged
	Drift    Phase = "drift"    // what a sync touches, read again before writing
	Write    Phase = "write"    // requests sent
	Seen     Phase = "seen"     // rows read back
)

// Event is one report. Zero fields carry no information.
type Event struct {
	Phase       Phase
	Done, Total int  // Total is -1 while it is not known
	Ended       bool // the phase is complete
	// Pause is set when the next request waits that long, and Why says why it does.
	Pause time.Duration
	Why   Why
	// Row is set when one row of a sync got an outcome.
	Row *Row
}

// Why is the reason of a pause. Its sentences for users are in the catalogues
// (progress.pause.<why>).
type Why string

// The reasons.
const (
	Asked       Why = "asked"       // the other side asked for it: 429, or 503 with Retry-After
	Unreachable Why = "unreachable" // no connection, or no such host
	Silent      Why = "silent"      // no answer in time
	Cut         Why = "cut"         // the connection, or the answer, ended early
	Server      Why = "server"      // the other side failed by itself: 500, 502, 504
	Paced       Why = "paced"       // hacsync keeps to the limit by itself
)

// Reason returns why a request that met p is sent again only after a pause.
func Reason(p *problem.Problem) Why {
	u := problem.Upstream{}
	if p.Upstream != nil {
		u = *p.Upstream
	}
	switch p.Code {
	case problem.Throttled, problem.HACThrottled:
		if u.Status == 0 {
			return Paced
		}
		return Asked
	case problem.NoConnection, problem.NameNotFound:
		return Unreachable
	case problem.NoAnswerInTime:
		return Silent
	case problem.ConnectionCut, problem.BrokenAnswer:
		return Cut
	case problem.HACUnreachable:
		if t, ok := errors.AsType[interface {
			error
			Timeout() bool
		}](p); ok && t.Timeout() {
			return Silent
		}
		return Unreachable
	}
	if u.RetryAfter > 0 {
		return Asked
	}
	return Server
}

// Side is the one that a phase waits for, the name of a word of the catalogues
// (progress.side.<side>).
func (p Phase) Side() string {
	if p == Source {
		return "source"
	}
	return "destination"
}

// Row is the outcome of one action during a sync.
type Row struct {
	No      int    // row number in the plan
	Kind    string // add, update, rename, restore, delete
	UPN     string
	Outcome string // sent, seen, failed, not yet seen, different, not tried
	Err     error  // the reason, if it failed
}

// Sink gets reports. Report is safe to call from several goroutines, does not block
// and does not fail.
type Sink interface {
	Report(Event)
}

// Discard is a Sink that drops everything.
var Discard Sink = discard{}

type discard struct{}

func (discard) Report(Event) {}

// Func makes a Sink of a function that is safe for concurrent use.
type Func func(Event)

// Report calls f.
func (f Func) Report(e Event) { f(e) }
