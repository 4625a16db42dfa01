package directory

import "time"

// User is a view of one row of a snapshot.
type User struct {
	s *Snapshot
	i int
}

// Row is its index in the snapshot.
func (u User) Row() int { return u.i }

// ID is its object ID, in a source its Username.
func (u User) ID() ID { return ID(u.s.t.ids.get(u.i)) }

// Username is the whole Username cell of a source row, or empty.
func (u User) Username() string { return u.s.t.ids.get(u.i) }

// UPN is its UPN as the side spells it.
func (u User) UPN() string { return u.s.t.upns.get(u.i) }

// ImmutableID is its immutable ID, or empty.
func (u User) ImmutableID() string { return u.s.t.immutable.get(u.i) }

// Mail is its mail address, or empty.
func (u User) Mail() string { return u.s.t.mail.get(u.i) }

// Get returns an attribute: a column, or what has a place of its own (UPN,
// immutable ID, accountEnabled, mail). It is not set where the side lacks it.
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

// Marks are its marks.
func (u User) Marks() Marks { return Marks(u.s.marks.get(u.i)) }

// Line is its place in the source, 0 if it has none.
func (u User) Line() int { return int(u.s.t.lines.get(u.i)) }

// Created is when the account was made, zero if not known.
func (u User) Created() time.Time { return unstamp(u.s.t.created.get(u.i)) }

// Deleted is when the account went into the recycle bin, zero if it did not.
func (u User) Deleted() time.Time { return unstamp(u.s.t.deleted.get(u.i)) }

// LastSignIn is when the account was last used, zero if not known.
func (u User) LastSignIn() time.Time { return unstamp(u.s.t.lastSignIn.get(u.i)) }

// Addresses are its proxyAddresses.
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
// not to be changed.
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
