package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hacsync/hacsync/cmd/hacsync/session"
	"github.com/hacsync/hacsync/graphclient/certificate"
	"github.com/hacsync/hacsync/graphclient/signin"
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
		return a.connect(ctx, target, f)
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

// connectTo checks the flags, and finds where to sign in: as they name it, or in
// the tenant of the saved connection that they name.
func (a *app) connectTo(ctx context.Context, f connectFlags) (consent.Connection, error) {
	const command = "hacsync connect"
	needs := func(flag string) error {
		return wrongUsage(command, a.text("usage.needs", problem.Args{"flag": flag, "value": "--certificate"}))
	}
	byCertificate := len(f.certificate) > 0
	switch {
	case byCertificate && f.browser:
		return consent.Connection{}, wrongUsage(command, a.text("usage.both", problem.Args{"one": "certificate", "other": "browser"}))
	case byCertificate && a.flags.ClientID == "":
		return consent.Connection{}, needs("client-id")
	case byCertificate && f.tenant == "" && a.flags.Simulator == "":
		return consent.Connection{}, needs("tenant")
	}
	target, err := a.target(f.tenant, f.cloud)
	if err != nil || f.tenant != "" || a.flags.Connection == "" || a.flags.Simulator != "" {
		return target, err
	}
	s, err := a.env().Open(ctx, session.Want{})
	if err != nil {
		return target, err
	}
	defer s.Close()
	saved, err := s.Store.Connection(ctx, a.flags.Connection)
	if problem.Has(err, problem.NoSavedData) {
		return target, nil // a new connection gets the name
	}
	if err != nil || saved.Simulated() {
		return target, err
	}
	if a.flags.ClientID == "" {
		target.Client = saved.Client
	}
	target.Tenant, target.Cloud, target.Graph, target.Authority = saved.Tenant, saved.Cloud, saved.Graph, saved.Authority
	return target, nil
}

// keeping opens the state for the result of a sign-in. If it cannot be saved, this
// is found out before the user signs in.
func (a *app) keeping(ctx context.Context, target consent.Connection) (*session.Session, error) {
	if err := a.makeIdentity(a.flags.Identity); err != nil {
		return nil, err
	}
	s, err := a.env().Open(ctx, session.Want{Key: true, Simulator: true})
	if err != nil {
		return nil, err
	}
	if err := s.Ready(ctx, a.flags.Connection, target.Tenant); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// connect signs in, and saves the sign-in sealed: of a user, for reading only, or
// of an application with a certificate that was made elsewhere.
func (a *app) connect(ctx context.Context, target consent.Connection, f connectFlags) error {
	var key *certificate.Pair
	id := target.Client
	if len(f.certificate) > 0 {
		var err error
		if key, err = certificate.ParseFiles(f.certificate...); err != nil {
			return err
		}
		target.Client = consent.GraphCommandLineTools // the application with which a user would sign in
	}
	var kept *session.Session
	if !f.noSave {
		var err error
		if kept, err = a.keeping(ctx, target); err != nil {
			return err
		}
		defer kept.Close()
		target.Name = a.flags.Connection
	}
	access, err := a.signInTo(ctx, target, f.browser, id, key)
	if err != nil {
		return err
	}
	if f.noSave {
		return a.connected(access.Connection(), false, "")
	}
	s := kept.On(access)
	if key != nil {
		err = s.SaveApplication(ctx, key)
	} else {
		err = s.Save(ctx)
	}
	if err != nil {
		return err
	}
	return a.connected(s.Connection(), true, a.text("sealing."+string(s.Sealer.Kind()), problem.Args{"where": s.Sealer.Name()}))
}

// signInTo signs in a user, or with a key the application with this id.
func (a *app) signInTo(ctx context.Context, target consent.Connection, browser bool, id string, key *certificate.Pair) (*session.Access, error) {
	if key != nil {
		access, err := a.env().AccessAs(ctx, target, id, key)
		if err == nil {
			a.tell(a.text("connect.signed_in", problem.Args{"account": applicationName(access.Connection().Application)}))
		}
		return access, err
	}
	access, err := a.env().Access(target)
	if err != nil {
		return nil, err
	}
	account, err := a.signInPerson(ctx, access, personally{
		scopes: consent.ReadScopes(), browser: browser, words: "connect.code", command: "hacsync connect --browser",
	})
	if err == nil {
		err = access.SignedIn(ctx, account)
	}
	return access, err
}

// applicationName returns the name of an application for users.
func applicationName(app *consent.Application) string {
	if app.Name != "" {
		return app.Name
	}
	return app.ID
}

func codeArgs(words *message.Printer, code consent.Code) problem.Args {
	return problem.Args{"url": code.URL, "code": code.UserCode, "time": words.Time(code.Expires)}
}

// makeIdentity makes an identity file if it does not exist: a new key is wanted
// only when connecting. An empty path does nothing.
func (a *app) makeIdentity(path string) error {
	if path == "" {
		return nil
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return nil // an error in an existing file is reported when it is read
	}
	if err := secret.GenerateIdentity(path); err != nil {
		return err
	}
	a.tell(a.text("connect.made_identity", problem.Args{"file": path}))
	return nil
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

// target returns where connect signs in: a simulator, or a cloud of Microsoft's.
func (a *app) target(tenant, cloud string) (consent.Connection, error) {
	c := consent.Connection{Cloud: cloud, Tenant: tenant, Client: a.flags.ClientID}
	sim, err := a.readySimulator()
	if err != nil {
		return c, err
	}
	if sim != nil {
		sim.Reach(&c)
		if c.Tenant == "" {
			c.Tenant = sim.Tenant
		}
		if c.Client == "" {
			c.Client = sim.Client
		}
	} else if err := a.inCloud(&c, cloud); err != nil {
		return c, err
	}
	if c.Tenant == "" {
		c.Tenant = signin.AnyOrganization
	}
	if c.Client == "" {
		c.Client = consent.GraphCommandLineTools
	}
	return c, nil
}

// inCloud sets the hosts of a connection to those of a cloud of Microsoft's.
func (a *app) inCloud(c *consent.Connection, name string) error {
	cloud, ok := signin.CloudNamed(name)
	if !ok {
		var names []string
		for _, known := range signin.Clouds() {
			names = append(names, known.Name)
		}
		return wrongUsage("hacsync connect", a.text("usage.choice", problem.Args{
			"flag": "cloud", "takes": strings.Join(names, ", "), "value": name,
		}))
	}
	if cloud.OwnClient && c.Client == "" { // it does not share the global registrations
		return wrongUsage("hacsync connect", a.text("usage.needs", problem.Args{"flag": "client-id", "value": "--cloud " + name}))
	}
	c.Cloud, c.Graph, c.Authority = cloud.Name, cloud.Graph, cloud.Authority
	return nil
}
