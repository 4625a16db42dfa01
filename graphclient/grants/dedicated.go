package grants

import (
	"context"
	"crypto/x509"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
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

	// Clock is what waits go by and what certificates are dated by; nil means
	// the machine's. Proofs are dated by the machine's, as sign-ins are.
	Clock clock.Clock
	Log   *slog.Logger // nil: nothing is logged
}

// Dedicated is the dedicated application of one connection, from its key pair to
// the renewal of its certificate. It implements consent.Dedicated. One goroutine
// uses it at a time.
type Dedicated struct {
	o   DedicatedOptions
	app consent.Application
	// since is when the application was last seen to be new: what was made a
	// moment ago is not known everywhere in the tenant yet.
	since time.Time
}

var _ consent.Dedicated = (*Dedicated)(nil)

const (
	// certificateLife is how long a new certificate holds.
	certificateLife = 365 * 24 * time.Hour
	// settling is how long a tenant may take to know everywhere what was just
	// made in it.
	settling = 5 * time.Minute
	// roleSettling is how long a token may take to show what was just granted.
	roleSettling = time.Minute
)

// NewDedicated makes it. It sends nothing.
func NewDedicated(o DedicatedOptions) *Dedicated {
	d := &Dedicated{o: o}
	if a := o.Connection.Application; a != nil {
		d.app = *a
	}
	if d.o.Provider != "" {
		d.app.ID, d.app.Object, d.app.Tag = strings.ToLower(d.o.Provider), "", ""
	}
	if d.o.Life <= 0 {
		d.o.Life = certificateLife
	}
	if d.o.Clock == nil {
		d.o.Clock = clock.Real()
	}
	if d.o.Log == nil {
		d.o.Log = slog.New(slog.DiscardHandler)
	}
	if d.app.Name == "" {
		d.app.Name = d.name()
	}
	return d
}

// name is the name of the application, unless the caller chose one.
func (d *Dedicated) name() string {
	if d.o.Name != "" {
		return d.o.Name
	}
	name := d.o.Connection.Name
	if ascii(name) != name { // the script could not write it
		name, _, _ = strings.Cut(d.o.Connection.Initial, ".")
	}
	return strings.TrimSpace("hacsync " + ascii(name))
}

// foreign reports whether the application was made elsewhere: by a provider, or
// by another machine. It has an ID then, and no tag of this state.
func (d *Dedicated) foreign() bool {
	return d.o.Provider != "" || d.app.ID != "" && d.app.Tag == ""
}

// Application is what is known of it; the zero value before Prepare.
func (d *Dedicated) Application() consent.Application {
	if d.app.ID == "" && d.app.Tag == "" {
		return consent.Application{}
	}
	return d.app
}

// Scopes are the permissions that an administrator signs in with to grant.
func (d *Dedicated) Scopes() []string {
	scopes := consent.GrantScopes()
	if d.o.UserAdministrator {
		scopes = append(scopes, "RoleManagement.ReadWrite.Directory")
	}
	return scopes
}

// List is what the application is made of and given, in the order in which it is
// done.
func (d *Dedicated) List() []consent.Grant {
	all := dedicated(d.foreign(), d.o.UserAdministrator)
	for i := range all {
		all[i].State = consent.CantTell
	}
	return all
}

// Prepare makes the key pair and keeps it sealed, unless there is one. Where the
// certificate has ended, it makes the one that an administrator adds in its
// place. Nothing is sent.
func (d *Dedicated) Prepare(ctx context.Context) (consent.Application, error) {
	r, err := loadRow(ctx, d.o.Keys)
	if err != nil {
		return d.app, err
	}
	changed := false
	if r.Tag == "" && !d.foreign() {
		r.Tag, changed = newTag(), true
		if d.app.Tag != "" {
			r.Tag = d.app.Tag // as the connection has it: the row was lost, the application may be there
		}
	}
	if r.Current != nil && d.ended(r.Current) {
		d.retire(r)
		changed = true
	}
	if r.Current != nil && d.app.Verified.IsZero() && d.o.Life < r.Current.Ends().Sub(r.Current.Certificate.NotBefore)-24*time.Hour {
		// A shorter life is asked for, before the first was ever used.
		r.Old, r.Current = r.Current, nil
		changed = true
	}
	if r.Current == nil {
		if r.Current, err = d.newPair(); err != nil {
			return d.app, err
		}
		changed = true
	}
	if changed {
		if err := storeRow(ctx, d.o.Keys, r); err != nil {
			return d.app, err
		}
	}
	return d.app, d.keep(ctx, r)
}

// retire puts the pair that is ready, if there is one, in the place of one whose
// certificate has ended.
func (d *Dedicated) retire(r *row) {
	r.Old, r.Current, r.Next = r.Current, r.Next, nil
	if r.Current != nil && d.ended(r.Current) {
		r.Current = nil
	}
}

func (d *Dedicated) ended(p *pair) bool { return !d.o.Clock.Now().Before(p.Ends()) }

func (d *Dedicated) newPair() (*pair, error) {
	k, err := certificate.New(d.app.Name, d.o.Clock.Now(), d.o.Life)
	if err != nil {
		return nil, problem.Wrap(err, problem.Internal, problem.Args{"what": "key pair"})
	}
	return &pair{Pair: k, KeyID: keyID(k.Certificate.Raw)}, nil
}

// keep takes over the values of the row, and saves it with the connection if a value
// changed.
func (d *Dedicated) keep(ctx context.Context, r *row) error {
	app := d.app
	if !d.foreign() {
		app.Tag = r.Tag
	}
	if r.Current != nil {
		app.Thumbprint, app.Ends = r.Current.Thumbprint(), r.Current.Ends()
	}
	return d.save(ctx, app)
}

func (d *Dedicated) save(ctx context.Context, app consent.Application) error {
	if have := d.o.Connection.Application; have != nil && *have == app {
		d.app = app
		return nil
	}
	if d.o.Save != nil {
		if err := d.o.Save(ctx, app); err != nil {
			return err
		}
	}
	d.app = app
	d.o.Connection.Application = &app
	return nil
}

// ready loads the row and insists on a key pair.
func (d *Dedicated) ready(ctx context.Context) (*row, error) {
	r, err := loadRow(ctx, d.o.Keys)
	if err != nil {
		return nil, err
	}
	if r.Current == nil || r.Tag == "" && !d.foreign() {
		return nil, problem.New(problem.KeyPairMissing, problem.Args{"connection": d.o.Connection.Name})
	}
	return r, nil
}

// Public is the certificate of the application, for an administrator who registers
// it by hand.
func (d *Dedicated) Public(ctx context.Context) (*x509.Certificate, error) {
	r, err := d.ready(ctx)
	if err != nil {
		return nil, err
	}
	return r.Current.Certificate, nil
}

var guid = regexp.MustCompile(`(?i)\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b`)

// Adopt names the application by its ID. id may be the whole last line of the
// script, which holds the object ID as well.
func (d *Dedicated) Adopt(ctx context.Context, id string) error {
	found := guid.FindAllString(id, -1)
	if len(found) == 0 || len(found) > 2 {
		given := strings.TrimSpace(id)
		if r := []rune(given); len(r) > 60 {
			given = string(r[:60])
		}
		return problem.New(problem.ApplicationIDWrong, problem.Args{"given": given})
	}
	app := d.app
	if next := strings.ToLower(found[0]); next != app.ID {
		app.ID, app.Object, app.Principal, app.Verified = next, "", "", time.Time{}
	}
	if len(found) == 2 {
		app.Object = strings.ToLower(found[1])
	}
	d.since = d.o.Clock.Now()
	return d.save(ctx, app)
}
