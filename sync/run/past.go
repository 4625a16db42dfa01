package run

import (
	"context"
	"slices"
	"time"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/state"
)

// keptLink is how long a link is kept after its account is gone from users and
// recycle bin.
const keptLink = 60 * 24 * time.Hour

// past reads what earlier runs learnt of a domain from the source called name. Links
// of another source neither match nor claim. Of the other domains it takes the links
// whose row is in this domain, or in none: the person moves here, or was recreated.
func (r *Runner) past(ctx context.Context, in *plan.Input, name string) (plan.Past, map[string]state.Account, error) {
	p := plan.Past{Source: name, Claimed: map[directory.ID]bool{}, Absent: map[directory.ID]plan.Absence{}}
	seen, err := r.Store.Seen(ctx, r.Connection.Tenant, in.Domain)
	if err != nil {
		return p, nil, err
	}
	links := map[string]plan.Link{}
	marked := map[string]state.Account{} // those that were seen enabled, for facts
	twice := map[string]bool{}
	mark := func(a state.Account) {
		if !a.Enabled.IsZero() {
			marked[a.ID] = a
		}
	}
	take := func(a state.Account) {
		mark(a)
		id := directory.ID(a.ID)
		if a.Claimed {
			p.Claimed[id] = true
		}
		if a.Link.Username != "" && a.Link.Source != name {
			return
		}
		if a.Absent.Reads > 0 {
			p.Absent[id] = plan.Absence(a.Absent)
		}
		if a.Link.Username == "" {
			return
		}
		if _, ok := links[a.Link.Username]; ok {
			twice[a.Link.Username] = true
		}
		links[a.Link.Username] = linkOf(id, a.Link)
	}
	err = r.Store.EachAccount(ctx, r.Connection.Tenant, in.Domain, func(a state.Account) error {
		take(a)
		return nil
	})
	if err != nil {
		return p, nil, err
	}
	for _, other := range in.SetUp {
		if other = directory.FoldUPN(other); other == in.Domain {
			continue
		}
		err := r.Store.EachAccount(ctx, r.Connection.Tenant, other, func(a state.Account) error {
			if a.Link.Username != "" && a.Link.Source == name {
				rows := in.Source.ByUsername(a.Link.Username)
				if len(rows) == 0 || slices.ContainsFunc(rows, func(u directory.User) bool { return directory.InDomain(u.UPN(), in.Domain) }) {
					take(a)
					return nil
				}
			}
			mark(a)
			return nil
		})
		if err != nil {
			return p, nil, err
		}
	}
	for name := range twice { // a Username with two accounts proves nothing
		delete(links, name)
	}
	b := plan.NewPastBuilder()
	if seen.Source == name {
		p.At, p.Newest, p.Restored = seen.At, seen.Newest, seen.Restored
		for _, u := range seen.Users {
			l, ok := links[u.Username]
			if !ok {
				l.Username = u.Username
			}
			delete(links, u.Username)
			if err := b.Add(l, plan.Seen{First: u.First, Last: u.Last, Login: u.Login}); err != nil {
				return p, nil, err
			}
		}
	}
	for _, l := range links {
		if err := b.Add(l, plan.Seen{}); err != nil {
			return p, nil, err
		}
	}
	err = b.Seal(&p)
	return p, marked, err
}

func linkOf(id directory.ID, l state.Link) plan.Link {
	return plan.Link{
		Account: id, Username: l.Username, Given: l.Given, Family: l.Family, Display: l.Display,
		UPN: l.UPN, ImmutableID: l.ImmutableID, Since: l.Since, Run: l.Run,
	}
}

// seenEnabled stores that accounts which hacsync blocked are enabled now: another
// administrator unblocked them, and a later block is not hacsync's. An account that
// was written lately does not count, because lists lag.
func (r *Runner) seenEnabled(ctx context.Context, in *plan.Input) error {
	var ids []string
	fresh := map[directory.ID]bool{}
	for i := range in.Facts.Recent {
		fresh[in.Facts.Recent[i].ID] = true
	}
	for id, blocked := range in.Facts.Blocked {
		u, ok := in.Users.ByID(id)
		if blocked && ok && !fresh[id] && u.Marks().Has(directory.Enabled) {
			ids = append(ids, string(id))
			in.Facts.Blocked[id] = false
		}
	}
	if len(ids) == 0 {
		return nil
	}
	return r.Store.SeenEnabled(ctx, r.Connection.Tenant, ids, in.At)
}

// dropLinks forgets the links of accounts that are gone for good.
func (r *Runner) dropLinks(ctx context.Context, in *plan.Input) error {
	var gone []string
	for l, s := range in.Past.Links() {
		_, live := in.Users.ByID(l.Account)
		_, deleted := in.Deleted.ByID(l.Account)
		if !live && !deleted && !s.Last.IsZero() && in.At.Sub(s.Last) > keptLink {
			gone = append(gone, string(l.Account))
		}
	}
	if len(gone) == 0 {
		return nil
	}
	return r.Store.DropLinks(ctx, r.Connection.Tenant, gone)
}

// vouchFor claims, once for each domain, the accounts that its latest plan from before
// there were links matched: the person is known, the Username is not.
func (r *Runner) vouchFor(ctx context.Context, domain string, users *directory.Snapshot) error {
	tenant := r.Connection.Tenant
	done, err := r.Store.Vouched(ctx, tenant, domain)
	if err != nil || done {
		return err
	}
	planned, err := r.Latest(ctx, domain)
	switch {
	case err == nil:
		if ids := planned.Plan.Matched(users); len(ids) > 0 {
			if err := r.Store.Vouch(ctx, tenant, domain, ids); err != nil {
				return err
			}
		}
	case problem.Has(err, problem.StateUnreachable, problem.StateBusy, problem.StateFull):
		return err // it is there, and is read the next time
	}
	return r.Store.SetVouched(ctx, tenant, domain)
}
