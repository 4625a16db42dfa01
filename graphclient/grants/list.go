// Package grants holds what a sync needs to be granted, as one list with three
// renderings: shown and explained (the words are catalogue entries grant.<name>),
// checked against the token, and printed as the PowerShell that grants it. It
// implements consent.Grants.
//
// Who has what is read from tokens (scp, roles, wids), so that no permission to
// read permissions is needed.
package grants

import "github.com/hacsync/hacsync/sync/consent"

// Template IDs of directory roles, the same in every tenant; as the reference
// of Entra's built-in roles has them.
const (
	globalAdministrator = "62e90394-69f5-4237-9190-012177145e10"
	globalReader        = "f2ef992c-3afb-46b9-b7cf-a126ee74c451"
	userAdministrator   = "fe930be7-5e62-47db-91af-98c3a49a38b1"
	privilegedRoleAdmin = "e8611ab8-c189-46e8-94e1-60213ab1f814"
	securityReader      = "5d6b6bb7-de71-4623-b4af-96380a352509"
)

// roleName is the name of a role that can stand for another.
func roleName(id string) string {
	return map[string]string{
		globalAdministrator: "Global Administrator",
		globalReader:        "Global Reader",
		userAdministrator:   "User Administrator",
		privilegedRoleAdmin: "Privileged Role Administrator",
		securityReader:      "Security Reader",
	}[id]
}

// orRoles are the roles that include another.
func orRoles(id string) []string {
	switch id {
	case userAdministrator:
		return []string{globalAdministrator}
	case globalReader:
		return []string{globalAdministrator, privilegedRoleAdmin, securityReader}
	}
	return nil
}

// list is everything that is needed, in the order shown. dedicated says that an
// application of its own exists and is to be granted too.
func list(dedicated bool) []consent.Grant {
	var all []consent.Grant
	for _, s := range consent.ReadScopes() {
		all = append(all, consent.Grant{Name: s, Kind: consent.DelegatedScope, When: consent.ForDryRun})
	}
	all = append(
		all,
		// Reading role eligibilities may want a reading role; usually it works
		// without, and if not, the read says so.
		consent.Grant{Name: "Global Reader", Kind: consent.DirectoryRole, When: consent.ForDryRun, Optional: true, ID: globalReader},
		consent.Grant{Name: consent.WriteScope, Kind: consent.DelegatedScope, When: consent.ForSync},
		consent.Grant{Name: "User Administrator", Kind: consent.DirectoryRole, When: consent.ForSync, ID: userAdministrator},
	)
	if !dedicated {
		return all
	}
	// The IDs are those of Microsoft Graph's public cloud; the script looks them
	// up by name, because they are not promised to be the same everywhere.
	for _, r := range []consent.Grant{
		{Name: "User.ReadWrite.All", ID: "741f803b-c850-494e-b5df-cde7c675a1ca"},
		{Name: "Domain.Read.All", ID: "dbb9058a-0e50-45d7-ae91-66909b5d4664"},
		{Name: "RoleManagement.Read.Directory", ID: "483bed4a-2ad3-4361-a73b-c83ccdbdc53c"},
		{Name: "GroupMember.Read.All"},
		{Name: "MailboxSettings.Read", ID: "40f97065-369a-49f4-947c-6a255697ae91", Optional: true},
	} {
		r.Kind, r.When = consent.AppRole, consent.ForPeriodic
		all = append(all, r)
	}
	return all
}
