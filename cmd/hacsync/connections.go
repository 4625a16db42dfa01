package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/hacsync/hacsync/sync/consent"
	"github.com/hacsync/hacsync/sync/message"
	"github.com/hacsync/hacsync/sync/problem"
)

// jsonConnection is saved data as --json shows it: nothing in it is secret.
type jsonConnection struct {
	Name       string    `json:"connection"`
	Tenant     string    `json:"tenant"`
	TenantName string    `json:"tenant_name"`
	Initial    string    `json:"initial"`
	Client     string    `json:"client"`
	Account    string    `json:"account"`
	Cloud      string    `json:"cloud"`
	Scopes     []string  `json:"scopes"`
	Saved      time.Time `json:"saved"`
	LastUsed   time.Time `json:"last_used,omitzero"`
}

func connectionObject(c consent.Connection) jsonConnection {
	return jsonConnection{
		Name: c.Name, Tenant: c.Tenant, TenantName: c.TenantName, Initial: c.Initial, Client: c.Client,
		Account: c.Account, Cloud: c.Cloud, Scopes: append([]string{}, c.Scopes...), Saved: c.Saved, LastUsed: c.LastUsed,
	}
}

func (a *app) connectionsCommand() *cobra.Command {
	c := a.command("connections", "connections", a.listConnections)
	c.Args = a.takes()
	list := a.command("connections_list", "list", a.listConnections)
	list.Args = a.takes()
	forget := a.command("connections_forget", "forget NAME", a.forgetConnection)
	forget.Args = a.takes("NAME")
	c.AddCommand(list, forget)
	return c
}

func (a *app) listConnections(ctx context.Context, _ []string) error {
	store, err := a.openState(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = store.Close() }()
	saved, err := store.Connections(ctx)
	if err != nil {
		return err
	}
	if a.flags.json {
		list := make([]jsonConnection, 0, len(saved))
		for _, c := range saved {
			list = append(list, connectionObject(c))
		}
		a.answer(struct {
			Schema      int              `json:"schema"`
			Connections []jsonConnection `json:"connections"`
		}{schema, list})
		return nil
	}
	if len(saved) == 0 {
		a.say(a.text("connections.none", nil))
		return nil
	}
	head := func(id string) string { return a.text("connections."+id, nil) }
	rows := [][]string{{head("name"), head("tenant"), head("account"), head("cloud"), head("used")}}
	for _, c := range saved {
		used := c.LastUsed
		if used.IsZero() {
			used = c.Saved
		}
		rows = append(rows, []string{
			message.Clean(c.Name), message.Clean(c.TenantName + ", " + c.Initial), message.Clean(c.Account),
			message.Clean(c.Cloud), a.words.Time(used),
		})
	}
	a.show(a.out).table(rows, -1)
	return nil
}

// forgetConnection removes saved data. The tokens in it stay valid at Microsoft
// until they expire or are revoked; that is said.
func (a *app) forgetConnection(ctx context.Context, args []string) error {
	store, err := a.openState(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = store.Close() }()
	c, err := store.Connection(ctx, args[0])
	if err != nil {
		return err
	}
	if err := store.ForgetConnection(ctx, c.Name); err != nil {
		return err
	}
	if a.flags.json {
		a.answer(struct {
			Schema    int    `json:"schema"`
			Forgotten string `json:"forgotten"`
		}{schema, c.Name})
		return nil
	}
	a.say(a.text("connections.forgotten", problem.Args{"connection": c.Name, "account": c.Account}))
	return nil
}
