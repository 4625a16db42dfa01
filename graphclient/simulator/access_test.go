package simulator

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestToken_IsNeededAndChecked(t *testing.T) {
	b := newBench(t, smallTenant)
	good := b.token
	for name, token := range map[string]string{
		"missing":        "",
		"not a token":    "abc",
		"other key":      good[:strings.LastIndexByte(good, '.')+1] + b64([]byte("nonsense")),
		"changed claims": strings.Replace(good, ".", ".e30", 1),
	} {
		b.token = token
		r := b.get("/users").want(t, 401)
		if r.code() != "InvalidAuthenticationToken" || r.header.Get("WWW-Authenticate") == "" {
			t.Errorf("%s: %s", name, r.raw)
		}
	}
	b = newBench(t, smallTenant, func(o *Options) { o.TokenLife = time.Nanosecond })
	if r := b.get("/users").want(t, 401); !strings.Contains(r.message(), "expired") {
		t.Errorf("%s", r.raw)
	}
}

func TestPermissions_AreNeededPerCall(t *testing.T) {
	for path, scope := range map[string]string{
		"/users":                   "User.Read.All",
		"/users/" + yamadaID:       "User.Read.All",
		"/users/delta":             "User.Read.All",
		"/me":                      "User.Read",
		"/organization":            "Organization.Read.All",
		"/domains":                 "Domain.Read.All",
		"/domains/contoso.example": "Domain.Read.All",
		"/domains/contoso.example/domainNameReferences":      "Domain.Read.All",
		"/directory/deletedItems/microsoft.graph.user":       "User.Read.All",
		"/roleManagement/directory/roleAssignments":          "RoleManagement.Read.Directory",
		"/roleManagement/directory/roleDefinitions":          "RoleManagement.Read.Directory",
		"/roleManagement/directory/roleEligibilitySchedules": "RoleManagement.Read.Directory",
		"/groups": "GroupMember.Read.All",
		"/groups/cccccccc-0000-4000-8000-000000000001/members": "GroupMember.Read.All",
		"/servicePrincipals":      "Application.Read.All",
		"/applications":           "Application.Read.All",
		"/oauth2PermissionGrants": "Directory.Read.All",
	} {
		b := newBench(t, smallTenant).as(adminUPN, scope)
		b.get(path).want(t, 200)
		r := b.as(adminUPN, "Calendars.Read").get(path).want(t, 403)
		if r.code() != "Authorization_RequestDenied" || r.message() != "Insufficient privileges to complete the operation." {
			t.Errorf("%s: %s", path, r.raw)
		}
	}
	b := newBench(t, smallTenant).as(adminUPN, "User.Read.All")
	b.do("PATCH", "/users/"+yamadaID, map[string]any{"jobTitle": "x"}).want(t, 403)
	b.do("POST", "/users", newUser("x@contoso.example")).want(t, 403)
	b.do("DELETE", "/users/"+yamadaID, nil).want(t, 403)
	b.do("POST", "/directory/deletedItems/"+goneID+"/restore", nil).want(t, 403)
	b.as(adminUPN, "User.EnableDisableAccount.All", "User.Read.All")
	b.do("PATCH", "/users/"+yamadaID, map[string]any{"accountEnabled": false}).want(t, 204)
	b.do("PATCH", "/users/"+yamadaID, map[string]any{"accountEnabled": true, "jobTitle": "x"}).want(t, 403)
	b.as(adminUPN, "User.DeleteRestore.All")
	b.do("DELETE", "/users/"+yamadaID, nil).want(t, 204)
	b.do("POST", "/directory/deletedItems/"+yamadaID+"/restore", nil).want(t, 200)
}

func TestRoles_DecideWhoMayTouchWhom(t *testing.T) {
	const user, helpdesk, operator, admin, userAdmin = "nobody@contoso.example", "helpdesk@contoso.example", "operator@contoso.example", adminUPN, "useradmin@contoso.example"
	type who func(*bench) *bench
	as := func(upn string) who { return func(b *bench) *bench { return b.as(upn, allScopes...) } }
	app := func(b *bench) *bench { return b.asApp("User.ReadWrite.All") }
	privileged := func(b *bench) *bench {
		b.s.t.assigned.add(newObject(b.s.t.sch["unifiedRoleAssignment"], map[string]string{
			"id": `"x"`, "principalId": `"dddddddd-0000-4000-8000-000000000001"`, "roleDefinitionId": quote(roleUserAdmin),
		}))
		return b.asApp("User.ReadWrite.All")
	}
	for name, c := range map[string]struct {
		who    who
		target string
		want   int
	}{
		"global administrator, person":      {as(adminUPN), user, 204},
		"global administrator, helpdesk":    {as(adminUPN), helpdesk, 204},
		"global administrator, role group":  {as(adminUPN), operator, 204},
		"user administrator, person":        {as(userAdmin), user, 204},
		"user administrator, helpdesk":      {as(userAdmin), helpdesk, 204},
		"user administrator, global admin":  {as(userAdmin), admin, 403},
		"user administrator, role group":    {as(userAdmin), operator, 403},
		"nobody, person":                    {as(user), "yamada.taro@contoso.example", 403},
		"helpdesk, person":                  {as(helpdesk), user, 403},
		"application, person":               {app, user, 204},
		"application, helpdesk":             {app, helpdesk, 403},
		"application, global administrator": {app, admin, 403},
		"application, role group":           {app, operator, 403},
		"application with role, helpdesk":   {privileged, helpdesk, 204},
		"application with role, admin":      {privileged, admin, 403},
	} {
		t.Run(name, func(t *testing.T) {
			b := c.who(newBench(t, smallTenant))
			b.do("PATCH", "/users/"+c.target, map[string]any{"onPremisesImmutableId": "bmV3"}).want(t, c.want)
			b.do("DELETE", "/users/"+c.target, nil).want(t, c.want)
		})
	}
	// Other attributes than the sensitive ones take no more than writing does.
	b := app(newBench(t, smallTenant))
	b.do("PATCH", "/users/"+helpdesk, map[string]any{"jobTitle": "x"}).want(t, 204)
	if err := b.s.Edit(user, map[string]any{"isManagementRestricted": true}); err != nil {
		t.Fatal(err)
	}
	b.do("PATCH", "/users/"+user, map[string]any{"jobTitle": "x"}).want(t, 403)
	// An administrator's account is deleted by a person only with this scope.
	b = newBench(t, smallTenant).as(adminUPN, "User.ReadWrite.All")
	b.do("DELETE", "/users/"+helpdesk, nil).want(t, 403)
	b.do("DELETE", "/users/"+user, nil).want(t, 204)
	// A password needs the permission and the role, for an application.
	b = privileged(newBench(t, smallTenant))
	pw := map[string]any{"passwordProfile": map[string]any{"password": "Long-enough-1"}}
	b.do("PATCH", "/users/"+user, pw).want(t, 403)
	b.asApp("User.ReadWrite.All", "User-PasswordProfile.ReadWrite.All").do("PATCH", "/users/"+user, pw).want(t, 204)
}

func TestMailbox_PurposeIsForApplicationsAndOneself(t *testing.T) {
	b := newBench(t, smallTenant)
	r := b.get("/users/room@contoso.example/mailboxSettings/userPurpose").want(t, 403)
	if r.code() != "ErrorAccessDenied" {
		t.Errorf("%s", r.raw)
	}
	b.as("yamada.taro@contoso.example", "MailboxSettings.Read")
	if r := b.get("/me/mailboxSettings/userPurpose").want(t, 200); r.text("value") != "user" {
		t.Errorf("%s", r.raw)
	}
	b.asApp()
	if r := b.get("/users/room@contoso.example/mailboxSettings/userPurpose").want(t, 200); r.text("value") != "room" {
		t.Errorf("%s", r.raw)
	}
	if r := b.get("/users/"+yamadaID+"/mailboxSettings").want(t, 200); r.text("userPurpose") != "user" {
		t.Errorf("%s", r.raw)
	}
	if r := b.get("/users/nobody@contoso.example/mailboxSettings/userPurpose").want(t, 404); r.code() != "MailboxNotEnabledForRESTAPI" {
		t.Errorf("%s", r.raw)
	}
	b.asApp("User.Read.All").get("/users/room@contoso.example/mailboxSettings/userPurpose").want(t, 403)
	tenant := strings.Replace(smallTenant, `"signedIn"`, `"simulator":{"denyPurposes":["room@contoso.example"]},"signedIn"`, 1)
	newBench(t, tenant).asApp().get("/users/room@contoso.example/mailboxSettings/userPurpose").want(t, 403)
}

func TestRoleManagement_ListsAssignmentsDefinitionsAndEligibilities(t *testing.T) {
	var extra strings.Builder
	for range 1200 {
		extra.WriteString(`{"principalId":"` + newGUID() + `","roleDefinitionId":"` + roleDirReaders + `"},`)
	}
	tenant := strings.Replace(smallTenant, `"roleAssignments":[`, `"roleAssignments":[`+extra.String(), 1)
	tenant = strings.Replace(tenant, `"signedIn"`, `"roleEligibilitySchedules":[{"principalId":"nobody@contoso.example","roleDefinitionId":"`+roleUserAdmin+`"}],"signedIn"`, 1)
	b := newBench(t, tenant)
	values, pages := b.all("/roleManagement/directory/roleAssignments?$expand=principal")
	if len(values) != 1203 || pages != 2 {
		t.Errorf("%d assignments in %d pages", len(values), pages)
	}
	values, _ = b.all("/roleManagement/directory/roleAssignments?$filter=" + escape("principalId eq 'aaaaaaaa-0000-4000-8000-000000000006'"))
	if len(values) != 1 || values[0]["roleDefinitionId"] != roleHelpdesk || values[0]["directoryScopeId"] != "/" {
		t.Errorf("%v", values)
	}
	for _, list := range []string{"roleEligibilitySchedules", "roleEligibilityScheduleInstances"} {
		values, _ := b.all("/roleManagement/directory/" + list)
		if len(values) != 1 || values[0]["principalId"] != "aaaaaaaa-0000-4000-8000-000000000007" {
			t.Errorf("%s: %v", list, values)
		}
	}
	values, _ = b.all("/roleManagement/directory/roleDefinitions?$select=id,displayName,isBuiltIn")
	if len(values) < 20 {
		t.Errorf("%d definitions", len(values))
	}
	b.get("/roleManagement/directory/roleDefinitions/"+roleUserAdmin).want(t, 200)
	r := b.do("POST", "/roleManagement/directory/roleAssignments", map[string]any{
		"principalId": yamadaID, "roleDefinitionId": roleDirReaders, "directoryScopeId": "/",
	}).want(t, 201)
	b.do("POST", "/roleManagement/directory/roleAssignments", map[string]any{
		"principalId": yamadaID, "roleDefinitionId": roleDirReaders, "directoryScopeId": "/",
	}).want(t, 400)
	b.get("/roleManagement/directory/roleAssignments/"+r.text("id")).want(t, 200)
	b.do("DELETE", "/roleManagement/directory/roleAssignments/"+r.text("id"), nil).want(t, 204)

	noPIM := newBench(t, strings.Replace(smallTenant, `"signedIn"`, `"simulator":{"noPIM":true},"signedIn"`, 1))
	for _, list := range []string{"roleEligibilitySchedules", "roleEligibilityScheduleInstances"} {
		r := noPIM.get("/roleManagement/directory/"+list).want(t, 400)
		if r.code() != "AadPremiumLicenseRequired" || r.message() != "The tenant needs to have Microsoft Entra ID P2 or Microsoft Entra ID Governance license." {
			t.Errorf("%s", r.raw)
		}
	}
}

func TestGroups_GiveRoleAssignableOnesAndTheirPeople(t *testing.T) {
	b := newBench(t, smallTenant)
	r := b.get("/groups?$filter=isAssignableToRole%20eq%20true&$select=id,displayName,isAssignableToRole").want(t, 200)
	if len(r.values()) != 1 || r.values()[0]["displayName"] != "Operators" {
		t.Fatalf("%s", r.raw)
	}
	const group = "/groups/cccccccc-0000-4000-8000-000000000001"
	m := b.get(group+"/members?$select=id,userPrincipalName").want(t, 200).values()
	if len(m) != 1 || m[0]["userPrincipalName"] != "operator@contoso.example" || m[0]["@odata.type"] != "#microsoft.graph.user" {
		t.Errorf("members %v", m)
	}
	if o := b.get(group+"/owners").want(t, 200).values(); len(o) != 1 || o[0]["displayName"] != "Admin" {
		t.Errorf("owners %v", o)
	}
	const team = "/groups/cccccccc-0000-4000-8000-000000000002"
	if m := b.get(team+"/members?$select=id").want(t, 200).values(); len(m) != 2 {
		t.Errorf("members of two kinds %v", m)
	}
	if m := b.get(team+"/transitiveMembers").want(t, 200).values(); len(m) != 3 {
		t.Errorf("transitive %v", m)
	}
	if m := b.get(team+"/transitiveMembers/microsoft.graph.user?$select=userPrincipalName").want(t, 200).values(); len(m) != 2 {
		t.Errorf("transitive users %v", m)
	}
	if g := b.get("/groups?$filter="+escape("proxyAddresses/any(p:p eq 'smtp:team@contoso.example')")).want(t, 200).values(); len(g) != 1 {
		t.Errorf("by address %v", g)
	}
	b.get("/groups/nothing").want(t, 404)
	b.get(group+"/nothing").want(t, 400)
}

func TestDomains_AndWhatDependsOnThem(t *testing.T) {
	b := newBench(t, smallTenant)
	values, _ := b.all("/domains")
	if len(values) != 4 || values[2]["id"] != "fed.example" || values[2]["authenticationType"] != "Federated" {
		t.Errorf("%v", values)
	}
	if r := b.get("/domains/UNVERIFIED.example").want(t, 200); r.is("isVerified") {
		t.Errorf("%s", r.raw)
	}
	b.get("/domains/nothing.example").want(t, 404)
	all, _ := b.all("/domains/contoso.example/domainNameReferences")
	if len(all) != 9 {
		t.Errorf("%d references: %v", len(all), all)
	}
	groups, _ := b.all("/domains/contoso.example/domainNameReferences/microsoft.graph.group?$select=id,displayName")
	if len(groups) != 1 || groups[0]["displayName"] != "Team" {
		t.Errorf("%v", groups)
	}
	org := b.get("/organization").want(t, 200).values()[0]
	if org["displayName"] != "Contoso K.K." || len(org["verifiedDomains"].([]any)) != 3 {
		t.Errorf("%v", org)
	}
	if me := b.get("/me").want(t, 200); me.text("userPrincipalName") != adminUPN {
		t.Errorf("%s", me.raw)
	}
	b.asApp().get("/me").want(t, 400)
}

func TestApplications_AreRegisteredAndGranted(t *testing.T) {
	b := newBench(t, smallTenant)
	graph := b.get("/servicePrincipals(appId='"+graphAppID+"')?$select=id,appRoles").want(t, 200)
	roles, _ := graph.json["appRoles"].([]any)
	var role string
	for _, r := range roles {
		if m, _ := r.(map[string]any); m["value"] == "Domain.Read.All" {
			role, _ = m["id"].(string)
		}
	}
	if role != "dbb9058a-0e50-45d7-ae91-66909b5d4664" {
		t.Fatalf("Domain.Read.All is %q", role)
	}
	app := b.do("POST", "/applications", map[string]any{"displayName": "hacsync midori", "tags": []string{"hacsync"}}).want(t, 201)
	b.do("POST", "/servicePrincipals", map[string]any{"appId": newGUID()}).want(t, 400)
	sp := b.do("POST", "/servicePrincipals", map[string]any{"appId": app.text("appId")}).want(t, 201)
	b.do("POST", "/servicePrincipals", map[string]any{"appId": app.text("appId")}).want(t, 409)
	path := "/servicePrincipals/" + sp.text("id") + "/appRoleAssignments"
	grant := map[string]any{"principalId": sp.text("id"), "resourceId": graph.text("id"), "appRoleId": role}
	a := b.do("POST", path, grant).want(t, 201)
	b.do("POST", path, grant).want(t, 400)
	if v := b.get(path).want(t, 200).values(); len(v) != 1 || v[0]["appRoleId"] != role {
		t.Errorf("%v", v)
	}
	if v := b.get("/servicePrincipals/"+graph.text("id")+"/appRoleAssignedTo").want(t, 200).values(); len(v) != 4 {
		t.Errorf("%d holders", len(v))
	}
	b.do("DELETE", path+"/"+a.text("id"), nil).want(t, 204)
	if v := b.get("/servicePrincipals?$filter="+escape("tags/any(t:t eq 'hacsync')")).want(t, 200).values(); len(v) != 0 {
		t.Errorf("by tag %v", v)
	}
	if v := b.get("/applications?$filter="+escape("appId eq '"+app.text("appId")+"'")).want(t, 200).values(); len(v) != 1 {
		t.Errorf("by appId %v", v)
	}
	b.do("PATCH", "/applications/"+app.text("id"), map[string]any{"displayName": "other"}).want(t, 204)
	b.do("PATCH", "/applications/"+app.text("id"), map[string]any{"keyCredentials": []any{map[string]any{"key": "AAAA"}}}).want(t, 400)
	b.as("nobody@contoso.example", allScopes...)
	b.do("POST", "/applications", map[string]any{"displayName": "x"}).want(t, 403)
	b.do("POST", path, grant).want(t, 403)
}

func TestGetByIDs_FindsObjectsOfEveryKind(t *testing.T) {
	b := newBench(t, smallTenant)
	r := b.do(http.MethodPost, "/directoryObjects/getByIds", map[string]any{
		"ids": []string{yamadaID, "cccccccc-0000-4000-8000-000000000001", goneID, newGUID()},
	}).want(t, 200)
	if got := strings.Join(r.column("@odata.type"), " "); got != "#microsoft.graph.user #microsoft.graph.group" {
		t.Errorf("%s", got)
	}
	r = b.do(http.MethodPost, "/directoryObjects/getByIds", map[string]any{
		"ids": []string{yamadaID, "cccccccc-0000-4000-8000-000000000001"}, "types": []string{"group"},
	}).want(t, 200)
	if len(r.values()) != 1 {
		t.Errorf("%s", r.raw)
	}
}

func TestConsent_IsGivenForAPersonByAnAdministrator(t *testing.T) {
	b := newBench(t, smallTenant).as(adminUPN, "DelegatedPermissionGrant.ReadWrite.All", "Application.Read.All", "Directory.Read.All")
	client := b.get("/servicePrincipals(appId='"+cliToolsAppID+"')").want(t, 200).text("id")
	graph := b.get("/servicePrincipals(appId='"+graphAppID+"')").want(t, 200).text("id")
	grant := map[string]any{
		"clientId": client, "consentType": "Principal", "principalId": yamadaID, "resourceId": graph, "scope": "User.Read.All",
	}
	made := b.do("POST", "/oauth2PermissionGrants", grant).want(t, 201)
	b.do("POST", "/oauth2PermissionGrants", grant).want(t, 409)
	b.do("PATCH", "/oauth2PermissionGrants/"+made.text("id"), map[string]any{"scope": "User.Read.All Domain.Read.All"}).want(t, 204)
	if g := b.get("/oauth2PermissionGrants").want(t, 200).values(); len(g) != 1 || g[0]["scope"] != "Domain.Read.All User.Read.All" {
		t.Errorf("%v", g)
	}
	grant["consentType"] = "AllPrincipals"
	b.do("POST", "/oauth2PermissionGrants", grant).want(t, 400)
	b.as("nobody@contoso.example", "DelegatedPermissionGrant.ReadWrite.All")
	b.do("PATCH", "/oauth2PermissionGrants/"+made.text("id"), map[string]any{"scope": ""}).want(t, 403)
}
