package screen

import (
	"strings"

	"github.com/hacsync/hacsync/tui/widget"
	"github.com/hacsync/hacsync/tui/words"
)

// chartHeight is how many lines the columns of a chart take.
const chartHeight = 3

// chart draws columns side by side, the latest at the right. The sign below a
// column says how it ended: colour alone never does.
func (p *page) chart(c words.Chart) {
	e := p.e
	bars := c.Bars
	if n := p.text() - 4; len(bars) > n {
		bars = bars[len(bars)-n:]
	}
	if len(bars) == 0 {
		return
	}
	most := max(1, words.Chart{Bars: bars}.Most())
	p.blank()
	p.add(e.Styles.Label, widget.Wrap(e.Say(c.Name)+"  "+e.T("tui.chart_most", "n", most,
		"from", words.Brief(bars[0].At), "to", words.Brief(bars[len(bars)-1].At)), p.text())...)
	for line := chartHeight; line > 0; line-- {
		var b strings.Builder
		for _, bar := range bars {
			// One cell as soon as there is something.
			filled := (bar.Value*chartHeight + most - 1) / most
			if filled >= line {
				b.WriteString(e.Signs.Full)
			} else {
				b.WriteByte(' ')
			}
		}
		p.add(e.Styles.Bar, "  "+b.String())
	}
	var b strings.Builder
	for _, bar := range bars {
		switch bar.Mark {
		case words.Stops:
			b.WriteByte('x')
		case words.Warn:
			b.WriteByte('!')
		default:
			b.WriteByte('.')
		}
	}
	p.add(e.Styles.Faint, "  "+b.String())
}
