package directory

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math/bits"
	"slices"
)

// Digest identifies the content of a snapshot, whatever the order of its rows.
type Digest [32]byte

// String returns the digest in hex.
func (d Digest) String() string { return hex.EncodeToString(d[:]) }

// sum hashes each row and adds the hashes up as numbers of 256 bits, which makes
// the order irrelevant; unlike with XOR, two equal rows do not cancel out. The
// total is hashed once more together with the side, its columns and the number of
// rows.
func (s *Snapshot) sum() Digest {
	t := s.t
	order := make([]int, len(t.columns))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(t.columns[a], t.columns[b]) })

	var total [4]uint64
	var row []byte
	for u := range s.All() {
		row = u.canonical(row[:0], order)
		h := sha256.Sum256(row)
		var carry uint64
		for i := range total {
			total[i], carry = bits.Add64(total[i], binary.LittleEndian.Uint64(h[8*i:]), carry)
		}
	}

	head := []byte("hacsync snapshot 1\n")
	head = append(head, byte(t.side))
	for _, a := range []Attribute{ImmutableID, AccountEnabled} {
		if s.HasColumn(a) {
			head = append(head, 1)
		} else {
			head = append(head, 0)
		}
	}
	head = binary.AppendUvarint(head, uint64(len(order)))
	for _, i := range order {
		head = appendText(head, string(t.columns[i]))
	}
	head = binary.AppendUvarint(head, uint64(t.n)) //nolint:gosec // not negative
	for _, x := range total {
		head = binary.LittleEndian.AppendUint64(head, x)
	}
	return sha256.Sum256(head)
}

// canonical appends the row's content, each part with its length before it, so
// that no two different rows give the same bytes.
func (u User) canonical(b []byte, order []int) []byte {
	t := u.s.t
	b = appendText(b, string(u.ID()))
	b = appendText(b, u.UPN())
	b = appendText(b, u.ImmutableID())
	b = appendText(b, u.Mail())
	b = binary.AppendUvarint(b, uint64(u.Marks()))
	for _, i := range order {
		text, set := t.values[i].value(u.i)
		if !set {
			b = append(b, 0)
			continue
		}
		b = appendText(append(b, 1), text)
	}
	addresses := u.Addresses()
	slices.Sort(addresses)
	b = binary.AppendUvarint(b, uint64(len(addresses)))
	for _, a := range addresses {
		b = appendText(b, a)
	}
	return b
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}
