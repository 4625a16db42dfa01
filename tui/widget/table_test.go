package widget

import (
	"fmt"
	"strings"
	"testing"

	"charm.land/bubbles/v2/table"
	tea "charm.land/bubbletea/v2"
	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"
	"pgregory.net/rapid"
)

type people int

func (p people) Len() int { return int(p) }

func (p people) Row(i int) Row {
	return Row{Cells: []string{"~", fmt.Sprint(i + 1), fmt.Sprintf("user%06d", i), "山田 太郎", "displayName"}, Tone: i % 3}
}

func columns() []Column {
	return []Column{
		{Width: 3},
		{Title: "No.", Width: 6, Right: true},
		{Title: "@midori.example", Width: 15, Grow: 2, Middle: true},
		{Title: "表示名", Width: 13, Grow: 1},
		{Title: "What", Width: 16, Grow: 2},
	}
}

func testTable(n, w, h int) *Table {
	t := NewTable(columns(), Styles{Tones: make([]lipgloss.Style, 3)})
	t.SetSize(w, h)
	t.SetRows(people(n))
	return t
}

func TestTable_SelectionIsAlwaysVisibleAndEveryLineIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 300).Draw(t, "rows")
		w, h := rapid.IntRange(4, 200).Draw(t, "width"), rapid.IntRange(2, 60).Draw(t, "height")
		tab := testTable(n, w, h)
		for range rapid.IntRange(0, 30).Draw(t, "moves") {
			switch rapid.IntRange(0, 8).Draw(t, "move") {
			case 0:
				tab.Move(rapid.IntRange(-400, 400).Draw(t, "by"))
			case 1:
				tab.Page(rapid.IntRange(-3, 3).Draw(t, "pages"))
			case 2:
				tab.Go(rapid.IntRange(-5, 400).Draw(t, "to"))
			case 3:
				tab.Wheel(rapid.IntRange(-400, 400).Draw(t, "wheel"))
			case 4:
				tab.Click(rapid.IntRange(-2, 70).Draw(t, "y"))
			case 5:
				var some []int32
				for i := range n {
					if rapid.Bool().Draw(t, "shown") {
						some = append(some, int32(i))
					}
				}
				tab.Show(some)
			case 6:
				tab.SetSize(w, rapid.IntRange(2, 60).Draw(t, "new height"))
			case 7:
				tab.Select(rapid.IntRange(-1, 301).Draw(t, "row"))
			case 8:
				if n := tab.Len(); n > 1 {
					tab.SetGroups([]Group{{0, "never"}, {rapid.IntRange(1, n-1).Draw(t, "second"), "known"}})
				}
			}
			line, _ := tab.lineOf(tab.cursor)
			if tab.Len() > 0 && (line < tab.top || line >= tab.top+tab.height) {
				t.Fatalf("selection %d is outside of the window %d+%d", line, tab.top, tab.height)
			}
			if place, _ := tab.at(line); tab.Len() > 0 && place != tab.cursor {
				t.Fatalf("line %d has place %d, want %d", line, place, tab.cursor)
			}
			if tab.Selected() >= n {
				t.Fatalf("selected row %d of %d", tab.Selected(), n)
			}
		}
		lines := strings.Split(tab.View(), "\n")
		if len(lines) != tab.height+1 {
			t.Fatalf("%d lines, want %d", len(lines), tab.height+1)
		}
		marks := 0
		for _, line := range lines {
			if got := Width(line); got != w {
				t.Fatalf("a line is %d wide, want %d: %q", got, w, line)
			}
			if strings.HasPrefix(line, "»") {
				marks++
			}
		}
		if want := min(tab.Len(), 1); marks != want {
			t.Fatalf("%d lines are marked, want %d", marks, want)
		}
	})
}

func TestTable_KeepsTheSelectedRowWhenRowsAreFilteredAndShownAgain(t *testing.T) {
	tab := testTable(1000, 80, 20)
	tab.Go(500)
	tab.Show([]int32{3, 500, 900})
	if tab.Selected() != 500 || tab.Place() != 1 {
		t.Errorf("selected %d at %d, want 500 at 1", tab.Selected(), tab.Place())
	}
	tab.Show(nil)
	if tab.Selected() != 500 {
		t.Errorf("selected %d, want 500", tab.Selected())
	}
	tab.Show([]int32{})
	if tab.Selected() != -1 {
		t.Errorf("selected %d of no rows, want -1", tab.Selected())
	}
	tab.Show(nil)
	if tab.Selected() != 0 {
		t.Errorf("selected %d, want 0", tab.Selected())
	}
}

func TestFit_IsExactForEveryTextAndWidth(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringOf(rapid.RuneFrom([]rune("aZ@.山田ﾔﾏﾀﾞＡ１　髙👩é─»"))).Draw(t, "text")
		w := rapid.IntRange(0, 60).Draw(t, "width")
		for name, fit := range map[string]func(string, int) string{"Fit": Fit, "FitLeft": FitLeft, "FitMiddle": FitMiddle} {
			if got := Width(fit(s, w)); got != w {
				t.Fatalf("%s(%q, %d) is %d wide: %q", name, s, w, got, fit(s, w))
			}
		}
	})
}

func TestFitMiddle_KeepsBothEnds(t *testing.T) {
	if got, want := FitMiddle("takahashi.hana@midori.example", 20), "takahashi..i.example"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestBracket_MarksMatchesWithoutColour(t *testing.T) {
	got, marks := bracket("渡邉 翔", [][2]int{{0, 6}})
	if want := "[渡邉] 翔"; got != want || len(marks) != 1 || got[marks[0][0]:marks[0][1]] != "[渡邉]" {
		t.Errorf("got %q with the marks %v, want %q", got, marks, want)
	}
	if got, _ := bracket("abc", [][2]int{{2, 9}}); got != "abc" {
		t.Errorf("a mark outside of the text gives %q", got)
	}
}

var sizes = []int{1_000, 100_000, 1_000_000}

// BenchmarkKeyDown moves the selection by one row and draws, compared with
// bubbles/table, which copies its rows.
func BenchmarkKeyDown(b *testing.B) {
	for _, n := range sizes {
		b.Run(fmt.Sprintf("widget/%d", n), func(b *testing.B) {
			tab := testTable(n, 120, 40)
			tab.Go(n / 2)
			b.ReportAllocs()
			for b.Loop() {
				tab.Move(1)
				_ = tab.View()
			}
		})
		b.Run(fmt.Sprintf("bubbles/%d", n), func(b *testing.B) {
			rows := make([]table.Row, n)
			for i := range rows {
				rows[i] = people(n).Row(i).Cells
			}
			m := table.New(table.WithColumns([]table.Column{
				{Width: 3},
				{Title: "No.", Width: 6},
				{Title: "@midori.example", Width: 38},
				{Title: "表示名", Width: 25},
				{Title: "What", Width: 38},
			}), table.WithRows(rows), table.WithHeight(40), table.WithWidth(120), table.WithFocused(true))
			m.SetCursor(n / 2)
			b.ReportAllocs()
			for b.Loop() {
				m, _ = m.Update(tea.KeyPressMsg{Code: tea.KeyDown})
				_ = m.View()
			}
		})
	}
}

func TestTable_ColoursAMatchInItsPlaceHoweverTheCellIsFitted(t *testing.T) {
	loud := lipgloss.NewStyle().Bold(true)
	rapid.Check(t, func(t *rapid.T) {
		cell := rapid.StringOf(rapid.RuneFrom([]rune("ab.[]山田ﾔﾏﾀﾞ　"))).Draw(t, "cell")
		column := Column{
			Width: rapid.IntRange(1, 30).Draw(t, "width"), Right: rapid.Bool().Draw(t, "right"), Middle: rapid.Bool().Draw(t, "middle"),
			Match: func(s string) [][2]int {
				if i := strings.Index(s, "山"); i >= 0 {
					return [][2]int{{i, i + len("山")}}
				}
				return nil
			},
		}
		tab := NewTable([]Column{{Width: 3}, column}, Styles{Match: loud})
		tab.SetRows(oneCell(cell))
		width := rapid.IntRange(4, 50).Draw(t, "table")
		tab.SetSize(width, 2)
		styled := strings.Split(tab.View(), "\n")[1]
		tab.SetStyles(Styles{})
		plain := strings.Split(tab.View(), "\n")[1]
		if got := ansi.Strip(styled); got != plain || Width(got) != width {
			t.Fatalf("with a style %q, without %q, width %d", got, plain, width)
		}
		// What is coloured is the bracketed match, or the beginning of it.
		_, after, found := strings.Cut(styled, "\x1b[1m")
		if !found {
			return
		}
		marked, _, _ := strings.Cut(after, "\x1b")
		match := "[山]"
		if !strings.HasPrefix(match, strings.TrimRight(marked, " .")) {
			t.Fatalf("%q is coloured in %q", marked, styled)
		}
	})
}

type oneCell string

func (oneCell) Len() int      { return 1 }
func (c oneCell) Row(int) Row { return Row{Cells: []string{"~", string(c)}} }

func TestTable_ColoursAMatch(t *testing.T) {
	tab := NewTable([]Column{{Width: 3}, {Width: 12, Match: func(string) [][2]int { return [][2]int{{0, 6}} }}}, Styles{
		Match: lipgloss.NewStyle().Bold(true), Selected: lipgloss.NewStyle().Reverse(true),
	})
	tab.SetRows(oneCell("渡邉 翔"))
	tab.SetSize(20, 2)
	if got := tab.View(); !strings.Contains(got, "\x1b[1;7m[渡邉]\x1b[m") {
		t.Errorf("the match is not coloured: %q", got)
	}
}

func TestTable_HeadingsStandAboveTheirGroups(t *testing.T) {
	tab := testTable(5, 60, 6)
	tab.SetGroups([]Group{{0, "never seen"}, {2, "explained"}})
	heads := func() (out []int) {
		for i, l := range strings.Split(ansi.Strip(tab.View()), "\n") {
			if strings.HasPrefix(l, " never") || strings.HasPrefix(l, " explained") {
				out = append(out, i)
			}
		}
		return out
	}
	if got := fmt.Sprint(heads()); got != "[1 4]" {
		t.Fatalf("headings on lines %s", got)
	}
	tab.Go(4)
	if got := fmt.Sprint(heads()); got != "[2]" { // three lines above the last row
		t.Errorf("at the end, headings on lines %s", got)
	}
	tab.Go(0)
	if got := fmt.Sprint(heads()); got != "[1 4]" {
		t.Errorf("back at the first row, headings on lines %s", got)
	}
	if ok, _ := tab.Click(4); ok {
		t.Error("a heading was selected")
	}
	if ok, _ := tab.Click(5); !ok || tab.Place() != 2 {
		t.Errorf("a click below the second heading selects %d", tab.Place())
	}
}
