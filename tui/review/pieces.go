package review

import (
	"cmp"

	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/tui/words"
)

// What a review shows line by line, without a screen: the same rows, words and sums.

// Head is what comes above the rows: the tabs, the guard's verdict, the filters worth a
// look with their words, and warnings of the whole plan.
func (r *Review) Head() []words.Piece {
	out := []words.Piece{words.Para{Text: r.tabLine()}, Judged(r.Verdict())}
	var list words.Texts
	for _, f := range Filters(TabAll) {
		if n := r.Notable(f); n > 0 {
			list = append(list, words.T("preview.n_of", "word", string(f), "n", n))
		}
	}
	if len(list) > 0 {
		out = append(out, words.Para{Text: words.T("preview.worth", "list", list)})
	}
	return out
}

func (r *Review) tabLine() words.Text {
	var list words.Spaced
	for _, p := range r.parts {
		name := words.T("preview.tab." + string(p.Tab))
		switch {
		case p.Count < 0:
		case p.Sign == "":
			list = append(list, words.T("preview.tab_all", "name", name, "n", p.Count))
		default:
			list = append(list, words.T("preview.tab_of", "sign", p.Sign, "name", name, "n", p.Count))
		}
	}
	return words.Is(list)
}

// Judged is the guard's verdict with its meaning.
func Judged(v plan.Verdict) words.Checks {
	c := words.Check{Mark: words.OK, Text: words.T("preview.deletions", "share", Share(v))}
	switch {
	case v.Raised:
		c.Mark, c.Detail = words.Warn, []words.Text{words.T("guard.raised")}
	case v.Cancelled:
		c.Mark, c.Detail = words.Stops, []words.Text{Cancels(v), words.T("preview.guard_hint")}
	}
	if v.Claimed {
		c.Detail = append(c.Detail, words.T("guard.claimed"))
	}
	if v.Lost > 0 {
		c.Detail = append(c.Detail, words.T("guard.lost", "n", v.Lost))
	}
	if v.Today > 0 {
		c.Detail = append(c.Detail, words.T("guard.today", "n", v.Today))
	}
	if v.MaxChanges >= 0 {
		c.Detail = append(c.Detail, words.T("guard.changes", "n", v.Changed, "users", v.Users, "limit", words.Percent(v.MaxChanges)))
	}
	if v.Blocks > 0 {
		c.Detail = append(c.Detail, words.T("preview.blocks", "n", v.Blocks))
	}
	return words.Checks{c}
}

// Cancels is the sentence of a guard that cancels: for too many deletions the one of
// HENNGE's guides.
func Cancels(v plan.Verdict) words.Text {
	if v.Why == nil || v.Why.Code == problem.GuardCancels || v.Why.Code == problem.GuardCancelsNumber {
		return words.T("guard.sentence")
	}
	return words.T("flow.what", "x", words.What{Err: v.Why})
}

// Table has rows, by index.
func (r *Review) Table(rows []int32) words.Table {
	t := words.Table{Head: []words.Text{
		{}, words.T("preview.col.no"), words.T("preview.col.upn"), words.T("preview.col.name"), words.T("preview.col.what"),
	}, Right: []int{1}}
	for _, i := range rows {
		l := r.Row(int(i))
		t.Rows = append(t.Rows, []words.Text{words.Raw(l.Sign), Label(l.No), words.Raw(l.UPN), words.Raw(l.Name), l.What})
	}
	return t
}

// ReasonPieces are the skips by reason.
func (r *Review) ReasonPieces() []words.Piece {
	var out []words.Piece
	var group problem.Group
	for _, x := range r.Reasons() {
		if x.Group != group {
			group = x.Group
			out = append(out, words.Heading{Text: GroupWord(group)}, words.Checks{})
		}
		c := words.Check{Mark: words.Info, Text: words.T("preview.left_line", "n", x.Rows, "short", x.Short(), "names", x.names())}
		if x.Why != nil {
			c.Text = words.T("preview.reason_line", "n", x.Rows, "short", x.Short(), "code", string(x.Why.Code), "names", x.names())
			c.Detail = []words.Text{words.T("flow.what", "x", words.Remedy{Err: x.Why})}
		}
		last := len(out) - 1
		out[last] = append(out[last].(words.Checks), c)
	}
	if len(out) == 0 {
		return []words.Piece{words.Para{Text: words.T("preview.no_skips")}}
	}
	if n := r.plan.SkipLen(); n > len(r.waiting) {
		out = append(out, words.Para{Text: words.T("preview.skips_hint", "from", r.plan.Skip(0).No, "to", r.plan.Skip(n-1).No)})
	}
	return out
}

// names are the first of a reason's rows.
func (e Reason) names() words.Texts {
	const most = 6
	var names words.Names
	for _, x := range e.Some[:min(most, len(e.Some))] {
		names = append(names, cmp.Or(x.UPN, x.Name, "-"))
	}
	out := words.Texts{words.Is(names)}
	if n := e.Rows - len(names); n > 0 {
		out = append(out, words.T("flow.more", "n", n))
	}
	return out
}

// SummaryPieces are the changes by attribute, and the sums.
func (r *Review) SummaryPieces() []words.Piece {
	t := words.Table{Head: []words.Text{
		words.T("preview.col.attribute"), words.T("preview.col.rows"), words.T("preview.col.set"), words.T("preview.col.changed"),
		words.T("preview.col.cleared"), words.T("preview.col.example"),
	}, Right: []int{1, 2, 3, 4}}
	// Attributes are written as their command takes them.
	for _, s := range r.Attributes() {
		t.Rows = append(t.Rows, []words.Text{
			words.Raw(string(s.Attribute)), words.Num(s.Rows), words.Num(s.Set), words.Num(s.Changed), words.Num(s.Cleared), s.Example(),
		})
		if s.Like > 0 {
			t.Rows = append(t.Rows, []words.Text{words.T("preview.like"), words.Num(s.Like), {}, {}, {}, {}})
		}
	}
	for _, a := range r.Without {
		t.Rows = append(t.Rows, []words.Text{words.Raw(string(a)), {}, {}, {}, {}, words.T("kind.left-out")})
	}
	var out []words.Piece
	if len(t.Rows) > 0 {
		out = append(out, t)
	} else {
		out = append(out, words.Para{Text: words.T("preview.no_values")})
	}
	if n := r.Cleared(); n > 0 {
		out = append(out, words.Checks{{Mark: words.Warn, Text: words.T("preview.cleared_hint", "n", n)}})
	}
	if w := Warnings(r.plan.Warnings()); len(w) > 0 {
		out = append(out, w)
	}
	return append(out, r.Sums())
}
