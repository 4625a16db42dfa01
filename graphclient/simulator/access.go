package simulator

import (
	"net/http"
	"slices"
	"strings"
)

// caller is who a token was issued to.
type caller struct {
	app    string   // client ID
	oid    string   // of the user, or of the service principal
	scopes []string // delegated
	roles  []string // of an application
	isApp  bool
	// met is the demand that the token meets, declared that its client
	// understands a claims challenge.
	met      string
	declared bool
}

// kind is person or application, empty for a caller without a good token.
func (w *caller) kind() string {
	switch {
	case w == nil:
		return ""
	case w.isApp:
		return "application"
	}
	return "person"
}

// may reports whether the caller holds one of the permissions. delegated and
// application permissions go by the same names.
func (w *caller) may(permissions []string) bool {
	held := w.scopes
	if w.isApp {
		held = w.roles
	}
	for _, p := range permissions {
		for _, h := range held {
			if strings.EqualFold(h, p) {
				return true
			}
		}
	}
	return false
}

// Permissions, the least first, as Graph's permission reference has them for
// each kind of call.
var (
	canReadUsers   = []string{"User.Read.All", "User.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"}
	canListUsers   = append([]string{"User.ReadBasic.All"}, canReadUsers...)
	canReadMe      = append([]string{"User.Read", "User.ReadWrite", "User.ReadBasic.All"}, canReadUsers...)
	canWriteUsers  = []string{"User.ReadWrite.All", "Directory.ReadWrite.All"}
	canDelete      = []string{"User.DeleteRestore.All", "User.ReadWrite.All", "Directory.ReadWrite.All"}
	canReadDomains = []string{"Domain.Read.All", "Domain.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"}
	canReadOrg     = []string{"Organization.Read.All", "Directory.Read.All", "Directory.ReadWrite.All", "Organization.ReadWrite.All", "User.Read", "User.Read.All", "User.ReadWrite.All"}
	canReadRoles   = []string{"RoleManagement.Read.Directory", "RoleManagement.Read.All", "RoleManagement.ReadWrite.Directory", "Directory.Read.All", "Directory.ReadWrite.All"}
	canReadElig    = []string{"RoleEligibilitySchedule.Read.Directory", "RoleManagement.Read.Directory", "RoleManagement.Read.All", "RoleManagement.ReadWrite.Directory", "RoleEligibilitySchedule.ReadWrite.Directory"}
	canReadJoin    = []string{"PrivilegedEligibilitySchedule.Read.AzureADGroup", "PrivilegedEligibilitySchedule.ReadWrite.AzureADGroup"}
	canWriteRoles  = []string{"RoleManagement.ReadWrite.Directory"}
	canReadGroups  = []string{"GroupMember.Read.All", "Group.Read.All", "GroupMember.ReadWrite.All", "Group.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"}
	canReadApps    = []string{"Application.Read.All", "Application.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"}
	canWriteApps   = []string{"Application.ReadWrite.All"}
	canGrant       = []string{"AppRoleAssignment.ReadWrite.All"}
	canReadGrants  = []string{"Directory.Read.All", "Application.Read.All", "Application.ReadWrite.All", "DelegatedPermissionGrant.ReadWrite.All", "Directory.ReadWrite.All"}
	canReadMailbox = []string{"MailboxSettings.Read", "MailboxSettings.ReadWrite"}
)

// rolesHeld are the template IDs of the directory roles that a principal holds
// now, at any scope, directly or by a role-assignable group.
func (t *tenant) rolesHeld(id string) []string {
	var out []string
	for _, a := range t.assigned.list {
		p := a.text("principalId")
		if strings.EqualFold(p, id) || (t.groups.get(p) != nil && slices.Contains(t.members[p], strings.ToLower(id))) {
			out = append(out, strings.ToLower(a.text("roleDefinitionId")))
		}
	}
	return out
}

// inRoleGroup reports whether a user is member or owner of a group that roles
// may be given to.
func (t *tenant) inRoleGroup(id string) bool {
	for _, g := range t.groups.list {
		if g.flag("isAssignableToRole") &&
			(slices.Contains(t.members[g.id()], id) || slices.Contains(t.owners[g.id()], id)) {
			return true
		}
	}
	return false
}

// mayTouch enforces who may write to which user: the caller's own role, and for
// sensitive actions the table of the users resource. target is nil for a new user;
// sensitive is false for attributes that any writer may change.
func (t *tenant) mayTouch(w *caller, target *record, sensitive bool) *graphError {
	held := t.rolesHeld(w.oid)
	has := func(roles ...string) bool {
		return slices.ContainsFunc(roles, func(r string) bool { return slices.Contains(held, r) })
	}
	top := has(roleGlobalAdmin, rolePrivAuthAdmin)
	if target != nil && target.now.obj.flag("isManagementRestricted") {
		return denied() // needs a role at the scope of the restricted unit; no account has one here
	}
	// A person needs a role to write at all; an application's permission is
	// enough for accounts without one.
	if !w.isApp && !top && !has(roleUserAdmin) && (sensitive || !has(roleDirWriters)) {
		if target == nil || !sensitive || !has(roleAuthAdmin) {
			return denied()
		}
	}
	if target == nil || !sensitive || top {
		return nil
	}
	if t.inRoleGroup(target.id) {
		return denied()
	}
	for _, role := range t.rolesHeld(target.id) {
		allowed := false
		switch role {
		case roleDirReaders, roleGuestInviter, roleMessageReader, roleReportsReader, roleUsageReader, rolePasswordAdmin:
			allowed = has(roleUserAdmin, roleAuthAdmin)
		case roleGroupsAdmin, roleHelpdesk, roleUserAdmin:
			allowed = has(roleUserAdmin)
		case roleAuthAdmin:
			allowed = has(roleAuthAdmin)
		}
		if !allowed {
			return denied()
		}
	}
	return nil
}

// unauthorized is a 401 as Graph words it.
func unauthorized(message string) *graphError {
	e := fail(http.StatusUnauthorized, "InvalidAuthenticationToken", message)
	e.header = http.Header{"Www-Authenticate": {
		`Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", client_id="` + graphAppID + `"`,
	}}
	return e
}
