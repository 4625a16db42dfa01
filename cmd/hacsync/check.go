package main

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/hacsync/hacsync/cmd/hacsync/session"
	"github.com/hacsync/hacsync/sync/consent"
	"github.com/hacsync/hacsync/sync/destination"
	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/message"
	"github.com/hacsync/hacsync/sync/periodic"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/secret"
)

// The states of something that was checked.
const (
	checkOK      = "ok"
	checkInfo    = "info"    // worth knowing
	checkWarning = "warning" // a sync goes on without it
	checkMissing = "missing" // a sync needs it
)

// checked is one thing that was checked.
type checked struct {
	Name   string       `json:"name"`
	State  string       `json:"state"`
	What   string       `json:"what"`
	Remedy string       `json:"remedy"`
	Code   problem.Code `json:"code,omitempty"` // of a problem
}

// clockTolerance is how far this machine's clock may be from Microsoft's
// before sign-ins by certificate fail: five minutes (AADSTS700024).
const clockTolerance = 5 * time.Minute

func (a *app) checkCommand() *cobra.Command {
	c := a.command("check", "check [DOMAIN]", func(ctx context.Context, args []string) error {
		a.quiet = true // it asks the user nothing
		found, connection, err := a.check(ctx, args)
		if err != nil {
			return err
		}
		missing := []string{}
		for _, f := range found {
			if f.State == checkMissing {
				missing = append(missing, a.checkName(f.Name))
			}
		}
		if a.flags.json {
			a.answer(struct {
				Schema     int       `json:"schema"`
				Connection string    `json:"connection"`
				OK         bool      `json:"ok"`
				Checks     []checked `json:"checks"`
			}{schema, connection, len(missing) == 0, found})
		} else {
			for _, f := range found {
				a.say(a.text("check.sign_"+f.State, nil) + " " + f.What)
				if f.Remedy != "" {
					a.say("     " + f.Remedy)
				}
			}
		}
		if len(missing) > 0 {
			return problem.New(problem.Unfinished, problem.Args{"missing": strings.Join(missing, ", ")})
		}
		return nil
	})
	c.Args = a.takes("[DOMAIN]")
	return c
}

// findings are the checks so far.
type findings struct {
	app   *app
	found []checked
}

// checkName is the name of a check in words. What Microsoft names, such as a
// permission, has none of ours.
func (a *app) checkName(name string) string {
	if id := "check.name." + name; a.words.Has("cmd." + id) {
		return a.text(id, nil)
	}
	return name
}

// add adds a finding in the words of cmd.check.<id>.
func (f *findings) add(name, state, id string, args problem.Args) {
	c := checked{Name: name, State: state, What: f.app.text("check."+id+".what", args)}
	if f.app.words.Has("cmd.check." + id + ".remedy") {
		c.Remedy = f.app.text("check."+id+".remedy", args)
	}
	f.found = append(f.found, c)
}

// trouble adds a problem with which a sync would end. It returns other errors, and
// an interruption.
func (f *findings) trouble(ctx context.Context, name string, err error) error {
	if ctx.Err() != nil || problem.Of(err) == nil {
		return err
	}
	w := f.app.words.Problem(err)
	f.found = append(f.found, checked{Name: name, State: checkMissing, What: w.What, Remedy: w.Remedy, Code: w.Code})
	return nil
}

// check checks the saved data, the tenant with the user or application that acts
// for the connection, and a domain if one is named. It ends at a problem that makes
// the other checks impossible.
func (a *app) check(ctx context.Context, args []string) (found []checked, connection string, err error) {
	f := &findings{app: a}
	saved, err := a.env().Open(ctx, session.Want{Connection: true})
	if err != nil {
		return nil, "", err
	}
	defer saved.Close()
	c := saved.Connection()
	if ok, err := a.checkSaved(ctx, saved, f); err != nil || !ok {
		return f.found, c.Name, err
	}
	a.checkApplication(c, f)
	if err := a.checkNotices(ctx, saved.Store, c, f); err != nil {
		return f.found, c.Name, err
	}
	s, err := a.open(ctx)
	if err != nil {
		return f.found, c.Name, f.trouble(ctx, "sign-in", err)
	}
	defer s.Close()
	tenant, err := s.Runner.Destination.Tenant(ctx)
	if err != nil {
		return f.found, c.Name, f.trouble(ctx, "sign-in", err)
	}
	signedIn := problem.Args{"account": c.Account, "tenant": c.TenantName, "initial": c.Initial}
	if app := s.Application(); app != nil {
		signedIn["application"] = app.Name
	}
	f.add("sign-in", checkOK, "signin", signedIn)
	if tenant.OnPremisesSync {
		f.add("two-masters", checkWarning, "two_masters", problem.Args{"tenant": c.TenantName})
	}
	if err := a.checkClock(ctx, s, f); err != nil {
		return f.found, c.Name, f.trouble(ctx, "clock", err)
	}
	grants, err := s.Grants().Check(ctx)
	if err != nil {
		return f.found, c.Name, f.trouble(ctx, "grants", err)
	}
	for _, g := range grants {
		state, id := grantState(g)
		f.add(g.Name, state, id, problem.Args{"grant": g.Name, "by": g.By})
	}
	if len(args) == 0 {
		return f.found, c.Name, nil
	}
	pre, err := s.Runner.Precheck(ctx, args[0])
	if err != nil {
		return f.found, c.Name, f.trouble(ctx, "domain", err)
	}
	checkObjects(pre, f)
	return f.found, c.Name, nil
}

// checkSaved opens every sealed row of the connection, and reports what it was
// sealed with, and whether that key is available.
func (a *app) checkSaved(ctx context.Context, s *session.Session, f *findings) (bool, error) {
	if err := s.ChooseKey(ctx); err != nil {
		return false, f.trouble(ctx, "saved-data", err)
	}
	c := s.Connection()
	mark, _, err := secret.ReadMark(ctx, s.Store, c.Name)
	if err != nil {
		return false, f.trouble(ctx, "saved-data", err)
	}
	for _, name := range []string{secret.Tokens, secret.Certificate, secret.HAC} {
		plain, err := s.Row(name).Load(ctx)
		if err != nil {
			return false, f.trouble(ctx, "saved-data", err)
		}
		needed := name == secret.Tokens && c.Account != "" && !c.Acts() || name == secret.Certificate && c.Acts()
		if needed && plain == nil {
			f.add("saved-data", checkMissing, "saved_lost", problem.Args{"connection": c.Name})
			return false, nil
		}
	}
	f.add("sealing", checkOK, "sealing", problem.Args{"how": a.sealedWith(mark)})
	return true, nil
}

// checkApplication reports what is known of the dedicated application: whether it
// acts, and how long its certificate is valid.
func (a *app) checkApplication(c consent.Connection, f *findings) {
	app := c.Application
	if app == nil {
		return
	}
	now := a.clockAt(c.Speed).Now()
	args := problem.Args{
		"application": app.Name, "time": a.words.Time(app.Ends), "days": strconv.Itoa(daysUntil(app.Ends, now)),
		"connection": c.Name,
	}
	if !c.Acts() {
		f.add("application", checkInfo, "application_waits", args)
	}
	switch left := app.Ends.Sub(now); {
	case left <= 0 && c.Acts():
		f.add("certificate", checkMissing, "certificate_over", args)
	case left <= 0:
		f.add("certificate", checkWarning, "certificate_over", args)
	case left < periodic.EndsSoon:
		f.add("certificate", checkWarning, "certificate_soon", args)
	default:
		f.add("certificate", checkOK, "certificate_ok", args)
	}
}

func grantState(g consent.Grant) (state, id string) {
	switch g.State {
	case consent.Granted:
		return checkOK, "grant_ok"
	case consent.Later:
		return checkInfo, "grant_later"
	case consent.CantTell:
		return checkWarning, "grant_unknown"
	case consent.Missing:
	}
	if g.Optional || g.When == consent.ForPeriodic {
		return checkInfo, "grant_optional"
	}
	return checkMissing, "grant_missing"
}

// checkClock compares the clocks by a read of the account that signed in; if an
// application acts, by a read of one that does not exist: any answer has the time.
func (a *app) checkClock(ctx context.Context, s *session.Session, f *findings) error {
	c := s.Connection()
	if c.Simulated() && c.Speed != 1 {
		return nil // a clock that runs faster cannot be compared
	}
	who := directory.Ref{UPN: c.Account}
	if who.UPN == "" {
		who.UPN = "hacsync-clock@" + c.Initial
	}
	now, err := s.Runner.Destination.Look(ctx, []directory.Ref{who}, nil, destination.WithoutRoles)
	if err != nil {
		return err
	}
	for _, sighting := range now {
		if sighting.ServerTime.IsZero() {
			continue
		}
		off := s.Runner.Clock.Now().Sub(sighting.ServerTime)
		state, id := checkOK, "clock_ok"
		if off.Abs() > clockTolerance {
			state, id = checkWarning, "clock_off"
		}
		f.add("clock", state, id, problem.Args{"off": a.words.Duration(off.Abs())})
		break
	}
	return nil
}

// checkObjects lists what a domain contains other than people.
func checkObjects(pre *destination.Precheck, f *findings) {
	domain := pre.Domain.Name
	kinds := []struct {
		id   string
		upns []string
	}{
		{"shared", pre.Shared},
		{"rooms", pre.Rooms},
		{"things", pre.Things},
		{"synced", pre.Synced},
		{"admins", pre.Admins},
		{"answering", pre.Answering},
		{"groups", pre.Groups},
		{"apps", pre.Apps},
	}
	none := true
	for _, k := range kinds {
		if len(k.upns) == 0 {
			continue
		}
		none = false
		names := k.upns
		more := ""
		if len(names) > 5 {
			names, more = names[:5], ", .."
		}
		for i := range names {
			names[i] = message.Clean(names[i])
		}
		f.add(k.id, checkInfo, "objects_"+k.id, problem.Args{
			"domain": domain, "n": strconv.Itoa(len(k.upns)), "names": strings.Join(names, ", ") + more,
		})
	}
	if pre.Guessed {
		f.add("mailbox-kinds", checkInfo, "guessed", problem.Args{"domain": domain})
	}
	for _, note := range pre.Notes {
		w := f.app.words.Problem(note)
		f.found = append(f.found, checked{Name: "protection", State: checkWarning, What: w.What, Remedy: w.Remedy, Code: w.Code})
	}
	if none {
		f.add("objects", checkOK, "objects_none", problem.Args{"domain": domain})
	}
}
