package plain_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
	"pgregory.net/rapid"

	"github.com/hacsync/hacsync/sync/consent"
	"github.com/hacsync/hacsync/sync/message"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/run"
	"github.com/hacsync/hacsync/tui/flow"
	"github.com/hacsync/hacsync/tui/flow/flowtest"
	"github.com/hacsync/hacsync/tui/plain"
)

// walked is what a walk left.
type walked struct {
	text    string
	outcome plain.Outcome
}

func walk(t testing.TB, w *flowtest.World, lines ...string) walked {
	t.Helper()
	return walkIn(context.Background(), t, w, "en", strings.NewReader(strings.Join(lines, "\n")+"\n"))
}

func walkIn(ctx context.Context, t testing.TB, w *flowtest.World, lang string, in io.Reader) walked {
	t.Helper()
	p := printers()[lang]
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	var out strings.Builder
	f := flow.New(w, flow.Options{Version: "1.2", Person: "mori", Count: -1, Poll: time.Millisecond})
	o, err := plain.Run(ctx, f, in, &out, plain.Options{Printer: p.In(time.UTC), Every: 5 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out.String(), "«") || strings.Contains(out.String(), "<no value>") {
		t.Errorf("words are missing:\n%s", out.String())
	}
	if at := screenKeys.FindString(out.String()); at != "" {
		t.Errorf("the walk names the key %q of a screen:\n%s", at, out.String())
	}
	if w.Sessions != 0 {
		t.Errorf("%d sessions were left open", w.Sessions)
	}
	return walked{out.String(), o}
}

// screenKeys are keys that only the screens have: no line typed can be one.
var screenKeys = regexp.MustCompile(`(?i)\b(esc|tab|pgup|pgdn|shift\+\w+|f[1-9]|space)\b|\benter (lists|opens)|↑|↓`)

func (w walked) has(t *testing.T, parts ...string) {
	t.Helper()
	flat := strings.Join(strings.Fields(w.text), " ")
	for _, p := range parts {
		if !strings.Contains(flat, strings.Join(strings.Fields(p), " ")) {
			t.Errorf("the walk does not say %q", p)
		}
	}
	if t.Failed() {
		t.Log(w.text)
	}
}

// printers are made once: reading the catalogues takes longer than a walk.
var printers = sync.OnceValue(func() map[string]*message.Printer {
	out := map[string]*message.Printer{}
	for _, lang := range []string{"en", "ja"} {
		p, err := message.New(lang)
		if err != nil {
			panic(err)
		}
		out[lang] = p
	}
	return out
})

// the lines of a whole walk, in parts.
func toPreview() []string {
	return []string{"1", "approve", "once", flowtest.DomainName, "go", "script", "run", "go", "file", `"users (2).csv"`, "22"}
}

func toConfirm(more ...string) []string {
	return append(append(toPreview(), more...), "s", "", "CHG-20418")
}

func whole() []string { return append(toConfirm(), "2", "approve", "quit") }

func TestWalk_FromSignInToAFinishedSync(t *testing.T) {
	w := flowtest.New(t)
	got := walk(t, w, whole()...)
	got.has(t, "Step 1 of 8 Sign in", "CODE00001", "Requested Permissions", "Step 3 of 8 Domain", "sales, support",
		"Seen in the tenant", "yamada.taro@midori.example", "山田 太郎", "Step 7 of 8 Preview",
		"Deletions 2 of 22 = 9.1 %; stops at 3 (Max Allowed Deletions 10 %)", "2 accounts will be deleted; type the number",
		"Sync finished: 6 of 6 seen done, 0 failed, 0 not tried.", "No sign-in was kept.")
	if got.outcome.Kind != plain.Quit || got.outcome.End.Report == nil || got.outcome.End.Report.Seen != 6 {
		t.Errorf("outcome %+v", got.outcome)
	}
	if len(w.Applied) != 1 || w.Approvals[0].By != flowtest.Account || w.Approvals[0].Note != "CHG-20418" {
		t.Errorf("applied %d with %+v", len(w.Applied), w.Approvals)
	}
	if w.Saved {
		t.Error("the sign-in was saved, though nobody chose so")
	}
	if w.Settings["source"] != "csv:users (2).csv" || w.DryRuns[0].Count != 22 {
		t.Errorf("source %q, count %d", w.Settings["source"], w.DryRuns[0].Count)
	}
}

func TestWalk_InJapanese(t *testing.T) {
	w := flowtest.New(t)
	got := walkIn(context.Background(), t, w, "ja", strings.NewReader(strings.Join(whole(), "\n")))
	if strings.Contains(got.text, "«") || len(w.Applied) != 1 {
		t.Errorf("applied %d\n%s", len(w.Applied), got.text)
	}
}

// Cutting the input after any line never applies anything, unless the number of
// deletions was typed and the permission to write was given.
func TestWalk_CutInputNeverApplies(t *testing.T) {
	all := whole()
	for n := range len(all) {
		w := flowtest.New(t)
		got := walk(t, w, all[:n]...)
		if n == 0 {
			got = walkIn(context.Background(), t, w, "en", strings.NewReader(""))
		}
		if got.outcome.Kind != plain.InputEnded {
			t.Errorf("after %d lines: outcome %v", n, got.outcome.Kind)
		}
		if applied := n >= len(all)-1; (len(w.Applied) > 0) != applied {
			t.Errorf("after %q: applied %d", all[:n], len(w.Applied))
		}
		got.has(t, "The input ended before the last step.")
		if len(w.Applied) == 0 {
			got.has(t, "Nothing was written to the tenant.")
		}
	}
}

func TestPanic_OfAnEffectIsReturnedAndShowsNothingOfIt(t *testing.T) {
	w := flowtest.New(t)
	w.Panics = true
	var out strings.Builder
	f := flow.New(w, flow.Options{Version: "1.2", Person: "mori", Count: -1, Poll: time.Millisecond})
	_, err := plain.Run(t.Context(), f, strings.NewReader(strings.Join(whole(), "\n")+"\n"), &out, plain.Options{Printer: printers()["en"], Every: time.Hour})
	var crash *flow.Crash
	if !errors.As(err, &crash) || len(crash.Stack) == 0 || strings.Contains(out.String()+err.Error(), "secret") {
		t.Errorf("%v\n%s", err, out.String())
	}
	if w.Sessions != 0 {
		t.Errorf("%d sessions were left open", w.Sessions)
	}
}

// cancelled gives n lines and then ends the context instead of another.
type cancelled struct {
	lines  []string
	cancel context.CancelFunc
	block  chan struct{}
}

func (c *cancelled) Read(p []byte) (int, error) {
	if len(c.lines) == 0 {
		c.cancel()
		<-c.block
		return 0, io.EOF
	}
	n := copy(p, c.lines[0]+"\n")
	c.lines = c.lines[1:]
	return n, nil
}

func TestWalk_InterruptedAtEveryStep(t *testing.T) {
	all := whole()
	for n := range len(all) {
		w := flowtest.New(t)
		ctx, cancel := context.WithCancel(context.Background())
		in := &cancelled{slices.Clone(all[:n]), cancel, make(chan struct{})}
		got := walkIn(ctx, t, w, "en", in)
		close(in.block)
		if got.outcome.Kind != plain.Interrupted {
			t.Errorf("after %d lines: outcome %v", n, got.outcome.Kind)
		}
		got.has(t, "Stopped.")
		if n < len(all)-1 {
			got.has(t, "Nothing was written to the tenant.")
			if len(w.Applied) != 0 {
				t.Errorf("after %q: applied", all[:n])
			}
		}
	}
}

func TestWalk_InterruptedSyncSaysWhatWasSeen(t *testing.T) {
	w := flowtest.New(t)
	w.Stall = true
	ctx, cancel := context.WithCancel(context.Background())
	lines := append(toConfirm(), "2", "approve")
	go func() {
		for {
			w.Lock()
			n := len(w.Applied)
			w.Unlock()
			if n > 0 {
				cancel()
				return
			}
			time.Sleep(time.Millisecond)
		}
	}()
	got := walkIn(ctx, t, w, "en", strings.NewReader(strings.Join(lines, "\n")))
	got.has(t, "Stopped. Run 100. Sync stopped: 1 of 6 seen done, 0 failed, 5 not tried.")
	if got.outcome.Kind != plain.Interrupted || got.outcome.End.Report.NotTried != 5 {
		t.Errorf("outcome %+v", got.outcome)
	}
}

func TestWalk_AnyLinesWithoutTheNumberNeverApply(t *testing.T) {
	words := []string{
		"1", "2", "3", "approve", "once", "go", "run", "file", "hac", "users.csv", "22", "s", "", "b", "b", "q", "?", "yes", "11",
		flowtest.DomainName, "/佐藤", "out 1", "out *", "in 1", "z", "m", "a", "w", "d", "skip", "summary", "x", "r", "i", "f same", "１", "delete",
	}
	rapid.Check(t, func(rt *rapid.T) {
		lines := toPreview()[:rapid.IntRange(0, len(toPreview())).Draw(rt, "from")]
		lines = slices.Concat(lines, rapid.SliceOfN(rapid.SampledFrom(words), 0, 12).Draw(rt, "lines"))
		w := flowtest.New(t)
		walk(t, w, lines...)
		for i, p := range w.Applied {
			// Without deletions a yes is enough; with them only their number.
			n := p.Counts().Delete
			typed := slices.ContainsFunc(lines, func(l string) bool { return l == "yes" && n == 0 || l == "1" && n == 1 || l == "2" && n == 2 })
			if !typed || w.Approvals[i].Fingerprint != p.Fingerprint() {
				rt.Fatalf("applied %d deletions after %q", n, lines)
			}
		}
	})
}

func TestSignIn_EachWayItEnds(t *testing.T) {
	for _, c := range []struct {
		part string
		says []string
	}{
		{"decline", []string{string(problem.CodeDeclined), "Nothing was changed and nothing is stored.", "CODE00002"}},
		{"expire", []string{string(problem.CodeExpired), "Try again with a new code", "CODE00002"}},
		{"wrong-tenant", []string{string(problem.OtherTenant), "CODE00002"}},
	} {
		t.Run(c.part, func(t *testing.T) {
			w := flowtest.New(t)
			got := walk(t, w, "1", c.part, "new", "approve", "once", "q")
			got.has(t, append(c.says, "Signed in as "+flowtest.Account, "Choose the domain")...)
			if got.outcome.Kind != plain.Quit {
				t.Errorf("outcome %v", got.outcome.Kind)
			}
		})
	}
	t.Run("blocked by policy", func(t *testing.T) {
		got := walk(t, flowtest.New(t), "1", "block", "exception", "ways", "new", "approve", "q")
		got.has(t, "AADSTS53003", "4c1f6e0a-7a55", "9b0e2f51-2c6d", "Ask for an exception", "Text for whoever keeps the policies", "CODE00002")
	})
	t.Run("an error on the page only", func(t *testing.T) {
		got := walk(t, flowtest.New(t), "1", "x", "AADSTS53003 something", "what is this", "", "error", "q")
		got.has(t, string(problem.BlockedByPolicy), "There is no number in it that hacsync knows", "The program goes on waiting")
	})
	t.Run("a new code while waiting", func(t *testing.T) {
		got := walk(t, flowtest.New(t), "1", "r", "approve", "q")
		got.has(t, "CODE00001", "CODE00002", "Signed in as")
	})
	t.Run("a message for someone else", func(t *testing.T) {
		walk(t, flowtest.New(t), "1", "message", "q").has(t, "If you did not expect this, do not enter the code.")
	})
	t.Run("another application", func(t *testing.T) {
		got := walk(t, flowtest.New(t), "1", "i", "client", "no id", "14D82EEC-204B-4C2F-B7E8-296A70DAB67E", "approve", "q")
		got.has(t, "That is not an application ID", "Signed in as")
	})
	t.Run("back and again", func(t *testing.T) {
		got := walk(t, flowtest.New(t), "1", "b", "1", "approve", "q")
		got.has(t, "CODE00002", "Signed in as")
	})
}

func TestPermissions_KeptOnlyWhenChosenAndSealed(t *testing.T) {
	w := flowtest.New(t)
	got := walk(t, w, "1", "approve", "why 1", "save", "q")
	if !w.Saved || !got.outcome.End.Saved {
		t.Error("not saved")
	}
	got.has(t, "identity file id.txt", "The sign-in is saved.")

	w = flowtest.New(t)
	w.Seal = flow.Sealing{}
	got = walk(t, w, "1", "approve", "save", "once", "q")
	if w.Saved {
		t.Error("saved without a key")
	}
	got.has(t, "--identity FILE", "No sign-in was kept.")
}

func TestSavedData_OpensOrAsksToSignInAgain(t *testing.T) {
	w := flowtest.New(t)
	w.Conns = []consent.Connection{{Name: "midori", TenantName: "Midori", Tenant: flowtest.TenantID}, {Name: "stale", TenantName: "Old", Tenant: flowtest.TenantID}}
	walk(t, w, "saved", "1", "go", "q").has(t, "This sign-in is saved on this machine", "Choose the domain")
	walk(t, w, "saved", "2", "add", "approve", "q").has(t, string(problem.SignInAgain), "Nothing is lost", "Signed in as")
	walk(t, flowtest.New(t), "saved", "q").has(t, "There is no saved data on this machine yet.")
}

func TestWelcome_AnInterruptedSyncIsOfferedFirstAndTakenUpAfterConfirming(t *testing.T) {
	interrupted := func() *flowtest.World {
		w := flowtest.New(t)
		w.Conns = []consent.Connection{{Name: "midori", TenantName: "Midori", Tenant: flowtest.TenantID}}
		w.Stopped = []flow.Unfinished{{Run: 412, Connection: "midori", Domain: flowtest.DomainName, Started: time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)}}
		return w
	}
	w := interrupted()
	got := walk(t, w, "1", "", "", "2", "approve", "q")
	got.has(t, "1 Resume the sync of midori.example", "run 412", "This finishes run 412", "2 accounts will be deleted", "6 of 6 seen done")
	if !slices.Equal(w.Resumed, []int64{412}) {
		t.Errorf("resumed %v, want run 412 alone", w.Resumed)
	}
	w = interrupted()
	walk(t, w, "1", "", "", "3", "q")
	if len(w.Resumed)+len(w.Applied) > 0 {
		t.Error("taken up without the number of deletions")
	}
}

func TestDomain_RefusesWhatCannotBeSynchronised(t *testing.T) {
	got := walk(t, flowtest.New(t), "1", "approve", "once", "2", "3", "nonsense", "1", "m", "many", "１５ %", "q")
	got.has(t, string(problem.DomainUnverified), string(problem.DomainInitial), "is not one of the choices",
		"That is not a percentage", "Max Allowed Deletions 15 %")
}

func TestSource_WrongInputs(t *testing.T) {
	w := flowtest.New(t)
	to := toPreview()[:8]
	got := walk(t, w, append(to, "file", "other.csv", "", "file", "users.csv", "abc", "20", "22", "q")...)
	got.has(t, "This looks like another customer's file", "That is not a number", "You typed 20, and the file has 22 rows.", "Step 7 of 8 Preview")

	w = flowtest.New(t)
	got = walk(t, w, append(to, "file", "users.csv", "", "q")...)
	got.has(t, "Completeness not confirmed: preview, confirm and audit log say so.")
	if w.DryRuns[0].Count > 0 {
		t.Errorf("count %d", w.DryRuns[0].Count)
	}

	w = flowtest.New(t)
	w.SourceErr = problem.New(problem.SourceEmpty, problem.Args{"name": "users.csv"})
	walk(t, w, append(to, "file", "users.csv", "q")...).has(t, string(problem.SourceEmpty))
	w = flowtest.New(t)
	w.HACClient = "hac-1"
	walk(t, w, append(to, "hac", "use", "go", "q")...).has(t, "The client hac-1 is kept", "Step 7 of 8 Preview")
}

func TestDryRun_FailedGivesNoPlan(t *testing.T) {
	w := flowtest.New(t)
	w.DryErr = problem.New(problem.Shrunk, problem.Args{"side": "source", "now": "10", "then": "4,000", "share": "50"})
	got := walk(t, w, append(toPreview(), "b", "q")...)
	got.has(t, string(problem.Shrunk), "There is no plan, and nothing was written.")
}

func TestPreview_SearchDetailAndPages(t *testing.T) {
	got := walk(t, flowtest.New(t), append(toPreview(), "1", "", "/髙橋", "b", "/ﾜﾀﾅﾍﾞ", "4", "skip", "summary", "update", "f same", "f what", "999", "？", "q")...)
	got.has(t, "delete, No. 1", "never: this account was in no complete read", "Has licensed, user mailbox", "2 of 7 shown", "0 of 7 shown",
		"displayName 佐藤 花[子] -> 佐藤 花[]", "1 shared mailbox (HS-3108): user90", "displayName 3 0 3 0", "22 = 17 unchanged + 3 update",
		"There is: f sign-in, f used-lately", "There are numbers from 1 to", "search names, UPNs and values")
}

func TestPreview_SearchFindsVariantsAndHalfWidthButInQuotesOnlyItself(t *testing.T) {
	for search, found := range map[string][]string{
		"/渡辺":     {"渡邉 翔"},
		"/ワタナベ":   {"ﾜﾀﾅﾍﾞ ｼｮｳ"},
		"/ﾜﾀﾅﾍﾞ":  {"ﾜﾀﾅﾍﾞ ｼｮｳ"},
		`/"渡辺"`:   nil,
		`/"渡邉"`:   {"渡邉 翔"},
		"／ user3": {"高橋 渚", "田中 次郎", "渡邉 翔", "ﾜﾀﾅﾍﾞ ｼｮｳ"},
	} {
		w := flowtest.New(t)
		w.Ask, w.Extra, w.Settings["max_allowed_deletions"] = true, 2, "50"
		got := walk(t, w, append(toPreview(), "all", search, "q")...)
		_, after, _ := strings.Cut(got.text, "> "+search+"\n")
		var names []string
		for _, m := range regexp.MustCompile(`(?m)^  [-+~] +\d+  user\d+  (.*?)  `).FindAllStringSubmatch(after, -1) {
			names = append(names, strings.TrimSpace(m[1]))
		}
		if !slices.Equal(names, found) {
			t.Errorf("%s finds %q, want %q:\n%s", search, names, found, after)
		}
	}
}

func TestPreview_LeaveOutAsksForDeletionsOnly(t *testing.T) {
	w := flowtest.New(t)
	got := walk(t, w, append(toPreview(), "out 1", "", "multifunction printer", "out 4", "z", "s", "", "", "1", "approve", "quit")...)
	got.has(t, "How long?", "1 row left out.", "What remains: deletions 1 of 22", "1 row taken in again", "left out 1 1 of them always", "Sync finished: 5 of 5")
	if len(w.Applied) != 1 || w.Applied[0].Counts().Delete != 1 {
		t.Fatalf("applied %d", len(w.Applied))
	}
	if l := w.Approvals[0].Lasting; len(l) != 1 || l[0].Kind != plan.LeaveOutAlways || l[0].Why != "multifunction printer" || l[0].By != flowtest.Account {
		t.Errorf("lasting %+v", l)
	}
}

func TestPreview_GuardCancelsThenRaiseOnce(t *testing.T) {
	w := flowtest.New(t)
	w.Extra = 3
	got := walk(t, w, append(toPreview(), "s", "m", "2", "s", "", "", "5", "approve", "quit")...)
	got.has(t, "Synchronization was canceled because the deletion percentage reached the threshold.", "may pass once", "Sync finished: 9 of 9")
	if len(w.Applied) != 1 || !w.Approvals[0].RaiseOnce {
		t.Errorf("approvals %+v", w.Approvals)
	}
}

func TestPreview_RaiseIsTakenBackByAnotherChange(t *testing.T) {
	w := flowtest.New(t)
	w.Extra = 4
	got := walk(t, w, append(toPreview(), "m", "2", "out 1", "once", "", "s", "q")...)
	if len(w.Applied) != 0 {
		t.Error("applied")
	}
	if strings.Contains(got.text, "Approved by") {
		t.Error("came to confirm with a raise of another plan")
	}
}

func TestPreview_LimitForTheDomainMakesANewDryRun(t *testing.T) {
	w := flowtest.New(t)
	w.Extra = 3
	got := walk(t, w, append(toPreview(), "m", "raise", "50", "s", "", "", "5", "approve", "quit")...)
	got.has(t, "Max Allowed Deletions 50 %", "Sync finished")
	if len(w.DryRuns) != 2 || w.Settings["max_allowed_deletions"] != "50" || w.Approvals[0].RaiseOnce {
		t.Errorf("dry runs %d, settings %v", len(w.DryRuns), w.Settings)
	}
}

func TestPreview_LeftOutStaysOutAfterAnotherDryRun(t *testing.T) {
	w := flowtest.New(t)
	got := walk(t, w, append(toPreview(), "out 1", "once", "because", "d", "s", "", "", "1", "approve", "quit")...)
	got.has(t, "1 row left out before is left out of this plan too.")
	if len(w.Applied) != 1 || w.Applied[0].Counts().Delete != 1 {
		t.Errorf("applied %d", len(w.Applied))
	}
}

func TestPreview_ThisTimeOnlyEndsWithTheSync(t *testing.T) {
	w := flowtest.New(t)
	got := walk(t, w, append(toPreview(), "out 1", "once", "", "s", "", "", "1", "approve", "dryrun", "s", "", "", "2", "approve", "quit")...)
	if strings.Contains(got.text, "left out before") || len(w.Applied) != 2 || w.Applied[1].Counts().Delete != 2 {
		t.Errorf("applied %d", len(w.Applied))
	}
}

func TestPreview_SavesAuditLogAndPlan(t *testing.T) {
	w := flowtest.New(t)
	walk(t, w, append(toPreview(), "a", "w", "q")...).has(t, "Saved: hacsync-midori.example-1.csv")
	if len(w.Files) != 2 {
		t.Fatalf("files %v", w.Files)
	}
	// The saved plan is opened again and applied after the same questions.
	for name, text := range w.Files {
		if strings.HasSuffix(name, ".plan") {
			v := flowtest.New(t)
			v.Files[name] = text
			got := walk(t, v, "open", "missing.plan", "open", name, "approve", "once", "file", "users.csv", "22", "s", "", "", "2", "approve", "quit")
			got.has(t, "from a file", "Sync finished: 6 of 6")
			if len(v.Applied) != 1 || len(v.DryRuns) != 0 {
				t.Errorf("applied %d after %d dry runs", len(v.Applied), len(v.DryRuns))
			}
		}
	}
}

func TestConfirm_WrongNumberWritesNothing(t *testing.T) {
	w := flowtest.New(t)
	got := walk(t, w, append(toConfirm(), "3", "yes", "", "two", "q")...)
	got.has(t, "The plan deletes 2. Nothing was written.")
	if len(w.Applied) != 0 {
		t.Error("applied")
	}
	w = flowtest.New(t)
	walk(t, w, append(toConfirm(), "２", "approve", "quit")...)
	if len(w.Applied) != 1 {
		t.Error("２ typed with a Japanese keyboard is 2")
	}
}

func TestConfirm_WithoutDeletionsNeedsYes(t *testing.T) {
	w := flowtest.New(t)
	got := walk(t, w, append(toPreview(), "out 1-2", "once", "", "s", "", "", "", "1", "yes", "approve", "quit")...)
	got.has(t, "No account will be deleted. To go on, type yes:", "yes starts the sync")
	if len(w.Applied) != 1 {
		t.Errorf("applied %d", len(w.Applied))
	}
}

func TestSync_NothingToDo(t *testing.T) {
	got := walk(t, flowtest.New(t), append(toPreview(), "out *", "once", "", "s", "q")...)
	got.has(t, "There is nothing to synchronise")
}

func TestSync_WriteNotPermitted(t *testing.T) {
	w := flowtest.New(t)
	got := walk(t, w, append(toConfirm(), "2", "decline", "q")...)
	got.has(t, string(problem.CodeDeclined), "Nothing was written")
	if len(w.Applied) != 0 {
		t.Error("applied")
	}
}

func TestSync_DriftIsShownAndMayBeLeftOut(t *testing.T) {
	w := flowtest.New(t)
	w.Drift = true
	got := walk(t, w, append(toConfirm(), "2", "without", "approve", "quit")...)
	got.has(t, "佐藤 -> 高橋", "leave these 1 out", "Sync finished")
	if len(w.Approvals) != 1 || !w.Approvals[0].SkipDrifted {
		t.Errorf("approvals %+v", w.Approvals)
	}
}

func TestSync_HeldElsewhere(t *testing.T) {
	w := flowtest.New(t)
	w.SyncErr = problem.New(problem.DomainBusy, problem.Args{"domain": flowtest.DomainName, "holder": "srv-sync01"})
	got := walk(t, w, append(toConfirm(), "2", "preview", "q")...)
	got.has(t, string(problem.DomainBusy), "srv-sync01", "Nothing was written.")
}

func TestResult_FailuresWithRemedyAndCleanText(t *testing.T) {
	w := flowtest.New(t)
	w.Fail = true
	got := walk(t, w, whole()...)
	got.has(t, "5 of 6 seen done, 1 failed", string(problem.RowDrifted), "Dry Run again: 1 change should be left.")
	if strings.ContainsRune(got.text, 0x1b) {
		t.Error("a control character reached the output")
	}
}

func TestResult_UndoesTheRunThroughThePreviewAndTheConfirm(t *testing.T) {
	w := flowtest.New(t)
	lines := whole()
	lines = lines[:len(lines)-1] // the result, before it is left
	got := walk(t, w, append(lines, "u", "s", "", "", "2", "approve", "quit")...)
	if !slices.Equal(w.Undone, []int64{100}) || len(w.Applied) != 2 {
		t.Errorf("undone %v, applied %d; want run 100, and a second sync", w.Undone, len(w.Applied))
	}
	got.has(t, "Undo run 100")
	w = flowtest.New(t)
	walk(t, w, append(lines, "u", "s", "", "", "3", "q")...)
	if len(w.Applied) != 1 {
		t.Error("an undo was applied without the number of deletions")
	}
}

func TestBack_KeepsEveryInput(t *testing.T) {
	w := flowtest.New(t)
	// From the number back to the preview and through the source again: note, path and
	// count are as typed.
	lines := append(toConfirm(), "b", "b", "b", "b", "b", "file", "", "", "s", "", "", "2", "approve", "quit")
	got := walk(t, w, lines...)
	if len(w.Applied) != 1 || w.Approvals[0].Note != "CHG-20418" || w.DryRuns[1].Count != 22 || w.Settings["source"] != "csv:users (2).csv" {
		t.Errorf("approvals %+v, dry runs %+v\n%s", w.Approvals, w.DryRuns, got.text)
	}
	// Back from the first question of each step comes to the beginning.
	got = walk(t, flowtest.New(t), append(toPreview(), slices.Repeat([]string{"b"}, 12)...)...)
	got.has(t, "Step 5 of 8 Source", "Step 4 of 8", "Step 3 of 8", "Step 2 of 8", "Step 1 of 8")
}

// A real tenant has no one to play the people: a pipe's lines wait for the sign-in.
func TestWalk_RealTenantFromAPipe(t *testing.T) {
	w := flowtest.New(t)
	w.IsDemo = false
	stop := make(chan struct{})
	defer close(stop)
	go func() {
		seen := 0
		for {
			select {
			case <-stop:
				return
			case <-time.After(time.Millisecond):
			}
			if n, c := w.Latest(); n > seen {
				seen = n
				c <- flow.Approve
			}
		}
	}()
	got := walk(t, w, "add", "once", flowtest.DomainName, "go", "go", "file", "users.csv", "22", "s", "", "", "2", "quit")
	got.has(t, "What it needs", "a SIMULATED tenant", "Sync finished: 6 of 6")
	if len(w.Applied) != 1 {
		t.Errorf("applied %d", len(w.Applied))
	}
}

// Every line fits 80 columns, and the columns of a table are aligned for names of every
// width.
func TestLines_FitAndAlign(t *testing.T) {
	got := walk(t, flowtest.New(t), append(toPreview(), "skip", "summary", "?", "1", "q")...)
	sc := bufio.NewScanner(strings.NewReader(got.text))
	column := -1
	rows := 0
	for sc.Scan() {
		line := sc.Text()
		if n := ansi.StringWidthWc(line); n > 80 {
			t.Errorf("%d columns: %q", n, line)
		}
		if i := strings.Index(line, "What"); i >= 0 && strings.Contains(line, "Display Name") {
			column = ansi.StringWidthWc(line[:i])
		}
		if column >= 0 && strings.HasPrefix(strings.TrimSpace(line), "~ ") {
			i := strings.Index(line, "displayName")
			if i < 0 || ansi.StringWidthWc(line[:i]) != column {
				t.Errorf("not under its head (%d): %q", column, line)
			}
			rows++
		}
	}
	if rows < 3 {
		t.Errorf("%d rows of updates seen", rows)
	}
}

func TestOutcome_ReportOfTheLastSync(t *testing.T) {
	w := flowtest.New(t)
	got := walk(t, w, append(whole()[:len(whole())-1], "dryrun", "q")...)
	if len(w.DryRuns) != 2 || got.outcome.Kind != plain.Quit {
		t.Errorf("%d dry runs, outcome %+v", len(w.DryRuns), got.outcome)
	}
	if r := got.outcome.End.Report; r == nil || r.ByKind[plan.Delete] != (run.Tally{Planned: 2, Sent: 2, Seen: 2}) {
		t.Errorf("report %+v", r)
	}
}

// asking is a world with a question: an account and an addition of one name.
func asking(t *testing.T) *flowtest.World {
	t.Helper()
	w := flowtest.New(t)
	w.Extra, w.Ask = 3, true
	w.Settings["max_allowed_deletions"] = "50"
	return w
}

func TestQuestions_AreAskedOneAtATimeAndAnsweredByWord(t *testing.T) {
	w := asking(t)
	got := walk(t, w, append(toPreview(), "", "questions", "different", "list", "", "z", "同一人物", "別人", "保留", "same", "D", "q1", "b", "q")...)
	got.has(t, "? questions 1", "Q1 Is it one person?", "(x) not-now", "(x) different", "That was the last question.",
		"Q1 is open again.", "(x) same", "different people: - deleted", "stays; its row is a skip until mended")
	if len(w.Answers) != 1 || w.Answers[0].Kind != plan.DifferentPeople || w.Answers[0].By != flowtest.Account {
		t.Errorf("kept are %+v", w.Answers)
	}
}

func TestQuestions_AnswersAreKeptAndAppliedToTheNextPlan(t *testing.T) {
	w := asking(t)
	walk(t, w, append(toPreview(), "different", "b", "q")...)
	if len(w.Answers) != 1 {
		t.Fatalf("kept are %+v", w.Answers)
	}
	walk(t, w, append(toPreview(), "questions", "q")...).has(t, "1 of 1 questions answered: 0 same person, 1 different, 0 not now.", "add 1", "delete 5")
}

func TestConfirm_SaysWhichQuestionsStayOpen(t *testing.T) {
	w := asking(t)
	got := walk(t, w, append(toPreview(), "s", "", "", "4", "approve", "quit")...)
	got.has(t, "1 question stays open: nothing happens to its account and 1 row: user34", "The accounts keep working as before", "explained; 4 were never seen in HAC",
		"Sync finished: 7 of 7")
	w = asking(t)
	got = walk(t, w, append(toPreview(), "different", "s", "", "", "5", "approve", "quit")...)
	got.has(t, "answered 1: 0 same person, 1 different, 0 not now", "1 only after + user20 was seen, else not tried", "Sync finished: 9 of 9")
	if len(w.Applied) != 1 || w.Applied[0].Counts().OpenQuestions != 0 {
		t.Errorf("applied %d", len(w.Applied))
	}
}

func TestQuestions_OfSeveralRowsSayTheWordThatChoosesOne(t *testing.T) {
	for lang, want := range map[string][]string{
		"en": {"same       same person: say which row: same a", "Type same and a row's letter", "Which row? Type same and its letter, such as same a.", "(x) same", "same as row b"},
		"ja": {"行を指定: 同一人物 a", "「同一人物」と行の文字", "(例: 同一人物 a)", "行 b と同一人物"},
	} {
		w := asking(t)
		w.Twins = true
		lines := append(toPreview(), "same", "same b", "q1", "/user4", "q1", "f open", "f", "list", "q")
		got := walkIn(context.Background(), t, w, lang, strings.NewReader(strings.Join(lines, "\n")))
		got.has(t, want...)
		if len(w.Answers) != 1 || w.Answers[0].Kind != plan.SamePerson || w.Answers[0].Row != "user40" {
			t.Errorf("%s: kept are %+v", lang, w.Answers)
		}
	}
}

func TestPlain_TakesTheWordsOfBothLanguages(t *testing.T) {
	for _, typed := range [][]string{{"same", "same b", "filter open", "list", "quit"}, {"同一人物", "同一人物 b", "絞り込み 未回答", "一覧", "終了"}} {
		w := asking(t)
		w.Twins = true
		walkIn(context.Background(), t, w, "ja", strings.NewReader(strings.Join(append(toPreview(), typed...), "\n")))
		if len(w.Answers) != 1 || w.Answers[0].Row != "user40" {
			t.Errorf("%q: kept are %+v", typed, w.Answers)
		}
	}
}

func TestQuestions_AreSavedForAColleagueWithABoxForEachAnswer(t *testing.T) {
	w := asking(t)
	w.Twins = true
	walk(t, w, append(toPreview(), "different", "save", "q")...)
	for name, text := range w.Files {
		if !strings.HasSuffix(name, "-questions.txt") {
			continue
		}
		for _, want := range []string{
			"1 question about midori.example", "Q1  Is ", "    [ ] same as row a, ", "    [ ] same as row b, ", "    [x] none of them\n", "    [ ] not now\n",
		} {
			if !strings.Contains(text, want) {
				t.Errorf("the file lacks %q:\n%s", want, text)
			}
		}
		if strings.Contains(text, "id-") {
			t.Errorf("an id is in the file:\n%s", text)
		}
		return
	}
	t.Errorf("nothing was saved: %v", w.Files)
}

var planCode = regexp.MustCompile(`[0-9A-F]{4}-[0-9A-F]{4}`)

func TestGolden_QuestionsLineByLine(t *testing.T) {
	for _, lang := range []string{"en", "ja"} {
		w := asking(t)
		w.Still, w.Twins = time.Date(2026, 11, 25, 0, 25, 0, 0, time.UTC), true
		lines := append(toPreview(), "?", "same", "same b", "list", "different", "f same", "q1", "z", "", "q")
		got := walkIn(context.Background(), t, w, lang, strings.NewReader(strings.Join(lines, "\n")))
		from := strings.Index(got.text, map[string]string{"en": "Preview of midori", "ja": "midori.example のプレビュー"}[lang])
		if from < 0 {
			t.Fatalf("%s: no preview:\n%s", lang, got.text)
		}
		text := planCode.ReplaceAllString(got.text[from:], "7F3A-92C1")
		for l := range strings.SplitSeq(text, "\n") {
			if n := ansi.StringWidthWc(l); n > 80 {
				t.Errorf("%d columns: %q", n, l)
			}
		}
		flowtest.Golden(t, "questions-"+lang, text)
	}
}
