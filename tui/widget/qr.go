package widget

import (
	"strings"

	"rsc.io/qr"
)

// The quiet zone around a QR code, in modules: the size of the standard, and a smaller
// one that every telephone reads as well.
const (
	quiet     = 4
	quietLess = 2
)

// QR is a text as a QR code of at most width columns and height lines: lines of one
// width, two modules above each other in a character, or two columns for each module if
// signs of doubtful width are avoided. dark is whether the unpainted terminal is dark:
// then the light modules are drawn, else the dark ones, so that the code is right
// without colours too. It is nil if it does not fit; needs is then the size that it
// needs.
func (s Signs) QR(text string, dark bool, width, height int) (lines []string, needsWidth, needsHeight int) {
	code, err := qr.Encode(text, qr.L)
	if err != nil {
		return nil, 0, 0
	}
	for _, zone := range []int{quiet, quietLess} {
		n := code.Size + 2*zone
		ink := func(x, y int) bool { return code.Black(x-zone, y-zone) != dark }
		if s.Half[0] == "" {
			needsWidth, needsHeight = 2*n, n
			lines = wholeModules(n, ink, s.Full)
		} else {
			needsWidth, needsHeight = n, (n+1)/2
			lines = halfModules(n, ink, s)
		}
		if needsWidth <= width && needsHeight <= height {
			return lines, needsWidth, needsHeight
		}
	}
	return nil, needsWidth, needsHeight
}

func wholeModules(n int, ink func(x, y int) bool, full string) []string {
	out := make([]string, n)
	for y := range n {
		var b strings.Builder
		for x := range n {
			if ink(x, y) {
				b.WriteString(full + full)
			} else {
				b.WriteString("  ")
			}
		}
		out[y] = b.String()
	}
	return out
}

// halfModules draws two rows of modules a line. Below the last row of an odd
// number the quiet zone goes on.
func halfModules(n int, ink func(x, y int) bool, s Signs) []string {
	out := make([]string, 0, (n+1)/2)
	for y := 0; y < n; y += 2 {
		var b strings.Builder
		for x := range n {
			switch up, down := ink(x, y), ink(x, y+1); {
			case up && down:
				b.WriteString(s.Full)
			case up:
				b.WriteString(s.Half[0])
			case down:
				b.WriteString(s.Half[1])
			default:
				b.WriteByte(' ')
			}
		}
		out = append(out, b.String())
	}
	return out
}
