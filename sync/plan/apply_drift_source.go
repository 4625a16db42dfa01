package plan

import (
	"slices"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/names"
	"github.com/hacsync/hacsync/sync/problem"
)

// SourceDrift compares the source rows that the plan rests on (those of the domain, and
// those that one of its accounts is matched with) with a fresh read. A row that
// differs, is gone or is new is drift, also if the plan left its account unchanged. A
// UPN that differs in case alone is no drift.
func (p *Plan) SourceDrift(now *directory.Snapshot) []Drifted {
	// The digest of a plan file is not checked; its rows are.
	if p.undo != 0 || now.Digest() == p.source.Digest() {
		return nil
	}
	d := &sourceDrift{p: p, now: now, seen: newBits(now.Len())}
	d.index()
	for u := range p.source.All() {
		if !p.rests(u) {
			continue
		}
		if u.UPN() == "" && u.ImmutableID() == "" {
			d.nameless[nameless(u)] = true // no key finds it again; if it is gone, no account is spared less
			continue
		}
		d.compare(u)
	}
	for u := range now.All() {
		if !d.seen.hasRow(u.Row()) && d.affects(u) {
			d.add(problem.DriftSourceNew, u, "", "", "")
		}
	}
	slices.SortStableFunc(d.found, func(x, y Drifted) int {
		if (x.No == 0) != (y.No == 0) { // rows first
			return y.No - x.No
		}
		return x.No - y.No
	})
	return d.found
}

type sourceDrift struct {
	p    *Plan
	now  *directory.Snapshot
	seen bits
	rows map[string]int // key → index of the action
	// leaving finds the deletions that a row may be about, gone their indexes.
	leaving *suspects
	gone    []int
	// nameless are rows of the plan that have neither UPN nor immutable ID.
	nameless map[[2]string]bool
	found    []Drifted
}

// index finds actions by the keys of their accounts and of what they want.
func (d *sourceDrift) index() {
	d.rows, d.nameless = map[string]int{}, map[[2]string]bool{}
	var deps []*departure
	for i := range d.p.book.len() {
		a := d.p.book.core(i)
		for _, upn := range []string{a.User.UPN, a.UPN} {
			if upn != "" {
				if _, ok := d.rows[keyOfUPN(upn)]; !ok {
					d.rows[keyOfUPN(upn)] = i
				}
			}
		}
	}
	// A key that a row wants goes before one that an account has: in a chain both have it.
	for i := range d.p.book.len() {
		a := d.p.book.core(i)
		if a.Kind != Delete {
			d.rows[keyOfUPN(a.UPN)] = i
		}
		if a.Kind == Delete || a.how.missing {
			deps, d.gone = append(deps, leaving(&a)), append(d.gone, i)
		}
		for _, id := range []string{a.User.ImmutableID, a.id()} {
			if id != "" {
				d.rows["imm:"+id] = i
			}
		}
	}
	d.leaving = newSuspects(deps, &Past{}, d.now)
}

// leaving is the departure that a row of a later read is compared with. A plan file has
// no more of the account. A given name alone, in another domain, is not compared: that
// would report drift every day.
func leaving(a *Action) *departure {
	d := &departure{link: a.Link}
	d.know(&directory.Record{
		UPN: a.User.UPN, ImmutableID: a.User.ImmutableID,
		Columns: []directory.Attribute{directory.DisplayName}, Values: []directory.Value{directory.Text(a.Name)},
	})
	d.keys.givens, d.keys.families = nil, nil
	return d
}

// action finds the action that a source row is about.
func (d *sourceDrift) action(u directory.User) (int, bool) {
	if id := u.ImmutableID(); id != "" {
		if i, ok := d.rows["imm:"+id]; ok {
			return i, true
		}
	}
	if i, ok := d.rows[keyOfUPN(u.UPN())]; ok && u.UPN() != "" {
		return i, true
	}
	return d.deletion(u)
}

// nameless identifies a row without UPN and immutable ID.
func nameless(u directory.User) [2]string {
	alias, _ := u.Get(directory.MailNickname)
	name, _ := u.Get(directory.DisplayName)
	return [2]string{alias, name}
}

// deletion finds the deletion that a row may be about. A row that existed when the plan
// was made would have kept that account, so this one is new.
func (d *sourceDrift) deletion(u directory.User) (int, bool) {
	if len(d.gone) == 0 || u.UPN() == "" && u.ImmutableID() == "" && d.nameless[nameless(u)] {
		return 0, false
	}
	first := -1
	for dep := range d.leaving.about(u, unowned) {
		if first < 0 || dep < first {
			first = dep
		}
	}
	if first < 0 {
		return 0, false
	}
	return d.gone[first], true
}

// affects reports whether a source row that is new since the dry run matters to the
// plan.
func (d *sourceDrift) affects(u directory.User) bool {
	if directory.InDomain(u.UPN(), d.p.domain) || directory.InDomain(names.LooseUPN(u.UPN()), d.p.domain) {
		return true
	}
	_, ok := d.action(u)
	return ok
}

// compare looks for a row of the plan in the fresh read: by UPN and immutable
// ID, then by ID, then by UPN.
func (d *sourceDrift) compare(u directory.User) {
	upn, id := u.UPN(), u.ImmutableID()
	var found []directory.User
	if upn != "" {
		found = d.now.ByUPN(upn)
	}
	pick := func(ok func(directory.User) bool) (directory.User, bool) {
		for _, v := range found {
			if !d.seen.hasRow(v.Row()) && ok(v) {
				return v, true
			}
		}
		return directory.User{}, false
	}
	v, ok := pick(func(v directory.User) bool { return v.ImmutableID() == id && d.differs(u, v) == "" })
	if !ok {
		v, ok = pick(func(v directory.User) bool { return v.ImmutableID() == id })
	}
	if !ok && id != "" {
		same := found
		found = d.now.ByImmutableID(id)
		if v, ok = pick(func(v directory.User) bool { return d.differs(u, v) == "" }); !ok {
			v, ok = pick(func(directory.User) bool { return true })
		}
		found = same
	}
	if !ok {
		v, ok = pick(func(directory.User) bool { return true })
	}
	if !ok {
		d.add(problem.DriftSourceGone, u, "", "", "")
		return
	}
	d.seen.set(rowOf(v))
	if a := d.differs(u, v); a != "" {
		then, _ := u.Get(a)
		is, _ := v.Get(a)
		if a == directory.AccountEnabled {
			then, is = status(u), status(v)
		}
		d.add(problem.DriftSource, u, a, then, is)
	}
}

func status(u directory.User) string {
	if u.Marks().Has(directory.Enabled) {
		return "true"
	}
	return "false"
}

// differs names the first attribute in which two rows differ, or "".
func (d *sourceDrift) differs(u, v directory.User) directory.Attribute {
	if directory.FoldUPN(u.UPN()) != directory.FoldUPN(v.UPN()) {
		return directory.UserPrincipalName
	}
	if u.ImmutableID() != v.ImmutableID() {
		return directory.ImmutableID
	}
	if d.p.version > 1 && u.Username() != v.Username() {
		return Username
	}
	for _, a := range d.p.source.Columns() {
		x, has := u.Get(a)
		y, is := v.Get(a)
		if x != y || has != is {
			return a
		}
	}
	if status(u) != status(v) {
		return directory.AccountEnabled
	}
	return ""
}

func (d *sourceDrift) add(code problem.Code, u directory.User, at directory.Attribute, then, now string) {
	r := Drifted{UPN: u.UPN(), Where: directory.Source, Attribute: at, Then: then, Now: now}
	if i, ok := d.action(u); ok {
		a := d.p.book.core(i)
		r.No, r.Kind = a.No, a.Kind
	}
	r.Why = problem.New(code, problem.Args{"upn": u.UPN(), "attribute": string(at), "then": then, "now": now})
	d.found = append(d.found, r)
}
