package widget

import (
	"strconv"
	"strings"

	"charm.land/lipgloss/v2"
)

// Rows gives a table its rows on demand, so that a million of them cost what
// the visible ones cost. Both methods are called from View and must not block.
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
	// Width is the least number of columns, and all there is where Grow is 0.
	Width int
	// Grow is the share of what room is left.
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
	cursor int // among the shown
	top    int
	width  int
	height int // of the rows, without the header
	widths []int
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

// SetRows replaces the rows and shows all of them, from the top.
func (t *Table) SetRows(rows Rows) {
	t.rows, t.shown, t.cursor, t.top = rows, nil, 0, 0
}

// Show shows only these rows, in this order; nil shows all. The selected row
// stays selected if it is among them.
func (t *Table) Show(rows []int32) {
	selected := t.Selected()
	t.shown = rows
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

// Wheel scrolls the window by n rows and takes the selection along where it
// would leave it.
func (t *Table) Wheel(n int) {
	t.top = max(min(t.top+n, t.Len()-t.height), 0)
	t.cursor = max(min(t.cursor, t.top+t.height-1, t.Len()-1), t.top, 0)
}

// Click selects the row at line y of the table's view. again reports that it
// was selected before: a second click opens.
func (t *Table) Click(y int) (ok, again bool) {
	place := t.top + y - 1
	if y < 1 || y > t.height || place >= t.Len() {
		return false, false
	}
	again = place == t.cursor
	t.Go(place)
	return true, again
}

// scroll brings the selection into the window.
func (t *Table) scroll() {
	t.cursor = max(min(t.cursor, t.Len()-1), 0)
	switch {
	case t.height <= 0:
		t.top = t.cursor
		return
	case t.cursor < t.top:
		t.top = t.cursor
	case t.cursor >= t.top+t.height:
		t.top = t.cursor - t.height + 1
	}
	t.top = max(min(t.top, t.Len()-t.height), 0)
}

// mark is what stands before the selected line, besides its style.
const (
	mark   = "» "
	unmark = "  "
)

// layout shares the width among the columns; between two stands one space.
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
	b.WriteString(t.styles.Header.Render(t.line(unmark, titles, false)))
	for i := range t.height {
		b.WriteByte('\n')
		place := t.top + i
		if place >= t.Len() {
			b.WriteString(strings.Repeat(" ", t.width))
			continue
		}
		row := t.rows.Row(t.row(place))
		if place == t.cursor {
			b.WriteString(t.styles.Selected.Render(t.line(mark, row.Cells, true)))
			continue
		}
		line := t.line(unmark, row.Cells, true)
		if row.Tone > 0 && row.Tone < len(t.styles.Tones) {
			line = t.styles.Tones[row.Tone].Render(line)
		}
		b.WriteString(line)
	}
	return b.String()
}

// line is one line, as wide as the table.
func (t *Table) line(first string, cells []string, matches bool) string {
	var b strings.Builder
	b.WriteString(first)
	for i, c := range t.columns {
		if i > 0 {
			b.WriteByte(' ')
		}
		cell := ""
		if i < len(cells) {
			cell = cells[i]
		}
		if matches && c.Match != nil {
			cell = Bracket(cell, c.Match(cell))
		}
		switch {
		case c.Right:
			b.WriteString(FitLeft(cell, t.widths[i]))
		case c.Middle:
			b.WriteString(FitMiddle(cell, t.widths[i]))
		default:
			b.WriteString(Fit(cell, t.widths[i]))
		}
	}
	return Fit(b.String(), t.width)
}

// Bracket puts [ ] around the marked parts of s, so that a match shows without
// colour. Marks that do not fit s are left out.
func Bracket(s string, marks [][2]int) string {
	if len(marks) == 0 {
		return s
	}
	var b strings.Builder
	at := 0
	for _, m := range marks {
		if m[0] < at || m[1] <= m[0] || m[1] > len(s) {
			continue
		}
		b.WriteString(s[at:m[0]])
		b.WriteByte('[')
		b.WriteString(s[m[0]:m[1]])
		b.WriteByte(']')
		at = m[1]
	}
	b.WriteString(s[at:])
	return b.String()
}

// Position is "15 of 372" in numbers, for a status line: place and length.
func (t *Table) Position() (place, length string) {
	if t.Len() == 0 {
		return "0", "0"
	}
	return strconv.Itoa(t.cursor + 1), strconv.Itoa(t.Len())
}
