package plan

import (
	"errors"
	"fmt"

	"github.com/hacsync/hacsync/sync/directory"
)

// consistent checks what a plan that was built always holds: a file is only
// data, and its fingerprint anybody can compute.
func (p *Plan) consistent() error {
	var c Counts
	watched, last := 0, 0
	var kind Kind
	for i := range p.book.len() {
		a := p.book.core(i)
		if a.No <= last || a.Kind < kind {
			return fmt.Errorf("row %d out of order", a.No)
		}
		last, kind = a.No, a.Kind
		if err := p.sound(&a); err != nil {
			return fmt.Errorf("row %d: %w", a.No, err)
		}
		switch a.Kind {
		case Delete:
			c.Delete++
		case Rename:
			c.Rename++
			if !directory.InDomain(a.User.UPN, p.domain) {
				c.MovedIn++
			}
		case Restore:
			c.Restore++
		case Add:
			c.Add++
		case Update:
			c.Update++
		}
		if a.SignIn {
			c.SignIn++
		}
		if a.Blocks {
			c.Blocks++
		}
		if a.watched() {
			watched++
		}
	}
	group := Group(0)
	for i := range p.book.skips() {
		s := p.book.skip(i)
		if s.Group < group {
			return fmt.Errorf("skip %d out of order", s.No)
		}
		group = s.Group
		c.Skipped++
		if s.Group == LeftOut {
			c.LeftOut++
		}
	}
	h := p.counts
	c.SourceUsers, c.DestinationUsers, c.Touchable = h.SourceUsers, h.DestinationUsers, h.Touchable
	c.Unchanged, c.SourceHeld, c.DestinationHeld = h.Unchanged, h.SourceHeld, h.DestinationHeld
	if c != h || watched != p.guard.watched ||
		c.Touchable != c.Unchanged+c.Update+c.Rename-c.MovedIn+c.Delete+c.DestinationHeld ||
		p.undo == 0 && c.SourceUsers != c.Unchanged+c.Add+c.Update+c.Rename+c.Restore+c.SourceHeld ||
		p.undo != 0 && (c.Add > 0 || c.SourceUsers > 0 || c.SourceHeld > 0) {
		return errors.New("the sums are not those of the rows")
	}
	return p.soundChains()
}

// sound checks one action.
func (p *Plan) sound(a *Action) error {
	upn, changesUPN := a.change(directory.UserPrincipalName)
	switch {
	case a.Kind == Add && (a.User != directory.Ref{} || !changesUPN || upn.New.Text != a.UPN),
		a.Kind != Add && a.User.ID == "",
		a.Kind == Rename && (!changesUPN || upn.New.Text != a.UPN),
		a.Kind == Delete && (len(a.Changes) > 0 || a.Evidence == nil),
		a.Kind == Update && (changesUPN || len(a.Changes) == 0),
		a.Kind == Restore && a.how.newUPN != changesUPN:
		return errors.New("changes that do not fit its kind")
	case p.undo == 0 && len(a.how.made) > 0,
		p.undo != 0 && (a.Kind == Delete) != (len(a.how.made) > 0):
		return errors.New("values that do not fit its kind")
	// Stored plans of before BlockedByUs say nothing of who blocked a sign-in.
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

// soundChains checks that what a row waits for is there, releases a UPN, and does
// not wait for the row itself.
func (p *Plan) soundChains() error {
	next := map[int]int{}
	for no := range p.book.ties() {
		i, _ := p.find(no)
		a := p.book.core(i)
		if len(a.After) > 1 || len(a.how.last) > 1 ||
			len(a.how.last) > 0 != (a.how.temporary != "") ||
			a.how.with > 0 && a.Kind != Delete ||
			a.how.temporary != "" && (a.Kind != Rename || !directory.InDomain(a.how.temporary, p.domain)) {
			return fmt.Errorf("row %d waits as none does", no)
		}
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
			case b.Kind == Delete:
				ok = b.how.with == no
			default:
				ok = b.Kind == Rename
			}
			if !ok {
				return fmt.Errorf("row %d waits for row %d, which releases nothing", no, on)
			}
		}
		if len(a.After) > 0 {
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
