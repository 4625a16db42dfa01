package simulator

import "strings"

// snapshot writes the true present state as a tenant file: the same bytes as
// long as nothing is written. Sign-ins and consents are not part of it, nor is
// what every tenant has.
func (t *tenant) snapshot() []byte {
	b := append(make([]byte, 0, 4096+900*len(t.users.order)), `{"organization":`...)
	b = t.org.appendTo(b, nil, true)
	list := func(name string, objects []*object) {
		b = append(b, ",\n\""...)
		b = append(b, name...)
		b = append(b, `":[`...)
		for i, o := range objects {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(b, '\n')
			b = t.appendWhole(b, o)
		}
		b = append(b, ']')
	}
	var live, deleted []*object
	for _, r := range t.users.order {
		if r.now.deleted {
			deleted = append(deleted, r.now.obj)
		} else {
			live = append(live, r.now.obj)
		}
	}
	list("domains", t.domains)
	list("users", live)
	list("deletedUsers", deleted)
	var sps, roles []*object
	for _, o := range t.sps.list {
		if !t.isWellKnown(o) {
			sps = append(sps, o)
		}
	}
	for _, o := range t.roles.list {
		if !o.flag("isBuiltIn") {
			roles = append(roles, o)
		}
	}
	list("servicePrincipals", sps)
	list("roleAssignments", t.assigned.list)
	for _, k := range []struct {
		name string
		objs []*object
	}{
		{"groups", t.groups.list},
		{"applications", t.apps.list},
		{"appRoleAssignments", t.appRoles.list},
		{"roleDefinitions", roles},
		{"roleEligibilitySchedules", t.eligible.list},
		{"roleEligibilityScheduleInstances", t.instances.list},
		{"groupEligibilitySchedules", t.joinable.list},
	} {
		if len(k.objs) > 0 {
			list(k.name, k.objs)
		}
	}
	if !t.set.empty() {
		b = append(b, ",\n\"simulator\":"...)
		b = append(b, t.set.json()...)
	}
	if r := t.users.byID[t.signedIn]; r != nil && r.now.obj != nil && !r.now.deleted {
		b = append(b, ",\n\"signedIn\":"...)
		b = append(b, r.now.obj.raw("userPrincipalName")...)
	}
	return append(b, "}\n"...)
}

// appendWhole writes an object with all it has; groups with their members.
func (t *tenant) appendWhole(b []byte, o *object) []byte {
	b = o.appendTo(b, nil, true)
	if o.t.name != "group" {
		return b
	}
	for _, k := range []struct {
		name string
		ids  []string
	}{{"members", t.members[o.id()]}, {"owners", t.owners[o.id()]}} {
		if len(k.ids) == 0 {
			continue
		}
		b = append(b[:len(b)-1], `,"`...)
		b = append(b, k.name...)
		b = append(b, `":[`...)
		for i, id := range k.ids {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(b, `{"id":`...)
			b = append(b, quote(strings.ToLower(id))...)
			b = append(b, '}')
		}
		b = append(b, `]}`...)
	}
	return b
}
