package simulator

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// These functions change the tenant from outside, without permissions and validation,
// as an administrator, Exchange or another program would between a dry run and a sync.
// Users are named by UPN or object ID.

// User is a live user as the tenant has it, nil if there is none.
func (s *Server) User(key string) map[string]any {
	s.t.mu.RLock()
	defer s.t.mu.RUnlock()
	r := s.t.users.find(key)
	if r == nil {
		return nil
	}
	var out map[string]any
	if json.Unmarshal(r.now.obj.appendTo(nil, nil, true), &out) != nil {
		return nil
	}
	return out
}

// Edit sets properties of a live user, read-only ones too; nil clears.
func (s *Server) Edit(key string, props map[string]any) error {
	s.t.mu.Lock()
	defer s.t.mu.Unlock()
	r := s.t.users.find(key)
	if r == nil {
		return fmt.Errorf("there is no user %s", key)
	}
	changes, err := s.t.trusted(props)
	if err != nil {
		return err
	}
	s.t.update(r, changes, s.clock.Now())
	return nil
}

// trusted turns properties into their stored form.
func (t *tenant) trusted(props map[string]any) (map[string]string, error) {
	e := t.sch["user"]
	out := map[string]string{}
	for name, v := range props {
		p, known := e.byName[name]
		if !known {
			return nil, fmt.Errorf("a user has no property %q", name)
		}
		raw, err := json.Marshal(v)
		if err != nil {
			return nil, fmt.Errorf("property %s: %w", name, err)
		}
		if out[name], err = e.props[p].canonical(raw); err != nil {
			return nil, fmt.Errorf("property %s %w", name, err)
		}
	}
	return out, nil
}

// Add makes a user and gives its ID; userPrincipalName is needed.
func (s *Server) Add(props map[string]any) (string, error) {
	raw, err := json.Marshal(props)
	if err != nil {
		return "", fmt.Errorf("encode the user: %w", err)
	}
	s.t.mu.Lock()
	defer s.t.mu.Unlock()
	now := s.clock.Now()
	l := &loader{t: s.t, now: now, log: s.log}
	p, where, err := l.user("user", raw)
	if err != nil {
		return "", err
	}
	if props["createdDateTime"] == nil {
		p["createdDateTime"] = quoteTime(now)
	}
	if props["id"] == nil {
		p["id"] = quote(newGUID())
	}
	if err := l.enter(where, p); err != nil {
		return "", err
	}
	return unquote(p["id"]), nil
}

// Delete moves a live user to the recycle bin.
func (s *Server) Delete(key string) error {
	s.t.mu.Lock()
	defer s.t.mu.Unlock()
	r := s.t.users.find(key)
	if r == nil {
		return fmt.Errorf("there is no user %s", key)
	}
	s.t.remove(r, s.clock.Now())
	return nil
}

// Purge forgets a user in the recycle bin, by object ID.
func (s *Server) Purge(id string) error {
	s.t.mu.Lock()
	defer s.t.mu.Unlock()
	r := s.t.inBin(id)
	if r == nil {
		return fmt.Errorf("there is no deleted user %s", id)
	}
	s.t.purge(r, s.clock.Now())
	return nil
}

// GiveRole assigns a directory role, by template ID, to a live user.
func (s *Server) GiveRole(key, role string) error {
	s.t.mu.Lock()
	defer s.t.mu.Unlock()
	r := s.t.users.find(key)
	if r == nil {
		return fmt.Errorf("there is no user %s", key)
	}
	s.t.assigned.add(newObject(s.t.sch["unifiedRoleAssignment"], map[string]string{
		"id":          quote(guid(s.t.org.id(), "given", r.id, role)),
		"principalId": quote(r.id), "roleDefinitionId": quote(strings.ToLower(role)), "directoryScopeId": `"/"`,
	}))
	return nil
}

// License gives a live user an Exchange licence and the mailbox that comes with
// it: an address equal to the UPN.
func (s *Server) License(key string) error {
	s.t.mu.Lock()
	defer s.t.mu.Unlock()
	r := s.t.users.find(key)
	if r == nil {
		return fmt.Errorf("there is no user %s", key)
	}
	changes := map[string]string{"assignedPlans": "[" + exchangePlan + "]", "assignedLicenses": licenceE3}
	if o := r.now.obj; o.text("mail") == "" {
		upn := o.text("userPrincipalName")
		changes["mail"] = o.raw("userPrincipalName")
		changes["proxyAddresses"] = quoteList(setPrimary(o.list("proxyAddresses"), upn))
	}
	s.t.update(r, changes, s.clock.Now())
	return nil
}

// SetExport replaces the HAC export that the HAC API serves.
func (s *Server) SetExport(export []byte) error {
	if s.hac == nil {
		return errors.New("the simulator serves no HAC API: it was started without an export")
	}
	if err := s.hac.SetExport(export); err != nil {
		return fmt.Errorf("HAC export: %w", err)
	}
	return nil
}
