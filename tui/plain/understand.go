package plain

import (
	"slices"
	"strconv"
	"strings"

	"github.com/hacsync/hacsync/sync/input"
	"github.com/hacsync/hacsync/sync/message"
	"github.com/hacsync/hacsync/sync/secret"
	"github.com/hacsync/hacsync/tui/flow"
	"github.com/hacsync/hacsync/tui/review"
	"github.com/hacsync/hacsync/tui/words"
)

type understood uint8

const (
	isAnswer understood = iota
	isHelp
	isUnknown
	isNothing
)

// understand makes an answer or a command of a line. Words are taken in English and
// in the printer's language. Keys and words are compared after NFKC, so that ｑ and ？
// from a Japanese input method work.
func understand(p *message.Printer, v flow.View, line string) (flow.Answer, understood) {
	text := strings.TrimSpace(line)
	folded := words.Fold(line)
	if v.Ask.Kind == flow.Secret {
		// Only what cannot be a passphrase is a command: letters are letters.
		if line != "?" && line != "q" && line != "b" && line != "" {
			return flow.Answer{Secret: secret.NewText(line)}, isAnswer
		}
	}
	for _, word := range []string{"help", "quit", "back"} {
		if folded == typed(p, word) {
			folded = word
		}
	}
	switch folded {
	case "?", "help":
		return flow.Answer{}, isHelp
	case "q", "quit":
		return flow.Answer{Command: flow.CmdQuit}, isAnswer
	case "b", "back":
		if !v.Back {
			return flow.Answer{}, isUnknown
		}
		return flow.Answer{Command: flow.CmdBack}, isAnswer
	}
	q := v.Ask
	if a, ok := option(q, folded); ok {
		return a, isAnswer
	}
	if flow.TakesCommands(q.Kind) {
		if a, ok := command(p, v.Typed(), text); ok {
			return a, isAnswer
		}
	}
	switch q.Kind {
	case flow.Line:
		if text == "" {
			text = q.Preset
		}
		if in, ok := strings.CutPrefix(text, `"`); ok {
			if in, ok := strings.CutSuffix(in, `"`); ok {
				text = in
			}
		}
		return flow.Answer{Text: text}, isAnswer
	case flow.Path, flow.Number:
		if text == "" {
			text = q.Preset
		}
		return flow.Answer{Text: text}, isAnswer
	case flow.Typed, flow.List:
		return flow.Answer{Text: text}, isAnswer
	case flow.Secret:
		return flow.Answer{}, isAnswer // nothing was typed
	case flow.None, flow.Choice, flow.Wait:
	}
	if text == "" {
		return flow.Answer{}, isNothing
	}
	return flow.Answer{}, isUnknown
}

// typed is a word of a command or a filter in the printer's language, as it is
// compared and shown.
func typed(p *message.Printer, word string) string {
	if id := "typed." + word; p.Has(id) {
		return p.Text(id, nil)
	}
	return word
}

// filterNamed is the filter that a word of the printer's language names.
func filterNamed(p *message.Printer, word string) string {
	for _, f := range slices.Concat(review.Filters(review.TabAll), review.Filters(review.TabQuestions)) {
		if words.Fold(word) == typed(p, string(f)) {
			return string(f)
		}
	}
	return word
}

// option finds a choice by its number, its key, or nothing typed.
func option(q flow.Question, folded string) (flow.Answer, bool) {
	if len(q.Options) == 0 {
		return flow.Answer{}, false
	}
	if folded == "" {
		return flow.Answer{Text: q.Preset}, q.Preset != ""
	}
	for i, o := range q.Options {
		if folded == strconv.Itoa(i+1) || strings.EqualFold(folded, o.Key) {
			return flow.Answer{Text: o.Key}, true
		}
	}
	return flow.Answer{}, false
}

// command finds a command by its key or word; the rest is its argument. The argument
// may follow a sign without a space: /sato.
func command(p *message.Printer, list []flow.Command, text string) (flow.Answer, bool) {
	word, arg, _ := strings.Cut(strings.ReplaceAll(text, "\u3000", " "), " ")
	key := words.Fold(word)
	for _, c := range list {
		if c.Key != "" && c.Key == input.Fold(word) { // D differs from d if both are there
			if arg = strings.TrimSpace(arg); c.Name == flow.CmdFilter {
				arg = filterNamed(p, arg)
			}
			return flow.Answer{Command: c.Name, Text: arg}, true
		}
	}
	for _, c := range list {
		if key != "" && (strings.EqualFold(key, c.Key) || key == c.Word || key == c.Also || key == typed(p, c.Word)) {
			if arg = strings.TrimSpace(arg); c.Name == flow.CmdFilter {
				arg = filterNamed(p, arg)
			}
			return flow.Answer{Command: c.Name, Text: arg}, true
		}
	}
	for _, c := range list {
		if c.Key == "/" && strings.HasPrefix(words.Fold(text), "/") {
			_, arg, _ := strings.Cut(strings.Replace(text, "／", "/", 1), "/")
			return flow.Answer{Command: c.Name, Text: strings.TrimSpace(arg)}, true
		}
	}
	return flow.Answer{}, false
}
