package simulator

// handler is one operation of Graph.
type handler func(*Server, *call) (*answer, *graphError)

// reads runs an operation with the tenant locked for reading, writes with the
// tenant locked for writing.
func reads(h handler) handler {
	return func(s *Server, c *call) (*answer, *graphError) {
		s.t.mu.RLock()
		defer s.t.mu.RUnlock()
		return h(s, c)
	}
}

func writes(h handler) handler {
	return func(s *Server, c *call) (*answer, *graphError) {
		s.t.mu.Lock()
		defer s.t.mu.Unlock()
		return h(s, c)
	}
}

// changes is writes for an operation whose body is a JSON object.
func changes(h func(*Server, *call, map[string]jsonValue) (*answer, *graphError)) handler {
	return func(s *Server, c *call) (*answer, *graphError) {
		body, err := c.object()
		if err != nil {
			return nil, err
		}
		return writes(func(s *Server, c *call) (*answer, *graphError) { return h(s, c, body) })(s, c)
	}
}

// kind is a kind of object in a collection of the tenant, with the path that a
// context names it by.
type kind struct {
	name, path string
	of         func(*tenant) *collection
}

const underRoles = "roleManagement/directory/"

// The kinds that are served from their collections as they are.
var ( //nolint:gochecknoglobals // a table
	assignments = kind{"unifiedRoleAssignment", underRoles + "roleAssignments", func(t *tenant) *collection { return t.assigned }}
	definitions = kind{"unifiedRoleDefinition", underRoles + "roleDefinitions", func(t *tenant) *collection { return t.roles }}
	schedules   = kind{"unifiedRoleEligibilitySchedule", underRoles + "roleEligibilitySchedules", func(t *tenant) *collection { return t.eligible }}
	instances   = kind{"unifiedRoleEligibilityScheduleInstance", underRoles + "roleEligibilityScheduleInstances", func(t *tenant) *collection { return t.instances }}
	groups      = kind{"group", "groups", func(t *tenant) *collection { return t.groups }}
	consents    = kind{"oAuth2PermissionGrant", "oauth2PermissionGrants", func(t *tenant) *collection { return t.consents }}
	appRoles    = kind{"appRoleAssignment", "appRoleAssignments", func(t *tenant) *collection { return t.appRoles }}
)

// list answers all objects of the kind.
func (k kind) list() handler {
	return reads(func(s *Server, c *call) (*answer, *graphError) {
		return s.listOf(c, k.name, k.path, k.of(s.t), false)
	})
}

// listOfRoles is list without the pages of 100 that other lists have, and with
// $expand.
func (k kind) listOfRoles() handler {
	return reads(func(s *Server, c *call) (*answer, *graphError) {
		if c.query.top == 0 {
			c.query.top = 999
		}
		return s.listOf(c, k.name, k.path, k.of(s.t), true)
	})
}

// get answers the object whose ID is in the path.
func (k kind) get() handler {
	return reads(func(s *Server, c *call) (*answer, *graphError) {
		o := k.of(s.t).get(c.vars[0])
		if o == nil {
			return nil, notFound(c.vars[0])
		}
		return c.one(o, k.path)
	})
}

// remove deletes the object whose ID ends the path. It takes the role that gives
// roles.
func (k kind) remove() handler {
	return writes(func(s *Server, c *call) (*answer, *graphError) {
		id := c.vars[len(c.vars)-1]
		if !s.t.mayAssignRoles(c.who) {
			return nil, denied()
		}
		if !k.of(s.t).remove(id) {
			return nil, notFound(id)
		}
		return noContent(), nil
	})
}

// licensed refuses what takes a licence for eligibilities in a tenant without.
func licensed(h handler) handler {
	return func(s *Server, c *call) (*answer, *graphError) {
		if s.t.set.NoPIM {
			return nil, fail(400, "AadPremiumLicenseRequired",
				"The tenant needs to have Microsoft Entra ID P2 or Microsoft Entra ID Governance license.")
		}
		return h(s, c)
	}
}
