package simulator

import (
	"encoding/json"
	"strings"
)

// userType is before the properties of a user among objects of other types.
const userType = `"@odata.type":"#microsoft.graph.user",`

func (s *Server) listDeleted(c *call) (*answer, *graphError) {
	total := s.t.users.bin
	if s.t.lag > 0 {
		total = -1
	}
	return s.list(c, listing{
		typ: s.t.sch["user"], context: "users", from: s.userSource(c, true), total: total,
	})
}

// inBin finds a user in the recycle bin.
func (t *tenant) inBin(id string) *record {
	r := t.users.byID[strings.ToLower(id)]
	if r == nil || !r.now.deleted {
		return nil
	}
	return r
}

func (s *Server) getDeleted(c *call) (*answer, *graphError) {
	var o *object
	if r := s.t.users.byID[strings.ToLower(c.vars[0])]; r != nil {
		if st := r.seen(c.now, s.t.idLag); st.deleted {
			o = st.obj
		} else if s.t.unheard(r, c.now) && r.fresh.stale() {
			o = r.fresh.was
		}
	}
	if o == nil {
		return nil, notFound(c.vars[0])
	}
	if c.query.selected == nil {
		return c.entity(o, "directoryObjects", userType+`"deletedDateTime":`+o.raw("deletedDateTime")+`,`, nil), nil
	}
	return c.one(o, "directoryObjects")
}

func (s *Server) purgeDeleted(c *call) (*answer, *graphError) {
	r := s.t.inBin(c.vars[0])
	if r == nil {
		return nil, notFound(c.vars[0])
	}
	if err := s.t.mayTouch(c.who, r, true); err != nil {
		return nil, err
	}
	s.t.purge(r, c.now)
	return noContent(), nil
}

// restoreDeleted restores a user. A UPN that another user has by now blocks it,
// unless the body has another; a conflicting address unless the body has
// autoReconcileProxyConflict.
func (s *Server) restoreDeleted(c *call) (*answer, *graphError) {
	t := s.t
	var body struct {
		NewUPN    string `json:"newUserPrincipalName"`
		Reconcile bool   `json:"autoReconcileProxyConflict"`
	}
	if len(strings.TrimSpace(string(c.body))) > 0 {
		if err := json.Unmarshal(c.body, &body); err != nil {
			return nil, fail(400, "BadRequest", "Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format.")
		}
	}
	r := t.inBin(c.vars[0])
	if r == nil {
		return nil, notFound(c.vars[0])
	}
	if err := t.mayTouch(c.who, r, true); err != nil {
		return nil, err
	}
	o := r.now.obj
	upn := plainUPN(r.id, o.text("userPrincipalName"))
	if body.NewUPN != "" {
		if err := t.checkUPN(body.NewUPN); err != nil {
			return nil, err
		}
		upn = body.NewUPN
	}
	if t.users.byUPN[strings.ToLower(upn)] != nil {
		return nil, conflict("userPrincipalName")
	}
	if imm := o.text("onPremisesImmutableId"); imm != "" && t.users.byIMM[imm] != nil {
		return nil, conflict("onPremisesImmutableId")
	}
	changes := map[string]string{"userPrincipalName": quote(upn), "deletedDateTime": null}
	var kept []string
	lost := false
	for _, p := range o.list("proxyAddresses") {
		kind, a, _ := strings.Cut(p, ":")
		if strings.EqualFold(kind, "smtp") && t.addressTaken(r, a) {
			lost = true
			continue
		}
		kept = append(kept, p)
	}
	if lost && !body.Reconcile {
		return nil, conflict("proxyAddresses")
	}
	if lost {
		changes["proxyAddresses"] = quoteList(kept)
	}
	if m := o.text("mail"); m != "" && t.addressTaken(r, m) {
		changes["mail"] = null
	}
	t.change++
	r.born, r.died = t.change, 0
	r.fresh.since, r.fresh.was = c.now, o
	t.put(r, o.with(changes), false, c.now)
	return c.entity(r.now.obj, "directoryObjects", userType, nil), nil
}

// plainUPN takes the object ID off the UPN of a deleted user.
func plainUPN(id, upn string) string {
	prefix := strings.ReplaceAll(id, "-", "")
	if len(upn) > len(prefix) && strings.EqualFold(upn[:len(prefix)], prefix) {
		return upn[len(prefix):]
	}
	return upn
}

// getByIDs finds objects of any kind by ID.
func (s *Server) getByIDs(c *call) (*answer, *graphError) {
	var body struct {
		IDs   []string `json:"ids"`
		Types []string `json:"types"`
	}
	if err := json.Unmarshal(c.body, &body); err != nil || len(body.IDs) == 0 || len(body.IDs) > 1000 {
		return nil, badRequest("Invalid value specified for property 'ids'. It takes 1 to 1000 IDs.")
	}
	b := []byte(`{"@odata.context":` + quote(c.host+"/"+c.version+"/$metadata#directoryObjects") + `,"value":[`)
	first := true
	for _, id := range body.IDs {
		o := s.t.anyObject(id)
		if r := s.t.users.byID[strings.ToLower(id)]; o == nil && r != nil {
			if st := r.seen(c.now, s.t.idLag); st.obj != nil && !st.deleted {
				o = st.obj
			}
		}
		if o == nil || len(body.Types) > 0 && !containsFold(body.Types, o.t.name) && !containsFold(body.Types, "directoryObject") {
			continue
		}
		wanted, err := c.pick(o.t, false)
		if err != nil {
			wanted = nil // properties of another type
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		b = appendTyped(b, o, wanted)
	}
	return ok(append(b, `]}`...)), nil
}

// anyObject finds a group, service principal or application.
func (t *tenant) anyObject(id string) *object {
	for _, c := range []*collection{t.groups, t.sps, t.apps} {
		if o := c.get(id); o != nil {
			return o
		}
	}
	return nil
}

func containsFold(list []string, s string) bool {
	for _, x := range list {
		if strings.EqualFold(x, s) {
			return true
		}
	}
	return false
}
