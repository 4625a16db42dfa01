package flowtest

import (
	"context"
	"slices"
	"time"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/periodic"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/run"
	"github.com/hacsync/hacsync/sync/state"
	"github.com/hacsync/hacsync/tui/flow"
)

// Upkept is what a world has of home and periodic sync.
type Upkept struct {
	// Domains are what Home lists; Runs the sync logs, the newest first.
	Domains []run.HomeDomain
	Runs    []state.Run
	Rows    []run.RowResult
	LeftOut []plan.Decision
	Changed map[string]run.Since
	// Periodic and Workers are what the state has of them.
	Periodic []state.Periodic
	Workers  []state.Worker
	// Checklist is what enabling finds.
	Checklist periodic.Checklist
	Told      []string
	// Mute: the tenant does not answer when it is asked for its domains.
	Mute    bool
	HomeErr error
	// Calls are the changes that were asked for, in words.
	Calls []string
}

func (s *session) Upkeep() flow.Upkeep { return upkeep{s.w} }

// upkeep is periodic sync of a world.
type upkeep struct{ w *World }

func (s upkeep) Statuses(context.Context) (map[string]periodic.Status, error) {
	all := map[string]periodic.Status{}
	for _, p := range s.w.Upkept.Periodic {
		all[p.Domain] = periodic.Status{Periodic: p, Next: p.Due}
	}
	return all, nil
}

// set changes the domain's state as whoever asked wants it.
func (s upkeep) set(domain string, to state.PeriodicState, call string, change func(*state.Periodic)) (state.Periodic, error) {
	u := &s.w.Upkept
	u.Calls = append(u.Calls, call+" "+domain)
	i := slices.IndexFunc(u.Periodic, func(p state.Periodic) bool { return p.Domain == domain })
	if i < 0 {
		u.Periodic = append(u.Periodic, state.Periodic{Domain: domain, Every: time.Hour})
		i = len(u.Periodic) - 1
	}
	p := &u.Periodic[i]
	p.State, p.Since = to, s.w.Clock().Now()
	if to == state.Enabled {
		p.Due = s.w.Clock().Now().Add(p.Every)
	}
	change(p)
	return *p, nil
}

func (s upkeep) Check(context.Context, string) (periodic.Checklist, error) {
	return s.w.Upkept.Checklist, nil
}

func (s upkeep) Enable(_ context.Context, q periodic.Request) (state.Periodic, periodic.Checklist, error) {
	list := s.w.Upkept.Checklist
	if len(list.Missing(q.Reason)) > 0 && !q.CarryOut && len(q.Always) == 0 {
		return state.Periodic{}, list, problem.New(problem.PeriodicNotReady, problem.Args{"domain": q.Domain, "n": "1", "first": "HS-5200"})
	}
	p, err := s.set(q.Domain, state.Enabled, "enable", func(p *state.Periodic) {
		if q.Every > 0 {
			p.Every = q.Every
		}
		p.By, p.Reason = q.By, q.Reason
	})
	return p, list, err
}

func (s upkeep) Pause(_ context.Context, domain string, until time.Time, by, reason string) (state.Periodic, error) {
	return s.set(domain, state.Paused, "pause", func(p *state.Periodic) { p.Until, p.By, p.Reason = until, by, reason })
}

func (s upkeep) Resume(_ context.Context, domain, by string) (state.Periodic, error) {
	return s.set(domain, state.Enabled, "resume", func(p *state.Periodic) { p.By = by })
}

func (s upkeep) Disable(_ context.Context, domain, by, reason string) (state.Periodic, error) {
	return s.set(domain, state.Disabled, "disable", func(p *state.Periodic) { p.By, p.Reason = by, reason })
}

func (s upkeep) Service() flow.Service {
	return flow.Service{
		File: "hacsync-worker.service", Text: "[Unit]\nDescription=hacsync worker\n",
		Commands:  []string{"sudo cp hacsync-worker.service /etc/systemd/system/", "sudo systemctl enable --now hacsync-worker"},
		Elsewhere: []string{"hacsync connect --certificate key.pem", "hacsync worker"},
	}
}

func (s upkeep) Told(context.Context) ([]string, error) { return s.w.Upkept.Told, nil }

func (s upkeep) Workers(context.Context) ([]state.Worker, error) { return s.w.Upkept.Workers, nil }

func (s *session) Home(context.Context, ...directory.Domain) (*run.Home, error) {
	if err := s.w.Upkept.HomeErr; err != nil {
		return nil, err
	}
	runs := s.w.Upkept.Runs
	return &run.Home{Domains: s.w.Upkept.Domains, Latest: runs[:min(5, len(runs))]}, nil
}

func (s *session) Since(_ context.Context, domain string) (run.Since, error) {
	return s.w.Upkept.Changed[domain], nil
}

func (s *session) Logs(context.Context, string, int) ([]state.Run, error) {
	return s.w.Upkept.Runs, nil
}

func (s *session) Rows(context.Context, int64) ([]run.RowResult, int, error) {
	return s.w.Upkept.Rows, 3, nil
}

func (s *session) Decisions(context.Context, string) ([]plan.Decision, error) {
	s.w.Lock()
	defer s.w.Unlock()
	return slices.Clone(s.w.Upkept.LeftOut), nil
}

// about reports whether two decisions are one of the same thing.
func about(x, y plan.Decision) bool {
	x.By, x.Why, x.At = y.By, y.Why, y.At
	return x == y
}

func (s *session) Decide(_ context.Context, _ string, ds []plan.Decision) error {
	s.w.Lock()
	defer s.w.Unlock()
	if err := s.w.DecideErr; err != nil {
		return err
	}
	for _, d := range ds {
		s.w.Upkept.LeftOut = append(slices.DeleteFunc(s.w.Upkept.LeftOut, func(one plan.Decision) bool { return about(one, d) }), d)
	}
	return nil
}

func (s *session) TakeBack(_ context.Context, _ string, ds ...plan.Decision) error {
	s.w.Lock()
	defer s.w.Unlock()
	for _, d := range ds {
		s.w.Upkept.Calls = append(s.w.Upkept.Calls, "take back "+d.UPN)
		s.w.Upkept.LeftOut = slices.DeleteFunc(s.w.Upkept.LeftOut, func(one plan.Decision) bool { return about(one, d) })
	}
	return nil
}

func (s *session) KeepLook(_ context.Context, _ *run.Planned, l run.Look) error {
	s.w.Lock()
	defer s.w.Unlock()
	s.w.Looked = append(s.w.Looked, l)
	return nil
}

// Reviewed gives the decisions of the world.
func (s *session) Reviewed(ctx context.Context, p *run.Planned) (*run.Planned, error) {
	with := *p
	with.Decided, _ = s.Decisions(ctx, "")
	return &with, nil
}

// Midori is the home of the story that the screens tell: five domains, three of
// which need somebody.
func Midori(now time.Time) Upkept {
	at := func(ago time.Duration) time.Time { return now.Add(-ago) }
	dry := func(no int64, ago time.Duration, c plan.Counts, v plan.Verdict) (*state.Run, run.Summary) {
		return &state.Run{No: no, Kind: state.DryRun, State: state.Done, Started: at(ago), Ended: at(ago - time.Minute), Fingerprint: "7f3a92c1"},
			run.Summary{Counts: &c, Verdict: &v}
	}
	synced := func(no int64, ago time.Duration, s state.RunState, planned, seen, failed int) (*state.Run, run.Summary) {
		return &state.Run{No: no, Kind: state.Sync, State: s, Started: at(ago), Ended: at(ago - time.Minute), By: "t.mori"},
			run.Summary{Planned: planned, Seen: seen, Failed: failed, NotTried: planned - seen - failed}
	}
	verdict := func(n, users, stops int, cancelled bool) plan.Verdict {
		return plan.Verdict{Deletions: n, Users: users, MaxAllowedDeletions: 10, MaxDeletions: -1, StopsAt: stops, Cancelled: cancelled}
	}
	day := 24 * time.Hour
	midori := run.HomeDomain{Name: "midori.example", SetUp: true, Source: "hac", LeftOut: 1, Next: run.NextReview, Undoable: now.Add(29 * day)}
	midori.DryRun, midori.Planned = dry(412, 12*time.Minute, plan.Counts{
		SourceUsers: 4021, DestinationUsers: 4012, Touchable: 3985, Delete: 12, Rename: 9, Restore: 2, Add: 31, Update: 318, Skipped: 35,
	}, verdict(12, 3985, 399, false))
	midori.Sync, midori.Synced = synced(411, 15*time.Hour, state.Done, 14, 14, 0)
	logi := run.HomeDomain{Name: "midori-logi.example", SetUp: true, Source: "hac", Next: run.NextReview}
	logi.DryRun, logi.Planned = dry(409, 24*time.Minute, plan.Counts{SourceUsers: 245, DestinationUsers: 286, Touchable: 281, Delete: 41}, verdict(41, 281, 29, true))
	logi.Sync, logi.Synced = synced(405, 16*time.Hour, state.Done, 3, 3, 0)
	lab := run.HomeDomain{Name: "midori-lab.example", SetUp: true, Source: "csv:/home/mori/users.csv", Next: run.NextResume, Interrupted: true}
	lab.DryRun, lab.Planned = dry(400, day, plan.Counts{SourceUsers: 230, DestinationUsers: 230, Touchable: 228, Add: 230}, verdict(0, 228, 23, false))
	lab.Sync, lab.Synced = synced(401, day, state.Stopped, 230, 31, 0)
	hd := run.HomeDomain{Name: "midori-hd.example", SetUp: true, Source: "hac"}
	hd.DryRun, hd.Planned = dry(410, 24*time.Minute, plan.Counts{SourceUsers: 58, DestinationUsers: 58, Touchable: 57, Unchanged: 58}, verdict(0, 57, 6, false))
	hd.Sync, hd.Synced = synced(408, 24*time.Minute, state.Done, 1, 1, 0)
	fresh := run.HomeDomain{Name: "midori-new.example", Next: run.NextSetUp}
	return Upkept{
		Domains: counted(lab, logi, midori, hd, fresh),
		Changed: map[string]run.Since{"midori.example": {Before: at(15 * time.Hour), New: 3, Gone: 1}},
		Periodic: []state.Periodic{
			{Domain: "midori.example", State: state.Paused, Every: time.Hour, By: "t.mori", Reason: "personnel changes", Until: now.Add(2 * day), Since: at(day)},
			{Domain: "midori-logi.example", State: state.Held, Every: time.Hour, Since: at(24 * time.Minute)},
			{Domain: "midori-hd.example", State: state.Enabled, Every: time.Hour, Due: now.Add(36 * time.Minute), Last: &state.Interval{
				Started: at(24 * time.Minute), Ended: at(23 * time.Minute), Outcome: "synced", Update: 1, Seen: 1,
			}},
		},
		Workers: []state.Worker{{Name: "srv-sync01", Host: "srv-sync01", Seen: at(time.Minute), Since: at(9 * day), Slots: 4, Done: 212, Failed: 3}},
	}
}

// counted are domains with the accounts that their dry runs counted.
func counted(all ...run.HomeDomain) []run.HomeDomain {
	for i := range all {
		all[i].Users = -1
		if c := all[i].Planned.Counts; c != nil {
			all[i].Users = c.DestinationUsers
		}
	}
	return all
}
