package step

import "github.com/hacsync/hacsync/tui/flow"

// For makes the screen of a step.
func For(s flow.Step, e *Env) Screen {
	switch s {
	case flow.SignIn:
		return newSignIn(e)
	case flow.DryRun:
		return newDryRun(e)
	case flow.Confirm:
		return newConfirm(e)
	case flow.Sync:
		return newSyncing(e)
	case flow.Preview:
		return NewPreview(e)
	case flow.Welcome, flow.Permissions, flow.Domain, flow.Grant, flow.Source, flow.Result:
	}
	return NewGeneral(e)
}
