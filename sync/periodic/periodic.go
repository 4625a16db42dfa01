// Package periodic keeps domains in step without a person: a dry run and a sync
// of each, every hour.
//
// Control is what people ask for: enable, pause, resume, disable, and what
// stands in the way (Checklist). Worker carries it out. Any number of workers on
// any number of machines may share a state.
//
// When an interval of a domain is due, any worker rings for it: a job in River,
// unique by tenant, domain and interval. River is an alarm clock and no more.
// What a worker that was woken does is decided by the claim on the interval and
// the domain's row in the state: the interval is taken once, ends once, and is
// taken up by another worker when its own died. So each domain runs once an
// interval however often River delivers, and a worker that froze and wakes after
// its interval was taken writes nothing more.
//
// Unattended does less, and never asks: guard and all rules are on, rows that
// need a reviewer are held and reported. A domain that fails again and again
// slows down and stops (quarantine), and no domain waits for another's trouble.
package periodic

import (
	"time"

	"github.com/hacsync/hacsync/sync/state"
)

// The times of periodic sync. Workers run every hour unless told otherwise.
const (
	DefaultEvery = time.Hour
	LeastEvery   = 15 * time.Minute
	MostEvery    = 24 * time.Hour
)

// DefaultJitter is the share of an interval over which domains are spread unless
// told otherwise: a quarter.
func DefaultJitter(every time.Duration) time.Duration { return every / 4 }

// Outcomes of an interval, in state.Interval.
const (
	Unchanged   = "unchanged"   // the dry run found nothing to do
	Synced      = "synced"      // all rows were seen done
	Partly      = "partly"      // some rows failed
	Cancelled   = "cancelled"   // by the guard
	Failed      = "failed"      // before or while writing
	Drifted     = "drifted"     // somebody else changed the domain meanwhile, again and again
	PassedOver  = "passed-over" // a person's sync of the domain was under way
	Interrupted = "interrupted" // it was paused or disabled while under way
)

// Limits bound what a worker, and all workers together, take on.
type Limits struct {
	// Domains is how many this worker carries out at once; 0 is 4.
	Domains int
	// PerTenant is how many domains of one tenant all workers carry out at
	// once; 0 is 2. All workers must have the same.
	PerTenant int
	// TenantWrites is how many writes an application sends to one tenant in
	// TenantWindow, AppWrites how many it sends to all tenants in AppWindow, over
	// all workers; 0 are Microsoft Graph's limits for identity and access: 3,000
	// in 150 s, 35,000 in 5 min.
	TenantWrites, AppWrites int64
	TenantWindow, AppWindow time.Duration
	// Reading is how old a read of a tenant may be to serve another of its
	// domains; 0 is 5 min, below 0 none is shared.
	Reading time.Duration
	// Look is how often due domains are looked for; 0 is 5 s. Report is how
	// often the worker reports; 0 is 15 s. Both on the worker's clock.
	Look, Report time.Duration
}

func (l Limits) withDefaults() Limits {
	preset := func(d *time.Duration, to time.Duration) {
		if *d == 0 {
			*d = to
		}
	}
	if l.Domains <= 0 {
		l.Domains = 4
	}
	if l.PerTenant <= 0 {
		l.PerTenant = 2
	}
	if l.TenantWrites <= 0 {
		l.TenantWrites = 3000
	}
	if l.AppWrites <= 0 {
		l.AppWrites = 35000
	}
	preset(&l.TenantWindow, 150*time.Second)
	preset(&l.AppWindow, 5*time.Minute)
	preset(&l.Reading, 5*time.Minute)
	preset(&l.Look, 5*time.Second)
	preset(&l.Report, 15*time.Second)
	return l
}

// Metrics hears what workers do, from several goroutines.
type Metrics interface {
	// Began: a domain's interval was taken up, late after it was due.
	Began(tenant, domain string, late time.Duration)
	// Ended: it is over.
	Ended(tenant, domain string, i state.Interval)
	// Waited: writes to a tenant were put off to stay within a quota.
	Waited(tenant string, d time.Duration)
	// Queue: how many domains are due and not taken up, as this worker saw it.
	Queue(due, running int)
}

type noMetrics struct{}

func (noMetrics) Began(string, string, time.Duration)  {}
func (noMetrics) Ended(string, string, state.Interval) {}
func (noMetrics) Waited(string, time.Duration)         {}
func (noMetrics) Queue(int, int)                       {}
