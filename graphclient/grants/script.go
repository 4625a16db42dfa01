package grants

import (
	"bytes"
	"context"
	"crypto/sha1" //nolint:gosec // Entra ID shows certificates by their SHA-1 thumbprint; it proves nothing
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/template"

	"github.com/hacsync/hacsync/assets"
	"github.com/hacsync/hacsync/sync/consent"
	"github.com/hacsync/hacsync/sync/problem"
)

// script is what the templates are filled with.
type script struct {
	Connection, Tenant, Account, Client, Application, Environment string
	Tag, Name                                                     string
	SignInScopes                                                  []string
	Thumbprint                                                    string
	Foreign, HasRoles                                             bool
	// Known: the application acted for the connection before.
	Known bool
	Steps []scriptStep
}

// scriptStep is the line that gives one grant.
type scriptStep struct {
	No              int
	Name, Why, Call string
}

// ask adds a scope that the script signs in with.
func (s *script) ask(scopes ...string) {
	for _, scope := range scopes {
		if !slices.Contains(s.SignInScopes, scope) {
			s.SignInScopes = append(s.SignInScopes, scope)
		}
	}
}

// step adds the line that gives a grant.
func (s *script) step(g consent.Grant, why map[string]reason, call string) {
	s.Steps = append(s.Steps, scriptStep{
		No: len(s.Steps) + 1, Name: g.Name, Why: ascii(g.Name + ": " + why[g.Name].For), Call: call,
	})
}

// Script writes the PowerShell that gives every grant of the list, and leaves
// alone what is there: ASCII, CRLF, no secret.
func (g *Grants) Script(w io.Writer) error {
	why, err := reasons()
	if err != nil {
		return broken(err)
	}
	c := g.o.Connection
	s := script{
		Connection: ascii(c.Name), Tenant: ascii(c.Tenant), Account: ascii(c.Account), Client: ascii(c.Client),
		Application: ascii(g.o.Application), Environment: environment(c.Cloud),
	}
	if g.o.Application != "" { // made elsewhere: the script only grants
		s.Foreign = true
		s.ask("Application.ReadWrite.All")
		s.give(part(partPrincipal), why)
		for _, grant := range g.List() {
			s.give(grant, why)
		}
		return render(w, "application", s)
	}
	if s.Client == "" {
		s.Client = consent.GraphCommandLineTools
	}
	// Reading users finds the account; the others give what the steps give.
	s.ask("Application.ReadWrite.All", "User.Read.All")
	for _, grant := range g.List() {
		switch grant.Kind {
		case consent.DelegatedScope:
			s.ask("DelegatedPermissionGrant.ReadWrite.All")
			s.step(grant, why, "Grant-Scope -Name "+quote(grant.Name))
		case consent.DirectoryRole:
			s.role(grant, why, "$person.id")
		case consent.AppRole, consent.Part:
		}
	}
	return render(w, "grant", s)
}

// role adds the line that gives a directory role to a principal.
func (s *script) role(g consent.Grant, why map[string]reason, principal string) {
	var or []string
	for _, id := range orRoles(g.ID) {
		or = append(or, quote(id))
	}
	s.HasRoles = true
	s.ask("RoleManagement.ReadWrite.Directory")
	s.step(g, why, fmt.Sprintf("Grant-Role -Principal %s -Name %s -Id %s -Or @(%s)", principal, quote(g.Name), quote(g.ID), strings.Join(or, ", ")))
}

// give adds the line that gives an application something, other than its
// certificate.
func (s *script) give(g consent.Grant, why map[string]reason) {
	switch {
	case g.Kind == consent.AppRole:
		s.ask("AppRoleAssignment.ReadWrite.All")
		s.step(g, why, "Grant-AppRole -Name "+quote(g.Name))
	case g.Kind == consent.DirectoryRole:
		s.role(g, why, "$state.principal.id")
	case g.Name == partApplication:
		s.step(g, why, "Grant-Application")
	case g.Name == partPrincipal && s.Foreign:
		s.step(g, why, "Grant-Principal -AppId $application")
	case g.Name == partPrincipal:
		s.step(g, why, "Grant-Principal -AppId $state.app.appId")
	}
}

// Script writes the PowerShell that makes the application with the public
// certificate and its service principal, and gives it every permission of the
// list. Its last line names the application ID, and the object ID.
func (d *Dedicated) Script(ctx context.Context, w io.Writer) error {
	if _, err := d.Prepare(ctx); err != nil {
		return err
	}
	r, err := d.ready(ctx)
	if err != nil {
		return err
	}
	why, err := reasons()
	if err != nil {
		return broken(err)
	}
	c := d.o.Connection
	s := script{
		Connection: ascii(c.Name), Tenant: ascii(c.Tenant), Environment: environment(c.Cloud),
		Application: ascii(d.app.ID), Tag: ascii(d.app.Tag), Name: ascii(d.app.Name), Foreign: d.foreign(),
		Thumbprint: r.Current.Thumbprint(), Known: !d.app.Verified.IsZero(),
	}
	s.ask(d.Scopes()...)
	for _, grant := range d.List() {
		switch {
		case grant.Kind == consent.Part && grant.Name == partSignIn: // seen by hacsync itself
		case grant.Kind == consent.Part && grant.Name == partCertificate:
			s.step(grant, why, certificateCall(r.Current.Certificate, r.Current.KeyID))
			for _, other := range d.o.Others {
				s.step(grant, why, certificateCall(other, keyID(other.Raw)))
			}
		default:
			s.give(grant, why)
		}
	}
	return render(w, "application", s)
}

func certificateCall(cert *x509.Certificate, id string) string {
	sum := sha1.Sum(cert.Raw) //nolint:gosec // as above
	return fmt.Sprintf("Grant-Certificate -Name %s -Thumbprint %s -Id %s -Public %s", quote("CN="+cert.Subject.CommonName),
		quote(strings.ToUpper(hex.EncodeToString(sum[:]))), quote(id), quote(base64.StdEncoding.EncodeToString(cert.Raw)))
}

// render fills a template: lines end in CRLF, as Windows PowerShell likes them.
func render(w io.Writer, name string, data any) error {
	t, err := template.New("").Funcs(template.FuncMap{"quote": quote}).Option("missingkey=error").ParseFS(assets.Scripts(), "*.ps1.tmpl")
	if err != nil {
		return broken(err)
	}
	var b bytes.Buffer
	if err := t.ExecuteTemplate(&b, name+".ps1.tmpl", data); err != nil {
		return broken(err)
	}
	_, err = io.WriteString(w, strings.ReplaceAll(strings.ReplaceAll(b.String(), "\r\n", "\n"), "\n", "\r\n"))
	return err
}

func broken(err error) error {
	return problem.Wrap(err, problem.Internal, problem.Args{"what": fmt.Sprintf("PowerShell script: %v", err)})
}

// reasons are the English words of the list: the script is read in PowerShell
// windows that show nothing else safely.
func reasons() (map[string]reason, error) {
	words, err := scriptWords("en")
	return words.Grant, err
}

type reason struct {
	For string `json:"for"`
}

// environment is what Connect-MgGraph calls a cloud.
func environment(cloud string) string {
	switch cloud {
	case "usgov":
		return "USGov"
	case "usgovdod":
		return "USGovDoD"
	case "china":
		return "China"
	}
	return "Global"
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
