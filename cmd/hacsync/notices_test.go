package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"

	"github.com/hacsync/hacsync/sync/notice"
	"github.com/hacsync/hacsync/sync/state"
)

// desk is a user at the command line, with a state and a key of their own.
type desk struct {
	t    *testing.T
	dir  string
	args []string
	env  map[string]string
	all  strings.Builder // all output
}

func newDesk(t *testing.T) *desk {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "identity.txt"), []byte(newIdentity(t)), 0o600); err != nil {
		t.Fatal(err)
	}
	return &desk{t: t, dir: dir, env: map[string]string{}, args: []string{
		"--state", state.FileURL(filepath.Join(dir, "state.db")), "--identity", filepath.Join(dir, "identity.txt"),
		"--log", filepath.Join(dir, "log.json"), "--lang", "en",
	}}
}

// run runs hacsync with a standard input, and returns its exit code and what it
// wrote on stdout and stderr.
func (d *desk) run(input string, args ...string) (int, string, string) {
	d.t.Helper()
	in, err := os.CreateTemp(d.dir, "in")
	if err != nil {
		d.t.Fatal(err)
	}
	defer in.Close()
	_, _ = in.WriteString(input)
	_, _ = in.Seek(0, io.SeekStart)
	var out, complaints bytes.Buffer
	code := program(append(args, d.args...), in, &out, &complaints, func(name string) string { return d.env[name] })
	d.all.WriteString(out.String() + complaints.String())
	return code, out.String(), complaints.String()
}

func (d *desk) want(code int, says, input string, args ...string) string {
	d.t.Helper()
	got, out, complaints := d.run(input, args...)
	if got != code || !strings.Contains(out+complaints, says) {
		d.t.Errorf("%v: exit %d, want %d with %q:\n%s%s", args, got, code, says, out, complaints)
	}
	return out
}

func TestNotices_AreAddedTriedListedAndRemoved(t *testing.T) {
	const token = "T0KENofTheTarget4711"
	var got []string
	local := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got = append(got, r.URL.Path+" "+r.Header.Get("X-Hacsync-Signature")+" "+string(body))
		if strings.Contains(r.URL.Path, "refuse") {
			http.Error(w, "no "+r.URL.String(), http.StatusForbidden)
			return
		}
		w.WriteHeader(http.StatusOK)
	}))
	defer local.Close()

	d := newDesk(t)
	d.want(0, "Nobody is told yet", "", "notices")
	d.want(1, "HS-5419", "", "notices", "test")
	d.want(1, "HS-5417", "", "notices", "add", "ops")
	d.want(1, "HS-5418", "", "notices", "add", "ops", "https://ops.example/"+token)
	d.want(1, "HS-5412", "http://ops.example/"+token+"\n", "notices", "add", "ops")
	d.want(1, "HS-5416", local.URL+"/"+token+"\n", "notices", "add", "ops", "--kinds", "failed,all")
	d.want(1, "HS-", local.URL+"/"+token+"\n", "notices", "add", "ops", "--only", "nobody")
	d.want(0, "Added ops (http://127.0.0.1", local.URL+"/"+token+"\n", "notices", "add", "ops", "--kinds", "stopped, guard", "--language", "ja")
	d.env[noticeAddressVariable], d.env[noticeKeyVariable] = local.URL+"/refuse/"+token, "key-"+token
	d.want(0, "Added second", "", "notices", "add", "second")
	d.want(1, "HS-5413", "", "notices", "add", "second")
	delete(d.env, noticeAddressVariable)
	delete(d.env, noticeKeyVariable)

	list := d.want(0, "ops", "", "notices", "list")
	if !strings.Contains(list, "stopped, guard") || !strings.Contains(list, "/***") {
		t.Error(list)
	}
	d.want(0, "ops (http://127.0.0.1", "", "notices", "test", "ops")
	if len(got) != 1 || !strings.Contains(got[0], "テスト通知") || !strings.Contains(got[0], `"kind":"test"`) {
		t.Errorf("%v", got)
	}
	out := d.want(1, "HS-5401", "", "notices", "test", "--json")
	var tests struct {
		Schema int `json:"schema"`
		Tests  []struct {
			Target string `json:"target"`
			OK     bool   `json:"ok"`
			Error  *fault `json:"error"`
		} `json:"tests"`
	}
	if err := json.Unmarshal([]byte(out), &tests); err != nil || tests.Schema != 1 || len(tests.Tests) != 2 ||
		!tests.Tests[0].OK || tests.Tests[0].Error != nil || tests.Tests[1].OK || tests.Tests[1].Error.Code != "HS-5401" {
		t.Errorf("%v %s", err, out)
	}
	if len(got) != 3 || !strings.Contains(strings.Join(got, ""), "sha256=") {
		t.Errorf("%v", got)
	}
	out = d.want(0, "", "", "notices", "list", "--json")
	var listed struct {
		Targets []jsonTarget `json:"targets"`
	}
	if err := json.Unmarshal([]byte(out), &listed); err != nil || len(listed.Targets) != 2 || listed.Targets[0].Language != "ja" ||
		len(listed.Targets[0].Kinds) != 2 || len(listed.Targets[1].Kinds) != len(notice.Kinds()) || !listed.Targets[1].Signed {
		t.Errorf("%v %s", err, out)
	}
	d.want(0, "second is not told any more", "", "notices", "remove", "second")
	d.want(1, "HS-5414", "", "notices", "remove", "second")
	d.want(1, "NAME", "", "notices", "remove")
	d.want(1, "--yes", "", "notices", "remove", "--all")
	d.want(0, "Nobody is told any more", "", "notices", "remove", "--all", "--yes")
	d.want(0, "Nobody is told yet", "", "notices", "list")

	// The token is nowhere: on no stream, in no log, not in the state.
	files, err := filepath.Glob(filepath.Join(d.dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	places := map[string]string{"what was printed": d.all.String()}
	for _, f := range files {
		if raw, err := os.ReadFile(f); err == nil && !strings.HasPrefix(filepath.Base(f), "in") {
			places[f] = string(raw)
		}
	}
	for place, text := range places {
		if strings.Contains(text, token) {
			t.Errorf("the token stands in %s", place)
		}
	}
	if len(places) < 4 {
		t.Errorf("only %d places looked at", len(places))
	}
}

// Another key does not open the targets; removing all needs no key.
func TestNotices_WhoseKeyIsLostCanBeTakenAway(t *testing.T) {
	d := newDesk(t)
	d.want(0, "Added", "https://ops.example/x\n", "notices", "add", "ops")
	if err := os.Remove(filepath.Join(d.dir, "identity.txt")); err != nil {
		t.Fatal(err)
	}
	if code, _, _ := d.run("", "connections"); code != 0 {
		t.Fatal(code)
	}
	d.want(1, "HS-50", "", "notices", "list") // the file is missing: this command makes no new one
	if err := os.WriteFile(filepath.Join(d.dir, "identity.txt"), []byte(newIdentity(t)), 0o600); err != nil {
		t.Fatal(err)
	}
	d.want(1, "HS-5420", "", "notices", "list")
	d.want(0, "Nobody", "", "notices", "remove", "--all", "--yes")
	d.want(0, "Nobody", "", "notices", "list")
}

func newIdentity(t *testing.T) string {
	t.Helper()
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	return id.String() + "\n"
}
