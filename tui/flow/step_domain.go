package flow

import (
	"cmp"
	"context"
	"io"
	"slices"
	"strconv"
	"time"

	"github.com/hacsync/hacsync/sync/destination"
	"github.com/hacsync/hacsync/sync/input"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/run"
	"github.com/hacsync/hacsync/tui/words"
)

// domainStep asks for the domain, and shows what stands in its way.
type domainStep struct {
	base
	asks    domainAsk
	domains []run.DomainInfo
	pre     *destination.Precheck
	limit   string
}

type domainAsk uint8

const (
	askDomain domainAsk = iota
	askFindings
	askLimit
)

type (
	domainsRead struct {
		domains []run.DomainInfo
		err     error
	}
	prechecked struct {
		domain   string
		pre      *destination.Precheck
		settings run.Settings
		err      error
	}
	settingsKept struct {
		settings run.Settings
		err      error
	}
)

func (s *domainStep) enter(d *data, back bool) turn {
	if back && s.pre != nil && d.domain != "" {
		s.asks = askFindings
		return turn{}
	}
	s.asks = askDomain
	return s.read(d)
}

func (s *domainStep) read(d *data) turn {
	s.working, s.err = words.T("flow.domain.reading"), nil
	engine := d.engine()
	return does(effect(func(ctx context.Context, r Reporter) any {
		list, err := engine(r).Domains(ctx)
		return domainsRead{list, err}
	}))
}

func (s *domainStep) precheck(d *data, domain string) turn {
	s.working, s.err = words.T("flow.domain.reading"), nil
	engine := d.engine()
	return does(effect(func(ctx context.Context, r Reporter) any {
		e := engine(r)
		settings, err := e.Settings(ctx, domain)
		if err != nil {
			return prechecked{err: err}
		}
		pre, err := e.Precheck(ctx, domain)
		return prechecked{domain, pre, settings, err}
	}))
}

// hopeless is why a domain cannot be synchronised, nil if it can.
func hopeless(i run.DomainInfo) *problem.Problem {
	switch {
	case !i.Verified:
		return problem.New(problem.DomainUnverified, problem.Args{"domain": i.Name})
	case i.Initial:
		return problem.New(problem.DomainInitial, problem.Args{"domain": i.Name})
	}
	return nil
}

func signsInBy(federated bool) words.Text {
	if federated {
		return words.T("flow.domain.federated")
	}
	return words.T("flow.domain.managed")
}

func (s *domainStep) view(d *data, now time.Time) View {
	v := View{Title: words.T("flow.domain.title"), Status: words.T("flow.domain.status")}
	if s.waits(&v) {
		return v
	}
	if s.err != nil {
		v.Blocks = append(v.Blocks, words.Trouble{Err: s.err})
	}
	switch s.asks {
	case askLimit:
		v.Title = words.T("word.max-allowed-deletions")
		v.Blocks = append(v.Blocks, words.Para{Text: words.T("flow.domain.limit_what")})
		v.Ask = Question{Kind: Number, Text: words.T("flow.domain.limit_ask"), Preset: cmp.Or(s.limit, strconv.Itoa(d.settings.Policy.MaxAllowedDeletions))}
		return v
	case askFindings:
		v.Title = words.T("flow.domain.findings", "domain", d.domain)
		v.Blocks = append(v.Blocks, findings(s.pre), words.Para{Text: limitSays(d.settings)})
		v.Ask = Question{Kind: Choice, Text: words.T("flow.choose"), Preset: "go", Options: []Option{
			{Key: "go", Text: words.T("word.continue")},
			{Key: "limit", Text: words.T("word.max-allowed-deletions"), Note: words.T("flow.domain.limit_change")},
			{Key: "list", Text: words.T("flow.domain.another")},
		}}
		if things(s.pre) > 0 {
			v.Ask.Options = append(v.Ask.Options[:1:1], append([]Option{
				{Key: "save", Text: words.T("flow.domain.script"), Note: words.T("flow.domain.script_note")},
			}, v.Ask.Options[1:]...)...)
			v.Commands = []Command{command("save", "w", "save", words.T("flow.domain.script_help"))}
		}
		v.Commands = append(v.Commands,
			command("limit", "m", "limit", words.T("flow.domain.limit_change")),
			checkAgain())
		return v
	}
	v.Commands = []Command{checkAgain()}
	if s.domains == nil {
		v.Ask = Question{Kind: Choice, Text: words.T("flow.choose"), Preset: "again", Options: []Option{{Key: "again", Text: words.T("flow.check_again")}}}
		return v
	}
	v.Ask = Question{Kind: Choice, Text: words.T("flow.domain.ask")}
	for _, i := range s.domains {
		note := signsInBy(i.Federated)
		if hopeless(i) != nil {
			note = words.T("flow.domain.cannot")
		} else if i.LastSync != nil {
			note = words.T("flow.domain.synced", "by", note, "run", int(i.LastSync.No), "state", words.T("run.state."+string(i.LastSync.State)))
		} else if i.LastDryRun != nil {
			note = words.T("flow.domain.dried", "by", note, "run", int(i.LastDryRun.No))
		}
		v.Ask.Options = append(v.Ask.Options, Option{Key: i.Name, Text: words.Raw(i.Name), Note: note})
	}
	v.Ask.Preset = s.preset(d)
	return v
}

// preset is the domain chosen before, else the tenant's default one, else the
// first that can be synchronised.
func (s *domainStep) preset(d *data) string {
	first := ""
	for _, i := range s.domains {
		if hopeless(i) != nil {
			continue
		}
		if i.Name == d.domain || i.Default && d.domain == "" {
			return i.Name
		}
		first = cmp.Or(first, i.Name)
	}
	return first
}

// localParts leaves the domain of the names away.
func localParts(names []string, domain string) words.Names {
	out := make(words.Names, len(names))
	for i, n := range names {
		out[i] = words.Local(n, domain)
	}
	return out
}

func limitSays(s run.Settings) words.Text {
	if s.Policy.MaxAllowedDeletions == 0 {
		return words.T("flow.domain.limit_none")
	}
	if s.Policy.MaxDeletions >= 0 {
		return words.T("flow.domain.limit_both", "percent", s.Policy.MaxAllowedDeletions, "most", max(1, s.Policy.MaxDeletions))
	}
	return words.T("flow.domain.limit", "percent", s.Policy.MaxAllowedDeletions)
}

// things is how many objects other than users were found.
func things(p *destination.Precheck) int { return len(p.Shared) + len(p.Rooms) + len(p.Things) }

// moveScript saves the script that moves the objects other than users.
func (s *domainStep) moveScript(d *data) turn {
	if s.pre == nil || things(s.pre) == 0 {
		return turn{}
	}
	s.working, s.err = words.T("flow.domain.reading"), nil
	b, session, pre := d.b, d.session, s.pre
	name := "hacsync-move-" + fileWord(d.domain) + ".ps1"
	return does(effect(func(ctx context.Context, _ Reporter) any {
		path, err := b.WriteFile(ctx, name, func(w io.Writer) error { return session.MoveScript(ctx, w, pre) })
		return fileSaved{path, err}
	}))
}

// findings are what a pre-check found, each with what to do about it.
func findings(p *destination.Precheck) words.Checks {
	list := words.Checks{{Mark: words.OK, Text: words.T("flow.domain.verified", "by", signsInBy(p.Domain.Federated), "n", p.Users)}}
	if p.Domain.Federated {
		list = append(list, words.Check{Mark: words.Info, Text: words.T("flow.domain.new_federated")})
	} else {
		list = append(list, words.Check{Mark: words.Info, Text: words.T("flow.domain.new_managed")})
	}
	if n := things(p); n > 0 {
		c := words.Check{Mark: words.Warn, Text: words.T("flow.domain.things", "n", n)}
		for _, k := range []struct {
			id    string
			names []string
		}{{"mailbox.shared", p.Shared}, {"mailbox.room", p.Rooms}, {"mailbox.equipment", p.Things}} {
			if len(k.names) > 0 {
				c.Detail = append(c.Detail, words.T("flow.domain.of_kind", "kind", words.T(k.id), "n", len(k.names), "names", localParts(k.names, p.Domain.Name)))
			}
		}
		if p.Guessed {
			c.Detail = append(c.Detail, words.T("flow.domain.guessed"))
		}
		c.Detail = append(c.Detail, words.T("flow.domain.things_remedy"))
		list = append(list, c)
	} else {
		list = append(list, words.Check{Mark: words.OK, Text: words.T("flow.domain.no_things")})
	}
	if n := len(p.Synced); n > 0 {
		list = append(list, words.Check{Mark: words.Warn, Text: words.T("flow.domain.synced_ad", "n", n, "names", localParts(p.Synced, p.Domain.Name)), Detail: []words.Text{words.T("flow.domain.synced_ad_remedy")}})
	}
	if n := len(p.Groups) + len(p.Apps); n > 0 {
		list = append(list, words.Check{
			Mark: words.Info, Text: words.T("flow.domain.holds", "n", n, "names", words.Names(slices.Concat(p.Groups, p.Apps))),
			Detail: []words.Text{words.T("flow.domain.holds_remedy")},
		})
	}
	if n := len(p.Admins); n > 0 {
		list = append(list, words.Check{Mark: words.Info, Text: words.T("flow.domain.admins", "n", n, "names", localParts(p.Admins, p.Domain.Name))})
	}
	return list
}

func (s *domainStep) answer(d *data, a Answer) turn {
	switch a.Command {
	case "again":
		if s.asks == askFindings {
			return s.precheck(d, d.domain)
		}
		return s.read(d)
	case "limit":
		s.asks, s.limit = askLimit, ""
		return turn{}
	case "save":
		return s.moveScript(d)
	case "":
	default:
		return stayed(words.T("flow.not_a_command"))
	}
	switch s.asks {
	case askLimit:
		return s.setLimit(d, a.Text)
	case askFindings:
		switch a.Text {
		case "go":
			return goTo(Grant)
		case "limit":
			s.asks, s.limit = askLimit, ""
			return turn{}
		case "save":
			return s.moveScript(d)
		case "list":
			s.asks = askDomain
			return s.read(d)
		}
		return turn{}
	}
	if a.Text == "again" {
		return s.read(d)
	}
	for _, i := range s.domains {
		if i.Name != a.Text {
			continue
		}
		if why := hopeless(i); why != nil {
			s.err = why
			return turn{}
		}
		return s.precheck(d, i.Name)
	}
	return turn{}
}

func (s *domainStep) setLimit(d *data, text string) turn {
	n, ok := input.Number(trimPercent(text))
	if !ok || n > 100 {
		return stayed(words.T("flow.domain.limit_bad"))
	}
	s.limit, s.working = strconv.Itoa(n), words.T("flow.domain.reading")
	return does(keepSettings(d, map[string]string{"max_allowed_deletions": strconv.Itoa(n)}))
}

func trimPercent(s string) string {
	s = input.Fold(s)
	if n := len(s); n > 0 && s[n-1] == '%' {
		s = s[:n-1]
	}
	return s
}

// keepSettings stores settings of the domain and reads them again.
func keepSettings(d *data, kv map[string]string) Effect {
	domain, engine := d.domain, d.engine()
	return effect(func(ctx context.Context, r Reporter) any {
		e := engine(r)
		if err := e.SetSettings(ctx, domain, kv); err != nil {
			return settingsKept{err: err}
		}
		settings, err := e.Settings(ctx, domain)
		return settingsKept{settings, err}
	})
}

func (s *domainStep) inner() bool { return s.asks != askDomain }

func (s *domainStep) back(d *data) (turn, bool) {
	switch {
	case s.asks == askLimit:
		s.asks, s.working, s.err = askFindings, words.Text{}, nil
		return turn{stop: true}, true
	case s.asks == askFindings:
		s.asks, s.working, s.err = askDomain, words.Text{}, nil
		return turn{stop: true}, true
	}
	return turn{}, false
}

func (s *domainStep) done(d *data, result any) turn {
	s.working = words.Text{}
	switch r := result.(type) {
	case domainsRead:
		s.err = r.err
		if r.err == nil {
			s.domains = r.domains
		}
	case prechecked:
		s.err = r.err
		if r.err != nil {
			return turn{}
		}
		if d.domain != r.domain {
			// What was said of another domain's source does not hold here.
			d.spec, d.count, d.overview = cmp.Or(d.o.Source, r.settings.Source), d.o.Count, nil
			d.forgetPlan()
		}
		d.domain, d.settings, s.pre, s.asks = r.domain, r.settings, r.pre, askFindings
	case fileSaved:
		s.err = r.err
		if r.err == nil {
			return stayed(words.T("flow.domain.script_saved", "path", r.path))
		}
	case settingsKept:
		s.err = r.err
		if r.err == nil {
			d.settings, s.asks = r.settings, askFindings
			return stayed(limitSays(r.settings))
		}
	}
	return turn{}
}
