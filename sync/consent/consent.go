// Package consent defines the words and interfaces through which the wizard and the
// command line ask for access to a tenant: connection, sign-in, grant. It knows no
// protocol; graphclient/signin and graphclient/grants implement it. Start with
// Connection and SignIn.
package consent

import (
	"context"
	"io"
	"time"

	"github.com/hacsync/hacsync/sync/directory"
)

// GraphCommandLineTools is the application that signs administrators in unless
// an organisation names its own: Microsoft Graph Command Line Tools.
const GraphCommandLineTools = "14d82eec-204b-4c2f-b7e8-296a70dab67e"

// Connection is a consented tenant; the guides call it "saved data". It holds no
// secret; tokens are sealed rows of the state.
type Connection struct {
	Name       string `json:"name"`
	Tenant     string `json:"tenant"`      // tenant ID
	TenantName string `json:"tenant_name"` // organization's display name
	Initial    string `json:"initial"`     // its onmicrosoft.com domain
	// OnPremisesSync: when a user last signed in, the tenant was synchronised from
	// another master, such as an on-premises directory. An application may not read
	// that.
	OnPremisesSync bool   `json:"on_premises_sync,omitempty"`
	Client         string `json:"client"`    // application (client) ID
	Account        string `json:"account"`   // UPN of the user who signed in
	Cloud          string `json:"cloud"`     // public, usgov, usgovdod, china, simulated
	Graph          string `json:"graph"`     // https://graph.microsoft.com
	Authority      string `json:"authority"` // https://login.microsoftonline.com
	// CA is a PEM certificate that is trusted for these two hosts only; empty for
	// real clouds.
	CA    string  `json:"ca,omitempty"`
	Speed float64 `json:"speed,omitempty"` // of a simulated tenant's clock
	// HAC is the HAC API of a simulated tenant, empty for the real one.
	HAC string `json:"hac,omitempty"`
	// SignedIn are the object IDs of all users who ever signed in for this
	// connection: their accounts are never changed.
	SignedIn []directory.ID `json:"signed_in"`
	Scopes   []string       `json:"scopes"`
	// Application acts for the connection without a user; nil while a signed-in
	// administrator does.
	Application *Application `json:"application,omitempty"`
	Saved       time.Time    `json:"saved"`
	LastUsed    time.Time    `json:"last_used"`
}

// Simulated reports whether the tenant is a simulator.
func (c Connection) Simulated() bool { return c.Cloud == "simulated" }

// Application is the dedicated application of a connection: it signs in with a
// certificate whose private key is a sealed row of the state, and acts in place of
// a user. Nothing in it is secret.
type Application struct {
	ID string `json:"id"` // application (client) ID; empty until it is known
	// Object is its object ID; empty for an application that is registered in
	// another organisation, such as a provider's.
	Object    string `json:"object,omitempty"`
	Principal string `json:"principal,omitempty"` // object ID of its service principal
	Name      string `json:"name"`                // such as hacsync midori
	// Tag is unique to it; the application is found by its tag, never by its name.
	Tag string `json:"tag,omitempty"`
	// Thumbprint is the SHA-1 of its certificate in upper-case hex, as Entra ID
	// shows it.
	Thumbprint string    `json:"thumbprint"`
	Ends       time.Time `json:"ends"` // of the certificate
	// Verified is when it last signed in and had every grant that is not optional;
	// zero if it never had. Only a verified one acts.
	Verified time.Time `json:"verified,omitzero"`
}

// Acts reports whether the dedicated application acts for the connection.
func (c Connection) Acts() bool { return c.Application != nil && !c.Application.Verified.IsZero() }

// Account is the user or application that signed in, as the token describes it.
type Account struct {
	Tenant string       // tid
	ID     directory.ID // oid
	UPN    string
	Name   string
	Client string   // appid
	App    string   // app_displayname
	Scopes []string // scp, or roles of an application
	Roles  []string // wids: template IDs of directory roles
}

// Code is what the user types at the sign-in page.
type Code struct {
	UserCode string
	URL      string
	Message  string // Microsoft's own sentence
	Expires  time.Time
}

// Page is what the user opens in the browser of this machine.
type Page struct {
	URL     string
	Expires time.Time // when waiting for the sign-in ends
}

// SignIn signs in to one tenant with one application. If Microsoft asked for more
// than a token proves (a claims challenge), the next sign-in carries it.
type SignIn interface {
	// Browser listens on loopback and returns the sign-in page (authorization code
	// with PKCE). wait works as that of DeviceCode.
	Browser(ctx context.Context, scopes []string) (page Page, wait func(context.Context) (Account, error), err error)
	// DeviceCode asks for a code for the scopes (bare names, such as
	// User.Read.All). wait blocks until the user has signed in, the code expired,
	// the sign-in was refused, or ctx ended; its errors are problems of family 1.
	DeviceCode(ctx context.Context, scopes []string) (code Code, wait func(context.Context) (Account, error), err error)
	// Silent obtains a token for the scopes from the saved tokens, without a user.
	// A problem of class Mend means that a user has to sign in.
	Silent(ctx context.Context, scopes []string) (Account, error)
}

// Cache stores the tokens of one connection, sealed.
type Cache interface {
	// Load returns what was last stored, or nil.
	Load(ctx context.Context) ([]byte, error)
	// Store replaces what Load returns.
	Store(ctx context.Context, plain []byte) error
}

// ReadScopes returns the scopes that are asked for first: reading only, so that a
// dry run cannot write.
func ReadScopes() []string {
	return []string{
		"User.Read.All", "Domain.Read.All", "Organization.Read.All",
		"RoleManagement.Read.Directory", "GroupMember.Read.All",
	}
}

// GrantScopes returns the scopes with which an administrator signs in to grant in
// place: to make an application and to give it app roles. That sign-in is never
// saved.
func GrantScopes() []string {
	return []string{"Application.ReadWrite.All", "AppRoleAssignment.ReadWrite.All"}
}

// FindScope lets a user look for the dedicated application by its tag.
const FindScope = "Application.Read.All"

// WriteScope is asked for at Sync Now.
const WriteScope = "User.ReadWrite.All"

// GrantKind is the kind of a permission.
type GrantKind string

// The kinds.
const (
	DelegatedScope GrantKind = "scope"          // of a signed-in user
	AppRole        GrantKind = "app-role"       // of a dedicated application
	DirectoryRole  GrantKind = "directory-role" // of either
	// Part is something that a dedicated application consists of, not a permission:
	// its registration, certificate, service principal, sign-in.
	Part GrantKind = "part"
)

// When says when a grant is needed.
type When string

// The times.
const (
	ForDryRun   When = "dry-run"
	ForSync     When = "sync"
	ForPeriodic When = "periodic"
)

// GrantState is the state of a grant in the tenant.
type GrantState string

// The states.
const (
	Granted  GrantState = "granted"
	Missing  GrantState = "missing"
	Later    GrantState = "later"   // asked for when it is needed
	CantTell GrantState = "unknown" // could not be read
)

// Grant is one thing that a sync needs. Its reason and remedy are catalogue
// entries (grant.<name>.why, grant.<name>.without, grant.<name>.never).
type Grant struct {
	Name     string     `json:"name"`
	Kind     GrantKind  `json:"kind"`
	When     When       `json:"when"`
	Optional bool       `json:"optional"`
	State    GrantState `json:"state"`
	// By is the role that gives it, if that is not the grant itself.
	By string `json:"by,omitempty"`
	// ID is the GUID of the app role or role template, if it is known.
	ID string `json:"id,omitempty"`
}

// Grants are all that the sync needs, as one list that is shown, checked and
// written as a script.
type Grants interface {
	// List returns the list without a request to the tenant.
	List() []Grant
	// Check reads from the tenant and the token which of them are granted.
	Check(ctx context.Context) ([]Grant, error)
	// Script writes the PowerShell that grants what is missing.
	Script(w io.Writer) error
}

// Given is one step of granting in place.
type Given struct {
	Grant
	// Already: it existed before.
	Already bool
}

// Dedicated is the dedicated application of one connection, from its key pair to
// its renewal. Every method may be called again: what exists is kept.
type Dedicated interface {
	// Application returns what is known of it; the zero value before Prepare.
	Application() Application
	// Prepare makes the key pair and stores it sealed. Nothing is sent.
	Prepare(ctx context.Context) (Application, error)
	// List returns what it needs, as one list with the steps of the script: the
	// application, its service principal, each app role, the sign-in.
	List() []Grant
	// Script writes the PowerShell that makes the application with the public
	// certificate, its service principal and its app roles. Its last line names
	// the application ID.
	Script(ctx context.Context, w io.Writer) error
	// Give does in place what Script does, as the user who signed in with granting
	// (for GrantScopes). tell is called for each step, from the calling goroutine.
	Give(ctx context.Context, granting SignIn, tell func(Given)) error
	// Find looks for the application by its tag, as the user who signed in with
	// looking (for FindScope, or GrantScopes).
	Find(ctx context.Context, looking SignIn) (found bool, err error)
	// Adopt sets the application by its ID, as the script's last line shows it.
	Adopt(ctx context.Context, id string) error
	// Verify signs in as the application without saved tokens, and returns what its
	// token shows. If it has every grant that is not optional, it acts from then
	// on.
	Verify(ctx context.Context) ([]Grant, error)
	// Renew makes a new key pair, adds its certificate with proof that the old key is
	// hacsync's, signs in with it, and removes the old certificate.
	Renew(ctx context.Context) (Application, error)
}
