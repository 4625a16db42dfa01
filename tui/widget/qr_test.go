package widget_test

import (
	"strings"
	"testing"

	"rsc.io/qr"

	"github.com/hacsync/hacsync/tui/widget"
)

const page = "https://microsoft.com/devicelogin"

// modules reads a drawn code back: true is dark.
func modules(t *testing.T, lines []string, s widget.Signs, dark bool) [][]bool {
	t.Helper()
	var out [][]bool
	for _, l := range lines {
		var up, down []bool
		if s.Half[0] == "" {
			for i := 0; i < len(l); i += 2 {
				up = append(up, (l[i] == ' ') == dark)
			}
			out = append(out, up)
			continue
		}
		for _, r := range l {
			u, d := r == '█' || r == '▀', r == '█' || r == '▄'
			up, down = append(up, u != dark), append(down, d != dark)
		}
		out = append(out, up, down)
	}
	return out
}

func TestQR_IsTheCodeWithItsQuietZoneOnDarkAndLight(t *testing.T) {
	code, err := qr.Encode(page, qr.L)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []widget.Signs{widget.Lines(), widget.ASCII()} {
		for _, dark := range []bool{true, false} {
			lines, w, h := s.QR(page, dark, 200, 100)
			if len(lines) != h || lines == nil {
				t.Fatalf("%d lines of %d", len(lines), h)
			}
			for _, l := range lines {
				if widget.Width(l) != w {
					t.Errorf("%d columns, want %d: %q", widget.Width(l), w, l)
				}
			}
			zone := (len(modules(t, lines, s, dark)[0]) - code.Size) / 2
			if zone != 4 {
				t.Errorf("a quiet zone of %d", zone)
			}
			for y, row := range modules(t, lines, s, dark) {
				for x, ink := range row {
					if want := code.Black(x-zone, y-zone); ink != want {
						t.Fatalf("module %d,%d is %v", x, y, ink)
					}
				}
			}
		}
	}
}

func TestQR_TakesNoMoreRoomThanThereIs(t *testing.T) {
	s := widget.Lines()
	_, w, h := s.QR(page, true, 0, 0)
	for _, x := range []struct {
		width, height int
		fits          bool
	}{{w, h, true}, {w - 1, h, false}, {w, h - 1, false}, {200, 100, true}} {
		lines, _, _ := s.QR(page, true, x.width, x.height)
		if (lines != nil) != x.fits {
			t.Errorf("%d by %d: %d lines", x.width, x.height, len(lines))
		}
		for _, l := range lines {
			if widget.Width(l) > x.width || len(lines) > x.height {
				t.Errorf("too large for %d by %d", x.width, x.height)
			}
		}
	}
	if lines, _, _ := s.QR(strings.Repeat("x", 8000), true, 500, 500); lines != nil {
		t.Error("a text that no code holds was drawn")
	}
}

func TestDots_ShowHowManyAndNotWhat(t *testing.T) {
	var in widget.Input
	in.Set("geheim 馬")
	text, at := in.Dots(20)
	if strings.TrimRight(text, " ") != "********" || at != 8 || widget.Width(text) != 20 {
		t.Errorf("%q %d", text, at)
	}
}
