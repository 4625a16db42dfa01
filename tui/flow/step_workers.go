package flow

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/hacsync/hacsync/sync/periodic"
	"github.com/hacsync/hacsync/sync/state"
	"github.com/hacsync/hacsync/tui/words"
)

// workersStep shows who carries out periodic syncs, what waits, and how the last
// intervals ended. It reads again by itself.
type workersStep struct {
	base
	up   standing
	read bool
	at   time.Time
}

type standingRead struct {
	up  standing
	err error
}

// watchEvery is how often the workers are looked at.
const watchEvery = 5 * time.Second

func (s *workersStep) enter(d *data, _ bool) turn {
	if !s.read {
		s.working = words.T("home.workers_reading")
	}
	session, c := d.session, d.b.Clock()
	return does(looking(func(ctx context.Context, r Reporter) any {
		for {
			up, err := readStanding(ctx, session)
			if err != nil {
				return standingRead{up, err}
			}
			r.Note(standingRead{up: up})
			if err := c.Sleep(ctx, watchEvery); err != nil {
				return standingRead{up, err}
			}
		}
	}))
}

func (s *workersStep) view(d *data, now time.Time) View {
	v := View{Title: words.T("home.workers_title"), Status: words.T("home.workers_status")}
	if s.waits(&v) {
		return v
	}
	if s.err != nil {
		v.Blocks = append(v.Blocks, words.Trouble{Err: s.err})
	}
	v.Blocks = append(v.Blocks, s.workers(now)...)
	v.Blocks = append(v.Blocks, s.queue(now)...)
	v.Ask = Question{Kind: Choice, Text: words.T("flow.choose"), Preset: "home", Options: []Option{{Key: "home", Text: words.T("home.back")}}}
	v.Commands = []Command{checkAgain()}
	return v
}

func (s *workersStep) workers(now time.Time) []words.Piece {
	if len(s.up.workers) == 0 {
		return []words.Piece{words.Checks{{Mark: words.Warn, Text: words.T("home.w_never"), Detail: []words.Text{words.T("home.w_never_do")}}}}
	}
	t := words.Table{Head: []words.Text{{}, words.T("home.w_name"), words.T("home.w_seen_head"), words.T("home.w_doing"), words.T("home.w_done"), words.T("home.w_failed")}, Right: []int{4, 5}}
	for _, w := range s.up.workers {
		mark, doing := words.OK, words.T("home.w_idle")
		switch {
		case !w.Stopped.IsZero():
			mark, doing = words.ToCome, words.T("home.w_stopped", "at", when(w.Stopped, now))
		case now.Sub(w.Seen) > periodic.Silence:
			mark, doing = words.Stops, words.T("home.w_silent")
		case len(w.Doing) > 0:
			mark, doing = words.UnderWay, words.Is(words.Names(w.Doing))
		}
		t.Rows = append(t.Rows, []words.Text{
			words.Raw(mark.String()), words.Raw(w.Name), words.T("home.ago", "ago", now.Sub(w.Seen)), doing, words.Num(int(w.Done)), words.Num(int(w.Failed)),
		})
	}
	return []words.Piece{words.Heading{Text: words.T("home.w_head")}, t}
}

// queue are the domains by when they are due, those under way first.
func (s *workersStep) queue(now time.Time) []words.Piece {
	list := make([]periodic.Status, 0, len(s.up.domains))
	for _, p := range s.up.domains {
		if p.State != state.Disabled {
			list = append(list, p)
		}
	}
	if len(list) == 0 {
		return []words.Piece{words.Heading{Text: words.T("home.q_head")}, words.Para{Text: words.T("home.q_none")}}
	}
	slices.SortFunc(list, func(a, b periodic.Status) int {
		if (a.Turn != nil) != (b.Turn != nil) {
			if a.Turn != nil {
				return -1
			}
			return 1
		}
		if c := a.Due.Compare(b.Due); c != 0 {
			return c
		}
		return strings.Compare(a.Domain, b.Domain)
	})
	t := words.Table{Head: []words.Text{words.T("word.domain"), words.T("home.periodic"), words.T("home.q_next"), words.T("home.q_last"), words.T("home.q_took"), words.T("home.q_changes")}, Right: []int{4, 5}}
	chart := words.Chart{Name: words.T("home.q_chart")}
	for _, p := range list {
		standing := words.T("home.ps_" + string(p.State))
		if p.Turn != nil {
			standing = words.T("home.q_now", "worker", p.Turn.Worker)
		}
		row := []words.Text{words.Raw(p.Domain), standing, {}, {}, {}, {}}
		if p.State == state.Enabled {
			row[2] = when(p.Due, now)
		}
		if i := p.Last; i != nil {
			row[3], row[4], row[5] = words.T("home.o_"+strings.ReplaceAll(i.Outcome, "-", "_")), words.Is(i.Ended.Sub(i.Started)), words.Num(i.Changes())
			mark := words.OK
			if i.Why != nil {
				mark = words.Stops
			}
			chart.Bars = append(chart.Bars, words.Bar{At: i.Started, Value: i.Seen, Mark: mark})
		}
		t.Rows = append(t.Rows, row)
	}
	out := []words.Piece{words.Heading{Text: words.T("home.q_head")}, t}
	if len(chart.Bars) > 1 {
		slices.SortFunc(chart.Bars, func(a, b words.Bar) int { return a.At.Compare(b.At) })
		out = append(out, chart)
	}
	return out
}

func (s *workersStep) answer(d *data, a Answer) turn {
	switch cmp.Or(a.Command, a.Text) {
	case "home":
		return turn{stop: true, move: backward}
	case "again":
		t := s.enter(d, false)
		t.stop = true
		return t
	}
	return turn{}
}

func (s *workersStep) event(d *data, e any, _ time.Time) {
	if r, ok := e.(standingRead); ok {
		s.working, s.err, s.up, s.read, s.at = words.Text{}, nil, r.up, true, d.now()
	}
}

func (s *workersStep) done(_ *data, result any) turn {
	if r, ok := result.(standingRead); ok && r.err != nil {
		s.working, s.err = words.Text{}, r.err
	}
	return turn{}
}
