package flow

import (
	"strings"

	"github.com/hacsync/hacsync/sync/plan"
)

// searcher finds what a person types in names as the planner compares them:
// 渡辺, 渡邉 and 渡邊 find each other, so do ﾜﾀﾅﾍﾞ and ワタナベ, Ａ and a. In quotes
// a text finds only itself.
type searcher struct {
	exact  string
	folded string
	fold   func(string) string
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
	f := plan.NameFolder()
	return searcher{folded: f(query), fold: f}
}

func (s searcher) empty() bool { return s.exact == "" && s.folded == "" }

func (s searcher) matches(texts ...string) bool {
	for _, t := range texts {
		if s.exact != "" && strings.Contains(t, s.exact) || s.folded != "" && strings.Contains(s.fold(t), s.folded) {
			return true
		}
	}
	return false
}
