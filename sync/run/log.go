package run

import (
	"log/slog"

	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/state"
)

// logOf is the log for one run: every line has the tenant, domain and run, and the
// holder that carries it out.
func (r *Runner) logOf(run state.Run) *slog.Logger {
	if r.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return r.Log.With("tenant", run.Tenant, "domain", run.Domain, "run", run.No, "kind", string(run.Kind), "worker", r.Holder)
}

// told is what a log has of a problem: its code and what the other side answered.
// The arguments are for users; they may have names in them, which no log may have.
func told(err error) slog.Attr {
	p := problem.Of(err)
	switch {
	case err == nil:
		return slog.Attr{}
	case p == nil:
		return slog.String("err", err.Error())
	case p.Upstream == nil:
		return slog.Group("", slog.String("code", string(p.Code)))
	}
	u := p.Upstream
	return slog.Group("", slog.String("code", string(p.Code)), slog.Int("status", u.Status),
		slog.String("upstream", u.Code), slog.String("request_id", u.RequestID))
}

// ended logs the end of a run with its counts.
func (r *Runner) ended(run state.Run, sum Summary, err error) {
	args := []any{
		"state", string(run.State), "unattended", run.Unattended, "seconds", sum.Took.Seconds(), "throttled_seconds", sum.Paused.Seconds(), "held", sum.Held,
	}
	if c := sum.Counts; c != nil {
		args = append(args, "source_users", c.SourceUsers, "destination_users", c.DestinationUsers,
			"add", c.Add, "update", c.Update, "rename", c.Rename, "restore", c.Restore, "delete", c.Delete, "skipped", c.Skipped)
	}
	if run.Kind != state.DryRun {
		args = append(args, "planned", sum.Planned, "written", sum.Sent, "seen", sum.Seen, "failed", sum.Failed,
			"not_tried", sum.NotTried, "not_yet_seen", sum.NotYetSeen)
	}
	if v := sum.Verdict; v != nil {
		args = append(args, "cancelled", v.Cancelled, "deletions", v.Deletions, "users", v.Users, "deletions_of_24_hours", v.Today)
	}
	r.logOf(run).Info("run ended", append(args, told(err))...)
}
