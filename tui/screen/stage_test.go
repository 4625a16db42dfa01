package screen

import (
	"context"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	tea "charm.land/bubbletea/v2"
	uv "github.com/charmbracelet/ultraviolet"

	"github.com/hacsync/hacsync/sync/message"
	"github.com/hacsync/hacsync/tui/flow"
	"github.com/hacsync/hacsync/tui/flow/flowtest"
	"github.com/hacsync/hacsync/tui/widget"
)

// stage plays the shell without a terminal: what Update returns runs as in the
// real program, one message after the other.
type stage struct {
	t    testing.TB
	s    *Shell
	w    *flowtest.World
	msgs chan tea.Msg
	quit bool
	took int // messages
	clip []string
	end  context.CancelFunc
}

func printers(t testing.TB, langs ...string) []*message.Printer {
	t.Helper()
	var out []*message.Printer
	for _, lang := range langs {
		p, err := message.New(lang)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, p.In(time.FixedZone("JST", 9*3600)))
	}
	return out
}

var walkOptions = flow.Options{Version: "1.2", Person: "mori", Count: -1, Poll: time.Millisecond}

func newStage(t testing.TB, w *flowtest.World, width, height int, langs ...string) *stage {
	t.Helper()
	if len(langs) == 0 {
		langs = []string{"en", "ja"}
	}
	ctx, cancel := context.WithCancel(context.Background())
	s := New(ctx, flow.New(w, walkOptions), Options{Printers: printers(t, langs...), Width: width, Height: height})
	st := &stage{t: t, s: s, w: w, msgs: make(chan tea.Msg, 1000), end: cancel}
	t.Cleanup(func() {
		cancel()
		st.s.settle(&writer{w: new(strings.Builder)})
	})
	st.do(s.Init())
	st.until(func() bool { return s.screen != nil })
	return st
}

// anew walks a flow with other options.
func (st *stage) anew(change func(*flow.Options)) {
	o := walkOptions
	change(&o)
	st.s.x.Settle()
	st.s.f = flow.New(st.w, o)
	st.s.x = flow.NewDriver(st.s.ctx, st.s.f)
	st.do(tea.Batch(st.s.take(st.s.f.Start()), st.s.mail()))
}

// do runs a command as the program would.
func (st *stage) do(cmd tea.Cmd) {
	if cmd == nil {
		return
	}
	go func() {
		switch m := cmd().(type) {
		case nil:
		case tea.BatchMsg:
			for _, c := range m {
				st.do(c)
			}
		default:
			st.msgs <- m
		}
	}()
}

func (st *stage) take(m tea.Msg) {
	st.t.Helper()
	if _, ok := m.(tea.QuitMsg); ok {
		st.quit = true
		return
	}
	if strings.HasSuffix(reflect.TypeOf(m).String(), "setClipboardMsg") {
		st.clip = append(st.clip, reflect.ValueOf(m).String())
		return
	}
	st.took++
	_, cmd := st.s.Update(m)
	st.do(cmd)
	st.lines()
}

// lines are those of the window: every one as wide as it.
func (st *stage) lines() []string {
	st.t.Helper()
	if st.s.screen == nil || st.s.leaving {
		return nil
	}
	lines := st.s.lines()
	if len(lines) != st.s.height {
		st.t.Fatalf("%d lines in a window of %d", len(lines), st.s.height)
	}
	for i, l := range lines {
		if n := widget.Width(l); n != st.s.width {
			st.t.Fatalf("line %d is %d columns wide in a window of %d: %q", i, n, st.s.width, l)
		}
	}
	return lines
}

// until lets things happen until ok.
func (st *stage) until(ok func() bool) {
	st.t.Helper()
	late := time.NewTimer(10 * time.Second)
	defer late.Stop()
	for !ok() {
		select {
		case m := <-st.msgs:
			st.take(m)
		case <-late.C:
			st.t.Fatalf("it did not come; the screen is\n%s", st.screen())
		}
	}
}

// screen is the window as a terminal shows it, without styles.
func (st *stage) screen() string {
	st.t.Helper()
	buf := uv.NewScreenBuffer(st.s.width, st.s.height)
	uv.NewStyledString(strings.Join(st.lines(), "\n")).Draw(buf, buf.Bounds())
	lines := strings.Split(buf.String(), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " \r")
	}
	return strings.Join(lines, "\n")
}

// shows waits until the screen has all texts.
func (st *stage) shows(texts ...string) *stage {
	st.t.Helper()
	st.until(func() bool {
		got := flat(st.screen())
		for _, text := range texts {
			if !strings.Contains(got, text) {
				return false
			}
		}
		return true
	})
	return st
}

func (st *stage) lacks(texts ...string) *stage {
	st.t.Helper()
	for _, text := range texts {
		if strings.Contains(flat(st.screen()), text) {
			st.t.Fatalf("the screen has %q:\n%s", text, st.screen())
		}
	}
	return st
}

// flat joins what is wrapped.
func flat(s string) string { return strings.Join(strings.Fields(s), " ") }

// keys presses keys by name; type:… types a text.
func (st *stage) keys(names ...string) *stage {
	st.t.Helper()
	for _, k := range presses(names...) {
		st.take(k)
	}
	return st
}

func presses(names ...string) []tea.KeyPressMsg {
	codes := map[string]rune{
		"esc": tea.KeyEscape, "enter": tea.KeyEnter, "up": tea.KeyUp, "down": tea.KeyDown, "pgup": tea.KeyPgUp, "pgdown": tea.KeyPgDown,
		"home": tea.KeyHome, "end": tea.KeyEnd, "backspace": tea.KeyBackspace, "tab": tea.KeyTab, "f1": tea.KeyF1, "f2": tea.KeyF2,
	}
	var out []tea.KeyPressMsg
	for _, name := range names {
		if text, ok := strings.CutPrefix(name, "type:"); ok {
			for _, r := range text {
				out = append(out, tea.KeyPressMsg{Code: r, Text: string(r)})
			}
			continue
		}
		var mod tea.KeyMod
		if rest, ok := strings.CutPrefix(name, "shift+"); ok {
			mod, name = tea.ModShift, rest
		} else if rest, ok := strings.CutPrefix(name, "ctrl+"); ok {
			mod, name = tea.ModCtrl, rest
		}
		k := tea.KeyPressMsg{Mod: mod, Code: codes[name]}
		if k.Code == 0 {
			k.Code, _ = utf8.DecodeRuneInString(name)
			if mod == 0 {
				k.Text = name
			}
		}
		out = append(out, k)
	}
	return out
}

// The way to each step, by keys. A step begins where its words are shown.
func (st *stage) to(step flow.Step) *stage {
	st.t.Helper()
	for _, leg := range []struct {
		from  flow.Step
		shows string
		keys  []string
	}{
		{flow.Welcome, "+ Add Service", []string{"1"}},
		{flow.SignIn, "Type this code", []string{"1"}},
		{flow.Permissions, "Keep this sign-in?", []string{"2"}},
		{flow.Domain, "Which domain?", []string{"down", "enter"}},
		{flow.Grant, "As whom?", []string{"enter"}},
		{flow.Source, "Where do the users come from?", []string{"1"}},
		{flow.Preview, "abe", nil},
	} {
		if st.s.v.Step == step {
			return st
		}
		if leg.from == flow.Preview {
			break
		}
		st.shows(leg.shows)
		if leg.from == flow.Domain {
			st.choose(flowtest.DomainName)
			st.shows("Pre-check of " + flowtest.DomainName)
			st.keys("1")
			st.until(func() bool { return st.s.v.Step == flow.Grant })
			continue
		}
		st.keys(leg.keys...)
		st.until(func() bool { return st.s.v.Step != leg.from || leg.from == flow.Source })
	}
	return st
}

// choose takes the option with a key.
func (st *stage) choose(key string) *stage {
	st.t.Helper()
	for i, o := range st.s.v.Ask.Options {
		if o.Key == key {
			return st.keys(string(rune('1' + i)))
		}
	}
	st.t.Fatalf("no choice %q:\n%s", key, st.screen())
	return st
}

// toPreview makes a dry run of the sample file.
func (st *stage) toPreview() *stage {
	st.t.Helper()
	st.to(flow.Preview)
	st.shows("Path of the file")
	st.keys("ctrl+u", `type:"users (2).csv"`, "enter").shows("How many users")
	st.keys("type:２２", "enter")
	st.until(func() bool { return st.s.v.Step == flow.Preview && st.s.v.Ask.Kind == flow.List })
	return st
}

// toSync approves the plan; the code for writing is answered by part.
func (st *stage) toSync(part string) *stage {
	st.t.Helper()
	st.toPreview().keys("s")
	st.until(func() bool { return st.s.v.Step == flow.Confirm })
	st.keys("enter", "enter", "type:2", "enter").shows("Type this code")
	return st.choose(part)
}
