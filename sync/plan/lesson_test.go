package plan

import (
	"slices"
	"testing"
	"time"

	"github.com/hacsync/hacsync/sync/directory"
)

// A Username that came back for a person of another name stays broken: its read
// teaches nothing of it, so that the next one asks again.
func TestLesson_ARowInQuestionCountsAsMissing(t *testing.T) {
	s := newScene()
	s.source = []person{user("z"), user("a", imm(""), named("Other Name"), func(p *person) {
		p.username, p.sur, p.given, p.lastSignIn = "a", "Name", "Other", at
	})}
	s.users = []person{account("z"), account("a", imm(""))}
	learnt := func(last, login time.Time) {
		b := NewPastBuilder()
		link := Link{Account: "id-a", Username: "a", Given: "Given a", Family: "Sur a", Display: "Name a", UPN: "a@" + dom}
		if err := b.Add(link, Seen{First: at.Add(-directory24(90)), Last: last, Login: login}); err != nil {
			t.Fatal(err)
		}
		s.in.Past = Past{Source: "hac", At: at.Add(-directory24(1)), Claimed: map[directory.ID]bool{}, Absent: map[directory.ID]Absence{}}
		if err := b.Seal(&s.in.Past); err != nil {
			t.Fatal(err)
		}
	}
	says := func(l *Lesson) (seen, gone, login bool) {
		return slices.Contains(l.New, "a"), slices.Contains(l.Gone, "a"),
			slices.ContainsFunc(l.Logins, func(x Login) bool { return x.Username == "a" })
	}
	// It was missing once, and is here again.
	learnt(at.Add(-directory24(31)), time.Time{})
	p := s.build(t)
	if p.QuestionLen() != 1 {
		t.Fatalf("plan:%s", describe(p))
	}
	if seen, gone, login := says(p.Lesson()); seen || gone || login {
		t.Errorf("missed before: new %t, gone %t, login %t", seen, gone, login)
	}
	// It never was missing, but its Last Login went back.
	learnt(at.Add(-directory24(1)), at.Add(time.Hour))
	p = s.build(t)
	if p.QuestionLen() != 1 {
		t.Fatalf("plan:%s", describe(p))
	}
	if seen, gone, login := says(p.Lesson()); seen || !gone || login {
		t.Errorf("made anew: new %t, gone %t, login %t", seen, gone, login)
	}
	// Said to be the same person, it is seen with its link.
	s.in.Answers = answers(p.Question(0), 3)
	for _, l := range s.build(t).Lesson().Links {
		if l.Username == "a" && (!l.Asked || !l.Login.Equal(at)) {
			t.Errorf("the link of the answer: %+v", l)
		}
	}
}

// What was there before is not taught: taught again, its first day would move, and two
// people who were in the same reads for a month would look like one.
func TestLesson_ARowThatWasThereBeforeIsNoNews(t *testing.T) {
	s := newScene()
	with := func(name string) person {
		return user(name, func(p *person) { p.username, p.lastSignIn = name, at })
	}
	s.source = []person{with("old"), with("new"), with("back")}
	s.users = []person{account("old"), account("new"), account("back")}
	b := NewPastBuilder()
	read := at.Add(-directory24(1))
	for name, last := range map[string]time.Time{"old": read, "back": read.Add(-directory24(3))} {
		link := Link{Account: directory.ID("id-" + name), Username: name, Given: "Given " + name, Family: "Sur " + name, Display: "Name " + name, UPN: name + "@" + dom}
		if err := b.Add(link, Seen{First: at.Add(-directory24(90)), Last: last, Login: at}); err != nil {
			t.Fatal(err)
		}
	}
	s.in.Past = Past{Source: "hac", At: read, Claimed: map[directory.ID]bool{}, Absent: map[directory.ID]Absence{}}
	if err := b.Seal(&s.in.Past); err != nil {
		t.Fatal(err)
	}
	l := s.build(t).Lesson()
	slices.Sort(l.New)
	if !slices.Equal(l.New, []string{"back", "new"}) || len(l.Gone) != 0 {
		t.Errorf("new %q, gone %q", l.New, l.Gone)
	}
}

// A link is taught again when any part of it is not what it was, and only then.
func TestLesson_ALinkIsTaughtWhereAnyPartOfItChanged(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*person)
		want   int
	}{
		"nothing":         {func(*person) {}, 0},
		"the given name":  {func(p *person) { p.given = "Other" }, 1},
		"the family name": {func(p *person) { p.sur = "Other" }, 1},
		"the name shown":  {named("Other"), 1},
		"the UPN":         {upn("b"), 1},
		"the ID":          {imm("imm-b"), 1},
	} {
		s := newScene()
		s.source, s.users = []person{user("a", username("0001")), user("z")}, []person{account("a"), account("z")}
		c.change(&s.source[0])
		s.users[0].imm, s.users[0].upn = s.source[0].imm, s.source[0].upn
		s.learnt(t, []string{"0001=a"})
		links := slices.DeleteFunc(s.build(t).Lesson().Links, func(l Taught) bool { return l.Username != "0001" })
		if len(links) != c.want || c.want > 0 && links[0].Account != "id-a" {
			t.Errorf("%s: taught %+v", name, links)
		}
	}
}

// A plan that does not know what its source said teaches nothing: one from a file, and
// an undo.
func TestLesson_OnlyAPlanThatWasJustBuiltTeaches(t *testing.T) {
	s := marriage()
	s.users = append(s.users, account("u", named("New")))
	p := s.build(t)
	if p.Lesson() == nil || p.Answer(answer(t, p, map[string]string{"old": "different"})).Lesson() == nil {
		t.Error("a plan that was just built teaches nothing")
	}
	for how, q := range map[string]*Plan{
		"from a file": recode(t, p), "an undo": s.inverse(t, did(Update, "u", wrote(directory.DisplayName, "Name u", "New"))),
	} {
		if l := q.Lesson(); l != nil {
			t.Errorf("%s: %+v", how, l)
		}
	}
}

// A row that acts on an account without a source row teaches an absence and no link.
func TestLesson_WhoseAccountIsBlockedOrDeletedIsAbsent(t *testing.T) {
	for want, on := range map[string]OnMissing{"update a accountEnabled=false": BlockMissing, "delete a": DeleteMissing} {
		s := leaver(t)
		s.in.Policy.OnMissing = on
		p := s.build(t)
		expect(t, p, want)
		l := p.Lesson()
		if !slices.Equal(l.Absent, []directory.ID{"id-a"}) || !slices.Equal(l.Gone, []string{"0002"}) || len(l.New)+len(l.Links) != 0 {
			t.Errorf("%s: %+v", on, l)
		}
	}
}

// Of a row whose account is deleted and added again, the link is that of the addition.
func TestLesson_AnAccountThatIsAddedAgainIsLinkedAnew(t *testing.T) {
	s := newScene()
	s.source, s.users = []person{user("z"), user("a", imm("2"), username("0001"))}, []person{account("z"), account("a", imm("1"))}
	s.in.Decisions = []Decision{{Kind: Allow, ID: "id-a", Attribute: directory.UserPrincipalName}}
	s.learnt(t, []string{"z@" + dom + "=z"})
	p := s.build(t)
	expect(t, p, "delete a", "add a")
	if l := p.Lesson().Links; len(l) != 1 || l[0].Username != "0001" || l[0].Account != "" || l[0].No != 2 {
		t.Errorf("%+v", l)
	}
}

// What an answer teaches waits for the row that it makes; without one it is sure at once.
func TestLesson_AnAnswerThatRenamesTeachesOnlyWithItsRow(t *testing.T) {
	s := leaver(t)
	s.source = append(s.source, user("b", as("a"), imm(""), username("0009")))
	s.users[1] = account("a", imm(""))
	p := s.build(t)
	if p.QuestionLen() != 1 || p.Question(0).Rows[0].Same == 0 {
		t.Fatalf("plan%s", describe(p))
	}
	found := 0
	for _, l := range p.Lesson().Links {
		if l.Username != "0009" || l.Account == "" {
			continue
		}
		if found++; l.No != p.Question(0).Rows[0].Same {
			t.Errorf("taught with row %d: %+v", l.No, l)
		}
	}
	if found != 1 {
		t.Errorf("taught %d times", found)
	}
}
