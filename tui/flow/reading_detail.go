package flow

import (
	"time"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/tui/words"
)

// Detail is all that is known of the row with an index, the most telling first.
func (g *Reading) Detail(i int) []words.Piece {
	if i < 0 || i >= g.Len() {
		return nil
	}
	if i >= len(g.marks) {
		return g.skipDetail(g.r.plan.Skip(i - len(g.marks)))
	}
	r, a := g.r, g.r.plan.Action(i)
	out := []words.Piece{words.Heading{Text: g.head(a)}, words.Para{Text: words.Raw(a.UPN)}}
	if a.Name != "" && a.Kind != plan.Update && a.Kind != plan.Rename {
		out = append(out, words.Para{Text: words.Raw(a.Name)})
	}
	if why := r.left[a.No]; why != "" {
		out = append(out, words.Facts{{Label: words.T("preview.why_out"), Value: words.Raw(why)}})
	}
	var list words.Changes
	for _, c := range a.Changes {
		old, now := marked(c)
		list = append(list, words.ChangeLine{
			Attribute: c.Attribute, Old: value(c.Old, old), New: value(c.New, now), Added: a.Kind == plan.Add,
			SignIn: a.SignIn && (c.Attribute == directory.UserPrincipalName || c.Attribute == directory.ImmutableID || c.Attribute == directory.AccountEnabled),
		})
	}
	if len(list) > 0 {
		out = append(out, list)
	}
	if a.Kind == plan.Delete {
		out = append(out, g.evidence(a))
	} else {
		out = append(out, words.Para{Text: g.means(a)})
	}
	if b, ok := r.action(a.Pair); ok && a.Pair > 0 {
		out = append(out, words.Checks{{Mark: words.Warn, Text: words.T("preview.pair", "no", a.Pair), Detail: []words.Text{
			words.T("preview.pair_row", "sign", b.Kind.Sign(), "upn", inDomain(b.UPN, g.Domain()), "name", b.Name),
			words.T("preview.pair_what"),
		}}})
	}
	var warnings words.Checks
	for _, w := range a.Warnings {
		if a.Pair > 0 && w.Code == problem.MaybeSamePerson {
			continue // said above
		}
		warnings = append(warnings, words.Check{Mark: words.Warn, Text: words.T("flow.what", "x", words.What{Err: w}), Detail: []words.Text{words.T("flow.what", "x", words.Remedy{Err: w})}})
	}
	if len(warnings) > 0 {
		out = append(out, warnings)
	}
	return out
}

func (g *Reading) head(a plan.Action) words.Text {
	kind := words.T("kind." + a.Kind.String())
	if g.r.review.IsOut(a.No) {
		return words.T("preview.head_out", "sign", a.Kind.Sign(), "kind", kind, "no", a.No, "how", g.r.what(a))
	}
	return words.T("preview.head", "sign", a.Kind.Sign(), "kind", kind, "no", a.No)
}

// means is what an action that is no deletion means for the person.
func (g *Reading) means(a plan.Action) words.Text {
	switch a.Kind {
	case plan.Rename:
		same := words.T("preview.same_by_id")
		for _, c := range a.Changes {
			if c.Attribute == directory.ImmutableID {
				same = words.T("preview.same_by_choice")
			}
		}
		if a.User.ImmutableID == "" {
			same = words.T("preview.same_by_choice")
		}
		return words.T("preview.means_rename", "same", same)
	case plan.Restore:
		return words.T("preview.means_restore")
	case plan.Add:
		return words.T("preview.means_add")
	default:
		return words.T("preview.means_update")
	}
}

// binned is how long Microsoft 365 keeps a deleted user.
const binned = 30 * 24 * time.Hour

// evidence is what speaks for and against a deletion; what is not known is
// absent, never a guess.
func (g *Reading) evidence(a plan.Action) words.Facts {
	why, wrong := words.T("preview.why_delete"), words.T("preview.wrong_delete")
	if no := g.r.plan.Undoes(); no > 0 {
		why, wrong = words.T("preview.why_undo_delete", "run", int(no)), words.T("preview.wrong_undo_delete")
	}
	facts := words.Facts{{Label: words.T("preview.why"), Value: why}}
	if e := a.Evidence; e != nil {
		if !e.LastSignIn.IsZero() {
			label := words.T("preview.last_seen")
			if g.passes(Lately, a) {
				label = words.T("preview.last_seen_lately")
			}
			facts = append(facts, words.Fact{Label: label, Value: words.T("flow.is", "x", words.Moment(e.LastSignIn))})
		}
		licence := words.T("preview.licence_none")
		if e.Licensed {
			licence = words.T("preview.licence_some")
		}
		facts = append(facts, words.Fact{Label: words.T("preview.licence_label"), Value: licence})
		if !e.Created.IsZero() {
			facts = append(facts, words.Fact{Label: words.T("preview.made_label"), Value: words.T("flow.is", "x", words.Day(e.Created))})
		}
		state := words.T("evidence.blocked")
		if e.Enabled {
			state = words.T("evidence.enabled")
		}
		if k := mailbox(e.Purpose); k != "" {
			state = words.T("preview.two", "a", words.T("mailbox."+k), "b", state)
		}
		facts = append(facts, words.Fact{Label: words.T("preview.is"), Value: state})
	}
	then := words.T("preview.then_delete")
	if at := g.r.plan.Source().Read; !at.IsZero() {
		then = words.T("preview.then_delete_until", "date", words.Brief(at.Add(binned)))
	}
	return append(facts, words.Fact{Label: words.T("preview.then"), Value: then}, words.Fact{Label: words.T("preview.wrong"), Value: wrong})
}

func (g *Reading) skipDetail(s plan.Skipped) []words.Piece {
	out := []words.Piece{words.Heading{Text: words.T("preview.head_skip", "no", s.No)}}
	if s.Ref.UPN != "" {
		out = append(out, words.Para{Text: words.Raw(s.Ref.UPN)})
	}
	if s.Name != "" {
		out = append(out, words.Para{Text: words.Raw(s.Name)})
	}
	return append(out, words.Facts{
		{Label: words.T("preview.group"), Value: words.T("group." + groupWord(s.Group))},
		{Label: words.T("preview.why"), Value: words.T("flow.what", "x", words.What{Err: s.Why})},
		{Label: words.T("word.remedy"), Value: words.T("flow.what", "x", words.Remedy{Err: s.Why})},
		{Label: words.T("preview.code"), Value: words.Raw(string(s.Why.Code))},
	})
}
