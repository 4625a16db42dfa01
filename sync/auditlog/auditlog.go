// Package auditlog writes a plan for users and programs outside of hacsync: as CSV
// for spreadsheets and scripts, and as one HTML page to read, keep or send. Start
// with Report, CSV and HTML.
//
// The same rows serve a dry run (what would happen) and a sync (the outcome): then
// Outcomes are set. A row's No is the plan's and the same on every screen.
package auditlog

import (
	"iter"
	"time"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/problem"
)

// Plan is what an audit log needs of a *plan.Plan.
type Plan interface {
	Domain() string
	Policy() plan.Policy
	Source() directory.About
	Confirmed() bool
	Counts() plan.Counts
	Verdict() plan.Verdict
	Fingerprint() plan.Fingerprint
	Warnings() []*problem.Problem
	Actions() iter.Seq[plan.Action]
	Skips() iter.Seq[plan.Skipped]
	Questions() iter.Seq2[int, *plan.Question]
}

// Report is the content of an audit log.
type Report struct {
	Plan Plan
	// Run is the number of the dry run or sync, and At when it began; zero if they
	// are not known.
	Run int64
	At  time.Time
	// Outcomes are those of a sync by row number (run.Report.Outcome); nil for a
	// dry run. Why has more about rows that were not seen done.
	Outcomes map[int]string
	Why      map[int]*problem.Problem
}

// attributes returns those with columns of their own: what the policy writes, then
// the sign-in block.
func (r Report) attributes() []directory.Attribute {
	all := r.Plan.Policy().Attributes
	for _, a := range all {
		if a == directory.AccountEnabled {
			return all
		}
	}
	return append(all[:len(all):len(all)], directory.AccountEnabled)
}

// verdict returns the guard's verdict as one word.
func (r Report) verdict() string {
	switch v := r.Plan.Verdict(); {
	case !v.Cancelled:
		return "passes"
	case r.Outcomes != nil:
		return "cancels"
	default:
		return "would cancel"
	}
}
