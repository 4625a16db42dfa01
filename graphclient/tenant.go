package graphclient

import (
	"context"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/hacsync/hacsync/graphclient/claims"
	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/problem"
)

// Tenant reads name and domains.
func (c *Client) Tenant(ctx context.Context) (directory.Tenant, error) {
	return c.tenant(ctx, call{})
}

func (c *Client) tenant(ctx context.Context, k call) (directory.Tenant, error) {
	var t directory.Tenant
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		type organization struct {
			ID     string `json:"id"`
			Name   string `json:"displayName"`
			Synced *bool  `json:"onPremisesSyncEnabled"`
		}
		at, err := c.organizationURL(ctx)
		if err != nil {
			return err
		}
		r := c.get(at, needTenant)
		_, err = readPages(ctx, c, k, r, func(os []organization) error {
			for _, o := range os {
				t.ID, t.Name = strings.ToLower(o.ID), o.Name
				t.OnPremisesSync = o.Synced != nil && *o.Synced
			}
			return nil
		})
		if problem.Has(err, problem.PermissionMissing) {
			if known, ok := c.ofToken(ctx); ok {
				t.ID, t.Name, t.OnPremisesSync = known.ID, known.Name, known.OnPremisesSync
				return nil
			}
		}
		if err == nil && t.ID == "" {
			return problem.New(problem.BrokenAnswer, problem.Args{"what": describe(r), "detail": "no organization"})
		}
		return err
	})
	g.Go(func() error {
		var err error
		t.Domains, err = c.domains(ctx, k)
		return err
	})
	if err := g.Wait(); err != nil {
		return directory.Tenant{}, err
	}
	for _, d := range t.Domains {
		if d.Initial {
			t.Initial = d.Name
		}
	}
	return t, nil
}

// ofToken is the tenant that an application's token is from, with what was known
// of it before; false for a person, whose tenant is read.
func (c *Client) ofToken(ctx context.Context) (directory.Tenant, bool) {
	token, err := c.tokens.Token(ctx, c.readScopes...)
	if err != nil {
		return directory.Tenant{}, false
	}
	who, ok := claims.Read(token)
	if !ok || who.Person() != "" || who.Tenant == "" {
		return directory.Tenant{}, false
	}
	t := directory.Tenant{ID: strings.ToLower(who.Tenant)}
	if strings.EqualFold(c.known.ID, t.ID) {
		t.Name, t.OnPremisesSync = c.known.Name, c.known.OnPremisesSync
	}
	return t, true
}

// domains reads the tenant's domains, by name.
func (c *Client) domains(ctx context.Context, k call) ([]directory.Domain, error) {
	type domain struct {
		ID       string `json:"id"`
		Auth     string `json:"authenticationType"`
		Verified bool   `json:"isVerified"`
		Initial  bool   `json:"isInitial"`
		Default  bool   `json:"isDefault"`
	}
	at, err := c.domainsURL(ctx)
	if err != nil {
		return nil, err
	}
	var all []directory.Domain
	_, err = readPages(ctx, c, k, c.get(at, needDomains), func(ds []domain) error {
		for _, d := range ds {
			all = append(all, directory.Domain{
				Name:      strings.ToLower(d.ID),
				Federated: strings.EqualFold(d.Auth, "Federated"),
				Verified:  d.Verified,
				Initial:   d.Initial,
				Default:   d.Default,
			})
		}
		return nil
	})
	slices.SortFunc(all, func(a, b directory.Domain) int { return strings.Compare(a.Name, b.Name) })
	return all, err
}
