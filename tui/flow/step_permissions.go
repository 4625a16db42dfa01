package flow

import (
	"context"
	"time"

	"github.com/hacsync/hacsync/sync/consent"
	"github.com/hacsync/hacsync/sync/input"
	"github.com/hacsync/hacsync/tui/words"
)

// permissionsStep shows what was requested, and asks whether to keep the sign-in.
type permissionsStep struct {
	base
	why int // the grant that is explained, from 1
	// needs: nothing can be saved without a passphrase, which can be typed.
	needs, first bool
	keyless      error // why there is no keyring
	seal         unlocking
}

type (
	grantsRead struct {
		grants []consent.Grant
		err    error
		needs  bool // a passphrase, before anything can be saved
		first  bool // and it is new
		why    error
	}
	savedNow struct{ err error }
)

func (s *permissionsStep) enter(d *data, back bool) turn {
	s.why = 0
	s.seal.close()
	if back && d.grants != nil {
		return turn{}
	}
	return s.check(d)
}

func (s *permissionsStep) check(d *data) turn {
	s.working, s.err = words.T("flow.permissions.checking"), nil
	g, b := d.session.Grants(), d.b
	return does(effect(func(ctx context.Context, _ Reporter) any {
		list, err := g.Check(ctx)
		need, first, why := b.NeedsPassphrase(ctx)
		return grantsRead{list, err, need, first, why}
	}))
}

// grantMark is how a grant's state is drawn.
func grantMark(g consent.Grant) words.Mark {
	switch {
	case g.State == consent.Granted:
		return words.OK
	case g.State == consent.Later:
		return words.ToCome
	case g.State == consent.CantTell:
		return words.Info
	case g.Optional || g.When == consent.ForPeriodic:
		return words.ToCome
	case g.When == consent.ForDryRun:
		return words.Stops
	}
	return words.Warn
}

func grantState(g consent.Grant) words.Text {
	switch {
	case g.State == consent.Granted:
		return words.T("flow.grants.granted")
	case g.State == consent.Later:
		return words.T("flow.grants.later")
	case g.State == consent.CantTell:
		return words.T("flow.grants.cant_tell")
	case g.Optional:
		return words.T("flow.grants.optional")
	}
	return words.T("flow.grants.missing")
}

// grantFor is what a grant is for, and which role gives it.
func grantFor(g consent.Grant) words.Text {
	t := words.T("grant." + g.Name + ".for")
	if g.State == consent.Granted && g.By != "" {
		t = words.T("flow.grants.by", "for", t, "role", g.By)
	}
	return t
}

// grantGroups are the times a grant is needed, in their order.
func grantGroups() []consent.When {
	return []consent.When{consent.ForDryRun, consent.ForSync, consent.ForPeriodic}
}

// missing are the grants without which when cannot happen.
func missing(list []consent.Grant, when consent.When) []string {
	var out []string
	for _, g := range list {
		if g.When == when && !g.Optional && g.State == consent.Missing {
			out = append(out, g.Name)
		}
	}
	return out
}

// grantTable is one list in groups, by when a permission is needed.
func grantTable(list []consent.Grant) []words.Piece {
	var out []words.Piece
	for _, when := range grantGroups() {
		t := words.Table{Head: []words.Text{{}, words.T("flow.arg_no"), words.T("flow.grants.name"), words.T("flow.grants.state"), words.T("flow.grants.for")}, Right: []int{1}, Wrap: true}
		for i, g := range list {
			if g.When == when {
				t.Rows = append(t.Rows, []words.Text{
					words.Raw(grantMark(g).String()), words.Num(i + 1), words.Raw(g.Name), grantState(g), grantFor(g),
				})
			}
		}
		if len(t.Rows) > 0 {
			out = append(out, words.Heading{Text: words.T("flow.grants.when_" + string(when))}, t)
		}
	}
	return out
}

func (s *permissionsStep) view(d *data, now time.Time) View {
	v := View{Title: words.T("word.requested-permissions"), Status: words.T("flow.permissions.status")}
	if d.mayWrite() {
		v.Status = words.T("flow.dryrun.status")
	}
	if s.seal.open() {
		s.seal.view(&v)
		v.Status = words.T("flow.passphrase.status")
		return v
	}
	account := words.T("flow.signin.signed_in", "account", d.who())
	if d.acts() {
		account = words.T("flow.permissions.acts", "name", d.who())
		v.Status = words.T("flow.permissions.status_acts")
	}
	v.Blocks = append(v.Blocks, words.Para{Text: account})
	if s.waits(&v) {
		return v
	}
	if s.err != nil {
		v.Blocks = append(v.Blocks, words.Trouble{Err: s.err})
	}
	if d.grants == nil {
		v.Ask = Question{Kind: Choice, Text: words.T("flow.choose"), Preset: "again", Options: []Option{{Key: "again", Text: words.T("flow.check_again")}}}
		return v
	}
	v.Blocks = append(v.Blocks, grantTable(d.grants)...)
	if s.why > 0 && s.why <= len(d.grants) {
		v.Blocks = append(v.Blocks, explainGrant(d.grants[s.why-1])...)
	}
	v.Commands = []Command{
		command("why", "y", "why", words.T("flow.permissions.cmd_why")).with(words.T("flow.arg_no")),
		checkAgain(),
	}
	if names := missing(d.grants, consent.ForDryRun); len(names) > 0 && !d.acts() {
		v.Blocks = append(v.Blocks, words.Checks{{Mark: words.Stops, Text: words.T("flow.permissions.missing", "names", words.Names(names)), Detail: []words.Text{words.T("flow.permissions.missing_remedy")}}})
		v.Ask = Question{Kind: Choice, Text: words.T("flow.choose"), Preset: "again", Options: []Option{
			{Key: "again", Text: words.T("flow.check_again")},
			{Key: "other", Text: words.T("flow.signin.again"), Note: words.T("flow.signin.again_note")},
		}}
		return v
	}
	if d.saved {
		v.Blocks = append(v.Blocks, words.Para{Text: words.T("flow.permissions.kept")})
		v.Ask = Question{Kind: Choice, Text: words.T("flow.choose"), Preset: "go", Options: []Option{{Key: "go", Text: words.T("word.continue")}}}
		return v
	}
	seal := d.session.Sealing()
	if s.needs {
		seal.Kind = SealPassphrase
	}
	v.Ask = Question{Kind: Choice, Text: words.T("flow.permissions.keep"), Preset: "save", Options: []Option{
		{Key: "save", Text: words.T("flow.permissions.save"), Note: words.T("flow.permissions.seal_"+string(seal.Kind), "where", seal.Where)},
		{Key: "once", Text: words.T("flow.permissions.once"), Note: words.T("flow.permissions.once_note")},
	}}
	switch {
	case s.needs:
		v.Ask.Options[0].Note = words.T("flow.permissions.seal_typed")
		v.Blocks = append(v.Blocks, words.Para{Text: noKeyring(s.keyless)})
	case seal.Kind == NoSeal:
		v.Ask.Options[0].Note = words.T("flow.permissions.seal_none")
		v.Blocks = append(v.Blocks, words.Para{Text: noKeyring(s.keyless)})
		v.Ask.Preset = "once"
	}
	return v
}

// explainGrant is what the catalogue says of a grant.
func explainGrant(g consent.Grant) []words.Piece {
	id := "grant." + g.Name
	return []words.Piece{words.Heading{Text: words.Raw(g.Name)}, words.Facts{
		{Label: words.T("preview.why"), Value: words.T(id + ".why")},
		{Label: words.T("flow.grants.without"), Value: words.T(id + ".without")},
		{Label: words.T("flow.grants.never"), Value: words.T(id + ".never")},
	}}
}

// mayWrite reports whether this sign-in may have the permission to write: it was
// granted beforehand, or a sync has asked for it.
func (d *data) mayWrite() bool {
	for _, g := range d.grants {
		if g.Name == consent.WriteScope && g.State != consent.Later && g.State != consent.Missing {
			return true
		}
	}
	return d.began
}

func (s *permissionsStep) answer(d *data, a Answer) turn {
	if s.seal.open() {
		return s.seal.answer(d, a)
	}
	switch a.Command {
	case "why":
		n, ok := input.Number(a.Text)
		if !ok || n < 1 || n > len(d.grants) {
			return stayed(words.T("flow.no_such_number", "max", len(d.grants)))
		}
		s.why = n
		return turn{}
	case "again":
		return s.check(d)
	case "":
	default:
		return stayed(words.T("flow.not_a_command"))
	}
	switch a.Text {
	case "again":
		return s.check(d)
	case "other":
		d.forgetSession()
		return goTo(SignIn)
	case "go", "once":
		return s.next(d)
	case "save":
		if s.needs {
			s.seal.begin(s.first, s.keyless)
			return turn{}
		}
		if d.session.Sealing().Kind == NoSeal {
			return stayed(words.T("flow.permissions.cannot_save"))
		}
		return s.save(d)
	}
	return turn{}
}

func (s *permissionsStep) save(d *data) turn {
	s.working = words.T("flow.permissions.saving")
	session := d.session
	return does(effect(func(ctx context.Context, _ Reporter) any { return savedNow{session.Save(ctx)} }))
}

// next goes to the domains. An opened plan has one already; a sync of it compares
// with the source, so that is asked for next.
func (s *permissionsStep) next(d *data) turn {
	switch {
	case d.homeward && d.saved:
		return goTo(Home)
	case d.file == nil:
		return goTo(Domain)
	}
	if d.domain != d.file.Domain() {
		d.domain, d.spec, d.count, d.overview = d.file.Domain(), d.o.Source, d.o.Count, nil
	}
	return goTo(Source)
}

func (s *permissionsStep) inner() bool { return s.seal.open() }

func (s *permissionsStep) back(*data) (turn, bool) {
	if !s.seal.open() {
		return turn{}, false
	}
	if !s.seal.back() {
		s.seal.close()
	}
	return turn{stop: true}, true
}

func (s *permissionsStep) done(d *data, result any) turn {
	switch r := result.(type) {
	case grantsRead:
		s.working, s.err, s.needs, s.first, s.keyless = words.Text{}, r.err, r.needs, r.first, r.why
		if r.err == nil {
			d.grants = r.grants
		}
	case unlocked:
		if s.seal.done(r) {
			s.needs = false
			return s.save(d)
		}
	case savedNow:
		s.working, s.err = words.Text{}, r.err
		if r.err == nil {
			d.saved = true
			t := s.next(d)
			t.say = []words.Text{words.T("flow.permissions.saved")}
			return t
		}
	}
	return turn{}
}
