package plan

import (
	"iter"
	"time"

	"github.com/hacsync/hacsync/sync/directory"
)

// Past is what earlier runs learnt of a domain. The zero value is a state that has
// learnt nothing.
type Past struct {
	// Source is the name of the source whose links and reads these are.
	Source string
	// At is when the last read that was learnt from ended, and Newest its newest
	// Last Login; zero if nothing was learnt.
	At, Newest time.Time
	// Restored: the state was restored from a backup and has not learnt since, so
	// that every Username may have changed hands.
	Restored bool
	// Claimed are accounts without a link that may be deleted: a reviewer said so, or the
	// last plan before links existed matched them.
	Claimed map[directory.ID]bool
	// Absent are accounts that had no row in reads that were learnt from.
	Absent map[directory.ID]Absence

	users *directory.Snapshot // a row for each Username; nil for none
}

// Absence is since when an account has no row in the source.
type Absence struct {
	First time.Time `json:"first"`
	Last  time.Time `json:"last"`
	// Days are distinct UTC days, Reads the complete reads.
	Days  int `json:"days"`
	Reads int `json:"reads"`
}

// Link is the remembered pair of an account and a user of the source.
type Link struct {
	Account  directory.ID `json:"account,omitempty"`
	Username string       `json:"username"`
	// The names, UPN and immutable ID of the row when the link was learnt.
	Given       string `json:"given,omitempty"`
	Family      string `json:"family,omitempty"`
	Display     string `json:"display,omitempty"`
	UPN         string `json:"upn,omitempty"`
	ImmutableID string `json:"immutable_id,omitempty"`
	// Since is when the link was learnt, Run the run that taught it.
	Since time.Time `json:"since,omitzero"`
	Run   int64     `json:"run,omitempty"`
}

// Seen is when a Username was in complete reads without a gap, and its Last
// Login in the last of them.
type Seen struct {
	First time.Time `json:"first,omitzero"`
	Last  time.Time `json:"last,omitzero"`
	Login time.Time `json:"login,omitzero"`
}

// The columns of the users of a Past.
const (
	pastSince directory.Attribute = "since"
	pastRun   directory.Attribute = "run"
)

// PastBuilder collects the users of a Past. Like a snapshot it stores them in columns,
// for a million of them.
type PastBuilder struct{ b *directory.Builder }

// NewPastBuilder starts one.
func NewPastBuilder() *PastBuilder {
	return &PastBuilder{directory.NewBuilder(directory.Source, []directory.Attribute{
		directory.GivenName, directory.Surname, directory.DisplayName, pastSince, pastRun,
	})}
}

// Add takes a Username with its link, whose Account is empty for none, and when
// it was seen. A Username comes once.
func (p *PastBuilder) Add(l Link, s Seen) error {
	since := directory.Value{}
	if !l.Since.IsZero() {
		since = directory.Text(packTime(l.Since))
	}
	run := directory.Value{}
	if l.Run != 0 {
		run = directory.Text(packNumber(l.Run))
	}
	//nolint:wrapcheck // a builder's error says it all
	return p.b.Add(directory.Record{
		ID: directory.ID(l.Username), ImmutableID: string(l.Account), UPN: l.UPN, Mail: l.ImmutableID,
		Values: []directory.Value{
			directory.Text(l.Given), directory.Text(l.Family), directory.Text(l.Display), since, run,
		},
		Created: s.First, Deleted: s.Last, LastSignIn: s.Login,
	})
}

// Seal gives the users to past.
func (p *PastBuilder) Seal(past *Past) error {
	if n := p.b.Len(); n > 0 {
		s, err := p.b.Seal(directory.Proof{Ended: true, Items: n, Count: int64(n)}, directory.About{})
		if err != nil {
			return err //nolint:wrapcheck // as above
		}
		past.users = s
	}
	return nil
}

// Knows reports whether anything was learnt.
func (p *Past) Knows() bool { return p.users != nil }

// seen is when a Username was in complete reads; ok is false if it never was.
func (p *Past) seen(username string) (s Seen, ok bool) {
	u, ok := p.user(username)
	if !ok {
		return Seen{}, false
	}
	return seenOf(u), true
}

func seenOf(u directory.User) Seen { return Seen{u.Created(), u.Deleted(), u.LastSignIn()} }

func (p *Past) user(username string) (directory.User, bool) {
	if p.users == nil || username == "" {
		return directory.User{}, false
	}
	u, ok, _ := p.users.FirstByUsername(username)
	return u, ok
}

// link is the link of an account.
func (p *Past) link(account directory.ID) (Link, bool) {
	u, ok := p.linked(account)
	if !ok {
		return Link{}, false
	}
	return linkOf(u), true
}

// linked is the user that an account is linked to. If an account has two Usernames,
// there is none.
func (p *Past) linked(account directory.ID) (directory.User, bool) {
	if p.users == nil {
		return directory.User{}, false
	}
	u, ok, more := p.users.FirstByImmutableID(string(account))
	return u, ok && !more
}

func linkOf(u directory.User) Link {
	l := Link{
		Account: directory.ID(u.ImmutableID()), Username: u.Username(), UPN: u.UPN(), ImmutableID: u.Mail(),
	}
	l.Given, _ = u.Get(directory.GivenName)
	l.Family, _ = u.Get(directory.Surname)
	l.Display, _ = u.Get(directory.DisplayName)
	since, _ := u.Get(pastSince)
	l.Since = unpackTime(since)
	run, _ := u.Get(pastRun)
	l.Run = unpackNumber(run)
	return l
}

// missed reports whether a Username was missing from the last read that was
// learnt from.
func (p *Past) missed(s Seen) bool { return s.Last.Before(p.At) }

// packNumber writes a number in a few bytes, and packTime a second.
func packNumber(n int64) string {
	var b []byte
	for n > 0 {
		b = append(b, byte(n&0x7f)|0x80) // never a byte that is also text
		n >>= 7
	}
	return string(b)
}

func unpackNumber(s string) int64 {
	var n int64
	for i := len(s) - 1; i >= 0; i-- {
		n = n<<7 | int64(s[i]&0x7f)
	}
	return n
}

func packTime(t time.Time) string { return packNumber(t.Unix()) }

func unpackTime(s string) time.Time {
	if s == "" {
		return time.Time{}
	}
	return time.Unix(unpackNumber(s), 0).UTC()
}

// Links are all links, with when their Usernames were seen.
func (p *Past) Links() iter.Seq2[Link, Seen] {
	return func(yield func(Link, Seen) bool) {
		if p.users == nil {
			return
		}
		for u := range p.users.All() {
			if u.ImmutableID() != "" && !yield(linkOf(u), seenOf(u)) {
				return
			}
		}
	}
}
