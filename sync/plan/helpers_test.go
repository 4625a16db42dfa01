package plan

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/problem"
)

var at = time.Date(2026, 11, 25, 0, 34, 0, 0, time.UTC)

const dom = "midori.example"

func tenant() directory.Tenant {
	return directory.Tenant{
		ID: "t-1", Name: "Midori", Initial: "midori.onmicrosoft.com",
		Domains: []directory.Domain{
			{Name: "midori.onmicrosoft.com", Verified: true, Initial: true},
			{Name: dom, Verified: true},
			{Name: "two.example", Verified: true},
			{Name: "fed.example", Verified: true, Federated: true},
			{Name: "unverified.example"},
		},
	}
}

// person is a row of a test: a short way to write a record.
type person struct {
	id, upn, imm     string
	username         string // of a source row; its UPN if empty
	name, sur, given string
	alias, dept      string
	marks            directory.Marks
	mail             string
	addresses        []string
	deleted, created time.Time
	lastSignIn       time.Time
	line             int
}

var testColumns = []directory.Attribute{
	directory.DisplayName, directory.Surname, directory.GivenName, directory.MailNickname, directory.Department,
}

func (p person) record() directory.Record {
	r := directory.Record{
		ID: directory.ID(p.id), UPN: p.upn, ImmutableID: p.imm, Line: p.line, Columns: testColumns,
		Marks: p.marks, Mail: p.mail, Addresses: p.addresses,
		Created: p.created, Deleted: p.deleted, LastSignIn: p.lastSignIn,
	}
	if p.mail != "" || len(p.addresses) > 0 {
		r.Marks |= directory.Addressed
	}
	for _, v := range []string{p.name, p.sur, p.given, p.alias, p.dept} {
		r.Values = append(r.Values, directory.Text(v))
	}
	return r
}

// user is a plain enabled person; set changes it.
func user(key string, set ...func(*person)) person {
	p := person{
		upn: key + "@" + dom, imm: "imm-" + key, name: "Name " + key, sur: "Sur " + key, given: "Given " + key,
		alias: key, marks: directory.Enabled,
	}
	for _, f := range set {
		f(&p)
	}
	return p
}

// account is user with an object ID and a mailbox kind that was read.
func account(key string, set ...func(*person)) person {
	p := user(key)
	p.id = "id-" + key
	p.marks |= directory.PurposeUser
	for _, f := range set {
		f(&p)
	}
	return p
}

// gone is account in the recycle bin since yesterday.
func gone(key string, set ...func(*person)) person {
	p := account(key)
	p.deleted = at.Add(-24 * time.Hour)
	for _, f := range set {
		f(&p)
	}
	return p
}

func upn(s string) func(*person) {
	return func(p *person) {
		if !strings.Contains(s, "@") {
			s += "@" + dom
		}
		p.upn = s
	}
}
func imm(s string) func(*person)             { return func(p *person) { p.imm = s } }
func named(s string) func(*person)           { return func(p *person) { p.name = s } }
func alias(s string) func(*person)           { return func(p *person) { p.alias = s } }
func dept(s string) func(*person)            { return func(p *person) { p.dept = s } }
func mark(m directory.Marks) func(*person)   { return func(p *person) { p.marks |= m } }
func unmark(m directory.Marks) func(*person) { return func(p *person) { p.marks &^= m } }
func address(s string) func(*person) {
	return func(p *person) { p.addresses = append(p.addresses, "SMTP:"+s) }
}

// as gives a row the names of another person.
func as(key string) func(*person) {
	return func(p *person) { p.name, p.sur, p.given = "Name "+key, "Sur "+key, "Given "+key }
}

func binnedAt(t time.Time) func(*person) { return func(p *person) { p.deleted = t } }

func snapshot(t testing.TB, side directory.Side, people []person) *directory.Snapshot {
	t.Helper()
	b := directory.NewBuilder(side, testColumns)
	for i, p := range people {
		if side == directory.Source && p.line == 0 {
			p.line = i + 2
		}
		if side != directory.Source && p.id == "" {
			t.Fatalf("account %s without ID", p.upn)
		}
		if side == directory.Source {
			if p.id = p.username; p.id == "" {
				p.id = p.upn
			}
			p.marks &= directory.Enabled
		}
		if err := b.Add(p.record()); err != nil {
			t.Fatal(err)
		}
	}
	s, err := b.Seal(directory.Proof{Ended: true, Pages: 1, Items: len(people), Count: int64(len(people))},
		directory.About{Name: "users.csv", Read: at, Newest: at})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// scene is the input of a test.
type scene struct {
	source, users, deleted []person
	in                     Input
}

func newScene() *scene {
	s := &scene{}
	s.in = Input{Tenant: tenant(), Domain: dom, SetUp: []string{dom, "two.example", "fed.example"}, Policy: DefaultPolicy(), At: at}
	s.in.Policy.MaxAllowedDeletions = 100
	free := DefaultPolicy()
	free.MaxAllowedDeletions = 1000
	s.in.Others = map[string]Policy{"two.example": free, "fed.example": free}
	return s
}

func (s *scene) input(t testing.TB) Input {
	t.Helper()
	in := s.in
	in.Source = snapshot(t, directory.Source, s.source)
	in.Users = snapshot(t, directory.Destination, s.users)
	in.Deleted = snapshot(t, directory.RecycleBin, s.deleted)
	return in
}

func (s *scene) build(t testing.TB) *Plan {
	t.Helper()
	p, err := Build(s.input(t))
	if err != nil {
		t.Fatalf("Build: %v", err)
	}
	return p
}

// brief writes a plan down in a few words a row.
func brief(p *Plan) []string {
	var rows []string
	for a := range p.Actions() {
		local := func(upn string) string { return strings.TrimSuffix(upn, "@"+dom) }
		row := a.Kind.String() + " " + local(a.UPN)
		if a.Kind == Rename {
			row += " was " + local(a.User.UPN)
		}
		for _, c := range a.Changes {
			if c.Attribute == directory.UserPrincipalName || a.Kind == Add {
				continue
			}
			v := c.New.Text
			if !c.New.Set {
				v = "(none)"
			}
			row += fmt.Sprintf(" %s=%s", c.Attribute, v)
		}
		rows = append(rows, row)
	}
	for s := range p.Skips() {
		rows = append(rows, fmt.Sprintf("skip %s %s", strings.TrimSuffix(s.Ref.UPN, "@"+dom), s.Why.Code))
	}
	for _, q := range p.Questions() {
		row := "ask " + strings.TrimSuffix(q.Account.UPN, "@"+dom) + ":"
		for i := range q.Rows {
			row += " " + strings.TrimSuffix(q.Rows[i].Row.UPN, "@"+dom)
		}
		if q.Answer.Kind != Open {
			row += " = " + string(q.Answer.Kind)
			if q.Answer.Kind == SamePerson {
				row += " " + strings.TrimSuffix(q.Answer.Row, "@"+dom)
			}
		}
		rows = append(rows, row)
	}
	return rows
}

// expect compares what brief says.
func expect(t *testing.T, p *Plan, want ...string) {
	t.Helper()
	got := brief(p)
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("plan:\n\t%s\nwant:\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
	checkSums(t, p)
	for a := range p.Actions() {
		checkWords(t, a.Warnings...)
	}
	for s := range p.Skips() {
		checkWords(t, s.Why)
	}
	checkWords(t, append(p.Warnings(), p.Verdict().Why)...)
}

// placeholders are the arguments that the words of each code use.
var placeholders = sync.OnceValue(func() map[problem.Code][]string { //nolint:gochecknoglobals // read once
	raw, err := os.ReadFile("../../assets/locales/plan.en.json")
	if err != nil {
		panic(err)
	}
	var words map[problem.Code]map[string]string
	if err := json.Unmarshal(raw, &words); err != nil {
		panic(err)
	}
	used := map[problem.Code][]string{}
	for c, parts := range words {
		for _, text := range parts {
			for _, block := range regexp.MustCompile(`{{[^}]*}}`).FindAllString(text, -1) {
				for _, m := range regexp.MustCompile(`\.([a-z_]+)`).FindAllStringSubmatch(block, -1) {
					used[c] = append(used[c], m[1])
				}
			}
		}
	}
	return used
})

// checkWords looks whether problems have the arguments that their words use.
func checkWords(t *testing.T, qs ...*problem.Problem) {
	t.Helper()
	for _, q := range qs {
		if q == nil {
			continue
		}
		for _, arg := range placeholders()[q.Code] {
			if _, ok := q.Args[arg]; !ok {
				t.Errorf("%s has no %s in %v", q.Code, arg, q.Args)
			}
		}
	}
}

// checkSums adds a plan up by itself.
func checkSums(t interface {
	Helper()
	Errorf(string, ...any)
}, p *Plan,
) {
	t.Helper()
	c := p.Counts()
	kinds := map[Kind]int{}
	for a := range p.Actions() {
		kinds[a.Kind]++
	}
	if c.Add != kinds[Add] || c.Update != kinds[Update] || c.Rename != kinds[Rename] ||
		c.Restore != kinds[Restore] || c.Delete != kinds[Delete] || c.Skipped+c.Waiting != p.SkipLen() || c.Changes() != p.Len() {
		t.Errorf("counts %+v, rows %v and %d skips", c, kinds, p.SkipLen())
	}
	if got := c.Unchanged + c.Update + c.Rename - c.MovedIn + c.Delete + c.DestinationHeld; got != c.Touchable {
		t.Errorf("destination: %d touchable, %d accounted for: %+v", c.Touchable, got, c)
	}
	if got := c.Unchanged + c.Update - c.Missing + c.Rename + c.Add + c.Restore + c.SourceHeld + c.Asked; got != c.SourceUsers {
		t.Errorf("source: %d users, %d accounted for: %+v", c.SourceUsers, got, c)
	}
}

func code(t *testing.T, err error, want problem.Code) {
	t.Helper()
	if !problem.Has(err, want) {
		t.Errorf("error %v, want %s", err, want)
	}
	checkWords(t, problem.Of(err))
}
