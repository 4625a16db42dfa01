package grants_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hacsync/hacsync/graphclient/grants"
	"github.com/hacsync/hacsync/graphclient/signin"
	"github.com/hacsync/hacsync/graphclient/simulator"
	"github.com/hacsync/hacsync/graphclient/transport"
	"github.com/hacsync/hacsync/sync/consent"
)

// The script's requests, as they stand in it, on a simulated tenant. There is no
// PowerShell here: the addresses and bodies are taken out of its text and
// evaluated, the conditions around them are repeated by hand.
func TestScript_ItsRequestsAreTaken(t *testing.T) {
	s, err := simulator.Start(t.Context(), simulator.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	ready := s.Ready()
	ca, err := os.ReadFile(ready.CA)
	if err != nil {
		t.Fatal(err)
	}
	client, err := transport.Client(string(ca))
	if err != nil {
		t.Fatal(err)
	}
	c := connection()
	c.Tenant, c.Account = ready.Tenant, s.SignedIn()
	text := strings.ReplaceAll(script(t, grants.Options{Connection: c}), "\r\n", "\n")
	asked := regexp.MustCompile(`\$scopes = @\(([^)]*)\)`).FindStringSubmatch(text)
	in, err := signin.New(signin.Options{Authority: ready.Authority, ClientID: ready.Client, Graph: ready.Graph, HTTP: client})
	if err != nil {
		t.Fatal(err)
	}
	scopes := strings.Split(strings.ReplaceAll(asked[1], "'", ""), ", ")
	_, wait, err := in.DeviceCode(t.Context(), scopes)
	if err != nil {
		t.Fatal(err)
	}
	who, err := wait(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	token, err := in.Token(t.Context(), scopes...)
	if err != nil {
		t.Fatal(err)
	}
	r := &replay{t: t, text: text, client: client, root: ready.Graph, token: token, vars: map[string]any{
		"account": c.Account, "graphApp": "00000003-0000-0000-c000-000000000000", "client": c.Client,
	}}

	// As the main part of the script does.
	principal := func(app string) map[string]any {
		r.vars["AppId"] = app
		found := r.list(`servicePrincipals`)
		if len(found) != 1 {
			t.Fatalf("%d service principals of %s", len(found), app)
		}
		return found[0]
	}
	r.vars["graph"] = principal("00000003-0000-0000-c000-000000000000")
	r.vars["person"] = r.send(`v1.0/users/`)
	r.vars["clientPrincipal"] = principal(c.Client)
	mine := func() []map[string]any {
		var out []map[string]any
		for _, g := range r.list(`v1.0/oauth2PermissionGrants?`) {
			if g["principalId"] == r.eval("$person.id") && g["resourceId"] == r.eval("$graph.id") && g["consentType"] == "Principal" {
				out = append(out, g)
			}
		}
		return out
	}
	scope := func(name string) {
		r.vars["Name"] = name
		have := mine()
		switch {
		case len(have) == 0:
			r.send(`'v1.0/oauth2PermissionGrants'`)
		case !slices.Contains(strings.Fields(fmt.Sprint(have[0]["scope"])), name):
			r.vars["consent"] = have[0]
			r.send(`v1.0/oauth2PermissionGrants/`)
		}
		if have = mine(); len(have) != 1 || !slices.Contains(strings.Fields(fmt.Sprint(have[0]["scope"])), name) {
			t.Fatalf("%s is not read back: %v", name, have)
		}
	}
	role := func(name, id string) {
		r.vars["Id"] = id
		held := func() bool {
			return slices.ContainsFunc(r.list(`v1.0/roleManagement/directory/roleAssignments?`), func(a map[string]any) bool {
				return a["roleDefinitionId"] == id && a["directoryScopeId"] == "/"
			})
		}
		if !held() {
			r.send(`'v1.0/roleManagement/directory/roleAssignments'`)
		}
		if !held() {
			t.Fatalf("role %s is not read back", name)
		}
	}
	for range 2 { // safe to run twice
		for _, g := range grants.New(grants.Options{Connection: c}).List() {
			switch g.Kind {
			case consent.DelegatedScope:
				scope(g.Name)
			case consent.DirectoryRole:
				role(g.Name, g.ID)
			case consent.AppRole:
			}
		}
	}

	// Somebody who has not consented to anything yet.
	others, ok := r.do(http.MethodGet, "v1.0/users?$top=5&$select=id,userPrincipalName", nil)["value"].([]any)
	if !ok {
		t.Fatal("no users")
	}
	for _, o := range others {
		if u, ok := o.(map[string]any); ok && u["id"] != string(who.ID) {
			r.vars["account"] = u["userPrincipalName"]
		}
	}
	r.vars["person"] = r.send(`v1.0/users/`)
	if r.eval("$person.id") == string(who.ID) || len(mine()) != 0 {
		t.Fatal("nobody without consent found")
	}
	scope("User.Read.All")
	scope("Domain.Read.All")

	// And the list sees it.
	fresh, err := signin.New(signin.Options{Authority: ready.Authority, ClientID: ready.Client, Graph: ready.Graph, HTTP: client})
	if err != nil {
		t.Fatal(err)
	}
	_, wait, err = fresh.DeviceCode(t.Context(), consent.ReadScopes())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	all, err := grants.New(grants.Options{Tokens: fresh, Connection: c}).Check(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range all {
		if g.State != consent.Granted {
			t.Errorf("%s %s of %s is %s", g.Kind, g.Name, who.UPN, g.State)
		}
	}
}

// replay sends requests that stand in a script.
type replay struct {
	t      *testing.T
	text   string
	client *http.Client
	root   string
	token  string
	vars   map[string]any
}

// send finds the one call whose address holds mark, evaluates and sends it.
func (r *replay) send(mark string) map[string]any {
	r.t.Helper()
	call := regexp.MustCompile(`Invoke-Step -Method (GET|POST|PATCH) -Uri ((?:\([^\n]*?\))|(?:'[^']*'))(?: -Body @\{([^}]*)\})?(?:\n| \|)`)
	var hits [][]string
	for _, m := range call.FindAllStringSubmatch(r.text, -1) {
		if strings.Contains(m[2], mark) {
			hits = append(hits, m)
		}
	}
	if len(hits) != 1 {
		r.t.Fatalf("%d calls with %s in the script", len(hits), mark)
	}
	var body io.Reader
	if b := strings.TrimSpace(hits[0][3]); b != "" {
		fields := map[string]string{}
		for _, f := range regexp.MustCompile(`[;\n]`).Split(b, -1) {
			k, v, ok := strings.Cut(f, " = ")
			if !ok {
				r.t.Fatalf("field %q", f)
			}
			fields[strings.TrimSpace(k)] = r.eval(strings.TrimSpace(v))
		}
		raw, err := json.Marshal(fields)
		if err != nil {
			r.t.Fatal(err)
		}
		body = bytes.NewReader(raw)
	}
	return r.do(hits[0][1], r.eval(hits[0][2]), body)
}

// list reads the one list whose address holds mark.
func (r *replay) list(mark string) []map[string]any {
	r.t.Helper()
	var hits []string
	for _, m := range regexp.MustCompile(`Get-All -Uri (\([^\n]*?\))\)? ?(?:\||\n)`).FindAllStringSubmatch(r.text, -1) {
		if strings.Contains(m[1], mark) && !strings.Contains(m[1], "appRoleAssignments") {
			hits = append(hits, m[1])
		}
	}
	if len(hits) != 1 {
		r.t.Fatalf("%d lists with %s in the script: %v", len(hits), mark, hits)
	}
	var out []map[string]any
	values, ok := r.do(http.MethodGet, r.eval(hits[0]), nil)["value"].([]any)
	if !ok {
		r.t.Fatal("no list")
	}
	for _, v := range values {
		m, ok := v.(map[string]any)
		if !ok {
			r.t.Fatal("no object")
		}
		out = append(out, m)
	}
	return out
}

func (r *replay) do(method, at string, body io.Reader) map[string]any {
	r.t.Helper()
	u, err := url.Parse(r.root + "/" + strings.ReplaceAll(at, " ", "%20"))
	if err != nil {
		r.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(r.t.Context(), method, u.String(), body)
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+r.token)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := r.client.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode > 299 {
		r.t.Fatalf("%s %s: %d %s", method, at, res.StatusCode, raw)
	}
	out := map[string]any{}
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &out); err != nil {
			r.t.Fatal(err)
		}
	}
	return out
}

// eval is as much of PowerShell's expressions as the script uses: strings,
// variables with a property, + and two calls.
func (r *replay) eval(expr string) string {
	r.t.Helper()
	expr = strings.TrimSpace(expr)
	if strings.HasSuffix(expr, ").Trim()") {
		return strings.TrimSpace(r.eval(strings.TrimSuffix(expr, ".Trim()")))
	}
	if strings.HasPrefix(expr, "(") && strings.HasSuffix(expr, ")") {
		expr = expr[1 : len(expr)-1]
	}
	var out strings.Builder
	for _, part := range strings.Split(expr, " + ") {
		switch {
		case strings.HasPrefix(part, "'"):
			out.WriteString(strings.Trim(part, "'"))
		case strings.HasPrefix(part, `"`):
			out.WriteString(strings.ReplaceAll(strings.Trim(part, `"`), "`$", "$"))
		case strings.HasPrefix(part, "[uri]::EscapeDataString("):
			out.WriteString(url.PathEscape(r.eval(strings.TrimSuffix(strings.TrimPrefix(part, "[uri]::EscapeDataString("), ")"))))
		case strings.HasPrefix(part, "$"):
			name, property, _ := strings.Cut(strings.Replace(part[1:], "[0]", "", 1), ".")
			v, ok := r.vars[name]
			if m, isObject := v.(map[string]any); isObject {
				v, ok = m[property]
			}
			if !ok {
				r.t.Fatalf("variable %s is not known", part)
			}
			fmt.Fprint(&out, v)
		default:
			r.t.Fatalf("expression %q", part)
		}
	}
	return out.String()
}
