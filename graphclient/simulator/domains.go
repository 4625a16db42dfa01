package simulator

import (
	"encoding/json"
	"strings"
)

// organization is the tenant's object with the domains it follows from.
func (t *tenant) organization() *object {
	type verified struct {
		Capabilities string `json:"capabilities"`
		IsDefault    bool   `json:"isDefault"`
		IsInitial    bool   `json:"isInitial"`
		Name         string `json:"name"`
		Type         string `json:"type"`
	}
	list := []verified{}
	for _, d := range t.domains {
		if d.flag("isVerified") {
			list = append(list, verified{
				"Email, OfficeCommunicationsOnline", d.flag("isDefault"), d.flag("isInitial"), d.id(),
				d.text("authenticationType"),
			})
		}
	}
	b, _ := json.Marshal(list) // plain values can always be encoded
	return t.org.with(map[string]string{"verifiedDomains": string(b)})
}

// canReadOrgAsApp is what an application needs; for a user, their own sign-in is
// enough.
var canReadOrgAsApp = []string{"Organization.Read.All", "Directory.Read.All", "Directory.ReadWrite.All", "Organization.ReadWrite.All"}

func (s *Server) listOrganization(c *call) (*answer, *graphError) {
	if c.who.isApp && !c.who.may(canReadOrgAsApp) {
		return nil, denied()
	}
	return s.list(c, listing{
		typ: s.t.sch["organization"], context: "organization", from: fromList([]*object{s.t.organization()}), total: 1,
	})
}

func (s *Server) getOrganization(c *call) (*answer, *graphError) {
	if c.who.isApp && !c.who.may(canReadOrgAsApp) {
		return nil, denied()
	}
	if !strings.EqualFold(c.vars[0], s.t.org.id()) {
		return nil, notFound(c.vars[0])
	}
	return c.one(s.t.organization(), "organization")
}

func (s *Server) listDomains(c *call) (*answer, *graphError) {
	// The directory gives all domains at once.
	if c.query.top == 0 {
		c.query.top = 999
	}
	return s.list(c, listing{
		typ: s.t.sch["domain"], context: "domains", from: fromList(s.t.domains), total: len(s.t.domains),
	})
}

func (s *Server) getDomain(c *call) (*answer, *graphError) {
	d := s.t.domain(c.vars[0])
	if d == nil {
		return nil, notFound(c.vars[0])
	}
	return c.one(d, "domains")
}

// domainReferences lists what depends on a domain: users by UPN or address,
// groups by address, applications by identifier; all, or of one kind.
func (s *Server) domainReferences(c *call) (*answer, *graphError) {
	t := s.t
	d := t.domain(c.vars[0])
	if d == nil {
		return nil, notFound(c.vars[0])
	}
	kind := "directoryObject"
	if len(c.vars) > 1 {
		var found bool
		if kind, found = strings.CutPrefix(c.vars[1], "microsoft.graph."); !found || t.sch[kind] == nil {
			return nil, fail(400, "BadRequest", "Resource not found for the segment '"+c.vars[1]+"'.")
		}
	}
	name := strings.ToLower(d.id())
	var list []*object
	want := func(k string) bool { return kind == "directoryObject" || kind == k }
	if want("user") {
		for _, r := range t.users.order {
			if r.now.obj != nil && !r.now.deleted && usesDomain(r.now.obj, name) {
				list = append(list, r.now.obj)
			}
		}
	}
	if want("group") {
		for _, g := range t.groups.list {
			if usesDomain(g, name) {
				list = append(list, g)
			}
		}
	}
	if want("application") {
		for _, a := range t.apps.list {
			for _, u := range a.list("identifierUris") {
				if strings.Contains(strings.ToLower(u), name) {
					list = append(list, a)
					break
				}
			}
		}
	}
	typ := t.sch[kind]
	if kind == "directoryObject" && c.query.selected != nil {
		typ = t.sch["user"]
	}
	// Of objects of several kinds only what all have is selected.
	return s.list(c, listing{typ: typ, context: "directoryObjects", from: fromList(list), total: len(list), typed: true})
}

// usesDomain reports whether a UPN or address of an object is in a domain.
func usesDomain(o *object, name string) bool {
	if o.t.name == "user" {
		if _, d := splitUPN(o.text("userPrincipalName")); strings.EqualFold(d, name) {
			return true
		}
	}
	for _, a := range addresses(o) {
		if _, d := splitUPN(a); d == name {
			return true
		}
	}
	return false
}
