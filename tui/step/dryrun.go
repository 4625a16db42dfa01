package step

import "github.com/hacsync/hacsync/tui/flow"

// dryRun shows both sides being read: what it is about, the bars, and below them
// why all of it is read.
type dryRun struct{ *General }

func newDryRun(e *Env) *dryRun { return &dryRun{NewGeneral(e)} }

// View draws the body.
func (d *dryRun) View(width, height int) string {
	w := d.v.Work
	if w == nil {
		return d.General.View(width, height)
	}
	d.pinned = nil
	p := newPage(d.e, width)
	p.title(d.v.Title)
	var rest []flow.Piece
	for i, b := range d.v.Blocks {
		if i == 0 {
			p.pieces([]flow.Piece{b})
			continue
		}
		rest = append(rest, b)
	}
	p.reading(w)
	p.blank()
	p.pieces(rest)
	return d.arrange(p.lines, width, height)
}
