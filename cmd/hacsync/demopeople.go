package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/hacsync/hacsync/cmd/hacsync/session"
	"github.com/hacsync/hacsync/graphclient/simulator"
	"github.com/hacsync/hacsync/sync/consent"
	"github.com/hacsync/hacsync/tui/flow"
)

// demoPeople act as the administrator at the sign-in page and at the PowerShell
// window of the demo.
type demoPeople struct {
	sim    *simulator.Server
	export string
	count  int
}

var _ flow.Demo = (*demoPeople)(nil)

// newDemoPeople puts the sample export into the folder of the demo.
func newDemoPeople(sim *simulator.Server, dir string) (*demoPeople, error) {
	export, err := simulator.DemoExport(time.Now())
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, "users.csv")
	if err := os.WriteFile(path, export, 0o600); err != nil {
		return nil, notWritten(path, err)
	}
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(export, []byte("\ufeff"))))
	rows, err := r.ReadAll()
	if err != nil {
		return nil, fmt.Errorf("sample export: %w", err)
	}
	return &demoPeople{sim: sim, export: path, count: len(rows) - 1}, nil
}

// blocked is the AADSTS number of a sign-in that a policy does not allow.
const blocked = 53003

// Parts returns those that can be played, the usual one first.
func (d *demoPeople) Parts() []flow.Part {
	return []flow.Part{flow.Approve, flow.Decline, flow.Expire, flow.Block, flow.ErrorOnPage, flow.WrongTenant}
}

// Play answers a sign-in code. A policy blocks only sign-in by code: the browser is
// allowed, as it usually is.
func (d *demoPeople) Play(_ context.Context, userCode string, p flow.Part) error {
	if p == flow.Expire {
		return d.sim.Expire(userCode)
	}
	answer, told, err := answerOf(p)
	if err != nil || !told {
		return err
	}
	return d.sim.AnswerCode(userCode, answer)
}

// PlayPage answers the page of a sign-in by browser.
func (d *demoPeople) PlayPage(ctx context.Context, page string, p flow.Part) error {
	answer, told, err := answerOf(p)
	if err != nil || !told {
		return err
	}
	return d.sim.AnswerPage(ctx, page, answer)
}

// answerOf returns what a part does at the page; told is false if the program gets no
// answer.
func answerOf(p flow.Part) (answer simulator.Answer, told bool, err error) {
	switch p {
	case flow.Approve:
		return simulator.Answer{}, true, nil
	case flow.Decline:
		return simulator.Answer{Decline: true}, true, nil
	case flow.Block:
		return simulator.Answer{Refuse: blocked}, true, nil
	case flow.WrongTenant:
		return simulator.Answer{Account: simulator.ForeignAccount}, true, nil
	case flow.ErrorOnPage:
		return simulator.Answer{}, false, nil
	case flow.Expire: // a page expires after ten minutes, which the demo cannot shorten
	}
	return simulator.Answer{}, false, fmt.Errorf("the demo cannot play %q", p)
}

// RunScript grants what the permission script grants, to the user who is signed in.
func (d *demoPeople) RunScript(context.Context) error {
	return d.sim.Consent(d.sim.SignedIn(), "", append(consent.ReadScopes(), consent.WriteScope)...)
}

// RunApplicationScript grants what the script of the dedicated application grants,
// and returns the line that the script ends with. What hacsync knows of the
// application does not change: it learns of it by that line.
func (d *demoPeople) RunApplicationScript(ctx context.Context, ded consent.Dedicated) (string, error) {
	of, ok := ded.(*session.Dedicated)
	if !ok {
		return "", fmt.Errorf("the demo cannot run a script of %T", ded)
	}
	elsewhere := of.Elsewhere()
	if err := elsewhere.Give(ctx, scriptAdmin{sim: d.sim}, nil); err != nil {
		return "", err
	}
	app := elsewhere.Application()
	return fmt.Sprintf("Done. Application ID %s, object ID %s", app.ID, app.Object), nil
}

// scriptAdmin is the administrator who is signed in at the PowerShell window.
type scriptAdmin struct {
	consent.SignIn // never called
	sim            *simulator.Server
}

// Token returns an access token of the window's sign-in.
func (p scriptAdmin) Token(_ context.Context, scopes ...string) (string, error) {
	return p.sim.Mint(p.sim.SignedIn(), "", scopes...)
}

// Export returns the sample export, and the number of users that HAC would show.
func (d *demoPeople) Export() (path string, count int) { return d.export, d.count }
