package review

import (
	"strings"

	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/tui/words"
)

// Sheet is a question for a colleague, on paper or in a mail: the question, what is for
// and against, and a box for every answer.
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

// Text is a question for someone who knows the person: without IDs.
func (r *Review) Text(at int) []words.Text {
	q := r.plan.Question(at)
	var rows words.Texts
	for i := range q.Rows {
		rows = append(rows, words.T("preview.q.copy_row", "name", q.Rows[i].Name, "username", strings.TrimSpace(q.Rows[i].RowKey())))
	}
	return []words.Text{words.T("preview.q.copy", "name", q.Name, "upn", words.Local(q.Account.UPN, r.plan.Domain()), "rows", rows)}
}
