package run

import (
	"encoding/json"
	"io/fs"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/hacsync/hacsync/assets"
	"github.com/hacsync/hacsync/sync/plan"
)

// settingWords are what a setting is, and what it takes, in one language.
type settingWords struct {
	Is    map[string]string `json:"setting"`
	Takes map[string]string `json:"setting_takes"`
}

func TestSettings_HaveWordsInBothLanguages(t *testing.T) {
	for _, lang := range []string{"en", "ja"} {
		raw, err := fs.ReadFile(assets.Locales(), "home."+lang+".json")
		if err != nil {
			t.Fatal(err)
		}
		var w settingWords
		if err := json.Unmarshal(raw, &w); err != nil {
			t.Fatal(err)
		}
		for _, row := range append(settingsTable(), setting{key: "map"}) {
			if w.Is[row.key] == "" {
				t.Errorf("%s: no setting.%s", lang, row.key)
			}
			if w.Takes[row.key] == "" {
				t.Errorf("%s: no setting_takes.%s", lang, row.key)
			}
		}
		for _, key := range []string{"delete_after_block", "age"} {
			if w.Takes[key] == "" {
				t.Errorf("%s: no setting_takes.%s", lang, key)
			}
		}
		named := strings.FieldsFunc(w.Takes["map"], func(r rune) bool { return strings.ContainsRune(" ,、", r) })
		var want []string
		for _, a := range mappable() {
			want = append(want, string(a))
		}
		if !slices.Equal(named, want) {
			t.Errorf("%s: setting_takes.map names %v, want %v", lang, named, want)
		}
	}
}

func TestSettings_PresetsAreThoseOfAPlan(t *testing.T) {
	if got, want := DefaultSettings().Policy, plan.DefaultPolicy(); !reflect.DeepEqual(got, want) {
		t.Errorf("settings %+v, plan %+v", got, want)
	}
	if got, err := ParseSettings(nil); err != nil || !reflect.DeepEqual(got, DefaultSettings()) {
		t.Errorf("%+v %v", got, err)
	}
}

// Each setting takes a value that is not its preset, gives it back as it was
// written, and is part of a plan or not as its row says.
func TestSettings_EveryOneIsReadAsItIsWritten(t *testing.T) {
	values := map[string]string{
		KeySource: "csv:/x.csv", KeySourceName: "other", KeySourceZone: "UTC", KeyShrinkShare: "0", KeyMaxAllowedDeletions: "100", KeyMaxDeletions: "0",
		KeyMaxSignInChanges: "0", KeyMaxChanges: "0", KeyOnMissing: "block", KeyDeleteAfter: "365", KeyOnEmpty: "clear",
		KeyOnDisabled: "block-sign-in", KeyImmutableIDChange: "ask", KeyChangeAlias: "yes", KeyResetPasswords: "yes",
		KeyProtected: "a@b.example,11111111-2222-3333-4444-555555555555",
	}
	presets := DefaultSettings().Pairs()
	if len(presets) != len(values) {
		t.Errorf("%d settings, %d values", len(presets), len(values))
	}
	for _, row := range settingsTable() {
		v := values[row.key]
		if presets[row.key] != row.preset || v == row.preset || v == "" {
			t.Errorf("%s: preset %q, in the table %q, value %q", row.key, presets[row.key], row.preset, v)
		}
		s, err := ParseSettings(map[string]string{row.key: v})
		if err != nil {
			t.Errorf("%s=%s: %v", row.key, v, err)
			continue
		}
		if got := s.Pairs()[row.key]; got != v {
			t.Errorf("%s=%s is written as %q", row.key, v, got)
		}
		for key, preset := range presets {
			if key != row.key && !(row.key == KeyOnMissing && key == KeyDeleteAfter) && s.Pairs()[key] != preset {
				t.Errorf("%s=%s makes %s %q", row.key, v, key, s.Pairs()[key])
			}
		}
		if inPlan := !reflect.DeepEqual(s.Policy, plan.DefaultPolicy()); inPlan != row.planned {
			t.Errorf("%s: in the policy of a plan: %t", row.key, inPlan)
		}
		// Everything that a set of settings writes is read again.
		if again, err := ParseSettings(nonEmpty(s.Pairs())); err != nil || !reflect.DeepEqual(again, s) {
			t.Errorf("%s: %+v, read again %+v: %v", row.key, s, again, err)
		}
	}
}

func nonEmpty(kv map[string]string) map[string]string {
	for k, v := range kv {
		if v == "" {
			delete(kv, k)
		}
	}
	return kv
}
