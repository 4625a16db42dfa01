package graphclient_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/hacsync/hacsync/sync/destination"
	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/problem"
)

const (
	eligiblePermission = "PrivilegedEligibilitySchedule.Read.AzureADGroup"
	eligiblePath       = "/identityGovernance/privilegedAccess/group/eligibilitySchedules"
)

// twoGroups is a tenant with two role-assignable groups, in which users 1 and 2
// are, and users 3 and 4 may be.
func twoGroups(t *testing.T) *fixture {
	f := newFixture(t)
	f.users(person(1), person(2), person(3), person(4), person(5))
	f.json("GET /groups", `{"value":[{"id":"g1"},{"id":"g2"}]}`)
	for n, g := range []string{"g1", "g2"} {
		f.json("GET /groups/"+g+"/transitiveMembers", `{"value":[{"id":"`+id(n+1)+`"}]}`)
		f.json("GET /groups/"+g+"/owners", `{"value":[]}`)
	}
	f.on["GET "+eligiblePath] = func(w http.ResponseWriter, r *http.Request, _ int) {
		of := map[string]int{"groupId eq 'g1'": 3, "groupId eq 'g2'": 4}
		n, ok := of[r.URL.Query().Get("$filter")]
		if !ok {
			t.Errorf("filter %q", r.URL.Query().Get("$filter"))
		}
		fmt.Fprintf(w, `{"value":[{"id":"s%d","principalId":%q}]}`, n, id(n))
	}
	return f
}

func (f *fixture) inGroups(t *testing.T) (in []int, notes []*problem.Problem) {
	t.Helper()
	r, err := f.read(t)
	if err != nil {
		t.Fatal(err)
	}
	for n := 1; n <= 5; n++ {
		if u, _ := r.Users.ByID(directory.ID(id(n))); u.Marks().Has(directory.RoleGroup) {
			in = append(in, n)
		}
	}
	return in, r.Notes
}

func TestRule6_EligibleMembersOfRoleGroupsAreMarkedWhereTheyCanBeRead(t *testing.T) {
	f := twoGroups(t)
	f.tokens.scp = "User.Read.All " + eligiblePermission
	if in, notes := f.inGroups(t); fmt.Sprint(in) != "[1 2 3 4]" || len(notes) > 0 {
		t.Errorf("marked %v, notes %v", in, notes)
	}
	all, err := f.client.Look(t.Context(), []directory.Ref{{ID: directory.ID(id(3))}}, nil, destination.WithRoles)
	if err != nil || !all[0].Record.Marks.Has(directory.RoleGroup) {
		t.Errorf("looked at by ID: %+v, %v", all, err)
	}
}

func TestRule6_EligibleMembersThatCannotBeReadAreANote(t *testing.T) {
	const licence = `{"error":{"code":"AadPremiumLicenseRequired"}}`
	for name, c := range map[string]struct {
		scp     string
		answer  func(http.ResponseWriter)
		roles   string
		asked   bool
		groups  string
		members string
	}{
		"no permission": {scp: "User.Read.All", groups: "2"},
		"no role":       {scp: eligiblePermission, answer: status(403, `{"error":{"code":"Authorization_RequestDenied"}}`), asked: true, groups: "2"},
		"not here":      {scp: eligiblePermission, answer: status(400, `{"error":{"code":"BadRequest"}}`), asked: true, groups: "2"},
		"no licence":    {scp: eligiblePermission, answer: status(400, licence), asked: true, groups: "2"},
		// Without the licence no account is eligible.
		"no licence at all": {scp: eligiblePermission, answer: status(400, licence), roles: licence, asked: true},
	} {
		t.Run(name, func(t *testing.T) {
			f := twoGroups(t)
			f.tokens.scp = c.scp
			if c.answer != nil {
				f.answers("GET "+eligiblePath, c.answer)
			}
			if c.roles != "" {
				f.answers("GET /roleManagement/directory/roleEligibilitySchedules", status(400, c.roles))
			}
			in, notes := f.inGroups(t)
			if fmt.Sprint(in) != "[1 2]" {
				t.Errorf("marked %v", in)
			}
			if got := f.count("GET " + eligiblePath); (got > 0) != c.asked {
				t.Errorf("asked %d times", got)
			}
			if c.groups == "" {
				if len(notes) > 0 {
					t.Errorf("notes %v", notes)
				}
				return
			}
			if len(notes) != 1 || notes[0].Code != problem.EligibleUnread || notes[0].Args["groups"] != c.groups || notes[0].Args["permission"] != eligiblePermission {
				t.Errorf("notes %v", notes)
			}
		})
	}
	t.Run("no such group", func(t *testing.T) {
		f := newFixture(t)
		f.users(person(1))
		if r, err := f.read(t); err != nil || len(r.Notes) > 0 {
			t.Errorf("%v, %v", r, err)
		}
	})
	t.Run("an answer that names nobody", func(t *testing.T) {
		f := twoGroups(t)
		f.tokens.scp = eligiblePermission
		f.json("GET "+eligiblePath, `{"value":[{"id":"s1"}]}`)
		_, err := f.read(t)
		wantCode(t, err, problem.BrokenAnswer)
	})
}
