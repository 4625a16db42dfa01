package periodic

import (
	"time"

	"github.com/hacsync/hacsync/sync/input"
)

// ParseUntil parses the end of a pause: a date, a date with a time, or a duration.
// An empty text is a pause without an end.
func ParseUntil(text string, now time.Time) (time.Time, bool) {
	text = input.Fold(text)
	if text == "" {
		return time.Time{}, true
	}
	t, ok := input.When(text, now, true)
	return t, ok && t.After(now)
}
