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
	if d, err := time.ParseDuration(text); err == nil {
		return now.Add(d), d > 0
	}
	for _, layout := range []string{"2006-01-02 15:04", "2006/01/02 15:04", "2006-01-02T15:04", "2006-01-02", "2006/01/02", "2 Jan 2006 15:04", "2 Jan 2006"} {
		if t, err := time.ParseInLocation(layout, text, now.Location()); err == nil {
			return t, t.After(now)
		}
	}
	return time.Time{}, false
}
