package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/problem"
)

// moves makes a tenant whose accounts, each with an ID, take new UPNs.
func moves(pairs ...string) *scene {
	s := newScene()
	s.in.Policy.Attributes = directory.Standard()[:2]
	s.source, s.users = []person{user("z")}, []person{account("z")}
	for i, p := range pairs {
		from, to, _ := strings.Cut(p, ">")
		id := imm(fmt.Sprint("imm", i))
		s.users = append(s.users, account(from, id))
		s.source = append(s.source, user(to, as(from), id))
	}
	return s
}

// waves writes the waves down: verbs and UPNs, | for a barrier.
func waves(p *Plan) string {
	var all []string
	for w := range p.Waves() {
		var steps []string
		for _, s := range w.Steps {
			if s.Unless != 0 {
				continue // only where an addition fails
			}
			local, _ := directory.SplitUPN(s.Object.UPN)
			what := map[Verb]string{Create: "+", Patch: "~", PatchUPN: ">", RestoreUser: "^", DeleteUser: "-"}[s.Verb] + local
			if s.Verb == PatchUPN {
				to, _ := directory.SplitUPN(s.Set[0].New.Text)
				if strings.HasPrefix(to, "hacsync-") {
					to = "tmp"
				}
				from, _ := directory.SplitUPN(s.Set[0].Old.Text)
				if strings.HasPrefix(from, "hacsync-") {
					from = "tmp"
				}
				what = from + ">" + to
			}
			steps = append(steps, what)
		}
		if len(steps) == 0 {
			continue
		}
		line := strings.Join(steps, " ")
		if w.Barrier {
			line += " |"
		}
		all = append(all, line)
	}
	return strings.Join(all, "; ")
}

func TestWaves_AChainStartsAtItsFreeEndABarrierALink(t *testing.T) {
	s := moves("a>b", "b>c", "c>d", "x>y")
	p := s.build(t)
	if got := waves(p); got != "c>d |; b>c |; a>b x>y" {
		t.Errorf("waves %s", got)
	}
	// Rows are by the UPN after: b, c, d, y.
	if a := p.Action(0); !slices.Equal(a.After, []int{2}) {
		t.Errorf("after %v", a.After)
	}
}

func TestChains_FallFromTheLinkThatCannotMove(t *testing.T) {
	s := moves("a>b", "b>c", "c>d", "e>a")
	s.users = append(s.users, account("guest", upn("d"), mark(directory.Guest), imm("")))
	p := s.build(t)
	// d is a guest's; so no account moves.
	expect(t, p, "skip d HS-3104", "skip d HS-3203", "skip a HS-3212", "skip b HS-3212", "skip c HS-3212")
}

// If the row that is to take the UPN of an account falls, the account must not be
// deleted either: a list that was torn by a rename shows two accounts with one UPN.
func TestChains_ADeletionFallsWithTheAdditionItIsFor(t *testing.T) {
	for name, c := range map[string]struct {
		flags flags
		stay  int
	}{"its own": {replaces, 1}, "another's": {0, 2}} {
		s := newScene()
		s.source = []person{user("z"), user("a", imm("2"))}
		s.users = []person{account("first", upn("a")), account("a", imm("1")), account("d")}
		b := &builder{in: s.input(t)}
		if err := b.prepare(); err != nil {
			t.Fatal(err)
		}
		b.rows = []row{
			{src: 1, acct: -1, kind: Add, flags: c.flags},
			{src: 1, acct: 1, kind: Delete, flags: c.flags},
			{src: -1, acct: 2, kind: Delete},
		}
		b.releaseAll()
		if len(b.rows) != c.stay || b.rows[c.stay-1].acct != 2 || len(b.skips) != 1 || b.skips[0].code != problem.UPNTaken {
			t.Errorf("%s: rows %+v, skips %+v", name, b.rows, b.skips)
		}
	}
}

func TestWaves_ACycleUsesOneTemporaryUPNOfTheDomain(t *testing.T) {
	s := moves("a>b", "b>c", "c>a")
	p := s.build(t)
	if got := waves(p); got != "a>tmp |; c>a |; b>c |; tmp>b" {
		t.Errorf("waves %s", got)
	}
	var temp []string
	for a := range p.Actions() {
		for _, st := range a.Steps {
			if n := st.Set[0].New.Text; strings.HasPrefix(n, "hacsync-") {
				temp = append(temp, n)
			}
		}
		if a.how.temporary != "" && !has(a, problem.MovesAway) {
			t.Error("no word about the temporary UPN")
		}
	}
	if len(temp) != 1 || !directory.InDomain(temp[0], dom) || checkUPN(temp[0]) != nil {
		t.Errorf("temporary UPNs %v", temp)
	}
	for name, take := range map[string]func(*scene){
		"an account has it":         func(s *scene) { s.users = append(s.users, account("taken", upn(temp[0]))) },
		"an account's address":      func(s *scene) { s.users = append(s.users, account("taken", address(temp[0]))) },
		"a row of the source wants": func(s *scene) { s.source = append(s.source, user("taken", upn(temp[0]))) },
	} {
		s := moves("a>b", "b>c", "c>a")
		take(s)
		found := ""
		for a := range s.build(t).Actions() {
			found = cmp.Or(found, a.how.temporary)
		}
		if found == "" || strings.EqualFold(found, temp[0]) {
			t.Errorf("%s: temporary UPN %q", name, found)
		}
	}
	s.users = append(s.users, account("taken", upn(temp[0])))
	s.source = append(s.source, user("taken", upn(temp[0])))
	q := s.build(t)
	for w := range q.Waves() {
		if got := w.Steps[0].Set[0].New.Text; strings.EqualFold(got, temp[0]) {
			t.Errorf("temporary UPN %s is taken", got)
		}
		break
	}
}

func TestWaves_Order(t *testing.T) {
	s := moves("a>b", "b>c")
	s.in.Policy.Attributes = directory.Standard()
	s.in.Policy.BlockDisabled = true
	s.source = append(s.source, user("u", named("New")), user("n"), user("a", as("new"), imm("new")), user("r"), user("x", unmark(directory.Enabled)))
	s.users = append(s.users, account("u"), account("d"), account("x"))
	s.deleted = []person{gone("r", named("Old"))}
	p := s.build(t)
	want := "b>c |; a>b |; ~a ~b; ~u; ^r |; ~r; +a +n; ~x; -d"
	if got := waves(p); got != want {
		t.Errorf("waves %s\nwant  %s", got, want)
	}
}

func TestWaves_ADeletedUPNIsUsedAgainOnlyAfterTheDeletion(t *testing.T) {
	s := newScene()
	s.source, s.users = []person{user("z"), user("a", imm("2"))}, []person{account("z"), account("a", imm("1")), account("d")}
	s.in.Decisions = []Decision{{Kind: Allow, ID: "id-a", Attribute: directory.UserPrincipalName}}
	p := s.build(t)
	if got := waves(p); got != "-a |; +a; -d" {
		t.Errorf("waves %s", got)
	}
	back := Step{}
	for w := range p.Waves() {
		for _, s := range w.Steps {
			if s.Unless != 0 {
				back = s
			}
		}
	}
	if back.Verb != RestoreUser || back.Object.ID != "id-a" || back.Unless != 3 {
		t.Errorf("an addition that fails takes the deletion back by %+v", back)
	}
	for _, no := range []int{1, 3} { // the deletion of a, the addition of a
		r := p.Review()
		if got := r.LeaveOut(no); !slices.Equal(got, []int{1, 3}) {
			t.Errorf("leaving out %d takes %v along", no, got)
		}
		if got := waves(r.Approve()); got != "-d" {
			t.Errorf("waves %s", got)
		}
	}
	if a := p.Action(0); !has(a, problem.UPNUsedAgain) {
		t.Errorf("warnings %v", a.Warnings)
	}
}

func TestWaves_NeverHoldARowWithWhatItWaitsFor(t *testing.T) {
	p := moves("a>b", "b>c", "c>d", "e>f", "f>e").build(t)
	for w := range p.Waves() {
		in := map[int]bool{}
		for _, s := range w.Steps {
			in[s.Action] = true
		}
		for _, s := range w.Steps {
			i, _ := p.find(s.Action)
			for _, no := range append(p.Action(i).After, s.After...) {
				if in[no] {
					t.Errorf("%d and %d in one wave", s.Action, no)
				}
			}
		}
	}
}

func TestWaves_CutsWhatNothingWaitsFor(t *testing.T) {
	s := newScene()
	s.users = []person{account("z")}
	for i := range waveSize + 1 {
		s.source = append(s.source, user(fmt.Sprint("u", i)))
	}
	s.source = append(s.source, user("z"))
	n, steps := 0, 0
	for w := range s.build(t).Waves() {
		n++
		steps += len(w.Steps)
		if w.Barrier || len(w.Steps) > waveSize {
			t.Errorf("wave of %d, barrier %t", len(w.Steps), w.Barrier)
		}
	}
	if n != 2 || steps != waveSize+1 {
		t.Errorf("%d waves, %d steps", n, steps)
	}
}

func TestReview_LeavingARowOutTakesAlongWhatNeedsIt(t *testing.T) {
	p := moves("a>b", "b>c", "c>d", "x>y").build(t) // rows b, c, d, y
	r := p.Review()
	if got := r.LeaveOut(2); !slices.Equal(got, []int{1, 2}) {
		t.Errorf("left out %v", got)
	}
	q := r.Approve()
	if got := waves(q); got != "c>d x>y" {
		t.Errorf("waves %s", got)
	}
	var codes []string
	for s := range q.Skips() {
		codes = append(codes, fmt.Sprint(s.No, " ", s.Why.Code, " ", s.Why.Args["no"]))
	}
	if want := []string{"2 HS-3502 ", "1 HS-3503 2"}; !slices.Equal(codes, want) {
		t.Errorf("skips %v, want %v", codes, want)
	}
	if q.Fingerprint() == p.Fingerprint() {
		t.Error("another plan has the same fingerprint")
	}
	if got := r.TakeIn(2); !slices.Equal(got, []int{1, 2}) {
		t.Errorf("taken in %v", got)
	}
	if f := r.Approve().Fingerprint(); f != p.Fingerprint() {
		t.Error("all rows back, and another fingerprint")
	}
	r.LeaveOut(3)
	if got := r.TakeIn(1); !slices.Equal(got, []int{1, 2, 3}) {
		t.Errorf("taking in the last of a chain takes in %v", got)
	}
	if r.LeaveOut(99) != nil || r.TakeIn(1) != nil {
		t.Error("a row that is not there changed something")
	}
	if c := p.Counts(); c.Rename != 4 {
		t.Errorf("the reviewed plan changed: %+v", c)
	}
}

func TestReview_OfACycleIsAllOrNothing(t *testing.T) {
	p := moves("a>b", "b>c", "c>a").build(t)
	for no := range 3 {
		r := p.Review()
		if got := r.LeaveOut(no + 1); len(got) != 3 {
			t.Errorf("leaving out %d takes %v along", no+1, got)
		}
	}
}

// UPNs that change places across domains: each domain's sync moves accounts only into
// its own domain, so a chain is done one domain after the other, and a circle never.
// Both domains say so.
func TestChains_AcrossDomains(t *testing.T) {
	for name, tt := range map[string]struct {
		pairs     []string // FROM>TO, UPNs
		here, two []string
	}{
		"a swap": {
			[]string{"a@midori.example>b@two.example", "b@two.example>a@midori.example"},
			[]string{"a@midori.example HS-3221", "b@two.example HS-3221"},
			[]string{"a@midori.example HS-3221", "b@two.example HS-3221"},
		},
		"a circle of three": {
			[]string{"a@midori.example>b@midori.example", "b@midori.example>c@two.example", "c@two.example>a@midori.example"},
			[]string{"a@midori.example HS-3212", "b@midori.example HS-3221", "c@two.example HS-3221"},
			[]string{"a@midori.example HS-3221", "c@two.example HS-3221"},
		},
		"a chain": {
			[]string{"a@midori.example>free@two.example", "b@two.example>a@midori.example"},
			[]string{"a@midori.example HS-3220", "a@midori.example HS-3403"},
			[]string{"b@two.example HS-3403"},
		},
		"a chain to nowhere": {
			[]string{"a@midori.example>free@gone.example", "b@two.example>a@midori.example"},
			[]string{"a@midori.example HS-3210", "a@midori.example HS-3410"},
			[]string{"b@two.example HS-3403"},
		},
		"within one domain": {
			[]string{"a@midori.example>b@midori.example", "b@midori.example>a@midori.example"}, nil, nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene()
			s.in.Policy.Attributes = directory.Standard()[:2]
			s.source, s.users = []person{user("z"), user("y", upn("y@two.example"))}, []person{account("z"), account("y", upn("y@two.example"))}
			var links []string
			for i, p := range tt.pairs {
				from, to, _ := strings.Cut(p, ">")
				key, _ := directory.SplitUPN(from)
				id := imm(fmt.Sprint("imm", i))
				s.users = append(s.users, account(key, upn(from), id))
				s.source = append(s.source, user(key, upn(to), id, username("u-"+key)))
				links = append(links, "u-"+key+"="+key)
			}
			s.learnt(t, links)
			for range 2 {
				for domain, want := range map[string][]string{dom: tt.here, "two.example": tt.two} {
					s.in.Domain = domain
					p := s.build(t)
					var got []string
					for k := range p.Skips() {
						got = append(got, k.Ref.UPN+" "+string(k.Why.Code))
					}
					slices.Sort(got)
					if !slices.Equal(got, want) && len(got)+len(want) > 0 {
						t.Errorf("%s, the first row is of %s: %v, want %v", domain, s.source[0].upn, got, want)
					}
				}
				slices.Reverse(s.source) // and once more, with a row of the chain as the first
			}
		})
	}
}
