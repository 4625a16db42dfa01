package screen

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
	"pgregory.net/rapid"

	"github.com/hacsync/hacsync/sync/consent"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/tui/flow"
	"github.com/hacsync/hacsync/tui/flow/flowtest"
	"github.com/hacsync/hacsync/tui/widget"
	"github.com/hacsync/hacsync/tui/words"
)

func stripped(s string) string { return ansi.Strip(s) }

// photograph is the screen with the code of a plan that never changes: what a
// fingerprint rests on is not the matter of a golden screen.
func (st *stage) photograph() string {
	st.t.Helper()
	if code := st.s.v.Where.Plan; code != "" {
		return strings.ReplaceAll(st.screen(), code, "7F3A-92C1")
	}
	return st.screen()
}

// hostileName is a tenant's name that tries to steer the terminal and to break the
// frame.
const hostileName = "Midori \x1b[31m\x1b]0;x\x07株式会社\u202e 武田ﾀﾞｲｽｹ 🧑‍🤝‍🧑 é\u0301 and a name that is much too long for its place"

func TestGolden_EveryStepAtThreeSizes(t *testing.T) {
	steps := []struct {
		name  string
		world func(*flowtest.World)
		walk  func(*stage)
	}{
		{"welcome", nil, func(st *stage) { st.shows("+ Add Service", "made-up") }},
		{"signin", nil, func(st *stage) { st.to(flow.SignIn).shows("Type this code") }},
		{"signin-real", func(w *flowtest.World) { w.IsDemo = false }, func(st *stage) { st.to(flow.SignIn).shows("Type this code") }},
		{"signin-blocked", nil, func(st *stage) { st.to(flow.SignIn).shows("Type this code").choose("block").shows("HS-1") }},
		{"permissions", nil, func(st *stage) { st.to(flow.Permissions).shows("Keep this sign-in?") }},
		{"domain", nil, func(st *stage) { st.to(flow.Domain).shows("Which domain?") }},
		{"precheck", nil, func(st *stage) {
			st.to(flow.Domain).shows("Which domain?").choose(flowtest.DomainName).shows("Pre-check")
		}},
		{"grant", nil, func(st *stage) { st.to(flow.Grant).shows("As whom?") }},
		{"grant-script", nil, func(st *stage) { st.to(flow.Grant).shows("As whom?").choose("script").shows("Continue") }},
		{"source", nil, func(st *stage) {
			st.to(flow.Preview).shows("Path of the file").keys("ctrl+u", "type:users.csv", "enter").shows("How many users")
		}},
		{"dryrun", func(w *flowtest.World) { w.Block = true }, func(st *stage) {
			st.to(flow.Preview).shows("Path of the file").keys("ctrl+u", "type:users.csv", "enter").shows("How many users")
			st.keys("type:22", "enter").shows("21 to the end")
		}},
		{"confirm", nil, func(st *stage) {
			st.toPreview().keys("s")
			st.until(func() bool { return st.s.v.Step == flow.Confirm })
			st.keys("enter", "type:CHG-20418 部署異動", "enter").shows("type the number")
		}},
		{"sync", func(w *flowtest.World) { w.Stall, w.Fail = true, true }, func(st *stage) { st.toSync("approve").shows("Failed so far") }},
		{"result", func(w *flowtest.World) { w.Fail = true }, func(st *stage) { st.toSync("approve").shows("Sync finished") }},
		{"stop", func(w *flowtest.World) { w.Stall = true }, func(st *stage) { st.toSync("approve").shows("1 of 6").keys("esc").shows("Stop the sync?") }},
		{"help", nil, func(st *stage) { st.to(flow.SignIn).shows("Type this code").keys("?").shows("Keys that work here") }},
	}
	for _, x := range steps {
		t.Run(x.name, func(t *testing.T) {
			w := flowtest.New(t)
			w.Still, w.Name = still, hostileName
			if x.world != nil {
				x.world(w)
			}
			st := newStage(t, w, 80, 24)
			x.walk(st)
			for _, size := range [][2]int{{80, 24}, {120, 40}, {200, 60}} {
				st.s.width, st.s.height = size[0], size[1]
				flowtest.Golden(t, fmt.Sprintf("%s-%dx%d-en", x.name, size[0], size[1]), st.photograph())
			}
			st.s.width, st.s.height = 100, 30
			st.s.language()
			flowtest.Golden(t, x.name+"-100x30-ja", st.photograph())
		})
	}
}

// views are made of texts from outside, at any size.
func TestFrame_EveryLineIsAsWideAsTheWindow(t *testing.T) {
	some := []string{
		"a", "sato.hana@midori.example", "渡邉 翔", "ﾜﾀﾅﾍﾞ", "ｶﾞ", "\x1b[31mred", "e\u0301", "🧑‍🤝‍🧑", "\u202ertl", "\u200b", "\t", "\n", "한국어", "Ａ", "\u3000",
		"very-long-word-without-any-space-in-it-that-has-to-be-cut-somewhere-because-no-window-is-that-wide", "─│", "…", "·",
	}
	f := flow.New(flowtest.New(t), flow.Options{Version: "1.2", Count: -1})
	both := printers(t, "en", "ja")
	rapid.Check(t, func(t *rapid.T) {
		text := func() string {
			return strings.Join(rapid.SliceOfN(rapid.SampledFrom(some), 0, 8).Draw(t, "text"), " ")
		}
		raw := func() words.Text { return words.Raw(text()) }
		var v flow.View
		v.Step = flow.Step(rapid.IntRange(0, int(flow.Result)).Draw(t, "step"))
		v.Title, v.Status = raw(), raw()
		v.Where = flow.Where{Version: text(), Connection: text(), Tenant: text(), Initial: text(), Domain: text(), Known: rapid.Bool().Draw(t, "known")}
		for range rapid.IntRange(0, 4).Draw(t, "pieces") {
			switch rapid.IntRange(0, 8).Draw(t, "piece") {
			case 0:
				v.Blocks = append(v.Blocks, words.Para{Text: raw()})
			case 1:
				v.Blocks = append(v.Blocks, words.Heading{Text: raw()})
			case 2:
				v.Blocks = append(v.Blocks, words.Facts{{Label: raw(), Value: raw()}, {Label: raw(), Value: raw()}})
			case 3:
				v.Blocks = append(v.Blocks, words.Checks{{Mark: words.Warn, Text: raw(), Detail: []words.Text{raw()}}})
			case 4:
				v.Blocks = append(v.Blocks, words.Table{Head: []words.Text{raw(), raw(), raw()}, Right: []int{1}, Wrap: rapid.Bool().Draw(t, "wrap"), Rows: [][]words.Text{{raw(), raw(), raw()}, {raw(), raw(), raw()}}})
			case 5:
				v.Blocks = append(v.Blocks, words.CodeCard{Code: consent.Code{UserCode: text(), URL: text(), Expires: time.Now().Add(time.Minute)}})
			case 6:
				v.Blocks = append(v.Blocks, words.Script{Lines: []string{text(), text()}, First: 1})
			case 8:
				v.Blocks = append(v.Blocks, words.PageCard{Page: consent.Page{URL: text(), Expires: time.Now().Add(time.Minute)}})
			case 7:
				v.Blocks = append(v.Blocks, words.Trouble{Err: problem.New(problem.BlockedByPolicy, problem.Args{"number": text(), "client": text()})})
			}
		}
		if rapid.Bool().Draw(t, "after") {
			v.After = []words.Piece{words.Facts{{Label: raw(), Value: raw()}}, words.Para{Text: raw()}}
		}
		v.Ask = flow.Question{Kind: flow.Kind(rapid.IntRange(0, int(flow.Secret)).Draw(t, "kind")), Text: raw(), Preset: text()}
		for i := range rapid.IntRange(0, 14).Draw(t, "options") {
			v.Ask.Options = append(v.Ask.Options, flow.Option{Key: fmt.Sprint(i), Text: raw(), Note: raw()})
		}
		if rapid.Bool().Draw(t, "working") {
			v.Working, v.Ask.Until = raw(), time.Now().Add(time.Minute)
		}
		v.Back = rapid.Bool().Draw(t, "back")
		s := New(context.Background(), f, Options{
			Printers: both, Width: rapid.IntRange(1, 220).Draw(t, "width"), Height: rapid.IntRange(1, 70).Draw(t, "height"), ASCII: rapid.Bool().Draw(t, "ascii"),
		})
		if rapid.Bool().Draw(t, "ja") {
			s.env.Printer = both[1]
		}
		s.v, s.screen = v, newGeneral(s.env)
		switch v.Step {
		case flow.Preview:
		default:
			s.screen = screenFor(v.Step, s.env)
		}
		s.screen.Sync(v)
		for range rapid.IntRange(0, 3).Draw(t, "said") {
			s.said = append(s.said, raw())
		}
		if rapid.Bool().Draw(t, "help") {
			s.help = &help{}
		}
		lines := s.lines()
		if len(lines) != s.height {
			t.Fatalf("%d lines in a window of %d", len(lines), s.height)
		}
		for i, l := range lines {
			if n := widget.Width(l); n != s.width {
				t.Fatalf("line %d is %d wide, not %d: %q", i, n, s.width, l)
			}
			if plain := stripped(l); strings.ContainsAny(plain, "\x1b\x07\n\t\u202e") {
				t.Fatalf("line %d steers the terminal: %q", i, plain)
			}
		}
	})
}

func TestSigns_ASCIIDrawsNothingOfDoubtfulWidth(t *testing.T) {
	w := flowtest.New(t)
	w.Name = "Midori"
	st := newStage(t, w, 120, 40)
	st.s.env.Signs = widget.ASCII()
	st.to(flow.SignIn).shows("Type this code")
	if s := st.screen(); strings.ContainsAny(s, "─│┬┴█░»") {
		t.Errorf("a sign of doubtful width:\n%s", s)
	}
}
