package simulator

import (
	"slices"
	"strings"
)

func (s *Server) countGroups(c *call) (*answer, *graphError) {
	if err := c.counts(); err != nil {
		return nil, err
	}
	if c.query.filter != nil {
		if err := c.query.filter.check(s.t.sch["group"], true); err != nil {
			return nil, err
		}
	}
	n := 0
	for _, g := range s.t.groups.list {
		if c.query.filter == nil || c.query.filter.match(g) {
			n++
		}
	}
	return countAnswer(n), nil
}

// groupPeople answers members, transitiveMembers and owners, with a cast or
// without.
func (s *Server) groupPeople(c *call) (*answer, *graphError) {
	t := s.t
	g := t.groups.get(c.vars[0])
	if g == nil {
		return nil, notFound(c.vars[0])
	}
	var ids []string
	switch strings.ToLower(c.vars[1]) {
	case "members":
		ids = t.members[g.id()]
	case "owners":
		ids = t.owners[g.id()]
	case "transitivemembers":
		ids = t.transitive(g.id())
	default:
		return nil, fail(400, "BadRequest", "Resource not found for the segment '"+c.vars[1]+"'.")
	}
	kind := ""
	if len(c.vars) > 2 {
		cast, found := strings.CutPrefix(c.vars[2], "microsoft.graph.")
		if !found || t.sch[cast] == nil {
			return nil, fail(400, "BadRequest", "Resource not found for the segment '"+c.vars[2]+"'.")
		}
		kind = cast
	}
	var list []*object
	for _, id := range ids {
		o := t.anyObject(id)
		if r := t.users.find(id); r != nil {
			o = r.now.obj
		}
		if o != nil && (kind == "" || o.t.name == kind) {
			list = append(list, o)
		}
	}
	typ := t.sch["user"]
	if kind != "" {
		typ = t.sch[kind]
	}
	if kind == "" && !allUsers(list) {
		return s.mixed(c, list)
	}
	return s.list(c, listing{typ: typ, context: "directoryObjects", from: fromList(list), total: len(list), typed: true})
}

func allUsers(list []*object) bool {
	for _, o := range list {
		if o.t.name != "user" {
			return false
		}
	}
	return true
}

// mixed lists objects of several kinds by what they have in common: type and
// ID. Filters are not served.
func (s *Server) mixed(c *call, list []*object) (*answer, *graphError) {
	if c.query.filter != nil {
		return nil, unsupportedQuery()
	}
	c.query.selected = nil
	e := s.t.sch["directoryObject"]
	bare := make([]*object, len(list))
	for i, o := range list {
		bare[i] = newObject(e, map[string]string{"id": o.raw("id"), odataType: quote("#microsoft.graph." + o.t.name)})
	}
	return s.list(c, listing{typ: e, context: "directoryObjects", from: fromList(bare), total: len(bare), typed: true})
}

// transitive are the members of a group and of the groups in it.
func (t *tenant) transitive(id string) []string {
	var out []string
	seen := map[string]bool{id: true}
	queue := []string{id}
	for len(queue) > 0 {
		g := queue[0]
		queue = queue[1:]
		for _, m := range t.members[g] {
			if seen[m] {
				continue
			}
			seen[m] = true
			out = append(out, m)
			if t.groups.get(m) != nil {
				queue = append(queue, m)
			}
		}
	}
	slices.Sort(out)
	return out
}
