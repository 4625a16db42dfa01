package main

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/hacsync/hacsync/sync/message"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/run"
	"github.com/hacsync/hacsync/sync/state"
)

// jsonEntry is a row of the journal, without the images of accounts.
type jsonEntry struct {
	No       int             `json:"no"`
	Step     int             `json:"step"`
	Kind     string          `json:"kind"`
	Request  string          `json:"request"`
	UPN      string          `json:"upn"`
	ID       string          `json:"id"`
	State    string          `json:"state"`
	Attempt  int             `json:"attempt"`
	Intended time.Time       `json:"intended,omitzero"`
	Answered time.Time       `json:"answered,omitzero"`
	SeenAt   time.Time       `json:"seen,omitzero"`
	Problem  *problem.Stored `json:"problem"`
	// PutBack: the request belongs to a deletion that was undone, because the
	// addition that needed the UPN failed.
	PutBack bool `json:"put_back,omitempty"`
}

// log1 shows one run: what it planned and skipped, its outcome, and the rows of its
// journal that were not seen done, by how far they came.
func (a *app) log1(ctx context.Context, store *state.Store, no int64) error {
	r, err := store.Run(ctx, no)
	if err != nil {
		return err
	}
	if r, err = run.Judged(ctx, store, time.Now(), r); err != nil {
		return err
	}
	journal, err := store.Journal(ctx, no)
	if err != nil {
		return err
	}
	back := map[int]bool{}
	for i := range journal {
		if run.TakenBack(&journal[i]) {
			back[journal[i].Action] = true
		}
	}
	entries := make([]jsonEntry, 0, len(journal))
	for _, e := range journal {
		entries = append(entries, jsonEntry{
			No: e.Action, Step: e.Step, Kind: string(e.Kind), Request: string(e.Verb), UPN: e.Object.UPN, ID: string(e.Object.ID),
			State: string(e.State), Attempt: e.Attempt, Intended: e.Intended, Answered: e.Answered, SeenAt: e.SeenAt,
			Problem: storedProblem(e.Problem), PutBack: back[e.Action],
		})
	}
	if a.flags.json {
		a.answer(struct {
			Schema  int         `json:"schema"`
			Run     jsonRun     `json:"run"`
			Journal []jsonEntry `json:"journal"`
		}{schema, a.jsonRun(r), entries})
		return nil
	}
	a.logHead(run.LogOf(r))
	a.logRows(entries)
	return nil
}

// logHead shows the run itself.
func (a *app) logHead(l run.Logged) {
	out, sum := a.show(a.out), &l.Sum
	rows := [][]string{}
	add := func(id, value string) {
		if value != "" {
			rows = append(rows, []string{a.text("logs."+id, nil), message.Clean(value)})
		}
	}
	add("run", a.words.Int(int(l.No)))
	add("kind", a.words.Text("run.kind."+string(l.Kind), nil))
	add("domain", l.Domain)
	add("state", a.words.Text("run.state."+string(l.State), nil))
	add("started", a.words.Time(l.Started))
	add("ended", a.words.Time(l.Ended))
	if l.Took > 0 {
		add("took", a.words.Duration(l.Took))
	}
	if sum.Paused > 0 {
		add("paused", a.words.Duration(sum.Paused))
	}
	add("source", l.Source)
	add("fingerprint", l.Fingerprint)
	if l.Unattended {
		add("by", a.text("logs.nobody", nil))
	} else {
		add("by", l.By)
	}
	add("note", l.Note)
	out.table(rows, -1)
	if sum.Counts != nil {
		out.line("")
		out.line("%s", a.text("logs.sides", problem.Args{
			"source": a.words.Int(sum.Counts.SourceUsers), "accounts": a.words.Int(sum.Counts.DestinationUsers),
			"touchable": a.words.Int(sum.Counts.Touchable),
		}))
		out.counts(*sum.Counts, l.Kind != state.Undo)
	}
	if sum.Verdict != nil {
		var counts plan.Counts
		if sum.Counts != nil {
			counts = *sum.Counts
		}
		out.verdict(*sum.Verdict, counts)
		if v := sum.Verdict; v.Today > 0 {
			out.line("%s", a.text("logs.today", problem.Args{"n": a.words.Int(v.Today), "users": a.words.Int(v.UsersThen)}))
		}
	}
	a.logCodes("logs.skips", sum.Skips)
	if sum.Held > 0 {
		out.line("%s", a.text("logs.held_rows", problem.Args{"n": a.words.Int(sum.Held)}))
	}
	if l.Writes && sum.Planned > 0 {
		out.line("%s", a.text("logs.became", problem.Args{
			"planned": a.words.Int(sum.Planned), "seen": a.words.Int(sum.Seen), "failed": a.words.Int(sum.Failed),
			"not_tried": a.words.Int(sum.NotTried), "not_yet_seen": a.words.Int(sum.NotYetSeen),
		}))
	}
	a.logCodes("logs.causes", sum.Causes)
	if sum.Problem != nil {
		w := a.words.Problem(sum.Problem.Problem())
		out.line("")
		out.line("%s (%s%s)", w.What, w.Code, upstream(sum.Problem))
		if w.Remedy != "" {
			out.line("%s", w.Remedy)
		}
	}
}

// logCodes lists codes with how often each came, the most frequent first.
func (a *app) logCodes(title string, byCode map[problem.Code]int) {
	if len(byCode) == 0 {
		return
	}
	out := a.show(a.out)
	out.line("%s", a.text(title, nil))
	codes := slices.SortedFunc(maps.Keys(byCode), func(x, y problem.Code) int {
		return cmp.Or(byCode[y]-byCode[x], cmp.Compare(x, y))
	})
	rows := make([][]string, len(codes))
	for i, c := range codes {
		rows[i] = []string{"  " + a.words.Int(byCode[c]), string(c), a.words.Problem(problem.New(c, nil)).Short}
	}
	out.table(rows, -1)
}

// upstream returns Microsoft's own answer, for Microsoft's support.
func upstream(s *problem.Stored) string {
	text := ""
	if s.Status != 0 {
		text += ", status " + strconv.Itoa(s.Status)
	}
	if s.Upstream != "" {
		text += " " + message.Clean(s.Upstream)
	}
	if s.RequestID != "" {
		text += ", request-id " + message.Clean(s.RequestID)
	}
	return text
}

// logRows lists the requests that were not seen done, by how far they came, and the
// deletions that were undone.
func (a *app) logRows(entries []jsonEntry) {
	group := func(id string, is func(*jsonEntry) bool) {
		head := false
		for i := range entries {
			e := &entries[i]
			if !is(e) {
				continue
			}
			if !head {
				a.show(a.out).line("")
				a.show(a.out).line("%s", a.text("journal."+id, nil))
				head = true
			}
			a.logStep(e)
		}
	}
	group("back", func(e *jsonEntry) bool { return e.PutBack && e.Request == "restore" })
	for _, st := range []state.EntryState{
		state.Rejected, state.Conflict, state.Differs, state.Sent, state.Written, state.None,
	} {
		group(string(st), func(e *jsonEntry) bool { return !e.PutBack && e.State == string(st) })
	}
	seen := 0
	for i := range entries {
		if e := &entries[i]; !e.PutBack && e.State == string(state.Seen) {
			seen++
		}
	}
	if seen > 0 {
		a.show(a.out).line("%s", a.text("logs.seen", problem.Args{"n": a.words.Int(seen)}))
	}
}

func (a *app) logStep(e *jsonEntry) {
	why := ""
	if e.Problem != nil {
		w := a.words.Problem(e.Problem.Problem())
		why = fmt.Sprintf("%s (%s%s)", w.What, w.Code, upstream(e.Problem))
	}
	a.show(a.out).line("  %5d  %s  %s  %s", e.No, a.words.Text("kind."+e.Kind, nil), message.Clean(e.UPN), why)
}
