//go:build unix

package periodic_test

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hacsync/hacsync/sync/clock"
	"github.com/hacsync/hacsync/sync/periodic"
	"github.com/hacsync/hacsync/sync/run"
	"github.com/hacsync/hacsync/sync/state"
	"github.com/hacsync/hacsync/sync/state/statetest"
)

// The proof of a fleet: worker processes on one state keep domains of many
// tenants in step for several hours of a clock that runs fast. One is killed in
// the middle, another frozen until its intervals were taken by others, and woken.
// What happened is read from the ledger of the tenants, which live in the parent,
// and from nothing that the workers say.
//
// go test ./sync/periodic -run Fleet -proof.fleet proves it for 1,000 domains of
// 50 tenants; without the flag it is a small one.
var (
	proofFleet   = flag.Bool("proof.fleet", false, "prove the fleet at its full size")
	proofSpeed   = flag.Float64("proof.speed", 0, "how fast the fleet's clock runs; 0 is the preset")
	proofHours   = flag.Int("proof.hours", 0, "how many hours; 0 is the preset")
	proofDomains = flag.Int("proof.domains", 0, "how many domains; 0 is the preset")
)

// fleet is what the processes of the proof share.
type fleet struct {
	State, Locks, Cloud, Name string
	Real, Sim                 time.Time // the same moment
	Speed                     float64
	TTL                       time.Duration
	Limits                    periodic.Limits
	Poll                      time.Duration
}

const fleetVariable = "HACSYNC_PERIODIC_FLEET"

func TestMain(m *testing.M) {
	if text := os.Getenv(fleetVariable); text != "" {
		var f fleet
		if err := json.Unmarshal([]byte(text), &f); err != nil {
			fmt.Println("error", err)
			os.Exit(2)
		}
		if err := f.work(); err != nil {
			fmt.Println("error", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// fast is a clock that shows the same time in several processes.
type fast struct{ f *fleet }

func (c fast) Now() time.Time {
	return c.f.Sim.Add(time.Duration(float64(time.Since(c.f.Real.Round(0))) * c.f.Speed))
}

func (c fast) Sleep(ctx context.Context, d time.Duration) error {
	return clock.Real().Sleep(ctx, time.Duration(float64(d)/c.f.Speed))
}

// work is a worker process: it works until SIGTERM.
func (f *fleet) work() error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	c := fast{f}
	store, err := state.OpenWith(ctx, f.State, state.Options{Clock: c, TTL: f.TTL, LockDir: f.Locks})
	if err != nil {
		return err
	}
	defer store.Close()
	q, err := periodic.OpenQueue(ctx, store, periodic.QueueOptions{Poll: f.Poll})
	if err != nil {
		return err
	}
	defer q.Close()
	tenants := far{url: f.Cloud, client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}}
	w := &periodic.Worker{
		Store: periodic.OnStore(store), Queue: q, Clock: c, Name: f.Name, Limits: f.Limits, Log: logTo(nil),
		Open: func(_ context.Context, connection string) (*run.Runner, error) {
			return runnerOn(tenants, strings.TrimPrefix(connection, "to-"), f.Name, run.OnStore(store), c), nil
		},
	}
	fmt.Println("working")
	return w.Run(ctx)
}

// hand is a worker process that the parent controls.
type hand struct {
	t    *testing.T
	name string
	cmd  *exec.Cmd
	out  *bufio.Reader
	time time.Duration // CPU time, once it ended
}

func (f fleet) start(t *testing.T, name string) *hand {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	f.Name = name
	text, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), fleetVariable+"="+string(text))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	h := &hand{t: t, name: name, cmd: cmd, out: bufio.NewReader(out)}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	if line, err := h.out.ReadString('\n'); err != nil || line != "working\n" {
		t.Fatalf("%s: %q %v", name, line, err)
	}
	return h
}

func (h *hand) signal(s os.Signal) {
	h.t.Helper()
	if err := h.cmd.Process.Signal(s); err != nil {
		h.t.Fatalf("%s: %v", h.name, err)
	}
}

// end asks the process to stop, and waits for it.
func (h *hand) end() {
	h.t.Helper()
	h.signal(syscall.SIGTERM)
	rest, _ := io.ReadAll(h.out)
	if err := h.cmd.Wait(); err != nil {
		h.t.Errorf("%s: %v %s", h.name, err, rest)
	}
	h.time = h.cmd.ProcessState.UserTime() + h.cmd.ProcessState.SystemTime()
}

func TestFleet_EachDomainExactlyOnceAnHour(t *testing.T) {
	if testing.Short() || raced {
		t.Skip("takes half a minute, and needs a quick machine")
	}
	statetest.Places(t, func(t *testing.T, url string) {
		t.Parallel()
		tenants, domains, hours, speed := 6, 48, 2, 240.0
		if *proofFleet {
			tenants, domains, hours, speed = 50, 1000, 4, 40
		}
		if *proofSpeed > 0 {
			speed = *proofSpeed
		}
		if *proofHours > 0 {
			hours = *proofHours
		}
		if *proofDomains > 0 {
			domains = *proofDomains
		}
		if *proofFleet && strings.HasPrefix(url, "sqlite") {
			t.Skip("the large fleet is on PostgreSQL")
		}
		proveFleet(t, url, tenants, domains, hours, speed)
	})
}

func proveFleet(t *testing.T, url string, tenants, domains, hours int, speed float64) {
	f := &fleet{
		State: url, Real: time.Now().Round(0), Sim: time.Date(2026, 11, 25, 9, 40, 0, 0, time.UTC), Speed: 1,
		// A TTL of at least a second and a half of real time, however fast.
		TTL:    max(time.Minute, time.Duration(1.5*speed)*time.Second).Round(time.Second),
		Limits: periodic.Limits{Domains: 12, Look: 30 * time.Second, Report: 2 * time.Minute},
		Poll:   50 * time.Millisecond,
	}
	if strings.HasPrefix(url, "sqlite") {
		f.Limits.Domains = 3
	}
	f.Locks = withLocks(t, url, state.Options{}).LockDir
	if f.Locks == "" {
		f.Locks = t.TempDir()
	}
	c := fast{f}
	w := &world{t: t, url: url, clock: c, cloud: newCloud(c), told: &ears{}}
	w.store = w.open(state.Options{Clock: c, TTL: f.TTL, LockDir: f.Locks})
	// One tenant is much larger than the others.
	large := domains / 10
	for i := range tenants {
		n := (domains - large) / (tenants - 1)
		if i == 0 {
			n = domains - n*(tenants-1)
		}
		var names []string
		for j := range n {
			names = append(names, fmt.Sprintf("d%d-%d.example", i, j))
		}
		k := w.cloud.add(fmt.Sprintf("tenant-%02d", i), 3, names...)
		for _, d := range names {
			k.hourly(d)
		}
	}
	serving := time.Now()
	w.enableAll(time.Hour, 30*time.Minute)
	t.Logf("%d domains of %d tenants enabled in %v; the largest has %d", domains, tenants, time.Since(serving).Round(time.Millisecond),
		len(w.cloud.tenants["tenant-00"].domains))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: w.cloud, ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { _ = server.Close() })
	f.Cloud = "http://" + l.Addr().String()

	// From here the clock runs fast, for all processes from the same moment.
	f.Sim, f.Real, f.Speed = c.Now(), time.Now().Round(0), speed
	began := f.Sim
	first := began.Truncate(time.Hour).Add(time.Hour)
	at := func(hour, minute int) {
		when := first.Add(time.Duration(60*hour+minute) * time.Minute)
		_ = c.Sleep(t.Context(), when.Sub(c.Now()))
	}
	a, b := f.start(t, "worker-a"), f.start(t, "worker-b")
	at(0, 12)
	// Both strike while a write is on its way: it takes effect, and its sender
	// never gets the answer, or gets it much too late.
	caught, free := w.cloud.catch("worker-a", "write")
	<-caught
	doing := w.underWay("worker-a")
	a.signal(syscall.SIGKILL)
	killed := c.Now()
	_ = a.cmd.Wait()
	free()
	t.Logf("%s worker-a killed, with %d intervals in hand", killed.Format(time.TimeOnly), doing)
	at(0, 28)
	a2 := f.start(t, "worker-a2")
	at(1, 12)
	caught, free = w.cloud.catch("worker-b", "write")
	<-caught
	doing = w.underWay("worker-b")
	b.signal(syscall.SIGSTOP)
	frozen := c.Now()
	free()
	_ = c.Sleep(t.Context(), 2*f.TTL)
	b.signal(syscall.SIGCONT)
	woken := c.Now()
	t.Logf("%s worker-b frozen, with %d intervals in hand; %s woken", frozen.Format(time.TimeOnly), doing, woken.Format(time.TimeOnly))
	at(hours-1, 58)
	end := c.Now()
	var wg sync.WaitGroup
	for _, h := range []*hand{b, a2} {
		wg.Go(h.end)
	}
	wg.Wait()
	w.judge(began, end, woken, []*hand{b, a2})
}

// enableAll sets every domain up and enables it, several at a time.
func (w *world) enableAll(every, jitter time.Duration) {
	w.t.Helper()
	var wg sync.WaitGroup
	turns := make(chan struct{}, 4)
	for _, tenant := range slices.Sorted(maps.Keys(w.cloud.tenants)) {
		turns <- struct{}{}
		wg.Go(func() {
			defer func() { <-turns }()
			w.enable(tenant, every, jitter)
		})
	}
	wg.Wait()
}

// tenantOf finds a domain's tenant.
func (w *world) tenantOf(domain string) string {
	for name, k := range w.cloud.tenants {
		if slices.Contains(k.domains, domain) {
			return name
		}
	}
	return ""
}

// judge reads the ledger.
func (w *world) judge(began, end, woken time.Time, workers []*hand) {
	t := w.t
	t.Helper()
	lines := w.cloud.lines()
	writes := map[string]map[int64][]line{}
	late := []time.Duration{}
	by := map[string]int{}
	for _, l := range lines {
		var hour int64
		if _, err := fmt.Sscanf(l.Name, "Hour %d", &hour); err != nil {
			t.Errorf("%s: a write of %q", l.Domain, l.Name)
		}
		if writes[l.Domain] == nil {
			writes[l.Domain] = map[int64][]line{}
		}
		writes[l.Domain][hour] = append(writes[l.Domain][hour], l)
		by[l.Worker]++
		late = append(late, l.At.Sub(l.At.Truncate(time.Hour)))
	}
	lost, doubled, replayed, exact := 0, 0, 0, 0
	for _, k := range w.cloud.tenants {
		for _, d := range k.domains {
			for h := hourOf(began) + 1; h <= hourOf(end); h++ {
				all := writes[d][h]
				switch {
				case len(all) == 0:
					lost++
					if lost <= 5 {
						p := w.row(w.tenantOf(d), d)
						t.Logf("%s in hour %d: nothing; now due %v, slot %d, turn %+v, last %+v", d, h-hourOf(began), p.Due, p.Slot, p.Turn, p.Last)
					}
				case len(all) == 1:
					exact++
				case len(all) == 2 && all[1].Worker == "worker-b" && all[1].At.Sub(woken).Abs() < 2*time.Minute:
					// A request that was on its way when its process froze: nothing
					// between a check and a socket can hold it back.
					replayed++
				default:
					doubled++
					t.Logf("%s in hour %d: %+v", d, h-hourOf(began), all)
				}
			}
		}
	}
	slices.Sort(late)
	var processor time.Duration
	for _, h := range workers {
		processor += h.time
	}
	taken, skipped := 0, int64(0)
	rows, err := w.store.Periodics(t.Context(), state.PeriodicFilter{})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range rows {
		skipped += p.Skipped
		if p.Last != nil && p.Failures > 0 {
			taken++
		}
	}
	t.Logf("%d intervals in %d hours: %d exactly once, %d lost, %d doubled, %d sent again by the frozen worker's last request",
		lost+exact+doubled+replayed, hourOf(end)-hourOf(began), exact, lost, doubled, replayed)
	t.Logf("writes by worker: %v; half of the intervals were written %v after the hour, the last %v", by,
		late[len(late)/2].Round(time.Second), late[len(late)-1].Round(time.Second))
	t.Logf("%d writes, %d skipped intervals, %d domains failing, %v of processor time for the workers that ended",
		len(lines), skipped, taken, processor.Round(time.Millisecond))
	if lost+doubled > 0 || skipped > 0 || taken > 0 {
		t.Error("a domain was lost, doubled, skipped or failed")
	}
}
