package plain

import (
	"strings"
	"time"

	"github.com/hacsync/hacsync/sync/message"
	"github.com/hacsync/hacsync/sync/progress"
	"github.com/hacsync/hacsync/tui/flow"
	"github.com/hacsync/hacsync/tui/words"
)

// progressLines writes how far long work is, as lines that say something new:
// a phase that ended, a row that failed, and now and then the numbers.
type progressLines struct {
	working  string
	done     map[progress.Phase]bool
	failures int
	last     string
	left     int // minutes of a wait when last said
	at       time.Time
	waits    waited
}

// waited is the pause or silence that was said last, and when.
type waited struct {
	what string
	left time.Duration
	at   time.Time
}

// waiting writes why nothing goes on: as soon as it is so, and now and then.
func (l *progressLines) waiting(p *page, w *flow.Work, real time.Time) {
	waits, was := w.Waits(), l.waits
	if waits.ID == was.what && w.Pause <= was.left && real.Sub(was.at) < countdown {
		l.waits.left = w.Pause
		return
	}
	l.waits = waited{waits.ID, w.Pause, real}
	if !waits.IsZero() {
		p.wrapped(words.UnderWay.String()+" ", p.say(waits))
	}
}

// ended writes phases and failures that are new since the last call.
func (l *progressLines) ended(p *page, v flow.View) string {
	w := v.Work
	if w == nil {
		return ""
	}
	if l.done == nil {
		l.done = map[progress.Phase]bool{}
	}
	for _, ph := range w.Phases {
		if !ph.Ended || l.done[ph.Phase] {
			continue
		}
		l.done[ph.Phase] = true
		text := p.say(words.T("progress." + string(ph.Phase)))
		if n := max(ph.Done, ph.Total); n > 0 {
			text += "  " + p.p.Int(n)
		}
		p.wrapped(words.OK.String()+" ", text)
	}
	for _, r := range w.Failures[min(l.failures, len(w.Failures)):] {
		what := p.say(words.T("outcome." + strings.ReplaceAll(r.Outcome, " ", "_")))
		if r.Err != nil {
			said := p.p.Problem(r.Err)
			what = said.What + "  (" + string(said.Code) + ")"
		}
		p.wrapped(words.Stops.String()+" ", p.say(words.T("flow.plain.row", "no", r.No, "kind", words.T("kind."+r.Kind), "upn", r.UPN, "what", words.Raw(what))))
	}
	l.failures = len(w.Failures)
	return p.b.String()
}

// countdown is how often the time left of a wait is said.
const countdown = 30 * time.Second

// lines writes the numbers as of now, if they say something new. now is the
// backend's time, real the machine's.
func (l *progressLines) lines(p *page, v flow.View, now, real time.Time) string {
	if v.Work == nil {
		if until := v.Ask.Until; !until.IsZero() && v.Ask.Optional {
			left := int(until.Sub(now).Minutes())
			if l.at.IsZero() {
				l.at, l.left = real, left
			}
			if left >= 0 && left != l.left && real.Sub(l.at) >= countdown {
				l.at, l.left = real, left
				p.wrapped("     ", p.say(words.T("tui.time_left", "left", until.Sub(now), "until", words.Clock(until))))
			}
		}
		return p.b.String()
	}
	l.waiting(p, v.Work, real)
	if s := workLine(p, v.Work); s != "" && s != l.last {
		l.last = s
		p.wrapped(words.UnderWay.String()+" ", s)
	}
	return p.b.String()
}

// workLine is one line on all that is under way.
func workLine(p *page, w *flow.Work) string {
	var parts []string
	if sum := w.Sum(); w.Rows != nil && sum.Sent > 0 {
		parts = append(parts, p.say(words.T("flow.plain.rows", "seen", sum.Seen, "sent", sum.Sent, "planned", sum.Planned, "failed", sum.Failed)))
	} else {
		for _, ph := range w.Phases {
			if !ph.Began || ph.Ended {
				continue
			}
			name := words.T("progress." + string(ph.Phase))
			switch {
			case ph.Total > 0:
				parts = append(parts, p.say(words.T("flow.plain.of", "name", name, "done", ph.Done, "total", ph.Total)))
			case ph.Done > 0:
				parts = append(parts, p.say(words.T("flow.plain.so_far", "name", name, "done", ph.Done)))
			default:
				parts = append(parts, p.say(name))
			}
		}
	}
	if len(parts) == 0 {
		return ""
	}
	if w.Rate >= 1 {
		parts = append(parts, p.say(words.T("flow.plain.rate", "n", int(w.Rate))))
	}
	if w.Left > 0 {
		parts = append(parts, p.say(words.T("flow.plain.left", "left", words.About(w.Left))))
	}
	return message.Clean(strings.Join(parts, "; "))
}
