package flow

import (
	"strings"

	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/tui/words"
)

// explaining asks for an error that a user saw elsewhere, and explains it.
type explaining struct {
	looked bool             // something was pasted
	found  *problem.Problem // nil: it is not known
}

// begin asks, and first explains p if that is the error in question already.
func (x *explaining) begin(p *problem.Problem) { x.looked, x.found = p != nil, p }

func (x *explaining) view(v *View) {
	switch {
	case x.found != nil:
		v.Blocks = append(v.Blocks, words.Trouble{Err: x.found})
	case x.looked:
		v.Blocks = append(v.Blocks, words.Para{Text: words.T("flow.explain.unknown")})
	}
	v.Title = words.T("flow.explain.title")
	v.Ask = Question{Kind: Line, Text: words.T("flow.explain.ask"), Optional: true}
}

// answer takes what was pasted; over: nothing was.
func (x *explaining) answer(d *data, pasted string) (over bool) {
	if strings.TrimSpace(pasted) == "" {
		return true
	}
	x.looked, x.found = true, d.b.Explain(pasted)
	return false
}
