package main

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/hacsync/hacsync/cmd/hacsync/session"
	"github.com/hacsync/hacsync/sync/consent"
	"github.com/hacsync/hacsync/sync/input"
	"github.com/hacsync/hacsync/sync/message"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/secret"
	"github.com/hacsync/hacsync/sync/state"
)

// jsonConnection is saved data as --json shows it: nothing in it is secret.
type jsonConnection struct {
	Name        string           `json:"connection"`
	Tenant      string           `json:"tenant"`
	TenantName  string           `json:"tenant_name"`
	Initial     string           `json:"initial"`
	Client      string           `json:"client"`
	Account     string           `json:"account"`
	Cloud       string           `json:"cloud"`
	Scopes      []string         `json:"scopes"`
	Application *jsonApplication `json:"application,omitempty"`
	Domains     []jsonServed     `json:"domains,omitempty"`
	Sealing     *jsonSealing     `json:"sealing,omitempty"`
	Saved       time.Time        `json:"saved"`
	LastUsed    time.Time        `json:"last_used,omitzero"`
}

// jsonApplication is a dedicated application.
type jsonApplication struct {
	ID         string    `json:"id"`
	Name       string    `json:"name"`
	Thumbprint string    `json:"thumbprint"`
	Ends       time.Time `json:"ends"`
	Days       int       `json:"days"` // until then; negative once it is over
	Acts       bool      `json:"acts"`
}

// jsonServed is a domain that is set up; Periodic is empty if periodic sync was
// never enabled.
type jsonServed struct {
	Domain   string `json:"domain"`
	Periodic string `json:"periodic"`
}

// jsonSealing is the key that saved data is sealed under.
type jsonSealing struct {
	Kind  secret.Kind `json:"kind"`
	Where string      `json:"where"`
	Key   string      `json:"key"`
}

func connectionObject(c consent.Connection) jsonConnection {
	return jsonConnection{
		Name: c.Name, Tenant: c.Tenant, TenantName: c.TenantName, Initial: c.Initial, Client: c.Client,
		Account: c.Account, Cloud: c.Cloud, Scopes: append([]string{}, c.Scopes...), Saved: c.Saved, LastUsed: c.LastUsed,
	}
}

// daysUntil returns how many whole days are left; it is negative once the end is
// past.
func daysUntil(end, now time.Time) int {
	left := end.Sub(now)
	if left < 0 {
		left -= 24 * time.Hour
	}
	return int(left / (24 * time.Hour))
}

func (a *app) connectionsCommand() *cobra.Command {
	c := a.command("connections", "connections", a.listConnections)
	c.Args = a.takes()
	list := a.command("connections_list", "list", a.listConnections)
	list.Args = a.takes()
	var yesSaid bool
	forget := a.command("connections_forget", "forget NAME", func(ctx context.Context, args []string) error {
		return a.forgetConnection(ctx, args[0], yesSaid)
	})
	forget.Args = a.takes("NAME")
	forget.Flags().BoolVar(&yesSaid, "yes", false, a.text("flag.forget-yes", nil))
	c.AddCommand(list, forget, a.resealCommand())
	return c
}

// savedData is a connection with all that the state knows of it.
type savedData struct {
	consent.Connection
	mark    secret.Mark
	markErr error
	domains []jsonServed
}

// works returns the domains that workers synchronise through it.
func (s savedData) works() []string {
	var names []string
	for _, d := range s.domains {
		if d.Periodic == string(state.Enabled) {
			names = append(names, d.Domain)
		}
	}
	return names
}

func (a *app) savedData(ctx context.Context, store *state.Store, c consent.Connection) (savedData, error) {
	s := savedData{Connection: c}
	// A mark of a newer program must not prevent the list.
	s.mark, _, s.markErr = secret.ReadMark(ctx, store, c.Name)
	periodic, err := store.Periodics(ctx, state.PeriodicFilter{Tenant: c.Tenant, Connection: c.Name})
	if err != nil {
		return s, err
	}
	names, err := store.Domains(ctx, c.Tenant)
	if err != nil {
		return s, err
	}
	for _, p := range periodic {
		if !slices.Contains(names, p.Domain) {
			names = append(names, p.Domain)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		d := jsonServed{Domain: name}
		if i := slices.IndexFunc(periodic, func(p state.Periodic) bool { return p.Domain == name }); i >= 0 {
			d.Periodic = string(periodic[i].State)
		}
		s.domains = append(s.domains, d)
	}
	return s, nil
}

func (a *app) listConnections(ctx context.Context, _ []string) error {
	opened, err := a.env().Open(ctx, session.Want{})
	if err != nil {
		return err
	}
	defer opened.Close()
	all, err := opened.Store.Connections(ctx)
	if err != nil {
		return err
	}
	saved := make([]savedData, 0, len(all))
	for _, c := range all {
		s, err := a.savedData(ctx, opened.Store, c)
		if err != nil {
			return err
		}
		saved = append(saved, s)
	}
	if a.flags.json {
		list := make([]jsonConnection, 0, len(saved))
		for _, s := range saved {
			list = append(list, a.savedObject(s))
		}
		a.answer(struct {
			Schema      int              `json:"schema"`
			Connections []jsonConnection `json:"connections"`
		}{schema, list})
		return nil
	}
	if len(saved) == 0 {
		a.say(a.text("connections.none", nil))
	}
	for i, s := range saved {
		if i > 0 {
			a.say("")
		}
		a.showSaved(s)
	}
	return nil
}

// savedObject returns saved data with all that the list shows.
func (a *app) savedObject(s savedData) jsonConnection {
	o := connectionObject(s.Connection)
	o.Domains = append([]jsonServed{}, s.domains...)
	if s.mark.Kind != "" {
		o.Sealing = &jsonSealing{Kind: s.mark.Kind, Where: s.mark.Where, Key: s.mark.Key}
	}
	if app := s.Application; app != nil {
		o.Application = &jsonApplication{
			ID: app.ID, Name: app.Name, Thumbprint: app.Thumbprint, Ends: app.Ends,
			Days: daysUntil(app.Ends, a.clockAt(s.Speed).Now()), Acts: s.Acts(),
		}
	}
	return o
}

// showSaved shows one connection, a fact a line.
func (a *app) showSaved(s savedData) {
	a.say(message.Clean(s.Name + "  " + s.TenantName + ", " + s.Initial))
	var rows [][]string
	add := func(id, value string) {
		if value != "" {
			rows = append(rows, []string{"  " + a.text("connections."+id, nil), message.Clean(value)})
		}
	}
	add("account", s.Account)
	if app := s.Application; app != nil {
		add("application", app.Name+" ("+app.ID+")")
		add("certificate", a.certificateEnds(*app, a.clockAt(s.Speed).Now()))
	}
	if s.Cloud != "public" {
		add("cloud", a.cloudName(s.Cloud))
	}
	var names []string
	for _, d := range s.domains {
		if d.Periodic != "" {
			d.Domain += " (" + a.text("connections.periodic_"+d.Periodic, nil) + ")"
		}
		names = append(names, d.Domain)
	}
	add("domains", strings.Join(names, ", "))
	if s.markErr == nil {
		add("sealed", strings.TrimSpace(a.sealedWith(s.mark)))
	} else {
		add("sealed", a.words.Problem(s.markErr).What)
	}
	used := s.LastUsed
	if used.IsZero() {
		used = s.Saved
	}
	add("used", a.words.Time(used))
	a.show(a.out).table(rows, -1)
}

// certificateEnds returns the words for how long an application's certificate is
// valid.
func (a *app) certificateEnds(app consent.Application, now time.Time) string {
	id := "connections.ends"
	if now.After(app.Ends) {
		id = "connections.ended"
	}
	return a.text(id, problem.Args{"time": a.words.Time(app.Ends), "days": strconv.Itoa(daysUntil(app.Ends, now))})
}

// sealedWith puts into words what saved data is sealed with.
func (a *app) sealedWith(m secret.Mark) string {
	if m.Kind == "" {
		return ""
	}
	return a.text("sealed_with."+string(m.Kind), problem.Args{"where": m.Where})
}

// forgetConnection removes saved data: the connection, its sign-in, its
// application's key, the secrets of its sources. Runs, decisions and settings stay.
// It reports what stays valid elsewhere.
func (a *app) forgetConnection(ctx context.Context, name string, yesSaid bool) error {
	opened, err := a.env().Open(ctx, session.Want{})
	if err != nil {
		return err
	}
	defer opened.Close()
	s, err := a.toForget(ctx, opened.Store, name)
	if err != nil {
		return err
	}
	if err := a.confirmForget(ctx, s, yesSaid); err != nil {
		return err
	}
	fate, err := forget(ctx, opened.Store, s)
	if err != nil {
		return err
	}
	if a.flags.json {
		a.answer(struct {
			Schema      int              `json:"schema"`
			Forgotten   string           `json:"forgotten"`
			Key         secret.Fate      `json:"key"`
			Account     string           `json:"account"`
			Application *jsonApplication `json:"application"`
		}{schema, s.Name, fate, s.Account, a.savedObject(s).Application})
		return nil
	}
	a.sayForgotten(s, fate)
	return nil
}

// toForget finds what is to be forgotten. When a sign-in is saved, sealed rows are
// written first, so they may exist without their connection.
func (a *app) toForget(ctx context.Context, store *state.Store, name string) (savedData, error) {
	c, err := store.Connection(ctx, name)
	if err == nil {
		return a.savedData(ctx, store, c)
	}
	names, listErr := store.SealedNames(ctx)
	switch {
	case !problem.Has(err, problem.NoSavedData) || listErr != nil || name == "":
		return savedData{}, err
	case !slices.ContainsFunc(names, func(n secret.RowName) bool { return n.Connection == name }):
		known, err := connectionNames(ctx, store)
		if err != nil {
			return savedData{}, err
		}
		return savedData{}, problem.New(problem.ConnectionUnknown, problem.Args{"connection": name, "known": strings.Join(known, ", ")})
	}
	s := savedData{Connection: consent.Connection{Name: name}}
	s.mark, _, s.markErr = secret.ReadMark(ctx, store, name)
	return s, nil
}

// cloudName is a cloud in words.
func (a *app) cloudName(cloud string) string {
	if id := "flow.cloud." + cloud; a.words.Has(id) {
		return a.words.Text(id, nil)
	}
	if id := "connections." + cloud; a.words.Has("cmd." + id) {
		return a.text(id, nil)
	}
	return cloud
}

// connectionNames are the names of all that is saved.
func connectionNames(ctx context.Context, store *state.Store) ([]string, error) {
	all, err := store.Connections(ctx)
	names := make([]string, 0, len(all))
	for _, c := range all {
		names = append(names, c.Name)
	}
	return names, err
}

func (a *app) confirmForget(ctx context.Context, s savedData, yesSaid bool) error {
	works := strings.Join(s.works(), ", ")
	args := problem.Args{"connection": s.Name, "tenant": s.TenantName, "initial": s.Initial, "domains": works}
	switch {
	case yesSaid:
		return nil
	case works != "" && !a.terminal:
		return problem.New(problem.PeriodicNeeds, args)
	case !a.terminal:
		return problem.New(problem.ForgetUnapproved, args)
	}
	if works != "" {
		a.tell(a.text("connections.stops", args))
	}
	answer, err := a.ask(ctx, a.text("connections.question", args))
	if err == nil && !input.Yes(answer) {
		err = problem.New(problem.ForgetDeclined, args)
	}
	return err
}

// forget removes saved data, and then the key if nothing else is sealed with it.
func forget(ctx context.Context, store *state.Store, s savedData) (secret.Fate, error) {
	if err := store.ForgetConnection(ctx, s.Name); err != nil {
		return secret.NoKey, err
	}
	return secret.Release(ctx, store, s.mark)
}

// sayForgotten reports what was removed, and what stays valid elsewhere.
func (a *app) sayForgotten(s savedData, fate secret.Fate) {
	args := problem.Args{"connection": s.Name, "account": s.Account, "tenant": s.TenantName}
	a.say(a.text("connections.forgotten", args))
	a.sayKey(s.mark, fate)
	if s.Account != "" {
		a.say(a.text("connections.still_valid", args))
	}
	if app := s.Application; app != nil && app.ID != "" {
		args["application"], args["id"] = app.Name, app.ID
		id := "connections.application_stays"
		if app.Object == "" { // it is registered in another organisation
			id = "connections.provider_stays"
		}
		a.say(a.text(id, args))
	}
}

// sayKey reports what happened to the key of the removed data.
func (a *app) sayKey(m secret.Mark, fate secret.Fate) {
	if fate != secret.NoKey {
		a.say(a.text("connections.key_"+string(fate)+"_"+string(m.Kind), problem.Args{"where": m.Where, "key": m.Key}))
	}
}
