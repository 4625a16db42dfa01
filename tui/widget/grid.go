package widget

import (
	"slices"
	"strings"
)

// gap is the space between the columns of a grid, and before the first.
const gap = "  "

// Grid is a small table that is written as a whole, unlike Table.
type Grid struct {
	// Rows are its cells, the head first.
	Rows [][]string
	// Right are the columns aligned right.
	Right []int
	// Firm: so many first columns are names: long ones are shortened before all other
	// columns, short ones after all others.
	Firm int
	// Wrap: the last column is written in full, on several lines if necessary; otherwise it
	// is shortened.
	Wrap bool
}

// Lines writes the grid; rows are the lines of each row, the head first.
func (g Grid) Lines(width int) (rows [][]string) {
	widths := g.widths(width)
	for _, r := range g.Rows {
		if len(r) == 0 {
			rows = append(rows, nil)
			continue
		}
		first := gap
		for i, c := range r[:len(r)-1] {
			if slices.Contains(g.Right, i) {
				first += FitLeft(c, widths[i]) + gap
			} else {
				first += FitName(c, widths[i]) + gap
			}
		}
		last := len(r) - 1
		switch c := r[last]; {
		case slices.Contains(g.Right, last):
			rows = append(rows, []string{first + FitLeft(c, widths[last])})
		case g.Wrap:
			rows = append(rows, Hang(first, c, width))
		default:
			rows = append(rows, []string{first + FitWord(c, min(Width(c), width-Width(first)))})
		}
	}
	return rows
}

// widths makes the columns fit next to each other: the widest column that is no number
// is shortened first, the last gets the rest.
func (g Grid) widths(width int) []int {
	const least, wrapped, name = 8, 26, 22
	cols := 0
	for _, r := range g.Rows {
		cols = max(cols, len(r))
	}
	widths := make([]int, cols)
	for _, r := range g.Rows {
		for i, c := range r {
			widths[i] = max(widths[i], Width(c))
		}
	}
	last := cols - 1
	for {
		sum := len(gap) * cols
		for _, n := range widths {
			sum += n
		}
		if sum <= width {
			return widths
		}
		// What is wrapped loses nothing.
		if g.Wrap && widths[last] > wrapped {
			widths[last]--
			continue
		}
		widest := -1
		for i, n := range slices.Backward(widths) {
			if slices.Contains(g.Right, i) || n <= least || i < g.Firm && n <= name && widest >= g.Firm {
				continue
			}
			if widest < 0 || n >= widths[widest] || i < g.Firm && n > name {
				widest = i
			}
		}
		if widest < 0 {
			return widths
		}
		widths[widest]--
	}
}

// FitName shortens an address in the middle, anything else at its end.
func FitName(s string, width int) string {
	if strings.Contains(s, "@") {
		return FitMiddle(s, width)
	}
	return Fit(s, width)
}
