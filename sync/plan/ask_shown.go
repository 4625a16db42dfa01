package plan

// What a question shows: its basis, what is for and against each row, and the compared
// values.

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/names"
)

// basis identifies what the answer to a question rests on: keys and names of both
// sides, and the rows. A department is not part of it.
func (b *builder) basis(q *asking) string {
	h := &hasher{h: sha256.New()}
	u := q.dep.user
	who := func(upn, id string, c called) {
		h.text(directory.FoldUPN(upn), id, c.given, c.family, c.display)
	}
	h.text(string(u.ID()), q.dep.link.Username)
	who(u.UPN(), u.ImmutableID(), calledBy(u))
	keys := make([]string, 0, len(q.rows))
	for _, i := range q.rows {
		s := b.src.At(int(i))
		part := &hasher{h: sha256.New()}
		c := calledBy(s)
		part.text(s.Username(), directory.FoldUPN(s.UPN()), s.ImmutableID(), c.given, c.family, c.display)
		part.write()
		keys = append(keys, string(part.h.Sum(nil)))
	}
	slices.Sort(keys)
	h.text(keys...)
	h.write()
	return hex.EncodeToString(h.h.Sum(nil)[:16])
}

// signs lists what a row has in common with an account, and in what they differ.
func (b *builder) signs(q *asking, i rowID) (pro, contra []Sign) {
	u, s, why := q.dep.user, b.src.At(int(i)), q.why[i]
	row, acct := calledBy(s), calledBy(u)
	for _, x := range [...]struct {
		why  reason
		sign Sign
	}{{sameID, SignID}, {sameUsername, SignUsername}, {sameUPN, SignUPN}, {sameAddress, SignAddress}} {
		if why&x.why != 0 {
			pro = append(pro, x.sign)
		}
	}
	switch l := row.like(acct); {
	case meet(row.whole(), acct.whole()) || why&sameName != 0:
		sign := SignName
		if row.display != acct.display && names.LooksSame(row.display, acct.display) {
			sign = SignNameLooks
		}
		pro = append(pro, sign)
	case row.given != "" && names.Fold(row.given) == names.Fold(acct.given):
		pro = append(pro, SignGiven)
	case l == unlike:
		contra = append(contra, SignOtherName)
	}
	if why&sameAlias != 0 {
		pro = append(pro, SignAlias)
	}
	here, _ := s.Get(directory.Department)
	if there, _ := u.Get(directory.Department); here != "" && here == there {
		pro = append(pro, SignDepartment)
	}
	if l := q.dep.link.Username; l != "" && s.Username() != "" {
		if l != s.Username() {
			contra = append(contra, SignNoLink)
		} else if seen, ok := b.in.Past.seen(l); ok && b.in.Past.broken(seen, s.LastSignIn()) {
			contra = append(contra, SignBroken)
		}
	}
	switch have, want := u.ImmutableID(), s.ImmutableID(); {
	case have != "" && want == "":
		contra = append(contra, SignRowNoID)
	case have == "" && want != "":
		contra = append(contra, SignAccountNoID)
	case have != want && tightID(have) != tightID(want):
		contra = append(contra, SignOtherID)
	}
	if !b.ours.has(i) && s.UPN() != "" {
		contra = append(contra, SignOtherDomain)
	}
	if b.fate[i] == bad || b.fate[i] == foreignBad {
		contra = append(contra, SignNotWritable)
	}
	return pro, contra
}

func signsOf(weak reason) []Sign {
	var signs []Sign
	if weak&sameGiven != 0 {
		signs = append(signs, SignGiven)
	}
	if weak&sameFamily != 0 {
		signs = append(signs, SignFamily)
	}
	return signs
}

// beside compares the values of an account with those of a row.
func (b *builder) beside(q *asking, s directory.User) []Compared {
	u := q.dep.user
	var all []Compared
	add := func(a directory.Attribute, acct, row string) {
		if acct == "" && row == "" {
			return
		}
		c := Compared{Attribute: a, Account: acct, Row: row, Likeness: Differs}
		same := acct == row
		if a == directory.UserPrincipalName {
			same = directory.FoldUPN(acct) == directory.FoldUPN(row)
		}
		switch {
		case acct == "" || row == "":
			c.Likeness = OneSide
		case same:
			c.Likeness = Equal
		case names.LooksSame(acct, row):
			c.Likeness = LooksSame
		}
		all = append(all, c)
	}
	add(Username, q.dep.link.Username, s.Username())
	add(directory.UserPrincipalName, u.UPN(), s.UPN())
	add(directory.ImmutableID, u.ImmutableID(), s.ImmutableID())
	for _, a := range [...]directory.Attribute{
		directory.Surname, directory.GivenName, directory.DisplayName, directory.MailNickname, directory.Department,
	} {
		x, _ := u.Get(a)
		y, _ := s.Get(a)
		add(a, x, y)
	}
	return all
}

// letters is the key of the nth candidate: a, b .. z, aa ..
func letters(n int) string {
	s := ""
	for n++; n > 0; n = (n - 1) / 26 {
		s = string(rune('a'+(n-1)%26)) + s
	}
	return s
}

// ask makes the questions, and numbers what their answers make.
func (b *built) ask() {
	number := func(r row) int {
		b.options = append(b.options, option{row: r})
		return b.firstOption() + len(b.options) - 1
	}
	nos := map[rowID]int{} // account → rename that releases its UPN
	for i, r := range b.rows {
		if r.kind == Rename {
			nos[r.acct] = i + 1
		}
	}
	waiting := func(r row, no int) {
		if h := b.holder(r); h >= 0 && nos[h] > 0 {
			b.options[no-b.firstOption()].after = []int{nos[h]}
		}
	}
	gone := map[rowID]int{} // account in question → its deletion
	for i, q := range b.builder.questions {
		b.questions = append(b.questions, b.unanswered(i+1, q))
		if r := q.gone.row; r != nil {
			b.questions[i].Delete = number(*r)
			gone[r.acct] = b.questions[i].Delete
		} else if q.gone.skip != nil {
			b.questions[i].DeleteWhy = b.said(0, *q.gone.skip).Why
		}
	}
	added := map[rowID]int{}
	for i, q := range b.builder.questions {
		for k, src := range q.rows {
			c := &b.questions[i].Rows[k]
			switch f := q.same[src]; {
			case f.row != nil:
				c.Same = number(*f.row)
				waiting(*f.row, c.Same)
			case f.skip != nil:
				c.SameWhy = b.said(0, *f.skip).Why
			}
			f, ok := b.newRows[src]
			if !ok || !b.waits(src) {
				if ok && f.skip != nil {
					c.AddWhy = b.said(0, *f.skip).Why
				}
				continue
			}
			if f.skip != nil {
				c.AddWhy = b.said(0, *f.skip).Why
				continue
			}
			no, ok := added[src]
			if !ok {
				no = number(*f.row)
				added[src] = no
				waiting(*f.row, no)
				if h := b.holder(*f.row); h >= 0 && f.row.flags&replaces != 0 && gone[h] > 0 {
					b.options[no-b.firstOption()].after = []int{gone[h]}
					b.options[gone[h]-b.firstOption()].with = no
				}
			}
			c.Add = no
		}
	}
}

// unanswered makes a question, without the numbers of its answers.
func (b *built) unanswered(no int, q *asking) *Question {
	u := q.dep.user
	m := b.marks(u)
	out := &Question{
		No: no, Account: directory.Ref{ID: u.ID(), UPN: u.UPN(), ImmutableID: u.ImmutableID()},
		Claim: claimWord[b.claimedBy(q.dep)], Link: q.dep.link, Marks: m, Basis: b.basis(q), Lost: q.lost,
		Evidence: Evidence{
			Licensed: m.Has(directory.Licensed), Enabled: m.Has(directory.Enabled),
			Created: u.Created(), LastSignIn: u.LastSignIn(), Purpose: m & directory.Purposes,
		},
	}
	out.Name, _ = u.Get(directory.DisplayName)
	out.Seen, _ = b.in.Past.seen(q.dep.link.Username)
	for k, src := range q.rows {
		s := b.src.At(int(src))
		c := Candidate{
			Key: letters(k), Username: s.Username(), Row: directory.Ref{UPN: s.UPN(), ImmutableID: s.ImmutableID()},
			Line: s.Line(), Login: s.LastSignIn(), Compare: b.beside(q, s), waits: b.ours.has(src) && b.waits(src),
		}
		c.Name, _ = s.Get(directory.DisplayName)
		c.Seen, _ = b.in.Past.seen(s.Username())
		c.For, c.Against = b.signs(q, src)
		out.Rows = append(out.Rows, c)
	}
	return out
}
