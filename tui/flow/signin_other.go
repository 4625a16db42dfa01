package flow

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/hacsync/hacsync/sync/consent"
	"github.com/hacsync/hacsync/sync/input"
	"github.com/hacsync/hacsync/tui/words"
)

// viewOther offers the other ways to sign in.
func (s *signInStep) viewOther(v *View) {
	v.Title = words.T("flow.signin.do_other")
	v.Blocks = []words.Piece{words.Para{Text: words.T("flow.signin.other_what")}}
	v.Ask = Question{Kind: Choice, Text: words.T("flow.choose"), Preset: "browser"}
	keys := []string{"browser", "code", "application", "client", "tenant", "cloud"}
	if s.ask.way == byBrowser {
		keys[0], keys[1] = keys[1], keys[0]
	}
	for _, key := range keys {
		v.Ask.Options = append(v.Ask.Options, Option{Key: key, Text: words.T("flow.signin.do_" + key), Note: words.T("flow.signin.do_" + key + "_note")})
	}
	v.Ask.Preset = keys[0]
}

// clouds are those of Microsoft, the usual one first.
func clouds() []string { return []string{"public", "usgov", "usgovdod", "china"} }

// viewAnother asks for one thing that a sign-in is made with.
func (s *signInStep) viewAnother(d *data, v *View) {
	v.Title = words.T("flow.signin.do_other")
	switch s.state {
	case signInClient:
		if s.cloud == "china" {
			v.Blocks = []words.Piece{words.Para{Text: words.T("flow.signin.china")}}
		}
		v.Ask = Question{Kind: Line, Text: words.T("flow.signin.client_ask"), Preset: cmp.Or(s.client, d.target.Client, consent.GraphCommandLineTools)}
	case signInTenant:
		v.Ask = Question{Kind: Line, Text: words.T("flow.signin.tenant_ask"), Preset: cmp.Or(s.tenant, d.target.Tenant), Optional: true}
	case signInFor:
		v.Title = words.T("flow.signin.do_application")
		v.Blocks = []words.Piece{words.Para{Text: words.T("flow.signin.for_what")}}
		v.Ask = Question{Kind: Line, Text: words.T("flow.signin.for_ask"), Preset: cmp.Or(s.tenant, d.target.Tenant)}
	case signInCloud:
		v.Ask = Question{Kind: Choice, Text: words.T("flow.signin.cloud_ask"), Preset: cmp.Or(d.target.Cloud, "public")}
		for _, c := range clouds() {
			v.Ask.Options = append(v.Ask.Options, Option{Key: c, Text: words.T("flow.cloud." + c), Note: words.T("flow.cloud." + c + "_note")})
		}
	case signInIdle, signInWaiting, signInFailed, signInException, signInOther, signInExplain, signInApp, signInOpening, signedIn:
	}
}

func (s *signInStep) answerOther(d *data, text string) turn {
	switch s.state {
	case signInOther:
		switch text {
		case "browser":
			return s.begin(d, byBrowser)
		case "code":
			return s.begin(d, byCode)
		case "application":
			return s.forTenant(d)
		case "client":
			s.state = signInClient
			return turn{}
		case "tenant":
			s.state = signInTenant
			return turn{}
		case "cloud":
			s.state = signInCloud
			return turn{}
		}
	case signInClient:
		s.client = strings.ToLower(input.Fold(text))
		if !isGUID(s.client) {
			return stayed(words.T("flow.signin.client_bad"))
		}
		if s.cloud == "china" && s.client == consent.GraphCommandLineTools {
			return stayed(words.T("flow.signin.china"))
		}
		d.target.Client = s.client
		return s.begin(d, s.ask.way)
	case signInTenant:
		s.tenant = input.Fold(text)
		d.target.Tenant = s.tenant
		return s.begin(d, s.ask.way)
	case signInFor:
		return s.dedicate(d, input.Fold(text))
	case signInCloud:
		if !slices.Contains(clouds(), text) {
			break
		}
		s.cloud, d.target.Cloud = text, text
		if text == "china" && cmp.Or(d.target.Client, consent.GraphCommandLineTools) == consent.GraphCommandLineTools {
			// The cloud of China does not share the registrations of the others.
			s.state = signInClient
			return turn{}
		}
		return s.begin(d, s.ask.way)
	case signInIdle, signInWaiting, signInFailed, signInException, signInExplain, signInApp, signInOpening, signedIn:
	}
	return turn{}
}

// forTenant asks which tenant a dedicated application is for: without a sign-in it is
// not known.
func (s *signInStep) forTenant(*data) turn {
	s.state = signInFor
	return turn{}
}

// dedicate begins with the dedicated application of a tenant.
func (s *signInStep) dedicate(d *data, tenant string) turn {
	if !strings.Contains(tenant, ".") && !isGUID(strings.ToLower(tenant)) {
		return stayed(words.T("flow.signin.for_bad"))
	}
	s.tenant, d.target.Tenant = tenant, tenant
	b, target := d.b, d.target
	s.state, s.alive = signInApp, false
	s.app = application{
		tenant:   tenant,
		open:     func(ctx context.Context) (consent.Dedicated, error) { return b.Dedicate(ctx, target) },
		granting: func(ctx context.Context) (consent.SignIn, error) { return b.SignIn(ctx, target) },
	}
	s.app.ask.named(target.Client)
	t := s.app.begin(d)
	t.stop = true
	return t
}

// answerApp goes on with the application; once it is verified, the tenant is
// opened as it.
func (s *signInStep) answerApp(d *data, a Answer) turn {
	if t, over := s.app.answer(d, a); !over {
		return t
	}
	if !s.app.verified() {
		return stayed(words.T("flow.app.not_yet"))
	}
	s.state = signInOpening
	b, ded := d.b, s.app.ded
	return turn{stop: true, run: []Effect{effect(func(ctx context.Context, _ Reporter) any {
		session, err := b.OpenDedicated(ctx, ded)
		if err != nil {
			return signInCame{err: err}
		}
		c := session.Connection()
		return signInCame{consent.Account{Tenant: c.Tenant, UPN: c.Account, Client: c.Client}, session, nil}
	})}}
}

// isGUID reports whether s has the form of an application ID.
func isGUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i, r := range s {
		if i == 8 || i == 13 || i == 18 || i == 23 {
			if r != '-' {
				return false
			}
		} else if !strings.ContainsRune("0123456789abcdef", r) {
			return false
		}
	}
	return true
}
