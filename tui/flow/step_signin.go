package flow

import (
	"context"
	"strings"
	"time"

	"github.com/hacsync/hacsync/sync/consent"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/tui/words"
)

// signInStep gets a user signed in, in each way that can end; or a dedicated
// application, if no user may.
type signInStep struct {
	state   signInState
	ask     asking
	err     error // how the last try ended
	at      time.Time
	client  string
	tenant  string
	cloud   string
	app     application
	explain explaining
	// from is the state that a question was asked from.
	from  signInState
	alive bool // the code or page that was asked for is still waited for
}

type signInState uint8

const (
	signInIdle signInState = iota
	signInWaiting
	signInFailed
	signInException // the text for the administrator of the policies
	signInOther
	signInExplain
	signInClient
	signInTenant
	signInCloud
	signInFor // which tenant a dedicated application is for
	signInApp
	signInOpening
	signedIn
)

type signInCame struct {
	account consent.Account
	session Session
	err     error
}

func closeSession(s Session) {
	if s != nil {
		_ = s.Close()
	}
}

func (s *signInStep) enter(d *data, back bool) turn {
	if d.session != nil {
		s.state = signedIn
		return turn{}
	}
	return s.begin(d, byCode)
}

// begin asks for a new code or page, whatever was under way.
func (s *signInStep) begin(d *data, w way) turn {
	s.state, s.err, s.alive = signInWaiting, nil, true
	s.ask.named(d.target.Client)
	b, target := d.b, d.target
	return turn{stop: true, run: []Effect{s.ask.begin(w, consent.ReadScopes(), func(ctx context.Context) (consent.SignIn, error) {
		return b.SignIn(ctx, target)
	})}}
}

func (s *signInStep) view(d *data, now time.Time) View {
	v := View{Title: words.T("flow.signin.title"), Status: words.T("flow.signin.status")}
	switch s.state {
	case signInIdle, signInWaiting:
		s.ask.view(d, &v)
	case signInFailed:
		s.viewFailed(d, &v)
	case signInException:
		s.viewException(&v)
	case signInOther:
		s.viewOther(&v)
	case signInExplain:
		s.explain.view(&v)
		if s.from == signInWaiting {
			v.Blocks = append(v.Blocks, words.Para{Text: words.T("flow.explain.still_waiting")})
		}
	case signInClient, signInTenant, signInCloud, signInFor:
		s.viewAnother(d, &v)
	case signInApp:
		s.app.view(d, &v)
	case signInOpening:
		v.wait(words.T("flow.signin.opening"))
	case signedIn:
		v.Blocks = []words.Piece{words.Para{Text: words.T("flow.signin.signed_in", "account", d.who())}}
		v.Ask = Question{Kind: Choice, Text: words.T("flow.choose"), Preset: "go", Options: []Option{
			{Key: "go", Text: words.T("word.continue")},
			{Key: "again", Text: words.T("flow.signin.again"), Note: words.T("flow.signin.again_note")},
		}}
	}
	return v
}

func (s *signInStep) answer(d *data, a Answer) turn {
	if s.state == signInApp {
		return s.answerApp(d, a)
	}
	switch a.Command {
	case "new":
		return s.begin(d, s.ask.way)
	case "letter":
		s.ask.letter = true
		return turn{}
	case "explain":
		s.from, s.state = s.state, signInExplain
		s.explain.begin(nil)
		if s.from == signInFailed {
			s.explain.begin(problem.Of(s.err)) // the code that is shown there
		}
		return turn{}
	case "other":
		s.state = signInOther // the code stays good meanwhile: somebody may have it
		return turn{}
	case "":
	default:
		return stayed(words.T("flow.not_a_command"))
	}
	switch s.state {
	case signInWaiting:
		return s.ask.play(d, a.Text)
	case signInFailed:
		return s.answerFailed(d, a.Text)
	case signInException:
		if a.Text == "ways" {
			s.state = signInFailed
			return turn{}
		}
	case signInOther, signInClient, signInTenant, signInCloud, signInFor:
		return s.answerOther(d, a.Text)
	case signInExplain:
		if s.explain.answer(d, a.Text) {
			s.state = s.from
		}
		return turn{}
	case signedIn:
		switch a.Text {
		case "go":
			return goTo(Permissions)
		case "again":
			d.forgetSession()
			return s.begin(d, byCode)
		}
	}
	return turn{}
}

func (s *signInStep) inner() bool {
	switch s.state {
	case signInExplain, signInException, signInOther, signInClient, signInTenant, signInCloud, signInFor, signInApp:
		return true
	}
	return false
}

func (s *signInStep) running() bool { return s.state == signInApp && s.app.giving() }

func (s *signInStep) back(d *data) (turn, bool) {
	switch s.state {
	case signInApp:
		if t, ok := s.app.back(); ok {
			return t, true
		}
		s.state = signInFor
		return turn{stop: true}, true
	case signInExplain:
		s.state = s.from
		return turn{}, true
	case signInClient, signInTenant, signInCloud:
		s.state = signInOther
		return turn{}, true
	case signInException:
		s.state = signInFailed
		return turn{}, true
	case signInOther, signInFor:
		switch {
		case s.err != nil:
			s.state = signInFailed
		case s.alive:
			s.state = signInWaiting
		default:
			return s.begin(d, s.ask.way), true
		}
		return turn{}, true
	}
	return turn{}, false
}

func (s *signInStep) event(d *data, e any, _ time.Time) { s.app.event(d, e) }

func (s *signInStep) done(d *data, result any) turn {
	if s.state == signInApp {
		return s.app.done(d, result)
	}
	switch r := result.(type) {
	case asked:
		if r.err != nil {
			s.failed(d, r.err)
			return turn{}
		}
		s.ask.came(r)
		d.signIn = r.signIn
		return does(s.open(d, r))
	case partPlayed:
		return r.acted(&s.ask.played)
	case signInCame:
		if r.err != nil {
			s.failed(d, r.err)
			return turn{}
		}
		return s.opened(d, r)
	}
	return turn{}
}

// open waits for the sign-in, and opens the tenant.
func (s *signInStep) open(d *data, r asked) Effect {
	b, target := d.b, d.target
	return effect(func(ctx context.Context, _ Reporter) any {
		account, err := r.wait(ctx)
		if err != nil {
			return signInCame{err: err}
		}
		if err := belongs(account, target.Tenant); err != nil {
			return signInCame{err: err}
		}
		session, err := b.Open(ctx, r.signIn, account)
		return signInCame{account, session, err}
	})
}

// belongs reports whether an account is of the tenant, where its ID is known.
func belongs(a consent.Account, tenant string) error {
	if isGUID(strings.ToLower(tenant)) && !strings.EqualFold(tenant, a.Tenant) {
		return problem.New(problem.OtherTenant, problem.Args{"upn": a.UPN, "tenant": a.Tenant, "expected": tenant})
	}
	return nil
}

func (s *signInStep) opened(d *data, r signInCame) turn {
	// What an application signs in with was kept before it was made.
	d.account, d.session, d.saved = r.account, r.session, r.session.Connection().Acts()
	s.state = signedIn
	t := goTo(Permissions)
	t.say = []words.Text{words.T("flow.signin.done", "account", d.who(), "tenant", r.session.Connection().TenantName)}
	return t
}

// who is the person or the application that is signed in.
func (d *data) who() string {
	if d.session != nil {
		if c := d.session.Connection(); c.Acts() {
			return c.Application.Name
		}
	}
	return d.account.UPN
}

func (s *signInStep) failed(d *data, err error) {
	// A question about an error on the page goes on being asked; its end shows
	// how the sign-in ended.
	if s.state == signInExplain {
		s.from = signInFailed
	} else {
		s.state = signInFailed
	}
	s.err, s.at, s.alive = err, d.now(), false
}
