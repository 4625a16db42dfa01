package widget

import (
	"strings"
	"unicode/utf8"
)

// narrowest is the least width that text is wrapped to.
const narrowest = 10

// Wrap breaks s into lines of at most width columns: at spaces, and in Japanese
// between any two characters, but none begins with 、 or ends with 「.
func Wrap(s string, width int) []string {
	width = max(width, narrowest)
	var out []string
	for _, par := range strings.Split(s, "\n") {
		out = append(out, wrapLine(par, width)...)
	}
	return out
}

func wrapLine(s string, width int) []string {
	var out []string
	for Width(s) > width {
		fits := len(firstColumns(s, width))
		if fits == 0 {
			break
		}
		cut := breakAt(s, fits, width)
		out = append(out, strings.TrimRight(s[:cut], " "))
		s = strings.TrimLeft(s[cut:], " ")
	}
	return append(out, s)
}

// breakAt is where the line breaks of which the first fits bytes fit: at a space,
// or between two characters of which one is wide, as long as more than half a
// line is left; else it is cut where it is full.
func breakAt(s string, fits, width int) int {
	for i := fits; i > 0; {
		before, n := utf8.DecodeLastRuneInString(s[:i])
		after, _ := utf8.DecodeRuneInString(s[i:])
		if Width(s[:i])*2 <= width {
			break
		}
		if before == ' ' || after == ' ' || (wide(before) || wide(after)) && !strings.ContainsRune(noEnd, before) && !strings.ContainsRune(noStart, after) {
			return i
		}
		i -= n
	}
	return fits
}

func wide(r rune) bool { return Width(string(r)) == 2 }

// What no line begins with, and what none ends with (kinsoku): closing marks, the
// long vowel and small kana; opening brackets.
const (
	noStart = "、。，．・：；？！ー〜）］｝」』】〉》〕々ゝゞヽヾぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮヵヶ,.:;?!)]}%\"'"
	noEnd   = "（［｛「『【〈《〔([{"
)

// Hang is s wrapped after a first indent, its further lines under it.
func Hang(first, s string, width int) []string {
	n := Width(first)
	indent := strings.Repeat(" ", n)
	lines := Wrap(s, width-n)
	for i, l := range lines {
		if i == 0 {
			lines[i] = first + l
		} else {
			lines[i] = indent + l
		}
	}
	return lines
}

// Pairs are labelled values, the values under each other.
func Pairs(labels, values []string, width int) []string {
	label := 0
	for _, l := range labels {
		label = max(label, min(Width(l), width/2))
	}
	var out []string
	for i, l := range labels {
		out = append(out, Hang("  "+Fit(l, label)+"  ", values[i], width)...)
	}
	return out
}
