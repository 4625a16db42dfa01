package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/secret"
	"github.com/hacsync/hacsync/sync/state"
)

// try seals something, so that a key that cannot be had is known beforehand.
func (v *vault) try(ctx context.Context) error {
	_, err := v.sealer.Seal(ctx, []byte("try"))
	return err
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
	if err := v.try(ctx); err != nil { // said in its own words
		return err
	}
	// Sealed first: a connection without its sign-in would only mislead.
	if err := w.signIn.SaveTo(ctx, v.tokens(c.Name)); err != nil {
		return err
	}
	return v.store.SaveConnection(ctx, *c)
}

// hacRow is the sealed row with what signs in to the HAC API.
const hacRow = "hac"

type hacAccess struct {
	Client string `json:"client"`
	Secret string `json:"secret"`
}

func (v *vault) saveHAC(ctx context.Context, connection string, access hacAccess) error {
	plain, err := json.Marshal(access)
	if err != nil {
		return fmt.Errorf("encode HAC access: %w", err)
	}
	sealed, err := v.sealer.Seal(ctx, plain)
	if err != nil {
		return err
	}
	for range 3 {
		_, version, err := v.store.Sealed(ctx, connection, hacRow)
		if err != nil {
			return err
		}
		if err = v.store.SaveSealed(ctx, connection, hacRow, sealed, version); !errors.Is(err, state.ErrStale) {
			return err
		}
	}
	return problem.New(problem.SealedContended, problem.Args{"what": connection})
}

func (v *vault) hac(ctx context.Context, connection string) (access hacAccess, err error) {
	sealed, version, err := v.store.Sealed(ctx, connection, hacRow)
	if err != nil || version == 0 {
		return access, err
	}
	plain, err := v.sealer.Open(ctx, sealed)
	if errors.Is(err, secret.ErrOtherKey) {
		return access, problem.Wrap(err, problem.SealedElsewhere, problem.Args{"what": connection, "key": v.sealer.Name()})
	}
	if err != nil {
		return access, err
	}
	if err := json.Unmarshal(plain, &access); err != nil {
		return access, problem.New(problem.SavedDataUnreadable, problem.Args{"why": hacRow})
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
