package directory

import (
	"iter"
	"time"
)

// Proof is a reader's word that it read a side to its end.
type Proof struct {
	Ended bool  // the last page or byte was seen
	Pages int   // pages read, 1 for a file
	Items int   // rows read; must equal what was added
	Count int64 // what the side itself says it has, -1 if it says nothing
}

// About describes where a snapshot came from, for screens and logs.
type About struct {
	Name   string    `json:"name"`            // file name, HAC API, tenant
	Newest time.Time `json:"newest,omitzero"` // newest Last Login: the age of an export
	Read   time.Time `json:"read"`            // when reading ended, by the side's clock where it has one
	Total  int       `json:"total"`           // rows of all domains
}

// Snapshot is one side's users, read to the end and proven complete. It never
// changes. The zero value is not usable: only Seal makes one.
type Snapshot struct {
	// the directory package's own columns
	stub struct{}
}

// Digest identifies the content of a snapshot, whatever the order of its rows.
type Digest [32]byte

// Builder collects the rows of a snapshot.
type Builder struct{ stub struct{} }

// NewBuilder starts a snapshot of a side. columns are the attributes that the
// side has, beside UPN and immutable ID; a column that the source lacks is
// absent here, and so is never cleared.
func NewBuilder(side Side, columns []Attribute) *Builder { panic("stub") }

// Add takes one row; r.Columns is ignored, r.Values must match the builder's
// columns. In the destination and the recycle bin an ID seen twice is an error;
// in the source a UPN seen twice is kept, for the planner to say so.
func (b *Builder) Add(r Record) error { panic("stub") }

// Len is the number of rows so far.
func (b *Builder) Len() int { panic("stub") }

// Seal turns what was added into a Snapshot if the proof holds: ended, as many
// items as rows, and the side's own count equal where it has one. An empty
// source is refused. The builder cannot be used afterwards.
func (b *Builder) Seal(p Proof, a About) (*Snapshot, error) { panic("stub") }

// Side is where the snapshot was read.
func (s *Snapshot) Side() Side { panic("stub") }

// Columns are its attributes beside UPN and immutable ID.
func (s *Snapshot) Columns() []Attribute { panic("stub") }

// HasColumn reports whether the side has the attribute at all; always true for
// UPN, and for the immutable ID unless WithoutImmutableID was said to the builder.
func (s *Snapshot) HasColumn(a Attribute) bool { panic("stub") }

// Proof is how it was proven.
func (s *Snapshot) Proof() Proof { panic("stub") }

// About is where it came from.
func (s *Snapshot) About() About { panic("stub") }

// Digest is equal for two snapshots with the same rows in any order. Times and
// line numbers do not count.
func (s *Snapshot) Digest() Digest { panic("stub") }

// Len is the number of rows.
func (s *Snapshot) Len() int { panic("stub") }

// At is row i.
func (s *Snapshot) At(i int) User { panic("stub") }

// All are the rows in the order read.
func (s *Snapshot) All() iter.Seq[User] { panic("stub") }

// ByID finds an account by object ID.
func (s *Snapshot) ByID(id ID) (User, bool) { panic("stub") }

// ByUPN finds the rows with a UPN, without regard to case; more than one only
// in a source or a recycle bin.
func (s *Snapshot) ByUPN(upn string) []User { panic("stub") }

// ByImmutableID finds the rows with an immutable ID, case-sensitively.
func (s *Snapshot) ByImmutableID(id string) []User { panic("stub") }

// ByAddress finds the accounts that hold an address (without prefix, any case)
// in mail or proxyAddresses.
func (s *Snapshot) ByAddress(address string) []User { panic("stub") }

// User is a view of one row.
type User struct {
	s *Snapshot
	i int
}

// Row is its index in the snapshot.
func (u User) Row() int { return u.i }

// ID is its object ID.
func (u User) ID() ID { panic("stub") }

// UPN is its UPN as the side spells it.
func (u User) UPN() string { panic("stub") }

// ImmutableID is its immutable ID, or empty.
func (u User) ImmutableID() string { panic("stub") }

// Get returns an attribute, UPN and immutable ID included.
func (u User) Get(a Attribute) (value string, set bool) { panic("stub") }

// Marks are its marks.
func (u User) Marks() Marks { panic("stub") }

// Line is its place in the source.
func (u User) Line() int { panic("stub") }

// Created is when the account was made, zero if not known.
func (u User) Created() time.Time { panic("stub") }

// Deleted is when the account went into the recycle bin, zero if it did not.
func (u User) Deleted() time.Time { panic("stub") }

// LastSignIn is when the account was last used, zero if not known.
func (u User) LastSignIn() time.Time { panic("stub") }

// Addresses are its proxyAddresses.
func (u User) Addresses() []string { panic("stub") }

// Record copies the row out of the snapshot.
func (u User) Record() Record { panic("stub") }
