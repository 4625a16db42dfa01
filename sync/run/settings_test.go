package run_test

import (
	"context"
	"strings"
	"testing"

	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/run"
	"github.com/hacsync/hacsync/sync/source"
)

func TestSettings_AreTakenAsPeopleTypeThem(t *testing.T) {
	w := newWorld(t)
	typed := map[string]string{
		"max_allowed_deletions": "３０％", "max_deletions": "１，２００人", "shrink_share": " 40 % ", "on_empty": "Clear-Known",
		"max_changes": "５０パーセント", "max_sign_in_changes": "20 percent", "on_missing": "Ｂｌｏｃｋ", "delete_after": "２０日",
		"on_disabled": "ＩＧＮＯＲＥ", "change_alias": "YES", "protected": "ａ@b.example、 c@d.example ；1B2C3D4E-0000-4000-8000-000000000001",
	}
	if err := w.SetSettings(t.Context(), domain, typed); err != nil {
		t.Fatal(err)
	}
	// An older program reads what is stored, too.
	stored, err := w.Store.Settings(t.Context(), w.Connection.Tenant, domain)
	if err != nil {
		t.Fatal(err)
	}
	for k, want := range map[string]string{
		"max_allowed_deletions": "30", "max_deletions": "1200", "shrink_share": "40", "on_empty": "clear-known",
		"max_changes": "50", "max_sign_in_changes": "20", "on_missing": "block", "delete_after": "20",
		"on_disabled": "ignore", "change_alias": "yes", "protected": "a@b.example,c@d.example,1B2C3D4E-0000-4000-8000-000000000001",
	} {
		if stored[k] != want {
			t.Errorf("%s is stored as %q, want %q", k, stored[k], want)
		}
	}
}

func TestSettings_RefuseNumbersOutOfTheirRange(t *testing.T) {
	w := newWorld(t)
	for _, kv := range []map[string]string{
		{"max_allowed_deletions": "101"},
		{"max_allowed_deletions": "-1"},
		{"max_allowed_deletions": "1.5"},
		{"max_allowed_deletions": "none"},
		{"max_sign_in_changes": "101"},
		{"max_sign_in_changes": "１０１"},
		{"shrink_share": "200"},
		{"shrink_share": "half"},
		{"max_deletions": "-1"},
		{"max_deletions": "99999999999"},
		{"max_deletions": "many"},
		{"max_deletions": "20 %"},
		{"delete_after": "20 %"},
		{"delete_after": "366日"},
		{"delete_after": "-1 days"},
		{"max_allowed_deletions": "20 days"},
	} {
		if err := w.SetSettings(t.Context(), domain, kv); !problem.Has(err, problem.SettingValue) {
			t.Errorf("%v: %v", kv, err)
		}
	}
}

func TestSettings_RefuseWhatProtectsNobodyAndNameIt(t *testing.T) {
	w := newWorld(t)
	for entry, refused := range map[string]bool{
		"break.glass@midori.example": false, "o'hara_1@midori.onmicrosoft.com": false, "x_y.com#EXT#@midori.example": false,
		"11111111-2222-3333-4444-555555555555": false,
		"Aki Mori":                             true, "aki": true, "@midori.example": true, "aki@": true, "aki@midori": true, "a@b@c.example": true,
		"Aki <aki@midori.example>": true, "*@midori.example": true, "森@midori.example": true,
		"11111111-2222-3333-4444-55555555555": true, "1111111122223333444455555555555a": true, "{11111111-2222-3333-4444-555555555555}": true,
	} {
		err := w.SetSettings(t.Context(), domain, map[string]string{"protected": "ok@midori.example, " + entry})
		if refused != problem.Has(err, problem.ProtectedNobody) || !refused && err != nil {
			t.Errorf("%q: %v", entry, err)
		}
		if p := problem.Of(err); refused && p != nil && p.Args["entries"] != entry {
			t.Errorf("%q: it names %q", entry, p.Args["entries"])
		}
	}
	// What an older program stored goes on being read.
	if _, err := run.ParseSettings(map[string]string{"protected": "aki"}); err != nil {
		t.Errorf("stored: %v", err)
	}
}

func TestSettings_NameTheOneThatMayBeMeant(t *testing.T) {
	for typed, want := range map[string]string{
		"max_allowed_deletion": "max_allowed_deletions", "max-allowed-deletions": "max_allowed_deletions", "MAX_DELETIONS ": "max_deletions",
		"sorce": "source", "protect": "protected", "empty": "on_empty", "on_disable": "on_disabled", "shrinkshare": "shrink_share",
		"alias": "change_alias", "colour": "", "x": "", "": "",
	} {
		_, err := run.ParseSettings(map[string]string{typed: "1"})
		if p := problem.Of(err); p == nil || p.Code != problem.SettingUnknown || p.Args["near"] != want {
			t.Errorf("%q: %v, want %q", typed, err, want)
		}
	}
}

// absent is a source whose file is not there.
type absent struct{ source.Source }

func (absent) Check() error { return problem.New(problem.FileNotFound, problem.Args{"file": "x"}) }

func TestSettings_RefuseASourceThatIsNotThere(t *testing.T) {
	w := newWorld(t)
	opened := ""
	w.OpenSource = func(_ context.Context, spec string, _ run.Settings) (source.Source, error) {
		if opened = spec; strings.HasPrefix(spec, "csv:") {
			return absent{}, nil
		}
		return nil, problem.New(problem.NoHACAccess, nil)
	}
	err := w.SetSettings(t.Context(), domain, map[string]string{"source": "csv:/gone", "max_allowed_deletions": "20"})
	if s, _ := w.Settings(t.Context(), domain); !problem.Has(err, problem.FileNotFound) || opened != "csv:/gone" || s.Policy.MaxAllowedDeletions == 20 {
		t.Errorf("%v, opened %q, %+v", err, opened, s)
	}
	// What is set later, and what has nothing to do with it, is not in the way.
	for _, kv := range []map[string]string{{"source": "hac"}, {"max_allowed_deletions": "20"}, {"source": ""}} {
		if err := w.SetSettings(t.Context(), domain, kv); err != nil {
			t.Errorf("%v: %v", kv, err)
		}
	}
}
