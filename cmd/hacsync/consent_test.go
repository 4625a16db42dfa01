package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/hacsync/hacsync/graphclient"
	"github.com/hacsync/hacsync/graphclient/certificate"
	"github.com/hacsync/hacsync/graphclient/signin"
	"github.com/hacsync/hacsync/sync/consent"
)

// consentCommands are those of the scripts about sign-in and grants.
func consentCommands() map[string]func(*testscript.TestScript, bool, []string) {
	return map[string]func(*testscript.TestScript, bool, []string){
		"playing":    playing,
		"demand":     demandClaims,
		"ranscript":  runScript,
		"keypair":    makeKeyPair,
		"nosecrets":  checkNoSecrets,
		"stop-log":   forgetLog,
		"as":         loggedAs,
		"sleep":      sleepFor,
		"registered": registerApplication,
	}
}

// browserOf trusts a simulator and loopback.
func browserOf(ts *testscript.TestScript, ready string) (*http.Client, *simulated) {
	var r simulated
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(ready)), &r))
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM([]byte(ts.ReadFile(r.CA))) {
		ts.Fatalf("%s: ca is no certificate", ready)
	}
	return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}, Timeout: time.Minute}, &r
}

type simulated struct {
	Graph     string `json:"graph"`
	Authority string `json:"authority"`
	Tenant    string `json:"tenant"`
	CA        string `json:"ca"`
}

// playing READYFILE CODE WHAT PROGRAM ARGS… runs a program that must end with the
// exit code, and acts as the user at every code and page that it shows. WHAT is
// approve or decline, or a form: account=…&refuse=…; code is a number with which
// only codes are refused. What the program wrote is in played.out and played.err.
func playing(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 4 {
		ts.Fatalf("usage: playing READYFILE CODE WHAT PROGRAM ARGS…")
	}
	browser, sim := browserOf(ts, args[0])
	answer := url.Values{"action": {args[2]}}
	if strings.Contains(args[2], "=") {
		form, err := url.ParseQuery(args[2])
		ts.Check(err)
		answer = form
		answer.Set("action", "approve")
	}
	cmd := childOf(ts, args[3:])
	var out, all bytes.Buffer
	cmd.Stdout = &out
	said, err := cmd.StderrPipe()
	ts.Check(err)
	ts.Check(cmd.Start())
	code := regexp.MustCompile(`type the code (\w+)`)
	page := regexp.MustCompile(`[Oo]pen (https://\S+) in the browser`)
	lines := bufio.NewScanner(said)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		all.WriteString(lines.Text() + "\n")
		form, at := url.Values{}, ""
		if m := code.FindStringSubmatch(lines.Text()); m != nil {
			form.Set("code", m[1])
			at = sim.Authority + "/devicelogin"
		} else if m := page.FindStringSubmatch(lines.Text()); m != nil {
			u, err := url.Parse(m[1])
			ts.Check(err)
			form, u.RawQuery = u.Query(), ""
			at = u.String()
		}
		if at == "" {
			continue
		}
		isCode := form.Get("code") != ""
		for k, v := range answer {
			switch {
			case k != "code":
				form[k] = v
			case isCode:
				form["refuse"] = v
			}
		}
		res, err := browser.PostForm(at, form)
		ts.Check(err)
		_ = res.Body.Close()
	}
	err = cmd.Wait()
	ts.Check(os.WriteFile(ts.MkAbs("played.out"), out.Bytes(), 0o600))
	ts.Check(os.WriteFile(ts.MkAbs("played.err"), all.Bytes(), 0o600))
	got := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	}
	if strconv.Itoa(got) != args[1] {
		ts.Fatalf("exit code %d (%v), want %s\n%s%s", got, err, args[1], out.String(), all.String())
	}
}

// demand READYFILE USER CLAIMS asks for claims of a user from now on; empty claims
// end it.
func demandClaims(ts *testscript.TestScript, _ bool, args []string) {
	ask(ts, args[0], http.MethodPost, "/simulator/claims?user="+url.QueryEscape(args[1]), args[2])
}

// keypair FILE LIFE makes a key and certificate, as an administrator makes them
// elsewhere.
func makeKeyPair(ts *testscript.TestScript, _ bool, args []string) {
	life, err := time.ParseDuration(args[1])
	ts.Check(err)
	pair, err := certificate.New("brought along", time.Now(), life)
	ts.Check(err)
	text, err := pair.Encode()
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text.Reveal()), 0o600))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]+".public"), pair.PublicPEM(), 0o600))
}

// ranscript READYFILE SCRIPT VARIABLE does in a simulated tenant what a script of
// hacsync grant --application --script does there, and puts its last line into the
// environment. PowerShell is not run: the values are taken from the script.
func runScript(ts *testscript.TestScript, _ bool, args []string) {
	text := ts.ReadFile(args[1])
	value := func(pattern string) string {
		m := regexp.MustCompile(pattern).FindStringSubmatch(text)
		if m == nil {
			ts.Fatalf("%s: nothing like %s", args[1], pattern)
		}
		return m[1]
	}
	tag, name := value(`\$tag = '([^']+)'`), value(`\$name = '([^']+)'`)
	key := map[string]any{
		"keyId": value(`-Id '([^']+)' -Public`), "type": "AsymmetricX509Cert", "usage": "Verify", "key": value(`-Public '([^']+)'`),
	}
	g := administratorOf(ts, args[0])
	g.send(http.MethodPatch, "/applications(uniqueName='"+tag+"')", map[string]any{
		"displayName": name, "signInAudience": "AzureADMyOrg", "tags": []string{tag},
	}, nil)
	var app struct{ ID, AppID string }
	g.send(http.MethodGet, "/applications(uniqueName='"+tag+"')", nil, &app)
	g.send(http.MethodPatch, "/applications/"+app.ID, map[string]any{"keyCredentials": []any{key}}, nil)
	var roles []string
	for _, m := range regexp.MustCompile(`Grant-AppRole -Name '([^']+)'`).FindAllStringSubmatch(text, -1) {
		roles = append(roles, m[1])
	}
	g.grant(app.AppID, roles)
	ts.Setenv(args[2], fmt.Sprintf("Done. Application ID %s, object ID %s", app.AppID, app.ID))
}

// graphOf is Graph as an administrator uses it from elsewhere.
type graphOf struct {
	ts    *testscript.TestScript
	http  *http.Client
	root  string
	token string
}

func administratorOf(ts *testscript.TestScript, ready string) *graphOf {
	_, sim := browserOf(ts, ready)
	client, err := graphclient.HTTPClient(ts.ReadFile(sim.CA))
	ts.Check(err)
	in, err := signin.New(signin.Options{Authority: sim.Authority, Tenant: sim.Tenant, Graph: sim.Graph, HTTP: client})
	ts.Check(err)
	ctx := context.Background()
	_, wait, err := in.DeviceCode(ctx, consent.GrantScopes())
	ts.Check(err)
	_, err = wait(ctx)
	ts.Check(err)
	token, err := in.Token(ctx, consent.GrantScopes()...)
	ts.Check(err)
	return &graphOf{ts, client, sim.Graph + "/v1.0", token}
}

func (g *graphOf) send(method, path string, body, into any) {
	var b io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		g.ts.Check(err)
		b = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(context.Background(), method, g.root+path, b)
	g.ts.Check(err)
	req.Header.Set("Authorization", "Bearer "+g.token)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Prefer", "create-if-missing")
	res, err := g.http.Do(req)
	g.ts.Check(err)
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	g.ts.Check(err)
	if res.StatusCode/100 != 2 {
		g.ts.Fatalf("%s %s: %s\n%s", method, path, res.Status, raw)
	}
	if into != nil {
		g.ts.Check(json.Unmarshal(raw, into))
	}
}

// nosecrets FILE… looks for tokens and private keys in files.
func checkNoSecrets(ts *testscript.TestScript, _ bool, args []string) {
	for _, name := range args {
		text := ts.ReadFile(name)
		for _, mark := range []string{"eyJ0eXAi", "eyJhbGciOi", "PRIVATE KEY", "0.sim.", "refresh_token\":\""} {
			if strings.Contains(text, mark) {
				ts.Fatalf("%s holds %s", name, mark)
			}
		}
	}
}

// registered READYFILE CERTIFICATE,… VARIABLE registers an application with
// public certificates and all that a sync needs, as an administrator does by
// hand, and puts its ID into the environment.
func registerApplication(ts *testscript.TestScript, _ bool, args []string) {
	var keys []any
	for _, file := range strings.Split(args[1], ",") {
		block, _ := pem.Decode([]byte(ts.ReadFile(file)))
		keys = append(keys, map[string]any{
			"type": "AsymmetricX509Cert", "usage": "Verify", "key": base64.StdEncoding.EncodeToString(block.Bytes),
		})
	}
	g := administratorOf(ts, args[0])
	var app struct{ ID, AppID string }
	g.send(http.MethodPost, "/applications", map[string]any{"displayName": "by hand", "keyCredentials": keys}, &app)
	g.grant(app.AppID, []string{
		"User.ReadWrite.All", "Domain.Read.All", "RoleManagement.Read.Directory", "GroupMember.Read.All", "MailboxSettings.Read",
	})
	ts.Setenv(args[2], app.AppID)
}

// grant makes the service principal of an application and gives it app roles.
func (g *graphOf) grant(appID string, roles []string) {
	var principal, graph struct {
		ID       string
		AppRoles []struct{ ID, Value string }
	}
	g.send(http.MethodPost, "/servicePrincipals", map[string]any{"appId": appID}, &principal)
	g.send(http.MethodGet, "/servicePrincipals(appId='00000003-0000-0000-c000-000000000000')", nil, &graph)
	for _, name := range roles {
		i := slices.IndexFunc(graph.AppRoles, func(r struct{ ID, Value string }) bool { return r.Value == name })
		if i < 0 {
			g.ts.Fatalf("no app role %s", name)
		}
		g.send(http.MethodPost, "/servicePrincipals/"+principal.ID+"/appRoleAssignments", map[string]any{
			"principalId": principal.ID, "resourceId": graph.ID, "appRoleId": graph.AppRoles[i].ID,
		}, nil)
	}
}

// logMark is the key for how much of a log was checked.
type logMark struct{}

// stop-log FILE forgets what a simulator's log has so far.
func forgetLog(ts *testscript.TestScript, _ bool, args []string) {
	marks(ts)[args[0]] = len(ts.ReadFile(args[0]))
}

func marks(ts *testscript.TestScript) map[string]int {
	return ts.Value(logMark{}).(map[string]int)
}

// as FILE KIND checks that every call to Graph since stop-log was made by an
// application, or by a user, and that there was one that wrote or read.
func loggedAs(ts *testscript.TestScript, _ bool, args []string) {
	n := 0
	for line := range strings.Lines(ts.ReadFile(args[0])[marks(ts)[args[0]]:]) {
		if !strings.Contains(line, "msg=graph") || strings.Contains(line, "status=401") {
			continue
		}
		n++
		if !strings.Contains(line, "as="+args[1]) {
			ts.Fatalf("not as %s: %s", args[1], line)
		}
	}
	if n == 0 {
		ts.Fatalf("no call to Graph in %s", args[0])
	}
}

// sleep SECONDS waits.
func sleepFor(ts *testscript.TestScript, _ bool, args []string) {
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	time.Sleep(time.Duration(n) * time.Second)
}
