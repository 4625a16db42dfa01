package simulator

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// manyUsers is a tenant with n plain users u000… and the administrator.
func manyUsers(n int) string {
	var b strings.Builder
	b.WriteString(`{"organization":{"displayName":"Many"},"domains":[{"id":"many.onmicrosoft.com","isInitial":true},{"id":"many.example"}],"users":[{"userPrincipalName":"admin@many.example"}`)
	for i := range n {
		fmt.Fprintf(&b, `,{"userPrincipalName":"u%04d@many.example","displayName":"User %d","department":"D%d"}`, i, n-i, i%3)
	}
	b.WriteString(`],"signedIn":"admin@many.example"}`)
	return b.String()
}

// all follows the pages of a list to the end.
func (b *bench) all(path string, headers ...string) (values []map[string]any, pages int) {
	b.Helper()
	for path != "" {
		r := b.get(path, headers...).want(b, 200)
		values = append(values, r.values()...)
		path = r.text("@odata.nextLink")
		pages++
	}
	return values, pages
}

func TestList_ComesInPagesThatMissNoUser(t *testing.T) {
	b := newBench(t, manyUsers(2500))
	values, pages := b.all("/users?$top=999&$select=userPrincipalName")
	if len(values) != 2501 || pages != 3 {
		t.Errorf("%d users in %d pages", len(values), pages)
	}
	seen := map[any]bool{}
	for _, v := range values {
		if seen[v["userPrincipalName"]] {
			t.Errorf("%v came twice", v["userPrincipalName"])
		}
		seen[v["userPrincipalName"]] = true
		if len(v) != 2 {
			t.Fatalf("selected one property, got %v", v)
		}
	}
	if values, pages := b.all("/users"); len(values) != 2501 || pages != 26 {
		t.Errorf("without $top: %d users in %d pages", len(values), pages)
	}
	// A user who is deleted between two pages is missing; no other is.
	r := b.get("/users?$top=999&$select=userPrincipalName")
	if err := b.s.Delete("u0000@many.example"); err != nil {
		t.Fatal(err)
	}
	rest, _ := b.all(r.text("@odata.nextLink"))
	if len(rest) != 2501-999 {
		t.Errorf("%d users after the first page", len(rest))
	}
	link := r.text("@odata.nextLink")
	if !strings.Contains(link, "$skiptoken=") || !strings.HasPrefix(link, inProcessGraph+"/v1.0/users?") {
		t.Errorf("next link %s", link)
	}
}

func TestList_RefusesWhatGraphRefuses(t *testing.T) {
	b := newBench(t, smallTenant)
	for path, code := range map[string]string{
		"/users?$top=1000":                                         "Request_UnsupportedQuery",
		"/users?$top=0":                                            "Request_UnsupportedQuery",
		"/users?$top=x":                                            "BadRequest",
		"/users?$skip=10":                                          "Request_BadRequest",
		"/users?$filter=foo eq 'x'":                                "BadRequest",
		"/users?$filter=displayName eq":                            "BadRequest",
		"/users?$filter=displayName eq 'x":                         "BadRequest",
		"/users?$filter=length(displayName) eq 3":                  "BadRequest",
		"/users?$filter=accountEnabled eq 'x'":                     "BadRequest",
		"/users?$filter=displayName ne 'x'":                        "Request_UnsupportedQuery",
		"/users?$filter=not startsWith(mail,'x')":                  "Request_UnsupportedQuery",
		"/users?$filter=mail eq null":                              "Request_UnsupportedQuery",
		"/users?$filter=endsWith(userPrincipalName,'@x')":          "Request_UnsupportedQuery",
		"/users?$filter=endsWith(mail,'@x')&$count=true":           "Request_UnsupportedQuery",
		"/users?$filter=endsWith(displayName,'x')":                 "Request_UnsupportedQuery",
		"/users?$filter=startsWith(mail,'x')&$orderby=mail":        "Request_UnsupportedQuery",
		"/users?$select=mailboxSettings":                           "NotImplemented",
		"/users?$select=aboutMe":                                   "NotImplemented",
		"/users?$skiptoken=garbage":                                "Directory_ExpiredPageToken",
		"/users?$search=\"displayName:x\"":                         "Request_UnsupportedQuery",
		"/users?$unknown=1":                                        "BadRequest",
		"/users?$orderby=foo":                                      "BadRequest",
		"/users?$filter=id eq 'a'&$filter=id eq 'b'":               "BadRequest",
		"/users/$count":                                            "Request_BadRequest",
		"/groups?$filter=foo eq 1":                                 "BadRequest",
		"/directory/deletedItems/microsoft.graph.user?$top=999999": "Request_UnsupportedQuery",
	} {
		if r := b.get(path); r.code() != code {
			t.Errorf("%s: status %d %s, want %s", path, r.status, r.raw, code)
		}
	}
}

func TestFilter_FindsByKeyAndByText(t *testing.T) {
	b := newBench(t, smallTenant)
	const y = "yamada.taro@contoso.example"
	for filter, want := range map[string][]string{
		"userPrincipalName eq 'YAMADA.TARO@contoso.example'":                         {y},
		"mail eq 'Yamada.taro@contoso.example'":                                      {y},
		"id eq '" + yamadaID + "'":                                                   {y},
		"onPremisesImmutableId eq 'WEt4r/aDlE3wtGz0UbVoqQ=='":                        {y},
		"onPremisesImmutableId eq 'wEt4r/aDlE3wtGz0UbVoqQ=='":                        nil,
		"proxyAddresses/any(p:p eq 'smtp:TARO@contoso.example')":                     {y},
		"proxyAddresses/any(x:startswith(x,'smtp:taro@'))":                           {y},
		"startsWith(displayName,'山田')":                                               {y},
		"userPrincipalName in ('a@b','" + y + "')":                                   {y},
		"userPrincipalName eq '" + y + "' or userPrincipalName eq 'fed@fed.example'": {"fed@fed.example", y},
		"userPrincipalName eq '" + y + "' and accountEnabled eq false":               nil,
		"accountEnabled eq true and (userType eq 'Guest')":                           {"guest_partner.example#EXT#@contoso.onmicrosoft.com"},
		"assignedPlans/any(p:p/service eq 'exchange')":                               {y},
		"displayName eq 'O''Neill'":                                                  nil,
		"onPremisesSyncEnabled eq true":                                              {"synced@contoso.example"},
		"department eq '営業部' and surname eq '山田'":                                    {y},
	} {
		r := b.get("/users?$select=userPrincipalName&$filter="+escape(filter)).want(t, 200)
		got := r.column("userPrincipalName")
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", filter, got, want)
		}
	}
}

func escape(s string) string {
	return strings.NewReplacer(" ", "%20", "#", "%23", "+", "%2B", "&", "%26", "=", "%3D").Replace(s)
}

func TestAdvancedQuery_NeedsHeaderAndCount(t *testing.T) {
	b := newBench(t, smallTenant)
	const path = "/users?$count=true&$top=2&$select=userPrincipalName&$filter=endsWith(userPrincipalName,'@contoso.example')"
	r := b.get(path, "ConsistencyLevel", "eventual").want(t, 200)
	if r.json["@odata.count"] != float64(8) || len(r.values()) != 2 {
		t.Errorf("%s", r.raw)
	}
	second := b.get(r.text("@odata.nextLink"), "ConsistencyLevel", "eventual").want(t, 200)
	if _, has := second.json["@odata.count"]; has {
		t.Error("the count came again on the second page")
	}
	b.get(r.text("@odata.nextLink")).want(t, 400) // the header belongs to each page
	// $count without the header is ignored.
	if r := b.get("/users?$count=true").want(t, 200); r.json["@odata.count"] != nil {
		t.Errorf("%s", r.raw)
	}
	for _, f := range []string{"userType ne 'Guest'", "not (userType eq 'Guest')", "externalUserState eq null"} {
		r := b.get("/users?$count=true&$filter="+escape(f), "ConsistencyLevel", "eventual").want(t, 200)
		if r.json["@odata.count"] != float64(9) {
			t.Errorf("%s: %v", f, r.json["@odata.count"])
		}
	}
	count := b.get("/users/$count", "ConsistencyLevel", "eventual").want(t, 200)
	if string(count.raw) != "10" || !strings.HasPrefix(count.header.Get("Content-Type"), "text/plain") {
		t.Errorf("%s %s", count.raw, count.header.Get("Content-Type"))
	}
}

func TestList_OrdersByAProperty(t *testing.T) {
	b := newBench(t, manyUsers(250))
	values, _ := b.all("/users?$orderby=displayName desc&$top=100&$select=displayName")
	var got []string
	for _, v := range values {
		got = append(got, strings.ToLower(fmt.Sprint(v["displayName"])))
	}
	if len(got) != 251 || !slices.IsSortedFunc(got, func(a, b string) int { return strings.Compare(b, a) }) {
		t.Errorf("%d in a wrong order: %v", len(got), got[:5])
	}
}

func TestLag_ShowsListsAndReadsAsTheyWere(t *testing.T) {
	c := &moving{now: time.Date(2026, 11, 25, 9, 0, 0, 0, time.UTC)}
	b := newBench(t, smallTenant, func(o *Options) {
		o.Clock, o.Lag, o.ReadLag = c, time.Minute, 10*time.Second
	})
	c.now = c.now.Add(time.Hour)
	id := b.do("POST", "/users", newUser("new@contoso.example")).want(t, 201).text("id")
	b.do("PATCH", "/users/"+yamadaID, map[string]any{"jobTitle": "after"}).want(t, 204)
	b.do("DELETE", "/users/fed@fed.example", nil).want(t, 204)
	count := func() string { return string(b.get("/users/$count", "ConsistencyLevel", "eventual").raw) }
	titles := func() int {
		return len(b.get("/users?$filter=" + escape("jobTitle eq 'after'")).values())
	}
	if count() != "10" || titles() != 0 {
		t.Errorf("at once: count %s, %d titles", count(), titles())
	}
	b.get("/users/"+id).want(t, 404)
	if r := b.get("/users/" + yamadaID + "?$select=jobTitle"); r.json["jobTitle"] != nil {
		t.Errorf("at once by ID: %s", r.raw)
	}
	b.get("/users/fed@fed.example").want(t, 200)
	c.now = c.now.Add(10 * time.Second)
	b.get("/users/"+id).want(t, 200)
	b.get("/users/fed@fed.example").want(t, 404)
	if values, _ := b.all("/users"); len(values) != 10 {
		t.Errorf("the list was not late: %d", len(values))
	}
	c.now = c.now.Add(time.Minute)
	if count() != "10" || titles() != 1 {
		t.Errorf("later: count %s, %d titles", count(), titles())
	}
	if values, _ := b.all("/directory/deletedItems/microsoft.graph.user"); len(values) != 2 {
		t.Errorf("%d deleted", len(values))
	}
	// Unique keys are kept by the true state, whatever reads show.
	b.do("POST", "/users", newUser("new@contoso.example")).want(t, 400)
}

func TestDelta_ReportsEachChangeOnce(t *testing.T) {
	c := &moving{now: time.Date(2026, 11, 25, 9, 0, 0, 0, time.UTC)}
	b := newBench(t, manyUsers(450), func(o *Options) { o.Clock = c })
	round := func(path string, headers ...string) ([]map[string]any, string) {
		t.Helper()
		var out []map[string]any
		for {
			r := b.get(path, headers...).want(t, 200)
			out = append(out, r.values()...)
			if link := r.text("@odata.deltaLink"); link != "" {
				return out, link
			}
			path = r.text("@odata.nextLink")
		}
	}
	first, link := round("/users/delta?$select=displayName,department,accountEnabled")
	if len(first) != 451 {
		t.Errorf("first round: %d", len(first))
	}
	if _, has := first[0]["department"]; has {
		t.Errorf("a property that was never set is there: %v", first[0])
	}
	if again, _ := round(link); len(again) != 0 {
		t.Errorf("nothing changed, yet %v", again)
	}
	id := func(upn string) string { return fmt.Sprint(b.s.User(upn)["id"]) }
	u3, u4, u5 := id("u0003@many.example"), id("u0004@many.example"), id("u0005@many.example")
	b.do("PATCH", "/users/"+u3, map[string]any{"department": nil}).want(t, 204)
	b.do("PATCH", "/users/"+u3, map[string]any{"jobTitle": "not selected"}).want(t, 204)
	b.do("PATCH", "/users/"+u4, map[string]any{"jobTitle": "not selected"}).want(t, 204)
	b.do("DELETE", "/users/"+u5, nil).want(t, 204)
	made := b.do("POST", "/users", newUser("made@many.example")).want(t, 201).text("id")
	changes, link2 := round(link, "Prefer", "return=minimal")
	byID := map[any]map[string]any{}
	for _, v := range changes {
		byID[v["id"]] = v
	}
	if len(changes) != 3 {
		t.Errorf("changes %v", changes)
	}
	dept, has := byID[u3]["department"]
	if !has || dept != nil || byID[u3]["displayName"] != nil {
		t.Errorf("cleared: %v", byID[u3])
	}
	if fmt.Sprint(byID[u5]["@removed"]) != "map[reason:changed]" {
		t.Errorf("deleted: %v", byID[u5])
	}
	if byID[made]["displayName"] != "New made" {
		t.Errorf("made: %v", byID[made])
	}
	b.do("DELETE", "/directory/deletedItems/"+u5, nil).want(t, 204)
	if changes, _ := round(link2); len(changes) != 1 || fmt.Sprint(changes[0]["@removed"]) != "map[reason:deleted]" {
		t.Errorf("purged: %v", changes)
	}
	if none, _ := round("/users/delta?$deltatoken=latest&$select=id"); len(none) != 0 {
		t.Errorf("latest begins now: %v", none)
	}
	c.now = c.now.Add(8 * 24 * time.Hour)
	r := b.get(link2).want(t, 410)
	if r.code() != "syncStateNotFound" || !strings.Contains(r.header.Get("Location"), "$deltatoken=") {
		t.Errorf("%s %v", r.raw, r.header)
	}
	b.get("/users/delta?$top=10").want(t, 400)
	b.get("/users/delta?$deltatoken=nonsense").want(t, 400)
}

func FuzzFilter(f *testing.F) {
	for _, s := range []string{
		"id eq 'a'", "not (a eq b) or c in ('x',1,null)", "proxyAddresses/any(p:p eq 'x')", "a/$count eq 0",
		"startsWith(a,'b') and endsWith(c,'d''e')", "((((", "a eq 2020-01-01T00:00:00Z",
	} {
		f.Add(s)
	}
	e := theSchema()["user"]
	o := newObject(e, map[string]string{"id": `"a"`, "proxyAddresses": `["smtp:a@b"]`, "accountEnabled": "true"})
	f.Fuzz(func(t *testing.T, s string) {
		n, err := parseFilter(s)
		if err != nil {
			return
		}
		if n.check(e, true) == nil {
			_ = n.match(o)
		}
		if !json.Valid([]byte(quote(s))) {
			t.Errorf("quote(%q) is no JSON", s)
		}
	})
}
