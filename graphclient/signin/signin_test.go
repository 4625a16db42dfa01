package signin_test

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hacsync/hacsync/graphclient/signin"
	"github.com/hacsync/hacsync/sync/consent"
	"github.com/hacsync/hacsync/sync/problem"
)

// kept is a consent.Cache in memory.
type kept struct {
	mu     sync.Mutex
	plain  []byte
	stores int
	fail   error
}

func (k *kept) Load(context.Context) ([]byte, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Clone(k.plain), nil
}

func (k *kept) Store(_ context.Context, plain []byte) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.fail != nil {
		return k.fail
	}
	k.plain, k.stores = slices.Clone(plain), k.stores+1
	return nil
}

func signIn(t *testing.T, c *signin.Client, scopes ...string) (consent.Account, error) {
	t.Helper()
	code, wait, err := c.DeviceCode(t.Context(), scopes)
	if err != nil {
		t.Fatalf("DeviceCode: %v", err)
	}
	if code.UserCode != "F4K7Q2MPX" || code.URL == "" || !strings.HasPrefix(code.Message, "To sign in") {
		t.Fatalf("code = %+v", code)
	}
	if left := time.Until(code.Expires); left < 14*time.Minute || left > 15*time.Minute {
		t.Fatalf("code expires in %v", left)
	}
	return wait(t.Context())
}

func wantCode(t *testing.T, err error, code problem.Code) *problem.Problem {
	t.Helper()
	p := problem.Of(err)
	if p == nil || p.Code != code {
		t.Fatalf("error = %v, want %s", err, code)
	}
	return p
}

func TestDeviceCode_WaitsUntilAUserSignsIn(t *testing.T) {
	a := newAuthority(t)
	a.pending = 2
	c := a.client(signin.Options{})
	who, err := signIn(t, c, consent.ReadScopes()...)
	if err != nil {
		t.Fatal(err)
	}
	want := consent.Account{Tenant: tenantID, ID: oid, UPN: "t.mori@midori.example", Name: "Mori T", Client: "app-1"}
	if who.Tenant != want.Tenant || who.ID != want.ID || who.UPN != want.UPN || who.Name != want.Name || who.Client != want.Client {
		t.Errorf("account = %+v", who)
	}
	if !slices.Equal(who.Scopes, consent.ReadScopes()) || len(who.Roles) != 1 {
		t.Errorf("scopes %v, roles %v", who.Scopes, who.Roles)
	}
	// The token of the sign-in serves reading without another request.
	before := len(a.grants)
	if _, err := c.Token(t.Context(), consent.ReadScopes()...); err != nil {
		t.Fatal(err)
	}
	if len(a.grants) != before {
		t.Errorf("a fresh token was not used: %v", a.grants)
	}
}

func TestDeviceCode_EndsInAProblemOfItsOwn(t *testing.T) {
	for name, tc := range map[string]struct {
		answer reply
		want   problem.Code
	}{
		"declined":          {reply{400, `{"error":"authorization_declined","error_description":"declined"}`, false}, problem.CodeDeclined},
		"expired":           {reply{400, `{"error":"expired_token","error_description":"AADSTS70020: expired"}`, false}, problem.CodeExpired},
		"bad code":          {reply{400, `{"error":"bad_verification_code"}`, false}, problem.CodeUnknown},
		"blocked by policy": {refused("invalid_grant", 53003, "Access has been blocked"), problem.BlockedByPolicy},
		"flow blocked":      {refused("invalid_grant", 530036, "Authentication flow"), problem.FlowBlocked},
		"public flow off":   {refused("invalid_client", 7000218, "client_assertion"), problem.PublicFlowOff},
		"unknown number":    {refused("invalid_grant", 123456, "something new"), problem.SignInOther},
		"other word":        {reply{400, `{"error":"server_error"}`, false}, problem.SignInRefused},
		"empty object":      {reply{400, `{}`, false}, problem.SignInBroken},
		"html":              {reply{403, `<html>no</html>`, false}, problem.SignInBroken},
	} {
		t.Run(name, func(t *testing.T) {
			a := newAuthority(t)
			a.answers = []reply{tc.answer}
			_, err := signIn(t, a.client(signin.Options{}), "User.Read.All")
			p := wantCode(t, err, tc.want)
			if tc.want == problem.BlockedByPolicy {
				if p.Upstream == nil || p.Upstream.Code != "AADSTS53003" || p.Upstream.RequestID != "corr-1" ||
					p.Args["trace"] != "trace-1" || p.Args["client"] != consent.GraphCommandLineTools {
					t.Errorf("problem lost what support needs: %+v %+v", p.Args, p.Upstream)
				}
			}
		})
	}
}

func TestDeviceCode_ExpiresByItself(t *testing.T) {
	a := newAuthority(t)
	a.pending, a.expires = 1000, 1
	c := a.client(signin.Options{})
	_, wait, err := c.DeviceCode(t.Context(), []string{"User.Read.All"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = wait(t.Context())
	wantCode(t, err, problem.CodeExpired)
}

func TestDeviceCode_EndsWithItsContext(t *testing.T) {
	a := newAuthority(t)
	a.pending = 1000
	c := a.client(signin.Options{})
	_, wait, err := c.DeviceCode(t.Context(), []string{"User.Read.All"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err = wait(ctx); !errors.Is(err, context.DeadlineExceeded) || problem.Of(err) != nil {
		t.Errorf("error = %v, want the context's", err)
	}
}

func TestDeviceCode_OutlivesACutConnection(t *testing.T) {
	a := newAuthority(t)
	a.answers = []reply{{cut: true}, {503, "<html>busy</html>", false}, {}}
	if _, err := signIn(t, a.client(signin.Options{}), "User.Read.All"); err != nil {
		t.Fatal(err)
	}
}

func TestDeviceCode_RefusedBeforeTheCode(t *testing.T) {
	a := newAuthority(t)
	r := refused("unauthorized_client", 700016, "Application with identifier was not found")
	a.device = &r
	_, _, err := a.client(signin.Options{ClientID: "mine"}).DeviceCode(t.Context(), []string{"User.Read.All"})
	if p := wantCode(t, err, problem.ClientUnknown); p.Args["client"] != "mine" {
		t.Errorf("args = %v", p.Args)
	}
}

func TestSignIn_RefusesUsersWhoMustNot(t *testing.T) {
	for name, tc := range map[string]struct {
		tenant string
		claims map[string]any
		scope  string
		want   problem.Code
	}{
		"other tenant":     {tenant: "11111111-2222-3333-4444-555555555555", want: problem.OtherTenant},
		"guest by name":    {claims: map[string]any{"upn": "x_other.example#EXT#@midori.example"}, want: problem.GuestSignedIn},
		"guest by acct":    {claims: map[string]any{"acct": 1}, want: problem.GuestSignedIn},
		"guest by idp":     {claims: map[string]any{"idp": "https://sts.windows.net/99999999-2222-3333-4444-555555555555/"}, want: problem.GuestSignedIn},
		"personal":         {claims: map[string]any{"tid": "9188040d-6c67-4c5b-b112-36a304b66dad"}, want: problem.PersonalAccount},
		"fewer scopes":     {scope: "Domain.Read.All openid", want: problem.ScopesShort},
		"fewer in the scp": {claims: map[string]any{"scp": "Domain.Read.All"}, want: problem.ScopesShort},
	} {
		t.Run(name, func(t *testing.T) {
			a := newAuthority(t)
			a.claims, a.scope = tc.claims, tc.scope
			_, err := signIn(t, a.client(signin.Options{Tenant: tc.tenant}), "User.Read.All", "Domain.Read.All")
			wantCode(t, err, tc.want)
		})
	}
}

func TestSilent_FromWhatWasSaved(t *testing.T) {
	a := newAuthority(t)
	cache := &kept{}
	if _, err := signIn(t, a.client(signin.Options{Cache: cache}), "User.Read.All"); err != nil {
		t.Fatal(err)
	}
	if cache.stores == 0 {
		t.Fatal("nothing was stored")
	}
	again := a.client(signin.Options{Cache: cache, Tenant: tenantID, Account: "T.Mori@midori.example"})
	who, err := again.Silent(t.Context(), []string{"User.Read.All"})
	if err != nil || who.UPN != "t.mori@midori.example" {
		t.Fatalf("Silent = %+v, %v", who, err)
	}
	// Writing is consented already: it comes silently, by the refresh token.
	who, err = again.Silent(t.Context(), []string{consent.WriteScope})
	if err != nil || !slices.Contains(who.Scopes, consent.WriteScope) {
		t.Fatalf("Silent for writing = %+v, %v", who, err)
	}
	if a.grants[len(a.grants)-1] != "refresh_token" {
		t.Errorf("grants = %v", a.grants)
	}
	// The token for reading is still the one for reading.
	token, err := again.Token(t.Context(), "User.Read.All")
	if err != nil || token == "" {
		t.Fatal(err)
	}
}

func TestSilent_SaysThatAUserHasToSignIn(t *testing.T) {
	t.Run("nothing saved", func(t *testing.T) {
		a := newAuthority(t)
		_, err := a.client(signin.Options{Cache: &kept{}}).Silent(t.Context(), []string{"User.Read.All"})
		if p := wantCode(t, err, problem.SignInAgain); p.Class() != problem.Mend || p.Args["permissions"] != "User.Read.All" {
			t.Errorf("problem = %v", p)
		}
	})
	t.Run("no refresh token", func(t *testing.T) {
		a := newAuthority(t)
		a.refresh = ""
		c := a.client(signin.Options{})
		if _, err := signIn(t, c, "User.Read.All"); err != nil {
			t.Fatal(err)
		}
		_, err := c.Silent(t.Context(), []string{consent.WriteScope})
		wantCode(t, err, problem.SignInAgain)
	})
	for number, want := range map[int]problem.Code{
		50173: problem.SessionRevoked, 700082: problem.SignInUnused, 65001: problem.ConsentMissing,
		70043: problem.SignInTooOld, 530036: problem.FlowBlocked, 50076: problem.SecondFactor,
	} {
		a := newAuthority(t)
		c := a.client(signin.Options{})
		if _, err := signIn(t, c, "User.Read.All"); err != nil {
			t.Fatal(err)
		}
		a.answers = []reply{refused("invalid_grant", number, "no")}
		_, err := c.Silent(t.Context(), []string{consent.WriteScope})
		if p := wantCode(t, err, want); p.Class() != problem.Mend {
			t.Errorf("%d is not for a person to mend", number)
		}
	}
	t.Run("not a sign-in", func(t *testing.T) {
		a := newAuthority(t)
		_, err := a.client(signin.Options{Cache: &kept{plain: []byte("{")}}).Silent(t.Context(), []string{"User.Read.All"})
		wantCode(t, err, problem.SavedDataUnreadable)
	})
}

func TestSignIn_WithoutCacheStaysInMemory(t *testing.T) {
	a := newAuthority(t)
	c := a.client(signin.Options{})
	if _, err := signIn(t, c, "User.Read.All"); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Silent(t.Context(), []string{consent.WriteScope}); err != nil {
		t.Fatalf("until the program ends it serves: %v", err)
	}
	cache := &kept{}
	if err := c.SaveTo(t.Context(), cache); err != nil || !strings.Contains(string(cache.plain), "refresh-1") {
		t.Fatalf("SaveTo: %v", err)
	}
	if _, err := a.client(signin.Options{Cache: cache}).Silent(t.Context(), []string{"User.Read.All"}); err != nil {
		t.Fatal(err)
	}
	if err := a.client(signin.Options{}).SaveTo(t.Context(), &kept{}); err == nil {
		t.Error("there was nothing to keep")
	}
}

func TestSignIn_SucceedsButCannotBeKept(t *testing.T) {
	a := newAuthority(t)
	who, err := signIn(t, a.client(signin.Options{Cache: &kept{fail: errors.New("disk full")}}), "User.Read.All")
	wantCode(t, err, problem.SignInNotKept)
	if who.UPN == "" {
		t.Error("who signed in is lost")
	}
}

func TestRenew_GoesToTheAuthority(t *testing.T) {
	a := newAuthority(t)
	c := a.client(signin.Options{})
	if _, err := signIn(t, c, "User.Read.All"); err != nil {
		t.Fatal(err)
	}
	before := len(a.grants)
	if _, err := c.Renew(t.Context(), "", "User.Read.All"); err != nil {
		t.Fatal(err)
	}
	if len(a.grants) != before+1 {
		t.Error("the refused token was given again")
	}
}

func TestClock_OffIsNamedAsTheCause(t *testing.T) {
	a := newAuthority(t)
	a.date = time.Now().Add(11 * time.Minute)
	a.answers = []reply{refused("invalid_client", 700024, "Client assertion is not within its valid time range")}
	c := a.client(signin.Options{})
	_, err := signIn(t, c, "User.Read.All")
	p := wantCode(t, err, problem.ClockOff)
	if p.Args["minutes"] != "11" || p.Args["direction"] != "behind" {
		t.Errorf("args = %v", p.Args)
	}
	if s := c.Skew(); s > -10*time.Minute {
		t.Errorf("skew = %v", s)
	}
}

func TestTransport_ReachesTheAuthorityOnly(t *testing.T) {
	other := newAuthority(t)
	a := newAuthority(t)
	r := reply{status: 307}
	a.device = &r
	a.Config.Handler = redirecting(a, other.URL)
	_, _, err := a.client(signin.Options{}).DeviceCode(t.Context(), []string{"User.Read.All"})
	if problem.Of(err) == nil {
		t.Fatalf("error = %v", err)
	}
	if len(other.grants) > 0 {
		t.Error("a redirect was followed")
	}
}

func TestTransport_NamesWhatIsWrongWithTheNetwork(t *testing.T) {
	a := newAuthority(t)
	c := a.client(signin.Options{})
	a.Close()
	_, _, err := c.DeviceCode(t.Context(), []string{"User.Read.All"})
	wantCode(t, err, problem.NoConnection)
}

func TestExplain(t *testing.T) {
	for pasted, want := range map[string]problem.Code{
		"AADSTS53003": problem.BlockedByPolicy,
		"53003":       problem.BlockedByPolicy,
		"Sorry. aadsts50020: User account from identity provider does not exist": problem.AccountNotInTenant,
		"Connect-MgGraph : AADSTS65001: The user or administrator has not …":     problem.ConsentMissing,
		"AADSTS999999: new":         problem.SignInOther,
		`{"error":"expired_token"}`: problem.CodeExpired,
	} {
		if p := signin.Explain(pasted); p == nil || p.Code != want {
			t.Errorf("Explain(%q) = %v, want %s", pasted, p, want)
		}
	}
	for _, pasted := range []string{"", "hello", "12", "AADSTS", "AADSTSabc"} {
		if p := signin.Explain(pasted); p != nil {
			t.Errorf("Explain(%q) = %v, want nothing", pasted, p)
		}
	}
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
