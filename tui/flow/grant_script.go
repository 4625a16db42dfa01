package flow

import (
	"bytes"
	"cmp"
	"context"
	"io"
	"time"

	"github.com/hacsync/hacsync/sync/consent"
	"github.com/hacsync/hacsync/tui/words"
)

// granted shows the script that gives the signed-in user the permissions, and looks
// until they are seen.
type granted struct {
	working words.Text
	// reads are the script and the list that have not come yet.
	reads  int
	script []string
	whole  bool
	err    error
	looked time.Time
	ran    bool // the demo's person has run the script
	does   grantedDoes
	// explain is for a red line of PowerShell.
	explain explaining
}

// grantedDoes is what is shown besides the script.
type grantedDoes uint8

const (
	grantedChoose  grantedDoes = iota
	grantedLook                // the tenant is looked at again and again
	grantedExplain             // a red line is asked for
)

type (
	scriptMade struct {
		script []byte
		err    error
	}
	scriptRan struct{ err error }
	// grantsSeen is noted by the look that goes on.
	grantsSeen struct{ grants []consent.Grant }
)

func (s *granted) begin(d *data) turn {
	s.err, s.does, s.working, s.reads = nil, grantedChoose, words.T("flow.grant.reading"), 2
	g := d.session.Grants()
	return does(effect(func(ctx context.Context, _ Reporter) any {
		var b bytes.Buffer
		if err := g.Script(&b); err != nil {
			return scriptMade{err: err}
		}
		return scriptMade{script: b.Bytes()}
	}), grantsOnce(g))
}

func grantsOnce(g consent.Grants) Effect {
	return effect(func(ctx context.Context, _ Reporter) any {
		list, err := g.Check(ctx)
		return grantsRead{grants: list, err: err}
	})
}

// openGrants are those that can still be given.
func openGrants(list []consent.Grant) words.Names {
	var out words.Names
	for _, g := range list {
		if g.State == consent.Missing || g.State == consent.Later {
			out = append(out, g.Name)
		}
	}
	return out
}

// later are the grants that Sync Now asks for by itself.
func later(list []consent.Grant) words.Names {
	var out words.Names
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

func (s *granted) view(d *data, v *View) {
	v.Title, v.Status = words.T("flow.grant.title"), words.T("flow.grant.status")
	if s.err != nil {
		v.Blocks = append(v.Blocks, words.Trouble{Err: s.err})
	}
	if s.does == grantedExplain {
		s.explain.view(v)
		return
	}
	if s.script != nil && s.working.IsZero() {
		first := scriptLines
		if s.whole {
			first = 0
		}
		v.Blocks = append(v.Blocks, words.Script{Lines: s.script, First: first})
	}
	if d.grants != nil {
		v.Blocks = append(v.Blocks, words.Heading{Text: words.T("flow.grant.seen")}, grantChecks(d.grants))
	}
	if !s.working.IsZero() {
		v.wait(s.working)
		if s.does == grantedLook {
			v.Commands = []Command{command("enough", "enter", "go", words.T("flow.grant.cmd_enough"))}
		}
		return
	}
	s.options(d, v)
	v.Commands = []Command{
		command("save", "w", "save", words.T("flow.grant.save")),
		command("once", "r", "again", words.T("flow.check_again")),
		command("whole", "v", "script", words.T("flow.grant.cmd_whole")),
		command("explain", "x", "error", words.T("flow.grant.explain")),
	}
}

func (s *granted) options(d *data, v *View) {
	v.Ask = Question{Kind: Choice, Text: words.T("flow.grant.ask")}
	need := needed(d.grants)
	switch {
	case d.grants == nil:
	case len(need) > 0:
		v.Blocks = append(v.Blocks, words.Checks{{Mark: words.Warn, Text: words.T("flow.grant.needed", "names", words.Names(need)), Detail: []words.Text{words.T("flow.grant.needed_remedy")}}})
		v.Ask.Preset = "look"
	case len(later(d.grants)) > 0:
		v.Blocks = append(v.Blocks, words.Checks{{Mark: words.OK, Text: words.T("flow.grant.enough", "names", later(d.grants))}})
	case len(openGrants(d.grants)) > 0:
		v.Blocks = append(v.Blocks, words.Checks{{Mark: words.OK, Text: words.T("flow.grant.optional", "names", openGrants(d.grants))}})
	default:
		v.Blocks = append(v.Blocks, words.Checks{{Mark: words.OK, Text: words.T("flow.grant.all")}})
	}
	if len(need) == 0 {
		v.Ask.Preset = "go"
		v.Ask.Options = append(v.Ask.Options, Option{Key: "go", Text: words.T("word.continue"), Note: words.T("flow.grant.go_note")})
	}
	if len(openGrants(d.grants)) > 0 || d.grants == nil {
		if d.b.Demo() != nil && !s.ran {
			v.Ask.Options = append(v.Ask.Options, Option{Key: "run", Text: words.T("flow.grant.run"), Note: words.T("flow.grant.run_note")})
		}
		v.Ask.Options = append(v.Ask.Options, Option{Key: "look", Text: words.T("flow.grant.look"), Note: words.T("flow.grant.look_note")})
	}
	v.Ask.Options = append(v.Ask.Options, Option{Key: "save", Text: words.T("flow.grant.save")})
	if len(need) > 0 {
		v.Ask.Options = append(v.Ask.Options, Option{Key: "go", Text: words.T("flow.grant.without"), Note: words.T("flow.grant.without_note")})
	}
}

// grantChecks is the list as the tenant shows it, without the reasons.
func grantChecks(list []consent.Grant) words.Checks {
	var out words.Checks
	for _, g := range list {
		out = append(out, words.Check{Mark: grantMark(g), Text: words.T("flow.grant.line", "name", g.Name, "state", grantState(g))})
	}
	return out
}

// answer takes an answer; over: the person goes on from here.
func (s *granted) answer(d *data, a Answer) (t turn, over bool) {
	if s.does == grantedExplain {
		if s.explain.answer(d, a.Text) {
			s.does = grantedChoose
		}
		return turn{}, false
	}
	s.err = nil
	switch cmp.Or(a.Command, a.Text) {
	case "enough":
		s.does, s.reads, s.working = grantedChoose, 0, words.Text{}
		return turn{stop: true}, false
	case "whole":
		s.whole = !s.whole
		return turn{}, false
	case "explain":
		s.does = grantedExplain
		s.explain.begin(nil)
		return turn{}, false
	case "go":
		return turn{}, true
	case "once":
		return s.once(d), false
	case "look":
		return s.look(d), false
	case "run":
		demo := d.b.Demo()
		if demo == nil || s.ran {
			break
		}
		s.working = words.T("flow.grant.running")
		return does(effect(func(ctx context.Context, _ Reporter) any { return scriptRan{demo.RunScript(ctx)} })), false
	case "save":
		s.working = words.T("flow.grant.saving")
		b, g := d.b, d.session.Grants()
		name := "hacsync-grant-" + fileWord(d.session.Connection().Name) + ".ps1"
		return does(effect(func(ctx context.Context, _ Reporter) any {
			path, err := b.WriteFile(ctx, name, func(w io.Writer) error { return g.Script(w) })
			return fileSaved{path, err}
		})), false
	}
	return turn{}, false
}

func (s *granted) once(d *data) turn {
	s.working = words.T("flow.grant.looking_once")
	return does(grantsOnce(d.session.Grants()))
}

// look looks at the tenant until nothing is missing, or for some minutes.
func (s *granted) look(d *data) turn {
	s.does, s.working = grantedLook, words.T("flow.grant.looking")
	g, c, every := d.session.Grants(), d.b.Clock(), d.every()
	return does(looking(func(ctx context.Context, r Reporter) any {
		for n := 1; ; n++ {
			list, err := g.Check(ctx)
			if err != nil || len(openGrants(list)) == 0 || n == looks {
				return grantsRead{grants: list, err: err}
			}
			r.Note(grantsSeen{list})
			if err := c.Sleep(ctx, every); err != nil {
				return grantsRead{grants: list, err: err}
			}
		}
	}))
}

func (s *granted) back() bool {
	if s.does != grantedExplain {
		return false
	}
	s.does = grantedChoose
	return true
}

func (s *granted) event(d *data, e any) {
	if seen, ok := e.(grantsSeen); ok {
		d.grants, s.looked = seen.grants, d.now()
	}
}

// came ends a wait when the last of what was read is there.
func (s *granted) came() {
	if s.reads--; s.reads <= 0 {
		s.reads, s.working = 0, words.Text{}
	}
}

func (s *granted) done(d *data, result any) turn {
	switch r := result.(type) {
	case scriptMade:
		s.came()
		if r.err != nil {
			s.err = r.err
			return turn{}
		}
		s.script = textLines(r.script)
	case grantsRead:
		if s.does == grantedLook {
			s.does = grantedChoose
		}
		s.came()
		if r.err != nil {
			s.err = r.err
			return turn{}
		}
		d.grants, s.looked = r.grants, d.now()
	case fileSaved:
		s.working = words.Text{}
		if r.err != nil {
			s.err = r.err
			return turn{}
		}
		return stayed(words.T("flow.saved_to", "path", r.path))
	case scriptRan:
		s.working = words.Text{}
		if r.err != nil {
			s.err = r.err
			return turn{}
		}
		s.ran = true
		return s.look(d)
	}
	return turn{}
}
