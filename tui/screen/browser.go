package screen

import (
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/hacsync/hacsync/sync/consent"
	"github.com/hacsync/hacsync/sync/message"
	"github.com/hacsync/hacsync/tui/flow"
	"github.com/hacsync/hacsync/tui/widget"
	"github.com/hacsync/hacsync/tui/words"
)

// browser is the page of a sign-in by browser that is waited for, if one is.
func (s *signIn) browser() (consent.Page, bool) {
	c, ok := block[words.PageCard](s)
	return c.Page, ok
}

func (s *signIn) browserKey(k tea.KeyPressMsg, link consent.Page) ([]flow.Answer, tea.Cmd, bool) {
	if keyName(k) == "c" {
		return nil, toClipboard(link.URL, words.T("tui.copied_page")), true
	}
	return s.pageKey(k, link.URL)
}

func (s *signIn) browserKeys() []hint {
	e := s.e
	out := s.chooseKeys()
	if e.Browse != nil {
		out = append(out, hint{"b", e.T("tui.key.open_page")})
	}
	out = append(out, hint{"c", e.T("tui.key.copy_page")})
	out = append(out, s.commandKeys("other", "explain")...)
	out = append(out, hint{"r", e.T("tui.key.new_page")})
	return append(out, hint{"tab", e.T("tui.key.what_asked")})
}

// mostAddress is how many lines of a page's long address are shown; c copies all
// of it.
const mostAddress = 6

// address is a page's address, cut where the line ends: it has no spaces.
func (p *page) address(url string, most int) {
	url = message.Clean(url)
	wide := max(8, p.text()-3)
	for n := 1; url != ""; n++ {
		part := widget.Head(url, wide)
		if n == most && part != url {
			part = widget.Fit(url, wide)
			url = ""
		}
		url = strings.TrimPrefix(url, part)
		p.raw("   " + paint(p.e.Styles.Code, part))
	}
}

// pageSteps are the page and what to do there, as roomy as the height allows.
func (s *signIn) pageSteps(link consent.Page, width, height int) []string {
	e := s.e
	variants := []struct {
		air  bool
		most int
	}{{true, 12}, {true, mostAddress}, {false, 4}, {false, 2}, {false, 1}}
	return s.roomiest(width, height, len(variants), func(i int) []string {
		how := variants[i]
		p := newPage(e, width)
		gap := func() {
			if how.air {
				p.blank()
			}
		}
		if how.air {
			p.lines = append(p.lines, "")
		}
		s.opening(p)
		p.blank()
		p.wrapped("1  ", e.Styles.Text, strings.TrimPrefix(e.T("tui.signin.open_browser"), "1  "), e.Styles.Text)
		gap()
		p.address(link.URL, how.most)
		gap()
		accept := strings.TrimLeft(s.accept("tui.signin.accept_2"), "23 ")
		p.wrapped("2  ", e.Styles.Text, accept, e.Styles.Text)
		gap()
		p.add(e.Styles.Faint, widget.Wrap(e.T("flow.signin.only_here"), p.text())...)
		return p.lines
	})
}
