package flow

import (
	"strings"
	"time"

	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/run"
)

// confirming asks who approves, for a note, and for the number of deletions.
// It is the only step that leads to writing.
type confirming struct {
	asks     confirmAsk
	by, note string
	set      bool // by was answered once
}

type confirmAsk uint8

const (
	askBy confirmAsk = iota
	askNote
	askNumber
)

// approver is who is taken to approve unless another name is given.
func (d *data) approver() string { return firstOf(d.approval.By, d.account.UPN, d.o.Person) }

func (s *confirming) enter(d *data, back bool) turn {
	s.asks = askBy
	if !s.set {
		s.by = d.approver()
	}
	return turn{}
}

func (s *confirming) view(d *data, now time.Time) View {
	r := d.review
	c, verdict := r.counts(), r.verdict()
	v := View{Title: T("word.sync-now"), Status: T("flow.confirm.status")}
	conn := d.session.Connection()
	if conn.Acts() {
		v.Status = T("flow.confirm.status_app", "app", conn.Application.Name)
	}
	if no := r.plan.Undoes(); no > 0 {
		v.Title = T("flow.confirm.title_undo", "run", int(no))
	}
	of := T("flow.confirm.plan", "code", r.code(), "at", Clock(d.planned.At), "ago", now.Sub(d.planned.At))
	if d.planned.At.IsZero() {
		of = T("flow.confirm.plan_file", "code", r.code())
	}
	real := T("flow.confirm.real")
	if d.b.Simulated() || conn.Simulated() {
		real = T("flow.confirm.simulated")
	}
	v.Blocks = append(v.Blocks, Facts{
		{T("word.tenant"), T("flow.confirm.tenant", "name", conn.TenantName, "initial", conn.Initial, "real", real)},
		{T("word.domain"), Raw(d.domain)},
		{T("flow.confirm.plan_label"), of},
	})
	t := Table{Head: []Text{{}, T("flow.confirm.kind"), T("flow.confirm.n"), T("flow.confirm.means")}, Right: []int{2}, Wrap: true}
	for _, k := range []struct {
		kind plan.Kind
		n    int
		note Text
	}{
		{plan.Delete, c.Delete, share(verdict)},
		{plan.Rename, c.Rename, T("flow.confirm.rename")},
		{plan.Restore, c.Restore, Text{}},
		{plan.Add, c.Add, T("flow.confirm.add")},
		{plan.Update, c.Update, s.updateNote(c)},
	} {
		if k.n > 0 {
			t.Rows = append(t.Rows, []Text{Raw(k.kind.Sign()), T("kind." + k.kind.String()), Num(k.n), k.note})
		}
	}
	t.Rows = append(t.Rows, []Text{{}, T("flow.in_all"), Num(c.Changes()), {}})
	if n := len(r.left); n > 0 {
		t.Rows = append(t.Rows, []Text{Raw("(-)"), T("kind.left-out"), Num(n), T("flow.confirm.lasting", "n", len(r.decisions()))})
	}
	v.Blocks = append(v.Blocks, t)
	if !r.plan.Confirmed() {
		v.Blocks = append(v.Blocks, Checks{{Mark: Warn, Text: T("completeness.not-confirmed")}})
	}
	if verdict.Raised {
		v.Blocks = append(v.Blocks, Checks{{Mark: Warn, Text: T("guard.raised")}})
	}
	if verdict.Blocks > 0 {
		v.Blocks = append(v.Blocks, Checks{{Mark: Warn, Text: T("flow.preview.blocks", "n", verdict.Blocks)}})
	}
	if d.resume > 0 {
		v.Blocks = append(v.Blocks, Checks{{Mark: Info, Text: T("flow.confirm.resume", "run", int(d.resume))}})
	}
	v.Blocks = append(v.Blocks, Para{T("flow.confirm.stop", "until", Brief(now.AddDate(0, 0, 30)))})
	switch s.asks {
	case askBy:
		v.Ask = Question{Kind: Line, Text: T("flow.confirm.by"), Preset: s.by}
	case askNote:
		v.Ask = Question{Kind: Line, Text: T("flow.confirm.note"), Preset: s.note, Optional: true}
	case askNumber:
		if n := c.Delete; n > 0 {
			v.Ask = Question{Kind: Typed, Text: T("flow.confirm.type_number", "n", n)}
		} else {
			v.Ask = Question{Kind: Typed, Text: T("flow.confirm.type_yes")}
		}
	}
	return v
}

func (s *confirming) updateNote(c plan.Counts) Text {
	if n := c.SignIn - c.Rename; n > 0 {
		return T("flow.confirm.signin", "n", n)
	}
	return Text{}
}

func (s *confirming) answer(d *data, a Answer) turn {
	if a.Command != "" {
		return stayed(T("flow.not_a_command"))
	}
	switch s.asks {
	case askBy:
		by := strings.TrimSpace(a.Text)
		if by == "" {
			return stayed(T("flow.confirm.by_empty"))
		}
		s.by, s.set, s.asks = by, true, askNote
		return turn{}
	case askNote:
		s.note, s.asks = strings.TrimSpace(a.Text), askNumber
		return turn{}
	}
	n := d.review.counts().Delete
	if n > 0 {
		got, ok := number(a.Text)
		if !ok || got != n {
			return stayed(T("flow.confirm.wrong", "n", n))
		}
	} else if yes := Fold(a.Text); yes != "yes" && yes != "はい" {
		return stayed(T("flow.confirm.not_yes"))
	}
	p := d.review.approved()
	d.approval = run.Approval{
		Fingerprint: p.Fingerprint(), By: s.by, Note: s.note,
		RaiseOnce: d.review.raised, Lasting: d.review.decisions(),
	}
	return goTo(Sync)
}

func (s *confirming) inner() bool { return s.asks != askBy }

func (s *confirming) back(*data) (turn, bool) {
	if s.asks == askBy {
		return turn{}, false
	}
	s.asks--
	return turn{}, true
}

func (s *confirming) event(*data, any, time.Time) {}

func (s *confirming) done(*data, any) turn { return turn{} }
