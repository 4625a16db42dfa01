package plan

import (
	"slices"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/names"
	"github.com/hacsync/hacsync/sync/problem"
)

// deletions finds the accounts of the domain that no source row is about: not
// by ID, not by UPN, in no domain. It shows those that are never touched, and
// those that are spared.
func (b *builder) deletions() {
	busy := newBits(b.users.Len())
	for _, r := range b.rows {
		if r.kind != Add && r.kind != Restore {
			busy.set(r.acct)
		}
	}
	var doubtful *guesses
	for u := range b.users.All() {
		acct := int32(u.Row()) //nolint:gosec // as in match
		if !b.here(u.UPN()) || busy.has(acct) || b.settled.has(acct) || b.told.has(acct) {
			continue
		}
		if code := b.protected(u); code != "" {
			b.skip(skipRow{code: code, src: -1, acct: acct})
			continue
		}
		if b.claimed.has(acct) {
			b.skip(skipRow{code: problem.Spared, src: -1, acct: acct})
			continue
		}
		if d, out := b.decided.find(b.decided.out, u.ID(), u.UPN()); out {
			code := problem.LeftOutOnce
			if d.Kind == LeaveOutAlways {
				code = problem.LeftOutAlways
			}
			b.skip(skipRow{code: code, src: -1, acct: acct, extra: leftOutArgs(d)})
			continue
		}
		if doubtful == nil {
			doubtful = b.guesses()
		}
		if code, extra := doubtful.spare(u); code != "" {
			b.skip(skipRow{code: code, src: -1, acct: acct, extra: extra})
			continue
		}
		b.rows = append(b.rows, row{src: -1, acct: acct, kind: Delete})
	}
}

// names are the forms under which a person may be found again.
func (b *builder) names(u directory.User) []string {
	display, _ := u.Get(directory.DisplayName)
	family, _ := u.Get(directory.Surname)
	given, _ := u.Get(directory.GivenName)
	var keys []string
	for _, n := range [...]string{display, family + given, given + family} {
		if k := names.Fold(n); k != "" && (n == display || family != "" && given != "") && !slices.Contains(keys, k) {
			keys = append(keys, k)
		}
	}
	return keys
}

// pairs holds, where nobody watches, deletions and additions that may be one
// person and of whom one has no immutable ID to tell.
func (b *builder) pairs() {
	if !b.in.Unattended {
		return
	}
	for _, p := range b.findPairs() {
		del, add := &b.rows[p[0]], &b.rows[p[1]]
		u, s := b.users.At(int(del.acct)), b.src.At(int(add.src))
		if u.ImmutableID() != "" && s.ImmutableID() != "" {
			continue
		}
		del.flags |= dead
		add.flags |= dead
		b.skip(skipRow{code: problem.PairHeld, src: -1, acct: del.acct, extra: problem.Args{"other": s.UPN()}})
		b.skip(skipRow{code: problem.PairHeld, src: add.src, acct: -1, extra: problem.Args{"other": u.UPN()}})
		b.sourceHeld++
	}
	b.rows = slices.DeleteFunc(b.rows, func(r row) bool { return r.flags&dead != 0 })
}

// findPairs gives rows (deletion, addition) that may be one person, each in at
// most one pair. The order of the input does not matter.
func (b *builder) findPairs() [][2]int {
	var dels, adds []int
	for i, r := range b.rows {
		switch {
		case r.flags&replaces != 0:
		case r.kind == Delete:
			dels = append(dels, i)
		case r.kind == Add:
			adds = append(adds, i)
		}
	}
	if len(dels) == 0 || len(adds) == 0 {
		return nil
	}
	byKey := func(x, y int) int { return b.compare(b.rows[x], b.rows[y]) }
	slices.SortFunc(dels, byKey)
	slices.SortFunc(adds, byKey)
	known := map[string][]int{} // name → additions
	for _, i := range adds {
		for _, k := range b.names(b.src.At(int(b.rows[i].src))) {
			known[k] = append(known[k], i)
		}
	}
	taken := map[int]bool{}
	var found [][2]int
	for _, d := range dels {
		a := -1
		for _, k := range b.names(b.users.At(int(b.rows[d].acct))) {
			free := slices.IndexFunc(known[k], func(i int) bool { return !taken[i] })
			if free >= 0 {
				a = known[k][free]
				break
			}
		}
		if a >= 0 {
			taken[a] = true
			found = append(found, [2]int{d, a})
		}
	}
	return found
}
