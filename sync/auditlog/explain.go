package auditlog

import (
	"cmp"
	"strconv"
	"strings"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/message"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/problem"
)

// Fact is one line of an explanation.
type Fact struct{ Label, Text string }

// Explain puts into words why an account may be deleted: the conditions of a
// deletion, in the order in which they are read.
func Explain(p *message.Printer, e *plan.Explanation) []Fact {
	var all []Fact
	add := func(label, text string, args problem.Args) {
		all = append(all, Fact{p.Text("explained."+label, nil), p.Text("explained."+text, args)})
	}
	args := problem.Args{
		"username": e.Username, "reads": strconv.Itoa(e.Absent.Reads), "rows": strconv.Itoa(e.OpenRows),
		"days": strconv.Itoa(e.Counted), "of": strconv.Itoa(e.Of), "no": strconv.Itoa(e.Question), "by": e.By,
	}
	if !e.LinkedSince.IsZero() {
		args["since"] = p.Date(e.LinkedSince)
	}
	if !e.Absent.First.IsZero() {
		args["first"] = p.Time(e.Absent.First)
	}
	if !e.At.IsZero() {
		args["at"] = p.Time(e.At)
	}
	if !e.Due.IsZero() {
		args["due"] = p.Date(e.Due)
	}
	switch {
	case e.Username != "":
		add("linked", "linked_text", args)
	case e.Claim == plan.ClaimAdded:
		add("linked", "linked_added", args)
	case e.Claim == "":
		add("linked", "linked_never", args)
		add("allowed", "allowed_text", args)
	default:
		add("linked", "linked_vouched", args)
	}
	if e.Question != 0 {
		add("answered", "answered_text", args)
	}
	if !e.LastSeen.IsZero() {
		all = append(all, Fact{p.Text("explained.last", nil), p.Time(e.LastSeen)})
	}
	add("absent", "absent_text", args)
	add("nobody", "nobody_text", args)
	switch {
	case !e.Due.IsZero():
		add("due", "due_text", args)
	case e.Of > 0:
		add("due", "blocked_text", args)
	}
	if len(e.Weak) > 0 {
		all = append(all, Fact{p.Text("explained.weak", nil), Signs(p, e.Weak)})
	}
	return all
}

// Cancelled puts into words why the guard cancels: with the guides' sentence, if
// deletions reached their limit.
func Cancelled(p *message.Printer, v plan.Verdict) string {
	if v.Why == nil || v.Why.Code == problem.GuardCancels || v.Why.Code == problem.GuardCancelsNumber {
		return p.Text("guard.sentence", nil)
	}
	return p.Problem(v.Why).What
}

// Signs puts signs into words, on one line.
func Signs(p *message.Printer, signs []plan.Sign) string {
	words := make([]string, len(signs))
	for i, s := range signs {
		words[i] = p.Text("question.sign."+string(s), nil)
	}
	if p.Language() == message.Japanese {
		return strings.Join(words, "、")
	}
	return strings.Join(words, "; ")
}

// Answered puts the answer to a question into words: open, or which, by whom, when.
func Answered(p *message.Printer, q *plan.Question) string {
	if q.Answer.Kind == plan.Open {
		return p.Text("question.answer.open", nil)
	}
	args := problem.Args{"answer": p.Text("question.answer."+string(q.Answer.Kind), nil), "by": q.Answer.By}
	if !q.Answer.At.IsZero() {
		args["at"] = p.Time(q.Answer.At)
	}
	if q.Answer.Kind == plan.SamePerson {
		for i := range q.Rows {
			if c := &q.Rows[i]; c.RowKey() == q.Answer.Row {
				args["answer"] += " (" + RowName(c) + ")"
			}
		}
	}
	return p.Text("question.answered", args)
}

// RowName returns a row's name for users: its Username, else its UPN.
func RowName(c *plan.Candidate) string { return cmp.Or(c.Username, c.Row.UPN) }

// Before returns the answer that was given when the question rested on something
// else; empty if there was none.
func Before(p *message.Printer, q *plan.Question) string {
	if q.Before.Kind == plan.Open {
		return ""
	}
	args := problem.Args{"answer": p.Text("question.answer."+string(q.Before.Kind), nil)}
	if !q.Before.At.IsZero() {
		args["at"] = p.Date(q.Before.At)
	}
	return p.Text("question.before", args)
}

// Beside is a value of an account next to that of a row, as it is shown.
type Beside struct{ Word, Account, Mark, Row string }

// Compared puts the values of a candidate into words. The alias is left out if it
// is the Username on both sides.
func Compared(p *message.Printer, c *plan.Candidate) []Beside {
	var all []Beside
	var username plan.Compared
	for _, x := range c.Compare {
		word := attribute(p, x.Attribute)
		switch x.Attribute {
		case plan.Username:
			word, username = attribute(p, directory.MailNickname), x
		case directory.MailNickname:
			if x.Account == username.Account && x.Row == username.Row {
				continue
			}
			word = p.Text("question.alias", nil)
		}
		b := Beside{word, message.Clean(x.Account), mark(x.Likeness), message.Clean(x.Row)}
		if x.Likeness != plan.Equal {
			b.Account, b.Row = message.RevealChange(x.Account, x.Row)
		}
		if b.Account == "" {
			b.Account = p.Text("value.absent", nil)
		}
		if b.Row == "" {
			b.Row = p.Text("value.absent", nil)
		}
		all = append(all, b)
	}
	return all
}

// mark returns the sign between two values.
func mark(likeness string) string {
	switch likeness {
	case plan.Equal:
		return "="
	case plan.LooksSame:
		return "=~"
	case plan.Differs:
		return "#"
	}
	return "."
}

func attribute(p *message.Printer, a directory.Attribute) string {
	if id := "attribute." + string(a); p.Has(id) {
		return p.Text(id, nil)
	}
	return message.Clean(string(a))
}
