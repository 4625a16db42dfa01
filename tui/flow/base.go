package flow

import (
	"time"

	"github.com/hacsync/hacsync/tui/words"
)

// base is what most steps are made of: what is under way, and what went wrong
// last. A step that has a question within itself, or takes reports, has methods of
// its own in place of these.
type base struct {
	working words.Text // zero: nothing is
	err     error
}

// waits reports whether something is under way, and then shows it.
func (b *base) waits(v *View) bool {
	if b.working.IsZero() {
		return false
	}
	v.wait(b.working)
	return true
}

func (b *base) back(*data) (turn, bool) { return turn{}, false }

func (b *base) inner() bool { return false }

func (b *base) running() bool { return false }

func (b *base) event(*data, any, time.Time) {}

// wait shows that something is under way, and asks nothing meanwhile.
func (v *View) wait(working words.Text) {
	v.Working = working
	v.Ask = Question{Kind: Wait, Optional: true}
}
