package plan

import (
	"cmp"
	"time"

	"github.com/hacsync/hacsync/sync/directory"
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
