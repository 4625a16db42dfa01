package flow

import (
	"context"
	"strings"
	"time"

	"github.com/hacsync/hacsync/sync/consent"
	"github.com/hacsync/hacsync/sync/problem"
)

// signingIn gets somebody signed in by device code, in each way that can end.
type signingIn struct {
	state signInState
	code  consent.Code
	// played: the demo's person has acted; only waiting is left.
	played  bool
	err     error // how the last try ended
	at      time.Time
	explain string
	found   *problem.Problem
	asked   bool // explain looked
	client  string
	tenant  string
	letter  bool // the text for someone else is shown
	// from is the state that a question was asked from.
	from signInState
}

type signInState uint8

const (
	signInIdle signInState = iota
	signInAsking
	signInWaiting
	signInFailed
	signInOther
	signInExplain
	signInClient
	signInTenant
	signedIn
)

type (
	codeCame struct {
		signIn consent.SignIn
		code   consent.Code
		wait   func(context.Context) (consent.Account, error)
		err    error
	}
	signInCame struct {
		account consent.Account
		session Session
		err     error
	}
	partPlayed struct {
		part Part
		err  error
	}
)

func (s signInCame) discard() { closeSession(s.session) }

func closeSession(s Session) {
	if s != nil {
		_ = s.Close()
	}
}

func (s *signingIn) enter(d *data, back bool) turn {
	if d.session != nil {
		s.state = signedIn
		return turn{}
	}
	return s.begin(d)
}

// begin asks for a new code, whatever was under way.
func (s *signingIn) begin(d *data) turn {
	s.state, s.err, s.played, s.letter, s.code = signInAsking, nil, false, false, consent.Code{}
	b, target := d.b, d.target
	return turn{stop: true, run: []Effect{effect(func(ctx context.Context, _ Reporter) any {
		in, err := b.SignIn(ctx, target)
		if err != nil {
			return codeCame{err: err}
		}
		code, wait, err := in.DeviceCode(ctx, consent.ReadScopes())
		return codeCame{in, code, wait, err}
	})}}
}

func (s *signingIn) view(d *data, now time.Time) View {
	v := View{Title: T("flow.signin.title"), Status: T("flow.signin.status")}
	switch s.state {
	case signInAsking, signInIdle:
		v.Working = T("flow.signin.asking")
		v.Ask = Question{Kind: Wait, Optional: true}
	case signInWaiting:
		s.viewWaiting(d, &v)
	case signInFailed:
		s.viewFailed(d, &v)
	case signInOther:
		v.Blocks = []Piece{Para{T("flow.signin.other_what")}}
		v.Ask = Question{Kind: Choice, Text: T("flow.choose"), Options: []Option{
			{Key: "client", Text: T("flow.signin.own_client"), Note: T("flow.signin.own_client_note")},
			{Key: "tenant", Text: T("flow.signin.own_tenant"), Note: T("flow.signin.own_tenant_note")},
		}}
	case signInExplain:
		if s.asked {
			v.Blocks = append(v.Blocks, explained(s.found)...)
		}
		if s.from == signInWaiting {
			v.Blocks = append(v.Blocks, Para{T("flow.explain.still_waiting")})
		}
		v.Title = T("flow.explain.title")
		v.Ask = Question{Kind: Line, Text: T("flow.explain.ask"), Optional: true}
	case signInClient:
		v.Ask = Question{Kind: Line, Text: T("flow.signin.client_ask"), Preset: firstOf(s.client, d.target.Client, consent.GraphCommandLineTools)}
	case signInTenant:
		v.Ask = Question{Kind: Line, Text: T("flow.signin.tenant_ask"), Preset: firstOf(s.tenant, d.target.Tenant), Optional: true}
	case signedIn:
		v.Blocks = []Piece{Para{T("flow.signin.signed_in", "account", d.account.UPN)}}
		v.Ask = Question{Kind: Choice, Text: T("flow.choose"), Preset: "go", Options: []Option{
			{Key: "go", Text: T("word.continue")},
			{Key: "again", Text: T("flow.signin.again"), Note: T("flow.signin.again_note")},
		}}
	}
	return v
}

func (s *signingIn) viewWaiting(d *data, v *View) {
	v.Blocks = []Piece{
		Para{T("flow.signin.open_page")},
		CodeCard{s.code},
		Para{T("flow.signin.accept")},
		Para{T("flow.signin.shows", "app", d.appName())},
		Para{T("flow.signin.scopes", "scopes", Names(consent.ReadScopes()))},
		Para{T("flow.signin.untick")},
		Para{T("flow.signin.later")},
	}
	if s.letter {
		v.Blocks = append(v.Blocks, Heading{T("flow.signin.letter_head")}, Para{T("flow.signin.letter",
			"url", s.code.URL, "code", s.code.UserCode, "until", Clock(s.code.Expires), "app", d.appName(), "scopes", Names(consent.ReadScopes()))})
	}
	v.Working = T("flow.signin.waiting", "until", Clock(s.code.Expires))
	v.Ask = Question{Kind: Wait, Until: s.code.Expires, Optional: true}
	if demo := d.b.Demo(); demo != nil && !s.played {
		v.Ask.Optional = false
		v.Ask.Text = T("flow.signin.play")
		v.Ask.Preset = string(Approve)
		for _, p := range demo.Parts() {
			v.Ask.Options = append(v.Ask.Options, Option{Key: string(p), Text: T("flow.part." + string(p))})
		}
	}
	v.Commands = []Command{
		{Name: "new", Key: "r", Word: "new", Help: T("flow.signin.cmd_new")},
		{Name: "letter", Key: "C", Word: "message", Help: T("flow.signin.cmd_letter")},
		{Name: "explain", Key: "x", Word: "error", Help: T("flow.signin.cmd_explain")},
		{Name: "other", Key: "i", Word: "other", Help: T("flow.signin.cmd_other")},
	}
}

func (s *signingIn) viewFailed(d *data, v *View) {
	v.Blocks = []Piece{Trouble{s.err}, Para{T("flow.signin.nothing")}}
	v.Ask = Question{Kind: Choice, Text: T("flow.choose"), Preset: "new", Options: []Option{
		{Key: "new", Text: T("flow.signin.new_code")},
		{Key: "other", Text: T("flow.signin.other"), Note: T("flow.signin.other_note")},
	}}
	if p := problem.Of(s.err); refusal(p) {
		facts := Facts{
			{T("flow.signin.f_app"), T("flow.signin.app_id", "app", d.appName(), "id", d.clientID())},
			{T("flow.signin.f_error"), T("flow.signin.error_flow", "error", aadsts(p))},
			{T("flow.signin.f_time"), Is(UTC(s.at))},
		}
		for _, id := range []string{"correlation", "trace"} {
			if p.Args[id] != "" {
				facts = append(facts, Fact{T("flow.signin.f_" + id), Raw(p.Args[id])})
			}
		}
		facts = append(facts, Fact{T("flow.signin.f_where"), T("flow.signin.where")})
		if s.letter {
			v.Blocks = append(v.Blocks, Heading{T("flow.signin.exception_head")}, facts, Para{T("flow.signin.exception")})
		} else {
			v.Blocks = append(v.Blocks, facts)
		}
		exception := Option{Key: "exception", Text: T("flow.signin.ask_exception"), Note: T("flow.signin.ask_exception_note")}
		if problem.Has(p, problem.BlockedByPolicy, problem.FlowBlocked, problem.DeviceNotFit) && !s.letter {
			// A new code would be blocked as well.
			v.Ask.Options = append([]Option{exception}, v.Ask.Options...)
			v.Ask.Preset = exception.Key
		} else {
			v.Ask.Options = append(v.Ask.Options, exception)
		}
	}
	v.Commands = []Command{{Name: "explain", Key: "x", Word: "error", Help: T("flow.signin.cmd_explain")}}
}

// refusal reports whether Entra ID refused the sign-in for a reason that somebody
// of the organisation can look up: not for a code that was declined or ran out.
func refusal(p *problem.Problem) bool {
	return p != nil && p.Args["number"] != "" && !problem.Has(p, problem.CodeDeclined, problem.CodeExpired, problem.CodeUnknown)
}

// explained is what a pasted error means.
func explained(found *problem.Problem) []Piece {
	if found == nil {
		return []Piece{Para{T("flow.explain.unknown")}}
	}
	return []Piece{Trouble{found}}
}

// aadsts is the number of Entra ID's answer as it stands on the page.
func aadsts(p *problem.Problem) string {
	n := p.Args["number"]
	if strings.HasPrefix(n, "AADSTS") {
		return n
	}
	return "AADSTS" + n
}

func (d *data) clientID() string { return firstOf(d.target.Client, consent.GraphCommandLineTools) }

func (d *data) appName() string {
	if d.clientID() == consent.GraphCommandLineTools {
		return "Microsoft Graph Command Line Tools"
	}
	return d.clientID()
}

func firstOf(s ...string) string {
	for _, x := range s {
		if x != "" {
			return x
		}
	}
	return ""
}

func (s *signingIn) answer(d *data, a Answer) turn {
	switch a.Command {
	case "new":
		return s.begin(d)
	case "letter":
		s.letter = true
		return turn{}
	case "explain":
		s.from, s.state, s.asked = s.state, signInExplain, false
		return turn{}
	case "other":
		s.state = signInOther
		return turn{stop: true}
	case "":
	default:
		return stayed(T("flow.not_a_command"))
	}
	switch s.state {
	case signInWaiting:
		return s.play(d, Part(a.Text))
	case signInFailed:
		switch a.Text {
		case "new":
			return s.begin(d)
		case "other":
			s.state = signInOther
			return turn{}
		case "exception":
			s.letter = true
			return turn{}
		}
	case signInOther:
		switch a.Text {
		case "client":
			s.state = signInClient
			return turn{}
		case "tenant":
			s.state = signInTenant
			return turn{}
		}
	case signInExplain:
		if strings.TrimSpace(a.Text) == "" {
			s.state = s.from
			return turn{}
		}
		s.explain, s.asked = a.Text, true
		s.found = d.b.Explain(a.Text)
		return turn{}
	case signInClient:
		s.client = strings.ToLower(fold(a.Text))
		if !isGUID(s.client) {
			return stayed(T("flow.signin.client_bad"))
		}
		d.target.Client = s.client
		return s.begin(d)
	case signInTenant:
		s.tenant = fold(a.Text)
		d.target.Tenant = s.tenant
		return s.begin(d)
	case signedIn:
		switch a.Text {
		case "go":
			return goTo(Permissions)
		case "again":
			d.forgetSession()
			return s.begin(d)
		}
	}
	return stayed(T("flow.not_a_choice"))
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

func (s *signingIn) play(d *data, p Part) turn {
	demo := d.b.Demo()
	if demo == nil || s.played {
		return stayed(T("flow.not_a_choice"))
	}
	for _, known := range demo.Parts() {
		if known != p {
			continue
		}
		// After an error on the page the program hears nothing: the person acts
		// again.
		s.played = p != ErrorOnPage
		code := s.code.UserCode
		return does(effect(func(ctx context.Context, _ Reporter) any {
			return partPlayed{p, demo.Play(ctx, code, p)}
		}))
	}
	return stayed(T("flow.not_a_choice"))
}

func (s *signingIn) inner() bool {
	return s.state == signInExplain || s.state == signInOther || s.state == signInClient || s.state == signInTenant
}

func (s *signingIn) back(d *data) (turn, bool) {
	switch s.state {
	case signInExplain:
		s.state = s.from
		return turn{}, true
	case signInClient, signInTenant:
		s.state = signInOther
		return turn{}, true
	case signInOther:
		if s.err != nil {
			s.state = signInFailed
			return turn{}, true
		}
		return s.begin(d), true
	}
	return turn{}, false
}

func (s *signingIn) event(*data, any, time.Time) {}

func (s *signingIn) done(d *data, result any) turn {
	switch r := result.(type) {
	case codeCame:
		if r.err != nil {
			s.failed(d, r.err)
			return turn{}
		}
		s.state, s.code = signInWaiting, r.code
		d.signIn = r.signIn
		b, target := d.b, d.target
		return does(effect(func(ctx context.Context, _ Reporter) any {
			account, err := r.wait(ctx)
			if err != nil {
				return signInCame{err: err}
			}
			if isGUID(target.Tenant) && !strings.EqualFold(target.Tenant, account.Tenant) {
				return signInCame{err: problem.New(problem.OtherTenant, problem.Args{
					"upn": account.UPN, "tenant": account.Tenant, "expected": target.Tenant,
				})}
			}
			session, err := b.Open(ctx, r.signIn, account)
			return signInCame{account, session, err}
		}))
	case partPlayed:
		if r.err != nil {
			s.played = false
			return stayed(T("flow.signin.play_failed", "error", r.err.Error()))
		}
		if r.part == ErrorOnPage {
			return stayed(T("flow.signin.on_page"))
		}
	case signInCame:
		if r.err != nil {
			s.failed(d, r.err)
			return turn{}
		}
		d.account, d.session = r.account, r.session
		s.state = signedIn
		t := goTo(Permissions)
		t.say = []Text{T("flow.signin.done", "account", r.account.UPN, "tenant", r.session.Connection().TenantName)}
		return t
	}
	return turn{}
}

func (s *signingIn) failed(d *data, err error) {
	// A question about an error on the page goes on being asked; its end shows
	// how the sign-in ended.
	if s.state == signInExplain {
		s.from = signInFailed
	} else {
		s.state = signInFailed
	}
	s.err, s.at, s.letter = err, d.now(), false
}
