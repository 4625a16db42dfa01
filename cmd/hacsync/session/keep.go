package session

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/hacsync/hacsync/graphclient/certificate"
	"github.com/hacsync/hacsync/graphclient/grants"
	"github.com/hacsync/hacsync/sync/consent"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/secret"
)

func (s *Session) row(connection, name string) *secret.Row {
	return secret.NewRow(s.Store, s.Sealer, connection, name)
}

// Row returns a secret of the connection, sealed: secret.Tokens, secret.Certificate
// or secret.HAC.
func (s *Session) Row(name string) *secret.Row { return s.row(s.Connection().Name, name) }

// Ready checks whether a connection can be saved, before a user signs in: an empty
// name means a connection of the tenant, or a new one.
func (s *Session) Ready(ctx context.Context, name, tenant string) error {
	if name == "" {
		saved, err := s.Store.Connections(ctx)
		if err != nil {
			return err
		}
		for _, c := range saved {
			// Only the name that Save would choose: others are not written to.
			if (c.Tenant == tenant || c.Initial == tenant) && c.Name == firstLabel(c.Initial) {
				name = c.Name
			}
		}
	}
	return secret.Ready(ctx, s.Store, s.Sealer, name)
}

// Save saves connection and sign-in for the next start. A name that another tenant
// has is refused; saved data of the same tenant is replaced.
func (s *Session) Save(ctx context.Context) error {
	if s.Connection().Account != "" { // an application's key is saved from the start
		if err := s.savePerson(ctx); err != nil {
			return err
		}
	}
	s.connected.saved.Store(true)
	return s.saveSimulatedHAC(ctx)
}

func (s *Session) savePerson(ctx context.Context) error {
	s.connected.name()
	c := s.Connection()
	if err := s.own(ctx, c); err != nil {
		return err
	}
	if err := s.Ready(ctx, c.Name, ""); err != nil { // reported with its own problem
		return err
	}
	// Sealed first: a connection without its sign-in would only mislead.
	if err := s.access.SaveTo(ctx, s.Row(secret.Tokens)); err != nil {
		return err
	}
	err := s.Store.ChangeConnection(ctx, c.Name, func(stored *consent.Connection) error {
		c = s.Connection()
		if c.Application == nil && stored.Tenant == c.Tenant { // a user does not replace it
			c.Application = stored.Application
		}
		*stored = c
		return nil
	})
	if err == nil {
		s.connected.change(func(is *consent.Connection) { is.Application = c.Application })
	}
	return err
}

// SaveApplication saves a connection that an application acts for, with its key. A
// user's sign-in of the same tenant under the same name stays.
func (s *Session) SaveApplication(ctx context.Context, key *certificate.Pair) error {
	s.connected.name()
	c := s.Connection()
	if err := s.own(ctx, c); err != nil {
		return err
	}
	app := *c.Application
	var err error
	if app.Tag, err = grants.TakeKey(ctx, s.Row(secret.Certificate), key); err != nil {
		return err
	}
	c.Application = &app
	err = s.Store.ChangeConnection(ctx, c.Name, func(stored *consent.Connection) error {
		if stored.Tenant == "" {
			*stored = c
			return nil
		}
		stored.Application, stored.LastUsed = c.Application, c.LastUsed
		stored.Graph, stored.Authority, stored.CA, stored.Speed, stored.HAC = c.Graph, c.Authority, c.CA, c.Speed, c.HAC
		c = *stored
		return nil
	})
	if err != nil {
		return err
	}
	s.connected.change(func(is *consent.Connection) { *is = c })
	s.connected.saved.Store(true)
	return s.saveSimulatedHAC(ctx)
}

// hacAccess is the access to the HAC API, as its sealed row has it.
type hacAccess struct {
	Client string `json:"client"`
	Secret string `json:"secret"`
}

// SaveHAC saves the client of the HAC API, sealed.
func (s *Session) SaveHAC(ctx context.Context, client string, key secret.Text) error {
	plain, err := json.Marshal(hacAccess{client, key.Reveal()})
	if err != nil {
		return fmt.Errorf("encode HAC access: %w", err)
	}
	return s.Row(secret.HAC).Store(ctx, plain)
}

// saveSimulatedHAC saves the client of a simulator's HAC API, as settings would.
func (s *Session) saveSimulatedHAC(ctx context.Context) error {
	sim := s.Simulator
	if sim == nil || sim.HACClient == "" {
		return nil
	}
	return s.SaveHAC(ctx, sim.HACClient, secret.NewText(sim.HACSecret))
}

// HAC returns the client of the HAC API: the saved one, else that of the simulator;
// empty for none.
func (s *Session) HAC(ctx context.Context) (string, error) {
	access, err := s.hacAccess(ctx)
	return access.Client, err
}

func (s *Session) hacAccess(ctx context.Context) (access hacAccess, err error) {
	plain, err := s.Row(secret.HAC).Load(ctx)
	if err != nil {
		return access, err
	}
	if plain == nil {
		if sim := s.Simulator; sim != nil && s.Connection().HAC != "" {
			return hacAccess{sim.HACClient, sim.HACSecret}, nil
		}
		return access, nil
	}
	if err := json.Unmarshal(plain, &access); err != nil {
		return access, problem.New(problem.SavedDataUnreadable, problem.Args{"why": secret.HAC})
	}
	return access, nil
}

// NewTenant returns the session, on the same state and key, of a tenant in which no
// user has signed in.
func (s *Session) NewTenant(ctx context.Context, target consent.Connection) (*Session, error) {
	if target.Name = s.env.Connection; target.Name == "" {
		target.Name = firstLabel(target.Tenant)
	}
	saved, err := s.Store.Connection(ctx, target.Name)
	switch {
	case err == nil && !strings.EqualFold(saved.Tenant, target.Tenant) && !strings.EqualFold(saved.Initial, target.Tenant):
		return nil, problem.New(problem.NameTaken, problem.Args{"connection": target.Name, "tenant": saved.TenantName})
	case err == nil:
		target = saved
	case !problem.Has(err, problem.NoSavedData):
		return nil, err
	}
	if s.Simulator != nil {
		s.Simulator.Reach(&target)
	}
	a, err := s.env.access(&connection{c: target}, s.row(target.Name, secret.Tokens))
	if err != nil {
		return nil, err
	}
	return s.On(a), nil
}
