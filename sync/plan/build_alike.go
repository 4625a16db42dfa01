package plan

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/names"
)

// called has the names of a person on one side, or when a link was learnt.
type called struct{ given, family, display string }

func calledBy(u directory.User) called {
	var c called
	c.given, _ = u.Get(directory.GivenName)
	c.family, _ = u.Get(directory.Surname)
	c.display, _ = u.Get(directory.DisplayName)
	return c
}

func calledIn(r *directory.Record) called {
	var c called
	c.given, _ = r.Get(directory.GivenName)
	c.family, _ = r.Get(directory.Surname)
	c.display, _ = r.Get(directory.DisplayName)
	return c
}

func (l *Link) called() called { return called{l.Given, l.Family, l.Display} }

// likeness is whether two names may be of one person.
type likeness uint8

const (
	incomparable likeness = iota // one is empty, or they are in different scripts
	unlike
	alike
)

// like compares two names. They are alike if the given name agrees, or the whole name:
// folded, in any order, or one has every part of the other. A family name alone does
// not count.
func (c called) like(d called) likeness {
	if c.given != "" && c.given == d.given || c.display != "" && c.display == d.display {
		return alike
	}
	if g := names.Fold(c.given); g != "" && g == names.Fold(d.given) {
		return alike
	}
	if meet(c.whole(), d.whole()) || c.holds(d) || d.holds(c) {
		return alike
	}
	if sharesScript(c.given, d.given) || sharesScript(c.full(), d.full()) {
		return unlike
	}
	return incomparable
}

// surely reports whether the given name and the family or the whole name agree: enough
// if a Username may have been given to another person.
func (c called) surely(d called) bool {
	g, f := names.Fold(c.given), names.Fold(c.family)
	return g != "" && g == names.Fold(d.given) &&
		(f != "" && f == names.Fold(d.family) || meet(c.whole(), d.whole()))
}

// whole are the folded forms of the whole name: as displayed, and of the parts in
// both orders.
func (c called) whole() []string {
	keys := make([]string, 0, 3)
	add := func(s string) {
		if k := names.Fold(s); k != "" && !slices.Contains(keys, k) {
			keys = append(keys, k)
		}
	}
	add(c.display)
	if c.family != "" && c.given != "" {
		add(c.family + c.given)
		add(c.given + c.family)
	}
	return keys
}

// full is the name for a check of its letters.
func (c called) full() string {
	if c.display != "" {
		return c.display
	}
	return c.family + c.given
}

// parts are the folded words of the whole name.
func (c called) parts() []string {
	var parts []string
	for _, s := range [...]string{c.display, c.family, c.given} {
		for word := range strings.FieldsSeq(s) { // an ideographic space parts too
			if k := names.Fold(word); k != "" && !slices.Contains(parts, k) {
				parts = append(parts, k)
			}
		}
	}
	return parts
}

// holds reports whether c has every part of d, which are at least two: one alone
// may be a family name.
func (c called) holds(d called) bool {
	parts := d.parts()
	if len(parts) < 2 {
		return false
	}
	all := c.parts()
	for _, p := range parts {
		if !slices.Contains(all, p) {
			return false
		}
	}
	return true
}

// ownParts are the parts that are a name each: a letter that a stray space cuts off is
// found in the names of many people.
func (c called) ownParts() []string {
	family, given := names.Fold(c.family), names.Fold(c.given)
	oneCell := family == "" && given == "" && len(strings.Fields(c.display)) == 2
	return slices.DeleteFunc(c.parts(), func(p string) bool {
		return utf8.RuneCountInString(p) == 1 && p != family && p != given && !oneCell
	})
}

// shares reports whether any name of c is one of d's, or is part of its whole name.
func (c called) shares(d called) bool {
	a, b := c.ownParts(), d.ownParts()
	if meet(a, b) {
		return true
	}
	within := func(parts, wholes []string) bool {
		return slices.ContainsFunc(parts, func(p string) bool {
			return slices.ContainsFunc(wholes, func(w string) bool { return strings.Contains(w, p) })
		})
	}
	return within(a, d.whole()) || within(b, c.whole())
}

func meet(a, b []string) bool {
	return slices.ContainsFunc(a, func(s string) bool { return slices.Contains(b, s) })
}

// script is a set of scripts whose letters can be compared with each other.
type script uint8

func scriptsOf(s string) script {
	var all script
	for _, r := range s {
		switch {
		case !unicode.IsLetter(r) && r != '々':
		case r < unicode.MaxLatin1 || unicode.Is(unicode.Latin, r):
			all |= 1
		case unicode.Is(unicode.Han, r):
			all |= 2
		case unicode.In(r, unicode.Hiragana, unicode.Katakana):
			all |= 4
		case unicode.Is(unicode.Hangul, r):
			all |= 8
		case unicode.In(r, unicode.Cyrillic, unicode.Greek):
			all |= 16
		default:
			all |= 32
		}
	}
	return all
}

func sharesScript(a, b string) bool { return scriptsOf(a)&scriptsOf(b) != 0 }
