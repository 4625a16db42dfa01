package simulator

import (
	"encoding/json"
	"strings"
)

// purpose is the kind of a user's mailbox, empty if there is none: that of the tenant
// file, else a user's if there is an Exchange plan that was not removed; a suspended
// plan still has its mailbox.
func purpose(o *object) string {
	if m := o.raw("mailboxSettings"); m != null {
		var s struct {
			UserPurpose string `json:"userPurpose"`
		}
		if json.Unmarshal([]byte(m), &s) == nil && s.UserPurpose != "" {
			return s.UserPurpose
		}
	}
	for _, p := range plansOf(o.raw("assignedPlans")) {
		if strings.EqualFold(p.Service, "exchange") && p.Status != "Deleted" {
			return "user"
		}
	}
	return ""
}

// mailbox checks who may read the settings of whose mailbox. Signed in as a
// person one may read one's own only, whatever the permission says.
func (s *Server) mailbox(c *call) (*object, string, *graphError) {
	t := s.t
	key := c.who.oid
	if len(c.vars) > 0 {
		key = c.vars[0]
	} else if c.who.isApp {
		return nil, "", badRequest("/me request is only valid with delegated authentication flow.")
	}
	r := t.users.find(key)
	refused := fail(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.")
	if !c.who.isApp && (r == nil || r.id != c.who.oid) {
		return nil, "", refused
	}
	if r == nil {
		return nil, "", fail(404, "ErrorInvalidUser", "The requested user '"+key+"' is invalid.")
	}
	for _, upn := range t.set.DenyPurposes {
		if strings.EqualFold(upn, r.now.obj.text("userPrincipalName")) {
			return nil, "", refused
		}
	}
	p := purpose(r.now.obj)
	if p == "" {
		return nil, "", fail(404, "MailboxNotEnabledForRESTAPI", "The mailbox is either inactive, soft-deleted, or is hosted on-premise.")
	}
	return r.now.obj, p, nil
}

func (s *Server) mailboxSettings(c *call) (*answer, *graphError) {
	o, p, err := s.mailbox(c)
	if err != nil {
		return nil, err
	}
	return ok([]byte(`{"@odata.context":` +
		quote(c.host+"/"+c.version+"/$metadata#users("+quoteKey(o.id())+")/mailboxSettings") +
		`,"archiveFolder":null,"timeZone":"Tokyo Standard Time","delegateMeetingMessageDeliveryOptions":"sendToDelegateOnly",` +
		`"dateFormat":"yyyy/MM/dd","timeFormat":"H:mm","userPurpose":` + quote(p) + `}`)), nil
}

func (s *Server) mailboxPurpose(c *call) (*answer, *graphError) {
	o, p, err := s.mailbox(c)
	if err != nil {
		return nil, err
	}
	return ok([]byte(`{"@odata.context":` +
		quote(c.host+"/"+c.version+"/$metadata#users("+quoteKey(o.id())+")/mailboxSettings/userPurpose") +
		`,"value":` + quote(p) + `}`)), nil
}

func quoteKey(id string) string { return "'" + id + "'" }
