package auditlog

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"io"
	"iter"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/message"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/problem"
)

// fake is a plan made of rows.
type fake struct {
	actions  []plan.Action
	skips    []plan.Skipped
	verdict  plan.Verdict
	warnings []*problem.Problem
	asks     []*plan.Question
	whole    bool
}

func (f *fake) Domain() string                 { return "midori.example" }
func (f *fake) Policy() plan.Policy            { return plan.DefaultPolicy() }
func (f *fake) Source() directory.About        { return directory.About{Name: "users <2>.csv"} }
func (f *fake) Confirmed() bool                { return f.whole }
func (f *fake) Verdict() plan.Verdict          { return f.verdict }
func (f *fake) Fingerprint() plan.Fingerprint  { return plan.Fingerprint{0x7f, 0x3a, 0x92, 0xc1} }
func (f *fake) Warnings() []*problem.Problem   { return f.warnings }
func (f *fake) Actions() iter.Seq[plan.Action] { return slices.Values(f.actions) }
func (f *fake) Skips() iter.Seq[plan.Skipped]  { return slices.Values(f.skips) }
func (f *fake) Questions() iter.Seq2[int, *plan.Question] {
	return slices.All(f.asks)
}

func (f *fake) Counts() plan.Counts {
	c := plan.Counts{Skipped: len(f.skips), Questions: len(f.asks)}
	for _, a := range f.actions {
		switch a.Kind {
		case plan.Delete:
			c.Delete++
		case plan.Rename:
			c.Rename++
		case plan.Restore:
			c.Restore++
		case plan.Add:
			c.Add++
		case plan.Update:
			c.Update++
		}
	}
	return c
}

func words(t *testing.T, lang string) *message.Printer {
	t.Helper()
	p, err := message.New(lang)
	if err != nil {
		t.Fatal(err)
	}
	return p.In(time.UTC)
}

// parse reads a CSV the way a spreadsheet does, into maps by column.
func parse(t interface{ Fatalf(string, ...any) }, raw []byte) []map[string]string {
	if !bytes.HasPrefix(raw, []byte("\xef\xbb\xbf")) {
		t.Fatalf("no BOM")
	}
	if n := bytes.Count(raw, []byte("\n")); n != bytes.Count(raw, []byte("\r\n")) {
		t.Fatalf("a line does not end in CRLF")
	}
	rows, err := csv.NewReader(bytes.NewReader(raw[3:])).ReadAll()
	if err != nil {
		t.Fatalf("the CSV does not parse: %v", err)
	}
	var out []map[string]string
	for _, row := range rows[1:] {
		m := map[string]string{}
		for i, name := range rows[0] {
			if _, ok := m[name]; ok {
				t.Fatalf("column %q stands twice", name)
			}
			m[name] = row[i]
		}
		out = append(out, m)
	}
	return out
}

// plain removes the apostrophe of a defused cell.
func plain(s string) string {
	if rest := strings.TrimLeft(s, "'"); rest != s && regexp.MustCompile(`^[\pZ\pC]*[=+\-@|]`).MatchString(norm.NFKC.String(rest)) {
		return s[1:]
	}
	return s
}

func at(month time.Month, day, hour int) time.Time {
	return time.Date(2026, month, day, hour, 0, 0, 0, time.UTC)
}

// watanabe is a question with two rows.
func watanabe() *plan.Question {
	return &plan.Question{
		No: 1, Account: directory.Ref{ID: "id-7", UPN: "watanabe.sho@midori.example"}, Name: "渡邉　翔",
		Link: plan.Link{Username: "watanabe.sho", Since: at(10, 12, 0)}, Seen: plan.Seen{First: at(10, 12, 0), Last: at(11, 24, 9)},
		Evidence: plan.Evidence{Licensed: true, Enabled: true, LastSignIn: at(11, 12, 0)},
		Answer:   plan.Answer{Kind: plan.SamePerson, Account: "id-7", Row: "watanabe.s", By: "t.mori", At: at(11, 25, 1)},
		Rows: []plan.Candidate{
			{
				Key: "a", Username: "watanabe.s", Row: directory.Ref{UPN: "watanabe.s@midori.example"}, Name: "渡辺 翔", Line: 2871,
				Compare: []plan.Compared{
					{Attribute: plan.Username, Account: "watanabe.sho", Row: "watanabe.s", Likeness: plan.Differs},
					{Attribute: directory.DisplayName, Account: "渡邉　翔", Row: "渡辺 翔", Likeness: plan.LooksSame},
					{Attribute: directory.Department, Account: "営業部", Row: "営業部", Likeness: plan.Equal},
					{Attribute: directory.ImmutableID, Account: "pV3dX==", Likeness: plan.OneSide},
				},
				For: []plan.Sign{plan.SignNameLooks, plan.SignDepartment}, Against: []plan.Sign{plan.SignNoLink, plan.SignRowNoID},
			},
			{
				Key: "b", Row: directory.Ref{UPN: "w@midori.example"}, Name: "<b>渡辺", Line: 9, Seen: plan.Seen{First: at(11, 1, 0)},
				For: []plan.Sign{plan.SignName}, TakenBy: 3,
			},
		},
	}
}

func sample() *fake {
	change := func(a directory.Attribute, was, is string) plan.Change {
		return plan.Change{Attribute: a, Old: directory.Text(was), New: directory.Text(is)}
	}
	return &fake{
		whole: true,
		asks:  []*plan.Question{watanabe()},
		actions: []plan.Action{
			{
				No: 1, Kind: plan.Delete, User: directory.Ref{ID: "id-1", UPN: "abe@midori.example"}, UPN: "abe@midori.example", Name: "阿部 健二",
				Evidence: &plan.Evidence{Licensed: true, Created: time.Date(2021, 4, 1, 0, 0, 0, 0, time.UTC)},
				Explanation: &plan.Explanation{
					Claim: plan.ClaimAnswered, Username: "abe", LinkedSince: at(10, 12, 0), LastSeen: at(11, 24, 9),
					Absent: plan.Absence{First: at(11, 24, 11), Last: at(11, 25, 0), Days: 2, Reads: 3}, OpenRows: 34,
					Question: 2, By: "t.mori", At: at(11, 25, 1), Weak: []plan.Sign{plan.SignFamily},
				},
			},
			{
				No: 2, Kind: plan.Rename, User: directory.Ref{ID: "id-2", UPN: "sato@midori.example"}, UPN: "takahashi@midori.example", Name: "高橋 花", SignIn: true, Line: 12,
				Changes: []plan.Change{change(directory.UserPrincipalName, "sato@midori.example", "takahashi@midori.example"), change(directory.DisplayName, "佐藤　花", "高橋 花")},
			},
			{
				No: 3, Kind: plan.Update, User: directory.Ref{ID: "id-3", UPN: "x@midori.example"}, UPN: "x@midori.example", Name: "X",
				Changes: []plan.Change{change(directory.Surname, "a\u200b", "a"), change(directory.GivenName, "Y", "")},
			},
			{No: 4, Kind: plan.Add, UPN: "abe2@midori.example", Name: `=HYPERLINK("x")`, Changes: []plan.Change{change(directory.DisplayName, "", `=HYPERLINK("x")`)}},
		},
		skips: []plan.Skipped{
			{No: 5, Group: problem.LeftAlone, Ref: directory.Ref{ID: "id-5", UPN: "sales@midori.example"}, Name: "<script>alert(1)</script>", Why: problem.New(problem.UnknownLanguage, problem.Args{"language": "x"})},
			{No: 6, Group: problem.NotHere, Line: 3, Why: problem.New(problem.Cancelled, nil)},
		},
		verdict: plan.Verdict{Deletions: 1, Users: 400, MaxAllowedDeletions: 10, MaxDeletions: -1, StopsAt: 40},
	}
}

func TestCSV_SaysEachRow(t *testing.T) {
	var b bytes.Buffer
	at := time.Date(2026, 11, 25, 0, 34, 0, 0, time.UTC)
	if err := CSV(&b, words(t, "en"), Report{Plan: sample(), Run: 412, At: at}); err != nil {
		t.Fatal(err)
	}
	rows := parse(t, b.Bytes())
	want := []map[string]string{
		{
			"No": "1", "Action": "delete", "UPN": "abe@midori.example", "Object ID": "id-1", "Display Name": "阿部 健二", "Same Person As": "", "Licensed": "yes", "Enabled": "no", "Created": "2021-04-01T00:00:00Z", "Last Sign-In": "",
			"Domain": "midori.example", "Run": "412", "Time": "2026-11-25T00:34:00Z", "Plan": "7F3A-92C1", "Verdict": "passes", "Deletion Percent": "0.25", "Max Allowed Deletions": "10", "Completeness": "confirmed", "Outcome": "",
		},
		{"No": "2", "Action": "rename", "UPN": "takahashi@midori.example", "userPrincipalName old": "sato@midori.example", "userPrincipalName new": "takahashi@midori.example", "displayName old": "佐藤　花", "displayName new": "高橋 花", "Affects Sign-In": "yes", "Source Line": "12"},
		{"No": "3", "Action": "update", "surname old": "a<U+200B>", "surname new": "a", "givenName old": "Y", "givenName new": "", "displayName old": "", "Affects Sign-In": ""},
		{"No": "4", "Action": "add", "Object ID": "", "Display Name": `'=HYPERLINK("x")`, "displayName new": `'=HYPERLINK("x")`},
		{"No": "5", "Action": "skip", "UPN": "sales@midori.example", "Object ID": "id-5", "Code": "HS-9004", "Reason": `hacsync does not speak the language "x".`, "Remedy": "Give --lang en or --lang ja.", "Domain": "midori.example"},
		{"No": "6", "Action": "skip", "UPN": "", "Source Line": "3", "Code": "HS-9002"},
		{
			"No": "Q1", "Action": "question", "UPN": "watanabe.sho@midori.example", "Object ID": "id-7", "Display Name": "渡邉　翔",
			"Source Line": "2871", "Licensed": "yes", "Enabled": "yes", "Last Sign-In": "2026-11-12T00:00:00Z",
			"username": "watanabe.sho", "linked_since": "2026-10-12T00:00:00Z", "last_in_hac": "2026-11-24T09:00:00Z",
			"question": "Q1", "answer": "same", "answered_by": "t.mori", "answered_at": "2026-11-25T01:00:00Z",
			"row": "watanabe.s", "row_upn": "watanabe.s@midori.example", "row_name": "渡辺 翔", "first_seen": "",
			"for": "the names look the same; same department", "against": "another Username; the row has no Immutable ID to compare",
			"Run": "412", "Completeness": "confirmed", "Code": "", "absent_reads": "",
		},
		{
			"No": "Q1", "Action": "question", "Object ID": "id-7", "Source Line": "9", "question": "Q1", "answer": "open", "answered_by": "",
			"row": "w@midori.example", "first_seen": "2026-11-01T00:00:00Z", "for": "same name", "against": "",
		},
	}
	for column, value := range map[string]string{
		"claim": "answered", "username": "abe", "linked_since": "2026-10-12T00:00:00Z", "last_in_hac": "2026-11-24T09:00:00Z",
		"absent_reads": "3", "absent_days": "2", "open_rows_compared": "34", "question": "Q2", "answer": "different",
		"answered_by": "t.mori", "answered_at": "2026-11-25T01:00:00Z",
	} {
		want[0][column] = value
		want[1][column] = "" // only deletions are explained
	}
	if len(rows) != len(want) {
		t.Fatalf("%d rows, want %d", len(rows), len(want))
	}
	for i := range want {
		for column, value := range want[i] {
			got, ok := rows[i][column]
			if !ok || got != value {
				t.Errorf("row %d, %s: got %q (there: %v), want %q", i+1, column, got, ok, value)
			}
		}
	}
}

func TestCSV_SaysWhatBecameOfASync(t *testing.T) {
	var b bytes.Buffer
	f := sample()
	f.verdict.Cancelled, f.whole = true, false
	r := Report{
		Plan: f, Run: 413, Outcomes: map[int]string{1: "seen", 2: "failed"},
		Why: map[int]*problem.Problem{2: problem.New(problem.TookTooLong, problem.Args{"what": "it"})},
	}
	for lang, want := range map[string][]map[string]string{
		"en": {
			{"Action": "delete", "Outcome": "seen", "Code": "", "Verdict": "cancels", "Completeness": "not confirmed"},
			{"Outcome": "failed", "Code": "HS-9003", "Reason": "It took too long: it"},
			{"Outcome": ""},
		},
		"ja": {
			{"種類": "削除", "結果": "完了確認", "コード": "", "判定": "キャンセル", "件数の確認": "未確認"},
			{"結果": "失敗", "コード": "HS-9003", "理由": "時間がかかりすぎました: it"},
			{"結果": ""},
		},
	} {
		b.Reset()
		if err := CSV(&b, words(t, lang), r); err != nil {
			t.Fatal(err)
		}
		rows := parse(t, b.Bytes())
		for i, want := range want {
			for column, value := range want {
				if got, ok := rows[i][column]; !ok || got != value {
					t.Errorf("%s, row %d, %s: got %q, want %q", lang, i+1, column, got, value)
				}
			}
		}
	}
}

// A spreadsheet in Japanese has no column of English words, but terms and what has
// no label.
func TestCSV_EveryColumnHasItsJapaneseName(t *testing.T) {
	p := words(t, "ja")
	for _, name := range slices.Concat(front(), back(), latest()) {
		if !p.Has("csv.column." + name) {
			t.Errorf("%s has no name in the catalogue", name)
		}
	}
}

func TestCSV_OfAnEmptyPlanIsItsHeader(t *testing.T) {
	var b bytes.Buffer
	if err := CSV(&b, words(t, "en"), Report{Plan: &fake{}}); err != nil {
		t.Fatal(err)
	}
	if rows := parse(t, b.Bytes()); len(rows) != 0 {
		t.Errorf("got %v", rows)
	}
	if n := strings.Count(b.String(), "\r\n"); n != 1 {
		t.Errorf("%d lines", n)
	}
}

func TestCSV_LosesNoChange(t *testing.T) {
	f := &fake{actions: []plan.Action{{No: 1, Kind: plan.Update, Changes: []plan.Change{{Attribute: "jobTitle", New: directory.Text("x")}}}}}
	if err := CSV(io.Discard, words(t, "en"), Report{Plan: f}); err == nil || !strings.Contains(err.Error(), "jobTitle") {
		t.Errorf("a change without a column was dropped: %v", err)
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestReports_SayThatTheyCouldNotBeWritten(t *testing.T) {
	r := Report{Plan: sample()}
	if err := CSV(broken{}, words(t, "en"), r); err == nil {
		t.Error("CSV: no error")
	}
	if err := HTML(broken{}, words(t, "en"), r); err == nil {
		t.Error("HTML: no error")
	}
}

// nasty draws values of the kind that an attacker's directory would hold.
func nasty() *rapid.Generator[string] {
	return rapid.OneOf(
		rapid.StringOf(rapid.OneOf(
			rapid.SampledFrom([]rune("=+-@＝＋－＠﹢﹣﹦﹫'\"<>&,;\t\r\n\x00\x1b\u200b\u202e\u2066\u3000 |Aあ邉\U000e0100")), rapid.Rune())),
		rapid.SampledFrom([]string{"=1+1", "@SUM(A1)", "+81-3", "-", "'=1", "''+x", "\t=1", "　＝1", "\"quoted\"", "a,b", "line\r\nbreak", "-2+3+cmd|' /C calc'!A0", "O'Brien", "'Umar", "<b>x</b>"}),
	)
}

func randomPlan(t *rapid.T) *fake {
	f := &fake{whole: rapid.Bool().Draw(t, "whole")}
	text := nasty()
	attributes := append(directory.Standard(), directory.AccountEnabled)
	for i := range rapid.IntRange(0, 6).Draw(t, "actions") {
		a := plan.Action{
			No: i + 1, Kind: plan.Kind(rapid.IntRange(1, 5).Draw(t, "kind")),
			User: directory.Ref{ID: directory.ID(text.Draw(t, "id"))}, UPN: text.Draw(t, "upn"), Name: text.Draw(t, "name"),
		}
		for _, attribute := range attributes {
			if rapid.Bool().Draw(t, "changes") {
				a.Changes = append(a.Changes, plan.Change{Attribute: attribute, Old: directory.Text(text.Draw(t, "old")), New: directory.Text(text.Draw(t, "new"))})
			}
		}
		f.actions = append(f.actions, a)
	}
	for i := range rapid.IntRange(0, 2).Draw(t, "questions") {
		c := plan.Candidate{
			Key: "a", Username: text.Draw(t, "username"), Row: directory.Ref{UPN: text.Draw(t, "row")}, Name: text.Draw(t, "row name"),
			Compare: []plan.Compared{{Attribute: directory.DisplayName, Account: text.Draw(t, "account"), Row: text.Draw(t, "value"), Likeness: plan.LooksSame}},
		}
		f.asks = append(f.asks, &plan.Question{
			No: i + 1, Account: directory.Ref{ID: directory.ID(text.Draw(t, "asked")), UPN: text.Draw(t, "asked upn")}, Name: text.Draw(t, "asked name"),
			Link: plan.Link{Username: text.Draw(t, "link")}, Rows: []plan.Candidate{c},
			Answer: plan.Answer{Kind: plan.SamePerson, Row: c.RowKey(), By: text.Draw(t, "by")},
		})
	}
	for i := range rapid.IntRange(0, 4).Draw(t, "skips") {
		f.skips = append(f.skips, plan.Skipped{
			No: len(f.actions) + i + 1, Group: problem.Group(rapid.IntRange(1, 4).Draw(t, "group")),
			Ref: directory.Ref{UPN: text.Draw(t, "upn")}, Name: text.Draw(t, "name"),
			Why: problem.New(problem.UnknownLanguage, problem.Args{"language": text.Draw(t, "arg")}),
		})
	}
	return f
}

func TestRule10_NoCellIsAFormulaOrSteersATerminal(t *testing.T) {
	p := words(t, "en")
	rapid.Check(t, func(t *rapid.T) {
		f := randomPlan(t)
		var b bytes.Buffer
		if err := CSV(&b, p, Report{Plan: f}); err != nil {
			t.Fatalf("%v", err)
		}
		for _, row := range parse(t, b.Bytes()) {
			for column, cell := range row {
				folded := strings.TrimLeftFunc(norm.NFKC.String(cell), unicode.IsSpace)
				if folded != "" && strings.ContainsRune("=+-@\t\r\n", rune(folded[0])) {
					t.Fatalf("%s: %q is a formula", column, cell)
				}
				if i := strings.IndexFunc(cell, func(r rune) bool {
					return unicode.IsControl(r) || strings.ContainsRune("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069", r)
				}); i >= 0 {
					t.Fatalf("%s: %q holds a control character", column, cell)
				}
			}
		}
	})
}

func TestCSV_HoldsEveryRowOnceAndReadsBackEqual(t *testing.T) {
	p := words(t, "en")
	rapid.Check(t, func(t *rapid.T) {
		f := randomPlan(t)
		var b bytes.Buffer
		if err := CSV(&b, p, Report{Plan: f}); err != nil {
			t.Fatalf("%v", err)
		}
		rows := parse(t, b.Bytes())
		if len(rows) != len(f.actions)+len(f.skips)+len(f.asks) {
			t.Fatalf("%d rows for %d actions, %d skips and %d questions", len(rows), len(f.actions), len(f.skips), len(f.asks))
		}
		for i, row := range rows {
			if k := i - len(f.actions) - len(f.skips); k >= 0 {
				q := f.asks[k]
				if row["Action"] != "question" || plain(row["UPN"]) != message.Clean(q.Account.UPN) || plain(row["row"]) != message.Clean(RowName(&q.Rows[0])) ||
					row["answer"] != "same" || plain(row["answered_by"]) != message.Clean(q.Answer.By) {
					t.Fatalf("row %v of %+v", row, q)
				}
				continue
			}
			if row["No"] != strconv.Itoa(i+1) {
				t.Fatalf("row %d is No. %s", i+1, row["No"])
			}
			if i >= len(f.actions) {
				if s := f.skips[i-len(f.actions)]; row["Action"] != "skip" || plain(row["UPN"]) != message.Clean(s.Ref.UPN) || row["Remedy"] == "" {
					t.Fatalf("row %v of %+v", row, s)
				}
				continue
			}
			a := f.actions[i]
			if row["Action"] != a.Kind.String() || plain(row["UPN"]) != message.Clean(a.UPN) || plain(row["Display Name"]) != message.Clean(a.Name) {
				t.Fatalf("row %v of %+v", row, a)
			}
			changed := map[string]bool{}
			for _, c := range a.Changes {
				changed[string(c.Attribute)] = true
				was, is := plain(row[string(c.Attribute)+" old"]), plain(row[string(c.Attribute)+" new"])
				if c.Old.Text != c.New.Text && was == is {
					t.Fatalf("%s: %q -> %q reads %q -> %q", c.Attribute, c.Old.Text, c.New.Text, was, is)
				}
				if message.Clean(c.Old.Text) != message.Clean(c.New.Text) && (was != message.Clean(c.Old.Text) || is != message.Clean(c.New.Text)) {
					t.Fatalf("%s: %q -> %q reads %q -> %q", c.Attribute, c.Old.Text, c.New.Text, was, is)
				}
			}
			for _, attribute := range directory.Standard() {
				if !changed[string(attribute)] && row[string(attribute)+" old"]+row[string(attribute)+" new"] != "" {
					t.Fatalf("%s is not changed, but has a value: %v", attribute, row)
				}
			}
		}
	})
}

func TestDefuse_CanBeTakenBack(t *testing.T) {
	for in, want := range map[string]string{
		"=1+1":    "'=1+1",
		"＝1+1":    "'＝1+1",
		"﹦1":      "'﹦1",
		" =1":     "' =1",
		"　－1":     "'　－1",
		"-":       "'-",
		"'=1":     "''=1",
		"O'Brien": "O'Brien",
		"'Umar":   "'Umar",
		"":        "",
		"1-1":     "1-1",
		"邉":       "邉",
	} {
		if got := defuse(in); got != want {
			t.Errorf("defuse(%q) = %q, want %q", in, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		a, b := nasty().Draw(t, "a"), nasty().Draw(t, "b")
		if a != b && cell(a) == cell(b) && message.Clean(a) != message.Clean(b) {
			t.Fatalf("%q and %q are both %q", a, b, cell(a))
		}
	})
}

func TestHTML_SaysWhatTheCSVSays(t *testing.T) {
	var b bytes.Buffer
	r := Report{Plan: sample(), Run: 412, At: time.Date(2026, 11, 25, 0, 34, 0, 0, time.UTC)}
	if err := HTML(&b, words(t, "en"), r); err != nil {
		t.Fatal(err)
	}
	got := b.String()
	for _, want := range []string{
		"Audit log of midori.example", "Dry Run 412, 25 Nov 2026 00:34 UTC. Nothing was written.", "Plan 7F3A-92C1",
		"users &lt;2&gt;.csv: source whole", "1 of 400 = 0.3 %; stops at 40 (Max Allowed Deletions 10 %)",
		`id="no-1"`, `id="no-6"`, "佐藤&lt;U&#43;3000&gt;花", "a&lt;U&#43;200B&gt;", "(none)", "affects sign-in",
		"Linked: to HAC user abe since 12 Oct 2026", "Last in HAC: 24 Nov 2026 09:00 UTC", "Absent: in 3 complete reads since 24 Nov 2026 11:00 UTC",
		"Nobody else: no open row has this name, alias, ID, UPN or address (34 compared)", "Answered: different people (Q2), t.mori, 25 Nov 2026 01:00 UTC",
		"Worth a look: same family name",
		`id="Q1"`, "? Q1", "watanabe.sho@midori.example", "HAC user watanabe.sho since 12 Oct 2026, last seen 24 Nov 2026 09:00 UTC",
		"row a, line 2,871", "渡邉&lt;U&#43;3000&gt;翔</span> =~ ", "For: the names look the same; same department",
		"Against: another Username; the row has no Immutable ID to compare", "not in HAC before", "taken by Q3", "&lt;b&gt;渡辺",
		"same person (watanabe.s), t.mori, 25 Nov 2026 01:00 UTC",
		"Left alone by rule", "Not for this domain", "HS-9004", "Give --lang en or --lang ja.", "&lt;script&gt;alert(1)",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	for _, unwanted := range []string{"<script", "http://", "https://", "«", "<no value>"} {
		if strings.Contains(got, unwanted) {
			t.Errorf("the page holds %q", unwanted)
		}
	}
	b.Reset()
	r.Outcomes = map[int]string{1: "seen", 2: "not_yet_seen", 3: "different", 4: "not_tried"}
	if err := HTML(&b, words(t, "ja"), r); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`<html lang="ja">`, "同期 412", "完了確認", "! 未確認", "未実行", "要判断", "氏名の見た目が同じ、部署が同じ", "全件取得 3 回",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the Japanese page lacks %q", want)
		}
	}
	if strings.Contains(b.String(), "«") {
		t.Error("a word is missing")
	}
}

func TestRule10_NothingOnThePageIsRaw(t *testing.T) {
	p := words(t, "en")
	rapid.Check(t, func(t *rapid.T) {
		f := randomPlan(t)
		var b bytes.Buffer
		if err := HTML(&b, p, Report{Plan: f}); err != nil {
			t.Fatalf("%v", err)
		}
		for i := range len(f.actions) + len(f.skips) {
			if n := strings.Count(b.String(), fmt.Sprintf(`id="no-%d"`, i+1)); n != 1 {
				t.Fatalf("row %d stands %d times", i+1, n)
			}
		}
		for _, r := range b.String() {
			if unicode.IsControl(r) && r != '\n' || strings.ContainsRune("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069", r) {
				t.Fatalf("the page holds %U", r)
			}
		}
		if strings.Contains(b.String(), "<b>x") {
			t.Fatalf("a value is markup")
		}
	})
}

func TestHTML_SaysByWhichJudgementTheGuardDecides(t *testing.T) {
	f := sample()
	f.verdict.Cancelled, f.verdict.Claimed, f.verdict.Lost = true, true, 3
	f.verdict.Why = problem.New(problem.MovesCancel, problem.Args{
		"origin": "asahi.example", "moves": "4", "users": "40", "percent": "10.0", "limit": "10",
	})
	var b bytes.Buffer
	if err := HTML(&b, words(t, "en"), Report{Plan: f}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"counted among the accounts that are or were in HENNGE Access Control", "3 more lost the row in this read",
		"4 of the 40 accounts of asahi.example",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if strings.Contains(b.String(), "deletion percentage reached") {
		t.Error("it says that deletions reached their limit")
	}
}
