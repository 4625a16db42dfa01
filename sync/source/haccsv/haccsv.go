// Package haccsv reads the user export of HENNGE Access Control: [Users] > [User
// List] > [Download All (CSV)], and the same as TSV. Start with New and File.Read.
//
// A sync that deletes is made from this file, so half a file is worse than none. It
// is read twice and strictly: first all bytes, to know the encoding, then all rows.
// A file that is not whole is refused, with the file, the line and what is wrong
// there, and no rows are returned: a row with too few columns, a quotation mark
// that is not closed, a last row that cannot be proven to be the whole row, bytes
// that are not text, a file that changed meanwhile. A file that ends with a whole
// row may still lack others after it; only the number of users that [User List]
// shows can prove the opposite (Options.Count).
//
// Columns are found by name, never by position. Those that can hold a secret are
// not examined: their bytes pass through the row buffer and are wiped with it.
package haccsv

import (
	"bytes"
	"context"
	"errors"
	"hash/maphash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/hacsync/hacsync/sync/clock"
	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/progress"
	"github.com/hacsync/hacsync/sync/source"
)

const (
	// maxSize is far above the export of a million users (some 350 MB).
	maxSize = 4 << 30
	// mostBadRows is how many bad rows are reported one by one.
	mostBadRows = 20
	// every is how many rows are read between two progress reports, and between two
	// checks of the context.
	every = 2000
)

// Options are what the file itself does not contain. The zero value is usable.
type Options struct {
	// Count is the number of users that HAC's [User List] shows, the default
	// administrator included; 0 if it is not known.
	Count int
	// Mappings are the custom attributes to be written.
	Mappings []source.Mapping
	// Clock is the real one if nil.
	Clock clock.Clock
	// Zone is that of times in the file without a zone, this machine's if nil.
	Zone *time.Location
}

// File is an export. It is a source.Source and a source.Looker.
type File struct {
	path string
	opts Options
}

// New makes a File; nothing is opened before Read or Look. path is used unchanged:
// CleanPath makes one of what a user typed.
func New(path string, opts Options) *File {
	if opts.Clock == nil {
		opts.Clock = clock.Real()
	}
	if opts.Zone == nil {
		opts.Zone = time.Local
	}
	return &File{path: path, opts: opts}
}

// Name returns the file's name without its folder.
func (f *File) Name() string { return filepath.Base(f.path) }

// Renews is false: a user downloads the file.
func (f *File) Renews() bool { return false }

// Read reads the file to its end. Rows without UPN are kept, so that the planner
// can report them; Line is the line of the file in which a row begins. Errors are
// problems of family 2, or ctx's.
func (f *File) Read(ctx context.Context, want []directory.Attribute, sink progress.Sink) (*directory.Snapshot, error) {
	var (
		b       *directory.Builder
		c       *layout
		fill    []int // the column of each value
		columns []directory.Attribute
		values  []directory.Value
		others  []string // the cells of the other identifying columns
		tooBig  int
	)
	about, err := f.each(ctx, sink, func(found *layout) error {
		c = found
		columns = c.kept(want, f.opts.Mappings)
		b = directory.NewBuilder(directory.Source, columns)
		if _, ok := c.at[directory.ImmutableID]; !ok {
			b.Without(directory.ImmutableID)
		}
		if c.status < 0 {
			b.Without(directory.AccountEnabled)
		}
		values = make([]directory.Value, len(columns))
		for _, a := range columns {
			fill = append(fill, c.at[a])
		}
		others = make([]string, len(c.keys))
		return nil
	}, func(r *rows, login time.Time) error {
		for i, a := range columns {
			if a == directory.OtherKeys {
				continue // added once the others are known
			}
			text := string(unwrap(r.value(fill[i]), a))
			if a == directory.MailNickname {
				text = nickname(text)
			}
			values[i] = directory.Text(text)
		}
		record := directory.Record{
			UPN: c.text(r, directory.UserPrincipalName), Line: r.start, Values: values, LastSignIn: login,
		}
		record.ID = directory.ID(bytes.TrimSpace(unwrap(r.value(c.username), directory.MailNickname)))
		if _, ok := c.at[directory.ImmutableID]; ok {
			record.ImmutableID = c.text(r, directory.ImmutableID)
		}
		if len(others) > 0 {
			for i, k := range c.keys {
				others[i] = string(r.value(k))
			}
			values[len(values)-1] = directory.JoinKeys(&record, others)
		}
		if c.enabled(r) {
			record.Marks |= directory.Enabled
		}
		tooBig = r.start
		return b.Add(record)
	})
	if err != nil {
		if errors.Is(err, directory.ErrTooLarge) {
			err = problem.Wrap(err, problem.SourceTooLarge, problem.Args{"name": f.Name(), "line": strconv.Itoa(tooBig)})
		}
		return nil, err
	}
	proof := directory.Proof{Ended: true, Pages: 1, Items: about.Total, Count: -1}
	if f.opts.Count > 0 {
		proof.Count = int64(f.opts.Count)
		if f.opts.Count != about.Total {
			return nil, problem.New(problem.SourceCount, problem.Args{
				"name": f.Name(), "rows": strconv.Itoa(about.Total), "expected": strconv.Itoa(f.opts.Count),
			})
		}
	}
	s, err := b.Seal(proof, about)
	if err != nil {
		return nil, source.Sealing(err, f.Name())
	}
	return s, nil
}

// Look reads the file to its end as Read does, refuses the same files, and returns
// what they contain. Options.Count is not compared: it is asked for after a look.
func (f *File) Look(ctx context.Context) (*source.Overview, error) {
	o := &source.Overview{Name: f.Name(), Zone: f.opts.Zone.String(), Domains: map[string]int{}}
	var c *layout
	about, err := f.each(ctx, progress.Discard, func(found *layout) error {
		c = found
		return nil
	}, func(r *rows, _ time.Time) error {
		_, domain := directory.SplitUPN(c.text(r, directory.UserPrincipalName))
		o.Domains[strings.ToLower(domain)]++
		for i := range c.of {
			if c.of[i].Example == "" && c.of[i].Use != source.Never {
				c.of[i].Example = string(unwrap(r.value(i), c.of[i].Attribute))
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	o.About, o.Columns, o.Rows, o.Changed = about, c.of, about.Total, about.Changed
	o.Encoding, o.Comma = about.Encoding, about.Separator
	return o, nil
}

// each opens the file and passes its header, then each whole row, to the callers. A
// bad row is reported at the end, together with others; no row is passed after it.
// The file was whole only if each returns without error.
func (f *File) each(ctx context.Context, sink progress.Sink,
	header func(*layout) error, row func(*rows, time.Time) error,
) (about directory.About, err error) {
	file, before, err := f.open()
	if err != nil {
		return about, err
	}
	defer file.Close()
	s, err := scan(&cancellable{ctx, file})
	if err != nil {
		return about, f.readError(ctx, err)
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return about, f.readError(ctx, err)
	}
	again := &hashed{r: &cancellable{ctx, file}}
	again.hash.SetSeed(s.seed)
	e := &export{file: f, sink: sink, scanned: s, header: header, row: row}
	err = e.read(again)
	if cause := ctx.Err(); cause != nil {
		return about, cause
	}
	if err == nil || problem.Of(err) != nil {
		// Whatever was wrong, the reason may be that the file changed meanwhile.
		if f.changed(file, before, s, again) {
			return about, problem.New(problem.FileChanged, problem.Args{"file": f.path})
		}
	}
	if err != nil {
		return about, f.readError(ctx, err)
	}
	sink.Report(progress.Event{Phase: progress.Source, Done: e.good, Total: e.good, Ended: true})
	return directory.About{
		Name: f.Name(), Newest: e.newest, Read: f.opts.Clock.Now(), Total: e.good, Changed: before.ModTime(),
		Encoding: string(s.encoding), Separator: separators[e.comma],
	}, nil
}

// Check reports whether the file exists and can be opened.
func (f *File) Check() error {
	file, _, err := f.open()
	if err != nil {
		return err
	}
	return file.Close()
}

// open opens a regular file and checks what it is before it is read.
func (f *File) open() (*os.File, fs.FileInfo, error) {
	args := problem.Args{"file": f.path}
	// Checked before it is opened: opening a pipe would wait for a writer.
	info, err := os.Stat(f.path)
	if err == nil && !info.Mode().IsRegular() {
		return nil, nil, problem.New(problem.FileNotAFile, args)
	}
	var file *os.File
	if err == nil {
		file, err = os.Open(f.path)
	}
	if err == nil {
		if info, err = file.Stat(); err != nil {
			_ = file.Close()
		}
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil, problem.Wrap(err, problem.FileNotFound, args)
	case err != nil:
		return nil, nil, problem.Wrap(err, problem.FileNotReadable, args)
	case info.Size() > maxSize:
		_ = file.Close()
		return nil, nil, problem.New(problem.FileTooBig, problem.Args{
			"file": f.path, "size": strconv.FormatInt(info.Size()>>20, 10), "limit": strconv.Itoa(maxSize >> 20),
		})
	}
	return file, info, nil
}

// changed reports whether the file is another one, or has other content, than when
// it was opened.
func (f *File) changed(file *os.File, before fs.FileInfo, s scanned, again *hashed) bool {
	// Parsing may have stopped before the end.
	if _, err := io.Copy(io.Discard, again); err != nil {
		return true
	}
	if again.size != s.size || again.hash.Sum64() != s.hash {
		return true
	}
	open, err := file.Stat()
	if err != nil || open.Size() != before.Size() || !open.ModTime().Equal(before.ModTime()) {
		return true
	}
	named, err := os.Stat(f.path)
	return err != nil || !os.SameFile(named, open)
}

// readError returns problems and ctx's end unchanged, and names the file in other
// errors.
func (f *File) readError(ctx context.Context, err error) error {
	if cause := ctx.Err(); cause != nil {
		return cause
	}
	if problem.Of(err) != nil || errors.Is(err, directory.ErrTooLarge) {
		return err
	}
	return problem.Wrap(err, problem.FileNotReadable, problem.Args{"file": f.path})
}

// text returns the value of an attribute that has a column, without the spaces
// around it. Names keep theirs: the source decides about them.
func (c *layout) text(r *rows, a directory.Attribute) string {
	return string(bytes.TrimSpace(unwrap(r.value(c.at[a]), a)))
}

// unwrap removes what marks a spreadsheet cell as text: ="007" and '007. An
// apostrophe that is part of the value, as in a name, stays.
func unwrap(cell []byte, a directory.Attribute) []byte {
	trimmed := bytes.TrimSpace(cell)
	if inner, ok := bytes.CutPrefix(trimmed, []byte(`="`)); ok {
		if inner, ok = bytes.CutSuffix(inner, []byte(`"`)); ok && bytes.IndexByte(inner, '"') < 0 {
			return inner
		}
	}
	if inner, ok := bytes.CutPrefix(trimmed, []byte("'")); ok && len(inner) > 0 {
		key := a == directory.ImmutableID || a == directory.MailNickname
		if key || bytes.IndexByte([]byte("=+-@0123456789"), inner[0]) >= 0 {
			return inner
		}
	}
	return cell
}

// enabled reads Status. Only a plain "disabled" disables: an unknown word, and a
// file without the column, disable no user.
func (c *layout) enabled(r *rows) bool {
	return c.status < 0 || !strings.EqualFold(string(bytes.TrimSpace(r.value(c.status))), "disabled")
}

// nickname returns what HAC writes to mailNickname: the Username, or its local part
// if it looks like an address (HENNGE's help, article 44051180264089).
func nickname(username string) string {
	local, _ := directory.SplitUPN(strings.TrimSpace(username))
	return local
}

// hashed is a reader that hashes what passes.
type hashed struct {
	r    io.Reader
	hash maphash.Hash
	size int64
}

func (h *hashed) Read(p []byte) (int, error) {
	n, err := h.r.Read(p)
	_, _ = h.hash.Write(p[:n])
	h.size += int64(n)
	return n, err
}

// cancellable stops reading when ctx ends.
type cancellable struct {
	ctx context.Context //nolint:containedctx // lives for one read
	io.ReadSeeker
}

func (c *cancellable) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.ReadSeeker.Read(p)
}
