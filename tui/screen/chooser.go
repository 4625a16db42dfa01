package screen

import (
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/hacsync/hacsync/tui/flow"
	"github.com/hacsync/hacsync/tui/widget"
	"github.com/hacsync/hacsync/tui/words"
)

// chooser draws a choice as a table, with what belongs to the selected line below
// it: the domains at home, the runs of a log, the settings. Everything else it
// draws as General does.
type chooser struct {
	*general
	first int // the first line of the table that is shown
}

func newChooser(e *env) *chooser { return &chooser{general: newGeneral(e)} }

// tabled reports whether the question is such a choice now.
func (c *chooser) tabled() bool {
	q := c.v.Ask
	return q.Kind == flow.Choice && len(q.Head) > 0 && len(q.Options) > 0 && c.asking == nil
}

// Update gives the selected line to the commands that are about one.
func (c *chooser) Update(msg tea.Msg) ([]flow.Answer, tea.Cmd, bool) {
	k, ok := msg.(tea.KeyPressMsg)
	if !ok || !c.tabled() {
		return c.general.Update(msg)
	}
	name := keyName(k)
	for _, cmd := range c.v.Commands {
		if cmd.Key != name {
			continue
		}
		a := flow.Answer{Command: cmd.Name}
		if cmd.OfOption {
			a.Text = c.v.Ask.Options[c.at].Key
		}
		return []flow.Answer{a}, nil, true
	}
	return c.general.Update(msg)
}

// keys are those that work now.
func (c *chooser) keys() []hint {
	if !c.tabled() {
		return c.general.keys()
	}
	enter := c.e.T("word.view-details")
	if t := c.v.Ask.Enter; !t.IsZero() {
		enter = c.e.Say(t)
	}
	out := []hint{{"enter", enter}}
	for _, cmd := range c.v.Commands {
		if cmd.Key != "" && cmd.Works(c.v.Ask.Options[c.at].Key) {
			out = append(out, hint{cmd.Key, c.e.Say(cmd.Short)})
		}
	}
	out = append(out, hint{c.e.T("tui.key.updown"), c.e.T("tui.key.select")})
	if c.long > c.room {
		out = append(out, hint{"pgdn", c.e.T("tui.key.scroll")})
	}
	return out
}

// place is the place in a table that is longer than its part of the screen.
func (c *chooser) place() string {
	if n := len(c.v.Ask.Options); c.tabled() && n > 9 {
		return c.e.T("tui.place_of", "at", c.at+1, "n", n)
	}
	return c.general.place()
}

// View draws the screen.
func (c *chooser) View(width, height int) frame {
	body := c.body(width, height)
	f := c.frame(body, c.keys())
	f.place = c.place()
	return f
}

func (c *chooser) body(width, height int) string {
	if !c.tabled() {
		return c.general.body(width, height)
	}
	e := c.e
	c.cursor = false
	top := newPage(e, width)
	top.titleBeside(c.v.Title, c.v.Aside)
	head, cellRows := c.table(top)
	if head != "" {
		top.add(e.Styles.Label, head)
	}
	rows, at := grouped(c.v.Ask.Options, c.at, e.Say)
	// As loosely as there is room for.
	var rest *page
	least := min(len(rows), max(5, height*2/5))
	for how := range 3 {
		if rest = c.rest(width, how == 1, how == 2); len(top.lines)+least+1+len(rest.lines) <= height {
			break
		}
	}
	// The table has what the rest leaves, but never less than a few lines.
	room := max(least, height-len(top.lines)-1-len(rest.lines))
	room = max(1, min(room, len(rows), height-len(top.lines)))
	// The heading of the first one of a part is seen with it.
	above := at
	if above > 0 && rows[above-1].heading != "" {
		above--
	}
	c.first = max(0, min(c.first, above, len(rows)-room))
	if at >= c.first+room {
		c.first = at - room + 1
	}
	lines := top.lines
	c.rows = map[int]int{}
	for _, r := range rows[c.first : c.first+room] {
		if r.heading != "" {
			lines = append(lines, " "+paint(e.Styles.Heading, short(r.heading, top.text())))
			continue
		}
		c.rows[len(lines)] = r.option
		text := cellRows[r.option]
		if r.option == c.at {
			// Marked across the whole table.
			lines = append(lines, " "+paint(e.Styles.Selected, widget.Fit(e.Signs.Here+" "+strings.TrimPrefix(text, "  "), top.text())))
		} else {
			lines = append(lines, " "+paint(e.Styles.Text, text))
		}
	}
	below := len(rows) - c.first - room
	gap := below > 0 && height-len(lines) > 1 || !rest.tight && !rest.packed
	left := height - len(lines)
	if gap {
		left--
	}
	c.long, c.room, c.width = len(rest.lines), max(0, min(left, len(rest.lines))), width
	if c.long > c.room && c.room > 1 {
		c.long++ // the last line says how much more there is
	}
	c.top = max(0, min(c.top, c.long-c.room))
	if below > 0 && gap {
		lines = append(lines, " "+paint(e.Styles.Rule, strings.Repeat(e.Signs.Rule, 2)+" "+e.T("tui.lines_below", "n", below)+" "+strings.Repeat(e.Signs.Rule, 2)))
	} else if gap && c.room > 0 {
		lines = append(lines, "")
	}
	if c.room > 0 {
		more := c.room > 1 && c.long > c.room
		end := c.top + c.room
		if more {
			end--
		}
		lines = append(lines, rest.lines[c.top:end]...)
		if more {
			lines = append(lines, " "+paint(e.Styles.Rule, strings.Repeat(e.Signs.Rule, 2)+" "+c.more()+" "+strings.Repeat(e.Signs.Rule, 2)))
		}
	}
	return strings.Join(lines, "\n")
}

// tableLine is a line of a choice drawn as a table: an option, or the heading of a
// part.
type tableLine struct {
	option  int
	heading string
}

// grouped are the lines of the options with the headings of their parts, and the
// line of the selected one.
func grouped(options []flow.Option, selected int, say func(words.Text) string) (lines []tableLine, at int) {
	for i, o := range options {
		if !o.Group.IsZero() && (i == 0 || options[i-1].Group.ID != o.Group.ID) {
			lines = append(lines, tableLine{heading: say(o.Group)})
		}
		if i == selected {
			at = len(lines)
		}
		lines = append(lines, tableLine{option: i})
	}
	return lines, at
}

// rest is what stands below the table: what belongs to the selected line, then
// what is about all of them.
func (c *chooser) rest(width int, packed, tight bool) *page {
	p := newPage(c.e, width)
	p.packed, p.tight = packed, tight
	p.lines = append(p.lines, refusal(c.e, c.v, width, tight)...)
	p.pieces(c.v.Ask.Options[c.at].Detail)
	p.pieces(slices.DeleteFunc(slices.Clone(c.v.Blocks), isTrouble))
	return p
}

// table is the head and the lines of the options.
func (c *chooser) table(p *page) (head string, lines []string) {
	q := c.v.Ask
	g := widget.Grid{Right: q.Right, Firm: 1}
	for _, r := range append([][]words.Text{q.Head}, cells(q.Options, p.width >= beside)...) {
		row := make([]string, len(r))
		for i, t := range r {
			row[i] = c.e.Say(t)
		}
		g.Rows = append(g.Rows, row)
	}
	for i, l := range g.Lines(p.text()) {
		switch {
		case i == 0:
			head = strings.Join(l, "")
		default:
			lines = append(lines, strings.Join(l, " "))
		}
	}
	return head, lines
}

func cells(options []flow.Option, wide bool) [][]words.Text {
	out := make([][]words.Text, len(options))
	for i, o := range options {
		if out[i] = o.Cells; wide && o.Wide != nil {
			out[i] = o.Wide
		}
	}
	return out
}
