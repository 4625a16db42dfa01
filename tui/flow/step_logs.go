package flow

import (
	"cmp"
	"context"
	"strconv"
	"time"

	"github.com/hacsync/hacsync/sync/input"
	"github.com/hacsync/hacsync/sync/run"
	"github.com/hacsync/hacsync/sync/state"
	"github.com/hacsync/hacsync/tui/words"
)

// logStep shows the sync logs of a domain: its runs, and of one of them what was
// not seen done.
type logStep struct {
	base
	runs []state.Run
	of   string // the domain whose runs they are
	run  *state.Run
	rows []run.RowResult
	seen int
	// first is the run that was asked for, 0 for the list: back leaves the logs then.
	first int64
}

type (
	logsRead struct {
		domain string
		runs   []state.Run
		err    error
	}
	runRead struct {
		run  state.Run
		rows []run.RowResult
		seen int
		err  error
	}
)

// logsShown is how many runs are listed.
const logsShown = 200

func (s *logStep) enter(d *data, back bool) turn {
	if back && s.of == d.domain && s.runs != nil {
		return turn{}
	}
	s.run, s.first, d.logged = nil, d.logged, 0
	return s.read(d)
}

func (s *logStep) read(d *data) turn {
	s.err, s.working = nil, words.T("home.logs_reading")
	engine, domain := d.engine(), d.domain
	return does(effect(func(ctx context.Context, r Reporter) any {
		runs, err := engine(r).Logs(ctx, domain, logsShown)
		return logsRead{domain, runs, err}
	}))
}

func (s *logStep) view(d *data, now time.Time) View {
	v := View{Title: words.T("home.logs_title", "domain", d.domain), Status: words.T("home.logs_status")}
	if s.waits(&v) {
		return v
	}
	if s.err != nil {
		v.Blocks = append(v.Blocks, words.Trouble{Err: s.err})
	}
	v.Commands = []Command{checkAgain()}
	if s.run != nil {
		v.Title = words.T("home.log_title", "run", int(s.run.No))
		v.Blocks = append(v.Blocks, runFacts(*s.run))
		v.Blocks = append(v.Blocks, s.rowBlocks()...)
		v.Ask = Question{Kind: Choice, Text: words.T("flow.choose"), Preset: "list", Options: []Option{{Key: "list", Text: words.T("home.logs_back")}}}
		if s.run.Fingerprint != "" {
			v.Ask.Options = append(v.Ask.Options, Option{Key: "plan", Text: words.T("home.log_plan"), Note: words.T("home.log_plan_note")})
		}
		if !s.undoable(now).IsZero() {
			v.Ask.Options = append(v.Ask.Options, Option{Key: "undo", Text: words.T("flow.result.undo", "run", int(s.run.No)), Note: words.T("flow.result.undo_note")})
		}
		return v
	}
	if len(s.runs) == 0 {
		v.Blocks = append(v.Blocks, words.Para{Text: words.T("home.no_runs")})
		v.Ask = Question{Kind: Choice, Text: words.T("flow.choose"), Preset: "again", Options: []Option{{Key: "again", Text: words.T("flow.check_again")}}}
		return v
	}
	v.Blocks = append(v.Blocks, history(s.runs)...)
	t := runTable(s.runs)
	v.Ask = Question{Kind: Choice, Text: words.T("home.logs_ask"), Enter: words.T("home.enter_open"), Head: t.Head, Right: t.Right, Preset: strconv.FormatInt(s.runs[0].No, 10)}
	for i, one := range s.runs {
		v.Ask.Options = append(v.Ask.Options, Option{
			Key: strconv.FormatInt(one.No, 10), Text: words.Num(int(one.No)), Cells: t.Rows[i], Detail: []words.Piece{runFacts(one)},
		})
	}
	return v
}

// undoable is until when the run that is shown can be undone.
func (s *logStep) undoable(now time.Time) time.Time {
	return run.Undoable(*s.run, run.SummaryOf(*s.run), now)
}

// runTable lists runs, the newest first.
func runTable(runs []state.Run) words.Table {
	t := words.Table{
		Head:  []words.Text{words.T("home.l_run"), words.T("home.l_started"), words.T("home.l_kind"), words.T("home.l_state"), words.T("home.l_what")},
		Right: []int{0},
	}
	for _, r := range runs {
		t.Rows = append(t.Rows, []words.Text{
			words.Num(int(r.No)), words.T("home.l_at", "day", words.Brief(r.Started), "time", words.Clock(r.Started)), words.T("run.kind." + string(r.Kind)), words.T("run.state." + string(r.State)), runWhat(run.LogOf(r)),
		})
	}
	return t
}

// runWhat is what a run found or did, in a few words.
func runWhat(l run.Logged) words.Text {
	s := &l.Sum
	switch {
	case s.Problem != nil:
		return words.T("home.what", "x", words.Short{Err: s.Problem.Problem()})
	case l.Writes:
		return words.T("home.l_seen", "seen", s.Seen, "planned", s.Planned, "failed", s.Failed)
	case s.Counts == nil:
		return words.Text{}
	case s.Counts.Changes() == 0:
		return words.T("home.l_same")
	}
	return countsLine(*s.Counts)
}

func runFacts(r state.Run) words.Facts {
	l := run.LogOf(r)
	s := &l.Sum
	var f words.Facts
	add := func(label string, t words.Text) { f = append(f, words.Fact{Label: words.T(label), Value: t}) }
	add("home.l_run", words.T("home.l_run_is", "run", int(r.No), "kind", words.T("run.kind."+string(r.Kind)), "state", words.T("run.state."+string(r.State))))
	if l.Took == 0 {
		add("home.l_started", words.Is(words.Moment(r.Started)))
	} else {
		add("home.l_started", words.T("home.l_started_took", "at", words.Moment(r.Started), "took", l.Took))
	}
	if r.Unattended {
		add("home.l_by", words.T("home.l_by_worker"))
	} else if r.By != "" {
		add("home.l_by", words.Raw(r.By))
	}
	if r.Note != "" {
		add("home.l_note", words.Raw(r.Note))
	}
	if r.Source != "" {
		add("home.f_source", sourceName(r.Source))
	}
	if c := s.Counts; c != nil {
		add("home.l_found", words.T("home.l_users", "source", c.SourceUsers, "users", c.DestinationUsers, "same", c.Unchanged))
		f = append(f, words.Fact{Value: countsLine(*c)})
	}
	if v := s.Verdict; v != nil && v.Users > 0 {
		add("home.f_deletions", shareLine(*v))
	}
	if l.Writes {
		add("home.l_done", words.T("home.l_tally", "planned", s.Planned, "seen", s.Seen, "failed", s.Failed, "not_tried", s.NotTried, "not_yet", s.NotYetSeen))
		if s.Paused > 0 {
			add("home.l_paused", words.Is(s.Paused))
		}
	}
	if s.Problem != nil {
		add("home.l_why", words.T("home.l_why_code", "what", words.What{Err: s.Problem.Problem()}, "code", string(s.Problem.Code)))
		add("home.l_do", words.T("flow.what", "x", words.Remedy{Err: s.Problem.Problem()}))
		if id := s.Problem.RequestID; id != "" {
			add("home.l_request", words.Raw(id))
		}
	}
	return f
}

// rowBlocks are the rows that were not seen done, each with its cause.
func (s *logStep) rowBlocks() []words.Piece {
	if s.run.Kind == state.DryRun {
		return nil
	}
	var list words.Checks
	for i, x := range s.rows {
		if i == logRows {
			list = append(list, words.Check{Mark: words.Info, Text: words.T("flow.more", "n", len(s.rows)-i)})
			break
		}
		c := words.Check{Mark: words.Stops, Text: words.T("flow.result.row", "no", x.No, "sign", x.Kind.Sign(), "upn", x.UPN, "outcome", words.T("outcome."+x.Outcome))}
		if x.Outcome == run.OutcomeNotYetSeen || x.Outcome == run.OutcomeNotTried {
			c.Mark = words.Warn
		}
		if x.Why != nil {
			c.Detail = append(c.Detail, words.T("home.l_why_code", "what", words.What{Err: x.Why}, "code", string(x.Why.Code)))
			if u := x.Why.Upstream; u != nil && u.RequestID != "" {
				c.Detail = append(c.Detail, words.T("flow.result.request_id", "id", u.RequestID))
			}
		}
		list = append(list, c)
	}
	if s.seen > 0 {
		list = append(list, words.Check{Mark: words.OK, Text: words.T("home.l_rows_seen", "n", s.seen)})
	}
	if len(list) == 0 {
		return []words.Piece{words.Para{Text: words.T("home.l_rows_none")}}
	}
	return []words.Piece{words.Heading{Text: words.T("home.l_rows")}, list}
}

// logRows is how many rows of a run are written out; the command line has all.
const logRows = 100

func (s *logStep) answer(d *data, a Answer) turn {
	s.err = nil
	switch cmp.Or(a.Command, a.Text) {
	case "again":
		return s.read(d)
	case "list":
		s.run, s.first = nil, 0
		return turn{}
	case "plan":
		if s.run == nil || s.run.Fingerprint == "" {
			break
		}
		s.working = words.T("home.opening", "domain", d.domain)
		engine, domain, no, settled := d.engine(), d.domain, s.run.No, d.settled()
		return does(effect(func(ctx context.Context, r Reporter) any {
			settled()
			e := engine(r)
			out := homeOpened{domain: domain, to: Preview, through: Preview}
			if out.settings, out.err = e.Settings(ctx, domain); out.err != nil {
				return out
			}
			if out.planned, out.err = e.Stored(ctx, no); out.err == nil {
				out.review = reviewed(out.planned)
			}
			return out
		}))
	case "undo":
		if s.run == nil || s.undoable(d.now()).IsZero() {
			break
		}
		s.working = words.T("flow.result.undoing", "run", int(s.run.No))
		return does(openUndo(d, d.domain, s.run.No))
	}
	no, ok := input.Number(a.Text)
	if !ok {
		return turn{}
	}
	return s.show(d, int64(no))
}

// show opens a run of the list.
func (s *logStep) show(d *data, no int64) turn {
	for _, one := range s.runs {
		if one.No != no {
			continue
		}
		s.working = words.T("home.logs_reading")
		engine := d.engine()
		return does(effect(func(ctx context.Context, r Reporter) any {
			out := runRead{run: one}
			if one.Kind != state.DryRun {
				out.rows, out.seen, out.err = engine(r).Rows(ctx, one.No)
			}
			return out
		}))
	}
	return turn{}
}

func (s *logStep) inner() bool { return s.run != nil && s.first == 0 }

func (s *logStep) back(*data) (turn, bool) {
	was := s.inner()
	s.run = nil
	return turn{}, was
}

func (s *logStep) done(d *data, result any) turn {
	s.working = words.Text{}
	switch r := result.(type) {
	case logsRead:
		if r.err != nil {
			s.err = r.err
			return turn{}
		}
		s.runs, s.of = r.runs, r.domain
		if s.first > 0 {
			return s.show(d, s.first)
		}
	case runRead:
		if r.err != nil {
			s.err = r.err
			return turn{}
		}
		s.run, s.rows, s.seen = &r.run, r.rows, r.seen
	case homeOpened:
		if r.err != nil {
			s.err = r.err
			return turn{}
		}
		return r.opens(d)
	}
	return turn{}
}

// history is the last runs as a chart: a column each, as high as what it changed.
func history(runs []state.Run) []words.Piece {
	c := words.Chart{Name: words.T("home.chart")}
	for i := len(runs) - 1; i >= 0; i-- {
		r := runs[i]
		s := run.SummaryOf(r)
		bar := words.Bar{At: r.Started}
		switch {
		case r.Kind == state.DryRun:
			continue
		case s.Problem != nil || r.State == state.Refused || r.State == state.Failed:
			bar.Mark = words.Stops
		case r.State == state.Partial || r.State == state.Stopped:
			bar.Mark = words.Warn
		default:
			bar.Mark = words.OK
		}
		bar.Value = s.Seen
		c.Bars = append(c.Bars, bar)
	}
	if len(c.Bars) < 2 {
		return nil
	}
	return []words.Piece{c}
}
