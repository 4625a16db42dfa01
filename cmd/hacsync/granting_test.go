package main

import (
	"slices"
	"testing"

	"github.com/hacsync/hacsync/sync/consent"
	"github.com/hacsync/hacsync/sync/problem"
)

// Of a tenant that nobody had signed in to, the key is kept before anybody signs
// in to grant: whoever does is on the list of accounts that are never touched,
// also where granting ends half-way.
func TestRule6_WhoGrantsForAnUnknownTenantIsRemembered(t *testing.T) {
	b, _ := testBackend(t)
	target := b.base
	target.Name = "fresh"
	w, err := b.app.wayTo(target, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := newSession(b.app, b.vault, w, b.sim)
	if _, err := s.dedicated(dedicating{}).Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	who := consent.Account{ID: "0a1b2c3d-0000-4000-8000-000000000001", UPN: "admin@sakura.example"}
	if err := s.alsoSignedIn(t.Context(), who); err != nil {
		t.Fatal(err)
	}
	kept, err := b.vault.store.Connection(t.Context(), "fresh")
	if err != nil || !slices.Contains(kept.SignedIn, who.ID) || kept.Account != "" {
		t.Errorf("kept %+v, %v", kept, err)
	}
	// Forgotten meanwhile, it is not brought back.
	if err := b.vault.store.ForgetConnection(t.Context(), "fresh"); err != nil {
		t.Fatal(err)
	}
	if err := s.alsoSignedIn(t.Context(), consent.Account{ID: "0a1b2c3d-0000-4000-8000-000000000002"}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.vault.store.Connection(t.Context(), "fresh"); !problem.Has(err, problem.NoSavedData) {
		t.Errorf("brought back: %v", err)
	}
}
