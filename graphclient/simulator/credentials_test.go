package simulator_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"io"
	"math/big"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/hacsync/hacsync/graphclient/simulator"
)

// roller is an application's access to a tenant in process.
type roller struct {
	t *testing.T
	s *simulator.Server
}

// ask sends a request as a person with all permissions, or as an application.
func (r roller) ask(app, method, path, body string, prefer ...string) (int, map[string]any) {
	r.t.Helper()
	token, err := r.s.Mint(r.s.SignedIn(), "", "Application.ReadWrite.All", "AppRoleAssignment.ReadWrite.All")
	if app != "" {
		token, err = r.s.MintApp(app, "User.Read.All")
	}
	if err != nil {
		r.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(context.Background(), method, r.s.Ready().Graph+"/v1.0/"+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json")
	if len(prefer) > 0 {
		req.Header.Set("Prefer", prefer[0])
	}
	res, err := r.s.RoundTripper().RoundTrip(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	var out map[string]any
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &out); err != nil {
			r.t.Fatalf("%s: %v", raw, err)
		}
	}
	return res.StatusCode, out
}

// holder is a key with its certificate.
type holder struct {
	key *rsa.PrivateKey
	der []byte
}

func newHolder(t *testing.T, life time.Duration) holder {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: "x"},
		NotBefore: time.Now().Add(-time.Minute), NotAfter: time.Now().Add(life),
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return holder{key, der}
}

func (h holder) public() string { return base64.StdEncoding.EncodeToString(h.der) }

func (h holder) credential() string {
	return `{"type":"AsymmetricX509Cert","usage":"Verify","key":"` + h.public() + `"}`
}

// proof is a proof of possession, with claims changed.
func (h holder) proof(t *testing.T, object string, change jwt.MapClaims) string {
	t.Helper()
	claims := jwt.MapClaims{
		"aud": "00000002-0000-0000-c000-000000000000", "iss": object,
		"nbf": time.Now().Unix(), "exp": time.Now().Add(10 * time.Minute).Unix(),
	}
	for k, v := range change {
		claims[k] = v
	}
	signed, err := jwt.NewWithClaims(jwt.SigningMethodRS256, claims).SignedString(h.key)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

func TestApplications_UpsertByUniqueName(t *testing.T) {
	s, err := simulator.New(simulator.Options{})
	if err != nil {
		t.Fatal(err)
	}
	r := roller{t, s}
	const at = "applications(uniqueName='hacsync-1')"
	if status, _ := r.ask("", "GET", at, ""); status != 404 {
		t.Errorf("before: %d", status)
	}
	if status, _ := r.ask("", "PATCH", at, `{"displayName":"x"}`); status != 404 {
		t.Errorf("without Prefer: %d", status)
	}
	status, made := r.ask("", "PATCH", at, `{"displayName":"x"}`, "create-if-missing")
	if status != 201 || made["uniqueName"] != "hacsync-1" {
		t.Fatalf("made: %d %v", status, made)
	}
	if status, _ := r.ask("", "PATCH", at, `{"displayName":"y"}`, "create-if-missing"); status != 204 {
		t.Errorf("again: %d", status)
	}
	if status, got := r.ask("", "GET", at, ""); status != 200 || got["id"] != made["id"] || got["displayName"] != "y" {
		t.Errorf("read: %d %v", status, got)
	}
	for _, body := range []string{`{"displayName":"z","uniqueName":"u"}`, `{"displayName":"z","appId":"aaaaaaaa-0000-4000-8000-000000000001"}`} {
		if status, _ := r.ask("", "POST", "applications", body); status != 400 {
			t.Errorf("%s: %d", body, status)
		}
	}
}

func TestApplications_CertificatesAreRolledOnProof(t *testing.T) {
	s, err := simulator.New(simulator.Options{})
	if err != nil {
		t.Fatal(err)
	}
	r := roller{t, s}
	old, next := newHolder(t, time.Hour), newHolder(t, time.Hour)
	_, app := r.ask("", "POST", "applications", `{"displayName":"x","keyCredentials":[`+old.credential()+`]}`)
	id, client := app["id"].(string), app["appId"].(string)
	if status, _ := r.ask("", "POST", "servicePrincipals", `{"appId":"`+client+`"}`); status != 201 {
		t.Fatalf("service principal: %d", status)
	}
	_, other := r.ask("", "POST", "applications", `{"displayName":"other"}`)
	if status, _ := r.ask("", "POST", "servicePrincipals", `{"appId":"`+other["appId"].(string)+`"}`); status != 201 {
		t.Fatalf("service principal: %d", status)
	}

	// The content of a certificate comes only where it is asked for.
	first := func(o map[string]any) map[string]any {
		k, _ := o["keyCredentials"].([]any)[0].(map[string]any)
		return k
	}
	_, plain := r.ask("", "GET", "applications/"+id, "")
	_, chosen := r.ask("", "GET", "applications/"+id+"?$select=keyCredentials", "")
	if first(plain)["key"] != nil || first(chosen)["key"] != old.public() {
		t.Errorf("key = %v, with $select %v", first(plain)["key"], first(chosen)["key"])
	}

	add := func(app, proof string) int {
		status, _ := r.ask(app, "POST", "applications/"+id+"/addKey", `{"keyCredential":`+next.credential()+`,"passwordCredential":null,"proof":"`+proof+`"}`)
		return status
	}
	for name, proof := range map[string]string{
		"another key":         next.proof(t, id, nil),
		"another audience":    old.proof(t, id, jwt.MapClaims{"aud": "https://graph.microsoft.com"}),
		"another application": old.proof(t, other["id"].(string), nil),
		"by its client ID":    old.proof(t, client, nil),
		"too long":            old.proof(t, id, jwt.MapClaims{"exp": time.Now().Add(time.Hour).Unix()}),
		"past":                old.proof(t, id, jwt.MapClaims{"nbf": time.Now().Add(-time.Hour).Unix(), "exp": time.Now().Add(-50 * time.Minute).Unix()}),
		"none":                "",
	} {
		if status := add(client, proof); status != 401 {
			t.Errorf("%s: %d", name, status)
		}
	}
	if status := add(other["appId"].(string), old.proof(t, id, nil)); status != 403 {
		t.Errorf("another application's key: %d", status)
	}
	if status := add(client, old.proof(t, id, nil)); status != 200 {
		t.Fatalf("addKey: %d", status)
	}
	if status, _ := r.ask(client, "POST", "applications/"+id+"/removeKey", `{"keyId":"`+first(plain)["keyId"].(string)+`","proof":"`+next.proof(t, id, nil)+`"}`); status != 204 {
		t.Fatalf("removeKey: %d", status)
	}
	if status := add(client, old.proof(t, id, nil)); status != 401 {
		t.Errorf("with the key that was taken away: %d", status)
	}
	_, chosen = r.ask("", "GET", "applications/"+id+"?$select=keyCredentials", "")
	if list := chosen["keyCredentials"].([]any); len(list) != 1 || first(chosen)["key"] != next.public() {
		t.Errorf("certificates = %v", list)
	}
}

func TestApplications_APatchOfCertificatesReplacesThem(t *testing.T) {
	s, err := simulator.New(simulator.Options{})
	if err != nil {
		t.Fatal(err)
	}
	r := roller{t, s}
	one, two := newHolder(t, time.Hour), newHolder(t, time.Hour)
	_, app := r.ask("", "POST", "applications", `{"displayName":"x","keyCredentials":[`+one.credential()+`]}`)
	at := "applications/" + app["id"].(string)
	count := func() int {
		_, o := r.ask("", "GET", at, "")
		return len(o["keyCredentials"].([]any))
	}
	_, o := r.ask("", "GET", at, "")
	kept, err := json.Marshal(o["keyCredentials"].([]any)[0]) // its content is null: the keyId identifies it
	if err != nil {
		t.Fatal(err)
	}
	if status, body := r.ask("", "PATCH", at, `{"keyCredentials":[`+string(kept)+`,`+two.credential()+`]}`); status != 204 || count() != 2 {
		t.Errorf("appended: %d %v, %d certificates", status, body, count())
	}
	if status, _ := r.ask("", "PATCH", at, `{"keyCredentials":[`+two.credential()+`]}`); status != 204 || count() != 1 {
		t.Errorf("replaced: %d, %d certificates", status, count())
	}
	if status, _ := r.ask("", "PATCH", at, `{"keyCredentials":[{"type":"AsymmetricX509Cert","usage":"Verify"}]}`); status != 400 {
		t.Errorf("without a key: %d", status)
	}
}
