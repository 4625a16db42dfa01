package screen

import (
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/hacsync/hacsync/sync/message"
	"github.com/hacsync/hacsync/tui/flow"
	"github.com/hacsync/hacsync/tui/widget"
	"github.com/hacsync/hacsync/tui/words"
)

// grant shows a script, and beside it what of it is seen in the tenant and the next
// steps; in a narrow window the key v shows the script. The granting administrator's
// sign-in is drawn as at the first step.
type grant struct {
	*signIn
	read bool // the script is being read in place of the list
	at   int  // its first line in sight
	page int  // how many are
}

func newGrant(e *env) *grant { return &grant{signIn: newSignIn(e)} }

// script is the script that the view has, if any.
func (g *grant) script() []string {
	for _, b := range g.v.Blocks {
		if s, ok := b.(words.Script); ok {
			return s.Lines
		}
	}
	return nil
}

// Sync takes what the flow shows.
func (g *grant) Sync(v flow.View) {
	was := len(g.script())
	g.signIn.Sync(v)
	if n := len(g.script()); n != was {
		g.at, g.read = 0, false
	}
}

// least is the text width from which script and list fit next to each other, and right
// is the width of the list.
const (
	leastGrant = 98
	rightGrant = 46
)

// split is where the list begins.
func (g *grant) split(width int) int {
	switch {
	case g.script() == nil:
		return g.signIn.split(width)
	case width < leastGrant+2:
		return -1
	case width > 160:
		return width - 60
	}
	return width - rightGrant
}

// Update takes what the person does.
func (g *grant) Update(msg tea.Msg) ([]flow.Answer, tea.Cmd, bool) {
	lines := g.script()
	if lines == nil {
		return g.signIn.Update(msg)
	}
	switch m := msg.(type) {
	case tea.MouseWheelMsg:
		switch m.Button {
		case tea.MouseWheelUp:
			g.roll(-3)
		case tea.MouseWheelDown:
			g.roll(3)
		}
		return nil, nil, true
	case tea.KeyPressMsg:
		if done, cmd := g.scriptKey(keyName(m)); done {
			return nil, cmd, true
		}
	}
	return g.general.Update(msg)
}

// scriptKey is a key that moves in the script or copies it.
func (g *grant) scriptKey(name string) (done bool, cmd tea.Cmd) {
	lines := g.script()
	switch name {
	case "c":
		text := strings.Join(lines, "\n") + "\n"
		return true, toClipboard(text, words.T("tui.copied_script", "n", len(lines)))
	case "v":
		g.read = !g.read
	case "pgup", "ctrl+pgup":
		g.roll(-max(1, g.page-1))
	case "pgdown", "ctrl+pgdown":
		g.roll(max(1, g.page-1))
	case "shift+up":
		g.roll(-1)
	case "shift+down":
		g.roll(1)
	default:
		if !g.read {
			return false, nil
		}
		switch name {
		case "esc":
			g.read = false
		case "up", "k":
			g.roll(-1)
		case "down", "j":
			g.roll(1)
		case "home":
			g.at = 0
		case "end":
			g.roll(len(lines))
		case "enter":
			g.read = false
		default:
			return false, nil
		}
	}
	return true, nil
}

func (g *grant) roll(by int) { g.at = max(0, min(g.at+by, len(g.script())-g.page)) }

// keys are those that work now.
func (g *grant) keys() []hint {
	if g.script() == nil {
		return g.signIn.keys()
	}
	e := g.e
	var out []hint
	switch n := len(g.v.Ask.Options); {
	case g.read:
	case n > 1:
		out = append(out, hint{"enter", e.T("tui.key.choose")})
	case n == 1:
		out = append(out, hint{"enter", e.T("tui.key.go_on")})
	}
	out = append(out, hint{"c", e.T("tui.key.copy_script")})
	for _, c := range g.v.Commands {
		switch {
		case c.Name == "whole" && g.read:
			out = append(out, hint{"v", e.T("tui.key.list")})
		case c.Name == "whole":
			out = append(out, hint{"v", e.T("tui.command.whole")})
		default:
			out = append(out, hint{c.Key, g.e.Say(c.Short)})
		}
	}
	return append(out, hint{"pgdn", e.T("tui.key.scroll")})
}

// place says how much of the script is in sight.
func (g *grant) place() string {
	n := len(g.script())
	if n == 0 || g.page == 0 || g.page >= n {
		return ""
	}
	return g.e.T("tui.place", "from", g.at+1, "to", min(n, g.at+g.page), "n", n)
}

// View draws the screen.
func (g *grant) View(width, height int) frame {
	body := g.body(width, height)
	f := g.frame(body, g.keys())
	f.split, f.place = g.split(width), g.place()
	return f
}

func (g *grant) body(width, height int) string {
	lines := g.script()
	if lines == nil {
		g.page, g.brief = 0, false
		return g.signIn.body(width, height)
	}
	split := g.split(width)
	if g.read || split < 0 {
		if g.read {
			g.cursor, g.page = false, height
			return strings.Join(g.drawScript(lines, width, height), "\n")
		}
		g.page = 0
		return g.list(width, height)
	}
	g.page = height
	left := g.drawScript(lines, split, height)
	right := strings.Split(g.list(width-split-1, height), "\n")
	g.cursorX += split + 1
	wall := paint(g.e.Styles.Rule, g.e.Signs.Wall)
	out := make([]string, height)
	for i := range out {
		l, r := "", ""
		if i < len(left) {
			l = left[i]
		}
		if i < len(right) {
			r = right[i]
		}
		out[i] = l + strings.Repeat(" ", max(0, split-widget.Width(l))) + wall + r
	}
	return strings.Join(out, "\n")
}

// list is what is seen in the tenant and the ways on, without the script.
func (g *grant) list(width, height int) string {
	g.pinned = nil
	blocks := make([]words.Piece, 0, len(g.v.Blocks))
	for _, b := range g.v.Blocks {
		if _, ok := b.(words.Script); !ok {
			blocks = append(blocks, b)
		}
	}
	above := g.pieces(width, blocks).lines
	g.brief = false
	if question, _ := g.question(width); len(above)+1+len(question) > height {
		g.brief = true
	}
	return g.arrange(above, width, height)
}

// drawScript is the part of the script in sight. Lines are cut, not wrapped: the
// script can be copied whole.
func (g *grant) drawScript(lines []string, width, height int) []string {
	g.roll(0)
	out := make([]string, 0, height)
	for _, l := range lines[g.at:min(len(lines), g.at+height)] {
		l = message.Clean(strings.ReplaceAll(l, "\t", "    "))
		style := g.e.Styles.Text
		if strings.HasPrefix(strings.TrimSpace(l), "#") {
			style = g.e.Styles.Faint
		}
		if widget.Width(l) > width-2 {
			l = widget.Fit(l, width-2)
		}
		out = append(out, " "+paint(style, l))
	}
	return out
}
