package graphclient_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"testing"

	"github.com/hacsync/hacsync/graphclient"
	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/problem"
)

// appTokens gives tokens of an application.
type appTokens struct{ tenant string }

func (k appTokens) Token(context.Context, ...string) (string, error) {
	body := fmt.Sprintf(`{"oid":%q,"tid":%q,"idtyp":"app","roles":["User.ReadWrite.All","Domain.Read.All"]}`, id(900), k.tenant)
	return "e30." + base64.RawURLEncoding.EncodeToString([]byte(body)) + ".s", nil
}

// An application does not get Organization.Read.All; what was read when the tenant was
// set up is used instead, only for that tenant.
func TestTenant_OfAnApplicationIsThatOfItsToken(t *testing.T) {
	for _, c := range []struct {
		known directory.Tenant
		name  string
	}{
		{directory.Tenant{ID: tenantID, Name: "Midori Sample K.K.", OnPremisesSync: true}, "Midori Sample K.K."},
		{directory.Tenant{ID: id(7), Name: "Another", OnPremisesSync: true}, ""},
	} {
		g := newGraph(t)
		g.answers("GET /organization", status(403, `{"error":{"code":"Authorization_RequestDenied","message":"no"}}`))
		client, err := graphclient.New(graphclient.Options{
			Graph: g.URL, HTTP: g.Client(), Tokens: appTokens{tenantID}, Tenant: c.known,
		})
		if err != nil {
			t.Fatal(err)
		}
		tenant, err := client.Tenant(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if tenant.ID != tenantID || tenant.Name != c.name || tenant.OnPremisesSync != (c.name != "") || tenant.Initial == "" {
			t.Errorf("tenant %+v, known %+v", tenant, c.known)
		}
	}
	// A person's missing permission stays one.
	f := newFixture(t)
	f.answers("GET /organization", status(403, `{"error":{"code":"Authorization_RequestDenied","message":"no"}}`))
	_, err := f.client.Tenant(t.Context())
	wantCode(t, err, problem.PermissionMissing)
}

// A policy may ask for more with a 403 as well.
func TestRead_A403WithAClaimsChallengeIsAnsweredWithANewToken(t *testing.T) {
	f := newFixture(t)
	f.answers("GET /domains", status(403, `{"error":{"code":"insufficient_claims"}}`, "WWW-Authenticate",
		`Bearer realm="", error="insufficient_claims", claims="eyJhIjoxfQ=="`), status(200, `{"value":[]}`))
	if _, err := f.client.Tenant(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(f.tokens.renews) != 1 || f.tokens.renews[0] != `{"a":1}` {
		t.Errorf("renewed with %q", f.tokens.renews)
	}
}
