package grants_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hacsync/hacsync/graphclient/certificate"
	"github.com/hacsync/hacsync/graphclient/grants"
	"github.com/hacsync/hacsync/graphclient/simulator"
	"github.com/hacsync/hacsync/sync/consent"
	"github.com/hacsync/hacsync/sync/problem"
)

func TestGive_MakesTheApplicationAndItActs(t *testing.T) {
	w := newWorld(t, "", simulator.Options{})
	d := w.hacsync(nil)
	app, err := d.Prepare(t.Context())
	if err != nil || app.Tag == "" || app.Thumbprint == "" || app.ID != "" {
		t.Fatalf("prepared %+v, %v", app, err)
	}
	told := w.give(d)
	var names []string
	for _, g := range told {
		names = append(names, g.Name)
		if g.Already || g.State != consent.Granted {
			t.Errorf("%s is told as already %v, %s", g.Name, g.Already, g.State)
		}
	}
	var listed []string
	for _, g := range d.List() {
		listed = append(listed, g.Name)
	}
	if !slices.Equal(append(names, "sign-in"), listed) {
		t.Errorf("told of %v, the list has %v", names, listed)
	}
	w.whole()
	all, err := d.Verify(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range all {
		if g.State != consent.Granted {
			t.Errorf("%s is %s", g.Name, g.State)
		}
	}
	if !w.c.Acts() || w.c.Application.Principal == "" {
		t.Errorf("it does not act: %+v", w.c.Application)
	}
}

func TestGive_TwiceChangesNothing(t *testing.T) {
	w := ready(t, "", simulator.Options{})
	before := w.s.Snapshot()
	for _, g := range w.give(w.hacsync(nil)) {
		if !g.Already {
			t.Errorf("%s was given again", g.Name)
		}
	}
	if !bytes.Equal(before, w.s.Snapshot()) {
		t.Error("the tenant changed")
	}
	if !w.c.Acts() {
		t.Error("it no longer acts")
	}
}

func TestGive_KilledAtAnyRequestAndStartedAgain(t *testing.T) {
	for step, after := range map[int]bool{1: true, 4: false} {
		for n := 0; ; n += step {
			w := newWorld(t, "", simulator.Options{})
			killed := w.killedAt(n, after, func(ctx context.Context, d *grants.Dedicated) error {
				return d.Give(ctx, person{upn: w.admin}, nil)
			})
			d := w.hacsync(nil)
			w.give(d)
			w.whole()
			if _, err := d.Verify(t.Context()); err != nil {
				t.Fatal(err)
			}
			if !w.c.Acts() {
				t.Fatalf("killed at request %d: it does not act", n)
			}
			if !killed {
				if n < 15 {
					t.Fatalf("only %d requests", n)
				}
				break
			}
		}
	}
}

func TestGive_WaitsForTheTenantToKnowWhatWasMade(t *testing.T) {
	w := newWorld(t, "", simulator.Options{Lag: 40 * time.Second, ReadLag: 40 * time.Second})
	d := w.hacsync(nil)
	w.give(d)
	w.whole()
	if _, err := d.Verify(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !w.c.Acts() {
		t.Error("it does not act")
	}
}

func TestGive_NotSeenWithinFiveMinutes(t *testing.T) {
	w := newWorld(t, "", simulator.Options{Lag: time.Hour, ReadLag: time.Hour})
	from := w.clock.Now()
	err := w.hacsync(nil).Give(t.Context(), person{upn: w.admin}, nil)
	has(t, err, problem.GrantNotSeen)
	if d := w.clock.Now().Sub(from); d < 5*time.Minute || d > 6*time.Minute {
		t.Errorf("waited %v", d)
	}
}

func TestGive_NamesTheRoleThatIsMissing(t *testing.T) {
	const half = "half@midorisample.onmicrosoft.com"
	for name, tc := range map[string]struct{ role, step, lacks string }{
		"neither role":              {"", "application", "Application Administrator"},
		"may not give permissions":  {appAdministrator, "User.ReadWrite.All", "Privileged Role Administrator"},
		"may not register anything": {roleAdministrator, "application", "Application Administrator"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, "", simulator.Options{})
			if tc.role != "" {
				if err := w.s.GiveRole(half, tc.role); err != nil {
					t.Fatal(err)
				}
			}
			p := has(t, w.hacsync(nil).Give(t.Context(), person{upn: half}, nil), problem.GrantRoleMissing)
			if p.Args["upn"] != half || p.Args["step"] != tc.step || !strings.Contains(p.Args["role"], tc.lacks) {
				t.Errorf("args = %v", p.Args)
			}
			// Whoever may goes on where it stopped.
			w.give(w.hacsync(nil))
			w.whole()
		})
	}
}

func TestGive_BothRolesAreEnough(t *testing.T) {
	const half = "half@midorisample.onmicrosoft.com"
	w := newWorld(t, "", simulator.Options{})
	for _, r := range []string{appAdministrator, roleAdministrator} {
		if err := w.s.GiveRole(half, r); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.hacsync(nil).Give(t.Context(), person{upn: half}, nil); err != nil {
		t.Fatal(err)
	}
	w.whole()
}

func TestGive_RefusesAnotherTenant(t *testing.T) {
	w := newWorld(t, "", simulator.Options{})
	w.c.Tenant = "99999999-0000-4000-8000-000000000009"
	has(t, w.hacsync(nil).Give(t.Context(), person{upn: w.admin}, nil), problem.OtherTenant)
	if len(w.tenant().Applications) != 1 {
		t.Error("something was made")
	}
}

func TestGive_UserAdministratorOnlyWhenAsked(t *testing.T) {
	w := ready(t, "", simulator.Options{})
	if n := len(w.tenant().RoleAssignments); n != 1 { // the administrator's own
		t.Errorf("%d role assignments", n)
	}
	d := w.hacsync(nil, func(o *grants.DedicatedOptions) { o.UserAdministrator = true })
	if !slices.Contains(d.Scopes(), "RoleManagement.ReadWrite.Directory") {
		t.Error("the sign-in would not be able to give it")
	}
	w.give(d)
	if g := w.tenant(); len(g.RoleAssignments) != 2 || g.RoleAssignments[1].PrincipalID != w.c.Application.Principal {
		t.Errorf("role assignments = %+v", g.RoleAssignments)
	}
}

func TestGive_APolicyCapsTheCertificate(t *testing.T) {
	w := newWorld(t, `{"certificateDays": 90}`, simulator.Options{})
	p := has(t, w.hacsync(nil).Give(t.Context(), person{upn: w.admin}, nil), problem.CertificateTooLong)
	if p.Args["ends"] == "" || p.Args["answer"] == "" {
		t.Errorf("args = %v", p.Args)
	}
	w.give(w.hacsync(nil, func(o *grants.DedicatedOptions) { o.Life = 60 * 24 * time.Hour }))
	w.whole()
}

func TestGive_APolicyForbidsCertificates(t *testing.T) {
	w := newWorld(t, `{"noCertificates": true}`, simulator.Options{})
	has(t, w.hacsync(nil).Give(t.Context(), person{upn: w.admin}, nil), problem.CertificateForbidden)
}

func TestGive_AddsTheCertificateOfAnotherMachine(t *testing.T) {
	w := ready(t, "", simulator.Options{})
	other, err := certificate.New("another machine", w.clock.Now(), 24*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		w.give(w.hacsync(nil, func(o *grants.DedicatedOptions) { o.Others = []*x509.Certificate{other.Certificate} }))
	}
	keys := w.tenant().Applications[1].KeyCredentials
	if len(keys) != 2 || keys[0].CustomKeyIdentifier != w.c.Application.Thumbprint || keys[1].CustomKeyIdentifier != other.Thumbprint() {
		t.Errorf("certificates = %+v", keys)
	}
}

func TestGive_AProvidersApplicationIsOnlyGranted(t *testing.T) {
	w := newWorld(t, "", simulator.Options{})
	d := w.hacsync(nil, func(o *grants.DedicatedOptions) { o.Provider = provider })
	w.give(d)
	g := w.tenant()
	if len(g.Applications) != 1 || g.Applications[0].KeyCredentials != nil {
		t.Errorf("applications = %+v", g.Applications)
	}
	if len(g.ServicePrincipals) != 1 || g.ServicePrincipals[0].AppID != provider || len(g.AppRoleAssignments) != 5 {
		t.Errorf("principals %+v, roles %+v", g.ServicePrincipals, g.AppRoleAssignments)
	}
	_, err := d.Renew(t.Context())
	has(t, err, problem.ProviderRenews)
}

// A second machine brings a key pair of its own into the same application.
func TestAdopt_AnotherMachinesApplication(t *testing.T) {
	w := ready(t, "", simulator.Options{})
	first := *w.c.Application
	second := &world{t: t, s: w.s, clock: w.clock, keys: &memory{}, c: w.c, admin: w.admin}
	second.c.Application = nil
	if err := second.hacsync(nil).Adopt(t.Context(), first.ID+" "+first.Object); err != nil {
		t.Fatal(err)
	}
	d := second.hacsync(nil)
	if _, err := d.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	cert, err := d.Public(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	w.give(w.hacsync(nil, func(o *grants.DedicatedOptions) { o.Others = []*x509.Certificate{cert} }))
	if _, err := second.hacsync(nil).Verify(t.Context()); err != nil || !second.c.Acts() {
		t.Fatalf("it does not act: %v", err)
	}
	if _, err := second.hacsync(nil).Renew(t.Context()); err != nil {
		t.Fatal(err)
	}
	keys := w.tenant().Applications[1].KeyCredentials
	if len(keys) != 2 || keys[0].CustomKeyIdentifier != first.Thumbprint || keys[1].CustomKeyIdentifier != second.c.Application.Thumbprint {
		t.Errorf("certificates = %+v", keys)
	}
}

// What a provider's application was prepared for is known at the next start.
func TestVerify_AProvidersApplicationAtTheNextStart(t *testing.T) {
	w := newWorld(t, "", simulator.Options{})
	d := w.hacsync(nil, func(o *grants.DedicatedOptions) { o.Provider = provider })
	w.give(d)
	_, err := w.hacsync(nil).Verify(t.Context()) // its certificate is registered by the provider, here not yet
	has(t, err, problem.CertificateUnknown)
	_, err = w.hacsync(nil).Renew(t.Context())
	has(t, err, problem.ProviderRenews)
}

func TestPrepare_KeepsThePairBeforeAnythingIsSent(t *testing.T) {
	w := newWorld(t, "", simulator.Options{})
	first, err := w.hacsync(nil).Prepare(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	key, err := grants.LoadKey(t.Context(), w.keys)
	if err != nil || key.Thumbprint() != first.Thumbprint {
		t.Fatalf("key %v, %v", key, err)
	}
	second, err := w.hacsync(nil).Prepare(t.Context())
	if err != nil || second.Thumbprint != first.Thumbprint || second.Tag != first.Tag {
		t.Errorf("prepared anew: %+v, %v", second, err)
	}
	if life := first.Ends.Sub(w.clock.Now()); life < 364*24*time.Hour || life > 366*24*time.Hour {
		t.Errorf("it holds for %v", life)
	}
	other := newWorld(t, "", simulator.Options{})
	if third, err := other.hacsync(nil).Prepare(t.Context()); err != nil || third.Tag == first.Tag {
		t.Errorf("two states have one tag: %v, %v", third.Tag, err)
	}
}

func TestLoadKey_WithoutAPair(t *testing.T) {
	_, err := grants.LoadKey(t.Context(), &memory{})
	has(t, err, problem.KeyPairMissing)
	for _, text := range []string{"{", `{"version":2}`, `{"version":1,"current":{"key_id":"x","pem":"nothing"}}`, `[]`} {
		m := &memory{text: []byte(text)}
		_, err := grants.LoadKey(t.Context(), m)
		has(t, err, problem.KeyPairUnreadable)
		if string(m.text) != text {
			t.Error("what could not be read was overwritten")
		}
	}
}

func TestFind_ByItsTagAndNotByItsName(t *testing.T) {
	w := newWorld(t, "", simulator.Options{})
	d := w.hacsync(nil)
	if _, err := d.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	if found, err := d.Find(t.Context(), person{upn: w.admin}); err != nil || found {
		t.Fatalf("found %v, %v: there is only another one of that name", found, err)
	}
	w.give(d)
	kept := *w.c.Application
	w.c.Application = &consent.Application{Tag: kept.Tag, Name: kept.Name} // the script ran elsewhere
	found, err := w.hacsync(nil).Find(t.Context(), person{upn: w.admin})
	if err != nil || !found || w.c.Application.ID != kept.ID || w.c.Application.Object != kept.Object || w.c.Application.Principal != kept.Principal {
		t.Errorf("found %v, %+v, %v", found, w.c.Application, err)
	}
}

func TestAdopt_TakesTheScriptsLastLine(t *testing.T) {
	const app, object = "9b0e2f51-2c6d-4f0a-8f3e-6a1d7c400d00", "0c0e2f51-2c6d-4f0a-8f3e-6a1d7c400d99"
	for given, want := range map[string][2]string{
		app: {app, ""},
		"Done. Application ID " + app + ", object ID " + object: {app, object},
		"  " + strings.ToUpper(app) + "\r\n":                    {app, ""},
	} {
		w := newWorld(t, "", simulator.Options{})
		if err := w.hacsync(nil).Adopt(t.Context(), given); err != nil {
			t.Errorf("%q: %v", given, err)
		}
		if a := w.c.Application; a == nil || a.ID != want[0] || a.Object != want[1] {
			t.Errorf("%q gives %+v", given, a)
		}
	}
	for _, given := range []string{"", "hacsync midori", app[:35], app + " " + app + " " + app} {
		w := newWorld(t, "", simulator.Options{})
		has(t, w.hacsync(nil).Adopt(t.Context(), given), problem.ApplicationIDWrong)
	}
}

func TestVerify_SaysWhatIsMissing(t *testing.T) {
	w := newWorld(t, "", simulator.Options{})
	d := w.hacsync(nil)
	ctx, cancel := context.WithCancel(t.Context())
	err := d.Give(ctx, person{upn: w.admin}, func(g consent.Given) {
		if g.Name == "Domain.Read.All" {
			cancel()
		}
	})
	if err == nil {
		t.Fatal("not stopped")
	}
	all, err := w.hacsync(nil).Verify(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	state := states(all)
	if state["app-role Domain.Read.All"] != consent.Granted || state["app-role GroupMember.Read.All"] != consent.Missing || w.c.Acts() {
		t.Errorf("states = %v, acts %v", state, w.c.Acts())
	}
}

func TestVerify_WithoutAnApplication(t *testing.T) {
	w := newWorld(t, "", simulator.Options{})
	d := w.hacsync(nil)
	_, err := d.Verify(t.Context())
	has(t, err, problem.KeyPairMissing)
	if _, err := d.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, err = d.Verify(t.Context())
	has(t, err, problem.ApplicationNotKnown)
	if err := d.Adopt(t.Context(), "99999999-0000-4000-8000-000000000009"); err != nil {
		t.Fatal(err)
	}
	from := w.clock.Now()
	_, err = d.Verify(t.Context())
	has(t, err, problem.ClientUnknown)
	if waited := w.clock.Now().Sub(from); waited < 5*time.Minute {
		t.Errorf("given up after %v", waited)
	}
}
