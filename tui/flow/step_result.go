package flow

import (
	"context"
	"io"
	"slices"
	"strconv"
	"time"

	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/run"
)

// resulting says what was seen, and what comes next.
type resulting struct {
	working Text
	err     error
}

func (s *resulting) enter(*data, bool) turn {
	s.working, s.err = Text{}, nil
	return turn{}
}

// Done is the first line of a result: all four numbers.
func Done(r *run.Report) Text {
	id := "flow.result.finished"
	if r.NotTried > 0 {
		id = "flow.result.stopped"
	}
	t := T(id, "seen", r.Seen, "planned", r.Planned, "failed", r.Failed, "not_tried", r.NotTried)
	if r.NotYetSeen > 0 {
		t = T("flow.result.and_not_yet", "line", t, "n", r.NotYetSeen)
	}
	return t
}

func (s *resulting) view(d *data, now time.Time) View {
	v := View{Title: T("flow.result.title", "domain", d.domain), Status: T("flow.result.status")}
	if s.err != nil {
		v.Blocks = append(v.Blocks, Trouble{Err: s.err})
	}
	r := d.report
	if r == nil {
		// Sync without a report and without an error: nothing to say but that.
		v.Blocks = append(v.Blocks, Para{T("flow.sync.nothing_written")})
	} else {
		v.Status = T("flow.result.run", "run", int(r.Run), "spent", r.Ended.Sub(r.Started))
		v.Blocks = append(v.Blocks, Para{Done(r)})
		if r.Paused > 0 {
			v.Blocks = append(v.Blocks, Para{T("flow.result.paused", "for", r.Paused)})
		}
		v.Blocks = append(v.Blocks, resultTable(r))
		if d.err != nil {
			v.Blocks = append(v.Blocks, Trouble{Err: d.err})
		}
		v.Blocks = append(v.Blocks, resultRows(r)...)
	}
	if !s.working.IsZero() {
		v.Working = s.working
		v.Ask = Question{Kind: Wait, Optional: true}
		return v
	}
	v.Blocks = append(v.Blocks, Heading{T("flow.result.next")})
	if r != nil {
		if n := r.ByKind[plan.Add].Seen; n > 0 {
			v.Blocks = append(v.Blocks, Checks{{Mark: Info, Text: T("flow.result.licences", "n", n)}})
		}
		if n := r.Failed + r.NotTried + r.NotYetSeen; n > 0 {
			v.Blocks = append(v.Blocks, Checks{{Mark: Info, Text: T("flow.result.rest", "n", n)}})
		}
	}
	v.Ask = Question{Kind: Choice, Text: T("flow.choose"), Preset: "quit", Options: []Option{
		{Key: "dryrun", Text: T("flow.dryrun.again"), Note: T("flow.result.dryrun_note")},
		{Key: "auditlog", Text: T("flow.result.save"), Note: T("flow.result.save_note")},
		{Key: "domain", Text: T("flow.domain.another")},
		{Key: "quit", Text: T("flow.result.quit")},
	}}
	if d.saved && d.o.Home {
		last := len(v.Ask.Options) - 1
		v.Ask.Options = slices.Insert(
			v.Ask.Options, last,
			Option{Key: "periodic", Text: T("word.periodic-sync"), Note: T("flow.result.periodic_note")},
			Option{Key: "home", Text: T("home.back")},
		)
	}
	if r != nil && r.Sent > 0 {
		last := len(v.Ask.Options) - 1
		v.Ask.Options = slices.Insert(v.Ask.Options, last, Option{
			Key: "undo", Text: T("flow.result.undo", "run", int(r.Run)), Note: T("flow.result.undo_note"),
		})
	}
	v.Commands = []Command{
		{Name: "dryrun", Key: "d", Word: "dryrun", Help: T("flow.dryrun.again")},
		{Name: "auditlog", Key: "a", Word: "auditlog", Help: T("flow.result.save")},
	}
	if r != nil && r.Sent > 0 {
		v.Commands = append(v.Commands, Command{Name: "undo", Key: "u", Word: "undo", Help: T("flow.result.undo", "run", int(r.Run))})
	}
	return v
}

func resultTable(r *run.Report) Table {
	t := Table{Head: []Text{
		{}, T("flow.confirm.kind"), T("flow.result.planned"), T("flow.result.sent"), T("flow.result.seen"), T("flow.result.failed"),
	}, Right: []int{2, 3, 4, 5}}
	for _, k := range []plan.Kind{plan.Rename, plan.Restore, plan.Add, plan.Update, plan.Delete} {
		n, ok := r.ByKind[k]
		if !ok || n.Planned == 0 {
			continue
		}
		t.Rows = append(t.Rows, []Text{Raw(k.Sign()), T("kind." + k.String()), Num(n.Planned), Num(n.Sent), Num(n.Seen), Num(n.Failed)})
	}
	t.Rows = append(t.Rows, []Text{{}, T("flow.in_all"), Num(r.Planned), Num(r.Sent), Num(r.Seen), Num(r.Failed)})
	return t
}

// resultRows are the rows that were not seen done, each with what to do.
func resultRows(r *run.Report) []Piece {
	if len(r.Rows) == 0 {
		return nil
	}
	var list Checks
	untried := 0
	for _, x := range r.Rows {
		if x.Outcome == run.OutcomeNotTried {
			untried++
			continue
		}
		if len(list) == pageRows*2 {
			continue
		}
		c := Check{Mark: Stops, Text: T("flow.result.row", "no", x.No, "sign", x.Kind.Sign(), "upn", x.UPN, "outcome", T("outcome."+x.Outcome))}
		if x.Outcome == run.OutcomeNotYetSeen {
			c.Mark = Warn
		}
		if x.Why != nil {
			c.Text = T("flow.result.row_why", "no", x.No, "sign", x.Kind.Sign(), "what", What{x.Why}, "code", string(x.Why.Code))
			c.Detail = append(c.Detail, T("flow.what", "x", Remedy{x.Why}))
			if u := x.Why.Upstream; u != nil && u.RequestID != "" {
				c.Detail = append(c.Detail, T("flow.result.request_id", "id", u.RequestID))
			}
		}
		list = append(list, c)
	}
	shown := len(list)
	if n := len(r.Rows) - untried - shown; n > 0 {
		list = append(list, Check{Mark: Info, Text: T("flow.more", "n", n)})
	}
	if untried > 0 {
		list = append(list, Check{Mark: Info, Text: T("flow.result.untried", "n", untried)})
	}
	return []Piece{Heading{T("flow.result.not_done")}, list}
}

func (s *resulting) answer(d *data, a Answer) turn {
	s.err = nil
	switch firstOf(a.Command, a.Text) {
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
		s.working = T("flow.result.undoing", "run", int(d.report.Run))
		engine, no := d.engine(), d.report.Run
		return does(effect(func(ctx context.Context, r Reporter) any {
			p, err := engine(r).Undo(ctx, no)
			if err != nil {
				return undoPlanned{err: err}
			}
			return undoPlanned{planned: p, review: newReviewed(p.Plan)}
		}))
	case "home", "periodic":
		if !d.saved || !d.o.Home {
			break
		}
		if firstOf(a.Command, a.Text) == "periodic" {
			t := goTo(Periodic)
			t.through = []Step{Home}
			return t
		}
		return goTo(Home)
	case "quit":
		return turn{move: leave}
	case "auditlog":
		s.working = T("flow.preview.saving")
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
	return stayed(T("flow.not_a_choice"))
}

// back from a result leads nowhere: what is written is written.
func (s *resulting) back(*data) (turn, bool) { return stayed(T("flow.result.no_back")), true }

func (s *resulting) event(*data, any, time.Time) {}

func (s *resulting) done(d *data, result any) turn {
	s.working = Text{}
	switch r := result.(type) {
	case fileSaved:
		if r.err != nil {
			s.err = r.err
			return turn{}
		}
		return stayed(T("flow.saved_to", "path", r.path))
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
	review  *reviewed
	err     error
}
