// Package metrics shows to the outside what hacsync does: counters and gauges in
// Prometheus's form, and whether a process is alive and ready.
//
// Start with New. A worker passes the Metrics to everything that reports: it is
// periodic.Metrics itself, Sink gets the progress of runs, Transport counts
// requests, Notice counts notices. What all workers share (domains, workers,
// certificates, last successes) is read from the state at each scrape, so that
// every process gives the right answer, also directly after its start. Server
// serves it.
//
// Names follow Prometheus's conventions: hacsync_, base units, _total and _seconds.
// Only two gauges have the label domain, for domains of periodic sync: two series a
// domain.
package metrics

import (
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/hacsync/hacsync/sync/progress"
	"github.com/hacsync/hacsync/sync/state"
)

// Metrics are those of one process. It is safe for concurrent use, and a nil
// *Metrics counts nothing.
type Metrics struct {
	registry  *prometheus.Registry
	runs      *prometheus.CounterVec
	durations *prometheus.HistogramVec
	planned   *prometheus.CounterVec
	actions   *prometheus.CounterVec
	users     *prometheus.CounterVec
	withheld  prometheus.Counter
	throttled *prometheus.CounterVec
	quota     prometheus.Counter
	requests  *prometheus.CounterVec
	lateness  prometheus.Histogram
	due       prometheus.Gauge
	running   prometheus.Gauge
	sent      *prometheus.CounterVec
	unsent    *prometheus.CounterVec
}

// Build identifies the program: its version and revision.
type Build struct{ Version, Revision string }

// New makes the metrics of a process.
func New(b Build) *Metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "hacsync_" + name, Help: help}, labels)
	}
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Name: "hacsync_" + name, Help: help})
	}
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		runs: counter("runs_total",
			"Runs of periodic sync that ended, by kind (dry_run: nothing was to be written or might be), outcome, and code of the problem.", "kind", "outcome", "code"),
		durations: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "hacsync_run_duration_seconds", Help: "How long runs of periodic sync took, by kind.",
			Buckets: []float64{1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200},
		}, []string{"kind"}),
		planned:  counter("planned_actions_total", "Actions that dry runs of periodic sync found, by kind.", "kind"),
		actions:  counter("actions_total", "Actions of syncs by kind and outcome; seen: read back as wanted.", "kind", "outcome"),
		users:    counter("users_read_total", "Users read, by side.", "side"),
		withheld: prometheus.NewCounter(prometheus.CounterOpts{Name: "hacsync_withheld_deletions_total", Help: "Deletions in plans that the guard cancelled."}),
		throttled: counter("throttled_seconds_total",
			"Seconds that runs paused because the other side asked for it, by phase.", "phase"),
		quota: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "hacsync_quota_wait_seconds_total", Help: "Seconds that writes were put off to stay within a quota that workers share.",
		}),
		requests: counter("requests_total", "Requests to Microsoft Graph, by resource and class of the answer (error: none came).", "resource", "status"),
		lateness: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "hacsync_slot_lateness_seconds", Help: "How long after it was due a domain's interval was taken up.",
			Buckets: []float64{1, 5, 15, 30, 60, 120, 300, 600, 1800, 3600},
		}),
		due:     gauge("due_domains", "Domains that are due and not taken up, as this worker saw it."),
		running: gauge("running_domains", "Domains under way on all workers, as this worker saw it."),
		sent:    counter("notices_sent_total", "Notices that a target took, by kind.", "kind"),
		unsent:  counter("notice_failures_total", "Attempts to deliver a notice that failed, by kind.", "kind"),
	}
	build := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "hacsync_build_info", Help: "Always 1; the labels say which hacsync this is.",
	}, []string{"version", "revision", "goversion"})
	build.WithLabelValues(b.Version, b.Revision, runtime.Version()).Set(1)
	m.registry.MustRegister(
		m.runs, m.durations, m.planned, m.actions, m.users, m.withheld, m.throttled, m.quota, m.requests,
		m.lateness, m.due, m.running, m.sent, m.unsent, build,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	return m
}

// Began counts how late a domain's interval was taken up; see
// periodic.Metrics.
func (m *Metrics) Began(_, _ string, late time.Duration) {
	if m != nil {
		m.lateness.Observe(max(late, 0).Seconds())
	}
}

// Ended counts an interval that is over; see periodic.Metrics.
func (m *Metrics) Ended(_, _ string, i state.Interval) {
	if m == nil {
		return
	}
	kind, code := "dry_run", ""
	if i.Sync != 0 {
		kind = "sync"
	}
	if i.Why != nil {
		code = string(i.Why.Code)
	}
	m.runs.WithLabelValues(kind, i.Outcome, code).Inc()
	if d := i.Ended.Sub(i.Started); d >= 0 && !i.Started.IsZero() {
		m.durations.WithLabelValues(kind).Observe(d.Seconds())
	}
	for kind, n := range map[string]int{"add": i.Add, "update": i.Update, "rename": i.Rename, "restore": i.Restore, "delete": i.Delete} {
		if n > 0 {
			m.planned.WithLabelValues(kind).Add(float64(n))
		}
	}
	if i.Outcome == "cancelled" {
		m.withheld.Add(float64(i.Delete))
	}
}

// Waited counts the delay caused by a shared quota; see periodic.Metrics.
func (m *Metrics) Waited(_ string, d time.Duration) {
	if m != nil && d > 0 {
		m.quota.Add(d.Seconds())
	}
}

// Queue sets how many intervals are due and running; see periodic.Metrics.
func (m *Metrics) Queue(due, running int) {
	if m != nil {
		m.due.Set(float64(due))
		m.running.Set(float64(running))
	}
}

// Notice counts an attempt to deliver a notice; see notice.Options.
func (m *Metrics) Notice(kind string, sent bool) {
	switch {
	case m == nil:
	case sent:
		m.sent.WithLabelValues(kind).Inc()
	default:
		m.unsent.WithLabelValues(kind).Inc()
	}
}

// Sink gets the progress of runs: pauses, users read, and outcomes of rows. It
// passes everything on to next, which may be nil.
func (m *Metrics) Sink(next progress.Sink) progress.Sink {
	if next == nil {
		next = progress.Discard
	}
	if m == nil {
		return next
	}
	return progress.Func(func(e progress.Event) {
		if e.Pause > 0 && e.Why == progress.Asked {
			m.throttled.WithLabelValues(string(e.Phase)).Add(e.Pause.Seconds())
		}
		if e.Ended && e.Done > 0 {
			switch e.Phase { //nolint:exhaustive // the others read no users
			case progress.Source:
				m.users.WithLabelValues("source").Add(float64(e.Done))
			case progress.Users:
				m.users.WithLabelValues("destination").Add(float64(e.Done))
			}
		}
		if e.Row != nil && e.Row.Outcome != "sent" {
			m.actions.WithLabelValues(e.Row.Kind, strings.ReplaceAll(e.Row.Outcome, " ", "_")).Inc()
		}
		next.Report(e)
	})
}

// Transport counts requests by the first part of their path and the class of
// the answer.
func (m *Metrics) Transport(next http.RoundTripper) http.RoundTripper {
	if m == nil {
		return next
	}
	return transport{m, next}
}

type transport struct {
	metrics *Metrics
	next    http.RoundTripper
}

// RoundTrip sends the request and counts it.
func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := t.next.RoundTrip(r)
	status := "error"
	if err == nil {
		status = strconv.Itoa(answer.StatusCode/100) + "xx"
		if answer.StatusCode == http.StatusTooManyRequests {
			status = "429"
		}
	}
	t.metrics.requests.WithLabelValues(resource(r.URL.Path), status).Inc()
	return answer, err
}

// resource returns the first part of a Graph path after its version, if it is one
// that hacsync requests: the number of labels must not grow with the requests.
func resource(path string) string {
	parts := strings.SplitN(strings.TrimPrefix(path, "/"), "/", 3)
	if len(parts) < 2 || parts[0] != "v1.0" && parts[0] != "beta" {
		return "other"
	}
	switch name := strings.ToLower(strings.SplitN(parts[1], "(", 2)[0]); name {
	case "$batch":
		return "batch"
	case "users", "groups", "domains", "directory", "organization", "rolemanagement", "applications", "serviceprincipals", "me":
		return name
	}
	return "other"
}

// CloseIdleConnections passes the call on; http.Client calls it on its transport.
func (t transport) CloseIdleConnections() {
	if c, ok := t.next.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}
