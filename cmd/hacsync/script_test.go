package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	if order := os.Getenv(proofVariable); order != "" {
		os.Exit(proofProcess(order))
	}
	if order := os.Getenv(leakVariable); order != "" {
		os.Exit(leakProcess(order))
	}
	testscript.Main(m, map[string]func(){"hacsync": main})
}

// TestScripts drives the real program, as its users do, against simulators
// that serve over HTTPS in processes of their own.
func TestScripts(t *testing.T) {
	commands := consentCommands()
	maps.Copy(commands, map[string]func(*testscript.TestScript, bool, []string){
		"exits":        exits,
		"simulator":    simulatorReady,
		"stop":         stopSimulator,
		"interrupted":  interruptedBy,
		"killed":       killedBy,
		"empty":        checkEmpty,
		"approving":    approving,
		"identity":     makeIdentity,
		"tenant":       saveTenant,
		"json":         checkJSON,
		"csv":          makeCSV,
		"insync":       checkInSync,
		"awaitfile":    awaitFile,
		"fingerprint":  readFingerprint,
		"sameaccounts": sameAccounts,
	})
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		Setup: func(e *testscript.Env) error {
			// No keyring, no locale and no home of the machine it runs on.
			e.Setenv("XDG_DATA_HOME", filepath.Join(e.WorkDir, "data"))
			e.Setenv("HOME", e.WorkDir)
			e.Setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent")
			e.Setenv("LC_ALL", "C")
			e.Setenv("NO_COLOR", "1")
			e.Values[running{}] = map[string]func(){}
			e.Values[logMark{}] = map[string]int{}
			return os.MkdirAll(filepath.Join(e.WorkDir, ".tmp"), 0o700)
		},
		Cmds: commands,
	})
}

// exits CODE PROGRAM ARGS… runs a program, which must end with the code, or with
// one of several: 0,5.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM ARGS…")
	}
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if !slices.Contains(strings.Split(args[0], ","), strconv.Itoa(got)) {
		ts.Fatalf("exit code %d, want %s", got, args[0])
	}
}

// simulator READYFILE ARGS… starts hacsync simulator and waits until it listens.
// It is stopped when the script ends.
func simulatorReady(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) == 0 {
		ts.Fatalf("usage: simulator READYFILE ARGS…")
	}
	ready := ts.MkAbs(args[0])
	program := findProgram(ts, "hacsync")
	cmd := exec.Command(program, append([]string{"simulator", "--ready-file", ready}, args[1:]...)...)
	cmd.Dir = ts.MkAbs(".")
	cmd.Env = []string{"PATH=" + ts.Getenv("PATH"), "HOME=" + ts.Getenv("HOME"), "LC_ALL=C"}
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	ts.Check(cmd.Start())
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
	stop := func() {
		_ = cmd.Process.Signal(os.Interrupt)
		select {
		case <-ended:
		case <-time.After(5 * time.Second):
			_ = cmd.Process.Kill()
		}
	}
	ts.Value(running{}).(map[string]func())[ready] = stop
	ts.Defer(stop)
	for range 600 {
		if _, err := os.Stat(ready); err == nil {
			return
		}
		select {
		case <-ended:
			ts.Fatalf("the simulator ended:\n%s", out.String())
		case <-time.After(50 * time.Millisecond):
		}
	}
	ts.Fatalf("the simulator did not listen within 30 s")
}

// running is the key of a script's simulators, by ready file.
type running struct{}

// stop READYFILE stops a simulator.
func stopSimulator(ts *testscript.TestScript, _ bool, args []string) {
	ts.Value(running{}).(map[string]func())[ts.MkAbs(args[0])]()
}

// interrupted CODE FILE TEXT PROGRAM ARGS… starts a program, waits until a file
// holds a text, sends ctrl+c, and expects the exit code. What the program wrote
// is in the files interrupted.out and interrupted.err.
func interruptedBy(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 4 {
		ts.Fatalf("usage: interrupted CODE FILE TEXT PROGRAM ARGS…")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	cmd := childOf(ts, args[3:])
	var out, complaints strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &complaints
	// An input that stays open and is not a terminal.
	input, err := cmd.StdinPipe()
	ts.Check(err)
	defer func() { _ = input.Close() }()
	ts.Check(cmd.Start())
	awaitFile(ts, false, args[1:3])
	ts.Check(cmd.Process.Signal(os.Interrupt))
	err = cmd.Wait()
	ts.Check(os.WriteFile(ts.MkAbs("interrupted.out"), []byte(out.String()), 0o600))
	ts.Check(os.WriteFile(ts.MkAbs("interrupted.err"), []byte(complaints.String()), 0o600))
	got := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit code %d (%v), want %d\n%s", got, err, want, complaints.String())
	}
}

// childOf returns a command of a script, with the script's environment and folder.
func childOf(ts *testscript.TestScript, args []string) *exec.Cmd {
	cmd := exec.Command(findProgram(ts, args[0]), args[1:]...)
	cmd.Dir = ts.MkAbs(".")
	for _, name := range []string{"PATH", "HOME", "LC_ALL", "XDG_DATA_HOME", "TMPDIR", "NO_COLOR", "DBUS_SESSION_BUS_ADDRESS"} {
		cmd.Env = append(cmd.Env, name+"="+ts.Getenv(name))
	}
	return cmd
}

// killed FILE TEXT PROGRAM ARGS… starts a program, waits until a file holds a
// text, and kills it: no clean-up runs.
func killedBy(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 3 {
		ts.Fatalf("usage: killed FILE TEXT PROGRAM ARGS…")
	}
	cmd := childOf(ts, args[2:])
	ts.Check(cmd.Start())
	awaitFile(ts, false, args[:2])
	ts.Check(cmd.Process.Kill())
	_ = cmd.Wait()
}

// identity FILE makes an age identity file.
func makeIdentity(ts *testscript.TestScript, _ bool, args []string) {
	id, err := age.GenerateX25519Identity()
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(id.String()+"\n"), 0o600))
}

type readyFile struct {
	Graph string `json:"graph"`
	CA    string `json:"ca"`
}

// ask sends a request to a simulator's Graph host without a token.
func ask(ts *testscript.TestScript, ready, method, path, body string) []byte {
	var r readyFile
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(ready)), &r))
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM([]byte(ts.ReadFile(r.CA))) {
		ts.Fatalf("%s: ca is no certificate", ready)
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}, Timeout: time.Minute}
	req, err := http.NewRequestWithContext(context.Background(), method, r.Graph+path, strings.NewReader(body))
	ts.Check(err)
	if body != "" {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := client.Do(req)
	ts.Check(err)
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	ts.Check(err)
	if resp.StatusCode/100 != 2 {
		ts.Fatalf("%s %s: %s\n%s", method, path, resp.Status, b)
	}
	return b
}

// tenant READYFILE FILE saves the true present state of a simulated tenant.
func saveTenant(ts *testscript.TestScript, _ bool, args []string) {
	b := ask(ts, args[0], http.MethodGet, "/simulator/tenant", "")
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), b, 0o600))
}

// json FILE PATH WANT compares a value in JSON text: PATH is keys and indexes
// with dots between, or len for the length. Without WANT the value must be there.
func checkJSON(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: json FILE PATH [WANT]")
	}
	d := json.NewDecoder(strings.NewReader(ts.ReadFile(args[0])))
	d.UseNumber()
	var v any
	ts.Check(d.Decode(&v))
	if d.More() {
		ts.Fatalf("%s holds more than one JSON object", args[0])
	}
	v, found := lookup(v, strings.Split(args[1], "."))
	if !found {
		if neg {
			return
		}
		ts.Fatalf("%s has no %s", args[0], args[1])
	}
	if len(args) == 2 {
		if neg {
			ts.Fatalf("%s has %s", args[0], args[1])
		}
		return
	}
	if got := fmt.Sprint(v); (got == args[2]) == neg {
		ts.Fatalf("%s: %s is %q, want %q (negated: %v)", args[0], args[1], got, args[2], neg)
	}
}

func lookup(v any, path []string) (any, bool) {
	for _, key := range path {
		switch t := v.(type) {
		case map[string]any:
			next, ok := t[key]
			if !ok {
				return nil, false
			}
			v = next
		case []any:
			if key == "len" {
				return len(t), true
			}
			i, err := strconv.Atoi(key)
			if err != nil || i >= len(t) {
				return nil, false
			}
			v = t[i]
		default:
			return nil, false
		}
	}
	return v, true
}

// account is what the scripts compare of a user.
type account struct {
	UPN         string `json:"userPrincipalName"`
	ImmutableID string `json:"onPremisesImmutableId"`
	Display     string `json:"displayName"`
	Surname     string `json:"surname"`
	Given       string `json:"givenName"`
}

// csv TENANTFILE DOMAIN FILE KEEP writes a HAC export of the first KEEP users
// of a domain (all: 0), with every tenth family name changed and one user more
// for every twenty.
func makeCSV(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 4 {
		ts.Fatalf("usage: csv TENANTFILE DOMAIN FILE KEEP")
	}
	users := accounts(ts, args[0], args[1])
	keep, err := strconv.Atoi(args[3])
	ts.Check(err)
	if keep == 0 || keep > len(users) {
		keep = len(users)
	}
	f, err := os.Create(ts.MkAbs(args[2]))
	ts.Check(err)
	w := csv.NewWriter(f)
	write := func(row ...string) { ts.Check(w.Write(row)) }
	write("Username", "Email", "Family Name", "Given Name", "Display Name", "Status", "Microsoft Immutable ID")
	for i, u := range users[:keep] {
		family := u.Surname
		if i%10 == 3 {
			family += "-Neu"
		}
		local, _, _ := strings.Cut(u.UPN, "@")
		write(local, u.UPN, family, u.Given, u.Display, "enabled", u.ImmutableID)
		if i%20 == 0 {
			write(fmt.Sprintf("new%d", i), fmt.Sprintf("new%d@%s", i, args[1]), "Neu", fmt.Sprintf("Person %d", i),
				fmt.Sprintf("Neu Person %d", i), "enabled", fmt.Sprintf("NEW%08d==", i))
		}
	}
	w.Flush()
	ts.Check(w.Error())
	ts.Check(f.Close())
}

func accounts(ts *testscript.TestScript, file, domain string) []account {
	var tenant struct {
		Users []account `json:"users"`
	}
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(file)), &tenant))
	return slices.DeleteFunc(tenant.Users, func(u account) bool {
		return !strings.HasSuffix(strings.ToLower(u.UPN), "@"+domain)
	})
}

// insync TENANTFILE DOMAIN CSV compares a domain of a tenant with an export: the
// same UPNs, and for each the same names and immutable ID. Accounts that the script
// names after CSV are left unchanged by rule.
func checkInSync(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 3 {
		ts.Fatalf("usage: insync TENANTFILE DOMAIN CSV [UPN…]")
	}
	want := map[string][]string{}
	r := csv.NewReader(strings.NewReader(strings.TrimPrefix(ts.ReadFile(args[2]), "\ufeff")))
	rows, err := r.ReadAll()
	ts.Check(err)
	column := func(name string) int {
		i := slices.Index(rows[0], name)
		if i < 0 {
			ts.Fatalf("%s has no column %s", args[2], name)
		}
		return i
	}
	upn, id := column("Email"), column("Microsoft Immutable ID")
	family, given, display := column("Family Name"), column("Given Name"), column("Display Name")
	for _, row := range rows[1:] {
		if strings.HasSuffix(row[upn], "@"+args[1]) {
			want[strings.ToLower(row[upn])] = []string{row[display], row[family], row[given], row[id]}
		}
	}
	var differences []string
	for _, u := range accounts(ts, args[0], args[1]) {
		key := strings.ToLower(u.UPN)
		if slices.Contains(args[3:], key) {
			delete(want, key)
			continue
		}
		w, ok := want[key]
		delete(want, key)
		got := []string{u.Display, u.Surname, u.Given, u.ImmutableID}
		if !ok {
			differences = append(differences, key+" is in the tenant only")
			continue
		}
		for i := range w {
			if w[i] != "" && w[i] != got[i] {
				differences = append(differences, fmt.Sprintf("%s: %q, source %q", key, got, w))
				break
			}
		}
	}
	for key := range want {
		differences = append(differences, key+" is in the source only")
	}
	if (len(differences) > 0) != neg {
		ts.Fatalf("%d differences: %s", len(differences), strings.Join(differences[:min(len(differences), 20)], "\n"))
	}
}

// awaitfile FILE [PATTERN] waits until a file is there and holds a text.
func awaitFile(ts *testscript.TestScript, _ bool, args []string) {
	for range 400 {
		b, err := os.ReadFile(ts.MkAbs(args[0]))
		if err == nil && (len(args) == 1 || strings.Contains(string(b), args[1])) {
			return
		}
		time.Sleep(25 * time.Millisecond)
	}
	ts.Fatalf("%s did not come within 10 s", args[0])
}

// fingerprint FILE VARIABLE puts the fingerprint of a JSON object into the
// environment.
func readFingerprint(ts *testscript.TestScript, _ bool, args []string) {
	var v struct {
		Fingerprint string `json:"fingerprint"`
	}
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &v))
	if len(v.Fingerprint) != 64 {
		ts.Fatalf("fingerprint %q", v.Fingerprint)
	}
	ts.Setenv(args[1], v.Fingerprint)
}

// findProgram finds a program on the script's own path.
func findProgram(ts *testscript.TestScript, name string) string {
	for _, dir := range filepath.SplitList(ts.Getenv("PATH")) {
		if p := filepath.Join(dir, name); isFile(p) {
			return p
		}
	}
	ts.Fatalf("%s is not on the path", name)
	return ""
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && !info.IsDir()
}

// empty FOLDER checks that nothing of hacsync is left in it.
func checkEmpty(ts *testscript.TestScript, _ bool, args []string) {
	left, err := filepath.Glob(filepath.Join(ts.MkAbs(args[0]), "*hacsync*"))
	ts.Check(err)
	if len(left) > 0 {
		ts.Fatalf("left behind: %v", left)
	}
}

// approving READYFILE ARGS… runs hacsync, and types the codes that it shows at
// the sign-in page of a simulator.
func approving(ts *testscript.TestScript, _ bool, args []string) {
	cmd := exec.Command(findProgram(ts, "hacsync"), args[1:]...)
	cmd.Dir = ts.MkAbs(".")
	cmd.Env = []string{"HOME=" + ts.Getenv("HOME"), "LC_ALL=C"}
	said, err := cmd.StderrPipe()
	ts.Check(err)
	ts.Check(cmd.Start())
	typed := regexp.MustCompile(`type the code (\w+)`)
	var all strings.Builder
	lines := bufio.NewScanner(said)
	for lines.Scan() {
		all.WriteString(lines.Text() + "\n")
		if m := typed.FindStringSubmatch(lines.Text()); m != nil {
			ask(ts, args[0], http.MethodPost, "/devicelogin", "action=approve&code="+m[1])
		}
	}
	if err := cmd.Wait(); err != nil {
		ts.Fatalf("%v\n%s", err, all.String())
	}
}
