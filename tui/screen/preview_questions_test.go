package screen

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/tui/flow"
	"github.com/hacsync/hacsync/tui/flow/flowtest"
	"github.com/hacsync/hacsync/tui/review"
)

func TestPreview_GoldenQuestions(t *testing.T) {
	p := asking(t)
	for _, size := range [][2]int{{80, 19}, {120, 35}, {200, 55}} {
		for _, lang := range []string{"en", "ja"} {
			for name, keys := range map[string][]string{
				"question":           {"end"},
				"question-rows":      {"home"},
				"question-row":       {"home", "tab", "tab"},
				"question-different": {"end", "D"},
				"question-all":       {"home", "tab", "=", "enter", "=", "enter", "D"},
			} {
				t.Run(fmt.Sprintf("%s/%dx%d/%s", lang, size[0], size[1], name), func(t *testing.T) {
					w := newWorld(t, p, lang, size[0], size[1])
					w.keys(keys...)
					exact(t, w.view(), w.width, w.height)
					got := w.screen() + "\n" + w.s.status() + " | " + w.s.place() + "\n" + footer(w.s) + "\n"
					flowtest.Golden(t, fmt.Sprintf("preview-%s-%dx%d-%s", name, size[0], size[1], lang), planCode.ReplaceAllString(got, "7F3A-92C1"))
				})
			}
		}
	}
}

func TestPreview_GoldenBlocks(t *testing.T) {
	p := blocking(t)
	for _, size := range [][2]int{{80, 19}, {120, 35}} {
		for _, lang := range []string{"en", "ja"} {
			for name, keys := range map[string][]string{
				"blocks":      {"x", "home", "down"},
				"blocks-back": {"x", "home", "end", "up", "up", "enter"},
				"blocks-wait": {"x", "end"},
			} {
				t.Run(fmt.Sprintf("%s/%dx%d/%s", lang, size[0], size[1], name), func(t *testing.T) {
					w := newWorld(t, p, lang, size[0], size[1])
					w.keys(keys...)
					exact(t, w.view(), w.width, w.height)
					flowtest.Golden(t, fmt.Sprintf("preview-%s-%dx%d-%s", name, size[0], size[1], lang), planCode.ReplaceAllString(w.screen()+"\n"+footer(w.s)+"\n", "7F3A-92C1"))
				})
			}
		}
	}
}

func TestQuestions_AreFirstWhileOneIsOpen(t *testing.T) {
	w := newWorld(t, asking(t), "en", 120, 35)
	w.has("[? questions 3]", "0 of 3 questions answered")
	if w.s.tab != review.TabQuestions {
		t.Fatalf("the preview opens on %s", w.s.tab)
	}
	w.keys("home", "D", "enter", "D", "enter", "space", "enter")
	if w.s.tab != review.TabAll {
		t.Errorf("after the last question it shows %s", w.s.tab)
	}
	w.has(" ? questions 3 ")
	if w.s.table.Place() != 0 {
		t.Errorf("it begins at row %d", w.s.table.Place()+1)
	}
	again := newWorld(t, w.s.g.Plan(), "en", 120, 35)
	if again.s.tab != review.TabAll {
		t.Errorf("a plan with all questions answered opens on %s", again.s.tab)
	}
}

func TestQuestions_AnswersCountAtOnceAndLeaveTheCursorWhereItIs(t *testing.T) {
	w := newWorld(t, asking(t), "en", 120, 35)
	before := w.s.g.Plan().Counts()
	at := func() (q *plan.Question) { return w.s.g.Plan().Question(w.s.at) }
	w.keys("end")
	place := w.s.at
	w.keys("D")
	c := w.s.g.Plan().Counts()
	if w.s.at != place || at().Answer.Kind != plan.DifferentPeople || at().Answer.By != "t.mori" {
		t.Fatalf("at %d with %+v", w.s.at, at().Answer)
	}
	if c.Delete != before.Delete+1 || c.Add != before.Add+1 || w.s.g.Part(review.TabDelete).Count != c.Delete {
		t.Errorf("%+v, before %+v", c, before)
	}
	w.has("[? questions 3]", fmt.Sprintf("- delete %d", c.Delete), fmt.Sprintf("Deletions %d of", c.Delete), "different people, t.mori, 25 Nov", "(x) D")
	w.keys("=") // replaces it
	if at().Answer.Kind != plan.SamePerson || w.s.g.Plan().Counts().Rename != before.Rename+1 || w.s.g.Plan().Counts().Delete != before.Delete {
		t.Errorf("%+v, %+v", at().Answer, w.s.g.Plan().Counts())
	}
	w.keys("＝") // an input method's, and the same again
	if at().Answer.Kind != plan.SamePerson {
		t.Errorf("the same answer again gives %+v", at().Answer)
	}
	w.keys("space")
	if at().Answer.Kind != plan.NotNow || w.s.g.Plan().Counts().Rename != before.Rename {
		t.Errorf("%+v", at().Answer)
	}
	w.keys("z")
	if at().Answer.Kind != plan.Open {
		t.Errorf("z leaves %+v", at().Answer)
	}
	if got := w.s.g.Plan().Counts(); got != before {
		t.Errorf("all taken back, but %+v, before %+v", got, before)
	}
	w.keys("Ｄ")
	if at().Answer.Kind != plan.DifferentPeople {
		t.Errorf("a wide D gives %+v", at().Answer)
	}
}

func TestQuestions_EnterAnswersNothing(t *testing.T) {
	w := newWorld(t, asking(t), "en", 80, 19)
	w.keys("enter", "enter", "enter", "enter", "enter", "[", "1", "tab", "down", "up", "pgdown", "home", "*", "C", "1", "2", "9")
	if _, answered := w.s.g.Questions(); answered != 0 {
		t.Errorf("%d questions are answered", answered)
	}
}

func TestQuestions_ARowIsChosenBeforeItIsTheSame(t *testing.T) {
	w := newWorld(t, asking(t), "en", 120, 35)
	w.keys("home").has("choose a row first: tab", "none of them")
	q := w.s.g.Plan().Question(0)
	if len(q.Rows) != 2 {
		t.Fatalf("%d rows", len(q.Rows))
	}
	w.keys("=")
	if w.s.g.Plan().Question(0).Answer.Kind != plan.Open {
		t.Fatal("a row was taken that nobody chose")
	}
	w.keys("tab", "tab").has("same as row b", "row a is added as new")
	if got := w.s.place(); got != "row b of 2" {
		t.Errorf("the place is %q", got)
	}
	w.keys("=")
	if a := w.s.g.Plan().Question(0).Answer; a.Kind != plan.SamePerson || a.Row != q.Rows[1].RowKey() {
		t.Errorf("%+v", a)
	}
	w.keys("shift+tab").has("same as row")
}

func TestQuestions_ARowThatCannotBeWrittenKeepsTheAccount(t *testing.T) {
	w := newWorld(t, asking(t), "en", 160, 35)
	w.keys("home", "down").has("kobayashi.rei@midori.example[ (leave)]", "stays; its row is a skip until mended", "its UPN stands in the row")
	c := w.s.g.Plan().Counts()
	w.keys("=")
	if got := w.s.g.Plan().Counts(); got.Changes() != c.Changes() {
		t.Errorf("%d changes, before %d", got.Changes(), c.Changes())
	}
}

// Rows that were left out stay so when an answer brings others, and every row is
// found by its number.
func TestQuestions_RowsLeftOutStayLeftOut(t *testing.T) {
	w := newWorld(t, asking(t), "en", 120, 35)
	w.keys("2", "5", "space")
	out := w.s.g.LeftOut()
	if len(out) == 0 {
		t.Fatal("nothing is left out")
	}
	w.keys("1", "end", "D")
	if got := w.s.g.LeftOut(); !slices.Equal(got, out) {
		t.Errorf("left out %v, before %v", got, out)
	}
	g := w.s.g
	for i := range g.Len() {
		if no := g.No(i); no != 0 && g.Index(no) != i {
			t.Errorf("row %d of index %d is found at %d", no, i, g.Index(no))
		}
	}
	if a, ok := g.Action(out[0]); !ok || a.No != out[0] {
		t.Errorf("row %d is %+v", out[0], a)
	}
}

func TestQuestions_ShowBothSidesWhole(t *testing.T) {
	w := newWorld(t, asking(t), "en", 160, 45)
	w.keys("end").has(
		"Account in Microsoft 365", "watanabe.s[ho]@midori.example", "watanabe.s@midori.example", "渡[邉] 翔", "渡[辺] 翔", "=~",
		"the names look the same", "another Username", "linked 12 Oct", "same department", "on either side until one changes",
	)
	for i := range w.s.g.Plan().QuestionLen() {
		card := w.s.g.Card(i, 0)
		deletes := 0
		for _, x := range card.Ways {
			if x.Deletes {
				deletes++
			}
		}
		if len(card.Ways) != 3 || !card.Ways[2].Chosen || deletes != 1 {
			t.Errorf("question %d has the answers %+v", i+1, card.Ways)
		}
	}
}

func TestQuestions_CopyNamesBothSidesWithoutIDs(t *testing.T) {
	w := newWorld(t, asking(t), "en", 120, 35)
	text := w.e.Say(w.s.g.Text(2)[0])
	if text != "Is 渡邉 翔 (watanabe.sho) the same person as 渡辺 翔 (watanabe.s)?" {
		t.Errorf("it says %q", text)
	}
	if strings.Contains(text, "u-0") {
		t.Error("an id is copied")
	}
}

func TestQuestions_SearchFilterAndOrderWorkAmongThem(t *testing.T) {
	w := newWorld(t, asking(t), "en", 120, 35)
	listed := func() string {
		var out []string
		for _, at := range w.s.asked {
			out = append(out, w.s.g.Plan().Question(at).Name)
		}
		return strings.Join(out, " ")
	}
	w.keys("/", "type:y.hara", "enter").has("Q1", "hara.yoko", "Which row is the person")
	if w.s.tab != review.TabQuestions || listed() != "原 洋子" || w.s.at != 0 {
		t.Errorf("the search lists %q on %s, shows %d", listed(), w.s.tab, w.s.at)
	}
	w.keys("tab", "=")
	if a := w.s.g.Plan().Question(0).Answer.Kind; a != plan.SamePerson || listed() != "原 洋子" {
		t.Errorf("an answer in a search: %v, listed %q", a, listed())
	}
	if w.s.status() != "1 of 3 questions shown" {
		t.Errorf("the status is %q", w.s.status())
	}
	w.keys("esc")
	if len(w.s.asked) != 3 {
		t.Errorf("esc lists %q", listed())
	}
	w.keys("/", "type:nobodyhasthis", "enter").has("No question here.")
	w.keys("=", "D", "space", "enter", "tab", "esc")
	if _, n := w.s.g.Questions(); n != 1 || w.s.tab != review.TabQuestions {
		t.Errorf("%d are answered where none was shown", n)
	}
	w.keys("f").has("open: not looked at yet", "answered: same person", "answered: different people")
	w.keys("2").has("[open: not looked at yet]")
	if listed() != "小林 玲 渡邉 翔" {
		t.Errorf("open are %q", listed())
	}
	at := w.s.at
	w.keys("space")
	if w.s.at != at || len(w.s.asked) != 2 {
		t.Errorf("an answer moves the cursor from %d to %d, listed %q", at, w.s.at, listed())
	}
	w.keys("f", "2")
	if len(w.s.asked) != 1 || w.s.at == at {
		t.Errorf("open are %q then; %d, %v", listed(), at, w.s.asked)
	}
	w.keys("esc", "o", "o")
	if listed() != "原 洋子 小林 玲 渡邉 翔" && listed() != "小林 玲 原 洋子 渡邉 翔" {
		t.Errorf("by name %q", listed())
	}
	w.keys("2", "1").has("[? questions 3]")
	if len(w.s.asked) != 3 || w.s.filter != review.NoFilter {
		t.Errorf("back at the tab %q are listed", listed())
	}
}

// crowdAsks is a company with so many questions that they stand in groups.
func crowdAsks(t testing.TB, n int) *plan.Plan {
	t.Helper()
	c := newCompany(t)
	c.asks = true
	c.policy.MaxAllowedDeletions = 100
	for i := range n {
		w := who{local: fmt.Sprintf("old.%03d", i), imm: fmt.Sprintf("imm-%d", i), name: fmt.Sprintf("渡邉 %c%c", rune(0x4e00+i), rune(0x5e00+i))}
		c.inTenant(w)
		now := who{local: fmt.Sprintf("fresh%03d", i), name: w.name}
		switch i % 3 {
		case 1:
			now.name = strings.Replace(w.name, "邉", "辺", 1)
		case 2:
			now.name, now.dept = fmt.Sprintf("別名 %d", i), "was "+w.local+"@"+previewDomain
		}
		c.inSource(now)
	}
	return c.plan()
}

func TestQuestions_ManyStandInGroupsByWhyTheyAreAsked(t *testing.T) {
	w := newWorld(t, crowdAsks(t, 39), "en", 120, 60)
	w.lacks("Same name:", "Inside a cell:")
	w = newWorld(t, crowdAsks(t, 42), "en", 120, 60)
	if len(w.s.asked) != 42 || len(w.s.groups) != 3 {
		t.Fatalf("%d questions in %+v", len(w.s.asked), w.s.groups)
	}
	w.has("Inside a cell: 14", "Same name: 14", "Another spelling of the name")
	w.keys("end").has("Another spelling of the name: 14")
	seen := map[int]bool{}
	for w.keys("home"); !seen[w.s.at]; w.keys("down") {
		seen[w.s.at] = true
		lines := exact(t, w.view(), w.width, w.height)
		if n := len(slices.DeleteFunc(slices.Clone(lines), func(l string) bool { return !strings.HasPrefix(l, w.e.Signs.Here+" ") })); n != 1 {
			t.Fatalf("%d lines are marked:\n%s", n, w.screen())
		}
	}
	if len(seen) != 42 {
		t.Errorf("down passes %d questions", len(seen))
	}
	w.keys("home", "enter")
	if w.s.at != w.s.asked[1] {
		t.Errorf("enter goes to %d, want %d", w.s.at, w.s.asked[1])
	}
	small := newWorld(t, crowdAsks(t, 42), "ja", 80, 19)
	small.keys("end", "home").has("セルの中の値: 14")
	exact(t, small.view(), 80, 19)
	w.keys("/", "type:"+w.s.g.Plan().Question(w.s.asked[20]).Name, "enter")
	if len(w.s.asked) != 1 || len(w.s.groups) != 1 {
		t.Errorf("a search lists %v in %+v", w.s.asked, w.s.groups)
	}
}

func TestBlocks_StandUnderATabOfTheirOwn(t *testing.T) {
	w := newWorld(t, blocking(t), "en", 140, 40)
	g := w.s.g
	kinds := 0
	for _, p := range g.Tabs() {
		switch p.Tab {
		case review.TabAll, review.TabSkip, review.TabSummary, review.TabQuestions:
		default:
			kinds += p.Count
		}
	}
	if c := g.Plan().Counts(); kinds != c.Changes() || g.Part(review.TabUpdate).Count != c.Update-8 || g.Part(review.TabBlock).Count != 8 {
		t.Errorf("the kinds are %d of %d; %+v, %+v", kinds, c.Changes(), g.Part(review.TabUpdate), g.Part(review.TabBlock))
	}
	w.keys("x", "home").has("[x block 8]", "blocked now, deleted on 15 Dec", "unblocked: in HAC again", "blocked 19 Nov, deleted on 9 Dec", "2 blocked, waiting")
	if w.s.table.Len() != 10 {
		t.Errorf("%d rows", w.s.table.Len())
	}
	w.keys("space", "x")
	if w.s.tab != review.TabBlock {
		t.Errorf("x shows %s", w.s.tab)
	}
	if blocks, back := g.Switched(); blocks+len(g.LeftOut()) != 7 || len(g.LeftOut()) != 1 || back != 1 {
		t.Errorf("%d blocks, %d back, left out %v", blocks, back, g.LeftOut())
	}
	w.keys("1", "f", "7").has("imai.tetsu", "nishida.ai")
	if w.s.table.Len() != 2 {
		t.Errorf("%d accounts wait", w.s.table.Len())
	}
	// Who waits is no skip: not in the tab, its number, nor a reason.
	p := g.Plan()
	if n := g.Part(review.TabSkip).Count; n != p.SkipLen()-2 || p.Counts().Skipped != n || p.Counts().Waiting != 2 {
		t.Errorf("%d skips of %d, %+v", n, p.SkipLen(), p.Counts())
	}
	reasons := slices.DeleteFunc(g.Reasons(), func(e review.Reason) bool { return e.Why == nil }) // without what is left out here
	for no := range len(reasons) + 1 {
		want := g.Part(review.TabSkip).Count
		if no > 0 {
			want = reasons[no-1].Rows
		}
		rows, _ := g.Finder(review.Query{Tab: review.TabSkip, Reason: no}).Find(t.Context())
		if len(rows) != want {
			t.Errorf("reason %d: %d rows, want %d", no, len(rows), want)
		}
		for _, i := range rows {
			if a := g.Row(int(i)); a.Sign != "!" {
				t.Errorf("reason %d has %+v", no, a)
			}
		}
	}
	for _, tab := range []review.Tab{review.TabUpdate, review.TabBlock} {
		rows, _ := g.Finder(review.Query{Tab: tab}).Find(t.Context())
		for _, i := range rows {
			if a := g.Row(int(i)); (a.Sign != "~" && a.Sign != "(~)") != (tab == review.TabBlock) {
				t.Errorf("%s has %+v", tab, a)
			}
		}
	}
	other := newWorld(t, story(t), "en", 120, 35)
	if other.send(press("x")) {
		t.Error("x is handled where nobody is blocked")
	}
	other.lacks(" x ")
}

func TestDeletions_NeverSeenInTheSourceStandAbove(t *testing.T) {
	w := newWorld(t, story(t), "en", 140, 40)
	first := func() string { return w.s.g.Row(w.s.table.Selected()).UPN }
	if w.keys("home"); first() != "copier-3f" {
		t.Errorf("all begins with %s", first())
	}
	w.keys("2", "home").has("Never seen in HAC: 1", "In HAC before, absence explained: 6", "6 explained  1 never seen in HAC")
	if first() != "copier-3f" {
		t.Errorf("deletions begin with %s", first())
	}
	lines := strings.Split(w.screen(), "\n")
	at := func(text string) int {
		return slices.IndexFunc(lines, func(l string) bool { return strings.Contains(l, text) })
	}
	if at("Never seen in HAC: 1")+1 != at("2 copier-3f") || at("absence explained")+1 != at("1 abe.kenji") {
		t.Errorf("the headings stand elsewhere:\n%s", w.screen())
	}
	w.keys("o").lacks("Never seen in HAC: 1")
	notes := ""
	for _, n := range w.s.g.DeletionNotes() {
		notes += w.e.Say(n)
	}
	if !strings.Contains(notes, "6 explained; 1 was never seen in HAC: copier-3f") {
		t.Errorf("confirm says %q", notes)
	}
}

// twins is a company of two leavers of one name, and two new rows of that name.
func twins(t testing.TB) *plan.Plan {
	t.Helper()
	c := newCompany(t)
	c.asks = true
	c.policy.MaxAllowedDeletions = 100
	c.inTenant(who{local: "hara.y", name: "原 洋子"})
	c.inTenant(who{local: "hara.yoko", name: "原 洋子"})
	for _, local := range []string{"y.hara", "yoko.h"} {
		c.inSource(who{local: local, name: "原 洋子"})
	}
	return c.plan()
}

func TestQuestions_ARowIsTakenByOneAndWaitsForAnother(t *testing.T) {
	for lang, want := range map[string][2]string{"en": {"taken by Q1", "waits for Q1"}, "ja": {"Q1 で選択済み", "Q1 の回答待ち"}} {
		w := newWorld(t, twins(t), lang, 120, 35)
		w.keys("home", "tab", "=", "down").has(want[0])
		w.keys("tab", "=") // the row that is taken
		if a := w.s.g.Plan().Question(1).Answer.Kind; a != plan.Open {
			t.Errorf("a row is taken twice: %v", a)
		}
		flowtest.Golden(t, "preview-question-taken-120x35-"+lang, planCode.ReplaceAllString(w.screen(), "7F3A-92C1"))
		w.keys("home", "z", "down", "D").has(want[1])
		flowtest.Golden(t, "preview-question-waits-120x35-"+lang, planCode.ReplaceAllString(w.screen(), "7F3A-92C1"))
		for _, size := range [][2]int{{80, 19}, {200, 55}} {
			w.width, w.height = size[0], size[1]
			exact(t, w.view(), w.width, w.height)
		}
	}
}

// What is listed line by line is not what the screen shows: rows are left out and
// taken back beside open questions, and an answer is taken back beside rows.
func TestPreview_KeysOfRowsWorkBesideOpenQuestions(t *testing.T) {
	w := newWorld(t, asking(t), "en", 120, 30)
	w.keys("]")
	if w.s.tab == review.TabQuestions {
		t.Fatalf("it is at %s", w.s.tab)
	}
	w.keys("space")
	if w.f.View().Review == nil { // how long?
		w.answer(flow.Answer{Text: "once"})
		w.answer(flow.Answer{})
	}
	if n := w.s.g.Notable(review.OutOnly); n != 1 {
		t.Fatalf("%d rows are left out", n)
	}
	w.keys("z")
	if n := w.s.g.Notable(review.OutOnly); n != 0 {
		t.Errorf("%d rows are left out after z", n)
	}
}
