package state

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/hacsync/hacsync/sync/directory"
)

// Touched is what hacsync did to one account, by its journal. It is kept in the
// transaction that writes the rows of the journal, so that a plan rests on it
// without reading them all, and so that they may be pruned.
type Touched struct {
	// Made: hacsync created the account. Added: hacsync created it, and it exists: it was
	// not deleted since, or it was restored. Restored: hacsync restored it.
	Made, Added, Restored bool
	// Undone: the run that wrote last was an undo, and not one of another undo.
	Undone bool
	// SignIn: hacsync wrote whether the account may sign in. Blocked is when it blocked
	// the sign-in; zero if it allowed the sign-in, or if the row cannot be read.
	SignIn  bool
	Blocked time.Time
	Deleted time.Time // zero: not deleted, or brought back since
}

// after is what is known once the destination took the step of a row; back: its run puts
// accounts back. After a row that cannot be read the account counts as neither made nor
// blocked by hacsync, which protects it.
func (t Touched) after(e *Entry, back bool) Touched {
	t.Undone = back
	if e.Unread {
		t.Made, t.Added, t.Restored = false, false, false
		t.SignIn, t.Blocked = true, time.Time{}
		return t
	}
	switch e.Verb {
	case VerbCreate:
		t.Made, t.Added = true, true
	case VerbDelete:
		t.Deleted, t.Added, t.Restored = e.When(), false, false
	case VerbRestore:
		t.Deleted, t.Restored, t.Added = time.Time{}, true, t.Added || t.Made
	case VerbPatch, VerbPatchUPN:
	}
	// An account added disabled counts as blocked by hacsync: no other administrator
	// would let the person in once the source does.
	if v, ok := e.After.Get(directory.AccountEnabled); ok {
		t.SignIn, t.Blocked = true, time.Time{}
		if v.Text == "false" {
			t.Blocked = e.When()
		}
	}
	return t
}

// The bits of the column marks.
const (
	markMade = 1 << iota
	markAdded
	markRestored
	markUndone
)

// columns are the values of marks, deleted and blocked.
func (t Touched) columns() [3]int64 {
	var marks int64
	for bit, is := range map[int64]bool{markMade: t.Made, markAdded: t.Added, markRestored: t.Restored, markUndone: t.Undone} {
		if is {
			marks |= bit
		}
	}
	blocked := nanos(t.Blocked)
	if t.SignIn && blocked == 0 {
		blocked = -1
	}
	return [3]int64{marks, nanos(t.Deleted), blocked}
}

func touchedOf(c [3]int64) Touched {
	t := Touched{
		Made: c[0]&markMade != 0, Added: c[0]&markAdded != 0, Restored: c[0]&markRestored != 0, Undone: c[0]&markUndone != 0,
		Deleted: moment(c[1]), SignIn: c[2] != 0,
	}
	if c[2] > 0 {
		t.Blocked = moment(c[2])
	}
	return t
}

// Touched returns what hacsync did to the accounts of a tenant, by ID.
func (s *Store) Touched(ctx context.Context, tenant string) (map[directory.ID]Touched, error) {
	var all map[directory.ID]Touched
	err := s.read(ctx, "read what was done to accounts", func(tx *sql.Tx) error {
		all = map[directory.ID]Touched{}
		r, err := tx.QueryContext(ctx, `SELECT id, marks, deleted, blocked FROM touched WHERE tenant = $1`, clean(tenant))
		if err != nil {
			return err
		}
		defer r.Close()
		for r.Next() {
			var id directory.ID
			var c [3]int64
			if err := r.Scan(&id, &c[0], &c[1], &c[2]); err != nil {
				return err
			}
			all[id] = touchedOf(c)
		}
		return r.Err()
	})
	return all, err
}

// touch is a row of the table: what is known of an account, with the action of a run
// that wrote last and what was known before it.
type touch struct {
	run         int64
	action      int
	now, before Touched
}

// by adds a row of the journal. Rows come in order of run, action and step.
func (k touch) by(e *Entry, back bool) touch {
	if k.run != e.Run || k.action != e.Action {
		k = touch{run: e.Run, action: e.Action, now: k.now, before: k.now}
	}
	k.now = k.now.after(e, back)
	return k
}

// touches keep the table while rows of the journal are written.
type touches struct {
	*Store
	tx     *sql.Tx
	tenant string
}

// action is an action of a run.
type action struct {
	run int64
	no  int
}

// taken returns those of the rows that the destination is known to have taken.
func (w touches) taken(ctx context.Context, entries []Entry) (map[[3]int64]bool, error) {
	was, actions := map[[3]int64]bool{}, map[action]bool{}
	for i := range entries {
		actions[action{entries[i].Run, entries[i].Action}] = true
	}
	err := w.rowsOf(ctx, actions, func(e *Entry) {
		if e.Took() {
			was[e.key()] = true
		}
	}, `run, action, step, state`, func(scan func(...any) error) (e Entry, err error) {
		return e, scan(&e.Run, &e.Action, &e.Step, &e.State)
	})
	return was, err
}

// follow brings the table up to date with rows that were just written; was are those
// that the destination was known to have taken before.
func (w touches) follow(ctx context.Context, entries []Entry, was map[[3]int64]bool) error {
	changed, lost := map[action]bool{}, map[action]bool{}
	for i := range entries {
		e := &entries[i]
		if took := e.Took(); took != was[e.key()] {
			a := action{e.Run, e.Action}
			changed[a] = true
			lost[a] = lost[a] || !took
		}
	}
	if len(changed) == 0 {
		return nil
	}
	steps, ids := map[action][]Entry{}, []string{}
	err := w.rowsOf(ctx, changed, func(e *Entry) {
		if e.Object.ID != "" {
			a := action{e.Run, e.Action}
			steps[a] = append(steps[a], *e)
			ids = append(ids, string(e.Object.ID))
		}
	}, entryColumns, scanEntry)
	if err != nil {
		return err
	}
	known, err := w.load(ctx, ids)
	if err != nil {
		return err
	}
	back := map[int64]bool{}
	for a := range changed {
		if _, ok := back[a.run]; !ok {
			if back[a.run], err = putsBack(ctx, w.tx, a.run); err != nil {
				return err
			}
		}
	}
	next := map[string]touch{}
	for _, a := range slices.SortedFunc(maps.Keys(steps), func(x, y action) int {
		return cmp.Or(cmp.Compare(x.run, y.run), cmp.Compare(x.no, y.no))
	}) {
		for i := range steps[a] {
			e := &steps[a][i]
			id := clean(string(e.Object.ID))
			k, begun := next[id]
			if !begun {
				k = known[id]
			}
			switch {
			case k.run != a.run || k.action != a.no:
				if lost[a] { // another run wrote since, so what is left of this one is unknown
					e = &Entry{Run: e.Run, Action: e.Action, Unread: true}
					next[id] = k.by(e, back[a.run])
					continue
				}
			case !begun: // from the beginning of the action
				k.now = k.before
			}
			if e.Took() {
				k = k.by(e, back[a.run])
			}
			next[id] = k
		}
	}
	return w.save(ctx, next)
}

// rowsOf calls each with the rows of actions, in order of action and step.
func (w touches) rowsOf(
	ctx context.Context, actions map[action]bool, each func(*Entry), columns string, scan func(func(...any) error) (Entry, error),
) error {
	of := map[int64][]int64{}
	for a := range actions {
		of[a.run] = append(of[a.run], int64(a.no))
	}
	for run, nos := range of {
		slices.Sort(nos)
		for some := range slices.Chunk(nos, w.idsAtOnce()) {
			all, err := rows(ctx, w.tx, scan, `SELECT `+columns+` FROM journal WHERE run = $1 AND `+amongThem("action", some)+
				` ORDER BY action, step`, run)
			if err != nil {
				return err
			}
			for i := range all {
				each(&all[i])
			}
		}
	}
	return nil
}

func (w touches) load(ctx context.Context, ids []string) (map[string]touch, error) {
	all := map[string]touch{}
	for some := range slices.Chunk(unique(ids), w.idsAtOnce()) {
		marks, args := listed(some, w.tenant)
		_, err := rows(ctx, w.tx, func(scan func(...any) error) (k touch, err error) {
			var id string
			var now, before [3]int64
			err = scan(&id, &k.run, &k.action, &now[0], &now[1], &now[2], &before[0], &before[1], &before[2])
			k.now, k.before = touchedOf(now), touchedOf(before)
			all[id] = k
			return k, err
		}, `SELECT id, run, action, marks, deleted, blocked, marks_before, deleted_before, blocked_before
			FROM touched WHERE tenant = $1 AND id IN `+marks, args...)
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

// save stores rows of the table, in order of ID, so that two writers never wait for
// each other.
func (w touches) save(ctx context.Context, all map[string]touch) error {
	values := make([][]any, 0, len(all))
	for _, id := range slices.Sorted(maps.Keys(all)) {
		k := all[id]
		now, before := k.now.columns(), k.before.columns()
		values = append(values, []any{
			w.tenant, id, k.run, k.action, now[0], now[1], now[2], before[0], before[1], before[2],
		})
	}
	_, err := w.insert(ctx, w.tx, `INSERT INTO touched (tenant, id, run, action, marks, deleted, blocked,
		marks_before, deleted_before, blocked_before) VALUES `, values, ` ON CONFLICT (tenant, id) DO UPDATE SET
		run = excluded.run, action = excluded.action, marks = excluded.marks, deleted = excluded.deleted, blocked = excluded.blocked,
		marks_before = excluded.marks_before, deleted_before = excluded.deleted_before, blocked_before = excluded.blocked_before`)
	return err
}

// putsBack reports whether a run puts accounts back: an undo does, and an undo of an
// undo does not.
func putsBack(ctx context.Context, tx *sql.Tx, run int64) (back bool, err error) {
	for {
		var kind RunKind
		var of int64
		err := tx.QueryRowContext(ctx, `SELECT kind, plan_of FROM run WHERE no = $1`, run).Scan(&kind, &of)
		if none(err) {
			return back, nil
		}
		if err != nil || kind != Undo {
			return back, err
		}
		if back = !back; of >= run {
			return back, nil
		}
		run = of
	}
}

// fillTouched makes the table of a state from before there was one, from its whole
// journal. Rows that were kept for this alone, without their run, are removed.
func (s *Store) fillTouched(ctx context.Context, tx *sql.Tx) error {
	type run struct {
		no, of int64
		kind   RunKind
	}
	runs, err := rows(ctx, tx, func(scan func(...any) error) (r run, err error) {
		return r, scan(&r.no, &r.kind, &r.of)
	}, `SELECT no, kind, plan_of FROM run ORDER BY no`)
	if err != nil {
		return err
	}
	back := map[int64]bool{}
	for _, r := range runs {
		back[r.no] = r.kind == Undo && !back[r.of]
	}
	all, err := s.touchesOf(ctx, tx, back)
	if err != nil {
		return err
	}
	for tenant, of := range all {
		if err := (touches{s, tx, tenant}).save(ctx, of); err != nil {
			return err
		}
	}
	_, err = tx.ExecContext(ctx, `DELETE FROM journal WHERE NOT EXISTS (SELECT 1 FROM run WHERE run.no = journal.run)`)
	return err
}

// touchesOf reads the whole journal, and returns rows of the table by tenant and ID.
// A row that does not say which account it is about is one that cannot be read of the
// account that the other rows of its action name; without any it is left out.
func (s *Store) touchesOf(ctx context.Context, tx *sql.Tx, back map[int64]bool) (map[string]map[string]touch, error) {
	all := map[string]map[string]touch{}
	var at action
	var id string // of at, once it is known
	unread := false
	_, err := rows(ctx, tx, func(scan func(...any) error) (none struct{}, err error) {
		var tenant string
		e, err := scanEntry(func(into ...any) error { return scan(append([]any{&tenant}, into...)...) })
		damaged := errors.Is(err, errObject)
		if err != nil && !damaged {
			return none, err
		}
		if a := (action{e.Run, e.Action}); a != at {
			at, id, unread = a, "", false
		}
		if damaged {
			unread = true
			s.log.WarnContext(ctx, "a journal row does not say which account it is about", "run", e.Run, "action", e.Action, "step", e.Step)
		} else if e.Object.ID != "" {
			id = clean(string(e.Object.ID))
		}
		if id == "" {
			return none, nil
		}
		e.Unread = e.Unread || unread
		if all[tenant] == nil {
			all[tenant] = map[string]touch{}
		}
		all[tenant][id] = all[tenant][id].by(&e, back[e.Run])
		return none, nil
	}, `SELECT tenant, `+entryColumns+` FROM journal WHERE state IN ('written', 'seen') ORDER BY run, action, step`)
	return all, err
}
