package main

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hacsync/hacsync/sync/auditlog"
	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/message"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/problem"
)

// The objects of questions and explanations, in the order in which their keys are
// printed. New keys are only added, after the existing ones.
type (
	jsonQuestion struct {
		ID         string              `json:"id"`
		State      string              `json:"state"`  // open, answered
		Answer     *string             `json:"answer"` // as hacsync answer accepts it
		Preset     string              `json:"preset"`
		AskedAgain *jsonAnswer         `json:"asked_again"`
		Account    jsonAccount         `json:"account"`
		Rows       []jsonCandidate     `json:"rows"`
		Would      map[string][]string `json:"would"`
		AnsweredBy string              `json:"answered_by,omitempty"`
		AnsweredAt time.Time           `json:"answered_at,omitzero"`
	}
	jsonAnswer struct {
		Answer string    `json:"answer"`
		By     string    `json:"by,omitempty"`
		At     time.Time `json:"at,omitzero"`
	}
	jsonAccount struct {
		ID          string    `json:"id"`
		UPN         string    `json:"upn"`
		Link        *jsonLink `json:"link"`
		LastSignIn  *string   `json:"last_sign_in"`
		Created     *string   `json:"created"`
		Name        string    `json:"name"`
		ImmutableID *string   `json:"immutable_id"`
		Licensed    bool      `json:"licensed"`
		Enabled     bool      `json:"enabled"`
	}
	jsonLink struct {
		Username string    `json:"username"`
		Since    *string   `json:"since"`
		LastSeen time.Time `json:"last_seen,omitzero"`
	}
	jsonCandidate struct {
		Key         string            `json:"key"`
		Row         int               `json:"row"`
		Username    string            `json:"username"`
		FirstSeen   time.Time         `json:"first_seen,omitzero"`
		TakenBy     *string           `json:"taken_by"`
		Compare     map[string]string `json:"compare"`
		For         []plan.Sign       `json:"for"`
		Against     []plan.Sign       `json:"against"`
		UPN         string            `json:"upn"`
		Name        string            `json:"name"`
		ImmutableID *string           `json:"immutable_id"`
		WaitsFor    *string           `json:"waits_for"`
	}
	jsonExplanation struct {
		LinkedSince *string     `json:"linked_since"`
		Username    string      `json:"username"`
		LastSeen    *time.Time  `json:"last_seen"`
		AbsentReads int         `json:"absent_reads"`
		OpenRows    int         `json:"open_rows"`
		Claim       *string     `json:"claim"` // null: never seen in the source
		AbsentSince time.Time   `json:"absent_since,omitzero"`
		AbsentDays  int         `json:"absent_days"`
		Due         *string     `json:"due,omitempty"`
		Question    string      `json:"question,omitempty"`
		AnsweredBy  string      `json:"answered_by,omitempty"`
		AnsweredAt  time.Time   `json:"answered_at,omitzero"`
		Weak        []plan.Sign `json:"weak,omitempty"`
	}
)

// isOpen reports whether the question has no answer.
func isOpen(q *plan.Question) bool { return q.Answer.Kind == plan.Open }

// questionJSON is a question as --json prints it. at is when the plan was made: a
// row that was not seen before was seen then.
func questionJSON(p *plan.Plan, q *plan.Question, at time.Time) jsonQuestion {
	out := jsonQuestion{
		ID: questionID(q.No), State: "open", Preset: string(plan.NotNow),
		Account: jsonAccount{
			ID: string(q.Account.ID), UPN: q.Account.UPN, Name: q.Name, ImmutableID: orNone(q.Account.ImmutableID),
			LastSignIn: dayOf(q.Evidence.LastSignIn), Created: dayOf(q.Evidence.Created),
			Licensed: q.Evidence.Licensed, Enabled: q.Evidence.Enabled,
		},
		Would: map[string][]string{string(plan.NotNow): {}},
	}
	if q.Link.Username != "" {
		out.Account.Link = &jsonLink{q.Link.Username, dayOf(q.Link.Since), q.Seen.Last.UTC()}
	}
	if !isOpen(q) {
		out.State, out.AnsweredBy, out.AnsweredAt = "answered", q.Answer.By, q.Answer.At.UTC()
		out.Answer = orNone(answerText(q))
	}
	if b := q.Before; b.Kind != plan.Open {
		out.AskedAgain = &jsonAnswer{string(b.Kind), b.By, b.At.UTC()}
	}
	for i := range q.Rows {
		c := &q.Rows[i]
		out.Rows = append(out.Rows, candidateJSON(c, at))
		out.Would["same:"+c.Key] = kindsOf(p, c.Same)
	}
	out.Would[string(plan.DifferentPeople)] = different(p, q)
	return out
}

func candidateJSON(c *plan.Candidate, at time.Time) jsonCandidate {
	out := jsonCandidate{
		Key: c.Key, Row: c.Line, Username: c.Username, FirstSeen: cmp.Or(c.Seen.First, at).UTC().Truncate(time.Second),
		Compare: map[string]string{}, For: c.For, Against: c.Against,
		UPN: c.Row.UPN, Name: c.Name, ImmutableID: orNone(c.Row.ImmutableID),
	}
	if out.For == nil {
		out.For = []plan.Sign{}
	}
	if out.Against == nil {
		out.Against = []plan.Sign{}
	}
	if c.TakenBy != 0 {
		out.TakenBy = orNone(questionID(c.TakenBy))
	}
	if c.WaitsFor != 0 {
		out.WaitsFor = orNone(questionID(c.WaitsFor))
	}
	for _, x := range c.Compare {
		out.Compare[attributeKey(x.Attribute)] = strings.ReplaceAll(x.Likeness, "_", "-")
	}
	return out
}

// attributeKey returns the name of an attribute in JSON.
func attributeKey(a directory.Attribute) string {
	switch a {
	case directory.UserPrincipalName:
		return "upn"
	case directory.ImmutableID:
		return "immutable_id"
	case directory.Surname:
		return "family_name"
	case directory.GivenName:
		return "given_name"
	case directory.DisplayName:
		return "display_name"
	case directory.MailNickname:
		return "alias"
	}
	return string(a)
}

// kindsOf returns the kinds of the actions that an answer makes, in the order in
// which they are carried out.
func kindsOf(p *plan.Plan, numbers ...int) []string {
	kinds := []string{}
	for _, no := range numbers {
		if a, ok := p.Option(no); ok {
			kinds = append(kinds, a.Kind.String())
		}
	}
	return kinds
}

// different returns the kinds of the actions of the answer "different people": the
// additions first, except one that needs the UPN of the account.
func different(p *plan.Plan, q *plan.Question) []string {
	var before, after []int
	for i := range q.Rows {
		no := q.Rows[i].Add
		if a, ok := p.Option(no); ok && slices.Contains(a.After, q.Delete) {
			after = append(after, no)
		} else {
			before = append(before, no)
		}
	}
	return kindsOf(p, append(append(before, q.Delete), after...)...)
}

// answerText returns the answer as hacsync answer accepts it.
func answerText(q *plan.Question) string {
	if q.Answer.Kind != plan.SamePerson {
		return string(q.Answer.Kind)
	}
	for i := range q.Rows {
		if c := &q.Rows[i]; c.RowKey() == q.Answer.Row {
			return "same:" + auditlog.RowName(c)
		}
	}
	return "same:" + q.Answer.Row
}

func explanationJSON(e *plan.Explanation) *jsonExplanation {
	if e == nil {
		return nil
	}
	out := &jsonExplanation{
		LinkedSince: dayOf(e.LinkedSince), Username: e.Username, AbsentReads: e.Absent.Reads, OpenRows: e.OpenRows,
		Claim: orNone(e.Claim), AbsentSince: e.Absent.First.UTC(), AbsentDays: e.Absent.Days, Due: dayOf(e.Due),
		AnsweredBy: e.By, AnsweredAt: e.At.UTC(), Weak: e.Weak,
	}
	if !e.LastSeen.IsZero() {
		last := e.LastSeen.UTC()
		out.LastSeen = &last
	}
	if e.Question != 0 {
		out.Question = questionID(e.Question)
	}
	return out
}

func questionID(no int) string { return "Q" + strconv.Itoa(no) }

func orNone(text string) *string { return orNull(text, text != "") }

// dayOf returns the day of a time in UTC, nil for none.
func dayOf(t time.Time) *string { return orNull(t.UTC().Format(time.DateOnly), !t.IsZero()) }

// namesShown is how many accounts the block of open questions names.
const namesShown = 3

// questions shows which questions stay open, and what was answered.
func (s show) questions(p *plan.Plan, summary bool) {
	var open []*plan.Question
	rows := map[string]*plan.Candidate{}
	answered := map[plan.AnswerKind]int{}
	for _, q := range p.Questions() {
		if !isOpen(q) {
			answered[q.Answer.Kind]++
			continue
		}
		open = append(open, q)
		for i := range q.Rows {
			rows[q.Rows[i].RowKey()] = &q.Rows[i]
		}
	}
	if len(open)+len(answered) == 0 {
		return
	}
	s.line("")
	switch {
	case len(open) == 1 && len(rows) == 1:
		args := problem.Args{"account": localPart(open[0].Account.UPN), "domain": p.Domain()}
		c := &open[0].Rows[0]
		if args["row"] = auditlog.RowName(c); c.Line > 0 {
			args["line"] = s.words.Int(c.Line)
		}
		s.line("%s", s.text("questions.one", args))
	case len(open) > 0:
		s.line("%s", s.text("questions.open", problem.Args{"n": strconv.Itoa(len(open)), "rows": strconv.Itoa(len(rows))}))
		var names []string
		for _, q := range open[:min(len(open), namesShown)] {
			names = append(names, message.Clean(localPart(q.Account.UPN)))
		}
		args := problem.Args{"names": strings.Join(names, s.text("questions.comma", nil))}
		if more := len(open) - namesShown; more > 0 {
			args["more"] = strconv.Itoa(more)
		}
		s.line("    %s", s.text("questions.names", args))
	}
	if len(answered) > 0 {
		s.line("%s", s.text("questions.answered", problem.Args{
			"n": strconv.Itoa(answered[plan.SamePerson] + answered[plan.DifferentPeople] + answered[plan.NotNow]), "same": strconv.Itoa(answered[plan.SamePerson]),
			"different": strconv.Itoa(answered[plan.DifferentPeople]), "notnow": strconv.Itoa(answered[plan.NotNow]),
		}))
	}
	if len(open) > 0 {
		s.line("    %s", s.text("questions.way", problem.Args{"domain": p.Domain()}))
	}
	if summary {
		return
	}
	s.line("")
	s.line("%s", s.words.Text("kinds.question", nil))
	shown := 0
	for _, q := range p.Questions() {
		if shown++; shown > rowsShown {
			continue
		}
		s.line("  %s %5s  %s  %s", answerSign(q.Answer.Kind), questionID(q.No), message.Clean(q.Account.UPN), message.Clean(q.Name))
		for i := range q.Rows {
			s.line("           %s", s.candidate(q, &q.Rows[i]))
		}
		if !isOpen(q) {
			s.line("           %s", auditlog.Answered(s.words, q))
		} else if before := auditlog.Before(s.words, q); before != "" {
			s.line("           %s", before)
		}
	}
	s.more(shown)
}

// candidate returns a row of a question on one line: which row, and the signs that
// support it.
func (s show) candidate(q *plan.Question, c *plan.Candidate) string {
	args := problem.Args{"row": auditlog.RowName(c), "name": c.Name, "for": auditlog.Signs(s.words, c.For)}
	if c.Line > 0 {
		args["line"] = s.words.Int(c.Line)
	}
	if len(q.Rows) > 1 {
		args["key"] = c.Key
	}
	return s.text("questions.row", args)
}

// answerSign returns the sign of an answer: = # .. or ?.
func answerSign(k plan.AnswerKind) string {
	switch k {
	case plan.SamePerson:
		return "= "
	case plan.DifferentPeople:
		return "# "
	case plan.NotNow:
		return ".."
	case plan.Open:
	}
	return "? "
}

// localPart returns a UPN up to its @.
func localPart(upn string) string {
	local, _ := directory.SplitUPN(upn)
	return cmp.Or(local, upn)
}
