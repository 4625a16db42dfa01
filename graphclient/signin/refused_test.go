package signin_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hacsync/hacsync/graphclient/signin"
	"github.com/hacsync/hacsync/graphclient/simulator"
	"github.com/hacsync/hacsync/sync/consent"
	"github.com/hacsync/hacsync/sync/message"
	"github.com/hacsync/hacsync/sync/problem"
)

// numbers are the refusals worth words of their own. first are those of a
// sign-in, again those of a saved one that is renewed, application those of a
// certificate.
var numbers = []struct {
	aadsts                    int
	want                      problem.Code
	first, again, application bool
	remedy                    string // a word of who or where
}{
	{50011, problem.RedirectWrong, true, false, false, "[Mobile and desktop applications] in the Entra admin center"},
	{50020, problem.AccountNotInTenant, true, true, false, "administrator account of the tenant"},
	{90072, problem.AccountNotInTenant, true, true, false, "administrator account of the tenant"},
	{50034, problem.AccountUnknown, true, true, false, "Microsoft's page"},
	{50053, problem.AccountLocked, true, true, false, "Microsoft 365 admin center"},
	{50057, problem.AccountDisabled, true, true, false, "Microsoft 365 admin center"},
	{50076, problem.SecondFactor, true, true, false, "hacsync connect"},
	{50079, problem.SecondFactor, true, true, false, "hacsync connect"},
	{50105, problem.NotAssigned, true, true, true, "[Users and groups]"},
	{50126, problem.WrongPassword, true, false, false, "Microsoft's page"},
	{50158, problem.ExternalChallenge, true, true, false, "hacsync connect"},
	{50173, problem.SessionRevoked, false, true, false, "hacsync connect"},
	{53000, problem.DeviceNotFit, true, true, false, "Conditional Access"},
	{53001, problem.DeviceNotFit, true, true, false, "Conditional Access"},
	{53003, problem.BlockedByPolicy, true, true, true, "browser of this machine"},
	{530036, problem.FlowBlocked, true, true, false, "browser of this machine"},
	{65001, problem.ConsentMissing, true, true, true, "Global Administrator"},
	{65004, problem.ConsentDeclined, true, false, false, "[Accept]"},
	{70043, problem.SignInTooOld, false, true, false, "hacsync connect"},
	{700016, problem.ClientUnknown, true, true, true, "--client-id"},
	{700024, problem.AssertionTime, false, false, true, "time server"},
	{700027, problem.CertificateUnknown, false, false, true, "An administrator adds it"},
	{700082, problem.SignInUnused, false, true, false, "hacsync connect"},
	{7000112, problem.ApplicationDisabled, true, true, true, "[Enterprise applications]"},
	{7000215, problem.SecretWrong, false, false, true, "owner of the application"},
	{7000218, problem.PublicFlowOff, true, true, false, "[Allow public client flows]"},
	{1000502, problem.CertificateExpired, false, false, true, "[Certificates & secrets]"},
	{90002, problem.TenantUnknown, true, true, true, "tenant ID"},
	{90038, problem.OtherCloud, true, true, true, "--cloud"},
	{900439, problem.OtherCloud, true, true, true, "--cloud"},
	{500021, problem.TenantRestricted, true, true, true, "network administrator"},
	{90094, problem.AdminConsent, true, true, false, "Global Administrator"},
	{90099, problem.ClientNotAuthorized, true, true, true, "administrator of the tenant"},
}

// said looks at what a person reads of a refusal.
func said(t *testing.T, err error, number int, want problem.Code, remedy string) {
	t.Helper()
	p := problem.Of(err)
	if p == nil || p.Code != want {
		t.Errorf("%v, want %s", err, want)
		return
	}
	if p.Class() != problem.Mend || p.Upstream == nil || p.Upstream.Code != "AADSTS"+strconv.Itoa(number) || p.Args["correlation"] == "" || p.Args["trace"] == "" || p.Args["time"] == "" {
		t.Errorf("the problem lost something: %v, %+v", p, p.Upstream)
	}
	for _, lang := range []string{"en", "ja"} {
		words, err := message.New(lang)
		if err != nil {
			t.Fatal(err)
		}
		e := words.Problem(p)
		for _, s := range []string{e.What, e.Remedy, e.Short} {
			if s == "" || strings.Contains(s, "no value") || strings.Contains(s, "{{") || strings.Contains(s, "!") {
				t.Errorf("in %s it reads %q", lang, s)
			}
		}
		if lang == "en" && !strings.Contains(e.Remedy, remedy) {
			t.Errorf("the remedy names neither who nor where: %q", e.Remedy)
		}
	}
}

func TestRefusals_HaveTheirOwnWordsWhicheverWay(t *testing.T) {
	s := world(t, simulator.Options{Approve: "page"}, pair())
	scopes := []string{"User.Read.All"}
	for _, n := range numbers {
		t.Run(fmt.Sprint(n.aadsts), func(t *testing.T) {
			if n.first {
				c := client(t, s)
				code, wait, err := c.DeviceCode(t.Context(), scopes)
				if err != nil {
					t.Fatal(err)
				}
				if err := s.AnswerCode(code.UserCode, simulator.Answer{Refuse: n.aadsts}); err != nil {
					t.Fatal(err)
				}
				_, err = wait(t.Context())
				said(t, err, n.aadsts, n.want, n.remedy)

				page, wait, err := c.Browser(t.Context(), scopes)
				if err != nil {
					t.Fatal(err)
				}
				if err := s.AnswerPage(t.Context(), page.URL, simulator.Answer{Refuse: n.aadsts}); err != nil {
					t.Fatal(err)
				}
				_, err = wait(t.Context())
				said(t, err, n.aadsts, n.want, n.remedy)
			}
			if n.again {
				c := client(t, s)
				if _, err := byPage(t, s, c, simulator.Answer{}, scopes...); err != nil {
					t.Fatal(err)
				}
				s.RefuseSignIns(n.aadsts)
				_, err := c.Silent(t.Context(), []string{consent.WriteScope})
				s.RefuseSignIns(0)
				said(t, err, n.aadsts, n.want, n.remedy)
			}
			if n.application {
				a := application(t, s, pair())
				s.RefuseSignIns(n.aadsts)
				_, err := a.Token(t.Context())
				s.RefuseSignIns(0)
				said(t, err, n.aadsts, n.want, n.remedy)
			}
			// And pasted from a page that the program never hears of: all that is
			// known is the number.
			p := signin.Explain(fmt.Sprintf("AADSTS%d: Some words.", n.aadsts))
			if p == nil || p.Code != n.want {
				t.Fatalf("pasted it is %v", p)
			}
			for _, lang := range []string{"en", "ja"} {
				words, err := message.New(lang)
				if err != nil {
					t.Fatal(err)
				}
				e := words.Problem(p)
				if all := e.What + e.Remedy + e.Short; strings.Contains(all, "no value") || strings.Contains(all, "  ") || strings.Contains(all, " .") {
					t.Errorf("pasted, in %s: %q", lang, all)
				}
			}
		})
	}
}

// byPage signs in with a browser; the test answers.
func byPage(t *testing.T, s *simulator.Server, c *signin.Client, answer simulator.Answer, scopes ...string) (consent.Account, error) {
	t.Helper()
	page, wait, err := c.Browser(t.Context(), scopes)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.AnswerPage(t.Context(), page.URL, answer); err != nil {
		t.Fatal(err)
	}
	return wait(t.Context())
}

// byCode signs in with a code; the test answers.
func byCode(t *testing.T, s *simulator.Server, c *signin.Client, answer simulator.Answer, scopes ...string) (consent.Account, error) {
	t.Helper()
	code, wait, err := c.DeviceCode(t.Context(), scopes)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.AnswerCode(code.UserCode, answer); err != nil {
		t.Fatal(err)
	}
	return wait(t.Context())
}

// RULES: the remedy of a blocked code names the two ways that the policy does
// not touch.
func TestRefusals_OfACodeNameBrowserAndDedicatedApplication(t *testing.T) {
	for _, lang := range []string{"en", "ja"} {
		words, err := message.New(lang)
		if err != nil {
			t.Fatal(err)
		}
		for _, number := range []int{53003, 530036} {
			remedy := words.Problem(signin.Explain("AADSTS" + strconv.Itoa(number))).Remedy
			for _, way := range [][]string{{"browser", "ブラウザー"}, {"dedicated application", "専用アプリケーション"}} {
				if !slices.ContainsFunc(way, func(w string) bool { return strings.Contains(remedy, w) }) {
					t.Errorf("%s, %d: %q does not name %v", lang, number, remedy, way)
				}
			}
		}
	}
}

func TestSignIn_OfWhomItMustNotBe(t *testing.T) {
	s := world(t, simulator.Options{Approve: "page"})
	for name, tc := range map[string]struct {
		answer simulator.Answer
		want   problem.Code
	}{
		"another organisation": {simulator.Answer{Account: simulator.ForeignAccount}, problem.OtherTenant},
		"personal account":     {simulator.Answer{Account: simulator.PersonalAccount}, problem.PersonalAccount},
		"guest":                {simulator.Answer{Account: "guest_partner.example#EXT#@contoso.onmicrosoft.com"}, problem.GuestSignedIn},
		"no role":              {simulator.Answer{Account: "nobody@contoso.example"}, problem.AdminConsent},
		"declined":             {simulator.Answer{Decline: true}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			scopes := []string{"User.Read.All"}
			if name == "guest" { // who cannot accept permissions: an administrator did
				if err := s.Consent(tc.answer.Account, "", scopes...); err != nil {
					t.Fatal(err)
				}
			}
			ways := map[string]func(*testing.T, *simulator.Server, *signin.Client, simulator.Answer, ...string) (consent.Account, error){
				"code": byCode, "page": byPage,
			}
			for way, sign := range ways {
				want := tc.want
				if want == "" {
					want = map[string]problem.Code{"code": problem.CodeDeclined, "page": problem.ConsentDeclined}[way]
				}
				c := client(t, s)
				_, err := sign(t, s, c, tc.answer, scopes...)
				if !problem.Has(err, want) || problem.Of(err).Class() != problem.Mend {
					t.Errorf("by %s: %v, want %s", way, err, want)
				}
				// None of it is kept: the tenant still has no sign-in.
				if token, err := c.Token(t.Context(), scopes...); err == nil {
					t.Errorf("by %s: there is a token all the same (%d characters)", way, len(token))
				}
			}
		})
	}
}

// An application of the organisation's own that is not set up as a public client
// says so by either way.
func TestSignIn_WithAnApplicationThatIsNoPublicClient(t *testing.T) {
	s := world(t, simulator.Options{Approve: "page"})
	own := func(o *signin.Options) { o.ClientID = appID }
	if _, err := byCode(t, s, client(t, s, own), simulator.Answer{}, "User.Read.All"); err != nil {
		t.Fatalf("an application that says nothing: %v", err)
	}
	token, err := s.Mint("admin@contoso.example", "", "Application.ReadWrite.All")
	if err != nil {
		t.Fatal(err)
	}
	change := func(body string) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPatch, s.Ready().Graph+"/v1.0/applications(appId='"+appID+"')", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+token)
		r.Header.Set("Content-Type", "application/json")
		res, err := reach(t, s).Do(r)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != http.StatusNoContent {
			t.Fatalf("PATCH: %d", res.StatusCode)
		}
	}
	change(`{"isFallbackPublicClient":false}`)
	_, err = byCode(t, s, client(t, s, own), simulator.Answer{}, "User.Read.All")
	if p := wantCode(t, err, problem.PublicFlowOff); p.Args["client"] != appID {
		t.Errorf("args %v", p.Args)
	}
	// The page is shown an error, and the browser never comes back.
	page, wait, err := client(t, s, own).Browser(t.Context(), []string{"User.Read.All"})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.AnswerPage(t.Context(), page.URL, simulator.Answer{}); err == nil || !strings.Contains(err.Error(), "redirect URI") {
		t.Errorf("the page says %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, _ = wait(ctx)
	change(`{"publicClient":{"redirectUris":["http://localhost"]}}`)
	if _, err := byPage(t, s, client(t, s, own), simulator.Answer{}, "User.Read.All"); err != nil {
		t.Errorf("with the address registered: %v", err)
	}
}

func TestChallenge_GoesWithTheNextSignInAndIsForgottenThen(t *testing.T) {
	const demand = `{"access_token":{"acrs":{"essential":true,"value":"c1"}}}`
	s := world(t, simulator.Options{Approve: "page"})
	scopes := []string{"User.Read.All"}
	carries := func(c *signin.Client) bool {
		t.Helper()
		_, q, wait := open(t, c, scopes...)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, _ = wait(ctx)
		return strings.Contains(q.Get("claims"), "acrs")
	}
	for way, sign := range map[string]func(*testing.T, *simulator.Server, *signin.Client, simulator.Answer, ...string) (consent.Account, error){
		"code": byCode, "page": byPage,
	} {
		c := client(t, s)
		if _, err := byPage(t, s, c, simulator.Answer{}, scopes...); err != nil {
			t.Fatal(err)
		}
		if carries(c) {
			t.Fatalf("%s: claims that nobody asked for", way)
		}
		if err := s.Demand("admin@contoso.example", demand); err != nil {
			t.Fatal(err)
		}
		// Graph's challenge, which no refresh answers.
		_, err := c.Renew(t.Context(), demand, scopes...)
		if p := problem.Of(err); p == nil || p.Class() != problem.Mend {
			t.Fatalf("%s: Renew = %v", way, err)
		}
		if !carries(c) {
			t.Errorf("%s: the challenge was not remembered", way)
		}
		if _, err := sign(t, s, c, simulator.Answer{}, scopes...); err != nil {
			t.Fatalf("%s: %v", way, err)
		}
		// The new token meets it, by refreshing too.
		if _, err := c.Renew(t.Context(), demand, scopes...); err != nil {
			t.Errorf("%s: after the sign-in: %v", way, err)
		}
		if carries(c) {
			t.Errorf("%s: the challenge was not forgotten", way)
		}
		// Met once, and Graph refuses that very token with it: only a person helps.
		_, err = c.Renew(t.Context(), demand, scopes...)
		if !problem.Has(err, problem.SignInAgain) || !carries(c) {
			t.Errorf("%s: asked for twice: %v", way, err)
		}
		if err := s.Demand("admin@contoso.example", ""); err != nil {
			t.Fatal(err)
		}
	}
	// A sign-in that is refused leaves it to the next.
	c := client(t, s)
	if _, err := byPage(t, s, c, simulator.Answer{}, scopes...); err != nil {
		t.Fatal(err)
	}
	if err := s.Demand("admin@contoso.example", demand); err != nil {
		t.Fatal(err)
	}
	_, _ = c.Silent(t.Context(), []string{consent.WriteScope}) // a refresh that is refused with claims
	if !carries(c) {
		t.Error("the claims of a refused refresh were not remembered")
	}
	_, _ = byPage(t, s, c, simulator.Answer{Decline: true}, scopes...)
	if !carries(c) {
		t.Error("a sign-in that was declined met the challenge")
	}
}

func TestSilent_RefusedWithoutANumberOfItsOwnWantsASignIn(t *testing.T) {
	for _, word := range []string{"interaction_required", "invalid_grant", "login_required"} {
		a := newAuthority(t)
		c := a.client(signin.Options{})
		if _, err := signIn(t, c, "User.Read.All"); err != nil {
			t.Fatal(err)
		}
		a.answers = []reply{{400, fmt.Sprintf(`{"error":%q,"error_description":"AADSTS987654: new","claims":"{\"access_token\":{\"capolids\":{\"essential\":true,\"values\":[\"x\"]}}}"}`, word), false}}
		_, err := c.Silent(t.Context(), []string{consent.WriteScope})
		p := wantCode(t, err, problem.SignInAgain)
		if p.Class() != problem.Mend || p.Upstream == nil || p.Upstream.Code != "AADSTS987654" || p.Args["permissions"] != consent.WriteScope {
			t.Errorf("%s: %v", word, p)
		}
		_, q, wait := open(t, c, "User.Read.All")
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, _ = wait(ctx)
		if !strings.Contains(q.Get("claims"), "capolids") {
			t.Errorf("%s: the claims are not carried: %s", word, q.Get("claims"))
		}
	}
}

// A challenge that is no JSON is never carried: MSAL would refuse every sign-in.
func TestRenew_LeavesAChallengeThatIsNone(t *testing.T) {
	s := world(t, simulator.Options{})
	c := client(t, s)
	if _, err := byPage(t, s, c, simulator.Answer{}, "User.Read.All"); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := c.Renew(t.Context(), "nonsense", "User.Read.All"); err != nil {
			t.Error(err)
		}
	}
	s.Revoke()
	_, _ = c.Renew(t.Context(), "nonsense", "User.Read.All")
	if _, err := byPage(t, s, c, simulator.Answer{}, "User.Read.All"); err != nil {
		t.Errorf("no sign-in any more: %v", err)
	}
}

func TestApplication_NamesTheClockWhereItIsOff(t *testing.T) {
	for off, direction := range map[time.Duration]string{10 * time.Minute: "behind", -10 * time.Minute: "ahead"} {
		a := newAuthority(t)
		a.date = time.Now().Add(off)
		a.answers = []reply{refused("invalid_client", 700024, "Client assertion is not within its valid time range.")}
		o := signin.Options{Authority: a.URL, HTTP: a.Client(), Graph: graph, Tenant: tenantID, ClientID: appID}
		app, err := signin.NewApplication(o, pair())
		if err != nil {
			t.Fatal(err)
		}
		_, err = app.Token(t.Context())
		if p := wantCode(t, err, problem.ClockOff); p.Args["minutes"] != "10" || p.Args["direction"] != direction {
			t.Errorf("args %v", p.Args)
		}
		if s := app.Skew().Round(time.Minute); s != -off {
			t.Errorf("skew %v", s)
		}
	}
}

// FuzzExplain looks for pasted texts that make the reader fall.
func FuzzExplain(f *testing.F) {
	f.Add("AADSTS53003: Access has been blocked")
	f.Add("53003")
	f.Add("error=access_denied")
	f.Fuzz(func(t *testing.T, text string) {
		if p := signin.Explain(text); p != nil && p.Class() != problem.Mend {
			t.Errorf("%q is nothing that a person can do something about: %v", text, p)
		}
	})
}
