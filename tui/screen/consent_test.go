package screen

import (
	"fmt"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/hacsync/hacsync/sync/consent"
	"github.com/hacsync/hacsync/tui/flow"
	"github.com/hacsync/hacsync/tui/flow/flowtest"
	"github.com/hacsync/hacsync/tui/widget"
)

// still is when golden screens are taken.
var still = time.Date(2026, 11, 25, 0, 25, 18, 0, time.UTC)

// saved are two connections, one of a person and one of an application.
func saved() []consent.Connection {
	return []consent.Connection{
		{
			Name: "midori", Tenant: flowtest.TenantID, TenantName: "みどりサンプル株式会社", Initial: "midorisample.onmicrosoft.com",
			Account: flowtest.Account, Cloud: "public", LastUsed: still.Add(-20 * time.Hour),
		},
		{
			Name: "aoi", Tenant: "other", TenantName: "Aoi Sample K.K.", Initial: "aoisample.onmicrosoft.com", Account: "s.aoki@aoisample.onmicrosoft.com",
			Cloud: "public", LastUsed: still.Add(-30 * 24 * time.Hour),
			Application: &consent.Application{ID: flowtest.ApplicationID, Name: "hacsync aoi", Ends: still.AddDate(0, 0, 21), Verified: still.AddDate(-1, 0, 0)},
		},
	}
}

func (st *stage) toDedicated() *stage {
	st.t.Helper()
	st.to(flow.Grant).shows("As whom?").choose("dedicated")
	return st
}

func TestGolden_Consent(t *testing.T) {
	real := func(w *flowtest.World) { w.IsDemo = false }
	steps := []struct {
		name  string
		world func(*flowtest.World)
		walk  func(*stage)
	}{
		{"browser", real, func(st *stage) {
			st.to(flow.SignIn).shows("Type this code").keys("i").shows("In another cloud").keys("1").shows("Open this page in a browser")
		}},
		{"browser-demo", nil, func(st *stage) {
			st.to(flow.SignIn).shows("Type this code").choose("block").shows("HS-1203").choose("browser").shows("Open this page in a browser", "What do you do there")
		}},
		{"qr", real, func(st *stage) { st.to(flow.SignIn).shows("Type this code").keys("v").shows("camera") }},
		{"exception", nil, func(st *stage) {
			st.to(flow.SignIn).shows("Type this code").choose("block").shows("HS-1203").choose("exception").shows("Text for whoever", "Back to")
		}},
		{"expired", nil, func(st *stage) { st.to(flow.SignIn).shows("Type this code").choose("expire").shows("HS-1102") }},
		{"wrong-tenant", nil, func(st *stage) { st.to(flow.SignIn).shows("Type this code").choose("wrong-tenant").shows("HS-1301") }},
		{"other-ways", real, func(st *stage) { st.to(flow.SignIn).shows("Type this code").keys("i").shows("In another cloud") }},
		{"passphrase", func(w *flowtest.World) { w.NoKeyring, w.Seal = true, flow.Sealing{} }, func(st *stage) {
			st.to(flow.Permissions).shows("Keep this sign-in?").keys("1").shows("Choose a passphrase").keys("type:a secret!")
		}},
		{"saved", func(w *flowtest.World) { w.Conns = saved() }, func(st *stage) { st.shows("+ Add Service").choose("saved").shows("Which tenant?") }},
		{"saved-care", func(w *flowtest.World) { w.Conns = saved() }, func(st *stage) {
			st.shows("+ Add Service").choose("saved").shows("Which tenant?").keys("down", "e").shows("Renew the certificate")
		}},
		{"forget", func(w *flowtest.World) { w.Conns = saved() }, func(st *stage) {
			st.shows("+ Add Service").choose("saved").shows("Which tenant?").keys("down", "e").shows("Renew the certificate").choose("forget").shows("Forget it?")
		}},
		{"dedicated", nil, func(st *stage) { st.toDedicated().shows("Who makes it?") }},
		{"dedicated-script", nil, func(st *stage) { st.toDedicated().shows("Who makes it?").keys("v") }},
		{"dedicated-give", nil, func(st *stage) { st.toDedicated().shows("Who makes it?").keys("g").shows("Make it now?") }},
		{"dedicated-granting", real, func(st *stage) { st.dedicatedReal().keys("g").shows("Make it now?").keys("1").shows("Type this code") }},
		{"dedicated-looking", func(w *flowtest.World) { w.MakeApplication(true) }, func(st *stage) {
			st.anew(func(o *flow.Options) { o.Poll = time.Hour })
			st.toDedicated().shows("Who makes it?").choose("id").shows("can be pasted whole").keys("type:"+flowtest.ApplicationID, "enter").shows("4 of 9")
		}},
		{"dedicated-done", nil, func(st *stage) {
			st.toDedicated().shows("Who makes it?").choose("run").shows("acts as the application")
		}},
		{"hac-client", nil, func(st *stage) { st.to(flow.Source).shows("Where do the users").choose("hac").shows("Client ID") }},
		{"hac-secret", nil, func(st *stage) {
			st.to(flow.Source).shows("Where do the users").choose("hac").shows("Client ID").keys("type:hac-1", "enter").shows("Client secret").keys("type:very secret")
		}},
		{"again", func(w *flowtest.World) { w.Challenge = true }, func(st *stage) {
			st.to(flow.Preview).shows("Path of the file").keys("ctrl+u", "type:users.csv", "enter").shows("How many users")
			st.keys("type:22", "enter").shows("once more")
		}},
	}
	for _, x := range steps {
		t.Run(x.name, func(t *testing.T) {
			w := flowtest.New(t)
			w.Still, w.Name = still, "みどりサンプル株式会社"
			if x.world != nil {
				x.world(w)
			}
			st := newStage(t, w, 80, 24)
			x.walk(st)
			for _, size := range [][2]int{{80, 24}, {100, 30}} {
				st.s.width, st.s.height = size[0], size[1]
				flowtest.Golden(t, fmt.Sprintf("consent-%s-%dx%d-en", x.name, size[0], size[1]), st.photograph())
			}
			for _, size := range [][2]int{{140, 40}, {200, 60}, {80, 24}} {
				st.s.width, st.s.height = size[0], size[1]
				st.lines()
			}
			st.s.language()
			flowtest.Golden(t, "consent-"+x.name+"-80x24-ja", st.photograph())
			for _, size := range [][2]int{{100, 30}, {200, 60}} {
				st.s.width, st.s.height = size[0], size[1]
				st.lines()
			}
		})
	}
}

// dedicatedReal walks to the application of a real tenant, where a user signs in
// outside.
func (st *stage) dedicatedReal() *stage {
	st.t.Helper()
	st.to(flow.SignIn).shows("Type this code")
	_, c := st.w.Latest()
	c <- flow.Approve
	st.shows("Keep this sign-in?").keys("2").shows("Which domain?").choose(flowtest.DomainName).shows("Pre-check of").keys("1")
	return st.shows("As whom?").choose("dedicated").shows("Who makes it?")
}

func TestQR_IsDrawnWhereItFitsAndSaysSoWhereNot(t *testing.T) {
	w := flowtest.New(t)
	w.IsDemo = false
	st := newStage(t, w, 80, 24)
	st.to(flow.SignIn).shows("Type this code").keys("v").shows("camera", "CODE00001")
	if s := st.screen(); !strings.Contains(s, "▀") || strings.Count(s, "█") < 50 {
		t.Errorf("no QR code:\n%s", s)
	}
	st.keys("v").shows("Type this code").keys("v")
	st.s.env.Signs = widget.ASCII()
	st.shows("needs").lacks("▀")
	st.take(tea.WindowSizeMsg{Width: 160, Height: 60})
	st.shows("camera").lacks("▀")
	st.keys("esc").shows("Type this code")
	if st.s.v.Step != flow.SignIn {
		t.Error("esc left the step, not the QR code")
	}
}

func TestSecret_IsDrawnAsDotsAndNowhereElse(t *testing.T) {
	w := flowtest.New(t)
	w.NoKeyring, w.Seal = true, flow.Sealing{}
	st := newStage(t, w, 80, 24)
	const pass = "correct horse 馬"
	st.to(flow.Permissions).shows("Keep this sign-in?").keys("1").shows("Choose a passphrase")
	seen := func() {
		t.Helper()
		if s := st.screen() + fmt.Sprintf("%+v", st.s.v); strings.Contains(s, "horse") || strings.Contains(s, "馬") {
			t.Fatalf("the passphrase is in sight:\n%s", s)
		}
	}
	st.keys("type:" + pass)
	seen()
	if !strings.Contains(st.screen(), strings.Repeat("*", len([]rune(pass)))) {
		t.Errorf("no dots:\n%s", st.screen())
	}
	st.keys("enter").shows("once more")
	seen()
	st.take(tea.PasteMsg{Content: "another one entirely"})
	st.keys("enter").shows("were not the same")
	st.keys("type:"+pass, "enter").shows("once more").keys("type:"+pass, "enter").shows("Choose the domain")
	seen()
	if w.Sealed() != pass || !w.Saved {
		t.Errorf("sealed with %d characters, saved %v", len(w.Sealed()), w.Saved)
	}
}

func TestSavedData_IsForgottenOnlyAfterAsking(t *testing.T) {
	w := flowtest.New(t)
	w.Conns = saved()
	st := newStage(t, w, 80, 24)
	st.shows("+ Add Service").choose("saved").shows("Which tenant?", "hacsync aoi").keys("down", "e").shows("Saved data of Aoi").choose("forget")
	st.shows("Forget it?", "Periodic Sync stops").keys("enter").shows("Which tenant?")
	if len(w.Forgotten) != 0 {
		t.Fatalf("forgotten: %v", w.Forgotten)
	}
	st.keys("down", "e").shows("Saved data of Aoi").choose("forget").shows("Forget it?").choose("forget").shows("is forgotten").lacks("Aoi Sample K.K. (")
	if fmt.Sprint(w.Forgotten) != "[aoi]" {
		t.Errorf("forgotten: %v", w.Forgotten)
	}
}

func TestGrant_GivenInPlaceAsksFirstAndSignsInForItAlone(t *testing.T) {
	w := flowtest.New(t)
	st := newStage(t, w, 100, 30)
	st.toDedicated().shows("Who makes it?").keys("g").shows("Make it now?", "MailboxSettings.Read")
	if len(w.Asked) != 1 {
		t.Fatalf("signed in before it was confirmed: %v", w.Asked)
	}
	st.keys("esc").shows("Who makes it?").keys("g").shows("Make it now?").choose("code").shows("Type this code", "Application.ReadWrite.All")
	st.choose("approve").shows("acts as the application").keys("enter")
	st.until(func() bool { return st.s.v.Step == flow.Source })
	if got := fmt.Sprint(w.Asked[1]); got != fmt.Sprint(consent.GrantScopes()) {
		t.Errorf("asked for %v", got)
	}
	if w.Saved {
		t.Error("a sign-in was saved")
	}
}

func TestGrant_CopiesTheWholeScript(t *testing.T) {
	st := newStage(t, flowtest.New(t), 80, 24)
	st.toDedicated().shows("Who makes it?").keys("c")
	st.until(func() bool { return len(st.clip) == 1 })
	if !strings.Contains(st.clip[0], "# 9  sign-in") || strings.Contains(st.clip[0], "..") {
		t.Errorf("copied: %q", st.clip[0])
	}
}

func TestSignIn_AfterABlockTheBrowserIsOnePressAway(t *testing.T) {
	w := flowtest.New(t)
	st := newStage(t, w, 80, 24)
	st.to(flow.SignIn).shows("Type this code").choose("block").shows("HS-1203").keys("enter").shows("Open this page in a browser")
	st.choose("approve").shows("Keep this sign-in?")
}

func TestSignIn_AskedForInBetweenShowsTheCodeAndGoesOn(t *testing.T) {
	w := flowtest.New(t)
	w.Challenge = true
	st := newStage(t, w, 100, 30)
	st.to(flow.Preview).shows("Path of the file").keys("ctrl+u", "type:users.csv", "enter").shows("How many users")
	st.keys("type:22", "enter").shows("once more", "CODE00002", "User.Read.All").choose("approve")
	st.until(func() bool { return st.s.v.Step == flow.Preview })
}
