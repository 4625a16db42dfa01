package screen

import (
	"runtime/debug"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"
	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/hacsync/hacsync/sync/message"
	"github.com/hacsync/hacsync/tui/flow"
	"github.com/hacsync/hacsync/tui/widget"
)

// The least window in which the question and its answers have room.
const (
	leastWidth  = 40
	leastHeight = 10
)

// roomy is from where the rail and the date are written in full. Below low and below
// squat the frame gives way: first the rail, then the status line and the rules.
const (
	roomy = 100
	low   = 24
	squat = 16
)

func (s *Shell) small() bool { return s.width < leastWidth || s.height < leastHeight }

// View draws the whole window, every line exactly as wide as it.
func (s *Shell) View() (v tea.View) {
	defer func() {
		if what := recover(); what != nil {
			s.crash = &flow.Crash{What: what, Stack: debug.Stack()}
			v = tea.NewView("")
			v.AltScreen = true
		}
	}()
	s.views++
	s.cursor = nil
	if s.sized && s.width > 0 && s.height > 0 && s.screen != nil && !s.leaving {
		v = tea.NewView(strings.Join(s.lines(), "\n"))
		v.Cursor = s.cursor
	}
	v.AltScreen = true
	v.MouseMode = tea.MouseModeCellMotion
	v.WindowTitle = s.windowTitle()
	v.ProgressBar = s.progressMark()
	return v
}

func (s *Shell) windowTitle() string {
	title := "hacsync"
	if t := s.v.Where.Tenant; t != "" {
		title += " - " + message.Clean(t)
	}
	if n := s.percent(); n >= 0 {
		title += " - " + s.env.Printer.Int(n) + " %"
	}
	return title
}

// percent is how far a sync is, -1 where none runs.
func (s *Shell) percent() int {
	w := s.v.Work
	if w == nil || w.Rows == nil {
		return -1
	}
	t := w.Sum()
	if t.Planned == 0 {
		return -1
	}
	return (t.Seen + t.Failed) * 100 / t.Planned
}

func (s *Shell) progressMark() *tea.ProgressBar {
	if n := s.percent(); n >= 0 {
		return tea.NewProgressBar(tea.ProgressBarDefault, n)
	}
	return nil
}

// lines are those of the window.
func (s *Shell) lines() []string {
	if s.small() {
		return s.tooSmall()
	}
	top := []string{s.header()}
	if r := s.rail(); r != "" {
		top = append(top, r)
	}
	notice, status := s.notice()
	var foot []string
	body := 0
	// What stands in the lines below is known when the screen is drawn, and how high
	// the screen is when they are: a second time where it was guessed wrong.
	for range 2 {
		guess := len(s.foot(status))
		body = s.height - len(top) - 2 - guess
		notice = notice[:min(len(notice), max(0, body-2))]
		s.now = s.screen.View(s.width, body-len(notice))
		if foot = s.foot(status); len(foot) == guess {
			break
		}
	}
	for len(foot) < s.height-len(top)-2-body {
		foot = slices.Insert(foot, 0, "")
	}
	foot = foot[:s.height-len(top)-2-body]
	split, above := s.now.split, s.now.split
	if s.now.headed {
		above = noSplit
	}
	var shown []string
	switch {
	case s.asks != notAsked:
		shown, split, above = s.quitQuestion(), noSplit, noSplit
	case s.help != nil:
		shown, split, above = strings.Split(s.help.view(s.entries(), s.env, s.width, body), "\n"), noSplit, noSplit
	default:
		shown = strings.Split(s.now.body, "\n")
		if at := s.now.cursor; at != nil && at.Y >= 0 && at.Y < body-len(notice) && at.X < s.width {
			s.cursor = tea.NewCursor(at.X, len(top)+1+at.Y)
		}
	}
	lines := make([]string, 0, s.height)
	lines = append(lines, top...)
	lines = append(lines, s.rule(above, s.env.Signs.Down))
	for i := range body - len(notice) {
		if i < len(shown) {
			lines = append(lines, shown[i])
		} else {
			lines = append(lines, "")
		}
	}
	joint := s.joins(shown, body-len(notice)-1, split)
	if len(notice) > 0 {
		notice[0] = s.rule(joint, s.env.Signs.Up)
		joint = -1
	}
	lines = append(lines, notice...)
	lines = append(lines, s.rule(joint, s.env.Signs.Up))
	lines = append(lines, foot...)
	for i, l := range lines {
		lines[i] = exactly(l, s.width)
	}
	return lines
}

// exactly makes a styled line as wide as the window.
func exactly(line string, width int) string {
	n := widget.Width(line)
	// It cuts between graphemes, some of which a terminal draws wider.
	for cut, whole := width, line; n > width && cut >= 0; cut-- {
		line = ansi.TruncateWc(whole, cut, "")
		n = widget.Width(line)
	}
	return line + strings.Repeat(" ", max(0, width-n))
}

// joins is the column where the wall of a line meets the rule next to it, or -1.
func (s *Shell) joins(lines []string, i, split int) int {
	if split < 0 || i < 0 || i >= len(lines) {
		return -1
	}
	if ansi.Strip(ansi.CutWc(lines[i], split, split+1)) != s.env.Signs.Wall {
		return -1
	}
	return split
}

func (s *Shell) rule(split int, joint string) string {
	g := s.env.Signs
	if split < 0 || split >= s.width {
		return paint(s.env.Styles.Rule, strings.Repeat(g.Rule, s.width))
	}
	return paint(s.env.Styles.Rule, strings.Repeat(g.Rule, split)+joint+strings.Repeat(g.Rule, s.width-split-1))
}

// bodyTop is the first row of the body.
func (s *Shell) bodyTop() int {
	if s.rail() != "" {
		return 3
	}
	return 2
}

// tooSmall is all that a window below the least size shows.
func (s *Shell) tooSmall() []string {
	text := s.env.T("tui.too_small", "width", s.width, "height", s.height)
	lines := widget.Wrap(text, max(s.width, 10))
	out := make([]string, s.height)
	for i := range out {
		if i < len(lines) {
			out[i] = lines[i]
		}
		out[i] = exactly(out[i], s.width)
	}
	return out
}

// header says what is real: version, connection, tenant, domain, and a badge.
func (s *Shell) header() string {
	st, w := s.env.Styles, s.v.Where
	badge, style := "badge.real", st.Badge
	switch {
	case w.Simulated:
		badge, style = "badge.simulated", st.Quiet
	case !w.Known && s.v.Step == flow.Welcome:
		badge, style = "badge.not-connected", st.Quiet
	}
	right := "[" + s.env.T(badge) + "]"
	parts := []string{strings.TrimSpace("hacsync " + short(message.Clean(w.Version), 16))}
	switch {
	case w.Known:
		tenant := message.Clean(w.Tenant)
		if w.Initial != "" && s.width >= roomy {
			tenant += ", " + message.Clean(w.Initial)
		}
		parts = append(parts, message.Clean(w.Connection), tenant)
	case s.v.Step == flow.Welcome:
		parts = append(parts, s.env.T("flow.plain.no_connection"))
	default:
		parts = append(parts, s.env.T("tui.new_connection"))
	}
	if w.Domain != "" {
		parts = append(parts, message.Clean(w.Domain))
	}
	room := s.width - widget.Width(right) - 3
	// The domain is always whole; the tenant's name gives way.
	wall := " " + s.env.Signs.Wall + " "
	for sum := widget.Width(strings.Join(parts, wall)); sum > room && len(parts) > 2; sum = widget.Width(strings.Join(parts, wall)) {
		give := parts
		if w.Domain != "" {
			give = parts[:len(parts)-1]
		}
		i := longestOf(give)
		if widget.Width(parts[i]) <= 8 {
			i = len(parts) - 1 // a domain that is too long by itself
		}
		n := widget.Width(parts[i])
		if n <= 8 {
			break
		}
		parts[i] = strings.TrimRight(widget.Fit(parts[i], max(8, n-(sum-room))), " ")
	}
	left := widget.Fit(strings.Join(parts, wall), room)
	return " " + paint(st.Header, left) + " " + paint(style, right)
}

// longestOf is the longest part after the first.
func longestOf(parts []string) int {
	best := 1
	for i := 1; i < len(parts); i++ {
		if widget.Width(parts[i]) > widget.Width(parts[best]) {
			best = i
		}
	}
	return best
}

// railSteps are the names on the rail.
var railSteps = [...]flow.Step{
	flow.SignIn, flow.Permissions, flow.Domain, flow.Grant, flow.Source, flow.DryRun, flow.Preview, flow.Sync,
}

// rail is the way through the set-up, empty after it.
func (s *Shell) rail() string {
	if s.v.Step > flow.DryRun || s.height < low-4 {
		return ""
	}
	here := s.v.Step.Rail()
	if here == 0 {
		return "" // the welcome shows the steps itself
	}
	// As wide as there is room for: all, those passed as one, and then fewer of those
	// ahead.
	for how := range len(railSteps) {
		parts, wide := s.railParts(here, how), 1
		for _, p := range parts {
			wide += widget.Width(p.text) + 2
		}
		if wide-2 > s.width {
			continue
		}
		line := make([]string, len(parts))
		for i, p := range parts {
			line[i] = paint(p.style, p.text)
		}
		return " " + strings.Join(line, "  ")
	}
	return ""
}

// railPart is a step on the rail, or several.
type railPart struct {
	text  string
	style lipgloss.Style
}

// railParts are the steps: passed, the present one, and those ahead, which differ by
// ok, by brackets, and by colour. how leaves out what there is no room for.
func (s *Shell) railParts(here, how int) []railPart {
	st := s.env.Styles
	var parts []railPart
	for i, x := range railSteps {
		n, name := i+1, s.env.T("tui.rail."+x.String())
		switch {
		case n < here && how == 0:
			parts = append(parts, railPart{"ok " + name, st.Done})
		case n == here-1:
			text := "ok 1"
			if n > 1 {
				text += "-" + s.env.Printer.Int(n)
			}
			parts = append(parts, railPart{text, st.Done})
		case n == here:
			parts = append(parts, railPart{"[" + s.env.Printer.Int(n) + " " + name + "]", st.Here})
		case how > 1 && n > here+1 && n == len(railSteps)-how+2:
			parts = append(parts, railPart{".. " + s.env.Printer.Int(len(railSteps)), st.Faint})
		case n > here && (how < 2 || n < len(railSteps)-how+2):
			parts = append(parts, railPart{s.env.Printer.Int(n) + " " + name, st.Faint})
		}
	}
	return parts
}

// notice is what was said: in the status line where it fits, else above the rule.
func (s *Shell) notice() (lines []string, status string) {
	if len(s.said) == 0 {
		return nil, ""
	}
	var all []string
	for _, t := range s.said {
		all = append(all, s.env.Say(t))
	}
	text := strings.Join(all, " ")
	if widget.Width(text) <= s.width-widget.Width(s.right(text))-4 {
		return nil, text
	}
	lines = append(lines, s.rule(-1, ""))
	for _, t := range all {
		for _, l := range widget.Wrap(t, min(s.width-2, 118)) {
			lines = append(lines, " "+paint(s.env.Styles.Heading, l))
		}
	}
	return lines[:min(len(lines), 7)], ""
}

// right is the right part of the status line: place, date, time, zone. Where left
// needs the room the date gives way.
func (s *Shell) right(left string) string {
	p, now := s.env.Printer, s.f.Now()
	at := p.Time(now)
	if s.width < roomy {
		at = p.Day(now) + strings.TrimPrefix(at, p.Date(now))
	}
	place := s.now.place
	if s.help != nil || s.asks != notAsked {
		place = ""
	}
	rights := []string{at, p.Clock(now)}
	if place != "" {
		rights = []string{place + "   " + at, place + "   " + p.Clock(now)}
	}
	for _, r := range rights {
		if widget.Width(left)+widget.Width(r)+4 <= s.width {
			return r
		}
	}
	return rights[len(rights)-1]
}

// foot are the lines below the body: what is true now, with place and time at the
// right, and the keys. A sentence that one line does not take goes on in a second
// one: what ends early may say the opposite.
func (s *Shell) foot(said string) []string {
	if s.height < squat && said == "" {
		return []string{s.footer()}
	}
	st := s.env.Styles
	left, style := said, st.Heading
	if left == "" {
		left, style = s.state(), st.Status
	}
	right := s.right(left)
	room := max(0, s.width-widget.Width(right)-4)
	line := func(l, r string) string {
		return " " + paint(style, widget.Fit(l, max(room, 0))) + "  " + paint(st.Status, r) + " "
	}
	if widget.Width(left) <= room {
		return []string{line(left, right), s.footer()}
	}
	if s.height < low {
		return []string{" " + paint(style, widget.FitWord(left, s.width-2)), s.footer()}
	}
	parts := widget.Wrap(left, room)
	if len(parts) > 2 {
		parts[1] = widget.FitWord(parts[1]+" "+parts[2], room)
	}
	return []string{line(parts[0], right), line(parts[1], ""), s.footer()}
}

func (s *Shell) state() string {
	if s.stopping {
		return s.env.T("flow.plain.stopping")
	}
	if s.now.status != "" {
		return s.now.status
	}
	if w := s.v.Work; w != nil {
		return s.pace(w)
	}
	if s.v.Status.IsZero() {
		return ""
	}
	return s.env.Say(s.v.Status)
}

// pace is how fast long work goes.
func (s *Shell) pace(w *flow.Work) string {
	parts := []string{s.env.Say(s.v.Status)}
	if w.Rate >= 1 {
		parts = append(parts, s.env.T("flow.plain.rate", "n", int(w.Rate)))
	}
	return strings.Join(parts, "  ")
}

// footer are the keys that work now, as many as one line takes; ? has all.
func (s *Shell) footer() string {
	st := s.env.Styles
	last := paint(st.Key, s.helpKey()) + " " + s.env.T("tui.key.help")
	room := s.width - 2 - widget.Width(last)
	keys := s.footerKeys()
	// The way back always has its place.
	back := slices.IndexFunc(keys, func(h hint) bool { return h.key == "esc" })
	if back >= 0 {
		room -= widget.Width(keys[back].key) + 1 + widget.Width(keys[back].what) + 2
	}
	var b strings.Builder
	for i, k := range keys {
		if i == back {
			b.WriteString(paint(st.Key, k.key) + " " + paint(st.Footer, k.what) + "  ")
			continue
		}
		n := widget.Width(k.key) + 1 + widget.Width(k.what) + 2
		if n > room {
			continue
		}
		room -= n
		b.WriteString(paint(st.Key, k.key) + " " + paint(st.Footer, k.what) + "  ")
	}
	return " " + b.String() + last
}

func (s *Shell) footerKeys() []hint {
	e := s.env
	switch {
	case s.asks == askedStop:
		return []hint{{"q", e.T("tui.key.stop")}, {"esc", e.T("tui.key.go_on_sync")}}
	case s.asks == askedQuit:
		return []hint{{"q", e.T("tui.key.quit")}, {"esc", e.T("tui.quit.no")}}
	case s.help != nil:
		return []hint{{"esc", e.T("word.close")}}
	}
	out := slices.Clone(s.now.keys)
	switch {
	case slices.ContainsFunc(out, func(h hint) bool { return h.key == "esc" }):
	case s.v.Back:
		out = append(out, hint{"esc", e.T("word.back")})
	case s.x.Writes():
		out = append(out, hint{"esc", e.T("tui.key.stop")})
	}
	if s.v.Step == flow.Welcome && len(s.o.Printers) > 1 {
		out = append(out, hint{"L", s.otherLanguage()})
	}
	if s.typing() {
		return out
	}
	return append(out, hint{"q", e.T("tui.key.quit")})
}

// typing reports whether letters go into a field, and so q and ? too.
func (s *Shell) typing() bool {
	return s.now.typing && s.help == nil && s.asks == notAsked
}

func (s *Shell) helpKey() string {
	if s.typing() {
		return "f1"
	}
	return "?"
}

// quitQuestion is asked once while something runs.
func (s *Shell) quitQuestion() []string {
	e := s.env
	id := "tui.quit"
	switch {
	case s.asks == askedStop && s.v.Step != flow.Sync:
		id = "tui.stop_giving"
	case s.asks == askedStop:
		id = "tui.stop"
	}
	lines := []string{"", " " + paint(e.Styles.Title, e.T(id+".title")), ""}
	for _, l := range widget.Wrap(e.T(id+".what"), min(s.width-2, 118)) {
		lines = append(lines, " "+l)
	}
	return append(lines, "", "   "+paint(e.Styles.Key, "q")+"    "+e.T(id+".yes"), "   "+paint(e.Styles.Key, "esc")+"  "+e.T(id+".no"))
}
