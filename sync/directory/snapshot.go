package directory

import (
	"iter"
	"slices"
	"strings"
	"sync"
	"time"
)

// Proof is what a reader reports to prove that it read a side to its end.
type Proof struct {
	Ended bool  // the last page or byte was seen
	Pages int   // pages read, 1 for a file
	Items int   // rows read; must equal what was added
	Count int64 // the side's own count, -1 if it has none
}

// About describes where a snapshot came from, for screens and logs.
type About struct {
	Name   string    `json:"name"`            // file name, HAC API, tenant
	Newest time.Time `json:"newest,omitzero"` // newest Last Login: the age of an export
	Read   time.Time `json:"read"`            // when reading ended, by the side's clock where it has one
	Total  int       `json:"total"`           // rows of all domains

	// Encoding and Separator are how the text of a file was read: UTF-8, Shift_JIS,
	// UTF-16; comma, tab, semicolon. They are empty for other sources.
	Encoding  string `json:"encoding,omitempty"`
	Separator string `json:"separator,omitempty"`

	// OwnEnd: the source says itself where its list ends, so that no count from
	// elsewhere has to confirm it. A file cannot: a part of it is a whole file too.
	OwnEnd bool `json:"own_end,omitempty"`

	// Changed is when the file was last written, zero for other sources.
	Changed time.Time `json:"changed,omitzero"`
}

// Snapshot is one side's users, read to the end and proven complete. It never
// changes, and is safe for concurrent use. The zero value is not usable: only Seal
// makes one.
//
// It holds columns, not rows: a million users are some hundred objects for the
// garbage collector instead of tens of millions. At, ByID and the like return views
// that cost nothing; strings from them keep their chunk of text in memory.
type Snapshot struct {
	t      *table
	marks  numbers[uint32]
	digest func() Digest
}

// table is what snapshots share that differ only in marks.
type table struct {
	side    Side
	n       int
	columns []Attribute
	without []Attribute
	proof   Proof
	about   About

	ids, upns, immutable, mail column
	values                     []column
	addresses                  column // of all rows, end to end
	addressEnds                numbers[uint32]
	lines                      numbers[uint32]
	created, deleted           numbers[int64]
	lastSignIn                 numbers[int64]

	byID               *index // nil in a source
	byUsername         func() *index
	byUPN, byImmutable func() *index
	byMail, byAddress  func() *index
}

func (t *table) seal() {
	for _, c := range []*column{&t.ids, &t.upns, &t.immutable, &t.mail, &t.addresses} {
		c.seal()
	}
	for i := range t.values {
		t.values[i].seal()
	}
	for _, c := range []*numbers[uint32]{&t.addressEnds, &t.lines} {
		c.seal()
	}
	for _, c := range []*numbers[int64]{&t.created, &t.deleted, &t.lastSignIn} {
		c.seal()
	}
	// Indexes are made when first needed: a recycle bin is rarely searched by
	// address, a source never.
	lazy := func(n int, key func(int) string) func() *index {
		return sync.OnceValue(func() *index { return newIndex(key).fill(n) })
	}
	t.byUsername = lazy(t.n, t.ids.get)
	t.byUPN = lazy(t.n, func(i int) string { return FoldUPN(t.upns.get(i)) })
	t.byImmutable = lazy(t.n, t.immutable.get)
	t.byMail = lazy(t.n, func(i int) string { return FoldUPN(t.mail.get(i)) })
	t.byAddress = lazy(t.addresses.n, func(i int) string { return FoldAddress(t.addresses.get(i)) })
}

func newSnapshot(t *table, marks numbers[uint32]) *Snapshot {
	s := &Snapshot{t: t, marks: marks}
	s.digest = sync.OnceValue(s.sum)
	return s
}

// WithMarks returns the same users with more marks on some of them, for facts that
// are known only after the accounts were listed, such as role holders and mailbox
// purposes. An ID that is not in the snapshot is ignored. The text is shared.
func (s *Snapshot) WithMarks(more map[ID]Marks) *Snapshot {
	marks := numbers[uint32]{v: make([]uint32, s.t.n), n: s.t.n}
	copy(marks.v, s.marks.v)
	for id, m := range more {
		if u, ok := s.ByID(id); ok {
			marks.v[u.i] |= uint32(m)
		}
	}
	return newSnapshot(s.t, marks)
}

// Side returns the side that the snapshot was read from.
func (s *Snapshot) Side() Side { return s.t.side }

// Columns returns its attributes apart from UPN and immutable ID. The slice must
// not be changed.
func (s *Snapshot) Columns() []Attribute { return s.t.columns }

// HasColumn reports whether the side has the attribute at all; always true for UPN,
// and for the immutable ID and accountEnabled unless the builder's Without was
// called for them.
func (s *Snapshot) HasColumn(a Attribute) bool {
	switch a {
	case UserPrincipalName:
		return true
	case ImmutableID, AccountEnabled:
		return !slices.Contains(s.t.without, a)
	}
	return slices.Contains(s.t.columns, a)
}

// Proof returns how it was proven complete.
func (s *Snapshot) Proof() Proof { return s.t.proof }

// About returns where it came from.
func (s *Snapshot) About() About { return s.t.about }

// Digest returns a value that is equal for two snapshots with the same rows in any
// order. Times and line numbers do not count, nor does the order of columns and
// addresses.
func (s *Snapshot) Digest() Digest { return s.digest() }

// Len returns the number of rows.
func (s *Snapshot) Len() int { return s.t.n }

// At returns row i.
func (s *Snapshot) At(i int) User {
	if i < 0 || i >= s.t.n {
		panic("directory: row out of range")
	}
	return User{s, i}
}

// All returns the rows in the order read.
func (s *Snapshot) All() iter.Seq[User] {
	return func(yield func(User) bool) {
		for i := range s.t.n {
			if !yield(User{s, i}) {
				return
			}
		}
	}
}

// ByID finds an account of the destination by object ID.
func (s *Snapshot) ByID(id ID) (User, bool) {
	if s.t.byID == nil {
		return User{}, false
	}
	i := s.t.byID.find(string(id))
	return User{s, max(i, 0)}, i >= 0
}

// ByUsername finds the rows of a source with a Username, which is compared
// exactly, in the order read.
func (s *Snapshot) ByUsername(name string) []User {
	if s.t.side != Source {
		return nil
	}
	return s.collect(s.t.byUsername(), name)
}

// ByUPN finds the rows with a UPN, without regard to case, in the order read;
// more than one only in a source or a recycle bin.
func (s *Snapshot) ByUPN(upn string) []User { return s.collect(s.t.byUPN(), FoldUPN(upn)) }

// ByImmutableID finds the rows with an immutable ID, case-sensitively, in the
// order read.
func (s *Snapshot) ByImmutableID(id string) []User { return s.collect(s.t.byImmutable(), id) }

// FirstByUPN is ByUPN for the first row only, and reports whether there are more.
// It allocates nothing, and neither do the other First methods.
func (s *Snapshot) FirstByUPN(upn string) (u User, found, more bool) {
	return s.first(s.t.byUPN(), FoldUPN(upn))
}

// FirstByImmutableID is ByImmutableID for the first row only, like FirstByUPN.
func (s *Snapshot) FirstByImmutableID(id string) (u User, found, more bool) {
	return s.first(s.t.byImmutable(), id)
}

// FirstByUsername is ByUsername for the first row only, like FirstByUPN.
func (s *Snapshot) FirstByUsername(name string) (u User, found, more bool) {
	if s.t.side != Source {
		return User{}, false, false
	}
	return s.first(s.t.byUsername(), name)
}

func (s *Snapshot) first(x *index, key string) (u User, found, more bool) {
	i := x.find(key)
	if i < 0 {
		return User{}, false, false
	}
	return User{s, i}, true, x.after(i) >= 0
}

// SameUPN returns the rows whose UPN another row has too; some are returned twice.
func (s *Snapshot) SameUPN() iter.Seq[int] { return s.t.byUPN().repeated() }

// SameImmutableID returns the rows whose immutable ID another row has too; some are
// returned twice.
func (s *Snapshot) SameImmutableID() iter.Seq[int] { return s.t.byImmutable().repeated() }

// SameUsername returns the rows of a source whose Username another row has too;
// some are returned twice.
func (s *Snapshot) SameUsername() iter.Seq[int] { return s.t.byUsername().repeated() }

// ByAddress finds the accounts that hold an address (without prefix, any case) in
// mail or as an SMTP address in proxyAddresses, in the order read.
func (s *Snapshot) ByAddress(address string) []User {
	key := FoldUPN(address)
	found := s.collect(s.t.byMail(), key)
	x := s.t.byAddress()
	for e := x.find(key); e >= 0; e = x.after(e) {
		i, _ := slices.BinarySearch(s.t.addressEnds.v, uint32(e+1)) //nolint:gosec // counted by the builder
		found = append(found, User{s, i})
	}
	slices.SortFunc(found, func(a, b User) int { return a.i - b.i })
	return slices.Compact(found)
}

func (s *Snapshot) collect(x *index, key string) []User {
	var found []User
	for i := x.find(key); i >= 0; i = x.after(i) {
		found = append(found, User{s, i})
	}
	return found
}

// FoldAddress returns the form in which proxyAddresses and mail are compared:
// without the prefix of an SMTP address. An address of another kind (SIP:, X500:)
// cannot collide with a UPN, and gives "".
func FoldAddress(a string) string {
	kind, address, ok := strings.Cut(a, ":")
	if !ok {
		return FoldUPN(a)
	}
	if !strings.EqualFold(kind, "smtp") {
		return ""
	}
	return FoldUPN(address)
}
