// Package names is the one place that defines which names, UPNs and immutable IDs
// may mean the same, and what looks the same: the planner, the search, the marks on
// screen and the audit log all use it.
//
// Start with Look and Fold: Look is the visible form; Fold is what two spellings of
// a person's name have in common; LooseUPN and LooseID remove the usual typing
// errors of a UPN and of an ID. All but Look are for finding and sparing, never for
// writing.
package names

import (
	"strings"
	"sync"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// variants are characters of Japanese names that different people write for the
// same name: the first of each group represents all. Compatibility forms (U+FA19
// for U+795E) are folded by NFKC and not listed.
const variants = "辺邉邊 崎﨑嵜碕 高髙 斎齋齊斉 浜濵濱 徳德 桜櫻 沢澤 広廣 国國 土圡 吉𠮷 島嶋嶌 冨富 真眞 恵惠 蔵藏 滝瀧 竜龍 " +
	"条條 栄榮 増增 瀬瀨 槙槇 園薗 桑桒 曽曾 渕淵渊 黒黑 青靑 清淸 豊豐 実實 学學 寿壽 与與 万萬 弥彌 礼禮 応應 円圓 関關 " +
	"会會 壮壯 将將 来來 寛寬 鉄鐵 桧檜 館舘 教敎 歩步 緒緖 鴎鷗 顕顯 遥遙 皓晧 巌巖 厳嚴 芦蘆 薮籔藪 野埜 村邨 荘莊 峰峯 " +
	"岳嶽 騨驒 剣釼劒劍劔 萌萠 凜凛 穂穗 亘亙 亜亞 壱壹 勲勳 衛衞 薫薰 営營 奥奧 仮假 楽樂 亀龜 峡峽 狭狹 暁曉 区區 駆驅 " +
	"県縣 恒恆 庁廳 装裝 総總 台臺 並竝 仏佛 弁辨瓣辯 余餘 揺搖 様樣 覧覽 緑綠 塁壘 励勵 霊靈 錬鍊 炉爐 労勞 郎郞 録錄 湾灣"

// groups reads a table of characters, in which the first of each group represents
// the others.
func groups(table string) map[rune]rune {
	m := map[rune]rune{}
	for group := range strings.FieldsSeq(table) {
		var first rune
		for i, r := range group {
			if i == 0 {
				first = r
				continue
			}
			m[r] = first
		}
	}
	return m
}

var variantOf = sync.OnceValue(func() map[rune]rune { return groups(variants) })

// Hidden reports whether r is invisible: control and format characters, joiners,
// variation selectors and fillers. Control characters that are white space (tab,
// line breaks) are among them.
func Hidden(r rune) bool {
	switch {
	case r < 0x7f:
		return r < 0x20
	case r < 0xad:
		return r <= 0x9f
	case unicode.Is(unicode.Cf, r):
		return !unicode.Is(unicode.Prepended_Concatenation_Mark, r)
	}
	return r == 0x2800 || // a pattern of Braille without a dot
		unicode.Is(unicode.Variation_Selector, r) || unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r)
}

// Look returns the visible form of s: full-width and half-width, variants of
// Japanese characters, all kinds and numbers of spaces, and invisible characters
// make no difference.
func Look(s string) string {
	if asShown(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	of, space := variantOf(), false
	for _, r := range norm.NFKC.String(s) {
		switch {
		case unicode.IsSpace(r):
			space = b.Len() > 0
			continue
		case Hidden(r):
			continue
		}
		if space {
			b.WriteByte(' ')
			space = false
		}
		if v, ok := of[r]; ok {
			r = v
		}
		b.WriteRune(r)
	}
	return b.String()
}

// asShown reports whether s is printable ASCII with single spaces inside: then it
// equals its Look.
func asShown(s string) bool {
	space := true
	for i := range len(s) {
		if s[i] < 0x20 || s[i] >= 0x7f || s[i] == ' ' && space {
			return false
		}
		space = s[i] == ' '
	}
	return !space || s == ""
}

// LooksSame reports whether two different values look the same.
func LooksSame(a, b string) bool {
	return a != b && a != "" && b != "" && Look(a) == Look(b)
}

// Fold returns the form in which two names may mean one person: Look, without
// regard to case, kind of kana, spaces and signs. 渡辺, 渡邉 and 渡邊 give the same, as
// do ﾜﾀﾅﾍﾞ and わたなべ.
func Fold(s string) string {
	if folded, ok := foldASCII(s); ok {
		return folded
	}
	var b strings.Builder
	b.Grow(len(s))
	for _, r := range Look(s) {
		switch {
		case r >= 'ァ' && r <= 'ヶ':
			r -= 'ァ' - 'ぁ'
		case !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != 'ー':
			continue
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// foldASCII is the quick way for most names, without an allocation if there is
// nothing to fold.
func foldASCII(s string) (string, bool) {
	same := true
	for i := range len(s) {
		c := s[i]
		if c >= 0x80 {
			return "", false
		}
		same = same && (c >= 'a' && c <= 'z' || c >= '0' && c <= '9')
	}
	if same {
		return s, true
	}
	b := make([]byte, 0, len(s))
	for i := range len(s) {
		switch c := s[i]; {
		case c >= 'A' && c <= 'Z':
			b = append(b, c+'a'-'A')
		case c >= 'a' && c <= 'z' || c >= '0' && c <= '9':
			b = append(b, c)
		}
	}
	return string(b), true
}
