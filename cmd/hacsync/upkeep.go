package main

import (
	"context"
	"runtime"

	"github.com/hacsync/hacsync/assets"
	"github.com/hacsync/hacsync/sync/consent"
	"github.com/hacsync/hacsync/sync/notice"
	"github.com/hacsync/hacsync/sync/periodic"
	"github.com/hacsync/hacsync/sync/run"
	"github.com/hacsync/hacsync/sync/state"
	"github.com/hacsync/hacsync/tui/flow"
)

// upkeep is periodic sync of an open connection's domains, as the wizard's steps
// see it.
type upkeep struct {
	*periodic.Control
	s *session
}

var _ flow.Upkeep = upkeep{}

// Upkeep is periodic sync of the connection's domains.
func (w wizardSession) Upkeep() flow.Upkeep { return upkeep{w.s.periodic(), w.s} }

// periodic is what people ask of periodic sync for this connection.
func (s *session) periodic() *periodic.Control {
	return &periodic.Control{Store: periodic.OnStore(s.store), Runner: s.newRunner(nil, nil, nil), Clock: s.way.clock}
}

// controlOf is the same of a connection that nobody acts for: it tells how things
// stand.
func (a *app) controlOf(store *state.Store, c consent.Connection) *periodic.Control {
	return &periodic.Control{
		Store: periodic.OnStore(store), Clock: a.clockAt(c.Speed),
		Runner: &run.Runner{Connection: c, Store: run.OnStore(store), Clock: a.clockAt(c.Speed), Log: a.log},
	}
}

// Told are those who get notices, without what is secret in their addresses.
func (u upkeep) Told(ctx context.Context) ([]string, error) {
	targets, err := notice.NewBook(u.s.store, u.s.vault.sealer).Targets(ctx)
	if err != nil {
		return nil, err
	}
	told := make([]string, len(targets))
	for i, t := range targets {
		told[i] = t.Name + " " + t.Where()
	}
	return told, nil
}

// Service is how a worker is made a service of this machine.
func (u upkeep) Service() flow.Service {
	s := flow.Service{
		File: "hacsync-worker.service",
		Commands: []string{
			"sudo cp hacsync-worker.service /etc/systemd/system/",
			"sudo systemctl daemon-reload",
			"sudo systemctl enable --now hacsync-worker",
		},
		Elsewhere: []string{
			"hacsync connect --certificate new.pem --tenant " + u.s.connection.Tenant,
			"hacsync settings DOMAIN source=hac",
			"hacsync worker",
		},
	}
	if runtime.GOOS == "windows" {
		s.File = "register-worker.ps1"
		s.Commands = []string{`powershell -ExecutionPolicy Bypass -File .\register-worker.ps1`}
	}
	text, err := assets.Deploy(s.File)
	if err != nil { // a mistake of ours: the commands help all the same
		u.s.app.log.Error("service file", "error", err)
	}
	s.Text = text
	return s
}
