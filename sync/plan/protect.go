package plan

import (
	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/problem"
)

// guards says which marks protect an account, in the order in which the first
// that holds is named.
var guards = [...]struct { //nolint:gochecknoglobals // a table
	mark directory.Marks
	code problem.Code
}{
	{directory.SignedIn, problem.ProtectedSignedIn},
	{directory.Synced, problem.ProtectedSynced},
	{directory.Guest, problem.ProtectedGuest},
	{directory.Restricted, problem.ProtectedRestricted},
	{directory.RoleHolder, problem.ProtectedRole},
	{directory.RoleGroup, problem.ProtectedRoleGroup},
	{directory.ResourceAccount, problem.ProtectedResource},
	{directory.PurposeShared, problem.ProtectedShared},
	{directory.PurposeRoom, problem.ProtectedRoom},
	{directory.PurposeEquipment, problem.ProtectedEquipment},
}

// protectedBy names what protects an account with these marks, the kind of its
// mailbox among them, or "".
//
// A mailbox whose kind cannot be read, or is none that we know, may be a shared
// one, a room or equipment where the sign-in is disabled, licensed or not, unless
// hacsync itself blocked it; and where the account only has an address. With a
// sign-in and an Exchange plan it is a person's. An account that hacsync itself
// made and nobody licensed since is known not to be one; one that had a licence
// and lost it may have become a shared mailbox meanwhile.
func protectedBy(m directory.Marks, madeByUs bool) problem.Code {
	for _, g := range guards {
		if m.Has(g.mark) {
			return g.code
		}
	}
	switch {
	case !m.Any(directory.PurposeUnknown | directory.PurposeOther),
		madeByUs && !m.Any(directory.Licensed|directory.WasLicensed):
	case !m.Any(directory.Enabled | directory.BlockedByUs):
		return problem.ProtectedDisabled
	case m.Any(directory.Addressed|directory.SuspendedPlan) && !m.Has(directory.ExchangePlan):
		return problem.ProtectedUnread
	}
	return ""
}

// Protection names what protects the account of an action now, or "". m are the
// account's present marks, the kind of its mailbox among them.
func (p *Plan) Protection(no int, m directory.Marks) problem.Code {
	i, ok := p.find(no)
	if !ok {
		return ""
	}
	a := p.book.core(i)
	return p.protection(m, &a)
}

// protected names what protects an account of the tenant, or "".
func (b *builder) protected(u directory.User) problem.Code {
	m := b.marks(u)
	if m.Has(directory.SignedIn) {
		return problem.ProtectedSignedIn
	}
	if len(b.listed) > 0 && (b.listed[string(u.ID())] || b.listed[directory.FoldUPN(u.UPN())]) {
		return problem.ProtectedListed
	}
	return protectedBy(m, b.in.Facts.Added[u.ID()])
}

// marks are an account's marks with the kind of its mailbox, and what the journal
// knows of it.
func (b *builder) marks(u directory.User) directory.Marks {
	m := u.Marks()
	if len(b.in.Purposes) > 0 {
		m |= b.in.Purposes[u.ID()] & directory.Purposes
	}
	return m | b.in.Facts.marks(u.ID())
}

// marks are those that the journal gives an account.
func (f *Facts) marks(id directory.ID) directory.Marks {
	if f.Blocked[id] {
		return directory.BlockedByUs
	}
	return 0
}

// hasMailbox reports whether an account has, or may have, a mailbox, whose alias
// is its mailNickname. It does not depend on whether the kind of mailbox was
// read, so that two plans in a row agree.
func hasMailbox(m directory.Marks) bool {
	return m.Any(directory.Addressed | directory.ExchangePlan | directory.SuspendedPlan)
}
