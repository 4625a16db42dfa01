package main

import (
	"encoding/json"
	"math"

	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/run"
	"github.com/hacsync/hacsync/sync/state"
)

// jsonRun is a line of the sync log as an object: the run, and its summary with the
// names that all of --json uses.
type jsonRun struct {
	state.Run
	Summary     *struct{}            `json:"summary,omitempty"` // hides the one below
	Took        float64              `json:"seconds"`
	Paused      float64              `json:"throttled_seconds"`
	Counts      *jsonCounts          `json:"counts"`
	Skips       map[problem.Code]int `json:"skips"`
	Outcomes    *jsonOutcomes        `json:"outcomes"`
	Causes      map[problem.Code]int `json:"causes"`
	Verdict     *jsonJudgement       `json:"verdict"`
	Error       *jsonCause           `json:"error"`
	SourceTotal int                  `json:"source_total"`
	UsersTotal  int                  `json:"users_total"`
}

// The parts of a jsonRun.
type (
	jsonCounts struct {
		SourceUsers      int `json:"source_users"`
		DestinationUsers int `json:"destination_users"`
		Add              int `json:"add"`
		Update           int `json:"update"`
		Rename           int `json:"rename"`
		Restore          int `json:"restore"`
		Delete           int `json:"delete"`
		Unchanged        int `json:"unchanged"`
		Skipped          int `json:"skipped"`
		Held             int `json:"held"`
		Questions        int `json:"questions"`
		QuestionsOpen    int `json:"questions_open"`
		NeverSeen        int `json:"never_seen"`
		Waiting          int `json:"waiting"`
	}
	jsonOutcomes struct {
		Planned    int `json:"planned"`
		Written    int `json:"written"`
		Seen       int `json:"seen"`
		Failed     int `json:"failed"`
		NotTried   int `json:"not_tried"`
		NotYetSeen int `json:"not_yet_seen"`
	}
	jsonJudgement struct {
		Cancelled           bool    `json:"cancelled"`
		Deletions           int     `json:"deletions"`
		Users               int     `json:"users"`
		DeletionPercent     float64 `json:"deletion_percent"`
		MaxAllowedDeletions int     `json:"max_allowed_deletions"`
		MaxDeletions        *int    `json:"max_deletions"`
		Today               int     `json:"deletions_of_24_hours"`
		UsersThen           int     `json:"users_then"`
		SignInChanges       int     `json:"sign_in_changes"`
		MaxSignInChanges    *int    `json:"max_sign_in_changes"`
		Raised              bool    `json:"raised"`
		Claimed             bool    `json:"claimed"`
		Lost                int     `json:"lost"`
		Changed             int     `json:"changed"`
		MaxChanges          *int    `json:"max_changes"`
	}
	jsonCause struct {
		fault
		Status   int    `json:"status,omitempty"`
		Upstream string `json:"upstream,omitempty"`
	}
)

func (a *app) jsonRun(r state.Run) jsonRun {
	l := run.LogOf(r)
	sum := &l.Sum
	o := jsonRun{
		Run: r, Took: seconds(l.Took.Seconds()), Paused: seconds(sum.Paused.Seconds()), Skips: sum.Skips, Causes: sum.Causes,
		SourceTotal: sum.SourceTotal, UsersTotal: sum.UsersTotal,
	}
	if c := sum.Counts; c != nil {
		o.Counts = &jsonCounts{
			c.SourceUsers, c.DestinationUsers, c.Add, c.Update, c.Rename, c.Restore, c.Delete, c.Unchanged, c.Skipped, sum.Held,
			c.Questions, c.OpenQuestions, c.Unclaimed, c.Waiting,
		}
	}
	if l.Writes {
		o.Outcomes = &jsonOutcomes{sum.Planned, sum.Sent, sum.Seen, sum.Failed, sum.NotTried, sum.NotYetSeen}
	}
	if sum.Verdict != nil {
		o.Verdict = judgement(*sum.Verdict)
	}
	if sum.Problem != nil {
		o.Error = &jsonCause{fault: a.fault(sum.Problem.Problem()), Status: sum.Problem.Status, Upstream: sum.Problem.Upstream}
	}
	return o
}

func judgement(v plan.Verdict) *jsonJudgement {
	return &jsonJudgement{
		Cancelled: v.Cancelled, Deletions: v.Deletions, Users: v.Users, DeletionPercent: finite(v.Percent()),
		MaxAllowedDeletions: v.MaxAllowedDeletions, MaxDeletions: unlessNone(v.MaxDeletions),
		Today: v.Today, UsersThen: v.UsersThen,
		SignInChanges: v.SignInChanges, MaxSignInChanges: unlessNone(v.MaxSignInChanges), Raised: v.Raised,
		Claimed: v.Claimed, Lost: v.Lost, Changed: v.Changed, MaxChanges: unlessNone(v.MaxChanges),
	}
}

func unlessNone(n int) *int {
	if n < 0 {
		return nil
	}
	return &n
}

func seconds(s float64) float64 { return math.Round(s*1000) / 1000 }

// storedProblem reads the problem of a journal row; nil if there is none.
func storedProblem(raw json.RawMessage) *problem.Stored {
	if len(raw) == 0 || string(raw) == "null" {
		return nil
	}
	var s problem.Stored
	if json.Unmarshal(raw, &s) != nil || s.Code == "" {
		return nil
	}
	return &s
}
