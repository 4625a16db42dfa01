package simulator

import (
	"encoding/json"
	"strings"
)

// groups reads groups with their members and owners, in the form that Graph shows with
// $expand: objects with an id. An ID or UPN alone is accepted as well.
func (l *loader) groups(f *tenantFile) error {
	for i, raw := range f.Groups {
		where := place("groups", i)
		props, rest, err := l.object("group", where, raw, "members", "owners")
		if err != nil {
			return err
		}
		if props["displayName"] == "" {
			return bad(where, "has no displayName")
		}
		where = labelled(where, props)
		if err := l.identify(where, props, "group", props["displayName"]); err != nil {
			return err
		}
		for name, byDefault := range map[string]string{
			"securityEnabled": "true", "mailEnabled": "false", "createdDateTime": madeLongAgo,
		} {
			if props[name] == "" {
				props[name] = byDefault
			}
		}
		id := unquote(props["id"])
		if l.t.groups.get(id) != nil {
			return bad(where, "its id %s stands there twice", id)
		}
		l.t.addGroup(newObject(l.t.sch["group"], props))
		if l.t.members[id], err = l.principalList(where+", members", rest["members"]); err != nil {
			return err
		}
		if l.t.owners[id], err = l.principalList(where+", owners", rest["owners"]); err != nil {
			return err
		}
	}
	return nil
}

func (l *loader) principalList(where string, raw json.RawMessage) ([]string, error) {
	if len(raw) == 0 || string(raw) == null {
		return nil, nil
	}
	var items []json.RawMessage
	if json.Unmarshal(raw, &items) != nil {
		return nil, bad(where, "is not a list")
	}
	var out []string
	for i, item := range items {
		key := unquote(string(item))
		if key == "" {
			var o struct {
				ID string `json:"id"`
			}
			if json.Unmarshal(item, &o) != nil || o.ID == "" {
				return nil, bad(where, "item %d has no id", i)
			}
			key = o.ID
		}
		if !isGUID(key) {
			r := l.t.users.find(key)
			if r == nil {
				return nil, bad(where, "there is no user %q", key)
			}
			key = r.id
		}
		out = append(out, strings.ToLower(key))
	}
	return out, nil
}

func (l *loader) applications(f *tenantFile) error {
	for i, raw := range f.Applications {
		where := place("applications", i)
		props, _, err := l.object("application", where, raw)
		if err != nil {
			return err
		}
		where = labelled(where, props)
		if !isGUID(unquote(props["appId"])) {
			return bad(where, "its appId %s is not a GUID", props["appId"])
		}
		if err := l.identify(where, props, "application", props["appId"]); err != nil {
			return err
		}
		if l.t.appByClient(unquote(props["appId"])) != nil {
			return bad(where, "its appId %s stands there twice", props["appId"])
		}
		l.t.apps.add(newObject(l.t.sch["application"], props))
	}
	return nil
}

// principals reads service principals, with the permissions that each was
// given, and adds those that every tenant has.
func (l *loader) principals(f *tenantFile) error {
	t := l.t
	given := map[string]json.RawMessage{}
	for i, raw := range f.ServicePrincipals {
		where := place("servicePrincipals", i)
		props, rest, err := l.object("servicePrincipal", where, raw, "appRoleAssignments")
		if err != nil {
			return err
		}
		where = labelled(where, props)
		appID := unquote(props["appId"])
		if !isGUID(appID) {
			return bad(where, "its appId %s is not a GUID", props["appId"])
		}
		if err := l.identify(where, props, "servicePrincipal", strings.ToLower(appID)); err != nil {
			return err
		}
		if t.spByClient(appID) != nil || t.sps.get(unquote(props["id"])) != nil {
			return bad(where, "its appId %s stands there twice", appID)
		}
		for name, byDefault := range map[string]string{
			"accountEnabled": "true", "servicePrincipalType": `"Application"`,
		} {
			if props[name] == "" {
				props[name] = byDefault
			}
		}
		if strings.EqualFold(appID, graphAppID) {
			fillGraph(props)
		}
		t.sps.add(newObject(t.sch["servicePrincipal"], props))
		if r := rest["appRoleAssignments"]; len(r) > 0 {
			given[unquote(props["id"])] = r
		}
	}
	t.addWellKnown()
	for i, raw := range f.AppRoleAssignments {
		if err := l.appRoleAssignment(place("appRoleAssignments", i), "", raw); err != nil {
			return err
		}
	}
	for _, sp := range t.sps.list {
		raw, ok := given[sp.id()]
		if !ok {
			continue
		}
		where := "servicePrincipals (" + sp.text("displayName") + "), appRoleAssignments"
		var items []json.RawMessage
		if json.Unmarshal(raw, &items) != nil {
			return bad(where, "is not a list")
		}
		for i, item := range items {
			if err := l.appRoleAssignment(where+place("", i), sp.id(), item); err != nil {
				return err
			}
		}
	}
	return nil
}

func (l *loader) appRoleAssignment(where, principal string, raw json.RawMessage) error {
	props, _, err := l.object("appRoleAssignment", where, raw)
	if err != nil {
		return err
	}
	if props["principalId"] == "" {
		props["principalId"] = quote(principal)
	}
	if props["resourceId"] == "" {
		props["resourceId"] = quote(l.t.spByClient(graphAppID).id())
	}
	sp, res := l.t.sps.get(unquote(props["principalId"])), l.t.sps.get(unquote(props["resourceId"]))
	if sp == nil || res == nil {
		return bad(where, "its principalId or resourceId is no service principal of this tenant")
	}
	o, ok := l.t.newAppRole(sp, res, unquote(props["appRoleId"]), madeLongAgo)
	if !ok {
		return bad(where, "%s has no app role %s", res.text("displayName"), props["appRoleId"])
	}
	if id := props["id"]; id != "" {
		o = o.with(map[string]string{"id": id})
	}
	l.t.appRoles.add(o)
	return nil
}

func (l *loader) roleDefinitions(f *tenantFile) error {
	t := l.t
	t.addBuiltInRoles()
	for i, raw := range f.RoleDefinitions {
		where := place("roleDefinitions", i)
		props, _, err := l.object("unifiedRoleDefinition", where, raw)
		if err != nil {
			return err
		}
		if err := l.identify(where, props, "role", props["displayName"]); err != nil {
			return err
		}
		if t.roles.get(unquote(props["id"])) != nil {
			continue // a built-in one, saved with the others
		}
		if props["isBuiltIn"] == "" {
			props["isBuiltIn"] = "false"
		}
		if props["templateId"] == "" {
			props["templateId"] = props["id"]
		}
		t.roles.add(newObject(t.sch["unifiedRoleDefinition"], props))
	}
	return nil
}

func (l *loader) assignments(f *tenantFile) error {
	for _, kind := range []struct {
		list string
		raw  []json.RawMessage
		typ  string
		into *collection
	}{
		{"roleAssignments", f.RoleAssignments, "unifiedRoleAssignment", l.t.assigned},
		{"roleEligibilitySchedules", f.RoleEligibilitySchedules, "unifiedRoleEligibilitySchedule", l.t.eligible},
		{"roleEligibilityScheduleInstances", f.RoleEligibilityScheduleInstances, "unifiedRoleEligibilityScheduleInstance", l.t.instances},
	} {
		for i, raw := range kind.raw {
			where := place(kind.list, i)
			props, rest, err := l.object(kind.typ, where, raw, "principal", "roleDefinition")
			if err != nil {
				return err
			}
			_ = rest // $expand of a saved answer
			principal := unquote(props["principalId"])
			if principal != "" && !isGUID(principal) {
				if r := l.t.users.find(principal); r != nil {
					principal = r.id
				}
			}
			if !isGUID(principal) {
				return bad(where, "its principalId %q is no object of this tenant", principal)
			}
			props["principalId"] = quote(strings.ToLower(principal))
			if !isGUID(unquote(props["roleDefinitionId"])) {
				return bad(where, "its roleDefinitionId %s is not a GUID", props["roleDefinitionId"])
			}
			if props["directoryScopeId"] == "" {
				props["directoryScopeId"] = `"/"`
			}
			if props["id"] == "" {
				props["id"] = quote(guid(l.t.org.id(), kind.list, principal, props["roleDefinitionId"], props["directoryScopeId"]))
			}
			if kind.into.get(unquote(props["id"])) != nil {
				return bad(where, "its id %s stands there twice", props["id"])
			}
			kind.into.add(newObject(l.t.sch[kind.typ], props))
		}
	}
	// A schedule of today is an instance as well, and the other way round.
	if len(l.t.instances.list) == 0 {
		for _, s := range l.t.eligible.list {
			l.t.instances.add(newObject(l.t.sch["unifiedRoleEligibilityScheduleInstance"], map[string]string{
				"id": quote(guid(s.id(), "instance")), "principalId": s.raw("principalId"),
				"roleDefinitionId": s.raw("roleDefinitionId"), "directoryScopeId": s.raw("directoryScopeId"),
				"memberType": `"Direct"`, "roleEligibilityScheduleId": s.raw("id"),
			}))
		}
	}
	return nil
}

// joinable reads who may activate membership or ownership of a group: PIM for
// Groups.
func (l *loader) joinable(f *tenantFile) error {
	for i, raw := range f.GroupEligibilitySchedules {
		where := place("groupEligibilitySchedules", i)
		props, _, err := l.object("privilegedAccessGroupEligibilitySchedule", where, raw, "group", "principal")
		if err != nil {
			return err
		}
		principal, group := unquote(props["principalId"]), unquote(props["groupId"])
		if r := l.t.users.find(principal); r != nil {
			principal = r.id
		}
		if !isGUID(principal) {
			return bad(where, "its principalId %q is no object of this tenant", principal)
		}
		if l.t.groups.get(group) == nil {
			return bad(where, "its groupId %q is no group of this tenant", group)
		}
		props["principalId"] = quote(strings.ToLower(principal))
		switch unquote(props["accessId"]) {
		case "":
			props["accessId"] = `"member"`
		case "member", "owner":
		default:
			return bad(where, "accessId is neither member nor owner")
		}
		for name, byDefault := range map[string]string{"memberType": `"direct"`, "status": `"Provisioned"`} {
			if props[name] == "" {
				props[name] = byDefault
			}
		}
		if props["id"] == "" {
			props["id"] = quote(strings.ToLower(group) + "_" + unquote(props["accessId"]) + "_" + guid(l.t.org.id(), "joinable", group, principal, props["accessId"]))
		}
		if l.t.joinable.get(unquote(props["id"])) != nil {
			return bad(where, "its id %s stands there twice", props["id"])
		}
		l.t.joinable.add(newObject(l.t.sch["privilegedAccessGroupEligibilitySchedule"], props))
	}
	return nil
}
