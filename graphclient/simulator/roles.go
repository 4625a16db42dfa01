package simulator

import (
	"slices"
	"strings"
)

func (s *Server) listOf(c *call, kind, context string, of *collection, expand bool) (*answer, *graphError) {
	l := listing{
		typ: s.t.sch[kind], context: context, from: fromList(of.list), total: len(of.list), expand: expand,
	}
	return s.list(c, l)
}

// holdsAny reports whether an application asks, or a person with one of the
// roles.
func (t *tenant) holdsAny(w *caller, roles ...string) bool {
	return w.isApp || slices.ContainsFunc(t.rolesHeld(w.oid), func(r string) bool { return slices.Contains(roles, r) })
}

// mayAssignRoles is the role that giving roles and app roles takes.
func (t *tenant) mayAssignRoles(w *caller) bool {
	return t.holdsAny(w, roleGlobalAdmin, rolePrivRoleAdmin)
}

func (s *Server) createAssignment(c *call, body map[string]jsonValue) (*answer, *graphError) {
	t := s.t
	if !t.mayAssignRoles(c.who) {
		return nil, denied()
	}
	props, err := t.clean(t.sch["unifiedRoleAssignment"], body)
	if err != nil {
		return nil, err
	}
	principal, role := unquote(props["principalId"]), unquote(props["roleDefinitionId"])
	if t.roles.get(role) == nil {
		return nil, notFound(role)
	}
	if t.users.find(principal) == nil && t.anyObject(principal) == nil {
		return nil, notFound(principal)
	}
	if props["directoryScopeId"] == "" {
		props["directoryScopeId"] = `"/"`
	}
	for _, a := range t.assigned.list {
		if strings.EqualFold(a.text("principalId"), principal) && strings.EqualFold(a.text("roleDefinitionId"), role) &&
			a.raw("directoryScopeId") == props["directoryScopeId"] {
			return nil, badRequest("A conflicting object with one or more of the specified property values is present in the directory.",
				detail{"ObjectConflict", "The role assignment already exists.", "principalId"})
		}
	}
	props["id"] = quote(guid(t.org.id(), "assignment", principal, role, props["directoryScopeId"]))
	o := newObject(t.sch["unifiedRoleAssignment"], props)
	t.assigned.add(o)
	return asCreated(c.one(o, assignments.path))
}

// listJoinable answers who may activate membership or ownership of a group. A
// list of all groups is refused: the caller names one, or a principal. A person
// needs a role that reads role-assignable groups, or to own or be in the group.
func (s *Server) listJoinable(c *call) (*answer, *graphError) {
	if c.query.filter == nil {
		return nil, fail(400, "InvalidFilter", "The filter on groupId or principalId is missing.")
	}
	if !s.t.holdsAny(c.who, roleGlobalAdmin, roleGlobalReader, rolePrivRoleAdmin) {
		return nil, denied()
	}
	return s.listOf(c, "privilegedAccessGroupEligibilitySchedule", "identityGovernance/privilegedAccess/group/eligibilitySchedules", s.t.joinable, true)
}
