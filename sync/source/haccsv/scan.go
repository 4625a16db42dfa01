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

// encoding is how the bytes of a file are text.
type encoding string

// The encodings; the names are shown.
const (
	utf8Plain encoding = "UTF-8"
	utf8BOM   encoding = "UTF-8 with BOM"
	shiftJIS  encoding = "Shift_JIS"
	utf16     encoding = "UTF-16" // what Excel calls Unicode Text
)

// scanned is what a first pass over the bytes tells.
type scanned struct {
	encoding encoding
	size     int64
	seed     maphash.Seed
	hash     uint64 // tells whether the file gives the same bytes twice
	breaks   int    // line breaks
	// damaged is the line of the first byte that fits no encoding, 0 if all fit.
	damaged int
}

// scan reads all bytes once. The encoding is decided over the whole file: the
// first Japanese name may stand on its last line.
func scan(file io.Reader) (scanned, error) {
	var (
		s       = scanned{seed: maphash.MakeSeed()}
		r       = bufio.NewReader(file)
		hash    maphash.Hash
		buf     = make([]byte, 64<<10)
		kept    int // bytes of an unfinished character at the start of buf
		count   characters
		mark, _ = r.Peek(3)
	)
	hash.SetSeed(s.seed)
	switch {
	case bytes.HasPrefix(mark, []byte("\xef\xbb\xbf")):
		s.encoding = utf8BOM
	case bytes.HasPrefix(mark, []byte{0xff, 0xfe}), bytes.HasPrefix(mark, []byte{0xfe, 0xff}):
		s.encoding = utf16
	}
	for ended := false; !ended; {
		n, err := r.Read(buf[kept:])
		if ended = err == io.EOF; err != nil && !ended {
			return s, err
		}
		hash.Write(buf[kept : kept+n])
		s.size += int64(n)
		if b := buf[:kept+n]; s.encoding == utf16 {
			s.breaks += bytes.Count(b, []byte{'\n'})
		} else {
			kept = copy(buf, count.take(b, ended))
		}
	}
	if s.encoding != utf16 {
		s.breaks = count.breaks
	}
	s.hash = hash.Sum64()
	switch {
	case s.encoding == utf16:
	case count.invalid == 0 && s.encoding == "":
		s.encoding = utf8Plain
	case count.invalid == 0:
	case s.encoding == utf8BOM, count.multi > count.invalid:
		// Mostly valid: UTF-8 with damage. Read as Shift_JIS it could come out
		// as other, wrong names.
		s.damaged = count.firstBad
	default:
		s.encoding = shiftJIS
	}
	return s, nil
}

// characters counts what bytes are, were they UTF-8.
type characters struct {
	breaks   int // line breaks: LF, CR, CRLF
	multi    int // valid characters of more than one byte
	invalid  int // bytes that are no UTF-8
	firstBad int // line of the first of them
	lastCR   bool
}

// take counts b and returns its end where a character is not finished.
func (c *characters) take(b []byte, ended bool) []byte {
	for len(b) > 0 {
		if b[0] < utf8.RuneSelf {
			if b[0] == '\r' || b[0] == '\n' && !c.lastCR {
				c.breaks++
			}
			c.lastCR = b[0] == '\r'
			b = b[1:]
			continue
		}
		if !ended && !utf8.FullRune(b) {
			return b
		}
		c.lastCR = false
		_, size := utf8.DecodeRune(b)
		if size > 1 {
			c.multi++
		} else if c.invalid++; c.firstBad == 0 {
			c.firstBad = c.breaks + 1
		}
		b = b[size:]
	}
	return nil
}

// decode turns the bytes into UTF-8 without byte order mark. Bytes that are no
// text come out as U+FFFD, which these encodings cannot contain themselves.
func (e encoding) decode(r io.Reader) io.Reader {
	switch e {
	case utf8BOM:
		return transform.NewReader(r, unicode.UTF8BOM.NewDecoder())
	case shiftJIS:
		return transform.NewReader(r, japanese.ShiftJIS.NewDecoder())
	case utf16:
		return transform.NewReader(r, unicode.UTF16(unicode.LittleEndian, unicode.ExpectBOM).NewDecoder())
	case utf8Plain:
	}
	return r
}

// broken reports whether decoded text holds what was no text. UTF-8 was
// checked before; it may hold U+FFFD because the names do.
func (e encoding) broken(text []byte) bool {
	switch e {
	case shiftJIS: // U+0080 is what the decoder makes of the unused byte 0x80
		return bytes.Contains(text, []byte("\uFFFD")) || bytes.Contains(text, []byte("\u0080"))
	case utf16:
		return bytes.Contains(text, []byte("\uFFFD"))
	case utf8Plain, utf8BOM:
	}
	return false
}
