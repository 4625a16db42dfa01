package notice

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/hacsync/hacsync/sync/message"
	"github.com/hacsync/hacsync/sync/problem"
)

// Words is the text of an event, in one language.
type Words struct {
	Title  string
	Text   string // what happened: several lines
	Code   problem.Code
	Remedy string
	// Command shows more, on the machine that has the state; empty for none.
	Command string
}

// Full returns all of it as plain text, without the title.
func (w Words) Full() string {
	lines := make([]string, 0, 3)
	for _, s := range []string{w.Text, w.Remedy, w.Command} {
		if s != "" {
			lines = append(lines, s)
		}
	}
	return strings.Join(lines, "\n")
}

// Say puts an event into words. Without people it names no user: only their numbers
// are in it.
func Say(p *message.Printer, e Event, people bool) Words {
	args := problem.Args{
		"domain": e.Domain, "connection": e.Connection, "tenant": e.TenantName, "at": p.Time(e.At),
	}
	if e.Run != 0 {
		args["run"] = strconv.FormatInt(e.Run, 10)
	}
	n := e.Numbers
	count := func(key string, v int) {
		if v > 0 {
			args[key] = strconv.Itoa(v)
		}
	}
	count("failures", n.Failures)
	lines := make([]string, 0, 6)
	text := func(id string) { lines = append(lines, p.Text("notice."+id, args)) }

	switch e.Kind {
	case Failed:
		text("failed.text")
		if n.RowsDone+n.RowsFailed > 0 {
			args["done"], args["failed"] = strconv.Itoa(n.RowsDone), strconv.Itoa(n.RowsFailed)
			text("failed.rows")
		}
	case Guard:
		if e.Why == nil && n.DestinationUsers > 0 {
			args["deletions"], args["users"] = strconv.Itoa(n.Deletions), strconv.Itoa(n.DestinationUsers)
			args["percent"], args["limit"] = p.Percent(n.percent()), p.Percent(float64(n.LimitPercent))
			text("guard.sentence")
			text("guard.text_count")
		}
		text("guard.text")
	case Drift:
		count("rows", n.Drifted)
		text("drift.text")
	case Stopped:
		text("stopped.text")
	case Recovered:
		was := make([]string, 0, len(e.Was))
		for _, k := range e.Was {
			was = append(was, p.Text("notice.kind."+string(k), nil))
		}
		args["since"], args["was"] = p.Time(e.Since), strings.Join(was, ", ")
		if len(e.Was) == 1 && e.Was[0] == Questions {
			args["answered"] = "yes"
		}
		text("recovered.text")
	case Certificate:
		args["ends"] = p.Time(e.Ends)
		if days := e.days(); days <= 0 {
			args["ended"] = "yes"
		} else {
			args["days"] = strconv.Itoa(days)
		}
		text("certificate.text")
	case Held:
		args["rows"] = strconv.Itoa(n.Held)
		text("held.text")
	case Questions:
		lines = append(lines, sayQuestions(p, e, args, people)...)
	case Test:
		text("test.text")
	}

	w := Words{Title: p.Text("notice."+string(e.Kind)+".title", args), Command: e.command()}
	if e.Why != nil {
		why := p.Problem(discreet(e.Why, people, p.Text("notice.person", nil)))
		w.Code, w.Remedy = why.Code, why.Remedy
		lines = append(lines, why.What+" ["+string(why.Code)+"]")
	}
	if id := "notice." + string(e.Kind) + ".remedy"; (w.Remedy == "" || e.Kind == Stopped || e.Kind == Held) && p.Has(id) {
		w.Remedy = strings.TrimSpace(w.Remedy + " " + p.Text(id, args))
	}
	if e.Kind == Questions {
		w.Code = problem.QuestionOpen
		if people {
			w.Command = strings.Join(append([]string{w.Command}, e.answers()...), "\n")
		}
	}
	if people && len(e.Users) > 0 {
		shown := make([]string, 0, len(e.Users))
		for _, u := range e.Users[:min(len(e.Users), MaxUsers)] {
			shown = append(shown, message.Clean(u))
		}
		args["users"] = strings.Join(shown, ", ")
		count("more", max(n.Held, n.Drifted)-len(shown))
		text("users")
	}
	switch {
	case e.Kind == Test:
	case e.Domain == "":
		text("where_connection")
	default:
		text("where")
	}
	if e.Kind == Questions {
		lines[len(lines)-1] += " [" + string(w.Code) + "]"
	}
	switch e.Kind { //nolint:exhaustive // the others come once by their nature
	case Failed, Guard, Drift:
		text("once")
	case Questions:
		text("questions.once")
	}
	w.Text = strings.Join(lines, "\n")
	return w
}

// sayQuestions returns lines for what was done, what waits, and, for a target that
// asks for people, which users it is about.
func sayQuestions(p *message.Printer, e Event, args problem.Args, people bool) []string {
	n := e.Numbers
	args["questions"], args["accounts"], args["rows"] = strconv.Itoa(n.Questions), strconv.Itoa(n.Accounts), strconv.Itoa(n.Rows)
	if c := n.changes(); c > 0 {
		args["changes"] = strconv.Itoa(c)
	}
	var lines, did []string
	for _, x := range []struct {
		word string
		n    int
	}{{"added", n.Added}, {"updated", n.Updated}, {"renamed", n.Renamed}, {"restored", n.Restored}, {"deleted", n.Deleted}} {
		if x.n > 0 {
			did = append(did, p.Text("notice.questions."+x.word, problem.Args{"n": strconv.Itoa(x.n)}))
		}
	}
	if args["did"] = strings.Join(did, p.Text("notice.questions.comma", nil)); len(did) == 0 {
		delete(args, "did")
	}
	if n.Deleted == 0 {
		args["kept"] = "yes"
	}
	lines = append(lines, p.Text("notice.questions.done", args), p.Text("notice.questions.text", args))
	if !people {
		return lines
	}
	for _, q := range e.Asked[:min(len(e.Asked), MaxAsked)] {
		signs := make([]string, 0, len(q.For))
		for _, s := range q.For {
			if id := "question.sign." + s; p.Has(id) {
				signs = append(signs, p.Text(id, nil))
			}
		}
		lines = append(lines, p.Text("notice.questions.one", problem.Args{
			"no": strconv.Itoa(q.No), "account": q.Account, "for": strings.Join(signs, p.Text("notice.questions.comma", nil)),
			"rows": strings.Join(q.Rows, p.Text("notice.questions.or", nil)),
		}))
	}
	if more := n.Questions - min(len(e.Asked), MaxAsked); more > 0 {
		lines = append(lines, p.Text("notice.questions.more", problem.Args{"n": strconv.Itoa(more)}))
	}
	return lines
}

// answers returns the commands that answer the questions, if a shell takes the
// names as they are.
func (e Event) answers() []string {
	var all []string
	for _, q := range e.Asked[:min(len(e.Asked), MaxAsked)] {
		local, domain, _ := strings.Cut(q.Account, "@")
		if !plainName.MatchString(local) || !plainName.MatchString(e.Domain) || !plainName.MatchString(domain) {
			continue
		}
		c := "hacsync answer "
		if plainName.MatchString(e.Connection) {
			c += "--connection " + e.Connection + " "
		}
		all = append(all, c+e.Domain+" "+q.Account+" ANSWER")
	}
	return all
}

// percent returns the share of deletions, computed if it was not given.
func (n Numbers) percent() float64 {
	if n.Percent == 0 && n.DestinationUsers > 0 {
		return float64(n.Deletions) * 100 / float64(n.DestinationUsers)
	}
	return n.Percent
}

// days returns the whole days that are left, rounded up; 0 or less after the end.
func (e Event) days() int {
	left := e.Ends.Sub(e.At).Hours() / 24
	days := int(left)
	if float64(days) < left {
		days++
	}
	return days
}

// plainName matches what needs no quotes in any shell.
var plainName = regexp.MustCompile(`^[A-Za-z0-9._-]+$`)

// command returns a command that shows more of an event. Names that a shell would
// not take as they are never get into it: a user may paste it.
func (e Event) command() string {
	var c string
	switch e.Kind {
	case Failed, Drift:
		if e.Run == 0 {
			return ""
		}
		c = "hacsync logs " + strconv.FormatInt(e.Run, 10)
	case Guard, Held:
		c = "hacsync dry-run " + e.Domain
	case Stopped:
		c = "hacsync periodic resume " + e.Domain
	case Certificate:
		if e.days() <= 0 {
			return ""
		}
		c = "hacsync grant --renew"
	case Questions:
		c = "hacsync"
	case Recovered, Test:
		return ""
	}
	if e.Kind != Certificate && e.Domain == "" || e.Domain != "" && !plainName.MatchString(e.Domain) {
		return ""
	}
	if plainName.MatchString(e.Connection) && e.Kind != Failed && e.Kind != Drift {
		c += " --connection " + e.Connection
	}
	return c
}

// address matches anything that looks like a UPN or mail address.
var address = regexp.MustCompile(`[^\s"'<>(),;:@]+@([^\s"'<>(),;:@]+)`)

// kept are the arguments that remain in a notice that names no user, even if the
// problem is about a user.
var kept = map[string]bool{
	"domain": true, "run": true, "rows": true, "status": true, "limit": true, "attempts": true, "line": true,
	"host": true, "seconds": true, "number": true, "users": true, "percent": true, "attribute": true, "code": true,
}

// discreet returns a problem without its cause, and, unless people may be named,
// without what identifies a user: the local part of every address, and of a problem
// about a user all arguments except those in kept.
func discreet(p *problem.Problem, people bool, person string) *problem.Problem {
	q := &problem.Problem{Code: p.Code, Args: make(problem.Args, len(p.Args))}
	if p.Upstream != nil {
		q.Upstream = &problem.Upstream{Status: p.Upstream.Status, RequestID: p.Upstream.RequestID}
	}
	_, about := p.Args["upn"]
	for k, v := range p.Args {
		switch {
		case people:
		case k == "upn":
			v = person
		case about && !kept[k]:
			v = "…"
		default:
			v = address.ReplaceAllString(v, "…@$1")
		}
		q.Args[k] = v
	}
	return q
}
