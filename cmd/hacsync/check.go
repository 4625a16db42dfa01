package main

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/hacsync/hacsync/sync/consent"
	"github.com/hacsync/hacsync/sync/destination"
	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/message"
	"github.com/hacsync/hacsync/sync/problem"
)

// The states of something that was checked.
const (
	checkOK      = "ok"
	checkInfo    = "info"    // worth knowing
	checkWarning = "warning" // a sync goes on without it
	checkMissing = "missing" // a sync needs it
)

// checked is one thing that was looked at.
type checked struct {
	Name   string `json:"name"`
	State  string `json:"state"`
	What   string `json:"what"`
	Remedy string `json:"remedy"`
}

// clockTolerance is how far this machine's clock may be from Microsoft's
// before sign-ins by certificate fail: five minutes (AADSTS700024).
const clockTolerance = 5 * time.Minute

func (a *app) checkCommand() *cobra.Command {
	c := a.command("check", "check [DOMAIN]", func(ctx context.Context, args []string) error {
		s, err := a.open(ctx)
		if err != nil {
			return err
		}
		defer s.close()
		found, err := a.check(ctx, s, args)
		if err != nil {
			return err
		}
		missing := []string{}
		for _, f := range found {
			if f.State == checkMissing {
				missing = append(missing, f.Name)
			}
		}
		if a.flags.json {
			a.answer(struct {
				Schema     int       `json:"schema"`
				Connection string    `json:"connection"`
				OK         bool      `json:"ok"`
				Checks     []checked `json:"checks"`
			}{schema, s.connection.Name, len(missing) == 0, found})
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

// check looks at the connection, and at a domain where one is named.
func (a *app) check(ctx context.Context, s *session, args []string) ([]checked, error) {
	var found []checked
	add := func(name, state, id string, args problem.Args) {
		f := checked{Name: name, State: state, What: a.text("check."+id+".what", args)}
		if a.words.Has("cmd.check." + id + ".remedy") {
			f.Remedy = a.text("check."+id+".remedy", args)
		}
		found = append(found, f)
	}
	tenant, err := s.runner.Destination.Tenant(ctx)
	if err != nil {
		return nil, err
	}
	add("sign-in", checkOK, "signin", problem.Args{
		"account": s.connection.Account, "tenant": tenant.Name, "initial": tenant.Initial,
	})
	add("sealing", checkOK, "sealing", problem.Args{"how": s.sealing})
	if tenant.OnPremisesSync {
		add("two-masters", checkWarning, "two_masters", problem.Args{"tenant": tenant.Name})
	}
	if err := a.checkClock(ctx, s, add); err != nil {
		return nil, err
	}
	grants, err := s.grants.Check(ctx)
	if err != nil {
		return nil, err
	}
	for _, g := range grants {
		state, id := grantState(g)
		add(g.Name, state, id, problem.Args{"grant": g.Name, "by": g.By})
	}
	if len(args) == 0 {
		return found, nil
	}
	pre, err := s.runner.Precheck(ctx, args[0])
	if err != nil {
		return nil, err
	}
	checkObjects(pre, add)
	return found, nil
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

// checkClock compares the clocks by a read of the account that signed in.
func (a *app) checkClock(ctx context.Context, s *session, add func(name, state, id string, args problem.Args)) error {
	if s.connection.Simulated() && s.connection.Speed != 1 {
		return nil // a clock that runs faster is not this machine's
	}
	now, err := s.runner.Destination.Look(ctx, []directory.Ref{{UPN: s.connection.Account}}, nil)
	if err != nil {
		return err
	}
	for _, sighting := range now {
		if sighting.ServerTime.IsZero() {
			continue
		}
		off := s.runner.Clock.Now().Sub(sighting.ServerTime)
		state, id := checkOK, "clock_ok"
		if off.Abs() > clockTolerance {
			state, id = checkWarning, "clock_off"
		}
		add("clock", state, id, problem.Args{"off": a.words.Duration(off.Abs())})
		break
	}
	return nil
}

// checkObjects lists what stands in a domain beside people.
func checkObjects(pre *destination.Precheck, add func(name, state, id string, args problem.Args)) {
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
		add(k.id, checkInfo, "objects_"+k.id, problem.Args{
			"domain": domain, "n": strconv.Itoa(len(k.upns)), "names": strings.Join(names, ", ") + more,
		})
	}
	if pre.Guessed {
		add("mailbox-kinds", checkInfo, "guessed", problem.Args{"domain": domain})
	}
	if none {
		add("objects", checkOK, "objects_none", problem.Args{"domain": domain})
	}
}
