package screen

import (
	"context"
	"fmt"
	"testing"

	"charm.land/bubbles/v2/table"
	tea "charm.land/bubbletea/v2"

	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/tui/review"
)

var crowdSizes = []int{1_000, 100_000, 1_000_000}

// BenchmarkPreviewKeyDown is one key and the frame that follows, with the selection in
// the middle, compared with bubbles/table with the same rows.
func BenchmarkPreviewKeyDown(b *testing.B) {
	for _, n := range crowdSizes {
		p := crowd(b, n)
		b.Run(fmt.Sprintf("preview/%d", n), func(b *testing.B) {
			w := newWorld(b, p, "en", 120, 35)
			w.s.table.Go(n / 2)
			w.view()
			b.ReportAllocs()
			for b.Loop() {
				w.s.Update(tea.KeyPressMsg{Code: tea.KeyDown})
				_ = w.view()
			}
		})
		b.Run(fmt.Sprintf("bubbles/%d", n), func(b *testing.B) {
			rows := make([]table.Row, 0, p.Len())
			for a := range p.Actions() {
				rows = append(rows, table.Row{a.Kind.Sign(), fmt.Sprint(a.No), a.UPN, a.Name, "displayName"})
			}
			m := table.New(table.WithColumns([]table.Column{
				{Width: 3},
				{Title: "No.", Width: 7},
				{Title: "UPN", Width: 30},
				{Title: "Display Name", Width: 20},
				{Title: "What", Width: 20},
			}), table.WithRows(rows), table.WithHeight(31), table.WithWidth(59), table.WithFocused(true))
			m.SetCursor(n / 2)
			b.ReportAllocs()
			for b.Loop() {
				m, _ = m.Update(tea.KeyPressMsg{Code: tea.KeyDown})
				_ = m.View()
			}
		})
	}
}

// BenchmarkPreviewKeystroke is what one keystroke of a search costs the loop;
// BenchmarkPreviewFind what it costs outside the loop.
func BenchmarkPreviewKeystroke(b *testing.B) {
	for _, n := range crowdSizes[:2] {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			w := newWorld(b, crowd(b, n), "en", 120, 35)
			w.keys("/")
			keys := []tea.KeyPressMsg{press("山"), press("backspace")}
			i := 0
			for b.Loop() {
				w.s.Update(keys[i%2])
				_ = w.view()
				i++
			}
		})
	}
}

// BenchmarkPreviewFind looks through all names of a plan.
func BenchmarkPreviewFind(b *testing.B) {
	for _, n := range crowdSizes[:2] {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			w := newWorld(b, crowd(b, n), "en", 120, 35)
			f := w.s.g.Finder(review.Query{Tab: review.TabAll, Search: "渡辺"})
			for b.Loop() {
				if _, err := f.Find(context.Background()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkPreviewLeaveOut is one row left out, with all that follows: verdict,
// plan code, frame.
func BenchmarkPreviewLeaveOut(b *testing.B) {
	for _, n := range crowdSizes[:2] {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			w := newWorld(b, crowd(b, n), "en", 120, 35)
			w.keys("6")
			for b.Loop() {
				w.keys("space")
				_ = w.view()
			}
		})
	}
}

// BenchmarkPreviewOpen is what a plan costs before its first frame, outside the loop.
func BenchmarkPreviewOpen(b *testing.B) {
	for _, n := range crowdSizes[:2] {
		var p *plan.Plan
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			p = crowd(b, n)
			b.ReportAllocs()
			for b.Loop() {
				_ = newWorld(b, p, "en", 120, 35)
			}
		})
	}
}
