package haccsv

import (
	"bufio"
	"bytes"
	"hash/maphash"
	"io"
	"unicode/utf8"

	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// encoding is how the bytes of a file encode text.
type encoding string

// The encodings that are read; the names are shown.
const (
	utf8Plain encoding = "UTF-8"
	utf8BOM   encoding = "UTF-8 with BOM"
	shiftJIS  encoding = "Shift_JIS"
	utf16BOM  encoding = "UTF-16" // Excel calls it Unicode Text
	utf16LE   encoding = "UTF-16LE"
	utf16BE   encoding = "UTF-16BE"
)

// Encodings that are recognised and not read: a file in one of them is refused, and
// the problem names the encoding.
const (
	eucJP     encoding = "EUC-JP"
	iso2022JP encoding = "ISO-2022-JP"
)

// read reports whether files in the encoding are read.
func (e encoding) read() bool {
	switch e {
	case utf8Plain, utf8BOM, shiftJIS, utf16BOM, utf16LE, utf16BE:
		return true
	default:
		return false
	}
}

// scanned is the result of a first pass over the bytes.
type scanned struct {
	encoding encoding
	size     int64
	seed     maphash.Seed
	hash     uint64 // shows whether the file gives the same bytes twice
	breaks   int    // line breaks
	// damaged is the line of the first byte that fits no encoding, 0 if all fit.
	damaged int
	// cut: that is the beginning of a character, the last of the file.
	cut bool
	// unsure are the encodings that it could be, where that cannot be decided.
	unsure []string
	line   int // of the first byte that is not ASCII
}

// marks are the first bytes that identify encodings, a longer mark before one that
// it begins with.
var marks = []struct {
	bytes    string
	encoding encoding
}{
	{"\x00\x00\xfe\xff", "UTF-32"},
	{"\xff\xfe\x00\x00", "UTF-32"},
	{"\x84\x31\x95\x33", "GB18030"},
	{"+/v8", "UTF-7"},
	{"+/v9", "UTF-7"},
	{"\xef\xbb\xbf", utf8BOM},
	{"\xff\xfe", utf16BOM},
	{"\xfe\xff", utf16BOM},
}

// scan reads all bytes once. The encoding is decided over the whole file: the first
// Japanese name may be on its last line.
func scan(file io.ReadSeeker) (scanned, error) {
	var (
		s       = scanned{seed: maphash.MakeSeed()}
		r       = bufio.NewReader(file)
		hash    maphash.Hash
		buf     = make([]byte, 64<<10)
		kept    int // bytes of an unfinished character at the start of buf
		count   characters
		wide    pairs
		mark, _ = r.Peek(4)
	)
	hash.SetSeed(s.seed)
	for _, m := range marks {
		if bytes.HasPrefix(mark, []byte(m.bytes)) {
			s.encoding = m.encoding
			break
		}
	}
	if s.encoding == "" {
		wide.start(mark)
	}
	for ended := false; !ended; {
		n, err := r.Read(buf[kept:])
		if ended = err == io.EOF; err != nil && !ended {
			return s, err
		}
		hash.Write(buf[kept : kept+n])
		s.size += int64(n)
		wide.take(buf[kept : kept+n])
		kept = copy(buf, count.take(buf[:kept+n], ended))
	}
	s.breaks, s.line, s.hash = count.breaks, count.first, hash.Sum64()
	switch {
	case s.encoding == utf16BOM:
		s.breaks = count.feeds
	case s.encoding != "" && s.encoding != utf8BOM:
	case wide.is != "" && wide.whole():
		s.encoding, s.breaks = wide.is, count.feeds
	case count.invalid == 0 && s.encoding == "":
		if count.wide > 0 {
			s.encoding = utf8Plain
		}
	case count.invalid == 0:
	case s.encoding == utf8BOM, count.wide > count.invalid:
		// Mostly valid: UTF-8 with damage. Read as Shift_JIS it could come out
		// as other, wrong names.
		s.encoding, s.damaged, s.cut = utf8Plain, count.firstBad, count.begun == count.invalid
	}
	err := s.tell(file, &count)
	return s, err
}

// tell decides the encoding by the decoded characters, if the bytes alone do not.
func (s *scanned) tell(file io.ReadSeeker, count *characters) error {
	if s.encoding != "" {
		return nil
	}
	s.encoding = utf8Plain
	if count.nul > 0 {
		return nil // not text at all
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	if count.multi+count.invalid == 0 {
		found, err := judgeASCII(file)
		if found != "" {
			s.encoding, s.line = found, 1
		}
		return err
	}
	found, unsure, err := judge(file, count.invalid == 0)
	if err == nil && found == "" && len(unsure) == 0 && count.tail > 0 {
		if s.cut = count.tail == count.invalid && count.tail < utf8.UTFMax; !s.cut {
			// Of few characters half a one is much: without it the others decide better.
			if _, err = file.Seek(0, io.SeekStart); err == nil {
				found, _, err = judge(io.LimitReader(file, s.size-1), count.invalid == 0)
			}
		}
	}
	switch {
	case found != "":
		s.encoding = found
	case len(unsure) > 0:
		s.unsure = unsure
	default:
		s.damaged = count.firstBad
	}
	return err
}

// characters counts the characters of bytes, read as UTF-8.
type characters struct {
	breaks   int // line breaks: LF, CR, CRLF
	feeds    int // LF alone
	nul      int
	multi    int // valid characters of more than one byte
	wide     int // those of more than two
	invalid  int // bytes that are no UTF-8
	begun    int // those of them with which the file ends, and a character begins
	first    int // line of the first character that is not ASCII
	firstBad int // line of the first byte that is no UTF-8
	tail     int // bytes at the end of the file, none of them ASCII, that are no UTF-8
	lastCR   bool
}

// take counts b and returns its end if a character there is not finished.
func (c *characters) take(b []byte, ended bool) []byte {
	for len(b) > 0 {
		if b[0] < utf8.RuneSelf {
			c.tail = 0
			switch b[0] {
			case '\n':
				c.feeds++
				if !c.lastCR {
					c.breaks++
				}
			case '\r':
				c.breaks++
			case 0:
				c.nul++
			}
			c.lastCR = b[0] == '\r'
			b = b[1:]
			continue
		}
		if !utf8.FullRune(b) {
			if !ended {
				return b
			}
			c.begun = max(c.begun, len(b))
		}
		c.lastCR = false
		_, size := utf8.DecodeRune(b)
		if c.first == 0 {
			c.first = c.breaks + 1
		}
		if c.tail++; size > 1 {
			c.tail = 0
			c.multi++
			if size > 2 {
				c.wide++
			}
		} else if c.invalid++; c.firstBad == 0 {
			c.firstBad = c.breaks + 1
		}
		b = b[size:]
	}
	return nil
}

// pairs finds UTF-16 without a mark: the first column name is ASCII, so every
// second of the first bytes is NUL.
type pairs struct {
	is     encoding
	broken bool
	odd    bool // a byte is left over
	last   byte
	high   bool // the pair before begins a character of two pairs
}

func (p *pairs) start(first []byte) {
	if len(first) < 4 {
		return
	}
	text := func(b byte) bool { return b >= ' ' && b < 0x7f }
	switch {
	case text(first[0]) && text(first[2]) && first[1] == 0 && first[3] == 0:
		p.is = utf16LE
	case text(first[1]) && text(first[3]) && first[0] == 0 && first[2] == 0:
		p.is = utf16BE
	}
}

func (p *pairs) take(b []byte) {
	if p.is == "" {
		return
	}
	for _, c := range b {
		if p.odd = !p.odd; p.odd {
			p.last = c
			continue
		}
		r := rune(p.last)<<8 | rune(c)
		if p.is == utf16LE {
			r = rune(c)<<8 | rune(p.last)
		}
		low := r >= 0xdc00 && r < 0xe000
		p.broken = p.broken || r == 0 || r == 0xfffe || r == 0xffff || low != p.high
		p.high = r >= 0xd800 && r < 0xdc00
	}
}

// whole reports whether all bytes were characters.
func (p *pairs) whole() bool { return !p.broken && !p.odd && !p.high }

// decode returns the bytes as UTF-8 without byte order mark. Bytes that are not
// text become U+FFFD, which these encodings cannot contain themselves.
func (e encoding) decode(r io.Reader) io.Reader {
	switch e {
	case utf8BOM:
		return transform.NewReader(r, unicode.UTF8BOM.NewDecoder())
	case shiftJIS:
		return transform.NewReader(r, japanese.ShiftJIS.NewDecoder())
	case utf16BOM:
		return transform.NewReader(r, unicode.UTF16(unicode.LittleEndian, unicode.ExpectBOM).NewDecoder())
	case utf16LE:
		return transform.NewReader(r, unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM).NewDecoder())
	case utf16BE:
		return transform.NewReader(r, unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM).NewDecoder())
	default:
		return r
	}
}

// broken reports whether decoded text holds bytes that were not text. UTF-8 was
// checked before; it may hold U+FFFD because the names do.
func (e encoding) broken(text []byte) bool {
	switch e {
	case shiftJIS: // the decoder makes U+0080 of the unused byte 0x80
		return bytes.Contains(text, []byte("\uFFFD")) || bytes.Contains(text, []byte("\u0080"))
	case utf16BOM, utf16LE, utf16BE:
		return bytes.Contains(text, []byte("\uFFFD"))
	default:
		return false
	}
}
