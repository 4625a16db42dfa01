package notice

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hacsync/hacsync/sync/message"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/secret"

	"github.com/hacsync/hacsync/sync/state/statetest"
)

func TestWebhook_IsSentWhatItIsPromised(t *testing.T) {
	b := newBench(t, statetest.NewFile(t))
	b.add(t, Target{Name: "signed", Key: secret.NewText("a key of ours")})
	e := failure("midori.example")
	e.Kind, e.Why = Guard, problem.New(problem.GuardCancels, problem.Args{
		"deletions": "41", "users": "281", "percent": "14.6", "stops_at": "29", "limit": "10",
	})
	e.Numbers = Numbers{Deletions: 41, DestinationUsers: 281, LimitPercent: 10}
	b.tell(t, e)
	b.flush(t)
	notes := b.end.notes(t)
	if len(notes) != 2 {
		t.Fatalf("%d notices", len(notes))
	}
	n := notes[0]
	if n.Schema != 1 || n.Kind != Guard || n.Connection != "midori" || n.TenantName != "Midori Corp." || n.Domain != "midori.example" ||
		n.Run != 12 || !n.At.Equal(b.clock.Now()) || n.Code != "HS-3901" || n.Remedy == "" || n.ID == "" || n.ID != notes[1].ID ||
		n.Command != "hacsync dry-run midori.example --connection midori" {
		t.Errorf("%+v", n)
	}
	for _, want := range []string{
		"Synchronization was canceled because the deletion percentage reached the threshold.", "41 of 281 = 14.6 %", "10 %", "Nothing was written",
	} {
		if !strings.Contains(n.Text, want) {
			t.Errorf("no %q in %q", want, n.Text)
		}
	}
	if n.Numbers.Deletions != 41 || n.Numbers.DestinationUsers != 281 || int(n.Numbers.Percent*10) != 145 && int(n.Numbers.Percent*10) != 146 {
		t.Errorf("%+v", n.Numbers)
	}
	signed := 0
	for i, head := range b.end.heads {
		if head.Get("Content-Type") != "application/json; charset=utf-8" {
			t.Errorf("%v", head)
		}
		if got := head.Get(SignatureHeader); got != "" {
			signed++
			mac := hmac.New(sha256.New, []byte("a key of ours"))
			mac.Write(b.end.bodies[i])
			if got != "sha256="+hex.EncodeToString(mac.Sum(nil)) {
				t.Errorf("signature %s", got)
			}
		}
	}
	if signed != 1 {
		t.Errorf("%d signed", signed)
	}
}

func TestDeliver_BacksOffAndReportsOnce(t *testing.T) {
	b := newBench(t, statetest.NewFile(t))
	b.end.answer = func(n int, w http.ResponseWriter, _ *http.Request) {
		if n < 4 {
			w.WriteHeader(http.StatusBadGateway)
		}
	}
	b.tell(t, failure("a.example"))
	start := b.clock.Now()
	var at []time.Duration
	for b.clock.Now().Sub(start) < 2*time.Hour {
		before := len(b.end.got())
		b.flush(t)
		if len(b.end.got()) > before {
			at = append(at, b.clock.Now().Sub(start))
		}
		b.clock.move(10 * time.Second)
	}
	want := []time.Duration{0, 30 * time.Second, 90 * time.Second, 210 * time.Second, 450 * time.Second}
	if !slices.Equal(at, want) {
		t.Errorf("tried at %v, want %v", at, want)
	}
	if list, err := b.teller.Undelivered(t.Context()); err != nil || len(list) != 0 {
		t.Errorf("%+v %v", list, err)
	}
}

func TestDeliver_KeepsTheRetryAfterOfATarget(t *testing.T) {
	b := newBench(t, statetest.NewFile(t))
	b.end.answer = func(n int, w http.ResponseWriter, _ *http.Request) {
		if n == 0 {
			w.Header().Set("Retry-After", "600")
			w.WriteHeader(http.StatusTooManyRequests)
		}
	}
	b.tell(t, failure("a.example"))
	for range 10 {
		b.flush(t)
		b.clock.move(59 * time.Second)
	}
	if n := len(b.end.got()); n != 1 {
		t.Fatalf("%d attempts within ten minutes", n)
	}
	b.clock.move(time.Minute)
	b.flush(t)
	if n := len(b.end.got()); n != 2 {
		t.Errorf("%d attempts", n)
	}
}

func TestDeliver_GivesUpAndSaysSo(t *testing.T) {
	b := newBench(t, statetest.NewFile(t))
	good := newEndpoint(t)
	b.add(t, Target{Name: "good", Address: secret.NewText(good.URL)})
	b.end.answer = func(_ int, w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) }
	var tried []bool
	b.teller.count = func(_ Kind, sent bool) { tried = append(tried, sent) }
	b.teller.sender = newSender(bothTrusted(b.end, good), time.Second)
	b.tell(t, failure("a.example"))
	for range 200 {
		b.flush(t)
		b.clock.move(10 * time.Minute)
	}
	if n := len(b.end.got()); n != attempts {
		t.Errorf("%d attempts", n)
	}
	if n := len(good.got()); n != 1 {
		t.Errorf("the other target was told %d times", n)
	}
	list, err := b.teller.Undelivered(t.Context())
	if err != nil || len(list) != 1 || !list[0].GivenUp || list[0].Attempts != attempts || list[0].Target != "ops" {
		t.Fatalf("%+v %v", list, err)
	}
	p, _ := message.New("en")
	w := p.Problem(list[0].Problem(p))
	if !strings.Contains(w.What, "is not tried again") || !strings.Contains(w.What, "404 Not Found") || !strings.Contains(w.What, "a.example: periodic sync failed") {
		t.Error(w.What)
	}
	if !strings.Contains(b.logs.String(), "notice given up") || strings.Contains(b.logs.String(), secretPath) {
		t.Error(b.logs.String())
	}
	if len(tried) != attempts+1 {
		t.Errorf("counted %d", len(tried))
	}
	// The episode's end is reported to both, and removes the trouble.
	if err := b.teller.Recovered(t.Context(), failure("a.example")); err != nil {
		t.Fatal(err)
	}
	b.flush(t)
	if list, err := b.teller.Undelivered(t.Context()); err != nil || len(list) != 1 || list[0].Event.Kind != Recovered || list[0].GivenUp {
		t.Errorf("%+v %v", list, err)
	}
}

// bothTrusted trusts the certificates of two test servers.
func bothTrusted(a, b *endpoint) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		end := a
		if "https://"+r.URL.Host == b.URL {
			end = b
		}
		return end.Client().Transport.RoundTrip(r)
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestDeliver_OnlyWhatATargetWants(t *testing.T) {
	b := newBench(t, statetest.NewFile(t))
	for _, target := range []Target{
		{Name: "stops", Kinds: []Kind{Stopped, Recovered}},
		{Name: "other", Connections: []string{"other"}},
		{Name: "certs", Kinds: []Kind{Certificate}},
	} {
		target.Address = secret.NewText(b.end.URL + "/" + target.Name)
		b.add(t, target)
	}
	if err := b.book.Remove(t.Context(), "ops"); err != nil {
		t.Fatal(err)
	}
	b.tell(t, failure("a.example"))
	if err := b.teller.Recovered(t.Context(), failure("a.example")); err != nil {
		t.Fatal(err)
	}
	b.flush(t)
	if got := b.end.got(); len(got) != 0 {
		t.Errorf("%s", got)
	}
	stopped := failure("a.example")
	stopped.Kind = Stopped
	b.tell(t, failure("a.example"))
	b.tell(t, stopped)
	b.clock.move(time.Minute)
	if err := b.teller.Recovered(t.Context(), failure("a.example")); err != nil {
		t.Fatal(err)
	}
	other := failure("b.example")
	other.Connection = "other"
	b.tell(t, other)
	b.flush(t)
	var paths []string
	for i, n := range b.end.notes(t) {
		paths = append(paths, string(n.Kind)+b.end.paths[i][strings.LastIndex(b.end.paths[i], "/"):])
	}
	slices.Sort(paths)
	// The stop was over before it was delivered: only the recovery is news.
	if want := []string{"failed/other", "recovered/stops"}; !slices.Equal(paths, want) {
		t.Errorf("%v", paths)
	}
}

// A notice that could not be delivered before the domain recovered would be
// wrong afterwards: the recovery says what it was.
func TestRecovered_ReplacesWhatWasNotDelivered(t *testing.T) {
	b := newBench(t, statetest.NewFile(t))
	b.end.answer = func(n int, w http.ResponseWriter, _ *http.Request) {
		if n == 0 {
			w.WriteHeader(http.StatusInternalServerError)
		}
	}
	b.tell(t, failure("a.example"))
	b.flush(t)
	if err := b.teller.Recovered(t.Context(), failure("a.example")); err != nil {
		t.Fatal(err)
	}
	for range 10 {
		b.flush(t)
		b.clock.move(time.Hour)
	}
	if got := kindsOf(b.end.notes(t)); got != "failed recovered" {
		t.Error(got)
	}
}

func TestDeliver_DropsWhatWasForARemovedTarget(t *testing.T) {
	b := newBench(t, statetest.NewFile(t))
	b.end.answer = func(_ int, w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }
	b.tell(t, failure("a.example"))
	b.flush(t)
	if err := b.book.Remove(t.Context(), "ops"); err != nil {
		t.Fatal(err)
	}
	b.clock.move(time.Hour)
	b.flush(t)
	open, err := b.store.OpenNotices(t.Context(), 10)
	if err != nil || len(open) != 0 || len(b.end.got()) != 1 {
		t.Errorf("%v %v", open, err)
	}
}

func TestWebhook_GoesNowhereElse(t *testing.T) {
	other := newEndpoint(t)
	b := newBench(t, statetest.NewFile(t))
	b.teller.sender = newSender(bothTrusted(b.end, other), time.Second)
	for name, c := range map[string]struct {
		status int
		to     string
		want   problem.Code
		asked  int
	}{
		"another host":       {http.StatusTemporaryRedirect, other.URL + "/x", problem.NoticeRedirected, 1},
		"without its body":   {http.StatusFound, "/else", problem.NoticeRedirected, 1},
		"the same host":      {http.StatusPermanentRedirect, "/else", "", 2},
		"in clear":           {http.StatusTemporaryRedirect, strings.Replace(b.end.URL, "https", "http", 1), problem.NoticeRedirected, 1},
		"to itself for ever": {http.StatusTemporaryRedirect, "/again", problem.NoticeRedirected, 4},
	} {
		b.end.mu.Lock()
		b.end.bodies, b.end.paths, b.end.heads = nil, nil, nil
		b.end.answer = func(n int, w http.ResponseWriter, r *http.Request) {
			if n == 0 || c.to == "/again" {
				http.Redirect(w, r, c.to, c.status)
			}
		}
		b.end.mu.Unlock()
		trials, err := b.teller.Test(t.Context(), "ops")
		if err != nil {
			t.Fatal(err)
		}
		if got := problem.Of(trials[0].Err); c.want == "" && trials[0].Err != nil || c.want != "" && (got == nil || got.Code != c.want) {
			t.Errorf("%s: %v", name, trials[0].Err)
		}
		if n := len(b.end.got()); n != c.asked {
			t.Errorf("%s: asked %d times", name, n)
		}
	}
	if len(other.got()) != 0 {
		t.Error("the notice went to another host")
	}
}

func TestTest_SaysWhatEachTargetAnswered(t *testing.T) {
	b := newBench(t, statetest.NewFile(t))
	gone := httptest.NewTLSServer(http.NotFoundHandler())
	gone.Close()
	slow := newEndpoint(t)
	release := make(chan struct{})
	slow.answer = func(int, http.ResponseWriter, *http.Request) { <-release }
	t.Cleanup(func() { close(release) })
	for name, address := range map[string]string{
		"gone":    gone.URL + "/" + secretPath,
		"slow":    slow.URL + "/" + secretPath,
		"nowhere": "https://no-such-host.invalid/" + secretPath,
	} {
		b.add(t, Target{Name: name, Address: secret.NewText(address), Language: "ja"})
	}
	b.teller.sender = newSender(bothTrusted(b.end, slow), time.Second)
	trials, err := b.teller.Test(t.Context(), "")
	if err != nil || len(trials) != 4 {
		t.Fatalf("%v %v", trials, err)
	}
	p, _ := message.New("en")
	for i, want := range []struct {
		name string
		code problem.Code
		says string
	}{
		{"gone", problem.NoticeUnreachable, "connection refused"},
		{"nowhere", problem.NoticeUnreachable, "no-such-host.invalid"},
		{"ops", "", ""},
		{"slow", problem.NoticeTooSlow, "within 1 seconds"},
	} {
		got := trials[i]
		w := p.Problem(got.Err)
		if got.Target.Name != want.name || w.Code != want.code || !strings.Contains(w.What, want.says) {
			t.Errorf("%s: %+v", got.Target.Name, w)
		}
		if strings.Contains(w.What+w.Remedy, secretPath) || got.Err != nil && strings.Contains(got.Err.Error(), secretPath) {
			t.Errorf("%s: %v shows the address", want.name, got.Err)
		}
	}
	if _, err := b.teller.Test(t.Context(), "none"); !problem.Has(err, problem.TargetUnknown) || problem.Of(err).Args["known"] != "gone, nowhere, ops, slow" {
		t.Errorf("%v", err)
	}
	if all, err := b.store.NoticesOf(t.Context(), "", ""); err != nil || len(all) != 0 {
		t.Errorf("a test left %v %v", all, err)
	}
	for _, n := range []string{"gone", "nowhere", "ops", "slow"} {
		if err := b.book.Remove(t.Context(), n); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := b.teller.Test(t.Context(), ""); !problem.Has(err, problem.NoTargets) {
		t.Errorf("%v", err)
	}
}

func TestWebhook_DoesNotTrustAnUnknownCertificate(t *testing.T) {
	b := newBench(t, statetest.NewFile(t))
	b.teller.sender = newSender(nil, time.Second)
	trials, err := b.teller.Test(t.Context(), "")
	if err != nil || !problem.Has(trials[0].Err, problem.NoticeUnreachable) || !strings.Contains(trials[0].Err.Error(), "certificate") {
		t.Errorf("%v %v", trials, err)
	}
	if len(b.end.got()) != 0 {
		t.Error("it was sent")
	}
}

func TestPause_GrowsToAnHour(t *testing.T) {
	var total time.Duration
	for i := 1; i < attempts; i++ {
		d := pause(i, nil)
		if d < shortest || d > longest || i > 1 && d < pause(i-1, nil) {
			t.Errorf("%d: %v", i, d)
		}
		total += d
	}
	if total < 4*time.Hour || total > 6*time.Hour {
		t.Errorf("gives up after %v", total)
	}
	for _, s := range []string{"", "x", "-1", strconv.Itoa(1 << 40)} {
		if d := retryAfter(s); d < 0 || d > longest {
			t.Errorf("%q: %v", s, d)
		}
	}
}
