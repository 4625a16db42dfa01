package directory

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"time"
)

// What Add and Seal refuse. Readers wrap these errors into the problem that names
// their file or their address.
var (
	// ErrEmpty: not one row in a source, or in a destination whose own count is not
	// 0.
	ErrEmpty = errors.New("no users were read")
	// ErrNoID: an account of the destination without object ID.
	ErrNoID = errors.New("account without object ID")
	// ErrTooLarge: a value longer than 256 KiB, a column of more than 4 GiB of
	// text, or more than 4 billion rows.
	ErrTooLarge = errors.New("more text than a snapshot can hold")
	// ErrSealed: the builder was used after Seal.
	ErrSealed = errors.New("snapshot is sealed")
)

// IncompleteError reports that a side is not proven complete: it was not read to
// its end, or its numbers differ.
type IncompleteError struct {
	Side  Side
	Rows  int // rows added
	Proof Proof
}

// Error is for logs only.
func (e *IncompleteError) Error() string {
	return fmt.Sprintf("incomplete read of the %v: ended %t, %d rows kept of %d items, the side counts %d",
		e.Side, e.Proof.Ended, e.Rows, e.Proof.Items, e.Proof.Count)
}

// DuplicateError reports that an object ID was seen twice, as happens when a
// listing shifts between two pages.
type DuplicateError struct {
	Side          Side
	ID            ID
	First, Second int // rows, from 0
}

// Error is for logs only.
func (e *DuplicateError) Error() string {
	return fmt.Sprintf("object ID %s twice in the %v, rows %d and %d", e.ID, e.Side, e.First, e.Second)
}

// ValuesError reports that a record has not one value for each column.
type ValuesError struct{ Columns, Values int }

// Error is for logs only.
func (e *ValuesError) Error() string {
	return fmt.Sprintf("%d values for %d columns", e.Values, e.Columns)
}

// Builder collects the rows of a snapshot. It is not safe for concurrent use.
type Builder struct {
	t      *table
	marks  numbers[uint32]
	ids    *index // nil in a source, whose rows have no ID
	sealed bool
}

// NewBuilder starts a snapshot of a side. columns are the attributes that the side
// has, apart from UPN and immutable ID; a column that the source lacks is not in
// it, and so is never cleared. It panics if columns names UPN, immutable ID, or one
// attribute twice.
func NewBuilder(side Side, columns []Attribute) *Builder {
	t := &table{side: side, columns: slices.Clone(columns), values: make([]column, len(columns))}
	for i, c := range columns {
		if c == UserPrincipalName || c == ImmutableID || slices.Contains(columns[:i], c) {
			panic("directory: column " + string(c) + " has its own place or is named twice")
		}
	}
	b := &Builder{t: t}
	if side != Source {
		b.ids = newIndex(t.ids.get)
	}
	return b
}

// Without declares that the side lacks an attribute that is not a column:
// ImmutableID, or AccountEnabled if the side has no status. HasColumn is false for
// it, and so nothing is concluded from its absence.
func (b *Builder) Without(a Attribute) *Builder {
	b.t.without = append(b.t.without, a)
	return b
}

// Add adds one row; r.Columns is ignored, r.Values must match the builder's
// columns. The text of a value that is not set is dropped; times are kept to the
// microsecond, in UTC. In the destination and the recycle bin an ID seen twice is
// an error; in the source a UPN seen twice is kept, so that the planner can report
// it. After an error every call returns an error.
func (b *Builder) Add(r Record) error {
	if b.sealed {
		return ErrSealed
	}
	err := b.add(&r)
	b.sealed = err != nil
	return err
}

func (b *Builder) add(r *Record) error {
	t := b.t
	if len(r.Values) != len(t.columns) {
		return &ValuesError{Columns: len(t.columns), Values: len(r.Values)}
	}
	if t.n >= math.MaxUint32-1 {
		return ErrTooLarge
	}
	if t.side != Source && r.ID == "" {
		return ErrNoID
	}
	ok := t.ids.add(string(r.ID), false) &&
		t.upns.add(r.UPN, false) &&
		t.immutable.add(r.ImmutableID, false) &&
		t.mail.add(r.Mail, false)
	for i, v := range r.Values {
		if !v.Set {
			v.Text = ""
		}
		ok = ok && t.values[i].add(v.Text, v.Set)
	}
	for _, a := range r.Addresses {
		ok = ok && t.addresses.add(a, false)
	}
	if !ok || t.addresses.n >= math.MaxUint32-1 {
		return ErrTooLarge
	}
	if b.ids != nil {
		if first, ok := b.ids.insert(t.n, string(r.ID)); !ok {
			return &DuplicateError{Side: t.side, ID: r.ID, First: first, Second: t.n}
		}
	}
	t.addressEnds.add(uint32(t.addresses.n))                 //nolint:gosec // checked above
	t.lines.add(uint32(min(max(r.Line, 0), math.MaxUint32))) //nolint:gosec // bounded
	t.created.add(stamp(r.Created))
	t.deleted.add(stamp(r.Deleted))
	t.lastSignIn.add(stamp(r.LastSignIn))
	b.marks.add(uint32(r.Marks))
	t.n++
	return nil
}

// Len returns the number of rows so far.
func (b *Builder) Len() int { return b.t.n }

// Seal makes a Snapshot of the rows if the proof holds: ended, as many items as
// rows, and the side's own count equal if it has one. It refuses an empty source,
// and an empty destination unless its own count is 0. The builder cannot be used
// afterwards. a.Total is set to the number of rows.
func (b *Builder) Seal(p Proof, a About) (*Snapshot, error) {
	if b.sealed {
		return nil, ErrSealed
	}
	b.sealed = true
	t := b.t
	if !p.Ended || p.Items != t.n || p.Count >= 0 && p.Count != int64(t.n) {
		return nil, &IncompleteError{Side: t.side, Rows: t.n, Proof: p}
	}
	if t.n == 0 && (t.side == Source || t.side == Destination && p.Count != 0) {
		return nil, ErrEmpty
	}
	return b.snapshot(p, a), nil
}

func (b *Builder) snapshot(p Proof, a About) *Snapshot {
	t := b.t
	t.seal()
	b.marks.seal()
	a.Total = t.n
	t.proof, t.about, t.byID = p, a, b.ids
	return newSnapshot(t, b.marks)
}

// EmptyBin is a recycle bin without accounts.
func EmptyBin() *Snapshot { return NewBuilder(RecycleBin, nil).snapshot(Proof{Ended: true}, About{}) }

// stamp returns a time in microseconds since 1970; 0 means no time, so the first
// microsecond of 1970 is moved by one.
func stamp(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	if us := t.UnixMicro(); us != 0 {
		return us
	}
	return 1
}

func unstamp(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}
