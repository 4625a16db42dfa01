package flow

import (
	"testing"
	"time"

	"github.com/hacsync/hacsync/sync/clock"
	"github.com/hacsync/hacsync/tui/words"
)

// bare is a backend of which only the clock is asked.
type bare struct{ Backend }

func (bare) Clock() clock.Clock { return clock.Real() }
func (bare) Simulated() bool    { return true }

// idle is a step in which something runs.
type idle struct{ step }

func (idle) view(*data, time.Time) View { return View{Working: words.T("flow.welcome.looking")} }
func (idle) done(*data, any) turn       { return turn{} }
func (idle) inner() bool                { return false }
func (idle) running() bool              { return false }

func TestFlow_SaysThatTheKeyringIsWaitedForAndNoLonger(t *testing.T) {
	f := New(bare{}, Options{})
	f.steps[f.at] = idle{}
	waiting := func() bool { return f.View().Working.ID == "flow.waiting_keyring" }
	e := f.apply(does(Effect{})).Effects[0]
	if waiting() {
		t.Error("it waits before anything was said")
	}
	f.Event(e, keyringWaits(true))
	if !waiting() {
		t.Error("nothing says that the keyring is waited for")
	}
	f.Event(e, keyringWaits(false))
	if waiting() {
		t.Error("it waits though the keyring has answered")
	}
	f.Event(e, keyringWaits(true))
	f.Finish(e, nil)
	if waiting() {
		t.Error("it waits though what ran has ended")
	}
	old := f.apply(does(Effect{})).Effects[0]
	f.apply(turn{stop: true})
	f.Event(old, keyringWaits(true))
	if waiting() {
		t.Error("what was stopped is still heard")
	}
}
