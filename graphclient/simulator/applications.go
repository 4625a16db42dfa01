package simulator

import (
	"net/http"
	"strings"
)

func (s *Server) listPrincipals(c *call) (*answer, *graphError) {
	return s.listOf(c, "servicePrincipal", "servicePrincipals", s.t.listed(s.t.sps, c.now), c.query.expand != "")
}

// principal finds a service principal by ID or, in the form
// servicePrincipals(appId='…'), by its application.
func (t *tenant) principal(key string) *object {
	if app, found := strings.CutPrefix(key, "(appId)"); found {
		return t.spByClient(app)
	}
	return t.sps.get(key)
}

func (s *Server) getPrincipal(c *call) (*answer, *graphError) {
	o := s.t.before(s.t.principal(c.vars[0]), s.t.idLag, c.now)
	if o == nil {
		return nil, notFound(strings.TrimPrefix(c.vars[0], "(appId)"))
	}
	return c.one(o, "servicePrincipals")
}

func (s *Server) createPrincipal(c *call, body map[string]jsonValue) (*answer, *graphError) {
	t := s.t
	if !t.mayRegister(c.who) {
		return nil, denied()
	}
	props, err := t.clean(t.sch["servicePrincipal"], body)
	if err != nil {
		return nil, err
	}
	appID := unquote(props["appId"])
	app := t.appByClient(appID)
	if t.known(app) == nil {
		return nil, badRequest("The appId '" + appID + "' of the service principal does not reference a valid application object.")
	}
	if t.spByClient(appID) != nil {
		m := "The service principal cannot be created, updated, or restored because the service principal name " + appID + " is already in use."
		return nil, fail(409, "Request_MultipleObjectsWithSameKeyValue", m, detail{"ObjectConflict", m, "servicePrincipalNames"})
	}
	props["id"] = quote(newGUID())
	for name, v := range map[string]string{
		"displayName": app.raw("displayName"), "appDisplayName": app.raw("displayName"), "accountEnabled": "true",
		"servicePrincipalType": `"Application"`, "appOwnerOrganizationId": t.org.raw("id"),
	} {
		if props[name] == "" {
			props[name] = v
		}
	}
	o := newObject(t.sch["servicePrincipal"], props)
	t.enter(t.sps, o, c.now)
	return asCreated(c.one(o, "servicePrincipals"))
}

func asCreated(a *answer, err *graphError) (*answer, *graphError) {
	if err == nil {
		a.status = http.StatusCreated
	}
	return a, err
}

// mayRegister is the role that registering applications takes.
func (t *tenant) mayRegister(w *caller) bool {
	return t.holdsAny(w, roleGlobalAdmin, roleAppAdmin, roleCloudAppAdmin)
}

// appRolesBy answers the app roles of which a service principal is the principal
// or the resource.
func appRolesBy(key string) handler {
	return reads(func(s *Server, c *call) (*answer, *graphError) {
		sp := s.t.before(s.t.principal(c.vars[0]), s.t.idLag, c.now)
		if sp == nil {
			return nil, notFound(c.vars[0])
		}
		sub := newCollection()
		for _, a := range s.t.appRoles.list {
			if a.text(key) == sp.id() && s.t.before(a, s.t.idLag, c.now) != nil {
				sub.add(a)
			}
		}
		return s.listOf(c, appRoles.name, appRoles.path, sub, false)
	})
}

func (s *Server) createAppRole(c *call, body map[string]jsonValue) (*answer, *graphError) {
	t := s.t
	if !t.mayAssignRoles(c.who) {
		return nil, denied()
	}
	if t.known(t.principal(c.vars[0])) == nil {
		return nil, notFound(c.vars[0])
	}
	props, err := t.clean(t.sch["appRoleAssignment"], body)
	if err != nil {
		return nil, err
	}
	sp, res := t.sps.get(unquote(props["principalId"])), t.sps.get(unquote(props["resourceId"]))
	if sp == nil || res == nil {
		return nil, notFound(unquote(props["principalId"]))
	}
	o, found := t.newAppRole(sp, res, unquote(props["appRoleId"]), quoteTime(c.now))
	if !found {
		return nil, badRequest("Permission being assigned was not found on application '" + res.text("appId") + "'.")
	}
	if t.appRoles.get(o.id()) != nil {
		m := "Permission being assigned already exists on the object"
		return nil, badRequest(m, detail{"InvalidUpdate", m, ""})
	}
	t.enter(t.appRoles, o, c.now)
	return asCreated(c.one(o, "appRoleAssignments"))
}

func (s *Server) listApplications(c *call) (*answer, *graphError) {
	of := newCollection()
	for _, o := range s.t.listed(s.t.apps, c.now).list {
		of.add(s.t.shown(c, o, false))
	}
	return s.listOf(c, "application", "applications", of, false)
}

// application finds one by ID or, in the forms applications(appId='…') and
// applications(uniqueName='…'), by its other keys.
func (t *tenant) application(key string) *object {
	if app, found := strings.CutPrefix(key, "(appId)"); found {
		return t.appByClient(app)
	}
	if name, found := strings.CutPrefix(key, "(uniqueName)"); found {
		for _, o := range t.apps.list {
			if name != "" && o.text("uniqueName") == name {
				return o
			}
		}
		return nil
	}
	return t.apps.get(key)
}

func (s *Server) getApplication(c *call) (*answer, *graphError) {
	o := s.t.before(s.t.application(c.vars[0]), s.t.idLag, c.now)
	if o == nil {
		_, key, keyed := strings.Cut(c.vars[0], ")")
		if !keyed {
			key = c.vars[0]
		}
		return nil, notFound(key)
	}
	return c.one(s.t.shown(c, o, true), "applications")
}

func (s *Server) createApplication(c *call, body map[string]jsonValue) (*answer, *graphError) {
	return s.newApplication(c, body, "")
}

// newApplication makes one; uniqueName is its alternate key, which cannot be set
// otherwise.
func (s *Server) newApplication(c *call, body map[string]jsonValue, uniqueName string) (*answer, *graphError) {
	t := s.t
	if !t.mayRegister(c.who) {
		return nil, denied()
	}
	props, err := t.applicationProps(body)
	if err != nil {
		return nil, err
	}
	if props["displayName"] == "" || props["displayName"] == null {
		m := "A value is required for property 'displayName' of resource 'Application'."
		return nil, badRequest(m, detail{"InvalidValue", m, "displayName"})
	}
	props["id"], props["appId"] = quote(newGUID()), quote(newGUID())
	props["createdDateTime"] = quoteTime(c.now)
	if uniqueName != "" {
		props["uniqueName"] = quote(uniqueName)
	}
	if props["signInAudience"] == "" {
		props["signInAudience"] = `"AzureADMyOrg"`
	}
	if err := t.keepKeys(nil, props, c.now); err != nil {
		return nil, err
	}
	o := newObject(t.sch["application"], props)
	t.enter(t.apps, o, c.now)
	return asCreated(c.one(t.shown(c, o, false), "applications"))
}

// applicationProps checks a body: what the directory sets itself is read-only.
func (t *tenant) applicationProps(body map[string]jsonValue) (map[string]string, *graphError) {
	for _, name := range []string{"appId", "uniqueName", "createdDateTime", "publisherDomain"} {
		if _, set := body[name]; set {
			return nil, badRequest("Property '" + name + "' is read-only and cannot be set.")
		}
	}
	return t.clean(t.sch["application"], body)
}

// updateApplication changes one, or with Prefer: create-if-missing makes the one
// of a uniqueName.
func (s *Server) updateApplication(c *call, body map[string]jsonValue) (*answer, *graphError) {
	t := s.t
	if !t.mayRegister(c.who) {
		return nil, denied()
	}
	name, upsert := strings.CutPrefix(c.vars[0], "(uniqueName)")
	upsert = upsert && strings.Contains(strings.ToLower(c.header.Get("Prefer")), "create-if-missing")
	o := t.application(c.vars[0])
	if o == nil && upsert && name != "" {
		return s.newApplication(c, body, name)
	}
	if o == nil || !upsert && t.before(o, t.idLag, c.now) == nil {
		return nil, notFound(c.vars[0])
	}
	props, err := t.applicationProps(body)
	if err != nil {
		return nil, err
	}
	if err := t.keepKeys(o, props, c.now); err != nil {
		return nil, err
	}
	t.rewrite(o, props, c.now)
	return noContent(), nil
}
