package widget

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"charm.land/lipgloss/v2"
)

// Rows gives a table its rows on demand, so that a million of them cost as much as the
// visible ones. Both methods are called from View and must not block.
type Rows interface {
	// Len is the number of rows.
	Len() int
	// Row is row i: its cells, one a column, and the name of its tone. What
	// comes from outside must have been cleaned.
	Row(i int) Row
}

// Row is one line of a table.
type Row struct {
	Cells []string
	// Tone is an index into Styles.Tones; 0 is plain.
	Tone int
}

// Column says how a column is drawn.
type Column struct {
	Title string
	// Width is the smallest number of columns, and the only one if Grow is 0.
	Width int
	// Grow is the share of the remaining width.
	Grow int
	// Right aligns at the right; Middle shortens in the middle.
	Right, Middle bool
	// Match marks parts of a cell that a search found, by byte offsets, in
	// order and not overlapping; nil marks nothing.
	Match func(cell string) [][2]int
}

// Styles are the styles of a table. Meaning never lives in them alone.
type Styles struct {
	Header, Selected, Match lipgloss.Style
	// Tones colour whole rows, by Row.Tone.
	Tones []lipgloss.Style
}

// Table shows a window of rows with one of them selected. The selected row is
// always visible. The zero value is not usable; NewTable makes one.
type Table struct {
	columns []Column
	styles  Styles
	rows    Rows
	// shown are the rows that pass the filter, in order; nil is all of them.
	shown  []int32
	groups []Group
	cursor int // among the shown
	top    int // the first line of the window: rows and headings of groups are lines
	width  int
	height int // of the rows, without the header
	widths []int
	here   string // the mark of the selected line, another than mark
}

// Group is a part of the rows shown, with a heading of its own: one more line, which
// cannot be selected.
type Group struct {
	From  int // place of its first row
	Title string
}

// NewTable makes a table without rows.
func NewTable(columns []Column, styles Styles) *Table {
	return &Table{columns: columns, styles: styles, rows: noRows{}}
}

type noRows struct{}

func (noRows) Len() int    { return 0 }
func (noRows) Row(int) Row { return Row{} }

// SetSize sets the room, header included.
func (t *Table) SetSize(width, height int) {
	t.width, t.height = max(width, 0), max(height-1, 0)
	t.layout()
	t.scroll()
}

// SetColumns replaces the columns, as when a search begins or a window grows.
func (t *Table) SetColumns(columns []Column) {
	t.columns = columns
	t.layout()
}

// SetStyles replaces the styles.
func (t *Table) SetStyles(s Styles) { t.styles = s }

// SetHere replaces the mark of the selected line, for terminals that draw » two
// columns wide.
func (t *Table) SetHere(sign string) { t.here = sign }

// SetRows replaces the rows and shows all of them, from the top.
func (t *Table) SetRows(rows Rows) {
	t.rows, t.shown, t.groups, t.cursor, t.top = rows, nil, nil, 0, 0
}

// SetGroups divides the rows shown, in order; none has no rows.
func (t *Table) SetGroups(groups []Group) {
	t.groups = groups
	t.scroll()
}

// lines is the number of lines that rows and headings take.
func (t *Table) lines() int { return t.Len() + len(t.groups) }

// lineOf is the line of the row at a place; above is the one that must be seen with
// it: its heading, if it is the first of a group.
func (t *Table) lineOf(place int) (line, above int) {
	line, above = place, place
	for _, g := range t.groups {
		if g.From > place {
			break
		}
		line++
		above = line
		if g.From == place {
			above--
		}
	}
	return line, above
}

// at is the place of the row on a line, -1 for a heading; then it returns the heading's
// group.
func (t *Table) at(line int) (place int, g Group) {
	for i := len(t.groups) - 1; i >= 0; i-- {
		switch head := t.groups[i].From + i; {
		case line == head:
			return -1, t.groups[i]
		case line > head:
			return line - i - 1, g
		}
	}
	return line, g
}

// Show shows only these rows, in this order; nil shows all. The selected row
// stays selected if it is among them.
func (t *Table) Show(rows []int32) {
	selected := t.Selected()
	t.shown, t.groups = rows, nil
	t.cursor = 0
	switch {
	case rows == nil:
		t.cursor = max(selected, 0)
	default:
		for i, r := range rows {
			if int(r) == selected {
				t.cursor = i
				break
			}
		}
	}
	t.scroll()
}

// Len is the number of rows shown.
func (t *Table) Len() int {
	if t.shown != nil {
		return len(t.shown)
	}
	return t.rows.Len()
}

// Place is the selected row's place among those shown, from 0.
func (t *Table) Place() int { return t.cursor }

// Selected is the selected row, -1 if there is none.
func (t *Table) Selected() int {
	if t.cursor >= t.Len() {
		return -1
	}
	return t.row(t.cursor)
}

// row is the row at a place among those shown.
func (t *Table) row(place int) int {
	if t.shown != nil {
		return int(t.shown[place])
	}
	return place
}

// Move moves the selection by n rows, and stops at both ends.
func (t *Table) Move(n int) { t.Go(t.cursor + n) }

// Page moves the selection by n windows.
func (t *Table) Page(n int) { t.Go(t.cursor + n*max(t.height-1, 1)) }

// Go selects the row at a place among those shown.
func (t *Table) Go(place int) {
	t.cursor = max(min(place, t.Len()-1), 0)
	t.scroll()
}

// Select selects a row, if it is shown.
func (t *Table) Select(row int) bool {
	if t.shown == nil {
		if row < 0 || row >= t.rows.Len() {
			return false
		}
		t.Go(row)
		return true
	}
	for i, r := range t.shown {
		if int(r) == row {
			t.Go(i)
			return true
		}
	}
	return false
}

// Wheel scrolls the window by n rows, and moves the selection if it would leave the
// window.
func (t *Table) Wheel(n int) {
	t.top = max(min(t.top+n, t.lines()-t.height), 0)
	first, _ := t.at(t.top)
	if first < 0 {
		first, _ = t.at(t.top + 1)
	}
	last, _ := t.at(t.top + t.height - 1)
	if last < 0 {
		last, _ = t.at(t.top + t.height - 2)
	}
	t.cursor = max(min(t.cursor, last, t.Len()-1), first, 0)
	if line, _ := t.lineOf(t.cursor); line < t.top || line >= t.top+t.height {
		t.scroll() // the window has room for a heading alone
	}
}

// Click selects the row at line y of the table's view. again reports that it
// was selected before: a second click opens.
func (t *Table) Click(y int) (ok, again bool) {
	if y < 1 || y > t.height || t.top+y-1 >= t.lines() {
		return false, false
	}
	place, _ := t.at(t.top + y - 1)
	if place < 0 {
		return false, false
	}
	again = place == t.cursor
	t.Go(place)
	return true, again
}

// scroll brings the selection into the window.
func (t *Table) scroll() {
	t.cursor = max(min(t.cursor, t.Len()-1), 0)
	line, above := t.lineOf(t.cursor)
	switch {
	case t.height <= 1:
		t.top = line
		return
	case above < t.top:
		t.top = above
	case line >= t.top+t.height:
		t.top = line - t.height + 1
	}
	t.top = max(min(t.top, t.lines()-t.height), 0)
}

// mark is the sign before the selected line, in addition to its style.
const (
	mark   = "» "
	unmark = "  "
)

// layout shares the width among the columns, with one space between two.
func (t *Table) layout() {
	room, grow := t.width-Width(mark), 0
	t.widths = make([]int, len(t.columns))
	for i, c := range t.columns {
		t.widths[i] = c.Width
		room -= c.Width + 1
		grow += c.Grow
	}
	room++
	for i, c := range t.columns {
		if c.Grow == 0 || room <= 0 {
			continue
		}
		more := room * c.Grow / grow
		t.widths[i] += more
		room -= more
		grow -= c.Grow
	}
}

// View draws header and window: exactly the lines of SetSize, each exactly its
// width.
func (t *Table) View() string {
	if t.width <= 0 {
		return ""
	}
	var b strings.Builder
	titles := make([]string, len(t.columns))
	for i, c := range t.columns {
		titles[i] = c.Title
	}
	line, _ := t.line(unmark, titles, false)
	b.WriteString(t.styles.Header.Render(line))
	for i := range t.height {
		b.WriteByte('\n')
		if t.top+i >= t.lines() {
			b.WriteString(strings.Repeat(" ", t.width))
			continue
		}
		place, g := t.at(t.top + i)
		if place < 0 {
			b.WriteString(t.styles.Header.Render(Fit(" "+g.Title, t.width)))
			continue
		}
		row := t.rows.Row(t.row(place))
		first, style := unmark, lipgloss.NewStyle()
		switch {
		case place == t.cursor:
			first, style = mark, t.styles.Selected
			if t.here != "" {
				first = Fit(t.here, Width(mark))
			}
		case row.Tone > 0 && row.Tone < len(t.styles.Tones):
			style = t.styles.Tones[row.Tone]
		}
		line, marks := t.line(first, row.Cells, true)
		t.paint(&b, line, marks, style)
	}
	return b.String()
}

// paint writes a line in a style, and the parts that a search found in that of a
// match as well.
func (t *Table) paint(b *strings.Builder, line string, marks [][2]int, style lipgloss.Style) {
	at := 0
	for _, m := range marks {
		if m[0] > at {
			b.WriteString(style.Render(line[at:m[0]]))
		}
		b.WriteString(t.styles.Match.Inherit(style).Render(line[m[0]:m[1]]))
		at = m[1]
	}
	if at < len(line) {
		b.WriteString(style.Render(line[at:]))
	}
}

// line is one line, as wide as the table, with the places of the matches in it.
func (t *Table) line(first string, cells []string, matches bool) (string, [][2]int) {
	var b strings.Builder
	var found [][2]int
	b.WriteString(first)
	for i, c := range t.columns {
		if i > 0 {
			b.WriteByte(' ')
		}
		cell := ""
		if i < len(cells) {
			cell = cells[i]
		}
		var marks [][2]int
		if matches && c.Match != nil {
			cell, marks = bracket(cell, c.Match(cell))
		}
		var fitted string
		switch {
		case c.Right:
			fitted = FitLeft(cell, t.widths[i])
		case c.Middle:
			fitted = FitMiddle(cell, t.widths[i])
		default:
			fitted = Fit(cell, t.widths[i])
		}
		for _, m := range moved(cell, fitted, marks) {
			found = append(found, [2]int{b.Len() + m[0], b.Len() + m[1]})
		}
		b.WriteString(fitted)
	}
	line := Fit(b.String(), t.width)
	return line, moved(b.String(), line, found)
}

// moved are the marks of a cell at their places after it was fitted: padded at a side,
// or shortened at its end or in its middle. Marks of text that was cut are left out.
func moved(cell, fitted string, marks [][2]int) [][2]int {
	if len(marks) == 0 || cell == fitted {
		return marks
	}
	var out [][2]int
	if i := strings.Index(fitted, cell); i >= 0 && cell != "" {
		for _, m := range marks {
			out = append(out, [2]int{m[0] + i, m[1] + i})
		}
		return out
	}
	head := 0
	for head < len(cell) && head < len(fitted) && cell[head] == fitted[head] {
		head++
	}
	tail := 0
	trimmed := strings.TrimRight(fitted, " ")
	for tail < len(cell)-head && tail < len(trimmed)-head && cell[len(cell)-1-tail] == trimmed[len(trimmed)-1-tail] {
		tail++
	}
	for _, m := range marks {
		switch {
		case m[0] < head:
			out = append(out, [2]int{m[0], runeEnd(fitted, min(m[1], head))})
		case m[0] >= len(cell)-tail:
			by := len(trimmed) - len(cell)
			out = append(out, [2]int{m[0] + by, m[1] + by})
		}
	}
	return out
}

// runeEnd moves a place in s back to the beginning of the character it is in.
func runeEnd(s string, at int) int {
	for at > 0 && at < len(s) && !utf8.RuneStart(s[at]) {
		at--
	}
	return at
}

// bracket puts [ ] around the marked parts of s, so that a match shows without colour,
// and returns the new places of those parts. Marks that do not fit s are left out.
func bracket(s string, marks [][2]int) (string, [][2]int) {
	if len(marks) == 0 {
		return s, nil
	}
	var b strings.Builder
	var out [][2]int
	at := 0
	for _, m := range marks {
		if m[0] < at || m[1] <= m[0] || m[1] > len(s) {
			continue
		}
		b.WriteString(s[at:m[0]])
		from := b.Len()
		b.WriteByte('[')
		b.WriteString(s[m[0]:m[1]])
		b.WriteByte(']')
		out = append(out, [2]int{from, b.Len()})
		at = m[1]
	}
	b.WriteString(s[at:])
	return b.String(), out
}

// Position is "15 of 372" in numbers, for a status line: place and length.
func (t *Table) Position() (place, length string) {
	if t.Len() == 0 {
		return "0", "0"
	}
	return strconv.Itoa(t.cursor + 1), strconv.Itoa(t.Len())
}
