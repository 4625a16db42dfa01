package flow

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hacsync/hacsync/sync/input"
	"github.com/hacsync/hacsync/sync/run"
	"github.com/hacsync/hacsync/sync/source"
	"github.com/hacsync/hacsync/tui/words"
)

// sourceStep asks where the users come from, and whether that is all of them.
type sourceStep struct {
	base
	asks  sourceAsk
	path  string
	typed string // the count as typed
	wrong bool   // the count does not agree
	// kept is the client of the HAC API that is saved; client is the one that is
	// being typed.
	kept, client string
	// newest is the file of the download folder that is offered.
	newest string
}

type sourceAsk uint8

const (
	askWhere sourceAsk = iota
	askPath
	askCount
	askHAC    // which client of the HAC API
	askClient // its ID
	askKey    // its secret
)

type (
	sourceSeen struct {
		spec string
		over *source.Overview
		err  error
	}
	sourceKept struct {
		settings run.Settings
		err      error
	}
)

const csvPrefix = "csv:"

func (s *sourceStep) enter(d *data, back bool) turn {
	s.asks, s.err, s.working = askWhere, nil, words.Text{}
	if back && d.overview != nil {
		s.asks = askCount
	}
	if s.newest != "" || d.o.Newest == nil || d.b.Demo() != nil {
		return turn{}
	}
	newest := d.o.Newest
	return does(effect(func(ctx context.Context, _ Reporter) any { return newestSeen{newest(ctx)} }))
}

// offered is the path that is offered first: what was said before, else the
// demo's sample.
func (s *sourceStep) offered(d *data) string {
	if s.path != "" {
		return s.path
	}
	if p, ok := strings.CutPrefix(d.spec, csvPrefix); ok {
		return p
	}
	if demo := d.b.Demo(); demo != nil {
		p, _ := demo.Export()
		return p
	}
	return s.newest
}

func (s *sourceStep) view(d *data, now time.Time) View {
	v := View{Title: words.T("flow.source.title"), Status: words.T("flow.source.status")}
	if s.waits(&v) {
		return v
	}
	if s.err != nil {
		v.Blocks = append(v.Blocks, words.Trouble{Err: s.err})
	}
	switch s.asks {
	case askWhere:
		v.Ask = Question{Kind: Choice, Text: words.T("flow.source.where"), Preset: "file", Options: []Option{
			{Key: "file", Text: words.T("flow.source.file"), Note: words.T("flow.source.file_note")},
			{Key: "hac", Text: words.T("flow.source.hac"), Note: words.T("flow.source.hac_note")},
		}}
		if s.newest != "" {
			v.Ask.Options[0].Note = words.T("flow.source.newest_file", "path", s.newest)
		}
		if d.spec == "hac" {
			v.Ask.Preset = "hac"
		}
	case askHAC, askClient, askKey:
		s.viewHAC(&v)
	case askPath:
		v.Ask = Question{Kind: Path, Text: words.T("flow.source.path"), Preset: s.offered(d)}
	case askCount:
		s.viewCount(d, &v, now)
	}
	return v
}

func (s *sourceStep) viewCount(d *data, v *View, now time.Time) {
	o := d.overview
	if o.Encoding != "" {
		v.Blocks = append(v.Blocks, words.Para{Text: words.T("flow.source.file_is", "name", o.Name, "encoding", o.Encoding, "comma", o.Comma, "columns", len(o.Columns), "n", o.Rows)})
	} else {
		v.Blocks = append(v.Blocks, words.Para{Text: words.T("flow.source.is", "name", o.Name, "n", o.Rows)})
	}
	v.Blocks = append(v.Blocks, newestLogin(o, now)...)
	if len(o.Columns) > 0 {
		t := words.Table{Head: []words.Text{words.T("flow.source.column"), words.T("flow.source.goes"), words.T("flow.source.first")}}
		for _, c := range o.Columns {
			t.Rows = append(t.Rows, []words.Text{words.Raw(c.Column), columnUse(c), words.Raw(c.Example)})
		}
		v.Blocks = append(v.Blocks, t)
	}
	v.Blocks = append(v.Blocks, byDomain(o, d.domain))
	if o.Domains[strings.ToLower(d.domain)] == 0 {
		v.Blocks = append(v.Blocks, words.Checks{{Mark: words.Stops, Text: words.T("flow.source.none_here", "domain", d.domain), Detail: []words.Text{words.T("flow.source.none_here_remedy")}}})
		v.Ask = Question{Kind: Choice, Text: words.T("flow.choose"), Preset: "other", Options: []Option{{Key: "other", Text: words.T("flow.source.another")}}}
		return
	}
	v.Commands = []Command{
		command("other", "o", "other", words.T("flow.source.another")),
		command("again", "r", "again", words.T("flow.source.again")),
	}
	if o.Encoding == "" {
		// The API says itself when it is at its end.
		v.Ask = Question{Kind: Choice, Text: words.T("flow.choose"), Preset: "go", Options: []Option{
			{Key: "go", Text: words.T("word.continue")}, {Key: "other", Text: words.T("flow.source.another")},
		}}
		return
	}
	if s.wrong {
		v.Refused = append(v.Refused, words.Checks{{Mark: words.Stops, Text: words.T("flow.source.differs", "typed", d.count, "n", o.Rows), Detail: []words.Text{words.T("flow.source.differs_remedy")}}})
	}
	v.Blocks = append(v.Blocks, words.Para{Text: words.T("flow.source.whole")})
	if demo := d.b.Demo(); demo != nil {
		_, n := demo.Export()
		v.Blocks = append(v.Blocks, words.Para{Text: words.T("flow.source.demo_count", "n", n)})
	}
	v.Ask = Question{Kind: Number, Text: words.T("flow.source.count"), Preset: s.typed, Optional: true}
}

// newestLogin is how old the list is at least. A time that is still to come is no
// such thing: its zone is wrong.
func newestLogin(o *source.Overview, now time.Time) []words.Piece {
	at := words.Moment(o.About.Newest)
	switch {
	case o.About.Newest.IsZero():
		return nil
	case o.Zone == "":
		return []words.Piece{words.Para{Text: words.T("flow.source.newest_api", "at", at)}}
	case o.About.Newest.After(now.Add(clocksDiffer)):
		return []words.Piece{words.Checks{{
			Mark: words.Warn, Text: words.T("flow.source.ahead", "at", at, "zone", o.Zone),
			Detail: []words.Text{words.T("flow.source.ahead_remedy", "setting", words.T("setting_name."+run.KeySourceZone))},
		}}}
	}
	return []words.Piece{words.Para{Text: words.T("flow.source.newest", "at", at, "zone", o.Zone)}}
}

// clocksDiffer is how far two clocks may be apart before a time counts as still to
// come.
const clocksDiffer = 5 * time.Minute

func columnUse(c source.Recognised) words.Text {
	switch c.Use {
	case source.Mapped:
		return words.Is(c.Attribute)
	case source.Read:
		return words.T("flow.source.read_only")
	case source.Never:
		return words.T("flow.source.never")
	}
	return words.T("flow.source.not_mapped")
}

// byDomain are the users by domain, the chosen one first.
func byDomain(o *source.Overview, domain string) words.Facts {
	domain = strings.ToLower(domain)
	facts := words.Facts{{Label: words.Raw(domain), Value: words.Num(o.Domains[domain])}}
	var names []string
	for n := range o.Domains {
		if n != "" && n != domain {
			names = append(names, n)
		}
	}
	slices.Sort(names)
	const most = 5
	others, rest := 0, 0
	for i, n := range names {
		if i < most {
			facts = append(facts, words.Fact{Label: words.Raw(n), Value: words.Num(o.Domains[n])})
		} else {
			others, rest = others+1, rest+o.Domains[n]
		}
	}
	if others > 0 {
		facts = append(facts, words.Fact{Label: words.T("flow.source.others", "n", others), Value: words.Num(rest)})
	}
	if n := o.Domains[""]; n > 0 {
		facts = append(facts, words.Fact{Label: words.T("flow.source.no_upn"), Value: words.Num(n)})
	}
	return facts
}

func (s *sourceStep) answer(d *data, a Answer) turn {
	if s.asks == askHAC || s.asks == askClient || s.asks == askKey {
		return s.answerHAC(d, a)
	}
	switch cmp.Or(a.Command, a.Text) {
	case "other":
		s.asks, s.err = askWhere, nil
		return turn{}
	case "again":
		if a.Command != "" {
			return s.look(d, d.spec)
		}
	}
	if a.Command != "" {
		return stayed(words.T("flow.not_a_command"))
	}
	switch s.asks {
	case askWhere:
		switch a.Text {
		case "file":
			s.asks, s.err = askPath, nil
			return turn{}
		case "hac":
			return s.hac(d)
		}
		return turn{}
	case askPath:
		s.path = filePath(a.Text, d.o.Windows)
		if s.path == "" {
			return stayed(words.T("flow.welcome.path_empty"))
		}
		return s.look(d, csvPrefix+s.path)
	}
	return s.take(d, a.Text)
}

func (s *sourceStep) look(d *data, spec string) turn {
	s.working, s.err, s.wrong = words.T("flow.source.reading"), nil, false
	domain, engine := d.domain, d.engine()
	return does(effect(func(ctx context.Context, r Reporter) any {
		over, err := engine(r).LookAtSource(ctx, domain, spec)
		return sourceSeen{spec, over, err}
	}))
}

// take takes the number that HAC shows, or no answer.
func (s *sourceStep) take(d *data, text string) turn {
	d.count = -1
	if text = strings.TrimSpace(text); text != "" && text != "go" {
		n, ok := input.Number(text)
		if !ok {
			return stayed(words.T("flow.not_a_number"))
		}
		s.typed, d.count = strconv.Itoa(n), n
		if s.wrong = n != d.overview.Rows; s.wrong {
			return turn{}
		}
	}
	s.working = words.T("flow.source.reading")
	domain, spec, engine := d.domain, d.spec, d.engine()
	return does(effect(func(ctx context.Context, r Reporter) any {
		e := engine(r)
		if err := e.SetSettings(ctx, domain, map[string]string{"source": spec}); err != nil {
			return sourceKept{err: err}
		}
		settings, err := e.Settings(ctx, domain)
		return sourceKept{settings, err}
	}))
}

func (s *sourceStep) inner() bool { return s.asks != askWhere }

func (s *sourceStep) back(*data) (turn, bool) {
	switch s.asks {
	case askWhere:
		return turn{}, false
	case askKey:
		s.asks, s.err = askClient, nil
		return turn{stop: true}, true
	case askPath, askCount, askHAC, askClient:
	}
	s.asks, s.err, s.working, s.wrong = askWhere, nil, words.Text{}, false
	return turn{stop: true}, true
}

func (s *sourceStep) done(d *data, result any) turn {
	if r, ok := result.(newestSeen); ok {
		s.newest = r.path
		return turn{}
	}
	s.working = words.Text{}
	switch r := result.(type) {
	case hacKept:
		return s.seenHAC(r)
	case hacSaved:
		s.err = r.err
		if r.err == nil {
			s.kept = s.client
			return s.look(d, "hac")
		}
	case sourceSeen:
		s.err = r.err
		if r.err != nil {
			return turn{}
		}
		if d.spec != r.spec {
			s.typed = ""
			if d.o.Count >= 0 {
				s.typed = strconv.Itoa(d.o.Count)
			}
		}
		d.spec, d.overview, s.asks = r.spec, r.over, askCount
	case sourceKept:
		s.err = r.err
		if r.err != nil {
			return turn{}
		}
		d.settings = r.settings
		t := goTo(DryRun)
		if d.count < 0 && d.overview.Encoding != "" {
			t.say = []words.Text{words.T("flow.source.not_confirmed")}
		}
		return t
	}
	return turn{}
}
