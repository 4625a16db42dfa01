package plan

import (
	"cmp"
	"slices"
	"time"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/names"
	"github.com/hacsync/hacsync/sync/problem"
)

// Drifted is a row that is not as it was when the plan was made.
type Drifted struct {
	No        int // 0 for an account or user that no action is about
	Kind      Kind
	UPN       string
	Where     directory.Side
	Attribute directory.Attribute // empty: presence changed
	Then, Now string
	Why       *problem.Problem // words for it
}

// Touches are the accounts, wanted UPNs and wanted immutable IDs that drift is judged
// by, a Ref each.
func (p *Plan) Touches() []directory.Ref {
	refs := make([]directory.Ref, 0, p.Len())
	for i := range p.book.len() {
		a := p.book.core(i)
		if a.User.ID != "" {
			refs = append(refs, directory.Ref{ID: a.User.ID})
		}
		if a.wantsUPN() {
			refs = append(refs, directory.Ref{UPN: a.UPN})
		}
		if id, ok := a.wantsID(); ok {
			refs = append(refs, directory.Ref{ImmutableID: id})
		}
	}
	return refs
}

// wantsUPN reports whether the action takes a UPN that the account has not.
func (a *Action) wantsUPN() bool { return a.Kind == Add || a.Kind == Rename || a.Kind == Restore }

// wantsID is the immutable ID that the account has not yet.
func (a *Action) wantsID() (string, bool) {
	c, ok := a.change(directory.ImmutableID)
	return c.New.Text, ok && c.New.Text != c.Old.Text && c.New.Text != ""
}

// sightings are what a look found, by every key.
type sightings struct {
	byID     map[directory.ID]*directory.Sighting // live, deleted or absent
	byUPN    map[string]*directory.Sighting       // live
	byImm    map[string]*directory.Sighting       // live
	deletedI map[string]*directory.Sighting       // in the recycle bin, by immutable ID
}

func newSightings(now []directory.Sighting) *sightings {
	s := &sightings{
		byID: map[directory.ID]*directory.Sighting{}, byUPN: map[string]*directory.Sighting{},
		byImm: map[string]*directory.Sighting{}, deletedI: map[string]*directory.Sighting{},
	}
	for i := range now {
		g := &now[i]
		switch g.Presence {
		case directory.Absent:
			if g.Ref.ID != "" && s.byID[g.Ref.ID] == nil {
				s.byID[g.Ref.ID] = g
			}
		case directory.Live:
			s.byID[g.Record.ID] = g
			s.byUPN[directory.FoldUPN(g.Record.UPN)] = g
			if g.Record.ImmutableID != "" {
				s.byImm[g.Record.ImmutableID] = g
			}
		case directory.InRecycleBin:
			if had := s.byID[g.Record.ID]; had == nil || had.Presence == directory.Absent {
				s.byID[g.Record.ID] = g
			}
			if g.Record.ImmutableID != "" {
				s.deletedI[g.Record.ImmutableID] = g
			}
		}
	}
	return s
}

// Drift compares the plan with a fresh look at what it touches; actions of which
// nothing was looked at are left out. An action that is already at its target is no
// drift: done has the row numbers of those. A mark that protects, such as a role that
// was given since, is drift.
func (p *Plan) Drift(now []directory.Sighting) (drifted []Drifted, done []int) {
	s := newSightings(now)
	listed := accountsOf(p.policy.Protected)
	movers := map[directory.ID]bool{} // accounts that release their UPN in this plan
	for _, on := range p.book.ties() {
		for _, no := range on {
			if i, ok := p.find(no); ok {
				movers[p.book.core(i).User.ID] = true
			}
		}
	}
	for i := range p.book.len() {
		a := p.book.core(i)
		j := judgement{p: p, a: &a, s: s, movers: movers, listed: listed}
		j.judge()
		drifted = append(drifted, j.drifted...)
		if j.done && len(j.drifted) == 0 {
			done = append(done, a.No)
		}
	}
	return drifted, done
}

// judgement is the comparison of one action.
type judgement struct {
	p       *Plan
	a       *Action
	s       *sightings
	movers  map[directory.ID]bool
	listed  accounts
	drifted []Drifted
	done    bool
}

func (j *judgement) drift(code problem.Code, at directory.Attribute, then, now string, args problem.Args) {
	all := problem.Args{"upn": j.a.UPN, "then": then, "now": now, "attribute": string(at)}
	for k, v := range args {
		all[k] = v
	}
	j.drifted = append(j.drifted, Drifted{
		No: j.a.No, Kind: j.a.Kind, UPN: j.a.UPN, Where: directory.Destination,
		Attribute: at, Then: then, Now: now, Why: problem.New(code, all),
	})
}

func (j *judgement) judge() {
	if j.a.Kind == Add {
		j.judgeAdd()
		return
	}
	g := j.s.byID[j.a.User.ID]
	if g == nil {
		return // not looked at
	}
	if j.a.Kind == Delete {
		if g.Presence != directory.Live {
			j.done = true
			return
		}
	}
	if g.Presence == directory.Absent {
		j.drift(problem.DriftGone, "", "", "", nil)
		return
	}
	if j.a.Kind == Restore {
		if g.Presence == directory.Live && !j.atTarget(&g.Record) {
			j.drift(problem.DriftBack, "", "", "", nil)
			return
		}
	} else if g.Presence != directory.Live {
		j.drift(problem.DriftGone, "", "", "", nil)
		return
	}
	if g.Presence == directory.Live {
		if code := j.a.protectedAtDrift(j.listed, g.Record.Marks); code != "" {
			line := problem.Args{"domain": j.p.domain, "name": j.a.Name, "line": "", "initial": ""}
			j.drift(code, "", "", "", line)
			return
		}
	}
	if j.atTarget(&g.Record) && (j.a.Kind != Restore || g.Presence == directory.Live) && j.a.Kind != Delete {
		j.done = true
		return
	}
	j.judgeMade(&g.Record)
	j.judgeValues(&g.Record)
	if j.a.wantsUPN() {
		j.judgeKeys()
	} else if _, wants := j.a.wantsID(); wants {
		j.judgeKeys()
	}
}

// atTarget reports whether an account already is as the action wants it.
func (j *judgement) atTarget(r *directory.Record) bool {
	if j.a.wantsUPN() && directory.FoldUPN(r.UPN) != directory.FoldUPN(j.a.UPN) {
		return false
	}
	for _, c := range j.a.Changes {
		if c.Attribute == directory.UserPrincipalName {
			continue
		}
		if v, set := r.Get(c.Attribute); v != c.New.Text || set != c.New.Set {
			return false
		}
	}
	return true
}

// judgeValues compares what the action rests on: the keys of the account and the
// values to be changed, each of which may be as it was or already as wanted.
func (j *judgement) judgeValues(r *directory.Record) {
	keys := [...]Change{
		{directory.UserPrincipalName, directory.Text(j.a.User.UPN), directory.Text(j.a.User.UPN)},
		{directory.ImmutableID, directory.Text(j.a.User.ImmutableID), directory.Text(j.a.User.ImmutableID)},
	}
	for _, k := range keys {
		if c, ok := j.a.change(k.Attribute); ok {
			k.New = c.New
		}
		j.judgeValue(k, r)
	}
	for _, c := range j.a.Changes {
		if c.Attribute != directory.UserPrincipalName && c.Attribute != directory.ImmutableID {
			j.judgeValue(c, r)
		}
	}
}

func (j *judgement) judgeValue(c Change, r *directory.Record) {
	v, set := r.Get(c.Attribute)
	now := directory.Value{Text: v, Set: set}
	if c.Attribute == directory.UserPrincipalName {
		for _, is := range []string{c.Old.Text, c.New.Text, j.a.how.temporary} {
			if directory.FoldUPN(is) == directory.FoldUPN(v) {
				return
			}
		}
	} else if now == c.Old || now == c.New {
		return
	}
	j.drift(problem.DriftValue, c.Attribute, c.Old.Text, v, nil)
}

// judgeMade compares an account that an undo deletes with what we made of it.
func (j *judgement) judgeMade(r *directory.Record) {
	for _, c := range j.a.how.made {
		if c.Attribute == directory.UserPrincipalName || c.Attribute == directory.ImmutableID {
			continue // judged with the values
		}
		if now := valueOf(r, c.Attribute); !sameValue(c.Attribute, now, c.New) {
			j.drift(problem.DriftValue, c.Attribute, c.New.Text, now.Text, nil)
		}
	}
	if j.a.how.unlicensed && r.Marks.Has(directory.Licensed) {
		j.drift(problem.UndoLicensed, "", "", "", problem.Args{"domain": j.p.domain, "name": j.a.Name, "line": ""})
	}
}

// judgeKeys checks whether another account has the wanted UPN or immutable ID now.
func (j *judgement) judgeKeys() {
	if g := j.s.byUPN[directory.FoldUPN(j.a.UPN)]; j.a.wantsUPN() && g != nil &&
		g.Record.ID != j.a.User.ID && !j.movers[g.Record.ID] {
		j.drift(problem.DriftTaken, "", "", g.Record.UPN, problem.Args{"holder": holderOf(&g.Record)})
	}
	if id, wants := j.a.wantsID(); wants {
		if g := j.s.byImm[id]; g != nil && g.Record.ID != j.a.User.ID {
			j.drift(problem.DriftIDTaken, directory.ImmutableID, "", id, problem.Args{"holder": holderOf(&g.Record)})
		}
	}
}

func (j *judgement) judgeAdd() {
	g := j.s.byUPN[directory.FoldUPN(j.a.UPN)]
	if g != nil && !j.movers[g.Record.ID] && j.atTarget(&g.Record) && j.a.protectedNow(j.listed, g.Record.Marks) == "" {
		j.done = true
		return
	}
	j.judgeKeys()
	if id, wants := j.a.wantsID(); wants && len(j.drifted) == 0 {
		if g := j.s.deletedI[id]; g != nil {
			j.drift(problem.DriftIDTaken, directory.ImmutableID, "", id, problem.Args{"holder": holderOf(&g.Record)})
		}
	}
}

func holderOf(r *directory.Record) string {
	if v, ok := r.Get(directory.DisplayName); ok && v != "" {
		return v
	}
	return r.UPN
}

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

// Known is what is remembered of an account now.
type Known struct {
	// Username is that of its link, empty for none.
	Username string
	// Claimed: it may be deleted although it has no link.
	Claimed bool
	// Seen is when its Username was last in a complete read, Absent the reads since.
	Seen   time.Time
	Absent Absence
}

// PastDrift compares what the plan rests on with what is remembered now: another run
// may have learnt or forgotten since, or the plan is of another state.
func (p *Plan) PastDrift(now func(directory.ID) Known) []Drifted {
	if p.undo != 0 || p.version < 2 {
		return nil
	}
	var drifted []Drifted
	for i := range p.book.len() {
		a := p.book.core(i)
		if a.User.ID == "" || a.Kind == Restore {
			continue
		}
		k := now(a.User.ID)
		vouched := a.Kind == Delete && a.Explanation != nil &&
			a.Explanation.Claim == ClaimVouched && a.Explanation.Username == ""
		if k.Username == a.Link.Username && (!vouched || k.Claimed || a.how.with != 0) {
			if then, is, ok := a.absenceDiffers(k); ok {
				drifted = append(drifted, Drifted{
					No: a.No, Kind: a.Kind, UPN: a.UPN, Where: directory.Source, Then: then, Now: is,
					Why: problem.New(problem.DriftAbsence, problem.Args{"upn": a.UPN, "then": then, "now": is}),
				})
			}
			continue
		}
		drifted = append(drifted, Drifted{
			No: a.No, Kind: a.Kind, UPN: a.UPN, Where: directory.Source, Then: a.Link.Username, Now: k.Username,
			Why: problem.New(problem.DriftLink, problem.Args{"upn": a.UPN, "then": a.Link.Username, "now": k.Username}),
		})
	}
	return drifted
}

// absenceDiffers reports whether the account was seen since, or was absent for less
// than its deletion or block rests on: then and now in days. The read of the plan
// itself is not learnt yet.
func (a *Action) absenceDiffers(k Known) (then, now string, differs bool) {
	ex := a.Explanation
	if ex == nil || ex.Absent.Reads == 0 {
		return "", "", false
	}
	told := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return day(t)
	}
	if k.Seen.Truncate(time.Second).After(ex.LastSeen.Truncate(time.Second)) {
		return cmp.Or(told(ex.LastSeen), told(ex.Absent.First)), problem.Moment(k.Seen), true
	}
	before := ex.Absent.Reads - 1
	since := ex.Absent.First.Truncate(time.Second)
	if before > 0 && (k.Absent.Reads < before || k.Absent.Days < ex.Absent.Days-1 || k.Absent.First.Truncate(time.Second).After(since)) {
		return told(ex.Absent.First), told(k.Absent.First), true
	}
	return "", "", false
}

// AnswerDrift lists the rows that follow from an answer which is no longer given.
func (p *Plan) AnswerDrift(now []Answer) []Drifted {
	var drifted []Drifted
	for _, q := range p.book.asked() {
		is := given(q, now)
		if q.Answer.Kind == is.Kind && (is.Kind != SamePerson || is.Row == q.Answer.Row) ||
			q.Answer.Kind == Open || q.Answer.Kind == NotNow {
			continue
		}
		nos := []int{q.Delete}
		for i := range q.Rows {
			nos = append(nos, q.Rows[i].Same, q.Rows[i].Add)
		}
		for _, no := range nos {
			i, ok := p.find(no)
			if !ok {
				continue
			}
			a := p.book.core(i)
			drifted = append(drifted, Drifted{
				No: no, Kind: a.Kind, UPN: a.UPN, Where: directory.Source, Then: string(q.Answer.Kind), Now: string(is.Kind),
				Why: problem.New(problem.DriftAnswer, problem.Args{"upn": a.UPN, "then": string(q.Answer.Kind), "now": string(is.Kind)}),
			})
		}
	}
	return drifted
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
