package main

import (
	"context"
	"regexp"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hacsync/hacsync/sync/auditlog"
	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/input"
	"github.com/hacsync/hacsync/sync/message"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/run"
)

func (a *app) answerCommand() *cobra.Command {
	var by string
	c := a.command("answer", "answer DOMAIN [ACCOUNT [same:ROW|different|not-now]]", func(ctx context.Context, args []string) error {
		domain := args[0]
		s, err := a.open(ctx)
		if err != nil {
			return err
		}
		defer s.Close()
		p, err := s.Runner.Latest(ctx, domain)
		if problem.Has(err, problem.NoDryRun) {
			if _, unknown := s.Runner.Settings(ctx, domain); unknown != nil { // of which there can be none
				return unknown
			}
		}
		if err != nil {
			return err
		}
		if len(args) == 1 {
			return a.askAll(p)
		}
		if input.Fold(args[1]) == "" { // of a script whose variable is empty
			return wrongUsage("hacsync answer", a.text("usage.missing", problem.Args{"name": "ACCOUNT"}))
		}
		q, err := questionOf(p.Plan, args[1])
		if err != nil {
			return err
		}
		if len(args) == 2 {
			return a.asked(p, q, false)
		}
		kind, row, err := a.readAnswer(q, args[2])
		if err != nil {
			return err
		}
		if p, err = s.Runner.Answer(ctx, p, q.Account.ID, kind, row, approver(by)); err != nil {
			return err
		}
		for _, now := range p.Plan.Questions() {
			if now.Account.ID == q.Account.ID {
				q = now
			}
		}
		return a.asked(p, q, true)
	})
	c.Args = a.takes("DOMAIN", "[ACCOUNT]", "[same:ROW|different|not-now]")
	c.Flags().StringVar(&by, "by", "", a.text("flag.answer-by", nil))
	return c
}

// questionNumber is Q1: the number of a question in one plan. An hour later it may
// be another person's, so that no answer is taken to it.
var questionNumber = regexp.MustCompile(`^[Qq][0-9]+$`)

// questionOf is the question about an account: its UPN, the part before the @, or
// its object ID.
func questionOf(p *plan.Plan, typed string) (*plan.Question, error) {
	name := input.Fold(typed)
	args := problem.Args{"account": typed, "domain": p.Domain(), "accounts": accountsAsked(p)}
	if questionNumber.MatchString(name) {
		for _, q := range p.Questions() {
			if strings.EqualFold(questionID(q.No), name) {
				args["account"], args["number"] = q.Account.UPN, questionID(q.No)
				args["rows"] = rowsOf(q)
				return nil, problem.New(problem.AnswerByNumber, args)
			}
		}
		return nil, problem.New(problem.QuestionUnknown, args)
	}
	var found []*plan.Question
	for _, q := range p.Questions() {
		upn := directory.FoldUPN(q.Account.UPN)
		switch want := directory.FoldUPN(name); {
		case strings.EqualFold(string(q.Account.ID), name), upn == want:
			return q, nil
		case localPart(upn) == want:
			found = append(found, q)
		}
	}
	if len(found) == 1 {
		return found[0], nil
	}
	return nil, problem.New(problem.QuestionUnknown, args)
}

func accountsAsked(p *plan.Plan) string {
	var names []string
	for _, q := range p.Questions() {
		names = append(names, q.Account.UPN)
	}
	return strings.Join(names, ", ")
}

func rowsOf(q *plan.Question) string {
	var names []string
	for i := range q.Rows {
		names = append(names, auditlog.RowName(&q.Rows[i]))
	}
	return strings.Join(names, ", ")
}

// readAnswer reads same:ROW, different or not-now, in either language and width.
func (a *app) readAnswer(q *plan.Question, typed string) (plan.AnswerKind, string, error) {
	word, _, named := strings.Cut(strings.ToLower(input.Fold(typed)), ":")
	args := problem.Args{"answer": typed, "account": q.Account.UPN, "rows": rowsOf(q)}
	switch word {
	case "different", "別人":
		if !named {
			return plan.DifferentPeople, "", nil
		}
	case "not-now", "保留":
		if !named {
			return plan.NotNow, "", nil
		}
	case "same", "同一人物":
		_, row, _ := strings.Cut(strings.Replace(typed, "：", ":", 1), ":")
		c := candidateOf(q, row)
		switch {
		case c == nil:
			args["row"] = strings.TrimSpace(row)
			return "", "", problem.New(problem.AnswerRowUnknown, args)
		case c.TakenBy != 0:
			args["row"], args["number"] = auditlog.RowName(c), questionID(c.TakenBy)
			return "", "", problem.New(problem.AnswerRowTaken, args)
		}
		return plan.SamePerson, c.RowKey(), nil
	}
	return "", "", problem.New(problem.AnswerUnknown, args)
}

// candidateOf is the row of a question with a name: its Username, letter by letter,
// else its UPN. If no row has the name as it was typed, another width of its letters
// counts.
func candidateOf(q *plan.Question, typed string) *plan.Candidate {
	for _, row := range []string{strings.TrimSpace(typed), input.Fold(typed)} {
		for i := range q.Rows {
			if c := &q.Rows[i]; row != "" && c.Username == row {
				return c
			}
		}
		var found []*plan.Candidate
		for i := range q.Rows {
			if c := &q.Rows[i]; row != "" && directory.FoldUPN(c.Row.UPN) == directory.FoldUPN(row) {
				found = append(found, c)
			}
		}
		if len(found) == 1 {
			return found[0]
		}
	}
	return nil
}

// askAll prints every question of a plan.
func (a *app) askAll(p *run.Planned) error {
	if a.flags.json {
		out := struct {
			Schema        int            `json:"schema"`
			Run           int64          `json:"run"`
			Domain        string         `json:"domain"`
			QuestionsOpen int            `json:"questions_open"`
			Questions     []jsonQuestion `json:"questions"`
		}{schema, p.Run, p.Plan.Domain(), p.Plan.Counts().OpenQuestions, []jsonQuestion{}}
		for _, q := range p.Plan.Questions() {
			out.Questions = append(out.Questions, questionJSON(p.Plan, q, p.At))
		}
		a.answer(out)
		return nil
	}
	if p.Plan.QuestionLen() == 0 {
		a.say(a.text("answer.none", problem.Args{"domain": p.Plan.Domain(), "run": strconv.FormatInt(p.Run, 10)}))
	}
	for i, q := range p.Plan.Questions() {
		if i > 0 {
			a.say("")
		}
		a.show(a.out).question(p.Plan, q)
	}
	return nil
}

// asked prints a question, or what was answered to it.
func (a *app) asked(p *run.Planned, q *plan.Question, given bool) error {
	if a.flags.json {
		a.answer(struct {
			Schema   int          `json:"schema"`
			Run      int64        `json:"run"`
			Domain   string       `json:"domain"`
			Question jsonQuestion `json:"question"`
		}{schema, p.Run, p.Plan.Domain(), questionJSON(p.Plan, q, p.At)})
		return nil
	}
	if !given {
		a.show(a.out).question(p.Plan, q)
		return nil
	}
	a.say(a.text("answer.kept", problem.Args{"account": q.Account.UPN, "answer": auditlog.Answered(a.words, q)}))
	for _, line := range a.show(a.out).follows(p.Plan, q, q.Answer) {
		a.say("  " + line)
	}
	a.say(a.text("answer.next", problem.Args{"domain": p.Plan.Domain()}))
	return nil
}

// question shows both sides of a question, what is for and against, and the effect of
// each answer.
func (s show) question(p *plan.Plan, q *plan.Question) {
	s.line("%s", s.text("answer.title", problem.Args{
		"no": strconv.Itoa(q.No), "n": strconv.Itoa(p.QuestionLen()), "answer": auditlog.Answered(s.words, q),
	}))
	if before := auditlog.Before(s.words, q); before != "" {
		s.line("%s", before)
	}
	for i := range q.Rows {
		c := &q.Rows[i]
		if i > 0 {
			s.line("")
		}
		s.beside(q, c)
	}
	s.line("")
	var rows [][]string
	does := func(word string, answer plan.Answer) {
		rows = append(rows, []string{"  " + message.Clean(word), strings.Join(s.follows(p, q, answer), "; ")})
	}
	for i := range q.Rows {
		if c := &q.Rows[i]; c.TakenBy == 0 {
			does("same:"+auditlog.RowName(c), plan.Answer{Kind: plan.SamePerson, Row: c.RowKey()})
		}
	}
	does(string(plan.DifferentPeople), plan.Answer{Kind: plan.DifferentPeople})
	does(string(plan.NotNow), plan.Answer{Kind: plan.NotNow})
	s.table(rows, -1)
}

// beside puts the values of the account next to those of one row.
func (s show) beside(q *plan.Question, c *plan.Candidate) {
	args := problem.Args{}
	if c.Line > 0 {
		args["line"] = s.words.Int(c.Line)
	}
	if len(q.Rows) > 1 {
		args["key"] = c.Key
	}
	rows := [][]string{{"", s.words.Text("audit.question-account", nil), "", s.text("answer.side", args)}}
	for _, x := range auditlog.Compared(s.words, c) {
		rows = append(rows, []string{x.Word, x.Account, x.Mark, x.Row})
	}
	used := s.words.Text("value.unknown", nil)
	if t := q.Evidence.LastSignIn; !t.IsZero() {
		used = s.words.Date(t)
	}
	login := s.words.Text("value.unknown", nil)
	if t := c.Seen.Login; !t.IsZero() {
		login = s.words.Date(t)
	}
	rows = append(rows, []string{s.text("answer.used", nil), used, "", login})
	known := s.words.Text("question.new", nil)
	if !c.Seen.First.IsZero() {
		known = s.words.Text("question.known", problem.Args{"since": s.words.Time(c.Seen.First)})
	}
	rows = append(rows, []string{s.text("answer.known", nil), s.linked(q), "", known})
	s.table(rows, -1)
	if len(c.For) > 0 {
		s.line("%s: %s", s.words.Text("question.for", nil), auditlog.Signs(s.words, c.For))
	}
	if len(c.Against) > 0 {
		s.line("%s: %s", s.words.Text("question.against", nil), auditlog.Signs(s.words, c.Against))
	}
	switch {
	case c.TakenBy != 0:
		s.line("%s", s.words.Text("question.taken", problem.Args{"no": strconv.Itoa(c.TakenBy)}))
	case c.WaitsFor != 0:
		s.line("%s", s.words.Text("question.waits", problem.Args{"no": strconv.Itoa(c.WaitsFor)}))
	}
}

// linked is which HAC user the account was.
func (s show) linked(q *plan.Question) string {
	if q.Link.Username == "" {
		return s.words.Text("explained.short_never", nil)
	}
	args := problem.Args{"username": q.Link.Username}
	if !q.Link.Since.IsZero() {
		args["since"] = s.words.Date(q.Link.Since)
	}
	if !q.Seen.Last.IsZero() {
		args["last"] = s.words.Time(q.Seen.Last)
	}
	return s.words.Text("question.linked", args)
}

// follows is what an answer to a question does, in the signs of the plan.
func (s show) follows(p *plan.Plan, q *plan.Question, answer plan.Answer) []string {
	var all []string
	add := func(no int) {
		a, ok := p.Option(no)
		if !ok {
			return
		}
		args := problem.Args{"upn": a.UPN, "kind": s.words.Text("would."+a.Kind.String(), nil), "sign": a.Kind.Sign()}
		if a.Blocks {
			args["blocks"] = "yes"
		}
		all = append(all, s.text("answer.does", args))
	}
	why := func(p *problem.Problem) {
		if p != nil {
			w := s.words.Problem(p)
			all = append(all, w.What+" ("+string(w.Code)+")")
		}
	}
	switch answer.Kind {
	case plan.SamePerson:
		for i := range q.Rows {
			if c := &q.Rows[i]; c.RowKey() == answer.Row {
				add(c.Same)
				why(c.SameWhy)
			}
		}
	case plan.DifferentPeople:
		for i := range q.Rows {
			add(q.Rows[i].Add)
			why(q.Rows[i].AddWhy)
		}
		add(q.Delete)
		why(q.DeleteWhy)
	case plan.NotNow, plan.Open:
	}
	if len(all) == 0 {
		all = append(all, s.text("answer.nothing", nil))
	}
	return all
}
