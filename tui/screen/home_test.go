package screen

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/hacsync/hacsync/sync/consent"
	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/periodic"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/run"
	"github.com/hacsync/hacsync/sync/state"
	"github.com/hacsync/hacsync/tui/flow"
	"github.com/hacsync/hacsync/tui/flow/flowtest"
)

// atHome opens the wizard of a returning administrator.
func atHome(t testing.TB, change func(*flowtest.World)) *stage {
	w := flowtest.New(t)
	w.IsDemo, w.Still, w.Name = false, still, "みどりサンプル株式会社"
	w.Conns = saved()[:1]
	w.Upkept = flowtest.Midori(still)
	w.Upkept.Runs = history()
	if change != nil {
		change(w)
	}
	st := newStage(t, w, 80, 24)
	st.anew(func(o *flow.Options) { o.Home = true })
	return st.shows("Last Dry Run")
}

// history are the runs of a day, the newest first.
func history() []state.Run {
	var runs []state.Run
	for i := range 40 {
		no := int64(412 - i)
		r := state.Run{No: no, Kind: state.Sync, State: state.Done, Domain: "midori.example", Started: still.Add(-time.Duration(i) * time.Hour), Unattended: true}
		r.Ended = r.Started.Add(25 * time.Second)
		s := run.Summary{Planned: 3 + i*7%19, Seen: 3 + i*7%19}
		switch {
		case i == 0:
			r.Kind = state.DryRun
			s = run.Summary{Counts: &plan.Counts{SourceUsers: 4021, DestinationUsers: 4012, Delete: 12, Rename: 9, Restore: 2, Add: 31, Update: 318, Skipped: 35}}
		case i == 3:
			r.State = state.Refused
			s.Seen = 0
			s.Problem = problem.New(problem.GuardCancels, problem.Args{"domain": "midori.example", "deletions": "41", "users": "281", "percent": "14.6", "limit": "10"}).Store()
		case i == 5:
			r.State, r.Unattended, r.By, r.Note = state.Partial, false, "t.mori", "CHG-20418"
			s.Failed, s.Seen = 2, s.Planned-2
		}
		r.Summary, _ = json.Marshal(s)
		runs = append(runs, r)
	}
	return runs
}

func TestGolden_Home(t *testing.T) {
	steps := []struct {
		name  string
		world func(*flowtest.World)
		walk  func(*stage)
	}{
		{"domains", nil, func(st *stage) { st.keys("down", "down").shows("12 of 3,985") }},
		{"certificate", func(w *flowtest.World) {
			w.Conns[0].Application = &consent.Application{ID: flowtest.ApplicationID, Name: "hacsync midori", Ends: still.AddDate(0, 0, 21), Verified: still.AddDate(0, -11, 0)}
		}, func(st *stage) { st.keys("down", "down") }},
		{"nothing-needed", func(w *flowtest.World) {
			w.Upkept.Domains, w.Upkept.Periodic = w.Upkept.Domains[3:], w.Upkept.Periodic[2:]
		}, nil},
		{"mute-tenant", func(w *flowtest.World) { w.Upkept.Mute = true }, func(st *stage) {
			st.w.Still = still.Add(12 * time.Second)
			st.shows("has not answered for 12 s", "g asks again")
		}},
		{"logs", nil, func(st *stage) { st.keys("down", "down", "l").shows("Result") }},
		{"log", func(w *flowtest.World) {
			w.Upkept.Rows = []run.RowResult{
				{No: 15, Kind: plan.Rename, UPN: "takahashi.hana@midori.example", Outcome: run.OutcomeFailed, Why: &problem.Problem{
					Code: problem.ConflictUPN, Args: problem.Args{"upn": "takahashi.hana@midori.example"},
					Upstream: &problem.Upstream{Status: 400, Code: "Request_BadRequest", RequestID: "8a0a5cf2-92b4-4be2-b5d0-c3ae5d0a3b1c"},
				}},
				{No: 20, Kind: plan.Add, UPN: "mori.aya@midori.example", Outcome: run.OutcomeNotYetSeen},
			}
		}, func(st *stage) {
			st.keys("down", "down", "l").shows("Result").keys("down", "down", "down", "down", "down", "enter").shows("request-id")
		}},
		{"settings", nil, func(st *stage) { st.keys("down", "down", "e").shows("key: on_missing") }},
		{"setting-words", nil, func(st *stage) {
			st.keys("down", "down", "e").shows("key: on_missing").keys("enter").shows("What shall hold?")
		}},
		{"setting-more", nil, func(st *stage) {
			st.keys("down", "down", "e").shows("key: on_missing").keys("down", "down", "enter").shows("Takes").keys("ctrl+u", "type:２０ ％", "enter").shows("More would happen")
		}},
		{"setting-refused", nil, func(st *stage) {
			st.keys("down", "down", "e").shows("key: on_missing").keys("down", "down", "enter").shows("Takes").keys("ctrl+u", "type:many", "enter").shows("HS-5511")
		}},
		{"setting", nil, func(st *stage) {
			st.keys("down", "down", "e").shows("key: on_missing").keys("down", "down", "enter").shows("Takes")
		}},
		{"periodic-off", func(w *flowtest.World) { w.Upkept.Checklist = checklist() }, func(st *stage) {
			st.keys("end", "p").shows("Who runs it")
		}},
		{"periodic-once", func(w *flowtest.World) { w.Upkept.Checklist = checklist() }, func(st *stage) {
			st.keys("end", "p").shows("Who runs it").choose("once").shows("Carry them out")
		}},
		{"periodic-service", nil, func(st *stage) {
			st.keys("end", "p").shows("Who runs it").choose("service").shows("On another machine")
		}},
		{"periodic-paused", func(w *flowtest.World) { w.Upkept.Checklist = checklist()[:2] }, func(st *stage) {
			st.keys("down", "down", "p").shows("Paused by t.mori")
		}},
		{"workers", nil, func(st *stage) { st.keys("v").shows("srv-sync01") }},
	}
	for _, x := range steps {
		t.Run(x.name, func(t *testing.T) {
			st := atHome(t, x.world)
			if x.walk != nil {
				x.walk(st)
			}
			for _, size := range [][2]int{{80, 24}, {100, 30}} {
				st.s.width, st.s.height = size[0], size[1]
				flowtest.Golden(t, fmt.Sprintf("home-%s-%dx%d-en", x.name, size[0], size[1]), st.photograph())
			}
			for _, size := range [][2]int{{140, 40}, {200, 60}, {80, 24}} {
				st.s.width, st.s.height = size[0], size[1]
				st.lines()
			}
			st.s.language()
			flowtest.Golden(t, "home-"+x.name+"-100x30-ja", st.photographAt(100, 30))
		})
	}
}

// photographAt is a photograph of another size.
func (st *stage) photographAt(width, height int) string {
	st.s.width, st.s.height = width, height
	return st.photograph()
}

// checklist has one finding of every kind.
func checklist() periodic.Checklist {
	return periodic.Checklist{
		{Mark: periodic.Good, Why: problem.New(problem.PeriodicConverged, problem.Args{"domain": "midori.example", "run": "413", "planned": "371", "seen": "368", "changes": "3"})},
		{Mark: periodic.Good, Why: problem.New(problem.PeriodicActs, problem.Args{"application": "hacsync midori", "ends": "2026-12-16"})},
		{
			Mark: periodic.Missing, Why: problem.New(problem.PeriodicLeftOutOnce, problem.Args{"domain": "midori.example", "n": "1", "accounts": "copier-3f@midori.example"}),
			Rows: []plan.Decision{{Kind: plan.LeaveOutAlways, ID: directory.ID("id-1"), UPN: "copier-3f@midori.example"}},
		},
		{Mark: periodic.Missing, Reasonable: true, Why: problem.New(problem.PeriodicByHand, problem.Args{"source": "users (2).csv"})},
		{Mark: periodic.Note, Why: problem.New(problem.PeriodicNoWorker, nil)},
	}
}

func TestHome_SixtyDomainsScrollAndKeepTheirNames(t *testing.T) {
	st := atHome(t, func(w *flowtest.World) {
		one := w.Upkept.Domains[len(w.Upkept.Domains)-1]
		for i := range 60 {
			one.Name = fmt.Sprintf("department-%02d.midori.example", i+1)
			w.Upkept.Domains = append(w.Upkept.Domains, one)
		}
	})
	st.keys("end").shows("» department-60.midori..", "── department-60.midori.example", "65 of 65")
	st.keys("home").lacks("department-60")
}

func TestHome_OnlyKeysThatWorkForTheDomainAreInTheFooter(t *testing.T) {
	st := atHome(t, nil)
	st.s.width, st.s.height = 200, 60
	st.keys("home").shows("» midori-lab.example", "r resume", "s Sync Now")
	st.keys("end").shows("» midori-new.example").lacks("r resume", "s Sync Now", "u undo", "audit log")
	st.keys("r").shows("No sync of midori-new.example waits to be taken up.")
}

func TestHome_LeavingWhatOnlyLooksAsksNothing(t *testing.T) {
	st := atHome(t, nil)
	st.keys("v").shows("srv-sync01").keys("q")
	if st.s.f.Ended() == nil {
		t.Errorf("q was asked about:\n%s", st.screen())
	}
}

func TestHome_ACertificateIsRenewedOnlyAfterAQuestion(t *testing.T) {
	st := atHome(t, func(w *flowtest.World) {
		w.Conns[0].Application = &consent.Application{ID: flowtest.ApplicationID, Name: "hacsync midori", Ends: still.AddDate(0, 0, 21), Verified: still.AddDate(0, -11, 0)}
	})
	st.keys("down", "down").shows("more lines below").keys("pgdown").shows("Certificate of hacsync midori", "above")
	st.keys("e").shows("its certificate ends").keys("n").shows("Renew the certificate of hacsync midori?")
	st.keys("esc").shows("key: on_missing")
	st.keys("n").shows("Renew it now").keys("enter").shows("The new certificate signs in")
}

func TestHome_InATextFieldLettersAreNoKeys(t *testing.T) {
	st := atHome(t, nil)
	st.keys("down", "down", "e").shows("key: on_missing").keys("down", "enter").shows("Takes", "f1 help").lacks("q quit")
	st.keys("f1").shows("Keys that work here").keys("esc").shows("Takes")
}

func TestHome_BackFromTheConnectionsLeadsHome(t *testing.T) {
	st := atHome(t, nil)
	st.keys("tab").shows("Which tenant?").keys("esc").shows("Last Dry Run")
}
