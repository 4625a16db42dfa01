package flow

import (
	"cmp"
	"context"

	"github.com/hacsync/hacsync/sync/consent"
	"github.com/hacsync/hacsync/tui/words"
)

// asking gets a user signed in, by code or by browser: the one who connects the tenant,
// and in other steps another person of the organisation.
type asking struct {
	way    way
	waits  bool // code or page are there
	signIn consent.SignIn
	code   consent.Code
	page   consent.Page
	scopes []string
	// app and client name the application that the page will name.
	app, client string
	// granting: for giving permissions, and never kept.
	granting bool
	played   bool // the demo's person has acted; only waiting is left
	letter   bool // the text for someone else is shown
}

type way uint8

const (
	byCode way = iota
	byBrowser
)

// asked is what a sign-in began with.
type asked struct {
	signIn consent.SignIn
	code   consent.Code
	page   consent.Page
	wait   func(context.Context) (consent.Account, error)
	err    error
}

type partPlayed struct {
	part Part
	err  error
}

// begin asks for a code or a page, whatever was under way.
func (k *asking) begin(w way, scopes []string, prepare func(context.Context) (consent.SignIn, error)) Effect {
	*k = asking{way: w, scopes: scopes, app: k.app, client: k.client, granting: k.granting}
	return effect(func(ctx context.Context, _ Reporter) any {
		in, err := prepare(ctx)
		if err != nil {
			return asked{err: err}
		}
		if w == byBrowser {
			page, wait, err := in.Browser(ctx, scopes)
			return asked{signIn: in, page: page, wait: wait, err: err}
		}
		code, wait, err := in.DeviceCode(ctx, scopes)
		return asked{signIn: in, code: code, wait: wait, err: err}
	})
}

// came takes the code or the page.
func (k *asking) came(r asked) {
	k.waits, k.signIn, k.code, k.page = true, r.signIn, r.code, r.page
}

// named says which application the page will name.
func (k *asking) named(client string) {
	k.client = cmp.Or(client, consent.GraphCommandLineTools)
	k.app = k.client
	if k.client == consent.GraphCommandLineTools {
		k.app = "Microsoft Graph Command Line Tools"
	}
}

// preparing says what is done before there is something to wait for.
func (k *asking) preparing() words.Text {
	if k.way == byBrowser {
		return words.T("flow.signin.asking_page")
	}
	return words.T("flow.signin.asking")
}

// view shows what is waited for.
func (k *asking) view(d *data, v *View) {
	if !k.waits {
		v.wait(k.preparing())
		return
	}
	accept, scopes := words.T("flow.signin.accept"), words.T("flow.signin.scopes", "scopes", words.Names(k.scopes))
	if k.granting {
		accept, scopes = words.T("flow.granting.accept"), words.T("flow.granting.scopes", "scopes", words.Names(k.scopes))
	}
	until := k.code.Expires
	if k.way == byBrowser {
		until = k.page.Expires
		v.Blocks = append(v.Blocks, words.Para{Text: words.T("flow.signin.open_browser")}, words.PageCard{Page: k.page}, words.Para{Text: accept}, words.Para{Text: words.T("flow.signin.only_here")})
	} else {
		v.Blocks = append(v.Blocks, words.Para{Text: words.T("flow.signin.open_page")}, words.CodeCard{Code: k.code}, words.Para{Text: accept})
	}
	v.Blocks = append(v.Blocks, words.Para{Text: words.T("flow.signin.shows", "app", k.app)}, words.Para{Text: scopes}, words.Para{Text: words.T("flow.signin.untick")})
	if k.granting {
		v.Blocks = append(v.Blocks, words.Para{Text: words.T("flow.granting.later")})
	} else {
		v.Blocks = append(v.Blocks, words.Para{Text: words.T("flow.signin.later")})
	}
	if k.letter && k.way == byCode {
		v.Blocks = append(v.Blocks, words.Heading{Text: words.T("flow.signin.letter_head")}, words.Para{Text: Letter(k.code, k.app, k.scopes, k.granting)})
	}
	v.Working = words.T("flow.signin.waiting", "until", words.Clock(until))
	v.Ask = Question{Kind: Wait, Until: until, Optional: true}
	playing(d, &v.Ask, k.played)
	v.Commands = []Command{command("new", "r", "new", words.T("flow.signin.cmd_new"))}
	if k.way == byBrowser {
		v.Commands[0].Help = words.T("flow.signin.cmd_new_page")
	} else {
		v.Commands = append(v.Commands, command("letter", "C", "message", words.T("flow.signin.cmd_letter")))
	}
	v.Commands = append(v.Commands,
		command("explain", "x", "error", words.T("flow.signin.cmd_explain")),
		command("other", "i", "other", words.T("flow.signin.cmd_other")))
}

// Letter is the message for a person who types a code elsewhere.
func Letter(c consent.Code, app string, scopes []string, granting bool) words.Text {
	id := "flow.signin.letter"
	if granting {
		id = "flow.granting.letter"
	}
	return words.T(id, "url", c.URL, "code", c.UserCode, "until", words.Clock(c.Expires), "app", app, "scopes", words.Names(scopes))
}

// playing asks for the part of the demo's person, who has not acted yet.
func playing(d *data, q *Question, played bool) {
	demo := d.b.Demo()
	if demo == nil || played {
		return
	}
	q.Optional, q.Text, q.Preset = false, words.T("flow.signin.play"), string(Approve)
	for _, p := range demo.Parts() {
		q.Options = append(q.Options, Option{Key: string(p), Text: words.T("flow.part." + string(p))})
	}
}

// play is the part of the demo's person at the page of the sign-in.
func (k *asking) play(d *data, part string) turn {
	demo := d.b.Demo()
	if demo == nil || k.played || !k.waits {
		return turn{}
	}
	for _, p := range demo.Parts() {
		if string(p) != part {
			continue
		}
		// After an error on the page the program hears nothing: the person acts
		// again.
		k.played = p != ErrorOnPage
		code, page, w := k.code.UserCode, k.page.URL, k.way
		return does(effect(func(ctx context.Context, _ Reporter) any {
			if w == byBrowser {
				return partPlayed{p, demo.PlayPage(ctx, page, p)}
			}
			return partPlayed{p, demo.Play(ctx, code, p)}
		}))
	}
	return turn{}
}

// acted takes how the demo's person fared.
func (r partPlayed) acted(played *bool) turn {
	switch {
	case r.err != nil:
		*played = false
		return stayed(words.T("flow.signin.play_failed", "error", r.err.Error()))
	case r.part == ErrorOnPage:
		return stayed(words.T("flow.signin.on_page"))
	}
	return turn{}
}

// appName is the application that the sign-in of the session is made with.
func (d *data) appName() string {
	var k asking
	k.named(d.target.Client)
	if d.session != nil {
		k.named(d.session.Connection().Client)
	}
	return k.app
}
