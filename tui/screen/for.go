package screen

import (
	"github.com/hacsync/hacsync/tui/flow"
	"github.com/hacsync/hacsync/tui/words"
)

// interrupted reports whether a sign-in is shown in place of a step: it has a screen of
// its own, as at the first step.
func interrupted(v flow.View) bool {
	if v.Step == flow.SignIn || v.Step == flow.Grant || v.Step == flow.Sync {
		return false
	}
	for _, b := range v.Blocks {
		if _, ok := b.(words.CodeCard); ok {
			return true
		}
	}
	return false
}

// screenFor makes the screen of a step.
func screenFor(s flow.Step, e *env) screen {
	switch s {
	case flow.SignIn, flow.Grant:
		return newGrant(e)
	case flow.DryRun:
		return newDryRun(e)
	case flow.Confirm:
		return newConfirm(e)
	case flow.Sync:
		return newSyncing(e)
	case flow.Preview:
		return newPreview(e)
	case flow.Home, flow.Logs, flow.Settings:
		return newChooser(e)
	case flow.Periodic, flow.Workers:
	case flow.Welcome, flow.Permissions, flow.Domain, flow.Source, flow.Result:
	}
	return newGeneral(e)
}
