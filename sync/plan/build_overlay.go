package plan

import (
	"errors"
	"fmt"

	"github.com/hacsync/hacsync/sync/directory"
)

// overlay replaces listed values by what was written less than 15 minutes ago: lists of
// the destination lag, both in values and in rows.
func (b *builder) overlay() error {
	if len(b.in.Facts.Recent) == 0 {
		return nil
	}
	recent := make(map[directory.ID]*directory.Record, len(b.in.Facts.Recent))
	for i := range b.in.Facts.Recent {
		recent[b.in.Facts.Recent[i].ID] = &b.in.Facts.Recent[i]
	}
	users := directory.NewBuilder(directory.Destination, b.users.Columns())
	bin := directory.NewBuilder(directory.RecycleBin, b.bin.Columns())
	for u := range b.users.All() {
		rec := u.Record()
		now, ok := recent[rec.ID]
		if !ok {
			if err := users.Add(rec); err != nil {
				return fmt.Errorf("overlay: %w", err)
			}
			continue
		}
		delete(recent, rec.ID)
		if now.UPN == "" { // deleted since: it is in the recycle bin, or will be
			if _, listed := b.bin.ByID(rec.ID); !listed {
				rec.Deleted = b.in.At
				rec.Values = values(&rec, b.bin.Columns())
				if err := bin.Add(rec); err != nil {
					return fmt.Errorf("overlay: %w", err)
				}
			}
			continue
		}
		if err := users.Add(overlaid(rec, now)); err != nil {
			return fmt.Errorf("overlay: %w", err)
		}
	}
	for i := range b.in.Facts.Recent { // added or restored since, in a stable order
		now := &b.in.Facts.Recent[i]
		if recent[now.ID] != now || now.UPN == "" {
			continue
		}
		rec := *now
		if was, ok := b.bin.ByID(now.ID); ok {
			was := was.Record()
			was.Values, was.Columns, was.Deleted = values(&was, b.users.Columns()), b.users.Columns(), rec.Deleted
			rec = overlaid(was, now)
		} else {
			rec.Values = values(now, b.users.Columns())
		}
		if err := users.Add(rec); err != nil {
			return fmt.Errorf("overlay: %w", err)
		}
	}
	for u := range b.bin.All() {
		if err := bin.Add(u.Record()); err != nil {
			return fmt.Errorf("overlay: %w", err)
		}
	}
	var err error
	whole := func(bd *directory.Builder, was *directory.Snapshot) *directory.Snapshot {
		n := bd.Len()
		s, e := bd.Seal(directory.Proof{Ended: true, Pages: was.Proof().Pages, Items: n, Count: int64(n)}, was.About())
		err = errors.Join(err, e)
		return s
	}
	b.users, b.bin = whole(users, b.users), whole(bin, b.bin)
	return err
}

// overlaid is a listed account with what was written to it since.
func overlaid(rec directory.Record, now *directory.Record) directory.Record {
	rec.UPN = now.UPN
	if now.ImmutableID != "" {
		rec.ImmutableID = now.ImmutableID
	}
	rec.Marks |= now.Marks &^ directory.Enabled
	for i, c := range now.Columns {
		if c == directory.AccountEnabled {
			rec.Marks = rec.Marks&^directory.Enabled | now.Marks&directory.Enabled
		}
		for j, have := range rec.Columns {
			if have == c {
				rec.Values[j] = now.Values[i]
			}
		}
	}
	if now.Mail != "" {
		rec.Mail = now.Mail
	}
	if len(now.Addresses) > 0 {
		rec.Addresses = now.Addresses
	}
	return rec
}

// values are a record's values in the order of columns.
func values(r *directory.Record, columns []directory.Attribute) []directory.Value {
	v := make([]directory.Value, len(columns))
	for i, c := range columns {
		v[i].Text, v[i].Set = r.Get(c)
	}
	return v
}
