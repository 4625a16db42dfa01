package haccsv

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"unicode"
)

// maxRow is the largest row in bytes, quoted line breaks included. HAC's values are
// at most 256 characters; without the limit an unclosed quotation mark would
// consume the rest of the file.
const maxRow = 256 << 10

// What is wrong with a row. Its line is rows.bad.
var (
	errQuoteOpen = errors.New("quotation mark is not closed")
	errQuoteBare = errors.New("quotation mark inside a value")
	errTooLong   = errors.New("row too long")
)

// rows reads delimited text strictly, by RFC 4180. encoding/csv comes close, but
// does not report whether the last row ended with a line break or a closed
// quotation mark, or in which line a quotation mark was opened, and it changes the
// line breaks inside values.
type rows struct {
	r     *bufio.Reader
	comma byte
	line  int // physical line of the next byte

	// Of the row read last:
	start  int    // its first line
	text   []byte // its values, one after the other, unquoted
	ends   []int  // where each ends
	quoted bool   // the last value was in quotation marks
	broken bool   // it ended with a line break, not with the file
	bad    int    // the line of an error
}

func newRows(r io.Reader, comma byte) *rows {
	return &rows{r: bufio.NewReaderSize(r, 64<<10), comma: comma, line: 1}
}

// len returns the number of values.
func (r *rows) len() int { return len(r.ends) }

// value returns value i; the bytes are valid until the next row.
func (r *rows) value(i int) []byte {
	from := 0
	if i > 0 {
		from = r.ends[i-1]
	}
	return r.text[from:r.ends[i]]
}

// blank reports whether all cells of the row are empty.
func (r *rows) blank() bool {
	return len(bytes.TrimFunc(r.text, func(c rune) bool { return unicode.IsSpace(c) || unicode.Is(unicode.Cf, c) })) == 0
}

// next reads a row and skips empty lines. At the end of the text it returns io.EOF.
// It wipes the row before: it may have held a secret.
func (r *rows) next() error {
	for {
		err := r.read()
		if err != nil || r.len() > 1 || len(r.text) > 0 || r.quoted {
			return err
		}
		if !r.broken {
			return io.EOF
		}
	}
}

// read reads one line, empty or not.
func (r *rows) read() error {
	clear(r.text)
	r.text, r.ends, r.quoted, r.broken = r.text[:0], r.ends[:0], false, false
	r.start = r.line
	first := true // at the first byte of a value
	for n := 0; ; n++ {
		if n > maxRow {
			r.bad = r.start
			return errTooLong
		}
		c, err := r.r.ReadByte()
		switch {
		case err == io.EOF:
			r.ends = append(r.ends, len(r.text))
			return nil
		case err != nil:
			return err
		case c == r.comma:
			r.ends = append(r.ends, len(r.text))
			first, r.quoted = true, false
			continue
		case c == '\n' || c == '\r':
			if err := r.breakLine(c); err != nil {
				return err
			}
			r.ends = append(r.ends, len(r.text))
			r.broken = true
			return nil
		case c == '"' && first, c == '=' && first && r.beforeQuote():
			if c == '=' { // ="007": marks the cell as text for a spreadsheet
				_, _ = r.r.Discard(1)
			}
			if err := r.readQuoted(&n); err != nil {
				return err
			}
			r.quoted = true
		case c == '"' || r.quoted: // also text after a closed quotation mark
			r.bad = r.line
			return errQuoteBare
		default:
			r.text = append(r.text, c)
		}
		first = false
	}
}

// beforeQuote reports whether a quotation mark comes next.
func (r *rows) beforeQuote() bool {
	next, err := r.r.Peek(1)
	return err == nil && next[0] == '"'
}

// readQuoted reads on after an opening quotation mark, to the closing one.
func (r *rows) readQuoted(n *int) error {
	opened := r.line
	for ; ; *n++ {
		c, err := r.r.ReadByte()
		if err == io.EOF || *n > maxRow {
			r.bad = opened
			return errQuoteOpen
		}
		if err != nil {
			return err
		}
		switch c {
		case '"':
			next, err := r.r.Peek(1)
			if err != nil && err != io.EOF {
				return err
			}
			if len(next) == 0 || next[0] != '"' {
				return nil
			}
			_, _ = r.r.Discard(1) // only peeked at so far
		case '\n', '\r':
			r.text = append(r.text, c)
			if c == '\r' {
				if next, _ := r.r.Peek(1); len(next) == 1 && next[0] == '\n' {
					continue // counted with the line feed
				}
			}
			r.line++
			continue
		}
		r.text = append(r.text, c)
	}
}

// breakLine takes the second half of a CRLF and counts the line. A lone CR is
// a line break too, as Excel for Mac writes it.
func (r *rows) breakLine(c byte) error {
	r.line++
	if c != '\r' {
		return nil
	}
	next, err := r.r.Peek(1)
	if err != nil && err != io.EOF {
		return err
	}
	if len(next) == 1 && next[0] == '\n' {
		_, _ = r.r.Discard(1) // only peeked at so far
	}
	return nil
}
