package simulator

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hacsync/hacsync/sync/clock"
)

func TestSnapshot_StaysTheSameUntilSomethingIsWritten(t *testing.T) {
	b := newBench(t, smallTenant)
	first := b.do("GET", inProcessGraph+"/simulator/tenant", nil).want(t, 200)
	b.token = ""
	_, dev := b.deviceCode("User.ReadWrite.All offline_access")
	b.poll(dev).want(t, 200)
	b.as(adminUPN, allScopes...)
	b.get("/users").want(t, 200)
	b.do("PATCH", "/users/"+yamadaID, map[string]any{"displayName": ""}).want(t, 400)
	b.token = ""
	second := b.do("GET", inProcessGraph+"/simulator/tenant", nil).want(t, 200)
	if !bytes.Equal(first.raw, second.raw) {
		t.Error("a sign-in, reads or a refused write changed the tenant")
	}
	b.as(adminUPN, allScopes...)
	b.do("PATCH", "/users/"+yamadaID, map[string]any{"displayName": "別の名前"}).want(t, 204)
	if third := b.s.Snapshot(); bytes.Equal(third, first.raw) || !strings.Contains(string(third), "別の名前") {
		t.Error("a write does not show")
	}
	b.do("POST", "/simulator/tenant", nil)
	if r := b.do("DELETE", inProcessGraph+"/simulator/tenant", nil); r.status != 405 {
		t.Errorf("DELETE: %d", r.status)
	}
}

func TestSnapshot_IsATenantFileAgain(t *testing.T) {
	for name, o := range map[string]Options{
		"small": {Tenant: []byte(smallTenant)}, "demo": {}, "generated": {Users: 300, Seed: 5},
	} {
		s, err := New(o)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		one := s.Snapshot()
		again, err := New(Options{Tenant: one})
		if err != nil {
			t.Fatalf("%s: its own snapshot is refused: %v", name, err)
		}
		if two := again.Snapshot(); !bytes.Equal(two, one) {
			t.Errorf("%s: loaded again it differs", name)
		}
	}
}

func TestTenantFile_IsRefusedWithObjectAndReason(t *testing.T) {
	const start = `{"organization":{"displayName":"X"},"domains":[{"id":"x.example"}],`
	user := func(s string) string { return start + `"users":[{"userPrincipalName":"a@x.example"},` + s + `]}` }
	for name, c := range map[string]struct{ file, object, reason string }{
		"nothing":            {``, "", "EOF"},
		"not JSON":           {`{"organization":`, "", ""},
		"two documents":      {start + `"users":[{"userPrincipalName":"a@x.example"}]}{}`, "", "closing brace"},
		"unknown key":        {start + `"members":[]}`, "", `unknown field "members"`},
		"no organization":    {`{"domains":[{"id":"x"}]}`, "organization", "is missing"},
		"no name":            {`{"organization":{"id":"11111111-1111-4111-8111-111111111111"}}`, "organization", "displayName"},
		"bad tenant ID":      {`{"organization":{"id":"1","displayName":"X"},"domains":[{"id":"x"}]}`, "organization", "not a GUID"},
		"no domains":         {`{"organization":{"displayName":"X"}}`, "domains", "is empty"},
		"domain twice":       {`{"organization":{"displayName":"X"},"domains":[{"id":"x"},{"id":"X"}]}`, "domains[1]", "twice"},
		"authentication":     {`{"organization":{"displayName":"X"},"domains":[{"id":"x","authenticationType":"Other"}]}`, "domains[0] (x)", "neither"},
		"two initial":        {`{"organization":{"displayName":"X"},"domains":[{"id":"x","isInitial":true},{"id":"y","isInitial":true}]}`, "domains", "isInitial"},
		"nobody":             {start + `"users":[]}`, "signedIn", "is missing"},
		"unknown sign-in":    {start + `"users":[{"userPrincipalName":"a@x.example"}],"signedIn":"b@x.example"}`, "signedIn", "no user b@x.example"},
		"user is text":       {user(`"b"`), "users[1]", "not an object"},
		"no UPN":             {user(`{"displayName":"b"}`), "users[1] (b)", "userPrincipalName"},
		"UPN without domain": {user(`{"userPrincipalName":"b"}`), "users[1] (b)", "name@domain"},
		"foreign domain":     {user(`{"userPrincipalName":"b@y.example"}`), "users[1] (b@y.example)", "not among the domains"},
		"UPN twice":          {user(`{"userPrincipalName":"A@x.example"}`), "users[1] (A@x.example)", "twice"},
		"unknown property":   {user(`{"userPrincipalName":"b@x.example","shoeSize":3}`), "users[1] (b@x.example)", `no property "shoeSize"`},
		"number for text":    {user(`{"userPrincipalName":"b@x.example","surname":3}`), "users[1] (b@x.example)", "surname is not text"},
		"text for boolean":   {user(`{"userPrincipalName":"b@x.example","accountEnabled":"yes"}`), "users[1] (b@x.example)", "accountEnabled is neither"},
		"bad time":           {user(`{"userPrincipalName":"b@x.example","createdDateTime":"yesterday"}`), "users[1] (b@x.example)", "createdDateTime is not a time"},
		"text for list":      {user(`{"userPrincipalName":"b@x.example","proxyAddresses":"smtp:b"}`), "users[1] (b@x.example)", "proxyAddresses is not a list"},
		"bad id":             {user(`{"userPrincipalName":"b@x.example","id":"7"}`), "users[1] (b@x.example)", "not a GUID"},
		"bad purpose":        {user(`{"userPrincipalName":"b@x.example","mailboxSettings":{"userPurpose":"closet"}}`), "users[1] (b@x.example)", "userPurpose"},
		"bad member":         {start + `"users":[{"userPrincipalName":"a@x.example"}],"groups":[{"displayName":"G","members":["z@x.example"]}]}`, "groups[0] (G), members", "no user"},
		"bad role":           {start + `"users":[{"userPrincipalName":"a@x.example"}],"roleAssignments":[{"principalId":"a@x.example","roleDefinitionId":"boss"}]}`, "roleAssignments[0]", "roleDefinitionId"},
		"bad application":    {start + `"users":[{"userPrincipalName":"a@x.example"}],"applications":[{"displayName":"A"}]}`, "applications[0] (A)", "appId"},
		"unknown app role":   {start + `"users":[{"userPrincipalName":"a@x.example"}],"servicePrincipals":[{"appId":"eeeeeeee-0000-4000-8000-000000000001","appRoleAssignments":[{"appRoleId":"eeeeeeee-0000-4000-8000-000000000002"}]}]}`, "appRoleAssignments", "no app role"},
	} {
		_, err := New(Options{Tenant: []byte(c.file)})
		var b *BadTenant
		if !errors.As(err, &b) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !strings.Contains(b.Object, c.object) || !strings.Contains(b.Reason, c.reason) {
			t.Errorf("%s: %v, want %s: %s", name, err, c.object, c.reason)
		}
	}
}

func TestTenantFile_FillsInWhatEveryUserHas(t *testing.T) {
	b := newBench(t, `{"organization":{"displayName":"X"},"domains":[{"id":"x.example"}],"users":[{"userPrincipalName":"a@x.example"}]}`)
	r := b.get("/users/a@x.example?$select=id,accountEnabled,userType,displayName,createdDateTime").want(t, 200)
	if !isGUID(r.text("id")) || !r.is("accountEnabled") || r.json["userType"] != "Member" || r.text("createdDateTime") == "" {
		t.Errorf("%s", r.raw)
	}
	// Nothing is said of roles: who signs in is the administrator.
	b.do("POST", "/users", newUser("b@x.example")).want(t, 201)
	none := newBench(t, `{"organization":{"displayName":"X"},"domains":[{"id":"x.example"}],"users":[{"userPrincipalName":"a@x.example"}],"roleAssignments":[]}`)
	none.do("POST", "/users", newUser("b@x.example")).want(t, 403)
}

func FuzzTenantFile(f *testing.F) {
	f.Add([]byte(smallTenant))
	f.Add([]byte(manyUsers(3)))
	f.Add([]byte(`{"organization":[{"displayName":"X"}],"domains":[{"id":"x"}],"users":[{"userPrincipalName":"a@x"}],"signedIn":"a@x"}`))
	f.Fuzz(func(t *testing.T, file []byte) {
		tenant, err := load(file, clock.Real(), silent())
		if err != nil {
			var b *BadTenant
			if !errors.As(err, &b) {
				t.Fatalf("no reason: %v", err)
			}
			return
		}
		one := tenant.snapshot()
		again, err := load(one, clock.Real(), silent())
		if err != nil {
			t.Fatalf("its own snapshot is refused: %v\n%s", err, one)
		}
		if !bytes.Equal(again.snapshot(), one) {
			t.Fatalf("loaded again it differs:\n%s\n%s", one, again.snapshot())
		}
	})
}

func TestOptions_RefuseWhatIsNotServed(t *testing.T) {
	for name, o := range map[string]Options{
		"unknown limits": {Limits: "some"}, "unknown fault": {Faults: []string{"5xx"}}, "approve": {Approve: "never"},
		"negative users": {Users: -1}, "file and number": {Tenant: []byte("{}"), Users: 3},
		"bad export": {Tenant: []byte(smallTenant), HAC: []byte("a,b\n1,2\n")},
	} {
		if _, err := New(o); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

func TestStart_WritesAReadyFileThatATrustingClientCanUse(t *testing.T) {
	s, client := started(t, Options{Users: 30, Seed: 2, Speed: 60, TLSNames: []string{"graph.microsoft.com"}})
	path := filepath.Join(t.TempDir(), "ready.json")
	if err := s.WriteReady(path); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"graph", "authority", "tenant", "client", "ca", "hac", "hac_client", "hac_secret", "speed"} {
		if !strings.Contains(string(b), `"`+key+`":`) {
			t.Errorf("no %s in %s", key, b)
		}
	}
	r := s.Ready()
	if pem, err := os.ReadFile(r.CA); err != nil || !bytes.Equal(pem, s.CA().PEM()) {
		t.Errorf("the CA file: %v", err)
	}
	if r.Speed != 60 || r.HAC == r.Graph || !strings.HasPrefix(r.HAC, "https://127.0.0.1:") {
		t.Errorf("%+v", r)
	}
	res, err := client.Get(r.Graph + "/simulator/tenant")
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Errorf("status %d", res.StatusCode)
	}
	res, err = client.Get(r.Graph + "/simulator/export")
	if err != nil {
		t.Fatal(err)
	}
	export, err := io.ReadAll(res.Body)
	_ = res.Body.Close()
	if err != nil || !strings.HasPrefix(string(export), "\ufeffUsername,Email Address,") {
		t.Errorf("export: %v %.60s", err, export)
	}
	left, err := filepath.Glob(filepath.Join(filepath.Dir(path), ".ready-*"))
	if err != nil || len(left) != 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
	if _, err := Start(t.Context(), Options{Users: 1, Listen: "0.0.0.0:0"}); err == nil {
		t.Error("it listens where other machines can reach it")
	}
}

func TestSpeed_RunsTheTenantsClockFaster(t *testing.T) {
	s, err := New(Options{Users: 1, Speed: 1e6})
	if err != nil {
		t.Fatal(err)
	}
	one := s.clock.Now()
	time.Sleep(5 * time.Millisecond)
	if d := s.clock.Now().Sub(one); d < time.Hour {
		t.Errorf("only %v passed", d)
	}
}
