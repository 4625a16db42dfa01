package run

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/progress"
)

// kindsOfMailboxes reads once more the kind of the mailbox of each account that
// an action names, and adds it to the account's marks: the mailbox of a person who
// leaves is often made a shared one, and this may happen after the dry run.
func (s *syncing) kindsOfMailboxes(ctx context.Context, sightings []directory.Sighting) error {
	named := map[directory.ID]bool{}
	for no, a := range s.actions {
		if a.id != "" && !s.started(no) {
			named[a.id] = true
		}
	}
	var ids []directory.ID
	for i := range sightings {
		if g := &sightings[i]; g.Presence == directory.Live && named[g.Record.ID] {
			ids = append(ids, g.Record.ID)
			delete(named, g.Record.ID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	kinds, err := s.r.Destination.Purposes(ctx, ids, s.r.sink())
	if err != nil {
		return err
	}
	asked := make(map[directory.ID]bool, len(ids))
	for _, id := range ids {
		asked[id] = true
	}
	for i := range sightings {
		if r := &sightings[i].Record; asked[r.ID] {
			r.Marks |= mailboxOf(kinds, r.ID)
		}
	}
	return nil
}

// mailboxOf is the kind of a mailbox. A kind that was not answered is unknown, which
// protects the account.
func mailboxOf(kinds map[directory.ID]directory.Marks, id directory.ID) directory.Marks {
	if m := kinds[id] & directory.Purposes; m != 0 {
		return m
	}
	return directory.PurposeUnknown
}

// protectedNow returns, by row, why accounts among the deletions are protected now.
// It reads the kind of the mailbox again, and what users have set since: deletions
// come last, and a sync may run for hours.
func (s *syncing) protectedNow(
	ctx context.Context, steps []plan.Step, found map[directory.ID][]directory.Sighting,
) (map[int]*problem.Problem, error) {
	marks := map[int]directory.Marks{}
	var ids []directory.ID
	for _, step := range steps {
		if step.Verb != plan.DeleteUser {
			continue
		}
		if live, _ := sorted(found[s.objectID(step)]); live != nil {
			marks[step.Action] = live.Marks
			ids = append(ids, live.ID)
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	var spared func(plan.Kind, string, directory.Ref) *problem.Problem
	err := s.onceBack(ctx, func() (err error) {
		if err = s.settingsStand(ctx); err == nil {
			spared, _, err = s.spared(ctx)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	kinds, err := s.r.Destination.Purposes(ctx, ids, progress.Discard)
	if err != nil {
		return nil, err
	}
	why := map[int]*problem.Problem{}
	for _, step := range steps {
		m, ok := marks[step.Action]
		if !ok {
			continue
		}
		if code := s.plan.ProtectedAtSending(step.Action, m|mailboxOf(kinds, s.objectID(step))); code != "" {
			why[step.Action] = problem.New(code, s.aboutRow(step.Object.UPN))
			continue
		}
		if p := spared(plan.Delete, step.Object.UPN, step.Object); p != nil {
			why[step.Action] = p
		}
	}
	return why, nil
}

// aboutRow returns the arguments that the text of every skip may use.
func (s *syncing) aboutRow(upn string) problem.Args {
	return problem.Args{"upn": upn, "name": "", "line": "", "domain": s.run.Domain, "initial": ""}
}

// sparedSince returns the rows of the plan whose accounts a user has protected or left
// out since the plan was made: the plan was approved without that knowledge.
func (s *syncing) sparedSince(ctx context.Context) ([]plan.Drifted, error) {
	spared, decided, err := s.spared(ctx)
	if err != nil {
		return nil, err
	}
	var all []plan.Drifted
	for a := range s.plan.Actions() {
		why := spared(a.Kind, a.UPN, a.User)
		for _, c := range overwrites(&a) {
			if why == nil && slices.ContainsFunc(decided, func(d plan.Decision) bool {
				return d.Kind == plan.LeaveOutAttribute && d.Attribute == c.Attribute
			}) {
				args := s.aboutRow(a.UPN)
				args["attribute"] = string(c.Attribute)
				why = problem.New(problem.LeftOutAttribute, args)
			}
		}
		if why != nil {
			all = append(all, plan.Drifted{No: a.No, Kind: a.Kind, UPN: a.UPN, Where: directory.Destination, Why: why})
		}
	}
	return all, nil
}

// spared returns a function that says why an account, with the UPN that it will have,
// must not be touched now: it is on the list of protected accounts, or left out. decided
// are the decisions that the plan has to obey by now.
func (s *syncing) spared(ctx context.Context) (
	why func(kind plan.Kind, upn string, user directory.Ref) *problem.Problem, decided []plan.Decision, err error,
) {
	settings, err := s.r.settings(ctx, s.run.Domain)
	if err != nil {
		return nil, nil, err
	}
	if s.plan.Undoes() == 0 { // an undo was reviewed with what is left out
		if decided, err = s.r.decisions(ctx, s.run.Domain); err != nil {
			return nil, nil, err
		}
	}
	spared := plan.NewSpared(settings.Policy.Protected, decided)
	return func(kind plan.Kind, upn string, user directory.Ref) *problem.Problem {
		code, more := spared.Why(kind, user, upn)
		if code == "" {
			return nil
		}
		args := s.aboutRow(upn)
		maps.Copy(args, more)
		return problem.New(code, args)
	}, decided, nil
}

// A state that does not answer is asked again every statePause, for stateWait in all,
// which is as long as the claim waits for it.
const (
	stateWait  = 2 * time.Minute
	statePause = 5 * time.Second
)

// onceBack repeats f, which reads the state, while the state's server is away for a
// moment: this does not stop a sync that has begun to write.
func (s *syncing) onceBack(ctx context.Context, f func() error) error {
	for start := s.r.Clock.Now(); ; {
		err := f()
		if !problem.Has(err, problem.StateUnreachable) || s.r.Clock.Now().Sub(start) >= stateWait {
			return err
		}
		if s.r.Clock.Sleep(ctx, statePause) != nil {
			return err
		}
	}
}
