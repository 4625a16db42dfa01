package grants

import (
	"context"
	"slices"
	"strings"

	"github.com/hacsync/hacsync/graphclient/claims"
	"github.com/hacsync/hacsync/sync/consent"
	"github.com/hacsync/hacsync/sync/problem"
)

// Tokens gives access tokens; signin.Client does.
type Tokens interface {
	Token(ctx context.Context, scopes ...string) (string, error)
}

// Renewer is implemented by Tokens that can leave their memory aside: what was
// granted a moment ago shows only in a new token.
type Renewer interface {
	Renew(ctx context.Context, claims string, scopes ...string) (string, error)
}

// Options are what Grants are made of.
type Options struct {
	Tokens Tokens
	// Connection names tenant, client, account and cloud for the script.
	Connection consent.Connection
	// Application is the appId of the application that acts in place of a
	// person, empty while a person does; Tokens are then the application's.
	Application string
	// UserAdministrator says that the application is to hold that role too.
	UserAdministrator bool
}

// Grants are all that a sync needs of one connection.
type Grants struct{ o Options }

var _ consent.Grants = (*Grants)(nil)

// New makes them. It sends nothing.
func New(o Options) *Grants { return &Grants{o: o} }

// List is the list without asking the tenant.
func (g *Grants) List() []consent.Grant {
	all := person()
	if g.o.Application != "" {
		all = application(g.o.UserAdministrator)
	}
	for i := range all {
		all[i].State = consent.CantTell
	}
	return all
}

// Check reads from a token what is granted. If something is missing, it first asks for
// a new token, because a token does not learn of later grants. It never asks for the
// permission to write: the part of it that the token for reading lacks is Later.
func (g *Grants) Check(ctx context.Context) ([]consent.Grant, error) {
	token, err := g.o.Tokens.Token(ctx, consent.ReadScopes()...)
	if lacking(err) {
		return g.apart(ctx)
	}
	if err != nil {
		return nil, err
	}
	all := g.judge(token)
	r, can := g.o.Tokens.(Renewer)
	if !can || !slices.ContainsFunc(all, func(c consent.Grant) bool { return c.State == consent.Missing || c.State == consent.Later }) {
		return all, nil
	}
	fresh, err := r.Renew(ctx, "", consent.ReadScopes()...)
	switch {
	case lacking(err):
		return g.apart(ctx) // taken away since
	case problem.Of(err) != nil:
		return all, nil //nolint:nilerr // what the token in hand says still holds
	case err != nil:
		return nil, err
	}
	return g.judge(fresh), nil
}

// lacking reports whether a token was refused for want of consent.
func lacking(err error) bool {
	return problem.Has(err, problem.ConsentMissing, problem.ConsentDeclined, problem.ScopesShort, problem.AdminConsent, problem.ClientNotAuthorized)
}

// apart asks for each permission of reading by itself.
func (g *Grants) apart(ctx context.Context) ([]consent.Grant, error) {
	all := g.List()
	for i := range all {
		c := &all[i]
		switch {
		case c.Kind == consent.DelegatedScope && c.When == consent.ForDryRun:
			token, err := g.o.Tokens.Token(ctx, c.Name)
			switch {
			case err == nil:
				c.State = consent.Granted
				g.roles(all, token)
			case lacking(err):
				c.State = consent.Missing
			case problem.Of(err) == nil:
				return nil, err
			}
		case c.Kind == consent.DelegatedScope:
			c.State = consent.Later
		}
	}
	return all, nil
}

// judge says what a token shows of each grant.
func (g *Grants) judge(token string) []consent.Grant {
	all := g.List()
	who, readable := claims.Read(token)
	for i := range all {
		c := &all[i]
		has := claims.Covers(who.Permissions(), c.Name)
		switch c.Kind {
		case consent.DelegatedScope:
			switch {
			case has || !readable && c.When == consent.ForDryRun: // it was asked for with them
				c.State = consent.Granted
			case c.When == consent.ForSync:
				c.State = consent.Later
			case readable:
				c.State = consent.Missing
			}
		case consent.AppRole:
			if readable && who.Scope == "" { // an application's token
				c.State = consent.Missing
				if has {
					c.State = consent.Granted
				}
			}
		case consent.DirectoryRole, consent.Part:
		}
	}
	g.roles(all, token)
	return all
}

// roles says which directory roles a token shows. Without any it may be that
// the token does not name them.
func (g *Grants) roles(all []consent.Grant, token string) {
	who, ok := claims.Read(token)
	if !ok || len(who.Roles) == 0 {
		return
	}
	held := make([]string, len(who.Roles))
	for i, r := range who.Roles {
		held[i] = strings.ToLower(r)
	}
	for i := range all {
		c := &all[i]
		if c.Kind != consent.DirectoryRole {
			continue
		}
		c.State = consent.Missing
		if slices.Contains(held, c.ID) {
			c.State = consent.Granted
			continue
		}
		for _, or := range orRoles(c.ID) {
			if slices.Contains(held, or) {
				c.State, c.By = consent.Granted, roleName(or)
				break
			}
		}
	}
}

// Explain finds the problem that a red line of PowerShell names, other than a
// sign-in error; nil if it names none.
func Explain(pasted string) *problem.Problem {
	for _, k := range []struct {
		mark string
		code problem.Code
	}{
		{"Authorization_RequestDenied", problem.GrantNotAllowed},
		{"Insufficient privileges", problem.GrantNotAllowed},
		{"PSSecurityException", problem.ScriptsDisabled},
		{"running scripts is disabled", problem.ScriptsDisabled},
		{"Connect-MgGraph", problem.ModuleMissing},
		{"Microsoft.Graph.Authentication", problem.ModuleMissing},
	} {
		if strings.Contains(strings.ToLower(pasted), strings.ToLower(k.mark)) {
			return problem.New(k.code, nil)
		}
	}
	return nil
}
