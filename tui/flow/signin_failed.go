package flow

import (
	"strings"

	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/tui/words"
)

// viewFailed says how a sign-in ended, that nothing was changed, and the ways on,
// the likely one first.
func (s *signInStep) viewFailed(d *data, v *View) {
	p := problem.Of(s.err)
	v.Title = words.T("flow.signin.failed_" + failure(p))
	v.Blocks = []words.Piece{words.Trouble{Err: s.err, Brief: barred(p)}}
	if s.ask.way == byCode && s.ask.waits {
		v.Status = words.T("flow.signin.nothing_code", "code", s.ask.code.UserCode)
	} else {
		v.Status = words.T("flow.signin.nothing")
	}
	if !barred(p) {
		v.Blocks = append(v.Blocks, words.Para{Text: words.T("flow.signin.nothing")})
	}
	v.Ask = Question{Kind: Choice, Text: words.T("flow.choose")}
	account := problem.Has(p, problem.OtherTenant, problem.GuestSignedIn, problem.PersonalAccount, problem.AccountNotInTenant)
	option := func(key string) {
		o := Option{Key: key, Text: words.T("flow.signin.do_" + key), Note: words.T("flow.signin.do_" + key + "_note")}
		switch {
		case key == "new" || key == "page":
			o.Note = words.Text{}
		case key == "browser" && account:
			o.Note = words.T("flow.signin.private_note")
		case key == "browser" && !barred(p):
			o.Note = words.Text{}
		}
		v.Ask.Options = append(v.Ask.Options, o)
	}
	again, change := "new", "browser"
	if s.ask.way == byBrowser {
		again, change = "page", "code"
	}
	switch {
	case barred(p) && s.ask.way == byCode:
		// A new code would be refused as well.
		v.Blocks = append(v.Blocks, words.Para{Text: words.T("flow.signin.barred")})
		option(change)
		option("application")
		option("exception")
		option(again)
	case barred(p):
		v.Blocks = append(v.Blocks, words.Para{Text: words.T("flow.signin.barred_page")})
		option("application")
		option("exception")
		option(again)
		option(change)
	case account:
		option(again)
		option(change)
		if d.target.Connection == "" {
			option("tenant")
		}
	case refusal(p):
		option(again)
		option(change)
		option("exception")
	default:
		option(again)
		option(change)
	}
	option("other")
	v.Ask.Preset = v.Ask.Options[0].Key
	if refusal(p) {
		v.After = s.forPolicies(p)
	}
	v.Commands = []Command{command("explain", "x", "error", words.T("flow.signin.cmd_explain"))}
}

// failure is the kind of it, for the title.
func failure(p *problem.Problem) string {
	switch {
	case barred(p):
		return "barred"
	case problem.Has(p, problem.CodeDeclined, problem.ConsentDeclined):
		return "declined"
	case problem.Has(p, problem.CodeExpired, problem.CodeUnknown):
		return "expired"
	case problem.Has(p, problem.OtherTenant, problem.GuestSignedIn, problem.PersonalAccount, problem.AccountNotInTenant):
		return "account"
	case problem.Has(p, problem.ClockOff, problem.AssertionTime):
		return "clock"
	}
	return "other"
}

// barred reports whether a rule of the organisation forbids this way to sign in,
// so that another way is what is left.
func barred(p *problem.Problem) bool {
	return problem.Has(p, problem.BlockedByPolicy, problem.FlowBlocked, problem.DeviceNotFit, problem.PublicFlowOff)
}

// refusal reports whether Entra ID refused the sign-in for a reason that an
// administrator can look up: not for a code that was declined or ran out.
func refusal(p *problem.Problem) bool {
	return p != nil && p.Args["number"] != "" && !problem.Has(p, problem.CodeDeclined, problem.CodeExpired, problem.CodeUnknown)
}

// forPolicies is the text for the administrator of the policies: what support of an
// organisation or of Microsoft needs to find the sign-in.
func (s *signInStep) forPolicies(p *problem.Problem) []words.Piece {
	account := words.T("flow.signin.account_code", "code", s.ask.code.UserCode)
	if s.ask.way == byBrowser {
		account = words.T("flow.signin.account_page")
	}
	if upn := p.Args["upn"]; upn != "" {
		account = words.Raw(upn)
	}
	flow := "flow.signin.error_code"
	if s.ask.way == byBrowser {
		flow = "flow.signin.error_page"
	}
	facts := words.Facts{
		{Label: words.T("flow.signin.f_app"), Value: words.T("flow.signin.app_id", "app", s.ask.app, "id", s.ask.client)},
		{Label: words.T("flow.signin.f_account"), Value: account},
		{Label: words.T("flow.signin.f_error"), Value: words.T(flow, "error", aadsts(p))},
		{Label: words.T("flow.signin.f_time"), Value: words.T("flow.signin.time", "utc", words.UTC(s.at), "local", words.Moment(s.at))},
	}
	if s.ask.app == s.ask.client {
		facts[0].Value = words.Raw(s.ask.client)
	}
	for _, id := range []string{"correlation", "trace"} {
		if p.Args[id] != "" {
			facts = append(facts, words.Fact{Label: words.T("flow.signin.f_" + id), Value: words.Raw(p.Args[id])})
		}
	}
	return []words.Piece{append(facts, words.Fact{Label: words.T("flow.signin.f_where"), Value: words.T("flow.signin.where")})}
}

// viewException shows the text to send and nothing else, so that all of it is in sight.
func (s *signInStep) viewException(v *View) {
	v.Title = words.T("flow.signin.exception_head")
	v.Blocks = append(s.forPolicies(problem.Of(s.err)), words.Para{Text: words.T("flow.signin.exception")})
	v.Ask = Question{Kind: Choice, Text: words.T("flow.choose"), Preset: "ways", Options: []Option{
		{Key: "ways", Text: words.T("flow.signin.ways"), Note: words.T("flow.signin.ways_note")},
	}}
}

// aadsts is the number of Entra ID's answer as the page shows it.
func aadsts(p *problem.Problem) string {
	n := p.Args["number"]
	if strings.HasPrefix(n, "AADSTS") {
		return n
	}
	return "AADSTS" + n
}

func (s *signInStep) answerFailed(d *data, key string) turn {
	switch key {
	case "new", "code":
		return s.begin(d, byCode)
	case "page", "browser":
		return s.begin(d, byBrowser)
	case "application":
		return s.forTenant(d)
	case "exception":
		if !refusal(problem.Of(s.err)) {
			break
		}
		s.state = signInException
		return turn{}
	case "tenant":
		s.state = signInTenant
		return turn{}
	case "other":
		s.state = signInOther
		return turn{}
	}
	return turn{}
}
