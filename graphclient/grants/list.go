// Package grants holds what a sync needs to be granted, as one list with three
// renderings: checked against the token, granted in place, and printed as the
// PowerShell that grants it. (Their words are catalogue entries grant.<name>.)
//
// There are two ways to act, and a list for each. Grants are those of a signed-in
// administrator; Dedicated is an application of its own, from its key pair to the
// renewal of its certificate. They implement consent.Grants and consent.Dedicated.
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
	applicationAdmin    = "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3"
	cloudAppAdmin       = "158c047a-c907-4556-b7ef-446551a6b5f7"
)

// graphApp is the appId of Microsoft Graph, the same in every cloud.
const graphApp = "00000003-0000-0000-c000-000000000000"

// roleName is the name of a role that includes another.
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

// person is everything that a signed-in administrator needs, in the order shown.
func person() []consent.Grant {
	var all []consent.Grant
	for _, s := range consent.ReadScopes() {
		all = append(all, consent.Grant{Name: s, Kind: consent.DelegatedScope, When: consent.ForDryRun})
	}
	return append(
		all,
		// Reading role eligibilities may want a reading role; usually it works
		// without, and if not, the read says so.
		consent.Grant{Name: "Global Reader", Kind: consent.DirectoryRole, When: consent.ForDryRun, Optional: true, ID: globalReader},
		consent.Grant{Name: consent.WriteScope, Kind: consent.DelegatedScope, When: consent.ForSync},
		consent.Grant{Name: "User Administrator", Kind: consent.DirectoryRole, When: consent.ForSync, ID: userAdministrator},
	)
}

// application is everything that a dedicated application is given. It is the
// least that a sync works with: its own grants are read from its token, so it
// may read no applications, and the tenant's name is read at set-up.
func application(withUserAdministrator bool) []consent.Grant {
	// The IDs are those of Microsoft Graph's public cloud; they are looked up by
	// name, because they are not promised to be the same everywhere.
	all := []consent.Grant{
		{Name: "User.ReadWrite.All", ID: "741f803b-c850-494e-b5df-cde7c675a1ca"},
		{Name: "Domain.Read.All", ID: "dbb9058a-0e50-45d7-ae91-66909b5d4664"},
		{Name: "RoleManagement.Read.Directory", ID: "483bed4a-2ad3-4361-a73b-c83ccdbdc53c"},
		{Name: "GroupMember.Read.All", ID: "98830695-27a2-44f7-8c18-0c3ebc9698f6"},
		// The settings of all mailboxes: an organisation may refuse it, and then
		// what cannot be read protects.
		{Name: "MailboxSettings.Read", ID: "40f97065-369a-49f4-947c-6a255697ae91", Optional: true},
	}
	for i := range all {
		all[i].Kind, all[i].When = consent.AppRole, consent.ForPeriodic
	}
	if withUserAdministrator {
		all = append(all, consent.Grant{
			Name: "User Administrator", Kind: consent.DirectoryRole, When: consent.ForPeriodic, ID: userAdministrator,
		})
	}
	return all
}

// The parts of a dedicated application, by the names under which their words
// are in the catalogue.
const (
	partApplication = "application"
	partCertificate = "certificate"
	partPrincipal   = "service principal"
	partSignIn      = "sign-in"
)

func part(name string) consent.Grant {
	return consent.Grant{Name: name, Kind: consent.Part, When: consent.ForPeriodic}
}

// dedicated is the whole way of a dedicated application: what it is made of,
// what it is given, and that it signs in. foreign is one whose home is another
// organisation.
func dedicated(foreign, withUserAdministrator bool) []consent.Grant {
	var all []consent.Grant
	if !foreign {
		all = append(all, part(partApplication), part(partCertificate))
	}
	all = append(all, part(partPrincipal))
	all = append(all, application(withUserAdministrator)...)
	return append(all, part(partSignIn))
}
