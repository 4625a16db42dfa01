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

// FormatVersion is that of the plan file. Decode reads 1, which knew no links and
// no questions, and refuses newer ones.
//
// A plan file is JSON, one object a line: a header with the version, the source
// rows that the plan rests on (some hundred a line), a line for each action, each
// skip, each question and each action that an answer may make, in their order, one
// with the answers, and a trailer with the fingerprint and a SHA-256 of all bytes
// before it. What follows from the rest (steps, flags, sums, verdict)
// is not written down where that could be made to differ, or is compared.
const FormatVersion = 2

const sourceBlock = 200

// maxLine bounds a line of a plan file: names in it are at most a few thousand
// bytes, so that anything longer is no plan file.
const maxLine = 8 << 20

type fileHeader struct {
	Version   int                   `json:"hacsync_plan"`
	Tenant    string                `json:"tenant"`
	Domain    string                `json:"domain"`
	Undo      int64                 `json:"undo_of,omitempty"`
	Policy    Policy                `json:"policy"`
	Source    directory.About       `json:"source"`
	Confirmed bool                  `json:"confirmed"`
	Digest    string                `json:"source_digest"`
	Columns   []directory.Attribute `json:"source_columns"`
	Without   []directory.Attribute `json:"source_without,omitempty"`
	Rows      int                   `json:"source_rows"`
	Actions   int                   `json:"actions"`
	Skips     int                   `json:"skips"`
	Counts    Counts                `json:"counts"`
	Guard     fileGuard             `json:"guard"`
	Warnings  []fileProblem         `json:"warnings,omitempty"`
	Need      []directory.ID        `json:"need,omitempty"`
	Questions int                   `json:"questions,omitempty"`
	Options   int                   `json:"options,omitempty"`
	// Final: the questions are not answered again.
	Final bool `json:"final,omitempty"`
}

type fileGuard struct {
	Unattended bool     `json:"unattended,omitempty"`
	Today      int      `json:"today,omitempty"`
	UsersThen  int      `json:"users_then,omitempty"`
	Watched    int      `json:"watched,omitempty"`
	Raised     bool     `json:"raised,omitempty"`
	LostHeld   int      `json:"lost_held,omitempty"`
	Paid       int      `json:"paid,omitempty"`
	Known      int      `json:"known,omitempty"`
	Origins    []origin `json:"origins,omitempty"`
}

func (g guard) file() fileGuard {
	return fileGuard{g.unattended, g.today, g.usersThen, g.watched, g.raised, g.lostHeld, g.paid, g.known, g.origins}
}

func (f fileGuard) guard() guard {
	return guard{
		unattended: f.Unattended, today: f.Today, usersThen: f.UsersThen, watched: f.Watched, raised: f.Raised,
		lostHeld: f.LostHeld, paid: f.Paid, known: f.Known, origins: f.Origins,
	}
}

type fileProblem struct {
	Code problem.Code `json:"code"`
	Args problem.Args `json:"args,omitempty"`
}

type fileChange struct {
	Attribute directory.Attribute `json:"attribute"`
	Old       *string             `json:"old"`
	New       *string             `json:"new"`
}

type fileAction struct {
	No        int             `json:"no"`
	Kind      string          `json:"kind"`
	User      directory.Ref   `json:"user,omitzero"`
	UPN       string          `json:"upn"`
	Name      string          `json:"name,omitempty"`
	Line      int             `json:"line,omitempty"`
	Changes   []fileChange    `json:"changes,omitempty"`
	Warnings  []fileProblem   `json:"warnings,omitempty"`
	Pair      int             `json:"pair,omitempty"` // version 1 alone
	Evidence  *Evidence       `json:"evidence,omitempty"`
	Marks     directory.Marks `json:"marks,omitempty"`
	After     []int           `json:"after,omitempty"`
	Last      []int           `json:"last,omitempty"`
	With      int             `json:"with,omitempty"`
	Temporary string          `json:"temporary,omitempty"`
	Enters    bool            `json:"enters,omitempty"`
	Resets    bool            `json:"resets,omitempty"`
	Federated bool            `json:"federated,omitempty"`
	NewUPN    bool            `json:"new_upn,omitempty"`
	Missing   bool            `json:"missing,omitempty"`
	Paid      bool            `json:"paid,omitempty"`

	Link        *Link        `json:"link,omitempty"`
	Explanation *Explanation `json:"explanation,omitempty"`

	Made       []fileChange `json:"made,omitempty"`
	Unlicensed bool         `json:"unlicensed,omitempty"`
}

type fileSkip struct {
	No   int           `json:"no"`
	Ref  directory.Ref `json:"user,omitzero"`
	Name string        `json:"name,omitempty"`
	Line int           `json:"line,omitempty"`
	Why  fileProblem   `json:"why"`
}

type fileTrailer struct {
	Fingerprint string `json:"fingerprint"`
	SHA256      string `json:"sha256"`
}

// fileQuestion is a question with its problems as they are written.
type fileQuestion struct {
	Question
	DeleteWhy *fileProblem    `json:"delete_why,omitempty"`
	Rows      []fileCandidate `json:"rows"`
}

type fileCandidate struct {
	Candidate
	SameWhy *fileProblem `json:"same_why,omitempty"`
	AddWhy  *fileProblem `json:"add_why,omitempty"`
	Waits   bool         `json:"waits,omitempty"`
}

// fileLine is any line but the header.
type fileLine struct {
	Source   [][]*string   `json:"source,omitempty"`
	Action   *fileAction   `json:"action,omitempty"`
	Skip     *fileSkip     `json:"skip,omitempty"`
	Question *fileQuestion `json:"question,omitempty"`
	Option   *fileAction   `json:"option,omitempty"`
	Answers  []Answer      `json:"answers,omitempty"`
	End      *fileTrailer  `json:"end,omitempty"`
}

// order is where a line stands in the file, 0 for one that is none.
func (l *fileLine) order() int {
	at, parts := 0, 0
	for i, is := range [...]bool{
		l.Source != nil, l.Action != nil, l.Skip != nil, l.Question != nil, l.Option != nil, l.Answers != nil, l.End != nil,
	} {
		if is {
			at = i + 1
			parts++
		}
	}
	if parts != 1 {
		return 0
	}
	return at
}

// Encode writes the plan file: versioned, with everything that is needed to
// review and apply it elsewhere, and the fingerprint at its end.
func (p *Plan) Encode(w io.Writer) error {
	finger, answers, final := p.Fingerprint(), p.answers, p.final
	if p.open != nil {
		p = p.open
	}
	out := bufio.NewWriterSize(w, 1<<16)
	sum := sha256.New()
	e := json.NewEncoder(io.MultiWriter(out, sum))
	e.SetEscapeHTML(false)
	h := fileHeader{
		Version: p.version, Tenant: p.tenant, Domain: p.domain, Undo: p.undo, Policy: p.policy,
		Source: p.about, Confirmed: p.confirmed, Digest: p.digest.String(), Columns: p.source.Columns(),
		Actions: p.book.len(), Skips: p.book.skips(), Counts: p.counts,
		Guard: p.guard.file(), Need: p.need, Questions: p.QuestionLen(), Final: final,
	}
	var options []int
	if !final {
		options = p.optionNumbers()
	}
	h.Options = len(options)
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
	if err := e.Encode(h); err != nil {
		return fmt.Errorf("plan file: %w", err)
	}
	if err := p.encodeSource(e); err != nil {
		return err
	}
	for i := range p.book.len() {
		a := p.book.action(i)
		if err := e.Encode(fileLine{Action: toFileAction(&a)}); err != nil {
			return fmt.Errorf("plan file: %w", err)
		}
	}
	for i := range p.book.skips() {
		s := p.book.skip(i)
		line := fileLine{Skip: &fileSkip{No: s.No, Ref: s.Ref, Name: s.Name, Line: s.Line, Why: toFile(s.Why)}}
		if err := e.Encode(line); err != nil {
			return fmt.Errorf("plan file: %w", err)
		}
	}
	if err := p.encodeQuestions(e, options, answers); err != nil {
		return err
	}
	end := fileLine{End: &fileTrailer{Fingerprint: finger.String(), SHA256: hex.EncodeToString(sum.Sum(nil))}}
	if err := e.Encode(end); err != nil {
		return fmt.Errorf("plan file: %w", err)
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("plan file: %w", err)
	}
	return nil
}

// optionNumbers are the numbers of the actions that answers make, in order; none
// where the questions are not answered again.
func (p *Plan) optionNumbers() []int {
	var nos []int
	take := func(no int) {
		if _, ok := p.book.option(no); ok && !slices.Contains(nos, no) {
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
	return nos
}

func (p *Plan) encodeQuestions(e *json.Encoder, options []int, answers []Answer) error {
	put := func(l fileLine) error {
		if err := e.Encode(l); err != nil {
			return fmt.Errorf("plan file: %w", err)
		}
		return nil
	}
	for _, q := range p.book.asked() {
		f := &fileQuestion{Question: *q, DeleteWhy: toFileWhy(q.DeleteWhy)}
		for _, c := range q.Rows {
			f.Rows = append(f.Rows, fileCandidate{c, toFileWhy(c.SameWhy), toFileWhy(c.AddWhy), c.waits})
		}
		if err := put(fileLine{Question: f}); err != nil {
			return err
		}
	}
	for _, no := range options {
		a, _ := p.book.option(no)
		if err := put(fileLine{Option: toFileAction(&a)}); err != nil {
			return err
		}
	}
	if len(answers) == 0 {
		return nil
	}
	return put(fileLine{Answers: answers})
}

func toFileWhy(q *problem.Problem) *fileProblem {
	if q == nil {
		return nil
	}
	f := toFile(q)
	return &f
}

func fromFileWhy(f *fileProblem) *problem.Problem {
	if f == nil {
		return nil
	}
	return fromFile(*f)
}

func fromFileQuestion(f *fileQuestion) *Question {
	q := f.Question
	q.DeleteWhy = fromFileWhy(f.DeleteWhy)
	q.Rows = nil
	for _, c := range f.Rows {
		c.Candidate.SameWhy, c.Candidate.AddWhy = fromFileWhy(c.SameWhy), fromFileWhy(c.AddWhy)
		c.waits = c.Waits
		q.Rows = append(q.Rows, c.Candidate)
	}
	return &q
}

// encodeSource writes the source rows that the plan rests on: UPN, immutable ID,
// line, status, from version 2 on the Username, then the columns.
func (p *Plan) encodeSource(e *json.Encoder) error {
	var block [][]*string
	flush := func() error {
		if len(block) == 0 {
			return nil
		}
		err := e.Encode(fileLine{Source: block})
		block = block[:0]
		if err != nil {
			return fmt.Errorf("plan file: %w", err)
		}
		return nil
	}
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
			if err := flush(); err != nil {
				return err
			}
		}
	}
	return flush()
}

func toFile(q *problem.Problem) fileProblem { return fileProblem{q.Code, q.Args} }

func fromFile(q fileProblem) *problem.Problem { return problem.New(q.Code, q.Args) }

func toFileAction(a *Action) *fileAction {
	f := &fileAction{
		No: a.No, Kind: a.Kind.String(), User: a.User, UPN: a.UPN, Name: a.Name, Line: a.Line,
		Marks: a.Marks, After: a.After, Missing: a.how.missing, Paid: a.how.paid, Explanation: a.Explanation, Evidence: a.Evidence,
		Last: a.how.last, With: a.how.with, Temporary: a.how.temporary, Enters: a.how.enters,
		Resets: a.how.resets, Federated: a.how.federated, NewUPN: a.how.newUPN,
		Changes: toFileChanges(a.Changes), Made: toFileChanges(a.how.made), Unlicensed: a.how.unlicensed,
	}
	for _, q := range a.Warnings {
		f.Warnings = append(f.Warnings, toFile(q))
	}
	if a.Link.Username != "" {
		f.Link = &a.Link
	}
	return f
}

func toFileChanges(cs []Change) []fileChange {
	var fs []fileChange
	for _, c := range cs {
		f := fileChange{Attribute: c.Attribute}
		if c.Old.Set {
			f.Old = &c.Old.Text
		}
		if c.New.Set {
			f.New = &c.New.Text
		}
		fs = append(fs, f)
	}
	return fs
}

func fromFileChanges(fs []fileChange) []Change {
	value := func(s *string) directory.Value {
		if s == nil {
			return directory.Value{}
		}
		return directory.Value{Text: *s, Set: true}
	}
	var cs []Change
	for _, f := range fs {
		cs = append(cs, Change{f.Attribute, value(f.Old), value(f.New)})
	}
	return cs
}

func fromFileAction(f *fileAction) (Action, error) {
	a := Action{
		No: f.No, User: f.User, UPN: f.UPN, Name: f.Name, Line: f.Line,
		Marks: f.Marks, After: f.After, Explanation: f.Explanation, Evidence: f.Evidence,
		how: how{
			missing: f.Missing, paid: f.Paid,
			last: f.Last, with: f.With, temporary: f.Temporary, enters: f.Enters,
			resets: f.Resets, federated: f.Federated, newUPN: f.NewUPN,
			made: fromFileChanges(f.Made), unlicensed: f.Unlicensed,
		},
		Changes: fromFileChanges(f.Changes),
	}
	for k := Delete; k <= Update; k++ {
		if k.String() == f.Kind {
			a.Kind = k
		}
	}
	if a.Kind == 0 {
		return a, fmt.Errorf("kind %q", f.Kind)
	}
	if f.Link != nil {
		a.Link = *f.Link
	}
	for _, q := range f.Warnings {
		a.Warnings = append(a.Warnings, fromFile(q))
	}
	a.finish()
	return a, nil
}

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

// strict takes a line apart and refuses what it does not know.
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

// plan puts together what was read and proves it.
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
	p.guard = h.Guard.guard()
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
		p.source = emptyBin()
		return p.proven(d)
	}
	about := h.Source
	p.source, err = d.rows.Seal(directory.Proof{Ended: true, Pages: 1, Items: h.Rows, Count: -1}, about)
	if err != nil {
		return nil, fmt.Errorf("source rows: %w", err)
	}
	return p.proven(d)
}

// proven gives a plan that was read what follows from its rows, and checks it.
func (p *Plan) proven(d *decoder) (*Plan, error) {
	p.rests = func(directory.User) bool { return true }
	p.rested = p.restedOn()
	p.verdict = judge(p.policy, p.counts, p.guard)
	if err := p.consistent(); err != nil {
		return nil, err
	}
	p.finger = p.fingerprint()
	if d.head.Final {
		p.answers, p.final = d.said, true
	} else {
		p = p.with(d.said)
	}
	if found := p.Fingerprint().String(); found != d.end.Fingerprint {
		return nil, problem.New(problem.PlanMismatch, problem.Args{"named": d.end.Fingerprint, "found": found})
	}
	return p, nil
}
