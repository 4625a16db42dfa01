package plan

import "github.com/hacsync/hacsync/sync/directory"

// how is what the steps of an action are made from, in addition to its changes.
type how struct {
	// temporary is the UPN that breaks a cycle, empty for none; last are the
	// actions that the final UPN then waits for.
	temporary string
	last      []int
	// enters: the account enters a federated domain, which takes its UPN only
	// together with an immutable ID.
	enters bool
	// resets: the account leaves a federated domain and gets a password.
	resets bool
	// federated: the account is added to a federated domain, where users do not change a
	// password at the first sign-in.
	federated bool
	// newUPN: the account is restored under another UPN.
	newUPN bool
	// missing: the account is blocked because its person is absent. paid: a
	// deletion that counted with the guard when the account was blocked.
	missing, paid bool
	// with is the addition that takes the UPN of this deletion: either both are made or
	// neither.
	with int
	// made are the values that an account must still have to be deleted by an
	// undo, because we wrote them; unlicensed: it must have no licence either.
	made       []Change
	unlicensed bool
}

// id is the immutable ID that the account has or gets.
func (a *Action) id() string {
	for _, c := range a.Changes {
		if c.Attribute == directory.ImmutableID {
			return c.New.Text
		}
	}
	return a.User.ImmutableID
}

// change is the change of an attribute.
func (a *Action) change(at directory.Attribute) (Change, bool) {
	for _, c := range a.Changes {
		if c.Attribute == at {
			return c, true
		}
	}
	return Change{}, false
}

// finish sets what follows from kind, changes and how: steps and flags.
func (a *Action) finish() {
	a.Steps = a.steps()
	a.SignIn, a.Blocks = a.Kind == Rename, false
	for _, c := range a.Changes {
		switch c.Attribute {
		case directory.ImmutableID:
			a.SignIn = a.SignIn || a.Kind == Update
		case directory.AccountEnabled:
			a.SignIn = a.SignIn || a.Kind == Update
			a.Blocks = c.New.Text == "false" && (a.Kind == Update || a.Kind == Rename)
		}
	}
}

// watched reports whether the action counts against the limit of changes of unattended
// runs.
func (a *Action) watched() bool {
	if a.Kind != Rename && a.Kind != Update {
		return false
	}
	if a.Kind == Rename {
		return true
	}
	for _, c := range a.Changes {
		if c.Attribute == directory.ImmutableID || c.Clears() {
			return true
		}
	}
	return false
}

func (a *Action) steps() []Step {
	var steps []Step
	add := func(v Verb, set ...Change) *Step {
		steps = append(steps, Step{Action: a.No, Step: len(steps), Verb: v, Object: a.User, Set: set})
		return &steps[len(steps)-1]
	}
	switch a.Kind {
	case Delete:
		s := add(DeleteUser)
		s.Still, s.Unlicensed, s.Counted = a.how.made, a.how.unlicensed, a.how.paid
		if a.how.with != 0 && len(a.how.made) == 0 {
			add(RestoreUser).Unless = a.how.with
		}
		return steps
	case Add:
		s := add(Create, a.Changes...)
		s.Object = directory.Ref{UPN: a.UPN, ImmutableID: a.id()}
		s.Password, s.ForceChange = true, !a.how.federated
		return steps
	case Restore:
		s := add(RestoreUser)
		if a.how.newUPN {
			upn, _ := a.change(directory.UserPrincipalName)
			s.Set = []Change{upn}
		}
	case Rename:
		upn, _ := a.change(directory.UserPrincipalName)
		if a.how.temporary != "" {
			over := directory.Text(a.how.temporary)
			add(PatchUPN, Change{directory.UserPrincipalName, upn.Old, over})
			upn.Old = over
		}
		s := add(PatchUPN, upn)
		s.After = a.how.last
		if a.how.enters {
			id, ok := a.change(directory.ImmutableID)
			if !ok {
				v := directory.Text(a.User.ImmutableID)
				id = Change{directory.ImmutableID, v, v}
			}
			s.Set = append(s.Set, id)
		}
		if a.how.resets {
			s := add(Patch)
			s.Password, s.ForceChange = true, true
		}
	case Update:
	}
	var values, block []Change
	for _, c := range a.Changes {
		switch {
		case c.Attribute == directory.UserPrincipalName,
			c.Attribute == directory.ImmutableID && a.how.enters:
		case c.Attribute == directory.AccountEnabled && c.New.Text == "false" && a.Kind != Restore:
			block = append(block, c)
		default:
			values = append(values, c)
		}
	}
	if len(values) > 0 {
		add(Patch, values...)
	}
	if len(block) > 0 {
		add(Patch, block...)
	}
	return steps
}

// blocks reports whether a step blocks a sign-in.
func (s *Step) blocks() bool {
	return s.Verb == Patch && len(s.Set) == 1 &&
		s.Set[0].Attribute == directory.AccountEnabled && s.Set[0].New.Text == "false"
}
