package directory

import "strings"

// chunkShift sets the size of a chunk of text, 256 KiB: large enough that the
// garbage collector sees a few hundred objects for a million users, small
// enough that a snapshot of ten users costs nothing.
const (
	chunkShift = 18
	chunkSize  = 1 << chunkShift
	maxChunks  = 1 << (32 - chunkShift) // what an offset of 32 bits reaches
)

// column holds one text per row, end to end in chunks, with 4 bytes a row in
// addition to the text itself. A text never spans two chunks, so that reading one
// returns a part of the chunk without copying.
type column struct {
	chunks []string
	cur    strings.Builder
	ends   []uint32 // where each text ends; nil while all are empty
	n      int
	empty  []uint64 // bits of the rows that have a value, and it is empty
}

// add appends a text. It reports false when the column is full or the text is
// longer than a chunk; then nothing was added.
func (c *column) add(text string, set bool) bool {
	if text != "" && !c.put(text) {
		return false
	}
	if text == "" {
		if set {
			c.empty = grown(c.empty, c.n/64+1)
			c.empty[c.n/64] |= 1 << (c.n % 64)
		}
		if c.ends != nil {
			c.ends = append(c.ends, c.ends[len(c.ends)-1])
		}
	}
	c.n++
	return true
}

func (c *column) put(text string) bool {
	if c.cur.Len()+len(text) > chunkSize {
		if len(text) > chunkSize || len(c.chunks)+1 >= maxChunks {
			return false
		}
		c.chunks = append(c.chunks, c.cur.String())
		c.cur = strings.Builder{}
		c.cur.Grow(chunkSize)
	}
	if c.ends == nil {
		c.ends = make([]uint32, c.n, c.n+16)
	}
	c.cur.WriteString(text)
	c.ends = append(c.ends, uint32(len(c.chunks)<<chunkShift+c.cur.Len())) //nolint:gosec // maxChunks bounds it
	return true
}

// get returns the text of row i.
func (c *column) get(i int) string {
	if c.ends == nil {
		return ""
	}
	end, start := c.ends[i], uint32(0)
	if i > 0 {
		start = c.ends[i-1]
	}
	if start == end {
		return ""
	}
	k := (end - 1) >> chunkShift
	base := k << chunkShift
	start = max(start, base) // the text before may be in the previous chunk
	if int(k) == len(c.chunks) {
		return c.cur.String()[start-base : end-base]
	}
	return c.chunks[k][start-base : end-base]
}

// value returns the text of row i and whether the row has a value.
func (c *column) value(i int) (string, bool) {
	if s := c.get(i); s != "" {
		return s, true
	}
	return "", i/64 < len(c.empty) && c.empty[i/64]&(1<<(i%64)) != 0
}

// seal frees the memory that growing allocated and that is not used.
func (c *column) seal() {
	if c.cur.Len() > 0 {
		c.chunks = append(c.chunks, strings.Clone(c.cur.String()))
		c.cur = strings.Builder{}
	}
	c.ends = fitted(c.ends)
}

// numbers is a column of numbers that costs nothing while all are zero.
type numbers[T uint32 | int64] struct {
	v []T
	n int
}

func (c *numbers[T]) add(x T) {
	if x != 0 && c.v == nil {
		c.v = make([]T, c.n, c.n+16)
	}
	if c.v != nil {
		c.v = append(c.v, x)
	}
	c.n++
}

func (c *numbers[T]) get(i int) T {
	if c.v == nil {
		return 0
	}
	return c.v[i]
}

func (c *numbers[T]) seal() { c.v = fitted(c.v) }

// fitted copies s if growing left more than an eighth of it unused.
func fitted[S ~[]E, E any](s S) S {
	if s != nil && cap(s)-len(s) > len(s)/8 {
		return append(make(S, 0, len(s)), s...)
	}
	return s
}

func grown[S ~[]E, E any](s S, n int) S {
	if len(s) < n {
		s = append(s, make(S, n-len(s))...)
	}
	return s
}
