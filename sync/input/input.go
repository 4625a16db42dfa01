// Package input reads what users type and save: digits and words from a Japanese
// input method, and text files in the encoding that their editor or shell chose.
// Start with Fold for typed text, with File for files.
package input

import (
	"strconv"
	"strings"

	"golang.org/x/text/unicode/norm"
)

// Fold returns a typed text in the form in which it is compared: after NFKC, so
// that １１ is 11, and without spaces around it.
func Fold(s string) string { return strings.TrimSpace(norm.NFKC.String(s)) }

// Number reads a number of 0 or more as users type it: also 4,347 and ４３４７. It
// reports false for anything else.
func Number(s string) (int, bool) {
	n, err := strconv.Atoi(strings.NewReplacer(",", "", " ", "", "_", "").Replace(Fold(s)))
	return n, err == nil && n >= 0
}

// Percent reads a number with or without a percent sign. It reports false for
// anything else.
func Percent(s string) (int, bool) { return Of(s, "%", "percent", "パーセント") }

// Of reads a number with or without one of the units after it, in any case: 20日 and
// ２０ days for 日 and days. It reports false for another unit.
func Of(s string, units ...string) (int, bool) {
	s = strings.ToLower(Fold(s))
	for _, unit := range units {
		if n, ok := strings.CutSuffix(s, unit); ok {
			return Number(n)
		}
	}
	return Number(s)
}

// Days reads a number of days, with or without a unit. It reports false for
// anything else.
func Days(s string) (int, bool) { return Of(s, "日間", "日", "days", "day", "d") }

// Yes reports whether an answer to a yes-or-no question is yes, in English or
// Japanese.
func Yes(s string) bool {
	switch strings.ToLower(Fold(s)) {
	case "y", "yes", "はい", "ハイ":
		return true
	}
	return false
}
