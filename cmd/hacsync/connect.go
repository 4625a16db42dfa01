package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hacsync/hacsync/graphclient/certificate"
	"github.com/hacsync/hacsync/graphclient/claims"
	"github.com/hacsync/hacsync/graphclient/grants"
	"github.com/hacsync/hacsync/sync/consent"
	"github.com/hacsync/hacsync/sync/message"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/secret"
)

// connectFlags are those of hacsync connect.
type connectFlags struct {
	noSave, browser bool
	tenant, cloud   string
	certificate     []string
}

func (a *app) connectCommand() *cobra.Command {
	var f connectFlags
	c := a.command("connect", "connect", func(ctx context.Context, _ []string) error {
		target, err := a.connectTo(ctx, f)
		if err != nil {
			return err
		}
		if len(f.certificate) > 0 {
			return a.connectApplication(ctx, target, f.certificate, !f.noSave)
		}
		return a.connect(ctx, target, f.browser, !f.noSave)
	})
	c.Args = a.takes()
	flags := c.Flags()
	flags.BoolVar(&f.noSave, "no-save", false, a.text("flag.no-save", nil))
	flags.BoolVar(&f.browser, "browser", false, a.text("flag.browser", nil))
	flags.StringArrayVar(&f.certificate, "certificate", nil, a.text("flag.certificate", nil))
	flags.StringVar(&f.tenant, "tenant", "", a.text("flag.tenant", nil))
	flags.StringVar(&f.cloud, "cloud", "public", a.text("flag.cloud", nil))
	_ = c.MarkFlagFilename("certificate", "pem")
	return c
}

// connectTo checks the flags, and finds where to sign in: as they say, or to the
// tenant of the saved connection that they name.
func (a *app) connectTo(ctx context.Context, f connectFlags) (consent.Connection, error) {
	const command = "hacsync connect"
	needs := func(flag string) error {
		return wrongUsage(command, a.text("usage.needs", problem.Args{"flag": flag, "value": "--certificate"}))
	}
	byCertificate := len(f.certificate) > 0
	switch {
	case byCertificate && f.browser:
		return consent.Connection{}, wrongUsage(command, a.text("usage.both", problem.Args{"one": "certificate", "other": "browser"}))
	case byCertificate && a.flags.clientID == "":
		return consent.Connection{}, needs("client-id")
	case byCertificate && f.tenant == "" && a.flags.simulator == "":
		return consent.Connection{}, needs("tenant")
	}
	target, err := a.target(f.tenant, f.cloud)
	if err != nil || f.tenant != "" || a.flags.connection == "" || a.flags.simulator != "" {
		return target, err
	}
	store, err := a.openState(ctx)
	if err != nil {
		return target, err
	}
	defer func() { _ = store.Close() }()
	saved, err := store.Connection(ctx, a.flags.connection)
	if problem.Has(err, problem.NoSavedData) {
		return target, nil // a new one gets the name
	}
	if err != nil || saved.Simulated() {
		return target, err
	}
	if a.flags.clientID == "" {
		target.Client = saved.Client
	}
	target.Tenant, target.Cloud, target.Graph, target.Authority = saved.Tenant, saved.Cloud, saved.Graph, saved.Authority
	return target, nil
}

// keeping opens the vault for what a sign-in gives. What cannot be kept is found
// out before anybody signs in.
func (a *app) keeping(ctx context.Context, target consent.Connection) (*vault, error) {
	if err := a.makeIdentity(a.flags.identity); err != nil {
		return nil, err
	}
	v, err := a.openVault(ctx)
	if err != nil {
		return nil, err
	}
	if err := v.ready(ctx, a.flags.connection, target.Tenant); err != nil {
		v.close()
		return nil, err
	}
	return v, nil
}

// connect has a person sign in, for reading only, and saves the sign-in sealed.
func (a *app) connect(ctx context.Context, target consent.Connection, browser, save bool) error {
	var sealed *vault
	if save {
		v, err := a.keeping(ctx, target)
		if err != nil {
			return err
		}
		defer v.close()
		sealed = v
	}
	w, err := a.wayTo(target, nil)
	if err != nil {
		return err
	}
	account, err := a.signInPerson(ctx, w, personally{
		scopes: consent.ReadScopes(), browser: browser, words: "connect.code", command: "hacsync connect --browser",
	})
	if err != nil {
		return err
	}
	if err := w.signedIn(ctx, account); err != nil {
		return err
	}
	if !save {
		return a.connected(w.connection, false, "")
	}
	w.connection.Name = a.flags.connection
	if err := sealed.save(ctx, w); err != nil {
		return err
	}
	if err := a.saveSimulatedHAC(ctx, sealed, w.connection.Name); err != nil {
		return err
	}
	return a.connected(w.connection, true, a.sealing(sealed.sealer))
}

// saveSimulatedHAC keeps the client of a simulator's HAC API, as settings would.
func (a *app) saveSimulatedHAC(ctx context.Context, v *vault, connection string) error {
	sim, err := a.readySimulator()
	if err != nil || sim == nil || sim.HACClient == "" {
		return err
	}
	return v.saveHAC(ctx, connection, hacAccess{sim.HACClient, sim.HACSecret})
}

// connectApplication signs in as an application, with a certificate that was
// made elsewhere: no person, for unattended runs. The key is kept sealed.
func (a *app) connectApplication(ctx context.Context, target consent.Connection, files []string, save bool) error {
	key, err := certificate.ParseFiles(files...)
	if err != nil {
		return err
	}
	id := target.Client
	target.Client = consent.GraphCommandLineTools // with which a person would sign in
	var sealed *vault
	if save {
		v, err := a.keeping(ctx, target)
		if err != nil {
			return err
		}
		defer v.close()
		sealed = v
	}
	w, err := a.wayTo(target, nil)
	if err != nil {
		return err
	}
	in, err := w.asApplication(id, key)
	if err != nil {
		return err
	}
	w.acting = &acting{in: in, thumbprint: key.Thumbprint()}
	account, err := w.acting.Silent(ctx, nil)
	if err != nil {
		return err
	}
	if short := a.shortOf(account); short != "" {
		return problem.New(problem.GrantMissing, problem.Args{"grant": short})
	}
	scopes := w.connection.Scopes
	if err := w.signedIn(ctx, account); err != nil {
		return err
	}
	c := &w.connection
	c.Account, c.Scopes = "", scopes // a person's
	c.Application = &consent.Application{
		ID: id, Principal: string(account.ID), Name: account.App, Thumbprint: key.Thumbprint(),
		Ends: key.Ends(), Verified: w.clock.Now(),
	}
	a.tell(a.text("connect.signed_in", problem.Args{"account": applicationName(c.Application)}))
	if !save {
		return a.connected(*c, false, "")
	}
	c.Name = a.flags.connection
	if err := sealed.saveApplication(ctx, w, key); err != nil {
		return err
	}
	if err := a.saveSimulatedHAC(ctx, sealed, c.Name); err != nil {
		return err
	}
	return a.connected(*c, true, a.sealing(sealed.sealer))
}

// shortOf names the permissions that an application has to have and has not.
func (a *app) shortOf(account consent.Account) string {
	var short []string
	for _, g := range grants.New(grants.Options{Application: account.Client}).List() {
		if g.Kind == consent.AppRole && !g.Optional && !claims.Covers(account.Scopes, g.Name) {
			short = append(short, g.Name)
		}
	}
	return strings.Join(short, ", ")
}

// applicationName names an application for people.
func applicationName(app *consent.Application) string {
	if app.Name != "" {
		return app.Name
	}
	return app.ID
}

func codeArgs(words *message.Printer, code consent.Code) problem.Args {
	return problem.Args{"url": code.URL, "code": code.UserCode, "time": words.Time(code.Expires)}
}

// makeIdentity makes an identity file where there is none yet: connecting is
// when a new key is wanted. An empty path is none.
func (a *app) makeIdentity(path string) error {
	if path == "" {
		return nil
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return nil // what is wrong with a file that is there is said when it is read
	}
	if err := secret.GenerateIdentity(path); err != nil {
		return err
	}
	a.tell(a.text("connect.made_identity", problem.Args{"file": path}))
	return nil
}

// connectionName is the name of a connection that nobody named: the first label
// of the tenant's initial domain.
func connectionName(initial string) string {
	label, _, _ := strings.Cut(initial, ".")
	return label
}

func (a *app) connected(c consent.Connection, saved bool, how string) error {
	if a.flags.json {
		a.answer(struct {
			Schema     int            `json:"schema"`
			Saved      bool           `json:"saved"`
			Connection jsonConnection `json:"connection"`
		}{schema, saved, connectionObject(c)})
		return nil
	}
	args := problem.Args{"connection": c.Name, "tenant": c.TenantName, "initial": c.Initial, "how": how}
	if saved {
		a.say(a.text("connect.saved", args))
	} else {
		a.say(a.text("connect.tried", args))
	}
	return nil
}
