package flow

import (
	"time"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/problem"
)

// Changes are the attributes of a row, before and after.
type Changes []ChangeLine

// ChangeLine is one of them.
type ChangeLine struct {
	Attribute directory.Attribute
	Old, New  Text
	// New account: there is nothing before.
	Added bool
	// SignIn: the person's sign-in changes with it.
	SignIn bool
}

func (Changes) piece() {}

// Detail is all that is known of the row with an index, the most telling first.
func (g *Reading) Detail(i int) []Piece {
	if i < 0 || i >= g.Len() {
		return nil
	}
	if i >= len(g.marks) {
		return g.skipDetail(g.r.plan.Skip(i - len(g.marks)))
	}
	r, a := g.r, g.r.plan.Action(i)
	out := []Piece{Heading{g.head(a)}, Para{Raw(a.UPN)}}
	if a.Name != "" && a.Kind != plan.Update && a.Kind != plan.Rename {
		out = append(out, Para{Raw(a.Name)})
	}
	if why := r.left[a.No]; why != "" {
		out = append(out, Facts{{T("preview.why_out"), Raw(why)}})
	}
	var list Changes
	for _, c := range a.Changes {
		old, now := marked(c)
		list = append(list, ChangeLine{
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
		out = append(out, Para{g.means(a)})
	}
	if b, ok := r.action(a.Pair); ok && a.Pair > 0 {
		out = append(out, Checks{{Mark: Warn, Text: T("preview.pair", "no", a.Pair), Detail: []Text{
			T("preview.pair_row", "sign", b.Kind.Sign(), "upn", inDomain(b.UPN, g.Domain()), "name", b.Name),
			T("preview.pair_what"),
		}}})
	}
	var warnings Checks
	for _, w := range a.Warnings {
		if a.Pair > 0 && w.Code == problem.MaybeSamePerson {
			continue // said above
		}
		warnings = append(warnings, Check{Mark: Warn, Text: T("flow.what", "x", What{w}), Detail: []Text{T("flow.what", "x", Remedy{w})}})
	}
	if len(warnings) > 0 {
		out = append(out, warnings)
	}
	return out
}

func (g *Reading) head(a plan.Action) Text {
	kind := T("kind." + a.Kind.String())
	if g.r.review.IsOut(a.No) {
		return T("preview.head_out", "sign", a.Kind.Sign(), "kind", kind, "no", a.No, "how", g.r.what(a))
	}
	return T("preview.head", "sign", a.Kind.Sign(), "kind", kind, "no", a.No)
}

// means is what an action that is no deletion means for the person.
func (g *Reading) means(a plan.Action) Text {
	switch a.Kind {
	case plan.Rename:
		same := T("preview.same_by_id")
		for _, c := range a.Changes {
			if c.Attribute == directory.ImmutableID {
				same = T("preview.same_by_choice")
			}
		}
		if a.User.ImmutableID == "" {
			same = T("preview.same_by_choice")
		}
		return T("preview.means_rename", "same", same)
	case plan.Restore:
		return T("preview.means_restore")
	case plan.Add:
		return T("preview.means_add")
	default:
		return T("preview.means_update")
	}
}

// binned is how long Microsoft 365 keeps a deleted user.
const binned = 30 * 24 * time.Hour

// evidence is what speaks for and against a deletion; what is not known is
// absent, never a guess.
func (g *Reading) evidence(a plan.Action) Facts {
	why, wrong := T("preview.why_delete"), T("preview.wrong_delete")
	if no := g.r.plan.Undoes(); no > 0 {
		why, wrong = T("preview.why_undo_delete", "run", int(no)), T("preview.wrong_undo_delete")
	}
	facts := Facts{{T("preview.why"), why}}
	if e := a.Evidence; e != nil {
		if !e.LastSignIn.IsZero() {
			label := T("preview.last_seen")
			if g.passes(Lately, a) {
				label = T("preview.last_seen_lately")
			}
			facts = append(facts, Fact{label, T("flow.is", "x", Moment(e.LastSignIn))})
		}
		licence := T("preview.licence_none")
		if e.Licensed {
			licence = T("preview.licence_some")
		}
		facts = append(facts, Fact{T("preview.licence_label"), licence})
		if !e.Created.IsZero() {
			facts = append(facts, Fact{T("preview.made_label"), T("flow.is", "x", Day(e.Created))})
		}
		state := T("evidence.blocked")
		if e.Enabled {
			state = T("evidence.enabled")
		}
		if k := mailbox(e.Purpose); k != "" {
			state = T("preview.two", "a", T("mailbox."+k), "b", state)
		}
		facts = append(facts, Fact{T("preview.is"), state})
	}
	then := T("preview.then_delete")
	if at := g.r.plan.Source().Read; !at.IsZero() {
		then = T("preview.then_delete_until", "date", Brief(at.Add(binned)))
	}
	return append(facts, Fact{T("preview.then"), then}, Fact{T("preview.wrong"), wrong})
}

func (g *Reading) skipDetail(s plan.Skipped) []Piece {
	out := []Piece{Heading{T("preview.head_skip", "no", s.No)}}
	if s.Ref.UPN != "" {
		out = append(out, Para{Raw(s.Ref.UPN)})
	}
	if s.Name != "" {
		out = append(out, Para{Raw(s.Name)})
	}
	return append(out, Facts{
		{T("preview.group"), T("group." + groupWord(s.Group))},
		{T("preview.why"), T("flow.what", "x", What{s.Why})},
		{T("word.remedy"), T("flow.what", "x", Remedy{s.Why})},
		{T("preview.code"), Raw(string(s.Why.Code))},
	})
}
