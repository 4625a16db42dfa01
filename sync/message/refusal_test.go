package message_test

import (
	"strings"
	"testing"

	"github.com/hacsync/hacsync/sync/message"
	"github.com/hacsync/hacsync/sync/problem"
)

func TestWords_NameWhatIsKnownAndLeaveNoHole(t *testing.T) {
	for _, lang := range []string{"en", "ja"} {
		words, err := message.New(lang)
		if err != nil {
			t.Fatal(err)
		}
		for name, c := range map[string]struct {
			code problem.Code
			args problem.Args
			has  []string
			lack []string
		}{
			"an address of another attribute": {
				problem.ConflictAddress,
				problem.Args{"upn": "a@b.example", "value": "", "change": "mailNickname aki"},
				[]string{"mailNickname aki"},
				[]string{"  ", "the address belongs"},
			},
			"a value that nobody names": {
				problem.ConflictOther,
				problem.Args{"upn": "a@b.example", "attribute": "", "change": "mailNickname aki"},
				[]string{"mailNickname aki"},
				[]string{"  ", "same ."},
			},
			"an ID that nobody names":   {problem.ConflictImmutableID, problem.Args{"upn": "a@b.example", "value": ""}, nil, []string{"  ", " ."}},
			"a value that was not sent": {problem.ValueRefused, problem.Args{"upn": "a@b.example", "attribute": "city", "value": ""}, []string{"city"}, []string{`""`, "「」"}},
			"a pause of a day":          {problem.Throttled, problem.Args{"seconds": "86400"}, []string{"24"}, []string{"86400", "hacsync waits."}},
			"a pause without its time":  {problem.Throttled, problem.Args{"seconds": "0"}, nil, []string{"0", "  "}},
		} {
			w := words.Problem(problem.New(c.code, c.args))
			text := w.What + "\n" + w.Remedy
			for _, s := range c.has {
				if !strings.Contains(text, s) {
					t.Errorf("%s, %s: %q lacks %q", lang, name, text, s)
				}
			}
			for _, s := range append(c.lack, "<no value>") {
				if strings.Contains(strings.ReplaceAll(text, "365", "x"), s) {
					t.Errorf("%s, %s: %q has %q", lang, name, text, s)
				}
			}
		}
	}
}
