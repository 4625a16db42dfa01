package flow

import (
	"strings"

	"github.com/hacsync/hacsync/sync/names"
)

// searcher finds what a person types in names as the planner compares them:
// 渡辺, 渡邉 and 渡邊 find each other, so do ﾜﾀﾅﾍﾞ and ワタナベ, Ａ and a. In quotes
// a text finds only itself.
type searcher struct {
	exact  string
	folded string
	// beyond: the search has characters beyond ASCII, which no folding makes of
	// ASCII: most UPNs need not be looked at.
	beyond bool
}

func newSearcher(query string) searcher {
	query = strings.TrimSpace(query)
	for _, q := range [...][2]string{{`"`, `"`}, {"“", "”"}, {"「", "」"}} {
		if in, ok := strings.CutPrefix(query, q[0]); ok {
			if in, ok := strings.CutSuffix(in, q[1]); ok && in != "" {
				return searcher{exact: in}
			}
		}
	}
	folded := names.Fold(query)
	return searcher{folded: folded, beyond: !ascii(folded)}
}

func (s searcher) empty() bool { return s.exact == "" && s.folded == "" }

func (s searcher) matches(texts ...string) bool {
	for _, t := range texts {
		if s.beyond && ascii(t) {
			continue
		}
		if s.exact != "" && strings.Contains(t, s.exact) || s.folded != "" && strings.Contains(names.Fold(t), s.folded) {
			return true
		}
	}
	return false
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
