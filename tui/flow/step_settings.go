package flow

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/hacsync/hacsync/sync/consent"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/run"
)

// settingUp is Provisioning Settings: every setting of a domain, the rows that
// are left out always, and the certificate of the dedicated application.
type settingUp struct {
	asks      settingAsk
	working   Text
	err       error
	settings  run.Settings
	decisions []plan.Decision
	key       string
	typed     string
}

type settingAsk uint8

const (
	askSetting settingAsk = iota
	askValue
	askTakeBack
	askRenew
)

type (
	settingsRead struct {
		settings  run.Settings
		decisions []plan.Decision
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

func (s *settingUp) enter(d *data, back bool) turn {
	s.asks, s.err = askSetting, nil
	return s.read(d)
}

func (s *settingUp) read(d *data) turn {
	s.working = T("home.settings_reading")
	engine, domain := d.engine(), d.domain
	return does(effect(func(ctx context.Context, r Reporter) any {
		e := engine(r)
		settings, err := e.Settings(ctx, domain)
		if err != nil {
			return settingsRead{err: err}
		}
		decisions, err := e.Decisions(ctx, domain)
		return settingsRead{settings, decisions, err}
	}))
}

func (s *settingUp) view(d *data, now time.Time) View {
	v := View{Title: T("home.settings_title", "domain", d.domain), Status: T("home.settings_status")}
	if !s.working.IsZero() {
		v.Working = s.working
		v.Ask = Question{Kind: Wait, Optional: true}
		return v
	}
	if s.err != nil {
		v.Blocks = append(v.Blocks, Trouble{Err: s.err})
	}
	pairs := s.settings.Pairs()
	switch s.asks {
	case askValue:
		v.Title = T("home.setting_title", "key", s.key)
		v.Blocks = append(v.Blocks, Para{T("setting." + settingWord(s.key))})
		v.Ask = Question{Kind: Line, Text: T("home.setting_ask", "takes", takes(s.key)), Preset: firstOf(s.typed, pairs[s.key]), Optional: true}
		return v
	case askTakeBack:
		v.Title = T("home.left_title")
		v.Ask = Question{Kind: Choice, Text: T("home.left_ask"), Preset: "keep", Options: []Option{{Key: "keep", Text: T("home.left_keep")}}}
		for _, one := range s.decisions {
			v.Ask.Options = append(v.Ask.Options, Option{
				Key: string(one.ID), Text: Raw(one.UPN),
				Note: T("home.left_note", "by", one.By, "at", Day(one.At), "why", one.Why),
			})
		}
		return v
	case askRenew:
		c := d.session.Connection()
		v.Title = T("home.renew_title", "app", c.Application.Name)
		v.Blocks = append(v.Blocks, Para{T("home.renew_what", "ends", Day(c.Application.Ends))})
		v.Ask = Question{Kind: Choice, Text: T("flow.choose"), Preset: "renew", Options: []Option{
			{Key: "renew", Text: T("home.renew_yes"), Note: T("home.renew_note")}, {Key: "keep", Text: T("home.renew_no")},
		}}
		return v
	case askSetting:
	}
	v.Ask = Question{Kind: Choice, Text: T("home.settings_ask"), Enter: T("home.enter_change"), Head: []Text{T("home.s_setting"), T("home.s_value")}}
	for _, k := range slices.Sorted(maps.Keys(pairs)) {
		value := Raw(pairs[k])
		if pairs[k] == "" {
			value = T("home.unknown")
		}
		v.Ask.Options = append(v.Ask.Options, Option{
			Key: k, Text: Raw(k), Cells: []Text{Raw(k), value},
			Detail: []Piece{Heading{Raw(k)}, Para{T("setting." + settingWord(k))}},
		})
	}
	v.Ask.Preset = run.KeyMaxAllowedDeletions
	if n := len(s.decisions); n > 0 {
		v.Commands = append(v.Commands, Command{Name: "left", Key: "z", Word: "left", Help: T("home.cmd_left", "n", n)})
	}
	if c := d.session.Connection(); c.Application != nil && c.Application.ID != "" {
		v.Blocks = append(v.Blocks, Para{T("home.certificate", "app", c.Application.Name, "ends", Day(c.Application.Ends))})
		v.Commands = append(v.Commands, Command{Name: "renew", Key: "n", Word: "renew", Help: T("home.cmd_renew")})
	}
	v.Commands = append(v.Commands, Command{Name: "again", Key: "r", Word: "again", Help: T("flow.check_again")})
	return v
}

// takes is what a setting takes: in words where it is no choice of a few.
func takes(key string) Text {
	switch key {
	case run.KeySource, run.KeyMaxAllowedDeletions, run.KeyMaxDeletions, run.KeyMaxSignInChanges, run.KeyShrinkShare, run.KeyProtected:
		return T("setting_takes." + key)
	}
	return Raw(run.Takes(key))
}

// settingWord is a key's place in the catalogue; mapped columns share one.
func settingWord(key string) string {
	if strings.HasPrefix(key, "map.") {
		return "map"
	}
	return key
}

func (s *settingUp) answer(d *data, a Answer) turn {
	s.err = nil
	switch a.Command {
	case "again":
		return s.read(d)
	case "left":
		if len(s.decisions) == 0 {
			return stayed(T("home.left_none"))
		}
		s.asks = askTakeBack
		return turn{}
	case "renew":
		if c := d.session.Connection(); c.Application == nil || c.Application.ID == "" {
			return stayed(T("flow.not_a_command"))
		}
		s.asks = askRenew
		return turn{}
	case "":
	default:
		return stayed(T("flow.not_a_command"))
	}
	switch s.asks {
	case askValue:
		s.typed, s.working = a.Text, T("home.settings_keeping")
		return does(keepSettings(d, map[string]string{s.key: strings.TrimSpace(a.Text)}))
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
		return stayed(T("flow.not_a_choice"))
	case askSetting:
	}
	keys := slices.Sorted(maps.Keys(s.settings.Pairs()))
	if n, ok := number(a.Text); ok && n >= 1 && n <= len(keys) {
		a.Text = keys[n-1]
	}
	if !slices.Contains(keys, a.Text) {
		return stayed(T("flow.not_a_choice"))
	}
	s.key, s.typed, s.asks = a.Text, "", askValue
	return turn{}
}

func (s *settingUp) takeBack(d *data, id string) turn {
	if id == "keep" {
		s.asks = askSetting
		return turn{}
	}
	i := slices.IndexFunc(s.decisions, func(one plan.Decision) bool { return string(one.ID) == id })
	if i < 0 {
		return stayed(T("flow.not_a_choice"))
	}
	s.working = T("home.settings_keeping")
	engine, domain, one := d.engine(), d.domain, s.decisions[i]
	return does(effect(func(ctx context.Context, r Reporter) any {
		e := engine(r)
		if err := e.TakeBack(ctx, domain, one); err != nil {
			return takenBack{err: err}
		}
		left, err := e.Decisions(ctx, domain)
		return takenBack{left, err}
	}))
}

func (s *settingUp) renew(d *data) turn {
	s.working = T("home.renewing", "app", d.session.Connection().Application.Name)
	dedicated := d.session.Dedicated()
	e := effect(func(ctx context.Context, _ Reporter) any {
		app, err := dedicated.Renew(ctx)
		return certificateRenewed{app, err}
	})
	e.Writes = true
	return does(e)
}

func (s *settingUp) inner() bool { return s.asks != askSetting }

func (s *settingUp) back(*data) (turn, bool) {
	was := s.asks != askSetting
	s.asks, s.err = askSetting, nil
	return turn{}, was
}

func (s *settingUp) event(*data, any, time.Time) {}

func (s *settingUp) done(d *data, result any) turn {
	s.working = Text{}
	switch r := result.(type) {
	case settingsRead:
		if s.err = r.err; r.err == nil {
			s.settings, s.decisions = r.settings, r.decisions
			d.settings = r.settings
		}
	case settingsKept:
		if s.err = r.err; r.err == nil {
			s.settings, d.settings, s.asks, s.typed = r.settings, r.settings, askSetting, ""
			return stayed(T("home.setting_kept", "key", s.key, "value", s.settings.Pairs()[s.key]))
		}
	case takenBack:
		if s.err = r.err; r.err == nil {
			s.decisions, s.asks = r.decisions, askSetting
			return stayed(T("home.left_taken_back"))
		}
	case certificateRenewed:
		s.asks = askSetting
		if s.err = r.err; r.err == nil {
			return stayed(T("home.renewed", "ends", Day(r.app.Ends)))
		}
	}
	return turn{}
}
