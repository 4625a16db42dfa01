package grants

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"text/template"

	"github.com/hacsync/hacsync/assets"
	"github.com/hacsync/hacsync/sync/consent"
)

// script is what the template is filled with.
type script struct {
	Connection, Tenant, Account, Client, Application, Environment string
	SignInScopes                                                  []string
	HasPerson, HasScopes, HasAppRoles                             bool
	Steps                                                         []step
}

// step is the line that gives one grant.
type step struct {
	No              int
	Name, Why, Call string
}

// Script writes the PowerShell that gives every grant of the list, and leaves
// alone what is there: ASCII, CRLF, no secret.
func (g *Grants) Script(w io.Writer) error {
	text, err := assets.Script("grant")
	if err != nil {
		return g.errorf(err)
	}
	t, err := template.New("grant").Funcs(template.FuncMap{"quote": quote}).Option("missingkey=error").Parse(text)
	if err != nil {
		return g.errorf(err)
	}
	why, err := reasons()
	if err != nil {
		return g.errorf(err)
	}
	var b bytes.Buffer
	if err := t.Execute(&b, g.script(why)); err != nil {
		return g.errorf(err)
	}
	lines := strings.ReplaceAll(strings.ReplaceAll(b.String(), "\r\n", "\n"), "\n", "\r\n")
	_, err = io.WriteString(w, lines)
	return err
}

// reasons are the English words of the list: the script is read in PowerShell
// windows that show nothing else safely.
func reasons() (map[string]reason, error) {
	raw, err := fs.ReadFile(assets.Locales(), "signin.en.json")
	if err != nil {
		return nil, err
	}
	var words struct {
		Grant map[string]reason `json:"grant"`
	}
	err = json.Unmarshal(raw, &words)
	return words.Grant, err
}

type reason struct {
	For string `json:"for"`
}

func (g *Grants) script(why map[string]reason) script {
	c := g.o.Connection
	s := script{
		Connection: ascii(c.Name), Tenant: ascii(c.Tenant), Account: ascii(c.Account), Client: ascii(c.Client),
		Application: ascii(g.o.Application), Environment: g.environment(),
	}
	if s.Client == "" {
		s.Client = consent.GraphCommandLineTools
	}
	// Reading users finds the account; the others give what the steps give.
	s.SignInScopes = []string{"Application.ReadWrite.All", "User.Read.All"}
	ask := func(scope string) {
		for _, have := range s.SignInScopes {
			if have == scope {
				return
			}
		}
		s.SignInScopes = append(s.SignInScopes, scope)
	}
	for i, grant := range g.List() {
		st := step{No: i + 1, Name: grant.Name, Why: ascii(grant.Name + ": " + why[grant.Name].For)}
		switch grant.Kind {
		case consent.DelegatedScope:
			st.Call = "Grant-Scope -Name " + quote(grant.Name)
			s.HasScopes, s.HasPerson = true, true
			ask("DelegatedPermissionGrant.ReadWrite.All")
		case consent.DirectoryRole:
			var or []string
			for _, id := range orRoles(grant.ID) {
				or = append(or, quote(id))
			}
			st.Call = fmt.Sprintf("Grant-Role -Name %s -Id %s -Or @(%s)", quote(grant.Name), quote(grant.ID), strings.Join(or, ", "))
			s.HasPerson = true
			ask("RoleManagement.ReadWrite.Directory")
		case consent.AppRole:
			st.Call = "Grant-AppRole -Name " + quote(grant.Name)
			s.HasAppRoles = true
			ask("AppRoleAssignment.ReadWrite.All")
		}
		s.Steps = append(s.Steps, st)
	}
	return s
}

// quote makes a PowerShell string that nothing is expanded in.
func quote(s string) string { return "'" + strings.ReplaceAll(ascii(s), "'", "''") + "'" }

// ascii keeps what every PowerShell reads the same in a file without a byte
// order mark, and no line break: a name must not become a line of the script.
func ascii(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, s)
}
