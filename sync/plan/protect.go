package plan

import (
	"strings"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/problem"
)

// protection alone decides which accounts are never touched. It is asked about an
// account
//
//	planning               protected, and protectedInBin of a deleted one
//	planning an undo       protectedAtUndo
//	before the first write protectedAtDrift
//	before each request    Plan.ProtectedAtSending
//
// and Spared lists the accounts that a user has excluded since.

// accounts is a list of accounts as users type it: UPNs and object IDs, in any case.
type accounts map[string]bool

func accountsOf(entries []string) accounts {
	all := make(accounts, len(entries))
	for _, e := range entries {
		all[directory.FoldUPN(strings.TrimSpace(e))] = true
	}
	delete(all, "")
	return all
}

// has reports whether an account is listed, by its ID or a UPN.
func (l accounts) has(id directory.ID, upns ...string) bool {
	if len(l) == 0 {
		return false
	}
	if l[directory.FoldUPN(string(id))] {
		return true
	}
	for _, upn := range upns {
		if l[directory.FoldUPN(upn)] {
			return true
		}
	}
	return false
}

// protection names what protects an account, or "": who is signed in, the list,
// its marks.
func (l accounts) protection(id directory.ID, upn string, m directory.Marks, madeByUs bool) problem.Code {
	switch {
	case m.Has(directory.SignedIn):
		return problem.ProtectedSignedIn
	case l.has(id, upn):
		return problem.ProtectedListed
	}
	return protectedBy(m, madeByUs)
}

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

// protectedBy names what protects an account with these marks, the kind of its mailbox
// among them, or "".
//
// A mailbox whose kind cannot be read or is unknown may be a shared mailbox, a room or
// equipment if the sign-in is disabled, licensed or not, unless hacsync itself blocked
// it; also if the account only has an address. With a sign-in and an Exchange plan it
// is a user's. An account that hacsync itself made and that was never licensed since is
// known to be a user's; one that had a licence and lost it may have become a shared
// mailbox meanwhile.
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

// protected names what protects an account of the tenant, or "".
func (b *builder) protected(u directory.User) problem.Code {
	return b.listed.protection(u.ID(), u.UPN(), b.marks(u), b.in.Facts.Added[u.ID()])
}

// protectedInBin names what protects a deleted account, or "". The kind of its mailbox
// does not matter.
func (b *builder) protectedInBin(id directory.ID, upn string, m directory.Marks) problem.Code {
	return b.listed.protection(id, upn, m, true)
}

// protectedAtUndo names what protects an account that a run wrote to, or "".
func (v *inverter) protectedAtUndo(d *Applied, r *directory.Record, m directory.Marks) problem.Code {
	return v.listed.protection(r.ID, r.UPN, m, d.Kind == Add || v.in.Facts.Added[r.ID])
}

// protectedAtDrift names what protects the account of an action, or "". The kind of
// mailbox may be that of the plan.
func (a *Action) protectedAtDrift(l accounts, m directory.Marks) problem.Code {
	if !m.Any(directory.Purposes) {
		m |= a.Marks & directory.Purposes
	}
	return a.protectedNow(l, m)
}

// ProtectedAtSending names what protects the account of an action right before its
// request, or "". m are its present marks, with the kind of its mailbox if that was
// read.
func (p *Plan) ProtectedAtSending(no int, m directory.Marks) problem.Code {
	i, ok := p.find(no)
	if !ok {
		return ""
	}
	a := p.book.core(i)
	return a.protectedNow(accountsOf(p.policy.Protected), m)
}

// protectedNow names what protects an account that the plan acts on. Only an account
// that hacsync made itself is acted on despite marks that would protect another; the
// plan knows which accounts hacsync blocked, or blocks with this action.
func (a *Action) protectedNow(l accounts, m directory.Marks) problem.Code {
	m |= a.Marks & directory.BlockedByUs
	if a.Blocks && !m.Has(directory.Enabled) {
		m |= directory.BlockedByUs
	}
	return l.protection(a.User.ID, a.User.UPN, m, protectedBy(a.Marks, false) != "")
}

// Spared are the accounts that a user excluded: by the list of protected accounts, or
// by leaving them out, always or this time.
type Spared struct {
	listed accounts
	out    decisions
}

// NewSpared takes the list, and of the decisions those that leave rows out.
func NewSpared(protected []string, decided []Decision) *Spared {
	return &Spared{accountsOf(protected), newDecisions(decided, false)}
}

// Why returns why a row must not be applied, or "": by its kind, its account and the
// UPN that the account is to have. The arguments are those of the decision.
func (s *Spared) Why(kind Kind, user directory.Ref, upn string) (problem.Code, problem.Args) {
	if s.listed.has(user.ID, user.UPN, upn) {
		return problem.ProtectedListed, nil
	}
	d, ok := s.out.find(s.out.out, user.ID, user.UPN, upn)
	switch {
	case ok && d.Kind == LeaveOutAlways:
		return problem.LeftOutAlways, leftOutArgs(d)
	case ok && (d.ID != "" || d.Row == kind.String()):
		return problem.LeftOutOnce, leftOutArgs(d)
	}
	return "", nil
}

// marks are an account's marks with the kind of its mailbox, and what the journal knows
// of it.
func (b *builder) marks(u directory.User) directory.Marks {
	id := u.ID()
	return u.Marks() | b.in.Purposes[id]&directory.Purposes | b.in.Facts.marks(id)
}

// marks are those that the journal gives an account.
func (f *Facts) marks(id directory.ID) directory.Marks {
	if f.Blocked[id] {
		return directory.BlockedByUs
	}
	return 0
}

// hasMailbox reports whether an account has, or may have, a mailbox, whose alias is its
// mailNickname. The result does not depend on whether the kind of mailbox was read, so
// that two consecutive plans agree.
func hasMailbox(m directory.Marks) bool {
	return m.Any(directory.Addressed | directory.ExchangePlan | directory.SuspendedPlan)
}

// fitsAny reports whether an entry of the protected list names an account.
func (b *builder) fitsAny(entry string) bool {
	for _, id := range [...]string{entry, directory.FoldUPN(entry)} {
		if _, ok := b.users.ByID(directory.ID(id)); ok {
			return true
		}
	}
	return len(b.users.ByUPN(entry)) > 0
}
