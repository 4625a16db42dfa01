package metrics

import (
	"context"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/hacsync/hacsync/sync/clock"
	"github.com/hacsync/hacsync/sync/consent"
	"github.com/hacsync/hacsync/sync/state"
)

// Shared is the part of a state that metrics show; *state.Store has it.
type Shared interface {
	Periodics(ctx context.Context, f state.PeriodicFilter) ([]state.Periodic, error)
	Workers(ctx context.Context) ([]state.Worker, error)
	Connections(ctx context.Context) ([]consent.Connection, error)
	OpenNotices(ctx context.Context, limit int) ([]state.Notice, error)
}

// The times of reading the state.
const (
	fresh   = 5 * time.Second // the age up to which a read is used again: several scrapers cost one read
	patient = 5 * time.Second // how long a scrape waits for the state
	// Silent is how long a worker may be silent and still count as alive.
	Silent = time.Minute
)

// Share adds what all workers of a state share. now is the clock by which domains
// are due; nil is the machine's.
func (m *Metrics) Share(s Shared, now clock.Clock) {
	if now == nil {
		now = clock.Real()
	}
	all := &shared{state: s, clock: now}
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		d := prometheus.NewDesc("hacsync_"+name, help, labels, nil)
		all.described = append(all.described, d)
		return d
	}
	all.gauges = gauges{
		up:      desc("state_up", "1 if the state could be read for this scrape, else 0."),
		domains: desc("domains", "Domains of periodic sync, by state.", "state"),
		overdue: desc("overdue_domains", "Enabled domains whose interval is due since more than ten minutes."),
		success: desc("last_success_timestamp_seconds", "When the latest interval of a domain ended that did all or some of what it should.", "tenant", "domain"),
		next:    desc("next_due_timestamp_seconds", "When an enabled domain is due next.", "tenant", "domain"),
		workers: desc("workers", "Workers that reported within a minute and did not say that they stop."),
		ends:    desc("certificate_expiry_timestamp_seconds", "When the certificate of a connection's dedicated application ends.", "tenant", "connection"),
		notices: desc("undelivered_notices", "Notices that have not reached every target yet."),
	}
	m.registry.MustRegister(all)
}

// gauges are the shared metrics: a new one is a field here, a line in Share and one
// in look.
type gauges struct {
	up, domains, overdue, success, next, workers, ends, notices *prometheus.Desc
}

// shared is a collector that reads the state.
type shared struct {
	state Shared
	clock clock.Clock
	gauges
	described []*prometheus.Desc

	mu   sync.Mutex
	read time.Time
	last []prometheus.Metric
}

// Describe sends the descriptions.
func (s *shared) Describe(c chan<- *prometheus.Desc) {
	for _, d := range s.described {
		c <- d
	}
}

// Collect reads the state, unless that was done just now. If it cannot be read, the
// only metric sent is the one that reports it.
func (s *shared) Collect(c chan<- prometheus.Metric) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if time.Since(s.read) > fresh {
		ctx, cancel := context.WithTimeout(context.Background(), patient)
		defer cancel()
		metrics, err := s.look(ctx)
		up := 1.0
		if err != nil {
			metrics, up = nil, 0
		}
		metrics = append(metrics, prometheus.MustNewConstMetric(s.up, prometheus.GaugeValue, up))
		s.last = metrics
		s.read = time.Now()
	}
	for _, m := range s.last {
		c <- m
	}
}

func (s *shared) look(ctx context.Context) ([]prometheus.Metric, error) {
	var all []prometheus.Metric
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		// Names may come from outside and not be UTF-8: such a series is left out
		// instead of failing the whole scrape.
		if m, err := prometheus.NewConstMetric(d, prometheus.GaugeValue, v, labels...); err == nil {
			all = append(all, m)
		}
	}
	domains, err := s.state.Periodics(ctx, state.PeriodicFilter{})
	if err != nil {
		return nil, err
	}
	now := s.clock.Now()
	count := map[state.PeriodicState]int{state.Enabled: 0, state.Paused: 0, state.Held: 0, state.Disabled: 0}
	overdue := 0
	for _, d := range domains {
		count[d.State]++
		if d.State == state.Disabled {
			continue
		}
		if d.LastGood != nil && !d.LastGood.Ended.IsZero() {
			gauge(s.success, unix(d.LastGood.Ended), d.Tenant, d.Domain)
		}
		if d.State == state.Enabled {
			gauge(s.next, unix(d.Due), d.Tenant, d.Domain)
			if d.Turn == nil && now.Sub(d.Due) > 10*time.Minute {
				overdue++
			}
		}
	}
	for name, n := range count {
		gauge(s.domains, float64(n), string(name))
	}
	gauge(s.overdue, float64(overdue))

	workers, err := s.state.Workers(ctx)
	if err != nil {
		return nil, err
	}
	alive := 0
	for _, w := range workers {
		if w.Stopped.IsZero() && now.Sub(w.Seen) <= Silent {
			alive++
		}
	}
	gauge(s.workers, float64(alive))

	connections, err := s.state.Connections(ctx)
	if err != nil {
		return nil, err
	}
	for _, c := range connections {
		if c.Application != nil && !c.Application.Ends.IsZero() {
			gauge(s.ends, unix(c.Application.Ends), c.Tenant, c.Name)
		}
	}

	notices, err := s.state.OpenNotices(ctx, 10_000)
	if err != nil {
		return nil, err
	}
	gauge(s.notices, float64(len(notices)))
	return all, nil
}

func unix(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }
