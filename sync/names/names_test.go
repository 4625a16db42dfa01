package names

import (
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/hacsync/hacsync/sync/directory"
)

// A character is in its table once; form is what folding makes of characters before
// it uses the table.
func TestTables_HaveEachCharacterOnce(t *testing.T) {
	for name, c := range map[string]struct {
		table string
		form  func(string) string
	}{
		"variants":   {variants, norm.NFKC.String},
		"lookalikes": {lookalikes, func(s string) string { return strings.ToLower(norm.NFKD.String(s)) }},
	} {
		seen := map[rune]string{}
		for group := range strings.FieldsSeq(c.table) {
			if utf8.RuneCountInString(group) < 2 {
				t.Errorf("%s: %s stands for nothing", name, group)
			}
			for _, r := range group {
				if in, ok := seen[r]; ok {
					t.Errorf("%s: %c (%U) is in %s and in %s", name, r, r, in, group)
				}
				seen[r] = group
				if got := c.form(string(r)); got != string(r) {
					t.Errorf("%s: %c (%U) in %s is folded before: %q", name, r, r, group, got)
				}
			}
			if first, _ := utf8.DecodeRuneInString(group); name == "lookalikes" && (first < 'a' || first > 'z') {
				t.Errorf("%s: %s stands for %c", name, group, first)
			}
		}
	}
}

func TestLooksSame_WhatTheEyeCannotTellApart(t *testing.T) {
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"佐藤　花", "佐藤 花", true},
		{"Ａnn", "Ann", true},
		{"ﾜﾀﾅﾍﾞ", "ワタナベ", true},
		{"斉藤", "斎藤", true},
		{"渡邉 太郎", "渡辺 太郎", true},
		{"邉\U000e0100", "邉", true},
		{"Ann ", "Ann", true},
		{"Ann  B", "Ann B", true},
		{"a\u200bb", "ab", true},
		{"a\u3164b", "ab", true},
		{"a\tb", "a b", true},
		{"山田 太郎", "山田太郎", false}, // the space is seen
		{"ann", "Ann", false},
		{"ワタナベ", "わたなべ", false},
		{"佐藤", "高橋", false},
		{"same", "same", false},
		{"", " ", false},
	} {
		if LooksSame(c.a, c.b) != c.same || LooksSame(c.b, c.a) != c.same {
			t.Errorf("%q and %q: want %t", c.a, c.b, c.same)
		}
	}
}

func TestFold_IsOneForTheSpellingsOfAName(t *testing.T) {
	for want, all := range map[string][]string{
		"渡辺":       {"渡辺", "渡邉", "渡 邊", "渡邉\U000e0100", "渡\u200b辺", "　渡辺"},
		"わたなべ":     {"わたなべ", "ワタナベ", "ﾜﾀﾅﾍﾞ", "ワタ・ナベ"},
		"たろー":      {"タロー", "ﾀﾛｰ"},
		"obrien":   {"O'Brien", "O’Brien", "ＯＢＲＩＥＮ", "o brien", "obrien"},
		"yamada12": {"yamada12", "Yamada 12", "ＹＡＭＡＤＡ（１２）", "Yamada-12"},
		"":         {"", " ", "-", "\u200b"},
	} {
		for _, s := range all {
			if got := Fold(s); got != want {
				t.Errorf("Fold(%q) = %q, want %q", s, got, want)
			}
		}
	}
}

func TestLooseUPN_UndoesSlipsOfTheHand(t *testing.T) {
	const want = "taro.o'neil-ito@a.example"
	for _, s := range []string{
		want, "Taro.O'Neil-Ito@A.EXAMPLE", "ｔａｒｏ．ｏ＇ｎｅｉｌ－ｉｔｏ＠ａ．ｅｘａｍｐｌｅ",
		" taro.o'neil-ito @ a.example\u3000", "táro.o'neïl-itō@a.example",
		"taro.o'neil-ito.@a.example", ".taro.o'neil-ito@a.example.", "taro..o'neil-ito@.a.example", "taro.o'neil-ito@@a.example",
		"taro.o’neil–ito@a.example", "taro.oʼneil—ito@a.example", "taro.o‘neil−ito@a.example", "taro.o´neil‐ito@a.example",
		"taro.o`neilーito@a.example", "taro.o'neilｰito@a.example", "taro.o′neil‑ito@a.example", "taro。o'neil-ito@a。example",
		"tar\u200bo.o'neil-ito@a.ex\u200dample\ufeff", "taro.o'neil-\u00adito@a.example",
		"tarø.ø'neił-iŧo@a.example", // strokes
		"tаrо.о'nеіl-іtо@а.ехаmрlе", // Cyrillic
		"τaρο.ο'νeιl-ιτο@α.εχaμpℓe", // Greek
		"ＴΑRＯ.О'ΝΕIL-ITO@Α.EXAMPLE", // and capitals of all
	} {
		got := LooseUPN(s)
		if strings.ContainsAny(s, "ρνμΡΝ") { // each is for one Latin letter, whatever its case
			got = strings.NewReplacer("tapo", "taro", "o'veil", "o'neil", "exau", "exam").Replace(got)
		}
		if got != want {
			t.Errorf("LooseUPN(%q) = %q, want %q", s, got, want)
		}
	}
	for s, want := range map[string]string{
		"weiß@a.example": "weiss@a.example", "WEIẞ@a.example": "weiss@a.example",
		"kjær@a.example": "kjaer@a.example", "cœur@a.example": "coeur@a.example", "đorđe": "dorde",
		"łukasz": "lukasz", "þór": "thor", "ﬁn": "fin", "İlhan": "ilhan", "ılhan": "ilhan", "\u212aen": "ken",
		"渡邉@a.example": "渡邉@a.example",
		"":             "", ".": "", "...": "", "@": "@", ".@.": "@", "\u200b": "",
	} {
		if got := LooseUPN(s); got != want {
			t.Errorf("LooseUPN(%q) = %q, want %q", s, got, want)
		}
	}
}

func TestLooseUPN_LeavesWhatMicrosoft365Allows(t *testing.T) {
	for _, s := range []string{
		"taro.yamada@midori.example", "o'brien@midori.example", "a-b_c!d#e^f~g@midori.example", "Taro@MIDORI.example",
		"taro_contoso.com#EXT#@midori.onmicrosoft.com", "-a-@b.example", "'a'@b.example",
	} {
		if got, want := LooseUPN(s), directory.FoldUPN(s); got != want {
			t.Errorf("LooseUPN(%q) = %q, want %q", s, got, want)
		}
	}
}

func TestLooseID_UndoesWhatDoesNotShow(t *testing.T) {
	for s, want := range map[string]string{
		"Ab+/9==": "Ab+/9==", " Ab+/9==\u200b": "Ab+/9==", "Ａｂ＋／９＝＝": "Ab+/9==", "Ab +/9\u00a0==\t": "Ab+/9==", "": "",
		"\ufeff10001": "10001", "10\u3164001": "10001",
	} {
		if got := LooseID(s); got != want {
			t.Errorf("LooseID(%q) = %q, want %q", s, got, want)
		}
	}
}

func TestPieces_FindTheAddressesOfACell(t *testing.T) {
	for cell, want := range map[string][]string{
		"taro@a.example":                         {"taro@a.example"},
		"Taro Yamada <TARO@a.example>":           {"taro", "yamada", "taro@a.example"},
		"山田　太郎（taro@a.example）":                  {"山田", "太郎", "taro@a.example"},
		"mailto:taro@a.example?cc=b@a.example&x": {"mailto", "taro@a.example", "cc", "b@a.example", "x"},
		"SMTP:taro@a.example;smtp:t.y@a.example": {"smtp", "taro@a.example", "smtp", "t.y@a.example"},
		"smtp：ｔａｒｏ＠ａ．ｅｘａｍｐｌｅ":                    {"smtp", "taro@a.example"},
		"https://x.example/u/taro%40a.example":   {"https", "x.example", "u", "taro@a.example"},
		"taro％40a.example":                       {"taro@a.example"},
		"taro%E3%80%80yamada":                    {"taro", "yamada"},
		`"taro@a.example"`:                       {"taro@a.example"},
		"'taro@a.example'":                       {"taro@a.example"},
		"‘taro@a.example’, “b@a.example”":        {"taro@a.example", "b@a.example"},
		"「taro@a.example」、b@a.example。":          {"taro@a.example", "b@a.example"},
		"o’brien.@a.example.":                    {"o'brien@a.example"},
		"tarø@@a.example!":                       {"taro@a.example"},
		"taro@a.example_old":                     {"taro@a.example", "old"},
		"r&d@a.example":                          {"r&d@a.example"},
		"a@b.example@c.example":                  {"a@b.example", "c.example"},
		"[a@b.example](mailto:a@b.example)":      {"a@b.example", "mailto", "a@b.example"},
		"ta\u200bro@a.example|b":                 {"taro@a.example", "b"},
		"x\xffy\xff":                             {"x", "y"},
		"100%":                                   {"100"}, "%4": {"4"}, "%zz": {"zz"},
		"": nil, " , ": nil, "@": nil, "-": nil,
	} {
		if got := slices.Collect(Pieces(cell)); !slices.Equal(got, want) {
			t.Errorf("Pieces(%q) = %q, want %q", cell, got, want)
		}
	}
	for range Pieces("a b c") { // may be left early
		break
	}
}

// The quick ways give what the long ways give.
func FuzzFolding(f *testing.F) {
	for _, s := range []string{
		"", "taro@a.example", "O’Brien.@A.example.", "渡邉　太郎", "ﾜﾀﾅﾍﾞ", "%E3%81@%40", "\xff\xfe", "a\u0345\u0301", "´`", "ϴ\u1e9e", "\u0344@.", "ǰ\u2126",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		u := LooseUPN(s)
		if again := LooseUPN(u); again != u {
			t.Errorf("LooseUPN(%q) = %q, then %q", s, u, again)
		}
		if tight(s) && norm.NFKD.IsNormalString(s) {
			if long := LooseUPN(s + "\u200b"); long != u {
				t.Errorf("LooseUPN(%q) = %q the quick way, %q the long", s, u, long)
			}
		}
		if id := LooseID(s); LooseID(id) != id {
			t.Errorf("LooseID(%q) = %q, then %q", s, id, LooseID(id))
		}
		s = strings.ToValidUTF8(s, "\ufffd")
		if k, long := Fold(s), Fold(s+"\u200b"); long != k {
			t.Errorf("Fold(%q) = %q the quick way, %q the long", s, k, long)
		}
		if l := Look(s); l != Look(s+"\u200b") {
			t.Errorf("Look(%q) = %q the quick way, %q the long", s, l, Look(s+"\u200b"))
		}
		for p := range Pieces(s) {
			if p == "" || p != LooseUPN(p) || strings.ContainsFunc(p, unicode.IsSpace) {
				t.Errorf("Pieces(%q) has %q", s, p)
			}
		}
	})
}

func BenchmarkFold(b *testing.B) {
	for name, s := range map[string]string{"lower": "taro", "ascii": "Taro Yamada", "kanji": "渡邉　太郎"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Fold(s)
			}
		})
	}
}
