package run

import (
	"time"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/state"
)

// Approval is what a user approved.
type Approval struct {
	Fingerprint plan.Fingerprint // of the approved plan
	By, Note    string
	// RaiseOnce lets this very plan pass the guard once.
	RaiseOnce bool
	// SkipDrifted leaves drifted rows out instead of refusing the sync.
	SkipDrifted bool
	// Lasting are decisions to keep: rows left out always.
	Lasting    []plan.Decision
	Unattended bool
}

// Report is what a sync did. It says done only of what was seen.
type Report struct {
	Run   int64
	State state.RunState
	Plan  *plan.Plan
	// The sums of all rows: Planned = Seen + Failed + NotTried + NotYetSeen.
	Planned, Sent, Seen, Failed, NotTried, NotYetSeen int

	ByKind map[plan.Kind]Tally
	// Rows are those that were not seen done, in order of row number.
	Rows []RowResult
	// Outcome has the outcome of every row of the plan.
	Outcome map[int]string
	// Drifted is why the sync was refused, or what was left out.
	Drifted        []plan.Drifted
	Started, Ended time.Time
	Paused         time.Duration // waited because the destination asked
	Took           time.Duration // of a resumed run its last part
	// Skips are the rows left as they are by code, Held those among them that wait
	// for a reviewer; Causes say why rows were not seen done, by code.
	Skips, Causes map[problem.Code]int
	Held          int
	// NewIDs are the object IDs of accounts that were added, by row number.
	NewIDs map[int]string
	// gained is how many accounts more the domain has, as far as it was seen.
	gained int
}

// Tally are the sums of one kind.
type Tally struct{ Planned, Sent, Seen, Failed int }

// RowResult is a row that was not seen done.
type RowResult struct {
	No      int
	Kind    plan.Kind
	UPN     string
	Outcome string
	Why     *problem.Problem
}

// Outcomes of rows, in Report.Outcome and in --json.
const (
	OutcomeSeen       = "seen"         // read back and equal
	OutcomeFailed     = "failed"       // refused, or in conflict
	OutcomeDifferent  = "different"    // read back different after the lag window
	OutcomeNotYetSeen = "not_yet_seen" // sent, not yet shown by the destination
	OutcomeNotTried   = "not_tried"    // nothing was sent
)

// result sums up the rows as they are now.
func (s *syncing) result(end state.RunState) *Report {
	s.mu.Lock()
	defer s.mu.Unlock()
	rep := &Report{
		Run: s.run.No, State: end, Plan: s.plan, Planned: len(s.actions),
		ByKind: map[plan.Kind]Tally{}, Outcome: make(map[int]string, len(s.actions)),
		NewIDs: map[int]string{}, Drifted: s.drifted,
		Started: s.run.Started, Ended: s.r.Clock.Now(), Paused: s.paused,
		Causes: map[problem.Code]int{},
	}
	rep.Took = rep.Ended.Sub(s.begun)
	rep.Skips, rep.Held = skipsOf(s.plan)
	for a := range s.plan.Actions() {
		st := s.actions[a.No]
		t := rep.ByKind[a.Kind]
		t.Planned++
		if st.sent {
			rep.Sent++
			t.Sent++
		}
		outcome := st.outcome
		if outcome == "" {
			outcome = OutcomeNotTried
			if st.sent {
				outcome = OutcomeNotYetSeen
			}
		}
		rep.Outcome[a.No] = outcome
		switch outcome {
		case OutcomeSeen:
			rep.Seen++
			t.Seen++
		case OutcomeFailed, OutcomeDifferent:
			rep.Failed++
			t.Failed++
		case OutcomeNotYetSeen:
			rep.NotYetSeen++
		default:
			rep.NotTried++
		}
		rep.ByKind[a.Kind] = t
		if a.Kind == plan.Add && st.id != "" {
			rep.NewIDs[a.No] = string(st.id)
		}
		if outcome == OutcomeSeen {
			rep.gained += gained(&a, s.run.Domain)
			continue
		}
		why := st.why
		if why == nil {
			code := problem.RowNotTried
			if outcome == OutcomeNotYetSeen {
				code = problem.RowNotYetSeen
			}
			why = problem.New(code, problem.Args{"upn": a.UPN})
		}
		rep.Causes[why.Code]++
		rep.Rows = append(rep.Rows, RowResult{No: a.No, Kind: a.Kind, UPN: a.UPN, Outcome: outcome, Why: why})
	}
	return rep
}

// gained is how many accounts more a domain has by a row: 1, 0 or -1.
func gained(a *plan.Action, domain string) int {
	n := 0
	if a.Kind != plan.Delete && directory.InDomain(a.UPN, domain) {
		n++
	}
	if a.Kind != plan.Add && a.Kind != plan.Restore && directory.InDomain(a.User.UPN, domain) {
		n--
	}
	return n
}
