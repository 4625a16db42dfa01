package widget

import "strings"

// narrowest is the least width that text is wrapped to.
const narrowest = 10

// Wrap breaks s into lines of at most width columns, at spaces where there are
// any; Japanese has none and breaks anywhere.
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
		// The longest beginning that fits, cut at its last space if that
		// leaves more than half a line.
		cut, col, space := 0, 0, -1
		for i, r := range s {
			n := Width(string(r))
			if col+n > width {
				break
			}
			if r == ' ' && col*2 > width {
				space = i
			}
			col += n
			cut = i + len(string(r))
		}
		if cut == 0 {
			break
		}
		if cut < len(s) && s[cut] == ' ' {
			space = cut
		}
		if space > 0 {
			out = append(out, strings.TrimRight(s[:space], " "))
			s = strings.TrimLeft(s[space:], " ")
			continue
		}
		out = append(out, s[:cut])
		s = s[cut:]
	}
	return append(out, s)
}

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
