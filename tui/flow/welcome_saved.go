package flow

import (
	"context"
	"strconv"

	"github.com/hacsync/hacsync/sync/consent"
	"github.com/hacsync/hacsync/sync/input"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/tui/words"
)

// viewSaved lists the saved connections, and what can be done with one.
func (s *welcomeStep) viewSaved(v *View) {
	v.Title = words.T("word.saved-data")
	switch s.asks {
	case askUnlock:
		s.seal.view(v)
		v.Status = words.T("flow.passphrase.status")
		return
	case askCare:
		v.Title = words.T("flow.saved.title", "tenant", s.of.TenantName)
		v.Blocks = append(v.Blocks, s.facts(s.of))
		v.Ask = Question{Kind: Choice, Text: words.T("flow.choose"), Preset: "renew", Options: []Option{
			{Key: "renew", Text: words.T("flow.saved.renew"), Note: words.T("flow.saved.renew_note")},
		}}
		if s.of.Acts() {
			v.Ask.Options = append(v.Ask.Options, Option{Key: "certificate", Text: words.T("flow.saved.certificate"), Note: words.T("flow.saved.certificate_note")})
			v.Ask.Preset = "certificate"
		}
		v.Ask.Options = append(v.Ask.Options,
			Option{Key: "forget", Text: words.T("flow.saved.forget"), Note: words.T("flow.saved.forget_note")},
			Option{Key: "list", Text: words.T("flow.saved.list")})
		return
	case askForget:
		v.Title = words.T("flow.saved.forget_title", "tenant", s.of.TenantName)
		removed := words.Checks{{Mark: words.Stops, Text: words.T("flow.saved.gone_signin"), Detail: []words.Text{words.T("flow.saved.gone_signin_detail")}}}
		if s.of.Application != nil {
			removed = append(removed, words.Check{Mark: words.Stops, Text: words.T("flow.saved.gone_key", "name", s.of.Application.Name), Detail: []words.Text{words.T("flow.saved.gone_key_detail")}})
		}
		removed = append(removed, words.Check{Mark: words.Stops, Text: words.T("flow.saved.gone_secrets")})
		v.Blocks = append(v.Blocks,
			words.Heading{Text: words.T("flow.saved.removed")}, removed,
			words.Heading{Text: words.T("flow.saved.stays")}, words.Checks{{Mark: words.OK, Text: words.T("flow.saved.stays_state")}, {Mark: words.OK, Text: words.T("flow.saved.stays_tenant")}})
		v.Ask = Question{Kind: Choice, Text: words.T("flow.saved.forget_ask"), Preset: "keep", Options: []Option{
			{Key: "forget", Text: words.T("flow.saved.forget")},
			{Key: "keep", Text: words.T("flow.saved.keep")},
		}}
		return
	case askHow, askSaved, askPlanFile:
	}
	v.Ask = Question{Kind: Choice, Text: words.T("flow.welcome.which"), Preset: "1"}
	for i, c := range s.conns {
		v.Ask.Options = append(v.Ask.Options, Option{
			Key: strconv.Itoa(i + 1), Text: words.Raw(c.TenantName + " (" + c.Initial + ")"), Note: s.summary(c),
		})
	}
	v.Commands = []Command{command("care", "e", "edit", words.T("flow.saved.cmd")).ofOption(words.T("flow.arg_no"))}
}

// summary is a connection in one line: who acts, for which domains, when last.
func (s *welcomeStep) summary(c consent.Connection) words.Text {
	list := words.Texts{whoActs(c)}
	if names := s.domains[c.Tenant]; len(names) > 0 {
		list = append(list, words.T("flow.saved.domains", "names", words.Names(names)))
	}
	if !c.LastUsed.IsZero() {
		list = append(list, words.T("flow.saved.used", "at", words.Day(c.LastUsed)))
	}
	return words.Is(list)
}

func whoActs(c consent.Connection) words.Text {
	if c.Acts() {
		return words.T("flow.saved.application", "name", c.Application.Name)
	}
	return words.Raw(c.Account)
}

func (s *welcomeStep) facts(c consent.Connection) words.Facts {
	facts := words.Facts{
		{Label: words.T("word.tenant"), Value: words.Raw(c.TenantName + " (" + c.Initial + ")")},
		{Label: words.T("flow.saved.f_who"), Value: whoActs(c)},
	}
	if names := s.domains[c.Tenant]; len(names) > 0 {
		facts = append(facts, words.Fact{Label: words.T("flow.saved.f_domains"), Value: words.Is(words.Names(names))})
	}
	if a := c.Application; a != nil && !a.Ends.IsZero() {
		facts = append(facts, words.Fact{Label: words.T("flow.saved.f_certificate"), Value: words.T("flow.saved.ends", "at", words.Day(a.Ends))})
	}
	if !c.LastUsed.IsZero() {
		facts = append(facts, words.Fact{Label: words.T("flow.saved.f_used"), Value: words.Is(words.Moment(c.LastUsed))})
	}
	return facts
}

func (s *welcomeStep) answerSaved(d *data, a Answer) turn {
	switch s.asks {
	case askUnlock:
		return s.seal.answer(d, a)
	case askCare:
		switch a.Text {
		case "renew":
			s.target(d, s.of)
			d.forgetSession()
			return goTo(SignIn)
		case "certificate":
			if s.of.Acts() {
				return s.unlocked(d, func() turn { return s.renew(d) })
			}
		case "forget":
			s.asks = askForget
			return turn{}
		case "list":
			s.asks = askSaved
			return turn{}
		}
		return turn{}
	case askForget:
		switch a.Text {
		case "forget":
			return s.forget(d)
		case "keep":
			s.asks = askSaved
			return turn{}
		}
		return turn{}
	case askHow, askSaved, askPlanFile:
	}
	i, ok := input.Number(a.Text)
	if !ok || i < 1 || i > len(s.conns) {
		return turn{}
	}
	s.of = s.conns[i-1]
	switch a.Command {
	case "care":
		s.asks = askCare
		return turn{}
	case "":
		return s.unlocked(d, func() turn { return s.reopen(d, s.of) })
	}
	return stayed(words.T("flow.not_a_command"))
}

// unlocked does what opens saved data, after the passphrase where one is needed.
func (s *welcomeStep) unlocked(_ *data, then func() turn) turn {
	if s.saved != savedSealed {
		return then()
	}
	s.asks, s.then = askUnlock, then
	s.seal.begin(false, nil)
	return turn{}
}

// target is a sign-in that renews a connection.
func (s *welcomeStep) target(d *data, c consent.Connection) {
	d.target = Target{Tenant: c.Tenant, Client: c.Client, Connection: c.Name}
	if !c.Simulated() {
		d.target.Cloud = c.Cloud
	}
}

func (s *welcomeStep) forget(d *data) turn {
	s.working = words.T("flow.saved.forgetting", "tenant", s.of.TenantName)
	b, name := d.b, s.of.Name
	// What is open of it would be saved again.
	if d.session != nil && d.session.Connection().Name == name {
		d.forgetSession()
	}
	return does(effect(func(ctx context.Context, _ Reporter) any { return forgotten{name, b.Forget(ctx, name)} }))
}

// renew makes a new certificate for the application of a connection.
func (s *welcomeStep) renew(d *data) turn {
	s.asks, s.working = askCare, words.T("flow.saved.renewing", "name", s.of.Application.Name)
	b, name := d.b, s.of.Name
	e := effect(func(ctx context.Context, _ Reporter) any {
		session, err := b.Reopen(ctx, name)
		if err != nil {
			return certified{err: err}
		}
		defer closeSession(session)
		app, err := session.Dedicated().Renew(ctx)
		return certified{app, err}
	})
	e.Writes = true
	return does(e)
}

// cared takes what became of a passphrase, a renewal, or forgetting.
func (s *welcomeStep) cared(d *data, result any) turn {
	switch r := result.(type) {
	case unlocked:
		if s.seal.done(r) {
			s.saved, s.asks = savedClear, askSaved
			return s.then()
		}
	case forgotten:
		if r.err != nil {
			s.err = r.err
			return turn{}
		}
		s.asks = askSaved
		t := s.read(d)
		t.say = []words.Text{words.T("flow.saved.forgotten", "tenant", s.of.TenantName)}
		return t
	case certified:
		if r.err != nil {
			s.err = r.err
			return turn{}
		}
		s.asks = askSaved
		t := s.read(d)
		t.say = []words.Text{words.T("flow.saved.renewed", "name", r.app.Name, "at", words.Day(r.app.Ends))}
		return t
	}
	return turn{}
}

// notOpened says why saved data did not open. A sign-in that has ended is renewed
// by signing in again; what another key has sealed is left as it is.
func (s *welcomeStep) notOpened(d *data, r reopened) turn {
	s.err, s.asks = r.err, askHow
	d.forgetSession()
	d.target = d.o.Target
	if sealedAway(r.err) {
		s.asks = askSaved
		return stayed(words.T("flow.saved.left"))
	}
	for _, c := range s.conns {
		if c.Name == r.name {
			s.target(d, c)
		}
	}
	if r.resume > 0 {
		return turn{} // the words say what became of the run
	}
	return stayed(words.T("flow.welcome.sign_in_again"))
}

// sealedAway reports whether saved data is there and its key is not.
func sealedAway(err error) bool {
	return problem.Has(err, problem.SealedElsewhere, problem.SealedNewer, problem.SealedDamaged, problem.KeyringAbsent, problem.KeyringSilent, problem.KeyringRefused, problem.KeyringEmpty,
		problem.PassphraseWrong, problem.IdentityMissing, problem.IdentityUnreadable, problem.IdentityExposed, problem.IdentityInvalid)
}
