package main

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/hacsync/hacsync/cmd/hacsync/session"
	"github.com/hacsync/hacsync/graphclient/simulator"
	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/run"
	"github.com/hacsync/hacsync/tui/flow"
	"github.com/hacsync/hacsync/tui/review"
)

// wizardWalk drives the wizard's own backend on a state in a file.
type wizardWalk struct {
	t *testing.T
	f *flow.Flow
	x *flow.Driver
}

// wizardAt opens the wizard as a process of its own would: on the same state, at home.
func wizardAt(t *testing.T, b *backend) *wizardWalk {
	t.Helper()
	s, err := b.app.env().Open(t.Context(), session.Want{Key: true, Simulator: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	f := flow.New(&backend{app: b.app, state: s, base: b.base, demo: b.demo}, flow.Options{Person: "t.mori", Count: -1, Home: true})
	w := &wizardWalk{t, f, flow.NewDriver(t.Context(), f)}
	w.x.Take(f.Start())
	w.until(flow.Home)
	return w
}

// settle waits until all that was started has ended.
func (w *wizardWalk) settle() flow.View {
	w.t.Helper()
	for w.f.Busy() {
		if m, ok := w.x.Next(); ok {
			w.x.Take(w.x.Deliver(m))
			continue
		}
		select {
		case <-w.x.Ready():
		case <-time.After(time.Minute):
			w.t.Fatalf("nothing comes at %s", w.f.At())
		}
	}
	return w.f.View()
}

func (w *wizardWalk) until(at flow.Step) flow.View {
	w.t.Helper()
	v := w.settle()
	if w.f.At() != at {
		w.t.Fatalf("the walk is at %s, want %s: %+v", w.f.At(), at, v.Title)
	}
	return v
}

func (w *wizardWalk) say(command, text string) flow.View {
	w.t.Helper()
	w.x.Take(w.f.Answer(flow.Answer{Command: command, Text: text}))
	return w.settle()
}

const keptDomain = "midori.example"

// kept is what was decided of a plan, and must be found behind every door.
type kept struct {
	out    map[directory.ID]bool // accounts whose rows are left out
	asked  directory.ID
	code   string
	raised bool
}

func (k kept) check(t *testing.T, where string, p *plan.Plan) {
	t.Helper()
	if code := p.Fingerprint().Code(); code != k.code {
		t.Errorf("%s: plan %s, want %s", where, code, k.code)
	}
	if p.Verdict().Raised != k.raised {
		t.Errorf("%s: raised: %v", where, p.Verdict().Raised)
	}
	for a := range p.Actions() {
		if k.out[a.User.ID] {
			t.Errorf("%s: %s is not left out", where, a.User.UPN)
		}
	}
	for _, q := range p.Questions() {
		if q.Account.ID == k.asked && q.Answer.Kind != plan.DifferentPeople {
			t.Errorf("%s: answered %v", where, q.Answer.Kind)
		}
	}
}

// A walk leaves rows out, this time and always, answers a question and raises a
// limit, narrows the list, leaves by each way out there is, and finds all of it behind each door.
func TestRule12_WhatWasDecidedIsKeptByEveryWayOutAndInEveryDoor(t *testing.T) {
	if testing.Short() {
		t.Skip("half a minute")
	}
	b, people := backendOf(t, simulator.Options{})
	signed, err := byPart(t, b, people, flow.Approve, false)
	if err != nil {
		t.Fatal(err)
	}
	if err := signed.Save(t.Context()); err != nil {
		t.Fatal(err)
	}
	r := signed.Engine(flow.Hooks{}).(engine).Runner
	// Every deletion reaches the limit, so that there is something to raise.
	if err := r.SetSettings(t.Context(), keptDomain, map[string]string{"source": "hac", "max_allowed_deletions": "0"}); err != nil {
		t.Fatal(err)
	}
	if _, err := r.DryRun(t.Context(), keptDomain, run.Overrides{}); err != nil {
		t.Fatal(err)
	}
	for name, leave := range map[string]func(w *wizardWalk) *wizardWalk{
		"esc": func(w *wizardWalk) *wizardWalk {
			for w.f.At() == flow.Preview { // a search or a filter is left first
				w.say(flow.CmdBack, "")
			}
			w.until(flow.Home)
			return w
		},
		"q": func(w *wizardWalk) *wizardWalk {
			w.x.Take(w.f.Answer(flow.Answer{Command: flow.CmdQuit}))
			if crash := w.x.Settle(); crash != nil || w.f.Ended() == nil {
				t.Fatalf("not left: %v", crash)
			}
			_ = w.f.Close()
			return wizardAt(t, b)
		},
		"killed": func(*wizardWalk) *wizardWalk { return wizardAt(t, b) },
	} {
		t.Run(name, func(t *testing.T) {
			w := wizardAt(t, b)
			w.t = t
			v := w.say("", keptDomain)
			if w.f.At() != flow.Preview {
				t.Fatalf("View Details leads to %s", w.f.At())
			}
			k := kept{out: map[directory.ID]bool{}, raised: true}
			for _, how := range []string{"always", "once"} {
				for a := range v.Review.Plan().Actions() {
					if a.Kind == plan.Delete && !v.Review.IsOut(a.No) {
						k.out[a.User.ID] = true
						w.x.Take(w.f.Answer(flow.Answer{Command: flow.CmdOut, Rows: []int{a.No}}))
						w.say("", how)
						v = w.say("", "keep them")
						break
					}
				}
			}
			q := v.Review.Plan().Question(0)
			k.asked = q.Account.ID
			w.x.Take(w.f.Answer(flow.Answer{Command: flow.CmdDifferent, Rows: []int{-1}}))
			w.settle()
			w.say(flow.CmdLimit, "")
			v = w.say("", "once")
			k.code = v.Review.Code()
			k.check(t, "the preview", v.Review.Approved())
			look := flow.Look{Tab: review.TabDelete, Filter: review.OutOnly}
			w.x.Take(w.f.Answer(flow.Answer{Command: flow.CmdLook, Look: look}))
			w.settle()

			next := leave(w)
			next.t = t
			v = next.say("", keptDomain)
			k.check(t, "View Details", v.Review.Approved())
			if v.Look != look {
				t.Errorf("the list is narrowed to %+v, want %+v", v.Look, look)
			}
			next.say(flow.CmdBack, "")
			next.until(flow.Home)
			if v = next.say("sync", keptDomain); next.f.At() != flow.Confirm || v.Where.Plan != k.code {
				t.Errorf("Sync Now: %s with plan %s", next.f.At(), v.Where.Plan)
			}
			next.say(flow.CmdBack, "")
			next.say(flow.CmdBack, "")
			next.until(flow.Home)
			k.doors(t, b, r, next)
			undecide(t, r)
		})
	}
}

// doors are those beside home: Sync Logs, the command line, a plan file.
func (k kept) doors(t *testing.T, b *backend, r *run.Runner, w *wizardWalk) {
	t.Helper()
	latest, err := r.Latest(t.Context(), keptDomain)
	if err != nil {
		t.Fatal(err)
	}
	w.say("logs", keptDomain)
	w.say("", strconv.FormatInt(latest.Run, 10))
	k.check(t, "Sync Logs", w.say("", "plan").Review.Approved())
	k.check(t, "audit-log", latest.Remaining().Plan)
	s, err := b.app.openTenant(t.Context(), session.Want{Tenant: true, Key: true, Simulator: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	// The audit log and sync --plan take the whole plan, and what remains of it.
	for name, p := range map[string]*plan.Plan{"a file of the whole plan": latest.Plan, "a file of what remains": latest.Remaining().Plan} {
		path := filepath.Join(t.TempDir(), "plan.json")
		file, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(p.Encode(file), file.Close()); err != nil {
			t.Fatal(err)
		}
		opened, known, err := b.app.planOf(t.Context(), s, keptDomain, syncFlags{plan: path}, run.Overrides{})
		if err != nil || !known {
			t.Errorf("%s: known %v, %v", name, known, err)
			continue
		}
		k.check(t, name, opened.Plan)
	}
	anew, err := (&sourceFlags{}).dryRun(t.Context(), s, keptDomain, "t.mori", run.Overrides{})
	if err != nil {
		t.Fatal(err)
	}
	// Who is always left out is no row of a plan made anew: its code is another, and
	// the raise is of the plan of before.
	k.code, k.raised = anew.Plan.Fingerprint().Code(), false
	k.check(t, "hacsync sync", anew.Plan)
}

// undecide takes all back.
func undecide(t *testing.T, r *run.Runner) {
	t.Helper()
	ds, err := r.Decisions(t.Context(), keptDomain)
	if err == nil {
		err = r.TakeBack(t.Context(), keptDomain, ds...)
	}
	if err != nil {
		t.Fatal(err)
	}
	p, err := r.DryRun(t.Context(), keptDomain, run.Overrides{})
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range p.Plan.Questions() {
		if p, err = r.Answer(t.Context(), p, q.Account.ID, plan.Open, "", "t.mori"); err != nil {
			t.Fatal(err)
		}
	}
}
