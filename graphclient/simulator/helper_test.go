package simulator

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// testKey signs the tokens of all tests: making one takes long.
var testKey = sync.OnceValue(func() *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return k
})

const adminUPN = "admin@contoso.example"

// smallTenant is a tenant with one of each kind.
const smallTenant = `{
"organization":{"id":"11111111-1111-4111-8111-111111111111","displayName":"Contoso K.K."},
"domains":[
 {"id":"contoso.onmicrosoft.com","isInitial":true,"isVerified":true},
 {"id":"contoso.example","isDefault":true,"isVerified":true},
 {"id":"fed.example","authenticationType":"Federated","isVerified":true},
 {"id":"unverified.example","isVerified":false}],
"users":[
 {"id":"aaaaaaaa-0000-4000-8000-000000000001","userPrincipalName":"admin@contoso.example","displayName":"Admin","accountEnabled":true},
 {"id":"aaaaaaaa-0000-4000-8000-000000000002","userPrincipalName":"yamada.taro@contoso.example","displayName":"山田 太郎","surname":"山田","givenName":"太郎","mailNickname":"yamada.taro","onPremisesImmutableId":"WEt4r/aDlE3wtGz0UbVoqQ==",
  "mail":"yamada.taro@contoso.example","proxyAddresses":["SMTP:yamada.taro@contoso.example","smtp:taro@contoso.example"],"department":"営業部",
  "assignedPlans":[{"capabilityStatus":"Enabled","service":"exchange","servicePlanId":"efb87545-963c-4e0d-99df-69c6916d9eb0"}]},
 {"id":"aaaaaaaa-0000-4000-8000-000000000003","userPrincipalName":"room@contoso.example","displayName":"Room","mailboxSettings":{"userPurpose":"room"}},
 {"id":"aaaaaaaa-0000-4000-8000-000000000004","userPrincipalName":"synced@contoso.example","displayName":"Synced","onPremisesSyncEnabled":true},
 {"id":"aaaaaaaa-0000-4000-8000-000000000005","userPrincipalName":"fed@fed.example","displayName":"Fed","onPremisesImmutableId":"ZmVk"},
 {"id":"aaaaaaaa-0000-4000-8000-000000000006","userPrincipalName":"helpdesk@contoso.example","displayName":"Helpdesk"},
 {"id":"aaaaaaaa-0000-4000-8000-000000000007","userPrincipalName":"nobody@contoso.example","displayName":"Nobody"},
 {"id":"aaaaaaaa-0000-4000-8000-000000000008","userPrincipalName":"operator@contoso.example","displayName":"Operator"},
 {"id":"aaaaaaaa-0000-4000-8000-000000000009","userPrincipalName":"useradmin@contoso.example","displayName":"User admin"},
 {"id":"aaaaaaaa-0000-4000-8000-00000000000a","userPrincipalName":"guest_partner.example#EXT#@contoso.onmicrosoft.com","displayName":"Guest","userType":"Guest","externalUserState":"Accepted"}],
"deletedUsers":[{"id":"bbbbbbbb-0000-4000-8000-000000000001","userPrincipalName":"gone@contoso.example","displayName":"Gone","onPremisesImmutableId":"Z29uZQ=="}],
"groups":[{"id":"cccccccc-0000-4000-8000-000000000001","displayName":"Operators","isAssignableToRole":true,"members":["operator@contoso.example"],"owners":[{"id":"aaaaaaaa-0000-4000-8000-000000000001"}]},
 {"id":"cccccccc-0000-4000-8000-000000000002","displayName":"Team","mail":"team@contoso.example","proxyAddresses":["SMTP:team@contoso.example"],"members":["yamada.taro@contoso.example",{"id":"cccccccc-0000-4000-8000-000000000001"}]}],
"roleAssignments":[
 {"principalId":"aaaaaaaa-0000-4000-8000-000000000001","roleDefinitionId":"62e90394-69f5-4237-9190-012177145e10"},
 {"principalId":"aaaaaaaa-0000-4000-8000-000000000006","roleDefinitionId":"729827e3-9c14-49f7-bb1b-9608f156bbb8"},
 {"principalId":"aaaaaaaa-0000-4000-8000-000000000009","roleDefinitionId":"fe930be7-5e62-47db-91af-98c3a49a38b1"}],
"servicePrincipals":[{"id":"dddddddd-0000-4000-8000-000000000001","appId":"eeeeeeee-0000-4000-8000-000000000001","displayName":"hacsync test",
  "appRoleAssignments":[{"appRoleId":"df021288-bdef-4463-88db-98f22de89214"},{"appRoleId":"741f803b-c850-494e-b5df-cde7c675a1ca"},{"appRoleId":"40f97065-369a-49f4-947c-6a255697ae91"}]}],
"signedIn":"admin@contoso.example"}`

const testApp = "eeeeeeee-0000-4000-8000-000000000001"

// allScopes are what the tests sign in with unless they say otherwise.
var allScopes = []string{
	"User.ReadWrite.All", "User.Read.All", "Domain.Read.All", "Organization.Read.All", "RoleManagement.ReadWrite.Directory",
	"GroupMember.Read.All", "Application.ReadWrite.All", "AppRoleAssignment.ReadWrite.All", "Directory.Read.All",
	"Directory.AccessAsUser.All", "MailboxSettings.Read",
}

// bench is a tenant under test, with a client that is signed in.
type bench struct {
	testing.TB
	s      *Server
	token  string
	client *http.Client
}

func newBench(t testing.TB, tenant string, change ...func(*Options)) *bench {
	t.Helper()
	o := Options{Tenant: []byte(tenant), Key: testKey()}
	for _, f := range change {
		f(&o)
	}
	s, err := New(o)
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	b := &bench{TB: t, s: s, client: &http.Client{Transport: s.RoundTripper()}}
	if r := s.t.users.byID[s.t.signedIn]; r != nil {
		b.as(r.now.obj.text("userPrincipalName"), allScopes...)
	}
	return b
}

// as signs in as another user.
func (b *bench) as(upn string, scopes ...string) *bench {
	b.Helper()
	token, err := b.s.Mint(upn, "", scopes...)
	if err != nil {
		b.Fatalf("Mint: %v", err)
	}
	b.token = token
	return b
}

func (b *bench) asApp(roles ...string) *bench {
	b.Helper()
	token, err := b.s.MintApp(testApp, roles...)
	if err != nil {
		b.Fatalf("MintApp: %v", err)
	}
	b.token = token
	return b
}

// result is an answer, decoded.
type result struct {
	status int
	header http.Header
	raw    []byte
	json   map[string]any
}

// do sends a request; path begins after /v1.0. Headers come in pairs.
func (b *bench) do(method, path string, body any, headers ...string) result {
	b.Helper()
	var in io.Reader
	if s, is := body.(string); is {
		in = strings.NewReader(s)
	} else if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			b.Fatal(err)
		}
		in = bytes.NewReader(raw)
	}
	url := path
	if !strings.HasPrefix(path, "https://") {
		url = inProcessGraph + "/v1.0" + strings.ReplaceAll(path, " ", "%20")
	}
	r, err := http.NewRequestWithContext(b.Context(), method, url, in)
	if err != nil {
		b.Fatal(err)
	}
	if b.token != "" {
		r.Header.Set("Authorization", "Bearer "+b.token)
	}
	if in != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	res, err := b.client.Do(r)
	if err != nil {
		b.Fatalf("%s %s: %v", method, path, err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		b.Fatal(err)
	}
	out := result{status: res.StatusCode, header: res.Header, raw: raw}
	_ = json.Unmarshal(raw, &out.json)
	return out
}

func (b *bench) get(path string, headers ...string) result {
	b.Helper()
	return b.do(http.MethodGet, path, nil, headers...)
}

// want fails unless the status is the expected one.
func (r result) want(t testing.TB, status int) result {
	t.Helper()
	if r.status != status {
		t.Fatalf("status %d, want %d: %s", r.status, status, r.raw)
	}
	return r
}

// code is the error code of an answer.
func (r result) code() string {
	e, _ := r.json["error"].(map[string]any)
	c, _ := e["code"].(string)
	return c
}

func (r result) message() string {
	e, _ := r.json["error"].(map[string]any)
	m, _ := e["message"].(string)
	return m
}

// detail is the code and target of the first detail.
func (r result) detail() string {
	e, _ := r.json["error"].(map[string]any)
	d, _ := e["details"].([]any)
	if len(d) == 0 {
		return ""
	}
	m, _ := d[0].(map[string]any)
	return fmt.Sprint(m["code"], " ", m["target"])
}

// values are the objects of a list answer.
func (r result) values() []map[string]any {
	list, _ := r.json["value"].([]any)
	var out []map[string]any
	for _, v := range list {
		m, _ := v.(map[string]any)
		out = append(out, m)
	}
	return out
}

func (r result) text(name string) string {
	s, _ := r.json[name].(string)
	return s
}

// column is one property of all objects of a list.
func (r result) column(name string) []string {
	var out []string
	for _, v := range r.values() {
		out = append(out, fmt.Sprint(v[name]))
	}
	return out
}

func signRS256(t testing.TB, key *rsa.PrivateKey, unsigned string) []byte {
	t.Helper()
	sum := sha256.Sum256([]byte(unsigned))
	sig, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return sig
}

// silent is a log that keeps nothing.
func silent() *slog.Logger { return slog.New(slog.DiscardHandler) }

// is reports whether a property is true.
func (r result) is(name string) bool { b, _ := r.json[name].(bool); return b }
