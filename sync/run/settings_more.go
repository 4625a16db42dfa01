package run

import (
	"slices"

	"github.com/hacsync/hacsync/sync/plan"
)

// MoreUnattended reports whether next lets an unattended run do more than s does, by
// one key: a user who changes that is asked once more.
func (s Settings) MoreUnattended(key string, next Settings) bool {
	was, will := s.Policy, next.Policy
	switch key {
	case KeyMaxAllowedDeletions:
		return will.MaxAllowedDeletions > was.MaxAllowedDeletions
	case KeyMaxDeletions:
		return looser(was.MaxDeletions, will.MaxDeletions, -1)
	case KeyMaxSignInChanges:
		return will.MaxSignInChanges > was.MaxSignInChanges
	case KeyMaxChanges:
		return looser(was.MaxChanges, will.MaxChanges, 0)
	case KeyShrinkShare:
		return next.ShrinkShare < s.ShrinkShare
	case KeyOnMissing:
		less := []string{string(plan.KeepMissing), string(plan.BlockMissing), string(plan.DeleteMissing)}
		return slices.Index(less, string(will.OnMissing)) > slices.Index(less, string(was.OnMissing))
	case KeyDeleteAfter:
		return will.DeleteAfter < was.DeleteAfter
	case KeyOnEmpty:
		less := []string{string(plan.Keep), string(plan.ClearKnown), string(plan.Clear)}
		return slices.Index(less, string(will.OnEmpty)) > slices.Index(less, string(was.OnEmpty))
	case KeyOnDisabled:
		return will.BlockDisabled && !was.BlockDisabled
	case KeyChangeAlias:
		return will.ChangeAlias && !was.ChangeAlias
	case KeyResetPasswords:
		return will.ResetPasswords && !was.ResetPasswords
	case KeyProtected:
		return slices.ContainsFunc(was.Protected, func(p string) bool { return !slices.Contains(will.Protected, p) })
	}
	return false
}

// looser reports whether a limit rises; none is no limit at all.
func looser(was, will, none int) bool {
	return was != none && (will == none || will > was)
}

// With returns the settings with a key set to a value as users type it, empty for
// the preset, and nothing stored.
func (s Settings) With(key, value string) (Settings, error) {
	kv := s.Pairs()
	for k, v := range kv { // an empty value of a key that is stored is not one
		if v == "" {
			delete(kv, k)
		}
	}
	if kv[key] = value; value == "" {
		delete(kv, key)
	}
	if s.Policy.OnMissing != plan.BlockMissing && key == KeyOnMissing && kv[KeyDeleteAfter] == "0" {
		delete(kv, KeyDeleteAfter) // its preset is another one then
	}
	next, err := ParseSettings(kv)
	next.Count = s.Count
	return next, err
}
