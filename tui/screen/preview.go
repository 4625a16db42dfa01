package screen

import (
	"context"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/tui/flow"
	"github.com/hacsync/hacsync/tui/review"
	"github.com/hacsync/hacsync/tui/widget"
)

// preview shows the plan row by row: tabs, the guard's verdict, what deserves a
// look, the table and the detail of the selected row. It holds where the person
// looks; what is left out is the flow's, which answers change. It is the screen
// of every view that has a review.
//
// Rows are made when they are drawn. Looking for names and sorting go through a
// command on a Finder of its own; a keystroke that comes meanwhile stops it, and
// what an older one brings is dropped.
type preview struct {
	e *env
	// asks draws what the flow asks meanwhile: how long, why, the limit.
	asks *general
	v    flow.View
	g    *review.Review
	// commands are those of the plan; while something is stored the flow offers none.
	commands []flow.Command
	// version is the review's as of the last Sync, shape too.
	version, shape int

	// at is the question that is shown, candidate the row of it that same person
	// would mean, -1 for none yet. first is the first line that the list shows.
	at, candidate, first int
	listed               int // lines that the list has room for
	// asked are the places of the questions that are listed, in their order.
	asked  []int
	turned int       // as of the last Sync
	told   flow.Look // as the flow knows it

	tab    review.Tab
	filter review.Filter
	order  review.Order
	search widget.Input
	typing bool
	// attribute and reason are what the summary and the skips were opened to: the
	// rows of one line of theirs.
	attribute directory.Attribute
	reason    int

	table *widget.Table
	rows  *previewRows
	// answered is the query whose rows the table shows, in found; nil is all.
	answered review.Query
	found    []int32
	groups   []review.Group
	before   int // the row selected before a search, for one that finds none

	tag     int // of the query under way
	pending bool
	stop    context.CancelFunc

	menu bool // the filters to choose from
	pick picker
	open bool // the detail takes the whole body
	// scrolled is the first line of the detail, of row scrolledOf.
	scrolled, scrolledOf int
	detail               detailCache
	head                 headCache
	lists                listCache

	width, height int // of the last View
	tabs          []span
	tableTop      int // line of the body where the table begins
	listTop       int // or the list of reasons, attributes, filters
	cursorX       int
	cursorY       int
}

// span is a tab's place on its line.
type span struct {
	from, to int
	tab      review.Tab
}

// newPreview makes the screen.
func newPreview(e *env) *preview {
	s := &preview{e: e, asks: newGeneral(e), tab: review.TabAll, before: -1, scrolledOf: -1}
	s.rows = &previewRows{s: s}
	s.table = widget.NewTable(nil, widget.Styles{})
	return s
}

// Sync takes what the flow shows. Where the person looks stays as it is while
// the plan is the same one.
func (s *preview) Sync(v flow.View) {
	s.v = v
	if v.Review == nil {
		s.asks.Sync(v)
		return
	}
	if len(v.Commands) > 0 {
		s.commands = v.Commands
	}
	if v.Review != s.g {
		s.turned = v.Turned
		s.begin(v.Review)
		return
	}
	if v.Turned != s.turned {
		s.turned = v.Turned
		s.goTo(review.TabQuestions)
		s.turnTo(max(0, s.nextOpen(-1)))
	}
	if s.version != s.g.Version() {
		s.version = s.g.Version()
		s.rows.forget()
		s.reshaped()
		if s.filter == review.OutOnly {
			s.ask(false)
		}
	}
}

// reshaped shows the rows again after an answer added or removed some.
func (s *preview) reshaped() {
	if s.shape == s.g.Shape() {
		return
	}
	s.shape = s.g.Shape()
	pending := s.pending
	s.cancel()
	s.lists, s.detail, s.before = listCache{}, detailCache{}, -1
	s.rows.forget()
	s.table.SetRows(s.rows)
	s.answered, s.found = review.Query{}, nil
	if s.tab == review.TabQuestions && !pending {
		return // what is listed stays, and where the person is
	}
	s.search, s.typing, s.order, s.reason = widget.Input{}, false, review.ByRisk, 0
	s.ask(false)
}

// asking reports whether the flow asks something instead of listing rows.
func (s *preview) asking() bool { return s.v.Review == nil }

// begin shows another plan.
func (s *preview) begin(g *review.Review) {
	s.cancel()
	s.g, s.version, s.shape = g, g.Version(), g.Shape()
	s.tab, s.filter, s.order = review.TabAll, review.NoFilter, review.ByRisk
	s.at, s.candidate, s.first, s.asked = 0, -1, 0, nil
	if g.Waiting() {
		s.tab = review.TabQuestions
	}
	s.search, s.typing, s.attribute, s.reason = widget.Input{}, false, "", 0
	if was := s.v.Look; slices.ContainsFunc(g.Tabs(), func(p review.Part) bool { return p.Tab == was.Tab }) {
		s.tab, s.filter = was.Tab, was.Filter
		s.search.Set(was.Search)
	}
	s.told = s.looks()
	s.menu, s.open, s.scrolled, s.scrolledOf, s.before = false, false, 0, -1, -1
	s.pick, s.lists = picker{}, listCache{}
	s.rows.forget()
	s.table.SetRows(s.rows)
	s.answered, s.found = review.Query{}, nil
	s.ask(false)
	s.at = max(0, s.nextOpen(-1))
	s.table.Go(0)
}

// lookUp is how many rows may be looked through at once.
const lookUp = 5000

func (s *preview) query() review.Query {
	return review.Query{
		Tab: s.tab, Filter: s.filter, Search: s.search.Value(), Order: s.order, Attribute: s.attribute, Reason: s.reason,
	}
}

// foundMsg is what a query brought: the shell gives it to the preview.
type foundMsg struct {
	tag   int
	query review.Query
	rows  []int32
	err   error
}

// settle is how long a keystroke is waited for before a large plan is searched.
const settle = 60 * time.Millisecond

// ask brings the rows of the present query: at once where that is cheap, else
// through a command.
func (s *preview) ask(typed bool) tea.Cmd {
	s.cancel()
	q := s.query()
	if s.g.Whole(q) {
		s.show(q, nil)
		return nil
	}
	if s.pendingFree(q) {
		if n := len(s.found); n > 0 {
			q.Within = s.found
		}
	}
	finder := s.g.Finder(q)
	if finder.Cheap() {
		rows, err := finder.Find(context.Background())
		if err == nil {
			s.show(q, rows)
		}
		return nil
	}
	s.tag++
	s.pending = true
	ctx, stop := context.WithCancel(context.Background())
	s.stop = stop
	wait := time.Duration(0)
	if typed && s.g.Len() > lookUp {
		wait = settle
	}
	tag := s.tag
	return func() tea.Msg {
		if wait > 0 {
			t := time.NewTimer(wait)
			defer t.Stop()
			select {
			case <-t.C:
			case <-ctx.Done():
				return foundMsg{tag: tag, err: ctx.Err()}
			}
		}
		rows, err := finder.Find(ctx)
		return foundMsg{tag: tag, query: q, rows: rows, err: err}
	}
}

// pendingFree reports whether q only narrows what was answered.
func (s *preview) pendingFree(q review.Query) bool {
	a := s.answered
	same := a.Tab == q.Tab && a.Filter == q.Filter && a.Order == q.Order && a.Attribute == q.Attribute && a.Reason == q.Reason
	return same && q.Filter != review.OutOnly && review.Narrows(q.Search, a.Search)
}

func (s *preview) cancel() {
	if s.stop != nil {
		s.stop()
		s.stop = nil
	}
	s.tag++
	s.pending = false
}

// show gives the table its rows; nil are all actions.
func (s *preview) show(q review.Query, rows []int32) {
	lost := s.table.Selected() < 0
	q.Within = nil
	s.answered, s.found = q, rows
	s.table.Show(rows)
	s.groups = s.g.Groups(q, rows)
	if q.Tab == review.TabQuestions {
		s.listQuestions(rows)
	}
	if lost && s.before >= 0 {
		s.table.Select(s.before)
	}
}

// narrowed reports whether not all rows of the tab are shown.
func (s *preview) narrowed() bool {
	return s.filter != review.NoFilter || strings.TrimSpace(s.search.Value()) != "" || s.attribute != ""
}

// what the body below the head shows.
type body uint8

const (
	bodyTable body = iota
	bodyReasons
	bodySummary
	bodyFilters
	bodyDetail
	bodyQuestions
)

func (s *preview) body() body {
	plain := strings.TrimSpace(s.search.Value()) == "" && s.filter == review.NoFilter
	switch {
	case s.menu:
		return bodyFilters
	case s.open:
		return bodyDetail
	case s.tab == review.TabQuestions:
		return bodyQuestions
	case s.tab == review.TabSkip && s.reason == 0 && plain:
		return bodyReasons
	case s.tab == review.TabSummary && s.attribute == "":
		return bodySummary
	}
	return bodyTable
}

// goTo shows a tab; filter and search belong to what was looked at.
func (s *preview) goTo(t review.Tab) tea.Cmd {
	if t == review.TabSkip || t == review.TabSummary || t == review.TabQuestions || s.tab == review.TabQuestions {
		s.filter = review.NoFilter
		s.search.Set("")
	}
	from := s.tab
	s.tab, s.attribute, s.reason, s.open, s.menu, s.typing = t, "", 0, false, false, false
	s.pick = picker{}
	cmd := s.ask(false)
	if from == review.TabQuestions {
		s.table.Go(0) // no row was selected there
	}
	return cmd
}

// Update takes what the person does, and what a query brought.
func (s *preview) Update(msg tea.Msg) ([]flow.Answer, tea.Cmd, bool) {
	answers, cmd, handled := s.update(msg)
	if is := s.looks(); s.v.Review != nil && !s.typing && is != s.told {
		s.told = is
		answers = append(answers, flow.Answer{Command: flow.CmdLook, Look: is})
	}
	return answers, cmd, handled
}

// looks is where the person is.
func (s *preview) looks() flow.Look {
	return flow.Look{Tab: s.tab, Filter: s.filter, Search: strings.TrimSpace(s.search.Value())}
}

func (s *preview) update(msg tea.Msg) ([]flow.Answer, tea.Cmd, bool) {
	if m, ok := msg.(foundMsg); ok {
		if m.tag == s.tag && m.err == nil {
			s.pending = false
			s.show(m.query, m.rows)
		}
		return nil, nil, true
	}
	if s.asking() {
		return s.asks.Update(msg)
	}
	switch m := msg.(type) {
	case tea.KeyPressMsg:
		return s.key(m)
	case tea.PasteMsg:
		if s.typing {
			s.search.Insert(m.Content)
			return nil, s.ask(true), true
		}
	case tea.MouseWheelMsg:
		s.wheel(m)
		return nil, nil, true
	case tea.MouseClickMsg:
		if m.Button == tea.MouseLeft {
			return nil, s.click(m.X, m.Y), true
		}
	}
	return nil, nil, false
}
