package grants_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hacsync/hacsync/graphclient/certificate"
	"github.com/hacsync/hacsync/graphclient/grants"
	"github.com/hacsync/hacsync/graphclient/simulator"
	"github.com/hacsync/hacsync/sync/consent"
	"github.com/hacsync/hacsync/sync/destination"
	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/problem"
)

const provider = "aaaaaaaa-0000-4000-8000-000000000001"

func (w *world) script(change ...func(*grants.DedicatedOptions)) string {
	w.t.Helper()
	var b bytes.Buffer
	if err := w.hacsync(nil, change...).Script(w.t.Context(), &b); err != nil {
		w.t.Fatal(err)
	}
	return b.String()
}

func precheck() *destination.Precheck {
	return &destination.Precheck{
		Domain: directory.Domain{Name: "midori.example"},
		Shared: []string{"info@midori.example"}, Rooms: []string{"room1@midori.example", "synced@midori.example"},
		Things: []string{"gone@midori.example"}, Groups: []string{"all@midori.example"},
	}
}

func moveScript(t *testing.T, c consent.Connection, found *destination.Precheck) string {
	t.Helper()
	var b bytes.Buffer
	if err := grants.MoveScript(&b, c, found); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// renderings are all scripts there are, each in every form.
func renderings(t *testing.T) map[string]string {
	t.Helper()
	w := newWorld(t, "", simulator.Options{})
	odd := connection()
	odd.Name, odd.Account = "緑 \"x\"\r\n; Remove-Item C:\\", "o'brien@midori.example"
	other, err := certificate.New("o'ther $(machine)", w.clock.Now(), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{
		"person":      script(t, grants.Options{Connection: connection()}),
		"application": script(t, grants.Options{Connection: connection(), Application: provider}),
		"odd names":   script(t, grants.Options{Connection: odd}),
		"dedicated":   w.script(),
		"dedicated, everything": w.script(func(o *grants.DedicatedOptions) {
			o.UserAdministrator, o.Others, o.Name = true, []*x509.Certificate{other.Certificate}, "緑 'hacsync'\r\nexit 1 #"
		}),
		"provider": newWorld(t, "", simulator.Options{}).script(func(o *grants.DedicatedOptions) { o.Provider = provider }),
		"move":     moveScript(t, w.c, precheck()),
	}
	guessed := precheck()
	guessed.Guessed, guessed.Shared = true, append(guessed.Shared, "o'brien$(x)@midori.example")
	odd.Initial = w.c.Initial
	all["move, guessed"] = moveScript(t, odd, guessed)
	return all
}

// The steps of the dedicated application's script are its list, in its order.
func TestDedicatedScript_HasTheStepsOfTheList(t *testing.T) {
	for name, change := range map[string]func(*grants.DedicatedOptions){
		"its own":            func(*grants.DedicatedOptions) {},
		"user administrator": func(o *grants.DedicatedOptions) { o.UserAdministrator = true },
		"provider":           func(o *grants.DedicatedOptions) { o.Provider = provider },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, "", simulator.Options{})
			var steps []string
			for _, m := range regexp.MustCompile(`(?m)^ {8}\$step = '([^']+)'\r\n {8}Grant-(\w+)(.*)\r$`).FindAllStringSubmatch(w.script(change), -1) {
				steps = append(steps, m[1])
				call := map[string]string{"application": "Application", "certificate": "Certificate", "service principal": "Principal", "User Administrator": "Role"}[m[1]]
				if call == "" {
					call = "AppRole"
				}
				if m[2] != call || call == "AppRole" && m[3] != " -Name '"+m[1]+"'" {
					t.Errorf("%s is given by Grant-%s%s", m[1], m[2], m[3])
				}
			}
			var listed []string
			for _, g := range w.hacsync(nil, change).List() {
				if g.Name != "sign-in" { // seen by hacsync itself
					listed = append(listed, g.Name)
				}
			}
			if !slices.Equal(steps, listed) {
				t.Errorf("steps %v\n list %v", steps, listed)
			}
		})
	}
}

func TestDedicatedScript_HoldsNoPrivateKey(t *testing.T) {
	w := newWorld(t, "", simulator.Options{})
	s := w.script()
	key, err := grants.LoadKey(t.Context(), w.keys)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(s, base64.StdEncoding.EncodeToString(key.Certificate.Raw)) || strings.Contains(s, "PRIVATE") {
		t.Error("the script has no certificate, or a key")
	}
	text, err := key.Encode()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(text.Reveal()) {
		if line = strings.TrimSpace(line); len(line) > 40 && strings.Contains(s, line) && !strings.Contains(base64.StdEncoding.EncodeToString(key.Certificate.Raw), line) {
			t.Error("a line of the private key is in the script")
		}
	}
}

func TestMoveScript_LeavesOutWhatItCannotMove(t *testing.T) {
	c := connection()
	_, err := problemOfMove(c, precheck())
	has(t, err, problem.InitialUnknown)
	c.Initial = "midorisample.onmicrosoft.com"
	_, err = problemOfMove(c, &destination.Precheck{Groups: []string{"all@midori.example"}, Shared: []string{"x@midorisample.onmicrosoft.com"}})
	has(t, err, problem.NothingToMove)
	found := precheck()
	found.Synced = []string{"Synced@midori.example"}
	s := moveScript(t, c, found)
	if !strings.Contains(s, "from = 'info@midori.example'; to = 'info@midorisample.onmicrosoft.com'") ||
		strings.Contains(s, "synced@") || strings.Contains(s, "all@") {
		t.Error("not what was found")
	}
}

func problemOfMove(c consent.Connection, found *destination.Precheck) (string, error) {
	var b bytes.Buffer
	err := grants.MoveScript(&b, c, found)
	return b.String(), err
}

// powershell is the folder of the grammar and the player; tests that need it are
// skipped where it is not installed, but never where the environment names it.
func powershell(t *testing.T) string {
	t.Helper()
	named := os.Getenv("HACSYNC_TEST_POWERSHELL")
	dir := named
	if dir == "" {
		dir = filepath.Join("..", "..", ".ci", "powershell")
	}
	_, err := os.Stat(filepath.Join(dir, "node_modules", "tree-sitter-powershell"))
	if err == nil {
		_, err = exec.LookPath("node")
	}
	if err != nil {
		if named != "" {
			t.Fatalf("HACSYNC_TEST_POWERSHELL names %s: %v", named, err)
		}
		t.Skip("the PowerShell grammar is not installed: npm ci in .ci/powershell")
	}
	return dir
}

func save(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestScripts_ArePowerShellByItsGrammar(t *testing.T) {
	dir := powershell(t)
	check := func(text string) (string, error) {
		out, err := exec.CommandContext(t.Context(), "node", filepath.Join(dir, "check.mjs"), save(t, "script.ps1", text)).CombinedOutput()
		return string(out), err
	}
	for name, text := range renderings(t) {
		if out, err := check(text); err != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
	// The grammar finds what is wrong.
	good := script(t, grants.Options{Connection: connection()})
	for name, broken := range map[string]string{
		"a bracket is missing":   strings.Replace(good, "        return $all\r\n    }\r\n", "        return $all\r\n", 1),
		"a string does not end":  strings.Replace(good, "'Stop'", "'Stop", 1),
		"catch without try":      strings.Replace(good, "try {", "{", 1),
		"no condition":           strings.Replace(good, "while ($Uri)", "while", 1),
		"half of a hash literal": strings.Replace(good, "@{ appId = $AppId }", "@{ appId = $AppId", 1),
	} {
		if broken == good {
			t.Fatalf("%s: nothing was broken", name)
		}
		if out, err := check(broken); err == nil || !strings.Contains(out, "line ") {
			t.Errorf("%s: not found: %v %s", name, err, out)
		}
	}
}

// play runs a script by the player of .ci/powershell, on the world's tenant over
// HTTPS.
func (w *world) play(dir, text string, more ...string) (string, error) {
	w.t.Helper()
	path := filepath.Join(dir, "script.ps1")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
	return w.playFile(path, more...)
}

func (w *world) playFile(path string, more ...string) (string, error) {
	w.t.Helper()
	token, err := w.s.Mint(w.admin, "", "Application.ReadWrite.All", "AppRoleAssignment.ReadWrite.All", "RoleManagement.ReadWrite.Directory",
		"DelegatedPermissionGrant.ReadWrite.All", "User.Read.All", "User.ReadWrite.All", "Domain.Read.All")
	if err != nil {
		w.t.Fatal(err)
	}
	ready := w.s.Ready()
	player := powershell(w.t)
	ctx, cancel := context.WithTimeout(w.t.Context(), 60*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, "node", filepath.Join(player, "play.mjs"), path)
	cmd.Env = append(os.Environ(), "NODE_EXTRA_CA_CERTS="+ready.CA, "PLAY_GRAPH="+ready.Graph, "PLAY_TOKEN="+token,
		"PLAY_TENANT="+w.c.Tenant, "PLAY_ACCOUNT="+w.admin, "PLAY_SPEED=30", "PLAY_MAILBOXES="+filepath.Join(filepath.Dir(path), "mailboxes.json"))
	cmd.Env = append(cmd.Env, more...)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 70 {
		w.t.Fatalf("the script has a fault:\n%s", out)
	}
	return string(out), err
}

// served is a world that listens.
func served(t *testing.T, settings string, o simulator.Options) *world {
	t.Helper()
	w := newWorld(t, settings, o)
	o.Tenant, o.Key, o.Dir = []byte(strings.ReplaceAll(roomyTenant, "SETTINGS", cmpOr(settings, "{}"))), tokenKey(), t.TempDir()
	s, err := simulator.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if err := s.GiveRole(w.admin, globalAdministrator); err != nil {
		t.Fatal(err)
	}
	w.s, w.c.Graph, w.c.Authority = s, s.Ready().Graph, s.Ready().Authority
	return w
}

func cmpOr(a, b string) string {
	if a == "" {
		return b
	}
	return a
}

func TestPlay_TheDedicatedApplicationsScript(t *testing.T) {
	powershell(t)
	w := served(t, "", simulator.Options{})
	text, dir := w.script(), t.TempDir()
	for range 2 { // safe to run twice
		out, err := w.play(dir, text)
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		line := lastLine(out)
		if !strings.HasPrefix(line, "Done. Application ID ") {
			t.Fatalf("the last line is %q", line)
		}
		if err := w.hacsync(nil).Adopt(t.Context(), line); err != nil {
			t.Fatal(err)
		}
		w.whole()
	}
}

// lastLine is the last that the script itself wrote.
func lastLine(out string) string {
	last := ""
	for line := range strings.Lines(out) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "request ") {
			last = line
		}
	}
	return last
}

func TestPlay_FailedOrKilledAtAnyRequestAndRunAgain(t *testing.T) {
	powershell(t)
	step := 24 // a sample; where the environment names the player, every request
	if os.Getenv("HACSYNC_TEST_POWERSHELL") != "" {
		step = 3
	}
	for shift, how := range []string{"PLAY_FAIL=%", "PLAY_FAIL=%:after", "PLAY_KILL=%:after"} {
		for n := 1; ; n += step { // the three ways together cover them all
			w := served(t, "", simulator.Options{})
			text, dir := w.script(), t.TempDir()
			at := n + shift*step/3
			out, err := w.play(dir, text, strings.Replace(how, "%", strconv.Itoa(at), 1))
			done := err == nil
			if !done && strings.HasPrefix(how, "PLAY_FAIL") && !strings.Contains(out, "[x ] ") {
				t.Fatalf("no red line:\n%s", out)
			}
			if out, err = w.play(dir, text); err != nil {
				t.Fatalf("stopped at request %d, then: %v\n%s", at, err, out)
			}
			if err := w.hacsync(nil).Adopt(t.Context(), lastLine(out)); err != nil {
				t.Fatal(err)
			}
			w.whole()
			if done {
				if n < 15 {
					t.Fatalf("done after %d requests", n)
				}
				break
			}
		}
	}
}

func TestPlay_WaitsForTheTenantToKnowWhatWasMade(t *testing.T) {
	powershell(t)
	w := served(t, "", simulator.Options{Lag: 20 * time.Second, ReadLag: 20 * time.Second, Speed: 30})
	out, err := w.play(t.TempDir(), w.script())
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if err := w.hacsync(nil).Adopt(t.Context(), lastLine(out)); err != nil {
		t.Fatal(err)
	}
	w.whole()
}

func TestPlay_KeepsTheCertificatesThatAreThere(t *testing.T) {
	powershell(t)
	w := served(t, "", simulator.Options{})
	d := w.hacsync(nil)
	w.give(d)
	other, err := certificate.New("another machine", time.Now(), 24*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	out, err := w.play(t.TempDir(), w.script(func(o *grants.DedicatedOptions) { o.Others = []*x509.Certificate{other.Certificate} }))
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	keys := w.tenant().Applications[1].KeyCredentials
	if len(keys) != 2 || keys[0].CustomKeyIdentifier != w.c.Application.Thumbprint || keys[1].CustomKeyIdentifier != other.Thumbprint() {
		t.Errorf("certificates = %+v", keys)
	}
}

func TestPlay_AProvidersScriptOnlyGrants(t *testing.T) {
	powershell(t)
	w := served(t, "", simulator.Options{})
	text := w.script(func(o *grants.DedicatedOptions) { o.Provider, o.UserAdministrator = provider, true })
	for range 2 {
		if out, err := w.play(t.TempDir(), text); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	g := w.tenant()
	if len(g.Applications) != 1 || g.Applications[0].KeyCredentials != nil || len(g.ServicePrincipals) != 1 || len(g.AppRoleAssignments) != 5 || len(g.RoleAssignments) != 2 {
		t.Errorf("tenant = %+v", g)
	}
}

func TestPlay_ThePersonsScript(t *testing.T) {
	powershell(t)
	w := served(t, "", simulator.Options{})
	w.c.Account = "half@midorisample.onmicrosoft.com"
	text := script(t, grants.Options{Connection: w.c})
	for range 2 {
		if out, err := w.play(t.TempDir(), text); err != nil || lastLine(out) != "Done. hacsync shows what it sees." {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	if g := w.tenant(); len(g.RoleAssignments) != 3 { // the administrator's, Global Reader, User Administrator
		t.Errorf("role assignments = %+v", g.RoleAssignments)
	}
}

func TestPlay_RedLines(t *testing.T) {
	powershell(t)
	w := served(t, "", simulator.Options{})
	text := w.script()
	for name, tc := range map[string]struct {
		env  []string
		want string
	}{
		"module missing":  {[]string{"PLAY_NO_MODULE=1"}, "Install-Module Microsoft.Graph.Authentication -Scope CurrentUser"},
		"another tenant":  {[]string{"PLAY_TENANT=99999999-0000-4000-8000-000000000009"}, "This script is for"},
		"scopes are less": {[]string{"PLAY_LACKS=AppRoleAssignment.ReadWrite.All"}, "The sign-in lacks AppRoleAssignment.ReadWrite.All"},
	} {
		out, err := w.play(t.TempDir(), text, tc.env...)
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != 1 || !strings.Contains(out, tc.want) || !strings.Contains(out, "[x ] ") {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
		// Pasted, it must not close the window.
		if out, err := w.play(t.TempDir(), text, append(tc.env, "PLAY_PASTED=1")...); err != nil {
			t.Errorf("%s, pasted: %v\n%s", name, err, out)
		}
	}
	capped := served(t, `{"certificateDays": 30}`, simulator.Options{})
	out, err := capped.play(t.TempDir(), capped.script())
	if err == nil || !regexp.MustCompile(`\[x \] certificate  code CredentialInvalidLifetimeAsPerAppPolicy  request-id [0-9a-f-]{36}`).MatchString(out) {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestPlay_TheMoveAndItsWayBack(t *testing.T) {
	powershell(t)
	w := served(t, "", simulator.Options{})
	text, dir := moveScript(t, w.c, precheck()), t.TempDir()
	upn := func(want ...string) {
		t.Helper()
		var have []string
		for _, u := range w.tenant().Users {
			have = append(have, u.UserPrincipalName)
		}
		for _, u := range want {
			if !slices.Contains(have, u) {
				t.Fatalf("%s is not there: %v", u, have)
			}
		}
	}
	// The first run stops in the middle.
	if out, err := w.play(dir, text, "PLAY_FAIL=8:after"); err == nil {
		t.Fatalf("not stopped:\n%s", out)
	}
	for range 2 {
		out, err := w.play(dir, text)
		if err != nil || !strings.Contains(out, "synced@midori.example is synchronised from on-premises") ||
			!strings.Contains(out, "gone@midori.example is not there any more") ||
			!strings.Contains(out, "[ok] info@midorisample.onmicrosoft.com has its address info@midori.example") {
			t.Fatalf("%v\n%s", err, out)
		}
		upn("info@midorisample.onmicrosoft.com", "room1@midorisample.onmicrosoft.com", "synced@midori.example")
	}
	boxes, err := os.ReadFile(filepath.Join(dir, "mailboxes.json"))
	if err != nil || !bytes.Contains(boxes, []byte("SMTP:info@midori.example")) || !bytes.Contains(boxes, []byte("smtp:contact@midori.example")) {
		t.Errorf("addresses = %s, %v", boxes, err)
	}
	back, err := os.ReadFile(filepath.Join(dir, "hacsync-move-midori.example-back.ps1"))
	if err != nil || !bytes.Contains(back, []byte("$env:HACSYNC_MOVE_BACK = '1'")) || !bytes.Contains(back, []byte("'script.ps1'")) || bytes.Contains(back, []byte(dir)) {
		t.Errorf("the way back is %s, %v", back, err)
	}
	if out, err := w.play(dir, text, "HACSYNC_MOVE_BACK=1"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	upn("info@midori.example", "room1@midori.example")
}
