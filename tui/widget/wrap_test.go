package widget

import (
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestWrap_BreaksLinesByTheRulesOfJapanese(t *testing.T) {
	for _, x := range []struct {
		width int
		text  string
		want  string
	}{
		{17, "サンプルを使います。データは外に出ません。", "サンプルを使いま|す。データは外に|出ません。"},
		{12, "次のページが開きます", "次のページが|開きます"},
		{12, "HENNGE や Microsoft が作成", "HENNGE や|Microsoft が|作成"},
		{20, "同期はすべて完了しません。", "同期はすべて完了しま|せん。"},
		{20, "同期はすべてを完了させ。", "同期はすべてを完了|させ。"},
		{20, "約 15 分、設定にかかる 30 日間", "約 15 分、設定にかか|る 30 日間"},
		{20, "あああああああああ 30 日間です", "あああああああああ|30 日間です"},
		{20, "接続に --connection NAME を指定", "接続に --connection|NAME を指定"},
		{20, "名前は y.hara@midori.example です", "名前は|y.hara@midori.exampl|e です"},
		{30, "名前は y.hara@midori.example です。", "名前は y.hara@midori.example|です。"},
		{24, "開く https://login.example/common/oauth2?code=12345678 です", "開く|https://login.example/|common/oauth2?code=|12345678 です"},
		{20, "ﾃｽﾄﾃｽﾄﾃｽﾄﾃｽﾄﾃｽﾄｱｲｳ｡", "ﾃｽﾄﾃｽﾄﾃｽﾄﾃｽﾄﾃｽﾄｱｲｳ｡"},
		{20, "the whole sync goes on a", "the whole sync goes|on a"},
		{24, "set it to 30 minutes or 10 % of all", "set it to 30 minutes or|10 % of all"},
		{20, "write it to a file .csv , then", "write it to a file|.csv , then"},
	} {
		if got := strings.Join(Wrap(x.text, x.width), "|"); got != x.want {
			t.Errorf("Wrap(%q, %d) = %q, want %q", x.text, x.width, got, x.want)
		}
	}
}

// wrapWords are what sentences are made of, whatever stands beside what.
var wrapWords = []string{
	"ユーザー", "を", "同期します", "。", "、", "「", "」", "(", ")", " ", " ", " ", "っ", "ー", "渡辺", "々", "｡", "ｰ", "ﾃｽﾄ",
	"--state", "y.hara@a.example", "csv:/a/b.csv", "hacsync", "Microsoft 365", "15 分", "30 日間", "10 %", "4,541 人", "2 hours", "a", ", ", ". ", ": ",
}

func TestWrap_ObeysEveryRuleWhateverTheText(t *testing.T) {
	whole := []string{"--state", "y.hara@a.example", "csv:/a/b.csv", "hacsync", "Microsoft", "15 分", "30 日間", "10 %", "4,541 人", "2 hours"}
	rapid.Check(t, func(t *rapid.T) {
		list := rapid.SliceOfN(rapid.SampledFrom(wrapWords), 0, 40).Draw(t, "words")
		for i, w := range list { // Latin words have spaces around them
			if w[0] < utf8.RuneSelf && len(w) > 2 {
				list[i] = " " + w + " "
			}
		}
		s := strings.TrimSpace(strings.Join(list, ""))
		width := rapid.IntRange(24, 60).Draw(t, "width")
		lines := Wrap(s, width)
		bare := func(s string) string { return strings.ReplaceAll(s, " ", "") }
		if bare(strings.Join(lines, "")) != bare(s) {
			t.Fatalf("%q became %q", s, lines)
		}
		for _, w := range whole {
			n := 0
			for _, l := range lines {
				n += strings.Count(l, w)
			}
			if n != strings.Count(s, w) {
				t.Fatalf("%q is parted: %q", w, lines)
			}
		}
		for i, l := range lines {
			first, _ := utf8.DecodeRuneInString(l)
			last, _ := utf8.DecodeLastRuneInString(l)
			switch {
			case Width(l) > width || !utf8.ValidString(l):
				t.Fatalf("%q is wider than %d", l, width)
			case i > 0 && strings.ContainsRune("、。」)ーっ々｡ｰ,:", first) && !chained(lines[i-1]):
				t.Fatalf("%q begins with %q: %q", l, first, lines)
			case i < len(lines)-1 && strings.ContainsRune("「(", last) && !chained(l):
				t.Fatalf("%q ends with %q: %q", l, last, lines)
			case i == len(lines)-1 && i > 0 && alone(l) && !chained(lines[i-1]):
				t.Fatalf("%q stands alone: %q", l, lines)
			}
		}
	})
}

// chained reports that a line has no place where it may end.
func chained(l string) bool {
	for i := range l {
		if breaks(l, i) && strings.TrimSpace(l[:i]) != "" {
			return false
		}
	}
	return true
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
