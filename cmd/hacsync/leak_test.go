package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/hacsync/hacsync/cmd/hacsync/session"
	"github.com/hacsync/hacsync/graphclient/simulator"
	"github.com/hacsync/hacsync/sync/consent"
	"github.com/hacsync/hacsync/sync/secret"
	"github.com/hacsync/hacsync/sync/secret/keyringtest"
	"github.com/hacsync/hacsync/sync/state"
)

// Rule 9: no secret in clear, on disk, in a log, a panic or an error. The real
// program does everything once, a simulator records every secret that it sends or
// receives, and then everything that was written or left behind is searched.

// leakVariable makes the test binary panic while it holds secrets.
const leakVariable = "HACSYNC_LEAK"

// secrets are those of a run: the origin of each, by its text.
type secrets struct {
	mu  sync.Mutex
	all map[string]string
}

func (s *secrets) add(what, text string) {
	if len(text) < 8 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all == nil {
		s.all = map[string]string{}
	}
	s.all[text] = what
}

// kinds returns the kinds of the secrets, each once.
func (s *secrets) kinds() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := map[string]int{}
	for _, what := range s.all {
		n[what]++
	}
	return n
}

// forms returns the texts by which a secret would be recognised.
func (s *secrets) forms() map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	forms := map[string]string{}
	for text, what := range s.all {
		forms[text] = what
		for _, e := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding} {
			// Its inner part: the ends of base64 depend on the neighbouring bytes.
			for cut := range 3 {
				if cut+12 > len(text) {
					continue
				}
				encoded := strings.TrimRight(e.EncodeToString([]byte(text[cut:])), "=")
				forms[encoded[:len(encoded)-2]] = what + ", base64"
			}
		}
		forms[hex.EncodeToString([]byte(text))] = what + ", hex"
		forms[url.QueryEscape(text)] = what
		if parts := strings.Split(text, "."); len(parts) == 3 && strings.HasPrefix(text, "ey") {
			forms[parts[2]] = what + ", its signature"
		}
	}
	return forms
}

// jsonSecrets are the values that are secret anywhere in JSON, also inside a text.
var jsonSecrets = regexp.MustCompile(`\\*"(access_token|refresh_token|id_token|device_code|client_secret|client_assertion|password|secretText|proof)\\*"\s*:\s*\\*"([^"\\]+)`)

// watch records the secrets in requests and answers.
func (s *secrets) watch(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, "half a request", http.StatusBadRequest)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		if _, token, ok := strings.Cut(r.Header.Get("Authorization"), " "); ok {
			s.add("authorization", token)
		}
		rec := httptest.NewRecorder()
		next.ServeHTTP(rec, r)
		answer := rec.Body.Bytes()
		if form, err := url.ParseQuery(string(body)); err == nil {
			for _, name := range []string{"refresh_token", "device_code", "client_secret", "client_assertion", "code_verifier", "code"} {
				s.add(name, form.Get(name))
			}
		}
		for _, text := range [][]byte{unzipped(body), unzipped(answer)} {
			for _, m := range jsonSecrets.FindAllSubmatch(text, -1) {
				s.add(string(m[1]), string(m[2]))
			}
		}
		for name, values := range rec.Header() {
			w.Header()[name] = values
		}
		w.WriteHeader(rec.Code)
		_, _ = w.Write(answer)
	})
}

func unzipped(b []byte) []byte {
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return b
	}
	plain, err := io.ReadAll(z)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return b
	}
	return plain
}

// addKeys records the private keys in the content of a row, in each of their forms.
func (s *secrets) addKeys(t *testing.T, plain []byte) {
	t.Helper()
	text := strings.ReplaceAll(string(plain), `\n`, "\n")
	found := false
	for rest := []byte(text[max(strings.Index(text, "-----BEGIN"), 0):]); ; {
		var b *pem.Block
		if b, rest = pem.Decode(rest); b == nil {
			break
		}
		if !strings.Contains(b.Type, "PRIVATE KEY") {
			continue
		}
		found = true
		s.add("key, DER", string(b.Bytes))
		encoded := base64.StdEncoding.EncodeToString(b.Bytes)
		for i := 64; i+64 <= len(encoded); i += 64 { // the first line is the same in all keys
			s.add("key, a line of PEM", encoded[i:i+64])
		}
		key, err := x509.ParsePKCS8PrivateKey(b.Bytes)
		if err != nil {
			continue
		}
		switch key := key.(type) {
		case *rsa.PrivateKey:
			s.add("key, d", string(key.D.Bytes()))
			s.add("key, d in digits", key.D.String())
			for _, p := range key.Primes {
				s.add("key, a prime", string(p.Bytes()))
				s.add("key, a prime in digits", p.String())
			}
		case *ecdsa.PrivateKey:
			raw, err := key.Bytes()
			if err != nil {
				t.Fatal(err)
			}
			s.add("key, d", string(raw))
		}
	}
	if !found {
		t.Errorf("no private key in a row of %d bytes", len(plain))
	}
}

// walk is one walk through everything, and what it left behind.
type walk struct {
	t       *testing.T
	dir     string
	env     []string
	sim     *simulator.Server
	secrets *secrets
	said    bytes.Buffer // output of all programs
	args    []string
}

const leakHACSecret = "hac-secret-0815-4711-never-seen"

func newWalk(t *testing.T, env ...string) *walk {
	t.Helper()
	w := &walk{t: t, dir: t.TempDir(), secrets: &secrets{}}
	for _, d := range []string{"home", "tmp", "given", "cwd"} {
		if err := os.Mkdir(filepath.Join(w.dir, d), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	sim, err := simulator.Start(t.Context(), simulator.Options{
		Users: 80, Seed: 3, Dir: filepath.Join(w.dir, "given"), Watch: w.secrets.watch,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sim.Close() })
	w.sim = sim
	ready := filepath.Join(w.dir, "given", "ready.json")
	if err := sim.WriteReady(ready); err != nil {
		t.Fatal(err)
	}
	w.secrets.add("HAC secret of the simulator", sim.Ready().HACSecret)
	w.secrets.add("HAC secret", leakHACSecret)
	w.env = append([]string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + filepath.Join(w.dir, "home"), "TMPDIR=" + filepath.Join(w.dir, "tmp"),
		"LC_ALL=C", "NO_COLOR=1", "HACSYNC_HAC_SECRET=" + leakHACSecret, "DBUS_SESSION_BUS_ADDRESS=unix:path=/nonexistent",
	}, env...)
	w.args = []string{"--simulator", ready, "--state", w.state()}
	return w
}

func (w *walk) state() string { return state.FileURL(filepath.Join(w.dir, "home", "data", "state.db")) }

// run runs a program to its end, which must be one of the codes.
func (w *walk) run(codes []int, env []string, args ...string) string {
	w.t.Helper()
	return w.runProgram("hacsync", codes, env, append(args, w.args...)...)
}

func (w *walk) runProgram(program string, codes []int, env []string, args ...string) string {
	w.t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Dir = filepath.Join(w.dir, "cwd")
	cmd.Env = append(slices.Clone(w.env), env...)
	var out, complaints bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaints
	err := cmd.Run()
	w.said.Write(out.Bytes())
	w.said.Write(complaints.Bytes())
	code := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		code = exit.ExitCode()
	} else if err != nil {
		w.t.Fatal(err)
	}
	if !slices.Contains(codes, code) {
		w.t.Fatalf("%v: exit code %d\n%s%s", args, code, out.String(), complaints.String())
	}
	return out.String()
}

// steps leads from the sign-in to a sync as the application.
func (w *walk) steps() {
	w.t.Helper()
	zero := []int{0}
	log := []string{"--log", filepath.Join(w.dir, "home", "log.txt")}
	logJSON := []string{"--log", filepath.Join(w.dir, "home", "log.json")}
	do := func(codes []int, args ...string) string { return w.run(codes, nil, append(args, log...)...) }
	do(zero, "connect")
	const domain = "sakura.example"
	do([]int{2}, "dry-run", domain, "--source", "hac", "--out", "plan.json")
	do(zero, "audit-log", domain, "--out", "audit.csv")
	do(zero, "audit-log", domain, "--html", "--out", "audit.html")
	w.run([]int{0, 5}, nil, append([]string{"sync", domain, "--source", "hac", "--yes", "--json", "--max-allowed-deletions", "100"}, logJSON...)...)
	do(zero, "connections")
	do(zero, "check", domain)
	do(zero, "logs")
	do(zero, "grant", "--script", "--out", "grant.ps1")
	do(zero, "grant", "--application", "--script", "--out", "application.ps1")
	do(zero, "grant", "--application", "--yes")
	do(zero, "check", "--json")
	w.run([]int{0, 2}, nil, append([]string{"dry-run", domain, "--source", "hac"}, logJSON...)...)
	do(zero, "grant", "--renew")
	do([]int{0, 3, 5}, "sync", domain, "--source", "hac", "--yes")
	// A client of the HAC API that is refused.
	do(zero, "settings", domain, "hac_client=someone")
}

// open opens the rows that a walk sealed, and records their content.
func (w *walk) open(o secret.Options) {
	w.t.Helper()
	ctx := w.t.Context()
	store, err := state.Open(ctx, w.state(), nil)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	o.Rows = store
	sealer, err := secret.Choose(ctx, o)
	if err != nil {
		w.t.Fatal(err)
	}
	all, err := store.Connections(ctx)
	if err != nil || len(all) != 1 {
		w.t.Fatalf("%v %v", all, err)
	}
	for _, name := range []string{secret.Tokens, secret.Certificate, secret.HAC} {
		plain, err := secret.NewRow(store, sealer, all[0].Name, name).Load(ctx)
		if err != nil || plain == nil {
			w.t.Fatalf("%s: %v", name, err)
		}
		if name == secret.Certificate {
			w.secrets.addKeys(w.t, plain)
		}
		w.secrets.add("row "+name+" whole", string(plain))
	}
}

// left returns all files that the walk left behind, with their content; of the
// state also what is packed in it.
func (w *walk) left(leaveOut ...string) map[string][]byte {
	w.t.Helper()
	all := map[string][]byte{"what programs said": w.said.Bytes()}
	var states []string // opened at the end, because that removes their logs
	err := filepath.WalkDir(w.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(w.dir, path)
		if rel == "given" {
			return filepath.SkipDir // the simulator's own files
		}
		if d.IsDir() || slices.Contains(leaveOut, rel) {
			return nil
		}
		b, err := os.ReadFile(path)
		all[rel] = b
		if strings.HasSuffix(rel, ".db") {
			states = append(states, rel)
		}
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	for _, rel := range states {
		w.unpack(filepath.Join(w.dir, rel), rel, all)
	}
	return all
}

// unpack reads every value of a state; plans are compressed in it.
func (w *walk) unpack(path, rel string, all map[string][]byte) {
	db, err := sql.Open("sqlite", path)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	for _, table := range w.tables(db) {
		all[rel+" table "+table] = w.table(db, table)
	}
}

func (w *walk) tables(db *sql.DB) (names []string) {
	rows, err := db.Query(`SELECT name FROM sqlite_master WHERE type = 'table'`)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			w.t.Fatal(err)
		}
		names = append(names, name)
	}
	if err := rows.Err(); err != nil {
		w.t.Fatal(err)
	}
	return names
}

func (w *walk) table(db *sql.DB, table string) []byte {
	rows, err := db.Query(`SELECT * FROM "` + table + `"`) //nolint:gosec // a name of our own
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	if err != nil {
		w.t.Fatal(err)
	}
	var b bytes.Buffer
	for rows.Next() {
		values, targets := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			targets[i] = &values[i]
		}
		if err := rows.Scan(targets...); err != nil {
			w.t.Fatal(err)
		}
		for _, v := range values {
			if raw, ok := v.([]byte); ok {
				b.Write(unzipped(raw))
			} else {
				fmt.Fprint(&b, v)
			}
			b.WriteByte('\n')
		}
	}
	if err := rows.Err(); err != nil {
		w.t.Fatal(err)
	}
	return b.Bytes()
}

// leaks returns the secrets in the files.
func (w *walk) leaks(left map[string][]byte) []string {
	var all []string
	for form, what := range w.secrets.forms() {
		for file, b := range left {
			if bytes.Contains(b, []byte(form)) {
				all = append(all, fmt.Sprintf("%s: %s", file, what))
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// checkModes checks that no other user may read the files of a folder.
func checkModes(t *testing.T, dir string) {
	t.Helper()
	if runtime.GOOS == "windows" {
		return
	}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s may be read by others: %s", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestRule9_NoSecretIsLeftBehind(t *testing.T) {
	if testing.Short() {
		t.Skip("walks through everything, three times")
	}
	t.Run("identity file", func(t *testing.T) {
		t.Parallel()
		w := newWalk(t)
		identity := filepath.Join(w.dir, "home", "identity.txt")
		w.args = append(w.args, "--identity", identity)
		w.steps()
		text, err := os.ReadFile(identity)
		if err != nil {
			t.Fatal(err)
		}
		w.secrets.add("identity", string(regexp.MustCompile(`AGE-SECRET-KEY-\S+`).Find(text)))
		w.panics(identity)
		w.judge(secret.Options{Identity: identity}, filepath.Join("home", "identity.txt"))
	})
	t.Run("passphrase", func(t *testing.T) {
		t.Parallel()
		const passphrase = "correct horse battery staple 7"
		w := newWalk(t, secret.PassphraseVariable+"="+passphrase)
		w.secrets.add("passphrase", passphrase)
		w.steps()
		w.panics("")
		w.judge(secret.Options{Passphrase: secret.NewText(passphrase)})
	})
	t.Run("keyring", func(t *testing.T) {
		t.Parallel()
		s := keyringtest.Start(t, keyringtest.NewHome(t), keyringtest.Unlocked)
		w := newWalk(t, "DBUS_SESSION_BUS_ADDRESS="+s.Address())
		w.steps()
		w.panics("")
		w.judge(secret.Options{})
	})
}

// judge searches everything. leaveOut are the files that hold the key itself.
func (w *walk) judge(o secret.Options, leaveOut ...string) {
	t := w.t
	t.Helper()
	if o.Identity != "" || !o.Passphrase.Empty() {
		w.open(o) // a keyring belongs to another process
	}
	kinds := w.secrets.kinds()
	for _, what := range []string{"access_token", "refresh_token", "id_token", "device_code", "client_assertion", "password", "HAC secret"} {
		if kinds[what] == 0 {
			t.Errorf("no %s was seen, so nothing is proven of it: %v", what, kinds)
		}
	}
	left := w.left(leaveOut...)
	for _, want := range []string{
		"home/log.txt", "home/log.json", "home/data/state.db", "cwd/plan.json", "cwd/audit.csv", "cwd/grant.ps1",
		"home/data/state.db table sealed", "home/data/state.db table journal", "home/data/state.db table plan_piece",
	} {
		if len(left[filepath.FromSlash(want)]) == 0 && len(left[want]) == 0 {
			t.Errorf("%s is not there to be searched", want)
		}
	}
	for _, leak := range w.leaks(left) {
		t.Error(leak)
	}
	checkModes(t, filepath.Join(w.dir, "home"))
	t.Logf("%d secrets %v in %d files and tables", len(w.secrets.all), kinds, len(left))
}

// panics makes the program end by a bug of its own, while it holds secrets.
func (w *walk) panics(identity string) {
	w.t.Helper()
	for _, where := range []string{"command", "goroutine"} {
		o := leakOrder{
			State: w.state(), Ready: w.args[1], Identity: identity, Where: where,
			Log: filepath.Join(w.dir, "home", "panic-"+where+".log"),
		}
		order, err := json.Marshal(o)
		if err != nil {
			w.t.Fatal(err)
		}
		before := w.said.Len()
		codes := []int{1}
		if where == "goroutine" {
			codes = []int{2, -1} // by the runtime
		}
		w.runProgram(os.Args[0], codes, []string{leakVariable + "=" + string(order)})
		if said := w.said.String()[before:]; !strings.Contains(said, "panic") && !strings.Contains(said, "HS-9") {
			w.t.Errorf("%s: no panic: %s", where, said)
		}
	}
}

// leakOrder is what such a process does.
type leakOrder struct{ State, Ready, Identity, Where, Log string }

// leakProcess opens the saved connection, obtains a token, reads the key, and
// panics.
func leakProcess(text string) int {
	var o leakOrder
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		return 99
	}
	crashLoudly()
	a, err := newApp(nil, nil, os.Stdout, os.Stderr, os.Getenv)
	if err != nil {
		return 99
	}
	a.flags.State, a.flags.Simulator, a.flags.Identity, a.flags.log = o.State, o.Ready, o.Identity, o.Log
	if err := a.openLog(context.Background()); err != nil {
		return 99
	}
	defer a.closeLog()
	ctx := context.Background()
	s, err := a.open(ctx)
	if err != nil {
		return a.finish(err)
	}
	defer s.Close()
	tenant, err := s.Runner.Destination.Tenant(ctx)
	if err != nil {
		return a.finish(err)
	}
	plain, err := s.Row(secret.Certificate).Load(ctx)
	if err != nil {
		return a.finish(err)
	}
	hac, err := s.Row(secret.HAC).Load(ctx)
	if err != nil {
		return a.finish(err)
	}
	if len(hac) == 0 {
		return 99
	}
	if o.Where == "goroutine" {
		done := make(chan struct{})
		go func() { crash(s, plain, string(hac), tenant.Name) }()
		<-done
	}
	return a.guarded(func() { crash(s, plain, string(hac), tenant.Name) })
}

//go:noinline
func crash(s *session.Session, plain []byte, key, name string) {
	few := []consent.Connection{s.Connection()}
	_ = few[len(plain)+len(key)+len(name)]
}

// guarded is how program handles a panic.
func (a *app) guarded(f func()) (code int) {
	defer func() {
		if what := recover(); what != nil {
			code = a.finish(a.panicked(what, stack()))
		}
	}()
	f()
	return 0
}

func stack() []byte {
	b := make([]byte, 1<<16)
	return b[:runtime.Stack(b, true)]
}

// The search itself must find what is there.
func TestRule9_TheSearchFindsEveryForm(t *testing.T) {
	const token = "eyJhbGciOiJSUzI1NiJ9.eyJ0aWQiOiJhIn0.c2lnbmF0dXJlIHdpdGggc29tZSBsZW5ndGg"
	w := &walk{t: t, secrets: &secrets{}}
	w.secrets.add("token", token)
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	_, _ = io.WriteString(z, "before "+token)
	_ = z.Close()
	for name, b := range map[string][]byte{
		"clear":     []byte(`x"` + token + `"`),
		"base64":    []byte(base64.StdEncoding.EncodeToString([]byte(`{"a":"` + token + `"}`))),
		"base64 +1": []byte(base64.StdEncoding.EncodeToString([]byte(`{"ab":"` + token + `"}`))),
		"base64 +2": []byte(base64.URLEncoding.EncodeToString([]byte(`{"abc":"` + token + `"}`))),
		"hex":       []byte(hex.EncodeToString([]byte("a" + token))),
		"signature": []byte("x." + strings.Split(token, ".")[2]),
		"zipped":    unzipped(zipped.Bytes()),
	} {
		if len(w.leaks(map[string][]byte{name: b})) == 0 {
			t.Errorf("%s is not found", name)
		}
	}
	if got := w.leaks(map[string][]byte{"nothing": []byte("eyJhbGciOiJSUzI1NiJ9 and more")}); len(got) != 0 {
		t.Errorf("%v", got)
	}
}
