package screen

import (
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/hacsync/hacsync/tui/flow"
	"github.com/hacsync/hacsync/tui/widget"
	"github.com/hacsync/hacsync/tui/words"
)

// help lists all keys of the screen; typing searches in them.
type help struct {
	search widget.Input
	top    int
}

// key takes a key; true closes the help.
func (h *help) key(k tea.KeyPressMsg, name string) bool {
	switch name {
	case "esc", "f1":
		if h.search.Value() != "" && name == "esc" {
			h.search.Set("")
			return false
		}
		return true
	case "?", "enter", "q":
		if name != "q" || h.search.Value() == "" {
			return true
		}
	case "down", "pgdown":
		h.top += map[string]int{"down": 1, "pgdown": 10}[name]
		return false
	case "up", "pgup":
		h.top = max(0, h.top-map[string]int{"up": 1, "pgup": 10}[name])
		return false
	}
	h.search.Key(k)
	h.top = 0
	return false
}

// entries are all keys that work now, the screen's first.
func (s *Shell) entries() []hint {
	e := s.env
	long := map[string]string{}
	for _, c := range s.v.Typed() {
		if c.On == flow.InLines {
			continue
		}
		long[c.Key] = e.Say(c.Help)
		if c.Key == " " {
			long["space"] = e.Say(c.Help)
		}
	}
	var out []hint
	for _, h := range s.now.keys {
		if l := long[h.key]; strings.Contains(l, h.what) {
			h.what = l
		} else if l != "" {
			h.what += ": " + l
		}
		delete(long, h.key)
		out = append(out, h)
	}
	for _, c := range s.v.Typed() {
		if _, left := long[c.Key]; left && c.Key != "" {
			out = append(out, hint{c.Key, e.Say(c.Help)})
		}
	}
	if s.v.Back {
		out = append(out, hint{"esc", e.T("flow.plain.h_back")})
	} else if s.x.Writes() {
		out = append(out, hint{"esc", e.T("tui.stop.yes")})
	}
	if s.v.Step.Rail() > 0 || len(s.v.Ask.Options) > 0 {
		out = append(out,
			hint{e.T("tui.help.arrows"), e.T("tui.help.move")},
			hint{e.T("tui.help.pages"), e.T("tui.help.scroll")})
	}
	if o := s.otherLanguage(); o != "" {
		out = append(out, hint{"L", o})
	}
	return append(out,
		hint{"?", e.T("tui.help.help")},
		hint{"q", e.T("tui.help.quit")},
		hint{"ctrl+c", e.T("tui.help.interrupt")},
		hint{"ctrl+l", e.T("tui.help.redraw")})
}

func (h *help) view(all []hint, e *env, width, height int) string {
	field, _ := h.search.View(max(8, min(40, width-30)))
	lines := []string{
		" " + paint(e.Styles.Title, e.T("tui.help.title")) + "   " + e.T("tui.help.search") + " [ " + paint(e.Styles.Field, field) + " ]", "",
	}
	label := 0
	for _, x := range all {
		label = max(label, widget.Width(x.key))
	}
	want := words.Fold(h.search.Value())
	var list []string
	for _, x := range all {
		if want != "" && !strings.Contains(words.Fold(x.key+" "+x.what), want) {
			continue
		}
		for i, l := range widget.Wrap(x.what, min(width, 120)-label-6) {
			k := ""
			if i == 0 {
				k = x.key
			}
			list = append(list, "   "+paint(e.Styles.Key, widget.Fit(k, label))+"  "+l)
		}
	}
	if len(list) == 0 {
		list = []string{"   " + e.T("tui.help.none")}
	}
	h.top = max(0, min(h.top, len(list)-(height-len(lines))))
	return strings.Join(append(lines, list[h.top:]...), "\n")
}
