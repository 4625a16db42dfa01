package flow

import (
	"context"
	"time"

	"github.com/hacsync/hacsync/sync/consent"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/tui/words"
)

// lookOnce finds the application where it is not known yet, and verifies it.
func lookOnce(ctx context.Context, ded consent.Dedicated, person consent.SignIn) appSeen {
	if ded.Application().ID == "" {
		if person == nil {
			return appSeen{app: ded.Application(), over: true}
		}
		found, err := ded.Find(ctx, person)
		if err != nil || !found {
			return appSeen{app: ded.Application(), err: err, over: err != nil && !pending(err)}
		}
	}
	list, err := ded.Verify(ctx)
	app := ded.Application()
	return appSeen{app: app, list: list, err: err, over: err != nil && !pending(err) || err == nil && len(openGrants(list)) == 0}
}

// pending are errors of an application that was made a moment ago: it, its
// certificate and its permissions can take some minutes to be seen everywhere.
func pending(err error) bool {
	p := problem.Of(err)
	return problem.Has(err, problem.ClientUnknown, problem.CertificateUnknown, problem.GrantMissing) || p != nil && p.Class() == problem.Retry
}

// look looks at the tenant until nothing is missing, or for some minutes.
func (a *application) look(d *data) turn {
	a.does, a.err, a.unseen, a.working = appLooks, nil, nil, words.T("flow.app.looking")
	ded, person, c, every := a.ded, a.person, d.b.Clock(), d.every()
	return does(looking(func(ctx context.Context, r Reporter) any {
		for n := 1; ; n++ {
			seen := lookOnce(ctx, ded, person)
			if seen.over || n == looks || ctx.Err() != nil {
				return seen
			}
			r.Note(seen)
			if err := c.Sleep(ctx, every); err != nil {
				return seen
			}
		}
	}))
}

// probe checks whether the signed-in user may look for applications: then the list is
// live without another sign-in.
func (a *application) probe(d *data) turn {
	person, ded := d.signIn, a.ded
	if person == nil || d.session == nil {
		return turn{}
	}
	return does(effect(func(ctx context.Context, _ Reporter) any {
		if _, err := ded.Find(ctx, person); err != nil {
			return appProbed{}
		}
		return appProbed{person}
	}))
}

// looks is how often is looked before the person is asked again: ten minutes,
// for a grant can take some minutes to be seen.
const looks = 60

// every is how long is waited between two looks.
func (d *data) every() time.Duration {
	if d.o.Poll > 0 {
		return d.o.Poll
	}
	return 10 * time.Second
}

func (a *application) event(d *data, e any) {
	switch e := e.(type) {
	case appSeen:
		a.saw(d, e)
	case consent.Given:
		a.list = given(a.list, e)
	}
}

// given marks what was just given.
func given(list []consent.Grant, g consent.Given) []consent.Grant {
	out := append([]consent.Grant(nil), list...)
	for i := range out {
		if out[i].Name == g.Name && out[i].Kind == g.Kind {
			out[i].State = consent.Granted
			return out
		}
	}
	g.State = consent.Granted
	return append(out, g.Grant)
}

func (a *application) saw(d *data, e appSeen) {
	a.app, a.looked, a.unseen = e.app, d.now(), e.err
	if e.list != nil {
		a.list = e.list
	}
}
