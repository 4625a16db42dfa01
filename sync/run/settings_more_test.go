package run

import "testing"

// What lets an unattended run do more is known of every key, in one direction.
func TestSettings_KnowWhatMakesMoreHappenUnattended(t *testing.T) {
	known := map[string]bool{}
	for _, x := range []struct {
		key, less, more string
	}{
		{KeyMaxAllowedDeletions, "10", "11 %"},
		{KeyMaxDeletions, "5", "none"},
		{KeyMaxDeletions, "5人", "６"},
		{KeyMaxSignInChanges, "0", "30"},
		{KeyMaxChanges, "50", "no limit"},
		{KeyShrinkShare, "50", "0"},
		{KeyOnMissing, "keep", "block"},
		{KeyOnMissing, "block", "delete"},
		{KeyDeleteAfter, "20日", "at once"},
		{KeyOnEmpty, "clear-known", "clear"},
		{KeyOnDisabled, "ignore", "block-sign-in"},
		{KeyChangeAlias, "no", "yes"},
		{KeyResetPasswords, "no", "yes"},
		{KeyProtected, "a@b.example,c@b.example", "a@b.example"},
	} {
		known[x.key] = true
		less, err := DefaultSettings().With(x.key, x.less)
		if err != nil {
			t.Fatalf("%s=%s: %v", x.key, x.less, err)
		}
		more, err := less.With(x.key, x.more)
		if err != nil {
			t.Fatalf("%s=%s: %v", x.key, x.more, err)
		}
		if !less.MoreUnattended(x.key, more) || more.MoreUnattended(x.key, less) || less.MoreUnattended(x.key, less) {
			t.Errorf("%s: %s to %s is not more, or the way back is", x.key, x.less, x.more)
		}
		for _, other := range settingsTable() {
			if other.key != x.key && less.MoreUnattended(other.key, more) {
				t.Errorf("%s is changed, and %s does more", x.key, other.key)
			}
		}
	}
	// These let nothing happen that did not.
	for _, x := range [][2]string{{KeySource, "hac"}, {KeySourceName, "other"}, {KeySourceZone, "UTC"}, {KeyImmutableIDChange, "ask"}} {
		known[x[0]] = true
		was := DefaultSettings()
		if will, err := was.With(x[0], x[1]); err != nil || was.MoreUnattended(x[0], will) {
			t.Errorf("%s: %v", x[0], err)
		}
	}
	for _, x := range settingsTable() {
		if !known[x.key] {
			t.Errorf("%s: not known whether it lets an unattended run do more", x.key)
		}
	}
	if back, err := DefaultSettings().With(KeySourceZone, ""); err != nil || back.Zone.String() != defaultZone {
		t.Errorf("%v %v", back.Zone, err)
	}
}
