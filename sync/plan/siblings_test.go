package plan

import (
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
