package auditlog

import (
	"bufio"
	"cmp"
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/message"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/problem"
)

// front and back return the columns before and after those of the attributes, by
// their English names, which do not change: scripts read them. In Japanese csv.column
// of the catalogue names them.
func front() []string {
	return []string{"No", "Action", "UPN", "Object ID", "Display Name", "Source Line"}
}

func back() []string {
	return []string{
		"Affects Sign-In", "Same Person As", "Licensed", "Enabled", "Created", "Last Sign-In", "Warnings",
		"Code", "Reason", "Remedy", "Outcome",
		"Domain", "Run", "Time", "Plan", "Verdict", "Deletion Percent", "Max Allowed Deletions", "Completeness",
	}
}

// latest returns the columns that were added after those of back: why an account
// may be deleted, and questions.
func latest() []string {
	return []string{
		"claim", "username", "linked_since", "last_in_hac", "absent_reads", "absent_days", "open_rows_compared", "due",
		"question", "answer", "answered_by", "answered_at", "row", "row_upn", "row_name", "first_seen", "for", "against",
	}
}

// CSV writes one row an action or skip, in the plan's order, and one for each
// source row of each question, below one header line: UTF-8 with BOM, CRLF. The No
// of a question is Q1, Q2; the Source Line is that of the row. Same Person As is
// empty in them: it is still a question. What concerns the plan as a whole (run,
// plan code, verdict, completeness) is repeated in every row, so that each row
// shows where it is from. Action, Verdict, Outcome and the like are words for
// scripts in English, and words for people in Japanese; reasons, remedies and warnings
// are in the printer's language, and so are times, which in English are those of
// RFC 3339. An attribute has two columns, "<attribute> old" and "<attribute> new",
// empty if the row does not change it.
//
// Cells that a spreadsheet would take for a formula begin with an apostrophe;
// control characters and bidi controls are left out.
func CSV(w io.Writer, p *message.Printer, r Report) error {
	buffered := bufio.NewWriterSize(w, 1<<16)
	if _, err := buffered.WriteString("\ufeff"); err != nil {
		return fmt.Errorf("write audit log: %w", err)
	}
	out := &table{csv: csv.NewWriter(buffered), words: p, report: r, attributes: r.attributes()}
	out.csv.UseCRLF = true
	if err := out.write(); err != nil {
		return fmt.Errorf("write audit log: %w", err)
	}
	if err := buffered.Flush(); err != nil {
		return fmt.Errorf("write audit log: %w", err)
	}
	return nil
}

// table writes one CSV.
type table struct {
	csv        *csv.Writer
	words      *message.Printer
	report     Report
	attributes []directory.Attribute
	place      map[directory.Attribute]int
	back       int      // index of the first column of back
	latest     int      // and of latest
	whole      []string // the values about the plan as a whole
	cells      []string
}

func (t *table) write() error {
	header := front()
	t.place = make(map[directory.Attribute]int, len(t.attributes))
	t.translate("column", header)
	for _, a := range t.attributes {
		t.place[a] = len(header)
		name := problem.Args{"name": t.attribute(a)}
		header = append(header, t.words.Text("csv.old", name), t.words.Text("csv.new", name))
	}
	t.back = len(header)
	header = append(header, back()...)
	t.latest = len(header)
	header = append(header, latest()...)
	t.translate("column", header[t.back:])
	for i := range header {
		header[i] = cell(header[i])
	}
	if err := t.csv.Write(header); err != nil {
		return err
	}
	t.cells = make([]string, len(header))
	t.whole = t.aboutThePlan()
	for a := range t.report.Plan.Actions() {
		if err := t.action(a); err != nil {
			return err
		}
	}
	for s := range t.report.Plan.Skips() {
		if err := t.skip(s); err != nil {
			return err
		}
	}
	for _, q := range t.report.Plan.Questions() {
		for i := range q.Rows {
			if err := t.question(q, &q.Rows[i]); err != nil {
				return err
			}
		}
	}
	t.csv.Flush()
	return t.csv.Error()
}

// translate puts words of a family into the reader's language, in place.
func (t *table) translate(family string, list []string) {
	for i, w := range list {
		list[i] = t.say(family, w)
	}
}

// say is a word for scripts in the reader's language.
func (t *table) say(family, word string) string {
	if id := "csv." + family + "." + word; word != "" && t.words.Has(id) {
		return t.words.Text(id, nil)
	}
	return word
}

// attribute is the name of a column in Graph, or as the reader knows it.
func (t *table) attribute(a directory.Attribute) string {
	if t.words.Language() == message.English {
		return string(a)
	}
	return attribute(t.words, a)
}

// stamp writes a time as scripts read it, or as the reader does.
func (t *table) stamp(at time.Time) string {
	switch {
	case at.IsZero():
		return ""
	case t.words.Language() == message.English:
		return at.UTC().Format(time.RFC3339)
	}
	return t.words.Time(at)
}

func (t *table) aboutThePlan() []string {
	r, v := t.report, t.report.Plan.Verdict()
	run := ""
	if r.Run != 0 {
		run = strconv.FormatInt(r.Run, 10)
	}
	completeness := "confirmed"
	if !r.Plan.Confirmed() {
		completeness = "not confirmed"
	}
	return []string{
		r.Plan.Domain(), run, t.stamp(r.At), r.Plan.Fingerprint().Code(), t.say("value", r.verdict()),
		strconv.FormatFloat(math.Round(v.Percent()*1e4)/1e4, 'f', -1, 64), strconv.Itoa(v.MaxAllowedDeletions), t.say("value", completeness),
	}
}

func (t *table) action(a plan.Action) error {
	row := t.start(strconv.Itoa(a.No), a.Kind.String(), a.UPN, string(a.User.ID), a.Name, a.Line)
	for _, c := range a.Changes {
		i, ok := t.place[c.Attribute]
		if !ok {
			return fmt.Errorf("row %d changes %s, which the plan's policy does not write", a.No, c.Attribute)
		}
		row[i], row[i+1] = values(c)
		if c.Attribute == directory.AccountEnabled {
			row[i], row[i+1] = t.say("value", row[i]), t.say("value", row[i+1])
		}
	}
	end := row[t.back:t.latest]
	end[0] = t.yes(a.SignIn)
	if e := a.Evidence; e != nil {
		end[2], end[3] = t.word(e.Licensed), t.word(e.Enabled)
		end[4], end[5] = t.stamp(e.Created), t.stamp(e.LastSignIn)
	}
	var warnings []string
	for _, w := range a.Warnings {
		warnings = append(warnings, string(w.Code)+" "+t.words.Problem(w).What)
	}
	end[6] = strings.Join(warnings, " | ")
	if why := t.report.Why[a.No]; why != nil {
		t.why(end, why)
	}
	end[10] = t.say("outcome", t.report.Outcomes[a.No])
	if a.Explanation != nil {
		t.explained(row[t.latest:], a.Explanation)
	}
	return t.end(row)
}

// explained fills the columns of a deletion.
func (t *table) explained(end []string, e *plan.Explanation) {
	copy(end, []string{
		t.say("value", cmp.Or(e.Claim, "never_seen")), e.Username, t.stamp(e.LinkedSince), t.stamp(e.LastSeen), strconv.Itoa(e.Absent.Reads),
		strconv.Itoa(e.Absent.Days), strconv.Itoa(e.OpenRows), t.stamp(e.Due),
	})
	if e.Question != 0 {
		copy(end[8:], []string{questionNo(e.Question), t.say("value", string(plan.DifferentPeople)), e.By, t.stamp(e.At)})
	}
}

// question writes one source row of a question, with the account that it may belong
// to.
func (t *table) question(q *plan.Question, c *plan.Candidate) error {
	row := t.start(questionNo(q.No), "question", q.Account.UPN, string(q.Account.ID), q.Name, c.Line)
	end := row[t.back:t.latest]
	end[2], end[3] = t.word(q.Evidence.Licensed), t.word(q.Evidence.Enabled)
	end[4], end[5] = t.stamp(q.Evidence.Created), t.stamp(q.Evidence.LastSignIn)
	answer := q.Answer
	if answer.Kind == plan.SamePerson && answer.Row != c.RowKey() {
		answer = plan.Answer{}
	}
	copy(row[t.latest:], []string{
		"", q.Link.Username, t.stamp(q.Link.Since), t.stamp(q.Seen.Last), "", "", "", "",
		questionNo(q.No), t.say("value", cmp.Or(string(answer.Kind), "open")), answer.By, t.stamp(answer.At),
		RowName(c), c.Row.UPN, c.Name, t.stamp(c.Seen.First), Signs(t.words, c.For), Signs(t.words, c.Against),
	})
	return t.end(row)
}

func questionNo(no int) string { return "Q" + strconv.Itoa(no) }

func (t *table) skip(s plan.Skipped) error {
	row := t.start(strconv.Itoa(s.No), "skip", s.Ref.UPN, string(s.Ref.ID), s.Name, s.Line)
	t.why(row[t.back:], s.Why)
	return t.end(row)
}

// start clears the row and fills the columns that every row has.
func (t *table) start(no, action, upn, id, name string, line int) []string {
	clear(t.cells)
	copy(t.cells, []string{no, t.say("value", action), upn, id, name})
	if line > 0 {
		t.cells[5] = strconv.Itoa(line)
	}
	copy(t.cells[t.latest-len(t.whole):], t.whole)
	return t.cells
}

func (t *table) why(end []string, why *problem.Problem) {
	if why == nil {
		return
	}
	words := t.words.Problem(why)
	end[7], end[8], end[9] = string(words.Code), words.What, words.Remedy
}

func (t *table) end(row []string) error {
	for i := range row {
		row[i] = cell(row[i])
	}
	return t.csv.Write(row)
}

// values returns a change's two cells. Values that differ only in invisible
// characters are written with these revealed, so that the row does not seem to
// change nothing.
func values(c plan.Change) (string, string) {
	if message.Clean(c.Old.Text) == message.Clean(c.New.Text) {
		return message.RevealChange(c.Old.Text, c.New.Text)
	}
	return c.Old.Text, c.New.Text
}

func (t *table) yes(b bool) string {
	if b {
		return t.say("value", "yes")
	}
	return ""
}

func (t *table) word(b bool) string {
	if b {
		return t.say("value", "yes")
	}
	return t.say("value", "no")
}

// cell makes a text safe for a terminal and a spreadsheet.
func cell(s string) string { return defuse(message.Clean(s)) }

// defuse puts an apostrophe before what a spreadsheet may calculate: a cell whose
// first character, apart from spaces and invisible ones, is = + - or @, also in
// full width. A cell that begins with apostrophes and continues like that gets one
// more, so that removing one always restores the cell.
func defuse(s string) string {
	rest := strings.TrimLeft(s, "'")
	rest = strings.TrimLeftFunc(rest, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsGraphic(r) })
	if rest == "" {
		return s
	}
	first := rest[0]
	if first >= 0x80 {
		// Only the first character matters, but it may need the next to compose.
		first = norm.NFKC.String(firstRunes(rest))[0]
	}
	switch first {
	case '=', '+', '-', '@', '\t', '\r', '\n', '|':
		return "'" + s
	}
	return s
}

// firstRunes returns the beginning of s, enough for its first character.
func firstRunes(s string) string {
	n := 0
	for i := range s {
		if n == 4 {
			return s[:i]
		}
		n++
	}
	return s
}
