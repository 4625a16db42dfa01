package screen

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/tui/flow"
	"github.com/hacsync/hacsync/tui/flow/flowtest"
	"github.com/hacsync/hacsync/tui/words"
)

// bare is a text without the spaces and line breaks that wrapping makes.
func bare(s string) string { return strings.Join(strings.Fields(s), "") }

// Whatever is refused, at whatever step: why, the question and its answers are seen
// at once, in the least window and in both languages.
func TestFrame_ARefusalItsQuestionAndItsAnswersAreSeenTogether(t *testing.T) {
	long := words.Para{Text: words.Raw(strings.Repeat("A long text about what is asked here, that fills the screen. ", 30))}
	table := words.Table{Head: []words.Text{words.Raw("Column"), words.Raw("Goes to")}}
	for i := range 40 {
		table.Rows = append(table.Rows, []words.Text{words.Raw(fmt.Sprint("column ", i)), words.Raw("mailNickname")})
	}
	choice := []flow.Option{
		{Key: "a", Text: words.T("flow.source.file"), Note: words.T("flow.source.file_note")},
		{Key: "b", Text: words.T("flow.source.hac"), Note: words.T("flow.source.hac_note")},
		{Key: "c", Text: words.T("flow.source.another"), Note: words.T("flow.source.hac_note")},
	}
	questions := map[string]flow.Question{
		"number": {Kind: flow.Number, Text: words.T("flow.source.count"), Optional: true},
		"line":   {Kind: flow.Line, Text: words.T("home.setting_ask", "takes", words.T("setting_takes.max_changes")), Optional: true},
		"path":   {Kind: flow.Path, Text: words.T("flow.source.path")},
		"secret": {Kind: flow.Secret, Text: words.T("flow.hac.key_ask")},
		"choice": {Kind: flow.Choice, Text: words.T("flow.source.where"), Options: choice},
	}
	w := flowtest.New(t)
	st := newStage(t, w, 80, 24)
	longest := slices.SortedFunc(slices.Values(refusals()), func(a, b *problem.Problem) int {
		p := st.s.env.Printer
		return len(p.Problem(b).What+p.Problem(b).Remedy) - len(p.Problem(a).What+p.Problem(a).Remedy)
	})[:8]
	for lang := range 2 {
		for _, step := range []flow.Step{flow.SignIn, flow.Permissions, flow.Domain, flow.Source, flow.Grant, flow.Periodic, flow.Settings} {
			for name, q := range questions {
				for i, p := range longest {
					v := flow.View{Step: step, Title: words.T("flow.source.title"), Ask: q, Status: words.T("flow.source.status")}
					v.Blocks = []words.Piece{long, table}
					said := st.s.env.Printer.Problem(p).What
					if i%2 == 0 {
						v.Blocks = append([]words.Piece{words.Trouble{Err: p}}, v.Blocks...)
					} else {
						said = st.s.env.T("flow.source.differs", "typed", 4000, "n", 4541)
						v.Refused = []words.Piece{words.Checks{{Mark: words.Stops, Text: words.T("flow.source.differs", "typed", 4000, "n", 4541), Detail: []words.Text{words.T("flow.source.differs_remedy")}}}}
					}
					g := newGeneral(st.s.env)
					g.Sync(v)
					st.s.v, st.s.screen = v, g
					screen := strings.ReplaceAll(bare(st.screen()), string(p.Code), "")
					for what, text := range map[string]string{"refusal": said, "question": st.s.env.Say(q.Text)} {
						if !strings.Contains(screen, bare(text)) {
							t.Fatalf("%d, %v, %s: the %s is not seen: %s\n%s", lang, step, name, what, text, st.screen())
						}
					}
					for _, o := range q.Options {
						if !strings.Contains(screen, bare(st.s.env.Say(o.Text))) {
							t.Fatalf("%d, %v, %s: no %s:\n%s", lang, step, name, o.Key, st.screen())
						}
					}
					if q.Kind != flow.Choice && !strings.Contains(st.screen(), "  [ ") {
						t.Fatalf("%d, %v, %s: no field:\n%s", lang, step, name, st.screen())
					}
				}
			}
		}
		st.s.language()
	}
}

// The walk of S3: a count that is not that of the file.
func TestSource_AWrongCountIsRefusedBesideItsQuestion(t *testing.T) {
	for _, size := range [][2]int{{80, 24}, {100, 30}, {140, 40}, {60, 16}} {
		for lang, differs := range []string{"You typed 4,000, and the file has 22 rows.", "入力した数は 4,000 ですが、ファイルは 22 行です。"} {
			w := flowtest.New(t)
			st := newStage(t, w, 80, 24)
			st.to(flow.Preview).shows("Path of the file").keys("ctrl+u", "type:users.csv", "enter").shows("How many users")
			st.s.width, st.s.height = size[0], size[1]
			if lang == 1 {
				st.s.language()
			}
			st.keys("type:４０００", "enter")
			if screen := bare(st.screen()); !strings.Contains(screen, bare(differs)) || !strings.Contains(st.screen(), "[ ４０００") {
				t.Errorf("%v, %d:\n%s", size, lang, st.screen())
			}
		}
	}
}

// A window that is smaller shows what it can: never a refusal to show anything.
func TestFrame_ASmallWindowShowsTheQuestion(t *testing.T) {
	for _, x := range []struct {
		name string
		walk func(*stage)
		want string
	}{
		{"welcome", func(st *stage) { st.shows("+ Add Service") }, "+ Add Service"},
		{"source", func(st *stage) { st.to(flow.Source).shows("Where do the users come from?") }, "»"},
		{"count", func(st *stage) {
			st.to(flow.Preview).shows("Path of the file").keys("ctrl+u", "type:users.csv", "enter").shows("How many users")
		}, "[ "},
		{"preview", func(st *stage) { st.toPreview() }, "»"},
		{"confirm", func(st *stage) {
			st.toPreview().keys("s")
			st.until(func() bool { return st.s.v.Step == flow.Confirm })
			st.keys("enter", "enter").shows("type the number")
		}, "[ "},
		{"sync", func(st *stage) { st.toSync("approve").shows("Sync finished") }, "»"},
	} {
		st := newStage(t, flowtest.New(t), 80, 24)
		x.walk(st)
		for _, size := range [][2]int{{79, 23}, {60, 20}, {60, 14}, {40, 24}, {40, 10}} {
			st.s.width, st.s.height = size[0], size[1]
			for range 2 {
				screen := st.photograph()
				if st.s.env.Printer.Language() == "en" && !strings.Contains(screen, x.want) || strings.Contains(screen, "80") && strings.Contains(screen, "24 ") {
					t.Errorf("%s at %v:\n%s", x.name, size, screen)
				}
				if testing.Verbose() {
					t.Logf("%s at %v\n%s", x.name, size, screen)
				}
				st.s.language()
			}
		}
	}
}

// What the status line says is never cut where its sentence may turn round.
func TestFrame_TheStatusIsWholeAtTheLeastSizes(t *testing.T) {
	st := newStage(t, flowtest.New(t), 80, 24)
	for range 2 {
		for _, id := range []string{"flow.welcome.status", "home.settings_status", "flow.source.status", "flow.confirm.status"} {
			text := st.s.env.T(id)
			lines := st.s.foot(text)
			got := strings.Replace(stripped(strings.Join(lines[:len(lines)-1], "")), st.s.right(text), "", 1)
			if !strings.Contains(bare(got), bare(text)) {
				t.Errorf("%s: %q", id, got)
			}
		}
		st.s.language()
	}
}
