// Package deploy holds no code: its tests check that the examples in this folder,
// and the pages in assets/docs, match the program.
package deploy

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

func read(t *testing.T, name string) string {
	t.Helper()
	raw, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(raw), "\r\n", "\n")
}

// tool finds a program, or skips.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("no %s", name)
	}
	return path
}

// unit is the service with programs that this machine has: systemd-analyze
// refuses one whose program is missing.
func unit(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "hacsync-worker.service")
	text := strings.ReplaceAll(read(t, "hacsync-worker.service"), "/usr/local/bin/hacsync ", "/bin/true ")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestService_IsWhatSystemdTakes(t *testing.T) {
	out, err := exec.Command(tool(t, "systemd-analyze"), "verify", unit(t)).CombinedOutput()
	if err != nil || len(bytes.TrimSpace(out)) > 0 {
		t.Errorf("%v %s", err, out)
	}
}

// systemd rates what a service may do, from 0 (nothing) to 10.
func TestService_MayDoLittle(t *testing.T) {
	analyze := tool(t, "systemd-analyze")
	if help, _ := exec.Command(analyze, "--help").CombinedOutput(); !strings.Contains(string(help), "--offline") {
		t.Skip("this systemd-analyze weighs running services alone")
	}
	out, err := exec.Command(analyze, "security", "--offline=true", "--threshold=15", unit(t)).CombinedOutput()
	if err != nil {
		t.Errorf("%v %s", err, out)
	}
}

// What a service must have beyond what systemd checks.
func TestService_StopsSafelyAndKeepsItsSecretToItself(t *testing.T) {
	text := read(t, "hacsync-worker.service")
	for _, want := range []string{
		"KillSignal=SIGTERM", "TimeoutStopSec=180", "Restart=always", "DynamicUser=yes", "StateDirectory=hacsync",
		"LoadCredential=identity:", "ExecStartPre=/usr/bin/install -m 0400 %d/identity %t/hacsync-worker/identity",
		"UMask=0077", "SystemCallErrorNumber=EPERM", // else the limits that Go raises at its start would kill it
	} {
		if !strings.Contains(text, "\n"+want) {
			t.Errorf("no %s", want)
		}
	}
}

// Elements of Windows' schema of tasks, version 1.2, in the order of the
// documentation; those with children have them.
var taskElements = map[string][]string{
	"Task":             {"RegistrationInfo", "Triggers", "Principals", "Settings", "Actions"},
	"RegistrationInfo": {"Description", "URI"},
	"Triggers":         {"BootTrigger", "TimeTrigger"},
	"BootTrigger":      {"Enabled", "Delay"},
	"TimeTrigger":      {"Repetition", "StartBoundary", "Enabled"},
	"Repetition":       {"Interval", "StopAtDurationEnd"},
	"Principals":       {"Principal"},
	"Principal":        {"UserId", "RunLevel"},
	"Settings":         {"MultipleInstancesPolicy", "DisallowStartIfOnBatteries", "StopIfGoingOnBatteries", "AllowHardTerminate", "StartWhenAvailable", "RunOnlyIfNetworkAvailable", "AllowStartOnDemand", "Enabled", "Hidden", "RunOnlyIfIdle", "WakeToRun", "ExecutionTimeLimit", "Priority", "RestartOnFailure"},
	"RestartOnFailure": {"Interval", "Count"},
	"Actions":          {"Exec"},
	"Exec":             {"Command", "Arguments", "WorkingDirectory"},
}

func TestTask_IsWhatWindowsTakes(t *testing.T) {
	const namespace = "http://schemas.microsoft.com/windows/2004/02/mit/task"
	text := read(t, "hacsync-worker.xml")
	if strings.Contains(text, "encoding=") || strings.IndexFunc(text, func(r rune) bool { return r > 0x7e }) >= 0 {
		t.Error("Register-ScheduledTask takes a text: it names no encoding, and is ASCII")
	}
	d := xml.NewDecoder(strings.NewReader(text))
	var path []string
	values := map[string]string{}
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		switch e := token.(type) {
		case xml.StartElement:
			if e.Name.Space != namespace {
				t.Errorf("%s is in %q", e.Name.Local, e.Name.Space)
			}
			if len(path) == 0 && e.Name.Local != "Task" || len(path) > 0 && !slices.Contains(taskElements[path[len(path)-1]], e.Name.Local) {
				t.Errorf("%s in %v", e.Name.Local, path)
			}
			path = append(path, e.Name.Local)
		case xml.EndElement:
			path = path[:len(path)-1]
		case xml.CharData:
			if s := strings.TrimSpace(string(e)); s != "" {
				values[strings.Join(path, "/")] = s
			}
		}
	}
	duration := regexp.MustCompile(`^P(T(\d+H)?(\d+M)?(\d+S)?|\d+D)$`)
	for path, v := range values {
		name := path[strings.LastIndex(path, "/")+1:]
		switch name {
		case "Interval", "Delay", "ExecutionTimeLimit":
			if !duration.MatchString(v) {
				t.Errorf("%s: %q is no duration", path, v)
			}
		case "Enabled", "Hidden", "StopAtDurationEnd", "StartWhenAvailable", "WakeToRun", "AllowHardTerminate", "RunOnlyIfIdle":
			if v != "true" && v != "false" {
				t.Errorf("%s: %q", path, v)
			}
		}
	}
	for path, want := range map[string]string{
		"Task/Settings/ExecutionTimeLimit":         "PT0S", // three days by default
		"Task/Settings/MultipleInstancesPolicy":    "IgnoreNew",
		"Task/Settings/DisallowStartIfOnBatteries": "false",
		"Task/Settings/StopIfGoingOnBatteries":     "false",
		"Task/Principals/Principal/UserId":         "S-1-5-19",
		"Task/Principals/Principal/RunLevel":       "LeastPrivilege",
	} {
		if values[path] != want {
			t.Errorf("%s: %q, want %q", path, values[path], want)
		}
	}
	// The script replaces the folders.
	script := read(t, "register-worker.ps1")
	for _, folder := range []string{`C:\Program Files\hacsync`, `C:\ProgramData\hacsync`, `C:/ProgramData/hacsync`} {
		if !strings.Contains(text, folder) || !strings.Contains(script, ".Replace('"+folder+"'") {
			t.Errorf("%s is not replaced", folder)
		}
	}
}

func TestScript_IsPowerShell(t *testing.T) {
	script := read(t, "register-worker.ps1")
	if strings.IndexFunc(script, func(r rune) bool { return r > 0x7e }) >= 0 {
		t.Error("not ASCII: Windows PowerShell would read it in the code page of the machine")
	}
	if bad := regexp.MustCompile(`&&|\?\?|\? .* : |-AsHashtable`).FindString(script); bad != "" {
		t.Errorf("Windows PowerShell 5.1 does not know %q", bad)
	}
	if open, closed := strings.Count(script, "{"), strings.Count(script, "}"); open != closed {
		t.Errorf("%d { and %d }", open, closed)
	}
	node := tool(t, "node")
	grammar := os.Getenv("HACSYNC_TEST_POWERSHELL")
	if grammar == "" {
		t.Skip("HACSYNC_TEST_POWERSHELL is not set")
	}
	if out, err := exec.Command(node, filepath.Join(grammar, "check.mjs"), "register-worker.ps1").CombinedOutput(); err != nil {
		t.Errorf("%v %s", err, out)
	}
}

// No engine for containers is needed here: the test reads the stages, it does not
// build them.
func TestDockerfile_BuildsAStaticProgramForNobodySpecial(t *testing.T) {
	known := strings.Fields("FROM WORKDIR COPY RUN USER VOLUME EXPOSE STOPSIGNAL ENTRYPOINT CMD")
	stages, root := 0, filepath.Join("..", "..")
	var user string
	for line := range strings.SplitSeq(read(t, "Dockerfile"), "\n") {
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		what, rest, _ := strings.Cut(line, " ")
		if !slices.Contains(known, what) {
			t.Errorf("unknown instruction: %s", line)
		}
		switch what {
		case "FROM":
			stages++
			if strings.HasSuffix(rest, ":latest") || !strings.Contains(rest, ":") {
				t.Errorf("%s is not pinned", rest)
			}
		case "COPY":
			if strings.HasPrefix(rest, "--from=") {
				continue
			}
			parts := strings.Fields(rest)
			for _, from := range parts[:len(parts)-1] {
				if _, err := os.Stat(filepath.Join(root, from)); err != nil {
					t.Error(err)
				}
			}
		case "RUN":
			if strings.Contains(rest, "go build") && !strings.Contains(rest, "CGO_ENABLED=0") {
				t.Error("a program that is not static does not run in the last stage")
			}
		case "USER":
			user = rest
		case "ENTRYPOINT", "CMD":
			var args []string
			if err := json.Unmarshal([]byte(rest), &args); err != nil {
				t.Errorf("%s: %v", line, err)
			}
		}
	}
	if stages != 2 || user != "65532:65532" {
		t.Errorf("%d stages, user %s", stages, user)
	}
	goMod := read(t, filepath.Join(root, "go.mod"))
	version := regexp.MustCompile(`(?m)^go (\S+)$`).FindStringSubmatch(goMod)
	if len(version) != 2 || !strings.Contains(read(t, "Dockerfile"), "FROM golang:"+version[1]+"-") {
		t.Errorf("the Dockerfile does not use Go %v", version)
	}
}

func TestYAML_IsWhatItIsFor(t *testing.T) {
	load := func(name string) map[string]any {
		var v map[string]any
		if err := yaml.Unmarshal([]byte(read(t, name)), &v); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		return v
	}
	at := func(v any, path ...string) any {
		for _, p := range path {
			m, ok := v.(map[string]any)
			if !ok {
				return nil
			}
			v = m[p]
		}
		return v
	}
	compose := load("compose.yaml")
	if at(compose, "services", "worker", "stop_grace_period") != "3m" || at(compose, "services", "worker", "read_only") != any(true) ||
		at(compose, "services", "worker", "depends_on", "db", "condition") != "service_healthy" {
		t.Errorf("%v", at(compose, "services", "worker"))
	}
	for _, service := range []string{"worker", "db"} {
		for _, s := range at(compose, "services", service, "secrets").([]any) {
			if at(compose, "secrets", s.(string), "file") == nil {
				t.Errorf("%s: secret %v is not declared", service, s)
			}
		}
	}
	if dockerfile := at(compose, "services", "worker", "build", "dockerfile"); dockerfile != "assets/deploy/Dockerfile" {
		t.Errorf("%v", dockerfile)
	}
	pod := at(load("kubernetes.yaml"), "spec", "template", "spec")
	if at(pod, "terminationGracePeriodSeconds") != 180 || at(pod, "securityContext", "runAsNonRoot") != any(true) {
		t.Errorf("%v", pod)
	}
	// Every metric that a rule names is one that the program has.
	sources := ""
	for _, file := range []string{"metrics.go", "shared.go"} {
		sources += read(t, filepath.Join("..", "..", "sync", "metrics", file))
	}
	metric := regexp.MustCompile(`hacsync_([a-z_]+)`)
	for _, name := range []string{"alerts.yaml", filepath.Join("..", "docs", "metrics.md"), filepath.Join("..", "docs", "notices.md")} {
		if strings.HasSuffix(name, ".yaml") {
			load(name)
		}
		for _, m := range metric.FindAllStringSubmatch(read(t, name), -1) {
			if !strings.Contains(sources, `"`+m[1]+`"`) && !strings.Contains(sources, `"hacsync_`+m[1]+`"`) {
				t.Errorf("%s names %s, which does not exist", name, m[0])
			}
		}
	}
}

// program reads from the source which commands and flags the program has.
func program(t *testing.T) (commands, flags map[string]bool) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "..", "cmd", "hacsync", "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatal("no commands", err)
	}
	commands, flags = map[string]bool{"help": true}, map[string]bool{"help": true, "version": true}
	command := regexp.MustCompile(`command\("[a-z_-]+", "([a-z-]+)`)
	flag := regexp.MustCompile(`(?:Var|VarP|Flag)\((?:[^"\n]+, )?"([a-z-]+)"`)
	for _, f := range files {
		text := read(t, f)
		for _, m := range command.FindAllStringSubmatch(text, -1) {
			commands[m[1]] = true
		}
		for _, m := range flag.FindAllStringSubmatch(text, -1) {
			flags[m[1]] = true
		}
	}
	if !commands["worker"] || !flags["metrics"] || !flags["identity"] {
		t.Fatalf("not found: %v %v", commands, flags)
	}
	return commands, flags
}

// Every hacsync command line in examples and pages has a command and flags that
// exist.
func TestCommandLines_AreThoseOfTheProgram(t *testing.T) {
	commands, flags := program(t)
	line := regexp.MustCompile("(?:^|[\\s`/])hacsync ([a-z-]+)([^`\n]*)")
	lone := regexp.MustCompile("`(--[a-z-]+)[^`]*`")
	long := regexp.MustCompile(`(?:^|[\s"\[])--([a-z][a-z-]*)`)
	words := strings.Fields("in is as does has can may worker-* backup. works and refuses example on never remembers therefore added")
	checked := 0
	check := func(name, text string) {
		for _, m := range line.FindAllStringSubmatch(text, -1) {
			if slices.Contains(words, m[1]) {
				continue // a sentence about hacsync
			}
			if !commands[m[1]] {
				t.Errorf("%s: hacsync %s does not exist", name, m[1])
				continue
			}
			checked++
			for _, f := range long.FindAllStringSubmatch(m[2], -1) {
				if !flags[f[1]] {
					t.Errorf("%s: hacsync %s has no --%s", name, m[1], f[1])
				}
			}
		}
		for _, m := range lone.FindAllStringSubmatch(text, -1) {
			if !flags[strings.TrimPrefix(m[1], "--")] {
				t.Errorf("%s: there is no %s", name, m[1])
			}
		}
	}
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if strings.HasSuffix(path, ".md") {
			check(path, read(t, path))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	check("service", read(t, "hacsync-worker.service"))
	// Arguments elsewhere, without the program's name before them.
	for _, name := range []string{"hacsync-worker.xml", "Dockerfile", "compose.yaml", "kubernetes.yaml"} {
		text := read(t, name)
		if !strings.Contains(text, "worker") {
			t.Errorf("%s runs no worker", name)
		}
		found := regexp.MustCompile(`--(state|identity|metrics|log)\b`).FindAllString(text, -1)
		if len(found) < 4 {
			t.Errorf("%s: %v", name, found)
		}
		for _, m := range regexp.MustCompile(`(?m)(?:"|>worker |\s)--([a-z-]+)(?:"| )`).FindAllStringSubmatch(text, -1) {
			if f := m[1]; !flags[f] && !slices.Contains(strings.Fields("build rm from-file chown"), f) {
				t.Errorf("%s: there is no --%s", name, f)
			}
		}
	}
	if checked < 15 {
		t.Errorf("only %d command lines were found", checked)
	}
}

// Links of the pages lead to something that exists.
func TestPages_LinkToWhatIsThere(t *testing.T) {
	pages, err := filepath.Glob(filepath.Join("..", "docs", "*.md"))
	if err != nil || len(pages) < 5 {
		t.Fatalf("%v %v", pages, err)
	}
	for _, page := range pages {
		for _, m := range regexp.MustCompile(`\]\(([^)#]+)\)`).FindAllStringSubmatch(read(t, page), -1) {
			if strings.HasPrefix(m[1], "https://") {
				continue
			}
			if _, err := os.Stat(filepath.Join(filepath.Dir(page), m[1])); err != nil {
				t.Errorf("%s: %v", page, err)
			}
		}
	}
}
