package periodic_test

import (
	"testing"
	"time"

	"github.com/hacsync/hacsync/sync/periodic"
)

func TestParseUntil_TakesDatesTimesAndLengthsToCome(t *testing.T) {
	zone := time.FixedZone("JST", 9*3600)
	now := time.Date(2026, 11, 25, 9, 0, 0, 0, zone)
	for text, want := range map[string]time.Time{
		"":                 {},
		"48h":              now.Add(48 * time.Hour),
		"2026-11-27":       time.Date(2026, 11, 27, 0, 0, 0, 0, zone),
		"2026/11/27 09:00": time.Date(2026, 11, 27, 9, 0, 0, 0, zone),
		"２０２６-１１-２７":       time.Date(2026, 11, 27, 0, 0, 0, 0, zone),
		" 27 Nov 2026 ":    time.Date(2026, 11, 27, 0, 0, 0, 0, zone),
	} {
		if got, ok := periodic.ParseUntil(text, now); !ok || !got.Equal(want) {
			t.Errorf("%q: %v, %v, want %v", text, got, ok, want)
		}
	}
	for _, text := range []string{"-1h", "0s", "2026-11-25", "2020-01-01", "tomorrow", "27"} {
		if got, ok := periodic.ParseUntil(text, now); ok {
			t.Errorf("%q was taken as %v", text, got)
		}
	}
}

func FuzzParseUntil(f *testing.F) {
	now := time.Date(2026, 11, 25, 9, 0, 0, 0, time.UTC)
	for _, s := range []string{"", "48h", "2026-11-27 09:00", "27 Nov 2026", "９９h"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if got, ok := periodic.ParseUntil(s, now); ok && !got.IsZero() && !got.After(now) {
			t.Errorf("%q ends a pause before it begins: %v", s, got)
		}
	})
}
