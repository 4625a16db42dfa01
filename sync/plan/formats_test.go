package plan

import (
	"bytes"
	"os"
	"testing"

	"github.com/hacsync/hacsync/sync/problem"
)

// The files in testdata were written by the last release that knew no links and no
// questions. They have to open for good: they are what an undo rests on, and what a
// reviewer approved before an update.
func TestDecode_ReadsTheFirstFormat(t *testing.T) {
	for _, c := range []struct{ file, code, waves string }{
		{
			"testdata/v1.plan.json", "8EF9-4F66",
			"a>tmp |; c>a |; b>c |; tmp>b m>n; ~c ~a ~b ~m; ~u; ^old2 |; ~old2; +add +new; -again |; +again; ~x; -d -old",
		},
		{"testdata/v1.undo.json", "C01C-BB9E", "renamed>b; ~renamed; ^del; ~on; -new"},
	} {
		raw, err := os.ReadFile(c.file)
		if err != nil {
			t.Fatal(err)
		}
		p, err := Decode(bytes.NewReader(raw))
		if err != nil {
			t.Fatalf("%s: %v", c.file, err)
		}
		if got := p.Fingerprint().Code(); got != c.code {
			t.Errorf("%s: plan code %s, want %s", c.file, got, c.code)
		}
		if got := waves(p); got != c.waves {
			t.Errorf("%s: waves %s\nwant %s", c.file, got, c.waves)
		}
		if why := p.Applyable(); why != nil {
			t.Errorf("%s: %v", c.file, why)
		}
		r := p.Review()
		for a := range p.Actions() {
			r.LeaveOut(a.No)
			if q := recode(t, r.Approve()); q.Verdict().Deletions != r.Verdict().Deletions {
				t.Errorf("%s without row %d: %+v", c.file, a.No, q.Verdict())
			}
			r.TakeIn(a.No)
		}
		if p.Answer(nil) != p || p.QuestionLen() != 0 {
			t.Errorf("%s: it asks", c.file)
		}
	}
}

// The fingerprint of the first format covers what it had: a file that says more was
// changed since its plan was approved.
func TestRule3_AFileOfTheFirstFormatSaysNoMore(t *testing.T) {
	raw, err := os.ReadFile("testdata/v1.plan.json")
	if err != nil {
		t.Fatal(err)
	}
	paid := forge(t, raw, `"guard":{`, `"guard":{"paid":1,`)
	for name, file := range map[string][]byte{
		"a deletion that does not count": forge(t, paid, `"marks":1537}`, `"marks":1537,"paid":true}`),
		"a link":                         forge(t, raw, `"marks":1537}`, `"marks":1537,"link":{"username":"1"}}`),
		"an explanation":                 forge(t, raw, `"marks":1537}`, `"marks":1537,"explanation":{"question":1}}`),
		"a condition of an undo":         forge(t, raw, `"marks":1537}`, `"marks":1537,"unlicensed":true}`),
	} {
		if p, err := Decode(bytes.NewReader(file)); !problem.Has(err, problem.PlanDamaged) {
			t.Errorf("%s: %v", name, err)
			if p != nil {
				t.Logf("%+v", p.Verdict())
			}
		}
	}
}
