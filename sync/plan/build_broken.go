package plan

import (
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
	"golang.org/x/text/unicode/norm"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/problem"
)

// This file finds values that were not typed on purpose: what a spreadsheet shows
// instead of a value, and text that was read in another encoding than it was written
// in. The row is refused. A value that only looks worse than before gets a warning; if
// that happens to many rows, the source is refused.

// sheetErrors are what spreadsheets show where they have no value, in the
// languages that they are sold in most.
const sheetErrors = " #NAME? #REF! #VALUE! #N/A #DIV/0! #NULL! #NUM! #SPILL! #CALC! #FIELD! #GETTING_DATA #BUSY! #CONNECT! #BLOCKED! #UNKNOWN! " +
	"#EXTERNAL! #PYTHON! #ERROR! #NV #WERT! #BEZUG! #ZAHL! #NOM? #VALEUR! #NOMBRE! #¿NOMBRE? #¡REF! #¡VALOR! #¡NUM! #¡DIV/0! #NOME? #VALOR! #VALORE! #RIF! #N/D " +
	"#ИМЯ? #ССЫЛКА! #ЗНАЧ! #ЧИСЛО! #Н/Д ERR:501 ERR:502 ERR:503 ERR:504 ERR:508 ERR:509 ERR:511 ERR:512 ERR:519 ERR:520 ERR:521 ERR:522 ERR:523 "

var (
	// A number that was too long for its cell, a formula in place of its value.
	sheetNumber  = regexp.MustCompile(`^[+-]?[0-9]([.,][0-9]+)?E[+-][0-9]{2,3}$`)
	sheetFormula = regexp.MustCompile(`^=(\w+\(.*|([^|]*!)?[A-Z]{1,3}[0-9]+)$`)
	// What was taken for a date: mar1 becomes 1-Mar.
	sheetDate = regexp.MustCompile(`^([0-9]{1,2}-(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)(-[0-9]{2,4})?|(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)-[0-9]{2}|` +
		`[0-9]{4}/[0-9]{1,2}/[0-9]{1,2}( [0-9]{1,2}:[0-9]{2}(:[0-9]{2})?)?|[0-9]{1,2}/[0-9]{1,2}/[0-9]{4}|[0-9]{1,2}月[0-9]{1,2}日|[0-9]{4}年[0-9]{1,2}月([0-9]{1,2}日)?)$`)
	// Text in the escapes of a form that was never decoded.
	escaped = regexp.MustCompile(`&#[0-9]{2,7};|&#[xX][0-9a-fA-F]{2,6};|&(amp|lt|gt|quot|nbsp|apos);|\\u[0-9a-fA-F]{4}|=\?[\w-]+\?[bBqQ]\?[^?]*\?=|(=[0-9A-F]{2}){3}|` +
		`\$[B@][\x21-\x7e]+\([BJ]|\x1b[$(&]`)
	percents = regexp.MustCompile(`(%[0-9A-Fa-f]{2}){2,}`)
)

// fromSheet reports whether a value comes from a spreadsheet, not from a user.
func fromSheet(a directory.Attribute, v string) bool {
	if a == directory.UserPrincipalName {
		v, _ = directory.SplitUPN(v)
	}
	if strings.IndexFunc(v, sheetSign) < 0 {
		return false
	}
	v = strings.TrimSpace(norm.NFKC.String(v))
	if v == "" {
		return false
	}
	if a == directory.ImmutableID || a == directory.MailNickname {
		if sheetDate.MatchString(v) {
			return true
		}
	}
	if v[0] == '#' && len(v) > 2 {
		end := v[len(v)-1]
		if !strings.Contains(v, " ") && (end == '?' || end == '!') || strings.Trim(v, "#") == "" {
			return true
		}
	}
	if strings.ContainsAny(v, "#:") {
		for word := range strings.FieldsSeq(strings.ToUpper(v)) {
			if strings.Contains(sheetErrors, " "+word+" ") {
				return true
			}
		}
	}
	switch c := v[0]; {
	case c == '=':
		return sheetFormula.MatchString(v)
	case c >= '0' && c <= '9', c == '+', c == '-':
		return sheetNumber.MatchString(v)
	}
	return false
}

// sheetSign reports whether a character occurs in what spreadsheets show.
func sheetSign(r rune) bool {
	switch r {
	case '#', '＃', '=', '＝', ':', '：', '+', '＋', '-', '－', '/', '／', '月':
		return true
	}
	return r >= 0x207a && r <= 0x208c || r >= 0xfe50 && r <= 0xfe6f
}

// garbled reports whether text was damaged, or is in another encoding than it
// was read in.
func garbled(v string) bool {
	// No source has bytes that are not text.
	if strings.Contains(v, "\ufffd") || strings.Contains(v, "\ufffe") || strings.Contains(v, "\uffff") {
		return true
	}
	if strings.ContainsAny(v, "&\\=$%\x1b") {
		if escaped.MatchString(v) {
			return true
		}
		for _, p := range percents.FindAllString(v, -1) {
			if text, err := url.PathUnescape(p); err == nil && utf8.ValidString(text) && utf8.RuneCountInString(text) < len(text) {
				return true
			}
		}
	}
	if strings.IndexFunc(v, lettered) < 0 && strings.ContainsAny(v, "?？〓□") {
		return true // every letter is lost
	}
	return !plain(v) && misread(v)
}

func lettered(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

// wides are the encodings that text is most often read as instead of UTF-8; the first
// is the one that a Japanese system assumes.
var wides = []encoding.Encoding{ //nolint:gochecknoglobals // a table
	japanese.ShiftJIS, simplifiedchinese.GBK, traditionalchinese.Big5, korean.EUCKR, japanese.EUCJP,
}

// misread reports whether text was read in a wrong encoding: if it is put back into
// that encoding, it is better text in another.
func misread(v string) bool {
	if strings.ContainsAny(v, "縺繧繝") || strings.Contains(v, "锟斤拷") {
		return true // the beginnings of kana in UTF-8, read as Shift_JIS
	}
	i := strings.IndexFunc(v, func(r rune) bool { return r >= utf8.RuneSelf })
	if i < 0 {
		return false
	}
	first, _ := utf8.DecodeRuneInString(v[i:])
	if b, ok := latin(v, first); ok {
		if utf8.Valid(b) && utf8.RuneCount(b) < len(b) {
			return true
		}
		// Signs between letters that occur in no European name.
		if strings.IndexFunc(v, func(r rune) bool {
			return r >= 0x80 && !unicode.IsLetter(r) && !unicode.IsSpace(r) && r != '’' && r != '·'
		}) >= 0 {
			for _, e := range []encoding.Encoding{japanese.ShiftJIS, japanese.EUCJP} {
				if text, err := e.NewDecoder().Bytes(b); err == nil && asian(string(text), 2) {
					return true
				}
			}
		}
		return false
	}
	if first > 0xffff || !beginnings()[first] {
		return halfEUC(v) || torn(v)
	}
	for _, e := range wides {
		if b, err := e.NewEncoder().Bytes([]byte(v)); err == nil && utf8.Valid(b) && asian(string(b), 1) && narrow(b) == narrow([]byte(v)) {
			return true
		}
	}
	return halfEUC(v) || torn(v)
}

// beginnings are the characters with which a kanji or kana in UTF-8 begins if it is
// read in one of those encodings.
var beginnings = sync.OnceValue(func() *[1 << 16]bool {
	var found [1 << 16]bool
	for _, e := range wides {
		d := e.NewDecoder()
		for lead := byte(0xe3); lead <= 0xed; lead++ {
			for trail := byte(0x80); trail <= 0xbf; trail++ {
				if text, err := d.Bytes([]byte{lead, trail}); err == nil {
					if r, size := utf8.DecodeRune(text); size == len(text) && r != utf8.RuneError && r <= 0xffff {
						found[r] = true
					}
				}
			}
		}
	}
	return &found
})

// latin returns the bytes of text that a Western system read one by one; first is its
// first character that is not ASCII.
func latin(v string, first rune) ([]byte, bool) {
	if first > '™' {
		return nil, false // above all characters of Windows-1252
	}
	b := make([]byte, 0, len(v))
	for _, r := range v {
		if c, ok := charmap.Windows1252.EncodeRune(r); ok {
			b = append(b, c)
		} else if r >= 0x80 && r < 0xa0 { // undefined in Windows-1252
			b = append(b, byte(r))
		} else {
			return nil, false
		}
	}
	return b, true
}

// asian reports whether all of a text that is not ASCII is Japanese, Chinese or
// Korean, and that it has so many of such characters.
func asian(v string, least int) bool {
	for _, r := range v {
		switch {
		case r < 0x20:
			return false
		case r < utf8.RuneSelf, r == '\u3000', r == 'ー', r == '・':
		case unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul) && (r < 0xff00 || r > 0xffef):
			least--
		default:
			return false
		}
	}
	return least <= 0
}

// narrow counts the ASCII characters of a text: no encoding makes one from a part of
// another character, or hides one.
func narrow(v []byte) (n int) {
	for _, c := range v {
		if c < utf8.RuneSelf {
			n++
		}
	}
	return n
}

func halfKana(r rune) bool { return r >= '｡' && r <= 'ﾟ' }

// halfEUC reports whether half-width katakana are EUC-JP that was read as Shift_JIS: in
// EUC-JP they are kanji, here they cannot be pronounced.
func halfEUC(v string) bool {
	odd := false
	var before rune
	for _, r := range v {
		if r >= utf8.RuneSelf && !halfKana(r) && !unicode.Is(unicode.Han, r) && r != '\u3000' {
			return false
		}
		if halfKana(r) {
			odd = odd || !says(before, r)
		}
		before = r
	}
	if !odd {
		return false
	}
	b, err := japanese.ShiftJIS.NewEncoder().Bytes([]byte(v))
	if err != nil {
		return false
	}
	text, err := japanese.EUCJP.NewDecoder().Bytes(b)
	return err == nil && asian(string(text), 1)
}

// says reports whether a half-width katakana can follow a character in a word that can
// be pronounced.
func says(before, r rune) bool {
	switch {
	case r == 'ﾞ':
		return before == 'ｳ' || before >= 'ｶ' && before <= 'ﾄ' || before >= 'ﾊ' && before <= 'ﾎ'
	case r == 'ﾟ':
		return before >= 'ﾊ' && before <= 'ﾎ'
	case r >= 'ｧ' && r <= 'ｰ', r == 'ﾝ':
		return before >= 'ｦ' && before <= 'ﾟ'
	case r >= '｡' && r <= '､', r == 'ｦ':
		return false
	}
	return true
}

// torn reports whether half-width katakana are next to rare kanji, as they are if UTF-8
// was read as Shift_JIS and a part was lost.
func torn(v string) bool {
	var before rune
	for _, r := range v {
		if halfKana(r) && seldom(before) || halfKana(before) && seldom(r) {
			return true
		}
		before = r
	}
	return false
}

// seldom reports whether a kanji is in the second part of the Japanese standard.
func seldom(r rune) bool {
	if !unicode.Is(unicode.Han, r) {
		return false
	}
	var dst, src [4]byte
	n := utf8.EncodeRune(src[:], r)
	n, _, err := japanese.EUCJP.NewEncoder().Transform(dst[:], src[:n], true)
	return err == nil && n == 2 && dst[0] > 0xcf
}

// broken returns why a value cannot have been typed on purpose, or nil.
func broken(a directory.Attribute, v string) *wrong {
	switch {
	case fromSheet(a, v):
		return &wrong{problem.SheetValue, problem.Args{"attribute": string(a), "value": v}}
	case garbled(v):
		return &wrong{problem.GarbledValue, problem.Args{"attribute": string(a), "value": v}}
	}
	return nil
}

// worse returns in what a new value is worse than the account's, if letters seem to be
// lost or misread, or "".
func worse(c Change) problem.Code {
	was, is := c.Old.Text, c.New.Text
	if !c.New.Set || !c.Old.Set || was == "" || was == is {
		return ""
	}
	switch c.Attribute {
	case directory.UserPrincipalName, directory.ImmutableID, directory.MailNickname:
		if w := strings.TrimLeft(was, "0"); w != was && w == is {
			return problem.ZerosLost
		}
		return ""
	case directory.AccountEnabled:
		return ""
	}
	lost := func(s string) int {
		return len(strings.FieldsFunc(s, func(r rune) bool { return !strings.ContainsRune("?？〓□", r) }))
	}
	switch {
	case lost(is) > lost(was):
		return problem.LettersLost
	case plain(is):
		return ""
	case strings.ContainsFunc(is, halfKana) && !strings.ContainsFunc(was, halfKana) && norm.NFKC.String(is) != norm.NFKC.String(was):
		return problem.HalfWidth
	case mixed(is) && !mixed(was):
		return problem.MixedScripts
	}
	return ""
}

// mixed reports whether one word has letters that do not belong together.
func mixed(v string) bool {
	const (
		han = 1 << iota
		kana
		half
		hangul
		latinLetter
		other // Greek, Cyrillic and all that no Japanese list has
	)
	seen := 0
	for _, r := range v + " " {
		switch {
		case halfKana(r):
			seen |= half
		case unicode.Is(unicode.Han, r):
			seen |= han
		case unicode.In(r, unicode.Hiragana, unicode.Katakana):
			seen |= kana
		case unicode.Is(unicode.Hangul, r):
			seen |= hangul
		case unicode.Is(unicode.Latin, r):
			if r >= utf8.RuneSelf && r < 0xff00 {
				seen |= latinLetter
			}
		case unicode.IsLetter(r):
			seen |= other
		case !unicode.IsMark(r) && r != 'ー' && r != '・':
			switch {
			case seen&half != 0 && seen&(han|kana|hangul|latinLetter|other) != 0,
				seen&hangul != 0 && seen&(kana|other|latinLetter) != 0,
				seen&latinLetter != 0 && seen&(han|kana) != 0,
				seen&other != 0 && seen&(han|kana|latinLetter) != 0:
				return true
			}
			seen = 0
		}
	}
	return false
}

// A source is refused if more rows than these become garbled or worse.
const (
	mostWorse      = 5
	mostWorseShare = 1 // percent of the domain's rows
)

// tally notes that a row would be garbled, or worse than before.
func (b *builder) tally(changes []Change, w *wrong) {
	if w != nil && w.code == problem.GarbledValue {
		b.garbled++
		return
	}
	for _, c := range changes {
		if code := worse(c); code != "" && code != problem.ZerosLost {
			b.worse++
			return
		}
	}
}

// believe refuses a source that would garble more than a few rows: it was read in a
// wrong encoding, or the last one was.
func (b *builder) believe() error {
	n := b.garbled + b.worse
	if n <= mostWorse || n*100 <= mostWorseShare*b.sourceUsers {
		return nil
	}
	about := b.src.About()
	return problem.New(problem.SourceMisread, problem.Args{
		"source": about.Name, "rows": strconv.Itoa(n), "of": strconv.Itoa(b.sourceUsers), "domain": b.domain.Name, "encoding": about.Encoding,
	})
}

// strangeID reports whether an immutable ID differs in form from all others of the
// source, if most of those were made by another system: a GUID, or bytes in base64.
// Those of the tenant do not count, because they change with the sync.
func (b *builder) strangeID(id string) bool {
	const enough = 6
	if b.shapes == nil {
		b.shapes = map[form]int{}
		for s := range b.src.All() {
			if other := s.ImmutableID(); other != "" {
				b.shapes[shape(other)]++
			}
		}
	}
	all, most := 0, 0
	for f, n := range b.shapes {
		if all += n; f.of == inGUID || f.of == inBase64 {
			most = max(most, n)
		}
	}
	return all > enough && most*2 > all && b.shapes[shape(id)] <= 1
}

// form is the shape of an immutable ID: n bytes in base64, a GUID, n hexadecimal
// digits, digits, an address, or else which kinds of characters it has.
type form struct {
	of    writing
	n     int
	kinds [2]uint64 // a bit for each ASCII character, one for all letters and digits each
	wide  bool
}

type writing uint8

const (
	inOther writing = iota
	inGUID
	inDigits
	inBase64
	inHex
	inAddress
)

// shape is the form of an immutable ID. It is called for every row and does not
// allocate.
func shape(id string) form {
	n := base64Bytes(id)
	switch {
	case n == 16:
		return form{of: inBase64, n: n} // nearly all
	case isGUID(id):
		return form{of: inGUID}
	case allBytes(id, digit):
		return form{of: inDigits}
	case n >= 0 && strings.HasSuffix(id, "="):
		return form{of: inBase64, n: n}
	case allBytes(id, hexDigit):
		return form{of: inHex, n: len(id)}
	case strings.Contains(id, "@"):
		return form{of: inAddress}
	}
	var f form
	for i := range len(id) {
		c := id[i]
		switch {
		case c >= utf8.RuneSelf:
			f.wide = true
			continue
		case digit(c):
			c = '0'
		case letter(c):
			c = 'a'
		}
		f.kinds[c/64] |= 1 << (c % 64)
	}
	return f
}

// base64Bytes is how many bytes an ID has in base64, -1 if it is none.
func base64Bytes(id string) int {
	bare := strings.TrimSuffix(strings.TrimSuffix(id, "="), "=")
	if len(id)%4 != 0 || !allBytes(bare, base64Digit) {
		return -1
	}
	return len(bare) * 6 / 8
}

func isGUID(id string) bool {
	if len(id) != 36 {
		return false
	}
	for i := range len(id) {
		dash := i == 8 || i == 13 || i == 18 || i == 23
		if dash != (id[i] == '-') || !dash && !hexDigit(id[i]) {
			return false
		}
	}
	return true
}

func digit(c byte) bool       { return c >= '0' && c <= '9' }
func hexDigit(c byte) bool    { return digit(c) || c|0x20 >= 'a' && c|0x20 <= 'f' }
func base64Digit(c byte) bool { return letter(c) || digit(c) || c == '+' || c == '/' }

func allBytes(s string, is func(byte) bool) bool {
	for i := range len(s) {
		if !is(s[i]) {
			return false
		}
	}
	return true
}

// plain reports whether s is printable ASCII, which every encoding reads alike.
func plain(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf || s[i] < 0x20 || s[i] == 0x7f {
			return false
		}
	}
	return true
}
