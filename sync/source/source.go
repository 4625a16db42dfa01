// Package source is where users come from.
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
	// Read reads the source to its end and proves it, or returns an error. The
	// attributes are those wanted; a source that lacks one leaves the column
	// out. Rows of every domain are in the snapshot.
	Read(ctx context.Context, want []directory.Attribute, sink progress.Sink) (*directory.Snapshot, error)
	// Name is what screens and logs call it: a file name, "HAC API".
	Name() string
	// Renews reports whether the source gets newer by itself, as periodic sync
	// needs; a file that a person downloaded does not.
	Renews() bool
}

// Named is a source that knows which HAC it reads: links are kept by it. Where a
// source does not know, the settings give it a name.
type Named interface {
	Identity() string
}

// Checker is a source that can say cheaply, before it is read, that it cannot be:
// a file that is not there.
type Checker interface{ Check() error }

// Mapping names a source's custom attribute and the attribute it is written to.
type Mapping struct {
	From string              `json:"from"`
	To   directory.Attribute `json:"to"`
}

// Recognised is how one column of a source was understood.
type Recognised struct {
	Column    string              // header as it stands
	Attribute directory.Attribute // empty where it is not used
	Use       Use
	Example   string // first value, empty for a column that is never read
}

// Use says what becomes of a column.
type Use uint8

// The uses.
const (
	NotMapped Use = iota // known or custom, not written anywhere
	Mapped               // written to Attribute
	Read                 // read for a rule (Status, Last Login), not written
	Never                // never read: secrets, and what hacsync has no business with
)

// HoldsSecret reports whether a column or field, by its name, may hold a
// password, a one-time code or the like, also under the name of a custom
// attribute. It is never read.
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
	// Changed is when the file was last changed, zero for an API.
	Changed time.Time
}

// Looker is a source that can describe itself.
type Looker interface {
	Look(ctx context.Context) (*Overview, error)
}

// BadRows is the cause of a problem.FileBadRows: what is wrong with each row,
// as far as it could be read.
type BadRows struct {
	Rows  []*problem.Problem // the first of them, in the order of the source
	Total int
}

func (b *BadRows) Error() string {
	if len(b.Rows) == 0 {
		return fmt.Sprintf("%d bad rows", b.Total)
	}
	return fmt.Sprintf("%d bad rows, the first: %v", b.Total, b.Rows[0])
}

// Unwrap gives the problems of the rows.
func (b *BadRows) Unwrap() []error {
	errs := make([]error, len(b.Rows))
	for i, p := range b.Rows {
		errs[i] = p
	}
	return errs
}

// Sealing turns what directory refused into a problem of the source called
// name. Other errors it gives back.
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
