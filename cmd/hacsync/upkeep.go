package main

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"text/template"

	"github.com/hacsync/hacsync/assets"
	"github.com/hacsync/hacsync/cmd/hacsync/session"
	"github.com/hacsync/hacsync/sync/notice"
	"github.com/hacsync/hacsync/sync/periodic"
	"github.com/hacsync/hacsync/sync/secret"
	"github.com/hacsync/hacsync/tui/flow"
)

// upkeep is periodic sync of an open connection's domains, for the wizard's steps.
type upkeep struct {
	*periodic.Control
	app *app
	s   *session.Session
}

var _ flow.Upkeep = upkeep{}

// Upkeep returns periodic sync of the connection's domains.
func (w wizardSession) Upkeep() flow.Upkeep { return upkeep{w.Periodic(), w.app, w.Session} }

// Told returns the targets of notices, without what is secret in their addresses.
func (u upkeep) Told(ctx context.Context) ([]string, error) {
	targets, err := notice.NewBook(u.s.Store, u.s.Sealer).Targets(ctx)
	if err != nil {
		return nil, err
	}
	told := make([]string, len(targets))
	for i, t := range targets {
		told[i] = t.Name + " " + t.Where()
	}
	return told, nil
}

// Service returns how a worker is made a service of this machine. It works on this
// state, with this key; if the key needs a signed-in user, it reports so.
func (u upkeep) Service() flow.Service {
	app := "APPID"
	if a := u.s.Connection().Application; a != nil && a.ID != "" {
		app = a.ID
	}
	s := flow.Service{
		File: "hacsync-worker.service",
		Commands: []string{
			"mkdir -p ~/.config/systemd/user && cp hacsync-worker.service ~/.config/systemd/user/",
			"systemctl --user daemon-reload && systemctl --user enable --now hacsync-worker",
			"loginctl enable-linger",
		},
		Elsewhere: []string{
			"hacsync grant --application --tenant " + u.s.Connection().Tenant + " --certificate-out other.pem",
			"hacsync grant --application --add-certificate other.pem     # " + u.app.text("worker.here", nil),
			"hacsync grant --application --id " + app,
			"hacsync worker",
		},
	}
	var err error
	if runtime.GOOS == "windows" {
		s.File = "register-worker.ps1"
		s.Commands = []string{`powershell -ExecutionPolicy Bypass -File .\register-worker.ps1`}
		s.Text, err = assets.Deploy(s.File)
	} else {
		s.Text, err = u.unit()
	}
	if u.s.Sealer.Kind() == secret.Keyring {
		s.Commands = append([]string{"hacsync connections reseal " + u.s.Connection().Name + " --to-identity identity.txt"}, s.Commands...)
	}
	if err != nil { // a bug in hacsync: the commands still help
		u.app.log.Error("service file", "error", err)
	}
	return s
}

// unit returns the systemd unit of a worker of this user.
func (u upkeep) unit() (string, error) {
	text, err := assets.Deploy("user-worker.service.tmpl")
	if err != nil {
		return "", err
	}
	t, err := template.New("unit").Option("missingkey=error").Parse(text)
	if err != nil {
		return "", err
	}
	program, err := os.Executable()
	if err != nil {
		program = "/usr/local/bin/hacsync"
	}
	identity := u.app.flags.Identity
	if identity != "" {
		if identity, err = filepath.Abs(identity); err != nil {
			return "", err
		}
	}
	var b strings.Builder
	err = t.Execute(&b, map[string]string{"Program": quoted(program), "State": quoted(u.s.Store.URL()), "Identity": quoted(identity)})
	return b.String(), err
}

// quoted returns a word of a unit file, in quotes if it has spaces or signs that
// systemd interprets.
func quoted(s string) string {
	s = strings.NewReplacer("%", "%%", `\`, `\\`, `"`, `\"`, "$", "$$").Replace(s)
	if strings.ContainsAny(s, " \t'\"\\") {
		return `"` + s + `"`
	}
	return s
}
