package flow

import (
	"context"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/tui/words"
)

// previewing lets a person read the plan row by row and leave rows out.
type previewing struct {
	asks    previewAsk
	working words.Text
	err     error
	row     int   // the row in detail, 0 for the list
	out     []int // rows about to be left out
	always  bool
	limit   string
	most    string
	find    string // searched for when the next plan comes
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

func (s *previewing) enter(d *data, back bool) turn {
	s.asks, s.err, s.working, s.row = askList, nil, words.Text{}, 0
	if s.find != "" {
		d.review.show(TabAll, NoFilter, s.find)
		s.find = ""
	}
	return turn{}
}

func (s *previewing) view(d *data, now time.Time) View {
	r := d.review
	v := View{Title: words.T("flow.preview.title", "domain", d.domain), Status: s.status(d)}
	if no := r.plan.Undoes(); no > 0 {
		v.Title = words.T("flow.preview.title_undo", "run", int(no), "domain", d.domain)
	}
	if s.err != nil {
		v.Blocks = append(v.Blocks, words.Trouble{Err: s.err})
	}
	if s.asks == askList {
		r.reading.without = d.without()
		v.Reading = r.reading
	}
	if !s.working.IsZero() {
		v.Working = s.working
		v.Ask = Question{Kind: Wait, Optional: true}
		return v
	}
	switch s.asks {
	case askHowLong:
		s.viewOut(r, &v)
		v.Ask = Question{Kind: Choice, Text: words.T("flow.preview.how_long"), Preset: "always", Options: []Option{
			{Key: "always", Text: words.T("flow.preview.always"), Note: words.T("flow.preview.always_note")},
			{Key: "once", Text: words.T("flow.preview.once"), Note: words.T("flow.preview.once_note")},
		}}
		return v
	case askReason:
		s.viewOut(r, &v)
		v.Ask = Question{Kind: Line, Text: words.T("flow.preview.reason"), Optional: true}
		return v
	case askGuard:
		s.viewGuard(d, &v)
		return v
	case askRaise:
		v.Title = words.T("word.max-allowed-deletions")
		v.Blocks = append(v.Blocks, words.Para{Text: words.T("flow.preview.raise_what")})
		v.Ask = Question{Kind: Number, Text: words.T("flow.domain.limit_ask"), Preset: firstOf(s.limit, strconv.Itoa(r.verdict().MaxAllowedDeletions))}
		return v
	case askMost:
		v.Title = words.T("word.max-allowed-deletions")
		v.Ask = Question{Kind: Number, Text: words.T("flow.preview.most_ask"), Preset: s.most}
		return v
	}
	if s.row == 0 {
		v.Blocks = append(v.Blocks, words.Para{Text: tabLine(r)}, verdictCheck(r.verdict()))
		if t, ok := notableLine(r); ok {
			v.Blocks = append(v.Blocks, words.Para{Text: t})
		}
	}
	if s.row == 0 && r.tab == TabAll && r.top == 0 && r.query == "" {
		for _, w := range r.plan.Warnings() {
			v.Blocks = append(v.Blocks, words.Checks{{Mark: words.Warn, Text: words.T("flow.what", "x", words.What{Err: w}), Detail: []words.Text{words.T("flow.what", "x", words.Remedy{Err: w})}}})
		}
	}
	switch {
	case s.row > 0:
		v.Blocks = append(v.Blocks, r.detail(s.row)...)
	case r.tab == TabSummary:
		v.Blocks = append(v.Blocks, summaryBlocks(r)...)
	case r.tab == TabSkip && r.query == "":
		v.Blocks = append(v.Blocks, reasonBlocks(r)...)
	default:
		v.Blocks = append(v.Blocks, listBlocks(r)...)
	}
	v.Ask = Question{Kind: List, Text: words.T("flow.preview.ask")}
	v.Commands = previewCommands()
	return v
}

func (s *previewing) status(d *data) words.Text {
	whole := words.T("completeness.not-confirmed")
	if d.review.plan.Confirmed() {
		whole = words.T("completeness.confirmed")
	}
	if no := d.review.plan.Undoes(); no > 0 {
		return words.T("flow.preview.status_undo", "run", int(no), "code", d.review.code(), "at", words.Clock(d.planned.At))
	}
	if d.planned.At.IsZero() {
		return words.T("flow.preview.status_file", "code", d.review.code(), "whole", whole)
	}
	return words.T("flow.preview.status", "run", int(d.planned.Run), "code", d.review.code(), "at", words.Clock(d.planned.At), "whole", whole)
}

// fixed says why the plan cannot be made anew with another decision: it is a
// file's, or the inverse of a run.
func (d *data) fixed() (why words.Text, ok bool) {
	switch {
	case d.file != nil:
		return words.T("flow.preview.file_no_dryrun"), true
	case d.review.plan.Undoes() > 0:
		return words.T("flow.preview.undo_no_dryrun"), true
	}
	return words.Text{}, false
}

func previewCommands() []Command {
	list := []Command{
		{Name: "next", Key: "n", Word: "next", Help: words.T("flow.preview.cmd_next")},
		{Name: "previous", Key: "v", Word: "previous", Help: words.T("flow.preview.cmd_previous")},
		{Name: "tab:all", Word: "all", Help: words.T("flow.preview.cmd_all")},
	}
	for _, t := range tabs() {
		switch t {
		case TabAll:
		case TabSummary:
			list = append(list, Command{Name: "tab:summary", Word: "summary", Help: words.T("flow.preview.cmd_summary")})
		case TabSkip:
			list = append(list, Command{Name: "tab:skip", Key: "!", Word: "skip", Help: words.T("flow.preview.cmd_skip")})
		default:
			list = append(list, Command{Name: "tab:" + string(t), Key: kindOf(t).Sign(), Word: string(t), Help: words.T("flow.preview.cmd_kind", "kind", words.T("kind."+string(t)))})
		}
	}
	return append(
		list,
		Command{Name: "search", Key: "/", Word: "search", Arg: words.T("flow.arg_text"), Help: words.T("flow.preview.cmd_search")},
		Command{Name: "filter", Key: "f", Word: "filter", Arg: words.T("flow.preview.arg_filter"), Help: words.T("flow.preview.cmd_filter")},
		Command{Name: "out", Key: "o", Word: "out", Arg: words.T("flow.preview.arg_rows"), Help: words.T("flow.preview.cmd_out")},
		Command{Name: "in", Key: "i", Word: "in", Arg: words.T("flow.preview.arg_rows"), Help: words.T("flow.preview.cmd_in")},
		Command{Name: "same", Key: "=", Word: "same", Arg: words.T("flow.arg_no"), Help: words.T("flow.preview.cmd_same")},
		Command{Name: "attribute", Word: "attribute", Arg: words.T("preview.arg_attribute"), Help: words.T("preview.cmd_attribute")},
		Command{Name: "takeback", Key: "z", Word: "takeback", Help: words.T("flow.preview.cmd_takeback")},
		Command{Name: "limit", Key: "m", Word: "limit", Help: words.T("word.max-allowed-deletions")},
		Command{Name: "auditlog", Key: "a", Word: "auditlog", Help: words.T("flow.preview.cmd_auditlog")},
		Command{Name: "save", Key: "w", Word: "save", Help: words.T("flow.preview.cmd_save")},
		Command{Name: "dryrun", Key: "d", Word: "dryrun", Help: words.T("flow.preview.cmd_dryrun")},
		Command{Name: "sync", Key: "s", Word: "sync", Help: words.T("flow.preview.cmd_sync")},
	)
}

func kindOf(t Tab) plan.Kind {
	for _, k := range []plan.Kind{plan.Delete, plan.Rename, plan.Restore, plan.Add, plan.Update} {
		if k.String() == string(t) {
			return k
		}
	}
	return 0
}

func tabLine(r *reviewed) words.Text {
	c := r.counts()
	return words.T("flow.preview.tabs", "all", c.Changes(), "delete", c.Delete, "rename", c.Rename, "restore", c.Restore,
		"add", c.Add, "update", c.Update, "skip", r.plan.SkipLen())
}

// share says the guard's two numbers and where it stops.
func share(v plan.Verdict) words.Text {
	id := "guard.share"
	kv := []any{
		"deletions", v.Deletions, "users", v.Users, "percent", words.Percent(v.Percent()),
		"stops", v.StopsAt, "limit", words.Percent(v.MaxAllowedDeletions),
	}
	if v.MaxDeletions >= 0 {
		id, kv = "guard.share-absolute", append(kv, "absolute", v.MaxDeletions)
	}
	return words.T(id, kv...)
}

func verdictCheck(v plan.Verdict) words.Checks {
	c := words.Check{Mark: words.OK, Text: words.T("flow.preview.deletions", "share", share(v))}
	switch {
	case v.Raised:
		c.Mark, c.Detail = words.Warn, []words.Text{words.T("guard.raised")}
	case v.Cancelled:
		c.Mark, c.Detail = words.Stops, []words.Text{words.T("guard.sentence"), words.T("flow.preview.guard_hint")}
	}
	if v.Blocks > 0 {
		c.Detail = append(c.Detail, words.T("flow.preview.blocks", "n", v.Blocks))
	}
	return words.Checks{c}
}

// notableLine names what deserves a look, each with the word that filters it.
func notableLine(r *reviewed) (words.Text, bool) {
	var list words.Texts
	for _, f := range filters() {
		n := r.notable[f]
		if f == OutOnly {
			n = len(r.left)
		}
		if n > 0 {
			list = append(list, words.T("flow.preview.n_of", "word", string(f), "n", n))
		}
	}
	return words.T("flow.preview.notable", "list", list), len(list) > 0
}

func listBlocks(r *reviewed) []words.Piece {
	rows := r.rows()
	var out []words.Piece
	if r.query != "" || r.filter != NoFilter {
		out = append(out, words.Para{Text: words.T("flow.preview.shown", "n", len(rows), "of", r.plan.Len(), "query", firstOf(r.query, string(r.filter)))})
	}
	if r.plan.Len() == 0 && r.query == "" {
		return append(out, words.Para{Text: words.T("flow.preview.no_changes")})
	}
	if len(rows) == 0 {
		return append(out, words.Para{Text: words.T("flow.preview.nothing_here")})
	}
	t := words.Table{Head: []words.Text{{}, words.T("flow.preview.no"), words.T("flow.preview.col_upn"), words.T("flow.preview.col_name"), words.T("flow.preview.col_what")}, Right: []int{1}}
	end := min(r.top+pageRows, len(rows))
	for _, no := range rows[r.top:end] {
		if a, ok := r.action(no); ok {
			t.Rows = append(t.Rows, []words.Text{r.sign(a), words.Num(no), words.Raw(inDomain(a.UPN, r.plan.Domain())), words.Raw(a.Name), r.what(a)})
		} else if k, ok := r.skip(no); ok {
			t.Rows = append(t.Rows, []words.Text{words.Raw("!"), words.Num(no), words.Raw(inDomain(k.Ref.UPN, r.plan.Domain())), words.Raw(k.Name), words.T("flow.what", "x", words.Short{Err: k.Why})})
		}
	}
	return append(out, t, words.Para{Text: words.T("flow.preview.page", "from", r.top+1, "to", end, "n", len(rows))})
}

// inDomain leaves the domain of the plan away: it is the same in nearly all rows.
func inDomain(upn, domain string) string {
	if n := len(upn) - len(domain) - 1; n > 0 && upn[n] == '@' && strings.EqualFold(upn[n+1:], domain) {
		return upn[:n]
	}
	return upn
}

func reasonBlocks(r *reviewed) []words.Piece {
	var out []words.Piece
	var list words.Checks
	group := plan.Group(0)
	flush := func() {
		if len(list) > 0 {
			out = append(out, words.Heading{Text: words.T("group." + groupWord(group))}, list)
			list = nil
		}
	}
	for _, x := range r.reasons() {
		if x.group != group {
			flush()
			group = x.group
		}
		list = append(list, words.Check{
			Mark: words.Info,
			Text: words.T("flow.preview.reason_line", "n", len(x.names), "short", words.Short{Err: x.first.Why}, "code", string(x.first.Why.Code), "names", x.names),
			Detail: []words.Text{
				words.T("flow.preview.remedy", "remedy", words.Remedy{Err: x.first.Why}),
			},
		})
	}
	flush()
	if len(out) == 0 {
		return []words.Piece{words.Para{Text: words.T("flow.preview.no_skips")}}
	}
	return append(out, words.Para{Text: words.T("flow.preview.skips_hint", "from", r.plan.Skip(0).No, "to", r.plan.Skip(r.plan.SkipLen()-1).No)})
}

func summaryBlocks(r *reviewed) []words.Piece {
	t := words.Table{Head: []words.Text{
		words.T("flow.preview.attribute"), words.T("flow.preview.s_rows"), words.T("flow.preview.s_set"), words.T("flow.preview.s_changed"),
		words.T("flow.preview.s_cleared"), words.T("flow.preview.s_example"),
	}, Right: []int{1, 2, 3, 4}}
	same := 0
	for _, s := range r.summary() {
		old, now := marked(s.example)
		t.Rows = append(t.Rows, []words.Text{
			words.Raw(string(s.name)), words.Num(s.rows), words.Num(s.set), words.Num(s.changed), words.Num(s.cleared),
			words.T("flow.preview.change", "old", value(s.example.Old, old), "new", value(s.example.New, now)),
		})
		same += s.like
	}
	out := []words.Piece{}
	if len(t.Rows) > 0 {
		out = append(out, t)
	} else {
		out = append(out, words.Para{Text: words.T("flow.preview.no_values")})
	}
	if same > 0 {
		out = append(out, words.Checks{{Mark: words.Warn, Text: words.T("flow.preview.look_same", "n", same)}})
	}
	c := r.counts()
	return append(out, words.Para{Text: words.T("flow.preview.sums", "source", c.SourceUsers, "destination", c.DestinationUsers, "unchanged", c.Unchanged,
		"touch", r.verdict().Users, "skipped", c.Skipped)})
}

func (s *previewing) viewOut(r *reviewed, v *View) {
	v.Title = words.T("flow.preview.out_title", "n", len(s.out))
	t := words.Table{Head: []words.Text{{}, words.T("flow.preview.no"), words.T("flow.preview.col_upn"), words.T("flow.preview.col_name")}, Right: []int{1}}
	for _, no := range s.out[:min(len(s.out), pageRows)] {
		if a, ok := r.action(no); ok {
			t.Rows = append(t.Rows, []words.Text{r.sign(a), words.Num(no), words.Raw(a.UPN), words.Raw(a.Name)})
		}
	}
	v.Blocks = append(v.Blocks, t)
	if n := len(s.out) - pageRows; n > 0 {
		v.Blocks = append(v.Blocks, words.Para{Text: words.T("flow.more", "n", n)})
	}
}

func (s *previewing) viewGuard(d *data, v *View) {
	r := d.review
	verdict := r.verdict()
	v.Title = words.T("word.max-allowed-deletions")
	v.Blocks = append(v.Blocks, verdictCheck(verdict), words.Para{Text: words.T("flow.preview.guard_what", "percent", verdict.MaxAllowedDeletions)})
	v.Ask = Question{Kind: Choice, Text: words.T("flow.choose"), Preset: "leave", Options: []Option{
		{Key: "leave", Text: words.T("flow.preview.g_leave", "percent", verdict.MaxAllowedDeletions), Note: words.T("flow.preview.g_leave_note")},
	}}
	if verdict.Cancelled {
		v.Ask.Options = append(v.Ask.Options, Option{Key: "once", Text: words.T("flow.preview.g_once", "n", verdict.Deletions), Note: words.T("flow.preview.g_once_note", "code", r.code())})
	}
	v.Ask.Options = append(v.Ask.Options,
		Option{Key: "raise", Text: words.T("flow.preview.g_raise", "domain", d.domain), Note: words.T("flow.preview.g_raise_note")},
		Option{Key: "most", Text: words.T("flow.preview.g_most"), Note: words.T("flow.preview.g_most_note")})
}

func (s *previewing) answer(d *data, a Answer) turn {
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
		n, ok := words.Number(trimPercent(a.Text))
		if !ok || n > 100 {
			return stayed(words.T("flow.domain.limit_bad"))
		}
		s.limit = strconv.Itoa(n)
		return s.keep(d, "max_allowed_deletions", s.limit)
	case askMost:
		n, ok := words.Number(a.Text)
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
	n, ok := words.Number(text)
	if !ok {
		return stayed(words.T("flow.preview.not_understood"))
	}
	_, isAction := d.review.action(n)
	if _, isSkip := d.review.skip(n); !isAction && !isSkip {
		return stayed(words.T("flow.no_such_number", "max", d.review.last()))
	}
	s.row = n
	return turn{}
}

// same joins a deletion and an addition into one rename, by a dry run that knows
// of it.
func (s *previewing) same(d *data, text string) turn {
	r := d.review
	no, ok := words.Number(text)
	if strings.TrimSpace(text) == "" && s.row > 0 {
		no, ok = s.row, true
	}
	a, found := r.action(no)
	if !ok || !found {
		return stayed(words.T("flow.preview.which_row"))
	}
	b, found := r.action(a.Pair)
	if !found {
		return stayed(words.T("flow.preview.no_pair", "no", no))
	}
	if a.Kind == plan.Add {
		a, b = b, a
	}
	if t, ok := d.fixed(); ok {
		return stayed(t)
	}
	d.decisions = append(d.decisions, plan.Decision{
		Kind: plan.SamePerson, ID: a.User.ID, UPN: b.UPN, By: d.approver(), At: d.now(),
	})
	s.find = b.UPN
	t := goTo(DryRun)
	t.say = []words.Text{words.T("flow.preview.joined", "old", a.UPN, "new", b.UPN)}
	return t
}

// attribute leaves an attribute out of the plan, or takes it in again, by a dry
// run that knows of it.
func (s *previewing) attribute(d *data, text string) turn {
	name := directory.Attribute(strings.TrimSpace(text))
	if t, ok := d.fixed(); ok {
		return stayed(t)
	}
	is := func(x plan.Decision) bool { return x.Kind == plan.LeaveOutAttribute && x.Attribute == name }
	say := words.T("preview.attribute_out", "name", string(name))
	switch {
	case slices.ContainsFunc(d.decisions, is):
		d.decisions = slices.DeleteFunc(slices.Clone(d.decisions), is)
		say = words.T("preview.attribute_in", "name", string(name))
	case slices.Contains(d.review.reading.attributes, name):
		d.decisions = append(slices.Clone(d.decisions), plan.Decision{Kind: plan.LeaveOutAttribute, Attribute: name, By: d.approver(), At: d.now()})
	default:
		return stayed(words.T("preview.no_attribute"))
	}
	t := goTo(DryRun)
	t.say = []words.Text{say}
	return t
}

func (s *previewing) keep(d *data, key, value string) turn {
	if d.session == nil {
		return stayed(words.T("flow.preview.file_no_dryrun"))
	}
	s.working = words.T("flow.preview.keeping")
	return does(keepSettings(d, map[string]string{key: value}))
}

func (s *previewing) page(d *data, by int) turn {
	r := d.review
	if s.row > 0 {
		s.row = 0
		return turn{}
	}
	top := r.top + by*pageRows
	switch {
	case r.tab == TabSummary || r.tab == TabSkip && r.query == "" || top >= len(r.rows()):
		return stayed(words.T("flow.preview.last_page"))
	case top < 0:
		return stayed(words.T("flow.preview.first_page"))
	}
	r.top = top
	return turn{}
}

func (s *previewing) command(d *data, a Answer) turn {
	r := d.review
	if t, ok := strings.CutPrefix(a.Command, "tab:"); ok {
		s.row = 0
		r.show(Tab(t), NoFilter, "")
		return turn{}
	}
	switch a.Command {
	case "next":
		return s.page(d, 1)
	case "previous":
		return s.page(d, -1)
	case "search":
		s.row = 0
		tab := r.tab
		if tab == TabSummary {
			tab = TabAll
		}
		r.show(tab, r.filter, strings.TrimSpace(a.Text))
		return turn{}
	case "filter":
		f := Filter(words.Fold(a.Text))
		s.row = 0
		for _, known := range append(filters(), NoFilter) {
			if f == known {
				r.show(TabAll, f, "")
				return turn{}
			}
		}
		return stayed(words.T("flow.preview.no_such_filter"))
	case "out", "in":
		return s.take(d, a)
	case "takeback":
		back := r.takeBack()
		if len(back) == 0 {
			return stayed(words.T("flow.preview.nothing_taken_back"))
		}
		return stayed(words.T("flow.preview.taken_in", "n", len(back)), remain(r))
	case "same":
		return s.same(d, a.Text)
	case "attribute":
		return s.attribute(d, a.Text)
	case "limit":
		s.asks, s.limit, s.most = askGuard, "", ""
		return turn{}
	case "auditlog":
		return s.saveAuditLog(d)
	case "save":
		return s.savePlan(d)
	case "dryrun":
		if d.file != nil {
			return stayed(words.T("flow.preview.file_no_dryrun"))
		}
		return goTo(DryRun)
	case "sync":
		return s.sync(d)
	}
	return stayed(words.T("flow.not_a_command"))
}

func remain(r *reviewed) words.Text {
	return words.T("flow.preview.remain", "share", share(r.verdict()))
}

// take leaves rows out or takes them in.
func (s *previewing) take(d *data, a Answer) turn {
	r := d.review
	var nos []int
	switch text := words.Fold(a.Text); {
	case text == "*":
		for _, no := range r.rows() {
			if _, ok := r.action(no); ok {
				nos = append(nos, no)
			}
		}
	case text == "" && s.row > 0:
		nos = []int{s.row}
	default:
		var ok bool
		if nos, ok = words.RowNumbers(a.Text, r.last()); !ok {
			return stayed(words.T("flow.preview.which_rows", "max", r.last()))
		}
	}
	want := make([]int, 0, len(nos))
	deletes := false
	for _, no := range nos {
		x, ok := r.action(no)
		if !ok || r.review.IsOut(no) == (a.Command == "out") {
			continue
		}
		want = append(want, no)
		deletes = deletes || x.Kind == plan.Delete
	}
	if len(want) == 0 {
		if a.Command == "out" {
			return stayed(words.T("flow.preview.already_out"))
		}
		return stayed(words.T("flow.preview.already_in"))
	}
	if a.Command == "in" {
		back := r.takeIn(want)
		return stayed(words.T("flow.preview.taken_in", "n", len(back)), remain(r))
	}
	s.out, s.always = want, false
	if deletes {
		s.asks = askHowLong
		return turn{}
	}
	return s.leaveOut(d, "")
}

func (s *previewing) leaveOut(d *data, why string) turn {
	r := d.review
	changed := r.leaveOut(s.out, s.always, d.approver(), why, d.now())
	say := []words.Text{words.T("flow.preview.left_out", "n", len(changed))}
	if n := len(changed) - len(s.out); n > 0 {
		say = append(say, words.T("flow.preview.with_them", "n", n))
	}
	if s.always {
		say = append(say, words.T("flow.preview.kept_at_sync"))
	}
	s.out, s.row = nil, 0
	return stayed(append(say, remain(r))...)
}

func (s *previewing) guard(d *data, key string) turn {
	switch key {
	case "leave":
		s.asks = askList
		return turn{}
	case "once":
		if !d.review.verdict().Cancelled {
			return stayed(words.T("flow.not_a_choice"))
		}
		d.review.raise()
		s.asks = askList
		return stayed(words.T("flow.preview.raised", "code", d.review.code()))
	case "raise":
		s.asks = askRaise
		return turn{}
	case "most":
		s.asks = askMost
		return turn{}
	}
	return stayed(words.T("flow.not_a_choice"))
}

func (s *previewing) sync(d *data) turn {
	switch v, c := d.review.verdict(), d.review.counts(); {
	case d.session == nil:
		return stayed(words.T("flow.preview.file_no_dryrun"))
	case c.Changes() == 0:
		return stayed(words.T("flow.preview.nothing_to_do"))
	case v.Cancelled && !v.Raised:
		return stayed(words.T("guard.sentence"), words.T("flow.preview.guard_hint"))
	}
	return goTo(Confirm)
}

func (s *previewing) saveAuditLog(d *data) turn {
	if d.session == nil {
		return stayed(words.T("flow.preview.file_no_dryrun"))
	}
	s.working = words.T("flow.preview.saving")
	b, session := d.b, d.session
	p := d.remaining()
	name := "hacsync-" + fileWord(d.domain) + "-" + strconv.FormatInt(p.Run, 10) + ".csv"
	return does(effect(func(ctx context.Context, _ Reporter) any {
		path, err := b.WriteFile(ctx, name, func(w io.Writer) error { return session.AuditLog(ctx, w, p) })
		return fileSaved{path, err}
	}))
}

func (s *previewing) savePlan(d *data) turn {
	s.working = words.T("flow.preview.saving")
	b, p := d.b, d.review.approved()
	name := "hacsync-" + fileWord(d.domain) + "-" + p.Fingerprint().Code() + ".plan"
	return does(effect(func(ctx context.Context, _ Reporter) any {
		path, err := b.WriteFile(ctx, name, p.Encode)
		return fileSaved{path, err}
	}))
}

func (s *previewing) inner() bool { return s.asks != askList || s.row > 0 }

func (s *previewing) back(d *data) (turn, bool) {
	switch {
	case s.asks == askReason:
		s.asks = askHowLong
	case s.asks == askRaise, s.asks == askMost:
		s.asks = askGuard
	case s.asks != askList:
		s.asks = askList
	case s.row > 0:
		s.row = 0
	case d.review.query != "":
		// As with esc on the screen: the search is cleared first.
		d.review.show(d.review.tab, d.review.filter, "")
	default:
		return turn{}, false
	}
	s.working = words.Text{}
	return turn{stop: true}, true
}

func (s *previewing) event(*data, any, time.Time) {}

func (s *previewing) done(d *data, result any) turn {
	s.working = words.Text{}
	switch r := result.(type) {
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
