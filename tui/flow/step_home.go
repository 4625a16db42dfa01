package flow

import (
	"cmp"
	"context"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/input"
	"github.com/hacsync/hacsync/sync/periodic"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/run"
	"github.com/hacsync/hacsync/sync/state"
	"github.com/hacsync/hacsync/tui/review"
	"github.com/hacsync/hacsync/tui/words"
)

// homeStep lists the domains of a connection with what they wait for, and is where
// everything about them begins.
type homeStep struct {
	base
	home   *run.Home
	upkeep standing
	since  map[string]run.Since
	whole  bool      // the tenant's own domains are among them
	at     string    // the domain that was looked at last
	asked  time.Time // when the tenant was asked for its domains
}

// standing is periodic sync as the state has it.
type standing struct {
	domains map[string]periodic.Status
	workers []state.Worker
}

type (
	homeRead struct {
		home   *run.Home
		upkeep standing
		since  map[string]run.Since
		whole  bool
		err    error
	}
	// homeOpened is a domain with what a step of it needs.
	homeOpened struct {
		domain   string
		settings run.Settings
		planned  *run.Planned
		review   *review.Review
		resume   int64
		to       Step
		through  Step // before it on the way back; the step itself for none
		err      error
	}
)

func (s *homeStep) enter(d *data, back bool) turn {
	s.err, d.homeward = nil, false
	d.domain, d.file = "", nil
	d.forgetPlan()
	return s.read(d)
}

// read takes what the state has at once; the tenant's own list of domains comes
// when it comes.
func (s *homeStep) read(d *data) turn {
	if s.home == nil {
		s.working = words.T("home.reading")
	}
	s.whole, s.asked = false, d.now()
	engine, session := d.engine(), d.session
	// Plans are compared once: since has what was found out already.
	since := map[string]run.Since{}
	look := func(ctx context.Context, r Reporter, also []directory.Domain) homeRead {
		h, err := engine(r).Home(ctx, also...)
		if err != nil {
			return homeRead{err: err}
		}
		up, err := readStanding(ctx, session)
		if err != nil {
			return homeRead{err: err}
		}
		for _, one := range h.Domains {
			if one.DryRun == nil || one.Planned.Counts == nil || one.Planned.Counts.Changes() > mostCompared {
				continue
			}
			if _, known := since[one.Name]; known {
				continue
			}
			if since[one.Name], err = engine(r).Since(ctx, one.Name); err != nil {
				return homeRead{err: err}
			}
		}
		return homeRead{home: h, upkeep: up, since: maps.Clone(since)}
	}
	return does(looking(func(ctx context.Context, r Reporter) any {
		first := look(ctx, r, nil)
		if first.err != nil {
			return first
		}
		r.Note(first)
		list, err := engine(r).Domains(ctx)
		if err != nil {
			return homeRead{err: err}
		}
		also := make([]directory.Domain, len(list))
		for i, one := range list {
			also[i] = one.Domain
		}
		all := look(ctx, r, also)
		all.whole = true
		return all
	}))
}

// tenantSlow is after how long a tenant that does not answer is named.
const tenantSlow = 5 * time.Second

// mostCompared is up to how many changes two plans are compared at home: longer
// ones take too long to be read for one line.
const mostCompared = 20000

func readStanding(ctx context.Context, session Session) (standing, error) {
	var up standing
	var err error
	u := session.Upkeep()
	if up.domains, err = u.Statuses(ctx); err != nil {
		return up, err
	}
	up.workers, err = u.Workers(ctx)
	return up, err
}

func (s *homeStep) view(d *data, now time.Time) View {
	v := View{Title: words.T("home.title")}
	c := d.session.Connection()
	v.Status = words.T("home.status", "account", c.Account, "since", words.Brief(firstTime(c.Saved, c.LastUsed, now)))
	if c.Acts() {
		v.Status = words.T("home.status_app", "app", c.Application.Name, "since", words.Brief(firstTime(c.Saved, c.LastUsed, now)))
	}
	if s.waits(&v) {
		return v
	}
	if s.err != nil {
		v.Blocks = append(v.Blocks, words.Trouble{Err: s.err})
	}
	if s.home == nil {
		v.Ask = Question{Kind: Choice, Text: words.T("flow.choose"), Preset: "again", Options: []Option{
			{Key: "again", Text: words.T("flow.check_again")},
			{Key: "signin", Text: words.T("flow.signin.again"), Note: words.T("flow.signin.again_note")},
		}}
		return v
	}
	if !s.whole && s.err == nil && now.Sub(s.asked) > tenantSlow {
		v.Blocks = append(v.Blocks, words.Checks{{Mark: words.UnderWay, Text: words.T("home.asking", "for", now.Sub(s.asked))}})
	}
	needs := s.needs(d, now)
	v.Aside = words.T("home.aside", "n", len(s.home.Domains), "needy", s.needy(now))
	v.Ask = Question{
		Kind: Choice, Text: words.T("home.ask"), Preset: s.at,
		Head: []words.Text{
			words.T("word.domain"), words.T("home.users"), words.T("home.last_dry_run"), words.T("home.last_sync"), words.T("home.periodic"), words.T("home.next"),
		},
		Right: []int{1},
	}
	if v.Ask.Preset == "" && len(s.home.Domains) > 0 {
		v.Ask.Preset = s.home.Domains[0].Name
	}
	for i := range s.home.Domains {
		v.Ask.Options = append(v.Ask.Options, s.option(&s.home.Domains[i], now))
	}
	switch {
	case len(s.home.Domains) == 0:
		v.Blocks = append(v.Blocks, words.Para{Text: words.T("home.none")})
		v.Ask = Question{Kind: Choice, Text: words.T("flow.choose"), Preset: "add", Options: []Option{{Key: "add", Text: words.T("home.add"), Note: words.T("home.add_note")}}}
	case len(needs) > 0:
		v.Blocks = append(v.Blocks, words.Heading{Text: words.T("home.needs")}, needs)
	default:
		v.Blocks = append(v.Blocks, words.Heading{Text: words.T("home.latest")}, latest(s.home.Latest))
	}
	v.Commands = s.commands()
	if wantsPerson(s.err) {
		v.Commands = append(v.Commands, command("signin", "i", "signin", words.T("flow.signin.again")))
	}
	if s.err != nil {
		// The way on comes first.
		slices.SortStableFunc(v.Commands, func(a, b Command) int {
			first := func(c Command) int { return slices.Index([]string{"again", "signin"}, c.Name) }
			return cmp.Compare(first(b), first(a))
		})
	}
	return v
}

// wantsPerson reports whether the tenant refuses the saved sign-in, so that somebody
// has to sign in.
func wantsPerson(err error) bool {
	return problem.Has(err, problem.TokenRefused, problem.SignInAgain, problem.SessionRevoked, problem.AccountLocked, problem.FlowBlocked)
}

// signInAgain renews the sign-in of the connection; home comes after it.
func (d *data) signInAgain() turn {
	c := d.session.Connection()
	d.target = Target{Tenant: c.Tenant, Client: c.Client, Connection: c.Name}
	if !c.Simulated() {
		d.target.Cloud = c.Cloud
	}
	d.forgetSession()
	d.homeward = d.o.Home
	return goTo(SignIn)
}

// firstTime is the first that is set.
func firstTime(all ...time.Time) time.Time {
	for _, t := range all {
		if !t.IsZero() {
			return t
		}
	}
	return time.Time{}
}

// commands are those of the domains; what one does nothing for now is not among
// the keys of that domain.
func (s *homeStep) commands() []Command {
	of := func(name, key, word string, help words.Text) Command {
		return command(name, key, word, help).ofOption(words.T("home.arg"))
	}
	only := func(c Command, does func(h *run.HomeDomain) bool) Command {
		c.Only = []string{}
		for i := range s.home.Domains {
			if h := &s.home.Domains[i]; does(h) {
				c.Only = append(c.Only, h.Name)
			}
		}
		return c
	}
	seen := func(h *run.HomeDomain) bool { return h.DryRun != nil }
	return []Command{
		of("dryrun", "d", "dryrun", words.T("word.dry-run")),
		only(of("sync", "s", "sync", words.T("word.sync-now")), seen),
		only(of("resume", "r", "resume", words.T("home.cmd_resume")), func(h *run.HomeDomain) bool { return h.Interrupted && h.Running == "" }),
		of("periodic", "p", "periodic", words.T("word.periodic-sync")),
		only(of("auditlog", "a", "auditlog", words.T("home.cmd_audit")), seen),
		of("logs", "l", "logs", words.T("word.sync-logs")),
		of("settings", "e", "settings", words.T("word.provisioning-settings")),
		only(of("undo", "u", "undo", words.T("home.cmd_undo")), func(h *run.HomeDomain) bool { return !h.Undoable.IsZero() }),
		command("add", "n", "add", words.T("home.add")),
		command("workers", "v", "workers", words.T("home.cmd_workers")),
		command("again", "g", "again", words.T("home.cmd_again")),
		command("connections", "tab", "connections", words.T("home.cmd_other")),
	}
}

// option is one line of the list with what a screen shows of it below.
func (s *homeStep) option(h *run.HomeDomain, now time.Time) Option {
	o := Option{Key: h.Name, Text: words.Raw(h.Name)}
	users := words.T("home.unknown")
	if h.Users >= 0 {
		users = words.Num(h.Users)
	}
	o.Cells = []words.Text{words.Raw(h.Name), users, dryRunWord(h), syncWord(h, now), s.periodicWord(h.Name, now), s.nextWord(h)}
	if h.DryRun != nil {
		o.Wide = slices.Clone(o.Cells)
		o.Wide[2] = words.T("home.dry_word", "at", when(h.DryRun.Started, now), "word", o.Cells[2])
	}
	o.Detail = []words.Piece{words.Heading{Text: words.Raw(h.Name)}, s.facts(h, now)}
	return o
}

// find is the domain that an answer names: by name or number.
func (s *homeStep) find(text string) *run.HomeDomain {
	if s.home == nil {
		return nil
	}
	if n, ok := input.Number(text); ok && n >= 1 && n <= len(s.home.Domains) {
		return &s.home.Domains[n-1]
	}
	name := directory.FoldUPN(strings.TrimSpace(text))
	i := slices.IndexFunc(s.home.Domains, func(h run.HomeDomain) bool { return h.Name == name })
	if i < 0 {
		return nil
	}
	return &s.home.Domains[i]
}

func (s *homeStep) answer(d *data, a Answer) turn {
	s.err = nil
	switch cmp.Or(a.Command, a.Text) {
	case "again":
		s.home = nil
		t := s.read(d)
		t.stop = true
		return t
	case "signin":
		return d.signInAgain()
	case "add":
		return goTo(Domain)
	case "workers":
		return goTo(Workers)
	case "connections":
		d.otherConnection = true
		return goTo(Welcome)
	}
	h := s.find(a.Text)
	if h == nil {
		return turn{}
	}
	s.at = h.Name
	switch a.Command {
	case "":
		return s.details(d, h)
	case "dryrun":
		return s.dryRun(d, h)
	case "sync":
		if h.DryRun == nil {
			return stayed(words.T("home.say_never"))
		}
		if h.Applied != nil {
			t := s.dryRun(d, h)
			t.say = append(t.say, words.T("home.say_applied", "run", int(h.Applied.No)))
			return t
		}
		return s.open(d, h, h.DryRun.No, Confirm, Preview)
	case "auditlog":
		if h.DryRun == nil {
			return stayed(words.T("home.say_never"))
		}
		return s.auditLog(d, h)
	case "resume":
		if !h.Interrupted {
			return stayed(words.T("home.say_no_resume", "domain", h.Name))
		}
		return s.open(d, h, h.Sync.No, Confirm, Confirm)
	case "undo":
		if h.Undoable.IsZero() {
			return stayed(words.T("home.say_no_undo", "domain", h.Name))
		}
		return s.undo(d, h)
	case "logs":
		d.domain = h.Name
		return goTo(Logs)
	case "settings":
		d.domain = h.Name
		return goTo(Settings)
	case "periodic":
		d.domain = h.Name
		return goTo(Periodic)
	}
	return stayed(words.T("flow.not_a_command"))
}

// details is the guides' View Details: the sync to be taken up, the latest dry
// run, the sync that applied it, or the set-up where there is none.
func (s *homeStep) details(d *data, h *run.HomeDomain) turn {
	switch {
	case h.Interrupted && h.Running == "":
		return s.open(d, h, h.Sync.No, Confirm, Confirm)
	case h.Applied != nil:
		d.domain, d.logged = h.Name, h.Applied.No
		return goTo(Logs)
	case h.DryRun != nil:
		return s.open(d, h, h.DryRun.No, Preview, Preview)
	}
	return s.dryRun(d, h)
}

// dryRun begins one: at once from a source that renews itself, else with the
// question for the file and its count.
func (s *homeStep) dryRun(d *data, h *run.HomeDomain) turn {
	to := Source
	if h.Source == "hac" {
		to = DryRun
	}
	if h.Source == "" {
		// Never set up: the walk of the set-up begins with its pre-check.
		return goTo(Domain)
	}
	return s.open(d, h, 0, to, to)
}

// open reads the settings of a domain, and the plan of a run if one is named.
func (s *homeStep) open(d *data, h *run.HomeDomain, no int64, to, through Step) turn {
	s.working = words.T("home.opening", "domain", h.Name)
	engine, domain, settled := d.engine(), h.Name, d.settled()
	resume := int64(0)
	if h.Sync != nil && no == h.Sync.No {
		resume = no
	}
	return turn{stop: true, run: []Effect{effect(func(ctx context.Context, r Reporter) any {
		settled()
		e := engine(r)
		out := homeOpened{domain: domain, resume: resume, to: to, through: through}
		if out.settings, out.err = e.Settings(ctx, domain); out.err != nil || no == 0 {
			return out
		}
		if out.planned, out.err = e.Stored(ctx, no); out.err == nil {
			out.review = reviewed(out.planned)
		}
		return out
	})}}
}

func (s *homeStep) undo(d *data, h *run.HomeDomain) turn {
	s.working = words.T("flow.result.undoing", "run", int(h.Sync.No))
	return turn{stop: true, run: []Effect{openUndo(d, h.Name, h.Sync.No)}}
}

// openUndo plans the undo of a run.
func openUndo(d *data, domain string, no int64) Effect {
	engine, settled := d.engine(), d.settled()
	return effect(func(ctx context.Context, r Reporter) any {
		settled()
		e := engine(r)
		out := homeOpened{domain: domain, to: Preview, through: Preview}
		if out.settings, out.err = e.Settings(ctx, domain); out.err != nil {
			return out
		}
		if out.planned, out.err = e.Undo(ctx, no); out.err == nil {
			out.review = reviewed(out.planned)
		}
		return out
	})
}

// auditLog saves the latest dry run as CSV.
func (s *homeStep) auditLog(d *data, h *run.HomeDomain) turn {
	s.working = words.T("preview.saving")
	engine, b, session, no, settled := d.engine(), d.b, d.session, h.DryRun.No, d.settled()
	name := "hacsync-" + fileWord(h.Name) + "-" + strconv.FormatInt(no, 10) + ".csv"
	return turn{stop: true, run: []Effect{effect(func(ctx context.Context, r Reporter) any {
		settled()
		p, err := engine(r).Stored(ctx, no)
		if err != nil {
			return fileSaved{err: err}
		}
		p = p.Remaining()
		path, err := b.WriteFile(ctx, name, func(w io.Writer) error { return session.AuditLog(ctx, w, p) })
		return fileSaved{path, err}
	})}}
}

func (s *homeStep) event(_ *data, e any, _ time.Time) {
	if r, ok := e.(homeRead); ok {
		s.take(r)
	}
}

func (s *homeStep) take(r homeRead) {
	s.working = words.Text{}
	s.home, s.upkeep, s.since, s.whole = r.home, r.upkeep, r.since, r.whole
}

func (s *homeStep) done(d *data, result any) turn {
	s.working = words.Text{}
	switch r := result.(type) {
	case homeRead:
		if r.err != nil {
			s.err = r.err // what the state has stays on the screen
			return turn{}
		}
		s.take(r)
	case fileSaved:
		if r.err != nil {
			s.err = r.err
			return turn{}
		}
		return stayed(words.T("flow.saved_to", "path", r.path))
	case homeOpened:
		if r.err != nil {
			s.err = r.err
			return turn{}
		}
		return r.opens(d)
	}
	return turn{}
}

// opens goes to what was opened. A plan that writes an attribute which was left out
// since is made anew.
func (r homeOpened) opens(d *data) turn {
	d.domain, d.settings = r.domain, r.settings
	d.spec, d.count, d.overview = r.settings.Source, -1, nil
	d.report, d.err, d.file = nil, nil, nil
	d.planned, d.review, d.resume = r.planned, r.review, r.resume
	if d.review != nil && d.planned.Applied == 0 && d.resume == 0 && slices.ContainsFunc(d.review.Without, d.review.Changes) {
		t := goTo(DryRun)
		t.say = []words.Text{words.T("home.say_attribute")}
		return t
	}
	t := goTo(r.to)
	if r.through != r.to {
		t.through = []Step{r.through}
	}
	return t
}
