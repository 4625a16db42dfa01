package input

import (
	"testing"
	"time"
)

func TestLength_TakesWhatPeopleWrite(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"30分": 30 * time.Minute, "１ 時間": time.Hour, "1 時間 30 分": 90 * time.Minute, "1時間半": 90 * time.Minute, "２日間": 48 * time.Hour,
		"48h": 48 * time.Hour, "1h30m": 90 * time.Minute, "1h0m0s": time.Hour, "2 days": 48 * time.Hour, "0.5h": 30 * time.Minute, "3 weeks": 21 * 24 * time.Hour,
		"90 min": 90 * time.Minute, "100ms": 100 * time.Millisecond, "1 週間": 7 * 24 * time.Hour,
	} {
		if got, ok := Length(text); !ok || got != want {
			t.Errorf("%q: %v, %v, want %v", text, got, ok, want)
		}
	}
	for _, text := range []string{"", "0s", "-1h", "30", "3 apples", "h", "1h 30", "99999999999999d", "1e9h"} {
		if got, ok := Length(text); ok {
			t.Errorf("%q was taken as %v", text, got)
		}
	}
}

func TestWhen_TakesWhatPeopleWriteAndWhatIsShown(t *testing.T) {
	jst := time.FixedZone("JST", 9*3600)
	now := time.Date(2026, 11, 30, 21, 0, 0, 0, jst)
	day := func(y, m, d, h, min int) time.Time { return time.Date(y, time.Month(m), d, h, min, 0, 0, jst) }
	for _, c := range []struct {
		text        string
		ahead, gone time.Time
	}{
		{"2026/12/03", day(2026, 12, 3, 0, 0), day(2026, 12, 3, 0, 0)},
		{"2026-12-03", day(2026, 12, 3, 0, 0), day(2026, 12, 3, 0, 0)},
		{"２０２６／１２／０３　０９：３０", day(2026, 12, 3, 9, 30), day(2026, 12, 3, 9, 30)},
		{"2026/12/03 09:30 JST", day(2026, 12, 3, 9, 30), day(2026, 12, 3, 9, 30)},
		{"2026-12-03T09:30", day(2026, 12, 3, 9, 30), day(2026, 12, 3, 9, 30)},
		{"2026-12-03T09:30:00+09:00", day(2026, 12, 3, 9, 30), day(2026, 12, 3, 9, 30)},
		{"2026年12月3日", day(2026, 12, 3, 0, 0), day(2026, 12, 3, 0, 0)},
		{"12月3日 9時30分", day(2026, 12, 3, 9, 30), day(2025, 12, 3, 9, 30)},
		{"12/3", day(2026, 12, 3, 0, 0), day(2025, 12, 3, 0, 0)},
		{"12/3 (木) 9:30", day(2026, 12, 3, 9, 30), day(2025, 12, 3, 9, 30)},
		{"11/25", day(2027, 11, 25, 0, 0), day(2026, 11, 25, 0, 0)},
		{"3 Dec 2026 09:30 JST", day(2026, 12, 3, 9, 30), day(2026, 12, 3, 9, 30)},
		{"3 December", day(2026, 12, 3, 0, 0), day(2025, 12, 3, 0, 0)},
		{"48h", now.Add(48 * time.Hour), now.Add(-48 * time.Hour)},
		{"2 日", now.Add(48 * time.Hour), now.Add(-48 * time.Hour)},
	} {
		for ahead, want := range map[bool]time.Time{true: c.ahead, false: c.gone} {
			if got, ok := When(c.text, now, ahead); !ok || !got.Equal(want) {
				t.Errorf("%q, ahead %v: %v, %v, want %v", c.text, ahead, got, ok, want)
			}
		}
	}
	for _, text := range []string{"", "27", "2026/13/01", "2026/11/31", "12/0", "2026/12/03 25:00", "2026/12/03 09:30 PST", "soon", "3 Foo", "12/3 at nine"} {
		if got, ok := When(text, now, true); ok {
			t.Errorf("%q was taken as %v", text, got)
		}
	}
}

func FuzzWhen(f *testing.F) {
	now := time.Date(2026, 11, 30, 21, 0, 0, 0, time.UTC)
	for _, s := range []string{"", "48h", "2026/12/03 09:00", "27 Nov 2026", "９９h", "1時間半", "2/29"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if d, ok := Length(s); ok && d <= 0 {
			t.Errorf("%q is no length: %v", s, d)
		}
		When(s, now, true)
		When(s, now, false)
	})
}
