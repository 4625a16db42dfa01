package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hacsync/hacsync/cmd/hacsync/session"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/state"
)

// backupCommand copies the state while others use it: to a file, or to another
// database when one machine is no longer enough.
func (a *app) backupCommand() *cobra.Command {
	c := a.command("backup", "backup FILE", func(ctx context.Context, args []string) error {
		env := a.env()
		from, err := env.Open(ctx, session.Want{})
		if err != nil {
			return err
		}
		defer from.Close()
		store, url := from.Store, args[0]
		if strings.HasPrefix(url, "postgres://") || strings.HasPrefix(url, "postgresql://") {
			env.State = url
			to, err := env.Open(ctx, session.Want{})
			if err != nil {
				return err
			}
			defer to.Close()
			if err := store.CopyTo(ctx, to.Store); err != nil {
				return err
			}
			return a.backedUp(store.URL(), to.Store.URL(), 0)
		}
		path, err := filepath.Abs(strings.TrimPrefix(url, "sqlite://"))
		if err != nil {
			return notWritten(url, err)
		}
		if err := store.Backup(ctx, path); err != nil {
			return err
		}
		info, err := os.Stat(path)
		if err != nil {
			return notRead(path, err)
		}
		return a.backedUp(store.URL(), state.FileURL(path), info.Size())
	})
	c.Args = a.takes("FILE")
	return c
}

// backedUp prints where the copy is and how it is used.
func (a *app) backedUp(from, to string, size int64) error {
	if a.flags.json {
		a.answer(struct {
			Schema int    `json:"schema"`
			From   string `json:"from"`
			State  string `json:"state"`
			Bytes  int64  `json:"bytes,omitempty"`
		}{schema, from, to, size})
		return nil
	}
	args := problem.Args{"state": to, "size": a.words.Size(size)}
	if size > 0 {
		a.say(a.text("backup.done", args))
	} else {
		a.say(a.text("backup.copied", args))
	}
	a.say(a.text("backup.restore", args))
	a.say(a.text("backup.key", args))
	return nil
}
