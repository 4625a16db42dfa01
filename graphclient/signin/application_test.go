package signin_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hacsync/hacsync/graphclient/certificate"
	"github.com/hacsync/hacsync/graphclient/signin"
	"github.com/hacsync/hacsync/graphclient/simulator"
	"github.com/hacsync/hacsync/graphclient/transport"
	"github.com/hacsync/hacsync/sync/clock"
	"github.com/hacsync/hacsync/sync/problem"
)

const (
	tenant    = "11111111-1111-4111-8111-111111111111"
	appID     = "eeeeeeee-0000-4000-8000-000000000001"
	principal = "dddddddd-0000-4000-8000-000000000001"
)

// tokenKey signs the tokens of all simulated tenants: making one takes long.
var tokenKey = sync.OnceValue(func() *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return k
})

// pair is a certificate of a year from now, one for all tests.
var pair = sync.OnceValue(func() *certificate.Pair { return pairFrom(time.Now(), 365*24*time.Hour) })

func pairFrom(from time.Time, life time.Duration) *certificate.Pair {
	p, err := certificate.New("hacsync test", from, life)
	if err != nil {
		panic(err)
	}
	return p
}

// world is a simulated tenant over HTTPS, with an application whose
// certificates are given.
func world(t *testing.T, o simulator.Options, certs ...*certificate.Pair) *simulator.Server {
	t.Helper()
	var keys []map[string]any
	for _, c := range certs {
		keys = append(keys, map[string]any{"key": c.Certificate.Raw, "type": "AsymmetricX509Cert", "usage": "Verify"})
	}
	raw, err := json.Marshal(map[string]any{
		"organization": map[string]any{"id": tenant, "displayName": "Contoso K.K."},
		"domains": []any{
			map[string]any{"id": "contoso.onmicrosoft.com", "isInitial": true, "isVerified": true},
			map[string]any{"id": "contoso.example", "isDefault": true, "isVerified": true},
		},
		"users": []any{
			map[string]any{"id": oid, "userPrincipalName": "admin@contoso.example", "displayName": "Admin", "accountEnabled": true},
			map[string]any{"id": "0a1b2c3d-0000-4000-8000-000000000002", "userPrincipalName": "nobody@contoso.example", "displayName": "Nobody", "accountEnabled": true},
			map[string]any{
				"id": "0a1b2c3d-0000-4000-8000-000000000003", "userPrincipalName": "guest_partner.example#EXT#@contoso.onmicrosoft.com",
				"displayName": "Guest", "userType": "Guest", "externalUserState": "Accepted", "accountEnabled": true,
			},
		},
		"roleAssignments": []any{
			map[string]any{"principalId": oid, "roleDefinitionId": "62e90394-69f5-4237-9190-012177145e10"},
			map[string]any{"principalId": principal, "roleDefinitionId": "fe930be7-5e62-47db-91af-98c3a49a38b1"},
		},
		"servicePrincipals": []any{map[string]any{
			"id": principal, "appId": appID, "displayName": "hacsync midori", "accountEnabled": true,
			"appRoleAssignments": []any{
				map[string]any{"appRoleId": "741f803b-c850-494e-b5df-cde7c675a1ca"}, map[string]any{"appRoleId": "dbb9058a-0e50-45d7-ae91-66909b5d4664"},
			},
		}},
		"applications": []any{map[string]any{"appId": appID, "displayName": "hacsync midori", "keyCredentials": keys}},
		"signedIn":     "admin@contoso.example",
	})
	if err != nil {
		t.Fatal(err)
	}
	o.Tenant, o.Dir, o.Key = raw, t.TempDir(), tokenKey()
	s, err := simulator.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// reach is an HTTP client that trusts a simulated tenant.
func reach(t *testing.T, s *simulator.Server) *http.Client {
	t.Helper()
	return reachBy(t, s.Ready().CA)
}

func options(t *testing.T, s *simulator.Server) signin.Options {
	return signin.Options{Authority: s.Ready().Authority, Graph: s.Ready().Graph, Tenant: tenant, HTTP: reach(t, s)}
}

func application(t *testing.T, s *simulator.Server, p *certificate.Pair, change ...func(*signin.Options)) *signin.Application {
	t.Helper()
	o := options(t, s)
	o.ClientID = appID
	for _, f := range change {
		f(&o)
	}
	a, err := signin.NewApplication(o, p)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestApplication_SignsInWithItsCertificate(t *testing.T) {
	s := world(t, simulator.Options{}, pairFrom(time.Now(), time.Hour), pair()) // two, as during a renewal
	a := application(t, s, pair())
	who, err := a.Silent(t.Context(), []string{"User.ReadWrite.All", "Domain.Read.All"})
	if err != nil {
		t.Fatal(err)
	}
	if who.Tenant != tenant || who.ID != principal || who.UPN != "" || who.Client != appID || who.App != "hacsync midori" {
		t.Errorf("account = %+v", who)
	}
	slices.Sort(who.Scopes)
	if !slices.Equal(who.Scopes, []string{"Domain.Read.All", "User.ReadWrite.All"}) || !slices.Contains(who.Roles, "fe930be7-5e62-47db-91af-98c3a49a38b1") {
		t.Errorf("app roles %v, directory roles %v", who.Scopes, who.Roles)
	}
	_, err = a.Silent(t.Context(), []string{"User.Read.All", "GroupMember.Read.All", "MailboxSettings.Read"})
	if p := wantCode(t, err, problem.GrantMissing); p.Args["grant"] != "GroupMember.Read.All, MailboxSettings.Read" {
		t.Errorf("args %v", p.Args)
	}
	// Memory serves until it is renewed; a fresh one remembers nothing.
	first, err := a.Token(t.Context(), "User.Read.All")
	if err != nil {
		t.Fatal(err)
	}
	if again, err := a.Token(t.Context()); err != nil || again != first {
		t.Errorf("a token in memory was not used: %v", err)
	}
	for _, challenge := range []string{"", `{"access_token":{"nbf":{"essential":true,"value":"1"}}}`} {
		if next, err := a.Renew(t.Context(), challenge, "User.Read.All"); err != nil || next == first {
			t.Errorf("not renewed for %q: %v", challenge, err)
		}
	}
	f, err := a.Fresh()
	if err != nil {
		t.Fatal(err)
	}
	if other, err := f.Token(t.Context()); err != nil || other == first {
		t.Errorf("not fresh: %v", err)
	}
}

func TestApplication_SaysWhyItIsRefused(t *testing.T) {
	t.Run("certificate of nobody", func(t *testing.T) {
		a := application(t, world(t, simulator.Options{}, pair()), pairFrom(time.Now(), time.Hour))
		_, err := a.Token(t.Context())
		if p := wantCode(t, err, problem.CertificateUnknown); p.Class() != problem.Mend || p.Args["client"] != appID || p.Args["correlation"] == "" {
			t.Errorf("problem %v", p)
		}
	})
	t.Run("application of nobody", func(t *testing.T) {
		const other = "99999999-0000-4000-8000-000000000001"
		a := application(t, world(t, simulator.Options{}), pair(), func(o *signin.Options) { o.ClientID = other })
		_, err := a.Token(t.Context())
		if p := wantCode(t, err, problem.ClientUnknown); p.Args["client"] != other {
			t.Errorf("args %v", p.Args)
		}
	})
	t.Run("ended, seen here", func(t *testing.T) {
		old := pairFrom(time.Now().Add(-48*time.Hour), 24*time.Hour)
		s := world(t, simulator.Options{}, old)
		_, err := application(t, s, old).Token(t.Context())
		if p := wantCode(t, err, problem.CertificateExpired); p.Args["ended"] != old.Ends().Format(time.DateOnly) || p.Upstream != nil {
			t.Errorf("problem %v", p)
		}
	})
	t.Run("not begun", func(t *testing.T) {
		late := pairFrom(time.Now().Add(48*time.Hour), 24*time.Hour)
		_, err := application(t, world(t, simulator.Options{}, late), late).Token(t.Context())
		if p := wantCode(t, err, problem.CertificateExpired); p.Args["ended"] != "" {
			t.Errorf("args %v", p.Args)
		}
	})
	t.Run("ended, seen there", func(t *testing.T) {
		// The clock here is an hour behind: only Entra ID knows.
		old := pairFrom(time.Now().Add(-48*time.Hour), 48*time.Hour-time.Minute)
		a := application(t, world(t, simulator.Options{}, old), old, func(o *signin.Options) { o.Clock = behind{clock.Real(), time.Hour} })
		_, err := a.Token(t.Context())
		if p := wantCode(t, err, problem.CertificateExpired); p.Upstream == nil || p.Upstream.Code != "AADSTS700027" {
			t.Errorf("problem %v", p)
		}
	})
	t.Run("turned off", func(t *testing.T) {
		s := world(t, simulator.Options{RefuseSignIn: 7000112}, pair())
		_, err := application(t, s, pair()).Token(t.Context())
		wantCode(t, err, problem.ApplicationDisabled)
	})
}

// behind is a clock that is behind.
type behind struct {
	clock.Clock
	by time.Duration
}

func (b behind) Now() time.Time { return b.Clock.Now().Add(-b.by) }

func TestApplication_WaitsUntilItIsKnown(t *testing.T) {
	for number, want := range map[int]problem.Code{700016: problem.ClientUnknown, 700027: problem.CertificateUnknown} {
		c := clock.Scaled(600)
		settling := func(o *signin.Options) { o.Settle, o.Clock = 5*time.Minute, c }
		s := world(t, simulator.Options{RefuseSignIn: number}, pair())
		a := application(t, s, pair(), settling)
		go func() {
			time.Sleep(50 * time.Millisecond) // 30 seconds of the clock
			s.RefuseSignIns(0)
		}()
		if _, err := a.Token(t.Context()); err != nil {
			t.Errorf("%d for 30 seconds: %v", number, err)
		}
		// It was known once: a refusal is one now.
		s.RefuseSignIns(number)
		began := c.Now()
		if _, err := a.Renew(t.Context(), ""); !problem.Has(err, want) || c.Now().Sub(began) > 4*time.Minute {
			t.Errorf("after a good sign-in %d was waited for: %v", number, err)
		}
		// And one that never becomes known ends.
		began = c.Now()
		_, err := application(t, s, pair(), settling).Token(t.Context())
		if took := c.Now().Sub(began); !problem.Has(err, want) || took < 5*time.Minute || took > 10*time.Minute {
			t.Errorf("%d for ever: %v after %v", number, err, took)
		}
		// Without Settle it is said at once.
		began = c.Now()
		if _, err := application(t, s, pair(), func(o *signin.Options) { o.Clock = c }).Token(t.Context()); !problem.Has(err, want) || c.Now().Sub(began) > 4*time.Minute {
			t.Errorf("waited without being told to: %v", err)
		}
	}
	s := world(t, simulator.Options{RefuseSignIn: 700016}, pair())
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := application(t, s, pair(), func(o *signin.Options) { o.Settle = time.Hour }).Token(ctx)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("cancelled while waiting: %v", err)
	}
}

func TestNewApplication_NeedsTenantApplicationAndKey(t *testing.T) {
	s := world(t, simulator.Options{})
	for name, change := range map[string]func(*signin.Options){
		"no tenant":      func(o *signin.Options) { o.Tenant = "" },
		"any tenant":     func(o *signin.Options) { o.Tenant = signin.AnyOrganization },
		"no application": func(o *signin.Options) { o.ClientID = "" },
		"http":           func(o *signin.Options) { o.Authority = strings.Replace(o.Authority, "https", "http", 1) },
	} {
		o := options(t, s)
		o.ClientID = appID
		change(&o)
		if _, err := signin.NewApplication(o, pair()); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
	o := options(t, s)
	o.ClientID = appID
	for _, p := range []*certificate.Pair{nil, {}} {
		if _, err := signin.NewApplication(o, p); err == nil {
			t.Error("no key was taken")
		}
	}
}

// reachBy makes the HTTP client for the CA in a file.
func reachBy(t *testing.T, ca string) *http.Client {
	t.Helper()
	client, err := transport.Client(readFile(t, ca))
	if err != nil {
		t.Fatal(err)
	}
	return client
}
