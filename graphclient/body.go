package graphclient

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/microsoftgraph/msgraph-sdk-go/models"

	"github.com/hacsync/hacsync/graphclient/adapter"
	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/plan"
)

// userBody is the JSON of a create or patch: the SDK's model gives names and
// kinds, only what is set is in it, and a value that is cleared is null.
func userBody(s plan.Step) ([]byte, error) {
	u := models.NewUser()
	var others []plan.Change
	for _, c := range s.Set {
		switch {
		case c.Attribute == directory.AccountEnabled:
			on, err := strconv.ParseBool(c.New.Text)
			if err != nil {
				return nil, fmt.Errorf("accountEnabled: %w", err)
			}
			u.SetAccountEnabled(&on)
		case setString(u, c):
		default:
			others = append(others, c)
		}
	}
	if s.Verb == plan.Create && u.GetAccountEnabled() == nil {
		on := true
		u.SetAccountEnabled(&on)
	}
	body, err := adapter.Encode(u)
	if err != nil {
		return nil, fmt.Errorf("body of a user: %w", err)
	}
	for _, c := range others {
		if body, err = withOther(body, c); err != nil {
			return nil, err
		}
	}
	if s.Verb == plan.Create || s.Password {
		return withPassword(body, s.ForceChange)
	}
	return body, nil
}

// setString sets an attribute that the model has as text; false for others.
func setString(u models.Userable, c plan.Change) bool {
	set := map[directory.Attribute]func(*string){
		directory.UserPrincipalName: u.SetUserPrincipalName,
		directory.ImmutableID:       u.SetOnPremisesImmutableId,
		directory.DisplayName:       u.SetDisplayName,
		directory.GivenName:         u.SetGivenName,
		directory.Surname:           u.SetSurname,
		directory.MailNickname:      u.SetMailNickname,
		directory.Mail:              u.SetMail,
		directory.UsageLocation:     u.SetUsageLocation,
		directory.Department:        u.SetDepartment,
		"city":                      u.SetCity,
		"companyName":               u.SetCompanyName,
		"country":                   u.SetCountry,
		"employeeId":                u.SetEmployeeId,
		"employeeType":              u.SetEmployeeType,
		"faxNumber":                 u.SetFaxNumber,
		"jobTitle":                  u.SetJobTitle,
		"mobilePhone":               u.SetMobilePhone,
		"officeLocation":            u.SetOfficeLocation,
		"postalCode":                u.SetPostalCode,
		"preferredLanguage":         u.SetPreferredLanguage,
		"state":                     u.SetState,
		"streetAddress":             u.SetStreetAddress,
	}[c.Attribute]
	if set == nil {
		return false
	}
	if c.New.Set {
		set(&c.New.Text)
	} else {
		set(nil)
	}
	return true
}

// withOther puts an attribute into a body that the model does not have as text:
// a list of one, an extension attribute, a directory extension.
func withOther(body []byte, c plan.Change) ([]byte, error) {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(body, &all); err != nil {
		return nil, fmt.Errorf("body of a user: %w", err)
	}
	var value any
	if c.New.Set {
		value = c.New.Text
	}
	name := string(c.Attribute)
	switch {
	case c.Attribute == "businessPhones" || c.Attribute == "otherMails":
		list := []string{}
		if c.New.Set {
			list = strings.Split(c.New.Text, ";")
		}
		value = list
	case isExtensionAttribute(c.Attribute):
		inner := map[string]json.RawMessage{}
		if had, ok := all[extensionAttributes]; ok {
			if err := json.Unmarshal(had, &inner); err != nil {
				return nil, fmt.Errorf("extension attributes: %w", err)
			}
		}
		raw, err := json.Marshal(value)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		inner[name] = raw
		name, value = extensionAttributes, inner
	}
	raw, err := json.Marshal(value)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	all[name] = raw
	out, err := json.Marshal(all)
	if err != nil {
		return nil, fmt.Errorf("body of a user: %w", err)
	}
	return out, nil
}

// withPassword appends a random password to a body. The result is the only copy
// of it; the caller wipes it.
func withPassword(body []byte, force bool) ([]byte, error) {
	p, err := randomPassword()
	if err != nil {
		return nil, err
	}
	defer wipe(p)
	body = bytes.TrimRight(body, " \n")
	if len(body) < 2 || body[len(body)-1] != '}' {
		return nil, fmt.Errorf("body of a user is not an object")
	}
	out := make([]byte, 0, len(body)+128)
	out = append(out, body[:len(body)-1]...)
	if len(body) > 2 {
		out = append(out, ',')
	}
	out = append(out, `"passwordProfile":{"forceChangePasswordNextSignIn":`...)
	out = strconv.AppendBool(out, force)
	out = append(out, `,"password":"`...)
	out = append(out, p...)
	return append(out, `"}}`...), nil
}
