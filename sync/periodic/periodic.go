// Package periodic synchronises domains unattended: a dry run and a sync of each,
// every hour.
//
// Control is what users use: enable, pause, resume, disable, and what prevents it
// (Checklist). Worker carries it out. Any number of workers on any number of
// machines may share a state.
//
// When an interval of a domain is due, any worker rings for it: a job in River,
// unique by tenant, domain and interval. River is only an alarm clock. What a woken
// worker does is decided by the claim on the interval and the domain's row in the
// state: the interval is taken once, ends once, and is taken up by another worker
// when its own died. So each domain runs once an interval however often River
// delivers, and a worker that froze and wakes after its interval was taken writes
// nothing more.
//
// An unattended sync does less than an attended one, and never asks: guard and all
// rules are on, rows that need a reviewer are held and reported. A domain that
// fails repeatedly slows down and stops (quarantine), and no domain waits for the
// failures of another. Start reading with Worker.Run and turn.
package periodic

import (
	"time"

	"github.com/hacsync/hacsync/sync/state"
)

// The intervals of periodic sync: by default, and the bounds.
const (
	DefaultEvery = time.Hour
	LeastEvery   = 15 * time.Minute
	MostEvery    = 24 * time.Hour
)

// DefaultJitter returns the default time over which domains are spread: a quarter
// of the interval.
func DefaultJitter(every time.Duration) time.Duration { return every / 4 }

// Outcomes of an interval, in state.Interval.
const (
	Unchanged   = "unchanged"   // the dry run found nothing to do
	Synced      = "synced"      // all rows were seen done
	Partly      = "partly"      // some rows failed
	Cancelled   = "cancelled"   // by the guard
	Failed      = "failed"      // before or while writing
	Drifted     = "drifted"     // other changes in the domain meanwhile, repeatedly
	PassedOver  = "passed-over" // a user's sync of the domain was under way
	Interrupted = "interrupted" // it was paused or disabled while under way
)

// Limits bound the work of one worker, and of all workers together.
type Limits struct {
	// Domains is how many this worker carries out at once; 0 is 4.
	Domains int
	// PerTenant is how many domains of one tenant all workers carry out at once; 0
	// is 2. All workers must have the same value.
	PerTenant int
	// TenantWrites is how many writes an application sends to one tenant in
	// TenantWindow, AppWrites how many it sends to all tenants in AppWindow, over
	// all workers; 0 are Microsoft Graph's limits for identity and access: 3,000 in
	// 150 s, 35,000 in 5 min.
	TenantWrites, AppWrites int64
	TenantWindow, AppWindow time.Duration
	// Reading is the age up to which a read of a tenant may be used for another of
	// its domains; 0 is 5 min, below 0 no read is shared.
	Reading time.Duration
	// Look is how often the worker looks for due domains; 0 is 5 s. Report is how
	// often it reports; 0 is 15 s. Both are by the worker's clock.
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

// Metrics is called with what workers do, from several goroutines.
type Metrics interface {
	// Began: a domain's interval was taken up, late after it was due.
	Began(tenant, domain string, late time.Duration)
	// Ended: the interval is over.
	Ended(tenant, domain string, i state.Interval)
	// Waited: writes to a tenant were delayed to stay within a quota.
	Waited(tenant string, d time.Duration)
	// Queue: how many domains are due and not taken up, as this worker saw it.
	Queue(due, running int)
}

type noMetrics struct{}

func (noMetrics) Began(string, string, time.Duration)  {}
func (noMetrics) Ended(string, string, state.Interval) {}
func (noMetrics) Waited(string, time.Duration)         {}
func (noMetrics) Queue(int, int)                       {}
