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

// backend is what the steps of the wizard need of the world.
type backend struct {
	app   *app
	state *session.Session // with the key
	// base has the hosts that a new sign-in goes to.
	base consent.Connection
	demo flow.Demo // nil for real tenants
}

var _ flow.Backend = (*backend)(nil)

// Simulated reports whether every tenant reached through it is simulated.
func (b *backend) Simulated() bool { return b.state.Simulator != nil }

// Clock is what codes, plans and times on screen are read by.
func (b *backend) Clock() clock.Clock { return b.app.clockAt(b.base.Speed) }

// Connections are the saved ones that can be reached from here.
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

// Domains are those that are set up in a tenant.
func (b *backend) Domains(ctx context.Context, tenant string) ([]string, error) {
	return b.state.Store.Domains(ctx, tenant)
}

// Unfinished lists the syncs of those connections that can be resumed.
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

// reaching is the connection that a target of the wizard names.
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

// SignIn prepares a sign-in; it stores nothing and asks nobody yet.
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

// steps is a session as the steps see it.
func (b *backend) steps(s *session.Session, err error) (flow.Session, error) {
	if err != nil {
		return nil, err
	}
	return wizardSession{s, b.app}, nil
}

// Reopen makes a session of saved data, without a person: as the application
// where it acts.
func (b *backend) Reopen(ctx context.Context, name string) (flow.Session, error) {
	return b.steps(b.state.Reopen(ctx, name))
}

// Forget removes saved data.
func (b *backend) Forget(ctx context.Context, name string) error {
	return b.state.Store.ForgetConnection(ctx, name)
}

// Dedicate prepares a dedicated application for a tenant that nobody has signed
// in to.
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

// NeedsPassphrase reports whether a passphrase is wanted.
func (b *backend) NeedsPassphrase(ctx context.Context) (need, first bool, why error) {
	if need, first = secret.NeedsPassphrase(ctx, b.state.Sealer); need && first {
		why = secret.WhyNoKeyring(ctx, b.state.Sealer)
	}
	return need, first, why
}

// Unseal takes the passphrase.
func (b *backend) Unseal(ctx context.Context, passphrase secret.Text) error {
	return secret.Unlock(ctx, b.state.Sealer, passphrase)
}

// Explain finds the problem that a pasted error is.
func (b *backend) Explain(pasted string) *problem.Problem {
	if p := signin.Explain(pasted); p != nil {
		return p
	}
	return grants.Explain(pasted)
}

// ReadFile opens a text file that a person named.
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

// Demo plays the people outside of the program.
func (b *backend) Demo() flow.Demo {
	return b.demo
}

// wizardSession is a session as the steps see it.
type wizardSession struct {
	*session.Session
	app *app
}

var _ flow.Session = wizardSession{}

// Engine gives the operations, reporting to h.
func (w wizardSession) Engine(h flow.Hooks) flow.Engine {
	show := session.Showing{Code: h.Code}
	return engine{Runner: w.NewRunner(h.Progress, show, session.Showing{}), writing: w.NewRunner(h.Progress, show, show)}
}

// Sealing says how Save would seal the sign-in.
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

// engine names sources so that they are found again from any folder.
type engine struct {
	*run.Runner
	// writing is the same, where a step shows the code of a sign-in that
	// Microsoft wants in the middle of it. Elsewhere the wizard's own steps have
	// somebody sign in again.
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

// Dedicated is the dedicated application of the connection.
func (w wizardSession) Dedicated() consent.Dedicated { return w.Session.Dedicated(session.Choices{}) }

// MoveScript writes the PowerShell that moves objects other than users.
func (w wizardSession) MoveScript(_ context.Context, out io.Writer, found *destination.Precheck) error {
	return grants.MoveScript(out, w.Connection(), found)
}
