package flow

import (
	"context"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/hacsync/hacsync/sync/input"
	"github.com/hacsync/hacsync/sync/periodic"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/run"
	"github.com/hacsync/hacsync/sync/state"
	"github.com/hacsync/hacsync/tui/words"
)

// periodicStep enables, pauses and disables periodic sync of a domain. What stands in
// the way of enabling is shown first, and the choice to enable is there only when
// nothing does.
type periodicStep struct {
	asks keepAsk
	base
	status periodic.Status
	is     bool // it was enabled once
	list   periodic.Checklist
	told   []string

	every  time.Duration // as chosen here, 0 for what stands
	until  time.Time
	reason string
	// always and carry answer the rows that were left out for one time only.
	always []plan.Decision
	carry  bool
	// purpose of a reason that is asked for.
	purpose keepPurpose
}

type (
	keepAsk     uint8
	keepPurpose uint8
)

const (
	askKeep keepAsk = iota
	askEvery
	askUntil
	askWhy
	askOnce
	askService
)

const (
	toEnable keepPurpose = iota
	toPause
	toDisable
)

type (
	keepingRead struct {
		status periodic.Status
		is     bool
		list   periodic.Checklist
		told   []string
		err    error
	}
	periodicSet struct {
		say words.Text
		err error
	}
)

func (s *periodicStep) enter(d *data, back bool) turn {
	*s = periodicStep{}
	return s.read(d)
}

func (s *periodicStep) read(d *data) turn {
	s.working = words.T("keep.reading")
	u, domain := d.session.Upkeep(), d.domain
	return does(effect(func(ctx context.Context, _ Reporter) any {
		var r keepingRead
		all, err := u.Statuses(ctx)
		if err != nil {
			return keepingRead{err: err}
		}
		r.status, r.is = all[domain]
		if r.list, err = u.Check(ctx, domain); err != nil {
			return keepingRead{err: err}
		}
		r.told, r.err = u.Told(ctx)
		return r
	}))
}

// on reports whether workers look at the domain, or would but for a pause.
func (s *periodicStep) on() bool { return s.is && s.status.State != state.Disabled }

func (s *periodicStep) view(d *data, now time.Time) View {
	v := View{Title: words.T("keep.title", "domain", d.domain), Status: words.T("keep.status")}
	if s.on() {
		v.Title = words.T("keep.title_on", "domain", d.domain)
	}
	if s.waits(&v) {
		return v
	}
	if s.err != nil {
		v.Blocks = append(v.Blocks, words.Trouble{Err: s.err})
	}
	switch s.asks {
	case askEvery:
		v.Blocks = append(v.Blocks, words.Para{Text: words.T("keep.every_what")})
		v.Ask = Question{Kind: Line, Text: words.T("keep.every_ask"), Preset: s.interval().String()}
		return v
	case askUntil:
		v.Title = words.T("keep.title_pause", "domain", d.domain)
		v.Blocks = append(v.Blocks, words.Para{Text: words.T("keep.until_what")})
		v.Ask = Question{Kind: Line, Text: words.T("keep.until_ask"), Optional: true}
		return v
	case askWhy:
		switch s.purpose {
		case toPause:
			v.Title = words.T("keep.title_pause", "domain", d.domain)
		case toDisable:
			v.Title = words.T("keep.title_disable", "domain", d.domain)
			v.Blocks = append(v.Blocks, words.Para{Text: words.T("keep.disable_what")})
		case toEnable:
		}
		v.Blocks = append(v.Blocks, words.Para{Text: words.T("keep.why_what")})
		v.Ask = Question{Kind: Line, Text: words.T("keep.why_ask"), Preset: s.reason, Optional: s.purpose != toEnable}
		return v
	case askOnce:
		s.viewOnce(&v)
		return v
	case askService:
		s.viewService(d, &v)
		return v
	case askKeep:
	}
	if s.on() {
		s.viewOn(&v, now)
		return v
	}
	s.viewOff(&v)
	return v
}

// viewOff is the checklist, and what is still missing.
func (s *periodicStep) viewOff(v *View) {
	v.Blocks = append(v.Blocks, s.checks(), s.facts())
	missing := s.missing()
	v.Status = words.T("keep.missing", "n", len(missing))
	if len(missing) > 0 {
		v.Blocks = append(v.Blocks, words.Checks{{Mark: words.Stops, Text: words.T("keep.missing_line", "n", len(missing))}})
	} else {
		v.Status = words.T("keep.ready")
		v.Ask.Options = append(v.Ask.Options, Option{Key: "enable", Text: words.T("word.enable-periodic"), Note: words.T("keep.enable_note")})
	}
	if s.onceRows() != nil {
		v.Ask.Options = append(v.Ask.Options, Option{Key: "once", Text: words.T("keep.once"), Note: words.T("keep.once_note")})
	}
	if len(missing) > 0 && len(s.list.Missing("said")) == 0 || len(missing) > 0 && s.onlyOnce("said") {
		v.Ask.Options = append(v.Ask.Options, Option{Key: "reason", Text: words.T("keep.reason"), Note: words.T("keep.reason_note")})
	}
	v.Ask.Kind, v.Ask.Text = Choice, words.T("flow.choose")
	v.Ask.Options = append(
		v.Ask.Options,
		Option{Key: "every", Text: words.T("keep.every"), Note: words.T("keep.every_note", "every", s.interval())},
		Option{Key: "service", Text: words.T("keep.service"), Note: words.T("keep.service_note")},
		Option{Key: "home", Text: words.T("home.back")},
	)
	v.Ask.Preset = v.Ask.Options[0].Key
	v.Commands = []Command{
		command("settings", "e", "settings", words.T("word.provisioning-settings")),
		checkAgain(),
	}
}

// viewOn is an enabled, paused or stopped domain.
func (s *periodicStep) viewOn(v *View, now time.Time) {
	p := s.status
	head := words.Check{Mark: words.OK, Text: words.T("keep.is_enabled", "every", p.Every, "next", when(p.Due, now))}
	options := []Option{{Key: "pause", Text: words.T("keep.pause"), Note: words.T("keep.pause_note")}}
	switch p.State {
	case state.Paused:
		head = words.Check{Mark: words.Warn, Text: words.T("keep.is_paused", "by", p.By, "since", when(p.Since, now))}
		if !p.Until.IsZero() {
			head.Text = words.T("keep.is_paused_until", "by", p.By, "until", words.Moment(p.Until))
		}
		if p.Reason != "" {
			head.Detail = append(head.Detail, words.Raw(p.Reason))
		}
		if p.Why != nil {
			head.Detail = append(head.Detail, whyOf(p.Why))
		}
		options = []Option{{Key: "resume", Text: words.T("keep.resume"), Note: words.T("keep.resume_note")}}
	case state.Held:
		head = words.Check{Mark: words.Stops, Text: words.T("keep.is_stopped", "since", when(p.Since, now)), Detail: []words.Text{whyOf(p.Why)}}
		if p.Why != nil {
			head.Detail = append(head.Detail, words.T("flow.what", "x", words.Remedy{Err: p.Why.Problem()}))
		}
		options = []Option{{Key: "resume", Text: words.T("keep.release"), Note: words.T("keep.release_note")}}
	case state.Enabled, state.Disabled:
	}
	v.Blocks = append(v.Blocks, words.Checks{head}, s.checks(), s.facts())
	v.Ask = Question{Kind: Choice, Text: words.T("flow.choose"), Preset: "home", Options: append(
		options,
		Option{Key: "every", Text: words.T("keep.every"), Note: words.T("keep.every_note", "every", s.interval())},
		Option{Key: "disable", Text: words.T("word.disable-periodic"), Note: words.T("keep.disable_note")},
		Option{Key: "service", Text: words.T("keep.service"), Note: words.T("keep.service_note")},
		Option{Key: "home", Text: words.T("home.back")},
	)}
	v.Commands = []Command{
		command("logs", "l", "logs", words.T("word.sync-logs")),
		command("settings", "e", "settings", words.T("word.provisioning-settings")),
		checkAgain(),
	}
}

// checks is the checklist in the words of its problems.
func (s *periodicStep) checks() words.Checks {
	var out words.Checks
	for _, f := range s.list {
		c := words.Check{Text: words.T("flow.what", "x", words.What{Err: f.Why})}
		switch f.Mark {
		case periodic.Good:
			c.Mark = words.OK
		case periodic.Note:
			c.Mark = words.Warn
			c.Detail = []words.Text{words.T("flow.what", "x", words.Remedy{Err: f.Why})}
		case periodic.Missing:
			c.Mark = words.Warn
			if !slices.ContainsFunc(s.missing(), func(m periodic.Finding) bool { return m.Why == f.Why }) {
				c.Mark = words.OK // answered here
			} else {
				c.Detail = []words.Text{remedyHere(f.Why)}
			}
		}
		out = append(out, c)
	}
	return out
}

// remedyHere is what to do about a finding on this screen, where the command line
// has flags for it.
func remedyHere(p *problem.Problem) words.Text {
	switch p.Code {
	case problem.PeriodicByHand:
		return words.T("keep.do_by_hand")
	case problem.PeriodicLeftOutOnce:
		return words.T("keep.do_once")
	case problem.PeriodicNeverSynced, problem.PeriodicNotConverged:
		return words.T("keep.do_sync")
	case problem.PeriodicNoSource:
		return words.T("keep.do_source")
	}
	return words.T("flow.what", "x", words.Remedy{Err: p})
}

func (s *periodicStep) facts() words.Facts {
	told := words.T("keep.told_nobody")
	if len(s.told) > 0 {
		told = words.Is(words.Names(s.told))
	}
	return words.Facts{
		{Label: words.T("keep.every"), Value: words.Is(s.interval())},
		{Label: words.T("keep.told"), Value: told},
		{Label: words.T("keep.cancel"), Value: words.T("keep.cancel_what")},
	}
}

// interval is the one chosen here, else the one that stands.
func (s *periodicStep) interval() time.Duration {
	switch {
	case s.every > 0:
		return s.every
	case s.status.Every > 0:
		return s.status.Every
	}
	return periodic.DefaultEvery
}

// missing are the findings that neither a reason nor an answer given here passes
// over.
func (s *periodicStep) missing() []periodic.Finding {
	var out []periodic.Finding
	for _, f := range s.list.Missing(s.reason) {
		if len(f.Rows) > 0 && (s.carry || len(s.always) > 0) {
			continue
		}
		out = append(out, f)
	}
	return out
}

// onlyOnce reports whether nothing but the rows left out once is missing, given a
// reason.
func (s *periodicStep) onlyOnce(reason string) bool {
	for _, f := range s.list.Missing(reason) {
		if len(f.Rows) == 0 {
			return false
		}
	}
	return true
}

// onceRows are the rows that were left out for one time only and not answered
// for yet.
func (s *periodicStep) onceRows() []plan.Decision {
	for _, f := range s.missing() {
		if len(f.Rows) > 0 {
			return f.Rows
		}
	}
	return nil
}

func (s *periodicStep) viewOnce(v *View) {
	var names words.Names
	for _, one := range s.onceRows() {
		names = append(names, one.UPN)
	}
	v.Blocks = append(v.Blocks, words.Para{Text: words.T("keep.once_what", "n", len(names), "names", names)})
	v.Ask = Question{Kind: Choice, Text: words.T("flow.choose"), Preset: "always", Options: []Option{
		{Key: "always", Text: words.T("keep.once_always"), Note: words.T("keep.once_always_note")},
		{Key: "carry", Text: words.T("keep.once_carry"), Note: words.T("keep.once_carry_note")},
	}}
}

func (s *periodicStep) viewService(d *data, v *View) {
	svc := d.session.Upkeep().Service()
	v.Blocks = append(
		v.Blocks, words.Para{Text: words.T("keep.service_what")},
		words.Heading{Text: words.T("keep.service_here")}, words.Script{Lines: svc.Commands},
		words.Heading{Text: words.T("keep.service_there")}, words.Para{Text: words.T("keep.service_there_what")}, words.Script{Lines: svc.Elsewhere},
	)
	v.Ask = Question{Kind: Choice, Text: words.T("flow.choose"), Preset: "save", Options: []Option{
		{Key: "save", Text: words.T("keep.service_save", "file", svc.File)},
		{Key: "later", Text: words.T("keep.service_later")},
	}}
}

func (s *periodicStep) answer(d *data, a Answer) turn {
	s.err = nil
	switch a.Command {
	case "again":
		return s.read(d)
	case "settings":
		d.setting = run.KeySource
		return goTo(Settings)
	case "logs":
		return goTo(Logs)
	case "":
	default:
		return stayed(words.T("flow.not_a_command"))
	}
	switch s.asks {
	case askEvery:
		return s.setEvery(d, a.Text)
	case askUntil:
		until, ok := periodic.ParseUntil(a.Text, d.now())
		if !ok {
			return stayed(words.T("keep.until_bad"))
		}
		s.until, s.purpose, s.asks = until, toPause, askWhy
		return turn{}
	case askWhy:
		return s.said(d, strings.TrimSpace(a.Text))
	case askOnce:
		return s.answerOnce(a.Text)
	case askService:
		return s.answerService(d, a.Text)
	case askKeep:
	}
	switch a.Text {
	case "enable":
		return s.enable(d)
	case "once":
		s.asks = askOnce
	case "reason":
		s.purpose, s.asks = toEnable, askWhy
	case "every":
		s.asks = askEvery
	case "service":
		s.asks = askService
	case "pause":
		s.asks = askUntil
	case "resume":
		return s.set(d, words.T("keep.resumed", "domain", d.domain), func(ctx context.Context, u Upkeep) error {
			_, err := u.Resume(ctx, d.domain, d.approver())
			return err
		})
	case "disable":
		s.purpose, s.asks = toDisable, askWhy
	case "home":
		return turn{move: backward}
	default:
		return turn{}
	}
	return turn{}
}

// said takes the reason, and does what it was asked for.
func (s *periodicStep) said(d *data, reason string) turn {
	domain, by, until := d.domain, d.approver(), s.until
	switch s.purpose {
	case toEnable:
		if reason == "" {
			return stayed(words.T("keep.why_needed"))
		}
		s.reason, s.asks = reason, askKeep
		return turn{}
	case toPause:
		return s.set(d, words.T("keep.paused", "domain", domain), func(ctx context.Context, u Upkeep) error {
			_, err := u.Pause(ctx, domain, until, by, reason)
			return err
		})
	case toDisable:
	}
	return s.set(d, words.T("keep.disabled", "domain", domain), func(ctx context.Context, u Upkeep) error {
		_, err := u.Disable(ctx, domain, by, reason)
		return err
	})
}

func (s *periodicStep) setEvery(d *data, text string) turn {
	every, ok := input.Length(text)
	if !ok || every < periodic.LeastEvery || every > periodic.MostEvery {
		return stayed(words.T("keep.every_bad", "least", periodic.LeastEvery, "most", periodic.MostEvery))
	}
	s.every, s.asks = every, askKeep
	if s.status.State == state.Enabled && s.is {
		return s.enable(d)
	}
	return turn{}
}

func (s *periodicStep) answerOnce(text string) turn {
	switch text {
	case "always":
		s.always = s.onceRows()
	case "carry":
		s.carry = true
	default:
		return turn{}
	}
	s.asks = askKeep
	return turn{}
}

func (s *periodicStep) answerService(d *data, text string) turn {
	switch text {
	case "later":
		s.asks = askKeep
		return turn{}
	case "save":
		svc, b := d.session.Upkeep().Service(), d.b
		return does(effect(func(ctx context.Context, _ Reporter) any {
			path, err := b.WriteFile(ctx, svc.File, func(w io.Writer) error { _, err := io.WriteString(w, svc.Text); return err })
			return fileSaved{path, err}
		}))
	}
	return turn{}
}

func (s *periodicStep) enable(d *data) turn {
	q := periodic.Request{Domain: d.domain, Every: s.every, By: d.approver(), Reason: s.reason, Always: s.always, CarryOut: s.carry}
	for i := range q.Always {
		q.Always[i].By = q.By
	}
	return s.set(d, words.T("keep.enabled", "domain", d.domain), func(ctx context.Context, u Upkeep) error {
		_, _, err := u.Enable(ctx, q)
		return err
	})
}

func (s *periodicStep) set(d *data, say words.Text, f func(context.Context, Upkeep) error) turn {
	s.working = words.T("home.settings_keeping")
	u := d.session.Upkeep()
	return does(effect(func(ctx context.Context, _ Reporter) any { return periodicSet{say, f(ctx, u)} }))
}

func (s *periodicStep) inner() bool { return s.asks != askKeep }

func (s *periodicStep) back(*data) (turn, bool) {
	was := s.asks != askKeep
	s.asks, s.err = askKeep, nil
	return turn{}, was
}

func (s *periodicStep) done(d *data, result any) turn {
	s.working = words.Text{}
	switch r := result.(type) {
	case keepingRead:
		if s.err = r.err; r.err == nil {
			s.status, s.is, s.list, s.told = r.status, r.is, r.list, r.told
		}
	case periodicSet:
		s.asks = askKeep
		if r.err != nil {
			s.err = r.err
			return turn{}
		}
		t := s.read(d)
		t.say = []words.Text{r.say}
		return t
	case fileSaved:
		if r.err != nil {
			s.err = r.err
			return turn{}
		}
		return stayed(words.T("flow.saved_to", "path", r.path))
	}
	return turn{}
}
