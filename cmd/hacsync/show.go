package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/hacsync/hacsync/sync/auditlog"
	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/message"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/run"
)

// rowsShown is how many rows of one kind the command line shows; the audit log and
// --json have all of them.
const rowsShown = 20

// show writes plans and reports for users.
type show struct {
	w     io.Writer
	words *message.Printer
}

func (s show) line(format string, args ...any) {
	_, _ = io.WriteString(s.w, flowed(s.w, fmt.Sprintf(format, args...))+"\n")
}

func (s show) text(id string, args problem.Args) string { return s.words.Text("cmd."+id, args) }

// plan shows sums, verdict and rows of a plan.
func (s show) plan(p *run.Planned, at time.Time, summary bool) {
	pl := p.Plan
	c := pl.Counts()
	title := problem.Args{
		"run": s.words.Int(int(p.Run)), "domain": pl.Domain(), "plan": pl.Fingerprint().Code(), "time": s.words.Time(at),
	}
	sides := problem.Args{
		"source": pl.Source().Name, "users": s.words.Int(c.SourceUsers),
		"accounts": s.words.Int(c.DestinationUsers), "touchable": s.words.Int(c.Touchable),
	}
	if no := pl.Undoes(); no != 0 {
		title["run"] = s.words.Int(int(no))
		s.line("%s", s.text("undo.title", title))
		s.line("%s", s.text("undo.sides", sides))
	} else {
		s.line("%s", s.text("plan.title", title))
		s.line("%s", s.text("plan.sides", sides))
		s.source(pl.Source())
	}
	s.line("")
	s.counts(c, pl.Undoes() == 0)
	s.line("")
	s.verdict(pl.Verdict(), c)
	for _, w := range pl.Warnings() {
		s.line("! %s", s.words.Problem(w).What)
	}
	if !summary {
		s.actions(pl)
		s.skips(pl)
	}
	s.questions(pl, summary)
	s.line("")
	s.line("%s", s.text("plan.fingerprint", problem.Args{"fingerprint": pl.Fingerprint().String()}))
}

// source shows how a file was read, and how new it is.
func (s show) source(about directory.About) {
	args := problem.Args{"encoding": about.Encoding, "separator": "", "newest": ""}
	if about.Separator != "" {
		args["separator"] = s.words.Text("separator."+about.Separator, nil)
	}
	if !about.Newest.IsZero() {
		args["newest"] = s.words.Time(about.Newest)
	}
	if about.Encoding != "" {
		s.line("%s", s.text("plan.file", args))
	} else if args["newest"] != "" {
		s.line("%s", s.text("plan.newest", args))
	}
}

// counts shows the sums; without a source there is no number of unchanged users.
func (s show) counts(c plan.Counts, source bool) {
	rows := [][]string{}
	add := func(sign, kind string, n int) {
		rows = append(rows, []string{"  " + sign, s.words.Text("kind."+kind, nil), s.words.Int(n)})
	}
	add("+", "add", c.Add)
	add("~", "update", c.Update)
	add(">", "rename", c.Rename)
	add("^", "restore", c.Restore)
	add("-", "delete", c.Delete)
	if source {
		add("=", "unchanged", c.Unchanged)
	}
	add("!", "skip", c.Skipped)
	if c.Waiting > 0 {
		add("x", "waiting", c.Waiting)
	}
	if c.Questions > 0 {
		add("?", "question", c.Questions)
	}
	s.table(rows, 2)
	if c.SignIn > 0 {
		s.line("%s", s.text("plan.signin", problem.Args{"n": strconv.Itoa(c.SignIn)}))
	}
}

// verdict shows the two numbers, the rule and the result.
func (s show) verdict(v plan.Verdict, c plan.Counts) {
	id := "guard.share"
	if v.MaxDeletions >= 0 {
		id = "guard.share-absolute"
	}
	s.line("%s: %s", s.words.Text("word.deletions", nil), s.words.Text(id, problem.Args{
		"deletions": s.words.Int(v.Deletions), "users": s.words.Int(v.Users), "percent": s.words.Percent(v.Percent()),
		"stops": s.words.Int(v.StopsAt), "limit": s.words.Percent(float64(v.MaxAllowedDeletions)),
		"absolute": s.words.Int(v.MaxDeletions),
	}))
	if v.Blocks > 0 {
		s.line("%s", s.text("plan.blocks", problem.Args{"n": strconv.Itoa(v.Blocks)}))
	}
	if v.Claimed {
		s.line("  %s", s.words.Text("guard.claimed", nil))
	}
	if c.Unclaimed > 0 {
		s.line("  %s", s.text("plan.unclaimed", problem.Args{"n": strconv.Itoa(c.Unclaimed)}))
	}
	if v.Lost > 0 {
		s.line("  %s", s.words.Text("guard.lost", problem.Args{"n": strconv.Itoa(v.Lost)}))
	}
	if v.Cancelled {
		s.line("! %s", auditlog.Cancelled(s.words, v))
	}
}

func (s show) actions(p *plan.Plan) {
	shown := map[plan.Kind]int{}
	var kind plan.Kind
	for i := range p.Len() {
		a := p.Action(i)
		if a.Kind != kind {
			s.more(shown[kind])
			kind = a.Kind
			s.line("")
			s.line("%s", s.words.Text("kinds."+kind.String(), nil))
		}
		if shown[kind]++; shown[kind] > rowsShown {
			continue
		}
		s.line("  %s %5d  %s", kind.Sign(), a.No, s.action(a))
		for _, w := range a.Warnings {
			s.line("           ! %s", s.words.Problem(w).What)
		}
	}
	s.more(shown[kind])
}

func (s show) more(n int) {
	if n > rowsShown {
		s.line("    %s", s.text("plan.more", problem.Args{"n": s.words.Int(n - rowsShown)}))
	}
}

// action returns one row: the account, and what changes.
func (s show) action(a plan.Action) string {
	var b strings.Builder
	was := a.User.UPN
	if a.Kind == plan.Rename && was != "" {
		b.WriteString(message.Clean(was) + " -> ")
	}
	b.WriteString(message.Clean(a.UPN))
	if a.Name != "" {
		b.WriteString("  " + message.Clean(a.Name))
	}
	if a.Explanation != nil {
		b.WriteString("  " + s.explained(a.Explanation))
	}
	if a.Kind == plan.Add || a.Kind == plan.Delete {
		return b.String()
	}
	for _, c := range a.Changes {
		before, after := message.RevealChange(c.Old.Text, c.New.Text)
		if c.Attribute == directory.AccountEnabled {
			before, after = s.words.Text("value."+before, nil), s.words.Text("value."+after, nil)
		}
		if !c.Old.Set {
			before = s.words.Text("value.absent", nil)
		}
		if !c.New.Set {
			after = s.words.Text("value.absent", nil)
		}
		name := string(c.Attribute)
		if s.words.Has("attribute." + name) {
			name = s.words.Text("attribute."+name, nil)
		}
		fmt.Fprintf(&b, "\n           %s: %s -> %s", message.Clean(name), before, after)
	}
	return b.String()
}

// explained returns why an account may be deleted, in a few words.
func (s show) explained(e *plan.Explanation) string {
	switch {
	case !e.Due.IsZero():
		return s.words.Text("explained.short_due", problem.Args{"due": s.words.Date(e.Due)})
	case e.Claim == "":
		return s.words.Text("explained.short_never", nil)
	case !e.LastSeen.IsZero():
		return s.words.Text("explained.short_last", problem.Args{"last": s.words.Time(e.LastSeen)})
	}
	return ""
}

// skips are shown by code: the reason and the remedy once, then the rows. Who is
// blocked and waits to be deleted is no skip, and stands apart.
func (s show) skips(p *plan.Plan) {
	s.skipped(p, "!", "kinds.skip", false)
	s.skipped(p, "x", "kinds.waiting", true)
}

func (s show) skipped(p *plan.Plan, sign, heading string, waiting bool) {
	total := map[problem.Code]int{}
	for k := range p.Skips() {
		if k.Waits() == waiting {
			total[k.Why.Code]++
		}
	}
	if len(total) == 0 {
		return
	}
	s.line("")
	s.line("%s", s.words.Text(heading, nil))
	shown := 0
	var code problem.Code
	for k := range p.Skips() {
		if k.Waits() != waiting {
			continue
		}
		w := s.words.Problem(k.Why)
		if k.Why.Code != code {
			s.more(shown)
			code, shown = k.Why.Code, 0
			s.line("  %s", s.text("plan.skipped", problem.Args{"short": w.Short, "n": s.words.Int(total[code]), "code": string(code)}))
			s.line("    %s", w.Remedy)
		}
		if shown++; shown <= rowsShown {
			s.line("  %s %5d  %s", sign, k.No, w.What)
		}
	}
	s.more(shown)
}

// report shows what a sync did. Only what was seen counts as done.
func (s show) report(r *run.Report) {
	id := "report.title"
	if r.Plan.Undoes() != 0 {
		id = "undo.report"
	}
	s.line("%s", s.text(id, problem.Args{
		"undone": s.words.Int(int(r.Plan.Undoes())), "run": s.words.Int(int(r.Run)), "domain": r.Plan.Domain(), "plan": r.Plan.Fingerprint().Code(),
		"state": s.words.Text("run.state."+string(r.State), nil),
	}))
	s.line("%s", s.text("report.sums", problem.Args{
		"planned": s.words.Int(r.Planned), "seen": s.words.Int(r.Seen), "failed": s.words.Int(r.Failed),
		"nottried": s.words.Int(r.NotTried), "notyet": s.words.Int(r.NotYetSeen),
		"duration": s.words.Duration(r.Ended.Sub(r.Started)),
	}))
	told := map[problem.Code]bool{}
	for i, row := range r.Rows {
		if i == 5*rowsShown {
			s.line("    %s", s.text("report.more", problem.Args{"n": s.words.Int(len(r.Rows) - i), "run": s.words.Int(int(r.Run))}))
			break
		}
		outcome := row.Outcome
		if s.words.Has("outcome." + outcome) {
			outcome = s.words.Text("outcome."+outcome, nil)
		}
		if row.Why == nil {
			s.line("  %s %5d  %s: %s", row.Kind.Sign(), row.No, outcome, message.Clean(row.UPN))
			continue
		}
		w := s.words.Problem(row.Why)
		s.line("  %s %5d  %s: %s (%s)", row.Kind.Sign(), row.No, outcome, w.What, w.Code)
		if !told[w.Code] { // once, not on every row
			told[w.Code] = true
			s.line("           %s", w.Remedy)
		}
	}
}

// drifted shows the rows because of which a sync was refused, or that it left out.
func (s show) drifted(rows []plan.Drifted) {
	for i, d := range rows {
		if i == 5*rowsShown {
			s.line("    %s", s.text("plan.more", problem.Args{"n": s.words.Int(len(rows) - i)}))
			return
		}
		what := ""
		if d.Why != nil {
			what = s.words.Problem(d.Why).What
		}
		s.line("  ! %5d  %s  %s", d.No, message.Clean(d.UPN), what)
	}
}

// table writes rows in columns; column right (from 0, -1 for none) is aligned to
// the right. Widths are those of a terminal.
func (s show) table(rows [][]string, right int) {
	var widths []int
	for _, r := range rows {
		for i, cell := range r {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], ansi.StringWidth(cell))
		}
	}
	for _, r := range rows {
		var b strings.Builder
		for i, cell := range r {
			pad := strings.Repeat(" ", widths[i]-ansi.StringWidth(cell))
			if i == right {
				b.WriteString(pad + cell)
			} else {
				b.WriteString(cell + pad)
			}
			b.WriteString("  ")
		}
		s.line("%s", strings.TrimRight(b.String(), " "))
	}
}

func (a *app) show(w io.Writer) show { return show{w: w, words: a.words} }
