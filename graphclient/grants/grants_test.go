package grants_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hacsync/hacsync/assets"
	"github.com/hacsync/hacsync/graphclient/grants"
	"github.com/hacsync/hacsync/sync/consent"
	"github.com/hacsync/hacsync/sync/problem"
)

var renew = flag.Bool("renew", false, "write the golden files anew")

const (
	globalAdmin = "62e90394-69f5-4237-9190-012177145e10"
	userAdmin   = "fe930be7-5e62-47db-91af-98c3a49a38b1"
)

func connection() consent.Connection {
	return consent.Connection{
		Name: "midori", Tenant: "5f0c2a8e-1b7d-4e0f-9c55-2d6a8b1f7e10", Account: "t.mori@midorisample.onmicrosoft.com",
		Client: consent.GraphCommandLineTools, Cloud: "public",
	}
}

// tokens answers with tokens of the claims; refuse names scopes without consent.
type tokens struct {
	claims map[string]any
	fresh  map[string]any // after Renew
	refuse []string
	err    error
	renews int
}

func jwt(c map[string]any) string {
	b, err := json.Marshal(c)
	if err != nil {
		panic(err) // a test's own map
	}
	return "e30." + base64.RawURLEncoding.EncodeToString(b) + ".s"
}

func (t *tokens) Token(_ context.Context, scopes ...string) (string, error) {
	if t.err != nil {
		return "", t.err
	}
	for _, s := range scopes {
		if slices.Contains(t.refuse, s) {
			return "", problem.New(problem.ConsentMissing, nil)
		}
	}
	return jwt(t.claims), nil
}

func (t *tokens) Renew(ctx context.Context, _ string, scopes ...string) (string, error) {
	t.renews++
	if t.fresh != nil {
		return jwt(t.fresh), nil
	}
	return t.Token(ctx, scopes...)
}

func states(all []consent.Grant) map[string]consent.GrantState {
	m := map[string]consent.GrantState{}
	for _, g := range all {
		m[string(g.Kind)+" "+g.Name] = g.State
	}
	return m
}

func TestCheck_ReadsTheToken(t *testing.T) {
	read := strings.Join(consent.ReadScopes(), " ")
	for name, tc := range map[string]struct {
		tokens tokens
		want   map[string]consent.GrantState
		by     string
	}{
		"administrator who may not write yet": {
			tokens: tokens{claims: map[string]any{"scp": read, "oid": "1", "wids": []string{globalAdmin}}},
			want: map[string]consent.GrantState{
				"scope User.Read.All": consent.Granted, "scope User.ReadWrite.All": consent.Later,
				"directory-role User Administrator": consent.Granted, "directory-role Global Reader": consent.Granted,
			},
			by: "Global Administrator",
		},
		"writing granted": {
			tokens: tokens{claims: map[string]any{"scp": read + " User.ReadWrite.All", "oid": "1", "wids": []string{userAdmin}}},
			want: map[string]consent.GrantState{
				"scope User.ReadWrite.All": consent.Granted, "directory-role User Administrator": consent.Granted,
				"directory-role Global Reader": consent.Missing,
			},
		},
		"nothing but users": {
			tokens: tokens{claims: map[string]any{"scp": "User.Read.All", "oid": "1"}},
			want: map[string]consent.GrantState{
				"scope User.Read.All": consent.Granted, "scope Domain.Read.All": consent.Missing,
				"directory-role User Administrator": consent.CantTell,
			},
		},
		"granted a moment ago": {
			tokens: tokens{
				claims: map[string]any{"scp": "User.Read.All", "oid": "1"},
				fresh:  map[string]any{"scp": read, "oid": "1", "wids": []string{globalAdmin}},
			},
			want: map[string]consent.GrantState{"scope Domain.Read.All": consent.Granted, "directory-role User Administrator": consent.Granted},
		},
		"consent taken back": {
			tokens: tokens{claims: map[string]any{"scp": read, "oid": "1", "wids": []string{globalAdmin}}, refuse: []string{"GroupMember.Read.All"}},
			want: map[string]consent.GrantState{
				"scope GroupMember.Read.All": consent.Missing, "scope Domain.Read.All": consent.Granted,
				"scope User.ReadWrite.All": consent.Later, "directory-role User Administrator": consent.Granted,
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			all, err := grants.New(grants.Options{Tokens: &tc.tokens, Connection: connection()}).Check(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			got := states(all)
			for k, want := range tc.want {
				if got[k] != want {
					t.Errorf("%s is %q, want %q", k, got[k], want)
				}
			}
			if tc.by != "" && !slices.ContainsFunc(all, func(g consent.Grant) bool { return g.By == tc.by }) {
				t.Errorf("nothing is said to come by %s", tc.by)
			}
		})
	}
}

func TestCheck_FailsWithoutASignIn(t *testing.T) {
	g := grants.New(grants.Options{Tokens: &tokens{err: problem.New(problem.SessionRevoked, nil)}, Connection: connection()})
	if _, err := g.Check(t.Context()); !problem.Has(err, problem.SessionRevoked) {
		t.Errorf("error = %v", err)
	}
}

func TestCheck_AppRolesOfADedicatedApplication(t *testing.T) {
	g := grants.New(grants.Options{
		Tokens:     &tokens{claims: map[string]any{"roles": []string{"User.ReadWrite.All", "Domain.Read.All"}, "oid": "1", "idtyp": "app"}},
		Connection: connection(), Application: "app",
	})
	all, err := g.Check(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got := states(all)
	if got["app-role User.ReadWrite.All"] != consent.Granted || got["app-role GroupMember.Read.All"] != consent.Missing {
		t.Errorf("states = %v", got)
	}
}

func script(t *testing.T, o grants.Options) string {
	t.Helper()
	var b bytes.Buffer
	if err := grants.New(o).Script(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestScript_IsAsItWasReviewed(t *testing.T) {
	for file, o := range map[string]grants.Options{
		"person.ps1":      {Connection: connection()},
		"application.ps1": {Connection: connection(), Application: "9b0e2f51-2c6d-4f0a-8f3e-6a1d7c400d00"},
	} {
		got := strings.ReplaceAll(script(t, o), "\r\n", "\n")
		path := filepath.Join("testdata", file)
		if *renew {
			if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if strings.ReplaceAll(string(want), "\r\n", "\n") != got {
			t.Errorf("%s differs from what was reviewed; look at it, then run with -renew", file)
		}
	}
}

func TestScript_GivesWhatTheListNames(t *testing.T) {
	for _, application := range []string{"", "9b0e2f51-2c6d-4f0a-8f3e-6a1d7c400d00"} {
		o := grants.Options{Connection: connection(), Application: application}
		kinds := map[string]consent.GrantKind{"Scope": consent.DelegatedScope, "Role": consent.DirectoryRole, "AppRole": consent.AppRole}
		var given []string
		for _, m := range regexp.MustCompile(`(?m)^\s*Grant-(Scope|AppRole|Role) (?:-Principal \S+ )?-Name '([^']+)'`).FindAllStringSubmatch(script(t, o), -1) {
			given = append(given, string(kinds[m[1]])+" "+m[2])
		}
		var listed []string
		for _, g := range grants.New(o).List() {
			listed = append(listed, string(g.Kind)+" "+g.Name)
		}
		slices.Sort(given)
		slices.Sort(listed)
		if !slices.Equal(given, listed) {
			t.Errorf("the script gives %v\nthe list names %v", given, listed)
		}
	}
}

func TestList_IsWhatTheSignInAsksFor(t *testing.T) {
	var scopes []string
	for _, g := range grants.New(grants.Options{Connection: connection()}).List() {
		if g.Kind == consent.DelegatedScope {
			scopes = append(scopes, g.Name)
		}
	}
	if want := append(consent.ReadScopes(), consent.WriteScope); !slices.Equal(scopes, want) {
		t.Errorf("scopes = %v, want %v", scopes, want)
	}
}

func TestList_HasWordsForEveryGrant(t *testing.T) {
	raw, err := assets.Locales().Open("signin.en.json")
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	var words struct {
		Grant map[string]map[string]string `json:"grant"`
	}
	if err := json.NewDecoder(raw).Decode(&words); err != nil {
		t.Fatal(err)
	}
	for _, g := range grants.New(grants.Options{Connection: connection(), Application: "a"}).List() {
		for _, k := range []string{"for", "why", "without", "never"} {
			if words.Grant[g.Name][k] == "" {
				t.Errorf("grant.%s.%s has no words", g.Name, k)
			}
		}
	}
}

// What Windows PowerShell 5.1 does not read, and what the rules of the scripts
// forbid. PowerShell itself is not here to ask.
func TestScript_KeepsToTheRules(t *testing.T) {
	for name, s := range renderings(t) {
		t.Run(name, func(t *testing.T) {
			for i := range len(s) {
				if s[i] > '~' || s[i] < ' ' && s[i] != '\r' && s[i] != '\n' {
					t.Fatalf("byte %#x at %d", s[i], i)
				}
			}
			if strings.Count(s, "\n") != strings.Count(s, "\r\n") || strings.Count(s, "\r") != strings.Count(s, "\r\n") {
				t.Error("lines do not all end in CRLF")
			}
			lines := strings.Split(strings.TrimRight(s, "\r\n"), "\r\n")
			for i, l := range lines {
				if strings.TrimSpace(l) == "" {
					t.Errorf("line %d is empty: pasted, it would end the block", i+1)
				}
			}
			code := withoutStringsAndComments(t, lines)
			for _, bad := range []string{"&&", "||", "??", "?.", "-AsHashtable", "-Parallel", "Get-MgUser", "New-Mg", "Update-Mg"} {
				if strings.Contains(code, bad) {
					t.Errorf("uses %s", bad)
				}
			}
			for _, must := range map[bool][]string{true: {"Connect-ExchangeOnline -UserPrincipalName", "$exchange.ToString()"}, false: {"Done."}}[strings.HasPrefix(name, "move")] {
				if !strings.Contains(s, must) {
					t.Errorf("lacks %s", must)
				}
			}
			if regexp.MustCompile(`\s\?\s`).MatchString(code) {
				t.Error("uses a ternary or the alias ?")
			}
			for _, m := range regexp.MustCompile(`\b[A-Z][a-z]+-Mg[A-Za-z]+`).FindAllString(code, -1) {
				if !slices.Contains([]string{"Invoke-MgGraphRequest", "Connect-MgGraph", "Disconnect-MgGraph", "Get-MgContext"}, m) {
					t.Errorf("uses %s, which is not in Microsoft.Graph.Authentication", m)
				}
			}
			balanced(t, code)
			for _, must := range []string{
				"#Requires -Version 5.1", "$ErrorActionPreference = 'Stop'", "-ContextScope Process", "-NoWelcome", "-TenantId $tenant",
				"-Environment ", "-Scopes $scopes", "Get-MgContext", "Disconnect-MgGraph", "-Depth 10", "-ForegroundColor Green",
				"-ForegroundColor Red", "request-id", "if ($failed -and $PSCommandPath) { exit 1 }",
			} {
				if !strings.Contains(s, must) {
					t.Errorf("lacks %s", must)
				}
			}
			if !strings.HasPrefix(s, "#Requires") || strings.Contains(s, "Remove-Item") && !strings.HasPrefix(lines[1], "#") {
				t.Error("a name became a line of the script")
			}
			for _, secret := range []string{"password", "client_secret", "Bearer"} {
				if strings.Contains(strings.ToLower(code), strings.ToLower(secret)) {
					t.Errorf("holds %s", secret)
				}
			}
		})
	}
}

func TestScript_QuotesNames(t *testing.T) {
	c := connection()
	c.Account = "o'brien@midori.example"
	if s := script(t, grants.Options{Connection: c}); !strings.Contains(s, "$account = 'o''brien@midori.example'") {
		t.Error("an apostrophe is not doubled")
	}
	for cloud, environment := range map[string]string{"public": "Global", "usgov": "USGov", "usgovdod": "USGovDoD", "china": "China"} {
		c.Cloud = cloud
		if s := script(t, grants.Options{Connection: c}); !strings.Contains(s, "-Environment "+environment+" ") {
			t.Errorf("%s is not signed in to as %s", cloud, environment)
		}
	}
}

// withoutStringsAndComments leaves what PowerShell would read as code. Strings
// of the template end on their line.
func withoutStringsAndComments(t *testing.T, lines []string) string {
	t.Helper()
	var b strings.Builder
	for n, l := range lines {
		var in byte
		for i := 0; i < len(l); i++ {
			c := l[i]
			switch {
			case in == 0 && c == '#':
				i = len(l)
				continue
			case in == 0 && (c == '\'' || c == '"'):
				in = c
			case in != 0 && c == '`' && in == '"':
				i++
			case in != 0 && c == in:
				if i+1 < len(l) && l[i+1] == in {
					i++ // doubled
					continue
				}
				in = 0
			case in == 0:
				b.WriteByte(c)
			}
		}
		if in != 0 {
			t.Errorf("line %d: a string does not end: %s", n+1, l)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func balanced(t *testing.T, code string) {
	t.Helper()
	pairs := map[rune]rune{')': '(', ']': '[', '}': '{'}
	var open []rune
	for _, c := range code {
		switch c {
		case '(', '[', '{':
			open = append(open, c)
		case ')', ']', '}':
			if len(open) == 0 || open[len(open)-1] != pairs[c] {
				t.Fatalf("unbalanced %c", c)
			}
			open = open[:len(open)-1]
		}
	}
	if len(open) > 0 {
		t.Errorf("%d brackets stay open", len(open))
	}
}

func TestExplain(t *testing.T) {
	for pasted, want := range map[string]problem.Code{
		"[x ] User.Read.All  code Authorization_RequestDenied  request-id ": problem.GrantNotAllowed,
		"The term 'Connect-MgGraph' is not recognized":                      problem.ModuleMissing,
		"grant.ps1 cannot be loaded because running scripts is disabled":    problem.ScriptsDisabled,
	} {
		if p := grants.Explain(pasted); p == nil || p.Code != want {
			t.Errorf("Explain(%q) = %v, want %s", pasted, p, want)
		}
	}
	if p := grants.Explain("hello"); p != nil {
		t.Errorf("Explain = %v", p)
	}
}
