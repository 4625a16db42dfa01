package directory

import (
	"hash/maphash"
	"iter"
)

// index finds entries by key: an open-addressed table of entry numbers, at most
// half full. Keys are not kept; key reads them from their column. Entries with
// equal keys are a linked list in ascending order, so that a million rows with one
// UPN are as quick as a million different ones.
type index struct {
	seed  maphash.Seed
	slots []uint32 // entry + 1, 0 where free
	next  []uint32 // entry + 1 of the next with the same key; nil while there is none
	used  int
	key   func(entry int) string // "" for an entry without key
}

func newIndex(key func(int) string) *index {
	return &index{seed: maphash.MakeSeed(), key: key}
}

// fill builds the index over entries 0 to n-1. It goes backwards, because an
// entry is put before those with the same key.
func (x *index) fill(n int) *index {
	keys := 0
	for i := range n {
		if x.key(i) != "" {
			keys++
		}
	}
	x.size(keys)
	for i := n - 1; i >= 0; i-- {
		k := x.key(i)
		if k == "" {
			continue
		}
		slot := x.slot(k)
		if head := x.slots[slot]; head != 0 {
			if x.next == nil {
				x.next = make([]uint32, n)
			}
			x.next[i] = head
		}
		x.slots[slot] = uint32(i + 1) //nolint:gosec // a builder refuses more rows than fit
	}
	return x
}

// insert adds an entry whose key is not yet there; otherwise it returns the
// entry that has it.
func (x *index) insert(entry int, key string) (first int, ok bool) {
	if 2*(x.used+1) > len(x.slots) {
		old := x.slots
		x.size(2 * (x.used + 1))
		for _, e := range old {
			if e != 0 {
				x.slots[x.slot(x.key(int(e-1)))] = e
			}
		}
	}
	slot := x.slot(key)
	if e := x.slots[slot]; e != 0 {
		return int(e - 1), false
	}
	x.slots[slot] = uint32(entry + 1) //nolint:gosec // as above
	x.used++
	return entry, true
}

func (x *index) size(keys int) {
	n := 16
	for n < 2*keys {
		n *= 2
	}
	x.slots = make([]uint32, n)
}

// slot returns where key is, or the free place where it would be.
func (x *index) slot(key string) int {
	mask := uint64(len(x.slots) - 1) //nolint:gosec // never empty
	for h := maphash.String(x.seed, key) & mask; ; h = (h + 1) & mask {
		e := x.slots[h]
		if e == 0 || x.key(int(e-1)) == key {
			return int(h) //nolint:gosec // smaller than len(slots)
		}
	}
}

// repeated returns the entries whose key another entry has too; those between the
// first and the last are returned twice.
func (x *index) repeated() iter.Seq[int] {
	return func(yield func(int) bool) {
		for i, next := range x.next {
			if next != 0 && (!yield(i) || !yield(int(next)-1)) {
				return
			}
		}
	}
}

// find returns the first entry with the key, or -1.
func (x *index) find(key string) int {
	if key == "" || len(x.slots) == 0 {
		return -1
	}
	return int(x.slots[x.slot(key)]) - 1
}

// after returns the next entry with the same key, or -1.
func (x *index) after(entry int) int {
	if x.next == nil {
		return -1
	}
	return int(x.next[entry]) - 1
}
