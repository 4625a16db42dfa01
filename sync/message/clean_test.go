package message

import (
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// harmful finds the characters that must never reach a terminal or change its
// direction, written out here and not taken from the functions under test.
func harmful(s string) (rune, bool) {
	for _, r := range s {
		if r < 0x20 || r == 0x7f || r >= 0x80 && r < 0xa0 ||
			strings.ContainsRune("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u2028\u2029\ufeff\u200b", r) {
			return r, true
		}
	}
	return 0, false
}

// hostile draws strings with many of the characters that matter, and bytes that are
// not UTF-8.
func hostile() *rapid.Generator[string] {
	nasty := rapid.SampledFrom([]rune("\x00\x07\x08\t\n\r\x1b\x7f\u0080\u009b\u061c\u200b\u200d\u200e\u202e\u2028\u2066\u2069\ufeff\ufff9\U000e0041\u3000 aб山\U000e0100"))
	mixed := rapid.StringOf(rapid.OneOf(nasty, rapid.Rune()))
	raw := rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) })
	return rapid.OneOf(mixed, raw)
}

func TestRule10_CleanLeavesNothingThatSteersATerminal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := hostile().Draw(t, "s")
		got := Clean(s)
		if r, bad := harmful(got); bad {
			t.Fatalf("Clean(%q) = %q holds %U", s, got, r)
		}
		if !utf8.ValidString(got) {
			t.Fatalf("Clean(%q) = %q is not UTF-8", s, got)
		}
		if again := Clean(got); again != got {
			t.Fatalf("Clean is not stable: %q, then %q", got, again)
		}
	})
}

func TestRule10_RevealLeavesNothingThatSteersATerminal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := hostile().Draw(t, "a"), hostile().Draw(t, "b")
		x, y := RevealChange(a, b)
		for _, got := range []string{Reveal(a), x, y} {
			if r, bad := harmful(got); bad {
				t.Fatalf("%q holds %U", got, r)
			}
			if !utf8.ValidString(got) {
				t.Fatalf("%q is not UTF-8", got)
			}
		}
	})
}

func TestClean_KeepsWhatNamesAreWrittenWith(t *testing.T) {
	for in, want := range map[string]string{
		"山田　太郎":              "山田　太郎", // ideographic space
		"渡邉\U000e0100":       "渡邉\U000e0100",
		"O’Brien":            "O’Brien",
		"می\u200cخواهم":      "می\u200cخواهم",
		"a\u00a0b":           "a\u00a0b",
		"one\r\ntwo\tthree":  "one  two three",
		"\x1b]0;title\x07x":  "]0;titlex",
		"x\xffy":             "x\ufffdy",
		"moc.elpmaxe\u202e@": "moc.elpmaxe@",
	} {
		if got := Clean(in); got != want {
			t.Errorf("Clean(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestReveal_ShowsWhatIsInvisibleOrLooksAlike(t *testing.T) {
	for in, want := range map[string]string{
		"Taro Yamada":         "Taro Yamada",
		"佐藤　恵":                "佐藤<U+3000>恵",
		" x  y ":              "<U+0020>x<U+0020><U+0020>y<U+0020>",
		"a\u200bb":            "a<U+200B>b",
		"渡邉\U000e0100":        "渡邉<U+E0100>",
		"m\u0430ri":           "m<U+0430>ri", // Cyrillic а in a Latin word
		"Мария":               "Мария",
		"x\x1b":               "x<U+001B>",
		"x\xff":               "x<FF>",
		"x\ufffd":             "x\ufffd",
		"admin\u202e@example": "admin<U+202E>@example",
		"":                    "",
	} {
		if got := Reveal(in); got != want {
			t.Errorf("Reveal(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestRevealChange_ShowsSpacesWhereTheyDiffer(t *testing.T) {
	for _, tc := range [][4]string{
		{"佐藤　恵", "佐藤 恵", "佐藤<U+3000>恵", "佐藤<U+0020>恵"},
		{"佐藤　花", "高橋 花", "佐藤<U+3000>花", "高橋<U+0020>花"},
		{"John Smith", "John A Smith", "John Smith", "John A Smith"},
		{"John Smith", "JohnSmith", "John<U+0020>Smith", "JohnSmith"},
		{"same one", "same one", "same one", "same one"},
		{"渡邉 太郎", "渡辺 太郎", "渡邉<U+0020>太郎", "渡辺<U+0020>太郎"},
	} {
		if before, after := RevealChange(tc[0], tc[1]); before != tc[2] || after != tc[3] {
			t.Errorf("RevealChange(%q, %q) = %q, %q", tc[0], tc[1], before, after)
		}
	}
}
