// Package widget holds the parts that screens are made of: a table that draws
// only the rows that show, and text that fits its place to the column.
//
// Widths are columns of a terminal: East Asian wide and full-width characters
// count two. Everything that comes from outside is cleaned before it is drawn.
package widget

import (
	"strings"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
)

// Width is the number of columns that s takes; styling takes none. It counts
// character by character as terminals do (wcwidth), not by grapheme: ﾀﾞ in
// half-width katakana is two columns, though Unicode calls it one grapheme.
func Width(s string) int {
	if plainASCII(s) {
		return len(s)
	}
	return ansi.StringWidthWc(s)
}

func plainASCII(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// ellipsis marks shortened text.
const ellipsis = ".."

// Fit makes s exactly w columns wide: padded with spaces at its right, or shortened at
// its end with "..". A space replaces a double-width character that would be cut in
// half.
func Fit(s string, w int) string {
	if w <= 0 {
		return ""
	}
	if n := Width(s); n <= w {
		return s + strings.Repeat(" ", w-n)
	}
	tail := ellipsis
	if w < len(tail) {
		tail = ""
	}
	s = firstColumns(s, w-len(tail)) + tail
	return s + strings.Repeat(" ", w-Width(s))
}

// FitWord is Fit, but what is shortened ends at a word, where one ends near: in
// Japanese before a particle is as good a place as any.
func FitWord(s string, w int) string {
	if Width(s) <= w || w < 4*len(ellipsis) {
		return Fit(s, w)
	}
	head := firstColumns(s, w-len(ellipsis))
	if rest := s[len(head):]; !strings.HasPrefix(rest, " ") {
		if i := strings.LastIndexByte(head, ' '); i > 0 && Width(head[i:])*3 <= w {
			head = head[:i]
		}
	}
	head = strings.TrimRight(head, " ") + ellipsis
	return head + strings.Repeat(" ", max(0, w-Width(head)))
}

// firstColumns is as much of the beginning of s as fits into w columns.
func firstColumns(s string, w int) string {
	for i, r := range s {
		if w -= Width(string(r)); w < 0 {
			return s[:i]
		}
	}
	return s
}

// Head is as much of the beginning of s as fits into w columns.
func Head(s string, w int) string { return firstColumns(s, w) }

// FitLeft is Fit with the padding at the left, for numbers.
func FitLeft(s string, w int) string {
	if n := Width(s); n < w {
		return strings.Repeat(" ", w-n) + s
	}
	return Fit(s, w)
}

// FitMiddle is Fit, but shortens in the middle: both the beginning and the end of a UPN
// are needed to recognise it.
func FitMiddle(s string, w int) string {
	if Width(s) <= w || w < 2*len(ellipsis)+2 {
		return Fit(s, w)
	}
	left := (w - len(ellipsis) + 1) / 2
	head := firstColumns(s, left)
	tail := lastColumns(s, w-len(ellipsis)-Width(head))
	return Fit(head+ellipsis+tail, w)
}

// lastColumns is as much of the end of s as fits into w columns.
func lastColumns(s string, w int) string {
	for i := len(s); i > 0; {
		r, n := utf8.DecodeLastRuneInString(s[:i])
		if w -= Width(string(r)); w < 0 {
			return s[i:]
		}
		i -= n
	}
	return s
}
