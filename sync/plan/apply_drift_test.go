package plan

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/problem"
)

// look finds what Touches names among people, as a destination would.
func look(refs []directory.Ref, live, bin []person) []directory.Sighting {
	var found []directory.Sighting
	for _, ref := range refs {
		n := len(found)
		match := func(p person) bool {
			return ref.ID != "" && p.id == string(ref.ID) || ref.UPN != "" && strings.EqualFold(p.upn, ref.UPN) ||
				ref.ImmutableID != "" && p.imm == ref.ImmutableID
		}
		for _, p := range live {
			if match(p) {
				found = append(found, directory.Sighting{Ref: ref, Presence: directory.Live, Record: p.record()})
			}
		}
		for _, p := range bin {
			if match(p) {
				found = append(found, directory.Sighting{Ref: ref, Presence: directory.InRecycleBin, Record: p.record()})
			}
		}
		if len(found) == n {
			found = append(found, directory.Sighting{Ref: ref, Presence: directory.Absent})
		}
	}
	return found
}

func driftScene() *scene {
	s := newScene()
	s.source = []person{user("z"), user("u", named("New")), user("r2", imm("imm-r"), alias("r"), named("Name r"), func(p *person) { p.sur, p.given = "Sur r", "Given r" }), user("n"), user("b")}
	s.users = []person{account("z"), account("u"), account("r"), account("d")}
	s.deleted = []person{gone("b")}
	return s
}

func driftsOf(ds []Drifted) []string {
	var all []string
	for _, d := range ds {
		all = append(all, fmt.Sprintf("%s %s %s", d.Kind, strings.TrimSuffix(d.UPN, "@"+dom), d.Why.Code))
	}
	return all
}

func TestRule3_DriftInTheDestination(t *testing.T) {
	edit := func(key string, set ...func(*person)) func(live, bin *[]person) {
		return func(live, _ *[]person) {
			i := slices.IndexFunc(*live, func(p person) bool { return p.id == "id-"+key })
			for _, f := range set {
				f(&(*live)[i])
			}
		}
	}
	without := func(key string) func(live, bin *[]person) {
		return func(live, bin *[]person) {
			drop := func(p person) bool { return p.id == "id-"+key }
			*live, *bin = slices.DeleteFunc(*live, drop), slices.DeleteFunc(*bin, drop)
		}
	}
	with := func(p person) func(live, bin *[]person) {
		return func(live, _ *[]person) { *live = append(*live, p) }
	}
	for _, c := range []struct {
		name    string
		change  func(live, bin *[]person)
		drifted []string
		done    int
	}{
		{name: "nothing changed", change: func(_, _ *[]person) {}},
		{name: "what the plan does not touch", change: edit("u", dept("Sales"))},
		{name: "an account that it leaves alone", change: edit("z", named("Other"))},
		{name: "a value to be changed", change: edit("u", named("Third")), drifted: []string{"update u HS-3981"}},
		{name: "already at the target", change: edit("u", named("New")), done: 1},
		{name: "renamed by somebody else", change: edit("r", upn("r3")), drifted: []string{"rename r2 HS-3981"}},
		{name: "renamed already", change: edit("r", upn("r2")), done: 1},
		{name: "renamed already, in another case", change: edit("r", upn("R2")), done: 1},
		{name: "the immutable ID", change: edit("u", imm("other")), drifted: []string{"update u HS-3981"}},
		{name: "a role given since", change: edit("d", mark(directory.RoleHolder)), drifted: []string{"delete d HS-3106"}},
		{name: "a mailbox shared since", change: edit("u", unmark(directory.PurposeUser), mark(directory.PurposeShared)), drifted: []string{"update u HS-3108"}},
		{name: "the deletion of another UPN", change: edit("d", upn("d2")), drifted: []string{"delete d HS-3981"}},
		{name: "deleted already", change: without("d"), done: 1},
		{name: "gone", change: without("u"), drifted: []string{"update u HS-3982"}},
		{name: "a UPN taken meanwhile", change: with(account("x", upn("n"))), drifted: []string{"add n HS-3983"}},
		{name: "added already", change: with(account("n")), done: 1},
		{name: "the UPN of a rename", change: with(account("x", upn("R2"))), drifted: []string{"rename r2 HS-3983"}},
		{name: "an immutable ID taken meanwhile", change: with(account("x", imm("imm-n"))), drifted: []string{"add n HS-3984"}},
		{
			name: "one deleted meanwhile that could be restored", drifted: []string{"add n HS-3984"},
			change: func(_, bin *[]person) { *bin = append(*bin, gone("x", imm("imm-n"))) },
		},
		{name: "purged", change: without("b"), drifted: []string{"restore b HS-3982"}},
		{
			name: "restored already", done: 1,
			change: func(live, bin *[]person) { without("b")(live, bin); *live = append(*live, account("b")) },
		},
		{
			name: "restored by somebody else, and changed", drifted: []string{"restore b HS-3988"},
			change: func(live, bin *[]person) { without("b")(live, bin); *live = append(*live, account("b", upn("b2"))) },
		},
	} {
		s := driftScene()
		for _, p := range []*Plan{s.build(t), recode(t, s.build(t))} {
			live, bin := slices.Clone(s.users), slices.Clone(s.deleted)
			c.change(&live, &bin)
			drifted, done := p.Drift(look(p.Touches(), live, bin))
			for _, d := range drifted {
				checkWords(t, d.Why)
			}
			if got := driftsOf(drifted); !slices.Equal(got, c.drifted) || len(done) != c.done {
				t.Errorf("%s: drifted %v, done %v; want %v and %d", c.name, got, done, c.drifted, c.done)
			}
		}
	}
}

func TestDrift_OfAChainIsNotItsOwnMoves(t *testing.T) {
	s := moves("a>b", "b>c")
	p := s.build(t)
	if drifted, done := p.Drift(look(p.Touches(), s.users, nil)); len(drifted)+len(done) > 0 {
		t.Errorf("drifted %v, done %v", driftsOf(drifted), done)
	}
}

func TestDrift_JudgesOnlyWhatWasLookedAt(t *testing.T) {
	p := driftScene().build(t)
	if drifted, done := p.Drift(nil); len(drifted)+len(done) > 0 {
		t.Errorf("drifted %v, done %v", driftsOf(drifted), done)
	}
}

func TestRule3_DriftInTheSource(t *testing.T) {
	row := func(upn string) func(*scene) *person {
		return func(s *scene) *person {
			i := slices.IndexFunc(s.source, func(p person) bool { return p.upn == upn+"@"+dom })
			return &s.source[i]
		}
	}
	for _, c := range []struct {
		name   string
		change func(*scene)
		want   []string
	}{
		{"nothing", func(*scene) {}, nil},
		{"the order, and lines", func(s *scene) { slices.Reverse(s.source); s.source[0].line = 99 }, nil},
		{"the case of a UPN", func(s *scene) { u := row("u")(s); u.upn, u.username = "U@"+dom, u.upn }, nil},
		{"a value of an action", func(s *scene) { row("u")(s).name = "Third" }, []string{"update u HS-3985"}},
		{"a value of nobody", func(s *scene) { row("z")(s).dept = "Sales" }, []string{"unknown z HS-3985"}},
		{"a status", func(s *scene) { row("z")(s).marks = 0 }, []string{"unknown z HS-3985"}},
		{"gone", func(s *scene) { s.source = s.source[1:] }, []string{"unknown z HS-3986"}},
		{"gone with an action", func(s *scene) { s.source = slices.Delete(s.source, 3, 4) }, []string{"add n HS-3986"}},
		{"new", func(s *scene) { s.source = append(s.source, user("y")) }, []string{"unknown y HS-3987"}},
		{"new for a deletion", func(s *scene) { s.source = append(s.source, user("y", upn("y@two.example"), imm("imm-d"))) }, []string{"delete y@two.example HS-3987"}},
		{"new in another domain", func(s *scene) { s.source = append(s.source, user("y", upn("y@two.example"))) }, nil},
		{"renamed again", func(s *scene) { row("r2")(s).upn = "r9@" + dom }, []string{"rename r2 HS-3985"}},
	} {
		s := driftScene()
		for _, p := range []*Plan{s.build(t), recode(t, s.build(t))} {
			now := driftScene()
			c.change(now)
			drifted := p.SourceDrift(snapshot(t, directory.Source, now.source))
			for _, d := range drifted {
				checkWords(t, d.Why)
			}
			got := driftsOf(drifted)
			if !slices.Equal(got, c.want) {
				t.Errorf("%s: %v, want %v", c.name, got, c.want)
			}
		}
	}
	s := driftScene()
	p := s.build(t)
	s.source[1].dept = "Sales"
	if d := p.SourceDrift(snapshot(t, directory.Source, s.source)); d[0].Attribute != directory.Department || d[0].Now != "Sales" ||
		d[0].No == 0 || d[0].Where != directory.Source || d[0].Why.Code != problem.DriftSource {
		t.Errorf("%+v", d)
	}
}

// An undo, and a plan of before links were learnt, rest on nothing that is remembered.
func TestPastDrift_OnlyOfPlansThatRestOnLinks(t *testing.T) {
	s := newScene()
	s.users = []person{account("u", named("New"))}
	undo := s.inverse(t, did(Update, "u", wrote(directory.DisplayName, "Name u", "New")))
	raw, err := os.ReadFile("testdata/v1.plan.json")
	if err != nil {
		t.Fatal(err)
	}
	first, err := Decode(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	linked := func(directory.ID) Known { return Known{Username: "u"} }
	for name, p := range map[string]*Plan{"an undo": undo, "the first format": first} {
		if d := p.PastDrift(linked); p.Len() == 0 || len(d) != 0 {
			t.Errorf("%s: %d rows, drifted %v", name, p.Len(), driftsOf(d))
		}
	}
	if d := driftScene().build(t).PastDrift(linked); len(d) == 0 {
		t.Error("a link that was learnt since is no drift")
	}
}

// What follows from an answer is not done once the answer is not given any more.
func TestAnswerDrift_OfAnAnswerThatIsNotGivenAnyMore(t *testing.T) {
	for _, c := range []struct {
		scene     func() *scene
		said, now string
		want      []string
	}{
		{marriage, "different", "different", nil},
		{marriage, "different", "", []string{"delete old", "add new"}},
		{marriage, "different", "not-now", []string{"delete old", "add new"}},
		{marriage, "different", "same new", []string{"delete old", "add new"}},
		{marriage, "same new", "same new", nil},
		{marriage, "same new", "different", []string{"rename new"}},
		{marriage, "same new", "", []string{"rename new"}},
		{two, "same n", "same n", nil},
		{two, "same n", "same m", []string{"rename n"}},
		{marriage, "not-now", "different", nil}, // nothing follows from it
		{marriage, "", "different", nil},
	} {
		open := c.scene().build(t)
		account, _ := directory.SplitUPN(open.Question(0).Account.UPN)
		p := open.Answer(answer(t, open, map[string]string{account: c.said}))
		now := answer(t, open, map[string]string{account: c.now})
		for _, p := range []*Plan{p, recode(t, p), p.Review().Approve()} {
			var got []string
			for _, d := range p.AnswerDrift(now) {
				checkWords(t, d.Why)
				got = append(got, d.Kind.String()+" "+strings.TrimSuffix(d.UPN, "@"+dom))
				if d.Then != string(answer(t, open, map[string]string{account: c.said})[0].Kind) {
					t.Errorf("%+v", d)
				}
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("said %q, now %q: %v, want %v", c.said, c.now, got, c.want)
			}
		}
	}
}
