package screen

import (
	"strconv"
	"strings"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/message"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/tui/review"
	"github.com/hacsync/hacsync/tui/widget"
	"github.com/hacsync/hacsync/tui/words"
)

// listLine is one line of the skips by reason or of the summary.
type listLine struct {
	parts []part
	// What it can be opened to: a reason of the plan, what was left out in this
	// review, or an attribute; else it cannot be selected.
	reason    int
	out       bool
	attribute directory.Attribute
	without   bool // the attribute is left out of the plan
	of        review.Reason
}

func (l listLine) selectable() bool { return l.reason > 0 || l.out || l.attribute != "" }

// listCache keeps the lines of the list that is shown.
type listCache struct {
	of    detailKey
	lines []listLine
}

func (c *listCache) line(i int) (listLine, bool) {
	if i < 0 || i >= len(c.lines) {
		return listLine{}, false
	}
	return c.lines[i], true
}

// picker is a selection among lines of which some are only read.
type picker struct {
	at, top int
	lines   []listLine
}

// next is the next line from i that can be selected, -1 if there is none.
func (p *picker) next(i, by int) int {
	for i += by; i >= 0 && i < len(p.lines); i += by {
		if p.lines[i].selectable() {
			return i
		}
	}
	return -1
}

// moves is a key that moves the selection; past its ends the lines scroll.
func (p *picker) moves(name string, page int) bool {
	by, times := 1, 1
	switch name {
	case "up", "k":
		by = -1
	case "down", "j":
	case "pgup":
		by, times = -1, page
	case "pgdown":
		times = page
	case "home":
		by, times = -1, len(p.lines)
		p.top = 0
	case "end":
		times = len(p.lines)
		p.top = len(p.lines)
	default:
		return false
	}
	for range times {
		n := p.next(p.at, by)
		if n < 0 {
			p.top += by
			break
		}
		p.at = n
	}
	return true
}

// fit brings selection and window into what there is.
func (p *picker) fit(lines []listLine, height int) {
	p.lines = lines
	if p.at >= len(lines) || p.at < 0 || len(lines) > 0 && !lines[p.at].selectable() {
		if n := p.next(min(p.at, len(lines))-1, 1); n >= 0 {
			p.at = n
		} else {
			p.at = max(0, p.next(len(lines), -1))
		}
	}
	p.top = max(0, min(p.top, len(lines)-height))
	if p.next(p.at, 1) < 0 && p.top > 0 && len(lines)-height <= p.at {
		return // scrolled on to what follows the last
	}
	first := p.at
	if p.next(p.at, -1) < 0 {
		first = 0 // the lines above the first are shown with it
	}
	if first < p.top && p.at-first < height {
		p.top = first
	} else if p.at < p.top {
		p.top = p.at
	}
	p.top = max(p.top, p.at-height+1, 0)
}

// listPane draws a list: exactly height lines of exactly width columns.
func (s *preview) listPane(lines []listLine, width, height int) []string {
	s.pick.fit(lines, height)
	out := make([]string, 0, height)
	for i := s.pick.top; i < len(lines) && len(out) < height; i++ {
		parts := lines[i].parts
		mark := "  "
		if i == s.pick.at && lines[i].selectable() {
			mark = widget.Fit(s.e.Signs.Here, 2)
			var text strings.Builder
			for _, p := range parts {
				text.WriteString(p.text)
			}
			parts = []part{{widget.Fit(mark+text.String(), width), s.e.Styles.Selected}}
		} else {
			parts = append([]part{{mark, s.e.Styles.Text}}, parts...)
		}
		out = append(out, row(width, parts...))
	}
	for len(out) < height {
		out = append(out, strings.Repeat(" ", width))
	}
	return out
}

// keep makes the lines of a list once.
func (s *preview) keep(b body, width int, fill func() []listLine) []listLine {
	k := detailKey{s.e.Printer, s.color(), s.g, s.version, 0, width, b}
	if s.lists.lines == nil || s.lists.of != k {
		s.lists = listCache{of: k, lines: fill()}
	}
	return s.lists.lines
}

// reasons are the skips grouped by reason.
func (s *preview) reasons(width int) []listLine {
	return s.keep(bodyReasons, width, func() []listLine {
		e, st := s.e, s.e.Styles
		list := s.g.Reasons()
		if len(list) == 0 {
			return []listLine{{parts: []part{{e.T("preview.no_skips"), st.Faint}}}}
		}
		var out []listLine
		out = append(out, listLine{parts: []part{{widget.FitLeft(e.T("preview.col.rows"), 5) + "  " + e.T("preview.col.reason"), st.Label}}})
		group, alone := problem.Group(0), 0
		for i, r := range list {
			if r.Group != group {
				group = r.Group
				out = append(out, listLine{parts: []part{{e.Say(review.GroupWord(group)), st.Heading}}})
			}
			if r.Group == problem.LeftAlone {
				alone += r.Rows
			}
			short, l := e.Say(r.Short()), listLine{of: r}
			if r.Why != nil {
				l.reason = i + 1
			} else {
				short, l.out = short+": "+someOf(r), true
			}
			l.parts = []part{{widget.FitLeft(e.Printer.Int(r.Rows), 5) + "  " + short, st.Skip}}
			out = append(out, l)
		}
		if alone > 0 {
			out = append(out, listLine{parts: []part{{"", st.Text}}})
			for _, w := range widget.Wrap(e.T("preview.reasons_hint", "n", alone), max(10, min(width-4, 80))) {
				out = append(out, listLine{parts: []part{{w, st.Faint}}})
			}
		}
		return out
	})
}

func someOf(r review.Reason) string {
	names := make([]string, 0, 3)
	for _, n := range r.Some[:min(3, len(r.Some))] {
		names = append(names, message.Clean(n.UPN))
	}
	if r.Rows > len(names) {
		names = append(names, "..")
	}
	return strings.Join(names, ", ")
}

// namesShown is how many names of a reason are written.
const namesShown = 6

// reasonPane shows which rows the selected reason is about, why, and the remedy.
func (s *preview) reasonPane(width, height int) []string {
	line, ok := s.lists.line(s.pick.at)
	d := detail{e: s.e, width: width}
	if ok && line.selectable() {
		d.reason(line.of)
	}
	if s.pick.at != s.scrolledOf {
		s.scrolledOf, s.scrolled = s.pick.at, 0
	}
	return s.window(d.lines, width, height)
}

func (d *detail) reason(r review.Reason) {
	e, st := d.e, d.e.Styles
	d.text(e.T("preview.head_reason", "short", r.Short(), "n", r.Rows), st.Heading)
	d.blank()
	upn := 0
	for _, n := range r.Some[:min(namesShown, len(r.Some))] {
		upn = max(upn, widget.Width(message.Clean(n.UPN)))
	}
	upn = min(upn, d.room()/2)
	for _, n := range r.Some[:min(namesShown, len(r.Some))] {
		d.add(part{widget.FitMiddle(message.Clean(n.UPN), upn) + "  " + message.Clean(n.Name), st.Text})
	}
	if n := r.Rows - min(namesShown, len(r.Some)); n > 0 {
		d.add(part{e.T("flow.more", "n", n), st.Faint})
	}
	d.blank()
	if r.Why == nil {
		d.text(e.T("preview.left_out_why"), st.Text)
		return
	}
	d.facts(review.Why(r.Why))
}

// summary are the changes by attribute, and the sums.
func (s *preview) summary(width int) []listLine {
	return s.keep(bodySummary, width, func() []listLine {
		out := s.attributeLines()
		read := func(p ...part) { out = append(out, listLine{parts: p}) }
		e, st := s.e, s.e.Styles
		if cleared := s.g.Cleared(); cleared > 0 {
			read()
			for _, l := range widget.Hang("! ", e.T("preview.cleared_hint", "n", cleared), min(width-3, widest)) {
				read(part{l, st.Warn})
			}
		}
		for _, w := range s.g.Plan().Warnings() {
			read()
			said := e.Printer.Problem(w)
			for _, l := range widget.Hang("! ", said.What+" "+said.Remedy, min(width-3, widest)) {
				read(part{l, st.Warn})
			}
		}
		read()
		for _, l := range s.g.Sums() {
			label := "  "
			if !l.Label.IsZero() {
				label = widget.Fit(e.Say(l.Label), 12) + " "
			}
			for i, w := range widget.Hang(label, e.Say(l.Value), min(width-3, widest)) {
				if i == 0 && !l.Label.IsZero() && strings.HasPrefix(w, label) {
					read(part{label, st.Label}, part{w[len(label):], st.Text})
					continue
				}
				read(part{w, st.Text})
			}
		}
		return out
	})
}

func (s *preview) attributeLines() []listLine {
	e, st := s.e, s.e.Styles
	list := s.g.Attributes()
	if len(list) == 0 && len(s.g.Without) == 0 {
		return []listLine{{parts: []part{{e.T("preview.no_values"), st.Faint}}}}
	}
	name := widget.Width(e.T("preview.col.attribute"))
	for _, a := range list {
		name = max(name, widget.Width(e.Say(words.Is(a.Attribute))))
		if a.Like > 0 {
			name = max(name, 2+widget.Width(e.T("preview.like")))
		}
	}
	name = min(name, 30)
	columns := []string{e.T("preview.col.rows"), e.T("preview.col.set"), e.T("preview.col.changed"), e.T("preview.col.cleared")}
	line := func(first string, cells []string, last string) string {
		b := widget.Fit(first, name)
		for i, c := range cells {
			b += " " + widget.FitLeft(c, max(7, widget.Width(columns[i])))
		}
		return b + "   " + last
	}
	out := []listLine{{parts: []part{{line(e.T("preview.col.attribute"), columns, e.T("preview.col.example")), st.Label}}}}
	for _, a := range list {
		cells := []string{e.Printer.Int(a.Rows), e.Printer.Int(a.Set), e.Printer.Int(a.Changed), e.Printer.Int(a.Cleared)}
		style := st.Text
		if a.Cleared > 0 {
			style = st.Warn
		}
		out = append(out, listLine{attribute: a.Attribute, parts: []part{{line(e.Say(words.Is(a.Attribute)), cells, e.Say(a.Example())), style}}})
		if a.Like > 0 {
			out = append(out, listLine{parts: []part{{line("  "+e.T("preview.like"), []string{e.Printer.Int(a.Like), "", e.Printer.Int(a.Like), ""}, ""), st.Faint}}})
		}
	}
	for _, a := range s.g.Without {
		text := widget.Fit(e.Say(words.Is(a)), name) + "   " + e.T("preview.attribute_without")
		out = append(out, listLine{attribute: a, without: true, parts: []part{{text, st.Faint}}})
	}
	return out
}

// filterLines are the filters to choose from, with what each has.
func (s *preview) filterLines(width, height int) []string {
	e, st := s.e, s.e.Styles
	out := []string{row(width, part{" " + e.T("preview.filter.title"), st.Title}), strings.Repeat(" ", width)}
	s.listTop += len(out)
	for i := range len(s.filters()) + 1 {
		f, n := review.Filter("all"), s.g.Part(s.tab).Count
		if s.tab == review.TabSkip || s.tab == review.TabSummary {
			n = s.g.Actions() // the first filter leads to All
		}
		if s.tab == review.TabQuestions {
			n = s.g.Plan().QuestionLen()
		}
		if i > 0 {
			f = s.filters()[i-1]
			n = s.g.Has(s.tab, f)
		}
		mark, style := "  ", st.Text
		if i == s.pick.at {
			mark, style = widget.Fit(e.Signs.Here, 2), st.Selected
		}
		text := " " + mark + strconv.Itoa(i+1) + "  " + widget.FitLeft(e.Printer.Int(n), 7) + "  " + e.Say(review.FilterWord(s.tab, f))
		out = append(out, row(width, part{widget.Fit(text, width), style}))
	}
	if len(out) > height {
		out = out[:max(0, height)]
	}
	for len(out) < height {
		out = append(out, strings.Repeat(" ", width))
	}
	return out
}
