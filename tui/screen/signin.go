package screen

import (
	"context"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/hacsync/hacsync/sync/consent"
	"github.com/hacsync/hacsync/sync/message"
	"github.com/hacsync/hacsync/tui/flow"
	"github.com/hacsync/hacsync/tui/widget"
	"github.com/hacsync/hacsync/tui/words"
)

// signIn is a sign-in under way: the code large and plain, or the page for a browser,
// the time left, and beside them, or behind tab in a narrow window, what Microsoft will
// show. All else of the step is a page like any other.
type signIn struct {
	*general
	// asked: what Microsoft will show is in place of the code; qr: the page's address is,
	// for a telephone.
	asked, qr bool
	code      string // that they belong to
	both      bool   // columns are drawn
}

func newSignIn(e *env) *signIn { return &signIn{general: newGeneral(e)} }

// Sync takes what the flow shows.
func (s *signIn) Sync(v flow.View) {
	s.general.Sync(v)
	code, waits := s.card()
	link, browser := s.browser()
	if id := code.UserCode + link.URL; id != s.code {
		s.code, s.asked, s.qr = id, false, false
	}
	s.below = nil
	if (waits || browser) && len(v.Ask.Options) == 0 && s.command("explain") {
		s.below = func(p *page) {
			if !s.both && !s.asked {
				p.add(s.e.Styles.Faint, widget.Wrap(s.e.T("tui.signin.error_short"), p.text())...)
			}
		}
	}
}

// beside is the text width from which both columns fit.
const beside = 98

// card is the code that is waited for, if one is.
func (s *signIn) card() (consent.Code, bool) {
	c, ok := block[words.CodeCard](s)
	return c.Code, ok
}

// block is the first piece of a kind on the page.
func block[T words.Piece](s *signIn) (piece T, ok bool) {
	for _, b := range s.v.Blocks {
		if piece, ok = b.(T); ok {
			return piece, true
		}
	}
	return piece, false
}

func (s *signIn) command(name string) bool {
	for _, c := range s.v.Commands {
		if c.Name == name {
			return true
		}
	}
	return false
}

// arg is an argument of a paragraph of the page.
func (s *signIn) arg(id, name string) any {
	for _, b := range s.v.Blocks {
		if p, ok := b.(words.Para); ok && p.Text.ID == id {
			return p.Text.Args[name]
		}
	}
	return nil
}

// letter is the message for the user who signs in.
func (s *signIn) letter(c consent.Code) words.Text {
	app, _ := s.arg("flow.signin.shows", "app").(string)
	scopes, ok := s.arg("flow.signin.scopes", "scopes").(words.Names)
	if !ok {
		scopes, _ = s.arg("flow.granting.scopes", "scopes").(words.Names)
	}
	return flow.Letter(c, app, scopes, !ok && len(scopes) > 0)
}

// Update takes what the person does.
func (s *signIn) Update(msg tea.Msg) ([]flow.Answer, tea.Cmd, bool) {
	k, isKey := msg.(tea.KeyPressMsg)
	if !isKey {
		return s.general.Update(msg)
	}
	if link, ok := s.browser(); ok {
		return s.browserKey(k, link)
	}
	code, waits := s.card()
	if !waits {
		return s.chosen(k)
	}
	if s.qr {
		switch keyName(k) {
		case "v", "esc":
			s.qr = false
			return nil, nil, true
		case "enter":
			return nil, nil, true // there is nothing to choose in sight
		}
	}
	switch keyName(k) {
	case "v":
		s.qr, s.asked = true, false
		return nil, nil, true
	case "c":
		return nil, toClipboard(message.Clean(code.UserCode), words.T("tui.copied_code", "code", code.UserCode)), true
	case "C":
		if !s.command("letter") {
			break
		}
		s.asked = true
		return []flow.Answer{{Command: "letter"}}, toClipboard(s.e.Say(s.letter(code)), words.T("tui.copied_letter")), true
	}
	return s.pageKey(k, code.URL)
}

// pageKey is a key that works both with a code and with a page for a browser.
func (s *signIn) pageKey(k tea.KeyPressMsg, url string) ([]flow.Answer, tea.Cmd, bool) {
	switch keyName(k) {
	case "b":
		if s.e.Browse != nil {
			return nil, open(s.e.Browse, url), true
		}
	case "tab":
		s.asked = !s.asked
		return nil, nil, true
	}
	return s.general.Update(k)
}

// chosen is a key after a sign-in ended: a text to be sent to another person is copied
// when it is chosen.
func (s *signIn) chosen(k tea.KeyPressMsg) ([]flow.Answer, tea.Cmd, bool) {
	if keyName(k) == "c" && len(s.v.After) > 0 {
		return nil, toClipboard(s.copyable(), words.T("tui.copied_text")), true
	}
	answers, cmd, handled := s.general.Update(k)
	if len(answers) == 1 && answers[0].Text == "exception" {
		cmd = toClipboard(s.copyable(), words.T("tui.copied_text"))
	}
	return answers, cmd, handled
}

// open opens a page, and says how that went.
func open(browse func(context.Context, string) error, url string) tea.Cmd {
	return func() tea.Msg {
		if browse(context.Background(), url) != nil {
			return saidMsg{words.T("tui.browser_failed")}
		}
		return saidMsg{words.T("tui.browser_opened")}
	}
}

// keys are those that work now.
func (s *signIn) keys() []hint {
	e := s.e
	if _, ok := s.browser(); ok {
		return s.browserKeys()
	}
	if _, waits := s.card(); !waits {
		out := s.general.keys()
		for i, k := range out {
			if k.key == "c" && len(s.v.After) > 0 {
				out[i] = hint{"c", e.T("tui.key.copy_text")}
			}
		}
		return out
	}
	if s.qr {
		return []hint{{"v", e.T("tui.key.qr_back")}, {"c", e.T("tui.key.copy_code")}}
	}
	out := append(s.chooseKeys(), hint{"c", e.T("tui.key.copy_code")})
	if s.command("letter") {
		out = append(out, hint{"C", e.T("tui.key.copy_letter")})
	}
	if e.Browse != nil {
		out = append(out, hint{"b", e.T("tui.key.open_page")})
	}
	out = append(out, s.commandKeys("other")...)
	out = append(out, hint{"v", e.T("tui.key.qr")})
	out = append(out, s.commandKeys("explain", "new")...)
	return append(out, hint{"tab", e.T("tui.key.what_asked")})
}

// chooseKeys is enter, if there is something to choose.
func (s *signIn) chooseKeys() []hint {
	if len(s.v.Ask.Options) == 0 {
		return nil
	}
	return []hint{{"enter", s.e.T("tui.key.choose")}}
}

// commandKeys are the keys of commands, in that order.
func (s *signIn) commandKeys(names ...string) (out []hint) {
	for _, name := range names {
		for _, c := range s.v.Commands {
			if c.Name == name {
				out = append(out, hint{c.Key, s.e.Say(c.Short)})
			}
		}
	}
	return out
}

// split is where the right column begins.
func (s *signIn) split(width int) int {
	_, waits := s.card()
	_, browser := s.browser()
	if !waits && !browser || s.qr || width < beside+2 {
		return -1
	}
	return min(width*3/5, 76)
}

// View draws the screen.
func (s *signIn) View(width, height int) frame { return s.columns(width, s.body(width, height)) }

// columns is what is around a body that may have two columns.
func (s *signIn) columns(width int, body string) frame {
	f := s.frame(body, s.keys())
	f.split = s.split(width)
	return f
}

func (s *signIn) body(width, height int) string {
	code, waits := s.card()
	address, browser := s.browser()
	if !waits && !browser {
		return s.general.body(width, height)
	}
	s.pinned = nil
	if s.qr {
		return s.viewQR(code, width, height)
	}
	steps := func(width int) []string {
		if browser {
			return s.pageSteps(address, width, height)
		}
		return s.steps(code, width, height)
	}
	split := s.split(width)
	s.both = split >= 0
	if split < 0 {
		if s.asked {
			p := newPage(s.e, width)
			s.shows(p)
			p.blank()
			p.add(s.e.Styles.Faint, s.e.T("tui.signin.back_to_code"))
			return s.arrange(p.lines, width, height)
		}
		return s.arrange(steps(width), width, height)
	}
	left := strings.Split(s.arrange(steps(split), split, height), "\n")
	p := newPage(s.e, width-split)
	p.lines = append(p.lines, "")
	s.shows(p)
	wall := paint(s.e.Styles.Rule, s.e.Signs.Wall)
	lines := make([]string, height)
	for i := range lines {
		l, r := "", ""
		if i < len(left) {
			l = left[i]
		}
		if i < len(p.lines) {
			r = p.lines[i]
		}
		lines[i] = l + strings.Repeat(" ", max(0, split-widget.Width(l))) + wall + r
	}
	return strings.Join(lines, "\n")
}

// steps are page, code and instructions, as roomy as the height allows above the
// question: the large letters go first.
func (s *signIn) steps(code consent.Code, width, height int) []string {
	variants := []struct{ air, big, why bool }{{true, true, true}, {false, true, true}, {false, false, true}, {false, false, false}}
	return s.roomiest(width, height, len(variants), func(i int) []string {
		return s.drawSteps(code, width, variants[i].air, variants[i].big, variants[i].why)
	})
}

// roomiest is the first of n drawings that leaves room for the question, else the
// last.
func (s *signIn) roomiest(width, height, n int, draw func(i int) []string) (lines []string) {
	question, _ := s.question(width)
	room := height - len(question) - 1
	for i := range n {
		if lines = draw(i); len(lines) <= room {
			break
		}
	}
	return lines
}

func (s *signIn) drawSteps(code consent.Code, width int, air, big, why bool) []string {
	e := s.e
	p := newPage(e, width)
	gap := func(always bool) {
		if air || always {
			p.blank()
		}
	}
	if air {
		p.lines = append(p.lines, "")
	}
	if why {
		s.opening(p)
	} else {
		p.title(s.v.Title)
	}
	gap(true)
	url := message.Clean(code.URL)
	if air {
		p.add(e.Styles.Text, widget.Wrap(e.T("tui.signin.open"), p.text())...)
		gap(false)
		p.address(url, mostAddress)
	} else {
		p.add(e.Styles.Text, e.T("tui.signin.open_short", "url", url))
	}
	gap(false)
	p.add(e.Styles.Text, e.T("tui.signin.type"))
	gap(big)
	if big {
		p.bigCode(message.Clean(code.UserCode))
	} else {
		p.raw("   " + paint(e.Styles.Code, message.Clean(code.UserCode)))
	}
	gap(big)
	p.wrapped("3  ", e.Styles.Text, strings.TrimPrefix(s.accept("tui.signin.accept"), "3  "), e.Styles.Text)
	return p.lines
}

// opening is the title, and why this is asked where that is not plain.
func (s *signIn) opening(p *page) {
	p.title(s.v.Title)
	for _, b := range s.v.Blocks {
		if x, ok := b.(words.Para); ok && (x.Text.ID == "flow.sync.asks" || x.Text.ID == "flow.again.what") {
			p.add(s.e.Styles.Text, widget.Wrap(s.e.Say(x.Text), p.text())...)
		}
	}
}

// accept says who signs in and what is pressed; otherwise where the view does not.
func (s *signIn) accept(otherwise string) string {
	for _, b := range s.v.Blocks {
		if x, ok := b.(words.Para); ok && x.Text.ID == "flow.granting.accept" {
			return s.e.Say(x.Text)
		}
	}
	return s.e.T(otherwise)
}

// shows is what Microsoft will show and ask, or the message for the user who signs in.
func (s *signIn) shows(p *page) {
	e := s.e
	for i, b := range s.v.Blocks {
		if h, ok := b.(words.Heading); ok && h.Text.ID == "flow.signin.letter_head" && s.asked {
			p.add(e.Styles.Title, widget.Wrap(e.Say(h.Text), p.text())...)
			p.pieces(s.v.Blocks[i+1:])
			return
		}
	}
	p.add(e.Styles.Title, widget.Wrap(e.T("tui.signin.shows"), p.text())...)
	p.blank()
	for _, b := range s.v.Blocks {
		x, ok := b.(words.Para)
		if !ok {
			continue
		}
		switch x.Text.ID {
		case "flow.signin.open_page", "flow.signin.accept", "flow.sync.asks", "flow.again.what",
			"flow.signin.open_browser", "flow.signin.only_here", "flow.granting.accept":
		case "flow.signin.shows":
			app, _ := x.Text.Args["app"].(string)
			p.wide(e.T("tui.signin.name"), message.Clean(app), e.T("tui.signin.heading"), e.T("word.requested-permissions"))
		case "flow.signin.scopes", "flow.granting.scopes":
			scopes, _ := x.Text.Args["scopes"].(words.Names)
			head := e.T("tui.signin.asked")
			if x.Text.ID == "flow.granting.scopes" {
				head = e.T("tui.signin.asked_granting")
			}
			p.blank()
			p.add(e.Styles.Text, widget.Wrap(head, p.text())...)
			for _, n := range scopes {
				p.add(e.Styles.Text, "  "+message.Clean(n))
			}
		default:
			p.piece(b)
		}
	}
	if s.command("explain") {
		p.blank()
		p.add(e.Styles.Faint, widget.Wrap(e.T("tui.signin.error_hint"), p.text())...)
	}
}

// wide are labels with their values, without a margin.
func (p *page) wide(pairs ...string) {
	label := 0
	for i := 0; i < len(pairs); i += 2 {
		label = max(label, widget.Width(pairs[i]))
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		p.wrapped(widget.Fit(pairs[i], label)+"  ", p.e.Styles.Label, pairs[i+1], p.e.Styles.Text)
	}
}
