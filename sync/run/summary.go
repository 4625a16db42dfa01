package run

import (
	"encoding/json"
	"time"

	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/state"
)

// Summary is what the sync log keeps of a run, in addition to its state.
type Summary struct {
	Counts  *plan.Counts  `json:"counts,omitempty"`
	Verdict *plan.Verdict `json:"verdict,omitempty"`
	// SourceTotal and UsersTotal are the sizes of both sides in all domains: the
	// next run is compared with them.
	SourceTotal int `json:"source_total,omitempty"`
	UsersTotal  int `json:"users_total,omitempty"`
	// SourceUsable are the distinct usable rows of the domain: the size of a source
	// by which the next read is judged.
	SourceUsable int `json:"source_usable,omitempty"`
	// Count is what HAC said it has, 0 unanswered.
	Count     int  `json:"count,omitempty"`
	Confirmed bool `json:"confirmed,omitempty"`
	// Skips are the rows left as they are, by the code of their reason; Held are
	// those among them that wait for a reviewer. Warnings are those of the plan as
	// a whole.
	Skips    map[problem.Code]int `json:"skips,omitempty"`
	Held     int                  `json:"held,omitempty"`
	Warnings []*problem.Stored    `json:"warnings,omitempty"`
	// Took is how long the run took, by one clock; of a resumed run its last part.
	Took time.Duration `json:"took,omitempty"`
	// Sync: what became of the rows, and why rows were not seen done, by code.
	Planned    int `json:"planned,omitempty"`
	Sent       int `json:"sent,omitempty"`
	Seen       int `json:"seen,omitempty"`
	Failed     int `json:"failed,omitempty"`
	NotTried   int `json:"not_tried,omitempty"`
	NotYetSeen int `json:"not_yet_seen,omitempty"`
	// Gained is how many accounts more the domain has since.
	Gained int                  `json:"gained,omitempty"`
	Paused time.Duration        `json:"paused,omitempty"`
	Causes map[problem.Code]int `json:"causes,omitempty"`
	// Approval is what a user approved, for resuming.
	RaiseOnce   bool `json:"raise_once,omitempty"`
	SkipDrifted bool `json:"skip_drifted,omitempty"`
	// Problem is why the run ended as it did.
	Problem *problem.Stored `json:"problem,omitempty"`
}

// SummaryOf reads a run's summary; one that cannot be read is empty.
func SummaryOf(r state.Run) Summary { return summaryOf(r) }

func summaryOf(r state.Run) Summary {
	var s Summary
	if len(r.Summary) > 0 {
		_ = json.Unmarshal(r.Summary, &s)
	}
	return s
}

// planned keeps what a plan says of itself.
func (s *Summary) planned(p *plan.Plan) {
	counts, verdict := p.Counts(), p.Verdict()
	s.Counts, s.Verdict = &counts, &verdict
	s.Skips, s.Held = skipsOf(p)
	s.Warnings = nil
	for _, w := range p.Warnings() {
		s.Warnings = append(s.Warnings, w.Store())
	}
}

// skipsOf counts the rows that a plan leaves as they are, and those that wait for
// a reviewer.
func skipsOf(p *plan.Plan) (byCode map[problem.Code]int, held int) {
	for s := range p.Skips() {
		if byCode == nil {
			byCode = map[problem.Code]int{}
		}
		byCode[s.Why.Code]++
		if s.Held() {
			held++
		}
	}
	return byCode, held
}

// became keeps what became of the rows.
func (s *Summary) became(rep *Report) {
	s.Planned, s.Sent, s.Seen, s.Failed = rep.Planned, rep.Sent, rep.Seen, rep.Failed
	s.NotTried, s.NotYetSeen, s.Paused, s.Causes = rep.NotTried, rep.NotYetSeen, rep.Paused, rep.Causes
	s.Gained = rep.gained
	s.Took = rep.Took
}

func (s Summary) json() json.RawMessage { return encoded(s) }
