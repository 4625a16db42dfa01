// Package message turns codes, words and values into English or Japanese. It is the
// only source of sentences for users: a screen, a CSV, a notice and a JSON object
// ask it with the same code and arguments, and so have the same text. Start with
// New and Printer.
//
// The words are in assets/locales, one file a family and language (source.en.json,
// source.ja.json). Keys nest: {"HS-2003": {"what": "…"}} is the message
// HS-2003.what. What Japanese lacks is shown in English.
//
// A message is a text/template over its arguments: {{.upn}}. Functions
// help: {{num .rows}} writes a whole number as the language does, {{plural .rows
// "row" "rows"}} chooses by it, {{text "kind.add"}} is another message without
// arguments, {{word "kind" .kind}} the one that an argument names, or the argument
// where there is none; {{reason .why}} does so with what a system or a library says;
// {{date .ends}} and {{moment .until}} write a day, or a minute in UTC, as the reader
// does. Arguments pass through Clean, so that nothing untrusted reaches a terminal raw.
package message

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	texttemplate "text/template"
	"time"

	"github.com/nicksnyder/go-i18n/v2/i18n"
	"github.com/nicksnyder/go-i18n/v2/i18n/template"
	"golang.org/x/text/language"

	"github.com/hacsync/hacsync/assets"
	"github.com/hacsync/hacsync/sync/problem"
)

// Language is a language of the program's texts.
type Language string

// The languages.
const (
	English  Language = "en"
	Japanese Language = "ja"
)

// Printer returns texts in one language. It is safe for concurrent use.
type Printer struct {
	lang   Language
	local  *i18n.Localizer
	parser *templates
	zone   *time.Location
}

// New makes a printer for "en" or "ja"; an empty language is English. Any other is
// problem.UnknownLanguage. Times are shown in the machine's zone.
func New(lang string) (*Printer, error) {
	l := Language(lang)
	switch l {
	case "":
		l = English
	case English, Japanese:
	default:
		return nil, problem.New(problem.UnknownLanguage, problem.Args{"language": lang})
	}
	bundle, err := load(assets.Locales())
	if err != nil {
		return nil, err
	}
	p := &Printer{lang: l, local: i18n.NewLocalizer(bundle, string(l)), zone: time.Local}
	p.parser = &templates{template.TextParser{Funcs: p.funcs(), Option: "missingkey=zero"}}
	return p, nil
}

// load reads every catalogue into one bundle.
func load(files fs.FS) (*i18n.Bundle, error) {
	bundle := i18n.NewBundle(language.English)
	bundle.RegisterUnmarshalFunc("json", unmarshal)
	names, err := fs.Glob(files, "*.json")
	if err != nil {
		return nil, fmt.Errorf("list catalogues: %w", err)
	}
	slices.Sort(names)
	for _, name := range names {
		raw, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, fmt.Errorf("read catalogue %s: %w", name, err)
		}
		if _, err := bundle.ParseMessageFileBytes(raw, path.Base(name)); err != nil {
			return nil, fmt.Errorf("catalogue %s: %w", name, err)
		}
	}
	return bundle, nil
}

// unmarshal reads a catalogue into one flat map of dotted IDs. The library can read
// nested keys itself, but treats keys such as "other" and "description" as plural
// forms and notes.
func unmarshal(raw []byte, into any) error {
	var tree map[string]any
	if err := json.Unmarshal(raw, &tree); err != nil {
		return fmt.Errorf("read JSON: %w", err)
	}
	flat := map[string]any{}
	if err := flattenInto(flat, "", tree); err != nil {
		return err
	}
	*into.(*any) = flat
	return nil
}

func flattenInto(flat map[string]any, above string, tree map[string]any) error {
	for key, v := range tree {
		switch v := v.(type) {
		case string:
			flat[above+key] = v
		case map[string]any:
			if err := flattenInto(flat, above+key+".", v); err != nil {
				return err
			}
		default:
			return fmt.Errorf("%s%s is no text", above, key)
		}
	}
	return nil
}

// Default returns the language of LC_ALL, LC_MESSAGES or LANG, the first that is
// set; English unless it is Japanese. getenv is os.Getenv.
func Default(getenv func(string) string) string {
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		v := strings.ToLower(getenv(name))
		if v == "" {
			continue
		}
		if v == "ja" || strings.HasPrefix(v, "ja_") || strings.HasPrefix(v, "ja-") || strings.HasPrefix(v, "ja.") {
			return string(Japanese)
		}
		return string(English)
	}
	return string(English)
}

// Language returns the printer's language.
func (p *Printer) Language() Language { return p.lang }

// In returns a printer that shows times in a zone.
func (p *Printer) In(zone *time.Location) *Printer {
	q := *p
	q.zone = zone
	return &q
}

// Text returns the message of an ID, or, if there is none, the ID in guillemets.
func (p *Printer) Text(id string, args problem.Args) string {
	if s, ok := p.lookup(id, args); ok {
		return s
	}
	return "«" + Clean(id) + "»"
}

// Has reports whether there is a message with an ID, in English or the
// printer's language.
func (p *Printer) Has(id string) bool {
	_, ok := p.lookup(id, nil)
	return ok
}

func (p *Printer) lookup(id string, args problem.Args) (string, bool) {
	s, tag, err := p.local.LocalizeWithTag(&i18n.LocalizeConfig{
		MessageID:      id,
		TemplateData:   cleaned(args),
		TemplateParser: p.parser,
	})
	// If English is used instead, the text comes with the error that reports it.
	var standsIn *i18n.MessageNotFoundErr
	if tag == language.Und || err != nil && !errors.As(err, &standsIn) {
		return "", false
	}
	return s, true
}

// cleaned returns arguments that are fit to be shown.
func cleaned(args problem.Args) map[string]string {
	out := make(map[string]string, len(args))
	for k, v := range args {
		out[k] = Clean(v)
	}
	return out
}

// Words are the text of an error or a skip for a user.
type Words struct {
	Code      problem.Code // HS-…, to be looked up and quoted
	What      string       // what happened, to which user, file or setting
	Remedy    string       // what to do next, by which user and where
	Short     string       // two to five words, for tables
	RequestID string       // for Microsoft's support, empty if there is none
}

// Problem returns the words of any error: of the outermost problem in its chain, of
// a cancellation or a deadline, else those of problem.Internal with the error's own
// text. For nil, and for a nil *Problem, they are the zero Words.
func (p *Printer) Problem(err error) Words {
	if err == nil {
		return Words{}
	}
	if none, ok := err.(*problem.Problem); ok && none == nil { //nolint:errorlint // a nil *Problem in an error, not one in a chain
		return Words{}
	}
	pr := problem.Of(err)
	if pr == nil {
		pr = known(err)
	}
	id := string(pr.Code)
	w := Words{Code: pr.Code}
	var ok bool
	if w.What, ok = p.lookup(id+".what", pr.Args); !ok {
		w.What = Clean(pr.Error())
	}
	if w.Remedy, ok = p.lookup(id+".remedy", pr.Args); !ok {
		w.Remedy = p.Text(string(problem.Internal)+".remedy", nil)
	}
	if w.Short, ok = p.lookup(id+".short", pr.Args); !ok {
		w.Short = w.What
	}
	if pr.Upstream != nil {
		w.RequestID = Clean(pr.Upstream.RequestID)
	}
	return w
}

// known returns a problem for an error that has no code.
func known(err error) *problem.Problem {
	switch {
	case errors.Is(err, context.Canceled):
		return problem.New(problem.Cancelled, nil)
	case errors.Is(err, context.DeadlineExceeded):
		return problem.New(problem.TookTooLong, problem.Args{"what": err.Error()})
	}
	return problem.New(problem.Internal, problem.Args{"what": err.Error()})
}

// templates is go-i18n's text parser, with templates that may be cached: the
// functions are the same for the whole life of a printer.
type templates struct{ template.TextParser }

// Cacheable reports that a parsed template may be cached.
func (*templates) Cacheable() bool { return true }

// reason puts what a system or a library says into words: all of it, or what stands
// after the last colon, where that is in the catalogue.
func (p *Printer) reason(said string) string {
	last := said[strings.LastIndex(said, ": ")+1:]
	for _, s := range []string{said, strings.TrimSpace(last)} {
		if text, ok := p.lookup("reason."+s, nil); ok {
			return text
		}
	}
	return said
}

func (p *Printer) funcs() texttemplate.FuncMap {
	return texttemplate.FuncMap{
		"num": func(s string) string {
			n, err := strconv.ParseInt(s, 10, 64)
			if err != nil {
				return s
			}
			return p.Int(int(n))
		},
		"plural": func(s, singular, plural string) string {
			if s == "1" {
				return singular
			}
			return plural
		},
		"date": func(s string) string {
			t, err := time.Parse(time.DateOnly, s)
			if err != nil {
				return s
			}
			return p.In(time.UTC).Date(t) // a day is the same in every zone
		},
		"moment": func(s string) string {
			t, err := time.Parse(problem.MomentLayout, s)
			if err != nil {
				return s
			}
			return p.Time(t)
		},
		"reason": p.reason,
		"took": func(s string) string {
			d, err := time.ParseDuration(s)
			if err != nil {
				return s
			}
			return p.Duration(d)
		},
		"text": func(id string) string { return p.Text(id, nil) },
		"word": func(family, key string) string {
			if text, ok := p.lookup(family+"."+key, nil); ok {
				return text
			}
			return key
		},
	}
}
