package flow

import (
	"cmp"
	"strings"

	"github.com/hacsync/hacsync/sync/consent"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/tui/words"
)

// view shows the script and, live, what of it is seen in the tenant.
func (a *application) view(d *data, v *View) {
	v.Title, v.Status = words.T("flow.app.title"), words.T("flow.grant.status")
	switch a.asks {
	case appSeal:
		a.seal.view(v)
		v.Status = words.T("flow.passphrase.status")
		return
	case appExplain:
		a.explain.view(v)
		return
	case appID:
		v.Title = words.T("flow.app.do_id")
		v.Blocks = append(v.Blocks, words.Para{Text: words.T("flow.app.id_what")})
		v.Ask = Question{Kind: Line, Text: words.T("flow.app.id_ask"), Preset: a.id}
		return
	case appHow:
		a.viewHow(v)
		return
	case appSignIn:
		v.Title, v.Status = words.T("flow.granting.title"), words.T("flow.granting.status")
		if a.purpose == appToFind {
			v.Title = words.T("flow.granting.title_find")
		}
		a.ask.view(d, v)
		return
	case appMain, appGive:
	}
	a.viewMain(d, v)
}

// viewHow asks before anything is written, and how the administrator signs in.
func (a *application) viewHow(v *View) {
	v.Title, v.Status = words.T("flow.granting.title"), words.T("flow.granting.status")
	if a.err != nil {
		v.Blocks = append(v.Blocks, words.Trouble{Err: a.err})
	}
	first := "code"
	if a.ask.way == byBrowser || barred(problem.Of(a.err)) {
		first = "browser"
	}
	if a.purpose == appToFind {
		v.Title = words.T("flow.granting.title_find")
		v.Blocks = append(v.Blocks, words.Para{Text: words.T("flow.granting.find_what", "scope", consent.FindScope)})
	} else {
		v.Blocks = append(v.Blocks,
			words.Para{Text: words.T("flow.granting.what", "name", a.app.Name, "tenant", cmp.Or(a.title, a.tenant))},
			appFacts(a.list), words.Para{Text: words.T("flow.granting.who")})
	}
	v.Ask = Question{Kind: Choice, Text: words.T("flow.granting.ask"), Preset: first, Options: []Option{
		{Key: "code", Text: words.T("flow.granting.code"), Note: words.T("flow.granting.code_note")},
		{Key: "browser", Text: words.T("flow.granting.browser"), Note: words.T("flow.granting.browser_note")},
		{Key: "no", Text: words.T("flow.granting.no"), Note: words.T("flow.granting.no_note")},
	}}
	if a.purpose == appToFind {
		v.Ask.Text = words.T("flow.choose")
	}
}

// appFacts are the permissions with what they are for.
func appFacts(list []consent.Grant) words.Facts {
	var out words.Facts
	for _, g := range list {
		if g.Kind == consent.AppRole || g.Kind == consent.DirectoryRole {
			out = append(out, words.Fact{Label: words.Raw(g.Name), Value: words.T("grant." + g.Name + ".for")})
		}
	}
	return out
}

func (a *application) viewMain(d *data, v *View) {
	if a.err != nil {
		v.Blocks = append(v.Blocks, words.Trouble{Err: a.err})
	}
	if a.ded == nil {
		if a.err != nil {
			v.Ask = Question{Kind: Choice, Text: words.T("flow.choose"), Preset: "retry", Options: []Option{
				{Key: "retry", Text: words.T("flow.app.do_retry")},
			}}
			a.later(d, v)
			return
		}
		v.wait(a.working)
		return
	}
	if !a.verified() || a.whole {
		v.Blocks = append(v.Blocks, words.Script{Lines: a.script, First: a.first()})
	}
	if a.verified() {
		v.Status = words.T("flow.app.status_acts")
		says := []words.Text{words.T("flow.app.ends", "at", words.Day(a.app.Ends)), words.T("flow.app.kinds")}
		if a.gave {
			says = append(says, words.T("flow.app.forgotten"))
		}
		v.Blocks = append(v.Blocks, words.Checks{{Mark: words.OK, Text: words.T("flow.app.acts", "name", a.app.Name), Detail: []words.Text{words.Is(words.Sentences(says))}}})
	}
	v.Blocks = append(v.Blocks, words.Heading{Text: words.T("flow.grant.seen")}, a.checks())
	if !a.looked.IsZero() && (!a.verified() || len(openGrants(a.list)) > 0) {
		seen, of := a.counts()
		v.Blocks = append(v.Blocks, words.Para{Text: words.T("flow.app.looked", "seen", seen, "of", of, "at", words.Clock(a.looked))})
	}
	switch a.does {
	case appBusy:
		v.wait(a.working)
		return
	case appLooks:
		v.wait(a.working)
		v.Commands = append(v.Commands, command("enough", "enter", "go", words.T("flow.grant.cmd_enough")))
	case appRests:
		a.options(d, v)
	}
	if a.app.ID == "" {
		v.Commands = append(v.Commands, command("give", "g", "give", words.T("flow.app.cmd_give")))
	} else {
		if !a.verified() {
			v.Commands = append(v.Commands, command("give", "g", "give", words.T("flow.app.cmd_give")))
		}
		if a.does != appLooks {
			v.Commands = append(v.Commands, checkAgain())
		}
	}
	v.Commands = append(v.Commands,
		command("save", "w", "save", words.T("flow.grant.save")),
		command("whole", "v", "script", words.T("flow.grant.cmd_whole")),
		command("explain", "x", "error", words.T("flow.grant.explain")))
}

func (a *application) first() int {
	if a.whole {
		return 0
	}
	return scriptLines
}

// scriptLines is how much of a script is shown at first where nothing scrolls.
const scriptLines = 20

// options are the ways on.
func (a *application) options(d *data, v *View) {
	v.Ask = Question{Kind: Choice, Text: words.T("flow.app.ask")}
	option := func(key string) {
		v.Ask.Options = append(v.Ask.Options, Option{Key: key, Text: words.T("flow.app.do_" + key), Note: words.T("flow.app.do_" + key + "_note")})
	}
	if a.verified() {
		v.Ask.Text = words.T("flow.choose")
		v.Ask.Options = []Option{{Key: "go", Text: words.T("word.continue")}}
		v.Ask.Preset = "go"
		if len(openGrants(a.list)) > 0 {
			option("look")
		}
		return
	}
	if d.b.Demo() != nil && !a.ran {
		option("run")
	}
	option("give")
	if a.app.ID != "" {
		option("look")
	}
	option("id")
	if a.app.ID == "" && a.person == nil {
		option("find")
	}
	v.Ask.Preset = v.Ask.Options[0].Key
	if a.ran || a.app.ID != "" {
		v.Ask.Preset = "look"
		if a.app.ID == "" {
			v.Ask.Preset = "id"
		}
	}
	a.later(d, v)
}

// later goes on without the application: only periodic sync waits for it. Without a
// sign-in there is nothing to go on with.
func (a *application) later(d *data, v *View) {
	if d.session != nil {
		v.Ask.Options = append(v.Ask.Options, Option{Key: "later", Text: words.T("flow.app.do_later"), Note: words.T("flow.app.do_later_note")})
	}
}

// checks is the list as the tenant shows it.
func (a *application) checks() words.Checks {
	var out words.Checks
	for _, g := range a.list {
		mark := words.ToCome
		switch {
		case g.State == consent.Granted:
			mark = words.OK
		case a.does == appLooks || a.asks == appGive:
			mark = words.UnderWay
		case g.State == consent.Missing && !g.Optional && !a.looked.IsZero() && a.app.ID != "":
			mark = words.Warn
		}
		out = append(out, words.Check{Mark: mark, Text: a.line(g)})
	}
	if a.unseen != nil {
		for i := range out {
			if out[i].Mark == words.UnderWay {
				out[i].Detail = append(out[i].Detail, words.T("flow.app.unseen", "what", words.Short{Err: a.unseen}))
				break
			}
		}
	}
	// Only what is looked at next is under way.
	seen := false
	for i := range out {
		if out[i].Mark == words.UnderWay {
			if seen {
				out[i].Mark = words.ToCome
			}
			seen = true
		}
	}
	return out
}

// line is a grant by its name: what is no permission has words of its own.
func (a *application) line(g consent.Grant) words.Text {
	name := words.Raw(g.Name)
	switch g.Kind {
	case consent.Part:
		name = words.T("flow.app.part_"+strings.ReplaceAll(g.Name, " ", "-"), "name", a.app.Name)
	case consent.DirectoryRole:
		name = words.T("flow.app.role", "name", g.Name)
	case consent.AppRole, consent.DelegatedScope:
	}
	if g.Optional {
		return words.T("flow.app.optional", "name", name)
	}
	return name
}

func (a *application) counts() (seen, of int) {
	for _, g := range a.list {
		if g.State == consent.Granted {
			seen++
		}
	}
	return seen, len(a.list)
}
