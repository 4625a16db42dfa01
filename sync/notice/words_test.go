package notice

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/hacsync/hacsync/sync/message"
	"github.com/hacsync/hacsync/sync/problem"
)

// events is one of each kind, with everything in it that could identify a user.
func events() []Event {
	at := time.Date(2026, 11, 22, 1, 0, 0, 0, time.UTC)
	base := Event{
		Tenant: "11111111-2222-4333-8444-555555555555", TenantName: "Midori\u202e Corp.\x1b[31m <b>", Connection: "midori",
		Domain: "midori.example", Run: 12, At: at, Users: []string{"kim.lee@midori.example", "x\x1b]0;y@midori.example"},
	}
	var all []Event
	for _, k := range append(Kinds(), Test) {
		e := base
		e.Kind = k
		switch k {
		case Failed:
			e.Why = problem.New(problem.RowDiffers, problem.Args{
				"upn": "kim.lee@midori.example", "attribute": "surname", "wrote": "Kimura", "reads": "Leeuwen",
			})
			e.Why.Cause = errTest
			e.Numbers = Numbers{Failures: 1, RowsDone: 12, RowsFailed: 1}
		case Guard:
			e.Numbers = Numbers{Deletions: 41, DestinationUsers: 281, LimitPercent: 10}
		case Drift:
			e.Why = problem.New(problem.PlanDrifted, problem.Args{"rows": "3", "domain": "midori.example"})
			e.Numbers = Numbers{Drifted: 3}
		case Stopped:
			e.Why = problem.New(problem.DomainBusy, problem.Args{"domain": "midori.example", "holder": "hanako@host-7, process 12"})
			e.Numbers = Numbers{Failures: 8}
		case Recovered:
			e.Since, e.Was = at.Add(-5*time.Hour), []Kind{Failed, Stopped}
		case Certificate:
			e.Ends, e.Domain, e.Run = at.Add(13*24*time.Hour+time.Minute), "", 0
		case Held:
			e.Numbers = Numbers{Held: 25}
		case Questions:
			e.Numbers = Numbers{Questions: 7, Accounts: 7, Rows: 8, Added: 1, Updated: 2}
			e.Users = nil
			e.Asked = []Asked{
				{No: 1, Account: "kim.lee@midori.example", Rows: []string{"kim.l", "lee\x1b[0m"}, For: []string{"name_looks_same", "department_equal"}},
				{No: 2, Account: "$(kim)@midori.example", Rows: []string{"kim2"}},
			}
		case Test:
		}
		all = append(all, e)
	}
	return all
}

var errTest = &json.SyntaxError{}

func TestSay_EveryKindInBothLanguages(t *testing.T) {
	want := map[Kind][]string{
		Failed:      {"periodic sync failed", "12 rows were done, 1 failed.", "HS-4504", "hacsync logs 12", "not every hour"},
		Guard:       {"41 deletions of 281 users = 14.6 %, limit 10 %.", "Synchronization was canceled because the deletion percentage reached the threshold.", "hacsync dry-run midori.example --connection midori"},
		Drift:       {"3 rows changed", "HS-4501"},
		Stopped:     {"8 runs in a row", "release", "hacsync periodic resume midori.example"},
		Recovered:   {"works again", "first failure, stopped"},
		Certificate: {"ends in 14 days", "midori"},
		Held:        {"25 rows wait", "Do a dry run"},
		Questions: {
			"midori.example: 7 questions wait for you, 3 changes were made", "1 added, 2 updated, all seen done. Nothing was deleted.",
			"nothing happens to these 7 accounts and 8 rows", "[HS-3216]", "hacsync --connection midori", "same:ROW, different or not-now",
		},
		Test: {"a test notice"},
	}
	for _, lang := range []string{"en", "ja"} {
		p, err := message.New(lang)
		if err != nil {
			t.Fatal(err)
		}
		p = p.In(time.UTC)
		for _, e := range events() {
			w := Say(p, e, false)
			all := w.Title + "\n" + w.Full()
			if strings.ContainsAny(all, "«»") || strings.Contains(all, "no value") || w.Title == "" || w.Remedy == "" && e.Kind != Recovered {
				t.Errorf("%s %s: %s", lang, e.Kind, all)
			}
			if strings.ContainsAny(all, "\x1b\u202e") || strings.Contains(w.Title, "\n") {
				t.Errorf("%s %s: raw: %q", lang, e.Kind, all)
			}
			if lang == "en" {
				for _, s := range want[e.Kind] {
					if !strings.Contains(all, s) {
						t.Errorf("%s: no %q in\n%s", e.Kind, s, all)
					}
				}
			}
		}
	}
}

// By default a notice names no user: neither its users nor a problem's arguments,
// its cause, or the JSON of a webhook contain one.
func TestSay_HasNoNamesUnlessAsked(t *testing.T) {
	p, _ := message.New("en")
	for _, e := range events() {
		w := Say(p, e, false)
		raw, err := payload("id", e, w, false)
		if err != nil {
			t.Fatal(err)
		}
		for _, never := range []string{"kim", "Kim", "Leeuwen", "hanako", "unexpected end"} {
			if strings.Contains(string(raw)+w.Full(), never) {
				t.Errorf("%s: %s in %s", e.Kind, never, raw)
			}
		}
		w = Say(p, e, true)
		raw, err = payload("id", e, w, true)
		if err != nil {
			t.Fatal(err)
		}
		if e.Kind == Questions {
			for _, s := range []string{
				"may be row kim.l or lee[0m: the names look the same, same department", "and 5 more",
				"hacsync answer --connection midori midori.example kim.lee@midori.example ANSWER",
			} {
				if !strings.Contains(w.Full(), s) {
					t.Errorf("no %q in\n%s", s, w.Full())
				}
			}
			if strings.Contains(w.Command, "$(") {
				t.Error(w.Command)
			}
		}
		if !strings.Contains(string(raw), "kim.lee@midori.example") || !strings.Contains(w.Text, "kim.lee@midori.example") {
			t.Errorf("%s: nobody is named: %s", e.Kind, raw)
		}
	}
}

func TestSay_CommandsAreSafeToPaste(t *testing.T) {
	p, _ := message.New("en")
	e := failure("midori.example; rm -rf ~")
	e.Kind = Guard
	if w := Say(p, e, false); w.Command != "" {
		t.Error(w.Command)
	}
	e.Domain, e.Connection = "midori.example", "$(reboot)"
	if w := Say(p, e, false); w.Command != "hacsync dry-run midori.example" {
		t.Error(w.Command)
	}
}
