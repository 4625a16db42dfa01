package simulator

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
	"sort"
	"strings"
	"sync"
)

// typesJSON holds the property names and kinds of the Graph v1.0 types that are
// served, as Graph's own metadata gives them.
//
//go:embed types.json
var typesJSON []byte

// entity is one Graph type.
type entity struct {
	name   string // user
	title  string // User, as error messages spell it
	props  []property
	byName map[string]uint16
	byFold map[string]uint16 // clients spell properties in any case in queries
	plain  []uint16          // returned without $select
}

// property is one property of a type.
type property struct {
	name       string
	kind       string // Edm.String, assignedPlan, without Collection()
	collection bool
	plain      bool // returned without $select
	readOnly   bool // cannot be written by a client
	fixed      bool // cannot be cleared
	max        int  // longest value in characters, 0 for no limit
	alone      bool // kept outside of the directory: not in lists, not in delta
	noted      bool // its null is a state of its own, which a tenant file keeps
}

// odata is the pseudo property for an object that is not what its list holds.
const odataType = "@odata.type"

type schema map[string]*entity

// theSchema is Graph's metadata; it never changes.
var theSchema = sync.OnceValue(func() schema {
	s, err := parseSchema(typesJSON)
	if err != nil {
		panic(err) // the embedded file is part of the program
	}
	return s
})

func parseSchema(b []byte) (schema, error) {
	var types map[string]map[string]string
	if err := json.Unmarshal(b, &types); err != nil {
		return nil, fmt.Errorf("read types.json: %w", err)
	}
	s := schema{}
	for name, props := range types {
		e := &entity{
			name:   name,
			title:  strings.ToUpper(name[:1]) + name[1:],
			byName: make(map[string]uint16, len(props)+1),
			byFold: make(map[string]uint16, len(props)+1),
		}
		names := make([]string, 0, len(props)+1)
		for p := range props {
			if p != "id" {
				names = append(names, p)
			}
		}
		sort.Strings(names)
		names = append([]string{odataType, "id"}, names...)
		for _, p := range names {
			kind := props[p]
			if p == odataType {
				kind = "Edm.String"
			}
			d := property{name: p, kind: kind, plain: true, readOnly: p == "id" || p == odataType, fixed: p == "id"}
			if inner, ok := strings.CutPrefix(kind, "Collection("); ok {
				d.kind, d.collection = strings.TrimSuffix(inner, ")"), true
			}
			i := uint16(len(e.props)) //nolint:gosec // a type has some hundred properties at most
			e.byName[p], e.byFold[strings.ToLower(p)] = i, i
			e.props = append(e.props, d)
		}
		s[name] = e
	}
	s["user"].describeUser()
	s["application"].limit("keyCredentials", 0)
	for _, e := range s {
		for i, p := range e.props {
			if p.plain && p.name != odataType {
				e.plain = append(e.plain, uint16(i)) //nolint:gosec // as above
			}
		}
	}
	return s, nil
}

// describeUser adds what the metadata does not say of users.
func (e *entity) describeUser() {
	// The eleven that come without $select.
	plain := []string{
		"businessPhones", "displayName", "givenName", "id", "jobTitle", "mail", "mobilePhone",
		"officeLocation", "preferredLanguage", "surname", "userPrincipalName",
	}
	readOnly := []string{
		"ageGroup", "assignedLicenses", "assignedPlans", "authorizationInfo", "createdDateTime", "creationType",
		"deletedDateTime", "externalUserState", "externalUserStateChangeDateTime", "identityParentId",
		"imAddresses", "isManagementRestricted", "lastPasswordChangeDateTime",
		"legalAgeGroupClassification", "licenseAssignmentStates", "mailboxSettings",
		"onPremisesDistinguishedName", "onPremisesDomainName", "onPremisesLastSyncDateTime",
		"onPremisesProvisioningErrors", "onPremisesSamAccountName", "onPremisesSecurityIdentifier",
		"onPremisesSyncEnabled", "onPremisesUserPrincipalName", "provisionedPlans", "proxyAddresses",
		"securityIdentifier", "serviceProvisioningErrors", "signInActivity", "signInSessionsValidFromDateTime",
		"deviceEnrollmentLimit", "print", "isResourceAccount",
	}
	fixed := []string{
		"accountEnabled", "displayName", "mail", "mailNickname", "passwordProfile", "usageLocation", "userPrincipalName",
		"userType",
	}
	alone := []string{
		"aboutMe", "birthday", "deviceEnrollmentLimit", "hireDate", "interests", "mailboxSettings", "mySite",
		"pastProjects", "preferredName", "responsibilities", "schools", "skills", "signInActivity", "print",
	}
	for i := range e.props {
		p := &e.props[i]
		p.plain = slices.Contains(plain, p.name)
		p.readOnly = p.readOnly || slices.Contains(readOnly, p.name)
		p.fixed = p.fixed || slices.Contains(fixed, p.name)
		p.alone = slices.Contains(alone, p.name)
		p.noted = p.name == "userType" // the oldest accounts have none
	}
	for name, max := range map[string]int{
		"displayName": 256, "givenName": 64, "surname": 64, "mailNickname": 64, "department": 64, "companyName": 64,
		"mobilePhone": 64, "jobTitle": 128, "city": 128, "state": 128, "country": 128, "postalCode": 40,
		"streetAddress": 1024, "employeeId": 16, "usageLocation": 2, "officeLocation": 128, "ageGroup": 64,
	} {
		e.limit(name, max)
	}
}

func (e *entity) limit(name string, max int) {
	if i, ok := e.byName[name]; ok {
		e.props[i].max = max
	}
}
