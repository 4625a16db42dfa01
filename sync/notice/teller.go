package notice

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/hacsync/hacsync/sync/clock"
	"github.com/hacsync/hacsync/sync/message"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/state"
)

// Teller is the Notifier over a state, and delivers what it stored there. It is
// safe for concurrent use, in several processes on one state.
type Teller struct {
	store  *state.Store
	book   *Book
	clock  clock.Clock
	log    *slog.Logger
	sender *sender
	holder string
	took   time.Duration
	count  func(Kind, bool)
	wake   chan struct{}

	mu       sync.Mutex
	printers map[string]*message.Printer
	watched  map[string]watch         // of notices that another process delivers
	lines    map[string]chan struct{} // one delivery at a time to each target
	trouble  string                   // of opening the book, when last logged
}

// watch is the time since which a notice that another process holds was seen
// unchanged.
type watch struct {
	version int64
	since   time.Time
}

// Options are what a Teller needs.
type Options struct {
	Store *state.Store
	Book  *Book
	// Clock is the clock for the pauses between attempts; nil is the real one.
	Clock clock.Clock
	// Log gets what could not be delivered; nil discards it.
	Log *slog.Logger
	// Holder is the name of this process for users; empty is its number.
	Holder string
	// Count is called after every attempt to deliver, with whether it succeeded. It
	// may be nil.
	Count func(kind Kind, sent bool)
	// Transport replaces the transport of webhooks, Timeout how long a target has
	// (20 s); for tests.
	Transport http.RoundTripper
	Timeout   time.Duration
	// Took is how long another process may be silent about a notice it delivers
	// before this process takes over; 0 is two minutes. It is measured by this
	// process's clock only.
	Took time.Duration
}

// New makes a Teller.
func New(o Options) *Teller {
	t := &Teller{
		store: o.Store, book: o.Book, clock: o.Clock, log: o.Log, holder: o.Holder, count: o.Count, took: o.Took,
		sender: newSender(o.Transport, o.Timeout), wake: make(chan struct{}, 1),
		printers: map[string]*message.Printer{}, watched: map[string]watch{}, lines: map[string]chan struct{}{},
	}
	if t.clock == nil {
		t.clock = clock.Real()
	}
	if t.log == nil {
		t.log = slog.New(slog.DiscardHandler)
	}
	if t.count == nil {
		t.count = func(Kind, bool) {}
	}
	if t.holder == "" {
		t.holder = fmt.Sprintf("process %d", os.Getpid())
	}
	if t.took <= 0 {
		t.took = 2 * time.Minute
	}
	return t
}

// record is what a notice's row holds.
type record struct {
	Event Event           `json:"event"`
	Why   *problem.Stored `json:"why,omitempty"`
	// Holder is the process that delivers it at this moment.
	Holder string `json:"holder,omitempty"`
	// Planned: Deliveries were made from the targets of that time.
	Planned    bool       `json:"planned,omitempty"`
	Deliveries []delivery `json:"deliveries,omitempty"`
}

// delivery is a notice on its way to one target.
type delivery struct {
	Target   string    `json:"target"`
	State    string    `json:"state"`
	Attempts int       `json:"attempts"`
	Due      time.Time `json:"due,omitzero"`
	Last     time.Time `json:"last,omitzero"`
	// Why is the last error.
	Why *problem.Stored `json:"why,omitempty"`
}

// The states of a delivery.
const (
	waiting = "waiting"
	sent    = "sent"
	givenUp = "given up"
)

// notice makes the row of an event.
func (t *Teller) notice(e Event) (state.Notice, error) {
	r := record{Event: e}
	if e.Why != nil {
		// Without its cause: that is for the log, and may quote anything.
		r.Why = discreet(e.Why, true, "").Store()
	}
	data, err := json.Marshal(r)
	if err != nil {
		return state.Notice{}, fmt.Errorf("encode a notice: %w", err)
	}
	return state.Notice{Key: e.key(), Tenant: e.Tenant, Domain: e.Domain, Told: e.At, Due: e.At, Data: data}, nil
}

// read returns the event of a row, with its problem.
func read(n state.Notice) (record, error) {
	var r record
	if err := json.Unmarshal(n.Data, &r); err != nil {
		return r, fmt.Errorf("decode notice: %w", err)
	}
	r.Event.Why = r.Why.Problem()
	return r, nil
}

// complete fills in what a caller may leave out.
func (t *Teller) complete(e Event) Event {
	if e.At.IsZero() {
		e.At = t.clock.Now()
	}
	if len(e.Users) > MaxUsers {
		e.Users = slices.Clone(e.Users[:MaxUsers])
	}
	if len(e.Asked) > MaxAsked {
		e.Asked = slices.Clone(e.Asked[:MaxAsked])
	}
	return e
}

// Tell stores that something happened; see Notifier.
func (t *Teller) Tell(ctx context.Context, e Event) error {
	e = t.complete(e)
	if e.Kind == Certificate && (e.Ends.IsZero() || e.threshold() == "") || e.Kind == Held && e.Numbers.Held == 0 {
		return nil
	}
	if e.Kind == Questions {
		return t.ask(ctx, e)
	}
	n, err := t.notice(e)
	if err != nil {
		return err
	}
	return t.open(ctx, e, n)
}

// open stores a notice that does not exist yet.
func (t *Teller) open(ctx context.Context, e Event, n state.Notice) error {
	// Nearly always it was reported before, and finding that out needs no lock.
	if told, err := t.store.HasNotice(ctx, n.Key); err != nil || told {
		return err
	}
	opened, err := t.store.OpenNotice(ctx, n)
	if err != nil || !opened {
		return err
	}
	t.log.InfoContext(ctx, "notice", "kind", e.Kind, "tenant", e.Tenant, "domain", e.Domain, "run", e.Run)
	t.hurry()
	return nil
}

// ask reports the open questions of a domain, unless the same were reported before.
// Other questions end what was reported before and are reported again; no questions
// at all are reported as a recovery.
func (t *Teller) ask(ctx context.Context, e Event) error {
	key := e.key()
	if told, err := t.store.HasNotice(ctx, key); err != nil {
		return err
	} else if !told {
		if e.Numbers.Questions == 0 {
			return nil
		}
		n, err := t.notice(e)
		if err != nil {
			return err
		}
		return t.open(ctx, e, n)
	}
	all, err := t.store.NoticesOf(ctx, e.Tenant, e.Domain)
	if err != nil {
		return err
	}
	for _, n := range all {
		if r, err := read(n); n.Key == key && err == nil && r.Event.Set == e.Set && e.Numbers.Questions > 0 {
			return nil
		}
	}
	closed, err := t.store.CloseNotices(ctx, []string{key}, func(closed []state.Notice) (state.Notice, error) {
		e := e
		switch r, err := read(closed[0]); {
		case err == nil && e.Numbers.Questions > 0 && r.Event.Set == e.Set:
			return closed[0], nil // another process was quicker
		case e.Numbers.Questions == 0:
			e.Kind, e.Was, e.Since = Recovered, []Kind{Questions}, r.Event.At
		}
		return t.notice(e)
	})
	if err == nil && len(closed) > 0 {
		t.log.InfoContext(ctx, "notice", "kind", e.Kind, "tenant", e.Tenant, "domain", e.Domain, "run", e.Run)
		t.hurry()
	}
	return err
}

// Recovered ends the domain's episode; see Notifier.
func (t *Teller) Recovered(ctx context.Context, e Event) error {
	e = t.complete(e)
	closed, err := t.store.CloseNotices(ctx, episodeKeys(e.Tenant, e.Domain), func(closed []state.Notice) (state.Notice, error) {
		e := e
		e.Kind, e.Why, e.Was, e.Since = Recovered, nil, nil, time.Time{}
		for _, n := range closed {
			r, err := read(n)
			if err != nil {
				continue // a row that cannot be read ends with its episode
			}
			e.Was = append(e.Was, r.Event.Kind)
			if e.Since.IsZero() || r.Event.At.Before(e.Since) {
				e.Since = r.Event.At
			}
		}
		return t.notice(e)
	})
	if err == nil && len(closed) > 0 {
		t.log.InfoContext(ctx, "notice", "kind", Recovered, "tenant", e.Tenant, "domain", e.Domain, "run", e.Run)
		t.hurry()
	}
	return err
}

// Forget ends a domain's episode without a notice; see Notifier.
func (t *Teller) Forget(ctx context.Context, tenant, domain string) error {
	_, err := t.store.CloseNotices(ctx, episodeKeys(tenant, domain), nil)
	return err
}

func episodeKeys(tenant, domain string) []string {
	keys := make([]string, 0, len(episode()))
	for _, k := range episode() {
		keys = append(keys, Event{Kind: k, Tenant: tenant, Domain: domain}.key())
	}
	return keys
}

// hurry makes Run look at once.
func (t *Teller) hurry() {
	select {
	case t.wake <- struct{}{}:
	default:
	}
}

// Trial is the answer of a target to a test notice.
type Trial struct {
	Target Target
	Took   time.Duration
	Err    error // nil: it accepted the notice
}

// Test sends a test notice to each target, or to the one of a name, and returns
// what each answered. Nothing is stored, and nothing is tried again.
func (t *Teller) Test(ctx context.Context, name string) ([]Trial, error) {
	all, err := t.book.Targets(ctx)
	if err != nil {
		return nil, err
	}
	known := make([]string, 0, len(all))
	for _, a := range all {
		known = append(known, a.Name)
	}
	if name != "" {
		if all = slices.DeleteFunc(all, func(a Target) bool { return a.Name != name }); len(all) == 0 {
			return nil, unknownTarget(name, known)
		}
	}
	if len(all) == 0 {
		return nil, problem.New(problem.NoTargets, nil)
	}
	e := t.complete(Event{Kind: Test})
	trials := make([]Trial, len(all))
	var every sync.WaitGroup
	for i, target := range all {
		every.Go(func() {
			start := time.Now()
			err := t.sendTo(ctx, target, "test/"+e.At.UTC().Format(time.RFC3339Nano), e)
			trials[i] = Trial{Target: target, Took: time.Since(start), Err: err}
		})
	}
	every.Wait()
	return trials, ctx.Err()
}

// sendTo sends a notice to one target in its language.
func (t *Teller) sendTo(ctx context.Context, target Target, key string, e Event) error {
	p, err := t.printer(target.Language)
	if err != nil {
		return err
	}
	return t.sender.send(ctx, p, target, publicID(key), e)
}

// publicID returns the key of a notice as receivers see it.
func publicID(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:16])
}

func (t *Teller) printer(lang string) (*message.Printer, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if p := t.printers[lang]; p != nil {
		return p, nil
	}
	p, err := message.New(lang)
	if err != nil {
		return nil, err
	}
	t.printers[lang] = p
	return p, nil
}

// Undelivered is a notice that has not reached a target.
type Undelivered struct {
	Event    Event
	Target   string
	Attempts int
	// GivenUp: it is not tried again. Otherwise Next is when it is.
	GivenUp bool
	Next    time.Time
	Why     *problem.Problem
}

// Problem returns it as a problem.
func (u Undelivered) Problem(p *message.Printer) *problem.Problem {
	args := problem.Args{
		"target": u.Target, "title": Say(p, u.Event, false).Title, "attempts": fmt.Sprint(u.Attempts), "why": p.Problem(u.Why).What,
	}
	if u.GivenUp {
		args["gone"] = "yes"
	}
	return problem.New(problem.NoticeUndelivered, args)
}

// Undelivered returns what was tried and did not arrive, oldest first: what can
// still arrive, and what was given up, as long as its episode lasts.
func (t *Teller) Undelivered(ctx context.Context) ([]Undelivered, error) {
	all, err := t.store.NoticesOf(ctx, "", "")
	if err != nil {
		return nil, err
	}
	var list []Undelivered
	for _, n := range all {
		r, err := read(n)
		if err != nil {
			continue
		}
		for _, d := range r.Deliveries {
			if d.State == sent || d.Attempts == 0 {
				continue
			}
			list = append(list, Undelivered{
				Event: r.Event, Target: d.Target, Attempts: d.Attempts, GivenUp: d.State == givenUp, Next: d.Due, Why: d.Why.Problem(),
			})
		}
	}
	return list, nil
}
