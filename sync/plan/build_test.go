package plan

import (
	"bytes"
	"strings"
	"testing"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/problem"
)

func TestBuild_AddsUpdatesRenamesAndDeletes(t *testing.T) {
	s := newScene()
	s.source = []person{user("a"), user("b", named("New")), user("c", upn("c2")), user("n")}
	s.users = []person{account("a"), account("b"), account("c"), account("d")}
	p := s.build(t)
	expect(t, p,
		"delete d",
		"rename c2 was c",
		"add n",
		"update b displayName=New",
	)
	var buf bytes.Buffer
	if err := p.Encode(&buf); err != nil {
		t.Fatal(err)
	}
	first := buf.String()
	q, err := Decode(&buf)
	if err != nil {
		t.Fatal(err)
	}
	if q.Fingerprint() != p.Fingerprint() || q.Verdict().StopsAt != p.Verdict().StopsAt {
		t.Errorf("decoded plan differs")
	}
	var again bytes.Buffer
	if err := q.Encode(&again); err != nil {
		t.Fatal(err)
	}
	if again.String() != first {
		t.Errorf("encoded again:\n%s\nwas\n%s", again.String(), first)
	}
	expect(t, q, brief(p)...)
}

// An alias is shared with an account that keeps it, not with one that this plan gives
// another.
func TestBuild_WarnsOfAnAliasThatAnAccountKeeps(t *testing.T) {
	for name, c := range map[string]struct {
		becomes string
		shared  bool
	}{"kept": {"u", true}, "given up": {"v", false}} {
		s := newScene()
		s.in.Policy.ChangeAlias = true
		s.source = []person{user("z"), user("u", alias(c.becomes)), user("n", alias("U"))}
		s.users = []person{account("z"), account("u")}
		for a := range s.build(t).Actions() {
			if got := has(a, problem.AliasShared); got != (c.shared && a.Kind == Add) {
				t.Errorf("%s: %s %s, shared %t", name, a.Kind, a.UPN, got)
			}
		}
	}
}

// What an addition needs is written once, whether the policy lists it or not.
func TestBuild_AnAdditionWritesEachValueOnce(t *testing.T) {
	for _, c := range []struct {
		listed []directory.Attribute
		want   string
	}{
		{nil, "userPrincipalName onPremisesImmutableId displayName surname givenName mailNickname accountEnabled"},
		{directory.Standard()[:1], "userPrincipalName displayName mailNickname accountEnabled"},
		{[]directory.Attribute{directory.MailNickname}, "userPrincipalName mailNickname displayName accountEnabled"},
	} {
		s := newScene()
		s.in.Policy.Attributes = c.listed
		s.source, s.users = []person{user("z"), user("n")}, []person{account("z")}
		p := s.build(t)
		expect(t, p, "add n")
		var got []string
		for _, x := range p.Action(0).Changes {
			got = append(got, string(x.Attribute))
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("with %v: %v, want %s", c.listed, got, c.want)
		}
	}
}

// Without it the account would come back with a UPN that it does not have any more.
func TestBuild_ARestoreWithAnotherUPNWritesItWhateverIsListed(t *testing.T) {
	for _, listed := range [][]directory.Attribute{nil, {directory.DisplayName}, {directory.UserPrincipalName, directory.DisplayName}} {
		s := newScene()
		s.in.Policy.Attributes = listed
		s.source, s.users = []person{user("z"), user("b", as("a"), imm("imm-a"))}, []person{account("z")}
		s.deleted = []person{gone("a")}
		p := s.build(t)
		n := 0
		for _, c := range p.Action(0).Changes {
			if c.Attribute == directory.UserPrincipalName {
				n++
			}
		}
		if p.Action(0).Kind != Restore || n != 1 {
			t.Errorf("with %v: UPN %d times in%s", listed, n, describe(p))
		}
	}
}

func TestReview_IsTouchedByARowLeftOutAlone(t *testing.T) {
	s := leaver(t)
	r := s.build(t).Review()
	if r.Touched() {
		t.Error("nothing was decided")
	}
	if r.LeaveOut(1); !r.Touched() {
		t.Error("a row is left out")
	}
}
