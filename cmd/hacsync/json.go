package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/hacsync/hacsync/sync/auditlog"
	"github.com/hacsync/hacsync/sync/message"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/run"
)

// schema is the version of every object that --json prints.
const schema = 1

// safeJSON encodes v so that a terminal can show it unchanged: characters on which
// a terminal would act, or that change the direction of text, are escaped. The
// value stays the same.
func safeJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	raw := bytes.TrimRight(b.Bytes(), "\n")
	if isPlain(raw) {
		return raw, nil
	}
	out := make([]byte, 0, len(raw)+32)
	for len(raw) > 0 {
		r, size := utf8.DecodeRune(raw)
		switch {
		case !mustEscape(r):
			out = append(out, raw[:size]...)
		case r > 0xffff:
			r -= 0x10000
			out = fmt.Appendf(out, `\u%04x\u%04x`, 0xd800+(r>>10), 0xdc00+(r&0x3ff))
		default:
			out = fmt.Appendf(out, `\u%04x`, r)
		}
		raw = raw[size:]
	}
	return out, nil
}

func isPlain(b []byte) bool {
	for _, c := range b {
		if c >= 0x7f {
			return false
		}
	}
	return true
}

// mustEscape: control characters that encoding/json leaves unescaped, and format
// characters (bidi overrides, zero width). JSON text contains them only in strings.
func mustEscape(r rune) bool {
	return r >= 0x7f && (unicode.Is(unicode.Cc, r) || unicode.Is(unicode.Cf, r) || r == '\u2028' || r == '\u2029')
}

// The objects of a plan, in the order in which their keys are printed.
type (
	jsonVerdict struct {
		Cancelled           bool    `json:"cancelled"`
		DeletionPercent     float64 `json:"deletion_percent"`
		MaxAllowedDeletions int     `json:"max_allowed_deletions"`
		Message             string  `json:"message"`
		Code                string  `json:"code"` // empty if it passes
		Deletions           int     `json:"deletions"`
		Users               int     `json:"users"`
		StopsAt             int     `json:"stops_at"`
		// Claimed: the numbers are those of the accounts that are or were in the
		// source. In an unattended run, Lost counts too.
		Claimed bool `json:"claimed"`
		Lost    int  `json:"lost"`
		Blocks  int  `json:"blocks"`
	}
	jsonHead struct {
		Schema           int         `json:"schema"`
		Run              int64       `json:"run"`
		Domain           string      `json:"domain"`
		SourceUsers      int         `json:"source_users"`
		DestinationUsers int         `json:"destination_users"`
		Add              int         `json:"add"`
		Update           int         `json:"update"`
		Rename           int         `json:"rename"`
		Restore          int         `json:"restore"`
		Delete           int         `json:"delete"`
		Unchanged        int         `json:"unchanged"`
		Skipped          int         `json:"skipped"`
		Verdict          jsonVerdict `json:"verdict"`
		Fingerprint      string      `json:"fingerprint"`
		// Source is how the source was read, absent for an undo.
		Source *jsonSource `json:"source,omitempty"`
		// Error and Drifted are set only for a sync that was refused or failed.
		Error   *fault      `json:"error,omitempty"`
		Drifted []jsonDrift `json:"drifted,omitempty"`
	}
	// jsonSource is a source as it was read: encoding and separator of a file, the
	// newest Last Login in it.
	jsonSource struct {
		Name      string    `json:"name"`
		Encoding  string    `json:"encoding,omitempty"`
		Separator string    `json:"separator,omitempty"`
		Newest    time.Time `json:"newest,omitzero"`
	}
	// jsonTail comes after the actions, and before the lists that were added later.
	jsonTail struct {
		QuestionsOpen int `json:"questions_open"`
		// NeverSeen are those deletions whose account was in no complete read.
		NeverSeen int `json:"never_seen"`
		// Waiting are accounts that are blocked and deleted on a later day: no skips,
		// although they are in that list.
		Waiting int `json:"waiting"`
	}
	jsonDrift struct {
		No        int    `json:"no"`
		UPN       string `json:"upn"`
		Attribute string `json:"attribute"`
		Then      string `json:"then"`
		Now       string `json:"now"`
		Message   string `json:"message"`
	}
	jsonAction struct {
		No      int          `json:"no"`
		Kind    string       `json:"kind"`
		UPN     string       `json:"upn"`
		ID      string       `json:"id"`
		Changes []jsonChange `json:"changes"`
		Outcome string       `json:"outcome"`
		// Explanation is set for deletions and blocks of accounts without a row.
		Link        *jsonLink        `json:"link,omitempty"`
		Explanation *jsonExplanation `json:"explanation,omitempty"`
	}
	jsonChange struct {
		Attribute string  `json:"attribute"`
		Old       *string `json:"old"`
		New       *string `json:"new"`
	}
	jsonSkip struct {
		No     int    `json:"no"`
		UPN    string `json:"upn"`
		Code   string `json:"code"`
		Reason string `json:"reason"`
		Remedy string `json:"remedy"`
	}
)

// outcomePlanned is the outcome of a row that no sync has tried: in a dry run, or
// if the sync was refused as a whole.
const outcomePlanned = "planned"

// planObject is a plan, with the result of its sync, as one JSON object.
type planObject struct {
	run    int64
	at     time.Time // when the plan was made
	plan   *plan.Plan
	report *run.Report // nil for a dry run
	fault  *fault      // why a sync was refused
	ids    map[int]string
	// summary leaves the rows out.
	summary bool
	words   *message.Printer
}

func (o planObject) head() jsonHead {
	c, v := o.plan.Counts(), o.plan.Verdict()
	h := jsonHead{
		Schema: schema, Run: o.run, Domain: o.plan.Domain(),
		SourceUsers: c.SourceUsers, DestinationUsers: c.DestinationUsers,
		Add: c.Add, Update: c.Update, Rename: c.Rename, Restore: c.Restore, Delete: c.Delete,
		Unchanged: c.Unchanged, Skipped: c.Skipped,
		Verdict: jsonVerdict{
			Cancelled:           v.Cancelled,
			DeletionPercent:     finite(v.Percent()),
			MaxAllowedDeletions: v.MaxAllowedDeletions,
			Deletions:           v.Deletions, Users: v.Users, StopsAt: v.StopsAt, Claimed: v.Claimed, Lost: v.Lost, Blocks: v.Blocks,
		},
		Fingerprint: o.plan.Fingerprint().String(),
		Error:       o.fault,
	}
	if o.plan.Undoes() == 0 {
		about := o.plan.Source()
		h.Source = &jsonSource{Name: about.Name, Encoding: about.Encoding, Separator: about.Separator, Newest: about.Newest.UTC()}
	}
	if v.Cancelled {
		h.Verdict.Message = auditlog.Cancelled(o.words, v)
	}
	if v.Why != nil {
		h.Verdict.Code = string(v.Why.Code)
	}
	if o.report != nil {
		for _, d := range o.report.Drifted {
			row := jsonDrift{No: d.No, UPN: d.UPN, Attribute: string(d.Attribute), Then: d.Then, Now: d.Now}
			if d.Why != nil {
				row.Message = o.words.Problem(d.Why).What
			}
			h.Drifted = append(h.Drifted, row)
		}
	}
	return h
}

// finite returns a number that encoding/json accepts: a share of nothing is not
// one.
func finite(f float64) float64 {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return 100
	}
	return f
}

// write streams the object: rows are made, encoded and forgotten one by one.
func (o planObject) write(w io.Writer) error {
	b := bufio.NewWriterSize(w, 1<<16)
	head, err := safeJSON(o.head())
	if err != nil {
		return err
	}
	_, _ = b.Write(head[:len(head)-1])
	if !o.summary {
		_, _ = b.WriteString(`,"actions":[`)
		for i := range o.plan.Len() {
			if err := element(b, i, o.action(i)); err != nil {
				return err
			}
		}
		_ = b.WriteByte(']')
	}
	c := o.plan.Counts()
	tail, err := safeJSON(jsonTail{c.OpenQuestions, c.Unclaimed, c.Waiting})
	if err != nil {
		return err
	}
	_ = b.WriteByte(',')
	_, _ = b.Write(tail[1 : len(tail)-1])
	if !o.summary {
		_, _ = b.WriteString(`,"questions":[`)
		for i, q := range o.plan.Questions() {
			if err := element(b, i, questionJSON(o.plan, q, o.at)); err != nil {
				return err
			}
		}
		_, _ = b.WriteString(`],"skips":[`)
		for i := range o.plan.SkipLen() {
			if err := element(b, i, o.skip(i)); err != nil {
				return err
			}
		}
		_ = b.WriteByte(']')
	}
	_, _ = b.WriteString("}\n")
	return b.Flush()
}

func element(b *bufio.Writer, i int, v any) error {
	raw, err := safeJSON(v)
	if err != nil {
		return err
	}
	if i > 0 {
		_ = b.WriteByte(',')
	}
	_ = b.WriteByte('\n')
	_, err = b.Write(raw)
	return err
}

func (o planObject) action(i int) jsonAction {
	a := o.plan.Action(i)
	row := jsonAction{
		No: a.No, Kind: a.Kind.String(), UPN: a.UPN, ID: string(a.User.ID),
		Changes: make([]jsonChange, 0, len(a.Changes)), Outcome: outcomePlanned,
	}
	for _, c := range a.Changes {
		row.Changes = append(row.Changes, jsonChange{
			Attribute: string(c.Attribute), Old: orNull(c.Old.Text, c.Old.Set), New: orNull(c.New.Text, c.New.Set),
		})
	}
	if a.Link.Username != "" {
		row.Link = &jsonLink{Username: a.Link.Username, Since: dayOf(a.Link.Since)}
	}
	row.Explanation = explanationJSON(a.Explanation)
	if o.report != nil {
		row.Outcome = run.OutcomeNotTried
		if became, ok := o.report.Outcome[a.No]; ok {
			row.Outcome = became
		}
		if row.ID == "" {
			row.ID = o.ids[a.No]
		}
	}
	return row
}

func orNull(text string, set bool) *string {
	if !set {
		return nil
	}
	return &text
}

func (o planObject) skip(i int) jsonSkip {
	s := o.plan.Skip(i)
	w := o.words.Problem(s.Why)
	return jsonSkip{No: s.No, UPN: s.Ref.UPN, Code: string(w.Code), Reason: w.What, Remedy: w.Remedy}
}
