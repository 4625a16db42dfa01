package words

import (
	"slices"
	"strconv"
	"strings"

	"golang.org/x/text/unicode/norm"
)

// Tidy is typed text after NFKC, so that what a Japanese input method gives is
// understood: １１ is 11.
func Tidy(s string) string { return strings.TrimSpace(norm.NFKC.String(s)) }

// Fold is what keys, words and searches are compared by.
func Fold(s string) string { return strings.ToLower(Tidy(s)) }

// Number reads a number as people type it: 4,347 and ４３４７ too.
func Number(s string) (int, bool) {
	s = strings.NewReplacer(",", "", " ", "", "_", "").Replace(Tidy(s))
	n, err := strconv.Atoi(s)
	return n, err == nil && n >= 0
}

// RowNumbers reads "3, 5-7 9": row numbers up to last, in order, each once.
func RowNumbers(s string, last int) ([]int, bool) {
	s = strings.NewReplacer("、", " ", ",", " ", "..", "-", "~", "-").Replace(Tidy(s))
	s = strings.ReplaceAll(strings.ReplaceAll(s, " -", "-"), "- ", "-")
	var out []int
	for _, f := range strings.Fields(s) {
		from, to, ranged := strings.Cut(f, "-")
		a, ok := Number(from)
		if !ok {
			return nil, false
		}
		b := a
		if ranged {
			if b, ok = Number(to); !ok {
				return nil, false
			}
		}
		if a < 1 || b < a || b > last {
			return nil, false
		}
		for n := a; n <= b; n++ {
			out = append(out, n)
		}
	}
	slices.Sort(out)
	return slices.Compact(out), len(out) > 0
}
