package plan

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"
	"strconv"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/problem"
)

// Decode reads a plan file. A newer version, a damaged or cut file, or a
// fingerprint that does not match the content is a problem.
func Decode(r io.Reader) (*Plan, error) {
	d := &decoder{in: bufio.NewReaderSize(r, 1<<16), sum: sha256.New()}
	p, err := d.decode()
	if err == nil || problem.Of(err) != nil {
		return p, err
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, problem.Wrap(err, problem.PlanCut, problem.Args{"line": strconv.Itoa(d.line)})
	}
	return nil, problem.Wrap(err, problem.PlanDamaged, problem.Args{"line": strconv.Itoa(d.line), "what": err.Error()})
}

type decoder struct {
	in   *bufio.Reader
	sum  hash.Hash
	line int
	head fileHeader
	acts []Action
	skip []Skipped
	asks []*Question
	opts []Action
	said []Answer
	at   int // the kind of the last line
	rows *directory.Builder
	end  *fileTrailer
}

// next reads a line.
func (d *decoder) next() ([]byte, error) {
	d.line++
	var line []byte
	for {
		part, err := d.in.ReadSlice('\n')
		line = append(line, part...)
		if len(line) > maxLine {
			return nil, errors.New("line is too long")
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if err != nil {
			return nil, err //nolint:wrapcheck // Decode looks at it
		}
		return line, nil
	}
}

// strict decodes a line and refuses fields that it does not know.
func strict(line []byte, v any) error {
	e := json.NewDecoder(bytes.NewReader(line))
	e.DisallowUnknownFields()
	if err := e.Decode(v); err != nil {
		var cut *json.SyntaxError
		if errors.As(err, &cut) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
			return errors.New("not JSON")
		}
		return fmt.Errorf("content: %w", err)
	}
	if _, err := e.Token(); !errors.Is(err, io.EOF) {
		return errors.New("more than one object in a line")
	}
	return nil
}

func (d *decoder) decode() (*Plan, error) {
	line, err := d.next()
	if err != nil {
		return nil, err
	}
	var version struct {
		Version *int `json:"hacsync_plan"`
	}
	if err := json.Unmarshal(line, &version); err != nil || version.Version == nil {
		return nil, errors.New("not a plan file")
	}
	if *version.Version < 1 || *version.Version > FormatVersion {
		return nil, problem.New(problem.PlanNewer, problem.Args{
			"version": strconv.Itoa(*version.Version), "known": strconv.Itoa(FormatVersion),
		})
	}
	if err := strict(line, &d.head); err != nil {
		return nil, err
	}
	d.sum.Write(line)
	if err := d.startSource(); err != nil {
		return nil, err
	}
	for d.end == nil {
		if line, err = d.next(); err != nil {
			return nil, err
		}
		if err := d.take(line); err != nil {
			return nil, err
		}
	}
	if _, err := d.in.ReadByte(); !errors.Is(err, io.EOF) {
		d.line++
		return nil, errors.New("something after the end")
	}
	return d.plan()
}

func (d *decoder) startSource() error {
	seen := map[directory.Attribute]bool{directory.UserPrincipalName: true, directory.ImmutableID: true}
	for _, c := range d.head.Columns {
		if seen[c] {
			return fmt.Errorf("column %q", c)
		}
		seen[c] = true
	}
	d.rows = directory.NewBuilder(directory.Source, d.head.Columns)
	for _, a := range d.head.Without {
		d.rows.Without(a)
	}
	return nil
}

// take reads a line after the header. Source rows come first, then actions, then
// skips, then the end.
func (d *decoder) take(line []byte) error {
	var l fileLine
	if err := strict(line, &l); err != nil {
		return err
	}
	if l.End == nil {
		d.sum.Write(line)
	}
	at := l.order()
	if at == 0 || at < d.at {
		return errors.New("a line that does not belong here")
	}
	d.at = at
	switch {
	case l.Source != nil:
		return d.takeSource(l.Source)
	case l.Action != nil:
		a, err := fromFileAction(l.Action)
		if err != nil {
			return err
		}
		d.acts = append(d.acts, a)
	case l.Skip != nil:
		s := l.Skip
		d.skip = append(d.skip, Skipped{
			No: s.No, Ref: s.Ref, Name: s.Name, Line: s.Line, Group: s.Why.Code.Group(), Why: fromFile(s.Why),
		})
	case l.Question != nil:
		d.asks = append(d.asks, fromFileQuestion(l.Question))
	case l.Option != nil:
		a, err := fromFileAction(l.Option)
		if err != nil {
			return err
		}
		d.opts = append(d.opts, a)
	case l.Answers != nil:
		d.said = append(d.said, l.Answers...)
	default:
		d.end = l.End
	}
	return nil
}

func (d *decoder) takeSource(rows [][]*string) error {
	fixed := 4
	if d.head.Version > 1 {
		fixed = 5
	}
	for _, r := range rows {
		if len(r) != fixed+len(d.head.Columns) || slices.Contains(r[:fixed], nil) {
			return errors.New("source row of another length")
		}
		rec := directory.Record{UPN: *r[0], ImmutableID: *r[1]}
		if fixed > 4 {
			rec.ID = directory.ID(*r[4])
		}
		n, err := strconv.Atoi(*r[2])
		if err != nil || n < 0 {
			return errors.New("source row without line")
		}
		rec.Line = n
		switch *r[3] {
		case "1":
			rec.Marks = directory.Enabled
		case "0":
		default:
			return errors.New("source row without status")
		}
		for _, v := range r[fixed:] {
			if v == nil {
				rec.Values = append(rec.Values, directory.Value{})
			} else {
				rec.Values = append(rec.Values, directory.Value{Text: *v, Set: true})
			}
		}
		if err := d.rows.Add(rec); err != nil {
			return fmt.Errorf("source row: %w", err)
		}
	}
	return nil
}

// plan makes the plan of what was read, and proves it.
func (d *decoder) plan() (*Plan, error) {
	h := &d.head
	if hex.EncodeToString(d.sum.Sum(nil)) != d.end.SHA256 {
		return nil, errors.New("the bytes are not those that were written")
	}
	if len(d.acts) != h.Actions || len(d.skip) != h.Skips || d.rows.Len() != h.Rows ||
		len(d.asks) != h.Questions || len(d.opts) != h.Options {
		return nil, errors.New("the number of rows is not that of the header")
	}
	book := newStored(d.acts, d.skip)
	book.ask = d.asks
	for _, a := range d.opts {
		book.opts[a.No] = a
	}
	p := &Plan{book: book}
	p.version = h.Version
	p.tenant, p.domain, p.policy, p.undo = h.Tenant, h.Domain, h.Policy, h.Undo
	p.about, p.confirmed, p.counts, p.need = h.Source, h.Confirmed, h.Counts, h.Need
	p.guard, p.final = h.Guard.guard(), h.Final
	digest, err := hex.DecodeString(h.Digest)
	if err != nil || len(digest) != len(p.digest) {
		return nil, errors.New("source digest")
	}
	p.digest = directory.Digest(digest)
	for _, q := range h.Warnings {
		p.warnings = append(p.warnings, fromFile(q))
	}
	if h.Undo < 0 || h.Undo > 0 && h.Rows > 0 {
		return nil, errors.New("an undo that has a source")
	}
	if h.Undo > 0 {
		p.source = directory.EmptyBin()
		return p.proven(d)
	}
	about := h.Source
	p.source, err = d.rows.Seal(directory.Proof{Ended: true, Pages: 1, Items: h.Rows, Count: -1}, about)
	if err != nil {
		return nil, fmt.Errorf("source rows: %w", err)
	}
	return p.proven(d)
}

// proven adds to a plan that was read what follows from its rows, and checks it.
func (p *Plan) proven(d *decoder) (*Plan, error) {
	p.rests = func(directory.User) bool { return true }
	p.rested = p.restedOn()
	p.verdict = judge(p.policy, p.counts, p.guard)
	if err := p.consistent(); err != nil {
		return nil, err
	}
	p.finger = p.fingerprint()
	if p.final {
		p.answers = d.said
	} else {
		p = p.with(d.said)
	}
	if found := p.Fingerprint().String(); found != d.end.Fingerprint {
		return nil, problem.New(problem.PlanMismatch, problem.Args{"named": d.end.Fingerprint, "found": found})
	}
	return p, nil
}
