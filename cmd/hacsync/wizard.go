package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"

	"github.com/hacsync/hacsync/cmd/hacsync/session"
	"github.com/hacsync/hacsync/graphclient/grants"
	"github.com/hacsync/hacsync/graphclient/signin"
	"github.com/hacsync/hacsync/sync/auditlog"
	"github.com/hacsync/hacsync/sync/clock"
	"github.com/hacsync/hacsync/sync/consent"
	"github.com/hacsync/hacsync/sync/destination"
	"github.com/hacsync/hacsync/sync/input"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/run"
	"github.com/hacsync/hacsync/sync/secret"
	"github.com/hacsync/hacsync/sync/source"
	"github.com/hacsync/hacsync/tui/flow"
)

// backend gives the steps of the wizard what they need outside of the program.
type backend struct {
	app   *app
	state *session.Session // with the key
	// base has the hosts for a new sign-in.
	base consent.Connection
	demo flow.Demo // nil for real tenants
}

var _ flow.Backend = (*backend)(nil)

// Simulated reports whether every tenant reached through it is simulated.
func (b *backend) Simulated() bool { return b.state.Simulator != nil }

// Clock returns the clock for codes, plans and times on screen.
func (b *backend) Clock() clock.Clock { return b.app.clockAt(b.base.Speed) }

// Connections returns the saved ones that can be reached from here.
func (b *backend) Connections(ctx context.Context) ([]consent.Connection, error) {
	all, err := b.state.Store.Connections(ctx)
	if err != nil || b.state.Simulator == nil {
		return all, err
	}
	var here []consent.Connection
	for _, c := range all {
		if c.Simulated() && c.Tenant == b.state.Simulator.Tenant {
			here = append(here, c)
		}
	}
	return here, nil
}

// Domains returns those that are set up in a tenant.
func (b *backend) Domains(ctx context.Context, tenant string) ([]string, error) {
	return b.state.Store.Domains(ctx, tenant)
}

// Unfinished returns the syncs of those connections that can be resumed.
func (b *backend) Unfinished(ctx context.Context) ([]flow.Unfinished, error) {
	connections, err := b.Connections(ctx)
	if err != nil {
		return nil, err
	}
	var open []flow.Unfinished
	for _, c := range connections {
		r := &run.Runner{Connection: c, Store: run.OnStore(b.state.Store)}
		runs, err := r.Interrupted(ctx)
		if err != nil {
			return nil, err
		}
		for _, one := range runs {
			open = append(open, flow.Unfinished{Run: one.No, Connection: c.Name, Domain: one.Domain, Started: one.Started})
		}
	}
	return open, nil
}

// reaching returns the connection that a target of the wizard names.
func (b *backend) reaching(t flow.Target) (consent.Connection, error) {
	c := b.base
	c.Name = t.Connection
	if t.Tenant != "" {
		c.Tenant = t.Tenant
	}
	own := t.Client
	if own == "" {
		own = b.app.flags.ClientID
	}
	if t.Cloud != "" && b.state.Simulator == nil {
		c.Client = own
		if err := b.app.inCloud(&c, t.Cloud); err != nil {
			return c, err
		}
	}
	switch {
	case own != "":
		c.Client = own
	case c.Client == "":
		c.Client = consent.GraphCommandLineTools
	}
	return c, nil
}

// SignIn prepares a sign-in; it stores nothing and asks the user nothing yet.
func (b *backend) SignIn(_ context.Context, t flow.Target) (consent.SignIn, error) {
	c, err := b.reaching(t)
	if err != nil {
		return nil, err
	}
	return b.app.env().Access(c)
}

// Open makes a session of a sign-in that has just succeeded.
func (b *backend) Open(ctx context.Context, in consent.SignIn, who consent.Account) (flow.Session, error) {
	access, ok := in.(*session.Access)
	if !ok {
		return nil, problem.New(problem.Internal, problem.Args{"what": fmt.Sprintf("sign-in of %T", in)})
	}
	if err := access.SignedIn(ctx, who); err != nil {
		return nil, err
	}
	s := b.state.On(access)
	return b.steps(s, s.Known(ctx))
}

// steps returns a session in the form that the steps use.
func (b *backend) steps(s *session.Session, err error) (flow.Session, error) {
	if err != nil {
		return nil, err
	}
	return wizardSession{s, b.app}, nil
}

// Reopen makes a session of saved data, without a user: as the application if it
// acts.
func (b *backend) Reopen(ctx context.Context, name string) (flow.Session, error) {
	return b.steps(b.state.Reopen(ctx, name))
}

// Forget removes saved data.
func (b *backend) Forget(ctx context.Context, name string) error {
	return b.state.Store.ForgetConnection(ctx, name)
}

// Dedicate prepares a dedicated application for a tenant in which no user has
// signed in.
func (b *backend) Dedicate(ctx context.Context, t flow.Target) (consent.Dedicated, error) {
	c, err := b.reaching(t)
	if err != nil {
		return nil, err
	}
	s, err := b.state.NewTenant(ctx, c)
	if err != nil {
		return nil, err
	}
	return s.Dedicated(session.Choices{}), nil
}

// OpenDedicated makes a session that a verified application acts for.
func (b *backend) OpenDedicated(ctx context.Context, d consent.Dedicated) (flow.Session, error) {
	of, ok := d.(*session.Dedicated)
	if !ok {
		return nil, problem.New(problem.Internal, problem.Args{"what": fmt.Sprintf("application of %T", d)})
	}
	return b.steps(of.Session(ctx))
}

// NeedsPassphrase reports whether a passphrase is needed.
func (b *backend) NeedsPassphrase(ctx context.Context) (need, first bool, why error) {
	if need, first = secret.NeedsPassphrase(ctx, b.state.Sealer); need && first {
		why = secret.WhyNoKeyring(ctx, b.state.Sealer)
	}
	return need, first, why
}

// Unseal takes the passphrase that the user typed.
func (b *backend) Unseal(ctx context.Context, passphrase secret.Text) error {
	return secret.Unlock(ctx, b.state.Sealer, passphrase)
}

// Explain returns the problem of a pasted error.
func (b *backend) Explain(pasted string) *problem.Problem {
	if p := signin.Explain(pasted); p != nil {
		return p
	}
	return grants.Explain(pasted)
}

// ReadFile opens a text file that the user named.
func (b *backend) ReadFile(_ context.Context, path string) (io.ReadCloser, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, notRead(path, err)
	}
	return struct {
		io.Reader
		io.Closer
	}{input.Reader(f), f}, nil
}

// WriteFile makes a new file in the folder hacsync was started in. It never
// overwrites.
func (b *backend) WriteFile(_ context.Context, name string, write func(io.Writer) error) (string, error) {
	name = filepath.Base(name)
	stem, ext := strings.TrimSuffix(name, filepath.Ext(name)), filepath.Ext(name)
	if strings.HasPrefix(name, "hacsync-grant-") || strings.HasPrefix(name, "hacsync-application-") {
		write = b.app.localised(name, write)
	}
	for n := 1; ; n++ {
		path := name
		if n > 1 {
			path = fmt.Sprintf("%s-%d%s", stem, n, ext)
		}
		f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if errors.Is(err, fs.ErrExist) && n < 1000 {
			continue
		}
		if err != nil {
			return "", notWritten(path, err)
		}
		if err := errors.Join(write(f), f.Sync(), f.Close()); err != nil {
			_ = os.Remove(path)
			return "", notWritten(path, err)
		}
		if absolute, err := filepath.Abs(path); err == nil {
			path = absolute
		}
		return path, nil
	}
}

// Demo returns the people outside of the program in the demo; nil for real tenants.
func (b *backend) Demo() flow.Demo {
	return b.demo
}

// wizardSession is a session in the form that the steps use.
type wizardSession struct {
	*session.Session
	app *app
}

var _ flow.Session = wizardSession{}

// Engine returns the operations, with progress and questions sent to h.
func (w wizardSession) Engine(h flow.Hooks) flow.Engine {
	show := session.Showing{Code: h.Code}
	return engine{Runner: w.NewRunner(h.Progress, show, session.Showing{}), writing: w.NewRunner(h.Progress, show, show)}
}

// Sealing returns how Save would seal the sign-in.
func (w wizardSession) Sealing() flow.Sealing {
	kind := map[secret.Kind]flow.SealKind{
		secret.Identity: flow.SealIdentity, secret.Passphrase: flow.SealPassphrase, secret.Keyring: flow.SealKeyring,
	}[w.Sealer.Kind()]
	return flow.Sealing{Kind: kind, Where: w.Sealer.Name()}
}

// AuditLog writes the audit log of a dry run as CSV.
func (w wizardSession) AuditLog(_ context.Context, out io.Writer, p *run.Planned) error {
	return auditlog.CSV(out, w.app.words, auditlog.Report{Plan: p.Plan, Run: p.Run, At: p.At})
}

// Close forgets what was not saved. The state belongs to the backend.
func (w wizardSession) Close() error { return nil }

// engine makes the paths of sources absolute, so that they are found again from any
// folder.
type engine struct {
	*run.Runner
	// writing is the same, for a step that shows the code of a sign-in that
	// Microsoft requires during the operation. For other steps the wizard itself
	// lets the user sign in again.
	writing *run.Runner
}

// SetSettings checks and stores key=value pairs.
func (e engine) SetSettings(ctx context.Context, domain string, kv map[string]string) error {
	if spec, ok := kv[run.KeySource]; ok {
		absolute, err := absoluteSource(spec)
		if err != nil {
			return err
		}
		kv = maps.Clone(kv)
		kv[run.KeySource] = absolute
	}
	return e.Runner.SetSettings(ctx, domain, kv)
}

// LookAtSource describes a source before a dry run.
func (e engine) LookAtSource(ctx context.Context, domain, spec string) (*source.Overview, error) {
	absolute, err := absoluteSource(spec)
	if err != nil {
		return nil, err
	}
	return e.Runner.LookAtSource(ctx, domain, absolute)
}

// DryRun computes and stores a plan.
func (e engine) DryRun(ctx context.Context, domain string, o run.Overrides) (*run.Planned, error) {
	absolute, err := absoluteSource(o.Source)
	if err != nil {
		return nil, err
	}
	o.Source = absolute
	return e.Runner.DryRun(ctx, domain, o)
}

// Sync applies a plan.
func (e engine) Sync(ctx context.Context, p *run.Planned, a run.Approval) (*run.Report, error) {
	return e.writing.Sync(ctx, p, a)
}

// Resume finishes an interrupted sync.
func (e engine) Resume(ctx context.Context, no int64) (*run.Report, error) {
	return e.writing.Resume(ctx, no)
}

// Dedicated returns the dedicated application of the connection.
func (w wizardSession) Dedicated() consent.Dedicated { return w.Session.Dedicated(session.Choices{}) }

// MoveScript writes the PowerShell that moves objects other than users.
func (w wizardSession) MoveScript(_ context.Context, out io.Writer, found *destination.Precheck) error {
	return grants.MoveScript(out, w.Connection(), found)
}
