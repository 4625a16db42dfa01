package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/hacsync/hacsync/graphclient/simulator"
	"github.com/hacsync/hacsync/sync/consent"
	"github.com/hacsync/hacsync/tui/flow"
)

// demoPeople play the administrator at the sign-in page and at the PowerShell
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

// Parts are those that can be played, the usual one first.
func (d *demoPeople) Parts() []flow.Part {
	return []flow.Part{flow.Approve, flow.Decline, flow.Expire, flow.Block, flow.ErrorOnPage}
}

// Play answers a sign-in code.
func (d *demoPeople) Play(_ context.Context, userCode string, p flow.Part) error {
	d.sim.RefuseSignIns(0)
	switch p {
	case flow.Approve:
		return d.sim.Approve(userCode, "")
	case flow.Decline:
		return d.sim.Decline(userCode)
	case flow.Expire:
		return d.sim.Expire(userCode)
	case flow.Block:
		d.sim.RefuseSignIns(blocked)
		return d.sim.Approve(userCode, "")
	case flow.ErrorOnPage: // the page has it; the program is told nothing
		return nil
	case flow.WrongTenant: // one simulator is one tenant
	}
	return fmt.Errorf("the demo cannot play %q", p)
}

// RunScript gives what the permission script gives to who is signed in.
func (d *demoPeople) RunScript(context.Context) error {
	return d.sim.Consent(d.sim.SignedIn(), "", append(consent.ReadScopes(), consent.WriteScope)...)
}

// PlayPage answers the page of a sign-in by browser.
func (d *demoPeople) PlayPage(context.Context, string, flow.Part) error {
	return fmt.Errorf("the demo cannot play a page")
}

// RunApplicationScript gives what the script of the dedicated application gives.
func (d *demoPeople) RunApplicationScript(context.Context, consent.Dedicated) (string, error) {
	return "", fmt.Errorf("the demo cannot run the script")
}

// Export is the sample export, and the number of users that HAC would show.
func (d *demoPeople) Export() (path string, count int) { return d.export, d.count }
