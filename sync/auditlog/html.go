package auditlog

import (
	"bufio"
	"fmt"
	"html/template"
	"io"
	"iter"
	"strconv"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/message"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/problem"
)

// HTML writes the same as one page that needs nothing else: no script, no network,
// in the printer's language. Changed values show characters that are invisible or
// look alike, such as <U+3000>.
func HTML(w io.Writer, p *message.Printer, r Report) error {
	buffered := bufio.NewWriterSize(w, 1<<16)
	text := func(id string) string { return p.Text(id, nil) }
	t, err := template.New("page").Funcs(template.FuncMap{"text": text}).Parse(page)
	if err != nil {
		return fmt.Errorf("audit log page: %w", err)
	}
	if err := t.Execute(buffered, view{p, r}); err != nil {
		return fmt.Errorf("write audit log: %w", err)
	}
	if err := buffered.Flush(); err != nil {
		return fmt.Errorf("write audit log: %w", err)
	}
	return nil
}

// view is what the page's template calls. Every text it returns is clean; the
// template escapes it.
type view struct {
	words  *message.Printer
	report Report
}

// Lang returns the page's language.
func (v view) Lang() string { return string(v.words.Language()) }

// Title returns the title of the page.
func (v view) Title() string {
	return v.words.Text("audit.title", problem.Args{"domain": v.report.Plan.Domain()})
}

// Heading returns of which run it is, and whether something was written.
func (v view) Heading() string {
	args := problem.Args{"run": strconv.FormatInt(v.report.Run, 10), "time": v.words.Time(v.report.At)}
	if v.report.Outcomes == nil {
		return v.words.Text("audit.dry-run", args)
	}
	return v.words.Text("audit.sync", args)
}

// Code returns the plan code.
func (v view) Code() string {
	return v.words.Text("audit.plan", problem.Args{"code": v.report.Plan.Fingerprint().Code()})
}

// Fingerprint returns the whole fingerprint.
func (v view) Fingerprint() string { return v.report.Plan.Fingerprint().String() }

// Source returns what the users were read from and whether that was complete.
func (v view) Source() string {
	about := message.Clean(v.report.Plan.Source().Name)
	if v.report.Plan.Confirmed() {
		return about + ": " + v.words.Text("completeness.confirmed", nil)
	}
	return about + ": " + v.words.Text("completeness.not-confirmed", nil)
}

// Confirmed reports whether the source's completeness was confirmed.
func (v view) Confirmed() bool { return v.report.Plan.Confirmed() }

// Cancelled reports whether the guard cancels.
func (v view) Cancelled() bool { return v.report.Plan.Verdict().Cancelled }

// Guard returns the verdict with both numbers and the rule.
func (v view) Guard() string {
	g := v.report.Plan.Verdict()
	args := problem.Args{
		"deletions": v.words.Int(g.Deletions), "users": v.words.Int(g.Users), "percent": v.words.Percent(g.Percent()),
		"stops": v.words.Int(g.StopsAt), "limit": v.words.Percent(float64(g.MaxAllowedDeletions)),
	}
	if g.MaxDeletions >= 0 {
		args["absolute"] = v.words.Int(g.MaxDeletions)
		return v.words.Text("guard.share-absolute", args)
	}
	return v.words.Text("guard.share", args)
}

// Sentence returns why the guard cancels.
func (v view) Sentence() string { return Cancelled(v.words, v.report.Plan.Verdict()) }

// Beside returns what else the guard counts, or does not count.
func (v view) Beside() []string {
	var all []string
	g := v.report.Plan.Verdict()
	if g.Claimed {
		all = append(all, v.words.Text("guard.claimed", nil))
	}
	if g.Lost > 0 {
		all = append(all, v.words.Text("guard.lost", problem.Args{"n": strconv.Itoa(g.Lost)}))
	}
	return all
}

// Judgement returns the verdict in words.
func (v view) Judgement() string {
	switch {
	case !v.Cancelled():
		return v.words.Text("guard.passes", nil)
	case v.report.Outcomes == nil:
		return v.words.Text("guard.would-cancel", nil)
	default:
		return v.words.Text("guard.cancels", nil)
	}
}

// sum is one number of the plan.
type sum struct{ Sign, Word, Number string }

// Sums returns the plan's numbers by kind.
func (v view) Sums() []sum {
	c := v.report.Plan.Counts()
	var all []sum
	add := func(sign, word string, n int) {
		all = append(all, sum{sign, v.words.Text(word, nil), v.words.Int(n)})
	}
	number := func(k plan.Kind, n int) { add(k.Sign(), "kind."+k.String(), n) }
	number(plan.Delete, c.Delete)
	if c.Unclaimed > 0 {
		add("", "audit.unclaimed", c.Unclaimed)
	}
	number(plan.Rename, c.Rename)
	number(plan.Restore, c.Restore)
	number(plan.Add, c.Add)
	number(plan.Update, c.Update)
	add("=", "kind.unchanged", c.Unchanged)
	add("!", "kind.skip", c.Skipped)
	if c.Waiting > 0 {
		add("x", "kind.waiting", c.Waiting)
	}
	if c.Questions > 0 {
		add("?", "kind.question", c.Questions)
		add("", "audit.open", c.OpenQuestions)
	}
	return all
}

// Warnings returns those of the plan as a whole.
func (v view) Warnings() []message.Words {
	var all []message.Words
	for _, w := range v.report.Plan.Warnings() {
		all = append(all, v.words.Problem(w))
	}
	return all
}

// row is an action or a skip on the page.
type row struct {
	No                  int
	Sign, Kind, UPN, ID string
	Name, Flag, Outcome string
	Failed              bool
	Changes             []changed
	Warnings            []message.Words
	Why                 *message.Words
	GroupStarts         string
	Explained           []Fact
}

// changed is one attribute before and after.
type changed struct{ Attribute, Word, Old, New string }

// Actions returns the rows of actions, made one by one.
func (v view) Actions() iter.Seq[row] {
	return func(yield func(row) bool) {
		for a := range v.report.Plan.Actions() {
			if !yield(v.action(a)) {
				return
			}
		}
	}
}

func (v view) action(a plan.Action) row {
	r := row{
		No: a.No, Sign: a.Kind.Sign(), Kind: v.words.Text("kind."+a.Kind.String(), nil),
		UPN: message.Reveal(a.UPN), ID: message.Clean(string(a.User.ID)), Name: message.Clean(a.Name),
	}
	switch {
	case a.Blocks:
		r.Flag = v.words.Text("flag.blocks", nil)
	case a.SignIn:
		r.Flag = v.words.Text("flag.sign-in", nil)
	}
	for _, c := range a.Changes {
		was, is := message.RevealChange(c.Old.Text, c.New.Text)
		r.Changes = append(r.Changes, changed{string(c.Attribute), v.attribute(c.Attribute), v.shown(c.Attribute, c.Old, was), v.shown(c.Attribute, c.New, is)})
	}
	for _, w := range a.Warnings {
		r.Warnings = append(r.Warnings, v.words.Problem(w))
	}
	if a.Explanation != nil {
		r.Explained = Explain(v.words, a.Explanation)
	}
	if why := v.report.Why[a.No]; why != nil {
		words := v.words.Problem(why)
		r.Why = &words
	}
	if o := v.report.Outcomes[a.No]; o != "" {
		r.Outcome, r.Failed = v.words.Text("outcome."+o, nil), o != "seen"
	}
	return r
}

func (v view) shown(a directory.Attribute, value directory.Value, text string) string {
	if !value.Set {
		return v.words.Text("value.absent", nil)
	}
	if a == directory.AccountEnabled {
		return v.words.Text("value."+value.Text, nil)
	}
	return text
}

func (v view) attribute(a directory.Attribute) string { return attribute(v.words, a) }

// groups returns the words of each group of skips.
func groups(g problem.Group) string {
	switch g {
	case problem.LeftAlone:
		return "group.left-alone"
	case problem.NotWritable:
		return "group.not-writable"
	case problem.NotHere:
		return "group.not-here"
	case problem.LeftOut:
		return "group.left-out"
	}
	return "kind.skip"
}

// Skips returns the rows of skips; the first of each group carries its words.
func (v view) Skips() iter.Seq[row] {
	return func(yield func(row) bool) {
		var group problem.Group
		for s := range v.report.Plan.Skips() {
			words := v.words.Problem(s.Why)
			r := row{
				No: s.No, Sign: "!", Kind: words.Short, UPN: message.Reveal(s.Ref.UPN),
				ID: message.Clean(string(s.Ref.ID)), Name: message.Clean(s.Name), Why: &words,
			}
			if s.Group != group {
				group, r.GroupStarts = s.Group, v.words.Text(groups(s.Group), nil)
			}
			if !yield(r) {
				return
			}
		}
	}
}

// question is a question on the page.
type question struct {
	No, UPN, ID, Name, Link, Answer, Before string
	Rows                                    []candidate
}

// candidate is a source row of a question.
type candidate struct {
	Row, UPN, Username, Name, Seen, For, Against, Taken string
	Compared                                            []Beside
}

// Questions returns those of the plan, with their answers.
func (v view) Questions() iter.Seq[question] {
	return func(yield func(question) bool) {
		for _, q := range v.report.Plan.Questions() {
			if !yield(v.question(q)) {
				return
			}
		}
	}
}

func (v view) question(q *plan.Question) question {
	out := question{
		No: questionNo(q.No), UPN: message.Reveal(q.Account.UPN), ID: message.Clean(string(q.Account.ID)),
		Name: message.Clean(q.Name), Answer: Answered(v.words, q), Before: Before(v.words, q),
	}
	if q.Link.Username != "" {
		args := problem.Args{"username": q.Link.Username}
		if !q.Link.Since.IsZero() {
			args["since"] = v.words.Date(q.Link.Since)
		}
		if !q.Seen.Last.IsZero() {
			args["last"] = v.words.Time(q.Seen.Last)
		}
		out.Link = v.words.Text("question.linked", args)
	}
	for i := range q.Rows {
		out.Rows = append(out.Rows, v.candidate(q, &q.Rows[i]))
	}
	return out
}

func (v view) candidate(q *plan.Question, c *plan.Candidate) candidate {
	args := problem.Args{}
	if len(q.Rows) > 1 {
		args["key"] = c.Key
	}
	if c.Line > 0 {
		args["line"] = v.words.Int(c.Line)
	}
	out := candidate{
		Row: v.words.Text("question.row", args), UPN: message.Reveal(c.Row.UPN), Username: message.Reveal(c.Username),
		Name: message.Clean(c.Name), Seen: v.words.Text("question.new", nil),
		For: Signs(v.words, c.For), Against: Signs(v.words, c.Against), Compared: Compared(v.words, c),
	}
	if !c.Seen.First.IsZero() {
		out.Seen = v.words.Text("question.known", problem.Args{"since": v.words.Time(c.Seen.First)})
	}
	switch {
	case c.TakenBy != 0:
		out.Taken = v.words.Text("question.taken", problem.Args{"no": strconv.Itoa(c.TakenBy)})
	case c.WaitsFor != 0:
		out.Taken = v.words.Text("question.waits", problem.Args{"no": strconv.Itoa(c.WaitsFor)})
	}
	return out
}

// HasQuestions reports whether the plan has questions.
func (v view) HasQuestions() bool {
	for range v.report.Plan.Questions() {
		return true
	}
	return false
}

// HasActions reports whether there is a table of actions to show.
func (v view) HasActions() bool { return v.report.Plan.Counts().Changes() > 0 }

// HasSkips reports whether there is a table of skips to show.
func (v view) HasSkips() bool {
	for range v.report.Plan.Skips() {
		return true
	}
	return false
}

// IsSync reports whether the page shows outcomes.
func (v view) IsSync() bool { return v.report.Outcomes != nil }

const page = `<!doctype html>
<html lang="{{.Lang}}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width">
<title>{{.Title}}</title>
<style>
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif }
body { max-width: 1100px; margin: 2em auto; padding: 0 1em }
table { border-collapse: collapse; width: 100%; margin: .5em 0 2em }
th, td { text-align: left; vertical-align: top; padding: .3em .8em .3em 0; border-bottom: 1px solid #8884 }
td.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
code, .v { font-family: ui-monospace, monospace; font-size: .93em; overflow-wrap: anywhere }
.small { opacity: .75; font-size: .9em } .stop { font-weight: bold; border-left: .3em solid; padding-left: .6em }
tr.group th { padding-top: 1.2em } ul { margin: .2em 0; padding-left: 1.1em }
@media print { body { max-width: none; margin: 0 } tr { break-inside: avoid } }
</style>
</head>
<body>
<h1>{{.Title}}</h1>
<p>{{.Heading}}<br>{{.Code}} <span class="small">{{text "audit.fingerprint"}} <code>{{.Fingerprint}}</code></span></p>
<p{{if not .Confirmed}} class="stop"{{end}}>{{text "audit.completeness"}}: {{.Source}}</p>
{{if .Cancelled}}<p class="stop">{{.Sentence}}</p>
{{end}}<p{{if .Cancelled}} class="stop"{{end}}>{{text "word.deletions"}}: {{.Guard}}{{range .Beside}}<br><span class="small">{{.}}</span>{{end}}<br>{{.Judgement}}</p>
<h2>{{text "audit.sums"}}</h2>
<table>{{range .Sums}}
<tr><td>{{.Sign}}</td><td>{{.Word}}</td><td class="n">{{.Number}}</td><td width="90%"></td></tr>{{end}}
</table>
{{range .Warnings}}<p>! {{.What}} <span class="small">{{.Code}}</span><br>{{.Remedy}}</p>
{{end}}{{if .HasQuestions}}<h2>{{text "audit.questions"}}</h2>
<p class="small">{{text "question.note"}}</p>
<table>
<tr><th></th><th>{{text "audit.question-account"}}</th><th>{{text "audit.question-row"}}</th><th>{{text "audit.answer"}}</th></tr>
{{range .Questions}}{{$q := .}}{{range $i, $c := .Rows}}<tr{{if eq $i 0}} id="{{$q.No}}"{{end}}><td>{{if eq $i 0}}? {{$q.No}}{{end}}</td><td>{{if eq $i 0}}<span class="v">{{$q.UPN}}</span><br>{{$q.Name}}{{with $q.Link}}<br><span class="small">{{.}}</span>{{end}}{{with $q.ID}}<br><span class="small v">{{.}}</span>{{end}}{{end}}</td><td>{{.Row}}: <span class="v">{{.Username}}</span> {{.Name}}<br><span class="v">{{.UPN}}</span><br><span class="small">{{.Seen}}</span>{{range .Compared}}<br>{{.Word}}: <span class="v">{{.Account}}</span> {{.Mark}} <span class="v">{{.Row}}</span>{{end}}{{with .For}}<br>{{text "question.for"}}: {{.}}{{end}}{{with .Against}}<br>{{text "question.against"}}: {{.}}{{end}}{{with .Taken}}<br><span class="small">{{.}}</span>{{end}}</td><td>{{if eq $i 0}}{{$q.Answer}}{{with $q.Before}}<br><span class="small">{{.}}</span>{{end}}{{end}}</td></tr>
{{end}}{{end}}</table>
{{end}}<h2>{{text "audit.actions"}}</h2>
{{if .HasActions}}<table>
<tr><th>No</th><th></th><th>UPN</th><th>{{text "audit.changes"}}</th>{{if $.IsSync}}<th>{{text "audit.outcome"}}</th>{{end}}</tr>
{{range .Actions}}<tr id="no-{{.No}}"><td class="n">{{.No}}</td><td>{{.Sign}} {{.Kind}}{{with .Flag}}<br><span class="small">! {{.}}</span>{{end}}</td><td><span class="v">{{.UPN}}</span><br>{{.Name}}{{with .ID}}<br><span class="small v">{{.}}</span>{{end}}</td><td>{{range .Explained}}<span class="small">{{.Label}}: {{.Text}}</span><br>{{end}}{{range .Changes}}{{.Word}} <span class="small v">{{.Attribute}}</span><br><span class="v">{{.Old}}</span> -&gt; <span class="v">{{.New}}</span><br>{{end}}{{range .Warnings}}<span class="small">! {{.What}} {{.Code}}</span><br>{{end}}</td>{{if $.IsSync}}<td>{{if .Failed}}! {{end}}{{.Outcome}}{{with .Why}}<br><span class="small">{{.Code}} {{.What}}<br>{{.Remedy}}</span>{{end}}</td>{{end}}</tr>
{{end}}</table>
{{else}}<p>{{text "audit.no-actions"}}</p>
{{end}}<h2>{{text "audit.skips"}}</h2>
{{if .HasSkips}}<table>
<tr><th>No</th><th>{{text "audit.reason"}}</th><th>UPN</th><th>{{text "word.remedy"}}</th></tr>
{{range .Skips}}{{with .GroupStarts}}<tr class="group"><th colspan="4">{{.}}</th></tr>
{{end}}<tr id="no-{{.No}}"><td class="n">{{.No}}</td><td>{{.Why.What}} <span class="small">{{.Why.Code}}</span></td><td><span class="v">{{.UPN}}</span><br>{{.Name}}{{with .ID}}<br><span class="small v">{{.}}</span>{{end}}</td><td>{{.Why.Remedy}}</td></tr>
{{end}}</table>
{{else}}<p>{{text "audit.no-skips"}}</p>
{{end}}</body>
</html>
`
