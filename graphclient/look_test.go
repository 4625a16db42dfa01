package graphclient_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/hacsync/hacsync/sync/destination"
	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/progress"
)

func TestLook_FindsByEveryKeyLiveAndDeleted(t *testing.T) {
	f := newFixture(t)
	f.users(person(1, `"onPremisesImmutableId":"A+/="`, `"jobTitle":"Chief"`), person(2), person(3))
	f.json("GET /roleManagement/directory/roleAssignments", `{"value":[{"principalId":"`+id(1)+`"}]}`)
	f.on["GET /users"] = func(w http.ResponseWriter, r *http.Request, _ int) {
		if got := r.URL.Query().Get("$filter"); got == "onPremisesImmutableId eq 'A+/='" {
			fmt.Fprintf(w, `{"value":[%s,%s]}`, person(1, `"onPremisesImmutableId":"A+/="`), person(2, `"onPremisesImmutableId":"a+/="`))
			return
		} else if got != "onPremisesImmutableId eq 'o''clock'" {
			t.Errorf("filter %q", got)
		}
		fmt.Fprint(w, `{"value":[]}`)
	}
	gone := `{"id":"` + id(50) + `","userPrincipalName":"` + strings.ReplaceAll(id(50), "-", "") +
		`Gone@midori.example","userType":"Member","onPremisesImmutableId":"Zz","deletedDateTime":"2026-11-20T00:00:00Z"}`
	f.json("GET /directory/deletedItems/microsoft.graph.user", `{"value":[`+gone+`]}`)
	f.json("GET /directory/deletedItems/"+id(50)+"/microsoft.graph.user", gone)

	refs := []directory.Ref{
		{ID: directory.ID(id(1)), UPN: "user1@midori.example", ImmutableID: "A+/="}, // one account by three keys
		{ID: directory.ID(id(50))},
		{UPN: "gone@MIDORI.example"},
		{ImmutableID: "Zz2", UPN: "nobody@midori.example"},
		{UPN: "user2@midori.example", ID: directory.ID(id(3))}, // two accounts by two keys
		{ImmutableID: "o'clock"},
	}
	// Zz2 finds nothing live.
	f.on["GET /users"] = wrapFilter(f.on["GET /users"], "onPremisesImmutableId eq 'Zz2'")
	all, err := f.client.Look(t.Context(), refs, []directory.Attribute{"jobTitle"}, destination.WithRoles)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range all {
		got = append(got, fmt.Sprintf("%s%s%s: %d %s", s.Ref.ID, s.Ref.UPN, s.Ref.ImmutableID, s.Presence, s.Record.UPN))
		if !s.ServerTime.Equal(f.date) {
			t.Errorf("server time %v", s.ServerTime)
		}
	}
	want := []string{
		fmt.Sprintf("%suser1@midori.exampleA+/=: 1 user1@midori.example", id(1)),
		fmt.Sprintf("%s: 2 Gone@midori.example", id(50)),
		"gone@MIDORI.example: 2 Gone@midori.example",
		"nobody@midori.exampleZz2: 0 ",
		fmt.Sprintf("%suser2@midori.example: 1 user3@midori.example", id(3)),
		fmt.Sprintf("%suser2@midori.example: 1 user2@midori.example", id(3)),
		"o'clock: 0 ",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if !all[0].Record.Marks.Has(directory.RoleHolder) || all[4].Record.Marks.Has(directory.RoleHolder) {
		t.Error("role marks are wrong")
	}
	if v, _ := all[0].Record.Get("jobTitle"); v != "Chief" {
		t.Errorf("jobTitle = %q", v)
	}
}

func TestLook_ReadsRoleHoldersOnlyWhereAsked(t *testing.T) {
	for roles, reads := range map[destination.Roles]int{destination.WithRoles: 1, destination.WithoutRoles: 0} {
		f := newFixture(t)
		f.json("GET /roleManagement/directory/roleAssignments", `{"value":[{"principalId":"`+id(1)+`"}]}`)
		all, err := f.client.Look(t.Context(), []directory.Ref{{ID: directory.ID(id(1))}}, nil, roles)
		if err != nil {
			t.Fatal(err)
		}
		if len(all) != 1 || all[0].Presence != directory.Live || all[0].Record.Marks.Has(directory.RoleHolder) != bool(roles) {
			t.Errorf("roles %v: %+v", roles, all)
		}
		for _, list := range []string{
			"GET /roleManagement/directory/roleAssignments", "GET /roleManagement/directory/roleEligibilitySchedules", "GET /groups",
		} {
			if n := f.count(list); n != reads {
				t.Errorf("roles %v: %s was read %d times, want %d", roles, list, n, reads)
			}
		}
	}
}

func wrapFilter(next func(http.ResponseWriter, *http.Request, int), none string) func(http.ResponseWriter, *http.Request, int) {
	return func(w http.ResponseWriter, r *http.Request, n int) {
		if r.URL.Query().Get("$filter") == none {
			fmt.Fprint(w, `{"value":[]}`)
			return
		}
		next(w, r, n)
	}
}

func TestLook_AsksForItemsAgainThatFail(t *testing.T) {
	for name, trouble := range map[string]func(p part) string{
		"throttled": func(p part) string {
			return fmt.Sprintf(`{"id":%q,"status":429,"headers":{"Retry-After":"9"},"body":{"error":{"code":"TooManyRequests"}}}`, p.ID)
		},
		"unavailable": func(p part) string { return reply(p, 503, `{}`) },
		"missing":     func(part) string { return "" },
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			var refs []directory.Ref
			var rows []string
			for n := 1; n <= 45; n++ {
				rows = append(rows, person(n))
				refs = append(refs, directory.Ref{ID: directory.ID(id(n))})
			}
			f.users(rows...)
			failed := map[string]bool{}
			f.on["POST /$batch"] = func(w http.ResponseWriter, r *http.Request, _ int) {
				f.batch(w, r, func(p part) (string, bool) {
					f.mu.Lock()
					defer f.mu.Unlock()
					if strings.Contains(p.URL, id(7)) && !failed[p.URL] {
						failed[p.URL] = true
						return trouble(p), true
					}
					return "", false
				})
			}
			all, err := f.client.Look(t.Context(), refs, nil, destination.WithRoles)
			if err != nil || len(all) != 45 {
				t.Fatalf("%d sightings, %v", len(all), err)
			}
			for i, s := range all {
				if s.Presence != directory.Live || s.Record.ID != refs[i].ID {
					t.Errorf("sighting %d = %+v", i, s)
				}
			}
			if len(failed) != 1 || f.count("POST /$batch") < 4 {
				t.Errorf("%d batches", f.count("POST /$batch"))
			}
		})
	}
}

func TestLook_FailsRatherThanGuesses(t *testing.T) {
	f := newFixture(t)
	f.json("GET /users/"+id(1), `{}`)
	_, err := f.client.Look(t.Context(), []directory.Ref{{ID: directory.ID(id(1))}}, nil, destination.WithRoles)
	wantCode(t, err, problem.BrokenAnswer)

	f = newFixture(t)
	f.answers("GET /users/"+id(1), status(403, `{"error":{"code":"Authorization_RequestDenied"}}`))
	_, err = f.client.Look(t.Context(), []directory.Ref{{ID: directory.ID(id(1))}}, nil, destination.WithRoles)
	wantCode(t, err, problem.PermissionMissing)

	f = newFixture(t)
	f.answers("GET /roleManagement/directory/roleAssignments", status(403, `{}`))
	_, err = f.client.Look(t.Context(), []directory.Ref{{ID: directory.ID(id(1))}}, nil, destination.WithRoles)
	wantCode(t, err, problem.PermissionMissing)

	f = newFixture(t)
	f.on["POST /$batch"] = func(w http.ResponseWriter, _ *http.Request, _ int) { fmt.Fprint(w, `{}`) }
	_, err = f.client.Look(t.Context(), []directory.Ref{{ID: directory.ID(id(1))}}, nil, destination.WithRoles)
	wantCode(t, err, problem.BrokenAnswer)
}

func TestPurposes_WhatCannotBeReadProtects(t *testing.T) {
	f := newFixture(t)
	answers := map[int]struct {
		status int
		body   string
		want   directory.Marks
	}{
		1: {200, `{"value":"user"}`, directory.PurposeUser}, 2: {200, `{"value":"shared"}`, directory.PurposeShared},
		3: {200, `{"value":"room"}`, directory.PurposeRoom}, 4: {200, `{"value":"equipment"}`, directory.PurposeEquipment},
		5: {200, `{"value":"others"}`, directory.PurposeOther}, 6: {200, `{"value":"linked"}`, directory.PurposeUser},
		7:  {403, `{"error":{"code":"ErrorAccessDenied"}}`, directory.PurposeUnknown},
		8:  {404, `{"error":{"code":"MailboxNotEnabledForRESTAPI"}}`, directory.PurposeNone},
		9:  {404, `{"error":{"code":"Request_ResourceNotFound"}}`, directory.PurposeUnknown},
		10: {200, `{}`, directory.PurposeUnknown}, 11: {200, `{"value":"unknownFutureValue"}`, directory.PurposeOther},
		12: {400, `{}`, directory.PurposeUnknown},
		13: {404, `{"error":{"code":"MailboxNotSupportedForRESTAPI"}}`, directory.PurposeNone},
		14: {404, `{"error":{"code":"ErrorInvalidUser"}}`, directory.PurposeNone},
		15: {403, `{"error":{"code":"MailboxNotSupportedForRESTAPI"}}`, directory.PurposeUnknown},
	}
	var ids []directory.ID
	for n, a := range answers {
		f.answers("GET /users/"+id(n)+"/mailboxSettings/userPurpose", status(a.status, a.body))
		ids = append(ids, directory.ID(id(n)))
	}
	for n := 100; n < 130; n++ { // more than one batch
		f.json("GET /users/"+id(n)+"/mailboxSettings/userPurpose", `{"value":"user"}`)
		ids = append(ids, directory.ID(id(n)))
	}
	got, err := f.client.Purposes(t.Context(), ids, progress.Discard)
	if err != nil || len(got) != len(ids) {
		t.Fatalf("%d purposes, %v", len(got), err)
	}
	for n, a := range answers {
		if got[directory.ID(id(n))] != a.want {
			t.Errorf("%s is %b, want %b", a.body, got[directory.ID(id(n))], a.want)
		}
	}
	if none, err := f.client.Purposes(t.Context(), nil, nil); err != nil || len(none) != 0 {
		t.Errorf("nothing asked: %v, %v", none, err)
	}
}

func TestPrecheck_ListsWhatADomainContainsOtherThanPeople(t *testing.T) {
	f := newFixture(t)
	rows := []string{
		person(1), person(2, `"mail":"sales@midori.example"`, `"accountEnabled":false`), person(3, `"mail":"a@midori.example"`),
		person(4, `"onPremisesSyncEnabled":true`), person(5, `"mail":"room@midori.example"`, `"accountEnabled":false`), person(6),
		person(7, `"department":"Microsoft Communication Application Instance"`, `"accountEnabled":false`),
		person(8, `"mail":"info@midori.example"`, `"accountEnabled":false`, `"assignedPlans":[{"service":"exchange","capabilityStatus":"Enabled"}]`),
		person(9, `"mail":"left@midori.example"`, `"accountEnabled":false`, `"assignedPlans":[{"service":"exchange","capabilityStatus":"Enabled"}]`),
	}
	f.on["GET /users"] = func(w http.ResponseWriter, r *http.Request, _ int) {
		q := r.URL.Query()
		if q.Get("$filter") != "endsWith(userPrincipalName,'@midori.example')" || q.Get("$count") != "true" || r.Header.Get("ConsistencyLevel") != "eventual" {
			t.Errorf("not an advanced query: %s", r.URL.RawQuery)
		}
		if q.Get("$skiptoken") == "" {
			fmt.Fprintf(w, `{"value":[%s],"@odata.nextLink":"%s/v1.0/users?%s&$skiptoken=2"}`, strings.Join(rows[:3], ","), f.URL, r.URL.RawQuery)
			return
		}
		fmt.Fprintf(w, `{"value":[%s]}`, strings.Join(rows[3:], ","))
	}
	f.json("GET /roleManagement/directory/roleAssignments", `{"value":[{"principalId":"`+id(6)+`"}]}`)
	f.json("GET /domains/midori.example/domainNameReferences/microsoft.graph.group", `{"value":[{"id":"g","displayName":"All","mail":"all@midori.example"},{"id":"h"}]}`)
	f.json("GET /domains/midori.example/domainNameReferences/microsoft.graph.application", `{"value":[{"id":"a","displayName":"Portal"}]}`)
	f.answers("GET /users/"+id(5)+"/mailboxSettings/userPurpose", status(200, `{"value":"room"}`))
	f.answers("GET /users/"+id(8)+"/mailboxSettings/userPurpose", status(200, `{"value":"shared"}`))
	for _, n := range []int{2, 3, 9} {
		f.answers("GET /users/"+id(n)+"/mailboxSettings/userPurpose", status(403, `{"error":{"code":"ErrorAccessDenied"}}`))
	}
	p, err := f.client.Precheck(t.Context(), "MIDORI.example")
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprintf("%s %v %d %v %v %v %v %v %v %v %v %v", p.Domain.Name, p.Domain.Federated, p.Users, p.Shared, p.Rooms, p.Things, p.Synced, p.Admins, p.Answering, p.Groups, p.Apps, p.Guessed)
	want := "midori.example true 9 [user2@midori.example user8@midori.example] [user5@midori.example] [] [user4@midori.example] [user6@midori.example] [user7@midori.example] [all@midori.example h] [Portal] true"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	_, err = f.client.Precheck(t.Context(), "unknown.example")
	wantCode(t, err, problem.NoSuchDomain)
}
