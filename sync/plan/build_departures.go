package plan

import (
	"slices"
	"strings"
	"time"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/names"
)

// An account may be deleted only if its absence is explained:
//
// 1. no row that may be about it has any of its keys: heldBy;
// 2. it was in the source before, or a reviewer said that it may go: claimedBy;
// 3. no row without an account could be its person: mayBe.
//
// An account that fails the second is unclaimed: a user may delete it, an unattended
// run does not. An account that fails the first or the third is a question.

// twoPeople is how long two Usernames are in the same complete reads before they count
// as two people, and how long before an account was last seen the Username of a row
// still counts as new.
const twoPeople = 31 * 24 * time.Hour

// reason says what a row has in common with an account. Several may hold.
type reason uint16

const (
	sameID       reason = 1 << iota // the immutable ID, however it is written
	sameUsername                    // the Username that the account is linked to
	sameUPN                         // the UPN, somewhere in the row
	sameAddress                     // a mail address, somewhere in the row
	sameName                        // the whole name
	sameAlias                       // the alias or the part before the @
	sameGiven                       // the given name, in a row that is new
	sameFamily                      // the family name: only shown, no reason to ask
	oneWitness                      // matched by one witness, with names that differ
	saidBefore                      // a reviewer said so, when other things were known
)

// departure is an account of the domain that no row is matched with.
type departure struct {
	acct  rowID
	user  directory.User
	hasID bool
	link  Link // zero Username for none
	last  time.Time
	keys  keys
}

// keys are what the person of an account may be recognised by, folded.
type keys struct {
	ids, usernames, upns, addresses, aliases, names, givens, families []string
}

func (b *builder) departureOf(acct rowID) *departure {
	u := b.users.At(int(acct))
	d := &departure{acct: acct, user: u}
	d.link, _ = b.in.Past.link(u.ID())
	if s, ok := b.in.Past.seen(d.link.Username); ok {
		d.last = s.Last
	}
	r := u.Record()
	d.know(&r)
	return d
}

// know collects the keys of an account.
func (d *departure) know(u *directory.Record) {
	d.hasID = u.ImmutableID != ""
	put := func(to *[]string, key string) {
		if key != "" && !slices.Contains(*to, key) {
			*to = append(*to, key)
		}
	}
	local := func(upn string) string { l, _ := directory.SplitUPN(upn); return l }
	k := &d.keys
	put(&k.ids, tightID(u.ImmutableID))
	put(&k.ids, tightID(d.link.ImmutableID))
	put(&k.usernames, names.LooseUPN(d.link.Username))
	for _, upn := range [...]string{u.UPN, d.link.UPN} {
		put(&k.upns, names.LooseUPN(upn))
		put(&k.aliases, local(names.LooseUPN(upn)))
	}
	for _, a := range append(slices.Clone(u.Addresses), u.Mail) {
		put(&k.addresses, names.LooseUPN(directory.FoldAddress(a)))
	}
	alias, _ := u.Get(directory.MailNickname)
	put(&k.aliases, names.LooseUPN(alias))
	put(&k.aliases, local(names.LooseUPN(d.link.Username)))
	for _, c := range [...]called{calledIn(u), d.link.called()} {
		for _, n := range c.whole() {
			put(&k.names, n)
		}
		put(&k.givens, names.Fold(c.given))
		put(&k.families, names.Fold(c.family))
	}
}

// tightID is the immutable ID without what a spreadsheet or a user adds or removes:
// padding, quotes, spaces.
func tightID(id string) string {
	return strings.TrimRight(strings.Trim(names.LooseID(id), `"'=`), "=")
}

// suspects finds the departures that a source row may be about.
type suspects struct {
	past *Past
	src  *directory.Snapshot
	of   map[string][]suspicion
	// deps are the departures, in the order given.
	deps []*departure
}

// suspicion is one key of one departure.
type suspicion struct {
	dep int
	why reason
}

// The first byte of a key tells its kind.
const (
	keyID     = "i"
	keyAt     = "a" // Username, UPN, address: anywhere in a row
	keyName   = "n"
	keyNick   = "l" // alias, Username and part before the @, compared with each other
	keyCall   = "g"
	keyFamily = "f"
)

func newSuspects(deps []*departure, past *Past, src *directory.Snapshot) *suspects {
	s := &suspects{past: past, src: src, of: map[string][]suspicion{}, deps: deps}
	for i, d := range deps {
		put := func(kind string, keys []string, why reason) {
			for _, k := range keys {
				s.of[kind+k] = append(s.of[kind+k], suspicion{i, why})
			}
		}
		put(keyID, d.keys.ids, sameID)
		put(keyAt, d.keys.usernames, sameUsername)
		put(keyAt, d.keys.upns, sameUPN)
		put(keyAt, d.keys.addresses, sameAddress)
		put(keyName, d.keys.names, sameName)
		put(keyNick, d.keys.aliases, sameAlias)
		put(keyCall, d.keys.givens, sameGiven)
		put(keyFamily, d.keys.families, sameFamily)
	}
	return s
}

// about returns the departures that a row may be about, and why. The names of a row are
// compared only if it is open: it matches no account, or one that may not be its
// person's.
func (s *suspects) about(row directory.User, o openness) map[int]reason {
	var found map[int]reason
	hit := func(kind, key string) {
		if key == "" {
			return
		}
		for _, x := range s.of[kind+key] {
			if x.why&(sameName|sameAlias|sameGiven) != 0 && !s.mayBe(row, s.deps[x.dep], x.why, o) {
				continue
			}
			if found == nil {
				found = map[int]reason{}
			}
			found[x.dep] |= x.why
		}
	}
	s.heldBy(row, hit)
	if o != closed {
		s.likeOf(row, hit)
	}
	return found
}

// openness is how far the names of a row alone may make it the person of a departed
// account.
type openness uint8

const (
	closed  openness = iota // it is certainly another person's
	handed                  // it has an account by its UPN alone, which may have been handed on
	unowned                 // it is certainly no account's person
)

// heldBy is the first condition: a key of an account occurs anywhere in a row.
func (s *suspects) heldBy(row directory.User, hit func(kind, key string)) {
	cell := func(text string) {
		if text == "" {
			return
		}
		if id := tightID(text); id != "" {
			hit(keyID, id)
		}
		hit(keyAt, names.LooseUPN(text)) // with a space inside it is no piece
		for piece := range names.Pieces(text) {
			hit(keyAt, piece)
		}
	}
	cell(row.Username())
	cell(row.UPN())
	cell(row.ImmutableID())
	for _, a := range s.src.Columns() {
		text, _ := row.Get(a)
		cell(text)
	}
}

// likeOf is the third condition: names that a row without an account shares.
func (s *suspects) likeOf(row directory.User, hit func(kind, key string)) {
	c := calledBy(row)
	for _, n := range c.whole() {
		hit(keyName, n)
	}
	alias, _ := row.Get(directory.MailNickname)
	for _, text := range [...]string{row.Username(), alias, row.UPN()} {
		loose := names.LooseUPN(text)
		hit(keyNick, loose)
		if local, domain := directory.SplitUPN(loose); domain != "" { // a space inside parts no piece
			hit(keyNick, local)
		}
		n, only := 0, ""
		for piece := range names.Pieces(text) { // of an address with something around it
			n, only = n+1, piece
			if local, domain := directory.SplitUPN(piece); domain != "" {
				hit(keyNick, local)
			}
		}
		if n == 1 { // quotes around a Username
			hit(keyNick, only)
		}
	}
	hit(keyCall, names.Fold(c.given))
	for word := range strings.FieldsSeq(c.given + " " + c.display) { // if it is empty, has a slip or is in another column
		hit(keyCall, names.Fold(word))
	}
}

// mayBe reports whether a row that shares a name with a departed account could be its
// person. Two Usernames that were in the same reads for long are two people. A given
// name alone counts only in a new row, unless both have an immutable ID. Of the rows
// that their UPN matches, only a new one with the whole name is a namesake's.
func (s *suspects) mayBe(row directory.User, d *departure, why reason, o openness) bool {
	seen, known := s.past.seen(row.Username())
	// A Username that occurs twice does not show which row is whose.
	known = known && !seen.First.IsZero() && len(s.src.ByUsername(row.Username())) == 1
	if known {
		if then, ok := s.past.seen(d.link.Username); ok && sideBySide(seen, then) > twoPeople {
			return false
		}
	}
	switch {
	case why == sameGiven && row.ImmutableID() != "" && d.hasID:
		return false
	case o == handed && (why != sameName || d.last.IsZero()): // a namesake, whose account had a row before
		return false
	case o == unowned && why != sameGiven:
		return true
	}
	return !known || d.last.IsZero() || !seen.First.Before(d.last.Add(-twoPeople))
}

// sideBySide is how long two Usernames were in the same complete reads.
func sideBySide(a, b Seen) time.Duration {
	from, to := a.First, a.Last
	if b.First.After(from) {
		from = b.First
	}
	if b.Last.Before(to) {
		to = b.Last
	}
	return to.Sub(from)
}

// claim says why an account may be deleted once its absence is explained.
type claim uint8

const (
	unclaimed  claim = iota
	linkedOnce       // it has a link
	addedByUs        // the journal added or restored it
	vouchedFor       // a reviewer said so, or the last plan before links matched it
)

// claimedBy is the second condition.
func (b *builder) claimedBy(d *departure) claim {
	id := d.user.ID()
	switch {
	case d.link.Username != "":
		return linkedOnce
	case b.in.Facts.Added[id] || b.in.Facts.Restored[id]:
		return addedByUs
	case b.in.Past.Claimed[id]:
		return vouchedFor
	}
	return unclaimed
}

// known reports whether an account is or was in the source.
func (b *builder) known(u directory.User) bool {
	_, linked := b.in.Past.linked(u.ID())
	return linked || b.in.Facts.Added[u.ID()] || b.in.Facts.Restored[u.ID()] || b.in.Past.Claimed[u.ID()]
}
