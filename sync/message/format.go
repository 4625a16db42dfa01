package message

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/hacsync/hacsync/sync/problem"
)

// Int returns a whole number with separators of thousands: 4,012.
func (p *Printer) Int(n int) string {
	s := strconv.FormatInt(int64(n), 10)
	sign := ""
	if n < 0 {
		sign, s = "-", s[1:]
	}
	var b strings.Builder
	for i, r := range s {
		if i > 0 && (len(s)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(r)
	}
	return sign + b.String()
}

// Percent returns a share given in percent: 0.3 %. A share that is not a whole
// number is never written as one, so that 9.96 is not mistaken for a limit of 10; a
// share above zero is never written as zero.
func (p *Printer) Percent(share float64) string {
	for decimals := 1; decimals <= 3; decimals++ {
		scale := math.Pow10(decimals)
		rounded := math.Round(share*scale) / scale
		if rounded == math.Trunc(rounded) && math.Abs(share-rounded) > 1e-9 {
			continue
		}
		return strconv.FormatFloat(rounded, 'f', -1, 64) + " %"
	}
	if share > 0 && share < 0.001 {
		return "< 0.001 %"
	}
	return strconv.FormatFloat(math.Trunc(share*1000)/1000, 'f', 3, 64) + " %"
}

// Share returns part of whole in percent; 0 % if whole is 0.
func (p *Printer) Share(part, whole int) string {
	if whole == 0 {
		return p.Percent(0)
	}
	return p.Percent(float64(part) * 100 / float64(whole))
}

// Date returns a day: 25 Nov 2026, 2026/11/25; empty for the zero time.
func (p *Printer) Date(t time.Time) string { return p.format(t, "2 Jan 2006", "2006/01/02") }

// Day returns a day without its year: 25 Nov, 11/25.
func (p *Printer) Day(t time.Time) string { return p.format(t, "2 Jan", "1/2") }

// Clock returns hour and minute: 09:40.
func (p *Printer) Clock(t time.Time) string { return p.format(t, "15:04", "15:04") }

// Time returns day, hour, minute and zone: 25 Nov 2026 09:40 JST, 2026/11/25 09:40
// JST.
func (p *Printer) Time(t time.Time) string {
	return p.format(t, "2 Jan 2006 15:04 MST", "2006/01/02 15:04 MST")
}

// UTC returns the time to the second in UTC, for Microsoft's support: 25 Nov 2026
// 00:26:11 UTC.
func (p *Printer) UTC(t time.Time) string {
	return p.In(time.UTC).format(t, "2 Jan 2006 15:04:05 MST", "2006/01/02 15:04:05 MST")
}

func (p *Printer) format(t time.Time, english, japanese string) string {
	if t.IsZero() {
		return ""
	}
	if p.lang == Japanese {
		return t.In(p.zone).Format(japanese)
	}
	return t.In(p.zone).Format(english)
}

// Duration returns a duration: 24 s, 3 min, 1 h 5 min, 2 days; two units at most.
func (p *Printer) Duration(d time.Duration) string {
	d = max(d, 0)
	unit := func(id string, n int64) string {
		return p.Text("duration."+id, problem.Args{"n": strconv.FormatInt(n, 10)})
	}
	two := func(a string, b int64, id string) string {
		if b == 0 {
			return a
		}
		return a + " " + unit(id, b)
	}
	switch s := int64(d.Round(time.Second) / time.Second); {
	case d > 0 && s == 0:
		return p.Text("duration.under-a-second", nil)
	case s < 120:
		return unit("s", s)
	case s < 600:
		return two(unit("min", s/60), s%60, "s")
	case s < 3600:
		return unit("min", s/60)
	case s < 48*3600:
		return two(unit("h", s/3600), s%3600/60, "min")
	default:
		return two(unit("days", s/86400), s%86400/3600, "h")
	}
}

// About returns an estimate: about 25 s.
func (p *Printer) About(d time.Duration) string {
	return p.Text("duration.about", problem.Args{"duration": p.Duration(d)})
}

// Ago returns how long ago: 12 min ago.
func (p *Printer) Ago(d time.Duration) string {
	return p.Text("duration.ago", problem.Args{"duration": p.Duration(d)})
}

// Size returns a number of bytes: 999 B, 1.2 MB.
func (p *Printer) Size(bytes int64) string {
	const units = "kMGT"
	if bytes < 1000 {
		return strconv.FormatInt(bytes, 10) + " B"
	}
	v, i := float64(bytes)/1000, 0
	for v >= 999.95 && i < len(units)-1 {
		v, i = v/1000, i+1
	}
	return strconv.FormatFloat(v, 'f', 1, 64) + " " + string(units[i]) + "B"
}
