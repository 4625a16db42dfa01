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

// Card is a question as it is shown: the account, the rows that may be its person and
// the effect of each answer.
type Card struct {
	Question *plan.Question
	// Chosen is the place of the row that the answer same person names, -1 if it has to be
	// chosen first.
	Chosen int
	Title  words.Text
	// Asked is why an answered question is asked again, zero if it is not.
	Asked words.Text
	// Compared is the account next to the chosen row; brief leaves out values that repeat
	// another. Table has the rows if there are several.
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

// day is a date, empty if there is none: an optional argument of a text.
func day(t time.Time) any {
	if t.IsZero() {
		return ""
	}
	return words.Brief(t)
}

// likeness is the sign between two values.
func likeness(s string) string {
	return map[string]string{plan.Equal: "=", plan.LooksSame: "=~", plan.Differs: "#", plan.OneSide: "."}[s]
}

// brief reports whether a value is compared even in a narrow window.
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

// compared are two values with their differences in brackets. Spaces that are the same
// in both are not shown by number.
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
	// If little is common, brackets do not help.
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

// signs are what is for and against a row, or each of the rows.
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
