package screen

import (
	"fmt"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/run"
	"github.com/hacsync/hacsync/sync/state"
	"github.com/hacsync/hacsync/tui/flow"
	"github.com/hacsync/hacsync/tui/flow/flowtest"
)

func TestSignIn_EscapeGoesBackAndKeepsInputs(t *testing.T) {
	st := newStage(t, flowtest.New(t), 100, 30)
	st.to(flow.SignIn).shows("Type this code").keys("i").shows("To a tenant you name").keys("5")
	st.shows("Tenant ID or domain").keys("type:midori.example", "enter").shows("Type this code")
	st.keys("i").shows("To a tenant you name").keys("5").shows("midori.example")
	st.keys("esc").shows("To a tenant you name").keys("esc").shows("Type this code").keys("esc").shows("+ Add Service")
}

func TestSignIn_CopiesCodeAndMessage(t *testing.T) {
	st := newStage(t, flowtest.New(t), 100, 30)
	st.to(flow.SignIn).shows("CODE00001", "What Microsoft will show").keys("c").shows("Code CODE00001 copied")
	st.keys("C").shows("Message copied", "Message for the person who signs in")
	st.until(func() bool { return len(st.clip) == 2 })
	if st.clip[0] != "CODE00001" || !strings.Contains(st.clip[1], "If you did not expect this, do not enter the code.") {
		t.Errorf("copied: %q", st.clip)
	}
}

func TestSignIn_AnErrorOfThePageIsExplained(t *testing.T) {
	st := newStage(t, flowtest.New(t), 80, 24)
	st.to(flow.SignIn).shows("Type this code").keys("x").shows("Paste the error")
	st.take(tea.PasteMsg{Content: "AADSTS53003: Access has been blocked\r\nTrace ID: 1"})
	st.keys("enter").shows("HS-1", "goes on waiting")
	if st.s.v.Step != flow.SignIn {
		t.Error("a pasted error left the step")
	}
	st.keys("esc").shows("Type this code")
}

func TestSignIn_FailureSaysWhatHappenedWithItsCodeAndTheWaysOn(t *testing.T) {
	st := newStage(t, flowtest.New(t), 80, 24)
	st.to(flow.SignIn).shows("Type this code").choose("block").shows("HS-1", "Ask for an exception")
	st.keys("c")
	st.until(func() bool { return len(st.clip) == 1 })
	if !strings.Contains(st.clip[0], "HS-1") || strings.Contains(st.clip[0], "\x1b") {
		t.Errorf("copied: %q", st.clip[0])
	}
}

func TestHelp_OfThePreviewListsNoKeyThatIsForLinesOnly(t *testing.T) {
	st := newStage(t, flowtest.New(t), 120, 40)
	st.toPreview()
	for _, h := range st.s.entries() {
		if h.key == "v" || h.key == "o" && h.what != "order" || h.key == "-" {
			t.Errorf("the help has %s: %s", h.key, h.what)
		}
	}
}

func TestKeys_OfAJapaneseInputMethodWork(t *testing.T) {
	st := newStage(t, flowtest.New(t), 100, 30)
	st.shows("+ Add Service").keys("？").shows("Keys that work here").keys("esc")
	st.keys("Ｌ").shows("サービスを追加").keys("L").shows("+ Add Service").keys("１")
	st.until(func() bool { return st.s.v.Step == flow.SignIn })
}

func TestKeys_TypedBeforeAScreenCameByItselfAreIgnored(t *testing.T) {
	st := newStage(t, flowtest.New(t), 100, 30)
	st.shows("+ Add Service").s.o.Grace = time.Hour
	st.to(flow.SignIn)
	st.until(func() bool { return st.s.v.Ask.Kind == flow.Wait && len(st.s.v.Ask.Options) > 0 })
	st.keys("1", "esc", "q").shows("Type this code")
	if _, c := st.w.Latest(); len(c) != 0 || st.quit {
		t.Error("a key typed for the screen before was taken")
	}
	st.s.quiet = time.Now()
	st.keys("1")
	st.until(func() bool { return st.s.v.Step == flow.Permissions })
}

func TestLanguage_SwitchesAtAnyTimeAndKeepsThePlace(t *testing.T) {
	st := newStage(t, flowtest.New(t), 80, 24)
	st.to(flow.Source).shows("Where do the users come from?").keys("down", "L").shows("同期元")
	st.keys("enter")
	st.until(func() bool { return st.s.v.Ask.Text.ID != "flow.source.where" })
}

func TestHelp_ListsWhatWorksAndSearches(t *testing.T) {
	st := newStage(t, flowtest.New(t), 100, 30)
	st.to(flow.SignIn).shows("Type this code").keys("?").shows("Keys that work here", "a new code", "another way to sign in")
	st.keys("type:browser").lacks("another way to sign in")
	st.keys("esc").shows("another way to sign in").keys("esc").shows("Type this code")
}

func TestSource_APastedPathWithQuotesIsTaken(t *testing.T) {
	st := newStage(t, flowtest.New(t), 80, 24)
	st.to(flow.Preview).shows("Path of the file").keys("ctrl+u")
	st.take(tea.PasteMsg{Content: "'/home/森/users (2).csv'\n"})
	st.keys("enter").shows("/home/森/users (2).csv: UTF-8")
}

func TestPath_LettersAreLettersAndQDoesNotQuit(t *testing.T) {
	st := newStage(t, flowtest.New(t), 80, 24)
	st.to(flow.Preview).shows("Path of the file").keys("ctrl+u", "type:qL?", "left", "backspace").shows("[ q?")
	if st.quit {
		t.Error("q in a field quits")
	}
}

func TestConfirm_WrongNumberWritesNothingAndEscapeGoesBack(t *testing.T) {
	st := newStage(t, flowtest.New(t), 80, 24)
	st.toPreview().keys("s").shows("Approved by", "delete")
	st.keys("tab", "type:CHG-20418", "tab").shows("type the number of deletions")
	st.keys("tab", "type:3", "enter").shows("The plan deletes 2. Nothing was written.")
	st.keys("shift+tab").shows("CHG-20418").keys("esc", "esc")
	st.until(func() bool { return st.s.v.Step == flow.Preview })
	if len(st.w.Applied) != 0 {
		t.Error("something was applied")
	}
}

func TestQuit_AsksOnceWhileSomethingRuns(t *testing.T) {
	for _, key := range []string{"q", "ctrl+c"} {
		st := newStage(t, flowtest.New(t), 80, 24)
		st.to(flow.SignIn).shows("Type this code").keys(key).shows("Quit?").keys("esc").shows("Type this code")
		if st.quit {
			t.Fatal("it quit")
		}
		st.keys(key, key)
		st.until(func() bool { return st.quit })
	}
}

func TestQuit_DoesNotAskWhereNothingRuns(t *testing.T) {
	st := newStage(t, flowtest.New(t), 80, 24)
	st.shows("+ Add Service").keys("q")
	st.until(func() bool { return st.quit })
}

func TestSync_EscapeStopsItSafelyAfterAsking(t *testing.T) {
	for _, key := range []string{"esc", "ctrl+c", "q"} {
		w := flowtest.New(t)
		w.Stall = true
		st := newStage(t, w, 100, 30)
		st.toSync("approve").shows("1 of 6")
		st.keys(key).shows("Stop the sync?").keys("esc").shows("1 of 6")
		st.keys(key).shows("Stop the sync?").keys("q").shows("Sync stopped: 1 of 6 seen done, 0 failed, 5 not tried.")
		if st.quit {
			t.Errorf("%s left the screen", key)
		}
	}
}

func TestSync_FailuresStandOnTheScreenWithTheirCode(t *testing.T) {
	w := flowtest.New(t)
	w.Fail = true
	st := newStage(t, w, 120, 40)
	st.toSync("approve").shows("5 of 6 seen done, 1 failed", "HS-")
}

func TestSync_DriftOffersTheWaysOn(t *testing.T) {
	w := flowtest.New(t)
	w.Drift = true
	st := newStage(t, w, 80, 24)
	st.toPreview().keys("s")
	st.until(func() bool { return st.s.v.Step == flow.Confirm })
	st.keys("enter", "enter", "type:2", "enter").shows("HS-", "do nothing", "佐藤 -> 高橋")
}

func TestWindow_TooSmallSaysSoAndTakesNoKeys(t *testing.T) {
	st := newStage(t, flowtest.New(t), 80, 24)
	st.shows("+ Add Service")
	st.take(tea.WindowSizeMsg{Width: 39, Height: 10})
	st.shows("hacsync needs a window of 40 by 10; this one is 39 by 10.").keys("1")
	st.take(tea.WindowSizeMsg{Width: 80, Height: 24})
	st.shows("+ Add Service")
	st.take(tea.WindowSizeMsg{Width: 1, Height: 1})
	st.lines()
}

func TestMouse_ClickSelectsAndASecondOpens(t *testing.T) {
	st := newStage(t, flowtest.New(t), 80, 24)
	st.to(flow.Source).shows("Where do the users come from?")
	row := 0
	for i, l := range st.lines() {
		if strings.Contains(l, "HENNGE Access Control API") {
			row = i
		}
	}
	st.take(tea.MouseClickMsg{X: 10, Y: row, Button: tea.MouseLeft})
	st.shows("» 2 HENNGE Access Control API")
	st.take(tea.MouseClickMsg{X: 10, Y: row, Button: tea.MouseLeft})
	st.until(func() bool { return st.s.v.Ask.Text.ID != "flow.source.where" })
}

func TestStale_AResultThatComesAfterGoingBackIsDropped(t *testing.T) {
	w := flowtest.New(t)
	w.Block = true
	st := newStage(t, w, 80, 24)
	st.to(flow.Preview).shows("Path of the file").keys("ctrl+u", "type:users.csv", "enter").shows("How many users").keys("type:22", "enter")
	st.shows("Dry Run of "+flowtest.DomainName, "Writes nothing").keys("esc").shows("Sync Source")
	for range 20 {
		select {
		case m := <-st.msgs:
			st.take(m)
		case <-time.After(20 * time.Millisecond):
		}
	}
	if st.s.v.Step != flow.Source {
		t.Errorf("it went to %v", st.s.v.Step)
	}
}

func TestProgress_TenThousandReportsCostFewViews(t *testing.T) {
	w := flowtest.New(t)
	w.Block, w.Noise = true, 10_000
	st := newStage(t, w, 80, 24)
	st.to(flow.Preview).shows("Path of the file").keys("ctrl+u", "type:users.csv", "enter").shows("How many users")
	was := st.took
	st.keys("type:22", "enter").shows("21 to the end").until(func() bool {
		w.Lock()
		defer w.Unlock()
		return w.Noise == 0
	})
	st.take(tickMsg(time.Now()))
	if n := st.took - was; n > 200 {
		t.Errorf("%d updates of the screen for 10,000 reports", n)
	}
	if _, more := st.s.x.Next(); more {
		t.Error("one tick left reports in the mailbox")
	}
}

// askingWorld is a world with one question, of two rows and more.
func askingWorld(t *testing.T) *flowtest.World {
	t.Helper()
	w := flowtest.New(t)
	w.Still, w.Extra, w.Ask, w.Twins = still, 3, true, true
	w.Settings["max_allowed_deletions"] = "50"
	return w
}

func (st *stage) toConfirm() *stage {
	st.t.Helper()
	st.toPreview().keys("s")
	st.until(func() bool { return st.s.v.Step == flow.Confirm })
	return st
}

func TestConfirm_F2GoesBackToTheQuestions(t *testing.T) {
	for name, keys := range map[string][]string{"from the first field": nil, "from the number": {"enter", "enter", "type:4"}} {
		t.Run(name, func(t *testing.T) {
			st := newStage(t, askingWorld(t), 120, 40)
			st.toPreview().keys("]").shows("[All ")
			st.keys("s")
			st.until(func() bool { return st.s.v.Step == flow.Confirm })
			st.keys(keys...).shows("1 question stays open", "f2 to the questions").keys("f2")
			st.until(func() bool { return st.s.v.Step == flow.Preview })
			st.shows("[? questions 1]", "Which row is the person").keys("D").shows("different people, t.mori")
			st.keys("s")
			st.until(func() bool { return st.s.v.Step == flow.Confirm })
			st.shows("answered 1: 0 same person, 1 different")
		})
	}
	st := newStage(t, flowtest.New(t), 120, 40)
	st.toConfirm().lacks("f2 to").keys("f2")
	if st.s.v.Step != flow.Confirm {
		t.Errorf("f2 without a question goes to %v", st.s.v.Step)
	}
}

// An answer is stored when it is given: no way out of the questions loses it.
func TestRule12_NoWayOutLosesAnAnswer(t *testing.T) {
	for name, keys := range map[string][]string{
		"back at once": {"D", "esc"}, "back and again": {"tab", "=", "D", "esc"}, "quit": {"D", "q"}, "there and back": {"D", "tab", "=", "D", "esc"}, "interrupted": {"D", "ctrl+c"},
		"another tab": {"D", "2"}, "searching": {"D", "/", "type:nobody"}, "language": {"D", "L"}, "help": {"D", "?", "esc", "esc"},
	} {
		t.Run(name, func(t *testing.T) {
			w := askingWorld(t)
			st := newStage(t, w, 80, 24)
			st.toPreview().keys(keys...)
			st.until(func() bool {
				w.Lock()
				defer w.Unlock()
				return len(w.Answers) == 3 && w.Answers[0].Kind == plan.DifferentPeople
			})
		})
	}
}

func TestGolden_QuestionsInTheFrame(t *testing.T) {
	for name, walk := range map[string]func(*stage){
		"questions": func(st *stage) { st.toPreview().shows("Which row is the person") },
		"questions-row": func(st *stage) {
			st.toPreview().shows("Which row is the person").keys("tab", "tab").shows("same as row b")
		},
		"questions-confirm": func(st *stage) { st.toConfirm().shows("1 question stays open") },
	} {
		t.Run(name, func(t *testing.T) {
			st := newStage(t, askingWorld(t), 80, 24)
			walk(st)
			for _, lang := range []string{"en", "ja"} {
				for _, size := range [][2]int{{80, 24}, {200, 60}} {
					st.s.width, st.s.height = size[0], size[1]
					flowtest.Golden(t, fmt.Sprintf("%s-%dx%d-%s", name, size[0], size[1], lang), st.photograph())
				}
				st.s.language()
			}
		})
	}
}

// ended are the rows of a sync after the answer different people: additions that were
// refused or not seen, and deletions that waited for them or were taken back.
func ended(rep *run.Report) {
	rep.State, rep.Rows = state.Partial, nil
	fails := func(a plan.Action, outcome string, why problem.Code) {
		rep.Seen--
		switch outcome {
		case run.OutcomeNotTried:
			rep.NotTried++
			rep.Sent--
		default:
			rep.Failed++
		}
		rep.Rows = append(rep.Rows, run.RowResult{No: a.No, Kind: a.Kind, UPN: a.UPN, Outcome: outcome, Why: problem.New(why, problem.Args{"upn": a.UPN, "no": "10"})})
	}
	deletions := 0
	for a := range rep.Plan.Actions() {
		switch {
		case a.Kind == plan.Add && a.UPN == "user20@"+flowtest.DomainName:
			fails(a, run.OutcomeFailed, problem.AddTaken)
		case a.Kind == plan.Add:
			fails(a, run.OutcomeNotTried, problem.RowNotTried)
		case len(a.After) > 0:
			fails(a, run.OutcomeNotTried, problem.RowWaits)
		case a.Kind == plan.Delete:
			deletions++
			fails(a, run.OutcomeFailed, map[int]problem.Code{1: problem.RowPutBack, 2: problem.RowNotPutBack}[min(deletions, 2)])
		case a.No%2 == 0:
			fails(a, run.OutcomeNotTried, problem.RowWaits)
		}
	}
}

func TestResult_SaysWhatWaitedAndWhatWasTakenBack(t *testing.T) {
	w := askingWorld(t)
	w.Ends = ended
	st := newStage(t, w, 80, 24)
	st.toPreview().shows("Which row is the person").keys("D").shows("different people, t.mori").keys("s")
	st.until(func() bool { return st.s.v.Step == flow.Confirm })
	st.keys("enter", "enter", "type:5", "enter").shows("Type this code")
	st.choose("approve").shows("Sync stopped")
	st.s.width, st.s.height = 200, 60
	st.shows(
		"user34@midori.example: not tried: + user20@midori.example failed", "The account is as it was; the next dry run asks again.",
		"was deleted and restored: the user that was to get its UPN could not be added", "could not be restored",
		"which it waits for, did not succeed",
	)
	for _, lang := range []string{"en", "ja"} {
		for _, size := range [][2]int{{80, 24}, {200, 60}} {
			st.s.width, st.s.height = size[0], size[1]
			flowtest.Golden(t, fmt.Sprintf("result-waits-%dx%d-%s", size[0], size[1], lang), st.photograph())
		}
		st.s.language()
	}
}
