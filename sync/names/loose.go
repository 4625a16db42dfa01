package names

import (
	"iter"
	"strconv"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// lookalikes are letters, in lower case and without marks, that are typed or pasted
// for a Latin one: with a stroke or a hook, Cyrillic, Greek, Armenian. The first of
// each group represents all.
const lookalikes = "aаαɑⱥ bвβƀɓ cсςȼƈ dđðԁɖɗ eеεɇҽ fƒ gɡǥɠ hнһħ iіιıɨ jјɉȷϳ kкκĸƙқ lłӏƚɫ mм nηŋƞɲո oоοøɵσօ " +
	"pрρƥ qԛɋ rгɍ sѕʂ tтτŧƭ uυμʉս vνѵʋ wԝω xхχ yуγүɏ zζƶȥ"

var lookalikeOf = sync.OnceValue(func() map[rune]rune { return groups(lookalikes) })

// latin returns the ASCII letters that r is typed for.
func latin(r rune) string {
	switch r {
	case 'ß':
		return "ss"
	case 'æ':
		return "ae"
	case 'œ':
		return "oe"
	case 'þ':
		return "th"
	}
	if l, ok := lookalikeOf()[r]; ok {
		r = l
	}
	return string(r)
}

// dash reports whether r is typed or pasted for a hyphen.
func dash(r rune) bool {
	switch r {
	case 'ー', '\u02d7', '\u2043', '\u2500', '\u2501': // the long vowel, a modifier, a bullet, lines of boxes
		return true
	}
	return unicode.Is(unicode.Dash, r)
}

// apostrophe reports whether r is typed or pasted for an apostrophe.
func apostrophe(r rune) bool {
	return r == '`' || r == '\u02b9' || r >= '\u02bb' && r <= '\u02bd' || // modifiers
		r >= '\u2018' && r <= '\u201b' || // quotation marks
		r == '\u2032' || r == '\u2035' || // primes
		r == '\ua78c' || r == '\u05f3' || r == '\u055a'
}

// valid returns s ready for NFKC and NFKD: in UTF-8, and with apostrophes for acute
// accents without a letter, because normalization makes spaces of these.
func valid(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\ufffd"), "\u00b4", "'")
}

// LooseUPN returns the UPN that a person who entered s may have meant: half-width,
// in lower case, without spaces, accents, invisible characters, and dots at an end,
// next to the @ or in a row; with the Latin letter for one that looks like it, and
// the plain hyphen and apostrophe for all others. A UPN that Microsoft 365 allows
// gives the same as directory.FoldUPN.
func LooseUPN(s string) string {
	if tight(s) {
		return s
	}
	b := make([]byte, 0, len(s))
	last := func() byte {
		if len(b) == 0 {
			return '.'
		}
		return b[len(b)-1]
	}
	for _, r := range norm.NFKD.String(valid(s)) {
		r = unicode.ToLower(r)
		switch {
		case unicode.IsSpace(r), unicode.Is(unicode.Mn, r), Hidden(r):
		case r == '.', r == '。':
			if last() != '.' && last() != '@' {
				b = append(b, '.')
			}
		case r == '@':
			for len(b) > 0 && last() == '.' {
				b = b[:len(b)-1]
			}
			if len(b) == 0 || last() != '@' {
				b = append(b, '@')
			}
		case r < utf8.RuneSelf && r != '`':
			b = append(b, byte(r))
		case dash(r):
			b = append(b, '-')
		case apostrophe(r):
			b = append(b, '\'')
		default:
			b = append(b, latin(r)...)
		}
	}
	return strings.TrimSuffix(string(b), ".")
}

// tight reports whether s is its own loose form, as nearly all UPNs in lower case
// are.
func tight(s string) bool {
	last := byte('.')
	for i := range len(s) {
		c := s[i]
		switch {
		case c <= ' ', c >= 0x7f, c >= 'A' && c <= 'Z', c == '`',
			c == '.' && (last == '.' || last == '@'),
			c == '@' && (last == '@' || last == '.' && i > 0):
			return false
		}
		last = c
	}
	return s == "" || last != '.'
}

// LooseID returns the immutable ID that a person who entered id may have meant:
// half-width, without spaces and invisible characters. Case matters in an ID.
func LooseID(id string) string {
	return norm.NFKC.String(strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || Hidden(r) {
			return -1
		}
		return r
	}, norm.NFKD.String(strings.ToValidUTF8(id, "\ufffd"))))
}

// Pieces returns the parts of a cell that may each be an address, or a part of one,
// in their loose form: cell is split at every character that an address cannot
// contain, such as white space, quotes, commas, brackets, colons and slashes, so
// that names, mailto: and smtp: around an address are separated. %40 counts as @.
// An address is one piece, with its @.
func Pieces(cell string) iter.Seq[string] {
	return func(yield func(string) bool) {
		s := norm.NFKC.String(valid(cell))
		if decoded := unescape(s); decoded != s {
			s = norm.NFKC.String(valid(decoded))
		}
		start, at := 0, false // at: the piece has an @, and so is at its domain
		end := func(to int) bool {
			piece := LooseUPN(strings.Trim(LooseUPN(s[start:to]), "'"))
			return !strings.ContainsFunc(piece, wordy) || yield(piece)
		}
		for i, r := range s {
			if r == '@' && (!at || s[i-1] == '@') {
				at = true
				continue
			}
			if stands(r, at) {
				continue
			}
			if !end(i) {
				return
			}
			start, at = i+utf8.RuneLen(r), false
		}
		end(len(s))
	}
}

func wordy(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) }

// stands reports whether an address can contain r, or a character that r was typed
// for: before the @, or in the domain after it.
func stands(r rune, domain bool) bool {
	switch {
	case unicode.IsSpace(r), r == utf8.RuneError:
		return false
	case wordy(r), unicode.IsMark(r), Hidden(r), dash(r), r == '.', r == '。':
		return true
	}
	return !domain && (apostrophe(r) || strings.ContainsRune("'_!#$&*+^~", r))
}

// unescape decodes what is percent-encoded in s; other percent signs stay.
func unescape(s string) string {
	if !strings.Contains(s, "%") {
		return s
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			if c, err := strconv.ParseUint(s[i+1:i+3], 16, 8); err == nil {
				b = append(b, byte(c))
				i += 2
				continue
			}
		}
		b = append(b, s[i])
	}
	return string(b)
}
