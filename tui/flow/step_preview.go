package flow

import (
	"cmp"
	"context"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/input"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/tui/review"
	"github.com/hacsync/hacsync/tui/words"
)

// previewStep lets a person read the plan row by row and leave rows out.
type previewStep struct {
	asks previewAsk
	base
	row    int   // the row in detail, 0 for the list
	out    []int // rows about to be left out
	always bool
	limit  string
	most   string
	find   string // searched for when the next plan comes
	list   listing

	// at is the question that is shown line by line, many that all are listed. turned
	// is how often the walk came back to the questions from a later step.
	at     int
	many   bool
	turned int
	// queue has the answers that are being stored, said are the accounts answered
	// here, the last one last.
	queue *answering
	said  []directory.ID
}

// listing is what is listed line by line.
type listing struct {
	of      *review.Review
	version int
	shape   int
	query   review.Query
	top     int     // index of the first row shown
	rows    []int32 // that the query has; nil: to be found
}

// listed is the listing of the present plan; another plan is listed from its
// beginning.
func (s *previewStep) listed(d *data) *listing {
	if s.list.of != d.review {
		tab := review.TabAll
		if d.review.Waiting() {
			tab = review.TabQuestions
		}
		s.show(d, tab, review.NoFilter, "")
		if was := d.look(); slices.ContainsFunc(d.review.Tabs(), func(p review.Part) bool { return p.Tab == was.Tab }) {
			s.show(d, was.Tab, was.Filter, was.Search)
		}
		s.many, s.said = false, nil
		s.at = max(0, d.review.NextOpen(s.questions(d), -1))
	}
	l := &s.list
	if l.shape != l.of.Shape() {
		l.rows, l.shape = nil, l.of.Shape()
	}
	if l.rows == nil || l.query.Filter == review.OutOnly && l.version != l.of.Version() {
		l.rows, _ = l.of.Finder(l.query).Find(context.Background()) // only a context stops it
		l.version = l.of.Version()
	}
	return l
}

// questions are all of them in the order listed.
func (s *previewStep) questions(d *data) []int32 {
	rows, _ := d.review.Finder(review.Query{Tab: review.TabQuestions}).Find(context.Background()) // only a context stops it
	return rows
}

func (s *previewStep) show(d *data, tab review.Tab, f review.Filter, search string) {
	s.list = listing{of: d.review, shape: d.review.Shape(), query: review.Query{Tab: tab, Filter: f, Search: search}}
}

// bySkips reports whether the skips are shown by reason.
func (l *listing) bySkips() bool { return l.query.Tab == review.TabSkip && l.query.Search == "" }

// page are the rows shown, and where they end.
func (l *listing) page() (rows []int32, end int) {
	end = min(l.top+pageRows, len(l.rows))
	return l.rows[l.top:end], end
}

type previewAsk uint8

const (
	askList previewAsk = iota
	askHowLong
	askReason
	askGuard
	askRaise
	askMost
)

// pageRows is how many rows of the list are shown at a time.
const pageRows = 15

func (s *previewStep) enter(d *data, back bool) turn {
	s.asks, s.err, s.working, s.row = askList, nil, words.Text{}, 0
	s.queue = nil
	if d.questions {
		d.questions = false
		s.turned++
		s.show(d, review.TabQuestions, review.NoFilter, "")
		s.many, s.at = false, max(0, d.review.NextOpen(s.questions(d), -1))
	}
	if s.find != "" {
		s.show(d, review.TabAll, review.NoFilter, s.find)
		s.find = ""
	}
	return turn{}
}

func (s *previewStep) view(d *data, now time.Time) View {
	r, l := d.review, s.listed(d)
	v := View{Title: words.T("preview.title", "domain", d.domain), Status: s.status(d)}
	if no := r.Plan().Undoes(); no > 0 {
		v.Title = words.T("preview.title_undo", "run", int(no), "domain", d.domain)
	}
	if s.err != nil {
		v.Blocks = append(v.Blocks, words.Trouble{Err: s.err})
	}
	if s.asks == askList {
		v.Review, v.Look, v.Turned = r, d.look(), s.turned
	}
	if s.waits(&v) {
		if s.queue != nil { // what is stored already may still be on its way here
			v.Meanwhile = answers()
		}
		return v
	}
	switch s.asks {
	case askHowLong:
		s.viewOut(r, &v)
		v.Ask = Question{Kind: Choice, Text: words.T("preview.how_long"), Preset: "always", Options: []Option{
			{Key: "always", Text: words.T("preview.always"), Note: words.T("preview.always_note")},
			{Key: "once", Text: words.T("preview.once"), Note: words.T("preview.once_note")},
		}}
		return v
	case askReason:
		s.viewOut(r, &v)
		v.Ask = Question{Kind: Line, Text: words.T("preview.reason"), Optional: true}
		return v
	case askGuard:
		s.viewGuard(d, &v)
		return v
	case askRaise:
		v.Title = words.T("word.max-allowed-deletions")
		v.Blocks = append(v.Blocks, words.Para{Text: words.T("preview.raise_what")})
		v.Ask = Question{Kind: Number, Text: words.T("flow.domain.limit_ask"), Preset: cmp.Or(s.limit, strconv.Itoa(r.Verdict().MaxAllowedDeletions))}
		return v
	case askMost:
		v.Title = words.T("word.max-allowed-deletions")
		v.Ask = Question{Kind: Number, Text: words.T("preview.most_ask"), Preset: s.most}
		return v
	}
	asks := l.asks() && s.row == 0
	if s.row == 0 {
		v.Blocks = append(v.Blocks, r.Head()...)
		if w := review.Warnings(r.Plan().Warnings()); len(w) > 0 && l.query.Tab == review.TabAll && l.top == 0 && l.query.Search == "" {
			v.Blocks = append(v.Blocks, w)
		}
	}
	switch {
	case asks && s.many:
		v.Blocks = append(v.Blocks, words.Para{Text: r.Progress()})
		v.Blocks = append(v.Blocks, l.tables(0, l.rows)...)
	case asks:
		v.Blocks = append(v.Blocks, words.Para{Text: r.Progress()})
		v.Blocks = append(v.Blocks, r.Card(s.at, -1).Pieces()...)
	case s.row != 0:
		v.Blocks = append(v.Blocks, r.Detail(r.Index(s.row))...)
	case l.query.Tab == review.TabSummary:
		v.Blocks = append(v.Blocks, r.SummaryPieces()...)
	case l.bySkips():
		v.Blocks = append(v.Blocks, r.ReasonPieces()...)
	default:
		v.Blocks = append(v.Blocks, l.blocks()...)
	}
	v.Ask = Question{Kind: List, Text: words.T("preview.ask")}
	one := asks && !s.many
	switch {
	case l.query.Tab == review.TabQuestions && !one && s.row == 0:
		v.Ask.Text = words.T("preview.q.ask_list")
	case one:
		v.Ask.Text = words.T("preview.q.ask")
		if len(r.Plan().Question(s.at).Rows) > 1 {
			v.Ask.Text = words.T("preview.q.ask_rows")
		}
	}
	v.Shows = ShowsRows
	switch {
	case one:
		v.Shows = ShowsQuestion
	case asks:
		v.Shows = ShowsQuestions
	}
	for _, c := range previewCommands(r, s.atQuestions(d)) {
		v.Commands = append(v.Commands, c.Command)
	}
	return v
}

// asks reports whether questions are shown one by one, rather than rows.
func (l *listing) asks() bool {
	return l.query.Tab == review.TabQuestions && l.query.Search == "" && l.query.Filter == review.NoFilter
}

func (s *previewStep) status(d *data) words.Text {
	whole := words.T("completeness.not-confirmed")
	if d.review.Plan().Confirmed() {
		whole = words.T("completeness.confirmed")
	}
	if d.planned.Applied > 0 {
		return words.T("preview.status_applied", "code", d.review.Code(), "run", int(d.planned.Applied))
	}
	if no := d.review.Plan().Undoes(); no > 0 {
		return words.T("preview.status_undo", "run", int(no), "code", d.review.Code(), "at", words.Clock(d.planned.At))
	}
	if d.planned.At.IsZero() {
		return words.T("preview.status_file", "code", d.review.Code(), "whole", whole)
	}
	return words.T("preview.status", "run", int(d.planned.Run), "code", d.review.Code(), "at", words.Clock(d.planned.At), "whole", whole)
}

// fixed says why the plan cannot be made anew with another decision: it is a
// file's, or the inverse of a run.
func (d *data) fixed() (why words.Text, ok bool) {
	switch {
	case d.file != nil:
		return words.T("preview.file_no_dryrun"), true
	case d.review.Plan().Undoes() > 0:
		return words.T("preview.undo_no_dryrun"), true
	}
	return words.Text{}, false
}

func (l *listing) blocks() []words.Piece {
	r, q := l.of, l.query
	var out []words.Piece
	if q.Search != "" || q.Filter != review.NoFilter {
		id := "preview.shown"
		if q.Tab == review.TabQuestions {
			id = "preview.q.shown"
		}
		out = append(out, words.Para{Text: words.T(id, "n", len(l.rows), "of", r.Among(q))})
	}
	if r.Actions() == 0 && q.Search == "" && q.Tab != review.TabQuestions {
		return append(out, words.Para{Text: words.T("preview.no_changes")})
	}
	if len(l.rows) == 0 {
		return append(out, words.Para{Text: words.T("preview.nothing_here")})
	}
	rows, end := l.page()
	out = append(out, l.tables(l.top, rows)...)
	return append(out, words.Para{Text: words.T("preview.page", "from", l.top+1, "to", end, "n", len(l.rows))})
}

// tables are rows from a place on, each group of them below its heading.
func (l *listing) tables(top int, rows []int32) []words.Piece {
	var out []words.Piece
	at, groups := 0, l.of.Groups(l.query, l.rows)
	for i, g := range groups {
		to := len(rows)
		if i+1 < len(groups) {
			to = min(to, groups[i+1].From-top)
		}
		if to <= at {
			continue // on another page
		}
		out = append(out, words.Para{Text: g.Title}, l.of.Table(rows[at:to]))
		at = to
	}
	if at < len(rows) {
		out = append(out, l.of.Table(rows[at:]))
	}
	return out
}

func (s *previewStep) viewOut(r *review.Review, v *View) {
	v.Title = words.T("preview.out_title", "n", len(s.out))
	t := words.Table{Head: []words.Text{{}, words.T("preview.col.no"), words.T("preview.col.upn"), words.T("preview.col.name")}, Right: []int{1}}
	for _, no := range s.out[:min(len(s.out), pageRows)] {
		if a, ok := r.Action(no); ok {
			t.Rows = append(t.Rows, []words.Text{words.Raw(a.Kind.Sign()), words.Num(no), words.Raw(a.UPN), words.Raw(a.Name)})
		}
	}
	v.Blocks = append(v.Blocks, t)
	if n := len(s.out) - pageRows; n > 0 {
		v.Blocks = append(v.Blocks, words.Para{Text: words.T("flow.more", "n", n)})
	}
}

func (s *previewStep) viewGuard(d *data, v *View) {
	r := d.review
	verdict := r.Verdict()
	v.Title = words.T("word.max-allowed-deletions")
	v.Blocks = append(v.Blocks, review.Judged(verdict), words.Para{Text: words.T("preview.guard_what", "percent", verdict.MaxAllowedDeletions)})
	v.Ask = Question{Kind: Choice, Text: words.T("flow.choose"), Preset: "leave", Options: []Option{
		{Key: "leave", Text: words.T("preview.g_leave", "percent", verdict.MaxAllowedDeletions), Note: words.T("preview.g_leave_note")},
	}}
	if verdict.Cancelled {
		v.Ask.Options = append(v.Ask.Options, Option{Key: "once", Text: words.T("preview.g_once", "n", verdict.Deletions), Note: words.T("preview.g_once_note", "code", r.Code())})
	}
	v.Ask.Options = append(v.Ask.Options,
		Option{Key: "raise", Text: words.T("preview.g_raise", "domain", d.domain), Note: words.T("preview.g_raise_note")},
		Option{Key: "most", Text: words.T("preview.g_most"), Note: words.T("preview.g_most_note")})
}

func (s *previewStep) answer(d *data, a Answer) turn {
	was := s.list.query
	t := s.answered(d, a)
	if is := s.list.query; s.list.of == d.review && (is.Tab != was.Tab || is.Filter != was.Filter || is.Search != was.Search) {
		t.run = append(t.run, d.keepLook(Look{is.Tab, is.Filter, is.Search}).run...)
	}
	return t
}

func (s *previewStep) answered(d *data, a Answer) turn {
	s.err = nil
	switch s.asks {
	case askHowLong:
		switch a.Text {
		case "always", "once":
			s.always, s.asks = a.Text == "always", askReason
			return turn{}
		}
		return stayed(words.T("flow.not_a_choice"))
	case askReason:
		s.asks = askList
		return s.leaveOut(d, strings.TrimSpace(a.Text))
	case askGuard:
		return s.guard(d, a.Text)
	case askRaise:
		n, ok := input.Number(trimPercent(a.Text))
		if !ok || n > 100 {
			return stayed(words.T("flow.domain.limit_bad"))
		}
		s.limit = strconv.Itoa(n)
		return s.keep(d, "max_allowed_deletions", s.limit)
	case askMost:
		n, ok := input.Number(a.Text)
		if !ok {
			return stayed(words.T("flow.not_a_number"))
		}
		s.most = strconv.Itoa(n)
		return s.keep(d, "max_deletions", s.most)
	}
	if a.Command != "" {
		return s.command(d, a)
	}
	text := strings.TrimSpace(a.Text)
	if text == "" {
		return s.page(d, 1)
	}
	if no, ok := strings.CutPrefix(words.Fold(text), "q"); ok {
		if n, ok := input.Number(no); ok && n >= 1 && n <= d.review.Plan().QuestionLen() {
			s.row, s.many, s.at = 0, false, n-1
			s.show(d, review.TabQuestions, review.NoFilter, "")
			return turn{}
		}
	}
	n, ok := input.Number(text)
	if !ok {
		return stayed(words.T("preview.not_understood"))
	}
	if d.review.Index(n) < 0 {
		return stayed(words.T("flow.no_such_number", "max", d.review.Highest()))
	}
	s.row = n
	return turn{}
}

// attribute leaves an attribute out of the plan, or takes it in again, by a dry
// run that knows of it.
func (s *previewStep) attribute(d *data, a Answer) turn {
	name := directory.Attribute(strings.TrimSpace(a.Text))
	if t, ok := d.fixed(); ok {
		return stayed(t)
	}
	one := []plan.Decision{{Kind: plan.LeaveOutAttribute, Attribute: name, By: d.approver(), At: d.now()}}
	var kept Effect
	say := words.T("preview.attribute_out", "name", string(name))
	switch {
	case slices.Contains(d.review.Without, name):
		kept = d.decide(nil, one, nil)
		say = words.T("preview.attribute_in", "name", string(name))
	case d.review.Changes(name):
		kept = d.decide(one, nil, nil)
	default:
		return stayed(words.T("preview.no_attribute"))
	}
	t := goTo(DryRun)
	t.say, t.run = []words.Text{say}, []Effect{kept}
	return t
}

func (s *previewStep) keep(d *data, key, value string) turn {
	s.working = words.T("preview.keeping")
	return does(keepSettings(d, map[string]string{key: value}))
}

func (s *previewStep) page(d *data, by int) turn {
	if s.row != 0 {
		s.row = 0
		return turn{}
	}
	l := s.listed(d)
	if l.asks() {
		return s.turnTo(d, by)
	}
	top := l.top + by*pageRows
	switch {
	case l.query.Tab == review.TabSummary || l.bySkips() || top >= len(l.rows):
		return stayed(words.T("preview.last_page"))
	case top < 0:
		return stayed(words.T("preview.first_page"))
	}
	l.top = top
	return turn{}
}

func remain(r *review.Review) words.Text {
	return words.T("preview.remain", "share", review.Share(r.Verdict()))
}

// meant are the rows that a command is for, nil where that cannot be told.
func (s *previewStep) meant(d *data, a Answer) []int {
	r := d.review
	switch text := words.Fold(a.Text); {
	case a.Rows != nil:
		return a.Rows
	case text == "*":
		nos := []int{}
		for _, i := range s.listed(d).rows {
			if int(i) < r.Actions() {
				nos = append(nos, r.No(int(i)))
			}
		}
		return nos
	case text == "" && s.row != 0:
		return []int{s.row}
	}
	nos, ok := words.RowNumbers(a.Text, r.Highest())
	if !ok {
		return nil
	}
	return nos
}

// take leaves rows out or takes them in.
func (s *previewStep) take(d *data, a Answer) turn {
	r := d.review
	nos := s.meant(d, a)
	if nos == nil {
		return stayed(words.T("preview.which_rows", "max", r.Highest()))
	}
	want := make([]int, 0, len(nos))
	deletes := false
	for _, no := range nos {
		x, ok := r.Action(no)
		if !ok || r.IsOut(no) == (a.Command == CmdOut) {
			continue
		}
		want = append(want, no)
		deletes = deletes || x.Kind == plan.Delete
	}
	if len(want) == 0 {
		if a.Command == CmdOut {
			return stayed(words.T("preview.already_out"))
		}
		return stayed(words.T("preview.already_in"))
	}
	if a.Command == CmdIn {
		raised := r.RaisedBy()
		changed, back := r.TakeIn(want)
		return s.tookIn(d, raised, changed, back)
	}
	s.out, s.always = want, false
	if deletes {
		s.asks = askHowLong
		return turn{}
	}
	return s.leaveOut(d, "")
}

// tookIn takes rows in, and back what was decided of them.
func (s *previewStep) tookIn(d *data, raised []plan.Decision, changed []int, back []plan.Decision) turn {
	r := d.review
	t := stayed(words.T("preview.taken_in", "n", len(changed)), remain(r))
	t.run = []Effect{d.decide(nil, append(back, raised...), func() { r.LeaveAgain(back) })}
	return t
}

func (s *previewStep) leaveOut(d *data, why string) turn {
	r := d.review
	raised := r.RaisedBy()
	changed, said := r.LeaveOut(s.out, s.always, d.approver(), why, d.now())
	say := []words.Text{words.T("preview.left_out", "n", len(changed))}
	if n := len(changed) - len(said); n > 0 {
		say = append(say, words.T("preview.with_them", "n", n))
	}
	if s.always {
		say = append(say, words.T("preview.kept_always"))
	}
	s.out, s.row = nil, 0
	t := stayed(append(say, remain(r))...)
	t.run = []Effect{d.decide(said, raised, func() { r.TakeIn(changed) })}
	return t
}

func (s *previewStep) guard(d *data, key string) turn {
	switch key {
	case "leave":
		s.asks = askList
		return turn{}
	case "once":
		if !d.review.Verdict().Cancelled {
			return stayed(words.T("flow.not_a_choice"))
		}
		raise := d.review.Raise(d.approver(), d.now())
		s.asks = askList
		t := stayed(words.T("preview.raised", "code", d.review.Code()))
		t.run = []Effect{d.decide([]plan.Decision{raise}, nil, d.review.Lower)}
		return t
	case "raise":
		s.asks = askRaise
		return turn{}
	case "most":
		s.asks = askMost
		return turn{}
	}
	return stayed(words.T("flow.not_a_choice"))
}

func (s *previewStep) sync(d *data, _ Answer) turn {
	switch p := d.review.Approved(); {
	case s.storing():
		return stayed(words.T("preview.q.storing"))
	case p.Counts().Changes() == 0:
		return stayed(words.T("preview.nothing_to_do"))
	case problem.Guarded(p.Applyable()) && !p.Verdict().Raised:
		return stayed(words.T("guard.sentence"), words.T("preview.guard_hint"))
	}
	return goTo(Confirm)
}

func (s *previewStep) saveAuditLog(d *data, _ Answer) turn {
	s.working = words.T("preview.saving")
	b, session := d.b, d.session
	p := d.remaining()
	name := "hacsync-" + fileWord(d.domain) + "-" + strconv.FormatInt(p.Run, 10) + ".csv"
	return does(effect(func(ctx context.Context, _ Reporter) any {
		path, err := b.WriteFile(ctx, name, func(w io.Writer) error { return session.AuditLog(ctx, w, p) })
		return fileSaved{path, err}
	}))
}

func (s *previewStep) savePlan(d *data) turn {
	s.working = words.T("preview.saving")
	b, p := d.b, d.review.Approved()
	name := "hacsync-" + fileWord(d.domain) + "-" + p.Fingerprint().Code() + ".plan"
	return does(effect(func(ctx context.Context, _ Reporter) any {
		path, err := b.WriteFile(ctx, name, p.Encode)
		return fileSaved{path, err}
	}))
}

// saveQuestions writes questions for a colleague who knows the people.
func (s *previewStep) saveQuestions(d *data, a Answer) turn {
	lines := []words.Text{words.T("preview.q.sheet.head", "n", len(a.Rows), "domain", d.domain, "code", d.review.Code())}
	for _, no := range a.Rows {
		if i := -no - 1; i >= 0 && i < d.review.Plan().QuestionLen() {
			lines = append(append(lines, words.Text{}), d.review.Sheet(i)...)
		}
	}
	s.working = words.T("preview.saving")
	b, say := d.b, a.Say
	name := "hacsync-" + fileWord(d.domain) + "-" + d.review.Code() + "-questions.txt"
	return does(effect(func(ctx context.Context, _ Reporter) any {
		path, err := b.WriteFile(ctx, name, func(w io.Writer) error {
			for _, l := range lines {
				if _, err := io.WriteString(w, say(l)+"\n"); err != nil {
					return err
				}
			}
			return nil
		})
		return fileSaved{path, err}
	}))
}

func (s *previewStep) inner() bool { return s.asks != askList || s.row != 0 }

func (s *previewStep) back(d *data) (turn, bool) {
	switch {
	case s.asks == askReason:
		s.asks = askHowLong
	case s.asks == askRaise, s.asks == askMost:
		s.asks = askGuard
	case s.asks != askList:
		s.asks = askList
	case s.row != 0:
		s.row = 0
	case s.list.of == d.review && s.list.query.Search != "":
		// As with esc on the screen: the search is cleared first.
		s.show(d, s.list.query.Tab, s.list.query.Filter, "")
	case s.list.of == d.review && s.list.query.Tab == review.TabQuestions && s.list.query.Filter != review.NoFilter:
		s.show(d, s.list.query.Tab, review.NoFilter, "")
	default:
		return turn{}, false
	}
	s.working = words.Text{}
	return turn{stop: !s.storing()}, true
}

func (s *previewStep) done(d *data, result any) turn {
	if r, ok := result.(decided); ok {
		if r.err != nil {
			s.err = r.err
			if r.undo != nil {
				r.undo()
			}
		}
		return turn{}
	}
	s.working = words.Text{}
	switch r := result.(type) {
	case replied:
		return s.replied(d, r)
	case fileSaved:
		if r.err != nil {
			s.err = r.err
			return turn{}
		}
		return stayed(words.T("flow.saved_to", "path", r.path))
	case settingsKept:
		if r.err != nil {
			s.err = r.err
			return turn{}
		}
		d.settings, s.asks = r.settings, askList
		if _, fixed := d.fixed(); fixed {
			return stayed(limitSays(r.settings))
		}
		// The limit is part of what a plan rests on: a new one is made.
		t := goTo(DryRun)
		t.say = []words.Text{limitSays(r.settings)}
		return t
	}
	return turn{}
}
