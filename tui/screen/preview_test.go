package screen

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
	"pgregory.net/rapid"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/tui/flow"
	"github.com/hacsync/hacsync/tui/flow/flowtest"
	"github.com/hacsync/hacsync/tui/review"
	"github.com/hacsync/hacsync/tui/widget"
)

var planCode = regexp.MustCompile(`[0-9A-F]{4}-[0-9A-F]{4}`)

// exact checks what must hold of any body: as many lines as asked for, each as
// wide, and nothing that a terminal obeys but styles.
func exact(t interface{ Fatalf(string, ...any) }, view string, width, height int) []string {
	lines := strings.Split(view, "\n")
	if len(lines) != height {
		t.Fatalf("%d lines, want %d", len(lines), height)
	}
	for i, l := range lines {
		plain := ansi.Strip(l)
		if got := widget.Width(plain); got != width {
			t.Fatalf("line %d is %d wide, want %d: %q", i, got, width, plain)
		}
		for _, r := range plain {
			if unicode.IsControl(r) || r >= 0x202a && r <= 0x202e {
				t.Fatalf("line %d has the control character %U: %q", i, r, plain)
			}
		}
		if rest := sgr(l); strings.ContainsRune(rest, '\x1b') {
			t.Fatalf("line %d has a sequence that is no style: %q", i, l)
		}
		lines[i] = plain
	}
	return lines
}

// sgr is a line without its styles: whatever escapes remain are no styles.
func sgr(s string) string {
	for {
		i := strings.Index(s, "\x1b[")
		if i < 0 {
			return s
		}
		j := i + 2
		for j < len(s) && strings.ContainsRune("0123456789;:", rune(s[j])) {
			j++
		}
		if j >= len(s) || s[j] != 'm' {
			return s
		}
		s = s[:i] + s[j+1:]
	}
}

func TestPreview_EveryLineIsExactAtEverySizeAndAfterEveryKey(t *testing.T) {
	p := story(t)
	keys := []string{
		"up", "down", "pgup", "pgdown", "home", "end", "[", "]", "1", "2", "3", "4", "5", "6", "7", "8", "/", "f", "o", "enter", "esc",
		"shift+up", "shift+down", "type:渡", "type:a", "space", "*", "z", "tab", "backspace",
	}
	rapid.Check(t, func(r *rapid.T) {
		lang := rapid.SampledFrom([]string{"en", "ja"}).Draw(r, "language")
		w := newWorld(t, p, lang, rapid.IntRange(80, 240).Draw(r, "width"), rapid.IntRange(13, 60).Draw(r, "height"))
		if rapid.Bool().Draw(r, "ascii") {
			w.e.Signs = widget.ASCII()
		}
		for _, k := range rapid.SliceOfN(rapid.SampledFrom(keys), 0, 25).Draw(r, "keys") {
			if w.f.View().Review == nil { // the flow asks something
				w.answer(flow.Answer{Command: flow.CmdBack})
			}
			w.keys(k)
			if rapid.IntRange(0, 9).Draw(r, "resize") == 0 {
				w.width, w.height = rapid.IntRange(80, 240).Draw(r, "width"), rapid.IntRange(13, 60).Draw(r, "height")
			}
			w.s.Sync(reading(w))
			lines := exact(r, w.view(), w.width, w.height)
			if w.s.body() != bodyTable || w.s.table.Len() == 0 {
				continue
			}
			marks := 0
			for _, l := range lines[w.s.tableTop:] {
				if strings.HasPrefix(l, w.e.Signs.Here+" ") {
					marks++
				}
			}
			if marks != 1 {
				r.Fatalf("%d rows are marked, want one:\n%s", marks, strings.Join(lines, "\n"))
			}
		}
	})
}

// reading is the view of the flow's list, even while it asks something.
func reading(w *world) flow.View {
	v := w.f.View()
	if v.Review == nil {
		v.Review = w.s.g
	}
	return v
}

func TestPreview_GoldenScreens(t *testing.T) {
	p := story(t)
	for _, size := range [][2]int{{80, 19}, {120, 35}, {200, 55}} {
		for _, lang := range []string{"en", "ja"} {
			for name, keys := range map[string][]string{
				"all":      {"end", "home", "down", "down"},
				"rename":   {"3", "down", "down"},
				"delete":   {"2", "end"},
				"search":   {"/", "type:渡辺", "enter", "down"},
				"filter":   {"f", "down"},
				"skips":    {"7"},
				"summary":  {"8"},
				"hostile":  {"/", "type:hostile", "enter", "down", "enter"},
				"left-out": {"4", "space", "5", "down", "space", "1"},
			} {
				t.Run(fmt.Sprintf("%s/%dx%d/%s", lang, size[0], size[1], name), func(t *testing.T) {
					w := newWorld(t, p, lang, size[0], size[1])
					w.keys(keys...)
					exact(t, w.view(), w.width, w.height)
					got := w.screen() + "\n" + w.s.status() + " | " + w.s.place() + "\n" + footer(w.s) + "\n"
					// What a plan's code is made of is not the screen's business.
					got = planCode.ReplaceAllString(got, "7F3A-92C1")
					flowtest.Golden(t, fmt.Sprintf("preview-%s-%dx%d-%s", name, size[0], size[1], lang), got)
				})
			}
		}
	}
}

func footer(s *preview) string {
	var b strings.Builder
	for _, k := range s.keys() {
		b.WriteString(k.key + " " + k.what + "  ")
	}
	return strings.TrimSpace(b.String())
}

func TestPreview_TabsAndNumbersShowTheirRows(t *testing.T) {
	w := newWorld(t, story(t), "en", 120, 30)
	c := w.s.g.Plan().Counts()
	for i, n := range []int{c.Changes(), c.Delete, c.Rename, c.Restore, c.Add, c.Update} {
		w.keys(fmt.Sprint(i + 1))
		if got := w.s.table.Len(); got != n {
			t.Errorf("tab %d shows %d rows, want %d", i+1, got, n)
		}
		if w.s.tab != w.s.g.Tabs()[i].Tab {
			t.Errorf("tab %d is %s", i+1, w.s.tab)
		}
	}
	w.keys("1", "[").has("[Summary]")
	w.keys("]", "]").has("[- delete 7]")
	w.keys("１").has("[All 75]") // a full-width digit from an input method
}

func TestPreview_SumsAgreeWithTheTabs(t *testing.T) {
	w := newWorld(t, story(t), "en", 120, 40)
	g := w.s.g
	kinds := 0
	for _, tab := range []review.Tab{review.TabDelete, review.TabRename, review.TabRestore, review.TabAdd, review.TabUpdate} {
		kinds += g.Part(tab).Count
	}
	if kinds != g.Part(review.TabAll).Count || kinds != g.Actions() {
		t.Errorf("the tabs' kinds are %d, all is %d of %d rows", kinds, g.Part(review.TabAll).Count, g.Actions())
	}
	c := g.Plan().Counts()
	if got := c.Unchanged + c.Update + c.Rename - c.MovedIn + c.Delete + c.DestinationHeld; got != c.Touchable || c.Touchable != g.Verdict().Users {
		t.Errorf("the destination's sum is %d, touchable %d, the guard's %d", got, c.Touchable, g.Verdict().Users)
	}
	if got := c.Unchanged + c.Update + c.Rename + c.Add + c.Restore + c.SourceHeld; got != c.SourceUsers {
		t.Errorf("the source's sum is %d of %d", got, c.SourceUsers)
	}
	skips := 0
	for _, r := range g.Reasons() {
		skips += r.Rows
	}
	if skips != g.Part(review.TabSkip).Count {
		t.Errorf("the reasons have %d rows, the tab %d", skips, g.Part(review.TabSkip).Count)
	}
	w.keys("8").has(
		fmt.Sprintf("%d in the domain - %d left alone = %d that a sync may touch", c.DestinationUsers, c.DestinationUsers-c.Touchable, c.Touchable),
		fmt.Sprintf("%d unchanged + %d update + %d rename + %d delete + %d held", c.Unchanged, c.Update, c.Rename, c.Delete, c.DestinationHeld),
	)
}

func TestPreview_AttributesOpenToAsManyRowsAsTheySay(t *testing.T) {
	w := newWorld(t, story(t), "en", 120, 40)
	want := map[directory.Attribute]int{}
	for i := range w.s.g.Actions() {
		a := w.plan.Action(i)
		for _, c := range a.Changes {
			if a.Kind != plan.Add {
				want[c.Attribute]++
			}
		}
	}
	for i, a := range w.s.g.Attributes() {
		if a.Rows != want[a.Attribute] || a.Rows != a.Set+a.Changed+a.Cleared {
			t.Errorf("%s: %+v, want %d rows", a.Attribute, a, want[a.Attribute])
		}
		w.keys("8", "home")
		for range i {
			w.keys("down")
		}
		w.view()
		w.keys("enter")
		if got := w.s.table.Len(); got != a.Rows {
			t.Errorf("%s opens to %d rows, want %d", a.Attribute, got, a.Rows)
		}
		w.keys("esc")
		if w.s.body() != bodySummary {
			t.Fatalf("esc does not go back to the summary")
		}
	}
}

func TestPreview_SearchNarrowsWhileTypingAndKeepsFilterAndCursor(t *testing.T) {
	w := newWorld(t, story(t), "en", 120, 30)
	w.keys("down", "down", "down")
	at := w.s.table.Selected()
	w.keys("／", "type:渡") // the input method's slash
	if !w.s.typing {
		t.Fatal("no search is typed")
	}
	if got := footer(w.s); !strings.Contains(got, "type to search") {
		t.Errorf("the footer is %q", got)
	}
	wide := w.s.table.Len()
	w.keys("type:辺")
	w.has("[渡邉] 翔", "[渡辺] 翔", "[渡邊] 結衣", "[渡辺] 藍", "[渡邉] 元")
	if got := w.s.table.Len(); got != 5 || wide < got {
		t.Errorf("%d rows after 渡, %d after 渡辺; want 5", wide, got)
	}
	w.keys("enter", "space") // the first of them is a deletion
	if w.f.View().Review != nil {
		t.Error("space does not ask how long the deletion is left out")
	}
	w.answer(flow.Answer{Command: flow.CmdBack})
	w.keys("esc")
	if got := w.s.table.Len(); got != w.s.g.Actions() {
		t.Errorf("%d rows after the search was cleared", got)
	}
	w.keys("home", "down", "down", "down", "f", "2").has("[! 4 affect sign-in]")
	w.keys("/", "type:zhao", "esc")
	if w.s.filter != review.SignIns || w.s.table.Len() != w.s.g.Notable(review.SignIns) {
		t.Errorf("the filter is %q with %d rows", w.s.filter, w.s.table.Len())
	}
	w.keys("esc", "home", "down", "down", "down", "/", "type:nobodyhasthis").has("No row has this")
	w.keys("esc")
	if w.s.table.Selected() != at {
		t.Errorf("row %d is selected after a search without result, want %d", w.s.table.Selected(), at)
	}
	w.keys("/", `type:"渡辺"`)
	if got := w.s.table.Len(); got != 2 {
		t.Errorf("%d rows for 渡辺 in quotes, want 2", got)
	}
}

func TestPreview_DropsWhatAnOlderSearchBrings(t *testing.T) {
	w := newWorld(t, story(t), "en", 120, 30)
	w.keys("/")
	_, first, _ := w.s.Update(press("渡"))
	_, second, _ := w.s.Update(press("辺"))
	if first == nil || second == nil {
		t.Fatal("a keystroke looks through the rows by itself")
	}
	if !strings.Contains(w.screen(), "Searching ..") {
		t.Error("the screen does not say that it is searching")
	}
	late := first()
	w.send(second())
	want := w.s.table.Len()
	w.send(late)
	if got := w.s.table.Len(); got != want || w.s.pending {
		t.Errorf("%d rows after the older result, want %d", got, want)
	}
}

func TestPreview_EachFilterShowsWhatItCounts(t *testing.T) {
	w := newWorld(t, story(t), "en", 120, 40)
	w.keys("4", "space") // one row left out
	for i, f := range review.Filters(review.TabAll) {
		w.keys("1", "f").has("Show only")
		w.keys(fmt.Sprint(i + 2))
		if got, want := w.s.table.Len(), w.s.g.Notable(f); got != want || w.s.filter != f {
			t.Errorf("%s shows %d rows, want %d", f, got, want)
		}
	}
	if w.s.g.Notable(review.Lately) == 0 || w.s.g.Notable(review.OutOnly) != 1 || w.s.g.Notable(review.Cleared) == 0 {
		t.Error("the story lacks rows for a filter")
	}
	w.keys("space") // the row left out is taken in: it leaves the list
	if got := w.s.table.Len(); got != 0 {
		t.Errorf("%d rows are left out, want none", got)
	}
}

func TestPreview_SpaceLeavesOutAndTakesInAndZTakesBack(t *testing.T) {
	w := newWorld(t, story(t), "en", 120, 40)
	w.keys("3").has("> rename 4]")
	no := w.s.g.No(w.s.table.Selected())
	w.keys("space").has("(>)", "left out this time", "1 left out")
	if !w.s.g.IsOut(no) {
		t.Fatalf("row %d is not left out", no)
	}
	w.keys("space").lacks("(>)")
	w.keys("space", "z").lacks("(>)")
	w.keys("*").has("4 left out")
	w.keys("*").lacks("left out")
	w.keys("2", "space")
	if v := w.f.View(); v.Review != nil || v.Ask.Kind != flow.Choice || v.Ask.Preset != "always" {
		t.Fatalf("a deletion does not ask how long: %+v", v.Ask)
	}
	w.answer(flow.Answer{Text: "always"})
	w.answer(flow.Answer{Text: "printer"})
	w.has("(-)", "left out, always", "printer", "Deletions 6 of 264 known")
	w.keys("7").has("Left out by you", "always: copier-3f")
	if got := w.s.g.Part(review.TabDelete).Count; got != 7 {
		t.Errorf("the tab counts %d deletions, want all 7", got)
	}
}

func TestPreview_ScrollsTheSummaryDownToItsSums(t *testing.T) {
	w := newWorld(t, story(t), "en", 80, 18)
	w.keys("8").lacks("Remaining")
	w.keys("end").has("Remaining    75 changes, 0 left out")
	w.keys("home").has("» displayName")
	for range 30 {
		w.keys("down")
		w.view()
	}
	w.has("Remaining")
}

func TestPreview_SpaceInTheSummaryLeavesAnAttributeOut(t *testing.T) {
	w := newWorld(t, story(t), "en", 120, 40)
	w.keys("8", "down")
	w.view()
	a, _, ok := w.s.Update(press("space"))
	if want := string(w.s.g.Attributes()[1].Attribute); !ok || len(a) != 1 || a[0].Command != "attribute" || a[0].Text != want {
		t.Errorf("space answers %v, want attribute %s", a, want)
	}
}

func TestPreview_ReasonsOpenToTheirRows(t *testing.T) {
	w := newWorld(t, story(t), "en", 120, 40)
	w.keys("7")
	for i, r := range w.s.g.Reasons() {
		w.keys("7", "home")
		for range i {
			w.keys("down")
		}
		w.view()
		w.keys("enter")
		if got := w.s.table.Len(); got != r.Rows {
			t.Errorf("%s opens to %d rows, want %d", r.Why.Code, got, r.Rows)
		}
		w.keys("esc")
		if w.s.body() != bodyReasons {
			t.Fatal("esc does not go back to the reasons")
		}
	}
	w.keys("/", "type:営業窓口").has("[営業窓口]")
}

func TestPreview_EscIsTheShellsOnceNothingIsLeftToClear(t *testing.T) {
	w := newWorld(t, story(t), "en", 120, 40)
	w.keys("/", "type:a", "enter")
	if !w.send(press("esc")) || w.send(press("esc")) {
		t.Error("esc clears the search once, and then is not handled")
	}
	for _, k := range []string{"?", "L", "q"} {
		if w.send(press(k)) {
			t.Errorf("%s is handled", k)
		}
	}
}

func TestPreview_OrdersByUPNAndName(t *testing.T) {
	w := newWorld(t, story(t), "en", 120, 40)
	all, plans := w.s.table.Len(), slices.Clone(w.s.found)
	w.keys("o")
	var upns []string
	for _, i := range w.s.found {
		upns = append(upns, w.s.g.Row(int(i)).UPN)
	}
	if !slices.IsSorted(upns) || len(upns) != all {
		t.Errorf("not by UPN: %v", upns)
	}
	w.keys("o", "o")
	if !slices.Equal(w.s.found, plans) || w.s.table.Len() != all {
		t.Error("the third time does not bring the plan's order back")
	}
}

func TestPreview_SaysWhyTheGuardCancels(t *testing.T) {
	for lang, want := range map[string][]string{
		"en": {"CANCELS", "Synchronization was canceled because the deletion percentage reached the threshold.", "██████████████████"},
		"ja": {"キャンセル", "ユーザー削除許容率に達するため、同期するとキャンセルされます。", "Synchronization was canceled because the deletion percentage reached the threshold."},
	} {
		c := newCompany(t)
		for i := range 20 {
			c.same(who{local: fmt.Sprintf("stay%d", i), imm: fmt.Sprintf("s%d", i), name: "n"}, func(*who) {})
		}
		for i := range 5 {
			c.inTenant(who{local: fmt.Sprintf("gone%d", i), imm: fmt.Sprintf("g%d", i), name: "n"})
		}
		w := newWorld(t, c.plan(), lang, 120, 30).has(want...).has("5", "25")
		if w.send(press("m")); w.f.View().Review != nil {
			t.Error("m does not open Max Allowed Deletions")
		}
	}
}

func TestPreview_ABarShowsOneCellAboveZeroAndIsFullOnlyAtTheLimit(t *testing.T) {
	for deletions, want := range map[int]string{0: "░░░░", 1: "█░░░", 99: "█████████████████░", 100: "██████████████████"} {
		c := newCompany(t)
		c.policy.MaxAllowedDeletions = 50
		for i := range 200 - deletions {
			c.same(who{local: fmt.Sprintf("stay%d", i), imm: fmt.Sprintf("s%d", i), name: "n"}, func(*who) {})
		}
		for i := range deletions {
			c.inTenant(who{local: fmt.Sprintf("gone%d", i), imm: fmt.Sprintf("g%d", i), name: "n"})
		}
		newWorld(t, c.plan(), "en", 120, 30).has(want)
	}
}

func TestPreview_ClicksSelectOpenAndChangeTabs(t *testing.T) {
	w := newWorld(t, story(t), "en", 120, 30)
	click := func(x, y int) { w.view(); w.send(tea.MouseClickMsg{X: x, Y: y, Button: tea.MouseLeft}) }
	click(20, w.s.tableTop+4)
	if got := w.s.table.Place(); got != 3 {
		t.Errorf("place %d is selected, want 3", got)
	}
	click(20, w.s.tableTop+4)
	if w.s.body() != bodyDetail {
		t.Error("a second click does not open the row")
	}
	w.keys("esc")
	for _, s := range w.s.tabs[1:4] {
		click(s.from+2, 0)
		if w.s.tab != s.tab {
			t.Errorf("a click on %s shows %s", s.tab, w.s.tab)
		}
	}
	w.keys("1").send(tea.MouseWheelMsg{X: 10, Y: 10, Button: tea.MouseWheelDown})
	if w.s.table.Place() != 3 && w.s.table.Len() > 30 {
		t.Logf("place %d after the wheel", w.s.table.Place())
	}
}

func TestPreview_KeepsTheDetailOfALongRowReachableBelowTheTable(t *testing.T) {
	w := newWorld(t, story(t), "en", 80, 19)
	w.keys("2").lacks("Wrong?")
	for range 20 {
		w.keys("shift+down")
		w.view()
	}
	w.has("Or leave this row out")
	w.keys("down").has("- delete, No. 1")
}

func TestPreview_SaysThatNothingWouldChange(t *testing.T) {
	c := newCompany(t)
	c.same(who{local: "stay", imm: "s", name: "n"}, func(*who) {})
	w := newWorld(t, c.plan(), "en", 100, 25).has("Nothing would change", "Deletions 0 of 1 = 0 %")
	w.keys("7").has("Nothing is skipped.")
	w.keys("8").has("No account changes its values.")
	w.keys("1", "space", "*", "=", "enter", "o", "end", "pgdown", "shift+down").has("Nothing would change")
}

func TestPreview_LooksTheSameInNoColour(t *testing.T) {
	w := newWorld(t, story(t), "en", 120, 40)
	w.keys("/", "type:watanabe")
	plain := exact(t, w.view(), 120, 40)
	if !slices.ContainsFunc(plain, func(l string) bool { return strings.Contains(l, "[watanabe].ai") }) {
		t.Errorf("a match does not show without colour:\n%s", strings.Join(plain, "\n"))
	}
}
