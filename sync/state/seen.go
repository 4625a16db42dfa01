package state

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"io"
	"slices"
	"time"

	"github.com/hacsync/hacsync/sync/problem"
)

// SeenSource is what complete reads of a source contained.
type SeenSource struct {
	Source string
	At     time.Time  // the last read that was learnt from
	Newest time.Time  // its newest Last Login
	Users  []SeenUser // in order of their Usernames
	// Restored means that this comes from a backup, and nothing was learnt since.
	Restored bool
}

// SeenUser is one user of a source. The last read contained it if Last is the time
// of that read. First starts again when a complete read in between lacked the user.
type SeenUser struct {
	Username           string
	First, Last, Login time.Time
}

// Seen returns what was learnt of a domain's source; zero if nothing was.
func (s *Store) Seen(ctx context.Context, tenant, domain string) (SeenSource, error) {
	var seen SeenSource
	err := s.read(ctx, "read who was seen", func(tx *sql.Tx) error {
		var err error
		seen, err = s.seen(ctx, tx, clean(tenant), fold(domain))
		return err
	})
	return seen, err
}

func (s *Store) seen(ctx context.Context, tx *sql.Tx, tenant, domain string) (SeenSource, error) {
	var (
		seen             SeenSource
		at, newest, from int64
		data             []byte
	)
	err := tx.QueryRowContext(ctx, `SELECT source, at, newest, restored, data FROM seen WHERE tenant = $1 AND domain = $2`,
		tenant, domain).Scan(&seen.Source, &at, &newest, &from, &data)
	if none(err) {
		return SeenSource{}, nil
	}
	if err != nil {
		return SeenSource{}, err
	}
	seen.At, seen.Newest, seen.Restored = moment(at), moment(newest), from != 0
	if seen.Users, err = unpackSeen(data, seen.At); err != nil {
		return SeenSource{}, problem.Wrap(err, problem.StateDamaged, problem.Args{"state": s.URL()})
	}
	return seen, nil
}

func (s *Store) saveSeen(ctx context.Context, tx *sql.Tx, tenant, domain string, seen *SeenSource) error {
	data, err := packSeen(seen.Users, seen.At)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO seen (tenant, domain, source, at, newest, restored, data)
		VALUES ($1, $2, $3, $4, $5, 0, $6)
		ON CONFLICT (tenant, domain) DO UPDATE SET source = excluded.source, at = excluded.at,
		newest = excluded.newest, restored = 0, data = excluded.data`,
		tenant, domain, clean(seen.Source), nanos(seen.At), nanos(seen.Newest), data)
	return err
}

// learn adds one more read. A read that is earlier than the last one teaches
// nothing, and another source starts from the beginning.
func (s *SeenSource) learn(l *Lesson) bool {
	if l.At.IsZero() || clean(l.Source) == s.Source && !l.At.After(s.At) {
		return false
	}
	if clean(l.Source) != s.Source {
		*s = SeenSource{Source: clean(l.Source)}
	}
	before := s.At
	at := l.At.UTC()
	find := func(name string) *SeenUser {
		i, is := slices.BinarySearchFunc(s.Users, name, func(u SeenUser, n string) int { return cmp.Compare(u.Username, n) })
		if !is {
			return nil
		}
		return &s.Users[i]
	}
	gone := make(map[*SeenUser]bool, len(l.Gone))
	for _, name := range unique(l.Gone) {
		if u := find(name); u != nil {
			gone[u] = true
		}
	}
	for i := range s.Users {
		if u := &s.Users[i]; u.Last.Equal(before) && !gone[u] {
			u.Last = at
		}
	}
	var added []SeenUser
	for _, name := range unique(l.New) {
		u := find(name)
		switch {
		case u == nil:
			added = append(added, SeenUser{Username: name, First: at, Last: at})
		case !u.Last.Equal(at): // has a row again
			*u = SeenUser{Username: name, First: at, Last: at}
		}
	}
	s.Users = merged(s.Users, added)
	for _, login := range l.Logins {
		if u := find(clean(login.Username)); u != nil {
			u.Login = login.At.UTC()
		}
	}
	s.At, s.Newest, s.Restored = at, l.Newest.UTC(), false
	return true
}

// merged merges two sorted lists that have nothing in common.
func merged(a, b []SeenUser) []SeenUser {
	if len(a) == 0 || len(b) == 0 {
		return append(a, b...)
	}
	all := make([]SeenUser, 0, len(a)+len(b))
	for len(a) > 0 && len(b) > 0 {
		if a[0].Username < b[0].Username {
			all, a = append(all, a[0]), a[1:]
		} else {
			all, b = append(all, b[0]), b[1:]
		}
	}
	return append(append(all, a...), b...)
}

// The packed value holds columns, which compress better than rows: all names, each
// as what it shares with the one before and its rest; the times of reads, each
// once; then for every user the numbers of two of them and a Last Login, counted
// back in seconds from the newest. A Last of 0 means the last read, so that the
// next read changes few bytes.
const seenVersion = 1

var errSeen = errors.New("who was seen is damaged")

// packSeen packs users that are in order of their names.
func packSeen(users []SeenUser, at time.Time) ([]byte, error) {
	var reads []int64
	last := int64(0)
	for i := range users { // mostly the same for several users in a row
		for _, t := range []time.Time{users[i].First, users[i].Last} {
			if n := nanos(t); n != last {
				reads, last = append(reads, n), n
				if len(reads) > 1<<16 {
					slices.Sort(reads)
					reads = slices.Compact(reads)
				}
			}
		}
	}
	reads = append(reads, nanos(at))
	slices.Sort(reads)
	reads = slices.Compact(reads)
	number := make(map[int64]uint64, len(reads))
	for i, n := range reads {
		number[n] = uint64(i)
	}
	var newest time.Time
	fine := uint64(0)
	for i := range users {
		login := users[i].Login
		if login.After(newest) {
			newest = login
		}
		if login.Nanosecond() != 0 {
			fine = 1
		}
	}

	var packed bytes.Buffer
	z, err := gzip.NewWriterLevel(&packed, gzip.BestSpeed)
	if err != nil {
		return nil, err
	}
	b := make([]byte, 0, 1<<16)
	b = append(b, seenVersion)
	b = binary.AppendUvarint(b, uint64(len(users)))
	b = binary.AppendUvarint(b, uint64(len(reads)))
	for i, n := range reads {
		if i > 0 {
			n -= reads[i-1]
		}
		b = binary.AppendVarint(b, n)
	}
	b = binary.AppendVarint(b, newest.Unix())
	b = binary.AppendUvarint(b, fine)
	flush := func(least int) error {
		if len(b) < least {
			return nil
		}
		_, err := z.Write(b)
		b = b[:0]
		return err
	}
	columns := []func(before, u *SeenUser){
		func(before, u *SeenUser) {
			n := shared(before.Username, u.Username)
			b = binary.AppendUvarint(b, uint64(n))
			b = binary.AppendUvarint(b, uint64(len(u.Username)-n))
			b = append(b, u.Username[n:]...)
		},
		func(_, u *SeenUser) { b = binary.AppendUvarint(b, number[nanos(u.First)]) },
		func(_, u *SeenUser) {
			if u.Last.Equal(at) {
				b = append(b, 0)
			} else {
				b = binary.AppendUvarint(b, number[nanos(u.Last)]+1)
			}
		},
		func(_, u *SeenUser) {
			if u.Login.IsZero() {
				b = append(b, 0)
			} else {
				b = binary.AppendUvarint(b, uint64(newest.Unix()-u.Login.Unix())+1)
			}
		},
		func(_, u *SeenUser) {
			if fine != 0 {
				b = binary.AppendUvarint(b, uint64(u.Login.Nanosecond()))
			}
		},
	}
	for _, column := range columns {
		before := &SeenUser{}
		for i := range users {
			column(before, &users[i])
			before = &users[i]
			if err := flush(1<<16 - 1<<10); err != nil {
				return nil, err
			}
		}
	}
	if err := flush(0); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return packed.Bytes(), nil
}

func shared(a, b string) int {
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return n
}

// unpackSeen is the reverse of packSeen. It allocates no more memory than the size
// of data justifies.
func unpackSeen(data []byte, at time.Time) ([]SeenUser, error) {
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	data, err = io.ReadAll(z)
	if err != nil {
		return nil, err
	}
	r := seenReader{data: data}
	if r.number() != seenVersion {
		return nil, errSeen
	}
	count, n := r.length(), r.length()
	reads := make([]time.Time, n)
	var sum int64
	for i := range reads {
		sum += r.signed()
		reads[i] = moment(sum)
	}
	newest, fine := r.signed(), r.number()
	if r.bad || count > 0 && n == 0 {
		return nil, errSeen
	}
	users := make([]SeenUser, count)
	name := make([]byte, 0, 64)
	for i := range users {
		keep := r.number()
		if keep > uint64(len(name)) {
			return nil, errSeen
		}
		name = append(name[:keep], r.bytes(r.length())...)
		users[i].Username = string(name)
		if r.bad || i > 0 && users[i].Username <= users[i-1].Username {
			return nil, errSeen
		}
	}
	read := func(n uint64) time.Time {
		if n >= uint64(len(reads)) {
			r.bad = true
			return time.Time{}
		}
		return reads[n]
	}
	for i := range users {
		users[i].First = read(r.number())
	}
	for i := range users {
		if n := r.number(); n == 0 {
			users[i].Last = at
		} else {
			users[i].Last = read(n - 1)
		}
	}
	for i := range users {
		if n := r.number(); n > 0 {
			users[i].Login = time.Unix(newest-int64(n-1), 0).UTC()
		}
	}
	if fine != 0 {
		for i := range users {
			if n := r.number(); n > 0 {
				users[i].Login = users[i].Login.Add(time.Duration(n))
			}
		}
	}
	if r.bad || len(r.data) > 0 {
		return nil, errSeen
	}
	return users, nil
}

// seenReader reads what packSeen wrote. After the first error it returns zeros.
type seenReader struct {
	data []byte
	bad  bool
}

func (r *seenReader) take(n int) {
	if n <= 0 {
		r.bad, n = true, len(r.data)
	}
	r.data = r.data[n:]
}

func (r *seenReader) number() uint64 {
	n, size := binary.Uvarint(r.data)
	if r.take(size); r.bad {
		return 0
	}
	return n
}

func (r *seenReader) signed() int64 {
	n, size := binary.Varint(r.data)
	if r.take(size); r.bad {
		return 0
	}
	return n
}

// length reads a number of things that take at least a byte each.
func (r *seenReader) length() int {
	n := r.number()
	if n > uint64(len(r.data)) {
		r.bad = true
		return 0
	}
	return int(n)
}

func (r *seenReader) bytes(n int) []byte {
	if n > len(r.data) {
		r.bad = true
		return nil
	}
	b := r.data[:n]
	r.data = r.data[n:]
	return b
}
