package plain

import (
	"slices"
	"strings"

	"github.com/hacsync/hacsync/sync/message"
	"github.com/hacsync/hacsync/tui/flow"
	"github.com/hacsync/hacsync/tui/widget"
	"github.com/hacsync/hacsync/tui/words"
)

// page writes views as lines of a width, without colour and without moving the
// cursor.
type page struct {
	p     *message.Printer
	width int
	b     strings.Builder
}

func (w *page) say(t words.Text) string { return words.Say(w.p, t) }

func (w *page) line(s string) {
	w.b.WriteString(strings.TrimRight(s, " "))
	w.b.WriteByte('\n')
}

func (w *page) blank() {
	s := w.b.String()
	if s != "" && !strings.HasSuffix(s, "\n\n") {
		w.b.WriteByte('\n')
	}
}

// wrapped writes s after a first indent, and its further lines under it.
func (w *page) wrapped(first, s string) { w.lines(widget.Hang(first, s, w.width)) }

func (w *page) lines(list []string) {
	for _, l := range list {
		w.line(l)
	}
}

// header begins every step: a photograph of it is enough for a ticket.
func (w *page) header(v flow.View) {
	h := v.Where
	parts := []string{strings.TrimSpace("hacsync " + message.Clean(h.Version))}
	if !h.Known {
		parts = append(parts, w.say(words.T("flow.plain.no_connection")))
	}
	for _, s := range []string{h.Tenant, h.Domain} {
		if s != "" {
			parts = append(parts, message.Clean(s))
		}
	}
	badge := "badge.real"
	switch {
	case h.Simulated:
		badge = "badge.simulated"
	case !h.Known:
		badge = "badge.not-connected"
	}
	w.line(strings.Repeat("-", w.width))
	w.wrapped("", strings.Join(parts, " | ")+"  ["+w.say(words.T(badge))+"]")
	if n := v.Step.Rail(); n > 0 {
		w.line(w.say(words.T("tui.rail_one", "n", n, "name", words.T("flow.step."+v.Step.String()))))
	}
	w.line(strings.Repeat("-", w.width))
}

func (w *page) body(v flow.View) {
	if !v.Title.IsZero() {
		w.line(w.say(v.Title))
	}
	if !v.Aside.IsZero() {
		w.line(w.say(v.Aside))
	}
	for _, b := range slices.Concat(v.Blocks, v.Refused) {
		w.piece(b)
	}
	for _, b := range v.After {
		w.piece(b)
	}
}

func (w *page) piece(b words.Piece) {
	switch b := b.(type) {
	case words.Para:
		w.blank()
		w.wrapped("", w.say(b.Text))
	case words.Heading:
		w.blank()
		aside := ""
		if !b.Aside.IsZero() {
			aside = "  " + w.say(b.Aside)
		}
		w.wrapped("", "== "+w.say(b.Text)+" =="+aside)
	case words.Facts:
		w.facts(b)
	case words.Checks:
		w.blank()
		for _, c := range b {
			w.wrapped(c.Mark.String()+" ", w.say(c.Text))
			for _, d := range c.Detail {
				w.wrapped("     ", w.say(d))
			}
		}
	case words.Changes:
		w.changes(b)
	case words.Table:
		w.table(b)
	case words.Beside:
		w.beside(b)
	case words.Ways:
		w.ways(b)
	case words.CodeCard:
		w.blank()
		w.line("    " + message.Clean(b.Code.URL))
		w.blank()
		w.line("    " + message.Clean(b.Code.UserCode))
	case words.PageCard:
		w.blank()
		w.line("    " + message.Clean(b.Page.URL)) // whole, so that it can be copied
	case words.Script:
		lines := b.Lines
		if b.First > 0 && len(lines) > b.First {
			lines = lines[:b.First]
		}
		w.blank()
		for _, l := range lines {
			w.line("  " + message.Clean(strings.ReplaceAll(l, "\t", "    ")))
		}
		if len(lines) < len(b.Lines) {
			w.line(w.say(words.T("flow.plain.script_part", "n", len(lines), "of", len(b.Lines))))
		}
	case words.Chart:
		w.chart(b)
	case words.Trouble:
		w.trouble(b)
	}
}

func (w *page) facts(f words.Facts) {
	if len(f) == 0 {
		return
	}
	w.blank()
	labels, values := make([]string, len(f)), make([]string, len(f))
	for i, x := range f {
		labels[i], values[i] = w.say(x.Label), w.say(x.Value)
	}
	w.lines(widget.Pairs(labels, values, w.width))
}

// changes are the values before and after; a new account has none before.
func (w *page) changes(list words.Changes) {
	t := words.Table{Head: []words.Text{words.T("preview.col.attribute"), words.T("preview.old_new")}, Wrap: true}
	for _, c := range list {
		value := words.T("preview.change", "old", c.Old, "new", c.New)
		switch {
		case c.Added:
			value = c.New
		case c.SignIn:
			value = words.Is(words.Spaced{value, words.T("preview.affects")})
		}
		t.Rows = append(t.Rows, []words.Text{words.Is(c.Attribute), value})
	}
	w.table(t)
}

// trouble writes what happened, the remedy, and the code to look it up by.
func (w *page) trouble(b words.Trouble) {
	said := w.p.Problem(b.Err)
	w.blank()
	w.wrapped("! ", said.What+"  ("+string(said.Code)+")")
	if !b.Brief {
		w.wrapped("  ", said.Remedy)
	}
	if said.RequestID != "" && !b.Brief {
		w.wrapped("  ", w.say(words.T("flow.result.request_id", "id", said.RequestID)))
	}
}

const gap = "  "

func (w *page) table(t words.Table) {
	if len(t.Rows) == 0 {
		return
	}
	w.blank()
	g := widget.Grid{Right: t.Right, Wrap: t.Wrap}
	for _, r := range append([][]words.Text{t.Head}, t.Rows...) {
		cells := make([]string, len(r))
		for i, c := range r {
			cells[i] = w.say(c)
		}
		g.Rows = append(g.Rows, cells)
	}
	for _, lines := range g.Lines(w.width) {
		w.lines(lines)
	}
}

// question writes a question; the prompt has a line of its own.
func (w *page) question(v flow.View) {
	q := v.Ask
	if q.Kind == flow.Wait && len(q.Options) == 0 || q.Kind == flow.None {
		return
	}
	w.blank()
	if !q.Text.IsZero() {
		w.wrapped("", w.say(q.Text))
	}
	if len(q.Head) > 0 && len(q.Options) > 0 {
		w.choices(q)
		return
	}
	label := 0
	for _, o := range q.Options {
		label = max(label, widget.Width(w.say(o.Text)))
	}
	label = min(label, w.width/2)
	for i, o := range q.Options {
		mark := "   "
		if o.Key == q.Preset && q.Preset != "" {
			mark = " > "
		}
		text := w.say(o.Text)
		first := mark + w.p.Int(i+1) + gap
		if o.Note.IsZero() || widget.Width(text) > label {
			w.wrapped(first, text)
			if !o.Note.IsZero() {
				w.wrapped(strings.Repeat(" ", len(first)+len(gap)), w.say(o.Note))
			}
			continue
		}
		w.wrapped(first+widget.Fit(text, label)+gap, w.say(o.Note))
	}
}

// choices writes a choice that is a table: numbers before its lines, and below it the
// details of the preset one.
func (w *page) choices(q flow.Question) {
	g := widget.Grid{Right: []int{0}}
	for _, i := range q.Right {
		g.Right = append(g.Right, i+1)
	}
	add := func(first string, cells []words.Text) {
		row := []string{first}
		for _, c := range cells {
			row = append(row, w.say(c))
		}
		g.Rows = append(g.Rows, row)
	}
	add("", q.Head)
	for i, o := range q.Options {
		add(w.p.Int(i+1), o.Cells)
	}
	for i, lines := range g.Lines(w.width) {
		if i > 0 {
			if o := q.Options[i-1]; !o.Group.IsZero() && (i == 1 || q.Options[i-2].Group.ID != o.Group.ID) {
				w.wrapped("  ", w.say(o.Group))
			}
		}
		w.lines(lines)
	}
	for _, o := range q.Options {
		if o.Key == q.Preset {
			for _, d := range o.Detail {
				w.piece(d)
			}
		}
	}
}

// chart writes the columns of a chart as numbers.
func (w *page) chart(c words.Chart) {
	n := len(c.Bars)
	if n == 0 {
		return
	}
	sum, bad := 0, 0
	for _, b := range c.Bars {
		sum += b.Value
		if b.Mark == words.Stops || b.Mark == words.Warn {
			bad++
		}
	}
	w.blank()
	w.wrapped("", w.say(words.T("flow.plain.chart", "name", c.Name, "n", n, "most", c.Most(), "sum", sum, "bad", bad)))
}

// prompt comes before what a user types: the answer that an empty line gives, and the
// commands.
func (w *page) prompt(v flow.View) string {
	q := v.Ask
	preset := message.Clean(q.Preset)
	for i, o := range q.Options {
		if o.Key == q.Preset {
			preset = w.p.Int(i + 1)
		}
	}
	switch {
	case preset != "":
		return "[" + preset + "] > "
	case q.Optional && (q.Kind == flow.Line || q.Kind == flow.Number):
		return "[" + w.say(words.T("flow.plain.empty")) + "] > "
	}
	return "> "
}

// help lists what can be typed now.
func (w *page) help(v flow.View) {
	w.blank()
	type entry struct{ keys, text string }
	var list []entry
	if len(v.Ask.Options) > 0 {
		list = append(list, entry{"1-" + w.p.Int(len(v.Ask.Options)), w.say(words.T("tui.key.choose"))})
	}
	switch v.Ask.Kind {
	case flow.List:
		list = append(list, entry{w.say(words.T("flow.arg_no")), w.say(words.T("flow.plain.h_row"))})
	case flow.Secret:
		list = append(list, entry{"...", w.say(words.T("flow.plain.h_secret"))})
	case flow.Line, flow.Path:
		list = append(list, entry{`"b"`, w.say(words.T("flow.plain.h_quote"))})
	}
	if v.Ask.Preset != "" {
		list = append(list, entry{w.say(words.T("flow.plain.empty")), w.say(words.T("flow.plain.h_preset"))})
	}
	if flow.TakesCommands(v.Ask.Kind) {
		for _, c := range v.Typed() {
			keys := typed(w.p, c.Word)
			if c.Key != "" {
				keys = c.Key + ", " + keys
			}
			if !c.Arg.IsZero() {
				keys += " " + w.say(c.Arg)
			}
			list = append(list, entry{keys, w.say(c.Help)})
		}
	}
	if v.Back {
		list = append(list, entry{"b, " + typed(w.p, "back"), w.say(words.T("flow.plain.h_back"))})
	}
	list = append(list, entry{"q, " + typed(w.p, "quit"), w.say(words.T("tui.key.quit"))},
		entry{"?, " + typed(w.p, "help"), w.say(words.T("tui.help.help"))},
		entry{"ctrl+c", w.say(words.T("flow.plain.h_interrupt"))})
	label := 0
	for _, e := range list {
		label = max(label, widget.Width(e.keys))
	}
	for _, e := range list {
		w.wrapped("  "+widget.Fit(e.keys, label)+"  ", e.text)
	}
	if !v.Status.IsZero() {
		w.blank()
		w.wrapped("", w.say(v.Status))
	}
}

// keysLine names the commands of a step, a key and a word each.
func (w *page) keysLine(v flow.View) {
	var keys []string
	if flow.TakesCommands(v.Ask.Kind) {
		for _, c := range v.Typed() {
			if c.Key == "" || strings.HasPrefix(c.Name, flow.CmdTab) {
				continue
			}
			keys = append(keys, c.Key+" "+typed(w.p, c.Word))
		}
	}
	if v.Back {
		keys = append(keys, "b "+typed(w.p, "back"))
	}
	line := ""
	for _, k := range append(keys, "q "+typed(w.p, "quit"), "? "+typed(w.p, "help")) {
		if line != "" && widget.Width(line)+len(gap)+widget.Width(k) > w.width {
			w.line(line)
			line = ""
		}
		if line != "" {
			line += gap
		}
		line += k
	}
	w.line(line)
}

// beside draws two sides value by value, with the sign between them.
func (w *page) beside(b words.Beside) {
	const mark = 4
	label, left := 0, widget.Width(w.say(b.Left))
	for _, l := range b.Lines {
		label, left = max(label, widget.Width(w.say(l.Label))), max(left, widget.Width(w.say(l.Left)))
	}
	label = min(label, w.width/4)
	left = min(left, max(8, (w.width-label-len(gap)-mark-len(gap))/2))
	line := func(a, b, sign, c string) {
		right := max(8, w.width-label-left-2*len(gap)-mark)
		lefts, rights := widget.Wrap(b, left), widget.Wrap(c, right)
		for i := range max(len(lefts), len(rights), 1) {
			at := func(list []string) string {
				if i < len(list) {
					return list[i]
				}
				return ""
			}
			if i > 0 {
				a, sign = "", ""
			}
			w.line(strings.TrimRight(widget.Fit(a, label)+gap+widget.Fit(at(lefts), left)+gap+widget.Fit(sign, mark)+at(rights), " "))
		}
	}
	w.blank()
	line("", w.say(b.Left), "", w.say(b.Right))
	for _, l := range b.Lines {
		line(w.say(l.Label), w.say(l.Left), l.Mark, w.say(l.Right))
	}
}

// ways draws the answers, each by its word, with its effect.
func (w *page) ways(list words.Ways) {
	w.blank()
	name := 0
	for _, a := range list {
		name = max(name, widget.Width(typed(w.p, a.Word)))
	}
	for _, a := range list {
		mark := "( ) "
		if a.Chosen {
			mark = "(x) "
		}
		word, does := typed(w.p, a.Word), w.say(a.Does)
		if name := w.say(a.Name); name != word {
			does = name + ": " + does
		}
		w.wrapped("  "+mark+widget.Fit(word, name)+gap, does)
	}
}
