package flow

import (
	"strings"
	"time"

	"github.com/hacsync/hacsync/sync/periodic"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/run"
	"github.com/hacsync/hacsync/sync/state"
	"github.com/hacsync/hacsync/tui/words"
)

// when is the time of today, else the date.
func when(t, now time.Time) words.Text {
	if y, m, day := t.Date(); !t.IsZero() {
		if y2, m2, d2 := now.In(t.Location()).Date(); y == y2 && m == m2 && day == d2 {
			return words.Is(words.Clock(t))
		}
	}
	return words.Is(words.Brief(t))
}

func dryRunWord(h *run.HomeDomain) words.Text {
	switch {
	case h.DryRun == nil:
		return words.T("home.never")
	case undone(h):
		return words.T("home.dry_undone")
	case h.Applied != nil:
		return words.T("home.dry_done", "n", run.SummaryOf(*h.Applied).Seen) // not what would change any more
	case h.Planned.Verdict != nil && h.Planned.Verdict.Cancelled:
		return words.T("home.dry_cancel")
	case h.Planned.Counts != nil && h.Planned.Counts.Changes() > 0:
		return words.T("home.dry_changes", "n", h.Planned.Counts.Changes())
	}
	return words.T("home.dry_same")
}

// undone reports whether the sync that applied the latest plan was undone.
func undone(h *run.HomeDomain) bool {
	return h.Applied != nil && h.Sync != nil && h.Sync.Kind == state.Undo && h.Sync.PlanOf == h.Applied.No &&
		(h.Sync.State == state.Done || h.Sync.State == state.Partial)
}

func syncWord(h *run.HomeDomain, now time.Time) words.Text {
	switch {
	case h.Running != "":
		return words.T("home.sync_running")
	case h.Sync == nil:
		return words.T("home.never")
	case h.Interrupted:
		return words.T("home.sync_stopped", "seen", h.Synced.Seen, "planned", h.Synced.Planned)
	case h.Sync.State == state.Done && h.Sync.Kind == state.Undo:
		return words.T("home.undo_ok", "at", when(h.Sync.Started, now))
	case h.Sync.State == state.Done:
		return words.T("home.sync_ok", "at", when(h.Sync.Started, now))
	case h.Sync.State == state.Partial:
		return words.T("home.sync_partial", "at", when(h.Sync.Started, now), "failed", h.Synced.Failed+h.Synced.NotYetSeen)
	}
	return words.T("home.sync_not", "at", when(h.Sync.Started, now))
}

// alive is the worker that was seen last, false where none works.
func (s standing) alive(now time.Time) (state.Worker, bool) { return periodic.Alive(s.workers, now) }

func (s *homeStep) periodicWord(domain string, now time.Time) words.Text {
	p, ok := s.upkeep.domains[domain]
	_, works := s.upkeep.alive(now)
	switch {
	case !ok || p.State == state.Disabled:
		return words.T("home.p_disabled")
	case p.State == state.Held:
		return words.T("home.p_stopped")
	case p.State == state.Paused && p.Until.IsZero():
		return words.T("home.p_paused")
	case p.State == state.Paused:
		return words.T("home.p_paused_until", "until", words.Brief(p.Until))
	case !works:
		return words.T("home.p_no_worker")
	}
	return words.T("home.p_enabled", "next", when(p.Due, now))
}

func (s *homeStep) nextWord(h *run.HomeDomain) words.Text {
	if p := s.upkeep.domains[h.Name]; p.State == state.Held && h.Next == run.NextNothing {
		return words.T("home.next_release")
	}
	if h.Next == run.NextNothing {
		return words.T("home.next_none")
	}
	return words.T("home.next_" + strings.ReplaceAll(string(h.Next), "-", "_"))
}

// needy is how many domains wait for a person.
func (s *homeStep) needy(now time.Time) int {
	n := 0
	_, works := s.upkeep.alive(now)
	for _, h := range s.home.Domains {
		p := s.upkeep.domains[h.Name].State
		if h.Next == run.NextReview || h.Next == run.NextResume || p == state.Held || p == state.Enabled && !works {
			n++
		}
	}
	return n
}

// facts is the lower part: what is known of one domain.
func (s *homeStep) facts(h *run.HomeDomain, now time.Time) words.Facts {
	var f words.Facts
	add := func(label string, t words.Text) { f = append(f, words.Fact{Label: words.T(label), Value: t}) }
	if h.DryRun == nil {
		add("word.dry-run", words.T("home.f_never"))
	} else {
		add("word.dry-run", s.dryRunFact(h, now))
		if c := h.Planned.Counts; c != nil && c.Changes() > 0 {
			f = append(f, words.Fact{Value: countsLine(*c)})
		}
		if v := h.Planned.Verdict; v != nil && v.Users > 0 {
			add("home.f_deletions", shareLine(*v))
		}
	}
	if h.Source != "" {
		add("home.f_source", sourceFact(h))
	}
	add("home.f_periodic", s.periodicFact(h, now))
	if h.Sync != nil {
		if h.Sync.Kind == state.Undo {
			add("home.last_undo", syncFact(h, now))
		} else {
			add("home.last_sync", syncFact(h, now))
		}
	}
	always, once := words.T("home.left_out", "n", h.LeftOut), words.T("home.left_out_once", "n", h.Once)
	switch {
	case h.LeftOut > 0 && h.Once > 0:
		add("home.f_left_out", words.T("home.left_out_both", "always", always, "once", once))
	case h.LeftOut > 0:
		add("home.f_left_out", always)
	case h.Once > 0:
		add("home.f_left_out", once)
	}
	return f
}

func (s *homeStep) dryRunFact(h *run.HomeDomain, now time.Time) words.Text {
	at := words.T("home.dry_at", "at", when(h.DryRun.Started, now), "ago", now.Sub(h.DryRun.Started), "run", int(h.DryRun.No))
	switch {
	case undone(h):
		return words.T("home.dry_taken_back", "line", at, "by", int(h.Applied.No), "undo", int(h.Sync.No))
	case h.Applied != nil:
		return words.T("home.dry_applied", "line", at, "by", int(h.Applied.No))
	}
	since, ok := s.since[h.Name]
	if !ok || since.Before.IsZero() || since.New+since.Gone == 0 {
		return at
	}
	return words.T("home.dry_since", "line", at, "before", when(since.Before, now), "new", since.New, "gone", since.Gone)
}

// countsLine is - delete 12  > rename 9  ..: what there is of each kind.
func countsLine(c plan.Counts) words.Text {
	return words.T("home.counts", "delete", c.Delete, "rename", c.Rename, "restore", c.Restore, "add", c.Add, "update", c.Update, "skip", c.Skipped)
}

func shareLine(v plan.Verdict) words.Text {
	return words.T("home.share", "n", v.Deletions, "users", v.Users, "percent", words.Percent(100*float64(v.Deletions)/float64(v.Users)),
		"stops", v.StopsAt, "limit", words.Percent(v.MaxAllowedDeletions))
}

func sourceFact(h *run.HomeDomain) words.Text {
	name := sourceName(h.Source)
	switch {
	case h.Planned.Counts == nil:
		return name
	case h.DryRun.Source != "" && h.DryRun.Source != h.Source:
		return words.T("home.source_new", "name", name)
	}
	return words.T("home.source", "name", name, "n", h.Planned.Counts.SourceUsers)
}

// sourceName is a source as people call it: the API, or the file without its path.
func sourceName(spec string) words.Text {
	if spec == "hac" {
		return words.T("flow.source.hac")
	}
	path, ok := strings.CutPrefix(spec, csvPrefix)
	if !ok {
		return words.Raw(spec)
	}
	return words.Raw(path[strings.LastIndexAny(path, `/\`)+1:])
}

func (s *homeStep) periodicFact(h *run.HomeDomain, now time.Time) words.Text {
	p, ok := s.upkeep.domains[h.Name]
	if !ok || p.State == state.Disabled {
		return words.T("home.pf_disabled")
	}
	worker := words.T("home.w_none")
	if w, works := s.upkeep.alive(now); works {
		worker = words.T("home.w_seen", "name", w.Name, "ago", now.Sub(w.Seen))
	}
	switch p.State {
	case state.Paused:
		if p.Until.IsZero() {
			return words.T("home.pf_paused", "by", p.By, "reason", p.Reason, "worker", worker)
		}
		return words.T("home.pf_paused_until", "by", p.By, "until", words.Moment(p.Until), "reason", p.Reason, "worker", worker)
	case state.Held:
		return words.T("home.pf_stopped", "since", when(p.Since, now), "why", whyOf(p.Why), "worker", worker)
	case state.Enabled, state.Disabled:
	}
	return words.T("home.pf_enabled", "every", p.Every, "next", when(p.Due, now), "worker", worker)
}

// whyOf is a stored problem in words.
func whyOf(p *problem.Stored) words.Text {
	if p == nil {
		return words.T("home.why_unknown")
	}
	return words.T("flow.what", "x", words.What{Err: p.Problem()})
}

func syncFact(h *run.HomeDomain, now time.Time) words.Text {
	line := words.T("home.sync_line", "run", int(h.Sync.No), "at", when(h.Sync.Started, now), "seen", h.Synced.Seen, "failed", h.Synced.Failed)
	if h.Sync.Kind == state.Undo {
		line = words.T("home.undo_line", "run", int(h.Sync.No), "of", int(h.Sync.PlanOf), "at", when(h.Sync.Started, now), "seen", h.Synced.Seen, "failed", h.Synced.Failed)
	}
	if h.Undoable.IsZero() {
		return line
	}
	return words.T("home.sync_undo", "line", line, "until", words.Brief(h.Undoable))
}

// needs are the things that wait for a person, the domains' first.
func (s *homeStep) needs(d *data, now time.Time) words.Checks {
	var out words.Checks
	warn := func(what, remedy words.Text) {
		out = append(out, words.Check{Mark: words.Warn, Text: words.T("home.need", "what", what, "do", remedy)})
	}
	for _, h := range s.home.Domains {
		if h.Interrupted && h.Running == "" {
			warn(words.T("home.n_interrupted", "domain", h.Name, "seen", h.Synced.Seen, "planned", h.Synced.Planned), words.T("home.n_interrupted_do"))
		}
		if v := h.Planned.Verdict; v != nil && v.Cancelled && h.Next == run.NextReview {
			warn(words.T("home.n_cancelled", "domain", h.Name, "share", words.T("home.n_share", "n", v.Deletions, "users", v.Users, "percent", words.Percent(100*float64(v.Deletions)/float64(max(1, v.Users))), "limit", words.Percent(v.MaxAllowedDeletions))), words.T("home.n_cancelled_do"))
		}
		if p := s.upkeep.domains[h.Name]; p.State == state.Held {
			warn(words.T("home.n_held", "domain", h.Name), words.T("home.n_held_do", "why", whyOf(p.Why)))
		} else if p.State == state.Enabled {
			if _, works := s.upkeep.alive(now); !works {
				warn(words.T("home.n_no_worker", "domain", h.Name), words.T("home.n_no_worker_do"))
			}
		}
	}
	c := d.session.Connection()
	if a := c.Application; a != nil && !a.Ends.IsZero() && a.Ends.Sub(now) < periodic.EndsSoon {
		days := int(a.Ends.Sub(now).Hours() / 24)
		if days < 0 {
			warn(words.T("home.n_certificate_over", "app", a.Name, "ends", words.Day(a.Ends)), words.T("home.n_certificate_over_do"))
		} else {
			warn(words.T("home.n_certificate", "app", a.Name, "ends", words.Day(a.Ends), "days", days), words.T("home.n_certificate_do"))
		}
	}
	return out
}

// latest are the last runs, where nothing needs anybody.
func latest(runs []state.Run) words.Piece {
	if len(runs) == 0 {
		return words.Para{Text: words.T("home.no_runs")}
	}
	return runTable(runs)
}
