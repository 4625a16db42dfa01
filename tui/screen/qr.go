package screen

import (
	"strings"

	"github.com/hacsync/hacsync/sync/consent"
	"github.com/hacsync/hacsync/sync/message"
	"github.com/hacsync/hacsync/tui/widget"
)

// viewQR draws the address of the page for a telephone, and the code that is typed
// there: beside it, or above it in a narrow window.
func (s *signIn) viewQR(code consent.Code, width, height int) string {
	e := s.e
	url, user := message.Clean(code.URL), message.Clean(code.UserCode)
	s.long, s.room, s.cursor = 0, 0, false
	const aside = 34 // the least that the words need
	lines, w, h := e.Signs.QR(url, e.Styles.Dark, width-aside-3, height)
	if lines == nil {
		p := newPage(e, width)
		p.title(s.v.Title)
		p.blank()
		p.add(e.Styles.Text, widget.Wrap(e.T("tui.no_room", "width", w+aside+3, "height", h+6, "url", url), p.text())...)
		p.blank()
		p.raw("   " + paint(e.Styles.Code, user))
		p.blank()
		s.qrEnd(p)
		return strings.Join(p.lines, "\n")
	}
	p := newPage(e, min(width-w-3, 60))
	p.title(s.v.Title)
	p.blank()
	p.add(e.Styles.Text, widget.Wrap(e.T("tui.qr.scan"), p.text())...)
	p.add(e.Styles.Code, widget.Wrap(url, p.text())...)
	p.blank()
	p.add(e.Styles.Text, widget.Wrap(e.T("tui.qr.then"), p.text())...)
	p.blank()
	p.raw("   " + paint(e.Styles.Code, user))
	p.blank()
	s.qrEnd(p)
	out := make([]string, max(len(lines), len(p.lines)))
	for i := range out {
		if i < len(lines) {
			out[i] = " " + s.paintQR(lines[i])
		} else {
			out[i] = strings.Repeat(" ", w+1)
		}
		if i < len(p.lines) {
			out[i] += "  " + p.lines[i]
		}
	}
	return strings.Join(out, "\n")
}

// qrEnd is the time left, and the way back.
func (s *signIn) qrEnd(p *page) {
	if until := s.v.Ask.Until; !until.IsZero() {
		p.countdown(s.e.T("tui.signin.waiting"), until, s.whole, min(p.text(), 40))
		p.blank()
	}
	p.add(s.e.Styles.Faint, widget.Wrap(s.e.T("tui.qr.back"), p.text())...)
}

// paintQR paints a line of a code. Where modules are made of whole characters they
// are spaces in reverse video: a sign would leave gaps.
func (s *signIn) paintQR(line string) string {
	style := s.e.Styles.QR
	if s.e.Signs.Half[0] != "" {
		return paint(style, line)
	}
	var b strings.Builder
	for line != "" {
		full := strings.HasPrefix(line, s.e.Signs.Full)
		n := len(line) - len(strings.TrimLeft(line, map[bool]string{true: s.e.Signs.Full, false: " "}[full]))
		b.WriteString(paint(style.Reverse(full), strings.Repeat(" ", n)))
		line = line[n:]
	}
	return b.String()
}
