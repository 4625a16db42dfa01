package flow

import (
	"slices"
	"strings"
	"time"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/message"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/tui/words"
)

// Tab is a part of the preview.
type Tab string

// The tabs, in their order.
const (
	TabAll     Tab = "all"
	TabDelete  Tab = "delete"
	TabRename  Tab = "rename"
	TabRestore Tab = "restore"
	TabAdd     Tab = "add"
	TabUpdate  Tab = "update"
	TabSkip    Tab = "skip"
	TabSummary Tab = "summary"
)

func tabs() []Tab {
	return []Tab{TabAll, TabDelete, TabRename, TabRestore, TabAdd, TabUpdate, TabSkip, TabSummary}
}

// Filter is what of a tab is shown.
type Filter string

// The filters: each is a word of the line that says what deserves a look.
const (
	NoFilter Filter = ""
	SignIns  Filter = "sign-in"
	Warned   Filter = "warned"
	Same     Filter = "same"
	Pairs    Filter = "pairs"
	Cleared  Filter = "cleared"
	OutOnly  Filter = "left-out"
)

func filters() []Filter { return []Filter{SignIns, Warned, Same, Pairs, Cleared, OutOnly} }

// reviewed is a plan under the reviewer's hands, with what is shown of it.
type reviewed struct {
	plan   *plan.Plan
	review *plan.Review
	raised bool

	tab    Tab
	filter Filter
	query  string
	top    int // index of the first row shown

	// steps are what was left out, step by step, to be taken back.
	steps   [][]int
	nos     []int32     // row numbers of the actions, in order
	skipNo  map[int]int // index of a skip by row number
	highest int
	lasting map[int]plan.Decision // by row number
	left    map[int]string        // rows left out and why
	shown   []int                 // numbers that pass tab, filter and search; nil: to be found
	final   *plan.Plan            // what remains; nil: to be made
	notable map[Filter]int        // how many rows each filter has
	reading *Reading              // what a screen reads of it

	// sums and judged are those of what remains; nil: to be found. version counts
	// what changed.
	sums    *plan.Counts
	judged  *plan.Verdict
	version int
}

func newReviewed(p *plan.Plan) *reviewed {
	r := &reviewed{plan: p, review: p.Review(), tab: TabAll, lasting: map[int]plan.Decision{}, left: map[int]string{}, notable: map[Filter]int{}}
	r.nos, r.skipNo = make([]int32, 0, p.Len()), make(map[int]int, p.SkipLen())
	r.reading = newReading(r)
	for a := range p.Actions() {
		r.nos = append(r.nos, int32(a.No)) //nolint:gosec // a row number
		r.highest = max(r.highest, a.No)
		r.reading.action(a)
	}
	i := 0
	for s := range p.Skips() {
		r.skipNo[s.No] = i
		i++
		r.highest = max(r.highest, s.No)
		r.reading.skip(s)
	}
	return r
}

// approved is the plan of what remains.
func (r *reviewed) approved() *plan.Plan {
	if r.final == nil {
		r.final = r.plan
		if len(r.left) > 0 || r.raised {
			r.final = r.review.Approve()
		}
	}
	return r.final
}

func (r *reviewed) code() string { return r.approved().Fingerprint().Code() }

// verdict is the guard's on what remains.
func (r *reviewed) verdict() plan.Verdict {
	if r.judged == nil {
		v := r.review.Verdict()
		r.judged = &v
	}
	return *r.judged
}

func (r *reviewed) counts() plan.Counts {
	if r.sums == nil {
		c := r.review.Counts()
		r.sums = &c
	}
	return *r.sums
}

func (r *reviewed) action(no int) (plan.Action, bool) {
	i, ok := slices.BinarySearch(r.nos, int32(no)) //nolint:gosec // a row number
	if !ok {
		return plan.Action{}, false
	}
	return r.plan.Action(i), true
}

func (r *reviewed) skip(no int) (plan.Skipped, bool) {
	i, ok := r.skipNo[no]
	if !ok {
		return plan.Skipped{}, false
	}
	return r.plan.Skip(i), true
}

// last is the highest row number.
func (r *reviewed) last() int { return r.highest }

// key names what a row does to whom, whatever its number.
func key(a plan.Action) string {
	return a.Kind.String() + " " + string(a.User.ID) + " " + directory.FoldUPN(a.UPN)
}

// inherit leaves out again what was left out of an earlier plan of the domain;
// it returns how many rows that are. Back keeps every input.
func (r *reviewed) inherit(old *reviewed) int {
	if old == nil || len(old.left) == 0 || !strings.EqualFold(old.plan.Domain(), r.plan.Domain()) {
		return 0
	}
	was := map[string]int{}
	for no := range old.left {
		if a, ok := old.action(no); ok {
			was[key(a)] = no
		}
	}
	n := 0
	for a := range r.plan.Actions() {
		no, ok := was[key(a)]
		if !ok || r.review.IsOut(a.No) {
			continue
		}
		d, always := old.lasting[no]
		n += len(r.leaveOut([]int{a.No}, always, d.By, old.left[no], d.At))
	}
	return n
}

func (r *reviewed) show(tab Tab, f Filter, query string) {
	r.tab, r.filter, r.query, r.top, r.shown = tab, f, query, 0, nil
}

// rows are the numbers of the rows that tab, filter and search let through.
func (r *reviewed) rows() []int {
	if r.shown != nil {
		return r.shown
	}
	find := newSearcher(r.query)
	r.shown = make([]int, 0, len(r.nos))
	if r.tab == TabAll && r.filter == NoFilter && find.empty() {
		for _, no := range r.nos {
			r.shown = append(r.shown, int(no))
		}
		return r.shown
	}
	if r.tab != TabSkip {
		for a := range r.plan.Actions() {
			if r.tab != TabAll && r.tab != TabSummary && string(r.tab) != a.Kind.String() {
				continue
			}
			if r.passes(r.filter, a) && (find.empty() || find.matches(searched(a)...)) {
				r.shown = append(r.shown, a.No)
			}
		}
	}
	if r.tab == TabSkip || r.tab == TabAll && !find.empty() && r.filter == NoFilter {
		for s := range r.plan.Skips() {
			if find.empty() || find.matches(s.Ref.UPN, s.Name) {
				r.shown = append(r.shown, s.No)
			}
		}
	}
	return r.shown
}

// searched are the texts of an action that a search looks at.
func searched(a plan.Action) []string {
	texts := make([]string, 0, 3+2*len(a.Changes))
	add := func(t string) {
		if t != "" && !slices.Contains(texts, t) {
			texts = append(texts, t)
		}
	}
	add(a.UPN)
	add(a.User.UPN)
	add(a.Name)
	for _, c := range a.Changes {
		add(c.Old.Text)
		add(c.New.Text)
	}
	return texts
}

func (r *reviewed) passes(f Filter, a plan.Action) bool {
	switch f {
	case SignIns:
		return a.SignIn
	case Warned:
		return len(a.Warnings) > 0
	case Pairs:
		return a.Pair > 0
	case OutOnly:
		return r.review.IsOut(a.No)
	case Same:
		return slices.ContainsFunc(a.Changes, looksSame)
	case Cleared:
		return slices.ContainsFunc(a.Changes, plan.Change.Clears)
	}
	return true
}

func looksSame(c plan.Change) bool {
	return c.Old.Set && c.New.Set && message.LookSame(c.Old.Text, c.New.Text)
}

// leaveOut takes rows out; it returns all that changed, with what depends on
// them.
func (r *reviewed) leaveOut(nos []int, always bool, by, why string, at time.Time) []int {
	var changed []int
	for _, no := range nos {
		if r.review.IsOut(no) {
			continue
		}
		for _, n := range r.review.LeaveOut(no) {
			changed = append(changed, n)
			r.left[n] = why
		}
		a, ok := r.action(no)
		if always && ok && a.Kind == plan.Delete {
			r.lasting[no] = plan.Decision{Kind: plan.LeaveOutAlways, ID: a.User.ID, UPN: a.User.UPN, By: by, Why: why, At: at}
		}
	}
	if len(changed) > 0 {
		r.steps = append(r.steps, changed)
	}
	r.changed()
	return changed
}

// takeIn puts rows back; it returns all that changed.
func (r *reviewed) takeIn(nos []int) []int {
	var changed []int
	for _, no := range nos {
		if r.review.IsOut(no) {
			changed = append(changed, r.review.TakeIn(no)...)
		}
	}
	for _, n := range changed {
		delete(r.left, n)
		delete(r.lasting, n)
	}
	r.changed()
	return changed
}

// takeBack undoes the last step of leaving out.
func (r *reviewed) takeBack() []int {
	if len(r.steps) == 0 {
		return nil
	}
	last := r.steps[len(r.steps)-1]
	r.steps = r.steps[:len(r.steps)-1]
	return r.takeIn(last)
}

// raise lets what remains pass the guard once; it is bound to exactly that.
func (r *reviewed) raise() {
	r.review.RaiseOnce()
	r.raised = true
	r.stale()
}

// stale forgets what was found of the rows that remain.
func (r *reviewed) stale() {
	r.final, r.sums, r.judged = nil, nil, nil
	r.version++
}

func (r *reviewed) changed() {
	r.stale()
	// A raise holds for one plan: whatever changes it takes it back.
	if r.raised {
		fresh := r.plan.Review()
		for _, no := range r.leftOut() {
			fresh.LeaveOut(no)
		}
		r.review, r.raised = fresh, false
	}
	if r.filter == OutOnly {
		r.shown = nil
	}
}

// leftOut are the rows left out, in order.
func (r *reviewed) leftOut() []int {
	var out []int
	for n := range r.left {
		out = append(out, n)
	}
	slices.Sort(out)
	return out
}

// decisions are those to be kept with the approval.
func (r *reviewed) decisions() []plan.Decision {
	var out []plan.Decision
	for _, n := range r.leftOut() {
		if d, ok := r.lasting[n]; ok {
			out = append(out, d)
		}
	}
	return out
}

// What is what a row of the table says beside its name.
func (r *reviewed) what(a plan.Action) words.Text {
	if r.review.IsOut(a.No) {
		if _, ok := r.lasting[a.No]; ok {
			return words.T("flow.preview.out_always")
		}
		return words.T("flow.preview.out_once")
	}
	var t words.Text
	switch a.Kind {
	case plan.Delete:
		t = evidence(a.Evidence)
	case plan.Rename:
		local, _ := directory.SplitUPN(a.User.UPN)
		t = words.T("flow.preview.was", "upn", local)
	case plan.Restore:
		t = words.T("flow.preview.from_bin")
	case plan.Add:
		t = words.T("flow.preview.new")
	default:
		names := make(words.Names, 0, len(a.Changes))
		for _, c := range a.Changes {
			names = append(names, string(c.Attribute))
		}
		t = words.Is(names)
	}
	if a.Pair > 0 {
		t = words.T("flow.preview.and_pair", "what", t, "no", a.Pair)
	}
	return t
}

func evidence(e *plan.Evidence) words.Text {
	if e == nil {
		return words.T("flow.preview.not_in_source")
	}
	licence := words.T("evidence.unlicensed")
	if e.Licensed {
		licence = words.T("evidence.licensed")
	}
	if !e.LastSignIn.IsZero() {
		return words.T("flow.preview.two", "a", licence, "b", words.T("evidence.seen", "date", words.Day(e.LastSignIn)))
	}
	if !e.Created.IsZero() {
		return words.T("flow.preview.two", "a", licence, "b", words.T("evidence.made", "date", words.Day(e.Created)))
	}
	return licence
}

// sign is the sign of a row, in parentheses when it is left out.
func (r *reviewed) sign(a plan.Action) words.Text {
	s := a.Kind.Sign()
	if r.review.IsOut(a.No) {
		s = "(" + s + ")"
	}
	return words.Raw(s)
}

// detail is all that is known of a row.
func (r *reviewed) detail(no int) []words.Piece {
	if s, ok := r.skip(no); ok {
		return []words.Piece{
			words.Heading{Text: words.T("flow.preview.skip_head", "no", no)},
			words.Facts{
				{Label: words.T("flow.preview.upn"), Value: words.Raw(s.Ref.UPN)},
				{Label: words.T("flow.preview.name"), Value: words.Raw(s.Name)},
				{Label: words.T("flow.preview.group"), Value: words.T("group." + groupWord(s.Group))},
			},
			words.Trouble{Err: s.Why},
		}
	}
	a, ok := r.action(no)
	if !ok {
		return nil
	}
	head := words.T("flow.preview.row_head", "sign", a.Kind.Sign(), "kind", words.T("kind."+a.Kind.String()), "no", no)
	if r.review.IsOut(no) {
		head = words.T("flow.preview.row_head_out", "sign", a.Kind.Sign(), "kind", words.T("kind."+a.Kind.String()), "no", no, "how", r.what(a))
	}
	facts := words.Facts{{Label: words.T("flow.preview.upn"), Value: words.Raw(a.UPN)}, {Label: words.T("flow.preview.name"), Value: words.Raw(a.Name)}}
	if why := r.left[no]; why != "" {
		facts = append(facts, words.Fact{Label: words.T("flow.preview.why_out"), Value: words.Raw(why)})
	}
	blocks := []words.Piece{words.Heading{Text: head}, facts}
	if len(a.Changes) > 0 {
		t := words.Table{Head: []words.Text{words.T("flow.preview.attribute"), words.T("flow.preview.old_new")}, Wrap: true}
		for _, c := range a.Changes {
			old, now := marked(c)
			t.Rows = append(t.Rows, []words.Text{words.Raw(string(c.Attribute)), words.T("flow.preview.change", "old", value(c.Old, old), "new", value(c.New, now))})
		}
		blocks = append(blocks, t)
	}
	if e := a.Evidence; e != nil {
		state := words.T("evidence.blocked")
		if e.Enabled {
			state = words.T("evidence.enabled")
		}
		ev := words.Facts{{Label: words.T("flow.preview.is"), Value: words.T("flow.preview.two", "a", evidence(e), "b", state)}}
		if k := mailbox(e.Purpose); k != "" {
			ev = append(ev, words.Fact{Label: words.T("flow.preview.mailbox"), Value: words.T("mailbox." + k)})
		}
		blocks = append(blocks, ev)
	}
	blocks = append(blocks, words.Para{Text: words.T("flow.preview.means_" + a.Kind.String())})
	if a.SignIn {
		blocks = append(blocks, words.Checks{{Mark: words.Warn, Text: words.T("flag.sign-in")}})
	}
	if a.Pair > 0 {
		if b, ok := r.action(a.Pair); ok {
			blocks = append(blocks, words.Checks{{Mark: words.Warn, Text: words.T("flow.preview.pair", "no", a.Pair, "sign", b.Kind.Sign(), "upn", b.UPN, "name", b.Name), Detail: []words.Text{words.T("flow.preview.pair_remedy")}}})
		}
	}
	for _, w := range a.Warnings {
		blocks = append(blocks, words.Checks{{Mark: words.Warn, Text: words.T("flow.what", "x", words.What{Err: w}), Detail: []words.Text{words.T("flow.what", "x", words.Remedy{Err: w})}}})
	}
	return blocks
}

func groupWord(g plan.Group) string {
	return map[plan.Group]string{plan.LeftAlone: "left-alone", plan.NotWritable: "not-writable", plan.NotHere: "not-here", plan.LeftOut: "left-out"}[g]
}

// mailbox is the word of a mailbox's kind, empty where it was not read.
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

// value is a value of an attribute, or the word for none.
func value(v directory.Value, shown string) words.Text {
	if !v.Set {
		return words.T("value.absent")
	}
	return words.Raw(shown)
}

// marked shows both values with what differs in brackets, and what cannot be
// seen or told apart by its number. Values that have nothing in common, and one
// that is new, stay as they are.
func marked(c plan.Change) (old, now string) {
	old, now = message.RevealChange(c.Old.Text, c.New.Text)
	if !c.Old.Set || !c.New.Set {
		return old, now
	}
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

// attributeSum is one line of the summary.
type attributeSum struct {
	name                              directory.Attribute
	rows, set, changed, cleared, like int
	example                           plan.Change
}

// summary counts changes by attribute, most first.
func (r *reviewed) summary() []attributeSum {
	byName := map[directory.Attribute]*attributeSum{}
	for a := range r.plan.Actions() {
		if a.Kind == plan.Add || r.review.IsOut(a.No) {
			continue
		}
		for _, c := range a.Changes {
			s := byName[c.Attribute]
			if s == nil {
				s = &attributeSum{name: c.Attribute, example: c}
				byName[c.Attribute] = s
			}
			s.rows++
			switch {
			case c.Clears():
				s.cleared++
			case !c.Old.Set:
				s.set++
			default:
				s.changed++
			}
			if looksSame(c) {
				s.like++
			}
		}
	}
	out := make([]attributeSum, 0, len(byName))
	for _, s := range byName {
		out = append(out, *s)
	}
	slices.SortFunc(out, func(a, b attributeSum) int {
		if a.rows != b.rows {
			return b.rows - a.rows
		}
		return strings.Compare(string(a.name), string(b.name))
	})
	return out
}

// reason is a group of skips with one code.
type reason struct {
	group plan.Group
	first plan.Skipped
	names words.Names
}

// reasons groups the skips; they come by group, code and UPN.
func (r *reviewed) reasons() []reason {
	var out []reason
	for s := range r.plan.Skips() {
		n := len(out) - 1
		if n < 0 || out[n].group != s.Group || out[n].first.Why.Code != s.Why.Code {
			out = append(out, reason{group: s.Group, first: s})
			n++
		}
		local, _ := directory.SplitUPN(s.Ref.UPN)
		out[n].names = append(out[n].names, firstOf(local, s.Name, "-"))
	}
	return out
}
