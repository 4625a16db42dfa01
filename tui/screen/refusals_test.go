package screen

import (
	"strings"
	"testing"

	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/tui/flow"
	"github.com/hacsync/hacsync/tui/flow/flowtest"
)

// refusals are the ways in which a sign-in ends that its screen has to show.
func refusals() []*problem.Problem {
	args := problem.Args{
		"number": "99999", "client": "14d82eec-204b-4c2f-b7e8-296a70dab67e", "upn": flowtest.Account, "tenant": "bae65206-1b7d-4e0f-9c55-2d6a8b1f7e10",
		"expected": flowtest.TenantID, "off": "10 minutes", "ends": "2026-11-21", "application": "hacsync midori", "why": "it did not answer",
		"proxy": "proxy.example:8080", "host": "login.microsoftonline.com", "issuer": "Corp Proxy Root", "permissions": "User.Read.All",
		"correlation": "4c1f6e0a-7a55-4b3e-9d1c-0f7d5a3b9e21", "trace": "9b0e2f51-2c6d-4f0a-8f3e-6a1d7c400d00", "message": "The sign-in was refused.",
	}
	var all []*problem.Problem
	for _, code := range []problem.Code{
		problem.CodeDeclined, problem.CodeExpired, problem.CodeUnknown, problem.SignInRefused, problem.SignInBroken, problem.AuthorityTrouble,
		problem.SignInAgain, problem.RedirectWrong, problem.DeviceNotFit, problem.BlockedByPolicy, problem.FlowBlocked,
		problem.AccountNotInTenant, problem.SecondFactor, problem.NotAssigned, problem.WrongPassword, problem.ExternalChallenge,
		problem.SessionRevoked, problem.ConsentMissing, problem.ConsentDeclined, problem.SignInTooOld, problem.ClientUnknown,
		problem.AssertionTime, problem.CertificateUnknown, problem.SignInUnused, problem.SecretWrong, problem.PublicFlowOff,
		problem.AdminConsent, problem.ClientNotAuthorized, problem.TenantUnknown, problem.AccountUnknown, problem.AccountDisabled,
		problem.SignInOther, problem.OtherTenant, problem.GuestSignedIn, problem.PersonalAccount, problem.ClockOff, problem.ScopesShort,
		problem.ProxyCA, problem.ProxyAuth, problem.CertificateExpired, problem.ApplicationDisabled, problem.OtherCloud,
		problem.TenantRestricted, problem.AccountLocked, problem.AppNotSetUp, problem.PageExpired, problem.NoLanding, problem.PageDeclined,
	} {
		all = append(all, problem.New(code, args))
	}
	return all
}

func TestSignIn_EveryRefusalHasAScreenWithItsWordsAndAWayOn(t *testing.T) {
	for _, p := range refusals() {
		t.Run(string(p.Code), func(t *testing.T) {
			w := flowtest.New(t)
			w.Still, w.Refuse = still, p
			st := newStage(t, w, 80, 24)
			st.to(flow.SignIn).shows("Type this code").choose("approve").shows(string(p.Code))
			for _, size := range [][2]int{{80, 24}, {100, 30}, {200, 60}} {
				st.s.width, st.s.height = size[0], size[1]
				screen := st.photographAt(size[0], size[1])
				if strings.Contains(screen, "<no value>") || strings.Contains(screen, "«") {
					t.Errorf("words are missing:\n%s", screen)
				}
				if !strings.Contains(screen, "enter") || !strings.Contains(screen, st.s.env.Signs.Here+"  1") && !strings.Contains(screen, st.s.env.Signs.Here+"  2") {
					t.Errorf("no way on at %dx%d:\n%s", size[0], size[1], screen)
				}
			}
			if testing.Verbose() {
				t.Log("\n" + st.photographAt(100, 30))
			}
		})
	}
}
