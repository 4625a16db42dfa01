package flow

import (
	"context"
	"time"

	"github.com/hacsync/hacsync/sync/consent"
	"github.com/hacsync/hacsync/sync/progress"
	"github.com/hacsync/hacsync/tui/words"
)

// signAgain is a sign-in that something under way asks for: Microsoft wants more than
// the token proves, or the sign-in has ended. The step goes on by itself after the
// sign-in.
type signAgain struct {
	ask  asking
	came time.Time
}

// againPlayed is how the demo's person fared at it.
type againPlayed struct{ partPlayed }

func newSignAgain(d *data, code consent.Code, now time.Time) *signAgain {
	s := &signAgain{came: now}
	s.ask.waits, s.ask.code, s.ask.scopes = true, code, consent.ReadScopes()
	client := d.target.Client
	if d.session != nil {
		client = d.session.Connection().Client
	}
	s.ask.named(client)
	return s
}

// view puts the code in place of what the step shows.
func (s *signAgain) view(d *data, v *View) {
	work := v.Work
	*v = View{Title: words.T("flow.again.title"), Status: words.T("flow.again.status"), Work: work}
	v.Blocks = []words.Piece{words.Para{Text: words.T("flow.again.what")}}
	s.ask.view(d, v)
	// The way cannot be changed here: what runs has asked for this code.
	commands := v.Commands[:0]
	for _, c := range v.Commands {
		if c.Name == "letter" {
			commands = append(commands, c)
		}
	}
	v.Commands = commands
}

func (s *signAgain) answer(d *data, a Answer) turn {
	switch a.Command {
	case "letter":
		s.ask.letter = true
		return turn{}
	case "":
		t := s.ask.play(d, a.Text)
		for i := range t.run {
			play := t.run[i].run
			t.run[i].run = func(ctx context.Context, r Reporter) any {
				if p, ok := play(ctx, r).(partPlayed); ok {
					return againPlayed{p}
				}
				return nil
			}
		}
		return t
	}
	return stayed(words.T("flow.not_a_command"))
}

func (s *signAgain) acted(r againPlayed) turn { return r.partPlayed.acted(&s.ask.played) }

// flight is how long requests that were sent before the code came may still
// bring something.
const flight = 3 * time.Second

// over reports whether an event shows that a user has signed in: the tenant is being
// read again.
func (s *signAgain) over(event any, now time.Time) bool {
	e, ok := event.(progress.Event)
	return ok && e.Phase != "" && e.Phase != progress.Source && now.Sub(s.came) > flight
}
