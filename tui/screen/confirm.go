package screen

import (
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/hacsync/hacsync/tui/flow"
	"github.com/hacsync/hacsync/tui/widget"
	"github.com/hacsync/hacsync/tui/words"
)

// confirm shows what will be written and asks for approver, note and the number
// of deletions: three questions of the flow as three fields. It is the only
// screen where enter leads to writing.
type confirm struct {
	*general
	// by and note are what was answered, shown while another field is asked for.
	by, note string
}

func newConfirm(e *env) *confirm {
	c := &confirm{general: newGeneral(e)}
	c.ask = c.fields
	return c
}

// Sync takes what the flow shows.
func (c *confirm) Sync(v flow.View) {
	came := c.v.Step != v.Step || c.v.Ask.Text.ID != v.Ask.Text.ID
	c.general.Sync(v)
	if came && c.here() == 0 {
		c.by = v.Ask.Preset
	}
}

// here is which of the three fields is asked for.
func (c *confirm) here() int {
	switch c.v.Ask.Text.ID {
	case "flow.confirm.by":
		return 0
	case "flow.confirm.note":
		return 1
	}
	return 2
}

// Update takes what the person does: tab goes on to the next field, shift+tab to
// the one before.
func (c *confirm) Update(msg tea.Msg) ([]flow.Answer, tea.Cmd, bool) {
	if k, ok := msg.(tea.KeyPressMsg); ok {
		name := keyName(k)
		for _, x := range c.v.Commands { // none has a letter: those belong to the fields
			if x.Key == name {
				c.keep()
				return []flow.Answer{{Command: x.Name}}, nil, true
			}
		}
		switch {
		case name == "shift+tab" || name == "up":
			if c.here() == 0 {
				return nil, nil, true
			}
			c.keep()
			return []flow.Answer{{Command: flow.CmdBack}}, nil, true
		case name == "tab" || name == "down":
			if c.here() == 2 {
				return nil, nil, true // only enter starts a sync
			}
			c.keep()
			return []flow.Answer{{Text: c.field.Value()}}, nil, true
		case name == "enter":
			c.keep()
		}
	}
	return c.general.Update(msg)
}

func (c *confirm) keep() {
	switch c.here() {
	case 0:
		c.by = c.field.Value()
	case 1:
		c.note = c.field.Value()
	}
}

// keys are those that work now.
func (c *confirm) keys() []hint {
	keys := []hint{{"enter", c.e.T("tui.key.next_field")}, {"tab", c.e.T("tui.key.next_field")}}
	if c.here() == 2 {
		keys = []hint{{"enter", c.e.T("word.sync-now")}, {"shift+tab", c.e.T("tui.key.field_before")}}
	}
	for _, x := range c.v.Commands {
		keys = append(keys, hint{x.Key, c.e.Say(x.Short)})
	}
	return keys
}

// View draws the screen.
func (c *confirm) View(width, height int) frame {
	body := c.body(width, height)
	return c.frame(body, c.keys())
}

// body draws the body. What will be written is always in sight: where there is
// little room, long values are shortened and explanations left away.
func (c *confirm) body(width, height int) string {
	c.pinned = nil
	question, _ := c.question(width)
	p := c.pieces(width, c.v.Blocks)
	for _, spelled := range []bool{true, false} {
		if len(p.lines)+1+len(question) > height {
			p = c.tight(width, spelled)
		}
	}
	return c.arrange(p.lines, width, height)
}

// tight is what will be written in as few lines as can be, with what it means in
// words where there is room for that.
func (c *confirm) tight(width int, spelled bool) *page {
	p := newPage(c.e, width)
	p.title(c.v.Title)
	for _, b := range c.v.Blocks {
		switch b := b.(type) {
		case words.Facts:
			var pairs []string
			for _, f := range b {
				value, room := c.e.Say(f.Value), max(8, p.text()-14)
				if f.Label.ID == "word.tenant" {
					value = widget.FitMiddle(value, room) // its end says whether it is real
				}
				pairs = append(pairs, "  "+c.e.Say(f.Label), strings.TrimRight(widget.Fit(value, room), " "))
			}
			p.wide(pairs...)
		case words.Table:
			b.Head, b.Wrap = make([]words.Text, len(b.Head)), false
			p.table(b)
		case words.Checks:
			for _, x := range b {
				p.wrapped(x.Mark.String()+" ", p.mark(x.Mark), c.e.Say(x.Text), c.e.Styles.Text)
			}
		case words.Trouble:
			p.piece(b)
		case words.Para:
			if spelled {
				p.piece(b)
			}
		case words.Heading, words.CodeCard, words.Script:
		}
	}
	return p
}

// fields draws the three fields; the cursor is in the one that is asked for.
func (c *confirm) fields(p *page) (selected int) {
	e, here := c.e, c.here()
	labels := [...]string{e.T("flow.confirm.by"), e.T("tui.confirm.note_short")}
	values := [...]string{c.by, c.note}
	// Beside each other where there is room for a whole address.
	stacked := p.width < beside
	room := p.text() - widget.Width(labels[0]) - widget.Width(labels[1]) - 17
	widths := [...]int{max(10, min(36, room*3/5)), max(8, min(36, room*2/5))}
	if stacked {
		label := max(widget.Width(labels[0]), widget.Width(labels[1]))
		for i, l := range labels {
			labels[i], widths[i] = widget.Fit(l, label), max(10, min(44, p.text()-label-9))
		}
	}
	line, x := "  ", 1
	for i, l := range labels {
		style := e.Styles.Label
		text := widget.Fit(values[i], widths[i])
		if i == here {
			var at int
			style = e.Styles.Title
			text, at = c.field.View(widths[i])
			c.cursorX, c.cursorY, c.cursor = x+widget.Width(line)+widget.Width(l)+4+at, len(p.lines), true
		}
		line += paint(style, l) + "  [ " + paint(e.Styles.Field, text) + " ]"
		switch {
		case stacked || i == len(labels)-1:
			p.raw(line)
			line = "  "
		default:
			line += "   "
		}
	}
	p.blank()
	if here < 2 {
		p.add(e.Styles.Faint, "  "+e.T("tui.confirm.then"))
		return 0
	}
	asked := widget.Hang("  ", e.Say(c.v.Ask.Text), p.text())
	last := ""
	if l := asked[len(asked)-1]; widget.Width(l)+16 <= p.text() {
		last, asked = l, asked[:len(asked)-1]
	}
	p.add(e.Styles.Title, asked...)
	text, at := c.field.View(8)
	p.raw(paint(e.Styles.Title, last) + "  [ " + paint(e.Styles.Field, text) + " ]")
	c.cursorX, c.cursorY, c.cursor = 1+widget.Width(last)+4+at, len(p.lines)-1, true
	return len(p.lines) - 1
}
