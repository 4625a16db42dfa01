package simulator

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/hacsync/hacsync/assets"
)

// names are what people are called.
type names struct {
	Family      [][2]string `json:"family"` // as written, as romanised
	Given       [][2]string `json:"given"`
	Other       [][2]string `json:"other"` // given, family
	Departments []string    `json:"departments"`
	Titles      []string    `json:"titles"`
}

func loadNames() (names, error) {
	var n names
	if err := json.Unmarshal(assets.DemoNames(), &n); err != nil {
		return n, fmt.Errorf("read the names: %w", err)
	}
	return n, nil
}

// person is a member of a made-up company: an account, a row of the export, or
// both.
type person struct {
	local       string // of the UPN
	domain      string
	family      string
	given       string
	display     string
	nick        string // mailNickname and Username
	imm         string // immutable ID, empty for none
	dept, title string
	number      string // employee number
	disabled    bool
	licensed    bool
	created     time.Time
	login       time.Time // last login to HAC, zero for never
}

func (p *person) upn() string { return p.local + "@" + p.domain }

// world makes a tenant and the export that goes with it.
type world struct {
	t     *tenant
	rng   *rand.Rand
	names names
	today time.Time
	now   time.Time
	taken map[string]bool // UPNs, lower case
	last  map[string]int  // the number that was last put behind a name
	rows  [][]string
	past  []Remembered // the users that earlier runs saw
	id    string       // of the tenant
	serie int
}

func newWorld(t *tenant, seed int64, now time.Time) (*world, error) {
	n, err := loadNames()
	if err != nil {
		return nil, err
	}
	return &world{
		t: t, names: n, now: now, today: now.UTC().Truncate(24 * time.Hour),
		rng:   rand.New(rand.NewPCG(uint64(seed), 0x6861637379)), //nolint:gosec // made-up people need no secret
		taken: map[string]bool{}, last: map[string]int{}, id: t.org.id(),
	}, nil
}

func pick[T any](w *world, list []T) T { return list[w.rng.IntN(len(list))] }

// romaji folds letters of names from elsewhere into those a UPN takes.
var romaji = strings.NewReplacer(
	"ü", "u", "ø", "o", "ö", "o", "é", "e", "è", "e", "í", "i", "ã", "a", "á", "a", "ễ", "e", "ầ", "a", "ı", "i", "ł", "l",
	"ř", "r", "ě", "e", "ń", "n", "'", "", " ", "", "-", "")

// stranger makes up a person with a name of their own in the domain.
func (w *world) stranger(domain string) *person {
	p := &person{domain: domain, dept: pick(w, w.names.Departments), title: pick(w, w.names.Titles)}
	var base string
	if w.rng.IntN(12) == 0 {
		n := pick(w, w.names.Other)
		p.given, p.family = n[0], n[1]
		p.display = n[0] + " " + n[1]
		base = romaji.Replace(strings.ToLower(n[0])) + "." + romaji.Replace(strings.ToLower(n[1]))
	} else {
		f, g := pick(w, w.names.Family), pick(w, w.names.Given)
		p.family, p.given = f[0], g[0]
		p.display = f[0] + " " + g[0]
		base = f[1] + "." + g[1]
	}
	p.local = w.free(base, domain)
	w.finish(p)
	return p
}

// free finds a local part that is free in every domain: it is the Username too,
// and HENNGE Access Control has each once.
func (w *world) free(base, domain string) string {
	local := base
	for i := 2; w.taken[local+"@"+domain] || w.taken[username(local)]; i++ {
		local = base + strconv.Itoa(i)
	}
	w.taken[local+"@"+domain] = true
	return local
}

// username is the key under which a Username is taken.
func username(nick string) string { return "@" + strings.ToLower(nick) }

// finish fills in what follows from a person's name and place.
func (w *world) finish(p *person) {
	w.serie++
	w.taken[strings.ToLower(p.upn())] = true
	if p.nick == "" {
		p.nick = p.local
	}
	w.taken[username(p.nick)] = true
	if p.display == "" {
		p.display = p.family + " " + p.given
	}
	if p.dept == "" {
		p.dept = pick(w, w.names.Departments)
	}
	p.number = fmt.Sprintf("%06d", w.serie)
	p.licensed = w.rng.IntN(20) != 0
	p.imm = w.immutable(p)
	p.created = time.Date(2018, 4, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, w.rng.IntN(2900))
	p.login = w.now.Add(-time.Duration(10+w.rng.IntN(60*24*40)) * time.Minute)
	if w.rng.IntN(25) == 0 {
		p.login = time.Time{}
	}
}

// immutable gives an ID as Active Directory's tools derive it: base64 of 16
// bytes.
func (w *world) immutable(p *person) string {
	h := sha256.Sum256([]byte(w.id + "\x00" + p.upn()))
	return base64.StdEncoding.EncodeToString(h[:16])
}

// account makes the properties of a person's account.
func (w *world) account(p *person) map[string]string {
	props := map[string]string{
		"id":                quote(guid(w.id, "user", strings.ToLower(p.upn()))),
		"userPrincipalName": quote(p.upn()),
		"displayName":       quote(p.display),
		"mailNickname":      quote(p.nick),
		"accountEnabled":    "true",
		"userType":          `"Member"`,
		"createdDateTime":   quoteTime(p.created),
		"employeeId":        quote(p.number),
		"usageLocation":     `"JP"`,
		"preferredLanguage": `"ja-JP"`,
	}
	for name, v := range map[string]string{
		"surname": p.family, "givenName": p.given, "department": p.dept, "jobTitle": p.title, "onPremisesImmutableId": p.imm,
	} {
		if v != "" {
			props[name] = quote(v)
		}
	}
	if p.disabled {
		props["accountEnabled"] = "false"
	}
	if p.licensed {
		w.mailbox(props, p.upn(), true)
	}
	return props
}

// mailbox gives an account an address, and a licence with it.
func (w *world) mailbox(props map[string]string, address string, licensed bool) {
	props["mail"] = quote(address)
	local, _ := splitUPN(address)
	props["proxyAddresses"] = quoteList([]string{"SMTP:" + address, "smtp:" + local + "." + w.code(address) + "@" + w.t.initialDomain()})
	if licensed {
		props["assignedPlans"] = "[" + exchangePlan + "," + teamsPlan + "]"
		props["assignedLicenses"] = licenceE3
	}
}

// code keeps addresses of equal local parts in several domains apart.
func (w *world) code(address string) string {
	_, d := splitUPN(address)
	h := sha256.Sum256([]byte(d))
	return hexOf(h[:2])
}

// enter puts an account into the tenant.
func (w *world) enter(props map[string]string) *record {
	o := newObject(w.t.sch["user"], props)
	if w.t.users.find(o.text("userPrincipalName")) != nil {
		panic("simulator: two accounts " + o.text("userPrincipalName")) // of our own making
	}
	return w.t.create(o, "", w.now)
}

// Columns of a HAC export, in its order; the custom attributes are before the
// immutable ID.
var hacColumns = []string{
	"Username", "Email Address", "Family Name", "Given Name", "Display Name", "Status", "Access Policy Group ID",
	"Access Policy Group Name", "OTP Notification Email", "OTP Emergency Token", "OTP Type", "Last Login", "Is Admin",
	"Self Password Reset Email", "Password Change Policy", "Password Expiration Date", "New Password", "Role",
	"busho", "shain_no", "Microsoft Immutable ID",
}

// row adds a person to the export.
func (w *world) row(p *person) {
	status, login := "enabled", ""
	if p.disabled {
		status = "disabled"
	}
	if !p.login.IsZero() {
		login = p.login.In(time.FixedZone("JST", 9*3600)).Format("2006-01-02 15:04:05")
	}
	w.rows = append(w.rows, []string{
		p.nick, p.upn(), p.family, p.given, p.display, status, "1", "default", "", "", "app", login, "0", "", "", "", "", "",
		p.dept, p.number, p.imm,
	})
}

// hdeadmin is the row of HAC's own administrator, who has no UPN.
func (w *world) hdeadmin() {
	row := make([]string, len(hacColumns))
	row[0], row[4], row[5], row[12], row[17] = "hdeadmin", "hdeadmin", "enabled", "1", "full-admin"
	w.rows = append(w.rows, row)
}

// export writes the rows as HAC does.
func (w *world) export() ([]byte, error) {
	var buf bytes.Buffer
	buf.WriteString("\ufeff")
	c := csv.NewWriter(&buf)
	c.UseCRLF = true
	if err := c.Write(hacColumns); err != nil {
		return nil, fmt.Errorf("write the export: %w", err)
	}
	if err := c.WriteAll(w.rows); err != nil {
		return nil, fmt.Errorf("write the export: %w", err)
	}
	return buf.Bytes(), nil
}

// role gives a principal a directory role.
func (w *world) role(principal, role string) {
	w.t.assigned.add(newObject(w.t.sch["unifiedRoleAssignment"], map[string]string{
		"id":               quote(guid(w.id, "assignment", principal, role)),
		"principalId":      quote(principal),
		"roleDefinitionId": quote(role),
		"directoryScopeId": `"/"`,
	}))
}

// eligible makes a principal eligible for a role.
func (w *world) eligible(principal, role string) {
	id := guid(w.id, "eligibility", principal, role)
	w.t.eligible.add(newObject(w.t.sch["unifiedRoleEligibilitySchedule"], map[string]string{
		"id": quote(id), "principalId": quote(principal), "roleDefinitionId": quote(role), "directoryScopeId": `"/"`,
		"memberType": `"Direct"`, "status": `"Provisioned"`,
	}))
	w.t.instances.add(newObject(w.t.sch["unifiedRoleEligibilityScheduleInstance"], map[string]string{
		"id": quote(guid(id, "instance")), "principalId": quote(principal), "roleDefinitionId": quote(role),
		"directoryScopeId": `"/"`, "memberType": `"Direct"`, "roleEligibilityScheduleId": quote(id),
	}))
}

// special makes an account that is no person: a shared, room or equipment
// mailbox.
func (w *world) special(local, domain, display, purpose string) {
	p := &person{local: local, domain: domain, display: display}
	w.taken[p.upn()] = true
	props := map[string]string{
		"id": quote(guid(w.id, "user", p.upn())), "userPrincipalName": quote(p.upn()), "displayName": quote(display),
		"mailNickname": quote(local), "accountEnabled": "false", "userType": `"Member"`,
		"createdDateTime": `"2019-06-03T01:00:00Z"`, "mailboxSettings": `{"userPurpose":` + quote(purpose) + `}`,
	}
	w.mailbox(props, p.upn(), false)
	w.enter(props)
}

// guest makes an invited account.
func (w *world) guest(p *person) {
	upn := strings.ReplaceAll(p.upn(), "@", "_") + "#EXT#@" + w.t.initialDomain()
	w.enter(map[string]string{
		"id": quote(guid(w.id, "guest", p.upn())), "userPrincipalName": quote(upn), "displayName": quote(p.display),
		"mailNickname": quote(strings.ReplaceAll(p.upn(), "@", "_") + "#EXT#"), "accountEnabled": "true", "userType": `"Guest"`,
		"creationType": `"Invitation"`, "externalUserState": `"Accepted"`, "createdDateTime": quoteTime(p.created),
		"mail": quote(p.upn()), "otherMails": quoteList([]string{p.upn()}),
	})
}

// synced makes an account that comes from Active Directory.
func (w *world) synced(p *person) {
	props := w.account(p)
	props["onPremisesSyncEnabled"] = "true"
	props["onPremisesLastSyncDateTime"] = quoteTime(w.today)
	props["onPremisesDomainName"] = quote("ad." + p.domain)
	props["onPremisesSamAccountName"] = quote(p.nick)
	w.enter(props)
}

// binned makes an account that was deleted some days ago.
func (w *world) binned(p *person, daysAgo int) {
	props := w.account(p)
	r := w.enter(props)
	w.t.remove(r, w.today.AddDate(0, 0, -daysAgo))
	delete(w.taken, strings.ToLower(p.upn()))
}
