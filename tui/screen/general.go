package screen

import (
	"slices"
	"strconv"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
	"golang.org/x/text/unicode/norm"

	"github.com/hacsync/hacsync/sync/secret"
	"github.com/hacsync/hacsync/tui/flow"
	"github.com/hacsync/hacsync/tui/widget"
	"github.com/hacsync/hacsync/tui/words"
)

// general draws any view of the flow: its pieces, which scroll where they are
// longer than the body, and below them the question with its choices or its
// field. Steps of their own begin from it.
type general struct {
	e *env
	v flow.View

	stands string // which question stands
	at     int    // the selected option
	typed  string // digits of an option's number, where there are more than nine
	field  widget.Input
	// asking is a command that waits for its argument.
	asking *flow.Command
	// ask draws the question in place of the usual way, below what stands under it.
	ask   func(p *page) (selected int)
	below func(p *page)
	// brief: only the selected option says what it means.
	brief bool
	// pinned are the refusal and the last words of the pieces, which belong to the
	// question. short: there is no room for more than what the selected option means.
	pinned []string
	short  bool
	saidNo string // the refusal that was shown last

	until time.Time     // when the present wait ends
	whole time.Duration // and how long it was at first
	top   int           // the first line shown of the pieces
	// What the last View laid out.
	long, room, width int
	rows              map[int]int // line of the body to option
	cursorX, cursorY  int
	cursor            bool
}

// newGeneral makes the screen of any step.
func newGeneral(e *env) *general { return &general{e: e} }

// Sync takes what the flow shows. The place is kept while the same question
// stands.
func (g *general) Sync(v flow.View) {
	stands := signature(v)
	g.v = v
	if !v.Ask.Until.Equal(g.until) {
		g.until, g.whole = v.Ask.Until, v.Ask.Until.Sub(g.e.Now())
	}
	if stands != g.stands {
		g.stands, g.top, g.typed, g.asking = stands, 0, "", nil
		g.at = 0
		for i, o := range v.Ask.Options {
			if o.Key == v.Ask.Preset {
				g.at = i
			}
		}
		g.field.Set("")
		if len(v.Ask.Options) == 0 {
			g.field.Set(v.Ask.Preset)
		}
	}
	g.at = max(0, min(g.at, len(v.Ask.Options)-1))
	if said := plainText(refusal(g.e, v, 100, false)); said != g.saidNo {
		g.saidNo, g.top = said, 0
	}
}

// signature tells questions apart.
func signature(v flow.View) string {
	var b strings.Builder
	b.WriteString(v.Step.String() + "\x00" + v.Title.ID + "\x00" + v.Ask.Text.ID + "\x00" + strconv.Itoa(int(v.Ask.Kind)))
	for _, o := range v.Ask.Options {
		b.WriteString("\x00" + o.Key)
	}
	return b.String()
}

// typing reports whether letters go into a field.
func (g *general) typing() bool {
	if g.asking != nil {
		return true
	}
	switch g.v.Ask.Kind {
	case flow.Line, flow.Path, flow.Typed, flow.Secret:
		return true
	case flow.None, flow.Choice, flow.Number, flow.List, flow.Wait:
	}
	return false
}

// hasField reports whether there is a field at all: a number's takes digits only.
func (g *general) hasField() bool {
	return g.typing() || g.v.Ask.Kind == flow.Number || g.v.Ask.Kind == flow.List
}

// keyName is a key as it is compared: after NFKC, so that ｄ, ？ and １ from a
// Japanese input method work; capitals stay apart.
func keyName(k tea.KeyPressMsg) string {
	if k.Text == "" || k.Mod&(tea.ModCtrl|tea.ModAlt) != 0 {
		return k.String()
	}
	if s := norm.NFKC.String(k.Text); s != " " {
		return s
	}
	return "space"
}

// Update takes what the person does.
func (g *general) Update(msg tea.Msg) ([]flow.Answer, tea.Cmd, bool) {
	switch m := msg.(type) {
	case tea.KeyPressMsg:
		return g.key(m)
	case tea.PasteMsg:
		if g.hasField() {
			g.field.Insert(m.Content)
			return nil, nil, true
		}
	case tea.MouseWheelMsg:
		switch m.Button {
		case tea.MouseWheelUp:
			g.scroll(-3)
		case tea.MouseWheelDown:
			g.scroll(3)
		}
		return nil, nil, true
	case tea.MouseClickMsg:
		if i, ok := g.rows[m.Y]; ok && m.Button == tea.MouseLeft {
			if i == g.at {
				return g.choose(i)
			}
			g.at = i
		}
		return nil, nil, true
	}
	return nil, nil, false
}

func (g *general) choose(i int) ([]flow.Answer, tea.Cmd, bool) {
	return []flow.Answer{{Text: g.v.Ask.Options[i].Key}}, nil, true
}

func (g *general) key(k tea.KeyPressMsg) ([]flow.Answer, tea.Cmd, bool) {
	name := keyName(k)
	switch name {
	case "pgup", "ctrl+pgup":
		g.scroll(-max(1, g.room-1))
		return nil, nil, true
	case "pgdown", "ctrl+pgdown":
		g.scroll(max(1, g.room-1))
		return nil, nil, true
	case "shift+up":
		g.scroll(-1)
		return nil, nil, true
	case "shift+down":
		g.scroll(1)
		return nil, nil, true
	}
	if g.typing() {
		return g.letters(k, name)
	}
	if g.hasField() {
		if a, ok := g.digits(k, name); ok {
			return a, nil, true
		}
	}
	if a, cmd, ok := g.options(name); ok {
		return a, cmd, true
	}
	for i, c := range g.v.Commands {
		if c.Key != name && (c.Key != " " || name != "space") {
			continue
		}
		if c.OfOption && g.at < len(g.v.Ask.Options) {
			return []flow.Answer{{Command: c.Name, Text: g.v.Ask.Options[g.at].Key}}, nil, true
		}
		if !c.Arg.IsZero() {
			g.asking = &g.v.Commands[i]
			g.field.Set("")
			return nil, nil, true
		}
		return []flow.Answer{{Command: c.Name}}, nil, true
	}
	if name == "c" {
		if text := g.copyable(); text != "" {
			return nil, toClipboard(text, words.T("tui.copied")), true
		}
	}
	if len(g.v.Ask.Options) == 0 {
		switch name {
		case "up", "k":
			g.scroll(-1)
			return nil, nil, true
		case "down", "j":
			g.scroll(1)
			return nil, nil, true
		case "home":
			g.top = 0
			return nil, nil, true
		case "end":
			g.scroll(g.long)
			return nil, nil, true
		}
	}
	return nil, nil, false
}

// letters is a key where a field takes letters.
func (g *general) letters(k tea.KeyPressMsg, name string) ([]flow.Answer, tea.Cmd, bool) {
	switch name {
	case "enter":
		a := flow.Answer{Text: g.field.Value()}
		switch c := g.asking; {
		case c != nil:
			a.Command, g.asking = c.Name, nil
			g.field.Set("")
		case g.v.Ask.Kind == flow.Secret:
			a = flow.Answer{Secret: secret.NewText(a.Text)}
			g.field.Set("")
		}
		return []flow.Answer{a}, nil, true
	case "esc":
		if g.asking != nil {
			g.asking = nil
			g.field.Set("")
			return nil, nil, true
		}
		return nil, nil, false
	}
	return nil, nil, g.field.Key(k)
}

// digits is a key where a field takes a number: letters stay commands.
func (g *general) digits(k tea.KeyPressMsg, name string) ([]flow.Answer, bool) {
	if name == "enter" {
		a := flow.Answer{Text: g.field.Value()}
		if g.v.Ask.Kind == flow.List {
			g.field.Set("")
		}
		return []flow.Answer{a}, true
	}
	if k.Text != "" && strings.Trim(name, "0123456789,.%") != "" {
		return nil, false
	}
	if g.v.Ask.Kind == flow.List && k.Text == "" && g.field.Value() == "" {
		return nil, false
	}
	return nil, g.field.Key(k)
}

// options is a key among choices.
func (g *general) options(name string) ([]flow.Answer, tea.Cmd, bool) {
	n := len(g.v.Ask.Options)
	if n == 0 {
		return nil, nil, false
	}
	if len(name) == 1 && name >= "0" && name <= "9" {
		return g.numbered(name)
	}
	g.typed = ""
	switch name {
	case "up", "k", "shift+tab":
		g.at = (g.at + n - 1) % n
	case "down", "j", "tab":
		g.at = (g.at + 1) % n
	case "home":
		g.at = 0
	case "end":
		g.at = n - 1
	case "enter":
		return g.choose(g.at)
	default:
		return nil, nil, false
	}
	return nil, nil, true
}

// numbered takes a choice by its number; where there are more than nine, the
// digits select and enter opens.
func (g *general) numbered(digit string) ([]flow.Answer, tea.Cmd, bool) {
	n := len(g.v.Ask.Options)
	i, _ := strconv.Atoi(g.typed + digit)
	if i > n {
		g.typed = ""
		i, _ = strconv.Atoi(digit)
	}
	if i < 1 || i > n {
		return nil, nil, true
	}
	g.at = i - 1
	if n <= 9 {
		return g.choose(g.at)
	}
	g.typed = strconv.Itoa(i)
	return nil, nil, true
}

func (g *general) scroll(by int) { g.top = max(0, min(g.top+by, g.long-g.room)) }

// copyable is what c copies: an error with its facts, or a whole script.
func (g *general) copyable() string {
	p := newPage(g.e, 100)
	for _, b := range append(g.v.Blocks[:len(g.v.Blocks):len(g.v.Blocks)], g.v.After...) {
		switch b := b.(type) {
		case words.Script:
			return strings.Join(b.Lines, "\n") + "\n"
		case words.PageCard:
			return b.Page.URL
		case words.Trouble, words.Facts, words.CodeCard:
			p.piece(b)
		case words.Para:
			if len(p.lines) > 0 {
				p.piece(b)
			}
		case words.Heading, words.Checks, words.Table:
		}
	}
	return plainText(p.lines)
}

// keys are those that work now.
func (g *general) keys() []hint {
	e, q := g.e, g.v.Ask
	var out []hint
	n := len(q.Options)
	switch {
	case g.typing(), q.Kind == flow.Number:
		out = append(out, hint{"enter", e.T("tui.key.go_on")})
	case q.Kind == flow.List:
		out = append(out, hint{"enter", e.T("tui.key.next_page")})
	case n > 1:
		out = append(out, hint{"enter", e.T("tui.key.choose")}, hint{"1-" + strconv.Itoa(min(n, 9)), e.T("tui.key.choose")})
	case n == 1:
		out = append(out, hint{"enter", e.T("tui.key.go_on")})
	}
	if g.asking != nil {
		return out
	}
	if flow.TakesCommands(q.Kind) {
		for _, c := range g.v.Commands {
			if c.Key != "" && c.On != flow.InLines {
				out = append(out, hint{c.Key, g.e.Say(c.Short)})
			}
		}
		if g.copyable() != "" && !g.taken("c") {
			out = append(out, hint{"c", e.T("tui.key.copy")})
		}
	}
	if g.long > g.room {
		out = append(out, hint{"pgdn", e.T("tui.key.scroll")})
	}
	return out
}

func (g *general) taken(key string) bool {
	for _, c := range g.v.Commands {
		if c.Key == key {
			return true
		}
	}
	return false
}

// place says how much of a long page is shown.
func (g *general) place() string {
	if g.long <= g.room {
		return ""
	}
	return g.e.T("tui.place", "from", g.top+1, "to", min(g.long, g.top+g.room), "n", g.long)
}

// View draws the screen.
func (g *general) View(width, height int) frame {
	body := g.body(width, height)
	return g.frame(body, g.keys())
}

// frame is what is around a body that was just drawn.
func (g *general) frame(body string, keys []hint) frame {
	f := frame{body: body, split: noSplit, keys: keys, place: g.place(), typing: g.typing()}
	if g.cursor {
		f.cursor = &tea.Position{X: g.cursorX, Y: g.cursorY}
	}
	return f
}

func (g *general) body(width, height int) string {
	g.pinned, g.short = nil, false
	p := g.pieces(width, append(g.v.Blocks[:len(g.v.Blocks):len(g.v.Blocks)], g.v.Refused...))
	question, _ := g.question(width)
	if len(g.v.After) > 0 {
		after := newPage(g.e, width)
		after.pieces(g.v.After)
		if len(p.lines)+1+len(question)+1+len(after.lines) <= height {
			body := g.arrange(p.lines, width, height)
			return body + "\n\n" + strings.Join(after.lines, "\n")
		}
		p.blank()
		p.pieces(g.v.After)
		return g.arrange(p.lines, width, height)
	}
	if len(p.lines)+1+len(question) > height {
		p = g.pin(width, height, len(question))
	}
	return g.arrange(p.lines, width, height)
}

// pin keeps with the question what belongs to it where the rest scrolls: the
// refusal first, then the last words. It gives the rest.
func (g *general) pin(width, height, question int) *page {
	if least := question + 2 + min(3, height/5); least > height && len(g.v.Ask.Options) > 1 {
		g.short = true
		lines, _ := g.question(width)
		question = len(lines)
	}
	rest := slices.DeleteFunc(slices.Clone(g.v.Blocks), isTrouble)
	room := height - question - 1 - min(3, height/5) // a few lines of the rest are seen
	for _, brief := range []bool{false, true} {
		if g.pinned = refusal(g.e, g.v, width, brief); len(g.pinned)+1 <= room {
			break
		}
	}
	g.pinned = g.pinned[:min(len(g.pinned), max(2, room))]
	room -= len(g.pinned)
	for _, checks := range []bool{true, false} {
		n := lastWords(rest, checks)
		last := newPage(g.e, width)
		last.pieces(rest[n:])
		if n > 0 && len(last.lines) > 0 && len(last.lines) <= min(mostPinned, room-1) {
			last.blank()
			p := g.pieces(width, rest[:n])
			g.pinned = append(last.lines, g.pinned...)
			return p
		}
	}
	return g.pieces(width, rest)
}

func isTrouble(b words.Piece) bool {
	_, ok := b.(words.Trouble)
	return ok
}

// refusal is what keeps the last answer from being taken: what the flow says so, and
// errors. brief leaves the ways on away.
func refusal(e *env, v flow.View, width int, brief bool) []string {
	p := newPage(e, width)
	p.packed = true
	for _, b := range v.Blocks {
		if t, ok := b.(words.Trouble); ok {
			t.Brief = t.Brief || brief
			p.piece(t)
		}
	}
	for _, b := range v.Refused {
		if c, ok := b.(words.Checks); ok && brief {
			c = slices.Clone(c)
			for i := range c {
				c[i].Detail = nil
			}
			b = c
		}
		p.piece(b)
	}
	return p.lines
}

// mostPinned is how many lines stay with the question where the rest scrolls.
const mostPinned = 6

// lastWords is from where on there is only text, with or without findings.
func lastWords(blocks []words.Piece, checks bool) int {
	n := len(blocks)
	for ; n > 0; n-- {
		switch blocks[n-1].(type) {
		case words.Para:
			continue
		case words.Checks:
			if checks {
				continue
			}
		}
		return n
	}
	return n
}

func (g *general) pieces(width int, blocks []words.Piece) *page {
	p := newPage(g.e, width)
	p.titleBeside(g.v.Title, g.v.Aside)
	p.pieces(blocks)
	if w := g.v.Work; w != nil {
		p.blank()
		if w.Rows != nil {
			p.syncWork(w)
		} else {
			p.reading(w, true)
		}
	}
	return p
}

// arrange puts the question below the pieces; where there is no room for all,
// the pieces scroll and the question stays.
func (g *general) arrange(above []string, width, height int) string {
	below, selected := g.question(width)
	g.width, g.long = width, len(above)
	g.room = len(above)
	sep := 1
	if len(below) == 0 {
		sep = 0
	}
	if len(above)+sep+len(below) > height {
		// The question takes at most what leaves some lines for the rest.
		most := max(3, height-min(len(above), max(1, min(5, height/5)))-sep)
		if len(below) > most {
			from := max(0, min(selected-most/2, len(below)-most))
			below = below[from : from+most]
			g.move(-from)
		}
		g.room = max(0, height-len(below)-sep)
	}
	g.top = max(0, min(g.top, g.long-g.room))
	lines := append([]string(nil), above[g.top:min(len(above), g.top+g.room)]...)
	if sep > 0 {
		line := ""
		if g.long > g.room {
			line = " " + paint(g.e.Styles.Rule, strings.Repeat(g.e.Signs.Rule, 2)+" "+g.more()+" "+strings.Repeat(g.e.Signs.Rule, 2))
		}
		lines = append(lines, line)
	}
	g.move(len(lines))
	return strings.Join(append(lines, below...), "\n")
}

func (g *general) more() string {
	if left := g.long - g.room - g.top; left > 0 {
		return g.e.T("tui.more_below", "n", left)
	}
	return g.e.T("tui.more_above", "n", g.top)
}

// move shifts what the question has laid out.
func (g *general) move(by int) {
	rows := make(map[int]int, len(g.rows))
	for y, i := range g.rows {
		rows[y+by] = i
	}
	g.rows = rows
	g.cursorY += by
}
