package flow

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/hacsync/hacsync/sync/consent"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/run"
	"github.com/hacsync/hacsync/tui/review"
	"github.com/hacsync/hacsync/tui/words"
)

// welcomeStep asks how to begin: a new tenant, saved data, a plan file.
type welcomeStep struct {
	base
	asks  welcomeAsk
	came  welcomeCame
	saved savedState
	conns []consent.Connection
	open  []Unfinished
	// domains are those that are set up, by tenant.
	domains map[string][]string
	path    string
	seal    unlocking
	// explains: what to have ready stands in place of the steps.
	explains bool
	// of is the connection that is renewed, forgotten or opened next, and then what
	// follows the passphrase.
	of   consent.Connection
	then func() turn
}

// welcomeCame is from where the step was entered.
type welcomeCame uint8

const (
	cameFirst  welcomeCame = iota // at the start of the walk: the connection used last may open by itself
	cameLater                     // later: nothing opens by itself
	cameByHome                    // from home, for the list of connections; back leads there
)

// savedState is what is known of the saved data.
type savedState uint8

const (
	savedUnread savedState = iota
	savedClear
	savedSealed // a passphrase opens it
)

type welcomeAsk uint8

const (
	askHow welcomeAsk = iota
	askSaved
	askPlanFile
	askCare   // renew or forget
	askForget // forget, once more
	askUnlock
)

type (
	savedRead struct {
		conns   []consent.Connection
		open    []Unfinished
		domains map[string][]string
		needs   bool
		err     error
	}
	forgotten struct {
		name string
		err  error
	}
	certified struct {
		app consent.Application
		err error
	}
	reopened struct {
		session Session
		name    string
		// resume is the run that is taken up, with the plan that was approved.
		resume  int64
		planned *run.Planned
		err     error
	}
	planRead struct {
		plan *plan.Plan
		err  error
	}
)

func (s *welcomeStep) enter(d *data, back bool) turn {
	s.asks, s.err = askHow, nil
	switch {
	case d.otherConnection:
		s.asks, s.came, d.otherConnection = askSaved, cameByHome, false
	case s.came == cameByHome:
		s.came = cameLater
	}
	d.file = nil
	return s.read(d)
}

// read looks for what is saved. A connection whose domains cannot be listed is
// listed all the same.
func (s *welcomeStep) read(d *data) turn {
	s.working = words.T("flow.welcome.reading")
	b := d.b
	return does(effect(func(ctx context.Context, _ Reporter) any {
		c, err := b.Connections(ctx)
		if err != nil {
			return savedRead{err: err}
		}
		domains := map[string][]string{}
		for _, one := range c {
			if list, err := b.Domains(ctx, one.Tenant); err == nil {
				domains[one.Tenant] = list
			}
		}
		open, err := b.Unfinished(ctx)
		needs := false
		if len(c) > 0 {
			// What was saved has its passphrase.
			needs, _, _ = b.NeedsPassphrase(ctx)
		}
		return savedRead{c, open, domains, needs, err}
	}))
}

func (s *welcomeStep) view(d *data, now time.Time) View {
	v := View{Title: words.T("flow.welcome.title"), Status: words.T("flow.welcome.status")}
	if s.waits(&v) {
		return v
	}
	if s.err != nil {
		v.Blocks = append(v.Blocks, words.Trouble{Err: s.err})
	}
	switch s.asks {
	case askSaved, askCare, askForget, askUnlock:
		s.viewSaved(&v)
		return v
	case askPlanFile:
		v.Title = words.T("flow.welcome.open")
		v.Ask = Question{Kind: Path, Text: words.T("flow.welcome.path"), Preset: s.path}
		return v
	}
	if s.saved != savedUnread {
		v.Ask = Question{Kind: Choice, Text: words.T("flow.choose"), Preset: "add", Options: []Option{
			{Key: "add", Text: words.T("flow.welcome.add"), Note: words.T("flow.welcome.add_note")},
		}}
		note := words.T("flow.welcome.saved_none")
		if n := len(s.conns); n > 0 {
			note = words.T("flow.welcome.saved_note", "n", n)
			v.Ask.Preset = "saved"
		}
		v.Ask.Options = append(v.Ask.Options,
			Option{Key: "saved", Text: words.T("word.saved-data"), Note: note},
			Option{Key: "open", Text: words.T("flow.welcome.open"), Note: words.T("flow.welcome.open_note")})
		for i, u := range s.open {
			key := resumeKey + strconv.FormatInt(u.Run, 10)
			if i == 0 {
				v.Ask.Preset = key
			}
			v.Ask.Options = slices.Insert(v.Ask.Options, i, Option{
				Key:  key,
				Text: words.T("flow.welcome.resume", "domain", u.Domain),
				Note: words.T("flow.welcome.resume_note", "run", int(u.Run), "started", words.Moment(u.Started)),
			})
		}
	}
	v.Blocks = append(s.about(d.b.Demo() != nil), v.Blocks...)
	v.Status = words.T("flow.welcome.independent")
	v.Commands = append(v.Commands, command("steps", "x", "steps", words.T("flow.welcome.cmd_explain")))
	return v
}

// about are the eight steps, with what each needs and how long it takes; or, where it
// was asked for, what to have ready.
func (s *welcomeStep) about(demo bool) []words.Piece {
	if s.explains {
		return []words.Piece{
			words.Para{Text: words.T("flow.welcome.what")},
			words.Para{Text: words.T("flow.welcome.promise")},
			words.Heading{Text: words.T("flow.welcome.ready")},
			words.Para{Text: words.T("flow.welcome.ready_admin")},
			words.Para{Text: words.T("flow.welcome.ready_source")},
			words.Para{Text: words.T("flow.welcome.ready_count")},
			words.Para{Text: words.T("flow.welcome.try_demo")},
		}
	}
	t := words.Table{Head: []words.Text{{}, words.T("flow.welcome.step"), words.T("flow.welcome.needs"), words.T("flow.welcome.about")}, Right: []int{0, 3}}
	minutes := func(n string) words.Text { return words.T("flow.welcome.minutes", "n", n) }
	for i, x := range []struct {
		step Step
		time words.Text
	}{
		{SignIn, minutes("2")},
		{Permissions, minutes("1")},
		{Domain, minutes("1")},
		{Grant, minutes("0-5")},
		{Source, minutes("2")},
		{DryRun, words.T("flow.welcome.most", "n", 1)},
		{Preview, minutes("5")},
		{Sync, minutes("1")},
	} {
		t.Rows = append(t.Rows, []words.Text{
			words.Num(i + 1), words.T("tui.rail." + x.step.String()), words.T("flow.welcome.need." + x.step.String()), x.time,
		})
	}
	last := words.Para{Text: words.T("flow.welcome.stop")}
	if demo {
		last.Text = words.T("flow.welcome.demo")
	}
	return []words.Piece{words.Para{Text: words.T("flow.welcome.short")}, t, last}
}

func (s *welcomeStep) answer(d *data, a Answer) turn {
	s.err = nil
	if a.Command == "steps" {
		s.explains = !s.explains
		return turn{}
	}
	switch s.asks {
	case askSaved, askCare, askForget, askUnlock:
		return s.answerSaved(d, a)
	case askPlanFile:
		s.path = filePath(a.Text, d.o.Windows)
		if s.path == "" {
			return stayed(words.T("flow.welcome.path_empty"))
		}
		s.working = words.T("flow.welcome.opening", "file", s.path)
		b, path := d.b, s.path
		return does(effect(func(ctx context.Context, _ Reporter) any {
			f, err := b.ReadFile(ctx, path)
			if err != nil {
				return planRead{err: err}
			}
			defer f.Close()
			p, err := plan.Decode(f)
			return planRead{p, err}
		}))
	}
	for _, u := range s.open {
		if a.Text == resumeKey+strconv.FormatInt(u.Run, 10) {
			return s.unlocked(d, func() turn { return s.takeUp(d, u) })
		}
	}
	switch a.Text {
	case "add":
		if d.session == nil {
			return goTo(SignIn)
		}
		// Another tenant than the one that is open: a fresh sign-in.
		d.forgetSession()
		d.target = d.o.Target
		return goTo(SignIn)
	case "saved":
		if len(s.conns) == 0 {
			return stayed(words.T("flow.welcome.saved_nothing"))
		}
		s.asks = askSaved
		return turn{}
	case "open":
		s.asks = askPlanFile
		return turn{}
	}
	return turn{}
}

func (s *welcomeStep) reopen(d *data, c consent.Connection) turn {
	s.working = words.T("flow.welcome.reopening", "tenant", c.TenantName)
	b, name := d.b, c.Name
	return does(effect(func(ctx context.Context, _ Reporter) any {
		session, err := b.Reopen(ctx, name)
		return reopened{session: session, name: name, err: err}
	}))
}

// resumeKey begins the key of a choice that resumes a run.
const resumeKey = "resume-"

// takeUp opens the connection of an interrupted sync, and the plan that was
// approved for it.
func (s *welcomeStep) takeUp(d *data, u Unfinished) turn {
	s.working = words.T("flow.welcome.taking_up", "domain", u.Domain)
	b := d.b
	return does(effect(func(ctx context.Context, r Reporter) any {
		session, err := b.Reopen(ctx, u.Connection)
		if err != nil {
			return reopened{name: u.Connection, err: err}
		}
		p, err := session.Engine(Hooks{Progress: r}).Stored(ctx, u.Run)
		if err != nil {
			closeSession(session)
			session = nil
		}
		return reopened{session: session, name: u.Connection, resume: u.Run, planned: p, err: err}
	}))
}

func (s *welcomeStep) inner() bool { return s.asks != askHow }

func (s *welcomeStep) back(d *data) (turn, bool) {
	switch s.asks {
	case askHow:
		return turn{}, false
	case askUnlock:
		if s.seal.back() {
			return turn{}, true
		}
		s.seal.close()
		s.asks = askSaved
	case askForget:
		s.asks = askCare
	case askCare:
		s.asks = askSaved
	case askSaved:
		s.asks = askHow
		if s.came == cameByHome && d.session != nil {
			s.came = cameLater
			t := goTo(Home)
			t.stop = true
			return t, true
		}
	case askPlanFile:
		s.asks = askHow
	}
	s.err, s.working = nil, words.Text{}
	return turn{stop: true}, true
}

func (s *welcomeStep) done(d *data, result any) turn {
	s.working = words.Text{}
	switch r := result.(type) {
	case savedRead:
		s.saved, s.conns, s.open, s.domains = savedClear, r.conns, r.open, r.domains
		if r.needs {
			s.saved = savedSealed
		}
		if r.err != nil {
			s.err = r.err
		}
		if s.asks == askSaved && len(s.conns) == 0 {
			s.asks = askHow
		}
		if s.came != cameFirst {
			return turn{}
		}
		s.came = cameLater
		if d.o.Home && s.err == nil && s.saved == savedClear && len(s.conns) > 0 && len(s.domains[s.conns[0].Tenant]) > 0 {
			// A returning administrator finds the domains of the connection used last.
			return s.reopen(d, s.conns[0])
		}
	case planRead:
		if r.err != nil {
			s.err = r.err
			return turn{}
		}
		d.file = r.plan
		d.target.Tenant = r.plan.Tenant()
		for _, c := range s.conns {
			if c.Tenant == r.plan.Tenant() {
				return s.unlocked(d, func() turn { return s.reopen(d, c) })
			}
		}
		d.forgetSession()
		return goTo(SignIn)
	case reopened:
		if r.err != nil {
			return s.notOpened(d, r)
		}
		d.forgetSession()
		d.session, d.saved = r.session, true
		d.account = consent.Account{UPN: r.session.Connection().Account, Tenant: r.session.Connection().Tenant}
		if r.resume > 0 {
			d.domain = r.planned.Plan.Domain()
			d.planned, d.review, d.resume = r.planned, review.New(r.planned.Plan), r.resume
			return goTo(Confirm)
		}
		if d.o.Home && d.file == nil && len(s.domains[d.account.Tenant]) > 0 {
			return goTo(Home)
		}
		return goTo(Permissions)
	case unlocked, forgotten, certified:
		return s.cared(d, result)
	}
	return turn{}
}

// forgetSession closes what is open and drops what belongs to its tenant.
func (d *data) forgetSession() {
	closeSession(d.session)
	d.session, d.saved, d.grants, d.domain = nil, false, nil, ""
	d.forgetPlan()
}

// forgetPlan drops what a dry run made.
func (d *data) forgetPlan() {
	d.planned, d.review, d.report, d.err, d.resume = nil, nil, nil, nil, 0
}
