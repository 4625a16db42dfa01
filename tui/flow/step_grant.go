package flow

import (
	"bytes"
	"context"
	"io"
	"strings"
	"time"

	"github.com/hacsync/hacsync/sync/consent"
	"github.com/hacsync/hacsync/sync/problem"
)

// granting shows the permission script and looks until what it gives is seen.
type granting struct {
	working Text
	script  []string
	whole   bool
	err     error
	looked  time.Time
	// looking: the tenant is looked at again and again.
	looking bool
	ran     bool // the demo's person has run the script
	// explaining: a red line of PowerShell is asked for; asked: one was pasted,
	// and found is what it means.
	explaining, asked bool
	found             *problem.Problem
}

type (
	scriptMade struct {
		script []byte
		err    error
	}
	fileSaved struct {
		path string
		err  error
	}
	scriptRan struct{ err error }
	// grantsSeen is noted by the look that goes on.
	grantsSeen struct{ grants []consent.Grant }
)

// scriptLines is how much of the script is shown at first.
const scriptLines = 20

// looks is how often the grants are looked for before the person is asked again:
// ten minutes, for a grant can take some minutes to be seen.
const looks = 60

func (s *granting) enter(d *data, back bool) turn {
	s.err, s.looking, s.working = nil, false, T("flow.grant.reading")
	g := d.session.Grants()
	return does(effect(func(ctx context.Context, _ Reporter) any {
		var b bytes.Buffer
		if err := g.Script(&b); err != nil {
			return scriptMade{err: err}
		}
		return scriptMade{script: b.Bytes()}
	}), lookOnce(g))
}

func lookOnce(g consent.Grants) Effect {
	return effect(func(ctx context.Context, _ Reporter) any {
		list, err := g.Check(ctx)
		return grantsRead{list, err}
	})
}

// openGrants are those that the script can still give.
func openGrants(list []consent.Grant) Names {
	var out Names
	for _, g := range list {
		if g.State == consent.Missing || g.State == consent.Later {
			out = append(out, g.Name)
		}
	}
	return out
}

// later are the grants that Sync Now asks for by itself.
func later(list []consent.Grant) Names {
	var out Names
	for _, g := range list {
		if g.State == consent.Later {
			out = append(out, g.Name)
		}
	}
	return out
}

// needed are the grants without which this dry run or sync cannot happen.
func needed(list []consent.Grant) []string {
	return append(missing(list, consent.ForDryRun), missing(list, consent.ForSync)...)
}

func (s *granting) view(d *data, now time.Time) View {
	v := View{Title: T("flow.grant.title"), Status: T("flow.grant.status")}
	if s.err != nil {
		v.Blocks = append(v.Blocks, Trouble{s.err})
	}
	if s.explaining {
		if s.asked {
			v.Blocks = append(v.Blocks, explained(s.found)...)
		}
		v.Title = T("flow.explain.title")
		v.Ask = Question{Kind: Line, Text: T("flow.explain.ask"), Optional: true}
		return v
	}
	// Where there is nothing to run, the script is shown when it is asked for.
	if s.script != nil && s.working.IsZero() && (s.whole || len(openGrants(d.grants)) > 0) {
		lines := s.script
		if !s.whole && len(lines) > scriptLines {
			lines = lines[:scriptLines]
		}
		v.Blocks = append(v.Blocks, Script{lines, len(s.script)})
	}
	if d.grants != nil {
		v.Blocks = append(v.Blocks, Heading{T("flow.grant.seen")}, grantChecks(d.grants))
	}
	if !s.working.IsZero() {
		v.Working = s.working
		v.Ask = Question{Kind: Wait, Optional: true}
		if s.looking {
			v.Commands = []Command{{Name: "enough", Key: "g", Word: "go", Help: T("flow.grant.cmd_enough")}}
		}
		return v
	}
	v.Ask = Question{Kind: Choice, Text: T("flow.grant.ask")}
	need := needed(d.grants)
	switch {
	case d.grants == nil:
	case len(need) > 0:
		v.Blocks = append(v.Blocks, Checks{{Mark: Warn, Text: T("flow.grant.needed", "names", Names(need)), Detail: []Text{T("flow.grant.needed_remedy")}}})
		v.Ask.Preset = "look"
	case len(later(d.grants)) > 0:
		v.Blocks = append(v.Blocks, Checks{{Mark: OK, Text: T("flow.grant.enough", "names", later(d.grants))}})
	case len(openGrants(d.grants)) > 0:
		v.Blocks = append(v.Blocks, Checks{{Mark: OK, Text: T("flow.grant.optional", "names", openGrants(d.grants))}})
	default:
		v.Blocks = append(v.Blocks, Checks{{Mark: OK, Text: T("flow.grant.all")}})
	}
	if len(need) == 0 {
		v.Ask.Preset = "go"
		v.Ask.Options = append(v.Ask.Options, Option{Key: "go", Text: T("word.continue"), Note: T("flow.grant.go_note")})
	}
	if len(openGrants(d.grants)) > 0 || d.grants == nil {
		if d.b.Demo() != nil && !s.ran {
			v.Ask.Options = append(v.Ask.Options, Option{Key: "run", Text: T("flow.grant.run"), Note: T("flow.grant.run_note")})
		}
		v.Ask.Options = append(v.Ask.Options, Option{Key: "look", Text: T("flow.grant.look"), Note: T("flow.grant.look_note")})
	}
	v.Ask.Options = append(v.Ask.Options, Option{Key: "save", Text: T("flow.grant.save")})
	if len(need) > 0 {
		v.Ask.Options = append(v.Ask.Options, Option{Key: "go", Text: T("flow.grant.without"), Note: T("flow.grant.without_note")})
	}
	v.Commands = []Command{
		{Name: "whole", Key: "v", Word: "script", Help: T("flow.grant.cmd_whole")},
		{Name: "save", Key: "w", Word: "save", Help: T("flow.grant.save")},
		{Name: "once", Key: "r", Word: "again", Help: T("flow.check_again")},
		{Name: "explain", Key: "x", Word: "error", Help: T("flow.grant.explain")},
	}
	return v
}

// grantChecks is the list as the tenant shows it, without the reasons.
func grantChecks(list []consent.Grant) Checks {
	var out Checks
	for _, g := range list {
		out = append(out, Check{Mark: grantMark(g), Text: T("flow.grant.line", "name", g.Name, "state", grantState(g))})
	}
	return out
}

func (s *granting) answer(d *data, a Answer) turn {
	if s.explaining {
		if strings.TrimSpace(a.Text) == "" {
			s.explaining = false
			return turn{}
		}
		s.asked, s.found = true, d.b.Explain(a.Text)
		return turn{}
	}
	key := firstOf(a.Command, a.Text)
	s.err = nil
	g := d.session.Grants()
	switch key {
	case "enough":
		s.looking, s.working = false, Text{}
		return turn{stop: true}
	case "whole":
		s.whole = true
		return turn{}
	case "explain":
		s.explaining, s.asked = true, false
		return turn{}
	case "go":
		if names := missing(d.grants, consent.ForDryRun); len(names) > 0 {
			return stayed(T("flow.permissions.missing", "names", Names(names)))
		}
		return goTo(Source)
	case "once":
		s.working = T("flow.grant.looking_once")
		return does(lookOnce(g))
	case "look":
		return s.look(d)
	case "run":
		demo := d.b.Demo()
		if demo == nil || s.ran {
			return stayed(T("flow.not_a_choice"))
		}
		s.working = T("flow.grant.running")
		return does(effect(func(ctx context.Context, _ Reporter) any { return scriptRan{demo.RunScript(ctx)} }))
	case "save":
		s.working = T("flow.grant.saving")
		b := d.b
		name := "hacsync-grant-" + fileWord(d.session.Connection().Name) + ".ps1"
		return does(effect(func(ctx context.Context, _ Reporter) any {
			path, err := b.WriteFile(ctx, name, func(w io.Writer) error { return g.Script(w) })
			return fileSaved{path, err}
		}))
	}
	return stayed(T("flow.not_a_choice"))
}

// fileWord makes a file name's part of a name: what no system refuses.
func fileWord(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '.' {
			return r
		}
		return '-'
	}, s)
}

// look looks at the tenant until nothing is missing, or for some minutes.
func (s *granting) look(d *data) turn {
	s.looking, s.working = true, T("flow.grant.looking")
	g, c, every := d.session.Grants(), d.b.Clock(), d.o.Poll
	if every <= 0 {
		every = 10 * time.Second
	}
	return does(effect(func(ctx context.Context, r Reporter) any {
		for n := 1; ; n++ {
			list, err := g.Check(ctx)
			if err != nil || len(openGrants(list)) == 0 || n == looks {
				return grantsRead{list, err}
			}
			r.Note(grantsSeen{list})
			if err := c.Sleep(ctx, every); err != nil {
				return grantsRead{list, err}
			}
		}
	}))
}

func (s *granting) inner() bool { return s.explaining }

func (s *granting) back(*data) (turn, bool) {
	was := s.explaining
	s.explaining = false
	return turn{}, was
}

func (s *granting) event(d *data, e any, _ time.Time) {
	if seen, ok := e.(grantsSeen); ok {
		d.grants, s.looked = seen.grants, d.now()
	}
}

func (s *granting) done(d *data, result any) turn {
	switch r := result.(type) {
	case scriptMade:
		if r.err != nil {
			s.err = r.err
			return turn{}
		}
		s.script = strings.Split(strings.TrimRight(strings.ReplaceAll(string(r.script), "\r\n", "\n"), "\n"), "\n")
	case grantsRead:
		s.looking, s.working = false, Text{}
		if r.err != nil {
			s.err = r.err
			return turn{}
		}
		d.grants, s.looked = r.grants, d.now()
	case fileSaved:
		s.working = Text{}
		if r.err != nil {
			s.err = r.err
			return turn{}
		}
		return stayed(T("flow.saved_to", "path", r.path))
	case scriptRan:
		s.working = Text{}
		if r.err != nil {
			s.err = r.err
			return turn{}
		}
		s.ran = true
		return s.look(d)
	}
	return turn{}
}
