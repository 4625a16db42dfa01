package flow

import (
	"context"
	"slices"
	"time"

	"github.com/hacsync/hacsync/sync/consent"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/run"
	"github.com/hacsync/hacsync/tui/words"
)

// settingsStep is Provisioning Settings: every setting of a domain, the rows that
// are left out always, and the certificate of the dedicated application.
type settingsStep struct {
	asks settingAsk
	base
	settings  run.Settings
	decisions []plan.Decision
	latest    run.HomeDomain // the latest dry run of the domain is in it
	key       string         // the setting that is selected, or changed
	typed     string
	next      run.Settings // what the typed value makes of them
}

type settingAsk uint8

const (
	askSetting settingAsk = iota
	askValue
	askMore // more would happen unattended: is it meant?
	askTakeBack
	askRenew
)

type (
	settingsRead struct {
		settings  run.Settings
		decisions []plan.Decision
		latest    run.HomeDomain
		err       error
	}
	certificateRenewed struct {
		app consent.Application
		err error
	}
	takenBack struct {
		decisions []plan.Decision
		err       error
	}
)

func (s *settingsStep) enter(d *data, back bool) turn {
	s.asks, s.err = askSetting, nil
	if !back {
		s.key, d.setting = d.setting, ""
	}
	return s.read(d)
}

func (s *settingsStep) read(d *data) turn {
	s.working = words.T("home.settings_reading")
	engine, domain := d.engine(), d.domain
	return does(effect(func(ctx context.Context, r Reporter) any {
		e := engine(r)
		settings, err := e.Settings(ctx, domain)
		if err != nil {
			return settingsRead{err: err}
		}
		decisions, err := e.Decisions(ctx, domain)
		if err != nil {
			return settingsRead{err: err}
		}
		out := settingsRead{settings: settings, decisions: lasting(decisions)}
		// Without it a change is only told without its number.
		if h, err := e.Home(ctx); err == nil {
			if i := slices.IndexFunc(h.Domains, func(x run.HomeDomain) bool { return x.Name == domain }); i >= 0 {
				out.latest = h.Domains[i]
			}
		}
		return out
	}))
}

func (s *settingsStep) view(d *data, now time.Time) View {
	v := View{Title: words.T("home.settings_title", "domain", d.domain), Status: words.T("home.settings_status")}
	if s.waits(&v) {
		return v
	}
	if s.err != nil {
		v.Blocks = append(v.Blocks, words.Trouble{Err: s.err})
	}
	switch s.asks {
	case askValue:
		s.viewValue(&v)
		return v
	case askMore:
		s.viewMore(&v)
		return v
	case askTakeBack:
		v.Title = words.T("home.left_title")
		v.Ask = Question{Kind: Choice, Text: words.T("home.left_ask"), Preset: "keep", Options: []Option{{Key: "keep", Text: words.T("home.left_keep")}}}
		for _, one := range s.decisions {
			v.Ask.Options = append(v.Ask.Options, Option{
				Key: string(one.ID), Text: words.Raw(one.UPN),
				Note: words.T("home.left_note", "by", one.By, "at", words.Day(one.At), "why", one.Why),
			})
		}
		return v
	case askRenew:
		c := d.session.Connection()
		v.Title = words.T("home.renew_title", "app", c.Application.Name)
		v.Blocks = append(v.Blocks, words.Para{Text: words.T("home.renew_what", "ends", words.Day(c.Application.Ends))})
		v.Ask = Question{Kind: Choice, Text: words.T("flow.choose"), Preset: "renew", Options: []Option{
			{Key: "renew", Text: words.T("home.renew_yes"), Note: words.T("home.renew_note")}, {Key: "keep", Text: words.T("home.renew_no")},
		}}
		return v
	case askSetting:
	}
	s.viewList(&v)
	if n := len(s.decisions); n > 0 {
		v.Commands = append(v.Commands, command("left", "z", "left", words.T("home.cmd_left", "n", n)))
	}
	if c := d.session.Connection(); c.Application != nil && c.Application.ID != "" {
		v.Blocks = append(v.Blocks, words.Para{Text: words.T("home.certificate", "app", c.Application.Name, "ends", words.Day(c.Application.Ends))})
		v.Commands = append(v.Commands, command("renew", "n", "renew", words.T("home.cmd_renew")))
	}
	v.Commands = append(v.Commands, checkAgain())
	return v
}

func (s *settingsStep) answer(d *data, a Answer) turn {
	s.err = nil
	switch a.Command {
	case "again":
		return s.read(d)
	case "preset":
		s.key = a.Text
		return s.change(d, "")
	case "left":
		if len(s.decisions) == 0 {
			return stayed(words.T("home.left_none"))
		}
		s.asks = askTakeBack
		return turn{}
	case "renew":
		if c := d.session.Connection(); c.Application == nil || c.Application.ID == "" {
			return stayed(words.T("flow.not_a_command"))
		}
		s.asks = askRenew
		return turn{}
	case "":
	default:
		return stayed(words.T("flow.not_a_command"))
	}
	switch s.asks {
	case askValue:
		return s.change(d, a.Text)
	case askMore:
		if a.Text == "yes" {
			return s.keep(d)
		}
		s.asks = askSetting
		return turn{}
	case askTakeBack:
		return s.takeBack(d, a.Text)
	case askRenew:
		switch a.Text {
		case "renew":
			return s.renew(d)
		case "keep":
			s.asks = askSetting
			return turn{}
		}
		return turn{}
	case askSetting:
	}
	if _, ok := s.settings.Pairs()[a.Text]; !ok {
		return turn{}
	}
	s.key, s.typed, s.asks = a.Text, "", askValue
	return turn{}
}

func (s *settingsStep) takeBack(d *data, id string) turn {
	if id == "keep" {
		s.asks = askSetting
		return turn{}
	}
	i := slices.IndexFunc(s.decisions, func(one plan.Decision) bool { return string(one.ID) == id })
	if i < 0 {
		return turn{}
	}
	s.working = words.T("home.settings_keeping")
	engine, domain, one := d.engine(), d.domain, s.decisions[i]
	return does(effect(func(ctx context.Context, r Reporter) any {
		e := engine(r)
		if err := e.TakeBack(ctx, domain, one); err != nil {
			return takenBack{err: err}
		}
		left, err := e.Decisions(ctx, domain)
		return takenBack{lasting(left), err}
	}))
}

func (s *settingsStep) renew(d *data) turn {
	s.working = words.T("home.renewing", "app", d.session.Connection().Application.Name)
	dedicated := d.session.Dedicated()
	e := effect(func(ctx context.Context, _ Reporter) any {
		app, err := dedicated.Renew(ctx)
		return certificateRenewed{app, err}
	})
	e.Writes = true
	return does(e)
}

func (s *settingsStep) inner() bool { return s.asks != askSetting }

func (s *settingsStep) back(*data) (turn, bool) {
	if s.asks == askMore {
		s.asks, s.err = askValue, nil
		return turn{}, true
	}
	was := s.asks != askSetting
	s.asks, s.err = askSetting, nil
	return turn{}, was
}

func (s *settingsStep) done(d *data, result any) turn {
	s.working = words.Text{}
	switch r := result.(type) {
	case settingsRead:
		if s.err = r.err; r.err == nil {
			s.settings, s.decisions, s.latest = r.settings, r.decisions, r.latest
			d.settings = r.settings
		}
	case settingsKept:
		if s.err = r.err; r.err == nil {
			s.settings, d.settings, s.asks, s.typed = r.settings, r.settings, askSetting, ""
			return stayed(words.T("home.setting_kept", "name", settingName(s.key), "key", s.key, "value", settingValue(s.key, s.settings.Pairs()[s.key], run.HomeDomain{})))
		}
		s.asks = askValue
	case takenBack:
		if s.err = r.err; r.err == nil {
			s.decisions, s.asks = r.decisions, askSetting
			return stayed(words.T("home.left_taken_back"))
		}
	case certificateRenewed:
		s.asks = askSetting
		if s.err = r.err; r.err == nil {
			return stayed(words.T("home.renewed", "ends", words.Day(r.app.Ends)))
		}
	}
	return turn{}
}
