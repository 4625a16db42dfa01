package flow

import (
	"context"
	"slices"
	"time"

	"github.com/hacsync/hacsync/sync/consent"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/progress"
	"github.com/hacsync/hacsync/sync/run"
	"github.com/hacsync/hacsync/sync/secret"
	"github.com/hacsync/hacsync/sync/source"
	"github.com/hacsync/hacsync/tui/review"
	"github.com/hacsync/hacsync/tui/words"
)

// Step names a step; the order is that of the walk.
type Step uint8

// The steps.
const (
	Welcome Step = iota
	SignIn
	Permissions
	Domain
	Grant
	Source
	DryRun
	Preview
	Confirm
	Sync
	Result
	// Home and what begins there are outside of the set-up.
	Home
	Logs
	Settings
	Periodic
	Workers
	steps
)

// Rail is the step's place among the eight of the set-up, 0 for Welcome and for
// what is outside of it; Confirm, Sync and Result are the eighth.
func (s Step) Rail() int {
	if s >= Home {
		return 0
	}
	return min(int(s), 8)
}

// String is the step's name in the catalogues.
func (s Step) String() string {
	return [...]string{
		"welcome", "signin", "permissions", "domain", "grant", "source",
		"dryrun", "preview", "confirm", "sync", "result",
		"home", "logs", "settings", "periodic", "workers",
	}[s]
}

// Options are what the command line knows before the first step.
type Options struct {
	Version string
	// Person is who sits here, the preset of "approved by" before anybody has
	// signed in; usually the machine's user name.
	Person string
	// Target is where to sign in, if it was said.
	Target Target
	// Source is the source if it was said (--source), and Count what HAC shows
	// (--source-count), -1 unanswered.
	Source string
	Count  int
	// Home: the walk opens on the domains of the connection used last, where there
	// is one with domains that are set up.
	Home bool
	// Windows: paths are pasted with backslashes.
	Windows bool
	// Newest finds the newest export in the folder of downloads, empty for none;
	// nil where nobody looks.
	Newest func(ctx context.Context) string
	// Poll is how often the grant step looks again; 0 is 10 s of the backend's
	// clock.
	Poll time.Duration
}

// Flow is the walk. Its methods are called from one goroutine, the driver's.
type Flow struct {
	d     *data
	steps [steps]step
	at    Step
	// trail are the steps before this one, without those that only run.
	trail []Step
	// generation counts the stops: what an older effect brings is dropped.
	generation int
	running    int // effects of this generation
	looking    int // those of them that only look
	end        *End
	// again is a sign-in that what runs asks for in between.
	again *signAgain
	// waits: what runs waits for the keyring.
	waits bool
}

// End is how a walk ended.
type End struct {
	// Report is of the last sync, nil if none began.
	Report *run.Report
	// Err is why the last sync did nothing or stopped, nil otherwise.
	Err error
	// Saved: the sign-in is kept for next time.
	Saved bool
	// Given is the dedicated application that was made or granted in this walk,
	// by its name; empty for none.
	Given string
}

// Effect is work outside of the steps. The driver runs it, cancels ctx when a
// Turn says Stop, and gives what it returns to Finish.
type Effect struct {
	generation int
	of         Step
	run        func(ctx context.Context, r Reporter) any
	// Writes: the effect may write to the tenant. A driver that is interrupted
	// cancels it and waits for it, so that it can say what was done.
	Writes bool
	// Looks: the effect reads what is shown anyway; nothing is lost with it.
	Looks bool
}

// Run does the work.
func (e Effect) Run(ctx context.Context, r Reporter) any {
	return e.run(secret.OnWait(ctx, func(waits bool) { r.Note(keyringWaits(waits)) }), r)
}

// keyringWaits says that an effect waits for the keyring, or does no more.
type keyringWaits bool

// Reporter takes what an effect says while it runs, from any goroutine; the
// driver gives it to Flow.Event.
type Reporter interface {
	progress.Sink
	// Note takes any other event of a step.
	Note(event any)
}

// Turn is what an answer or a finished effect led to.
type Turn struct {
	// Say is to be said at once: why an answer was not taken, what was done.
	Say []words.Text
	// Stop: cancel what runs; what it brings is dropped.
	Stop    bool
	Effects []Effect
}

// turn is what a step decides.
type turn struct {
	say  []words.Text
	stop bool
	run  []Effect
	to   Step // where move is forward
	// through are steps between, that back leads to.
	through []Step
	move    move
}

type move uint8

const (
	stay move = iota
	forward
	backward
	leave // the walk ends
)

func stayed(say ...words.Text) turn { return turn{say: say} }
func goTo(s Step) turn              { return turn{move: forward, to: s} }
func does(e ...Effect) turn         { return turn{run: e} }
func effect(f func(ctx context.Context, r Reporter) any) Effect {
	return Effect{run: f}
}

// looking is an effect that reads what is shown anyway.
func looking(f func(ctx context.Context, r Reporter) any) Effect {
	return Effect{run: f, Looks: true}
}

// step is one step with its typed state, kept while the walk is elsewhere.
type step interface {
	// enter is called when the walk comes here; back says from where.
	enter(d *data, back bool) turn
	view(d *data, now time.Time) View
	// answer takes an answer or a command.
	answer(d *data, a Answer) turn
	// back leaves a question within the step; false where the step itself is left.
	back(d *data) (turn, bool)
	// inner reports whether back stays within the step; running, whether there is
	// no way back now, because something writes.
	inner() bool
	running() bool
	// event takes what a running effect reports.
	event(d *data, e any, now time.Time)
	// done takes what an effect of this step brought.
	done(d *data, result any) turn
}

// data is what the steps have found and been told, in one place, so that going
// back keeps every input.
type data struct {
	b Backend
	o Options

	target  Target
	signIn  consent.SignIn
	account consent.Account
	session Session
	saved   bool
	grants  []consent.Grant

	domain   string
	settings run.Settings
	setting  string // the key that Provisioning Settings open at, empty for the first

	spec     string
	count    int
	overview *source.Overview

	// file is a plan that a person opened, nil for the usual way.
	file    *plan.Plan
	planned *run.Planned
	review  *review.Review

	// homeward: the sign-in was renewed at home, which comes after it.
	homeward bool

	// logged is the run that the sync logs open with, 0 for their list.
	logged int64

	// questions: the preview comes to its questions next.
	questions bool

	// stored ends once all that was decided so far is stored; nil for nothing.
	stored <-chan struct{}

	// otherConnection: the walk goes to Welcome for another of the saved connections.
	otherConnection bool

	approval run.Approval
	resume   int64 // the interrupted run that is taken up, 0 for a new one
	report   *run.Report
	err      error
	began    bool // a sync was started
	given    string
	// last is the last sync that wrote something, else the last of all: what is
	// said at the end.
	last    *run.Report
	lastErr error
}

func (d *data) now() time.Time { return d.b.Clock().Now() }

// engine gives the operations of the session that is open now. Effects take it
// with them: they must not look into data, which the driver goes on changing.
func (d *data) engine() func(Reporter) Engine {
	session := d.session
	return func(r Reporter) Engine {
		return session.Engine(Hooks{Progress: r, Code: func(c consent.Code) { r.Note(c) }})
	}
}

// New starts a walk; Start gives its first effects.
func New(b Backend, o Options) *Flow {
	return &Flow{
		d: &data{b: b, o: o, target: o.Target, spec: o.Source, count: o.Count},
		steps: [steps]step{
			Welcome: &welcomeStep{}, SignIn: &signInStep{}, Permissions: &permissionsStep{}, Domain: &domainStep{},
			Grant: &grantStep{}, Source: &sourceStep{}, DryRun: &dryRunStep{}, Preview: &previewStep{},
			Confirm: &confirmStep{}, Sync: &syncStep{}, Result: &resultStep{},
			Home: &homeStep{}, Logs: &logStep{}, Settings: &settingsStep{}, Periodic: &periodicStep{}, Workers: &workersStep{},
		},
	}
}

// Start enters the first step.
func (f *Flow) Start() Turn { return f.apply(f.steps[f.at].enter(f.d, false)) }

// At is the present step.
func (f *Flow) At() Step { return f.at }

// remaining is the dry run with the plan of what remains of it.
func (d *data) remaining() *run.Planned {
	p := *d.planned
	p.Plan = d.review.Approved()
	return &p
}

// Now is the backend's time, by which a wait's end is told.
func (f *Flow) Now() time.Time { return f.d.now() }

// Busy reports whether an effect is under way.
func (f *Flow) Busy() bool { return f.running > 0 }

// Losing reports whether something is under way that leaving would lose.
func (f *Flow) Losing() bool { return f.running > f.looking }

// Began reports whether a sync was started, and so something may be written.
func (f *Flow) Began() bool { return f.d.began }

// Ended is set when the walk is over.
func (f *Flow) Ended() *End { return f.end }

// Stopped is how things stand for a driver that ends the walk by itself.
func (f *Flow) Stopped() *End {
	return &End{Report: f.d.last, Err: f.d.lastErr, Saved: f.d.saved, Given: f.d.given}
}

// Close forgets what was not saved.
func (f *Flow) Close() error {
	if s := f.d.session; s != nil {
		f.d.session = nil
		return s.Close()
	}
	return nil
}

// View is what the present step shows.
func (f *Flow) View() View {
	now := f.d.now()
	v := f.steps[f.at].view(f.d, now)
	if f.again != nil {
		f.again.view(f.d, &v)
	}
	if f.waits {
		v.Working = words.T("flow.waiting_keyring")
	}
	v.Step = f.at
	v.Back = f.at != Result && !f.steps[f.at].running() && (len(f.trail) > 0 || f.steps[f.at].inner())
	v.Where = f.where()
	return v
}

func (f *Flow) where() Where {
	w := Where{Version: f.d.o.Version, Simulated: f.d.b.Simulated(), Domain: f.d.domain}
	if s := f.d.session; s != nil {
		c := s.Connection()
		w.Connection, w.Tenant, w.Initial, w.Known = c.Name, c.TenantName, c.Initial, true
		w.Simulated = w.Simulated || c.Simulated()
	}
	if f.d.review != nil {
		w.Plan, w.Run = f.d.review.Code(), f.d.planned.Run
	}
	return w
}

// Answer takes an answer or a command.
func (f *Flow) Answer(a Answer) Turn {
	switch a.Command {
	case CmdQuit:
		return f.apply(turn{stop: true, move: leave})
	case CmdBack:
		t, ok := f.steps[f.at].back(f.d)
		if !ok {
			t = turn{stop: true, move: backward}
		}
		return f.apply(t)
	case CmdLook:
		if f.at != Preview || f.d.review == nil {
			return Turn{}
		}
		return f.apply(f.d.keepLook(a.Look))
	}
	a, ok := f.View().takes(a)
	switch {
	case !ok:
		return f.apply(stayed(words.T("flow.not_a_choice")))
	case f.again != nil:
		return f.apply(f.again.answer(f.d, a))
	}
	return f.apply(f.steps[f.at].answer(f.d, a))
}

// Event takes what a running effect reports.
func (f *Flow) Event(e Effect, event any) {
	if e.generation != f.generation {
		return
	}
	if waits, ok := event.(keyringWaits); ok {
		f.waits = bool(waits)
		return
	}
	// A sync asks in words of its own.
	if code, ok := event.(consent.Code); ok && e.of != Sync {
		f.again = newSignAgain(f.d, code, f.d.now())
		return
	}
	if f.again != nil && f.again.over(event, f.d.now()) {
		f.again = nil
	}
	f.steps[e.of].event(f.d, event, time.Now())
}

// Finish takes what an effect brought. A driver calls it for stopped effects too:
// what they opened is closed again.
func (f *Flow) Finish(e Effect, result any) Turn {
	if e.generation != f.generation {
		switch r := result.(type) {
		case reopened:
			closeSession(r.session)
		case signInCame:
			closeSession(r.session)
		case decided: // the person has gone on, and must hear of it
			if r.err != nil {
				return Turn{Say: []words.Text{words.T("preview.not_stored"), words.T("flow.what", "x", words.What{Err: r.err})}}
			}
		}
		return Turn{}
	}
	f.running--
	f.waits = false
	if e.Looks {
		f.looking--
	}
	if played, ok := result.(againPlayed); ok {
		if f.again == nil {
			return Turn{}
		}
		return f.apply(f.again.acted(played))
	}
	f.again = nil
	return f.apply(f.steps[e.of].done(f.d, result))
}

func (f *Flow) apply(t turn) Turn {
	out := Turn{}
	for {
		out.Say = append(out.Say, t.say...)
		if t.stop {
			f.generation++
			f.running, f.looking, f.again, f.waits = 0, 0, nil, false
			out.Stop = true
			out.Effects = nil
		}
		for _, e := range t.run {
			e.generation, e.of = f.generation, f.at
			f.running++
			if e.Looks {
				f.looking++
			}
			out.Effects = append(out.Effects, e)
		}
		switch t.move {
		case stay:
			return out
		case leave:
			f.end = f.Stopped()
			return out
		case forward:
			if f.at != DryRun && f.at != Sync {
				f.trail = append(f.trail, f.at)
			}
			// Coming to a step that lies behind takes the way to it up again.
			for i, s := range f.trail {
				if s == t.to {
					f.trail = f.trail[:i]
					break
				}
			}
			if t.to == Home {
				// Home is the root of what is opened from it; before it is only the choice
				// of a connection.
				f.trail = slices.DeleteFunc(f.trail, func(s Step) bool { return s != Welcome })
			}
			f.trail = append(f.trail, t.through...)
			f.at = t.to
			t = f.steps[f.at].enter(f.d, false)
		case backward:
			if len(f.trail) == 0 {
				return out
			}
			f.at = f.trail[len(f.trail)-1]
			f.trail = f.trail[:len(f.trail)-1]
			t = f.steps[f.at].enter(f.d, true)
		}
	}
}
