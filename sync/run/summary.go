package run

import (
	"encoding/json"
	"time"

	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/state"
)

// Summary is what the sync log keeps of a run beside its state.
type Summary struct {
	Counts  *plan.Counts  `json:"counts,omitempty"`
	Verdict *plan.Verdict `json:"verdict,omitempty"`
	// SourceTotal and UsersTotal are what both sides held in all domains: the
	// next run is measured by them.
	SourceTotal int `json:"source_total,omitempty"`
	UsersTotal  int `json:"users_total,omitempty"`
	// Count is what HAC said it has, 0 unanswered.
	Count     int  `json:"count,omitempty"`
	Confirmed bool `json:"confirmed,omitempty"`
	// Sync: what became of the rows.
	Planned    int           `json:"planned,omitempty"`
	Seen       int           `json:"seen,omitempty"`
	Failed     int           `json:"failed,omitempty"`
	NotTried   int           `json:"not_tried,omitempty"`
	NotYetSeen int           `json:"not_yet_seen,omitempty"`
	Paused     time.Duration `json:"paused,omitempty"`
	// Approval is what a person approved, for resuming.
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

func (s Summary) json() json.RawMessage { return encoded(s) }
