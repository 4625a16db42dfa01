package plan

import (
	"fmt"
	"testing"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/problem"
)

// Somebody who has an account in another domain, of which no link knows, gets no
// second one without a question, where the same source feeds that domain.
func TestQuestions_AnAccountOfASiblingDomainIsNotDoubled(t *testing.T) {
	there := func(set ...func(*person)) person {
		return account("old", append([]func(*person){upn("old@two.example"), imm("")}, set...)...)
	}
	row := func(set ...func(*person)) person {
		return user("new", append([]func(*person){imm(""), username("0077")}, set...)...)
	}
	for name, tt := range map[string]struct {
		account, row person
		change       func(*scene)
		asks         bool
	}{
		"the whole name":             {there(), row(named("Name old")), nil, true},
		"the local part":             {there(upn("new@two.example")), row(), nil, true},
		"the alias":                  {there(alias("new")), row(), nil, true},
		"the ID with another form":   {there(imm("abc=")), row(imm("abc")), nil, true},
		"its address":                {there(address("new@" + dom)), row(), nil, false}, // the UPN is taken: no addition
		"nothing":                    {there(), row(), nil, false},
		"only the given name":        {there(), row(func(p *person) { p.given = "Given old" }), nil, false},
		"a protected account":        {there(mark(directory.RoleHolder)), row(named("Name old")), nil, false},
		"the account has its row":    {there(), row(named("Name old")), func(s *scene) { s.source = append(s.source, user("old", upn("old@two.example"), imm(""))) }, false},
		"another source feeds it":    {there(), row(named("Name old")), func(s *scene) { s.in.Siblings = nil }, false},
		"the domain is not set up":   {there(), row(named("Name old")), func(s *scene) { s.in.SetUp = []string{dom} }, false},
		"nobody to be added":         {there(), user("z2", as("old"), imm("imm-z2")), func(s *scene) { s.users = append(s.users, account("z2", as("old"))) }, false},
		"the address, and to be had": {there(address("0077@elsewhere.example")), row(dept("0077@elsewhere.example")), nil, true},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene()
			s.in.Siblings = map[string]bool{"two.example": true}
			s.source = []person{user("z"), tt.row}
			s.users = []person{account("z"), tt.account}
			if tt.change != nil {
				tt.change(s)
			}
			for _, s.in.Unattended = range []bool{false, true} {
				p := s.build(t)
				if asks := p.QuestionLen() == 1; asks != tt.asks || asks && p.Counts().Add > 0 {
					t.Fatalf("unattended %t: plan%s", s.in.Unattended, describe(p))
				}
				if !tt.asks {
					continue
				}
				if c := p.Question(0).Rows[0]; c.Same == 0 && (c.SameWhy == nil || c.SameWhy.Code != problem.ImmutableIDDiffers) {
					t.Errorf("same person does nothing: %v", c.SameWhy)
				}
				q := p.Answer(answer(t, p, map[string]string{"old": "different", "new": "different"}))
				if q.Counts().Add != 1 || q.Counts().Delete != 0 {
					t.Errorf("different people: plan%s", describe(q))
				}
			}
		})
	}
}

// A move that follows from an answer counts in the guard of the domain that it leaves
// as any other: unattended it is held there, and the rest goes on.
func TestGuard_AnAnsweredMoveIsHeldUnattended(t *testing.T) {
	for _, tt := range []struct {
		unattended    bool
		percent       int
		renames, held int
		cancelled     bool
	}{
		{unattended: true, percent: 20, held: 2},
		{unattended: true, percent: 21, renames: 2},
		{percent: 20, renames: 2, cancelled: true},
	} {
		s := newScene()
		two := DefaultPolicy()
		two.MaxAllowedDeletions = tt.percent
		s.in.Siblings, s.in.Others = map[string]bool{"two.example": true}, map[string]Policy{"two.example": two}
		s.in.Unattended, s.in.Policy.MaxChanges, s.in.Policy.MaxSignInChanges = tt.unattended, 100, 100
		s.in.Past.Claimed = map[directory.ID]bool{"id-old": true, "id-old2": true}
		for i := range 10 {
			key := fmt.Sprint("s", i)
			s.source, s.users = append(s.source, user(key)), append(s.users, account(key))
			if key = fmt.Sprint("t", i); i < 8 {
				s.source = append(s.source, user(key, upn(key+"@two.example")))
				s.users = append(s.users, account(key, upn(key+"@two.example")))
			}
		}
		s.source = append(s.source, user("new", imm(""), as("old")), user("new2", imm(""), as("old2")), user("plain"))
		s.users = append(s.users, account("old", upn("old@two.example")), account("old2", upn("old2@two.example")))
		s.in.Answers = answer(t, s.build(t), map[string]string{"old": "same new", "old2": "same new2"})
		for how, p := range map[string]*Plan{"built": s.build(t), "from a file": recode(t, s.build(t))} {
			c, v := p.Counts(), p.Verdict()
			if c.Rename != tt.renames || c.Add != 1 || c.OpenQuestions != 0 || v.Cancelled != tt.cancelled || v.Lost != 0 {
				t.Errorf("%+v, %s: cancelled by %v, lost %d, plan%s", tt, how, v.Why, v.Lost, describe(p))
			}
			held := 0
			for k := range p.Skips() {
				if k.Why.Code == problem.MoveHeldByGuard {
					held++
					checkWords(t, k.Why)
				}
			}
			if held != tt.held {
				t.Errorf("%+v, %s: %d held, plan%s", tt, how, held, describe(p))
			}
		}
	}
}

func TestSiblings_AnAccountThatSeveralRowsMayBeIsAskedAboutOnce(t *testing.T) {
	s := newScene()
	s.in.Siblings = map[string]bool{"two.example": true}
	old := account("old", upn("old@two.example"), imm(""))
	s.source = []person{user("z"), user("x", as("old"), imm(""), username("1")), user("y", as("old"), imm(""), username("2"))}
	s.users = []person{account("z"), old}
	p := s.build(t)
	if p.QuestionLen() != 1 || len(p.Question(0).Rows) != 2 {
		t.Errorf("plan%s", describe(p))
	}
}
