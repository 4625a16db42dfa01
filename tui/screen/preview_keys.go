package screen

import (
	"slices"
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/hacsync/hacsync/tui/flow"
	"github.com/hacsync/hacsync/tui/review"
	"github.com/hacsync/hacsync/tui/words"
)

func (s *preview) key(k tea.KeyPressMsg) ([]flow.Answer, tea.Cmd, bool) {
	name := keyName(k)
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
		return nil, s.filterKey(name), name != "?" && name != "q" && name != "L" && name != "ctrl+c"
	case s.open:
		if s.opened(name) {
			return nil, nil, true
		}
	}
	if s.body() == bodyQuestions {
		if answers, cmd, ok := s.questionKey(name); ok {
			return answers, cmd, true
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
func (s *preview) typed(k tea.KeyPressMsg, name string) ([]flow.Answer, tea.Cmd, bool) {
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

// filters are those of the tab.
func (s *preview) filters() []review.Filter { return review.Filters(s.tab) }

// filterKey is a key while the filters are to choose from.
func (s *preview) filterKey(name string) tea.Cmd {
	n := len(s.filters()) + 1
	switch name {
	case "esc", s.keyOf(flow.CmdFilter):
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
func (s *preview) choose(i int) tea.Cmd {
	s.menu, s.pick = false, picker{}
	s.filter = review.NoFilter
	if i > 0 {
		s.filter = s.filters()[i-1]
	}
	// The filters count the rows of all tabs, and so show them.
	if s.tab == review.TabSkip || s.tab == review.TabSummary || i > 0 && s.tab != review.TabQuestions {
		s.tab, s.attribute, s.reason = review.TabAll, "", 0
	}
	return s.ask(false)
}

// opened is a key while the detail takes the whole body.
func (s *preview) opened(name string) bool {
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
func (s *preview) moves(name string) bool {
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
func (s *preview) row() int {
	if b := s.body(); b == bodyReasons || b == bodySummary || b == bodyFilters || b == bodyQuestions {
		return -1
	}
	return s.table.Selected()
}

// answer is a key that the flow answers.
func (s *preview) answer(name string) []flow.Answer {
	one := func(command string, rows ...int) []flow.Answer { return []flow.Answer{{Command: command, Rows: rows}} }
	switch name {
	case "space":
		if s.body() == bodySummary {
			if line, ok := s.lists.line(s.pick.at); ok && line.attribute != "" {
				return []flow.Answer{{Command: flow.CmdAttribute, Text: string(line.attribute)}}
			}
			return nil
		}
		if i := s.row(); i >= 0 && i < s.g.Actions() {
			r := s.g.Row(i)
			if r.Out {
				return one(flow.CmdIn, r.No)
			}
			return one(flow.CmdOut, r.No)
		}
	case s.keyOf(flow.CmdAll):
		if s.body() == bodyTable {
			if a := s.all(); len(a.Rows) > 0 {
				return []flow.Answer{a}
			}
		}
	default:
		for _, c := range s.commands {
			if c.Key == name && c.On == flow.Anywhere && c.Arg.IsZero() && (c.At == nil || slices.Contains(c.At, flow.ShowsRows)) {
				return one(c.Name)
			}
		}
	}
	return nil
}

// named is a command by its name; of no name or in no plan it has no key.
func (s *preview) named(name string) flow.Command {
	for _, c := range s.commands {
		if c.Name == name {
			return c
		}
	}
	return flow.Command{Key: "\x00"}
}

func (s *preview) keyOf(name string) string { return s.named(name).Key }

// all is what * does to the rows shown: leave out those that are not, or take
// all in where none is.
func (s *preview) all() flow.Answer {
	a := flow.Answer{Command: flow.CmdIn}
	add := func(i int) {
		if i < s.g.Actions() {
			a.Rows = append(a.Rows, s.g.No(i))
		}
	}
	if s.found == nil {
		for i := range s.g.Actions() {
			add(i)
		}
	}
	for _, i := range s.found {
		add(int(i))
	}
	if slices.ContainsFunc(a.Rows, func(no int) bool { return !s.g.IsOut(no) }) {
		a.Command = flow.CmdOut
	}
	slices.Sort(a.Rows)
	return a
}

// command is a key that changes what is looked at.
func (s *preview) command(name string) ([]flow.Answer, tea.Cmd, bool) {
	tabs := s.g.Tabs()
	at := slices.IndexFunc(tabs, func(p review.Part) bool { return p.Tab == s.tab })
	switch name {
	case s.keyOf(flow.CmdSearch):
		s.typing, s.open = true, false
		if s.search.Value() == "" {
			s.before = s.table.Selected()
		}
		if s.tab == review.TabSummary {
			return nil, s.goTabTyping(review.TabAll), true
		}
	case s.keyOf(flow.CmdFilter):
		s.menu, s.pick = true, picker{at: slices.Index(s.filters(), s.filter) + 1}
	case s.keyOf(flow.CmdOrder):
		if b := s.body(); b != bodyTable && b != bodyQuestions {
			return nil, nil, false
		}
		s.order = (s.order + 1) % (review.ByName + 1)
		return nil, s.ask(false), true
	case "[":
		return nil, s.goTo(tabs[(at+len(tabs)-1)%len(tabs)].Tab), true
	case "]":
		return nil, s.goTo(tabs[(at+1)%len(tabs)].Tab), true
	case "enter":
		return nil, s.enter(), true
	case "esc":
		return s.esc()
	default:
		if i, err := strconv.Atoi(name); err == nil && len(name) == 1 && i >= 1 && i <= len(tabs) {
			return nil, s.goTo(tabs[i-1].Tab), true
		}
		if sign := s.g.Part(review.TabBlock).Sign; sign != "" && sign == name {
			return nil, s.goTo(review.TabBlock), true
		}
		return nil, nil, false
	}
	return nil, nil, true
}

func (s *preview) goTabTyping(t review.Tab) tea.Cmd {
	cmd := s.goTo(t)
	s.typing = true
	return cmd
}

// enter opens what is selected.
func (s *preview) enter() tea.Cmd {
	switch s.body() {
	case bodyReasons:
		line, ok := s.lists.line(s.pick.at)
		switch {
		case !ok:
		case line.reason > 0:
			s.reason = line.reason
			return s.ask(false)
		case line.out:
			s.tab, s.filter = review.TabAll, review.OutOnly
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
	case bodyFilters, bodyDetail, bodyQuestions:
	}
	return nil
}

// esc goes one step back within the screen; where there is none it is the shell's.
func (s *preview) esc() ([]flow.Answer, tea.Cmd, bool) {
	switch {
	case strings.TrimSpace(s.search.Value()) != "":
		s.search.Set("")
	case s.attribute != "" || s.reason > 0:
		s.attribute, s.reason = "", 0
	case s.filter != review.NoFilter:
		s.filter = review.NoFilter
	default:
		return nil, nil, false
	}
	return nil, s.ask(false), true
}

// scroll scrolls the detail; View keeps it within what there is.
func (s *preview) scroll(by int) {
	if i := s.row(); i != s.scrolledOf {
		s.scrolledOf, s.scrolled = i, 0
	}
	s.scrolled = max(0, s.scrolled+by)
}

func (s *preview) wheel(m tea.MouseWheelMsg) {
	by := 3
	switch m.Button {
	case tea.MouseWheelUp:
		by = -3
	case tea.MouseWheelDown:
	default:
		return
	}
	split := s.split(s.width)
	switch b := s.body(); {
	case b == bodyQuestions:
		s.scroll(by)
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

func (s *preview) click(x, y int) tea.Cmd {
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
		if i := y - s.listTop; i >= 0 && i <= len(s.filters()) {
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
		if split := s.split(s.width); split >= 0 && x >= split {
			return nil
		}
		if _, again := s.table.Click(y - s.tableTop); again {
			return s.enter()
		}
	case bodyQuestions:
		if i := y - s.listTop; i >= 0 && i < s.listed {
			if at := s.lined(); s.first+i < len(at) && at[s.first+i] >= 0 {
				s.turnTo(at[s.first+i])
			}
		}
	case bodyDetail:
	}
	return nil
}

// keys are those that work now, the important ones first.
func (s *preview) keys() []hint {
	e := s.e
	k := func(keys, id string, kv ...any) hint { return hint{keys, e.T("preview.key."+id, kv...)} }
	c := s.hint
	moves := []hint{k("[ ]", "tabs"), k("1-"+strconv.Itoa(min(9, len(s.g.Tabs()))), "tabs"), k("↑ ↓", "move"), k("pgup pgdn", "page"), k("home end", "ends")}
	switch b := s.body(); {
	case s.typing:
		return []hint{k("a-z", "type"), k("enter", "down"), k("esc", "esc_clear")}
	case b == bodyQuestions:
		return append(s.questionKeys(), moves...)
	case b == bodyFilters:
		return []hint{{"enter", e.T("tui.key.choose")}, {"1-" + strconv.Itoa(len(s.filters())+1), e.T("tui.key.choose")}, {"esc", e.T("word.back")}}
	case b == bodyReasons:
		return append([]hint{k("enter", "list"), c(flow.CmdSearch), c(flow.CmdAuditLog), c(flow.CmdLimit), c(flow.CmdSync), c(flow.CmdSave), c(flow.CmdDryRun)}, moves...)
	case b == bodySummary:
		out := []hint{k("enter", "its_rows")}
		if line, ok := s.lists.line(s.pick.at); ok && line.without {
			out = []hint{{"space", s.hint(flow.CmdIn).what}}
		} else if ok && line.attribute != "" {
			out = append(out, hint{"space", s.hint(flow.CmdOut).what})
		}
		return append(append(out, c(flow.CmdAuditLog), c(flow.CmdSave), c(flow.CmdLimit), c(flow.CmdSync), c(flow.CmdDryRun)), moves...)
	case b == bodyDetail:
		out := []hint{{"esc", e.T("word.back")}, k("↑ ↓", "detail")}
		return append(append(out, s.rowKeys()...), c(flow.CmdSync))
	}
	var out []hint
	shown := s.table.Len()
	if s.tab == review.TabBlock && s.filter == review.NoFilter {
		shown = s.g.Part(review.TabBlock).Count // who waits cannot be left out
	}
	if s.narrowed() {
		if strings.TrimSpace(s.search.Value()) != "" {
			out = append(out, k(s.keyOf(flow.CmdSearch), "search_change"))
		}
		out = append(out, s.rowKeys()...)
		if shown > 1 {
			out = append(out, k(s.keyOf(flow.CmdAll), "out_all", "n", shown))
		}
		if strings.TrimSpace(s.search.Value()) != "" {
			out = append(out, k("esc", "esc_clear"))
		} else {
			out = append(out, k("esc", "esc_filter"), c(flow.CmdSearch))
		}
		out = append(out, c(flow.CmdFilter), c(flow.CmdOrder), c(flow.CmdLimit), c(flow.CmdAuditLog), c(flow.CmdSync))
	} else {
		out = append(out, c(flow.CmdSearch), c(flow.CmdFilter))
		out = append(out, s.rowKeys()...)
		if s.g.Verdict().Deletions > 0 {
			out = append(out, c(flow.CmdLimit))
		}
		out = append(out, c(flow.CmdSync), c(flow.CmdAuditLog))
		if s.g.Notable(review.OutOnly) > 0 {
			out = append(out, c(flow.CmdTakeBack))
		}
		out = append(out, c(flow.CmdOrder))
	}
	out = append(out, k("enter", "open"), c(flow.CmdDryRun), c(flow.CmdSave), k("shift+↑ ↓", "detail"))
	if !s.narrowed() && shown > 1 {
		out = append(out, k(s.keyOf(flow.CmdAll), "out_all", "n", shown))
	}
	return append(append(out, s.others()...), moves...)
}

// others are the commands about rows that have no place of their own above.
func (s *preview) others() []hint {
	var out []hint
	for _, c := range s.commands {
		switch c.Name {
		case flow.CmdSearch, flow.CmdTakeBack, flow.CmdLimit, flow.CmdAuditLog, flow.CmdSave, flow.CmdDryRun, flow.CmdSync:
			continue
		}
		if c.Key != "" && c.On == flow.Anywhere && (c.At == nil || slices.Contains(c.At, flow.ShowsRows)) {
			out = append(out, s.hint(c.Name))
		}
	}
	return out
}

// hint is a command with its word: a shorter one in a narrow window.
func (s *preview) hint(name string) hint {
	c := s.named(name)
	short := c.Short
	switch narrow := s.width < previewBeside; {
	case name == flow.CmdSync && s.g.Plan().Undoes() > 0:
		short = words.T("preview.key.undo_now")
	case name == flow.CmdLimit && narrow:
		short = words.T("preview.key.limit_short")
	case name == flow.CmdAuditLog && narrow:
		short = words.T("preview.key.audit_short")
	}
	return hint{c.Key, s.e.Say(short)}
}

// rowKeys are the keys that concern the selected row.
func (s *preview) rowKeys() []hint {
	i := s.row()
	if i < 0 || i >= s.g.Actions() {
		return nil
	}
	var out []hint
	r := s.g.Row(i)
	if r.Out {
		return append(out, hint{"space", s.hint(flow.CmdIn).what})
	}
	return append(out, hint{"space", s.hint(flow.CmdOut).what})
}
