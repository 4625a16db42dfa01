package plan

import (
	"slices"
	"strconv"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/problem"
)

// guard is what the verdict rests on, besides the policy and the counts.
type guard struct {
	unattended       bool
	today, usersThen int
	// watched are the actions that count against the limit of changes of unattended runs.
	watched int
	raised  bool
	// lostHeld are accounts that lost their row in this read and are not deleted.
	lostHeld int
	// paid are deletions that counted when the account was blocked; known are the
	// other deletions, and the blocks for an absence, of accounts that are or were in
	// the source.
	paid, known int
	// origins are the domains that accounts leave.
	origins []origin
}

// origin is a domain that accounts leave by this plan, and its own guard.
type origin struct {
	Domain  string `json:"domain"`
	Users   int    `json:"users"`   // accounts of it that a sync may touch
	Percent int    `json:"percent"` // its Max Allowed Deletions
	Number  int    `json:"number"`  // its absolute limit, -1 for none
	Moves   int    `json:"moves"`
}

// cancels reports whether the guard of the domain stops the moves.
func (o origin) cancels() bool {
	return reaches(o.Moves, o.Users, o.Percent) || o.Number >= 0 && o.Moves > 0 && o.Moves >= o.Number
}

// heldArgs are the facts of a move that the guard of the other domain holds.
func (o origin) heldArgs(from string) problem.Args {
	return problem.Args{
		"from": from, "origin": o.Domain, "moves": strconv.Itoa(o.Moves), "users": strconv.Itoa(o.Users), "limit": strconv.Itoa(o.Percent),
	}
}

// movesIn reports whether a renames an account of another domain into this one.
func (a *Action) movesIn(domain string) bool {
	return a.Kind == Rename && !directory.InDomain(a.User.UPN, domain)
}

// take counts an action n times; -1 takes it back.
func (g *guard) take(c *Counts, a *Action, domain string, by int) {
	known := a.Explanation != nil && a.Explanation.Claim != ""
	if known && a.Explanation.Claim == ClaimAnswered { // claimed by the answer, and counted only now
		c.Known += by
	}
	switch a.Kind {
	case Delete:
		c.Delete += by
		if a.how.paid {
			g.paid += by
		} else if known {
			g.known += by
		}
		if a.Explanation != nil && !known {
			c.Unclaimed += by
		}
	case Rename:
		c.Rename += by
		if a.movesIn(domain) {
			c.MovedIn += by
			_, from := directory.SplitUPN(a.User.UPN)
			g.origins = slices.Clone(g.origins)
			for i := range g.origins {
				if g.origins[i].Domain == directory.FoldUPN(from) {
					g.origins[i].Moves += by
				}
			}
		}
	case Restore:
		c.Restore += by
	case Add:
		c.Add += by
	case Update:
		c.Update += by
		if a.how.missing {
			c.Missing += by
		}
	}
	if a.SignIn {
		c.SignIn += by
	}
	if a.Blocks {
		c.Blocks += by
		if a.how.missing && known {
			g.known += by
		}
	}
	if a.watched() {
		g.watched += by
	}
}

// reaches reports whether n of total reach percent. It is the guides' rule:
// with 65 %, a sync is cancelled at 65 % or more; 0 % allows none.
func reaches(n, total, percent int) bool { return n > 0 && n*100 >= percent*total }

// stopsAt is the smallest n from 1 that reaches percent of total.
func stopsAt(total, percent int) int { return max(1, (percent*total+99)/100) }

// StopsWith is the smallest number of deletions that would cancel with other limits:
// a percentage, and a number, -1 for none.
func (v Verdict) StopsWith(percent, number int) int {
	n := stopsAt(v.Users, percent)
	if number >= 0 {
		n = min(n, max(1, number))
	}
	return n
}

// judge returns the guard's verdict. MaxDeletions is read like the percentage: the
// number that cancels when it is reached. The limit that is reached first counts.
func judge(policy Policy, c Counts, g guard) Verdict {
	v := Verdict{
		Deletions: c.Delete - g.paid + c.Blocks, Blocks: c.Blocks, Users: c.Touchable,
		MaxAllowedDeletions: policy.MaxAllowedDeletions, MaxDeletions: max(policy.MaxDeletions, -1), touchable: c.Touchable,
		SignInChanges: g.watched, MaxSignInChanges: -1,
		Changed: c.Update + c.Rename, MaxChanges: -1,
		Raised: g.raised, origins: g.origins,
	}
	v.all = v.Deletions
	// Strangers must not widen the limit: the tighter of both judgements counts. An undo,
	// and a plan of the first format, have no strangers.
	known := g.known + c.Blocks - c.Missing
	if c.Known > 0 && known*c.Touchable > v.all*c.Known {
		v.Deletions, v.Users, v.Claimed = known, c.Known, true
	}
	v.StopsAt = v.StopsWith(policy.MaxAllowedDeletions, v.MaxDeletions)
	if g.unattended {
		v.MaxSignInChanges = policy.MaxSignInChanges
		v.Lost = g.lostHeld
		v.lostKnown, v.known = known+v.Lost, c.Known
		if policy.MaxChanges > 0 {
			v.MaxChanges = policy.MaxChanges
		}
		v.Today, v.UsersThen = g.today, g.usersThen
		if v.Today > 0 && v.UsersThen <= 0 { // the number of users was not stored
			v.UsersThen = c.Touchable + v.Today
		}
		if v.UsersThen > 0 {
			v.StopsAt = min(v.StopsAt, max(1, stopsAt(v.UsersThen, policy.MaxAllowedDeletions)-v.Today))
		}
	}
	if !g.raised {
		v.Why = v.why()
		v.Cancelled = v.Why != nil
	}
	return v
}

// Applyable returns why p must not be applied as it is, or nil: it needs kinds of
// mailboxes that were not read, or the guard cancels it. A raise does not count here,
// even one that is part of the plan: it belongs to the approval. A caller with a raise
// ignores a problem whose code is the guard's. A plan that has nothing to apply is no
// problem.
func (p *Plan) Applyable() *problem.Problem {
	if n := len(p.need); n > 0 {
		return problem.New(problem.PlanNotFinal, problem.Args{"accounts": strconv.Itoa(n)})
	}
	if !p.guard.raised {
		return p.verdict.Why
	}
	g := p.guard
	g.raised = false
	return judge(p.policy, p.counts, g).Why
}

// Today is the verdict with other deletions of the previous 24 hours than were known
// when the plan was made: another sync may have run in between. Attended, and after a
// raise, it is the plan's own verdict.
func (p *Plan) Today(deletions, usersThen int) Verdict {
	g := p.guard
	if !g.unattended {
		return p.verdict
	}
	g.today, g.usersThen = deletions, usersThen
	return judge(p.policy, p.counts, g)
}

// why is the first rule that cancels, or nil.
func (v Verdict) why() *problem.Problem {
	args := problem.Args{
		"deletions": strconv.Itoa(v.Deletions), "users": strconv.Itoa(v.Users),
		"percent": share(v.Deletions, v.Users), "stops_at": strconv.Itoa(v.StopsAt),
		"limit": strconv.Itoa(v.MaxAllowedDeletions),
	}
	switch {
	case reaches(v.Deletions, v.Users, v.MaxAllowedDeletions) && v.Claimed:
		return problem.New(problem.GuardCancelsKnown, args)
	case reaches(v.Deletions, v.Users, v.MaxAllowedDeletions):
		return problem.New(problem.GuardCancels, args)
	case v.MaxDeletions >= 0 && v.all > 0 && v.all >= v.MaxDeletions:
		args["deletions"], args["limit"] = strconv.Itoa(v.all), strconv.Itoa(v.MaxDeletions)
		return problem.New(problem.GuardCancelsNumber, args)
	case v.UsersThen > 0 && v.all > 0 && reaches(v.all+v.Today, v.UsersThen, v.MaxAllowedDeletions):
		return problem.New(problem.GuardCancelsDay, problem.Args{
			"deletions": strconv.Itoa(v.all), "today": strconv.Itoa(v.Today), "users": strconv.Itoa(v.UsersThen),
			"percent": share(v.all+v.Today, v.UsersThen), "limit": args["limit"],
		})
	case v.Lost > 0 && (reaches(v.lostKnown, v.known, v.MaxAllowedDeletions) ||
		reaches(v.all+v.Lost, v.touchable, v.MaxAllowedDeletions)):
		return problem.New(problem.LostCancels, v.lostArgs(v.MaxAllowedDeletions))
	case v.Lost > 0 && v.MaxDeletions >= 0 && v.all+v.Lost >= v.MaxDeletions:
		return problem.New(problem.LostCancelsNumber, v.lostArgs(v.MaxDeletions))
	case v.MaxChanges >= 0 && reaches(v.Changed, v.touchable, v.MaxChanges):
		return problem.New(problem.ChangesCancel, changedArgs(v.Changed, v.touchable, v.MaxChanges))
	case v.MaxSignInChanges >= 0 && reaches(v.SignInChanges, v.touchable, v.MaxSignInChanges):
		return problem.New(problem.SignInCancels, changedArgs(v.SignInChanges, v.touchable, v.MaxSignInChanges))
	}
	for _, o := range v.origins {
		if o.cancels() {
			return problem.New(problem.MovesCancel, problem.Args{
				"origin": o.Domain, "moves": strconv.Itoa(o.Moves), "users": strconv.Itoa(o.Users),
				"percent": share(o.Moves, o.Users), "limit": strconv.Itoa(o.Percent),
			})
		}
	}
	return nil
}

func changedArgs(n, users, limit int) problem.Args {
	return problem.Args{
		"changes": strconv.Itoa(n), "users": strconv.Itoa(users), "percent": share(n, users), "limit": strconv.Itoa(limit),
	}
}

func (v Verdict) lostArgs(limit int) problem.Args {
	return problem.Args{
		"lost": strconv.Itoa(v.Lost), "deletions": strconv.Itoa(v.lostKnown - v.Lost), "users": strconv.Itoa(v.known),
		"percent": share(v.lostKnown, v.known), "limit": strconv.Itoa(limit),
	}
}

// share is n of total in percent, for users.
func share(n, total int) string {
	if total == 0 {
		return "100.0"
	}
	return strconv.FormatFloat(float64(n)*100/float64(total), 'f', 1, 64)
}

// origins are the domains that the moves of a plan leave, with no move counted yet.
func (b *builder) origins() []origin {
	var all []origin
	for _, r := range b.rows {
		if r.kind != Rename {
			continue
		}
		if u := b.users.At(int(r.acct)); !b.here(u.UPN()) {
			all = b.origin(all, u)
		}
	}
	for _, q := range b.questions {
		if u := q.dep.user; !b.here(u.UPN()) {
			all = b.origin(all, u)
		}
	}
	return all
}

func (b *builder) origin(all []origin, u directory.User) []origin {
	_, from := directory.SplitUPN(u.UPN())
	from = directory.FoldUPN(from)
	if slices.ContainsFunc(all, func(o origin) bool { return o.Domain == from }) {
		return all
	}
	p, ok := b.in.Others[from]
	if !ok {
		p = DefaultPolicy()
	}
	o := origin{Domain: from, Percent: p.MaxAllowedDeletions, Number: max(p.MaxDeletions, -1)}
	for u := range b.users.All() {
		if directory.InDomain(u.UPN(), from) && b.protected(u) == "" {
			o.Users++
		}
	}
	return append(all, o)
}

// holdMoves holds, unattended, the moves that the guard of the domain they leave would
// cancel; a reviewer sees a verdict instead.
func (b *builder) holdMoves() {
	if !b.in.Unattended {
		return
	}
	moves := map[string][]int{}
	for i, r := range b.rows {
		if r.kind == Rename {
			if _, from := directory.SplitUPN(b.users.At(int(r.acct)).UPN()); directory.FoldUPN(from) != b.domain.Name {
				moves[directory.FoldUPN(from)] = append(moves[directory.FoldUPN(from)], i)
			}
		}
	}
	for _, o := range b.origins() {
		o.Moves = len(moves[o.Domain])
		if !o.cancels() {
			continue
		}
		for _, i := range moves[o.Domain] {
			r := &b.rows[i]
			r.flags |= dead
			b.put(held(problem.MoveHeldByGuard, r.src, r.acct, o.heldArgs(b.users.At(int(r.acct)).UPN())))
		}
	}
	b.rows = slices.DeleteFunc(b.rows, func(r row) bool { return r.flags&dead != 0 })
}

// portion limits the blocked accounts that are due and deleted in one run to the
// guard's share: they counted when they were blocked.
func (b *builder) portion() {
	var due []int
	for i, r := range b.rows {
		if r.flags&paid != 0 {
			due = append(due, i)
		}
	}
	if len(due) == 0 {
		return
	}
	touchable := 0
	for u := range b.users.All() {
		if b.here(u.UPN()) && b.protected(u) == "" {
			touchable++
		}
	}
	most := stopsAt(touchable, b.in.Policy.MaxAllowedDeletions) - 1
	if n := b.in.Policy.MaxDeletions; n >= 0 {
		most = min(most, max(n-1, 0))
	}
	slices.SortFunc(due, func(x, y int) int { return b.inOrder(b.rows[x], b.rows[y]) })
	for _, i := range due[min(most, len(due)):] {
		b.rows[i].flags |= dead
		b.skip(skipRow{code: problem.WaitsForShare, src: -1, acct: b.rows[i].acct, extra: problem.Args{"share": strconv.Itoa(most)}})
	}
	b.rows = slices.DeleteFunc(b.rows, func(r row) bool { return r.flags&dead != 0 })
}

// Leaves are the other domains that accounts leave by this plan, in order.
func (p *Plan) Leaves() []string {
	var names []string
	for _, o := range p.guard.origins {
		if o.Moves > 0 {
			names = append(names, o.Domain)
		}
	}
	slices.Sort(names)
	return names
}
