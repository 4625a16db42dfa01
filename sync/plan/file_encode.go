package plan

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"io"
	"slices"
	"strconv"

	"github.com/hacsync/hacsync/sync/directory"
)

// Encode writes the plan file: versioned, with everything that is needed to review and
// apply the plan on another machine, and the fingerprint at its end.
func (p *Plan) Encode(w io.Writer) error {
	finger, answers, options := p.Fingerprint(), p.answers, p.optionNumbers()
	if p.open != nil {
		p = p.open
	}
	e := newEncoder(w)
	e.put(p.fileHeader(len(options)))
	e.source(p)
	for i := range p.book.len() {
		a := p.book.action(i)
		e.put(fileLine{Action: toFileAction(&a)})
	}
	for i := range p.book.skips() {
		s := p.book.skip(i)
		e.put(fileLine{Skip: &fileSkip{No: s.No, Ref: s.Ref, Name: s.Name, Line: s.Line, Why: toFile(s.Why)}})
	}
	for _, q := range p.book.asked() {
		e.put(fileLine{Question: toFileQuestion(q)})
	}
	for _, no := range options {
		a, _ := p.book.option(no)
		e.put(fileLine{Option: toFileAction(&a)})
	}
	if len(answers) > 0 {
		e.put(fileLine{Answers: answers})
	}
	e.put(fileLine{End: &fileTrailer{Fingerprint: finger.String(), SHA256: hex.EncodeToString(e.sum.Sum(nil))}})
	return e.close()
}

// encoder writes lines, until the first error.
type encoder struct {
	out  *bufio.Writer
	sum  hash.Hash
	json *json.Encoder
	err  error
}

func newEncoder(w io.Writer) *encoder {
	e := &encoder{out: bufio.NewWriterSize(w, 1<<16), sum: sha256.New()}
	e.json = json.NewEncoder(io.MultiWriter(e.out, e.sum))
	e.json.SetEscapeHTML(false)
	return e
}

func (e *encoder) put(line any) {
	if e.err == nil {
		e.err = e.json.Encode(line)
	}
}

func (e *encoder) close() error {
	if e.err == nil {
		e.err = e.out.Flush()
	}
	if e.err != nil {
		return fmt.Errorf("plan file: %w", e.err)
	}
	return nil
}

func (p *Plan) fileHeader(options int) fileHeader {
	h := fileHeader{
		Version: p.version, Tenant: p.tenant, Domain: p.domain, Undo: p.undo, Policy: p.policy,
		Source: p.about, Confirmed: p.confirmed, Digest: p.digest.String(), Columns: p.source.Columns(),
		Actions: p.book.len(), Skips: p.book.skips(), Counts: p.counts,
		Guard: p.guard.file(), Need: p.need, Questions: p.QuestionLen(), Options: options, Final: p.final,
	}
	for _, a := range []directory.Attribute{directory.ImmutableID, directory.AccountEnabled} {
		if !p.source.HasColumn(a) {
			h.Without = append(h.Without, a)
		}
	}
	for _, q := range p.warnings {
		h.Warnings = append(h.Warnings, toFile(q))
	}
	for u := range p.source.All() {
		if p.rests(u) {
			h.Rows++
		}
	}
	return h
}

// optionNumbers are the numbers of the actions that answers make, in order; none if the
// questions are not answered again.
func (p *Plan) optionNumbers() []int {
	if p.final {
		return nil
	}
	var nos []int
	take := func(no int) {
		if _, ok := p.book.option(no); ok {
			nos = append(nos, no)
		}
	}
	for _, q := range p.book.asked() {
		take(q.Delete)
		for i := range q.Rows {
			take(q.Rows[i].Same)
			take(q.Rows[i].Add)
		}
	}
	slices.Sort(nos)
	return slices.Compact(nos)
}

// source writes the source rows that the plan rests on: UPN, immutable ID, line,
// status, from version 2 on the Username, then the columns.
func (e *encoder) source(p *Plan) {
	var block [][]*string
	columns := p.source.Columns()
	for u := range p.source.All() {
		if !p.rests(u) {
			continue
		}
		upn, id, line, status := u.UPN(), u.ImmutableID(), strconv.Itoa(u.Line()), "0"
		if u.Marks().Has(directory.Enabled) {
			status = "1"
		}
		row := append(make([]*string, 0, 5+len(columns)), &upn, &id, &line, &status)
		if p.version > 1 {
			username := u.Username()
			row = append(row, &username)
		}
		for _, c := range columns {
			if v, set := u.Get(c); set {
				row = append(row, &v)
			} else {
				row = append(row, nil)
			}
		}
		if block = append(block, row); len(block) == sourceBlock {
			e.put(fileLine{Source: block})
			block = block[:0]
		}
	}
	if len(block) > 0 {
		e.put(fileLine{Source: block})
	}
}
