package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/problem"
)

// wanted is the UPN that a row would take and its account does not have, or "".
func (b *builder) wanted(r row) string {
	if r.kind == Rename || r.kind == Restore || r.kind == Add {
		return b.src.At(int(r.src)).UPN()
	}
	return ""
}

// holder is the account that has the UPN which a row wants, or -1.
func (b *builder) holder(r row) rowID {
	upn := b.wanted(r)
	if upn == "" {
		return -1
	}
	for _, u := range b.users.ByUPN(upn) {
		if h := rowOf(u); r.kind != Rename || h != r.acct {
			return h
		}
	}
	return -1
}

// releaseAll takes out the rows whose UPN no row releases. A UPN is free only after a
// rename of the account that has it, so a row falls with the one before it in the
// chain. Rows in a cycle are kept: a temporary UPN breaks the cycle.
func (b *builder) releaseAll() {
	releases := map[rowID]rowID{} // account → row that takes its UPN away from it
	for i, r := range b.rows {
		if r.kind == Rename || r.kind == Delete {
			releases[r.acct] = rowAt(i)
		}
	}
	next := map[rowID][]rowID{} // row → rows that wait for it
	var fallen []rowID
	for i, r := range b.rows {
		h := b.holder(r)
		if h < 0 {
			continue
		}
		if before, ok := releases[h]; ok {
			next[before] = append(next[before], rowAt(i))
			continue
		}
		fallen = append(fallen, rowAt(i))
	}
	for len(fallen) > 0 {
		i := fallen[len(fallen)-1]
		fallen = fallen[:len(fallen)-1]
		r := &b.rows[i]
		if r.flags&dead != 0 {
			continue
		}
		r.flags |= dead
		fallen = append(fallen, next[i]...)
		if r.kind == Delete { // it falls with the addition, which is reported
			continue
		}
		b.fall(*r)
		if r.flags&replaces != 0 {
			for j := range b.rows {
				if b.rows[j].kind == Delete && b.rows[j].src == r.src {
					fallen = append(fallen, rowAt(j))
				}
			}
		}
	}
	b.rows = slices.DeleteFunc(b.rows, func(r row) bool { return r.flags&dead != 0 })
}

// fall turns a row whose UPN no row releases into a skip.
func (b *builder) fall(r row) {
	h := b.holder(r)
	holder := b.users.At(int(h))
	code, extra := problem.UPNTaken, problem.Args{"holder": holder.UPN()}
	o := b.owner[h]
	if away := b.movesOn(h); away != nil {
		code, extra = problem.UPNMovesAway, away
		if r.kind == Rename && b.inCircle(r.acct) {
			code = problem.MovesInCircle
		}
	} else if o >= 0 && b.ours.has(o) && directory.FoldUPN(b.src.At(int(o)).UPN()) != directory.FoldUPN(holder.UPN()) ||
		o < 0 && b.told.has(h) {
		code = problem.WaitsForSkipped
	}
	acct, bin := r.acct, r.kind == Restore
	if r.flags&replaces != 0 {
		acct = h
	}
	b.skip(skipRow{code: code, src: r.src, acct: acct, bin: bin, extra: extra})
	b.sourceHeld++
}

// movesOn says where the sync of another domain that is set up moves an account of
// this one, or nil.
func (b *builder) movesOn(acct rowID) problem.Args {
	o, holder := b.owner[acct], b.users.At(int(acct))
	if o < 0 || b.ours.has(o) || b.protected(holder) != "" {
		return nil
	}
	to := b.src.At(int(o)).UPN()
	_, there := directory.SplitUPN(to)
	if there = directory.FoldUPN(there); !b.setUp[there] {
		return nil
	}
	return problem.Args{"holder": holder.UPN(), "to": to, "there": there}
}

// inCircle reports whether an account can have the UPN of its row only after another
// one has left it, and so on, back to its own. Across domains no sync can begin; within
// one domain a temporary UPN breaks the circle.
func (b *builder) inCircle(acct rowID) bool {
	at := acct
	for range min(b.users.Len(), 1000) {
		o := b.owner[at]
		if o < 0 {
			return false
		}
		next, found, _ := b.users.FirstByUPN(b.src.At(int(o)).UPN())
		if !found || rowOf(next) == at {
			return false
		}
		if at = rowOf(next); at == acct {
			return true
		}
	}
	return false
}

// chain is which row waits for which, by row after they are in order.
type chain struct {
	after map[rowID][]rowID // row → rows it waits for
	last  map[rowID][]rowID // the same, for the last step of a cycle
	with  map[rowID]rowID   // deletion → addition of the same UPN
	over  map[rowID]string  // row → temporary UPN
}

// chainUp finds which of the ordered rows waits for which, and breaks cycles.
func (b *builder) chainUp() chain {
	c := chain{map[rowID][]rowID{}, map[rowID][]rowID{}, map[rowID]rowID{}, map[rowID]string{}}
	releases := map[rowID]rowID{}
	for i, r := range b.rows {
		if r.kind == Rename || r.kind == Delete {
			releases[r.acct] = rowAt(i)
		}
	}
	if len(releases) == 0 {
		return c
	}
	for i, r := range b.rows {
		h := b.holder(r)
		if h < 0 {
			continue
		}
		if before, ok := releases[h]; ok {
			c.after[rowAt(i)] = []rowID{before}
			if b.rows[before].kind == Delete {
				c.with[before] = rowAt(i)
			}
		}
	}
	c.openCycles(len(b.rows), func(row rowID) directory.ID { return b.account(b.rows[row]).ID() }, b.temporary)
	return c
}

// openCycles first gives the account with the smallest ID of each cycle a temporary
// UPN. id names the account of a row.
func (c chain) openCycles(rows int, id func(rowID) directory.ID, temporary func(directory.ID) string) {
	seen := map[rowID]int{}
	round := 0
	for i := range rows {
		start := rowAt(i)
		if c.after[start] == nil || seen[start] != 0 {
			continue
		}
		round++
		at := start
		for seen[at] == 0 && c.after[at] != nil {
			seen[at] = round
			at = c.after[at][0]
		}
		if seen[at] != round || c.after[at] == nil {
			continue
		}
		first := at // on the cycle
		for j := c.after[at][0]; j != at; j = c.after[j][0] {
			if id(j) < id(first) {
				first = j
			}
		}
		c.last[first] = c.after[first]
		delete(c.after, first)
		c.over[first] = temporary(id(first))
	}
}

// temporary is a free UPN of the domain for an account, the same in every plan.
func (b *builder) temporary(id directory.ID) string {
	name := b.temporaryName(id)
	for n := 0; ; n++ {
		upn := name + "@" + b.domain.Name
		if n > 0 {
			upn = name + "-" + strconv.Itoa(n) + "@" + b.domain.Name
		}
		if len(b.users.ByUPN(upn)) == 0 && len(b.users.ByAddress(upn)) == 0 && len(b.src.ByUPN(upn)) == 0 {
			return upn
		}
	}
}

// temporaryName is what the temporary UPN of an account begins with.
func (b *builder) temporaryName(id directory.ID) string {
	sum := sha256.Sum256([]byte("hacsync temporary UPN\n" + b.tenantID() + "\n" + string(id)))
	return "hacsync-" + hex.EncodeToString(sum[:8])
}

func (b *builder) tenantID() string { return b.in.Tenant.ID }
