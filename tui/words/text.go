// Package words has the texts of a step, which are made in the language of the screen
// when they are drawn, and the pieces that they are part of. A step has no sentence of
// its own, and no driver has to ask a step again to change the language.
package words

import (
	"strings"
	"time"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/message"
	"github.com/hacsync/hacsync/sync/problem"
)

// Args are what the words of a Text need. A driver writes them in the language
// of the screen by their type: string (from outside: it is cleaned), int,
// Percent, Clock, Day, Brief, Moment, UTC, time.Duration, About,
// Names, Texts, Spaced, Sentences, Short, What, Remedy, Text, directory.Attribute.
type Args map[string]any

// Percent is a share in percent: 0.3 %.
type Percent float64

// Clock is a time of day: 09:34.
type Clock time.Time

// Day is a date: 25 Nov 2026.
type Day time.Time

// Brief is a date without its year: 25 Nov.
type Brief time.Time

// Moment is date and time with the zone.
type Moment time.Time

// UTC is a moment to the second in UTC, for Microsoft's support.
type UTC time.Time

// About is an estimate: about 25 s.
type About time.Duration

// Names are names from outside, joined by commas; of a long list the first.
type Names []string

// Texts are joined by commas.
type Texts []Text

// Spaced are set apart by two spaces.
type Spaced []Text

// Sentences follow each other.
type Sentences []Text

// Short is an error in the few words of its code.
type Short struct{ Err error }

// What is what happened, in the words of an error's code.
type What struct{ Err error }

// Remedy is what to do about an error, in the words of its code.
type Remedy struct{ Err error }

// Text is a sentence or a word: an entry of the catalogues with its arguments, or a
// text from outside that is shown as it is.
type Text struct {
	ID   string
	Args Args
	// Outside is shown if ID is empty; it is cleaned first.
	Outside string
}

// IsZero reports whether there is nothing to say.
func (t Text) IsZero() bool { return t.ID == "" && t.Outside == "" }

// T is the catalogue's entry id with arguments by name: T(id, "upn", u).
func T(id string, kv ...any) Text {
	t := Text{ID: id}
	if len(kv) > 0 {
		t.Args = make(Args, len(kv)/2)
		for i := 0; i+1 < len(kv); i += 2 {
			t.Args[kv[i].(string)] = kv[i+1]
		}
	}
	return t
}

// Raw is a text from outside.
func Raw(s string) Text { return Text{Outside: s} }

// Num is a number alone.
func Num(n int) Text { return T("flow.is", "x", n) }

// Is is a value alone, by its type.
func Is(v any) Text { return T("flow.is", "x", v) }

// Local is a UPN without the domain of the plan, which is the same in nearly all
// rows.
func Local(upn, domain string) string {
	if n := len(upn) - len(domain) - 1; n > 0 && upn[n] == '@' && strings.EqualFold(upn[n+1:], domain) {
		return upn[:n]
	}
	return upn
}

// namesShown is how many names of a list are written out.
const namesShown = 6

// Say writes t in the printer's language, clean.
func Say(p *message.Printer, t Text) string {
	if t.ID == "" {
		return message.Clean(t.Outside)
	}
	args := make(problem.Args, len(t.Args))
	for k, v := range t.Args {
		args[k] = say(p, v)
	}
	if t.ID == "flow.is" {
		return args["x"]
	}
	return p.Text(t.ID, args)
}

func say(p *message.Printer, v any) string {
	switch v := v.(type) {
	case string:
		return message.Clean(v)
	case int:
		return p.Int(v)
	case Percent:
		return p.Percent(float64(v))
	case Clock:
		return p.Clock(time.Time(v))
	case Day:
		return p.Date(time.Time(v))
	case Brief:
		return p.Day(time.Time(v))
	case Moment:
		return p.Time(time.Time(v))
	case UTC:
		return p.UTC(time.Time(v))
	case time.Duration:
		return p.Duration(v)
	case About:
		return p.About(time.Duration(v))
	case Names:
		if len(v) > namesShown {
			return message.Clean(strings.Join(v[:namesShown], ", ")) + ", " + p.Text("flow.more", problem.Args{"n": p.Int(len(v) - namesShown)})
		}
		return message.Clean(strings.Join(v, ", "))
	case Texts:
		if p.Language() == message.Japanese {
			return joined(p, v, "、")
		}
		return joined(p, v, ", ")
	case Spaced:
		return joined(p, v, "  ")
	case Sentences:
		if p.Language() == message.Japanese {
			return joined(p, v, "")
		}
		return joined(p, v, " ")
	case directory.Attribute:
		return attribute(p, v)
	case Label:
		if id := "attribute." + string(v); p.Language() == message.Japanese && p.Has(id) {
			return p.Text(id, nil)
		}
		return message.Clean(string(v))
	case Short:
		return p.Problem(v.Err).Short
	case What:
		return p.Problem(v.Err).What
	case Remedy:
		return p.Problem(v.Err).Remedy
	case Text:
		return Say(p, v)
	}
	return ""
}

func joined(p *message.Printer, list []Text, between string) string {
	said := make([]string, len(list))
	for i, t := range list {
		said[i] = Say(p, t)
	}
	return strings.Join(said, between)
}

// Label is an attribute in a cell of a table: in Japanese its word alone, in English
// its name in Graph.
type Label directory.Attribute

// attribute is the name of an attribute: in Japanese its word comes first.
func attribute(p *message.Printer, a directory.Attribute) string {
	raw := message.Clean(string(a))
	if id := "attribute." + string(a); p.Language() == message.Japanese && a != directory.UserPrincipalName && p.Has(id) {
		if word := p.Text(id, nil); word != raw {
			return word + " (" + raw + ")"
		}
	}
	return raw
}
