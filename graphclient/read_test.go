package graphclient_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hacsync/hacsync/sync/destination"
	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/progress"
)

// counts are what the tenant counts, one after the other; the last repeats.
func (f *fixture) counts(all ...int) {
	f.on["GET /users/$count"] = func(w http.ResponseWriter, _ *http.Request, n int) { fmt.Fprint(w, all[min(n, len(all))-1]) }
}

func (f *fixture) read(t *testing.T, want ...directory.Attribute) (*destination.Reading, error) {
	t.Helper()
	return f.client.Read(t.Context(), want, progress.Discard)
}

func TestRead_WholeTenant(t *testing.T) {
	f := newFixture(t, directory.ID(strings.ToUpper(id(8))))
	rows := []string{
		person(1, `"onPremisesImmutableId":"Abc=","mail":"user1@midori.example","surname":"Mori","jobTitle":"Chief","createdDateTime":"2020-01-02T03:04:05Z"`),
		person(2, `"userType":"Guest"`), person(3, `"onPremisesSyncEnabled":true`), person(4, `"isManagementRestricted":true`),
		person(5, `"proxyAddresses":["SMTP:a@midori.example"],"assignedPlans":[{"service":"exchange","capabilityStatus":"Enabled"}]`),
		person(6, `"assignedPlans":[{"service":"exchange","capabilityStatus":"Suspended"},{"service":"Teams","capabilityStatus":"Enabled"}]`),
		person(7), person(8), person(9), person(10, `"assignedPlans":[{"service":"exchange","capabilityStatus":"Deleted"}]`), person(900), person(11, `"externalUserState":"Accepted"`),
		strings.Replace(person(12), `"userType":"Member"`, `"userType":null`, 1), person(13, `"@odata.type":"#microsoft.graph.agentUser"`),
		strings.Replace(person(14), "user14@midori.example", "x_y.example#EXT#@midorisample.onmicrosoft.com", 1),
	}
	f.users(rows...)
	// Two pages, the second by an opaque link.
	f.on["GET /users"] = func(w http.ResponseWriter, r *http.Request, _ int) {
		if r.URL.Query().Get("$skiptoken") == "" {
			if q := r.URL.Query(); q.Get("$top") != "999" || !strings.Contains(q.Get("$select"), "isManagementRestricted") || !strings.Contains(q.Get("$select"), "jobTitle") {
				f.t.Errorf("query %s", r.URL.RawQuery)
			}
			fmt.Fprintf(w, `{"value":[%s],"@odata.nextLink":"%s/v1.0/users?$skiptoken=a%%20b"}`, strings.Join(rows[:5], ","), f.URL)
			return
		}
		fmt.Fprintf(w, `{"value":[%s]}`, strings.Join(rows[5:], ","))
	}
	f.json("GET /roleManagement/directory/roleAssignments", `{"value":[{"principalId":"`+id(7)+`","directoryScopeId":"/administrativeUnits/x"}]}`)
	f.json("GET /roleManagement/directory/roleEligibilitySchedules", `{"value":[{"principalId":"`+strings.ToUpper(id(9))+`"}]}`)
	f.json("GET /groups", `{"value":[{"id":"g1"}]}`)
	f.on["GET /groups/g1/transitiveMembers"] = func(w http.ResponseWriter, r *http.Request, _ int) {
		if r.URL.Query().Get("$skiptoken") == "" {
			fmt.Fprintf(w, `{"value":[],"@odata.nextLink":"%s/v1.0/groups/g1/transitiveMembers?$skiptoken=2"}`, f.URL)
			return
		}
		fmt.Fprintf(w, `{"value":[{"id":"%s"}]}`, id(10))
	}
	f.json("GET /groups/g1/owners", `{"value":[{"id":"`+id(1)+`"}]}`)
	f.json("GET /directory/deletedItems/microsoft.graph.user", `{"value":[{"id":"`+id(50)+`","userPrincipalName":"`+
		strings.ReplaceAll(id(50), "-", "")+`gone@midori.example","deletedDateTime":"2026-11-20T00:00:00Z","onPremisesImmutableId":"Zz"}]}`)

	r, err := f.read(t, directory.Surname, "jobTitle", directory.UserPrincipalName)
	if err != nil {
		t.Fatal(err)
	}
	if r.Tenant.ID != tenantID || r.Tenant.Initial != "midorisample.onmicrosoft.com" || len(r.Tenant.Domains) != 2 || !r.Tenant.Domains[0].Federated {
		t.Errorf("tenant = %+v", r.Tenant)
	}
	if r.Users.Len() != len(rows) || r.Users.Proof().Count != int64(len(rows)) || r.Users.Proof().Pages != 2 {
		t.Errorf("read %d, proof %+v", r.Users.Len(), r.Users.Proof())
	}
	if !r.ServerTime.Equal(f.date) {
		t.Errorf("server time %v", r.ServerTime)
	}
	base := directory.Enabled
	for n, want := range map[int]directory.Marks{
		1: base | directory.RoleGroup | directory.Addressed, 2: base | directory.Guest, 3: base | directory.Synced, 4: base | directory.Restricted,
		5: base | directory.Addressed | directory.ExchangePlan | directory.Licensed | directory.WasLicensed,
		6: base | directory.SuspendedPlan | directory.Licensed | directory.WasLicensed, 7: base | directory.RoleHolder,
		8: base | directory.SignedIn, 9: base | directory.RoleHolder, 10: base | directory.RoleGroup | directory.WasLicensed, 900: base | directory.SignedIn,
		11: base | directory.Guest, 12: base | directory.OldMember, 13: base | directory.Guest, 14: base | directory.Guest,
	} {
		u, ok := r.Users.ByID(directory.ID(id(n)))
		if !ok || u.Marks() != want {
			t.Errorf("account %d has marks %b, want %b", n, u.Marks(), want)
		}
	}
	u, _ := r.Users.ByID(directory.ID(id(1)))
	if v, _ := u.Get("jobTitle"); v != "Chief" || u.ImmutableID() != "Abc=" || u.Created().Year() != 2020 {
		t.Errorf("record = %+v", u.Record())
	}
	if v, _ := u.Get(directory.Surname); v != "Mori" {
		t.Errorf("surname = %q", v)
	}
	gone := r.Deleted.At(0)
	if gone.UPN() != "gone@midori.example" || gone.Deleted().IsZero() || gone.ImmutableID() != "Zz" {
		t.Errorf("deleted = %+v", gone.Record())
	}
}

func TestRead_MarksAccountsByWhatTheyShow(t *testing.T) {
	const null = `"userType":null`
	plan := func(status string) string {
		return `"assignedPlans":[{"service":"exchange","servicePlanId":"efb87545-963c-4e0d-99df-69c6916d9eb0","capabilityStatus":"` + status + `"}]`
	}
	phone := func(id, status string) string {
		return `"assignedPlans":[{"service":"MicrosoftCommunicationsOnline","servicePlanId":"` + id + `","capabilityStatus":"` + status + `"}]`
	}
	const usable = directory.ExchangePlan | directory.Licensed | directory.WasLicensed
	cases := []struct {
		account string
		want    directory.Marks
	}{
		{person(0, null), directory.OldMember},
		{person(1, null, `"externalUserState":null`, `"@odata.type":"#microsoft.graph.user"`), directory.OldMember},
		{person(2, null, `"externalUserState":"PendingAcceptance"`), directory.Guest},
		{person(3, null, `"@odata.type":"#microsoft.graph.agentUser"`), directory.Guest},
		{strings.Replace(person(4, null), "user4@", "x_y.example#ext#@", 1), directory.Guest},
		{person(5, `"userType":"gUEST"`), directory.Guest},
		{person(6, `"userType":"mEMBER"`), 0},
		{strings.Replace(person(7), `,"userType":"Member"`, "", 1), directory.Guest}, // not said at all
		{person(8, plan("Enabled")), usable},
		{person(9, plan("Warning")), usable},
		{person(10, plan("LockedOut")), usable},
		{person(11, plan("Suspended")), directory.SuspendedPlan | directory.Licensed | directory.WasLicensed},
		{person(12, plan("Deleted")), directory.WasLicensed},
		{person(13, `"department":"Microsoft Communication Application Instance"`), directory.ResourceAccount},
		{person(14, `"department":"Communication"`), 0},
		{person(15, phone("F47330E9-c134-43b3-9993-e7f004506889", "Enabled")), directory.ResourceAccount | directory.Licensed | directory.WasLicensed},
		{person(16, phone("f47330e9-c134-43b3-9993-e7f004506889", "Suspended")), directory.ResourceAccount | directory.Licensed | directory.WasLicensed},
		{person(17, phone("f47330e9-c134-43b3-9993-e7f004506889", "Deleted")), directory.WasLicensed},
	}
	f := newFixture(t)
	var rows []string
	for _, c := range cases {
		rows = append(rows, c.account)
	}
	f.users(rows...)
	list := f.on["GET /users"]
	f.on["GET /users"] = func(w http.ResponseWriter, r *http.Request, n int) {
		if !strings.Contains(r.URL.Query().Get("$select"), "department") {
			t.Errorf("not asked for the department: %s", r.URL.RawQuery)
		}
		list(w, r, n)
	}
	r, err := f.read(t)
	if err != nil {
		t.Fatal(err)
	}
	for n, c := range cases {
		u, _ := r.Users.ByID(directory.ID(id(n)))
		if got := u.Marks() &^ directory.Enabled; got != c.want {
			t.Errorf("%s: marks %b, want %b", c.account, got, c.want)
		}
	}
}

// Rule 1: a page that lacks, fails or repeats gives no snapshot.
func TestRule1_NoSnapshotOfAnIncompleteRead(t *testing.T) {
	full := `{"value":[` + person(1) + `]`
	for name, tc := range map[string]struct {
		at   string
		on   func(f *fixture) func(w http.ResponseWriter, r *http.Request, n int)
		want problem.Code
	}{
		"second page 401": {"GET /users", second(401, `{"error":{"code":"InvalidAuthenticationToken"}}`), problem.TokenRefused},
		"second page 404": {"GET /users", second(404, `{"error":{"code":"Request_ResourceNotFound","message":"m"}}`), problem.ReadRefused},
		"second page 403": {"GET /users", second(403, `{"error":{"code":"Authorization_RequestDenied"}}`), problem.PermissionMissing},
		"empty body":      {"GET /users", whole(200, ""), problem.BrokenAnswer},
		"malformed":       {"GET /users", whole(200, full), problem.BrokenAnswer},
		"two objects":     {"GET /users", whole(200, full+"}{}"), problem.BrokenAnswer},
		"html with 200":   {"GET /users", whole(200, "<html>sign in to the network</html>"), problem.BrokenAnswer},
		"no value":        {"GET /users", whole(200, `{}`), problem.BrokenAnswer},
		"error inside":    {"GET /users", whole(200, `{"error":{"code":"x"}}`), problem.BrokenAnswer},
		"html 502":        {"GET /users", whole(502, "<html>bad gateway</html>"), problem.ServerTrouble},
		"{} 400":          {"GET /users", whole(400, `{}`), problem.ReadRefused},
		"no users":        {"GET /users", whole(200, `{"value":[]}`), problem.NoAccounts},
		"user without id": {"GET /users", whole(200, `{"value":[{"userPrincipalName":"a@b"}]}`), problem.BrokenAnswer},
		"same page again": {"GET /users", func(f *fixture) func(http.ResponseWriter, *http.Request, int) {
			return func(w http.ResponseWriter, _ *http.Request, n int) {
				fmt.Fprintf(w, `{"value":[%s],"@odata.nextLink":"%s/v1.0/users?$skiptoken=same"}`, person(n), f.URL)
			}
		}, problem.PagesRepeat},
		"same account twice": {"GET /users", whole(200, `{"value":[`+person(1)+","+person(1)+`]}`), problem.AccountTwice},
		"link to another host": {"GET /users", func(*fixture) func(http.ResponseWriter, *http.Request, int) {
			return func(w http.ResponseWriter, _ *http.Request, _ int) {
				fmt.Fprintf(w, `{"value":[%s],"@odata.nextLink":"https://evil.example/v1.0/users?$skiptoken=2"}`, person(1))
			}
		}, problem.ForeignHost},
		"link with a name before the host": {"GET /users", func(f *fixture) func(http.ResponseWriter, *http.Request, int) {
			return func(w http.ResponseWriter, _ *http.Request, _ int) {
				fmt.Fprintf(w, `{"value":[%s],"@odata.nextLink":"%s/v1.0/users"}`, person(1), strings.Replace(f.URL, "https://", "https://x@", 1))
			}
		}, problem.ForeignHost},
		"link to http": {"GET /users", func(f *fixture) func(http.ResponseWriter, *http.Request, int) {
			return func(w http.ResponseWriter, _ *http.Request, _ int) {
				fmt.Fprintf(w, `{"value":[%s],"@odata.nextLink":"%s/v1.0/users"}`, person(1), strings.Replace(f.URL, "https:", "http:", 1))
			}
		}, problem.ForeignHost},
		"a role of nobody":    {"GET /roleManagement/directory/roleAssignments", whole(200, `{"value":[{"id":"x"}]}`), problem.BrokenAnswer},
		"a member without id": {"GET /groups/g1/transitiveMembers", whole(200, `{"value":[{}]}`), problem.BrokenAnswer},
		"roles refused":       {"GET /roleManagement/directory/roleAssignments", whole(403, `{"error":{"code":"Authorization_RequestDenied"}}`), problem.PermissionMissing},
		"eligibility refused": {"GET /roleManagement/directory/roleEligibilitySchedules", whole(403, `{"error":{"code":"UnknownError"}}`), problem.PermissionMissing},
		"members refused":     {"GET /groups/g1/transitiveMembers", whole(403, `{"error":{"code":"Authorization_RequestDenied"}}`), problem.PermissionMissing},
		"recycle bin refused": {"GET /directory/deletedItems/microsoft.graph.user", whole(403, `{"error":{"code":"Authorization_RequestDenied"}}`), problem.PermissionMissing},
		"count not a number":  {"GET /users/$count", whole(200, "many"), problem.BrokenAnswer},
		"no organization":     {"GET /organization", whole(200, `{"value":[]}`), problem.BrokenAnswer},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.json("GET /groups", `{"value":[{"id":"g1"}]}`)
			f.json("GET /groups/g1/transitiveMembers", `{"value":[]}`)
			f.json("GET /groups/g1/owners", `{"value":[]}`)
			f.on[tc.at] = tc.on(f)
			r, err := f.read(t)
			p := wantCode(t, err, tc.want)
			if r != nil {
				t.Error("there is a snapshot all the same")
			}
			if tc.want == problem.PermissionMissing && (p.Args["permission"] == "" || p.Upstream.RequestID != "req-1") {
				t.Errorf("the words lack what is missing: %v", p)
			}
		})
	}
}

func second(code int, body string) func(f *fixture) func(http.ResponseWriter, *http.Request, int) {
	return func(f *fixture) func(http.ResponseWriter, *http.Request, int) {
		return func(w http.ResponseWriter, r *http.Request, _ int) {
			if r.URL.Query().Get("$skiptoken") != "" {
				status(code, body)(w)
				return
			}
			fmt.Fprintf(w, `{"value":[%s],"@odata.nextLink":"%s/v1.0/users?$skiptoken=2"}`, person(1), f.URL)
		}
	}
}

func whole(code int, body string) func(f *fixture) func(http.ResponseWriter, *http.Request, int) {
	return func(*fixture) func(http.ResponseWriter, *http.Request, int) {
		return func(w http.ResponseWriter, _ *http.Request, _ int) { status(code, body)(w) }
	}
}

func TestRead_TenantWithoutPIM(t *testing.T) {
	f := newFixture(t)
	f.on["GET /roleManagement/directory/roleEligibilitySchedules"] = whole(400, `{"error":{"code":"AadPremiumLicenseRequired","message":"The tenant needs a licence."}}`)(f)
	if _, err := f.read(t); err != nil {
		t.Fatal(err)
	}
}

func TestRead_IsTriedAgainByClass(t *testing.T) {
	body := `{"value":[` + person(1) + "," + person(2) + `]}`
	for name, tc := range map[string]struct {
		first  func(http.ResponseWriter)
		waited time.Duration // exactly; 0: about a second
	}{
		"429 with seconds":    {status(429, `{"error":{"code":"TooManyRequests"}}`, "Retry-After", "17"), 17 * time.Second},
		"429 with a fraction": {status(429, ``, "Retry-After", "1.2"), 2 * time.Second},
		"429 with a date":     {status(429, ``, "Retry-After", "Wed, 25 Nov 2026 00:31:10 GMT"), 70 * time.Second},
		"429 without":         {status(429, ``), 0},
		"503":                 {status(503, `<html/>`, "Retry-After", "3"), 3 * time.Second},
		"500":                 {status(500, `{}`), 0},
		"502":                 {status(502, `<html/>`), 0},
		"504":                 {status(504, ``), 0},
		"connection cut":      {cut, 0},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.answers("GET /users", tc.first, status(200, body))
			var mu sync.Mutex
			var pauses []time.Duration
			r, err := f.client.Read(t.Context(), nil, progress.Func(func(e progress.Event) {
				mu.Lock()
				defer mu.Unlock()
				if e.Pause > 0 {
					pauses = append(pauses, e.Pause)
				}
			}))
			if err != nil || r.Users.Len() != 2 {
				t.Fatalf("read = %v", err)
			}
			got := f.clock.total()
			if tc.waited > 0 && got != tc.waited || tc.waited == 0 && (got < time.Second || got > 2*time.Second) {
				t.Errorf("waited %v, want %v", got, tc.waited)
			}
			if len(pauses) != 1 {
				t.Errorf("pauses told: %v", pauses)
			}
		})
	}
}

func TestRead_GivesUpInTheEnd(t *testing.T) {
	for name, tc := range map[string]struct {
		answer func(http.ResponseWriter)
		want   problem.Code
		calls  int
	}{
		"for ever throttled":      {status(429, ``, "Retry-After", "200"), problem.Throttled, 5},
		"a pause of hours":        {status(429, ``, "Retry-After", "7200"), problem.Throttled, 1},
		"for ever unavailable":    {status(503, ``), problem.ServerTrouble, 7},
		"a mistake of ours":       {status(400, `{"error":{"code":"Request_UnsupportedQuery"}}`), problem.ReadRefused, 1},
		"not implemented":         {status(501, `{"error":{"code":"NotImplemented"}}`), problem.ReadRefused, 1},
		"cut again and again":     {cut, problem.ConnectionCut, 7},
		"no JSON again and again": {status(200, `{"value":[`), problem.BrokenAnswer, 7},
		"a redirect":              {status(302, ``, "Location", "https://evil.example/"), problem.ForeignHost, 1},
		"a redirect to our own":   {status(302, ``, "Location", "/v1.0/me"), problem.ReadRefused, 1},
		"proxy wants to be asked": {status(407, ``), problem.ProxyFailed, 1},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.answers("GET /domains", tc.answer)
			_, err := f.client.Tenant(t.Context())
			wantCode(t, err, tc.want)
			if n := f.count("GET /domains"); n != tc.calls {
				t.Errorf("asked %d times, want %d", n, tc.calls)
			}
		})
	}
}

func TestRead_StopsWhileItWaits(t *testing.T) {
	f := newFixture(t)
	ctx, cancel := context.WithCancel(t.Context())
	f.clock.stop = cancel
	f.answers("GET /users", status(429, ``, "Retry-After", "60"))
	_, err := f.client.Read(ctx, nil, nil)
	if !errors.Is(err, context.Canceled) || problem.Of(err) != nil {
		t.Errorf("error = %v", err)
	}
	if n := f.count("GET /users"); n != 1 {
		t.Errorf("asked %d times after the end", n)
	}
}

func TestRead_RefusedTokenIsReplacedOnce(t *testing.T) {
	f := newFixture(t)
	f.answers("GET /domains", status(401, `{}`, "WWW-Authenticate",
		`Bearer realm="", error="insufficient_claims", claims="eyJhY2Nlc3NfdG9rZW4iOnt9fQ=="`), status(200, `{"value":[]}`))
	if _, err := f.client.Tenant(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(f.tokens.renews) != 1 || f.tokens.renews[0] != `{"access_token":{}}` {
		t.Errorf("renewed for %q", f.tokens.renews)
	}
	f = newFixture(t)
	f.answers("GET /domains", status(401, `{}`))
	_, err := f.client.Tenant(t.Context())
	if p := wantCode(t, err, problem.TokenRefused); p.Class() != problem.Mend {
		t.Error("it is for a person to mend")
	}
	if n := f.count("GET /domains"); n != 2 {
		t.Errorf("asked %d times", n)
	}
}

// What was read differs from the count, but what changed since explains it.
func TestRead_ReconcilesWithWhatChangedMeanwhile(t *testing.T) {
	f := newFixture(t)
	f.users(person(1), person(2), person(4))
	f.json("GET /users", `{"value":[`+person(1)+","+person(2)+","+person(3)+`]}`) // 3 was deleted, 4 added meanwhile
	delete(f.on, "GET /users/"+id(3))
	f.counts(4, 3, 3)
	f.on["GET /users/delta"] = func(w http.ResponseWriter, r *http.Request, _ int) {
		if r.URL.Query().Get("$deltatoken") == "latest" {
			fmt.Fprintf(w, `{"value":[],"@odata.deltaLink":"%s/v1.0/users/delta?$deltatoken=t"}`, f.URL)
			return
		}
		fmt.Fprintf(w, `{"value":[{"id":"%s","@removed":{"reason":"changed"}},{"id":"%s"},{"id":"%s"}],"@odata.deltaLink":"%s/x"}`, id(3), id(4), id(4), f.URL)
	}
	r, err := f.read(t)
	if err != nil {
		t.Fatal(err)
	}
	_, three := r.Users.ByID(directory.ID(id(3)))
	_, four := r.Users.ByID(directory.ID(id(4)))
	if r.Users.Len() != 3 || three || !four {
		t.Errorf("read %d accounts, 3: %v, 4: %v", r.Users.Len(), three, four)
	}
	if f.count("GET /users") != 1 {
		t.Error("it was read again all the same")
	}
}

func TestRead_ReadsOnceMoreThenRefuses(t *testing.T) {
	f := newFixture(t)
	f.on["GET /users/$count"] = whole(200, "3")(f)
	_, err := f.read(t)
	p := wantCode(t, err, problem.CountDiffers)
	if p.Args["read"] != "2" || p.Args["counted"] != "3" || f.count("GET /users") != 2 {
		t.Errorf("args %v after %d reads", p.Args, f.count("GET /users"))
	}

	f = newFixture(t)
	f.counts(3, 3, 3, 2)
	if _, err := f.read(t); err != nil {
		t.Errorf("the second read agreed: %v", err)
	}

	f = newFixture(t) // the delta token is gone: nothing to reconcile with
	f.counts(3, 3, 2)
	f.on["GET /users/delta"] = func(w http.ResponseWriter, r *http.Request, _ int) {
		if r.URL.Query().Get("$deltatoken") == "latest" {
			fmt.Fprintf(w, `{"value":[],"@odata.deltaLink":"%s/v1.0/users/delta?$deltatoken=t"}`, f.URL)
			return
		}
		status(410, `{"error":{"code":"syncStateNotFound"}}`)(w)
	}
	if _, err := f.read(t); err != nil {
		t.Errorf("the second read agreed: %v", err)
	}
}

func TestRead_TokenGoesToGraphOnly(t *testing.T) {
	evil := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("another host was asked") }))
	defer evil.Close()
	f := newFixture(t)
	f.answers("GET /organization", status(307, ``, "Location", evil.URL+"/v1.0/organization"))
	_, err := f.client.Tenant(t.Context())
	wantCode(t, err, problem.ForeignHost)
	f.answers("GET /organization", status(200, `{"value":[],"@odata.nextLink":"`+evil.URL+`/v1.0/organization"}`))
	_, err = f.client.Tenant(t.Context())
	wantCode(t, err, problem.ForeignHost)
}

func TestRead_NothingWithoutAToken(t *testing.T) {
	f := newFixture(t)
	f.tokens.err = problem.New(problem.SessionRevoked, nil)
	_, err := f.read(t)
	wantCode(t, err, problem.SessionRevoked)
	if len(f.log) > 0 {
		t.Errorf("sent %v", f.log)
	}
}
