package flow

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/hacsync/hacsync/sync/consent"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/run"
)

// welcome asks how to begin: a new tenant, saved data, a plan file.
type welcome struct {
	asks   welcomeAsk
	loaded bool
	conns  []consent.Connection
	open   []Unfinished
	path   string
	work   Text
	err    error
}

type welcomeAsk uint8

const (
	askHow welcomeAsk = iota
	askSaved
	askPlanFile
)

type (
	savedRead struct {
		conns []consent.Connection
		open  []Unfinished
		err   error
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

func (r reopened) discard() { closeSession(r.session) }

func (s *welcome) enter(d *data, back bool) turn {
	s.asks, s.err = askHow, nil
	d.file = nil
	s.work = T("flow.welcome.reading")
	b := d.b
	return does(effect(func(ctx context.Context, _ Reporter) any {
		c, err := b.Connections(ctx)
		if err != nil {
			return savedRead{err: err}
		}
		open, err := b.Unfinished(ctx)
		return savedRead{c, open, err}
	}))
}

func (s *welcome) view(d *data, now time.Time) View {
	v := View{Title: T("flow.welcome.title"), Status: T("flow.welcome.status")}
	if !s.work.IsZero() {
		v.Working = s.work
		v.Ask = Question{Kind: Wait, Optional: true}
		return v
	}
	if s.err != nil {
		v.Blocks = append(v.Blocks, Trouble{s.err})
	}
	switch s.asks {
	case askSaved:
		v.Title = T("word.saved-data")
		v.Ask = Question{Kind: Choice, Text: T("flow.welcome.which"), Preset: "1"}
		for i, c := range s.conns {
			v.Ask.Options = append(v.Ask.Options, Option{
				Key:  strconv.Itoa(i + 1),
				Text: Raw(c.TenantName + " (" + c.Initial + ")"),
				Note: lastUsed(c),
			})
		}
		return v
	case askPlanFile:
		v.Title = T("flow.welcome.open")
		v.Ask = Question{Kind: Path, Text: T("flow.welcome.path"), Preset: s.path}
		return v
	}
	if s.loaded {
		v.Ask = Question{Kind: Choice, Text: T("flow.choose"), Preset: "add", Options: []Option{
			{Key: "add", Text: T("flow.welcome.add"), Note: T("flow.welcome.add_note")},
		}}
		note := T("flow.welcome.saved_none")
		if n := len(s.conns); n > 0 {
			note = T("flow.welcome.saved_note", "n", n)
		}
		v.Ask.Options = append(v.Ask.Options,
			Option{Key: "saved", Text: T("word.saved-data"), Note: note},
			Option{Key: "open", Text: T("flow.welcome.open"), Note: T("flow.welcome.open_note")})
		for i, u := range s.open {
			key := resumeKey + strconv.FormatInt(u.Run, 10)
			if i == 0 {
				v.Ask.Preset = key
			}
			v.Ask.Options = slices.Insert(v.Ask.Options, i, Option{
				Key:  key,
				Text: T("flow.welcome.resume", "domain", u.Domain),
				Note: T("flow.welcome.resume_note", "run", int(u.Run), "started", Moment(u.Started)),
			})
		}
	}
	v.Blocks = append([]Piece{
		Para{T("flow.welcome.what")},
		Para{T("flow.welcome.promise")},
	}, v.Blocks...)
	if d.b.Demo() != nil {
		v.Blocks = append(v.Blocks, Para{T("flow.welcome.demo")})
	} else {
		v.Blocks = append(
			v.Blocks, Heading{T("flow.welcome.ready")},
			Para{T("flow.welcome.ready_admin")}, Para{T("flow.welcome.ready_source")}, Para{T("flow.welcome.ready_count")},
			Para{T("flow.welcome.try_demo")},
		)
	}
	v.Blocks = append(v.Blocks, Para{T("flow.welcome.independent")})
	return v
}

func lastUsed(c consent.Connection) Text {
	if c.LastUsed.IsZero() {
		return Raw(c.Account)
	}
	return T("flow.welcome.connection", "account", c.Account, "used", Moment(c.LastUsed))
}

func (s *welcome) answer(d *data, a Answer) turn {
	s.err = nil
	switch s.asks {
	case askSaved:
		i, ok := number(a.Text)
		if !ok || i < 1 || i > len(s.conns) {
			return stayed(T("flow.not_a_choice"))
		}
		return s.reopen(d, s.conns[i-1])
	case askPlanFile:
		s.path = filePath(a.Text, d.o.Windows)
		if s.path == "" {
			return stayed(T("flow.welcome.path_empty"))
		}
		s.work = T("flow.welcome.opening", "file", s.path)
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
			return s.takeUp(d, u)
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
			return stayed(T("flow.welcome.saved_nothing"))
		}
		s.asks = askSaved
		return turn{}
	case "open":
		s.asks = askPlanFile
		return turn{}
	}
	return stayed(T("flow.not_a_choice"))
}

func (s *welcome) reopen(d *data, c consent.Connection) turn {
	s.work = T("flow.welcome.reopening", "tenant", c.TenantName)
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
func (s *welcome) takeUp(d *data, u Unfinished) turn {
	s.work = T("flow.welcome.taking_up", "domain", u.Domain)
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

func (s *welcome) inner() bool { return s.asks != askHow }

func (s *welcome) back(d *data) (turn, bool) {
	if s.asks == askHow {
		return turn{}, false
	}
	s.asks, s.err, s.work = askHow, nil, Text{}
	return turn{stop: true}, true
}

func (s *welcome) event(*data, any, time.Time) {}

func (s *welcome) done(d *data, result any) turn {
	s.work = Text{}
	switch r := result.(type) {
	case savedRead:
		s.loaded, s.conns, s.open, s.err = true, r.conns, r.open, r.err
	case planRead:
		if r.err != nil {
			s.err = r.err
			return turn{}
		}
		d.file = r.plan
		d.target.Tenant = r.plan.Tenant()
		for _, c := range s.conns {
			if c.Tenant == r.plan.Tenant() {
				return s.reopen(d, c)
			}
		}
		d.forgetSession()
		return goTo(SignIn)
	case reopened:
		if r.err != nil {
			// Nothing is lost: signing in again renews what is saved.
			for _, c := range s.conns {
				if c.Name == r.name {
					d.target = Target{Tenant: c.Tenant, Client: c.Client, Connection: c.Name}
				}
			}
			s.err, s.asks = r.err, askHow
			d.forgetSession()
			if r.resume > 0 {
				return turn{} // the words say what became of the run
			}
			return stayed(T("flow.welcome.sign_in_again"))
		}
		d.forgetSession()
		d.session, d.saved = r.session, true
		d.account = consent.Account{UPN: r.session.Connection().Account, Tenant: r.session.Connection().Tenant}
		if r.resume > 0 {
			d.domain = r.planned.Plan.Domain()
			d.planned, d.review, d.resume = r.planned, newReviewed(r.planned.Plan), r.resume
			return goTo(Confirm)
		}
		return goTo(Permissions)
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
