package run

import (
	"context"
	"slices"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/state"
)

// answers are those that reviewers gave in a domain and that no run has used up.
func (r *Runner) answers(ctx context.Context, domain string) ([]plan.Answer, error) {
	rows, err := r.Store.Answers(ctx, r.Connection.Tenant, domain)
	if err != nil {
		return nil, err
	}
	// They are in order of time: the last one counts.
	slices.SortStableFunc(rows, func(x, y state.Answer) int { return x.At.Compare(y.At) })
	var all []plan.Answer
	for _, a := range rows {
		if a.Used <= 0 {
			all = append(all, plan.Answer{
				Kind: plan.AnswerKind(a.Answer), Account: directory.ID(a.Account), Row: a.Row,
				Basis: a.Basis, By: a.By, At: a.At,
			})
		}
	}
	return all, nil
}

// Answer keeps an answer to a question of a plan: of one row for same person, of
// every row for the others; Open removes the answer. An account or a row that the
// plan does not ask about changes nothing. It returns the plan with all answers of the
// domain.
func (r *Runner) Answer(ctx context.Context, p *Planned, account directory.ID, kind plan.AnswerKind, row, by string) (*Planned, error) {
	var q *plan.Question
	for _, x := range p.Plan.Questions() {
		if x.Account.ID == account {
			q = x
		}
	}
	if q == nil {
		return p, nil
	}
	tenant, domain := r.Connection.Tenant, p.Plan.Domain()
	var keys []state.AnswerKey
	named := kind != plan.SamePerson
	for i := range q.Rows {
		keys = append(keys, state.AnswerKey{Account: string(account), Row: q.Rows[i].RowKey()})
		named = named || q.Rows[i].RowKey() == row
	}
	if !named {
		return p, nil
	}
	if err := r.Store.RemoveAnswers(ctx, tenant, domain, keys); err != nil {
		return nil, err
	}
	var all []state.Answer
	now := r.Clock.Now()
	for _, key := range keys {
		if kind != plan.Open && (kind != plan.SamePerson || key.Row == row) {
			all = append(all, state.Answer{AnswerKey: key, Answer: string(kind), Basis: q.Basis, By: by, At: now})
		}
	}
	if err := r.Store.SaveAnswers(ctx, tenant, domain, all); err != nil {
		return nil, err
	}
	return r.answered(ctx, p)
}

// answered is a plan with the answers and decisions that are stored now.
func (r *Runner) answered(ctx context.Context, p *Planned) (*Planned, error) {
	with, err := r.Reviewed(ctx, p)
	if err != nil || p.Plan.QuestionLen() == 0 {
		return with, err
	}
	all, err := r.answers(ctx, p.Plan.Domain())
	if err != nil {
		return nil, err
	}
	with.Plan = p.Plan.Answer(all)
	return with, nil
}

// Linked is an account with what is remembered of it.
type Linked struct {
	state.Account
	// Seen is when its Username was in complete reads.
	Seen plan.Seen
}

// Links are the accounts of a domain of which something is remembered, in order of
// Username, then ID.
func (r *Runner) Links(ctx context.Context, domain string) ([]Linked, error) {
	domain = directory.FoldUPN(domain)
	accounts, err := r.Store.Accounts(ctx, r.Connection.Tenant, domain)
	if err != nil {
		return nil, err
	}
	seen, err := r.Store.Seen(ctx, r.Connection.Tenant, domain)
	if err != nil {
		return nil, err
	}
	when := make(map[string]plan.Seen, len(seen.Users))
	for _, u := range seen.Users {
		when[u.Username] = plan.Seen{First: u.First, Last: u.Last, Login: u.Login}
	}
	all := make([]Linked, 0, len(accounts))
	for _, a := range accounts {
		l := Linked{Account: a}
		if a.Link.Source == seen.Source {
			l.Seen = when[a.Link.Username]
		}
		all = append(all, l)
	}
	slices.SortFunc(all, func(x, y Linked) int {
		if x.Link.Username != y.Link.Username {
			if x.Link.Username < y.Link.Username {
				return -1
			}
			return 1
		}
		return slices.Compare([]string{x.ID}, []string{y.ID})
	})
	return all, nil
}

// Forget removes the links that a run taught, and returns how many they were.
func (r *Runner) Forget(ctx context.Context, domain string, run int64) (int, error) {
	if _, err := r.Store.Run(ctx, run); err != nil {
		return 0, err
	}
	return r.Store.Forget(ctx, r.Connection.Tenant, directory.FoldUPN(domain), run)
}

// AcceptSize lets the next dry run of a domain pass the shrink check with a source
// of that many usable rows, once.
func (r *Runner) AcceptSize(ctx context.Context, domain string, rows int, by string) error {
	return r.Store.AcceptSize(ctx, r.Connection.Tenant, directory.FoldUPN(domain), sideSource, rows, by)
}
