package screen

import (
	"image/color"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"
	"charm.land/lipgloss/v2"

	"github.com/hacsync/hacsync/sync/message"
	"github.com/hacsync/hacsync/tui/review"
	"github.com/hacsync/hacsync/tui/widget"
	"github.com/hacsync/hacsync/tui/words"
)

// The layout: with at least previewBeside columns the detail is at the right of the
// table, wider from spacious columns; with fewer it is below the table, under lines
// high.
const (
	previewBeside = 100
	spacious      = 120
	under         = 6

	detailWide   = 60
	detailNarrow = 42
)

// part is a piece of a line in one style.
type part struct {
	text  string
	style lipgloss.Style
}

// row draws parts as one line of exactly width columns.
func row(width int, parts ...part) string {
	var b strings.Builder
	for _, p := range parts {
		if width <= 0 {
			break
		}
		n := widget.Width(p.text)
		if n > width {
			p.text, n = widget.Fit(p.text, width), width
		}
		b.WriteString(paint(p.style, p.text))
		width -= n
	}
	if width > 0 {
		b.WriteString(strings.Repeat(" ", width))
	}
	return b.String()
}

// widthOf is the number of columns of parts.
func widthOf(parts []part) int {
	n := 0
	for _, p := range parts {
		n += widget.Width(p.text)
	}
	return n
}

// split is the column of the rule between table and detail, -1 where there is none.
func (s *preview) split(width int) int {
	if width < previewBeside {
		return -1
	}
	switch s.body() {
	case bodySummary, bodyFilters, bodyDetail:
		return -1
	case bodyQuestions:
		return questionList
	case bodyTable, bodyReasons:
	}
	if width < spacious {
		return width - detailNarrow - 1
	}
	return width - detailWide - 1
}

// View draws the screen.
func (s *preview) View(width, height int) frame {
	if s.asking() {
		f := s.asks.View(width, height)
		f.status = s.status()
		return f
	}
	f := frame{body: s.draw(width, height), split: s.split(width), headed: true, keys: s.keys(), status: s.status(), place: s.place(), typing: s.typing}
	if s.typing {
		f.cursor = &tea.Position{X: s.cursorX, Y: s.cursorY}
	}
	return f
}

// draw is the body: exactly height lines of exactly width columns.
func (s *preview) draw(width, height int) string {
	if width <= 0 || height <= 0 {
		return ""
	}
	s.width, s.height = width, height
	if s.body() == bodyQuestions {
		return s.viewQuestions(width, height)
	}
	lines := s.top(width)
	split := s.split(width)
	lines = append(lines, s.rule(width, split, s.e.Signs.Down))
	room := max(0, height-len(lines))
	s.tableTop, s.listTop = len(lines), len(lines)
	switch b := s.body(); {
	case b == bodyFilters:
		lines = append(lines, s.filterLines(width, room)...)
	case b == bodyDetail:
		lines = append(lines, s.detailPane(s.table.Selected(), width, room)...)
	case b == bodySummary:
		lines = append(lines, s.listPane(s.summary(width), width, room)...)
	case split >= 0:
		var left, right []string
		if b == bodyReasons {
			left = s.listPane(s.reasons(split), split, room)
			right = s.reasonPane(width-split-1, room)
		} else {
			left = s.tablePane(split, room)
			right = s.detailPane(s.table.Selected(), width-split-1, room)
		}
		wall := paint(s.e.Styles.Rule, s.e.Signs.Wall)
		for i := range room {
			lines = append(lines, left[i]+wall+right[i])
		}
	default:
		most := s.tableHeight(height)
		if b == bodyReasons {
			lines = append(lines, s.listPane(s.reasons(width), width, most)...)
		} else {
			lines = append(lines, s.tablePane(width, most)...)
		}
		if below := room - most - 1; below > 0 {
			lines = append(lines, s.rule(width, -1, ""))
			if b == bodyReasons {
				lines = append(lines, s.reasonPane(width, below)...)
			} else {
				lines = append(lines, s.detailPane(s.table.Selected(), width, below)...)
			}
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

// tableHeight is the table's height if the detail is below it, the head included.
func (s *preview) tableHeight(height int) int {
	room := max(0, height-s.tableTop)
	if room < under+4 {
		return room // no room for a detail
	}
	return room - under - 1
}

func (s *preview) rule(width, split int, joint string) string {
	sign := s.e.Signs.Rule
	if split < 0 || split >= width {
		return paint(s.e.Styles.Rule, strings.Repeat(sign, width))
	}
	return paint(s.e.Styles.Rule, strings.Repeat(sign, split)+joint+strings.Repeat(sign, width-split-1))
}

// color distinguishes light styles from dark ones: the shell changes them in place.
func (s *preview) color() color.Color { return s.e.Styles.Delete.GetForeground() }

// headCache keeps the lines above the table: they change seldom.
type headCache struct {
	of    headKey
	lines []string
}

type headKey struct {
	printer *message.Printer
	color   color.Color
	signs   widget.Signs
	plan    *review.Review
	version int
	width   int
	tab     review.Tab
	filter  review.Filter
}

// top are the lines above the rule.
func (s *preview) top(width int) []string {
	k := headKey{s.e.Printer, s.color(), s.e.Signs, s.g, s.version, width, s.tab, s.filter}
	if s.head.lines == nil || s.head.of != k {
		s.head = headCache{of: k, lines: append(append([]string{s.tabLine(width), s.verdictLine(width)}, s.sentence(width)...), s.notableLine(width))}
	}
	lines := append([]string(nil), s.head.lines...)
	if s.typing || strings.TrimSpace(s.search.Value()) != "" {
		lines[len(lines)-1] = s.searchLine(width, len(lines)-1)
	}
	return append(lines, s.trouble(width)...)
}

// trouble is what went wrong with the last command, in two lines at most.
func (s *preview) trouble(width int) []string {
	var out []string
	for _, b := range s.v.Blocks {
		t, ok := b.(words.Trouble)
		if !ok {
			continue
		}
		w := s.e.Printer.Problem(t.Err)
		for _, l := range widget.Hang(" ! ", w.What+" "+w.Remedy+" ("+string(w.Code)+")", width-1) {
			if len(out) < 3 {
				out = append(out, row(width, part{l, s.e.Styles.Bad}))
			}
		}
	}
	return out
}

// tabLine has the tabs with their numbers: with words where there is room.
func (s *preview) tabLine(width int) string {
	for _, spelled := range []bool{true, false} {
		parts := s.tabParts(spelled)
		if spelled && (width < previewBeside || widthOf(parts) > width) {
			continue
		}
		s.tabs = s.tabs[:0]
		at := 0
		for i, p := range s.g.Tabs() {
			n := widget.Width(parts[2*i+1].text)
			at += widget.Width(parts[2*i].text)
			s.tabs = append(s.tabs, span{at, at + n, p.Tab})
			at += n
		}
		return row(width, parts...)
	}
	return ""
}

// tabParts are, for each tab, the space before it and the tab.
func (s *preview) tabParts(spelled bool) []part {
	e := s.e
	var parts []part
	for _, p := range s.g.Tabs() {
		var name []string
		if p.Sign != "" {
			name = append(name, p.Sign)
		}
		if spelled || p.Sign == "" {
			name = append(name, e.T("preview.tab."+string(p.Tab)))
		}
		if p.Count >= 0 {
			name = append(name, e.Printer.Int(p.Count))
		}
		text, style := " "+strings.Join(name, " ")+" ", s.tone(p.Tab)
		if p.Tab == s.tab {
			text, style = "["+strings.Join(name, " ")+"]", e.Styles.Here
		}
		parts = append(parts, part{" ", e.Styles.Text}, part{text, style})
	}
	return parts
}

// tone is the colour of a tab's rows.
func (s *preview) tone(t review.Tab) lipgloss.Style {
	st := s.e.Styles
	switch t {
	case review.TabDelete, review.TabBlock:
		return st.Delete
	case review.TabRename:
		return st.Rename
	case review.TabRestore:
		return st.Restore
	case review.TabAdd:
		return st.Add
	case review.TabUpdate:
		return st.Update
	case review.TabSkip:
		return st.Skip
	case review.TabQuestions:
		return st.Warn
	case review.TabAll, review.TabSummary:
	}
	return st.Text
}

// verdictLine is the guard's judgement: a share is never alone, but with both
// numbers and where it stops.
func (s *preview) verdictLine(width int) string {
	e, v := s.e, s.g.Verdict()
	word, style := e.T("preview.verdict.ok"), e.Styles.Good
	switch {
	case v.Raised:
		word, style = e.T("preview.verdict.raised"), e.Styles.Warn
	case v.Cancelled:
		word, style = e.T("preview.verdict.cancels"), e.Styles.Bad.Bold(true)
	}
	judged := "preview.verdict.numbers"
	switch {
	case v.Claimed:
		judged = "preview.verdict.numbers_known"
	case v.Blocks > 0:
		judged = "preview.verdict.numbers_blocks"
	}
	numbers := e.T(judged, "deletions", v.Deletions, "users", v.Users, "percent", words.Percent(v.Percent()))
	limit := []any{"stops", v.StopsAt, "limit", words.Percent(v.MaxAllowedDeletions)}
	id := "preview.verdict.stops"
	switch {
	case v.MaxAllowedDeletions == 0 || v.MaxDeletions == 0:
		id = "preview.verdict.none_allowed"
	case v.MaxDeletions >= 0:
		id, limit = "preview.verdict.stops_absolute", append(limit, "absolute", v.MaxDeletions)
	}
	stops := e.T(id, limit...)
	if 1+widget.Width(numbers)+2+8+2+widget.Width(stops)+2+widget.Width(word) > width && v.MaxDeletions < 0 && v.MaxAllowedDeletions > 0 {
		stops = e.T("preview.verdict.stops_short", limit...)
	}
	bar := min(18, width-1-widget.Width(numbers)-2-2-widget.Width(stops)-2-widget.Width(word))
	parts := []part{{" " + numbers + "  ", e.Styles.Text}}
	if bar >= 4 {
		full, rest := e.Signs.Bar(v.Deletions, v.StopsAt, bar)
		color := e.Styles.Bar
		if v.Cancelled && !v.Raised {
			color = e.Styles.Bad
		}
		parts = append(parts, part{full, color}, part{rest, e.Styles.Empty}, part{"  ", e.Styles.Text})
	}
	return row(width, append(parts, part{stops + "  ", e.Styles.Text}, part{word, style})...)
}

// sentence is the guides' own, where the guard would cancel.
func (s *preview) sentence(width int) []string {
	v := s.g.Verdict()
	if !v.Cancelled || v.Raised {
		return nil
	}
	var out []string
	for l := range strings.SplitSeq(s.e.Say(review.Cancels(v)), "\n") {
		for _, w := range widget.Wrap(message.Clean(l), width-1) {
			out = append(out, row(width, part{" " + w, s.e.Styles.Bad}))
		}
	}
	return out
}

// notableLine says what deserves a look; each word is a filter.
func (s *preview) notableLine(width int) string {
	e := s.e
	parts := []part{{" ", e.Styles.Text}}
	if c := s.g.Remaining(); s.tab == review.TabDelete && c.Unclaimed < c.Delete {
		parts = append(parts, part{e.T("preview.notable.explained", "n", c.Delete-c.Unclaimed), e.Styles.Text}, part{"  ", e.Styles.Text})
	}
	list := review.Filters(review.TabAll)
	if s.tab == review.TabDelete { // two numbers, one beside the other
		list = append([]review.Filter{review.Unseen}, slices.DeleteFunc(list, func(f review.Filter) bool { return f == review.Unseen })...)
	}
	for _, f := range list {
		n := s.g.Notable(f)
		if f == review.Warned && f != s.filter || n == 0 && f != s.filter {
			continue // most warnings are said by another word
		}
		text, style := e.T("preview.notable."+string(f), "n", n), e.Styles.Text
		switch f {
		case review.SignIns, review.Lately, review.Cleared:
			text, style = "! "+text, e.Styles.Warn
		case review.NoFilter, review.Same, review.Unseen, review.Waiting, review.Warned, review.OutOnly:
		}
		if f == s.filter {
			text, style = "["+text+"]", e.Styles.Here
		}
		parts = append(parts, part{text, style}, part{"  ", e.Styles.Text})
	}
	for _, w := range s.g.Plan().Warnings() {
		parts = append(parts, part{"! " + e.Printer.Problem(w).Short, e.Styles.Warn}, part{"  ", e.Styles.Text})
	}
	if len(parts) == 1 {
		parts = append(parts, part{e.T("preview.notable.none"), e.Styles.Faint})
	}
	return row(width, fitting(parts, width)...)
}

// fitting are the parts that fit whole, in pairs of a word and the space behind it
// after the first; two dots stand for the others.
func fitting(parts []part, width int) []part {
	out, dropped := parts[:1:1], false
	room := width - widget.Width(parts[0].text)
	for i := 1; i < len(parts); i += 2 {
		n, tail := widget.Width(parts[i].text), 4
		if i+2 >= len(parts) && !dropped {
			tail = 0 // nothing follows that could be left out
		}
		if n+tail > room && i > 1 {
			dropped = true
			continue
		}
		out = append(out, parts[i])
		room -= n
		if i+1 < len(parts) {
			out = append(out, parts[i+1])
			room -= widget.Width(parts[i+1].text)
		}
	}
	if dropped {
		out = append(out, part{"..", parts[0].style})
	}
	return out
}

// searchLine shows what is searched for, with the cursor while it is typed.
func (s *preview) searchLine(width, y int) string {
	e := s.e
	note := ""
	if s.pending {
		note = "  " + e.T("preview.searching")
	}
	if s.filter != review.NoFilter && s.tab != review.TabQuestions {
		note += "  [" + e.T("preview.notable."+string(s.filter), "n", s.g.Notable(s.filter)) + "]"
	}
	room := max(10, min(60, width-4-widget.Width(note)))
	text, at := s.search.View(room)
	s.cursorX, s.cursorY = 3+at, y
	style := e.Styles.Text
	if s.typing {
		style = e.Styles.Field
	}
	return row(width, part{" / ", e.Styles.Heading}, part{text, style}, part{note, e.Styles.Faint})
}

// place says where in the list the selection is.
func (s *preview) place() string {
	switch s.body() {
	case bodyTable, bodyDetail:
		if s.table.Len() == 0 {
			return ""
		}
		return s.e.T("preview.place", "n", s.table.Place()+1, "of", s.table.Len())
	case bodyReasons:
		return s.e.T("preview.rows", "n", s.g.Part(review.TabSkip).Count)
	case bodyQuestions:
		return s.questionPlace()
	case bodySummary, bodyFilters:
	}
	return ""
}

// status says that not all rows are shown, else what the flow says.
func (s *preview) status() string {
	switch {
	case s.asking():
		return s.e.Say(s.v.Status)
	case !s.v.Working.IsZero():
		return s.e.Say(s.v.Working)
	case s.body() == bodyQuestions && s.narrowed():
		return s.e.T("preview.q.shown", "n", len(s.asked), "of", s.g.Plan().QuestionLen())
	case s.body() == bodyTable && s.order != review.ByRisk:
		by := map[review.Order]string{review.ByUPN: "preview.order.upn", review.ByName: "preview.order.name"}[s.order]
		if s.narrowed() {
			return s.e.T("preview.shown", "n", s.table.Len(), "of", s.g.Among(s.query())) + "  " + s.e.T(by)
		}
		return s.e.T(by)
	case s.body() == bodyTable && s.narrowed():
		return s.e.T("preview.shown", "n", s.table.Len(), "of", s.g.Among(s.query()))
	}
	return s.e.Say(s.v.Status)
}
