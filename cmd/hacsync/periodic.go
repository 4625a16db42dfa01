package main

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/hacsync/hacsync/cmd/hacsync/session"
	"github.com/hacsync/hacsync/sync/message"
	"github.com/hacsync/hacsync/sync/periodic"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/state"
)

func (a *app) periodicCommand() *cobra.Command {
	c := a.command("periodic", "periodic", func(ctx context.Context, _ []string) error {
		return a.periodicStatus(ctx, nil)
	})
	c.Args = a.takes()
	status := a.command("periodic_status", "status [DOMAIN]", a.periodicStatus)
	status.Args = a.takes("[DOMAIN]")
	c.AddCommand(a.periodicEnable(), a.periodicPause(), a.periodicResume(), a.periodicDisable(), status)
	return c
}

// jsonPeriodic is how a domain is kept in step, as --json shows it.
type jsonPeriodic struct {
	Domain     string          `json:"domain"`
	Connection string          `json:"connection"`
	State      string          `json:"state"`
	Every      string          `json:"every"`
	Next       time.Time       `json:"next,omitzero"`
	Since      time.Time       `json:"since,omitzero"`
	Until      time.Time       `json:"until,omitzero"`
	By         string          `json:"by,omitempty"`
	Reason     string          `json:"reason,omitempty"`
	Why        *fault          `json:"why,omitempty"`
	Running    string          `json:"running,omitempty"`
	Failures   int             `json:"failures"`
	Cancels    int             `json:"cancels"`
	Skipped    int64           `json:"skipped"`
	Last       *state.Interval `json:"last,omitempty"`
	LastGood   *state.Interval `json:"last_good,omitempty"`
}

func (a *app) periodicObject(s periodic.Status) jsonPeriodic {
	out := jsonPeriodic{
		Domain: s.Domain, Connection: s.Connection, State: string(s.State), Every: s.Every.String(), Next: s.Next, Since: s.Since,
		Until: s.Until, By: s.By, Reason: s.Reason, Running: s.Running, Failures: s.Failures, Cancels: s.Cancels, Skipped: s.Skipped,
		Last: s.Last, LastGood: s.LastGood,
	}
	if s.Why != nil {
		f := a.fault(s.Why.Problem())
		out.Why = &f
	}
	return out
}

// jsonFinding is a line of the checklist.
type jsonFinding struct {
	Mark       string `json:"mark"`
	Code       string `json:"code"`
	What       string `json:"what"`
	Remedy     string `json:"remedy"`
	Reasonable bool   `json:"reasonable"`
}

func (a *app) findings(list periodic.Checklist) []jsonFinding {
	out := make([]jsonFinding, len(list))
	for i, f := range list {
		w := a.words.Problem(f.Why)
		out[i] = jsonFinding{Mark: string(f.Mark), Code: string(w.Code), What: w.What, Remedy: w.Remedy, Reasonable: f.Reasonable}
	}
	return out
}

func (a *app) sayFindings(list periodic.Checklist) {
	for _, f := range list {
		w := a.words.Problem(f.Why)
		a.tell(a.text("periodic.mark_"+string(f.Mark), nil) + " " + w.What)
		if f.Mark != periodic.Good && w.Remedy != "" {
			a.tell("     " + w.Remedy)
		}
	}
}

func (a *app) periodicEnable() *cobra.Command {
	var (
		every, jitter time.Duration
		reason, by    string
		always, carry bool
	)
	c := a.command("periodic_enable", "enable DOMAIN", func(ctx context.Context, args []string) error {
		s, err := a.open(ctx)
		if err != nil {
			return err
		}
		defer s.Close()
		control := s.Periodic()
		q := periodic.Request{
			Domain: args[0], Every: every, Jitter: jitter, By: approver(by), Reason: reason, CarryOut: carry,
		}
		if always {
			list, err := control.Check(ctx, args[0])
			if err != nil {
				return err
			}
			q.Always = leftOutOnce(list, q.By)
		}
		p, list, err := control.Enable(ctx, q)
		if err != nil {
			a.sayFindings(list)
			return err
		}
		return a.periodicSet(ctx, control, "periodic.enabled", p, list)
	})
	c.Args = a.takes("DOMAIN")
	c.Flags().DurationVar(&every, "every", 0, a.text("flag.every", nil))
	c.Flags().DurationVar(&jitter, "jitter", 0, a.text("flag.jitter", nil))
	c.Flags().StringVar(&reason, "reason", "", a.text("flag.periodic-reason", nil))
	c.Flags().StringVar(&by, "by", "", a.text("flag.by", nil))
	c.Flags().BoolVar(&always, "left-out-always", false, a.text("flag.left-out-always", nil))
	c.Flags().BoolVar(&carry, "carry-out", false, a.text("flag.carry-out", nil))
	c.MarkFlagsMutuallyExclusive("left-out-always", "carry-out")
	return c
}

// leftOutOnce are the rows of a checklist that were left out for one time only,
// as decisions that last.
func leftOutOnce(list periodic.Checklist, by string) []plan.Decision {
	var all []plan.Decision
	for _, f := range list {
		for _, d := range f.Rows {
			d.By = by
			all = append(all, d)
		}
	}
	return all
}

func (a *app) periodicPause() *cobra.Command {
	var until, reason, by string
	c := a.command("periodic_pause", "pause DOMAIN", func(ctx context.Context, args []string) error {
		s, err := a.open(ctx)
		if err != nil {
			return err
		}
		defer s.Close()
		control := s.Periodic()
		end, ok := periodic.ParseUntil(until, s.Runner.Clock.Now())
		if !ok {
			return problem.New(problem.PeriodicUntil, problem.Args{"until": until})
		}
		p, err := control.Pause(ctx, args[0], end, approver(by), reason)
		if err != nil {
			return err
		}
		return a.periodicSet(ctx, control, "periodic.paused", p, nil)
	})
	c.Args = a.takes("DOMAIN")
	c.Flags().StringVar(&until, "until", "", a.text("flag.until", nil))
	c.Flags().StringVar(&reason, "reason", "", a.text("flag.pause-reason", nil))
	c.Flags().StringVar(&by, "by", "", a.text("flag.by", nil))
	return c
}

func (a *app) periodicResume() *cobra.Command {
	var by string
	c := a.command("periodic_resume", "resume DOMAIN", func(ctx context.Context, args []string) error {
		s, err := a.open(ctx)
		if err != nil {
			return err
		}
		defer s.Close()
		control := s.Periodic()
		p, err := control.Resume(ctx, args[0], approver(by))
		if err != nil {
			return err
		}
		return a.periodicSet(ctx, control, "periodic.resumed", p, nil)
	})
	c.Args = a.takes("DOMAIN")
	c.Flags().StringVar(&by, "by", "", a.text("flag.by", nil))
	return c
}

func (a *app) periodicDisable() *cobra.Command {
	var reason, by string
	c := a.command("periodic_disable", "disable DOMAIN", func(ctx context.Context, args []string) error {
		s, err := a.open(ctx)
		if err != nil {
			return err
		}
		defer s.Close()
		control := s.Periodic()
		p, err := control.Disable(ctx, args[0], approver(by), reason)
		if err != nil {
			return err
		}
		return a.periodicSet(ctx, control, "periodic.disabled", p, nil)
	})
	c.Args = a.takes("DOMAIN")
	c.Flags().StringVar(&reason, "reason", "", a.text("flag.pause-reason", nil))
	c.Flags().StringVar(&by, "by", "", a.text("flag.by", nil))
	return c
}

// periodicSet reports what was set, and what is next.
func (a *app) periodicSet(ctx context.Context, control *periodic.Control, id string, p state.Periodic, list periodic.Checklist) error {
	s, err := control.Status(ctx, p.Domain)
	if err != nil {
		return err
	}
	if a.flags.json {
		a.answer(struct {
			Schema   int           `json:"schema"`
			Periodic jsonPeriodic  `json:"periodic"`
			Findings []jsonFinding `json:"findings"`
		}{schema, a.periodicObject(s), a.findings(list)})
		return nil
	}
	a.sayFindings(list)
	args := problem.Args{
		"domain": message.Clean(p.Domain), "every": a.words.Duration(p.Every), "next": a.words.Time(s.Next), "until": a.words.Time(p.Until),
	}
	if id == "periodic.paused" && p.Until.IsZero() {
		id = "periodic.paused_open"
	}
	a.say(a.text(id, args))
	if w := a.words.Problem(s.Worker.Why); s.Worker.Mark != periodic.Good && id != "periodic.disabled" {
		a.say(w.What)
		a.say(w.Remedy)
	}
	return nil
}

// periodicStatus shows every domain of the connection that was ever enabled, or
// one of them with its last interval.
func (a *app) periodicStatus(ctx context.Context, args []string) error {
	opened, err := a.env().Open(ctx, session.Want{Connection: true})
	if err != nil {
		return err
	}
	defer opened.Close()
	control := opened.Periodic()
	all, err := control.Statuses(ctx)
	if err != nil {
		return err
	}
	if len(args) > 0 {
		one, err := control.Status(ctx, args[0])
		if err != nil {
			return err
		}
		all = map[string]periodic.Status{args[0]: one}
	}
	workers, err := control.Workers(ctx)
	if err != nil {
		return err
	}
	list := make([]periodic.Status, 0, len(all))
	for _, name := range slices.Sorted(maps.Keys(all)) {
		list = append(list, all[name])
	}
	if a.flags.json {
		domains := make([]jsonPeriodic, len(list))
		for i, s := range list {
			domains[i] = a.periodicObject(s)
		}
		a.answer(struct {
			Schema  int            `json:"schema"`
			Domains []jsonPeriodic `json:"domains"`
			Workers []jsonWorker   `json:"workers"`
		}{schema, domains, workerObjects(workers)})
		return nil
	}
	a.showPeriodic(list, len(args) > 0)
	a.showWorkers(workers)
	return nil
}

func (a *app) showPeriodic(list []periodic.Status, detail bool) {
	if len(list) == 0 {
		a.say(a.text("periodic.none", nil))
		return
	}
	head := func(id string) string { return a.text("periodic."+id, nil) }
	rows := [][]string{{head("domain"), head("state"), head("every"), head("next"), head("last"), head("failures")}}
	for _, s := range list {
		next, last := "-", "-"
		if !s.Next.IsZero() {
			next = a.words.Time(s.Next)
		}
		if s.Running != "" {
			next = a.text("periodic.running", problem.Args{"worker": message.Clean(s.Running)})
		}
		if i := s.Last; i != nil {
			last = a.words.Time(i.Ended) + "  " + a.words.Text("home.o_"+strings.ReplaceAll(i.Outcome, "-", "_"), nil)
		}
		rows = append(rows, []string{
			message.Clean(s.Domain), a.words.Text("home.ps_"+string(s.State), nil), a.words.Duration(s.Every), next, last,
			a.words.Int(s.Failures + s.Cancels),
		})
	}
	out := a.show(a.out)
	out.table(rows, -1)
	for _, s := range list {
		if s.Reason != "" {
			out.line("  %s", a.text("periodic.reason_of", problem.Args{"domain": message.Clean(s.Domain), "by": message.Clean(s.By), "reason": message.Clean(s.Reason)}))
		}
		why := s.Why
		if why == nil && detail && s.Last != nil {
			why = s.Last.Why
		}
		if why != nil {
			w := a.words.Problem(why.Problem())
			out.line("! %s: %s (%s)", message.Clean(s.Domain), w.What, w.Code)
			out.line("  %s", w.Remedy)
		}
	}
}

// jsonWorker is a worker as --json shows it.
type jsonWorker struct {
	Name string `json:"name"`
	state.Worker
	Seen time.Time `json:"seen"`
}

func workerObjects(all []state.Worker) []jsonWorker {
	out := make([]jsonWorker, len(all))
	for i, w := range all {
		out[i] = jsonWorker{Name: w.Name, Worker: w, Seen: w.Seen}
	}
	return out
}

func (a *app) showWorkers(workers []state.Worker) {
	if len(workers) == 0 {
		a.say(a.text("periodic.no_worker", nil))
		return
	}
	head := func(id string) string { return a.text("periodic."+id, nil) }
	rows := [][]string{{head("worker"), head("seen"), head("doing"), head("done"), head("failed")}}
	for _, w := range workers {
		doing := a.text("periodic.waits", nil)
		switch {
		case !w.Stopped.IsZero():
			doing = a.text("periodic.gone", nil)
		case len(w.Doing) > 0:
			doing = message.Clean(w.Doing[0])
		}
		rows = append(rows, []string{message.Clean(w.Name), a.words.Time(w.Seen), doing, a.words.Int(int(w.Done)), a.words.Int(int(w.Failed))})
	}
	a.say("")
	a.show(a.out).table(rows, -1)
}
