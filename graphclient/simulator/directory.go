package simulator

import (
	"encoding/json"
	"slices"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/hacsync/hacsync/sync/clock"
)

// purgeAfter is how long deleted users can be restored.
const purgeAfter = 30 * 24 * time.Hour

// tenant is the true state. Its mutex guards everything in it; objects
// themselves never change.
type tenant struct {
	mu    sync.RWMutex
	clock clock.Clock
	sch   schema

	org       *object
	domains   []*object // as in the tenant file
	users     users
	groups    *collection
	groupAdr  map[string]bool     // addresses of groups, as users.byAdr has them
	members   map[string][]string // group ID → IDs of its members
	owners    map[string][]string
	apps      *collection
	sps       *collection
	appRoles  *collection // appRoleAssignment
	roles     *collection // unifiedRoleDefinition
	assigned  *collection // unifiedRoleAssignment
	eligible  *collection // unifiedRoleEligibilitySchedule
	instances *collection // unifiedRoleEligibilityScheduleInstance
	joinable  *collection // privilegedAccessGroupEligibilitySchedule
	consents  *collection // oAuth2PermissionGrant: never part of the snapshot
	signedIn  string      // ID of who approves a sign-in
	set       fileSettings

	change uint64        // number of the latest write, for delta
	lag    time.Duration // lists and counts show the state of so long ago
	idLag  time.Duration // so do reads by id
	// replica is for how long one of the replicas does not know a user that was
	// made or restored.
	replica time.Duration
	young   map[string]young
}

// collection holds the objects of one kind in the order they were made.
type collection struct {
	list []*object
	byID map[string]*object
}

func newCollection() *collection { return &collection{byID: map[string]*object{}} }

func (c *collection) add(o *object) {
	c.list = append(c.list, o)
	c.byID[strings.ToLower(o.id())] = o
}

func (c *collection) get(id string) *object { return c.byID[strings.ToLower(id)] }

// with is the first object whose property has the value, whatever its case.
func (c *collection) with(property, value string) *object {
	for _, o := range c.list {
		if strings.EqualFold(o.text(property), value) {
			return o
		}
	}
	return nil
}

func (c *collection) replace(o *object) {
	id := strings.ToLower(o.id())
	old := c.byID[id]
	for i := range c.list {
		if c.list[i] == old {
			c.list[i] = o
		}
	}
	c.byID[id] = o
}

func (c *collection) remove(id string) bool {
	id = strings.ToLower(id)
	old, ok := c.byID[id]
	if !ok {
		return false
	}
	for i := range c.list {
		if c.list[i] == old {
			c.list = append(c.list[:i:i], c.list[i+1:]...)
			break
		}
	}
	delete(c.byID, id)
	return true
}

// record is one user through its life: live, in the recycle bin, gone.
type record struct {
	id      string
	seq     uint64 // order of creation
	now     state
	past    []state // earlier states, oldest first, kept only while lag needs them
	creator string  // object ID of who made it through Graph
	// touched holds, for delta, the change number of each property that was
	// written after the start.
	touched map[uint16]uint64
	born    uint64 // change number of creation or restore
	died    uint64 // change number of deletion
	fresh   fresh
}

// state is what a record was from a moment on.
type state struct {
	since   time.Time
	obj     *object // nil before creation and after the purge
	deleted bool    // in the recycle bin
}

// users is the store of users with the indexes that Graph must have: UPN,
// immutable ID and every address are unique.
type users struct {
	order []*record // by seq, with the deleted and without the purged ones
	byID  map[string]*record
	byUPN map[string]*record // lower case, live users
	byIMM map[string]*record // exact, live users
	// binIMM is the same of the recycle bin, of several the latest.
	binIMM map[string]*record
	byAdr  map[string][]*record // lower case with its type, such as smtp:a@b, live users
	bin    int
	live   int
	seq    uint64
	gone   []*record // purged, for delta
	due    time.Time // when the next purge is due, zero for never
}

func newUsers() users {
	return users{
		byID: map[string]*record{}, byUPN: map[string]*record{},
		byIMM: map[string]*record{}, binIMM: map[string]*record{}, byAdr: map[string][]*record{},
	}
}

// find looks a live user up by ID or UPN.
func (u *users) find(key string) *record {
	if isGUID(key) {
		if r := u.byID[strings.ToLower(key)]; r != nil && !r.now.deleted {
			return r
		}
		return nil
	}
	return u.byUPN[strings.ToLower(key)]
}

// index enters a live user's keys.
func (u *users) index(r *record) {
	o := r.now.obj
	u.byUPN[strings.ToLower(o.text("userPrincipalName"))] = r
	if imm := o.text("onPremisesImmutableId"); imm != "" {
		u.byIMM[imm] = r
	}
	for _, a := range addresses(o) {
		u.byAdr[a] = append(u.byAdr[a], r)
	}
}

func (u *users) unindex(r *record) {
	o := r.now.obj
	if k := strings.ToLower(o.text("userPrincipalName")); u.byUPN[k] == r {
		delete(u.byUPN, k)
	}
	if k := o.text("onPremisesImmutableId"); k != "" && u.byIMM[k] == r {
		delete(u.byIMM, k)
	}
	for _, a := range addresses(o) {
		held := u.byAdr[a]
		for i := range held {
			if held[i] == r {
				held = append(held[:i:i], held[i+1:]...)
				break
			}
		}
		if len(held) == 0 {
			delete(u.byAdr, a)
		} else {
			u.byAdr[a] = held
		}
	}
}

// addresses are an object's addresses in the form they are compared in, each
// once.
func addresses(o *object) []string {
	proxies, mail := o.raw("proxyAddresses"), o.text("mail")
	if mail == "" && (proxies == null || proxies == "[]") {
		return nil
	}
	out := stringList(proxies)
	for i := range out {
		out[i] = strings.ToLower(out[i])
	}
	if mail != "" {
		out = append(out, "smtp:"+strings.ToLower(mail))
	}
	kept := out[:0]
	for i, a := range out {
		if !slices.Contains(out[:i], a) {
			kept = append(kept, a)
		}
	}
	return kept
}

// insert puts a record where its seq belongs.
func (u *users) insert(r *record) {
	i := len(u.order)
	if i > 0 && u.order[i-1].seq > r.seq {
		i = sort.Search(len(u.order), func(i int) bool { return u.order[i].seq > r.seq })
	}
	u.order = append(u.order, nil)
	copy(u.order[i+1:], u.order[i:])
	u.order[i] = r
}

// put makes o the present state of r, in or out of the recycle bin.
func (t *tenant) put(r *record, o *object, deleted bool, now time.Time) {
	if !r.now.deleted && r.now.obj != nil {
		t.users.unindex(r)
		t.users.live--
	}
	if r.now.deleted {
		t.users.bin--
		if imm := r.now.obj.text("onPremisesImmutableId"); t.users.binIMM[imm] == r {
			delete(t.users.binIMM, imm)
		}
	}
	if t.lag > 0 || t.idLag > 0 {
		r.past = append(r.past, r.now)
		horizon := now.Add(-max(t.lag, t.idLag))
		for len(r.past) > 1 && r.past[1].since.Before(horizon) {
			r.past = r.past[1:]
		}
	}
	r.now = state{since: now, obj: o, deleted: deleted}
	switch {
	case o == nil:
	case deleted:
		t.users.bin++
		if imm := o.text("onPremisesImmutableId"); imm != "" {
			t.users.binIMM[imm] = r
		}
	default:
		t.users.index(r)
		t.users.live++
	}
}

// seen is the record as a reader sees it when reads lag by d.
func (r *record) seen(now time.Time, d time.Duration) state {
	if d <= 0 || len(r.past) == 0 {
		return r.now
	}
	horizon := now.Add(-d)
	if !r.now.since.After(horizon) {
		return r.now
	}
	for i := len(r.past) - 1; i >= 0; i-- {
		if !r.past[i].since.After(horizon) {
			return r.past[i]
		}
	}
	return state{}
}

// create enters a new user.
func (t *tenant) create(o *object, creator string, now time.Time) *record {
	t.users.seq++
	t.change++
	r := &record{id: o.id(), seq: t.users.seq, creator: creator, born: t.change}
	if creator != "" {
		r.fresh.since = now
	}
	t.users.byID[strings.ToLower(r.id)] = r
	t.users.insert(r)
	t.put(r, o, false, now)
	return r
}

// update changes properties of a live user and remembers which, for delta.
func (t *tenant) update(r *record, changes map[string]string, now time.Time) {
	t.change++
	if r.touched == nil {
		r.touched = map[uint16]uint64{}
	}
	for name, raw := range changes {
		if r.now.obj.raw(name) != raw {
			r.touched[r.now.obj.t.byName[name]] = t.change
		}
	}
	t.put(r, r.now.obj.with(changes), r.now.deleted, now)
}

// remove puts a user into the recycle bin: its UPN gets the object ID before
// it, so that the name can be used again at once.
func (t *tenant) remove(r *record, now time.Time) {
	t.change++
	r.died = t.change
	upn := strings.ReplaceAll(r.id, "-", "") + r.now.obj.text("userPrincipalName")
	t.put(r, r.now.obj.with(map[string]string{
		"userPrincipalName": quote(upn),
		"deletedDateTime":   quoteTime(now),
	}), true, now)
	t.dueAt(now.Add(purgeAfter))
}

// purge forgets a user for good.
func (t *tenant) purge(r *record, now time.Time) {
	t.change++
	r.died = t.change
	t.put(r, nil, false, now)
	delete(t.users.byID, strings.ToLower(r.id))
	for i, x := range t.users.order {
		if x == r {
			t.users.order = append(t.users.order[:i], t.users.order[i+1:]...)
			break
		}
	}
	t.users.gone = append(t.users.gone, r)
	t.forgetPrincipal(r.id)
}

// forgetPrincipal takes a purged user out of groups and roles.
func (t *tenant) forgetPrincipal(id string) {
	drop := func(m map[string][]string) {
		for g, list := range m {
			for i, x := range list {
				if strings.EqualFold(x, id) {
					m[g] = append(list[:i:i], list[i+1:]...)
					break
				}
			}
		}
	}
	drop(t.members)
	drop(t.owners)
	for _, c := range []*collection{t.assigned, t.eligible, t.instances, t.joinable} {
		for _, o := range append([]*object(nil), c.list...) {
			if strings.EqualFold(o.text("principalId"), id) {
				c.remove(o.id())
			}
		}
	}
}

// expire purges what has been in the recycle bin for 30 days. It is called with
// the mutex held, before anything looks into the bin.
func (t *tenant) expire(now time.Time) {
	if t.users.due.IsZero() || now.Before(t.users.due) {
		return
	}
	var old []*record
	t.users.due = time.Time{}
	for _, r := range t.users.order {
		if !r.now.deleted {
			continue
		}
		when, err := time.Parse(time.RFC3339, r.now.obj.text("deletedDateTime"))
		if err != nil {
			continue
		}
		if now.Sub(when) >= purgeAfter {
			old = append(old, r)
		} else {
			t.dueAt(when.Add(purgeAfter))
		}
	}
	for _, r := range old {
		t.purge(r, now)
	}
}

// dueAt notes that something is to be purged then.
func (t *tenant) dueAt(when time.Time) {
	if t.users.due.IsZero() || when.Before(t.users.due) {
		t.users.due = when
	}
}

// addGroup enters a group. Groups do not change once they are there.
func (t *tenant) addGroup(g *object) {
	t.groups.add(g)
	for _, a := range addresses(g) {
		t.groupAdr[a] = true
	}
}

// domain finds a domain by name.
func (t *tenant) domain(name string) *object {
	for _, d := range t.domains {
		if strings.EqualFold(d.id(), name) {
			return d
		}
	}
	return nil
}

// federated reports whether sign-in of a UPN's domain is federated.
func (t *tenant) federated(upn string) bool {
	_, dom := splitUPN(upn)
	d := t.domain(dom)
	return d != nil && strings.EqualFold(d.text("authenticationType"), "Federated")
}

func splitUPN(upn string) (local, domain string) {
	i := strings.LastIndexByte(upn, '@')
	if i < 0 {
		return upn, ""
	}
	return upn[:i], upn[i+1:]
}

func (t *tenant) initialDomain() string {
	for _, d := range t.domains {
		if d.flag("isInitial") {
			return d.id()
		}
	}
	if len(t.domains) > 0 {
		return t.domains[0].id()
	}
	return ""
}

// fileSettings is the "simulator" key of a tenant file: what this tenant does
// that is no object of it.
type fileSettings struct {
	// NoPIM: the tenant has no licence for role eligibilities.
	NoPIM bool `json:"noPIM,omitempty"`
	// Quota is the number of objects that a user without an administrator
	// role may create; 0 is no limit, Entra ID has 250.
	Quota int `json:"quota,omitempty"`
	// RefuseSignIn is an AADSTS number that every sign-in is refused with.
	RefuseSignIn int `json:"refuseSignIn,omitempty"`
	// DenyPurposes lists UPNs whose mailbox kind is refused even to an
	// application that may read the others.
	DenyPurposes []string `json:"denyPurposes,omitempty"`
	// CertificateDays is how long a certificate of an application may hold, by
	// the tenant's application management policy; 0 is no limit.
	CertificateDays int `json:"certificateDays,omitempty"`
	// NoCertificates: that policy allows applications no certificates.
	NoCertificates bool `json:"noCertificates,omitempty"`
	// ReuseDeletedIDs: the immutable ID of a user in the recycle bin may be given
	// to another one. What Entra ID does is not documented; it is taken to refuse.
	ReuseDeletedIDs bool `json:"reuseDeletedIDs,omitempty"`
}

func (f fileSettings) json() []byte {
	b, _ := json.Marshal(f) // plain fields can always be encoded
	return b
}

func (f fileSettings) empty() bool {
	return string(f.json()) == "{}"
}
