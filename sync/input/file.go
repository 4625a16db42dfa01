package input

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"unicode/utf8"

	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// ErrEncoding reports that a file is not text in UTF-8 or UTF-16.
var ErrEncoding = errors.New("no text in UTF-8 or UTF-16")

// Reader returns the text of a file in UTF-8, without a byte order mark, with lines
// that end in LF. Notepad and PowerShell save a file in another form than the
// program wrote it.
func Reader(r io.Reader) io.Reader {
	in := bufio.NewReader(r)
	head, _ := in.Peek(4)
	mark, utf16 := encoded(head)
	_, _ = in.Discard(mark)
	if utf16 == nil {
		return transform.NewReader(in, lines{})
	}
	return transform.NewReader(in, transform.Chain(utf16, lines{}))
}

// encoded finds by the first bytes of a file how long its byte order mark is, and
// what decodes it; nil if it is UTF-8.
func encoded(head []byte) (mark int, utf16 transform.Transformer) {
	little := unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM).NewDecoder()
	big := unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM).NewDecoder()
	switch {
	case bytes.HasPrefix(head, []byte("\xef\xbb\xbf")):
		return 3, nil
	case bytes.HasPrefix(head, []byte("\xff\xfe")):
		return 2, little
	case bytes.HasPrefix(head, []byte("\xfe\xff")):
		return 2, big
	case len(head) > 3 && head[0] != 0 && head[1] == 0 && head[2] != 0 && head[3] == 0:
		return 0, little
	case len(head) > 3 && head[0] == 0 && head[1] != 0 && head[2] == 0 && head[3] != 0:
		return 0, big
	}
	return 0, nil
}

// File reads a text file as Reader does. A file that is in another encoding, or is
// not text at all, gives ErrEncoding.
func File(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	text, err := io.ReadAll(Reader(f))
	if err != nil {
		return nil, err
	}
	if !utf8.Valid(text) || bytes.IndexByte(text, 0) >= 0 {
		return nil, ErrEncoding
	}
	return text, nil
}

// lines drops every CR before LF.
type lines struct{ transform.NopResetter }

// Transform copies src to dst.
func (lines) Transform(dst, src []byte, atEOF bool) (wrote, read int, err error) {
	for read < len(src) {
		rest := src[read:]
		i := bytes.IndexByte(rest, '\r')
		if i < 0 {
			i = len(rest)
		}
		n := copy(dst[wrote:], rest[:i])
		wrote, read = wrote+n, read+n
		switch {
		case n < i:
			return wrote, read, transform.ErrShortDst
		case read == len(src):
			return wrote, read, nil
		case read+1 == len(src) && !atEOF:
			return wrote, read, transform.ErrShortSrc
		case read+1 < len(src) && src[read+1] == '\n':
			read++
			continue
		case wrote == len(dst):
			return wrote, read, transform.ErrShortDst
		}
		dst[wrote] = '\r'
		wrote, read = wrote+1, read+1
	}
	return wrote, read, nil
}

// PEM returns a file of certificates and keys in UTF-8 without a byte order mark;
// one in binary form is returned unchanged.
func PEM(raw []byte) []byte {
	const sequence = 0x30 // the first byte of DER
	mark, utf16 := encoded(raw[:min(len(raw), 4)])
	switch {
	case len(raw) > 0 && raw[0] == sequence:
		return raw
	case utf16 == nil:
		return raw[mark:]
	}
	text, _, err := transform.Bytes(utf16, raw[mark:])
	if err != nil {
		return raw
	}
	return text
}
