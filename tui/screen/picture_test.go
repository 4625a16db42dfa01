package screen

import (
	"encoding/xml"
	"flag"
	"fmt"
	"image/color"
	"os"
	"strings"
	"testing"

	uv "github.com/charmbracelet/ultraviolet"
)

// assets/pictures/preview.sh captures a screen of the program and makes the
// picture in the README of it with these.
var (
	pictureFrom = flag.String("picture-from", "", "a captured screen, with its styles")
	pictureTo   = flag.String("picture-to", "", "the picture to make of it, an SVG")
)

// The size of a cell of the picture, and the room around.
const (
	cellWide, cellHigh = 8.4, 18
	margin             = 14
	paper, ink         = "#0d1117", "#e6e6e6"
)

func TestPicture_IsMadeOfAScreen(t *testing.T) {
	if *pictureFrom == "" {
		t.Skip("no screen was given")
	}
	raw, err := os.ReadFile(*pictureFrom)
	if err != nil {
		t.Fatal(err)
	}
	screen := strings.TrimRight(strings.ReplaceAll(string(raw), "\r", ""), "\n")
	width := 0
	for l := range strings.SplitSeq(screen, "\n") {
		width = max(width, uv.NewStyledString(l).Bounds().Dx())
	}
	if err := os.WriteFile(*pictureTo, []byte(svg(screen, width, strings.Count(screen, "\n")+1)), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestPicture_PlacesEveryTextByItsColumn(t *testing.T) {
	got := svg("\x1b[31mred\x1b[m a<b\n\x1b[7m山\x1b[m x", 10, 2)
	if err := xml.Unmarshal([]byte(got), new(struct{})); err != nil {
		t.Fatalf("%v:\n%s", err, got)
	}
	for _, want := range []string{
		`>red</text>`,
		`a&lt;b`,
		fmt.Sprintf(`<rect x="%.1f" y="%d" width="%.1f"`, float64(margin), margin+cellHigh, 2*cellWide),
		fmt.Sprintf(`<text x="%.1f" y="%d" fill=%q textLength="%.1f"`, float64(margin), margin+2*cellHigh-5, paper, 2*cellWide),
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in\n%s", want, got)
		}
	}
}

// textRun is text of one style from a column on.
type textRun struct {
	from, cells int
	text        string
	style       uv.Style
	class       class
}

// class groups characters that a font draws in the same width.
type class uint8

const (
	latin class = iota
	wide
	sign
)

func classOf(c *uv.Cell) class {
	switch {
	case c.Width > 1:
		return wide
	case c.Content > "\u00ff":
		return sign
	}
	return latin
}

// svg draws a screen: each run of one style is a text that is held to the width
// of its cells, whatever font shows it.
func svg(screen string, width, height int) string {
	buf := uv.NewScreenBuffer(width, height)
	uv.NewStyledString(screen).Draw(buf, buf.Bounds())
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %d" font-family="ui-monospace, 'DejaVu Sans Mono', 'Noto Sans Mono CJK JP', Menlo, Consolas, monospace" font-size="14">`+"\n",
		float64(width)*cellWide+2*margin, height*cellHigh+2*margin)
	fmt.Fprintf(&b, `<rect width="100%%" height="100%%" rx="8" fill="%s"/>`+"\n", paper)
	for y := range height {
		for _, r := range runs(buf.Line(y)) {
			draw(&b, r, y)
		}
	}
	return b.String() + "</svg>\n"
}

func runs(line uv.Line) []textRun {
	var out []textRun
	for x := 0; x < len(line); x++ {
		c := line.At(x)
		if c == nil || c.Width == 0 {
			continue
		}
		n := len(out) - 1
		class := classOf(c)
		if n < 0 || !out[n].style.Equal(&c.Style) || out[n].class != class {
			out = append(out, textRun{from: x, style: c.Style, class: class})
			n++
		}
		out[n].text += c.Content
		out[n].cells += c.Width
	}
	return out
}

func draw(b *strings.Builder, r textRun, y int) {
	fg, bg := hex(r.style.Fg, ink), hex(r.style.Bg, "")
	if r.style.Attrs&uv.AttrReverse != 0 {
		fg, bg = firstColor(bg, paper), fg
	}
	x, cells := float64(margin)+float64(r.from)*cellWide, float64(r.cells)*cellWide
	if bg != "" {
		fmt.Fprintf(b, `<rect x="%.1f" y="%d" width="%.1f" height="%d" fill="%s"/>`+"\n", x, margin+y*cellHigh, cells, cellHigh, bg)
	}
	trimmed := strings.TrimLeft(r.text, " ")
	x += float64(len(r.text)-len(trimmed)) * cellWide
	cells -= float64(len(r.text)-len(trimmed)) * cellWide
	r.text = strings.TrimRight(trimmed, " ")
	cells -= float64(len(trimmed)-len(r.text)) * cellWide
	if r.text == "" {
		return
	}
	weight := ""
	if r.style.Attrs&uv.AttrBold != 0 {
		weight = ` font-weight="bold"`
	}
	var text strings.Builder
	_ = xml.EscapeText(&text, []byte(r.text))
	fmt.Fprintf(b, `<text x="%.1f" y="%d" fill="%s" textLength="%.1f" lengthAdjust="spacingAndGlyphs" xml:space="preserve"%s>%s</text>`+"\n",
		x, margin+(y+1)*cellHigh-5, fg, cells, weight, text.String())
}

func hex(c color.Color, otherwise string) string {
	if c == nil {
		return otherwise
	}
	r, g, b, _ := c.RGBA()
	return fmt.Sprintf("#%02x%02x%02x", r>>8, g>>8, b>>8)
}

func firstColor(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
