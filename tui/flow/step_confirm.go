package flow

import (
	"cmp"
	"strings"
	"time"

	"github.com/hacsync/hacsync/sync/input"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/run"
	"github.com/hacsync/hacsync/tui/review"
	"github.com/hacsync/hacsync/tui/words"
)

// confirmStep asks who approves, for a note, and for the number of deletions.
// It is the only step that leads to writing.
type confirmStep struct {
	base
	asks     confirmAsk
	by, note string
	set      bool             // by was answered once
	of       plan.Fingerprint // the plan that the note is for
}

type confirmAsk uint8

const (
	askBy confirmAsk = iota
	askNote
	askNumber
)

// approver is who is taken to approve unless another name is given.
func (d *data) approver() string { return cmp.Or(d.approval.By, d.account.UPN, d.o.Person) }

func (s *confirmStep) enter(d *data, back bool) turn {
	s.asks = askBy
	if !s.set {
		s.by = d.approver()
	}
	if of := d.review.Approved().Fingerprint(); of != s.of {
		s.note, s.of = "", of
	}
	return turn{}
}

func (s *confirmStep) view(d *data, now time.Time) View {
	r := d.review
	c, verdict := r.Remaining(), r.Verdict()
	v := View{Title: words.T("word.sync-now"), Status: words.T("flow.confirm.status")}
	conn := d.session.Connection()
	if conn.Acts() {
		v.Status = words.T("flow.confirm.status_app", "app", conn.Application.Name)
	}
	if no := r.Plan().Undoes(); no > 0 {
		v.Title = words.T("flow.confirm.title_undo", "run", int(no))
	}
	of := words.T("flow.confirm.plan", "code", r.Code(), "at", words.Clock(d.planned.At), "ago", now.Sub(d.planned.At))
	if d.planned.At.IsZero() {
		of = words.T("flow.confirm.plan_file", "code", r.Code())
	}
	real := words.T("flow.confirm.real")
	if d.b.Simulated() || conn.Simulated() {
		real = words.T("flow.confirm.simulated")
	}
	v.Blocks = append(v.Blocks, words.Facts{
		{Label: words.T("word.tenant"), Value: words.T("flow.confirm.tenant", "name", conn.TenantName, "initial", conn.Initial, "real", real)},
		{Label: words.T("word.domain"), Value: words.Raw(d.domain)},
		{Label: words.T("flow.confirm.plan_label"), Value: of},
	})
	t := words.Table{Head: []words.Text{{}, words.T("flow.confirm.kind"), words.T("flow.confirm.n"), words.T("flow.confirm.means")}, Right: []int{2}, Wrap: true}
	blocks, back := r.Switched()
	for _, k := range []struct {
		kind plan.Kind
		n    int
		note words.Text
	}{
		{plan.Delete, c.Delete, review.Brief(verdict)},
		{plan.Rename, c.Rename, words.T("flow.confirm.rename")},
		{plan.Restore, c.Restore, words.Text{}},
		{plan.Add, c.Add, words.T("flow.confirm.add")},
		{plan.Update, c.Update - blocks - back, s.updateNote(c, blocks+back)},
	} {
		if k.n > 0 {
			t.Rows = append(t.Rows, []words.Text{words.Raw(k.kind.Sign()), words.T("kind." + k.kind.String()), words.Num(k.n), k.note})
		}
		if k.kind == plan.Delete {
			for _, note := range r.DeletionNotes() {
				t.Rows = append(t.Rows, []words.Text{{}, {}, {}, note})
			}
			if n := blocks + back; n > 0 {
				note := words.T("flow.confirm.block", "n", blocks)
				if back > 0 {
					note = words.T("flow.confirm.block_back", "n", blocks, "back", back)
				}
				t.Rows = append(t.Rows, []words.Text{words.Raw("x"), words.T("preview.tab.block"), words.Num(n), note})
			}
		}
	}
	t.Rows = append(t.Rows, []words.Text{{}, words.T("flow.in_all"), words.Num(c.Changes()), {}})
	if n := len(r.LeftOut()); n > 0 {
		t.Rows = append(t.Rows, []words.Text{words.Raw("(-)"), words.T("kind.left-out"), words.Num(n), words.T("flow.confirm.lasting", "n", len(r.Lasting()))})
	}
	v.Blocks = append(v.Blocks, t)
	v.Blocks = append(v.Blocks, r.Unanswered()...)
	if !r.Plan().Confirmed() {
		v.Blocks = append(v.Blocks, words.Checks{{Mark: words.Warn, Text: words.T("completeness.not-confirmed")}})
	}
	if verdict.Raised {
		v.Blocks = append(v.Blocks, words.Checks{{Mark: words.Warn, Text: words.T("guard.raised")}})
	}
	if verdict.Blocks > 0 {
		v.Blocks = append(v.Blocks, words.Checks{{Mark: words.Warn, Text: words.T("preview.blocks", "n", verdict.Blocks)}})
	}
	if d.resume > 0 {
		v.Blocks = append(v.Blocks, words.Checks{{Mark: words.Info, Text: words.T("flow.confirm.resume", "run", int(d.resume))}})
	}
	v.Blocks = append(v.Blocks, words.Para{Text: words.T("flow.confirm.stop", "until", words.Brief(now.AddDate(0, 0, 30)))})
	if all, _ := r.Questions(); all > 0 {
		v.Commands = []Command{command(CmdQuestions, "f2", "questions", words.T("flow.confirm.questions"))}
	}
	switch s.asks {
	case askBy:
		v.Ask = Question{Kind: Line, Text: words.T("flow.confirm.by"), Preset: s.by}
	case askNote:
		v.Ask = Question{Kind: Line, Text: words.T("flow.confirm.note"), Preset: s.note, Optional: true}
	case askNumber:
		if n := departing(c); n > c.Delete {
			v.Ask = Question{Kind: Typed, Text: words.T("flow.confirm.type_number_blocks", "n", n)}
		} else if n > 0 {
			v.Ask = Question{Kind: Typed, Text: words.T("flow.confirm.type_number", "n", n)}
		} else {
			v.Ask = Question{Kind: Typed, Text: words.T("flow.confirm.type_yes")}
		}
	}
	return v
}

// departing is the number that is typed: deletions, and blocks with them.
func departing(c plan.Counts) int { return c.Delete + c.Blocks }

// updateNote says how many of the updates affect sign-in, but for those that stand in
// a line of their own.
func (s *confirmStep) updateNote(c plan.Counts, switched int) words.Text {
	if n := c.SignIn - c.Rename - switched; n > 0 {
		return words.T("flow.confirm.signin", "n", n)
	}
	return words.Text{}
}

func (s *confirmStep) answer(d *data, a Answer) turn {
	if all, _ := d.review.Questions(); a.Command == CmdQuestions && all > 0 {
		d.questions = true
		return goTo(Preview)
	}
	if a.Command != "" {
		return stayed(words.T("flow.not_a_command"))
	}
	switch s.asks {
	case askBy:
		by := strings.TrimSpace(a.Text)
		if by == "" {
			return stayed(words.T("flow.confirm.by_empty"))
		}
		s.by, s.set, s.asks = by, true, askNote
		return turn{}
	case askNote:
		s.note, s.asks = strings.TrimSpace(a.Text), askNumber
		return turn{}
	}
	n := departing(d.review.Remaining())
	if n > 0 {
		got, ok := input.Number(a.Text)
		if !ok || got != n {
			return stayed(words.T("flow.confirm.wrong", "n", n))
		}
	} else if yes := words.Fold(a.Text); yes != "yes" && yes != "はい" {
		return stayed(words.T("flow.confirm.not_yes"))
	}
	p := d.review.Approved()
	d.approval = run.Approval{
		Fingerprint: p.Fingerprint(), By: s.by, Note: s.note,
		RaiseOnce: d.review.Raised(), Lasting: d.review.Lasting(),
	}
	return goTo(Sync)
}

func (s *confirmStep) inner() bool { return s.asks != askBy }

func (s *confirmStep) back(*data) (turn, bool) {
	if s.asks == askBy {
		return turn{}, false
	}
	s.asks--
	return turn{}, true
}

func (s *confirmStep) done(*data, any) turn { return turn{} }
