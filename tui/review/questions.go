package review

import (
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/message"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/tui/words"
)

// questionSign is the sign of a question without an answer.
const questionSign = "?"

// questions is the list of what only a person can know. The row number of one is
// that of the question below zero, so that it is no action's.
type questions struct{ *Review }

func (l questions) len() int     { return l.plan.QuestionLen() }
func (l questions) no(i int) int { return -l.plan.Question(i).No }

func (l questions) find(no int) (int, bool) {
	i := -no - 1
	return i, i >= 0 && i < l.len()
}

func (l questions) who(i int) (upn, name string) {
	q := l.plan.Question(i)
	return q.Account.UPN, q.Name
}

func (l questions) texts(i int) []string {
	q := l.plan.Question(i)
	texts := []string{q.Account.UPN, q.Name}
	for k := range q.Rows {
		c := &q.Rows[k]
		texts = append(texts, c.Username, c.Row.UPN, c.Name)
	}
	return texts
}

func (l questions) row(i int) Row {
	q := l.plan.Question(i)
	return Row{
		No: -q.No, Sign: answerSign(q.Answer.Kind), UPN: words.Local(q.Account.UPN, l.plan.Domain()), Name: q.Name,
		What: two(words.T("preview.q.rows", "n", len(q.Rows)), AnswerWord(q.Answer.Kind)),
	}
}

func (l questions) detail(i int) []words.Piece { return l.Card(i, -1).Pieces() }

// answerSign is the sign of a question by its answer.
func answerSign(k plan.AnswerKind) string {
	switch k {
	case plan.SamePerson:
		return "="
	case plan.DifferentPeople:
		return "#"
	case plan.NotNow:
		return ".."
	case plan.Open:
	}
	return questionSign
}

// AnswerWord is what an answer is called.
func AnswerWord(k plan.AnswerKind) words.Text {
	if k == plan.Open {
		return words.T("question.answer.open")
	}
	return words.T("question.answer." + string(k))
}

// Label is a row's number as it is shown: Q1 for a question, nothing for a row
// that has none of its own.
func Label(no int) words.Text {
	switch {
	case no < 0:
		return words.T("preview.q.no", "no", -no)
	case no == 0:
		return words.Text{}
	}
	return words.Num(no)
}

// Questions is how many there are, Answered how many of them have an answer.
func (r *Review) Questions() (all, answered int) {
	for _, q := range r.plan.Questions() {
		all++
		if q.Answer.Kind != plan.Open {
			answered++
		}
	}
	return all, answered
}

// Waiting reports whether a question was not looked at yet.
func (r *Review) Waiting() bool {
	all, answered := r.Questions()
	return answered < all
}

// Progress says how many questions have an answer, and what an open one does.
func (r *Review) Progress() words.Text {
	switch all, answered := r.Questions(); {
	case all == answered:
		c := map[plan.AnswerKind]int{}
		for _, q := range r.plan.Questions() {
			c[q.Answer.Kind]++
		}
		return words.T("preview.q.all_answered", "n", all, "same", c[plan.SamePerson], "different", c[plan.DifferentPeople], "notnow", c[plan.NotNow])
	case all == 1:
		return words.T("preview.q.one")
	default:
		return words.T("preview.q.answered", "n", answered, "of", all)
	}
}

// grouped is from how many questions on they stand by why they are asked.
const grouped = 40

// why is the reason for a question, in the order shown.
type why uint8

const (
	whyCell   why = iota // a key of the account stands in a row
	whyName              // the same name
	whyLooks             // a name that looks the same
	whyAlias             // the same alias
	whyOthers            // what is weaker
)

// whyAsked is the strongest sign for any of the rows.
func whyAsked(q *plan.Question) why {
	out := whyOthers
	for i := range q.Rows {
		for _, s := range q.Rows[i].For {
			w := whyOthers
			switch s {
			case plan.SignID, plan.SignUsername, plan.SignUPN, plan.SignAddress:
				w = whyCell
			case plan.SignName:
				w = whyName
			case plan.SignNameLooks:
				w = whyLooks
			case plan.SignAlias:
				w = whyAlias
			}
			out = min(out, w)
		}
	}
	return out
}

// whys are the groups of many questions.
func (r *Review) whys(q Query, rows []int32) []Group {
	if q.Order != ByRisk || r.plan.QuestionLen() < grouped {
		return nil
	}
	var out []Group
	var n int
	var of why
	title := func() {
		if len(out) > 0 {
			id := [...]string{whyCell: "cell", whyName: "name", whyLooks: "looks", whyAlias: "alias", whyOthers: "others"}[of]
			out[len(out)-1].Title = words.T("preview.q.group."+id, "n", n)
		}
	}
	for at, i := range rows {
		w := whyAsked(r.plan.Question(r.Asked(i)))
		if at == 0 || w != of {
			title()
			out, of, n = append(out, Group{From: at}), w, 0
		}
		n++
	}
	title()
	return out
}

// Asked is the place of the question that a row is.
func (r *Review) Asked(row int32) int { return int(row - r.Part(TabQuestions).from) }

// answeredAs reports whether a filter has a question.
func answeredAs(q *plan.Question, f Filter) bool {
	switch f {
	case NoFilter:
		return true
	case AskedOpen:
		return q.Answer.Kind == plan.Open
	case AskedSame:
		return q.Answer.Kind == plan.SamePerson
	case AskedDifferent:
		return q.Answer.Kind == plan.DifferentPeople
	case AskedNotNow:
		return q.Answer.Kind == plan.NotNow
	default:
		return false
	}
}

// NextOpen is the place of the first open question after one, from the beginning
// again, among the rows of a list; -1 if there is none.
func (r *Review) NextOpen(list []int32, after int) int {
	n := len(list)
	at := slices.IndexFunc(list, func(i int32) bool { return r.Asked(i) == after })
	for k := 1; k <= n; k++ {
		if i := r.Asked(list[(at+k)%n]); r.plan.Question(i).Answer.Kind == plan.Open {
			return i
		}
	}
	return -1
}

// Said are the answers that are kept when a question is answered: with same person
// of one row, else of each. Answers to other questions stay.
func (r *Review) Said(q *plan.Question, kind plan.AnswerKind, row, by string, at time.Time) []plan.Answer {
	said := slices.DeleteFunc(slices.Clone(r.plan.Answers()), func(a plan.Answer) bool { return a.Account == q.Account.ID })
	if kind == plan.Open {
		return said
	}
	for i := range q.Rows {
		if key := q.Rows[i].RowKey(); kind != plan.SamePerson || key == row {
			said = append(said, plan.Answer{Kind: kind, Account: q.Account.ID, Row: key, Basis: q.Basis, By: by, At: at})
		}
	}
	return said
}

// would is the plan with one answer more, and the guard's judgement of what remains
// of it then; edit is spent by asking what p has.
func (r *Review) would(q *plan.Question, kind plan.AnswerKind, row string) (*plan.Plan, *plan.Review, plan.Verdict) {
	p := r.plan.Answer(r.Said(q, kind, row, "", time.Time{}))
	edit := p.Review()
	for no := range r.left {
		edit.LeaveOut(no)
	}
	v := edit.Verdict()
	return p, edit, v
}

// Card is a question as it is shown: the account, the rows that may be its person
// and what each answer would do.
type Card struct {
	Question *plan.Question
	// Chosen is the place of the row that the answer same person would mean, -1
	// where one has to be chosen first.
	Chosen int
	Title  words.Text
	// Asked is why an answered question is asked again, zero if it is not.
	Asked words.Text
	// Compared is the account beside the chosen row; brief leaves out what is said
	// by another value. Table are the rows where there are several.
	Compared, Brief *words.Beside
	Table           *words.Table
	Row             words.Text
	Signs           words.Facts
	Ways            words.Ways
}

type cardKey struct {
	at, chosen int
}

// Card is that of the question at a place, for a chosen row.
func (r *Review) Card(at, chosen int) *Card {
	q := r.plan.Question(at)
	if len(q.Rows) == 1 {
		chosen = 0
	}
	k := cardKey{at, chosen}
	if c := r.cards[k]; c != nil {
		return c
	}
	c := &Card{Question: q, Chosen: chosen, Title: r.cardTitle(q)}
	if q.Before.Kind != plan.Open && q.Answer.Kind == plan.Open {
		c.Asked = words.T("question.before", "answer", AnswerWord(q.Before.Kind), "at", day(q.Before.At))
	}
	if len(q.Rows) > 1 {
		c.Table = r.candidates(q, chosen)
	}
	if chosen >= 0 {
		c.Compared, c.Brief = r.beside(q, &q.Rows[chosen], false), r.beside(q, &q.Rows[chosen], true)
	}
	c.Row, c.Signs = r.signs(q, chosen)
	c.Ways = r.ways(q, chosen)
	if r.cards == nil {
		r.cards = map[cardKey]*Card{}
	}
	r.cards[k] = c
	return c
}

// Pieces are a card line by line.
func (c *Card) Pieces() []words.Piece {
	out := []words.Piece{words.Heading{Text: c.Title}}
	if !c.Asked.IsZero() {
		out = append(out, words.Para{Text: c.Asked})
	}
	switch {
	case c.Table != nil:
		out = append(out, *c.Table)
	case c.Brief != nil:
		out = append(out, *c.Brief)
	}
	ways := slices.Clone(c.Ways)
	for i := range ways {
		if ways[i].Does.ID == "preview.q.choose" { // a screen's key chooses it there
			ways[i].Does = words.T("preview.q.choose_line", "key", c.Question.Rows[0].Key)
		}
	}
	return append(out, c.Signs, ways)
}

func (r *Review) cardTitle(q *plan.Question) words.Text {
	if a := q.Answer; a.Kind != plan.Open {
		return words.T("preview.q.title_answered", "no", q.No, "answer", words.T("question.answered", "answer", AnswerWord(a.Kind), "by", a.By, "at", day(a.At)))
	}
	if len(q.Rows) > 1 {
		return words.T("preview.q.title_rows", "no", q.No)
	}
	return words.T("preview.q.title", "no", q.No)
}

// day is a date, empty where there is none: an optional argument of a text.
func day(t time.Time) any {
	if t.IsZero() {
		return ""
	}
	return words.Brief(t)
}

// marks are the signs between two values.
func likeness(s string) string {
	return map[string]string{plan.Equal: "=", plan.LooksSame: "=~", plan.Differs: "#", plan.OneSide: "."}[s]
}

// brief are the values that are compared where there is little room.
func brief(a directory.Attribute) bool {
	switch a {
	case plan.Username, directory.UserPrincipalName, directory.ImmutableID, directory.DisplayName, directory.Department:
		return true
	}
	return false
}

func (r *Review) beside(q *plan.Question, c *plan.Candidate, short bool) *words.Beside {
	b := &words.Beside{
		Left:  words.T("preview.q.account"),
		Right: words.T("preview.q.row", "line", c.Line, "name", r.plan.Source().Name),
	}
	if short {
		b.Right = words.T("preview.q.row_short", "line", c.Line)
	}
	for _, x := range c.Compare {
		if short && !brief(x.Attribute) {
			continue
		}
		was, is := x.Account, x.Row
		if x.Likeness == plan.Differs || x.Likeness == plan.LooksSame {
			was, is = compared(x.Account, x.Row)
		}
		left, right := orNone(was), orNone(is)
		if x.Attribute == plan.Username {
			switch {
			case x.Account == "":
				left = words.T("preview.q.no_link")
			case !q.Link.Since.IsZero():
				left = words.T("preview.q.linked", "username", was, "at", words.Brief(q.Link.Since))
			}
		}
		b.Lines = append(b.Lines, words.BesideLine{Label: words.T("preview.q.value." + string(x.Attribute)), Left: left, Mark: likeness(x.Likeness), Right: right})
	}
	used := words.T("preview.q.not_readable")
	if at := q.Evidence.LastSignIn; !at.IsZero() {
		used = words.T("preview.q.used", "at", words.Day(at))
	}
	login := words.T("preview.q.never_used")
	if !c.Login.IsZero() {
		login = words.T("preview.q.used_hac", "at", words.Day(c.Login))
	}
	b.Lines = append(b.Lines, words.BesideLine{Label: words.T("preview.q.value.used"), Left: used, Right: login})
	account := append(known(&q.Evidence), enabled(&q.Evidence))
	if short {
		account = account[:1]
		if at := q.Evidence.Created; !at.IsZero() {
			account = append(account, words.T("preview.made", "date", words.Day(at)))
		}
	}
	b.Lines = append(b.Lines, words.BesideLine{Label: words.T("preview.q.value.known"), Left: words.Is(account), Right: since(c)})
	return b
}

// known is what is known of an account.
func known(e *plan.Evidence) words.Texts {
	list := words.Texts{words.T("preview.no_licence")}
	if e.Licensed {
		list[0] = words.T("preview.licence")
	}
	if k := mailbox(e.Purpose &^ directory.PurposeUnknown); k != "" {
		list = append(list, words.T("mailbox."+k))
	}
	if !e.Created.IsZero() {
		list = append(list, words.T("preview.made", "date", words.Day(e.Created)))
	}
	return list
}

// since is when a row was first seen.
func since(c *plan.Candidate) words.Text {
	if c.Seen.First.IsZero() {
		return words.T("question.new")
	}
	return words.T("question.known", "since", words.Day(c.Seen.First))
}

// compared are two values with what differs in brackets. Spaces that are the same
// in both need no number.
func compared(a, b string) (string, string) {
	spaces := func(s string) string {
		return strings.Map(func(r rune) rune {
			if unicode.IsSpace(r) {
				return r
			}
			return -1
		}, s)
	}
	was, is := message.Reveal(a), message.Reveal(b)
	if spaces(a) != spaces(b) {
		was, is = message.RevealChange(a, b)
	}
	x, y := bracketed(was, is)
	x, y = strings.Replace(x, "[]", "", 1), strings.Replace(y, "[]", "", 1)
	// Where little is common, brackets tell nothing.
	if in := strings.Index(x, "]") - strings.Index(x, "["); in*3 > 2*len(x) {
		return was, is
	}
	return x, y
}

func orNone(s string) words.Text {
	if s == "" {
		return words.T("preview.q.empty")
	}
	return words.Raw(s)
}

// candidates are the rows of a question in a table, under the account.
func (r *Review) candidates(q *plan.Question, chosen int) *words.Table {
	columns := []directory.Attribute{plan.Username, directory.DisplayName, directory.Department, directory.ImmutableID}
	t := &words.Table{Head: []words.Text{{}, {}}}
	for _, a := range columns {
		t.Head = append(t.Head, words.T("preview.q.value."+string(a)))
	}
	t.Head = append(t.Head, words.T("preview.q.value.used"))
	account := []words.Text{{}, words.T("question.account")}
	for _, a := range columns {
		account = append(account, valueOf(q.Rows[0].Compare, a, true))
	}
	used := words.T("preview.q.not_readable")
	if at := q.Evidence.LastSignIn; !at.IsZero() {
		used = words.Is(words.Day(at))
	}
	t.Rows = append(t.Rows, append(account, used))
	for i := range q.Rows {
		c := &q.Rows[i]
		mark := words.Text{}
		if i == chosen {
			mark = words.Raw(">")
		}
		line := []words.Text{mark, words.T("preview.q.row_key", "key", c.Key)}
		for _, a := range columns {
			line = append(line, valueOf(c.Compare, a, false))
		}
		last := words.T("preview.q.never_used")
		switch {
		case c.TakenBy > 0:
			last = words.T("question.taken", "no", c.TakenBy)
		case c.WaitsFor > 0:
			last = words.T("question.waits", "no", c.WaitsFor)
		case !c.Login.IsZero():
			last = words.Is(words.Day(c.Login))
		}
		t.Rows = append(t.Rows, append(line, last))
	}
	return t
}

// valueOf is one value of the account, or of a row with its mark behind it.
func valueOf(list []plan.Compared, a directory.Attribute, account bool) words.Text {
	i := slices.IndexFunc(list, func(x plan.Compared) bool { return x.Attribute == a })
	switch {
	case i < 0 || account && list[i].Account == "":
		return words.T("preview.q.none")
	case account:
		return words.Raw(list[i].Account)
	}
	x := list[i]
	return words.T("preview.q.marked", "value", orNone(x.Row), "mark", likeness(x.Likeness))
}

// signs are what speaks for and against a row, or each of the rows.
func (r *Review) signs(q *plan.Question, chosen int) (row words.Text, signs words.Facts) {
	add := func(c *plan.Candidate) {
		if len(q.Rows) > 1 && chosen < 0 {
			signs = append(signs, words.Fact{Label: words.T("preview.q.row_key", "key", c.Key), Value: r.rowLine(c)})
		}
		signs = append(signs,
			words.Fact{Label: words.T("question.for"), Value: signWords(c.For)},
			words.Fact{Label: words.T("question.against"), Value: signWords(c.Against)})
	}
	if chosen >= 0 {
		c := &q.Rows[chosen]
		add(c)
		row = r.rowLine(c)
		if own := onlyOf(q, chosen); len(own) > 0 {
			signs = append(signs, words.Fact{Label: words.T("preview.q.apart"), Value: words.T("preview.q.only", "key", c.Key, "signs", signWords(own))})
		}
		return row, signs
	}
	for i := range q.Rows {
		add(&q.Rows[i])
	}
	return row, signs
}

// rowLine is a row by its key, line and UPN.
func (r *Review) rowLine(c *plan.Candidate) words.Text {
	return words.T("preview.q.row_line", "key", c.Key, "line", c.Line, "upn", words.Local(c.Row.UPN, r.plan.Domain()), "since", since(c))
}

// onlyOf are the signs that speak for one row of several alone.
func onlyOf(q *plan.Question, chosen int) []plan.Sign {
	if len(q.Rows) < 2 {
		return nil
	}
	var own []plan.Sign
	for _, s := range q.Rows[chosen].For {
		alone := true
		for i := range q.Rows {
			if i != chosen && slices.Contains(q.Rows[i].For, s) {
				alone = false
			}
		}
		if alone {
			own = append(own, s)
		}
	}
	return own
}

func signWords(signs []plan.Sign) words.Text {
	if len(signs) == 0 {
		return words.T("preview.q.nothing")
	}
	list := make(words.Texts, 0, len(signs))
	for _, s := range signs {
		list = append(list, words.T("question.sign."+string(s)))
	}
	return words.Is(list)
}

// The answers to a question: the word for each, and its key on a screen.
const (
	WordSame      = "same"
	WordDifferent = "different"
	WordNotNow    = "not-now"
	KeySame       = "="
	KeyDifferent  = "D"
	KeyNotNow     = "space"
)

// ways are the three answers with what each would do.
func (r *Review) ways(q *plan.Question, chosen int) words.Ways {
	same := words.Way{Key: KeySame, Word: WordSame, Name: words.T("question.answer.same"), Chosen: q.Answer.Kind == plan.SamePerson}
	switch {
	case same.Chosen:
		c := rowOf(q, q.Answer.Row)
		r.doesSame(&same, q, c)
	case chosen < 0:
		same.Does = words.T("preview.q.choose")
	case q.Rows[chosen].TakenBy > 0:
		same.Does = words.T("question.taken", "no", q.Rows[chosen].TakenBy)
	default:
		r.doesSame(&same, q, &q.Rows[chosen])
	}
	if len(q.Rows) > 1 && (chosen >= 0 || same.Chosen) {
		key := ""
		if c := rowOf(q, q.Answer.Row); same.Chosen && c != nil {
			key = c.Key
		} else if chosen >= 0 {
			key = q.Rows[chosen].Key
		}
		same.Name = words.T("preview.q.same_as", "key", key)
	}
	other := words.Way{Key: KeyDifferent, Word: WordDifferent, Name: words.T("question.answer.different"), Chosen: q.Answer.Kind == plan.DifferentPeople}
	if len(q.Rows) > 1 {
		other.Name = words.T("preview.q.none_of")
	}
	r.doesDifferent(&other, q)
	later := words.Way{
		Key: KeyNotNow, Word: WordNotNow, Name: words.T("question.answer.not-now"), Does: words.T("preview.q.does_nothing"),
		Chosen: q.Answer.Kind == plan.NotNow || q.Answer.Kind == plan.Open,
	}
	return words.Ways{same, other, later}
}

// doesSame says what the answer same person would do.
func (r *Review) doesSame(w *words.Way, q *plan.Question, c *plan.Candidate) {
	if c == nil {
		return
	}
	p, edit, v := r.would(q, plan.SamePerson, c.RowKey())
	var does words.Text
	a, ok := p.Option(c.Same)
	switch {
	case ok && a.Kind == plan.Rename:
		does = words.T("preview.q.does_rename", "upn", words.Local(a.UPN, p.Domain()))
	case ok && a.Kind == plan.Update:
		does = words.T("preview.q.does_update")
	case ok:
		does = words.T("preview.q.does_kind", "sign", a.Kind.Sign(), "kind", words.T("kind."+a.Kind.String()))
	case c.SameWhy != nil:
		does = words.T("preview.q.does_skip", "why", words.Short{Err: c.SameWhy})
	default:
		does = words.T("preview.q.does_stay")
	}
	var added words.Names
	for i := range q.Rows {
		x := &q.Rows[i]
		if x.RowKey() == c.RowKey() || x.Add == 0 {
			continue
		}
		if _, ok := made(p, edit, x.Add); ok {
			added = append(added, x.Key)
		}
	}
	if len(added) > 0 {
		does = words.T("preview.q.and_added", "does", does, "rows", added, "n", len(added))
	}
	w.Does, w.Cancels = does, v.Cancelled
}

// made is an action that answers make, if p has it.
func made(p *plan.Plan, edit *plan.Review, no int) (plan.Action, bool) {
	a, ok := p.Option(no)
	return a, ok && (edit.IsOut(no) || edit.LeaveOut(no) != nil)
}

// rowOf is the row of a question that an answer names.
func rowOf(q *plan.Question, key string) *plan.Candidate {
	for i := range q.Rows {
		if q.Rows[i].RowKey() == key {
			return &q.Rows[i]
		}
	}
	return nil
}

// doesDifferent says what the answer different people would do.
func (r *Review) doesDifferent(w *words.Way, q *plan.Question) {
	p, edit, v := r.would(q, plan.DifferentPeople, "")
	now := p.Question(q.No - 1)
	guard := words.T("preview.q.guard", "deletions", v.Deletions, "users", v.Users)
	if v.Cancelled {
		w.Cancels = true
		guard = words.T("preview.q.guard_cancels", "deletions", v.Deletions, "users", v.Users, "percent", words.Percent(v.Percent()))
	}
	a, acts := made(p, edit, q.Delete)
	var rows words.Texts
	for i := range q.Rows {
		if b, ok := made(p, edit, q.Rows[i].Add); ok {
			rows = append(rows, words.T("preview.q.does_kind", "sign", b.Kind.Sign(), "kind", words.Local(b.UPN, p.Domain())))
			if acts && slices.Contains(b.After, a.No) {
				w.Deletes = true
				w.Does = words.T("preview.q.does_replace", "guard", guard, "upn", words.Local(b.UPN, p.Domain()))
			}
		}
	}
	switch {
	case !w.Does.IsZero():
	case len(now.Waits) > 0:
		w.Does = words.T("preview.q.does_wait", "no", now.Waits[0])
	case !acts && q.DeleteWhy != nil:
		w.Does = words.T("preview.q.does_keep", "why", words.Short{Err: q.DeleteWhy})
	case !acts:
		w.Does = words.T("preview.q.does_leave")
	default:
		w.Deletes = true
		id := "preview.q.does_delete"
		if a.Kind != plan.Delete {
			id = "preview.q.does_block"
		}
		if len(rows) > 0 {
			id += "_after"
		}
		w.Does = words.T(id, "guard", guard, "rows", rows)
	}
}

// Sheet is a question for a colleague, on paper or in a mail: what is asked, what
// speaks for and against, and a box for every answer.
func (r *Review) Sheet(at int) []words.Text {
	q := r.plan.Question(at)
	out := []words.Text{words.T("preview.q.sheet.question", "no", q.No, "text", r.Text(at)[0])}
	_, signs := r.signs(q, map[bool]int{true: 0, false: -1}[len(q.Rows) == 1])
	for _, f := range signs {
		out = append(out, words.T("preview.q.sheet.fact", "label", f.Label, "text", f.Value))
	}
	box := func(said bool, name words.Text) {
		mark := " "
		if said {
			mark = "x"
		}
		out = append(out, words.T("preview.q.sheet.box", "mark", mark, "answer", name))
	}
	for i := range q.Rows {
		c := &q.Rows[i]
		name := words.T("question.answer.same")
		if len(q.Rows) > 1 {
			name = two(words.T("preview.q.same_as", "key", c.Key), words.T("preview.q.copy_row", "name", c.Name, "username", strings.TrimSpace(c.RowKey())))
		}
		box(q.Answer.Kind == plan.SamePerson && q.Answer.Row == c.RowKey(), name)
	}
	other := words.T("question.answer.different")
	if len(q.Rows) > 1 {
		other = words.T("preview.q.none_of")
	}
	box(q.Answer.Kind == plan.DifferentPeople, other)
	box(q.Answer.Kind == plan.NotNow, words.T("question.answer.not-now"))
	return out
}

// Text is a question for whoever knows the person: without ids.
func (r *Review) Text(at int) []words.Text {
	q := r.plan.Question(at)
	var rows words.Texts
	for i := range q.Rows {
		rows = append(rows, words.T("preview.q.copy_row", "name", q.Rows[i].Name, "username", strings.TrimSpace(q.Rows[i].RowKey())))
	}
	return []words.Text{words.T("preview.q.copy", "name", q.Name, "upn", words.Local(q.Account.UPN, r.plan.Domain()), "rows", rows)}
}
