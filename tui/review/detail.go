package review

import (
	"strings"
	"time"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/message"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/tui/words"
)

// skipSign is the sign of what is skipped, blockSign that of a sign-in block.
const (
	skipSign  = "!"
	blockSign = "x"
)

// Row is a row as a table shows it.
type Row struct {
	No   int
	Sign string    // in parentheses when it is left out
	Kind plan.Kind // 0 for a row that is no action
	Out  bool      // left out by the reviewer
	UPN  string    // without the plan's domain
	Name string
	What words.Text // the most important first
}

// Row is the row with an index.
func (r *Review) Row(i int) Row {
	l, i := r.lists.at(i)
	return l.row(i)
}

// Detail is all that is known of the row with an index, the most important first.
func (r *Review) Detail(i int) []words.Piece {
	l, i := r.lists.at(i)
	if l == nil {
		return nil
	}
	return l.detail(i)
}

func (l actions) row(i int) Row {
	a := l.plan.Action(i)
	out := Row{No: a.No, Sign: a.Kind.Sign(), Kind: a.Kind, Out: l.IsOut(a.No), UPN: words.Local(a.UPN, l.plan.Domain()), Name: a.Name, What: l.what(a)}
	if a.Blocks || switches(a) {
		out.Sign = blockSign
	}
	if out.Out {
		out.Sign = "(" + out.Sign + ")"
	}
	return out
}

func (l skips) row(i int) Row {
	s := l.plan.Skip(i)
	out := Row{No: l.no(i), Sign: skipSign, UPN: words.Local(s.Ref.UPN, l.plan.Domain()), Name: s.Name, What: words.T("flow.what", "x", words.Short{Err: s.Why})}
	if s.Waits() {
		out.Sign = blockSign
		if since, due := dateIn(s.Why, "since"), dateIn(s.Why, "due"); !since.IsZero() && !due.IsZero() {
			out.What = words.T("preview.block.waiting", "since", words.Brief(since), "due", words.Brief(due))
		}
	}
	return out
}

// dateIn is a day among the facts of a problem, at noon, so that it is the same day in
// every time zone; zero if there is none.
func dateIn(p *problem.Problem, arg string) time.Time {
	at, err := time.Parse(time.DateOnly, p.Args[arg])
	if err != nil {
		return time.Time{}
	}
	return at.Add(12 * time.Hour)
}

// what is the text of a row besides its name.
func (l actions) what(a plan.Action) words.Text {
	if l.IsOut(a.No) {
		if l.said[a.No].Kind == plan.LeaveOutAlways {
			return words.T("preview.out_always")
		}
		return words.T("preview.out_once")
	}
	if e := a.Explanation; e != nil && a.Kind != plan.Delete && !e.Due.IsZero() {
		return words.T("explained.short_due", "due", words.Brief(e.Due))
	}
	switch {
	case !switches(a):
	case a.Blocks:
		return words.T("preview.block.now")
	default:
		return words.T("preview.block.came_back")
	}
	switch a.Kind {
	case plan.Delete:
		if a.Explanation != nil {
			if a.Evidence != nil && !a.Evidence.Licensed {
				return two(inHAC(a.Explanation), words.T("preview.no_licence"))
			}
			return inHAC(a.Explanation)
		}
		return lastUse(a.Evidence)
	case plan.Rename:
		return words.T("preview.was", "upn", words.Local(a.User.UPN, l.plan.Domain()))
	case plan.Restore:
		return words.T("preview.from_bin")
	case plan.Add:
		return words.T("preview.new")
	default:
		names := make(words.Texts, 0, len(a.Changes))
		for _, c := range a.Changes {
			names = append(names, words.Is(words.Label(c.Attribute)))
		}
		return words.Is(names)
	}
}

func two(a, b words.Text) words.Text { return words.T("preview.two", "a", a, "b", b) }

// inHAC is how long an account was in the source, in a few words.
func inHAC(e *plan.Explanation) words.Text {
	switch {
	case e.Claim == "":
		return words.T("explained.short_never")
	case !e.LastSeen.IsZero():
		return words.T("explained.short_last", "last", words.Brief(e.LastSeen))
	case e.Claim == plan.ClaimAnswered:
		return words.T("question.answer.different")
	}
	return words.T("preview.not_in_source")
}

// lastUse is the evidence against a deletion, short enough for a table: a licence is
// the usual case.
func lastUse(e *plan.Evidence) words.Text {
	switch {
	case e == nil:
		return words.T("preview.not_in_source")
	case !e.LastSignIn.IsZero():
		seen := words.T("preview.seen", "date", words.Brief(e.LastSignIn))
		if !e.Licensed {
			return two(words.T("preview.no_licence"), seen)
		}
		return seen
	case !e.Licensed:
		return words.T("preview.no_licence")
	case !e.Created.IsZero():
		return words.T("preview.made", "date", words.Day(e.Created))
	}
	return words.T("preview.licence")
}

func (l actions) detail(i int) []words.Piece {
	a := l.plan.Action(i)
	out := []words.Piece{words.Heading{Text: l.head(a)}, words.Para{Text: words.Raw(a.UPN)}}
	if a.Name != "" && a.Kind != plan.Update && a.Kind != plan.Rename {
		out = append(out, words.Para{Text: words.Raw(a.Name)})
	}
	if why := l.left[a.No]; why != "" {
		out = append(out, words.Facts{{Label: words.T("preview.why_out"), Value: words.Raw(why)}})
	}
	var list words.Changes
	for _, c := range a.Changes {
		old, now := values(c)
		list = append(list, words.ChangeLine{
			Attribute: c.Attribute, Old: old, New: now, Added: a.Kind == plan.Add,
			SignIn: a.SignIn && (c.Attribute == directory.UserPrincipalName || c.Attribute == directory.ImmutableID || c.Attribute == directory.AccountEnabled),
		})
	}
	if len(list) > 0 {
		out = append(out, list)
	}
	switch {
	case a.Kind == plan.Delete:
		out = append(out, l.evidence(a))
	case a.Explanation != nil:
		out = append(out, l.blocked(a))
	case switches(a) && !a.Blocks:
		out = append(out, words.Para{Text: words.T("preview.block.came_back_means")})
	default:
		out = append(out, words.Para{Text: means(a)})
		if a.Link.Username != "" {
			out = append(out, words.Facts{{Label: words.T("explained.linked"), Value: linkedTo(a.Link.Username, a.Link.Since)}})
		}
	}
	if len(a.Warnings) > 0 {
		out = append(out, Warnings(a.Warnings))
	}
	return out
}

// Warnings are warnings with their remedies.
func Warnings(list []*problem.Problem) words.Checks {
	var out words.Checks
	for _, w := range list {
		out = append(out, words.Check{
			Mark: words.Warn, Text: words.T("flow.what", "x", words.What{Err: w}),
			Detail: []words.Text{words.T("flow.what", "x", words.Remedy{Err: w})},
		})
	}
	return out
}

func (l actions) head(a plan.Action) words.Text {
	kind, sign := words.T("kind."+a.Kind.String()), a.Kind.Sign()
	switch {
	case switches(a):
		kind, sign = l.what(a), blockSign
		if l.IsOut(a.No) {
			kind = words.T("preview.tab.block")
		}
	case a.Blocks:
		sign = blockSign
	}
	if l.IsOut(a.No) {
		return words.T("preview.head_out", "sign", sign, "kind", kind, "no", a.No, "how", l.what(a))
	}
	return words.T("preview.head", "sign", sign, "kind", kind, "no", a.No)
}

// means is the effect of an action, other than a deletion, on the user.
func means(a plan.Action) words.Text {
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
		if a.Link.Username != "" {
			same = words.T("preview.same_by_link")
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

func enabled(e *plan.Evidence) words.Text {
	if e.Enabled {
		return words.T("evidence.enabled")
	}
	return words.T("evidence.blocked")
}

// evidence is what is for and against a deletion; what is unknown is left out, never
// guessed.
func (l actions) evidence(a plan.Action) words.Facts {
	why, wrong := words.T("preview.why_delete"), words.T("preview.wrong_delete")
	if no := l.plan.Undoes(); no > 0 {
		why, wrong = words.T("preview.why_undo_delete", "run", int(no)), words.T("preview.wrong_undo_delete")
	}
	facts := words.Facts{{Label: words.T("preview.why"), Value: why}}
	if a.Explanation != nil {
		facts = explanation(a.Explanation)
	}
	if e := a.Evidence; e != nil {
		facts = append(facts, words.Fact{Label: words.T("preview.has"), Value: words.Is(append(known(e), enabled(e)))})
		if !e.LastSignIn.IsZero() {
			label := words.T("preview.last_seen")
			if l.usedLately(a) {
				label = words.T("preview.last_seen_lately")
			}
			facts = append(facts, words.Fact{Label: label, Value: words.T("flow.is", "x", words.Moment(e.LastSignIn))})
		}
	}
	then := words.T("preview.then_delete")
	if at := l.plan.Source().Read; !at.IsZero() {
		then = words.T("preview.then_delete_until", "date", words.Brief(at.Add(binned)))
	}
	return append(facts, words.Fact{Label: words.T("preview.then"), Value: then}, words.Fact{Label: words.T("preview.wrong"), Value: wrong})
}

func linkedTo(username string, since time.Time) words.Text {
	return words.T("explained.linked_text", "username", username, "since", day(since))
}

// explanation is why an account may be deleted: the conditions in their order.
func explanation(e *plan.Explanation) words.Facts {
	facts := words.Facts{{Label: words.T("explained.linked"), Value: words.T("explained.linked_never")}}
	switch {
	case e.Username != "":
		facts[0].Value = linkedTo(e.Username, e.LinkedSince)
	case e.Claim == plan.ClaimAdded:
		facts[0].Value = words.T("explained.linked_added")
	case e.Claim == plan.ClaimVouched:
		facts[0].Value = words.T("explained.linked_vouched")
	}
	add := func(label string, value words.Text) {
		facts = append(facts, words.Fact{Label: words.T("explained." + label), Value: value})
	}
	if e.Question > 0 {
		add("answered", words.T("explained.answered_text", "no", e.Question, "by", e.By, "at", day(e.At)))
	}
	if !e.LastSeen.IsZero() {
		add("last", words.T("flow.is", "x", words.Moment(e.LastSeen)))
	}
	reads := max(1, e.Absent.Reads)
	add("absent", words.T("explained.absent_text", "reads", reads, "first", day(e.Absent.First)))
	if e.Of > 0 && e.Due.IsZero() {
		add("absent", words.T("explained.blocked_text", "days", e.Counted, "of", e.Of))
	}
	if e.Question == 0 {
		add("nobody", words.T("explained.nobody_text", "rows", e.OpenRows))
	}
	if e.Claim == "" {
		add("allowed", words.T("explained.allowed_text"))
	}
	if len(e.Weak) > 0 {
		add("weak", words.T("preview.weak", "signs", signWords(e.Weak)))
	}
	return facts
}

// blocked is the effect of a block that comes before a deletion.
func (l actions) blocked(a plan.Action) words.Facts {
	e := a.Explanation
	facts := explanation(e)
	if !e.Due.IsZero() {
		facts = append(facts, words.Fact{Label: words.T("explained.due"), Value: words.T("explained.due_text", "due", words.Brief(e.Due), "days", e.Counted, "of", e.Of)})
	}
	for _, id := range [...]string{"blocked", "signed_in", "back", "wrong_block"} {
		facts = append(facts, words.Fact{Label: words.T("preview.block." + id), Value: words.T("preview.block." + id + "_text")})
	}
	return facts
}

func (l skips) detail(i int) []words.Piece {
	s := l.plan.Skip(i)
	out := []words.Piece{words.Heading{Text: words.T("preview.head_skip", "no", l.no(i))}}
	if s.Waits() {
		out[0] = words.Heading{Text: words.T("preview.block.head", "what", l.row(i).What, "no", l.no(i))}
	}
	for _, x := range []string{s.Ref.UPN, s.Name} {
		if x != "" {
			out = append(out, words.Para{Text: words.Raw(x)})
		}
	}
	return append(out, append(words.Facts{{Label: words.T("preview.group"), Value: GroupWord(s.Group)}}, Why(s.Why)...))
}

// Why is the reason why rows are skipped, its remedy and its code.
func Why(p *problem.Problem) words.Facts {
	return words.Facts{
		{Label: words.T("preview.why"), Value: words.T("flow.what", "x", words.What{Err: p})},
		{Label: words.T("word.remedy"), Value: words.T("flow.what", "x", words.Remedy{Err: p})},
		{Label: words.T("preview.code"), Value: words.Raw(string(p.Code))},
	}
}

// GroupWord is the name of a group of skips.
func GroupWord(g problem.Group) words.Text {
	word := map[problem.Group]string{problem.LeftAlone: "left-alone", problem.NotWritable: "not-writable", problem.NotHere: "not-here", problem.LeftOut: "left-out"}[g]
	return words.T("group." + word)
}

// mailbox is the word of a mailbox's kind, empty if it was not read.
func mailbox(m directory.Marks) string {
	for _, k := range []struct {
		mark directory.Marks
		word string
	}{
		{directory.PurposeUser, "user"},
		{directory.PurposeShared, "shared"},
		{directory.PurposeRoom, "room"},
		{directory.PurposeEquipment, "equipment"},
		{directory.PurposeOther, "special"},
		{directory.PurposeNone, "none"},
		{directory.PurposeUnknown, "unknown"},
	} {
		if m.Has(k.mark) {
			return k.word
		}
	}
	return ""
}

// values are the values of a change as marked shows them, or the word for none.
func values(c plan.Change) (old, now words.Text) {
	value := func(v directory.Value, shown string) words.Text {
		if !v.Set {
			return words.T("value.absent")
		}
		if c.Attribute == directory.AccountEnabled {
			return words.T("value." + v.Text)
		}
		return words.Raw(shown)
	}
	was, is := marked(c)
	return value(c.Old, was), value(c.New, is)
}

// marked shows both values with their differences in brackets, and characters that are
// invisible or look alike by their number. Values that have nothing in common, and a
// new value, are shown as they are.
func marked(c plan.Change) (old, now string) {
	old, now = message.RevealChange(c.Old.Text, c.New.Text)
	if !c.Old.Set || !c.New.Set {
		return old, now
	}
	return bracketed(old, now)
}

// bracketed puts what differs of two texts in brackets.
func bracketed(old, now string) (string, string) {
	a, b := []rune(old), []rune(now)
	from := 0
	for from < len(a) && from < len(b) && a[from] == b[from] {
		from++
	}
	to := 0
	for to < len(a)-from && to < len(b)-from && a[len(a)-1-to] == b[len(b)-1-to] {
		to++
	}
	// A cut inside of <U+3000> would be unreadable.
	from, to = outside(a, b, from, to)
	if from == 0 && to == 0 {
		return old, now
	}
	bracket := func(r []rune) string {
		return string(r[:from]) + "[" + string(r[from:len(r)-to]) + "]" + string(r[len(r)-to:])
	}
	return bracket(a), bracket(b)
}

// outside moves the ends of a difference out of a character written by number.
func outside(a, b []rune, from, to int) (int, int) {
	if i := strings.LastIndex(string(a[:from]), "<U+"); i >= 0 && !strings.Contains(string(a[:from])[i:], ">") {
		from = len([]rune(string(a[:from])[:i]))
	}
	tail := string(a[len(a)-to:])
	if i := strings.Index(tail, ">"); i >= 0 && !strings.Contains(tail[:i], "<") {
		to = len([]rune(tail[i+1:]))
	}
	return from, min(to, len(b)-from)
}
