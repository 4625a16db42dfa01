package graphclient_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/hacsync/hacsync/graphclient"
	"github.com/hacsync/hacsync/graphclient/signin"
	"github.com/hacsync/hacsync/graphclient/simulator"
	"github.com/hacsync/hacsync/sync/consent"
	"github.com/hacsync/hacsync/sync/destination"
	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/progress"
)

// onTenant signs in to a simulated tenant over TLS, as the program does.
func onTenant(t *testing.T, o simulator.Options) (*graphclient.Client, *signin.Client, consent.Account) {
	t.Helper()
	s, err := simulator.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	ready := s.Ready()
	ca, err := os.ReadFile(ready.CA)
	if err != nil {
		t.Fatal(err)
	}
	client, err := graphclient.HTTPClient(string(ca))
	if err != nil {
		t.Fatal(err)
	}
	in, err := signin.New(signin.Options{Authority: ready.Authority, ClientID: ready.Client, Graph: ready.Graph, HTTP: client})
	if err != nil {
		t.Fatal(err)
	}
	_, wait, err := in.DeviceCode(t.Context(), consent.ReadScopes())
	if err != nil {
		t.Fatal(err)
	}
	who, err := wait(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if who.Tenant != ready.Tenant || who.ID == "" || who.UPN == "" {
		t.Fatalf("account = %+v", who)
	}
	c, err := graphclient.New(graphclient.Options{
		Graph: ready.Graph, HTTP: client, Tokens: in, ReadScopes: consent.ReadScopes(), WriteScopes: []string{consent.WriteScope},
		SignedIn: []directory.ID{who.ID},
	})
	if err != nil {
		t.Fatal(err)
	}
	return c, in, who
}

func TestTenant_FromSignInToWrite(t *testing.T) {
	c, in, who := onTenant(t, simulator.Options{Users: 2500, Seed: 7})
	ctx := t.Context()

	r, err := c.Read(ctx, directory.Standard(), progress.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if r.Users.Len() < 2500 || r.Users.Proof().Pages < 3 || r.Tenant.ID != who.Tenant || r.Tenant.Initial == "" {
		t.Fatalf("read %d accounts on %d pages of %+v", r.Users.Len(), r.Users.Proof().Pages, r.Tenant)
	}
	me, ok := r.Users.ByID(who.ID)
	if !ok || !me.Marks().Has(directory.SignedIn|directory.RoleHolder) {
		t.Errorf("who signed in is not protected: %b", me.Marks())
	}
	var domain string
	for _, d := range r.Tenant.Domains {
		if d.Verified && !d.Federated && !d.Initial {
			domain = d.Name
		}
	}
	if domain == "" {
		t.Fatalf("no managed domain among %+v", r.Tenant.Domains)
	}
	if p, err := c.Precheck(ctx, domain); err != nil || p.Users == 0 {
		t.Fatalf("precheck = %+v, %v", p, err)
	}

	// Reading cannot write: the token has no such permission.
	var plain directory.User
	for u := range r.Users.All() {
		if !u.Marks().Any(^(directory.Enabled | directory.Addressed | directory.ExchangePlan | directory.Licensed | directory.WasLicensed)) && directory.InDomain(u.UPN(), domain) {
			plain = u
			break
		}
	}
	if plain.UPN() == "" {
		t.Fatal("no ordinary account")
	}
	if ps, err := c.Purposes(ctx, []directory.ID{plain.ID(), who.ID}, progress.Discard); err != nil || !ps[plain.ID()].Has(directory.PurposeUnknown) {
		t.Errorf("purposes = %v, %v: a person may not read those of others", ps, err)
	}
	if _, err := in.Silent(ctx, []string{consent.WriteScope}); err != nil {
		code, wait, err := in.DeviceCode(ctx, []string{consent.WriteScope})
		if err != nil || code.UserCode == "" {
			t.Fatal(err)
		}
		if _, err := wait(ctx); err != nil {
			t.Fatal(err)
		}
	}

	upn := "hacsync.test@" + domain
	steps := []plan.Step{
		{Verb: plan.Create, Password: true, ForceChange: true, Set: []plan.Change{
			set(directory.UserPrincipalName, upn), set(directory.DisplayName, "検査 太郎"), set(directory.MailNickname, "hacsync.test"),
			set(directory.ImmutableID, "SGFjc3luYw=="), set(directory.Surname, "検査"), set(directory.AccountEnabled, "true"),
		}},
		{Verb: plan.Patch, Object: directory.Ref{ID: plain.ID(), UPN: plain.UPN()}, Set: []plan.Change{set(directory.Surname, "Changed"), {Attribute: directory.GivenName}}},
		{Verb: plan.Create, Set: []plan.Change{
			set(directory.UserPrincipalName, plain.UPN()), set(directory.DisplayName, "x"), set(directory.MailNickname, "x"),
		}},
		{Verb: plan.DeleteUser, Object: directory.Ref{ID: "00000000-0000-4000-8000-00000000dead", UPN: "nobody@" + domain}},
		{Verb: plan.Patch, Object: directory.Ref{ID: plain.ID(), UPN: plain.UPN()}, Set: []plan.Change{set(directory.UserPrincipalName, "no spaces@"+domain)}},
	}
	out := c.Write(ctx, steps)
	if out[0].Did != destination.Applied || out[0].ID == "" || out[1].Did != destination.Applied {
		t.Fatalf("outcomes %+v %v, %+v %v", out[0], out[0].Why, out[1], out[1].Why)
	}
	for i, code := range map[int]problem.Code{2: problem.ConflictUPN, 3: problem.AccountGone, 4: problem.ValueRefused} {
		if out[i].Did != destination.NotDone || out[i].Why == nil || out[i].Why.Code != code {
			t.Errorf("outcome %d = %v, want %s", i, out[i].Why, code)
		}
	}

	see := func(want directory.Presence, refs ...directory.Ref) []directory.Sighting {
		t.Helper()
		all, err := c.Look(ctx, refs, directory.Standard(), destination.WithRoles)
		if err != nil || len(all) != len(refs) {
			t.Fatalf("%d sightings, %v", len(all), err)
		}
		for _, s := range all {
			if s.Presence != want || time.Since(s.ServerTime) > time.Hour {
				t.Errorf("%+v is %d at %v, want %d", s.Ref, s.Presence, s.ServerTime, want)
			}
		}
		return all
	}
	made := directory.Ref{ID: out[0].ID}
	byUPN, byImmutable := directory.Ref{UPN: strings.ToUpper(upn)}, directory.Ref{ImmutableID: "SGFjc3luYw=="}
	s := see(directory.Live, made, byUPN, byImmutable, directory.Ref{ID: plain.ID()})
	if s[0].Record.UPN != upn || s[1].Record.ID != made.ID || s[2].Record.ID != made.ID || !s[0].Record.Marks.Has(directory.Enabled) {
		t.Errorf("sightings %+v", s)
	}
	if v, _ := s[0].Record.Get(directory.Surname); v != "検査" {
		t.Errorf("surname %q", v)
	}
	if v, on := s[3].Record.Get(directory.GivenName); on {
		t.Errorf("given name was not cleared: %q", v)
	}

	// Deleted, found by every key, restored under another name.
	if o := c.Write(ctx, []plan.Step{{Verb: plan.DeleteUser, Object: made}})[0]; o.Did != destination.Applied {
		t.Fatalf("delete: %v", o.Why)
	}
	for _, s := range see(directory.InRecycleBin, made, byUPN, byImmutable) {
		if s.Record.UPN != upn || s.Record.Deleted.IsZero() {
			t.Errorf("in the recycle bin: %+v", s.Record)
		}
	}
	if o := c.Write(ctx, []plan.Step{{Verb: plan.RestoreUser, Object: made, Set: []plan.Change{set(directory.UserPrincipalName, "back."+upn)}}})[0]; o.Did != destination.Applied {
		t.Fatalf("restore: %v", o.Why)
	}
	if s := see(directory.Live, made); s[0].Record.UPN != "back."+upn {
		t.Errorf("restored as %s", s[0].Record.UPN)
	}
	see(directory.Absent, byUPN)
}

func TestTenant_EachWayASignInEnds(t *testing.T) {
	for number, want := range map[int]problem.Code{53003: problem.BlockedByPolicy, 50105: problem.NotAssigned, 7000218: problem.PublicFlowOff} {
		s, err := simulator.Start(t.Context(), simulator.Options{Users: 5, RefuseSignIn: number})
		if err != nil {
			t.Fatal(err)
		}
		ca, err := os.ReadFile(s.Ready().CA)
		if err != nil {
			t.Fatal(err)
		}
		client, err := graphclient.HTTPClient(string(ca))
		if err != nil {
			t.Fatal(err)
		}
		in, err := signin.New(signin.Options{Authority: s.Ready().Authority, ClientID: s.Ready().Client, Graph: s.Ready().Graph, HTTP: client})
		if err != nil {
			t.Fatal(err)
		}
		_, wait, err := in.DeviceCode(t.Context(), consent.ReadScopes())
		if err == nil {
			_, err = wait(t.Context())
		}
		wantCode(t, err, want)
		_ = s.Close()
	}
}

// A tenant as old and as licensed as a real one, over the simulator's own rules.
func TestTenant_ReadsWhoIsOldAndWhoAnswersTheTelephone(t *testing.T) {
	const file = `{"organization":{"displayName":"Old"},"domains":[{"id":"old.example","isVerified":true,"isInitial":true}],"users":[
{"userPrincipalName":"admin@old.example"},
{"userPrincipalName":"old@old.example","userType":null},
{"userPrincipalName":"aa@old.example","accountEnabled":false,"assignedLicenses":[{"skuId":"440eaaa8-b3e0-484b-a8be-62870b9ba70a"}]},
{"userPrincipalName":"grace@old.example","mail":"grace@old.example","assignedPlans":[{"service":"exchange","capabilityStatus":"Warning"}]},
{"id":"00000000-0000-4000-8000-000000000005","userPrincipalName":"maybe@old.example"}],
"groups":[{"id":"00000000-0000-4000-8000-000000000009","displayName":"Operators","isAssignableToRole":true}],
"groupEligibilitySchedules":[{"groupId":"00000000-0000-4000-8000-000000000009","principalId":"maybe@old.example"}],
"signedIn":"admin@old.example"}`
	c, in, _ := onTenant(t, simulator.Options{Tenant: []byte(file)})
	read := func() map[string]directory.Marks {
		r, err := c.Read(t.Context(), directory.Standard(), progress.Discard)
		if err != nil {
			t.Fatal(err)
		}
		of := map[string]directory.Marks{}
		for u := range r.Users.All() {
			of[u.UPN()] = u.Marks()
		}
		if missing := len(r.Notes) == 0; missing != of["maybe@old.example"].Has(directory.RoleGroup) {
			t.Errorf("notes %v, marks %b", r.Notes, of["maybe@old.example"])
		}
		return of
	}
	of := read()
	for upn, want := range map[string]directory.Marks{
		"old@old.example": directory.OldMember, "aa@old.example": directory.ResourceAccount, "grace@old.example": directory.ExchangePlan,
	} {
		if m := of[upn]; !m.Has(want) || m.Has(directory.Guest) {
			t.Errorf("%s has marks %b", upn, m)
		}
	}
	if of["maybe@old.example"].Has(directory.RoleGroup) {
		t.Error("read without the permission")
	}
	// The permission is accepted once, for another request: the token has it from
	// then on.
	_, wait, err := in.DeviceCode(t.Context(), append(consent.ReadScopes(), eligiblePermission))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !read()["maybe@old.example"].Has(directory.RoleGroup) {
		t.Error("not read with the permission")
	}
}
