package plan

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/problem"
)

// What the towns found once, and find again only in a long run.

// calling gives a row or an account a name: family, given.
func calling(family, given string) func(*person) {
	return func(p *person) { p.sur, p.given, p.name = family, given, family+" "+given }
}

func hacName(s string) func(*person) { return func(p *person) { p.username, p.alias = s, s } }

// remember links accounts with Usernames that were seen for 60 days, or as given, to
// the last read.
func (s *scene) remember(t *testing.T, usernames map[string]string, days map[string]int) {
	t.Helper()
	past := &s.in.Past
	past.Source, past.At = "hac", at.Add(-24*time.Hour)
	b := NewPastBuilder()
	add := func(l Link) {
		n, ok := days[l.Username]
		if !ok {
			n = 60
		}
		if err := b.Add(l, Seen{First: at.Add(-directory24(n)), Last: past.At}); err != nil {
			t.Fatal(err)
		}
	}
	for name := range days {
		if _, linked := usernames[name]; !linked {
			add(Link{Username: name})
		}
	}
	for _, u := range slices.Concat(s.users, s.deleted) {
		name, ok := usernames[strings.TrimPrefix(u.id, "id-")]
		if !ok {
			continue
		}
		add(Link{Account: directory.ID(u.id), Username: name, Given: u.given, Family: u.sur, Display: u.name, UPN: u.upn, ImmutableID: u.imm})
	}
	if err := b.Seal(past); err != nil {
		t.Fatal(err)
	}
}

func TestPeople_WhatTheTownsFound(t *testing.T) {
	for _, c := range []struct {
		name          string
		source, users []person
		bin           []person
		links         map[string]string
		restored      bool
		seen          map[string]int // days, of Usernames without a link too; 60 for a link
		want          []string
	}{
		{
			name:   "Usernames once exchanged between two of one given name are no chain",
			source: []person{user("a", imm(""), hacName("b"), calling("佐藤", "誠")), user("b", imm(""), hacName("a"), calling("鈴木", "誠"))},
			users:  []person{account("a", imm(""), alias("b"), calling("佐藤", "誠")), account("b", imm(""), alias("a"), calling("鈴木", "誠"))},
			links:  map[string]string{"a": "a", "b": "b"},
			want:   []string{"skip a HS-3218", "skip b HS-3218"},
		},
		{
			name:   "nor where no name can be compared",
			source: []person{user("a", imm(""), hacName("b"), calling("Sato", "Makoto")), user("b", imm(""), hacName("a"), calling("Suzuki", "Mai"))},
			users:  []person{account("a", imm(""), calling("佐藤", "誠")), account("b", imm(""), calling("鈴木", "舞"))},
			links:  map[string]string{"a": "a", "b": "b"},
			want:   []string{"skip a HS-3218", "skip b HS-3218"},
		},
		{
			name:   "a row that a link alone matches, without a name, holds the account of its UPN",
			source: []person{user("a", imm(""), upn("a b@"+dom), hacName("x"), calling("Sato", "Makoto"))},
			users:  []person{account("ab", imm(""), calling("佐藤", "誠")), account("x", imm(""), calling("鈴木", "舞"))},
			links:  map[string]string{"x": "x"},
			want:   []string{"skip a b HS-3301", "ask ab: a b"},
		},
		{
			name:   "an address in another column is found with a space inside",
			source: []person{user("", imm(""), upn("佐藤"), hacName("誠"), dept("a b@"+dom), calling("", "")), user("z")},
			users:  []person{account("ab", imm(""), calling("鈴木", "舞")), account("z")},
			links:  map[string]string{"ab": "ab", "z": "z"},
			want:   []string{"skip 佐藤 HS-3301", "ask ab: 佐藤"},
		},
		{
			name:   "the local part of an address with something around it, in another domain",
			source: []person{user("", imm(""), upn("Sato <m.sato@gone.example>"), hacName("new"), calling("Sato", "Makoto")), user("z")},
			users:  []person{account("m.sato", imm(""), calling("鈴木", "舞")), account("z")},
			links:  map[string]string{"m.sato": "m.sato", "z": "z"},
			want:   []string{"ask m.sato: Sato <m.sato@gone.example>"},
		},
		{
			name: "a Username that stands twice does not make a row old",
			source: []person{
				user("new", imm(""), hacName("z"), calling("高橋", "舞")), user("z", hacName("z")),
			},
			users: []person{account("a", imm(""), calling("鈴木", "舞")), account("z")},
			links: map[string]string{"a": "a", "z": "z"},
			want:  []string{"skip new HS-3217", "skip z HS-3217", "ask a: new"},
		},
		{
			name:   "a deleted account of other names is not restored by its ID alone",
			source: []person{user("new", imm("imm-old"), calling("佐藤", "誠"))}, bin: []person{gone("old", calling("鈴木", "舞"))},
			want: []string{"skip new HS-3354"},
		},
		{
			name:   "nor by its ID and its Username: who was deleted was away, and both can be handed on",
			source: []person{user("new", imm("imm-old"), hacName("old"), calling("佐藤", "誠"))}, bin: []person{gone("old", calling("鈴木", "舞"))},
			links: map[string]string{"old": "old"}, want: []string{"skip new HS-3354"},
		},
		{
			name: "who gets a second account is asked about, though a conflict spares the first",
			source: []person{
				user("new", imm(""), hacName("new"), calling("佐藤", "誠")), user("a", imm(""), hacName("b"), calling("鈴木", "舞")), user("z"),
			},
			users: []person{account("a", imm(""), calling("佐藤", "誠")), account("b", imm(""), calling("鈴木", "舞")), account("z")},
			links: map[string]string{"a": "a", "b": "b", "z": "z"},
			want:  []string{"skip a HS-3218", "ask a: a new"},
		},
		{
			name: "also after a marriage, where the old Username was handed on",
			source: []person{
				user("new", imm(""), hacName("new"), calling("高橋", "誠")), user("b", imm(""), hacName("a"), calling("鈴木", "舞")), user("z"),
			},
			users: []person{account("a", imm(""), calling("佐藤", "誠")), account("b", imm(""), calling("鈴木", "舞")), account("z")},
			links: map[string]string{"a": "a", "z": "z"},
			want:  []string{"skip b HS-3218", "ask a: b new"},
		},
		{
			name:   "or the first is in another domain",
			source: []person{user("new", imm(""), hacName("new"), calling("佐藤", "誠"))},
			users:  []person{account("a", imm(""), upn("a@two.example"), calling("佐藤", "誠"))},
			links:  map[string]string{"a": "a"},
			want:   []string{"ask a@two.example: new"},
		},
		{
			name:   "a namesake made anew, with the UPN of one who left",
			source: []person{user("a", imm(""), hacName("new"), calling("佐藤", "誠")), user("z")},
			users:  []person{account("a", imm(""), calling("佐藤", "誠")), account("b", imm(""), calling("佐藤", "誠")), account("z")},
			links:  map[string]string{"a": "a", "b": "b", "z": "z"},
			want:   []string{"ask b: a"},
		},
		{
			name:   "also where that account has no link",
			source: []person{user("a", imm(""), hacName("new"), calling("佐藤", "誠")), user("z")},
			users:  []person{account("a", imm(""), calling("佐藤", "誠")), account("b", imm(""), calling("佐藤", "誠")), account("z")},
			links:  map[string]string{"b": "b", "z": "z"},
			want:   []string{"ask b: a"},
		},
		{
			name:   "or in another domain, and its person married with a new Username",
			source: []person{user("new", imm(""), hacName("new"), calling("高橋", "誠"))},
			users:  []person{account("a", imm(""), upn("a@two.example"), calling("佐藤", "誠"))},
			links:  map[string]string{"a": "a"},
			want:   []string{"ask a@two.example: new"},
		},
		{
			name:   "quotes around a Username, in a row without anything else",
			source: []person{user("", imm(""), hacName("'a'"), upn(""), func(p *person) { p.sur, p.given, p.name, p.alias = "", "", "", "" }), user("z")},
			users:  []person{account("a", imm("")), account("z")},
			links:  map[string]string{"z": "z"},
			want:   []string{"skip  HS-3304", "ask a: "},
		},
		{
			name:   "a row with another ID may be the person of another account",
			source: []person{user("a", imm("other"), calling("佐藤", "誠"))},
			users:  []person{account("a", calling("鈴木", "舞")), account("b", imm(""), calling("佐藤", "誠"))},
			links:  map[string]string{"b": "b"},
			want:   []string{"skip a HS-3206", "ask b: a"},
		},
		{
			name:   "a given name is found in the display name",
			source: []person{user("new", imm(""), hacName("new"), calling("高橋", "舞"), func(p *person) { p.given = "" })},
			users:  []person{account("a", imm(""), calling("鈴木", "舞"))},
			links:  map[string]string{"a": "a"},
			want:   []string{"ask a: new"},
		},
		{
			name:   "after a break a link needs more than the given name",
			source: []person{user("new", imm(""), hacName("a"), calling("高橋", "舞"))},
			users:  []person{account("a", imm(""), calling("鈴木", "舞"))},
			links:  map[string]string{"a": "a"}, restored: true,
			want: []string{"ask a: new"},
		},
		{
			name:   "and more than the family name",
			source: []person{user("new", imm(""), hacName("a"), calling("鈴木", "誠"))},
			users:  []person{account("a", imm(""), calling("鈴木", "舞"))},
			links:  map[string]string{"a": "a"}, restored: true,
			want: []string{"ask a: new"},
		},
		{
			name:   "two Usernames side by side for long are two people, of whatever name",
			source: []person{user("k", imm(""), hacName("k"), calling("鈴木", "舞"))},
			users:  []person{account("a", imm(""), calling("鈴木", "舞"))},
			links:  map[string]string{"a": "a"}, seen: map[string]int{"k": 50},
			want: []string{"delete a", "add k"},
		},
		{
			name:   "for some days they may be one",
			source: []person{user("k", imm(""), hacName("k"), calling("鈴木", "舞"))},
			users:  []person{account("a", imm(""), calling("鈴木", "舞"))},
			links:  map[string]string{"a": "a"}, seen: map[string]int{"k": 10},
			want: []string{"ask a: k"},
		},
		{
			name:   "and a given name counts in a row that is new",
			source: []person{user("k", imm(""), hacName("k"), calling("高橋", "舞"))},
			users:  []person{account("a", imm(""), calling("鈴木", "舞"))},
			links:  map[string]string{"a": "a"}, seen: map[string]int{"k": 10},
			want: []string{"ask a: k"},
		},
		{
			name:   "not in an old one",
			source: []person{user("k", imm(""), hacName("k"), calling("高橋", "舞"))},
			users:  []person{account("a", imm(""), calling("鈴木", "舞"))},
			links:  map[string]string{"a": "a"}, seen: map[string]int{"k": 50, "a": 9},
			want: []string{"delete a", "add k"},
		},
		{
			name: "a conflict in another domain is a row without an account too",
			source: []person{
				user("x", imm(""), upn("x@two.example"), hacName("z"), calling("鈴木", "舞")), user("y", imm(""), upn("y@two.example"), hacName("z")), user("q"),
			},
			users: []person{account("a", imm(""), calling("鈴木", "舞")), account("q")},
			links: map[string]string{"a": "a", "q": "q"},
			want:  []string{"ask a: x@two.example"},
		},
		{
			name:   "an ID in quotes is found",
			source: []person{user("new", imm(`"imm-a`), hacName("new"), calling("高橋", "誠"))},
			users:  []person{account("a", calling("鈴木", "舞"))},
			links:  map[string]string{"a": "a"},
			want:   []string{"ask a: new"},
		},
		{
			name:   "and an old address, with something around it",
			source: []person{user("new", imm(""), upn("(old@"+dom+")"), hacName("new"), calling("高橋", "誠")), user("z")},
			users:  []person{account("a", imm(""), address("old@"+dom), calling("鈴木", "舞")), account("z")},
			links:  map[string]string{"a": "a", "z": "z"},
			want:   []string{"ask a: (old@midori.example)"},
		},
		{
			name:   "a family name alone is no name",
			source: []person{user("a", imm(""), func(p *person) { p.sur, p.given, p.name = "佐藤", "", "佐藤" })},
			users:  []person{account("a", imm(""), calling("佐藤", "誠"))},
			want:   []string{"ask a: a"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newScene()
			s.source, s.users, s.deleted = c.source, c.users, c.bin
			s.remember(t, c.links, c.seen)
			s.in.Past.Restored = c.restored
			got := brief(s.build(t))
			if strings.Join(got, "\n") != strings.Join(c.want, "\n") {
				t.Errorf("plan:\n\t%s\nwant:\n\t%s", strings.Join(got, "\n\t"), strings.Join(c.want, "\n\t"))
			}
		})
	}
}

func TestPeople_AFileWhoseLinksFailIsDoubted(t *testing.T) {
	s := newScene()
	links := map[string]string{}
	keys := strings.Split("abcdefghijklmnopqrst", "")
	for i, k := range keys { // the Usernames are shifted by a row
		s.source = append(s.source, user(k, imm(""), hacName(keys[(i+1)%len(keys)])))
		s.users = append(s.users, account(k, imm("")))
		links[k] = k
	}
	s.remember(t, links, nil)
	_, err := Build(s.input(t))
	code(t, err, problem.SourceDoubtful)
}

// Different people, said of a row that has the immutable ID of the account: the
// row is not added while the account has it.
func TestPeople_AnIDIsNotGivenTwice(t *testing.T) {
	s := newScene()
	s.source = []person{user("new", imm("imm-a"), calling("佐藤", "誠"))}
	s.users = []person{account("a", calling("鈴木", "舞"))}
	p := s.build(t)
	p = p.Answer(answers(p.Question(0), 2))
	for a := range p.Actions() {
		if a.Kind == Add {
			t.Errorf("added:%s", describe(p))
		}
	}
}

// Different people, said of one account, deletes nothing while another question
// about the same row is open.
func TestPeople_AnOpenQuestionHoldsTheDeletionThatDependsOnIt(t *testing.T) {
	s := newScene()
	s.source = []person{user("new", imm(""), hacName("new"), calling("鈴木", "舞"))}
	s.users = []person{account("a", imm(""), calling("鈴木", "舞")), account("b", imm(""), calling("鈴木", "舞"))}
	s.remember(t, map[string]string{"a": "a", "b": "b"}, nil)
	p := s.build(t)
	if p.QuestionLen() != 2 {
		t.Fatalf("plan:%s", describe(p))
	}
	if p = p.Answer(answers(p.Question(0), 2)); p.Len() != 0 {
		t.Errorf("one answered:%s", describe(p))
	}
}
