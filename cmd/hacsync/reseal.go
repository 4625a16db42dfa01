package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/hacsync/hacsync/cmd/hacsync/session"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/secret"
	"github.com/hacsync/hacsync/sync/state"
)

// newPassphraseVariable is the environment variable with the passphrase that
// saved data is sealed with from now on.
const newPassphraseVariable = "HACSYNC_NEW_PASSPHRASE"

// resealFlags select the new key.
type resealFlags struct {
	identity            string
	keyring, passphrase bool
}

func (a *app) resealCommand() *cobra.Command {
	var f resealFlags
	c := a.command("connections_reseal", "reseal NAME", func(ctx context.Context, args []string) error {
		return a.reseal(ctx, args[0], f)
	})
	c.Args = a.takes("NAME")
	c.Flags().StringVar(&f.identity, "to-identity", "", a.text("flag.to-identity", nil))
	c.Flags().BoolVar(&f.keyring, "to-keyring", false, a.text("flag.to-keyring", nil))
	c.Flags().BoolVar(&f.passphrase, "to-passphrase", false, a.text("flag.to-passphrase", nil))
	_ = c.MarkFlagFilename("to-identity")
	return c
}

// reseal seals saved data with another key: on the way from a desktop to a server,
// or because others have seen the old key. The old key is removed if nothing else
// needs it.
func (a *app) reseal(ctx context.Context, name string, f resealFlags) error {
	chosen := 0
	for _, set := range []bool{f.identity != "", f.keyring, f.passphrase} {
		if set {
			chosen++
		}
	}
	if chosen != 1 {
		return wrongUsage("hacsync connections reseal", a.text("usage.reseal", nil))
	}
	s, err := a.env().Open(ctx, session.Want{Key: true})
	if err != nil {
		return err
	}
	defer s.Close()
	to, err := a.resealTo(ctx, s.Store, f)
	if err != nil {
		return err
	}
	was, err := secret.Reseal(ctx, s.Store, s.Sealer, to, name)
	if err != nil {
		return err
	}
	fate, err := secret.Release(ctx, s.Store, was)
	if err != nil {
		return err
	}
	mark, _, err := secret.ReadMark(ctx, s.Store, name)
	if err != nil {
		return err
	}
	if a.flags.json {
		a.answer(struct {
			Schema     int         `json:"schema"`
			Connection string      `json:"connection"`
			Sealing    jsonSealing `json:"sealing"`
			OldKey     secret.Fate `json:"old_key"`
		}{schema, name, jsonSealing{mark.Kind, mark.Where, mark.Key}, fate})
		return nil
	}
	a.say(a.text("connections_reseal.done", problem.Args{"connection": name, "how": a.sealedWith(mark)}))
	a.sayKey(was, fate)
	return nil
}

func (a *app) resealTo(ctx context.Context, store *state.Store, f resealFlags) (secret.Sealer, error) {
	switch {
	case f.identity != "":
		if err := a.makeIdentity(f.identity); err != nil {
			return nil, err
		}
		return secret.FromIdentityFile(f.identity)
	case f.keyring:
		return secret.FromKeyring(store), nil
	}
	passphrase := secret.NewText(a.getenv(newPassphraseVariable))
	if passphrase.Empty() {
		ask := a.passphraseAsker()
		if ask == nil {
			return nil, problem.New(problem.NewPassphraseNeeded, nil)
		}
		var err error
		if passphrase, err = ask(ctx, secret.Question{First: true}); err != nil {
			return nil, err
		}
		if passphrase.Empty() {
			return nil, problem.New(problem.PassphraseEmpty, nil)
		}
	}
	return secret.FromPassphrase(store, passphrase), nil
}
