package graphclient

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/hacsync/hacsync/sync/directory"
)

// user is a user as Graph's JSON has it, with what the rules read and the
// attributes that are mapped most. Any other attribute is in more.
type user struct {
	Type              string   `json:"@odata.type"`
	ID                string   `json:"id"`
	UPN               string   `json:"userPrincipalName"`
	ImmutableID       string   `json:"onPremisesImmutableId"`
	Mail              *string  `json:"mail"`
	Addresses         []string `json:"proxyAddresses"`
	Enabled           *bool    `json:"accountEnabled"`
	UserType          spoken   `json:"userType"`
	ExternalUserState *string  `json:"externalUserState"`
	Synced            *bool    `json:"onPremisesSyncEnabled"`
	Restricted        *bool    `json:"isManagementRestricted"`
	Created           string   `json:"createdDateTime"`
	Deleted           string   `json:"deletedDateTime"`
	Plans             []struct {
		Phone   phone  `json:"servicePlanId"`
		Service string `json:"service"`
		Status  string `json:"capabilityStatus"`
	} `json:"assignedPlans"`
	DisplayName  *string `json:"displayName"`
	GivenName    *string `json:"givenName"`
	Surname      *string `json:"surname"`
	MailNickname *string `json:"mailNickname"`
	Department   *string `json:"department"`
	Usage        *string `json:"usageLocation"`

	more map[string]json.RawMessage
}

// spoken is a text of which null says something that its absence does not.
type spoken struct {
	text string
	said bool
}

// UnmarshalJSON is called for null too.
func (s *spoken) UnmarshalJSON(b []byte) error {
	*s = spoken{said: true}
	if len(b) > 1 && b[0] == '"' && !slices.Contains(b, '\\') {
		s.text = string(b[1 : len(b)-1])
		return nil
	}
	return json.Unmarshal(b, &s.text)
}

// userWithMore is a user with all its properties. It decodes twice, so it is used only
// if an attribute outside of the struct is mapped.
type userWithMore struct{ user }

// UnmarshalJSON decodes the struct, and every other property.
func (u *userWithMore) UnmarshalJSON(b []byte) error {
	if err := json.Unmarshal(b, &u.user); err != nil {
		return err
	}
	return json.Unmarshal(b, &u.more)
}

// attributes says which properties are asked for, and how each wanted
// attribute is found in the answer.
type attributes struct {
	columns []directory.Attribute
	sel     []string
	deleted []string // the same for the recycle bin
	extra   bool     // a column is not in the struct
}

// ruled are the properties that the rules need of every account.
func ruled() []string {
	return []string{
		"id", "userPrincipalName", "onPremisesImmutableId", "displayName", "mail", "proxyAddresses", "accountEnabled",
		"userType", "externalUserState", "onPremisesSyncEnabled", "isManagementRestricted", "assignedPlans", "createdDateTime",
		"department",
	}
}

// wanted prepares for want. UPN, immutable ID and accountEnabled are read
// always and are no columns.
func wanted(want []directory.Attribute) attributes {
	a := attributes{sel: ruled()}
	for _, w := range want {
		switch w {
		case directory.UserPrincipalName, directory.ImmutableID, directory.AccountEnabled:
			continue
		}
		if slices.Contains(a.columns, w) {
			continue
		}
		a.columns = append(a.columns, w)
		property := string(w)
		if isExtensionAttribute(w) {
			property = extensionAttributes
		}
		if !slices.Contains(a.sel, property) {
			a.sel = append(a.sel, property)
		}
		if _, known := (&user{}).known(w); !known {
			a.extra = true
		}
	}
	a.deleted = append(slices.Clone(a.sel), "deletedDateTime")
	return a
}

// extensionAttributes is the property that holds extensionAttribute1 to 15.
const extensionAttributes = "onPremisesExtensionAttributes"

func isExtensionAttribute(a directory.Attribute) bool {
	n, ok := strings.CutPrefix(string(a), "extensionAttribute")
	return ok && n != "" && strings.Trim(n, "0123456789") == ""
}

// known returns an attribute that the struct has.
func (u *user) known(a directory.Attribute) (*string, bool) {
	switch a {
	case directory.DisplayName:
		return u.DisplayName, true
	case directory.GivenName:
		return u.GivenName, true
	case directory.Surname:
		return u.Surname, true
	case directory.MailNickname:
		return u.MailNickname, true
	case directory.Mail:
		return u.Mail, true
	case directory.Department:
		return u.Department, true
	case directory.UsageLocation:
		return u.Usage, true
	}
	return nil, false
}

// value is an attribute as text. A list of one, such as businessPhones, is its
// only member; a longer one is joined, so that it never looks equal to one
// value.
func (u *user) value(a directory.Attribute) directory.Value {
	if s, ok := u.known(a); ok {
		if s == nil {
			return directory.Value{}
		}
		return directory.Text(*s)
	}
	from, key := u.more, string(a)
	if isExtensionAttribute(a) {
		from = nil
		_ = json.Unmarshal(u.more[extensionAttributes], &from) // absent or null: no value
	}
	raw, ok := from[key]
	if !ok {
		return directory.Value{}
	}
	var v any
	if json.Unmarshal(raw, &v) != nil {
		return directory.Value{}
	}
	switch v := v.(type) {
	case string:
		return directory.Text(v)
	case bool, float64:
		return directory.Text(string(raw))
	case []any:
		var parts []string
		for _, p := range v {
			if s, ok := p.(string); ok {
				parts = append(parts, s)
			}
		}
		return directory.Text(strings.Join(parts, ";"))
	}
	return directory.Value{}
}

// record makes a Record, with every mark that the account itself shows. bin
// says that it was read in the recycle bin.
func (u *user) record(a attributes, bin bool) directory.Record {
	r := directory.Record{
		ID:          directory.ID(strings.ToLower(u.ID)),
		UPN:         u.UPN,
		ImmutableID: u.ImmutableID,
		Columns:     a.columns,
		Values:      make([]directory.Value, len(a.columns)),
		Marks:       u.marks(),
		Addresses:   u.Addresses,
		Created:     moment(u.Created),
		Deleted:     moment(u.Deleted),
	}
	if u.Mail != nil {
		r.Mail = *u.Mail
	}
	for i, c := range a.columns {
		r.Values[i] = u.value(c)
	}
	if bin {
		r.UPN = withoutIDPrefix(r.UPN, r.ID)
	}
	return r
}

// marks are those that the account itself shows; roles, sign-ins and the kind
// of mailbox come from elsewhere. What is not said counts as the careful side:
// an account without a userType is not taken for a member. A null one is: the
// oldest accounts of Microsoft 365 have it.
func (u *user) marks() directory.Marks {
	var m directory.Marks
	set := func(on bool, mark directory.Marks) {
		if on {
			m |= mark
		}
	}
	set(u.Enabled != nil && *u.Enabled, directory.Enabled)
	external := u.ExternalUserState != nil && *u.ExternalUserState != ""
	other := u.Type != "" && u.Type != "#microsoft.graph.user"
	old := u.UserType.said && u.UserType.text == ""
	guest := !old && !strings.EqualFold(u.UserType.text, "Member") || external || other || strings.Contains(strings.ToUpper(u.UPN), "#EXT#")
	set(guest, directory.Guest)
	set(old && !guest, directory.OldMember)
	set(u.Synced != nil && *u.Synced, directory.Synced)
	set(u.Restricted != nil && *u.Restricted, directory.Restricted)
	set(u.Mail != nil && *u.Mail != "" || len(u.Addresses) > 0, directory.Addressed)
	set(u.Department != nil && *u.Department == resourceDepartment, directory.ResourceAccount)
	set(len(u.Plans) > 0, directory.WasLicensed)
	for _, p := range u.Plans {
		exchange := strings.EqualFold(p.Service, "exchange")
		switch {
		case strings.EqualFold(p.Status, "Deleted"):
			continue // taken away, and still in the list
		case strings.EqualFold(p.Status, "Enabled"), strings.EqualFold(p.Status, "Warning"), strings.EqualFold(p.Status, "LockedOut"):
			set(exchange, directory.ExchangePlan)
		default: // Suspended
			set(exchange, directory.SuspendedPlan)
		}
		m |= directory.Licensed
		set(bool(p.Phone), directory.ResourceAccount)
	}
	return m
}

// resourceDepartment is what Teams writes into the department of the accounts
// that it makes for auto attendants and call queues. Graph's isResourceAccount is
// always null.
const resourceDepartment = "Microsoft Communication Application Instance"

// phone says of a service plan's ID that it is the one of the Teams Phone Resource
// Account: MCOEV_VIRTUALUSER, or the same for governments. The ID itself is not
// kept: an account has dozens of plans.
type phone bool

// UnmarshalJSON reads the ID.
func (p *phone) UnmarshalJSON(b []byte) error {
	*p = phone(bytes.EqualFold(b, []byte(`"f47330e9-c134-43b3-9993-e7f004506889"`)) ||
		bytes.EqualFold(b, []byte(`"0628a73f-3b4a-4989-bd7b-0f8823144313"`)))
	return nil
}

// moment reads a time of Graph; zero if there is none.
func moment(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return time.Time{}
	}
	return t.UTC()
}

// withoutIDPrefix takes the 32 hex digits of its own object ID off the UPN of a
// deleted account. Other digits stay: they belong to the name.
func withoutIDPrefix(upn string, id directory.ID) string {
	prefix := strings.ReplaceAll(string(id), "-", "")
	if len(prefix) == 32 && len(upn) > 32 && strings.EqualFold(upn[:32], prefix) {
		return upn[32:]
	}
	return upn
}
