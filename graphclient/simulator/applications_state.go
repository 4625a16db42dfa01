package simulator

import (
	"encoding/json"
	"strings"
)

func (t *tenant) spByClient(appID string) *object  { return t.sps.with("appId", appID) }
func (t *tenant) appByClient(appID string) *object { return t.apps.with("appId", appID) }

// addWellKnown adds Microsoft Graph and the shared client, as every tenant has
// them; their IDs follow from the tenant's.
func (t *tenant) addWellKnown() {
	for _, w := range []named{{graphAppID, "Microsoft Graph"}, {cliToolsAppID, "Microsoft Graph Command Line Tools"}} {
		if t.spByClient(w.id) != nil {
			continue
		}
		props := map[string]string{
			"id": quote(t.wellKnownID(w.id)), "appId": quote(w.id), "displayName": quote(w.name),
			"accountEnabled": "true", "servicePrincipalType": `"Application"`,
			"appOwnerOrganizationId": `"f8cdef31-a31e-4b4a-93e4-5f571e91255a"`, // Microsoft's own tenant
		}
		if w.id == graphAppID {
			fillGraph(props)
		}
		t.sps.add(newObject(t.sch["servicePrincipal"], props))
	}
}

func (t *tenant) wellKnownID(appID string) string { return guid(t.org.id(), "servicePrincipal", appID) }

// isWellKnown reports whether a service principal was added by addWellKnown.
func (t *tenant) isWellKnown(o *object) bool {
	app := o.text("appId")
	return (app == graphAppID || app == cliToolsAppID) && o.id() == t.wellKnownID(app)
}

// fillGraph gives Microsoft Graph's service principal its permissions.
func fillGraph(props map[string]string) {
	if props["appRoles"] == "" {
		list := []map[string]any{}
		for _, r := range graphAppRoles() {
			list = append(list, map[string]any{
				"id": r.id, "value": r.name, "displayName": r.name, "description": r.name,
				"isEnabled": true, "origin": "Application", "allowedMemberTypes": []string{"Application"},
			})
		}
		b, _ := json.Marshal(list)
		props["appRoles"] = string(b)
	}
	if props["oauth2PermissionScopes"] == "" {
		list := []map[string]any{}
		for _, r := range graphScopes() {
			list = append(list, map[string]any{
				"id": r.id, "value": r.name, "adminConsentDisplayName": r.name, "adminConsentDescription": r.name,
				"isEnabled": true, "type": "Admin",
			})
		}
		b, _ := json.Marshal(list)
		props["oauth2PermissionScopes"] = string(b)
	}
}

type appRole struct {
	ID    string `json:"id"`
	Value string `json:"value"`
}

func (o *object) appRoleList() []appRole {
	var out []appRole
	_ = json.Unmarshal([]byte(o.raw("appRoles")), &out)
	return out
}

// newAppRole makes the assignment of a resource's app role to a principal.
func (t *tenant) newAppRole(sp, resource *object, role, created string) (*object, bool) {
	for _, r := range resource.appRoleList() {
		if !strings.EqualFold(r.ID, role) {
			continue
		}
		return newObject(t.sch["appRoleAssignment"], map[string]string{
			"id":                   quote(strings.ReplaceAll(guid(sp.id(), resource.id(), role), "-", "_")),
			"appRoleId":            quote(r.ID),
			"createdDateTime":      created,
			"principalId":          sp.raw("id"),
			"principalDisplayName": sp.raw("displayName"),
			"principalType":        `"ServicePrincipal"`,
			"resourceId":           resource.raw("id"),
			"resourceDisplayName":  resource.raw("displayName"),
		}), true
	}
	return nil, false
}

// rolesOf are the Graph permissions given to an application.
func (t *tenant) rolesOf(sp *object) []string {
	graph := t.spByClient(graphAppID)
	var out []string
	for _, a := range t.appRoles.list {
		if a.text("principalId") != sp.id() || a.text("resourceId") != graph.id() || t.known(a) == nil {
			continue
		}
		for _, r := range graph.appRoleList() {
			if strings.EqualFold(r.ID, a.text("appRoleId")) {
				out = append(out, r.Value)
			}
		}
	}
	return out
}

// addBuiltInRoles adds the role definitions that every tenant has.
func (t *tenant) addBuiltInRoles() {
	for _, r := range builtInRoles() {
		t.roles.add(newObject(t.sch["unifiedRoleDefinition"], map[string]string{
			"id": quote(r.id), "templateId": quote(r.id), "displayName": quote(r.name), "description": quote(r.name),
			"isBuiltIn": "true", "isEnabled": "true", "resourceScopes": `["/"]`, "version": `"1"`,
		}))
	}
}
