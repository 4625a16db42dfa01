package plan

import (
	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/problem"
)

// equal reports whether an account has all values that its row wants; kept: all but its
// alias, which is not changed.
func (b *builder) equal(s, u directory.User, changeID bool) (same, kept bool) {
	if b.wantsID(s, u) || changeID {
		return false, false
	}
	if b.enabled(s, u) != keepEnabled || b.blockedByOthers(s, u) {
		return false, false
	}
	for _, a := range b.attrs {
		want, wants := s.Get(a)
		have, has := u.Get(a)
		if wants == has && want == have {
			continue
		}
		if wants {
			if a == directory.MailNickname && !b.in.Policy.ChangeAlias && hasMailbox(u.Marks()) {
				kept = true
				continue
			}
			return false, false
		}
		if b.clears(s, a) {
			return false, false
		}
	}
	return true, kept
}

// wantsID reports whether an immutable ID is to be filled, or changed because a
// reviewer decided so before.
func (b *builder) wantsID(s, u directory.User) bool {
	id := s.ImmutableID()
	return b.writeID && id != "" && id != u.ImmutableID()
}

// clears reports whether an attribute without a value in the source is cleared.
func (b *builder) clears(s directory.User, a directory.Attribute) bool {
	if neverCleared(a) {
		return false
	}
	switch b.in.Policy.OnEmpty {
	case Clear:
		return true
	case ClearKnown:
		k := b.in.Facts.Known
		return k[s.ImmutableID()][a] && s.ImmutableID() != "" ||
			k[s.UPN()][a] || k[directory.FoldUPN(s.UPN())][a]
	case Keep:
	}
	return false
}

type enabling uint8

const (
	keepEnabled enabling = iota
	block
	unblock
)

// enabled is what the status of the source, or the return of an absent person, does to
// an account. hacsync unblocks only an account that it blocked itself.
func (b *builder) enabled(s, u directory.User) enabling {
	want, have := s.Marks().Has(directory.Enabled), u.Marks().Has(directory.Enabled)
	_, absent := b.in.Past.Absent[u.ID()]
	switch {
	case b.writeEnabled && !want && have:
		return block
	case have || !b.in.Facts.Blocked[u.ID()]:
	case b.writeEnabled && want, absent && (want || !b.writeEnabled) && b.mayWriteEnabled():
		return unblock
	}
	return keepEnabled
}

// blockedByOthers reports whether the person of an account that was blocked for an
// absence came back, but another administrator blocked it since.
func (b *builder) blockedByOthers(s, u directory.User) bool {
	_, absent := b.in.Past.Absent[u.ID()]
	return absent && b.in.Policy.OnMissing == BlockMissing && s.Marks().Has(directory.Enabled) &&
		!u.Marks().Has(directory.Enabled) && !b.in.Facts.Blocked[u.ID()]
}

// mayWriteEnabled reports whether accountEnabled may be written: a reviewer has not
// left it out.
func (b *builder) mayWriteEnabled() bool { return !b.decided.attributes[directory.AccountEnabled] }

// changes are what a row would write, in the order of the policy.
func (b *builder) changes(r row) []Change {
	if r.kind == Delete {
		return nil
	}
	if r.flags&missing != 0 {
		return []Change{{directory.AccountEnabled, directory.Text("true"), directory.Text("false")}}
	}
	s := b.src.At(int(r.src))
	if r.kind == Add {
		return b.newValues(s)
	}
	u := b.account(r)
	var cs []Change
	for _, a := range b.in.Policy.Attributes {
		switch a {
		case directory.UserPrincipalName:
			if r.kind == Rename || r.flags&newUPN != 0 {
				cs = append(cs, Change{a, directory.Text(u.UPN()), directory.Text(s.UPN())})
			}
			continue
		case directory.ImmutableID:
			if b.wantsID(s, u) {
				cs = append(cs, Change{a, directory.Text(u.ImmutableID()), directory.Text(s.ImmutableID())})
			}
			continue
		}
	}
	if r.flags&newUPN != 0 && (len(cs) == 0 || cs[0].Attribute != directory.UserPrincipalName) {
		cs = append([]Change{{directory.UserPrincipalName, directory.Text(u.UPN()), directory.Text(s.UPN())}}, cs...)
	}
	for _, a := range b.attrs {
		want, wants := s.Get(a)
		have, has := u.Get(a)
		if wants == has && want == have ||
			!wants && !b.clears(s, a) ||
			wants && a == directory.MailNickname && !b.in.Policy.ChangeAlias && hasMailbox(u.Marks()) {
			continue
		}
		cs = append(cs, Change{a, directory.Value{Text: have, Set: has}, directory.Value{Text: want, Set: wants}})
	}
	if r.kind != Restore || b.writeEnabled {
		switch b.enabled(s, u) {
		case block:
			cs = append(cs, Change{directory.AccountEnabled, directory.Text("true"), directory.Text("false")})
		case unblock:
			cs = append(cs, Change{directory.AccountEnabled, directory.Text("false"), directory.Text("true")})
		case keepEnabled:
		}
	}
	return cs
}

// newValues are those of an account that is added: all that the source has.
// UPN, display name and alias cannot be left out, nor the immutable ID in a
// federated domain.
func (b *builder) newValues(s directory.User) []Change {
	cs := []Change{{Attribute: directory.UserPrincipalName, New: directory.Text(s.UPN())}}
	if id := s.ImmutableID(); id != "" && (b.writeID || b.domain.Federated) {
		cs = append(cs, Change{Attribute: directory.ImmutableID, New: directory.Text(id)})
	}
	need := [...]directory.Attribute{directory.DisplayName, directory.MailNickname}
	var had [len(need)]bool
	add := func(a directory.Attribute) {
		if v, set := s.Get(a); set && v != "" {
			cs = append(cs, Change{Attribute: a, New: directory.Text(v)})
		}
	}
	for _, a := range b.attrs {
		add(a)
		for i := range need {
			had[i] = had[i] || need[i] == a
		}
	}
	for i := range need {
		if !had[i] {
			add(need[i])
		}
	}
	enabled := "true"
	if b.writeEnabled && !s.Marks().Has(directory.Enabled) {
		enabled = "false"
	}
	return append(cs, Change{Attribute: directory.AccountEnabled, New: directory.Text(enabled)})
}

// account is the account that a row is about.
func (b *builder) account(r row) directory.User {
	if r.kind == Restore {
		return b.bin.At(int(r.acct))
	}
	return b.users.At(int(r.acct))
}

// check returns why Graph would refuse what a row would write, or nil.
func (b *builder) check(r row) *wrong {
	changes := b.changes(r)
	w := checkChanges(changes)
	for _, c := range changes {
		if w == nil && c.Attribute == directory.ImmutableID && b.strangeID(c.New.Text) {
			w = &wrong{problem.ImmutableIDShape, problem.Args{"value": c.New.Text}}
		}
	}
	b.tally(changes, w)
	if w != nil {
		return w
	}
	if r.kind == Rename {
		return b.checkAddress(b.src.At(int(r.src)).UPN(), r.acct)
	}
	return nil
}

// checkNew returns which required value a new account lacks.
func (b *builder) checkNew(s directory.User) *wrong {
	if v, _ := s.Get(directory.DisplayName); v == "" {
		return &wrong{problem.NoDisplayName, nil}
	}
	if v, _ := s.Get(directory.MailNickname); v == "" {
		return &wrong{problem.NoAlias, nil}
	}
	if b.domain.Federated && s.ImmutableID() == "" {
		return &wrong{problem.FederatedNeedsID, nil}
	}
	return nil
}

// checkAddress returns which other account has a wanted UPN as a mail address. An
// account that is to release the UPN counts too: a renamed mailbox keeps its old
// address, and Graph cannot remove it. own is the account itself, or -1.
func (b *builder) checkAddress(upn string, own rowID) *wrong {
	for _, u := range b.users.ByAddress(upn) {
		if rowOf(u) == own {
			continue
		}
		return &wrong{problem.AddressTaken, problem.Args{"holder": u.UPN()}}
	}
	return nil
}

// checkID returns which account already has the immutable ID of a row that is to be a
// person of its own: Graph allows an ID only once.
func (b *builder) checkID(s directory.User) *wrong {
	id := s.ImmutableID()
	if id == "" {
		return nil
	}
	for _, u := range b.users.ByImmutableID(id) {
		return &wrong{problem.IDTaken, problem.Args{"immutable_id": id, "holder": u.UPN()}}
	}
	return nil
}
