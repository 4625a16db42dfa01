package plan

import (
	"fmt"
	"testing"
	"time"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/problem"
)

// All small worlds: up to so many accounts and rows over a few names, UPNs,
// Usernames and immutable IDs. A world is what one read leaves, whatever came
// before: accounts as they are, each without a link, linked to a Username that was
// in the last read, or to one that was missing from it. Every world that a step
// leads to is among them, so that what holds in one step of each holds in any
// number of steps.
//
// Nobody can say here whose a row is. So the rules are the oracle, written once
// more with numbers for names: who may be written, who may go, who must go.

// smallAccount is an account. Its UPN, Username and ID are numbered as it is
// itself: all worlds that differ in the numbers only are one.
type smallAccount struct {
	given, family int
	id            bool
	link          int // 0 none, 1 firm, 2 broken
}

// smallRow is a row. A key is the number of the account that has it, or one more for a
// key that no account has; an ID is one more than that, 0 for none.
type smallRow struct{ given, family, upn, user, id int }

type smallWorld struct {
	accounts []smallAccount
	rows     []smallRow
}

func (w *smallWorld) String() string {
	return fmt.Sprintf("accounts %+v\nrows %+v", w.accounts, w.rows)
}

// twin reports whether a row has a key that another one has.
func (w *smallWorld) twin(i int) bool {
	for j := range w.rows {
		a, b := w.rows[i], w.rows[j]
		if i != j && (a.upn == b.upn || a.user == b.user || a.id > 0 && a.id == b.id) {
			return true
		}
	}
	return false
}

func (w *smallWorld) idOf(r smallRow) int {
	if r.id > 0 && r.id <= len(w.accounts) && w.accounts[r.id-1].id {
		return r.id - 1
	}
	return -1
}

func (w *smallWorld) linkOf(r smallRow) int {
	if r.user >= len(w.accounts) {
		return -1
	}
	a := w.accounts[r.user]
	if a.link == 1 || a.link == 2 && a.given == r.given && a.family == r.family {
		return r.user
	}
	return -1
}

func (w *smallWorld) upnOf(r smallRow) int {
	if r.upn < len(w.accounts) {
		return r.upn
	}
	return -1
}

// may reports whether a row may be written to an account.
func (w *smallWorld) may(i, acct int) bool {
	r, a := w.rows[i], w.accounts[acct]
	if w.twin(i) || a.id && r.id > 0 && w.idOf(r) != acct {
		return false
	}
	id, link, upn := w.idOf(r), w.linkOf(r), w.upnOf(r)
	mine, other := 0, 0
	for _, x := range [3]int{id, link, upn} {
		if x == acct {
			mine++
		} else if x >= 0 {
			other++
		}
	}
	given, whole := a.given == r.given, a.given == r.given && a.family == r.family
	incomparable := r.given == 2
	chain := upn >= 0 && upn != acct && other == 1 // the UPN is another's, who may move on
	switch {
	case mine == 0, other > 0 && !chain:
		return false
	case mine == 2:
		return true
	case upn == acct && id < 0 && link < 0 && a.link > 0:
		return mine == 3 || whole
	}
	return mine == 3 || given || incomparable && !chain
}

// contested reports whether another row has a key of an account that a row is matched
// with.
func (w *smallWorld) contested(i int) bool {
	r := w.rows[i]
	for _, b := range [3]int{w.idOf(r), w.linkOf(r), w.upnOf(r)} {
		for j, o := range w.rows {
			if i != j && b >= 0 && (w.idOf(o) == b || w.linkOf(o) == b || w.upnOf(o) == b) {
				return true
			}
		}
	}
	return false
}

// torn reports whether the keys of a row are those of several accounts.
func (w *smallWorld) torn(r smallRow) bool {
	a, b, c := w.idOf(r), w.linkOf(r), w.upnOf(r)
	return a >= 0 && b >= 0 && a != b || a >= 0 && c >= 0 && a != c || b >= 0 && c >= 0 && b != c
}

// explained reports whether the absence of an account is; must whether it has to go:
// it is linked, and no row that another account is not sure of has a name or a key
// of it. Nobody was seen for long: every row is new.
func (w *smallWorld) explained(acct int) (explained, must bool) {
	a := w.accounts[acct]
	explained, must = true, a.link > 0
	for i, r := range w.rows {
		has := r.upn == acct || r.id == acct+1 && a.id || r.user == acct && a.link > 0
		firm, open := false, true
		for b := range w.accounts {
			if b != acct && w.may(i, b) {
				open = false
				firm = firm || w.idOf(r) == b || w.linkOf(r) == b
			}
		}
		if has && !firm {
			explained = false
		}
		firm = firm && !w.contested(i) && !w.torn(r)
		if has || r.id == acct+1 || r.user == acct || !firm && a.given == r.given {
			must = false
		}
		if open && (a.given == r.given && a.family == r.family || a.given == r.given && !(a.id && r.id > 0)) {
			explained = false
		}
	}
	return explained, must
}

// The last of each is in another script, so that no name can be compared with it.
var smallGiven, smallFamily = [3]string{"taro", "hanako", "太郎"}, [3]string{"sato", "suzuki", "佐藤"}

func smallName(given, family int) (string, string, string) {
	return smallGiven[given], smallFamily[family], smallFamily[family] + " " + smallGiven[given]
}

// tenantOf is the tenant and the memory of some accounts.
func tenantOf(t *testing.T, accounts []smallAccount) (*directory.Snapshot, Past) {
	t.Helper()
	b := directory.NewBuilder(directory.Destination, testColumns)
	past := Past{Source: "hac", At: at.Add(-24 * time.Hour)}
	memory := NewPastBuilder()
	for i, a := range accounts {
		p := person{id: fmt.Sprintf("acct-%d", i), upn: fmt.Sprintf("p%d@%s", i, dom), alias: fmt.Sprintf("alias-%d", i), marks: directory.Enabled | directory.PurposeUser}
		p.given, p.sur, p.name = smallName(a.given, a.family)
		if a.id {
			p.imm = fmt.Sprintf("ID%d==", i)
		}
		if err := b.Add(p.record()); err != nil {
			t.Fatal(err)
		}
		if a.link > 0 {
			s := Seen{First: at.Add(-directory24(9)), Last: past.At}
			if a.link == 2 {
				s.Last = at.Add(-directory24(5))
			}
			l := Link{Account: directory.ID(p.id), Username: fmt.Sprintf("u%d", i), Given: p.given, Family: p.sur, Display: p.name, UPN: p.upn, ImmutableID: p.imm}
			if err := memory.Add(l, s); err != nil {
				t.Fatal(err)
			}
		}
	}
	s, err := b.Seal(directory.Proof{Ended: true, Items: len(accounts), Count: int64(len(accounts))}, directory.About{})
	if err != nil {
		t.Fatal(err)
	}
	if err := memory.Seal(&past); err != nil {
		t.Fatal(err)
	}
	return s, past
}

func sourceOf(t *testing.T, rows []smallRow) *directory.Snapshot {
	t.Helper()
	var people []person
	for _, r := range rows {
		p := person{upn: fmt.Sprintf("p%d@%s", r.upn, dom), username: fmt.Sprintf("u%d", r.user), alias: fmt.Sprintf("row-%d", r.user), marks: directory.Enabled}
		p.given, p.sur, p.name = smallName(r.given, r.family)
		if r.id > 0 {
			p.imm = fmt.Sprintf("ID%d==", r.id-1)
		}
		people = append(people, p)
	}
	return snapshot(t, directory.Source, people)
}

// check compares a plan with the rules.
func (w *smallWorld) check(p *Plan, unattended bool) string {
	gone := map[int]bool{}
	number := func(id directory.ID) int {
		n := -1
		_, _ = fmt.Sscanf(string(id), "acct-%d", &n)
		return n
	}
	for a := range p.Actions() {
		switch n := number(a.User.ID); a.Kind {
		case Delete:
			gone[n] = true
			if explained, _ := w.explained(n); !explained {
				return fmt.Sprintf("account %d is deleted", n)
			}
			if unattended && w.accounts[n].link == 0 {
				return fmt.Sprintf("account %d was never seen and is deleted", n)
			}
		case Update, Rename:
			if !w.may(a.Line-2, n) {
				return fmt.Sprintf("row %d is written to account %d", a.Line-2, n)
			}
		case Add, Restore:
		}
	}
	for n := range w.accounts {
		if explained, must := w.explained(n); explained && must && !gone[n] {
			return fmt.Sprintf("account %d stays", n)
		}
	}
	return ""
}

// choose gives all sorted choices of up to most numbers below n, with repetition.
func choose(n, most int) [][]int {
	all := [][]int{nil}
	last := all
	for range most {
		var next [][]int
		for _, c := range last {
			from := 0
			if len(c) > 0 {
				from = c[len(c)-1]
			}
			for i := from; i < n; i++ {
				next = append(next, append(append([]int(nil), c...), i))
			}
		}
		all = append(all, next...)
		last = next
	}
	return all
}

func TestRule11_PeopleOfEverySmallWorld(t *testing.T) {
	size, every := 2, 1
	called := [][2]int{{0, 0}, {1, 0}}
	if *proofSmall > 0 {
		size, every = 3, *proofSmall
		called = [][2]int{{0, 0}, {1, 0}, {2, 2}}
	} else if testing.Short() {
		every = 11
	}
	smallWorlds(t, size, every, called, [][2]int{{0, 0}, {0, 1}})
	if *proofSmall == 0 { // the other script apart, with accounts of one name
		smallWorlds(t, size, every, [][2]int{{0, 0}, {2, 2}}, [][2]int{{0, 0}})
	}
}

// smallWorlds makes all worlds of so many accounts and rows with these names.
func smallWorlds(t *testing.T, size, every int, rowNames, accountNames [][2]int) {
	t.Helper()
	var kinds []smallAccount
	for _, name := range accountNames {
		for _, id := range []bool{false, true} {
			for link := range 3 {
				if size < 3 && id && link == 2 {
					continue // to save time: a broken link where no ID helps it
				}
				kinds = append(kinds, smallAccount{name[0], name[1], id, link})
			}
		}
	}
	var rows []smallRow
	for _, name := range rowNames {
		for upn := range size + 1 {
			for user := range size + 1 {
				for id := range size + 1 {
					rows = append(rows, smallRow{name[0], name[1], upn, user, id})
				}
			}
		}
	}
	type side struct {
		accounts []smallAccount
		users    *directory.Snapshot
		past     Past
	}
	var sides []side
	for _, c := range choose(len(kinds), size) {
		var s side
		for _, k := range c {
			s.accounts = append(s.accounts, kinds[k])
		}
		s.users, s.past = tenantOf(t, s.accounts)
		sides = append(sides, s)
	}
	in := Input{Tenant: tenant(), Domain: dom, SetUp: []string{dom}, Policy: DefaultPolicy(), At: at}
	in.Policy.MaxAllowedDeletions, in.Policy.MaxSignInChanges, in.Policy.MaxChanges = 1000, 1000, 0
	worlds, plans, wrong := 0, 0, 0
	for _, c := range choose(len(rows), size) {
		if len(c) == 0 {
			continue // a source without a row in the domain is refused
		}
		var source *directory.Snapshot
		for _, s := range sides {
			worlds++
			if worlds%every != 0 {
				continue
			}
			w := smallWorld{accounts: s.accounts}
			for _, k := range c {
				w.rows = append(w.rows, rows[k])
			}
			if source == nil {
				source = sourceOf(t, w.rows)
			}
			in.Source, in.Users, in.Past = source, s.users, s.past
			in.Unattended = worlds/every%2 == 0
			p, err := Build(in)
			if problem.Has(err, problem.SourceDoubtful) {
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			plans++
			if why := w.check(p, in.Unattended); why != "" {
				if wrong++; wrong <= 3 {
					t.Errorf("%s in\n%v%s", why, &w, describe(p))
				}
			}
		}
	}
	t.Logf("%d worlds of up to %d accounts and rows, %d planned, %d wrong", worlds, size, plans, wrong)
}
