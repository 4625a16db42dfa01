package words

import (
	"slices"
	"strings"

	"github.com/hacsync/hacsync/sync/input"
)

// Fold gives the form in which keys, words and searches are compared.
func Fold(s string) string { return strings.ToLower(input.Fold(s)) }

// RowNumbers reads "3, 5-7 9": row numbers up to last, in order, each once.
func RowNumbers(s string, last int) ([]int, bool) {
	s = strings.NewReplacer("、", " ", ",", " ", "..", "-", "~", "-").Replace(input.Fold(s))
	s = strings.ReplaceAll(strings.ReplaceAll(s, " -", "-"), "- ", "-")
	var out []int
	for _, f := range strings.Fields(s) {
		from, to, ranged := strings.Cut(f, "-")
		a, ok := input.Number(from)
		if !ok {
			return nil, false
		}
		b := a
		if ranged {
			if b, ok = input.Number(to); !ok {
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
