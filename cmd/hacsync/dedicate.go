package main

import (
	"cmp"
	"context"
	"io"
	"strings"

	"github.com/hacsync/hacsync/cmd/hacsync/session"
	"github.com/hacsync/hacsync/sync/consent"
	"github.com/hacsync/hacsync/sync/input"
	"github.com/hacsync/hacsync/sync/problem"
)

// openToGrant opens the saved connection, also one without a user or application
// that acts for it yet; or a new one, for a tenant in which no user has signed in.
func (a *app) openToGrant(ctx context.Context, f grantFlags) (*session.Session, error) {
	if f.tenant == "" {
		return a.openTenant(ctx, session.Want{Tenant: true, Unready: true})
	}
	target, err := a.target(f.tenant, f.cloud)
	if err != nil {
		return nil, err
	}
	kept, err := a.keeping(ctx, target)
	if err != nil {
		return nil, err
	}
	s, err := kept.NewTenant(ctx, target)
	if err != nil {
		kept.Close()
		return nil, err
	}
	return a.shown(s), nil
}

// give makes and grants the application in place, as an administrator who signs in
// only for that.
func (a *app) give(ctx context.Context, s *session.Session, d *session.Dedicated, f grantFlags) error {
	if err := a.confirmGiving(ctx, s, d, f.yes); err != nil {
		return err
	}
	if _, err := d.Prepare(ctx); err != nil {
		return err
	}
	admin, err := a.administrator(ctx, s, personally{
		scopes: d.Scopes(), browser: f.browser, words: "grant.code", command: "hacsync grant --application --browser",
	})
	if err != nil {
		return err
	}
	var given []consent.Given
	err = d.Give(ctx, admin, func(g consent.Given) {
		given = append(given, g)
		a.tell(a.text("grant.given", problem.Args{"name": g.Name, "already": yesNo(g.Already)}))
	})
	if err != nil {
		return err
	}
	if len(f.addCertificate) > 0 {
		a.tell(a.text("grant.added", applicationArgs(s, d.Application(), a)))
	}
	return a.verifyApplication(ctx, s, d, given)
}

// yesNo is a condition of a message: an empty argument is no.
func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return ""
}

// purpose returns what a grant is for, empty if the catalogue has no text for it.
func (a *app) purpose(g consent.Grant) string {
	if id := "grant." + g.Name + ".for"; a.words.Has(id) {
		return a.words.Text(id, nil)
	}
	return ""
}

// confirmGiving shows what would be granted, and asks.
func (a *app) confirmGiving(ctx context.Context, s *session.Session, d *session.Dedicated, yesSaid bool) error {
	c := s.Connection()
	name := d.Application().Name
	if name == "" { // the name that it will have
		name = "hacsync " + c.Name
	}
	a.tell(a.text("grant.list", problem.Args{"tenant": cmp.Or(c.TenantName, c.Tenant), "application": name}))
	for _, g := range d.List() {
		if g.Kind == consent.Part && g.Name == signInPart {
			continue // nothing is granted for it
		}
		a.tell(a.text("grant.list_item", problem.Args{"name": g.Name, "for": a.purpose(g), "optional": yesNo(g.Optional)}))
	}
	switch {
	case yesSaid:
		return nil
	case !a.terminal:
		return problem.New(problem.GrantUnapproved, nil)
	}
	answer, err := a.ask(ctx, a.text("grant.question", nil))
	if err == nil && !input.Yes(answer) {
		err = problem.New(problem.GrantDeclined, nil)
	}
	return err
}

// signInPart is the part of the list that only a sign-in as the application shows.
const signInPart = "sign-in"

// administrator lets an administrator sign in to grant or to look: in memory, apart
// from the connection's own sign-in, and only until the program ends. As with every
// sign-in for the connection, a sync never changes the account.
func (a *app) administrator(ctx context.Context, s *session.Session, p personally) (consent.SignIn, error) {
	admin, err := s.ForGranting(ctx)
	if err != nil {
		return nil, err
	}
	who, err := a.signInPerson(ctx, admin, p)
	if err != nil {
		return nil, err
	}
	return admin, s.SignedIn(ctx, who)
}

// adopt stores the application that the script made.
func (a *app) adopt(ctx context.Context, s *session.Session, d *session.Dedicated, id string) error {
	// Without a key of our own, the application would seem to be another
	// organisation's.
	if _, err := s.Key(ctx); err != nil {
		return err
	}
	if err := d.Adopt(ctx, id); err != nil {
		return err
	}
	return a.verifyApplication(ctx, s, d, nil)
}

// findApplication looks for the application that the script made.
func (a *app) findApplication(ctx context.Context, s *session.Session, d *session.Dedicated, f grantFlags) error {
	admin, err := a.administrator(ctx, s, personally{
		scopes: []string{consent.FindScope}, browser: f.browser, words: "grant.find",
		command: "hacsync grant --application --find --browser",
	})
	if err != nil {
		return err
	}
	found, err := d.Find(ctx, admin)
	if err != nil {
		return err
	}
	if !found {
		return problem.New(problem.ApplicationNotFound, problem.Args{"connection": s.Connection().Name})
	}
	return a.verifyApplication(ctx, s, d, nil)
}

// verifyApplication signs in as the application, shows what it was granted, and
// lets it act if nothing is missing.
func (a *app) verifyApplication(ctx context.Context, s *session.Session, d *session.Dedicated, given []consent.Given) error {
	a.tell(a.text("grant.verifying", nil))
	found, err := d.Verify(ctx)
	if err != nil {
		return err
	}
	app := d.Application()
	if !app.Verified.IsZero() {
		if err := d.KnownTenant(ctx); err != nil {
			return err
		}
	}
	var missing []string
	for _, g := range found {
		if g.State == consent.Missing && !g.Optional {
			missing = append(missing, g.Name)
		}
	}
	if a.flags.json {
		a.answer(jsonGranted(s.Connection().Name, app, given, found))
	} else {
		for _, g := range found {
			if g.Kind == consent.Part {
				continue // the sign-in has just worked
			}
			state, id := grantState(g)
			a.say(a.text("check.sign_"+state, nil) + " " + a.text("check."+id+".what", problem.Args{"grant": g.Name, "by": g.By}))
		}
	}
	if len(missing) > 0 {
		return problem.New(problem.Unfinished, problem.Args{"missing": strings.Join(missing, ", ")})
	}
	if !a.flags.json {
		a.say(a.text("grant.acts", applicationArgs(s, app, a)))
	}
	return nil
}

func applicationArgs(s *session.Session, app consent.Application, a *app) problem.Args {
	return problem.Args{
		"application": app.Name, "id": app.ID, "ends": a.words.Date(app.Ends), "connection": s.Connection().Name,
	}
}

// jsonGrant is a grant as --json shows it.
type jsonGrant struct {
	Name     string             `json:"name"`
	Kind     consent.GrantKind  `json:"kind"`
	Optional bool               `json:"optional"`
	State    consent.GrantState `json:"state"`
	Already  bool               `json:"already"`
}

type jsonGrants struct {
	Schema      int                 `json:"schema"`
	Connection  string              `json:"connection"`
	OK          bool                `json:"ok"`
	Application consent.Application `json:"application"`
	Given       []jsonGrant         `json:"given"`
	Grants      []jsonGrant         `json:"grants"`
}

func jsonGranted(connection string, app consent.Application, given []consent.Given, found []consent.Grant) jsonGrants {
	out := jsonGrants{Schema: schema, Connection: connection, OK: !app.Verified.IsZero(), Application: app, Given: []jsonGrant{}, Grants: []jsonGrant{}}
	for _, g := range given {
		out.Given = append(out.Given, jsonGrant{g.Name, g.Kind, g.Optional, g.State, g.Already})
	}
	for _, g := range found {
		out.Grants = append(out.Grants, jsonGrant{g.Name, g.Kind, g.Optional, g.State, false})
		if g.State == consent.Missing && !g.Optional {
			out.OK = false
		}
	}
	return out
}

// renew gives the application a new key and certificate.
func (a *app) renew(ctx context.Context, s *session.Session, d *session.Dedicated) error {
	app, err := d.Renew(ctx)
	if err != nil {
		return err
	}
	if a.flags.json {
		a.answer(jsonGranted(s.Connection().Name, app, nil, nil))
		return nil
	}
	a.say(a.text("grant.renewed", applicationArgs(s, app, a)))
	return nil
}

// certificateOut writes the public certificate of this machine's key, which is
// made if there is none.
func (a *app) certificateOut(ctx context.Context, s *session.Session, d *session.Dedicated, file string) error {
	app, err := d.Prepare(ctx)
	if err != nil {
		return err
	}
	key, err := s.Key(ctx)
	if err != nil {
		return err
	}
	if err := a.writeFile(ctx, file, func(w io.Writer) error { _, err := w.Write(key.PublicPEM()); return err }); err != nil {
		return err
	}
	if a.flags.json {
		a.answer(struct {
			Schema     int    `json:"schema"`
			File       string `json:"file"`
			Thumbprint string `json:"thumbprint"`
		}{schema, file, app.Thumbprint})
		return nil
	}
	a.say(a.text("grant.certificate_saved", problem.Args{"file": file}))
	return nil
}
