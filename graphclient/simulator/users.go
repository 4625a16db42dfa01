package simulator

import (
	"net/http"
	"slices"
	"sort"
	"strings"
)

// userSource hands out users, live or deleted, as they were lag ago.
func (s *Server) userSource(c *call, deleted bool) source {
	t := s.t
	if q := c.query.filter; q != nil && !deleted && t.lag <= 0 {
		if found, done := t.users.candidates(q); done {
			sort.Slice(found, func(i, j int) bool { return found[i].seq < found[j].seq })
			found = slices.Compact(found)
			return func(after uint64, yield func(item) bool) {
				for _, r := range found {
					if r.seq > after && !r.now.deleted && r.now.obj != nil && !yield(item{r.seq, r.now.obj}) {
						return
					}
				}
			}
		}
	}
	return func(after uint64, yield func(item) bool) {
		order := t.users.order
		for i := sort.Search(len(order), func(i int) bool { return order[i].seq > after }); i < len(order); i++ {
			st := order[i].seen(c.now, t.lag)
			if st.obj == nil || st.deleted != deleted {
				continue
			}
			if !yield(item{order[i].seq, st.obj}) {
				return
			}
		}
	}
}

func (s *Server) listUsers(c *call) (*answer, *graphError) {
	total := s.t.users.live
	if s.t.lag > 0 {
		total = -1
	}
	limit := 0
	for _, p := range c.query.selected {
		if strings.EqualFold(p, "signInActivity") {
			limit = 500
			if !c.who.may([]string{"AuditLog.Read.All"}) {
				return nil, denied()
			}
			if c.query.top > limit {
				return nil, fail(400, "Request_UnsupportedQuery", "Invalid page size specified. Must be between 1 and 500 inclusive.")
			}
		}
	}
	return s.list(c, listing{
		typ: s.t.sch["user"], context: "users", from: s.userSource(c, false), total: total, max: limit,
		expand: c.query.expand != "",
	})
}

func (s *Server) countUsers(c *call) (*answer, *graphError) { return s.countOf(c, false) }

func (s *Server) countDeleted(c *call) (*answer, *graphError) { return s.countOf(c, true) }

func (s *Server) countOf(c *call, deleted bool) (*answer, *graphError) {
	if err := c.counts(); err != nil {
		return nil, err
	}
	if c.query.filter == nil && s.t.lag <= 0 {
		if deleted {
			return countAnswer(s.t.users.bin), nil
		}
		return countAnswer(s.t.users.live), nil
	}
	if c.query.filter != nil {
		if err := c.query.filter.check(s.t.sch["user"], true); err != nil {
			return nil, err
		}
	}
	n := 0
	s.userSource(c, deleted)(0, func(it item) bool {
		if c.query.filter == nil || c.query.filter.match(it.obj) {
			n++
		}
		return true
	})
	return countAnswer(n), nil
}

func (s *Server) getMe(c *call) (*answer, *graphError) {
	if c.who.isApp {
		return nil, badRequest("/me request is only valid with delegated authentication flow.")
	}
	r := s.t.users.find(c.who.oid)
	if r == nil {
		return nil, notFound(c.who.oid)
	}
	return c.one(r.now.obj, "users")
}

// visible finds a live user as reads by ID see it.
func (s *Server) visible(c *call, key string) *object {
	t := s.t
	if t.idLag <= 0 {
		if r := t.users.find(key); r != nil {
			return r.now.obj
		}
		return nil
	}
	if isGUID(key) {
		r := t.users.byID[strings.ToLower(key)]
		if r == nil {
			return nil
		}
		if st := r.seen(c.now, t.idLag); st.obj != nil && !st.deleted {
			return st.obj
		}
		return nil
	}
	for _, r := range t.users.order {
		st := r.seen(c.now, t.idLag)
		if st.obj != nil && !st.deleted && strings.EqualFold(st.obj.text("userPrincipalName"), key) {
			return st.obj
		}
	}
	return nil
}

func (s *Server) getUser(c *call) (*answer, *graphError) {
	o := s.visible(c, c.vars[0])
	if o == nil || s.t.flaps(o.id(), c.now) {
		return nil, notFound(c.vars[0])
	}
	return c.one(o, "users")
}

func (s *Server) createUser(c *call, body map[string]jsonValue) (*answer, *graphError) {
	t := s.t
	if err := t.mayTouch(c.who, nil, false); err != nil {
		return nil, err
	}
	props, err := t.newUserProps(body)
	if err != nil {
		return nil, err
	}
	if err := t.quotaLeft(c.who); err != nil {
		return nil, err
	}
	id := newGUID()
	props["id"] = quote(id)
	props["createdDateTime"] = quoteTime(c.now)
	o := newObject(t.sch["user"], props)
	t.create(o, c.who.oid, c.now)
	a, err := c.one(o, "users")
	if err != nil {
		return nil, err
	}
	a.status = http.StatusCreated
	return a.set("Location", c.host+"/"+c.version+"/directoryObjects/"+id+"/Microsoft.DirectoryServices.User"), nil
}

// quotaLeft enforces the number of objects that a user without a role may
// have made; the deleted ones count as long as they can be restored.
func (t *tenant) quotaLeft(w *caller) *graphError {
	if t.set.Quota <= 0 || len(t.rolesHeld(w.oid)) > 0 {
		return nil
	}
	n := 0
	for _, r := range t.users.order {
		if r.creator == w.oid {
			n++
		}
	}
	if n >= t.set.Quota {
		return fail(http.StatusForbidden, "Directory_QuotaExceeded",
			"The directory object quota limit for the Principal has been exceeded. Please ask your administrator to increase the quota limit or delete objects to reduce the used quota.")
	}
	return nil
}

func (s *Server) updateUser(c *call, body map[string]jsonValue) (*answer, *graphError) {
	t := s.t
	r := t.users.find(c.vars[0])
	if r == nil || t.unheard(r, c.now) {
		return nil, notFound(c.vars[0])
	}
	if err := patchPermission(c.who, body); err != nil {
		return nil, err
	}
	sensitive := false
	for name := range body {
		sensitive = sensitive || slices.Contains(sensitiveProps, name)
	}
	if err := t.mayTouch(c.who, r, sensitive); err != nil {
		return nil, err
	}
	changes, err := t.userChanges(r, body, c.who)
	if err != nil {
		return nil, err
	}
	if len(changes) > 0 {
		t.update(r, changes, c.now)
	}
	return noContent(), nil
}

// sensitiveProps are those whose change counts as a sensitive action.
var sensitiveProps = []string{
	"accountEnabled", "businessPhones", "mobilePhone", "onPremisesImmutableId", "otherMails", "passwordProfile",
	"userPrincipalName",
}

// patchPermission checks that the caller's permission covers every property:
// some permissions are for one property only.
func patchPermission(w *caller, body map[string]jsonValue) *graphError {
	password := false
	if _, has := body["passwordProfile"]; has {
		password = true
	}
	if password && w.isApp && !w.may([]string{"User-PasswordProfile.ReadWrite.All", "Directory.ReadWrite.All"}) {
		return denied()
	}
	if w.may(canWriteUsers) {
		return nil
	}
	for name := range body {
		var need []string
		switch name {
		case "accountEnabled":
			need = []string{"User.EnableDisableAccount.All"}
		case "passwordProfile":
			need = []string{"User-PasswordProfile.ReadWrite.All"}
		case "otherMails":
			need = []string{"User-Mail.ReadWrite.All"}
		case "businessPhones", "mobilePhone":
			need = []string{"User-Phone.ReadWrite.All"}
		}
		if need == nil || !w.may(need) {
			return denied()
		}
	}
	return nil
}

func (s *Server) deleteUser(c *call) (*answer, *graphError) {
	t := s.t
	r := t.users.find(c.vars[0])
	if r == nil || t.unheard(r, c.now) {
		return nil, notFound(c.vars[0])
	}
	if err := t.mayTouch(c.who, r, true); err != nil {
		return nil, err
	}
	if !c.who.isApp && len(t.rolesHeld(r.id)) > 0 && !c.who.may([]string{"Directory.AccessAsUser.All"}) {
		return nil, denied()
	}
	t.remove(r, c.now)
	return noContent(), nil
}
