package tui

import (
	"context"
	"runtime/debug"
	"sync"

	tea "charm.land/bubbletea/v2"

	"github.com/hacsync/hacsync/sync/progress"
	"github.com/hacsync/hacsync/tui/flow"
)

// effects are those under way. Bubble Tea neither stops a command nor waits for
// it when the program ends, and a result that comes then is lost; a sync that
// writes must come to a safe end and be reported. So results and reports go to a
// mailbox of our own, from which the shell takes them on its tick or when one
// has ended, and which can still be emptied when the program is gone.
type effects struct {
	running map[int]running // by id; those that were stopped are not in it
	next    int

	mu    sync.Mutex
	list  []delivery
	alive int  // started and not ended, stopped ones too
	shut  bool // the program is gone: nothing new begins
	ended chan struct{}
}

type running struct {
	effect flow.Effect
	cancel context.CancelFunc
}

// delivery is a report of an effect, or its result.
type delivery struct {
	id     int
	effect flow.Effect
	event  any
	ended  bool
	crash  *Crash
}

// endedMsg says that an effect has ended: there is mail.
type endedMsg struct{}

func newEffects() *effects {
	return &effects{running: map[int]running{}, ended: make(chan struct{}, 1)}
}

// start makes the command that runs an effect, under a context made here.
func (x *effects) start(ctx context.Context, e flow.Effect) tea.Cmd {
	ctx, cancel := context.WithCancel(ctx)
	x.next++
	id := x.next
	x.running[id] = running{e, cancel}
	return func() tea.Msg {
		defer cancel()
		if !x.begin() {
			return nil
		}
		last := delivery{id: id, effect: e, ended: true}
		func() {
			defer func() {
				if what := recover(); what != nil {
					last.crash = &Crash{What: what, Stack: debug.Stack()}
				}
			}()
			last.event = e.Run(ctx, reporter{x, id})
		}()
		x.put(last)
		return endedMsg{}
	}
}

func (x *effects) begin() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.shut {
		return false
	}
	x.alive++
	return true
}

func (x *effects) put(d delivery) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.list = append(x.list, d)
	if d.ended {
		x.alive--
		select {
		case x.ended <- struct{}{}:
		default:
		}
	}
}

// take empties the mailbox.
func (x *effects) take() []delivery {
	x.mu.Lock()
	defer x.mu.Unlock()
	list := x.list
	x.list = nil
	return list
}

// stop cancels all that runs: what it brings is for nobody.
func (x *effects) stop() {
	for id, r := range x.running {
		r.cancel()
		delete(x.running, id)
	}
}

// cancel asks all that runs to end; what it brings still counts.
func (x *effects) cancel() {
	for _, r := range x.running {
		r.cancel()
	}
}

// writes reports whether something may be written to the tenant right now.
func (x *effects) writes() bool {
	for _, r := range x.running {
		if r.effect.Writes {
			return true
		}
	}
	return false
}

// shutdown lets nothing new begin, and says how many are still alive.
func (x *effects) shutdown() int {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.shut = true
	return x.alive
}

func (x *effects) living() int {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.alive
}

// reporter puts what an effect reports into the mailbox, from any goroutine.
type reporter struct {
	x  *effects
	id int
}

// Report takes progress.
func (r reporter) Report(e progress.Event) { r.x.put(delivery{id: r.id, event: e}) }

// Note takes any other event.
func (r reporter) Note(e any) { r.x.put(delivery{id: r.id, event: e}) }
