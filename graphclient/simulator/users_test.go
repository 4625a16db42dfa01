package simulator

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"
)

const (
	yamadaID = "aaaaaaaa-0000-4000-8000-000000000002"
	goneID   = "bbbbbbbb-0000-4000-8000-000000000001"
)

// newUser is the body of a valid POST /users, with changes.
func newUser(upn string, change ...map[string]any) map[string]any {
	local, _, _ := strings.Cut(upn, "@")
	m := map[string]any{
		"accountEnabled": true, "displayName": "New " + local, "mailNickname": "nick", "userPrincipalName": upn,
		"passwordProfile": map[string]any{"password": "Long-enough-1", "forceChangePasswordNextSignIn": true},
	}
	for _, c := range change {
		for k, v := range c {
			if v == "absent" {
				delete(m, k)
			} else {
				m[k] = v
			}
		}
	}
	return m
}

func TestGetUser_GivesElevenPropertiesUnlessOthersAreSelected(t *testing.T) {
	b := newBench(t, smallTenant)
	r := b.get("/users/"+yamadaID).want(t, 200)
	delete(r.json, "@odata.context")
	want := []string{
		"businessPhones", "displayName", "givenName", "id", "jobTitle", "mail", "mobilePhone", "officeLocation",
		"preferredLanguage", "surname", "userPrincipalName",
	}
	if len(r.json) != len(want) {
		t.Errorf("properties %v", maps.Keys(r.json))
	}
	for _, p := range want {
		if _, has := r.json[p]; !has {
			t.Errorf("no %s", p)
		}
	}
	r = b.get("/users/yamada.taro@CONTOSO.example?$select=accountEnabled,onPremisesSyncEnabled,mailNickname").want(t, 200)
	if !r.is("accountEnabled") || r.json["onPremisesSyncEnabled"] != nil || r.json["mailNickname"] != "yamada.taro" {
		t.Errorf("%s", r.raw)
	}
	r = b.get("/users('yamada.taro@contoso.example')?$select=id").want(t, 200)
	if r.json["id"] != yamadaID {
		t.Errorf("by key in parentheses: %s", r.raw)
	}
}

func TestGetUser_SaysInGraphsWordsWhatIsNotThere(t *testing.T) {
	b := newBench(t, smallTenant)
	r := b.get("/users/nobody.here@contoso.example").want(t, 404)
	if r.code() != "Request_ResourceNotFound" || r.message() != "Resource 'nobody.here@contoso.example' does not exist or one of its queried reference-property objects are not present." {
		t.Errorf("%s", r.raw)
	}
	e, _ := r.json["error"].(map[string]any)
	inner, _ := e["innerError"].(map[string]any)
	if inner["request-id"] != r.header.Get("request-id") || inner["date"] == nil {
		t.Errorf("innerError %v, request-id %s", inner, r.header.Get("request-id"))
	}
	b.get("/users/"+goneID).want(t, 404) // the recycle bin does not answer under users
	r = b.get("/users?$select=id,nickname").want(t, 400)
	if r.code() != "BadRequest" || !strings.Contains(r.message(), "Could not find a property named 'nickname' on type 'microsoft.graph.user'.") {
		t.Errorf("%s", r.raw)
	}
	if r := b.get("/nothing").want(t, 400); r.message() != "Resource not found for the segment 'nothing'." {
		t.Errorf("%s", r.raw)
	}
	b.do("PUT", "/users/"+yamadaID, map[string]any{}).want(t, 405)
	if got := b.get("/users/"+yamadaID, "client-request-id", "my-own").header.Get("client-request-id"); got != "my-own" {
		t.Errorf("client-request-id %q", got)
	}
}

func TestCreateUser_MakesAnAccountWithoutAddressUntilItIsLicensed(t *testing.T) {
	b := newBench(t, smallTenant)
	r := b.do("POST", "/users", newUser("suzuki.hana@contoso.example", map[string]any{"surname": "鈴木", "onPremisesImmutableId": "abc=="})).want(t, 201)
	id := r.text("id")
	got := b.get("/users/"+id+"?$select=mail,proxyAddresses,surname,createdDateTime,userType,passwordProfile").want(t, 200)
	if got.json["mail"] != nil || fmt.Sprint(got.json["proxyAddresses"]) != "[]" || got.json["surname"] != "鈴木" || got.json["userType"] != "Member" {
		t.Errorf("%s", got.raw)
	}
	if got.json["passwordProfile"] != nil {
		t.Error("the password profile can be read back")
	}
	if _, err := time.Parse(time.RFC3339, got.text("createdDateTime")); err != nil {
		t.Errorf("createdDateTime: %v", err)
	}
	if err := b.s.License(id); err != nil {
		t.Fatal(err)
	}
	if got := b.get("/users/" + id + "?$select=mail"); got.text("mail") != "suzuki.hana@contoso.example" {
		t.Errorf("after licensing: %s", got.raw)
	}
}

func TestCreateUser_RefusesWhatEntraIDRefuses(t *testing.T) {
	b := newBench(t, smallTenant)
	for name, c := range map[string]struct {
		upn    string
		change map[string]any
		detail string
	}{
		"duplicate UPN":             {"YAMADA.taro@contoso.example", nil, "ObjectConflict userPrincipalName"},
		"UPN is another's address":  {"taro@contoso.example", nil, "ObjectConflict proxyAddresses"},
		"UPN is a group's address":  {"team@contoso.example", nil, "ObjectConflict proxyAddresses"},
		"duplicate immutable ID":    {"x@contoso.example", map[string]any{"onPremisesImmutableId": "WEt4r/aDlE3wtGz0UbVoqQ=="}, "ObjectConflict onPremisesImmutableId"},
		"no display name":           {"x@contoso.example", map[string]any{"displayName": "absent"}, "InvalidValue displayName"},
		"no enabled":                {"x@contoso.example", map[string]any{"accountEnabled": "absent"}, "InvalidValue accountEnabled"},
		"no nickname":               {"x@contoso.example", map[string]any{"mailNickname": "absent"}, "InvalidValue mailNickname"},
		"no password":               {"x@contoso.example", map[string]any{"passwordProfile": "absent"}, "InvalidValue passwordProfile"},
		"empty password profile":    {"x@contoso.example", map[string]any{"passwordProfile": map[string]any{}}, "InvalidValue password"},
		"short password":            {"x@contoso.example", map[string]any{"passwordProfile": map[string]any{"password": "Ab1-xyz"}}, "InvalidValue password"},
		"two classes only":          {"x@contoso.example", map[string]any{"passwordProfile": map[string]any{"password": "abcdefgh1234"}}, "InvalidValue password"},
		"password beyond ASCII":     {"x@contoso.example", map[string]any{"passwordProfile": map[string]any{"password": "Passwört-12"}}, "InvalidValue password"},
		"accent in UPN":             {"müller@contoso.example", nil, "InvalidValue userPrincipalName"},
		"space in UPN":              {"a b@contoso.example", nil, "InvalidValue userPrincipalName"},
		"plus in UPN":               {"a+b@contoso.example", nil, "InvalidValue userPrincipalName"},
		"dot before the at":         {"a.@contoso.example", nil, "InvalidValue userPrincipalName"},
		"65 characters before at":   {strings.Repeat("a", 65) + "@contoso.example", nil, "InvalidValue userPrincipalName"},
		"no domain":                 {"a", nil, "InvalidValue userPrincipalName"},
		"unknown domain":            {"a@elsewhere.example", nil, "InvalidValue userPrincipalName"},
		"unverified domain":         {"a@unverified.example", nil, "InvalidValue userPrincipalName"},
		"given name of 65":          {"x@contoso.example", map[string]any{"givenName": strings.Repeat("あ", 65)}, "InvalidValue givenName"},
		"display name of 257":       {"x@contoso.example", map[string]any{"displayName": strings.Repeat("x", 257)}, "InvalidValue displayName"},
		"nickname with at":          {"x@contoso.example", map[string]any{"mailNickname": "a@b"}, "InvalidValue mailNickname"},
		"dollar in immutable ID":    {"x@contoso.example", map[string]any{"onPremisesImmutableId": "a$b"}, "InvalidValue onPremisesImmutableId"},
		"empty text":                {"x@contoso.example", map[string]any{"department": ""}, "InvalidValue department"},
		"number for text":           {"x@contoso.example", map[string]any{"department": 3}, "InvalidValue department"},
		"usage location of three":   {"x@contoso.example", map[string]any{"usageLocation": "JPN"}, "InvalidValue usageLocation"},
		"two business phones":       {"x@contoso.example", map[string]any{"businessPhones": []string{"1", "2"}}, "InvalidValue businessPhones"},
		"read-only property":        {"x@contoso.example", map[string]any{"proxyAddresses": []string{"smtp:a@b"}}, ""},
		"unknown property":          {"x@contoso.example", map[string]any{"shoeSize": 3}, ""},
		"federated without ID":      {"x@fed.example", nil, ""},
		"federated with null as ID": {"x@fed.example", map[string]any{"onPremisesImmutableId": nil}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			before := string(b.s.Snapshot())
			r := b.do("POST", "/users", newUser(c.upn, c.change)).want(t, 400)
			if r.code() != "Request_BadRequest" || r.detail() != c.detail {
				t.Errorf("%s", r.raw)
			}
			if string(b.s.Snapshot()) != before {
				t.Error("a refused request changed the tenant")
			}
		})
	}
	b.do("POST", "/users", newUser("x@fed.example", map[string]any{"onPremisesImmutableId": "eA=="})).want(t, 201)
	b.do("POST", "/users", newUser(strings.Repeat("a", 64)+"@contoso.example")).want(t, 201)
	b.do("POST", "/users", newUser("o'neill-._!#^~@contoso.example")).want(t, 201)
	r := b.do("POST", "/users", "{").want(t, 400)
	if r.code() != "BadRequest" {
		t.Errorf("%s", r.raw)
	}
}

func TestUpdateUser_ChangesWhatIsGivenAndClearsNull(t *testing.T) {
	b := newBench(t, smallTenant)
	b.do("PATCH", "/users/"+yamadaID, map[string]any{"department": nil, "jobTitle": "部長"}).want(t, 204)
	r := b.get("/users/" + yamadaID + "?$select=department,jobTitle,surname")
	if r.json["department"] != nil || r.json["jobTitle"] != "部長" || r.json["surname"] != "山田" {
		t.Errorf("%s", r.raw)
	}
	for _, p := range []string{"displayName", "userPrincipalName", "mailNickname", "mail", "usageLocation", "accountEnabled"} {
		if r := b.do("PATCH", "/users/"+yamadaID, map[string]any{p: nil}); r.status != 400 {
			t.Errorf("%s could be cleared", p)
		}
	}
	b.do("PATCH", "/users/"+yamadaID, map[string]any{"aboutMe": "x", "jobTitle": "y"}).want(t, 400)
	b.do("PATCH", "/users/nobody.here@contoso.example", map[string]any{"jobTitle": "x"}).want(t, 404)
	b.do("PATCH", "/users/"+goneID, map[string]any{"jobTitle": "x"}).want(t, 404)
	r = b.do("PATCH", "/users/synced@contoso.example", map[string]any{"jobTitle": "x"}).want(t, 400)
	if !strings.HasPrefix(r.message(), "Unable to update the specified properties for on-premises mastered") {
		t.Errorf("%s", r.raw)
	}
	b.do("PATCH", "/users/synced@contoso.example", map[string]any{"usageLocation": "JP"}).want(t, 204)
}

func TestRename_KeepsTheOldAddressOfAMailbox(t *testing.T) {
	b := newBench(t, smallTenant)
	b.do("PATCH", "/users/"+yamadaID, map[string]any{"userPrincipalName": "sato.taro@contoso.example"}).want(t, 204)
	r := b.get("/users/" + yamadaID + "?$select=mail,proxyAddresses")
	if r.text("mail") != "sato.taro@contoso.example" ||
		fmt.Sprint(r.json["proxyAddresses"]) != "[SMTP:sato.taro@contoso.example smtp:yamada.taro@contoso.example smtp:taro@contoso.example]" {
		t.Errorf("%s", r.raw)
	}
	// The old name is free as a UPN, but still answers as an address.
	r = b.do("POST", "/users", newUser("yamada.taro@contoso.example")).want(t, 400)
	if r.detail() != "ObjectConflict proxyAddresses" {
		t.Errorf("%s", r.raw)
	}
	// One's own old address is no conflict: the way back is open.
	b.do("PATCH", "/users/"+yamadaID, map[string]any{"userPrincipalName": "yamada.taro@contoso.example"}).want(t, 204)
	// An account without a mailbox gets no address.
	b.do("PATCH", "/users/nobody@contoso.example", map[string]any{"userPrincipalName": "somebody@contoso.example"}).want(t, 204)
	if r := b.get("/users/somebody@contoso.example?$select=proxyAddresses"); fmt.Sprint(r.json["proxyAddresses"]) != "[]" {
		t.Errorf("%s", r.raw)
	}
	b.do("PATCH", "/users/"+yamadaID, map[string]any{"userPrincipalName": "somebody@contoso.example"}).want(t, 400)
	b.do("PATCH", "/users/"+yamadaID, map[string]any{"userPrincipalName": "YAMADA.TARO@contoso.example"}).want(t, 204)
}

func TestFederatedDomain_BindsTheImmutableID(t *testing.T) {
	b := newBench(t, smallTenant)
	const fed = "/users/fed@fed.example"
	b.do("PATCH", fed, map[string]any{"onPremisesImmutableId": "b3RoZXI="}).want(t, 400)
	b.do("PATCH", fed, map[string]any{"onPremisesImmutableId": nil}).want(t, 400)
	b.do("PATCH", fed, map[string]any{"onPremisesImmutableId": "ZmVk", "surname": "F"}).want(t, 204)
	b.do("PATCH", fed, map[string]any{"passwordProfile": map[string]any{"password": "Long-enough-1"}}).want(t, 400)
	// Into a federated domain only with an ID, in the same request or before.
	b.do("PATCH", "/users/nobody@contoso.example", map[string]any{"userPrincipalName": "nobody@fed.example"}).want(t, 400)
	b.do("PATCH", "/users/nobody@contoso.example", map[string]any{"userPrincipalName": "nobody@fed.example", "onPremisesImmutableId": "bm8="}).want(t, 204)
	// Out of it, the ID may change again.
	b.do("PATCH", fed, map[string]any{"userPrincipalName": "fed@contoso.example"}).want(t, 204)
	b.do("PATCH", "/users/fed@contoso.example", map[string]any{"onPremisesImmutableId": "b3RoZXI="}).want(t, 204)
	// An empty one may be filled, in a federated domain as well.
	if err := b.s.Edit("nobody@fed.example", map[string]any{"onPremisesImmutableId": nil}); err != nil {
		t.Fatal(err)
	}
	b.do("PATCH", "/users/nobody@fed.example", map[string]any{"onPremisesImmutableId": "bm9ib2R5"}).want(t, 204)
}

func TestDelete_PrefixesTheUPNAndRestoreTakesItOff(t *testing.T) {
	b := newBench(t, smallTenant)
	b.do("DELETE", "/users/"+yamadaID, nil).want(t, 204)
	b.get("/users/"+yamadaID).want(t, 404)
	b.get("/users/yamada.taro@contoso.example").want(t, 404)
	r := b.get("/directory/deletedItems/microsoft.graph.user?$select=id,userPrincipalName,deletedDateTime,onPremisesImmutableId").want(t, 200)
	if len(r.values()) != 2 {
		t.Fatalf("%s", r.raw)
	}
	var upn string
	for _, v := range r.values() {
		if v["id"] == yamadaID {
			upn, _ = v["userPrincipalName"].(string)
		}
	}
	if upn != strings.ReplaceAll(yamadaID, "-", "")+"yamada.taro@contoso.example" {
		t.Errorf("UPN in the recycle bin %q", upn)
	}
	one := b.get("/directory/deletedItems/"+yamadaID).want(t, 200)
	if one.text("@odata.type") != "#microsoft.graph.user" || one.json["deletedDateTime"] == nil {
		t.Errorf("%s", one.raw)
	}
	if r := b.get("/directory/deletedItems/microsoft.graph.user/$count", "ConsistencyLevel", "eventual").want(t, 200); string(r.raw) != "2" {
		t.Errorf("count %s", r.raw)
	}
	// The name and the ID can be used again at once; the restore then conflicts.
	other := b.do("POST", "/users", newUser("yamada.taro@contoso.example")).want(t, 201)
	if r := b.do("POST", "/directory/deletedItems/"+yamadaID+"/restore", nil).want(t, 400); r.detail() != "ObjectConflict userPrincipalName" {
		t.Errorf("%s", r.raw)
	}
	b.do("POST", "/directory/deletedItems/"+yamadaID+"/restore", map[string]any{"newUserPrincipalName": "taro2@elsewhere.example"}).want(t, 400)
	b.do("DELETE", "/users/"+other.text("id"), nil).want(t, 204)
	r = b.do("POST", "/directory/deletedItems/"+yamadaID+"/restore", map[string]any{}).want(t, 200)
	if r.text("userPrincipalName") != "yamada.taro@contoso.example" || r.text("id") != yamadaID {
		t.Errorf("%s", r.raw)
	}
	got := b.get("/users/" + yamadaID + "?$select=department,onPremisesImmutableId,proxyAddresses,deletedDateTime,assignedPlans")
	if got.json["department"] != "営業部" || got.json["deletedDateTime"] != nil || len(got.json["proxyAddresses"].([]any)) != 2 {
		t.Errorf("%s", got.raw)
	}
	b.do("POST", "/directory/deletedItems/"+yamadaID+"/restore", nil).want(t, 404)
}

func TestRestore_WithAnotherUPNAndReconciledAddresses(t *testing.T) {
	b := newBench(t, smallTenant)
	b.do("DELETE", "/users/"+yamadaID, nil).want(t, 204)
	b.do("POST", "/users", newUser("taro@contoso.example")).want(t, 201)
	if err := b.s.License("taro@contoso.example"); err != nil {
		t.Fatal(err)
	}
	if r := b.do("POST", "/directory/deletedItems/"+yamadaID+"/restore", map[string]any{"newUserPrincipalName": "taro.y@contoso.example"}).want(t, 400); r.detail() != "ObjectConflict proxyAddresses" {
		t.Errorf("%s", r.raw)
	}
	b.do("POST", "/directory/deletedItems/"+yamadaID+"/restore", map[string]any{"newUserPrincipalName": "taro.y@contoso.example", "autoReconcileProxyConflict": true}).want(t, 200)
	r := b.get("/users/taro.y@contoso.example?$select=id,proxyAddresses")
	if r.text("id") != yamadaID || fmt.Sprint(r.json["proxyAddresses"]) != "[SMTP:yamada.taro@contoso.example]" {
		t.Errorf("%s", r.raw)
	}
}

func TestRecycleBin_IsEmptiedAfterThirtyDays(t *testing.T) {
	c := &moving{now: time.Date(2026, 11, 25, 9, 0, 0, 0, time.UTC)}
	b := newBench(t, smallTenant, func(o *Options) { o.Clock = c })
	b.do("DELETE", "/users/"+yamadaID, nil).want(t, 204)
	c.now = c.now.Add(30*24*time.Hour - time.Minute)
	b.get("/directory/deletedItems/"+yamadaID).want(t, 200)
	c.now = c.now.Add(time.Minute)
	b.get("/directory/deletedItems/"+yamadaID).want(t, 404)
	b.do("POST", "/directory/deletedItems/"+yamadaID+"/restore", nil).want(t, 404)
	if strings.Contains(string(b.s.Snapshot()), yamadaID) {
		t.Error("the purged user is still in the tenant")
	}
}

func TestQuota_StopsWhoHoldsNoRole(t *testing.T) {
	tenant := strings.Replace(smallTenant, `"signedIn"`, `"simulator":{"quota":2},"signedIn"`, 1)
	b := newBench(t, tenant).asApp()
	b.do("POST", "/users", newUser("a1@contoso.example")).want(t, 201)
	r := b.do("POST", "/users", newUser("a2@contoso.example")).want(t, 201)
	b.do("DELETE", "/users/"+r.text("id"), nil).want(t, 204) // counts as long as it can be restored
	if r := b.do("POST", "/users", newUser("a3@contoso.example")).want(t, 403); r.code() != "Directory_QuotaExceeded" {
		t.Errorf("%s", r.raw)
	}
	b.do("DELETE", "/directory/deletedItems/"+r.text("id"), nil).want(t, 204)
	b.do("POST", "/users", newUser("a3@contoso.example")).want(t, 201)
	b.as(adminUPN, allScopes...)
	for i := range 3 {
		b.do("POST", "/users", newUser(fmt.Sprintf("b%d@contoso.example", i))).want(t, 201)
	}
}
