package plain_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/hacsync/hacsync/sync/consent"
	"github.com/hacsync/hacsync/sync/periodic"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/tui/flow"
	"github.com/hacsync/hacsync/tui/flow/flowtest"
	"github.com/hacsync/hacsync/tui/plain"
)

// atHome walks a world whose saved data has domains that are set up.
func atHome(t *testing.T, w *flowtest.World, lines ...string) walked {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	var out strings.Builder
	f := flow.New(w, flow.Options{Version: "1.2", Person: "mori", Count: -1, Home: true})
	o, err := plain.Run(ctx, f, strings.NewReader(strings.Join(lines, "\n")+"\n"), &out,
		plain.Options{Printer: printers()["en"].In(time.UTC), Every: 5 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out.String(), "«") || strings.Contains(out.String(), "<no value>") {
		t.Errorf("words are missing:\n%s", out.String())
	}
	if w.Sessions != 0 {
		t.Errorf("%d sessions were left open", w.Sessions)
	}
	return walked{out.String(), o}
}

func midori(t *testing.T) *flowtest.World {
	w := flowtest.New(t)
	w.IsDemo = false
	w.Still = time.Date(2026, 11, 25, 9, 24, 0, 0, time.UTC)
	w.Conns = []consent.Connection{{
		Name: "midori", Tenant: flowtest.TenantID, TenantName: "Midori Sample K.K.", Initial: "midorisample.onmicrosoft.com",
		Account: flowtest.Account, Saved: w.Still.AddDate(0, 0, -7),
	}}
	w.Upkept = flowtest.Midori(w.Still)
	return w
}

func TestHome_OpensOnTheDomainsAndSaysWhichNeedAUser(t *testing.T) {
	atHome(t, midori(t), "q").has(
		t, "Sync from HENNGE Access Control", "5 domains, 3 need you", "midori-lab.example stopped after 31 of 230;",
		"midori-logi.example would be cancelled: 41 of 281 = 14.6 %", "31 of 230", "Paused 27 Nov",
	)
}

func TestHome_EverythingIsReachedFromADomain(t *testing.T) {
	w := midori(t)
	atHome(t, w, "s 3", "b", "b", "q").has(t, "Plan", "Sync Now")
	atHome(t, w, "l 3", "b", "q").has(t, "Sync Logs of midori.example")
	atHome(t, w, "e 3", "b", "q").has(t, "Provisioning Settings of midori.example", "Who leaves", "Max Allowed Deletions  10 %, stops at", "key: on_missing")
	atHome(t, w, "v", "b", "q").has(t, "Workers and next runs", "srv-sync01")
	atHome(t, w, "u 4", "q").has(t, "wrote nothing, or is more than 30 days ago")
	atHome(t, w, "r 3", "q").has(t, "No sync of midori.example waits to be taken up.")
}

func TestHome_ASettingIsChangedAndTheNextDryRunHasIt(t *testing.T) {
	w := midori(t)
	atHome(t, w, "e 3", "max_allowed_deletions", "5", "b", "q").has(t, "Max Allowed Deletions: 5 % (max_allowed_deletions)")
	if w.Settings["max_allowed_deletions"] != "5" {
		t.Errorf("settings %v", w.Settings)
	}
}

func TestHome_WhatIsLeftOutAlwaysIsTakenBack(t *testing.T) {
	w := midori(t)
	w.Upkept.LeftOut = []plan.Decision{{Kind: plan.LeaveOutAlways, ID: "id-1", UPN: "copier-3f@midori.example", By: "t.mori", Why: "printer"}}
	atHome(t, w, "e 3", "z", "2", "b", "q").has(t, "copier-3f@midori.example", "Taken back.")
	if len(w.Upkept.LeftOut) != 0 {
		t.Errorf("still left out: %v", w.Upkept.LeftOut)
	}
}

func TestPeriodic_IsEnabledOnlyWhenNothingIsMissing(t *testing.T) {
	w := midori(t)
	w.Upkept.Checklist = periodic.Checklist{
		{Mark: periodic.Good, Why: problem.New(problem.PeriodicActs, problem.Args{"application": "hacsync midori", "ends": "2027-11-25"})},
		{Mark: periodic.Missing, Reasonable: true, Why: problem.New(problem.PeriodicByHand, problem.Args{"source": "users.csv"})},
	}
	got := atHome(t, w, "p 5", "1", "a folder that a robot fills", "1", "b", "q")
	got.has(t, "Enable Periodical Sync of midori-new.example", "Still missing: 1.", "Periodic Sync of midori-new.example is enabled.")
	if len(w.Upkept.Calls) != 1 || w.Upkept.Calls[0] != "enable midori-new.example" {
		t.Errorf("calls %v\n%s", w.Upkept.Calls, got.text)
	}
}

func TestPeriodic_IsPausedWithAnEndAndAReason(t *testing.T) {
	w := midori(t)
	atHome(t, w, "p 4", "1", "2026-11-27 09:00", "personnel changes", "b", "q").has(t, "Periodic Sync of midori-hd.example is paused.")
	p := w.Upkept.Periodic[2]
	if p.Until.Format(time.DateTime) != "2026-11-27 09:00:00" || p.Reason != "personnel changes" {
		t.Errorf("paused %+v", p)
	}
}
