package widget

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// narrowest is the least width that text is wrapped to.
const narrowest = 10

// Wrap breaks s into lines of at most width columns: at spaces, and in Japanese
// between two characters, by the rules of kinsoku. A word, an address, a path, an
// option and a number with its unit stay whole unless they are wider than a line;
// the last line has two characters or more.
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
	from, before := 0, 0 // where the line begins, and the one before it
	for Width(s[from:]) > width {
		cut := breakAt(s[from:], width)
		if cut == 0 {
			break
		}
		out = append(out, strings.TrimRight(s[from:from+cut], " "))
		before, from = from, from+cut
		from += len(s[from:]) - len(strings.TrimLeft(s[from:], " "))
	}
	last := s[from:]
	// Nothing stands alone on the last line.
	if n := len(out); n > 0 && alone(last) {
		for i := from - 1; i > before; i-- {
			if rest := strings.TrimLeft(s[i:], " "); breaks(s, i) && !alone(rest) && strings.TrimSpace(s[before:i]) != "" {
				if Width(rest) <= width {
					out[n-1], last = strings.TrimRight(s[before:i], " "), rest
				}
				break
			}
		}
	}
	return append(out, last)
}

// alone reports whether a last line has fewer than two characters, marks aside.
func alone(s string) bool {
	n := 0
	for _, r := range s {
		if r != ' ' && !strings.ContainsRune(noStart, r) {
			n++
		}
		if strings.ContainsRune(small, r) {
			n++
		}
	}
	return n < 2
}

// breakAt is where a line of at most width columns ends: at the last place where it
// may; else, inside a word that is wider, where an address may be parted; else where
// the line is full.
func breakAt(s string, width int) int {
	fits := len(firstColumns(s, width))
	for i := fits; i > 0; i-- {
		if utf8.RuneStart(s[i]) && breaks(s, i) && strings.TrimSpace(s[:i]) != "" {
			return i
		}
	}
	if i := strings.LastIndexByte(s[:fits], ' '); i > 0 && strings.TrimSpace(s[:i]) != "" {
		return i // only marks stand around it
	}
	if i := strings.LastIndexAny(s[:fits], `/\?&=`); i > fits/2 {
		return i + 1
	}
	return fits
}

// breaks reports whether a line may end before s[i].
func breaks(s string, i int) bool {
	if i <= 0 || i >= len(s) || !utf8.RuneStart(s[i]) {
		return false
	}
	before, _ := utf8.DecodeLastRuneInString(s[:i])
	after, _ := utf8.DecodeRuneInString(s[i:])
	switch {
	case before == ' ' || after == ' ':
		head, tail := strings.TrimRight(s[:i], " "), strings.TrimLeft(s[i:], " ")
		last, _ := utf8.DecodeLastRuneInString(head)
		return head != "" && !strings.ContainsRune(noEnd, last) && !closes(tail) && !united(head, tail)
	case !wide(before) && !wide(after):
		return false
	case Width(string(after)) == 0 || strings.ContainsRune(noEnd, before) || strings.ContainsRune(noStart, after):
		return false
	case before == after && strings.ContainsRune("…—―‥", after):
		return false
	}
	return !united(s[:i], s[i:])
}

// closes reports whether what comes after a space begins with a mark that closes:
// a dot or a colon that begins a name, as in .csv, does not.
func closes(s string) bool {
	r, n := utf8.DecodeRuneInString(s)
	if n == 0 {
		return false
	}
	next, _ := utf8.DecodeRuneInString(s[n:])
	switch r {
	case '"', '\'', '%', '?', '!':
		return false // they open as well, or are a sign that stands alone
	case '.', ':':
		return n == len(s) || !unicode.IsLetter(next) && !unicode.IsDigit(next)
	}
	return strings.ContainsRune(noStart, r)
}

// united reports whether a number at the end of head belongs to the unit that tail
// begins with, or the break is inside a unit of two characters.
func united(head, tail string) bool {
	for _, u := range units {
		if strings.HasPrefix(tail, u) && endsInNumber(head) {
			rest, _ := utf8.DecodeRuneInString(tail[len(u):])
			return rest == utf8.RuneError || !isLatin(u) || !unicode.IsLetter(rest)
		}
		for at := range u {
			if at > 0 && !isLatin(u) && strings.HasSuffix(head, u[:at]) && strings.HasPrefix(tail, u[at:]) && endsInNumber(strings.TrimRight(head[:len(head)-at], " ")) {
				return true
			}
		}
	}
	return false
}

func endsInNumber(s string) bool {
	r, _ := utf8.DecodeLastRuneInString(s)
	return unicode.IsDigit(r)
}

func isLatin(s string) bool { return s[0] < utf8.RuneSelf }

// units are what a number is not parted from, the longer ones first.
var units = slices.Concat(
	[]string{"時間", "分間", "秒間", "日間", "週間", "か月", "年間", "文字"},
	strings.Split("分秒時日週月年人件行回列つ度個台社字桁種倍%", ""),
	[]string{"percent", "seconds", "second", "minutes", "minute", "hours", "hour", "days", "day", "weeks", "min", "ms", "s", "h", "kB", "MB", "GB"},
)

func wide(r rune) bool { return Width(string(r)) == 2 }

// What no line begins with, and what none ends with (kinsoku): closing marks, the
// long vowel and small kana, also in half width; opening brackets.
const (
	small   = "ーぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮヵヶｧｨｩｪｫｬｭｮｯｰ々ゝゞヽヾ"
	noStart = "、。，．・：；？！〜）］｝」』】〉》〕" + small + "｡､｣･ﾞﾟ,.:;?!)]}%\"'"
	noEnd   = "（［｛「『【〈《〔｢([{"
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
