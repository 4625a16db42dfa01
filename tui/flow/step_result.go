package flow

import (
	"cmp"
	"context"
	"io"
	"slices"
	"strconv"
	"time"

	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/run"
	"github.com/hacsync/hacsync/tui/review"
	"github.com/hacsync/hacsync/tui/words"
)

// resultStep says what was seen, and what comes next.
type resultStep struct {
	base
}

func (s *resultStep) enter(*data, bool) turn {
	s.working, s.err = words.Text{}, nil
	return turn{}
}

// Done is the first line of a result: all four numbers.
func Done(r *run.Report) words.Text {
	id := "flow.result.finished"
	if r.NotTried > 0 {
		id = "flow.result.stopped"
	}
	if undid(r) > 0 {
		id += "_undo"
	}
	t := words.T(id, "seen", r.Seen, "planned", r.Planned, "failed", r.Failed, "not_tried", r.NotTried)
	if r.NotYetSeen > 0 {
		t = words.T("flow.result.and_not_yet", "line", t, "n", r.NotYetSeen)
	}
	return t
}

// undid is the run that a run undid, 0 for a sync.
func undid(r *run.Report) int64 {
	if r == nil || r.Plan == nil {
		return 0
	}
	return r.Plan.Undoes()
}

func (s *resultStep) view(d *data, now time.Time) View {
	v := View{Title: words.T("flow.result.title", "domain", d.domain), Status: words.T("flow.result.status")}
	if s.err != nil {
		v.Blocks = append(v.Blocks, words.Trouble{Err: s.err})
	}
	r := d.report
	dryRunNote := words.T("flow.result.dryrun_note")
	if no := undid(r); no > 0 {
		v.Title = words.T("flow.result.title_undo", "run", int(no), "domain", d.domain)
		dryRunNote = words.T("flow.result.dryrun_note_undo")
	}
	if r == nil {
		// Sync without a report and without an error: nothing to say but that.
		v.Blocks = append(v.Blocks, words.Para{Text: words.T("flow.sync.nothing_written")})
	} else {
		v.Status = words.T("flow.result.run", "run", int(r.Run), "spent", r.Ended.Sub(r.Started))
		v.Blocks = append(v.Blocks, words.Para{Text: Done(r)})
		if r.Paused > 0 {
			v.Blocks = append(v.Blocks, words.Para{Text: words.T("flow.result.paused", "for", r.Paused)})
		}
		v.Blocks = append(v.Blocks, resultTable(r))
		if d.err != nil {
			v.Blocks = append(v.Blocks, words.Trouble{Err: d.err})
		}
		v.Blocks = append(v.Blocks, resultRows(r)...)
	}
	if s.waits(&v) {
		return v
	}
	v.Blocks = append(v.Blocks, words.Heading{Text: words.T("flow.result.next")})
	if r != nil {
		if undid(r) > 0 {
			v.Blocks = append(v.Blocks, words.Checks{{Mark: words.Info, Text: words.T("flow.result.mend_source")}})
		}
		if n := r.ByKind[plan.Add].Seen; n > 0 {
			v.Blocks = append(v.Blocks, words.Checks{{Mark: words.Info, Text: words.T("flow.result.licences", "n", n)}})
		}
		if n := r.Failed + r.NotTried + r.NotYetSeen; n > 0 {
			v.Blocks = append(v.Blocks, words.Checks{{Mark: words.Info, Text: words.T("flow.result.rest", "n", n)}})
		}
	}
	v.Ask = Question{Kind: Choice, Text: words.T("flow.choose"), Preset: "quit", Options: []Option{
		{Key: "dryrun", Text: words.T("flow.dryrun.again"), Note: dryRunNote},
		{Key: "auditlog", Text: words.T("flow.result.save"), Note: words.T("flow.result.save_note")},
	}}
	if d.saved && d.o.Home {
		v.Ask.Preset = "home"
		v.Ask.Options = append(
			v.Ask.Options,
			Option{Key: "periodic", Text: words.T("word.periodic-sync"), Note: words.T("flow.result.periodic_note")},
			Option{Key: "home", Text: words.T("home.back")},
		)
	} else {
		v.Ask.Options = append(v.Ask.Options, Option{Key: "domain", Text: words.T("flow.domain.another")})
	}
	v.Ask.Options = append(v.Ask.Options, Option{Key: "quit", Text: words.T("flow.result.quit")})
	if r != nil && r.Sent > 0 {
		last := len(v.Ask.Options) - 1
		v.Ask.Options = slices.Insert(v.Ask.Options, last, Option{
			Key: "undo", Text: words.T("flow.result.undo", "run", int(r.Run)), Note: words.T("flow.result.undo_note"),
		})
	}
	v.Commands = []Command{
		command("dryrun", "d", "dryrun", words.T("flow.dryrun.again")),
		command("auditlog", "a", "auditlog", words.T("flow.result.save")),
	}
	if r != nil && r.Sent > 0 {
		v.Commands = append(v.Commands, command("undo", "u", "undo", words.T("flow.result.undo", "run", int(r.Run))))
	}
	return v
}

func resultTable(r *run.Report) words.Table {
	t := words.Table{Head: []words.Text{
		{}, words.T("flow.confirm.kind"), words.T("flow.result.planned"), words.T("flow.result.sent"), words.T("flow.result.seen"), words.T("flow.result.failed"),
	}, Right: []int{2, 3, 4, 5}}
	for _, k := range []plan.Kind{plan.Rename, plan.Restore, plan.Add, plan.Update, plan.Delete} {
		n, ok := r.ByKind[k]
		if !ok || n.Planned == 0 {
			continue
		}
		t.Rows = append(t.Rows, []words.Text{words.Raw(k.Sign()), words.T("kind." + k.String()), words.Num(n.Planned), words.Num(n.Sent), words.Num(n.Seen), words.Num(n.Failed)})
	}
	t.Rows = append(t.Rows, []words.Text{{}, words.T("flow.in_all"), words.Num(r.Planned), words.Num(r.Sent), words.Num(r.Seen), words.Num(r.Failed)})
	return t
}

// resultRows are the rows that were not seen done, each with what to do.
func resultRows(r *run.Report) []words.Piece {
	if len(r.Rows) == 0 {
		return nil
	}
	var list words.Checks
	untried, more := 0, 0
	for _, x := range r.Rows {
		cause, waited := waitedFor(r, x)
		if x.Outcome == run.OutcomeNotTried {
			untried++
			// Those that the end of the sync came before are told by their number.
			if !waited && (x.Why == nil || x.Why.Code == problem.RowNotTried) {
				continue
			}
		}
		if len(list) == pageRows*2 {
			more++
			continue
		}
		if waited {
			list = append(list, words.Check{
				Mark: words.Warn, Text: words.T("flow.result.waited", "no", x.No, "sign", x.Kind.Sign(), "upn", x.UPN, "cause_sign", cause.Kind.Sign(), "cause", cause.UPN, "outcome", words.T("outcome."+cause.Outcome)),
				Detail: []words.Text{words.T("flow.result.waited_then")},
			})
			continue
		}
		c := words.Check{Mark: words.Stops, Text: words.T("flow.result.row", "no", x.No, "sign", x.Kind.Sign(), "upn", x.UPN, "outcome", words.T("outcome."+x.Outcome))}
		if x.Outcome == run.OutcomeNotYetSeen || x.Outcome == run.OutcomeNotTried || x.Why != nil && x.Why.Code == problem.RowPutBack {
			c.Mark = words.Warn // the account is as it was, or may be as it should
		}
		if x.Why != nil {
			c.Text = words.T("flow.result.row_why", "no", x.No, "sign", x.Kind.Sign(), "what", words.What{Err: x.Why}, "code", string(x.Why.Code))
			c.Detail = append(c.Detail, words.T("flow.what", "x", words.Remedy{Err: x.Why}))
			if u := x.Why.Upstream; u != nil && u.RequestID != "" {
				c.Detail = append(c.Detail, words.T("flow.result.request_id", "id", u.RequestID))
			}
		}
		list = append(list, c)
	}
	if more > 0 {
		list = append(list, words.Check{Mark: words.Info, Text: words.T("flow.more", "n", more)})
	}
	if untried > 0 {
		list = append(list, words.Check{Mark: words.Info, Text: words.T("flow.result.untried", "n", untried)})
	}
	return []words.Piece{words.Heading{Text: words.T("flow.result.not_done")}, list}
}

// waitedFor is the addition that a deletion waited for and that was not seen: the
// answer was that they are two people.
func waitedFor(r *run.Report, x run.RowResult) (cause run.RowResult, ok bool) {
	if r.Plan == nil || x.Outcome != run.OutcomeNotTried || x.Kind != plan.Delete {
		return cause, false
	}
	for a := range r.Plan.Actions() {
		if a.Kind != plan.Delete {
			break // deletions stand first
		}
		if a.No != x.No {
			continue
		}
		for _, other := range r.Rows {
			if slices.Contains(a.After, other.No) {
				return other, true
			}
		}
	}
	return cause, false
}

func (s *resultStep) answer(d *data, a Answer) turn {
	s.err = nil
	switch cmp.Or(a.Command, a.Text) {
	case "dryrun":
		if d.file != nil {
			d.file = nil
			return goTo(Domain)
		}
		return goTo(DryRun)
	case "domain":
		d.file = nil
		d.domain = ""
		d.forgetPlan()
		return goTo(Domain)
	case "undo":
		if d.report == nil || d.report.Sent == 0 {
			break
		}
		s.working = words.T("flow.result.undoing", "run", int(d.report.Run))
		engine, no := d.engine(), d.report.Run
		return does(effect(func(ctx context.Context, r Reporter) any {
			p, err := engine(r).Undo(ctx, no)
			if err != nil {
				return undoPlanned{err: err}
			}
			return undoPlanned{planned: p, review: reviewed(p)}
		}))
	case "home", "periodic":
		if !d.saved || !d.o.Home {
			break
		}
		if cmp.Or(a.Command, a.Text) == "periodic" {
			t := goTo(Periodic)
			t.through = []Step{Home}
			return t
		}
		return goTo(Home)
	case "quit":
		return turn{move: leave}
	case "auditlog":
		s.working = words.T("preview.saving")
		b, session, no := d.b, d.session, d.planned.Run
		if d.report != nil {
			no = d.report.Run
		}
		p := d.remaining()
		p.Run = no
		name := "hacsync-" + fileWord(d.domain) + "-" + strconv.FormatInt(no, 10) + ".csv"
		return does(effect(func(ctx context.Context, _ Reporter) any {
			path, err := b.WriteFile(ctx, name, func(w io.Writer) error { return session.AuditLog(ctx, w, p) })
			return fileSaved{path, err}
		}))
	}
	return turn{}
}

// back from a result leads nowhere: what is written is written.
func (s *resultStep) back(*data) (turn, bool) { return stayed(words.T("flow.result.no_back")), true }

func (s *resultStep) done(d *data, result any) turn {
	s.working = words.Text{}
	switch r := result.(type) {
	case fileSaved:
		if r.err != nil {
			s.err = r.err
			return turn{}
		}
		return stayed(words.T("flow.saved_to", "path", r.path))
	case undoPlanned:
		if r.err != nil {
			s.err = r.err
			return turn{}
		}
		// The inverse is a plan like any other: the same preview, guard and
		// confirm.
		d.forgetPlan()
		d.file, d.planned, d.review = nil, r.planned, r.review
		return goTo(Preview)
	}
	return turn{}
}

// undoPlanned is the inverse of the run that was just made.
type undoPlanned struct {
	planned *run.Planned
	review  *review.Review
	err     error
}
