package simulator

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hacsync/hacsync/sync/clock"
)

// tenantFile is the JSON of a tenant: the keys the command line documents, and
// the optional ones after them.
type tenantFile struct {
	Organization      json.RawMessage   `json:"organization"`
	Domains           []json.RawMessage `json:"domains"`
	Users             []json.RawMessage `json:"users"`
	DeletedUsers      []json.RawMessage `json:"deletedUsers"`
	ServicePrincipals []json.RawMessage `json:"servicePrincipals"`
	RoleAssignments   []json.RawMessage `json:"roleAssignments"`
	SignedIn          string            `json:"signedIn"`

	Groups                           []json.RawMessage `json:"groups"`
	Applications                     []json.RawMessage `json:"applications"`
	AppRoleAssignments               []json.RawMessage `json:"appRoleAssignments"`
	RoleDefinitions                  []json.RawMessage `json:"roleDefinitions"`
	RoleEligibilitySchedules         []json.RawMessage `json:"roleEligibilitySchedules"`
	RoleEligibilityScheduleInstances []json.RawMessage `json:"roleEligibilityScheduleInstances"`
	GroupEligibilitySchedules        []json.RawMessage `json:"groupEligibilitySchedules"`
	Simulator                        fileSettings      `json:"simulator"`
}

// madeLongAgo is when objects of a file without createdDateTime were made.
const madeLongAgo = `"2020-04-01T00:00:00Z"`

// BadTenant says which object of a tenant file is wrong, and why.
type BadTenant struct {
	Object string // users[3] (a@example.com), property givenName
	Reason string
}

func (e *BadTenant) Error() string {
	if e.Object == "" {
		return "tenant file: " + e.Reason
	}
	return "tenant file: " + e.Object + ": " + e.Reason
}

func bad(object, reason string, args ...any) error {
	return &BadTenant{Object: object, Reason: fmt.Sprintf(reason, args...)}
}

// newTenant is a tenant with nothing in it but what every tenant has.
func newTenant(c clock.Clock) *tenant {
	return &tenant{
		clock: c, sch: theSchema(), users: newUsers(),
		groups: newCollection(), groupAdr: map[string]bool{}, members: map[string][]string{}, owners: map[string][]string{},
		apps: newCollection(), sps: newCollection(), appRoles: newCollection(),
		roles: newCollection(), assigned: newCollection(),
		eligible: newCollection(), instances: newCollection(), joinable: newCollection(), consents: newCollection(),
	}
}

// load reads a tenant file. Every bad value is refused, with its place.
func load(b []byte, c clock.Clock, out *slog.Logger) (*tenant, error) {
	b = bytes.TrimPrefix(b, []byte("\ufeff"))
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	var f tenantFile
	if err := dec.Decode(&f); err != nil {
		return nil, bad("", "%s", readable(err))
	}
	if dec.More() {
		return nil, bad("", "something follows the tenant's closing brace")
	}
	t := newTenant(c)
	t.set = f.Simulator
	l := &loader{t: t, now: c.Now(), log: out}
	steps := []func(*tenantFile) error{
		l.organization, l.domains, l.users, l.deleted, l.groups, l.applications, l.principals, l.roleDefinitions,
		l.assignments, l.joinable, l.signedIn,
	}
	for _, step := range steps {
		if err := step(&f); err != nil {
			return nil, err
		}
	}
	return t, nil
}

func readable(err error) string {
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return fmt.Sprintf("not JSON at byte %d: %s", syntax.Offset, syntax.Error())
	}
	return strings.TrimPrefix(err.Error(), "json: ")
}

type loader struct {
	t   *tenant
	now time.Time
	log *slog.Logger
}

// object reads one object of a type. extra keys are handed back unread.
func (l *loader) object(kind, where string, raw json.RawMessage, extra ...string) (map[string]string, map[string]json.RawMessage, error) {
	e := l.t.sch[kind]
	var props map[string]json.RawMessage
	if err := json.Unmarshal(raw, &props); err != nil || props == nil {
		return nil, nil, bad(where, "is not an object")
	}
	where += labelOf(func(name string) string { return strings.TrimSpace(string(props[name])) })
	out := make(map[string]string, len(props)+4)
	rest := map[string]json.RawMessage{}
	for name, raw := range props {
		if slices.Contains(extra, name) {
			rest[name] = raw
			continue
		}
		p, ok := e.byName[name]
		if !ok {
			if strings.HasPrefix(name, "@") || strings.Contains(name, "@odata.") {
				continue // annotations of an answer that was saved
			}
			return nil, nil, bad(where, "a %s has no property %q", kind, name)
		}
		v, err := e.props[p].canonical(raw)
		if err != nil {
			return nil, nil, bad(where, "property %s %s", name, err)
		}
		if v != null {
			out[name] = v
		}
	}
	if out[odataType] == quote("#microsoft.graph."+kind) {
		delete(out, odataType)
	}
	return out, rest, nil
}

// labelOf is what a person would call an object, in parentheses.
func labelOf(raw func(name string) string) string {
	for _, name := range []string{"userPrincipalName", "displayName", "id"} {
		if s := unquote(raw(name)); s != "" {
			return " (" + s + ")"
		}
	}
	return ""
}

// labelled is a place with the name of what is there.
func labelled(where string, props map[string]string) string {
	return where + labelOf(func(name string) string { return props[name] })
}

func place(list string, i int) string { return list + "[" + strconv.Itoa(i) + "]" }

// guid is derived from what names the object, so that the same file always
// gives the same tenant.
func guid(parts ...string) string {
	h := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	h[6], h[8] = h[6]&0x0f|0x50, h[8]&0x3f|0x80
	x := hex.EncodeToString(h[:16])
	return x[:8] + "-" + x[8:12] + "-" + x[12:16] + "-" + x[16:20] + "-" + x[20:]
}

// identify makes sure that an object has an id.
func (l *loader) identify(where string, props map[string]string, parts ...string) error {
	if props["id"] == "" {
		props["id"] = quote(guid(append([]string{l.t.org.id()}, parts...)...))
	}
	id := unquote(props["id"])
	if !isGUID(id) {
		return bad(where, "its id %q is not a GUID", id)
	}
	props["id"] = quote(strings.ToLower(id))
	return nil
}

func (l *loader) organization(f *tenantFile) error {
	raw := bytes.TrimSpace(f.Organization)
	if len(raw) == 0 {
		return bad("organization", "is missing")
	}
	if raw[0] == '[' { // as GET /organization answers
		var list []json.RawMessage
		if json.Unmarshal(raw, &list) != nil || len(list) != 1 {
			return bad("organization", "is not one object")
		}
		raw = list[0]
	}
	props, _, err := l.object("organization", "organization", raw)
	if err != nil {
		return err
	}
	delete(props, "verifiedDomains") // follows from the domains
	if props["displayName"] == "" {
		return bad("organization", "has no displayName")
	}
	if props["id"] == "" {
		props["id"] = quote(guid("tenant", props["displayName"]))
	}
	if !isGUID(unquote(props["id"])) {
		return bad("organization", "its id %s is not a GUID", props["id"])
	}
	l.t.org = newObject(l.t.sch["organization"], props)
	return nil
}

func (l *loader) domains(f *tenantFile) error {
	if len(f.Domains) == 0 {
		return bad("domains", "is empty: a tenant has at least its initial domain")
	}
	initial, byDefault := 0, 0
	for i, raw := range f.Domains {
		where := place("domains", i)
		props, _, err := l.object("domain", where, raw)
		if err != nil {
			return err
		}
		name := unquote(props["id"])
		if name == "" || strings.ContainsAny(name, "@ /\\\"'") {
			return bad(where, "its id %q is not a domain name", name)
		}
		if l.t.domain(name) != nil {
			return bad(where, "the domain %s stands there twice", name)
		}
		switch unquote(props["authenticationType"]) {
		case "":
			props["authenticationType"] = `"Managed"`
		case "Managed", "Federated":
		default:
			return bad(where+" ("+name+")", "authenticationType is neither Managed nor Federated")
		}
		for name, byDefault := range map[string]string{
			"isVerified": "true", "isAdminManaged": "true", "isRoot": "true", "isInitial": "false", "isDefault": "false",
			"supportedServices": "[]",
		} {
			if props[name] == "" {
				props[name] = byDefault
			}
		}
		if props["isInitial"] == "true" {
			initial++
		}
		if props["isDefault"] == "true" {
			byDefault++
		}
		l.t.domains = append(l.t.domains, newObject(l.t.sch["domain"], props))
	}
	if initial > 1 {
		return bad("domains", "more than one has isInitial true")
	}
	if byDefault > 1 {
		return bad("domains", "more than one has isDefault true")
	}
	return nil
}

func (l *loader) users(f *tenantFile) error {
	for i, raw := range f.Users {
		where := place("users", i)
		props, where, err := l.user(where, raw)
		if err != nil {
			return err
		}
		upn := unquote(props["userPrincipalName"])
		_, dom := splitUPN(upn)
		if l.t.domain(dom) == nil {
			return bad(where, "the domain %q is not among the domains", dom)
		}
		if err := l.enter(where, props); err != nil {
			return err
		}
	}
	return nil
}

// user reads a user and fills in what every user has.
func (l *loader) user(where string, raw json.RawMessage) (map[string]string, string, error) {
	props, _, err := l.object("user", where, raw)
	if err != nil {
		return nil, where, err
	}
	upn := unquote(props["userPrincipalName"])
	where = labelled(where, props)
	local, dom := splitUPN(upn)
	if local == "" || dom == "" {
		return nil, where, bad(where, "userPrincipalName %q is not of the form name@domain", upn)
	}
	if err := l.identify(where, props, "user", strings.ToLower(upn)); err != nil {
		return nil, where, err
	}
	var said struct{ UserType json.RawMessage }
	if json.Unmarshal(raw, &said) == nil && string(said.UserType) == null {
		props["userType"] = null
	}
	if err := l.licences(where, props); err != nil {
		return nil, where, err
	}
	for name, byDefault := range map[string]string{
		"accountEnabled": "true", "userType": `"Member"`, "displayName": quote(local), "createdDateTime": madeLongAgo,
	} {
		if props[name] == "" {
			props[name] = byDefault
		}
	}
	delete(props, "passwordProfile") // write-only
	if m := props["mailboxSettings"]; m != "" {
		var s struct {
			UserPurpose string `json:"userPurpose"`
		}
		if json.Unmarshal([]byte(m), &s) != nil ||
			!slices.Contains([]string{"user", "linked", "shared", "room", "equipment", "others", "unknownFutureValue", ""}, s.UserPurpose) {
			return nil, where, bad(where, "mailboxSettings.userPurpose is none of user, linked, shared, room, equipment, others")
		}
	}
	return props, where, nil
}

// enter puts a live user into the tenant, unless a key of it is taken.
func (l *loader) enter(where string, props map[string]string) error {
	t := l.t
	o := newObject(t.sch["user"], props)
	if t.users.byID[strings.ToLower(o.id())] != nil {
		return bad(where, "its id %s stands there twice", o.id())
	}
	if t.users.find(o.text("userPrincipalName")) != nil {
		return bad(where, "its userPrincipalName stands there twice")
	}
	if imm := o.text("onPremisesImmutableId"); imm != "" && t.users.byIMM[imm] != nil {
		return bad(where, "its onPremisesImmutableId %q is also that of %s", imm, t.users.byIMM[imm].now.obj.text("userPrincipalName"))
	}
	for _, p := range o.list("proxyAddresses") {
		for _, other := range t.users.byAdr[strings.ToLower(p)] {
			return bad(where, "its address %s is also held by %s", p, other.now.obj.text("userPrincipalName"))
		}
	}
	t.create(o, "", l.now)
	return nil
}

func (l *loader) deleted(f *tenantFile) error {
	for i, raw := range f.DeletedUsers {
		props, where, err := l.user(place("deletedUsers", i), raw)
		if err != nil {
			return err
		}
		id := unquote(props["id"])
		if l.t.users.byID[id] != nil {
			return bad(where, "its id %s stands there twice", id)
		}
		prefix, upn := strings.ReplaceAll(id, "-", ""), unquote(props["userPrincipalName"])
		if !strings.HasPrefix(strings.ToLower(upn), prefix) {
			props["userPrincipalName"] = quote(prefix + upn)
		}
		when := l.now
		if s := unquote(props["deletedDateTime"]); s != "" {
			when, _ = time.Parse(time.RFC3339, s)
		} else {
			props["deletedDateTime"] = quoteTime(when)
		}
		if l.now.Sub(when) >= purgeAfter {
			l.log.Warn("deleted more than 30 days ago, purged", "object", where)
			continue
		}
		t := l.t
		o := newObject(t.sch["user"], props)
		t.users.seq++
		r := &record{id: id, seq: t.users.seq}
		t.users.byID[id] = r
		t.users.insert(r)
		t.put(r, o, true, l.now)
		t.dueAt(when.Add(purgeAfter))
	}
	return nil
}

func (l *loader) signedIn(f *tenantFile) error {
	t := l.t
	if f.SignedIn != "" {
		r := t.users.find(f.SignedIn)
		if r == nil {
			return bad("signedIn", "there is no user %s", f.SignedIn)
		}
		t.signedIn = r.id
	} else {
		for _, a := range t.assigned.list {
			if strings.EqualFold(a.text("roleDefinitionId"), roleGlobalAdmin) && t.users.find(a.text("principalId")) != nil {
				t.signedIn = a.text("principalId")
				break
			}
		}
		if t.signedIn == "" && len(t.users.byUPN) > 0 {
			for _, r := range t.users.order {
				if !r.now.deleted {
					t.signedIn = r.id
					break
				}
			}
		}
		if t.signedIn == "" {
			return bad("signedIn", "is missing, and there is no user who could sign in")
		}
	}
	if f.RoleAssignments == nil {
		// Nothing is said of roles: who signs in is taken for the administrator.
		t.assigned.add(newObject(t.sch["unifiedRoleAssignment"], map[string]string{
			"id":               quote(guid(t.org.id(), "assignment", t.signedIn)),
			"principalId":      quote(t.signedIn),
			"roleDefinitionId": quote(roleGlobalAdmin),
			"directoryScopeId": `"/"`,
		}))
	}
	return nil
}
