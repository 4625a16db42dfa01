package haccsv

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/progress"
	"github.com/hacsync/hacsync/sync/source"
)

// export is one reading of a file.
type export struct {
	file    *File
	sink    progress.Sink
	scanned scanned
	header  func(*layout) error
	row     func(*rows, time.Time) error

	columns *layout
	comma   byte
	good    int // whole rows
	newest  time.Time
	bad     []*problem.Problem
	worst   int // bad rows in all
}

// read reads header and rows; raw gives the bytes of the file.
func (e *export) read(raw io.Reader) error {
	switch s := &e.scanned; {
	case s.cut:
		return e.problem(problem.FileCut, s.damaged)
	case s.damaged > 0:
		return e.problem(problem.FileEncoding, s.damaged)
	case len(s.unsure) > 0:
		p := e.problem(problem.FileUnsure, s.line)
		p.Args["encodings"] = strings.Join(s.unsure, ", ")
		return p
	case !s.encoding.read():
		return problem.New(problem.FileForeign, problem.Args{"file": e.file.path, "encoding": string(s.encoding)})
	}
	text := bufio.NewReaderSize(e.scanned.encoding.decode(raw), 64<<10)
	// The header decides the separator: a column name normally contains none.
	start, err := text.Peek(16 << 10)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if i := bytes.IndexByte(start, 0); i >= 0 {
		// No text at all: reported before its "columns" are.
		var c characters
		c.take(start[:i], true)
		return e.problem(problem.FileNUL, c.breaks+1)
	}
	before, err := e.preamble(text, start)
	if err != nil {
		return err
	}
	r := newRows(text, before.comma)
	r.line += before.lines
	if err := e.readHeader(r); err != nil {
		return err
	}
	for {
		err := r.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			// After an odd quotation mark nothing can be trusted.
			if err = e.refuse(r, err); err != nil {
				return err
			}
			break
		}
		if err := e.take(r); err != nil {
			return err
		}
	}
	switch {
	case e.worst == 1:
		return e.bad[0]
	case e.worst > 1:
		return e.badRows()
	case e.good == 0:
		return problem.New(problem.FileOnlyHeader, problem.Args{"file": e.file.path})
	}
	return nil
}

func (e *export) readHeader(r *rows) error {
	err := r.next()
	for err == nil && r.blank() && (r.broken || r.len() == 1) {
		err = r.next()
	}
	if errors.Is(err, io.EOF) {
		return problem.New(problem.FileEmpty, problem.Args{"file": e.file.path})
	}
	if err != nil {
		if err = e.refuse(r, err); err != nil {
			return err
		}
		return e.bad[0]
	}
	if p := e.unreadable(r); p != nil {
		return p
	}
	names := make([]string, r.len())
	for i := range names {
		names[i] = string(r.value(i))
	}
	if e.columns, err = recognise(e.file.path, names, e.file.opts.Mappings); err != nil {
		return err
	}
	if !r.broken {
		return problem.New(problem.FileOnlyHeader, problem.Args{"file": e.file.path})
	}
	return e.header(e.columns)
}

// take passes a row on, or records what is wrong with it.
func (e *export) take(r *rows) error {
	if p := e.unreadable(r); p != nil {
		// Not recorded with others: the rest of the file is no better.
		return p
	}
	if r.broken && r.blank() {
		return nil // as a spreadsheet leaves them: not a user
	}
	if want := len(e.columns.header); r.len() != want {
		code := problem.FileColumnCount
		if !r.broken && r.len() < want {
			code = problem.FileCut
		}
		p := e.problem(code, r.start)
		p.Args["want"], p.Args["got"] = strconv.Itoa(want), strconv.Itoa(r.len())
		e.note(p)
		return nil
	}
	if !r.broken && !e.whole(r) {
		e.note(e.problem(problem.FileCut, r.start))
		return nil
	}
	e.good++
	if e.good%every == 0 {
		e.sink.Report(progress.Event{Phase: progress.Source, Done: e.good, Total: max(e.scanned.breaks-1, e.good)})
	}
	var login time.Time
	if i := e.columns.lastLogin; i >= 0 {
		login, _ = parseTime(string(r.value(i)), e.file.opts.Zone)
		if login.After(e.newest) {
			e.newest = login
		}
	}
	if e.worst > 0 {
		return nil
	}
	return e.row(r, login)
}

// whole reports whether a last row without a line break at its end is provably not
// cut in its last value. Every row of an export ends with a line break, so a file
// without the last one was cut, unless an editor removed it.
func (e *export) whole(r *rows) bool {
	last := r.len() - 1
	value := r.value(last)
	if e.columns.at[directory.ImmutableID] == last && last > 0 {
		// No quotation mark can follow inside it, and = only ends it.
		_, err := base64.StdEncoding.DecodeString(string(value))
		if r.quoted || err == nil && bytes.HasSuffix(value, []byte("=")) {
			return true
		}
	}
	// If there are as many rows as HAC has users, only this value could have lost
	// its end. That does no harm if the value is not used, or is empty (an absent
	// value clears nothing).
	used := e.columns.of[last].Use == source.Mapped || e.columns.of[last].Use == source.Read
	return e.file.opts.Count == e.good+1 && e.worst == 0 && (!used || len(value) == 0 && !r.quoted)
}

// unreadable finds what is no text in a row. Behind the last row that is half a
// character, where the file was cut.
func (e *export) unreadable(r *rows) *problem.Problem {
	whole, half := bytes.CutSuffix(r.text, []byte("\uFFFD"))
	switch {
	case half && !r.broken && !e.scanned.encoding.broken(whole) && e.scanned.encoding.broken(r.text):
		return e.problem(problem.FileCut, r.start)
	case e.scanned.encoding.broken(r.text):
		return e.problem(problem.FileEncoding, r.start)
	case bytes.IndexByte(r.text, 0) >= 0:
		return e.problem(problem.FileNUL, r.start)
	}
	return nil
}

// refuse records the problem of a row whose end could not be found; it returns an
// error of the file itself.
func (e *export) refuse(r *rows, err error) error {
	var code problem.Code
	switch {
	case errors.Is(err, errQuoteOpen):
		code = problem.FileQuoteOpen
	case errors.Is(err, errQuoteBare):
		code = problem.FileQuoteBare
	case errors.Is(err, errTooLong):
		code = problem.FileRowTooLong
	default:
		return err
	}
	if p := e.unreadable(r); p != nil {
		e.note(p) // what looks like a quotation mark is not one
		return nil
	}
	e.note(e.problem(code, r.bad))
	return nil
}

func (e *export) note(p *problem.Problem) {
	if e.worst++; len(e.bad) < mostBadRows {
		e.bad = append(e.bad, p)
	}
}

func (e *export) badRows() error {
	lines := make([]string, len(e.bad))
	for i, p := range e.bad {
		lines[i] = p.Args["line"]
	}
	if e.worst > len(e.bad) {
		lines = append(lines, "..")
	}
	return problem.Wrap(&source.BadRows{Rows: e.bad, Total: e.worst}, problem.FileBadRows, problem.Args{
		"file": e.file.path, "bad": strconv.Itoa(e.worst), "lines": strings.Join(lines, ", "),
	})
}

func (e *export) problem(code problem.Code, line int) *problem.Problem {
	return problem.New(code, problem.Args{"file": e.file.path, "line": strconv.Itoa(line)})
}

// parseTime parses a Last Login. HENNGE's help does not describe its form, so the
// usual forms are tried; any other form counts as not known.
func parseTime(s string, zone *time.Location) (time.Time, bool) {
	s = strings.TrimSpace(s)
	if s == "" {
		return time.Time{}, false
	}
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		switch {
		case n >= 1e9 && n < 1e10:
			return time.Unix(n, 0), true
		case n >= 1e12 && n < 1e13:
			return time.UnixMilli(n), true
		}
		return time.Time{}, false
	}
	s = strings.ReplaceAll(s, "/", "-")
	for name, offset := range map[string]string{" UTC": "Z", " JST": "+09:00"} {
		if rest, ok := strings.CutSuffix(s, name); ok {
			s = rest + offset
		}
	}
	for _, layout := range []string{
		time.RFC3339, "2006-1-2T15:4:5", "2006-1-2T15:4:5Z0700",
		"2006-1-2 15:4:5", "2006-1-2 15:4:5Z07:00", "2006-1-2 15:4:5 Z07:00", "2006-1-2 15:4:5 -0700", "2006-1-2 15:4:5-0700",
		"2006-1-2 15:4", "2006-1-2",
	} {
		if t, err := time.ParseInLocation(layout, s, zone); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}
