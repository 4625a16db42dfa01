package flow

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/hacsync/hacsync/sync/progress"
)

// Driver runs the effects of a walk for a front end: each in a goroutine, under a
// context that ends when a turn says so. Results and reports wait in a mailbox
// until the front end delivers them, so that the flow is called from one goroutine
// only, and so that a sync that writes is waited for and reported whatever ended
// the front end. All methods but Ready belong to that goroutine.
type Driver struct {
	ctx     context.Context // of the effects, which begin in Take
	f       *Flow
	running map[int]job // by id; those that were stopped are not in it
	next    int

	mu    sync.Mutex
	mail  []Delivery
	alive int // started and not ended, stopped ones too
	ready chan struct{}
}

// job is an effect under way.
type job struct {
	effect Effect
	cancel context.CancelFunc
}

// Delivery is a report of an effect, or its result.
type Delivery struct {
	id     int
	effect Effect
	value  any
	// Ended: it is the result. Stopped: a turn stopped the effect, and what it says
	// counts no more.
	Ended, Stopped bool
	// Crash: the effect ended by a mistake in hacsync itself; nil otherwise.
	Crash *Crash
}

// Crash is a mistake in hacsync itself. Its values may be anything: they belong
// into a log, never on a screen.
type Crash struct {
	What  any
	Stack []byte
}

// Error is for logs only.
func (c *Crash) Error() string { return fmt.Sprintf("panic: %T", c.What) }

// NewDriver drives f. The end of ctx asks all effects to end.
func NewDriver(ctx context.Context, f *Flow) *Driver {
	return &Driver{ctx: ctx, f: f, running: map[int]job{}, ready: make(chan struct{}, 1)}
}

// Ready has a value when an effect has ended or said something that progress does
// not hold. Progress alone waits for the front end's tick.
func (d *Driver) Ready() <-chan struct{} { return d.ready }

// Take stops and starts what a turn says.
func (d *Driver) Take(t Turn) {
	if t.Stop {
		for id, j := range d.running {
			j.cancel()
			delete(d.running, id)
		}
	}
	for _, e := range t.Effects {
		d.start(e)
	}
}

func (d *Driver) start(e Effect) {
	ctx, cancel := context.WithCancel(d.ctx)
	d.next++
	id := d.next
	d.running[id] = job{e, cancel}
	d.mu.Lock()
	d.alive++
	d.mu.Unlock()
	go func() {
		defer cancel()
		last := Delivery{id: id, effect: e, Ended: true}
		func() {
			defer func() {
				if what := recover(); what != nil {
					last.Crash = &Crash{What: what, Stack: debug.Stack()}
				}
			}()
			last.value = e.Run(ctx, reporter{d, id})
		}()
		d.put(last, true)
	}()
}

func (d *Driver) put(m Delivery, news bool) {
	d.mu.Lock()
	d.mail = append(d.mail, m)
	if m.Ended {
		d.alive--
	}
	if news {
		select {
		case d.ready <- struct{}{}:
		default:
		}
	}
	d.mu.Unlock()
}

// Next is the oldest delivery of the mailbox; false where it is empty.
func (d *Driver) Next() (Delivery, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.mail) == 0 {
		return Delivery{}, false
	}
	m := d.mail[0]
	d.mail = d.mail[1:]
	j, runs := d.running[m.id]
	if m.Stopped = !runs; runs {
		m.effect = j.effect
	}
	return m, true
}

// Deliver gives a delivery to the flow. The turn is what a result led to; the
// front end says its texts and then takes it.
func (d *Driver) Deliver(m Delivery) Turn {
	switch {
	case !m.Ended && !m.Stopped:
		d.f.Event(m.effect, m.value)
	case m.Ended:
		delete(d.running, m.id)
		if m.Crash == nil {
			return d.f.Finish(m.effect, m.value) // of a stopped effect what it brings is dropped
		}
	}
	return Turn{}
}

// Writes reports whether something may be written to the tenant right now.
func (d *Driver) Writes() bool {
	for _, j := range d.running {
		if j.effect.Writes {
			return true
		}
	}
	return false
}

// Cancel asks all that runs to end; what it brings still counts.
func (d *Driver) Cancel() {
	for _, j := range d.running {
		j.cancel()
	}
}

// late is how long effects that do not write are waited for at the end.
const late = 5 * time.Second

// Settle ends the drive: it cancels what runs and waits for it, for what writes as
// long as it takes, for the rest 5 seconds, because what they use is closed next.
// The flow takes what they bring, and nothing new begins. It returns the first
// crash.
func (d *Driver) Settle() (crash *Crash) {
	d.Cancel()
	// A front end that still waits on the channel it had takes no signal away.
	d.mu.Lock()
	d.ready = make(chan struct{}, 1)
	d.mu.Unlock()
	limit := time.NewTimer(late)
	defer limit.Stop()
	for {
		for m, ok := d.Next(); ok; m, ok = d.Next() {
			d.Deliver(m)
			if crash == nil {
				crash = m.Crash
			}
		}
		if d.over() {
			return crash
		}
		over := limit.C
		if d.Writes() {
			over = nil
		}
		select {
		case <-d.ready:
		case <-over:
			return crash
		}
	}
}

func (d *Driver) over() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.alive == 0 && len(d.mail) == 0
}

// reporter puts what an effect reports into the mailbox, from any goroutine.
type reporter struct {
	d  *Driver
	id int
}

// Report takes progress.
func (r reporter) Report(e progress.Event) { r.d.put(Delivery{id: r.id, value: e}, false) }

// Note takes any other event.
func (r reporter) Note(e any) { r.d.put(Delivery{id: r.id, value: e}, true) }
