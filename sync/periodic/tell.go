package periodic

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/hacsync/hacsync/sync/notice"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/run"
	"github.com/hacsync/hacsync/sync/state"
)

// heldRows are rows of a plan that wait for a reviewer.
type heldRows struct {
	users []string
	set   string // identifies them: equal for the same rows
}

func heldIn(p *plan.Plan) heldRows {
	var h heldRows
	for s := range p.Skips() {
		if s.Held() {
			h.users = append(h.users, s.Ref.UPN)
		}
	}
	if len(h.users) == 0 {
		return h
	}
	slices.Sort(h.users)
	sum := sha256.Sum256([]byte(strings.Join(h.users, "\n")))
	h.set = hex.EncodeToString(sum[:8])
	return h
}

// openQuestions are the open questions of a plan, those put off included.
type openQuestions struct {
	known          bool // there is a plan
	asked          []notice.Asked
	accounts, rows int
	set            string // identifies them and what they rest on
}

func openIn(p *plan.Plan) openQuestions {
	o := openQuestions{known: true}
	h := sha256.New()
	rows := map[string]bool{}
	for _, q := range p.Questions() {
		if q.Answer.Kind != plan.Open && q.Answer.Kind != plan.NotNow {
			continue
		}
		o.accounts++
		_, _ = h.Write([]byte(string(q.Account.ID) + "\n" + q.Basis + "\n"))
		ask := notice.Asked{No: q.No, Account: q.Account.UPN}
		for i := range q.Rows {
			c := &q.Rows[i]
			rows[c.RowKey()] = true
			ask.Rows = append(ask.Rows, cmp.Or(c.Username, c.Row.UPN))
			for _, s := range c.For {
				if !slices.Contains(ask.For, string(s)) {
					ask.For = append(ask.For, string(s))
				}
			}
		}
		if len(o.asked) < notice.MaxAsked {
			o.asked = append(o.asked, ask)
		}
	}
	o.rows, o.set = len(rows), hex.EncodeToString(h.Sum(nil)[:8])
	return o
}

// tell passes the events of an interval to the notices; before and after are the domain
// before and after it. An error is the state's: then tell is called again.
func (t *turn) tell(ctx context.Context, before, after state.Periodic) (err error) {
	note := func(kind notice.Kind, terr error) {
		if terr == nil {
			return
		}
		t.w.Log.WarnContext(ctx, "nobody told", "domain", t.p.Domain, "kind", kind, "err", terr)
		if p := problem.Of(terr); err == nil && p != nil && weigh(p) == harmless {
			err = terr
		}
	}
	switch t.i.Outcome {
	case Failed, Partly, Drifted, Cancelled:
		// The user who released the domain wants to know that it fails again.
		if before.Anew && !t.fresh {
			ferr := t.w.Notices.Forget(ctx, t.p.Tenant, t.p.Domain)
			note("", ferr)
			t.fresh = ferr == nil
		}
	}
	e := notice.Event{
		Tenant: t.p.Tenant, Connection: t.p.Connection, Domain: t.p.Domain, Run: max(t.i.DryRun, t.i.Sync), At: t.i.Ended,
		Why: t.i.Why.Problem(),
	}
	if t.r != nil {
		e.TenantName = t.r.Connection.TenantName
	}
	send := func(kind notice.Kind, fill func(*notice.Event)) {
		event := e
		event.Kind = kind
		if fill != nil {
			fill(&event)
		}
		if kind == notice.Recovered {
			note(kind, t.w.Notices.Recovered(ctx, event))
		} else {
			note(kind, t.w.Notices.Tell(ctx, event))
		}
	}
	rows := func(e *notice.Event) {
		e.Numbers.Failures, e.Numbers.RowsDone, e.Numbers.RowsFailed = after.Failures, t.i.Seen, t.i.Failed
	}
	switch t.i.Outcome {
	case Failed, Partly:
		send(notice.Failed, rows)
	case Drifted:
		send(notice.Drift, rows)
	case Cancelled:
		send(notice.Guard, func(e *notice.Event) { t.verdict(ctx, e) })
	case Unchanged, Synced:
		send(notice.Recovered, nil)
	}
	if after.State == state.Held && before.State == state.Enabled {
		send(notice.Stopped, func(e *notice.Event) {
			e.Why, e.Numbers.Failures = after.Why.Problem(), max(after.Failures, after.Cancels)
		})
	}
	if t.held.set != "" {
		send(notice.Held, func(e *notice.Event) {
			e.Set, e.Users, e.Numbers.Held, e.Why = t.held.set, t.held.users, len(t.held.users), nil
		})
	}
	if out := t.i.Outcome; t.asked.known && (out == Unchanged || out == Synced || out == Partly) {
		send(notice.Questions, t.questions)
	}
	if t.r == nil {
		return err
	}
	if a := t.r.Connection.Application; a != nil && !a.Ends.IsZero() {
		send(notice.Certificate, func(e *notice.Event) { e.Ends, e.Domain, e.Why, e.Run = a.Ends, "", nil, 0 })
	}
	return err
}

// questions adds what waits for a user, and what was done without one.
func (t *turn) questions(e *notice.Event) {
	e.Set, e.Asked, e.Why = t.asked.set, t.asked.asked, nil
	e.Numbers = notice.Numbers{Questions: t.asked.accounts, Accounts: t.asked.accounts, Rows: t.asked.rows}
	if t.i.Outcome == Synced {
		n := &e.Numbers
		n.Added, n.Updated, n.Renamed, n.Restored, n.Deleted = t.i.Add, t.i.Update, t.i.Rename, t.i.Restore, t.i.Delete
	}
}

// verdict adds the guard's numbers.
func (t *turn) verdict(ctx context.Context, e *notice.Event) {
	r, err := t.w.Store.Run(ctx, max(t.i.Sync, t.i.DryRun))
	if err != nil {
		return
	}
	v := run.SummaryOf(r).Verdict
	if v == nil {
		return
	}
	e.Run = r.No
	e.Numbers = notice.Numbers{
		Deletions: v.Deletions, DestinationUsers: v.Users, Percent: v.Percent(), LimitPercent: v.MaxAllowedDeletions,
		LimitCount: v.MaxDeletions, SignInChanges: v.SignInChanges, SignInLimitPercent: v.MaxSignInChanges,
		Lost: v.Lost,
	}
}
