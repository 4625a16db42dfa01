package plan

import (
	"errors"
	"fmt"
	"slices"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/problem"
)

// consistent checks what every plan that was built satisfies: a file is only data, and
// anyone can compute its fingerprint.
func (p *Plan) consistent() error {
	var c Counts
	g, last := guard{origins: unmoved(p.guard.origins)}, 0
	var kind Kind
	for i := range p.book.len() {
		a := p.book.core(i)
		if at, ok := p.find(a.No); a.No <= 0 || a.Kind < kind || !ok || at != i || p.QuestionLen() == 0 && a.No <= last {
			return fmt.Errorf("row %d out of order", a.No)
		}
		last, kind = a.No, a.Kind
		if err := p.sound(&a); err != nil {
			return fmt.Errorf("row %d: %w", a.No, err)
		}
		g.take(&c, &a, p.domain, 1)
	}
	if err := p.soundQuestions(); err != nil {
		return err
	}
	group := problem.Group(0)
	for i := range p.book.skips() {
		s := p.book.skip(i)
		if s.Group < group {
			return fmt.Errorf("skip %d out of order", s.No)
		}
		group = s.Group
		c.left(s.Why.Code)
	}
	h := p.counts
	c.SourceUsers, c.DestinationUsers, c.Touchable = h.SourceUsers, h.DestinationUsers, h.Touchable
	c.Unchanged, c.SourceHeld, c.DestinationHeld = h.Unchanged, h.SourceHeld, h.DestinationHeld
	c.Known, c.Usable, c.Asked, c.Questions, c.OpenQuestions = h.Known, h.Usable, h.Asked, p.QuestionLen(), h.OpenQuestions
	if c != h || g.watched != p.guard.watched || g.known != p.guard.known || g.paid != p.guard.paid ||
		!slices.Equal(g.origins, p.guard.origins) ||
		c.Touchable != c.Unchanged+c.Update+c.Rename-c.MovedIn+c.Delete+c.DestinationHeld ||
		p.undo == 0 && c.SourceUsers != c.Unchanged+c.Add+c.Update-c.Missing+c.Rename+c.Restore+c.SourceHeld+c.Asked ||
		p.undo != 0 && (c.Add > 0 || c.SourceUsers > 0 || c.SourceHeld > 0) {
		return errors.New("the sums are not those of the rows")
	}
	return p.soundChains()
}

// soundQuestions checks what each answer would do: to its account, or to its row.
func (p *Plan) soundQuestions() error {
	for _, no := range p.optionNumbers() {
		a, _ := p.book.option(no)
		if err := p.sound(&a); err != nil {
			return fmt.Errorf("row %d: %w", no, err)
		}
		if _, twice := p.find(no); twice {
			return fmt.Errorf("row %d twice", no)
		}
	}
	waits := map[string]bool{}
	for i, q := range p.book.asked() {
		ok := q.No == i+1 && q.Account.ID != ""
		fits := func(no int, kinds ...Kind) bool {
			a, found := p.book.option(no)
			return no == 0 || p.final || found && slices.Contains(kinds, a.Kind) && (a.User.ID == q.Account.ID) == (kinds[0] != Add)
		}
		ok = ok && fits(q.Delete, Delete, Update)
		for k := range q.Rows {
			c := &q.Rows[k]
			ok = ok && fits(c.Same, Rename, Update) && fits(c.Add, Add, Restore, Update)
			if c.waits {
				waits[c.RowKey()] = true
			}
		}
		if !ok {
			return fmt.Errorf("question %d is about something else", q.No)
		}
	}
	if !p.final && len(waits) != p.counts.Asked {
		return errors.New("the rows in question are not those of the sums")
	}
	return nil
}

// unmoved are the domains that accounts leave, with no move counted.
func unmoved(all []origin) []origin {
	all = slices.Clone(all)
	for i := range all {
		all[i].Moves = 0
	}
	return all
}

// sound checks one action.
func (p *Plan) sound(a *Action) error {
	upn, changesUPN := a.change(directory.UserPrincipalName)
	switch {
	case a.Kind == Add && (a.User != directory.Ref{} || !changesUPN || upn.New.Text != a.UPN),
		a.Kind != Add && a.User.ID == "",
		a.Kind == Rename && (!changesUPN || upn.New.Text != a.UPN),
		a.Kind == Delete && (len(a.Changes) > 0 || a.Evidence == nil),
		a.how.missing && (a.Kind != Update || !a.Blocks || len(a.Changes) != 1), a.how.paid && a.Kind != Delete,
		a.Kind == Update && (changesUPN || len(a.Changes) == 0),
		a.Kind == Restore && a.how.newUPN != changesUPN:
		return errors.New("changes that do not fit its kind")
	case p.undo == 0 && len(a.how.made) > 0,
		p.undo != 0 && (a.Kind == Delete) != (len(a.how.made) > 0):
		return errors.New("values that do not fit its kind")
	case a.Kind != Delete && len(a.After) > 1, len(a.how.last) > 1:
		return errors.New("it waits for more than one row")
	case a.how.with < 0, a.how.with > 0 && a.Kind != Delete:
		return errors.New("only a deletion is paired with an addition")
	case len(a.how.last) > 0 != (a.how.temporary != ""):
		return errors.New("a last step goes with a temporary UPN")
	case a.how.temporary != "" && (a.Kind != Rename || !directory.InDomain(a.how.temporary, p.domain)):
		return errors.New("only a rename has a temporary UPN, in the domain")
	// Plans stored before BlockedByUs existed do not say who blocked a sign-in.
	case a.Kind != Add && protectedBy(a.Marks|directory.BlockedByUs, !a.Marks.Has(directory.Licensed)) != "":
		return errors.New("a protected account")
	case a.Kind == Rename && p.undo != 0 && directory.InDomain(a.User.UPN, p.domain):
		return nil // it goes back to where it came from
	case a.Kind != Update && !directory.InDomain(a.UPN, p.domain),
		a.Kind == Update && !directory.InDomain(a.User.UPN, p.domain):
		return errors.New("another domain")
	}
	return nil
}

// soundChains checks that each row that another waits for exists, releases a UPN, and
// does not wait for itself.
func (p *Plan) soundChains() error {
	next := map[int]int{}
	for no := range p.book.ties() {
		i, _ := p.find(no)
		a := p.book.core(i)
		for _, on := range a.waits() {
			j, ok := p.find(on)
			if !ok || on == no {
				return fmt.Errorf("row %d waits for row %d, which is not there", no, on)
			}
			b := p.book.core(j)
			switch {
			case on == a.how.with:
				ok = (b.Kind == Add || p.undo != 0 && (b.Kind == Restore || b.Kind == Rename)) &&
					len(b.After) == 1 && b.After[0] == no
			case a.Kind == Delete: // it waits until the rows that are not its person are added
				ok = (b.Kind == Add || b.Kind == Restore) && slices.Contains(a.After, on)
			case b.Kind == Delete:
				ok = b.how.with == no
			default:
				ok = b.Kind == Rename
			}
			if !ok {
				return fmt.Errorf("row %d waits for row %d, which releases nothing", no, on)
			}
		}
		if len(a.After) > 0 && a.Kind != Delete {
			next[no] = a.After[0]
		}
	}
	seen := map[int]int{}
	for no := range next {
		at, waits := no, true
		for waits && seen[at] == 0 {
			seen[at] = no
			at, waits = next[at], next[at] != 0 // 0 where it waits for none
		}
		if waits && seen[at] == no {
			return fmt.Errorf("row %d waits for itself", no)
		}
	}
	return nil
}
