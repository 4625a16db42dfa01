package screen

import (
	"strconv"
	"strings"

	"github.com/hacsync/hacsync/tui/flow"
	"github.com/hacsync/hacsync/tui/widget"
	"github.com/hacsync/hacsync/tui/words"
)

// question draws what is asked, and gives the line of what is selected.
func (g *general) question(width int) (lines []string, selected int) {
	e, q := g.e, g.v.Ask
	p := newPage(e, width)
	g.rows, g.cursor = map[int]int{}, false
	p.lines = append(p.lines, g.pinned...)
	if !g.v.Working.IsZero() && (g.v.Work == nil || !q.Until.IsZero()) {
		g.waiting(p)
	}
	if g.below != nil {
		defer func() { lines = p.lines }()
		defer g.below(p)
	}
	if g.ask != nil {
		selected = g.ask(p)
		return p.lines, selected
	}
	if c := g.asking; c != nil {
		p.blank()
		p.add(e.Styles.Text, widget.Wrap(e.Say(c.Help), p.text())...)
		g.input(p, e.Say(c.Arg))
		return p.lines, len(p.lines) - 1
	}
	if !q.Text.IsZero() && (q.Kind != flow.Choice || q.Text.ID != "flow.choose") {
		if len(p.lines) > 0 {
			p.blank()
		}
		p.add(e.Styles.Title, widget.Wrap(e.Say(q.Text), p.text())...)
	}
	selected = g.optionLines(p)
	if g.hasField() {
		g.input(p, "")
		selected = len(p.lines) - 1
	}
	return p.lines, selected
}

// waiting says what is waited for, with a bar where the wait has an end.
func (g *general) waiting(p *page) {
	e, until := g.e, g.v.Ask.Until
	if until.IsZero() {
		p.wrapped(words.UnderWay.String()+" ", p.mark(words.UnderWay), e.Say(g.v.Working), e.Styles.Text)
		return
	}
	what := e.Say(g.v.Working)
	if g.v.Working.ID == "flow.signin.waiting" {
		what = e.T("tui.signin.waiting") // the bar says until when
	}
	p.countdown(what, until, g.whole, min(p.text(), 78))
}

func (g *general) optionLines(p *page) (selected int) {
	e, options := g.e, g.v.Ask.Options
	label := 0
	for _, o := range options {
		label = max(label, widget.Width(e.Say(o.Text)))
	}
	label = min(label, max(p.text()/2, 41))
	digits := len(strconv.Itoa(len(options)))
	for i, o := range options {
		mark, style := "  ", e.Styles.Text
		if i == g.at {
			mark, style = e.Signs.Here+" ", e.Styles.Selected
			selected = len(p.lines)
		}
		from := len(p.lines)
		first := mark + widget.FitLeft(strconv.Itoa(i+1), digits+1) + "  "
		text, note := e.Say(o.Text), ""
		if !o.Note.IsZero() && (!g.brief && !g.short || i == g.at) {
			note = e.Say(o.Note)
		}
		indent := strings.Repeat(" ", widget.Width(first)+label+3)
		switch {
		case note == "" || widget.Width(text) > label || p.text()-len(indent) < 16:
			for n, l := range widget.Hang(first, text, p.text()) {
				switch {
				case i == g.at:
					p.raw(paint(style, widget.Fit(l, p.text()))) // across the whole line
				case n == 0:
					p.raw(l[:len(first)] + paint(style, l[len(first):]))
				default:
					p.raw(paint(style, l))
				}
			}
			if note != "" {
				p.add(e.Styles.Faint, widget.Hang(strings.Repeat(" ", widget.Width(first)+2), note, p.text())...)
			}
		default:
			for n, l := range widget.Wrap(note, p.text()-len(indent)) {
				switch {
				case n == 0 && i == g.at:
					p.raw(paint(style, widget.Fit(first+widget.Fit(text, label)+"   "+l, p.text())))
				case n == 0:
					p.raw(first + paint(style, text) + strings.Repeat(" ", label-widget.Width(text)+3) + paint(e.Styles.Faint, l))
				default:
					p.raw(indent + paint(e.Styles.Faint, l))
				}
			}
		}
		for y := from; y < len(p.lines); y++ {
			g.rows[y] = i
		}
	}
	return selected
}

// input draws the field, and remembers where its cursor is.
func (g *general) input(p *page, name string) {
	e := g.e
	first := "  "
	if name != "" {
		first += name + "  "
	}
	wide := max(8, min(p.text()-widget.Width(first)-4, 76))
	switch g.v.Ask.Kind {
	case flow.Number, flow.Typed, flow.List:
		if g.asking == nil {
			wide = min(wide, 16)
		}
	case flow.Secret:
		wide = min(wide, 40)
	case flow.None, flow.Choice, flow.Line, flow.Path, flow.Wait:
	}
	text, at := g.field.View(wide)
	if g.v.Ask.Kind == flow.Secret && g.asking == nil {
		text, at = g.field.Dots(wide)
	}
	p.raw(first + "[ " + paint(e.Styles.Field, text) + " ]")
	g.cursorX, g.cursorY, g.cursor = 1+widget.Width(first)+2+at, len(p.lines)-1, true
}
