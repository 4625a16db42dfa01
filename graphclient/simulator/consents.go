package simulator

import (
	"net/http"
	"slices"
	"strings"
)

// canConsent is needed to consent for another user.
var canConsent = []string{"DelegatedPermissionGrant.ReadWrite.All", "Directory.ReadWrite.All"}

// createGrant consents for one user, as an administrator's script does. Consent
// for the whole organisation is not served.
func (s *Server) createGrant(c *call) (*answer, *graphError) {
	client, oid, scopes, fault := s.grantWanted(c)
	if fault != nil {
		return nil, fault
	}
	i := s.tokens
	i.mu.Lock()
	defer i.mu.Unlock()
	key := strings.ToLower(client) + " " + oid
	if len(i.consented[key]) > 0 {
		return nil, fail(http.StatusConflict, "Request_MultipleObjectsWithSameKeyValue", "Permission entry already exists.")
	}
	i.consented[key] = scopes
	i.noteGrant(client, oid, scopes)
	s.t.mu.RLock()
	defer s.t.mu.RUnlock()
	return asCreated(c.one(s.t.consents.get(guid("grant", client, oid)), "oauth2PermissionGrants"))
}

// grantWanted reads the body of createGrant.
func (s *Server) grantWanted(c *call) (client, oid string, scopes []string, fault *graphError) {
	body, fault := c.object()
	if fault != nil {
		return "", "", nil, fault
	}
	t := s.t
	t.mu.RLock()
	defer t.mu.RUnlock()
	if !t.mayRegister(c.who) {
		return "", "", nil, denied()
	}
	props, fault := t.clean(t.sch["oAuth2PermissionGrant"], body)
	if fault != nil {
		return "", "", nil, fault
	}
	if props["consentType"] != `"Principal"` {
		m := "The simulator serves consent for one user only."
		return "", "", nil, badRequest(m, detail{"InvalidValue", m, "consentType"})
	}
	sp := t.sps.get(unquote(props["clientId"]))
	if sp == nil {
		return "", "", nil, notFound(unquote(props["clientId"]))
	}
	if graph := t.spByClient(graphAppID); !strings.EqualFold(unquote(props["resourceId"]), graph.id()) {
		return "", "", nil, notFound(unquote(props["resourceId"]))
	}
	user := t.users.find(unquote(props["principalId"]))
	if user == nil {
		return "", "", nil, notFound(unquote(props["principalId"]))
	}
	return sp.text("appId"), user.id, scopesOf(unquote(props["scope"])), nil
}

// updateGrant replaces the scopes of a consent.
func (s *Server) updateGrant(c *call) (*answer, *graphError) {
	body, fault := c.object()
	if fault != nil {
		return nil, fault
	}
	t := s.t
	t.mu.RLock()
	may := t.mayRegister(c.who)
	grant := t.consents.get(c.vars[0])
	client, oid := "", ""
	if grant != nil {
		oid = grant.text("principalId")
		if sp := t.sps.get(grant.text("clientId")); sp != nil {
			client = sp.text("appId")
		}
	}
	props, fault := t.clean(t.sch["oAuth2PermissionGrant"], body)
	t.mu.RUnlock()
	switch {
	case !may:
		return nil, denied()
	case grant == nil || client == "":
		return nil, notFound(c.vars[0])
	case fault != nil:
		return nil, fault
	}
	i := s.tokens
	i.mu.Lock()
	defer i.mu.Unlock()
	scopes := scopesOf(unquote(props["scope"]))
	i.consented[strings.ToLower(client)+" "+oid] = scopes
	i.noteGrant(client, oid, scopes)
	return noContent(), nil
}

// scopesOf are the scopes of a grant, each once.
func scopesOf(names string) []string {
	var out []string
	for _, n := range strings.Fields(names) {
		if !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	slices.Sort(out)
	return out
}
