package main

import (
	"slices"
	"testing"

	"github.com/hacsync/hacsync/cmd/hacsync/session"
	"github.com/hacsync/hacsync/sync/consent"
	"github.com/hacsync/hacsync/sync/problem"
)

// In a tenant without any sign-in before, the key is kept before the administrator
// signs in to grant. The administrator is then on the list of accounts that are
// never changed, also if granting ends half-way.
func TestRule6_WhoGrantsForAnUnknownTenantIsRemembered(t *testing.T) {
	b, _ := testBackend(t)
	target := b.base
	target.Name = "fresh"
	access, err := b.app.env().Access(target)
	if err != nil {
		t.Fatal(err)
	}
	s := b.state.On(access)
	if _, err := s.Dedicated(session.Choices{}).Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	who := consent.Account{ID: "0a1b2c3d-0000-4000-8000-000000000001", UPN: "admin@sakura.example"}
	if err := s.SignedIn(t.Context(), who); err != nil {
		t.Fatal(err)
	}
	kept, err := b.state.Store.Connection(t.Context(), "fresh")
	if err != nil || !slices.Contains(kept.SignedIn, who.ID) || kept.Account != "" {
		t.Errorf("kept %+v, %v", kept, err)
	}
	// Later calls, and the data that is saved with the sign-in, contain it as well.
	if c := access.Connection(); !slices.Contains(c.SignedIn, who.ID) {
		t.Errorf("the access does not know who signed in: %+v", c)
	}
	// A connection that was forgotten meanwhile is not saved again.
	if err := b.state.Store.ForgetConnection(t.Context(), "fresh"); err != nil {
		t.Fatal(err)
	}
	if err := s.SignedIn(t.Context(), consent.Account{ID: "0a1b2c3d-0000-4000-8000-000000000002"}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.state.Store.Connection(t.Context(), "fresh"); !problem.Has(err, problem.NoSavedData) {
		t.Errorf("brought back: %v", err)
	}
}
