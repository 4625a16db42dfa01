package step

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/tui/flow"
	"github.com/hacsync/hacsync/tui/widget"
)

// Preview shows the plan row by row: tabs, the guard's verdict, what deserves a
// look, the table and the detail of the selected row. It holds where the person
// looks; what is left out is the flow's, which answers change. It is the screen
// of every view that has a Reading.
//
// Rows are made when they are drawn. Looking for names and sorting go through a
// command on a Finder of its own; a keystroke that comes meanwhile stops it, and
// what an older one brings is dropped.
type Preview struct {
	e *Env
	// asks draws what the flow asks meanwhile: how long, why, the limit.
	asks *General
	v    flow.View
	g    *flow.Reading
	// version is the review's as of the last Sync.
	version int

	tab    flow.Tab
	filter flow.Filter
	order  flow.Order
	search widget.Input
	typing bool
	// attribute and reason are what the summary and the skips were opened to: the
	// rows of one line of theirs.
	attribute directory.Attribute
	reason    int

	table *widget.Table
	rows  *previewRows
	// answered is the query whose rows the table shows, in found; nil is all.
	answered flow.Query
	found    []int32
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
	tab      flow.Tab
}

// NewPreview makes the screen.
func NewPreview(e *Env) *Preview {
	s := &Preview{e: e, asks: NewGeneral(e), tab: flow.TabAll, before: -1, scrolledOf: -1}
	s.rows = &previewRows{s: s}
	s.table = widget.NewTable(nil, widget.Styles{})
	return s
}

// Sync takes what the flow shows. Where the person looks stays as it is while
// the plan is the same one.
func (s *Preview) Sync(v flow.View) {
	s.v = v
	if v.Reading == nil {
		s.asks.Sync(v)
		return
	}
	if v.Reading != s.g {
		s.begin(v.Reading)
		return
	}
	if s.version != s.g.Version() {
		s.version = s.g.Version()
		s.rows.forget()
		if s.filter == flow.OutOnly {
			s.ask(false)
		}
	}
}

// asking reports whether the flow asks something instead of listing rows.
func (s *Preview) asking() bool { return s.v.Reading == nil }

// Headed: tabs and verdict stand above table and detail.
func (s *Preview) Headed() bool { return !s.asking() }

// begin shows another plan.
func (s *Preview) begin(g *flow.Reading) {
	s.cancel()
	s.g, s.version = g, g.Version()
	s.tab, s.filter, s.order = flow.TabAll, flow.NoFilter, flow.ByRisk
	s.search, s.typing, s.attribute, s.reason = widget.Input{}, false, "", 0
	s.menu, s.open, s.scrolled, s.scrolledOf, s.before = false, false, 0, -1, -1
	s.pick, s.lists = picker{}, listCache{}
	s.rows.forget()
	s.table.SetRows(s.rows)
	s.answered, s.found = s.query(), nil
	s.want(g.Wanted())
}

// lookUp is how many rows may be looked through at once.
const lookUp = 5000

// want selects the row that the flow itself looked for.
func (s *Preview) want(search string) {
	if search == "" || s.g.Len() > lookUp {
		return
	}
	rows, err := s.g.Finder(flow.Query{Tab: flow.TabAll, Search: search}).Find(context.Background())
	if err == nil && len(rows) > 0 {
		s.table.Select(int(rows[0]))
	}
}

func (s *Preview) query() flow.Query {
	return flow.Query{
		Tab: s.tab, Filter: s.filter, Search: s.search.Value(), Order: s.order, Attribute: s.attribute, Reason: s.reason,
	}
}

// Found is what a query brought: the shell gives it to the preview.
type Found struct {
	tag   int
	query flow.Query
	rows  []int32
	err   error
}

// settle is how long a keystroke is waited for before a large plan is searched.
const settle = 60 * time.Millisecond

// ask brings the rows of the present query: at once where that is cheap, else
// through a command.
func (s *Preview) ask(typed bool) tea.Cmd {
	s.cancel()
	q := s.query()
	if q.Whole() {
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
				return Found{tag: tag, err: ctx.Err()}
			}
		}
		rows, err := finder.Find(ctx)
		return Found{tag: tag, query: q, rows: rows, err: err}
	}
}

// pendingFree reports whether q only narrows what was answered.
func (s *Preview) pendingFree(q flow.Query) bool {
	a := s.answered
	same := a.Tab == q.Tab && a.Filter == q.Filter && a.Order == q.Order && a.Attribute == q.Attribute && a.Reason == q.Reason
	return same && q.Filter != flow.OutOnly && flow.Narrows(q.Search, a.Search)
}

func (s *Preview) cancel() {
	if s.stop != nil {
		s.stop()
		s.stop = nil
	}
	s.tag++
	s.pending = false
}

// show gives the table its rows; nil are all actions.
func (s *Preview) show(q flow.Query, rows []int32) {
	lost := s.table.Selected() < 0
	q.Within = nil
	s.answered, s.found = q, rows
	s.table.Show(rows)
	if lost && s.before >= 0 {
		s.table.Select(s.before)
	}
}

// narrowed reports whether not all rows of the tab are shown.
func (s *Preview) narrowed() bool {
	return s.filter != flow.NoFilter || strings.TrimSpace(s.search.Value()) != "" || s.attribute != ""
}

// what the body below the head shows.
type body uint8

const (
	bodyTable body = iota
	bodyReasons
	bodySummary
	bodyFilters
	bodyDetail
)

func (s *Preview) body() body {
	plain := strings.TrimSpace(s.search.Value()) == "" && s.filter == flow.NoFilter
	switch {
	case s.menu:
		return bodyFilters
	case s.open:
		return bodyDetail
	case s.tab == flow.TabSkip && s.reason == 0 && plain:
		return bodyReasons
	case s.tab == flow.TabSummary && s.attribute == "":
		return bodySummary
	}
	return bodyTable
}

// goTo shows a tab; filter and search belong to what was looked at.
func (s *Preview) goTo(t flow.Tab) tea.Cmd {
	if t == flow.TabSkip || t == flow.TabSummary {
		s.filter = flow.NoFilter
		s.search.Set("")
	}
	s.tab, s.attribute, s.reason, s.open, s.menu, s.typing = t, "", 0, false, false, false
	s.pick = picker{}
	return s.ask(false)
}

// Update takes what the person does, and what a query brought.
func (s *Preview) Update(msg tea.Msg) ([]flow.Answer, tea.Cmd, bool) {
	if m, ok := msg.(Found); ok {
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

func (s *Preview) key(k tea.KeyPressMsg) ([]flow.Answer, tea.Cmd, bool) {
	name := KeyName(k)
	switch name {
	case "shift+up":
		s.scroll(-1)
		return nil, nil, true
	case "shift+down":
		s.scroll(1)
		return nil, nil, true
	}
	switch {
	case s.typing:
		return s.typed(k, name)
	case s.menu:
		return nil, s.filters(name), name != "?" && name != "q" && name != "L" && name != "ctrl+c"
	case s.open:
		if s.opened(name) {
			return nil, nil, true
		}
	}
	if s.moves(name) {
		return nil, nil, true
	}
	if a := s.answer(name); a != nil {
		return a, nil, true
	}
	return s.command(name)
}

// typed is a key while a search is typed.
func (s *Preview) typed(k tea.KeyPressMsg, name string) ([]flow.Answer, tea.Cmd, bool) {
	switch name {
	case "esc":
		s.typing = false
		s.search.Set("")
		return nil, s.ask(false), true
	case "enter", "tab", "down", "up":
		s.typing = false
		return nil, nil, true
	case "pgdown", "pgup":
		s.typing = false
		s.moves(name)
		return nil, nil, true
	}
	was := s.search.Value()
	if !s.search.Key(k) {
		return nil, nil, false
	}
	if s.search.Value() == was {
		return nil, nil, true
	}
	return nil, s.ask(true), true
}

// filters is a key while the filters are to choose from.
func (s *Preview) filters(name string) tea.Cmd {
	n := len(flow.Filters()) + 1
	switch name {
	case "esc", "f":
		s.menu = false
	case "enter", "space":
		return s.choose(s.pick.at)
	case "up", "k":
		s.pick.at = (s.pick.at + n - 1) % n
	case "down", "j":
		s.pick.at = (s.pick.at + 1) % n
	case "home":
		s.pick.at = 0
	case "end":
		s.pick.at = n - 1
	default:
		if i, err := strconv.Atoi(name); err == nil && i >= 1 && i <= n {
			return s.choose(i - 1)
		}
	}
	return nil
}

// choose takes the filter at a place; the first shows all.
func (s *Preview) choose(i int) tea.Cmd {
	s.menu, s.pick = false, picker{}
	s.filter = flow.NoFilter
	if i > 0 {
		s.filter = flow.Filters()[i-1]
	}
	if s.tab == flow.TabSkip || s.tab == flow.TabSummary {
		s.tab, s.attribute, s.reason = flow.TabAll, "", 0
	}
	return s.ask(false)
}

// opened is a key while the detail takes the whole body.
func (s *Preview) opened(name string) bool {
	switch name {
	case "esc", "enter":
		s.open, s.scrolled = false, 0
	case "up", "k":
		s.scroll(-1)
	case "down", "j":
		s.scroll(1)
	case "pgup":
		s.scroll(-max(1, s.height-6))
	case "pgdown":
		s.scroll(max(1, s.height-6))
	case "home":
		s.scrolled = 0
	case "end":
		s.scrolled = 1 << 20
	default:
		return false
	}
	return true
}

// moves is a key that moves the selection.
func (s *Preview) moves(name string) bool {
	if b := s.body(); b == bodyReasons || b == bodySummary {
		// The tab may have come with the key before this one.
		if b == bodyReasons {
			s.pick.fit(s.reasons(s.lists.of.width), max(1, s.height-6))
		} else {
			s.pick.fit(s.summary(s.width), max(1, s.height-6))
		}
		return s.pick.moves(name, max(1, s.height-6))
	}
	switch name {
	case "up", "k":
		s.table.Move(-1)
	case "down", "j":
		s.table.Move(1)
	case "pgup":
		s.table.Page(-1)
	case "pgdown":
		s.table.Page(1)
	case "home":
		s.table.Go(0)
	case "end":
		s.table.Go(s.table.Len() - 1)
	default:
		return false
	}
	return true
}

// row is the selected row, -1 where there is none.
func (s *Preview) row() int {
	if b := s.body(); b == bodyReasons || b == bodySummary || b == bodyFilters {
		return -1
	}
	return s.table.Selected()
}

// answer is a key that the flow answers.
func (s *Preview) answer(name string) []flow.Answer {
	one := func(command, text string) []flow.Answer { return []flow.Answer{{Command: command, Text: text}} }
	switch name {
	case "space":
		if s.body() == bodySummary {
			if line, ok := s.lists.line(s.pick.at); ok && line.attribute != "" {
				return one("attribute", string(line.attribute))
			}
			return nil
		}
		if i := s.row(); i >= 0 && i < s.g.Actions() {
			r := s.g.Row(i)
			if r.Out {
				return one("in", strconv.Itoa(r.No))
			}
			return one("out", strconv.Itoa(r.No))
		}
	case "*":
		if s.body() == bodyTable {
			if command, nos := s.all(); nos != "" {
				return one(command, nos)
			}
		}
	case "=":
		if i := s.row(); i >= 0 && s.g.Row(i).Pair > 0 {
			return one("same", strconv.Itoa(s.g.Row(i).No))
		}
	case "z":
		return one("takeback", "")
	case "m":
		return one("limit", "")
	case "a":
		return one("auditlog", "")
	case "w":
		return one("save", "")
	case "d":
		return one("dryrun", "")
	case "s":
		return one("sync", "")
	case "esc":
		if s.g.Wanted() != "" && !s.narrowed() && s.reason == 0 {
			// The flow looked for a row; that is no step to go back.
			return []flow.Answer{{Command: "search"}, {Command: flow.CmdBack}}
		}
	}
	return nil
}

// all is what * does to the rows shown: leave out those that are not, or take
// all in where none is.
func (s *Preview) all() (command, nos string) {
	var rows []int32
	if s.found == nil {
		rows = make([]int32, s.g.Actions())
		for i := range rows {
			rows[i] = int32(i) //nolint:gosec // rows of a plan
		}
	} else {
		rows = slices.DeleteFunc(slices.Clone(s.found), func(i int32) bool { return int(i) >= s.g.Actions() })
		slices.Sort(rows)
	}
	command = "in"
	for _, i := range rows {
		if !s.g.IsOut(int(i)) {
			command = "out"
			break
		}
	}
	var b strings.Builder
	for n := 0; n < len(rows); {
		from := s.g.No(int(rows[n]))
		to := from
		for n++; n < len(rows) && s.g.No(int(rows[n])) == to+1; n++ {
			to++
		}
		if b.Len() > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.Itoa(from))
		if to > from {
			b.WriteString("-" + strconv.Itoa(to))
		}
	}
	return command, b.String()
}

// command is a key that changes what is looked at.
func (s *Preview) command(name string) ([]flow.Answer, tea.Cmd, bool) {
	tabs := flow.Tabs()
	at := slices.Index(tabs, s.tab)
	switch name {
	case "/":
		s.typing, s.open = true, false
		if s.search.Value() == "" {
			s.before = s.table.Selected()
		}
		if s.tab == flow.TabSummary {
			return nil, s.goTabTyping(flow.TabAll), true
		}
	case "f":
		s.menu, s.pick = true, picker{at: slices.Index(flow.Filters(), s.filter) + 1}
	case "o":
		if s.body() != bodyTable {
			return nil, nil, false
		}
		s.order = (s.order + 1) % (flow.ByName + 1)
		return nil, s.ask(false), true
	case "[":
		return nil, s.goTo(tabs[(at+len(tabs)-1)%len(tabs)]), true
	case "]":
		return nil, s.goTo(tabs[(at+1)%len(tabs)]), true
	case "enter":
		return nil, s.enter(), true
	case "esc":
		return s.esc()
	default:
		if i, err := strconv.Atoi(name); err == nil && len(name) == 1 && i >= 1 && i <= len(tabs) {
			return nil, s.goTo(tabs[i-1]), true
		}
		return nil, nil, false
	}
	return nil, nil, true
}

func (s *Preview) goTabTyping(t flow.Tab) tea.Cmd {
	cmd := s.goTo(t)
	s.typing = true
	return cmd
}

// enter opens what is selected.
func (s *Preview) enter() tea.Cmd {
	switch s.body() {
	case bodyReasons:
		line, ok := s.lists.line(s.pick.at)
		switch {
		case !ok:
		case line.reason > 0:
			s.reason = line.reason
			return s.ask(false)
		case line.out:
			s.tab, s.filter = flow.TabAll, flow.OutOnly
			return s.ask(false)
		}
	case bodySummary:
		if line, ok := s.lists.line(s.pick.at); ok && line.attribute != "" && !line.without {
			s.attribute = line.attribute
			return s.ask(false)
		}
	case bodyTable:
		if s.table.Selected() >= 0 {
			s.open, s.scrolled = true, 0
		}
	case bodyFilters, bodyDetail:
	}
	return nil
}

// esc goes one step back within the screen; where there is none it is the shell's.
func (s *Preview) esc() ([]flow.Answer, tea.Cmd, bool) {
	switch {
	case strings.TrimSpace(s.search.Value()) != "":
		s.search.Set("")
	case s.attribute != "" || s.reason > 0:
		s.attribute, s.reason = "", 0
	case s.filter != flow.NoFilter:
		s.filter = flow.NoFilter
	default:
		return nil, nil, false
	}
	return nil, s.ask(false), true
}

// scroll scrolls the detail; View keeps it within what there is.
func (s *Preview) scroll(by int) {
	if i := s.row(); i != s.scrolledOf {
		s.scrolledOf, s.scrolled = i, 0
	}
	s.scrolled = max(0, s.scrolled+by)
}

func (s *Preview) wheel(m tea.MouseWheelMsg) {
	by := 3
	switch m.Button {
	case tea.MouseWheelUp:
		by = -3
	case tea.MouseWheelDown:
	default:
		return
	}
	split := s.Split(s.width)
	switch b := s.body(); {
	case b == bodyReasons || b == bodySummary || b == bodyFilters:
		if by < 0 {
			s.pick.moves("up", 1)
		} else {
			s.pick.moves("down", 1)
		}
	case b == bodyDetail || split >= 0 && m.X > split || split < 0 && m.Y > s.tableTop+s.tableHeight(s.height):
		s.scroll(by)
	default:
		s.table.Wheel(by)
	}
}

func (s *Preview) click(x, y int) tea.Cmd {
	if y == 0 {
		for _, t := range s.tabs {
			if x >= t.from && x < t.to {
				return s.goTo(t.tab)
			}
		}
		return nil
	}
	switch s.body() {
	case bodyFilters:
		if i := y - s.listTop; i >= 0 && i <= len(flow.Filters()) {
			return s.choose(i)
		}
	case bodyReasons, bodySummary:
		i := y - s.listTop + s.pick.top
		if line, ok := s.lists.line(i); ok && y >= s.listTop && line.selectable() {
			again := s.pick.at == i
			s.pick.at = i
			if again {
				return s.enter()
			}
		}
	case bodyTable:
		if split := s.Split(s.width); split >= 0 && x >= split {
			return nil
		}
		if _, again := s.table.Click(y - s.tableTop); again {
			return s.enter()
		}
	case bodyDetail:
	}
	return nil
}
