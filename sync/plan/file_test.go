package plan

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/problem"
)

// everything is a plan with every kind of row in it.
func everything(t testing.TB) *Plan {
	t.Helper()
	s := moves("a>b", "b>c", "c>a", "m>n")
	s.in.Policy = DefaultPolicy()
	s.in.Policy.MaxAllowedDeletions = 100
	s.in.Policy.BlockDisabled = true
	s.source = append(s.source, user("u", named("New <&>\u2028")), user("add"), user("r", named("渡邉")), user("x", unmark(directory.Enabled)), user("again", imm("2")), user("nq", named("Ann"), imm("")))
	s.users = append(s.users, account("u"), account("d", mark(directory.Licensed)), account("x"), account("g", mark(directory.Guest)), account("again", imm("1")), account("oq", named("Ann")))
	s.deleted = []person{gone("r", upn("old"), named("Old"))}
	s.in.Decisions = []Decision{{Kind: Allow, ID: "id-again", Attribute: directory.UserPrincipalName}}
	return s.build(t)
}

func encoded(t testing.TB, p *Plan) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := p.Encode(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestFile_HoldsEverything(t *testing.T) {
	p := everything(t)
	q := recode(t, p)
	if a, b := waves(p), waves(q); a != b {
		t.Errorf("waves %s, from the file %s", a, b)
	}
	if p.Counts() != q.Counts() || p.Fingerprint() != q.Fingerprint() || p.SourceDigest() != q.SourceDigest() ||
		p.Tenant() != q.Tenant() || p.Source() != q.Source() || p.Confirmed() != q.Confirmed() {
		t.Errorf("%+v, from the file %+v", p.head, q.head)
	}
	for i := range p.Len() {
		a, b := p.Action(i), q.Action(i)
		x, _ := json.Marshal(a)
		y, _ := json.Marshal(b)
		if !bytes.Equal(x, y) {
			t.Errorf("action\n%s\nfrom the file\n%s", x, y)
		}
	}
	expect(t, q, brief(p)...)
}

func TestFile_RefusesWhatIsCutDamagedOrNewer(t *testing.T) {
	whole := encoded(t, everything(t))
	for n := range len(whole) - 1 {
		if n%7 != 0 && n < len(whole)-200 {
			continue
		}
		_, err := Decode(bytes.NewReader(whole[:n]))
		if !problem.Has(err, problem.PlanCut, problem.PlanDamaged) {
			t.Fatalf("cut at %d of %d: %v", n, len(whole), err)
		}
	}
	for i := range whole {
		if i%5 != 0 {
			continue
		}
		bad := bytes.Clone(whole)
		bad[i] ^= 1
		if _, err := Decode(bytes.NewReader(bad)); err == nil {
			t.Fatalf("byte %d changed, and nobody notices: %s", i, bad[max(0, i-20):i+20])
		}
	}
	_, err := Decode(strings.NewReader(strings.Replace(string(whole), `"hacsync_plan":2`, `"hacsync_plan":3`, 1)))
	code(t, err, problem.PlanNewer)
	_, err = Decode(strings.NewReader("Username,Email\n"))
	code(t, err, problem.PlanDamaged)
	_, err = Decode(bytes.NewReader(append(bytes.Clone(whole), "more\n"...)))
	code(t, err, problem.PlanDamaged)
	_, err = Decode(strings.NewReader(""))
	code(t, err, problem.PlanCut)
}

// forge changes a file and makes its checksum right again.
func forge(t *testing.T, whole []byte, old, replacement string) []byte {
	t.Helper()
	s := string(whole)
	if !strings.Contains(s, old) {
		t.Fatalf("%q is not in the file", old)
	}
	s = strings.Replace(s, old, replacement, 1)
	i := strings.LastIndex(s[:len(s)-1], "\n") + 1
	sum := sha256.Sum256([]byte(s[:i]))
	var end fileLine
	if err := json.Unmarshal([]byte(s[i:]), &end); err != nil {
		t.Fatal(err)
	}
	end.End.SHA256 = hex.EncodeToString(sum[:])
	raw, err := json.Marshal(end)
	if err != nil {
		t.Fatal(err)
	}
	return append([]byte(s[:i]), append(raw, '\n')...)
}

func TestRule3_AForgedFileIsRefused(t *testing.T) {
	whole := encoded(t, everything(t))
	for name, c := range map[string]struct {
		old, replacement string
		want             problem.Code
	}{
		"another value":          {`"new":"Name add"`, `"new":"Name bad"`, problem.PlanMismatch},
		"another account":        {`"id":"id-d"`, `"id":"id-e"`, problem.PlanMismatch},
		"another limit":          {`"max_allowed_deletions":100`, `"max_allowed_deletions":99`, problem.PlanMismatch},
		"a raised guard":         {`"guard":{`, `"guard":{"raised":true,`, problem.PlanMismatch},
		"another tenant":         {`"tenant":"t-1"`, `"tenant":"t-2"`, problem.PlanMismatch},
		"a smaller sum":          {`"Delete":2`, `"Delete":1`, problem.PlanDamaged},
		"a larger denominator":   {`"Touchable":`, `"Touchable":1`, problem.PlanDamaged},
		"a protected account":    {`"marks":1537`, `"marks":1539`, problem.PlanDamaged},
		"another kind":           {`"kind":"update"`, `"kind":"delete"`, problem.PlanDamaged},
		"another source row":     {`"add@midori.example","imm-add"`, `"add@midori.example","imm-bad"`, problem.PlanMismatch},
		"two rows of one number": {`"no":11,"kind":"update"`, `"no":10,"kind":"update"`, problem.PlanDamaged},
		"a UPN of another domain": {
			`"upn":"n@midori.example","name":"Name m","line":6,"changes":[{"attribute":"userPrincipalName","old":"m@midori.example","new":"n@midori.example"}`,
			`"upn":"n@two.example","name":"Name m","line":6,"changes":[{"attribute":"userPrincipalName","old":"m@midori.example","new":"n@two.example"}`,
			problem.PlanDamaged,
		},
		"a temporary UPN in no cycle": {`"upn":"n@midori.example","name":"Name m"`, `"temporary":"x@midori.example","upn":"n@midori.example","name":"Name m"`, problem.PlanDamaged},
		"a temporary UPN elsewhere":   {`ad3bd96c71@midori.example"}}` + "\n", `ad3bd96c71@two.example"}}` + "\n", problem.PlanDamaged},
		"a deletion that comes back":  {`"kind":"delete","user":{"id":"id-d"`, `"with":-1,"kind":"delete","user":{"id":"id-d"`, problem.PlanDamaged},
		"an answer for another":       {`"kind":"rename","user":{"id":"id-oq"`, `"kind":"rename","user":{"id":"id-u"`, problem.PlanDamaged},
		"another answer":              {`"old":"oq@midori.example","new":"nq@midori.example"`, `"old":"oq@midori.example","new":"xq@midori.example"`, problem.PlanDamaged},
		"what an answer writes":       {`"old":"Sur oq","new":"Sur nq"`, `"old":"Sur oq","new":"Sur xq"`, problem.PlanMismatch},
		"a deletion for an addition":  {`"add":15`, `"add":13`, problem.PlanDamaged},
		"rows that wait for nobody":   {`"waits":true`, `"waits":false`, problem.PlanDamaged},
		"an unknown field":            {`"kind":"update"`, `"kind":"update","steps":[]`, problem.PlanDamaged},
		"a row that waits for itself": {`"after":[4]`, `"after":[3]`, problem.PlanDamaged},
	} {
		if !strings.Contains(string(whole), c.old) {
			t.Errorf("%s: %q is not in the file:\n%s", name, c.old, whole)
			continue
		}
		_, err := Decode(bytes.NewReader(forge(t, whole, c.old, c.replacement)))
		if !problem.Has(err, c.want) {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
	if _, err := Decode(bytes.NewReader(forge(t, whole, `"name":"渡邉"`, `"name":"渡邉"`))); err != nil {
		t.Errorf("forging nothing: %v", err)
	}
}

func FuzzDecode(f *testing.F) {
	whole := encoded(f, everything(f))
	f.Add(whole)
	f.Add(whole[:len(whole)/2])
	f.Add([]byte(`{"hacsync_plan":1}` + "\n"))
	f.Add([]byte(`{"hacsync_plan":2}` + "\n"))
	f.Add([]byte(`{"hacsync_plan":1,"source_columns":["a","a"]}` + "\n"))
	f.Add([]byte("{\"hacsync_plan\":1}\n{\"action\":{\"no\":1,\"kind\":\"rename\",\"upn\":\"a\"}}\n{\"end\":{}}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := Decode(bytes.NewReader(data))
		if err != nil {
			if problem.Of(err) == nil {
				t.Fatalf("no problem: %v", err)
			}
			// What a forger could do who mends the checksums.
			lines := bytes.SplitAfter(data, []byte("\n"))
			if len(lines) < 2 {
				return
			}
			body := bytes.Join(lines[:len(lines)-2], nil)
			sum := sha256.Sum256(body)
			end, _ := json.Marshal(fileLine{End: &fileTrailer{Fingerprint: "x", SHA256: hex.EncodeToString(sum[:])}})
			_, err := Decode(bytes.NewReader(append(append(body, end...), '\n')))
			named := problem.Of(err)
			if named == nil || named.Code != problem.PlanMismatch {
				return
			}
			end, _ = json.Marshal(fileLine{End: &fileTrailer{Fingerprint: named.Args["found"], SHA256: hex.EncodeToString(sum[:])}})
			if p, err = Decode(bytes.NewReader(append(append(body, end...), '\n'))); err != nil {
				t.Fatalf("the fingerprint that was found is refused: %v", err)
			}
		}
		n := 0
		for w := range p.Waves() {
			n += len(w.Steps)
		}
		steps := 0
		for a := range p.Actions() {
			steps += len(a.Steps)
		}
		if n != steps {
			t.Fatalf("%d steps in waves, %d in actions", n, steps)
		}
		r := p.Review()
		for a := range p.Actions() {
			r.LeaveOut(a.No)
		}
		if q := r.Approve(); q.Len() != 0 {
			t.Fatal("rows remain")
		}
		p.Drift(nil)
		p.Touches()
	})
}

// The digest of the source is in the file for users; drift is judged by the rows, which
// the fingerprint covers.
func TestRule3_AForgedDigestHidesNoDrift(t *testing.T) {
	s := driftScene()
	p := s.build(t)
	s.source = append(s.source, user("d")) // the person to be deleted is there again
	now := snapshot(t, directory.Source, s.source)
	q, err := Decode(bytes.NewReader(forge(t, encoded(t, p), p.SourceDigest().String(), now.Digest().String())))
	if err != nil {
		return // as good
	}
	if got := driftsOf(q.SourceDrift(now)); len(got) == 0 {
		t.Error("a new source row is no drift")
	}
}

// Of a million rows few wait: only those are kept with what they wait for, and a file
// gives the same.
func TestTies_AreOfTheRowsThatWait(t *testing.T) {
	s := moves("a>b", "b>c", "c>a", "m>n")
	s.source = append(s.source, user("new", imm(""), as("old"), func(p *person) { p.sur = "Other" }), user("again", imm("2")))
	s.users = append(s.users, account("old"), account("again", imm("1")))
	s.in.Decisions = []Decision{{Kind: Allow, ID: "id-again", Attribute: directory.UserPrincipalName}}
	open := s.build(t)
	for _, said := range []string{"", "different", "same new"} {
		p := open.Answer(answer(t, open, map[string]string{"old": said}))
		want := map[int][]int{}
		for a := range p.Actions() {
			if on := a.waits(); len(on) > 0 {
				want[a.No] = on
			}
		}
		for how, q := range map[string]*Plan{"built": p, "from a file": recode(t, p), "approved": p.Review().Approve(), "its file": recode(t, p.Review().Approve())} {
			if got := q.book.ties(); len(want) < 5 || !maps.EqualFunc(got, want, slices.Equal) {
				t.Errorf("%q, %s: %v, want %v", said, how, got, want)
			}
		}
	}
}
