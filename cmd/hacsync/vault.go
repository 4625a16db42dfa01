package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/hacsync/hacsync/sync/consent"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/secret"
)

// row is a secret of a connection, sealed: secret.Tokens, secret.Certificate or
// secret.HAC.
func (v *vault) row(connection, name string) *secret.Row {
	return secret.NewRow(v.store, v.sealer, connection, name)
}

// ready finds out whether a connection can be kept, before anybody signs in: an
// empty name is that of a connection of the tenant, or a new one.
func (v *vault) ready(ctx context.Context, name, tenant string) error {
	if name == "" {
		saved, err := v.store.Connections(ctx)
		if err != nil {
			return err
		}
		for _, c := range saved {
			// Only the name that save would choose: others are not written to.
			if (c.Tenant == tenant || c.Initial == tenant) && c.Name == connectionName(c.Initial) {
				name = c.Name
			}
		}
	}
	return secret.Ready(ctx, v.store, v.sealer, name)
}

// mark says which key a connection's rows are sealed under; the zero Mark where
// nothing is sealed, or where it is not known.
func (v *vault) mark(ctx context.Context, connection string) (secret.Mark, error) {
	m, _, err := secret.ReadMark(ctx, v.store, connection)
	return m, err
}

// needsPassphrase reports whether a person has to type a passphrase, and
// whether it will be the first one, to be typed twice.
func (v *vault) needsPassphrase(ctx context.Context) (need, first bool) {
	return secret.NeedsPassphrase(ctx, v.sealer)
}

// unseal takes the passphrase that a person typed.
func (v *vault) unseal(ctx context.Context, passphrase secret.Text) error {
	return secret.Unlock(ctx, v.sealer, passphrase)
}

// save keeps a connection and its sign-in. A name that another tenant has is
// refused; saved data of the same tenant is renewed.
func (v *vault) save(ctx context.Context, w *way) error {
	c := &w.connection
	if c.Name == "" {
		c.Name = connectionName(c.Initial)
	}
	saved, err := v.store.Connection(ctx, c.Name)
	switch {
	case err == nil && saved.Tenant != c.Tenant:
		return problem.New(problem.NameTaken, problem.Args{"connection": c.Name, "tenant": saved.TenantName})
	case err != nil && !problem.Has(err, problem.NoSavedData):
		return err
	}
	if err := v.ready(ctx, c.Name, ""); err != nil { // said in its own words
		return err
	}
	// Sealed first: a connection without its sign-in would only mislead.
	if err := w.signIn.SaveTo(ctx, v.tokens(c.Name)); err != nil {
		return err
	}
	return v.store.ChangeConnection(ctx, c.Name, func(stored *consent.Connection) error {
		if c.Application == nil && stored.Tenant == c.Tenant { // a person does not take its place
			c.Application = stored.Application
		}
		*stored = *c
		return nil
	})
}

// hacAccess is what signs in to the HAC API, as its sealed row has it.
type hacAccess struct {
	Client string `json:"client"`
	Secret string `json:"secret"`
}

func (v *vault) saveHAC(ctx context.Context, connection string, access hacAccess) error {
	plain, err := json.Marshal(access)
	if err != nil {
		return fmt.Errorf("encode HAC access: %w", err)
	}
	return v.row(connection, secret.HAC).Store(ctx, plain)
}

func (v *vault) hac(ctx context.Context, connection string) (access hacAccess, err error) {
	plain, err := v.row(connection, secret.HAC).Load(ctx)
	if err != nil || plain == nil {
		return access, err
	}
	if err := json.Unmarshal(plain, &access); err != nil {
		return access, problem.New(problem.SavedDataUnreadable, problem.Args{"why": secret.HAC})
	}
	return access, nil
}

// hacAccess is what signs in to the HAC API: of the simulator, or what settings
// stored.
func (s *session) hacAccess(ctx context.Context) (hacAccess, error) {
	if s.simulator != nil && s.simulator.HACClient != "" && s.connection.HAC != "" {
		return hacAccess{s.simulator.HACClient, s.simulator.HACSecret}, nil
	}
	access, err := s.vault.hac(ctx, s.connection.Name)
	if err == nil && (access.Client == "" || s.connection.Simulated() && s.connection.HAC == "") {
		return access, problem.New(problem.NoHACAccess, problem.Args{"domain": "DOMAIN"})
	}
	return access, err
}

// saveHAC stores a client of the HAC API, with its secret from the environment.
func (s *session) saveHAC(ctx context.Context, domain, client string) error {
	access := hacAccess{Client: client, Secret: s.app.getenv(hacSecretVariable)}
	if client == "" {
		access = hacAccess{}
	} else if access.Secret == "" {
		return problem.New(problem.NoHACAccess, problem.Args{"domain": domain})
	}
	return s.vault.saveHAC(ctx, s.connection.Name, access)
}

// hacSecretVariable is the environment variable that hands over the secret of a
// client of the HAC API: an argument could be seen by everybody on the machine.
const hacSecretVariable = "HACSYNC_HAC_SECRET"
