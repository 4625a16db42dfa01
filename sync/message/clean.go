package message

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/hacsync/hacsync/sync/names"
)

// Clean makes a text from outside fit to be shown: it removes control characters
// (C0, DEL, C1), bidi controls and invisible format characters; tabs, line breaks
// and line separators become spaces; bytes that are not UTF-8 become U+FFFD.
// Joiners and variation selectors stay: names are written with them. A text of
// several lines becomes one line.
func Clean(s string) string {
	if isClean(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	for _, r := range s {
		switch {
		case r == '\t', r == '\n', r == '\r', r == '\v', r == '\f', r == 0x85, r == 0x2028, r == 0x2029:
			b.WriteByte(' ')
		case stripped(r):
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// isClean is a quick check, which nearly all texts pass.
func isClean(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < 0x20 || s[i] >= 0x7f {
			return utf8.ValidString(s) && strings.IndexFunc(s, func(r rune) bool {
				return stripped(r) || r == 0x2028 || r == 0x2029
			}) < 0
		}
	}
	return true
}

// stripped reports whether Clean removes a character (or makes a space of it).
func stripped(r rune) bool {
	switch {
	case r < 0x20, r >= 0x7f && r <= 0x9f:
		return true
	case r < 0xad:
		return false
	case bidi(r):
		return true
	case r == 0xad, // soft hyphen
		r == 0x180e,                  // Mongolian vowel separator
		r == 0x200b,                  // zero width space
		r >= 0x2060 && r <= 0x206f,   // word joiner, invisible operators, deprecated formatting
		r == 0xfeff,                  // byte order mark
		r >= 0xfff9 && r <= 0xfffb,   // interlinear annotation
		r >= 0xe0000 && r <= 0xe007f, // tags
		r >= 0x1d173 && r <= 0x1d17a, // musical formatting
		r >= 0x1bca0 && r <= 0x1bca3: // shorthand format controls
		return true
	}
	return false
}

// bidi reports whether a character changes the direction of what follows: with one,
// a UPN could be read as another.
func bidi(r rune) bool {
	return r == 0x61c || r == 0x200e || r == 0x200f ||
		r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069
}

// Reveal shows the invisible characters of a value, and those that look like
// another: it writes <U+3000> for an ideographic space, <U+200B> for a zero width
// space, <U+0430> for a Cyrillic letter in a Latin word. Ordinary spaces stay,
// unless they begin or end the value or follow one another.
func Reveal(s string) string { return reveal(s, false) }

// RevealChange shows two values of one attribute like Reveal. If both have spaces,
// of different kinds, or if they look the same except for spaces, every space is
// shown by its number.
func RevealChange(before, after string) (string, string) {
	was, is := spaces(before), spaces(after)
	all := was != "" && is != "" && was != is ||
		before != after && names.Look(spaceless(before)) == names.Look(spaceless(after))
	return reveal(before, all), reveal(after, all)
}

func spaceless(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, s)
}

// spaces returns the kinds of space in a value, each once, in order of number.
func spaces(s string) string {
	var kinds []rune
	for _, r := range s {
		if unicode.IsSpace(r) && !slices.Contains(kinds, r) {
			kinds = append(kinds, r)
		}
	}
	slices.Sort(kinds)
	return string(kinds)
}

func reveal(s string, everySpace bool) string {
	if !everySpace && plain(s) {
		return s
	}
	var b strings.Builder
	foreign := mixed(s)
	last := len(s)
	for i, r := range s {
		size := utf8.RuneLen(r)
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(s[i:], "\uFFFD"):
			fmt.Fprintf(&b, "<%02X>", s[i])
			continue
		case r == ' ' && !everySpace:
			edge := i == 0 || i+size == last
			double := i > 0 && s[i-1] == ' ' || i+size < last && s[i+size] == ' '
			if !edge && !double {
				b.WriteByte(' ')
				continue
			}
		case unicode.IsSpace(r), names.Hidden(r), foreign[i]:
		default:
			b.WriteRune(r)
			continue
		}
		fmt.Fprintf(&b, "<U+%04X>", r)
	}
	return b.String()
}

// plain reports whether there is nothing to reveal: printable ASCII with single
// spaces inside.
func plain(s string) bool {
	if s == "" {
		return true
	}
	for i := 0; i < len(s); i++ {
		if s[i] < 0x20 || s[i] >= 0x7f {
			return false
		}
	}
	return s[0] != ' ' && s[len(s)-1] != ' ' && !strings.Contains(s, "  ")
}

// mixed finds the Greek and Cyrillic letters in words with Latin ones, by byte
// offset.
func mixed(s string) map[int]bool {
	var out map[int]bool
	var word []int // offsets of Greek and Cyrillic letters of the word
	latin := false
	flush := func() {
		if latin {
			for _, i := range word {
				if out == nil {
					out = map[int]bool{}
				}
				out[i] = true
			}
		}
		word, latin = word[:0], false
	}
	for i, r := range s {
		switch {
		case !unicode.IsLetter(r) && !unicode.IsMark(r):
			flush()
		case unicode.Is(unicode.Latin, r):
			latin = true
		case unicode.In(r, unicode.Greek, unicode.Cyrillic):
			word = append(word, i)
		}
	}
	flush()
	return out
}
