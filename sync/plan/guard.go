package plan

import (
	"strconv"

	"github.com/hacsync/hacsync/sync/problem"
)

// guard is what the verdict rests on beside the policy and the counts.
type guard struct {
	unattended       bool
	today, usersThen int
	// watched are the actions that count against the limit of changes which
	// nobody watches.
	watched int
	raised  bool
}

// reaches reports whether n of total reach percent. It is the guides' rule:
// with 65 %, a sync is cancelled at 65 % or more; 0 % allows none.
func reaches(n, total, percent int) bool { return n > 0 && n*100 >= percent*total }

// stopsAt is the smallest n from 1 that reaches percent of total.
func stopsAt(total, percent int) int { return max(1, (percent*total+99)/100) }

// judge gives the guard's verdict. MaxDeletions is read like the percentage: as
// the number that cancels when it is reached, whichever of the two comes first.
func judge(policy Policy, c Counts, g guard) Verdict {
	v := Verdict{
		Deletions: c.Delete + c.Blocks, Blocks: c.Blocks, Users: c.Touchable,
		MaxAllowedDeletions: policy.MaxAllowedDeletions, MaxDeletions: max(policy.MaxDeletions, -1),
		StopsAt:       stopsAt(c.Touchable, policy.MaxAllowedDeletions),
		SignInChanges: g.watched, MaxSignInChanges: -1,
		Raised: g.raised,
	}
	if v.MaxDeletions >= 0 {
		v.StopsAt = min(v.StopsAt, max(1, v.MaxDeletions))
	}
	if g.unattended {
		v.MaxSignInChanges = policy.MaxSignInChanges
		v.Today, v.UsersThen = g.today, g.usersThen
		if v.Today > 0 && v.UsersThen <= 0 { // nobody wrote down how many there were
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

// Applyable says why p must not be applied as it stands, or nil: it needs kinds of
// mailboxes that were not read, or the guard cancels it. A raise does not count
// here, even one that is part of the plan: it is the approval's. Who holds one lets
// a problem pass whose code is the guard's. That a plan has nothing to apply is no
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

// Today is the verdict with other deletions of the previous 24 hours than those
// that were known when the plan was made: another sync may have come between. It
// is the plan's own where somebody watches, and after a raise.
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
		"percent": strconv.FormatFloat(v.Percent(), 'f', 1, 64), "stops_at": strconv.Itoa(v.StopsAt),
		"limit": strconv.Itoa(v.MaxAllowedDeletions),
	}
	switch {
	case reaches(v.Deletions, v.Users, v.MaxAllowedDeletions):
		return problem.New(problem.GuardCancels, args)
	case v.MaxDeletions >= 0 && v.Deletions > 0 && v.Deletions >= v.MaxDeletions:
		args["limit"] = strconv.Itoa(v.MaxDeletions)
		return problem.New(problem.GuardCancelsNumber, args)
	case v.UsersThen > 0 && v.Deletions > 0 && reaches(v.Deletions+v.Today, v.UsersThen, v.MaxAllowedDeletions):
		args["today"], args["users"] = strconv.Itoa(v.Today), strconv.Itoa(v.UsersThen)
		args["percent"] = strconv.FormatFloat(float64(v.Deletions+v.Today)*100/float64(v.UsersThen), 'f', 1, 64)
		delete(args, "stops_at")
		return problem.New(problem.GuardCancelsDay, args)
	case v.MaxSignInChanges >= 0 && reaches(v.SignInChanges, v.Users, v.MaxSignInChanges):
		percent := 100.0
		if v.Users > 0 {
			percent = float64(v.SignInChanges) * 100 / float64(v.Users)
		}
		return problem.New(problem.SignInCancels, problem.Args{
			"changes": strconv.Itoa(v.SignInChanges), "users": strconv.Itoa(v.Users),
			"percent": strconv.FormatFloat(percent, 'f', 1, 64), "limit": strconv.Itoa(v.MaxSignInChanges),
		})
	}
	return nil
}
