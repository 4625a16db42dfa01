package screen

import (
	"image/color"
	"slices"
	"strings"

	"charm.land/lipgloss/v2"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/message"
	"github.com/hacsync/hacsync/tui/review"
	"github.com/hacsync/hacsync/tui/widget"
	"github.com/hacsync/hacsync/tui/words"
)

// detailCache keeps the lines of the row in detail.
type detailCache struct {
	of    detailKey
	lines []string
}

type detailKey struct {
	printer *message.Printer
	color   color.Color
	plan    *review.Review
	version int
	row     int
	width   int
	body    body
}

// detailPane is the detail of a row: exactly height lines, scrolled.
func (s *preview) detailPane(i, width, height int) []string {
	k := detailKey{s.e.Printer, s.color(), s.g, s.version, i, width, s.body()}
	if s.detail.lines == nil || s.detail.of != k {
		d := detail{e: s.e, width: width, compact: s.width < previewBeside && s.body() == bodyTable}
		if i >= 0 {
			d.pieces(s.g.Detail(i))
		}
		if d.lines == nil {
			d.lines = []string{}
		}
		s.detail = detailCache{of: k, lines: d.lines}
	}
	if i != s.scrolledOf {
		s.scrolledOf, s.scrolled = i, 0
	}
	return s.window(s.detail.lines, width, height)
}

// window is the part of the detail's lines that is scrolled to; where more
// follows, its last line says so.
func (s *preview) window(lines []string, width, height int) []string {
	height = max(0, height)
	s.scrolled = max(0, min(s.scrolled, len(lines)-height))
	out := make([]string, 0, height)
	out = append(out, lines[min(s.scrolled, len(lines)):min(len(lines), s.scrolled+height)]...)
	if more := len(lines) - s.scrolled - height; more > 0 && height > 1 {
		out[height-1] = row(width, part{" " + s.e.T("preview.more_lines", "n", more+1), s.e.Styles.Faint})
	}
	for len(out) < height {
		out = append(out, strings.Repeat(" ", width))
	}
	return out
}

// detail collects lines of exactly width columns, with a column free at both
// ends.
type detail struct {
	e     *env
	width int
	lines []string
	// compact leaves out what separates and repeats: below the table there are
	// few lines.
	compact bool
}

func (d *detail) room() int { return max(4, min(d.width-2, widest)) }

func (d *detail) add(parts ...part) {
	d.lines = append(d.lines, row(d.width, append([]part{{" ", d.e.Styles.Text}}, parts...)...))
}

func (d *detail) blank() {
	if len(d.lines) > 0 && !d.compact {
		d.add()
	}
}

func (d *detail) text(s string, style lipgloss.Style) {
	for _, l := range widget.Wrap(s, d.room()) {
		d.add(part{l, style})
	}
}

// hang is a label with a text at its right, indented on each line.
func (d *detail) hang(label string, labelStyle lipgloss.Style, s string, style lipgloss.Style) {
	for i, l := range widget.Hang(label, s, d.room()) {
		if i == 0 && strings.HasPrefix(l, label) {
			d.add(append([]part{{label, labelStyle}}, d.marked(l[len(label):], style)...)...)
			continue
		}
		d.add(part{l, style})
	}
}

// marked is a value with what is in its brackets in the style of a match.
func (d *detail) marked(s string, style lipgloss.Style) []part {
	from, to := strings.IndexByte(s, '['), strings.LastIndexByte(s, ']')
	if from < 0 || to < from {
		return []part{{s, style}}
	}
	return []part{{s[:from], style}, {s[from : to+1], d.e.Styles.Match.Inherit(style)}, {s[to+1:], style}}
}

func (d *detail) pieces(list []words.Piece) {
	st := d.e.Styles
	if d.compact {
		list = d.fewer(list)
	}
	after := 0 // what came before: 1 heading or plain line, 2 anything else
	for _, p := range list {
		switch p := p.(type) {
		case words.Heading:
			d.text(d.e.Say(p.Text), st.Heading)
			after = 1
			continue
		case words.Para:
			if after == 2 || p.Text.ID != "" {
				d.blank()
			}
			d.text(d.e.Say(p.Text), st.Text)
			if p.Text.ID == "" {
				after = 1
				continue
			}
		case words.Changes:
			d.blank()
			d.changes(p)
		case words.Facts:
			d.blank()
			d.facts(p)
		case words.Checks:
			d.blank()
			for _, c := range p {
				d.hang("! ", st.Warn, d.e.Say(c.Text), st.Text)
				for _, x := range c.Detail {
					for _, l := range widget.Hang("  ", d.e.Say(x), d.room()) {
						d.add(part{l, st.Faint})
					}
				}
			}
		case words.Trouble:
			w := d.e.Printer.Problem(p.Err)
			d.blank()
			d.text(w.What, st.Bad)
			d.text(w.Remedy, st.Text)
		default:
			continue
		}
		after = 2
	}
}

// fewer puts UPN and name on one line, and leaves them out where the changes
// have the UPN.
func (d *detail) fewer(list []words.Piece) []words.Piece {
	var out []words.Piece
	var names []string
	upn := false
	for _, p := range list {
		if c, ok := p.(words.Changes); ok {
			upn = upn || slices.ContainsFunc(c, func(l words.ChangeLine) bool { return l.Attribute == directory.UserPrincipalName })
		}
		if para, ok := p.(words.Para); ok && para.Text.ID == "" {
			names = append(names, d.e.Say(para.Text))
			continue
		}
		out = append(out, p)
	}
	if upn || len(names) == 0 || len(out) == 0 {
		return out
	}
	return slices.Insert(out, 1, words.Piece(words.Para{Text: words.Raw(strings.Join(names, "   "))}))
}

func (d *detail) facts(f words.Facts) {
	label := 0
	for _, x := range f {
		label = max(label, widget.Width(d.e.Say(x.Label)))
	}
	label = min(label, d.room()/3)
	if d.compact && len(f) > 2 && f[0].Label.ID == "preview.why" {
		// First what is against it.
		f = append(append(words.Facts{}, f[1:]...), f[0])
	}
	for _, x := range f {
		name, style := d.e.Say(x.Label), d.e.Styles.Label
		if strings.HasPrefix(name, "!") {
			style = d.e.Styles.Warn
		}
		d.hang(widget.Fit(name, label)+"  ", style, d.e.Say(x.Value), d.e.Styles.Text)
	}
}

// oneLine is the width from which a change has a line or two of its own, with
// the attribute before it.
const oneLine = 70

func (d *detail) changes(list words.Changes) {
	st := d.e.Styles
	name := 0
	for _, c := range list {
		name = max(name, widget.Width(d.e.Say(words.Is(c.Attribute))))
	}
	name = min(name, d.room()/2)
	label := max(widget.Width(d.e.T("preview.old")), widget.Width(d.e.T("preview.now")))
	for _, c := range list {
		attribute, old, now := d.e.Say(words.Is(c.Attribute)), d.e.Say(c.Old), d.e.Say(c.New)
		flag := ""
		if c.SignIn && !c.Added {
			flag = d.e.T("preview.affects")
		}
		switch {
		case c.Added:
			d.hang(widget.Fit(attribute, name)+"  ", st.Label, now, st.Text)
		case d.room() >= oneLine:
			d.wide(attribute, name, old, now, flag)
		default:
			gap := max(2, min(d.room(), 40)-widget.Width(attribute)-widget.Width(flag))
			if flag == "" {
				gap = 0
			}
			d.add(part{attribute, st.Label}, part{strings.Repeat(" ", gap), st.Text}, part{flag, st.Warn})
			d.hang("  "+widget.Fit(d.e.T("preview.old"), label)+"  ", st.Label, old, st.Text)
			d.hang("  "+widget.Fit(d.e.T("preview.now"), label)+"  ", st.Label, now, st.Text)
		}
	}
}

// wide is a change in one line, or in two if both values do not fit next to each other.
func (d *detail) wide(attribute string, name int, old, now, flag string) {
	st := d.e.Styles
	first := part{widget.Fit(attribute, name) + "  ", st.Label}
	tail := ""
	if flag != "" {
		tail = "   " + flag
	}
	if name+2+widget.Width(old)+4+widget.Width(now)+widget.Width(tail) <= d.room() {
		parts := append([]part{first}, d.marked(old, st.Text)...)
		parts = append(append(parts, part{" -> ", st.Label}), d.marked(now, st.Text)...)
		d.add(append(parts, part{tail, st.Warn})...)
		return
	}
	if name+2+widget.Width(old)+widget.Width(tail) <= d.room() {
		d.add(append(append([]part{first}, d.marked(old, st.Text)...), part{tail, st.Warn})...)
	} else {
		d.hang(first.text, first.style, old, st.Text)
	}
	d.hang(strings.Repeat(" ", max(0, name-1))+"-> ", st.Label, now, st.Text)
}
