package screen

import (
	"strings"
	"time"

	"github.com/hacsync/hacsync/sync/progress"
	"github.com/hacsync/hacsync/tui/flow"
	"github.com/hacsync/hacsync/tui/widget"
	"github.com/hacsync/hacsync/tui/words"
)

// bar is a progress bar of a width, painted.
func (p *page) bar(done, total, width int) string {
	full, rest := p.e.Signs.Bar(done, total, width)
	return paint(p.e.Styles.Bar, full) + paint(p.e.Styles.Empty, rest)
}

// countdown says what is waited for and how long still, with a bar that empties;
// whole is how long it was at first.
func (p *page) countdown(what string, until time.Time, whole time.Duration, width int) {
	e := p.e
	left := until.Sub(e.Now())
	style := e.Styles.Text
	if left < soon {
		style = e.Styles.Warn
	}
	right := e.T("tui.expired")
	if left > 0 {
		right = e.T("tui.time_left", "left", words.Raw(clockFace(left)), "until", words.Clock(until))
	}
	room := width - widget.Width(right) - 1
	if widget.Width(what) <= room {
		p.raw(paint(e.Styles.Text, widget.Fit(what, room)) + " " + paint(style, right))
	} else {
		p.add(e.Styles.Text, widget.Wrap(what, width)...)
		p.add(style, widget.Wrap(right, width)...)
	}
	p.raw(p.bar(int(max(0, left)/time.Second), int(max(time.Second, whole)/time.Second), width))
}

// soon is when it is said that a wait ends soon.
const soon = 2 * time.Minute

// clockFace is minutes and seconds: 13:42.
func clockFace(d time.Duration) string {
	s := int((d + time.Second - 1) / time.Second)
	two := func(n int) string { return string([]byte{'0' + byte(n/10%10), '0' + byte(n%10)}) }
	m := s / 60
	if m > 99 {
		m = 99
	}
	return strings.TrimPrefix(two(m), "0") + ":" + two(s%60)
}

// ends of a phase: what stands at the right of its bar.
func (p *page) beside(ph flow.PhaseState) string {
	e := p.e
	switch {
	case ph.Ended:
		return e.T("tui.count", "n", max(ph.Done, ph.Total))
	case ph.Total > 0:
		return e.T("tui.done_of", "done", ph.Done, "total", ph.Total)
	case ph.Done > 0:
		return e.T("tui.count", "n", ph.Done)
	}
	return ""
}

// reading draws a dry run: two sides at once, each with its own bar, and the
// rest as a list; without air there are no empty lines between.
func (p *page) reading(w *flow.Work, air bool) {
	e := p.e
	pause(p, w)
	for _, ph := range w.Phases {
		if ph.Phase != progress.Source && ph.Phase != progress.Users {
			continue
		}
		if air {
			p.blank()
		}
		name, style := e.T("progress."+string(ph.Phase)), e.Styles.Text
		if !ph.Began {
			style = e.Styles.Faint
		}
		p.add(style, widget.Fit(name, min(p.text(), 60)))
		done, total := ph.Done, ph.Total
		if ph.Ended {
			done, total = max(1, done), max(1, done)
		}
		right := p.beside(ph)
		if ph.Ended {
			right += "   " + e.T("tui.to_the_end")
		} else if w.Left > 0 {
			right += "   " + e.T("flow.plain.left", "left", words.About(w.Left))
		}
		wide := max(10, min(44, p.text()-6-widget.Width(right)))
		p.raw("  " + p.bar(done, total, wide) + "  " + paint(e.Styles.Text, right))
	}
	p.blank()
	for _, ph := range w.Phases {
		if ph.Phase == progress.Source || ph.Phase == progress.Users {
			continue
		}
		mark := words.ToCome
		switch {
		case ph.Ended:
			mark = words.OK
		case ph.Began:
			mark = words.UnderWay
		}
		text := e.T("progress." + string(ph.Phase))
		if n := p.beside(ph); n != "" && ph.Done > 0 {
			text += "   " + n
		}
		style := e.Styles.Text
		if mark == words.ToCome {
			style = e.Styles.Faint
		}
		p.wrapped(mark.String()+"  ", p.mark(mark), text, style)
	}
}

func pause(p *page, w *flow.Work) {
	waits := w.Waits()
	if waits.IsZero() {
		return
	}
	p.blank()
	p.wrapped("", p.e.Styles.Warn, p.e.Say(waits), p.e.Styles.Warn)
	if w.Pause > 0 {
		p.add(p.e.Styles.Text, widget.Wrap(p.e.T("tui.pause_why."+string(w.PauseWhy)), p.text())...)
	}
}

// syncWork draws a sync under way: one bar of all, the sums by kind, the
// failures as they come.
func (p *page) syncWork(w *flow.Work) {
	e, sum := p.e, w.Sum()
	writing := false
	for _, ph := range w.Phases {
		writing = writing || ph.Phase == progress.Write && ph.Began
	}
	right := e.T("tui.done_of", "done", sum.Seen+sum.Failed, "total", sum.Planned)
	if w.Left > 0 {
		right += "   " + e.T("flow.plain.left", "left", words.About(w.Left))
	}
	wide := max(10, min(60, p.text()-2-widget.Width(right)))
	p.raw(p.bar(sum.Seen+sum.Failed, sum.Planned, wide) + "  " + right)
	pause(p, w)
	if !writing {
		p.blank()
		for _, ph := range w.Phases {
			if ph.Phase == progress.Drift {
				text := e.T("progress." + string(ph.Phase))
				if n := p.beside(ph); n != "" {
					text += "   " + n
				}
				p.wrapped(words.UnderWay.String()+" ", p.mark(words.UnderWay), text, e.Styles.Text)
			}
		}
	}
	p.sums(w)
	p.failures(w)
}

func (p *page) sums(w *flow.Work) {
	t := words.Table{Head: []words.Text{
		{}, words.T("flow.confirm.kind"), words.T("flow.result.planned"), words.T("flow.result.sent"), words.T("flow.result.seen"), words.T("flow.result.failed"),
	}, Right: []int{2, 3, 4, 5}}
	for _, r := range w.Rows {
		t.Rows = append(t.Rows, []words.Text{
			words.Raw(r.Kind.Sign()), words.T("kind." + r.Kind.String()),
			words.Num(r.Planned), words.Num(r.Sent), words.Num(r.Seen), words.Num(r.Failed),
		})
	}
	s := w.Sum()
	t.Rows = append(t.Rows, []words.Text{{}, words.T("flow.in_all"), words.Num(s.Planned), words.Num(s.Sent), words.Num(s.Seen), words.Num(s.Failed)})
	p.table(t)
}

// failures are the rows that failed so far, the latest of many.
func (p *page) failures(w *flow.Work) {
	const most = 8
	if len(w.Failures) == 0 {
		return
	}
	e := p.e
	p.blank()
	p.add(e.Styles.Title, e.T("tui.failed_so_far"))
	list := w.Failures
	if n := len(list) - most; n > 0 {
		p.add(e.Styles.Faint, e.T("tui.earlier", "n", n))
		list = list[n:]
	}
	for _, r := range list {
		what, code := e.T("outcome."+strings.ReplaceAll(r.Outcome, " ", "_")), ""
		if r.Err != nil {
			said := e.Printer.Problem(r.Err)
			what, code = said.What, string(said.Code)
		}
		p.ends("! ", e.T("flow.plain.row", "no", r.No, "kind", words.T("kind."+r.Kind), "upn", r.UPN, "what", words.Raw(what)), e.Styles.Bad, code, e.Styles.Label)
	}
}
