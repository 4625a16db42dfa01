package screen

import (
	"github.com/hacsync/hacsync/tui/widget"
	"github.com/hacsync/hacsync/tui/words"
)

// dryRun shows both sides being read: what it is about, the bars, and below them
// why all of it is read.
type dryRun struct{ *general }

func newDryRun(e *env) *dryRun { return &dryRun{newGeneral(e)} }

// View draws the screen.
func (d *dryRun) View(width, height int) frame {
	body := d.body(width, height)
	return d.frame(body, d.keys())
}

func (d *dryRun) body(width, height int) string {
	if d.v.Work == nil {
		return d.general.body(width, height)
	}
	d.pinned = nil
	p := d.draw(width, true)
	if len(p.lines) > height {
		p = d.draw(width, false)
	}
	return d.arrange(p.lines, width, height)
}

func (d *dryRun) draw(width int, air bool) *page {
	p := newPage(d.e, width)
	p.title(d.v.Title)
	first := min(1, len(d.v.Blocks))
	if !air {
		for _, b := range d.v.Blocks[:first] {
			if x, ok := b.(words.Para); ok {
				p.add(d.e.Styles.Text, widget.Wrap(d.e.Say(x.Text), p.text())...)
			}
		}
		p.blank()
	} else {
		p.pieces(d.v.Blocks[:first])
	}
	p.reading(d.v.Work, air)
	p.blank()
	p.pieces(d.v.Blocks[first:])
	return p
}
