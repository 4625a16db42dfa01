package flow

import (
	"context"
	"time"

	"github.com/hacsync/hacsync/sync/consent"
	"github.com/hacsync/hacsync/tui/words"
)

// grantStep asks who acts: the signed-in user, until the program ends, or a dedicated
// application, which periodic sync needs.
type grantStep struct {
	asks   grantAsk
	script granted
	app    application
}

type grantAsk uint8

const (
	grantWho grantAsk = iota
	grantScript
	grantApp
)

func (s *grantStep) enter(d *data, back bool) turn {
	if back && s.asks == grantApp && s.app.ded != nil {
		return turn{}
	}
	s.asks = grantWho
	if d.session.Connection().Acts() {
		return s.application(d)
	}
	return s.script.begin(d)
}

// application goes to the dedicated application of the connection.
func (s *grantStep) application(d *data) turn {
	s.asks = grantApp
	session, c := d.session, d.session.Connection()
	s.app = application{
		open:     func(context.Context) (consent.Dedicated, error) { return session.Dedicated(), nil },
		granting: session.ForGranting,
		tenant:   c.Tenant, title: c.TenantName, name: c.Name,
	}
	s.app.ask.named("")
	return s.app.begin(d)
}

func (s *grantStep) view(d *data, now time.Time) View {
	v := View{Title: words.T("flow.grant.title_who"), Status: words.T("flow.grant.status_who")}
	switch s.asks {
	case grantApp:
		s.app.view(d, &v)
		return v
	case grantScript:
		s.script.view(d, &v)
		return v
	case grantWho:
	}
	if !s.script.working.IsZero() {
		v.wait(s.script.working)
		return v
	}
	if s.script.err != nil {
		v.Blocks = append(v.Blocks, words.Trouble{Err: s.script.err})
	}
	v.Blocks = append(v.Blocks, words.Para{Text: words.T("flow.grant.who_what")})
	need := needed(d.grants)
	switch {
	case d.grants == nil:
	case len(need) > 0:
		v.Blocks = append(v.Blocks, words.Checks{{Mark: words.Warn, Text: words.T("flow.grant.needed", "names", words.Names(need)), Detail: []words.Text{words.T("flow.grant.needed_remedy")}}})
	case len(later(d.grants)) > 0:
		v.Blocks = append(v.Blocks, words.Checks{{Mark: words.OK, Text: words.T("flow.grant.enough", "names", later(d.grants))}})
	default:
		v.Blocks = append(v.Blocks, words.Checks{{Mark: words.OK, Text: words.T("flow.grant.all")}})
	}
	person := words.T("flow.grant.person_note")
	if d.saved {
		person = words.T("flow.grant.person_saved_note")
	}
	v.Ask = Question{Kind: Choice, Text: words.T("flow.grant.who_ask"), Preset: "go", Options: []Option{
		{Key: "go", Text: words.T("flow.grant.person", "account", d.account.UPN), Note: person},
		{Key: "dedicated", Text: words.T("flow.grant.dedicated"), Note: words.T("flow.grant.dedicated_note")},
		{Key: "script", Text: words.T("flow.grant.by_script"), Note: words.T("flow.grant.by_script_note")},
	}}
	if len(need) > 0 {
		v.Ask.Preset = "script"
	}
	v.Commands = []Command{command("once", "r", "again", words.T("flow.check_again"))}
	return v
}

func (s *grantStep) answer(d *data, a Answer) turn {
	switch s.asks {
	case grantApp:
		t, over := s.app.answer(d, a)
		if !over {
			return t
		}
		stop := t.stop
		t = s.on(d)
		t.stop = stop
		if s.app.verified() {
			t.say = append(t.say, words.T("flow.app.acts", "name", s.app.app.Name))
		}
		return t
	case grantScript:
		t, over := s.script.answer(d, a)
		if over {
			return s.on(d)
		}
		return t
	case grantWho:
	}
	if a.Command == "once" {
		return s.script.once(d)
	}
	if a.Command != "" {
		return stayed(words.T("flow.not_a_command"))
	}
	switch a.Text {
	case "go":
		return s.on(d)
	case "dedicated":
		t := s.application(d)
		t.stop = true
		return t
	case "script":
		s.asks = grantScript
		return turn{}
	}
	return turn{}
}

// on goes to the source, where what a dry run needs is there: an application
// that acts has it.
func (s *grantStep) on(d *data) turn {
	if names := missing(d.grants, consent.ForDryRun); len(names) > 0 && !d.acts() {
		return stayed(words.T("flow.permissions.missing", "names", words.Names(names)))
	}
	return goTo(Source)
}

// acts reports whether the dedicated application acts for the connection.
func (d *data) acts() bool { return d.session != nil && d.session.Connection().Acts() }

func (s *grantStep) inner() bool { return s.asks != grantWho }

func (s *grantStep) running() bool { return s.asks == grantApp && s.app.giving() }

func (s *grantStep) back(d *data) (turn, bool) {
	switch s.asks {
	case grantApp:
		if t, ok := s.app.back(); ok {
			return t, true
		}
		if d.acts() {
			return turn{}, false // there is nothing to choose any more
		}
		s.asks = grantWho
		t := s.script.begin(d)
		t.stop = true
		return t, true
	case grantScript:
		if s.script.back() {
			return turn{}, true
		}
		s.asks = grantWho
		return turn{}, true
	case grantWho:
	}
	return turn{}, false
}

func (s *grantStep) event(d *data, e any, _ time.Time) {
	s.script.event(d, e)
	s.app.event(d, e)
}

func (s *grantStep) done(d *data, result any) turn {
	if s.asks == grantApp {
		return s.app.done(d, result)
	}
	return s.script.done(d, result)
}
