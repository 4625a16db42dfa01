package graphclient

import (
	"context"
	"slices"
	"strings"

	"github.com/microsoftgraph/msgraph-sdk-go/domains"
	"github.com/microsoftgraph/msgraph-sdk-go/models"
	"github.com/microsoftgraph/msgraph-sdk-go/organization"
	"golang.org/x/sync/errgroup"

	"github.com/hacsync/hacsync/graphclient/adapter"
	"github.com/hacsync/hacsync/graphclient/claims"
	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/problem"
)

const whatOrganization = "GET /organization"

// Tenant reads name and domains.
func (c *Client) Tenant(ctx context.Context) (directory.Tenant, error) {
	return c.tenant(ctx, call{})
}

func (c *Client) tenant(ctx context.Context, k call) (directory.Tenant, error) {
	var t directory.Tenant
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		err := eachPage(ctx, whatOrganization, organization.NewOrganizationRequestBuilderInternal(c.reading(k, needTenant)),
			&organization.OrganizationRequestBuilderGetRequestConfiguration{
				QueryParameters: &organization.OrganizationRequestBuilderGetQueryParameters{
					Select: []string{"id", "displayName", "onPremisesSyncEnabled"},
				},
			}, func(o models.Organizationable) error {
				t.ID, t.Name = lower(adapter.Value(o.GetId())), adapter.Value(o.GetDisplayName())
				t.OnPremisesSync = adapter.Value(o.GetOnPremisesSyncEnabled())
				return nil
			})
		if problem.Has(err, problem.PermissionMissing) {
			if known, ok := c.ofToken(ctx); ok {
				t.ID, t.Name, t.OnPremisesSync = known.ID, known.Name, known.OnPremisesSync
				return nil
			}
		}
		if err == nil && t.ID == "" {
			return problem.New(problem.BrokenAnswer, problem.Args{"what": whatOrganization, "detail": "no organization"})
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

// ofToken is the tenant that issued an application's token, with what was known of
// it before. It reports false for a person: their tenant is read.
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
	var all []directory.Domain
	err := eachPage(ctx, "GET /domains", domains.NewDomainsRequestBuilderInternal(c.reading(k, needDomains)), nil,
		func(d models.Domainable) error {
			all = append(all, directory.Domain{
				Name:      lower(adapter.Value(d.GetId())),
				Federated: strings.EqualFold(adapter.Value(d.GetAuthenticationType()), "Federated"),
				Verified:  adapter.Value(d.GetIsVerified()),
				Initial:   adapter.Value(d.GetIsInitial()),
				Default:   adapter.Value(d.GetIsDefault()),
			})
			return nil
		})
	slices.SortFunc(all, func(a, b directory.Domain) int { return strings.Compare(a.Name, b.Name) })
	return all, err
}
