package flow

import (
	"testing"
	"time"

	"github.com/hacsync/hacsync/sync/message"
	"github.com/hacsync/hacsync/sync/progress"
	"github.com/hacsync/hacsync/tui/words"
)

// A pause says how long and why, a silent server how long, and nothing is said of
// either while work goes on.
func TestWork_SaysWhyNothingGoesOn(t *testing.T) {
	at := time.Date(2026, 11, 25, 9, 0, 0, 0, time.UTC)
	said := map[string]bool{}
	for _, lang := range []string{"en", "ja"} {
		p, err := message.New(lang)
		if err != nil {
			t.Fatal(err)
		}
		for _, why := range []progress.Why{progress.Asked, progress.Unreachable, progress.Silent, progress.Cut, progress.Server, progress.Paced} {
			tr := newTracker(at, dryRunPhases())
			tr.event(progress.Event{Phase: progress.Users, Total: -1, Pause: 3 * time.Second, Why: why}, at)
			text := words.Say(p, tr.work(at.Add(time.Second)).Waits())
			if said[text] || text == "" || text[0] == 0xc2 || !p.Has("tui.pause_why."+string(why)) {
				t.Errorf("%s %s: %q", lang, why, text)
			}
			said[text] = true
		}
	}
	tr := newTracker(at, nil)
	tr.event(progress.Event{Phase: progress.Drift, Total: 615}, at.Add(60*time.Second))
	if w := tr.work(at.Add(64 * time.Second)); w.Silent != 0 || !w.Waits().IsZero() {
		t.Errorf("silent after 4 s: %+v", w)
	}
	if w := tr.work(at.Add(67 * time.Second)); w.Silent != 7*time.Second || w.Spent != 67*time.Second {
		t.Errorf("%v of %v", w.Silent, w.Spent)
	}
	tr.event(progress.Event{Phase: progress.Drift, Pause: 30 * time.Second, Why: progress.Asked}, at.Add(67*time.Second))
	if w := tr.work(at.Add(98 * time.Second)); !w.Waits().IsZero() {
		t.Errorf("a pause counts as silence: %+v", w)
	}
}
