package metrics

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"github.com/hacsync/hacsync/sync/consent"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/progress"
	"github.com/hacsync/hacsync/sync/state"
)

// full is metrics of which every one has a value, over a real state.
func full(t *testing.T) (*Metrics, *state.Store) {
	t.Helper()
	ctx := t.Context()
	store, err := state.Open(ctx, state.FileURL(filepath.Join(t.TempDir(), "state.db")), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	now := time.Now()
	good := &state.Interval{Started: now.Add(-time.Hour), Ended: time.Unix(1_800_000_000, 0), Outcome: "synced"}
	for _, p := range []state.Periodic{
		{Domain: "a.example", State: state.Enabled, Due: now.Add(time.Hour), LastGood: good},
		{Domain: "late.example", State: state.Enabled, Due: now.Add(-time.Hour)},
		{Domain: "held.example", State: state.Held, Due: now.Add(-time.Hour)},
		{Domain: "off.example", State: state.Disabled, Due: now.Add(-time.Hour), LastGood: good},
	} {
		p.Tenant, p.Connection = "t", "midori"
		if _, err := store.SavePeriodic(ctx, p); err != nil {
			t.Fatal(err)
		}
	}
	for _, w := range []state.Worker{
		{Name: "one", Seen: now}, {Name: "dead", Seen: now.Add(-time.Hour)}, {Name: "stopped", Seen: now, Stopped: now},
	} {
		if err := store.SaveWorker(ctx, w); err != nil {
			t.Fatal(err)
		}
	}
	if err := store.SaveConnection(ctx, consent.Connection{
		Name: "midori", Tenant: "t", Application: &consent.Application{Ends: time.Unix(1_900_000_000, 0)},
	}); err != nil {
		t.Fatal(err)
	}
	m := New(Build{Version: "1.2.3", Revision: "abc"})
	m.Share(store, nil)
	m.Began("t", "a.example", 90*time.Second)
	m.Ended("t", "a.example", state.Interval{
		Started: now, Ended: now.Add(42 * time.Second), Outcome: "synced", Sync: 2, Add: 3, Update: 2, Delete: 1,
	})
	m.Ended("t", "a.example", state.Interval{
		Started: now, Ended: now.Add(time.Second), Outcome: "cancelled", Delete: 41, Why: problem.New(problem.GuardCancels, nil).Store(),
	})
	m.Waited("t", 3*time.Second)
	m.Queue(4, 2)
	m.Notice("failed", true)
	m.Notice("failed", false)
	sink := m.Sink(nil)
	sink.Report(progress.Event{Phase: progress.Source, Done: 281, Ended: true})
	sink.Report(progress.Event{Phase: progress.Users, Done: 300, Ended: true})
	sink.Report(progress.Event{Phase: progress.Users, Done: 100})
	sink.Report(progress.Event{Phase: progress.Write, Pause: 30 * time.Second, Why: progress.Asked})
	sink.Report(progress.Event{Phase: progress.Write, Row: &progress.Row{Kind: "add", UPN: "kim@a.example", Outcome: "sent"}})
	sink.Report(progress.Event{Phase: progress.Seen, Row: &progress.Row{Kind: "add", UPN: "kim@a.example", Outcome: "seen"}})
	return m, store
}

// served starts a server on a free port of loopback.
func served(t *testing.T, s *Server) string {
	t.Helper()
	if err := s.Start(t.Context(), "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return "http://" + s.Addr()
}

func get(t *testing.T, url string) (int, string, http.Header) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(body), answer.Header
}

func TestScrape_HasWhatHappened(t *testing.T) {
	m, _ := full(t)
	transport := m.Transport(roundTripper(func(r *http.Request) (*http.Response, error) {
		if strings.Contains(r.URL.Path, "groups") {
			return nil, errors.New("cut")
		}
		status := http.StatusOK
		if r.Method == http.MethodPost {
			status = http.StatusTooManyRequests
		}
		return &http.Response{StatusCode: status, Body: http.NoBody}, nil
	}))
	for _, q := range []string{
		"GET /v1.0/users", "GET /v1.0/users/0d5-secret-id", "POST /v1.0/$batch", "GET /v1.0/groups", "GET /v1.0/users(deltatoken='x')", "GET /else",
	} {
		method, path, _ := strings.Cut(q, " ")
		r, err := http.NewRequestWithContext(t.Context(), method, "https://graph.example"+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if answer, err := transport.RoundTrip(r); err == nil {
			_ = answer.Body.Close()
		}
	}
	_, body, _ := get(t, served(t, &Server{Metrics: m})+"/metrics")
	for _, want := range []string{
		`hacsync_runs_total{code="",kind="sync",outcome="synced"} 1`,
		`hacsync_runs_total{code="HS-3901",kind="dry_run",outcome="cancelled"} 1`,
		`hacsync_run_duration_seconds_sum{kind="sync"} 42`,
		`hacsync_planned_actions_total{kind="add"} 3`,
		`hacsync_actions_total{kind="add",outcome="seen"} 1`,
		`hacsync_users_read_total{side="source"} 281`,
		`hacsync_users_read_total{side="destination"} 300`,
		`hacsync_withheld_deletions_total 41`,
		`hacsync_throttled_seconds_total{phase="write"} 30`,
		`hacsync_quota_wait_seconds_total 3`,
		`hacsync_slot_lateness_seconds_sum 90`,
		`hacsync_due_domains 4`,
		`hacsync_running_domains 2`,
		`hacsync_notices_sent_total{kind="failed"} 1`,
		`hacsync_notice_failures_total{kind="failed"} 1`,
		`hacsync_requests_total{resource="users",status="2xx"} 3`,
		`hacsync_requests_total{resource="batch",status="429"} 1`,
		`hacsync_requests_total{resource="groups",status="error"} 1`,
		`hacsync_requests_total{resource="other",status="2xx"} 1`,
		`hacsync_state_up 1`,
		`hacsync_domains{state="enabled"} 2`,
		`hacsync_domains{state="stopped"} 1`,
		`hacsync_overdue_domains 1`,
		`hacsync_last_success_timestamp_seconds{domain="a.example",tenant="t"} 1.8e+09`,
		`hacsync_workers 1`,
		`hacsync_certificate_expiry_timestamp_seconds{connection="midori",tenant="t"} 1.9e+09`,
		`hacsync_undelivered_notices 0`,
		`hacsync_build_info{goversion="go`,
		"go_goroutines", "process_start_time_seconds",
	} {
		if !strings.Contains(body, "\n"+want) {
			t.Errorf("no %s", want)
		}
	}
	for _, never := range []string{"kim@", "secret-id", `domain="off.example"`, `outcome="sent"`} {
		if strings.Contains(body, never) {
			t.Errorf("%s is in the metrics", never)
		}
	}
	if t.Failed() {
		t.Log(body)
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestNames_FollowPrometheusConventions(t *testing.T) {
	m, _ := full(t)
	families, err := m.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	problems, err := promlint.NewWithMetricFamilies(families).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
	for _, f := range families {
		if name := f.GetName(); !strings.HasPrefix(name, "hacsync_") && !strings.HasPrefix(name, "go_") && !strings.HasPrefix(name, "process_") {
			t.Errorf("%s has no prefix", name)
		}
	}
}

func TestScrape_SaysThatTheStateIsAwayAndShowsTheRest(t *testing.T) {
	m, store := full(t)
	_ = store.Close()
	status, body, _ := get(t, served(t, &Server{Metrics: m})+"/metrics")
	if status != http.StatusOK || !strings.Contains(body, "\nhacsync_state_up 0") || !strings.Contains(body, "hacsync_runs_total") || strings.Contains(body, "hacsync_workers") {
		t.Errorf("%d %s", status, body)
	}
}

// A name that is not UTF-8 removes its own series and no other.
func TestScrape_SurvivesNamesFromOutside(t *testing.T) {
	m := New(Build{})
	m.Share(odd{}, nil)
	_, body, _ := get(t, served(t, &Server{Metrics: m})+"/metrics")
	if !strings.Contains(body, `domain="a\"b\\c\nd.example"`) || strings.Contains(body, "\xff") || !strings.Contains(body, "hacsync_state_up 1") {
		t.Error(body)
	}
}

type odd struct{}

func (odd) Periodics(context.Context, state.PeriodicFilter) ([]state.Periodic, error) {
	return []state.Periodic{
		{Tenant: "t", Domain: "a\"b\\c\nd.example", State: state.Enabled, Due: time.Now()},
		{Tenant: "t", Domain: "\xff.example", State: state.Enabled, Due: time.Now()},
	}, nil
}
func (odd) Workers(context.Context) ([]state.Worker, error)           { return nil, nil }
func (odd) Connections(context.Context) ([]consent.Connection, error) { return nil, nil }
func (odd) OpenNotices(context.Context, int) ([]state.Notice, error)  { return nil, nil }

func TestHealth_AndReadiness(t *testing.T) {
	checks := []Check{{"state", ""}, {"worker", ""}}
	var mu sync.Mutex
	url := served(t, &Server{Metrics: New(Build{}), Ready: func(context.Context) []Check {
		mu.Lock()
		defer mu.Unlock()
		return checks
	}})
	for _, c := range []struct {
		path   string
		status int
		says   string
	}{
		{"/healthz", 200, `{"status":"ok"}`},
		{"/readyz", 200, `{"status":"ok","checks":{"state":"ok","worker":"ok"}}`},
		{"/readyz", 503, `{"status":"not ready","checks":{"state":"ok","worker":"stopping"}}`},
		{"/healthz", 200, `{"status":"ok"}`},
	} {
		if c.status == 503 {
			mu.Lock()
			checks = []Check{{"state", ""}, {"worker", "stopping"}}
			mu.Unlock()
		}
		status, body, head := get(t, url+c.path)
		if status != c.status || strings.TrimSpace(body) != c.says || head.Get("Content-Type") != "application/json" || !json.Valid([]byte(body)) {
			t.Errorf("%s: %d %s", c.path, status, body)
		}
	}
	if status, _, _ := get(t, url+"/"); status != http.StatusNotFound {
		t.Errorf("/: %d", status)
	}
	r, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/metrics", nil)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	if answer.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", answer.StatusCode)
	}
}

func TestServer_ListensOnLoopbackUnlessTold(t *testing.T) {
	s := &Server{Metrics: New(Build{})}
	if err := s.Start(t.Context(), ":0"); err != nil {
		t.Fatal(err)
	}
	host, port, err := net.SplitHostPort(s.Addr())
	if err != nil || host != "127.0.0.1" {
		t.Errorf("%s %v", s.Addr(), err)
	}
	again := &Server{Metrics: New(Build{})}
	for _, address := range []string{"127.0.0.1:" + port, "9464", "127.0.0.1:none"} {
		if err := again.Start(t.Context(), address); !problem.Has(err, problem.MetricsAddress) || problem.Of(err).Args["address"] != address {
			t.Errorf("%s: %v", address, err)
		}
	}
	if err := again.Stop(t.Context()); err != nil {
		t.Errorf("stopping what never started: %v", err)
	}
	if err := s.Stop(t.Context()); err != nil {
		t.Error(err)
	}
}

// Workers count while others scrape.
func TestMetrics_CountFromManyGoroutines(t *testing.T) {
	m, _ := full(t)
	url := served(t, &Server{Metrics: m})
	sink := m.Sink(nil)
	var all sync.WaitGroup
	const workers, rounds = 8, 200
	for range workers {
		all.Go(func() {
			for range rounds {
				m.Began("t", "a.example", time.Second)
				m.Ended("t", "a.example", state.Interval{Started: time.Now(), Ended: time.Now(), Outcome: "unchanged"})
				m.Queue(1, 1)
				sink.Report(progress.Event{Phase: progress.Source, Done: 1, Ended: true})
			}
		})
	}
	for range 5 {
		get(t, url+"/metrics")
	}
	all.Wait()
	_, body, _ := get(t, url+"/metrics")
	if want := fmt.Sprintf(`hacsync_runs_total{code="",kind="dry_run",outcome="unchanged"} %d`, workers*rounds); !strings.Contains(body, want) {
		t.Errorf("no %s", want)
	}
}

func TestNil_CountsNothing(t *testing.T) {
	var m *Metrics
	m.Began("", "", 1)
	m.Ended("", "", state.Interval{})
	m.Waited("", 1)
	m.Queue(1, 1)
	m.Notice("", true)
	m.Sink(nil).Report(progress.Event{Phase: progress.Source})
	if m.Transport(http.DefaultTransport) != http.DefaultTransport {
		t.Error("a nil Metrics wraps")
	}
}

// The values of a label are limited: no label grows with users or paths.
func TestLabels_AreFew(t *testing.T) {
	m, _ := full(t)
	_, body, _ := get(t, served(t, &Server{Metrics: m})+"/metrics")
	allowed := map[string]bool{}
	for _, l := range strings.Fields("kind outcome code side phase resource status state tenant domain connection version revision goversion le quantile") {
		allowed[l] = true
	}
	for _, label := range regexp.MustCompile(`(\w+)="`).FindAllStringSubmatch(body, -1) {
		if !allowed[label[1]] {
			t.Errorf("label %s", label[1])
		}
	}
	for line := range strings.SplitSeq(body, "\n") {
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		value := line[strings.LastIndexByte(line, ' ')+1:]
		if _, err := strconv.ParseFloat(value, 64); err != nil {
			t.Errorf("%q", line)
		}
	}
}
