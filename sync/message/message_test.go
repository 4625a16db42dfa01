package message

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/nicksnyder/go-i18n/v2/i18n"
	"github.com/nicksnyder/go-i18n/v2/i18n/template"

	"github.com/hacsync/hacsync/sync/problem"
)

func printer(t *testing.T, lang string) *Printer {
	t.Helper()
	p, err := New(lang)
	if err != nil {
		t.Fatal(err)
	}
	return p.In(time.FixedZone("JST", 9*3600))
}

func TestText_SaysAMissingMessageByItsID(t *testing.T) {
	p := printer(t, "ja")
	if got := p.Text("no.such.message", nil); got != "«no.such.message»" {
		t.Errorf("got %q", got)
	}
	if p.Has("no.such.message") {
		t.Error("Has says it is there")
	}
	if got := p.Text("kind.rename", nil); got != "UPN 変更" {
		t.Errorf("got %q", got)
	}
	if got := p.Text("cmd.error", problem.Args{"what": "", "code": ""}); strings.Contains(got, "«") {
		t.Errorf("got %q", got)
	}
	if !p.Has("kind.rename") {
		t.Error("Has says it is not there")
	}
}

func TestRule10_ArgumentsAreCleaned(t *testing.T) {
	p := printer(t, "en")
	got := p.Text("HS-9004.what", problem.Args{"language": "x\x1b[2J\u202ey\n{{.z}}"})
	if want := `hacsync does not speak the language "x[2Jy {{.z}}".`; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestProblem_GivesTheWordsOfEveryError(t *testing.T) {
	p := printer(t, "en")
	withID := problem.New(problem.UnknownLanguage, problem.Args{"language": "fr"}).
		WithUpstream(problem.Upstream{RequestID: "ab\x07cd"})
	for _, tc := range []struct {
		name      string
		err       error
		code      problem.Code
		what      string
		requestID string
	}{
		{"nothing", nil, "", "", ""},
		{"a problem, wrapped", fmt.Errorf("start: %w", withID), problem.UnknownLanguage, `hacsync does not speak the language "fr".`, "abcd"},
		{"a cancellation", fmt.Errorf("read: %w", context.Canceled), problem.Cancelled, "Stopped, as you asked.", ""},
		{"a deadline", fmt.Errorf("read: %w", context.DeadlineExceeded), problem.TookTooLong, "It took too long: read: context deadline exceeded", ""},
		{"any other", errors.New("boom\x1b"), problem.Internal, "hacsync met something it was not made for: boom", ""},
		{"a code without words", problem.New("HS-0000", problem.Args{"a": "\x1b"}), "HS-0000", `HS-0000 a="\x1b"`, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := p.Problem(tc.err)
			if w.Code != tc.code || w.What != tc.what || w.RequestID != tc.requestID {
				t.Errorf("got %+v", w)
			}
			if tc.err != nil && (w.Remedy == "" || w.Short == "") {
				t.Errorf("no remedy or short form: %+v", w)
			}
		})
	}
}

func TestNew_RefusesALanguageItDoesNotHave(t *testing.T) {
	if _, err := New("fr"); !problem.Has(err, problem.UnknownLanguage) {
		t.Errorf("got %v", err)
	}
	if p := printer(t, ""); p.Language() != English {
		t.Errorf("got %v", p.Language())
	}
}

func TestDefault_TakesTheFirstVariableThatIsSet(t *testing.T) {
	for _, tc := range []struct {
		env  map[string]string
		want string
	}{
		{nil, "en"},
		{map[string]string{"LANG": "ja_JP.UTF-8"}, "ja"},
		{map[string]string{"LC_ALL": "C.UTF-8", "LANG": "ja_JP.UTF-8"}, "en"},
		{map[string]string{"LC_MESSAGES": "ja", "LANG": "en_GB.UTF-8"}, "ja"},
		{map[string]string{"LANG": "jam_JM"}, "en"},
	} {
		if got := Default(func(k string) string { return tc.env[k] }); got != tc.want {
			t.Errorf("%v: got %s, want %s", tc.env, got, tc.want)
		}
	}
}

func TestValues_AreWrittenAsEachLanguageDoes(t *testing.T) {
	at := time.Date(2026, 11, 25, 0, 40, 11, 0, time.UTC)
	for _, tc := range []struct {
		name, en, ja string
		say          func(*Printer) string
	}{
		{"thousands", "4,012", "4,012", func(p *Printer) string { return p.Int(4012) }},
		{"millions", "-1,234,567", "-1,234,567", func(p *Printer) string { return p.Int(-1234567) }},
		{"small", "999", "999", func(p *Printer) string { return p.Int(999) }},
		{"share", "0.3 %", "0.3 %", func(p *Printer) string { return p.Share(11, 3985) }},
		{"share of nobody", "0 %", "0 %", func(p *Printer) string { return p.Share(1, 0) }},
		{"limit", "10 %", "10 %", func(p *Printer) string { return p.Percent(10) }},
		{"just under a limit", "9.96 %", "9.96 %", func(p *Printer) string { return p.Percent(9.96) }},
		{"hardly under a limit", "9.999 %", "9.999 %", func(p *Printer) string { return p.Percent(9.9999) }},
		{"hardly any", "0.04 %", "0.04 %", func(p *Printer) string { return p.Percent(0.04) }},
		{"next to nothing", "< 0.001 %", "< 0.001 %", func(p *Printer) string { return p.Percent(0.0001) }},
		{"one in seven", "14.6 %", "14.6 %", func(p *Printer) string { return p.Share(41, 281) }},
		{"time", "25 Nov 2026 09:40 JST", "2026/11/25 09:40 JST", func(p *Printer) string { return p.Time(at) }},
		{"no time", "", "", func(p *Printer) string { return p.Time(time.Time{}) }},
		{"date", "25 Nov 2026", "2026/11/25", func(p *Printer) string { return p.Date(at) }},
		{"day", "25 Nov", "11/25", func(p *Printer) string { return p.Day(at) }},
		{"clock", "09:40", "09:40", func(p *Printer) string { return p.Clock(at) }},
		{"UTC", "25 Nov 2026 00:40:11 UTC", "2026/11/25 00:40:11 UTC", func(p *Printer) string { return p.UTC(at) }},
		{"seconds", "about 24 s", "約 24 秒", func(p *Printer) string { return p.About(24 * time.Second) }},
		{"an instant", "under 1 s", "1 秒未満", func(p *Printer) string { return p.Duration(time.Millisecond) }},
		{"minutes", "2 min 5 s", "2 分 5 秒", func(p *Printer) string { return p.Duration(125 * time.Second) }},
		{"ago", "12 min ago", "12 分前", func(p *Printer) string { return p.Ago(12 * time.Minute) }},
		{"hours", "1 h 5 min", "1 時間 5 分", func(p *Printer) string { return p.Duration(65 * time.Minute) }},
		{"days", "2 days 1 h", "2 日 1 時間", func(p *Printer) string { return p.Duration(49 * time.Hour) }},
		{"bytes", "999 B", "999 B", func(p *Printer) string { return p.Size(999) }},
		{"kilobytes", "1.2 kB", "1.2 kB", func(p *Printer) string { return p.Size(1234) }},
		{"nearly a megabyte", "1.0 MB", "1.0 MB", func(p *Printer) string { return p.Size(999_960) }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := tc.say(printer(t, "en")); got != tc.en {
				t.Errorf("en: got %q, want %q", got, tc.en)
			}
			if got := tc.say(printer(t, "ja")); got != tc.ja {
				t.Errorf("ja: got %q, want %q", got, tc.ja)
			}
		})
	}
}

func TestLoad_KeepsWordsUnderKeysThatTheLibraryReserves(t *testing.T) {
	bundle, err := load(fstest.MapFS{"x.en.json": {Data: []byte(`{"a": {"other": "way", "id": "ID", "b": {"few": "three"}, "description": "d"}}`)}})
	if err != nil {
		t.Fatal(err)
	}
	p := &Printer{lang: English, local: i18n.NewLocalizer(bundle, "en"), zone: time.UTC}
	p.parser = &templates{template.TextParser{Funcs: p.funcs()}}
	for id, want := range map[string]string{"a.other": "way", "a.id": "ID", "a.b.few": "three", "a.description": "d"} {
		if got := p.Text(id, nil); got != want {
			t.Errorf("%s: got %q, want %q", id, got, want)
		}
	}
}

func TestLoad_NamesACatalogueThatDoesNotParse(t *testing.T) {
	for _, bad := range []string{`{"a": 1}`, `{"a": ["x"]}`, `{"a"`, `[]`} {
		_, err := load(fstest.MapFS{"x.en.json": {Data: []byte(bad)}})
		if err == nil || !strings.Contains(err.Error(), "x.en.json") {
			t.Errorf("%s: got %v", bad, err)
		}
	}
}

func TestProblem_OfANilProblemIsNothing(t *testing.T) {
	var none *problem.Problem
	if w := printer(t, "en").Problem(none); w != (Words{}) {
		t.Errorf("got %+v", w)
	}
}

// What a setting takes is said in the reader's language; a run that an older
// program stored has the words themselves.
func TestProblem_SaysWhatASettingTakes(t *testing.T) {
	for takes, want := range map[string][2]string{
		"on_empty":           {"It takes keep, clear-known, clear.", "指定できる値は keep、clear-known、clear です。"},
		"0 to 100, in words": {"It takes 0 to 100, in words.", "指定できる値は 0 to 100, in words です。"},
	} {
		err := problem.New(problem.SettingValue, problem.Args{"key": "on_empty", "value": "x", "takes": takes})
		for i, lang := range []string{"en", "ja"} {
			if got := printer(t, lang).Problem(err).Remedy; got != want[i] {
				t.Errorf("%s: %q, want %q", lang, got, want[i])
			}
		}
	}
}
