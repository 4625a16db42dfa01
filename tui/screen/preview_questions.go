package screen

import (
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"
	"charm.land/lipgloss/v2"

	"github.com/hacsync/hacsync/sync/message"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/tui/flow"
	"github.com/hacsync/hacsync/tui/review"
	"github.com/hacsync/hacsync/tui/widget"
	"github.com/hacsync/hacsync/tui/words"
)

// questionList is the width of the list beside a question, listedAbove its lines above
// one.
const (
	questionList = 40
	listedAbove  = 3
)

// turnTo shows the question at a place.
func (s *preview) turnTo(i int) {
	n := s.g.Plan().QuestionLen()
	if i = max(0, min(i, n-1)); i != s.at {
		s.at, s.candidate, s.scrolled = i, -1, 0
	}
}

// listQuestions lists the questions that a query found; the one shown stays so where
// it is among them.
func (s *preview) listQuestions(rows []int32) {
	s.asked = make([]int, len(rows))
	for i, r := range rows {
		s.asked[i] = s.g.Asked(r)
	}
	if len(s.asked) > 0 && !slices.Contains(s.asked, s.at) {
		s.turnTo(s.asked[0])
	}
}

// step shows the question so many further on in the list.
func (s *preview) step(by int) {
	if len(s.asked) > 0 {
		at := slices.Index(s.asked, s.at) + by
		s.turnTo(s.asked[max(0, min(at, len(s.asked)-1))])
	}
}

// nextOpen is the first open question of the list after one, -1 for none.
func (s *preview) nextOpen(after int) int {
	n, at := len(s.asked), slices.Index(s.asked, after)
	for k := 1; k <= n; k++ {
		if i := s.asked[(at+k)%n]; s.g.Plan().Question(i).Answer.Kind == plan.Open {
			return i
		}
	}
	return -1
}

// lined are the lines of the list: places of questions, and below zero the headings
// of groups.
func (s *preview) lined() []int {
	out := make([]int, 0, len(s.asked)+len(s.groups))
	for i, at := range s.asked {
		for g, x := range s.groups {
			if x.From == i {
				out = append(out, -1-g)
			}
		}
		out = append(out, at)
	}
	return out
}

// questionKey is a key while questions are shown.
func (s *preview) questionKey(name string) ([]flow.Answer, tea.Cmd, bool) {
	if len(s.asked) == 0 {
		switch name {
		case "enter", "tab", "shift+tab", "space", s.keyOf(flow.CmdSame), s.keyOf(flow.CmdDifferent), s.keyOf(flow.CmdReopen), s.keyOf(flow.CmdCopy), s.keyOf(flow.CmdAll):
			return nil, nil, true // there is none
		}
		return nil, nil, false
	}
	q := s.g.Plan().Question(s.at)
	one := func(command, text string) ([]flow.Answer, tea.Cmd, bool) {
		return []flow.Answer{{Command: command, Text: text, Rows: []int{-q.No}}}, nil, true
	}
	switch name {
	case s.keyOf(flow.CmdSame):
		if c := s.card().Chosen; c >= 0 {
			return one(flow.CmdSame, q.Rows[c].Key)
		}
		return one(flow.CmdSame, "")
	case s.keyOf(flow.CmdDifferent):
		return one(flow.CmdDifferent, "")
	case "space":
		return one(flow.CmdNotNow, "")
	case s.keyOf(flow.CmdReopen):
		return one(flow.CmdReopen, "")
	case s.keyOf(flow.CmdAll):
		return nil, nil, true // many are not answered at once
	case "enter":
		if i := s.nextOpen(s.at); i >= 0 && i != s.at {
			s.turnTo(i)
			return nil, nil, true
		}
		return nil, s.goTo(review.TabAll), true
	case "tab", "shift+tab":
		n := len(q.Rows)
		if n < 2 {
			return nil, s.turn(name == "tab"), true
		}
		switch {
		case s.candidate < 0 && name == "tab":
			s.candidate = 0
		case s.candidate < 0:
			s.candidate = n - 1
		case name == "tab":
			s.candidate = (s.candidate + 1) % n
		default:
			s.candidate = (s.candidate + n - 1) % n
		}
		return nil, nil, true
	case s.keyOf(flow.CmdCopy):
		var lines []string
		for _, t := range s.g.Text(s.at) {
			lines = append(lines, s.e.Say(t))
		}
		return nil, toClipboard(strings.Join(lines, "\n")+"\n", words.T("preview.q.copied")), true
	case s.keyOf(flow.CmdSave):
		a := flow.Answer{Command: flow.CmdSave, Say: s.e.Say}
		for _, at := range s.asked {
			a.Rows = append(a.Rows, -s.g.Plan().Question(at).No)
		}
		return []flow.Answer{a}, nil, true
	case "up", "k":
		s.step(-1)
	case "down", "j":
		s.step(1)
	case "pgup":
		s.step(-max(1, s.listed))
	case "pgdown":
		s.step(max(1, s.listed))
	case "home":
		s.step(-len(s.asked))
	case "end":
		s.step(len(s.asked))
	default:
		return nil, nil, false
	}
	return nil, nil, true
}

// turn goes to the next tab, or the one before.
func (s *preview) turn(on bool) tea.Cmd {
	tabs := s.g.Tabs()
	for i, p := range tabs {
		if p.Tab == s.tab {
			by := 1
			if !on {
				by = len(tabs) - 1
			}
			return s.goTo(tabs[(i+by)%len(tabs)].Tab)
		}
	}
	return nil
}

// card is the question that is shown.
func (s *preview) card() *review.Card {
	q := s.g.Plan().Question(s.at)
	if c := s.candidate; c < 0 && q.Answer.Kind == plan.SamePerson {
		for i := range q.Rows {
			if q.Rows[i].RowKey() == q.Answer.Row {
				return s.g.Card(s.at, i)
			}
		}
	}
	return s.g.Card(s.at, s.candidate)
}

// questionKeys are those that work while questions are shown.
func (s *preview) questionKeys() []hint {
	e := s.e
	k := func(keys, id string, kv ...any) hint { return hint{keys, e.T("preview.key."+id, kv...)} }
	var narrowed []hint
	switch {
	case strings.TrimSpace(s.search.Value()) != "":
		narrowed = append(narrowed, k("esc", "esc_clear"))
	case s.filter != review.NoFilter:
		narrowed = append(narrowed, k("esc", "esc_filter"))
	}
	if len(s.asked) == 0 {
		return append(narrowed, k(s.keyOf(flow.CmdSearch), "search_change"), s.hint(flow.CmdFilter))
	}
	c := s.card()
	many := len(c.Question.Rows) > 1
	out := narrowed
	if !many {
		out = append(out, s.hint(flow.CmdSame), s.hint(flow.CmdDifferent))
	} else {
		if c.Chosen >= 0 && c.Question.Rows[c.Chosen].TakenBy == 0 {
			out = append(out, k(s.keyOf(flow.CmdSame), "same_row", "key", c.Question.Rows[c.Chosen].Key))
		}
		out = append(out, k(s.keyOf(flow.CmdDifferent), "none_of"))
	}
	out = append(out, hint{"space", s.hint(flow.CmdNotNow).what})
	next := []hint{k("enter", "next_open"), s.hint(flow.CmdSync)}
	if !s.g.Waiting() {
		next = []hint{s.hint(flow.CmdSync), {"enter", e.T("preview.cmd_all")}}
	}
	if many {
		next = append([]hint{k("tab", "row")}, next...)
		if !s.g.Waiting() {
			next[0], next[1] = next[1], next[0]
		}
	}
	return append(
		append(out, next...), s.hint(flow.CmdReopen), s.hint(flow.CmdCopy),
		k("shift+↑ ↓", "detail"), s.hint(flow.CmdSearch), s.hint(flow.CmdFilter), s.hint(flow.CmdOrder), k(s.keyOf(flow.CmdSave), "save_questions"),
		s.hint(flow.CmdDryRun),
	)
}

func (s *preview) questionPlace() string {
	if len(s.asked) == 0 {
		return ""
	}
	c := s.card()
	if n := len(c.Question.Rows); n > 1 && c.Chosen >= 0 {
		return s.e.T("preview.q.place_row", "key", c.Question.Rows[c.Chosen].Key, "n", n)
	}
	return s.e.T("preview.q.place", "n", s.at+1, "of", s.g.Plan().QuestionLen())
}

// viewQuestions draws list and card: one above the other, or side by side.
func (s *preview) viewQuestions(width, height int) string {
	e := s.e
	lines := append([]string{s.tabLine(width), s.verdictLine(width)}, s.sentence(width)...)
	lines = append(lines, s.trouble(width)...)
	split := s.split(width)
	if split < 0 {
		if s.searching() {
			lines = append(lines, s.searchLine(width, len(lines)))
		} else {
			lines = append(lines, s.titled(width, s.progress()))
		}
		listed := min(listedAbove, max(1, len(s.asked)+len(s.groups)))
		card := s.cardLines(width)
		s.listTop, s.listed = len(lines), max(1, min(listed, height-len(lines)-1-card))
		lines = append(lines, s.questionLines(width, s.listed)...)
		lines = append(lines, s.titled(width, s.headedTitle(width)))
		lines = append(lines, s.cardPane(width, height-len(lines), true)...)
	} else {
		if s.searching() {
			lines = append(lines, s.searchLine(width, len(lines)))
		} else {
			lines = append(lines, row(width, part{" " + s.progress(), e.Styles.Text}))
		}
		lines = append(lines, s.rule(width, split, e.Signs.Down))
		room := max(0, height-len(lines))
		left := []string{row(split, part{" " + e.T("preview.q.list_title"), e.Styles.Title}), strings.Repeat(" ", split)}
		legend := s.legend(split)
		if room < len(left)+len(legend)+3 {
			legend = nil
		}
		s.listTop, s.listed = len(lines)+len(left), max(0, room-len(left)-len(legend))
		left = append(append(left, s.questionLines(split, s.listed)...), legend...)
		right := append([]string{row(width-split-1, part{" " + s.cardTitle(), e.Styles.Title}), strings.Repeat(" ", width-split-1)}, s.cardPane(width-split-1, room-2, false)...)
		wall := paint(e.Styles.Rule, e.Signs.Wall)
		for i := range room {
			lines = append(lines, left[i]+wall+right[i])
		}
	}
	if len(lines) > height {
		lines = lines[:height]
	}
	for len(lines) < height {
		lines = append(lines, strings.Repeat(" ", width))
	}
	return strings.Join(lines, "\n")
}

// searching reports whether a search is shown above the list.
func (s *preview) searching() bool { return s.typing || strings.TrimSpace(s.search.Value()) != "" }

// progress is how many are answered, and which of them are listed.
func (s *preview) progress() string {
	text := s.e.Say(s.g.Progress())
	if s.filter != review.NoFilter {
		text = "[" + s.e.Say(review.FilterWord(s.tab, s.filter)) + "]  " + text
	}
	return text
}

func (s *preview) cardTitle() string {
	if len(s.asked) == 0 {
		return ""
	}
	return s.e.Say(s.card().Title)
}

// headedTitle is the title with the texts on either side, if both fit.
func (s *preview) headedTitle(width int) string {
	if len(s.asked) == 0 {
		return ""
	}
	title, c := s.cardTitle(), s.card()
	if c.Brief == nil || c.Table != nil {
		return title
	}
	if whole := title + "   " + s.e.Say(c.Brief.Left) + "   " + s.e.Say(c.Brief.Right); widget.Width(whole) <= width-8 {
		return whole
	}
	return title
}

// titled is a rule with a title in it.
func (s *preview) titled(width int, title string) string {
	st := s.e.Styles
	head := " " + strings.Repeat(s.e.Signs.Rule, 2) + " "
	title = widget.Fit(title, min(widget.Width(title), max(0, width-widget.Width(head)-2)))
	rest := max(0, width-widget.Width(head)-widget.Width(title)-1)
	return row(width, part{head, st.Rule}, part{title, st.Title}, part{" " + strings.Repeat(s.e.Signs.Rule, rest), st.Rule})
}

// questionLines is the list: exactly height lines.
func (s *preview) questionLines(width, height int) []string {
	e, p := s.e, s.g.Plan()
	all := s.lined()
	here := max(0, slices.Index(all, s.at))
	above := here
	if here > 0 && all[here-1] < 0 && height > 1 {
		above-- // its heading
	}
	s.first = max(0, min(s.first, above, len(all)-height))
	s.first = max(s.first, here-height+1)
	out := make([]string, 0, height)
	if len(all) == 0 && height > 0 {
		out = append(out, row(width, part{" " + e.T("preview.q.none_shown"), e.Styles.Faint}))
	}
	for _, i := range all[s.first:] {
		if len(out) == height {
			break
		}
		if i < 0 {
			out = append(out, row(width, part{" " + e.Say(s.groups[-1-i].Title), e.Styles.Label}))
			continue
		}
		q := p.Question(i)
		mark, style := "  ", e.Styles.Text
		if i == s.at {
			mark, style = widget.Fit(e.Signs.Here, 2), e.Styles.Selected
		}
		sign, upn := s.g.Row(s.g.Index(-q.No)).Sign, message.Clean(words.Local(q.Account.UPN, p.Domain()))
		answer, no := e.Say(review.AnswerWord(q.Answer.Kind)), e.Say(review.Label(-q.No))
		rows := e.T("preview.q.rows", "n", len(q.Rows))
		var text string
		if width < previewBeside/2 {
			room := max(6, width-2-3-5-2-widget.Width(answer)-1)
			text = widget.Fit(sign, 3) + widget.Fit(no, 5) + widget.FitMiddle(upn, room) + " " + answer
		} else {
			text = widget.Fit(sign, 3) + widget.Fit(no, 5) + widget.FitMiddle(upn, 17) + " " + widget.Fit(message.Clean(q.Name), 13) + " " +
				widget.Fit(rows, 8) + answer
		}
		tone := style
		if i != s.at {
			tone = s.answerTone(q.Answer.Kind)
		}
		out = append(out, row(width, part{widget.Fit(mark+text, width), tone}))
	}
	for len(out) < height {
		out = append(out, strings.Repeat(" ", width))
	}
	return out
}

func (s *preview) answerTone(k plan.AnswerKind) lipgloss.Style {
	switch k {
	case plan.SamePerson:
		return s.e.Styles.Rename
	case plan.DifferentPeople:
		return s.e.Styles.Delete
	case plan.NotNow:
		return s.e.Styles.Faint
	case plan.Open:
	}
	return s.e.Styles.Warn
}

// legend explains the signs, where there is room below the list.
func (s *preview) legend(width int) []string {
	e, st := s.e, s.e.Styles
	line := func(text string, style lipgloss.Style) string { return row(width, part{" " + text, style}) }
	pair := func(sign, id string) string { return "  " + widget.Fit(sign, 3) + " " + e.T(id) }
	blank := strings.Repeat(" ", width)
	return []string{
		line(e.T("preview.q.legend_answers"), st.Label),
		line(pair("=", "question.answer.same"), st.Faint),
		line(pair("#", "question.answer.different"), st.Faint),
		line(pair("..", "question.answer.not-now"), st.Faint),
		line("  "+e.T("preview.q.legend_open"), st.Faint),
		blank,
		line(e.T("preview.q.legend_values"), st.Label),
		line(pair("=", "question.likeness.equal"), st.Faint),
		line(pair("=~", "question.likeness.looks_same"), st.Faint),
		line(pair("#", "question.likeness.differs"), st.Faint),
		line(pair(".", "question.likeness.one_side"), st.Faint),
		line("  "+e.T("preview.q.legend_brackets"), st.Faint),
		blank,
		line(e.T("preview.q.legend_kept"), st.Faint),
	}
}

// cardPane is a question: exactly height lines. What is known of it scrolls, the
// answers never leave the screen.
func (s *preview) cardPane(width, height int, short bool) []string {
	if len(s.asked) == 0 {
		return s.window(nil, width, height)
	}
	c := s.card()
	ways := detail{e: s.e, width: width}
	ways.ways(c.Ways)
	if !short {
		ways.lines = append([]string{strings.Repeat(" ", width)}, ways.lines...)
	}
	d := detail{e: s.e, width: width, compact: true}
	d.card(c, short)
	room := max(0, height-len(ways.lines))
	return append(s.window(d.lines, width, room), ways.lines[:min(len(ways.lines), max(0, height))]...)
}

// cardLines is how many lines a question needs, in the short form below the list.
func (s *preview) cardLines(width int) int {
	if len(s.asked) == 0 {
		return 0
	}
	d := detail{e: s.e, width: width, compact: true}
	d.card(s.card(), true)
	d.ways(s.card().Ways)
	return len(d.lines)
}

// card draws what is known of a question.
func (d *detail) card(c *review.Card, short bool) {
	st := d.e.Styles
	if !c.Asked.IsZero() {
		d.text(d.e.Say(c.Asked), st.Warn)
	}
	if c.Table != nil {
		d.candidates(*c.Table)
		if !c.Row.IsZero() {
			d.text(d.e.Say(c.Row), st.Text)
		}
	}
	// Beside several rows a chosen one is shown whole if it fits.
	if b := c.Compared; b != nil && !short {
		if c.Table != nil {
			d.add()
		}
		d.beside(*b, true)
		d.add()
	} else if c.Brief != nil && c.Table == nil {
		d.beside(*c.Brief, false)
	}
	d.facts(c.Signs)
}

// candidates draws the rows of a question; the mark of a value comes behind it.
func (d *detail) candidates(t words.Table) {
	st := d.e.Styles
	rows := append([][]words.Text{t.Head}, t.Rows...)
	cells := make([][]string, len(rows))
	widths := make([]int, len(t.Head))
	for i, r := range rows {
		for k, c := range r {
			text := d.e.Say(c)
			cells[i] = append(cells[i], text)
			widths[k] = max(widths[k], widget.Width(text))
		}
	}
	widths[0] = widget.Width(widget.Fit(d.e.Signs.Here, 2))
	// The widest columns give what is missing.
	for total(widths)+len(widths)-1 > d.room() {
		k := 0
		for i, w := range widths {
			if w > widths[k] {
				k = i
			}
		}
		if widths[k] <= 6 {
			break
		}
		widths[k]--
	}
	for i, r := range cells {
		style := st.Text
		if i == 0 {
			style = st.Label
		}
		if i > 0 && r[0] != "" {
			r[0], style = d.e.Signs.Here, st.Selected
		}
		var b strings.Builder
		for k, c := range r {
			if k > 0 {
				b.WriteByte(' ')
			}
			b.WriteString(fitMarked(c, widths[k]))
		}
		d.add(part{strings.TrimRight(b.String(), " "), style})
	}
}

// fitMarked shortens a value and not the mark behind it.
func fitMarked(s string, width int) string {
	for _, mark := range []string{" =~", " =", " #", " ."} {
		if v, ok := strings.CutSuffix(s, mark); ok && widget.Width(s) > width {
			return widget.FitMiddle(v, max(1, width-len(mark))) + mark
		}
	}
	return widget.Fit(s, width)
}

func total(list []int) int {
	n := 0
	for _, w := range list {
		n += w
	}
	return n
}

// beside draws two sides value by value, both whole, with the sign between them.
func (d *detail) beside(b words.Beside, headed bool) {
	const sign = 3
	st := d.e.Styles
	label, left := 0, widget.Width(d.e.Say(b.Left))
	for _, l := range b.Lines {
		label, left = max(label, widget.Width(d.e.Say(l.Label))), max(left, widget.Width(d.e.Say(l.Left)))
	}
	label = min(label, d.room()/4)
	left = max(8, min(left, (d.room()-label-sign-2)*6/11))
	right := max(4, d.room()-label-2-left-1-sign)
	line := func(name string, style lipgloss.Style, was, mark, is string) {
		a, b := widget.Wrap(was, left), widget.Wrap(is, right)
		at := func(list []string, i int) string {
			if i < len(list) {
				return list[i]
			}
			return ""
		}
		for i := range max(len(a), len(b), 1) {
			if i > 0 {
				name, mark = "", ""
			}
			parts := append([]part{{widget.Fit(name, label) + "  ", st.Label}}, d.marked(widget.Fit(at(a, i), left), style)...)
			parts = append(parts, part{" " + widget.Fit(mark, sign), st.Warn})
			d.add(append(parts, d.marked(at(b, i), style)...)...)
		}
	}
	if headed {
		line("", st.Label, d.e.Say(b.Left), "", d.e.Say(b.Right))
	}
	for _, l := range b.Lines {
		line(d.e.Say(l.Label), st.Text, d.e.Say(l.Left), l.Mark, d.e.Say(l.Right))
	}
}

// ways draws the three answers.
func (d *detail) ways(list words.Ways) {
	st := d.e.Styles
	name := 0
	for _, w := range list {
		name = max(name, widget.Width(d.e.Say(w.Name)))
	}
	for _, w := range list {
		mark := "( ) "
		if w.Chosen {
			mark = "(x) "
		}
		style := st.Text
		if w.Cancels || w.Deletes {
			style = st.Delete
		}
		first := mark + widget.Fit(w.Key, 5) + "  " + widget.Fit(d.e.Say(w.Name), name) + "  "
		for i, l := range widget.Hang(first, d.e.Say(w.Does), d.room()) {
			if i == 0 && strings.HasPrefix(l, first) {
				d.add(part{first, st.Title}, part{l[len(first):], style})
				continue
			}
			d.add(part{l, style})
		}
	}
}
