package graphclient

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/hacsync/hacsync/sync/destination"
	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/problem"
)

// Precheck looks for what a domain contains other than people. If the kind of a
// mailbox cannot be read, an account with an address, without a licence and with
// blocked sign-in is listed as shared, and Guessed says that this is a guess.
func (c *Client) Precheck(ctx context.Context, domain string) (*destination.Precheck, error) {
	domain = strings.ToLower(domain)
	p := &destination.Precheck{}
	domains, err := c.domains(ctx, call{})
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(domains, func(d directory.Domain) bool { return d.Name == domain })
	if i < 0 {
		return nil, problem.New(problem.NoSuchDomain, problem.Args{"domain": domain})
	}
	p.Domain = domains[i]

	var (
		users []directory.Record
		power *holders
	)
	g, inner := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		power, err = c.holders(inner, call{})
		return err
	})
	g.Go(func() (err error) {
		users, err = c.usersOf(inner, domain)
		return err
	})
	g.Go(func() (err error) {
		p.Groups, err = c.references(inner, domain, "microsoft.graph.group")
		return err
	})
	g.Go(func() (err error) {
		p.Apps, err = c.references(inner, domain, "microsoft.graph.application")
		return err
	})
	if err := g.Wait(); err != nil {
		return nil, err
	}

	p.Users, p.Notes = len(users), power.notes()
	var ask []directory.ID
	for i := range users {
		r := &users[i]
		r.Marks |= power.marks(r.ID)
		switch {
		case r.Marks.Any(directory.RoleHolder | directory.RoleGroup):
			p.Admins = append(p.Admins, r.UPN)
		case r.Marks.Has(directory.Synced):
			p.Synced = append(p.Synced, r.UPN)
		case r.Marks.Has(directory.ResourceAccount):
			p.Answering = append(p.Answering, r.UPN)
		case r.Marks.Has(directory.Addressed) && !r.Marks.Has(directory.Licensed|directory.Enabled):
			// A licensed account that may sign in probably belongs to a person; if
			// not, the dry run shows it.
			ask = append(ask, r.ID)
		}
	}
	purposes, err := c.Purposes(ctx, ask, nil)
	if err != nil {
		return nil, err
	}
	for i := range users {
		r := &users[i]
		m, asked := purposes[r.ID]
		switch {
		case !asked:
		case m.Has(directory.PurposeShared):
			p.Shared = append(p.Shared, r.UPN)
		case m.Has(directory.PurposeRoom):
			p.Rooms = append(p.Rooms, r.UPN)
		case m.Has(directory.PurposeEquipment):
			p.Things = append(p.Things, r.UPN)
		case m.Has(directory.PurposeUnknown):
			p.Guessed = p.Guessed || !r.Marks.Has(directory.Licensed)
			if !r.Marks.Any(directory.Enabled | directory.Licensed) {
				p.Shared = append(p.Shared, r.UPN)
			}
		}
	}
	for _, list := range [][]string{p.Shared, p.Rooms, p.Things, p.Synced, p.Admins, p.Answering, p.Groups, p.Apps} {
		slices.Sort(list)
	}
	return p, nil
}

// usersOf lists the accounts whose UPN is in a domain. endsWith is an
// advanced query: it needs $count=true and ConsistencyLevel: eventual, on every page.
func (c *Client) usersOf(ctx context.Context, domain string) ([]directory.Record, error) {
	a := wanted(nil)
	at, err := c.usersURL(ctx, a.sel, "endsWith(userPrincipalName,'@"+quote(domain)+"')")
	if err != nil {
		return nil, err
	}
	r := c.get(at, needUsers)
	r.header = http.Header{"ConsistencyLevel": {"eventual"}}
	var all []directory.Record
	_, err = c.listUsers(ctx, call{}, r, a, func(us []user) error {
		for i := range us {
			if directory.InDomain(us[i].UPN, domain) {
				all = append(all, us[i].record(a, false))
			}
		}
		return nil
	})
	return all, err
}

// references names the objects of one type that use a domain. Objects that may not
// be read come with their ID only.
func (c *Client) references(ctx context.Context, domain, kind string) ([]string, error) {
	type object struct {
		ID   string `json:"id"`
		Name string `json:"displayName"`
		Mail string `json:"mail"`
	}
	at, err := c.referencesURL(ctx, domain, kind)
	if err != nil {
		return nil, err
	}
	var names []string
	_, err = readPages(ctx, c, call{}, c.get(at, needDomains), func(os []object) error {
		for _, o := range os {
			switch {
			case o.Mail != "":
				names = append(names, o.Mail)
			case o.Name != "":
				names = append(names, o.Name)
			default:
				names = append(names, o.ID)
			}
		}
		return nil
	})
	return names, err
}
