package haccsv

import (
	"bytes"
	"encoding/base64"
	"io"
	"strings"
	"sync"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	xencoding "golang.org/x/text/encoding"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
)

// That bytes decode proves little: most names in EUC-JP are half-width katakana in
// Shift_JIS, and so is much of what Chinese and Korean encodings write. The decoded
// text must also be text that people write. So every encoding that the bytes could
// be in is tried over the whole file, and for each its characters are counted:
// frequent in names, rare, or never in a name.

// letter is the class of a character in a reading.
type letter uint8

const (
	noLetter letter = iota // the bytes are not a character
	frequent               // among the usual ones of names
	ordinary               // in the part of the standard for daily use
	rare                   // elsewhere in the standard
	halfKana               // half-width katakana
	mark                   // punctuation and full-width letters: no evidence
	space                  // a wide space
	odd                    // Greek, boxes, private use: never in a name
)

// charset is an encoding of one and two bytes a character. Classes of one-byte
// characters are in of at their byte, of two-byte ones at both.
type charset struct {
	name encoding
	of   *[1 << 16]letter
	// three is the byte that begins a character of three bytes, 0 if there is none.
	three byte
}

// charsets are those that are distinguished; the first is the one that is read.
var charsets = sync.OnceValue(func() []charset {
	japaneseSet, chineseSet, koreanSet := set(japaneseLetters), set(chineseLetters), set(koreanLetters)
	bothSet := set(japaneseLetters + chineseLetters) // GBK has kana, and offices in China have Japanese staff
	level := func(from, to uint16) func(uint16) bool { return func(c uint16) bool { return c >= from && c <= to } }
	return []charset{
		table(shiftJIS, japanese.ShiftJIS, japaneseSet, level(0x889f, 0x9872), 0),
		table(eucJP, japanese.EUCJP, japaneseSet, level(0xb0a1, 0xcfd3), 0x8f),
		table("GBK", simplifiedchinese.GBK, bothSet, level(0xb0a1, 0xd7f9), 0),
		table("Big5", traditionalchinese.Big5, chineseSet, level(0xa440, 0xc67e), 0),
		table("EUC-KR", korean.EUCKR, koreanSet, level(0xb0a1, 0xc8fe), 0),
	}
})

func set(letters string) map[rune]bool {
	s := map[rune]bool{}
	for _, r := range letters {
		s[r] = true
	}
	return s
}

// table decodes every code of an encoding once.
func table(name encoding, e xencoding.Encoding, names map[rune]bool, daily func(uint16) bool, three byte) charset {
	c := charset{name: name, of: new([1 << 16]letter), three: three}
	d := e.NewDecoder()
	decode := func(b ...byte) rune {
		text, err := d.Bytes(b)
		r, size := utf8.DecodeRune(text)
		if err != nil || size != len(text) {
			return utf8.RuneError
		}
		return r
	}
	isJapanese := names['藤']
	for lead := 0x80; lead <= 0xff; lead++ {
		if r := decode(byte(lead)); r != utf8.RuneError && r != 0x80 {
			c.of[lead] = kind(r, names, isJapanese, false)
			continue
		}
		for trail := 0x40; trail <= 0xff; trail++ {
			code := uint16(lead<<8 | trail)
			if r := decode(byte(lead), byte(trail)); r != utf8.RuneError {
				c.of[code] = kind(r, names, isJapanese, daily(code))
			}
		}
	}
	return c
}

// kind returns the class of a character in an encoding for names; daily reports
// whether it is in the part of the standard for daily use.
func kind(r rune, names map[rune]bool, isJapanese, daily bool) letter {
	switch {
	case names[r]:
		return frequent
	case r == '\u3000':
		return space
	case r >= 0xff61 && r <= 0xff9f:
		return halfKana
	case unicode.In(r, unicode.Hiragana, unicode.Katakana) || r == 'ー':
		if isJapanese {
			return frequent
		}
		return rare
	case r >= 0x3001 && r <= 0x301f, r >= 0xff01 && r <= 0xff5e, r >= 0x2460 && r <= 0x2473, r == '㈱', r == '㈲', r == '№', r == '・', r == '゛', r == '゜':
		return mark
	case unicode.In(r, unicode.Han, unicode.Hangul):
		if daily {
			return ordinary
		}
		return rare
	}
	return odd
}

// reading is what the bytes of a file are in one encoding.
type reading struct {
	charset
	count  [odd + 1]int // characters by class; noLetter counts bytes that are not characters
	marked int          // half-width katakana of two bytes
	junk   int          // characters of impossible words
	word   word
}

// word is a run of letters between separators.
type word struct {
	count [odd + 1]int
	lower int // small ASCII letters
	upper int
	any   bool // has other letters
	inner bool // has small ASCII letters after others
	wrong bool // has half-width katakana that cannot follow each other
	last  byte // the half-width katakana before, 0 if none
}

// take counts a part of the file that begins and ends with whole characters.
func (r *reading) take(b []byte) {
	for i := 0; i < len(b); {
		c := b[i]
		if c < utf8.RuneSelf {
			r.word.last = 0
			switch {
			case c >= 'a' && c <= 'z':
				r.word.lower++
				r.word.inner = r.word.inner || r.word.any
			case c >= 'A' && c <= 'Z':
				r.word.upper++
			case c < '0' || c > '9':
				r.end()
			}
			i++
			continue
		}
		k, size := r.of[c], 1
		if k == noLetter && i+1 < len(b) {
			if k, size = r.of[uint16(c)<<8|uint16(b[i+1])], 2; k == noLetter {
				size = 1
			}
			if c == r.three && r.three != 0 && i+2 < len(b) && b[i+1] >= 0xa1 && b[i+2] >= 0xa1 {
				k, size = rare, 3
			}
		}
		i += size
		switch k {
		case space:
			r.end()
			continue
		case noLetter:
			r.count[noLetter]++
			continue
		case halfKana:
			c = b[i-1] // the second of two in EUC-JP
			r.word.wrong = r.word.wrong || !follows(r.word.last, c)
			r.word.last = c
			if size == 2 {
				k = frequent // a voiced sound mark after each is no accident
				r.marked++
			}
		default:
			r.word.last = 0
		}
		r.word.count[k]++
		r.word.any = true
	}
	r.end()
}

// end judges a word as a whole.
func (r *reading) end() {
	w := &r.word
	n := 0
	for k := frequent; k <= odd; k++ {
		n += w.count[k]
	}
	if n > 0 {
		switch {
		case w.count[odd] > 0,
			w.lower > 0 && (w.count[frequent]*2 <= n || w.inner && n <= 2), // what the ü of Müller became
			w.count[halfKana] > 0 && (w.wrong || w.lower+w.upper > 0 || w.count[rare] > 0):
			r.junk += n
		default:
			for k, n := range w.count {
				r.count[k] += n
			}
		}
	}
	*w = word{}
}

// follows reports whether one half-width katakana can follow another, or begin
// a word if before is 0. Bytes as in Shift_JIS.
func follows(before, c byte) bool {
	switch {
	case c == 0xde: // a voiced sound mark: after ｳ, ｶ to ﾄ, ﾊ to ﾎ
		return before == 0xb3 || before >= 0xb6 && before <= 0xc4 || before >= 0xca && before <= 0xce
	case c == 0xdf: // after ﾊ to ﾎ
		return before >= 0xca && before <= 0xce
	case c >= 0xa7 && c <= 0xab: // ｧ to ｫ, as in ﾌｧ, ｳｨ, ｼﾞｪ
		return bytes.IndexByte([]byte{0xb3, 0xb8, 0xbc, 0xc1, 0xc2, 0xc3, 0xc4, 0xcc, 0xde}, before) >= 0 || c == 0xaa && before == 0xb2
	case c >= 0xac && c <= 0xae: // ｬ ｭ ｮ, after the sounds that end in i
		return bytes.IndexByte([]byte{0xb7, 0xbc, 0xc1, 0xc3, 0xc6, 0xcb, 0xd0, 0xd8, 0xde, 0xdf, 0xcc}, before) >= 0
	case c == 0xaf, c == 0xb0, c == 0xdd: // ｯ ｰ ﾝ
		return before >= 0xa7
	case c >= 0xa1 && c <= 0xa4: // ｡ ｢ ｣ ､ are never in a name
		return false
	case c == 0xa6: // ｦ
		return false
	}
	return true
}

func (r *reading) total() int {
	return r.junk + r.count[frequent] + r.count[ordinary] + r.count[rare] + r.count[halfKana]
}

// share returns which part of all characters n are.
func (r *reading) share(n int) float64 {
	if r.total() == 0 {
		return 0
	}
	return float64(n) / float64(r.total())
}

// whole reports whether the bytes are text in the encoding, except for a damaged
// place in a long file.
func (r *reading) whole() bool { return r.count[noLetter]*20 <= r.total() }

// usual returns how many of the characters are frequent ones, from 0 to 1.
func (r *reading) usual() float64 { return r.share(r.count[frequent]) }

// likely reports whether people write such text.
func (r *reading) likely() bool {
	wide := r.count[frequent] + r.count[ordinary] + r.count[rare]
	return r.whole() && r.total()+r.count[mark] > 0 && r.share(r.junk) <= .1 &&
		(r.count[frequent]*2 >= wide || (r.count[frequent]+r.count[ordinary])*5 >= wide*4)
}

// Shares of frequent characters: from which a text is certainly in an encoding, and
// from which it may be; and how few characters prove nothing.
const (
	surely = .6
	maybe  = .35
	few    = 16
)

// decide returns the encoding of bytes that are not UTF-8: empty if it is no known
// one. If that cannot be decided, unsure lists the possible ones.
func decide(rs []*reading) (found encoding, unsure []string) {
	sjis, euc := rs[0], rs[1]
	for _, r := range rs[1:] {
		if r.whole() && r.usual() >= surely && r.usual() > sjis.usual() && r.share(r.junk) <= .1 {
			switch {
			case sjis.likely() && r.total() < few && r.marked*2 < few/2 && (r.usual() < .95 || r.total() < few/2):
				return "", []string{string(shiftJIS), string(r.name)}
			case r == euc:
				return eucJP, nil
			}
			return "", nil
		}
	}
	if !sjis.likely() {
		switch {
		case euc.likely():
			return eucJP, nil
		case sjis.whole() && euc.whole() && euc.total() > 0:
			return "", []string{string(shiftJIS), string(eucJP)}
		}
		return "", nil
	}
	if sjis.count[frequent]+sjis.count[ordinary] > 0 {
		return shiftJIS, nil
	}
	// Nothing but half-width katakana: text in any of the others may look like
	// that.
	for _, r := range rs[1:] {
		if r.whole() && r.total() > 0 && (r.usual() > maybe || r == euc && r.share(r.count[rare]+r.junk) < .25) {
			unsure = append(unsure, string(r.name))
		}
	}
	if len(unsure) > 0 {
		return "", append([]string{string(shiftJIS)}, unsure...)
	}
	return shiftJIS, nil
}

// decideShort reports whether text that is UTF-8, but has only Latin, Greek and
// similar letters in it, is more likely Japanese in another encoding: 谷 in EUC-JP
// is ë in UTF-8. Letters next to ASCII ones are what they seem.
func decideShort(rs []*reading, among bool) (found encoding, unsure []string) {
	if among {
		return utf8Plain, nil
	}
	for i, r := range rs {
		half := i == 0 && r.likely() && r.count[halfKana] == r.total()
		if r.whole() && r.total() > 0 && (half || r.usual() >= surely) {
			unsure = append(unsure, string(r.name))
		}
	}
	if len(unsure) > 0 {
		return "", append([]string{string(utf8Plain)}, unsure...)
	}
	return utf8Plain, nil
}

// judge reads a file again whose encoding its bytes alone do not show. short means
// that its bytes are valid UTF-8, without anything beyond U+07FF.
func judge(file io.Reader, short bool) (found encoding, unsure []string, err error) {
	rs := make([]*reading, 0, 5)
	for _, c := range charsets() {
		rs = append(rs, &reading{charset: c})
	}
	among := false
	err = eachLine(file, func(line []byte) bool {
		if !ascii(line) {
			for _, r := range rs {
				r.take(line)
			}
			among = among || short && amongASCII(line)
		}
		return true
	})
	if err != nil {
		return "", nil, err
	}
	if short {
		found, unsure = decideShort(rs, among)
	} else {
		found, unsure = decide(rs)
	}
	return found, unsure, nil
}

// judgeASCII looks for encodings that write Japanese or Chinese with ASCII
// characters alone, in a file that has no others.
func judgeASCII(file io.Reader) (found encoding, err error) {
	err = eachLine(file, func(line []byte) bool {
		found = sevenBit(line)
		return found == ""
	})
	return found, err
}

// sevenBit returns the encoding whose marks a line of ASCII contains.
func sevenBit(line []byte) encoding {
	const escape = 0x1b
	for i := bytes.IndexByte(line, escape); i >= 0 && i+2 < len(line); {
		switch rest := line[i+1:]; {
		case bytes.HasPrefix(rest, []byte("$)C")):
			return "ISO-2022-KR"
		case bytes.HasPrefix(rest, []byte("$)A")), bytes.HasPrefix(rest, []byte("$)G")), bytes.HasPrefix(rest, []byte("$*H")):
			return "ISO-2022-CN"
		case rest[0] == '$', rest[0] == '(' && strings.IndexByte("BIJ", rest[1]) >= 0, bytes.HasPrefix(rest, []byte("&@")):
			return iso2022JP
		}
		next := bytes.IndexByte(line[i+1:], escape)
		if next < 0 {
			break
		}
		i += 1 + next
	}
	if i := bytes.Index(line, []byte("~{")); i >= 0 && bytes.Contains(line[i:], []byte("~}")) {
		return "HZ-GB-2312"
	}
	for rest := line; ; {
		i := bytes.IndexByte(rest, '+')
		if i < 0 {
			return ""
		}
		before := byte(',')
		if i > 0 {
			before = rest[i-1]
		}
		rest = rest[i+1:]
		n := 0
		for n < len(rest) && inBase64(rest[n]) {
			n++
		}
		if !inBase64(before) && (n == len(rest) || rest[n] != '=') && inUTF7(rest[:n]) {
			return "UTF-7"
		}
	}
}

func inBase64(c byte) bool {
	return c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9' || c == '+' || c == '/'
}

// inUTF7 reports whether b, without the signs around it, is Japanese, Chinese or
// Korean in UTF-7.
func inUTF7(b []byte) bool {
	raw, err := base64.RawStdEncoding.Strict().AppendDecode(nil, b)
	if err != nil || len(bytes.Trim(b, "0123456789")) == 0 || len(raw) < 2 || len(raw)%2 != 0 {
		return false
	}
	var units []uint16
	for i := 0; i < len(raw); i += 2 {
		units = append(units, uint16(raw[i])<<8|uint16(raw[i+1]))
	}
	for _, r := range utf16.Decode(units) {
		if !unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul) && r != 0x3000 && r != 'ー' {
			return false
		}
	}
	return true
}

func ascii(b []byte) bool {
	for _, c := range b {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// amongASCII reports whether a character that is not ASCII is next to an ASCII
// letter.
func amongASCII(b []byte) bool {
	isLetter := func(i int) bool { return i >= 0 && i < len(b) && b[i]|0x20 >= 'a' && b[i]|0x20 <= 'z' }
	for i, c := range b {
		if c >= utf8.RuneSelf && (isLetter(i-1) || isLetter(i+1)) {
			return true
		}
	}
	return false
}

// eachLine passes the lines of a file in pieces of whole lines, with their line
// breaks, until f returns false. No encoding that is judged has a byte of a line
// break in another character.
func eachLine(file io.Reader, f func([]byte) bool) error {
	buf, kept := make([]byte, 64<<10), 0
	for {
		n, err := file.Read(buf[kept:])
		if err != nil && err != io.EOF {
			return err
		}
		b := buf[:kept+n]
		for len(b) > 0 {
			i := bytes.IndexAny(b, "\r\n")
			if i < 0 && err == nil && len(b) < len(buf) {
				break
			}
			if i < 0 {
				i = len(b) - 1
			}
			if !f(b[:i+1]) {
				return nil
			}
			b = b[i+1:]
		}
		kept = copy(buf, b)
		if err == io.EOF {
			return nil
		}
	}
}
