package simulator

import (
	"net/http"
	"strings"
)

// route is one operation. In its pattern * matches any segment.
type route struct {
	method  string
	pattern string
	may     []string // one of these permissions is needed
	own     bool     // the operation itself says who may
	handle  handler
	segs    []string
}

// routes are all operations that are served, /v1.0 left out.
func routes() []route {
	const get, post, patch, del = http.MethodGet, http.MethodPost, http.MethodPatch, http.MethodDelete
	list := []route{
		{method: get, pattern: "organization", may: canReadOrg, handle: reads((*Server).listOrganization)},
		{method: get, pattern: "organization/*", may: canReadOrg, handle: reads((*Server).getOrganization)},
		{method: get, pattern: "domains", may: canReadDomains, handle: reads((*Server).listDomains)},
		{method: get, pattern: "domains/*", may: canReadDomains, handle: reads((*Server).getDomain)},
		{method: get, pattern: "domains/*/domainNameReferences", may: canReadDomains, handle: reads((*Server).domainReferences)},
		{method: get, pattern: "domains/*/domainNameReferences/*", may: canReadDomains, handle: reads((*Server).domainReferences)},

		{method: get, pattern: "me", may: canReadMe, handle: reads((*Server).getMe)},
		{method: get, pattern: "me/mailboxSettings", may: canReadMailbox, handle: reads((*Server).mailboxSettings)},
		{method: get, pattern: "me/mailboxSettings/userPurpose", may: canReadMailbox, handle: reads((*Server).mailboxPurpose)},
		{method: get, pattern: "users", may: canListUsers, handle: reads((*Server).listUsers)},
		{method: post, pattern: "users", may: canWriteUsers, handle: changes((*Server).createUser)},
		{method: get, pattern: "users/$count", may: canListUsers, handle: reads((*Server).countUsers)},
		{method: get, pattern: "users/delta", may: canReadUsers, handle: reads((*Server).deltaUsers)},
		{method: get, pattern: "users/microsoft.graph.delta", may: canReadUsers, handle: reads((*Server).deltaUsers)},
		{method: get, pattern: "users/*", may: canListUsers, handle: reads((*Server).getUser)},
		{method: patch, pattern: "users/*", may: canPatch, handle: changes((*Server).updateUser)},
		{method: del, pattern: "users/*", may: canDelete, handle: writes((*Server).deleteUser)},
		{method: get, pattern: "users/*/mailboxSettings", may: canReadMailbox, handle: reads((*Server).mailboxSettings)},
		{method: get, pattern: "users/*/mailboxSettings/userPurpose", may: canReadMailbox, handle: reads((*Server).mailboxPurpose)},

		{method: get, pattern: "directory/deletedItems/microsoft.graph.user", may: canReadUsers, handle: reads((*Server).listDeleted)},
		{method: get, pattern: "directory/deletedItems/microsoft.graph.user/$count", may: canReadUsers, handle: reads((*Server).countDeleted)},
		{method: get, pattern: "directory/deletedItems/*", may: canReadUsers, handle: reads((*Server).getDeleted)},
		{method: get, pattern: "directory/deletedItems/*/microsoft.graph.user", may: canReadUsers, handle: reads((*Server).getDeleted)},
		{method: del, pattern: "directory/deletedItems/*", may: canDelete, handle: writes((*Server).purgeDeleted)},
		{method: post, pattern: "directory/deletedItems/*/restore", may: canDelete, handle: writes((*Server).restoreDeleted)},
		{method: post, pattern: "directory/deletedItems/*/microsoft.graph.restore", may: canDelete, handle: writes((*Server).restoreDeleted)},
		{method: post, pattern: "directoryObjects/getByIds", may: canReadUsers, handle: reads((*Server).getByIDs)},
		{method: post, pattern: "directoryObjects/microsoft.graph.getByIds", may: canReadUsers, handle: reads((*Server).getByIDs)},

		{method: get, pattern: "roleManagement/directory/roleAssignments", may: canReadRoles, handle: assignments.listOfRoles()},
		{method: post, pattern: "roleManagement/directory/roleAssignments", may: canWriteRoles, handle: changes((*Server).createAssignment)},
		{method: get, pattern: "roleManagement/directory/roleAssignments/*", may: canReadRoles, handle: assignments.get()},
		{method: del, pattern: "roleManagement/directory/roleAssignments/*", may: canWriteRoles, handle: assignments.remove()},
		{method: get, pattern: "roleManagement/directory/roleDefinitions", may: canReadRoles, handle: definitions.listOfRoles()},
		{method: get, pattern: "roleManagement/directory/roleDefinitions/*", may: canReadRoles, handle: definitions.get()},
		{method: get, pattern: "roleManagement/directory/roleEligibilitySchedules", may: canReadElig, handle: licensed(schedules.listOfRoles())},
		{method: get, pattern: "roleManagement/directory/roleEligibilityScheduleInstances", may: canReadElig, handle: licensed(instances.listOfRoles())},
		{method: get, pattern: "identityGovernance/privilegedAccess/group/eligibilitySchedules", may: canReadJoin, handle: licensed(reads((*Server).listJoinable))},

		{method: get, pattern: "groups", may: canReadGroups, handle: groups.list()},
		{method: get, pattern: "groups/$count", may: canReadGroups, handle: reads((*Server).countGroups)},
		{method: get, pattern: "groups/*", may: canReadGroups, handle: groups.get()},
		{method: get, pattern: "groups/*/*", may: canReadGroups, handle: reads((*Server).groupPeople)},
		{method: get, pattern: "groups/*/*/*", may: canReadGroups, handle: reads((*Server).groupPeople)},

		{method: get, pattern: "servicePrincipals", may: canReadApps, handle: reads((*Server).listPrincipals)},
		{method: post, pattern: "servicePrincipals", may: canWriteApps, handle: changes((*Server).createPrincipal)},
		{method: get, pattern: "servicePrincipals/*", may: canReadApps, handle: reads((*Server).getPrincipal)},
		{method: get, pattern: "servicePrincipals/*/appRoleAssignments", may: canReadApps, handle: appRolesBy("principalId")},
		{method: post, pattern: "servicePrincipals/*/appRoleAssignments", may: canGrant, handle: changes((*Server).createAppRole)},
		{method: del, pattern: "servicePrincipals/*/appRoleAssignments/*", may: canGrant, handle: appRoles.remove()},
		{method: get, pattern: "servicePrincipals/*/appRoleAssignedTo", may: canReadApps, handle: appRolesBy("resourceId")},
		{method: post, pattern: "servicePrincipals/*/appRoleAssignedTo", may: canGrant, handle: changes((*Server).createAppRole)},
		{method: get, pattern: "applications", may: canReadApps, handle: reads((*Server).listApplications)},
		{method: post, pattern: "applications", may: canWriteApps, handle: changes((*Server).createApplication)},
		{method: get, pattern: "applications/*", may: canReadApps, handle: reads((*Server).getApplication)},
		{method: patch, pattern: "applications/*", may: canWriteApps, handle: changes((*Server).updateApplication)},
		{method: post, pattern: "applications/*/addKey", own: true, handle: changes((*Server).addKey)},
		{method: post, pattern: "applications/*/removeKey", own: true, handle: changes((*Server).removeKey)},
		{method: post, pattern: "applications/*/microsoft.graph.addKey", own: true, handle: changes((*Server).addKey)},
		{method: post, pattern: "applications/*/microsoft.graph.removeKey", own: true, handle: changes((*Server).removeKey)},
		{method: get, pattern: "oauth2PermissionGrants", may: canReadGrants, handle: consents.list()},
		{method: post, pattern: "oauth2PermissionGrants", may: canConsent, handle: (*Server).createGrant},
		{method: patch, pattern: "oauth2PermissionGrants/*", may: canConsent, handle: (*Server).updateGrant},
	}
	for i := range list {
		list[i].segs = strings.Split(list[i].pattern, "/")
	}
	return list
}

// canPatch are the permissions of a PATCH of a user; which one is needed
// depends on what is changed.
var canPatch = []string{
	"User.ReadWrite.All", "Directory.ReadWrite.All", "User.EnableDisableAccount.All",
	"User-PasswordProfile.ReadWrite.All", "User-Mail.ReadWrite.All", "User-Phone.ReadWrite.All",
}

// fits matches segments; names of fixed segments are compared without case.
func (r *route) fits(segs []string) ([]string, bool) {
	if len(segs) != len(r.segs) {
		return nil, false
	}
	var vars []string
	for i, s := range r.segs {
		if s == "*" {
			if strings.EqualFold(segs[i], "$count") || segs[i] == "" {
				return nil, false
			}
			vars = append(vars, segs[i])
			continue
		}
		if !strings.EqualFold(s, segs[i]) {
			return nil, false
		}
	}
	return vars, true
}

// serve carries out one Graph call, within the limits.
func (s *Server) serve(c *call) *answer {
	return s.limited(c, func() *answer {
		a, err := s.dispatch(c)
		if err != nil {
			a = c.errorAnswer(err)
		}
		return a
	})
}

func (s *Server) dispatch(c *call) (*answer, *graphError) {
	segs, valid := splitPath(c.path)
	if !valid {
		return nil, fail(400, "BadRequest", "Invalid request.")
	}
	c.segs = segs
	var err *graphError
	if c.query, err = parseQuery(c.raw); err != nil {
		return nil, err
	}
	other := false
	for i := range s.routes {
		r := &s.routes[i]
		vars, fits := r.fits(segs)
		if !fits {
			continue
		}
		if r.method != c.method {
			other = true
			continue
		}
		if !r.own && !c.who.may(r.may) {
			return nil, denied()
		}
		c.vars = vars
		return r.handle(s, c)
	}
	if other {
		return nil, fail(http.StatusMethodNotAllowed, "Request_BadRequest", "Specified HTTP method is not allowed for the request target.")
	}
	last := ""
	if len(segs) > 0 {
		last = segs[len(segs)-1]
	}
	return nil, fail(400, "BadRequest", "Resource not found for the segment '"+last+"'.")
}
