package flow

import (
	"context"
	"io"
	"time"

	"github.com/hacsync/hacsync/sync/clock"
	"github.com/hacsync/hacsync/sync/consent"
	"github.com/hacsync/hacsync/sync/destination"
	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/periodic"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/progress"
	"github.com/hacsync/hacsync/sync/run"
	"github.com/hacsync/hacsync/sync/secret"
	"github.com/hacsync/hacsync/sync/source"
	"github.com/hacsync/hacsync/sync/state"
)

// Backend is all that the steps need of the world. The command line builds it;
// tests have a small one of their own. Its errors are problems wherever a
// person can do something about them.
type Backend interface {
	// Simulated reports whether every tenant reached through it is simulated.
	Simulated() bool
	// Clock is what sign-in codes, plans and times on screen are read by.
	Clock() clock.Clock
	// Connections are the saved ones, last used first.
	Connections(ctx context.Context) ([]consent.Connection, error)
	// Domains are those that are set up in a tenant, by name. It asks no tenant.
	Domains(ctx context.Context, tenant string) ([]string, error)
	// Unfinished lists the syncs that were interrupted or stopped and can be
	// resumed, the newest first. It asks no tenant.
	Unfinished(ctx context.Context) ([]Unfinished, error)
	// SignIn prepares a sign-in; it stores nothing and asks nobody yet.
	SignIn(ctx context.Context, t Target) (consent.SignIn, error)
	// Open makes a session of a sign-in that has just succeeded. It reads the
	// tenant's name. Nothing is stored until Session.Save.
	Open(ctx context.Context, s consent.SignIn, a consent.Account) (Session, error)
	// Reopen makes a session of saved data, without a person. A problem of class
	// Mend says that somebody has to sign in again.
	Reopen(ctx context.Context, name string) (Session, error)
	// Forget removes saved data: the connection, its sign-in, its certificate's
	// key, the secrets of its sources. Runs and decisions stay.
	Forget(ctx context.Context, name string) error
	// Dedicate prepares a dedicated application for a tenant that nobody has
	// signed in to: t names the tenant.
	Dedicate(ctx context.Context, t Target) (consent.Dedicated, error)
	// OpenDedicated makes a session that a verified application acts for.
	OpenDedicated(ctx context.Context, d consent.Dedicated) (Session, error)
	// NeedsPassphrase reports whether saved data cannot be opened for want of a
	// passphrase that a person can type, or whether nothing could be saved
	// without one. first: nothing is sealed with one yet, so that it is asked for
	// twice; why is what kept the keyring from being used then.
	NeedsPassphrase(ctx context.Context) (need, first bool, why error)
	// Unseal takes that passphrase. A wrong one is a problem.
	Unseal(ctx context.Context, passphrase secret.Text) error
	// Explain finds the problem that a pasted error is: a number such as
	// AADSTS53003, or a whole red line with one in it. nil if it names none.
	Explain(pasted string) *problem.Problem
	// ReadFile opens a file that a person named.
	ReadFile(ctx context.Context, path string) (io.ReadCloser, error)
	// WriteFile makes a new file for a person, in the folder hacsync was started
	// in, readable by that person alone. It never overwrites: a name that exists
	// gets a number. It returns the path; on an error of write nothing is left.
	WriteFile(ctx context.Context, name string, write func(io.Writer) error) (path string, err error)
	// Demo plays the people outside of the program; nil for real tenants.
	Demo() Demo
}

// Unfinished is a sync that can be resumed.
type Unfinished struct {
	Run        int64
	Connection string
	Domain     string
	Started    time.Time
}

// Target is where and as what to sign in.
type Target struct {
	// Tenant is a tenant ID or domain, empty for whatever tenant the person who
	// signs in belongs to.
	Tenant string
	// Client is the application; empty for Microsoft Graph Command Line Tools.
	Client string
	// Connection names the saved data that is renewed, empty for a new one.
	Connection string
	// Cloud is public, usgov, usgovdod or china; empty for public.
	Cloud string
}

// Session is one open connection.
type Session interface {
	Connection() consent.Connection
	// Engine gives the operations of sync/run, reporting to h. A new one is
	// asked for whenever the hooks change; an Engine holds nothing itself.
	Engine(h Hooks) Engine
	Grants() consent.Grants
	// Upkeep is periodic sync of the connection's domains.
	Upkeep() Upkeep
	// Dedicated is the dedicated application of the connection; preparing it
	// saves the connection. Once it is verified, Engine acts as it.
	Dedicated() consent.Dedicated
	// ForGranting prepares the sign-in of whoever grants: apart from the session's
	// own, in memory, gone with the program.
	ForGranting(ctx context.Context) (consent.SignIn, error)
	// SaveHAC keeps the client of the HAC API that a person typed, sealed.
	SaveHAC(ctx context.Context, client string, key secret.Text) error
	// HAC reports the client of the HAC API that is kept, empty for none.
	HAC(ctx context.Context) (client string, err error)
	// MoveScript writes the PowerShell that moves the objects other than users
	// which the pre-check found to the onmicrosoft.com domain.
	MoveScript(ctx context.Context, w io.Writer, found *destination.Precheck) error
	// Sealing says how Save would seal the sign-in on this machine.
	Sealing() Sealing
	// Save keeps connection and sign-in for next time.
	Save(ctx context.Context) error
	// AuditLog writes the audit log of a dry run, or of what remains of it, as CSV.
	AuditLog(ctx context.Context, w io.Writer, p *run.Planned) error
	// Close forgets what was not saved.
	Close() error
}

// Hooks are what an operation calls while it runs, from any goroutine.
type Hooks struct {
	Progress progress.Sink
	// Code shows a sign-in code: Sync needs the permission to write, and it is
	// not there silently. The operation goes on when somebody has signed in.
	Code func(consent.Code)
}

// Engine is what the steps use of run.Runner, which implements it.
type Engine interface {
	Domains(ctx context.Context) ([]run.DomainInfo, error)
	Precheck(ctx context.Context, domain string) (*destination.Precheck, error)
	Settings(ctx context.Context, domain string) (run.Settings, error)
	SetSettings(ctx context.Context, domain string, kv map[string]string) error
	LookAtSource(ctx context.Context, domain, spec string) (*source.Overview, error)
	DryRun(ctx context.Context, domain string, o run.Overrides) (*run.Planned, error)
	// Reviewed adds to a plan what reviewers decided and who applied it; the plans that
	// DryRun, Stored and Undo give have that.
	Reviewed(ctx context.Context, p *run.Planned) (*run.Planned, error)
	// Decide keeps what a reviewer leaves out or raises, TakeBack removes it.
	Decide(ctx context.Context, domain string, ds []plan.Decision) error
	TakeBack(ctx context.Context, domain string, ds ...plan.Decision) error
	// KeepLook keeps where a reviewer is in a plan.
	KeepLook(ctx context.Context, p *run.Planned, l run.Look) error
	// Answer keeps an answer to a question of a plan and gives the plan with all
	// answers of its domain.
	Answer(ctx context.Context, p *run.Planned, account directory.ID, kind plan.AnswerKind, row, by string) (*run.Planned, error)
	Knows(ctx context.Context, f plan.Fingerprint) (bool, error)
	Sync(ctx context.Context, p *run.Planned, a run.Approval) (*run.Report, error)
	Stored(ctx context.Context, no int64) (*run.Planned, error)
	Resume(ctx context.Context, no int64) (*run.Report, error)
	Undo(ctx context.Context, no int64) (*run.Planned, error)
	// Home, Since, Logs, Rows and Decisions read the state alone.
	Home(ctx context.Context, also ...directory.Domain) (*run.Home, error)
	Since(ctx context.Context, domain string) (run.Since, error)
	Logs(ctx context.Context, domain string, limit int) ([]state.Run, error)
	Rows(ctx context.Context, no int64) (open []run.RowResult, seen int, err error)
	Decisions(ctx context.Context, domain string) ([]plan.Decision, error)
}

var _ Engine = (*run.Runner)(nil)

// Upkeep is periodic sync: how the domains of a connection are kept in step
// without a person, and who does it.
//
// periodic.Control is most of it.
type Upkeep interface {
	// Statuses are of the domains that periodic sync was ever enabled for.
	Statuses(ctx context.Context) (map[string]periodic.Status, error)
	// Workers lists those that ever reported, the latest seen first.
	Workers(ctx context.Context) ([]state.Worker, error)
	// Check says what stands for and against periodic sync of a domain.
	Check(ctx context.Context, domain string) (periodic.Checklist, error)
	Enable(ctx context.Context, q periodic.Request) (state.Periodic, periodic.Checklist, error)
	Pause(ctx context.Context, domain string, until time.Time, by, reason string) (state.Periodic, error)
	Resume(ctx context.Context, domain, by string) (state.Periodic, error)
	Disable(ctx context.Context, domain, by, reason string) (state.Periodic, error)
	// Service is how a worker is made a service of this machine.
	Service() Service
	// Told are those who get notices, without what is secret in their addresses.
	Told(ctx context.Context) ([]string, error)
}

// Service is a file that makes hacsync worker a service of a machine, and the
// commands that install it.
type Service struct {
	File     string
	Text     string
	Commands []string
	// Elsewhere are the commands for another machine.
	Elsewhere []string
}

// SealKind is what a saved sign-in is sealed under.
type SealKind string

// The ways of sealing. NoSeal: there is none on this machine, so nothing can be
// saved.
const (
	NoSeal         SealKind = ""
	SealIdentity   SealKind = "identity"
	SealPassphrase SealKind = "passphrase"
	SealKeyring    SealKind = "keyring"
)

// Sealing says how a sign-in would be kept, and where its key is: a path or the
// name of a key store.
type Sealing struct {
	Kind  SealKind
	Where string
}

// Demo plays the people outside of the program: the administrator at the
// sign-in page and at the PowerShell window.
type Demo interface {
	// Parts are those the simulated tenant can play, the usual one first.
	Parts() []Part
	// Play answers a sign-in code.
	Play(ctx context.Context, userCode string, p Part) error
	// PlayPage answers the page of a sign-in by browser.
	PlayPage(ctx context.Context, url string, p Part) error
	// RunScript gives what the permission script gives; RunApplicationScript what
	// the script of the dedicated application gives, and returns its last line.
	RunScript(ctx context.Context) error
	RunApplicationScript(ctx context.Context, d consent.Dedicated) (last string, err error)
	// Export is the sample export, and the number of users that HAC would show
	// for it.
	Export() (path string, count int)
}

// Part is what the person with the sign-in code does.
type Part string

// The parts.
const (
	Approve     Part = "approve"      // signs in and accepts
	Decline     Part = "decline"      // presses Cancel at the page
	Expire      Part = "expire"       // never comes; the code runs out
	Block       Part = "block"        // is refused by a policy, AADSTS53003
	ErrorOnPage Part = "error"        // sees an error on the page only; the program goes on waiting
	WrongTenant Part = "wrong-tenant" // signs in with an account of another tenant
)
