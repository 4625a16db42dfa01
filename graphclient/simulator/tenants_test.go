package simulator

import (
	"bytes"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"
)

// with is the small tenant with properties put into its users.
func with(more ...string) string {
	t := smallTenant
	for i := 0; i+1 < len(more); i += 2 {
		t = strings.Replace(t, `"userPrincipalName":"`+more[i]+`"`, `"userPrincipalName":"`+more[i]+`",`+more[i+1], 1)
	}
	return t
}

func TestUserType_IsNullWhereTheTenantFileSaysSo(t *testing.T) {
	b := newBench(t, with("nobody@contoso.example", `"userType":null`))
	const sel = "?$select=userPrincipalName,userType"
	r := b.get("/users/nobody@contoso.example"+sel).want(t, 200)
	if v, has := r.json["userType"]; !has || v != nil {
		t.Errorf("%s", r.raw)
	}
	if got := b.get("/users/operator@contoso.example" + sel).text("userType"); got != "Member" {
		t.Errorf("not named in the file: %q", got)
	}
	once := b.s.Snapshot()
	again, err := New(Options{Tenant: once})
	if err != nil || !bytes.Equal(again.Snapshot(), once) || again.User("nobody@contoso.example")["userType"] != nil {
		t.Errorf("loaded again it differs: %v", err)
	}
	b.do("PATCH", "/users/nobody@contoso.example", map[string]any{"userType": "Member"}).want(t, 204)
	if got := b.get("/users/nobody@contoso.example" + sel).text("userType"); got != "Member" {
		t.Errorf("after the remedy: %q", got)
	}
}

func TestLicences_HaveTheirPlansAndStates(t *testing.T) {
	plan := func(status string) string {
		return `"assignedPlans":[{"capabilityStatus":"` + status + `","service":"exchange","servicePlanId":"efb87545-963c-4e0d-99df-69c6916d9eb0"}]`
	}
	for status, mailbox := range map[string]bool{"Enabled": true, "Warning": true, "Suspended": true, "LockedOut": true, "Deleted": false} {
		b := newBench(t, with("nobody@contoso.example", plan(status))).asApp()
		r := b.get("/users/nobody@contoso.example/mailboxSettings/userPurpose")
		if (r.status == 200) != mailbox {
			t.Errorf("%s: %s", status, r.raw)
		}
		if p := b.get("/users/nobody@contoso.example?$select=assignedPlans"); !strings.Contains(string(p.raw), `"capabilityStatus":"`+status+`"`) {
			t.Errorf("%s", p.raw)
		}
	}
	var e *BadTenant
	if _, err := New(Options{Tenant: []byte(with("nobody@contoso.example", plan("Expired")))}); !errors.As(err, &e) || !strings.Contains(e.Reason, "Expired") {
		t.Errorf("an unknown state: %v", err)
	}
	b := newBench(t, with("nobody@contoso.example", `"assignedLicenses":[{"disabledPlans":[],"skuId":"440eaaa8-b3e0-484b-a8be-62870b9ba70a"}]`))
	if p := b.get("/users/nobody@contoso.example?$select=assignedPlans"); !strings.Contains(string(p.raw), "f47330e9-c134-43b3-9993-e7f004506889") {
		t.Errorf("a licence without plans: %s", p.raw)
	}
}

func TestImmutableID_OfADeletedUserIsTaken(t *testing.T) {
	b := newBench(t, smallTenant)
	const gone = "Z29uZQ=="
	for what, r := range map[string]result{
		"POST":  b.do("POST", "/users", newUser("x@contoso.example", map[string]any{"onPremisesImmutableId": gone})),
		"PATCH": b.do("PATCH", "/users/nobody@contoso.example", map[string]any{"onPremisesImmutableId": gone}),
	} {
		if r.status != 400 || r.detail() != "ObjectConflict onPremisesImmutableId" {
			t.Errorf("%s: %s", what, r.raw)
		}
	}
	b.do("DELETE", "/directory/deletedItems/"+goneID, nil).want(t, 204)
	b.do("PATCH", "/users/nobody@contoso.example", map[string]any{"onPremisesImmutableId": gone}).want(t, 204)

	b = newBench(t, strings.Replace(smallTenant, `"signedIn"`, `"simulator":{"reuseDeletedIDs":true},"signedIn"`, 1))
	b.do("PATCH", "/users/nobody@contoso.example", map[string]any{"onPremisesImmutableId": gone}).want(t, 204)
}

func TestCount_IsTextAndNothingElse(t *testing.T) {
	b := newBench(t, smallTenant)
	for accept, status := range map[string]int{"": 200, "*/*": 200, "text/plain": 200, "text/plain, application/json": 200, "application/json": 406} {
		headers := []string{"ConsistencyLevel", "eventual"}
		if accept != "" {
			headers = append(headers, "Accept", accept)
		}
		for _, of := range []string{"/users/$count", "/groups/$count"} {
			if r := b.get(of, headers...); r.status != status {
				t.Errorf("%s, Accept %q: %d", of, accept, r.status)
			}
		}
	}
}

func TestGroupEligibility_IsReadGroupByGroupByWhoMay(t *testing.T) {
	tenant := strings.Replace(smallTenant, `"signedIn"`, `"groupEligibilitySchedules":[
 {"groupId":"cccccccc-0000-4000-8000-000000000001","principalId":"nobody@contoso.example"},
 {"groupId":"cccccccc-0000-4000-8000-000000000001","principalId":"yamada.taro@contoso.example","accessId":"owner"},
 {"groupId":"cccccccc-0000-4000-8000-000000000002","principalId":"fed@fed.example"}],"signedIn"`, 1)
	const scope = "PrivilegedEligibilitySchedule.Read.AzureADGroup"
	const path = "/identityGovernance/privilegedAccess/group/eligibilitySchedules"
	const one = path + "?$filter=groupId eq 'cccccccc-0000-4000-8000-000000000001'"
	b := newBench(t, tenant)
	if r := b.get(one).want(t, 403); r.code() != "Authorization_RequestDenied" {
		t.Errorf("without the permission: %s", r.raw)
	}
	b.as(adminUPN, scope)
	r := b.get(one).want(t, 200)
	if got := strings.Join(r.column("principalId"), " ") + " " + strings.Join(r.column("accessId"), " "); got != "aaaaaaaa-0000-4000-8000-000000000007 "+yamadaID+" member owner" {
		t.Errorf("%s", r.raw)
	}
	b.get(path).want(t, 400)
	b.as("useradmin@contoso.example", scope)
	b.get(one).want(t, 403)
	b.asApp(scope)
	b.get(one).want(t, 200)
	b.asApp()
	b.get(one).want(t, 403)
	if again, err := New(Options{Tenant: b.s.Snapshot()}); err != nil || !bytes.Equal(again.Snapshot(), b.s.Snapshot()) {
		t.Errorf("loaded again it differs: %v", err)
	}
	b = newBench(t, strings.Replace(tenant, `"signedIn":"`, `"simulator":{"noPIM":true},"signedIn":"`, 1)).as(adminUPN, scope)
	if r := b.get(one).want(t, 400); r.code() != "AadPremiumLicenseRequired" {
		t.Errorf("%s", r.raw)
	}
}

func TestFaults_AReplicaDoesNotKnowWhoWasMadeOrRestored(t *testing.T) {
	c := &handClock{now: time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC)}
	b := newBench(t, smallTenant, func(o *Options) { o.Faults, o.Clock = []string{"replica=30s"}, c })
	made := b.do("POST", "/users", newUser("made@contoso.example")).want(t, 201).text("id")
	b.do("POST", "/directory/deletedItems/"+goneID+"/restore", nil).want(t, 200)
	for _, id := range []string{made, goneID} {
		b.do(http.MethodPatch, "/users/"+id, `{"surname":"new"}`).want(t, 404)
		if r := b.do("DELETE", "/users/"+id, nil).want(t, 404); r.code() != "Request_ResourceNotFound" {
			t.Errorf("%s", r.raw)
		}
		b.get("/users/"+id).want(t, 200)
		b.get("/users/"+id).want(t, 404) // a moment later, from another replica
		if r := b.get("/directory/deletedItems/" + id); (r.status == 200) != (id == goneID) {
			t.Errorf("%s among the deleted: %s", id, r.raw)
		}
		b.get("/users/"+id).want(t, 200)
		b.get("/directory/deletedItems/"+id).want(t, 404)
	}
	b.do(http.MethodPatch, "/users/"+yamadaID, `{"surname":"new"}`).want(t, 204)
	c.now = c.now.Add(30 * time.Second)
	b.do(http.MethodPatch, "/users/"+made, `{"surname":"new"}`).want(t, 204)
	b.do("DELETE", "/users/"+goneID, nil).want(t, 204)
}
