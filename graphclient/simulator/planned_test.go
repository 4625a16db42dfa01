package simulator

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/hacsync/hacsync/sync/clock"
	"github.com/hacsync/hacsync/sync/directory"
	planner "github.com/hacsync/hacsync/sync/plan"
)

// What the planner plans, the tenant takes: a row that is refused at every sync
// never converges.
func TestPlannedValuesAreTaken(t *testing.T) {
	tenant, err := load([]byte(smallTenant), clock.Real(), silent())
	if err != nil {
		t.Fatal(err)
	}
	columns := []directory.Attribute{
		directory.DisplayName, directory.Surname, directory.GivenName, directory.MailNickname, directory.Department, directory.UsageLocation,
		"jobTitle", "companyName", "city", "postalCode", "streetAddress", "employeeId", "mobilePhone",
	}
	seal := func(side directory.Side, records ...directory.Record) *directory.Snapshot {
		b := directory.NewBuilder(side, columns)
		for _, r := range records {
			if err := b.Add(r); err != nil {
				t.Fatal(err)
			}
		}
		s, err := b.Seal(directory.Proof{Ended: true, Pages: 1, Items: len(records), Count: int64(len(records))}, directory.About{Name: "test", Total: len(records)})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	// Texts near the edges of what is allowed.
	pieces := rapid.SampledFrom([]string{
		".", "..", "a", "Z", "0", "@", " ", ",", "'", "-", "_", "!", "#", "^", "~", "$", "+", "/", "=", "(", ")", "\\", "[", "]", "\"", ";", ":", "<", ">",
		"é", "山", "𠮷", "ﾔ", "?", "%", "&", "*", "|", "{", "}", "`", "\t", "\x00", "\u007f", "\u200b", "#N/A", strings.Repeat("x", 30), strings.Repeat("y", 250), "JP",
	})
	text := rapid.Custom(func(t *rapid.T) string {
		if rapid.IntRange(0, 9).Draw(t, "any") == 0 {
			return rapid.String().Draw(t, "text")
		}
		return strings.Join(rapid.SliceOfN(pieces, 0, 8).Draw(t, "pieces"), "")
	})
	plain := rapid.StringMatching(`[a-z]{1,4}(\.[a-z]{1,3})?`)
	account := tenant.users.byUPN["yamada.taro@contoso.example"]
	planned, taken := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		values := make([]directory.Value, len(columns))
		odd := rapid.IntRange(-2, len(columns)-1).Draw(t, "odd")
		for i := range columns {
			switch {
			case i == odd:
				values[i] = directory.Text(text.Draw(t, string(columns[i])))
			case i < 4:
				values[i] = directory.Text(plain.Draw(t, string(columns[i])))
			}
		}
		local, id := plain.Draw(t, "local"), ""
		switch odd {
		case -1:
			local = text.Draw(t, "odd local")
		case -2:
			id = text.Draw(t, "id")
		}
		there := rapid.Bool().Draw(t, "there")
		row := directory.Record{UPN: local + "@contoso.example", ImmutableID: id, Values: values, Marks: directory.Enabled, Line: 2}
		var users []directory.Record
		if there {
			if odd != -1 {
				row.UPN = "yamada.taro@contoso.example"
			}
			users = []directory.Record{{
				ID: "aaaaaaaa-0000-4000-8000-000000000002", UPN: "yamada.taro@contoso.example", Marks: directory.Enabled | directory.PurposeUser,
				Values: make([]directory.Value, len(columns)),
			}}
		}
		p, err := planner.Build(planner.Input{
			Tenant: directory.Tenant{ID: "t", Domains: []directory.Domain{{Name: "contoso.example", Verified: true}}}, Domain: "contoso.example",
			Source: seal(directory.Source, row), Users: seal(directory.Destination, users...), At: time.Now(),
			Policy: planner.Policy{Attributes: append([]directory.Attribute{directory.UserPrincipalName, directory.ImmutableID}, columns...), ChangeAlias: true, MaxDeletions: -1},
		})
		if err != nil {
			return // another domain, or no row of it
		}
		planned++
		for a := range p.Actions() {
			body := map[string]jsonValue{}
			for _, c := range a.Changes {
				raw, err := json.Marshal(c.New.Text)
				if err != nil {
					t.Fatal(err)
				}
				if c.Attribute == directory.AccountEnabled {
					raw = []byte(c.New.Text)
				}
				body[string(c.Attribute)] = raw
			}
			var refused *graphError
			switch a.Kind {
			case planner.Add:
				body["passwordProfile"] = jsonValue(`{"password":"Xy9-abcdefgh"}`)
				_, refused = tenant.newUserProps(body)
			case planner.Update, planner.Rename:
				_, refused = tenant.userChanges(account, body, &caller{})
			default:
				continue
			}
			if taken++; refused != nil && !strings.Contains(refused.Error(), "already exists") {
				t.Fatalf("%s %s is refused: %+v\n%v", a.Kind, a.UPN, refused, a.Changes)
			}
		}
	})
	t.Logf("%d plans, %d actions taken", planned, taken)
	if taken*4 < planned {
		t.Errorf("of %d plans only %d actions", planned, taken)
	}
}
