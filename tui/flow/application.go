package flow

import (
	"bytes"
	"cmp"
	"context"
	"io"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/hacsync/hacsync/sync/consent"
	"github.com/hacsync/hacsync/sync/input"
	"github.com/hacsync/hacsync/tui/words"
)

// application gets a dedicated application made, seen and verified: for the tenant that
// is open in the grant step, and at the sign-in for a tenant without one. Its key pair
// is made here; the rest is done by the person who runs the script, or in place by an
// administrator who signs in once more for that alone.
type application struct {
	// open gives the application of the connection, granting a sign-in of the administrator
	// who grants or looks.
	open     func(context.Context) (consent.Dedicated, error)
	granting func(context.Context) (consent.SignIn, error)
	tenant   string // its ID or domain
	// title is the tenant's name, and name that of the connection; both empty without a
	// sign-in.
	title, name string

	asks    appAsk
	does    appDoes
	working words.Text // what it is doing
	err     error
	ded     consent.Dedicated
	app     consent.Application
	list    []consent.Grant // as the tenant shows it
	script  []string
	whole   bool
	looked  time.Time
	unseen  error // why the last look saw nothing
	// ask gets an administrator signed in, for one purpose; person is kept in memory
	// for further looks.
	ask     asking
	purpose appPurpose
	person  consent.SignIn
	seal    unlocking
	id      string // as typed
	ran     bool   // the demo's person has run the script
	gave    bool
	// explain is for a red line of PowerShell, from where it was asked for.
	explain explaining
	from    appAsk
}

type appAsk uint8

const (
	appMain appAsk = iota
	appSeal
	appID
	appHow
	appSignIn
	appGive
	appExplain
)

// appDoes is what is under way at the main question.
type appDoes uint8

const (
	appRests appDoes = iota
	appBusy          // it ends by itself; nothing can be chosen meanwhile
	appLooks         // at the tenant, again and again; a choice ends it
)

// appPurpose is what an administrator signs in for.
type appPurpose uint8

const (
	appToGive appPurpose = iota // to make the application in place
	appToFind                   // to look for one that the script made
)

type (
	appPrepared struct {
		ded     consent.Dedicated
		app     consent.Application
		list    []consent.Grant
		script  []byte
		sealing bool // a passphrase is needed first
		first   bool // and is new
		err     error
	}
	// appSeen is one look at the tenant.
	appSeen struct {
		app  consent.Application
		list []consent.Grant
		err  error
		over bool // there is nothing to look for any longer
	}
	appPerson struct {
		signIn consent.SignIn
		err    error
	}
	// appProbed says whether who is signed in already may look.
	appProbed struct{ person consent.SignIn }
	appGiven  struct {
		app consent.Application
		err error
	}
	appRan struct {
		last string
		err  error
	}
	fileSaved struct {
		path string
		err  error
	}
)

// begin makes the key pair and the script; nothing is sent.
func (a *application) begin(d *data) turn {
	a.asks, a.err = appMain, nil
	a.busy(words.T("flow.app.preparing"))
	b, open := d.b, a.open
	return does(effect(func(ctx context.Context, _ Reporter) any {
		if need, first, why := b.NeedsPassphrase(ctx); need {
			return appPrepared{sealing: true, first: first, err: why}
		}
		ded, err := open(ctx)
		if err != nil {
			return appPrepared{err: err}
		}
		app, err := ded.Prepare(ctx)
		if err != nil {
			return appPrepared{err: err}
		}
		var script bytes.Buffer
		err = ded.Script(ctx, &script)
		return appPrepared{ded: ded, app: app, list: ded.List(), script: script.Bytes(), err: err}
	}))
}

// busy begins work during which nothing can be chosen; rests ends any work.
func (a *application) busy(working words.Text) { a.does, a.working = appBusy, working }

func (a *application) rests() { a.does, a.working = appRests, words.Text{} }

// verified reports whether the application acts from now on.
func (a *application) verified() bool { return !a.app.Verified.IsZero() }

// giving: an administrator's permissions are being used right now.
func (a *application) giving() bool { return a.asks == appGive }

// answer takes an answer; over: the person goes on from here.
func (a *application) answer(d *data, x Answer) (t turn, over bool) {
	switch a.asks {
	case appSeal:
		return a.seal.answer(d, x), false
	case appExplain:
		if a.explain.answer(d, x.Text) {
			a.asks = a.from
		}
		return turn{}, false
	case appID:
		return a.adopt(x.Text), false
	case appHow:
		switch x.Text {
		case "browser":
			return a.signInTo(d, byBrowser), false
		case "code":
			return a.signInTo(d, byCode), false
		case "no":
			a.asks = appMain
			return turn{}, false
		}
		return turn{}, false
	case appSignIn:
		return a.answerSignIn(d, x), false
	case appMain, appGive:
	}
	key := cmp.Or(x.Command, x.Text)
	if key == "go" || key == "later" {
		return turn{stop: a.does == appLooks}, true
	}
	return a.answerMain(d, key), false
}

func (a *application) answerMain(d *data, key string) turn {
	if a.asks == appGive {
		return turn{}
	}
	if key != "enough" && key != "whole" {
		a.err = nil
	}
	switch key {
	case "enough":
		a.rests()
		return turn{stop: true}
	case "whole":
		a.whole = !a.whole
		return turn{}
	case "explain":
		a.from, a.asks = a.asks, appExplain
		a.explain.begin(nil)
		return turn{}
	case "retry":
		return a.begin(d)
	}
	if a.ded == nil {
		return turn{}
	}
	// What was looked for goes on after what is chosen now.
	stop := a.does == appLooks
	a.rests()
	t := a.choose(d, key)
	t.stop = stop
	return t
}

func (a *application) choose(d *data, key string) turn {
	switch key {
	case "id":
		a.asks = appID
		return turn{}
	case "give":
		a.asks, a.purpose = appHow, appToGive
		return turn{}
	case "find":
		a.asks, a.purpose = appHow, appToFind
		return turn{}
	case "look", "again":
		return a.look(d)
	case "run":
		demo := d.b.Demo()
		if demo == nil || a.ran {
			break
		}
		a.busy(words.T("flow.grant.running"))
		ded := a.ded
		return does(effect(func(ctx context.Context, _ Reporter) any {
			last, err := demo.RunApplicationScript(ctx, ded)
			return appRan{last, err}
		}))
	case "save":
		a.busy(words.T("flow.grant.saving"))
		b, ded := d.b, a.ded
		name := "hacsync-application-" + fileWord(cmp.Or(a.name, a.tenant)) + ".ps1"
		return does(effect(func(ctx context.Context, _ Reporter) any {
			path, err := b.WriteFile(ctx, name, func(w io.Writer) error { return ded.Script(ctx, w) })
			return fileSaved{path, err}
		}))
	}
	return turn{}
}

// adopt takes the application ID that the script's last line names: that line may
// be pasted whole, since it names the object ID as well.
func (a *application) adopt(text string) turn {
	a.id = strings.TrimSpace(input.Fold(text))
	id := a.id
	if !slices.ContainsFunc(inLine(id), isGUID) {
		return stayed(words.T("flow.app.id_bad"))
	}
	a.asks, a.err = appMain, nil
	a.busy(words.T("flow.app.looking"))
	ded := a.ded
	return does(effect(func(ctx context.Context, _ Reporter) any {
		err := ded.Adopt(ctx, id)
		return appGiven{ded.Application(), err}
	}))
}

// inLine is what a pasted line has of words: letters, digits and hyphens.
func inLine(line string) []string {
	return strings.FieldsFunc(strings.ToLower(line), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '-'
	})
}

// signInTo gets an administrator signed in, for this alone.
func (a *application) signInTo(_ *data, w way) turn {
	a.asks, a.err = appSignIn, nil
	a.ask.granting = true
	scopes := consent.GrantScopes()
	if a.purpose == appToFind {
		scopes = []string{consent.FindScope}
	}
	return turn{stop: true, run: []Effect{a.ask.begin(w, scopes, a.granting)}}
}

func (a *application) answerSignIn(d *data, x Answer) turn {
	switch x.Command {
	case "new":
		return a.signInTo(d, a.ask.way)
	case "letter":
		a.ask.letter = true
		return turn{}
	case "explain":
		a.from, a.asks = a.asks, appExplain
		a.explain.begin(nil)
		return turn{}
	case "other":
		a.asks = appHow
		return turn{stop: true}
	case "":
		return a.ask.play(d, x.Text)
	}
	return stayed(words.T("flow.not_a_command"))
}

// give makes the application in place, as who has just signed in.
func (a *application) give(d *data) turn {
	a.asks, a.gave = appGive, true
	a.busy(words.T("flow.app.giving"))
	d.given = a.app.Name
	ded, person := a.ded, a.person
	e := effect(func(ctx context.Context, r Reporter) any {
		err := ded.Give(ctx, person, func(g consent.Given) { r.Note(g) })
		return appGiven{ded.Application(), err}
	})
	e.Writes = true
	return does(e)
}

// back leaves a question; false where the application itself is left.
func (a *application) back() (turn, bool) {
	switch a.asks {
	case appGive:
		return turn{}, true
	case appSeal:
		if a.seal.back() {
			return turn{}, true
		}
		return turn{}, false
	case appExplain:
		a.asks = a.from
		return turn{}, true
	case appSignIn:
		a.asks = appHow
		return turn{stop: true}, true
	case appID, appHow:
		a.asks = appMain
		return turn{}, true
	case appMain:
	}
	a.rests()
	return turn{stop: true}, false
}

func (a *application) done(d *data, result any) turn {
	switch r := result.(type) {
	case appPrepared:
		a.rests()
		switch {
		case r.sealing:
			a.asks = appSeal
			a.seal.begin(r.first, r.err)
			return turn{}
		case r.err != nil:
			a.err = r.err
			return turn{}
		}
		a.ded, a.app, a.list = r.ded, r.app, r.list
		a.script = textLines(r.script)
		if a.app.ID != "" {
			return a.look(d)
		}
		return a.probe(d)
	case appProbed:
		if r.person != nil && a.asks == appMain && a.does == appRests {
			a.person = r.person
			return a.look(d)
		}
	case unlocked:
		if a.seal.done(r) {
			return a.begin(d)
		}
	case asked:
		if r.err != nil {
			a.asks, a.err = appHow, r.err
			return turn{}
		}
		a.ask.came(r)
		tenant := a.tenant
		return does(effect(func(ctx context.Context, _ Reporter) any {
			account, err := r.wait(ctx)
			if err == nil {
				err = belongs(account, tenant)
			}
			return appPerson{r.signIn, err}
		}))
	case partPlayed:
		return r.acted(&a.ask.played)
	case appPerson:
		if r.err != nil {
			a.asks, a.err = appHow, r.err
			return turn{}
		}
		a.asks, a.person = appMain, r.signIn
		if a.purpose == appToFind {
			return a.look(d)
		}
		return a.give(d)
	case appGiven:
		a.asks, a.app = appMain, r.app
		a.rests()
		if r.err != nil {
			a.err = r.err
			return turn{}
		}
		return a.look(d)
	case appSeen:
		a.rests()
		a.saw(d, r)
		if r.err != nil {
			a.err, a.unseen = r.err, nil
		}
	case appRan:
		a.rests()
		if r.err != nil {
			a.err = r.err
			return turn{}
		}
		a.ran = true
		// Its last line is on the screen of the person who ran it, who sends it back.
		if a.person == nil && a.app.ID == "" {
			t := a.adopt(r.last)
			t.say = append([]words.Text{words.T("flow.app.last_line", "line", r.last)}, t.say...)
			return t
		}
		return a.look(d)
	case fileSaved:
		a.rests()
		if r.err != nil {
			a.err = r.err
			return turn{}
		}
		return stayed(words.T("flow.saved_to", "path", r.path))
	}
	return turn{}
}

// textLines are the lines of a file of Windows.
func textLines(file []byte) []string {
	text := strings.TrimPrefix(strings.ReplaceAll(string(file), "\r\n", "\n"), "\ufeff")
	return strings.Split(strings.TrimRight(text, "\n"), "\n")
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
