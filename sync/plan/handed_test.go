package plan

import (
	"testing"

	"github.com/hacsync/hacsync/sync/directory"
)

// A new user with the Username and the UPN of a leaver, both given to them within one
// read: two witnesses agree, and no name does. A name that one person may change is no
// such case.
func TestMatch_UsernameAndUPNHandedOnAreAsked(t *testing.T) {
	call := func(family, given, display string) func(*person) {
		return func(p *person) { p.sur, p.given, p.name = family, given, display }
	}
	for name, tt := range map[string]struct {
		account, row func(*person)
		ids          [2]string // of the account, of the row
		asks         bool
	}{
		"another person":         {call("山田", "太郎", "山田 太郎"), call("鈴木", "花子", "鈴木 花子"), [2]string{}, true},
		"in Latin letters":       {call("Yamada", "Taro", "Taro Yamada"), call("Suzuki", "Hanako", "Hanako Suzuki"), [2]string{}, true},
		"the account has an ID":  {call("山田", "太郎", "山田 太郎"), call("鈴木", "花子", "鈴木 花子"), [2]string{"imm-a", ""}, true},
		"the row has an ID":      {call("山田", "太郎", "山田 太郎"), call("鈴木", "花子", "鈴木 花子"), [2]string{"", "imm-a"}, true},
		"a family name cut up":   {call("伊藤", "誠", "伊藤 誠"), call("佐 藤", "隆", "佐藤 隆"), [2]string{}, true},
		"a display name cut up":  {call("伊藤", "誠", "伊藤 誠"), call("佐藤", "隆", "佐 藤 隆"), [2]string{}, true},
		"names of one letter":    {call("林", "誠", "林 誠"), call("", "", "林 隆"), [2]string{}, false},
		"only display names":     {call("", "", "山田 太郎"), call("", "", "鈴木 花子"), [2]string{}, true},
		"one ID on both":         {call("山田", "太郎", "山田 太郎"), call("鈴木", "花子", "鈴木 花子"), [2]string{"imm-a", "imm-a"}, false},
		"a marriage":             {call("山田", "花子", "山田 花子"), call("鈴木", "花子", "鈴木 花子"), [2]string{}, false},
		"another given name":     {call("山田", "太郎", "山田 太郎"), call("山田", "花子", "山田 花子"), [2]string{}, false},
		"a display name":         {call("山田", "太郎", "山田 太郎"), call("山田", "太郎", "広報部"), [2]string{}, false},
		"kanji to Latin letters": {call("山田", "太郎", "山田 太郎"), call("Suzuki", "Hanako", "Hanako Suzuki"), [2]string{}, false},
		"in the other order":     {call("Yamada", "Taro", "Taro Yamada"), call("Taro", "Yamada", "Yamada Taro"), [2]string{}, false},
		"in one cell":            {call("山田", "太郎", "山田 太郎"), call("", "", "山田太郎"), [2]string{}, false},
		"no name on one side":    {call("", "", ""), call("鈴木", "花子", "鈴木 花子"), [2]string{}, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := leaver(t)
			s.users[1] = account("a", tt.account, imm(tt.ids[0]))
			s.source = append(s.source, user("a", username("0002"), tt.row, imm(tt.ids[1])))
			s.learnt(t, []string{"0001=z", "0002=a"}, func(l *Link, _ *Seen) {
				if l.Username == "0002" {
					l.Family, l.Given, l.Display, l.ImmutableID = s.users[1].sur, s.users[1].given, s.users[1].name, tt.ids[0]
				}
			})
			p := s.build(t)
			if asks := p.QuestionLen() == 1; asks != tt.asks || asks && p.Len() != 0 {
				t.Fatalf("plan%s", describe(p))
			}
			if !tt.asks {
				return
			}
			c := p.Question(0).Rows[0]
			if len(c.Against) == 0 || c.Against[0] != SignOtherName || c.Same == 0 {
				t.Errorf("for %v, against %v", c.For, c.Against)
			}
			for _, sign := range c.Against {
				if sign == SignBroken {
					t.Error("the Username was never away")
				}
			}
			q := p.Answer(answer(t, p, map[string]string{"a": "same 0002"}))
			for a := range q.Actions() {
				if a.User.ID != directory.ID("id-a") || a.Kind != Update {
					t.Errorf("plan%s", describe(q))
				}
			}
			if q = p.Answer(answer(t, p, map[string]string{"a": "different"})); q.Counts().Delete != 1 || q.Counts().Add != 1 {
				t.Errorf("plan%s", describe(q))
			}
		})
	}
}

// A row whose UPN is a protected account's, with other names, is not certainly of that
// account's person: its Username may identify the person.
func TestMatch_ARowOfAProtectedUPNStillKeepsTheAccountOfItsUsername(t *testing.T) {
	s := leaver(t)
	s.users = []person{account("z"), account("a", imm("")), account("guest", imm(""), mark(directory.Guest))}
	s.source = append(s.source, user("guest", username("0002"), imm(""), named("Name a"), func(p *person) { p.sur, p.given = "Sur a", "ギブン" }))
	s.learnt(t, []string{"0001=z", "0002=a", "0003=guest"}, func(l *Link, seen *Seen) {
		l.ImmutableID = ""
		if l.Username == "0002" {
			seen.Last = seen.First // it was missed since
		}
	})
	expect(t, s.build(t), "skip guest HS-3104", "ask a: guest")
}

// A reviewer said that a row is the person of an account, and the row is another
// account's now: both have to be looked at, and neither is deleted.
func TestQuestions_WhoWasSaidToBeInTheSourceIsNotDeleted(t *testing.T) {
	s := leaver(t)
	s.source = append(s.source, user("b", username("0003")))
	s.users = append(s.users, account("b"))
	s.learnt(t, []string{"0001=z", "0002=a", "0003=b"})
	expect(t, s.build(t), "delete a")
	said := Answer{Kind: SamePerson, Account: "id-a", Row: "0003", Basis: "as it was then"}
	s.in.Answers = []Answer{said}
	expect(t, s.build(t), "ask a: b")
	s.in.Answers = []Answer{said, {Kind: NotNow, Account: "id-a", Row: "0003", Basis: "as it was then"}}
	expect(t, s.build(t), "ask a: b")
	asked := s.build(t)
	s.in.Answers = append([]Answer{said}, answer(t, asked, map[string]string{"a": "different"})...)
	p := s.build(t)
	expect(t, p, "delete a", "ask a: b = different")
	if later := asked.Answer(s.in.Answers); later.Fingerprint() != p.Fingerprint() || describe(later) != describe(p) {
		t.Errorf("answered later: another plan%s", describe(later))
	}
	expect(t, p.Answer(nil), "ask a: b") // without an answer it is still not deleted
	for _, p := range []*Plan{p, recode(t, p), p.Review().Approve()} {
		if now, before := p.AnswerDrift(s.in.Answers), p.AnswerDrift([]Answer{said}); len(now) != 0 || len(before) != 1 || before[0].Kind != Delete {
			t.Errorf("drifted %v, with the old answer alone %v", driftsOf(now), driftsOf(before))
		}
	}
	s.source[1].username = ""
	said.Row = "b@" + dom
	s.in.Answers = []Answer{said}
	expect(t, s.build(t), "ask a: b")
	s.source = s.source[:1]
	expect(t, s.build(t), "delete a", "delete b")
}

// A key that occurs twice does not show which row the reviewer meant: both are asked
// about, in whatever order the file has them.
func TestQuestions_WhoWasSaidToBeInTheSourceMayBeAnyRowWithTheKey(t *testing.T) {
	s := leaver(t)
	s.source = append(s.source, user("b", username("0003")), user("c", username("0003")))
	s.users = append(s.users, account("b"), account("c"))
	s.in.Answers = []Answer{{Kind: SamePerson, Account: "id-a", Row: "0003", Basis: "as it was then"}}
	p := s.build(t)
	if q := p.Question(0); q.Account.ID != "id-a" || len(q.Rows) != 2 {
		t.Fatalf("not asked about both rows:%s", describe(p))
	}
	s.source[1], s.source[2] = s.source[2], s.source[1]
	if again := s.build(t); again.Fingerprint() != p.Fingerprint() {
		t.Errorf("another order, another plan:%s%s", describe(p), describe(again))
	}
}

// The first account of a tenant is one like the others.
func TestMatch_IDAndLinkAgreeForTheFirstAccountToo(t *testing.T) {
	s := leaver(t)
	s.users = []person{account("a"), account("z")}
	s.source = append(s.source, user("b", as("b"), imm("imm-a"), username("0002")))
	s.learnt(t, []string{"0001=z", "0002=a"})
	p := s.build(t)
	if p.Counts().Rename != 1 || p.QuestionLen() != 0 {
		t.Errorf("plan%s", describe(p))
	}
}
