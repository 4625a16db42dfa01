package screen

import (
	"strconv"
	"strings"

	"charm.land/lipgloss/v2"

	"github.com/hacsync/hacsync/sync/message"
	"github.com/hacsync/hacsync/tui/review"
	"github.com/hacsync/hacsync/tui/widget"
)

// previewRows gives the table its rows, and keeps those drawn last.
type previewRows struct {
	s       *preview
	printer *message.Printer
	kept    map[int]widget.Row
}

// most is how many drawn rows are kept.
const most = 512

func (r *previewRows) forget() { r.kept = nil }

// Len is the number of actions: skips are shown only where a query asks for them.
func (r *previewRows) Len() int {
	if r.s.g == nil {
		return 0
	}
	return r.s.g.Actions()
}

// Row is the row with an index.
func (r *previewRows) Row(i int) widget.Row {
	e := r.s.e
	if r.printer != e.Printer || len(r.kept) >= most {
		r.printer, r.kept = e.Printer, nil
	}
	if row, ok := r.kept[i]; ok {
		return row
	}
	l := r.s.g.Row(i)
	row := widget.Row{
		Cells: []string{l.Sign, e.Say(review.Label(l.No)), message.Clean(l.UPN), message.Clean(l.Name), e.Say(l.What)},
		Tone:  int(l.Kind),
	}
	if l.Kind == 0 {
		row.Tone = toneSkip
	}
	if l.Out {
		row.Tone = toneOut
	}
	if r.kept == nil {
		r.kept = make(map[int]widget.Row, 64)
	}
	r.kept[i] = row
	return row
}

// The tones of rows beyond those of the kinds, which are numbered as plan.Kind.
const (
	toneSkip = 6
	toneOut  = 7
)

// tablePane is the table, or why there is nothing in it.
func (s *preview) tablePane(width, height int) []string {
	if height <= 0 {
		return nil
	}
	e := s.e
	st := e.Styles
	s.table.SetStyles(widget.Styles{
		Header: st.Label, Selected: st.Selected, Match: st.Match,
		Tones: []lipgloss.Style{st.Text, st.Delete, st.Rename, st.Restore, st.Add, st.Update, st.Skip, st.Faint},
	})
	s.table.SetHere(e.Signs.Here)
	var match func(string) [][2]int
	if q := s.search.Value(); strings.TrimSpace(q) != "" {
		match = review.NewMatcher(q).Find
	}
	digits := max(4, len(strconv.Itoa(s.g.Highest())))
	columns := []widget.Column{
		{Width: 3},
		{Title: e.T("preview.col.no"), Width: digits, Right: true},
		{Title: "@" + message.Clean(s.g.Plan().Domain()), Width: 15, Grow: 4, Middle: true, Match: match},
		{Title: e.T("preview.col.name"), Width: 13, Grow: 2, Match: match},
		{Title: e.T("preview.col.what"), Width: 16, Grow: 3},
	}
	if s.tab == review.TabBlock {
		s.dated(columns, width)
	}
	s.table.SetColumns(columns)
	groups := make([]widget.Group, len(s.groups))
	for i, g := range s.groups {
		groups[i] = widget.Group{From: g.From, Title: e.Say(g.Title)}
	}
	s.table.SetGroups(groups)
	s.table.SetSize(width, height)
	lines := strings.Split(s.table.View(), "\n")
	if s.table.Len() == 0 {
		id := "preview.nothing_here"
		switch {
		case s.pending:
			id = "preview.searching"
		case strings.TrimSpace(s.search.Value()) != "":
			id = "preview.nothing_found"
		case s.g.Actions() == 0 && s.tab == review.TabAll:
			id = "preview.no_changes"
		}
		s.note(lines, 2, width, e.T(id))
		return lines
	}
	used := 1 + s.table.Len() + len(groups)
	switch v := s.g.Remaining(); {
	case match != nil:
		s.note(lines, used+1, width, e.T("preview.search_hint"))
	case s.tab == review.TabDelete && !s.narrowed() && v.Delete < s.g.Plan().Counts().Delete:
		all := s.g.Plan().Counts().Delete
		s.note(lines, used+1, width, e.T("preview.deletions_hint", "n", all, "out", all-v.Delete, "left", v.Delete))
	}
	return lines
}

// dated gives the last column the room of its dates, which must not be cut: the name
// gives way, which the detail shows.
func (s *preview) dated(columns []widget.Column, width int) {
	const looked = 64
	last := &columns[len(columns)-1]
	last.Grow = 0
	for _, i := range s.found[:min(looked, len(s.found))] {
		last.Width = max(last.Width, widget.Width(s.rows.Row(int(i)).Cells[len(columns)-1]))
	}
	used := 2 + len(columns) - 1
	for _, c := range columns {
		used += c.Width
	}
	if used > width {
		upn, name := &columns[2], &columns[3]
		used -= name.Width
		*name = widget.Column{}
		upn.Width = max(8, upn.Width-max(0, used-width))
	}
}

// note writes a hint into the free lines of a pane, if all of it fits.
func (s *preview) note(lines []string, at, width int, text string) {
	wrapped := widget.Wrap(text, min(width-2, 80))
	if at+len(wrapped) > len(lines) {
		if at--; at < 1 || at+len(wrapped) > len(lines) {
			return
		}
	}
	for i, l := range wrapped {
		lines[at+i] = row(width, part{" " + l, s.e.Styles.Faint})
	}
}
