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
