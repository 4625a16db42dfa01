package simulator

import (
	"net/http"
	"slices"
	"strings"
)

func (s *Server) listOf(c *call, kind, context string, of *collection, expand bool) (*answer, *graphError) {
	l := listing{
		typ: s.t.sch[kind], context: context, from: fromList(of.list), total: len(of.list), expand: expand,
	}
	return s.list(c, l)
}

// roleList is listOf without the pages of 100 that other lists have.
func (s *Server) roleList(c *call, kind, context string, of *collection) (*answer, *graphError) {
	if c.query.top == 0 {
		c.query.top = 999
	}
	return s.listOf(c, kind, context, of, true)
}

func (s *Server) listAssignments(c *call) (*answer, *graphError) {
	s.t.mu.RLock()
	defer s.t.mu.RUnlock()
	return s.roleList(c, "unifiedRoleAssignment", "roleManagement/directory/roleAssignments", s.t.assigned)
}

func (s *Server) getAssignment(c *call) (*answer, *graphError) {
	s.t.mu.RLock()
	defer s.t.mu.RUnlock()
	o := s.t.assigned.get(c.vars[0])
	if o == nil {
		return nil, notFound(c.vars[0])
	}
	return c.one(o, "roleManagement/directory/roleAssignments")
}

// mayAssignRoles is the role that giving roles and app roles takes.
func (t *tenant) mayAssignRoles(w *caller) bool {
	if w.isApp {
		return true
	}
	for _, r := range t.rolesHeld(w.oid) {
		if r == roleGlobalAdmin || r == rolePrivRoleAdmin {
			return true
		}
	}
	return false
}

func (s *Server) createAssignment(c *call) (*answer, *graphError) {
	t := s.t
	body, err := c.object()
	if err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
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
	a, err := c.one(o, "roleManagement/directory/roleAssignments")
	if err == nil {
		a.status = http.StatusCreated
	}
	return a, err
}

func (s *Server) deleteAssignment(c *call) (*answer, *graphError) {
	s.t.mu.Lock()
	defer s.t.mu.Unlock()
	if !s.t.mayAssignRoles(c.who) {
		return nil, denied()
	}
	if !s.t.assigned.remove(c.vars[0]) {
		return nil, notFound(c.vars[0])
	}
	return noContent(), nil
}

func (s *Server) listDefinitions(c *call) (*answer, *graphError) {
	s.t.mu.RLock()
	defer s.t.mu.RUnlock()
	return s.roleList(c, "unifiedRoleDefinition", "roleManagement/directory/roleDefinitions", s.t.roles)
}

func (s *Server) getDefinition(c *call) (*answer, *graphError) {
	s.t.mu.RLock()
	defer s.t.mu.RUnlock()
	o := s.t.roles.get(c.vars[0])
	if o == nil {
		return nil, notFound(c.vars[0])
	}
	return c.one(o, "roleManagement/directory/roleDefinitions")
}

// licence answers what a tenant without the licence for eligibilities answers.
func (s *Server) licence() *graphError {
	if !s.t.set.NoPIM {
		return nil
	}
	return fail(400, "AadPremiumLicenseRequired",
		"The tenant needs to have Microsoft Entra ID P2 or Microsoft Entra ID Governance license.")
}

func (s *Server) listEligible(c *call) (*answer, *graphError) {
	s.t.mu.RLock()
	defer s.t.mu.RUnlock()
	if err := s.licence(); err != nil {
		return nil, err
	}
	return s.roleList(c, "unifiedRoleEligibilitySchedule", "roleManagement/directory/roleEligibilitySchedules", s.t.eligible)
}

func (s *Server) listInstances(c *call) (*answer, *graphError) {
	s.t.mu.RLock()
	defer s.t.mu.RUnlock()
	if err := s.licence(); err != nil {
		return nil, err
	}
	return s.roleList(c, "unifiedRoleEligibilityScheduleInstance", "roleManagement/directory/roleEligibilityScheduleInstances", s.t.instances)
}

// listJoinable answers who may activate membership or ownership of a group. A
// list of all groups is refused: the caller names one, or a principal. A person
// needs a role that reads role-assignable groups, or to own or be in the group.
func (s *Server) listJoinable(c *call) (*answer, *graphError) {
	s.t.mu.RLock()
	defer s.t.mu.RUnlock()
	if err := s.licence(); err != nil {
		return nil, err
	}
	if c.query.filter == nil {
		return nil, fail(400, "InvalidFilter", "The filter on groupId or principalId is missing.")
	}
	if !c.who.isApp {
		held := s.t.rolesHeld(c.who.oid)
		if !slices.ContainsFunc([]string{roleGlobalAdmin, roleGlobalReader, rolePrivRoleAdmin}, func(r string) bool { return slices.Contains(held, r) }) {
			return nil, denied()
		}
	}
	return s.listOf(c, "privilegedAccessGroupEligibilitySchedule", "identityGovernance/privilegedAccess/group/eligibilitySchedules", s.t.joinable, true)
}
