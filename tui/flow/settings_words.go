package flow

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/hacsync/hacsync/sync/input"
	"github.com/hacsync/hacsync/sync/run"
	"github.com/hacsync/hacsync/tui/words"
)

// settingGroup is a part of the settings, and its keys in the order in which they
// are shown.
type settingGroup struct {
	name string
	keys []string
}

// settingGroups are all settings but the mapped columns, which stand with what is
// written.
func settingGroups() []settingGroup {
	return []settingGroup{
		{"leaves", []string{run.KeyOnMissing, run.KeyDeleteAfter, run.KeyMaxAllowedDeletions, run.KeyMaxDeletions, run.KeyProtected}},
		{"written", []string{run.KeyOnEmpty, run.KeyOnDisabled, run.KeyImmutableIDChange, run.KeyChangeAlias, run.KeyResetPasswords}},
		{"source", []string{run.KeySource, run.KeySourceName, run.KeySourceZone, run.KeyShrinkShare}},
		{"alone", []string{run.KeyMaxSignInChanges, run.KeyMaxChanges}},
	}
}

const keyColumn = "map." // of a mapped column

// settingWord is a key's place in the catalogue; mapped columns share one.
func settingWord(key string) string {
	if strings.HasPrefix(key, keyColumn) {
		return "map"
	}
	return key
}

// settingName is what a setting is called.
func settingName(key string) words.Text {
	if column, ok := strings.CutPrefix(key, keyColumn); ok {
		return words.T("setting_name.map", "column", column)
	}
	return words.T("setting_name." + key)
}

// settingValue is a value in words. at is the domain of the latest dry run, whose
// numbers a limit is told with.
func settingValue(key, value string, at run.HomeDomain) words.Text {
	if slices.Contains(run.SettingWords(key), value) {
		return words.T("setting_value." + key + "." + value)
	}
	n, err := strconv.Atoi(value)
	is := func(id string) words.Text { return words.T("setting_value."+id, "n", n) }
	switch {
	case key == run.KeySource && value == "hac":
		return words.T("setting_value.hac")
	case key == run.KeySource && value == "":
		return words.T("setting_value.not_set")
	case key == run.KeySource:
		return words.Raw(strings.TrimPrefix(value, csvPrefix))
	case key == run.KeyProtected && value == "":
		return words.T("setting_value.nobody")
	case key == run.KeyProtected:
		return words.T("setting_value.accounts", "n", strings.Count(value, ",")+1)
	case key == run.KeyMaxDeletions && value == "none", key == run.KeyMaxChanges && err == nil && n == 0:
		return words.T("setting_value.no_limit")
	case err != nil:
		return words.Raw(value)
	case key == run.KeyMaxAllowedDeletions && n == 0:
		return is("none_allowed")
	case key == run.KeyMaxAllowedDeletions && at.Planned.Verdict != nil && at.Planned.Verdict.Users > 0:
		users := at.Planned.Verdict.Users
		return words.T("setting_value.limit_of", "n", n, "stops", at.Planned.Verdict.StopsWith(n, -1), "users", users)
	case key == run.KeyMaxAllowedDeletions:
		return is("percent")
	case key == run.KeyMaxSignInChanges && n == 0:
		return is("none_changes")
	case key == run.KeyMaxSignInChanges, key == run.KeyMaxChanges:
		return is("from_percent")
	case key == run.KeyShrinkShare && n == 0:
		return words.T("setting_value.any")
	case key == run.KeyShrinkShare:
		return is("below")
	case key == run.KeyDeleteAfter && n == 0:
		return words.T("setting_value.at_once")
	case key == run.KeyDeleteAfter:
		return is("days")
	case key == run.KeyMaxDeletions:
		return is("people")
	}
	return words.Raw(value)
}

// viewList is the list of the settings by group, with a mark at those that differ
// from the preset.
func (s *settingsStep) viewList(v *View) {
	v.Ask = Question{Kind: Choice, Text: words.T("home.settings_ask"), Enter: words.T("home.enter_change"), Head: []words.Text{words.T("home.s_setting"), words.T("home.s_value"), {}}}
	pairs, presets := s.settings.Pairs(), run.DefaultSettings().Pairs()
	differ := 0
	for _, g := range settingGroups() {
		keys := g.keys
		if g.name == "written" {
			keys = slices.Concat(keys, mapped(pairs))
		}
		for _, k := range keys {
			mark := words.Text{}
			if pairs[k] != presets[k] {
				differ++
				mark = words.Raw("*")
			}
			cells := []words.Text{settingName(k), settingValue(k, pairs[k], s.latest), mark}
			v.Ask.Options = append(v.Ask.Options, Option{
				Key: k, Text: settingName(k), Group: words.T("setting_group." + g.name), Cells: cells,
				Wide: append(slices.Clone(cells), words.Raw(k)),
				Detail: []words.Piece{
					words.Heading{Text: settingName(k), Aside: words.T("home.setting_key", "key", k)},
					words.Para{Text: words.T("setting." + settingWord(k))},
				},
			})
		}
	}
	if differ > 0 {
		v.Aside = words.T("home.settings_differ", "n", differ)
	}
	v.Ask.Preset = cmp.Or(s.key, run.KeyOnMissing)
	v.Commands = append(v.Commands, command("preset", "p", "preset", words.T("home.cmd_preset")).ofOption(words.T("home.s_setting")))
}

// mapped are the keys of mapped columns.
func mapped(pairs map[string]string) []string {
	var keys []string
	for k := range pairs {
		if strings.HasPrefix(k, keyColumn) {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	return keys
}

// viewValue asks for a new value: among the words, or typed.
func (s *settingsStep) viewValue(v *View) {
	now, preset := s.settings.Pairs()[s.key], run.DefaultSettings().Pairs()[s.key]
	v.Title, v.Aside = settingName(s.key), words.T("home.setting_key", "key", s.key)
	v.Blocks = append(v.Blocks, words.Para{Text: words.T("setting." + settingWord(s.key))})
	if list := run.SettingWords(s.key); list != nil {
		v.Ask = Question{Kind: Choice, Text: words.T("home.setting_choose"), Preset: now}
		for _, w := range list {
			text := settingValue(s.key, w, run.HomeDomain{})
			if w == preset {
				text = words.T("home.setting_preset", "value", text)
			}
			v.Ask.Options = append(v.Ask.Options, Option{Key: w, Text: text, Note: words.T("setting_note." + s.key + "." + w)})
		}
		return
	}
	v.Blocks = append(v.Blocks, words.Para{Text: words.T("home.setting_is", "value", settingValue(s.key, now, s.latest), "preset", settingValue(s.key, preset, run.HomeDomain{}))})
	v.Ask = Question{Kind: Line, Text: words.T("home.setting_ask", "takes", words.T("setting_takes."+settingWord(s.key))), Preset: cmp.Or(s.typed, now), Optional: true}
}

// viewMore asks once more where more would happen unattended, with the numbers of
// the latest dry run.
func (s *settingsStep) viewMore(v *View) {
	was, will := s.settings.Pairs()[s.key], s.next.Pairs()[s.key]
	v.Title = words.T("home.setting_more")
	v.Blocks = append(v.Blocks, words.Checks{{Mark: words.Warn, Text: words.T(
		"home.setting_more_what", "name", settingName(s.key), "was", settingValue(s.key, was, run.HomeDomain{}), "will", settingValue(s.key, will, run.HomeDomain{}),
	)}})
	latest := s.latest.Planned
	if s.latest.DryRun == nil || latest.Counts == nil || latest.Verdict == nil {
		v.Blocks = append(v.Blocks, words.Para{Text: words.T("home.setting_latest_none")})
	} else {
		c := latest.Counts
		said := []words.Text{words.T(
			"home.setting_latest", "run", int(s.latest.DryRun.No), "deletions", c.Delete, "blocks", c.Blocks,
			"changes", c.Changes()-c.Delete-c.Blocks, "users", latest.Verdict.Users,
		)}
		if s.key == run.KeyMaxAllowedDeletions || s.key == run.KeyMaxDeletions {
			stops := func(x run.Settings) int {
				return latest.Verdict.StopsWith(x.Policy.MaxAllowedDeletions, x.Policy.MaxDeletions)
			}
			said = append(said, words.T("home.setting_latest_limit", "was", stops(s.settings), "will", stops(s.next)))
		}
		v.Blocks = append(v.Blocks, words.Para{Text: words.Is(words.Sentences(said))})
	}
	v.Ask = Question{Kind: Choice, Text: words.T("flow.choose"), Preset: "no", Options: []Option{
		{Key: "no", Text: words.T("home.setting_more_no")}, {Key: "yes", Text: words.T("home.setting_more_yes")},
	}}
}

// change takes a new value: it is refused, asked back, or kept.
func (s *settingsStep) change(d *data, text string) turn {
	text = strings.TrimSpace(text)
	if s.key == run.KeySource {
		text = sourceSpec(text, d.o.Windows)
	}
	s.typed = text
	next, err := s.settings.With(s.key, text)
	if err != nil {
		s.err, s.asks = err, askValue
		return turn{}
	}
	s.next = next
	if s.settings.MoreUnattended(s.key, next) {
		s.asks = askMore
		return turn{}
	}
	return s.keep(d)
}

// keep stores the value; a source is looked at first.
func (s *settingsStep) keep(d *data) turn {
	kv := map[string]string{s.key: s.typed}
	s.working = words.T("home.settings_keeping")
	if s.key != run.KeySource || s.typed == "" {
		return does(keepSettings(d, kv))
	}
	s.working = words.T("home.settings_looking")
	domain, engine, spec, store := d.domain, d.engine(), s.typed, keepSettings(d, kv)
	return does(effect(func(ctx context.Context, r Reporter) any {
		if _, err := engine(r).LookAtSource(ctx, domain, spec); err != nil {
			return settingsKept{err: err}
		}
		return store.run(ctx, r)
	}))
}

// sourceSpec is a source as it is stored: hac, or csv: and a path, also of a file
// that was dropped into the window.
func sourceSpec(text string, windows bool) string {
	switch strings.ToLower(input.Fold(text)) {
	case "":
		return ""
	case "hac", "api":
		return "hac"
	}
	path, ok := strings.CutPrefix(text, csvPrefix)
	if !ok {
		if kind, rest, found := strings.Cut(strings.Replace(text, "：", ":", 1), ":"); found && strings.EqualFold(input.Fold(kind), "csv") {
			path = rest
		}
	}
	return csvPrefix + filePath(path, windows)
}
