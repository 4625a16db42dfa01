package review

import (
	"slices"

	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/tui/words"
)

// questionSign is the sign of a question without an answer.
const questionSign = "?"

// questions is the list of what only a user can know. The row number of a question is
// its own number below zero, so that no action has it.
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

// Label is a row's number as it is shown: Q1 for a question, empty for a row without a
// number.
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

// Progress is how many questions have an answer, and the effect of an open one.
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

// grouped is from how many questions on they are grouped by reason.
const grouped = 40

// why is the reason for a question, in the order shown.
type why uint8

const (
	whyCell   why = iota // a key of the account is in a row
	whyName              // the same name
	whyLooks             // a name that looks the same
	whyAlias             // the same alias
	whyOthers            // weaker signs
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
