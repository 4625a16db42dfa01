package flow

import (
	"context"
	"strconv"
	"time"

	"github.com/hacsync/hacsync/sync/run"
	"github.com/hacsync/hacsync/sync/state"
)

// logging shows the sync logs of a domain: its runs, and of one of them what was
// not seen done.
type logging struct {
	working Text
	err     error
	runs    []state.Run
	of      string // the domain whose runs they are
	run     *state.Run
	rows    []run.RowResult
	seen    int
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

func (s *logging) enter(d *data, back bool) turn {
	if back && s.of == d.domain && s.runs != nil {
		return turn{}
	}
	s.run = nil
	return s.read(d)
}

func (s *logging) read(d *data) turn {
	s.err, s.working = nil, T("home.logs_reading")
	engine, domain := d.engine(), d.domain
	return does(effect(func(ctx context.Context, r Reporter) any {
		runs, err := engine(r).Logs(ctx, domain, logsShown)
		return logsRead{domain, runs, err}
	}))
}

func (s *logging) view(d *data, now time.Time) View {
	v := View{Title: T("home.logs_title", "domain", d.domain), Status: T("home.logs_status")}
	if !s.working.IsZero() {
		v.Working = s.working
		v.Ask = Question{Kind: Wait, Optional: true}
		return v
	}
	if s.err != nil {
		v.Blocks = append(v.Blocks, Trouble{Err: s.err})
	}
	v.Commands = []Command{{Name: "again", Key: "r", Word: "again", Help: T("flow.check_again")}}
	if s.run != nil {
		v.Title = T("home.log_title", "run", int(s.run.No))
		v.Blocks = append(v.Blocks, runFacts(*s.run))
		v.Blocks = append(v.Blocks, s.rowBlocks()...)
		v.Ask = Question{Kind: Choice, Text: T("flow.choose"), Preset: "list", Options: []Option{{Key: "list", Text: T("home.logs_back")}}}
		if s.run.Fingerprint != "" {
			v.Ask.Options = append(v.Ask.Options, Option{Key: "plan", Text: T("home.log_plan"), Note: T("home.log_plan_note")})
		}
		return v
	}
	if len(s.runs) == 0 {
		v.Blocks = append(v.Blocks, Para{T("home.no_runs")})
		v.Ask = Question{Kind: Choice, Text: T("flow.choose"), Preset: "again", Options: []Option{{Key: "again", Text: T("flow.check_again")}}}
		return v
	}
	v.Blocks = append(v.Blocks, history(s.runs)...)
	t := runTable(s.runs)
	v.Ask = Question{Kind: Choice, Text: T("home.logs_ask"), Enter: T("home.enter_open"), Head: t.Head, Right: t.Right, Preset: strconv.FormatInt(s.runs[0].No, 10)}
	for i, one := range s.runs {
		v.Ask.Options = append(v.Ask.Options, Option{
			Key: strconv.FormatInt(one.No, 10), Text: Num(int(one.No)), Cells: t.Rows[i], Detail: []Piece{runFacts(one)},
		})
	}
	return v
}

// runTable lists runs, the newest first.
func runTable(runs []state.Run) Table {
	t := Table{
		Head:  []Text{T("home.l_run"), T("home.l_started"), T("home.l_kind"), T("home.l_state"), T("home.l_what")},
		Right: []int{0},
	}
	for _, r := range runs {
		t.Rows = append(t.Rows, []Text{
			Num(int(r.No)), T("home.l_at", "day", Brief(r.Started), "time", Clock(r.Started)), T("run.kind." + string(r.Kind)), T("run.state." + string(r.State)), runWhat(r),
		})
	}
	return t
}

// runWhat is what a run found or did, in a few words.
func runWhat(r state.Run) Text {
	s := run.SummaryOf(r)
	switch {
	case s.Problem != nil:
		return T("home.what", "x", Short{s.Problem.Problem()})
	case r.Kind == state.DryRun && s.Counts != nil && s.Counts.Changes() == 0:
		return T("home.l_same")
	case r.Kind == state.DryRun && s.Counts != nil:
		return countsLine(*s.Counts)
	case r.Kind != state.DryRun:
		return T("home.l_seen", "seen", s.Seen, "planned", s.Planned, "failed", s.Failed)
	}
	return Text{}
}

func runFacts(r state.Run) Facts {
	s := run.SummaryOf(r)
	var f Facts
	add := func(label string, t Text) { f = append(f, Fact{T(label), t}) }
	add("home.l_run", T("home.l_run_is", "run", int(r.No), "kind", T("run.kind."+string(r.Kind)), "state", T("run.state."+string(r.State))))
	if r.Ended.IsZero() {
		add("home.l_started", Is(Moment(r.Started)))
	} else {
		add("home.l_started", T("home.l_started_took", "at", Moment(r.Started), "took", r.Ended.Sub(r.Started)))
	}
	if r.Unattended {
		add("home.l_by", T("home.l_by_worker"))
	} else if r.By != "" {
		add("home.l_by", Raw(r.By))
	}
	if r.Note != "" {
		add("home.l_note", Raw(r.Note))
	}
	if r.Source != "" {
		add("home.f_source", sourceName(r.Source))
	}
	if c := s.Counts; c != nil {
		add("home.l_found", T("home.l_users", "source", c.SourceUsers, "users", c.DestinationUsers, "same", c.Unchanged))
		f = append(f, Fact{Value: countsLine(*c)})
	}
	if v := s.Verdict; v != nil && v.Users > 0 {
		add("home.f_deletions", shareLine(*v))
	}
	if r.Kind != state.DryRun {
		add("home.l_done", T("home.l_tally", "planned", s.Planned, "seen", s.Seen, "failed", s.Failed, "not_tried", s.NotTried, "not_yet", s.NotYetSeen))
		if s.Paused > 0 {
			add("home.l_paused", Is(s.Paused))
		}
	}
	if s.Problem != nil {
		add("home.l_why", T("home.l_why_code", "what", What{s.Problem.Problem()}, "code", string(s.Problem.Code)))
		add("home.l_do", T("flow.what", "x", Remedy{s.Problem.Problem()}))
		if id := s.Problem.RequestID; id != "" {
			add("home.l_request", Raw(id))
		}
	}
	return f
}

// rowBlocks are the rows that were not seen done, each with its cause.
func (s *logging) rowBlocks() []Piece {
	if s.run.Kind == state.DryRun {
		return nil
	}
	var list Checks
	for i, x := range s.rows {
		if i == logRows {
			list = append(list, Check{Mark: Info, Text: T("flow.more", "n", len(s.rows)-i)})
			break
		}
		c := Check{Mark: Stops, Text: T("flow.result.row", "no", x.No, "sign", x.Kind.Sign(), "upn", x.UPN, "outcome", T("outcome."+x.Outcome))}
		if x.Outcome == run.OutcomeNotYetSeen || x.Outcome == run.OutcomeNotTried {
			c.Mark = Warn
		}
		if x.Why != nil {
			c.Detail = append(c.Detail, T("home.l_why_code", "what", What{x.Why}, "code", string(x.Why.Code)))
			if u := x.Why.Upstream; u != nil && u.RequestID != "" {
				c.Detail = append(c.Detail, T("flow.result.request_id", "id", u.RequestID))
			}
		}
		list = append(list, c)
	}
	if s.seen > 0 {
		list = append(list, Check{Mark: OK, Text: T("home.l_rows_seen", "n", s.seen)})
	}
	if len(list) == 0 {
		return []Piece{Para{T("home.l_rows_none")}}
	}
	return []Piece{Heading{T("home.l_rows")}, list}
}

// logRows is how many rows of a run are written out; the command line has all.
const logRows = 100

func (s *logging) answer(d *data, a Answer) turn {
	s.err = nil
	switch firstOf(a.Command, a.Text) {
	case "again":
		return s.read(d)
	case "list":
		s.run = nil
		return turn{}
	case "plan":
		if s.run == nil || s.run.Fingerprint == "" {
			break
		}
		s.working = T("home.opening", "domain", d.domain)
		engine, domain, no := d.engine(), d.domain, s.run.No
		return does(effect(func(ctx context.Context, r Reporter) any {
			e := engine(r)
			out := homeOpened{domain: domain, to: Preview}
			if out.settings, out.err = e.Settings(ctx, domain); out.err != nil {
				return out
			}
			if out.planned, out.err = e.Stored(ctx, no); out.err == nil {
				out.review = newReviewed(out.planned.Plan)
			}
			return out
		}))
	}
	no, ok := number(a.Text)
	if !ok {
		return stayed(T("flow.not_a_choice"))
	}
	for _, one := range s.runs {
		if one.No != int64(no) {
			continue
		}
		s.working = T("home.logs_reading")
		engine := d.engine()
		return does(effect(func(ctx context.Context, r Reporter) any {
			out := runRead{run: one}
			if one.Kind != state.DryRun {
				out.rows, out.seen, out.err = engine(r).Rows(ctx, one.No)
			}
			return out
		}))
	}
	return stayed(T("flow.not_a_choice"))
}

func (s *logging) inner() bool { return s.run != nil }

func (s *logging) back(*data) (turn, bool) {
	was := s.run != nil
	s.run = nil
	return turn{}, was
}

func (s *logging) event(*data, any, time.Time) {}

func (s *logging) done(d *data, result any) turn {
	s.working = Text{}
	switch r := result.(type) {
	case logsRead:
		if r.err != nil {
			s.err = r.err
			return turn{}
		}
		s.runs, s.of = r.runs, r.domain
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
		d.settings, d.planned, d.review, d.resume = r.settings, r.planned, r.review, 0
		d.spec, d.count, d.overview, d.decisions = r.settings.Source, -1, nil, nil
		return goTo(Preview)
	}
	return turn{}
}

// history is the last runs as a chart: a column each, as high as what it changed.
func history(runs []state.Run) []Piece {
	c := Chart{Name: T("home.chart")}
	for i := len(runs) - 1; i >= 0; i-- {
		r := runs[i]
		s := run.SummaryOf(r)
		bar := Bar{At: r.Started}
		switch {
		case r.Kind == state.DryRun:
			continue
		case s.Problem != nil || r.State == state.Refused || r.State == state.Failed:
			bar.Mark = Stops
		case r.State == state.Partial || r.State == state.Stopped:
			bar.Mark = Warn
		default:
			bar.Mark = OK
		}
		bar.Value = s.Seen
		c.Bars = append(c.Bars, bar)
	}
	if len(c.Bars) < 2 {
		return nil
	}
	return []Piece{c}
}
