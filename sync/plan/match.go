package plan

import (
	"slices"
	"strconv"
	"strings"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/names"
	"github.com/hacsync/hacsync/sync/problem"
)

// fate is what match found of a source row.
type fate uint8

const (
	alone      fate = iota // no account means it
	byID                   // matched by immutable ID
	byUPN                  // matched by UPN
	joined                 // joined to an account by a reviewer
	otherID                // the account found by UPN has another immutable ID
	bad                    // skipped whole, and reported if it is in the domain
	foreignBad             // the same in another domain
)

// match finds the account that each source row means: by immutable ID, which is
// compared exactly, then by UPN, without regard to case. Rows that do not say
// clearly whom they mean are skipped whole, and every account that any row may
// be about is claimed, so that it is not deleted.
func (b *builder) match() {
	dirty := newBits(b.users.Len()) // claimed by ID by a row that is skipped
	for i := range b.src.Len() {
		b.matchByID(int32(i), dirty) //nolint:gosec // a snapshot has at most 4 billion rows; we plan for 2
	}
	// All of them are found before one is refused: refusing lets an account go,
	// and what a row means must not depend on the order of rows.
	var two []conflict
	for i := range b.fate {
		if b.fate[i] == byID {
			if c, ok := b.fitsTwo(int32(i)); ok { //nolint:gosec // as above
				two = append(two, c)
			}
		}
	}
	for _, c := range two {
		b.refuseTwoAccounts(c, dirty)
	}
	for i := range b.fate {
		if b.fate[i] == alone {
			b.matchByUPN(int32(i), dirty) //nolint:gosec // as above
		}
	}
}

func (b *builder) matchByID(i int32, dirty bits) {
	s := b.src.At(int(i))
	upn, id := s.UPN(), s.ImmutableID()
	here := b.here(upn)
	clean := upn != "" && checkUPN(upn) == nil
	if !clean {
		b.claimLoosely(s, &here)
	}
	if here {
		b.sourceUsers++
		b.ours.set(i)
	}
	var own []directory.User
	if id != "" {
		own = b.users.ByImmutableID(id)
	}
	for _, u := range own {
		b.claim(u)
		if b.here(u.UPN()) {
			b.rests.set(i)
		}
	}
	var same []directory.User
	switch { // a tenant has no two accounts with one UPN, so most are found already
	case len(own) == 1 && directory.FoldUPN(own[0].UPN()) == directory.FoldUPN(upn):
		same = own
	case upn != "":
		same = b.users.ByUPN(upn)
	}
	for _, u := range same {
		b.claim(u)
	}
	var twins []directory.User
	code := problem.Code("")
	if upn != "" {
		if twins = b.src.ByUPN(upn); len(twins) > 1 {
			code = problem.DuplicateUPN
		}
	}
	if code == "" && id != "" {
		if twins = b.src.ByImmutableID(id); len(twins) > 1 {
			code = problem.DuplicateImmutableID
		}
	}
	local, domain := directory.SplitUPN(upn)
	if domain == "" {
		b.rests.set(i) // it may be about anybody of the domain
	}
	switch {
	case code != "":
		b.refuse(i, here, code, own, same, problem.Args{"lines": lines(twins), "immutable_id": id})
	case len(own) > 1:
		b.refuse(i, here, problem.SharedImmutableID, own, same, problem.Args{"immutable_id": id})
	case !here && (upn == "" || domain == ""):
		code = problem.NotUPN
		if local == "" {
			code = problem.NoUPN
		}
		b.refuse(i, true, code, own, same, nil)
	case len(own) == 1:
		b.fate[i] = byID
		b.tie(i, own[0])
		return
	default:
		b.fate[i] = alone
		return
	}
	for _, u := range own {
		dirty.set(int32(u.Row())) //nolint:gosec // as above
	}
}

// refuse skips a row whole. The skip names the account it would have meant.
func (b *builder) refuse(i int32, here bool, code problem.Code, own, same []directory.User, extra problem.Args) {
	b.fate[i] = foreignBad
	if !here {
		return
	}
	b.fate[i] = bad
	acct, id := int32(-1), directory.ID("") // the one with the smallest ID, whatever their order
	for _, u := range slices.Concat(same, own) {
		if b.protected(u) != "" {
			continue // a skip of its own
		}
		row := int32(u.Row()) //nolint:gosec // as above
		if b.here(u.UPN()) {
			b.told.set(row)
		}
		if acct < 0 || u.ID() < id {
			acct, id = row, u.ID()
		}
	}
	b.skip(skipRow{code: code, src: i, acct: acct, extra: extra})
	if b.ours.has(i) {
		b.sourceHeld++
	}
}

// conflict is a row that means account own by ID while its UPN is other's.
type conflict struct {
	row   int32
	own   directory.User
	other directory.User
}

// fitsTwo reports whether a row means one account by ID while its UPN is that of
// another. Where that other has a row of its own there is no conflict: the UPNs
// move on in a chain.
func (b *builder) fitsTwo(i int32) (conflict, bool) {
	own, upn := b.matched[i], b.src.At(int(i)).UPN()
	if directory.FoldUPN(b.users.At(int(own)).UPN()) == directory.FoldUPN(upn) {
		return conflict{}, false
	}
	for _, u := range b.users.ByUPN(upn) {
		if other := int32(u.Row()); other != own && b.owner[other] < 0 { //nolint:gosec // as above
			return conflict{i, b.users.At(int(own)), u}, true
		}
	}
	return conflict{}, false
}

func (b *builder) refuseTwoAccounts(c conflict, dirty bits) {
	s := b.src.At(int(c.row))
	own := int32(c.own.Row()) //nolint:gosec // as above
	b.matched[c.row], b.owner[own] = -1, -1
	dirty.set(own)
	b.refuse(c.row, b.ours.has(c.row), problem.FitsTwoAccounts, []directory.User{c.own}, []directory.User{c.other},
		problem.Args{"by_id": c.own.UPN(), "by_upn": c.other.UPN(), "immutable_id": s.ImmutableID()})
}

func (b *builder) matchByUPN(i int32, dirty bits) {
	s := b.src.At(int(i))
	same := b.users.ByUPN(s.UPN())
	if len(same) == 0 {
		return
	}
	u := same[0]
	row := int32(u.Row()) //nolint:gosec // as above
	id, other := s.ImmutableID(), u.ImmutableID()
	switch {
	case b.owner[row] >= 0:
		// The account is another row's by ID, and moves on from this UPN.
	case dirty.has(row):
		b.refuse(i, b.ours.has(i), problem.FitsTwoRows, nil, same, problem.Args{"immutable_id": other})
	case id != "" && other != "" && id != other:
		b.fate[i] = otherID
		b.tie(i, u)
	default:
		b.fate[i] = byUPN
		b.tie(i, u)
	}
}

func (b *builder) tie(i int32, u directory.User) {
	row := int32(u.Row()) //nolint:gosec // as above
	b.matched[i], b.owner[row] = row, i
}

func (b *builder) claim(u directory.User) { b.claimed.set(int32(u.Row())) } //nolint:gosec // as above

// claimLoosely claims the account that a UPN may mean which is no UPN as it
// stands, and says whether it would be in the domain.
func (b *builder) claimLoosely(s directory.User, here *bool) {
	meant := names.LooseUPN(s.UPN())
	if meant == "" {
		alias, _ := s.Get(directory.MailNickname)
		meant = names.LooseUPN(alias)
	}
	if meant == "" {
		return
	}
	if !strings.Contains(meant, "@") {
		meant += "@" + b.domain.Name
	} else if s.UPN() != "" && b.here(meant) {
		*here = true
	}
	for _, u := range b.users.ByUPN(meant) {
		b.claim(u)
	}
}

// join carries out what a reviewer decided about two rows that are one person.
func (b *builder) join() {
	for _, d := range b.decided.same {
		u, ok := b.users.ByID(d.ID)
		rows := b.src.ByUPN(d.UPN)
		if !ok || len(rows) != 1 || b.protected(u) != "" || !b.here(u.UPN()) || !b.here(d.UPN) {
			continue
		}
		i := int32(rows[0].Row()) //nolint:gosec // as above
		if b.fate[i] != alone || b.claimed.hasRow(u.Row()) {
			continue
		}
		b.decided.use(d)
		b.fate[i] = joined
		b.claim(u)
		b.tie(i, u)
	}
}

// lines lists where rows stand, for people.
func lines(rows []directory.User) string {
	var all []string
	for _, r := range rows[:min(len(rows), 10)] {
		if r.Line() > 0 {
			all = append(all, strconv.Itoa(r.Line()))
		}
	}
	return strings.Join(all, ", ")
}
