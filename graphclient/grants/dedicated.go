package grants

import (
	"context"
	"crypto/x509"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/hacsync/hacsync/graphclient/certificate"
	"github.com/hacsync/hacsync/sync/clock"
	"github.com/hacsync/hacsync/sync/consent"
	"github.com/hacsync/hacsync/sync/problem"
)

// DedicatedOptions are what a Dedicated is made of.
type DedicatedOptions struct {
	// Connection names tenant, cloud and hosts. Its Application is what is known
	// of the application so far.
	Connection consent.Connection
	HTTP       *http.Client
	// Keys is the sealed row that holds the key pair; while it is renewed, the
	// old one and the new one.
	Keys consent.Cache
	// AsApplication gives tokens of an application that signs in with a key: a
	// fresh client each time, with nothing remembered.
	AsApplication func(appID string, key *certificate.Pair) (Tokens, error)
	// AsPerson gives the tokens of a sign-in that Give or Find was handed.
	AsPerson func(consent.SignIn) (Tokens, error)
	// Save keeps what is known of the application with the connection.
	Save func(context.Context, consent.Application) error

	// Name is the display name; empty means hacsync and the connection's name.
	Name string
	// Life is how long a new certificate holds; 0 means a year. A policy of the
	// tenant may allow less.
	Life time.Duration
	// Provider is the appId of an application whose home is another
	// organisation: it is granted, but neither made nor given a certificate.
	Provider string
	// UserAdministrator gives the application that role too.
	UserAdministrator bool
	// Others are certificates of other machines that shall sign in as the same
	// application.
	Others []*x509.Certificate

	Clock clock.Clock  // nil: the machine's
	Log   *slog.Logger // nil: nothing is logged
}

// Dedicated is the dedicated application of one connection. It implements
// consent.Dedicated.
type Dedicated struct {
	o   DedicatedOptions
	app consent.Application
}

var _ consent.Dedicated = (*Dedicated)(nil)

// NewDedicated makes it. It sends nothing.
func NewDedicated(o DedicatedOptions) *Dedicated {
	d := &Dedicated{o: o}
	if a := o.Connection.Application; a != nil {
		d.app = *a
	}
	return d
}

// LoadKey is the key pair that the application of a connection signs in with,
// from its sealed row; a problem without one.
func LoadKey(context.Context, consent.Cache) (*certificate.Pair, error) { return nil, errNotYet() }

func errNotYet() error { return problem.New(problem.Internal, problem.Args{"what": "not built yet"}) }

// Application is what is known of it.
func (d *Dedicated) Application() consent.Application { return d.app }

// Scopes are what whoever grants signs in for.
func (d *Dedicated) Scopes() []string { return consent.GrantScopes() }

// Prepare makes the key pair and keeps it sealed.
func (d *Dedicated) Prepare(context.Context) (consent.Application, error) { return d.app, errNotYet() }

// List is what it needs.
func (d *Dedicated) List() []consent.Grant { return nil }

// Script writes the PowerShell.
func (d *Dedicated) Script(context.Context, io.Writer) error { return errNotYet() }

// Give does what Script does.
func (d *Dedicated) Give(context.Context, consent.SignIn, func(consent.Given)) error {
	return errNotYet()
}

// Find looks for the application.
func (d *Dedicated) Find(context.Context, consent.SignIn) (bool, error) { return false, errNotYet() }

// Adopt names the application.
func (d *Dedicated) Adopt(context.Context, string) error { return errNotYet() }

// Verify signs in as the application.
func (d *Dedicated) Verify(context.Context) ([]consent.Grant, error) { return nil, errNotYet() }

// Renew makes a new key pair and takes it into use.
func (d *Dedicated) Renew(context.Context) (consent.Application, error) { return d.app, errNotYet() }
