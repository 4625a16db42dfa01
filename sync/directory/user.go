package directory

import "time"

// User is a view of one row of a snapshot.
type User struct {
	s *Snapshot
	i int
}

// Row returns the index of the row in the snapshot.
func (u User) Row() int { return u.i }

// ID returns its object ID, in a source its Username.
func (u User) ID() ID { return ID(u.s.t.ids.get(u.i)) }

// Username returns the whole Username cell of a source row, or empty.
func (u User) Username() string { return u.s.t.ids.get(u.i) }

// UPN returns its UPN as the side spells it.
func (u User) UPN() string { return u.s.t.upns.get(u.i) }

// ImmutableID returns its immutable ID, or empty.
func (u User) ImmutableID() string { return u.s.t.immutable.get(u.i) }

// Mail returns its mail address, or empty.
func (u User) Mail() string { return u.s.t.mail.get(u.i) }

// Get returns an attribute: a column, or one with a method of its own (UPN,
// immutable ID, accountEnabled, mail). It is not set if the side lacks it.
func (u User) Get(a Attribute) (value string, set bool) {
	switch a {
	case UserPrincipalName:
		upn := u.UPN()
		return upn, upn != ""
	case ImmutableID:
		id := u.ImmutableID()
		return id, id != ""
	case AccountEnabled:
		if !u.s.HasColumn(a) {
			return "", false
		}
		if u.Marks().Has(Enabled) {
			return "true", true
		}
		return "false", true
	}
	for i, c := range u.s.t.columns {
		if c == a {
			return u.s.t.values[i].value(u.i)
		}
	}
	if a == Mail {
		mail := u.Mail()
		return mail, mail != ""
	}
	return "", false
}

// Marks returns the marks of the row.
func (u User) Marks() Marks { return Marks(u.s.marks.get(u.i)) }

// Line returns its place in the source, 0 if it has none.
func (u User) Line() int { return int(u.s.t.lines.get(u.i)) }

// Created returns when the account was made, zero if not known.
func (u User) Created() time.Time { return unstamp(u.s.t.created.get(u.i)) }

// Deleted returns when the account went into the recycle bin, zero if it did not.
func (u User) Deleted() time.Time { return unstamp(u.s.t.deleted.get(u.i)) }

// LastSignIn returns when the account was last used, zero if not known.
func (u User) LastSignIn() time.Time { return unstamp(u.s.t.lastSignIn.get(u.i)) }

// Addresses returns its proxyAddresses.
func (u User) Addresses() []string {
	t := u.s.t
	from, to := uint32(0), t.addressEnds.get(u.i)
	if u.i > 0 {
		from = t.addressEnds.get(u.i - 1)
	}
	if from == to {
		return nil
	}
	all := make([]string, 0, to-from)
	for i := from; i < to; i++ {
		all = append(all, t.addresses.get(int(i)))
	}
	return all
}

// Record copies the row out of the snapshot. Its Columns are the snapshot's and
// must not be changed.
func (u User) Record() Record {
	t := u.s.t
	r := Record{
		ID: u.ID(), UPN: u.UPN(), ImmutableID: u.ImmutableID(), Line: u.Line(),
		Columns: t.columns, Values: make([]Value, len(t.columns)),
		Marks: u.Marks(), Mail: u.Mail(), Addresses: u.Addresses(),
		Created: u.Created(), Deleted: u.Deleted(), LastSignIn: u.LastSignIn(),
	}
	for i := range t.values {
		r.Values[i].Text, r.Values[i].Set = t.values[i].value(u.i)
	}
	return r
}
