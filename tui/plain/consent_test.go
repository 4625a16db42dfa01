package plain_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hacsync/hacsync/sync/consent"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/tui/flow"
	"github.com/hacsync/hacsync/tui/flow/flowtest"
)

func (w walked) lacks(t *testing.T, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if strings.Contains(w.text, p) {
			t.Errorf("the walk says %q:\n%s", p, w.text)
		}
	}
}

func TestSignIn_ByBrowser(t *testing.T) {
	got := walk(t, flowtest.New(t), "1", "i", "browser", "approve", "q")
	got.has(t, "Open this page in a browser of this machine", "login.microsoftonline.com/organizations/oauth2/v2.0/authorize",
		"The answer comes back to this machine alone", "Signed in as "+flowtest.Account)
}

func TestSignIn_EveryFailureByBrowserHasItsWayOn(t *testing.T) {
	for part, code := range map[string]problem.Code{
		"decline": problem.CodeDeclined, "expire": problem.CodeExpired, "block": problem.BlockedByPolicy, "wrong-tenant": problem.OtherTenant,
	} {
		got := walk(t, flowtest.New(t), "1", "i", "browser", part, "page", "approve", "q")
		got.has(t, string(code), "Nothing was changed and nothing is stored.", "Signed in as "+flowtest.Account)
	}
}

func TestSignIn_ABlockOffersBrowserApplicationAndException(t *testing.T) {
	got := walk(t, flowtest.New(t), "1", "block", "", "approve", "q")
	got.has(t, "Sign-in was blocked by a rule of this organisation", "> 1 Sign in with the browser of this machine",
		"2 Sign in as a dedicated application", "3 Ask for an exception", "whoever typed the code CODE00001", "device code flow", "Signed in as")
	got = walk(t, flowtest.New(t), "1", "block", "exception", "q")
	got.has(t, "Text for whoever keeps the policies", "permit this way to sign in", "UTC (")
	// The code at the right is looked up.
	walk(t, flowtest.New(t), "1", "block", "x", "", "q").has(t, "for the time of the set-up")
}

func TestSignIn_OtherWays(t *testing.T) {
	w := flowtest.New(t)
	got := walk(t, w, "1", "i", "cloud", "china", "14d82eec-204b-4c2f-b7e8-296a70dab67e", "7d2a9c10-5b1e-4c8a-9f5e-3a1b2c3d4e5f", "approve", "q")
	got.has(t, "does not share applications", "Microsoft will name the application 7d2a9c10", "Signed in as")
	if last := w.Targets[len(w.Targets)-1]; last.Cloud != "china" || last.Client != flowtest.ApplicationID {
		t.Errorf("signed in to %+v", last)
	}
	w = flowtest.New(t)
	walk(t, w, "1", "i", "tenant", "midori.example", "approve", "q")
	if last := w.Targets[len(w.Targets)-1]; last.Tenant != "midori.example" {
		t.Errorf("signed in to %+v", last)
	}
}

func TestSignIn_AsADedicatedApplicationWithoutAnyPerson(t *testing.T) {
	w := flowtest.New(t)
	got := walk(t, w, "1", "block", "application", "nonsense", "midori.example", "run", "go", "go", "q")
	got.has(t, "That is neither a tenant ID nor a domain", "an administrator of the tenant runs the script once", "PowerShell says: Done. Application ID",
		`The sync acts as the application "hacsync midori" from now on.`, `The application "hacsync midori" is signed in`, "Choose the domain")
	if w.Targets[len(w.Targets)-1].Tenant != "midori.example" {
		t.Errorf("for %+v", w.Targets)
	}
	if len(w.Asked) != 1 {
		t.Errorf("sign-ins: %v", w.Asked)
	}
}

func TestSignIn_AskedForInBetweenGoesOn(t *testing.T) {
	for _, part := range []string{"approve", "decline"} {
		w := flowtest.New(t)
		w.Challenge = true
		got := walk(t, w, append(toPreview(), part, "q")...)
		got.has(t, "Microsoft asks for a sign-in once more", "CODE00002")
		if part == "approve" {
			got.has(t, "Step 7 of 8 Preview")
		} else {
			got.has(t, string(problem.CodeDeclined), "There is no plan, and nothing was written.")
		}
	}
}

func dedicated(more ...string) []string {
	return append([]string{"1", "approve", "once", flowtest.DomainName, "go", "dedicated"}, more...)
}

func TestGrant_ApplicationByScript(t *testing.T) {
	w := flowtest.New(t)
	got := walk(t, w, dedicated("save", "x", "AADSTS53003", "", "id", "no id here", "Done. Application ID "+flowtest.ApplicationID+", object ID adfe637d-f1d5-4b78-9eb4-c8c0219e63cb", "enough", "later", "q")...)
	got.has(t, "Seen in the tenant", "[ ] service principal", "There is no application ID in that", "Saved: hacsync-application-midori.ps1", "Sync Source")
	if !strings.Contains(w.Files["hacsync-application-midori.ps1"], "#Requires -Version 5.1") {
		t.Errorf("files: %v", w.Files)
	}

	w = flowtest.New(t)
	w.MakeApplication(true) // what it gives is seen bit by bit
	got = walk(t, w, dedicated("id", flowtest.ApplicationID, "go", "q")...)
	got.has(t, "[ok] signs in with its certificate", "acts as the application", "Sync Source")
	if w.Prepared() != 1 {
		t.Errorf("%d key pairs", w.Prepared())
	}
}

func TestGrant_ApplicationNotMadeYetIsWaitedForAndThenSaid(t *testing.T) {
	got := walk(t, flowtest.New(t), dedicated("id", flowtest.ApplicationID, "later", "q")...)
	got.has(t, string(problem.ClientUnknown), "Look until all is seen", "Sync Source")
	got.lacks(t, "acts as the application")
	// A wrong ID is not the end of it.
	w := flowtest.New(t)
	w.MakeApplication(false)
	got = walk(t, w, dedicated("id", "adfe637d-f1d5-4b78-9eb4-c8c0219e63cb", "id", flowtest.ApplicationID, "go", "q")...)
	got.has(t, string(problem.ClientUnknown), "acts as the application", "Sync Source")
}

func TestGrant_ApplicationInPlace(t *testing.T) {
	for _, way := range []string{"code", "browser"} {
		w := flowtest.New(t)
		got := walk(t, w, dedicated("g", way, "approve", "go", "q")...)
		got.has(t, "Make it now?", "Application.ReadWrite.All, AppRoleAssignment.ReadWrite.All", "This sign-in is never saved", "9", "acts as the application",
			"The sign-in that made it is not kept.", "Sync Source", `permissions of the application "hacsync midori" were given`)
		if fmt.Sprint(w.Asked[1]) != fmt.Sprint(consent.GrantScopes()) || w.Saved {
			t.Errorf("asked for %v, saved %v", w.Asked, w.Saved)
		}
	}
}

func TestGrant_NothingIsGivenWithoutAYesOrByAStranger(t *testing.T) {
	w := flowtest.New(t)
	walk(t, w, dedicated("g", "no", "later", "q")...).has(t, "Sync Source", "Nothing was written to the tenant.")
	if len(w.Asked) != 1 {
		t.Errorf("sign-ins: %v", w.Asked)
	}
	w = flowtest.New(t)
	w.Stranger = true
	got := walk(t, w, dedicated("g", "code", "block", "browser", "approve", "no", "later", "q")...)
	got.has(t, string(problem.BlockedByPolicy), string(problem.OtherTenant), "Sync Source")
	got.lacks(t, "acts as the application")
}

func TestGrant_LooksForTheApplicationOnceAUserMay(t *testing.T) {
	w := flowtest.New(t)
	w.MakeApplication(false)
	got := walk(t, w, dedicated("find", "code", "approve", "go", "q")...)
	got.has(t, "found by its tag", consent.FindScope, "acts as the application", "Sync Source")
	if fmt.Sprint(w.Asked[1]) != "["+consent.FindScope+"]" {
		t.Errorf("asked for %v", w.Asked)
	}
}

func TestPermissions_APassphraseIsAskedForTwiceAndNeverShown(t *testing.T) {
	w := flowtest.New(t)
	w.NoKeyring, w.Seal = true, flow.Sealing{}
	const pass = "correct horse battery"
	got := walk(t, w, "1", "approve", "save", "short", pass, "another one entirely", pass, pass, "q")
	got.has(t, "This machine has no keyring", "sealed with a passphrase that is asked for next", "at least 12 characters",
		"The two were not the same", "The same passphrase once more", "The sign-in is saved, sealed.", "Choose the domain")
	got.lacks(t, "horse", "another one")
	if w.Sealed() != pass || !w.Saved {
		t.Errorf("sealed %q, saved %v", w.Sealed(), w.Saved)
	}
	// Letters are letters, and back keeps the way open.
	w = flowtest.New(t)
	w.NoKeyring, w.Seal = true, flow.Sealing{}
	got = walk(t, w, "1", "approve", "save", "b", "once", "q")
	got.has(t, "Choose the domain", "No sign-in was kept.")
}

func TestSavedData_APassphraseOpensIt(t *testing.T) {
	w := flowtest.New(t)
	w.NoKeyring, w.Seal, w.Passphrase = true, flow.Sealing{}, "the right passphrase"
	w.Conns = []consent.Connection{{Name: "midori", TenantName: "Midori", Tenant: flowtest.TenantID}}
	got := walk(t, w, "saved", "1", "a wrong passphrase", "the right passphrase", "go", "q")
	got.has(t, "It is asked for once", string(problem.PassphraseWrong), "This sign-in is saved on this machine", "Choose the domain")
	got.lacks(t, "a wrong passphrase", "the right passphrase", "once more")
}

func TestSavedData_OfAnotherKeyIsShownAndLeft(t *testing.T) {
	w := flowtest.New(t)
	w.Conns = []consent.Connection{{Name: "foreign", TenantName: "Old", Tenant: "other"}}
	got := walk(t, w, "saved", "1", "b", "add", "approve", "q")
	got.has(t, string(problem.SealedElsewhere), "The saved data stays as it is", "Signed in as")
	if last := w.Targets[len(w.Targets)-1]; last.Connection != "" || len(w.Forgotten) > 0 {
		t.Errorf("it would be overwritten: %+v", last)
	}
}

func TestSavedData_IsListedRenewedAndForgotten(t *testing.T) {
	used := time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)
	conns := func() []consent.Connection {
		return []consent.Connection{
			{Name: "midori", TenantName: "Midori", Tenant: flowtest.TenantID, Account: flowtest.Account, Cloud: "usgov", Client: "c", LastUsed: used},
			{Name: "aoi", TenantName: "Aoi", Tenant: "aoi", Application: &consent.Application{ID: flowtest.ApplicationID, Name: "hacsync aoi", Ends: used, Verified: used}},
		}
	}
	w := flowtest.New(t)
	w.Conns = conns()
	walk(t, w, "saved", "e 1", "renew", "approve", "q").has(t, flowtest.Account+", "+flowtest.DomainName+", last used 24 Nov 2026", "Signed in as")
	if last := w.Targets[len(w.Targets)-1]; last != (flow.Target{Tenant: flowtest.TenantID, Client: "c", Connection: "midori", Cloud: "usgov"}) {
		t.Errorf("signed in to %+v", last)
	}

	w = flowtest.New(t)
	w.Conns = conns()
	walk(t, w, "saved", "e 2", "certificate", "q").has(t, `application "hacsync aoi"`, "has a new certificate")

	w = flowtest.New(t)
	w.Conns = conns()
	got := walk(t, w, "saved", "e 2", "forget", "", "e 2", "forget", "forget", "q")
	got.has(t, "Is removed from this machine", `the key of the application "hacsync aoi"`, "Stays", "The saved data of Aoi is forgotten.")
	if fmt.Sprint(w.Forgotten) != "[aoi]" {
		t.Errorf("forgotten %v", w.Forgotten)
	}
	walk(t, w, "saved", "e 9", "e", "q").has(t, "That is not one of the choices")
}

func TestDomain_SavesTheScriptThatMovesObjects(t *testing.T) {
	w := flowtest.New(t)
	walk(t, w, "1", "approve", "once", flowtest.DomainName, "w", "save", "go", "q").has(t, "Saved: hacsync-move-midori.example.ps1", "As whom?")
	if w.Moved != 2 || !strings.Contains(w.Files["hacsync-move-midori.example.ps1"], "move 3") {
		t.Errorf("%d scripts, files %v", w.Moved, w.Files)
	}
}

func TestSource_HACClientIsAskedForAndKeptSealed(t *testing.T) {
	w := flowtest.New(t)
	to := []string{"1", "approve", "once", flowtest.DomainName, "go", "go", "hac"}
	got := walk(t, w, append(to, "two words", "hac-1", "", "b", "", "very secret", "go", "q")...)
	got.has(t, "A client ID is one word", "Nothing was typed", "Client ID hac-1", "Step 7 of 8 Preview")
	got.lacks(t, "very secret")
	if w.HACClient != "hac-1" || w.HACSecret != "very secret" {
		t.Errorf("kept %q %q", w.HACClient, w.HACSecret)
	}
}
