package input

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// units are the words for a unit of time, each with its length.
var units = map[string]time.Duration{
	"w": 7 * 24 * time.Hour, "week": 7 * 24 * time.Hour, "weeks": 7 * 24 * time.Hour, "週": 7 * 24 * time.Hour, "週間": 7 * 24 * time.Hour,
	"d": 24 * time.Hour, "day": 24 * time.Hour, "days": 24 * time.Hour, "日": 24 * time.Hour, "日間": 24 * time.Hour,
	"h": time.Hour, "hour": time.Hour, "hours": time.Hour, "時間": time.Hour,
	"m": time.Minute, "min": time.Minute, "minute": time.Minute, "minutes": time.Minute, "分": time.Minute, "分間": time.Minute,
	"s": time.Second, "sec": time.Second, "second": time.Second, "seconds": time.Second, "秒": time.Second, "秒間": time.Second,
	"ms": time.Millisecond,
}

var (
	// A length: numbers, each with its unit.
	lengthPart = regexp.MustCompile(`^([0-9]+(?:\.[0-9]+)?)(\p{L}+?)(半)?(?:[0-9]|$)`)
	// A date: 2026/12/3, 2026年12月3日, 12/3, 3 Dec 2026, 3 Dec.
	dateNumbers = regexp.MustCompile(`^(?:([0-9]{4})[-/.年] ?)?([0-9]{1,2})[-/.月] ?([0-9]{1,2})日?`)
	dateWords   = regexp.MustCompile(`^([0-9]{1,2}) ([a-z]{3})[a-z]*\.?(?:,? ([0-9]{4}))?`)
	weekday     = regexp.MustCompile(`^ ?\([日月火水木金土]\)`)
	// A time of day: 9:00, 9:00:30, 9時, 9時30分.
	clockTime = regexp.MustCompile(`^([0-9]{1,2})(?::([0-9]{2})(?::([0-9]{2}))?|時(?:([0-9]{1,2})分)?)`)
)

// Length reads a length of time as people write it: 30分, 1 時間 30 分, 48h, 1h30m,
// 2 days. It reports false for anything else, a bare number too.
func Length(s string) (time.Duration, bool) {
	rest := strings.NewReplacer(" ", "", ",", "").Replace(strings.ToLower(Fold(s)))
	var sum time.Duration
	for rest != "" {
		m := lengthPart.FindStringSubmatch(rest)
		if m == nil {
			return 0, false
		}
		unit, ok := units[m[2]]
		n, err := strconv.ParseFloat(m[1], 64)
		if !ok || err != nil {
			return 0, false
		}
		if m[3] != "" { // 1 時間半
			n += 0.5
		}
		if n*float64(unit) > float64(200*365*24*time.Hour)-float64(sum) {
			return 0, false
		}
		sum += time.Duration(n * float64(unit))
		rest = rest[len(m[1])+len(m[2])+len(m[3]):]
	}
	return sum, sum > 0
}

// When reads a moment as people write it: a length of time from now, a date, a date
// with a time of day, in the zone of now. ahead says whether a length and a date
// without its year are to come or have gone by. It reports false for anything else.
func When(s string, now time.Time, ahead bool) (time.Time, bool) {
	s = Fold(s)
	if d, ok := Length(s); ok {
		if !ahead {
			d = -d
		}
		return now.Add(d), true
	}
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t, true
	}
	year, month, day, rest, ok := date(strings.ToLower(s))
	if !ok {
		return time.Time{}, false
	}
	hour, minute, second, ok := clock(rest, now)
	if !ok {
		return time.Time{}, false
	}
	at := func(year int) (time.Time, bool) {
		t := time.Date(year, month, day, hour, minute, second, 0, now.Location())
		return t, t.Month() == month && t.Day() == day // there is no 31 Nov
	}
	if year != 0 {
		return at(year)
	}
	t, ok := at(now.Year())
	switch {
	case ok && ahead && !t.After(now):
		return at(now.Year() + 1)
	case ok && !ahead && t.After(now):
		return at(now.Year() - 1)
	}
	return t, ok
}

// date reads a date, year 0 where it names none, and returns what stands after it.
func date(s string) (year int, month time.Month, day int, rest string, ok bool) {
	m := dateNumbers.FindStringSubmatch(s)
	if m == nil {
		if m = dateWords.FindStringSubmatch(s); m == nil {
			return 0, 0, 0, "", false
		}
		t, err := time.Parse("Jan", m[2])
		if err != nil {
			return 0, 0, 0, "", false
		}
		m = []string{m[0], m[3], strconv.Itoa(int(t.Month())), m[1]}
	}
	year, _ = strconv.Atoi(m[1])
	mon, _ := strconv.Atoi(m[2])
	day, _ = strconv.Atoi(m[3])
	rest = s[len(m[0]):]
	rest = rest[len(weekday.FindString(rest)):]
	return year, time.Month(mon), day, rest, mon >= 1 && mon <= 12 && day >= 1
}

// clock reads the time of day after a date, none for the day's begin. The name of
// the reader's zone may stand after it, as hacsync writes it.
func clock(s string, now time.Time) (hour, minute, second int, ok bool) {
	s = strings.TrimSpace(strings.TrimPrefix(s, "t"))
	if s == "" {
		return 0, 0, 0, true
	}
	m := clockTime.FindStringSubmatch(s)
	if m == nil {
		return 0, 0, 0, false
	}
	zone, _ := now.Zone()
	if rest := strings.TrimSpace(s[len(m[0]):]); rest != "" && !strings.EqualFold(rest, zone) {
		return 0, 0, 0, false
	}
	hour, _ = strconv.Atoi(m[1])
	minute, _ = strconv.Atoi(m[2] + m[4])
	second, _ = strconv.Atoi(m[3])
	return hour, minute, second, hour < 24 && minute < 60 && second < 60
}
