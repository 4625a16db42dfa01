package simulator

import (
	"encoding/json"
	"slices"
	"strings"
	"unicode/utf8"
)

type jsonValue = json.RawMessage

// object reads the body of a call as one JSON object.
func (c *call) object() (map[string]jsonValue, *graphError) {
	var m map[string]jsonValue
	if err := json.Unmarshal(c.body, &m); err != nil || m == nil {
		return nil, fail(400, "BadRequest", "Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format.")
	}
	for k := range m {
		if strings.HasPrefix(k, "@odata.") {
			delete(m, k) // annotations, as SDKs send them
		}
	}
	return m, nil
}

// clean turns a body into property values: kinds, lengths, what is read-only.
func (t *tenant) clean(e *entity, body map[string]jsonValue) (map[string]string, *graphError) {
	out := make(map[string]string, len(body))
	for name, raw := range body {
		i, known := e.byName[name]
		if !known {
			return nil, badRequest("Invalid property '" + name + "'.")
		}
		p := &e.props[i]
		if p.readOnly {
			return nil, badRequest("Property '" + name + "' is read-only and cannot be set.")
		}
		v, err := p.canonical(raw)
		if err != nil {
			return nil, invalidValue(e.title, name)
		}
		if v == `""` || p.max > 0 && v != null && utf8.RuneCountInString(unquote(v)) > p.max {
			return nil, invalidValue(e.title, name)
		}
		out[name] = v
	}
	return out, nil
}

// newUserProps checks the body of POST /users.
func (t *tenant) newUserProps(body map[string]jsonValue) (map[string]string, *graphError) {
	e := t.sch["user"]
	props, err := t.clean(e, body)
	if err != nil {
		return nil, err
	}
	for _, name := range []string{"accountEnabled", "displayName", "mailNickname", "passwordProfile", "userPrincipalName"} {
		if v := props[name]; v == "" || v == null {
			m := "A value is required for property '" + name + "' of resource 'User'."
			return nil, badRequest(m, detail{"InvalidValue", m, name})
		}
	}
	upn := unquote(props["userPrincipalName"])
	if err := t.checkUPN(upn); err != nil {
		return nil, err
	}
	if err := checkPassword(props["passwordProfile"], true, props["passwordPolicies"]); err != nil {
		return nil, err
	}
	delete(props, "passwordProfile") // never read back
	if err := checkRest(props); err != nil {
		return nil, err
	}
	if t.federated(upn) && unquote(props["onPremisesImmutableId"]) == "" {
		return nil, badRequest("One or more properties contains invalid values.")
	}
	if err := t.checkFree(nil, upn, unquote(props["onPremisesImmutableId"]), unquote(props["mail"])); err != nil {
		return nil, err
	}
	if m := unquote(props["mail"]); m != "" {
		props["proxyAddresses"] = quoteList([]string{"SMTP:" + m})
	}
	if v := props["userType"]; v == "" || v == null {
		props["userType"] = `"Member"`
	}
	for name, v := range props {
		if v == null {
			delete(props, name)
		}
	}
	return props, nil
}

// userChanges checks the body of PATCH /users/{id} against the user as it is.
func (t *tenant) userChanges(r *record, body map[string]jsonValue, w *caller) (map[string]string, *graphError) {
	o := r.now.obj
	changes, err := t.clean(o.t, body)
	if err != nil {
		return nil, err
	}
	lone, others := 0, 0
	for name, v := range changes {
		p := o.t.props[o.t.byName[name]]
		if p.fixed && v == null {
			return nil, invalidValue("User", name)
		}
		if p.alone {
			lone++
		} else {
			others++
		}
		if o.flag("onPremisesSyncEnabled") && !slices.Contains(cloudMastered, name) {
			return nil, badRequest("Unable to update the specified properties for on-premises mastered Directory Sync objects or objects currently undergoing migration.")
		}
	}
	if lone > 0 && others > 0 {
		return nil, badRequest("The request is currently not supported on the targeted entity set.")
	}
	if v, has := changes["passwordProfile"]; has {
		if t.federated(o.text("userPrincipalName")) {
			return nil, badRequest("Unable to update the password of a user in a federated domain.", detail{"InvalidValue", "The user signs in through the identity provider of its domain.", "passwordProfile"})
		}
		held := t.rolesHeld(w.oid)
		if w.isApp && !slices.Contains(held, roleUserAdmin) && !slices.Contains(held, roleGlobalAdmin) && !slices.Contains(held, rolePrivAuthAdmin) {
			return nil, denied()
		}
		if err := checkPassword(v, false, o.raw("passwordPolicies")); err != nil {
			return nil, err
		}
		delete(changes, "passwordProfile")
		changes["lastPasswordChangeDateTime"] = quoteTime(t.clock.Now())
	}
	if err := checkRest(changes); err != nil {
		return nil, err
	}
	if err := t.checkKeys(r, changes); err != nil {
		return nil, err
	}
	if v, has := changes["onPremisesExtensionAttributes"]; has && v != null {
		changes["onPremisesExtensionAttributes"] = merge(o.raw("onPremisesExtensionAttributes"), v)
	}
	return changes, nil
}

// cloudMastered are the properties of a synchronised user that stay with the
// cloud.
var cloudMastered = []string{
	"usageLocation", "passwordPolicies", "preferredDataLocation", "otherMails", "aboutMe", "birthday", "interests", "mySite",
	"pastProjects", "preferredName", "responsibilities", "schools", "skills",
}

// checkKeys checks UPN, immutable ID and mail of a PATCH, and adds what follows
// from them: the addresses.
func (t *tenant) checkKeys(r *record, changes map[string]string) *graphError {
	o := r.now.obj
	oldUPN, oldIMM := o.text("userPrincipalName"), o.text("onPremisesImmutableId")
	newUPN, newIMM := oldUPN, oldIMM
	if v, has := changes["userPrincipalName"]; has {
		newUPN = unquote(v)
		if newUPN != oldUPN {
			if err := t.checkUPN(newUPN); err != nil {
				return err
			}
		}
	}
	if v, has := changes["onPremisesImmutableId"]; has {
		newIMM = unquote(v)
	}
	if newIMM != oldIMM && oldIMM != "" && t.federated(oldUPN) {
		return badRequest("Unable to update the onPremisesImmutableId property of a user in a federated domain.",
			detail{"InvalidValue", "The value cannot be changed while the user is federated.", "onPremisesImmutableId"})
	}
	if t.federated(newUPN) && newIMM == "" && !t.federated(oldUPN) {
		return badRequest("One or more properties contains invalid values.",
			detail{"InvalidValue", "A user of a federated domain needs a value.", "onPremisesImmutableId"})
	}
	mail := ""
	if v, has := changes["mail"]; has {
		mail = unquote(v)
	}
	wantUPN, wantIMM := "", ""
	if !strings.EqualFold(newUPN, oldUPN) {
		wantUPN = newUPN
	}
	if newIMM != oldIMM {
		wantIMM = newIMM
	}
	if err := t.checkFree(r, wantUPN, wantIMM, mail); err != nil {
		return err
	}
	proxies := o.list("proxyAddresses")
	if mail != "" {
		proxies = setPrimary(proxies, mail)
	}
	// A mailbox answers to its new name and keeps the old address.
	if wantUPN != "" && len(o.list("proxyAddresses")) > 0 {
		if strings.EqualFold(o.text("mail"), oldUPN) && mail == "" {
			changes["mail"] = quote(newUPN)
			proxies = setPrimary(proxies, newUPN)
		} else {
			proxies = addAddress(proxies, newUPN)
		}
		proxies = addAddress(proxies, oldUPN)
	}
	if len(proxies) > 0 && (mail != "" || wantUPN != "") {
		changes["proxyAddresses"] = quoteList(proxies)
	}
	return nil
}

// setPrimary makes an address the primary one, keeping the others.
func setPrimary(proxies []string, address string) []string {
	out := []string{"SMTP:" + address}
	for _, p := range proxies {
		kind, a, _ := strings.Cut(p, ":")
		if !strings.EqualFold(kind, "smtp") {
			out = append(out, p)
		} else if !strings.EqualFold(a, address) {
			out = append(out, "smtp:"+a)
		}
	}
	return out
}

func addAddress(proxies []string, address string) []string {
	for _, p := range proxies {
		if strings.EqualFold(p, "smtp:"+address) {
			return proxies
		}
	}
	return append(slices.Clip(proxies), "smtp:"+address)
}

// checkFree refuses keys that another object holds: Graph says so with 400.
func (t *tenant) checkFree(self *record, upn, imm, mail string) *graphError {
	if upn != "" {
		if r := t.users.byUPN[strings.ToLower(upn)]; r != nil && r != self {
			return conflict("userPrincipalName")
		}
		if t.addressTaken(self, upn) {
			return conflict("proxyAddresses")
		}
	}
	if imm != "" {
		if r := t.users.byIMM[imm]; r != nil && r != self {
			return conflict("onPremisesImmutableId")
		}
		if r := t.users.binIMM[imm]; r != nil && r != self && !t.set.ReuseDeletedIDs {
			return conflict("onPremisesImmutableId")
		}
	}
	if mail != "" && t.addressTaken(self, mail) {
		return conflict("proxyAddresses")
	}
	return nil
}

// addressTaken reports whether another object has an address.
func (t *tenant) addressTaken(self *record, address string) bool {
	key := "smtp:" + strings.ToLower(address)
	for _, r := range t.users.byAdr[key] {
		if r != self {
			return true
		}
	}
	return t.groupAdr[key]
}

const upnAlphabet = "'.-_!#^~"

// checkUPN checks alphabet and lengths (64 before the @, 48 after it, 113 in
// all), and that the domain is verified here.
func (t *tenant) checkUPN(upn string) *graphError {
	invalid := func() *graphError {
		m := "Property userPrincipalName is invalid."
		return badRequest(m, detail{"InvalidValue", m, "userPrincipalName"})
	}
	local, dom := splitUPN(upn)
	if local == "" || dom == "" || len(local) > 64 || len(dom) > 48 || strings.HasSuffix(local, ".") || strings.Contains(local, "@") {
		return invalid()
	}
	for i := range len(local) {
		c := local[i]
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !letter && strings.IndexByte(upnAlphabet, c) < 0 {
			return invalid()
		}
	}
	d := t.domain(dom)
	if d == nil || !d.flag("isVerified") {
		m := "The domain portion of the userPrincipalName property is invalid. You must use one of the verified domain names in your organization."
		return badRequest(m, detail{"InvalidValue", m, "userPrincipalName"})
	}
	return nil
}

// checkRest checks alphabets of what is left.
func checkRest(props map[string]string) *graphError {
	if v := unquote(props["mailNickname"]); v != "" {
		if strings.ContainsAny(v, "@()\\[]\";:<>, ") || strings.HasPrefix(v, ".") || strings.HasSuffix(v, ".") || !ascii(v) || strings.Contains(v, "..") {
			return invalidValue("User", "mailNickname")
		}
	}
	if v := unquote(props["onPremisesImmutableId"]); strings.ContainsAny(v, "$_") || utf8.RuneCountInString(v) > 256 {
		return invalidValue("User", "onPremisesImmutableId")
	}
	if v := unquote(props["mail"]); v != "" && (!ascii(v) || strings.Count(v, "@") != 1 || len(v) > 256) {
		return invalidValue("User", "mail")
	}
	if v := unquote(props["usageLocation"]); v != "" && (len(v) != 2 || !ascii(v)) {
		return invalidValue("User", "usageLocation")
	}
	if v := unquote(props["userType"]); v != "" && v != "Member" && v != "Guest" {
		return invalidValue("User", "userType")
	}
	if v := props["businessPhones"]; v != "" && countItems(v) > 1 {
		return badRequest("Collections of type 'businessPhones' can hold one number only.", detail{"InvalidValue", "Too many values.", "businessPhones"})
	}
	if v := props["otherMails"]; v != "" && countItems(v) > 250 {
		return invalidValue("User", "otherMails")
	}
	return nil
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf || s[i] < 0x20 || s[i] == 0x7f {
			return false
		}
	}
	return true
}

// checkPassword applies the password rules: 8 to 256 characters, ASCII, three
// of four classes. Its value is not kept anywhere.
func checkPassword(raw string, needed bool, policies string) *graphError {
	var p struct {
		Password *string `json:"password"`
	}
	refused := func() *graphError {
		m := "The specified password does not comply with password complexity requirements. Please provide a different password."
		return badRequest(m, detail{"InvalidValue", m, "password"})
	}
	if raw == null || json.Unmarshal([]byte(raw), &p) != nil {
		return invalidValue("User", "passwordProfile")
	}
	if p.Password == nil {
		if needed {
			m := "A value is required for property 'password' of resource 'User'."
			return badRequest(m, detail{"InvalidValue", m, "password"})
		}
		return nil
	}
	s := *p.Password
	if len(s) < 8 || len(s) > 256 || !ascii(s) {
		return refused()
	}
	var lower, upper, digit, symbol int
	for i := range len(s) {
		switch c := s[i]; {
		case c >= 'a' && c <= 'z':
			lower = 1
		case c >= 'A' && c <= 'Z':
			upper = 1
		case c >= '0' && c <= '9':
			digit = 1
		default:
			symbol = 1
		}
	}
	if lower+upper+digit+symbol < 3 && !strings.Contains(policies, "DisableStrongPassword") {
		return refused()
	}
	return nil
}

// merge puts the members of one JSON object over another's.
func merge(old, over string) string {
	if old == null {
		return over
	}
	var a, b map[string]json.RawMessage
	if json.Unmarshal([]byte(old), &a) != nil || json.Unmarshal([]byte(over), &b) != nil {
		return over
	}
	for k, v := range b {
		a[k] = v
	}
	out, err := json.Marshal(a)
	if err != nil {
		return over
	}
	return string(out)
}
