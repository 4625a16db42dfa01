package flow_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hacsync/hacsync/sync/message"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/tui/flow"
	"github.com/hacsync/hacsync/tui/flow/flowtest"
	"github.com/hacsync/hacsync/tui/review"
	"github.com/hacsync/hacsync/tui/words"
)

// walk drives a flow by answers, with what effects bring in between.
type walk struct {
	t *testing.T
	f *flow.Flow
	x *flow.Driver
}

// next takes the next thing that comes from an effect.
func (w *walk) next() {
	w.t.Helper()
	for {
		if m, ok := w.x.Next(); ok {
			w.x.Take(w.x.Deliver(m))
			return
		}
		select {
		case <-w.x.Ready():
		case <-time.After(10 * time.Second):
			w.t.Fatalf("nothing comes at %s", w.f.At())
		}
	}
}

// settle waits until the flow wants an answer.
func (w *walk) settle() flow.View {
	w.t.Helper()
	for {
		v := w.f.View()
		if !w.f.Busy() || v.Ask.Kind != flow.Wait || len(v.Ask.Options) > 0 {
			return v
		}
		w.next()
	}
}

// say answers, each as soon as something is asked; /x is the command x.
func (w *walk) say(answers ...string) flow.View {
	w.t.Helper()
	for _, a := range answers {
		w.settle()
		if command, ok := strings.CutPrefix(a, "/"); ok {
			command, text, _ := strings.Cut(command, " ")
			w.x.Take(w.f.Answer(flow.Answer{Command: command, Text: text}))
			continue
		}
		w.x.Take(w.f.Answer(flow.Answer{Text: a}))
		if a == "approve" {
			for w.f.At() == flow.SignIn {
				w.next()
			}
		}
	}
	return w.settle()
}

func atPreview(t *testing.T) (*walk, *flowtest.World) {
	t.Helper()
	world := flowtest.New(t)
	f := flow.New(world, flow.Options{Version: "1", Person: "t.mori", Count: -1, Poll: 10 * time.Millisecond})
	w := &walk{t: t, f: f, x: flow.NewDriver(t.Context(), f)}
	t.Cleanup(func() { _ = w.f.Close() })
	w.x.Take(w.f.Start())
	v := w.say("add", "approve", "once", flowtest.DomainName, "go", "run", "go", "file", "users.csv", "22")
	if v.Step != flow.Preview || v.Review == nil {
		t.Fatalf("the walk is at %s", v.Step)
	}
	return w, world
}

func TestReview_AnAttributeLeftOutComesBackByTheSameCommand(t *testing.T) {
	w, world := atPreview(t)
	before := w.settle().Review
	if len(before.Attributes()) != 1 || before.Part(review.TabUpdate).Count != 3 {
		t.Fatalf("%+v, %d updates", before.Attributes(), before.Part(review.TabUpdate).Count)
	}
	name := string(before.Attributes()[0].Attribute)
	g := w.say("/attribute " + name).Review
	if g == before || g.Part(review.TabUpdate).Count != 0 || len(g.Without) != 1 || string(g.Without[0]) != name {
		t.Errorf("%d updates, without %v", g.Part(review.TabUpdate).Count, g.Without)
	}
	if last := world.Upkept.LeftOut; len(last) != 1 || last[0].Kind != plan.LeaveOutAttribute {
		t.Errorf("stored is %v", last)
	}
	if g = w.say("/attribute " + name).Review; g.Part(review.TabUpdate).Count != 3 || len(g.Without) != 0 {
		t.Errorf("%d updates, without %v", g.Part(review.TabUpdate).Count, g.Without)
	}
	if v := w.say("/attribute shoeSize"); v.Step != flow.Preview || v.Review != g {
		t.Error("an attribute that nobody changes makes a new plan")
	}
}

func TestReview_StaysThePlansAndReportsChanges(t *testing.T) {
	w, _ := atPreview(t)
	g := w.settle().Review
	was, deletions := g.Version(), g.Verdict().Deletions
	if g.Row(0).Kind != plan.Delete || g.No(0) != 1 || g.Index(1) != 0 || g.Index(999) != -1 {
		t.Fatalf("the first row is %+v", g.Row(0))
	}
	if v := w.say("/out 1", "always"); v.Review != nil {
		t.Error("there is a list to read while the reason is asked for")
	}
	if now := w.say("printer").Review; now != g || now.Version() == was || now.Verdict().Deletions != deletions-1 || !now.IsOut(1) {
		t.Errorf("version %d after %d, %d deletions after %d", now.Version(), was, now.Verdict().Deletions, deletions)
	}
	if now := w.say("/takeback").Review; now.Verdict().Deletions != deletions || now.Notable(review.OutOnly) != 0 {
		t.Error("taking back does not bring the row back")
	}
}

func TestFinder_StopsWithItsContext(t *testing.T) {
	w, _ := atPreview(t)
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if _, err := w.settle().Review.Finder(review.Query{Tab: review.TabAll, Search: "佐藤"}).Find(ctx); err == nil {
		t.Error("a search that was stopped brings rows")
	}
}

func TestPreview_EachCommandHasAKeyAndAWordOfItsOwn(t *testing.T) {
	w, _ := atPreview(t)
	v := w.settle()
	screen := v
	screen.Commands = slices.DeleteFunc(slices.Clone(v.Commands), func(c flow.Command) bool { return c.On == flow.InLines })
	for i := range screen.Commands {
		screen.Commands[i].On = flow.Anywhere
	}
	lines := map[string]string{}
	for _, shown := range []flow.View{v, screen} {
		for _, shows := range []flow.Shows{flow.ShowsRows, flow.ShowsQuestion, flow.ShowsQuestions} {
			shown.Shows = shows
			seen := map[string]string{}
			for _, c := range shown.Typed() {
				for _, by := range []string{c.Key, c.Word} {
					if other := seen[by]; other != "" && by != "" {
						t.Errorf("%s stands for %s and %s", by, other, c.Name)
					}
					seen[by] = c.Name
				}
				// o means two things: rows out by number in lines, their order on a screen;
				// z takes back what was said last, of rows or of questions.
				if other := lines[c.Key]; other != "" && c.Key != "" && c.Key != "o" && c.Key != "z" && other != c.Name {
					t.Errorf("%s stands for %s in lines and for %s on a screen", c.Key, other, c.Name)
				}
				lines[c.Key] = c.Name
			}
		}
	}
}

// What has no word in the catalogues would be shown as its ID, or not at all.
func TestPreview_EachCommandHasItsWordsInBothLanguages(t *testing.T) {
	w, _ := atPreview(t)
	for _, lang := range []string{"en", "ja"} {
		p, err := message.New(lang)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range w.settle().Commands {
			said := map[string]words.Text{"help": c.Help, "footer": c.Short}
			if c.On == flow.InLines || c.Key == "" || c.Key == "*" { // how many rows: the screen says it
				delete(said, "footer")
			}
			if c.On == flow.OnScreen {
				delete(said, "help") // the footer's word is all there is to say
			}
			for where, x := range said {
				if s := words.Say(p, x); s == "" || strings.Contains(s, "«") {
					t.Errorf("%s: %s has no word for the %s: %q", lang, c.Name, where, s)
				}
			}
		}
	}
}

func TestReview_TakingBackSkipsWhatWasTakenInAlready(t *testing.T) {
	w, _ := atPreview(t)
	if v := w.say("/out 4", "/out 5", "/in 5", "/takeback"); v.Review.IsOut(4) || v.Review.IsOut(5) {
		t.Errorf("left out after taking back: %v", v.Review.LeftOut())
	}
	if v := w.say("/out 4-5", "/in 5", "/takeback"); v.Review.IsOut(4) || v.Review.IsOut(5) {
		t.Errorf("left out after taking back: %v", v.Review.LeftOut())
	}
}

func TestAnswer_OnlyWhatIsOfferedIsTaken(t *testing.T) {
	w, _ := atPreview(t)
	w.say("/sync")
	for back := 0; w.f.At() != flow.Welcome && back < 20; back++ {
		v := w.settle()
		wrong := []flow.Answer{{Command: "no such command"}, {Command: flow.CmdBack + " "}}
		if v.Ask.Kind == flow.Choice || v.Ask.Kind == flow.None {
			wrong = append(wrong, flow.Answer{Text: "no such choice"}, flow.Answer{Text: "9999"}, flow.Answer{Text: "0"})
		}
		for _, a := range wrong {
			turn := w.f.Answer(a)
			if len(turn.Say) != 1 || turn.Say[0].ID != "flow.not_a_choice" || turn.Stop || len(turn.Effects) > 0 || w.f.At() != v.Step {
				t.Errorf("at %s %+v led to %+v at %s", v.Step, a, turn, w.f.At())
			}
		}
		w.x.Take(w.f.Answer(flow.Answer{Command: flow.CmdBack}))
	}
	if w.f.At() != flow.Welcome {
		t.Errorf("it ended at %s", w.f.At())
	}
}

func TestAnswer_TheNumberOfAnOptionIsItsKey(t *testing.T) {
	world := flowtest.New(t)
	f := flow.New(world, flow.Options{Version: "1", Person: "t.mori", Count: -1})
	w := &walk{t: t, f: f, x: flow.NewDriver(t.Context(), f)}
	t.Cleanup(func() { _ = f.Close() })
	w.x.Take(f.Start())
	w.settle()
	w.x.Take(f.Answer(flow.Answer{Text: "１"}))
	if f.At() != flow.SignIn {
		t.Errorf("a full-width 1 led to %s", f.At())
	}
}

// What cannot be stored does not hold, and is said, also where the walk has gone on.
func TestRule12_WhatCouldNotBeStoredDoesNotHold(t *testing.T) {
	w, world := atPreview(t)
	world.DecideErr = problem.New(problem.StateUnreachable, problem.Args{"state": "x", "why": "y"})
	w.say("/out 1", "always", "printer")
	for w.f.Busy() {
		w.next()
	}
	if v := w.f.View(); v.Review.IsOut(1) || len(v.Blocks) == 0 {
		t.Error("a row is left out although that was not stored")
	} else if trouble, ok := v.Blocks[0].(words.Trouble); !ok || !problem.Has(trouble.Err, problem.StateUnreachable) {
		t.Errorf("it is not said: %T", v.Blocks[0])
	}
	world.DecideErr = nil
	w.say("/out 1", "once", "")
	for w.f.Busy() {
		w.next()
	}
	if got := world.Upkept.LeftOut; len(got) != 1 || got[0].Kind != plan.LeaveOutOnce || !w.f.View().Review.IsOut(1) {
		t.Errorf("stored is %+v", got)
	}
}

// The note is of one approval; the name stays.
func TestConfirm_TheNoteOfTheLastApprovalIsNotFilledIn(t *testing.T) {
	w, _ := atPreview(t)
	v := w.say("/sync", "s.ito", "first run")
	if v.Step != flow.Confirm {
		t.Fatalf("at %s", v.Step)
	}
	w.say("/back", "/back", "/back")
	if v = w.say("/sync", "s.ito"); v.Ask.Preset != "first run" {
		t.Errorf("the note typed for this plan is lost: %q", v.Ask.Preset)
	}
	w.say("/back", "/back", "/out 3", "once", "")
	v = w.say("/sync")
	if v.Ask.Preset != "s.ito" {
		t.Errorf("approved by %q", v.Ask.Preset)
	}
	if v = w.say("s.ito"); v.Ask.Preset != "" {
		t.Errorf("the note of another plan: %q", v.Ask.Preset)
	}
}

// Whoever was sent the code can still use it after another way was looked at.
func TestSignIn_KeepsTheCodeWhileAnotherWayIsLookedAt(t *testing.T) {
	world := flowtest.New(t)
	f := flow.New(world, flow.Options{Version: "1", Person: "t.mori", Count: -1, Poll: 10 * time.Millisecond})
	w := &walk{t: t, f: f, x: flow.NewDriver(t.Context(), f)}
	t.Cleanup(func() { _ = w.f.Close() })
	w.x.Take(w.f.Start())
	w.say("add")
	card := func() string {
		w.settle()
		for _, p := range w.f.View().Blocks {
			if c, ok := p.(words.CodeCard); ok {
				return c.Code.UserCode
			}
		}
		t.Fatalf("no code at %s", w.f.At())
		return ""
	}
	before := card()
	w.x.Take(w.f.Answer(flow.Answer{Command: "other"}))
	w.x.Take(w.f.Answer(flow.Answer{Command: flow.CmdBack}))
	if after := card(); after != before {
		t.Errorf("the code %s became %s", before, after)
	}
	w.say("approve")
	for w.f.At() == flow.SignIn {
		w.next()
	}
}
