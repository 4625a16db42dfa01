package state

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Notice is something that is reported to administrators once: as long as its key
// is there, no other process reports it. Data belongs to the package that reports.
type Notice struct {
	Key            string
	Tenant, Domain string
	Told           time.Time // when it happened
	// Due is when the next delivery may be tried; zero when none is left.
	Due time.Time
	// Version is the number of writes; NoticeSaved compares it.
	Version int64
	Data    json.RawMessage
}

const noticeColumns = `key, tenant, domain, told, due, version, data`

func scanNotice(scan func(...any) error) (Notice, error) {
	var n Notice
	var told, due int64
	var data string
	err := scan(&n.Key, &n.Tenant, &n.Domain, &told, &due, &n.Version, &data)
	n.Told, n.Due, n.Data = moment(told), moment(due), json.RawMessage(data)
	return n, err
}

var errNoKey = errors.New("a notice needs a key")

// OpenNotice inserts a notice if its key does not exist yet, and reports whether it
// did: of all processes that try, one does.
func (s *Store) OpenNotice(ctx context.Context, n Notice) (opened bool, err error) {
	if n.Key == "" {
		return false, errNoKey
	}
	err = s.write(ctx, "enter a notice", func(tx *sql.Tx) error {
		var err error
		opened, err = openNotice(ctx, tx, n)
		return err
	})
	return opened && err == nil, err
}

func openNotice(ctx context.Context, tx *sql.Tx, n Notice) (bool, error) {
	return one(tx.ExecContext(ctx, `INSERT INTO notice (`+noticeColumns+`) VALUES ($1, $2, $3, $4, $5, 1, $6)
		ON CONFLICT (key) DO NOTHING`,
		clean(n.Key), clean(n.Tenant), clean(n.Domain), nanos(n.Told), nanos(n.Due), clean(string(n.Data))))
}

// HasNotice reports whether a key exists.
func (s *Store) HasNotice(ctx context.Context, key string) (has bool, err error) {
	err = s.read(ctx, "look for a notice", func(tx *sql.Tx) error {
		var n int64
		if err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM notice WHERE key = $1`, clean(key)).Scan(&n); err != nil {
			return err
		}
		has = n > 0
		return nil
	})
	return has, err
}

// SaveNotice replaces due and data of a notice if its version is still the one
// read, and reports whether it did. It sets n.Version to the new one.
func (s *Store) SaveNotice(ctx context.Context, n *Notice) (saved bool, err error) {
	err = s.write(ctx, "save a notice", func(tx *sql.Tx) error {
		var err error
		saved, err = one(tx.ExecContext(ctx, `UPDATE notice SET due = $1, data = $2, version = version + 1
			WHERE key = $3 AND version = $4`, nanos(n.Due), clean(string(n.Data)), clean(n.Key), n.Version))
		return err
	})
	saved = saved && err == nil
	if saved {
		n.Version++
	}
	return saved, err
}

// OpenNotices returns those that have a delivery left, oldest first, up to limit.
func (s *Store) OpenNotices(ctx context.Context, limit int) ([]Notice, error) {
	return s.notices(ctx, `SELECT `+noticeColumns+` FROM notice WHERE due <> 0 ORDER BY told, key LIMIT $1`, limit)
}

// NoticesOf returns all notices of a domain, oldest first. An empty tenant and
// domain return those of the whole state.
func (s *Store) NoticesOf(ctx context.Context, tenant, domain string) ([]Notice, error) {
	if tenant == "" && domain == "" {
		return s.notices(ctx, `SELECT `+noticeColumns+` FROM notice ORDER BY told, key`)
	}
	return s.notices(ctx, `SELECT `+noticeColumns+` FROM notice WHERE tenant = $1 AND domain = $2 ORDER BY told, key`,
		clean(tenant), clean(domain))
}

func (s *Store) notices(ctx context.Context, query string, args ...any) ([]Notice, error) {
	var all []Notice
	err := s.read(ctx, "list notices", func(tx *sql.Tx) error {
		var err error
		all, err = rows(ctx, tx, scanNotice, query, args...)
		return err
	})
	return all, err
}

// CloseNotices removes the notices with these keys. If there were any, made gets
// them, oldest first, and the notice that it returns is inserted in their place, in
// the same transaction: of all processes that close, one inserts it. made may run
// more than once. A nil made, or a notice without a key, inserts nothing.
func (s *Store) CloseNotices(ctx context.Context, keys []string, made func(closed []Notice) (Notice, error)) (closed []Notice, err error) {
	if len(keys) == 0 {
		return nil, nil
	}
	marks, args := list(keys)
	// Nearly always there is nothing to close, and finding that out needs no lock.
	closed, err = s.notices(ctx, `SELECT `+noticeColumns+` FROM notice WHERE key IN (`+marks+`)`, args...)
	if err != nil || len(closed) == 0 {
		return nil, err
	}
	err = s.write(ctx, "close notices", func(tx *sql.Tx) error {
		var err error
		closed, err = rows(ctx, tx, scanNotice, `DELETE FROM notice WHERE key IN (`+marks+`) RETURNING `+noticeColumns, args...)
		if err != nil || len(closed) == 0 || made == nil {
			return err
		}
		slices.SortFunc(closed, func(a, b Notice) int {
			return cmp.Or(a.Told.Compare(b.Told), strings.Compare(a.Key, b.Key))
		})
		n, err := made(closed)
		if err != nil || n.Key == "" {
			return err
		}
		_, err = openNotice(ctx, tx, n)
		return err
	})
	if err != nil {
		return nil, err
	}
	return closed, nil
}

// PruneNotices removes notices from before a time that have no delivery left and
// whose keys begin with prefix (which holds no % and _).
func (s *Store) PruneNotices(ctx context.Context, prefix string, before time.Time) error {
	return s.write(ctx, "prune notices", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM notice WHERE told < $1 AND due = 0 AND key LIKE $2`,
			nanos(before), clean(prefix)+"%")
		return err
	})
}

// list returns the placeholders and arguments of an IN list.
func list(values []string) (marks string, args []any) {
	var b strings.Builder
	for i, v := range values {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString("$" + strconv.Itoa(i+1))
		args = append(args, clean(v))
	}
	return b.String(), args
}
