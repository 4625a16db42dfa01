package screen

import (
	"strings"

	"charm.land/lipgloss/v2"

	"github.com/hacsync/hacsync/sync/message"
	"github.com/hacsync/hacsync/tui/widget"
	"github.com/hacsync/hacsync/tui/words"
)

// widest is how far text runs in a wide window: longer lines are hard to read.
const widest = 118

// page collects the lines of a body. Every line begins one column from the left
// edge.
type page struct {
	e     *env
	width int // of the text, without the margin
	lines []string
	// packed: nothing stands apart. tight: every fact and finding has one line, too.
	packed, tight bool
	headed        int // how many lines there were after the last heading
}

func newPage(e *env, width int) *page { return &page{e: e, width: max(10, width-2)} }

func (p *page) add(style lipgloss.Style, lines ...string) {
	for _, l := range lines {
		p.raw(paint(style, l))
	}
}

// raw adds a line that is styled already.
func (p *page) raw(line string) { p.lines = append(p.lines, " "+line) }

// blank separates parts; there is never more than one, and none below a heading.
func (p *page) blank() {
	if p.tight || p.packed {
		return
	}
	if n := len(p.lines); n > 0 && n != p.headed && p.lines[n-1] != "" {
		p.lines = append(p.lines, "")
	}
}

// paint is Render for one line, which lipgloss would take apart.
func paint(style lipgloss.Style, s string) string {
	if s == "" {
		return ""
	}
	return style.Inline(true).Render(s)
}

func (p *page) text() int { return min(p.width, widest) }

// wrapped is text with a first indent in a style of its own.
func (p *page) wrapped(first string, firstStyle lipgloss.Style, s string, style lipgloss.Style) {
	for i, l := range widget.Hang(first, s, p.text()) {
		n := len(first)
		if i > 0 || n == 0 || n > len(l) {
			p.raw(paint(style, l))
			continue
		}
		p.raw(paint(firstStyle, l[:n]) + paint(style, l[n:]))
	}
}

// ends is a line with a sign, a text, and a right end beside its first line.
func (p *page) ends(sign, left string, leftStyle lipgloss.Style, right string, rightStyle lipgloss.Style) {
	room := p.text() - widget.Width(right) - 1
	if right == "" || room < 20 {
		for _, l := range widget.Hang(sign, left, p.text()) {
			p.raw(paint(leftStyle, l))
		}
		if right != "" {
			p.raw(paint(rightStyle, right))
		}
		return
	}
	for i, l := range widget.Hang(sign, left, room) {
		if i > 0 {
			p.raw(paint(leftStyle, l))
			continue
		}
		p.raw(paint(leftStyle, widget.Fit(l, room)) + " " + paint(rightStyle, right))
	}
}

// short is s as it stands, or shortened to width.
func short(s string, width int) string { return widget.FitWord(s, min(width, widget.Width(s))) }

// heading is a rule with a name in it, and something at its right end.
func (p *page) heading(name, aside string) {
	e := p.e
	p.blank()
	rule := strings.Repeat(e.Signs.Rule, 2) + " "
	n := p.text() - widget.Width(name) - widget.Width(rule) - 1
	if right := widget.Width(aside) + 4; aside != "" && n-right >= 3 {
		p.raw(paint(e.Styles.Rule, rule) + paint(e.Styles.Heading, name) + " " + paint(e.Styles.Rule, strings.Repeat(e.Signs.Rule, n-right)) +
			" " + paint(e.Styles.Label, aside) + " " + paint(e.Styles.Rule, strings.Repeat(e.Signs.Rule, 2)))
		p.headed = len(p.lines)
		return
	}
	if n < 0 {
		p.wrapped(rule, e.Styles.Rule, name, e.Styles.Heading)
		p.headed = len(p.lines)
		return
	}
	p.raw(paint(e.Styles.Rule, rule) + paint(e.Styles.Heading, name) + " " +
		paint(e.Styles.Rule, strings.Repeat(e.Signs.Rule, n)))
	p.headed = len(p.lines)
}

// identity is the sign of hacsync, the same from both sides.
const identity = "[=]"

func (p *page) title(t words.Text) {
	if mark, ok := strings.CutPrefix(p.e.Say(t), identity); ok {
		for i, l := range widget.Wrap(identity+mark, p.text()) {
			if i == 0 {
				p.raw(paint(p.e.Styles.Here, identity) + paint(p.e.Styles.Title, strings.TrimPrefix(l, identity)))
			} else {
				p.add(p.e.Styles.Title, l)
			}
		}
		return
	}
	if !t.IsZero() {
		p.add(p.e.Styles.Title, widget.Wrap(p.e.Say(t), p.text())...)
	}
}

// titleBeside is a title with something at its right end.
func (p *page) titleBeside(t, aside words.Text) {
	if aside.IsZero() {
		p.title(t)
		return
	}
	p.ends("", p.e.Say(t), p.e.Styles.Title, p.e.Say(aside), p.e.Styles.Label)
}

func (p *page) pieces(list []words.Piece) {
	for _, b := range list {
		p.piece(b)
	}
}

func (p *page) piece(b words.Piece) {
	e := p.e
	switch b := b.(type) {
	case words.Para:
		p.blank()
		p.add(e.Styles.Text, widget.Wrap(e.Say(b.Text), p.text())...)
	case words.Heading:
		p.heading(e.Say(b.Text), e.Say(b.Aside))
	case words.Facts:
		p.facts(b)
	case words.Checks:
		p.blank()
		for _, c := range b {
			if p.tight {
				sign := c.Mark.String() + " "
				p.raw(paint(p.mark(c.Mark), sign) + paint(e.Styles.Text, short(e.Say(c.Text), p.text()-widget.Width(sign))))
				continue
			}
			p.wrapped(c.Mark.String()+" ", p.mark(c.Mark), e.Say(c.Text), e.Styles.Text)
			for _, d := range c.Detail {
				p.wrapped("     ", e.Styles.Faint, e.Say(d), e.Styles.Faint)
			}
		}
	case words.Table:
		p.table(b)
	case words.CodeCard:
		p.codeCard(b)
	case words.PageCard:
		p.blank()
		p.address(b.Page.URL, mostAddress)
	case words.Script:
		p.script(b)
	case words.Chart:
		p.chart(b)
	case words.Trouble:
		p.trouble(b)
	}
}

func (p *page) mark(m words.Mark) lipgloss.Style {
	s := p.e.Styles
	switch m {
	case words.OK:
		return s.Good
	case words.Warn, words.Asks:
		return s.Warn
	case words.Stops:
		return s.Bad
	case words.UnderWay:
		return s.Here
	case words.Info:
		return s.Text
	case words.ToCome:
	}
	return s.Faint
}

func (p *page) facts(f words.Facts) {
	if len(f) == 0 {
		return
	}
	p.blank()
	label := 0
	for _, x := range f {
		label = max(label, min(widget.Width(p.e.Say(x.Label)), p.width/2))
	}
	for _, x := range f {
		if p.tight {
			first := " " + widget.Fit(p.e.Say(x.Label), label) + " "
			p.raw(paint(p.e.Styles.Label, first) + paint(p.e.Styles.Text, short(p.e.Say(x.Value), p.text()-widget.Width(first))))
			continue
		}
		p.wrapped("  "+widget.Fit(p.e.Say(x.Label), label)+"  ", p.e.Styles.Label, p.e.Say(x.Value), p.e.Styles.Text)
	}
}

// table colours a row by the sign in its first two cells, if there is one.
func (p *page) table(t words.Table) {
	if len(t.Rows) == 0 {
		return
	}
	p.blank()
	g := widget.Grid{Right: t.Right, Wrap: t.Wrap}
	for _, r := range append([][]words.Text{t.Head}, t.Rows...) {
		cells := make([]string, len(r))
		for i, c := range r {
			cells[i] = p.e.Say(c)
		}
		g.Rows = append(g.Rows, cells)
	}
	for i, lines := range g.Lines(p.text()) {
		switch {
		case i == 0 && strings.TrimSpace(strings.Join(lines, "")) == "":
		case i == 0:
			p.add(p.e.Styles.Label, lines...)
		default:
			p.add(p.rowStyle(g.Rows[i]), lines...)
		}
	}
}

// rowStyle is the colour of a row of changes; the sign says it too.
func (p *page) rowStyle(cells []string) lipgloss.Style {
	s := p.e.Styles
	for _, c := range cells[:min(2, len(cells))] {
		switch c {
		case "+":
			return s.Add
		case "~":
			return s.Update
		case ">":
			return s.Rename
		case "^":
			return s.Restore
		case "-":
			return s.Delete
		case "!":
			return s.Skip
		}
		if strings.HasPrefix(c, "(") {
			return s.Faint
		}
	}
	return s.Text
}

// codeCard is a sign-in code: the page, the code large, and once more as plain
// text alone on its line, so that the mouse can select it.
func (p *page) codeCard(b words.CodeCard) {
	p.blank()
	p.address(b.Code.URL, mostAddress)
	p.blank()
	p.bigCode(message.Clean(b.Code.UserCode))
}

func (p *page) bigCode(code string) {
	if big := p.e.Signs.BigCode(code, p.width-2); big != nil {
		for _, l := range big {
			p.raw(" " + paint(p.e.Styles.Code, l))
		}
		p.blank()
	}
	p.raw("   " + paint(p.e.Styles.Code, code))
}

func (p *page) script(b words.Script) {
	e := p.e
	p.blank()
	lines := b.Lines
	if b.First > 0 && len(lines) > b.First {
		lines = lines[:b.First]
	}
	for _, l := range lines {
		l = message.Clean(strings.ReplaceAll(l, "\t", "    "))
		style := e.Styles.Text
		if strings.HasPrefix(strings.TrimSpace(l), "#") {
			style = e.Styles.Faint
		}
		// A line that is longer goes on below, further in: nothing of a command is lost.
		indent := l[:min(len(l)-len(strings.TrimLeft(l, " ")), p.text()/2)]
		for i, part := range widget.Wrap(l[len(indent):], p.text()-6-len(indent)) {
			if i > 0 {
				part = "    " + part
			}
			p.raw("  " + indent + paint(style, part))
		}
	}
	if len(lines) < len(b.Lines) {
		p.add(e.Styles.Faint, e.T("flow.plain.script_part", "n", len(lines), "of", len(b.Lines)))
	}
}

// trouble says what happened, with its code at the right, and the way on.
func (p *page) trouble(b words.Trouble) {
	e := p.e
	said := e.Printer.Problem(b.Err)
	p.blank()
	p.ends("! ", said.What, e.Styles.Bad.Bold(true), string(said.Code), e.Styles.Label)
	if !b.Brief {
		p.add(e.Styles.Text, widget.Hang("  ", said.Remedy, p.text())...)
	}
	if said.RequestID != "" && !b.Brief {
		p.add(e.Styles.Label, widget.Hang("  ", e.T("flow.result.request_id", "id", said.RequestID), p.text())...)
	}
}
