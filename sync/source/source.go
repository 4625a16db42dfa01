// Package source defines where users come from. Start with Source; the
// implementations are in haccsv (a HAC export) and hacapi (the HAC API).
package source

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/progress"
)

// Source is a list of users: a HAC export, the HAC API, another directory.
type Source interface {
	// Read reads the source to its end and checks that it is complete, or returns
	// an error. want are the attributes that are wanted; a source that lacks one
	// omits the column. The snapshot has the rows of every domain.
	Read(ctx context.Context, want []directory.Attribute, sink progress.Sink) (*directory.Snapshot, error)
	// Name is the name for screens and logs: a file name, "HAC API".
	Name() string
	// Renews reports whether the source is renewed without a user, as periodic sync
	// needs; a file that a user downloaded is not.
	Renews() bool
}

// Named is a source that knows which HAC it reads: links are kept by that identity.
// If a source does not know it, the settings give it a name.
type Named interface {
	Identity() string
}

// Checker is a source that can report cheaply, before it is read, that it cannot be
// read: for example a file that does not exist.
type Checker interface{ Check() error }

// Mapping is a source's custom attribute with the attribute it is written to.
type Mapping struct {
	From string              `json:"from"`
	To   directory.Attribute `json:"to"`
}

// Recognised is the meaning of one column of a source.
type Recognised struct {
	Column    string              // its name as the source spells it
	Attribute directory.Attribute // empty if it is not used
	Use       Use
	Example   string // first value, empty for a column that is never read
}

// Use is what a column is used for.
type Use uint8

// The uses.
const (
	NotMapped Use = iota // known or custom, not written to any attribute
	Mapped               // written to Attribute
	Read                 // read for a rule (Status, Last Login), not written
	Never                // never read: secrets, and what hacsync does not need
)

// HoldsSecret reports whether a column or field, by its name, may hold a password,
// a one-time code or the like, also under the name of a custom attribute. Such a
// column is never read.
func HoldsSecret(name string) bool {
	name = strings.ToLower(name)
	for _, part := range []string{
		"password", "passwd", "passcode", "otp", "token", "secret", "pincode", "pin code", "pin_code", "パスワード", "暗証",
	} {
		if strings.Contains(name, part) {
			return true
		}
	}
	return false
}

// Overview is what a look at a source shows before a dry run.
type Overview struct {
	Name     string
	Encoding string // UTF-8, UTF-8 with BOM, Shift_JIS, UTF-16; empty for an API
	Comma    string // comma, tab; empty for an API
	Columns  []Recognised
	Rows     int
	// Domains counts rows by lower-case domain; rows without UPN are under "".
	Domains map[string]int
	About   directory.About
	// Zone is the zone that times in a file were read in, where it names none; empty
	// for an API.
	Zone string
	// Changed is when the file was last changed, zero for an API.
	Changed time.Time
}

// Looker is a source that can describe its content.
type Looker interface {
	Look(ctx context.Context) (*Overview, error)
}

// BadRows is the cause of a problem.FileBadRows: what is wrong with each row, for
// all rows that could be read.
type BadRows struct {
	Rows  []*problem.Problem // the first of them, in the order of the source
	Total int
}

// Error is for logs only.
func (b *BadRows) Error() string {
	if len(b.Rows) == 0 {
		return fmt.Sprintf("%d bad rows", b.Total)
	}
	return fmt.Sprintf("%d bad rows, the first: %v", b.Total, b.Rows[0])
}

// Unwrap returns the problems of the rows.
func (b *BadRows) Unwrap() []error {
	errs := make([]error, len(b.Rows))
	for i, p := range b.Rows {
		errs[i] = p
	}
	return errs
}

// Sealing makes an error of package directory a problem of the source called name.
// It returns other errors unchanged.
func Sealing(err error, name string) error {
	var incomplete *directory.IncompleteError
	switch {
	case errors.Is(err, directory.ErrEmpty):
		return problem.Wrap(err, problem.SourceEmpty, problem.Args{"name": name})
	case errors.As(err, &incomplete):
		return problem.Wrap(err, problem.SourceIncomplete, problem.Args{
			"name": name, "rows": strconv.Itoa(incomplete.Rows), "items": strconv.Itoa(incomplete.Proof.Items),
		})
	}
	return err
}
