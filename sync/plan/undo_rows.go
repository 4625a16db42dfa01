package plan

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/problem"
)

// holder is another account that has the UPN which an action takes, if there is one.
func (v *inverter) holder(a *Action) (directory.User, bool) {
	if a.Kind != Rename && a.Kind != Restore {
		return directory.User{}, false
	}
	for _, u := range v.users.ByUPN(a.UPN) {
		if u.ID() != a.User.ID {
			return u, true
		}
	}
	return directory.User{}, false
}

// release takes out the rows whose former UPN no row releases, and with them those that
// wait for them, as in a plan of a source; a cycle is kept. The other values of a
// rename are still put back.
func (v *inverter) release() {
	releases := map[directory.ID]int{}
	for i := range v.acts {
		if k := v.acts[i].Kind; k == Rename || k == Delete {
			releases[v.acts[i].User.ID] = i
		}
	}
	next := map[int][]int{}
	why := map[int]problem.Code{} // rows that fall
	var fallen []int
	fall := func(i int, code problem.Code) {
		if _, ok := why[i]; !ok {
			why[i] = code
			fallen = append(fallen, i)
		}
	}
	takes := map[string]bool{}
	for i := range v.acts {
		a := &v.acts[i]
		if a.Kind == Rename || a.Kind == Restore {
			if key := directory.FoldUPN(a.UPN); takes[key] {
				fall(i, problem.UndoUPNTaken)
			} else {
				takes[key] = true
			}
		}
		h, ok := v.holder(a)
		if !ok {
			continue
		}
		before, let := releases[h.ID()]
		switch {
		case !let:
			fall(i, problem.UndoUPNTaken)
		case v.acts[before].Kind == Rename && v.keepsAddress(h, a.UPN):
			fall(i, problem.AddressTaken)
		default:
			next[before] = append(next[before], i)
		}
	}
	for len(fallen) > 0 {
		i := fallen[0]
		fallen = fallen[1:]
		for _, n := range next[i] {
			fall(n, problem.UndoWaits)
		}
	}
	if len(why) == 0 {
		return
	}
	var stay []Action
	for i := range v.acts {
		code, falls := why[i]
		if !falls {
			stay = append(stay, v.acts[i])
			continue
		}
		a := &v.acts[i]
		holder := ""
		if h, ok := v.holder(a); ok {
			holder = h.UPN()
		}
		v.left = append(v.left, Skipped{Ref: a.User, Name: a.Name, Group: code.Group(), Why: problem.New(code, problem.Args{
			"upn": a.User.UPN, "name": a.Name, "line": "", "domain": v.domain.Name, "before": a.UPN, "holder": holder,
		})})
		if rest := a.withoutUPN(); len(rest) > 0 && v.here(a.User.UPN) { // values do not wait for a UPN
			b := *a
			b.Kind, b.UPN, b.Changes, b.how = Update, a.User.UPN, rest, how{}
			stay = append(stay, b)
		}
	}
	v.acts = stay
}

// withoutUPN are the changes except that of the UPN.
func (a *Action) withoutUPN() []Change {
	return slices.DeleteFunc(slices.Clone(a.Changes), func(c Change) bool {
		return c.Attribute == directory.UserPrincipalName
	})
}

// keepsAddress reports whether an account has the UPN as a mail address too,
// which it keeps when it is renamed.
func (v *inverter) keepsAddress(h directory.User, upn string) bool {
	return slices.ContainsFunc(v.users.ByAddress(upn), func(u directory.User) bool { return u.ID() == h.ID() })
}

// chainUp finds which row waits for which.
func (v *inverter) chainUp() chain {
	c := chain{map[rowID][]rowID{}, map[rowID][]rowID{}, map[rowID]rowID{}, map[rowID]string{}}
	releases := map[directory.ID]rowID{}
	for i := range v.acts {
		if k := v.acts[i].Kind; k == Rename || k == Delete {
			releases[v.acts[i].User.ID] = rowAt(i)
		}
	}
	for i := range v.acts {
		h, ok := v.holder(&v.acts[i])
		if !ok {
			continue
		}
		before := releases[h.ID()]
		c.after[rowAt(i)] = []rowID{before}
		if v.acts[before].Kind == Delete {
			c.with[before] = rowAt(i)
		}
	}
	c.openCycles(len(v.acts), func(row rowID) directory.ID { return v.acts[row].User.ID }, v.temporary)
	return c
}

// plan puts rows and skips in order and adds everything up.
func (v *inverter) plan() *Plan {
	slices.SortFunc(v.acts, func(x, y Action) int {
		return cmp.Or(cmp.Compare(x.Kind, y.Kind),
			strings.Compare(directory.FoldUPN(x.UPN), directory.FoldUPN(y.UPN)), cmp.Compare(x.User.ID, y.User.ID))
	})
	slices.SortStableFunc(v.left, func(x, y Skipped) int {
		return cmp.Or(cmp.Compare(x.Group, y.Group), cmp.Compare(x.Why.Code, y.Why.Code),
			strings.Compare(directory.FoldUPN(x.Ref.UPN), directory.FoldUPN(y.Ref.UPN)), cmp.Compare(x.Ref.ID, y.Ref.ID),
			strings.Compare(x.Why.Args["attribute"], y.Why.Args["attribute"]))
	})
	c := v.chainUp()
	for i := range v.acts {
		a, at := &v.acts[i], rowAt(i)
		a.No, a.After = i+1, numbers(c.after[at])
		a.how.temporary, a.how.last = c.over[at], numbers(c.last[at])
		if w, ok := c.with[at]; ok {
			a.how.with = int(w) + 1
		}
		a.finish()
		a.Warnings = append(a.Warnings, v.warn(a)...)
	}
	for i := range v.left {
		v.left[i].No = len(v.acts) + i + 1
	}
	p := &Plan{book: newStored(v.acts, v.left)}
	p.version = FormatVersion
	p.undo, p.tenant, p.domain, p.policy = v.run, v.in.Tenant.ID, v.domain.Name, v.in.Policy
	p.confirmed = true // there is no source that could be short
	p.source, p.rests = v.src, func(directory.User) bool { return false }
	p.counts = v.sum(&p.guard)
	p.verdict = judge(p.policy, p.counts, p.guard)
	for i := range v.acts {
		if a := &v.acts[i]; a.Kind != Restore && !a.Marks.Any(directory.Purposes) {
			p.need = append(p.need, a.User.ID)
		}
	}
	slices.Sort(p.need)
	p.warnings = v.warnings(p.counts)
	p.finger = p.fingerprint()
	return p
}

// sum adds up. There is no source, so no account is unchanged: accounts that the undo
// leaves alone are held.
func (v *inverter) sum(g *guard) Counts {
	c := Counts{Skipped: len(v.left)}
	for i := range v.acts {
		g.take(&c, &v.acts[i], v.domain.Name, 1)
	}
	for u := range v.users.All() {
		if !v.here(u.UPN()) {
			continue
		}
		c.DestinationUsers++
		if v.protected(u) == "" {
			c.Touchable++
		}
	}
	for i := range v.left {
		if v.left[i].Group == problem.LeftOut {
			c.LeftOut++
		}
	}
	c.DestinationHeld = c.Touchable - c.Update - c.Rename + c.MovedIn - c.Delete
	return c
}

// warn lists what is worth a look on a row.
func (v *inverter) warn(a *Action) []*problem.Problem {
	var ws []*problem.Problem
	warn := func(c problem.Code, args problem.Args) { ws = append(ws, problem.New(c, args)) }
	if a.Kind == Rename {
		warn(problem.RenameReaches, problem.Args{"old": a.User.UPN, "new": a.UPN})
		if a.how.temporary != "" {
			warn(problem.MovesAway, problem.Args{"temporary": a.how.temporary})
		}
		if a.how.resets {
			warn(problem.PasswordReset, nil)
		}
	}
	if a.Blocks {
		warn(problem.BlockKeepsSessions, nil)
	}
	for _, c := range a.Changes {
		if c.Clears() {
			warn(problem.ValueCleared, problem.Args{"attribute": string(c.Attribute), "old": c.Old.Text})
		}
	}
	return ws
}

// warnings are those of the undo as a whole: what it cannot bring back, and that
// the source still asks for what is undone.
func (v *inverter) warnings(c Counts) []*problem.Problem {
	var ws []*problem.Problem
	if c.Restore > 0 {
		ws = append(ws, problem.New(problem.UndoRestores, problem.Args{
			"n": strconv.Itoa(c.Restore), "until": problem.Moment(v.until),
		}))
	}
	if c.Rename > 0 {
		ws = append(ws, problem.New(problem.UndoRenames, problem.Args{"n": strconv.Itoa(c.Rename)}))
	}
	if len(v.acts) > 0 {
		ws = append(ws, problem.New(problem.UndoSourceAsks, problem.Args{
			"domain": v.domain.Name, "run": strconv.FormatInt(v.run, 10),
		}))
	}
	return ws
}
