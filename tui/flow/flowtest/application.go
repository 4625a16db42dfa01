package flowtest

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/hacsync/hacsync/sync/consent"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/tui/flow"
)

// ApplicationID is that of the dedicated application.
const ApplicationID = "7d2a9c10-5b1e-4c8a-9f5e-3a1b2c3d4e5f"

// application is the dedicated application of the world: what the tenant has of
// it, and what the program knows.
type application struct {
	mu   sync.Mutex
	w    *World
	app  consent.Application
	made bool // it is in the tenant
	seen int  // looks since then: a permission is seen at each
	// Slow: every look shows one permission more.
	slow     bool
	prepared int
}

// Dedicated is the application, for tests to change.
func (w *World) dedicated() *application {
	w.application.w = w
	return &w.application
}

// MakeApplication does what the script does; slow: what it gives is seen bit by
// bit.
func (w *World) MakeApplication(slow bool) {
	a := w.dedicated()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.made, a.slow, a.seen = true, slow, 0
}

// Prepared is how often the key pair was asked for.
func (w *World) Prepared() int {
	a := w.dedicated()
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.prepared
}

// Dedicate prepares a dedicated application without a session.
func (w *World) Dedicate(_ context.Context, t flow.Target) (consent.Dedicated, error) {
	w.Lock()
	defer w.Unlock()
	w.Targets = append(w.Targets, t)
	return w.dedicated(), nil
}

// OpenDedicated opens a session that the application acts for.
func (w *World) OpenDedicated(context.Context, consent.Dedicated) (flow.Session, error) {
	if w.dedicated().Application().Verified.IsZero() {
		return nil, problem.New(problem.ClientUnknown, problem.Args{"client": ApplicationID})
	}
	w.Lock()
	defer w.Unlock()
	w.Sessions++
	return &session{w: w}, nil
}

// RunApplicationScript runs the script of the dedicated application.
func (w *World) RunApplicationScript(context.Context, consent.Dedicated) (string, error) {
	w.MakeApplication(false)
	return "Done. Application ID " + ApplicationID + ", object ID adfe637d-f1d5-4b78-9eb4-c8c0219e63cb", nil
}

func (s *session) Dedicated() consent.Dedicated { return s.w.dedicated() }

func (a *application) Application() consent.Application {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.app
}

func (a *application) Prepare(context.Context) (consent.Application, error) {
	if a.w.locked() {
		return consent.Application{}, problem.New(problem.KeyringAbsent, nil)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.prepared++
	a.app.Name, a.app.Tag = "hacsync midori", "hacsync:1"
	a.app.Thumbprint = "5A1B2C3D4E5F60718293A4B5C6D7E8F901234567"
	a.app.Ends = a.w.Clock().Now().AddDate(1, 0, 0)
	return a.app, nil
}

func (a *application) List() []consent.Grant {
	part := func(name string) consent.Grant {
		return consent.Grant{Name: name, Kind: consent.Part, When: consent.ForPeriodic, State: consent.Missing}
	}
	list := []consent.Grant{part("application"), part("certificate"), part("service principal")}
	for _, name := range []string{consent.WriteScope, "Domain.Read.All", "RoleManagement.Read.Directory", "GroupMember.Read.All", "MailboxSettings.Read"} {
		list = append(list, consent.Grant{
			Name: name, Kind: consent.AppRole, When: consent.ForPeriodic, State: consent.Missing, Optional: name == "MailboxSettings.Read",
		})
	}
	return append(list, part("sign-in"))
}

func (a *application) Script(_ context.Context, w io.Writer) error {
	lines := []string{
		"# hacsync: a dedicated application for connection \"midori\"",
		"# Windows PowerShell 5.1 or 7. Safe to run twice. No secret.",
		"#Requires -Version 5.1",
		"$ErrorActionPreference = 'Stop'",
		"Connect-MgGraph -TenantId '" + TenantID + "' -Scopes @('Application.ReadWrite.All', 'AppRoleAssignment.ReadWrite.All') -ContextScope Process -NoWelcome",
		"",
	}
	for i, g := range a.List() {
		lines = append(lines, fmt.Sprintf("# %d  %s", i+1, g.Name), "Step '"+g.Name+"' {", "    Invoke-MgGraphRequest -Method POST -Uri 'v1.0/applications'", "}", "")
	}
	_, err := io.WriteString(w, strings.Join(lines, "\r\n")+"\r\n")
	return err
}

func (a *application) Give(ctx context.Context, granting consent.SignIn, tell func(consent.Given)) error {
	if s, ok := granting.(*fakeSignIn); !ok || !s.done {
		return problem.New(problem.GrantNotAllowed, nil)
	}
	for _, g := range a.List() {
		if g.Name == "sign-in" {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		tell(consent.Given{Grant: g})
	}
	a.w.MakeApplication(false)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.app.ID = ApplicationID
	return nil
}

func (a *application) Find(_ context.Context, looking consent.SignIn) (bool, error) {
	s, ok := looking.(*fakeSignIn)
	if !ok || !s.done || len(a.w.scopesOf(s)) == 0 {
		return false, problem.New(problem.ScopesShort, problem.Args{"permissions": consent.FindScope})
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.made {
		a.app.ID = ApplicationID
	}
	return a.made, nil
}

// scopesOf are those that whoever signed in last was asked for, if they let look.
func (w *World) scopesOf(*fakeSignIn) []string {
	w.Lock()
	defer w.Unlock()
	last := w.Asked[len(w.Asked)-1]
	if last[0] == consent.FindScope || last[0] == consent.GrantScopes()[0] {
		return last
	}
	return nil
}

func (a *application) Adopt(_ context.Context, id string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	// The script's last line names the object ID after it.
	a.app.ID, _, _ = strings.Cut(strings.TrimPrefix(id, "Done. Application ID "), ",")
	return nil
}

func (a *application) Verify(context.Context) ([]consent.Grant, error) {
	list := a.List()
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.made || a.app.ID != ApplicationID {
		return nil, problem.New(problem.ClientUnknown, problem.Args{"client": a.app.ID})
	}
	n := len(list)
	if a.slow {
		a.seen++
		n = min(n, a.seen+3)
	}
	for i := range n {
		list[i].State = consent.Granted
	}
	if n == len(list) {
		a.app.Verified = a.w.Clock().Now()
		a.app.Principal = "sp"
	}
	return list, nil
}

func (a *application) Renew(context.Context) (consent.Application, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.app.Ends = a.app.Ends.Add(365 * 24 * time.Hour)
	return a.app, nil
}
