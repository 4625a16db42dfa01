package simulator

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"
)

// started serves a tenant over TLS and gives a client that trusts it.
func started(t *testing.T, o Options) (*Server, *http.Client) {
	t.Helper()
	if o.Key == nil {
		o.Key = testKey()
	}
	o.Dir = t.TempDir()
	s, err := Start(t.Context(), o)
	if err != nil {
		t.Fatalf("Start: %v", err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return s, &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: s.CA().Pool()}}}
}

func TestSignIn_DeviceCodeByMSALOverHTTPS(t *testing.T) {
	s, client := started(t, Options{Tenant: []byte(smallTenant)})
	r := s.Ready()
	app, err := public.New(r.Client, public.WithAuthority(r.Authority+"/"+r.Tenant), public.WithHTTPClient(client),
		public.WithInstanceDiscovery(false))
	if err != nil {
		t.Fatalf("public.New: %v", err)
	}
	code, err := app.AcquireTokenByDeviceCode(t.Context(), []string{r.Graph + "/User.Read.All"})
	if err != nil {
		t.Fatalf("AcquireTokenByDeviceCode: %v", err)
	}
	if code.Result.UserCode == "" || code.Result.VerificationURL != r.Authority+"/devicelogin" {
		t.Fatalf("code %+v", code.Result)
	}
	result, err := code.AuthenticationResult(t.Context())
	if err != nil {
		t.Fatalf("AuthenticationResult: %v", err)
	}
	if result.Account.PreferredUsername != adminUPN || result.Account.HomeAccountID != "aaaaaaaa-0000-4000-8000-000000000001."+r.Tenant {
		t.Errorf("account %+v", result.Account)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.Graph+"/v1.0/users?$top=999", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+result.AccessToken)
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var list struct{ Value []map[string]any }
	if err := json.NewDecoder(res.Body).Decode(&list); err != nil || len(list.Value) != 10 {
		t.Errorf("status %d, %d users, %v", res.StatusCode, len(list.Value), err)
	}
	// What was not agreed to is not given silently; what was agreed to is.
	if _, err := app.AcquireTokenSilent(t.Context(), []string{r.Graph + "/User.ReadWrite.All"}, public.WithSilentAccount(result.Account)); err == nil ||
		!strings.Contains(err.Error(), "AADSTS65001") {
		t.Errorf("silent token for a scope nobody agreed to: %v", err)
	}
	again, err := app.AcquireTokenSilent(context.WithoutCancel(t.Context()), []string{r.Graph + "/User.Read.All"}, public.WithSilentAccount(result.Account))
	if err != nil || again.AccessToken == "" {
		t.Errorf("AcquireTokenSilent: %v", err)
	}
}
