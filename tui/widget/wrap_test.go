package widget

import (
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestWrap_JapaneseNeverBeginsALineWithAClosingMark(t *testing.T) {
	for _, x := range []struct {
		text string
		want []string
	}{
		{"サンプルを使います。データは外に出ません。", []string{"サンプルを使いま", "す。データは外に", "出ません。"}},
		{"次のページが開きます", []string{"次のページが", "開きます"}},
		{"HENNGE や Microsoft が作成", []string{"HENNGE や", "Microsoft が", "作成"}},
	} {
		width := 17
		if strings.HasPrefix(x.text, "次") || strings.HasPrefix(x.text, "H") {
			width = 12
		}
		if got := Wrap(x.text, width); strings.Join(got, "|") != strings.Join(x.want, "|") {
			t.Errorf("Wrap(%q, %d) = %q, want %q", x.text, width, got, x.want)
		}
	}
}

func TestWrap_LosesNothingAndFits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringOfN(rapid.SampledFrom([]rune("ab (、。ーっ渡辺」「 ")), 0, 80, -1).Draw(t, "s")
		width := rapid.IntRange(10, 40).Draw(t, "width")
		lines := Wrap(s, width)
		bare := func(s string) string { return strings.ReplaceAll(s, " ", "") }
		if bare(strings.Join(lines, "")) != bare(s) {
			t.Fatalf("%q became %q", s, lines)
		}
		for _, l := range lines {
			if Width(l) > width || !utf8.ValidString(l) {
				t.Fatalf("%q is wider than %d", l, width)
			}
		}
	})
}
