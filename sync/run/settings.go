package run

import (
	"context"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/input"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/source"
)

// The keys of a domain's settings. Custom attributes of the source are mapped
// with map.<column>=<attribute>.
const (
	KeySource              = "source"
	KeyMaxAllowedDeletions = "max_allowed_deletions"
	KeyMaxDeletions        = "max_deletions"
	KeyMaxSignInChanges    = "max_sign_in_changes"
	KeyOnEmpty             = "on_empty"
	KeyOnDisabled          = "on_disabled"
	KeyImmutableIDChange   = "immutable_id_change"
	KeyChangeAlias         = "change_alias"
	KeyProtected           = "protected"
	KeyResetPasswords      = "reset_passwords"
	KeyShrinkShare         = "shrink_share"
	KeyMaxChanges          = "max_changes"
	KeyOnMissing           = "on_missing"
	KeyDeleteAfter         = "delete_after"
	KeySourceName          = "source_name"
	KeySourceZone          = "source_zone"
	keyMap                 = "map."
)

// DefaultSourceName is the name of a HAC whose exports are read as files.
const DefaultSourceName = "hac"

// defaultZone is the zone of times in an export of HAC, which names none.
const defaultZone = "Asia/Tokyo"

// presetDeleteAfter is how many days an account is blocked before it is deleted.
const presetDeleteAfter = 20

// Settings are a domain's settings as stored, typed. Keys and words are those
// of hacsync settings.
type Settings struct {
	Source string
	// SourceName is which HAC a file is of, for what is remembered of its users.
	SourceName string
	// Zone is the zone of the times in a file, which names none.
	Zone *time.Location
	// Count is what HAC says it has (--source-count), -1 unanswered. It is
	// never stored: it belongs to one download.
	Count    int
	Policy   plan.Policy
	Mappings []source.Mapping
	// ShrinkShare: a side smaller than this share (percent) of its last good
	// run is refused; 0 turns the check off.
	ShrinkShare int
}

// setting is one key of a domain's settings. What it is and what it takes, in
// words, are setting.KEY and setting_takes.KEY of the catalogue.
type setting struct {
	key string
	// preset is the value where none was set; empty for none.
	preset string
	// planned: a plan rests on it, so that it is in the plan file and changes the
	// fingerprint.
	planned bool
	// words are the values of a setting that has one of some words.
	words []string
	read  func(*Settings, string) bool
	write func(Settings) string
	// check refuses a value that can be read and must not be set; nil refuses none. A
	// value that is stored already is read as it is.
	check func(Settings) error
}

// zone is a time zone by its name, in either width, or as it is called in Japan.
func zone(v string) (*time.Location, bool) {
	v = input.Fold(v)
	switch strings.ToLower(v) {
	case "", "local":
		return nil, false // it would differ between machines
	case "jst", "japan", "日本", "日本時間":
		v = defaultZone
	}
	at, err := time.LoadLocation(v)
	return at, err == nil
}

// people reads a number of people, and takes no percentage for one.
func people(v string) (int, bool) { return input.Of(v, "人", "名", "件", "users", "deletions") }

// settingsTable has every key but map.*, a row each.
func settingsTable() []setting {
	return []setting{
		{
			key: KeySource,
			read: func(s *Settings, v string) bool {
				s.Source = v
				kind, rest, _ := strings.Cut(v, ":")
				return v == "hac" || kind == "csv" && strings.TrimSpace(rest) != ""
			},
			write: func(s Settings) string { return s.Source },
		},
		{
			key: KeySourceName, preset: DefaultSourceName,
			read: func(s *Settings, v string) bool {
				s.SourceName = v
				return v != "" && len(v) <= 64 && !strings.ContainsAny(v, "\n\r\t")
			},
			write: func(s Settings) string { return s.SourceName },
		},
		{
			key: KeySourceZone, preset: defaultZone,
			read: func(s *Settings, v string) (ok bool) {
				s.Zone, ok = zone(v)
				return ok
			},
			write: func(s Settings) string { return s.Zone.String() },
		},
		number(KeyShrinkShare, "50", false, upTo(100, input.Percent), func(s *Settings) *int { return &s.ShrinkShare }),
		number(KeyMaxAllowedDeletions, "10", true, upTo(100, input.Percent), func(s *Settings) *int { return &s.Policy.MaxAllowedDeletions }),
		number(KeyMaxDeletions, "none", true, orNone(upTo(1<<30, people)), func(s *Settings) *int { return &s.Policy.MaxDeletions }),
		number(KeyMaxSignInChanges, "30", true, upTo(100, input.Percent), func(s *Settings) *int { return &s.Policy.MaxSignInChanges }),
		number(KeyMaxChanges, "50", true, upTo(100, orZero(input.Percent, "none", "no limit", "なし", "制限なし")), func(s *Settings) *int { return &s.Policy.MaxChanges }),
		oneOf(KeyOnMissing, func(s *Settings) *plan.OnMissing { return &s.Policy.OnMissing }, plan.DeleteMissing, plan.BlockMissing, plan.KeepMissing),
		number(KeyDeleteAfter, "0", true, upTo(365, orZero(input.Days, "at once", "すぐに")), func(s *Settings) *int { return &s.Policy.DeleteAfter }),
		oneOf(KeyOnEmpty, func(s *Settings) *plan.OnEmpty { return &s.Policy.OnEmpty }, plan.Keep, plan.ClearKnown, plan.Clear),
		either(KeyOnDisabled, "ignore", "block-sign-in", func(s *Settings) *bool { return &s.Policy.BlockDisabled }),
		either(KeyImmutableIDChange, "skip", "ask", func(s *Settings) *bool { return &s.Policy.AskImmutableID }),
		either(KeyChangeAlias, "no", "yes", func(s *Settings) *bool { return &s.Policy.ChangeAlias }, "false", "true"),
		either(KeyResetPasswords, "no", "yes", func(s *Settings) *bool { return &s.Policy.ResetPasswords }, "false", "true"),
		{
			key: KeyProtected, planned: true,
			read: func(s *Settings, v string) bool {
				s.Policy.Protected = nil
				for _, one := range strings.FieldsFunc(v, func(r rune) bool { return strings.ContainsRune(",;、，；", r) }) {
					if one = input.Fold(one); one != "" {
						s.Policy.Protected = append(s.Policy.Protected, one)
					}
				}
				return true
			},
			write: func(s Settings) string { return strings.Join(s.Policy.Protected, ",") },
			check: func(s Settings) error { return namesNobody(s.Policy.Protected) },
		},
	}
}

// SettingWords are the values of a key that takes one of some words, the preset
// first; nil for the other keys.
func SettingWords(key string) []string {
	t, _ := settingNamed(key)
	return t.words
}

// settingNamed is the row of a key.
func settingNamed(key string) (setting, bool) {
	for _, t := range settingsTable() {
		if t.key == key {
			return t, true
		}
	}
	return setting{}, false
}

// number is a setting that is a whole number; -1 is none.
func number(key, preset string, planned bool, of func(string) (int, bool), field func(*Settings) *int) setting {
	return setting{
		key: key, preset: preset, planned: planned,
		read: func(s *Settings, v string) (ok bool) {
			n, ok := of(v)
			if ok {
				*field(s) = n
			}
			return ok
		},
		write: func(s Settings) string {
			if n := *field(&s); n >= 0 {
				return strconv.Itoa(n)
			}
			return "none"
		},
	}
}

func upTo(high int, of func(string) (int, bool)) func(string) (int, bool) {
	return func(v string) (int, bool) {
		n, ok := of(v)
		return n, ok && n <= high
	}
}

func orNone(of func(string) (int, bool)) func(string) (int, bool) {
	return func(v string) (int, bool) {
		switch word(v) {
		case "none", "no limit", "なし", "制限なし":
			return -1, true
		}
		return of(v)
	}
}

// orZero also takes words that mean 0, as a screen shows it.
func orZero(of func(string) (int, bool), words ...string) func(string) (int, bool) {
	return func(v string) (int, bool) {
		if slices.Contains(words, word(v)) {
			return 0, true
		}
		return of(v)
	}
}

// oneOf is a setting of a plan that is one of some words, of which the first is
// the preset.
func oneOf[T ~string](key string, field func(*Settings) *T, words ...T) setting {
	list := make([]string, len(words))
	for i, w := range words {
		list[i] = string(w)
	}
	return setting{
		key: key, preset: list[0], planned: true, words: list,
		read: func(s *Settings, v string) bool {
			*field(s) = T(word(v))
			return slices.Contains(words, *field(s))
		},
		write: func(s Settings) string { return string(*field(&s)) },
	}
}

// either is a setting of a plan with two words; the first is the preset. Two more
// are taken for them.
func either(key, no, on string, field func(*Settings) *bool, too ...string) setting {
	return setting{
		key: key, preset: no, planned: true, words: []string{no, on},
		read: func(s *Settings, v string) bool {
			i := slices.Index(append([]string{no, on}, too...), word(v))
			*field(s) = i%2 == 1
			return i >= 0
		},
		write: func(s Settings) string {
			if *field(&s) {
				return on
			}
			return no
		},
	}
}

// word is a value that is one of some words, as it is compared.
func word(v string) string { return strings.ToLower(input.Fold(v)) }

// account is what can name an account: a UPN, as Microsoft 365 accepts one, or an
// object ID.
var account = regexp.MustCompile(`^([\w.'!#^~&+-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+|[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})$`)

// namesNobody refuses entries of a list of accounts that cannot name an account: the
// account that the user means would not be protected.
func namesNobody(entries []string) error {
	var wrong []string
	for _, e := range entries {
		if !account.MatchString(e) {
			wrong = append(wrong, e)
		}
	}
	if wrong == nil {
		return nil
	}
	return problem.New(problem.ProtectedNobody, problem.Args{"entries": strings.Join(wrong, ", "), "n": strconv.Itoa(len(wrong))})
}

// mappable are the attributes that a custom attribute of the source may be
// written to: plain strings that User.ReadWrite.All lets an application set.
func mappable() []directory.Attribute {
	return []directory.Attribute{
		"city", "companyName", directory.Department, "employeeId", "employeeType", "jobTitle",
		"officeLocation", "postalCode", "preferredLanguage", "state", "streetAddress", "country", directory.UsageLocation,
	}
}

// DefaultSettings are those of a domain where nothing was set.
func DefaultSettings() Settings {
	s := Settings{Count: -1, Policy: plan.DefaultPolicy()}
	for _, t := range settingsTable() {
		if t.preset != "" {
			t.read(&s, t.preset)
		}
	}
	return s
}

// ParseSettings types stored key=value pairs. An unknown key or a value that a
// key does not take is a problem that names it.
func ParseSettings(kv map[string]string) (Settings, error) {
	s := DefaultSettings()
	for _, k := range slices.Sorted(maps.Keys(kv)) {
		v := strings.TrimSpace(kv[k])
		if column, ok := strings.CutPrefix(k, keyMap); ok && column != "" {
			to := directory.Attribute(v)
			if !slices.Contains(mappable(), to) {
				return s, settingValue(k, v, "map")
			}
			s.Mappings = append(s.Mappings, source.Mapping{From: column, To: to})
			if !slices.Contains(s.Policy.Attributes, to) {
				s.Policy.Attributes = append(s.Policy.Attributes, to)
			}
			continue
		}
		t, ok := settingNamed(k)
		if !ok {
			keys := append(slices.Sorted(maps.Keys(DefaultSettings().Pairs())), keyMap+"COLUMN")
			return s, problem.New(problem.SettingUnknown, problem.Args{
				"key": k, "near": near(k, keys), "keys": strings.Join(keys, ", "),
			})
		}
		if !t.read(&s, v) {
			return s, settingValue(k, v, k)
		}
	}
	if s.Policy.OnMissing == plan.BlockMissing && s.Policy.DeleteAfter == 0 {
		if _, set := kv[KeyDeleteAfter]; set {
			return s, settingValue(KeyDeleteAfter, kv[KeyDeleteAfter], "delete_after_block")
		}
		s.Policy.DeleteAfter = presetDeleteAfter
	}
	return s, nil
}

// settingValue refuses a value; takes is the word of setting_takes that says what
// is taken.
func settingValue(key, value, takes string) error {
	return problem.New(problem.SettingValue, problem.Args{"key": key, "value": value, "takes": takes})
}

// Pairs are the settings as key=value, every key of them.
func (s Settings) Pairs() map[string]string {
	kv := map[string]string{}
	for _, t := range settingsTable() {
		kv[t.key] = t.write(s)
	}
	for _, m := range s.Mappings {
		kv[keyMap+m.From] = string(m.To)
	}
	return kv
}

// Settings reads a domain's settings; the domain must be a verified one of the
// tenant.
func (r *Runner) Settings(ctx context.Context, domain string) (Settings, error) {
	if err := r.verified(ctx, domain); err != nil {
		return Settings{}, err
	}
	return r.settings(ctx, domain)
}

// settings reads them without asking the tenant.
func (r *Runner) settings(ctx context.Context, domain string) (Settings, error) {
	kv, err := r.Store.Settings(ctx, r.Connection.Tenant, directory.FoldUPN(domain))
	if err != nil {
		return Settings{}, err
	}
	return ParseSettings(kv)
}

// SetSettings checks and stores key=value pairs; an empty value goes back to
// the preset. A key or value that is not known is a problem that names it, and
// nothing is stored.
func (r *Runner) SetSettings(ctx context.Context, domain string, kv map[string]string) error {
	if err := r.verified(ctx, domain); err != nil {
		return err
	}
	domain = directory.FoldUPN(domain)
	checked := map[string]string{}
	for k, v := range kv {
		if v = strings.TrimSpace(v); v != "" {
			checked[k] = v
			continue
		}
		if _, known := settingNamed(k); !known && !strings.HasPrefix(k, keyMap) {
			checked[k] = v // ParseSettings names it
		}
	}
	read, err := ParseSettings(checked)
	if err != nil {
		return err
	}
	if err := r.worthSetting(ctx, checked, read); err != nil {
		return err
	}
	// Stored as they are written, however they were typed.
	stored, written := maps.Clone(kv), read.Pairs()
	for k := range checked {
		stored[k] = written[k]
	}
	return r.Store.SetSettings(ctx, r.Connection.Tenant, domain, stored)
}

// worthSetting refuses a value that could be stored and would fail later, in an
// unattended run: a list that names no account, a file that does not exist.
func (r *Runner) worthSetting(ctx context.Context, set map[string]string, read Settings) error {
	for _, t := range settingsTable() {
		if _, ok := set[t.key]; !ok || t.check == nil {
			continue
		}
		if err := t.check(read); err != nil {
			return err
		}
	}
	if _, ok := set[KeySource]; !ok {
		return nil
	}
	// What is missing to sign in to an API may be set later.
	if from, err := r.OpenSource(ctx, read.Source, read); err == nil {
		if file, ok := from.(source.Checker); ok {
			return file.Check()
		}
	}
	return nil
}

// near is the word that is most like another one, empty if none is like it.
func near(typed string, words []string) string {
	typed = strings.NewReplacer("-", "_", " ", "_").Replace(word(typed))
	best, least := "", max(2, len(typed)/3)+1
	for _, w := range words {
		d := distance(typed, w)
		if typed != "" && (strings.HasPrefix(w, typed) || strings.Contains(w, "_"+typed)) {
			d = min(d, 1)
		}
		if d < least {
			best, least = w, d
		}
	}
	return best
}

// distance is how many letters must be changed, added or left out to make one
// word of another.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := before
			if a[i] != b[j] {
				change++
			}
			before = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
