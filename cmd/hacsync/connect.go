package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hacsync/hacsync/sync/consent"
	"github.com/hacsync/hacsync/sync/message"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/secret"
)

func (a *app) connectCommand() *cobra.Command {
	var (
		noSave        bool
		tenant, cloud string
	)
	c := a.command("connect", "connect", func(ctx context.Context, _ []string) error {
		target, err := a.target(tenant, cloud)
		if err != nil {
			return err
		}
		return a.connect(ctx, target, !noSave)
	})
	c.Args = a.takes()
	c.Flags().BoolVar(&noSave, "no-save", false, a.text("flag.no-save", nil))
	c.Flags().StringVar(&tenant, "tenant", "", a.text("flag.tenant", nil))
	c.Flags().StringVar(&cloud, "cloud", "public", a.text("flag.cloud", nil))
	return c
}

// connect signs in by code, for reading only, and saves the sign-in sealed. It
// asks nothing: the code is typed elsewhere.
func (a *app) connect(ctx context.Context, target consent.Connection, save bool) error {
	var sealed *vault
	if save {
		if err := a.makeIdentity(); err != nil {
			return err
		}
		v, err := a.openVault(ctx)
		if err != nil {
			return err
		}
		defer v.close()
		sealed = v
		// What cannot be kept is found out before anybody types a code.
		if err := sealed.ready(ctx, a.flags.connection, target.Tenant); err != nil {
			return err
		}
	}
	w, err := a.wayTo(target, nil)
	if err != nil {
		return err
	}
	code, wait, err := w.signIn.DeviceCode(ctx, consent.ReadScopes())
	if err != nil {
		return err
	}
	a.tell(a.text("connect.code", codeArgs(a.words, code)))
	a.tell(a.text("connect.waiting", nil))
	a.log.Info("waiting for the sign-in", "until", code.Expires)
	account, err := wait(ctx)
	if err != nil {
		return err
	}
	a.tell(a.text("connect.signed_in", problem.Args{"account": account.UPN}))
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
	if sim, err := a.readySimulator(); err == nil && sim != nil && sim.HACClient != "" {
		if err := sealed.saveHAC(ctx, w.connection.Name, hacAccess{sim.HACClient, sim.HACSecret}); err != nil {
			return err
		}
	}
	return a.connected(w.connection, true, a.sealing(sealed.sealer))
}

func codeArgs(words *message.Printer, code consent.Code) problem.Args {
	return problem.Args{"url": code.URL, "code": code.UserCode, "time": words.Time(code.Expires)}
}

// makeIdentity makes the identity file that --identity names, where there is
// none yet: connecting is when a new key is wanted.
func (a *app) makeIdentity() error {
	if a.flags.identity == "" {
		return nil
	}
	if _, err := os.Stat(a.flags.identity); !errors.Is(err, fs.ErrNotExist) {
		return nil // what is wrong with a file that is there is said when it is read
	}
	if err := secret.GenerateIdentity(a.flags.identity); err != nil {
		return err
	}
	a.tell(a.text("connect.made_identity", problem.Args{"file": a.flags.identity}))
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
